"""Gain thresholds in ⟨N⟩: closed forms at a photon energy, and the onset as their minimum."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from functools import reduce
from types import MappingProxyType
from typing import Any, NamedTuple

import numpy as np
import scipy
from numpy.typing import ArrayLike

from qdgain.model import parameters
from qdgain.model.bands import (
    band_offsets_meV,
    band_widths_meV,
    detuning_from_absorption_meV,
    log_bands,
)
from qdgain.model.dot import Dot, FloatArray
from qdgain.model.gain import gain_maximum_meV
from qdgain.model.search import first_root, lowest_by_zooms
from qdgain.model.states import OF_ROW, combined, weights_at, weights_of_bands

#: At once: what so many dots need stays in the cache.
_DOTS_AT_ONCE = 16384
#: The plain onset: dots at once, minima looked at, and finer steps between neighbours.
_ONSETS_AT_ONCE, _MINIMA = 256, 4
_OWN_SCALE, _ZOOM_POINTS, _ZOOMS = np.arange(-7.0, 7.01, 0.2), 17, 8
#: Bands below this may be zero in double precision.
_WEAK = 1e-100
#: Logarithm of the largest ratio of bands: beyond it ⟨N⟩ is 0 or at its highest.
_LARGEST_LOG = 600.0
#: ⟨N⟩ at which the gain of more than three states is looked at for its first zero.
_MEANS = np.concatenate([[0.0], np.geomspace(1e-4, 80.0, 90)])


class Threshold(NamedTuple):
    """A threshold, of shape D each: ⟨N⟩ (infinity if out of reach) and its photon energy in eV."""

    mean_excitons: FloatArray
    energy_eV: FloatArray


def threshold_at_energy(
    dot: Dot, energy_eV: ArrayLike, floor: ArrayLike = 0.0, statistics: str = "rabi"
) -> FloatArray:
    r"""Return the smallest ⟨N⟩ at which the gain at given photon energies reaches a floor.

    With :math:`\alpha = \varepsilon-g_0`, :math:`\delta = 2(g_1-\varepsilon)`,
    :math:`\beta = g_2-\varepsilon` of the dot's states at one energy and r = n/(1-n),

    - Rabi: :math:`-\alpha + \delta r + \beta r^2 = 0`, so that
      :math:`r = 2\alpha/[\delta+\sqrt{\delta^2+4\alpha\beta}]`,
      :math:`\langle N\rangle = 2r/(1+r)`;
    - sequential: :math:`2\alpha/(2\alpha+\delta)` if :math:`\delta \ge 0`, otherwise
      :math:`1-\delta/(2\beta-\delta)`;
    - Poisson: :math:`e^{\langle N\rangle} = 1 + \alpha/\beta
      + (1-\tfrac{\delta}{2\beta})\langle N\rangle` by the Lambert W function.

    There is one root if β > 0; if β < 0, where a full dot absorbs more than it emits, there are
    none or two: see `threshold_end_at_energy`. Dots with more states than three under Poisson
    statistics have a root finder.

    For a dot of shape D and energies of shape E it is of shape D + E; infinity where the gain never
    reaches the floor ε ≥ 0, which is in units of the peak absorption cross section and broadcasts
    to D. Source: derived from the gain of paper section 3.3; see the page "The model".

    >>> dot = Dot(linewidth_meV=80.0, stokes_shift_meV=40.0).uncorrelated()
    >>> threshold_at_energy(dot, [1.96, 2.0]).round(3).tolist()
    [0.667, 1.333]
    """
    detuning = detuning_from_absorption_meV(dot, energy_eV)
    return _threshold_at_detuning(dot, detuning, floor, statistics, ROOTS)


def threshold_end_at_energy(
    dot: Dot, energy_eV: ArrayLike, floor: ArrayLike = 0.0, statistics: str = "rabi"
) -> FloatArray:
    r"""Return the ⟨N⟩ at which gain that has begun falls below the floor again.

    The second root where :math:`\beta < 0`; infinity where the gain never begins, or lasts.
    Arguments and shape as for `threshold_at_energy`.

    Raises `ParameterError` for a dot of more than three states under Poisson statistics, whose gain
    lasts.

    >>> dot = Dot(reading="additive", linewidth_meV=80.0, stokes_shift_meV=80.0,
    ...           absorptive_binding_meV=0.0, xx_absorption_strength=1.0,
    ...           emissive_binding_meV=-160.0, xx_emission_strength=1.0)
    >>> [float(f(dot, 1.9).round(2)) for f in (threshold_at_energy, threshold_end_at_energy)]
    [0.03, 1.97]
    """
    detuning = detuning_from_absorption_meV(dot, energy_eV)
    return _threshold_at_detuning(dot, detuning, floor, statistics, ENDS)


def threshold_at_maximum(dot: Dot, floor: ArrayLike = 0.0, statistics: str = "rabi") -> Threshold:
    """Return the threshold at the energy where the gain is largest at full excitation.

    See `qdgain.model.gain.gain_maximum_meV`: in the reading *replacing* it is the centre of PL_XX.
    Where a full dot gains nowhere there is none: infinity and nan.
    Arguments as for `threshold_at_energy`; ⟨N⟩ and energy are of shape D. Source: paper section 3.3
    and Fig 8c to h, "at the energy of … the SE maximum".

    >>> dot = Dot(linewidth_meV=80.0, stokes_shift_meV=40.0).uncorrelated()
    >>> float(threshold_at_maximum(dot).mean_excitons.round(3))
    0.667
    """
    parameters.check("statistics", statistics)
    epsilon = _flat(floor, dot) if np.ndim(floor) else np.asarray(floor, dtype=float)
    mean, energy = np.empty((2, math.prod(dot.shape)))
    for where, some in dot.blocks(_DOTS_AT_ONCE):
        centre = gain_maximum_meV(some, statistics)
        own = epsilon[where] if epsilon.ndim else epsilon
        mean[where] = _crossing(some, _four_logs(some, centre), own, statistics, ROOTS)
        energy[where] = some.absorption_energy_eV + 1e-3 * centre
    return Threshold(mean.reshape(dot.shape), energy.reshape(dot.shape))


def threshold_onset(dot: Dot, floor: ArrayLike, statistics: str = "rabi") -> Threshold:
    """Return the smallest ⟨N⟩ at which the gain reaches a floor at any energy, and that energy.

    The minimum over photon energy of `threshold_at_energy`, within the energies at which an
    emission band exceeds the floor: a scan, then ever finer steps about its lowest minima, to 1e-9
    in ⟨N⟩. For many dots `qdgain.fast.onset` gives the same some twenty times as fast.

    ⟨N⟩ and energy are of the dot's shape; infinity and nan where no gain reaches the floor ε > 0.
    Gaussian tails let the onset tend to zero with it, so it has to be stated with every onset.
    Raises `ParameterError` if it is out of the contract's range. Source: paper section 3.3, "the
    energy of the SE threshold"; the floor is assumed.

    >>> dot = Dot(linewidth_meV=80.0, stokes_shift_meV=40.0).uncorrelated()
    >>> float(threshold_onset(dot, 0.01).mean_excitons.round(3))
    0.206
    """
    epsilon = _flat(parameters.check("floor", floor), dot)
    mean, detuning = np.empty((2, epsilon.size))
    for where, some in dot.blocks(_ONSETS_AT_ONCE):
        mean[where], detuning[where] = _lowest(some, epsilon[where], statistics)
    energy = dot.absorption_energy_eV + 1e-3 * detuning.reshape(dot.shape)
    return Threshold(mean.reshape(dot.shape), np.asarray(energy))


def _lowest(dot: Dot, floor: FloatArray, statistics: str) -> tuple[FloatArray, FloatArray]:
    """Return the least threshold of dots of shape (rows,) or (), and its detuning."""

    def at(detuning: FloatArray) -> FloatArray:
        own = detuning if dot.shape else detuning[0]
        found = _threshold_at_detuning(
            dot, own, floor if dot.shape else floor[0], statistics, ROOTS
        )
        return found if dot.shape else found[None]

    # Nothing is narrower than a band: each band's own scale, out to where the smallest floor ends.
    offsets, widths = band_offsets_meV(dot), band_widths_meV(dot)
    own = [
        np.broadcast_to(getattr(offsets, name), dot.shape).reshape(-1, 1)
        + np.broadcast_to(getattr(widths, name), dot.shape).reshape(-1, 1) * _OWN_SCALE
        for name, weights in zip(OF_ROW, zip(*weights_of_bands(dot).gain, strict=True), strict=True)
        if any(np.any(weight) for weight in weights)
    ]
    place = np.sort(np.concatenate(own, axis=-1), axis=-1)
    mean = at(place)
    beside = np.pad(mean, [(0, 0), (1, 1)], constant_values=np.inf)
    minima = np.where((mean <= beside[:, :-2]) & (mean <= beside[:, 2:]), mean, np.inf)
    best = np.argsort(minima, axis=-1)[:, :_MINIMA]
    low, high = (
        np.take_along_axis(place, np.clip(best + i, 0, place.shape[-1] - 1), -1) for i in (-2, 2)
    )
    found, where = lowest_by_zooms(
        lambda fine: at(fine.reshape(len(fine), -1)).reshape(fine.shape),
        low[..., None] + (high - low)[..., None] * np.linspace(0.0, 1.0, _ZOOM_POINTS),
        _ZOOMS,
        _ZOOM_POINTS,
    )[::-1]
    k = np.argmin(found, axis=-1)[:, None]
    lowest, there = (np.take_along_axis(x, k, -1)[:, 0] for x in (found, where))
    return lowest, np.where(np.isfinite(lowest), there, np.nan)


def _flat(floor: ArrayLike, dot: Dot) -> FloatArray:
    """Return a floor for each dot, flat."""
    return np.broadcast_to(np.asarray(floor, dtype=float), dot.shape).ravel()


Logs = tuple[FloatArray, FloatArray, FloatArray, FloatArray]


def _four_logs(dot: Dot, detuning_meV: FloatArray) -> Logs:
    """Return the logarithms of A_X, PL_X, A_XX2 and PL_XX."""
    logs = log_bands(dot, detuning_meV)
    return logs.absorption, logs.emission, logs.xx_absorption, logs.xx_emission


def _threshold_at_detuning(
    dot: Dot,
    detuning_meV: FloatArray,
    floor: ArrayLike,
    statistics: str,
    roots: Mapping[str, Root],
) -> FloatArray:
    """Solve G = ε for ⟨N⟩ at detunings of shape D + (…), aligned with the dots."""
    epsilon = np.asarray(floor, dtype=float)
    epsilon = epsilon.reshape(
        epsilon.shape + (1,) * max(detuning_meV.ndim - epsilon.ndim, 0) if epsilon.ndim else ()
    )
    parameters.check("statistics", statistics)
    return _crossing(dot, _four_logs(dot, detuning_meV), epsilon, statistics, roots)


def _crossing(
    dot: Dot, logs: Logs, epsilon: FloatArray, statistics: str, roots: Mapping[str, Root]
) -> FloatArray:
    """Return ⟨N⟩ with G = ε from the logarithms of the bands, of shape D + (…)."""
    A, P, B, Q = (np.exp(log) for log in logs)
    weak = ((A + P + B < _WEAK) | (Q < _WEAK)) & (epsilon == 0)
    if weak.any():
        # Without a floor only ratios count: scale the largest to 1, so that far tails keep their
        # digits.
        scale = np.where(weak, reduce(np.maximum, logs[:3]), 0.0)
        A, P, B = (np.exp(log - scale) for log in logs[:3])
        Q = np.exp(np.minimum(logs[3] - scale, _LARGEST_LOG))
    rows = weights_of_bands(dot).gain
    axes = np.ndim(A) - len(dot.shape)
    own = [combined(row, (A, P, B, Q), dot, axes) for row in rows]
    if len(rows) > 3 and statistics == "poisson":
        if roots is not ROOTS:
            raise parameters.ParameterError(
                f"reading = {dot.reading!r} has no second threshold: the gain of a full dot lasts."
            )
        return _first_of_many(np.broadcast_arrays(*own), epsilon)
    with np.errstate(all="ignore"):
        return roots[statistics](epsilon - own[0], 2 * (own[1] - epsilon), own[2] - epsilon)


def _first_of_many(gains: Sequence[FloatArray], epsilon: FloatArray) -> FloatArray:
    """Return the first ⟨N⟩ at which the gain of K states reaches a floor, under Poisson's law."""
    every = np.stack([(gain - epsilon).ravel() for gain in gains], axis=-1)

    def net(mean: FloatArray, rows: Any) -> FloatArray:
        share = weights_at(mean, "poisson", len(gains))
        if mean.ndim == 1:
            return np.asarray(every[rows] @ share.T)
        return np.asarray(np.einsum("rlk,rk->rl", share, every[rows]))

    return first_root(net, _MEANS).reshape(gains[0].shape)


