"""Calls spread over processes of this machine, through pipes that nobody else can open."""

from __future__ import annotations

import os
import pickle
import resource
import shutil
import subprocess
import sys
import threading
import time
from collections import Counter, deque
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from multiprocessing import Pipe
from multiprocessing.connection import Connection, wait
from pathlib import Path
from queue import SimpleQueue
from typing import Any

import psutil

from qdgain.files import scratch
from qdgain.sweep.spread import Job, Silences, Spread, SpreadError

# What a worker takes, and the address space, as of ulimit -v, without which it may fail anywhere.
_WORKER_BYTES, _ADDRESS_SPACE_BYTES = 400_000_000, 900_000_000
# A call whose worker died is made once more; workers that all die are given up.
_TRIES, _MOST_DEATHS = 2, 8
_LOOK_EVERY_S, _CLOSE_S = 2.0, 10.0
_SERVE = "import sys; sys.path[:] = {}; from qdgain.sweep.local import serve; serve()"
_SETTINGS = {
    # One worker a core: their libraries need no threads of their own.
    **dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"), "1"),
    # Memory that is returned to the system at once has to be got again, which took half the time.
    "MALLOC_TRIM_THRESHOLD_": str(1 << 28),
}


@contextmanager
def local(workers: int | None = None) -> Iterator[Spread]:
    """Start processes as they are needed, by default one a core, and end them and their children.

    Raises
    ------
    SpreadError
        If there is too little memory for one, or they die whatever they do.
    """
    with scratch() as folder:
        pool = _Pool(workers, folder)
        try:
            yield pool
        finally:
            for worker in pool.workers:
                worker.pipe.close()
            for worker in pool.workers:
                worker.end()


