"""Design map: thresholds over the shifts and the linewidth, and the shortest way to a low one."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from itertools import product
from operator import attrgetter
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from numpy.typing import ArrayLike

from qdgain import chapters
from qdgain.beyond import advice, levers, reachable
from qdgain.beyond.auger_maps import readings_of_chapter
from qdgain.beyond.levers import MAXIMUM, ONSET
from qdgain.beyond.repulsion import BINDINGS, best_binding, threshold_slopes
from qdgain.beyond.shortest_way import FIELDS, Way, nearest_dot
from qdgain.calibration import record
from qdgain.figures import map_grids, style
from qdgain.figures.kit import (
    Figure,
    Numbers,
    line,
    mapped,
    number,
    panel,
    points,
    slug,
    stated,
    upright,
)
from qdgain.figures.panel import Axis, Panel, Series
from qdgain.model import parameters
from qdgain.model.balance import balanced_stokes_shift_meV, biexciton_stokes_shift_meV
from qdgain.model.bands import FWHM_PER_SIGMA, band_widths_meV
from qdgain.model.dot import Dot, FloatArray
from qdgain.model.search import parabolic_peak
from qdgain.paper.published import published_shifts
from qdgain.run import BASE_OF_YOUR_DOT, YOUR_DOT, Run
from qdgain.table import Table

SETTINGS = chapters.SETTINGS["design"]
STOKES = Axis("Stokes shift S / linewidth Γ")
ABSORPTIVE = Axis("absorptive shift Δ_A2 / linewidth Γ")
BINDING = Axis("binding Δ / linewidth Γ")
THRESHOLD = Axis("threshold ⟨N⟩")
SLOPE = Axis("change of ⟨N⟩ with Δ, per standard deviation")
NOW, FOUR, ALONE, TIED = BASE_OF_YOUR_DOT, "4LS+ESA", "Δ_A2 alone", "one binding energy"
SYMBOLS = dict(zip(FIELDS, ("S", "Δ_A2", "Δ_E", "Γ"), strict=True))
FIELD_KEYS = dict(zip(FIELDS, ("stokes", "absorptive", "emissive", "width"), strict=True))
DEFINITION_KEYS = {MAXIMUM: "", ONSET: "-onset"}
#: The strengths of two uncorrelated excitons.
PLAIN: dict[str, Any] = {"xx_absorption_strength": 1.0, "xx_emission_strength": 1.0}
#: Only ratios to the width count, so that a map is computed at a width that no range is short for.
MAP_WIDTH_MEV = 100.0
TARGETS = (1.5, 1.2, 1.0, 0.9, 0.8, 0.7, 0.6, 0.5, 0.4, 0.3, 0.2, 0.1, 0.05)


def _how(run: Run, definition: str = MAXIMUM) -> dict[str, Any]:
    return {"definition": definition, "floor": run["floor"], "statistics": run["statistics"]}


def _threshold(run: Run, dot: Dot, definition: str = MAXIMUM) -> FloatArray:
    return levers.threshold_of(dot, **_how(run, definition))


def _name(run: Run) -> str:
    """Name the dot that the chapter is about."""
    return NOW if run.is_papers else f"{YOUR_DOT}+ESA"


def _sigma_meV(dot: Dot) -> float:
    return float(band_widths_meV(dot).absorption)


def _width_meV(dot: Dot) -> float:
    return _sigma_meV(dot) * FWHM_PER_SIGMA


def _ratio(dot: Dot, field: str) -> float:
    return number(getattr(dot, field)) / _width_meV(dot)


def _bound(dot: Dot, binding_meV: ArrayLike, fields: tuple[str, ...] = BINDINGS) -> Dot:
    """Return a dot, or many, with these bindings at a value within the contract's range."""
    moved: dict[str, Any] = {name: parameters.clipped(name, binding_meV) for name in fields}
    return replace(dot, **moved)


def _with_balanced_shift(run: Run) -> Dot:
    """Return the subject with the Stokes shift of equilibrium at its linewidth."""
    shift = balanced_stokes_shift_meV(_width_meV(run.subject), run["temperature_K"])
    return replace(run.subject, stokes_shift_meV=float(parameters.clipped(FIELDS[0], shift)))


