"""Gain thresholds in ⟨N⟩: closed forms at a photon energy, and the onset as their minimum."""

from __future__ import annotations

import math
from functools import reduce
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike

from qdgain.model import parameters
from qdgain.model.bands import (
    band_offsets_meV,
    band_widths_meV,
    detuning_from_absorption_meV,
    expand,
    log_bands,
)
from qdgain.model.dot import Dot, FloatArray
from qdgain.model.onset import Columns, lowest_threshold
from qdgain.model.threshold_laws import LAWS, Law

#: At once: what so many dots need stays in the cache.
_DOTS_AT_ONCE = 16384
#: At once in the search for onsets, which sorts them.
_ONSETS_AT_ONCE = 1 << 17
#: Bands below this may be zero in double precision.
_WEAK = 1e-100
#: Logarithm of the largest ratio of bands: beyond it ⟨N⟩ is 0 or at its highest.
_LARGEST_LOG = 600.0


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

    Examples
    --------
    >>> dot = Dot(linewidth_meV=80.0, stokes_shift_meV=40.0).uncorrelated()
    >>> threshold_at_energy(dot, [1.96, 2.0]).round(3).tolist()
    [0.667, 1.333]
    """
    detuning = detuning_from_absorption_meV(dot, energy_eV)
    return _threshold_at_detuning(dot, detuning, floor, statistics)


def threshold_at_maximum(dot: Dot, floor: ArrayLike = 0.0, statistics: str = "rabi") -> Threshold:
    """Return the threshold at the energy where the gain is largest at full excitation.

    At full excitation G = γ PL_XX, so that energy is the centre of PL_XX exactly. Arguments as for
    `threshold_at_energy`; ⟨N⟩ and energy are of shape D. Source: paper section 3.3 and Fig 8c to h,
    "at the energy of … the SE maximum".

    Examples
    --------
    >>> dot = Dot(linewidth_meV=80.0, stokes_shift_meV=40.0).uncorrelated()
    >>> float(threshold_at_maximum(dot).mean_excitons.round(3))
    0.667
    """
    law = LAWS[parameters.check("statistics", statistics)]
    epsilon = _flat(floor, dot) if np.ndim(floor) else np.asarray(floor, dtype=float)
    mean, energy = np.empty((2, math.prod(dot.shape)))
    for where, some in dot.blocks(_DOTS_AT_ONCE):
        offsets, widths = band_offsets_meV(some), band_widths_meV(some)
        centre = offsets.xx_emission
        logs = (
            _log_band(centre, widths.absorption),
            _log_band(centre - offsets.emission, widths.emission),
            _log_band(centre - offsets.xx_absorption, widths.xx_absorption),
        )
        strengths = (
            np.asarray(some.xx_absorption_strength),
            np.asarray(some.xx_emission_strength),
        )
        own = epsilon[where] if epsilon.ndim else epsilon
        mean[where] = _first_crossing(logs, None, strengths, own, law)
        energy[where] = some.absorption_energy_eV + 1e-3 * centre
    return Threshold(mean.reshape(dot.shape), energy.reshape(dot.shape))


def threshold_onset(dot: Dot, floor: ArrayLike, statistics: str = "rabi") -> Threshold:
    """Return the smallest ⟨N⟩ at which the gain reaches a floor at any energy, and that energy.

    The minimum over photon energy of `threshold_at_energy`, within the energies at which an
    emission band exceeds the floor, to 1e-9 in ⟨N⟩; see `qdgain.model.onset`.

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

    Examples
    --------
    >>> dot = Dot(linewidth_meV=80.0, stokes_shift_meV=40.0).uncorrelated()
    >>> float(threshold_onset(dot, 0.01).mean_excitons.round(3))
    0.206
    """
    law = LAWS[parameters.check("statistics", statistics)]
    epsilon = _flat(parameters.check("floor", floor), dot)
    mean, detuning = np.empty((2, epsilon.size))
    for where, some in dot.blocks(_ONSETS_AT_ONCE):
        mean[where], detuning[where] = lowest_threshold(_columns(some, epsilon[where]), law)
    energy = dot.absorption_energy_eV + 1e-3 * detuning.reshape(dot.shape)
    return Threshold(mean.reshape(dot.shape), np.asarray(energy))


def _flat(floor: ArrayLike, dot: Dot) -> FloatArray:
    """Return a floor for each dot, flat."""
    return np.broadcast_to(np.asarray(floor, dtype=float), dot.shape).ravel()


def _columns(dot: Dot, epsilon: FloatArray) -> Columns:
    """Return what the search for the onset needs of dots."""
    offsets, widths = band_offsets_meV(dot), band_widths_meV(dot)

    def rows(*columns: ArrayLike) -> FloatArray:
        result = np.empty((len(columns), epsilon.size))
        for row, column in zip(result, columns, strict=True):
            row[:] = column
        return result

    own = [
        dot.absorption_linewidth_meV,
        dot.emission_linewidth_meV,
        dot.xx_absorption_linewidth_meV,
        dot.xx_emission_linewidth_meV,
    ]
    shared = all(width is None for width in own)
    return Columns(
        rows(offsets.absorption, offsets.emission, offsets.xx_absorption, offsets.xx_emission),
        rows(widths.absorption)
        if shared
        else rows(widths.absorption, widths.emission, widths.xx_absorption, widths.xx_emission),
        rows(dot.xx_absorption_strength, dot.xx_emission_strength),
        epsilon,
    )


def _log_band(detuning_meV: FloatArray, width_meV: FloatArray) -> FloatArray:
    log = np.asarray(detuning_meV / width_meV)
    log = np.multiply(log, log, out=log)
    log *= -0.5
    return log


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
    strengths = (
        expand(dot.xx_absorption_strength, dot, axes),
        expand(dot.xx_emission_strength, dot, axes),
    )
    law = LAWS[parameters.check("statistics", statistics)]
    three = (logs.absorption, logs.emission, logs.xx_absorption)
    return _first_crossing(three, logs.xx_emission, strengths, epsilon, law)


def _first_crossing(
    logs: tuple[FloatArray, FloatArray, FloatArray],
    log_Q: FloatArray | None,
    strengths: tuple[FloatArray, FloatArray],
    epsilon: FloatArray,
    law: Law,
) -> FloatArray:
    """Return the smallest ⟨N⟩ with G = ε, from the logarithms of A, P, B and Q (None: Q = 1)."""
    A, P, B = (np.exp(log) for log in logs)
    Q = np.ones(()) if log_Q is None else np.exp(log_Q)
    weak = ((A + P + B < _WEAK) | (Q < _WEAK)) & (epsilon == 0)
    if weak.any():
        # Without a floor only ratios count: scale the largest to 1, so that far tails keep their
        # digits.
        scale = np.where(weak, reduce(np.maximum, logs), 0.0)
        A, P, B = (np.exp(log - scale) for log in logs)
        Q = np.exp(np.minimum((0.0 if log_Q is None else log_Q) - scale, _LARGEST_LOG))
    a, gamma = strengths
    with np.errstate(all="ignore"):
        d = P - a * B
        d -= 2 * epsilon
        return law.root(A + epsilon, d, gamma * Q - epsilon)
