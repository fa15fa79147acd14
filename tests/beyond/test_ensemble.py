"""Averages over a sample: closed forms, Monte Carlo, and thresholds against the single dot's."""

import math
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.special import struve

import qdgain
from qdgain.beyond import ensemble
from qdgain.beyond.driven_ladder import transform_limit_meV
from qdgain.beyond.ensemble import Ensemble, beam, fluence_in_depth, orientations, pumped, sizes
from qdgain.beyond.ensemble_saturation import (
    REACH,
    curves,
    fit,
    fluence_to_tell,
    laws_apart,
    misfit,
)
from qdgain.beyond.ensemble_thresholds import ensemble_thresholds, inhomogeneous
from qdgain.fast.onset import threshold_onset
from qdgain.model.bands import FWHM_PER_SIGMA, band_centres_eV
from qdgain.model.dot import Dot
from qdgain.model.film import ase_threshold
from qdgain.model.gain import gain
from qdgain.model.parameters import ParameterError
from qdgain.model.threshold import threshold_at_maximum

WIDTH = 80 / FWHM_PER_SIGMA
J = np.linspace(0.0, REACH, 81) ** 2
FILM = {"floor": 0.01, "gain_exponent": 207.8, "pi_pulse_fluence_mJ_cm2": 1.489}
SAMPLE = Ensemble(
    inhomogeneous_width_meV=40.0,
    size_dispersion=0.05,
    resonant_pump=True,
    dipole_dimensions=2,
    pump_optical_density=0.3,
    probe_spot_ratio=0.5,
)
samples = st.builds(
    Ensemble,
    inhomogeneous_width_meV=st.floats(0, 300),
    size_dispersion=st.floats(0, 0.2),
    resonant_pump=st.booleans(),
    pump_duration_fs=st.floats(1, 500),
    dipole_dimensions=st.integers(1, 3),
    probe_polarisation=st.sampled_from(["magic-angle", "parallel", "perpendicular"]),
    pump_optical_density=st.floats(0, 2),
    probe_spot_ratio=st.floats(0, 2),
)


def mean_excitons(statistics="rabi", **fields):
    return pumped(J, Ensemble(**fields), WIDTH, statistics).mean_excitons


# --- each effect in closed form


def test_equal_dots_follow_rabis_law():
    assert np.allclose(mean_excitons(), 2 * np.sin(np.pi / 2 * np.sqrt(J)) ** 2, atol=1e-12)


def test_random_lines_average_to_a_sine():
    x = np.pi * np.sqrt(3 * J)
    expected = 1 - np.sinc(x / np.pi)
    assert np.allclose(mean_excitons(dipole_dimensions=1), expected, atol=1e-9)


def test_random_planes_average_to_struves_function():
    expected = np.pi / 2 * struve(1, np.pi * np.sqrt(1.5 * J))
    assert np.allclose(mean_excitons(dipole_dimensions=2), expected, atol=1e-9)


def test_a_probe_as_wide_as_the_pump_averages_evenly_up_to_the_peak():
    k = np.pi * np.sqrt(2 * J[1:])
    expected = 1 - 2 * (np.cos(k) + k * np.sin(k) - 1) / k**2
    assert np.allclose(mean_excitons(probe_spot_ratio=1.0)[1:], expected, atol=1e-9)


@pytest.mark.parametrize("density", [0.1, 0.5, 1.5])
def test_without_saturation_the_film_follows_beer(density):
    depth = math.log(10) * density
    nodes = np.linspace(0, 1, 6)
    found = fluence_in_depth([0.3, 2.0], depth, lambda j: np.pi**2 / 2 * j, nodes)
    assert np.allclose(found, np.array([[0.3], [2.0]]) * np.exp(-depth * nodes), rtol=1e-4)


@pytest.mark.parametrize("j", [0.05, 0.4, 0.9, 2.0])
def test_a_rabi_film_has_its_implicit_closed_form(j):
    # dθ/dx = -τ (1 - cos θ)/θ, hence F(θ) = 2 ln sin(θ/2) - θ cot(θ/2) falls by τ.
    def F(j):
        theta = np.pi * np.sqrt(j)
        return 2 * np.log(np.sin(theta / 2)) - theta / np.tan(theta / 2)

    nodes = np.linspace(0.1, 1, 10)
    inside = fluence_in_depth(j, 1.2, lambda j: 2 * np.sin(np.pi / 2 * np.sqrt(j)) ** 2, nodes)
    assert np.allclose(F(j) - F(inside), 1.2 * nodes, rtol=1e-4)


