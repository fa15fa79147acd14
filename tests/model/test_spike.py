import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import qdgain
from qdgain.model import film as ase
from qdgain.model import spike

DOT = qdgain.Dot(
    stokes_shift_meV=40.0, absorptive_binding_meV=0.0, emissive_binding_meV=0.0
).uncorrelated()


def test_full_width_of_known_curves():
    x = np.linspace(-10, 10, 4001)
    curves = np.array([np.exp(-0.5 * x**2), 3 / (1 + x**2)])
    widths = spike.full_width(x, curves)
    np.testing.assert_allclose(widths, [2 * np.sqrt(2 * np.log(2)), 2.0], rtol=1e-5)
    assert np.isnan(spike.full_width(x, np.exp(x)))


def test_width_is_that_of_the_band_without_length_and_narrows_with_it():
    mean = np.array([0.5, 1.5])
    np.testing.assert_allclose(spike.spike_width_meV(DOT, mean, 0.0), DOT.linewidth_meV, rtol=1e-4)
    widths = [spike.spike_width_meV(DOT, 2.0, length) for length in (0.0, 10.0, 100.0)]
    assert widths[0] > widths[1] > widths[2]


def test_uncorrelated_dots_shift_to_the_blue():
    shift = spike.spike_shift_meV_per_decade(DOT, 150.0, 1.5)
    threshold = ase.ase_threshold(DOT, 150.0, 1.5)
    mean = qdgain.mean_excitons_after_pulse(3 * threshold.fluence_mJ_cm2, 1.5)
    end = ase.spike_position_eV(DOT, mean, 150.0)
    assert shift == pytest.approx(1e3 * (end - threshold.energy_eV) / np.log10(3), rel=1e-6)
    assert shift > 0
    assert np.isnan(spike.spike_shift_meV_per_decade(DOT, 0.5, 1.5))


@settings(max_examples=30, deadline=None)
@given(st.floats(0.2, 0.6), st.floats(0.01, 0.5), st.floats(2.0, 20.0))
def test_two_lines_find_the_kink_of_a_broken_line(kink, slope, steep):
    fluence = np.linspace(0, 1.5, 601)
    emission = slope * fluence + (steep - slope) * np.maximum(fluence - kink, 0)
    found = spike.threshold_by_two_lines(fluence, emission, 0.5 * kink)
    assert found == pytest.approx(kink, rel=1e-6)


def test_two_lines_need_points():
    fluence = np.linspace(0, 1, 5)
    assert np.isnan(spike.threshold_by_two_lines(fluence, fluence**2, 0.1))
    assert np.isnan(spike.threshold_by_two_lines(fluence, 3 * fluence, 0.6))
    with pytest.raises(qdgain.ParameterError, match="one length"):
        spike.threshold_by_two_lines(fluence, fluence[:-1], 0.1)


def test_counting_spikes():
    x = np.linspace(-10, 10, 401)
    one = np.exp(-0.5 * x**2)
    assert spike.count_spikes(one) == 1
    assert spike.count_spikes(one + 0.5 * np.exp(-0.5 * (x - 6) ** 2)) == 2
    assert spike.count_spikes(one + 0.05 * np.exp(-0.5 * (x - 6) ** 2)) == 1
    assert spike.count_spikes(0 * x) == 0


def test_without_esa_the_spike_goes_blue_all_the_way():
    dot = qdgain.Dot(linewidth_meV=80.0, stokes_shift_meV=40.0).uncorrelated()
    blue, red = spike.spike_ways_meV(dot, 200.0, 1.5)
    assert blue > 0.0
    assert red == 0.0
    assert all(np.isnan(spike.spike_ways_meV(dot, 1e-6, 1.5)))


def test_the_energy_is_doubled_at_the_threshold():
    threshold = ase.ase_threshold(DOT, 150.0, 1.5)
    ratio = spike.log_energy_ratio(DOT, threshold.mean_excitons, 150.0)
    assert ratio == pytest.approx(np.log(2), rel=1e-3)
    assert spike.log_energy_ratio(DOT, 1.0, 0.0) == pytest.approx(0, abs=1e-12)


def test_without_length_the_guided_part_of_the_spontaneous_emission_is_left():
    photons = np.exp(spike.log_undepleted_photons(DOT, 1.2, 0.0, 0.1))
    # Without correlations P = n PL_X, so 2 P / PL_X photons are <N> in a lifetime.
    assert photons == pytest.approx(0.1 * 1.2, rel=1e-6)


def test_above_the_limit_there_are_more_photons_than_excitons():
    limit = spike.undepleted_limit_mJ_cm2(DOT, 150.0, 1.5, 0.1)
    mean = qdgain.mean_excitons_after_pulse(np.array([0.99, 1.0, 1.01]) * limit, 1.5)
    excess = spike.log_undepleted_photons(DOT, mean, 150.0, 0.1) - np.log(mean)
    assert excess[0] < 0 < excess[2]
    assert excess[1] == pytest.approx(0, abs=1e-6)
    assert spike.undepleted_limit_mJ_cm2(DOT, 0.0, 1.5, 0.1) == np.inf
