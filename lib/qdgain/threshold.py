"""Gain thresholds in ⟨N⟩: closed forms at a photon energy, and the onset as their minimum."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import scipy
from numpy.typing import ArrayLike

from qdgain import parameters
from qdgain.dot import Dot, FloatArray
from qdgain.spectra import (
    Bands,
    band_offsets_meV,
    band_widths_meV,
    detuning_from_absorption_meV,
    expand,
    log_bands,
)

_ONSET_GRID = 241
_ONSET_MINIMA = 3
_GOLDEN = (np.sqrt(5.0) - 1.0) / 2.0
_GOLDEN_STEPS = 48


class Threshold(NamedTuple):
    """A threshold, of shape D each: ⟨N⟩ (infinity if out of reach) and its photon energy in eV."""

    mean_excitons: FloatArray
    energy_eV: FloatArray


def threshold_at_energy(
    dot: Dot, energy_eV: ArrayLike, floor: ArrayLike = 0.0, statistics: str = "rabi"
) -> FloatArray:
    r"""Return the smallest ⟨N⟩ at which the gain at given photon energies reaches a floor.

    With A, P, B, Q the bands A_X, PL_X, A_XX2, PL_XX at one energy and r = n/(1-n):

    - Rabi: :math:`r = 2A/[(P-aB)+\sqrt{(P-aB)^2+4A\gamma Q}]`,
      :math:`\langle N\rangle = 2r/(1+r)`;
    - sequential: :math:`2A/(2A+P-aB)` if :math:`P \ge aB`, otherwise
      :math:`1+(aB-P)/(aB-P+2\gamma Q)`;
    - Poisson: :math:`e^{\langle N\rangle} = \alpha + \beta\langle N\rangle` by the Lambert W
      function, :math:`\alpha = (A+\gamma Q)/(\gamma Q)`,
      :math:`\beta = 1+(aB-P)/(2\gamma Q)`.

    A floor ε adds to the loss: for Rabi statistics A → A + ε, P - aB → P - aB - 2ε,
    γQ → γQ - ε.

    Parameters
    ----------
    dot : Dot
        Of shape D.
    energy_eV : array_like
        Photon energies of shape E.
    floor : array_like
        The floor ε ≥ 0 in units of the peak absorption cross section, of a shape that broadcasts
        to D.
    statistics : {"rabi", "poisson", "sequential"}
        How the pulse distributes the excitons.

    Returns
    -------
    numpy.ndarray
        ⟨N⟩ of shape D + E; infinity where the gain never reaches the floor.

    Notes
    -----
    Source: derived from the gain of paper section 3.3; see the page "The model".
    """
    detuning = detuning_from_absorption_meV(dot, energy_eV)
    return _threshold_at_detuning(dot, detuning, floor, statistics)


def threshold_at_maximum(dot: Dot, floor: ArrayLike = 0.0, statistics: str = "rabi") -> Threshold:
    """Return the threshold at the energy where the gain is largest at full excitation.

    At full excitation G = γ PL_XX, so that energy is the centre of PL_XX exactly.

    Parameters
    ----------
    dot : Dot
        Of shape D.
    floor : array_like
        A floor ε of the gain, zero by default.
    statistics : {"rabi", "poisson", "sequential"}
        How the pulse distributes the excitons.

    Returns
    -------
    Threshold
        ⟨N⟩ and energy of shape D.

    Notes
    -----
    Source: paper section 3.3 and Fig 8c to h, "at the energy of … the SE maximum".
    """
    detuning = np.broadcast_to(band_offsets_meV(dot).xx_emission, dot.shape)
    mean = _threshold_at_detuning(dot, detuning, floor, statistics)
    return Threshold(mean, np.asarray(dot.absorption_energy_eV + 1e-3 * detuning))


def threshold_onset(dot: Dot, floor: ArrayLike, statistics: str = "rabi") -> Threshold:
    """Return the smallest ⟨N⟩ at which the gain reaches a floor at any energy, and that energy.

    The minimum over photon energy of `threshold_at_energy`, within the energies at which an
    emission band exceeds the floor: a scan, then golden-section search in each of the lowest
    minima, to 1e-9 in ⟨N⟩.

    Parameters
    ----------
    dot : Dot
        Of shape D.
    floor : array_like
        The floor ε > 0 in units of the peak absorption cross section. Gaussian tails let the onset
        tend to zero with it, so it has to be stated with every onset.
    statistics : {"rabi", "poisson", "sequential"}
        How the pulse distributes the excitons.

    Returns
    -------
    Threshold
        ⟨N⟩ and energy of shape D; infinity and nan where no gain reaches the floor.

    Raises
    ------
    ParameterError
        If the floor is out of the contract's range.

    Notes
    -----
    Source: paper section 3.3, "the energy of the SE threshold"; the floor is assumed.
    """
    epsilon = np.broadcast_to(parameters.check("floor", floor), dot.shape)[..., None]
    low, high = _reachable_detunings_meV(dot, epsilon[..., 0])
    fraction = np.linspace(0.0, 1.0, _ONSET_GRID)
    detuning = low[..., None] + (high - low)[..., None] * fraction

    def threshold(at_detuning: FloatArray) -> FloatArray:
        return _threshold_at_detuning(dot, at_detuning, epsilon, statistics)

    scan = threshold(detuning)
    padded = np.pad(scan, [(0, 0)] * (scan.ndim - 1) + [(1, 1)], constant_values=np.inf)
    is_minimum = (scan <= padded[..., :-2]) & (scan <= padded[..., 2:])
    # The few lowest minima of the scan, each bracketed by its neighbours.
    order = np.argsort(np.where(is_minimum, scan, np.inf), axis=-1)[..., :_ONSET_MINIMA]
    left = np.take_along_axis(detuning, np.maximum(order - 1, 0), axis=-1)
    right = np.take_along_axis(detuning, np.minimum(order + 1, _ONSET_GRID - 1), axis=-1)

    inner, outer = right - _GOLDEN * (right - left), left + _GOLDEN * (right - left)
    at_inner, at_outer = threshold(inner), threshold(outer)
    for _ in range(_GOLDEN_STEPS):
        go_left = at_inner <= at_outer
        left, right = np.where(go_left, left, inner), np.where(go_left, outer, right)
        kept, at_kept = np.where(go_left, inner, outer), np.where(go_left, at_inner, at_outer)
        new = np.where(go_left, right - _GOLDEN * (right - left), left + _GOLDEN * (right - left))
        at_new = threshold(new)
        inner, outer = np.where(go_left, new, kept), np.where(go_left, kept, new)
        at_inner, at_outer = np.where(go_left, at_new, at_kept), np.where(go_left, at_kept, at_new)

    # The scan's own points compete too, for minima at the window's edge.
    candidates = np.concatenate([inner, outer, detuning], axis=-1)
    values = np.concatenate([at_inner, at_outer, scan], axis=-1)
    best = np.argmin(values, axis=-1)[..., None]
    mean = np.take_along_axis(values, best, axis=-1)[..., 0]
    where = np.take_along_axis(candidates, best, axis=-1)[..., 0]
    energy = dot.absorption_energy_eV + 1e-3 * np.where(np.isfinite(mean), where, np.nan)
    return Threshold(mean, np.asarray(energy))


def _reachable_detunings_meV(dot: Dot, epsilon: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Bound the detunings at which the gain can exceed the floor: G ≤ PL_X/2 + γ PL_XX."""
    offsets, widths = band_offsets_meV(dot), band_widths_meV(dot)
    gamma = np.asarray(dot.xx_emission_strength, dtype=float)
    edges = []
    for offset, width, peak in (
        (offsets.emission, widths.emission, 0.5),
        (offsets.xx_emission, widths.xx_emission, gamma),
    ):
        # One of the two terms must exceed ε/2; a band too weak for that leaves its centre alone.
        reach = width * np.sqrt(2 * np.log(np.maximum(2 * peak / epsilon, 1.0)))
        edges += [offset - reach, offset + reach]
    edges = [np.broadcast_to(edge, dot.shape) for edge in edges]
    return np.minimum(edges[0], edges[2]), np.maximum(edges[1], edges[3])


