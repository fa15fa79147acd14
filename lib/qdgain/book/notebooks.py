"""Refresh the chapters: parameters cells from the contract, outputs from a fresh run.

``python -m qdgain.book.notebooks`` rewrites every chapter in place. Of the outputs only the checked
tables are stored; figures are made anew by every build.
"""

from __future__ import annotations

import sys
from pathlib import Path

import nbformat
from nbclient import NotebookClient

from qdgain.chapters import BOOK, CELL_TIMEOUT_S, START_TIMEOUT_S, name_of
from qdgain.figures import landing
from qdgain.figures.modules import MODULES
from qdgain.figures.style import book_style
from qdgain.model import parameters

#: The tag of the cell whose stored text the regression test compares.
CHECKED = "nbval-check-output"
_TYPES = {"number": "float", "integer": "int", "word": "str", "file": "str"}


def chapters(book: Path = BOOK) -> list[Path]:
    """Return the notebooks of the book's chapters, in order."""
    return sorted(book.glob("*.ipynb"))


def tags(cell: nbformat.NotebookNode) -> list[str]:
    """Return a cell's tags."""
    return list(cell.metadata.get("tags", []))


def parameters_cell(settings: tuple[str, ...]) -> str:
    """Return the source of the parameters cell of a chapter with these settings.

    One annotated parameter a line, with unit and meaning; a dot field that stays None leaves the
    paper's presets alone.
    """
    lines = ["# Your dot: set any of these and it is drawn beside the paper's."]
    for name in parameters.DOT_PARAMETERS:
        kind = _TYPES[parameters.CONTRACT[name].kind]
        lines.append(f"{name}: {kind} | None = None  # {_meaning(name)}")
    if settings:
        lines.append("# The chapter's own settings.")
    for name in settings:
        entry = parameters.CONTRACT[name]
        hint = f" ({', '.join(entry.choices)})" if entry.choices else ""
        lines.append(f"{name}: {_TYPES[entry.kind]} = {entry.default!r}  # {_meaning(name)}{hint}")
    return "\n".join(lines)


def _meaning(name: str) -> str:
    entry = parameters.CONTRACT[name]
    return entry.meaning if entry.unit == "1" else f"{entry.unit}: {entry.meaning}"


def refresh(chapter: Path) -> None:
    """Rewrite a chapter's parameters cell, run it, and store its checked table alone."""
    notebook = nbformat.read(chapter, as_version=4)
    module = MODULES.get(name_of(chapter))
    for cell in notebook.cells:
        if "parameters" in tags(cell) and module is not None:
            cell.source = parameters_cell(module.SETTINGS)
    NotebookClient(
        notebook,
        timeout=CELL_TIMEOUT_S,
        startup_timeout=START_TIMEOUT_S,
        resources={"metadata": {"path": str(chapter.parent)}},
    ).execute()
    for position, cell in enumerate(notebook.cells):
        cell.id = f"{name_of(chapter)}-{position:02d}"
        cell.metadata.pop("execution", None)
        if cell.cell_type == "code" and CHECKED not in tags(cell):
            cell.outputs = []
    # Only what every machine has in common.
    notebook.metadata = nbformat.NotebookNode(
        kernelspec={"display_name": "Python 3", "language": "python", "name": "python3"},
        language_info={"name": "python"},
    )
    nbformat.validate(notebook)
    nbformat.write(notebook, chapter)


def draw_picture(target: Path = BOOK / "_static" / "argument.png") -> None:
    """Draw the README's picture, the first of the book's own."""
    panels = landing.strip()
    with book_style():
        picture = landing.draw_strip(panels)
        picture.savefig(target, dpi=110, metadata={"Software": None})


def main(names: list[str]) -> None:
    """Refresh the named chapters, or all, and the README's picture."""
    for chapter in chapters():
        if not names or chapter.stem in names or name_of(chapter) in names:
            print(f"refreshing {chapter.name}", flush=True)
            refresh(chapter)
    draw_picture()


if __name__ == "__main__":
    main(sys.argv[1:])
