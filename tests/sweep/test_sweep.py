"""Sweeps of notebooks: points, refusals, resuming, tables, clusters, interruptions."""

import csv
import hashlib
import json

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pyarrow import parquet
from sweep_fakes import one_by_one, quick, sweep_of, table_of

from qdgain import cli
from qdgain.model.parameters import ParameterError
from qdgain.reruns import request
from qdgain.reruns.run_folder import CARD_FILE
from qdgain.sweep import folder, notebooks, table
from qdgain.sweep.points import points, read_points
from qdgain.version import library_hash

NAMES = request.names_of("fig08")


def as_rows(found):
    return list(found.each())


# Points


def test_a_grid_is_every_combination_the_last_axis_fastest():
    found = points(
        NAMES,
        ["stokes_shift_meV=20:120:11", "linewidth_meV=60,80", "statistics=rabi,poisson"],
        (),
        (),
    )
    assert found.size == 44
    assert as_rows(found) == [
        {"stokes_shift_meV": float(s), "linewidth_meV": w, "statistics": law}
        for s in np.linspace(20, 120, 11)
        for w in (60.0, 80.0)
        for law in ("rabi", "poisson")
    ]


@given(st.floats(0, 1000), st.floats(0, 1000), st.integers(2, 40), st.integers(2, 5), st.data())
def test_any_block_of_a_grid_is_that_part_of_it(start, stop, count, other, data):
    if start == stop:
        return
    texts = [f"stokes_shift_meV={start!r}:{stop!r}:{count}", f"linewidth_meV=1:9:{other}"]
    found = points(NAMES, texts, (), ())
    first = data.draw(st.integers(0, found.size - 1))
    last = data.draw(st.integers(first + 1, found.size))
    block = found.block(first, last)
    whole = np.meshgrid(np.linspace(start, stop, count), np.linspace(1, 9, other), indexing="ij")
    for values, axis in zip(block.values(), whole, strict=True):
        assert np.array_equal(values, axis.ravel()[first:last])
    few, begins = found.between(first, last)
    again = few.block(begins, begins + last - first)
    assert all(np.array_equal(again[name], block[name]) for name in block)
    assert few.sizes[0] <= (last - first) // other + 2
    assert min(start, stop) <= block["stokes_shift_meV"].min()
    assert block["stokes_shift_meV"].max() <= max(start, stop)


@pytest.mark.parametrize(
    ("text", "values"),
    [
        ("stokes_shift_meV=0:100:5", [0.0, 25.0, 50.0, 75.0, 100.0]),
        ("stokes_shift_meV=100:0:3", [100.0, 50.0, 0.0]),
        ("absorptive_binding_meV=-50:150:3", [-50.0, 50.0, 150.0]),
        ("absorptive_binding_meV=-0,0.5", [0.0, 0.5]),
        ("stokes_shift_meV=0,20", [0.0, 20.0]),
    ],
)
def test_a_range_has_both_ends_and_a_list_its_values(text, values):
    name = text.partition("=")[0]
    # In words, so that 0 is not taken for -0.
    assert repr(as_rows(points(NAMES, [text], (), ()))) == repr([{name: v} for v in values])


def test_a_swept_0_is_a_value_and_what_is_fixed_reaches_every_run(tmp_path):
    asked = []

    def noted(run):
        asked.append(dict(run.given))
        return quick(run)

    over = ("stokes_shift_meV=0,20", "emission_linewidth_meV=none,80")
    make(tmp_path, sweep_of(*over, function=noted, absorptive_binding_meV=0.0))
    assert asked == [
        {"absorptive_binding_meV": 0.0, "stokes_shift_meV": 0.0},
        {"absorptive_binding_meV": 0.0, "stokes_shift_meV": 0.0, "emission_linewidth_meV": 80.0},
        {"absorptive_binding_meV": 0.0, "stokes_shift_meV": 20.0},
        {"absorptive_binding_meV": 0.0, "stokes_shift_meV": 20.0, "emission_linewidth_meV": 80.0},
    ]