def _affordable(workers: int | None) -> int:
    """Return how many workers there is memory for, or refuse to start one."""
    limit, _ = resource.getrlimit(resource.RLIMIT_AS)
    if limit != resource.RLIM_INFINITY and limit < _ADDRESS_SPACE_BYTES:
        raise SpreadError(
            f"a process may have {limit / 1e6:.0f} MB of address space here, and a worker needs "
            f"{_ADDRESS_SPACE_BYTES / 1e6:.0f}: raise the limit with ulimit -v"
        )
    affinity = getattr(os, "sched_getaffinity", None)
    cores = len(affinity(0)) if affinity else os.cpu_count() or 1
    memory = int(psutil.virtual_memory().available)
    return workers or max(1, min(cores, memory // _WORKER_BYTES))


class _Worker:
    """A process, the pipe to it, and the jobs it was given, of which it makes the first."""

    def __init__(self, folder: Path) -> None:
        self.pipe, theirs = Pipe()
        self.jobs: deque[Job] = deque()
        path = [entry for entry in sys.path if entry]
        with theirs:
            self.process = subprocess.Popen(
                [sys.executable, "-P", "-c", _SERVE.format(path)],
                stdin=theirs.fileno(),
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
                env=os.environ | {"TMPDIR": str(folder)} | _SETTINGS,
                # The terminal sends Ctrl-C to a whole group; only the command is to act on it.
                start_new_session=True,
            )

    def give(self, job: Job) -> None:
        self.jobs.append(job)
        with suppress(OSError):  # that it has died is seen when its answer is read
            self.pipe.send((job.function, job.argument))

    def look(self, silences: Silences) -> None:
        """Say if neither the process nor a child of it has computed for a while."""
        pid, cpu_s = self.process.pid, 0.0
        if self.jobs:
            for process in _family(pid):
                with suppress(psutil.Error):
                    cpu_s += sum(process.cpu_times()[:2])
            way_out = f"kill -CONT {pid} lets it go on if it was stopped, kill {pid} replaces it."
            silences.look(f"worker {pid}", (self.jobs[0].key, round(cpu_s, 1)), way_out)

    def end(self) -> None:
        """Wait for it, which ends with its pipe, and kill it and its children if it does not."""
        try:
            self.process.wait(_CLOSE_S)
        except subprocess.TimeoutExpired:
            _kill(_family(self.process.pid))
            self.process.wait()


class _Pool:
    """Calls spread over processes; as many at a time as there are processes."""

    def __init__(self, wanted: int | None, folder: Path) -> None:
        self.wanted, self.folder = wanted, folder
        self.workers: list[_Worker] = []
        self.again: deque[Job] = deque()
        self.deaths: Counter[str] = Counter()
        self.has_ended_one = False

    def __call__(self, jobs: Iterable[Job]) -> Iterator[tuple[Job, Any]]:
        size, waiting = _affordable(self.wanted), iter(jobs)
        looked, silences = time.monotonic(), Silences()
        while True:
            self._hand_out(waiting, size)
            busy = [worker for worker in self.workers if worker.jobs]
            if not busy:
                return
            ready = wait([worker.pipe for worker in busy], _LOOK_EVERY_S)
            for worker in busy:
                if worker.pipe in ready:
                    yield from self._outcome(worker)
            if time.monotonic() - looked > _LOOK_EVERY_S:
                looked = time.monotonic()
                for worker in self.workers:
                    worker.look(silences)

    def _hand_out(self, waiting: Iterator[Job], size: int) -> None:
        """Give every worker a job, and a second one beside a short one; start what is needed."""
        for number in (0, 1):
            for place in range(size):
                there = self.workers[place].jobs if place < len(self.workers) else deque[Job]()
                if len(there) > number or (number and not (there and there[0].short)):
                    continue
                job = self.again.popleft() if self.again else next(waiting, None)
                if job is None:
                    return
                if place == len(self.workers):
                    self.workers.append(_Worker(self.folder))
                self.workers[place].give(job)

    def _outcome(self, worker: _Worker) -> Iterator[tuple[Job, Any]]:
        """Yield what a worker has answered; if it has died, its job is made once more."""
        try:
            result = worker.pipe.recv()
        except (EOFError, OSError):
            self.workers.remove(worker)
            worker.end()
            job, *others = worker.jobs
            self.again += others
            self.deaths[job.key] += 1
            if not self.has_ended_one and self.deaths.total() >= _MOST_DEATHS:
                raise SpreadError("all workers die: free memory, or give fewer") from None
            if self.deaths[job.key] < _TRIES:
                self.again.append(job)
            else:
                yield job, RuntimeError("the worker died whenever it ran this")
        else:
            self.has_ended_one = True
            yield worker.jobs.popleft(), result


def serve() -> None:
    """Make the calls that come through standard input, until it ends. Only `local` calls this."""
    pipe, calls = Connection(os.dup(0)), SimpleQueue[bytes]()
    os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
    threading.Thread(target=_receive, args=(pipe, calls), daemon=True).start()
    while True:
        try:
            function, argument = pickle.loads(calls.get())
            answer = pickle.dumps(function(argument))
        except Exception as error:
            answer = _pickled(error)
        pipe.send_bytes(answer)


def _pickled(error: Exception) -> bytes:
    """Return an exception to be sent, in words if it would not arrive."""
    try:
        content = pickle.dumps(error)
        pickle.loads(content)
    except Exception:
        return pickle.dumps(RuntimeError(f"{type(error).__name__}: {error}"))
    return content


def _receive(pipe: Connection, calls: SimpleQueue[bytes]) -> None:
    """Take in calls, and end this process and its children at once when the command has ended."""
    with suppress(EOFError, OSError):
        while True:
            calls.put(pipe.recv_bytes())
    *children, _ = _family(os.getpid())
    _kill(children)
    shutil.rmtree(os.environ["TMPDIR"], ignore_errors=True)
    os._exit(0)


def _family(pid: int) -> list[psutil.Process]:
    """Return a process and all below it, those that are left first."""
    with suppress(psutil.Error):
        first = psutil.Process(pid)
        return [*first.children(recursive=True), first]
    return []


def _kill(processes: Iterable[psutil.Process]) -> None:
    for process in processes:
        with suppress(psutil.Error):
            process.kill()
