"""Rerun a chapter with other parameters: a kernel executes it, its results come back as data.

A `Task` holds everything that an execution needs, and an `Executed` everything that it gave, so
that both can travel to another machine.
"""

from __future__ import annotations

import json
import logging
import os
import subprocess
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from importlib import import_module
from pathlib import Path
from typing import Any

import nbformat
from jupyter_client.kernelspec import KernelSpecManager
from jupyter_client.manager import AsyncKernelManager
from jupyter_core.paths import jupyter_path
from nbclient import NotebookClient
from nbclient.exceptions import CellExecutionError, DeadKernelError
from nbformat import NotebookNode

from qdgain.book import keep
from qdgain.chapters import CELL_TIMEOUT_S, START_TIMEOUT_S, notebook_of
from qdgain.files import read_bytes, scratch
from qdgain.ledger import STORED_NUMBERS, kept_in_or_users
from qdgain.model.parameters import CONTRACT, ParameterError
from qdgain.version import library_hash

#: After this long the kernel is stopped, whatever it does.
LIMIT_S = 600
_INPUTS = "inputs"
_KEPT = "kept"
# At work in this process.
_KERNELS: set[AsyncKernelManager] = set()


class RunFailed(Exception):
    """A chapter that could not be executed, with the reason in one sentence."""


@dataclass(frozen=True)
class Task:
    """One chapter to execute."""

    chapter: str
    #: The chapter's notebook as JSON.
    notebook: str
    #: Name to checked value; for a file its name within ``files``.
    given: Mapping[str, Any]
    #: Parameter name to the file's name and content.
    files: Mapping[str, tuple[str, bytes]] = field(default_factory=dict)
    #: Whether figures are drawn, and kept with their data beside the numbers.
    pictures: bool = True
    #: After this long the kernel is stopped.
    limit_s: float = LIMIT_S


@dataclass(frozen=True)
class Executed:
    """What one execution of a chapter gave."""

    #: The executed notebook as JSON.
    notebook: str
    #: The chapter's numbers: key, meaning, value, unit. A value that is not finite is text.
    headlines: tuple[dict[str, Any], ...]
    #: Path within the run's folder to content: pictures, data and the user's files.
    kept: Mapping[str, bytes]
    #: In UTC, ISO 8601.
    started: str
    #: From the start of the kernel to its end.
    duration_s: float


def task(chapter: str, given: Mapping[str, Any], pictures: bool = True) -> Task:
    """Return the task of executing a chapter of this checkout with checked parameters.

    Raises
    ------
    ParameterError
        If the chapters are not beside the library, or a file has gone.
    """
    notebook = notebook_of(chapter)
    if notebook is None:
        raise ParameterError(
            f"the notebook of {chapter} is not there: rerun works in a checkout of the book."
        )
    values, files = dict(given), {}
    for name, value in given.items():
        if CONTRACT[name].kind == "file" and value:
            values[name] = f"{name}{Path(value).suffix}"
            files[name] = (values[name], read_bytes(name, Path(value)))
    text = notebook.read_text(encoding="utf-8")
    return Task(chapter, text, values, files, pictures)


def execute(todo: Task) -> Executed:
    """Execute a chapter in a folder of its own and return everything it gave.

    Raises
    ------
    RunFailed
        If a cell raises, if the kernel has another library, dies or takes too long.
    """
    with scratch() as folder:
        values = dict(todo.given)
        inputs = folder / _INPUTS
        inputs.mkdir()
        for parameter, (file_name, content) in todo.files.items():
            values[parameter] = str(inputs / file_name)
            (inputs / file_name).write_bytes(content)
        started, began = datetime.now(UTC), time.monotonic()
        notebook = _executed(folder, todo, values)
        duration = time.monotonic() - began
        kept = {
            path.relative_to(folder / _KEPT).as_posix(): path.read_bytes()
            for path in sorted((folder / _KEPT).rglob("*"))
            if path.is_file()
        }
    numbers = json.loads(kept.pop(keep.NUMBERS))
    if numbers["library_hash"] != library_hash():
        raise RunFailed("the kernel imports another version of qdgain than this command")
    kept |= {f"{_INPUTS}/{file_name}": content for file_name, content in todo.files.values()}
    when = started.isoformat(timespec="seconds")
    return Executed(notebook, tuple(numbers["headlines"]), kept, when, round(duration, 3))


