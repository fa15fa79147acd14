from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import qdgain
from qdgain.beyond import levers
from qdgain.model import cross_sections, units
from qdgain.model.gain import gain_maximum_meV
from qdgain.model.parameters import ParameterError
from qdgain.paper.published import measured_thresholds, size_dependence

volumes = st.floats(1.0, 1e5)


def test_spheres() -> None:
    assert cross_sections.sphere_volume_nm3(2.0) == pytest.approx(4 / 3 * np.pi)
    volume = np.array([1.0, 50.0])
    again = cross_sections.sphere_volume_nm3(cross_sections.sphere_diameter_nm(volume))
    assert again == pytest.approx(volume)


def test_cdse_at_400_nm() -> None:
    # 1.0e-16 cm² per nm³ within 10 %.
    assert cross_sections.cross_section_400_per_nm3("CdSe") == pytest.approx(1.0e-16, rel=0.10)
    low, high = cross_sections.cross_section_400_range_per_nm3("CdSe")
    assert low < cross_sections.cross_section_400_per_nm3("CdSe") < high
    assert high / low < 1.25


def test_cdse_measured_and_calculated_at_350_nm_agree() -> None:
    # Leatherdale 2002 measured in hexane, n = 1.375; the small-sphere formula needs no fit.
    index = cross_sections.refractive_index("CdSe hexagonal", "ordinary", 350.0)
    calculated = cross_sections.small_sphere_absorption_per_cm(index, 1.375, 350.0)
    assert calculated == pytest.approx(5.501e5 / (4 * np.pi / 3), rel=0.10)


def test_cspbbr3_follows_from_its_bulk_index() -> None:
    assert cross_sections.refractive_index("CsPbBr3", "any", 400.0) == pytest.approx(
        2.2034 + 0.25684j, rel=1e-4
    )
    per_nm3 = cross_sections.cross_section_400_per_nm3("CsPbBr3", np.array([1.37, 1.53]))
    assert per_nm3 == pytest.approx([5.5e-17, 6.3e-17], rel=0.01)
    assert cross_sections.cross_section_400_range_per_nm3("CsPbBr3") == pytest.approx(
        tuple(per_nm3)
    )


def test_small_sphere_equals_the_local_field_form() -> None:
    # σ/V = (4π n k/λ n_h) |3 n_h²/(m² + 2 n_h²)|², the usual form with the local-field factor.
    n, k, host = 2.55, 0.56, 1.4
    field = np.abs(3 * host**2 / ((n + 1j * k) ** 2 + 2 * host**2)) ** 2
    expected = 4 * np.pi * n * k / (400e-7 * host) * field
    found = cross_sections.small_sphere_absorption_per_cm(n + 1j * k, host, 400.0)
    assert found == pytest.approx(expected)


@given(volumes, st.floats(0.1, 10.0), st.sampled_from(cross_sections.MATERIALS))
@settings(max_examples=50)
def test_cross_section_is_proportional_to_volume_and_rescaling(
    volume: float, factor: float, material: str
) -> None:
    one = cross_sections.cross_section_400_cm2(material, 1.0)
    many = cross_sections.cross_section_400_cm2(material, volume, rescaling=factor)
    assert many == pytest.approx(one * volume * factor)


@given(st.floats(1e-3, 3.0), volumes)
@settings(max_examples=50)
def test_excitons_absorbed_and_fluence_are_inverse(excitons: float, volume: float) -> None:
    sigma = cross_sections.cross_section_400_cm2("CdSe", volume)
    fluence = cross_sections.fluence_for_excitons_absorbed(excitons, sigma)
    assert cross_sections.mean_excitons_absorbed(fluence, sigma) == pytest.approx(excitons)


def test_per_nm3_cdse_absorbs_more_and_per_formula_unit_cspbbr3_does() -> None:
    cdse = cross_sections.cross_section_400_range_per_nm3("CdSe")
    perovskite = cross_sections.cross_section_400_range_per_nm3("CsPbBr3")
    assert cdse[0] > perovskite[1]
    cells = cross_sections.UNIT_CELLS
    per_cell = {
        name: np.array(cross_sections.cross_section_400_range_per_nm3(cell.material))
        * cell.volume_nm3
        for name, cell in cells.items()
    }
    assert per_cell["CdSe zinc blende"][0] > per_cell["CsPbBr3 cubic"][1]
    per_unit = {name: value / cells[name].formula_units for name, value in per_cell.items()}
    assert per_unit["CsPbBr3 cubic"][0] > per_unit["CdSe wurtzite"][1]
    assert per_unit["CsPbBr3 cubic"][0] > per_unit["CdSe zinc blende"][1]


