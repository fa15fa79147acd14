"""Calls spread over processes of this machine, through pipes that nobody else can open."""

from __future__ import annotations

import os
import pickle
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

#: What a worker takes, with a part of numbers in the making.
WORKER_BYTES = 400_000_000
#: With less address space, as of ``ulimit -v``, a worker may fail to load its libraries.
LEAST_ADDRESS_SPACE = 1_200_000_000
# A call whose worker died is tried once more.
_TRIES = 2
_MOST_DEATHS = 8
_CLOSE_S = 10.0
_LOOK_EVERY_S = 2.0
_LOG = "log"
# The sockets of kernels are here too, and their whole paths may have some hundred characters.
_LONG_PATH = 50
_SERVE = "from qdgain.sweep.local import serve; serve()"
_SETTINGS = {
    # One worker a core: their libraries need no threads of their own.
    **dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"), "1"),
    # Memory that is returned to the system at once has to be got again, which took half the time.
    "MALLOC_TRIM_THRESHOLD_": str(1 << 28),
    "ARROW_DEFAULT_MEMORY_POOL": "system",
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
        pool = _Pool(_affordable(workers), folder)
        try:
            yield pool
        finally:
            pool.close()


def _affordable(workers: int | None) -> int:
    """Return how many workers there is memory for."""
    import resource  # noqa: PLC0415 (only on Unix)

    limit, _ = resource.getrlimit(resource.RLIMIT_AS)
    if limit != resource.RLIM_INFINITY and limit < LEAST_ADDRESS_SPACE:
        raise SpreadError(
            f"a process may have {limit / 1e6:.0f} MB of address space here, and a worker needs "
            f"{LEAST_ADDRESS_SPACE / 1e6:.0f} MB: raise it with ulimit -v"
        )
    if workers is not None:
        return workers
    affinity = getattr(os, "sched_getaffinity", None)
    cores = len(affinity(0)) if affinity else os.cpu_count() or 1
    return max(1, min(cores, psutil.virtual_memory().available // WORKER_BYTES))


class _Worker:
    """A process, the pipe to it, and the jobs it was given, of which it makes the first."""

    def __init__(self, folder: Path) -> None:
        self.pipe, theirs = Pipe()
        self.jobs: deque[Job] = deque()
        path = os.pathsep.join(entry for entry in sys.path if entry)
        there = {"PYTHONPATH": path, "TMPDIR": str(folder), **_SETTINGS}
        if len(str(folder)) < _LONG_PATH:
            there["JUPYTER_RUNTIME_DIR"] = str(folder)
        with theirs, (folder / _LOG).open("ab") as log:
            self.process = subprocess.Popen(
                [sys.executable, "-P", "-c", _SERVE],
                stdin=theirs.fileno(),
                stdout=subprocess.DEVNULL,
                stderr=log,
                env=os.environ | there,
                # The terminal sends Ctrl-C to a whole group; only the command is to act on it.
                start_new_session=True,
            )

    def give(self, job: Job) -> None:
        """Send it a job; that it has died is seen when its answer is read."""
        self.jobs.append(job)
        with suppress(OSError):
            self.pipe.send((job.function, job.argument))

    def look(self, silences: Silences) -> None:
        """Say if neither the process nor a child of it has computed for a while."""
        pid = self.process.pid
        way_out = f"kill -CONT {pid} lets it go on if it was stopped, kill {pid} replaces it."
        if self.jobs:
            sign = self.jobs[0].key, round(_cpu_seconds(pid), 1)
            silences.look(f"worker {pid}", sign, way_out)

    def end(self) -> None:
        """Wait for it, which ends with its pipe, and kill it and its children if it does not."""
        try:
            self.process.wait(_CLOSE_S)
        except subprocess.TimeoutExpired:
            _kill_children(self.process.pid)
            self.process.kill()
            self.process.wait()


class _Pool:
    """Calls spread over processes; as many at a time as there are processes."""

    def __init__(self, size: int, folder: Path) -> None:
        self.size, self.folder = size, folder
        self.workers: list[_Worker] = []
        self.again: deque[Job] = deque()
        self.deaths: Counter[str] = Counter()
        self.has_ended_one = False

    def __call__(self, jobs: Iterable[Job]) -> Iterator[tuple[Job, Any]]:
        waiting, looked, silences = iter(jobs), time.monotonic(), Silences()
        while True:
            self._hand_out(waiting)
            busy = {worker.pipe: worker for worker in self.workers if worker.jobs}
            if not busy:
                return
            for pipe in wait(list(busy), _LOOK_EVERY_S):
                yield from self._outcome(busy[pipe])
            if time.monotonic() - looked > _LOOK_EVERY_S:
                looked = time.monotonic()
                for worker in self.workers:
                    worker.look(silences)

    def _hand_out(self, waiting: Iterator[Job]) -> None:
        """Give every worker a job, and a second one beside a short one; start what is needed."""
        for number in (0, 1):
            for place in range(self.size):
                there = self.workers[place].jobs if place < len(self.workers) else ()
                if len(there) > number or (number and not there[0].short):
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
                raise SpreadError(f"every worker dies ({self._last_words()})") from None
            if self.deaths[job.key] < _TRIES:
                self.again.append(job)
            else:
                yield job, RuntimeError("the worker died whenever it ran this")
        else:
            self.has_ended_one = True
            yield worker.jobs.popleft(), result

    def _last_words(self) -> str:
        lines = (self.folder / _LOG).read_text(encoding="utf-8", errors="replace").split("\n")
        return next((line for line in reversed(lines) if line.strip()), "without a word")

    def close(self) -> None:
        """End all workers, and whatever they have started."""
        for worker in self.workers:
            worker.pipe.close()
        for worker in self.workers:
            worker.end()


def serve() -> None:
    """Make the calls that come through standard input, until it ends. Only `local` calls this."""
    pipe, calls = Connection(os.dup(0)), SimpleQueue[bytes]()
    os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
    threading.Thread(target=_receive, args=(pipe, calls), daemon=True).start()
    while True:
        call = calls.get()
        try:
            function, argument = pickle.loads(call)
            result = function(argument)
        except Exception as error:
            result = error
        pipe.send_bytes(_pickled(result))


def _receive(pipe: Connection, calls: SimpleQueue[bytes]) -> None:
    """Take in calls, and end this process and its children at once when the command has ended."""
    with suppress(EOFError, OSError):
        while True:
            calls.put(pipe.recv_bytes())
    _kill_children(os.getpid())
    shutil.rmtree(os.environ["TMPDIR"], ignore_errors=True)
    os._exit(0)


def _pickled(result: Any) -> bytes:
    """Return a result to be sent; an exception that would not arrive whole, in words."""
    try:
        content = pickle.dumps(result)
        if isinstance(result, Exception):
            pickle.loads(content)
    except Exception:
        return pickle.dumps(RuntimeError(f"{type(result).__name__}: {result}"))
    return content


def _kill_children(pid: int) -> None:
    with suppress(psutil.Error):
        for child in psutil.Process(pid).children(recursive=True):
            with suppress(psutil.Error):
                child.kill()


def _cpu_seconds(pid: int) -> float:
    """Return the time for which a process and its children have computed."""
    total = 0.0
    with suppress(psutil.Error):
        first = psutil.Process(pid)
        for process in (first, *first.children(recursive=True)):
            with suppress(psutil.Error):
                total += sum(process.cpu_times()[:2])
    return total
