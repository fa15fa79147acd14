"""The gain cross section of pumped dots (Fig 8c to f)."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike

from qdgain.dot import Dot, FloatArray
from qdgain.populations import populations
from qdgain.spectra import bands


class GainTerms(NamedTuple):
    """The four parts of the gain, each of shape D + N + E; their sum is the gain."""

    ground_absorption: FloatArray
    exciton_emission: FloatArray
    excited_state_absorption: FloatArray
    biexciton_emission: FloatArray


def gain_terms(
    dot: Dot,
    energy_eV: ArrayLike,
    mean_excitons: ArrayLike,
    statistics: str = "rabi",
    relaxed_fraction: float = 1.0,
) -> GainTerms:
    r"""Return the parts of the gain, loss negative.

    :math:`-P_0 A_X,\quad \tfrac12 P_1 PL_X,\quad -\tfrac12 P_1 a A_{XX2},\quad
    \gamma P_2 PL_{XX}`

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
        Fraction of excitons that have gone from X_A to X_E. The others emit at A_X and absorb at
        A_XX1; biexcitons are taken as relaxed.

    Returns
    -------
    GainTerms
        In units of the peak absorption cross section.

    Raises
    ------
    ParameterError
        If ⟨N⟩ is out of the statistics' range.

    Notes
    -----
    X blocks one of the two degenerate band-edge channels, hence the ½. Source: paper section 3.3
    for the terms; the weights are those of a twofold degenerate 1S state (assumed).
    """
    energy = np.asarray(energy_eV, dtype=float)
    mean = np.asarray(mean_excitons, dtype=float)
    # bands: D + (1…) + E; populations: N + (1…)
    shape = dot.shape + (1,) * mean.ndim + energy.shape
    absorption, emission, unrelaxed_esa, esa, xx_emission = (
        band.reshape(shape) for band in bands(dot, energy)
    )
    ground, exciton, biexciton = (
        p.reshape(mean.shape + (1,) * energy.ndim) for p in populations(mean, statistics)
    )

    def strength(value: ArrayLike) -> FloatArray:
        array = np.broadcast_to(np.asarray(value, dtype=float), dot.shape)
        return array.reshape(dot.shape + (1,) * (mean.ndim + energy.ndim))

    if relaxed_fraction != 1.0:
        emission = relaxed_fraction * emission + (1 - relaxed_fraction) * absorption
        esa = relaxed_fraction * esa + (1 - relaxed_fraction) * unrelaxed_esa
    return GainTerms(
        -ground * absorption,
        0.5 * exciton * emission,
        -0.5 * exciton * strength(dot.xx_absorption_strength) * esa,
        strength(dot.xx_emission_strength) * biexciton * xx_emission,
    )


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
    dot, energy_eV, mean_excitons, statistics, relaxed_fraction
        As for `gain_terms`.

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
    """
    terms = gain_terms(dot, energy_eV, mean_excitons, statistics, relaxed_fraction)
    return sum(terms[1:], start=terms[0])


def exciton_share(
    dot: Dot, energy_eV: ArrayLike, mean_excitons: ArrayLike, statistics: str = "rabi"
) -> FloatArray:
    """Return the part of the stimulated emission that comes from X, the rest coming from XX.

    Parameters
    ----------
    dot, energy_eV, mean_excitons, statistics
        As for `gain_terms`.

    Returns
    -------
    numpy.ndarray
        ½P₁PL_X / (½P₁PL_X + γP₂PL_XX), of shape D + N + E; nan where there is no emission.

    Notes
    -----
    Source: paper section 3.3, "with minor contributions from X".
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
    """
    return np.broadcast_to(np.asarray(dot.xx_emission_strength, dtype=float), dot.shape)
