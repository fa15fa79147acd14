"""The gain cross section of pumped dots (Fig 8c to f)."""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike

from qdgain.model.bands import (
    band_offsets_meV,
    band_widths_meV,
    detuning_from_absorption_meV,
    expand,
    log_band,
)
from qdgain.model.dot import Dot, FloatArray
from qdgain.model.search import parabolic_peak
from qdgain.model.states import (
    OF_ROW,
    highest_state,
    net_weights,
    relaxed_bands,
    states,
    weights_at,
    weights_of_bands,
)

# Where absorption of the full dot moves the gain maximum: a scan, in widths of the emission about
# its centre, and ever finer steps.
_SCAN = np.linspace(-6.0, 6.0, 121)
_FINER = (0.02, 0.002, 0.0002)
_TIE = 1e-12
_DOTS_AT_ONCE = 1024


class GainTerms(NamedTuple):
    """What each band gives to the gain, of shape D + N + E, loss negative; the sum is the gain."""

    absorption: FloatArray
    exciton_emission: FloatArray
    excited_state_absorption: FloatArray
    biexciton_emission: FloatArray


def weighted(
    spectra: FloatArray, mean_excitons: ArrayLike, statistics: str, energies: tuple[int, ...]
) -> FloatArray:
    """Return spectra of the states, of shape D + (K, points), at ⟨N⟩ of shape N: D + N + E.

    A product of matrices, in which no state's share stands in memory by itself.

    >>> weighted(np.eye(3), [0.0, 2.0], "rabi", (3,)).tolist()
    [[1.0, 0.0, 0.0], [0.0, 0.0, 1.0]]
    """
    mean = np.asarray(mean_excitons, dtype=float)
    mixed = weights_at(mean.ravel(), statistics, spectra.shape[-2]) @ spectra
    return np.asarray(mixed).reshape(spectra.shape[:-2] + mean.shape + energies)


def flat_detuning_meV(dot: Dot, energy_eV: ArrayLike) -> FloatArray:
    """Return photon energies minus the centre of A_X, of shape D + (points,).

    >>> dot = Dot(linewidth_meV=80.0, stokes_shift_meV=40.0).uncorrelated()
    >>> flat_detuning_meV(dot, [1.96, 2.0]).round(6).tolist()
    [-40.0, 0.0]
    """
    detuning = detuning_from_absorption_meV(dot, energy_eV)
    return detuning.reshape((*dot.shape, np.size(energy_eV)))


def gain(
    dot: Dot,
    energy_eV: ArrayLike,
    mean_excitons: ArrayLike,
    statistics: str = "rabi",
    relaxed_fraction: float = 1.0,
) -> FloatArray:
    r"""Return the net gain cross section, positive for gain and :math:`-A_X` when unpumped.

    :math:`G = -\sigma_{NL}/\sigma_A = \sum_k P_k(\langle N\rangle)\,g_k`, the states being those of
    the dot's reading: see `qdgain.model.states`. For a dot of shape D, energies of shape E and ⟨N⟩
    of shape N it is of shape D + N + E, in units of the peak absorption cross section. `statistics`
    says how the pulse distributes the excitons: "rabi", "poisson" or "sequential".
    `relaxed_fraction` of them have gone from X_A to X_E; the others emit at A_X and absorb at
    A_XX1, biexcitons are taken as relaxed. Raises `ParameterError` if ⟨N⟩ is out of the statistics'
    range.

    Without ESA and under Rabi or sequential statistics this is exactly
    :math:`n\,PL_X - (1-n)A_X` with n = ⟨N⟩/2. Source: paper section 3.3, Fig 8c to f.

    >>> dot = Dot(linewidth_meV=80.0, stokes_shift_meV=40.0).uncorrelated()
    >>> gain(dot, 1.96, [0.0, 1.0, 2.0]).round(3).tolist()
    [-0.5, 0.25, 1.0]
    """
    own = states(dot, flat_detuning_meV(dot, energy_eV), relaxed_fraction)
    return weighted(own.gain, mean_excitons, statistics, np.shape(energy_eV))


def gain_terms(
    dot: Dot,
    energy_eV: ArrayLike,
    mean_excitons: ArrayLike,
    statistics: str = "rabi",
    relaxed_fraction: float = 1.0,
) -> GainTerms:
    r"""Return what A_X, PL_X, A_XX2 and PL_XX give to the gain; arguments and errors as for `gain`.

    In the reading *replacing* :math:`-P_0 A_X,\quad \tfrac12 P_1 PL_X,\quad -\tfrac12 P_1 a
    A_{XX2},\quad \gamma P_2 PL_{XX}`. Source: paper section 3.3 for the terms; the weights are
    those of the dot's reading.

    >>> dot = Dot(linewidth_meV=80.0, stokes_shift_meV=40.0).uncorrelated()
    >>> [float(term.round(3)) for term in gain_terms(dot, 1.96, 1.0)]
    [-0.25, 0.5, 0.0, 0.0]
    """
    mean = np.asarray(mean_excitons, dtype=float)
    shape = dot.shape + (1,) * mean.ndim + np.shape(energy_eV)
    axes = mean.ndim + np.ndim(energy_eV)
    shares = weights_at(mean, statistics, len(weights_of_bands(dot).gain))
    shares = shares.reshape(mean.shape + (1,) * np.ndim(energy_eV) + shares.shape[-1:])
    A, P, _, B, Q = relaxed_bands(
        dot, detuning_from_absorption_meV(dot, energy_eV), relaxed_fraction
    )
    weights = net_weights(dot, shares, axes)
    return GainTerms(
        *(
            np.asarray(w * band.reshape(shape))
            for w, band in zip(weights, (A, P, B, Q), strict=True)
        )
    )


