"""Every fast path beside the plain formulas with 50 digits, and the onset beside brute force."""

from dataclasses import replace

import numpy as np
import pytest

import qdgain
from bench.accuracy import DOTS, accuracies
from bench.dots import of_the_whole_contract, usual
from bench.onset import brute_force, largest_excess
from bench.threshold_at_maximum import with_plain_python
from qdgain.fast.laws import LAWS


@pytest.mark.slow
@pytest.mark.parametrize("reading", ["replacing", "additive", "mixed"])
def test_every_fast_path_is_as_exact_as_is_stated(monkeypatch, reading):
    of_reading = {
        name: dot if dot.reading == "uncorrelated" else replace(dot, reading=reading)
        for name, dot in DOTS.items()
    }
    monkeypatch.setattr("bench.accuracy.DOTS", of_reading)
    found = accuracies()
    assert len(found) == 6 + 3 * len(LAWS)
    worse = [f"{a.key}: {a.error:.2g}, stated {a.stated:g}" for a in found if a.error > a.stated]
    assert worse == []


@pytest.mark.slow
@pytest.mark.parametrize("seed", [1, 2])
def test_the_onset_is_the_lowest_threshold_anywhere_for_dots_of_the_whole_contract(seed):
    dots, floor = of_the_whole_contract(60, seed)
    assert np.isfinite(qdgain.threshold_onset(dots, floor).mean_excitons).sum() > 20
    assert largest_excess(dots, floor) < 1e-9


@pytest.mark.parametrize("reading", ["replacing", "additive"])
@pytest.mark.parametrize("statistics", LAWS)
def test_an_island_of_energies_narrower_than_the_scan_is_found(statistics, reading):
    """X alone just reaches the floor, beside A_XX2; far away XX reaches it at more excitons."""
    dot = qdgain.Dot(
        linewidth_meV=80.0,
        stokes_shift_meV=70.0,
        absorptive_binding_meV=50.0,
        emissive_binding_meV=400.0,
        xx_absorption_strength=1.3,
        xx_emission_strength=0.0,
        reading=reading,
    )
    energy = np.linspace(1.7, 2.1, 4001)
    peak = qdgain.gain(dot, energy, np.linspace(0.3, 2, 1701), statistics).max()
    floor = peak * (1 - np.logspace(-5, -1, 9))
    dots = replace(dot, xx_emission_strength=1.2 * floor)
    onset = qdgain.threshold_onset(dots, floor, statistics)
    assert (onset.mean_excitons < 1.5).all()
    assert (onset.energy_eV > 1.7).all()
    # Brute force takes steps of 0.03 widths: it misses islands narrower than that itself.
    exact = brute_force(dots, floor, statistics)
    seen = exact < 1.5
    assert seen.sum() >= 7
    np.testing.assert_allclose(onset.mean_excitons[seen], exact[seen], atol=1e-9)


def test_a_biexciton_that_hardly_emits_beside_strong_absorption_needs_double_precision():
    """Gain comes at full excitation alone, where single precision finds one threshold anywhere."""
    dots = qdgain.Dot(
        linewidth_meV=np.array([1.89, 1.37, 2.03]),
        stokes_shift_meV=np.array([10.5, 2.12, 1.68]),
        absorptive_binding_meV=np.array([12.6, 2.11, -0.506]),
        emissive_binding_meV=np.array([7.16, 0.432, 1.6]),
        xx_absorption_strength=np.array([1.58, 3.21, 1.99]),
        xx_emission_strength=np.array([0.00225, 0.00019, 0.000874]),
        absorption_linewidth_meV=np.array([1.89, 1.37, 1.47]),
        emission_linewidth_meV=np.array([1.0, 1.37, 1.7]),
        xx_absorption_linewidth_meV=np.array([16.7, 1.37, 9.13]),
    )
    assert largest_excess(dots, np.array([0.000219, 0.000148, 0.00024])) < 1e-9


@pytest.mark.parametrize("statistics", LAWS)
def test_no_onset_hangs_on_the_dots_beside_it(statistics):
    dots, floor = of_the_whole_contract(50)
    together = qdgain.threshold_onset(dots, floor, statistics)
    for i in range(0, 50, 7):
        alone = qdgain.threshold_onset(dots.at(i), floor[i], statistics)
        np.testing.assert_array_equal(alone.mean_excitons, together.mean_excitons[i])
        np.testing.assert_array_equal(alone.energy_eV, together.energy_eV[i])


def test_thresholds_at_the_maximum_are_those_of_a_root_finder():
    dots = usual(200)
    fast = qdgain.threshold_at_maximum(dots).mean_excitons
    slow = [with_plain_python(dots.at(i)) for i in range(200)]
    np.testing.assert_allclose(fast, slow, atol=1e-11)


def test_a_dot_whose_other_bands_vanish_at_the_gain_maximum_has_no_threshold_to_pass():
    """A_X, PL_X and A_XX2 are all below 1e-308 there: their ratios still count."""
    dot = qdgain.Dot(
        linewidth_meV=10.0,
        stokes_shift_meV=60.0,
        absorptive_binding_meV=-100.0,
        emissive_binding_meV=400.0,
    )
    assert qdgain.threshold_at_maximum(dot).mean_excitons < 1e-100
    assert qdgain.threshold_at_maximum(dot, statistics="sequential").mean_excitons < 1e-100
