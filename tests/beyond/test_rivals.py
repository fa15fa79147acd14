"""Rival models: what they predict, how far off that is, and what would decide."""

from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.optimize import brentq
from scipy.stats import poisson

from qdgain.beyond import rivals, rivals_scores
from qdgain.beyond.charged import charged_threshold, charged_weights
from qdgain.beyond.measurements import Measurement
from qdgain.beyond.recombination import radiative_ratios
from qdgain.beyond.rivals import PREDICT, Assumed, Middle, Model, at_temperature, models, prediction
from qdgain.beyond.rivals_record import (
    AUGER,
    MEASUREMENTS,
    OBSERVABLES,
    SEEN,
    WIDTHS,
    AugerStatement,
    Observable,
    Range,
)
from qdgain.beyond.rivals_scores import (
    cell,
    compared,
    decision,
    experiments,
    log_evidence,
    separation,
    total,
)
from qdgain.model.bands import bands
from qdgain.model.dot import Dot
from qdgain.model.gain import gain
from qdgain.model.parameters import ParameterError
from qdgain.model.threshold import threshold_at_maximum

ASSUMED = Assumed()
PLAIN = {"linewidth_meV": 60.0, "stokes_shift_meV": np.zeros(2)}
ESA = {
    "linewidth_meV": 80.0,
    "stokes_shift_meV": np.array([15.0, 30.0]),
    "absorptive_binding_meV": 40.0,
    "emissive_binding_meV": 10.0,
    "xx_absorption_strength": 0.8,
    "xx_emission_strength": 0.4,
}


def named(key):
    return next(model for model in models(ASSUMED) if model.key == key)


def degenerate(holes):
    return Dot(reading="degenerate", electron_states=2, hole_states=holes, **PLAIN)


def observable(**changes):
    given = {
        "key": "gain",
        "name": "gain",
        "value": 0.5,
        "error": 0.1,
        "origin": "assumed",
        "seen": "abstract",
        "where": "",
        "doi": "",
    }
    return Observable(**(given | changes))


# --- the count of states


@pytest.mark.parametrize(
    ("holes", "law", "expected"),
    [(4, "rabi", 4 / 3), (4, "sequential", 4 / 3), (4, "poisson", 1.5423), (2, "rabi", 1.0)],
)
def test_counted_states_give_the_threshold_without_a_parameter(holes, law, expected):
    found = threshold_at_maximum(degenerate(holes), statistics=law).mean_excitons
    assert found == pytest.approx(expected, abs=1e-4)


def net_by_hand(mean, electrons):
    """Return the gain of CdSe dots with so many electrons before the pump, no Stokes shift."""
    gain = 0.0
    for k in range(60):
        e, h = min(k + electrons, 2) / 2, min(k, 4) / 4
        gain += poisson.pmf(k, mean) * (e * h - (1 - e) * (1 - h))
    return gain


@pytest.mark.parametrize("part", [0.0, 0.17, 0.6, 1.0])
def test_a_film_of_charged_and_neutral_dots_is_that_summed_by_hand(part):
    def film(mean):
        return (1 - part) * net_by_hand(mean, 0) + part * net_by_hand(mean, 1)

    found = charged_threshold(degenerate(4), part)
    assert found == pytest.approx(brentq(film, 1e-6, 10), rel=1e-6)


def test_an_electron_that_blocks_one_of_two_channels_and_its_esa_leaves_ln_2():
    dot = Dot(**(ESA | {"stokes_shift_meV": np.zeros(2)}), reading="additive")
    assert charged_threshold(dot, 1.0, 0.0) == pytest.approx(np.log(2), rel=1e-6)


@given(
    st.floats(0, 30),
    st.floats(10, 60),
    st.floats(0.05, 1.5),
    st.floats(0, 1),
    st.sampled_from(["replacing", "additive"]),
)
@settings(max_examples=25, deadline=None)
def test_what_is_left_of_the_esa_raises_the_threshold_of_charged_dots(
    shift, move, a, left, reading
):
    dot = Dot(
        reading=reading,
        linewidth_meV=80.0,
        stokes_shift_meV=np.array([shift]),
        absorptive_binding_meV=move,
        emissive_binding_meV=0.0,
        xx_absorption_strength=a,
        xx_emission_strength=1.0,
    )
    # Each at its own gain maximum, which ESA moves.
    gains = [
        np.sum(np.multiply(charged_weights(dot, part)[1], [0.0, 1.0, 1.0, 0.0]))
        for part in (left, 0.0)
    ]
    assert gains[0] <= gains[1] + 1e-12


