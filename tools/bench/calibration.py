"""The calibration: its objective for many candidates at once, and one search from a few starts."""

from __future__ import annotations

from typing import Any

import numpy as np

from bench.measured import Measured, Scale, number, quartiles, ratio, seconds
from qdgain.calibration import objective as calibration
from qdgain.calibration import readings

_CANDIDATES, _SINGLES = 256, 8
_STARTS, _SCREENED = 2, 200
VARIANT = readings.Variant()


def candidates(count: int) -> np.ndarray:
    low, high = VARIANT.bounds
    return low + (high - low) * np.random.default_rng(0).random((count, low.size))


def dot_by_dot(free: np.ndarray) -> np.ndarray:
    """Return the residuals of one candidate, each of its four dots on its own."""
    full = VARIANT.full(free)
    v, four = readings.values(full), readings.candidate_dots(full)
    gains, fluences = [], []
    for i in range(len(readings.DOTS)):
        dot = readings.columns(four, [i])
        gains.append(calibration.gain_numbers(dot, v, VARIANT)[:, :1])
        fluences.append(calibration.log_fluences(dot, v[:, 8], VARIANT.statistics))
    gain = np.concatenate([*gains, v[:, [7]]], axis=1)
    numbers = calibration.all_numbers(v, gain, np.concatenate(fluences, axis=1))
    return calibration.residuals(numbers)


def searched(starts: int, screened: int) -> tuple[Any, int, int]:
    """Return the best minimum found, and how often and for how many candidates it was evaluated."""
    calls, evaluated = 0, 0
    predict = calibration.predict

    def counted(full: Any, *rest: Any) -> Any:
        nonlocal calls, evaluated
        calls += 1
        evaluated += len(full)
        return predict(full, *rest)

    calibration.predict = counted
    try:
        best = calibration.solve(VARIANT, True, 1, starts, screened)[0]
    finally:
        calibration.predict = predict
    return best, calls, evaluated


def measure(scale: Scale) -> list[Measured]:
    many = candidates(scale.of(_CANDIDATES))
    few = many[: scale.of(_SINGLES, 2)]
    starts, screened = (_STARTS, _SCREENED) if scale.fraction == 1 else (1, 20)
    result: list[Any] = []
    times = [
        seconds(lambda: result.append(searched(starts, screened)))
        for _ in range(max(scale.runs // 3, 1))
    ]
    low, middle, high = quartiles(times)
    _, calls, evaluated = result[0]
    return [
        ratio(
            "calibration/objective",
            "objective dot by dot, over many candidates at once",
            lambda: [dot_by_dot(one[None]) for one in few],
            lambda: calibration.objective(many, VARIANT, True),
            scale,
            factor=len(many) / len(few),
            goal=20,
            at_least=True,
            detail={"candidates": len(many), "extrapolated from": len(few)},
        ),
        Measured(
            "calibration/search",
            f"one reading searched from {starts} starts, {screened} candidates screened",
            middle,
            low,
            high,
            "s",
            runs=len(times),
        ),
        number("calibration/calls", "evaluations of the objective in it", calls, ""),
        number("calibration/candidates", "candidates evaluated in it", evaluated, ""),
    ]
