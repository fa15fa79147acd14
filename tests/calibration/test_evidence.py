"""The evidence of a row: the sampler on integrals that are known, and what is stored of runs."""

import json
from concurrent.futures import Future

import numpy as np
import pytest

from qdgain.calibration import evidence, record, run
from qdgain.calibration.predictions import READING_OF_A_SPIKE
from qdgain.calibration.record import Factor, best, calibrated, checked, columns, points
from qdgain.calibration.rows import DEFINITIONS, DOTS, ROWS, STATISTICS, TOLERANCE
from qdgain.calibration.search import largest_residual
from qdgain.figures import calibrated as chapter
from qdgain.model.parameters import PRESETS

#: How far runs of one row may lie apart: in ln Z, and in the weight of a mode.
LARGEST_SPREAD, LARGEST_MODE_SPREAD = 0.5, 0.06
#: Where runs do not agree on the weights of the modes: the calibration's page says so, and quotes
#: the least and the most of them.
NOT_AGREED = {("replacing free", "numbers"), ("replacing free", "conditions")}


@pytest.mark.slow
def test_evidence_and_modes_of_two_normal_peaks():
    """A quarter of the weight in one peak, three in the other; ln Z of the box is known."""
    pytest.importorskip("nautilus")
    low, high, width = np.array([-4.0, -4.0]), np.array([4.0, 4.0]), 0.2
    how = {"live": 150, "effective": 1500}

    def two_peaks(x):
        at = [np.sum((x - place) ** 2, axis=1) / width**2 for place in (-2.0, 2.0)]
        return np.logaddexp(np.log(0.25) - 0.5 * at[0], np.log(0.75) - 0.5 * at[1])

    found = evidence.integrate(two_peaks, low, high, 3, **how)
    exact = np.log(2 * np.pi * width**2) - np.log(8.0**2)
    assert found.log_evidence == pytest.approx(exact, abs=0.06)
    assert found.weights.sum() == pytest.approx(1)
    assert found.effective > 0.9 * how["effective"]
    assert found.weights[found.points[:, 0] < 0].sum() == pytest.approx(0.25, abs=0.03)
    drawn = found.drawn(2000, np.random.default_rng(0))
    assert np.mean(drawn[:, 0] < 0) == pytest.approx(0.25, abs=0.03)
    assert drawn[drawn[:, 0] > 0].std(axis=0) == pytest.approx(width, rel=0.1)


def test_mode_weights_are_those_of_the_points():
    row = ROWS["replacing free"]
    free = np.zeros((4, row.parameters))
    shifts = [row.names.index(f"absorptive_{of}") for of in ("3ls", "4ls")]
    binding = row.names.index("emissive_4ls")
    free[:2, shifts] = -1.0
    free[:, binding] = [-3.0, -1.0, 0.3, 3.5]
    found = evidence.mode_weights(row, evidence.Run(0.0, free, np.array([0.1, 0.2, 0.3, 0.4])))
    # The first has a positive S_XX in the 3LS alone.
    assert found["xx_stokes_shifts_red"] == pytest.approx(0.0)
    free[1, binding] = -0.9
    found = evidence.mode_weights(row, evidence.Run(0.0, free, np.array([0.1, 0.2, 0.3, 0.4])))
    assert found["xx_stokes_shifts_red"] == pytest.approx(0.2)
    assert [found[f"mode_{i}"] for i in range(4)] == pytest.approx([0.1, 0.2, 0.3, 0.4])


# --- what is stored


def test_every_row_is_stored_under_every_law_and_definition():
    for row in ROWS.values():
        for statistics in STATISTICS:
            for threshold in DEFINITIONS:
                for conditional in (False, True):
                    found = best(row.under(statistics, threshold), conditional)
                    assert found["parameters"] == row.parameters + (threshold == "onset")
    with pytest.raises(KeyError):
        best(ROWS["uncorrelated"].under("rabi", "elsewhere"))


def test_stored_best_points_give_their_stored_numbers():
    random = np.random.default_rng()
    for i in random.choice(len(record.record()["best"]), 4, replace=False):
        stored = record.record()["best"][i]
        row = ROWS[stored["row"]].under(stored["statistics"], stored["threshold"])
        now = checked(row, calibrated(row, stored["values"]))
        numbers = [x if np.isfinite(x) else None for x in now.numbers]
        assert stored["numbers"] == pytest.approx(numbers, rel=1e-3), stored
        np.testing.assert_allclose(now.conditions, stored["conditions"], atol=2e-3)