def test_a_film_that_never_gains_has_no_ratio_instead_of_zero():
    # The full dot absorbs more than it emits, at every energy.
    dot = Dot(**(ESA | {"xx_emission_strength": 0.1, "absorptive_binding_meV": 25.0}))
    dot = replace(dot, reading="additive", xx_absorption_strength=3.0)
    model = Model("x", "x", "", dot, np.ones(2))
    assert np.isinf(charged_threshold(dot, 0.0)).all()
    assert np.isnan(rivals.charged_ratio(model, 0.5)).all()
    assert prediction(model, "partly-charged", ASSUMED) is None


def test_a_part_of_the_dots_is_a_number_from_0_to_1():
    with pytest.raises(ParameterError, match=r"charged_fraction = 1\.5 is not allowed"):
        charged_threshold(degenerate(4), 1.5)


# --- predictions


@pytest.mark.parametrize("reading", ["uncorrelated", "replacing", "additive", "degenerate"])
def test_the_ratio_of_rates_is_that_of_the_recombination(reading):
    own = {"emission_linewidth_meV": 70.0, "xx_emission_linewidth_meV": 90.0}
    dot = replace(Dot(**ESA, **own), reading=reading, electron_states=2, hole_states=4)
    model = SimpleNamespace(dot=dot)
    expected = [radiative_ratios(dot.at(i))[2] for i in range(2)]
    assert PREDICT["rate-ratio"](model, ASSUMED) == pytest.approx(expected)


def test_the_models_radiate_as_their_states_say():
    found = {m.key: prediction(m, "rate-ratio", ASSUMED) for m in models(ASSUMED)}
    assert found["two-fold"] == pytest.approx(2.0)
    assert found["degenerate"] == pytest.approx(4.0)
    assert found["additive-tied"] == pytest.approx(2.0)
    gamma = named("replacing-free").dot.xx_emission_strength
    assert found["replacing-free"] == pytest.approx(2 * gamma)


@pytest.mark.parametrize("reading", ["uncorrelated", "replacing", "additive"])
def test_the_open_channel_absorbs_what_the_reading_leaves_and_adds(reading):
    dot = replace(Dot(**ESA), reading=reading)
    model = SimpleNamespace(dot=dot)
    centre = dot.absorption_energy_eV - 1e-3 * dot.stokes_shift_meV
    own = [bands(dot.at(i), centre[i]) for i in range(2)]
    left = np.array([one.absorption for one in own])
    esa = 0.8 * np.array([one.xx_absorption for one in own])
    expected = {"uncorrelated": left, "replacing": esa, "additive": left + esa}[reading] / left
    assert PREDICT["cross"](model, ASSUMED) == pytest.approx(expected)


def test_at_room_temperature_a_dot_stays_and_soft_phonons_widen_by_the_root_of_it():
    dot = Dot(**ESA, emission_linewidth_meV=70.0)
    assert at_temperature(dot, 300.0, 26.0) == dot
    cold = at_temperature(dot, 75.0, 0.01)
    assert cold.linewidth_meV == pytest.approx(0.5 * dot.linewidth_meV, rel=1e-4)
    assert cold.emission_linewidth_meV == pytest.approx(35.0, rel=1e-4)


@pytest.mark.parametrize("key", [model.key for model in models(ASSUMED)])
def test_largest_gains_are_those_at_two_excitons_a_dot_under_every_law(key):
    model = named(key)
    some = model.dot.at(slice(0, None, 40))
    widths = np.linspace(-4.0, 4.0, 3001) * float(np.max(some.linewidth_meV)) / 2
    found = PREDICT["gain"](replace(model, dot=some), ASSUMED)
    for i in range(found.size):
        dot = some.at(i)
        energy = dot.absorption_energy_eV + 1e-3 * widths
        assert found[i] == pytest.approx(gain(dot, energy, 2.0, model.statistics).max(), abs=2e-4)


