"""Every reading of the paper: what its states are, where its gain begins and where it ends."""

import math
from dataclasses import replace

import numpy as np
import pytest
import scipy
from hypothesis import given
from hypothesis import strategies as st

import qdgain
from bench.dots import of_the_whole_contract, usual
from qdgain.model import states as of_states
from qdgain.model.bands import energy_window_eV
from qdgain.model.film import ase_threshold, spontaneous_spectrum
from qdgain.model.gain import gain_maximum_meV
from qdgain.model.parameters import CONTRACT, ParameterError
from qdgain.model.threshold import threshold_end_at_energy
from qdgain.model.threshold import threshold_onset as plain_onset
from strategies import STATISTICS, dots

LAWS = ("rabi", "poisson", "sequential")
READINGS = CONTRACT["reading"].choices
MIXED = {"remaining_absorption": 0.3, "full_dot_absorption": 0.7}
DOT = qdgain.Dot(
    linewidth_meV=80.0,
    stokes_shift_meV=25.0,
    absorptive_binding_meV=45.0,
    emissive_binding_meV=15.0,
    xx_absorption_strength=0.8,
    xx_emission_strength=0.9,
    **MIXED,
)


def read(name, **fields):
    """Return the dot of the tests in a reading."""
    return replace(DOT, reading=name, **fields)


# --- against the equations of the page "The model", written out by Python's own math


def written_out(dot, energy):
    """Return emission and gain of the states at one photon energy."""
    width = dot.linewidth_meV / math.sqrt(8 * math.log(2)) / 1e3
    X = dot.absorption_energy_eV
    PL = X - dot.stokes_shift_meV / 1e3
    centres = X, PL, X - dot.absorptive_binding_meV / 1e3, PL - dot.emissive_binding_meV / 1e3
    A, P, C, Q = (math.exp(-((energy - centre) ** 2) / 2 / width**2) for centre in centres)
    a, gamma = dot.xx_absorption_strength, dot.xx_emission_strength
    if dot.reading == "uncorrelated":
        return [0, P / 2, P], [-A, P / 2 - A / 2, P]
    if dot.reading == "replacing":
        return [0, P / 2, gamma * Q], [-A, P / 2 - a * C / 2, gamma * Q]
    if dot.reading == "additive":
        return [0, P / 2, gamma * Q], [-A, P / 2 - A / 2 - a * C / 2, gamma * Q - a * C]
    if dot.reading == "mixed":
        c, b = dot.remaining_absorption, dot.full_dot_absorption
        return [0, P / 2, gamma * Q], [-A, P / 2 - c * A / 2 - a * C / 2, gamma * Q - b * a * C]
    emission, gain = [], []
    for k in range(max(dot.electron_states, dot.hole_states) + 1):
        f_e, f_h = min(k, dot.electron_states), min(k, dot.hole_states)
        f_e, f_h = f_e / dot.electron_states, f_h / dot.hole_states
        emission.append(f_e * f_h * P)
        gain.append(f_e * f_h * P - (1 - f_e) * (1 - f_h) * A)
    return emission, gain


@pytest.mark.parametrize("reading", READINGS)
@pytest.mark.parametrize("statistics", LAWS)
def test_gain_and_emission_are_those_written_out(reading, statistics):
    dot = read(reading)
    for energy in np.linspace(1.85, 2.1, 21):
        for mean in (0.0, 0.4, 1.0, 1.7, 2.0):
            emission, gain = written_out(dot, float(energy))
            if statistics == "poisson":
                share = [math.exp(-mean) * mean**k / math.factorial(k) for k in range(len(gain))]
                share[-1] = 1 - sum(share[:-1])
            else:
                share = list(qdgain.populations(mean, statistics))
            pairs = list(zip(share, emission, gain, strict=False))
            assert spontaneous_spectrum(dot, energy, mean, statistics) == pytest.approx(
                sum(p * e for p, e, _ in pairs), abs=1e-13
            )
            assert qdgain.gain(dot, energy, mean, statistics) == pytest.approx(
                sum(p * g for p, _, g in pairs), abs=1e-13
            )


@given(dots(with_own_widths=True, reading="mixed"), st.floats(0, 2), STATISTICS)
def test_the_corners_of_the_mixed_reading_are_the_others(dot, mean, statistics):
    energy = energy_window_eV(dot, points=31)
    for corner, name in ((0.0, "replacing"), (1.0, "additive")):
        at = replace(dot, remaining_absorption=corner, full_dot_absorption=corner)
        other = replace(dot, reading=name)
        np.testing.assert_array_equal(
            qdgain.gain(at, energy, mean, statistics), qdgain.gain(other, energy, mean, statistics)
        )


