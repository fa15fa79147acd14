"""Figure 10: absorption at 400 nm, the universal threshold, and what would lower it."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import numpy as np
from matplotlib.figure import Figure as Picture

from qdgain import chapters
from qdgain.beyond import levers
from qdgain.beyond.reachable import Engineered, engineered
from qdgain.figures import absorption as at_400_nm
from qdgain.figures import style
from qdgain.figures.absorption import ENDS, HALF_SPREAD, VOLUME, VOLUMES, cross_section_400, per_nm3
from qdgain.figures.kit import Figure, Numbers, level, line, look, number, panel, points, stated
from qdgain.figures.panel import STOKES_SHIFT, THRESHOLD, Axis, Panel, Series
from qdgain.model import balance, cross_sections, units
from qdgain.model.dot import Dot, FloatArray
from qdgain.model.threshold import threshold_at_maximum
from qdgain.paper.published import MeasuredThreshold, measured_thresholds, size_dependence
from qdgain.run import YOUR_DOT, Run
from qdgain.table import Table

SETTINGS = chapters.SETTINGS["fig10"]

_ROW = Axis("row of the table of published thresholds (size not public)")
_EMISSIVE = Axis("emissive biexciton binding Δ_E", "meV")

#: The dot the predictions start from: the one that stands for today's dots in the paper.
_TODAY = "3LS+ESA"


def _threshold(run: Run, dot: Dot) -> FloatArray:
    return threshold_at_maximum(dot, statistics=run["statistics"]).mean_excitons


def _engineered(run: Run, dot: Dot) -> Engineered:
    how = {"definition": levers.MAXIMUM, "statistics": run["statistics"]}
    return engineered(dot, run["xx_reduction"], **how)


def level_schemes(run: Run) -> Mapping[str, Dot]:
    """Return the 4LS and the 5LS, whose Stokes shift is that of a 3LS and a 4LS together."""
    schemes = {}
    for esa in ("", "+ESA"):
        four = run.dots[f"4LS{esa}"]
        shift = number(run.dots["3LS"].stokes_shift_meV) + number(four.stokes_shift_meV)
        schemes[f"4LS{esa}"] = four
        schemes[f"5LS{esa}"] = replace(four, stokes_shift_meV=shift)
    return schemes


def universal(run: Run) -> Panel:
    """Return panel b: thresholds ⟨N⟩ against volume, predicted and published."""

    def across(name: str, dot: Dot, quantity: str, dash: str) -> Series:
        return line(name, ENDS, [_threshold(run, dot)] * 2, quantity, dash)

    today = run.dots[_TODAY]
    changed, threshold = _engineered(run, today), _threshold(run, today)
    # Light harvesting: the fluence falls, and with it the count made with the bare core's σ.
    core = cross_section_400(run, "CdSe")
    fluence = cross_sections.fluence_for_excitons_absorbed(threshold, core * run["harvest_ratio"])
    counted = cross_sections.mean_excitons_absorbed(fluence, core)
    series = [
        across(f"universal: {_TODAY}", today, levers.MAXIMUM, "-"),
        across("XX engineering, Δ_A2 alone", changed.away, "XX engineering", ":"),
        across("XX engineering, Δ_A2 and Δ_E", changed.best, "XX engineering", "-"),
        line("light harvesting, core's share", VOLUMES, counted, "light harvesting", "-."),
    ]
    yours = {name: dot for name, dot in run.dots.items() if name.startswith(YOUR_DOT)}
    for name, dot in {**level_schemes(run), **yours}.items():
        series.append(across(name, dot, *look(name)))
    for row in _published_fluences():
        # What a fluence alone says: ⟨N⟩ = Jσ/hν, a line through all volumes.
        mean = cross_sections.mean_excitons_absorbed(
            row.value, cross_section_400(run, row.material)
        )
        source = row.label.removesuffix(", fluence")
        name = f"{source}: {units.uJ_from_mJ(row.value):g} µJ cm⁻²"
        series.append(line(name, VOLUMES, mean, row.material, ":"))
        if row.has_volume:
            count, low, high = _excitons_at_fluence(run, row)
            spread: dict[str, Any] = {"y_low": low, "y_high": high}
            name = f"{source}, at its size"
            series.append(points(name, row.volume_nm3, count, row.material, "s", **spread))
    series += _papers() + _published_points()
    return panel("b", "gain thresholds", VOLUME, THRESHOLD, series)


def _papers() -> list[Series]:
    """Return the paper's universal threshold, and what it predicts below it, at the left edge."""
    top, quantities = stated("F10-cdse-se"), (levers.MAXIMUM, "XX engineering", "light harvesting")
    factors = 1.0, stated("F10-xx-3x"), stated("F10-harvest-10x")
    return [
        points(f"the paper's {top / factor:g}", 1.08 * ENDS[0], top / factor, quantity, ">")
        for quantity, factor in zip(quantities, factors, strict=True)
    ]