def _threshold_at_detuning(
    dot: Dot, detuning_meV: FloatArray, floor: ArrayLike, statistics: str
) -> FloatArray:
    """Solve G = ε for ⟨N⟩ at detunings of shape D + (…), aligned with the dots."""
    axes = detuning_meV.ndim - len(dot.shape)
    logs = log_bands(dot, detuning_meV)
    epsilon = np.asarray(floor, dtype=float)
    epsilon = epsilon.reshape(
        epsilon.shape + (1,) * max(detuning_meV.ndim - epsilon.ndim, 0) if epsilon.ndim else ()
    )
    # Without a floor only ratios of bands count: scale the largest to 1, so that far tails keep
    # their digits.
    largest = np.maximum.reduce(
        [logs.absorption, logs.emission, logs.xx_emission, logs.xx_absorption]
    )
    scale = np.where(epsilon > 0, 0.0, largest)
    A, P, _, B, Q = Bands(*(np.exp(log - scale) for log in logs))
    net_emission = P - expand(dot.xx_absorption_strength, dot, axes) * B
    xx_emission = expand(dot.xx_emission_strength, dot, axes) * Q
    solve = {"rabi": _rabi, "sequential": _sequential, "poisson": _poisson}
    with np.errstate(divide="ignore", invalid="ignore", over="ignore"):
        return solve[parameters.check("statistics", statistics)](
            A, net_emission, xx_emission, epsilon
        )


