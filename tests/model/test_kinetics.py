"""The steady-state solver against closed forms, and its invariants."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from qdgain import Dot, ParameterError
from qdgain.model import kinetics, levels, units
from qdgain.model.kinetics import Scheme, Step

PUMPS = np.concatenate([[0.0], np.geomspace(1e-4, 1e4, 25)])
ratio = st.floats(1e-6, 3.0)
strength = st.floats(0.0, 2.0)


# The closed forms of standard laser kinetics: independent derivations.


def net_gain_two_level(w, rho=0.0):
    """A pump that drives the emission line itself, both ways, and one decay."""
    return ((1 - rho) * w - (1 + w)) / (1 + 2 * w)


def net_gain_three_level(w, b=0.0, rho=0.0):
    """A pump both ways, X_A to X_E alone, X_E to the ground state; b is N(X_A) / N(X_E)."""
    return ((1 - rho - b) * w - 1) / ((1 + 2 * b) * w + 1)


def net_gain_four_level(w, b=0.0, rho=0.0, theta=0.0):
    """An instant X_A → X_E; b is the lifetime of the terminal level, θ its occupation."""
    return ((1 - rho - b) * w - theta) / (1 + theta + (1 + b) * w)


def heated(scheme, **ratios):
    """Detailed balance with levels at the given occupations over the ground state or over X_E."""
    kT = float(units.thermal_energy_meV(300.0))
    energies = dict.fromkeys(scheme.levels, 0.0)
    energies |= {level: -kT * np.log(ratio) for level, ratio in ratios.items()}
    return kinetics.in_detailed_balance(scheme, energies, 300.0)


def rate_matrix(scheme, w):
    """K of dN/dt = K N, for a scheme without instant decays."""
    rates = [(step.source, step.target, 1 / step.time) for step in scheme.steps]
    rates += [(*scheme.pump, w), (*scheme.pump[::-1], w)]
    K = np.zeros((*w.shape, len(scheme.levels), len(scheme.levels)))
    for source, target, rate in rates:
        K[..., scheme.index(source), scheme.index(source)] -= rate
        K[..., scheme.index(target), scheme.index(source)] += rate
    return K


def test_two_level_never_gains():
    inversion = kinetics.net_gain(kinetics.two_level(), PUMPS)
    np.testing.assert_allclose(inversion, -1 / (1 + 2 * PUMPS), rtol=1e-12)
    assert (inversion < 0).all()
    assert kinetics.cw_threshold(kinetics.two_level()) == np.inf


@given(rho=strength)
@settings(max_examples=20, deadline=None)
def test_two_level_closed_form(rho):
    np.testing.assert_allclose(
        kinetics.net_gain(kinetics.two_level(), PUMPS, rho),
        net_gain_two_level(PUMPS, rho),
        atol=1e-12,
    )


@given(b=st.just(0.0) | ratio, rho=strength)
@settings(max_examples=40, deadline=None)
def test_three_level_closed_form_and_threshold(b, rho):
    scheme = kinetics.three_level(b)
    np.testing.assert_allclose(
        kinetics.net_gain(scheme, PUMPS, rho),
        net_gain_three_level(PUMPS, b, rho),
        atol=1e-10,
    )
    left = 1 - b - rho
    if abs(left) > 1e-6:
        expected = 1 / left if left > 0 else np.inf
        np.testing.assert_allclose(kinetics.cw_threshold(scheme, rho), expected, rtol=1e-6)


@given(b=st.floats(1e-5, 0.5), kappa=st.floats(1e-3, 1.0))
@settings(max_examples=30, deadline=None)
def test_thermal_back_transfer_adds_to_the_branching(b, kappa):
    np.testing.assert_allclose(
        kinetics.net_gain(heated(kinetics.three_level(b), X_A=kappa), PUMPS),
        net_gain_three_level(PUMPS, b + kappa),
        atol=1e-9,
    )


@given(b=st.just(0.0) | ratio, rho=strength)
@settings(max_examples=40, deadline=None)
def test_four_level_closed_form_and_threshold(b, rho):
    scheme = kinetics.four_level(b)
    np.testing.assert_allclose(
        kinetics.net_gain(scheme, PUMPS, rho),
        net_gain_four_level(PUMPS, b, rho),
        atol=1e-10,
    )
    left = 1 - b - rho
    if abs(left) > 1e-6:
        assert kinetics.cw_threshold(scheme, rho) == (0.0 if left > 0 else np.inf)


@given(
    b=st.floats(1e-5, 0.5),
    c=st.floats(1e-5, 0.5),
    theta=st.floats(1e-3, 0.9),
    kappa=st.floats(1e-3, 0.9),
    rho=strength,
)
@settings(max_examples=30, deadline=None)
def test_thermal_four_level_closed_form_and_threshold(b, c, theta, kappa, rho):
    # N(X_A) = (c + κ) N(X_E) and N(terminal) = b N(X_E) + θ N(ground).
    scheme = heated(kinetics.four_level(b, c), terminal=theta, X_A=kappa)
    up, low = PUMPS, 1 + (c + kappa) * PUMPS  # N(X_E) / N(ground) = up / low
    expected = ((1 - rho - b) * up - theta * low) / (up * (1 + b + c + kappa) + low * (1 + theta))
    np.testing.assert_allclose(kinetics.net_gain(scheme, PUMPS, rho), expected, atol=1e-9)
    left = 1 - rho - b - (c + kappa) * theta
    if abs(left) > 1e-6:
        found = kinetics.cw_threshold(scheme, rho)
        np.testing.assert_allclose(found, theta / left if left > 0 else np.inf, rtol=1e-6)


def test_four_level_slow_relaxation_lets_the_pump_drive_down():
    # N(X_A) = c N(X_E); the reverse pump then gives a denominator 1 + (1 + b + 2c) w.
    b, c = 0.2, 0.3
    np.testing.assert_allclose(
        kinetics.net_gain(kinetics.four_level(b, c), PUMPS),
        (1 - b) * PUMPS / (1 + (1 + b + 2 * c) * PUMPS),
        atol=1e-12,
    )


def test_five_level_is_a_chain():
    b, c, d = 0.1, 0.2, 0.05
    np.testing.assert_allclose(
        kinetics.net_gain(kinetics.five_level(b, c, d), PUMPS),
        (1 - b) * PUMPS / (1 + (1 + b + c + 2 * d) * PUMPS),
        atol=1e-12,
    )
    ideal = kinetics.net_gain(kinetics.five_level(), PUMPS)
    np.testing.assert_allclose(ideal, PUMPS / (1 + PUMPS), atol=1e-12)


def test_perfect_cancellation():
    three, four = kinetics.three_level(), kinetics.four_level()
    np.testing.assert_allclose(kinetics.net_gain(three, PUMPS, 1.0), -1 / (1 + PUMPS), rtol=1e-12)
    np.testing.assert_allclose(kinetics.net_gain(four, PUMPS, 1.0), 0.0, atol=1e-15)
    np.testing.assert_allclose(
        kinetics.net_gain(kinetics.two_level(), PUMPS, 1.0),
        -(1 + PUMPS) / (1 + 2 * PUMPS),
        rtol=1e-12,
    )
    assert kinetics.cw_threshold(three, 1.0) == np.inf
    assert kinetics.cw_threshold(four, 1.0) == np.inf


def test_instant_decay_is_the_limit_of_a_fast_one():
    for build in (kinetics.three_level, kinetics.four_level, kinetics.five_level):
        np.testing.assert_allclose(
            kinetics.steady_state(build(), PUMPS),
            kinetics.steady_state(build(1e-9), PUMPS),
            atol=1e-4,
        )


SCHEMES = {
    "2LS": kinetics.two_level(),
    "3LS": heated(kinetics.three_level(0.3), X_A=0.2),
    "4LS": heated(kinetics.four_level(0.2, 0.1), terminal=0.3, X_A=0.25),
    "5LS": heated(kinetics.five_level(0.2, 0.1, 0.15), terminal=0.3, X_A=0.4),
}


@pytest.mark.parametrize("name", SCHEMES)
def test_rates_move_excitons_and_lose_none(name):
    K = rate_matrix(SCHEMES[name], PUMPS)
    np.testing.assert_allclose(K.sum(axis=-2) / PUMPS.max(), 0, atol=1e-15)
    end = kinetics.steady_state(SCHEMES[name], PUMPS)
    np.testing.assert_allclose((K @ end[..., None])[..., 0] / PUMPS.max(), 0, atol=1e-12)


@pytest.mark.parametrize("name", SCHEMES)
def test_populations_are_fractions(name):
    N = kinetics.steady_state(SCHEMES[name], PUMPS[:, None] * np.ones((1, 2)))
    assert N.shape == (PUMPS.size, 2, len(SCHEMES[name].levels))
    assert (N >= -1e-14).all()
    np.testing.assert_allclose(N.sum(axis=-1), 1.0, atol=1e-12)


@given(
    stokes=st.floats(5.0, 150.0),
    fraction=st.floats(0.0, 1.0),
    b=st.floats(1e-5, 0.3),
    scheme=st.sampled_from(["3LS", "4LS", "5LS"]),
)
@settings(max_examples=30, deadline=None)
def test_gain_comes_back_below_the_strongest_esa_and_not_above(stokes, fraction, b, scheme):
    thermal = kinetics.thermal_scheme(scheme, stokes, 300.0, b, fraction)
    strongest = kinetics.strongest_esa(thermal)
    if strongest > 1e-4:
        below, above = kinetics.cw_threshold(thermal, strongest * np.array([1 - 1e-4, 1 + 1e-4]))
        assert np.isfinite(below)
        assert above == np.inf
    if strongest == 0:
        assert kinetics.cw_threshold(thermal) == np.inf


@given(b=st.floats(0.01, 0.5), kappa=st.floats(0.01, 0.9), theta=st.floats(0.01, 0.9), rho=strength)
@settings(max_examples=30, deadline=None)
def test_threshold_is_where_the_net_gain_vanishes(b, kappa, theta, rho):
    scheme = heated(kinetics.five_level(b, b, b), terminal=theta, X_A=kappa)
    threshold = float(kinetics.cw_threshold(scheme, rho))
    if np.isfinite(threshold) and threshold < 1e6:
        assert kinetics.net_gain(scheme, threshold, rho) == pytest.approx(0, abs=1e-9)
        assert kinetics.net_gain(scheme, 2 * threshold, rho) > 0
    elif threshold == np.inf:
        assert (kinetics.net_gain(scheme, PUMPS, rho) < 1e-9).all()


@given(
    name=st.sampled_from(["3LS", "4LS", "5LS"]),
    stokes=st.floats(1.0, 200.0),
    kelvin=st.floats(100.0, 600.0),
    fraction=st.floats(0.0, 1.0),
    branching=st.floats(1e-4, 10.0),
)
@settings(max_examples=60, deadline=None)
def test_without_a_pump_every_pair_of_levels_is_at_its_boltzmann_ratio(
    name, stokes, kelvin, fraction, branching
):
    # Energies of the levels as Fig 6a draws them, with the exciton's moved down to a few kT above
    # the terminal level, so that emission can have its thermal step up as well.
    gap = 2.0
    diagram = levels.level_diagram(name, Dot(stokes_shift_meV=stokes), 26.0, fraction)
    scheme = kinetics.thermal_scheme(name, stokes, kelvin, branching, fraction)
    kT = 8.61733e-5 * kelvin
    pump, emission = diagram.transition("pump"), diagram.transition("emission")
    energy = {"ground": 0.0, "terminal": emission.end[1], "X_E": emission.start[1]}
    if name == "5LS":
        energy["X_A"] = energy["X_E"] + 1e-3 * fraction * stokes
    energy[scheme.pump[1]] = pump.end[1]
    down = energy["X_E"] - energy[scheme.emission[1]] - gap * kT
    energy = {k: e - down if k.startswith("X") else e for k, e in energy.items()}
    up = kinetics.Step(scheme.emission[1], "X_E", np.exp(gap))
    in_equilibrium = replace(scheme, steps=(*scheme.steps, up))
    N = kinetics.steady_state(in_equilibrium, 0.0)
    expected = [-(energy[level] - energy["X_E"]) / kT for level in scheme.levels]
    found = np.log(N) - np.log(N[scheme.index("X_E")])
    np.testing.assert_allclose(found, expected, atol=1e-4)


def test_thermal_four_level_system_is_transparent_at_detailed_balance():
    # Displacement only: the terminal level lies at half the Stokes shift, and N(X_E)/N(ground) at
    # transparency is exp(-S/2kT), as for bands that obey Kennard and Stepanov's relation.
    stokes, temperature = 60.0, 300.0
    scheme = kinetics.thermal_scheme("4LS", stokes, temperature, 1e-6)
    N = kinetics.steady_state(scheme, kinetics.cw_threshold(scheme))
    ratio = N[scheme.index("X_E")] / N[scheme.index("ground")]
    assert ratio == pytest.approx(np.exp(-stokes / 2 / (0.0861733 * temperature)), rel=1e-4)


def test_refusals():
    with pytest.raises(ParameterError, match="levels are ground, exciton"):
        Scheme(
            ("ground", "exciton"),
            (Step("X", "ground", 1.0),),
            ("ground", "exciton"),
            ("ground", "exciton"),
        )
    with pytest.raises(ParameterError, match="finite number from 0"):
        kinetics.three_level(-1.0)
    with pytest.raises(ParameterError, match="pump_rate"):
        kinetics.steady_state(kinetics.two_level(), -0.1)
    with pytest.raises(ParameterError, match=r"X_A → X_E = 0 is not allowed: an instant step"):
        heated(kinetics.three_level(), X_A=0.5)
    with pytest.raises(ParameterError, match="esa_strength"):
        kinetics.net_gain(kinetics.two_level(), 1.0, -1.0)
    with pytest.raises(ParameterError, match="more than one steady state"):
        kinetics.steady_state(
            Scheme(("a", "b", "c"), (Step("b", "a", 1.0),), ("a", "b"), ("b", "a")), 1.0
        )
