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
from qdgain.figures import maps, style
from qdgain.figures.kit import Figure, Numbers, line, mapped, number, panel, points, stated, upright
from qdgain.figures.panel import THRESHOLD, Axis, Panel, Series
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
        values = maps.where_red(stokes + emissive, _threshold(run, dots, definition))
        series = [
            mapped("threshold", stokes, absorptive, values, THRESHOLD),
            upright(limited, limit, -1.0, 1.5, "detailed balance", dash="--"),
        ]
        if emissive is not column:  # the maps with the subject's own Δ_E
            series.append(line("A_XX2 on PL_XX", stokes, stokes + emissive, "A_XX2", ":"))
            for name in (_name(run), FOUR):
                series += _on_map(run, name, definition)
        panels.append(panel(letter, f"{definition}, {title}", STOKES, ABSORPTIVE, series))
    return tuple(panels)


def _on_map(run: Run, name: str, definition: str) -> list[Series]:
    """Return a dot and its shortest way as the map sees it, on which Δ_E changes too."""
    dot, quantity = run.dots[name], name.removesuffix("+ESA")
    change = _way(run, dot, definition=definition).change_meV
    across, up = (
        [_ratio(dot, field), _ratio(dot, field) + change[field] / _width_meV(dot)]
        for field in FIELDS[:2]
    )
    label = f"{name}, {maps.WAY} to {run['low_threshold']:g}"
    mark = points(name, across[0], up[0], quantity, "s" if name == FOUR else "o")
    return [mark, line(label, across, up, quantity)]


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
        values = maps.where_red(stokes + emissive, slope * _sigma_meV(dots))
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
            values = maps.where_red(emission, _threshold(run, dots, definition))
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
    "threshold_map": Figure(threshold_map, maps.draw_thresholds),
    "ways": Figure(
        ways,
        size=(7.6, 3.8),
        sharey=True,
        axes={"yscale": "log", "ylim": (0.045, 2.2), "xlim": (0, None)},
        legend=None,
        finish=_finish_ways,
    ),
    "repulsion": Figure(repulsion, maps.draw_slopes),
    "bindings": Figure(
        bindings,
        size=(7.6, 4.2),
        axes=({"ylim": (0, 1.6)}, {"ylim": (0, 1.6), "ylabel": ""}),
        legend=None,
        finish=lambda axes, _: style.legend_below(axes[0], ncols=3),
    ),
}


def published_table() -> Table:
    """Return the published shifts with their sources."""
    header = ("row", "dot", "quantity", "published", "by", "read in", "note", "DOI")
    of = attrgetter("label", "quantity", "quoted", "method", "seen_in", "note", "doi")
    rows = [(str(i), *of(row)) for i, row in enumerate(published_shifts(), start=1)]
    return Table(header, rows)


def headlines(run: Run) -> Numbers:
    """Return the numbers of the chapter."""
    n = Numbers("design", run)
    n.add("goal", run["low_threshold"])
    n.add("floor", run["floor"])
    way, *_ = [_of_dot(n, run, name) for name in dict.fromkeys((NOW, FOUR, _name(run)))]
    n.add("lever", _part_of_stokes(way))
    n.add("onset", _way(run, run.subject, definition=ONSET).distance_meV, dot=_name(run))
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
    dot, scheme = run.dots[name], name.removesuffix("+ESA")
    for definition, end in DEFINITION_KEYS.items():
        now = _threshold(run, dot, definition)
        n.add("now-{scheme}{end}", now, scheme=scheme, end=end, definition=definition)
    way, wide = (_way(run, dot, route) for route in ("shifts", "shifts and linewidth"))
    _of_way(n, "way-{scheme}", way, FIELDS[:3], scheme=scheme)
    _of_way(n, "wide-{scheme}", wide, FIELDS, scheme=scheme)
    own = number(dot.stokes_shift_meV)
    n.add("biexciton-stokes-{scheme}", biexciton_stokes_shift_meV(dot), scheme=scheme)
    n.add("stokes-{scheme}", own, scheme=scheme)
    n.add("end-stokes-{scheme}", own + way.change_meV["stokes_shift_meV"], scheme=scheme)
    return way


def _of_way(n: Numbers, key: str, way: Way, fields: Sequence[str], **named: str) -> None:
    n.add(key, way.distance_meV, **named)
    for name in fields:
        of = {"field": FIELD_KEYS[name], "symbol": SYMBOLS[name]}
        n.add(f"{key}-{{field}}", way.change_meV[name], **of, **named)


