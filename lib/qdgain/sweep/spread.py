"""What a sweep hands out, and what makes the calls: processes of this machine, or a cluster."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator
from typing import Any, NamedTuple, Protocol

from qdgain.sweep.progress import say

#: After so long without a sign of life a worker or a scheduler is said to have stalled.
SILENCE_S = 10.0


class SpreadError(Exception):
    """Workers that cannot be used, with the reason in one sentence."""


class Job(NamedTuple):
    """One call to be made somewhere: its name, the function and its argument.

    With a short call its worker gets the next one too, so that it never waits.
    """

    key: str
    function: Callable[[Any], Any]
    argument: Any
    short: bool = False


class Spread(Protocol):
    """Make calls somewhere and yield each with its result, or the exception it raised."""

    def __call__(self, jobs: Iterable[Job]) -> Iterator[tuple[Job, Any]]:
        """Yield jobs as they are done, in any order."""


class Silences:
    """How long workers and schedulers have given no sign of life."""

    def __init__(self) -> None:
        self._signs: dict[str, tuple[object, float]] = {}
        self._said: set[str] = set()

    def look(self, name: str, sign: object, way_out: str) -> None:
        """Say once that what has this name stalled, if its sign has been the same for too long."""
        now = time.monotonic()
        before, since = self._signs.get(name, (None, now))
        if name not in self._signs or before != sign:
            self._signs[name] = sign, now
            self._said.discard(name)
        elif now - since >= SILENCE_S and name not in self._said:
            self._said.add(name)
            say(f"{name} has given no sign of life for {SILENCE_S:.0f} s: {way_out}")
