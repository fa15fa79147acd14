"""Sweeps of numbers alone: exactly the library's, whole, refused, resumed, in bounded memory."""

import csv
import hashlib
import json
import os
import subprocess
import sys
import time
from contextlib import nullcontext
from dataclasses import replace

import numpy as np
import psutil
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pyarrow import parquet
from sweep_fakes import one_by_one

from conftest import ROOT
from qdgain import Dot, cli
from qdgain.commands import sweep as sweep_command
from qdgain.fast.onset import threshold_onset
from qdgain.model.dot import presets
from qdgain.model.film import ase_threshold
from qdgain.model.gain import largest_gain
from qdgain.model.parameters import CONTRACT, ParameterError
from qdgain.model.threshold import threshold_at_maximum
from qdgain.reruns import request
from qdgain.sweep import folder, numbers, table
from qdgain.sweep.points import points
from strategies import STATISTICS

WAIT_S = 110


def sweep_of(chapter, *over, **fixed):
    found = points(request.names_of(chapter), over, (), tuple(fixed))
    return numbers.Sweep(chapter, found, fixed)


def make(target, sweep, same_disk=False):
    with folder.opened(target, sweep.definition(), {}):
        return list(numbers.run(sweep, target, one_by_one, same_disk))


def stored(target):
    return parquet.read_table(target / table.PARQUET)


def one_dot(point):
    """Return the dot of a point as a chapter draws it, and the settings."""
    fields = {n: v for n, v in point.items() if n.endswith("_meV") or n.startswith("xx_")}
    return replace(presets()["3LS+ESA"], **fields)


def test_the_largest_gain_is_that_of_two_excitons_where_poissons_law_fills_further():
    filled = {"electron_states": 4, "hole_states": 4, "reading": "degenerate"}
    sweep = sweep_of("fig08", "stokes_shift_meV=20,60", statistics="poisson", **filled)
    found = numbers.numbers("fig08", sweep.block(0, 2).given)
    dot = replace(presets()["3LS+ESA"], stokes_shift_meV=np.array([20.0, 60.0]), **filled)
    expected = largest_gain(dot)
    assert np.all(expected < 0.5 * largest_gain(dot, "poisson"))
    np.testing.assert_allclose(found["largest_gain"], expected, rtol=1e-12)


@settings(max_examples=6)
@given(
    st.lists(st.floats(0, 150), min_size=2, max_size=3, unique=True),
    st.lists(st.floats(40, 120), min_size=1, max_size=2, unique=True),
    st.lists(st.sampled_from([None, 50.0, 90.0]), min_size=1, max_size=2, unique=True),
    st.lists(STATISTICS, min_size=1, max_size=2, unique=True),
    st.floats(1e-4, 0.5),
)
def test_numbers_of_a_block_are_those_of_single_calls(shifts, widths, own, laws, floor):
    def text(name, values):
        return f"{name}=" + ",".join("none" if v is None else str(v) for v in values)

    over = [
        text("stokes_shift_meV", shifts),
        text("linewidth_meV", widths),
        text("emission_linewidth_meV", own),
        text("statistics", laws),
    ]
    sweep = sweep_of("fig08", *over, floor=floor)
    found = numbers.numbers("fig08", sweep.block(0, sweep.points.size).given)
    for i, point in enumerate(sweep.points.each()):
        law = point["statistics"]
        dot = one_dot(point)
        for some, ending in ((dot, ""), (dot.uncorrelated(), "_without_esa")):
            at_maximum = threshold_at_maximum(some, statistics=law)
            onset = threshold_onset(some, floor, law)
            expected = {
                "threshold_mean_excitons": at_maximum.mean_excitons,
                "threshold_energy_eV": at_maximum.energy_eV,
                "onset_mean_excitons": onset.mean_excitons,
                "onset_energy_eV": onset.energy_eV,
                "largest_gain": largest_gain(some),
            }
            for name, value in expected.items():
                # The maximum of a full dot that absorbs is searched for: its last digit is that of
                # how many dots the processor takes at once.
                rtol = 1e-13 if name.startswith(("threshold", "largest")) and not ending else 0
                np.testing.assert_allclose(found[f"{name}{ending}"][i], float(value), rtol=rtol)


