"""The one way to write a file or folder that is there wholly or not at all: aside, then moved."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

from qdgain import interrupts
from qdgain.model.parameters import ParameterError

#: What a killed process may leave beside its target has this in its name, and starts with a dot.
UNFINISHED = ".unfinished-"


def write_whole(target: Path, content: str | bytes) -> None:
    """Write a file in one step, over what stands there; text as UTF-8."""
    with written_aside(target) as aside:
        aside.write_bytes(content.encode() if isinstance(content, str) else content)


@contextmanager
def written_aside(target: Path) -> Iterator[Path]:
    """Give a path to write a file or folder to, which takes the target's place at the end.

    Nothing is refused: what stands at the target is replaced, and missing folders are made.
    """
    target.parent.mkdir(parents=True, exist_ok=True)
    place = Path(tempfile.mkdtemp(prefix=f".{target.name}{UNFINISHED}", dir=target.parent))
    try:
        yield place / target.name
        if target.is_dir():
            target.rename(place / "replaced")
        (place / target.name).replace(target)
    finally:
        shutil.rmtree(place, ignore_errors=True)


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
    with ExitStack() as stack:
        try:
            aside = stack.enter_context(written_aside(target))
        except OSError as error:
            raise ParameterError(f"{target} cannot be written: {error.strerror}.") from None
        yield aside
        interrupts.raise_pending()
        refuse_existing(target, replace, ours)


def refuse_existing(target: Path, replace: bool, ours: str = "") -> None:
    """Refuse a target that is there and may not be replaced.

    Parameters
    ----------
    target : pathlib.Path
        A file or folder that is to appear.
    replace : bool
        Whether what stands there may be replaced.
    ours : str
        Only a folder that holds a file of this name is replaced, so that no other is lost.

    Raises
    ------
    ParameterError
        With what can be done, in one sentence.
    """
    if not target.exists() and not target.is_symlink():
        return
    if not replace:
        raise ParameterError(f"{target} is there already: name another, or add --replace.")
    if target.is_dir() and (not ours or not (target / ours).is_file()):
        raise ParameterError(f"{target} is not a folder that qdgain wrote: name another.")
