"""The calibration's rows, what they predict, how likely that is, and where the best of it lies."""

import numpy as np
import pytest
import scipy
from hypothesis import given, settings
from hypothesis import strategies as st

from qdgain.calibration import plausibility, predictions, search
from qdgain.calibration.conditions import CONDITIONS, LARGEST_OFFSET, SMALLEST_SHIFT, conditions
from qdgain.calibration.predictions import log_likelihood, predict
from qdgain.calibration.record import calibrated, checked
from qdgain.calibration.rows import INDEX, ROWS, TARGETS, UNKNOWNS, stated_numbers
from qdgain.paper.claims import claims

#: Somewhere near what meets the numbers, in coordinates.
TYPICAL = {
    "stokes_3ls": 0.43,
    "stokes_4ls": 1.4,
    "absorptive_3ls": 1.5,
    "emissive_3ls": 1.1,
    "absorptive_4ls": 2.5,
    "emissive_4ls": 1.1,
    "xx_absorption_strength": -0.33,
    "xx_emission_strength": -0.3,
    "remaining_absorption": 0.5,
    "full_dot_absorption": 0.5,
    "gain_exponent": 5.4,
    "pi_pulse_fluence_mJ_cm2": 0.45,
    "floor": -4.5,
}


def near_typical(row, count, seed=1, spread=0.1):
    low, high = row.ranges()
    middle = np.array([TYPICAL[name] for name in row.names])
    random = np.random.default_rng(seed).standard_normal((count, row.parameters))
    return np.clip(middle + spread * random, low, high)


def test_targets_are_the_papers_calibrating_numbers():
    for name, stated in zip(TARGETS, stated_numbers(), strict=True):
        assert claims()[name].kind == "C"
        assert stated == claims()[name].stated > 0


@pytest.mark.parametrize(
    ("name", "statistics", "threshold"),
    [
        ("additive tied", "rabi", "maximum"),
        ("replacing free", "poisson", "onset"),
        ("mixed free", "sequential", "maximum"),
        ("degenerate 2 × 4", "poisson", "maximum"),
        ("degenerate 2 × 2", "rabi", "onset"),
    ],
)
def test_predictions_are_those_of_the_models_own_grids(name, statistics, threshold):
    row = ROWS[name].under(statistics, threshold)
    free = near_typical(row, 3)
    found = predict(row, free)
    for k, one in enumerate(free):
        values = {key: x[0] for key, x in row.values(one).items()}
        exact = checked(row, calibrated(row, values))
        reached = np.isfinite(exact.numbers)
        assert reached[:5].all()
        np.testing.assert_allclose(found.numbers[k][reached], exact.numbers[reached], rtol=1e-4)
        if reached.all():
            np.testing.assert_allclose(found.conditions[k], exact.conditions, atol=0.01)


def test_without_shifts_the_replacing_reading_is_uncorrelated():
    plain, replacing = ROWS["uncorrelated"], ROWS["replacing free"]
    free = near_typical(plain, 3)
    same = np.zeros((3, replacing.parameters))
    for i, name in enumerate(plain.names):
        same[:, replacing.names.index(name)] = free[:, i]
    one, other = predict(plain, free), predict(replacing, same)
    np.testing.assert_allclose(one.numbers, other.numbers, rtol=1e-9)
    np.testing.assert_allclose(one.conditions, other.conditions, atol=1e-6)
    # It has no ESA, so that with and without are one.
    np.testing.assert_array_equal(one.numbers[:, [0, 2, 5, 7]], one.numbers[:, [1, 3, 6, 8]])


@pytest.mark.parametrize(("corner", "name"), [(0.0, "replacing free"), (1.0, "additive free")])
def test_corners_of_the_mixed_row_are_the_readings(corner, name):
    mixed, row = ROWS["mixed free"], ROWS[name]
    free = near_typical(row, 3)
    same = np.zeros((3, mixed.parameters))
    for i, key in enumerate(mixed.names):
        same[:, i] = free[:, row.names.index(key)] if key in row.names else 0.0
    same[:, [mixed.names.index(f"{key}_absorption") for key in ("remaining", "full_dot")]] = corner
    np.testing.assert_allclose(predict(row, free).numbers, predict(mixed, same).numbers, rtol=1e-9)


