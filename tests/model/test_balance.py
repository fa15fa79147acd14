from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import qdgain
from qdgain import Dot, presets
from qdgain.model import balance as detailed_balance
from qdgain.model import units
from qdgain.model.bands import band_centres_eV, band_widths_meV
from qdgain.model.parameters import ParameterError
from qdgain.paper.published import klimov_threshold
from strategies import dots

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


# --- a line of any shape


@given(st.floats(0.0, 300.0), temperatures)
@settings(max_examples=50)
def test_threshold_at_the_peak_depends_on_stokes_shift_over_kT_alone(
    shift: float, temperature: float
) -> None:
    found = float(detailed_balance.threshold_at_emission_peak(shift, temperature))
    kT = float(units.thermal_energy_meV(temperature))
    dot = Dot(stokes_shift_meV=shift)
    at_peak = detailed_balance.balanced_threshold(
        dot, float(band_centres_eV(dot).emission), temperature
    )
    assert found == pytest.approx(float(at_peak), rel=1e-9, abs=1e-300)
    if shift < 20 * kT:
        back = detailed_balance.stokes_shift_for_threshold_meV(found, temperature)
        assert back == pytest.approx(shift, abs=1e-6 * kT)


def test_equal_stokes_shift_and_width_have_a_threshold_of_two_seventeenths() -> None:
    # exp(-S²/2s²) = 2^-4 for S = Γ, at whatever temperature that is in balance.
    for width in (50.0, 80.0, 143.0):
        temperature = float(detailed_balance.balanced_temperature_K(width, width))
        found = detailed_balance.threshold_at_emission_peak(width, temperature)
        assert found == pytest.approx(2 / 17, rel=1e-12)


@given(st.floats(0.0, 400.0), temperatures, st.floats(0.2, 5.0))
@settings(max_examples=50)
def test_fine_structure_alone_never_gains_before_one_exciton(
    splitting: float, temperature: float, states: float
) -> None:
    found = float(detailed_balance.fine_structure_threshold(splitting, temperature, states))
    assert 1 <= found <= 2 * (1 + states) / (2 + states) + 1e-12


def test_fine_structure_threshold_is_that_of_two_lines_with_boltzmann_populations() -> None:
    temperature, splitting = 300.0, 30.0
    kT = float(units.thermal_energy_meV(temperature))
    # Two states an exciton may be in, one line each, so narrow that only its own counts at X_E.
    populations = np.exp(-np.array([0.0, splitting]) / kT)
    populations /= populations.sum()
    absorption, emission = 1.0, populations[0]
    expected = 2 * absorption / (absorption + emission)
    assert detailed_balance.fine_structure_threshold(splitting, temperature) == pytest.approx(
        expected, rel=1e-12
    )
    assert detailed_balance.fine_structure_threshold(0.0, 300.0) == pytest.approx(4 / 3)
    assert detailed_balance.fine_structure_threshold(1e4, 300.0) == pytest.approx(1.0)


# --- the biexciton


def test_presets_biexciton_stokes_shift_is_the_distance_of_its_bands() -> None:
    for dot in presets().values():
        centres = band_centres_eV(dot)
        apart = 1e3 * float(centres.xx_absorption - centres.xx_emission)
        assert float(detailed_balance.biexciton_stokes_shift_meV(dot)) == pytest.approx(apart)
    assert float(detailed_balance.biexciton_stokes_shift_meV(presets()["3LS"])) == pytest.approx(
        float(presets()["3LS"].stokes_shift_meV)
    )


