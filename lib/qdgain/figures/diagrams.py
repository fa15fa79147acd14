"""Level diagrams over a configuration coordinate, drawn to scale, for Figs 6a and 7a."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure as Picture

from qdgain.figures import style
from qdgain.figures.panel import Axis, Panel, Series
from qdgain.model.dot import Dot
from qdgain.model.levels import LevelDiagram, level_diagram
from qdgain.run import YOUR_DOT, Run

_COORDINATE = Axis("configuration coordinate q")
_STATE = Axis("energy of the state", "eV")

#: How far above its lowest minimum a group of states is drawn.
_HEIGHT_EV = 0.13
_GAP_EV = 0.03
#: States closer than this share one label.
_LABEL_EV = 0.012
#: Arrows that would lie on top of each other stand this far apart.
_ASIDE = {"pump": -0.35, "emission": 0.35}

_QUANTITY_OF_STATE = {
    "ground": "",
    "X": "PL_X",
    "X_A": "A_X",
    "X_E": "PL_X",
    "XX": "PL_XX",
    "XX_A2": "A_XX2",
    "XX_E": "PL_XX",
}
_QUANTITY_OF_ARROW = {
    "pump": "A_X",
    "emission": "PL_X",
    "excited-state absorption": "A_XX2",
    "relaxation": "reference",
}


def diagrams(run: Run, schemes: Mapping[str, Dot], biexciton: bool) -> tuple[Panel, ...]:
    """Return one panel for each scheme: its potentials as curves, its transitions as arrows.

    Parameters
    ----------
    run : Run
        With the settings ``phonon_energy_meV`` and ``splitting_fraction``.
    schemes : Mapping
        Name of the scheme to the dot that lends it its energies; a user's dot is drawn as a 5LS.
    biexciton : bool
        Whether XX and the absorption into it are drawn.
    """
    panels = []
    for position, (name, dot) in enumerate(schemes.items()):
        scheme = "5LS" if name.startswith(YOUR_DOT) else name
        diagram = level_diagram(
            scheme, dot, run["phonon_energy_meV"], run["splitting_fraction"], biexciton
        )
        letter = "a" if position == 0 else ""
        panels.append(Panel(letter, name, tuple(_series(diagram))))
    return tuple(panels)


def _series(diagram: LevelDiagram) -> list[Series]:
    q = np.linspace(-3.5, 3.5, 141) + 0.5 * max(p.displacement for p in diagram.potentials)
    curves = [
        Series(
            potential.name,
            q,
            diagram.energy_eV(potential.name, q),
            _COORDINATE,
            _STATE,
            quantity=_QUANTITY_OF_STATE[potential.name],
        )
        for potential in diagram.potentials
    ]
    arrows = [
        Series(
            transition.name,
            [transition.start[0], transition.end[0]],
            [transition.start[1], transition.end[1]],
            _COORDINATE,
            _STATE,
            quantity=_QUANTITY_OF_ARROW[transition.kind],
            kind="points",
        )
        for transition in diagram.transitions
    ]
    return curves + arrows


def draw_diagrams(panels: tuple[Panel, ...]) -> Picture:
    """Draw the diagrams side by side on one energy scale, with the empty ranges cut out."""
    groups = max(len(_floors(panel)) for panel in panels)
    with style.book_style():
        figure = style.new_figure(2.0 * len(panels) + 0.4, 1.5 * groups + 0.7)
        axes = figure.subplots(1, len(panels), squeeze=False)[0]
        for ax, panel in zip(axes, panels, strict=True):
            _draw_diagram(ax, panel)
        axes[0].set_ylabel(_STATE.label)
    return figure


def _floors(panel: Panel) -> list[float]:
    """Return the lowest energy of each group of states: ground, X, XX."""
    minima = sorted(float(np.min(np.asarray(series.y))) for series in panel.of_kind("line"))
    return [e for i, e in enumerate(minima) if i == 0 or e - minima[i - 1] > 0.5]


def _draw_diagram(ax: Axes, panel: Panel) -> None:
    floors = _floors(panel)

    def height(energy: np.ndarray) -> np.ndarray:
        """Place an energy on the cut axis."""
        group = np.searchsorted(np.array(floors) - 0.25, energy) - 1
        return np.asarray(energy - np.array(floors)[group] + group * (_HEIGHT_EV + _GAP_EV))

    labels: list[tuple[float, float, str]] = []
    for series in panel.of_kind("line"):
        q, energy = np.asarray(series.x), np.asarray(series.y)
        y = height(np.array([energy.min()]))[0] + energy - energy.min()
        top = height(np.array([energy.min()]))[0] // (_HEIGHT_EV + _GAP_EV)
        ceiling = top * (_HEIGHT_EV + _GAP_EV) + _HEIGHT_EV
        ax.plot(q, np.where(y <= ceiling, y, np.nan), color=style.colour(series.quantity))
        lowest = int(np.argmin(energy))
        labels.append((float(y[lowest]), float(q[lowest]), series.name))
    _label_states(ax, labels)
    pumped, emitted = (np.asarray(panel[name].x)[0] for name in ("pump", "emission"))
    stacked = pumped == emitted
    for series in panel.of_kind("points"):
        q, y = np.asarray(series.x), height(np.asarray(series.y))
        aside = _ASIDE.get(series.name, 0.0) if stacked else 0.0
        relaxes = series.quantity == "reference"
        ax.annotate(
            "",
            (q[1] + aside, y[1]),
            xytext=(q[0] + aside, y[0]),
            arrowprops={
                "arrowstyle": "-|>",
                "color": style.colour(series.quantity),
                "linestyle": ":" if relaxes else "-",
                "linewidth": 1.2 if relaxes else 1.8,
                "shrinkA": 0,
                "shrinkB": 0,
            },
        )
    places = [group * (_HEIGHT_EV + _GAP_EV) for group in range(len(floors))]
    ax.set_yticks(places, [f"{floor:.2f}" for floor in floors])
    for place in places[1:]:
        ax.axhline(place - _GAP_EV / 2, color="#BBBBBB", linewidth=0.6, linestyle=(0, (1, 3)))
    ax.set_ylim(-0.02, places[-1] + _HEIGHT_EV)
    ax.set_xlabel("q")
    ax.set_title(style.typeset(panel.title))
    if panel.letter:
        style.letter(ax, panel.letter)


def _label_states(ax: Axes, labels: list[tuple[float, float, str]]) -> None:
    """Name the states beside the diagram, close ones together."""
    labels = sorted(labels)
    while labels:
        first = labels[0][0]
        together = [label for label in labels if label[0] - first < _LABEL_EV]
        labels = labels[len(together) :]
        ax.annotate(
            style.typeset(", ".join(name for _, _, name in together)),
            (1.0, float(np.mean([y for y, _, _ in together]))),
            xycoords=("axes fraction", "data"),
            ha="right",
            va="bottom",
            fontsize=8,
        )