def test_a_damaged_file_beside_a_run_card_is_seen(tmp_path):
    def with_data(asked):
        files = {"data/panel.csv": b"1,2"}
        card = json.loads(quick(asked)[CARD_FILE])
        card["sha256"] = {path: hashlib.sha256(text).hexdigest() for path, text in files.items()}
        return files | {CARD_FILE: json.dumps(card).encode()}

    sweep = sweep_of("stokes_shift_meV=40,60", function=with_data)
    make(tmp_path, sweep)
    assert make(tmp_path, sweep) == [(2, 2, 0, "")]
    (name, _), *_ = sweep.given()
    panel = tmp_path / "runs" / name / "data" / "panel.csv"
    for damage in (lambda: panel.write_bytes(b"1,3"), panel.unlink):
        damage()
        assert [step.done for step in make(tmp_path, sweep)] == [1, 2]
        assert panel.read_bytes() == b"1,2"


def test_replace_removes_what_a_sweep_wrote_and_nothing_else(tmp_path):
    make(tmp_path, sweep_of("stokes_shift_meV=40,60"))
    (tmp_path / "notes.txt").write_text("years of work")
    (tmp_path / "more").mkdir()
    assert make(tmp_path, sweep_of("stokes_shift_meV=50,70"), replace=True)[-1].done == 2
    assert (tmp_path / "notes.txt").read_text() == "years of work"
    assert (tmp_path / "more").is_dir()
    assert len(list((tmp_path / "runs").iterdir())) == 2


def test_a_folder_that_was_left_before_it_was_a_sweep_can_be_used(tmp_path):
    (tmp_path / ".lock").touch()
    (tmp_path / ".sweep.json.unfinished-1").mkdir()
    assert make(tmp_path, sweep_of("stokes_shift_meV=40,60"))[-1].done == 2


def test_sums_are_those_that_sha256sum_checks(tmp_path):
    make(tmp_path, sweep_of("stokes_shift_meV=12,13"))
    lines = (tmp_path / folder.SUMS).read_text(encoding="utf-8").splitlines()
    assert len(lines) == 3  # the sweep, a run, a failure
    for line in lines:
        sha256, _, path = line.partition("  ")
        assert hashlib.sha256((tmp_path / path).read_bytes()).hexdigest() == sha256


def test_stand_ins_and_whole_numbers_can_be_swept():
    found = points(NAMES, ["emission_linewidth_meV=none,80"], (), ())
    assert as_rows(found) == [{"emission_linewidth_meV": None}, {"emission_linewidth_meV": 80.0}]
    found = points(request.names_of("fig06"), ["seed=1:9:5"], (), ())
    assert [row["seed"] for row in as_rows(found)] == [1, 3, 5, 7, 9]
    assert all(type(row["seed"]) is int for row in as_rows(found))


@pytest.mark.parametrize(
    ("content", "rows"),
    [
        ("stokes_shift_meV,statistics\n40,rabi\n60.5,poisson\n", [40.0, 60.5]),
        ("\ufeffstokes_shift_meV;statistics\r\n40;rabi\r\n60,5;poisson\r\n", [40.0, 60.5]),
        ('"stokes_shift_meV"\t"statistics"\n\n40\trabi\n6,05e1\tpoisson\n\n', [40.0, 60.5]),
    ],
    ids=["commas", "semicolons, decimal comma, byte-order mark", "tabs and blank lines"],
)
def test_a_table_of_points_is_read_as_spreadsheets_write_it(content, rows, tmp_path):
    path = tmp_path / "points.csv"
    path.write_text(content, encoding="utf-8", newline="")
    found = points(NAMES, (), [path], ())
    assert as_rows(found) == [
        {"stokes_shift_meV": rows[0], "statistics": "rabi"},
        {"stokes_shift_meV": rows[1], "statistics": "poisson"},
    ]


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"", "it is empty"),
        (b"stokes_shift_meV\n", "it has no rows"),
        (b"stokes_shift\n40\n", "did you mean stokes_shift_meV?"),
        (b"temperature_K\n300\n", "temperature_K is not a parameter here: fig06"),
        (b"stokes_shift_meV,stokes_shift_meV\n40,50\n", "stokes_shift_meV stands twice"),
        (b"stokes_shift_meV,\n40,50\n", "column 2 has no name"),
        (b"stokes_shift_meV,linewidth_meV\n40,60\n\n50\n", "line 4 has 1 values for 2 columns"),
        (b"stokes_shift_meV\n40\n50,60\n", "line 3 has 2 values for 1 columns"),
        (b"stokes_shift_meV\n40\nforty\n", "line 3 of points.csv: stokes_shift_meV = 'forty'"),
        (b"stokes_shift_meV\n40\nnan\n", "line 3 of points.csv: stokes_shift_meV = 'nan'"),
        (b"stokes_shift_meV\n40\n-1\n", "line 3 of points.csv: stokes_shift_meV = -1.0"),
        (b"stokes_shift_meV,floor\n40,0.1\n50,\n", "line 3 of points.csv: floor = ''"),
        (b"statistics\nrabi\nfermi\n", "line 3 of points.csv: statistics = 'fermi'"),
        (b"stokes_shift_meV\n40\n50\n40.0\n", "line 4 of points.csv is line 2 again"),
        (b'stokes_shift_meV\n"40\n', "is not CSV"),
        (b"stokes_shift_meV\n4\xe9\n", "it is not text in UTF-8"),
    ],
)
def test_a_bad_table_is_refused_with_its_line(content, said, tmp_path):
    path = tmp_path / "points.csv"
    path.write_bytes(content)
    with pytest.raises(ParameterError) as refusal:
        read_points(path, NAMES)
    assert said in str(refusal.value)
    assert "\n" not in str(refusal.value)


