"""The page on speed shows what the benchmark stored, whole and readable."""

import pytest

from qdgain import benchmark
from qdgain.figures import speed as figure
from qdgain.figures.style import colour


def test_the_table_has_a_row_for_every_measurement():
    lines = benchmark.table().splitlines()
    every = [one for subject in benchmark.stored()["subjects"] for one in subject["measured"]]
    assert len(lines) == 2 + len(benchmark.stored()["subjects"]) + len(every)
    cells = {line.replace("\\|", "").count("|") for line in lines}
    assert cells == {6}


def test_a_goal_that_is_missed_is_said(monkeypatch):
    row = {"unit": "×", "at_least": False, "low": 2.0, "high": 2.0}
    met = row | {"what": "quick", "value": 1.2, "goal": 1.5, "met": True}
    missed = row | {"what": "slow", "value": 2.04, "goal": 1.5, "met": False}
    subjects = [{"title": "All", "measured": [met, missed]}]
    monkeypatch.setattr(benchmark, "stored", lambda: {"subjects": subjects})
    assert "| quick | 1.20 × |  | ≤\N{NO-BREAK SPACE}1.5 | met |" in benchmark.table()
    assert "| slow | 2.04 × |  | ≤\N{NO-BREAK SPACE}1.5 | missed |" in benchmark.table()


def test_the_page_names_machine_date_and_library():
    text = benchmark.machine()
    for part in (benchmark.stored()["date"], benchmark.stored()["machine"]["processor"]):
        assert part in text
    assert "Only ratios carry over" in text


def test_the_figure_has_a_line_for_every_growth_with_its_slope():
    panel = figure.growth()
    assert len(panel.series) == len(benchmark.growths()) >= 4
    for series, one in zip(panel.series, benchmark.growths(), strict=True):
        assert series.name.startswith(one["what"])
        assert "slope" in series.name
        assert list(series.x) == one["detail"]["sizes"]
    (ax,) = figure.FIGURES["growth"].draw(panel).axes
    assert (ax.get_xscale(), ax.get_yscale()) == ("log", "log")
    assert len({line.get_color() for line in ax.lines}) == len(ax.lines)
    assert len({line.get_marker() for line in ax.lines}) == len(ax.lines)


def test_every_growth_has_a_colour_of_its_own():
    quantities = [figure.QUANTITIES[one["key"]] for one in benchmark.growths()]
    assert len({colour(quantity) for quantity in quantities}) == len(quantities)
    with pytest.raises(KeyError):
        colour("something")