@settings(max_examples=40, deadline=None)
@given(name=st.sampled_from(sorted(ROWS)), fraction=st.floats(0, 1), onset=st.booleans())
def test_rows_tie_what_they_say(name, fraction, onset):
    row = ROWS[name].under(threshold="onset" if onset else "maximum")
    low, high = row.ranges()
    assert low.size == high.size == row.parameters == len(row.names)
    assert np.all(low < high)
    assert row.names[-1] == "pi_pulse_fluence_mJ_cm2"
    assert ("floor" in row.names) == onset
    free = low + fraction * np.linspace(0.2, 1.0, low.size) * (high - low)
    v = {key: float(x[0]) for key, x in row.values(free).items()}
    own = [v[f"stokes_{of}"] + v[f"emissive_{of}"] - v[f"absorptive_{of}"] for of in ("3ls", "4ls")]
    if "tied" in name or "offset" in name or "k = 1" in name:
        assert own[0] == pytest.approx(own[1], abs=1e-9)
        assert v["emissive_3ls"] == v["emissive_4ls"]
    if "tied" in name:
        assert own[0] == pytest.approx(0.0, abs=1e-9)
    if "one emission band" in name:
        assert v["emissive_3ls"] == v["emissive_4ls"] == 0
    if "k = 1" in name:
        assert v["xx_absorption_strength"] == 1
    if row.reading == "additive":
        assert v["xx_emission_strength"] == 1
    if name == "replacing lean":
        np.testing.assert_allclose(own, [v["stokes_3ls"], v["stokes_4ls"]])
    back = row.full(free)[0]
    again = dict(zip(INDEX, back, strict=True))
    for group, coordinate in zip(row.groups, free, strict=True):
        if len(group) == 1 and sum(group[0] in other for other in row.groups) == 1:
            assert again[group[0]] == coordinate


def test_the_rows_have_the_parameters_that_they_are_known_for():
    counts = {name: row.parameters for name, row in ROWS.items()}
    assert counts["additive tied"] == counts["additive k = 1"] == counts["replacing lean"] == 6
    assert counts["additive with an offset"] == counts["additive, one emission band"] == 7
    assert counts["additive free"] == 9
    assert counts["replacing free"] == 10
    assert counts["uncorrelated"] == counts["degenerate 2 × 4"] == counts["degenerate 2 × 2"] == 4


def test_doubled_ranges_are_twice_as_wide_where_they_can_be():
    for unknown in UNKNOWNS:
        low, high = unknown.ends()
        wide_low, wide_high = unknown.ends(doubled=True)
        weight = unknown.name.endswith("_absorption")
        assert wide_high - wide_low == pytest.approx((high - low) * (1 if weight else 2))
        assert wide_low <= low < high <= wide_high


# --- likelihood


def test_the_likelihood_is_the_integral_over_the_pi_pulse():
    row = ROWS["additive tied"]
    free = near_typical(row, 4, spread=0.03)
    low, high = (end[-1] for end in row.ranges())
    steps = np.linspace(low, high, 4001)
    for one, found in zip(free, log_likelihood(row, free[:, :-1]), strict=True):
        numbers = predict(row, np.append(one[:-1], 0.0)).numbers[0]
        film = numbers[5:] * np.exp(steps)[:, None]
        every = np.concatenate([np.tile(numbers[:5], (steps.size, 1)), film], axis=1)
        off = np.log(every / stated_numbers()) / predictions.DISCREPANCY
        exact = scipy.special.logsumexp(-0.5 * np.sum(off**2, axis=1)) - np.log(steps.size - 1)
        assert found == pytest.approx(exact, abs=1e-3)


def test_drawn_fluences_are_those_that_the_numbers_ask_for():
    row = ROWS["additive tied"]
    one = np.repeat(near_typical(row, 1)[:, :-1], 4000, axis=0)
    drawn = predictions.fluences(row, one, np.random.default_rng(0))
    numbers = predict(row, np.append(one[0], drawn.mean())).numbers[0]
    assert np.mean(np.log(numbers[5:] / stated_numbers()[5:])) == pytest.approx(0, abs=3e-3)
    assert drawn.std() == pytest.approx(predictions.DISCREPANCY / 2, rel=0.05)


