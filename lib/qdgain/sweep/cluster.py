"""Calls spread over the workers of Dask, on this machine or on an existing cluster."""

from __future__ import annotations

import logging
import math
import signal
import sys
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager, suppress
from functools import partial
from typing import Any, NamedTuple, Protocol

import dask
import psutil
from dask.system import CPU_COUNT
from distributed import Client, Future, LocalCluster, get_worker
from distributed.scheduler import KilledWorker

from qdgain.version import library_hash

#: How long to wait for a scheduler, and for its first worker.
CONNECT_S = 10.0
_POLL_S = 0.02
_ASK_EVERY_S = 1.0
_NO_WORKERS_S = 120.0
_CLOSE_S = 10.0
_SETTINGS: dict[str, Any] = {
    # A worker that died comes back, however slow the machine is.
    "distributed.deploy.lost-worker-timeout": "1 day",
    # By default workers return memory to the system at once; getting it again took half their time.
    "distributed.nanny.pre-spawn-environ.MALLOC_TRIM_THRESHOLD_": 1 << 28,
}
# Workers start sooner if forked from a server that has Dask loaded; on macOS libraries fail then.
if sys.platform == "linux":
    _SETTINGS["distributed.worker.multiprocessing-method"] = "forkserver"


class ClusterError(Exception):
    """A cluster that cannot be used, with the reason in one sentence."""


class Job(NamedTuple):
    """One call to be made somewhere: its name, the function and its argument.

    With a short call its worker gets the next one too, so that it never waits.
    """

    key: str
    function: Callable[[Any], Any]
    argument: Any
    short: bool = False


class Spread(Protocol):
    """Make calls somewhere and yield each with its result, or the exception it raised."""

    def __call__(self, jobs: Iterable[Job]) -> Iterator[tuple[Job, Any]]:
        """Yield jobs as they are done, in any order."""


@contextmanager
def local(workers: int | None = None) -> Iterator[Spread]:
    """Start processes on this machine, by default one a core, and stop them and their children."""
    with _quiet(), dask.config.set(_SETTINGS):
        cluster = LocalCluster(
            n_workers=workers or CPU_COUNT,
            threads_per_worker=1,
            processes=True,
            host="127.0.0.1",
            dashboard_address="127.0.0.1:0",
            memory_limit=None,
            silence_logs=logging.CRITICAL,
        )
        try:
            with Client(cluster) as client:
                verify(client)
                # The terminal sends Ctrl-C to every process; only this one is to act on it.
                client.run(_ignore_interrupts)
                yield _Dask(client)
        finally:
            # A worker waits for its run to end, and a run for its kernel.
            for nanny in cluster.workers.values():
                if nanny.pid is not None:
                    _kill_children(nanny.pid)
            with suppress(TimeoutError):
                cluster.close(timeout=_CLOSE_S)


@contextmanager
def existing(address: str, timeout_s: float = CONNECT_S) -> Iterator[Spread]:
    """Use the workers of a scheduler that runs somewhere, such as at ``tcp://10.0.0.1:8786``.

    The time limit is on waiting for it, and for its first worker.

    Raises
    ------
    ClusterError
        If it cannot be reached, has no workers, or a worker has another library or none.
    """
    with _quiet():
        try:
            client = Client(address, timeout=timeout_s)
        except (OSError, ValueError, TimeoutError) as error:
            reason = " ".join(str(error).split()) or type(error).__name__
            raise ClusterError(f"no scheduler answers at {address}: {reason}") from None
        with client:
            began = time.monotonic()
            while not _addresses(client):
                if time.monotonic() - began > timeout_s:
                    raise ClusterError(f"the scheduler at {address} has no workers: start some")
                time.sleep(0.1)
            verify(client)
            yield _Dask(client)


def verify(client: Client) -> None:
    """Refuse workers whose library is not the one here, or that have none."""
    for worker, found in client.run(library_hash, on_error="return").items():
        _refuse_other(worker, found if isinstance(found, str) else "", library_hash())


class _Dask:
    """Calls spread over the workers of a client; as many at a time as there are workers."""

    def __init__(self, client: Client) -> None:
        self.client = client

    def __call__(self, jobs: Iterable[Job]) -> Iterator[tuple[Job, Any]]:
        waiting, each = iter(jobs), 1
        flying: dict[Future[Any], Job] = {}
        try:
            for workers in self._workers():
                # No more calls at a worker: ten thousand arguments would fill the memory, and a
                # call that kills its worker would take others along.
                while len(flying) < each * workers and (job := next(waiting, None)):
                    each = 2 if job.short else 1
                    call = partial(_call, library_hash(), job)
                    flying[self.client.submit(call, pure=False)] = job
                if workers and not flying:
                    return
                ended = [future for future in flying if future.status not in ("pending", "lost")]
                if not ended:
                    time.sleep(_POLL_S)
                for future in ended:
                    yield flying.pop(future), self._outcome(future)
                    future.release()
        finally:
            with suppress(Exception):
                self.client.cancel(list(flying), force=True)

    def _workers(self) -> Iterator[int]:
        """Yield the number of workers for ever, and refuse to wait for ever for the first."""
        asked, there, workers = -math.inf, time.monotonic(), 0
        while True:
            now = time.monotonic()
            if now - asked > _ASK_EVERY_S:
                if self.client.status != "running":
                    raise self._lost()
                asked, workers = now, len(_addresses(self.client))
                there = now if workers else there
                if now - there > _NO_WORKERS_S:
                    raise ClusterError(f"the cluster has had no workers for {_NO_WORKERS_S:.0f} s")
            yield workers

    def _outcome(self, future: Future[Any]) -> Any:
        if future.status == "cancelled":
            raise self._lost()
        error = future.exception() if future.status == "error" else None
        if isinstance(error, KilledWorker):
            return RuntimeError("the worker died whenever it ran this")
        if isinstance(error, ClusterError):
            raise error
        if isinstance(error, ImportError):
            # As of one that joined late.
            why = f"a worker lacks what is needed here ({error})"
            raise ClusterError(f"{why}: install the same version on both sides")
        if error is not None:
            return error
        try:
            return future.result()
        except Exception as failure:
            if self.client.status != "running" or future.status != "error":
                raise self._lost() from None
            return failure

    def _lost(self) -> ClusterError:
        return ClusterError("the connection to the scheduler is lost")


def _addresses(client: Client) -> tuple[str, ...]:
    # All of them: by default it answers with a few.
    return tuple(client.scheduler_info(n_workers=-1)["workers"])


def _call(wanted: str, job: Job) -> Any:
    """Make a call, at a worker, which may have joined after the others were asked."""
    _refuse_other(get_worker().address, library_hash(), wanted)
    return job.function(job.argument)


def _refuse_other(worker: str, found: str, wanted: str) -> None:
    if found != wanted:
        has = f"has the library {found[:12]}" if found else "has no qdgain"
        raise ClusterError(
            f"the worker {worker} {has}, here it is {wanted[:12]}: "
            "install the same version on both sides"
        )


def _ignore_interrupts() -> None:
    signal.signal(signal.SIGINT, signal.SIG_IGN)


def _kill_children(pid: int) -> None:
    with suppress(psutil.NoSuchProcess):
        for child in psutil.Process(pid).children(recursive=True):
            with suppress(psutil.NoSuchProcess):
                child.kill()


@contextmanager
def _quiet() -> Iterator[None]:
    """Keep the messages of Dask from the screen: what matters is said in a sentence."""
    logging.disable()
    try:
        yield
    finally:
        logging.disable(logging.NOTSET)
