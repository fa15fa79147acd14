"""Files that a user names, or may have damaged: opened with care, and read up to a limit."""

from __future__ import annotations

import hashlib
import os
import stat
from pathlib import Path

from qdgain.model.parameters import ParameterError

_MEGABYTE = 1_000_000
#: Of a file that has no tighter limit.
_LARGEST_BYTES = 200 * _MEGABYTE


def path_of(text: str | Path) -> Path:
    """Return the path that a user typed, ``~`` replaced; refuse what is none."""
    if "\0" in str(text):
        raise ParameterError(f"{str(text)!r} is not a path: it has a zero byte.")
    try:
        return Path(text).expanduser()
    except RuntimeError:
        raise ParameterError(f"{text} is not a path here: there is no such folder.") from None


def read_bytes(what: str, path: Path, largest: int = _LARGEST_BYTES) -> bytes:
    """Return the content of a file, such as a ``parameter file``.

    Raises
    ------
    ParameterError
        If it cannot be opened, is no plain file (a folder, a pipe, a device), or has more than
        `largest` bytes.
    """
    try:
        with open(path, "rb", opener=_at_once) as stream:
            plain = stat.S_ISREG(os.fstat(stream.fileno()).st_mode)
            content = stream.read(largest + 1) if plain else b""
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or error
        raise unusable(what, path, f"it cannot be opened ({reason})") from None
    if not plain:
        raise unusable(what, path, "it cannot be opened (not a file)")
    if len(content) > largest:
        raise unusable(what, path, f"it is larger than {largest / _MEGABYTE:g} MB")
    return content


def _at_once(path: str, flags: int) -> int:
    """Open without waiting for whoever writes to a pipe."""
    return os.open(path, flags | getattr(os, "O_NONBLOCK", 0))


def read_text(what: str, path: Path, largest: int = _LARGEST_BYTES) -> str:
    """Return the text of a file in UTF-8; see `read_bytes`."""
    try:
        return read_bytes(what, path, largest).decode("utf-8-sig")
    except UnicodeDecodeError:
        raise unusable(what, path, "it is not text in UTF-8") from None


def sha256_of(path: str | Path) -> str:
    """Return the SHA-256 of a file's content."""
    return hashlib.sha256(read_bytes("file", Path(path))).hexdigest()


def unusable(what: str, path: Path, reason: str) -> ParameterError:
    """Return the refusal of a user's file."""
    return ParameterError(f"the {what} {path.name} is not usable: {reason}.")
