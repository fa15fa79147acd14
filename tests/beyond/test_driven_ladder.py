"""A driven ladder against closed forms, and against another solver of the same equations."""

import numpy as np
import pytest
import qutip
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.integrate import quad, solve_ivp
from scipy.special import ndtr

from qdgain.beyond import driven_ladder as ladder
from qdgain.model.parameters import ParameterError

AREAS = np.linspace(0.0, 9.0, 40)


@pytest.mark.slow
@settings(max_examples=20)
@given(st.floats(-100, 100), st.floats(1, 100))
def test_populations_are_fractions_and_know_no_sign_of_the_detuning(detuning, duration):
    found = ladder.ladder_populations(AREAS, detuning, duration)
    mirror = ladder.ladder_populations(AREAS, -detuning, duration)
    assert np.min(found) >= 0
    assert np.allclose(np.sum(found, axis=0), 1, atol=1e-12)
    assert np.allclose(found, mirror, atol=1e-12)


def test_on_resonance_the_channels_are_independent():
    found = ladder.ladder_populations(AREAS, 0.0, 70.0)
    p = np.sin(AREAS / 2) ** 2
    assert np.allclose(found, [(1 - p) ** 2, 2 * p * (1 - p), p**2], atol=1e-12)


def test_far_from_resonance_the_exciton_flops_faster_and_alone():
    found = ladder.ladder_populations(AREAS, 2e3, 70.0)
    assert np.max(found.biexciton) < 1e-4
    assert np.allclose(found.exciton, np.sin(AREAS / np.sqrt(2)) ** 2, atol=1e-3)


def test_detunings_and_areas_broadcast():
    detunings = np.array([0.0, 15.0, 60.0])
    many = ladder.ladder_populations(AREAS[:, None], detunings, 70.0)
    for k, detuning in enumerate(detunings):
        one = ladder.ladder_populations(AREAS, detuning, 70.0)
        assert np.allclose([p[:, k] for p in many], one, atol=1e-4)


@pytest.mark.parametrize("detuning", [0.0, 8.0, 25.0, 60.0])
def test_weak_pulses_make_pairs_as_the_closed_form_says(detuning):
    found = ladder.ladder_populations(0.02, detuning, 70.0)
    ratio = float(4 * found.biexciton / found.exciton**2)
    assert ladder.pair_suppression(detuning, 70.0) == pytest.approx(ratio, abs=1e-3)


@settings(max_examples=40)
@given(st.floats(-80, 80), st.floats(5, 300))
def test_pair_suppression_is_the_double_integral(detuning, duration):
    D = detuning * float(ladder.field_width_fs(duration)) / ladder.HBAR_MEV_FS
    x = np.linspace(-9, 9, 4001)
    field = np.exp(-0.5 * x * x) / np.sqrt(2 * np.pi)
    integral = np.sum(2 * field * ndtr(x) * np.exp(1j * D * x)) * (x[1] - x[0])
    expected = abs(integral) ** 2
    assert ladder.pair_suppression(detuning, duration) == pytest.approx(expected, abs=1e-10)


@given(st.floats(1, 500))
def test_half_suppressed_is_half(duration):
    detuning = float(ladder.half_suppressed_meV(duration))
    assert ladder.pair_suppression(detuning, duration) == pytest.approx(0.5, abs=1e-9)


def test_dephasing_between_its_two_limits():
    coherent = ladder.dephased_occupation(AREAS, 70.0, 1e9)
    assert np.allclose(coherent, np.sin(AREAS / 2) ** 2, atol=1e-6)
    # T₂ ∫Ω² dt of a Gaussian: θ² T₂/(2 √π s).
    time, width = 0.2, float(ladder.field_width_fs(70.0))
    exponent = AREAS**2 * time / (2 * np.sqrt(np.pi) * width)
    rates = 0.5 * (1 - np.exp(-exponent))
    assert np.allclose(ladder.dephased_occupation(AREAS, 70.0, time), rates, atol=2e-3)


