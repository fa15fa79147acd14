"""Maps with projections above and to the right: Figs 8c to f and 9a to f."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from matplotlib.axes import Axes
from matplotlib.cm import ScalarMappable
from matplotlib.figure import Figure as Picture

from qdgain.figures import style
from qdgain.figures.panel import Axis, Panel, Series


def draw_maps(
    panels: Sequence[Panel],
    value: Axis,
    draw_map: Callable[[Axes, Series], ScalarMappable],
    finish: Callable[[Axes, Axes, Axes], Sequence[Axes]],
) -> Picture:
    """Draw panels whose first series is a map, two in a row, with one colour scale below.

    A line that has only its x from the map goes above it, one that has only its y to the right.
    `finish` takes the axes of the map, above and to the right, labels the last two, and returns
    those whose lines the legend names.
    """
    rows = (len(panels) + 1) // 2
    figure = style.new_figure(7.6, 3.4 * rows + 0.6)
    body, foot = style.split(figure, 2, 1, height_ratios=(3.4 * rows, 0.6))
    for block, panel in zip(style.split(body, rows, 2), panels, strict=False):
        shown, *others = panel.series
        parts = block.add_gridspec(2, 2, width_ratios=(3, 1.3), height_ratios=(1.3, 3))
        main = block.add_subplot(parts[1, 0])
        top = block.add_subplot(parts[0, 0], sharex=main)
        right = block.add_subplot(parts[1, 1], sharey=main)
        mesh = draw_map(main, shown)
        for series in others:
            above, beside = series.y_axis != shown.y_axis, series.x_axis != shown.x_axis
            style.draw_series(top if above else right if beside else main, series)
            if series.kind == "level":
                style.draw_series(right, series)
        top.set_title(style.typeset(panel.title))
        top.tick_params(labelbottom=False)
        right.tick_params(labelleft=False)
        style.legend_of(block.add_subplot(parts[0, 1]), *finish(main, top, right))
        style.letter(top, panel.letter)
    scale = foot.subplots(gridspec_kw={"left": 0.2, "right": 0.8})
    foot.colorbar(mesh, cax=scale, orientation="horizontal", label=value.label)
    return figure