def _rabi(A: FloatArray, d: FloatArray, Q: FloatArray, epsilon: FloatArray) -> FloatArray:
    """Smallest positive root of (A+ε) - r(d-2ε) - r²(Q-ε) = 0, as ⟨N⟩ = 2r/(1+r)."""
    A, d, Q = A + epsilon, d - 2 * epsilon, Q - epsilon
    discriminant = d * d + 4 * A * Q
    root = np.sqrt(np.maximum(discriminant, 0.0))
    # Two forms of the same root; each avoids the cancellation of the other.
    r = np.where(d >= 0, 2 * A / (d + root), (root - d) / (2 * Q))
    reached = (discriminant >= 0) & ((Q > 0) | (d > 0)) & ~np.isnan(r)
    r = np.where(reached, r, np.inf)
    return np.where(np.isinf(r), np.inf, 2 * r / (1 + r))


def _sequential(A: FloatArray, d: FloatArray, Q: FloatArray, epsilon: FloatArray) -> FloatArray:
    """Crossing of the two straight pieces 0 → X and X → XX."""
    on_exciton = (A + epsilon) / (A + 0.5 * d)
    on_biexciton = 1 + (epsilon - 0.5 * d) / (Q - 0.5 * d)
    first = (0.5 * d >= epsilon) & (d > 0)
    second = (Q >= epsilon) & (Q > 0)
    return np.where(first, on_exciton, np.where(second, on_biexciton, np.inf))


def _poisson(A: FloatArray, d: FloatArray, Q: FloatArray, epsilon: FloatArray) -> FloatArray:
    """Smallest positive root of (A+ε) - N(d-2ε)/2 - (Q-ε)(e^N - 1 - N) = 0."""
    A, d, Q = A + epsilon, d - 2 * epsilon, Q - epsilon
    # The same as e^N = α + βN, which the Lambert W function solves.
    alpha, beta = 1 + A / Q, 1 - 0.5 * d / Q
    size = np.abs(beta)
    # β < 0, Q > 0: N = ln(|β| w), w + ln w = α/|β| - ln|β|, w the Wright omega function.
    falling = np.log(size * scipy.special.wrightomega(alpha / size - np.log(size)))
    # β > 0, Q > 0: N = ln(β y), y - ln y = α/β + ln β, y ≥ 1 (the lower branch).
    level = np.maximum(alpha / size + np.log(size), 1.0)
    lower = -scipy.special.lambertw(-np.exp(-np.minimum(level, 700.0)), -1).real
    rising = np.log(size * np.where(level < 700, lower, level + np.log(level)))
    one_root = np.where(beta > 0, rising, np.where(beta < 0, falling, np.log(alpha)))
    # Near N = 0 the branches meet and lose digits; there the parabola is the better start.
    half = 0.5 * d
    root = np.sqrt(half * half + 2 * A * Q)
    parabola = np.where(half >= 0, 2 * A / (half + root), (root - half) / Q)
    one_root = np.where(parabola < 0.5, parabola, one_root)
    # Q < 0, the floor above the XX band: two roots if β > 0 and they are real, otherwise none.
    argument = -np.exp(-alpha / size) / size
    principal = scipy.special.lambertw(np.maximum(argument, -np.exp(-1.0)), 0).real
    real = (beta > 0) & (argument >= -np.exp(-1.0)) & (d > 0)
    two_roots = np.where(real, -alpha / size - principal, np.inf)
    straight = np.where(d > 0, 2 * A / d, np.inf)
    N = np.where(Q > 0, one_root, np.where(Q < 0, two_roots, straight))
    # The W function loses digits where A and Q are far apart; Newton's method gives them back.
    for _ in range(4):
        value = A - 0.5 * N * d - Q * _exp_beyond_linear(N)
        better = N + value / (0.5 * d + Q * np.expm1(N))
        N = np.where(np.isfinite(better) & (better >= 0) & (Q != 0), better, N)
    return np.where(np.isnan(N), np.inf, N)


def _exp_beyond_linear(N: FloatArray) -> FloatArray:
    """Return e^N - 1 - N, with its digits where N is small."""
    series = 0.5 * N * N * (1 + N / 3 * (1 + N / 4 * (1 + N / 5 * (1 + N / 6))))
    return np.where(N < 1e-2, series, np.expm1(N) - N)
