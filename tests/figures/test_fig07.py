"""Figure 7: its panels say what the model says."""

import numpy as np
import pytest

from qdgain import gain
from qdgain.figures import fig07
from qdgain.model.bands import band_centres_eV
from qdgain.run import resolve


@pytest.fixture(scope="module")
def run():
    return resolve(fig07.SETTINGS, {})


@pytest.fixture(scope="module")
def numbers(run):
    return {row.key: row.value for row in fig07.headlines(run)}


def test_diagrams_carry_the_energies_of_the_bands(run):
    for panel in fig07.level_systems(run)[1:]:
        centres = band_centres_eV(run.dots[f"{panel.title}+ESA"])
        assert np.ptp(panel["ESA"].y) == pytest.approx(float(centres.xx_absorption), rel=1e-12)
        assert np.ptp(panel["emission"].y) == pytest.approx(float(centres.emission), rel=1e-12)


def test_esa_is_resonant_with_emission_at_zero_or_at_the_stokes_shift(run, numbers):
    # Within half a step of the shifts that are tried.
    assert numbers["fig07-resonance-2ls"] == pytest.approx(0, abs=0.126)
    for name in ("3LS", "4LS"):
        stokes = run.dots[f"{name}+ESA"].stokes_shift_meV
        assert numbers[f"fig07-resonance-{name.lower()}"] == pytest.approx(stokes, abs=0.126)


def test_definitions_differ_by_what_the_exciton_has_lost(run, numbers):
    three, four = (run.dots[name].stokes_shift_meV for name in ("3LS", "4LS"))
    assert numbers["fig07-definitions-3ls"] == pytest.approx(three)
    assert numbers["fig07-definitions-4ls"] == pytest.approx(four / 2)


def test_full_esa_cancels_all_gain_and_weaker_esa_does_not(run, numbers):
    gains = fig07.continuous_gain(run)[0]
    np.testing.assert_allclose(gains["4LS, ρ = 1"].y, 0, atol=1e-14)
    assert (gains["3LS, ρ = 1"].y < 0).all()
    assert (gains["2LS, ρ = 1"].y < gains["2LS, no ESA"].y).all()
    assert numbers["fig07-largest-4ls"] == pytest.approx(0, abs=1e-14)
    assert numbers["fig07-half-3ls"] == pytest.approx(2)
    weak = resolve(fig07.SETTINGS, {"cw_esa_strength": 0.8})
    rows = {row.key: row.value for row in fig07.headlines(weak)}
    assert rows["fig07-largest-4ls"] > 0
    assert rows["fig07-largest-3ls"] > 0


def test_gain_comes_back_where_the_threshold_curve_ends(run, numbers):
    curves = fig07.continuous_gain(run)[1]
    for name in ("3LS", "4LS"):
        curve = curves[f"{name}, 300 K"]
        last = curve.x[np.isfinite(curve.y)].max()
        assert last == pytest.approx(numbers[f"fig07-rho-{name.lower()}"], abs=0.006)
    own = 1 / (1 - numbers["fig07-own-rho-3ls"])
    assert numbers["fig07-own-ideal-3ls"] == pytest.approx(own if own > 0 else np.inf)
    ideal = curves["3LS, ideal"]
    below = ideal.x < 0.999
    np.testing.assert_allclose(ideal.y[below], 1 / (1 - ideal.x[below]), rtol=1e-9)


def test_map_of_absorption_is_the_sum_of_its_parts(run):
    mapped, cuts, _ = fig07.transient_absorption(run)
    last = mapped["ΔOD"].z[-1]
    parts = [s for s in cuts.series if s.dash == "--"]
    assert [s.name.split(",")[0] for s in parts] == ["GSB", "SE", "ESA", "sum"]
    np.testing.assert_allclose(sum(s.y for s in parts[:3]), parts[3].y, atol=1e-14)
    np.testing.assert_allclose(last, parts[3].y, atol=1e-14)


def test_late_absorption_is_close_to_that_of_the_gain_model(run):
    mapped = fig07.transient_absorption(run)[0]["ΔOD"]
    dot, fraction = run.dots["3LS+ESA"], run["pumped_fraction"]
    relaxed = gain(dot, mapped.x, 0.0) - gain(dot, mapped.x, fraction, "sequential")
    # 6 ps after the pump half a percent of the excitons are still on their way.
    assert np.abs(mapped.z[-1] - relaxed).max() < 0.02 * np.abs(relaxed).max()


@pytest.mark.slow
def test_induced_absorption_has_the_times_that_were_put_in(run, numbers):
    assert numbers["fig07-pia-red"] > 0
    assert numbers["fig07-pia-blue"] > 0
    slow = resolve(fig07.SETTINGS, {"induced_absorption_decay_ps": 1.5})
    rows = {row.key: row.value for row in fig07.headlines(slow)}
    assert rows["fig07-pia-decay"] > numbers["fig07-pia-decay"]
    narrow = resolve(fig07.SETTINGS, {"hot_width_ratio": 1.0})
    rows = {row.key: row.value for row in fig07.headlines(narrow)}
    assert rows["fig07-pia-blue"] < 1e-6


def test_fits_reproduce_the_spectrum_and_only_the_global_one_the_bands(run, numbers):
    panel, errors = fig07.four_bands(run)
    data = panel["simulated"].y
    noise = run["spectrum_noise"] * data.max()
    for label in ("single fit", "global fit"):
        total = sum(s.y for s in panel.series if s.name.endswith(label))
        assert np.std(data - total) < 1.2 * noise
    assert numbers["fig07-four-bands-smallest"] > 5
    single = errors.series[0]
    together = errors.series[2]
    assert np.median(single.y) > 5 * np.median(together.y)


@pytest.mark.slow
def test_a_users_dot_is_drawn_beside_the_papers(run):
    own = resolve(fig07.SETTINGS, {"stokes_shift_meV": 40.0, "absorptive_binding_meV": 10.0})
    assert [panel.title for panel in fig07.level_systems(own)] == ["2LS", "3LS", "4LS", "your dot"]
    assert len(fig07.transient_absorption(own)) == 6
    assert "your dot" in [series.name for series in fig07.cancellation(own).series]
    mine = {row.key: row.value for row in fig07.headlines(own)}
    theirs = {row.key: row.value for row in fig07.headlines(run)}
    assert {key: mine[key] for key in theirs} == theirs
    assert mine["fig07-resonance-your-dot"] == pytest.approx(40, abs=0.126)
