"""How the time of each fast path grows with its size, from the stored benchmark."""

from __future__ import annotations

from qdgain import benchmark
from qdgain.figures.kit import Figure, line, panel
from qdgain.figures.panel import Axis, Panel
from qdgain.text import significant

_SIZE, _TIME = Axis("size"), Axis("time", "s")
#: Key of a measurement of several sizes to its quantity, and thereby its colour.
QUANTITIES = {
    "threshold_at_maximum/growth": "at gain maximum",
    "onset/growth": "onset",
    "contour/growth": "gain map",
    "ase_sweep/growth": "ASE sweep",
    "sweeps/growth": "sweep without notebooks",
}
_DASHES = ("-o", "-s", "-^", "-D", "-v", "-P")


def growth() -> Panel:
    """Return times against sizes, a line for each fast path."""
    lines = []
    for one, dash in zip(benchmark.growths(), _DASHES, strict=False):
        name = f"{one['what']}: slope {significant(one['value'], 2)}"
        sizes, seconds = one["detail"]["sizes"], one["detail"]["seconds"]
        lines.append(line(name, sizes, seconds, QUANTITIES[one["key"]], dash))
    return panel("", "growth with size", _SIZE, _TIME, lines)


FIGURES = {
    "growth": Figure(
        growth,
        size=(6.4, 4.0),
        legend={"loc": "upper left"},
        axes={"xscale": "log", "yscale": "log"},
    )
}
