"""Conversions between the units of the field, from CODATA constants.

Values have any shape, and those of one function broadcast.
"""

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
    """Return a value as an array; a ParameterError refuses what is not finite and above zero.

    >>> float(positive("linewidth_meV", 80))
    80.0
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
    r"""Return photon energies in eV from vacuum wavelengths: :math:`E = hc/\lambda`.

    >>> round(float(eV_from_nm(400)), 4)
    3.0996
    """
    return np.asarray(_EV_NM / positive("wavelength_nm", wavelength_nm))


def nm_from_eV(energy_eV: ArrayLike) -> FloatArray:
    r"""Return vacuum wavelengths in nm from photon energies: :math:`\lambda = hc/E`.

    >>> round(float(nm_from_eV(2.0)), 2)
    619.92
    """
    return np.asarray(_EV_NM / positive("energy_eV", energy_eV))


def uJ_from_mJ(value_mJ: ArrayLike) -> FloatArray:
    """Return µJ from mJ, for energies and fluences alike.

    >>> float(uJ_from_mJ(0.25))
    250.0
    """
    return np.asarray(value_mJ, dtype=float) * 1e3


def sigma_from_fwhm(fwhm: ArrayLike) -> FloatArray:
    r"""Return a Gaussian's standard deviation: :math:`s = \Gamma/(2\sqrt{2\ln 2})`.

    >>> round(float(sigma_from_fwhm(80)), 2)
    33.97
    """
    return np.asarray(fwhm, dtype=float) / FWHM_PER_SIGMA


def fwhm_from_sigma(sigma: ArrayLike) -> FloatArray:
    r"""Return a Gaussian's full width at half maximum: :math:`\Gamma = 2\sqrt{2\ln 2}\,s`.

    >>> round(float(fwhm_from_sigma(1)), 4)
    2.3548
    """
    return np.asarray(sigma, dtype=float) * FWHM_PER_SIGMA


def thermal_energy_meV(temperature_K: ArrayLike) -> FloatArray:
    """Return kT in meV.

    >>> round(float(thermal_energy_meV(300)), 2)
    25.85
    """
    return _MEV_PER_K * positive("temperature_K", temperature_K)


def photon_energy_mJ(energy_eV: ArrayLike) -> FloatArray:
    """Return the energy of photons in mJ.

    >>> f"{photon_energy_mJ(2.0):.3e}"
    '3.204e-16'
    """
    return positive("energy_eV", energy_eV) * _MILLIJOULE_PER_EV


def photons_per_cm2(fluence_mJ_cm2: ArrayLike, energy_eV: ArrayLike) -> FloatArray:
    r"""Return the photons per cm² of a fluence: :math:`J/h\nu`.

    >>> f"{photons_per_cm2(1.0, 2.0):.3e}"
    '3.121e+15'
    """
    return np.asarray(fluence_mJ_cm2, dtype=float) / photon_energy_mJ(energy_eV)


def transit_time_fs(length_mm: ArrayLike, refractive_index: ArrayLike) -> FloatArray:
    r"""Return the time in fs that light takes through a film: :math:`nL/c`.

    Paper section 3.3 compares it with the relaxation times.

    >>> round(float(transit_time_fs(0.1, 1.8)), 1)
    600.4
    """
    length = positive("length_mm", length_mm)
    return positive("refractive_index", refractive_index) * length * _FS_PER_MM
