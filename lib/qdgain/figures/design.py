"""Design map: thresholds over the shifts and the linewidth, and the shortest way to a low one."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.colors import BoundaryNorm, TwoSlopeNorm
from matplotlib.contour import QuadContourSet
from matplotlib.figure import Figure as Picture
from matplotlib.image import AxesImage

from qdgain import chapters
from qdgain.beyond import advice, levers, reachable
from qdgain.beyond.repulsion import threshold_slopes
from qdgain.beyond.shortest_way import FIELDS, Way, nearest_dot
from qdgain.calibration.record import feasible_set
from qdgain.figures import kit, style
from qdgain.figures.panel import Axis, Panel, Series
from qdgain.model import parameters
from qdgain.model.balance import balanced_stokes_shift_meV, biexciton_stokes_shift_meV
from qdgain.model.bands import FWHM_PER_SIGMA, band_widths_meV
from qdgain.model.dot import Dot, FloatArray
from qdgain.model.threshold import threshold_at_energy
from qdgain.paper.claims import Headline
from qdgain.paper.shifts import published_shifts
from qdgain.run import BASE_OF_YOUR_DOT, YOUR_DOT, Run
from qdgain.table import Table

SETTINGS = chapters.SETTINGS["design"]

_STOKES = Axis("Stokes shift S / linewidth Γ")
_ABSORPTIVE = Axis("absorptive shift Δ_A2 / linewidth Γ")
_BINDING = Axis("binding Δ / linewidth Γ")
_BINDING_MEV = Axis("binding Δ", "meV")
_THRESHOLD = Axis("threshold ⟨N⟩")
_SLOPE = Axis("change of ⟨N⟩ with Δ, per standard deviation")
_LENGTH = Axis("length of the way", "meV")
_ROW = Axis("row of the table below")
_EMISSIVE = Axis("emissive biexciton binding Δ_E", "meV")

_MAXIMUM, _ONSET = levers.DEFINITIONS
_NOW, _FOUR = BASE_OF_YOUR_DOT, "4LS+ESA"
_BOTH = ("absorptive_binding_meV", "emissive_binding_meV")
_LEVELS = (0.0, 0.1, 0.5, 1.0, 1.5, 2.0)
_MAP_POINTS, _SLOPE_POINTS = 76, 61
#: Only ratios to the width count, so that a map is computed at a width that no range is short for.
_MAP_WIDTH_MEV = 100.0
_LARGE_BINDING = 0.5
_TARGETS = (1.5, 1.2, 1.0, 0.9, 0.8, 0.7, 0.6, 0.5, 0.4, 0.3, 0.2, 0.1, 0.05)
#: The range of slopes that is drawn, per standard deviation.
_LARGEST_SLOPE = 0.6
_NEAR_SLOPE = 0.01
_FAR_WIDTHS = 5.0
#: Of the calibrated set, one in so many is computed.
_EVERY = 100


def _how(run: Run, definition: str = _MAXIMUM) -> dict[str, Any]:
    return {"definition": definition, "floor": run["floor"], "statistics": run["statistics"]}


def _name(run: Run) -> str:
    """Name the dot that the chapter is about."""
    return _NOW if run.is_papers else f"{YOUR_DOT}+ESA"


def _dots(run: Run) -> Mapping[str, Dot]:
    """Return the dots that ways start from: the subject, and the 4LS."""
    return {_name(run): run.subject, _FOUR: run.dots[_FOUR]}


def _width_meV(dot: Dot) -> float:
    return float(band_widths_meV(dot).absorption) * FWHM_PER_SIGMA


def _ratio(dot: Dot, field: str) -> float:
    return float(np.asarray(getattr(dot, field))) / _width_meV(dot)


def _limit(run: Run) -> float:
    """Return S/Γ in equilibrium at the subject's linewidth."""
    width = _width_meV(run.subject)
    return float(balanced_stokes_shift_meV(width, run["temperature_K"])) / width


# --- maps of the threshold