def test_a_threshold_out_of_reach_is_hopeless_and_a_search_finds_back():
    row = ROWS["additive tied"]
    weak, free = near_typical(row, 1)[0], near_typical(row, 1)[0]
    weak[row.names.index("gain_exponent")] = 0.1
    assert log_likelihood(row, free[None, :-1])[0] > -60
    assert log_likelihood(row, weak[None, :-1])[0] < -100
    lost, weaker = (predict(row, weak - [0, 0, 0, 0, less, 0]).numbers[0, 5:] for less in (0, 0.1))
    assert np.all(lost >= np.exp(weak[-1]))
    assert np.all(weaker > lost)
    terms = search.terms(weak[None], predict(row, weak), conditional=False)
    assert terms[0, -1] > 0


def test_what_a_condition_is_short_of_counts_as_a_normal_departure():
    row = ROWS["additive tied"]
    free = near_typical(row, 30, spread=0.15)
    met = predict(row, free).conditions
    plain = log_likelihood(row, free[:, :-1])
    asked = log_likelihood(row, free[:, :-1], with_conditions=True)
    possible = plain > -100
    cost = np.sum(np.minimum(met, 0) ** 2, axis=1) / (2 * predictions.READING_OF_A_SPIKE**2)
    assert np.ptp(cost[possible]) > 1
    np.testing.assert_allclose(plain[possible] - asked[possible], cost[possible], rtol=1e-5)


# --- conditions


def test_each_condition_has_its_margin():
    spike = np.array([[[-0.3, -0.05, 0.1], [-0.4, -0.3, 0.0], [0.0, 0.3, 0.4], [0.0, 0.1, -0.2]]])
    assert np.all(conditions(spike) > 0)
    moved = {
        0: (0, 1, -0.05 - LARGEST_OFFSET),
        1: (1, 1, 0.5 * SMALLEST_SHIFT - SMALLEST_SHIFT),
        3: (0, 2, -0.3 + 0.5 * SMALLEST_SHIFT),
        4: (2, 2, 0.5 * SMALLEST_SHIFT),
        5: (3, 2, -0.5 * SMALLEST_SHIFT),
    }
    for i, (dot, fluence, place) in moved.items():
        other = spike.copy()
        other[0, dot, fluence] = place
        assert conditions(other)[0, i] < 0, CONDITIONS[i]
    beside = spike.copy()
    beside[0, :2, 1] = [-0.09, -0.1]
    assert conditions(beside)[0, 1] > 0 > conditions(beside)[0, 2]


@given(st.floats(-0.5, 0.5))
def test_conditions_know_nothing_of_how_far_a_spike_is_beyond_the_centre_of_others(shift):
    spike = np.zeros((1, 4, 3))
    spike[0, 2:] = shift
    assert conditions(spike)[0, 4] == conditions(spike)[0, 5] == -SMALLEST_SHIFT


# --- search


def test_parameters_are_recovered_from_numbers_of_ones_own(monkeypatch):
    row = ROWS["additive tied"]
    true = near_typical(row, 1, seed=5)[0]
    numbers = predict(row, true).numbers[0]
    for module in (search, predictions):
        monkeypatch.setattr(module, "stated_numbers", lambda: numbers)
    found = search.refine(row, true + 0.05 * np.array([1, -1, 1, -1, 1, -1]), conditional=False)
    assert found.cost < 1e-6
    np.testing.assert_allclose(found.free, true, atol=2e-3)


def test_a_search_with_conditions_meets_them():
    row = ROWS["additive tied"]
    start = np.array([[0.45, 1.4, 1.13, -0.32, 5.5, 0.45]])
    best = search.refine(row, start[0], conditional=True)
    assert np.all(best.conditions >= 0)
    assert search.largest_residual(best.numbers) < 0.13
    steeper = search.refine(row, best.free, conditional=True, power=search.STEEP)
    assert search.largest_residual(steeper.numbers) <= search.largest_residual(best.numbers)


# --- what it means for a film


def test_film_length_undoes_the_gain_exponent():
    density = plausibility.dot_density_per_cm3(4.0)
    length = plausibility.film_length_um(120.0, 1e-15, density)
    assert density * 1e-15 * length * 1e-4 == pytest.approx(120.0)
    # Twice the packed diameter, an eighth of the density.
    assert plausibility.dot_density_per_cm3(10.0) == pytest.approx(density / 8)
