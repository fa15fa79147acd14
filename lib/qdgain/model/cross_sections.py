"""Absorption cross sections of CdSe and CsPbBr3 dots, from published extinction and bulk n, k."""

from __future__ import annotations

import csv
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib import resources
from types import MappingProxyType

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy import constants

from qdgain.model import parameters, units
from qdgain.model.dot import FloatArray
from qdgain.model.parameters import ParameterError
from qdgain.model.populations import photons_per_fluence_cm2_mJ

MATERIALS = ("CdSe", "CsPbBr3")

#: Pump wavelength of paper Fig 10.
PUMP_WAVELENGTH_NM = 400.0
#: Where Leatherdale 2002 measured CdSe.
_LEATHERDALE_WAVELENGTH_NM = 350.0
#: C_abs(350 nm) = 5.501e5 a³ cm⁻¹ with the radius a in cm, DOI 10.1021/jp025698c; here per volume.
_LEATHERDALE_PER_CM = 5.501e5 / (4 * np.pi / 3)
#: Refractive indices of the common hosts, hexane to toluene, over which the bands are drawn.
HOST_INDEX_RANGE = (1.37, 1.53)
#: Published CsPbBr3 cross sections at 3.1 eV differ by "nearly an order of magnitude": Nguyen et
#: al. 2020, arXiv 2004.05093. Drawn as that factor from top to bottom, centred by assumption.
PUBLISHED_SPREAD_CSPBBR3 = 10.0

_CM2_PER_NM3_CM = 1e-21
_CM2_PER_EXTINCTION = np.log(10) * 1e3 / constants.N_A
_YU_EXTINCTION, YU_POWER = 5857.0, 2.65
_YU_SIZING = (1.6122e-9, -2.6575e-6, 1.6242e-3, -0.4277, 41.57)
#: The calibration samples of Yu 2003 lie within these first-exciton wavelengths.
YU_RANGE_NM = (430.0, 670.0)


@dataclass(frozen=True)
class UnitCell:
    """A crystal's conventional unit cell, with the source of its lattice constants."""

    material: str
    structure: str
    volume_nm3: float
    formula_units: int
    source: str


#: Lattice constants in nm; the volumes follow.
UNIT_CELLS: Mapping[str, UnitCell] = MappingProxyType(
    {
        "CdSe wurtzite": UnitCell(
            "CdSe",
            "wurtzite",
            float(np.sqrt(3) / 2 * 0.4299**2 * 0.7010),
            2,
            "a = 4.299 Å, c = 7.010 Å: Wyckoff, Crystal Structures 1 (1963), 111",
        ),
        "CdSe zinc blende": UnitCell(
            "CdSe",
            "zinc blende",
            0.6077**3,
            4,
            "a = 6.077 Å: Samarth et al., Appl. Phys. Lett. 54 (1989), 2680",
        ),
        "CsPbBr3 cubic": UnitCell(
            "CsPbBr3",
            "cubic",
            0.5874**3,
            1,
            "a = 5.874 Å: Møller 1958, DOI 10.1038/1821436a0, as commonly quoted; the phase "
            "above 130 °C, taken as the cell of the nanocrystal",
        ),
    }
)


def sphere_volume_nm3(diameter_nm: ArrayLike) -> FloatArray:
    """Return the volume of a sphere, π D³/6, in nm³."""
    return np.pi / 6 * units.positive("diameter_nm", diameter_nm) ** 3


def sphere_diameter_nm(volume_nm3: ArrayLike) -> FloatArray:
    """Return the diameter of a sphere in nm."""
    return np.cbrt(6 / np.pi * units.positive("volume_nm3", volume_nm3))


def cdse_diameter_nm(first_exciton_nm: ArrayLike) -> FloatArray:
    r"""Return the diameter of a CdSe dot from the wavelength of its first exciton.

    :math:`D = 1.6122\cdot10^{-9}\lambda^4 - 2.6575\cdot10^{-6}\lambda^3
    + 1.6242\cdot10^{-3}\lambda^2 - 0.4277\lambda + 41.57`

    Parameters
    ----------
    first_exciton_nm : array_like
        Wavelength λ of the first absorption peak in nm, within `YU_RANGE_NM`.

    Returns
    -------
    numpy.ndarray
        D in nm.

    Raises
    ------
    ParameterError
        If a wavelength lies outside the calibration.

    Notes
    -----
    Source: Yu 2003, DOI 10.1021/cm034081k (the paper's ref. 108). The range is assumed from the
    sizes of its samples.
    """
    wavelength = units.positive("first_exciton_nm", first_exciton_nm)
    low, high = YU_RANGE_NM
    bad = (wavelength < low) | (wavelength > high)
    if bad.any():
        raise ParameterError(
            f"first_exciton_nm = {wavelength[bad].flat[0]:g} is not allowed: the CdSe sizing "
            f"curve holds from {low:g} to {high:g} nm."
        )
    return np.asarray(np.polyval(_YU_SIZING, wavelength))