def test_photons_lost_by_the_pump_are_the_excitons_it_leaves():
    nodes, weight = np.polynomial.legendre.leggauss(12)
    x = 0.5 * (1 + nodes)

    def law(j):
        return 2 * np.sin(np.pi / 2 * np.sqrt(j)) ** 2

    inside = fluence_in_depth(1.1, 0.8, law, np.append(x, 1.0))
    left = 0.5 * weight @ law(inside[:-1])
    assert 1.1 - inside[-1] == pytest.approx(0.8 * 2 / np.pi**2 * left, rel=1e-6)


# --- all of them, by chance


def test_the_sample_against_monte_carlo():
    random, count = np.random.default_rng(3), 400_000
    z = random.standard_normal(count)
    spread, pump = 40 / FWHM_PER_SIGMA, float(transform_limit_meV(70.0)) / FWHM_PER_SIGMA
    fluence = np.exp(2.65 * 0.05 * z - 0.5 * (spread * z) ** 2 / (WIDTH**2 + pump**2))
    fluence /= fluence.mean()
    turn = 1.5 * (1 - random.uniform(-1, 1, count) ** 2)
    spot = random.uniform(0, 1, count) ** 0.25 * 5 / 4
    f = fluence * turn * spot
    found = pumped(J, replace(SAMPLE, pump_optical_density=0.0), WIDTH)
    for k in (10, 30, 40, 60, 80):
        p = np.sin(np.pi / 2 * np.sqrt(f * J[k])) ** 2
        error = 2 * p.std() / math.sqrt(count)
        assert found.mean_excitons[k] == pytest.approx(2 * p.mean(), abs=5 * error + 2e-3)


def test_gain_of_the_sample_against_monte_carlo():
    dot = qdgain.presets()["4LS+ESA"]
    point = ensemble_thresholds(dot, replace(SAMPLE, pump_optical_density=0.0), **FILM)
    random, count = np.random.default_rng(4), 100_000
    z = random.standard_normal(count)
    spread, pump = 40 / FWHM_PER_SIGMA, float(transform_limit_meV(70.0)) / FWHM_PER_SIGMA
    strength = np.exp(2.65 * 0.05 * z)
    strength /= strength.mean()
    fluence = strength * np.exp(-0.5 * (spread * z) ** 2 / (WIDTH**2 + pump**2))
    fluence /= fluence.mean()
    f = fluence * 1.5 * (1 - random.uniform(-1, 1, count) ** 2)
    f *= random.uniform(0, 1, count) ** 0.25 * 5 / 4
    at = point.at_maximum_fluence / FILM["pi_pulse_fluence_mJ_cm2"]
    mean = 2 * np.sin(np.pi / 2 * np.sqrt(f * at)) ** 2
    energy = float(band_centres_eV(dot).xx_emission) + 1e-3 * spread * z
    ground, full = (np.asarray(gain(dot, energy, n)) for n in (0.0, 2.0))
    half = np.asarray(gain(dot, energy, 1.0))
    n = mean / 2
    # Quadratic in n, so that three values give it everywhere.
    every = strength * (
        ground * (1 - n) ** 2 + (4 * half - ground - full) / 2 * 2 * n * (1 - n) + full * n**2
    )
    assert abs(every.mean()) < 5 * every.std() / math.sqrt(count) + 1e-4
    assert point.at_maximum == pytest.approx(mean.mean(), rel=5e-3)


# --- what every sample has in common


@given(samples)
def test_distributions_are_normalised_with_mean_one(sample):
    size = sizes(sample, WIDTH)
    turn = orientations(sample.dipole_dimensions, sample.probe_polarisation)
    weight, spot = beam(sample.probe_spot_ratio)
    for each in (size.weight, turn.weight, weight):
        assert each.sum() == pytest.approx(1)
        assert each.min() >= 0
    for each in (size.strength, size.fluence):
        assert size.weight @ each == pytest.approx(1)
    for each in (turn.fluence, turn.strength):
        assert turn.weight @ each == pytest.approx(1)
    assert weight @ spot == pytest.approx(1)
    spread = sample.inhomogeneous_width_meV / FWHM_PER_SIGMA
    own = size.weight @ size.shift_meV**2 + size.own_width_meV**2
    assert own == pytest.approx(spread**2, rel=2e-3, abs=1e-12)


