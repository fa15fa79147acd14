r"""Detailed balance between absorption and emission: what a Stokes shift may be at a temperature.

Kennard and Stepanov, and for stimulated emission McCumber: with the exciton's sublevels at thermal
equilibrium, PL_X(E)/A_X(E) = exp((E_Z - E)/kT) for cross sections. Two Gaussians of one width meet
it at every energy if and only if S = s²/kT.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import scipy
from numpy.typing import ArrayLike

from qdgain.model import parameters, units
from qdgain.model.bands import (
    band_offsets_meV,
    bands,
    detuning_from_absorption_meV,
    expand,
    log_bands,
)
from qdgain.model.dot import Dot, FloatArray

#: What stays while the other follows, in `balanced_dot`.
KEEPS = ("stokes_shift_meV", "linewidth_meV")
#: The widths that a dot's bands may have of their own.
OWN_WIDTHS = tuple(n for n in parameters.DOT_PARAMETERS if n.endswith("_linewidth_meV"))


def balanced_stokes_shift_meV(linewidth_meV: ArrayLike, temperature_K: ArrayLike) -> FloatArray:
    r"""Return the Stokes shift that detailed balance asks of Gaussian bands of one width.

    :math:`S = s^2/kT,\quad s = \Gamma/(2\sqrt{2\ln 2})`

    Parameters
    ----------
    linewidth_meV : array_like
        Full width at half maximum Γ, homogeneous.
    temperature_K : array_like
        Temperature; shapes broadcast.

    Returns
    -------
    numpy.ndarray
        S in meV.

    Raises
    ------
    ParameterError
        If a width or temperature is not above zero.

    Notes
    -----
    Source: McCumber 1964, DOI 10.1103/PhysRev.136.A954, applied to the Gaussian bands of paper
    section 3.3. It does not apply to a width that comes from a spread of sizes.
    """
    width = units.sigma_from_fwhm(units.positive("linewidth_meV", linewidth_meV))
    return np.asarray(width**2 / units.thermal_energy_meV(temperature_K))


def balanced_linewidth_meV(stokes_shift_meV: ArrayLike, temperature_K: ArrayLike) -> FloatArray:
    r"""Return the width at which a Stokes shift meets detailed balance.

    :math:`\Gamma = 2\sqrt{2\ln 2}\,\sqrt{S\,kT}`, the inverse of `balanced_stokes_shift_meV`.

    Parameters
    ----------
    stokes_shift_meV, temperature_K : array_like
        Shapes broadcast.

    Raises
    ------
    ParameterError
        If a shift or temperature is not above zero.
    """
    shift = units.positive("stokes_shift_meV", stokes_shift_meV)
    return units.fwhm_from_sigma(np.sqrt(shift * units.thermal_energy_meV(temperature_K)))


def balanced_temperature_K(stokes_shift_meV: ArrayLike, linewidth_meV: ArrayLike) -> FloatArray:
    r"""Return the temperature at which a Stokes shift and a width meet detailed balance.

    :math:`T = s^2/(k\,S)`

    Parameters
    ----------
    stokes_shift_meV, linewidth_meV : array_like
        Shapes broadcast.

    Raises
    ------
    ParameterError
        If a shift or width is not above zero.
    """
    shift = units.positive("stokes_shift_meV", stokes_shift_meV)
    width = units.sigma_from_fwhm(units.positive("linewidth_meV", linewidth_meV))
    return units.temperature_from_thermal_energy_K(width**2 / shift)


def zero_phonon_energy_eV(dot: Dot) -> FloatArray:
    """Return E_Z, the energy midway between A_X and PL_X, of shape D.

    There the two unit-peak bands of one width cross; detailed balance makes it the energy of the
    transition without phonons.
    """
    midway = 0.5e-3 * band_offsets_meV(dot).emission
    return np.broadcast_to(np.asarray(dot.absorption_energy_eV) + midway, dot.shape)


def balanced_threshold(dot: Dot, energy_eV: ArrayLike, temperature_K: float) -> FloatArray:
    r"""Return the threshold without excited-state absorption that detailed balance imposes.

    :math:`\langle N\rangle_{th}(E) = 2/\big(1 + e^{(E_Z-E)/kT}\big)`

    Parameters
    ----------
    dot : Dot
        Of shape D; only E_Z is taken from it.
    energy_eV : array_like
        Photon energies of shape E.
    temperature_K : float
        Temperature.

    Returns
    -------
    numpy.ndarray
        ⟨N⟩ of shape D + E. It equals `qdgain.threshold_at_energy` of the uncorrelated dot where
        S = s²/kT.

    Notes
    -----
    Source: ⟨N⟩_th = 2A_X/(A_X + PL_X) of the gain of paper section 3.3 with the McCumber ratio,
    DOI 10.1103/PhysRev.136.A954.
    """
    return np.asarray(2 * scipy.special.expit(-_mccumber_exponent(dot, energy_eV, temperature_K)))


def balanced_threshold_at_emission(
    linewidth_meV: ArrayLike, temperature_K: ArrayLike
) -> FloatArray:
    r"""Return the lowest threshold at the centre of PL_X that detailed balance allows a width.

    :math:`\langle N\rangle_{th} = 2/\big(1 + e^{s^2/2(kT)^2}\big)`

    Parameters
    ----------
    linewidth_meV, temperature_K : array_like
        Full width at half maximum and temperature; shapes broadcast.

    Returns
    -------
    numpy.ndarray
        ⟨N⟩ without excited-state absorption, under Rabi or sequential statistics.

    Raises
    ------
    ParameterError
        If a width or temperature is not above zero.

    Notes
    -----
    `balanced_threshold` at S/2 below E_Z with S = s²/kT: broad lines have the low thresholds.
    """
    return threshold_at_emission_peak(
        balanced_stokes_shift_meV(linewidth_meV, temperature_K), temperature_K
    )


def threshold_at_emission_peak(stokes_shift_meV: ArrayLike, temperature_K: ArrayLike) -> FloatArray:
    r"""Return the threshold at the peak of PL_X that detailed balance imposes on any line shape.

    :math:`\langle N\rangle_{th} = 2/\big(1 + e^{S/2kT}\big)`

    Parameters
    ----------
    stokes_shift_meV : array_like
        Peak of A_X less peak of PL_X, not below zero.
    temperature_K : array_like
        Temperature; shapes broadcast.

    Returns
    -------
    numpy.ndarray
        ⟨N⟩ without excited-state absorption, under Rabi or sequential statistics. No width enters.

    Notes
    -----
    `balanced_threshold` at the peak of PL_X, which lies S/2 below E_Z if PL_X is the mirror image
    of A_X, as it is for displaced oscillators.
    """
    shift = np.asarray(stokes_shift_meV, dtype=float)
    return np.asarray(
        2 * scipy.special.expit(-0.5 * shift / units.thermal_energy_meV(temperature_K))
    )


def stokes_shift_for_threshold_meV(
    mean_excitons: ArrayLike, temperature_K: ArrayLike
) -> FloatArray:
    r"""Return the Stokes shift that a threshold at the peak of PL_X takes in detailed balance.

    :math:`S = 2kT\,\ln\big(2/\langle N\rangle_{th}-1\big)`, the inverse of
    `threshold_at_emission_peak`.

    Parameters
    ----------
    mean_excitons : array_like
        Threshold ⟨N⟩ without excited-state absorption, from 0 to 1.
    temperature_K : array_like
        Temperature; shapes broadcast.
    """
    mean = np.asarray(mean_excitons, dtype=float)
    return np.asarray(2 * units.thermal_energy_meV(temperature_K) * np.log(2 / mean - 1))


def fine_structure_threshold(
    splitting_meV: ArrayLike, temperature_K: ArrayLike, upper_states: ArrayLike = 1.0
) -> FloatArray:
    r"""Return the threshold on the lower of two split, narrow lines in detailed balance.

    :math:`\langle N\rangle_{th} = 2(1+q)/(2+q),\quad q = g\,e^{-\delta/kT}`

    Parameters
    ----------
    splitting_meV : array_like
        Splitting δ of X_A above X_E, wide against both lines.
    temperature_K : array_like
        Temperature of the exciton among its states.
    upper_states : array_like
        States g at X_A for each one at X_E.

    Returns
    -------
    numpy.ndarray
        ⟨N⟩ without excited-state absorption: never below 1, for X_E absorbs where it emits.

    Notes
    -----
    `balanced_threshold` at X_E with the free energy
    :math:`E_Z = E_{X_E} - kT\ln(1+q)` of the exciton. Source: McCumber 1964,
    DOI 10.1103/PhysRev.136.A954, for the 3LS of paper section 3.1.
    """
    exponent = np.asarray(splitting_meV, dtype=float) / units.thermal_energy_meV(temperature_K)
    excited = np.asarray(upper_states, dtype=float) * np.exp(-exponent)
    return np.asarray(2 * (1 + excited) / (2 + excited))


def biexciton_stokes_shift_meV(dot: Dot) -> FloatArray:
    r"""Return the Stokes shift of the biexciton: centre of A_XX2 less centre of PL_XX, of shape D.

    :math:`S_{XX} = S + \Delta_E - \Delta_{A2}`

    Notes
    -----
    Both bands join the relaxed exciton with the biexciton, so that detailed balance holds for
    them as it does for A_X and PL_X: bands of the width s must have :math:`S_{XX}=s^2/kT`, and if
    all four share it, Δ_A2 = Δ_E. That PL_XX ends in the state that A_XX2 starts from, and that
    the biexciton is thermal, is assumed.
    """
    offsets = band_offsets_meV(dot)
    return np.broadcast_to(offsets.xx_absorption - offsets.xx_emission, dot.shape)


def balanced_dot(dot: Dot, temperature_K: ArrayLike, keep: str, *, biexciton: bool = False) -> Dot:
    """Return a dot moved into detailed balance, all of its bands having one width.

    Parameters
    ----------
    dot : Dot
        Of shape D. Own widths of its bands are given up for the shared one.
    temperature_K : array_like
        Temperature, of a shape that broadcasts with D.
    keep : {"stokes_shift_meV", "linewidth_meV"}
        What stays; the other follows.
    biexciton : bool
        Whether the biexciton's bands are moved too: Δ_A2 to Δ_E.

    Returns
    -------
    Dot

    Raises
    ------
    ParameterError
        If what follows is out of the contract's range.
    """
    if keep not in KEEPS:
        raise parameters.ParameterError(f"keep = {keep!r} is not one of {', '.join(KEEPS)}.")
    follows, value = (
        ("linewidth_meV", balanced_linewidth_meV(dot.stokes_shift_meV, temperature_K))
        if keep == "stokes_shift_meV"
        else ("stokes_shift_meV", balanced_stokes_shift_meV(dot.linewidth_meV, temperature_K))
    )
    changes: dict[str, Any] = dict.fromkeys(OWN_WIDTHS)
    changes[follows] = value
    if biexciton:
        changes["absorptive_binding_meV"] = dot.emissive_binding_meV
    return replace(dot, **changes)


def threshold_bounds(dot: Dot, energy_eV: ArrayLike) -> tuple[FloatArray, FloatArray]:
    r"""Return the thresholds of the exciton and of the biexciton alone, of shape D + E.

    :math:`2A_X/(A_X+PL_X)` and :math:`2aA_{XX2}/(aA_{XX2}+\gamma PL_{XX})`. Under Rabi statistics
    the threshold lies between the two at every energy, because
    :math:`G = (1-n)(nPL_X-(1-n)A_X) + n(n\gamma PL_{XX}-(1-n)aA_{XX2})`: excited-state absorption
    can raise it no further than to the second.
    """
    at = bands(dot, energy_eV)
    axes = np.ndim(energy_eV)
    loss = expand(dot.xx_absorption_strength, dot, axes) * at.xx_absorption
    gain = expand(dot.xx_emission_strength, dot, axes) * at.xx_emission
    return (
        2 * at.absorption / (at.absorption + at.emission),
        2 * loss / (loss + gain),
    )


def log_emission_ratio(dot: Dot, energy_eV: ArrayLike) -> FloatArray:
    """Return ln(PL_X/A_X) of a dot's own bands, of shape D + E."""
    logs = log_bands(dot, detuning_from_absorption_meV(dot, energy_eV))
    return np.asarray(logs.emission - logs.absorption)


