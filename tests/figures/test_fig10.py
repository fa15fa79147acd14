"""Figure 10: its panels say what the model, the optical constants and the sources say."""

import csv
from dataclasses import replace

import numpy as np
import pytest

import qdgain
from qdgain.beyond import levers
from qdgain.beyond.reachable import engineered
from qdgain.figures import absorption, fig10
from qdgain.model import cross_sections, first_exciton
from qdgain.model.balance import balanced_stokes_shift_meV
from qdgain.paper.published import measured_thresholds
from qdgain.run import resolve


@pytest.fixture(scope="module")
def run():
    return resolve(fig10.SETTINGS, {})


@pytest.fixture(scope="module")
def numbers(run):
    rows = fig10.headlines(run)
    assert len({row.key for row in rows}) == len(rows)
    return {row.key: row.value for row in rows}


def test_cross_sections_grow_with_volume_and_stay_in_their_bands(run):
    panel = absorption.absorption(run)
    for material in cross_sections.MATERIALS:
        line, band = panel[material], panel[f"{material}, range of assumptions"]
        assert np.all(np.diff(line.y) > 0)
        assert np.all((band.y_low < line.y) & (line.y < band.y_high))
    wide = panel["CsPbBr3, spread of published values"]
    np.testing.assert_allclose(wide.y_high / wide.y_low, 10)


def test_rescaling_moves_one_curve_and_can_reverse_the_order(run, numbers):
    factor = numbers["fig10-reversal"]
    moved = resolve(fig10.SETTINGS, {"cspbbr3_rescaling": factor})
    before, after = absorption.absorption(run), absorption.absorption(moved)
    np.testing.assert_array_equal(before["CdSe"].y, after["CdSe"].y)
    np.testing.assert_allclose(after["CsPbBr3"].y, after["CdSe"].y)
    assert absorption.order(moved)["per nm³"].y[0] == pytest.approx(1)


def test_ratio_per_cell_is_the_ratio_per_volume_times_the_cells(run, numbers):
    cells = cross_sections.UNIT_CELLS
    perovskite = cells["CsPbBr3 cubic"].volume_nm3
    for key, cell in (
        ("fig10-order-wurtzite", "CdSe wurtzite"),
        ("fig10-order-blende", "CdSe zinc blende"),
    ):
        expected = numbers["fig10-order-nm3"] * perovskite / cells[cell].volume_nm3
        assert numbers[key] == pytest.approx(expected)


def test_both_sources_of_the_first_exciton_are_drawn_and_bound_its_numbers(run, numbers):
    panel = absorption.absorption(run)
    for source, curve in first_exciton.SOURCES.items():
        line = panel[f"CdSe at its first exciton ({source})"]
        size = cross_sections.sphere_diameter_nm(line.x)
        assert size[[0, -1]] == pytest.approx(
            first_exciton.cdse_diameter_nm(curve.range_nm, source)
        )
        expected = first_exciton.cdse_first_exciton_cross_section_cm2(size, source)
        np.testing.assert_allclose(line.y, expected, rtol=1e-6)
    for key in ("photon-per-sigma", "pi-diameter", "packed-first"):
        old, new = numbers[f"fig10-{key}"], numbers[f"fig10-{key}-jasieniak"]
        assert new == pytest.approx(old, rel=0.1)
        assert new != old
    assert numbers["fig10-sources-apart"] > 2


def test_films_absorb_what_packed_dots_would(numbers):
    # Density times cross section against 4πk/λ of a film: independent, and of unknown packing.
    assert numbers["fig10-packed-cdse"] == pytest.approx(numbers["fig10-film-cdse"], rel=0.3)
    for tail in ("", "-jasieniak"):
        packed = numbers[f"fig10-packed-first{tail}"]
        assert packed == pytest.approx(numbers["fig10-film-first"], rel=0.3)


