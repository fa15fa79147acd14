"""How far a sweep is: a bar on a terminal, elsewhere a line now and then."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from tqdm import tqdm

_LINE_EVERY_S = 10.0


@contextmanager
def shown(total: int, done: int, unit: str) -> Iterator[Callable[[int, int], None]]:
    """Give a function that shows on the error stream how many are done and how many failed.

    Parameters
    ----------
    total, done : int
        How many there are, and how many were done before.
    unit : str
        What is counted, such as ``runs``.
    """
    if not sys.stderr.isatty():
        yield _lines(total, done, unit)
        return
    with tqdm(total=total, initial=done, unit=f" {unit}", file=sys.stderr, smoothing=0.1) as bar:

        def show(done: int, failed: int) -> None:
            if failed:
                bar.set_postfix_str(f"{failed} failed", refresh=False)
            bar.update(done + failed - bar.n)

        yield show


def _lines(total: int, before: int, unit: str) -> Callable[[int, int], None]:
    began, last = time.monotonic(), -_LINE_EVERY_S

    def show(done: int, failed: int) -> None:
        nonlocal last
        now, ended = time.monotonic() - began, done + failed
        if ended < total and now - last < _LINE_EVERY_S:
            return
        last = now
        text = f"{done} of {total} {unit} done"
        if failed:
            text += f", {failed} failed"
        if before < ended < total:
            text += f", about {_time(now / (ended - before) * (total - ended))} left"
        print(text, file=sys.stderr, flush=True)

    return show


def _time(seconds: float) -> str:
    for unit, size in (("days", 86400), ("hours", 3600), ("minutes", 60)):
        if seconds >= 2 * size:
            return f"{seconds / size:.0f} {unit}"
    return f"{seconds:.0f} s"