def cdse_first_exciton_nm(diameter_nm: ArrayLike) -> FloatArray:
    """Return the wavelength of the first exciton of a CdSe dot, the inverse of `cdse_diameter_nm`.

    A root of the quartic within `YU_RANGE_NM`, by interpolation of the (monotonic) curve.

    Raises
    ------
    ParameterError
        If a diameter lies outside the calibration.
    """
    diameter = units.positive("diameter_nm", diameter_nm)
    wavelength = np.linspace(*YU_RANGE_NM, 24001)
    curve = np.polyval(_YU_SIZING, wavelength)
    rounding = 1e-9
    bad = (diameter < curve[0] - rounding) | (diameter > curve[-1] + rounding)
    if bad.any():
        raise ParameterError(
            f"diameter_nm = {diameter[bad].flat[0]:g} is not allowed: the CdSe sizing curve holds "
            f"from {curve[0]:.2f} to {curve[-1]:.2f} nm."
        )
    return np.interp(diameter, curve, wavelength)


def cdse_extinction_per_M_cm(diameter_nm: ArrayLike) -> FloatArray:
    r"""Return the molar extinction at the first exciton: :math:`5857\,D^{2.65}` M⁻¹ cm⁻¹.

    Notes
    -----
    Source: Yu 2003, DOI 10.1021/cm034081k.
    """
    return _YU_EXTINCTION * units.positive("diameter_nm", diameter_nm) ** YU_POWER


def cdse_first_exciton_cross_section_cm2(diameter_nm: ArrayLike) -> FloatArray:
    r"""Return the absorption cross section of a CdSe dot at its first exciton, in cm².

    :math:`\sigma_{1S} = 1000\ln(10)\,\epsilon/N_A = 3.824\cdot10^{-21}\,\epsilon`

    Notes
    -----
    Source: Yu 2003, DOI 10.1021/cm034081k.
    """
    return np.asarray(_CM2_PER_EXTINCTION * cdse_extinction_per_M_cm(diameter_nm))


def cdse_diameter_from_cross_section_nm(cross_section_cm2: ArrayLike) -> FloatArray:
    """Return the diameter of the CdSe dot with a given σ_1S, in nm."""
    sigma = units.positive("cross_section_cm2", cross_section_cm2)
    return np.asarray((sigma / (_CM2_PER_EXTINCTION * _YU_EXTINCTION)) ** (1 / YU_POWER))


def cross_section_from_pi_pulse_cm2(
    pi_pulse_fluence_mJ_cm2: float, energy_eV: ArrayLike
) -> FloatArray:
    r"""Return the cross section that a π-pulse fluence implies at low fluence, in cm².

    :math:`\sigma = \pi^2 h\nu/(2 J_\pi)`, that is :math:`h\nu/\sigma = 2J_\pi/\pi^2`.

    Parameters
    ----------
    pi_pulse_fluence_mJ_cm2 : float
        Fluence of a π pulse.
    energy_eV : array_like
        Photon energy of the pump.

    Notes
    -----
    Source: slope of the Rabi law at low fluence, see `qdgain.mean_excitons_after_pulse`.
    """
    return units.photon_energy_mJ(energy_eV) * photons_per_fluence_cm2_mJ(pi_pulse_fluence_mJ_cm2)


@cache
def _optical_constants() -> Mapping[tuple[str, str], NDArray[np.float64]]:
    """Read (material, ray) -> rows of wavelength, n, k."""
    text = resources.files("qdgain").joinpath("data/optical_constants.csv").read_text("utf-8")
    rows: dict[tuple[str, str], list[list[float]]] = {}
    for row in csv.DictReader(text.splitlines()):
        values = [float(row["wavelength_nm"]), float(row["n"]), float(row["k"])]
        rows.setdefault((row["material"], row["ray"]), []).append(values)
    return MappingProxyType({key: np.array(value) for key, value in rows.items()})