def exciton_share(
    dot: Dot, energy_eV: ArrayLike, mean_excitons: ArrayLike, statistics: str = "rabi"
) -> FloatArray:
    r"""Return the part of the stimulated emission that comes from X, the rest coming from XX.

    :math:`P_1 e_1/\sum_k P_k e_k`, of shape D + N + E; nan where there is no emission. Arguments
    and errors as for `gain`. Source: paper section 3.3, "with minor contributions from X".

    >>> dot = Dot(stokes_shift_meV=40.0).uncorrelated()
    >>> float(exciton_share(dot, 1.96, 1.0).round(3))
    0.5
    """
    emission = states(dot, flat_detuning_meV(dot, energy_eV)).emission
    total = weighted(emission, mean_excitons, statistics, np.shape(energy_eV))
    emission[..., [k for k in range(emission.shape[-2]) if k != 1], :] = 0.0
    exciton = weighted(emission, mean_excitons, statistics, np.shape(energy_eV))
    share = np.full_like(total, np.nan)
    np.divide(exciton, total, out=share, where=total > 0)
    return share


def gain_maximum_meV(dot: Dot, statistics: str = "rabi") -> FloatArray:
    """Return where the gain is largest at full excitation, minus the centre of A_X: shape D.

    The centre of the emission where a full dot absorbs nothing; otherwise the maximum of the
    difference, to 1e-6 of a linewidth, and nan where it absorbs more than it emits everywhere. Of
    two equal maxima it is the one of lower energy.

    >>> float(gain_maximum_meV(Dot(linewidth_meV=80.0, stokes_shift_meV=40.0).uncorrelated()))
    -40.0
    """
    peak = np.empty(math.prod(dot.shape))
    for where, some in dot.blocks(_DOTS_AT_ONCE):
        peak[where] = _maximum_meV(some, statistics)
    return peak.reshape(dot.shape)


def _maximum_meV(dot: Dot, statistics: str) -> FloatArray:
    """Return the maximum of dots of shape (rows,) or ()."""
    row = weights_of_bands(dot).gain[highest_state(dot, statistics)]
    offsets, widths = band_offsets_meV(dot), band_widths_meV(dot)
    emission, beside = (1, 0) if np.any(row[1]) else (3, 2)
    (centre, width), (beside_centre, beside_width) = (
        [np.broadcast_to(getattr(x, OF_ROW[i]), dot.shape)[..., None] for x in (offsets, widths)]
        for i in (emission, beside)
    )
    if not np.any(row[beside]):
        return np.asarray(centre[..., 0])
    strength, beside_strength = (expand(row[which], dot, 1) for which in (emission, beside))

    def at(place: FloatArray) -> FloatArray:
        loss = beside_strength * np.exp(log_band(place, beside_centre, beside_width))
        return np.asarray(loss + strength * np.exp(log_band(place, centre, width)))

    def finer(peak: FloatArray, width: FloatArray) -> FloatArray:
        for step in _FINER:
            nearby = peak[..., None] + step * width * np.array([-1.0, 0.0, 1.0])
            peak = parabolic_peak(nearby, at(nearby))
        return peak

    def maximum(centre: FloatArray, width: FloatArray) -> FloatArray:
        place = centre + width * _SCAN
        return finer(parabolic_peak(place, at(place)), width)

    def height(peak: FloatArray) -> FloatArray:
        return at(peak[..., None])[..., 0]

    peak = maximum(centre, width)
    if np.any(beside_width < width):
        # A narrow absorption cuts the emission in two.
        other = maximum(beside_centre, beside_width)
        better = np.where(height(other) > height(peak) + _TIE, other, peak)
        finest = finer(better, np.minimum(width, beside_width))
        # No dot's answer depends on its neighbours' widths.
        peak = np.where((beside_width < width)[..., 0], finest, peak)
    return np.where(height(peak) > 0, peak, np.nan)


def largest_gain(
    dot: Dot, statistics: str = "rabi", maximum_meV: FloatArray | None = None
) -> FloatArray:
    r"""Return the gain at full excitation and at its maximum, of shape D.

    At full excitation (⟨N⟩ = 2, or ⟨N⟩ → ∞ under Poisson statistics) every dot is in its highest
    state. In the reading *replacing* it is :math:`\gamma`, whatever the excited-state absorption
    does. Zero where a full dot gains nowhere. Where `gain_maximum_meV` is known it may be given.
    Source: paper section 3.3.

    >>> float(largest_gain(Dot(reading="replacing", xx_emission_strength=0.5)))
    0.5
    """
    place = gain_maximum_meV(dot, statistics) if maximum_meV is None else maximum_meV
    full = highest_state(dot, statistics)
    return np.nan_to_num(states(dot, place[..., None]).gain[..., full, 0], nan=0.0)
