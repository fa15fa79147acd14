"""The gain cross section of pumped dots (Fig 8c to f)."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike

from qdgain.model.bands import bands, expand
from qdgain.model.dot import Dot, FloatArray
from qdgain.model.populations import populations


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
    parts = gain_parts(dot, energy_eV, relaxed_fraction)
    mean = np.asarray(mean_excitons, dtype=float)
    axes = np.ndim(energy_eV)
    shape = dot.shape + (1,) * mean.ndim + np.shape(energy_eV)
    A, P, B, Q = (part.reshape(shape) for part in parts)
    ground, exciton, biexciton = (
        p.reshape(mean.shape + (1,) * axes) for p in populations(mean, statistics)
    )
    return GainTerms(-ground * A, exciton * P, -exciton * B, biexciton * Q)


def gain_parts(
    dot: Dot, energy_eV: ArrayLike, relaxed_fraction: float = 1.0
) -> tuple[FloatArray, ...]:
    """Return A_X, ½PL_X, ½a A_XX2 and γPL_XX, of shape D + E: the gain over the populations.

    Parameters
    ----------
    dot, energy_eV, relaxed_fraction
        As for `gain_terms`.
    """
    absorption, emission, unrelaxed_esa, esa, xx_emission = bands(dot, energy_eV)
    if relaxed_fraction != 1.0:
        emission = relaxed_fraction * emission + (1 - relaxed_fraction) * absorption
        esa = relaxed_fraction * esa + (1 - relaxed_fraction) * unrelaxed_esa
    axes = np.ndim(energy_eV)
    return (
        absorption,
        0.5 * emission,
        0.5 * expand(dot.xx_absorption_strength, dot, axes) * esa,
        expand(dot.xx_emission_strength, dot, axes) * xx_emission,
    )


def weighted(spectra: Sequence[FloatArray], weights: Sequence[FloatArray], dots: int) -> FloatArray:
    """Return the sum of weights times spectra, as one product of matrices.

    Parameters
    ----------
    spectra : sequence of numpy.ndarray
        K spectra of shape D + E.
    weights : sequence of numpy.ndarray
        K weights of shape N.
    dots : int
        How many dimensions D has.

    Returns
    -------
    numpy.ndarray
        Of shape D + N + E.
    """
    shape = spectra[0].shape
    rows = np.stack([s.reshape(*shape[:dots], math.prod(shape[dots:])) for s in spectra], axis=-2)
    columns = np.stack([np.asarray(w).ravel() for w in weights], axis=-1)
    return np.asarray(columns @ rows).reshape(shape[:dots] + np.shape(weights[0]) + shape[dots:])


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
    A, P, B, Q = gain_parts(dot, energy_eV, relaxed_fraction)
    # Linear in three populations: a product of matrices, without the four terms in memory.
    return weighted((-A, P - B, Q), populations(mean_excitons, statistics), len(dot.shape))


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
