"""How anything is measured: two ways in turn, so that whatever disturbs one disturbs the other."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, field, replace
from typing import Any

import numpy as np

Action = Callable[[], object]


@dataclass(frozen=True)
class Scale:
    """How large the sizes are, as a fraction of the full ones, and how often all is repeated."""

    fraction: float = 1.0
    runs: int = 9

    def of(self, size: int, least: int = 8) -> int:
        """Return a size at this scale."""
        return max(round(size * self.fraction), min(least, size))

    def sizes(self, full: Sequence[int]) -> list[int]:
        """Return several sizes: three small ones unless this is the full scale."""
        return list(full) if self.fraction == 1 else [9, 16, 36]


@dataclass(frozen=True)
class Measured:
    """One number, with its goal if it has one.

    Parameters
    ----------
    key : str
        Subject and name.
    what : str
        One line for the table.
    value, low, high : float
        Median and quartiles of the runs.
    unit : str
        ``×`` for a ratio.
    goal : float, optional
        The limit, reached from below, or from above with ``at_least``.
    detail : dict
        Whatever else is worth keeping, for JSON: sizes, times in seconds.
    """

    key: str
    what: str
    value: float
    low: float
    high: float
    unit: str = "×"
    goal: float | None = None
    at_least: bool = False
    runs: int = 1
    detail: dict[str, Any] = field(default_factory=dict)

    @property
    def met(self) -> bool | None:
        """Whether the goal is met; None without one."""
        if self.goal is None:
            return None
        return bool(self.value >= self.goal if self.at_least else self.value <= self.goal)

    def as_json(self) -> dict[str, Any]:
        return asdict(self) | {"met": self.met}


def seconds(action: Action) -> float:
    """Return how long an action takes."""
    start = time.perf_counter()
    action()
    return time.perf_counter() - start


def ratio(
    key: str,
    what: str,
    upper: Action,
    lower: Action,
    scale: Scale,
    *,
    factor: float = 1.0,
    **given: Any,
) -> Measured:
    """Return how many times as long one action takes as another, the median of runs in turn.

    With ``factor`` one of the two was done on fewer dots: the ratio is multiplied by it.
    """
    upper(), lower()
    pairs = np.array([(seconds(upper), seconds(lower)) for _ in range(scale.runs)])
    low, middle, high = quartiles(factor * pairs[:, 0] / pairs[:, 1])
    upper_s, lower_s = np.median(pairs, axis=0).tolist()
    detail = given.pop("detail", {}) | {"upper_s": upper_s, "lower_s": lower_s, "factor": factor}
    return Measured(key, what, middle, low, high, runs=scale.runs, detail=detail, **given)


def beside_memory(floor: Measured, fast: Action, memory: Action, scale: Scale) -> Measured:
    """Return a floor of arithmetic with that of the memory beside it, and which of them binds."""
    other = ratio(floor.key, "", fast, memory, scale)
    binds = "the memory" if other.value < floor.value else "the exponentials"
    what = f"{floor.what} (over one pass through the memory {other.value:.3g}: {binds} bind)"
    detail = floor.detail | {"over one pass through the memory": other.value}
    return replace(floor, what=what.replace("memory bind", "memory binds"), detail=detail)


def growth(
    key: str, what: str, sizes: Sequence[int], action: Callable[[int], Action], scale: Scale
) -> Measured:
    """Return the slope of time against size in a log-log plot.

    ``action`` prepares a size and returns what is timed. All sizes are done in turn, several times.
    """
    prepared = [action(size) for size in sizes]
    times = np.array([[seconds(one) for one in prepared] for _ in range(scale.runs + 1)])[1:]
    slopes = [slope(sizes, row) for row in times]
    low, middle, high = quartiles(slopes)
    detail = {"sizes": list(sizes), "seconds": np.median(times, axis=0).tolist()}
    return Measured(key, what, middle, low, high, "slope", runs=scale.runs, detail=detail)


def quartiles(values: Sequence[float]) -> tuple[float, float, float]:
    """Return the lower quartile, the median and the upper quartile."""
    low, middle, high = np.percentile(values, [25, 50, 75]).tolist()
    return low, middle, high


def slope(sizes: Sequence[int], times: Sequence[float]) -> float:
    """Return the slope of a straight line through the logarithms of the upper half of the sizes.

    The lower half shows what one call costs, whatever its size.
    """
    upper = slice(len(sizes) // 2, None) if len(sizes) > 3 else slice(None)
    return float(np.polyfit(np.log(sizes[upper]), np.log(times[upper]), 1)[0])


def number(key: str, what: str, value: float, unit: str, **given: Any) -> Measured:
    """Return a number that was counted, not timed."""
    return Measured(key, what, float(value), float(value), float(value), unit, **given)