def _rabi(a: FloatArray, d: FloatArray, q: FloatArray) -> FloatArray:
    """Largest positive root of α u² - δ u - β = 0, u = 1/r = (1-n)/n, as ⟨N⟩ = 2/(1+u)."""
    root = np.sqrt(d * d + 4 * a * q)
    size = np.abs(d) + root
    # Two forms of the same root; each avoids the cancellation of the other. Where α vanishes
    # beside β, so does the threshold.
    u = np.where(d >= 0, (size + 1e-300) / (2 * a), 2 * q / size)
    return np.where(u > 0, 2 / (1 + u), np.inf)


def _sequential(a: FloatArray, d: FloatArray, q: FloatArray) -> FloatArray:
    """Crossing of the two straight pieces 0 → X and X → XX."""
    half = 0.5 * d
    on_biexciton = np.where(q > 0, 1 - half / (q - half), np.inf)
    return np.where(d > 0, a / (a + half), on_biexciton)


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
        value = a - 0.5 * N * d - q * exp_beyond_linear(N)
        better = N + value / (0.5 * d + q * np.expm1(N))
        N = np.where(np.isfinite(better) & (better >= 0) & (q != 0), better, N)
    return np.where(np.isnan(N), np.inf, N)


def exp_beyond_linear(N: FloatArray) -> FloatArray:
    """Return e^N - 1 - N, with its digits where N is small.

    >>> float(exp_beyond_linear(np.array(1.0)).round(4))
    0.7183
    """
    series = 0.5 * N * N * (1 + N / 3 * (1 + N / 4 * (1 + N / 5 * (1 + N / 6))))
    return np.where(N < 1e-2, series, np.expm1(N) - N)


