from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import qdgain
from qdgain import Dot, detailed_balance, units
from qdgain.parameters import ParameterError

widths = st.floats(5.0, 300.0)
temperatures = st.floats(4.0, 600.0)


def _balanced_dot(linewidth: float, temperature: float) -> Dot:
    shift = float(detailed_balance.balanced_stokes_shift_meV(linewidth, temperature))
    return Dot(linewidth_meV=linewidth, stokes_shift_meV=shift).uncorrelated()


@pytest.mark.parametrize(
    ("linewidth", "shift"), [(60.0, 25.0), (80.0, 45.0), (100.0, 70.0), (120.0, 100.0)]
)
def test_stokes_shift_at_room_temperature(linewidth: float, shift: float) -> None:
    # The round numbers hold to half a step of 5 meV.
    assert detailed_balance.balanced_stokes_shift_meV(linewidth, 300.0) == pytest.approx(
        shift, abs=2.5
    )


@given(widths, temperatures)
@settings(max_examples=50)
def test_the_three_forms_are_inverse(linewidth: float, temperature: float) -> None:
    shift = detailed_balance.balanced_stokes_shift_meV(linewidth, temperature)
    assert detailed_balance.balanced_linewidth_meV(shift, temperature) == pytest.approx(linewidth)
    assert detailed_balance.balanced_temperature_K(shift, linewidth) == pytest.approx(temperature)


@given(st.floats(20.0, 150.0), st.floats(200.0, 500.0))
@settings(max_examples=40)
def test_a_balanced_dot_has_mccumbers_ratio_at_every_energy(
    linewidth: float, temperature: float
) -> None:
    shift = float(detailed_balance.balanced_stokes_shift_meV(linewidth, temperature))
    if shift > 1000:
        return
    dot = _balanced_dot(linewidth, temperature)
    energy = np.linspace(1.7, 2.2, 21)
    deviation = detailed_balance.balance_deviation(dot, energy, temperature)
    assert deviation == pytest.approx(0.0, abs=1e-9)


@given(st.floats(20.0, 150.0), st.floats(200.0, 500.0))
@settings(max_examples=40)
def test_threshold_expressions_agree_where_the_constraint_holds(
    linewidth: float, temperature: float
) -> None:
    if detailed_balance.balanced_stokes_shift_meV(linewidth, temperature) > 1000:
        return
    dot = _balanced_dot(linewidth, temperature)
    energy = np.linspace(1.8, 2.1, 13)
    expected = detailed_balance.balanced_threshold(dot, energy, temperature)
    assert qdgain.threshold_at_energy(dot, energy) == pytest.approx(expected, rel=1e-9)


def test_the_constraint_is_needed_for_that_agreement() -> None:
    dot = _balanced_dot(80.0, 300.0)
    broken = replace(dot, stokes_shift_meV=0.3 * float(dot.stokes_shift_meV))
    energy = np.array([1.9, 1.95])
    here = qdgain.threshold_at_energy(broken, energy)
    assert not np.allclose(
        here, detailed_balance.balanced_threshold(broken, energy, 300.0), rtol=0.1
    )
    assert np.all(detailed_balance.balance_deviation(broken, energy, 300.0) != 0)


def test_threshold_is_one_exciton_at_the_zero_phonon_energy() -> None:
    dot = Dot(stokes_shift_meV=np.array([0.0, 30.0, 90.0]))
    energy = detailed_balance.zero_phonon_energy_eV(dot)
    at_own = [detailed_balance.balanced_threshold(dot, e, 300.0)[i] for i, e in enumerate(energy)]
    assert at_own == pytest.approx([1.0, 1.0, 1.0])
    assert energy == pytest.approx(2.0 - np.array([0.0, 0.015, 0.045]))


def test_deviation_has_the_slope_of_the_effective_temperature() -> None:
    # ln(PL/A) = S (E_Z - E)/s²: a thermal law at the temperature s²/kS, not at the given one.
    dot = Dot(linewidth_meV=80.0, stokes_shift_meV=20.0).uncorrelated()
    effective = float(detailed_balance.balanced_temperature_K(20.0, 80.0))
    energy = np.linspace(1.9, 2.1, 5)
    assert detailed_balance.balance_deviation(dot, energy, effective) == pytest.approx(0, abs=1e-9)
    slope = np.diff(detailed_balance.balance_deviation(dot, energy, 300.0)) / np.diff(energy)
    kT = [float(units.thermal_energy_meV(t)) for t in (300.0, effective)]
    assert slope == pytest.approx(1e3 / kT[0] - 1e3 / kT[1])


@given(st.floats(20.0, 150.0))
@settings(max_examples=40)
def test_threshold_at_the_emission_is_that_of_the_balanced_dot(linewidth: float) -> None:
    expected = qdgain.threshold_at_maximum(_balanced_dot(linewidth, 300.0)).mean_excitons
    found = detailed_balance.balanced_threshold_at_emission(linewidth, 300.0)
    assert found == pytest.approx(float(expected), rel=1e-9)


def test_a_broad_balanced_line_gains_early_and_a_narrow_one_at_one_exciton() -> None:
    found = detailed_balance.balanced_threshold_at_emission(np.array([1.0, 80.0, 1000.0]), 300.0)
    assert found[0] == pytest.approx(1.0, abs=1e-3)
    assert found[0] > found[1] > found[2] >= 0


def test_unequal_widths_cannot_be_in_balance() -> None:
    dot = replace(_balanced_dot(80.0, 300.0), emission_linewidth_meV=60.0)
    deviation = detailed_balance.balance_deviation(dot, np.linspace(1.85, 2.05, 5), 300.0)
    assert np.max(np.abs(np.diff(deviation, 2))) > 0.1


def test_shapes_follow_dots_then_energies() -> None:
    dot = Dot(stokes_shift_meV=np.full((3, 2), 40.0))
    energy = np.linspace(1.9, 2.0, 7)
    assert detailed_balance.balanced_threshold(dot, energy, 300.0).shape == (3, 2, 7)
    assert detailed_balance.balance_deviation(dot, energy, 300.0).shape == (3, 2, 7)


def test_temperature_must_be_above_zero() -> None:
    with pytest.raises(ParameterError, match="temperature_K = 0 is not allowed"):
        detailed_balance.balanced_stokes_shift_meV(80.0, 0.0)
