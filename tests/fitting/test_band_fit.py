"""Fits of synthetic spectra of known dots: the truth, within errors that mean what they say."""

import re
from dataclasses import replace
from functools import cache

import numpy as np
import pytest

import fit_coverage
import qdgain
from qdgain import ParameterError
from qdgain.fitting import averaging, judgement, lineshapes, synthetic_spectra
from qdgain.fitting import spectra as shapes
from qdgain.fitting.band_fit import fit_bands
from qdgain.fitting.spectra import Spectrum, emission_per_eV, even_spectrum
from qdgain.fitting.synthetic_spectra import Surroundings, simulate
from qdgain.fitting.transient_fit import Bands, fit_transient
from qdgain.model.units import eV_from_nm, sigma_from_fwhm

DOT = synthetic_spectra.EXAMPLE
A = DOT.xx_absorption_strength


def spectra(dot=DOT, noise=0.01, seed=0, around=None, step=1.0):
    simulated = simulate(dot, noise=noise, seed=seed, surroundings=around, step_nm=step)
    return simulated.against_energy


@cache
def fitted():
    """The fit that several tests look at."""
    return fit_bands(*spectra(), xx_absorption_strength=A)


def truth(fit, dot=DOT):
    return np.array([dot.values()[name] for name in fit.names])


def with_line(emission, at_eV, height, width_eV=0.012):
    top = height * emission.values.max()
    line = top * np.exp(-4 * np.log(2) * ((emission.energy_eV - at_eV) / width_eV) ** 2)
    return emission._replace(values=emission.values + line)


def test_one_exciton_per_dot_is_the_models_own_limit():
    energy = np.linspace(1.7, 2.3, 61)
    signal = shapes.relaxed_exciton_signal(DOT, energy)
    few = 1e-6
    change = -qdgain.gain(DOT, energy, few) + qdgain.gain(DOT, energy, 0.0)
    np.testing.assert_allclose(change / few, signal, atol=3e-6)
    A_X, PL_X, _, A_XX2, _ = qdgain.bands(DOT, energy)
    np.testing.assert_allclose(signal, 0.5 * (A * A_XX2 - PL_X - A_X), atol=1e-12)
    replacing = shapes.relaxed_exciton_signal(replace(DOT, reading="replacing"), energy)
    np.testing.assert_allclose(replacing, -A_X + 0.5 * (A * A_XX2 - PL_X), atol=1e-12)


@pytest.mark.parametrize(("asymmetry", "lorentzian"), [(0, 0), (0.4, 0), (-0.4, 0), (0, 0.7)])
def test_every_band_has_its_maximum_and_width_where_it_says(asymmetry, lorentzian):
    x = np.linspace(-3, 3, 6001)
    y = lineshapes.band(x, asymmetry, lorentzian)
    assert x[y.argmax()] == pytest.approx(0, abs=1e-3)
    assert y.max() == pytest.approx(1)
    on = x[y >= 0.5]
    assert on[-1] - on[0] == pytest.approx(1, abs=2e-3)
    assert np.log(on[-1] / -on[0]) == pytest.approx(asymmetry, abs=5e-3)


def solved(shapes, covariance):
    """Return one fit of an average, of which only this matters."""
    nothing = np.zeros(1)
    shapes = np.array(shapes)
    return averaging.Fitted(None, None, shapes, covariance, nothing, nothing, 0.0, 0, 0.5)


def test_an_average_has_the_mean_covariance_and_the_spread():
    both = [solved([0.0, 1.0], np.eye(2)), solved([2.0, 2.0], 3 * np.eye(2))]
    mean, covariance = averaging.average(both)
    np.testing.assert_allclose(mean, [1.0, 1.5])
    np.testing.assert_allclose(covariance, 2 * np.eye(2) + [[1.0, 0.5], [0.5, 0.25]])


