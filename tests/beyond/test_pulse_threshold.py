"""Thresholds under pulses of any length: closed forms, another solver, and what must not change."""

from dataclasses import replace

import numpy as np
import pytest
import scipy
from hypothesis import example, given, settings
from hypothesis import strategies as st

from qdgain.beyond import auger_maps
from qdgain.beyond.information import best_dot
from qdgain.beyond.pulse_threshold import (
    Pump,
    ase_threshold,
    auger_limited_rate,
    exciton_gain,
    gaussian_area,
    se_threshold,
    short_pulse_sensitivity,
)
from qdgain.beyond.recombination import arrival_rate, radiative_ratios, recombination_rates
from qdgain.figures import auger, calibrated
from qdgain.figures.kit import Numbers
from qdgain.model.dot import Dot, presets
from qdgain.model.film import amplification, spontaneous_spectrum
from qdgain.model.gain import gain, gain_maximum_meV
from qdgain.model.parameters import CONTRACT, ParameterError
from qdgain.model.states import READINGS, states
from qdgain.model.threshold import threshold_at_maximum
from qdgain.model.units import transit_time_fs
from qdgain.run import resolve

SUBJECT = presets()["3LS+ESA"]
REPLACING = best_dot("3ls")
ADDITIVE = Dot(
    reading="additive",
    linewidth_meV=80.0,
    stokes_shift_meV=15.0,
    absorptive_binding_meV=55.0,
    emissive_binding_meV=40.0,
    xx_absorption_strength=0.7,
    xx_emission_strength=1.0,
)


def weights(dot, most):
    own = states(dot, gain_maximum_meV(dot, "poisson")[None]).gain[:, 0]
    return own[np.minimum(np.arange(most + 1), own.size - 1)]


REPLACING_DOTS = st.builds(
    lambda stokes, binding, strength: Dot(
        reading="replacing",
        stokes_shift_meV=stokes,
        absorptive_binding_meV=binding,
        xx_emission_strength=strength,
    ),
    *(st.floats(5, 60), st.floats(-20, 60), st.floats(0.3, 1.0)),
)


@given(REPLACING_DOTS)
@example(ADDITIVE)
@settings(max_examples=5, deadline=None)
def test_without_recombination_the_threshold_is_poissons_for_any_pulse(dot):
    pump = Pump([0.1, 100.0], np.inf, 1.5, np.inf)
    found = se_threshold(dot, pump, 3.0)
    expected = threshold_at_maximum(dot, statistics="poisson").mean_excitons
    assert np.abs(found.absorbed / expected - 1).max() < 3e-3
    assert np.abs(found.present / expected - 1).max() < 3e-3


@pytest.mark.parametrize(("pulse", "auger_ps"), [(0.1, 3.0), (10.0, 10.0), (100.0, 30.0)])
@pytest.mark.parametrize("dot", [REPLACING, ADDITIVE], ids=["replacing", "additive"])
def test_an_adaptive_solver_with_a_longer_ladder_finds_no_gain(pulse, auger_ps, dot):
    most, cooling = 14, 1.5
    absorbed = float(se_threshold(dot, Pump(pulse, auger_ps, cooling, 2e4), 3.0).absorbed)
    rates = recombination_rates(2e4, auger_ps, radiative_ratios(dot), most)
    down = np.diag(rates[1:], 1) - np.diag(rates)
    up = np.diag(np.ones(most), -1) - np.diag([*[1.0] * most, 0.0])

    def generator(t, _=None):
        return down + absorbed * float(arrival_rate(t, pulse, cooling)) * up

    sigma = pulse / 2.355
    end = 3 + 12 * cooling + 2 * sigma
    ladder = scipy.integrate.solve_ivp(
        lambda t, p: generator(t) @ p,
        (-5 * sigma, end),
        np.eye(most + 1)[0],
        "BDF",
        t_eval=np.linspace(3.0, end, 300),
        jac=generator,
        rtol=1e-6,
        atol=1e-9,
        max_step=max(sigma, 0.3),
        first_step=sigma / 20,
    ).y
    best = float((weights(dot, most) @ ladder).max())
    assert abs(best) < 1.5e-3


def test_long_pulses_follow_the_standard_models_law():
    auger_ps = np.array([1.0, 3.0, 10.0])
    found = se_threshold(SUBJECT, Pump(3000.0, auger_ps, 1.5, np.inf), 3.0).absorbed
    law = auger_limited_rate(SUBJECT, auger_ps) * gaussian_area(3000.0)
    assert found == pytest.approx(law, rel=2e-2)
    # Few triexcitons: a loss just above zero.
    _, one, two = weights(SUBJECT, 2)
    assert 0.75 * -one / two < auger_limited_rate(SUBJECT, 1.0) < -one / two
    assert auger_limited_rate(presets()["3LS"], 1.0) == 0


