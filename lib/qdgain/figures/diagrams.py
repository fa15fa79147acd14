"""Level diagrams over a configuration coordinate, drawn to scale, for Figs 6a and 7a."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure as Picture

from qdgain.figures import style
from qdgain.figures.kit import line, panel, points
from qdgain.figures.panel import Axis, Panel, Series
from qdgain.model.dot import Dot, FloatArray
from qdgain.model.levels import LevelDiagram, level_diagram
from qdgain.run import YOUR_DOT, Run

COORDINATE = Axis("configuration coordinate q")
STATE = Axis("energy of the state", "eV")

#: How far above its lowest minimum a group of states is drawn, and from one group to the next.
_HEIGHT_EV = 0.13
_GAP_EV = 0.03
_STEP_EV = _HEIGHT_EV + _GAP_EV
#: States closer than this share one label.
_LABEL_EV = 0.012
#: Arrows that would lie on top of each other stand this far apart.
_ASIDE = {"pump": -0.35, "emission": 0.35}
_ARROW = {"arrowstyle": "-|>", "shrinkA": 0, "shrinkB": 0}

#: The colour of each state and of each kind of transition.
_QUANTITIES = {
    "ground": "",
    "X": "PL_X",
    "X_A": "A_X",
    "X_E": "PL_X",
    "XX": "PL_XX",
    "XX_A2": "A_XX2",
    "XX_E": "PL_XX",
    "pump": "A_X",
    "emission": "PL_X",
    "excited-state absorption": "A_XX2",
    "relaxation": "reference",
}


def level_diagrams(run: Run, dots: Mapping[str, Dot], biexciton: bool) -> dict[str, LevelDiagram]:
    """Return the level diagram of each dot by its scheme's name; a user's dot is a 5LS."""
    phonon, fraction = run["phonon_energy_meV"], run["splitting_fraction"]
    return {
        name: level_diagram("5LS" if name == YOUR_DOT else name, dot, phonon, fraction, biexciton)
        for name, dot in dots.items()
    }


def diagrams(run: Run, dots: Mapping[str, Dot], biexciton: bool) -> tuple[Panel, ...]:
    """Return one panel for each diagram: its potentials as curves, its transitions as arrows."""
    return tuple(
        panel("" if i else "a", name, COORDINATE, STATE, _series(diagram))
        for i, (name, diagram) in enumerate(level_diagrams(run, dots, biexciton).items())
    )


def _series(diagram: LevelDiagram) -> list[Series]:
    q = np.linspace(-3.5, 3.5, 141) + 0.5 * max(p.displacement for p in diagram.potentials)
    series = [
        line(state.name, q, diagram.energy_eV(state.name, q), _QUANTITIES[state.name])
        for state in diagram.potentials
    ]
    for arrow in diagram.transitions:
        ends = np.transpose([arrow.start, arrow.end])
        series.append(points(arrow.name, ends[0], ends[1], _QUANTITIES[arrow.kind], "-"))
    return series


def draw_diagrams(panels: tuple[Panel, ...]) -> Picture:
    """Draw the diagrams side by side on one energy scale, with the empty ranges cut out."""
    groups = max(_floors(one).size for one in panels)
    picture = style.new_figure(2.0 * len(panels) + 0.4, 1.5 * groups + 0.7)
    row = picture.subplots(1, len(panels), squeeze=False)[0]
    for ax, one in zip(row, panels, strict=True):
        _draw_diagram(ax, one)
    row[0].set_ylabel(STATE.label)
    return picture


def _floors(diagram: Panel) -> FloatArray:
    """Return the lowest energy of each group of states: ground, X, XX."""
    minima = np.sort([np.min(np.asarray(state.y)) for state in diagram.of_kind("line")])
    return minima[np.diff(minima, prepend=-np.inf) > 0.5]


def _draw_diagram(ax: Axes, diagram: Panel) -> None:
    floors = _floors(diagram)

    def height(energy: FloatArray) -> FloatArray:
        """Place an energy on the cut axis."""
        group = np.searchsorted(floors - 0.25, energy) - 1
        return np.asarray(energy - floors[group] + group * _STEP_EV)

    labels = []
    for state in diagram.of_kind("line"):
        q, energy = np.asarray(state.x), np.asarray(state.y)
        lowest = int(np.argmin(energy))
        bottom = float(height(energy[lowest]))
        y = bottom + energy - energy[lowest]
        ceiling = bottom // _STEP_EV * _STEP_EV + _HEIGHT_EV
        ax.plot(q, np.where(y <= ceiling, y, np.nan), color=style.colour(state.quantity))
        labels.append((float(y[lowest]), state.name))
    _label_states(ax, labels)
    stacked = np.asarray(diagram["pump"].x)[0] == np.asarray(diagram["emission"].x)[0]
    for arrow in diagram.of_kind("points"):
        q, y = np.asarray(arrow.x), height(np.asarray(arrow.y))
        q = q + (_ASIDE.get(arrow.name, 0.0) if stacked else 0.0)
        dash, width = (":", 1.2) if arrow.quantity == "reference" else ("-", 1.8)
        look = {"color": style.colour(arrow.quantity), "linestyle": dash, "linewidth": width}
        ax.annotate("", (q[1], y[1]), xytext=(q[0], y[0]), arrowprops=_ARROW | look)
    places = np.arange(floors.size) * _STEP_EV
    ax.set_yticks(places, [f"{floor:.2f}" for floor in floors])
    for place in places[1:]:
        ax.axhline(place - _GAP_EV / 2, color="#BBBBBB", linewidth=0.6, linestyle=(0, (1, 3)))
    ax.set(ylim=(-0.02, places[-1] + _HEIGHT_EV), xlabel="q", title=style.typeset(diagram.title))
    if diagram.letter:
        style.letter(ax, diagram.letter)


def _label_states(ax: Axes, labels: list[tuple[float, str]]) -> None:
    """Name the states beside the diagram, close ones together."""
    labels = sorted(labels)
    while labels:
        together = [label for label in labels if label[0] - labels[0][0] < _LABEL_EV]
        labels = labels[len(together) :]
        names = style.typeset(", ".join(name for _, name in together))
        y = float(np.mean([y for y, _ in together]))
        across = ax.get_yaxis_transform()
        ax.text(1.0, y, names, transform=across, ha="right", va="bottom", fontsize=8)
