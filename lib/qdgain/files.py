"""How files are written wholly or not at all, and read only where they are plain files.

Those that a user names are looked at before anything waits for them, and read up to a limit.
"""

from __future__ import annotations

import errno
import fcntl
import glob
import hashlib
import os
import shutil
import stat
import tempfile
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from io import FileIO
from pathlib import Path

from qdgain import interrupts
from qdgain.model.parameters import ParameterError

#: What a killed process may leave beside its target has this in its name, and starts with a dot.
UNFINISHED = ".unfinished-"
_SCRATCH = "qdgain-scratch-"
# The sockets of kernels lie in it, and a socket's whole path may have some hundred characters.
_LONG_PATH = 60
# A folder that was made just now may not be locked yet.
_YOUNG_S = 60.0
#: Of a file that has no tighter limit.
_MOST_BYTES = 200_000_000


def write_whole(target: Path, content: str | bytes) -> None:
    """Write a file in one step, over what stands there; text as UTF-8."""
    with written_aside(target) as aside:
        aside.write_bytes(content.encode() if isinstance(content, str) else content)


@contextmanager
def written_aside(target: Path) -> Iterator[Path]:
    """Give a path to write a file or folder to, which takes the target's place at the end.

    Nothing is refused: what stands at the target is replaced, and missing folders are made.
    """
    aside = beside(target)
    try:
        with ExitStack() as held:
            # Where a file system has no locks, nobody takes the folder for one of the dead either.
            with suppress(OSError):
                held.enter_context(_locked(aside.parent))
            yield aside
            move_into_place(aside, target)
    finally:
        shutil.rmtree(aside.parent, ignore_errors=True)


def beside(target: Path) -> Path:
    """Return a path to write to, alone in a new folder beside the target."""
    target.parent.mkdir(parents=True, exist_ok=True)
    prefix = f".{target.name}{UNFINISHED}"
    return Path(tempfile.mkdtemp(prefix=prefix, dir=target.parent)) / target.name


def move_into_place(aside: Path, target: Path) -> None:
    """Let a file or folder from `beside` take the target's place, once it is on the disk.

    Otherwise a loss of power could leave the name with nothing behind it.
    """
    for path in (*aside.rglob("*"), aside):
        _sync(path)
    if target.is_dir() and not target.is_symlink():
        target.rename(aside.parent / "replaced")
    aside.replace(target)
    _sync(target.parent)


def _sync(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


@contextmanager
def opened_plain(path: Path, flags: int = os.O_RDONLY) -> Iterator[FileIO]:
    """Open a file that is neither link nor folder, pipe nor device, without waiting for anything.

    Raises
    ------
    OSError
        If it is one of these, or cannot be opened.
    """
    descriptor = os.open(path, flags | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC, 0o666)
    if not stat.S_ISREG(os.fstat(descriptor).st_mode):
        os.close(descriptor)
        raise OSError(errno.EINVAL, "it is not a plain file")
    with FileIO(descriptor, "r" if flags == os.O_RDONLY else "r+") as stream:
        yield stream


def read_plain(path: Path, most_bytes: int) -> bytes:
    """Return the content of a plain file; a larger one is refused with an OSError."""
    with opened_plain(path) as stream:
        content = stream.read(most_bytes + 1)
    if len(content) > most_bytes:
        raise OSError(errno.EFBIG, f"it is larger than {most_bytes} bytes")
    return content


def sha256_of_plain(path: Path) -> str:
    """Return the SHA-256 of a plain file, nothing if there is none."""
    with suppress(OSError), opened_plain(path) as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()
    return ""


@contextmanager
def scratch() -> Iterator[Path]:
    """Give a temporary folder, and remove it at the end, with those that dead processes left."""
    place = tempfile.gettempdir()
    if len(place) > _LONG_PATH:
        place = "/tmp"
    _bury(Path(place), f"{_SCRATCH}*")
    folder = Path(tempfile.mkdtemp(prefix=_SCRATCH, dir=place))
    try:
        with _locked(folder):
            yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _bury(where: Path, pattern: str) -> None:
    """Remove folders of dead processes: those that nobody has locked."""
    for old in where.glob(pattern):
        with suppress(OSError), _locked(old) as about:
            if about.st_uid == os.getuid() and time.time() - about.st_mtime > _YOUNG_S:
                shutil.rmtree(old)


@contextmanager
def _locked(folder: Path) -> Iterator[os.stat_result]:
    """Hold the lock of a folder; an OSError if somebody else has it."""
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        yield os.fstat(descriptor)
    finally:
        os.close(descriptor)


@contextmanager
def whole(target: str | Path, replace: bool = False, ours: str = "") -> Iterator[Path]:
    """Do the same for a file or folder that a user named: see `refuse_existing` for the options.

    After an interrupt nothing appears.

    Raises
    ------
    ParameterError
        If the target is there and may not be replaced, or cannot be written to.
    """
    target = Path(target).expanduser().absolute()
    refuse_existing(target, replace, ours)
    _bury(target.parent, f".{glob.escape(target.name)}{UNFINISHED}*")
    with ExitStack() as stack:
        try:
            aside = stack.enter_context(written_aside(target))
        except OSError as error:
            raise ParameterError(f"{target} cannot be written: {error.strerror}.") from None
        yield aside
        interrupts.raise_pending()
        refuse_existing(target, replace, ours)


def refuse_existing(target: Path, replace: bool, ours: str = "") -> None:
    """Refuse a target, file or folder, that is there and may not be replaced.

    With ``ours`` only a folder that holds a file of this name is replaced, so that nothing else is
    lost. The ParameterError says what can be done.
    """
    if not target.exists() and not target.is_symlink():
        return
    if not replace:
        raise ParameterError(f"{target} is there already: name another, or add --replace.")
    if (ours or target.is_dir()) and not (ours and (target / ours).is_file()):
        raise ParameterError(f"{target} is not a folder that qdgain wrote: name another.")


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
