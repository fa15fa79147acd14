"""What the search for onsets needs to know of each statistics.

Every function takes α, δ and β of the threshold equation, see `qdgain.model.threshold.ROOTS`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Any, NamedTuple

import numpy as np

from qdgain.model.dot import FloatArray
from qdgain.model.threshold import ROOTS, exp_beyond_linear

_TINY, _STEEP = 1e-30, 1e30
_POISSON_STEPS = 6


class Slopes(NamedTuple):
    """P₀, ½P₁, P₂ at some ⟨N⟩, and their derivatives."""

    ground: FloatArray
    half_exciton: FloatArray
    biexciton: FloatArray
    ground_slope: FloatArray
    half_exciton_slope: FloatArray
    biexciton_slope: FloatArray


class Law(NamedTuple):
    """The threshold equation under one statistics.

    `root` gives the smallest ⟨N⟩ at which the gain reaches the floor, infinity if none. `score`
    gives a number that is the larger the lower the threshold, in few operations and in the
    precision of its arguments, which it may overwrite; where there is no threshold it is below
    `worst_score` and goes on falling. `nearest` gives the same
    ⟨N⟩ as `root` in the precision of its arguments, which it may overwrite, or that of the
    largest gain where there is no threshold. `slopes` gives the populations and derivatives.
    """

    root: Callable[[FloatArray, FloatArray, FloatArray], FloatArray]
    score: Callable[[FloatArray, FloatArray, FloatArray], FloatArray]
    nearest: Callable[[FloatArray, FloatArray, FloatArray], FloatArray]
    slopes: Callable[[FloatArray], Slopes]
    worst_score: float
    scan_precision: Any
    #: Searched too, where the first search finds no threshold below one.
    below_one: Law | None = None


def _rabi_score(a: FloatArray, d: FloatArray, q: FloatArray) -> FloatArray:
    """Return 2u, or a negative multiple of the discriminant where that is negative."""
    q *= a
    q *= 4
    q += d * d
    np.minimum(d, q * _STEEP, out=d)
    np.maximum(q, 0, out=q)
    np.sqrt(q, out=q)
    q += d
    q /= a
    return q


def _rabi_nearest(a: FloatArray, d: FloatArray, q: FloatArray) -> FloatArray:
    q *= a
    q *= 4
    q += d * d
    np.maximum(q, 0, out=q)
    np.sqrt(q, out=q)
    q += d
    q /= a
    q *= 0.5
    np.maximum(q, 0, out=q)
    q += 1
    return np.divide(2, q, out=q)


def _rabi_slopes(mean: FloatArray) -> Slopes:
    n = 0.5 * mean
    empty = 1 - n
    return Slopes(empty * empty, n * empty, n * n, -empty, 0.5 - n, n)


def _sequential_score(a: FloatArray, d: FloatArray, q: FloatArray) -> FloatArray:
    """Return 1 - ⟨N⟩, below -1 where there is no threshold."""
    d *= 0.5
    a += d
    q -= d
    np.maximum(q, _TINY, out=q)
    np.copyto(q, a, where=d >= 0)
    d /= q
    return d


def _sequential_nearest(a: FloatArray, d: FloatArray, q: FloatArray) -> FloatArray:
    return np.clip(1 - _sequential_score(a, d, q), 0, 2)


def _first_piece(a: FloatArray, d: FloatArray, q: FloatArray) -> FloatArray:
    return np.where(d > 0, a / (a + 0.5 * d), np.inf)


def _first_piece_score(a: FloatArray, d: FloatArray, q: FloatArray) -> FloatArray:
    """Return δ: positive in islands of energy that are too narrow for the scan."""
    return d


def _first_piece_nearest(a: FloatArray, d: FloatArray, q: FloatArray) -> FloatArray:
    d *= 0.5
    a /= a + np.maximum(d, 0)
    return a


def _sequential_slopes(mean: FloatArray) -> Slopes:
    second = np.asarray(mean > 1, dtype=mean.dtype)
    above, below = second * (mean - 1), (1 - second) * (1 - mean)
    return Slopes(below, 0.5 * (1 - below - above), above, second - 1, 0.5 - second, second)


def _poisson_score(a: FloatArray, d: FloatArray, q: FloatArray) -> FloatArray:
    """Return -⟨N⟩, and less where there is no threshold."""
    N = _poisson_nearest(a, d, q)
    lacks = a - 0.5 * N * d - q * (np.exp(N) - 1 - N)
    # At a root this is rounding; where there is none, what lacks.
    return -(N + np.maximum(lacks / a - 1e-6, 0.0) * 1e6)


def _poisson_nearest(a: FloatArray, d: FloatArray, q: FloatArray) -> FloatArray:
    """Return ⟨N⟩ by Newton's method from the side on which it cannot overshoot."""
    half, size = 0.5 * d, np.abs(q) + _TINY
    # β > 0, from above: e^N - 1 - N ≥ N²/2, and β(e^N - 1) = α + N(β - δ/2).
    root = np.sqrt(half * half + 2 * a * size)
    high = np.where(half >= 0, 2 * a / (half + root), (root - half) / size)
    for _ in range(2):
        high = np.minimum(high, np.log1p((a + high * np.maximum(size - half, 0.0)) / size))
    # β < 0, from zero up to where the gain is largest.
    largest = np.log1p(np.maximum(half, 0.0) / size)
    N, top = np.where(q > 0, high, 0.0), np.where(q > 0, high, largest)
    lowest, falls = np.where(q > 0, -np.inf, 0.0), np.maximum(-q, 0.0)
    for _ in range(_POISSON_STEPS):
        power = np.exp(N) - 1
        # β < 0, along a parabola that is never above: two roots may all but meet, or there is none,
        # and N stays where the gain is largest.
        lacks = np.maximum(a - N * half - q * (power - N), lowest)
        slope = np.maximum(half + q * power, _TINY)
        step = lacks / slope
        N += 2 * step / (1 + np.sqrt(np.maximum(1 - 2 * step * falls * (power + 1) / slope, 0.0)))
        N = np.fmin(np.fmax(N, 0.0), top)
    return N


def _poisson_slopes(mean: FloatArray) -> Slopes:
    ground = np.exp(-mean)
    exciton = mean * ground
    biexciton = ground * exp_beyond_linear(mean)
    return Slopes(ground, 0.5 * exciton, biexciton, -ground, 0.5 * (ground - exciton), exciton)


_FIRST_PIECE = Law(
    _first_piece, _first_piece_score, _first_piece_nearest, _sequential_slopes, 0.0, np.float32
)
#: Statistics → its law.
LAWS: Mapping[str, Law] = MappingProxyType(
    {
        "rabi": Law(ROOTS["rabi"], _rabi_score, _rabi_nearest, _rabi_slopes, 0.0, np.float32),
        "sequential": Law(
            ROOTS["sequential"],
            _sequential_score,
            _sequential_nearest,
            _sequential_slopes,
            -1.0,
            np.float32,
            _FIRST_PIECE,
        ),
        # e^N - 1 - N needs the digits.
        "poisson": Law(
            ROOTS["poisson"], _poisson_score, _poisson_nearest, _poisson_slopes, -1e3, np.float64
        ),
    }
)
