"""Fits of synthetic spectra of known dots: the truth, within errors that mean what they say."""

from dataclasses import replace

import numpy as np
import pytest

import qdgain
from qdgain import ParameterError
from qdgain.fitting import spectra as shapes
from qdgain.fitting import synthetic_spectra
from qdgain.fitting.band_fit import fit_bands
from qdgain.fitting.spectra import emission_per_eV, even_spectrum
from qdgain.fitting.synthetic_spectra import Surroundings, simulate
from qdgain.model.units import eV_from_nm, sigma_from_fwhm

DOT = synthetic_spectra.EXAMPLE
A = DOT.xx_absorption_strength


def spectra(dot=DOT, noise=0.01, seed=0, around=None, step=1.0):
    simulated = simulate(dot, noise=noise, seed=seed, surroundings=around, step_nm=step)
    return simulated.against_energy


def truth(fit, dot=DOT):
    return np.array([dot.values()[name] for name in fit.names])


def test_one_exciton_per_dot_is_the_models_own_limit():
    energy = np.linspace(1.7, 2.3, 61)
    signal = shapes.relaxed_exciton_signal(DOT, energy)
    few = 1e-6
    change = -qdgain.gain(DOT, energy, few) + qdgain.gain(DOT, energy, 0.0)
    np.testing.assert_allclose(change / few, signal, atol=3e-6)
    A_X, PL_X, _, A_XX2, _ = qdgain.bands(DOT, energy)
    np.testing.assert_allclose(signal, -A_X + 0.5 * (A * A_XX2 - PL_X), atol=1e-12)


def test_without_noise_the_truth_comes_back():
    # The straight line under the PL is straight per eV, as it was made; only rounding is left.
    fit = fit_bands(*spectra(noise=1e-7), hold_strength=False)
    np.testing.assert_allclose(fit.values, truth(fit), rtol=1e-5)
    for spectrum in fit.spectra.values():
        np.testing.assert_allclose(
            spectrum.fitted, spectrum.measured, atol=1e-6 * np.abs(spectrum.measured).max()
        )


@pytest.mark.slow
@pytest.mark.parametrize("hold", [True, False])
def test_errors_cover_the_truth_as_often_as_they_say(hold):
    scores = []
    for seed in range(30):
        fit = fit_bands(
            *spectra(noise=0.02, seed=seed), xx_absorption_strength=A, hold_strength=hold
        )
        scores.append((fit.values - truth(fit)) / fit.standard_errors)
    scores = np.array(scores)
    # Of a normal distribution: 95 % within 2, and a spread of 1 give or take a ninth.
    assert 0.89 <= (np.abs(scores) <= 2).mean() <= 0.995
    assert (np.abs(scores.mean(axis=0)) < 0.7).all()
    assert (scores.std(axis=0) > 0.6).all()
    assert (scores.std(axis=0) < 1.4).all()


def test_the_shift_and_its_errors_know_of_the_bands_they_rest_on():
    """The spread of Δ_A2 comes in part from the bands, and so do its correlations."""
    absorption, emission, transient = spectra(noise=0.03)
    fit = fit_bands(absorption, emission, transient, xx_absorption_strength=A, hold_strength=True)
    quiet = simulate(DOT, noise=1e-6, seed=1)
    sharp = fit_bands(
        *quiet.against_energy[:2],
        transient,
        xx_absorption_strength=A,
        hold_strength=True,
    )
    assert fit.standard_errors[4] > 1.15 * sharp.standard_errors[4]
    assert np.abs(fit.covariance[4, :4]).max() > 0
    assert np.linalg.eigvalsh(fit.covariance).min() > 0


def test_background_and_second_transition_do_not_bias():
    """The plain model, without them, is far off on the same spectra."""
    around = Surroundings(second_gap_meV=120.0, second_strength=1.0, scattering=0.4)
    absorption, emission, _ = spectra(noise=0.005, around=around)
    fit = fit_bands(absorption, emission)
    assert (np.abs(fit.values - truth(fit)) < 3 * fit.standard_errors).all()
    plain = absorption.energy_eV[np.argmax(absorption.values)]
    assert abs(1e3 * (plain - 2.0)) > 10 * 1e3 * fit.standard_errors[0]
    assert set(fit.spectra["absorption"].parts) == {"A_X", "second transition", "background"}


