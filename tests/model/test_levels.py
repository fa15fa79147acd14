"""The level diagrams carry the same energies as the bands of the model."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from qdgain import Dot, ParameterError, presets
from qdgain.model import levels
from qdgain.model.bands import band_centres_eV
from qdgain.model.gain import gain_terms

SCHEMES = ("2LS", "3LS", "4LS", "5LS")
shift = st.floats(0.0, 200.0)


dots = st.builds(
    Dot,
    stokes_shift_meV=shift,
    absorptive_binding_meV=st.floats(-100.0, 200.0),
    emissive_binding_meV=st.floats(-100.0, 200.0),
)


@given(
    scheme=st.sampled_from(SCHEMES[1:]),
    dot=dots,
    fraction=st.floats(0.0, 1.0),
    phonon=st.floats(5.0, 50.0),
)
@settings(max_examples=60, deadline=None)
def test_vertical_transitions_lie_at_the_band_centres(scheme, dot, fraction, phonon):
    diagram = levels.level_diagram(scheme, dot, phonon, fraction, biexciton=True)
    centres = band_centres_eV(dot)
    assert diagram.transition("pump").energy_eV == pytest.approx(centres.absorption)
    assert diagram.transition("emission").energy_eV == pytest.approx(centres.emission)
    assert diagram.transition("ESA").energy_eV == pytest.approx(centres.xx_absorption)
    # XX_E → X_E, straight down from the minimum of the relaxed XX.
    xx = diagram["XX_E" if any(p.name == "XX_E" for p in diagram.potentials) else "XX"]
    lower = "X_E" if any(p.name == "X_E" for p in diagram.potentials) else "X"
    down = xx.minimum_eV - diagram.energy_eV(lower, xx.displacement)
    assert down == pytest.approx(float(centres.xx_emission))


@pytest.mark.parametrize("scheme", SCHEMES)
def test_transitions_start_and_end_on_the_potentials(scheme):
    diagram = levels.level_diagram(scheme, presets()["4LS+ESA"], 26.0, 0.5, biexciton=True)
    for transition in diagram.transitions:
        for q, energy in (transition.start, transition.end):
            on = [diagram.energy_eV(p.name, q) for p in diagram.potentials]
            assert np.min(np.abs(np.array(on) - energy)) < 1e-12


def test_stokes_shift_is_splitting_plus_twice_the_reorganisation():
    dot = Dot(stokes_shift_meV=60.0)
    diagram = levels.level_diagram("5LS", dot, 26.0, 0.25)
    splitting = 1e3 * (diagram["X_A"].minimum_eV - diagram["X_E"].minimum_eV)
    reorganisation = 0.5 * 26.0 * diagram["X_E"].displacement ** 2
    assert splitting == pytest.approx(15.0)
    assert splitting + 2 * reorganisation == pytest.approx(60.0)


def test_schemes_differ_as_the_paper_says():
    dot = presets()["4LS+ESA"]
    diagram = {name: levels.level_diagram(name, dot, 26.0, 0.5) for name in SCHEMES}
    shifted = {name: d.potentials[-1].displacement > 0 for name, d in diagram.items()}
    split = {name: len(d.potentials) > 2 for name, d in diagram.items()}
    assert shifted == {"2LS": False, "3LS": False, "4LS": True, "5LS": True}
    assert split == {"2LS": False, "3LS": True, "4LS": False, "5LS": True}
    two = diagram["2LS"]
    assert two.transition("emission").energy_eV == two.transition("pump").energy_eV


def test_the_ends_of_the_five_level_system_are_the_three_and_four_level_systems():
    dot = presets()["4LS+ESA"]
    for fraction, scheme in ((1.0, "3LS"), (0.0, "4LS")):
        five = levels.level_diagram("5LS", dot, 26.0, fraction, biexciton=True)
        other = levels.level_diagram(scheme, dot, 26.0, biexciton=True)
        assert five.potentials == other.potentials
        assert five.transitions == other.transitions


@pytest.mark.parametrize(("scheme", "share"), [("2LS", 0.0), ("3LS", 1.0), ("4LS", 0.5)])
def test_the_two_definitions_of_the_binding_differ_by_the_relaxation_of_the_exciton(scheme, share):
    dot = Dot(stokes_shift_meV=40.0, absorptive_binding_meV=30.0)
    diagram = levels.level_diagram(scheme, dot, 26.0, biexciton=True)
    first = levels.binding_by_energies_meV(diagram)
    second = levels.binding_by_transitions_meV(diagram)
    assert second == pytest.approx(30.0)
    assert first - second == pytest.approx(share * 40.0)


@given(stokes=shift, strength=st.floats(0.2, 3.0), width=st.floats(30.0, 150.0))
@settings(max_examples=20, deadline=None)
def test_cancellation_is_most_complete_where_the_binding_is_the_stokes_shift(
    stokes, strength, width
):
    dot = Dot(stokes_shift_meV=stokes, xx_absorption_strength=strength, linewidth_meV=width)
    binding = np.linspace(stokes - 100, stokes + 100, 201)
    best = levels.binding_of_most_cancellation_meV(dot, binding)
    assert best == pytest.approx(stokes, abs=0.51)
    here = levels.cancelled_fraction(replace(dot, absorptive_binding_meV=stokes))
    assert here == pytest.approx(min(strength, 1.0), abs=1e-9)


def test_no_cancellation_far_from_resonance():
    dot = Dot(stokes_shift_meV=20.0, absorptive_binding_meV=900.0, linewidth_meV=60.0)
    assert levels.cancelled_fraction(dot) < 1e-6


@given(stokes=shift, binding=st.floats(-50.0, 100.0), strength=st.floats(0.2, 2.0))
@settings(max_examples=20, deadline=None)
def test_esa_over_emission_is_the_ratio_of_two_terms_of_the_gain(stokes, binding, strength):
    dot = Dot(
        stokes_shift_meV=stokes,
        absorptive_binding_meV=binding,
        xx_absorption_strength=strength,
        reading="replacing",
    )
    energy = np.linspace(1.8, 2.1, 7)
    rho = levels.esa_over_emission(dot, energy)
    terms = gain_terms(dot, energy, 0.5)
    lost = terms.excited_state_absorption / terms.exciton_emission
    np.testing.assert_allclose(rho, np.abs(lost), rtol=1e-9)
    many = replace(dot, xx_absorption_strength=np.array([strength, 2 * strength]))
    np.testing.assert_allclose(levels.esa_over_emission(many, energy), [rho, 2 * rho], rtol=1e-12)


def test_refusals():
    with pytest.raises(ParameterError, match="scheme = '6LS'"):
        levels.level_diagram("6LS", Dot(), 26.0)
    with pytest.raises(ParameterError, match="phonon_energy_meV = 0"):
        levels.level_diagram("4LS", Dot(), 0.0)
    with pytest.raises(ParameterError, match="one dot"):
        levels.level_diagram("4LS", Dot(stokes_shift_meV=np.array([1.0, 2.0])), 26.0)
    with pytest.raises(KeyError, match="no potential"):
        levels.level_diagram("2LS", Dot(), 26.0)["X_A"]
