"""The formats that are read, told from a file's first bytes."""

from __future__ import annotations

import inspect
import io
import zipfile
from collections.abc import Callable, Iterator

from qdgain.measured.instruments import jcamp, spc, text
from qdgain.measured.instruments.naming import NAMINGS
from qdgain.measured.instruments.table import Raw, traces_of_lines
from qdgain.measured.instruments.text import PLAIN, Line, Unusable

#: The traces of a file, the lines of text beside them, and what had to be guessed.
Content = tuple[list[Raw], tuple[str, ...], tuple[str, ...]]
#: What a workbook may unpack to, in the size of the file that may be read.
_UNPACKED = 8


def read(raw: bytes, fewest: int) -> Content:
    """Return what a file holds, whatever its format; `Unusable` says why it holds nothing."""
    if raw.startswith((b"PK\x03\x04", b"\xd0\xcf\x11\xe0")):  # new or old
        return _of_sheets(workbook(raw), fewest)
    if spc.is_spc(raw):
        return spc.traces(raw), (), ()
    content, notes = text.text_of(raw)
    if jcamp.is_jcamp(content):
        return jcamp.traces(content), (), notes
    lines, dialect = text.split_lines(content)
    return *traces_of_lines(lines, dialect, fewest), notes


def workbook(raw: bytes) -> list[tuple[str, list[Line]]]:
    """Workbooks (.xlsx): tables as in text, in a sheet each."""
    # Slow, and only here. It reads row by row: a few bytes can claim a sheet of 17 billion cells.
    from openpyxl import load_workbook  # noqa: PLC0415

    try:
        with zipfile.ZipFile(io.BytesIO(raw)) as packed:
            if sum(part.file_size for part in packed.infolist()) > _UNPACKED * text.MOST_BYTES:
                raise Unusable("it unpacks to more than is read at most")
        book = load_workbook(io.BytesIO(raw), read_only=True, data_only=True)
        found = []
        for sheet in book.worksheets:
            sheet.reset_dimensions()
            rows = text.lines_of(_rows(sheet.iter_rows(values_only=True)), PLAIN)
            if any(line.kind != "blank" for line in rows):
                found.append((text.plain(sheet.title), rows))
    except Unusable:
        raise
    except Exception:  # what a parser of strangers' files stumbles over has many names
        raise Unusable(
            "it is no workbook that can be read: save it as .xlsx, or export the sheet as CSV"
        ) from None
    return found


def _rows(rows: Iterator[tuple[object, ...]]) -> Iterator[tuple[str, list[str]]]:
    for number, row in enumerate(rows):
        text.refuse_many(number, "rows")
        cells = [text.plain("" if cell is None else str(cell)).replace("\n", " ") for cell in row]
        yield "\t".join(cells), cells


def _of_sheets(sheets: list[tuple[str, list[Line]]], fewest: int) -> Content:
    """Return the traces of every sheet that has some."""
    found: list[Raw] = []
    about: tuple[str, ...] = ()
    refusal = Unusable("its sheets are empty")
    for name, lines in sheets:
        try:
            traces, beside = traces_of_lines(lines, PLAIN, fewest, name if len(sheets) > 1 else "")
            found, about = found + traces, about + beside
        except Unusable as reason:
            refusal = reason
    if not found:
        raise refusal
    return found, about, ()


def described() -> list[tuple[str, str]]:
    """Return the programs whose files are read, and how: the first line of each dialect's function.

    >>> described()[0]
    ('PerkinElmer FL WinLab, UV WinLab', 'a value a line, axis and values named below `#GR`')
    """
    every: list[Callable[..., object]] = [*NAMINGS, jcamp.traces, spc.traces, workbook]
    lines = [(inspect.getdoc(dialect) or "").splitlines()[0] for dialect in every]
    return [(line.partition(": ")[0], line.partition(": ")[2].rstrip(".")) for line in lines]
