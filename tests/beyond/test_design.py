"""The way to a low threshold: brute force, invariances, limits, closed forms, the command."""

import json
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

import qdgain
from qdgain import cli
from qdgain.beyond import levers, reachable, shortest_way
from qdgain.beyond.advice import SINGLES, advice, shares_at_threshold
from qdgain.beyond.repulsion import best_binding, threshold_slopes
from qdgain.beyond.shortest_way import FIELDS, ROUTES, moved, nearest_dot
from qdgain.figures import design as figures
from qdgain.model.balance import (
    balanced_stokes_shift_meV,
    balanced_threshold_at_emission,
    biexciton_stokes_shift_meV,
)
from qdgain.model.bands import band_widths_meV
from qdgain.model.gain import exciton_share, gain_maximum_meV
from qdgain.model.parameters import ParameterError
from qdgain.model.populations import populations
from qdgain.model.threshold import threshold_at_energy
from qdgain.paper.published import published_shifts
from qdgain.run import resolve
from strategies import STATISTICS, dots

THREE, FOUR = (qdgain.presets()[name] for name in ("3LS+ESA", "4LS+ESA"))
DEFINITIONS = st.sampled_from(levers.DEFINITIONS)


def reached(dot, target, definition="at gain maximum", **how):
    return levers.threshold_of(dot, definition, **how) <= target * (1 + 1e-6)


# --- the shortest way


@pytest.mark.parametrize("name", ["3LS+ESA", "4LS+ESA"])
@pytest.mark.parametrize("target", [0.1, 0.4])
@pytest.mark.parametrize("definition", levers.DEFINITIONS)
def test_no_dot_of_a_dense_grid_is_nearer(name, target, definition):
    """An independent method: the threshold itself on a grid, without gradient or populations."""
    dot = qdgain.presets()[name]
    way = nearest_dot(dot, target, definition)
    assert way.threshold == pytest.approx(target, rel=1e-5)
    step = 60.0 / 15
    grid = np.arange(-15, 16) * step
    ds, da, de = (axis.ravel() for axis in np.meshgrid(grid, grid, grid, indexing="ij"))
    kept = (dot.stokes_shift_meV + ds >= 0) & (
        dot.stokes_shift_meV + dot.emissive_binding_meV + ds + de >= 0
    )
    kept &= np.sqrt(ds**2 + da**2 + de**2) < way.distance_meV + 2 * step
    ds, da, de = ds[kept], da[kept], de[kept]
    trial = replace(
        dot,
        stokes_shift_meV=dot.stokes_shift_meV + ds,
        absorptive_binding_meV=dot.absorptive_binding_meV + da,
        emissive_binding_meV=dot.emissive_binding_meV + de,
    )
    found = np.sqrt(ds**2 + da**2 + de**2)[levers.threshold_of(trial, definition) <= target]
    assert way.distance_meV - 1e-6 <= found.min() <= way.distance_meV + 1.8 * step


@pytest.mark.slow
@settings(max_examples=25, deadline=None)
@given(dots(), st.floats(0.08, 1.2), DEFINITIONS, st.sampled_from(["rabi", "sequential"]))
def test_a_way_ends_where_it_says_and_random_dots_are_not_nearer(dot, target, definition, law):
    way = nearest_dot(dot, target, definition, statistics=law)
    now = float(levers.threshold_of(dot, definition, statistics=law))
    emission = dot.stokes_shift_meV + dot.emissive_binding_meV
    if not way.exists:
        assert now > target
        return
    assert reached(way.dot, target, definition, statistics=law)
    changes = np.array([way.change_meV[name] for name in FIELDS])
    assert way.distance_meV == pytest.approx(np.linalg.norm(changes))
    if now <= target:
        assert way.distance_meV == 0
        return
    random = np.random.default_rng(7)
    direction = random.normal(size=(3, 1500))
    direction /= np.linalg.norm(direction, axis=0)
    direction *= 0.98 * way.distance_meV * random.random(1500) ** (1 / 3)
    stokes = dot.stokes_shift_meV + direction[0]
    ok = (stokes >= 0) & (emission + direction[0] + direction[2] >= min(emission, 0))
    direction, stokes = direction[:, ok], stokes[ok]
    assume(stokes.size)
    trial = replace(
        dot,
        stokes_shift_meV=stokes,
        absorptive_binding_meV=dot.absorptive_binding_meV + direction[1],
        emissive_binding_meV=dot.emissive_binding_meV + direction[2],
    )
    assert levers.threshold_of(trial, definition, statistics=law).min() > target * (1 - 1e-6)