def balance_deviation(dot: Dot, energy_eV: ArrayLike, temperature_K: float) -> FloatArray:
    r"""Return by how much a dot's bands miss detailed balance: zero everywhere if they meet it.

    :math:`\ln(PL_X/A_X) - (E_Z-E)/kT`

    Parameters
    ----------
    dot : Dot
        Of shape D; its own widths of A_X and PL_X count.
    energy_eV : array_like
        Photon energies of shape E.
    temperature_K : float
        Temperature.

    Returns
    -------
    numpy.ndarray
        Of shape D + E. Positive: more emission than a thermal exciton could give there.

    Notes
    -----
    Source: Kennard-Stepanov relation in McCumber's form, DOI 10.1103/PhysRev.136.A954.
    """
    return log_emission_ratio(dot, energy_eV) - _mccumber_exponent(dot, energy_eV, temperature_K)


def _mccumber_exponent(dot: Dot, energy_eV: ArrayLike, temperature_K: float) -> FloatArray:
    """Return (E_Z - E)/kT of shape D + E."""
    energy = np.asarray(energy_eV, dtype=float)
    centre = expand(zero_phonon_energy_eV(dot), dot, energy.ndim)
    return np.asarray(1e3 * (centre - energy) / units.thermal_energy_meV(temperature_K))