def refractive_index(material: str, ray: str, wavelength_nm: float) -> complex:
    """Return the bulk index n + ik, interpolated between the neighbours in the published table.

    Parameters
    ----------
    material : {"CdSe hexagonal", "CdSe cubic", "CsPbBr3"}
        Crystal.
    ray : {"ordinary", "extraordinary", "any"}
        Polarisation, where it counts.
    wavelength_nm : float
        350 or 400 nm for CdSe, 400 nm for CsPbBr3: only those rows of the tables are kept.

    Raises
    ------
    ParameterError
        If the tables have no such crystal, ray or wavelength.

    Notes
    -----
    Source: CdSe, Ninomiya and Adachi 1995, DOI 10.1063/1.359815; CsPbBr3, Brennan et al. 2024,
    DOI 10.1557/s43579-024-00576-x; both as tabulated by refractiveindex.info (public domain, CC0).
    """
    table = _optical_constants()
    if (material, ray) not in table:
        known = "; ".join(f"{m}, {r}" for m, r in table)
        raise ParameterError(f"material = {material!r}, ray = {ray!r} is not one of: {known}.")
    wavelength, n, k = table[material, ray].T
    # Neighbours must be close: nothing is interpolated across the gap between 350 and 400 nm.
    if np.min(np.abs(wavelength - wavelength_nm)) > 1.0:
        raise ParameterError(
            f"wavelength_nm = {wavelength_nm:g} is not allowed: {material} is tabulated near "
            f"{', '.join(f'{w:g}' for w in wavelength)} nm only."
        )
    return complex(np.interp(wavelength_nm, wavelength, n), np.interp(wavelength_nm, wavelength, k))


def small_sphere_absorption_per_cm(
    index: complex, host_index: ArrayLike, wavelength_nm: float
) -> FloatArray:
    r"""Return the absorption cross section per volume of a small sphere in a host, in cm⁻¹.

    :math:`\sigma/V = \frac{2\pi n_h}{\lambda}\,3\,\mathrm{Im}
    \frac{m^2-n_h^2}{m^2+2n_h^2},\quad m = n + ik`

    Parameters
    ----------
    index : complex
        Bulk index m of the sphere.
    host_index : array_like
        Index n_h of the transparent host, of any shape.
    wavelength_nm : float
        Vacuum wavelength λ, much larger than the sphere.

    Notes
    -----
    The dilute limit of Maxwell Garnett's mixing rule. Without confinement: far above the band edge
    only. Source: Bohren and Huffman 1983, DOI 10.1002/9783527618156, section 5.2.
    """
    host = np.asarray(host_index, dtype=float)
    polarisability = 3 * (index**2 - host**2) / (index**2 + 2 * host**2)
    return np.asarray(2 * np.pi * host / (wavelength_nm * 1e-7) * polarisability.imag)


def _cdse_hexagonal_per_cm(host_index: ArrayLike, wavelength_nm: float) -> FloatArray:
    """Average the two rays over random orientations of the optical axis."""
    ordinary, extraordinary = (
        small_sphere_absorption_per_cm(
            refractive_index("CdSe hexagonal", ray, wavelength_nm), host_index, wavelength_nm
        )
        for ray in ("ordinary", "extraordinary")
    )
    return (2 * ordinary + extraordinary) / 3


def _cdse_cubic_per_cm(host_index: ArrayLike, wavelength_nm: float) -> FloatArray:
    index = refractive_index("CdSe cubic", "any", wavelength_nm)
    return small_sphere_absorption_per_cm(index, host_index, wavelength_nm)


def cross_section_400_per_nm3(material: str, host_index: ArrayLike | None = None) -> FloatArray:
    r"""Return σ at 400 nm per nm³ of dot, in cm² nm⁻³.

    CdSe: the measured :math:`C_{abs}(350\,\mathrm{nm}) = 5.501\cdot10^5\,a^3\,\mathrm{cm}^{-1}`,
    scaled to 400 nm by the ratio of `small_sphere_absorption_per_cm` of hexagonal CdSe. CsPbBr3:
    `small_sphere_absorption_per_cm`.

    Parameters
    ----------
    material : {"CdSe", "CsPbBr3"}
        Which dot.
    host_index : array_like, optional
        Refractive index of the host; the contract's default if left out.

    Returns
    -------
    numpy.ndarray
        Of the shape of host_index.

    Raises
    ------
    ParameterError
        For an unknown material or an index out of range.

    Notes
    -----
    Source: Leatherdale 2002, DOI 10.1021/jp025698c; n, k as for `refractive_index`.
    """
    host = parameters.check(
        "host_index",
        parameters.parameter("host_index").default if host_index is None else host_index,
    )
    if material == "CdSe":
        ratio = _cdse_hexagonal_per_cm(host, PUMP_WAVELENGTH_NM) / _cdse_hexagonal_per_cm(
            host, _LEATHERDALE_WAVELENGTH_NM
        )
        return np.asarray(_LEATHERDALE_PER_CM * ratio * _CM2_PER_NM3_CM)
    if material == "CsPbBr3":
        index = refractive_index("CsPbBr3", "any", PUMP_WAVELENGTH_NM)
        per_cm = small_sphere_absorption_per_cm(index, host, PUMP_WAVELENGTH_NM)
        return np.asarray(per_cm * _CM2_PER_NM3_CM)
    raise ParameterError(f"material = {material!r} is not one of {', '.join(MATERIALS)}.")