def _of_set(n: Numbers, run: Run) -> None:
    """Add what holds over sets of parameters that meet the paper's numbers."""
    # Of the reading that leaves both bindings free; in tied ones neither is the larger.
    free = [record.points("replacing free").dots[name] for name in (NOW, FOUR)]
    larger = [biexciton_stokes_shift_meV(dot) > dot.stokes_shift_meV for dot in free]
    own = record.points(record.record()["default"]).dots[NOW]
    widths = [_narrowest(run, own.at(i)) for i in range(0, own.shape[0], 32)]
    n.add("set-larger", 100 * float(np.mean(np.all(larger, axis=0))))
    n.add("set-narrowest", min(widths))
    n.add("set-widest", max(widths))


def _of_readings(n: Numbers, run: Run) -> None:
    """Add what holds for the 3LS with ESA in every reading that gives the paper's numbers."""
    dots, kelvin = [dot for dot, _ in readings_of_chapter().values()], run["temperature_K"]
    ways = [_way(run, dot, "shifts and linewidth", balanced_at_K=kelvin) for dot in dots]
    lowest = [
        reachable.lowest_balanced(dot, _width_meV(dot), kelvin, **_how(run)).threshold
        for dot in dots
    ]
    widths = [_narrowest(run, dot) for dot in dots]
    n.add("lowest-least-reading", min(lowest))
    n.add("broader-least-reading", min(way.change_meV["linewidth_meV"] for way in ways))
    n.add("lever-least-reading", min(_part_of_stokes(_way(run, dot)) for dot in dots))
    n.add("narrowest-least-reading", min(widths))
    n.add("narrowest-most-reading", max(widths))


def _part_of_stokes(way: Way) -> float:
    change = way.change_meV["stokes_shift_meV"]
    return (change / way.distance_meV) ** 2 if way.distance_meV > 0 else np.nan


def _of_one_parameter(n: Numbers, run: Run) -> None:
    goal = run["low_threshold"]
    for field in advice.SINGLES:
        of = {"field": FIELD_KEYS.get(field, "both"), "what": SYMBOLS.get(field, TIED)}
        alone = advice.single(run.subject, field, goal, **_how(run))
        if field in FIELDS[::2]:
            n.add("alone-{field}", alone.needed, dot=_name(run), **of)
        else:  # which cannot take it there
            n.add("alone-{field}-lowest", alone.lowest, dot=_name(run), **of)


def _of_equilibrium(n: Numbers, run: Run) -> None:
    subject, kelvin, name = run.subject, run["temperature_K"], _name(run)
    width = _width_meV(subject)
    n.add("linewidth", width, dot=name)
    n.add("largest-shift", balanced_stokes_shift_meV(width, kelvin))
    for definition, end in DEFINITION_KEYS.items():
        least = reachable.lowest_balanced(subject, width, kelvin, **_how(run, definition))
        narrowest = _narrowest(run, subject, definition=definition)
        n.add("lowest{end}", least.threshold, end=end, definition=definition)
        n.add("narrowest{end}", narrowest, end=end, definition=definition)
    n.add("narrowest-plain", _narrowest(run, replace(subject, **PLAIN)))
    for law in ("poisson", "sequential"):
        n.add("narrowest-{law}", _narrowest(run, subject, statistics=law), law=law)
    way = _way(run, subject, "shifts and linewidth", balanced_at_K=kelvin)
    _of_way(n, "balanced", way, FIELDS, dot=name)


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
    subject, signs = run.subject, {"repulsion": -1, "none": 0, "attraction": 1}
    n.add("turn-absorptive", _turn_meV(run))
    n.add("best", best_binding(subject, **_how(run))[0], dot=_name(run))
    plain, _ = best_binding(replace(subject, **PLAIN), **_how(run))
    n.add("best-plain", plain, dot=_name(run))
    balanced = _with_balanced_shift(run)
    step = 0.5 * _sigma_meV(balanced)
    n.add("step", step)
    for definition, (word, sign) in product(levers.DEFINITIONS, signs.items()):
        value = _threshold(run, _bound(balanced, sign * step), definition)
        end = DEFINITION_KEYS[definition]
        n.add("{word}{end}", value, word=word, end=end, definition=definition)