# Refusals, as a user meets them

REFUSED = {
    "nothing to go over": ([], "give --over or --points"),
    "unknown chapter": (["fig8"], "did you mean fig08?"),
    "every chapter": (["all"], "a sweep is of one chapter"),
    "unknown name": (["--over", "stoke_shift_meV=1,2"], "did you mean stokes_shift_meV?"),
    "another chapter's name": (["--over", "seed=1,2"], "seed is not a parameter here"),
    "no values": (["--over", "stokes_shift_meV"], "write name=start:stop:count"),
    "empty value": (["--over", "stokes_shift_meV=40,,60"], "stokes_shift_meV = ''"),
    "unit": (["--over", "stokes_shift_meV=40meV,60"], "stokes_shift_meV = '40meV'"),
    "out of range": (["--over", "stokes_shift_meV=40,1001"], "stokes_shift_meV = 1001.0"),
    "infinite": (["--over", "stokes_shift_meV=40,inf"], "stokes_shift_meV = 'inf'"),
    "huge": (["--over", "stokes_shift_meV=40,1e999"], "stokes_shift_meV = '1e999'"),
    "code": (["--over", "stokes_shift_meV=__import__('os'),1"], "__import__"),
    "unknown word": (["--over", "statistics=rabi,fermi"], "statistics = 'fermi'"),
    "range of words": (["--over", "statistics=rabi:poisson:2"], "statistics ="),
    "range out of range": (["--over", "stokes_shift_meV=-20:120:11"], "stokes_shift_meV = -20.0"),
    "no count": (["--over", "stokes_shift_meV=20:120"], "start:stop:count"),
    "count of one": (["--over", "stokes_shift_meV=20:120:1"], "a whole number from 2"),
    "fractional count": (["--over", "stokes_shift_meV=20:120:2.5"], "a whole number from 2"),
    "empty range": (["--over", "stokes_shift_meV=20:20:5"], "start and stop are alike"),
    "a value twice": (["--over", "stokes_shift_meV=20,20.0"], "stokes_shift_meV: 20.0 again"),
    "swept twice": (
        ["--over", "stokes_shift_meV=20,30", "--over", "stokes_shift_meV=1:2:3"],
        "stokes_shift_meV is swept twice",
    ),
    "fixed and swept": (
        ["--over", "stokes_shift_meV=20,30", "-p", "stokes_shift_meV=20"],
        "stokes_shift_meV is both fixed and swept",
    ),
    "bad fixed": (["--over", "stokes_shift_meV=20,30", "-p", "floor=0"], "floor = 0"),
    "no such table": (["--points", "none.csv"], "none.csv is not usable: it cannot be opened"),
    "no such file": (["--over", "stokes_shift_meV=20,30", "-f", "none.toml"], "none.toml"),
    "too many": (["--over", "stokes_shift_meV=1:2:100001"], "add --numbers-only"),
    "no workers": (["--over", "stokes_shift_meV=1,2", "--workers", "0"], "a whole number from 1"),
    "two places": (
        ["--over", "stokes_shift_meV=1,2", "--workers", "2", "--scheduler", "tcp://x:1"],
        "--scheduler and --workers do not go together",
    ),
    "pages of numbers": (
        ["--over", "stokes_shift_meV=1,2", "--numbers-only", "--keep-pages"],
        "--numbers-only and --keep-pages do not go together",
    ),
    "csv anyway": (["--over", "stokes_shift_meV=1,2", "--csv"], "--csv goes with --numbers-only"),
    "timeout": (
        ["--over", "stokes_shift_meV=1,2", "--connect-timeout", "-1"],
        "is not a number of seconds",
    ),
}


