"""Simulated four-band spectra, and what one fit or a global fit can get out of them."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.integrate import solve_ivp
from scipy.stats import poisson

from qdgain import ParameterError
from qdgain.model import multiexcitons

TRUTH = multiexcitons.four_bands(
    exciton_energy_eV=2.4,
    linewidth_meV=90.0,
    xx_shift_meV=40.0,
    mx_lower_shift_meV=90.0,
    mx_upper_shift_meV=80.0,
    mx_lifetime_ps=12.0,
    xx_lifetime_ps=50.0,
    exciton_lifetime_ns=20.0,
)
ENERGY = np.linspace(2.1, 2.7, 61)
MEAN = np.array([0.3, 1.0, 2.5, 4.0])
DELAY = np.array([5.0, 20.0, 80.0, 300.0])
FIRST = 12  # highest fluence, 5 ps


def measured(seed, noise=0.005, truth=TRUTH):
    return multiexcitons.simulate(
        truth, ENERGY, MEAN, DELAY, response_fwhm_ps=3.0, noise=noise, seed=seed
    )


def test_bands_are_where_the_settings_put_them():
    np.testing.assert_allclose(TRUTH.centres_eV, [2.40, 2.36, 2.31, 2.48])
    shapes = multiexcitons.band_shapes(np.array(TRUTH.centres_eV), *TRUTH_BANDS)
    np.testing.assert_allclose(np.diag(shapes), 1.0)
    half = multiexcitons.band_shapes(np.array(TRUTH.centres_eV) + 0.045, *TRUTH_BANDS)
    np.testing.assert_allclose(np.diag(half), 0.5)


TRUTH_BANDS = (TRUTH.centres_eV, TRUTH.widths_meV)


def test_amplitudes_start_from_poisson():
    x, xx, lower, upper = multiexcitons.amplitudes(TRUTH, MEAN, 1e-4, 1e-6)
    np.testing.assert_allclose(x, poisson.pmf(1, MEAN), rtol=1e-4)
    np.testing.assert_allclose(xx / 2, poisson.pmf(2, MEAN), rtol=1e-4)
    np.testing.assert_allclose(upper, poisson.sf(2, MEAN), rtol=1e-4)
    np.testing.assert_allclose(lower, 2 * upper)


@pytest.mark.parametrize("mean", [0.5, 4.0])
def test_amplitudes_follow_the_rate_equations(mean):
    k = 1 / np.array(TRUTH.lifetimes_ps)

    def rates(_, N):
        return np.array([-k[0] * N[0] + k[1] * N[1], -k[1] * N[1] + k[2] * N[2], -k[2] * N[2]])

    start = [poisson.pmf(1, mean), poisson.pmf(2, mean), poisson.sf(2, mean)]
    end = solve_ivp(rates, (0, 300), start, t_eval=DELAY, rtol=1e-9, atol=1e-12).y
    found = multiexcitons.amplitudes(TRUTH, mean, DELAY, 1e-3)
    np.testing.assert_allclose(
        found, [end[0], 2 * end[1], 2 * end[2], end[2]], rtol=1e-5, atol=1e-12
    )


def test_low_fluence_is_one_band():
    weights = multiexcitons.amplitudes(TRUTH, 1e-4, DELAY, 3.0)
    assert weights[1:].max() < 2e-4 * weights[0].max()


@given(mean=st.floats(0.01, 8.0), delay=st.floats(5.0, 1000.0))
@settings(max_examples=40, deadline=None)
def test_populations_are_fractions(mean, delay):
    x, xx, _, upper = multiexcitons.amplitudes(TRUTH, mean, delay, 3.0)
    assert min(x, xx, upper) >= -1e-12
    assert x + xx / 2 + upper <= 1 + 1e-9


def test_simulation_repeats_and_carries_its_noise():
    one, again = measured(3), measured(3)
    np.testing.assert_array_equal(one.spectra, again.spectra)
    assert one.spectra.shape == (MEAN.size * DELAY.size, ENERGY.size)
    clean = one.amplitudes @ multiexcitons.band_shapes(ENERGY, *TRUTH_BANDS)
    assert np.std(one.spectra - clean) == pytest.approx(one.noise, rel=0.05)
    assert not np.array_equal(one.spectra, measured(4).spectra)


def test_global_fit_finds_the_truth_from_a_wrong_start():
    wrong = np.array(TRUTH.centres_eV) + np.array([0.01, -0.01, -0.02, 0.02])
    fit = multiexcitons.fit(measured(0), wrong, np.full(4, 70.0))
    error = 1e3 * np.abs(fit.centres_eV - TRUTH.centres_eV)
    assert (error < 4 * fit.centre_errors_meV).all()
    assert (np.abs(fit.widths_meV - 90) < 4 * fit.width_errors_meV).all()
    # 4 x 4 x 61 points: reduced chi-square scatters by sqrt(2/900).
    assert fit.reduced_chi_square == pytest.approx(1, abs=0.2)
    assert (fit.amplitudes >= 0).all()


@pytest.mark.slow
def test_expected_errors_are_the_scatter_of_the_global_fit():
    seeds = [measured(seed) for seed in range(24)]
    found = multiexcitons.compare(TRUTH, seeds, FIRST)
    scatter = np.sqrt(np.mean(found.global_errors_meV**2, axis=0))
    # 24 draws give a scatter to about 15 %. Amplitudes that cannot be negative make the fit a
    # little better than the bound, which does not know of it.
    assert (scatter < 1.45 * found.global_expected_meV).all()
    assert (scatter > 0.25 * found.global_expected_meV).all()
    # One spectrum is worse for every band, in the bound and in fact.
    assert (found.single_expected_meV > 5 * found.global_expected_meV).all()
    single = np.median(np.abs(found.single_errors_meV), axis=0)
    assert (single > np.median(np.abs(found.global_errors_meV), axis=0)).all()


def test_global_fit_agrees_with_the_standard_errors_it_reports():
    fit = multiexcitons.fit(measured(1), *TRUTH_BANDS)
    expected = multiexcitons.expected_errors_meV(TRUTH, measured(1))
    assert (fit.centre_errors_meV < 2 * expected).all()
    assert (fit.centre_errors_meV > 0.2 * expected).all()


def test_expected_errors_scale_with_the_noise_and_fall_when_widths_are_known():
    one = multiexcitons.one_spectrum(measured(0), FIRST)
    free = multiexcitons.expected_errors_meV(TRUTH, one)
    loud = multiexcitons.expected_errors_meV(TRUTH, one._replace(noise=2 * one.noise))
    np.testing.assert_allclose(loud, 2 * free, rtol=1e-6)
    known = multiexcitons.expected_errors_meV(TRUTH, one, widths_known=True)
    assert (known < free).all()


def test_bands_that_do_not_overlap_need_no_global_fit():
    apart = replace(TRUTH, centres_eV=(2.4, 2.3, 2.2, 2.5), widths_meV=(20.0,) * 4)
    found = multiexcitons.compare(apart, [measured(0, truth=apart)], FIRST)
    assert (np.abs(found.single_errors_meV) < 4 * found.single_expected_meV).all()
    assert found.single_expected_meV.max() < 1.0


def test_coinciding_bands_of_one_spectrum_are_not_determined():
    twice = replace(TRUTH, centres_eV=(2.4, 2.4, 2.31, 2.48))
    one = multiexcitons.one_spectrum(measured(0, truth=twice), FIRST)
    assert multiexcitons.expected_errors_meV(twice, one)[:2].min() > 1e3


def test_refusals():
    with pytest.raises(ParameterError, match="4 band centres"):
        replace(TRUTH, centres_eV=(2.4,))
    with pytest.raises(ParameterError, match="above 0"):
        replace(TRUTH, widths_meV=(0.0,) * 4)