def test_numbers_with_ase_are_those_of_single_calls():
    over = ["stokes_shift_meV=30:90:4", "gain_exponent=100,400", "statistics=rabi,poisson"]
    sweep = sweep_of("fig09", *over, pi_pulse_fluence_mJ_cm2=2.0)
    found = numbers.numbers("fig09", sweep.block(0, sweep.points.size).given)
    for i, point in enumerate(sweep.points.each()):
        for some, ending in (
            (one_dot(point), ""),
            (one_dot(point).uncorrelated(), "_without_esa"),
        ):
            ase = ase_threshold(some, point["gain_exponent"], 2.0, point["statistics"])
            # The dots of a block share the points of their energy grids, and rounding with them.
            for name, value, tolerance in (
                ("ase_threshold_fluence_mJ_cm2", ase.fluence_mJ_cm2, 1e-10),
                ("ase_threshold_mean_excitons", ase.mean_excitons, 1e-10),
                ("ase_energy_eV", ase.energy_eV, 1e-8),
            ):
                assert found[f"{name}{ending}"][i] == pytest.approx(float(value), rel=tolerance)


def test_settings_alone_can_be_swept_and_no_dot_set_is_the_papers():
    found = numbers.numbers("fig10", {"floor": np.array([0.01, 0.1])})
    for name, ending in (("3LS+ESA", ""), ("3LS", "_without_esa")):
        for i, floor in enumerate((0.01, 0.1)):
            onset = threshold_onset(presets()[name], floor)
            assert found[f"onset_mean_excitons{ending}"][i] == onset.mean_excitons


def test_parts_are_one_table_with_units_and_the_library_that_made_it(tmp_path):
    sweep = sweep_of(
        "fig08", "stokes_shift_meV=20:120:1201", "emission_linewidth_meV=none,80", floor=0.02
    )
    assert sweep.rows_per_part == 1000
    assert make(tmp_path, sweep)[-1] == (2402, 2402, 0, "")
    parts = sorted((tmp_path / table.PARQUET).iterdir())
    assert [parquet.read_metadata(part).num_rows for part in parts] == [1000, 1000, 402]
    assert all(parquet.read_metadata(part).num_row_groups == 1 for part in parts)
    content = stored(tmp_path)
    assert content.num_rows == 2402
    assert content["stokes_shift_meV"].to_pylist() == list(np.linspace(20, 120, 1201).repeat(2))
    assert content["emission_linewidth_meV"].to_pylist() == [None, 80.0] * 1201
    assert set(content["floor"].to_pylist()) == {0.02}
    field = content.schema.field("onset_energy_eV_without_esa")
    assert field.type == pa.float64()
    assert field.metadata[b"unit"] == b"eV"
    assert b"without ESA" in field.metadata[b"meaning"]
    assert content.schema.metadata[b"chapter"] == b"fig08"
    with (tmp_path / table.COLUMNS_FILE).open(encoding="utf-8", newline="") as stream:
        assert [row["column"] for row in csv.DictReader(stream)] == content.column_names


def test_what_is_there_is_not_computed_again(tmp_path):
    sweep = sweep_of("fig08", "stokes_shift_meV=20:120:3500")
    make(tmp_path, sweep)
    whole = stored(tmp_path)
    lost = tmp_path / table.PARQUET / "part-000002000.parquet"
    lost.rename(lost.with_name(f".{lost.name}.unfinished-1"))  # as kill -9 leaves it
    calls = []

    def counted(block):
        calls.append(block.size)
        return numbers.part(block)

    steps = make(tmp_path, replace(sweep, function=counted))
    assert steps == [(3500, 2500, 0, ""), (3500, 3500, 0, "")]
    assert calls == [1000]
    assert stored(tmp_path).equals(whole)
    assert len(list((tmp_path / table.PARQUET).iterdir())) == 4


def test_a_part_that_fails_is_told_and_tried_again(tmp_path):
    def failing(block):
        raise MemoryError("no room")

    sweep = sweep_of("fig08", "stokes_shift_meV=20:120:1500")
    steps = make(tmp_path, replace(sweep, function=failing))
    assert steps[-1] == (1500, 0, 1500, "MemoryError: no room")
    assert make(tmp_path, sweep)[-1] == (1500, 1500, 0, "")


def test_parts_written_where_they_are_computed_are_the_same_and_nothing_comes_back(tmp_path):
    results = []

    def spread(jobs):
        for job, result in one_by_one(jobs):
            results.append(result)
            yield job, result

    sweep = sweep_of("fig08", "stokes_shift_meV=20:120:1500")
    for name, same_disk in (("here", True), ("elsewhere", False)):
        (tmp_path / name).mkdir()
        steps = list(numbers.run(sweep, tmp_path / name, spread, same_disk))
        assert steps[-1] == (1500, 1500, 0, "")
    assert all(len(result) == 2 for result in results[:2])  # a path and a sum
    parts = sorted((tmp_path / "here" / table.PARQUET).iterdir())
    assert [part.read_bytes() for part in parts] == results[2:]