def test_a_continuum_to_the_blue_is_left_out_of_the_window():
    """Three transitions and the bulk, as in a real file down to the ultraviolet."""
    emission = spectra(noise=0.005)[1]
    energy = eV_from_nm(np.arange(800.0, 350.0, -1.0))
    steps = 1.0 / (1 + np.exp(-(energy - 2.42) / 0.08))
    real = 0.3 * (
        shapes.gaussian(energy, 2.0, 85)
        + 0.6 * shapes.gaussian(energy, 2.13, 110)
        + 0.9 * shapes.gaussian(energy, 2.28, 160)
        + 1.1 * steps * energy**3 / 8
    )
    real += 0.001 * np.random.default_rng(3).standard_normal(energy.size)
    fit = fit_bands(even_spectrum(energy, real), emission)
    assert "fitted up to 2." in fit.notes[0]
    assert fit.spectra["absorption"].energy_eV[-1] < 2.2
    assert fit.spectra["absorption"].correlation_factor <= 2
    np.testing.assert_allclose(fit.values[:3], [2.0, 85.0, 45.0], rtol=0.04)
    # Told to fit it all the same, it does not pretend.
    with pytest.raises(ParameterError, match="a narrower window may help"):
        fit_bands(even_spectrum(energy, real), emission, to_eV=2.3)


def test_without_a_second_transition_none_is_fitted():
    absorption, emission, transient = spectra(
        around=Surroundings(second_strength=0.0, second_bleach=0.0)
    )
    fit = fit_bands(absorption, emission, transient)
    assert set(fit.spectra["absorption"].parts) == {"A_X", "background"}
    assert "no second transition" in fit.notes[0]
    assert (np.abs(fit.values - truth(fit)) < 4 * fit.standard_errors).all()


def test_leaving_out_the_jacobian_shifts_the_pl_as_known():
    """The PL comes out 2s²/E too blue, and the Stokes shift that much too small."""
    simulated = simulate(
        DOT, noise=1e-4, seed=2, surroundings=Surroundings(offset=0, slope_per_eV=0)
    )
    energy = eV_from_nm(simulated.wavelength_nm)[::-1]
    absorption = even_spectrum(energy, simulated.absorbance[::-1])
    intensity = simulated.intensity_per_nm[::-1]
    right = fit_bands(absorption, emission_per_eV(energy, intensity))
    wrong = fit_bands(absorption, even_spectrum(energy, intensity))
    s, centre = 1e-3 * sigma_from_fwhm(75.0), 2.0 - 0.045
    bias = right.values[2] - wrong.values[2]
    assert right.values[2] == pytest.approx(45.0, abs=0.02)
    assert bias == pytest.approx(1e3 * 2 * s**2 / centre, rel=0.05)
    assert bias > 20 * wrong.standard_errors[2]


def test_the_strength_is_fitted_only_where_the_transient_determines_it():
    clear = fit_bands(*spectra(noise=0.01), xx_absorption_strength=1.7)
    assert clear.free_strength.determined
    assert clear.names[-2:] == ("absorptive_binding_meV", "xx_absorption_strength")
    np.testing.assert_allclose(clear.values[-1], A, atol=0.1)
    # Emission and absorption on one another: a weaker bleach and a stronger ESA look alike.
    close = replace(
        DOT, stokes_shift_meV=4.0, emission_linewidth_meV=None, absorptive_binding_meV=5
    )
    blurred = fit_bands(*spectra(close, noise=0.05), xx_absorption_strength=A)
    assert blurred.free_strength is None or not blurred.free_strength.determined
    assert blurred.names[-1] == "absorptive_binding_meV"
    assert abs(blurred.values[-1] - 5) < 4 * blurred.standard_errors[-1]


def test_a_wrong_strength_that_is_held_shows():
    """Held at a wrong value, the shift is off and the residual is not random."""
    *bands, transient = spectra(noise=0.002)
    fit = fit_bands(*bands, transient, xx_absorption_strength=0.6, hold_strength=True)
    assert abs(fit.values[-1] - 20) > 5
    assert any("transient are correlated" in note for note in fit.notes)
    assert fit.spectra["transient"].correlation_factor > 2