def test_cell_volumes() -> None:
    # 112.2 Å³: National Bureau of Standards circular 539, 7, 12 (1957).
    assert cross_sections.UNIT_CELLS["CdSe wurtzite"].volume_nm3 == pytest.approx(0.1122, abs=5e-5)
    # Both structures of CdSe are equally dense within 1 %.
    per_unit = [
        cell.volume_nm3 / cell.formula_units
        for cell in cross_sections.UNIT_CELLS.values()
        if cell.material == "CdSe"
    ]
    assert per_unit[0] == pytest.approx(per_unit[1], rel=0.01)


def test_films_of_dots_absorb_as_their_published_index_says() -> None:
    # 4πk/λ of n + ik = 1.791 + 0.0820i and 2.161 + 0.377i at 400 nm.
    for name, expected in (("CdSe/ZnCdS film", 2.577e4), ("CsPbI3 film", 1.184e5)):
        index = cross_sections.refractive_index(name, "any", 400.0)
        found = cross_sections.absorption_coefficient_per_cm(index, 400.0)
        assert found == pytest.approx(expected, rel=5e-4)
    with pytest.raises(ParameterError, match="is tabulated near"):
        cross_sections.refractive_index("CdSe/ZnCdS film", "any", 500.0)


def test_an_absorption_coefficient_is_that_of_a_small_sphere_in_its_own_medium() -> None:
    index = 2.0 + 1e-5j
    sphere = cross_sections.small_sphere_absorption_per_cm(index, 2.0, 400.0)
    assert cross_sections.absorption_coefficient_per_cm(index, 400.0) == pytest.approx(
        float(sphere), rel=1e-4
    )


def test_refusals_name_what_is_allowed() -> None:
    with pytest.raises(ParameterError, match="'PbS' is not one of CdSe, CsPbBr3"):
        cross_sections.cross_section_400_cm2("PbS", 10.0)
    with pytest.raises(ParameterError, match="volume_nm3 = -1 is not allowed"):
        cross_sections.cross_section_400_cm2("CdSe", -1.0)
    with pytest.raises(ParameterError, match="host_index = 3"):
        cross_sections.cross_section_400_cm2("CdSe", 1.0, host_index=3.0)
    with pytest.raises(ParameterError, match="is tabulated near"):
        cross_sections.refractive_index("CsPbBr3", "any", 532.0)
    with pytest.raises(ParameterError, match="wavelength_nm = 375"):
        cross_sections.refractive_index("CdSe cubic", "any", 375.0)


# --- published thresholds


def test_every_published_threshold_has_a_source() -> None:
    rows = measured_thresholds()
    assert len({row.label for row in rows}) == len(rows)
    for row in rows:
        assert row.doi.startswith("10.")
        assert row.seen_in
        assert np.isnan(row.value) or row.value > 0
        assert np.isnan(row.low) or row.low <= row.value <= row.high


def test_no_slope_without_sizes() -> None:
    result = size_dependence(measured_thresholds())
    assert result.points == 0
    assert np.isnan(result.slope)
    assert np.isnan(result.standard_error)


def test_slope_of_points_with_sizes() -> None:
    template = next(
        row
        for row in measured_thresholds()
        if row.quantity == "mean excitons" and not row.bound and np.isfinite(row.value)
    )
    volume = np.array([20.0, 100.0, 400.0, 900.0])
    rows = [
        replace(template, volume_nm3=v, value=n)
        for v, n in zip(volume, 3 * volume**-0.25, strict=True)
    ]
    result = size_dependence(rows)
    assert result.points == 4
    assert result.slope == pytest.approx(-0.25)
    assert result.standard_error == pytest.approx(0, abs=1e-6)
    bounds = [replace(row, bound="below") for row in rows]
    assert size_dependence([*rows, *bounds]).points == 4
    assert np.isnan(size_dependence(rows[:2]).slope)
    same = [replace(row, volume_nm3=20.0) for row in rows]
    assert np.isnan(size_dependence(same).slope)


def test_a_published_threshold_must_be_well_formed() -> None:
    row = measured_thresholds()[0]
    with pytest.raises(ValueError, match="none of mean excitons, fluence"):
        replace(row, quantity="power")
    with pytest.raises(ValueError, match="neither empty nor below"):
        replace(row, bound="above")


