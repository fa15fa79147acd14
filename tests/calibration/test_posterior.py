"""The posterior: its likelihood, how its convergence is judged, and what it says of a parameter."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from qdgain.beyond.information import readings
from qdgain.calibration import objective, posterior
from qdgain.calibration.readings import INDEX, TARGETS, Variant, half_digits, stated_numbers


@pytest.mark.slow
@given(st.floats(0.15, 2.0), st.floats(0.01, 0.2))
def test_the_probabilities_of_all_that_could_be_printed_sum_to_one(number, discrepancy):
    printed = np.arange(1, 120) * 0.1
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(posterior, "half_digits", lambda: np.array([0.05]))
        total = 0.0
        for x in printed:
            patch.setattr(posterior, "stated_numbers", lambda x=x: np.array([x]))
            total += np.exp(posterior.log_likelihood(np.array([number]), discrepancy))
    assert total == pytest.approx(1.0, abs=1e-6)


def test_likelihood_without_discrepancy_is_rounding_alone():
    stated, half = stated_numbers(), half_digits()
    assert posterior.log_likelihood(stated, 1e-4) == pytest.approx(0.0, abs=1e-9)
    for i in range(len(TARGETS)):
        beyond = stated.copy()
        beyond[i] += 1.1 * half[i]
        assert posterior.log_likelihood(beyond, 3e-5) < -100
        # Far in either tail the logarithm stays finite and falls.
        far, further = stated.copy(), stated.copy()
        far[i], further[i] = 30 * stated[i], 60 * stated[i]
        one, other = posterior.log_likelihood(np.array([far, further]))
        assert np.isfinite(one)
        assert other < one


def test_half_digits_are_those_that_the_paper_prints():
    half = dict(zip(TARGETS, half_digits(), strict=True))
    assert half["F8-3ls"] == pytest.approx(0.05)
    assert half["F9-4ls"] == pytest.approx(0.005)


@pytest.mark.parametrize("variant", readings().values(), ids=lambda v: v.name)
def test_fast_numbers_are_those_of_the_calibration(variant):
    random = np.random.default_rng(3)
    typical = np.array([0.45, 1.47, 0.75, 0.2, 2.6, 0.4, 0.5, -1.2, 5.6, 0.5, -3.0])
    full = np.tile(typical, (12, 1)) + 0.15 * random.standard_normal((12, 11))
    full = variant.full(np.stack([full[:, INDEX[name]] for name in variant.names], 1))
    fast = posterior.numbers_of(full, variant)
    np.testing.assert_allclose(fast, objective.predict(full, variant).numbers, rtol=3e-3)


def test_posterior_is_likelihood_within_the_bounds_and_nothing_beyond():
    variant = Variant()
    low, high = variant.bounds
    at = np.array([0.45, 1.47, 0.75, 0.2, 2.6, 0.4, 0.5, -1.2, 5.6, 0.5])
    points = np.tile(at, (3, 1))
    points[1, 2], points[2, 7] = high[2] + 0.01, low[7] - 0.01
    found = posterior.log_posterior(points, variant)
    exact = posterior.log_likelihood(objective.predict(variant.full(at), variant).numbers)
    assert found[0] == pytest.approx(float(exact[0]), abs=0.02)
    assert np.all(np.isneginf(found[1:]))
    hopeless = at.copy()
    hopeless[7] = low[7]
    assert np.isneginf(posterior.log_posterior(hopeless[None], variant))


def test_starts_are_draws_of_the_prior_and_spread():
    variant = Variant(coupling="one")
    low, high = variant.bounds
    start = posterior.overdispersed(variant, 40, 5)
    assert np.all((start >= low) & (start <= high))
    assert np.all(np.isfinite(posterior.log_posterior(start, variant)))
    assert len(np.unique(start[:, 0])) == 40
    assert not np.array_equal(start, posterior.overdispersed(variant, 40, 6))


@pytest.mark.slow
def test_sampler_finds_a_known_distribution(monkeypatch):
    pytest.importorskip("emcee")
    variant = Variant(coupling="one")
    low, high = variant.bounds
    middle, spread = 0.5 * (low + high), 0.05 * (high - low)

    def normal(free, *_):
        return -0.5 * np.sum(((free - middle) / spread) ** 2, axis=1)

    def anywhere(variant, walkers, seed, *_):
        return middle + 2 * spread * np.random.default_rng(seed).standard_normal((walkers, 7))

    monkeypatch.setattr(posterior, "log_posterior", normal)
    monkeypatch.setattr(posterior, "overdispersed", anywhere)
    found = posterior.sample(variant, 3, walkers=40, steps=600, dropped=200)
    assert found.chains.shape == (2, 400, 40, 7)
    error = spread / np.sqrt(found.independent.sum())
    np.testing.assert_array_less(np.abs(found.points.mean(axis=0) - middle), 4 * error)
    np.testing.assert_allclose(found.points.std(axis=0), spread, rtol=0.1)
    posterior.refuse_unconverged(found, "a normal distribution")
    again = posterior.sample(variant, 3, walkers=40, steps=600, dropped=200)
    np.testing.assert_array_equal(found.chains, again.chains)


def test_lost_walkers_start_anew_beside_others():
    position = np.random.default_rng(0).standard_normal((20, 3))
    log_posterior = np.where(np.arange(20) < 5, -500.0, -1.0)
    position[:5] += 100.0
    found = posterior._gathered(position, log_posterior, 1)
    np.testing.assert_array_equal(found[5:], position[5:])
    assert np.all(np.abs(found[:5]) < 10)


def sample_of(chains, autocorrelation=20.0):
    return posterior.Sample(
        chains, np.zeros(chains.shape[:3]), np.full(2, 0.2), np.full(2, autocorrelation)
    )


def test_split_rhat_and_its_refusal():
    chains = np.random.default_rng(1).standard_normal((2, 400, 50, 2))
    assert np.all(posterior.split_rhat(chains) < 1.001)
    posterior.refuse_unconverged(sample_of(chains), "two alike")
    shifted = chains.copy()
    shifted[1, ..., 0] += 1.0
    # Means of the halves 0, 0, 1, 1: a variance of 1/3 beside that of 1 within.
    assert posterior.split_rhat(shifted)[0] == pytest.approx(np.sqrt(4 / 3), abs=0.01)
    with pytest.raises(RuntimeError, match=r"shifted: split R̂ is 1\.1"):
        posterior.refuse_unconverged(sample_of(shifted), "shifted")
    drifting = chains + np.linspace(0, 2, 400)[None, :, None, None]
    assert posterior.split_rhat(drifting).min() > 1.1
    with pytest.raises(RuntimeError, match="independent"):
        posterior.refuse_unconverged(sample_of(chains, autocorrelation=400.0), "slow")


@given(st.floats(0.02, 0.15), st.floats(-50, 50), st.floats(0.1, 100))
def test_bits_of_a_normal_marginal_are_those_of_the_closed_form(width, low, scale):
    high, sigma = low + scale, width * scale
    points = 0.5 * (low + high) + sigma * np.random.default_rng(2).standard_normal(20_000)
    points = points[(points > low) & (points < high)]
    exact = np.log2(scale / (sigma * np.sqrt(2 * np.pi * np.e)))
    found = posterior.information_bits(points, low, high, len(points))
    assert found == pytest.approx(exact, abs=0.05)


def test_bits_of_flat_marginals():
    flat = np.random.default_rng(3).random(50_000)
    assert posterior.information_bits(flat, 0.0, 1.0, len(flat)) == pytest.approx(0, abs=2e-3)
    assert posterior.information_bits(flat, -1.0, 1.0, len(flat)) == pytest.approx(1, abs=0.05)
    assert posterior.information_bits(flat, -3.0, 5.0, len(flat)) == pytest.approx(3, abs=0.05)
