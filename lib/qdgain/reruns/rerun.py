"""Rerun a chapter with other parameters: papermill executes it, its results come back as data.

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
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from importlib import import_module
from pathlib import Path
from typing import Any

import papermill
import psutil
from jupyter_client.kernelspec import KernelSpecManager
from jupyter_client.manager import AsyncKernelManager
from jupyter_core.paths import jupyter_path
from nbclient.exceptions import DeadKernelError
from papermill.exceptions import PapermillExecutionError

from qdgain.book import keep
from qdgain.chapters import CELL_TIMEOUT_S, START_TIMEOUT_S, notebook_of
from qdgain.files import read_bytes, scratch
from qdgain.ledger import STORED_NUMBERS, kept_in_or_users
from qdgain.model.parameters import CONTRACT, ParameterError
from qdgain.text import as_json
from qdgain.version import library_hash

#: After this long the kernel is stopped, whatever it does.
LIMIT_S = 600
_INPUTS = "inputs"
_KEPT = "kept"
_NOTEBOOK, _EXECUTED = "notebook.ipynb", "executed.ipynb"
_CONNECTION = "qdgain-kernel.json"


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
    #: Of the library that checked the parameters; no other executes the task.
    library_hash: str = field(default_factory=library_hash)
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
        If this library is not the one the task was made with, if a cell raises, or if the kernel
        dies or takes too long.
    """
    if todo.library_hash != library_hash():
        raise RunFailed(
            f"the library here is {library_hash()[:12]}, the run was asked for with "
            f"{todo.library_hash[:12]}: install the same version on both sides"
        )
    with scratch() as folder:
        values = dict(todo.given)
        for parameter, (file_name, content) in todo.files.items():
            values[parameter] = str(folder / _INPUTS / file_name)
            _write(folder / _INPUTS / file_name, content)
        _write(folder / _NOTEBOOK, todo.notebook.encode())
        started, began = datetime.now(UTC), time.monotonic()
        notebook = _papermill(folder, todo, values)
        duration = time.monotonic() - began
        kept = {
            path.relative_to(folder / _KEPT).as_posix(): path.read_bytes()
            for path in sorted((folder / _KEPT).rglob("*"))
            if path.is_file()
        }
    numbers = json.loads(kept.pop(keep.NUMBERS))
    if numbers["library_hash"] != todo.library_hash:
        raise RunFailed("the kernel imports another version of qdgain than this command")
    kept |= {f"{_INPUTS}/{file_name}": content for file_name, content in todo.files.values()}
    when = started.isoformat(timespec="seconds")
    return Executed(notebook, tuple(numbers["headlines"]), kept, when, round(duration, 3))


def _write(path: Path, content: bytes) -> None:
    path.parent.mkdir(exist_ok=True)
    path.write_bytes(content)


def _papermill(folder: Path, todo: Task, values: Mapping[str, Any]) -> str:
    """Execute the notebook in the folder and return it."""
    # What goes wrong is said once, in a sentence, by whoever catches it.
    for noisy in ("papermill", "nbclient", "traitlets", "asyncio"):
        logging.getLogger(noisy).setLevel(logging.CRITICAL)
    with _time_limit(folder, todo.limit_s) as expired:
        try:
            papermill.execute_notebook(
                folder / _NOTEBOOK,
                folder / _EXECUTED,
                parameters=dict(values),
                kernel_name="python3",
                progress_bar=False,
                # Once, at the end: written before and after every cell it takes a second.
                request_save_on_cell_execute=False,
                autosave_cell_every=0,
                start_timeout=START_TIMEOUT_S,
                execution_timeout=CELL_TIMEOUT_S,
                kernel_manager_class=_kernel_manager(folder, todo.pictures),
            )
        except PapermillExecutionError as error:
            raise RunFailed(f"{error.ename}: {error.evalue}") from None
        except (DeadKernelError, TimeoutError, RuntimeError) as error:
            if expired.is_set():
                raise RunFailed(f"it took longer than {todo.limit_s:g} s") from None
            raise RunFailed(f"{type(error).__name__}: {error}") from None
    notebook = json.loads((folder / _EXECUTED).read_text(encoding="utf-8"))
    # Without the times and paths that papermill notes in it.
    for part in (notebook, *notebook["cells"]):
        for noted in ("papermill", "execution"):
            part["metadata"].pop(noted, None)
    return as_json(notebook)


def _kernel_manager(folder: Path, pictures: bool) -> type[AsyncKernelManager]:
    """Return a manager whose kernel has all its files in the run's folder."""
    environment = {
        keep.NUMBERS_FOLDER: str(folder / _KEPT),
        keep.PICTURES_FOLDER: str(folder / _KEPT),
        keep.PICTURES: "1" if pictures else "0",
        # What the ledger computed for the paper's presets is the same for every run.
        STORED_NUMBERS: kept_in_or_users(),
        # Nothing of the user's own start-up, which could change numbers.
        "IPYTHONDIR": str(folder / "ipython"),
    }

    class Quiet(AsyncKernelManager):
        """A kernel on sockets that no other user can listen to, whose own log nobody reads."""

        transport = "ipc"

        def __init__(self, **settings: Any) -> None:
            # Without the kernels of the user's IPython folder, which would have to be there.
            known = KernelSpecManager(kernel_dirs=jupyter_path("kernels"))
            super().__init__(kernel_spec_manager=known, **settings)
            self.connection_file = str(folder / _CONNECTION)

        # The base class's is a coroutine too, though it is not declared as one.
        async def start_kernel(self, **settings: Any) -> None:  # type: ignore[override]
            settings |= {"stderr": subprocess.DEVNULL, "env": os.environ | environment}
            # Papermill would change the folder of the whole process, other runs' too.
            await super().start_kernel(**settings | {"cwd": str(folder)})
            # Takes as long as the kernel's own imports, and there is nothing else to do.
            threading.Thread(target=import_module, args=("qdgain.reruns.page",)).start()

    return Quiet


def kill_kernels(folder: Path | str = "") -> None:
    """End at once the kernels of a run's folder, or of all runs in this process.

    They are known by their connection file, so that none is missed that has just been started.
    """
    found = []
    for process in psutil.Process().children(recursive=True):
        with suppress(psutil.Error):
            if any(
                word.startswith(str(folder)) and word.endswith(_CONNECTION)
                for word in process.cmdline()
            ):
                process.kill()
                found.append(process)
    psutil.wait_procs(found, timeout=10)


@contextmanager
def _time_limit(folder: Path, limit_s: float) -> Iterator[threading.Event]:
    """Kill a run's kernel after a time, and say whether that was needed.

    Kernels were seen to hang with no cell at work, which no timeout of a cell ends. One that is
    left at the end, as after an interrupt, is killed too.
    """
    expired = threading.Event()

    def expire() -> None:
        expired.set()
        kill_kernels(folder)

    timer = threading.Timer(limit_s, expire)
    timer.daemon = True
    timer.start()
    try:
        yield expired
    finally:
        timer.cancel()
        kill_kernels(folder)
