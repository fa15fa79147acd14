"""Figure 10: absorption at 400 nm, the universal threshold, and what would lower it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any, NamedTuple

import numpy as np
from matplotlib.figure import Figure as Picture
from numpy.typing import ArrayLike

from qdgain import chapters
from qdgain.beyond import levers
from qdgain.figures import kit, style
from qdgain.figures.panel import Axis, Panel, Series
from qdgain.model import balance as detailed_balance
from qdgain.model import cross_sections, units
from qdgain.model.dot import Dot, FloatArray
from qdgain.paper.claims import Headline
from qdgain.paper.thresholds import MeasuredThreshold, measured_thresholds, size_dependence
from qdgain.run import YOUR_DOT, Run
from qdgain.table import Table

SETTINGS = chapters.SETTINGS["fig10"]

_VOLUME = Axis("volume", "nm³")
_SIGMA = Axis("absorption cross section at 400 nm", "cm²")
_RATIO = Axis("σ_400 of CsPbBr3 / σ_400 of CdSe")
_COUNTED = Axis("counted per")
_THRESHOLD = Axis("threshold ⟨N⟩")
_ROW = Axis("row of the table of published thresholds (size not public)")
_STOKES = Axis("Stokes shift S", "meV")
_EMISSIVE = Axis("emissive biexciton binding Δ_E", "meV")

#: Dots of 2 to 16 nm.
_VOLUMES = np.geomspace(4.0, 2000.0, 121)
_ENDS = _VOLUMES[[0, -1]]
_RESCALING = {"CdSe": "cdse_rescaling", "CsPbBr3": "cspbbr3_rescaling"}
#: The dot the predictions start from: the one that stands for today's dots in the paper.
_TODAY = "3LS+ESA"
_MAXIMUM = "at gain maximum"
_SLUGS = {_MAXIMUM: "maximum", "onset": "onset"}
_COUNTS = ("nm³", "cell, CdSe wurtzite", "cell, CdSe zinc blende", "formula unit")


def _per_nm3(run: Run, material: str) -> float:
    factor = run[_RESCALING[material]]
    return float(factor * cross_sections.cross_section_400_per_nm3(material, run["host_index"]))


def _range_per_nm3(run: Run, material: str) -> FloatArray:
    factor = float(run[_RESCALING[material]])
    return factor * np.array(cross_sections.cross_section_400_range_per_nm3(material))


# --- panel a


def absorption(run: Run) -> Panel:
    """Return panel a: σ at 400 nm against volume for CdSe and CsPbBr3, with their bands."""
    series = []
    for material, dash in (("CdSe", "-"), ("CsPbBr3", "--")):
        sigma = _per_nm3(run, material) * _VOLUMES
        low, high = _range_per_nm3(run, material)
        series.append(
            Series(material, _VOLUMES, sigma, _VOLUME, _SIGMA, quantity=material, dash=dash)
        )
        series.append(
            Series(
                f"{material}, range of assumptions",
                _VOLUMES,
                sigma,
                _VOLUME,
                _SIGMA,
                y_low=low * _VOLUMES,
                y_high=high * _VOLUMES,
                quantity=material,
                kind="band",
            )
        )
    half = np.sqrt(cross_sections.PUBLISHED_SPREAD_CSPBBR3)
    published = _per_nm3(run, "CsPbBr3") * _VOLUMES
    series.append(
        Series(
            "CsPbBr3, spread of published values",
            _VOLUMES,
            published,
            _VOLUME,
            _SIGMA,
            y_low=published / half,
            y_high=published * half,
            quantity="published spread",
            kind="band",
        )
    )
    diameter = cross_sections.cdse_diameter_nm(np.linspace(*cross_sections.YU_RANGE_NM, 61))
    series.append(
        Series(
            "CdSe at its first exciton (Yu 2003)",
            cross_sections.sphere_volume_nm3(diameter),
            cross_sections.cdse_first_exciton_cross_section_cm2(diameter),
            _VOLUME,
            _SIGMA,
            quantity="CdSe",
            dash=":",
        )
    )
    return Panel("a", "absorption at 400 nm", tuple(series))


def draw_absorption(panel: Panel) -> Picture:
    """Draw panel a."""
    with style.book_style():
        figure = style.new_figure(6.4, 4.0)
        ax = figure.subplots()
        style.draw_panel(ax, panel, legend="upper left")
        ax.set(xscale="log", yscale="log", xlim=_ENDS)
    return figure


def _units_per_nm3() -> dict[str, tuple[float, float]]:
    """How many of each unit a nm³ of CdSe and of CsPbBr3 holds."""
    cells = cross_sections.UNIT_CELLS
    wurtzite, blende = cells["CdSe wurtzite"], cells["CdSe zinc blende"]
    cubic = cells["CsPbBr3 cubic"]
    return {
        "nm³": (1.0, 1.0),
        "cell, CdSe wurtzite": (1 / wurtzite.volume_nm3, 1 / cubic.volume_nm3),
        "cell, CdSe zinc blende": (1 / blende.volume_nm3, 1 / cubic.volume_nm3),
        "formula unit": (
            wurtzite.formula_units / wurtzite.volume_nm3,
            cubic.formula_units / cubic.volume_nm3,
        ),
    }


def order(run: Run) -> Panel:
    """Return the ratio of the two materials' σ_400, per volume, unit cell and formula unit."""
    cdse, perovskite = _range_per_nm3(run, "CdSe"), _range_per_nm3(run, "CsPbBr3")
    half = np.sqrt(cross_sections.PUBLISHED_SPREAD_CSPBBR3)
    middle = _per_nm3(run, "CsPbBr3") / _per_nm3(run, "CdSe")
    series = []
    for place, (name, (cdse_units, perovskite_units)) in enumerate(_units_per_nm3().items()):
        scale = cdse_units / perovskite_units
        ratio = scale * middle
        series += [
            Series(
                f"per {name}, published spread",
                place,
                ratio,
                _COUNTED,
                _RATIO,
                y_low=ratio / half,
                y_high=ratio * half,
                quantity="published spread",
                kind="points",
                dash="_",
            ),
            Series(
                f"per {name}",
                place,
                ratio,
                _COUNTED,
                _RATIO,
                y_low=scale * perovskite[0] / cdse[1],
                y_high=scale * perovskite[1] / cdse[0],
                quantity="CsPbBr3",
                kind="points",
                dash="o",
            ),
        ]
    series.append(
        Series("both alike", 0, 1, _COUNTED, _RATIO, quantity="reference", kind="level", dash=":")
    )
    return Panel("", "which absorbs more", tuple(series))