@given(st.floats(2.0, 80.0), st.floats(150.0, 500.0), st.booleans())
@settings(max_examples=40)
def test_a_dot_moved_into_balance_meets_mccumber_on_both_transitions(
    shift: float, temperature: float, keeps_shift: bool
) -> None:
    keep = detailed_balance.KEEPS[0 if keeps_shift else 1]
    start = replace(presets()["4LS+ESA"], stokes_shift_meV=shift, emission_linewidth_meV=33.0)
    dot = detailed_balance.balanced_dot(start, temperature, keep, biexciton=True)
    assert getattr(dot, keep) == getattr(start, keep)
    energy = np.linspace(1.85, 2.05, 9)
    assert detailed_balance.balance_deviation(dot, energy, temperature) == pytest.approx(
        0, abs=1e-8
    )
    bands = qdgain.bands(dot, energy)
    kT = float(units.thermal_energy_meV(temperature))
    ratio = np.log(bands.xx_emission / bands.xx_absorption)
    assert np.diff(ratio) == pytest.approx(-1e3 * np.diff(energy) / kT, rel=1e-6)
    unmoved = detailed_balance.balanced_dot(start, temperature, keep)
    assert unmoved.absorptive_binding_meV == start.absorptive_binding_meV


def test_what_cannot_be_balanced_is_refused() -> None:
    with pytest.raises(ParameterError, match="is not one of"):
        detailed_balance.balanced_dot(Dot(), 300.0, "temperature_K")
    with pytest.raises(ParameterError, match="stokes_shift_meV"):
        detailed_balance.balanced_dot(Dot(stokes_shift_meV=0.0), 300.0, "stokes_shift_meV")
    with pytest.raises(ParameterError, match="stokes_shift_meV"):
        detailed_balance.balanced_dot(Dot(linewidth_meV=900.0), 77.0, "linewidth_meV")


@given(dots(), st.floats(-3, 2))
@settings(max_examples=80)
def test_threshold_lies_between_the_excitons_and_the_biexcitons(dot: Dot, place: float) -> None:
    energy = float(band_centres_eV(dot).emission) + 1e-3 * place * float(
        band_widths_meV(dot).emission
    )
    found = float(qdgain.threshold_at_energy(dot, energy))
    bounds = [float(b) for b in detailed_balance.threshold_bounds(dot, energy)]
    assert min(bounds) - 1e-9 <= found <= max(bounds) + 1e-9


def test_without_biexciton_transitions_the_excitons_bound_is_the_threshold() -> None:
    dot = replace(presets()["3LS+ESA"], reading="replacing")
    faint = replace(dot, xx_absorption_strength=1e-9, xx_emission_strength=1e-9)
    energy = float(band_centres_eV(dot).xx_emission)
    own = detailed_balance.threshold_bounds(faint, energy)[0]
    red = energy - 0.02  # where PL_X exceeds A_X: two bounds that differ
    assert own == pytest.approx(float(detailed_balance.threshold_bounds(dot, energy)[0]))
    assert qdgain.threshold_at_energy(faint, red) == pytest.approx(
        float(detailed_balance.threshold_bounds(faint, red)[0]), rel=1e-6
    )
    # Where X still absorbs on the other half of A_X, -A + r(P - A) = 0: 2A/P.
    left = replace(faint, reading="additive")
    of_bands = qdgain.bands(left, red)
    expected = 2 * float(of_bands.absorption / of_bands.emission)
    assert qdgain.threshold_at_energy(left, red) == pytest.approx(expected, rel=1e-6)
    first = float(detailed_balance.threshold_bounds(left, red)[0])
    assert first == pytest.approx(expected / (1 + 0.5 * expected), rel=1e-12)


# --- an older formula


def test_klimovs_formula_has_its_limits() -> None:
    assert klimov_threshold([0.0, 40.0, -40.0]) == pytest.approx([1.0, 2 / 3, 2 / 3])
    assert klimov_threshold(1.3) == klimov_threshold(-1.3)


@given(st.floats(-3, 3))
def test_klimovs_formula_is_the_sequential_threshold_without_a_stokes_shift(ratio: float) -> None:
    two_level = replace(Dot().uncorrelated(), stokes_shift_meV=0.0)
    shift = ratio * float(band_widths_meV(two_level).absorption)
    bound: dict[str, Any] = {"absorptive_binding_meV": shift, "emissive_binding_meV": shift}
    dot = replace(two_level, reading="replacing", **bound)
    found = qdgain.threshold_at_energy(
        dot, float(np.asarray(dot.absorption_energy_eV)), statistics="sequential"
    )
    assert found == pytest.approx(float(klimov_threshold(ratio)), rel=1e-12)
