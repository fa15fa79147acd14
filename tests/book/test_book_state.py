"""Only prose is built incrementally: whatever a number may hang on starts the book from empty."""

import json
import shutil

import pytest

from qdgain import version
from qdgain.book import state

PAGE = """---
file_format: mystnb
---

# Title

Some prose.

```{code-cell} ipython3
VALUE = 1
```
"""


def notebook(prose, code):
    cells = [
        {"cell_type": "markdown", "id": "a", "metadata": {}, "source": prose},
        {"cell_type": "code", "id": "b", "metadata": {}, "source": code, "outputs": []},
    ]
    return json.dumps({"cells": cells, "metadata": {}, "nbformat": 4, "nbformat_minor": 5})


@pytest.fixture
def source(tmp_path):
    (tmp_path / "book" / "_static").mkdir(parents=True)
    for name, text in {
        "_config.yml": "title: t",
        "_toc.yml": "root: book/page",
        "book/page.md": PAGE,
        "book/chapter.ipynb": notebook("prose", "x = 1"),
        "book/_static/own.css": "a {}",
        "book/references.bib": "@book{a}",
    }.items():
        (tmp_path / name).write_text(text, encoding="utf-8")
    return tmp_path


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("book/page.md", PAGE.replace("Some prose", "Other prose")),
        ("book/chapter.ipynb", notebook("other prose", "x = 1")),
    ],
)
def test_prose_leaves_the_state(source, name, text):
    before = state.state(source)
    (source / name).write_text(text, encoding="utf-8")
    assert state.state(source) == before


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("book/page.md", PAGE.replace("VALUE = 1", "VALUE = 2")),
        ("book/page.md", PAGE.replace("mystnb", "other")),
        ("book/chapter.ipynb", notebook("prose", "x = 2")),
        ("book/another.md", "# New"),
        ("book/_static/own.css", "b {}"),
        ("book/references.bib", "@book{b}"),
        ("_config.yml", "title: u"),
        ("_toc.yml", "root: book/other"),
        ("module.py", "VALUE = 3"),
    ],
)
def test_anything_else_changes_it(source, name, text):
    before = state.state(source)
    (source / name).write_text(text, encoding="utf-8")
    assert state.state(source) != before


def test_the_library_changes_it(source, monkeypatch):
    before = state.state(source)
    monkeypatch.setattr(state, "library_hash", lambda: "another")
    assert state.state(source) != before


def test_any_file_of_the_library_changes_the_librarys_hash(tmp_path, monkeypatch):
    copy = shutil.copytree(version.STORED.parent, tmp_path / "qdgain")
    # The hash is computed once a process: here, anew after each change.
    afresh = version.library_hash.__wrapped__
    assert afresh() == version.library_hash()
    monkeypatch.setattr(version, "_LIBRARY", copy)
    hashes = [afresh()]
    assert hashes == [version.library_hash()]
    for name in (
        "model/bands.py",
        "beyond/ensemble.py",
        "data/presets.toml",
        "stored_results/auger.json",
    ):
        with (copy / name).open("a", encoding="utf-8") as file:
            file.write("\n")
        hashes.append(afresh())
    (copy / "model/kinetics.py").rename(copy / "model/kinetic.py")
    hashes.append(afresh())
    assert len(set(hashes)) == 6
    (copy / "spectra.pyc").touch()
    assert afresh() == hashes[-1]


def test_a_package_and_its_version_change_it(source, tmp_path, monkeypatch):
    monkeypatch.syspath_prepend(installed := tmp_path / "elsewhere")
    states = [state.state(source)]
    (installed / "numpy-1.0.dist-info").mkdir(parents=True)
    states.append(state.state(source))
    (installed / "numpy-1.0.dist-info").rename(installed / "numpy-1.1.dist-info")
    states.append(state.state(source))
    assert len(set(states)) == 3


def test_what_was_built_is_emptied_unless_the_same_state_was_sound(source):
    page, report = source / "_build" / "html" / "page.html", source / "_build" / "bench.json"

    def built():
        page.parent.mkdir(parents=True, exist_ok=True)
        page.touch()
        report.touch()

    state.begin(source)
    built()
    # Not sound: it never ended.
    state.begin(source)
    assert not page.exists()
    assert report.exists(), "what other commands measured is not the book's"
    built()
    state.end(source)
    state.begin(source)
    assert page.exists()
    state.end(source)
    (source / "_config.yml").write_text("title: new", encoding="utf-8")
    state.begin(source)
    assert not page.exists()