def test_correlated_residuals_raise_the_errors():
    absorption, emission, _ = spectra(noise=0.02)
    plain = fit_bands(absorption, emission)
    assert plain.spectra["absorption"].correlation_factor < 1.5
    smooth = np.convolve(absorption.values, np.ones(7) / 7, "same")[7:-7]
    smoothed = even_spectrum(absorption.energy_eV[7:-7], smooth)
    fit = fit_bands(smoothed, emission)
    assert fit.spectra["absorption"].correlation_factor > 4
    assert "neighbouring residuals of the absorption are correlated" in fit.notes[0]
    # Smoothing adds no knowledge: the error must stay about what it was.
    assert fit.standard_errors[0] > 0.6 * plain.standard_errors[0]


def test_the_unit_of_the_values_does_not_matter():
    absorption, emission, transient = spectra()
    one = fit_bands(absorption, emission, transient)
    other = fit_bands(
        *(
            s._replace(values=k * s.values)
            for s, k in ((absorption, 7), (emission, 1e-6), (transient, 1e3))
        )
    )
    np.testing.assert_allclose(other.values, one.values, rtol=1e-5)
    np.testing.assert_allclose(other.standard_errors, one.standard_errors, rtol=1e-3)


def test_the_window_may_be_given():
    absorption, emission, _ = spectra()
    fit = fit_bands(absorption, emission, from_eV=1.8, to_eV=2.25)
    for spectrum in fit.spectra.values():
        assert 1.8 <= spectrum.energy_eV[0] < 1.81
        assert 2.24 < spectrum.energy_eV[-1] <= 2.25
    assert (np.abs(fit.values - truth(fit)) < 4 * fit.standard_errors).all()
    # A laser line in the PL that is not part of it.
    spoilt = emission.values + 5 * emission.values.max() * np.exp(
        -0.5 * ((emission.energy_eV - 2.4) / 0.003) ** 2
    )
    spoilt = emission._replace(values=spoilt)
    assert fit_bands(absorption, spoilt, to_eV=2.3).values[2] == pytest.approx(45, abs=1)


FLAT = even_spectrum(np.linspace(1.7, 2.4, 200), np.random.default_rng(0).normal(size=200))


@pytest.mark.slow
@pytest.mark.parametrize(
    ("change", "why"),
    [
        (lambda a, p, t: (a, FLAT, None), "no band stands out of the PL"),
        (lambda a, p, t: (FLAT, p, None), "no first band stands out of the absorption"),
        (lambda a, p, t: (a, p, FLAT), "the transient shows no bleach|does not tell"),
        (lambda a, p, t: (a, p, t._replace(values=-t.values)), "negative where the sample is"),
        (
            lambda a, p, t: (even_spectrum(a.energy_eV[:5], a.values[:5]), p, None),
            r"the absorption has \d points from 1\.\d+ to 2\.\d+ eV and needs 12",
        ),
        (lambda a, p, t: (a, even_spectrum(p.energy_eV[:9], p.values[:9]), None), "the PL has 9"),
    ],
)
def test_spectra_that_lack_a_band_are_refused(change, why):
    with pytest.raises(ParameterError, match=why) as refusal:
        fit_bands(*change(*spectra()))
    assert "\n" not in str(refusal.value)


def test_a_window_beside_the_band_is_refused():
    absorption, emission, _ = spectra()
    with pytest.raises(ParameterError, match="PL"):
        fit_bands(absorption, emission, from_eV=2.2)
    with pytest.raises(ParameterError, match=r"has 0 points from 3 to 4 eV"):
        fit_bands(absorption, emission, from_eV=3.0, to_eV=4.0)


def test_synthetic_spectra_are_what_they_say():
    quiet = simulate(DOT, noise=0.0, seed=0, surroundings=Surroundings(scattering=0, offset=0))
    noisy = simulate(DOT, noise=0.01, seed=0, surroundings=Surroundings(scattering=0, offset=0))
    for clean, spectrum in zip(quiet[1:], noisy[1:], strict=True):
        scatter = np.std(spectrum - clean) / np.abs(clean).max()
        assert scatter == pytest.approx(0.01, rel=0.2)
    assert simulate(DOT, noise=0.01, seed=3)[1][0] == simulate(DOT, noise=0.01, seed=3)[1][0]
    with pytest.raises(ParameterError, match="one dot"):
        synthetic_spectra.simulate(qdgain.Dot(stokes_shift_meV=[1.0, 2.0]), noise=0.1, seed=0)
