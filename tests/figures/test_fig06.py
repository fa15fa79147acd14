"""Figure 6: its panels say what the model says."""

import numpy as np
import pytest

from qdgain.figures import fig06
from qdgain.model import kinetics, transients
from qdgain.model.bands import band_centres_eV
from qdgain.run import resolve


@pytest.fixture(scope="module")
def run():
    return resolve(fig06.SETTINGS, {})


@pytest.fixture(scope="module")
def numbers(run):
    return {row.key: row.value for row in fig06.headlines(run)}


def test_diagrams_carry_the_energies_of_the_bands(run):
    for panel in fig06.level_systems(run)[1:]:
        centres = band_centres_eV(run.dots["4LS" if panel.title in ("4LS", "5LS") else "3LS"])
        for name, centre in (("pump", centres.absorption), ("emission", centres.emission)):
            assert np.ptp(panel[name].y) == pytest.approx(float(centre), rel=1e-12)


def test_band_of_cooling_times_encloses_a_time_within_it(run):
    panel = fig06.photoluminescence(run)
    for window in ("hot", "band edge"):
        line = panel[f"{window}, cooling in 1.5 ps"].y
        band = panel[f"{window}, 1 to 2 ps"]
        assert (band.y_low <= line + 1e-12).all()
        assert (line <= band.y_high + 1e-12).all()


def test_hot_signal_comes_after_the_response_and_before_the_band_edge(run):
    panel = fig06.photoluminescence(run)

    def half_rise(name):
        series = panel[name]
        return np.interp(0.5, series.y[: np.argmax(series.y)], series.x[: np.argmax(series.y)])

    order = [
        half_rise(n) for n in ("response", "hot, cooling in 1.5 ps", "band edge, cooling in 1.5 ps")
    ]
    assert order == sorted(order)


@pytest.mark.slow
def test_recovered_cooling_times_agree_with_the_true_ones(run, numbers):
    fit = fig06.resolution(run)["fit, one standard error"]
    error = np.asarray(fit.y_high) - np.asarray(fit.y)
    assert (np.abs(fit.y - fit.x) < 4 * error).all()
    assert abs(numbers["fig06-hot-cooling"] - 1.5) < 4 * numbers["fig06-hot-cooling-error"]


def test_more_noise_resolves_less(numbers):
    loud = resolve(fig06.SETTINGS, {"transient_noise": 0.03})
    worse = {row.key: row.value for row in fig06.headlines(loud)}
    assert worse["fig06-resolved"] > numbers["fig06-resolved"]
    assert worse["fig06-hot-cooling-error"] == pytest.approx(
        3 * numbers["fig06-hot-cooling-error"], rel=0.1
    )


def test_build_up_time_is_the_relaxation_time(run, numbers):
    # The pulse is short, so it hardly changes it.
    assert numbers["fig06-build-up"] == pytest.approx(0.5, rel=0.02)
    slow = resolve(fig06.SETTINGS, {"relaxation_time_fs": 900.0})
    rows = {row.key: row.value for row in fig06.headlines(slow)}
    assert rows["fig06-build-up"] == pytest.approx(0.9, rel=0.02)


def test_build_up_begins_at_the_prompt_share(run, numbers):
    panel = fig06.build_up(run)
    for name in ("3LS", "4LS"):
        curve = panel[f"at PL_X, {name}"]
        after_pulse = np.interp(150.0, curve.x, curve.y)
        prompt = numbers[f"fig06-prompt-{name.lower()}"]
        risen = transients.relaxed_fraction(150.0, 500.0, 100.0)
        assert after_pulse == pytest.approx(prompt + (1 - prompt) * risen, rel=1e-3)


def test_continuous_gain_crosses_zero_at_the_thresholds(run, numbers):
    panel = fig06.continuous_gain(run)
    for name in ("3LS, ideal", "3LS, 300 K", "4LS, 300 K"):
        key = "fig06-ideal-3ls" if "ideal" in name else f"fig06-thermal-{name[:3].lower()}"
        crossing = np.exp(np.interp(0, panel[name].y, np.log(panel[name].x)))
        assert crossing == pytest.approx(numbers[key], rel=1e-2)
    assert (panel["4LS, ideal"].y > 0).all()
    assert (panel["2LS, ideal"].y < 0).all()


def test_thermal_thresholds_are_the_closed_forms(run, numbers):
    kT = 0.0861733 * run["temperature_K"]
    b = numbers["fig06-branching"]
    kappa = np.exp(-run.dots["3LS"].stokes_shift_meV / kT)
    # The 4LS loses excitons back to X_A over the same energy that fills its terminal level.
    theta = np.exp(-run.dots["4LS"].stokes_shift_meV / 2 / kT)
    assert numbers["fig06-thermal-3ls"] == pytest.approx(1 / (1 - b - kappa), rel=1e-4)
    assert numbers["fig06-thermal-4ls"] == pytest.approx(
        theta / (1 - b - (b + theta) * theta), rel=1e-4
    )


def test_cold_dots_come_close_to_the_ideal():
    cold = resolve(fig06.SETTINGS, {"temperature_K": 10.0})
    rows = {row.key: row.value for row in fig06.headlines(cold)}
    assert rows["fig06-thermal-3ls"] == pytest.approx(1, abs=1e-3)
    assert rows["fig06-thermal-4ls"] < 1e-3


def test_a_users_dot_is_drawn_beside_the_papers(run):
    own = resolve(fig06.SETTINGS, {"stokes_shift_meV": 40.0})
    assert [panel.title for panel in fig06.level_systems(own)] == [
        "2LS", "3LS", "4LS", "5LS", "your dot",
    ]  # fmt: skip
    assert len(fig06.photoluminescence(own).series) == len(fig06.photoluminescence(run).series) + 1
    for compute in (fig06.build_up, fig06.continuous_gain):
        names = {series.name for series in compute(own).series}
        assert {series.name for series in compute(run).series} < names
        assert any("your dot" in name for name in names)
    assert kinetics.cw_threshold(fig06.thermal_schemes(own)["your dot"]) > 0