def test_models_of_one_spectrum_are_weighed_by_their_criterion():
    """A model with one parameter more, which the data do not need, counts less by BIC's factor."""
    x = np.linspace(-2, 2, 200)
    noise = 0.01 * np.random.default_rng(3).standard_normal(x.size)
    to = averaging.target(even_spectrum(x + 5, lineshapes.band(x) + noise), 0.0, 1.0)

    def model(name, count):
        low, high = np.array([-0.5, 0.5, -0.3])[:count], np.array([0.5, 2.0, 0.3])[:count]
        start, unknown = np.array([0.1, 1.2, 0.05])[:count], np.full(count, np.inf)

        def curves(p):
            return np.stack([lineshapes.band((x - p[0]) / p[1], *p[2:]), np.ones_like(x)], -1)

        parts = ("A_X", "background")
        return averaging.Model(name, parts, curves, low, high, start, start, unknown)

    found, least, independent = averaging.window([model("a", 2), model("b", 3)], to, [], 0.02)
    assert 100 < independent <= 200
    plain, skewed = found
    gained = independent * np.log(plain.mean_square / skewed.mean_square)
    ratio = found[1].weight / found[0].weight
    lost = (skewed.used - plain.used) * np.log(independent)
    assert ratio == pytest.approx(np.exp(0.5 * (gained - lost)))
    assert least == averaging.criterion(plain.mean_square, plain.used, independent)
    # Of a Gaussian with white noise the error of the centre is known.
    slope = np.gradient(lineshapes.band(x), x)
    error = 0.01 / np.sqrt(slope @ slope)
    assert np.sqrt(plain.covariance[0, 0]) == pytest.approx(error, rel=0.15)


def test_an_edge_is_what_bands_add_up_to():
    x = np.linspace(-2, 2, 4001)
    step, ramp = lineshapes.edge(x)
    area = np.cumsum(lineshapes.band(x)) * (x[1] - x[0])
    np.testing.assert_allclose(step, area / area[-1], atol=1e-3)
    np.testing.assert_allclose(np.gradient(ramp, x), step, atol=1e-3)


def test_the_truth_comes_back_within_its_errors():
    fit = fitted()
    assert fit.names[:4] == fit_coverage.FIELDS
    scores = (fit.values - truth(fit)) / fit.standard_errors
    assert (np.abs(scores) < 2).all()
    assert 1e3 * fit.standard_errors[0] < 0.06 * DOT.linewidth_meV
    assert fit.grade == "good", fit.reasons
    for spectrum in fit.spectra.values():
        left = spectrum.fitted - spectrum.measured
        assert np.std(left) < 0.03 * np.abs(spectrum.measured).max()


def test_a_band_too_blue_is_too_wide_and_its_shift_too_large():
    """Correlations of the errors have the signs and sizes that repeated experiments show."""
    fit = fitted()
    errors = fit.standard_errors
    correlation = (fit.covariance / np.outer(errors, errors))[:4, :4]
    assert np.linalg.eigvalsh(fit.covariance).min() > 0
    assert correlation[0, 1] > 0.5
    assert correlation[0, 2] > 0.9
    assert correlation[1, 2] > 0.5
    assert abs(correlation[3, 0]) < 0.2
    # S = A_X - PL_X: a bluer PL makes the shift smaller, so that its error is the larger one.
    assert errors[2] >= 1e3 * errors[0]


def test_the_shift_of_the_biexciton_knows_of_the_bands_it_rests_on():
    fit = fitted()
    assert np.abs(fit.covariance[4, :4]).max() > 0
    assert fit.names[4] == "absorptive_binding_meV"


def test_neither_finer_sampling_nor_the_unit_decides():
    """The same curves, sampled otherwise or in other units, give the same dot."""
    fine = fit_bands(*spectra(noise=1e-4, step=0.5)[:2])
    coarse = fit_bands(*spectra(noise=1e-4, step=2.0)[:2])
    assert abs(fine.values[0] - coarse.values[0]) < 0.5 * fine.standard_errors[0]
    absorption, emission, _ = spectra(noise=1e-4, step=2.0)
    units = fit_bands(
        absorption._replace(values=7 * absorption.values),
        emission._replace(values=1e-6 * emission.values),
    )
    np.testing.assert_allclose(units.values, coarse.values, rtol=1e-5)