def draw_order(panel: Panel) -> Picture:
    """Draw the ratio of the two materials' cross sections."""
    with style.book_style():
        figure = style.new_figure(6.4, 3.2)
        ax = figure.subplots()
        style.draw_panel(ax, panel, legend=None)
        ax.set(yscale="log", xlim=(-0.6, len(_COUNTS) - 0.4))
        ax.set_xticks(range(len(_COUNTS)), _COUNTS)
        handles, labels = ax.get_legend_handles_labels()
        chosen = [labels.index(f"per {_COUNTS[0]}{end}") for end in ("", ", published spread")]
        ax.legend(
            [handles[i] for i in chosen],
            ["range of assumptions", "spread of published values"],
            loc="upper right",
            ncols=2,
        )
        ax.set_ylim(0.1, 20)
    return figure


# --- panel b


class Engineered(NamedTuple):
    """What changing the biexciton interactions of a dot can do under one definition."""

    wanted: float
    lowest_by_absorptive: float
    absorptive_meV: float
    emissive_meV: float
    emissive_without_esa_meV: float
    away: Dot
    best: Dot


def engineered(run: Run, dot: Dot, definition: str = _MAXIMUM) -> Engineered:
    """Search the biexciton shifts that lower a dot's threshold by the wanted factor.

    First Δ_A2 alone, then Δ_E alone, then Δ_E with ESA out of resonance (Δ_A2 at its best).
    """
    how = _how(run, definition)
    wanted = float(levers.threshold_of(dot, **how)) / run["xx_reduction"]
    harmless, lowest = levers.lowest_over(dot, "absorptive_binding_meV", **how)
    away = replace(dot, absorptive_binding_meV=harmless)
    emissive = levers.nearest_value_for(away, "emissive_binding_meV", wanted, **how)
    best = replace(away, emissive_binding_meV=emissive) if np.isfinite(emissive) else away
    absorptive = np.inf
    if lowest <= wanted:
        absorptive = levers.nearest_value_for(dot, "absorptive_binding_meV", wanted, **how)
    return Engineered(
        wanted,
        lowest,
        absorptive,
        levers.nearest_value_for(dot, "emissive_binding_meV", wanted, **how),
        emissive,
        away,
        best,
    )


