"""One style for every figure of the book: colours by physical quantity, axes, letters."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

import matplotlib as mpl
import numpy as np
from matplotlib.axes import Axes
from matplotlib.colors import TwoSlopeNorm
from matplotlib.figure import Figure as Picture
from matplotlib.figure import FigureBase, SubFigure
from matplotlib.image import AxesImage
from numpy.typing import ArrayLike

from qdgain.figures.panel import Panel, Series
from qdgain.model.dot import FloatArray

#: Okabe and Ito's colour-blind-safe colours and three more, each with what has it in every figure.
_QUANTITIES_IN = {
    "#000000": "at gain maximum; CdS/ZnSe; ASE; posterior, loose; third; detailed balance; "
    "shifts and linewidth, in equilibrium; 300 K; together; pulse 0.1 ps; fit; ",
    "#7F7F7F": "linear; 2LS; published spread; light harvesting; prior; equal dots; measured; "
    "reference; two-fold",
    "#0072B2": "A_X; rabi; 3LS; CdSe; saturated ASE; posterior, main; best; shifts; gain map; "
    "size; degenerate",
    "#D55E00": "PL_X; poisson; 4LS; posterior, conditions; second; shifts and linewidth; "
    "ASE sweep; second step; pulse 10 ns; replacing",
    "#009E73": "onset; sequential; 5LS; ASE threshold; fourth; depth; pulse 100 ps; additive",
    "#56B4E9": "A_XX1; CsPbBr3; pulse 10 ps",
    "#CC79A7": "A_XX2; your dot; fifth; beam; incoherent",
    "#E69F00": "PL_XX; XX engineering; orientation; pulse 1 ns",
    "#882255": "two excitons; sweep without notebooks; traps",
    "#999933": "one exciton; continuum",
    "#44AA99": "second transition",
    "#00796B": "verdict holds",
    "#6D6D6D": "verdict depends",
    "#C2410C": "verdict fails",
}
#: Quantity to colour, the same in the whole book.
COLOURS = {
    quantity: shade for shade, names in _QUANTITIES_IN.items() for quantity in names.split("; ")
}

#: Gain red, loss blue, transparency white; in grey the drawn zero line tells them apart.
GAIN_MAP = "RdBu_r"
#: For quantities without a sign.
SEQUENTIAL_MAP = "cividis"

#: The one entry in a legend for all the lines that the paper's parameters give.
_BEHIND = "the paper's"
_FAINT: Any = {"color": "#BBBBBB", "linewidth": 1.0, "zorder": 1.0}

DOTS_PER_INCH = 200
_RC: Any = {
    "figure.dpi": 100,
    "savefig.dpi": DOTS_PER_INCH,
    "figure.facecolor": "white",
    "savefig.facecolor": "white",
    "font.family": "DejaVu Sans",
    "font.size": 9,
    "axes.titlesize": 9,
    "axes.labelsize": 9,
    "axes.linewidth": 0.8,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.axisbelow": True,
    "xtick.labelsize": 8,
    "ytick.labelsize": 8,
    "legend.fontsize": 8,
    "legend.frameon": False,
    "lines.linewidth": 1.6,
    "lines.markersize": 5,
    "svg.hashsalt": "qdgain",
    "svg.fonttype": "path",
    "axes.formatter.useoffset": False,
    # Where a title goes by itself. Unset, each drawing measures its panel's axis to find that out.
    "axes.titley": 1.0,
}


@contextmanager
def book_style() -> Iterator[None]:
    """Draw in the book's style, whatever the user's matplotlib settings are."""
    with mpl.rc_context():
        mpl.rcdefaults()
        mpl.rcParams.update(_RC)
        yield


def new_figure(width_inch: float = 6.4, height_inch: float = 3.6) -> Picture:
    """Return an empty figure whose layout makes room for its labels."""
    return Picture(figsize=(width_inch, height_inch), layout="constrained")


def colour(quantity: str) -> str:
    """Return the colour of a quantity; a KeyError asks for giving it one here, for every figure."""
    return COLOURS[quantity]


def typeset(text: str) -> str:
    """Return text with its subscripts set: ``A_XX2`` as A with the subscript XX2."""
    text = re.sub(r"(?<=Pb)(Br|X|I)3", r"\1₃", text)
    return re.sub(r"([^\W\d_]+)_([^\W_]+)", r"$\\mathregular{\1_{\2}}$", text)


def letter(ax: Axes, text: str) -> None:
    """Put the paper's panel letter at the panel's upper left, outside the data."""
    place: Any = {"xytext": (-30, 6), "xycoords": "axes fraction", "textcoords": "offset points"}
    ax.annotate(text, (0, 1), fontsize=11, fontweight="bold", va="bottom", **place)


def split(
    figure: FigureBase, rows: int, columns: int, height_ratios: Sequence[float] | None = None
) -> list[SubFigure]:
    """Return the parts of a figure, row by row."""
    parts = figure.subfigures(rows, columns, squeeze=False, height_ratios=height_ratios)
    return list(np.asarray(parts).flat)


def legend_of(corner: Axes, *axes: Axes) -> None:
    """Fill an empty corner of a panel with the legend of its other axes."""
    corner.axis("off")
    how: dict[str, Any] = {"loc": "center", "handlelength": 1.3, "borderaxespad": 0}
    corner.legend(*_named(axes), **how).set_in_layout(False)


def draw_cells(
    ax: Axes, z: ArrayLike, limits: tuple[float, float], colours: str = SEQUENTIAL_MAP
) -> None:
    """Draw a table of numbers as coloured cells; beyond the limits all have the same colour."""
    ax.imshow(np.asarray(z), cmap=colours, vmin=limits[0], vmax=limits[1], aspect="auto")


def write_cell(ax: Axes, x: float, y: float, text: str, white: bool, **font: Any) -> None:
    """Write into a cell, white on a dark one; `font` such as ``fontsize``."""
    colour = "white" if white else "black"
    ax.text(x, y, text, ha="center", va="center", color=colour, **font)


def draw_numbers(
    ax: Axes,
    panel: Panel,
    limits: tuple[float, float],
    dark: ArrayLike,
    colours: str = SEQUENTIAL_MAP,
) -> None:
    """Draw a panel's map as cells with their numbers; those that round to zero stay empty."""
    table = panel.series[0].values
    draw_cells(ax, table, limits, colours)
    for i, j in np.ndindex(*table.shape):
        text = f"{table[i, j]:.2f}".replace("-0.00", "0.00").replace("0.00", "").replace("-", "−")
        text = text if np.isfinite(table[i, j]) else "–"
        write_cell(ax, j, i, text, bool(np.asarray(dark)[i, j]), fontsize=8)