def test_parallel_and_perpendicular_probes_make_the_magic_angle():
    for dimensions in (1, 2):
        along, across = (
            orientations(dimensions, probe).strength for probe in ("parallel", "perpendicular")
        )
        assert np.allclose(along + 2 * across, 3)


@settings(max_examples=25)
@given(samples, st.sampled_from(["rabi", "poisson", "sequential"]))
def test_any_sample_starts_like_one_dot_and_keeps_its_dots(sample, statistics):
    found = pumped(np.array([0.0, 1e-5, 0.5, 3.0]), sample, WIDTH, statistics)
    assert found.mean_excitons[0] == 0
    assert found.mean_excitons[1] == pytest.approx(np.pi**2 / 2 * 1e-5, rel=5e-3)
    assert found.populations.min() > -1e-9
    # Sizes times strengths, parts of the beam: all the dots there are.
    total = np.einsum("jbpz,b->j", found.populations, found.beam_weight)
    assert np.allclose(total, 1)
    assert np.all(found.band_edge_excitons <= 2 + 1e-9)


@settings(max_examples=10)
@given(samples)
def test_averaging_never_fills_more_than_equal_dots_can_be_filled(sample):
    found = pumped(J, sample, WIDTH)
    assert found.mean_excitons.max() <= 2 + 1e-9


# --- thresholds


@pytest.mark.parametrize("statistics", ["rabi", "poisson", "sequential"])
@pytest.mark.parametrize("name", ["3LS", "3LS+ESA", "4LS", "4LS+ESA"])
def test_equal_dots_have_the_thresholds_of_one(name, statistics):
    dot = qdgain.presets()[name]
    found = ensemble_thresholds(dot, Ensemble(), statistics, **FILM)
    at_maximum = threshold_at_maximum(dot, statistics=statistics)
    onset = threshold_onset(dot, FILM["floor"], statistics)
    ase = ase_threshold(dot, FILM["gain_exponent"], FILM["pi_pulse_fluence_mJ_cm2"], statistics)
    assert found.at_maximum == pytest.approx(float(at_maximum.mean_excitons), rel=1e-3)
    assert found.onset == pytest.approx(float(onset.mean_excitons), rel=1e-3)
    assert found.ase == pytest.approx(float(ase.mean_excitons), rel=1e-3)
    assert found.ase_fluence == pytest.approx(float(ase.fluence_mJ_cm2), rel=1e-3)


@pytest.mark.parametrize("width", [25.0, 60.0, 250.0])
@pytest.mark.parametrize("name", ["3LS+ESA", "4LS", "4LS+ESA"])
def test_a_spread_of_energies_is_a_dot_with_wider_bands(name, width):
    dot = qdgain.presets()[name]
    found = ensemble_thresholds(dot, Ensemble(inhomogeneous_width_meV=width), **FILM)
    wide = inhomogeneous(dot, width)
    onset = threshold_onset(wide, FILM["floor"]).mean_excitons
    ase = ase_threshold(wide, FILM["gain_exponent"], FILM["pi_pulse_fluence_mJ_cm2"])
    expected = float(threshold_at_maximum(wide).mean_excitons)
    assert found.at_maximum == pytest.approx(expected, rel=1e-3)
    assert found.onset == pytest.approx(float(onset), rel=2e-3)
    assert found.ase_fluence == pytest.approx(float(ase.fluence_mJ_cm2), rel=2e-3)


