"""Sweeps in real processes: killed, asked to end, on a cluster, refused by it."""

import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from contextlib import contextmanager
from pathlib import Path

import psutil
import pytest
from sweep_fakes import sweep_of, table_of

from conftest import ROOT
from qdgain import cli
from qdgain.figures import fig08
from qdgain.reruns import request
from qdgain.version import library_hash

pytestmark = pytest.mark.slow

WAIT_S = 110


def environment(**more):
    path = os.pathsep.join(
        [str(ROOT / "tests" / "sweep"), str(ROOT / "lib"), os.environ.get("PYTHONPATH", "")]
    )
    return {**os.environ, "PYTHONPATH": path, **more}


@contextmanager
def started(*words, env=None):
    process = subprocess.Popen(
        [sys.executable, *words],
        env=env or environment(),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    try:
        yield process
        process.wait(timeout=WAIT_S)
    finally:
        process.kill()
        process.communicate(timeout=WAIT_S)


def ended(*words, env=None):
    with started(*words, env=env) as process:
        out, err = process.communicate(timeout=WAIT_S)
    return process.returncode, out, err


def until(condition):
    began = time.monotonic()
    while time.monotonic() - began < WAIT_S:
        found = condition()
        if found:
            return found
        # A look at all processes of the machine takes a while itself.
        time.sleep(0.1)
    raise AssertionError("it did not happen")


@pytest.fixture
def temporary():
    """Return a folder for temporary ones, with a path short enough for kernels."""
    with tempfile.TemporaryDirectory(dir="/tmp") as name:
        yield Path(name)


def kernels_of(pid):
    found = []
    for process in psutil.Process(pid).children(recursive=True):
        try:
            if any("ipykernel" in word for word in process.cmdline()):
                found.append(process)
        except psutil.NoSuchProcess:
            continue
    return found


def all_gone(processes):
    return not any(p.is_running() and p.status() != psutil.STATUS_ZOMBIE for p in processes)


@pytest.mark.slow
@pytest.mark.timeout(300)
def test_after_kill_9_only_what_was_in_flight_is_made_again_and_a_deadly_run_is_recorded(tmp_path):
    log, target = tmp_path / "log", tmp_path / "out"
    words = ("-m", "sweep_fakes", str(target), "stokes_shift_meV=20:31:12")

    def kept():
        return {path.parent.name for path in target.glob("runs/[!.]*/run-card.json")}

    def begun():
        return [float(line.split()[1]) for line in log.read_text().splitlines()]

    with started(*words, env=environment(SWEEP_LOG=str(log))) as process:
        until(lambda: len(kept()) >= 4)
        workers = psutil.Process(process.pid).children(recursive=True)
        process.kill()
    until(lambda: all_gone(workers))
    names = {given["stokes_shift_meV"]: name for name, given in sweep_of(words[3]).given()}
    missing = {stokes for stokes, name in names.items() if name not in kept()}
    in_flight = missing & set(begun())
    assert len(in_flight) <= 2
    log.unlink()
    # One point of those left kills its worker.
    env = environment(SWEEP_LOG=str(log), SWEEP_DEADLY="31")
    code, out, err = ended(*words, env=env)
    assert code == 0, err
    assert json.loads(out) == {"total": 12, "done": 11, "failed": 1, "reason": ""}
    assert set(begun()) == missing
    assert begun().count(31.0) == 2
    *rows, last = table_of(target)
    assert {row["status"] for row in rows} == {"done"}
    assert (last["status"], last["stokes_shift_meV"]) == ("failed", "31.0")
    assert "the worker died whenever it ran this" in last["reason"]


@pytest.mark.slow
def test_a_command_whose_terminal_goes_leaves_no_worker_and_no_folder_behind(tmp_path, temporary):
    target = tmp_path / "out"
    words = ("-m", "qdgain", "sweep", "fig08", "--numbers-only", "--workers", "1")
    many = ("--over", "stokes_shift_meV=1:100:5000", "--over", "linewidth_meV=40:90:5000")
    env = environment(TMPDIR=str(temporary))
    with started(*words, *many, "-o", str(target), env=env) as process:
        until(lambda: process.poll() is not None or list(target.glob("table.parquet/part-*")))
        everything = psutil.Process(process.pid).children(recursive=True)
        assert len(list(temporary.iterdir())) == 1
        process.send_signal(signal.SIGHUP)
        _, err = process.communicate(timeout=WAIT_S)
    assert process.returncode == 128 + signal.SIGHUP
    assert "points are in" in err
    assert "Traceback" not in err
    assert everything
    until(lambda: all_gone(everything))
    assert list(temporary.iterdir()) == []


@pytest.mark.slow
def test_a_command_asked_to_end_leaves_no_kernel_behind(tmp_path, temporary):
    target = tmp_path / "out"
    words = ("-m", "qdgain", "sweep", "fig08", "--over", "stokes_shift_meV=40,60")
    env = environment(TMPDIR=str(temporary))
    with started(*words, "--workers", "1", "-o", str(target), env=env) as process:
        until(lambda: process.poll() is not None or kernels_of(process.pid))
        everything = psutil.Process(process.pid).children(recursive=True)
        process.terminate()
        _, err = process.communicate(timeout=WAIT_S)
    assert process.returncode == 143
    assert "0 of 2 runs are in" in err
    assert "Traceback" not in err
    until(lambda: all_gone(everything))
    assert not list(target.glob("runs/*"))
    assert list(temporary.iterdir()) == []


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


@contextmanager
def dask_process(*words, env=None):
    process = subprocess.Popen(
        [sys.executable, "-m", "dask", *words],
        env=env or environment(),
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        yield process
    finally:
        for child in psutil.Process(process.pid).children(recursive=True):
            child.kill()
        process.kill()
        process.wait(timeout=WAIT_S)


def worker(address, *more, env=None):
    alone = ("--host", "127.0.0.1", "--nthreads", "1", "--no-dashboard")
    return dask_process("worker", address, *alone, *more, env=env)


@pytest.fixture(scope="module")
def scheduler():
    port = free_port()
    words = ("scheduler", "--host", "127.0.0.1", "--port", str(port), "--no-dashboard")
    with dask_process(*words):
        yield f"tcp://127.0.0.1:{port}"


@pytest.mark.slow
@pytest.mark.timeout(240)
def test_a_cluster_runs_the_points_one_kernel_dies_and_the_numbers_are_a_reruns(
    scheduler, tmp_path
):
    target = tmp_path / "out"
    words = ("-m", "qdgain", "sweep", "fig08", "--over", "stokes_shift_meV=40,60")
    with (
        worker(scheduler) as one,
        worker(scheduler) as two,
        started(*words, "--scheduler", scheduler, "-o", str(target)) as process,
    ):
        victim, *_ = until(lambda: kernels_of(one.pid) + kernels_of(two.pid))
        victim.kill()
        out, err = process.communicate(timeout=WAIT_S)
    assert process.returncode == 1
    assert "1 of 2 runs failed: the table says why; add --retry-failed" in err
    assert out == f"{target / 'table.csv'}\n"
    rows = table_of(target)
    assert sorted(row["status"] for row in rows) == ["done", "failed"]
    (failed,) = (row for row in rows if row["status"] == "failed")
    assert "ernel died" in failed["reason"]
    for row in rows:
        if row["status"] == "done":
            given = {"stokes_shift_meV": float(row["stokes_shift_meV"])}
            for headline in fig08.headlines(request.Request(("fig08",), given).run("fig08")):
                assert float(row[headline.key]) == pytest.approx(
                    headline.value, rel=1e-12, nan_ok=True
                )


@pytest.mark.slow
@pytest.mark.timeout(240)
def test_a_worker_with_another_library_or_none_is_refused_before_any_run(
    scheduler, tmp_path, capsys
):
    copy = tmp_path / "copy"
    shutil.copytree(
        ROOT / "lib" / "qdgain", copy / "qdgain", ignore=shutil.ignore_patterns("__pycache__")
    )
    with (copy / "qdgain" / "units.py").open("a") as stream:
        stream.write("# one comment more\n")
    none = tmp_path / "none" / "qdgain"
    none.mkdir(parents=True)
    (none / "__init__.py").write_text("raise ModuleNotFoundError('No module named qdgain')\n")
    target = tmp_path / "out"

    def refused(timeout):
        words = ["sweep", "fig08", "--over", "stokes_shift_meV=40,60", "--scheduler", scheduler]
        assert cli.main([*words, "--connect-timeout", timeout, "-o", str(target)]) == 1
        printed = capsys.readouterr()
        assert printed.out == ""
        (sentence,) = printed.err.splitlines()
        assert not target.exists()
        return sentence

    for path, said in ((copy, "has the library "), (none.parent, "has no qdgain")):
        with worker(scheduler, "--no-nanny", env=environment(PYTHONPATH=str(path))):
            sentence = refused("60")
        assert sentence.startswith("qdgain: the worker tcp://127.0.0.1:")
        assert said in sentence
        assert f"here it is {library_hash()[:12]}" in sentence
    assert refused("1") == f"qdgain: the scheduler at {scheduler} has no workers: start some."


def test_a_scheduler_that_is_not_there_is_a_sentence(tmp_path, capsys):
    for address in (f"tcp://127.0.0.1:{free_port()}", "nonsense://1"):
        words = ["sweep", "fig08", "--over", "stokes_shift_meV=1,2", "--scheduler", address]
        assert cli.main([*words, "--connect-timeout", "1", "-o", str(tmp_path / "out")]) == 1
        err = capsys.readouterr().err
        assert err.startswith(f"qdgain: no scheduler answers at {address}: ")
        assert len(err.splitlines()) == 1
    assert not (tmp_path / "out").exists()
