"""A chapter executed at every point of a sweep, each run with its card, resumable."""

from __future__ import annotations

import hashlib
import json
import threading
import time
from collections.abc import Callable, Container, Iterator, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, NamedTuple

from qdgain.files import write_whole, written_aside
from qdgain.reruns import rerun, run_folder
from qdgain.reruns.request import Request
from qdgain.reruns.run_folder import CARD_FILE, card
from qdgain.sweep import table
from qdgain.sweep.folder import FAILURES, RUNS, add_sum, is_sound, sums
from qdgain.sweep.points import Points, definition, hash_of, identity
from qdgain.sweep.progress import Progress
from qdgain.sweep.spread import Job, Spread
from qdgain.sweep.table import Quantity
from qdgain.text import as_json

DONE, FAILED = "done", "failed"
#: More points than this want `qdgain.sweep.numbers`.
MOST_POINTS = 100_000
#: What one run takes, for an estimate; some seconds for the kernel and the libraries alone.
RUN_S = 8.0
_ID_DIGITS = 16
# The limit on the time of a run kills whatever the process started meanwhile.
_ONE_AT_A_TIME = threading.Lock()


class Asked(NamedTuple):
    """One run to be made: what to execute, and the parameters as the user gave them."""

    todo: rerun.Task
    given: Mapping[str, Any]


class Failed(Exception):
    """A run that could not be made: the reason, and the seconds it took."""

    def __init__(self, reason: str, seconds: float | None) -> None:
        super().__init__(reason, seconds)
        self.reason, self.seconds = reason, seconds


def execute(asked: Asked) -> dict[str, bytes]:
    """Execute a chapter and return the files of its folder: without page only card and inputs.

    Raises
    ------
    Failed
        If it could not be executed.
    """
    with _ONE_AT_A_TIME:
        began = time.monotonic()
        try:
            executed = rerun.execute(asked.todo)
        except rerun.RunFailed as failure:
            raise Failed(str(failure), round(time.monotonic() - began, 3)) from None
    run = Request((asked.todo.chapter,), asked.given).run(asked.todo.chapter)
    if asked.todo.pictures:
        return run_folder.contents(asked.todo, run, executed)
    inputs = {path: executed.kept[path] for path in executed.kept if path.startswith("inputs/")}
    return inputs | {CARD_FILE: as_json(card(asked.todo, run, executed, inputs)).encode()}


@dataclass(frozen=True)
class Sweep:
    """A chapter to be executed at some points, with some parameters fixed.

    The notebook is JSON text. With ``pages`` each run's whole folder is kept, its page included.
    ``function`` makes one run.
    """

    chapter: str
    points: Points
    fixed: Mapping[str, Any]
    notebook: str
    pages: bool = False
    function: Callable[[Asked], Mapping[str, bytes]] = field(default=execute)

    def given(self) -> Iterator[tuple[str, dict[str, Any]]]:
        """Yield the id and the parameters of each run; None for a stand-in."""
        for point in self.points.each():
            given = {**self.fixed, **point}
            yield self.id_of(given), given

    def id_of(self, given: Mapping[str, Any]) -> str:
        """Return the id of a run, the same whenever its parameters are."""
        values = {name: identity(name, value) for name, value in given.items()}
        return hash_of({"chapter": self.chapter, "given": values})[:_ID_DIGITS]

    def definition(self) -> dict[str, Any]:
        """Return what the results depend on besides the library, for JSON."""
        results = "notebooks with pages" if self.pages else "notebooks"
        common = definition(self.chapter, self.points, self.fixed, results)
        return common | {"notebook": hash_of(self.notebook)}


def states(folder: Path) -> dict[str, str]:
    """Return which runs have ended, and how, by id; what was damaged since has not."""
    known, found = sums(folder), {}
    for path in sorted(known):
        place, _, rest = path.partition("/")
        if place == FAILURES and is_sound(folder, path, known):
            found[Path(rest).stem] = FAILED
        # Those that are done come later, and outweigh a failure before.
        if place == RUNS and is_sound(folder, path, known) and _is_whole(folder / path):
            found[Path(rest).parent.name] = DONE
    return found