@pytest.mark.parametrize("time", [5.0, 16.5, 70.0, 500.0])
def test_dephased_occupation_follows_the_bloch_equations_and_its_slope(time):
    width, area = float(ladder.field_width_fs(70.0)), 7.0

    def bloch(t, state):
        v, w = state
        rabi = area * np.exp(-0.5 * (t / width) ** 2) / (np.sqrt(2 * np.pi) * width)
        return [-v / time - rabi * w, rabi * v]

    end = solve_ivp(
        bloch, (-6 * width, 6 * width), [0, -1], rtol=1e-8, atol=1e-10, max_step=width / 5
    ).y[:, -1]
    found = float(ladder.dephased_occupation(area, 70.0, time))
    assert found == pytest.approx(0.5 * (1 + end[1]), abs=5e-4)
    weak = float(ladder.dephased_occupation(1e-2, 70.0, time))
    assert weak == pytest.approx(ladder.slope_with_dephasing(70.0, time) * 1e-4 / 4, rel=2e-3)


def test_widths_in_time_and_energy():
    duration = 70.0
    width = float(ladder.field_width_fs(duration))
    half = np.exp(-0.5 * (0.5 * duration / width) ** 2) ** 2
    assert half == pytest.approx(0.5)
    # The spectrum of the field, by Fourier's integral, falls to 1/√2 at half the width in energy.
    omega = 0.5 * float(ladder.transform_limit_meV(duration)) / ladder.HBAR_MEV_FS
    field = quad(lambda t: np.exp(-0.5 * (t / width) ** 2) * np.cos(omega * t), -400, 400)[0]
    peak = quad(lambda t: np.exp(-0.5 * (t / width) ** 2), -400, 400)[0]
    assert (field / peak) ** 2 == pytest.approx(0.5, rel=1e-6)
    assert float(ladder.dephasing_time_fs(80.0)) == pytest.approx(2 * 658.2119569 / 80, rel=1e-6)
    with pytest.raises(ParameterError, match="pump_duration_fs"):
        ladder.field_width_fs(0.0)


def test_dephasing_faster_than_the_pulse_stops_rabi_cycles_at_one_exciton():
    """The lines of the paper's model, taken as homogeneous, against its Rabi picture."""
    time = float(ladder.dephasing_time_fs(80.0))
    assert time == pytest.approx(16.46, abs=0.01)
    area = np.linspace(0.0, 20 * np.pi, 601)
    mean = 2 * ladder.dephased_occupation(area, 70.0, time)
    assert mean.max() == pytest.approx(1.062, abs=0.001)
    # Two at the same pulse without dephasing, and one where it is stronger still.
    assert 2 * ladder.dephased_occupation(np.array([np.pi]), 70.0, 1e6)[0] == pytest.approx(
        2, abs=1e-3
    )
    assert np.all(2 * ladder.dephased_occupation(area, 70.0, time / 20) < 1.01)


def test_the_most_excitons_with_dephasing_by_a_master_equation():
    time, width = float(ladder.dephasing_time_fs(80.0)), float(ladder.field_width_fs(70.0))
    area = 1.8 * np.pi
    sx, sz, excited = qutip.sigmax(), qutip.sigmaz(), qutip.basis(2, 0)

    def field(t):
        return area * np.exp(-0.5 * (t / width) ** 2) / (width * np.sqrt(2 * np.pi))

    system = qutip.QobjEvo([[0.5 * sx, field]])
    # Pure dephasing: the coherence falls with 1/T_2 where √(1/2T_2) σ_z acts.
    found = qutip.mesolve(
        system,
        qutip.basis(2, 1),
        np.linspace(-5 * width, 5 * width, 201),
        c_ops=[np.sqrt(0.5 / time) * sz],
        e_ops=[excited.proj()],
    ).expect[0][-1]
    assert ladder.dephased_occupation(np.array([area]), 70.0, time)[0] == pytest.approx(
        found, abs=1e-4
    )
