"""Figures in words: every number comes from the series, and what they say holds of them."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import qdgain
from qdgain.figures import fig08, kit
from qdgain.figures.description import described
from qdgain.figures.panel import Axis, Panel, Series
from qdgain.run import resolve

X, Y, Z = Axis("photon energy", "eV"), Axis("gain"), Axis("signal", "meV")


def said(*series, title="a panel", letter="c"):
    return described((Panel(letter, title, series),))


@pytest.mark.parametrize(
    ("y", "course"),
    [
        ([1, 2, 3, 4], "rises from 1.00 to 4.00"),
        ([4, 3, 2, 1], "falls from 4.00 to 1.00"),
        ([2, 2, 2, 2.0001], "stays at 2.00"),
        ([0, 5, 1, 0.5], "peaks at 5.00 at 1.10 eV; 0 and 0.500 at the ends"),
        ([1, 5, 1, 1], "peaks at 5.00 at 1.10 eV; 1.00 at both ends"),
        ([1, -5, 1, 1], "has its least, -5.00 at 1.10 eV; 1.00 at both ends"),
        ([0, -5, 5, 0], "lies between -5.00 and 5.00, highest at 1.20 eV"),
        ([np.nan, 1, 2, np.inf], "rises from 1.00 to 2.00"),
        ([np.inf, np.inf, np.inf, np.nan], ": out of reach"),
    ],
)
def test_the_course_of_a_curve(y, course):
    text = said(Series("G", [1.0, 1.1, 1.2, 1.3], y, X, Y))
    assert text.startswith("Panel c, a panel: gain against photon energy, 1.00 to 1.30 eV.")
    assert f"G{course}." in text or f"G {course}." in text


def test_points_bands_levels_and_upright_lines():
    text = said(
        Series("points", [1, 2], [3, 4], X, Y, kind="points", y_low=[2, 3], y_high=[4, 6]),
        Series("band", [1, 2], [3, 4], X, Y, kind="band", y_low=[1, 2], y_high=[5, 9]),
        Series("level", [1, 2], [3, 3], X, Y, kind="level"),
        Series("mark", [1.5, 1.5], [0, 1], X, Y),
    )
    for part in (
        "points: 2 points, 2.00 to 6.00.",
        "band: 1.00 to 9.00.",
        "level: 3.00.",
        "mark: upright line at 1.50 eV.",
    ):
        assert part in text


def test_a_map_its_summit_and_a_path_over_it_but_not_its_projections():
    z = np.array([[1.0, 2.0], [3.0, -4.0]])
    text = said(
        Series("map", [1.0, 2.0], [5.0, 6.0], X, Y, z=z, z_axis=Z, kind="map"),
        Series("path", [1.0, 2.0], [5.0, 6.0], X, Y),
        Series("spectrum", [1.0, 2.0], [7.0, 8.0], X, Z),
    )
    assert "signal over photon energy, 1.00 to 2.00 eV, and gain, 5.00 to 6.00." in text
    assert "map: -4.00 to 3.00 meV, highest at 1.00 eV and 6.00." in text
    assert "path: from 1.00 eV at 5.00 to 2.00 eV at 6.00." in text
    assert "spectrum" not in text
    flat = Series("map", [1.0, 2.0], [5.0, 6.0], X, Y, z=np.ones((2, 2)), z_axis=Z, kind="map")
    assert "highest" not in said(flat)


def test_many_series_are_counted_and_the_papers_are_said_to_be_behind():
    many = [Series(f"line {i}", [1, 2], [i, i + 1], X, Y) for i in range(7)]
    behind = Series("paper", [1, 2], [0, 1], X, Y, behind=True)
    text = said(*many, behind)
    assert "line 4" in text
    assert "line 5" not in text
    assert text.endswith("2 more. Faint: the paper's parameters.")


@given(st.lists(st.floats(-1e6, 1e6), min_size=2, max_size=8), st.data())
def test_any_curve_is_described_within_its_own_range(y, data):
    x = np.arange(len(y)) + data.draw(st.floats(-5, 5))
    text = said(Series("curve", x, y, X, Y))
    assert text.count("curve") == 1
    words = ("rises", "falls", "stays", "peaks", "least", "lies between")
    assert sum(word in text for word in words) == 1


def test_another_run_is_described_by_other_numbers():
    paper = resolve(fig08.SETTINGS, {})
    other = resolve(fig08.SETTINGS, {"stokes_shift_meV": 80.0})
    texts = [described(kit.as_tuple(kit.compute(fig08, "contours", run))) for run in (paper, other)]
    assert texts[0] != texts[1]
    threshold = float(qdgain.threshold_at_maximum(paper.dots["3LS"]).mean_excitons)
    assert f"threshold, at maximum: {threshold:.3f}" in texts[0]
