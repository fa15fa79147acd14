"""What a chapter has to have stored, and whether a fresh run of it says the same."""

from __future__ import annotations

from collections.abc import Iterator

import nbformat

from qdgain.book import notebooks

_HEADER = ["quantity", "unit", "paper", "model"]
_LEAST_LINES = 4


def differences(stored: nbformat.NotebookNode, executed: nbformat.NotebookNode) -> Iterator[str]:
    """Yield a sentence for each checked table that a run of the chapter does not show as stored."""
    pairs = zip(stored.cells, executed.cells, strict=True)
    for cell, fresh in pairs:
        if cell.source != fresh.source:
            yield f"another cell was run: {fresh.source[:80]}"
        elif notebooks.CHECKED in notebooks.tags(cell) and _shown(cell) != _shown(fresh):
            yield "\n".join(["the checked table is not as stored:", *_shown(fresh)])


def _shown(cell: nbformat.NotebookNode) -> list[str]:
    """Return what a cell shows, of every kind, as text."""
    return [
        f"{kind}: {text}"
        for output in cell.outputs
        for kind, text in sorted(output.get("data", {"stream": output.get("text", "")}).items())
    ]


def stored_faults(notebook: nbformat.NotebookNode) -> Iterator[str]:
    """Yield a sentence for each way in which a chapter's stored state would compare nothing."""
    cells = [cell for cell in notebook.cells if cell.cell_type == "code"]
    counts = [cell.execution_count for cell in cells]
    if counts != list(range(1, len(cells) + 1)):
        yield f"not executed once from the top: {counts}"
    checked = [cell for cell in cells if notebooks.CHECKED in notebooks.tags(cell)]
    if len(checked) != 1:
        yield f"{len(checked)} cells are tagged {notebooks.CHECKED}, not one"
    for cell in checked:
        texts = [output.get("data", {}).get("text/plain", "") for output in cell.outputs]
        lines = texts[0].splitlines() if len(texts) == 1 else []
        if len(lines) < _LEAST_LINES or lines[0].split() != _HEADER:
            yield f"its checked table is not stored, but {len(texts)} outputs"
    if any(cell.outputs for cell in cells if cell not in checked):
        yield "other outputs than the checked table are stored"
