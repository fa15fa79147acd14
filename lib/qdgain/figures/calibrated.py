"""The calibration page: best points of every row, their evidence, the set, and what it means."""

from __future__ import annotations

from collections.abc import Mapping
from itertools import product
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure as Picture
from matplotlib.patches import Rectangle
from matplotlib.ticker import MaxNLocator

from qdgain.calibration import plausibility, record, rows
from qdgain.calibration.conditions import CONDITIONS, LARGEST_OFFSET, SMALLEST_SHIFT
from qdgain.calibration.plausibility import STATED_FILM_UM, dot_density_per_cm3, film_length_um
from qdgain.calibration.predictions import READING_OF_A_SPIKE
from qdgain.calibration.record import KINDS, bayes_factor, best
from qdgain.calibration.rows import DEFINITIONS, ROWS, STATISTICS, TARGETS, TOLERANCE, Row
from qdgain.figures import style
from qdgain.figures.kit import Figure, Numbers, mapped, panel, points
from qdgain.figures.panel import NO_AXIS, Axis, Panel
from qdgain.model import first_exciton
from qdgain.model.balance import balanced_linewidth_meV
from qdgain.model.dot import presets
from qdgain.model.parameters import PRESETS
from qdgain.paper.claims import claims
from qdgain.table import Table
from qdgain.text import significant

_RESIDUAL = Axis("largest departure from a stated number", "%")
_HOLDING = Axis("conditions that hold")
_LAW = Axis("statistics and definition: column")
_ROW = Axis("row of the calibration: row")
#: Residuals beyond this are drawn alike, in per cent.
_TOP = 30.0
#: Every row under all statistics and definitions of the threshold.
_COLUMNS = [(statistics, threshold) for threshold in DEFINITIONS for statistics in STATISTICS]

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
#: The unknowns whose ranges the prose quotes.
_QUOTED = ("stokes_3ls", "stokes_4ls", "emissive_3ls", "emissive_4ls", "gain_exponent")
_UNPAIRED = ("absorptive_3ls", "emissive_3ls", "xx_emission_strength")
_PAIRED = tuple(name for name in SYMBOLS if name not in _UNPAIRED)
#: Sampled sets that are drawn: row -> colour and size of the points.
_SETS = {"replacing free": ("reference", 1.5), "additive tied": ("PL_X", 2.5)}
#: The calibrating numbers in keys, in the order of `TARGETS`.
_SCHEMES = ("3ls", "3ls-esa", "4ls", "4ls-esa")
_KEYS = (*(f"threshold-{of}" for of in _SCHEMES), "max-esa", *(f"ase-{of}" for of in _SCHEMES))
#: What the evidence of a row is compared with, and how it is drawn: kind -> colour, marker.
REFERENCE_ROW = "replacing free"
_MARKERS = dict(
    zip(KINDS, (("PL_X", "o"), ("PL_XX", "s"), ("PL_X", "v"), ("PL_XX", "^")), strict=True)
)


# --- best points


def residuals() -> tuple[Panel, Panel]:
    """Return the largest residual of every row: the numbers alone, and the conditions too."""
    return (
        _residuals("a", False, "the numbers alone"),
        _residuals("b", True, "numbers and conditions"),
    )


def _residuals(letter: str, conditional: bool, title: str) -> Panel:
    found = [
        [best(row.under(*column), conditional) for column in _COLUMNS] for row in ROWS.values()
    ]
    off = np.array([[100 * one["largest_residual"] for one in line] for line in found])
    holding = np.array(
        [[float(np.sum(np.array(one["conditions"]) >= 0)) for one in line] for line in found]
    )
    x, y = np.arange(len(_COLUMNS)), np.arange(len(ROWS))
    tables = ("residual", off, _RESIDUAL), (_HOLDING.name, holding, _HOLDING)
    maps = [mapped(name, x, y, table, axis) for name, table, axis in tables]
    return panel(letter, title, _LAW, _ROW, maps)


def _draw_residuals(panels: tuple[Panel, Panel]) -> Picture:
    """Draw both tables of residuals, each cell with its number."""
    figure = style.new_figure(7.6, 6.6)
    axes = figure.subplots(1, 2, sharey=True)
    for ax, one in zip(axes, panels, strict=True):
        _draw_table(ax, one, conditional=one.letter == "b")
    axes[0].set_yticks(range(len(ROWS)), list(ROWS))
    return figure


def _draw_table(ax: Axes, one: Panel, conditional: bool) -> None:
    table, holding = (series.values for series in one.series)
    style.draw_cells(ax, table, (0, _TOP))
    for i, j in np.ndindex(*table.shape):
        text = f"{table[i, j]:.1f}" if table[i, j] < 99.5 else "≥ 100"
        met = table[i, j] <= 100 * TOLERANCE
        if conditional:
            text += f"\n{holding[i, j]:.0f}/{len(CONDITIONS)}"
            met = met and holding[i, j] == len(CONDITIONS)
        weight, white = "bold" if met else "normal", bool(table[i, j] < 0.5 * _TOP)
        style.write_cell(ax, j, i, text, white, fontsize=7.2, fontweight=weight)
        if met:
            corner = (j - 0.46, i - 0.44)
            ax.add_patch(Rectangle(corner, 0.92, 0.88, fill=False, edgecolor="white"))
    names = [f"{law.capitalize()}\n{threshold}" for law, threshold in _COLUMNS]
    ax.set_xticks(range(len(names)), names, rotation=90, fontsize=8)
    ax.tick_params(axis="y", labelsize=8)
    ax.axvline(2.5, color="white", linewidth=1.5)
    ax.set_title(one.title)
    style.letter(ax, one.letter)


