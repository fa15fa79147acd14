"""The calibration: its fast numbers are the model's, its record is what it finds."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from qdgain.calibration import conditions, feasible, objective, plausibility, readings, record
from qdgain.calibration.conditions import CONDITIONS
from qdgain.calibration.readings import COUPLINGS, TARGETS, UNKNOWNS, Variant
from qdgain.calibration.run import WIDE, variants
from qdgain.model import dot, parameters
from qdgain.paper.claims import claims

READINGS = [
    ("maximum", "rabi"),
    ("maximum", "poisson"),
    ("onset", "rabi"),
    ("onset", "sequential"),
]


def film():
    return {
        name: parameters.CONTRACT[name].default
        for name in ("gain_exponent", "pi_pulse_fluence_mJ_cm2")
    }


def stored_variant(which="default"):
    stored = record.record()[which]
    return Variant(
        stored["threshold"], stored["statistics"], stored["esa_weight"], stored["coupling"]
    )


def stored_solution(which="default"):
    variant, free = stored_variant(which), np.array(record.record()[which]["free"])
    found = objective.predict(variant.full(free), variant)
    terms = objective.objective(free[None], variant, True, as_printed=which == "default")
    cost = 0.5 * float(np.sum(terms**2))
    return objective.Solution(variant, free, cost, found.numbers[0], found.conditions[0])


def test_targets_are_the_papers_calibrating_numbers():
    for name, stated in zip(TARGETS, readings.stated_numbers(), strict=True):
        assert claims()[name].kind == "C"
        assert stated == claims()[name].stated > 0


@pytest.mark.parametrize(("threshold", "statistics"), READINGS)
def test_fast_numbers_and_spikes_are_the_public_ones(threshold, statistics):
    variant = Variant(threshold, statistics, None, "separate")
    rng = np.random.default_rng(5)
    typical = np.array([0.4, 1.5, 0.8, 0.5, 2.0, 0.4, 0.3, -1.2, 5.0, 0.4, -3.5])
    spread = np.array([0.2, 0.3, 0.5, 0.4, 0.6, 0.3, 0.2, 0.2, 0.5, 0.2, 0.5])
    free = (typical + spread * rng.uniform(-1, 1, (4, 11)))[:, : variant.parameters]
    full = variant.full(free)
    fast = objective.predict(full, variant)
    values = readings.values(full)
    many = readings.candidate_dots(full)
    for k, row in enumerate(values):
        dots = {name: many.at((k, i)) for i, name in enumerate(readings.DOTS)}
        exact = objective.public_numbers(dots, row[8], row[9], variant, floor=row[10])
        reached = np.isfinite(exact)
        assert reached.sum() > 6
        np.testing.assert_allclose(fast.numbers[k][reached], exact[reached], rtol=1e-3)
        if reached[5:].all():
            spikes = conditions.public_conditions(dots, row[8], row[9], variant)
            np.testing.assert_allclose(fast.conditions[k], spikes, atol=0.01)
            clear = np.abs(spikes) > 0.01
            assert np.all((fast.dominance[k] > 0)[clear] == (spikes > 0)[clear])


def test_presets_file_is_the_stored_solution():
    stored = (record.DATA / "presets.toml").read_text(encoding="utf-8")
    assert record.presets_text(stored_solution()) == stored


def test_residuals_recomputed_from_the_presets_are_the_stored_ones():
    default = record.record()["default"]
    numbers = objective.public_numbers(dot.presets(), **film(), variant=stored_variant())
    # Stored with four significant digits.
    np.testing.assert_allclose(numbers, list(default["numbers"].values()), rtol=5e-4)
    residuals = numbers / readings.stated_numbers() - 1
    np.testing.assert_allclose(residuals, list(default["residuals"].values()), atol=1e-4)
    assert np.max(np.abs(residuals)) <= readings.TOLERANCE


def test_presets_meet_every_qualitative_condition():
    met = conditions.public_conditions(dot.presets(), **film(), variant=stored_variant())
    stored = record.record()["default"]["conditions"]
    assert list(stored) == list(CONDITIONS)
    np.testing.assert_allclose(met, list(stored.values()), atol=1e-3)
    assert np.all(met >= 0)


@pytest.mark.slow
@pytest.mark.parametrize(("which", "sample"), [("default", "wide"), ("lean", "lean")])
def test_stored_solutions_are_found_again_from_nearby_starts(which, sample):
    """Numbers and the pinned combinations come back; flat directions may differ."""
    variant, stored = stored_variant(which), stored_solution(which)
    low, high = variant.bounds
    away = np.random.default_rng(1).uniform(-0.02, 0.02, low.size) * (high - low)
    start = np.clip(stored.free + away, low, high)
    as_printed = which == "default"
    assert np.max(np.abs(objective.objective(start[None], variant, True, as_printed)[0, :9])) > 1
    found = objective.refine(start, variant, True, as_printed=as_printed)
    assert found.cost == pytest.approx(stored.cost, rel=0.05)
    np.testing.assert_allclose(found.numbers, stored.numbers, rtol=0.01)
    assert found.meets_conditions
    # Neither has a floor, the last unknown.
    change = variant.full(found.free)[0, :-1] - variant.full(stored.free)[0, :-1]
    moved = dict(zip((unknown.name for unknown in UNKNOWNS[:-1]), change, strict=True))
    for combination in record.record()["sets"][sample]["combinations"][:3]:
        along = sum(weight * moved[name] for name, weight in combination["loadings"].items())
        assert abs(along) < combination["spread"]


@pytest.mark.parametrize("name", ["lean", "wide"])
def test_points_of_the_sampled_set_meet_every_number(name):
    columns = record.feasible_set(name)
    points = len(columns["gain_exponent"])
    assert points == record.record()["sets"][name]["points"]
    variant = stored_variant("lean") if name == "lean" else WIDE
    for k in np.random.default_rng(3).choice(points, 12, replace=False):
        at = {column: float(values[k]) for column, values in columns.items()}
        stored = {
            f"{scheme.upper()}+ESA": {
                "stokes_shift_meV": at[f"stokes_{scheme}_meV"],
                "absorptive_binding_meV": at[f"absorptive_{scheme}_meV"],
                "emissive_binding_meV": at[f"emissive_{scheme}_meV"],
                "xx_absorption_strength": at["xx_absorption_strength"],
                "xx_emission_strength": at["xx_emission_strength"],
            }
            for scheme in readings.SCHEMES
        }
        numbers = objective.public_numbers(
            record.preset_dots(stored), at["gain_exponent"], at["pi_pulse_fluence_mJ_cm2"], variant
        )
        assert np.max(np.abs(numbers / readings.stated_numbers() - 1)) <= readings.TOLERANCE


@pytest.mark.parametrize("which", ["default", "lean"])
def test_degrees_of_freedom_are_counted(which):
    stored = record.record()[which]
    assert stored["stated_numbers"] == len(TARGETS) == 9
    assert stored["free_parameters"] == stored_variant(which).parameters == len(stored["free"])


def test_default_prints_as_the_paper_does():
    assert stored_solution().prints_as_stated
    assert stored_solution("lean").meets_numbers


def test_every_variant_is_recorded_and_none_is_leaner():
    rows = record.record()["variants"]
    assert [row["name"] for row in rows] == [variant.name for variant in variants()]
    fewest = min(
        row["free_parameters"]
        for row in rows
        if (row["threshold"], row["statistics"]) == ("maximum", "rabi")
        and row["with_conditions"]["starts_within"] > 0
    )
    assert record.record()["lean"]["free_parameters"] == fewest
    assert fewest <= record.record()["default"]["free_parameters"]


def test_stored_readings_give_their_stored_numbers():
    every = variants()
    for k in np.random.default_rng(4).choice(len(every), 6, replace=False):
        dots, found = record.refitted(every[k], "numbers_only")
        row = record.record()["variants"][k]["numbers_only"]
        numbers = objective.public_numbers(dots, variant=every[k], **found)
        stored = np.array(list(row["numbers"].values()))
        reached = np.isfinite(numbers)
        np.testing.assert_allclose(numbers[reached], stored[reached], rtol=5e-3)
        if reached.all():
            worst = np.max(np.abs(numbers / readings.stated_numbers() - 1))
            assert worst == pytest.approx(row["largest_residual"], abs=5e-3)


def test_criterion_prefers_fewer_parameters_and_refuses_what_misses():
    stated = readings.stated_numbers()

    def solution(variant, cost, factor=1.0, margin=0.1):
        free = np.zeros(variant.parameters)
        return objective.Solution(variant, free, cost, stated * factor, np.full(6, margin))

    small, large = Variant(esa_weight=1.0, coupling="one"), Variant()
    good = solution(small, 2.0)
    assert record.choose([solution(large, 1.0), good]) is good
    other = solution(Variant(statistics="poisson", esa_weight=1.0, coupling="one"), 0.1)
    assert record.choose([other, good, solution(small, 1.0, factor=1.11)]) is good
    close, exact = solution(small, 0.5, factor=1.03), solution(large, 1.0)
    assert record.choose([close, exact]) is exact
    assert record.choose([close, exact], as_printed=False) is close
    with pytest.raises(ValueError, match="no variant"):
        record.choose([other, solution(small, 1.0, margin=-0.01)])


@settings(max_examples=30, deadline=None)
@given(
    coupling=st.sampled_from(sorted(COUPLINGS)),
    weight=st.sampled_from([1.0, 2.0, None]),
    threshold=st.sampled_from(["maximum", "onset"]),
    fraction=st.floats(0, 1),
)
def test_couplings_tie_what_they_say(coupling, weight, threshold, fraction):
    variant = Variant(threshold, "rabi", weight, coupling)
    low, high = variant.bounds
    assert low.size == high.size == variant.parameters
    assert np.all(low < high)
    v = dict(
        zip(
            (unknown.name for unknown in UNKNOWNS),
            readings.values(variant.full(low + fraction * (high - low)))[0],
            strict=True,
        )
    )
    shifts = [v[n] for n in ("absorptive_3ls", "emissive_3ls", "absorptive_4ls", "emissive_4ls")]
    if coupling == "one":
        assert np.ptp(shifts) == 0
    if coupling == "displaced":
        assert shifts[0] == shifts[1]
        np.testing.assert_allclose(shifts[2:], shifts[0] + v["stokes_4ls"])
    if coupling == "relaxed":
        assert shifts[0] == shifts[1] == shifts[3]
    if coupling == "shared":
        assert (shifts[0], shifts[1]) == (shifts[2], shifts[3])
    if weight is not None:
        assert v["xx_absorption_strength"] == pytest.approx(weight)
    assert (v["floor"] > 0) == (threshold == "onset")


def test_a_threshold_out_of_reach_is_worse_than_any_within():
    """Otherwise a search would stop on the edge."""
    variant = Variant()
    free = np.array([0.4, 1.5, 0.5, 0.5, 1.5, 0.5, 0.0, np.log(0.3), 5.0, np.log(1.5)])
    weak = free.copy()
    weak[8] = np.log(1.0)
    reached, lost = objective.predict(variant.full(np.array([free, weak])), variant).numbers[:, 5:]
    assert np.all(reached < 1.5)
    assert np.all(lost > 1.5)


def test_sampler_fills_a_known_region_evenly(monkeypatch):
    """A slab across the box: the moments of an even distribution come out."""
    pytest.importorskip("emcee")
    variant = Variant(esa_weight=1.0, coupling="one")
    low, high = variant.bounds

    def in_slab(full, variant, tolerance):
        return np.abs(full[:, 0] + full[:, 1] - 3.0) <= 0.5

    monkeypatch.setattr(feasible, "meets_numbers", in_slab)
    start = 0.5 * (low + high)[None]
    start[0, :2] = 1.5
    chain = feasible.sample(variant, start, 11, sweeps=400, keep=4000)
    x, y = chain.free[:, 0], chain.free[:, 1]
    assert np.all(np.abs(x + y - 3) <= 0.5)
    assert 0.1 < chain.acceptance < 0.9
    assert np.mean(x + y) == pytest.approx(3.0, abs=0.05)
    assert np.std(x + y) == pytest.approx(1 / np.sqrt(12), abs=0.04)
    last = (chain.free[:, -1] - low[-1]) / (high[-1] - low[-1])
    assert np.mean(last) == pytest.approx(0.5, abs=0.06)
    assert np.std(last) == pytest.approx(1 / np.sqrt(12), abs=0.04)


def test_principal_combinations_find_the_narrow_direction():
    wide, narrow = np.random.default_rng(0).standard_normal((2, 4000))
    free = np.stack([wide + 0.05 * narrow, wide - 0.05 * narrow], axis=1)
    best, worst = feasible.principal_combinations(free, ("first", "second"))
    assert best.spread == pytest.approx(0.05 * np.sqrt(2), rel=0.05)
    assert worst.spread == pytest.approx(np.sqrt(2), rel=0.05)
    assert abs(best.loadings["first"]) == pytest.approx(np.sqrt(0.5), abs=0.02)
    assert best.loadings["first"] * best.loadings["second"] < 0


def test_onset_asks_for_its_floor():
    with pytest.raises(parameters.ParameterError, match="floor"):
        objective.public_numbers(dot.presets(), 100.0, 1.0, Variant("onset"))


def test_film_length_undoes_the_gain_exponent():
    density = plausibility.dot_density_per_cm3(4.0)
    length = plausibility.film_length_um(120.0, 1e-15, density)
    assert density * 1e-15 * length * 1e-4 == pytest.approx(120.0)
    # Twice the packed diameter, an eighth of the density.
    assert plausibility.dot_density_per_cm3(10.0) == pytest.approx(density / 8)
