"""How the time of each fast path grows with its size, from the stored benchmark."""

from __future__ import annotations

from matplotlib.figure import Figure as Picture

from qdgain import benchmark
from qdgain.figures import kit, style
from qdgain.figures.panel import Axis, Panel, Series
from qdgain.text import significant

_SIZE, _TIME = Axis("size"), Axis("time", "s")
_QUANTITIES = {
    "threshold_at_maximum/growth": "at gain maximum",
    "onset/growth": "onset",
    "contour/growth": "gain map",
    "ase_sweep/growth": "ASE sweep",
    "sweeps/growth": "sweep without notebooks",
}
_MARKERS = ("o", "s", "^", "D", "v", "P")


def quantity_of(key: str) -> str:
    """Return the quantity, and thereby the colour, of a measurement of several sizes.

    Raises
    ------
    KeyError
        If it has none yet: give it one here.
    """
    return _QUANTITIES[key]


def growth() -> Panel:
    """Return times against sizes, a line for each fast path."""
    return Panel(
        "",
        "growth with size",
        tuple(
            Series(
                f"{one['what']}: slope {significant(one['value'], 2)}",
                one["detail"]["sizes"],
                one["detail"]["seconds"],
                _SIZE,
                _TIME,
                quantity=quantity_of(one["key"]),
            )
            for one in benchmark.growths()
        ),
    )


def draw_growth(panel: Panel) -> Picture:
    """Draw them on logarithmic axes."""
    with style.book_style():
        figure = style.new_figure(6.4, 4.0)
        ax = figure.subplots()
        style.draw_panel(ax, panel, legend="upper left")
        for line, marker in zip(ax.lines, _MARKERS, strict=False):
            line.set_marker(marker)
        ax.set(xscale="log", yscale="log")
        ax.legend(loc="upper left")
    return figure


#: What the page draws: name -> (series, drawing).
FIGURES = {"growth": kit.Figure(growth, draw_growth)}