def _published_fluences() -> list[MeasuredThreshold]:
    fluences = (row for row in measured_thresholds() if row.quantity == "fluence")
    return [row for row in fluences if row.material in cross_sections.MATERIALS]


def _excitons_at_fluence(run: Run, row: MeasuredThreshold) -> tuple[float, float, float]:
    """Return the photons that dots of public size absorb, over the spread of published σ_400."""
    sigma = np.array([1, 1 / HALF_SPREAD, HALF_SPREAD]) * per_nm3(run, row.material)[0]
    counted = cross_sections.mean_excitons_absorbed(row.value, sigma * row.volume_nm3)
    return counted[0], counted[1], counted[2]


def _published_points() -> list[Series]:
    """Return the published ⟨N⟩, by row of the table where no size places it on the axis."""
    series = []
    for place, row in enumerate(measured_thresholds(), start=1):
        if row.is_number:
            marker = "v" if row.bound else {"SE": "o", "ASE": "s"}[row.measurement]
            x, axis = (row.volume_nm3, VOLUME) if row.has_volume else (place, _ROW)
            name = f"{place}: {row.label}"
            series.append(points(name, x, row.value, row.material, marker, x_axis=axis))
    return series


def draw_universal(one: Panel) -> Picture:
    """Draw panel b: predictions above; below, the published points, whose size is not public."""
    figure = style.new_figure(7.0, 6.6)
    main, below = figure.subplots(2, 1, height_ratios=(1.5, 1))
    rows = [series for series in one.series if series.x_axis == _ROW]
    sized = tuple(series for series in one.series if series not in rows)
    style.draw_panel(main, replace(one, series=sized), legend=None)
    main.set(xscale="log", yscale="log", xlim=ENDS, ylim=(0.05, 6))
    main.set_yticks([0.1, 0.3, 1.0, 3.0], ["0.1", "0.3", "1", "3"])
    style.name_ends(main, [series for series in sized if series.kind == "line"], 0.05)
    for series in rows:
        below.plot(series.values, series.x, series.dash, color=style.colour(series.quantity))
    places = [np.ravel(series.x)[0] for series in rows]
    below.set_yticks(places, [style.typeset(series.name) for series in rows])
    below.yaxis.tick_right()
    below.axvline(one[f"universal: {_TODAY}"].values[0], color="black")
    below.set(xscale="log", xlim=(0.5, 5), xlabel=f"published {THRESHOLD.label}")
    below.minorticks_off()
    below.set_xticks([0.5, 1, 2, 4], ["0.5", "1", "2", "4"])
    below.grid(axis="y", linewidth=0.4)
    below.invert_yaxis()
    stimulated, amplified = ("stimulated emission", "o"), ("amplified spontaneous", "s")
    keys = {main: [("the paper", ">")], below: [stimulated, amplified, ("upper bound", "v")]}
    for (ax, markers), place in zip(keys.items(), ("upper left", "center right"), strict=True):
        shown = [ax.plot([], [], dash, color="black", label=name)[0] for name, dash in markers]
        ax.legend(handles=shown, loc=place, frameon=True, framealpha=1, edgecolor="white")
    return figure


