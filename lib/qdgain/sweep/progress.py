"""How far a sweep is: a bar on a terminal, elsewhere a line now and then."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import NamedTuple

from tqdm import tqdm

_LINE_EVERY_S = 10.0


class Progress(NamedTuple):
    """How many runs or points there are, how many are done, how many failed, and the last why."""

    total: int
    done: int
    failed: int
    reason: str = ""


@contextmanager
def shown(before: Progress, unit: str) -> Iterator[Callable[[Progress], None]]:
    """Give a function that shows progress, of what is counted as ``unit``, on the error stream."""
    if not sys.stderr.isatty():
        yield _lines(before, unit)
        return
    ended = before.done + before.failed
    with tqdm(
        total=before.total, initial=ended, unit=f" {unit}", file=sys.stderr, smoothing=0.1
    ) as bar:

        def show(now: Progress) -> None:
            if now.failed:
                bar.set_postfix_str(f"{now.failed} failed", refresh=False)
            bar.update(now.done + now.failed - bar.n)

        yield show


def say(sentence: str) -> None:
    """Show a sentence on the error stream, without breaking a bar that is there."""
    tqdm.write(sentence, file=sys.stderr)


def _lines(before: Progress, unit: str) -> Callable[[Progress], None]:
    began, last = time.monotonic(), -_LINE_EVERY_S
    ended_before = before.done + before.failed

    def show(now: Progress) -> None:
        nonlocal last
        passed, ended = time.monotonic() - began, now.done + now.failed
        if ended < now.total and passed - last < _LINE_EVERY_S:
            return
        last = passed
        text = f"{now.done} of {now.total} {unit} done"
        if now.failed:
            text += f", {now.failed} failed"
        if ended_before < ended < now.total:
            left = passed / (ended - ended_before) * (now.total - ended)
            text += f", about {_time(left)} left"
        print(text, file=sys.stderr, flush=True)

    return show


def _time(seconds: float) -> str:
    for unit, size in (("days", 86400), ("hours", 3600), ("minutes", 60)):
        if seconds >= 2 * size:
            return f"{seconds / size:.0f} {unit}"
    return f"{seconds:.0f} s"