def test_every_line_of_excitons_is_flat_and_the_lines_of_fluence_are_not(run):
    panel = fig10.universal(run)
    for line in panel.of_kind("line"):
        slope = np.diff(np.log(line.y)) / np.diff(np.log(line.x))
        expected = 1 if "µJ" in line.name else 0
        np.testing.assert_allclose(slope, expected, atol=1e-12)


def test_the_universal_line_is_the_threshold_of_fig_8(run, numbers):
    expected = qdgain.threshold_at_maximum(run.dots["3LS+ESA"]).mean_excitons
    assert numbers["fig10-threshold-3ls-esa"] == pytest.approx(float(expected))
    assert numbers["fig10-slope"] == 0


@pytest.mark.parametrize("reading", ["replacing", "additive"])
def test_the_engineered_dot_has_the_threshold_asked_for(run, reading):
    today = replace(run.dots["3LS+ESA"], reading=reading)
    found = engineered(today, run["xx_reduction"], definition="at gain maximum")
    now = float(qdgain.threshold_at_maximum(today).mean_excitons)
    reached = float(qdgain.threshold_at_maximum(found.best).mean_excitons)
    assert reached == pytest.approx(now / run["xx_reduction"], rel=1e-6)
    assert found.wanted == pytest.approx(reached, rel=1e-6)
    # By Δ_A2 alone no more than the dot whose ESA is switched off can be had, if a full dot has no
    # ESA that moves its gain maximum; otherwise what any Δ_A2 gives.
    off = replace(today, xx_absorption_strength=0.0)
    if reading == "additive":
        reach = levers.SEARCH_REACH_WIDTHS * today.linewidth_meV
        binding = today.absorptive_binding_meV + np.linspace(-reach, reach, 4801)
        off = replace(today, absorptive_binding_meV=binding)
    lowest = float(np.min(qdgain.threshold_at_maximum(off).mean_excitons))
    assert found.lowest_by_absorptive == pytest.approx(lowest, rel=1e-6)
    assert np.isinf(found.absorptive_meV) == (lowest > found.wanted)


def test_a_small_reduction_is_within_reach_of_the_absorptive_shift(run):
    modest = resolve(fig10.SETTINGS, {"xx_reduction": 1.05})
    today = modest.dots["3LS+ESA"]
    found = engineered(today, modest["xx_reduction"], definition="at gain maximum")
    changed = replace(today, absorptive_binding_meV=found.absorptive_meV)
    now = float(qdgain.threshold_at_maximum(today).mean_excitons)
    assert float(qdgain.threshold_at_maximum(changed).mean_excitons) == pytest.approx(now / 1.05)


def test_light_harvesting_lowers_the_fluence_and_not_the_excitons(run, numbers):
    assert numbers["fig10-harvest-fluence"] == pytest.approx(run["harvest_ratio"])
    assert numbers["fig10-harvest-excitons"] == pytest.approx(1)
    assert numbers["fig10-harvest-counted"] * run["harvest_ratio"] == pytest.approx(
        numbers["fig10-threshold-3ls-esa"]
    )


def test_stokes_shift_for_the_low_threshold_is_the_closed_form(run, numbers):
    goal = run["low_threshold"]
    assert numbers["fig10-thresholdless"] == pytest.approx(
        np.sqrt(2 * np.log((2 - goal) / goal)), rel=1e-6
    )


def test_a_5ls_has_the_stokes_shifts_of_both(run):
    schemes = fig10.level_schemes(run)
    for esa in ("", "+ESA"):
        shifts = [run.dots["3LS"].stokes_shift_meV, run.dots[f"4LS{esa}"].stokes_shift_meV]
        assert schemes[f"5LS{esa}"].stokes_shift_meV == pytest.approx(sum(shifts))


def test_balanced_linewidth_gives_the_goal_at_its_balanced_stokes_shift(run, numbers):
    width = numbers["fig10-balanced-linewidth"]
    shift = float(balanced_stokes_shift_meV(width, run["temperature_K"]))
    dot = replace(run.dots["3LS"], linewidth_meV=width, stokes_shift_meV=shift)
    threshold = float(qdgain.threshold_at_maximum(dot).mean_excitons)
    assert threshold == pytest.approx(run["low_threshold"], rel=1e-6)


