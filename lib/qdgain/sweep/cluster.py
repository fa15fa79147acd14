"""Calls spread over the workers of a Dask cluster that runs somewhere."""

from __future__ import annotations

import logging
import math
import time
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager, suppress
from functools import partial
from pathlib import Path
from typing import Any

from distributed import Client, Future, get_worker
from distributed.scheduler import KilledWorker
from distributed.security import Security

from qdgain.sweep.spread import Job, Silences, Spread, SpreadError
from qdgain.version import library_hash

_POLL_S = 0.02
_ASK_EVERY_S = 1.0
_NO_WORKERS_S = 120.0
# What is asked of a scheduler that has stopped gets no answer, also not at the end.
_ANSWER_S = 2.0
_LOST = "the connection to the scheduler is lost"
_WAY_OUT = "see whether it runs; Ctrl-C ends the sweep, and the same command goes on later."


@contextmanager
def existing(address: str, timeout_s: float, keys: Mapping[str, Path | None]) -> Iterator[Spread]:
    """Use the workers of a scheduler that runs somewhere, such as at ``tls://10.0.0.1:8786``.

    The time limit is on waiting for it, and for its first worker. The keys are files,
    ``ca_file``, ``client_cert`` and ``client_key``; those not given are as Dask is configured.

    Raises
    ------
    SpreadError
        If it cannot be reached, has no workers, or a worker has another library or none.
    """
    # Dask's own messages are kept from the screen: what matters is said in a sentence.
    logging.disable()
    try:
        client = _connected(address, timeout_s, keys)
        try:
            _await_workers(client, address, timeout_s)
            yield _Dask(client, address)
        finally:
            with suppress(TimeoutError):
                client.close(timeout=_ANSWER_S)
    finally:
        logging.disable(logging.NOTSET)


def _connected(address: str, timeout_s: float, keys: Mapping[str, Path | None]) -> Client:
    try:
        files = {f"tls_{name}": str(path) for name, path in keys.items() if path}
        return Client(address, timeout=timeout_s, security=Security(**files))
    except (OSError, ValueError, TypeError, TimeoutError) as error:
        reason = " ".join(str(error).split()) or type(error).__name__
        raise SpreadError(f"no scheduler answers at {address}: {reason}") from None


def _await_workers(client: Client, address: str, timeout_s: float) -> None:
    """Wait for the first worker, and refuse workers with another library than here, or none."""
    began = time.monotonic()
    try:
        while not _workers_of(client, timeout_s):
            if time.monotonic() - began > timeout_s:
                raise SpreadError(f"the scheduler at {address} has no workers: start some")
            time.sleep(0.1)
        ask = partial(client.run, library_hash, on_error="return", asynchronous=True)
        hashes = client.sync(ask, callback_timeout=timeout_s)
    except OSError:
        silent = f"the scheduler at {address} or a worker of it does not answer"
        raise SpreadError(f"{silent}: see whether they run") from None
    for worker, found in hashes.items():
        _refuse_other(worker, found if isinstance(found, str) else "", library_hash())


class _Dask:
    """Calls spread over the workers of a client; as many at a time as there are workers."""

    def __init__(self, client: Client, address: str) -> None:
        self.client, self.address = client, address

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
                cancel = partial(self.client.cancel, list(flying), asynchronous=True, force=True)
                self.client.sync(cancel, callback_timeout=_ANSWER_S)

    def _workers(self) -> Iterator[int]:
        """Yield the number of workers for ever, and refuse to wait for ever for the first."""
        asked, there, workers, silences = -math.inf, time.monotonic(), 0, Silences()
        while True:
            now = time.monotonic()
            if now - asked > _ASK_EVERY_S:
                if self.client.status != "running":
                    raise SpreadError(_LOST)
                seen = self._asked(silences)
                asked, workers = time.monotonic(), workers if seen is None else len(seen)
                there = now if workers else there
                if now - there > _NO_WORKERS_S:
                    raise SpreadError(f"the cluster has had no workers for {_NO_WORKERS_S:.0f} s")
            yield workers

    def _asked(self, silences: Silences) -> Mapping[str, Any] | None:
        """Return the workers, None if the scheduler does not answer; say what has stalled."""
        try:
            seen = _workers_of(self.client, _ANSWER_S)
        except OSError:  # too late, or the connection is just being lost
            seen = None
        sign = None if seen is None else time.monotonic()
        silences.look(f"the scheduler at {self.address}", sign, _WAY_OUT)
        for name, worker in (seen or {}).items():
            silences.look(f"the worker {name}", worker["last_seen"], _WAY_OUT)
        return seen

    def _outcome(self, future: Future[Any]) -> Any:
        if future.status == "cancelled":
            raise SpreadError(_LOST)
        error = future.exception() if future.status == "error" else None
        if isinstance(error, KilledWorker):
            return RuntimeError("the worker died whenever it ran this")
        if isinstance(error, SpreadError):
            raise error
        if isinstance(error, ImportError):
            # As of one that joined late.
            why = f"a worker lacks what is needed here ({error})"
            raise SpreadError(f"{why}: install the same version on both sides")
        if error is not None:
            return error
        try:
            return future.result()
        except Exception as failure:
            if self.client.status != "running" or future.status != "error":
                raise SpreadError(_LOST) from None
            return failure


def _workers_of(client: Client, timeout_s: float) -> Mapping[str, Any]:
    """Return all workers by address; a TimeoutError if the scheduler does not answer."""
    scheduler: Any = client.scheduler
    found = client.sync(scheduler.identity, n_workers=-1, callback_timeout=timeout_s)
    workers: Mapping[str, Any] = found["workers"]
    return workers


def _call(wanted: str, job: Job) -> Any:
    """Make a call, at a worker, which may have joined after the others were asked."""
    _refuse_other(get_worker().address, library_hash(), wanted)
    return job.function(job.argument)


def _refuse_other(worker: str, found: str, wanted: str) -> None:
    if found != wanted:
        has = f"has the library {found[:12]}" if found else "has no qdgain"
        raise SpreadError(
            f"the worker {worker} {has}, here it is {wanted[:12]}: "
            "install the same version on both sides"
        )
