from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import qdgain
from qdgain.model import film as ase
from qdgain.model import saturation
from qdgain.model.saturation import saturated_emission

DOT = qdgain.Dot(
    stokes_shift_meV=20.0,
    absorptive_binding_meV=30.0,
    emissive_binding_meV=15.0,
    xx_absorption_strength=1.5,
    xx_emission_strength=0.4,
    reading="replacing",
)


@pytest.mark.slow
@settings(max_examples=10, deadline=None)
@given(
    st.floats(0.0, 100.0),
    st.floats(-50.0, 80.0),
    st.floats(0.0, 120.0),
    st.floats(1e-6, 1.0),
    st.sampled_from(["rabi", "poisson", "sequential"]),
)
def test_every_photon_costs_an_exciton(stokes, binding, length, beta, statistics):
    dot = replace(DOT, stokes_shift_meV=stokes, absorptive_binding_meV=binding)
    mean = np.array([0.0, 0.6, 2.0])
    found = saturated_emission(dot, mean, length, beta, statistics)
    total = found.guided_photons + found.side_photons + found.excitons_left + found.lost_photons
    np.testing.assert_allclose(total, mean, atol=1e-10)
    assert (found.excitons_left >= 0).all()
    assert (found.spectrum_per_meV >= 0).all()


def test_a_film_without_length_emits_spontaneously():
    mean = np.array([0.2, 1.0])
    found = saturated_emission(DOT.uncorrelated(), mean, 0.0, 0.03)
    emitted = mean - found.excitons_left
    np.testing.assert_allclose(found.guided_photons, 0.03 * emitted, rtol=1e-12)
    # Every exciton of an uncorrelated dot lives one lifetime: exp(-8) of them are left.
    np.testing.assert_allclose(found.excitons_left, mean * np.exp(-8.0), rtol=0.05)
    expected = qdgain.bands(DOT, found.energy_eV).emission
    shape = found.spectrum_per_meV / found.spectrum_per_meV.max(axis=-1, keepdims=True)
    np.testing.assert_allclose(shape, np.broadcast_to(expected, shape.shape), atol=2e-3)


@pytest.mark.parametrize("length", [1.0, 30.0, 120.0])
def test_before_depletion_the_spectrum_is_the_simple_formula(length):
    mean = np.array([0.3, 1.2, 1.9])
    found = saturated_emission(DOT, mean, length, 1e-9, duration=1e-45)
    expected = ase.ase_spectrum(DOT, found.energy_eV, mean, length)
    scale = found.spectrum_per_meV.max(axis=-1) / expected.max(axis=-1)
    np.testing.assert_allclose(found.spectrum_per_meV, scale[:, None] * expected, rtol=1e-9)
    np.testing.assert_allclose(scale, scale[0], rtol=1e-9)


def test_far_above_threshold_every_further_exciton_leaves_in_the_spike():
    mean = np.array([1.9, 2.0])
    for dot in (DOT.uncorrelated(), replace(DOT, xx_absorption_strength=0.5)):
        found = saturated_emission(dot, mean, 200.0, 0.01)
        slope = np.diff(found.guided_photons) / np.diff(mean)
        assert slope == pytest.approx(1.0, abs=0.06)
    # What stays behind is near transparency: the total is ⟨N⟩ less a threshold.
    bright = saturated_emission(DOT.uncorrelated(), 2.0, 200.0, 0.01)
    kept = 2.0 - bright.guided_photons
    onset = qdgain.threshold_onset(DOT.uncorrelated(), 0.01).mean_excitons
    maximum = qdgain.threshold_at_maximum(DOT.uncorrelated()).mean_excitons
    assert onset < kept < 1.1 * maximum


def test_excited_state_absorption_costs_photons():
    with_esa = saturated_emission(DOT, 2.0, 200.0, 0.01).guided_photons
    without = saturated_emission(DOT.uncorrelated(), 2.0, 200.0, 0.01).guided_photons
    assert 1.0 < without / with_esa < 20.0


@pytest.mark.slow
def test_converged_in_slices_and_steps(monkeypatch):
    mean = np.array([0.8, 1.4, 2.0])
    found = saturated_emission(DOT.uncorrelated(), mean, 100.0, 0.01).guided_photons
    monkeypatch.setattr(saturation, "_SLICES", 24)
    finer = saturated_emission(DOT.uncorrelated(), mean, 100.0, 0.01).guided_photons
    np.testing.assert_allclose(found, finer, atol=0.02)
    monkeypatch.setattr(saturation, "_SLICES", 8)
    monkeypatch.setattr(saturation, "_LARGEST_CHANGE", 0.01)
    monkeypatch.setattr(saturation, "_LONGEST_STEP", 0.02)
    smaller = saturated_emission(DOT.uncorrelated(), mean, 100.0, 0.01).guided_photons
    np.testing.assert_allclose(found, smaller, atol=0.005)


def test_dots_broadcast():
    dots = replace(DOT, stokes_shift_meV=np.array([[10.0], [60.0]]))
    mean = np.array([0.5, 1.5, 2.0])
    together = saturated_emission(dots, mean, 60.0, 0.01)
    assert together.guided_photons.shape == (2, 1, 3)
    assert together.spectrum_per_meV.shape == (2, 1, 3, together.energy_eV.shape[-1])
    for i, stokes in enumerate((10.0, 60.0)):
        one = saturated_emission(replace(DOT, stokes_shift_meV=stokes), mean, 60.0, 0.01)
        np.testing.assert_allclose(together.guided_photons[i, 0], one.guided_photons, rtol=1e-6)


def test_a_very_long_film_does_not_overflow():
    found = saturated_emission(DOT.uncorrelated(), 2.0, 800.0, 0.01)
    assert 0.5 < found.guided_photons < 2.0


def test_bad_values_are_refused():
    with pytest.raises(qdgain.ParameterError, match="guided_fraction"):
        saturated_emission(DOT, 1.0, 10.0, 1.5)
    with pytest.raises(qdgain.ParameterError, match="duration"):
        saturated_emission(DOT, 1.0, 10.0, 0.01, duration=-1.0)
    with pytest.raises(qdgain.ParameterError, match="mean_excitons"):
        saturated_emission(DOT, 3.0, 10.0, 0.01)