@pytest.mark.slow
@settings(max_examples=15, deadline=None)
@given(dots(), st.floats(0.5, 3), st.floats(-0.3, 0.3), st.floats(0.1, 0.9), DEFINITIONS)
def test_ways_scale_with_all_energies_and_ignore_their_origin(dot, factor, shift, goal, definition):
    """At the onset the floor is a gain and not an energy, so that it does not scale."""
    fields = dot.values()
    scaled = {n: v * factor for n, v in fields.items() if n.endswith("_meV")}
    other = replace(dot, absorption_energy_eV=dot.absorption_energy_eV + shift, **scaled)
    one, two = (nearest_dot(d, goal, definition) for d in (dot, other))
    # Where a limit of the contract is met, the two searches are not of one space.
    assume(one.exists and two.exists)
    assume(factor * max(abs(v) for n, v in one.dot.values().items() if n.endswith("_meV")) < 900)
    assert two.distance_meV == pytest.approx(factor * one.distance_meV, rel=1e-4, abs=1e-3)


@pytest.mark.parametrize("dot", [THREE, FOUR])
@pytest.mark.parametrize("definition", levers.DEFINITIONS)
def test_more_freedom_is_never_longer_and_lower_is_never_nearer(dot, definition):
    free, wide, tied = (
        nearest_dot(dot, 0.2, definition, route=route).distance_meV
        for route in ("shifts", "shifts and linewidth", "one binding energy")
    )
    assert wide <= free <= tied
    lengths = [nearest_dot(dot, target, definition).distance_meV for target in (0.5, 0.2, 0.05)]
    assert lengths == sorted(lengths)
    balanced = nearest_dot(dot, 0.2, definition, route="shifts and linewidth", balanced_at_K=300.0)
    assert balanced.distance_meV >= wide


def test_a_way_in_equilibrium_ends_in_equilibrium():
    for dot in (THREE, FOUR):
        end = nearest_dot(dot, 0.1, route="shifts and linewidth", balanced_at_K=300.0).dot
        most = balanced_stokes_shift_meV(end.linewidth_meV, 300.0) * (1 + 1e-6)
        assert 0 <= end.stokes_shift_meV <= most
        assert -1e-5 <= biexciton_stokes_shift_meV(end) <= most
    assert not nearest_dot(THREE, 0.1, balanced_at_K=300.0).exists


def test_one_binding_energy_moves_both_alike():
    change = nearest_dot(THREE, 0.1, route="one binding energy").change_meV
    assert change["absorptive_binding_meV"] == pytest.approx(change["emissive_binding_meV"])
    assert change["linewidth_meV"] == 0


@pytest.mark.parametrize("reading", ["replacing", "additive"])
def test_the_way_of_an_uncorrelated_dot_by_stokes_shift_alone_is_closed(reading):
    """Without ESA and XX emission, sequential, at the centre of PL_X, where P = 1.

    N = 2A/(2A + P) where X takes all of the absorption with it, 2A/(A + P) where it leaves half.
    """
    dot = replace(
        THREE,
        reading=reading,
        emissive_binding_meV=0.0,
        xx_absorption_strength=0.0,
        xx_emission_strength=0.0,
    )
    s = dot.linewidth_meV / (2 * np.sqrt(2 * np.log(2)))
    goal = 0.1
    by_s = levers.nearest_value_for(dot, "stokes_shift_meV", goal, statistics="sequential")
    absorption = goal / (2 * (1 - goal) if reading == "replacing" else 2 - goal)
    assert by_s == pytest.approx(s * np.sqrt(-2 * np.log(absorption)), rel=1e-6)
    way = nearest_dot(dot, goal, statistics="sequential")
    # The gain maximum is the centre of PL_X, which no binding moves.
    assert way.distance_meV == pytest.approx(by_s - dot.stokes_shift_meV, rel=1e-6)