@pytest.mark.parametrize("name", REFUSED)
def test_a_bad_request_is_refused_before_anything_is_written(name, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    words, said = REFUSED[name]
    chapter = [] if words and words[0][0] != "-" else ["fig08"]
    try:
        code = cli.main(["sweep", *chapter, *words, "-o", "out"])
    except SystemExit as stop:
        code = stop.code
    printed = capsys.readouterr()
    assert code == 2
    assert printed.out == ""
    assert said in printed.err
    assert len(printed.err.splitlines()) == 1
    assert list(tmp_path.iterdir()) == []


def test_a_folder_that_holds_no_sweep_is_left_alone(tmp_path, capsys):
    (tmp_path / "thesis.txt").write_text("years of work")
    words = ["sweep", "fig08", "--over", "stokes_shift_meV=20,30", "-o", str(tmp_path)]
    for extra in ([], ["--replace"]):
        assert cli.main([*words, *extra]) == 2
        assert "holds no sweep: name another folder" in capsys.readouterr().err
    assert [path.name for path in tmp_path.iterdir()] == ["thesis.txt"]


# Runs without kernels


def make(target, sweep, replace=False, **options):
    with folder.opened(target, sweep.definition(), {}, replace):
        steps = list(notebooks.run(sweep, target, one_by_one, **options))
        notebooks.write_table(sweep, target)
    return steps


def test_the_table_has_a_row_a_run_with_parameters_numbers_and_what_failed(tmp_path):
    sweep = sweep_of("stokes_shift_meV=12:14:3", "statistics=rabi,poisson", floor=0.02)
    steps = make(tmp_path, sweep)
    assert steps[0] == (6, 0, 0, "")
    assert steps[-1] == (6, 4, 2, "")
    rows = table_of(tmp_path)
    assert [(row["stokes_shift_meV"], row["statistics"]) for row in rows] == [
        (s, law) for s in ("12.0", "13.0", "14.0") for law in ("rabi", "poisson")
    ]
    for row in rows:
        assert row["floor"] == "0.02"
        if row["stokes_shift_meV"] == "13.0":
            assert (row["status"], row["seconds"], row["twice"]) == ("failed", "1.5", "")
            assert row["reason"] == "DeadKernelError: Kernel died"
        else:
            assert (row["status"], row["seconds"], row["reason"]) == ("done", "0.25", "")
            assert float(row["twice"]) == 2 * float(row["stokes_shift_meV"])
            assert (row["never"], row["undefined"]) == ("inf", "nan")
    stored = parquet.read_table(tmp_path / table.PARQUET)
    assert stored.column_names == list(rows[0])
    assert stored["twice"].to_pylist() == [24.0, 24.0, None, None, 28.0, 28.0]
    assert stored["never"].to_pylist() == [np.inf, np.inf, None, None, np.inf, np.inf]
    assert stored.schema.field("twice").metadata[b"unit"] == b"meV"
    assert stored.schema.metadata[b"qdgain_library_hash"].decode() == library_hash()
    with (tmp_path / table.COLUMNS_FILE).open(encoding="utf-8", newline="") as stream:
        columns = {row["column"]: row for row in csv.DictReader(stream)}
    assert list(columns) == list(rows[0])
    assert columns["twice"]["meaning"] == "twice the Stokes shift"
    assert columns["stokes_shift_meV"]["unit"] == "meV"


def test_each_run_keeps_a_card_that_a_rerun_accepts(tmp_path):
    sweep = sweep_of("stokes_shift_meV=40,60", linewidth_meV=90.0)
    make(tmp_path, sweep)
    for name, parameters in sweep.given():
        card = tmp_path / "runs" / name / "run-card.json"
        assert request.request(("fig08",), [card]).given == parameters


def counting(calls, function=quick):
    def counted(asked):
        calls.append(asked.given["stokes_shift_meV"])
        return function(asked)

    return counted


def test_the_same_sweep_again_runs_what_is_missing_alone(tmp_path):
    calls = []

    def dies_at_three(asked):
        if len(calls) == 3:
            raise KeyboardInterrupt
        return quick(asked)

    over = "stokes_shift_meV=11:15:5"
    with pytest.raises(KeyboardInterrupt):
        make(tmp_path, sweep_of(over, function=counting(calls, dies_at_three)))
    assert calls == [11.0, 12.0, 13.0]
    calls.clear()
    sweep = sweep_of(over, function=counting(calls))
    assert make(tmp_path, sweep)[-1] == (5, 4, 1, "")
    assert calls == [13.0, 14.0, 15.0]  # 13 was under way
    calls.clear()
    assert make(tmp_path, sweep) == [(5, 4, 1, "")]
    assert calls == []  # what failed is not tried again,
    assert make(tmp_path, sweep, retry_failed=True)[-1] == (5, 4, 1, "")
    assert calls == [13.0]  # unless it is asked for
    repaired = sweep_of(over, function=lambda asked: quick(asked._replace(given=GIVEN_20)))
    assert make(tmp_path, repaired, retry_failed=True)[-1] == (5, 5, 0, "")
    assert {row["status"] for row in table_of(tmp_path)} == {"done"}


GIVEN_20 = {"stokes_shift_meV": 20.0}


def test_what_a_killed_command_left_half_written_is_removed(tmp_path):
    sweep = sweep_of("stokes_shift_meV=40,60")
    make(tmp_path, sweep)
    (name, _), *_ = sweep.given()
    (tmp_path / "runs" / name).rename(tmp_path / "runs" / f".{name}.unfinished-x")
    (tmp_path / ".table.csv.unfinished-1").write_text("half")
    assert make(tmp_path, sweep)[0] == (2, 1, 0, "")
    assert not [path for path in tmp_path.rglob(".*") if path.name != ".lock"]
    mine = tmp_path / "mine" / ".report.unfinished-draft"
    mine.mkdir(parents=True)
    make(tmp_path, sweep)
    assert mine.is_dir()


def test_another_sweep_is_not_mixed_in(tmp_path):
    make(tmp_path, sweep_of("stokes_shift_meV=40,60"))
    for other, what in (
        (sweep_of("stokes_shift_meV=40,70"), "other points"),
        (sweep_of("stokes_shift_meV=40,60", floor=0.1), "other fixed parameters"),
    ):
        with pytest.raises(ParameterError, match=what) as refusal:
            make(tmp_path, other)
        assert "name another folder, or add --replace to start over" in str(refusal.value)
    assert make(tmp_path, sweep_of("stokes_shift_meV=40,60")) == [(2, 2, 0, "")]
    assert make(tmp_path, sweep_of("stokes_shift_meV=40,70"), replace=True)[-1] == (2, 2, 0, "")
    assert len(list((tmp_path / "runs").iterdir())) == 2


def test_results_of_another_library_are_not_mixed_in(tmp_path, monkeypatch):
    sweep = sweep_of("stokes_shift_meV=40,60")
    make(tmp_path, sweep)
    monkeypatch.setattr(folder, "library_hash", lambda: "f" * 64)
    with pytest.raises(ParameterError) as refusal:
        make(tmp_path, sweep)
    assert "another version of the library" in str(refusal.value)
    assert library_hash()[:12] in str(refusal.value)
    assert "f" * 12 in str(refusal.value)


def test_one_command_at_a_time_writes_to_a_folder(tmp_path):
    sweep = sweep_of("stokes_shift_meV=40,60")
    with (
        folder.opened(tmp_path, sweep.definition(), {}),
        pytest.raises(ParameterError, match="another command is writing to"),
        folder.opened(tmp_path, sweep.definition(), {}),
    ):
        pass


def test_a_run_is_named_by_its_parameters_and_the_content_of_its_files(tmp_path):
    sweep = sweep_of("stokes_shift_meV=40,60", floor=0.1)
    names = [name for name, _ in sweep.given()]
    assert names[0] == sweep.id_of({"stokes_shift_meV": 40.0, "floor": 0.1})
    assert names[0] == sweep.id_of({"floor": 0.1, "stokes_shift_meV": 40.0})
    assert len({*names, sweep.id_of({"stokes_shift_meV": 40.0})}) == 3
    files = [tmp_path / name for name in ("one.csv", "copy.csv", "two.csv")]
    for path, content in zip(files, ("1", "1", "2"), strict=True):
        path.write_text(content)
    one, copy, two = (sweep.id_of({"x1_spectra_csv": str(path)}) for path in files)
    assert one == copy != two
