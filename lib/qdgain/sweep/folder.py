"""The folder of a sweep: what it is a sweep of, which results are sound, one command at a time."""

from __future__ import annotations

import fcntl
import hashlib
import json
import os
import re
import shutil
from collections.abc import Iterable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

from qdgain.files import UNFINISHED, opened_plain, read_plain, sha256_of_plain, write_whole
from qdgain.model.parameters import ParameterError
from qdgain.sweep import table
from qdgain.text import as_json
from qdgain.version import library_hash, provenance

#: The file that says what a folder is a sweep of: the sweep's own run card.
SWEEP_FILE = "sweep.json"
SWEEP, SWEEP_FORMAT = "qdgain_sweep", 1
#: The SHA-256 of every result that is on the disk, as ``sha256sum -c`` reads it.
SUMS = "SHA256SUMS"
RUNS, FAILURES = "runs", "failures"
_LOCK = ".lock"
_WRITTEN = (RUNS, FAILURES, table.CSV_FILE, table.PARQUET, table.COLUMNS_FILE, SUMS, SWEEP_FILE)
_SUM = re.compile(r"([0-9a-f]{64})  (.+)")
_MOST_BYTES = 100_000_000
_PACKAGES = ("numpy", "scipy", "pyarrow")
_WAY_OUT = "name another folder, or add --replace to start over"


@contextmanager
def opened(
    folder: Path, definition: Mapping[str, Any], about: Mapping[str, Any], replace: bool = False
) -> Iterator[None]:
    """Make the folder of a sweep, or go on with one, and keep others from writing to it.

    The definition is everything that the numbers depend on besides the library, and must be the
    same to go on; with ``replace`` the sweep starts over.

    Raises
    ------
    ParameterError
        If the folder holds something else, another sweep, or results of another library.
    """
    refuse(folder, definition, replace)
    with _locked(folder):
        refuse(folder, definition, replace)
        _prepare(folder, definition, about, replace)
        yield
        _write_sums(folder, sums(folder))


@contextmanager
def _locked(folder: Path) -> Iterator[None]:
    with ExitStack() as stack:
        try:
            folder.mkdir(parents=True, exist_ok=True)
            plain = opened_plain(folder / _LOCK, os.O_RDWR | os.O_CREAT)
            lock = stack.enter_context(plain)
        except OSError as error:
            raise ParameterError(f"{folder} cannot be written: {error.strerror}.") from None
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            raise ParameterError(f"another command is writing to {folder}: wait for it.") from None
        yield


def _prepare(
    folder: Path, definition: Mapping[str, Any], about: Mapping[str, Any], replace: bool
) -> None:
    """Remove what is not wanted, and write what the folder is a sweep of."""
    if replace:
        # What says that the folder is ours goes last, so that --replace can be given again.
        _remove(folder / name for name in _WRITTEN)
    # What a killed command has left half written.
    for place in (folder, *(folder / name for name in (RUNS, FAILURES, table.PARQUET))):
        _remove(place.glob(f".*{UNFINISHED}*"))
    known = sums(folder)
    if is_sound(folder, SWEEP_FILE, known):
        _write_sums(folder, known)
        return
    content = {SWEEP: SWEEP_FORMAT, "definition": definition, **about}
    text = as_json(content | provenance(_PACKAGES))
    write_whole(folder / SWEEP_FILE, text)
    # Without its own sum nothing that stands in an old list is trusted.
    _write_sums(folder, {SWEEP_FILE: hashlib.sha256(text.encode()).hexdigest()})


def refuse(folder: Path, definition: Mapping[str, Any], replace: bool = False) -> None:
    """Refuse a folder that this sweep may not be written to, and say what can be done."""
    names = [path.name for path in folder.iterdir()] if folder.is_dir() else []
    is_new = not folder.exists() and not folder.is_symlink()
    if is_new or (folder.is_dir() and all(n == _LOCK or UNFINISHED in n for n in names)):
        return
    before, known = _record(folder), sums(folder)
    if SWEEP not in before and SWEEP_FILE not in known:
        raise ParameterError(f"{folder} is there already and holds no sweep: name another folder.")
    for name in _WRITTEN:
        if (folder / name).is_symlink():
            raise ParameterError(f"{name} in {folder} is a link: move it away.")
    if replace:
        return
    altered = SWEEP_FILE in known and not is_sound(folder, SWEEP_FILE, known)
    if before.get(SWEEP) != SWEEP_FORMAT or altered:
        raise ParameterError(f"{SWEEP_FILE} in {folder} was altered or damaged: {_WAY_OUT}.")
    then, now = before["definition"], json.loads(as_json(definition))
    other = " and ".join(key for key in now if then.get(key) != now[key])
    if other:
        raise ParameterError(f"{folder} holds another sweep, with other {other}: {_WAY_OUT}.")
    old, new = before["library"]["hash"], library_hash()
    if old != new:
        raise ParameterError(
            f"{folder} was computed with another version of the library, {old[:12]} and not "
            f"{new[:12]}: {_WAY_OUT}."
        )


def _record(folder: Path) -> dict[str, Any]:
    """Return what a folder is a sweep of, nothing if it does not say."""
    try:
        before = json.loads(read_plain(folder / SWEEP_FILE, _MOST_BYTES))
        is_whole = isinstance(before["definition"], dict) and before["library"]["hash"]
        return before if before[SWEEP] and is_whole else {}
    except (OSError, ValueError, TypeError, KeyError, RecursionError):
        return {}


def sums(folder: Path) -> dict[str, str]:
    """Return the SHA-256 of each result by its path in the folder, as it was written."""
    try:
        text = read_plain(folder / SUMS, _MOST_BYTES).decode(errors="replace")
    except OSError:
        return {}
    found = (_SUM.fullmatch(line) for line in text.splitlines())
    return {match[2]: match[1] for match in found if match}


def is_sound(folder: Path, path: str, known: Mapping[str, str]) -> bool:
    """Return whether a result is what was written there."""
    return path in known and sha256_of_plain(folder / path) == known[path]


def add_sum(folder: Path, path: str, sha256: str) -> None:
    """Note the SHA-256 of a result that is on the disk."""
    with opened_plain(folder / SUMS, os.O_RDWR | os.O_APPEND | os.O_CREAT) as stream:
        stream.write(f"{sha256}  {path}\n".encode())


def _write_sums(folder: Path, known: Mapping[str, str]) -> None:
    lines = (f"{sha}  {path}\n" for path, sha in known.items() if (folder / path).is_file())
    write_whole(folder / SUMS, "".join(lines))


def _remove(paths: Iterable[Path]) -> None:
    for path in paths:
        if path.is_dir() and not path.is_symlink():
            shutil.rmtree(path)
        else:
            path.unlink(missing_ok=True)