def test_a_row_does_no_worse_than_a_special_case_of_it():
    for special, general in (
        ("additive tied", "additive with an offset"),
        ("additive k = 1", "additive with an offset"),
        ("uncorrelated", "replacing free"),
        ("replacing tied", "replacing free"),
        ("additive tied", "additive free"),
    ):
        one, other = (best(ROWS[name], False)["largest_residual"] for name in (special, general))
        # The searches are of few starts.
        assert other <= one + 0.02, (special, general)


def test_without_esa_two_numbers_are_one_and_a_residual_is_large():
    for name in ("uncorrelated", "degenerate 2 × 4", "degenerate 2 × 2"):
        found = best(ROWS[name], False)
        assert found["numbers"][0] == found["numbers"][1]
        # 0.06 and 0.30 mJ cm⁻² cannot both be one number.
        assert found["largest_residual"] > np.sqrt(0.30 / 0.06) / 2.3
        assert not record.meets(found)


def test_runs_of_the_rows_that_are_compared_agree():
    for name in run.COMPARED:
        row = record.record()["rows"][name]
        for kind in ("numbers", "conditions"):
            runs = row["log_evidence"][kind]
            assert len(runs) >= run.RUNS >= 4
            assert np.std(runs, ddof=1) <= LARGEST_SPREAD, (name, kind)
            if (name, kind) in NOT_AGREED:
                continue
            for region in row["modes"][kind][0]:
                weights = [one[region] for one in row["modes"][kind]]
                assert np.std(weights, ddof=1) <= LARGEST_MODE_SPREAD, (name, kind, region)


def test_where_runs_do_not_agree_the_page_quotes_their_range():
    for row, kind in NOT_AGREED:
        found = record.record()["rows"][row]["modes"][kind]
        weights = [run["xx_stokes_shifts_red"] for run in found]
        assert row == chapter.REFERENCE_ROW
        quoted = {one.key: one.value for one in chapter.headlines()}
        assert quoted[f"calibration-red-xx-low-{kind}"] == 100 * min(weights)
        assert quoted[f"calibration-red-xx-high-{kind}"] == 100 * max(weights)


def test_doubled_ranges_cost_what_they_are_worth():
    """Where all of a posterior lies within the ranges, ln Z falls by ln 2 for each that doubles."""
    one, two = (
        record.log_evidence("additive tied", kind) for kind in ("numbers", "numbers doubled")
    )
    doubling = sum(not n.endswith("_absorption") for n in ROWS["additive tied"].names)
    assert one.value - two.value == pytest.approx(doubling * np.log(2), abs=0.5)


def test_no_digit_is_shown_that_the_spread_does_not_carry():
    assert Factor(3.14159, 0.26).text == "+3.1 ± 0.3"
    assert Factor(-16.0, 0.02).text == "-16.0 ± 0.1"
    assert Factor(2.0, np.nan).text == "+2.0"
    assert Factor(-np.inf, np.nan).text == "–"


@pytest.mark.parametrize("name", ROWS)
def test_points_are_dots_and_films_of_the_row(name):
    found, values = points(name), columns(name)
    many = found.gain_exponent.shape
    assert many == found.pi_pulse_fluence_mJ_cm2.shape
    assert many[0] >= 300
    assert list(found.dots) == list(DOTS)
    for key, dot in found.dots.items():
        assert dot.shape == many
        np.testing.assert_allclose(dot.stokes_shift_meV, values[f"stokes_{key[:3].lower()}"])
    assert found.dots["4LS+ESA"].reading == ROWS[name].reading
    asked = record.record()["rows"][name]["points"]
    for k in np.random.default_rng(1).choice(many[0], 2, replace=False):
        one = checked(ROWS[name], calibrated(ROWS[name], {n: x[k] for n, x in values.items()}))
        if asked == "conditions":
            # A posterior reaches some standard deviations beyond a margin.
            assert np.all(one.conditions >= -5 * READING_OF_A_SPIKE)
        if ROWS[name].has_esa:
            assert largest_residual(one.numbers) < 0.5


# --- the rule