def test_a_dot_that_is_there_stays():
    way = nearest_dot(THREE, 2.0)
    assert way.distance_meV == 0
    assert way.dot == THREE


def test_a_dot_whose_onset_lies_between_the_energies_of_the_search_stays():
    dot = qdgain.Dot(
        linewidth_meV=20.0,
        stokes_shift_meV=0.0,
        absorptive_binding_meV=0.0,
        emissive_binding_meV=-20.0,
        xx_absorption_strength=0.0,
        xx_emission_strength=1.0,
    )
    assert levers.threshold_of(dot, "onset") < 0.5
    assert nearest_dot(dot, 0.5, "onset").distance_meV == 0


def test_widths_of_single_bands_follow_the_linewidth():
    dot = replace(THREE, emission_linewidth_meV=60.0)
    changed = moved(dot, np.array([1.0, 2.0, 3.0, 8.0]))
    assert changed.linewidth_meV == pytest.approx(88)
    assert changed.emission_linewidth_meV == pytest.approx(66)
    assert changed.stokes_shift_meV == pytest.approx(dot.stokes_shift_meV + 1)


@pytest.mark.parametrize(
    ("given_to", "sentence"),
    [
        ({"target": 3.0}, "low_threshold = 3.0 is not allowed"),
        ({"definition": "somewhere"}, "definition = 'somewhere' is not one of"),
        ({"statistics": "bose"}, "statistics = 'bose' is not allowed"),
        ({"balanced_at_K": 0.0}, "temperature_K = 0.0 is not allowed"),
    ],
)
def test_what_makes_no_sense_is_refused(given_to, sentence):
    with pytest.raises(ParameterError, match="^" + sentence.replace("(", r"\(")):
        nearest_dot(THREE, **({"target": 0.1} | given_to))
    with pytest.raises(ParameterError, match="one dot"):
        nearest_dot(replace(THREE, stokes_shift_meV=[1.0, 2.0]), 0.1)


# --- one parameter alone


def test_fields_that_move_together_keep_their_distance():
    both = ("absorptive_binding_meV", "emissive_binding_meV")
    dot = replace(THREE, xx_absorption_strength=1.0, xx_emission_strength=1.0)
    best, lowest = levers.lowest_over(dot, both, red=True)
    step = best - dot.absorptive_binding_meV
    by_hand = replace(
        dot,
        absorptive_binding_meV=best,
        emissive_binding_meV=dot.emissive_binding_meV + step,
    )
    assert levers.threshold_of(by_hand, "at gain maximum") == pytest.approx(lowest)


def test_no_single_way_emits_blue_of_the_absorption():
    best, _ = levers.lowest_over(THREE, "emissive_binding_meV", red=True)
    assert best + THREE.stokes_shift_meV >= 0
    free, lower = levers.lowest_over(
        replace(THREE, stokes_shift_meV=0.0, emissive_binding_meV=-1.0), "emissive_binding_meV"
    )
    assert free < 0 or lower <= 1


@pytest.mark.parametrize("name", SINGLES)
def test_a_value_that_is_said_to_be_needed_is_enough(name):
    found = advice(THREE, 0.3, definition="onset").singles[name]
    if np.isfinite(found.needed) and len(SINGLES[name]) == 1:
        changed = replace(THREE, **{name: found.needed})
        assert levers.threshold_of(changed, "onset") == pytest.approx(0.3, rel=1e-4)
    assert (found.lowest <= 0.3) >= np.isfinite(found.needed)


# --- equilibrium