def scaled(dot: Dot, **ratios: FloatArray | float) -> Dot:
    """Return a dot at the map's width with some fields at multiples of that width.

    The widths of single bands keep their ratio to that of A_X.
    """
    factor = _MAP_WIDTH_MEV / _width_meV(dot)
    changes: dict[str, Any] = {"linewidth_meV": _MAP_WIDTH_MEV}
    for name, value in dot.values().items():
        if name.endswith("_linewidth_meV"):
            changes[name] = parameters.clipped(name, np.asarray(value) * factor)
    for name in FIELDS[:3]:
        value = np.asarray(ratios.get(name, _ratio(dot, name))) * _MAP_WIDTH_MEV
        changes[name] = parameters.clipped(name, value)
    return replace(dot, **changes)


def threshold_map(run: Run) -> tuple[Panel, ...]:
    """Return six maps: both thresholds over S/Γ and Δ_A2/Γ, for three kinds of Δ_E."""
    stokes, absorptive = np.linspace(0, 1.5, _MAP_POINTS), np.linspace(-1, 1.5, _MAP_POINTS)
    subject = run.subject
    own = _ratio(subject, "emissive_binding_meV")
    bindings: tuple[tuple[str, FloatArray], ...] = (
        (f"Δ_E = {own:.2f} Γ".replace("-", "−"), np.asarray(own)),
        (f"Δ_E = {_LARGE_BINDING:g} Γ", np.asarray(_LARGE_BINDING)),
        ("Δ_E = Δ_A2", absorptive[:, None]),
    )
    panels = []
    letters = iter("abcdef")
    for definition in levers.DEFINITIONS:
        for column, (title, emissive) in enumerate(bindings):
            dots = scaled(
                subject,
                stokes_shift_meV=stokes,
                absorptive_binding_meV=absorptive[:, None],
                emissive_binding_meV=emissive,
            )
            values = np.asarray(levers.threshold_of(dots, **_how(run, definition)))
            # No biexciton that emits blue of A_X, where real dots absorb elsewhere.
            values = np.where(stokes + emissive >= -1e-9, values, np.nan)
            series = [
                Series(
                    "threshold",
                    stokes,
                    absorptive,
                    _STOKES,
                    _ABSORPTIVE,
                    z=np.broadcast_to(values, (absorptive.size, stokes.size)),
                    z_axis=_THRESHOLD,
                    kind="map",
                ),
                _upright(run),
            ]
            if emissive.size == 1:
                series.append(
                    Series(
                        "A_XX2 on PL_XX",
                        stokes,
                        stokes + emissive,
                        _STOKES,
                        _ABSORPTIVE,
                        quantity="A_XX2",
                        dash=":",
                    )
                )
            if column == 0:
                series += _marks(run)
            panels.append(Panel(next(letters), f"{definition}, {title}", tuple(series)))
    return tuple(panels)


def _upright(run: Run) -> Series:
    limit = _limit(run)
    return Series(
        f"largest S in equilibrium, {run['temperature_K']:g} K",
        [limit, limit],
        [-1.0, 1.5],
        _STOKES,
        _ABSORPTIVE,
        quantity="detailed balance",
        dash="--",
    )


def _marks(run: Run) -> list[Series]:
    return [
        Series(
            name,
            _ratio(dot, "stokes_shift_meV"),
            _ratio(dot, "absorptive_binding_meV"),
            _STOKES,
            _ABSORPTIVE,
            quantity=YOUR_DOT if name.startswith(YOUR_DOT) else name.removesuffix("+ESA"),
            kind="points",
            dash="s" if name == _FOUR else "o",
        )
        for name, dot in _dots(run).items()
    ]


def draw_threshold_map(panels: tuple[Panel, ...]) -> Picture:
    """Draw the six maps with one scale and one legend."""
    with style.book_style():
        figure = style.new_figure(8.4, 6.0)
        axes = figure.subplots(2, 3, sharex=True, sharey=True)
        for ax, panel in zip(axes.flat, panels, strict=True):
            filled = _draw_levels(ax, panel.series[0])
            for series in panel.series[1:]:
                style.draw_series(ax, replace(series, behind=False))
            definition, _, binding = panel.title.partition(", ")
            ax.set_title(style.typeset(f"{definition}\n{binding}"))
            ax.set(xlim=(0, 1.5), ylim=(-1, 1.5))
            style.letter(ax, panel.letter)
        for ax in axes[-1]:
            ax.set_xlabel(_STOKES.label)
        for ax in axes[:, 0]:
            ax.set_ylabel(style.typeset(_ABSORPTIVE.label))
        bar = figure.colorbar(filled, ax=axes, ticks=_LEVELS, shrink=0.8)
        bar.set_label(_THRESHOLD.label)
        handles, labels = axes[0, 0].get_legend_handles_labels()
        figure.legend(handles, labels, loc="outside lower center", ncols=4)
    return figure


