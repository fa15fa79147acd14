"""Workbooks (.xlsx): each sheet as the lines of a table.

Read row by row by openpyxl: a few bytes can claim a sheet of 17 billion cells.
"""

from __future__ import annotations

import io
import zipfile
from collections.abc import Iterator

from qdgain.measured.instruments.content import MOST_BYTES, MOST_VALUES, Unusable, plain
from qdgain.measured.instruments.dialect import PLAIN, Line, lines_of

#: What a workbook may unpack to, in the size of the file that may be read.
_UNPACKED = 8


def is_workbook(raw: bytes) -> bool:
    """Whether bytes begin as a workbook does, new or old."""
    return raw.startswith((b"PK\x03\x04", b"\xd0\xcf\x11\xe0"))


Sheets = list[tuple[str, list[Line]]]


def sheets(raw: bytes) -> Sheets:
    """Workbooks (.xlsx): tables as in text, in a sheet each."""
    from openpyxl import load_workbook  # noqa: PLC0415 - slow, and only here

    try:
        with zipfile.ZipFile(io.BytesIO(raw)) as packed:
            if sum(part.file_size for part in packed.infolist()) > _UNPACKED * MOST_BYTES:
                raise Unusable("it unpacks to more than is read at most")
        book = load_workbook(io.BytesIO(raw), read_only=True, data_only=True)
        found = []
        for sheet in book.worksheets:
            sheet.reset_dimensions()
            rows = lines_of(_rows(sheet.iter_rows(values_only=True)), PLAIN)
            if any(line.kind != "blank" for line in rows):
                found.append((plain(sheet.title), rows))
    except Unusable:
        raise
    except Exception:  # what a parser of strangers' files stumbles over has many names
        raise Unusable(
            "it is no workbook that can be read: save it as .xlsx, or export the sheet as CSV"
        ) from None
    return found


def _rows(rows: Iterator[tuple[object, ...]]) -> Iterator[tuple[str, list[str]]]:
    for number, row in enumerate(rows):
        if number > MOST_VALUES:
            raise Unusable(f"it has more than the {MOST_VALUES} rows that are read at most")
        cells = [plain("" if cell is None else str(cell)).replace("\n", " ") for cell in row]
        yield "\t".join(cells), cells
