"""The build's gates close: a faulty book fails, on a second try too, and pages are never stale."""

import os
import subprocess
import sys
from pathlib import Path

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

LINES = "".join(f'<path d="M 0 {y} L 100 {y}" stroke="black"/>' for y in range(0, 100, 5))
PICTURE = f'<svg xmlns="http://www.w3.org/2000/svg" width="100" height="100">{LINES}</svg>'


def make(*arguments):
    """Run make as from a shell of its own."""
    outside = {k: v for k, v in os.environ.items() if not k.startswith(("MAKE", "PYTEST", "BOOK"))}
    return subprocess.run(
        ["make", "--no-print-directory", *arguments],
        cwd=ROOT,
        env=outside,
        capture_output=True,
        text=True,
        timeout=200,
        check=False,
    )


def make_book(folder, *arguments):
    """Build a book with the project's own command."""
    # By the environment of these tests, unless a test brings its own.
    arguments = arguments or (f"BIN={Path(sys.executable).parent}",)
    return make("book", f"SOURCE={folder}", *arguments)


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


def test_a_raising_notebook_fails(small_book):
    write_notebook(small_book / "page.ipynb", "raise ValueError('on purpose')")
    built = make_book(small_book)
    assert built.returncode != 0
    assert "on purpose" in built.stdout + built.stderr


def test_pages_are_checked_and_follow_a_change_in_imported_code(small_book):
    (small_book / "words.md").write_text("# Only a title\n", encoding="utf-8")
    toc = yaml.safe_load((small_book / "_toc.yml").read_text(encoding="utf-8"))
    toc["parts"][0]["chapters"].append({"file": "words"})
    (small_book / "_toc.yml").write_text(yaml.safe_dump(toc), encoding="utf-8")
    module, notebook = small_book / "imported.py", small_book / "page.ipynb"
    write_notebook(notebook, "import imported", "print('it is', imported.VALUE)", "imported.FIGURE")
    cells = nbformat.read(notebook, as_version=4)
    cells.cells[-1].metadata["mystnb"] = {
        "figure": {"name": "figure-of-this-page", "caption": "A line."},
        "image": {"alt": "A line."},
    }
    nbformat.write(cells, notebook)
    module.write_text("VALUE, FIGURE = 299792458, None\n", encoding="utf-8")
    page = small_book / "_build" / "html" / "page.html"

    built = make_book(small_book)
    assert built.returncode != 0
    assert "words.html has only" in built.stdout
    assert "page shows too few pictures" in built.stdout
    assert "it is 299792458" in page.read_text(encoding="utf-8")

    (small_book / "words.md").write_text(INDEX, encoding="utf-8")
    module.write_text(
        f"from IPython.display import SVG\nVALUE, FIGURE = 42, SVG({PICTURE!r})\n",
        encoding="utf-8",
    )
    built = make_book(small_book)
    assert built.returncode == 0, built.stdout + built.stderr
    assert "it is 42" in page.read_text(encoding="utf-8")


# --- a jupyter-book that builds nothing, in place of the installed one


@pytest.fixture
def stand_in(tmp_path):
    """Return a function that makes a `.venv/bin` with a jupyter-book that writes given pages."""

    def build(version, pages):
        distribution = tmp_path / "lib" / f"jupyter_book-{version}.dist-info"
        distribution.mkdir(parents=True)
        (distribution / "METADATA").write_text(
            f"Metadata-Version: 2.1\nName: jupyter-book\nVersion: {version}\n", encoding="utf-8"
        )
        folder = tmp_path / "bin"
        folder.mkdir()
        scripts = {
            "python": f'PYTHONPATH="{tmp_path / "lib"}" exec "{sys.executable}" "$@"',
            "pytest": f'exec "{sys.executable}" -m pytest "$@"',
            "jupyter-book": "\n".join(
                [
                    'html="$2/_build/html"',
                    *(f'mkdir -p "$html"; echo "{text}" > "$html/{page}"' for page, text in pages),
                ]
            ),
        }
        for name, script in scripts.items():
            (folder / name).write_text(f"#!/bin/sh\n{script}\n", encoding="utf-8")
            (folder / name).chmod(0o755)
        (folder / ".installed").touch()
        return f"BIN={folder}"

    return build


def test_jupyter_book_2_is_refused(small_book, stand_in):
    built = make_book(small_book, stand_in("2.1.0", []))
    assert built.returncode != 0
    assert "Jupyter Book 1 is needed, this is 2.1.0" in built.stderr


def test_a_build_that_writes_nothing_fails(small_book, stand_in):
    built = make_book(small_book, stand_in("1.0.4", []))
    assert built.returncode != 0
    assert "built no page" in built.stdout


def test_a_build_that_leaves_out_a_page_fails(small_book, stand_in):
    words = f"<article>{'word ' * 50}</article>"
    built = make_book(small_book, stand_in("1.0.4", [("index.html", words)]))
    assert built.returncode != 0
    assert "page.html was not built" in built.stdout
    assert "index.html" not in built.stdout


def test_make_without_output_sync_runs_the_same():
    """The make of macOS knows no --output-sync."""
    for features, given in (("output-sync", True), ("", False)):
        planned = make("--dry-run", "test", f".FEATURES={features}", "BIN=/nowhere").stdout
        assert ("--output-sync" in planned) == given
