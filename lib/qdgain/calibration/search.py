r"""The best point of a row: bounded least squares from given and from screened starts.

With :math:`\rho_i = \ln(x_i/X_i)/\ln 1.1` for computed x and stated X, the objective
:math:`\sum_i(\rho_i^2 + \rho_i^{2p})` is least for all numbers within ten per cent: squares inside
the tolerance, walls outside, the steeper the larger p; the best minimum with p = 3 is refined with
p = 7, which makes the largest departure small. Where the conditions are asked for, what each is
short of its margin is added: mild far from it, steep next to it.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
import scipy

from qdgain.calibration.predictions import Prediction, predict
from qdgain.calibration.rows import OF_GAIN, TOLERANCE, Row, stated_numbers
from qdgain.model.dot import FloatArray

#: Random candidates that are screened, and how many of the best are refined.
CANDIDATES, SCREENED = 400, 2
#: The power of the walls in the objective, and of the steeper ones.
WALL, STEEP = 3, 7
_AT_ONCE = 200
# In linewidths: so far inside its margin a condition still pulls, so that rounding keeps it.
_CLEARANCE, _SCALE = 0.002, 0.005
_STEP, _STEPS = 1e-6, 30
_ACCURACY: Any = dict.fromkeys(("xtol", "ftol", "gtol"), 1e-7)


class Best(NamedTuple):
    """A minimum: the free parameters (P,), and the numbers (9,) and conditions (6,) there."""

    free: FloatArray
    cost: float
    numbers: FloatArray
    conditions: FloatArray


def largest_residual(numbers: FloatArray) -> FloatArray:
    """Return the largest departure of numbers (…, 9) from the stated ones, as a fraction."""
    return np.asarray(np.max(np.abs(numbers / stated_numbers() - 1), axis=-1))


def terms(
    free: FloatArray, prediction: Prediction, conditional: bool, power: int = WALL
) -> FloatArray:
    """Return the terms of the objective of candidates (K, P), whose squares add up: (K, 18…28)."""
    rho = np.clip(np.log(prediction.numbers / stated_numbers()) / np.log1p(TOLERANCE), -30, 30)
    # No threshold may lie beyond J_π, where the model has none.
    beyond = np.log(prediction.numbers[:, OF_GAIN:]).max(axis=1) - free[:, -1]
    every = [rho, np.clip(rho, -5, 5) ** power, 10 * np.maximum(beyond, 0.0)[:, None]]
    if conditional:
        short = np.maximum(_CLEARANCE - prediction.conditions, 0.0)
        every.append(3 * np.arcsinh(short / _SCALE))
    return np.concatenate(every, axis=1)


def refine(row: Row, start: FloatArray, conditional: bool, power: int = WALL) -> Best:
    """Return the minimum next to a start, (P,)."""
    low, high = row.ranges()

    def of(free: FloatArray) -> FloatArray:
        found = terms(np.atleast_2d(free), predict(row, free), conditional, power)
        return np.asarray(found[0] if free.ndim == 1 else found)

    def jacobian(free: FloatArray) -> FloatArray:
        step = _STEP * (high - low)
        step = np.where(free + step > high, -step, step)
        around = of(np.vstack([free, free + np.diag(step)]))
        return np.asarray(((around[1:] - around[0]) / step[:, None]).T)

    found = scipy.optimize.least_squares(
        of,
        np.clip(start, low + _STEP * (high - low), high - _STEP * (high - low)),
        jacobian,
        bounds=(low, high),
        x_scale=0.1 * (high - low),
        max_nfev=_STEPS,
        **_ACCURACY,
    )
    best = predict(row, found.x)
    return Best(found.x, float(found.cost), best.numbers[0], best.conditions[0])


def solve(row: Row, starts: FloatArray, conditional: bool, seed: int) -> Best:
    """Return the best minimum from starts (K, P) and from the best of seeded candidates."""
    low, high = row.ranges()
    pool = low + (high - low) * np.random.default_rng(seed).random((CANDIDATES, low.size))
    cost = np.concatenate(
        [
            np.abs(terms(part, predict(row, part), conditional)[:, :9]).sum(axis=1)
            for part in np.array_split(pool, CANDIDATES // _AT_ONCE)
        ]
    )
    screened = pool[np.argsort(cost, kind="stable")[:SCREENED]]
    found = [refine(row, start, conditional) for start in np.vstack([starts, screened])]
    best = min(found, key=lambda best: best.cost)
    return refine(row, best.free, conditional, STEEP)
