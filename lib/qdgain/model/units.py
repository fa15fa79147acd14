"""Conversions between the units of the field, from CODATA constants."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike
from scipy import constants

from qdgain.model.bands import FWHM_PER_SIGMA
from qdgain.model.dot import FloatArray
from qdgain.model.parameters import ParameterError

_EV_NM = constants.h * constants.c / constants.e * 1e9
_MEV_PER_K = constants.k / constants.e * 1e3
_MILLIJOULE_PER_EV = constants.e * 1e3
_FS_PER_MM = 1e12 / constants.c


def positive(name: str, value: ArrayLike) -> FloatArray:
    """Return the value as an array, or refuse what is not a finite number above zero.

    Raises
    ------
    ParameterError
        Naming the parameter and the value.
    """
    array = np.asarray(value)
    if array.dtype.kind not in "iuf":
        raise ParameterError(f"{name} = {value!r} is not allowed: give a number above 0.")
    bad = ~(np.isfinite(array) & (array > 0))
    if bad.any():
        raise ParameterError(
            f"{name} = {array[bad].flat[0]:g} is not allowed: give a number above 0."
        )
    return array.astype(float)


def eV_from_nm(wavelength_nm: ArrayLike) -> FloatArray:
    r"""Return photon energies in eV: :math:`E = hc/\lambda`.

    Parameters
    ----------
    wavelength_nm : array_like
        Vacuum wavelengths, of any shape.

    Raises
    ------
    ParameterError
        If a wavelength is not above zero.
    """
    return np.asarray(_EV_NM / positive("wavelength_nm", wavelength_nm))


def nm_from_eV(energy_eV: ArrayLike) -> FloatArray:
    r"""Return vacuum wavelengths in nm: :math:`\lambda = hc/E`.

    Parameters
    ----------
    energy_eV : array_like
        Photon energies, of any shape.

    Raises
    ------
    ParameterError
        If an energy is not above zero.
    """
    return np.asarray(_EV_NM / positive("energy_eV", energy_eV))


def uJ_from_mJ(value_mJ: ArrayLike) -> FloatArray:
    """Return µJ from mJ, for energies and fluences alike."""
    return np.asarray(value_mJ, dtype=float) * 1e3


def mJ_from_uJ(value_uJ: ArrayLike) -> FloatArray:
    """Return mJ from µJ, for energies and fluences alike."""
    return np.asarray(value_uJ, dtype=float) * 1e-3


def sigma_from_fwhm(fwhm: ArrayLike) -> FloatArray:
    r"""Return a Gaussian's standard deviation: :math:`s = \Gamma/(2\sqrt{2\ln 2})`."""
    return np.asarray(fwhm, dtype=float) / FWHM_PER_SIGMA


def fwhm_from_sigma(sigma: ArrayLike) -> FloatArray:
    r"""Return a Gaussian's full width at half maximum: :math:`\Gamma = 2\sqrt{2\ln 2}\,s`."""
    return np.asarray(sigma, dtype=float) * FWHM_PER_SIGMA


def thermal_energy_meV(temperature_K: ArrayLike) -> FloatArray:
    """Return kT in meV.

    Raises
    ------
    ParameterError
        If a temperature is not above zero.
    """
    return _MEV_PER_K * positive("temperature_K", temperature_K)


def temperature_from_thermal_energy_K(thermal_energy_meV: ArrayLike) -> FloatArray:
    """Return T in K from kT in meV."""
    return np.asarray(thermal_energy_meV, dtype=float) / _MEV_PER_K


def photon_energy_mJ(energy_eV: ArrayLike) -> FloatArray:
    """Return the energy of photons in mJ.

    Raises
    ------
    ParameterError
        If an energy is not above zero.
    """
    return positive("energy_eV", energy_eV) * _MILLIJOULE_PER_EV


def photons_per_cm2(fluence_mJ_cm2: ArrayLike, energy_eV: ArrayLike) -> FloatArray:
    r"""Return the photons per cm² of a fluence: :math:`J/h\nu`.

    Parameters
    ----------
    fluence_mJ_cm2, energy_eV : array_like
        Pump fluence and photon energy, of shapes that broadcast.

    Raises
    ------
    ParameterError
        If a photon energy is not above zero.
    """
    return np.asarray(fluence_mJ_cm2, dtype=float) / photon_energy_mJ(energy_eV)


def transit_time_fs(length_mm: ArrayLike, refractive_index: ArrayLike) -> FloatArray:
    r"""Return the time in fs that light takes through a film: :math:`nL/c`.

    Parameters
    ----------
    length_mm, refractive_index : array_like
        Thickness and index, of shapes that broadcast.

    Raises
    ------
    ParameterError
        If one is not above zero.

    Notes
    -----
    Source: paper section 3.3 compares it with the relaxation times.
    """
    length = positive("length_mm", length_mm)
    return positive("refractive_index", refractive_index) * length * _FS_PER_MM