def published_table() -> Table:
    """Return the published thresholds with their sources."""
    header = ["row", "dot", "measured by", "pump", "threshold", "volume", "read in", "note", "DOI"]
    rows = []
    for place, row in enumerate(measured_thresholds(), start=1):
        volume = f"{row.volume_nm3:g} nm³" if row.has_volume else "not public"
        cells = (row.label, row.measurement, row.pump, row.quoted, volume)
        rows.append((str(place), *cells, row.seen_in, row.note, row.doi))
    return Table(header, rows)


def towards_zero(run: Run) -> tuple[Panel, Panel]:
    """Return the thresholds against Δ_E and against S, behind the predictions of panel b."""
    return _against_binding(run), _against_shift(run)


def _against_binding(run: Run) -> Panel:
    today = run.dots[_TODAY]
    changed, width = _engineered(run, today), number(today.linewidth_meV)
    emissive = np.linspace(-width, 2 * width, 201)
    harmless = f"{number(changed.away.absorptive_binding_meV):.3g}".replace("-", "−")
    away = f"ESA away, Δ_A2 = {harmless} meV"
    series = []
    for name, dot, dash in ((_TODAY, today, "--"), (away, changed.away, "-")):
        mean = _threshold(run, replace(dot, emissive_binding_meV=emissive))
        series.append(line(name, emissive, mean, "XX engineering", dash))
    goal = f"goal: 1/{run['xx_reduction']:g} of the 3LS+ESA"
    series.append(level(goal, changed.wanted, "reference", "-."))
    return panel("", "XX engineering", _EMISSIVE, THRESHOLD, series)


def _against_shift(run: Run) -> Panel:
    width, kelvin = run.dots[_TODAY].linewidth_meV, run["temperature_K"]
    shift = np.linspace(0.0, 1.5 * number(width), 201)
    series = []
    for scheme in ("3LS",) if run.is_papers else ("3LS", YOUR_DOT):
        for name in (scheme, f"{scheme}+ESA"):
            mean = _threshold(run, replace(run.dots[name], stokes_shift_meV=shift))
            series.append(line(name, shift, mean, *look(name)))
    balanced = number(balance.balanced_stokes_shift_meV(width, kelvin))
    goal = run["low_threshold"]
    series += [
        level(f"goal: ⟨N⟩ = {goal:g}", goal, "reference", "-."),
        line(f"detailed balance, {kelvin:g} K", [balanced] * 2, [1e-3, 2], "reference", ":"),
    ]
    return panel("", "4LS and 5LS", STOKES_SHIFT, THRESHOLD, series)


FIGURES = {
    "absorption": Figure(
        at_400_nm.absorption,
        size=(7.0, 4.0),
        axes={"xscale": "log", "yscale": "log", "xlim": ENDS, "ylim": (6e-17, 6e-13)},
        legend="ends",
        finish=at_400_nm.finish_absorption,
    ),
    "order": Figure(
        at_400_nm.order,
        size=(6.4, 3.2),
        axes={"yscale": "log", "ylim": (0.1, 20)},
        legend=None,
        finish=at_400_nm.finish_order,
    ),
    "universal": Figure(universal, draw_universal),
    "towards_zero": Figure(
        towards_zero,
        size=(7.0, 3.4),
        axes={"yscale": "log", "ylim": (0.01, 3)},
        legend={"loc": "upper center", "bbox_to_anchor": (0.5, -0.16)},
        sharey=True,
    ),
}


def headlines(run: Run) -> Numbers:
    """Return the chapter's numbers; `number` in claims.toml says which statement each answers."""
    n = Numbers("fig10", run)
    at_400_nm.add_to(n, run)
    for part in (_of_universal, _of_engineering, _of_harvest, _of_thresholdless):
        part(n, run)
    if not run.is_papers:
        for name in (YOUR_DOT, f"{YOUR_DOT}+ESA"):
            n.add("{dot}", _threshold(run, run.dots[name]), dot=name)
    return n


def headlines_at_maximum(run: Run) -> Numbers:
    """Return those numbers of the chapter's predictions that need no onset."""
    n = Numbers("fig10", run)
    _of_engineering(n, run)
    _of_thresholdless(n, run)
    return n