def name_cells(
    ax: Axes, panel: Panel, columns: Sequence[str], rows: Sequence[str], size: float = 7
) -> None:
    """Name a table's columns and rows, and give it its panel's title and letter."""
    ax.set_xticks(range(len(columns)), [typeset(name) for name in columns], fontsize=size)
    ax.set_yticks(range(len(rows)), [typeset(name) for name in rows], fontsize=size)
    ax.set_title(typeset(panel.title))
    letter(ax, panel.letter)


def legend_below(*axes: Axes, without: str = "$^", **how: Any) -> None:
    """Draw one legend of some panels below all; names that the pattern `without` finds stay out."""
    legend_without(without, *axes, on=axes[0].figure, **({"loc": "outside lower center"} | how))


def name_beside(ax: Axes, places: Mapping[str, tuple[float, float]], **how: Any) -> None:
    """Write names of curves in their colour at places on the axes, which takes them off legends."""
    for handle, label in zip(*ax.get_legend_handles_labels(), strict=True):
        if label in places:
            handle.set_label(f"_{label}")
            drawn: Any = handle[0] if isinstance(handle, tuple) else handle
            ax.text(*places[label], label, color=drawn.get_color(), **({"fontsize": 8.5} | how))


def _named(axes: Sequence[Axes]) -> tuple[list[Any], list[str]]:
    """Return the handles and labels of several panels, each label once."""
    every = [zip(*ax.get_legend_handles_labels(), strict=True) for ax in axes]
    by_label = {label: handle for pairs in every for handle, label in pairs}
    return [*by_label.values()], [*by_label]


def draw_series(ax: Axes, series: Series) -> None:
    """Draw one line, set of points, band or level; maps are drawn by `draw_map`."""
    shade = colour(series.quantity)
    name = typeset(series.name)
    x, y = np.asarray(series.x), np.asarray(series.y)
    if series.behind:
        known = _BEHIND in ax.get_legend_handles_labels()[1]
        ax.plot(x, y, series.dash, label=f"_{name}" if known else _BEHIND, **_FAINT)
    elif series.kind == "line":
        ax.plot(x, y, series.dash, color=shade, label=name)
    elif series.kind == "level":
        ax.axhline(float(y[0]), color=shade, linestyle=series.dash, label=name)
    elif series.kind == "band":
        low, high = np.asarray(series.y_low), np.asarray(series.y_high)
        ax.fill_between(x, low, high, color=shade, alpha=0.25, linewidth=0, label=name)
    elif series.kind == "points":
        marker = series.dash if series.dash != "-" else "o"
        bars: dict[str, Any] = {
            "linestyle": "none",
            "marker": marker,
            "color": shade,
            "label": name,
            # Numbers of the paper stand on the ends of axes, too.
            "clip_on": series.name != "the paper",
        }
        across, up = _bars(x, series.x_low, series.x_high), _bars(y, series.y_low, series.y_high)
        ax.errorbar(x, y, xerr=across, yerr=up, **bars)
    else:
        raise ValueError(f"series {series.name!r} is a {series.kind}: draw it with draw_map")