def test_without_the_biexciton_equilibrium_leaves_the_closed_form():
    """a = γ = 1 at Δ = 0 is the uncorrelated dot: 2/(1 + exp(s²/2(kT)²)), and no more than that."""
    plain = replace(THREE, xx_absorption_strength=1.0, xx_emission_strength=1.0)
    widths = np.array([40.0, 80.0, 120.0])
    found = reachable.lowest_balanced(plain, widths, 300.0)
    assert np.all(found.threshold <= balanced_threshold_at_emission(widths, 300.0))
    assert np.all(np.diff(found.threshold) < 0)
    assert np.all(found.binding_meV > 0)


@pytest.mark.parametrize("definition", levers.DEFINITIONS)
@pytest.mark.parametrize("dot", [THREE, replace(THREE, xx_absorption_strength=1.0)])
def test_no_dot_with_smaller_stokes_shifts_lies_below_equilibriums_lowest(dot, definition):
    """Independent: random shifts within the limits, not only the one position that is scanned."""
    random = np.random.default_rng(3)
    width = 80.0
    most = float(balanced_stokes_shift_meV(width, 300.0))
    stokes, second = random.random((2, 20000)) * most
    absorptive = random.uniform(-60, 150, 20000)
    emissive = second + absorptive - stokes
    red = stokes + emissive >= 0
    trial = replace(
        dot,
        linewidth_meV=width,
        stokes_shift_meV=stokes[red],
        absorptive_binding_meV=absorptive[red],
        emissive_binding_meV=emissive[red],
    )
    lowest = reachable.lowest_balanced(dot, width, 300.0, definition=definition).threshold
    best = levers.threshold_of(trial, definition).min()
    assert lowest - 1e-6 <= best <= 1.1 * lowest + 0.02


@pytest.mark.parametrize("statistics", ["rabi", "sequential"])
@pytest.mark.parametrize("definition", levers.DEFINITIONS)
def test_the_narrowest_width_has_the_wanted_threshold(definition, statistics):
    how = {"definition": definition, "statistics": statistics}
    width = reachable.narrowest_balanced_linewidth_meV(THREE, 0.1, 300.0, **how)
    assert reachable.lowest_balanced(THREE, width, 300.0, **how).threshold == pytest.approx(
        0.1, rel=1e-3
    )
    # s over kT is what counts, so that the width scales with the temperature.
    other = reachable.narrowest_balanced_linewidth_meV(THREE, 0.1, 150.0, **how)
    assert other == pytest.approx(width / 2, rel=1e-3)


# --- where repulsion helps


@settings(max_examples=40, deadline=None)
@given(dots(with_own_widths=True), STATISTICS)
def test_slopes_at_the_maximum_are_those_of_the_threshold(dot, law):
    slopes = threshold_slopes(dot, statistics=law)
    now = float(levers.threshold_of(dot, "at gain maximum", statistics=law))
    assume(1e-3 < now < 1.99 and abs(now - 1) > 1e-3)
    step = 1e-4 * dot.linewidth_meV
    for name, moves in (("absorptive", (1, 0)), ("emissive", (0, 1)), ("both", (1, 1))):
        low, high = (
            float(
                levers.threshold_of(
                    replace(
                        dot,
                        absorptive_binding_meV=dot.absorptive_binding_meV + sign * step * moves[0],
                        emissive_binding_meV=dot.emissive_binding_meV + sign * step * moves[1],
                    ),
                    "at gain maximum",
                    statistics=law,
                )
            )
            for sign in (-1, 1)
        )
        expected = (high - low) / (2 * step)
        assert getattr(slopes, name) == pytest.approx(expected, rel=1e-3, abs=1e-6)


@pytest.mark.parametrize("law", ["rabi", "poisson", "sequential"])
@pytest.mark.parametrize("dot", [THREE, FOUR])
def test_slopes_at_the_onset_are_those_of_the_threshold(dot, law):
    slopes = threshold_slopes(dot, "onset", 0.02, law)
    low, high = (
        float(
            levers.threshold_of(
                replace(dot, absorptive_binding_meV=dot.absorptive_binding_meV + step),
                "onset",
                0.02,
                law,
            )
        )
        for step in (-1e-3, 1e-3)
    )
    assert slopes.absorptive == pytest.approx((high - low) / 2e-3, rel=1e-4)
    assert slopes.both == pytest.approx(slopes.absorptive + slopes.emissive)


