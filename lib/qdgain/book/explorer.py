"""Sliders over a chapter's figures, for readers with a kernel."""

from __future__ import annotations

from types import ModuleType
from typing import TYPE_CHECKING, Any

import numpy as np
from IPython.display import SVG, display

from qdgain.book import keep
from qdgain.book.explorer_page import window
from qdgain.figures import kit
from qdgain.figures.saved import to_svg
from qdgain.model import parameters
from qdgain.model.dot import Dot, presets
from qdgain.model.parameters import CONTRACT, Parameter
from qdgain.run import BASE_OF_YOUR_DOT, resolve

if TYPE_CHECKING:
    import ipywidgets as widgets


def explorer(figure: ModuleType) -> widgets.Widget | None:
    """Return sliders for a dot and a chapter's settings that redraw one of its figures.

    Names, units, ranges and defaults are the contract's. Nothing is drawn before the first
    change. Where a run is made into files nobody can move a slider, and there are none.
    """
    if keep.into_files():
        return None
    # Takes as long to import as a chapter's figures to compute.
    import ipywidgets as widgets  # noqa: PLC0415

    dot = presets()[BASE_OF_YOUR_DOT]
    controls: dict[str, Any] = {
        name: _control(widgets, CONTRACT[name], dot)
        for name in (*parameters.DOT_PARAMETERS, *figure.SETTINGS)
        if not CONTRACT[name].stand_in
    }
    which = widgets.Dropdown(options=list(figure.FIGURES), description="figure")
    picture = widgets.Output()

    def redraw(_: object = None) -> None:
        values = {name: control.value for name, control in controls.items()}
        with picture:
            picture.clear_output(wait=True)
            try:
                run = resolve(figure.SETTINGS, values)
                panels = kit.compute(figure, which.value, run)
                display(SVG(to_svg(figure.FIGURES[which.value].draw(panels))))
            except parameters.ParameterError as refusal:
                print(refusal)

    for control in (which, *controls.values()):
        control.observe(redraw, names="value")
    return widgets.VBox([which, *controls.values(), picture])


def _control(widgets: ModuleType, entry: Parameter, dot: Dot) -> Any:
    unit = "" if entry.unit == "1" else f" ({entry.unit})"
    value: Any = getattr(dot, entry.name, entry.default)
    common: dict[str, Any] = {
        "value": value,
        "description": entry.name,
        "tooltip": f"{entry.meaning}{unit}",
        "style": {"description_width": "initial"},
        "layout": {"width": "36em"},
    }
    if entry.choices:
        return widgets.Dropdown(options=entry.choices, **common)
    common["continuous_update"] = False
    if isinstance(value, str):
        return widgets.Text(**common)
    # The contract's range is wide; a slider is useful near the value it starts from.
    low, high = window(entry, float(value), float(np.asarray(dot.linewidth_meV)))
    if entry.kind == "integer":
        return widgets.IntSlider(min=int(low), max=int(high), **common)
    step = (high - low) / 300
    return widgets.FloatSlider(min=low, max=high, step=step, readout_format=".4g", **common)
