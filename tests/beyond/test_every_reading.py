"""Bounds, transients, ratios, slopes and samples in every reading of the paper."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from qdgain.beyond.ensemble import Ensemble
from qdgain.beyond.ensemble_thresholds import ensemble_thresholds
from qdgain.beyond.repulsion import threshold_slopes
from qdgain.beyond.sensitivity import inputs_of, outputs
from qdgain.fast.onset import threshold_onset
from qdgain.model.balance import threshold_bounds
from qdgain.model.bands import bands, detuning_from_absorption_meV, energy_window_eV
from qdgain.model.dot import Dot
from qdgain.model.film import ase_threshold
from qdgain.model.gain import gain, gain_maximum_meV, largest_gain
from qdgain.model.levels import cancelled_fraction, esa_over_emission
from qdgain.model.states import READINGS, states, weights_of_bands
from qdgain.model.threshold import threshold_at_energy, threshold_at_maximum
from qdgain.model.transients import transient_absorption
from strategies import dots

DOT = Dot(
    linewidth_meV=80.0,
    stokes_shift_meV=25.0,
    absorptive_binding_meV=65.0,
    emissive_binding_meV=30.0,
    xx_absorption_strength=0.7,
    xx_emission_strength=0.9,
)
#: Its corners, and the inside of the mixed form.
CORNERS = {name: {"reading": name} for name in READINGS} | {
    f"mixed {c:g} {b:g}": {
        "reading": "mixed",
        "remaining_absorption": c,
        "full_dot_absorption": b,
    }
    for c in (0.0, 1.0)
    for b in (0.0, 1.0)
}
EVERY = pytest.mark.parametrize("changes", CORNERS.values(), ids=CORNERS)


def test_the_corners_of_the_mixed_form_are_the_readings():
    energy = energy_window_eV(DOT)
    for corner, reading in (("mixed 0 0", "replacing"), ("mixed 1 1", "additive")):
        one, other = (replace(DOT, **CORNERS[name]) for name in (corner, reading))
        assert threshold_bounds(one, energy)[1] == pytest.approx(threshold_bounds(other, energy)[1])
        assert esa_over_emission(one, energy) == pytest.approx(esa_over_emission(other, energy))


@given(st.sampled_from(list(CORNERS)), dots())
@settings(max_examples=40, deadline=None)
def test_the_threshold_lies_between_the_bounds_in_every_reading(name, dot):
    dot = replace(dot, **CORNERS[name])
    energy = energy_window_eV(dot, points=41)
    both = np.stack(threshold_bounds(dot, energy))
    found = threshold_at_energy(dot, energy)
    reached = np.isfinite(found)
    assert np.all(found[reached] >= both.min(axis=0)[reached] * (1 - 1e-9))
    assert np.all(found[reached] <= both.max(axis=0)[reached] * (1 + 1e-9))
    # Where the second is finite, so is the threshold.
    assert np.all(reached | np.isinf(both[1]))


@EVERY
def test_long_after_the_pump_the_signal_is_the_gain_of_x(changes):
    dot, energy, pumped = replace(DOT, **changes), energy_window_eV(DOT), 0.3
    parts = transient_absorption(
        energy,
        60.0,
        dot,
        pumped_fraction=pumped,
        rise_fs=200.0,
        decay_ps=1.0,
        relaxation_time_fs=500.0,
        exciton_lifetime_ns=1e9,
        hot_binding_meV=20.0,
        hot_width_ratio=1.2,
        pulse_fwhm_fs=100.0,
    )
    ground = bands(dot, energy).absorption
    expected = -gain(dot, energy, pumped, "sequential") - ground
    assert parts.total == pytest.approx(expected, abs=1e-9)
    assert parts.ground_state_bleach.max() <= 0
    assert parts.excited_state_absorption.min() >= 0


@EVERY
def test_the_ratio_of_esa_is_what_the_gain_of_x_loses_beside_what_is_left_of_the_bleach(changes):
    dot, energy = replace(DOT, **changes), energy_window_eV(DOT)
    rho = esa_over_emission(dot, energy)
    five = bands(dot, energy)
    weights = weights_of_bands(dot)
    left = weights.absorption[1][0] * five.absorption
    emitted = weights.emission[1][1] * five.emission
    net = states(dot, detuning_from_absorption_meV(dot, energy)).gain[1]
    np.testing.assert_allclose(net, emitted * (1 - rho) - left, atol=1e-12)
    has_esa = changes["reading"] not in ("uncorrelated", "degenerate")
    assert bool(np.any(rho > 0)) == (float(cancelled_fraction(dot)) > 0) == has_esa


@EVERY
@pytest.mark.parametrize("law", ["rabi", "poisson"])
def test_a_sample_of_equal_dots_is_its_dot(changes, law):
    dot = replace(DOT, **changes)
    film = {"floor": 0.02, "gain_exponent": 150.0, "pi_pulse_fluence_mJ_cm2": 1.5}
    found = ensemble_thresholds(dot, Ensemble(), law, **film)
    maximum = float(threshold_at_maximum(dot, statistics=law).mean_excitons)
    onset = float(threshold_onset(dot, 0.02, law).mean_excitons)
    ase = float(ase_threshold(dot, 150.0, 1.5, law).fluence_mJ_cm2)
    assert found.at_maximum == pytest.approx(maximum, rel=2e-4)
    assert found.onset == pytest.approx(onset, rel=2e-3)
    assert found.ase_fluence == pytest.approx(ase, rel=2e-3)


@EVERY
def test_slopes_of_every_reading_hold_over_a_finite_step(changes):
    dot, step = replace(DOT, **changes), 0.5
    slopes = threshold_slopes(dot)
    for name in ("absorptive", "emissive"):
        field = f"{name}_binding_meV"
        low, high = (
            float(threshold_at_maximum(replace(dot, **{field: at})).mean_excitons)
            for at in (getattr(dot, field) - step, getattr(dot, field) + step)
        )
        assert getattr(slopes, name) == pytest.approx((high - low) / 2 / step, rel=5e-3, abs=1e-7)


@EVERY
def test_headline_numbers_are_those_of_the_dot(changes):
    dot = replace(DOT, **changes)
    found = outputs(inputs_of(dot, 150.0, 1.5, 0.02)[None], base=dot)[0]
    assert found[1] == pytest.approx(float(threshold_at_maximum(dot).mean_excitons))
    assert found[4] == pytest.approx(float(largest_gain(dot)))
    place = dot.absorption_energy_eV + 1e-3 * float(gain_maximum_meV(dot))
    assert gain(dot, place, 2.0) == pytest.approx(found[4], rel=1e-6)