@given(dots(), STATISTICS)
@settings(max_examples=40, deadline=None)
def test_repulsion_of_the_absorption_alone_helps_up_to_the_emission(dot, law):
    """The closed form: the sign of S + Δ_E - Δ_A2, whatever the strengths and statistics."""
    assume(dot.xx_absorption_strength > 0.01)
    second = float(biexciton_stokes_shift_meV(dot))
    slope = float(threshold_slopes(dot, statistics=law).absorptive)
    # Under sequential statistics below one exciton, and far from the bands, nothing is left of it.
    assume(np.isfinite(slope) and abs(slope) > 1e-12 and abs(second) > 1e-6)
    assert np.sign(slope) == np.sign(second)


@settings(max_examples=40, deadline=None)
@given(dots(), st.floats(0.01, 1.0))
def test_one_repulsive_binding_energy_raises_the_threshold_at_the_maximum(dot, part):
    """Every statistics: dG/dΔ = P0 A (S+Δ)/s² - ½P1 P Δ/s² is positive for -S < Δ ≤ 0."""
    binding = -part * 0.99 * dot.stokes_shift_meV
    assume(dot.stokes_shift_meV > 1)
    repelled = replace(dot, absorptive_binding_meV=binding, emissive_binding_meV=binding)
    slope = float(threshold_slopes(repelled).both)
    assert slope <= 0 or np.isnan(slope)


@pytest.mark.parametrize("dot", [THREE, FOUR])
def test_no_other_one_binding_energy_has_a_lower_threshold(dot):
    best, lowest = best_binding(dot)
    grid = np.append(np.linspace(-dot.stokes_shift_meV, 240.0, 5001), best)
    tied = replace(dot, absorptive_binding_meV=grid, emissive_binding_meV=grid)
    thresholds = levers.threshold_of(tied, "at gain maximum")
    assert lowest == thresholds[-1]
    assert lowest <= thresholds.min() * (1 + 1e-6)


def test_klimovs_threshold_needs_sequential_pumping():
    s = THREE.linewidth_meV / (2 * np.sqrt(2 * np.log(2)))
    shifts = -s * np.array([0.0, 0.5, 1.0, 2.0, 6.0])
    dot = qdgain.Dot(
        reading="replacing",
        linewidth_meV=THREE.linewidth_meV,
        stokes_shift_meV=0.0,
        absorptive_binding_meV=shifts,
        emissive_binding_meV=shifts,
        xx_absorption_strength=1.0,
        xx_emission_strength=1.0,
    )
    centre = dot.absorption_energy_eV
    on_line = {
        law: threshold_at_energy(dot, centre, statistics=law)
        for law in ("sequential", "rabi", "poisson")
    }
    expected = 2 / (3 - np.exp(-((shifts / s) ** 2) / 2))
    np.testing.assert_allclose(on_line["sequential"], expected, rtol=1e-12)
    np.testing.assert_allclose(on_line["rabi"], 1, rtol=1e-12)
    assert on_line["poisson"][0] == pytest.approx(1.146, abs=1e-3)
    assert on_line["poisson"][-1] == pytest.approx(2, abs=1e-3)
    assert np.all(np.diff(on_line["poisson"]) > 0)
    # Beside the other absorption, ESA as strong as the emission of XX leaves a full dot no gain.
    beside = replace(dot, reading="additive")
    assert np.all(threshold_at_energy(beside, centre, statistics="sequential") == np.inf)


# --- shares


