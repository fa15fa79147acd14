"""Files that a user names: looked at before anything waits for them, and read up to a limit."""

from __future__ import annotations

import hashlib
from pathlib import Path

from qdgain.files import read_plain
from qdgain.model.parameters import ParameterError

#: Of a file that has no tighter limit.
_MOST_BYTES = 200_000_000


def path_of(text: str | Path) -> Path:
    """Return the path that a user typed, ``~`` replaced; refuse what is none."""
    if "\0" in str(text):
        raise ParameterError(f"{str(text)!r} is not a path: it has a zero byte.")
    try:
        return Path(text).expanduser()
    except RuntimeError:
        raise ParameterError(f"{text} is not a path here: there is no such folder.") from None


def read_bytes(what: str, path: Path, most_bytes: int = _MOST_BYTES) -> bytes:
    """Return the content of a file, such as a ``parameter file``.

    Raises
    ------
    ParameterError
        If it cannot be opened, is no plain file (a folder, a pipe, a device), or is too large.
    """
    try:
        return read_plain(path.resolve(), most_bytes)
    except (OSError, RuntimeError, ValueError) as error:
        reason = getattr(error, "strerror", None) or str(error)
        raise unusable(what, path, f"it cannot be opened ({reason})") from None


def read_text(what: str, path: Path, most_bytes: int = _MOST_BYTES) -> str:
    """Return the text of a file in UTF-8; see `read_bytes`."""
    try:
        return read_bytes(what, path, most_bytes).decode("utf-8-sig")
    except UnicodeDecodeError:
        raise unusable(what, path, "it is not text in UTF-8") from None


def sha256_of(path: str | Path) -> str:
    """Return the SHA-256 of a file's content."""
    return hashlib.sha256(read_bytes("file", Path(path))).hexdigest()


def unusable(what: str, path: Path, reason: str) -> ParameterError:
    """Return the refusal of a user's file."""
    return ParameterError(f"the {what} {path.name} is not usable: {reason}.")