@given(st.floats(0, 200), st.floats(5, 200), st.floats(0, 300))
def test_the_ideal_threshold_is_closed_and_tends_to_a_two_level_systems(stokes, line, width):
    # Without ESA at the centre of PL_X: 2/(1 + exp(S²/2(s² + s_inh²))).
    square = (line**2 + np.array([width, 1e6]) ** 2) / FWHM_PER_SIGMA**2
    closed = 2 / (1 + np.exp(np.minimum(0.5 * stokes**2 / square, 700.0)))
    dot = Dot(stokes_shift_meV=stokes, linewidth_meV=line).uncorrelated()
    found = float(threshold_at_maximum(inhomogeneous(dot, width)).mean_excitons)
    assert found == pytest.approx(closed[0], rel=1e-9, abs=1e-250)
    assert closed[1] == pytest.approx(1, abs=1e-6)


def test_the_closed_form_needs_a_shared_width():
    dot = replace(qdgain.presets()["3LS"], emission_linewidth_meV=60.0)
    with pytest.raises(ParameterError, match="emission_linewidth_meV"):
        inhomogeneous(dot, 40.0)


@pytest.mark.parametrize("name", ["3LS", "4LS"])
@pytest.mark.parametrize(
    "fields",
    [
        {"dipole_dimensions": 1},
        {"pump_optical_density": 1.0},
        {"probe_spot_ratio": 1.0},
        {"second_step_detuning_meV": 30.0},
    ],
)
def test_without_esa_a_spread_of_the_pumping_moves_no_threshold(name, fields):
    dot = qdgain.presets()[name]
    found = ensemble_thresholds(dot, Ensemble(**fields), **FILM)
    one = float(threshold_at_maximum(dot).mean_excitons)
    assert found.at_maximum == pytest.approx(one, rel=1e-6)


def test_thresholds_scale_with_the_pi_pulse_and_not_with_energy():
    dot = qdgain.presets()["4LS+ESA"]
    one = ensemble_thresholds(dot, SAMPLE, **FILM)
    scaled = ensemble_thresholds(
        replace(dot, absorption_energy_eV=2.4), SAMPLE, **FILM | {"pi_pulse_fluence_mJ_cm2": 3.0}
    )
    ratio = 3.0 / FILM["pi_pulse_fluence_mJ_cm2"]
    for which in ("at_maximum", "onset", "ase"):
        assert getattr(scaled, which) == pytest.approx(getattr(one, which))
        fluence = f"{which}_fluence"
        assert getattr(scaled, fluence) == pytest.approx(ratio * getattr(one, fluence))


@pytest.mark.slow
def test_more_nodes_change_next_to_nothing(monkeypatch):
    coarse = pumped(J, SAMPLE, WIDTH)
    for name, nodes in (
        ("_SIZE_NODES", 41),
        ("_ORIENTATION_NODES", 24),
        ("_DEPTH_NODES", 8),
        ("_BEAM_NODES", 16),
        ("_DEPTH_STEPS", 8),
    ):
        monkeypatch.setattr(ensemble, name, nodes)
    fine = pumped(J, SAMPLE, WIDTH)
    assert np.allclose(coarse.mean_excitons, fine.mean_excitons, atol=1e-4)


# --- Rabi or Poisson


def test_a_curve_is_fitted_by_itself_at_any_scale():
    curve = curves(qdgain.presets()["3LS"], SAMPLE, "poisson").band_edge_excitons
    assert misfit(lambda a: 0.7 * curve(0.8 * a), curve, 1.0) < 1e-3
    found = fit(lambda a: 0.7 * curve(0.8 * a), curve, 1.0)
    assert found.height == pytest.approx(0.7, rel=1e-2)
    assert found.scale == pytest.approx(0.64, rel=1e-2)


def test_equal_dots_tell_the_laws_apart_as_the_chapter_of_fig_8_says():
    dot = qdgain.presets()["3LS"]
    apart = laws_apart(dot, Ensemble())
    assert apart.largest == pytest.approx(0.0637, abs=1e-4)
    assert apart.highest == pytest.approx(2)
    assert apart.highest_fluence == pytest.approx(1, abs=2e-3)
    assert apart.fall == pytest.approx(2, abs=1e-5)
    # The misfit at the fluence needed is the one asked for.
    needed = fluence_to_tell(dot, Ensemble(), 0.05)
    rabi, poisson = (curves(dot, Ensemble(), law).band_edge_excitons for law in ("rabi", "poisson"))
    assert misfit(rabi, poisson, needed) == pytest.approx(0.05, abs=1e-3)
    assert fluence_to_tell(dot, Ensemble(), 10.0) == math.inf
