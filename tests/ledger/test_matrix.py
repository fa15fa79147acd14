"""The matrix: its readings are the calibration's, and its numbers the ledger's."""

import math
import re

import numpy as np
import pytest

from qdgain.calibration.record import best, calibrated, checked, meets
from qdgain.calibration.rows import ROWS, TARGETS, TOLERANCE
from qdgain.ledger import joined, matrix, shares, table
from qdgain.ledger.matrix import STATISTICS, THRESHOLDS
from qdgain.model.dot import presets
from qdgain.paper.claims import claims


@pytest.fixture(scope="module")
def columns():
    """Return every reading with its cells, computed by the process of these tests alone."""
    return matrix.matrix()


@pytest.mark.slow
def test_every_reading_is_there_refitted_and_with_the_presets(columns):
    readings = [(r.threshold, r.statistics, r.refitted) for r, _ in columns]
    assert readings == [
        (threshold, statistics, refitted)
        for threshold in THRESHOLDS
        for statistics in STATISTICS
        for refitted in (True, False)
    ]


@pytest.mark.slow
def test_the_presets_column_is_the_ledger(columns):
    (cells,) = [
        cells
        for reading, cells in columns
        if (reading.threshold, reading.statistics, reading.refitted) == ("maximum", "rabi", False)
    ]
    for row in joined.ledger():
        if row.claim.id in cells:
            assert cells[row.claim.id].headline == row.headline
            if row.claim.id not in TARGETS:
                assert cells[row.claim.id].holds == row.holds


@pytest.mark.slow
@pytest.mark.parametrize(
    "reading", matrix.readings(), ids=lambda r: f"{r.threshold}-{r.statistics}"
)
def test_a_refit_gives_the_numbers_the_calibration_stored(reading, columns):
    if not reading.refitted:
        assert reading.dots == presets()
        return
    found = matrix.best_row(reading.threshold, reading.statistics)
    (cells,) = [
        cells
        for other, cells in columns
        if (other.threshold, other.statistics, other.refitted)
        == (reading.threshold, reading.statistics, True)
    ]
    for name, stored in zip(TARGETS, found["numbers"], strict=True):
        assert cells[name].headline.value == pytest.approx(stored, rel=1e-3), name


def test_the_definition_moves_the_gain_thresholds_alone():
    plain, onset = (
        matrix.numbers(matrix.Reading(t, "rabi", False, presets(), {})) for t in THRESHOLDS
    )
    # As text, in which nan is nan: Python 3.13 compares the fields of two headlines as numbers.
    moved = {key for key in plain if repr(plain[key]) != repr(onset[key])}
    targets = {name for name in TARGETS if name.startswith("F8") and name != "F8-max-esa"}
    assert moved == {claims()[name].number for name in targets}


def test_the_leanest_reading_is_used_where_one_meets_everything():
    for threshold in THRESHOLDS:
        for statistics in STATISTICS:
            chosen = matrix.best_row(threshold, statistics)
            assert (chosen["threshold"], chosen["statistics"]) == (threshold, statistics)
            for row in ROWS.values():
                other = best(row.under(statistics, threshold))
                if meets(other):
                    assert meets(chosen)
                    assert chosen["parameters"] <= other["parameters"]


@pytest.mark.slow
def test_the_header_counts_the_conditions_of_the_numbers_below_it(columns):
    counts = [int(n) for n in re.findall(r"(\d) of 6 conditions", table.matrix().markup)]
    refitted = [reading for reading, _ in columns if reading.refitted]
    for count, reading in zip(counts, refitted, strict=True):
        found = matrix.best_row(reading.threshold, reading.statistics)
        row = ROWS[found["row"]].under(reading.statistics, reading.threshold)
        # Of the parameters that give the column, which are rounded: not of those found.
        margins = checked(row, calibrated(row, found["values"])).conditions
        assert count == np.sum(margins >= 0) == matrix.conditions_met(found)


def test_what_calibrates_is_judged_by_the_calibrations_tolerance(columns):
    for _, cells in columns:
        for name in TARGETS:
            stated = claims()[name].stated
            assert cells[name].holds == (abs(cells[name].headline.value / stated - 1) <= TOLERANCE)


def test_rows_differ_and_have_every_cell(columns):
    rows = matrix.rows()
    assert {claims()[name] for name in TARGETS} <= set(rows)
    for claim in rows:
        values = [cells[claim.id].headline.value for _, cells in columns]
        assert len({value for value in values if not math.isnan(value)}) > 1
        # A contradiction stands beside what it contradicts.
        assert claim.kind in "CPQ" or claims()[claim.contradicts] in rows


@pytest.mark.parametrize("refitted", [True, False])
def test_hanging_on_rabi_means_no_other_statistics(refitted, columns):
    by_statistics = {
        r.statistics: cells
        for r, cells in columns
        if r.refitted is refitted and r.threshold == "maximum"
    }
    hanging = set(matrix.hanging_on_rabi(refitted))
    for claim in matrix.rows():
        holds = {s: by_statistics[s][claim.id].holds for s in STATISTICS}
        assert (claim in hanging) == (
            holds == {"rabi": True, "sequential": False, "poisson": False}
        )


def test_failing_on_rabi_means_another_statistics_holds(columns):
    failing = set(matrix.failing_on_rabi())
    by_statistics = {
        r.statistics: cells for r, cells in columns if r.refitted and r.threshold == "maximum"
    }
    for claim in matrix.rows():
        holds = {s: by_statistics[s][claim.id].holds for s in STATISTICS}
        assert (claim in failing) == (not holds["rabi"] and any(holds.values()))


def test_the_page_has_a_cell_for_every_row_and_reading(columns):
    page = table.matrix().markup
    body = page.partition("<tbody>")[2]
    assert body.count("<tr>") == len(matrix.rows()) + 1
    assert body.count("<td>") == (len(matrix.rows()) + 1) * (1 + len(columns) // 2)


def test_a_number_that_is_not_defined_neither_holds_nor_fails():
    assert shares._share("11--") == 1.0
    assert shares._share("0-10") == pytest.approx(1 / 3)
    unknown = shares.Share(shares._share("1---"), (None, None, None))
    assert unknown.verdict == "undetermined"
    assert not shares.Over({"a": "fails", "b": unknown.verdict}).holds