def _of_universal(n: Numbers, run: Run) -> None:
    flat = universal(run)[f"universal: {_TODAY}"].values
    published = measured_thresholds()
    fit = size_dependence(published)
    means = [row.value for row in published if row.is_number and not row.bound]
    steep = levers.sensitivity(run.dots[_TODAY], "stokes_shift_meV", statistics=run["statistics"])
    n.add("threshold-3ls-esa", flat[0])
    n.add("slope", (np.diff(np.log(flat[[0, -1]])) / np.diff(np.log(ENDS)))[0])
    n.add("published-slope", fit.slope)
    n.add("published-sizes", 100 * fit.points / len(means))
    n.add("published-lowest", min(means))
    n.add("published-highest", max(means))
    n.add("sensitivity", steep)
    n.add("smaller-shift", 100 * (0.9**steep - 1))
    for row in _published_fluences():
        source, *_ = re.findall(r"\w+ \d{4}", row.label)
        if not row.has_volume:
            sigma = per_nm3(run, row.material)[0]
            volume = 1 / cross_sections.mean_excitons_absorbed(row.value, sigma)
            n.add("dang-volume", volume, source=source)
            n.add("dang-size", cross_sections.sphere_diameter_nm(volume))
            continue
        words = ("", ""), ("lowest ", "-low"), ("highest ", "-high")
        for (word, tail), count in zip(words, _excitons_at_fluence(run, row), strict=True):
            dots = {"word": word, "source": source, "volume": row.volume_nm3}
            n.add("yakunin-excitons{tail}", count, tail=tail, **dots)


def _of_engineering(n: Numbers, run: Run) -> None:
    today = run.dots[_TODAY]
    found = _engineered(run, today)
    n.add("xx-best-maximum", _threshold(run, today) / found.lowest_by_absorptive)
    n.add("xx-emissive-maximum", found.emissive_meV)
    n.add("xx-both-maximum", found.emissive_without_esa_meV)
    n.add("emissive-now", today.emissive_binding_meV)


def _of_harvest(n: Numbers, run: Run) -> None:
    ratio, drawn = run["harvest_ratio"], universal(run)
    core = drawn[f"universal: {_TODAY}"].values[0]
    sigma = cross_sections.cross_section_400_cm2("CdSe", 100.0, run["host_index"])
    # The third dot, of twice the cross section, is there for the slope alone.
    bare, shelled, larger = (
        cross_sections.fluence_for_excitons_absorbed(core, s)
        for s in (sigma, sigma * ratio, 2 * sigma)
    )
    absorbed = cross_sections.mean_excitons_absorbed
    n.add("harvest-fluence", bare / shelled)
    n.add("harvest-excitons", absorbed(bare, sigma) / absorbed(shelled, sigma * ratio))
    n.add("harvest-counted", drawn["light harvesting, core's share"].values[0])
    n.add("harvest-radius", np.cbrt(ratio))
    n.add("fluence-slope", np.log2(larger / bare))


def _of_thresholdless(n: Numbers, run: Run) -> None:
    gamma, kelvin, goal = run.dots[_TODAY].linewidth_meV, run["temperature_K"], run["low_threshold"]
    shifts = [
        levers.nearest_value_for(
            run.dots[name], "stokes_shift_meV", goal, statistics=run["statistics"]
        )
        for name in ("3LS", _TODAY)
    ]
    without, with_esa = np.array(shifts) / units.sigma_from_fwhm(gamma)
    n.add("thresholdless", without)
    n.add("thresholdless-esa", with_esa)
    for name, dot in level_schemes(run).items():
        n.add("threshold-{dot}", _threshold(run, dot), dot=name)
    n.add("linewidth", gamma)
    n.add("balanced-shift", balance.balanced_stokes_shift_meV(gamma, kelvin))
    n.add("balanced-threshold", balance.balanced_threshold_at_emission(gamma, kelvin))
    # S/s = s/kT in detailed balance, so the wanted S/s fixes the width.
    wide = units.fwhm_from_sigma(without * units.thermal_energy_meV(kelvin))
    n.add("balanced-linewidth", wide)
