"""Displaced oscillators: detailed balance, moments, and the generating function as a second way."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import qdgain
from qdgain.beyond import displaced_oscillators as osc
from qdgain.model import units
from qdgain.model.balance import threshold_at_emission_peak
from qdgain.model.bands import FWHM_PER_SIGMA
from qdgain.model.parameters import ParameterError


@st.composite
def modes(draw):
    return osc.Oscillators(
        draw(st.floats(0, 3)),
        draw(st.floats(5, 60)),
        draw(st.floats(2, 60)),
        draw(st.floats(50, 500)),
    )


@given(modes(), st.floats(-3, 3))
@settings(max_examples=60)
def test_bands_are_in_detailed_balance_at_every_energy(mode, place):
    detuning = place * float(mode.width_meV)
    ratio = osc.log_emission(mode, [detuning]) - osc.log_absorption(mode, [detuning])
    assert ratio == pytest.approx(-detuning / float(mode.thermal_energy_meV), rel=1e-8, abs=1e-8)


@given(modes())
@settings(max_examples=40)
def test_area_mean_and_variance_are_those_of_huang_and_rhys(mode):
    energy = mode.search_energies_meV()
    band = np.exp(osc.log_absorption(mode, energy))
    area, mean = (np.trapezoid(band * energy**k, energy) for k in (0, 1))
    variance = np.trapezoid(band * (energy - mean) ** 2, energy)
    assert area == pytest.approx(1, abs=1e-9)
    assert mean == pytest.approx(float(mode.reorganisation_meV), rel=1e-8)
    assert np.sqrt(variance) == pytest.approx(float(mode.width_meV), rel=1e-8)


@pytest.mark.parametrize(
    ("factor", "phonon", "slow", "temperature"),
    [(0.2, 26.0, 19.7, 300.0), (0.9, 26.0, 4.0, 77.0), (2.0, 40.0, 10.0, 400.0)],
)
def test_generating_function_gives_the_same_band(factor, phonon, slow, temperature):
    """Fourier integral with a low-energy mode of 0.2 meV in the place of the classical one."""
    kT = float(units.thermal_energy_meV(temperature))
    low = 0.2
    time = np.linspace(-3, 3, 60001)  # in units of ħ/meV

    def exponent(strength, quantum):
        occupation = 1 / np.expm1(quantum / kT)
        # 1 - cos, without cancellation where the mode is slow.
        real = (2 * occupation + 1) * 2 * np.sin(0.5 * quantum * time) ** 2
        return -strength * (real + 1j * np.sin(quantum * time))

    correlation = np.exp(exponent(factor, phonon) + exponent(slow / low, low))
    detuning = np.linspace(-60, 120, 13)
    wave = np.exp(1j * np.outer(detuning, time))
    fourier = np.trapezoid(wave * correlation, time, axis=-1).real / (2 * np.pi)
    mode = osc.Oscillators(factor, phonon, slow, temperature)
    closed = np.exp(osc.log_absorption(mode, detuning))
    assert fourier == pytest.approx(closed, rel=0.02, abs=2e-5 * closed.max() + 2e-6)


def test_cold_progression_is_poissons_law():
    mode = osc.Oscillators(0.7, 26.0, 1.0, 4.0)
    lines, weights = mode.progression
    place = {round((line - 1.0) / 26.0): w for line, w in zip(lines, np.exp(weights), strict=True)}
    for p, expected in enumerate(np.exp(-0.7) * np.array([1, 0.7, 0.245, 0.7**3 / 6])):
        assert place[p] == pytest.approx(expected, rel=1e-12)
    assert place[-1] < 1e-30


@given(modes())
@settings(max_examples=40)
def test_lines_weigh_one_together_and_obey_boltzmann(mode):
    weights = np.exp(mode.progression[1])
    assert weights.sum() == pytest.approx(1, abs=1e-10)
    middle = weights.size // 2
    boltzmann = np.exp(-float(mode.phonon_energy_meV) / float(mode.thermal_energy_meV))
    if float(mode.huang_rhys) > 1e-3:
        assert weights[middle - 1] / weights[middle + 1] == pytest.approx(boltzmann, rel=1e-9)


@given(modes())
@settings(max_examples=60)
def test_a_quantum_phonon_lowers_the_stokes_shift_below_that_of_gaussians(mode):
    """S kT/s² = ⟨1⟩ for classical modes, tanh(x)/x for one quantum; never above one."""
    ratio = float(mode.stokes_shift_meV * mode.thermal_energy_meV / mode.width_meV**2)
    assert ratio <= 1 + 1e-12
    x = 0.5 * float(mode.phonon_energy_meV) / float(mode.thermal_energy_meV)
    assert ratio >= np.tanh(x) / x - 1e-12


def test_without_optical_phonon_it_is_the_balanced_gaussian():
    mode = osc.Oscillators(0.0, 26.0, 20.0, 300.0)
    band = osc.absorption_band(mode)
    assert band.peak_meV == pytest.approx(20.0, rel=1e-6)
    assert band.linewidth_meV == pytest.approx(FWHM_PER_SIGMA * float(mode.width_meV), rel=1e-7)
    dot = osc.gaussian_dot(mode)
    assert float(dot.stokes_shift_meV) == pytest.approx(40.0, rel=1e-14)
    assert float(dot.linewidth_meV) == FWHM_PER_SIGMA * float(mode.width_meV)
    for floor in (1e-6, 0.01, 0.2):
        here, there = osc.threshold_onset(mode, floor), qdgain.threshold_onset(dot, floor)
        assert here.mean_excitons == pytest.approx(float(there.mean_excitons), rel=1e-7)
        above = 1e3 * (there.energy_eV - (dot.absorption_energy_eV - 0.02))
        assert here.detuning_meV == pytest.approx(float(above), abs=1e-2)
    maximum = qdgain.threshold_at_maximum(dot).mean_excitons
    assert threshold_at_emission_peak(40.0, 300.0) == pytest.approx(float(maximum), rel=1e-12)


@pytest.mark.slow
@given(modes(), st.floats(1e-4, 0.3))
@settings(max_examples=30)
def test_no_energy_gains_before_the_onset(mode, floor):
    found = osc.threshold_onset(mode, floor)
    energy = np.linspace(-3, 3, 2001) * float(mode.width_meV)
    peak = osc.log_absorption(mode, osc.absorption_band(mode).peak_meV[..., None])
    loss, emission = (
        np.exp(log(mode, energy) - peak) for log in (osc.log_absorption, osc.log_emission)
    )
    if not np.isfinite(found.mean_excitons):
        assert (emission < floor).all()
        return
    n = 0.5 * float(found.mean_excitons)
    assert np.max(0.999 * n * emission - (1 - 0.999 * n) * loss) < floor


@given(modes())
@settings(max_examples=40)
def test_peak_and_half_height_are_found(mode):
    band = osc.absorption_band(mode)
    peak = osc.log_absorption(mode, band.peak_meV[..., None])
    around = mode.search_energies_meV()
    assert (osc.log_absorption(mode, around) <= peak + 1e-9).all()
    outer = around[osc.log_absorption(mode, around) >= peak - np.log(2)]
    step = float(around[1] - around[0])
    assert outer[-1] - outer[0] <= float(band.linewidth_meV) + 1e-9
    assert float(band.linewidth_meV) <= outer[-1] - outer[0] + 2 * step + 1e-9


def test_stokes_shift_is_divided_between_the_modes():
    mode = osc.oscillators_for(np.array([2.0, 50.0]), 0.2, 26.0, 300.0)
    assert mode.stokes_shift_meV == pytest.approx([2.0, 50.0])
    assert mode.huang_rhys == pytest.approx([0.95 / 26.0, 0.2])
    assert mode.low_energy_reorganisation_meV == pytest.approx([0.05, 25 - 5.2])


def test_shapes_broadcast_over_temperature():
    mode = osc.oscillators_for(40.0, 0.2, 26.0, np.array([77.0, 300.0, 400.0]))
    band, onset = osc.absorption_band(mode), osc.threshold_onset(mode, 0.01)
    for i, temperature in enumerate(mode.temperature_K):
        one = osc.oscillators_for(40.0, 0.2, 26.0, float(temperature))
        assert band.peak_meV[i] == pytest.approx(float(osc.absorption_band(one).peak_meV), rel=1e-5)
        assert onset.mean_excitons[i] == pytest.approx(
            float(osc.threshold_onset(one, 0.01).mean_excitons), rel=1e-7
        )


def test_extreme_couplings_stay_finite():
    for values in ((20.0, 1.0, 1.0, 2000.0), (1e-9, 200.0, 0.1, 1.0), (0.0, 26.0, 5.0, 1.0)):
        mode = osc.Oscillators(*values)
        assert np.exp(mode.progression[1]).sum() == pytest.approx(1, abs=1e-9)
        assert np.isfinite(osc.absorption_band(mode).linewidth_meV)


@pytest.mark.parametrize("values", [(-0.1, 26, 5, 300), (0.2, 0, 5, 300), (0.2, 26, 0, 300)])
def test_impossible_couplings_are_refused(values):
    with pytest.raises(ParameterError, match="is not allowed"):
        osc.Oscillators(*values)
