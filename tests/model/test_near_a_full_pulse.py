"""Thresholds that only nearly a π pulse reaches, and samples measured up to less than ⟨N⟩ = 2."""

import numpy as np
import pytest

from qdgain.measured.gain_spectra import MeasuredSpectra
from qdgain.model.dot import Dot
from qdgain.model.film import ase_spectrum, ase_threshold, spontaneous_spectrum

ENERGY_EV = np.linspace(1.6, 2.3, 1501)


def after(fluence_over_pi):
    """Return Rabi's ⟨N⟩, of two independent channels."""
    return 2 * np.sin(0.5 * np.pi * np.sqrt(fluence_over_pi)) ** 2


def amplified(dot, fluence_over_pi, length):
    """Return how many times as much is emitted as without amplification."""
    mean = after(fluence_over_pi)
    whole = ase_spectrum(dot, ENERGY_EV, mean, length).sum()
    return whole / spontaneous_spectrum(dot, ENERGY_EV, mean).sum()


def bisected(function, low, high):
    """Return where a rising function is zero."""
    for _ in range(60):
        middle = 0.5 * (low + high)
        low, high = (low, middle) if function(middle) > 0 else (middle, high)
    return middle


@pytest.mark.parametrize("reading", ["replacing", "additive"])
@pytest.mark.parametrize("fluence_over_pi", [0.80, 0.93, 0.95, 0.97, 0.99, 0.998])
def test_a_threshold_just_below_the_pi_pulse_is_found(fluence_over_pi, reading):
    # Strong ESA where XX emits: what is left of the gain comes late.
    dot = Dot(
        stokes_shift_meV=5.0,
        linewidth_meV=80.0,
        absorptive_binding_meV=0.0,
        emissive_binding_meV=0.0,
        xx_absorption_strength={"replacing": 1.7, "additive": 0.4}[reading],
        xx_emission_strength=0.5,
        reading=reading,
    )
    length = bisected(lambda L: amplified(dot, fluence_over_pi, L) - 2, 1e-3, 1e4)
    assert amplified(dot, fluence_over_pi - 0.02, length) < 2
    found = ase_threshold(dot, length, 3.0)
    assert float(found.fluence_mJ_cm2) == pytest.approx(3.0 * fluence_over_pi, rel=1e-4)
    assert float(found.mean_excitons) == pytest.approx(after(fluence_over_pi), rel=1e-5)


def test_a_threshold_beyond_the_pi_pulse_is_none():
    dot = Dot(stokes_shift_meV=5.0, linewidth_meV=80.0, xx_emission_strength=0.5)
    length = bisected(lambda L: amplified(dot, 1.0, L) - 2, 1e-3, 1e4)
    assert np.isinf(ase_threshold(dot, 0.99 * length, 3.0).fluence_mJ_cm2)
    assert np.isfinite(ase_threshold(dot, 1.01 * length, 3.0).fluence_mJ_cm2)


@pytest.mark.parametrize("last", [0.9, 1.2, 1.9])
def test_spectra_that_end_below_two_excitons_are_used_to_their_end(last):
    line = np.exp(-0.5 * ((ENERGY_EV - 1.95) / 0.05) ** 2)
    excitons = np.linspace(0.0, last, 5)
    # Straight in ⟨N⟩, transparent at half of what was measured.
    slope = 2 / last
    sample = MeasuredSpectra(ENERGY_EV, excitons, (slope * excitons - 1)[:, None] * line, line)
    assert sample.most_excitons() == last
    assert sample.spontaneous_at(last).max() == pytest.approx(max(0.5 * last, slope * last - 1))

    def doubled(mean, length):
        gain = (slope * mean - 1) * line
        emitted = np.maximum(0.5 * mean * line, gain)
        x = length * gain
        grown = np.where(np.abs(x) < 1e-12, 1.0, np.expm1(x) / np.where(x == 0, 1, x))
        return np.trapezoid(emitted * grown, ENERGY_EV) / np.trapezoid(emitted, ENERGY_EV) - 2

    for part in (0.7, 0.95, 0.999):
        length = bisected(lambda L, n=part * last: doubled(n, L), 1e-2, 1e3)
        found = sample.ase_threshold(length, 3.0)
        fluence = (2 / np.pi * np.arcsin(np.sqrt(part * last / 2))) ** 2
        assert float(found.mean_excitons) == pytest.approx(part * last, rel=1e-5)
        assert float(found.fluence_mJ_cm2) == pytest.approx(3.0 * fluence, rel=1e-5)
