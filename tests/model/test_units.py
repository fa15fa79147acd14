import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from qdgain.model import units
from qdgain.model.parameters import ParameterError

positive = st.floats(1e-3, 1e5)


@given(positive)
@settings(max_examples=50)
def test_wavelength_and_energy_are_inverse(value: float) -> None:
    assert units.nm_from_eV(units.eV_from_nm(value)) == pytest.approx(value, rel=1e-14)


def test_400_nm_is_3_1_eV() -> None:
    assert units.eV_from_nm(400.0) == pytest.approx(3.0996, abs=5e-5)


@given(positive)
@settings(max_examples=50)
def test_fwhm_and_sigma_are_inverse(value: float) -> None:
    assert units.fwhm_from_sigma(units.sigma_from_fwhm(value)) == pytest.approx(value, rel=1e-14)


def test_a_gaussian_is_half_its_peak_at_half_its_fwhm() -> None:
    width = units.sigma_from_fwhm(80.0)
    assert np.exp(-0.5 * (40.0 / width) ** 2) == pytest.approx(0.5, rel=1e-14)


def test_a_millijoule_is_a_thousand_microjoules() -> None:
    assert units.uJ_from_mJ(1.0) == 1000.0
    assert units.uJ_from_mJ([-2.5e-3, 0.0]) == pytest.approx([-2.5, 0.0], rel=1e-14)


def test_room_temperature_is_a_fortieth_of_an_electronvolt() -> None:
    assert units.thermal_energy_meV(300.0) == pytest.approx(25.85, abs=0.005)
    assert units.thermal_energy_meV(77.0) / units.thermal_energy_meV(1.0) == pytest.approx(
        77.0, rel=1e-14
    )


def test_photons_of_a_fluence_carry_its_energy() -> None:
    fluence = np.array([0.1, 1.0, 7.0])
    photons = units.photons_per_cm2(fluence, 2.0)
    assert photons * units.photon_energy_mJ(2.0) == pytest.approx(fluence, rel=1e-14)
    # 1 mJ of 1 eV photons: 1e-3 / 1.602176634e-19.
    assert units.photons_per_cm2(1.0, 1.0) == pytest.approx(6.241509e15, rel=1e-6)


@pytest.mark.parametrize("bad", [0.0, -1.0, np.nan, np.inf, [400.0, -2.0]])
def test_a_wavelength_must_be_above_zero(bad: object) -> None:
    with pytest.raises(ParameterError, match=r"wavelength_nm = .* is not allowed"):
        units.eV_from_nm(bad)  # type: ignore[arg-type]


def test_words_are_not_numbers() -> None:
    with pytest.raises(ParameterError, match="energy_eV = '2' is not allowed"):
        units.photon_energy_mJ("2")  # type: ignore[arg-type]