def _how(run: Run, definition: str = _MAXIMUM) -> dict[str, Any]:
    return {
        "definition": definition,
        "floor": run["floor"],
        "statistics": run["statistics"],
    }


def _threshold(run: Run, dot: Dot) -> float:
    return float(levers.threshold_of(dot, **_how(run)))


def level_schemes(run: Run) -> Mapping[str, Dot]:
    """Return the 4LS and the 5LS, without and with ESA.

    A 5LS has the splitting of the 3LS and the displacement of the 4LS, so its Stokes shift is the
    sum of theirs.
    """
    splitting = np.asarray(run.dots["3LS"].stokes_shift_meV)
    schemes = {}
    for esa in ("", "+ESA"):
        four = run.dots[f"4LS{esa}"]
        shift = float(splitting + np.asarray(four.stokes_shift_meV))
        schemes[f"4LS{esa}"] = four
        schemes[f"5LS{esa}"] = replace(four, stokes_shift_meV=shift)
    return schemes


def universal(run: Run) -> Panel:
    """Return panel b: thresholds ⟨N⟩ against volume, predicted and published."""
    today = run.dots[_TODAY]
    changed = engineered(run, today)
    threshold = _threshold(run, today)
    # Light harvesting: the fluence falls, and with it the count made with the bare core's σ.
    core = cross_sections.cross_section_400_cm2(
        "CdSe", _VOLUMES, run["host_index"], run["cdse_rescaling"]
    )
    fluence = cross_sections.fluence_for_excitons_absorbed(threshold, core * run["harvest_ratio"])
    counted = cross_sections.mean_excitons_absorbed(fluence, core)
    lines: list[tuple[str, ArrayLike, ArrayLike, str, str]] = [
        (f"universal: {_TODAY}", _ENDS, [threshold] * 2, "at gain maximum", "-"),
        (
            "XX engineering, Δ_A2 alone",
            _ENDS,
            [_threshold(run, changed.away)] * 2,
            "XX engineering",
            ":",
        ),
        (
            "XX engineering, Δ_A2 and Δ_E",
            _ENDS,
            [_threshold(run, changed.best)] * 2,
            "XX engineering",
            "-",
        ),
        ("light harvesting, core's share", _VOLUMES, counted, "light harvesting", "-."),
    ]
    for name, dot in level_schemes(run).items():
        scheme, dash = name.removesuffix("+ESA"), "--" if name.endswith("+ESA") else "-"
        lines.append((name, _ENDS, [_threshold(run, dot)] * 2, scheme, dash))
    for name, dot in run.dots.items():
        if name.startswith(YOUR_DOT):
            dash = "--" if name.endswith("+ESA") else "-"
            lines.append((name, _ENDS, [_threshold(run, dot)] * 2, YOUR_DOT, dash))
    series = [
        Series(name, volume, value, _VOLUME, _THRESHOLD, quantity=quantity, dash=dash)
        for name, volume, value, quantity, dash in lines
    ]
    return Panel("b", "gain thresholds", (*series, *_fluence_lines(run), *_published_points()))


def _fluence_lines(run: Run) -> list[Series]:
    """Return what a fluence alone says: ⟨N⟩ = Jσ/hν, a line through all volumes."""
    lines = []
    for row in measured_thresholds():
        if row.quantity == "fluence" and row.material in cross_sections.MATERIALS:
            sigma = cross_sections.cross_section_400_cm2(
                row.material, _VOLUMES, run["host_index"], run[_RESCALING[row.material]]
            )
            lines.append(
                Series(
                    f"{row.label.removesuffix(', fluence')}: "
                    f"{units.uJ_from_mJ(row.value):g} µJ cm⁻²",
                    _VOLUMES,
                    cross_sections.mean_excitons_absorbed(row.value, sigma),
                    _VOLUME,
                    _THRESHOLD,
                    quantity=row.material,
                    dash=":",
                )
            )
    return lines


