"""Bands, populations and gain: limits and invariants that must always hold."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

import qdgain
from qdgain.model.bands import band_centres_eV, band_widths_meV, energy_window_eV
from qdgain.model.populations import (
    band_edge_excitons,
    highest_mean_excitons,
    incoherent_excitons,
    photons_per_fluence_cm2_mJ,
)
from strategies import STATISTICS, dots

BAND_FIELDS = qdgain.bands(qdgain.Dot(), 2.0)._fields


@given(dots(with_own_widths=True))
def test_bands_have_unit_peak_at_their_centres_and_the_stated_width(dot):
    for name, centre, sigma in zip(
        BAND_FIELDS, band_centres_eV(dot), band_widths_meV(dot), strict=True
    ):
        half = 1e-3 * sigma * np.sqrt(2 * np.log(2))
        at = qdgain.bands(dot, np.array([centre, centre - half, centre + half]))
        np.testing.assert_allclose(getattr(at, name), [1, 0.5, 0.5], rtol=1e-9)


def test_band_centres_follow_the_definitions():
    dot = qdgain.Dot(2.0, 80.0, 20.0, 5.0, 30.0, 12.0, 1.0, 1.0)
    centres = band_centres_eV(dot)
    np.testing.assert_allclose(
        [float(c) for c in centres], [2.0, 1.980, 1.995, 1.970, 1.968], rtol=0, atol=1e-12
    )


@given(st.floats(0, 2), STATISTICS)
def test_populations_are_probabilities_with_the_right_mean(mean, statistics):
    ground, exciton, biexciton = qdgain.populations(mean, statistics)
    for part in (ground, exciton, biexciton):
        assert -1e-15 <= part <= 1 + 1e-15
    assert ground + exciton + biexciton == pytest.approx(1, abs=1e-14)
    if statistics != "poisson":
        assert exciton + 2 * biexciton == pytest.approx(mean, abs=1e-14)
    else:
        assert band_edge_excitons(mean) == pytest.approx(exciton + 2 * biexciton)


def test_poisson_counts_every_pair_and_more_as_biexciton():
    mean = np.array([1e-9, 0.3, 2.0, 30.0])
    biexciton = qdgain.populations(mean, "poisson").biexciton
    k = np.arange(2, 150)
    expected = stats.poisson.pmf(k, mean[:, None]).sum(-1)
    np.testing.assert_allclose(biexciton, expected, rtol=1e-12)


@pytest.mark.parametrize(
    ("mean", "statistics"),
    [(-0.1, "rabi"), (2.1, "rabi"), (2.1, "sequential"), (np.nan, "rabi"), (-1, "poisson")],
)
def test_impossible_occupations_are_refused(mean, statistics):
    with pytest.raises(qdgain.ParameterError, match="mean_excitons"):
        qdgain.populations([0.5, mean], statistics)


@given(st.floats(1e-3, 10), st.floats(0, 2), STATISTICS)
def test_fluence_and_occupation_invert_each_other(pi_fluence, mean, statistics):
    fluence = qdgain.fluence_for_mean_excitons(mean, pi_fluence, statistics)
    back = qdgain.mean_excitons_after_pulse(fluence, pi_fluence, statistics)
    assert back == pytest.approx(mean, rel=1e-9, abs=1e-12)


@pytest.mark.parametrize("statistics", ["rabi", "poisson", "sequential"])
def test_all_laws_start_with_one_slope(statistics):
    fluence = 1e-9
    mean = qdgain.mean_excitons_after_pulse(fluence, 1.7, statistics)
    assert mean / fluence == pytest.approx(photons_per_fluence_cm2_mJ(1.7), rel=1e-8)


def test_rabi_occupation_is_two_at_a_pi_pulse_and_falls_beyond():
    mean = qdgain.mean_excitons_after_pulse([1.0, 1.2, 4.0], 1.0)
    np.testing.assert_allclose(mean[[0, 2]], [2, 0], atol=1e-14)
    assert mean[1] < 2


@given(dots(), STATISTICS)
def test_unpumped_dot_absorbs_its_absorption_band(dot, statistics):
    energy = energy_window_eV(dot, points=31)
    np.testing.assert_allclose(
        qdgain.gain(dot, energy, 0.0, statistics), -qdgain.bands(dot, energy).absorption, atol=1e-15
    )


@given(dots(), st.floats(0, 2), st.sampled_from(["rabi", "sequential"]))
def test_without_esa_the_gain_is_exactly_the_two_band_formula(dot, mean, statistics):
    dot = dot.uncorrelated()
    energy = energy_window_eV(dot, points=31)
    bands = qdgain.bands(dot, energy)
    n = mean / 2
    expected = n * bands.emission - (1 - n) * bands.absorption
    np.testing.assert_allclose(qdgain.gain(dot, energy, mean, statistics), expected, atol=1e-15)


@given(dots(), st.floats(0, 2), STATISTICS)
def test_nothing_changes_under_a_common_shift_of_all_energies(dot, mean, statistics):
    shifted = replace(dot, absorption_energy_eV=dot.absorption_energy_eV + 0.5)
    energy = energy_window_eV(dot, points=31)
    np.testing.assert_allclose(
        qdgain.gain(shifted, energy + 0.5, mean, statistics),
        qdgain.gain(dot, energy, mean, statistics),
        atol=1e-11,
    )


@given(dots(), st.floats(0.5, 2), st.floats(0, 2), STATISTICS)
def test_only_shifts_over_widths_count(dot, factor, mean, statistics):
    scaled = replace(dot, **{k: factor * v for k, v in dot.values().items() if k.endswith("_meV")})
    energy = energy_window_eV(dot, points=31)
    centre = dot.absorption_energy_eV
    np.testing.assert_allclose(
        qdgain.gain(scaled, centre + factor * (energy - centre), mean, statistics),
        qdgain.gain(dot, energy, mean, statistics),
        atol=1e-10,
    )


@given(dots(), st.floats(0, 2), STATISTICS)
def test_terms_sum_to_the_gain_and_have_their_signs(dot, mean, statistics):
    energy = energy_window_eV(dot, points=31)
    terms = qdgain.gain_terms(dot, energy, mean, statistics)
    np.testing.assert_allclose(sum(terms), qdgain.gain(dot, energy, mean, statistics), atol=1e-15)
    assert (terms.absorption <= 0).all()
    assert (terms.excited_state_absorption <= 0).all()
    assert (terms.exciton_emission >= 0).all()
    assert (terms.biexciton_emission >= 0).all()


@given(dots())
def test_full_dots_gain_the_biexciton_emission(dot):
    centre = band_centres_eV(dot).xx_emission
    assert qdgain.gain(dot, centre, 2.0) == pytest.approx(dot.xx_emission_strength, rel=1e-12)
    assert qdgain.largest_gain(dot) == dot.xx_emission_strength


@given(dots(), st.floats(0.01, 1.99))
def test_before_relaxation_the_exciton_emits_where_it_absorbs(dot, mean):
    energy = energy_window_eV(dot, points=31)
    bands = qdgain.bands(dot, energy)
    ground, exciton, biexciton = qdgain.populations(mean)
    expected = (
        -ground * bands.absorption
        + 0.5 * exciton * bands.absorption
        - 0.5 * exciton * dot.xx_absorption_strength * bands.unrelaxed_xx_absorption
        + dot.xx_emission_strength * biexciton * bands.xx_emission
    )
    got = qdgain.gain(dot, energy, mean, relaxed_fraction=0.0)
    np.testing.assert_allclose(got, expected, atol=1e-14)


@given(dots())
def test_exciton_share_is_one_at_low_and_zero_at_full_excitation(dot):
    energy = band_centres_eV(dot).xx_emission
    share = qdgain.exciton_share(dot, energy, [1e-6, 1.0, 2.0])
    assert 0 <= share[1] <= 1
    assert share[2] == 0
    if qdgain.bands(dot, energy).emission > 1e-3:
        assert share[0] == pytest.approx(1, abs=1e-2)


def test_poisson_has_no_highest_occupation():
    assert highest_mean_excitons("poisson") == np.inf
    assert highest_mean_excitons("rabi") == 2


@given(st.floats(0.01, 10.0), st.floats(0.1, 4.0))
def test_incoherent_saturation_absorbs_what_is_left(saturation, most):
    fluence = np.array([0.0, 1e-6, 0.5, 1.0, 50.0]) * saturation
    mean = incoherent_excitons(fluence, saturation, most)
    # dN/dJ = (h - N)/J_s: it starts like h J/J_s and never passes h.
    assert mean[0] == 0
    assert mean[1] == pytest.approx(1e-6 * most, rel=1e-5)
    assert np.all(np.diff(mean) > 0)
    left = most - mean
    assert left[3] == pytest.approx(left[2] ** 2 / most, rel=1e-9)
