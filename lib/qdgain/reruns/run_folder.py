"""The folder of one run: executed notebook, page, pictures, data, and the card of it all."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path

from qdgain.reruns.page import page
from qdgain.reruns.rerun import Executed, Task
from qdgain.reruns.run_card import CARD_FILE, as_text, card
from qdgain.run import Run

NOTEBOOK, PAGE = "notebook.ipynb", "index.html"


def contents(todo: Task, run: Run, executed: Executed) -> dict[str, bytes]:
    """Return every file of a run's folder by its path in it, the run card last.

    Parameters
    ----------
    todo : Task
        What was executed.
    run : Run
        The same, resolved.
    executed : Executed
        What it gave.
    """
    notebook = json.loads(executed.notebook)
    title = "".join(notebook["cells"][0]["source"]).lstrip("# ").splitlines()[0]
    files = {
        NOTEBOOK: executed.notebook.encode(),
        PAGE: page(notebook, title, run, sorted(executed.kept)).encode(),
        **executed.kept,
    }
    return files | {CARD_FILE: as_text(card(todo, run, executed, files)).encode()}


def write(folder: Path, files: Mapping[str, bytes]) -> None:
    """Write files into a new folder."""
    for path, content in files.items():
        target = folder / path
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(content)
