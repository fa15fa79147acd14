"""What Figs 9a to f share: maps of ASE against fluence, spectra above, the amplification beside."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from typing import Any, NamedTuple

import numpy as np
from matplotlib.axes import Axes
from matplotlib.collections import QuadMesh
from matplotlib.figure import Figure as Picture

from qdgain.figures import style
from qdgain.figures.kit import line, mapped, panel, points, stated
from qdgain.figures.maps import draw_projections
from qdgain.figures.panel import ENERGY, FLUENCE, Axis, Panel, Series
from qdgain.model.dot import FloatArray

RELATIVE = Axis("emission / its maximum")
AMPLIFICATION = Axis("log₁₀(∫I / ∫P)")
#: Fluences of the maps, over the highest.
LOG_STEPS = np.geomspace(0.01, 1.0, 101)


class Sweep(NamedTuple):
    """ASE against fluence; the logarithms are ln I and ln(∫I/∫P), the crest is I's maximum."""

    energy_eV: FloatArray
    fluence_mJ_cm2: FloatArray
    log_spectrum: FloatArray
    log_ratio: FloatArray
    crest_eV: FloatArray


def relative(log_spectrum: FloatArray) -> FloatArray:
    """Return spectra over their maxima."""
    return np.asarray(np.exp(log_spectrum - np.max(log_spectrum, axis=-1, keepdims=True)))


def hundredths(value_meV: FloatArray | float) -> float:
    """Return a shift to 0.01 meV: a spike exactly on a centre is else off by rounding errors."""
    return float(np.round(value_meV, 2)) + 0.0


def spectrum(name: str, energy_eV: FloatArray, values: FloatArray, *look: str) -> Series:
    """Return a spectrum over its maximum, to stand above a map; `look` are quantity and dash."""
    return line(name, energy_eV, values / values.max(), *look, y_axis=RELATIVE)


def stated_threshold(claim: str) -> Series:
    """Return the paper's threshold as a mark where the amplification is two."""
    mark = "the paper's threshold", np.log10(2), stated(claim), "reference", "D"
    return points(*mark, x_axis=AMPLIFICATION)


def emission_map(
    letter: str, title: str, sweep: Sweep, above: Iterable[Series], threshold_mJ_cm2: FloatArray
) -> Panel:
    """Return the panel of a sweep, with spectra above it and its threshold if it has one."""
    energy, fluence, log_spectrum, log_ratio, crest = sweep
    series = [
        mapped("emission", energy, fluence, relative(log_spectrum), RELATIVE),
        line("strongest", crest, fluence, "ASE", ":"),
        line("amplification", log_ratio / np.log(10), fluence, "ASE", x_axis=AMPLIFICATION),
        *above,
    ]
    if np.isfinite(threshold_mJ_cm2):
        look = ("ASE threshold", "--")
        series.append(line("threshold", energy[:1], threshold_mJ_cm2, *look, kind="level"))
    return panel(letter, title, ENERGY, FLUENCE, series)


def draw_emission_maps(panels: tuple[Panel, ...]) -> Picture:
    """Draw panels that `emission_map` returned."""

    def finish(main: Axes, top: Axes, right: Axes) -> tuple[Axes]:
        main.set_yscale("log")
        top.set_ylim(0, 1.08)
        top.set_ylabel("emission")
        right.set_xlabel(AMPLIFICATION.label)
        return (top,)

    own = [_own_amplification(one) for one in panels]
    return draw_projections(own, RELATIVE, _draw_intensity, finish)


def _own_amplification(one: Panel) -> Panel:
    """Draw the paper's amplification like the run's own."""
    every = (replace(s, behind=s.behind and s.x_axis != AMPLIFICATION) for s in one.series)
    return replace(one, series=tuple(every))


def _draw_intensity(ax: Axes, series: Series) -> QuadMesh:
    x, y, z = (np.asarray(values) for values in (series.x, series.y, series.z))
    look: Any = {"cmap": style.SEQUENTIAL_MAP, "vmin": 0, "vmax": 1, "rasterized": True}
    mesh = ax.pcolormesh(x, y, z, shading="nearest", **look)
    ax.set_xlabel(style.typeset(series.x_axis.label))
    ax.set_ylabel(style.typeset(series.y_axis.label))
    return mesh
