"""The calibration: the likelihood of many candidates at once, and one search from a few starts."""

from __future__ import annotations

from typing import Any

import numpy as np

from bench.measured import Measured, Scale, number, quartiles, ratio, seconds
from qdgain.calibration import predictions, search
from qdgain.calibration.rows import ROWS

_CANDIDATES, _SINGLES = 256, 8
ROW = ROWS["additive tied"]


def candidates(count: int) -> np.ndarray:
    """Return candidates near those that meet the numbers, all of which need their films."""
    middle = np.array([0.44, 1.40, 1.12, -0.32, 5.5])
    return middle + 0.02 * np.random.default_rng(0).standard_normal((count, middle.size))


def searched() -> tuple[Any, int, int]:
    """Return the best minimum found, and how often and for how many candidates it was evaluated."""
    calls, evaluated, predict = 0, 0, search.predict

    def counted(row: Any, free: Any) -> Any:
        nonlocal calls, evaluated
        calls += 1
        evaluated += len(np.atleast_2d(free))
        return predict(row, free)

    search.predict = counted
    try:
        best = search.solve(ROW, np.empty((0, ROW.parameters)), True, 1)
    finally:
        search.predict = predict
    return best, calls, evaluated


def measure(scale: Scale) -> list[Measured]:
    many = candidates(scale.of(_CANDIDATES))
    few = many[: scale.of(_SINGLES, 2)]
    result: list[Any] = []
    times = [seconds(lambda: result.append(searched())) for _ in range(max(scale.runs // 3, 1))]
    low, middle, high = quartiles(times)
    _, calls, evaluated = result[0]
    return [
        ratio(
            "calibration/objective",
            "likelihood one by one, over many candidates at once",
            lambda: [predictions.log_likelihood(ROW, one[None]) for one in few],
            lambda: predictions.log_likelihood(ROW, many),
            scale,
            factor=len(many) / len(few),
            goal=20,
            at_least=True,
            detail={"candidates": len(many), "extrapolated from": len(few)},
        ),
        Measured(
            "calibration/search",
            f"one row searched from {search.SCREENED} of {search.CANDIDATES} screened candidates",
            middle,
            low,
            high,
            "s",
            runs=len(times),
        ),
        number("calibration/calls", "evaluations of the objective in it", calls, ""),
        number("calibration/candidates", "candidates evaluated in it", evaluated, ""),
    ]
