"""Absorption of CdSe and CsPbBr3 at 400 nm: panel a of figure 10, and which absorbs more."""

from __future__ import annotations

from typing import Any

import numpy as np
from matplotlib.axes import Axes

from qdgain.calibration.plausibility import dot_density_per_cm3
from qdgain.figures.kit import Numbers, band, level, line, panel, points
from qdgain.figures.panel import Axis, Panel
from qdgain.model import cross_sections, first_exciton
from qdgain.model.dot import FloatArray
from qdgain.model.first_exciton import JASIENIAK, YU
from qdgain.run import Run

VOLUME = Axis("volume", "nm³")
_SIGMA = Axis("absorption cross section at 400 nm", "cm²")
_RATIO = Axis("σ_400 of CsPbBr3 / σ_400 of CdSe")
_COUNTED = Axis("counted per")

#: Dots of 2 to 16 nm.
VOLUMES = np.geomspace(4.0, 2000.0, 121)
ENDS = VOLUMES[[0, -1]]
HALF_SPREAD = np.sqrt(cross_sections.PUBLISHED_SPREAD_CSPBBR3)
_RESCALING = {"CdSe": "cdse_rescaling", "CsPbBr3": "cspbbr3_rescaling"}
_WURTZITE, _BLENDE, _CUBIC = cross_sections.UNIT_CELLS.values()
#: What σ is counted per: its part of a headline's key, and how many a nm³ of each material holds.
_COUNTS = {
    "nm³": ("nm3", 1.0, 1.0),
    "cell, CdSe wurtzite": ("wurtzite", 1 / _WURTZITE.volume_nm3, 1 / _CUBIC.volume_nm3),
    "cell, CdSe zinc blende": ("blende", 1 / _BLENDE.volume_nm3, 1 / _CUBIC.volume_nm3),
    "formula unit": ("formula", _WURTZITE.formula_units_per_nm3, _CUBIC.formula_units_per_nm3),
}
#: The size physics of CdSe is usually quoted for: absorption near 600 nm.
_EXAMPLE_NM = 4.6
#: A small dot, where the sources differ.
_SMALL_NM = 2.5
#: Where the film of CdSe/ZnCdS dots has the peak of its first exciton.
_FILM_PEAK_NM = 597.0
_TAILS = {YU: "", JASIENIAK: "-jasieniak"}


def per_nm3(run: Run, material: str) -> tuple[float, float, float]:
    """Return the rescaled σ_400 per nm³ of a dot, and the lowest and highest of assumptions."""
    own = cross_sections.cross_section_400_per_nm3(material, run["host_index"])
    low, high = cross_sections.cross_section_400_range_per_nm3(material)
    factor = float(run[_RESCALING[material]])
    return factor * float(own), factor * low, factor * high


def cross_section_400(run: Run, material: str) -> FloatArray:
    """Return the rescaled σ_400 of dots of `VOLUMES`, in cm²."""
    factor = run[_RESCALING[material]]
    return cross_sections.cross_section_400_cm2(material, VOLUMES, run["host_index"], factor)


def absorption(run: Run) -> Panel:
    """Return panel a: σ at 400 nm against volume for CdSe and CsPbBr3, with their bands."""
    series = []
    for material, dash in (("CdSe", "-"), ("CsPbBr3", "--")):
        sigma, low, high = (one * VOLUMES for one in per_nm3(run, material))
        name = f"{material}, range of assumptions"
        series.append(line(material, VOLUMES, sigma, material, dash))
        series.append(band(name, VOLUMES, low, high, material, y=sigma))
    low, high = sigma / HALF_SPREAD, sigma * HALF_SPREAD
    name = "CsPbBr3, spread of published values"
    series.append(band(name, VOLUMES, low, high, "published spread", y=sigma))
    for (source, curve), dash in zip(first_exciton.SOURCES.items(), (":", "-."), strict=True):
        diameter = first_exciton.cdse_diameter_nm(np.linspace(*curve.range_nm, 61), source)
        volume = cross_sections.sphere_volume_nm3(diameter)
        first = first_exciton.cdse_first_exciton_cross_section_cm2(diameter, source)
        series.append(line(f"CdSe at its first exciton ({source})", volume, first, "CdSe", dash))
    return panel("a", "absorption at 400 nm", VOLUME, _SIGMA, series)