@settings(max_examples=25, deadline=None)
@given(dots())
def test_shares_are_of_a_balance(dot):
    shares = shares_at_threshold(dot, "at gain maximum", 0.01, "rabi")
    assume(np.isfinite(shares.exciton_emission) and np.isfinite(shares.ground_absorption))
    assert shares.ground_absorption + shares.excited_state_absorption == pytest.approx(1)
    assert shares.exciton_emission + shares.biexciton_emission == pytest.approx(1)
    mean = float(levers.threshold_of(dot, "at gain maximum"))
    ground, _, biexciton = populations(mean)
    s = dot.linewidth_meV / (2 * np.sqrt(2 * np.log(2)))
    absorbed = ground * np.exp(-(((dot.stokes_shift_meV + dot.emissive_binding_meV) / s) ** 2) / 2)
    emitted = biexciton * dot.xx_emission_strength
    # Loss and gain are equal, so the two shares are of one sum.
    assume(shares.ground_absorption > 1e-3 and shares.biexciton_emission > 1e-3)
    assert absorbed / shares.ground_absorption == pytest.approx(
        emitted / shares.biexciton_emission, rel=1e-6
    )


# --- the chapter


@pytest.fixture(scope="module")
def numbers():
    return {row.key: row.value for row in figures.headlines(resolve(figures.SETTINGS, {}))}


def test_the_map_is_of_ratios_alone():
    run = resolve(figures.SETTINGS, {})
    wide = {
        name: value * 2
        for name, value in THREE.values().items()
        if name.endswith("_meV") and name != "unrelaxed_absorptive_binding_meV"
    }
    other = resolve(figures.SETTINGS, wide)
    for one, two in zip(figures.threshold_map(run), figures.threshold_map(other), strict=True):
        np.testing.assert_allclose(
            one.series[0].z, two.series[0].z, rtol=1e-9, atol=1e-12, equal_nan=True
        )
        # Only the limit of equilibrium moves: S/Γ grows with Γ.
        np.testing.assert_allclose(2 * one.series[1].x, two.series[1].x)


def test_the_marks_stand_on_the_values_of_their_dots():
    run = resolve(figures.SETTINGS, {})
    panel = figures.threshold_map(run)[0]
    grid = panel.series[0]
    mark = panel["3LS+ESA"]
    i = np.argmin(np.abs(grid.x - mark.x[0]))
    j = np.argmin(np.abs(grid.y - mark.y[0]))
    assert grid.z[j, i] == pytest.approx(float(levers.threshold_of(THREE, "at gain maximum")), 0.05)


def test_a_public_number_has_its_source_and_none_is_filled_in():
    for row in published_shifts():
        assert row.doi.startswith("10.")
        assert row.seen_in
        assert row.is_public == (row.quoted != "not in the text seen")
        assert not row.is_public or np.isnan(row.low_meV) or row.low_meV <= row.value_meV
    page = figures.published_table()._repr_html_()
    assert page.count("https://doi.org/") == len(published_shifts())


@pytest.mark.slow
@pytest.mark.parametrize(
    "given_to",
    [
        {"emissive_binding_meV": -1000.0, "absorption_linewidth_meV": 300.0, "linewidth_meV": 1e3},
        {"linewidth_meV": 1.0, "temperature_K": 2000.0, "stokes_shift_meV": 1000.0},
        {"xx_emission_strength": 0.0, "statistics": "sequential", "low_threshold": 2.0},
    ],
)
def test_any_allowed_run_gives_numbers(given_to):
    run = resolve(figures.SETTINGS, given_to)
    rows = figures.headlines(run)
    assert len({row.key for row in rows}) == len(rows)
    for figure in figures.FIGURES.values():
        assert all(panel.series for panel in figure.panels(run))


@pytest.mark.slow
def test_a_run_far_from_the_papers_can_be_drawn():
    run = resolve(figures.SETTINGS, {"linewidth_meV": 1.0, "stokes_shift_meV": 1000.0})
    for figure in figures.FIGURES.values():
        assert figure.draw(figure.panels(run)).axes


