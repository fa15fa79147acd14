"""The chapter on rivals: its table, its curves, its words."""

import numpy as np
import pytest

from qdgain.beyond.rivals import PAPER, Assumed, models
from qdgain.beyond.rivals_record import AUGER, OBSERVABLES
from qdgain.beyond.rivals_scores import cell
from qdgain.figures import rivals, rivals_words
from qdgain.figures.style import book_style
from qdgain.run import resolve

RUN = resolve(rivals.SETTINGS, {})


@pytest.fixture(scope="module")
def table():
    return rivals.table(RUN)


def texts(figure):
    return [text.get_text() for ax in figure.axes for text in ax.texts]


def test_a_cell_of_the_table_is_a_prediction_and_its_misfit(table):
    own = models(Assumed())
    for i, one in enumerate(OBSERVABLES):
        for j, model in enumerate(own):
            found = cell(model, one, Assumed())
            misfit = table["misfit"].values[i, j]
            if found is None:
                assert np.isnan(misfit)
                continue
            assert misfit == found.misfit
            assert table["lowest"].values[i, j] == found.predicted.low
            assert table["highest"].values[i, j] == found.predicted.high


def test_the_table_leaves_what_was_put_in_without_colour_and_what_is_not_said_empty(table):
    with book_style():
        figure = rivals.FIGURES["table"].draw(table)
    (image,) = figure.axes[0].images
    drawn, put_in = np.ma.filled(image.get_array(), np.nan), table["put in"].values
    assert np.isnan(drawn[put_in == 1]).all()
    assert (put_in == 1).sum() == 2 * sum(model.camp == PAPER for model in models(Assumed()))
    assert texts(figure).count("–") == int(np.isnan(table["misfit"].values).sum())
    labels = [text.get_text() for text in figure.axes[0].get_xticklabels()]
    own = drawn[np.isfinite(drawn[:, 1]), 1]
    assert labels[1].endswith(f"χ² {np.sum(own**2):.0f} / {own.size}")


@pytest.mark.parametrize(
    ("low", "high", "unit", "said"),
    [
        (1.284, 1.329, "1", "1.3"),
        (0.27, 0.34, "1", "0.27\u2009…\u20090.34"),
        (-21.3, -0.2, "meV", "−21\u2009…\u20090"),
        (1e-16, 0.0, "meV", "0"),
    ],
)
def test_ranges_are_printed_to_two_digits(low, high, unit, said):
    assert rivals._range(low, high, unit) == said


def test_a_user_s_dot_has_a_column():
    run = resolve(rivals.SETTINGS, {"reading": "degenerate", "hole_states": 4})
    assert rivals.table(run)["misfit"].values.shape[1] == len(models(Assumed())) + 1
    with book_style():
        figure = rivals.FIGURES["table"].draw(rivals.table(run))
    assert figure.axes[0].get_xticklabels()[-1].get_text().startswith("your\ndot")


def test_every_film_is_neutral_where_no_dot_is_charged():
    charged = rivals.unmeasured(RUN)[0]
    for series in charged.of_kind("line"):
        assert series.values[0] == pytest.approx(1.0)
        assert series.values[-1] < 0.8


def test_the_map_has_the_lasers_and_what_the_record_states():
    names = [series.name for series in rivals.auger_map(RUN).series]
    for said in AUGER:
        for text in (said.pulse_text, said.lifetime_text):
            assert not text or f"{said.source}: {text}" in names


def test_single_dots_allow_shifts_of_23_to_32_meV_in_balance():
    found = rivals.stokes_ranges(RUN)
    assert found["in balance, single dots"] == pytest.approx((22.66, 32.25), abs=0.02)
    assert found["4LS, additive tied"][0] > found["in balance, single dots"][1]


def test_a_coupling_to_one_soft_phonon_has_the_width_of_thermal_balance():
    width = rivals._width_of(25.852, np.array([300.0]), 0.01)
    assert width == pytest.approx(2 * np.sqrt(2 * np.log(2)) * 25.852, rel=1e-3)


# --- words


def test_the_verdict_says_what_the_numbers_say(monkeypatch):
    said = str(rivals.verdict(RUN))
    assert "do not need more absorption from X to XX" in said
    assert "against replacing free and replacing lean" in said
    assert f"Of the {len(AUGER)} public statements that could be read, one varied" in said
    assert "Park 2015" in said
    assert 150 < len(said.split()) < 280
    assert rivals.verdict()._repr_html_().count("<li>") == 4
    monkeypatch.setattr(rivals_words, "_EXCLUDED", 1e3)
    monkeypatch.setattr(rivals_words, "_AGREES", 0.0)
    monkeypatch.setattr(rivals_words, "_ODDS", 1.0)
    said = str(rivals.verdict(RUN))
    assert "against no model" in said
    assert "1.3 and 1.5, need more" in said
    assert "fitted to decide:" in said


def test_every_silence_has_its_reason():
    reasons = {row[2] for row in rivals_words.silences().rows}
    assert reasons == {why for model in models(Assumed()) for why in model.silent.values()}


def test_the_tables_have_every_row_of_the_record():
    assert len(rivals_words.observed().rows) == len(OBSERVABLES)
    assert len(rivals_words.auger_record().rows) == len(AUGER)
    found = rivals.ranked(RUN)
    (first, *_) = rivals_words.experiments_table(found, 2.0).rows
    assert first[0] == "k_XX / k_X"
    assert first[1] == "20 %"
