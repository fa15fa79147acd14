"""The benchmark runs, at tiny sizes; what is kept of it holds every goal. No time is tested."""

import json

import pytest

from bench import __main__ as bench
from bench.measured import Measured, Scale, growth, ratio, slope
from bench.subjects import IN_ONE_PROCESS, SUBJECTS
from conftest import ROOT

#: What `make bench` promises: key → goal.
OF_WHOLE_PROCESSES = {
    "import/numpy": 1.5,
    "sweeps/efficiency": 0.9,
    "sweeps/memory_10000": 1024,
    "sweeps/memory_1000000": 1024,
    "rerun/parts": 1.3,
    "book/executed": 0.65,
    "book/prose": 0.3,
}
GOALS = {
    "threshold_at_maximum/brentq": 2000,
    "threshold_at_maximum/scan": 50,
    "threshold_at_maximum/floor": 3,
    "onset/floor_0.01": 15,
    "onset/minimiser_0.01": 100,
    "onset/floor_0.001": 15,
    "onset/minimiser_0.001": 100,
    "onset/error": 1e-9,
    "contour/floor": 1.5,
    "ase_sweep/floor": 2,
    "calibration/objective": 20,
}
GROWTHS = {
    "threshold_at_maximum/growth",
    "onset/growth",
    "contour/growth",
    "ase_sweep/growth",
}


def keys_and_goals(record):
    every = [one for subject in record["subjects"] for one in subject["measured"]]
    return {one["key"]: one["goal"] for one in every}


@pytest.fixture(scope="module")
def tiny():
    """What one run at tiny sizes gives; the accuracies have a test of their own."""
    titles = [title for title in IN_ONE_PROCESS if not title.startswith("Accuracy")]
    return bench.record(list(bench.measure(titles, bench.TINY)))


@pytest.mark.slow
def test_every_subject_gives_its_goals(tiny):
    found = keys_and_goals(tiny)
    assert GOALS.items() <= found.items()
    assert found.keys() >= GROWTHS
    every = [one for subject in tiny["subjects"] for one in subject["measured"]]
    floors = [one for one in every if "one pass through the memory" in one["what"]]
    assert len(floors) == 3
    for one in floors:
        memory_binds = one["detail"]["over one pass through the memory"] < one["value"]
        assert ("the memory binds" in one["what"]) == memory_binds
        assert ("the exponentials bind" in one["what"]) != memory_binds
    assert len(found) == sum(len(subject["measured"]) for subject in tiny["subjects"])
    json.dumps(tiny, allow_nan=False)


def test_the_record_says_on_what_machine_and_library(tiny):
    assert {"version", "library", "date", "machine"} <= tiny.keys()
    assert {"processor", "cores", "system", "python", "packages"} <= tiny["machine"].keys()


def test_the_kept_result_is_whole_and_holds_every_goal(tiny):
    kept = json.loads(bench.KEPT.read_text(encoding="utf-8"))
    assert [subject["title"] for subject in kept["subjects"]] == list(SUBJECTS)
    assert keys_and_goals(tiny).items() <= keys_and_goals(kept).items()
    assert OF_WHOLE_PROCESSES.items() <= keys_and_goals(kept).items()
    for subject in kept["subjects"]:
        for one in subject["measured"]:
            assert one["low"] <= one["value"] <= one["high"], one["key"]
            limit = Measured(
                one["key"], "", one["value"], 0, 0, goal=one["goal"], at_least=one["at_least"]
            )
            assert one["met"] == limit.met, one["key"]


def test_a_ratio_is_of_two_actions_done_in_turn(monkeypatch):
    clock = iter(range(1000))
    monkeypatch.setattr("bench.measured.time.perf_counter", lambda: float(next(clock)))
    done = []
    found = ratio(
        "a/b", "", lambda: done.append("upper"), lambda: done.append("lower"), Scale(1, 3)
    )
    assert done == ["upper", "lower"] * 4
    assert found.value == 1
    assert found.met is None
    ten = ratio("a/b", "", list, list, Scale(1, 3), factor=10, goal=20, at_least=True)
    assert (ten.value, ten.met) == (10, False)


def test_growth_is_a_slope():
    assert slope([10, 100, 1000], [1e-3, 1e-2, 1e-1]) == pytest.approx(1)
    assert slope([1, 10, 100, 1000], [1, 1, 1, 100]) == pytest.approx(2)
    found = growth("a/b", "", [10, 20, 40], lambda size: lambda: sum(range(size)), Scale(1, 2))
    assert found.detail["sizes"] == [10, 20, 40]
    assert len(found.detail["seconds"]) == 3


def test_the_command_writes_what_it_measures(monkeypatch, tmp_path, capsys):
    monkeypatch.setattr(bench, "RESULT", tmp_path / "_build" / "bench.json")
    assert bench.main(["--tiny", "Gain map"]) == 0
    written = json.loads((tmp_path / "_build" / "bench.json").read_text(encoding="utf-8"))
    assert [subject["title"] for subject in written["subjects"]] == ["Gain map"]
    printed = capsys.readouterr().out
    assert "over one matrix product" in printed
    assert "≤ 1.5" in printed


@pytest.mark.parametrize("given", [["Nothing"], ["--tiny", "--keep"], ["Gain map", "--keep"]])
def test_what_cannot_be_done_is_refused(given, capsys):
    with pytest.raises(SystemExit) as ended:
        bench.main(given)
    assert ended.value.code == 2
    assert "there is no subject" in capsys.readouterr().err or "--keep" in given


def test_make_bench_runs_it():
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    assert "-m bench" in makefile
