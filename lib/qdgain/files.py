"""Folders and files that appear whole or not at all: written aside, then moved."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from qdgain import interrupts
from qdgain.model.parameters import ParameterError


@contextmanager
def whole(target: str | Path, replace: bool = False, ours: str = "") -> Iterator[Path]:
    """Give a place aside to write to, and move what stands there to the target at the end.

    Parameters
    ----------
    target : str or pathlib.Path
        A folder or file that is to appear.
    replace : bool
        Whether what stands there may be replaced.
    ours : str
        Only a folder that holds a file of this name is replaced, so that no other is lost.

    Yields
    ------
    pathlib.Path
        A path beside the target, which does not exist; whoever writes chooses folder or file.

    Raises
    ------
    ParameterError
        If the target is there and may not be replaced, or cannot be written to.
    """
    target = Path(target).expanduser().absolute()
    refuse_existing(target, replace, ours)
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        aside = Path(tempfile.mkdtemp(prefix=f".{target.name}.unfinished-", dir=target.parent))
    except OSError as error:
        raise ParameterError(f"{target} cannot be written: {error.strerror}.") from None
    try:
        yield aside / target.name
        interrupts.heed()
        refuse_existing(target, replace, ours)
        if target.exists():
            target.rename(aside / "replaced")
        (aside / target.name).rename(target)
    finally:
        shutil.rmtree(aside, ignore_errors=True)


def refuse_existing(target: Path, replace: bool, ours: str = "") -> None:
    """Refuse a target that is there and may not be replaced.

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
