"""Workers of this machine: what they answer, how they end, and what they leave; and clusters."""

import os
import resource
import signal
import subprocess
import sys
import time
from types import SimpleNamespace

import psutil
import pytest
from distributed import LocalCluster
from distributed.security import Security
from local_fakes import double, stop

from qdgain import cli, files, sweep
from qdgain.sweep import cluster, local, spread
from qdgain.sweep.spread import Job, Silences, SpreadError


def jobs(*numbers, short=False):
    return (Job(str(number), double, number, short) for number in numbers)


def test_calls_come_back_with_results_or_with_what_they_raised_and_a_deadly_one_is_told():
    with local.local(1) as calls:
        found = {job.key: result for job, result in calls(jobs(1, 2, -3, 4, 0, 5, short=True))}
        # The same workers are there for more.
        assert [result for _, result in calls(jobs(7))] == [14]
        (worker,) = calls.workers
        assert worker.process.poll() is None
    assert {key: found[key] for key in "1245"} == {"1": 2, "2": 4, "4": 8, "5": 10}
    assert str(found["-3"]) == "the worker died whenever it ran this"
    assert str(found["0"]) == "Peculiar: zero is nothing"
    assert worker.process.poll() == 0


def test_workers_that_all_die_are_given_up(monkeypatch):
    monkeypatch.setattr(local, "_MOST_DEATHS", 2)
    with (
        pytest.raises(SpreadError, match="all workers die: free memory"),
        local.local(1) as calls,
    ):
        list(calls(jobs(-1, -2, -3)))


def test_a_stopped_worker_is_told_with_what_to_do(monkeypatch, tmp_path):
    said = []

    def goes_on(sentence):
        said.append(sentence)
        os.kill(int((tmp_path / "pid").read_text()), signal.SIGCONT)

    monkeypatch.setattr(spread, "say", goes_on)
    monkeypatch.setattr(spread, "SILENCE_S", 0.5)
    monkeypatch.setattr(local, "_LOOK_EVERY_S", 0.1)
    with local.local(1) as calls:
        ((_, result),) = calls([Job("one", stop, tmp_path / "pid")])
    pid = int((tmp_path / "pid").read_text())
    assert result == "went on"
    assert said[-1].startswith(f"worker {pid} has given no sign of life for ")
    assert f"kill -CONT {pid} lets it go on" in said[-1]


def test_a_scheduler_or_a_worker_of_a_cluster_that_has_stalled_is_told_once(monkeypatch):
    said, seen = [], [{"tcp://one": {"last_seen": 1}, "tcp://two": {"last_seen": 2}}]

    def answer(*_, **__):
        if seen[0] is None:
            raise TimeoutError
        seen[0]["tcp://two"]["last_seen"] += 1
        return {"workers": seen[0]}

    client = SimpleNamespace(scheduler=SimpleNamespace(identity=None), sync=answer)
    dask, silences = cluster._Dask(client, "tcp://here"), Silences()
    monkeypatch.setattr(spread, "say", said.append)
    for moment in (0, 5, 11, 12):
        monkeypatch.setattr(time, "monotonic", lambda moment=moment: 100.0 + moment)
        assert len(dask._asked(silences)) == 2
    seen[0] = None
    for moment in (13, 15, 26, 27):
        monkeypatch.setattr(time, "monotonic", lambda moment=moment: 100.0 + moment)
        assert dask._asked(silences) is None
    assert [sentence.partition(":")[0] for sentence in said] == [
        "the worker tcp",
        "the scheduler at tcp",
    ]
    assert "tcp://one has given no sign of life for 10 s: see whether it runs" in said[0]


def listening(processes):
    found = []
    for process in processes:
        for connection in process.net_connections("all"):
            named = isinstance(connection.laddr, str) and connection.laddr not in ("", "None")
            if connection.status == psutil.CONN_LISTEN or named:
                found.append((process.pid, connection))
    return found


def test_no_other_user_finds_a_door_to_a_sweep(tmp_path):
    with local.local(1) as calls:
        for _ in calls(jobs(1, 2)):
            family = [w.process.pid for w in calls.workers]
            assert listening(psutil.Process(pid) for pid in family) == []
        assert (calls.folder.stat().st_mode & 0o777) == 0o700
        if os.getuid():
            return
        # As somebody else: the pipes of the workers, their memory, their folder.
        for pid in family:
            attack = f"echo x > /proc/{pid}/fd/0 || cat /proc/{pid}/mem || ls {calls.folder}"
            tried = subprocess.run(
                ["/bin/sh", "-c", attack], user=65534, capture_output=True, text=True, check=False
            )
            assert tried.returncode != 0
            assert tried.stderr.count("ermission denied") == 3, tried.stderr
    assert listening([psutil.Process()]) == []


def test_too_little_address_space_is_said_before_a_worker_starts(monkeypatch, tmp_path, capsys):
    monkeypatch.setattr(resource, "getrlimit", lambda _: (650_000_000, 650_000_000))
    words = ["sweep", "fig08", "--over", "stokes_shift_meV=1,2", "--numbers-only"]
    assert cli.main([*words, "-o", str(tmp_path / "out")]) == 1
    *_, last = capsys.readouterr().err.splitlines()
    assert last == (
        "qdgain: a process may have 650 MB of address space here, and a worker needs 900: raise "
        "the limit with ulimit -v."
    )


