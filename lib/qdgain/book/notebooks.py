"""Refresh the chapters: parameters cells from the contract, outputs from a fresh run.

``python -m qdgain.book.notebooks`` rewrites every chapter in place. Of the outputs only the checked
tables are stored; figures are made anew by every build.
"""

from __future__ import annotations

import importlib
import sys
from pathlib import Path
from types import ModuleType

import nbformat
from nbclient import NotebookClient

from qdgain.book.chapter import parameters_cell
from qdgain.chapters import BOOK, CELL_TIMEOUT_S, START_TIMEOUT_S, name_of
from qdgain.figures import fig08
from qdgain.figures.style import book_style
from qdgain.run import resolve

#: The tag of the cell whose stored text the regression test compares.
CHECKED = "nbval-check-output"


def chapters(book: Path = BOOK) -> list[Path]:
    """Return the notebooks of the book's chapters, in order."""
    return sorted(book.glob("*.ipynb"))


def figure_module(chapter: Path) -> ModuleType | None:
    """Return the module of `qdgain.figures` a chapter draws from, None if it has none."""
    name = name_of(chapter)
    try:
        return importlib.import_module(f"qdgain.figures.{name}")
    except ModuleNotFoundError as error:
        if error.name == f"qdgain.figures.{name}":
            return None
        raise


def tags(cell: nbformat.NotebookNode) -> list[str]:
    """Return a cell's tags."""
    return list(cell.metadata.get("tags", []))


def refresh(chapter: Path) -> None:
    """Rewrite a chapter's parameters cell, run it, and store its checked table alone."""
    notebook = nbformat.read(chapter, as_version=4)
    module = figure_module(chapter)
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


def draw_picture(target: Path = BOOK / "_static" / "gain_maps.png") -> None:
    """Draw the README's picture, panels c to f of Fig 8."""
    contours = fig08.FIGURES["contours"]
    picture = contours.draw(contours.panels(resolve(fig08.SETTINGS, {})))
    with book_style():
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
