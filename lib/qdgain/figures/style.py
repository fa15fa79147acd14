"""One style for every figure of the book: colours by physical quantity, axes, letters."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import matplotlib as mpl
import numpy as np
from matplotlib.axes import Axes
from matplotlib.colors import TwoSlopeNorm
from matplotlib.figure import Figure as Picture
from matplotlib.figure import FigureBase, SubFigure
from matplotlib.image import AxesImage

from qdgain.figures.panel import Panel, Series

#: Okabe and Ito's colour-blind-safe colours, one for each physical quantity in the whole book.
COLOURS = {
    "A_X": "#0072B2",
    "PL_X": "#D55E00",
    "A_XX1": "#56B4E9",
    "A_XX2": "#CC79A7",
    "PL_XX": "#E69F00",
    "at gain maximum": "#000000",
    "onset": "#009E73",
    "one exciton": "#999933",
    "two excitons": "#882255",
    "rabi": "#0072B2",
    "poisson": "#D55E00",
    "sequential": "#009E73",
    "linear": "#7F7F7F",
    "2LS": "#7F7F7F",
    "3LS": "#0072B2",
    "4LS": "#D55E00",
    "5LS": "#009E73",
    "CdSe": "#0072B2",
    "CsPbBr3": "#56B4E9",
    "CdS/ZnSe": "#000000",
    "published spread": "#7F7F7F",
    "XX engineering": "#E69F00",
    "light harvesting": "#7F7F7F",
    "ASE": "#000000",
    "saturated ASE": "#0072B2",
    "ASE threshold": "#009E73",
    "your dot": "#CC79A7",
    "prior": "#7F7F7F",
    "posterior, main": "#0072B2",
    "posterior, conditions": "#D55E00",
    "posterior, loose": "#000000",
    "best": "#0072B2",
    "second": "#D55E00",
    "third": "#000000",
    "fourth": "#009E73",
    "fifth": "#CC79A7",
    "second transition": "#44AA99",
    "Te:CdSe": "#D55E00",
    "detailed balance": "#000000",
    "shifts": "#0072B2",
    "shifts and linewidth": "#D55E00",
    "one binding energy and S": "#009E73",
    "shifts and linewidth, in equilibrium": "#000000",
    "gain map": "#0072B2",
    "ASE sweep": "#D55E00",
    "sweep without notebooks": "#882255",
    "77 K": "#0072B2",
    "300 K": "#000000",
    "400 K": "#D55E00",
    "Stokes shift kept": "#0072B2",
    "linewidth kept": "#D55E00",
    "equal dots": "#7F7F7F",
    "size": "#0072B2",
    "orientation": "#E69F00",
    "depth": "#009E73",
    "beam": "#CC79A7",
    "second step": "#D55E00",
    "together": "#000000",
    "pulse 0.1 ps": "#000000",
    "pulse 1 ps": "#0072B2",
    "pulse 10 ps": "#56B4E9",
    "pulse 100 ps": "#009E73",
    "pulse 1 ns": "#E69F00",
    "pulse 10 ns": "#D55E00",
    "measured": "#7F7F7F",
    "fit": "#000000",
    "reference": "#7F7F7F",
    "": "#000000",
}

#: Gain red, loss blue, transparency white; in grey the drawn zero line tells them apart.
GAIN_MAP = "RdBu_r"
#: For quantities without a sign.
SEQUENTIAL_MAP = "cividis"

#: The one entry in a legend for all the lines that the paper's parameters give.
_BEHIND = "the paper's"
_FAINT: Any = {"color": "#BBBBBB", "linewidth": 1.0, "zorder": 1.0}

#: Of a picture in dots.
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
    """Return the colour of a physical quantity.

    Raises
    ------
    KeyError
        If the quantity has no colour yet: give it one here, so that it keeps it everywhere.
    """
    return COLOURS[quantity]


def typeset(text: str) -> str:
    """Return text with its subscripts set: ``A_XX2`` as A with the subscript XX2."""
    return re.sub(r"([^\W\d_]+)_([^\W_]+)", r"$\\mathregular{\1_{\2}}$", text)


def letter(ax: Axes, text: str) -> None:
    """Put the paper's panel letter at the panel's upper left, outside the data."""
    ax.annotate(
        text,
        (0, 1),
        xytext=(-30, 6),
        xycoords="axes fraction",
        textcoords="offset points",
        fontsize=11,
        fontweight="bold",
        va="bottom",
    )


def split(
    figure: FigureBase, rows: int, columns: int, height_ratios: Sequence[float] | None = None
) -> list[SubFigure]:
    """Return the parts of a figure, row by row."""
    parts = figure.subfigures(rows, columns, squeeze=False, height_ratios=height_ratios)
    return list(np.asarray(parts).flat)


def legend_of(corner: Axes, *axes: Axes) -> None:
    """Fill an empty corner of a panel with the legend of its other axes."""
    corner.axis("off")
    how: dict[str, Any] = {"loc": "center", "handlelength": 1.6, "borderaxespad": 0}
    corner.legend(*_named(axes), fontsize=7, **how).set_in_layout(False)


def legend_below(*axes: Axes, **how: Any) -> None:
    """Draw one legend of some of a figure's panels below all of them."""
    axes[0].figure.legend(*_named(axes), loc="outside lower center", **how)


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
        ax.plot(x, y, linestyle=series.dash, label=f"_{name}" if known else _BEHIND, **_FAINT)
    elif series.kind == "line":
        ax.plot(x, y, color=shade, linestyle=series.dash, label=name)
    elif series.kind == "level":
        ax.axhline(float(y[0]), color=shade, linestyle=series.dash, label=name)
    elif series.kind == "band":
        low, high = np.asarray(series.y_low), np.asarray(series.y_high)
        ax.fill_between(x, low, high, color=shade, alpha=0.25, linewidth=0, label=name)
    elif series.kind == "points":
        marker = series.dash if series.dash != "-" else "o"
        errors = None
        if series.y_low is not None and series.y_high is not None:
            errors = np.array([y - np.asarray(series.y_low), np.asarray(series.y_high) - y])
        ax.errorbar(x, y, yerr=errors, color=shade, marker=marker, linestyle="none", label=name)
    else:
        raise ValueError(f"series {series.name!r} is a {series.kind}: draw it with draw_map")


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


def zero_line(ax: Axes) -> None:
    """Draw a thin line at zero."""
    ax.axhline(0, color="black", linewidth=0.6)


def draw_map(
    ax: Axes, series: Series, limit: float | None = None, interpolation: str = "bilinear"
) -> AxesImage:
    """Draw a signed map with gain red, loss blue and the zero line black; return its mappable.

    Parameters
    ----------
    ax : matplotlib.axes.Axes
        Where.
    series : Series
        Of kind map, evenly spaced along both axes.
    limit : float, optional
        The colour scale runs from -limit to limit; the largest absolute value by default.
    interpolation : str
        As of `matplotlib.axes.Axes.imshow`.
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
