"""The layout that a figure's fields describe: rows of panels, shared axes, a finishing touch."""

from qdgain.figures.kit import Figure, line, panel
from qdgain.figures.panel import Axis

X, Y = Axis("x"), Axis("y")


def panels():
    lines = [line("rising", [1, 2], [1, 2], dash="-o"), line("falling", [1, 2], [2, 1])]
    return tuple(panel(letter, "a panel", X, Y, lines) for letter in "abcd")


def test_panels_stand_in_rows_share_axes_and_are_finished():
    seen = []

    def finish(axes, drawn):
        seen.extend(zip(axes, drawn, strict=True))

    figure = Figure(panels, size=(4, 4), columns=2, sharex=True, legend=None, finish=finish)
    picture = figure.draw(panels())
    places = [ax.get_subplotspec() for ax in picture.axes]
    assert [(p.rowspan.start, p.colspan.start) for p in places] == [(0, 0), (0, 1), (1, 0), (1, 1)]
    assert len(picture.axes[0].get_shared_x_axes().get_siblings(picture.axes[0])) == 4
    assert [one.letter for _, one in seen] == list("abcd")
    assert [ax for ax, _ in seen] == picture.axes


def test_a_lines_format_may_have_a_marker():
    (first, second), *_ = (ax.lines for ax in Figure(panels).draw(panels()).axes)
    assert (first.get_linestyle(), first.get_marker()) == ("-", "o")
    assert (second.get_linestyle(), second.get_marker()) == ("-", "None")
