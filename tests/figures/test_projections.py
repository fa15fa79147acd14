"""Maps with projections: each line is drawn beside the map along the axis that it shares."""

import numpy as np
import pytest

from qdgain.figures import style
from qdgain.figures.fig08 import GAIN
from qdgain.figures.kit import level, line, mapped, panel
from qdgain.figures.maps import draw_projections
from qdgain.figures.panel import ENERGY, FLUENCE, MEAN_EXCITONS


@pytest.fixture
def sides():
    """Return the axes of the map, above and to the right of it, drawn with three lines."""
    x, y = np.linspace(2.0, 2.2, 3), np.linspace(0.0, 2.0, 5)
    series = [
        mapped("gain", x, y, np.outer(y - 1, x), GAIN),
        line("over the map", x, x),
        line("above", x, -x, y_axis=GAIN),
        line("to the right", 2 * y, y, x_axis=GAIN),
        level("across", 1.0),
    ]
    found = []

    def finish(main, top, right):
        found.extend((main, top, right))
        return top, right

    one = panel("c", "a map of A_X", ENERGY, MEAN_EXCITONS, series)
    draw_projections([one], GAIN, style.draw_map, finish)
    return found


def test_a_line_stands_along_the_axis_it_shares_with_the_map(sides):
    names = [[drawn.get_label() for drawn in ax.get_lines()] for ax in sides]
    assert names == [["over the map", "across"], ["above"], ["to the right", "across"]]


def test_the_title_and_the_letter_stand_above(sides):
    _, top, _ = sides
    assert top.get_title() == style.typeset("a map of A_X")
    assert "c" in [text.get_text() for text in top.texts]


def test_an_odd_number_of_maps_leaves_a_place_free():
    x = np.arange(3.0)
    maps = [
        panel("", f"{i}", ENERGY, FLUENCE, [mapped("gain", x, x, np.outer(x, x), GAIN)])
        for i in range(3)
    ]
    picture = draw_projections(maps, GAIN, style.draw_map, lambda main, *_: (main,))
    drawn = [ax.get_title() for ax in picture.axes if ax.get_title()]
    assert drawn == ["0", "1", "2"]