def test_the_result_holds_together(numbers):
    assert numbers["design-end-stokes-3ls"] > numbers["design-largest-shift"]
    assert numbers["design-lowest"] > numbers["design-goal"]
    assert numbers["design-narrowest"] > numbers["design-linewidth"]
    ways = ("stokes", "absorptive", "emissive")
    length = np.sqrt(sum(numbers[f"design-way-3ls-{way}"] ** 2 for way in ways))
    assert numbers["design-way-3ls"] == pytest.approx(length)


# --- the command


def advised(capsys, *words):
    code = cli.main(["advise", *words])
    printed = capsys.readouterr()
    return code, printed.out, printed.err


def test_advice_is_printed(capsys):
    code, text, _ = advised(capsys, "-p", "stokes_shift_meV=60", "-p", "linewidth_meV=90")
    assert code == 0
    for part in ("Your dot: S = 60", "Γ = 90 meV", "The shortest way to 0.1", *ROUTES, *FIELDS):
        assert part in text
    assert max(map(len, text.splitlines())) <= 90


@pytest.mark.slow
def test_advice_as_json_is_that_of_the_library(capsys):
    code, text, _ = advised(
        capsys, "--to", "0.3", "--at", "onset", "-p", "statistics=sequential", "--json"
    )
    assert code == 0
    found = json.loads(text)
    way = nearest_dot(THREE, 0.3, "onset", statistics="sequential")
    assert found["ways"]["shifts"]["distance_meV"] == pytest.approx(way.distance_meV)
    assert found["thresholds"]["onset"] == pytest.approx(
        float(levers.threshold_of(THREE, "onset", statistics="sequential"))
    )
    assert set(found["one_parameter_alone"]) == set(SINGLES)
    assert found["dot"]["stokes_shift_meV"] == THREE.stokes_shift_meV


def test_advice_reads_a_file(tmp_path, capsys):
    path = tmp_path / "my-dot.toml"
    path.write_text("stokes_shift_meV = 60\nlow_threshold = 0.2\n", encoding="utf-8")
    code, text, _ = advised(capsys, "-f", str(path), "--json")
    found = json.loads(text)
    assert (code, found["target"], found["dot"]["stokes_shift_meV"]) == (0, 0.2, 60.0)


def test_a_dot_that_needs_nothing_is_told_so(capsys):
    code, text, _ = advised(capsys, "--to", "1.9")
    assert code == 0
    assert "is reached: nothing has to change" in text
    assert "shortest way" not in text


def test_a_dot_without_gain_is_told_so(capsys):
    code, text, _ = advised(capsys, "-p", "xx_emission_strength=0", "-p", "statistics=sequential")
    assert code == 0
    assert "out of reach at the gain maximum" in text
    assert "there is no gain at any pump" in text
    _, text, _ = advised(
        capsys, "-p", "xx_emission_strength=0", "-p", "statistics=sequential", "--json"
    )
    found = json.loads(text)
    assert found["thresholds"]["at gain maximum"] is None
    # No shift makes up for emission that a full dot does not have.
    assert set(found["ways"].values()) == {None}
    assert found["way_in_equilibrium"] is None


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (["--to", "3"], "--to 3 is not allowed: give a number from 0.0001 to 2."),
        (["--to", "low"], "--to low is not allowed: give a number from 0.0001 to 2."),
        (["--to", "nan"], "--to nan is not allowed: give a number from 0.0001 to 2."),
        (
            ["-p", "linewidth_meV=0.2"],
            "linewidth_meV = 0.2 is not allowed: give a number from 1 to 1000 meV.",
        ),
        (["-p", "stokes_shift=60"], "stokes_shift is not a parameter here: did you mean"),
        (["-p", "host_index=1.4"], "host_index is not a parameter here: fig10 has it."),
        (
            ["-p", "gain_exponent=3"],
            "gain_exponent is not a parameter here: fig09, auger, information, ensembles and "
            "rivals have it.",
        ),
        (
            ["-p", "low_threshold=0.2", "--to", "0.1"],
            "--to and the parameter low_threshold are one thing: give one of them.",
        ),
        (["-f", "nowhere.toml"], "the parameter file nowhere.toml is not usable"),
    ],
)
def test_advice_refuses_in_one_sentence(words, sentence, capsys):
    code, text, error = advised(capsys, *words)
    assert (code, text) == (2, "")
    assert error.startswith(f"qdgain: {sentence}")
    assert len(error.splitlines()) == 1


