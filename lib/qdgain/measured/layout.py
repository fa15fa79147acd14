"""Where in a file its table is: the rows of numbers, the header above them, and the rest."""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Sequence
from itertools import pairwise
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from qdgain.measured.axis import names_axis
from qdgain.measured.dialect import Dialect, Line, Unusable, filled

_MOST_HEADER_LINES = 4
_LONGEST_QUOTE = 40


class Layout(NamedTuple):
    """The rows of a table, the cells of the header lines above it, and the other lines of text."""

    rows: list[Line]
    header: list[list[str]]
    others: list[Line]


def find_layout(lines: Sequence[Line], dialect: Dialect, fewest: int) -> Layout:
    """Return the layout of a file whose table has at least some rows."""
    rows, before, after = _find_table(lines, dialect, fewest)
    header = _header(before, rows, dialect)
    _refuse_a_spoilt_row(header, before, dialect)
    if not header and len(rows) > 1 and dialect.value(rows[0].cells[0]) == 0.0:
        # A matrix with an empty corner: its first line holds the names of the columns.
        rows, header = rows[1:], [rows[0].cells]
    if len(rows) < fewest:
        raise Unusable(f"it has {len(rows)} rows of numbers and needs at least {fewest} energies")
    return Layout(rows, header, [line for line in before + after if line.kind != "blank"])


def _find_table(
    lines: Sequence[Line], dialect: Dialect, fewest: int
) -> tuple[list[Line], list[Line], list[Line]]:
    """Return the rows of the table, and the lines before and after it."""
    telling = [i for i, line in enumerate(lines) if line.kind in ("row", "text")]
    starts = (
        i
        for i, j in pairwise(telling)
        if lines[i].kind == lines[j].kind == "row" and lines[i].filled > 1
    )
    start = next(starts, None)
    if start is None:
        raise Unusable(
            f"it holds no table of numbers, of which it needs at least {fewest} energies, one a "
            "line; save it as text, in UTF-8"
        )
    last = max(i for i in telling if lines[i].kind == "row")
    for i, following in pairwise(telling):
        line = lines[i]
        if i < start and line.kind == "row" and line.filled == lines[start].filled:
            raise _not_a_row(lines[following], dialect)
        if start < i < last and line.kind == "text":
            raise _not_a_row(line, dialect)
    # Below the table only what a blank line or a lone cell without digits sets apart.
    for line in lines[last + 1 :]:
        if line.kind == "blank":
            break
        alone = line.filled == 1 and not re.search(r"\d", line.text)
        if line.kind == "text" and not alone:
            raise _not_a_row(line, dialect)
    table = lines[start : last + 1]
    comments = [line for line in table if line.kind == "comment"]
    rows = [line for line in table if line.kind == "row"]
    return rows, list(lines[:start]), [*comments, *lines[last + 1 :]]


def _not_a_row(line: Line, dialect: Dialect) -> Unusable:
    """Return what is wrong with a line that should be a row."""
    text, most = line.text.strip(), _LONGEST_QUOTE
    quoted = text if len(text) <= most else text[: most - 3] + "..."
    values = [dialect.value(cell) for cell in line.cells]
    why = ""
    if values and values[0] is not None and not math.isfinite(values[0]):
        why = ": its first column is no number"
    elif None in values:
        i = values.index(None)
        why = f": {line.cells[i].strip()[:most]!r} in column {i + 1} is no number"
    return Unusable(f"line {line.number} reads {quoted!r} in the table{why}")


def _header(before: Sequence[Line], rows: Sequence[Line], dialect: Dialect) -> list[list[str]]:
    """Return the cells of the header lines, from top to bottom; none if there are none."""
    columns = max(row.filled for row in rows)
    above: list[list[str]] = []
    for line in reversed(before):
        if line.kind != "blank":
            above.append(_header_cells(line, columns, dialect))
        elif above:
            break
        if len(above) == _MOST_HEADER_LINES:
            break
    if not above or filled(above[0]) < 2:
        return []
    # Names may stand above units and remarks, and a trace's name above its pair of columns.
    taken = 1
    for count, cells in enumerate(above[1:], start=2):
        if filled(cells) > 1 and names_axis(cells[0]):
            taken = count
    pairs = sum(map(names_axis, above[0])) > 1
    if pairs and taken == 1 and len(above) > 1 and 1 < len(above[1]) <= columns + 1:
        taken = 2
    # A line of text that happens to hold a separator is no header.
    if not names_axis(above[taken - 1][0]) and filled(above[0]) < columns:
        return []
    return above[taken - 1 :: -1]


def _header_cells(line: Line, columns: int, dialect: Dialect) -> list[str]:
    if dialect.separator is not None:
        return dialect.cells(line.bare)
    text = line.bare.strip()
    for pattern in (r"\t+|\s{2,}", r"\s+", r"\s*[,;]\s*"):
        cells = re.split(pattern, text)
        if len(cells) == columns:
            return cells
    return [text]


def _refuse_a_spoilt_row(
    header: Sequence[Sequence[str]], before: Sequence[Line], dialect: Dialect
) -> None:
    """Refuse a lowest header line that looks like a first row with a bad number."""
    if not header:
        return
    first, *others = header[-1]
    numbers = all(dialect.value(cell) is not None for cell in others)
    spoilt = len(header) > 1 or re.match(r"\s*[+-]?[\d.]", first)
    if numbers and spoilt and first.strip() and not names_axis(first):
        raise _not_a_row(next(x for x in reversed(before) if x.kind == "text"), dialect)


def numbers_of(layout: Layout, dialect: Dialect) -> NDArray[np.float64]:
    """Return the numbers of a table, of shape (rows, columns); every row has to fit."""
    counts = [row.filled for row in layout.rows]
    spaced = dialect.separator is None
    usual = Counter(counts).most_common(1)[0][0] if spaced else max(counts)
    columns = max(map(filled, layout.header), default=0) or usual
    for row, count in zip(layout.rows, counts, strict=True):
        if count > columns or (spaced and count < columns):
            both = dialect.separator == "," and count == 2 * columns
            remedy = "; if the comma is the decimal sign too, export with semicolons or tabs"
            raise Unusable(
                f"line {row.number} has {count} values for {columns} columns"
                + (remedy if both else "")
            )
    values = np.full((len(layout.rows), columns), np.nan)
    for own, row in zip(values, layout.rows, strict=True):
        for j, cell in enumerate(row.cells[:columns]):
            value = dialect.value(cell)
            own[j] = math.nan if value is None else value
    return values