@pytest.mark.parametrize("name", ["3LS", "4LS+ESA"])
def test_pulses_longer_than_the_exciton_lives_come_to_the_steady_state(name):
    dot = presets()[name]
    found = se_threshold(dot, Pump(1e5, 30.0, 1.5, 300.0), 3.0).absorbed
    rates = recombination_rates(300.0, 30.0, radiative_ratios(dot))[1:]

    def balance(rate):
        return weights(dot, 10) @ np.cumprod([1.0, *(rate / rates)])

    expected = scipy.optimize.brentq(balance, 1e-9, 1.0, rtol=1e-12) * gaussian_area(1e5)
    assert float(found) == pytest.approx(float(expected), rel=1e-2)


@pytest.mark.parametrize("name", presets())
def test_first_rise_with_the_time_to_the_reading(name):
    dot, delay, auger_ps = presets()[name], 2.0, 400.0
    pump = Pump(0.02, [auger_ps, np.inf], 0.02, np.inf)
    with_auger, without = se_threshold(dot, pump, delay).absorbed
    rise = (with_auger / without - 1) * auger_ps / delay
    assert rise == pytest.approx(short_pulse_sensitivity(dot), rel=3e-2)


@pytest.mark.slow
@given(st.integers(0, 2**32 - 1))
@settings(max_examples=3, deadline=None)
def test_only_ratios_of_times_count(seed):
    random = np.random.default_rng(seed)
    pulse, auger_ps, cooling, travel, scale = 10 ** random.uniform(-1, 1.5, 5)
    times = np.array([pulse, auger_ps, cooling, 500.0])
    for function in (
        lambda s: se_threshold(SUBJECT, Pump(*(s * times)), s * 3.0).absorbed,
        lambda s: ase_threshold(SUBJECT, Pump(*(s * times)), 200.0, s * travel),
    ):
        assert function(scale) == pytest.approx(function(1.0), rel=1e-7)


def test_radiative_decay_alone_keeps_poissons_populations_in_ase():
    dot, length, lifetime = presets()["3LS"], 200.0, 1000.0
    absorbed = float(ase_threshold(dot, Pump(0.1, np.inf, 0.05, lifetime), length, 0.05))
    energy, decay = np.linspace(1.8, 2.15, 141), np.linspace(0, 8, 1601)

    def excess(start):
        mean = start * np.exp(-decay)
        spontaneous = spontaneous_spectrum(dot, energy, mean, "poisson")
        amplified = spontaneous * amplification(length * gain(dot, energy, mean, "poisson"))
        emitted, alone = (np.trapezoid(x.sum(axis=-1), decay) for x in (amplified, spontaneous))
        return emitted / alone - 2

    expected = scipy.optimize.brentq(excess, 0.5 * absorbed, 1.5 * absorbed, xtol=1e-4)
    assert absorbed == pytest.approx(expected, rel=3e-3)


def test_thresholds_fall_with_the_auger_lifetime_and_rise_with_build_up():
    auger_ps = np.geomspace(1, 1000, 6)
    assert np.all(np.diff(se_threshold(SUBJECT, Pump(5.0, auger_ps, 1.5, 2e4), 3.0).absorbed) < 0)
    pump = Pump(0.1, 50.0, 1.5, np.full(4, 2e4))
    assert np.all(np.diff(ase_threshold(SUBJECT, pump, 200.0, [0.1, 3.0, 30.0, 100.0])) > 0)


def test_what_cannot_be_reached_is_infinite_and_bad_times_are_refused():
    dark = Dot(xx_emission_strength=0.0)
    assert se_threshold(dark, Pump(1.0, 30.0, 1.5, 2e4), 3.0).absorbed == np.inf
    assert ase_threshold(SUBJECT, Pump(1.0, 30.0, 1.5, 2e4), 0.0, 1.0) == np.inf
    with pytest.raises(ParameterError, match="auger_lifetime_ps"):
        Pump(1.0, 0.0, 1.5, 2e4)
    with pytest.raises(ParameterError, match="one dot"):
        exciton_gain(Dot(stokes_shift_meV=np.array([1.0, 2.0])))


@pytest.mark.parametrize("dot", [REPLACING, ADDITIVE], ids=["replacing", "additive"])
def test_quoted_lifetimes_and_pulses_are_where_the_ratio_and_the_exponent_are(dot):
    fixed = auger_maps.default_conditions()
    at = auger_maps.lifetime_at_ratio(1.1, fixed, "se", dot, 0.1)
    assert auger_maps.ratio(fixed, "se", dot, 0.1, at) == pytest.approx(1.1, abs=1e-4)
    # Short pulses: not at all. Long ones: the Standard Model's law.
    short, long = auger_maps.exponent(fixed, "se", dot, [0.1, 1e4])
    assert short < 0.1
    assert long == pytest.approx(1, abs=0.03)
    assert np.isnan(auger_maps.lifetime_at_ratio(1e9, fixed, "se", dot, 0.1))


@pytest.mark.parametrize("reading", READINGS)
def test_in_every_reading_poissons_threshold_is_that_without_recombination(reading):
    dot = replace(ADDITIVE, reading=reading)
    found = se_threshold(dot, Pump(0.1, np.inf, 0.05, np.inf), 3.0)
    expected = threshold_at_maximum(dot, statistics="poisson").mean_excitons
    assert float(found.absorbed) == pytest.approx(float(expected), rel=3e-3)
    pump = Pump(0.02, [400.0, np.inf], 0.02, np.inf)
    with_auger, without = se_threshold(dot, pump, 2.0).absorbed
    rise = (with_auger / without - 1) * 400.0 / 2.0
    assert rise == pytest.approx(short_pulse_sensitivity(dot), rel=3e-2)