def scaled(dot: Dot, *ratios: ArrayLike) -> Dot:
    """Return a dot, or many, of the map's width, with S, Δ_A2 and Δ_E at multiples of it."""
    factor = MAP_WIDTH_MEV / _width_meV(dot)
    changes: dict[str, Any] = {"linewidth_meV": MAP_WIDTH_MEV}
    # The widths of single bands keep their ratio to that of A_X.
    for name, value in dot.values().items():
        if name.endswith("_linewidth_meV"):
            changes[name] = parameters.clipped(name, np.asarray(value) * factor)
    for name, ratio in zip(FIELDS, ratios, strict=False):
        changes[name] = parameters.clipped(name, np.asarray(ratio) * MAP_WIDTH_MEV)
    return replace(dot, **changes)


def threshold_map(run: Run) -> tuple[Panel, ...]:
    """Return four maps: both thresholds over S/Γ and Δ_A2/Γ, for the subject's Δ_E and Δ_A2."""
    stokes, absorptive = np.linspace(0, 1.5, 76), np.linspace(-1, 1.5, 76)
    column, own = absorptive[:, None], _ratio(run.subject, "emissive_binding_meV")
    kinds: tuple[tuple[str, Any], ...] = (
        (f"Δ_E = {own:.2f} Γ".replace("-", "−"), own),
        ("Δ_E = Δ_A2", column),
    )
    width = _width_meV(run.subject)
    limit = float(balanced_stokes_shift_meV(width, run["temperature_K"])) / width
    limited = f"largest S in equilibrium, {run['temperature_K']:g} K"
    panels = []
    cases = zip("abcd", product(levers.DEFINITIONS, kinds), strict=True)
    for letter, (definition, (title, emissive)) in cases:
        dots = scaled(run.subject, stokes, column, emissive)
        values = map_grids.where_red(stokes + emissive, _threshold(run, dots, definition))
        series = [
            mapped("threshold", stokes, absorptive, values, THRESHOLD),
            upright(limited, limit, -1.0, 1.5, "detailed balance", dash="--"),
        ]
        if emissive is not column:  # the maps with the subject's own Δ_E
            series.append(line("A_XX2 on PL_XX", stokes, stokes + emissive, "A_XX2", ":"))
            for name in (_name(run), FOUR):
                series += [_mark(run, name), _arrow(run, name, definition)]
        panels.append(panel(letter, f"{definition}, {title}", STOKES, ABSORPTIVE, series))
    return tuple(panels)


def _mark(run: Run, name: str) -> Series:
    stokes, absorptive = (_ratio(run.dots[name], field) for field in FIELDS[:2])
    marker = "s" if name == FOUR else "o"
    return points(name, stokes, absorptive, name.removesuffix("+ESA"), marker)


def _arrow(run: Run, name: str, definition: str) -> Series:
    """Return a dot's shortest way as the map sees it, on which Δ_E changes too."""
    dot = run.dots[name]
    change = _way(run, dot, definition=definition).change_meV
    across, up = (
        [_ratio(dot, field), _ratio(dot, field) + change[field] / _width_meV(dot)]
        for field in FIELDS[:2]
    )
    label = f"{name}, {map_grids.WAY} to {run['low_threshold']:g}"
    return line(label, across, up, name.removesuffix("+ESA"))


#: What a way may change: its name in the legend, its route, whether it ends in equilibrium, dash.
WAYS = (
    ("shifts", "shifts", False, "-"),
    ("shifts and linewidth", "shifts and linewidth", False, "--"),
    ("shifts and linewidth, in equilibrium", "shifts and linewidth", True, ":"),
)


def ways(run: Run) -> tuple[Panel, ...]:
    """Return for two dots which threshold can be had at which distance."""
    panels = []
    for letter, name in zip("ab", (_name(run), FOUR), strict=True):
        title = name if name.startswith(YOUR_DOT) else f"from the {name}"
        lines = [_line_of_ways(run, run.dots[name], kind) for kind in WAYS]
        panels.append(panel(letter, title, Axis("length of the way", "meV"), THRESHOLD, lines))
    return tuple(panels)


def _line_of_ways(run: Run, dot: Dot, kind: tuple[str, str, bool, str]) -> Series:
    name, route, balanced, dash = kind
    now, kelvin = float(_threshold(run, dot)), run["temperature_K"]
    how = _how(run) | {"route": route, "balanced_at_K": kelvin if balanced else None, "starts": 2}
    targets = [target for target in TARGETS if not target >= now]
    lengths = [nearest_dot(dot, target, **how).distance_meV for target in targets]
    allowed = not balanced or advice.equilibrium(dot, 1.0, kelvin, **_how(run)).allows
    if 0 < now < np.inf and allowed:
        targets, lengths = [now, *targets], [0.0, *lengths]
    found = np.where(np.isfinite(lengths), lengths, np.nan) if lengths else [np.nan]
    return line(name, found, targets or [np.nan], name, dash)


