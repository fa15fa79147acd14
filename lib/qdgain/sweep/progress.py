"""How far a sweep is: a bar on a terminal, elsewhere a line now and then."""

from __future__ import annotations

import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Protocol

from tqdm import tqdm

_LINE_EVERY_S = 10.0


class Show(Protocol):
    """Show how many are done and how many failed."""

    def __call__(self, done: int, failed: int) -> None:
        """Show it."""


@contextmanager
def shown(total: int, done: int, unit: str) -> Iterator[Show]:
    """Show progress on the error stream.

    Parameters
    ----------
    total, done : int
        How many there are, and how many were done before.
    unit : str
        What is counted, such as ``runs``.
    """
    if sys.stderr.isatty():
        with tqdm(
            total=total, initial=done, unit=f" {unit}", file=sys.stderr, smoothing=0.1
        ) as bar:

            def show_bar(done: int, failed: int) -> None:
                if failed:
                    bar.set_postfix_str(f"{failed} failed", refresh=False)
                bar.update(done + failed - bar.n)

            yield show_bar
        return
    began, last, before = time.monotonic(), -_LINE_EVERY_S, done

    def show_line(done: int, failed: int) -> None:
        nonlocal last
        now = time.monotonic() - began
        ended = done + failed
        if ended < total and now - last < _LINE_EVERY_S:
            return
        last = now
        text = f"{done} of {total} {unit} done"
        if failed:
            text += f", {failed} failed"
        if before < ended < total:
            text += f", about {_time(now / (ended - before) * (total - ended))} left"
        print(text, file=sys.stderr, flush=True)

    yield show_line


def _time(seconds: float) -> str:
    for unit, size in (("days", 86400), ("hours", 3600), ("minutes", 60)):
        if seconds >= 2 * size:
            return f"{seconds / size:.0f} {unit}"
    return f"{seconds:.0f} s"