def _draw_levels(ax: Axes, series: Series) -> QuadContourSet:
    """Draw a map of thresholds as steps, white where there is none."""
    values = np.ma.masked_invalid(np.asarray(series.z))
    x, y = np.asarray(series.x), np.asarray(series.y)
    filled = ax.contourf(
        x, y, values, levels=_LEVELS, cmap=style.SEQUENTIAL_MAP, norm=BoundaryNorm(_LEVELS, 256)
    )
    ax.contour(x, y, values, levels=_LEVELS[1:-1], colors="white", linewidths=0.7)
    return filled


# --- ways


#: What a way may change, as it is called in the legend; the last one in equilibrium.
_WAYS = (
    ("shifts", "shifts", False, "-"),
    ("shifts and linewidth", "shifts and linewidth", False, "--"),
    ("one binding energy and S", "one binding energy", False, "-."),
    ("shifts and linewidth, in equilibrium", "shifts and linewidth", True, ":"),
)


def ways(run: Run) -> tuple[Panel, ...]:
    """Return for two dots which threshold can be had at which distance."""
    return tuple(
        Panel(
            letter,
            f"from the {name}" if name in run.dots and name != f"{YOUR_DOT}+ESA" else name,
            tuple(_line_of_ways(run, dot, kind) for kind in _WAYS),
        )
        for letter, (name, dot) in zip("ab", _dots(run).items(), strict=True)
    )


def _line_of_ways(run: Run, dot: Dot, kind: tuple[str, str, bool, str]) -> Series:
    name, route, balanced, dash = kind
    now = float(levers.threshold_of(dot, **_how(run)))
    kelvin = run["temperature_K"] if balanced else None
    targets = [target for target in _TARGETS if not target >= now]
    lengths = [
        nearest_dot(
            dot, target, route=route, balanced_at_K=kelvin, starts=2, **_how(run)
        ).distance_meV
        for target in targets
    ]
    allowed = not balanced or advice.equilibrium(dot, 1.0, run["temperature_K"], **_how(run)).allows
    if 0 < now < np.inf and allowed:
        targets, lengths = [now, *targets], [0.0, *lengths]
    return Series(
        name,
        [length if np.isfinite(length) else np.nan for length in lengths] or [np.nan],
        targets or [np.nan],
        _LENGTH,
        _THRESHOLD,
        quantity=name,
        dash=dash,
    )


def draw_ways(panels: tuple[Panel, ...]) -> Picture:
    """Draw the ways from two dots side by side."""
    with style.book_style():
        figure = style.new_figure(7.6, 3.8)
        axes = figure.subplots(1, 2, sharey=True)
        for ax, panel in zip(axes, panels, strict=True):
            style.draw_panel(ax, panel, legend=None)
            ax.set(yscale="log", ylim=(0.045, 2.2))
            ax.set_xlim(left=0)
            ax.set_yticks([0.05, 0.1, 0.2, 0.5, 1, 2], ["0.05", "0.1", "0.2", "0.5", "1", "2"])
            ax.minorticks_off()
            ax.grid(axis="y", linewidth=0.4)
        axes[1].set_ylabel("")
        handles, labels = axes[0].get_legend_handles_labels()
        figure.legend(handles, labels, loc="outside lower center", ncols=2)
    return figure


# --- where repulsion helps


