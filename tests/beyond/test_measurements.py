"""Candidate measurements: closed forms of what they tell, bounds, and a second estimate."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from qdgain.beyond import measurements, sensitivity
from qdgain.beyond.information import best_dot, best_inputs
from qdgain.beyond.measurements import KEYS, MEASUREMENTS, PROBABILITIES
from qdgain.model.dot import presets
from qdgain.model.film import ase_threshold
from qdgain.model.populations import populations


def flat(low, high):
    return low + (high - low) * PROBABILITIES


def of_normal(middle, sigma):
    """Quantiles of a normal distribution, cut where one in a thousand lies beyond."""
    return middle + sigma * stats.norm.ppf(np.clip(PROBABILITIES, 5e-4, 1 - 5e-4))


@given(st.floats(-100, 100), st.floats(0.2, 20), st.floats(0.01, 10))
def test_bits_of_a_normal_quantity_are_those_of_the_closed_form(middle, ratio, sigma):
    found = measurements.parameter_bits(of_normal(middle, ratio * sigma), sigma)
    assert found == pytest.approx(measurements.normal_bits((ratio * sigma) ** 2, sigma), abs=0.06)


@settings(max_examples=12)
@given(st.floats(30, 1000))
def test_bits_of_a_wide_flat_quantity_count_what_can_be_told_apart(width):
    exact = np.log2(width / np.sqrt(2 * np.pi * np.e))
    # Each end is blurred: by 2.6 nats over the width at most, both together.
    found = measurements.parameter_bits(flat(0, width), 1.0)
    assert exact < found < exact + 2.6 / width / np.log(2)


SAMPLES = st.lists(st.floats(-10, 10), min_size=5, max_size=40)


@settings(max_examples=40)
@given(SAMPLES, st.floats(0.05, 5))
def test_bits_are_between_nothing_and_those_of_a_normal_quantity(points, sigma):
    quantiles = np.quantile(points, PROBABILITIES)
    # The variance of what the quantiles stand for: flat between each two.
    ends = np.stack([quantiles[:-1], quantiles[1:]])
    middle, width = ends.mean(axis=0), np.diff(ends, axis=0)[0]
    variance = float(np.mean(middle**2 + width**2 / 12) - np.mean(middle) ** 2)
    found = measurements.parameter_bits(quantiles, sigma)
    assert -1e-3 < found <= measurements.normal_bits(variance, sigma) + 2e-3
    assert found >= measurements.parameter_bits(quantiles, 2 * sigma) - 2e-3


def test_nested_sampling_agrees():
    random = np.random.default_rng(0)
    for values in (random.standard_normal(1500), random.random(1500)):
        exact = measurements.parameter_bits(np.quantile(values, PROBABILITIES), 0.2)
        assert measurements.nested_bits(values, 0.2, random) == pytest.approx(exact, abs=0.08)


def test_bits_of_a_known_quantity_are_none():
    known = np.full(PROBABILITIES.size, 3.0)
    assert measurements.parameter_bits(known, 0.5) == pytest.approx(0, abs=1e-3)
    assert measurements.normal_bits(0.0, 0.5) == 0


@pytest.mark.parametrize("rivals", [2, 3, 5])
def test_readings_far_apart_are_told_apart_and_alike_ones_not(rivals):
    apart = [of_normal(30.0 * i, 1.0) for i in range(rivals)]
    assert measurements.reading_bits(apart, 1.0) == pytest.approx(np.log2(rivals), abs=1e-3)
    alike = [of_normal(0.0, 1.0)] * rivals
    assert measurements.reading_bits(alike, 1.0) == pytest.approx(0, abs=1e-6)
    near = [of_normal(1.5 * i, 1.0) for i in range(rivals)]
    found = measurements.reading_bits(near, 1.0)
    assert 0 < found < np.log2(rivals)
    assert measurements.reading_bits(near[::-1], 1.0) == pytest.approx(found, abs=1e-6)
    assert measurements.reading_bits(near, 3.0) < found


@given(st.floats(0, 2), st.floats(0.5, 3))
def test_expected_bayes_factor_of_two_normals(apart, sigma):
    found = measurements.expected_log_bayes_factor(
        of_normal(0.0, 1.0), of_normal(apart, 1.0), sigma
    )
    exact = 0.5 * apart**2 / (1 + sigma**2)
    # The outermost quantiles stand for thin tails, which the rival's likelihood feels.
    assert found == pytest.approx(exact, rel=0.12, abs=0.01)
    assert found >= -1e-9


def test_expected_bayes_factor_of_flat_and_shifted_noise_alone():
    """Known values: two normal likelihoods, (μ₁ - μ₂)²/2σ²."""
    known = np.zeros(PROBABILITIES.size)
    for apart in (0.5, 2.0, 4.0):
        found = measurements.expected_log_bayes_factor(known, known + apart, 1.0)
        assert found == pytest.approx(0.5 * apart**2, rel=0.01)


@pytest.fixture(scope="module")
def shown():
    random = np.random.default_rng(4)
    inputs = best_inputs("3ls") * (1 + 0.1 * random.uniform(-1, 1, (12, 9)))
    dot = sensitivity.dots_of(inputs, best_dot("3ls"))
    found = {
        statistics: dict(
            zip(
                KEYS,
                measurements.predicted(dot, inputs[:, 6], inputs[:, 7], statistics).T,
                strict=True,
            )
        )
        for statistics in ("rabi", "sequential", "poisson")
    }
    return inputs, dot, found


def test_predictions_are_what_they_are_called(shown):
    inputs, _, found = shown
    rabi = found["rabi"]
    for key, i in (("stokes", 0), ("absorptive", 1), ("emissive", 2)):
        np.testing.assert_array_equal(rabi[key], inputs[:, i])
    np.testing.assert_allclose(np.exp(rabi["strength"]), inputs[:, 3])
    # In the replacing reading a full dot has a biexciton, whose emission alone is left.
    np.testing.assert_allclose(np.exp(rabi["full-gain"]), inputs[:, 4], rtol=1e-3)
    assert np.all(found["poisson"]["full-gain"] < rabi["full-gain"])
    base = best_dot("3ls")
    thresholds = sensitivity.gain_outputs(np.c_[inputs[:, :8], np.full(12, 0.01)], base=base)
    np.testing.assert_allclose(np.exp(rabi["maximum"]), thresholds[:, 1])
    np.testing.assert_allclose(np.exp(rabi["onset"]), thresholds[:, 3], rtol=1e-6)
    film = sensitivity.film_outputs(inputs, base=base)
    np.testing.assert_allclose(rabi["spike"], film[:, 2], atol=1e-3)
    np.testing.assert_allclose(rabi["spike-shift"], film[:, 3], atol=1e-3)


def test_pumped_above_the_gap_poisson_statistics_are_themselves(shown):
    _, _, found = shown
    np.testing.assert_allclose(found["poisson"]["above-gap"], 0, atol=1e-12)
    assert np.all(found["rabi"]["above-gap"] > 0)


def test_excited_fractions_are_those_of_the_laws(shown):
    inputs, _, found = shown
    area = measurements.SATURATION_FLUENCE / inputs[:, 7]
    p = np.sin(0.5 * np.pi * np.sqrt(area)) ** 2
    np.testing.assert_allclose(found["rabi"]["saturation"], 1 - (1 - p) ** 2)
    np.testing.assert_allclose(found["sequential"]["saturation"], np.minimum(2 * p, 1))
    np.testing.assert_allclose(found["poisson"]["saturation"], 1 - np.exp(-0.5 * np.pi**2 * area))


def test_a_longer_stripe_has_a_lower_threshold(shown):
    inputs, dot, found = shown
    assert np.all(found["rabi"]["length"] < 0)
    short, long = (
        ase_threshold(dot, n * inputs[:, 6], inputs[:, 7]).fluence_mJ_cm2 for n in (1, 2)
    )
    np.testing.assert_allclose(np.exp(found["rabi"]["length"]), long / short, rtol=1e-6)


@pytest.mark.parametrize("statistics", ["rabi", "poisson"])
def test_gain_at_one_exciton_is_the_largest_of_the_spectrum(statistics, shown):
    _, replacing, found = shown
    preset = presets()["3LS+ESA"]
    additive = sensitivity.dots_of(sensitivity.inputs_of(preset, 264.3, 1.646, 0.01)[None], preset)
    assert (preset.reading, replacing.reading) == ("additive", "replacing")
    of_preset = measurements.predicted(additive, np.array([264.3]), np.array([1.646]), statistics)
    of_preset = of_preset[0, KEYS.index("single-gain")]
    assert of_preset == pytest.approx(largest_by_hand(additive, 0, statistics, 1.0), abs=1e-4)
    for k in (0, 7):
        of_row = found[statistics]["single-gain"][k]
        assert of_row == pytest.approx(largest_by_hand(replacing, k, statistics, 0.0), abs=1e-4)


def largest_by_hand(dot, k, statistics, beside):
    """Return the largest gain at one exciton per dot, term by term.

    `beside` is how much of the second absorption X leaves, and of ESA a full dot has.
    """
    energy = np.linspace(1.5, 2.3, 4001)
    p0, p1, p2 = populations(1.0, statistics)

    def band(centre_eV):
        return np.exp(-0.5 * ((energy - centre_eV) * 1e3 / (dot.linewidth_meV[k] / FWHM)) ** 2)

    emission = 2.0 - 1e-3 * dot.stokes_shift_meV[k]
    esa = dot.xx_absorption_strength[k] * band(2.0 - 1e-3 * dot.absorptive_binding_meV[k])
    of_xx = dot.xx_emission_strength[k] * band(emission - 1e-3 * dot.emissive_binding_meV[k])
    of_x = 0.5 * (band(emission) - esa - beside * band(2.0))
    return np.max(-p0 * band(2.0) + p1 * of_x + p2 * (of_xx - beside * esa))


FWHM = 2 * np.sqrt(2 * np.log(2))


def test_every_precision_says_where_it_comes_from():
    for measurement in MEASUREMENTS:
        assert measurement.precision > 0
        kind, _, reason = measurement.origin.partition(": ")
        assert kind in ("assumed", "literature")
        assert len(reason) > 20
        assert (kind == "literature") == ("DOI 10." in reason)
    assert len(set(KEYS)) == len(KEYS)