@given(dots(with_own_widths=True), st.floats(0, 2), STATISTICS)
def test_uncorrelated_is_replacing_without_shifts(dot, mean, statistics):
    free = dot.uncorrelated()
    assert free.reading == "uncorrelated"
    energy = energy_window_eV(dot, points=31)
    np.testing.assert_allclose(
        qdgain.gain(free, energy, mean, statistics),
        qdgain.gain(replace(free, reading="replacing"), energy, mean, statistics),
        atol=1e-15,
    )


@pytest.mark.parametrize("reading", READINGS)
def test_terms_sum_to_the_gain_and_only_emission_is_positive(reading):
    dot, energy = read(reading), np.linspace(1.8, 2.1, 31)
    for law in LAWS:
        terms = qdgain.gain_terms(dot, energy, [0.3, 1.2], law)
        np.testing.assert_allclose(
            sum(terms), qdgain.gain(dot, energy, [0.3, 1.2], law), atol=1e-14
        )
        assert (terms.absorption <= 0).all()
        assert (terms.excited_state_absorption <= 0).all()
        assert (terms.exciton_emission >= 0).all()
        assert (terms.biexciton_emission >= 0).all()


@pytest.mark.parametrize("reading", READINGS)
def test_an_unpumped_dot_absorbs_and_nothing_else(reading):
    bands = qdgain.bands(read(reading), 1.97)
    assert qdgain.gain(read(reading), 1.97, 0.0) == pytest.approx(-float(bands.absorption))


def test_probabilities_of_more_states_are_poissons_and_sum_to_one():
    mean = np.array([0.0, 0.3, 2.0, 9.0])
    five = of_states.weights_at(mean, "poisson", 5)
    np.testing.assert_allclose(five.sum(axis=-1), 1.0, rtol=1e-14)
    np.testing.assert_allclose(five[:, 3], np.exp(-mean) * mean**3 / 6, rtol=1e-13)
    three = of_states.weights_at(mean, "poisson")
    np.testing.assert_allclose(five[:, 2:].sum(axis=-1), three[:, 2], rtol=1e-12, atol=1e-300)
    for law in ("rabi", "sequential"):
        assert not of_states.weights_at(np.array([0.5, 2.0]), law, 5)[:, 3:].any()


# --- numbers without a free parameter


@pytest.mark.parametrize(("electrons", "holes", "expected"), [(2, 4, 4 / 3), (2, 2, 1.0)])
@pytest.mark.parametrize("law", LAWS)
def test_a_degenerate_band_edge_without_stokes_shift_has_its_own_thresholds(
    electrons, holes, expected, law
):
    dot = read("degenerate", electron_states=electrons, hole_states=holes, stokes_shift_meV=0.0)
    found = float(qdgain.threshold_at_maximum(dot, statistics=law).mean_excitons)
    if law == "poisson":
        # The mean filling of electrons and holes is one half each: f_e + f_h = 1.
        k = np.arange(60)
        share = scipy.stats.poisson.pmf(k, found)
        fillings = np.minimum(k / electrons, 1) + np.minimum(k / holes, 1)
        assert found > expected
        assert share @ fillings == pytest.approx(1.0, abs=1e-12)
    else:
        # Where no dot holds more than two, every exciton fills one electron and one hole state.
        assert found == pytest.approx(expected, abs=1e-12)
        assert found * (1 / electrons + 1 / holes) == pytest.approx(1.0, abs=1e-12)


def test_degenerate_states_gain_the_sum_of_their_fillings_minus_one():
    dot = read("degenerate", stokes_shift_meV=0.0)
    gain = of_states.states(dot, np.array([0.0])).gain[:, 0]
    np.testing.assert_allclose(gain, [-1, -0.25, 0.5, 0.75, 1.0], atol=1e-15)


def test_with_the_tie_a_full_dot_gains_what_its_absorption_leaves():
    tied = read("additive", absorptive_binding_meV=40.0, xx_emission_strength=1.0)
    assert float(gain_maximum_meV(tied)) == pytest.approx(-40.0, abs=1e-6)
    assert float(qdgain.largest_gain(tied)) == pytest.approx(0.2, abs=1e-12)


# --- thresholds against brute force


TOP = {"rabi": 2.0, "sequential": 2.0, "poisson": 12.0}


def crossings(dot, energy, floor, law):
    """Return every ⟨N⟩ at which the gain at an energy crosses a floor, from a fine scan."""
    mean = np.linspace(0, TOP[law], 20001)
    above = qdgain.gain(dot, energy, mean, law) > floor
    return mean[1:][np.diff(above.astype(int)) != 0]


