"""The folder of a sweep: what it is a sweep of, and that one command at a time writes to it."""

from __future__ import annotations

import fcntl
import json
import shutil
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from qdgain.files import UNFINISHED, write_whole
from qdgain.model.parameters import ParameterError
from qdgain.text import as_json
from qdgain.version import library_hash, provenance

#: The file that says what a folder is a sweep of: the sweep's own run card.
SWEEP_FILE = "sweep.json"
SWEEP, SWEEP_FORMAT = "qdgain_sweep", 1
_LOCK = ".lock"
_PACKAGES = ("numpy", "scipy", "distributed", "pyarrow")


@contextmanager
def opened(
    folder: Path, definition: Mapping[str, Any], about: Mapping[str, Any], replace: bool = False
) -> Iterator[bool]:
    """Make the folder of a sweep, or go on with one, and keep others from writing to it.

    The definition is everything that the numbers depend on besides the library, and must be the
    same to go on; with ``replace`` the sweep starts over. Yields whether there are results already.

    Raises
    ------
    ParameterError
        If the folder holds something else, another sweep, or results of another library.
    """
    refuse(folder, definition, replace)
    try:
        folder.mkdir(parents=True, exist_ok=True)
        lock = (folder / _LOCK).open("w")
    except OSError as error:
        raise ParameterError(f"{folder} cannot be written: {error.strerror}.") from None
    with lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            raise ParameterError(f"another command is writing to {folder}: wait for it.") from None
        refuse(folder, definition, replace)
        if replace:
            # What says that the folder is ours goes last, so that --replace can be given again.
            paths = sorted(folder.iterdir(), key=lambda path: path.name == SWEEP_FILE)
            _remove(path for path in paths if path.name != _LOCK)
        # What a killed command has left half written.
        _remove(folder.glob(f".*{UNFINISHED}*"))
        _remove(folder.glob(f"*/.*{UNFINISHED}*"))
        is_old = (folder / SWEEP_FILE).exists()
        if not is_old:
            content = {SWEEP: SWEEP_FORMAT, "definition": definition, **about}
            write_whole(folder / SWEEP_FILE, as_json(content | provenance(_PACKAGES)))
        yield is_old


def refuse(folder: Path, definition: Mapping[str, Any], replace: bool = False) -> None:
    """Refuse a folder that this sweep may not be written to, and say what can be done."""
    is_new = not folder.exists() and not folder.is_symlink()
    if is_new or (folder.is_dir() and all(path.name == _LOCK for path in folder.iterdir())):
        return
    try:
        before = json.loads((folder / SWEEP_FILE).read_text(encoding="utf-8"))
        is_ours = before[SWEEP] == SWEEP_FORMAT
    except (OSError, ValueError, TypeError, KeyError):
        is_ours = False
    if not is_ours:
        raise ParameterError(f"{folder} is there already and holds no sweep: name another folder.")
    if replace:
        return
    way_out = "name another folder, or add --replace to start over"
    then, now = before["definition"], json.loads(as_json(definition))
    differing = [key for key in now if then.get(key) != now[key]]
    if differing:
        raise ParameterError(
            f"{folder} holds another sweep, with other {' and '.join(differing)}: {way_out}."
        )
    if before["library"]["hash"] != library_hash():
        raise ParameterError(
            f"{folder} was computed with another version of the library, "
            f"{before['library']['hash'][:12]} and not {library_hash()[:12]}: {way_out}."
        )


def _remove(paths: Iterator[Path]) -> None:
    for path in paths:
        if path.is_dir():
            shutil.rmtree(path)
        else:
            path.unlink()
