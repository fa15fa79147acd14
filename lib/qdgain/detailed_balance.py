r"""Detailed balance between absorption and emission: what a Stokes shift may be at a temperature.

Kennard and Stepanov, and for stimulated emission McCumber: with the exciton's sublevels at thermal
equilibrium, PL_X(E)/A_X(E) = exp((E_Z - E)/kT) for cross sections. Two Gaussians of one width meet
it at every energy if and only if S = s²/kT.
"""

from __future__ import annotations

import numpy as np
import scipy
from numpy.typing import ArrayLike

from qdgain import units
from qdgain.dot import Dot, FloatArray
from qdgain.spectra import band_offsets_meV, detuning_from_absorption_meV, expand, log_bands


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
    shift = balanced_stokes_shift_meV(linewidth_meV, temperature_K)
    return np.asarray(
        2 * scipy.special.expit(-0.5 * shift / units.thermal_energy_meV(temperature_K))
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
