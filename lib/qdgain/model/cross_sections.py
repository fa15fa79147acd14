"""Absorption cross sections of CdSe and CsPbBr3 dots at 400 nm, from published values and n, k."""

from __future__ import annotations

import csv
from collections.abc import Mapping
from functools import cache
from importlib import resources
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from qdgain.model import parameters, units
from qdgain.model.dot import FloatArray
from qdgain.model.parameters import ParameterError

MATERIALS = ("CdSe", "CsPbBr3")

#: Pump wavelength of paper Fig 10.
PUMP_WAVELENGTH_NM = 400.0
#: Where Leatherdale 2002 measured CdSe.
_LEATHERDALE_WAVELENGTH_NM = 350.0
#: C_abs(350 nm) = 5.501e5 a³ cm⁻¹ with the radius a in cm, DOI 10.1021/jp025698c; here per volume.
_LEATHERDALE_PER_CM = 5.501e5 / (4 * np.pi / 3)
#: Refractive indices of the common hosts, from hexane to toluene.
HOST_INDEX_RANGE = (1.37, 1.53)
#: Published CsPbBr3 cross sections at 3.1 eV differ by "nearly an order of magnitude": Nguyen et
#: al. 2020, arXiv 2004.05093. Drawn as that factor from top to bottom, centred by assumption.
PUBLISHED_SPREAD_CSPBBR3 = 10.0

_CM2_PER_NM3_CM = 1e-21


class UnitCell(NamedTuple):
    """A crystal's conventional unit cell."""

    material: str
    volume_nm3: float
    formula_units: int

    @property
    def formula_units_per_nm3(self) -> float:
        """How many formula units a nm³ holds."""
        return self.formula_units / self.volume_nm3


#: Lattice constants in nm; the volumes follow.
UNIT_CELLS: Mapping[str, UnitCell] = {
    # a = 4.299 Å, c = 7.010 Å: Wyckoff, Crystal Structures 1 (1963), 111.
    "CdSe wurtzite": UnitCell("CdSe", float(np.sqrt(3) / 2 * 0.4299**2 * 0.7010), 2),
    # a = 6.077 Å: Samarth et al., Appl. Phys. Lett. 54 (1989), 2680.
    "CdSe zinc blende": UnitCell("CdSe", 0.6077**3, 4),
    # a = 5.874 Å: Møller 1958, DOI 10.1038/1821436a0, as commonly quoted; the phase above
    # 130 °C, taken as the cell of the nanocrystal.
    "CsPbBr3 cubic": UnitCell("CsPbBr3", 0.5874**3, 1),
}


def sphere_volume_nm3(diameter_nm: ArrayLike) -> FloatArray:
    """Return the volume of a sphere, π D³/6, in nm³.

    >>> round(float(sphere_volume_nm3(4.6)), 1)
    51.0
    """
    return np.pi / 6 * units.positive("diameter_nm", diameter_nm) ** 3


def sphere_diameter_nm(volume_nm3: ArrayLike) -> FloatArray:
    """Return the diameter of a sphere in nm, the inverse of `sphere_volume_nm3`.

    >>> round(float(sphere_diameter_nm(50.965)), 2)
    4.6
    """
    return np.cbrt(6 / np.pi * units.positive("volume_nm3", volume_nm3))


@cache
def _optical_constants() -> Mapping[tuple[str, str], NDArray[np.float64]]:
    """Read (material, ray) -> rows of wavelength, n, k."""
    text = resources.files("qdgain").joinpath("data/optical_constants.csv").read_text("utf-8")
    rows: dict[tuple[str, str], list[list[float]]] = {}
    for row in csv.DictReader(text.splitlines()):
        values = [float(row["wavelength_nm"]), float(row["n"]), float(row["k"])]
        rows.setdefault((row["material"], row["ray"]), []).append(values)
    return {key: np.array(value) for key, value in rows.items()}


