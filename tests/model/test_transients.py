"""Closed forms against numerical convolution and integration, and limits of the transients."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.integrate import solve_ivp

from qdgain import Dot, ParameterError, gain, gain_terms, presets
from qdgain.model import transients
from qdgain.model.units import sigma_from_fwhm

lifetime = st.floats(0.05, 50.0)


def convolved_numerically(time, values, grid, fwhm):
    """Convolve values on a fine grid with a Gaussian, read at the times."""
    step = grid[1] - grid[0]
    sigma = sigma_from_fwhm(fwhm)
    kernel = np.exp(-0.5 * (np.subtract.outer(time, grid) / sigma) ** 2)
    weights = np.full(grid.size, step)
    weights[[0, -1]] *= 0.5
    return kernel @ (values * weights) / (sigma * np.sqrt(2 * np.pi))


@given(tau=lifetime, fwhm=st.floats(0.2, 5.0))
@settings(max_examples=30, deadline=None)
def test_closed_form_is_the_convolution(tau, fwhm):
    time = np.linspace(-3 * fwhm, 5 * fwhm, 9)
    grid = np.linspace(0, 5 * fwhm + 6 * fwhm, 40001)
    expected = convolved_numerically(time, np.exp(-grid / tau), grid, fwhm)
    np.testing.assert_allclose(
        transients.convolved_decay(time, tau, fwhm), expected, rtol=1e-4, atol=1e-9
    )


def test_limits_of_the_convolved_decay():
    time = np.array([0.5, 1.0, 4.0])
    np.testing.assert_allclose(
        transients.convolved_decay(time, 2.0, 1e-4), np.exp(-time / 2), rtol=1e-6
    )
    assert transients.convolved_decay(0.0, np.inf, 3.0) == pytest.approx(0.5)
    # A decay much shorter than the response has the response's shape and its own lifetime as area.
    short = transients.convolved_decay(time, 1e-5, 3.0)
    sigma = sigma_from_fwhm(3.0)
    expected = 1e-5 * np.exp(-0.5 * (time / sigma) ** 2) / (sigma * np.sqrt(2 * np.pi))
    np.testing.assert_allclose(short, expected, rtol=1e-4)


@given(times=st.lists(lifetime, min_size=2, max_size=3))
@settings(max_examples=25, deadline=None)
def test_cascade_is_the_solution_of_its_rate_equations(times):
    k = 1 / np.array(times)
    time = np.linspace(0.1, 3 * max(times), 7)

    def rates(_, N):
        flow = k * N
        return np.concatenate([[-flow[0]], flow[:-1] - flow[1:]])

    start = np.zeros(k.size)
    start[0] = 1
    found = solve_ivp(
        rates, (0, time[-1]), start, t_eval=time, method="LSODA", rtol=1e-9, atol=1e-12
    )
    closed = transients.cascade(time, tuple(times), 1e-4)
    np.testing.assert_allclose(closed, found.y, atol=1e-3)


def test_equal_lifetimes_do_not_divide_by_zero():
    time = np.array([0.5, 1.0, 3.0])
    first, second = transients.cascade(time, (1.0, 1.0), 1e-4)
    np.testing.assert_allclose(first, np.exp(-time), rtol=1e-4)
    np.testing.assert_allclose(second, time * np.exp(-time), rtol=1e-3)


@given(times=st.lists(lifetime, min_size=2, max_size=3), fwhm=st.floats(0.05, 5.0))
@settings(max_examples=25, deadline=None)
def test_cascade_conserves_excitons_when_the_last_state_lasts(times, fwhm):
    time = np.linspace(-5, 60, 31)
    populations = transients.cascade(time, (*times, np.inf), fwhm)
    step = transients.convolved_decay(time, np.inf, fwhm)
    np.testing.assert_allclose(populations.sum(axis=0), step, atol=1e-6)
    assert populations.min() > -1e-6


FIXED = {
    "dot": presets()["3LS"],
    "relaxation_time_fs": 500.0,
    "exciton_lifetime_ns": 20.0,
    "response_fwhm_ps": 3.0,
}


@pytest.mark.parametrize("cooling", [1.0, 2.0])
def test_cooling_time_comes_back_without_noise(cooling):
    time = np.linspace(-8, 20, 141)
    signal = transients.photoluminescence(time, cooling_time_ps=cooling, **FIXED)
    fit = transients.recovered_cooling_time(time, signal, noise=0.01, **FIXED)
    assert fit.cooling_time_ps == pytest.approx(cooling, rel=1e-4)


@pytest.mark.slow
def test_standard_error_of_the_cooling_time_is_its_scatter():
    time = np.linspace(-8, 20, 141)
    signal = transients.photoluminescence(time, cooling_time_ps=1.5, **FIXED)
    fits = [
        transients.recovered_cooling_time(
            time, transients.with_noise(signal, 0.02, seed), noise=0.02, **FIXED
        )
        for seed in range(30)
    ]
    values, errors = np.array(fits).T
    assert values.mean() == pytest.approx(1.5, abs=4 * values.std() / np.sqrt(30))
    # 30 draws give a standard deviation to about 13 %; three of those.
    assert errors.mean() == pytest.approx(values.std(ddof=1), rel=0.4)


def test_noise_is_repeatable_and_of_the_size_asked_for():
    time = np.linspace(-8, 20, 4001)
    signal = transients.photoluminescence(time, cooling_time_ps=1.5, **FIXED)
    once, again = (transients.with_noise(signal, 0.05, 3) for _ in range(2))
    np.testing.assert_array_equal(once.hot, again.hot)
    spread = np.std(once.band_edge - signal.band_edge) / signal.band_edge.max()
    assert spread == pytest.approx(0.05, rel=0.05)


def test_relaxed_fraction_without_pulse_width():
    time = np.array([100.0, 500.0, 2000.0])
    np.testing.assert_allclose(
        transients.relaxed_fraction(time, 500.0, 0.1), 1 - np.exp(-time / 500), atol=1e-6
    )


def test_build_up_needs_a_stokes_shift():
    time = np.linspace(300, 3000, 10)
    two_level = Dot(stokes_shift_meV=0.0)
    centre = float(two_level.absorption_energy_eV)
    np.testing.assert_allclose(
        transients.emission_build_up(time, two_level, centre, 500, 100), 1.0, atol=1e-6
    )
    shifted = Dot(stokes_shift_meV=300.0, linewidth_meV=60.0)
    np.testing.assert_allclose(
        transients.emission_build_up(time, shifted, centre - 0.3, 500, 100),
        transients.relaxed_fraction(time, 500, 100),
        atol=1e-6,
    )


def test_build_up_is_the_exciton_emission_of_the_gain():
    dot, energy, time = presets()["4LS"], np.array([1.9, 1.95]), 700.0
    f = float(transients.relaxed_fraction(time, 500.0, 1.0))
    from_gain = gain_terms(dot, energy, 0.5, relaxed_fraction=f).exciton_emission
    relaxed = gain_terms(dot, energy, 0.5).exciton_emission
    build_up = transients.emission_build_up(time, dot, energy, 500.0, 1.0)
    np.testing.assert_allclose(build_up, from_gain / relaxed, rtol=1e-9)


TA = {
    "pumped_fraction": 0.3,
    "rise_fs": 200.0,
    "decay_ps": 1.0,
    "relaxation_time_fs": 500.0,
    "exciton_lifetime_ns": 1e6,
    "hot_binding_meV": 20.0,
    "hot_width_ratio": 1.5,
    "pulse_fwhm_fs": 100.0,
}
ENERGY = np.linspace(1.75, 2.25, 251)


@pytest.mark.parametrize("name", ["3LS", "3LS+ESA", "4LS", "4LS+ESA"])
def test_late_transient_absorption_is_the_model_s_gain(name):
    dot = presets()[name]
    late = transients.transient_absorption(ENERGY, 50.0, dot, **TA)
    absorption = -gain(dot, ENERGY, 0.0)
    expected = -gain(dot, ENERGY, 0.3, "sequential") - absorption
    np.testing.assert_allclose(late.total, expected, atol=1e-6)


def test_nothing_before_the_pump_and_shapes():
    time = np.array([-2.0, 0.0, 1.0])
    parts = transients.transient_absorption(ENERGY, time, presets()["3LS+ESA"], **TA)
    assert parts.total.shape == (ENERGY.size, 3)
    assert np.abs(parts.total[:, 0]).max() < 1e-12
    assert (parts.ground_state_bleach <= 0).all()
    assert (parts.stimulated_emission <= 0).all()
    assert (parts.excited_state_absorption >= 0).all()


def test_induced_absorption_on_both_sides_needs_a_broader_band():
    dot = Dot(
        stokes_shift_meV=20.0, absorptive_binding_meV=20.0, xx_absorption_strength=1.0
    )  # no induced absorption at late times

    def largest(ratio):
        settings_ = TA | {"hot_width_ratio": ratio}
        early = transients.transient_absorption(ENERGY, 0.5, dot, **settings_).total
        return early[ENERGY < 1.98].max(), early[ENERGY > 2.0].max()

    red, blue = largest(1.5)
    assert min(red, blue) > 1e-3
    red, blue = largest(1.0)
    assert red > 0.01
    assert blue < 0


def test_apparent_times_are_the_cascade_s_where_nothing_else_changes():
    time = np.linspace(-1, 8, 361)
    hot = transients.cascade(time, (0.2, 1.0), 0.1)[1]
    found = transients.apparent_times(time, 0.02 * hot, 100.0)
    assert found.rise_fs == pytest.approx(200, rel=1e-3)
    assert found.decay_ps == pytest.approx(1.0, rel=1e-3)


def test_refusals():
    with pytest.raises(ParameterError, match="lifetime"):
        transients.convolved_decay(1.0, 0.0, 1.0)
    with pytest.raises(ParameterError, match="response_fwhm"):
        transients.convolved_decay(1.0, 1.0, 0.0)


@pytest.mark.parametrize(("first", "second"), [(0.2, 1.0), (1.0, 0.2), (0.5, 0.5)])
def test_second_state_of_a_cascade_is_fullest_where_it_says(first, second):
    time = np.linspace(0.01, 3.0, 3000)
    filled = transients.cascade(time, (first, second), 1e-4)[1]
    assert transients.fullest_second_state(first, second) == pytest.approx(
        time[filled.argmax()], abs=2e-3
    )


def test_extremes_lie_on_their_sides_of_the_bleach():
    energy = np.linspace(-1, 1, 201)
    signal = 0.3 * np.exp(-(((energy + 0.5) / 0.1) ** 2)) - np.exp(-((energy / 0.1) ** 2))
    signal += 0.5 * np.exp(-(((energy - 0.4) / 0.1) ** 2))
    found = energy[list(transients.around_bleach(signal))]
    np.testing.assert_allclose(found, [-0.5, 0.0, 0.4], atol=0.011)
    monotonous = transients.around_bleach([0.0, 1.0, 2.0])
    assert monotonous == (0, 0, 2)