def cross_section_400_range_per_nm3(material: str) -> tuple[float, float]:
    """Return the lowest and highest σ_400 per nm³ that our own choices allow, in cm² nm⁻³.

    Over the hosts of `HOST_INDEX_RANGE`; for CdSe also over both crystal structures, and with and
    without the measured value at 350 nm.

    Raises
    ------
    ParameterError
        For an unknown material.
    """
    host = np.asarray(HOST_INDEX_RANGE)
    ways = [cross_section_400_per_nm3(material, host)]
    if material == "CdSe":
        for per_cm in (_cdse_hexagonal_per_cm, _cdse_cubic_per_cm):
            at_400 = per_cm(host, PUMP_WAVELENGTH_NM)
            scaled = _LEATHERDALE_PER_CM * at_400 / per_cm(host, _LEATHERDALE_WAVELENGTH_NM)
            ways += [at_400 * _CM2_PER_NM3_CM, scaled * _CM2_PER_NM3_CM]
    return float(np.min(ways)), float(np.max(ways))


def cross_section_400_cm2(
    material: str,
    volume_nm3: ArrayLike,
    host_index: float | None = None,
    rescaling: float = 1.0,
) -> FloatArray:
    r"""Return the absorption cross section at 400 nm: :math:`\sigma_{400} = f\,(\sigma/V)\,V`.

    Parameters
    ----------
    material : {"CdSe", "CsPbBr3"}
        Which dot.
    volume_nm3 : array_like
        Volumes V, of any shape.
    host_index : float, optional
        Refractive index of the host; the contract's default if left out.
    rescaling : float
        The factor f by which a curve is moved onto a measured point; 1 for none.

    Returns
    -------
    numpy.ndarray
        σ_400 in cm², of the shape of the volumes.

    Raises
    ------
    ParameterError
        For an unknown material, a volume not above zero or an index out of range.

    Notes
    -----
    Source: as for `cross_section_400_per_nm3`; paper section 3.4 and Fig 10a for the rescaling.
    """
    volume = units.positive("volume_nm3", volume_nm3)
    factor = units.positive("rescaling", rescaling)
    return np.asarray(factor * cross_section_400_per_nm3(material, host_index) * volume)


def mean_excitons_absorbed(
    fluence_mJ_cm2: ArrayLike,
    cross_section_cm2: ArrayLike,
    wavelength_nm: float = PUMP_WAVELENGTH_NM,
) -> FloatArray:
    r"""Return the photons absorbed per dot at low fluence: :math:`\langle N\rangle = J\sigma/h\nu`.

    Parameters
    ----------
    fluence_mJ_cm2, cross_section_cm2 : array_like
        J and σ, of shapes that broadcast.
    wavelength_nm : float
        Pump wavelength.

    Notes
    -----
    Source: paper Fig 10b, ⟨N⟩_th = J_th σ_400, which leaves out hν.
    """
    photons = units.photons_per_cm2(fluence_mJ_cm2, units.eV_from_nm(wavelength_nm))
    return np.asarray(photons * np.asarray(cross_section_cm2, dtype=float))


def fluence_for_excitons_absorbed(
    mean_excitons: ArrayLike,
    cross_section_cm2: ArrayLike,
    wavelength_nm: float = PUMP_WAVELENGTH_NM,
) -> FloatArray:
    r"""Return the fluence in mJ cm⁻² at which a dot absorbs ⟨N⟩ photons: :math:`J = N h\nu/\sigma`.

    The inverse of `mean_excitons_absorbed`.
    """
    sigma = units.positive("cross_section_cm2", cross_section_cm2)
    energy = units.photon_energy_mJ(units.eV_from_nm(wavelength_nm))
    return np.asarray(mean_excitons, dtype=float) * energy / sigma