@pytest.mark.parametrize("words", [["--at", "middle"], ["extra"]])
def test_a_wrong_call_is_refused(words, capsys):
    with pytest.raises(SystemExit) as stop:
        cli.main(["advise", *words])
    assert stop.value.code == 2
    assert len(capsys.readouterr().err.splitlines()) == 1


# --- every reading of the paper

#: Hand-made, ESA near the biexciton's emission.
OF_READINGS = {
    "additive": {"xx_absorption_strength": 0.7, "xx_emission_strength": 1.0},
    "mixed": {"xx_absorption_strength": 0.8, "xx_emission_strength": 0.8},
    "degenerate": {"electron_states": 4, "hole_states": 4},
    "uncorrelated": {},
}


@pytest.mark.parametrize("law", ["rabi", "poisson"])
@pytest.mark.parametrize("reading", OF_READINGS)
def test_in_every_reading_the_way_ends_at_the_wanted_threshold_and_no_dot_is_nearer(reading, law):
    dot = replace(THREE, reading=reading, **OF_READINGS[reading])
    now = float(levers.threshold_of(dot, "at gain maximum", statistics=law))
    way = nearest_dot(dot, 0.7 * now, statistics=law)
    assert way.threshold == pytest.approx(0.7 * now, rel=1e-5)
    # Brute force: no dot of a shell a little nearer has it.
    step = np.random.default_rng(3).normal(size=(4000, 3))
    step *= 0.98 * way.distance_meV / np.linalg.norm(step, axis=1, keepdims=True)
    near = np.array([getattr(dot, name) for name in FIELDS[:3]]) + step
    near = near[(near[:, 0] >= 0) & (near[:, 0] + near[:, 2] >= 0)]
    many = replace(dot, **dict(zip(FIELDS[:3], near.T, strict=True)))
    assert np.min(levers.threshold_of(many, "at gain maximum", statistics=law)) > 0.7 * now


@pytest.mark.parametrize("reading", OF_READINGS)
def test_a_search_knows_the_gain_maximum_of_every_reading_and_its_gradient(reading):
    dot = replace(THREE, reading=reading, **OF_READINGS[reading])
    weights = shortest_way._weights(dot, 0.9, 0.0, "rabi")
    search = shortest_way._Search(dot, "shifts and linewidth", weights, False, np.inf)
    guess = np.array([0.1, 0.2, -0.1, 0.2, 0.0])
    place = search.start + search.basis @ guess[:4]
    width = float(band_widths_meV(dot).absorption)
    there = moved(dot, (place - search.start) * width)
    expected = float(gain_maximum_meV(there))
    assert search.brightest(place) * width == pytest.approx(expected, abs=1e-4)
    slopes = search.conditions(guess)[1][0]
    by_steps = [
        (search.conditions(guess + h)[0][0] - search.conditions(guess - h)[0][0]) / 2e-5
        for h in 1e-5 * np.eye(5)
    ]
    assert slopes == pytest.approx(by_steps, rel=1e-5, abs=1e-7)


@pytest.mark.parametrize("reading", OF_READINGS)
def test_the_parts_of_loss_and_gain_are_those_of_the_states(reading):
    dot = replace(THREE, reading=reading, **OF_READINGS[reading])
    shares = shares_at_threshold(dot, "at gain maximum", 0.01, "rabi")
    assert shares.ground_absorption + shares.excited_state_absorption == pytest.approx(1)
    assert shares.exciton_emission + shares.biexciton_emission == pytest.approx(1)
    found = levers.threshold(dot, "at gain maximum")
    share = exciton_share(dot, found.energy_eV, found.mean_excitons)
    assert shares.exciton_emission == pytest.approx(float(share))
    assert 0 < shares.excited_state_absorption < 1