def _executed(folder: Path, todo: Task, values: Mapping[str, Any]) -> str:
    """Execute a task's notebook with these parameters, its files in the folder, and return it."""
    # What goes wrong is said once, in a sentence, by whoever catches it.
    for noisy in ("nbclient", "traitlets", "asyncio"):
        logging.getLogger(noisy).setLevel(logging.CRITICAL)
    notebook = _with_parameters(nbformat.reads(todo.notebook, as_version=4), values)
    kernel = AsyncKernelManager(
        kernel_name="python3",
        # Sockets that no other user can listen to.
        transport="ipc",
        connection_file=str(folder / "kernel.json"),
        # Without the kernels of the user's IPython folder, which would have to be there.
        kernel_spec_manager=KernelSpecManager(kernel_dirs=jupyter_path("kernels")),
    )
    client = NotebookClient(
        notebook,
        km=kernel,
        timeout=CELL_TIMEOUT_S,
        startup_timeout=START_TIMEOUT_S,
        record_timing=False,
        # Takes a while, and there is nothing else to do.
        on_notebook_start=lambda notebook: threading.Thread(
            target=import_module, args=("qdgain.reruns.page",)
        ).start(),
    )
    environment = {
        keep.NUMBERS_FOLDER: str(folder / _KEPT),
        keep.PICTURES_FOLDER: str(folder / _KEPT),
        keep.PICTURES: "1" if todo.pictures else "0",
        # What the ledger computed for the paper's presets is the same for every run.
        STORED_NUMBERS: kept_in_or_users(),
        # Nothing of the user's own start-up, which could change numbers.
        "IPYTHONDIR": str(folder / "ipython"),
    }
    quiet = {"stderr": subprocess.DEVNULL, "env": os.environ | environment}
    with _time_limit(kernel, todo.limit_s) as expired:
        try:
            with client.setup_kernel(cwd=str(folder), cleanup_kc=True, **quiet):
                for index, cell in enumerate(notebook.cells):
                    client.execute_cell(cell, index)
        except CellExecutionError as error:
            raise RunFailed(f"{error.ename}: {error.evalue}") from None
        except (DeadKernelError, TimeoutError, RuntimeError) as error:
            if expired.is_set():
                raise RunFailed(f"it took longer than {todo.limit_s:g} s") from None
            raise RunFailed(f"{type(error).__name__}: {error}") from None
    return f"{nbformat.writes(notebook)}\n"


def _with_parameters(notebook: NotebookNode, values: Mapping[str, Any]) -> NotebookNode:
    """Set parameters in a cell behind the one that declares them, which is tagged so."""
    tags = [cell.metadata.get("tags", ()) for cell in notebook.cells]
    place = next((i + 1 for i, own in enumerate(tags) if "parameters" in own), 0)
    lines = ["# Parameters", *(f"{name} = {value!r}" for name, value in values.items())]
    cell = nbformat.v4.new_code_cell("\n".join(lines), metadata={"tags": ["injected-parameters"]})
    notebook.cells[place:place] = [cell] if values else []
    return notebook


def kill_kernels() -> None:
    """End at once the kernels of all runs in this process."""
    for kernel in tuple(_KERNELS):
        _kill(kernel)


def _kill(kernel: AsyncKernelManager) -> None:
    process = getattr(kernel.provisioner, "process", None)
    if process is not None:
        process.kill()
        process.wait(timeout=10)


@contextmanager
def _time_limit(kernel: AsyncKernelManager, limit_s: float) -> Iterator[threading.Event]:
    """Kill a run's kernel after a time, and say whether that was needed.

    Kernels were seen to hang with no cell at work, which no timeout of a cell ends. One that is
    left at the end, as after an interrupt, is killed too.
    """
    expired = threading.Event()

    def expire() -> None:
        expired.set()
        _kill(kernel)

    timer = threading.Timer(limit_s, expire)
    timer.daemon = True
    timer.start()
    _KERNELS.add(kernel)
    try:
        yield expired
    finally:
        timer.cancel()
        _kill(kernel)
        _KERNELS.remove(kernel)