def test_the_end_of_the_window_moves_no_band_by_more_than_its_error():
    absorption, emission, _ = spectra()
    fit = fitted()
    end = fit.windows["absorption"][1]
    for by in (-0.05, 0.05):
        moved = fit_bands(absorption, emission, to_eV=end + by)
        assert abs(moved.values[0] - fit.values[0]) < fit.standard_errors[0]
        assert moved.windows["absorption"][1] != end


def test_a_window_may_end_beyond_what_was_measured():
    absorption, emission, _ = spectra()
    far = fit_bands(absorption, emission, to_eV=9.0)
    assert abs(far.values[0] - fitted().values[0]) < far.standard_errors[0]
    assert far.windows["absorption"][1] == pytest.approx(absorption.ends[1], abs=0.01)


def test_without_a_second_transition_there_is_none():
    bare = Surroundings(second_strength=0.0, third_strength=0.0, second_bleach=0.0)
    fit = fit_bands(*spectra(around=bare)[:2])
    assert abs(fit.values[0] - 2.0) < 2 * fit.standard_errors[0]


def test_leaving_out_the_jacobian_shifts_the_pl_as_known():
    """The PL comes out 2s²/E too blue, and the Stokes shift that much too small."""
    bare = Surroundings(offset=0, slope_per_eV=0, traps=0)
    simulated = simulate(DOT, noise=1e-4, seed=2, surroundings=bare)
    energy = eV_from_nm(simulated.wavelength_nm)[::-1]
    absorption = even_spectrum(energy, simulated.absorbance[::-1])
    intensity = simulated.intensity_per_nm[::-1]
    peaks = [
        fit.values[0] - 1e-3 * fit.values[2]
        for fit in (
            fit_bands(absorption, emission_per_eV(energy, intensity)),
            fit_bands(absorption, even_spectrum(energy, intensity)),
        )
    ]
    s = 1e-3 * sigma_from_fwhm(75.0)
    assert peaks[1] - peaks[0] == pytest.approx(2 * s**2 / (2.0 - 0.045), rel=0.15)


def test_a_line_of_scattered_light_is_left_out_and_said():
    absorption, emission, _ = spectra()
    spoilt = with_line(emission, 2.3, 6.0)
    fit = fit_bands(absorption, spoilt)
    assert "a line at 2.3 eV" in fit.reasons[0]
    assert fit.grade == "usable"
    np.testing.assert_allclose(fit.values[2:], fitted().values[2:4], atol=3.0)


def test_a_line_alone_is_no_pl():
    energy = np.linspace(1.7, 2.4, 400)
    noise = 0.01 * np.random.default_rng(1).standard_normal(energy.size)
    line = with_line(even_spectrum(energy, 1.0 + noise), 2.3, 20.0)
    with pytest.raises(ParameterError, match=r"highest point, at 2\.3 eV, is a line"):
        fit_bands(spectra()[0], line)


def test_clipped_counts_are_refused_but_a_flat_top_by_rounding_is_not():
    absorption, emission, _ = spectra(noise=1e-4)
    counts = even_spectrum(
        emission.energy_eV, np.minimum(emission.values, 0.8 * emission.values.max())
    )
    with pytest.raises(ParameterError, match=r"the PL is clipped from 1\.9\d+ to 1\.9\d+ eV"):
        fit_bands(absorption, counts)
    # An instrument counts per nm, or eV, as the axis is: of these is the limit.
    per_nm = emission.values / emission.relative_noise
    counts = np.minimum(per_nm, 0.8 * per_nm.max()) * emission.relative_noise
    with pytest.raises(ParameterError, match="the PL is clipped"):
        fit_bands(absorption, emission._replace(values=counts))
    x = np.linspace(-3, 3, 601)
    rounded = even_spectrum(x + 5, np.round(100 * np.exp(-x * x)))
    assert judgement.clipped(rounded, "PL") == ""


