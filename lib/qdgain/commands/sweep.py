"""``qdgain sweep``: a chapter, or its numbers alone, at many points."""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from functools import partial
from pathlib import Path

from qdgain.chapters import NAMES
from qdgain.commands import Failure, Parser, UsageError, number_above_0, say, tell
from qdgain.files import path_of
from qdgain.model.parameters import CONTRACT
from qdgain.reruns import rerun
from qdgain.reruns.request import EVERY_CHAPTER, Request, chapters_named, names_of, request
from qdgain.sweep import folder, local, notebooks, numbers, table
from qdgain.sweep.points import Points, points
from qdgain.sweep.progress import Progress, shown
from qdgain.sweep.spread import Spread, SpreadError

_DAY_S = 86400.0
# As Dask's own commands call them.
_KEYS = {
    "tls-ca-file": "for a scheduler at tls://...: the authority that signed the keys, as PEM",
    "tls-cert": "the certificate of this side",
    "tls-key": "the key that belongs to it",
}


def add(command: Parser) -> None:
    """Describe the subcommand."""
    command.description = (
        "Run a chapter at every point of a grid or a table, on all cores. Every run keeps its "
        "numbers in a run card; one table has all numbers with their parameters. The same command "
        "goes on where an interrupted one stopped."
    )
    command.add_argument("chapter", help=NAMES)
    values = "start:stop:count, both ends included, or values with commas; may be repeated"
    command.several("--over", metavar="NAME=VALUES", purpose=values)
    table_of_points = "a CSV file with a parameter a column and a point a row"
    command.several("--points", metavar="FILE", purpose=table_of_points)
    command.parameters()
    command.add_argument("-o", "--output", required=True, help="the folder to write, or to go on")
    command.flag("--replace", "start over if the folder holds a sweep")
    command.flag(
        "--numbers-only",
        "no notebooks: thresholds and gain from the vectorised library, as Parquet",
    )
    command.flag("--csv", "with --numbers-only: a CSV file besides")
    command.flag("--keep-pages", "keep each run's notebook, page, pictures, data")
    command.flag("--retry-failed", "run again what failed before")
    command.add_argument("--workers", type=_positive, metavar="N", help="processes; one a core")
    command.add_argument(
        "--scheduler", metavar="ADDRESS", help="run on the workers of this Dask scheduler"
    )
    command.add_argument(
        "--connect-timeout",
        type=partial(number_above_0, what="is not a number of seconds", largest=_DAY_S),
        default=10.0,
        metavar="SECONDS",
        help="how long to wait for the scheduler (10)",
    )
    for name, purpose in _KEYS.items():
        command.add_argument(f"--{name}", type=Path, metavar="FILE", help=purpose)


def _positive(text: str) -> int:
    if not text.isdecimal() or int(text) < 1:
        raise argparse.ArgumentTypeError(f"{text!r} is not a whole number from 1")
    return int(text)


def run(given: argparse.Namespace) -> None:
    """Make the sweep, or what is left of it, and say where the table is."""
    if given.chapter == EVERY_CHAPTER:
        raise UsageError(f"a sweep is of one chapter: name {NAMES}.")
    (chapter,) = chapters_named(given.chapter)
    asked = request((chapter,), given.file, given.parameter)
    found = points(names_of(chapter), given.over, given.points, tuple(asked.given))
    _refuse_combinations(given)
    (_numbers_only if given.numbers_only else _notebooks)(given, chapter, asked, found)


def _refuse_combinations(given: argparse.Namespace) -> None:
    for one, other in (
        ("scheduler", "workers"),
        ("numbers_only", "keep_pages"),
        ("numbers_only", "retry_failed"),
    ):
        if getattr(given, one) and getattr(given, other):
            names = [name.replace("_", "-") for name in (one, other)]
            raise UsageError(f"--{names[0]} and --{names[1]} do not go together.")
    if not given.scheduler and (given.tls_ca_file or given.tls_cert or given.tls_key):
        raise UsageError("--tls-ca-file, --tls-cert and --tls-key go with --scheduler.")
    if given.csv and not given.numbers_only:
        raise UsageError("--csv goes with --numbers-only: otherwise a CSV file is always written.")