def refractive_index(material: str, ray: str, wavelength_nm: float) -> complex:
    """Return the index n + ik, interpolated between the neighbours in the published table.

    Of the bulk, "CdSe hexagonal" with an "ordinary" and an "extraordinary" ray, "CdSe cubic" and
    "CsPbBr3" with "any"; of films of dots, "CdSe/ZnCdS film" and "CsPbI3 film" with "any". Rows are
    kept near 400 nm, for bulk CdSe near 350 nm and for its film near 597 nm, the peak of its first
    exciton; a ParameterError refuses the rest. Source: CdSe, Ninomiya and Adachi 1995,
    DOI 10.1063/1.359815; CsPbBr3, Brennan et al. 2024, DOI 10.1557/s43579-024-00576-x; the films,
    Aftenieva et al. 2023, DOI 10.1002/adom.202202226 and 10.1021/acsnano.2c09482; all as tabulated
    by refractiveindex.info (public domain, CC0).

    >>> print(f"{refractive_index('CsPbBr3', 'any', 400):.3f}")
    2.203+0.257j
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


def absorption_coefficient_per_cm(index: complex, wavelength_nm: float) -> float:
    r"""Return the absorption coefficient of a medium n + ik, :math:`4\pi k/\lambda`, in cm⁻¹.

    >>> round(absorption_coefficient_per_cm(1.791 + 0.082j, 400.0))
    25761
    """
    return float(4 * np.pi * index.imag / (wavelength_nm * 1e-7))


def small_sphere_absorption_per_cm(
    index: complex, host_index: ArrayLike, wavelength_nm: float
) -> FloatArray:
    r"""Return the absorption cross section per volume of a small sphere in a host, in cm⁻¹.

    :math:`\sigma/V = \frac{2\pi n_h}{\lambda}\,3\,\mathrm{Im}
    \frac{m^2-n_h^2}{m^2+2n_h^2},\quad m = n + ik`, with the index n_h of the transparent host and
    the vacuum wavelength λ, much larger than the sphere: the dilute limit of Maxwell Garnett's
    mixing rule. Without confinement, so far above the band edge only. Source: Bohren and Huffman
    1983, DOI 10.1002/9783527618156, section 5.2.

    >>> f"{small_sphere_absorption_per_cm(2.2 + 0.26j, 1.4, 400):.3g}"
    '5.77e+04'
    """
    host = np.asarray(host_index, dtype=float)
    polarisability = 3 * (index**2 - host**2) / (index**2 + 2 * host**2)
    return np.asarray(2 * np.pi * host / (wavelength_nm * 1e-7) * polarisability.imag)


def _bulk_per_cm(crystal: str, host_index: ArrayLike, wavelength_nm: float) -> FloatArray:
    """Average over random orientations of the crystal's optical axis, if it has one."""

    def along(ray: str) -> FloatArray:
        index = refractive_index(crystal, ray, wavelength_nm)
        return small_sphere_absorption_per_cm(index, host_index, wavelength_nm)

    if crystal != "CdSe hexagonal":
        return along("any")
    return (2 * along("ordinary") + along("extraordinary")) / 3


def cross_section_400_per_nm3(material: str, host_index: ArrayLike | None = None) -> FloatArray:
    r"""Return σ at 400 nm per nm³ of dot, in cm² nm⁻³, of the shape of the host's index.

    CdSe: the measured :math:`C_{abs}(350\,\mathrm{nm}) = 5.501\cdot10^5\,a^3\,\mathrm{cm}^{-1}` of
    Leatherdale 2002, DOI 10.1021/jp025698c, scaled to 400 nm by the ratio of
    `small_sphere_absorption_per_cm` of hexagonal CdSe. CsPbBr3: `small_sphere_absorption_per_cm`.
    n, k as for `refractive_index`. A ParameterError refuses an unknown material or an index out of
    the contract's range, whose default stands for no index.

    >>> f"{cross_section_400_per_nm3('CdSe', 1.4):.3g}"
    '1.03e-16'
    """
    default = parameters.parameter("host_index").default
    host = parameters.check("host_index", default if host_index is None else host_index)
    if material == "CdSe":
        at_400 = _bulk_per_cm("CdSe hexagonal", host, PUMP_WAVELENGTH_NM)
        at_350 = _bulk_per_cm("CdSe hexagonal", host, _LEATHERDALE_WAVELENGTH_NM)
        return np.asarray(_LEATHERDALE_PER_CM * (at_400 / at_350) * _CM2_PER_NM3_CM)
    if material == "CsPbBr3":
        return _bulk_per_cm("CsPbBr3", host, PUMP_WAVELENGTH_NM) * _CM2_PER_NM3_CM
    raise ParameterError(f"material = {material!r} is not one of {', '.join(MATERIALS)}.")


