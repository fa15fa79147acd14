from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.integrate import quad

import qdgain
from qdgain.model import film as ase

DOT = qdgain.Dot(
    stokes_shift_meV=20.0,
    absorptive_binding_meV=30.0,
    emissive_binding_meV=15.0,
    xx_absorption_strength=1.5,
    xx_emission_strength=0.4,
    reading="replacing",
)
#: A full dot of it absorbs where it emits, and gains all the same.
ADDITIVE = replace(
    DOT,
    reading="additive",
    absorptive_binding_meV=50.0,
    xx_absorption_strength=0.7,
    xx_emission_strength=1.0,
)
BOTH = pytest.mark.parametrize("film_dot", [DOT, ADDITIVE], ids=["replacing", "additive"])
FILM = {"gain_exponent": 150.0, "pi_pulse_fluence_mJ_cm2": 1.5}

dots = st.builds(
    qdgain.Dot,
    stokes_shift_meV=st.floats(0.0, 120.0),
    absorptive_binding_meV=st.floats(-80.0, 80.0),
    emissive_binding_meV=st.floats(-40.0, 40.0),
    xx_absorption_strength=st.floats(0.0, 2.0),
    xx_emission_strength=st.floats(0.2, 1.0),
    reading=st.sampled_from(["replacing", "additive"]),
)


def test_amplification_has_its_limits():
    x = np.array([-1e4, -800.0, -1.0, -1e-9, 0.0, 1e-9, 1.0, 500.0])
    expected = np.array([1e-4, 1 / 800, 1 - np.exp(-1), 1.0, 1.0, 1.0, np.e - 1, np.nan])
    np.testing.assert_allclose(ase.amplification(x)[:-1], expected[:-1], rtol=1e-8)
    np.testing.assert_allclose(
        ase.log_amplification(x)[:-1], np.log(expected[:-1]), rtol=1e-8, atol=1e-8
    )
    assert ase.log_amplification(5000.0) == pytest.approx(5000 - np.log(5000), rel=1e-14)


@given(st.floats(-600, 600))
def test_amplification_and_its_logarithm_agree(x):
    assert np.log(ase.amplification(x)) == pytest.approx(ase.log_amplification(x), abs=1e-10)


def test_spontaneous_emission_holds_x_and_xx():
    energy = qdgain.model.bands.energy_window_eV(DOT)
    bands = qdgain.bands(DOT, energy)
    expected = 0.5 * 0.5 * bands.emission + 0.4 * 0.25 * bands.xx_emission
    np.testing.assert_allclose(ase.spontaneous_spectrum(DOT, energy, 1.0), expected, rtol=1e-13)


def test_a_film_without_length_emits_spontaneously():
    energy = qdgain.model.bands.energy_window_eV(DOT)
    mean = np.array([0.1, 1.0, 2.0])
    spontaneous = ase.spontaneous_spectrum(DOT, energy, mean)
    unamplified = ase.ase_spectrum(DOT, energy, mean, 0.0)
    np.testing.assert_allclose(unamplified, spontaneous, rtol=1e-13)
    np.testing.assert_allclose(ase.ase_spectrum(DOT, energy, mean, 1e-9), spontaneous, rtol=1e-8)


@BOTH
@pytest.mark.parametrize("statistics", ["rabi", "poisson", "sequential"])
def test_threshold_doubles_the_emitted_energy(film_dot, statistics):
    """The integrals done again by adaptive quadrature, at the fluence found."""
    found = ase.ase_threshold(film_dot, **FILM, statistics=statistics)
    mean = qdgain.mean_excitons_after_pulse(found.fluence_mJ_cm2, 1.5, statistics)
    assert mean == pytest.approx(found.mean_excitons, rel=1e-12)

    def integral(length):
        def at(energy):
            return float(ase.ase_spectrum(film_dot, energy, mean, length, statistics))

        return quad(at, 1.6, 2.3, points=[1.9, 1.97, 2.05], epsrel=1e-11, limit=400)[0]

    assert integral(FILM["gain_exponent"]) == pytest.approx(2 * integral(0.0), rel=1e-9)


@BOTH
@pytest.mark.parametrize("length", [5.0, 200.0, 1e4])
def test_threshold_is_accurate_on_its_energy_grid(monkeypatch, film_dot, length):
    dots = replace(
        film_dot, stokes_shift_meV=np.linspace(0, 120, 9), xx_emission_linewidth_meV=35.0
    )
    coarse = ase.ase_threshold(dots, length, 1.0).fluence_mJ_cm2
    monkeypatch.setattr(ase, "_STEP_WIDTHS", ase._STEP_WIDTHS / 4)
    monkeypatch.setattr(ase, "_WINDOW_WIDTHS", 10.0)
    fine = ase.ase_threshold(dots, length, 1.0).fluence_mJ_cm2
    assert np.isfinite(fine).any()
    np.testing.assert_allclose(coarse, fine, rtol=1e-9)


@settings(max_examples=20, deadline=None)
@given(dots, st.floats(5.0, 500.0), st.floats(1.01, 3.0))
def test_threshold_falls_as_the_film_grows(dot, length, factor):
    short = ase.ase_threshold(dot, length, 1.0).fluence_mJ_cm2
    long = ase.ase_threshold(dot, factor * length, 1.0).fluence_mJ_cm2
    assert long < short or np.isinf(short)