def _bars(at: FloatArray, low: ArrayLike | None, high: ArrayLike | None) -> FloatArray | None:
    if low is None or high is None:
        return None
    return np.array([at - np.asarray(low), np.asarray(high) - at])


def draw_panel(ax: Axes, panel: Panel, legend: Any = "best") -> None:
    """Draw every line, set of points, band and level of a panel, with labels, letter and title."""
    drawn = panel.of_kind("line", "points", "band", "level")
    for series in drawn:
        draw_series(ax, series)
    ax.set_xlabel(typeset(drawn[0].x_axis.label))
    ax.set_ylabel(typeset(drawn[0].y_axis.label))
    ax.set_title(typeset(panel.title))
    letter(ax, panel.letter)
    if legend and len(drawn) > 1:
        ax.legend(loc=legend)


def name_ends(ax: Axes, lines: Iterable[Series], gap: float = 0.06) -> None:
    """Write curves' names behind their last points in view, a part `gap` of the panel apart."""
    ax.margins(x=0)
    # A transform does not know yet that a panel has to be scaled to its curves.
    ax.get_xlim()
    corners, ends = ax.transAxes.inverted(), []
    for one in lines:
        pairs = np.column_stack(np.broadcast_arrays(one.x, one.values))
        at = corners.transform(ax.transData.transform(pairs))
        seen = at[np.all((at > -0.01) & (at < 1.01), axis=1)]
        ends += [(*seen[-1, ::-1], one)] if len(seen) else []
    ends.sort(key=lambda end: end[:2])
    y = np.array([end[0] for end in ends])
    for _ in range(200):
        for i in range(len(y) - 1):
            if abs(ends[i][1] - ends[i + 1][1]) < 0.2:
                y[i : i + 2] += 0.5 * max(gap - y[i + 1] + y[i], 0.0) * np.array([-1, 1])
    how: dict[str, Any] = {
        "textcoords": "offset points",
        "xycoords": "axes fraction",
        "va": "center",
    }
    for height, (_, right, one) in zip(y, ends, strict=True):
        shade = "#999999" if one.behind else colour(one.quantity)
        ax.annotate(typeset(one.name), (right, height), (4, 0), color=shade, fontsize=8, **how)


def legend_without(word: str, *axes: Axes, on: Any = None, **how: Any) -> None:
    """Draw the legend of panels, on the first or `on`, of the names in which a pattern is not."""
    named = zip(*_named(axes), strict=True)
    kept = zip(*(pair for pair in named if not re.search(word, pair[1])), strict=True)
    (on or axes[0]).legend(*kept, **how)


def zero_line(ax: Axes) -> None:
    """Draw a thin line at zero."""
    ax.axhline(0, color="black", linewidth=0.6)


def draw_map(
    ax: Axes, series: Series, limit: float | None = None, interpolation: str = "bilinear"
) -> AxesImage:
    """Draw a signed map with gain red, loss blue and the zero line black; return its mappable.

    The map is evenly spaced along both axes. The colour scale runs from -limit to limit; the
    largest absolute value by default.
    """
    x, y, z = np.asarray(series.x), np.asarray(series.y), np.ma.masked_invalid(series.values)
    top = float(np.max(np.abs(z))) if limit is None else limit
    # An evenly spaced map is drawn as an image, which is small and smooth.
    half_x, half_y = 0.5 * (x[1] - x[0]), 0.5 * (y[1] - y[0])
    mesh = ax.imshow(
        z,
        extent=(x[0] - half_x, x[-1] + half_x, y[0] - half_y, y[-1] + half_y),
        origin="lower",
        aspect="auto",
        interpolation=interpolation,
        cmap=GAIN_MAP,
        norm=TwoSlopeNorm(0, -top, top),
    )
    ax.set(xlim=(x[0], x[-1]), ylim=(y[0], y[-1]))
    if z.count() and z.min() < 0 < z.max():
        ax.contour(x, y, z, levels=[0], colors="black", linewidths=1.0)
    ax.set_xlabel(typeset(series.x_axis.label))
    ax.set_ylabel(typeset(series.y_axis.label))
    return mesh