# --- evidence


#: The range of ln B that is drawn; what lies to the left of it is written.
_SHOWN = (-22.0, 8.0)


def evidence() -> Panel:
    """Return ln Z of every row less that of the ten-parameter replacing one."""
    series = []
    for kind, (quantity, marker) in _MARKERS.items():
        found = [bayes_factor(row, REFERENCE_ROW, kind) for row in ROWS]
        kept = [i for i, one in enumerate(found) if np.isfinite(one.value)]
        x, spread = (np.nan_to_num([found[i][j] for i in kept]) for j in (0, 1))
        series.append(
            points(KINDS[kind], x, kept, quantity, marker, x_low=x - spread, x_high=x + spread)
        )
    factor = Axis(f"ln Bayes factor over {REFERENCE_ROW}")
    return panel("c", "evidence", factor, _ROW, series)


def _finish_evidence(axes: list[Axes], _: tuple[Panel, ...]) -> None:
    axes[0].set_yticks(range(len(ROWS)), list(ROWS), fontsize=8)
    axes[0].invert_yaxis()
    axes[0].set(ylabel="", xlim=_SHOWN)
    for kind, (i, row) in product(("numbers", "conditions"), enumerate(ROWS)):
        factor = bayes_factor(row, REFERENCE_ROW, kind).value
        if -np.inf < factor < _SHOWN[0]:
            said, shade = f"$\\leftarrow {factor:.0f}$", style.colour(_MARKERS[kind][0])
            axes[0].text(_SHOWN[0] + 0.5, i, said, va="center", fontsize=8, color=shade)
    axes[0].axvline(0, color=style.colour("reference"), linewidth=0.8)


class Rows(Table):
    """Every row under Rabi statistics, with thresholds at the gain maximum, and its evidence."""

    def __init__(self) -> None:
        header = (
            "row",
            "parameters",
            "largest residual, numbers alone",
            "with the conditions",
            "conditions",
            "k_XX/k_X",
            "Δ_E (3LS, 4LS) / meV",
            "thermal at / K",
            *(f"ln B, {said}" for said in KINDS.values()),
        )
        super().__init__(header, [_cells(name) for name in ROWS], right=range(1, 12))


def _cells(name: str) -> tuple[str, ...]:
    alone, found = (best(ROWS[name], conditional) for conditional in (False, True))
    holding = sum(margin >= 0 for margin in found["conditions"])
    factors = (bayes_factor(name, REFERENCE_ROW, kind) for kind in KINDS)
    return (
        name,
        str(found["parameters"]),
        f"{100 * alone['largest_residual']:.1f} %",
        f"{100 * found['largest_residual']:.1f} %",
        f"{holding} of {len(CONDITIONS)}",
        significant(found["xx_over_x_rate"], 2),
        ", ".join(f"{x:.0f}" for x in found["emissive_binding_meV"]) if ROWS[name].has_esa else "–",
        ", ".join(f"{x:.0f}" for x in found["balanced_temperature_K"]),
        *(one.text for one in factors),
    )


# --- the set of solutions


def _pair(title: str, row: str, column: str) -> str:
    return f"{title}: {SYMBOLS[row].name} against {SYMBOLS[column].name}"


def solution_set() -> Panel:
    """Return the points of two rows as pairs of parameters."""
    series = []
    for title, (quantity, _) in _SETS.items():
        values = record.columns(title)
        for i, row in enumerate(_PAIRED):
            for column in _PAIRED[:i]:
                axes: Any = {"x_axis": SYMBOLS[column], "y_axis": SYMBOLS[row]}
                x, y, name = values[column], values[row], _pair(title, row, column)
                series.append(points(name, x, y, quantity, ".", **axes))
    return panel("d", "points of two rows", NO_AXIS, NO_AXIS, series)


def _draw_solution_set(one: Panel) -> Picture:
    """Draw the lower triangle of pairs; the cross is the preset."""
    size, point = len(_PAIRED) - 1, best(default_row())["values"]
    figure = style.new_figure(7.6, 7.2)
    axes: Any = figure.subplots(size, size, sharex="col", sharey="row", squeeze=False)
    for i, j in np.ndindex(size, size):
        ax, row, column = axes[i, j], _PAIRED[i + 1], _PAIRED[j]
        if j > i:
            ax.axis("off")
            continue
        for title, (quantity, area) in _SETS.items():
            shown = one[_pair(title, row, column)]
            x, y, shade = np.asarray(shown.x), np.asarray(shown.y), style.colour(quantity)
            ax.scatter(x, y, s=area, color=shade, linewidths=0, rasterized=True, label=title)
        ax.plot(point[column], point[row], "k+", markersize=8, label="default")
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