def repulsion(run: Run) -> tuple[Panel, ...]:
    """Return four maps: the slope of both thresholds against Δ_A2 alone, and against both."""
    stokes, binding = np.linspace(0, 1.5, _SLOPE_POINTS), np.linspace(-1, 1, _SLOPE_POINTS)
    subject = run.subject
    column = binding[:, None]
    alone = scaled(subject, stokes_shift_meV=stokes, absorptive_binding_meV=column)
    both = scaled(
        subject,
        stokes_shift_meV=stokes,
        absorptive_binding_meV=column,
        emissive_binding_meV=column,
    )
    width = float(band_widths_meV(scaled(subject)).absorption)
    panels = []
    for letter, (definition, title, dots) in zip(
        "abcd",
        (
            (definition, title, dots)
            for definition in levers.DEFINITIONS
            for title, dots in (("Δ_A2 alone", alone), ("one binding energy", both))
        ),
        strict=True,
    ):
        slopes = threshold_slopes(dots, **_how(run, definition))
        values = np.asarray(slopes.absorptive if title == "Δ_A2 alone" else slopes.both) * width
        emission = stokes + (column if dots is both else _ratio(subject, "emissive_binding_meV"))
        values = np.where(emission >= -1e-9, values, np.nan)
        panels.append(
            Panel(
                letter,
                f"{definition}, {title}",
                (
                    Series(
                        "slope",
                        stokes,
                        binding,
                        _STOKES,
                        _BINDING,
                        z=np.broadcast_to(values, (binding.size, stokes.size)),
                        z_axis=_SLOPE,
                        kind="map",
                    ),
                ),
            )
        )
    return tuple(panels)


def draw_repulsion(panels: tuple[Panel, ...]) -> Picture:
    """Draw the four maps of slopes with one scale."""
    with style.book_style():
        figure = style.new_figure(7.0, 5.8)
        axes = figure.subplots(2, 2, sharex=True, sharey=True)
        for ax, panel in zip(axes.flat, panels, strict=True):
            image = _draw_slopes(ax, panel.series[0])
            definition, _, title = panel.title.partition(", ")
            ax.set_title(style.typeset(f"{definition}\n{title}"))
            style.letter(ax, panel.letter)
        for ax in axes[-1]:
            ax.set_xlabel(_STOKES.label)
        for ax in axes[:, 0]:
            ax.set_ylabel(_BINDING.label)
        bar = figure.colorbar(image, ax=axes, shrink=0.8, extend="both")
        bar.set_label(_SLOPE.label)
    return figure


def _draw_slopes(ax: Axes, series: Series) -> AxesImage:
    """Draw a signed map with its zero line; hatched where repulsion lowers, for readers in grey."""
    x, y = np.asarray(series.x), np.asarray(series.y)
    values = np.ma.masked_invalid(np.asarray(series.z))
    half_x, half_y = 0.5 * (x[1] - x[0]), 0.5 * (y[1] - y[0])
    image = ax.imshow(
        values,
        extent=(x[0] - half_x, x[-1] + half_x, y[0] - half_y, y[-1] + half_y),
        origin="lower",
        aspect="auto",
        cmap=style.GAIN_MAP,
        norm=TwoSlopeNorm(0, -_LARGEST_SLOPE, _LARGEST_SLOPE),
    )
    if values.count() and values.min() < 0 < values.max():
        ax.contour(x, y, values, levels=[0], colors="black", linewidths=1.0)
    if values.count() and values.max() > _NEAR_SLOPE:
        ax.contourf(x, y, values, levels=[_NEAR_SLOPE, np.inf], colors="none", hatches=["///"])
    ax.set(xlim=(x[0], x[-1]), ylim=(y[0], y[-1]))
    return image


# --- thresholds against a binding, and what is published of it


