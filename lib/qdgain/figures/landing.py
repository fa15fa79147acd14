"""The pictures of the landing page: what is stated against what the model gives, and a strip."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from textwrap import wrap
from typing import Any, NamedTuple

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure as Picture

from qdgain.figures import auger, fig08, style
from qdgain.figures.kit import level, line, look, panel, points, upright
from qdgain.figures.panel import STOKES_SHIFT, THRESHOLD, Axis, Panel
from qdgain.model import balance
from qdgain.model.dot import presets
from qdgain.model.threshold import threshold_at_maximum
from qdgain.run import resolve
from qdgain.text import typeset

_OVER = Axis("model / paper")
_ROW = Axis("statement: row")
#: What is drawn for each verdict: its colour's quantity and its marker; hollow ones test nothing.
LOOKS = {
    "reproduced": ("verdict holds", "o"),
    "depends on the reading": ("verdict depends", "D"),
    "deviates": ("verdict fails", "X"),
    "contradicts": ("verdict fails", "P"),
    "calibrated": ("verdict holds", "s"),
    "by construction": ("verdict holds", "^"),
}
HOLLOW = ("calibrated", "by construction")
#: A ratio beyond these is drawn at the edge, with its value.
_ENDS = (0.2, 5.0)
#: Words in the map of lifetimes, and beside the thresholds: text and place.
_IN_THE_MAP = (("less than 10 %\nhigher", 5.0, 1e3),)
#: The lines between, and where along the pulse length each has its label, in ps.
_TIMES, _LABELLED_PS = (2, 10, 100), 3e3
_IN_EQUILIBRIUM = (("with ESA", 3, 2.1), ("without ESA", 60, 0.75), ("goal", 3, 0.13))
_KELVIN = 300.0
#: Letters of a line of a statement.
_NAME = 50
_GOAL = 0.1


class Stated(NamedTuple):
    """A statement with a number: both as text, their ratio, what is tolerated, and its verdict."""

    name: str
    paper: str
    model: str
    ratio: float
    tolerated: float
    verdict: str


def stated_and_computed(statements: Sequence[Stated]) -> Panel:
    """Return the ratio of the model's number to the paper's for every statement that has both."""
    rows = np.arange(len(statements), dtype=float)
    wide = np.array([one.tolerated for one in statements])
    series = [line("the paper", [1.0, 1.0], [-0.5, rows[-1] + 0.5], "reference")]
    for i, one in enumerate(statements):
        series.append(line(f"tolerance, {one.name}", 1 + wide[i] * np.array([-1, 1]), [i, i]))
    for verdict, (quantity, marker) in LOOKS.items():
        at = [i for i, one in enumerate(statements) if one.verdict == verdict]
        if at:
            ratio = np.clip([statements[i].ratio for i in at], *_ENDS)
            series.append(points(verdict, ratio, rows[at], quantity, marker))
    return panel("", "", _OVER, _ROW, series)


def draw_stated_and_computed(one: Panel, statements: Sequence[Stated]) -> Picture:
    """Draw the ratios, a row each, with both numbers at the right."""
    height = 0.3 * len(statements) + 1.1
    figure = style.new_figure(7.6, height)
    # Names of two lines need more room than the layout's engine gives them.
    figure.set_layout_engine("none")
    ax = figure.add_axes((0.45, 0.9 / height, 0.36, 1 - 1.0 / height))
    for series in one.of_kind("line"):
        tolerance = series.name != "the paper"
        width = 7.0 if tolerance else 1.0
        ax.plot(series.x, series.y, color="#D9D9D9" if tolerance else "black", linewidth=width)
    for series in one.of_kind("points"):
        shade, hollow = style.colour(series.quantity), series.name in HOLLOW
        face = "white" if hollow else shade
        how: dict[str, Any] = {"markerfacecolor": face, "markersize": 6, "label": series.name}
        ax.plot(series.x, series.y, series.dash, color=shade, linestyle="none", **how)
    for i, each in enumerate(statements):
        said = typeset(f"{each.paper} → {each.model}")
        ax.text(1.01, i, said, transform=ax.get_yaxis_transform(), va="center", fontsize=8)
    names = ["\n".join(wrap(style.typeset(each.name), _NAME, max_lines=2)) for each in statements]
    ax.set_yticks(range(len(statements)), names, fontsize=8)
    ax.set(xscale="log", xlim=_ENDS, ylim=(len(statements) - 0.4, -0.6), xlabel=_OVER.label)
    ticks = (0.2, 0.5, 1, 2, 5)
    ax.set_xticks(ticks, [f"{tick:g}" for tick in ticks])
    ax.minorticks_off()
    figure.legend(loc="lower center", ncols=3)
    return figure


def strip() -> tuple[Panel, Panel, Panel]:
    """Return a gain map, the map of Auger recombination, and thresholds against the Stokes shift.

    In equilibrium at 300 K no Stokes shift right of the dotted line goes with the presets' width.
    """
    gain = fig08.contours(resolve(fig08.SETTINGS, {}))[2]
    lifetimes = auger.maps(resolve(auger.SETTINGS, {}))[0]
    return (
        replace(gain, letter="", title="gain of a 3LS with ESA"),
        replace(lifetimes, letter="", title="where Auger recombination counts"),
        _forbidden(),
    )


def _forbidden() -> Panel:
    four = presets()
    width = float(np.max(four["3LS"].linewidth_meV))
    shift = np.linspace(0.0, 1.5 * width, 121)
    series = []
    for name in ("3LS", "3LS+ESA"):
        mean = threshold_at_maximum(replace(four[name], stokes_shift_meV=shift)).mean_excitons
        series.append(line(name, shift, mean, *look(name)))
    balanced = float(balance.balanced_stokes_shift_meV(width, _KELVIN))
    series += [
        level(f"goal: {_GOAL:g}", _GOAL, "reference", "-."),
        upright("equilibrium, 300 K", balanced, 1e-3, 2.0),
    ]
    return panel("", "equilibrium forbids the right side", STOKES_SHIFT, THRESHOLD, series)


def draw_strip(panels: tuple[Panel, Panel, Panel]) -> Picture:
    """Draw the three panels side by side."""
    figure = style.new_figure(9.0, 3.1)
    axes: tuple[Axes, Axes, Axes] = figure.subplots(1, 3)
    gain, lifetimes, forbidden = panels
    style.draw_map(axes[0], gain["gain"])
    auger.draw_ratio(axes[1], lifetimes["ratio"])
    axes[1].set_ylabel(style.typeset(lifetimes["ratio"].y_axis.label))
    for said, x, y in _IN_THE_MAP:
        axes[1].text(x, y, said, ha="center", va="center")
    ratio = lifetimes["ratio"]
    column = int(np.argmin(np.abs(np.asarray(ratio.x) - _LABELLED_PS)))
    for times in _TIMES:
        above = np.flatnonzero(np.asarray(ratio.values)[:, column] >= times)
        place = 1.3 * np.asarray(ratio.x)[column], np.asarray(ratio.y)[above[-1]]
        shade = "white" if times == _TIMES[-1] else "black"
        axes[1].text(*place, f"{times}×", color=shade, va="top")
    style.draw_panel(axes[2], forbidden, legend=None)
    for said, x, y in _IN_EQUILIBRIUM:
        axes[2].text(x, y, said, va="center")
    axes[2].set(yscale="log", ylim=(0.01, 3), xlim=(0, None))
    axes[2].set_yticks([0.01, 0.1, 1], ["0.01", "0.1", "1"])
    edge = float(np.asarray(forbidden["equilibrium, 300 K"].x)[0])
    axes[2].axvspan(edge, axes[2].get_xlim()[1], color="#BBBBBB", alpha=0.4, linewidth=0)
    for ax, one in zip(axes, panels, strict=True):
        ax.set_title(style.typeset(one.title))
    return figure
