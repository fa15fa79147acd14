"""What stands above a table: the names of its columns, and what is said of axis and values.

Each function reads one way of naming and returns None for a file that is written otherwise.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Iterator, Sequence
from typing import NamedTuple

from qdgain.measured.instruments.axis import names_axis, names_count
from qdgain.measured.instruments.text import Dialect, Line, filled, not_a_row

_MOST_HEADER_LINES = 4
#: Keys of the lines, without their signs, that tell of the axis and of the values.
_AXIS_KEYS = {"xunits", "xunit", "xaxis", "xaxismode", "axisunit1", "horizontalaxis", "xlabel"}
_VALUE_KEYS = {"yunits", "yunit", "yaxis", "axistype0", "verticalaxis", "ylabel", "datamode"}
_TIME_WORDS = {"time", "times", "delay", "delays", "t", "secs", "sec", "min", "s", "ms", "us"}
_TIME_WORDS |= {"µs", "ns", "ps", "fs", "ex", "em", "excitation", "emission", "z", "τ"}


class Header(NamedTuple):
    """Rows of names, a cell a column, from top to bottom; and what else the file says.

    `title` is that of the table, `first` the number of rows of the table that hold names.
    """

    rows: list[list[str]]
    axis: str = ""
    quantity: str = ""
    title: str = ""
    first: int = 0


def header_of(before: Sequence[Line], rows: Sequence[Line], dialect: Dialect) -> Header:
    """Return what the lines above a table, and its first row, say of its columns."""
    every = (naming(before, rows, dialect) for naming in NAMINGS)
    header = next((found for found in every if found is not None), Header([]))
    axis, quantity = (stated(before, keys) for keys in (_AXIS_KEYS, _VALUE_KEYS))
    return header._replace(axis=header.axis or axis, quantity=header.quantity or quantity)


def stated(lines: Sequence[Line], keys: set[str]) -> str:
    """Return the value of the first line that begins with one of some keys."""
    for line in lines:
        key, _, value = re.sub(r"[:=\t;,]", "\0", line.bare, count=1).partition("\0")
        key = re.sub(r"[^a-z0-9]", "", key.casefold())
        if key in keys and value.strip():
            # LabRAM's wavenumbers count from the laser line.
            raman = "Raman shift " if key == "axisunit1" and "cm" in value else ""
            return raman + value.strip(" =:;,\t")
    return ""


def perkin_elmer(before: Sequence[Line], rows: Sequence[Line], dialect: Dialect) -> Header | None:
    """PerkinElmer FL WinLab, UV WinLab: a value a line, axis and values named below `#GR`."""
    texts = [line.text.strip() for line in before]
    if not texts or not texts[0].startswith("PE ") or "#GR" not in texts[:-2]:
        return None
    at = texts.index("#GR")
    return Header([[texts[at + 1], texts[2]]], quantity=texts[at + 2])


def edinburgh(before: Sequence[Line], rows: Sequence[Line], dialect: Dialect) -> Header | None:
    """Edinburgh F980, Fluoracle: a setting a line, the names of the traces in `Labels`."""
    settings = _by_key(before)
    if "labels" not in settings or "xaxis" not in settings:
        return None
    # The program's wavelengths are in nm, and it does not say so.
    axis = settings["xaxis"][1].replace("Wavelength", "Wavelength (nm)")
    quantity = settings.get("yaxis", ["", ""])[1]
    return Header([[axis, *settings["labels"][1:]]], quantity=quantity)


def worksheet(before: Sequence[Line], rows: Sequence[Line], dialect: Dialect) -> Header | None:
    """FluorEssence, Aqualog, Origin: a line of `Long Name`, others of units and remarks."""
    named = _by_key(before)
    if "long name" not in named:
        return None
    numbered = filled(rows[0].cells) == filled(named["long name"])
    kept = [cells[0 if numbered else 1 :] for key, cells in named.items() if key != "short name"]
    kept.sort(key=lambda cells: cells[0].strip().casefold() != "long name")
    return Header([["", *cells[1:]] if numbered else list(cells) for cells in kept])


def numbers_across(before: Sequence[Line], rows: Sequence[Line], dialect: Dialect) -> Header | None:
    """KiMoPack, Glotaran, Surface Xplorer, LabRAM maps: a matrix, delays down or across."""
    head, below = rows[0], rows[1]
    corner = dialect.value(head.cells[0])
    left_out = dialect.separator is None and head.filled == below.filled - 1
    counted = corner == 0.0 and dialect.value(below.cells[0]) == 1.0
    if counted or not (left_out or corner == 0.0 or math.isnan(corner or 0.0)):
        return None
    named = rows_of_names(before, rows, dialect)
    if named is not None and max(map(filled, named.rows)) > 1:
        return None
    cells = ["", *head.cells] if left_out else ["", *head.cells[1:]]
    return Header([cells], title=_title(before, 0), first=1)


def rows_of_names(before: Sequence[Line], rows: Sequence[Line], dialect: Dialect) -> Header | None:
    """Cary, Shimadzu, Hitachi, JASCO, Ocean, Avantes, Wasatch, LabRAM: lines of names, or none.

    Names may stand above units and remarks, and a trace's name above its pair of columns.
    """
    columns = max(row.filled for row in rows)
    above = list(_above(before, columns, dialect))
    lone = above and filled(above[0]) == 1 and names_axis(above[0][0])
    above, axis = (above[1:], above[0][0]) if lone else (above, "")
    if not above or filled(above[0]) < 2:
        return Header([[axis]], title=_title(before, 1)) if lone else None
    taken = 1
    for count, cells in enumerate(above[1:], start=2):
        if filled(cells) > 1 and names_axis(cells[0]):
            taken = count
    pairs = sum(map(names_axis, above[0])) > 1
    if taken == 1 and len(above) > 1 and 1 < len(above[1]) <= columns + 1:
        taken += pairs or (names_axis(above[0][0]) and filled(above[1]) == 1)
    # A line of text that happens to hold a separator is no header.
    if not (lone or _is_corner(above[taken - 1][0])) and filled(above[0]) < columns:
        return None
    header = above[taken - 1 :: -1]
    _refuse_a_spoilt_row(header, before, dialect)
    if lone:
        header.append([axis])
    return Header(header, title=_title(before, taken + bool(lone)))


#: From the surest to the least.
NAMINGS: tuple[Callable[[Sequence[Line], Sequence[Line], Dialect], Header | None], ...] = (
    perkin_elmer,
    edinburgh,
    worksheet,
    numbers_across,
    rows_of_names,
)


def _by_key(before: Sequence[Line]) -> dict[str, list[str]]:
    return {line.cells[0].strip().casefold(): line.cells for line in before if line.filled > 1}


def _above(before: Sequence[Line], columns: int, dialect: Dialect) -> Iterator[list[str]]:
    """Yield the cells of the lines right above a table, from below."""
    count = 0
    for line in reversed(before):
        if line.kind == "blank" and not count:
            continue
        if line.kind == "blank" or count == _MOST_HEADER_LINES:
            return
        count += 1
        cells = _header_cells(line, columns, dialect)
        if cells[0].rstrip().endswith((":", "=")):
            return  # a setting
        yield cells


def _header_cells(line: Line, columns: int, dialect: Dialect) -> list[str]:
    if dialect.separator is not None:
        return line.cells if line.bare == line.text else dialect.cells(line.bare)
    text = line.bare.strip()
    for pattern in (r"\t+|\s{2,}", r"\s+", r"\s*[,;]\s*"):
        cells = re.split(pattern, text)
        if len(cells) == columns:
            return cells
    return [text]


def _is_corner(text: str) -> bool:
    words = set(re.findall(r"[^\W_]+", text.casefold()))
    return names_axis(text) or names_count(text) or not words.isdisjoint(_TIME_WORDS)


def _title(before: Sequence[Line], below: int) -> str:
    """Return the lone line of text right above the header, which has some lines itself."""
    filled_lines = [line for line in before if line.kind != "blank"][: -below or None]
    last = filled_lines[-1] if filled_lines else None
    alone = last is not None and last.kind == "text" and last.filled == 1
    if last is None or not alone or not re.match(r"\s*[\"\w]", last.text):
        return ""
    return next(filter(str.strip, last.cells)).strip()


def _refuse_a_spoilt_row(
    header: Sequence[Sequence[str]], before: Sequence[Line], dialect: Dialect
) -> None:
    """Refuse a lowest header line that looks like a first row with a bad number."""
    first, *others = header[-1]
    numbers = all(dialect.value(cell) is not None for cell in others)
    spoilt = len(header) > 1 or re.match(r"\s*[+-]?[\d.]", first)
    if numbers and spoilt and first.strip() and not _is_corner(first):
        raise not_a_row(next(x for x in reversed(before) if x.kind == "text"), dialect)
