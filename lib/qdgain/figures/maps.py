"""Maps: with projections, as steps of colour, and with their sign; each has one colour bar."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
from matplotlib import patheffects
from matplotlib.axes import Axes
from matplotlib.cm import ScalarMappable
from matplotlib.colors import BoundaryNorm
from matplotlib.figure import Figure as Picture
from numpy.typing import ArrayLike

from qdgain.figures import style
from qdgain.figures.panel import Axis, Panel, Series
from qdgain.model.dot import FloatArray

#: The steps of colour of ⟨N⟩.
LEVELS = (0.0, 0.1, 0.5, 1.0, 1.5, 2.0)
#: In the name of a line that ends in an arrow.
WAY = "way"
#: The range of slopes that is drawn, per standard deviation, and where hatches begin.
LARGEST_SLOPE, NEAR_SLOPE = 0.6, 0.01


def draw_projections(
    panels: Sequence[Panel],
    value: Axis,
    draw_map: Callable[[Axes, Series], ScalarMappable],
    finish: Callable[[Axes, Axes, Axes], Sequence[Axes]],
) -> Picture:
    """Draw maps with projections above and to the right, two in a row: Figs 8c to f and 9a to f.

    A panel's first series is its map; one colour scale stands below all. A line that has only its x
    from the map goes above it, one that has only its y to the right. `finish` takes the axes of the
    map, above and to the right, labels the last two, and returns those whose lines the legend
    names; a legend that says nothing new is left out. Projections share one scale.
    """
    rows = (len(panels) + 1) // 2
    figure = style.new_figure(7.6, 3.4 * rows + 0.6)
    body, foot = style.split(figure, 2, 1, height_ratios=(3.4 * rows, 0.6))
    tops, rights, named = list[Axes](), list[Axes](), set[str]()
    for block, panel in zip(style.split(body, rows, 2), panels, strict=False):
        shown, *others = panel.series
        parts = block.add_gridspec(2, 2, width_ratios=(3, 1.3), height_ratios=(1.3, 3))
        main = block.add_subplot(parts[1, 0])
        top = block.add_subplot(parts[0, 0], sharex=main, sharey=tops[0] if tops else None)
        right = block.add_subplot(parts[1, 1], sharey=main, sharex=rights[0] if rights else None)
        tops.append(top)
        rights.append(right)
        mesh = draw_map(main, shown)
        for series in others:
            above, beside = series.y_axis != shown.y_axis, series.x_axis != shown.x_axis
            style.draw_series(top if above else right if beside else main, series)
            if series.kind == "level":
                style.draw_series(right, series)
        top.set_title(style.typeset(panel.title))
        top.tick_params(labelbottom=False)
        right.tick_params(labelleft=False)
        explained = finish(main, top, right)
        names = {line for ax in explained for line in ax.get_legend_handles_labels()[1]}
        if names - named:
            style.legend_of(block.add_subplot(parts[0, 1]), *explained)
        named |= names
        style.letter(top, panel.letter)
    for shared in (tops[0], rights[0]):
        # Found while it is drawn, a scale that several parts share would draw the figure anew.
        shared.autoscale_view()
    scale = foot.subplots(gridspec_kw={"left": 0.2, "right": 0.8})
    foot.colorbar(mesh, cax=scale, orientation="horizontal", label=value.label)
    return figure


def draw_thresholds(panels: Sequence[Panel]) -> Picture:
    """Draw two rows of maps of thresholds with lines and marks on them, and one legend."""
    figure, axes = _grid(panels, (7.6, 7.0), _draw_levels, ticks=LEVELS)
    style.legend_below(axes[0, 0], ncols=3)
    return figure


def draw_slopes(panels: Sequence[Panel]) -> Picture:
    """Draw two rows of signed maps of slopes."""
    return _grid(panels, (7.0, 5.8), _draw_slope, extend="both")[0]


def _grid(
    panels: Sequence[Panel], size: tuple[float, float], draw: Callable[..., Any], **bar: Any
) -> tuple[Picture, Any]:
    figure = style.new_figure(*size)
    axes = figure.subplots(2, len(panels) // 2, sharex=True, sharey=True)
    for ax, one in zip(axes.flat, panels, strict=True):
        grid, *lines = one.series
        mappable = draw(ax, grid, lines)
        ax.set(xlabel=style.typeset(grid.x_axis.label), ylabel=style.typeset(grid.y_axis.label))
        ax.set_title(style.typeset(one.title.replace(", ", "\n", 1)))
        style.letter(ax, one.letter)
        ax.label_outer()
    shown = grid.z_axis or Axis("")
    figure.colorbar(mappable, ax=axes, shrink=0.8, **bar).set_label(shown.label)
    return figure, axes


def _draw_levels(ax: Axes, grid: Series, lines: Sequence[Series]) -> Any:
    """Draw a map as steps, white where it has no values, and what lies on it."""
    x, y, values = np.asarray(grid.x), np.asarray(grid.y), np.ma.masked_invalid(grid.values)
    steps: dict[str, Any] = {"cmap": style.SEQUENTIAL_MAP, "norm": BoundaryNorm(LEVELS, 256)}
    filled = ax.contourf(x, y, values, levels=LEVELS, **steps)
    ax.contour(x, y, values, levels=LEVELS[1:-1], colors="white", linewidths=0.7)
    halo: list[Any] = [patheffects.withStroke(linewidth=3.5, foreground="white")]
    for series in lines:
        style.draw_series(ax, replace(series, behind=False))
        if WAY in series.name:
            (x0, x1), (y0, y1) = np.asarray(series.x), np.asarray(series.y)
            ax.lines[-1].set_path_effects(halo)
            head = {
                "arrowstyle": "-|>,head_length=0.6,head_width=0.35",
                "color": ax.lines[-1].get_color(),
                "mutation_scale": 14,
                "shrinkB": 0,
            }
            ax.annotate("", (x1, y1), (x0, y0), arrowprops=head)
    ax.set(xlim=(x[0], x[-1]), ylim=(y[0], y[-1]))
    return filled


def _draw_slope(ax: Axes, grid: Series, _: Sequence[Series]) -> Any:
    """Draw a signed map, hatched where it is above zero, for readers in grey."""
    image = style.draw_map(ax, grid, LARGEST_SLOPE, interpolation="auto")
    values = np.ma.masked_invalid(grid.values)
    if values.count() and values.max() > NEAR_SLOPE:
        rising: dict[str, Any] = {"levels": [NEAR_SLOPE, np.inf], "hatches": ["///"]}
        ax.contourf(np.asarray(grid.x), np.asarray(grid.y), values, colors="none", **rising)
    return image


def where_red(emission: ArrayLike, values: ArrayLike) -> FloatArray:
    """Return values, nan where the biexciton would emit blue of A_X: real dots absorb there."""
    return np.where(np.asarray(emission) >= -1e-9, values, np.nan)