def _published_points() -> list[Series]:
    """Return the published ⟨N⟩, by row of the table where no size places it on the axis."""
    points = []
    for number, row in enumerate(measured_thresholds(), start=1):
        if row.quantity == "mean excitons" and np.isfinite(row.value):
            marker = "v" if row.bound else {"SE": "o", "ASE": "s"}[row.measurement]
            place = row.volume_nm3 if row.has_volume else number
            points.append(
                Series(
                    f"{number}: {row.label}",
                    place,
                    row.value,
                    _VOLUME if row.has_volume else _ROW,
                    _THRESHOLD,
                    quantity=row.material,
                    kind="points",
                    dash=marker,
                )
            )
    return points


def draw_universal(panel: Panel) -> Picture:
    """Draw panel b: predictions to the left; to the right the points whose size is not public."""
    with style.book_style():
        figure = style.new_figure(8.0, 5.0)
        main, side = figure.subplots(1, 2, sharey=True, width_ratios=(2.2, 1))
        rows = []
        for series in panel.of_kind("line", "points"):
            ax = side if series.x_axis == _ROW else main
            style.draw_series(ax, series)
            if series.x_axis == _ROW:
                rows.append(int(np.asarray(series.x)[0]))
        main.set(xscale="log", yscale="log", xlim=_ENDS, ylim=(0.05, 6))
        main.set_yticks([0.1, 0.3, 1.0, 3.0], ["0.1", "0.3", "1", "3"])
        main.set_xlabel(_VOLUME.label)
        main.set_ylabel(_THRESHOLD.label)
        main.set_title(panel.title)
        style.letter(main, panel.letter)
        side.set_xticks(rows)
        side.tick_params(labelsize=7)
        side.set_xlabel("published, size not public:\nrow of the table below")
        side.margins(x=0.08)
        side.grid(axis="y", linewidth=0.4)
        handles, labels = main.get_legend_handles_labels()
        figure.legend(handles, labels, loc="outside lower center", ncols=3, fontsize=7)
        key = [
            side.plot([], [], color="black", marker=marker, linestyle="none", label=label)[0]
            for label, marker in (("SE", "o"), ("ASE", "s"), ("upper bound", "v"))
        ]
        key += [
            side.plot([], [], color=style.colour(name), marker="d", linestyle="none", label=name)[0]
            for name in dict.fromkeys(row.material for row in measured_thresholds())
        ]
        side.legend(handles=key, loc="lower left", ncols=2, fontsize=7, columnspacing=1)
    return figure


class PublishedTable(Table):
    """The published thresholds with their sources."""

    def __init__(self) -> None:
        header = (
            "row",
            "dot",
            "measured by",
            "pump",
            "threshold",
            "volume",
            "read in",
            "note",
            "DOI",
        )
        rows = [
            (
                str(number),
                row.label,
                row.measurement,
                row.pump,
                _quoted(row),
                f"{row.volume_nm3:g} nm³" if row.has_volume else "not public",
                row.seen_in,
                row.note,
                row.doi,
            )
            for number, row in enumerate(measured_thresholds(), start=1)
        ]
        super().__init__(header, rows)


def _quoted(row: MeasuredThreshold) -> str:
    """Return a published threshold as it was printed."""
    if not np.isfinite(row.value):
        return "not public"
    sign = "< " if row.bound else ""
    if row.quantity == "mean excitons":
        return f"⟨N⟩ {sign}{row.value:g}" if sign else f"⟨N⟩ = {row.value:g}"
    fluence = units.uJ_from_mJ(row.value)
    if np.isfinite(row.low) and np.isfinite(row.high):
        error = 0.5 * units.uJ_from_mJ(row.high - row.low)
        return f"{sign}{fluence:g} ± {error:.3g} µJ cm⁻²"
    return f"{sign}{fluence:g} µJ cm⁻²"