def bindings(run: Run) -> tuple[Panel, Panel, Panel]:
    """Return thresholds against the binding, as the dot is and in equilibrium, and what is public.

    The third panel has the published bindings, which no public Stokes shift places on a map.
    """
    subject, balanced = run.subject, _with_balanced_shift(run)
    curves = []
    for letter, dot, title in (
        ("a", subject, f"S of the {_name(run)}"),
        ("b", balanced, f"S in equilibrium, {run['temperature_K']:g} K"),
    ):
        width = _width_meV(dot)
        low, high = parameters.clipped(_BOTH[0], [-width, 1.5 * width])
        binding = np.linspace(low, high, 201)
        series = []
        for definition, dash in ((_MAXIMUM, "-"), (_ONSET, "--")):
            for what, quantity in (("Δ_A2 alone", "A_XX2"), ("one binding energy", "PL_XX")):
                values = _against(run, dot, binding, definition, what)
                series.append(
                    Series(
                        f"{what}, {definition}",
                        binding,
                        np.where(np.isfinite(values), values, np.nan),
                        _BINDING_MEV,
                        _THRESHOLD,
                        quantity=quantity,
                        dash=dash,
                    )
                )
        curves.append(Panel(letter, title, tuple(series)))
    points = tuple(
        Series(
            f"{number}: {row.label}",
            number,
            row.value_meV,
            _ROW,
            _EMISSIVE,
            y_low=row.low_meV if np.isfinite(row.low_meV) else row.value_meV,
            y_high=row.high_meV if np.isfinite(row.high_meV) else row.value_meV,
            quantity=row.material,
            kind="points",
            dash={"CdSe": "o", "CsPbBr3": "s", "Te:CdSe": "v"}[row.material],
        )
        for number, row in enumerate(published_shifts(), start=1)
        if row.is_public and row.quantity == "emissive binding"
    )
    return curves[0], curves[1], Panel("c", "published", points)


def _with_balanced_shift(run: Run) -> Dot:
    """Return the subject with the Stokes shift of equilibrium at its linewidth."""
    shift = balanced_stokes_shift_meV(_width_meV(run.subject), run["temperature_K"])
    field = "stokes_shift_meV"
    return replace(run.subject, stokes_shift_meV=float(parameters.clipped(field, shift)))


def _against(
    run: Run, subject: Dot, binding: FloatArray, definition: str, title: str
) -> FloatArray:
    """Return thresholds against a binding; nan where the biexciton would emit blue of A_X."""
    fields = _BOTH if title == "one binding energy" else _BOTH[:1]
    moved: dict[str, Any] = {name: parameters.clipped(name, binding) for name in fields}
    dots = replace(subject, **moved)
    values = levers.threshold_of(dots, **_how(run, definition))
    emission = np.asarray(dots.stokes_shift_meV) + np.asarray(dots.emissive_binding_meV)
    return np.where(emission >= -1e-9, values, np.nan)


def draw_bindings(panels: tuple[Panel, Panel, Panel]) -> Picture:
    """Draw the curves, and beside them the published bindings by row of their table."""
    published = panels[-1]
    with style.book_style():
        figure = style.new_figure(8.6, 4.2)
        *curves, side = figure.subplots(1, 3, width_ratios=(1.2, 1.2, 1))
        for ax, panel in zip(curves, panels, strict=False):
            style.draw_panel(ax, panel, legend=None)
            ax.set_ylim(0, 2)
        curves[1].set_ylabel("")
        style.draw_panel(side, published, legend=None)
        side.set_xticks([int(np.asarray(series.x)[0]) for series in published.series])
        side.margins(x=0.2)
        side.axhline(0.0, color="black", linewidth=0.8)
        handles, labels = curves[0].get_legend_handles_labels()
        figure.legend(handles, labels, loc="outside lower center", ncols=2)
        key = [
            side.plot([], [], color=style.colour(name), marker=marker, linestyle="none", label=name)
            for name, marker in (("CdSe", "o"), ("CsPbBr3", "s"), ("Te:CdSe", "v"))
        ]
        side.legend(handles=[line for (line,) in key], loc="lower left")
    return figure


class PublishedTable(Table):
    """The published shifts with their sources."""

    def __init__(self) -> None:
        header = ("row", "dot", "quantity", "published", "by", "read in", "note", "DOI")
        rows = [
            (
                str(number),
                row.label,
                row.quantity,
                row.quoted,
                row.method,
                row.seen_in,
                row.note,
                row.doi,
            )
            for number, row in enumerate(published_shifts(), start=1)
        ]
        super().__init__(header, rows)


#: Picture -> (its series for a run, how it is drawn).
FIGURES = {
    "threshold_map": kit.Figure(threshold_map, draw_threshold_map),
    "ways": kit.Figure(ways, draw_ways),
    "repulsion": kit.Figure(repulsion, draw_repulsion),
    "bindings": kit.Figure(bindings, draw_bindings),
}


# --- numbers