def test_a_trap_taken_for_the_pl_leads_to_the_option_that_helps():
    absorption, emission, _ = spectra()
    energy = emission.energy_eV
    low = np.linspace(1.3, energy[0], 150, endpoint=False)
    both = Spectrum(*(np.concatenate([np.zeros(150), c]) for c in emission))
    both = both._replace(energy_eV=np.concatenate([low, energy]))
    both = both._replace(relative_noise=np.ones(both.values.size))
    trap = 1.6 * emission.values.max() * shapes.gaussian(both.energy_eV, 1.45, 200.0)
    both = both._replace(values=both.values + trap)
    low = np.linspace(1.2, absorption.energy_eV[0], 200, endpoint=False)
    flat = absorption.values[:5].mean() + 1e-3 * np.random.default_rng(0).standard_normal(200)
    long = even_spectrum(np.append(low, absorption.energy_eV), np.append(flat, absorption.values))
    with pytest.raises(ParameterError, match=r"beside the PL's peak at 1\.4\d+ eV") as refusal:
        fit_bands(long, both)
    option = str(refusal.value).split("--from-eV ")[1].split()[0]
    fit = fit_bands(long, both, from_eV=float(option))
    assert abs(fit.values[0] - 2.0) < 3 * fit.standard_errors[0]


def test_what_keeps_a_grade_down_is_its_first_reason():
    absorption, emission, _ = spectra()
    on_a_base = emission._replace(values=emission.values + 0.6 * emission.values.max())
    fit = fit_bands(absorption, on_a_base)
    assert fit.grade == "usable"
    assert re.match(r"of the PL at its peak 6\d % are the band", fit.reasons[0])


def test_too_much_absorption_is_warned_of():
    absorption, emission, _ = spectra(noise=1e-3)
    dark = absorption._replace(values=12 * absorption.values)
    fit = fit_bands(dark, emission, is_absorbance=True)
    assert fit.grade == "poor"
    assert "stray light" in fit.reasons[0]
    assert "too far to the red" in fit.reasons[1]
    # In another unit nothing can be said of it.
    assert fit_bands(dark, emission).grade == "good"


@pytest.mark.parametrize("part", [0.6, 0.75, 0.95])
def test_a_clipped_absorption_is_poor(part):
    absorption, emission, _ = spectra(noise=1e-3)
    near = absorption.part(1.7, 2.465).values
    limit = near.min() + part * np.ptp(near)
    clipped = absorption._replace(values=np.minimum(absorption.values, limit))
    try:
        fit = fit_bands(clipped, emission)
    except ParameterError:
        return
    assert fit.grade == "poor"
    assert "the absorption is clipped from" in fit.reasons[0]


def test_the_inner_filter_moves_a_band_as_an_integral_says():
    energy = np.linspace(1.8, 2.2, 4001)
    # A thin sample whose absorption rises evenly: the mean transmission is 1 - A ln10 / 2.
    rise = even_spectrum(energy, 0.02 * (energy - 1.8))
    s = sigma_from_fwhm(80.0)
    expected = 1e-3 * s**2 * 0.02 * np.log(10) / 2
    found = judgement.inner_filter_meV(rise, 2.0, 80.0)
    assert found == pytest.approx(expected, rel=0.02)


def test_spectra_of_two_samples_are_refused_or_doubted():
    absorption, emission, _ = spectra()
    far = emission._replace(energy_eV=emission.energy_eV - 0.15)
    with pytest.raises(ParameterError, match=r"no exciton|not of one dot|no first band"):
        fit_bands(absorption, far)


@pytest.mark.filterwarnings("error")
@pytest.mark.parametrize("number", [0, 1, 2, 3, 4])
def test_an_edge_is_no_exciton(number):
    with pytest.raises(ParameterError, match=r"no (exciton|first band) stands out|known only"):
        fit_bands(*fit_coverage.featureless(number))


