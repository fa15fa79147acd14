"""The build's gates close: a faulty book fails, on a second try too, and pages are never stale."""

import os
import subprocess

import nbformat
import pytest
import yaml

from conftest import ROOT

pytestmark = [pytest.mark.slow, pytest.mark.timeout(300)]

INDEX = """# A small book

It has one page of words, enough of them for the check of the built book to accept the page as not
empty: the check counts the words of each article, and a page with next to none of them fails it, as
a page that lost its text would. Here are some more words to be safe, and then a few more.
"""


def make_book(folder):
    """Build a book with the project's own command."""
    outside = {k: v for k, v in os.environ.items() if not k.startswith(("MAKE", "PYTEST", "BOOK"))}
    return subprocess.run(
        ["make", "--no-print-directory", "book", f"SOURCE={folder}"],
        cwd=ROOT,
        env=outside,
        capture_output=True,
        text=True,
        timeout=200,
        check=False,
    )


@pytest.fixture
def small_book(tmp_path):
    """Return a book of one sound page, configured as the project's."""
    config = yaml.safe_load((ROOT / "_config.yml").read_text(encoding="utf-8"))
    config["sphinx"]["config"]["html_static_path"] = []
    config["bibtex_bibfiles"] = ["references.bib"]
    (tmp_path / "_config.yml").write_text(yaml.safe_dump(config), encoding="utf-8")
    toc = {"format": "jb-book", "root": "index", "parts": [{"chapters": [{"file": "page"}]}]}
    (tmp_path / "_toc.yml").write_text(yaml.safe_dump(toc), encoding="utf-8")
    (tmp_path / "references.bib").write_text(
        "@book{known, title={T}, author={A, B}, year={2000}, publisher={P}}\n", encoding="utf-8"
    )
    (tmp_path / "index.md").write_text(INDEX, encoding="utf-8")
    return tmp_path


def write_notebook(path, *sources):
    cells = [nbformat.v4.new_code_cell(source, id=f"cell-{i}") for i, source in enumerate(sources)]
    words = nbformat.v4.new_markdown_cell(INDEX.replace("small book", "notebook"), id="words")
    notebook = nbformat.v4.new_notebook(cells=[words, *cells])
    notebook.metadata["kernelspec"] = {"name": "python3", "display_name": "Python 3"}
    nbformat.write(notebook, path)


def test_faults_in_the_text_fail_every_time(small_book):
    faults = "{cite}`unknown2099`, {ref}`nowhere`, {eq}`missing`, {doc}`lost`, {py:func}`qdgain.x`"
    (small_book / "page.md").write_text(INDEX + faults + "\n", encoding="utf-8")
    for _ in range(2):
        built = make_book(small_book)
        output = built.stdout + built.stderr
        assert built.returncode != 0
        for what in ("unknown2099", "nowhere", "equation not found: missing", "lost", "qdgain.x"):
            assert what in output, f"the build is silent about {what}"


def test_a_raising_notebook_fails_every_time(small_book):
    write_notebook(small_book / "page.ipynb", "raise ValueError('on purpose')")
    for _ in range(2):
        built = make_book(small_book)
        assert built.returncode != 0
        assert "on purpose" in built.stdout + built.stderr


def test_a_change_in_imported_code_reaches_the_page(small_book):
    module = small_book / "constant.py"
    write_notebook(
        small_book / "page.ipynb", "import constant", "print('the constant is', constant.VALUE)"
    )
    for value in (299792458, 42):
        module.write_text(f"VALUE = {value}\n", encoding="utf-8")
        built = make_book(small_book)
        assert built.returncode == 0, built.stdout + built.stderr
        page = (small_book / "_build" / "html" / "page.html").read_text(encoding="utf-8")
        assert f"the constant is {value}" in page


def test_an_empty_page_fails_the_check_of_the_built_book(small_book):
    (small_book / "page.md").write_text("# Only a title\n", encoding="utf-8")
    built = make_book(small_book)
    assert built.returncode != 0
    assert "has only" in built.stdout