# --- where the predicted lines come from


def towards_zero(run: Run) -> tuple[Panel, ...]:
    """Return the thresholds against Δ_E and against S, behind the predictions of panel b."""
    today = run.dots[_TODAY]
    changed = engineered(run, today)
    harmless = float(np.asarray(changed.away.absorptive_binding_meV))
    width = float(np.asarray(today.linewidth_meV))
    emissive = np.linspace(-width, 2 * width, 201)
    by_binding = [
        Series(
            name,
            emissive,
            levers.threshold_of(replace(dot, emissive_binding_meV=emissive), **_how(run)),
            _EMISSIVE,
            _THRESHOLD,
            quantity="XX engineering",
            dash=dash,
        )
        for name, dot, dash in (
            (_TODAY, today, "--"),
            (
                f"ESA away, Δ_A2 = {harmless:.3g} meV".replace("-", "−"),
                changed.away,
                "-",
            ),
        )
    ]
    by_binding.append(
        _goal(run, changed.wanted, f"1/{run['xx_reduction']:g} of the 3LS+ESA", _EMISSIVE)
    )
    shift = np.linspace(0.0, 1.5 * width, 201)
    names = [("3LS", "3LS", "-"), (_TODAY, "3LS", "--")]
    if not run.is_papers:
        names += [(YOUR_DOT, YOUR_DOT, "-"), (f"{YOUR_DOT}+ESA", YOUR_DOT, "--")]
    by_shift = [
        Series(
            name,
            shift,
            levers.threshold_of(replace(run.dots[name], stokes_shift_meV=shift), **_how(run)),
            _STOKES,
            _THRESHOLD,
            quantity=quantity,
            dash=dash,
        )
        for name, quantity, dash in names
    ]
    by_shift.append(_goal(run, run["low_threshold"], f"⟨N⟩ = {run['low_threshold']:g}", _STOKES))
    balanced = float(
        detailed_balance.balanced_stokes_shift_meV(today.linewidth_meV, run["temperature_K"])
    )
    by_shift.append(
        Series(
            f"detailed balance, {run['temperature_K']:g} K",
            [balanced, balanced],
            [1e-3, 2],
            _STOKES,
            _THRESHOLD,
            quantity="reference",
            dash=":",
        )
    )
    return (
        Panel("", "XX engineering", tuple(by_binding)),
        Panel("", "4LS and 5LS", tuple(by_shift)),
    )


def _goal(run: Run, value: float, name: str, axis: Axis) -> Series:
    return Series(
        f"goal: {name}", 0, value, axis, _THRESHOLD, quantity="reference", kind="level", dash="-."
    )


def draw_towards_zero(panels: tuple[Panel, ...]) -> Picture:
    """Draw the thresholds behind the predictions."""
    with style.book_style():
        figure = style.new_figure(8.0, 3.4)
        for ax, panel in zip(figure.subplots(1, 2, sharey=True), panels, strict=True):
            style.draw_panel(ax, panel, legend=None)
            ax.legend(loc="upper center", bbox_to_anchor=(0.5, -0.16), ncols=2)
            ax.set(yscale="log", ylim=(0.01, 3))
    return figure


#: What the chapter draws: name -> (series, drawing).
FIGURES = {
    "absorption": kit.Figure(absorption, draw_absorption),
    "order": kit.Figure(order, draw_order),
    "universal": kit.Figure(universal, draw_universal),
    "towards_zero": kit.Figure(towards_zero, draw_towards_zero),
}


# --- numbers


def headlines(run: Run) -> tuple[Headline, ...]:
    """Return the chapter's numbers: those that answer the paper's statements, and the checks."""
    return (
        *_absorption_headlines(run),
        *_pi_pulse_headlines(run),
        *_universal_headlines(run),
        *_engineering_headlines(run),
        *_harvest_headlines(run),
        *_thresholdless_headlines(run),
        *_your_headlines(run),
    )