def test_a_part_that_cannot_be_written_where_it_is_computed_ends_the_sweep(tmp_path):
    def full(block):
        raise OSError(28, "No space left on device")

    sweep = replace(sweep_of("fig08", "stokes_shift_meV=20:120:1500"), function=full)
    with pytest.raises(OSError, match="No space left"):
        make(tmp_path, sweep, same_disk=True)
    assert list((tmp_path / table.PARQUET).iterdir()) == []


def test_a_hundred_million_points_are_named_without_being_made():
    over = ["stokes_shift_meV=20:120:10000", "linewidth_meV=60:100:100", "floor=0.01:0.1:100"]
    sweep = sweep_of("fig08", *over)
    assert sweep.points.size == numbers.MOST_POINTS
    names = [name for name, _, _ in sweep.parts()]
    assert len(names) == len(set(names)) == 1000
    assert names == sorted(names)
    (column, *_) = sweep.block(10**8 - 3, 10**8).given.values()
    assert list(column) == [120.0] * 3


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["fig06", "--over", "seed=1,2"], "fig06 has no numbers without a notebook"),
        (["fig08", "--over", "film_refractive_index=1,2"], "changes none of the numbers of fig08"),
        (
            ["fig08", "--over", "unrelaxed_absorptive_binding_meV=1,2"],
            "changes none of the numbers of fig08",
        ),
        (
            ["fig08", "--over", "stokes_shift_meV=1:2:10001", "--over", "linewidth_meV=1:2:10000"],
            "are more than 100000000",
        ),
        (["fig08", "--over", "stokes_shift_meV=1:1001:100000000"], "stokes_shift_meV = 1001.0"),
        (["fig08", "--over", "stokes_shift_meV=1:2:1000001"], "takes at most 1000000 values"),
        (
            ["fig08", "--over", "stokes_shift_meV=1:2:500001", "--over", "floor=0.1,1", "--csv"],
            "a CSV file of 1000002 rows is refused: spreadsheets stop near 1000000",
        ),
    ],
)
def test_a_bad_request_is_refused_before_anything_is_written(words, said, tmp_path, capsys):
    target = tmp_path / "out"
    assert cli.main(["sweep", *words, "--numbers-only", "-o", str(target)]) == 2
    printed = capsys.readouterr()
    assert said in printed.err
    assert len(printed.err.splitlines()) == 1
    assert not target.exists()


def test_another_kind_of_sweep_is_not_mixed_in(tmp_path):
    make(tmp_path, sweep_of("fig08", "stokes_shift_meV=20,30"))
    with pytest.raises(ParameterError, match="other chapter and points"):
        make(tmp_path, sweep_of("fig10", "stokes_shift_meV=20,31"))
    for fixed in ({"floor": 0.5}, {"linewidth_meV": 70.0}):
        with pytest.raises(ParameterError, match="other fixed parameters"):
            make(tmp_path, sweep_of("fig08", "stokes_shift_meV=20,30", **fixed))


def test_a_last_part_of_one_point_is_computed_and_a_part_of_another_place_is_not_taken(tmp_path):
    sweep = sweep_of("fig08", "stokes_shift_meV=0:100:2001", floor=0.02)
    assert list(sweep.parts()) == [
        ("part-000000000.parquet", 0, 1000),
        ("part-000001000.parquet", 1000, 2000),
        ("part-000002000.parquet", 2000, 2001),
    ]
    assert make(tmp_path, sweep)[-1] == (2001, 2001, 0, "")
    assert stored(tmp_path)["stokes_shift_meV"].to_pylist()[::500] == [0.0, 25.0, 50.0, 75.0, 100.0]
    # The same content under both names, and sums that fit: only the file itself tells its place.
    place = tmp_path / table.PARQUET
    for content in ((place / "part-000000000.parquet").read_bytes(), b"no table at all"):
        (place / "part-000001000.parquet").write_bytes(content)
        lines = (
            f"{hashlib.sha256((tmp_path / path).read_bytes()).hexdigest()}  {path}\n"
            for path in folder.sums(tmp_path)
        )
        (tmp_path / folder.SUMS).write_text("".join(lines))
        assert [step.done for step in make(tmp_path, sweep)] == [1001, 2001]