def test_what_a_reading_was_fitted_to_counts_for_nothing():
    both = named("additive-tied"), named("two-at-most")
    assert not {one.key for one in compared(both, ASSUMED)} & {"threshold", "gain"}


def test_the_set_of_counted_states_spans_what_is_public_and_nothing_is_fitted():
    single = WIDTHS[0]
    for model in models(ASSUMED)[:3]:
        assert model.parameters == 0
        assert not model.fitted
        width = model.dot.linewidth_meV
        assert (width.min(), width.max()) == (single.low_meV, single.high_meV)
    shift = named("degenerate").dot.stokes_shift_meV
    assert shift.min() == 0
    assert shift.max() == pytest.approx(32.25, abs=0.05)


def test_a_user_s_dot_is_one_more_model():
    yours = Dot(reading="degenerate", hole_states=4, linewidth_meV=60.0, stokes_shift_meV=0.0)
    *others, own = models(ASSUMED, yours)
    assert [m.key for m in others] == [m.key for m in models(ASSUMED)]
    assert prediction(own, "threshold", ASSUMED) == pytest.approx(4 / 3)


@pytest.mark.parametrize("key", list(PREDICT))
def test_a_model_predicts_a_quantity_or_says_why_not(key):
    for model in models(ASSUMED):
        values = prediction(model, key, ASSUMED)
        assert (values is None) == bool(model.why_not(key))
        if values is not None:
            assert np.isfinite(values).all()
            assert values.ndim == 1


def test_long_pulses_cost_what_the_auger_lifetime_takes_away():
    short, long = (
        np.median(prediction(named("degenerate"), "pulse", replace(ASSUMED, auger_lifetime_ps=t)))
        for t in (30.0, 300.0)
    )
    assert short == pytest.approx(40, rel=0.15)
    assert 1 < long < short / 4


# --- the record


def test_every_published_quantity_can_be_measured_and_predicted():
    assert set(MEASUREMENTS) == set(PREDICT)
    assert {one.key for one in OBSERVABLES} <= set(PREDICT)
    for one in (*OBSERVABLES, *AUGER, *WIDTHS):
        assert one.seen in SEEN
        assert not one.doi or one.doi.startswith("10.")
        assert one.doi or one.seen in ("abstract", "second hand")


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"seen": "hearsay"}, "seen = 'hearsay' is none of full text, abstract"),
        ({"compare": "near"}, "compare = 'near' is none of equal"),
        ({"error": 0.0}, "error = 0 is not above zero"),
        ({"relative": True, "value": 0.0}, "value = 0 has no logarithm"),
    ],
)
def test_a_row_that_makes_no_sense_is_refused(changes, said):
    with pytest.raises(ValueError, match=said):
        observable(**changes)


def test_a_range_and_a_side_are_checked():
    with pytest.raises(ValueError, match="is no range"):
        Range("x", 3.0, 2.0, "abstract", "", "")
    with pytest.raises(ValueError, match="side = 'both' is none of"):
        AugerStatement("x", "both", "", "", "", "", False, "abstract", "")


# --- scores


def test_a_bound_that_is_kept_costs_nothing():
    above = observable(compare="above")
    assert above.off([0.3, 0.5, 0.9]).tolist() == pytest.approx([-2.0, 0.0, 0.0])
    below = observable(compare="below", relative=True)
    assert below.off(0.5 * np.e**0.1) == pytest.approx(1.0)
    assert below.off(0.2) == 0.0


def test_the_spread_is_added_to_the_error_in_squares():
    assert observable().off(1.0, 0.0) == pytest.approx(5.0)
    assert observable(error=3.0).off(5.5, 4.0) == pytest.approx(1.0)


def test_the_likelihood_of_a_bound_is_the_probability_that_it_is_kept():
    above, below = (observable(compare=how) for how in ("above", "below"))
    assert np.exp(above.log_likelihood(0.5)) == pytest.approx(0.5)
    assert np.exp(above.log_likelihood(0.6)) == pytest.approx(0.841345, rel=1e-5)
    assert np.exp(below.log_likelihood(0.6)) == pytest.approx(0.158655, rel=1e-5)
    assert observable().log_likelihood(0.7) == pytest.approx(-2.0)