def _absorption_headlines(run: Run) -> list[Headline]:
    rows = []
    for material in cross_sections.MATERIALS:
        low, high = _range_per_nm3(run, material)
        slug = material.lower()
        rows += [
            Headline(
                f"fig10-sigma-{slug}", f"σ_400, {material}", _per_nm3(run, material), "cm² nm⁻³"
            ),
            Headline(f"fig10-sigma-{slug}-low", f"lowest σ_400, {material}", low, "cm² nm⁻³"),
            Headline(f"fig10-sigma-{slug}-high", f"highest σ_400, {material}", high, "cm² nm⁻³"),
        ]
    panel = order(run)
    keys = ("F10-order", "fig10-order-wurtzite", "fig10-order-blende", "fig10-order-formula")
    rows += [
        Headline(key, f"σ_400 CsPbBr3 / CdSe per {name}", float(panel[f"per {name}"].values[0]))
        for key, name in zip(keys, _COUNTS, strict=True)
    ]
    rows.append(
        Headline(
            "fig10-reversal",
            "relative rescaling at which both absorb alike per nm³",
            1 / float(panel[f"per {_COUNTS[0]}"].values[0]),
        )
    )
    return rows


#: The size physics of CdSe is usually quoted for: absorption near 600 nm.
_EXAMPLE_DIAMETER_NM = 4.6


def _pi_pulse_headlines(run: Run) -> list[Headline]:
    """Compare the calibrated π-pulse fluence with the measured cross section."""
    sigma = float(cross_sections.cdse_first_exciton_cross_section_cm2(_EXAMPLE_DIAMETER_NM))
    wavelength = cross_sections.cdse_first_exciton_nm(_EXAMPLE_DIAMETER_NM)
    photon = units.photon_energy_mJ(units.eV_from_nm(wavelength))
    implied = float(
        cross_sections.cross_section_from_pi_pulse_cm2(
            run["pi_pulse_fluence_mJ_cm2"], run.dots[_TODAY].absorption_energy_eV
        )
    )
    return [
        Headline(
            "fig10-example-diameter",
            "diameter of the CdSe dot compared",
            _EXAMPLE_DIAMETER_NM,
            "nm",
        ),
        Headline(
            "fig10-sigma-1s", f"σ_1S of a CdSe dot of {_EXAMPLE_DIAMETER_NM:g} nm", sigma, "cm²"
        ),
        Headline(
            "fig10-photon-per-sigma",
            f"hν/σ_1S of a CdSe dot of {_EXAMPLE_DIAMETER_NM:g} nm",
            float(photon / sigma),
            "mJ cm⁻²",
        ),
        Headline(
            "fig10-pi-photon-per-sigma",
            "hν/σ of the model, 2J_π/π²",
            float(units.photon_energy_mJ(run.dots[_TODAY].absorption_energy_eV) / implied),
            "mJ cm⁻²",
        ),
        Headline(
            "fig10-pi-diameter",
            "CdSe diameter that J_π implies",
            float(cross_sections.cdse_diameter_from_cross_section_nm(implied)),
            "nm",
        ),
    ]


def _slope(series: Series) -> float:
    volume, threshold = np.log(np.asarray(series.x)), np.log(series.values)
    return float((threshold[-1] - threshold[0]) / (volume[-1] - volume[0]))


