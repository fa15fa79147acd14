"""Elasticities and Sobol indices: closed forms, invariants, quadrature."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from qdgain.beyond import sensitivity
from qdgain.beyond.information import DEFAULT, best_dot, best_inputs
from qdgain.beyond.sensitivity import ENERGIES, INPUTS, OUTPUTS, POSITIVE
from qdgain.calibration.record import best
from qdgain.calibration.rows import TARGETS
from qdgain.model import parameters
from qdgain.model.bands import FWHM_PER_SIGMA
from qdgain.model.dot import presets
from strategies import STATISTICS, dots

KEYS = [output.key for output in OUTPUTS]
OF_N = [KEYS.index(key) for key in ("threshold", "threshold-esa", "onset", "onset-esa")]


def ishigami(x):
    a, b, c = x.T
    return (np.sin(a) + 7 * np.sin(b) ** 2 + 0.1 * c**4 * np.sin(a))[:, None]


@pytest.mark.slow
def test_indices_of_the_ishigami_function():
    first = 0.5 * (1 + 0.1 * np.pi**4 / 5) ** 2
    second, crossed = 49 / 8, 0.01 * np.pi**8 * (1 / 18 - 1 / 50)
    variance = first + second + crossed
    found = sensitivity.sobol(ishigami, [-np.pi] * 3, [np.pi] * 3, samples=2048)
    np.testing.assert_allclose(found.first[0], np.array([first, second, 0]) / variance, atol=0.02)
    total = np.array([first + crossed, second, crossed]) / variance
    np.testing.assert_allclose(found.total[0], total, atol=0.02)
    assert np.all(found.first_error < 0.05)
    assert np.all(found.total_error > 0)


def test_indices_of_a_sum_are_shares_of_its_variance():
    weights = np.array([1.0, 2.0, 0.0, -3.0])
    low, high = np.array([0.0, 1.0, -1.0, 5.0]), np.array([1.0, 2.0, 1.0, 7.0])
    found = sensitivity.sobol(
        lambda x: np.stack([x @ weights, x[:, 1]], axis=1), low, high, samples=2048, resamples=0
    )
    parts = (weights * (high - low)) ** 2
    np.testing.assert_allclose(found.first[0], parts / parts.sum(), atol=0.02)
    np.testing.assert_allclose(found.total[0], parts / parts.sum(), atol=0.02)
    np.testing.assert_allclose(found.total[1], [0, 1, 0, 0], atol=0.02)


def ideal_threshold(stokes, linewidth):
    """The closed form 2r/(1+r), r = exp(-S²/2s²)."""
    r = np.exp(-0.5 * (stokes * FWHM_PER_SIGMA / linewidth) ** 2)
    return 2 * r / (1 + r)


@pytest.mark.slow
@settings(max_examples=15)
@given(st.floats(5, 120), st.floats(40, 120))
def test_elasticity_without_esa_is_that_of_the_closed_form(stokes, linewidth):
    at = best_inputs("3ls")
    at[INPUTS.index("stokes_shift_meV")], at[INPUTS.index("linewidth_meV")] = stokes, linewidth
    assert sensitivity.gain_outputs(at[None])[0, 0] == pytest.approx(
        ideal_threshold(stokes, linewidth)
    )
    x = stokes * FWHM_PER_SIGMA / linewidth
    exact = -(x**2) / (1 + np.exp(-0.5 * x**2))
    slope = sensitivity.elasticities(at)[0]
    assert slope[0] == pytest.approx(exact, rel=1e-3, abs=1e-6)
    assert slope[5] == pytest.approx(-exact, rel=1e-3, abs=1e-6)
    np.testing.assert_allclose(np.delete(slope, [0, 5]), 0, atol=1e-9)


def test_indices_of_the_closed_form_are_those_of_quadrature():
    at = best_inputs("4ls")
    low, high = sensitivity.ranges_around(at, 0.3)
    found = sensitivity.sobol(
        lambda x: sensitivity.gain_outputs(x)[:, :1], low, high, samples=1024, resamples=0
    )
    nodes, weights = np.polynomial.legendre.leggauss(20)
    nodes, weights = 0.5 * (nodes + 1), 0.5 * weights
    stokes, width = (low[i] + (high[i] - low[i]) * nodes for i in (0, 5))
    y = ideal_threshold(stokes[:, None], width[None, :])
    mean = weights @ y @ weights
    variance = weights @ y**2 @ weights - mean**2
    alone = [weights @ (y @ weights) ** 2 - mean**2, weights @ (weights @ y) ** 2 - mean**2]
    np.testing.assert_allclose(found.first[0, [0, 5]], np.array(alone) / variance, atol=0.03)
    total = 1 - np.array(alone[::-1]) / variance
    np.testing.assert_allclose(found.total[0, [0, 5]], total, atol=0.03)
    np.testing.assert_allclose(np.delete(found.total[0], [0, 5]), 0, atol=1e-12)


@settings(max_examples=15)
@given(dots(), STATISTICS)
def test_thresholds_in_excitons_depend_on_ratios_of_energies_alone(dot, statistics):
    """Euler: the elasticities of all energies sum to nothing."""
    at = sensitivity.inputs_of(dot, 100.0, 1.5, 0.01)
    slope = sensitivity.elasticities(at, statistics, dot)
    reached = np.isfinite(slope[OF_N]).all(axis=1)
    np.testing.assert_allclose(slope[OF_N][reached][:, list(ENERGIES)].sum(axis=1), 0, atol=2e-3)
    # The film is none of their business.
    np.testing.assert_allclose(slope[OF_N][reached][:, [6, 7]], 0, atol=1e-12)


@pytest.mark.parametrize("scheme", ["3ls", "4ls"])
def test_fluence_scales_with_the_pi_pulse_and_gain_with_its_strength(scheme):
    slope = sensitivity.elasticities(best_inputs(scheme), base=best_dot(scheme))
    for key in ("ase", "ase-esa"):
        row = slope[KEYS.index(key)]
        assert row[INPUTS.index("pi_pulse_fluence_mJ_cm2")] == pytest.approx(1.0, rel=1e-6)
        assert row[INPUTS.index("gain_exponent")] < 0
        assert row[INPUTS.index("floor")] == 0
    # In the replacing reading, whose full dot only emits.
    assert slope[KEYS.index("gain-esa"), INPUTS.index("xx_emission_strength")] == pytest.approx(1.0)


def test_best_inputs_give_the_calibrated_numbers():
    stored = dict(zip(TARGETS, best(DEFAULT)["numbers"], strict=True))
    for scheme in ("3ls", "4ls"):
        (found,) = sensitivity.outputs(best_inputs(scheme)[None], base=best_dot(scheme))
        for key, target in (
            ("threshold", f"F8-{scheme}"),
            ("threshold-esa", f"F8-{scheme}-esa"),
            ("ase", f"F9-{scheme}"),
            ("ase-esa", f"F9-{scheme}-esa"),
        ):
            assert found[KEYS.index(key)] == pytest.approx(stored[target], rel=1e-3)
    # A condition of the calibration: the spike of the 4LS with ESA shifts to the red.
    assert found[KEYS.index("shift-esa")] < 0


def test_strips_move_one_parameter_and_stay_allowed():
    at = best_inputs("3ls")
    around = sensitivity.lowered_and_raised(at, 0.1)
    assert np.all((around != at).sum(axis=-1) == 1)
    np.testing.assert_allclose(np.diagonal(around[1]) / at, 1.1)
    at[INPUTS.index("xx_absorption_strength")] = 3.9
    raised = sensitivity.lowered_and_raised(at, 0.1)[1]
    assert raised[3, 3] == parameters.CONTRACT["xx_absorption_strength"].maximum
    at[INPUTS.index("xx_absorption_strength")] = 1.5
    base = best_dot("3ls")
    moved = sensitivity.strips(at, 0.1, base=base)
    assert moved.shape == (2, 9, 9)
    now = sensitivity.outputs(at[None], base=base)[0]
    np.testing.assert_allclose(moved[1, 8, [0, 1, 4, 5, 6, 7]], now[[0, 1, 4, 5, 6, 7]])
    assert moved[0, 4, 1] > now[1] > moved[1, 4, 1]


def test_other_fields_of_a_dot_are_kept():
    dot = replace(presets()["3LS+ESA"], absorption_linewidth_meV=60.0)
    at = sensitivity.inputs_of(dot, 100.0, 1.5, 0.01)
    assert sensitivity.dots_of(at[None], dot).absorption_linewidth_meV == 60.0
    own, shared = (sensitivity.outputs(at[None], "rabi", base)[0, 1] for base in (dot, None))
    assert own != pytest.approx(shared, rel=1e-3)


def test_what_is_out_of_reach_is_said():
    at = best_inputs("3ls")
    at[INPUTS.index("floor")] = 1.0
    at[INPUTS.index("absorptive_binding_meV")] = 0.0
    slope = sensitivity.elasticities(at)
    assert np.isnan(slope[KEYS.index("onset-esa"), 3])
    assert np.all(slope[:POSITIVE, 1] == 0)
    at[INPUTS.index("gain_exponent")] = 0.0
    found = sensitivity.outputs(at[None])[0]
    assert found[KEYS.index("ase-esa")] == at[INPUTS.index("pi_pulse_fluence_mJ_cm2")]


def test_errors_of_indices_are_the_same_again():
    found = [
        sensitivity.sobol(lambda x: x**2 @ [[1.0], [2.0]], [0, 0], [1, 1], samples=64, resamples=9)
        for _ in range(2)
    ]
    np.testing.assert_array_equal(found[0].total_error, found[1].total_error)
    assert (found[0].total_error > 0).all()
