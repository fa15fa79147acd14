r"""CdSe dots at their first exciton: size, extinction and cross section, from two sources.

Yu 2003, DOI 10.1021/cm034081k, is the paper's ref. 108; Jasieniak 2009, DOI 10.1021/jp906827m,
measured the same quantities again. From 5 nm on the two agree within ten per cent; at 2.5 nm the
newer extinction is more than twice the older. What depends on them is therefore given for both.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike
from scipy import constants

from qdgain.model import units
from qdgain.model.cross_sections import fluence_for_excitons_absorbed
from qdgain.model.dot import FloatArray
from qdgain.model.parameters import ParameterError
from qdgain.model.populations import photons_per_fluence_cm2_mJ


class SizingCurve(NamedTuple):
    """Coefficients of D(λ) in nm, highest power first, and the wavelengths where they hold."""

    coefficients: tuple[float, ...]
    range_nm: tuple[float, float]


YU, JASIENIAK = "Yu 2003", "Jasieniak 2009"
#: Yu 2003: where its samples lie (assumed from their sizes). Jasieniak 2009: 2 to 8 nm.
SOURCES: Mapping[str, SizingCurve] = {
    YU: SizingCurve((1.6122e-9, -2.6575e-6, 1.6242e-3, -0.4277, 41.57), (430.0, 670.0)),
    JASIENIAK: SizingCurve(
        (1.62974e-9, -2.85743e-6, 1.8873e-3, -0.54736, 59.60816), (458.0, 658.0)
    ),
}
YU_POWER = 2.65
#: Full width at half maximum of the sample's band that Jasieniak 2009 refers to.
SAMPLE_LINEWIDTH_MEV = 120.0
_CM2_PER_EXTINCTION = np.log(10) * 1e3 / constants.N_A
_ROUNDING_NM = 1e-9


def cdse_diameter_nm(first_exciton_nm: ArrayLike, source: str = YU) -> FloatArray:
    r"""Return the diameter of a CdSe dot from the wavelength of its first exciton.

    Yu 2003: :math:`D = 1.6122\cdot10^{-9}\lambda^4 - 2.6575\cdot10^{-6}\lambda^3
    + 1.6242\cdot10^{-3}\lambda^2 - 0.4277\lambda + 41.57`. Jasieniak 2009:
    :math:`D = 1.62974\cdot10^{-9}\lambda^4 - 2.85743\cdot10^{-6}\lambda^3
    + 1.8873\cdot10^{-3}\lambda^2 - 0.54736\lambda + 59.60816`. A ParameterError refuses an
    unknown source and a wavelength outside its range.

    >>> [round(float(cdse_diameter_nm(600, name)), 2) for name in SOURCES]
    [4.58, 4.63]
    """
    wavelength = units.positive("first_exciton_nm", first_exciton_nm)
    curve = _curve(source)
    _refuse_beyond_the_curve("first_exciton_nm", wavelength, *curve.range_nm, "g")
    return np.asarray(np.polyval(curve.coefficients, wavelength))


def cdse_first_exciton_nm(diameter_nm: ArrayLike, source: str = YU) -> FloatArray:
    """Return the wavelength of the first exciton of a CdSe dot, the inverse of `cdse_diameter_nm`.

    >>> round(float(cdse_first_exciton_nm(4.6)), 1)
    600.4
    """
    diameter = units.positive("diameter_nm", diameter_nm)
    wavelength = np.linspace(*_curve(source).range_nm, 24001)
    curve = np.polyval(_curve(source).coefficients, wavelength)
    _refuse_beyond_the_curve("diameter_nm", diameter, curve[0], curve[-1], ".2f")
    return np.interp(diameter, curve, wavelength)


def _curve(source: str) -> SizingCurve:
    if source not in SOURCES:
        raise ParameterError(f"source = {source!r} is not one of {', '.join(SOURCES)}.")
    return SOURCES[source]


def _refuse_beyond_the_curve(
    name: str, value: FloatArray, low: float, high: float, digits: str
) -> None:
    bad = (value < low - _ROUNDING_NM) | (value > high + _ROUNDING_NM)
    if bad.any():
        raise ParameterError(
            f"{name} = {value[bad].flat[0]:g} is not allowed: the CdSe sizing curve holds "
            f"from {low:{digits}} to {high:{digits}} nm."
        )


def cdse_extinction_per_M_cm(diameter_nm: ArrayLike, source: str = YU) -> FloatArray:
    r"""Return the decadic molar extinction at the first exciton, in M⁻¹ cm⁻¹.

    Yu 2003: :math:`5857\,D^{2.65}`. Jasieniak 2009: :math:`155507
    + 6.67054\cdot10^{13}\,e^{-E/0.10551\,\mathrm{eV}}` at the energy E of the first exciton, for a
    sample of `SAMPLE_LINEWIDTH_MEV`; a narrower band is higher in proportion.

    >>> [f"{cdse_extinction_per_M_cm(2.5, name):.3g}" for name in SOURCES]
    ['6.64e+04', '1.61e+05']
    """
    if source == YU:
        return 5857.0 * units.positive("diameter_nm", diameter_nm) ** YU_POWER
    energy = units.eV_from_nm(cdse_first_exciton_nm(diameter_nm, source))
    return np.asarray(155507.0 + 6.67054e13 * np.exp(-energy / 0.10551))


def cdse_first_exciton_cross_section_cm2(diameter_nm: ArrayLike, source: str = YU) -> FloatArray:
    r"""Return the absorption cross section of a CdSe dot at its first exciton, in cm².

    :math:`\sigma_{1S} = 1000\ln(10)\,\epsilon/N_A = 3.824\cdot10^{-21}\,\epsilon`, with ε as in
    `cdse_extinction_per_M_cm`.

    >>> f"{cdse_first_exciton_cross_section_cm2(4.6):.3g}"
    '1.28e-15'
    """
    return np.asarray(_CM2_PER_EXTINCTION * cdse_extinction_per_M_cm(diameter_nm, source))


def cdse_saturation_fluence_mJ_cm2(diameter_nm: ArrayLike, source: str = YU) -> FloatArray:
    r"""Return the fluence at which a CdSe dot absorbs one photon of its own first exciton.

    :math:`J_s = h\nu/\sigma_{1S}` in mJ cm⁻², both of the same dot.

    >>> [round(float(cdse_saturation_fluence_mJ_cm2(4.6, name)), 3) for name in SOURCES]
    [0.259, 0.242]
    """
    sigma = cdse_first_exciton_cross_section_cm2(diameter_nm, source)
    wavelength = cdse_first_exciton_nm(diameter_nm, source)
    return fluence_for_excitons_absorbed(1.0, sigma, wavelength)


def pi_pulse_saturation_fluence_mJ_cm2(pi_pulse_fluence_mJ_cm2: float) -> float:
    r"""Return the hν/σ that a π-pulse fluence implies at low fluence: :math:`2J_\pi/\pi^2`.

    The slope of the Rabi law of `qdgain.mean_excitons_after_pulse`; no photon energy is needed.

    >>> round(pi_pulse_saturation_fluence_mJ_cm2(1.6), 3)
    0.324
    """
    return 1.0 / float(photons_per_fluence_cm2_mJ(pi_pulse_fluence_mJ_cm2))


def cdse_diameter_from_pi_pulse_nm(pi_pulse_fluence_mJ_cm2: float, source: str = YU) -> float:
    r"""Return the diameter of the CdSe dot that has the hν/σ of a π-pulse fluence.

    Photon energy and cross section are both the dot's own, pumped at its first exciton; nan where
    no dot in the range of the source has them.

    >>> round(cdse_diameter_from_pi_pulse_nm(1.489), 2)
    4.36
    """
    wavelength = np.linspace(*_curve(source).range_nm, 2401)
    diameter = cdse_diameter_nm(wavelength, source)
    fluence = cdse_saturation_fluence_mJ_cm2(diameter, source)  # falls as the dot grows
    wanted = pi_pulse_saturation_fluence_mJ_cm2(pi_pulse_fluence_mJ_cm2)
    return float(np.interp(-wanted, -fluence, diameter, left=np.nan, right=np.nan))