def _universal_headlines(run: Run) -> list[Headline]:
    panel = universal(run)
    line = panel[f"universal: {_TODAY}"]
    published = measured_thresholds()
    dependence = size_dependence(published)
    numbers = [
        row.value
        for row in published
        if row.quantity == "mean excitons" and not row.bound and np.isfinite(row.value)
    ]
    sensitivity = levers.sensitivity(run.dots[_TODAY], "stokes_shift_meV", **_how(run))
    rows = [
        Headline("F10-cdse-se", f"threshold at any volume, {_TODAY}", float(line.values[0])),
        Headline("F10-universal", "slope d log⟨N⟩/d log V of the model", _slope(line)),
        Headline(
            "fig10-published-slope",
            "slope d log⟨N⟩/d log V of the published points",
            dependence.slope,
        ),
        Headline(
            "fig10-published-sizes",
            "share of the published ⟨N⟩ that can enter this slope",
            100 * dependence.points / len(numbers),
            "%",
        ),
        Headline("fig10-published-lowest", "lowest published ⟨N⟩", min(numbers)),
        Headline("fig10-published-highest", "highest published ⟨N⟩", max(numbers)),
        Headline("fig10-sensitivity", f"∂ln⟨N⟩/∂ln S, {_TODAY}", sensitivity),
        Headline(
            "F10-size-x1",
            f"change of ⟨N⟩ for a Stokes shift 10 % smaller, {_TODAY}",
            100 * (0.9**sensitivity - 1),
            "%",
        ),
    ]
    for row in published:
        if row.quantity == "fluence" and row.material in cross_sections.MATERIALS:
            per_nm3 = cross_sections.mean_excitons_absorbed(row.value, _per_nm3(run, row.material))
            volume = 1 / float(per_nm3)
            cube = row.material == "CsPbBr3"
            size = np.cbrt(volume) if cube else cross_sections.sphere_diameter_nm(volume)
            slug = "yakunin" if cube else "dang"
            source = row.label.split(", ")[1]
            shape = "cube edge" if cube else "diameter"
            rows += [
                Headline(
                    f"fig10-{slug}-volume",
                    f"volume that absorbs one photon at the threshold of {source}",
                    volume,
                    "nm³",
                ),
                Headline(f"fig10-{slug}-size", f"{shape} of that volume", float(size), "nm"),
            ]
    return rows


def headlines_at_maximum(run: Run) -> tuple[Headline, ...]:
    """Return those numbers of the chapter's predictions that need no onset."""
    only = (_MAXIMUM,)
    return (*_engineering_headlines(run, only), *_thresholdless_headlines(run, only))


def _engineering_headlines(
    run: Run, definitions: tuple[str, ...] = levers.DEFINITIONS
) -> list[Headline]:
    today, factor = run.dots[_TODAY], run["xx_reduction"]
    rows = []
    for definition in definitions:
        slug = _SLUGS[definition]
        now = float(levers.threshold_of(today, **_how(run, definition)))
        found = engineered(run, today, definition)
        without = float(levers.threshold_of(run.dots["3LS"], **_how(run, definition)))
        key = "F10-xx-3x" if slug == "maximum" else "fig10-xx-absorptive-onset"
        rows += [
            Headline(
                key,
                f"Δ_A2 for 1/{factor:g} of the threshold, {definition}",
                found.absorptive_meV,
                "meV",
            ),
            Headline(
                f"fig10-xx-best-{slug}",
                f"largest factor by Δ_A2 alone, {definition}",
                now / found.lowest_by_absorptive,
            ),
            Headline(
                f"fig10-xx-emissive-{slug}",
                f"Δ_E for 1/{factor:g}, {definition}",
                found.emissive_meV,
                "meV",
            ),
            Headline(
                f"fig10-xx-both-{slug}",
                f"Δ_E for 1/{factor:g}, ESA out of resonance, {definition}",
                found.emissive_without_esa_meV,
                "meV",
            ),
            Headline(
                f"fig10-xx-without-{slug}",
                f"factor between the 3LS with and without ESA, {definition}",
                now / without,
            ),
        ]
    rows.append(
        Headline(
            "fig10-emissive-now", f"Δ_E of the {_TODAY}", float(today.emissive_binding_meV), "meV"
        )
    )
    return rows


def _harvest_headlines(run: Run) -> list[Headline]:
    ratio = run["harvest_ratio"]
    panel = universal(run)
    core = panel[f"universal: {_TODAY}"].values[0]
    sigma = cross_sections.cross_section_400_cm2("CdSe", 100.0, run["host_index"])
    # The third dot, of twice the cross section, is there for the slope alone.
    bare, shelled, larger = (
        float(cross_sections.fluence_for_excitons_absorbed(core, s))
        for s in (sigma, sigma * ratio, 2 * sigma)
    )
    return [
        Headline("F10-harvest-10x", "threshold fluence, bare / with shell", bare / shelled),
        Headline(
            "fig10-harvest-excitons",
            "excitons in the core at threshold, bare / with shell",
            float(
                cross_sections.mean_excitons_absorbed(bare, sigma)
                / cross_sections.mean_excitons_absorbed(shelled, sigma * ratio)
            ),
        ),
        Headline(
            "fig10-harvest-counted",
            "⟨N⟩ counted with the bare core's σ",
            float(panel["light harvesting, core's share"].values[0]),
        ),
        Headline(
            "fig10-harvest-radius",
            "outer radius / core radius, shell absorbing as the core",
            float(np.cbrt(ratio)),
        ),
        Headline(
            "fig10-fluence-slope",
            "slope d log J/d log σ at one threshold ⟨N⟩",
            float(np.log2(larger / bare)),
        ),
    ]


