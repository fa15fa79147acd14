"""What a chapter's figure module is written with: a panel owns axes, a figure owns layout.

A figure module has ``SETTINGS``, the names of its settings; ``FIGURES``, a `Figure` for each of its
figures; and ``headlines``, which returns its `Numbers`.
"""

from __future__ import annotations

import tomllib
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from functools import cache
from importlib import resources
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure as Picture
from numpy.typing import ArrayLike

from qdgain.figures import style
from qdgain.figures.panel import NO_AXIS, Axis, Panel, Panels, Series, with_papers_behind
from qdgain.paper.claims import Headline, claims
from qdgain.run import BASE_OF_YOUR_DOT, YOUR_DOT, Run, resolve

# --- series: each takes its axes from its panel unless it is given its own


def line(
    name: str, x: ArrayLike, y: ArrayLike, quantity: str = "", dash: str = "-", **more: Any
) -> Series:
    """Return a curve; `more` are fields of `Series`."""
    return Series(name, x, y, quantity=quantity, dash=dash, **more)


def points(
    name: str, x: ArrayLike, y: ArrayLike, quantity: str = "", marker: str = "o", **more: Any
) -> Series:
    """Return a set of points; `more` are fields of `Series`, such as the ends of error bars."""
    return Series(name, x, y, quantity=quantity, dash=marker, kind="points", **more)


def band(
    name: str,
    x: ArrayLike,
    low: ArrayLike,
    high: ArrayLike,
    quantity: str = "",
    *,
    y: ArrayLike | None = None,
) -> Series:
    """Return the area between two curves; what it shows as values is `y`, or the middle."""
    shown = 0.5 * (np.asarray(low) + np.asarray(high)) if y is None else y
    return Series(name, x, shown, y_low=low, y_high=high, quantity=quantity, kind="band")


def level(name: str, y: float, quantity: str = "", dash: str = "-", **more: Any) -> Series:
    """Return a horizontal line across the panel."""
    return Series(name, 0.0, y, quantity=quantity, dash=dash, kind="level", **more)


def upright(
    name: str, x: float, low: float, high: float, quantity: str = "reference", **more: Any
) -> Series:
    """Return a vertical line between two heights; `more` are fields of `Series`."""
    return line(name, [x, x], [low, high], quantity, **({"dash": ":"} | more))


def mapped(
    name: str, x: ArrayLike, y: ArrayLike, z: ArrayLike, z_axis: Axis, **more: Any
) -> Series:
    """Return a map over the panel's two axes; `z` is of shape (len(y), len(x))."""
    return Series(name, x, y, z=z, z_axis=z_axis, kind="map", **more)


def panel(letter: str, title: str, x: Axis, y: Axis, series: Iterable[Series]) -> Panel:
    """Return a panel; its axes are those of every series that has none of its own."""
    own = (
        replace(
            one,
            x_axis=x if one.x_axis is NO_AXIS else one.x_axis,
            y_axis=y if one.y_axis is NO_AXIS else one.y_axis,
        )
        for one in series
    )
    return Panel(letter, title, tuple(own))


# --- figures


Legend = Mapping[str, Any] | str | None