def entry(parameters, residual, *, margin=0.1, statistics="rabi", threshold="maximum", asked=True):
    return {
        "conditional": asked,
        "parameters": parameters,
        "largest_residual": residual,
        "conditions": [0.1] * 5 + [margin],
        "statistics": statistics,
        "threshold": threshold,
    }


def test_the_rule_prefers_fewer_parameters_and_refuses_what_misses():
    good, better = entry(6, 0.09), entry(6, 0.08)
    assert record.choose([entry(10, 0.01), good]) is good
    assert record.choose([good, better]) is better
    assert record.choose([entry(4, 0.101), good, entry(5, 0.01, margin=-0.001)]) is good
    assert record.choose([entry(3, 0.0, statistics="poisson"), good]) is good
    assert record.choose([entry(3, 0.0, threshold="onset"), good]) is good
    assert record.choose([entry(3, 0.0, asked=False), good]) is good
    with pytest.raises(ValueError, match="no row"):
        record.choose([entry(6, 1.01 * TOLERANCE)])


def test_the_stored_default_is_what_the_rule_gives():
    chosen = record.choose(record.record()["best"])
    assert record.record()["default"] == chosen["row"]
    assert chosen == best(ROWS[chosen["row"]])


# --- going on


def test_what_is_done_is_kept_and_not_done_again(tmp_path, monkeypatch):
    jobs = [run.Job("search", "uncorrelated", False), run.Job("search", "uncorrelated", True)]
    done = []

    def do(job, starts):
        done.append(job)
        if done == jobs:
            raise KeyboardInterrupt
        return {"free": [1.0, 2.0]}

    class Here:
        """An executor that works in this process."""

        def __init__(self, *_, **__):
            pass

        def __enter__(self):
            return self

        def __exit__(self, *_):
            return False

        def shutdown(self, **_):
            pass

        def submit(self, function, *given):
            future = Future()
            try:
                future.set_result(function(*given))
            except KeyboardInterrupt as error:
                future.set_exception(error)
            return future

    monkeypatch.setattr(run, "do", do)
    monkeypatch.setattr(run, "ProcessPoolExecutor", Here)
    # The second is interrupted, the first is kept.
    with pytest.raises(KeyboardInterrupt):
        run.finished(jobs, {}, tmp_path, 1)
    assert done == jobs
    found = run.finished(jobs[:1], {}, tmp_path, 1)
    assert done == jobs
    assert found == [(jobs[0], {"free": [1.0, 2.0]})]
    found = run.finished(jobs, {}, tmp_path, 1)
    assert done == [*jobs, jobs[1]]
    assert [job for job, _ in found] == jobs


def test_what_is_kept_follows_code_and_settings(tmp_path, monkeypatch):
    job = run.Job("search", "uncorrelated", False)
    names = {run.kept_at(tmp_path, one) for one in (job, run.Job("search", "uncorrelated", True))}
    assert len(names) == 2
    library = tmp_path / "library"
    for name in (*run.CODE, "calibration/search.py"):
        (library / name).parent.mkdir(parents=True, exist_ok=True)
        (library / name).write_text("x = 1\n", encoding="utf-8")
    monkeypatch.setattr(run, "_LIBRARY", library)

    def now():
        run.code_hash.cache_clear()
        return run.code_hash("search")

    before = now()
    assert now() == before
    for name in ("calibration/search.py", "data/calibration_rows.toml"):
        (library / name).write_text("x = 2\n", encoding="utf-8")
        assert now() != before
        before = now()
    run.code_hash.cache_clear()


def test_interrupted_it_keeps_what_is_done_and_stores_nothing(tmp_path, monkeypatch, capsys):
    def interrupted(*_):
        raise KeyboardInterrupt

    monkeypatch.setattr(run, "finished", interrupted)
    monkeypatch.setattr(run, "store", lambda *_: pytest.fail("stored"))
    assert run.main(["--keep", str(tmp_path)]) == 130
    assert "is kept in" in capsys.readouterr().err


def test_presets_are_written_for_the_default():
    chosen = best(ROWS[record.record()["default"]])
    text = run.presets_text(chosen)
    assert f'reading = "{ROWS[chosen["row"]].reading}"' in text
    assert json.dumps(PRESETS["default_dot"]) in text
    assert f"{chosen['parameters']} free parameters" in text