def order(run: Run) -> Panel:
    """Return the ratio of the two materials' σ_400, per volume, unit cell and formula unit."""
    (cdse, *ends), (perovskite, low, high) = (per_nm3(run, m) for m in cross_sections.MATERIALS)
    series = []
    for place, (count, (_, cdse_units, perovskite_units)) in enumerate(_COUNTS.items()):
        scale = cdse_units / perovskite_units
        ratio = scale * (perovskite / cdse)
        spread: dict[str, Any] = {"y_low": ratio / HALF_SPREAD, "y_high": ratio * HALF_SPREAD}
        assumed: dict[str, Any] = {"y_low": scale * low / ends[1], "y_high": scale * high / ends[0]}
        name = f"per {count}"
        series += [
            points(f"{name}, published spread", place, ratio, "published spread", "_", **spread),
            points(name, place, ratio, "CsPbBr3", **assumed),
        ]
    series.append(level("both alike", 1, "reference", ":"))
    return panel("", "which absorbs more", _COUNTED, _RATIO, series)


def finish_absorption(axes: list[Axes], _: object) -> None:
    """Name the grey band."""
    axes[0].text(30, 2.5e-16, "grey: spread of published CsPbBr₃", fontsize=8)


def finish_order(axes: list[Axes], _: object) -> None:
    """Name what is counted, and the two kinds of error bars."""
    (ax,) = axes
    ax.set_xticks(range(len(_COUNTS)), _COUNTS)
    ax.set_xlim(-0.6, len(_COUNTS) - 0.4)
    for height, more in ((1.15, "CsPbBr₃ more (paper)"), (0.7, "CdSe more")):
        ax.text(2.06, height, more, fontsize=8)
    handles, labels = ax.get_legend_handles_labels()
    chosen = [handles[labels.index(f"per nm³{end}")] for end in ("", ", published spread")]
    named = ["range of assumptions", "spread of published values"]
    ax.legend(chosen, named, loc="upper right", ncols=2)


def add_to(n: Numbers, run: Run) -> None:
    """Add the cross sections per nm³, which material absorbs more, and what J_π is worth."""
    for material in cross_sections.MATERIALS:
        n.add("sigma-{material}", 1e16 * per_nm3(run, material)[0], material=material)
    drawn = order(run)
    for count, (key, _, _) in _COUNTS.items():
        n.add("order-{key}", drawn[f"per {count}"].values[0], key=key, counted=count)
    n.add("reversal", 1 / drawn["per nm³"].values[0])
    _of_first_exciton(n, run)
    _of_films(n, run)


def _of_first_exciton(n: Numbers, run: Run) -> None:
    """Add σ_1S and hν/σ_1S of a dot from both sources, and the dot that J_π implies."""
    pulse = run["pi_pulse_fluence_mJ_cm2"]
    n.add("example-diameter", _EXAMPLE_NM)
    n.add("pi-photon-per-sigma", first_exciton.pi_pulse_saturation_fluence_mJ_cm2(pulse))
    of_small = {}
    for source, tail in _TAILS.items():
        sizes = [_SMALL_NM, _EXAMPLE_NM]
        sigma = first_exciton.cdse_first_exciton_cross_section_cm2(sizes, source)
        fluence = first_exciton.cdse_saturation_fluence_mJ_cm2(_EXAMPLE_NM, source)
        diameter = first_exciton.cdse_diameter_from_pi_pulse_nm(pulse, source)
        packed, of_small[source] = dot_density_per_cm3(_EXAMPLE_NM) * sigma[1], sigma[0]
        of: dict[str, Any] = {"tail": tail, "source": source, "size": _EXAMPLE_NM}
        n.add("photon-per-sigma{tail}", fluence, **of)
        n.add("pi-diameter{tail}", diameter, **of)
        n.add("packed-first{tail}", packed, **of)
    n.add("sources-apart", of_small[JASIENIAK] / of_small[YU], size=_SMALL_NM)


def _of_films(n: Numbers, run: Run) -> None:
    """Add what real films absorb, and what dots packed as assumed for a film would."""
    for key, medium, wavelength in (
        ("cdse", "CdSe/ZnCdS film", cross_sections.PUMP_WAVELENGTH_NM),
        ("first", "CdSe/ZnCdS film", _FILM_PEAK_NM),
        ("cspbi3", "CsPbI3 film", cross_sections.PUMP_WAVELENGTH_NM),
    ):
        index = cross_sections.refractive_index(medium, "any", wavelength)
        absorbed = cross_sections.absorption_coefficient_per_cm(index, wavelength)
        n.add("film-{film}", absorbed, film=key, medium=medium, wavelength=wavelength)
    volume = cross_sections.sphere_volume_nm3(_EXAMPLE_NM)
    packed = dot_density_per_cm3(_EXAMPLE_NM) * volume * per_nm3(run, "CdSe")[0]
    n.add("packed-cdse", packed, size=_EXAMPLE_NM)