@dataclass(frozen=True)
class Figure:
    """One figure of a chapter: what computes its panels, and how they are laid out.

    `panels` takes the chapter's run, if it has one. They stand side by side unless `drawn_by` draws
    them; the size in inches is that of one if `per_panel`. `axes` is what is set on every panel,
    such as ``{"ylim": (0, 2)}``, and `legend` that of each panel of more than one series, or
    ``"ends"`` for names at the curves' ends; a tuple has one for each panel. `finish` takes the
    drawn axes and the panels, for what the fields cannot say; `widths` are those of the `columns`
    relative to each other, and `zeros` the panels with a thin line at zero.
    """

    panels: Callable[..., Panels]
    drawn_by: Callable[[Any], Picture] | None = None
    size: tuple[float, float] = (6.4, 3.6)
    per_panel: bool = False
    legend: Legend | tuple[Legend, ...] = field(default_factory=lambda: {"loc": "best"})
    axes: Mapping[str, Any] | tuple[Mapping[str, Any], ...] = field(default_factory=dict)
    sharex: bool = False
    sharey: bool = False
    columns: int = 0
    widths: tuple[float, ...] | None = None
    zeros: tuple[int, ...] = ()
    finish: Callable[[list[Axes], tuple[Panel, ...]], None] | None = None

    def draw(self, panels: Panels) -> Picture:
        """Return the picture of panels that `compute` returned."""
        with style.book_style():
            if self.drawn_by is not None:
                return self.drawn_by(panels)
            every = as_tuple(panels)
            width = self.size[0] * (len(every) if self.per_panel else 1)
            picture = style.new_figure(width, self.size[1])
            columns = self.columns or len(every)
            shape = -(-len(every) // columns), columns
            shared: Any = {"sharex": self.sharex, "sharey": self.sharey}
            parts = picture.subplots(*shape, squeeze=False, width_ratios=self.widths, **shared)
            grid = list(parts.flat)
            for i, (ax, one) in enumerate(zip(grid, every, strict=True)):
                axes = self.axes[i] if isinstance(self.axes, tuple) else self.axes
                legend = self.legend[i] if isinstance(self.legend, tuple) else self.legend
                if not one.series:
                    continue
                style.draw_panel(ax, one, legend=None)
                if i in self.zeros:
                    style.zero_line(ax)
                ax.set(**axes)
                if legend == "ends":
                    style.name_ends(ax, one.of_kind("line"))
                elif isinstance(legend, Mapping) and len(one.series) > 1:
                    ax.legend(**legend)
            if self.finish is not None:
                self.finish(grid, every)
        return picture


#: Figures whose lines are levels with labels, which say nothing laid over each other.
DIAGRAMS = ("level_systems",)


def as_tuple(panels: Panels) -> tuple[Panel, ...]:
    """Return one panel or several as a tuple."""
    return panels if isinstance(panels, tuple) else (panels,)


def compute(chapter: Any, name: str, run: Run | None) -> Panels:
    """Return the panels of one of a chapter's ``FIGURES``; the run is None if they take none.

    Where the run differs from the paper's, each panel has the paper's lines behind its own.
    """
    series = chapter.FIGURES[name].panels
    panels: Panels = series() if run is None else series(run)
    if run is None or name in DIAGRAMS or not run.differences():
        return panels
    papers = as_tuple(series(resolve(chapter.SETTINGS, {})))
    shown = tuple(_compared(one, papers) for one in as_tuple(panels))
    return shown if isinstance(panels, tuple) else shown[0]


def _compared(one: Panel, papers: tuple[Panel, ...]) -> Panel:
    """Return a panel with its counterpart behind; a user's dot has the preset it started from."""
    title = one.title.replace(YOUR_DOT, BASE_OF_YOUR_DOT.removesuffix("+ESA"))
    same = [p for p in papers if p.title == title]
    same += [p for p in papers if p.letter and p.letter == one.letter]
    return with_papers_behind(one, same[0]) if same else one


# --- numbers


@cache
def meanings() -> Mapping[str, Mapping[str, str]]:
    """Return chapter → key → meaning and unit of every number, as data/numbers.toml has them."""
    text = resources.files("qdgain").joinpath("data/numbers.toml").read_text(encoding="utf-8")
    return tomllib.loads(text)


class Numbers(list[Headline]):
    """A chapter's numbers as they are added; data/numbers.toml has each one's meaning and unit.

    In braces a key and its meaning have what `add` is given by name, a meaning also settings.
    """

    def __init__(self, chapter: str, run: Run | None = None) -> None:
        super().__init__()
        self.chapter, self.settings = chapter, {} if run is None else run.settings

    def add(self, key: str, value: ArrayLike, /, repeats: str = "", **named: Any) -> None:
        """Add one number, such as ``add("threshold-{dot}", 1.5, dot="3LS")``.

        `repeats` is the id of a statement that a number of another chapter answers, too.
        """
        parts = {name: slug(x) if isinstance(x, str) else x for name, x in named.items()}
        text = meanings()[self.chapter][key].format(**{**self.settings, **named})
        meaning, _, unit = text.removesuffix("]").partition(" [")
        whole = f"{self.chapter}-{key.format(**parts)}"
        self.append(Headline(whole, meaning, number(value), unit or "1", repeats))


def slug(name: str) -> str:
    """Return a name as part of a key: ``3ls-esa`` for ``3LS+ESA``."""
    return name.replace(", ", "-").replace(" ", "-").replace("+ESA", "-esa").lower()


def number(value: ArrayLike) -> float:
    """Return a field of a single dot, or any other single number, as a float; a count stays one."""
    return value if isinstance(value, int) else float(np.asarray(value))


def look(name: str) -> tuple[str, str]:
    """Return the quantity and the dash of a dot's curve: with ESA dashed, in its pair's colour."""
    return name.removesuffix("+ESA"), "--" if name.endswith("+ESA") else "-"


def stated(claim: str, tolerances_below: float = 0.0) -> float:
    """Return the number that a statement of the paper gives, or one some tolerances below it."""
    found = claims()[claim]
    assert found.stated is not None
    return found.stated - (found.tolerance or 0.0) * tolerances_below