def repulsion(run: Run) -> tuple[Panel, ...]:
    """Return four maps: the slope of both thresholds against Δ_A2 alone, and against both."""
    stokes, binding = np.linspace(0, 1.5, 61), np.linspace(-1, 1, 61)
    column, own = binding[:, None], _ratio(run.subject, "emissive_binding_meV")
    kinds: tuple[tuple[str, Any], ...] = ((ALONE, own), (TIED, column))
    panels = []
    cases = zip("abcd", product(levers.DEFINITIONS, kinds), strict=True)
    for letter, (definition, (title, emissive)) in cases:
        dots = scaled(run.subject, stokes, column, emissive)
        slopes = threshold_slopes(dots, **_how(run, definition))
        slope = slopes.absorptive if title == ALONE else slopes.both
        values = map_grids.where_red(stokes + emissive, slope * _sigma_meV(dots))
        series = mapped("slope", stokes, binding, values, SLOPE)
        panels.append(panel(letter, f"{definition}, {title}", STOKES, BINDING, [series]))
    return tuple(panels)


def bindings(run: Run) -> tuple[Panel, ...]:
    """Return thresholds against the binding, as the dot is and in equilibrium."""
    balanced = f"S in equilibrium, {run['temperature_K']:g} K"
    own = _against_binding(run, "a", f"S of the {_name(run)}", run.subject)
    return own, _against_binding(run, "b", balanced, _with_balanced_shift(run))


def _against_binding(run: Run, letter: str, title: str, dot: Dot) -> Panel:
    width = _width_meV(dot)
    low, high = parameters.clipped(BINDINGS[0], [-width, 1.5 * width])
    binding = np.linspace(low, high, 201)
    lines = []
    for definition, dash in ((MAXIMUM, "-"), (ONSET, "--")):
        for what, quantity in ((ALONE, "A_XX2"), (TIED, "PL_XX")):
            dots = _bound(dot, binding, BINDINGS if what == TIED else BINDINGS[:1])
            emission = np.asarray(dots.stokes_shift_meV) + np.asarray(dots.emissive_binding_meV)
            values = map_grids.where_red(emission, _threshold(run, dots, definition))
            finite = np.where(np.isfinite(values), values, np.nan)
            lines.append(line(f"{what}, {definition}", binding, finite, quantity, dash))
    if letter == "a":
        at = number(dot.absorptive_binding_meV)
        lines.append(
            points(_name(run), at, _threshold(run, dot), "3LS" if run.is_papers else YOUR_DOT)
        )
        if run.is_papers:
            lines.append(points("the paper's 3LS+ESA", at, stated("F8-3ls-esa"), "3LS", "^"))
    return panel(letter, title, Axis("binding Δ", "meV"), THRESHOLD, lines)


def _finish_ways(axes: list[Axes], _: object) -> None:
    for ax in axes:
        ax.set_yticks([0.05, 0.1, 0.2, 0.5, 1, 2], ["0.05", "0.1", "0.2", "0.5", "1", "2"])
        ax.minorticks_off()
        ax.grid(axis="y", linewidth=0.4)
    axes[1].set_ylabel("")
    style.legend_below(axes[0], ncols=3)


FIGURES = {
    "threshold_map": Figure(threshold_map, map_grids.draw_thresholds),
    "ways": Figure(
        ways,
        size=(7.6, 3.8),
        sharey=True,
        axes={"yscale": "log", "ylim": (0.045, 2.2), "xlim": (0, None)},
        legend=None,
        finish=_finish_ways,
    ),
    "repulsion": Figure(repulsion, map_grids.draw_slopes),
    "bindings": Figure(
        bindings,
        size=(7.6, 4.2),
        axes=({"ylim": (0, 1.6)}, {"ylim": (0, 1.6), "ylabel": ""}),
        legend=None,
        finish=lambda axes, _: style.legend_below(axes[0], ncols=3),
    ),
}


class PublishedTable(Table):
    """The published shifts with their sources."""

    def __init__(self) -> None:
        header = ("row", "dot", "quantity", "published", "by", "read in", "note", "DOI")
        of = attrgetter("label", "quantity", "quoted", "method", "seen_in", "note", "doi")
        rows = [(str(i), *of(row)) for i, row in enumerate(published_shifts(), start=1)]
        super().__init__(header, rows)


