"""CdSe dots at their first exciton: two published sources, and what a π pulse implies."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import qdgain
from qdgain.figures import calibrated, fig10
from qdgain.model import first_exciton as first
from qdgain.model import units
from qdgain.model.parameters import ParameterError
from qdgain.run import resolve

sources = st.sampled_from(list(first.SOURCES))
diameters = st.floats(2.0, 8.0)


def test_sizes_and_extinctions_are_those_printed_by_their_sources() -> None:
    # By hand from the printed coefficients.
    assert first.cdse_diameter_nm(550.0) == pytest.approx(3.0403, abs=1e-4)
    assert first.cdse_diameter_nm(550.0, first.JASIENIAK) == pytest.approx(3.1949, abs=1e-4)
    assert first.cdse_extinction_per_M_cm(4.6) == pytest.approx(3.343e5, rel=1e-3)
    wavelength = float(first.cdse_first_exciton_nm(4.6, first.JASIENIAK))
    expected = 155507 + 6.67054e13 * np.exp(-1239.842 / wavelength / 0.10551)
    found = first.cdse_extinction_per_M_cm(4.6, first.JASIENIAK)
    assert found == pytest.approx(expected, rel=1e-4)


def test_extinction_to_cross_section_is_the_textbook_factor() -> None:
    sigma = first.cdse_first_exciton_cross_section_cm2(3.0)
    assert sigma / first.cdse_extinction_per_M_cm(3.0) == pytest.approx(3.824e-21, rel=1e-3)


def test_small_dots_absorb_twice_as_much_in_jasieniak_and_large_ones_alike() -> None:
    yu, jasieniak = (
        first.cdse_first_exciton_cross_section_cm2(np.array([2.5, 5.0, 6.0, 7.0]), source)
        for source in first.SOURCES
    )
    ratio = jasieniak / yu
    assert 2.0 < ratio[0] < 2.6
    assert ratio[1:] == pytest.approx(1.0, abs=0.07)


@given(source=sources, diameter=diameters)
@settings(max_examples=50)
def test_sizing_curves_and_their_inverses(source: str, diameter: float) -> None:
    wavelength = first.cdse_first_exciton_nm(diameter, source)
    assert first.cdse_diameter_nm(wavelength, source) == pytest.approx(diameter, abs=1e-5)


@pytest.mark.parametrize("source", first.SOURCES)
def test_larger_dots_are_redder_and_take_less_light_to_fill(source: str) -> None:
    diameter = first.cdse_diameter_nm(np.linspace(*first.SOURCES[source].range_nm, 500), source)
    assert np.all(np.diff(diameter) > 0)
    assert np.all(np.diff(first.cdse_saturation_fluence_mJ_cm2(diameter, source)) < 0)


@given(source=sources, diameter=diameters)
@settings(max_examples=50)
def test_one_dot_has_one_saturation_fluence(source: str, diameter: float) -> None:
    sigma = first.cdse_first_exciton_cross_section_cm2(diameter, source)
    energy = units.eV_from_nm(first.cdse_first_exciton_nm(diameter, source))
    fluence = first.cdse_saturation_fluence_mJ_cm2(diameter, source)
    assert fluence == pytest.approx(units.photon_energy_mJ(energy) / sigma)
    # The π pulse of that slope leads back to the same dot.
    pi_pulse = float(np.pi**2 / 2 * fluence)
    again = first.cdse_diameter_from_pi_pulse_nm(pi_pulse, source)
    assert again == pytest.approx(diameter, abs=1e-4)


def test_pi_pulse_implies_the_cross_section_of_low_fluence() -> None:
    low, pi_pulse = 1e-6, 1.6
    absorbed = low / first.pi_pulse_saturation_fluence_mJ_cm2(pi_pulse)
    assert absorbed == pytest.approx(qdgain.mean_excitons_after_pulse(low, pi_pulse), rel=1e-5)


def test_a_pi_pulse_of_no_dot_has_no_diameter() -> None:
    assert np.isnan(first.cdse_diameter_from_pi_pulse_nm(1e3))
    assert np.isnan(first.cdse_diameter_from_pi_pulse_nm(1e-3))


def test_pages_that_speak_of_one_dot_give_one_number() -> None:
    run = resolve(fig10.SETTINGS, {})
    page = {row.key: row.value for row in fig10.headlines(run)}
    other = {row.key: row.value for row in calibrated.headlines()}
    for here, there in (
        ("fig10-pi-photon-per-sigma", "calibration-saturation"),
        ("fig10-pi-diameter", "calibration-diameter"),
        ("fig10-pi-diameter-jasieniak", "calibration-diameter-jasieniak"),
    ):
        assert page[here] == other[there], here
    # No other row of either page is another hν/σ of a CdSe dot.
    of_dots = {
        key: v for key, v in (page | other).items() if "saturation" in key or "per-sig" in key
    }
    assert set(of_dots) == {
        "calibration-saturation",
        *(
            f"fig10-{key}"
            for key in ("pi-photon-per-sigma", "photon-per-sigma", "photon-per-sigma-jasieniak")
        ),
    }
    # Size, photon energy and σ of the dot that J_π implies belong to one dot.
    for source, tail in zip(first.SOURCES, ("", "-jasieniak"), strict=True):
        wavelength = first.cdse_first_exciton_nm(other[f"calibration-diameter{tail}"], source)
        photon = units.photon_energy_mJ(units.eV_from_nm(wavelength))
        found = photon / other[f"calibration-sigma{tail}"]
        assert found == pytest.approx(other["calibration-saturation"], rel=1e-6)


def test_refusals() -> None:
    with pytest.raises(ParameterError, match=r"first_exciton_nm = 900 .* 430 to 670"):
        first.cdse_diameter_nm(900.0)
    with pytest.raises(ParameterError, match=r"first_exciton_nm = 440 .* 458 to 658"):
        first.cdse_diameter_nm(440.0, first.JASIENIAK)
    with pytest.raises(ParameterError, match="diameter_nm = 20 "):
        first.cdse_first_exciton_nm(20.0)
    with pytest.raises(ParameterError, match="'Brus' is not one of Yu 2003, Jasieniak 2009"):
        first.cdse_diameter_nm(550.0, "Brus")