@settings(max_examples=20, deadline=None)
@given(dots, st.floats(5.0, 500.0), st.floats(-0.3, 1.0))
def test_a_common_energy_shift_changes_nothing(dot, length, shift_eV):
    moved = replace(dot, absorption_energy_eV=dot.absorption_energy_eV + shift_eV)
    before, after = (ase.ase_threshold(d, length, 1.0) for d in (dot, moved))
    assert after.fluence_mJ_cm2 == pytest.approx(before.fluence_mJ_cm2, rel=1e-9)
    if np.isfinite(before.energy_eV):
        assert after.energy_eV == pytest.approx(before.energy_eV + shift_eV, abs=1e-9)


@settings(max_examples=20, deadline=None)
@given(st.floats(1e-3, 1e3), st.sampled_from(["rabi", "poisson", "sequential"]))
def test_the_pi_pulse_scales_out_of_the_excitons(pi_pulse, statistics):
    unit = ase.ase_threshold(DOT, 150.0, 1.0, statistics)
    scaled = ase.ase_threshold(DOT, 150.0, pi_pulse, statistics)
    assert scaled.mean_excitons == unit.mean_excitons
    assert scaled.fluence_mJ_cm2 == pytest.approx(pi_pulse * unit.fluence_mJ_cm2, rel=1e-14)


@BOTH
def test_dots_broadcast(film_dot):
    stokes = np.linspace(5.0, 90.0, 6).reshape(2, 3)
    array = replace(film_dot, stokes_shift_meV=stokes)
    length = np.array([50.0, 150.0, 400.0])
    together = ase.ase_threshold(array, length, 1.5)
    mean, energy = np.array([0.5, 1.5]), np.linspace(1.8, 2.1, 7)
    spectra = ase.log_ase_spectrum(array, energy, mean, length)
    spikes = ase.spike_position_eV(array, mean, length)
    assert spectra.shape == (2, 3, 2, 7)
    assert spikes.shape == (2, 3, 2)
    for i in np.ndindex(2, 3):
        one = replace(film_dot, stokes_shift_meV=stokes[i])
        single = ase.ase_threshold(one, length[i[1]], 1.5)
        for a, b in zip(together, single, strict=True):
            assert a[i] == pytest.approx(float(b), rel=1e-9)
        np.testing.assert_allclose(
            spectra[i], ase.log_ase_spectrum(one, energy, mean, length[i[1]]), rtol=1e-13
        )
        np.testing.assert_allclose(
            spikes[i], ase.spike_position_eV(one, mean, length[i[1]]), rtol=1e-7
        )


def test_a_film_too_short_has_no_threshold():
    """G ≤ 1, so an amplification of two needs L_g of at least the root of e^x = 1 + 2x."""
    found = ase.ase_threshold(DOT.uncorrelated(), 1.2, 1.0)
    assert np.isinf(found.fluence_mJ_cm2)
    assert np.isinf(found.mean_excitons)
    assert np.isnan(found.energy_eV)
    full = ase.ase_threshold(DOT.uncorrelated(), 20.0, 1.0)
    assert 0 < full.fluence_mJ_cm2 < 1


@BOTH
def test_spike_position_is_the_maximum(film_dot):
    energy = np.linspace(1.85, 2.05, 200001)
    mean = np.array([0.2, 1.0, 1.7, 2.0])
    spectrum = ase.log_ase_spectrum(film_dot, energy, mean, 150.0)
    spike = ase.spike_position_eV(film_dot, mean, 150.0)
    np.testing.assert_allclose(spike, energy[np.argmax(spectrum, axis=-1)], atol=2e-6)
    assert np.isnan(ase.spike_position_eV(film_dot, 0.0, 150.0))


def test_fully_excited_the_film_is_made_of_biexcitons():
    centre = DOT.absorption_energy_eV - 1e-3 * (20.0 + 15.0)
    # Where they absorb as well, the spike stays in place only if they do so where they emit.
    tied = replace(ADDITIVE, absorptive_binding_meV=20.0 + 15.0)
    for dot in (DOT, tied):
        assert ase.spike_position_eV(dot, 2.0, 150.0) == pytest.approx(centre, abs=1e-7)
    assert ase.spike_position_eV(ADDITIVE, 2.0, 150.0) > centre + 1e-3


def test_bad_values_are_refused():
    with pytest.raises(qdgain.ParameterError, match="gain_exponent"):
        ase.ase_threshold(DOT, -1.0, 1.0)
    with pytest.raises(qdgain.ParameterError, match="pi_pulse_fluence_mJ_cm2"):
        ase.ase_threshold(DOT, 1.0, 0.0)
    with pytest.raises(qdgain.ParameterError, match="statistics"):
        ase.ase_threshold(DOT, 1.0, 1.0, "bose")
    with pytest.raises(qdgain.ParameterError, match="mean_excitons"):
        ase.ase_spectrum(DOT, 2.0, 2.5, 1.0)