def _notebooks(given: argparse.Namespace, chapter: str, asked: Request, found: Points) -> None:
    if found.size > notebooks.MOST_POINTS:
        days = found.size * notebooks.RUN_S / _DAY_S
        raise UsageError(
            f"{found.size} notebooks would take some {days:.0f} days of one core: add "
            f"--numbers-only, or ask for at most {notebooks.MOST_POINTS} points."
        )
    notebook = rerun.task(chapter, {}).notebook
    sweep = notebooks.Sweep(chapter, found, asked.given, notebook, given.keep_pages)
    target = path_of(given.output)
    with _prepared(given, sweep, asked) as spread:
        try:
            done = _follow(notebooks.run(sweep, target, spread, given.retry_failed), target, "runs")
        finally:
            notebooks.write_table(sweep, target)
    say(str(target / table.CSV_FILE))
    again = "runs failed: the table says why; add --retry-failed to run them again."
    _refuse_unfinished(done, again)


def _numbers_only(given: argparse.Namespace, chapter: str, asked: Request, found: Points) -> None:
    numbers.refuse(chapter, found, with_csv=given.csv)
    sweep = numbers.Sweep(chapter, found, asked.given)
    target = path_of(given.output)
    with _prepared(given, sweep, asked) as spread:
        steps = numbers.run(sweep, target, spread, same_disk=not given.scheduler)
        done = _follow(steps, target, "points")
        if given.csv and done.done == done.total:
            numbers.write_csv(target)
    say(str(target / table.PARQUET))
    why = f"points could not be computed ({done.reason}): the same command tries them again."
    _refuse_unfinished(done, why)


def _refuse_unfinished(done: Progress, why: str) -> None:
    if done.failed:
        raise Failure(f"{done.failed} of {done.total} {why}")
    if done.done != done.total:
        raise Failure(f"{done.done} of {done.total} are done: the same command goes on.")


@contextmanager
def _prepared(
    given: argparse.Namespace, sweep: notebooks.Sweep | numbers.Sweep, asked: Request
) -> Iterator[Spread]:
    """Open folder and cluster, and say in a sentence what goes wrong with either."""
    target, definition = path_of(given.output), sweep.definition()
    folder.refuse(target, definition, given.replace)
    about = {
        "parameters of every point": {
            name: {"value": value, "unit": CONTRACT[name].unit}
            for name, value in asked.run(sweep.chapter).parameters().items()
            if name not in sweep.points.names
        },
        "points": sweep.points.size,
    }
    try:
        with ExitStack() as stack:
            if given.scheduler:
                # Takes as long to import as all else, and most sweeps are of this machine.
                from qdgain.sweep import cluster  # noqa: PLC0415

                ours = (given.tls_ca_file, given.tls_cert, given.tls_key)
                keys = dict(zip(("ca_file", "client_cert", "client_key"), ours, strict=True))
                there = cluster.existing(given.scheduler, given.connect_timeout, keys)
            else:
                there = local.local(given.workers)
            spread = stack.enter_context(there)
            stack.enter_context(folder.opened(target, definition, about, given.replace))
            yield spread
    except SpreadError as error:
        raise Failure(f"{error}.") from None
    except MemoryError:
        raise Failure("there is not enough memory: free some, or give fewer --workers.") from None
    except OSError as error:
        raise Failure(f"{target} cannot be written: {error.strerror or error}.") from None


def _follow(steps: Iterator[Progress], target: Path, unit: str) -> Progress:
    """Show the progress, and say how to go on if it is interrupted."""
    now = next(steps)
    try:
        with shown(now, unit) as show:
            show(now)
            for now in steps:
                show(now)
    except BaseException:
        kept = f"{now.done} of {now.total} {unit} are in {target}"
        tell(f"{kept}: the same command goes on.")
        raise
    return now