FIGURES = {
    "residuals": Figure(residuals, _draw_residuals),
    "evidence": Figure(
        evidence,
        size=(7.2, 4.4),
        legend={"loc": "lower left", "bbox_to_anchor": (0.1, 0.13)},
        finish=_finish_evidence,
    ),
    "solution_set": Figure(solution_set, _draw_solution_set),
}

# --- numbers


def default_row() -> Row:
    """Return the row that the presets are of."""
    return ROWS[record.record()["default"]]


def headlines() -> Numbers:
    """Return the calibration's numbers: stated and computed, evidence, plausibility."""
    n = Numbers("calibration")
    row = default_row()
    numbers, margins = record.checked(row, record.calibrated(row, best(row)["values"]))
    for key, name, value in zip(_KEYS, TARGETS, numbers, strict=True):
        claim = claims()[name]
        of = {"statement": claim.statement, "unit": claim.unit}
        n.add("{key}", value, repeats=claim.id, key=key, **of)
    for i, (condition, margin) in enumerate(zip(CONDITIONS, margins, strict=True), 1):
        n.add("condition-{i}", margin, i=i, condition=condition)
    n.add("worst", 100 * np.max(np.abs(numbers / rows.stated_numbers() - 1)))
    _of_rows(n)
    for name in _SETS:
        _of_set(n, name)
    add_plausibility(n)
    return n


def _of_rows(n: Numbers) -> None:
    found = record.record()["best"]
    alone = [one for one in found if not one["conditional"]]
    within = [one for one in alone if one["largest_residual"] <= TOLERANCE]
    n.add("numbers", len(TARGETS))
    n.add("parameters", default_row().parameters)
    n.add("conditions", len(CONDITIONS))
    n.add("centre-margin", LARGEST_OFFSET)
    n.add("shift-margin", SMALLEST_SHIFT)
    n.add("spike-reading", READING_OF_A_SPIKE)
    n.add("rows", len(ROWS))
    n.add("solved", len(alone))
    n.add("within", len(within))
    n.add("full", sum(map(record.meets, found)))
    of = {"reference": REFERENCE_ROW}
    for name in ("additive tied", "additive free", "mixed free"):
        for kind in ("numbers", "conditions"):
            factor = round(bayes_factor(name, REFERENCE_ROW, kind).value, 1)
            n.add("bayes-{row}-{kind}", factor, row=name, kind=kind, said=KINDS[kind], **of)
    for kind in ("numbers", "conditions"):
        runs = record.record()["rows"][REFERENCE_ROW]["modes"][kind]
        weights = [100 * run["xx_stokes_shifts_red"] for run in runs]
        n.add("red-xx-low-{kind}", min(weights), kind=kind, said=KINDS[kind], **of)
        n.add("red-xx-high-{kind}", max(weights), kind=kind, said=KINDS[kind], **of)


def _of_set(n: Numbers, row: str) -> None:
    for name in _QUOTED:
        axis, key = SYMBOLS[name], name.replace("_", "-")
        of = {"row": row, "parameter": key, "symbol": axis.name, "unit": axis.unit}
        low, high = np.quantile(record.columns(row)[name], (0.05, 0.95))
        n.add("{row}-{parameter}-low", low, **of)
        n.add("{row}-{parameter}-high", high, **of)


def add_plausibility(n: Numbers) -> None:
    """Add what the presets would mean for a real film, each beside a known value."""
    film = PRESETS["film"]
    pi_pulse, exponent = film["pi_pulse_fluence_mJ_cm2"], film["gain_exponent"]
    n.add("saturation", first_exciton.pi_pulse_saturation_fluence_mJ_cm2(pi_pulse))
    for source, tail in ((first_exciton.YU, ""), (first_exciton.JASIENIAK, "-jasieniak")):
        diameter = first_exciton.cdse_diameter_from_pi_pulse_nm(pi_pulse, source)
        sigma = float(first_exciton.cdse_first_exciton_cross_section_cm2(diameter, source))
        length = film_length_um(exponent, sigma, dot_density_per_cm3(diameter))
        of = {"tail": tail, "source": source}
        n.add("diameter{tail}", diameter, **of)
        n.add("sigma{tail}", sigma, **of)
        n.add("length{tail}", length, **of)
        n.add("exponent-film{tail}", exponent * STATED_FILM_UM / length, film=STATED_FILM_UM, **of)
    for name in ("3LS", "4LS"):
        dot = presets()[f"{name}+ESA"]
        width = balanced_linewidth_meV(dot.stokes_shift_meV, plausibility.ROOM_TEMPERATURE_K)
        n.add("stokes-{dot}", dot.stokes_shift_meV, dot=name)
        n.add("linewidth-{dot}", width, dot=name)
        n.add("absorptive-{dot}", dot.absorptive_binding_meV, dot=name)
        n.add("emissive-{dot}", dot.emissive_binding_meV, dot=name)
    low, high = plausibility.MEASURED_BINDING_MEV
    n.add("binding-low", low)
    n.add("binding-high", high)