def test_a_full_dot_that_absorbs_more_than_it_emits_has_no_rate():
    dot = replace(ADDITIVE, xx_absorption_strength=1.2)
    dot = replace(dot, absorptive_binding_meV=55.0, xx_absorption_linewidth_meV=400.0)
    assert auger_limited_rate(dot, 30.0) == np.inf


# --- the chapter

NS_PULSES = {"pump_fwhm_ps": 5000.0}


@pytest.fixture(scope="module")
def run():
    return resolve(auger.SETTINGS, {})


@pytest.fixture(scope="module")
def numbers(run):
    return {row.key: row.value for row in auger.headlines(run)}


def test_what_is_quoted_is_what_a_run_there_computes(numbers):
    assert numbers["auger-own-se"] == pytest.approx(numbers["auger-se-fs"], rel=1e-9)
    assert numbers["auger-own-ase"] == pytest.approx(numbers["auger-ase-fs"], rel=1e-9)
    own = {row.key: row.value for row in auger.headlines(resolve(auger.SETTINGS, NS_PULSES))}
    assert numbers["auger-se-ns"] == pytest.approx(own["auger-own-se"], rel=1e-9)
    assert numbers["auger-ase-ns"] == pytest.approx(own["auger-own-ase"], rel=1e-9)


def test_which_sentence_survives_every_reading(numbers):
    # SE: femtosecond pulses never above a fifth, nanosecond ones always far above.
    assert numbers["auger-se-fs-most-reading"] < 1.2
    assert numbers["auger-se-ns-least-reading"] > 20
    # ASE with nanosecond pulses: as SE where X gains nowhere, next to nothing where it does, and
    # the less the more it gains.
    by_gain = sorted(auger._readings().values(), key=lambda row: row["exciton-best"])
    gaining = [row for row in by_gain if row["exciton-best"] > 0]
    for row in by_gain[: -len(gaining)]:
        assert row["ase-ns"] == pytest.approx(row["se-ns"], rel=0.2)
    assert all(row["ase-ns"] < 0.05 * row["se-ns"] for row in gaining)
    assert np.all(np.diff([row["ase-ns"] for row in gaining]) < 0)
    assert numbers["auger-ase-ns-least-reading"] < 3 < numbers["auger-ase-ns-most-reading"]


@pytest.mark.slow
def test_numbers_of_the_result_are_those_of_a_run_there(numbers):
    given = {"auger_lifetime_ps": numbers["auger-se-tenth"]}
    own = {row.key: row.value for row in auger.headlines(resolve(auger.SETTINGS, given))}
    assert own["auger-own-se"] == pytest.approx(1.1, abs=2e-3)
    given = {"auger_lifetime_ps": numbers["auger-ase-tenth"]}
    own = {row.key: row.value for row in auger.headlines(resolve(auger.SETTINGS, given))}
    assert own["auger-own-ase"] == pytest.approx(1.1, abs=4e-3)


def test_the_build_up_time_is_that_of_the_calibrated_film():
    numbers = Numbers("calibration")
    calibrated.add_plausibility(numbers)
    film = {row.key: row.value for row in numbers}["calibration-length"]
    transit = transit_time_fs(1e-3 * film, CONTRACT["film_refractive_index"].default) * 1e-3
    assert CONTRACT["build_up_time_ps"].default == pytest.approx(transit, rel=0.02)


@pytest.mark.slow
def test_a_users_dot_and_pulse_are_drawn(run):
    own = resolve(auger.SETTINGS, {"stokes_shift_meV": 60.0, "pump_fwhm_ps": 5000.0})
    auger.FIGURES["own"].draw(auger.own(own))
    assert [series.name for series in auger.own(own)[1].series] == [
        "SE, your dot+ESA",
        "SE, your dot",
    ]
    assert auger.maps(own)[0]["this run"].x == 5000
    assert auger.own(own)[0]["SE, your dot"].y[0] != auger.own(run)[0]["SE, 3LS"].y[0]


@pytest.mark.slow
@pytest.mark.parametrize(
    "given",
    [
        {"xx_emission_strength": 0.0, "gain_exponent": 0.0},
        {"stokes_shift_meV": 1000.0, "pump_fwhm_ps": 1e7, "auger_lifetime_ps": 0.1},
        {"linewidth_meV": 1.0, "cooling_time_ps": 100.0, "build_up_time_ps": 1e6},
        {"pump_fwhm_ps": 0.01, "auger_lifetime_ps": 1e6, "exciton_lifetime_ns": 0.01},
    ],
)
def test_the_ends_of_the_contract_have_their_numbers(given):
    own = resolve(auger.SETTINGS, given)
    with np.errstate(all="raise", under="ignore"):
        rows = auger.headlines(own)
    assert all(isinstance(row.value, float) for row in rows)