@pytest.mark.parametrize("reading", READINGS)
@pytest.mark.parametrize("law", LAWS)
def test_where_gain_begins_and_ends_is_what_a_scan_finds(reading, law):
    two, none = 0, 0
    for seed in range(3):
        many = replace(usual(12, seed, reading), **MIXED)
        for i in range(12):
            dot = many.at(i)
            for energy in np.linspace(1.8, 2.02, 5):
                found = crossings(dot, energy, 0.01, law)
                first = float(qdgain.threshold_at_energy(dot, energy, 0.01, law))
                if not found.size:
                    none += 1
                    assert not first < TOP[law] - 1e-3
                    continue
                assert first == pytest.approx(found[0], abs=2e-3)
                if len(of_states.weights_of_bands(dot).gain) > 3 and law == "poisson":
                    continue
                last = float(threshold_end_at_energy(dot, energy, 0.01, law))
                if len(found) > 1:
                    two += 1
                    assert last == pytest.approx(found[1], abs=2e-3)
                else:
                    assert last > TOP[law] - 2e-3
    assert none
    assert two or reading not in ("additive", "mixed")


def test_gain_of_more_than_three_states_has_no_end():
    with pytest.raises(ParameterError, match="has no second threshold"):
        threshold_end_at_energy(read("degenerate"), 1.96, statistics="poisson")


@pytest.mark.parametrize("reading", READINGS)
@pytest.mark.parametrize("law", LAWS)
def test_the_maximum_at_full_excitation_is_the_highest_point(reading, law):
    for i in range(12):
        dot = replace(usual(12, 4, reading), **MIXED).at(i)
        full = 60.0 if law == "poisson" else 2.0
        energy = energy_window_eV(dot, widths=5.0, points=20001)
        curve = qdgain.gain(dot, energy, full, law)
        assert float(qdgain.largest_gain(dot, law)) == pytest.approx(max(curve.max(), 0), abs=1e-6)
        if curve.max() > 1e-3:
            place = float(dot.absorption_energy_eV) + 1e-3 * float(gain_maximum_meV(dot, law))
            assert float(qdgain.gain(dot, place, full, law)) == pytest.approx(curve.max(), abs=1e-6)


@pytest.mark.parametrize("reading", READINGS)
@pytest.mark.parametrize("law", LAWS)
def test_the_fast_onset_is_the_plain_one(reading, law):
    states = {"electron_states": 2, "hole_states": 2}
    usual_ones = replace(usual(60, 5, reading), **MIXED, **states)
    whole, floor = of_the_whole_contract(60, 6, reading)
    for many, epsilon in ((usual_ones, 0.01), (replace(whole, **MIXED, **states), floor)):
        fast = qdgain.threshold_onset(many, epsilon, law).mean_excitons
        plain = plain_onset(many, epsilon, law).mean_excitons
        np.testing.assert_allclose(fast, plain, rtol=0, atol=2e-8)
    assert np.isfinite(qdgain.threshold_onset(usual_ones, 0.01, law).mean_excitons).any()


@pytest.mark.parametrize("reading", READINGS)
def test_no_reading_hangs_on_the_other_dots_of_an_array(reading):
    many = replace(usual(5, 7, reading), **MIXED)
    for law in LAWS:
        together = qdgain.threshold_at_maximum(many, statistics=law)
        film = ase_threshold(many, 200.0, 1.5, law)
        for i in (0, 4):
            alone = qdgain.threshold_at_maximum(many.at(i), statistics=law)
            assert alone.mean_excitons == pytest.approx(together.mean_excitons[i], abs=1e-12)
            one = ase_threshold(many.at(i), 200.0, 1.5, law).fluence_mJ_cm2
            assert one == pytest.approx(film.fluence_mJ_cm2[i], rel=1e-6)


@pytest.mark.parametrize("width", [1.0, 5.0, 20.0])
def test_a_narrow_absorption_cuts_the_maximum_in_two_and_the_lower_energy_is_meant(width):
    dot = qdgain.Dot(
        reading="additive",
        linewidth_meV=80.0,
        stokes_shift_meV=10.0,
        emissive_binding_meV=30.0,
        absorptive_binding_meV=40.0,
        xx_absorption_strength=1.0,
        xx_absorption_linewidth_meV=width,
    )
    for moved in (0.0, 0.3, -0.3):
        one = replace(dot, absorptive_binding_meV=40.0 + moved * width)
        energy = energy_window_eV(one, points=400001)
        curve = qdgain.gain(one, energy, 2.0)
        place = float(gain_maximum_meV(one))
        there = qdgain.gain(one, float(one.absorption_energy_eV) + 1e-3 * place, 2.0)
        assert float(there) == pytest.approx(curve.max(), abs=1e-8)
        assert place < -40.0 if moved <= 0 else place > -40.0 - 0.3 * width
