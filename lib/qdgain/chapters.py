"""The chapters of the book: which there are, where their notebooks are, what each can be given."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from types import MappingProxyType

#: The book's folder in a checkout.
BOOK = Path(__file__).resolve().parents[2] / "book"
#: How long a kernel may take to start, and a cell to run.
START_TIMEOUT_S = 60
CELL_TIMEOUT_S = 120

#: What a picture's output says of it to whoever makes a page: its name, the function that computes
#: it, and what it shows in words.
FIGURE, CODE, IN_WORDS = "qdgain_figure", "qdgain_code", "qdgain_in_words"

_LIST = (Path(__file__).parent / "data" / "chapters.toml").read_text(encoding="utf-8")
#: Chapter to the names of its own settings, which come after the dot's parameters.
SETTINGS: Mapping[str, tuple[str, ...]] = MappingProxyType(
    {chapter: tuple(names) for chapter, names in tomllib.loads(_LIST).items()}
)
#: In the order of the paper's figures, then those that go beyond them.
CHAPTERS = tuple(SETTINGS)
#: The same, as a sentence lists them.
NAMES = ", ".join(CHAPTERS)
#: What the name of a notebook beyond the paper's figures starts with.
BEYOND = "beyond_"


def notebook_of(chapter: str) -> Path | None:
    """Return the notebook of a chapter such as ``fig08``, None where there is no checkout."""
    return next((path for path in sorted(BOOK.glob("*.ipynb")) if name_of(path) == chapter), None)


@cache
def api_page_of(module: str) -> str:
    """Return the file name of the page that documents a module, in the book's folder."""
    pages = {path: path.read_text(encoding="utf-8") for path in sorted(BOOK.glob("api*.md"))}
    line = f".. automodule:: {module}\n"
    return next((f"{path.stem}.html" for path, text in pages.items() if line in text), "api.html")


def name_of(notebook: Path) -> str:
    """Return the chapter's name: ``fig08`` of ``fig08_….ipynb``, ``x`` of ``beyond_x.ipynb``."""
    return notebook.stem.removeprefix(BEYOND).split("_")[0]


def page_of(chapter: str) -> str:
    """Return the file name of the page of a chapter, in the book's folder."""
    notebook = notebook_of(chapter)
    if notebook is None:
        raise FileNotFoundError(f"the notebook of {chapter} is not in {BOOK}")
    return f"{notebook.stem}.html"