def _rabi_end(a: FloatArray, d: FloatArray, q: FloatArray) -> FloatArray:
    """Smaller root u of α u² - δ u - β = 0, which is positive for β < 0 only."""
    u = -2 * q / (d + np.sqrt(d * d + 4 * a * q))
    return np.where((d > 0) & (u > 0), 2 / (1 + u), np.inf)


def _sequential_end(a: FloatArray, d: FloatArray, q: FloatArray) -> FloatArray:
    return np.where((d > 0) & (q < 0), 1 + d / (d - 2 * q), np.inf)


def _poisson_end(a: FloatArray, d: FloatArray, q: FloatArray) -> FloatArray:
    """Larger root of α - Nδ/2 - β(e^N - 1 - N) = 0 for β < 0, by the other branch of W."""
    p, s = 1 + a / q, 1 - 0.5 * d / q
    argument = -np.exp(-p / s) / s
    exists = (q < 0) & (d > 0) & (argument >= -np.exp(-1.0))
    other = scipy.special.lambertw(np.clip(argument, -np.exp(-1.0), -1e-300), -1).real
    return np.where(exists, -p / s - other, np.inf)


#: The ⟨N⟩ at which -P₀α + ½P₁δ + P₂β, the gain above the floor, is zero; infinity if none.
#: α = ε-g₀, δ = 2(g₁-ε), β = g₂-ε, because the populations sum to one.
Root = Callable[[FloatArray, FloatArray, FloatArray], FloatArray]
#: Statistics -> its closed form: where gain begins, and where it ends if it does.
ROOTS: Mapping[str, Root] = MappingProxyType(
    {"rabi": _rabi, "sequential": _sequential, "poisson": _poisson}
)
ENDS: Mapping[str, Root] = MappingProxyType(
    {"rabi": _rabi_end, "sequential": _sequential_end, "poisson": _poisson_end}
)
