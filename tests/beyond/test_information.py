"""The chapter on what the numbers pin down: its stored result, its words, runs of one's own."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from qdgain.beyond.information import (
    DEFAULT,
    POSTERIORS,
    RIVALS,
    information_bits,
    posterior_ranges,
    readings,
    rival_key,
)
from qdgain.beyond.measurements import KEYS, MEASUREMENTS, PROBABILITIES
from qdgain.beyond.sensitivity import INPUTS, OUTPUTS
from qdgain.calibration.evidence import EFFECTIVE
from qdgain.calibration.rows import SCHEMES
from qdgain.figures import information as chapter
from qdgain.figures import next_measurement
from qdgain.run import resolve
from qdgain.stored import stored

PAPER = resolve(chapter.SETTINGS, {})


def numbers(run=PAPER):
    return {row.key: row.value for row in chapter.headlines(run)}


def test_every_rival_differs_from_the_default_in_one_respect():
    for respect, rivals in RIVALS.items():
        assert DEFAULT in rivals.values()
        for name, row in rivals.items():
            differing = {
                key
                for key, field in (
                    ("statistics", "statistics"),
                    ("definition", "threshold"),
                    ("reading", "name"),
                )
                if getattr(row, field) != getattr(DEFAULT, field)
            }
            assert differing <= {respect}
            assert rival_key(respect, row) in readings()
            assert name in row.label
    # Three laws and two definitions share the default; the readings have their stored points.
    assert len(readings()) == 4 + len(RIVALS["reading"])


def test_stored_posteriors_have_enough_points():
    assert min(stored("information")["effective"].values()) >= 0.5 * EFFECTIVE


def test_stored_points_lie_within_the_prior_and_the_posteriors_quantiles():
    result = stored("information")
    free = np.array(result["points"]["free"])
    low, high = DEFAULT.ranges()
    assert np.all((free >= low) & (free <= high))
    for i, name in enumerate(DEFAULT.names):
        ends = result["posteriors"]["main"]["quantiles"][name]
        inside = np.mean((free[:, i] > ends[0]) & (free[:, i] < ends[2]))
        assert inside == pytest.approx(0.9, abs=0.06)


@pytest.mark.parametrize("which", POSTERIORS)
def test_stored_densities_are_densities_and_give_the_bits(which):
    found = stored("information")["posteriors"][which]
    for name in DEFAULT.names:
        density = np.array(found["density"][name])
        assert density.mean() == pytest.approx(1.0, abs=0.01)
        filled = density[density > 0]
        coarse = np.sum(filled * np.log2(filled)) / density.size
        # Wider bins tell less; bins that are too narrow would see patterns in noise.
        few = 0.2 if which == "conditions" else 0.0
        # What lies in a bin or two may be narrower than these.
        narrow = 0.25 if found["bits"][name] > np.log2(density.size) - 1 else 0.0
        assert coarse - 0.2 - few < found["bits"][name] < coarse + 0.25 + few + narrow


def test_narrower_assumptions_tell_more():
    posteriors = stored("information")["posteriors"]
    total = {which: sum(posteriors[which]["bits"].values()) for which in POSTERIORS}
    assert total["loose"] < total["main"] < total["tight"]
    assert total["main"] < total["conditions"]


def test_stored_predictions_are_quantiles():
    for row in stored("information")["readings"].values():
        for scheme in SCHEMES:
            found = np.array(row["predictive"][scheme]["quantiles"])
            assert found.shape == (len(KEYS), len(PROBABILITIES))
            assert np.all(np.diff(found, axis=1) >= 0)
            assert np.all(np.array(row["predictive"][scheme]["variance"]) >= 0)


def test_information_is_bounded_by_that_of_a_normal_quantity():
    from_nested = stored("information")["nested"]
    for scheme in SCHEMES:
        variance = next_measurement._predictive(DEFAULT.label, scheme)[1]
        bits = next_measurement.expected_bits(scheme)
        for i, measurement in enumerate(MEASUREMENTS):
            most = 0.5 * np.log2(1 + variance[i] / measurement.precision**2)
            assert bits[i, 0] <= most + 0.1
            assert bits[i, 0] == pytest.approx(from_nested[scheme][i], abs=0.15)
        for j, rivals in enumerate(RIVALS.values(), start=1):
            assert np.all(bits[:, j] <= np.log2(len(rivals)) + 1e-6)
            assert np.all(bits[:, j] > -1e-3)


def test_the_proposed_measurement_is_the_best_and_the_conclusion_says_so():
    bits = next_measurement.expected_bits("3ls")[:, 0]
    assert KEYS[int(np.argmax(bits))] == next_measurement.PROPOSED
    text = str(next_measurement.Conclusion(PAPER))
    assert MEASUREMENTS[KEYS.index(next_measurement.PROPOSED)].name in text
    found = numbers()
    assert found[f"information-rank-{next_measurement.PROPOSED}"] == 1
    assert found["information-best"] == pytest.approx(bits.max())
    assert found["information-best-halved"] > found["information-best"]
    assert found["information-best-doubled"] < found["information-best"]
    # Said in words: in the 4LS the shift of the spike tells more.
    four = dict(zip(KEYS, next_measurement.expected_bits("4ls")[:, 0], strict=True))
    assert four["spike-shift"] > four[next_measurement.PROPOSED]


def test_the_conclusion_follows_the_precision():
    coarse = resolve(chapter.SETTINGS, {"precision_factor": 10.0})
    assert str(next_measurement.Conclusion(coarse)) != str(next_measurement.Conclusion(PAPER))
    assert numbers(coarse)["information-best"] < 0.5 * numbers()["information-best"]
    table = next_measurement.Candidates(coarse)._repr_html_()
    assert "100 %" in table
    assert table.count("<tr>") == len(MEASUREMENTS) + 1


def test_ranges_of_the_posterior_hold_its_middle():
    quantiles = stored("information")["posteriors"]["main"]["quantiles"]
    for scheme in SCHEMES:
        low, high = posterior_ranges(quantiles, scheme)
        found = stored("information")["sobol"][f"{scheme}, posterior"]
        np.testing.assert_allclose(low, found["low"], rtol=2e-3, atol=1e-3)
        np.testing.assert_allclose(high, found["high"], rtol=2e-3, atol=1e-3)


def test_indices_of_the_ideal_threshold_know_nothing_of_the_biexciton():
    for scheme, ranges in chapter.SOBOL_MAPS:
        found = chapter.stored_indices(stored("information"), scheme, ranges)
        for key in ("threshold", "onset", "ase"):
            row = [output.key for output in OUTPUTS].index(key)
            biexciton = [INPUTS.index(name) for name in INPUTS[1:5]]
            np.testing.assert_allclose(found.total[row, biexciton], 0, atol=1e-6)


@given(st.floats(0.02, 0.15), st.floats(-50, 50), st.floats(0.1, 100))
def test_bits_of_a_normal_marginal_are_those_of_the_closed_form(width, low, scale):
    high, sigma = low + scale, width * scale
    points = 0.5 * (low + high) + sigma * np.random.default_rng(2).standard_normal(20_000)
    points = points[(points > low) & (points < high)]
    exact = np.log2(scale / (sigma * np.sqrt(2 * np.pi * np.e)))
    found = information_bits(points, low, high, len(points))
    assert found == pytest.approx(exact, abs=0.05)


def test_bits_of_flat_marginals():
    flat = np.random.default_rng(3).random(50_000)
    assert information_bits(flat, 0.0, 1.0, len(flat)) == pytest.approx(0, abs=2e-3)
    assert information_bits(flat, -1.0, 1.0, len(flat)) == pytest.approx(1, abs=0.05)
    assert information_bits(flat, -3.0, 5.0, len(flat)) == pytest.approx(3, abs=0.05)


@pytest.mark.slow
@pytest.mark.parametrize(
    "given",
    [
        {"stokes_shift_meV": 0.0},
        {"absorptive_binding_meV": 0.0, "emissive_binding_meV": 0.0, "gain_exponent": 0.0},
        {"xx_absorption_strength": 4.0, "xx_emission_strength": 0.0, "statistics": "sequential"},
        {"floor": 1.0, "statistics": "poisson", "varied_by": 0.5},
        {
            "linewidth_meV": 1.0,
            "emission_linewidth_meV": 3.0,
            "stokes_shift_meV": 1000.0,
            "precision_factor": 0.1,
        },
    ],
    ids=str,
)
def test_extreme_runs_give_figures_and_numbers(given):
    run = resolve(chapter.SETTINGS, given)
    assert len(numbers(run)) == len(numbers())
    for figure in chapter.FIGURES.values():
        figure.draw(figure.panels(run))


def test_a_dot_of_ones_own_has_its_own_elasticities():
    run = resolve(chapter.SETTINGS, {"stokes_shift_meV": 60.0})
    key = "information-elasticity-threshold-esa-s"
    assert numbers(run)[key] != pytest.approx(numbers()[key])
    map_of_yours = chapter.local(run)[0]
    assert map_of_yours.title.endswith("your dot")