_SYMBOLS = dict(zip(FIELDS, ("S", "Δ_A2", "Δ_E", "Γ"), strict=True))
_SLUGS = {"3LS+ESA": "3ls", "4LS+ESA": "4ls", f"{YOUR_DOT}+ESA": "yours"}
_FIELD_SLUGS = dict(zip(FIELDS, ("stokes", "absorptive", "emissive", "width"), strict=True))


def headlines(run: Run) -> list[Headline]:
    """Return the numbers of the chapter."""
    dots = {_NOW: run.dots[_NOW], _FOUR: run.dots[_FOUR]}
    if not run.is_papers:
        dots[_name(run)] = run.subject
    rows = [
        Headline("design-goal", "wanted threshold ⟨N⟩", run["low_threshold"]),
        Headline("design-floor", "floor of the onset", run["floor"]),
    ]
    for name, dot in dots.items():
        rows += [*_way_headlines(run, name, dot), *_balance_headlines(run, name, dot)]
    rows += _lever_headlines(run)
    rows += _set_headlines(run)
    rows += _alone_headlines(run)
    rows += _equilibrium_headlines(run)
    rows += _repulsion_headlines(run)
    return rows


def _way_headlines(run: Run, name: str, dot: Dot) -> list[Headline]:
    slug, goal = _SLUGS[name], run["low_threshold"]
    rows = [
        Headline(
            f"design-now-{slug}{'' if definition == _MAXIMUM else '-onset'}",
            f"threshold {definition}, {name}",
            float(levers.threshold_of(dot, **_how(run, definition))),
        )
        for definition in levers.DEFINITIONS
    ]
    shifts = nearest_dot(dot, goal, **_how(run))
    rows += _changes(f"design-way-{slug}", f"way to ⟨N⟩ = {goal:g} by shifts, {name}", shifts)
    wide = nearest_dot(dot, goal, route="shifts and linewidth", **_how(run))
    rows += _changes(
        f"design-wide-{slug}",
        f"way to ⟨N⟩ = {goal:g} by shifts and linewidth, {name}",
        wide,
        FIELDS,
    )
    tied = nearest_dot(dot, goal, route="one binding energy", **_how(run))
    rows += _changes(
        f"design-tied-{slug}",
        f"way to ⟨N⟩ = {goal:g} by S and one binding energy, {name}",
        tied,
        ("stokes_shift_meV", "emissive_binding_meV"),
    )
    return rows


def _changes(
    key: str, meaning: str, way: Way, fields: tuple[str, ...] = FIELDS[:3]
) -> list[Headline]:
    return [
        Headline(key, f"length of the {meaning}", way.distance_meV, "meV"),
        *(
            Headline(
                f"{key}-{_FIELD_SLUGS[name]}",
                f"change of {_SYMBOLS[name]} on the {meaning}",
                way.change_meV[name],
                "meV",
            )
            for name in fields
        ),
    ]


def _balance_headlines(run: Run, name: str, dot: Dot) -> list[Headline]:
    slug = _SLUGS[name]
    second = float(biexciton_stokes_shift_meV(dot))
    key = "B4-biexciton-stokes" if slug == "3ls" else f"design-biexciton-stokes-{slug}"
    way = nearest_dot(dot, run["low_threshold"], **_how(run))
    end = float(np.asarray(dot.stokes_shift_meV)) + way.change_meV["stokes_shift_meV"]
    return [
        Headline(key, f"Stokes shift of the biexciton, {name}", second, "meV"),
        Headline(
            f"design-stokes-{slug}",
            f"Stokes shift of the exciton, {name}",
            float(np.asarray(dot.stokes_shift_meV)),
            "meV",
        ),
        Headline(f"design-end-stokes-{slug}", f"S at the end of the way, {name}", end, "meV"),
    ]


