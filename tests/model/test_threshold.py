"""Thresholds: closed forms against the gain they solve, scans, and textbook limits."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import optimize

import qdgain
from qdgain.model.bands import band_centres_eV, band_widths_meV, energy_window_eV, log_bands
from qdgain.model.populations import highest_mean_excitons
from qdgain.model.threshold import threshold_onset
from strategies import STATISTICS, dots


def scan_of(statistics):
    highest = highest_mean_excitons(statistics)
    return np.linspace(0, 40.0 if np.isinf(highest) else highest, 20001)


@given(dots(with_own_widths=True), st.floats(-3, 3), STATISTICS, st.sampled_from([0, 1e-3, 0.05]))
def test_closed_form_is_the_first_zero_of_the_gain(dot, place, statistics, floor):
    energy = dot.absorption_energy_eV + 1e-3 * dot.linewidth_meV * place
    root = float(qdgain.threshold_at_energy(dot, energy, floor, statistics))
    mean = scan_of(statistics)
    below = mean[mean < root * (1 - 1e-6)] if np.isfinite(root) else mean
    assert (qdgain.gain(dot, energy, below, statistics) <= floor + 1e-13).all()
    if np.isfinite(root):
        terms = qdgain.gain_terms(
            dot, energy, min(root, highest_mean_excitons(statistics)), statistics
        )
        size = max(abs(float(term)) for term in terms)
        assert float(sum(terms)) == pytest.approx(floor, abs=1e-11 * size + 1e-300)


@pytest.mark.parametrize("statistics", ["rabi", "poisson", "sequential"])
def test_closed_form_agrees_with_a_root_finder(statistics):
    dot = qdgain.presets()["4LS+ESA"]
    energies = energy_window_eV(dot, points=25)
    closed = qdgain.threshold_at_energy(dot, energies, statistics=statistics)
    top = 60.0 if statistics == "poisson" else 2.0
    for energy, value in zip(energies, closed, strict=True):

        def gain(mean, energy=energy):
            return float(qdgain.gain(dot, energy, mean, statistics))

        if gain(top) > 0 and value < top:
            assert optimize.brentq(gain, 0, top, xtol=1e-14) == pytest.approx(value, abs=1e-10)


@pytest.mark.slow
@settings(max_examples=25)
@given(dots(), STATISTICS, st.sampled_from([1e-3, 1e-2, 0.1]))
def test_onset_is_below_every_threshold_on_a_fine_grid(dot, statistics, floor):
    onset = qdgain.threshold_onset(dot, floor, statistics)
    energy = energy_window_eV(dot, widths=8.0, points=4001)
    grid = qdgain.threshold_at_energy(dot, energy, floor, statistics)
    best = np.min(grid)
    if np.isinf(best):
        # A window narrower than the grid may still hold it.
        assert np.isinf(onset.mean_excitons) or onset.mean_excitons <= 2
    else:
        assert onset.mean_excitons <= best + 1e-9
        # A minimum between grid points lies below it by the curvature at most.
        assert onset.mean_excitons == pytest.approx(best, abs=2e-3)
        at = qdgain.threshold_at_energy(dot, onset.energy_eV, floor, statistics)
        assert at == pytest.approx(float(onset.mean_excitons), abs=1e-12)


@pytest.mark.parametrize("name", ["3LS", "3LS+ESA", "4LS", "4LS+ESA"])
@pytest.mark.parametrize("floor", [1e-4, 1e-2])
def test_onset_is_exact_to_nine_digits(name, floor):
    dot = qdgain.presets()[name]
    onset = qdgain.threshold_onset(dot, floor)
    step = 1e-3 * float(band_widths_meV(dot).emission) * 0.1
    fine = optimize.minimize_scalar(
        lambda energy: float(qdgain.threshold_at_energy(dot, energy, floor)),
        bounds=(float(onset.energy_eV) - step, float(onset.energy_eV) + step),
        method="bounded",
        options={"xatol": 1e-13},
    )
    assert onset.mean_excitons == pytest.approx(fine.fun, abs=1e-9)


def test_onset_falls_with_its_floor_and_is_infinite_out_of_reach():
    dot = qdgain.presets()["3LS+ESA"]
    floors = [1e-6, 1e-4, 1e-2, 0.1, 0.2]
    onsets = [float(qdgain.threshold_onset(dot, floor).mean_excitons) for floor in floors]
    assert onsets == sorted(onsets)
    weak = replace(dot, xx_emission_strength=0.05, xx_absorption_strength=2.0)
    out_of_reach = qdgain.threshold_onset(weak, 0.9)
    assert np.isinf(out_of_reach.mean_excitons)
    assert np.isnan(out_of_reach.energy_eV)
    assert np.isinf(qdgain.threshold_at_maximum(weak, 0.9).mean_excitons)


@pytest.mark.parametrize("floor", [0, -1.0, np.nan, "0.1", 2.0])
def test_onset_needs_a_floor(floor):
    with pytest.raises(qdgain.ParameterError, match="floor"):
        qdgain.threshold_onset(qdgain.Dot(), floor)


@given(dots(), STATISTICS)
def test_threshold_at_maximum_is_at_the_biexciton_emission(dot, statistics):
    threshold = qdgain.threshold_at_maximum(dot, statistics=statistics)
    assert threshold.energy_eV == pytest.approx(float(band_centres_eV(dot).xx_emission), abs=1e-12)
    if statistics != "poisson":
        energy = energy_window_eV(dot, points=2001)
        gain = qdgain.gain(dot, energy, 2.0, statistics)
        step = energy[1] - energy[0]
        assert energy[np.argmax(gain)] == pytest.approx(float(threshold.energy_eV), abs=step)


@given(st.floats(0, 4), st.floats(20, 200))
def test_without_esa_the_threshold_falls_with_the_stokes_shift_as_in_the_closed_form(ratio, width):
    dot = qdgain.Dot(linewidth_meV=width).uncorrelated()
    sigma = float(band_widths_meV(dot).emission)
    dot = replace(dot, stokes_shift_meV=ratio * sigma)
    r = np.exp(-(ratio**2) / 2)
    got = qdgain.threshold_at_maximum(dot).mean_excitons
    assert got == pytest.approx(2 * r / (1 + r), rel=1e-12)


def test_textbook_two_level_thresholds():
    two_level = replace(qdgain.Dot().uncorrelated(), stokes_shift_meV=0.0)
    assert qdgain.threshold_at_maximum(two_level).mean_excitons == pytest.approx(1, abs=1e-14)
    poisson = float(qdgain.threshold_at_maximum(two_level, statistics="poisson").mean_excitons)
    assert poisson == pytest.approx(1.146, abs=5e-4)
    assert np.exp(poisson) == pytest.approx(2 + poisson, rel=1e-13)


@given(st.floats(0, 3))
def test_klimov_2007_holds_for_sequential_statistics_only(ratio):
    # Klimov et al. 2007 (10.1038/nature05839): 2/(3 - exp(-Δ²/2s²)), at the line centre of a 2LS
    # whose biexciton is shifted by Δ in absorption and emission alike.
    dot = replace(qdgain.Dot().uncorrelated(), stokes_shift_meV=0.0)
    shift = ratio * float(band_widths_meV(dot).absorption)
    bound = {"absorptive_binding_meV": shift, "emissive_binding_meV": shift}
    dot = replace(dot, reading="replacing", **bound)
    b = np.exp(-(ratio**2) / 2)

    def threshold(statistics):
        centre = dot.absorption_energy_eV
        return float(qdgain.threshold_at_energy(dot, centre, statistics=statistics))

    assert threshold("sequential") == pytest.approx(2 / (3 - b), rel=1e-12)
    assert threshold("rabi") == pytest.approx(1, rel=1e-12)
    # Poisson: rises from 1.146 to 2 as the biexciton moves out of the way.
    N = threshold("poisson")
    assert 1 + N * (b - 1) / 2 == pytest.approx(b * (np.exp(N) - 1 - N), rel=1e-9)
    assert 1.146 <= N <= 2


@given(dots())
def test_esa_is_worst_on_the_biexciton_emission(dot):
    worst = replace(dot, absorptive_binding_meV=dot.stokes_shift_meV + dot.emissive_binding_meV)
    here = qdgain.threshold_at_maximum(dot).mean_excitons
    assert qdgain.threshold_at_maximum(worst).mean_excitons >= here - 1e-12


@pytest.mark.slow
@given(dots(), STATISTICS)
def test_thresholds_do_not_move_with_a_common_shift(dot, statistics):
    shifted = replace(dot, absorption_energy_eV=dot.absorption_energy_eV + 0.7)
    for threshold in (
        lambda d: qdgain.threshold_at_maximum(d, statistics=statistics),
        lambda d: qdgain.threshold_onset(d, 0.01, statistics),
    ):
        here, there = threshold(dot), threshold(shifted)
        np.testing.assert_allclose(there.mean_excitons, here.mean_excitons, rtol=1e-9)


@given(st.floats(-60, -1), STATISTICS)
def test_far_tails_keep_their_digits(place, statistics):
    # Bands of 1e-300 and less have ratios all the same.
    dot = qdgain.Dot(linewidth_meV=20.0).uncorrelated()
    sigma = float(band_widths_meV(dot).absorption)
    dot = replace(dot, stokes_shift_meV=0.1 * sigma)
    energy = dot.absorption_energy_eV + 1e-3 * sigma * place
    root = float(qdgain.threshold_at_energy(dot, energy, statistics=statistics))
    # log A - log P = -(x² - (x+0.1)²)/2 = (0.2x + 0.01)/2
    r = np.exp(0.1 * place + 0.005)
    if statistics != "poisson":
        assert root == pytest.approx(2 * r / (1 + r), rel=1e-9)
    else:
        ground, exciton, biexciton = qdgain.populations(root, "poisson")
        assert r * (ground + exciton / 2) == pytest.approx(exciton / 2 + biexciton, rel=1e-9)


@pytest.mark.parametrize("statistics", ["rabi", "sequential", "poisson"])
def test_a_biexciton_that_does_not_emit_gives_no_gain_where_esa_wins(statistics):
    dot = replace(
        qdgain.presets()["3LS+ESA"], xx_emission_strength=0.0, absorptive_binding_meV=13.0
    )
    maximum = qdgain.threshold_at_maximum(dot, statistics=statistics)
    assert maximum.mean_excitons == np.inf
    assert np.all(qdgain.threshold_at_energy(dot, [1.98, 1.99], statistics=statistics) == np.inf)


@pytest.mark.parametrize(
    ("reading", "fields", "full"),
    [
        ("replacing", {"absorptive_binding_meV": 20.49, "xx_emission_strength": 0.3036}, 0.3036),
        # A_XX2 on PL_XX.
        ("additive", {"absorptive_binding_meV": 13.43 + 9.103, "xx_absorption_strength": 0.7}, 0.3),
    ],
)
def test_poissons_threshold_keeps_its_digits_where_the_biexciton_emits_next_to_nothing(
    reading, fields, full
):
    """Far out in narrow bands e^N has to make up for PL_XX."""
    narrow = {"linewidth_meV": 1.0, "stokes_shift_meV": 13.43, "emissive_binding_meV": 9.103}
    strengths = {"xx_absorption_strength": 1.681, "xx_emission_strength": 1.0}
    dot = qdgain.Dot(reading=reading, **(narrow | strengths | fields))
    energy = 1.993959
    logs = log_bands(dot, np.array(1e3 * (energy - dot.absorption_energy_eV)))
    mean = qdgain.threshold_at_energy(dot, energy, statistics="poisson")
    # What absorbs on A_X is P_2 times what a full dot gains, as the other bands are smaller by tens
    # of powers of ten: dots without an exciton, and those with one at half strength, or not at all.
    absorbing = 1 + 0.5 * mean if reading == "additive" else 1.0
    expected = logs.absorption + np.log(absorbing) - logs.xx_emission - np.log(full)
    assert mean == pytest.approx(expected, rel=1e-9)


@pytest.mark.slow
@settings(max_examples=60)
@given(
    dot=dots(with_own_widths=True),
    statistics=STATISTICS,
    floor=st.sampled_from([1e-6, 1e-3, 0.01, 0.1]),
)
def test_the_fast_onset_is_the_plain_one(dot, statistics, floor):
    fast = qdgain.threshold_onset(dot, floor, statistics)
    plain = threshold_onset(dot, floor, statistics)
    assert float(fast.mean_excitons) == pytest.approx(float(plain.mean_excitons), abs=1e-9)