def headlines(run: Run) -> Numbers:
    """Return the numbers of the chapter."""
    n = Numbers("design")
    n.add("goal", "wanted threshold ⟨N⟩", run["low_threshold"])
    n.add("floor", "floor of the onset", run["floor"])
    way, *_ = [_of_dot(n, run, name) for name in dict.fromkeys((NOW, FOUR, _name(run)))]
    n.add("lever", "part of S in the squared length of the way, 3LS+ESA", _part_of_stokes(way))
    onset = f"way to an onset of {run['low_threshold']:g} by shifts, {_name(run)}"
    _of_way(n, "onset", onset, _way(run, run.subject, definition=ONSET), ())
    for part in (_of_set, _of_readings, _of_one_parameter, _of_equilibrium, _of_repulsion):
        part(n, run)
    return n


def _way(run: Run, dot: Dot, route: str = "shifts", **how: Any) -> Way:
    return nearest_dot(dot, run["low_threshold"], route=route, **(_how(run) | how))


def _narrowest(run: Run, dot: Dot, **how: Any) -> float:
    goal, kelvin = run["low_threshold"], run["temperature_K"]
    return reachable.narrowest_balanced_linewidth_meV(dot, goal, kelvin, **(_how(run) | how))


def _of_dot(n: Numbers, run: Run, name: str) -> Way:
    """Add what a dot is and what it needs; return the way by shifts."""
    dot, key = run.dots[name], slug(name.removesuffix("+ESA"))
    to = f"way to ⟨N⟩ = {run['low_threshold']:g} by"
    for definition, end in DEFINITION_KEYS.items():
        now = _threshold(run, dot, definition)
        n.add(f"now-{key}{end}", f"threshold {definition}, {name}", now)
    way, wide = (_way(run, dot, route) for route in ("shifts", "shifts and linewidth"))
    _of_way(n, f"way-{key}", f"{to} shifts, {name}", way)
    _of_way(n, f"wide-{key}", f"{to} shifts and linewidth, {name}", wide, FIELDS)
    second, own = biexciton_stokes_shift_meV(dot), number(dot.stokes_shift_meV)
    last = own + way.change_meV["stokes_shift_meV"]
    n.add(f"biexciton-stokes-{key}", f"Stokes shift of the biexciton, {name}", second, "meV")
    n.add(f"stokes-{key}", f"Stokes shift of the exciton, {name}", own, "meV")
    n.add(f"end-stokes-{key}", f"S at the end of the way, {name}", last, "meV")
    return way


def _of_way(n: Numbers, key: str, of: str, way: Way, fields: Sequence[str] = FIELDS[:3]) -> None:
    n.add(key, f"length of the {of}", way.distance_meV, "meV")
    for name in fields:
        change = f"change of {SYMBOLS[name]} on the {of}"
        n.add(f"{key}-{FIELD_KEYS[name]}", change, way.change_meV[name], "meV")


def _of_set(n: Numbers, run: Run) -> None:
    """Add what holds over sets of parameters that meet the paper's numbers."""
    # Of the reading that leaves both bindings free; in tied ones neither is the larger.
    free = [record.points("replacing free").dots[name] for name in (NOW, FOUR)]
    larger = [biexciton_stokes_shift_meV(dot) > dot.stokes_shift_meV for dot in free]
    meaning = "part of the set replacing free with the larger Stokes shift in the biexciton"
    n.add("set-larger", meaning, 100 * float(np.mean(np.all(larger, axis=0))), "%")
    own = record.points(record.record()["default"]).dots[NOW]
    widths = [_narrowest(run, own.at(i)) for i in range(0, own.shape[0], 32)]
    n.add("set-narrowest", "smallest such linewidth over the presets' set", min(widths), "meV")
    n.add("set-widest", "largest such linewidth over the presets' set", max(widths), "meV")


def _of_readings(n: Numbers, run: Run) -> None:
    """Add what holds for the 3LS with ESA in every reading that gives the paper's numbers."""
    dots, kelvin = [dot for dot, _ in readings_of_chapter().values()], run["temperature_K"]
    ways = [_way(run, dot, "shifts and linewidth", balanced_at_K=kelvin) for dot in dots]
    lowest = [
        reachable.lowest_balanced(dot, _width_meV(dot), kelvin, **_how(run)).threshold
        for dot in dots
    ]
    widths = [_narrowest(run, dot) for dot in dots]
    broader = min(way.change_meV["linewidth_meV"] for way in ways)
    lever = min(_part_of_stokes(_way(run, dot)) for dot in dots)
    of = "of the readings"
    n.add("lowest-least-reading", f"least lowest threshold in equilibrium {of}", min(lowest))
    n.add("broader-least-reading", f"least broadening in equilibrium {of}", broader, "meV")
    n.add("lever-least-reading", f"least part of S in the squared way {of}", lever)
    for end, value in (("least", min(widths)), ("most", max(widths))):
        meaning = f"{end} linewidth from which equilibrium allows it {of}"
        n.add(f"narrowest-{end}-reading", meaning, value, "meV")


