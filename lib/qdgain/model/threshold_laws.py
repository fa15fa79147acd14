r"""The threshold equation at one photon energy, for each statistics.

With the bands A, P, B, Q (A_X, PL_X, A_XX2, PL_XX) and a floor ε, the gain exceeds ε by

.. math:: G - \varepsilon = -P_0\,\alpha + \tfrac12 P_1\,\delta + P_2\,\beta,\qquad
    \alpha = A+\varepsilon,\ \delta = P-aB-2\varepsilon,\ \beta = \gamma Q-\varepsilon

because the populations sum to one. Every function here takes α, δ and β.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Any, NamedTuple

import numpy as np
import scipy

from qdgain.model.dot import FloatArray

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


def _rabi(a: FloatArray, d: FloatArray, q: FloatArray) -> FloatArray:
    """Largest positive root of α u² - δ u - β = 0, u = 1/r = (1-n)/n, as ⟨N⟩ = 2/(1+u)."""
    root = np.sqrt(d * d + 4 * a * q)
    size = np.abs(d) + root
    # Two forms of the same root; each avoids the cancellation of the other. Where α vanishes
    # beside β, so does the threshold.
    u = np.where(d >= 0, (size + 1e-300) / (2 * a), 2 * q / size)
    return np.where(u > 0, 2 / (1 + u), np.inf)


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


def _sequential(a: FloatArray, d: FloatArray, q: FloatArray) -> FloatArray:
    """Crossing of the two straight pieces 0 → X and X → XX."""
    half = 0.5 * d
    on_biexciton = np.where(q > 0, 1 - half / (q - half), np.inf)
    return np.where(d > 0, a / (a + half), on_biexciton)


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


def _poisson(a: FloatArray, d: FloatArray, q: FloatArray) -> FloatArray:
    """Smallest positive root of α - Nδ/2 - β(e^N - 1 - N) = 0."""
    # The same as e^N = p + sN, which the Lambert W function solves.
    p, s = 1 + a / q, 1 - 0.5 * d / q
    size = np.abs(s)
    # s < 0, β > 0: N = ln(|s| w), w + ln w = p/|s| - ln|s|, w the Wright omega function.
    falling = np.log(size * scipy.special.wrightomega(p / size - np.log(size)))
    # s > 0, β > 0: N = ln(s y), y - ln y = p/s + ln s, y ≥ 1 (the lower branch).
    level = np.maximum(p / size + np.log(size), 1.0)
    lower = -scipy.special.lambertw(-np.exp(-np.minimum(level, 700.0)), -1).real
    rising = np.log(size * np.where(level < 700, lower, level + np.log(level)))
    one_root = np.where(s > 0, rising, np.where(s < 0, falling, np.log(p)))
    # Near N = 0 the branches meet and lose digits; there the parabola is the better start.
    half = 0.5 * d
    root = np.sqrt(half * half + 2 * a * q)
    parabola = np.where(half >= 0, 2 * a / (half + root), (root - half) / q)
    one_root = np.where(parabola < 0.5, parabola, one_root)
    # β < 0, the floor above the XX band: two roots if s > 0 and they are real, otherwise none.
    argument = -np.exp(-p / size) / size
    principal = scipy.special.lambertw(np.maximum(argument, -np.exp(-1.0)), 0).real
    real = (s > 0) & (argument >= -np.exp(-1.0)) & (d > 0)
    two_roots = np.where(real, -p / size - principal, np.inf)
    straight = np.where(d > 0, 2 * a / d, np.inf)
    N = np.where(q > 0, one_root, np.where(q < 0, two_roots, straight))
    # The W function loses digits where α and β are far apart; Newton's method gives them back.
    for _ in range(4):
        value = a - 0.5 * N * d - q * _exp_beyond_linear(N)
        better = N + value / (0.5 * d + q * np.expm1(N))
        N = np.where(np.isfinite(better) & (better >= 0) & (q != 0), better, N)
    return np.where(np.isnan(N), np.inf, N)


def _exp_beyond_linear(N: FloatArray) -> FloatArray:
    """Return e^N - 1 - N, with its digits where N is small."""
    series = 0.5 * N * N * (1 + N / 3 * (1 + N / 4 * (1 + N / 5 * (1 + N / 6))))
    return np.where(N < 1e-2, series, np.expm1(N) - N)


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
    for _ in range(_POISSON_STEPS):
        power = np.exp(N) - 1
        N += (a - N * half - q * (power - N)) / (half + q * power)
        N = np.fmin(np.fmax(N, 0.0), top)
    return N


def _poisson_slopes(mean: FloatArray) -> Slopes:
    ground = np.exp(-mean)
    exciton = mean * ground
    biexciton = ground * _exp_beyond_linear(mean)
    return Slopes(ground, 0.5 * exciton, biexciton, -ground, 0.5 * (ground - exciton), exciton)


_FIRST_PIECE = Law(
    _first_piece, _first_piece_score, _first_piece_nearest, _sequential_slopes, 0.0, np.float32
)
#: Statistics → its law.
LAWS: Mapping[str, Law] = MappingProxyType(
    {
        "rabi": Law(_rabi, _rabi_score, _rabi_nearest, _rabi_slopes, 0.0, np.float32),
        "sequential": Law(
            _sequential,
            _sequential_score,
            _sequential_nearest,
            _sequential_slopes,
            -1.0,
            np.float32,
            _FIRST_PIECE,
        ),
        # e^N - 1 - N needs the digits.
        "poisson": Law(
            _poisson, _poisson_score, _poisson_nearest, _poisson_slopes, -1e3, np.float64
        ),
    }
)