def test_no_more_workers_than_there_is_memory_for(monkeypatch):
    for available, workers in ((5e8, 1), (2.1e9, 5), (1e12, 8), (1e6, 1)):
        free = SimpleNamespace(available=available)
        monkeypatch.setattr(psutil, "virtual_memory", lambda free=free: free)
        monkeypatch.setattr(os, "sched_getaffinity", lambda _: set(range(8)), raising=False)
        assert local._affordable(None) == workers
        assert local._affordable(3) == 3


def test_a_temporary_folder_has_a_path_that_a_socket_can_have(monkeypatch, tmp_path):
    deep = tmp_path / ("a" * 90)
    deep.mkdir()
    monkeypatch.setattr("tempfile.tempdir", str(deep))
    with files.scratch() as folder:
        assert len(str(folder)) < 60


def test_the_folders_of_dead_processes_are_removed_and_no_others(monkeypatch, tmp_path):
    monkeypatch.setattr(files, "_LONG_PATH", 1000)
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    dead, young, other = (
        tmp_path / f"{files._SCRATCH}{name}" for name in ("dead", "young", "other")
    )
    for path in (dead, young, tmp_path / "mine"):
        path.mkdir()
        (path / "kernel.json").touch()
    other.symlink_to(tmp_path / "mine")
    os.utime(dead, (0, 0))
    os.utime(tmp_path / "mine", (0, 0))
    with files.scratch() as alive:
        os.utime(alive, (0, 0))
        with files.scratch() as second:
            assert alive.is_dir()
            assert second != alive
        assert not dead.exists()
        assert (young / "kernel.json").is_file()
        assert (tmp_path / "mine" / "kernel.json").is_file()
    assert not alive.exists()


def test_a_file_is_on_the_disk_before_it_has_its_name(monkeypatch, tmp_path):
    order = []
    monkeypatch.setattr(files, "_sync", lambda path: order.append(path.name))
    target = tmp_path / "out"
    with files.written_aside(target) as aside:
        (aside / "inner").mkdir(parents=True)
        (aside / "inner" / "file").touch()
        monkeypatch.setattr(
            type(aside), "replace", lambda self, to: (order.append("named"), self.rename(to))
        )
    assert sorted(order[:3]) == ["file", "inner", "out"]
    assert order[3:] == ["named", tmp_path.name]


@pytest.mark.parametrize("kind", ["link", "fifo", "folder", "large"])
def test_only_a_plain_file_of_sensible_size_is_read(kind, tmp_path):
    path = tmp_path / "file"
    if kind == "link":
        (tmp_path / "other").write_text("1")
        path.symlink_to(tmp_path / "other")
    elif kind == "fifo":
        os.mkfifo(path)
    elif kind == "folder":
        path.mkdir()
    else:
        path.write_bytes(b"12345")
    with pytest.raises(OSError, match=r".") as error:
        files.read_plain(path, 4)
    assert error.value.strerror
    assert files.sha256_of_plain(path) == "" or kind == "large"


def keys(folder):
    """Return a certificate and its key, signed by themselves."""
    made = ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2"]
    paths = folder / "cert.pem", folder / "key.pem"
    words = [*made, "-subj", "/CN=qdgain", "-out", str(paths[0]), "-keyout", str(paths[1])]
    subprocess.run(words, check=True, capture_output=True)
    return paths


@pytest.mark.slow
def test_a_cluster_with_keys_serves_who_has_them_and_nobody_else(tmp_path):
    certificate, key = keys(tmp_path)
    sides = {
        f"tls_{side}_{what}": str(path)
        for side in ("client", "scheduler", "worker")
        for what, path in (("cert", certificate), ("key", key))
    }
    with LocalCluster(
        n_workers=1,
        processes=False,
        protocol="tls://",
        host="127.0.0.1",
        dashboard_address="127.0.0.1:0",
        security=Security(tls_ca_file=str(certificate), require_encryption=True, **sides),
    ) as there:
        ours = {"ca_file": certificate, "client_cert": certificate, "client_key": key}
        with cluster.existing(there.scheduler_address, 10.0, ours) as calls:
            assert [result for _, result in calls(jobs(1, 2, 3))] == [2, 4, 6]
        with (
            pytest.raises(SpreadError, match="no scheduler answers at tls://"),
            cluster.existing(there.scheduler_address, 5.0, {}),
        ):
            pass


def test_only_a_cluster_needs_dask_and_says_so(monkeypatch, tmp_path, capsys):
    monkeypatch.setitem(sys.modules, "distributed", None)
    monkeypatch.delitem(sys.modules, "qdgain.sweep.cluster", raising=False)
    monkeypatch.delattr(sweep, "cluster", raising=False)
    words = ["sweep", "fig08", "--over", "stokes_shift_meV=1,2", "-o", str(tmp_path / "out")]
    assert cli.main([*words, "--scheduler", "tcp://x:1"]) == 1
    assert "this command needs the package distributed" in capsys.readouterr().err
    assert list(tmp_path.iterdir()) == []


def test_keys_without_a_scheduler_are_refused(tmp_path, capsys):
    words = ["sweep", "fig08", "--over", "stokes_shift_meV=1,2", "-o", str(tmp_path / "out")]
    assert cli.main([*words, "--tls-cert", "x.pem"]) == 2
    assert "go with --scheduler" in capsys.readouterr().err
