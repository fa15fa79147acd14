"""A chapter's figures for any run: computed, with the paper's curves behind, and drawn."""

from __future__ import annotations

from types import ModuleType

from matplotlib.figure import Figure

from qdgain.figures.panel import Panel, with_papers_behind
from qdgain.run import BASE_OF_YOUR_DOT, YOUR_DOT, Run, resolve

#: Figures whose lines are levels with labels, which say nothing laid over each other.
DIAGRAMS = ("level_systems",)

Panels = Panel | tuple[Panel, ...]


def compute(figure: ModuleType, name: str, run: Run | None) -> Panels:
    """Return the panels of one of a chapter's figures.

    Parameters
    ----------
    figure : module
        The chapter's module in `qdgain.figures`, with ``SETTINGS`` and ``FIGURES``.
    name : str
        One of its ``FIGURES``.
    run : Run, optional
        Where it differs from the paper's, each panel has the paper's lines behind its own. None
        for figures that depend on no run.
    """
    series = figure.FIGURES[name][0]
    panels: Panels = series() if run is None else series(run)
    if run is None or name in DIAGRAMS or not run.differences():
        return panels
    papers = as_tuple(series(resolve(figure.SETTINGS, {})))
    shown = tuple(_compared(panel, papers) for panel in as_tuple(panels))
    return shown if isinstance(panels, tuple) else shown[0]


def draw(figure: ModuleType, name: str, panels: Panels) -> Figure:
    """Return the picture of panels that `compute` returned."""
    picture: Figure = figure.FIGURES[name][1](panels)
    return picture


def as_tuple(panels: Panels) -> tuple[Panel, ...]:
    """Return one panel or several as a tuple."""
    return panels if isinstance(panels, tuple) else (panels,)


def _compared(panel: Panel, papers: tuple[Panel, ...]) -> Panel:
    """Return a panel with its counterpart behind; a user's dot has the preset it started from."""
    title = panel.title.replace(YOUR_DOT, BASE_OF_YOUR_DOT.removesuffix("+ESA"))
    same = [p for p in papers if p.title == title]
    same += [p for p in papers if p.letter and p.letter == panel.letter]
    return with_papers_behind(panel, same[0]) if same else panel
