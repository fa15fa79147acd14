"""The gain cross section of pumped dots (Fig 8c to f)."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike

from qdgain.model.bands import detuning_from_absorption_meV
from qdgain.model.dot import Dot, FloatArray
from qdgain.model.populations import populations
from qdgain.model.states import states, strong_bands, weights_at


class GainTerms(NamedTuple):
    """The four parts of the gain, each of shape D + N + E; their sum is the gain."""

    ground_absorption: FloatArray
    exciton_emission: FloatArray
    excited_state_absorption: FloatArray
    biexciton_emission: FloatArray


def weighted(
    spectra: FloatArray, mean_excitons: ArrayLike, statistics: str, energies: tuple[int, ...]
) -> FloatArray:
    """Return spectra of the states, of shape D + (3, points), at ⟨N⟩ of shape N: D + N + E.

    A product of matrices, in which no state's share stands in memory by itself.

    Examples
    --------
    >>> weighted(np.eye(3), [0.0, 2.0], "rabi", (3,)).tolist()
    [[1.0, 0.0, 0.0], [0.0, 0.0, 1.0]]
    """
    mean = np.asarray(mean_excitons, dtype=float)
    mixed = weights_at(mean.ravel(), statistics) @ spectra
    return np.asarray(mixed).reshape(spectra.shape[:-2] + mean.shape + energies)


def flat_detuning_meV(dot: Dot, energy_eV: ArrayLike) -> FloatArray:
    """Return photon energies minus the centre of A_X, of shape D + (points,).

    Examples
    --------
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

    :math:`G = -\sigma_{NL}/\sigma_A = -P_0 A_X - \tfrac12 P_1 (a A_{XX2} - PL_X)
    + \gamma P_2 PL_{XX}`

    Parameters
    ----------
    dot : Dot
        Of shape D.
    energy_eV : array_like
        Photon energies of shape E.
    mean_excitons : array_like
        ⟨N⟩ of shape N.
    statistics : {"rabi", "poisson", "sequential"}
        How the pulse distributes the excitons.
    relaxed_fraction : float
        Part of the excitons that have gone from X_A to X_E. The others emit at A_X and absorb at
        A_XX1; biexcitons are taken as relaxed.

    Returns
    -------
    numpy.ndarray
        Of shape D + N + E, in units of the peak absorption cross section.

    Raises
    ------
    ParameterError
        If ⟨N⟩ is out of the statistics' range.

    Notes
    -----
    Without ESA and under Rabi or sequential statistics this is exactly
    :math:`n\,PL_X - (1-n)A_X` with n = ⟨N⟩/2. Source: paper section 3.3, Fig 8c to f.

    Examples
    --------
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
    r"""Return the parts of the gain, loss negative; arguments and errors as for `gain`.

    :math:`-P_0 A_X,\quad \tfrac12 P_1 PL_X,\quad -\tfrac12 P_1 a A_{XX2},\quad
    \gamma P_2 PL_{XX}`

    Source: paper section 3.3 for the terms; the weights are those of a twofold degenerate 1S state
    (assumed).

    Examples
    --------
    >>> dot = Dot(linewidth_meV=80.0, stokes_shift_meV=40.0).uncorrelated()
    >>> [float(term.round(3)) for term in gain_terms(dot, 1.96, 1.0)]
    [-0.125, 0.25, -0.125, 0.25]
    """
    parts = gain_parts(dot, energy_eV, relaxed_fraction)
    mean = np.asarray(mean_excitons, dtype=float)
    shape = dot.shape + (1,) * mean.ndim + np.shape(energy_eV)
    A, P, B, Q = (part.reshape(shape) for part in parts)
    ground, exciton, biexciton = (
        p.reshape(mean.shape + (1,) * np.ndim(energy_eV)) for p in populations(mean, statistics)
    )
    return GainTerms(-ground * A, exciton * P, -exciton * B, biexciton * Q)


def gain_parts(
    dot: Dot, energy_eV: ArrayLike, relaxed_fraction: float = 1.0
) -> tuple[FloatArray, FloatArray, FloatArray, FloatArray]:
    """Return A_X, ½PL_X, ½a A_XX2 and γPL_XX, of shape D + E: the terms over the populations.

    Examples
    --------
    >>> dot = Dot(linewidth_meV=80.0, stokes_shift_meV=40.0).uncorrelated()
    >>> [float(part.round(3)) for part in gain_parts(dot, 1.96)]
    [0.5, 0.5, 0.25, 1.0]
    """
    detuning = detuning_from_absorption_meV(dot, energy_eV)
    A, P, _, B, Q = strong_bands(dot, detuning, relaxed_fraction)
    return A, 0.5 * P, 0.5 * B, Q


def exciton_share(
    dot: Dot, energy_eV: ArrayLike, mean_excitons: ArrayLike, statistics: str = "rabi"
) -> FloatArray:
    """Return the part of the stimulated emission that comes from X, the rest coming from XX.

    ½P₁PL_X / (½P₁PL_X + γP₂PL_XX), of shape D + N + E; nan where there is no emission. Arguments
    and errors as for `gain`. Source: paper section 3.3, "with minor contributions from X".

    Examples
    --------
    >>> dot = Dot(stokes_shift_meV=40.0).uncorrelated()
    >>> float(exciton_share(dot, 1.96, 1.0).round(3))
    0.5
    """
    terms = gain_terms(dot, energy_eV, mean_excitons, statistics)
    total = terms.exciton_emission + terms.biexciton_emission
    share = np.full_like(total, np.nan)
    np.divide(terms.exciton_emission, total, out=share, where=total > 0)
    return share


def largest_gain(dot: Dot) -> FloatArray:
    r"""Return the gain at full excitation and at its maximum: :math:`\gamma`, of shape D.

    At full excitation (⟨N⟩ = 2, or ⟨N⟩ → ∞ under Poisson statistics) every dot is a biexciton and
    G = γ PL_XX, whatever the excited-state absorption does. Source: paper section 3.3.

    Examples
    --------
    >>> float(largest_gain(Dot(xx_emission_strength=0.5)))
    0.5
    """
    return np.broadcast_to(np.asarray(dot.xx_emission_strength, dtype=float), dot.shape)