def cross_section_400_range_per_nm3(material: str) -> tuple[float, float]:
    """Return the lowest and highest σ_400 per nm³ that our own choices allow, in cm² nm⁻³.

    Over the hosts of `HOST_INDEX_RANGE`; for CdSe also over both crystal structures, and with and
    without the measured value at 350 nm.

    >>> [f"{end:.3g}" for end in cross_section_400_range_per_nm3("CdSe")]
    ['9.59e-17', '1.14e-16']
    """
    host = np.asarray(HOST_INDEX_RANGE)
    ways = [cross_section_400_per_nm3(material, host)]
    if material == "CdSe":
        for crystal in ("CdSe hexagonal", "CdSe cubic"):
            at_400 = _bulk_per_cm(crystal, host, PUMP_WAVELENGTH_NM)
            at_350 = _bulk_per_cm(crystal, host, _LEATHERDALE_WAVELENGTH_NM)
            scaled = _LEATHERDALE_PER_CM * at_400 / at_350
            ways += [at_400 * _CM2_PER_NM3_CM, scaled * _CM2_PER_NM3_CM]
    return float(np.min(ways)), float(np.max(ways))


def cross_section_400_cm2(
    material: str, volume_nm3: ArrayLike, host_index: float | None = None, rescaling: float = 1.0
) -> FloatArray:
    r"""Return the cross section at 400 nm in cm²: :math:`\sigma_{400} = f\,(\sigma/V)\,V`.

    σ/V is `cross_section_400_per_nm3`; the factor f, 1 for none, moves a curve onto a measured
    point, as in paper section 3.4 and Fig 10a. A ParameterError refuses a volume or factor not
    above zero, and what `cross_section_400_per_nm3` refuses.

    >>> [f"{sigma:.3g}" for sigma in cross_section_400_cm2("CdSe", [50, 100])]
    ['5.12e-15', '1.02e-14']
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

    Source: paper Fig 10b, ⟨N⟩_th = J_th σ_400, which leaves out hν.

    >>> round(float(mean_excitons_absorbed(0.1, 5e-15)), 2)
    1.01
    """
    photons = units.photons_per_cm2(fluence_mJ_cm2, units.eV_from_nm(wavelength_nm))
    return np.asarray(photons * np.asarray(cross_section_cm2, dtype=float))


def fluence_for_excitons_absorbed(
    mean_excitons: ArrayLike,
    cross_section_cm2: ArrayLike,
    wavelength_nm: ArrayLike = PUMP_WAVELENGTH_NM,
) -> FloatArray:
    r"""Return the fluence in mJ cm⁻² at which a dot absorbs ⟨N⟩ photons: :math:`J = N h\nu/\sigma`.

    The inverse of `mean_excitons_absorbed`.

    >>> round(float(fluence_for_excitons_absorbed(1.0, 5e-15)), 4)
    0.0993
    """
    sigma = units.positive("cross_section_cm2", cross_section_cm2)
    energy = units.photon_energy_mJ(units.eV_from_nm(wavelength_nm))
    return np.asarray(mean_excitons, dtype=float) * energy / sigma