KNOWN = {
    "centre_eV": 2.0,
    "width_meV": 85.0,
    "gap_meV": 160.0,
    "second_width_meV": 110.0,
    "pl_centre_eV": 1.955,
    "pl_width_meV": 75.0,
}


def test_the_strength_is_fitted_only_where_transient_and_bands_determine_it():
    sharp = Bands(tuple(KNOWN), np.array([*KNOWN.values()]), 1e-10 * np.eye(len(KNOWN)))
    transient = spectra(around=Surroundings(third_strength=0.0))[2]
    joint, _, free = fit_transient(transient, sharp, 1.7, None, shapes.exciton_weights(DOT))
    assert free.determined
    assert joint.names[-2:] == ("absorptive_binding_meV", "xx_absorption_strength")
    np.testing.assert_allclose(joint.values[-2:], [20.0, A], atol=3)
    np.testing.assert_allclose(joint.values[-1], A, atol=0.1)
    # What is not known of the bands is not known of the strength either.
    fit = fitted()
    assert fit.free_strength.xx_absorption_strength[1] > 3 * free.xx_absorption_strength[1]
    assert fit.free_strength.determined == (fit.names[-1] == "xx_absorption_strength")
    vague = np.diag([(0.01 if name.endswith("_eV") else 10.0) ** 2 for name in KNOWN])
    unsure = sharp._replace(covariance=vague)
    joint, _, free = fit_transient(transient, unsure, A, None, shapes.exciton_weights(DOT))
    assert not free.determined
    assert joint.names[-1] == "absorptive_binding_meV"
    assert abs(joint.values[-1] - 20) < 3 * np.sqrt(joint.covariance[-1, -1])


@pytest.mark.parametrize("degree", [1, 2, 3])
def test_a_drift_is_no_transient(degree):
    absorption, emission, transient = spectra()
    x = transient.energy_eV - 2.0
    drift = np.polynomial.Polynomial([1.0, *[3.0**k for k in range(1, degree + 1)]])(x)
    noise = 0.02 * np.random.default_rng(degree).standard_normal(x.size)
    with pytest.raises(ParameterError, match=r"drift of the baseline|no bleach|negative where"):
        fit_bands(absorption, emission, transient._replace(values=drift + noise))


FLAT = even_spectrum(np.linspace(1.7, 2.4, 200), np.random.default_rng(0).normal(size=200))


@pytest.mark.parametrize(
    ("change", "why"),
    [
        (lambda a, p, t: (FLAT, p, None), "no (exciton|first band) stands out of the absorption"),
        (lambda a, p, t: (a, p, t._replace(values=-t.values)), "negative where the sample is"),
        (
            lambda a, p, t: (even_spectrum(a.energy_eV[:5], a.values[:5]), p, None),
            r"no first band stands out of the absorption beside the PL's peak at 1\.95\d+ eV",
        ),
        (lambda a, p, t: (a, even_spectrum(p.energy_eV[:9], p.values[:9]), None), "the PL has 9"),
        (lambda a, p, t: (a._replace(values=0 * a.values + 0.01), p, None), "no first band stands"),
        (lambda a, p, t: (a, p._replace(values=0 * p.values), None), "no band stands out"),
        (lambda a, p, t: (a, p._replace(values=0 * p.values + 7), None), "no band stands out of"),
        (lambda a, p, t: (a, p._replace(values=-p.values), None), "no band stands out of the PL"),
        (lambda a, p, t: (a, p, t._replace(values=0 * t.values)), "no bleach of A_X and PL_X"),
    ],
)
@pytest.mark.filterwarnings("error")
def test_spectra_that_lack_a_band_are_refused(change, why):
    with pytest.raises(ParameterError, match=why) as refusal:
        fit_bands(*change(*spectra()))
    assert "\n" not in str(refusal.value)


def test_a_window_beside_the_band_is_refused():
    absorption, emission, _ = spectra()
    with pytest.raises(ParameterError, match=r"PL has 0 points from 3 to 4 eV"):
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