# --- what a dot would have to be


def _dot() -> qdgain.Dot:
    return qdgain.presets()["3LS+ESA"]


def test_stokes_shift_for_a_low_threshold_without_esa_is_the_closed_form() -> None:
    # ⟨N⟩ = 2r/(1+r), r = exp(-S²/2s²): S/s = √(2 ln((2-N)/N)).
    dot = _dot().uncorrelated()
    found = levers.nearest_value_for(dot, "stokes_shift_meV", 0.1)
    width = units.sigma_from_fwhm(dot.linewidth_meV)
    assert found / width == pytest.approx(np.sqrt(2 * np.log(19.0)), rel=1e-8)


@pytest.mark.parametrize("definition", levers.DEFINITIONS)
@pytest.mark.parametrize("field", ["absorptive_binding_meV", "emissive_binding_meV"])
def test_the_value_found_gives_the_target(definition: str, field: str) -> None:
    dot = _dot()
    now = float(levers.threshold_of(dot, definition))
    _, lowest = levers.lowest_over(dot, field, definition)
    target = 0.5 * (now + lowest)
    value = levers.nearest_value_for(dot, field, target, definition)
    reached = levers.threshold_of(replace(dot, **{field: value}), definition)
    assert reached == pytest.approx(target, rel=1e-6)
    # Nothing nearer to the dot reaches it.
    start = float(getattr(dot, field))
    nearer = start + np.linspace(-0.98, 0.98, 197) * abs(value - start)
    assert np.all(levers.threshold_of(replace(dot, **{field: nearer}), definition) > target)


def test_a_target_below_the_lowest_is_out_of_reach() -> None:
    dot = _dot()
    _, lowest = levers.lowest_over(dot, "absorptive_binding_meV")
    assert np.isinf(levers.nearest_value_for(dot, "absorptive_binding_meV", 0.99 * lowest))


@pytest.mark.parametrize(
    ("reading", "definition"),
    [("replacing", "at gain maximum"), ("replacing", "onset"), ("additive", "onset")],
)
def test_lowest_over_the_absorptive_shift_is_the_dot_without_esa(
    reading: str, definition: str
) -> None:
    dot = replace(_dot(), reading=reading)
    _, lowest = levers.lowest_over(dot, "absorptive_binding_meV", definition)
    without = levers.threshold_of(replace(dot, xx_absorption_strength=0.0), definition)
    assert lowest == pytest.approx(without, rel=1e-6)


def test_esa_of_a_full_dot_can_push_its_gain_maximum_to_where_less_is_absorbed() -> None:
    dot = _dot()
    assert dot.reading == "additive"
    binding, lowest = levers.lowest_over(dot, "absorptive_binding_meV")
    off = replace(dot, xx_absorption_strength=0.0)
    without, far = (
        float(levers.threshold_of(one, "at gain maximum"))
        for one in (off, replace(dot, absorptive_binding_meV=400.0))
    )
    assert far == pytest.approx(without, rel=1e-6)
    # To the blue of PL_XX: the maximum goes to the red, and the threshold there is lower.
    assert lowest < 0.99 * without
    best = replace(dot, absorptive_binding_meV=binding)
    assert gain_maximum_meV(best) < gain_maximum_meV(off)
    place = float(dot.absorption_energy_eV + 1e-3 * gain_maximum_meV(best))
    assert qdgain.threshold_at_energy(off, place) <= lowest


def test_sensitivity_to_the_stokes_shift_is_the_closed_form() -> None:
    # ln N = ln 2r - ln(1+r), d ln r/d ln S = -S²/s², so the slope is -(S²/s²)/(1+r).
    dot = _dot().uncorrelated()
    ratio = float(dot.stokes_shift_meV) / float(units.sigma_from_fwhm(dot.linewidth_meV))
    r = np.exp(-0.5 * ratio**2)
    found = levers.sensitivity(dot, "stokes_shift_meV")
    assert found == pytest.approx(-(ratio**2) / (1 + r), rel=1e-5)


def test_design_refusals() -> None:
    with pytest.raises(ParameterError, match="'best' is not one of at gain maximum, onset"):
        levers.threshold_of(_dot(), "best")
    many = replace(_dot(), stokes_shift_meV=np.array([1.0, 2.0]))
    with pytest.raises(ParameterError, match="give numbers, not arrays"):
        levers.lowest_over(many, "emissive_binding_meV")
