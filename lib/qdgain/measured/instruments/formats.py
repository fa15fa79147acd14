"""The formats that are read, told from a file's first bytes."""

from __future__ import annotations

import inspect
from collections.abc import Callable

from qdgain.measured.instruments import jcamp, spc, workbook
from qdgain.measured.instruments.content import Unusable, text_of
from qdgain.measured.instruments.dialect import PLAIN, split_lines
from qdgain.measured.instruments.naming import NAMINGS
from qdgain.measured.instruments.table import Raw, traces_of_lines

#: The traces of a file, the lines of text beside them, and what had to be guessed.
Content = tuple[list[Raw], tuple[str, ...], tuple[str, ...]]


def read(raw: bytes, fewest: int) -> Content:
    """Return what a file holds, whatever its format; `Unusable` says why it holds nothing."""
    if workbook.is_workbook(raw):
        return _of_sheets(workbook.sheets(raw), fewest)
    if spc.is_spc(raw):
        return spc.traces(raw), (), ()
    text, notes = text_of(raw)
    if jcamp.is_jcamp(text):
        return jcamp.traces(text), (), notes
    lines, dialect = split_lines(text)
    return *traces_of_lines(lines, dialect, fewest), notes


def _of_sheets(sheets: workbook.Sheets, fewest: int) -> Content:
    """Return the traces of every sheet that has some."""
    found: list[Raw] = []
    about: tuple[str, ...] = ()
    refusals = [Unusable("its sheets are empty")]
    for name, lines in sheets:
        try:
            traces, beside = traces_of_lines(lines, PLAIN, fewest, name if len(sheets) > 1 else "")
        except Unusable as refusal:
            refusals.append(refusal)
            continue
        found, about = found + traces, about + beside
    if not found:
        raise refusals[-1]
    return found, about, ()


def described() -> list[tuple[str, str]]:
    """Return the programs whose files are read, and how: the first line of each dialect's function.

    >>> described()[0]
    ('PerkinElmer FL WinLab, UV WinLab', 'a value a line, axis and values named below `#GR`')
    """
    every: list[Callable[..., object]] = [*NAMINGS, jcamp.traces, spc.traces, workbook.sheets]
    lines = [(inspect.getdoc(dialect) or "").splitlines()[0] for dialect in every]
    return [(line.partition(": ")[0], line.partition(": ")[2].rstrip(".")) for line in lines]