def _set_headlines(run: Run) -> list[Headline]:
    """Return what holds over the set of parameters that meets the paper's numbers."""
    found = feasible_set("wide")
    larger = np.all(
        [found[f"emissive_{x}_meV"] > found[f"absorptive_{x}_meV"] for x in ("3ls", "4ls")], axis=0
    )
    dots = [
        replace(run.dots[_NOW], xx_absorption_strength=float(a), xx_emission_strength=float(gamma))
        for a, gamma in zip(
            found["xx_absorption_strength"][::_EVERY],
            found["xx_emission_strength"][::_EVERY],
            strict=True,
        )
    ]
    widths = [
        reachable.narrowest_balanced_linewidth_meV(
            dot, run["low_threshold"], run["temperature_K"], **_how(run)
        )
        for dot in dots
    ]
    return [
        Headline(
            "design-set-larger",
            "part of the calibrated set with the larger Stokes shift in the biexciton",
            100 * float(np.mean(larger)),
            "%",
        ),
        Headline(
            "design-set-narrowest", "smallest such linewidth over the set", min(widths), "meV"
        ),
        Headline("design-set-widest", "largest such linewidth over the set", max(widths), "meV"),
    ]


def _lever_headlines(run: Run) -> list[Headline]:
    way = nearest_dot(run.dots[_NOW], run["low_threshold"], **_how(run))
    change = way.change_meV["stokes_shift_meV"]
    share = (change / way.distance_meV) ** 2 if way.distance_meV > 0 else np.nan
    onset = nearest_dot(run.subject, run["low_threshold"], **_how(run, _ONSET))
    return [
        Headline("B4-lever", "part of S in the squared length of the way, 3LS+ESA", share),
        *_changes(
            "design-onset",
            f"way to an onset of {run['low_threshold']:g} by shifts, {_name(run)}",
            onset,
        ),
    ]


def _alone_headlines(run: Run) -> list[Headline]:
    rows = []
    for name, fields in advice.SINGLES.items():
        slug = "both" if len(fields) > 1 else _FIELD_SLUGS[name]
        alone = advice.single(run.subject, name, run["low_threshold"], **_how(run))
        rows += [
            Headline(
                f"design-alone-{slug}",
                f"{_called(name)} alone for ⟨N⟩ = {run['low_threshold']:g}, {_name(run)}",
                alone.needed,
                "meV",
            ),
            Headline(
                f"design-alone-{slug}-lowest",
                f"lowest threshold by {_called(name)} alone, {_name(run)}",
                alone.lowest,
            ),
        ]
    return rows


def _called(name: str) -> str:
    return _SYMBOLS.get(name, "one binding energy")


def _equilibrium_headlines(run: Run) -> list[Headline]:
    subject, kelvin, goal = run.subject, run["temperature_K"], run["low_threshold"]
    width = _width_meV(subject)
    plain = replace(subject, xx_absorption_strength=1.0, xx_emission_strength=1.0)
    rows = [
        Headline("design-linewidth", f"linewidth, {_name(run)}", width, "meV"),
        Headline(
            "design-largest-shift",
            f"largest Stokes shift in equilibrium at that width, {kelvin:g} K",
            float(balanced_stokes_shift_meV(width, kelvin)),
            "meV",
        ),
    ]
    for dot, strengths, suffix in (
        (subject, "strengths of the presets", ""),
        (plain, "a = γ = 1", "-plain"),
    ):
        for definition in levers.DEFINITIONS:
            slug = f"{suffix}{'' if definition == _MAXIMUM else '-onset'}"
            how = _how(run, definition)
            lowest = reachable.lowest_balanced(dot, width, kelvin, **how)
            narrowest = reachable.narrowest_balanced_linewidth_meV(dot, goal, kelvin, **how)
            rows += [
                Headline(
                    f"design-lowest{slug}",
                    f"lowest threshold in equilibrium at that width, {definition}, {strengths}",
                    float(lowest.threshold),
                ),
                Headline(
                    f"design-lowest{slug}-binding",
                    f"its binding, {definition}, {strengths}",
                    # To what the search knows of it; a sum with zero has no sign of it.
                    round(float(lowest.binding_meV), 1) + 0.0,
                    "meV",
                ),
                Headline(
                    f"design-narrowest{slug}" if slug else "B4-equilibrium",
                    f"linewidth from which equilibrium allows ⟨N⟩ = {goal:g}, {definition}, "
                    f"{strengths}",
                    narrowest,
                    "meV",
                ),
            ]
    rows += [
        Headline(
            f"design-narrowest-{law}",
            f"the same linewidth at gain maximum, {law} statistics",
            reachable.narrowest_balanced_linewidth_meV(subject, goal, kelvin, statistics=law),
            "meV",
        )
        for law in ("poisson", "sequential")
    ]
    way = nearest_dot(
        subject, goal, route="shifts and linewidth", balanced_at_K=kelvin, **_how(run)
    )
    return rows + _changes(
        "design-balanced",
        f"way to ⟨N⟩ = {goal:g} that equilibrium allows, {_name(run)}",
        way,
        FIELDS,
    )


