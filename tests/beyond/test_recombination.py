"""The ladder of excitons: Poisson without recombination, detailed balance in steady state."""

import numpy as np
import pytest
import scipy
from hypothesis import given, settings
from hypothesis import strategies as st

from qdgain.beyond.recombination import (
    MOST_EXCITONS,
    arrival_rate,
    at_band_edge,
    populations_in_time,
    radiative_ratios,
    recombination_rates,
)
from qdgain.model.dot import Dot
from qdgain.model.parameters import ParameterError
from qdgain.model.populations import populations
from qdgain.model.states import READINGS, states

TIME = np.linspace(-4.0, 16.0, 301)
#: Two excitons emit twice as fast as one.
TWO = (0.0, 1.0, 2.0)


@pytest.mark.parametrize(("pulse", "cooling"), [(0.1, 1.5), (1.0, 1.0), (5.0, 0.01)])
def test_arrivals_have_unit_area_and_the_delay_of_cooling(pulse, cooling):
    time = np.linspace(-5 * pulse, 5 * pulse + 40 * cooling, 40001)
    rate = arrival_rate(time, pulse, cooling)
    assert np.trapezoid(rate, time) == pytest.approx(1, abs=1e-6)
    assert np.trapezoid(rate * time, time) == pytest.approx(cooling, rel=1e-4)


def test_rates_are_those_of_collisions_of_three_carriers():
    rates = recombination_rates(10.0, [2.0, np.inf], TWO)
    assert rates.shape == (2, MOST_EXCITONS + 1)
    assert rates[0, :4] == pytest.approx([0, 0.1, 0.2 + 0.5, 0.3 + 9 / 4])
    assert rates[1] == pytest.approx(np.arange(MOST_EXCITONS + 1) / 10)


def test_without_recombination_a_pulse_leaves_poissons_populations():
    absorbed = np.linspace(0.01, 2.5, 20)
    rates = recombination_rates(np.inf, np.inf, TWO)
    ladder = populations_in_time(TIME, absorbed, arrival_rate(TIME, 1.0, 1.0), rates)
    found = at_band_edge(ladder[:, -1])
    for mine, poisson in zip(found.T, populations(absorbed, "poisson"), strict=True):
        assert mine == pytest.approx(poisson, abs=2e-3)


def test_steady_pumping_gives_the_product_of_the_rates():
    rates = recombination_rates(5.0, 0.5, TWO)
    time = np.geomspace(1e-3, 1e4, 400)
    ladder = populations_in_time(time, 0.8, np.ones_like(time), rates)[-1]
    ratios = np.cumprod([1.0, *(0.8 / rates[1:])])
    assert ladder == pytest.approx(ratios / ratios.sum(), rel=1e-6)


@pytest.mark.parametrize("auger", [0.05, 3.0])
def test_the_same_as_an_adaptive_solver_and_closer_with_shorter_steps(auger):
    rates = recombination_rates(50.0, auger, TWO)
    generator_down = np.diag(rates[1:], 1) - np.diag(rates)
    generator_up = np.diag(np.ones(MOST_EXCITONS), -1) - np.diag([*[1.0] * MOST_EXCITONS, 0.0])

    def slope(t, p):
        return (generator_down + 1.4 * arrival_rate(t, 1.0, 0.5) * generator_up) @ p

    start = np.eye(MOST_EXCITONS + 1)[0]
    exact = scipy.integrate.solve_ivp(
        slope, (TIME[0], TIME[-1]), start, "BDF", t_eval=TIME, rtol=1e-9, atol=1e-12, max_step=0.2
    ).y.T
    coarse, fine = (
        np.abs(
            populations_in_time(TIME[::every], 1.4, arrival_rate(TIME[::every], 1.0, 0.5), rates)
            - exact[::every]
        ).max()
        for every in (2, 1)
    )
    assert fine < 2e-3
    assert fine < coarse / 2.5, "not of second order"