@pytest.fixture
def toys(monkeypatch):
    """Two models whose predictions are given, in two quantities."""
    values = {
        ("one", "gain"): np.array([0.5, 0.7]),
        ("one", "pump"): np.array([1.0, 2.0]),
        ("other", "gain"): np.array([0.9, 0.9]),
        ("other", "pump"): None,
    }
    monkeypatch.setattr(rivals_scores, "prediction", lambda m, key, _: values.get((m.key, key)))
    rows = (observable(), observable(key="pump", value=1.0, error=1.0))
    monkeypatch.setattr(rivals_scores, "OBSERVABLES", rows)
    known = {
        key: Measurement(key, key, "1", 0.1, True, "assumed") for key in ("gain", "pump", "cold")
    }
    monkeypatch.setattr(rivals_scores, "MEASUREMENTS", known)
    dot = Dot(**PLAIN)
    return [Model(key, key, "", dot, np.ones(2), 3) for key in ("one", "other")], rows


def test_the_evidence_is_the_mean_of_the_product_over_the_set(toys):
    (one, other), rows = toys
    expected = np.log(np.mean([1.0, np.exp(-2.0) * np.exp(-0.5)]))
    assert log_evidence(one, rows, ASSUMED) == pytest.approx(expected)
    assert log_evidence(other, rows[:1], ASSUMED) == pytest.approx(-8.0)


def test_a_bayes_factor_is_over_what_both_predict(toys):
    (one, other), rows = toys
    assert compared((one, other), ASSUMED) == rows[:1]
    found = decision(one, other, ASSUMED)
    assert found.total == pytest.approx(np.log(0.5 + 0.5 * np.exp(-2.0)) + 8.0)
    assert found.most == (rows[0], pytest.approx(found.total))
    assert decision(other, one, ASSUMED).total == pytest.approx(-found.total)


def test_what_was_put_in_counts_for_nothing(toys):
    (one, _), rows = toys
    fitted = replace(one, fitted=("gain",))
    assert cell(fitted, rows[0], ASSUMED).fitted
    misfit, count = total(fitted, ASSUMED)
    assert count == 1
    spread = Middle.of(np.array([0.0, 1.0])).spread
    assert misfit == pytest.approx(0.25 / (1 + spread**2))
    assert total(one, ASSUMED)[1] == 2


def test_models_far_apart_are_told_apart_by_one_bit(toys):
    pair, _ = toys
    (found,) = experiments(pair, ASSUMED)
    assert found.key == "gain"
    assert found.models == 2
    spread = Middle.of(np.log([0.5, 0.7])).spread
    middle = np.log(0.9) - np.mean(np.log([0.5, 0.7]))
    assert found.closest == pytest.approx(middle / np.hypot(0.1, spread))
    assert found.closest == found.farthest == separation("gain", *pair, ASSUMED)
    assert np.isnan(separation("pump", *pair, ASSUMED))
    assert 0.5 < found.bits <= 1.0
    (blurred,) = experiments(pair, ASSUMED, 100.0)
    assert blurred.bits < 1e-3


def test_experiments_come_in_the_order_of_what_they_tell():
    chosen = [named(key) for key in ("degenerate", "replacing-free", "additive-tied")]
    bits = [each.bits for each in experiments(chosen, ASSUMED)]
    assert bits == sorted(bits, reverse=True)
    assert max(bits) <= np.log2(3) + 1e-6


def test_the_ratio_of_rates_alone_excludes_the_replacing_readings():
    rates = next(one for one in OBSERVABLES if one.key == "rate-ratio")
    off = {m.key: cell(m, rates, ASSUMED) for m in models(ASSUMED)}
    assert all(off[key].misfit > 3 for key in ("replacing-free", "replacing-lean"))
    assert all(off[key].misfit < 1 for key in ("degenerate", "two-fold", "additive-tied"))
    assert rivals.ROOM_K == 300.0