def _repulsion_headlines(run: Run) -> list[Headline]:
    subject = run.subject
    stokes = float(np.asarray(subject.stokes_shift_meV))
    rows = [
        Headline(
            "design-turn-absorptive",
            "Δ_A2 beyond which attraction lowers the threshold at the gain maximum, Δ_E held",
            stokes + float(np.asarray(subject.emissive_binding_meV)),
            "meV",
        )
    ]
    plain = replace(subject, xx_absorption_strength=1.0, xx_emission_strength=1.0)
    for dot, what, slug in (
        (subject, _name(run), ""),
        (plain, f"{_name(run)} with a = γ = 1", "-plain"),
    ):
        best, lowest = _best_binding(run, dot)
        rows += [
            Headline(
                f"design-best{slug}",
                f"best one binding energy at gain maximum, {what}",
                best,
                "meV",
            ),
            Headline(f"design-best{slug}-threshold", f"threshold there, {what}", lowest),
        ]
    rows += _repelled(run, _with_balanced_shift(run))
    return [*rows, *_klimov_headlines(run)]


def _best_binding(run: Run, dot: Dot) -> tuple[float, float]:
    """Return the one binding energy with the lowest threshold at the gain maximum, and that."""
    start = replace(dot, absorptive_binding_meV=0.0, emissive_binding_meV=0.0)
    best, _ = levers.lowest_over(start, _BOTH, red=True, **_how(run))
    near = best + 0.02 * _width_meV(dot) * np.linspace(-1, 1, 401)
    near = parameters.clipped(_BOTH[0], np.maximum(near, -float(np.asarray(dot.stokes_shift_meV))))
    thresholds = levers.threshold_of(
        replace(start, absorptive_binding_meV=near, emissive_binding_meV=near), **_how(run)
    )
    lowest = int(np.argmin(thresholds))
    return float(near[lowest]), float(thresholds[lowest])


def _repelled(run: Run, dot: Dot) -> list[Headline]:
    """Compare repulsion and attraction by half a standard deviation, S in equilibrium."""
    step = 0.5 * float(band_widths_meV(dot).absorption)
    rows = [Headline("design-step", "half a standard deviation of the bands", step, "meV")]
    for definition in levers.DEFINITIONS:
        slug = "" if definition == _MAXIMUM else "-onset"
        for sign, word in ((-1, "repulsion"), (0, "none"), (1, "attraction")):
            moved: dict[str, Any] = {name: parameters.clipped(name, sign * step) for name in _BOTH}
            threshold = float(levers.threshold_of(replace(dot, **moved), **_how(run, definition)))
            key = f"design-{word}{slug}"
            if word == "repulsion":
                key = "B4-repulsion-raises" if definition == _MAXIMUM else "B4-repulsion-lowers"
            rows.append(
                Headline(key, f"threshold {definition}, one binding energy: {word}", threshold)
            )
    return rows


def _klimov_headlines(run: Run) -> list[Headline]:
    """Return the threshold on the line of a 2LS whose biexciton repulsion has moved away."""
    dot = run.dots["3LS"]
    away = -_FAR_WIDTHS * float(np.asarray(dot.linewidth_meV))
    far = replace(dot, stokes_shift_meV=0.0, absorptive_binding_meV=away, emissive_binding_meV=away)
    centre = float(np.asarray(dot.absorption_energy_eV))
    return [
        Headline(
            "B4-klimov" if law == "sequential" else f"design-klimov-{law}",
            f"threshold on the line of a 2LS, its biexciton far away, {law} statistics",
            float(threshold_at_energy(far, centre, statistics=law)),
        )
        for law in ("sequential", "rabi", "poisson")
    ]