def _is_whole(path: Path) -> bool:
    """Return whether all files that a sound run card names are as they were written."""
    try:
        content = json.loads(path.read_bytes())
        files, _ = dict(content["sha256"]), content["headlines"]
    except (ValueError, KeyError, TypeError):
        return False
    return all(is_sound(path.parent, name, files) for name in files)


def run(
    sweep: Sweep, folder: Path, spread: Spread, retry_failed: bool = False
) -> Iterator[Progress]:
    """Make the runs that are not in the folder yet, and yield the progress after each.

    Each run is written as it ends; one that failed is made again only if asked for.
    """
    wanted = [name for name, _ in sweep.given()]
    before = states(folder)
    ended = {name: before[name] for name in wanted if name in before}
    if retry_failed:
        ended = {name: state for name, state in ended.items() if state != FAILED}
    done = sum(state == DONE for state in ended.values())
    failed = len(ended) - done
    yield Progress(len(wanted), done, failed)
    if len(ended) == len(wanted):
        return
    for job, result in spread(_jobs(sweep, ended)):
        if isinstance(result, Exception):
            in_words = f"{type(result).__name__}: {result}"
            why = result if isinstance(result, Failed) else Failed(in_words, None)
            said = {"reason": " ".join(why.reason.split()), "seconds": why.seconds}
            path, content = f"{FAILURES}/{job.key}.json", as_json(said).encode()
            write_whole(folder / path, content)
            failed += 1
        else:
            path, content = f"{RUNS}/{job.key}/{CARD_FILE}", result[CARD_FILE]
            with written_aside(folder / RUNS / job.key) as aside:
                run_folder.write(aside, result)
            (folder / FAILURES / f"{job.key}.json").unlink(missing_ok=True)
            done += 1
        add_sum(folder, path, hashlib.sha256(content).hexdigest())
        yield Progress(len(wanted), done, failed)


def _jobs(sweep: Sweep, ended: Container[str]) -> Iterator[Job]:
    for name, given in sweep.given():
        if name not in ended:
            values = {key: value for key, value in given.items() if value is not None}
            task = rerun.task(sweep.chapter, values, pictures=sweep.pages)
            # The file may have changed since the sweep began.
            task = replace(task, notebook=sweep.notebook)
            yield Job(name, sweep.function, Asked(task, values))


def write_table(sweep: Sweep, folder: Path) -> None:
    """Write the table of all runs that have ended: parameters, numbers, and how each ended."""
    ended = states(folder)
    names = (*sweep.fixed, *sweep.points.names)
    numbers: dict[str, Quantity] = {}
    rows = []
    for name, given in sweep.given():
        if name not in ended:
            continue
        row: dict[str, Any] = {"run": name, **given, "status": ended[name]}
        if ended[name] == DONE:
            content = json.loads((folder / RUNS / name / CARD_FILE).read_text(encoding="utf-8"))
            row["seconds"] = content["duration_s"]
            for headline in content["headlines"]:
                key = headline["key"]
                numbers.setdefault(key, Quantity(key, headline["unit"], headline["meaning"]))
                row[key] = float(headline["value"])
        else:
            path = folder / FAILURES / f"{name}.json"
            row |= json.loads(path.read_text(encoding="utf-8"))
        rows.append(row)
    quantities = [
        Quantity("run", "1", "name of the run, the same whenever its parameters are", "text"),
        *(table.of_parameter(name) for name in names),
        *numbers.values(),
        Quantity("status", "1", f"{DONE} or {FAILED}", "text"),
        Quantity("reason", "1", "why it failed", "text"),
        Quantity("seconds", "s", "duration of the run"),
    ]
    table.write(folder, quantities, rows, table.about(sweep.chapter))
