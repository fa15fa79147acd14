"""Functions applied to many arguments by Dask, here or on an existing cluster.

What travels is pickled by hand, so that a worker with another version of the library, or with
none, says so instead of failing at the task.
"""

from __future__ import annotations

import itertools
import logging
import math
import pickle
import signal
import sys
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager, suppress
from typing import Any, NamedTuple, Protocol

import dask
import psutil
from dask.system import CPU_COUNT
from distributed import Client, Future, LocalCluster
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
    # Dask lets workers give back memory at once; getting it again took half of their time.
    "distributed.nanny.pre-spawn-environ.MALLOC_TRIM_THRESHOLD_": 1 << 28,
}
# Forked from a server that has Dask loaded, workers start sooner. Libraries of macOS do not survive
# a fork.
if sys.platform == "linux":
    _SETTINGS["distributed.worker.multiprocessing-method"] = "forkserver"


class ClusterError(Exception):
    """A cluster that cannot be used, with the reason in one sentence."""


class Job(NamedTuple):
    """One call to be made somewhere: what it is called, the function and its argument.

    Beside a short call the next one waits, so that its worker never does.
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
    """Start processes on this machine, one thread each, and stop them and what they started.

    Parameters
    ----------
    workers : int, optional
        How many; as many as there are cores if left out.
    """
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
                client.run(_leave_interrupts_to_us())
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
    """Use the workers of a scheduler that runs somewhere.

    Parameters
    ----------
    address : str
        Such as ``tcp://10.0.0.1:8786``.
    timeout_s : float
        How long to wait for it, and for its first worker.

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
    """Refuse workers whose library is not the one here.

    Raises
    ------
    ClusterError
        It names the worker and both libraries.
    """
    for worker, found in client.run(_worker_library()).items():
        _refuse_other(worker, found)


class _Dask:
    """Calls spread over the workers of a client; as many at a time as there are workers."""

    def __init__(self, client: Client) -> None:
        self.client = client

    def __call__(self, jobs: Iterable[Job]) -> Iterator[tuple[Job, Any]]:
        waiting, call = iter(jobs), _call()
        first = next(waiting, None)
        if first is None:
            return
        waiting, each = itertools.chain([first], waiting), 1 + first.short
        flying: dict[Future[Any], Job] = {}
        try:
            for workers in self._workers():
                # No more calls at a worker: ten thousand arguments would fill the memory, and a
                # call that kills its worker would take others along.
                for job in itertools.islice(waiting, max(each * workers - len(flying), 0)):
                    payload = pickle.dumps((job.function, job.argument))
                    future = self.client.submit(call, library_hash(), payload, pure=False)
                    flying[future] = job
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
        if error is not None:
            return error
        try:
            answer: Mapping[str, Any] = future.result()
        except Exception as failure:
            if self.client.status != "running" or future.status != "error":
                raise self._lost() from None
            return failure
        _refuse_other(answer["worker"], answer["library"])
        return answer["result"] if answer["error"] is None else answer["error"]

    def _lost(self) -> ClusterError:
        return ClusterError("the connection to the scheduler is lost")


def _addresses(client: Client) -> tuple[str, ...]:
    # All of them: by default it answers with a few.
    return tuple(client.scheduler_info(n_workers=-1)["workers"])


def _refuse_other(worker: str, found: str) -> None:
    if found != library_hash():
        has = f"has the library {found[:12]}" if found else "has no qdgain"
        raise ClusterError(
            f"the worker {worker} {has}, here it is {library_hash()[:12]}: "
            "install the same version on both sides"
        )


def _worker_library() -> Callable[[], str]:
    # Nested functions travel as code, so that a worker without qdgain can still answer.
    def library() -> str:
        try:
            from qdgain.version import library_hash as here  # noqa: PLC0415
        except ImportError:
            return ""
        return here()

    return library


def _leave_interrupts_to_us() -> Callable[[], None]:
    def ignore() -> None:
        # The terminal sends Ctrl-C to every process.
        signal.signal(signal.SIGINT, signal.SIG_IGN)

    return ignore


def _call() -> Callable[[str, bytes], dict[str, Any]]:
    def call(wanted: str, payload: bytes) -> dict[str, Any]:
        import pickle  # noqa: PLC0415

        from distributed import get_worker  # noqa: PLC0415

        answer: dict[str, Any] = {"worker": get_worker().address, "result": None, "error": None}
        try:
            from qdgain.version import library_hash as here  # noqa: PLC0415
        except ImportError:
            return answer | {"library": ""}
        answer["library"] = here()
        if answer["library"] != wanted:
            return answer
        try:
            function, argument = pickle.loads(payload)
            return answer | {"result": function(argument)}
        except Exception as error:
            return answer | {"error": error}

    return call


def _kill_children(pid: int) -> None:
    with suppress(psutil.NoSuchProcess):
        for child in psutil.Process(pid).children(recursive=True):
            with suppress(psutil.NoSuchProcess):
                child.kill()


@contextmanager
def _quiet() -> Iterator[None]:
    """Keep Dask's own messages from the screen: what matters is said in a sentence."""
    loggers = [logging.getLogger(name) for name in ("distributed", "tornado", "asyncio")]
    levels = [logger.level for logger in loggers]
    for logger in loggers:
        logger.setLevel(logging.CRITICAL + 1)
    try:
        yield
    finally:
        for logger, level in zip(loggers, levels, strict=True):
            logger.setLevel(level)