def _thresholdless_headlines(
    run: Run, definitions: tuple[str, ...] = levers.DEFINITIONS
) -> list[Headline]:
    today, ideal = run.dots[_TODAY], run.dots["3LS"]
    width = float(units.sigma_from_fwhm(today.linewidth_meV))
    temperature, goal = run["temperature_K"], run["low_threshold"]
    rows = []
    for dot, name, slug in ((ideal, "without ESA", ""), (today, "with ESA", "-esa")):
        for definition in definitions:
            where = "" if definition == _MAXIMUM else "-onset"
            shift = levers.nearest_value_for(dot, "stokes_shift_meV", goal, **_how(run, definition))
            key = f"fig10-thresholdless{slug}{where}" if slug or where else "F10-thresholdless"
            rows.append(
                Headline(key, f"S/s for ⟨N⟩ = {goal:g}, {name}, {definition}", shift / width)
            )
    for name, dot in level_schemes(run).items():
        slug = name.replace("+ESA", "-esa").lower()
        rows.append(Headline(f"fig10-threshold-{slug}", f"threshold, {name}", _threshold(run, dot)))
    needed = levers.nearest_value_for(ideal, "stokes_shift_meV", goal, **_how(run)) / width
    kT = float(units.thermal_energy_meV(temperature))
    balanced = float(detailed_balance.balanced_stokes_shift_meV(today.linewidth_meV, temperature))
    rows += [
        Headline(
            "fig10-linewidth", "linewidth Γ of the presets", float(today.linewidth_meV), "meV"
        ),
        Headline("fig10-balanced-shift", "S in detailed balance at that Γ", balanced, "meV"),
        Headline(
            "fig10-balanced-threshold",
            "threshold without ESA at that S",
            float(
                detailed_balance.balanced_threshold_at_emission(today.linewidth_meV, temperature)
            ),
        ),
        # S/s = s/kT in detailed balance, so the wanted S/s fixes the width.
        Headline(
            "fig10-balanced-linewidth",
            f"Γ at which detailed balance allows ⟨N⟩ = {goal:g}",
            float(units.fwhm_from_sigma(needed * kT)),
            "meV",
        ),
    ]
    rows += [
        Headline(
            f"fig10-balanced-linewidth-{name.lower()}",
            f"Γ at which the S of the {name} is in detailed balance",
            float(
                detailed_balance.balanced_linewidth_meV(
                    run.dots[name].stokes_shift_meV, temperature
                )
            ),
            "meV",
        )
        for name in ("3LS", "4LS")
        if float(np.asarray(run.dots[name].stokes_shift_meV)) > 0
    ]
    return rows


def _your_headlines(run: Run) -> list[Headline]:
    if run.is_papers:
        return []
    yours = run.dots[f"{YOUR_DOT}+ESA"]
    found = engineered(run, yours)
    return [
        Headline("fig10-your-dot", "threshold, your dot", _threshold(run, run.dots[YOUR_DOT])),
        Headline("fig10-your-dot-esa", "threshold, your dot+ESA", _threshold(run, yours)),
        Headline(
            "fig10-your-xx-best",
            "largest factor by Δ_A2 alone, your dot+ESA",
            _threshold(run, yours) / found.lowest_by_absorptive,
        ),
        Headline(
            "fig10-your-thresholdless",
            f"S for ⟨N⟩ = {run['low_threshold']:g}, your dot+ESA",
            levers.nearest_value_for(yours, "stokes_shift_meV", run["low_threshold"], **_how(run)),
            "meV",
        ),
    ]