def test_a_file_that_is_no_part_is_not_left_among_them_unsaid(tmp_path):
    sweep = sweep_of("fig08", "stokes_shift_meV=20,30")
    make(tmp_path, sweep)
    (tmp_path / table.PARQUET / "copy.parquet").write_bytes(b"PAR1")
    with pytest.raises(ParameterError, match=r"copy\.parquet is no part of this sweep"):
        make(tmp_path, sweep)
    assert (tmp_path / table.PARQUET / "copy.parquet").read_bytes() == b"PAR1"


def test_a_sweep_that_ended_early_is_no_success(tmp_path, monkeypatch, capsys):
    nothing = nullcontext(lambda jobs: iter(()))
    monkeypatch.setattr(sweep_command.local, "local", lambda *_: nothing)
    words = ["sweep", "fig08", "--over", "stokes_shift_meV=20,30", "-o", str(tmp_path / "out")]
    for more in (["--numbers-only", "--csv"], ["--replace"]):
        assert cli.main([*words, *more]) == 1
        assert "0 of 2 are done: the same command goes on." in capsys.readouterr().err


def command(target, *more):
    return [sys.executable, "-m", "qdgain", "sweep", "fig08", "--numbers-only", *more, "-o", target]


def environment():
    return {
        **os.environ,
        "PYTHONPATH": os.pathsep.join([str(ROOT / "lib"), str(ROOT / "tests" / "sweep")]),
    }


@pytest.mark.slow
@pytest.mark.timeout(240)
def test_the_command_goes_on_after_kill_9_and_its_csv_has_the_same_numbers(tmp_path):
    target = tmp_path / "out"
    words = command(
        str(target), "--over", "stokes_shift_meV=20:120:4000", "--workers", "1", "--csv"
    )

    def parts():
        return {
            path.name: path.stat().st_mtime_ns
            for path in target.glob("table.parquet/part-*.parquet")
        }

    with subprocess.Popen(words, env=environment(), stderr=subprocess.DEVNULL) as process:
        began = time.monotonic()
        while not parts() and time.monotonic() - began < WAIT_S:
            time.sleep(0.02)
        workers = psutil.Process(process.pid).children(recursive=True)
        process.kill()
    kept = parts()
    assert kept
    done = subprocess.run(
        words, env=environment(), capture_output=True, text=True, check=False, timeout=WAIT_S
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout == f"{target / table.PARQUET}\n"
    assert f"{1000 * len(kept)} of 4000 points done" in done.stderr
    assert "4000 of 4000 points done" in done.stderr
    now = parts()
    assert len(now) == 4
    assert kept.items() <= now.items()
    assert not any(p.is_running() and p.status() != psutil.STATUS_ZOMBIE for p in workers)
    content = stored(target)
    direct = threshold_onset(
        Dot(**presets()["3LS+ESA"].values() | {"stokes_shift_meV": np.linspace(20, 120, 4000)}),
        CONTRACT["floor"].default,
    )
    assert np.array_equal(content["onset_mean_excitons"], direct.mean_excitons)
    with (target / table.CSV_FILE).open(encoding="utf-8", newline="") as stream:
        rows = list(csv.DictReader(stream))
    assert list(rows[0]) == content.column_names
    for name in content.column_names:
        written = np.array([float(row[name]) for row in rows])
        assert np.array_equal(written, content[name].to_numpy(), equal_nan=True)
    about = json.loads((target / folder.SWEEP_FILE).read_text(encoding="utf-8"))
    assert about["points"] == 4000
    assert about["parameters of every point"]["linewidth_meV"]["unit"] == "meV"


def test_readings_and_degeneracies_are_swept_like_any_parameter():
    readings, holes = ["additive", "degenerate", "replacing", "degenerate"], [4, 2, 4, 4]
    laws = ["rabi", "rabi", "poisson", "poisson"]
    found = numbers.numbers(
        "fig08",
        {
            "reading": np.array(readings),
            "hole_states": np.array(holes),
            "statistics": np.array(laws),
            "stokes_shift_meV": np.array([60.0, 5.0, 20.0, 5.0]),
            "xx_absorption_strength": 0.5,
            "xx_emission_strength": 1.0,
        },
    )
    for i, shift in enumerate([60.0, 5.0, 20.0, 5.0]):
        dot = Dot(
            **presets()["3LS+ESA"].values()
            | {
                "reading": readings[i],
                "hole_states": holes[i],
                "stokes_shift_meV": shift,
                "xx_absorption_strength": 0.5,
                "xx_emission_strength": 1.0,
            }
        )
        expected = float(threshold_at_maximum(dot, statistics=laws[i]).mean_excitons)
        assert found["threshold_mean_excitons"][i] == pytest.approx(expected, rel=1e-12)
    assert np.unique(found["threshold_mean_excitons"]).size == 4