@pytest.mark.slow
@given(st.integers(0, 2**32 - 1))
@settings(max_examples=5)
def test_populations_stay_populations_and_auger_only_takes_away(seed):
    random = np.random.default_rng(seed)
    absorbed, auger, lifetime, pulse = 10 ** random.uniform(-2, 1.3, (4, 30))
    arrivals = arrival_rate(TIME, 0.05 + pulse[:, None], 0.5)
    slow, fast = (
        populations_in_time(TIME, absorbed, arrivals, recombination_rates(lifetime, some, TWO))
        for some in (auger, auger / 2)
    )
    assert slow.sum(axis=-1) == pytest.approx(1, abs=1e-9)
    assert slow.min() > -1e-2
    excitons = np.arange(MOST_EXCITONS + 1)
    assert np.all(fast @ excitons <= slow @ excitons + 2e-2)


def test_many_dots_are_each_as_alone():
    absorbed, auger = np.array([[0.5], [2.0]]), np.array([0.5, 5.0, 50.0])
    arrivals = arrival_rate(TIME, 1.0, 1.0)
    together = populations_in_time(TIME, absorbed, arrivals, recombination_rates(20.0, auger, TWO))
    assert together.shape == (2, 3, TIME.size, MOST_EXCITONS + 1)
    alone = populations_in_time(TIME, 2.0, arrivals, recombination_rates(20.0, 5.0, TWO))
    assert together[1, 1] == pytest.approx(alone, rel=1e-12)


@pytest.mark.parametrize(("pulse", "cooling"), [(0.0, 1.0), (1.0, -1.0)])
def test_a_time_must_be_positive(pulse, cooling):
    with pytest.raises(ParameterError, match="above 0"):
        arrival_rate(TIME, pulse, cooling)


def test_arrivals_of_long_pulses_keep_their_digits():
    time = np.linspace(-2e6, 2e6, 4001)
    sigma = 1e6 / 2.3548200450309493
    expected = np.exp(-0.5 * (time / sigma) ** 2) / (sigma * np.sqrt(2 * np.pi))
    assert arrival_rate(time, 1e6, 0.01) == pytest.approx(expected, rel=1e-6)


def test_a_biexciton_alone_decays_with_its_auger_lifetime():
    rates = recombination_rates(np.inf, 7.0, TWO, most=2)
    ladder = populations_in_time(TIME, 1.5, arrival_rate(TIME, 0.5, 0.1), rates)
    after = ladder[TIME > 3]
    decay = after[:, 2] / after[0, 2]
    assert decay == pytest.approx(np.exp(-(TIME[TIME > 3] - TIME[TIME > 3][0]) / 7.0), rel=1e-3)


@pytest.mark.parametrize("reading", READINGS)
def test_a_biexciton_radiates_as_fast_as_it_emits_in_the_gain(reading):
    dot = Dot(
        reading=reading,
        xx_emission_strength=0.3,
        xx_emission_linewidth_meV=50.0,
        emissive_binding_meV=30.0,
    )
    emission = states(dot, np.linspace(-600.0, 400.0, 2001)).emission.sum(axis=-1)
    ratios = radiative_ratios(dot)
    assert ratios == pytest.approx(emission / emission[1])
    rates = recombination_rates(20.0, np.inf, ratios)
    assert rates[: ratios.size] == pytest.approx(ratios / 20.0)
    assert np.diff(rates)[ratios.size - 1 :] == pytest.approx(1 / 20.0)


@pytest.mark.parametrize("reading", ["replacing", "additive", "degenerate"])
def test_a_density_matrix_solver_gives_the_same_cascade(reading):
    qutip = pytest.importorskip("qutip")
    ratios = radiative_ratios(Dot(reading=reading, xx_emission_strength=0.4))
    rates = recombination_rates(5.0, 3.0, ratios, most=3)
    time = np.linspace(0.0, 12.0, 1201)
    fall = [np.sqrt(rates[k]) * qutip.basis(4, k - 1) * qutip.basis(4, k).dag() for k in (1, 2, 3)]
    number = [qutip.basis(4, k).proj() for k in range(4)]
    nothing = 0 * qutip.qeye(4)
    found = qutip.mesolve(nothing, qutip.basis(4, 3).proj(), time, fall, e_ops=number)
    generator = np.diag(rates[1:], 1) - np.diag(rates)
    start = np.eye(4)[3]
    exact = np.array([scipy.linalg.expm(generator * t) @ start for t in time[::100]])
    assert np.array(found.expect).T[::100] == pytest.approx(exact, abs=1e-5)
