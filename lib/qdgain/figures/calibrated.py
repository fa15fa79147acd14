"""The calibration page: residuals of every reading, the set of solutions, what it pins."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure as Picture
from matplotlib.patches import Rectangle
from matplotlib.ticker import MaxNLocator

from qdgain.calibration import plausibility
from qdgain.calibration.objective import (
    CONDITIONS,
    COUPLINGS,
    DOTS,
    TARGETS,
    TOLERANCE,
    Variant,
    public_numbers,
    stated_numbers,
    width_meV,
)
from qdgain.calibration.record import feasible_set, record
from qdgain.figures import style
from qdgain.figures.kit import Figure, Numbers, mapped, panel, points
from qdgain.figures.panel import NO_AXIS, Axis, Panel
from qdgain.model.dot import presets
from qdgain.model.parameters import PRESETS
from qdgain.paper.claims import claims

_RESIDUAL = Axis("largest departure from a stated number", "%")
_HOLDING = Axis("statements that hold")
_READING = Axis("reading: column")
_COUPLING = Axis("coupling and weight a: row")
#: Residuals beyond this are drawn alike, in per cent.
_TOP = 30.0

#: Unknown of the calibration to its symbol.
SYMBOLS: Mapping[str, Axis] = {
    "stokes_3ls": Axis("S, 3LS", "meV"),
    "stokes_4ls": Axis("S, 4LS", "meV"),
    "absorptive_3ls": Axis("Δ_A2, 3LS", "meV"),
    "emissive_3ls": Axis("Δ_E, 3LS", "meV"),
    "absorptive_4ls": Axis("Δ_A2, 4LS", "meV"),
    "emissive_4ls": Axis("Δ_E, 4LS", "meV"),
    "xx_absorption_strength": Axis("a"),
    "xx_emission_strength": Axis("γ"),
    "gain_exponent": Axis("L_g"),
    "pi_pulse_fluence_mJ_cm2": Axis("J_π", "mJ cm⁻²"),
}
_UNPAIRED = ("absorptive_3ls", "emissive_3ls", "xx_emission_strength")
_PAIRED = tuple(name for name in SYMBOLS if name not in _UNPAIRED)
#: Sampled sets: name -> in words, colour, marker of the spreads, size of the points.
_SETS = {
    "wide": ("every parameter free", "reference", "o", 1.2),
    "lean": ("leanest reading", "PL_X", "s", 2.5),
}
#: The calibrating numbers in keys, in the order of `TARGETS`.
_SCHEMES = ("3ls", "3ls-esa", "4ls", "4ls-esa")
_KEYS = (*(f"threshold-{of}" for of in _SCHEMES), "max-esa", *(f"ase-{of}" for of in _SCHEMES))


def stored_variant(which: str = "default") -> Variant:
    """Return the variant of the stored presets, or of the leanest reading (``lean``)."""
    found = record()[which]
    return Variant(found["threshold"], found["statistics"], found["esa_weight"], found["coupling"])


# --- residuals


def _columns() -> list[tuple[str, str]]:
    return list(dict.fromkeys((v["threshold"], v["statistics"]) for v in record()["variants"]))


def _rows() -> list[tuple[str, float | None]]:
    return list(dict.fromkeys((v["coupling"], v["esa_weight"]) for v in record()["variants"]))


def residuals() -> tuple[Panel, Panel]:
    """Return the largest residual of every variant: the numbers alone, and the statements too."""
    return (
        _residuals("a", "numbers_only", "the numbers alone"),
        _residuals("b", "with_conditions", "numbers and qualitative statements"),
    )


def _residuals(letter: str, kind: str, title: str) -> Panel:
    columns, rows = _columns(), _rows()
    off, holding = np.full((2, len(rows), len(columns)), np.nan)
    for variant in record()["variants"]:
        i = rows.index((variant["coupling"], variant["esa_weight"]))
        j = columns.index((variant["threshold"], variant["statistics"]))
        off[i, j] = 100 * variant[kind]["largest_residual"]
        holding[i, j] = sum(value >= 0 for value in variant[kind]["conditions"].values())
    x, y = np.arange(len(columns)), np.arange(len(rows))
    tables = ("residual", off, _RESIDUAL), (_HOLDING.name, holding, _HOLDING)
    maps = [mapped(name, x, y, table, axis) for name, table, axis in tables]
    return panel(letter, title, _READING, _COUPLING, maps)


def _draw_residuals(panels: tuple[Panel, Panel]) -> Picture:
    """Draw both tables of residuals, each cell with its number."""
    figure = style.new_figure(7.6, 5.4)
    axes = figure.subplots(1, 2, sharey=True)
    for ax, one in zip(axes, panels, strict=True):
        _draw_table(ax, one, statements=one.letter == "b")
    names = [f"{name}, a {'free' if a is None else f'= {a:g}'}" for name, a in _rows()]
    axes[0].set_yticks(range(len(names)), names)
    return figure


def _draw_table(ax: Axes, one: Panel, statements: bool) -> None:
    table, holding = (series.values for series in one.series)
    style.draw_cells(ax, table, (0, _TOP))
    for i, j in np.ndindex(*table.shape):
        text = f"{table[i, j]:.1f}" if table[i, j] < 99.5 else "≥ 100"
        met = table[i, j] <= 100 * TOLERANCE
        if statements:
            text += f"  {holding[i, j]:.0f}/{len(CONDITIONS)}"
            met = met and holding[i, j] == len(CONDITIONS)
        weight, white = "bold" if met else "normal", bool(table[i, j] < 0.5 * _TOP)
        style.write_cell(ax, j, i, text, white, fontsize=6.5, fontweight=weight)
        if met:
            corner = (j - 0.46, i - 0.44)
            ax.add_patch(Rectangle(corner, 0.92, 0.88, fill=False, edgecolor="white"))
    names = [f"{statistics}\n{threshold}" for threshold, statistics in _columns()]
    ax.set_xticks(range(len(names)), names, rotation=90, fontsize=7)
    ax.tick_params(axis="y", labelsize=7)
    for edge in np.arange(len(COUPLINGS) - 0.5, len(table) - 1, len(COUPLINGS)):
        ax.axhline(edge, color="white", linewidth=1.5)
    ax.axvline(2.5, color="white", linewidth=1.5)
    ax.set_title(one.title)
    style.letter(ax, one.letter)


# --- the set of solutions


def _pair(title: str, row: str, column: str) -> str:
    return f"{title}: {SYMBOLS[row].name} against {SYMBOLS[column].name}"


def solution_set() -> Panel:
    """Return the sampled sets as pairs of parameters."""
    series = []
    for which, (title, quantity, _, _) in _SETS.items():
        values = {name.removesuffix("_meV"): x for name, x in feasible_set(which).items()}
        for i, row in enumerate(_PAIRED):
            for column in _PAIRED[:i]:
                axes: Any = {"x_axis": SYMBOLS[column], "y_axis": SYMBOLS[row]}
                x, y, name = values[column], values[row], _pair(title, row, column)
                series.append(points(name, x, y, quantity, ".", **axes))
    return panel("c", "parameters that meet every number", NO_AXIS, NO_AXIS, series)


def _draw_solution_set(one: Panel) -> Picture:
    """Draw the lower triangle of pairs; the cross is the preset."""
    size, point = len(_PAIRED) - 1, _preset_point()
    figure = style.new_figure(7.6, 7.2)
    axes: Any = figure.subplots(size, size, sharex="col", sharey="row", squeeze=False)
    for i, j in np.ndindex(size, size):
        ax, row, column = axes[i, j], _PAIRED[i + 1], _PAIRED[j]
        if j > i:
            ax.axis("off")
            continue
        for title, quantity, _, area in _SETS.values():
            shown = one[_pair(title, row, column)]
            x, y, shade = np.asarray(shown.x), np.asarray(shown.y), style.colour(quantity)
            ax.scatter(x, y, s=area, color=shade, linewidths=0, rasterized=True, label=title)
        ax.plot(point[column], point[row], "k+", markersize=8, label="preset")
        for axis in (ax.xaxis, ax.yaxis):
            axis.set_major_locator(MaxNLocator(3))
        ax.tick_params(labelsize=6)
        if i == size - 1:
            ax.set_xlabel(style.typeset(SYMBOLS[column].label), fontsize=7)
        if j == 0:
            ax.set_ylabel(style.typeset(SYMBOLS[row].label), fontsize=7)
    entries = axes[0, 0].get_legend_handles_labels()
    figure.legend(*entries, loc="upper right", fontsize=8, scatterpoints=5)
    return figure


def _preset_point() -> dict[str, float]:
    point = dict(PRESETS["film"])
    for scheme in ("3ls", "4ls"):
        dot = PRESETS["dots"][f"{scheme.upper()}+ESA"]
        point["xx_absorption_strength"] = dot["xx_absorption_strength"]
        point[f"stokes_{scheme}"] = dot["stokes_shift_meV"]
        point[f"absorptive_{scheme}"] = dot["absorptive_binding_meV"]
        point[f"emissive_{scheme}"] = dot["emissive_binding_meV"]
    return point


# --- what the numbers pin


def pinned() -> Panel:
    """Return the spread of every principal combination of parameters over both sets."""
    rank, spread, series = Axis("principal combination"), Axis("spread, in s or of ln"), []
    for name, (title, quantity, marker, _) in _SETS.items():
        spreads = [one["spread"] for one in record()["sets"][name]["combinations"]]
        series.append(points(title, np.arange(1, len(spreads) + 1), spreads, quantity, marker))
    return panel("d", "what the numbers pin, and what they leave free", rank, spread, series)


def _draw_pinned(one: Panel) -> Picture:
    """Draw the spreads, each with the parameters that make it up."""
    figure = style.new_figure(7.2, 4.6)
    axes = figure.subplots(1, 2, sharex=True)
    for ax, name, series in zip(axes, _SETS, one.series, strict=True):
        y, colour = np.asarray(series.x), style.colour(series.quantity)
        ax.hlines(y, 1e-3, np.asarray(series.y), color=colour)
        ax.plot(series.y, y, series.dash, color=colour)
        ax.set_xscale("log")
        ax.set_xlim(0.01, 4)
        recipes = [_recipe(c["loadings"]) for c in record()["sets"][name]["combinations"]]
        ax.set_yticks(y, recipes, fontsize=7)
        ax.invert_yaxis()
        ax.set_xlabel(series.y_axis.label)
        ax.set_title(series.name)
    style.letter(axes[0], one.letter)
    return figure


def _recipe(loadings: Mapping[str, float], smallest: float = 0.3) -> str:
    terms = sorted(loadings.items(), key=lambda item: -abs(item[1]))
    shown = [(name, weight) for name, weight in terms if abs(weight) >= smallest][:3]
    text = ""
    for name, weight in shown:
        axis = SYMBOLS[name]
        symbol = ("" if axis.unit == "meV" else "ln ") + style.typeset(axis.name.replace(", ", " "))
        sign = " − " if weight < 0 else " + "
        share = "" if len(shown) == 1 else f"{abs(weight):.1f} "
        text += f"{sign if text else sign.strip().replace('+', '')}{share}{symbol}"
    return text


FIGURES = {
    "residuals": Figure(residuals, _draw_residuals),
    "solution_set": Figure(solution_set, _draw_solution_set),
    "pinned": Figure(pinned, _draw_pinned),
}

# --- numbers


def headlines() -> Numbers:
    """Return the calibration's numbers: stated and computed, degrees of freedom, plausibility."""
    n = Numbers("calibration")
    dots, film = {name: presets()[name] for name in DOTS}, PRESETS["film"]
    at = film["gain_exponent"], film["pi_pulse_fluence_mJ_cm2"]
    numbers = public_numbers(dots, *at, stored_variant())
    off = 100 * (numbers / stated_numbers() - 1)
    stated = [claims()[name] for name in TARGETS]
    for key, claim, value in zip(_KEYS, stated, numbers, strict=True):
        n.add(key, claim.statement, value, claim.unit, repeats=claim.id)
    for key, claim, value in zip(_KEYS, stated, off, strict=True):
        n.add(f"off-{key}", f"departure, {claim.statement}", value, "%")
    _of_readings(n)
    lean = [100 * abs(x) for x in record()["lean"]["residuals"].values()]
    n.add("worst", "largest departure", np.max(np.abs(off)), "%")
    n.add("lean-worst", "largest departure, leanest reading", max(lean), "%")
    for name, (low, _, high) in record()["sets"]["wide"]["quantiles"].items():
        axis, key = SYMBOLS[name], name.replace("_", "-")
        scale, free = width_meV() if axis.unit == "meV" else 1.0, "every parameter free"
        n.add(f"{key}-low", f"{axis.name}, {free}: 5 % quantile", low * scale, axis.unit)
        n.add(f"{key}-high", f"{axis.name}, {free}: 95 % quantile", high * scale, axis.unit)
    n.extend(plausibility.headlines())
    return n


def _of_readings(n: Numbers) -> None:
    found, free = record()["variants"], stored_variant("lean").parameters
    within = [v for v in found if v["numbers_only"]["largest_residual"] <= TOLERANCE]
    full = [v for v in found if v["with_conditions"]["starts_within"] > 0]
    sampled = record()["sets"]["wide"]["points"]
    n.add("numbers", "stated numbers that calibrate", len(TARGETS))
    n.add("parameters", "free parameters of the default", stored_variant().parameters)
    n.add("lean-parameters", "free parameters of the leanest reading", free)
    n.add("lean-left", "numbers less parameters, leanest reading", len(TARGETS) - free)
    n.add("conditions", "qualitative statements asked for", len(CONDITIONS))
    n.add("variants", "readings solved", len(found))
    n.add("within", "readings that meet every number", len(within))
    n.add("full", "readings that also meet every statement", len(full))
    n.add("starts", "refined starts per reading and objective", record()["starts"])
    n.add("points-wide", "sampled points, every parameter free", sampled)
