"""The folder of one run: notebook, page, pictures, data, and the run card.

The card says what was run, with what, and what came out: enough to prove a run and to repeat it.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from qdgain.files import path_of, unusable
from qdgain.model.parameters import CONTRACT
from qdgain.reruns.request import CARD, CARD_FORMAT, EVERY_CHAPTER, read_table
from qdgain.reruns.rerun import Executed, Task
from qdgain.run import Run
from qdgain.text import as_json
from qdgain.version import provenance

_CARD = "run card"
NOTEBOOK, PAGE, CARD_FILE = "notebook.ipynb", "index.html", "run-card.json"
_PACKAGES = ("numpy", "scipy", "matplotlib", "lmfit", "papermill", "ipykernel", "nbclient")


def contents(todo: Task, run: Run, executed: Executed) -> dict[str, bytes]:
    """Return every file of the folder of a run by its path in it, the run card last."""
    # Loaded while the kernel was at work.
    from qdgain.reruns.page import page  # noqa: PLC0415

    notebook = json.loads(executed.notebook)
    title = "".join(notebook["cells"][0]["source"]).lstrip("# ").splitlines()[0]
    files = {
        NOTEBOOK: executed.notebook.encode(),
        PAGE: page(notebook, title, run, sorted(executed.kept)).encode(),
        **executed.kept,
    }
    return files | {CARD_FILE: as_json(card(todo, run, executed, files)).encode()}


def write(folder: Path, files: Mapping[str, bytes]) -> None:
    """Write files into a new folder."""
    for path, content in files.items():
        target = folder / path
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(content)


def card(todo: Task, run: Run, executed: Executed, written: Mapping[str, bytes]) -> dict[str, Any]:
    """Return the card of a run, ready for JSON; it has the SHA-256 of what else was written."""
    return {
        CARD: CARD_FORMAT,
        "chapter": todo.chapter,
        "given": {name: _given(todo, name) for name in todo.given},
        "differs_from_the_paper": {
            name: {"paper": paper, "here": _shown(name, here), "unit": CONTRACT[name].unit}
            for name, paper, here in run.differences()
        },
        "parameters": {
            name: _entry(name, value, name in todo.given)
            for name, value in run.parameters().items()
        },
        "headlines": list(executed.headlines),
        **provenance(_PACKAGES),
        "started": executed.started,
        "duration_s": executed.duration_s,
        "sha256": {
            path: hashlib.sha256(content).hexdigest() for path, content in sorted(written.items())
        },
    }


def card_of_all(tasks: Sequence[Task]) -> dict[str, Any]:
    """Return the card of a run of several chapters, each of which has a card of its own."""
    given = {
        name: f"{todo.chapter}/{_given(todo, name)}" if name in todo.files else todo.given[name]
        for todo in tasks
        for name in todo.given
    }
    return {
        CARD: CARD_FORMAT,
        "chapter": EVERY_CHAPTER,
        "chapters": [todo.chapter for todo in tasks],
        "given": given,
        "library": provenance(())["library"],
    }


@dataclass(frozen=True)
class Card:
    """What a run card says of its run: chapter or ``all``, numbers by key, the library's hash."""

    chapter: str
    numbers: Mapping[str, Any]
    library_hash: str


def read_card(path: str | Path) -> Card | None:
    """Return a run card, None if the file is none.

    Raises
    ------
    ParameterError
        If the file cannot be read, or is a run card of which a part is missing.
    """
    path = path_of(path)
    if path.suffix.lower() != ".json":
        return None
    table = read_table(path)
    if CARD not in table:
        return None
    try:
        chapter, library = table["chapter"], table["library"]["hash"]
        rows = [] if chapter == EVERY_CHAPTER else table["headlines"]
        card = Card(chapter, {row["key"]: row["value"] for row in rows}, library)
    except (KeyError, TypeError, IndexError):
        raise unusable(_CARD, path, "a part of it is missing") from None
    if not all(isinstance(text, str) for text in (chapter, library, *card.numbers)):
        raise unusable(_CARD, path, "a part of it is not text, as it has to be")
    return card


def _given(todo: Task, name: str) -> Any:
    """Return a given value; a file's path within the run's folder, which holds a copy of it."""
    return f"inputs/{todo.files[name][0]}" if name in todo.files else todo.given[name]


def _shown(name: str, value: Any) -> Any:
    return Path(value).name if CONTRACT[name].kind == "file" and value else value


def _entry(name: str, value: Any, given: bool) -> dict[str, Any]:
    entry = CONTRACT[name]
    stand_in = {"stand_in": entry.stand_in} if value is None else {}
    origin = "given" if given else f"{entry.origin.kind}: {entry.origin.source}"
    return {"value": _shown(name, value), "unit": entry.unit, "origin": origin, **stand_in}
