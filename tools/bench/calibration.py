"""The calibration: its objective for many candidates at once, and one search from a few starts."""

from __future__ import annotations

from typing import Any

import numpy as np

from bench.measured import Measured, Scale, number, quartiles, ratio, seconds
from qdgain.calibration import objective as calibration
from qdgain.model.dot import Dot

_CANDIDATES, _SINGLES = 256, 8
_STARTS, _SCREENED = 2, 200
VARIANT = calibration.Variant()


def candidates(count: int) -> np.ndarray:
    low, high = VARIANT.bounds
    return low + (high - low) * np.random.default_rng(0).random((count, low.size))


def dot_by_dot(free: np.ndarray) -> np.ndarray:
    """Return the terms of one candidate, each of its four dots on its own."""
    full = VARIANT.full(free)
    v = calibration.values(full)
    four = calibration.candidate_dots(full)
    every = {name: np.broadcast_to(value, four.shape) for name, value in four.values().items()}
    exponent = v[:, 8]
    thresholds, fluences, found = [], [], []
    for i in range(len(calibration.DOTS)):
        dot = Dot(**{name: value[:, i : i + 1] for name, value in every.items()})
        film = calibration._Film(dot, exponent, VARIANT.statistics, calibration._FINE_GRID)
        amplitude, log_fluence = film.coarse().threshold()
        thresholds.append(calibration._gain_numbers(dot, v, VARIANT)[:, :1])
        fluences.append(v[:, [9]] * np.exp(np.minimum(log_fluence, 50.0)))
        found.append(film.spikes(amplitude))
    offset, spectrum, spike = (np.concatenate(part, axis=1) for part in zip(*found, strict=True))
    dominance = calibration._dominance(offset, spectrum[..., 1, :], spike)
    numbers = np.concatenate([*thresholds, v[:, [7]], *fluences], axis=1)
    prediction = calibration.Prediction(
        numbers, calibration.conditions(spike), dominance, np.empty(0)
    )
    return calibration._terms(prediction, True)


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