def test_a_fluence_becomes_one_photon_at_the_stated_volume(run, numbers):
    (row,) = (r for r in measured_thresholds() if r.label == "CdSe/ZnCdS, Dang 2012, fluence")
    volume = numbers["fig10-dang-volume"]
    sigma = cross_sections.cross_section_400_cm2("CdSe", volume, run["host_index"])
    assert cross_sections.mean_excitons_absorbed(row.value, sigma) == pytest.approx(1)
    assert cross_sections.sphere_volume_nm3(numbers["fig10-dang-size"]) == pytest.approx(volume)


def test_the_papers_thresholds_are_marked_beside_the_models(run):
    marked = [s for s in fig10.universal(run).of_kind("points") if s.name.startswith("the paper")]
    assert [float(s.values[0]) for s in marked] == pytest.approx([1.5, 0.5, 0.15])


def test_a_fluence_of_dots_of_public_size_is_a_point_on_its_line(run, numbers):
    panel = fig10.universal(run)
    sized = [r for r in measured_thresholds() if r.quantity == "fluence" and r.has_volume]
    assert [row.label for row in sized] == ["CsPbX3, Yakunin 2015, fluence"]
    point = panel["CsPbX3, Yakunin 2015, at its size"]
    line = panel["CsPbX3, Yakunin 2015: 5 µJ cm⁻²"]
    on_line = np.exp(np.interp(np.log(point.x), np.log(line.x), np.log(line.y)))
    np.testing.assert_allclose(point.y, on_line)
    np.testing.assert_allclose(point.y_high / point.y_low, 10)
    assert numbers["fig10-yakunin-excitons"] == pytest.approx(float(point.y[0]))


def test_every_published_number_is_drawn_and_tabled_once(run):
    rows = measured_thresholds()
    drawn = [s for s in fig10.universal(run).of_kind("points") if s.name[0].isdigit()]
    numbered = [r for r in rows if r.quantity == "mean excitons" and np.isfinite(r.value)]
    assert [series.y[0] for series in drawn] == [row.value for row in numbered]
    table = fig10.published_table()
    assert len(table.rows) == len(rows)
    page = table._repr_html_()
    for row in rows:
        assert f"https://doi.org/{row.doi}" in page
    assert "5 ± 1 µJ cm⁻²" in page
    assert "⟨N⟩ &lt; 1" in page


def test_a_users_dot_adds_its_own_lines(run, numbers):
    own = resolve(fig10.SETTINGS, {"stokes_shift_meV": 60.0})
    added = {s.name for s in fig10.universal(own).series} - {
        s.name for s in fig10.universal(run).series
    }
    assert added == {"your dot", "your dot+ESA"}
    assert fig10.universal(own)["your dot+ESA"].y[0] == pytest.approx(
        float(qdgain.threshold_at_maximum(own.dots["your dot+ESA"]).mean_excitons)
    )
    assert {row.key for row in fig10.headlines(own)} > set(numbers)


def test_panels_export(run, tmp_path):
    path = tmp_path / "fig10b.csv"
    fig10.universal(run).to_csv(path)
    with path.open(encoding="utf-8") as stream:
        rows = list(csv.DictReader(stream))
    assert {row["series"] for row in rows} == {s.name for s in fig10.universal(run).series}
    assert "volume [nm³]" in rows[0]


@pytest.mark.slow
@pytest.mark.parametrize(
    "given",
    [
        {"statistics": "sequential", "floor": 0.05, "stokes_shift_meV": 0.0},
        {"harvest_ratio": 1.0, "temperature_K": 10.0, "low_threshold": 1.9, "xx_reduction": 1.0},
    ],
)
def test_any_allowed_run_can_be_drawn(given):
    other = resolve(fig10.SETTINGS, given)
    for figure in fig10.FIGURES.values():
        assert figure.draw(figure.panels(other)).axes
    assert all(isinstance(row.value, float | int) for row in fig10.headlines(other))