def _part_of_stokes(way: Way) -> float:
    change = way.change_meV["stokes_shift_meV"]
    return (change / way.distance_meV) ** 2 if way.distance_meV > 0 else np.nan


def _of_one_parameter(n: Numbers, run: Run) -> None:
    goal, name = run["low_threshold"], _name(run)
    for field in advice.SINGLES:
        key, what = FIELD_KEYS.get(field, "both"), SYMBOLS.get(field, TIED)
        alone = advice.single(run.subject, field, goal, **_how(run))
        if field in FIELDS[::2]:
            n.add(f"alone-{key}", f"{what} alone for ⟨N⟩ = {goal:g}, {name}", alone.needed, "meV")
        else:  # which cannot take it there
            lowest = f"lowest threshold by {what} alone, {name}"
            n.add(f"alone-{key}-lowest", lowest, alone.lowest)


def _of_equilibrium(n: Numbers, run: Run) -> None:
    subject, kelvin, goal = run.subject, run["temperature_K"], run["low_threshold"]
    width, name = _width_meV(subject), _name(run)
    largest = f"largest Stokes shift in equilibrium at that width, {kelvin:g} K"
    n.add("linewidth", f"linewidth, {name}", width, "meV")
    n.add("largest-shift", largest, balanced_stokes_shift_meV(width, kelvin), "meV")
    allowed = f"linewidth from which equilibrium allows ⟨N⟩ = {goal:g}"
    for definition, end in DEFINITION_KEYS.items():
        least = reachable.lowest_balanced(subject, width, kelvin, **_how(run, definition))
        lowest = f"lowest threshold in equilibrium at that width, {definition}"
        n.add(f"lowest{end}", lowest, least.threshold)
        narrowest = _narrowest(run, subject, definition=definition)
        n.add(f"narrowest{end}", f"{allowed}, {definition}", narrowest, "meV")
    plain = _narrowest(run, replace(subject, **PLAIN))
    n.add("narrowest-plain", f"{allowed}, {MAXIMUM}, a = γ = 1", plain, "meV")
    for law in ("poisson", "sequential"):
        same = f"the same linewidth at gain maximum, {law} statistics"
        n.add(f"narrowest-{law}", same, _narrowest(run, subject, statistics=law), "meV")
    way = _way(run, subject, "shifts and linewidth", balanced_at_K=kelvin)
    _of_way(n, "balanced", f"way to ⟨N⟩ = {goal:g} that equilibrium allows, {name}", way, FIELDS)


def _turn_meV(run: Run) -> float:
    """Return Δ_A2 at which the subject's threshold is highest; nan where there is none."""
    centre = number(run.subject.stokes_shift_meV) + number(run.subject.emissive_binding_meV)
    near = centre + np.linspace(-1, 1, 81) * _width_meV(run.subject)
    binding = parameters.clipped(BINDINGS[0], near)
    found = _threshold(run, _bound(run.subject, binding, BINDINGS[:1]))
    there = 1e-9 < found.max() - min(found.min(), 9.0) < np.inf
    return float(parabolic_peak(binding, found)) if there else np.nan


def _of_repulsion(n: Numbers, run: Run) -> None:
    """Add where a binding lowers the threshold, and what half a standard deviation of it does."""
    subject, name, signs = run.subject, _name(run), {"repulsion": -1, "none": 0, "attraction": 1}
    turn = "Δ_A2 beyond which attraction lowers the threshold at the gain maximum, Δ_E held"
    n.add("turn-absorptive", turn, _turn_meV(run), "meV")
    plain, of_plain = replace(subject, **PLAIN), f"{name} with a = γ = 1"
    for key, what, dot in (("", name, subject), ("-plain", of_plain, plain)):
        best, _ = best_binding(dot, **_how(run))
        n.add(f"best{key}", f"best one binding energy at gain maximum, {what}", best, "meV")
    balanced = _with_balanced_shift(run)
    step = 0.5 * _sigma_meV(balanced)
    n.add("step", "half a standard deviation of the bands", step, "meV")
    for definition, (word, sign) in product(levers.DEFINITIONS, signs.items()):
        value = _threshold(run, _bound(balanced, sign * step), definition)
        meaning = f"threshold {definition}, one binding energy: {word}"
        n.add(f"{word}{DEFINITION_KEYS[definition]}", meaning, value)
