"""The calibration page: residuals of every reading, the set of solutions, what it pins."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure as Picture
from matplotlib.patches import Rectangle
from matplotlib.ticker import MaxNLocator

from qdgain.calibration import plausibility
from qdgain.calibration.conditions import CONDITIONS
from qdgain.calibration.objective import public_numbers
from qdgain.calibration.readings import (
    COUPLINGS,
    DOTS,
    TARGETS,
    TOLERANCE,
    Variant,
    stated_numbers,
    width_meV,
)
from qdgain.calibration.record import feasible_set, record
from qdgain.figures import kit, style
from qdgain.figures.panel import Axis, Panel, Series
from qdgain.model.dot import FloatArray, presets
from qdgain.model.parameters import CONTRACT
from qdgain.paper.claims import Headline, claims

_RESIDUAL = Axis("largest departure from a stated number", "%")
_READING = Axis("reading: column")
_COUPLING = Axis("coupling and weight a: row")
#: Residuals beyond this are drawn alike, in per cent.
_TOP = 30.0

_SYMBOLS: Mapping[str, Axis] = {
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
_PAIRED = (
    "stokes_3ls",
    "stokes_4ls",
    "absorptive_4ls",
    "emissive_4ls",
    "xx_absorption_strength",
    "gain_exponent",
    "pi_pulse_fluence_mJ_cm2",
)
_SETS = {"wide": "every parameter free", "lean": "leanest reading"}


def stored_variant(which: str = "default") -> Variant:
    """Return the variant of the stored presets, or of the leanest reading (``lean``)."""
    stored = record()[which]
    return Variant(
        stored["threshold"], stored["statistics"], stored["esa_weight"], stored["coupling"]
    )


def _columns() -> list[tuple[str, str]]:
    return list(dict.fromkeys((v["threshold"], v["statistics"]) for v in record()["variants"]))


def _rows() -> list[tuple[str, float | None]]:
    return list(dict.fromkeys((v["coupling"], v["esa_weight"]) for v in record()["variants"]))


def _table(kind: str, entry: str) -> FloatArray:
    columns, rows = _columns(), _rows()
    table = np.full((len(rows), len(columns)), np.nan)
    for variant in record()["variants"]:
        i = rows.index((variant["coupling"], variant["esa_weight"]))
        j = columns.index((variant["threshold"], variant["statistics"]))
        found = variant[kind]
        table[i, j] = (
            sum(value >= 0 for value in found["conditions"].values())
            if entry == "conditions"
            else 100 * found["largest_residual"]
        )
    return table


def residuals() -> tuple[Panel, Panel]:
    """Return the largest residual of every variant: the numbers alone, and the statements too."""
    panels = []
    for letter, kind, title in (
        ("a", "numbers_only", "the numbers alone"),
        ("b", "with_conditions", "numbers and qualitative statements"),
    ):
        values = {
            name: _table(kind, entry)
            for name, entry in (("residual", ""), ("statements that hold", "conditions"))
        }
        axes = {"residual": _RESIDUAL, "statements that hold": Axis("statements that hold")}
        panels.append(
            Panel(
                letter,
                title,
                tuple(
                    Series(
                        name,
                        np.arange(table.shape[1]),
                        np.arange(table.shape[0]),
                        _READING,
                        _COUPLING,
                        z=table,
                        z_axis=axes[name],
                        kind="map",
                    )
                    for name, table in values.items()
                ),
            )
        )
    return panels[0], panels[1]


def draw_residuals(panels: tuple[Panel, Panel]) -> Picture:
    """Draw both tables of residuals, each cell with its number."""
    with style.book_style():
        figure = style.new_figure(7.6, 5.4)
        axes = figure.subplots(1, 2, sharey=True)
        for ax, panel in zip(axes, panels, strict=True):
            _draw_table(ax, panel, statements=panel.letter == "b")
        axes[0].set_yticks(
            range(len(_rows())),
            [f"{name}, a {'free' if a is None else f'= {a:g}'}" for name, a in _rows()],
        )
    return figure


def _draw_table(ax: Axes, panel: Panel, statements: bool) -> None:
    table = np.asarray(panel["residual"].z)
    held = np.asarray(panel["statements that hold"].z)
    ax.imshow(table, cmap=style.SEQUENTIAL_MAP, vmin=0, vmax=_TOP, aspect="auto")
    for i, j in np.ndindex(*table.shape):
        text = f"{table[i, j]:.1f}" if table[i, j] < 99.5 else "≥ 100"
        met = table[i, j] <= 100 * TOLERANCE
        if statements:
            text += f"  {held[i, j]:.0f}/{len(CONDITIONS)}"
            met = met and held[i, j] == len(CONDITIONS)
        ax.text(
            j,
            i,
            text,
            ha="center",
            va="center",
            fontsize=6.5,
            fontweight="bold" if met else "normal",
            color="white" if table[i, j] < 0.5 * _TOP else "black",
        )
        if met:
            corner = (j - 0.46, i - 0.44)
            ax.add_patch(Rectangle(corner, 0.92, 0.88, fill=False, edgecolor="white"))
    names = [f"{statistics}\n{threshold}" for threshold, statistics in _columns()]
    ax.set_xticks(range(len(names)), names, rotation=90, fontsize=7)
    ax.tick_params(axis="y", labelsize=7)
    for edge in np.arange(len(COUPLINGS) - 0.5, len(table) - 1, len(COUPLINGS)):
        ax.axhline(edge, color="white", linewidth=1.5)
    ax.axvline(2.5, color="white", linewidth=1.5)
    ax.set_title(panel.title)
    style.letter(ax, panel.letter)


def solution_set() -> Panel:
    """Return the sampled sets as pairs of parameters."""
    series = []
    for name, title in _SETS.items():
        stored = feasible_set(name)
        columns = {key.removesuffix("_meV"): values for key, values in stored.items()}
        for i, row in enumerate(_PAIRED):
            for column in _PAIRED[:i]:
                series.append(
                    Series(
                        f"{title}: {_SYMBOLS[row].name} against {_SYMBOLS[column].name}",
                        columns[column],
                        columns[row],
                        _SYMBOLS[column],
                        _SYMBOLS[row],
                        quantity="reference" if name == "wide" else "PL_X",
                        kind="points",
                        dash=".",
                    )
                )
    return Panel("c", "parameters that meet every number", tuple(series))


def draw_solution_set(panel: Panel) -> Picture:
    """Draw the lower triangle of pairs; the cross is the preset."""
    size = len(_PAIRED)
    point = _preset_point()
    with style.book_style():
        figure = style.new_figure(7.6, 7.2)
        axes = figure.subplots(size - 1, size - 1, sharex="col", sharey="row", squeeze=False)
        for i, row in enumerate(_PAIRED[1:]):
            for j, column in enumerate(_PAIRED[:-1]):
                ax = axes[i, j]
                if j > i:
                    ax.axis("off")
                    continue
                pair = f"{_SYMBOLS[row].name} against {_SYMBOLS[column].name}"
                for name, title in _SETS.items():
                    shown = panel[f"{title}: {pair}"]
                    ax.scatter(
                        np.asarray(shown.x),
                        np.asarray(shown.y),
                        s=1.2 if name == "wide" else 2.5,
                        color=style.colour(shown.quantity),
                        linewidths=0,
                        rasterized=True,
                        label=title,
                    )
                ax.plot(point[column], point[row], "k+", markersize=8, label="preset")
                for axis in (ax.xaxis, ax.yaxis):
                    axis.set_major_locator(MaxNLocator(3))
                ax.tick_params(labelsize=6)
                if i == size - 2:
                    ax.set_xlabel(style.typeset(_SYMBOLS[column].label), fontsize=7)
                if j == 0:
                    ax.set_ylabel(style.typeset(_SYMBOLS[row].label), fontsize=7)
        handles, labels = axes[0, 0].get_legend_handles_labels()
        figure.legend(handles, labels, loc="upper right", fontsize=8, scatterpoints=5)
    return figure


def _preset_point() -> dict[str, float]:
    point = {name: float(np.asarray(CONTRACT[name].default)) for name in _PAIRED[-2:]}
    for scheme in ("3ls", "4ls"):
        dot = presets()[f"{scheme.upper()}+ESA"]
        point |= {
            f"stokes_{scheme}": float(np.asarray(dot.stokes_shift_meV)),
            f"absorptive_{scheme}": float(np.asarray(dot.absorptive_binding_meV)),
            f"emissive_{scheme}": float(np.asarray(dot.emissive_binding_meV)),
            "xx_absorption_strength": float(np.asarray(dot.xx_absorption_strength)),
        }
    return point


def pinned() -> Panel:
    """Return the spread of every principal combination of parameters over both sets."""
    rank, spread = Axis("principal combination"), Axis("spread, in s or of ln")
    series = []
    for name, title in _SETS.items():
        spreads = [combination["spread"] for combination in record()["sets"][name]["combinations"]]
        series.append(
            Series(
                title,
                np.arange(1, len(spreads) + 1),
                spreads,
                rank,
                spread,
                quantity="reference" if name == "wide" else "PL_X",
                kind="points",
                dash="o" if name == "wide" else "s",
            )
        )
    return Panel("d", "what the numbers pin, and what they leave free", tuple(series))


def draw_pinned(panel: Panel) -> Picture:
    """Draw the spreads, each with the parameters that make it up."""
    with style.book_style():
        figure = style.new_figure(7.2, 4.6)
        axes = figure.subplots(1, 2, sharex=True)
        for ax, (name, title) in zip(axes, _SETS.items(), strict=True):
            series = panel[title]
            y = np.asarray(series.x)
            ax.hlines(y, 1e-3, np.asarray(series.y), color=style.colour(series.quantity))
            ax.plot(series.y, y, series.dash, color=style.colour(series.quantity))
            ax.set_xscale("log")
            ax.set_xlim(0.01, 4)
            ax.set_yticks(
                y,
                [_recipe(c["loadings"]) for c in record()["sets"][name]["combinations"]],
                fontsize=7,
            )
            ax.invert_yaxis()
            ax.set_xlabel(series.y_axis.label)
            ax.set_title(title)
        style.letter(axes[0], panel.letter)
    return figure


def _recipe(loadings: Mapping[str, float], smallest: float = 0.3) -> str:
    terms = sorted(loadings.items(), key=lambda item: -abs(item[1]))
    shown = [(name, weight) for name, weight in terms if abs(weight) >= smallest][:3]
    text = ""
    for name, weight in shown:
        axis = _SYMBOLS[name]
        symbol = ("" if axis.unit == "meV" else "ln ") + style.typeset(axis.name.replace(", ", " "))
        sign = " − " if weight < 0 else " + "
        number = "" if len(shown) == 1 else f"{abs(weight):.1f} "
        text += f"{sign if text else sign.strip().replace('+', '')}{number}{symbol}"
    return text


#: What the page draws: name -> (series, drawing).
FIGURES = {
    "residuals": kit.Figure(residuals, draw_residuals),
    "solution_set": kit.Figure(solution_set, draw_solution_set),
    "pinned": kit.Figure(pinned, draw_pinned),
}


def headlines() -> tuple[Headline, ...]:
    """Return the calibration's numbers: stated and computed, degrees of freedom, plausibility."""
    variant, defaults = stored_variant(), CONTRACT
    numbers = public_numbers(
        {name: presets()[name] for name in DOTS},
        float(np.asarray(defaults["gain_exponent"].default)),
        float(np.asarray(defaults["pi_pulse_fluence_mJ_cm2"].default)),
        variant,
    )
    off = 100 * (numbers / stated_numbers() - 1)
    rows = [
        Headline(name, claims()[name].statement, float(value), claims()[name].unit)
        for name, value in zip(TARGETS, numbers, strict=True)
    ]
    rows += [
        Headline(f"calibration-off-{name}", f"departure, {claims()[name].statement}", float(x), "%")
        for name, x in zip(TARGETS, off, strict=True)
    ]
    found = record()["variants"]
    within = [v for v in found if v["numbers_only"]["largest_residual"] <= TOLERANCE]
    full = [v for v in found if v["with_conditions"]["starts_within"] > 0]
    lean = stored_variant("lean")
    lean_off = [100 * abs(x) for x in record()["lean"]["residuals"].values()]
    counts = [
        ("numbers", "stated numbers that calibrate", len(TARGETS)),
        ("parameters", "free parameters of the default", variant.parameters),
        ("lean-parameters", "free parameters of the leanest reading", lean.parameters),
        ("lean-left", "numbers less parameters, leanest reading", len(TARGETS) - lean.parameters),
        ("conditions", "qualitative statements asked for", len(CONDITIONS)),
        ("variants", "readings solved", len(found)),
        ("within", "readings that meet every number", len(within)),
        ("full", "readings that also meet every statement", len(full)),
        ("starts", "refined starts per reading and objective", record()["starts"]),
        ("points-wide", "sampled points, every parameter free", record()["sets"]["wide"]["points"]),
    ]
    rows += [Headline(f"calibration-{key}", text, x) for key, text, x in counts]
    rows.append(Headline("calibration-worst", "largest departure", float(np.max(np.abs(off))), "%"))
    rows.append(
        Headline("calibration-lean-worst", "largest departure, leanest reading", max(lean_off), "%")
    )
    rows += _range_rows()
    return (*rows, *plausibility.headlines())


def _range_rows() -> list[Headline]:
    scale = {"meV": width_meV(), "1": 1.0, "mJ cm⁻²": 1.0}
    rows = []
    for name, (low, _, high) in record()["sets"]["wide"]["quantiles"].items():
        axis = _SYMBOLS[name]
        for end, percent, value in (("low", 5, low), ("high", 95, high)):
            rows.append(
                Headline(
                    f"calibration-{name.replace('_', '-')}-{end}",
                    f"{axis.name}, every parameter free: {percent} % quantile",
                    float(value) * scale[axis.unit],
                    axis.unit,
                )
            )
    return rows
