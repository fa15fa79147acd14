"""Where in a file its tables are: rows of numbers, and the lines above each."""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Iterator, Sequence
from itertools import pairwise
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from qdgain.measured.instruments.content import Unusable
from qdgain.measured.instruments.dialect import Dialect, Line

_LONGEST_QUOTE = 40


class Layout(NamedTuple):
    """The rows of one table, and the other lines down to it from the table before."""

    before: list[Line]
    rows: list[Line]


def find_tables(lines: Sequence[Line], dialect: Dialect, fewest: int) -> list[Layout]:
    """Return every table of at least some rows, from top to bottom; refused if there is none.

    A line of text that stands where a row should is refused: the axis goes on behind it, or it
    looks like a row with a spoilt number. Other text ends a table.
    """
    found = list(_runs(lines))
    for one, other in pairwise(found):
        text = [line for line in lines[one[1] : other[0]] if line.kind == "text"]
        if text and _goes_on(lines, one, other, dialect):
            raise not_a_row(text[0], dialect)
    longest = max((sum(line.kind == "row" for line in lines[a:b]) for a, b in found), default=0)
    if longest < 2:
        raise Unusable(
            f"it holds no table of numbers, of which it needs at least {fewest} energies, one a "
            "line; save it as text, in UTF-8"
        )
    tables, end = [], 0
    for start, stop in found:
        rows = [line for line in lines[start:stop] if line.kind == "row"]
        if len(rows) >= min(fewest, longest):
            _refuse_a_spoilt_end(lines[stop:], rows[-1], dialect)
            tables.append(Layout(list(lines[end:start]), rows))
            end = stop
    return tables


def _runs(lines: Sequence[Line]) -> Iterator[tuple[int, int]]:
    """Yield where rows of more than one value begin and end; blank lines and comments may be in."""
    start, end = None, 0
    for i, line in enumerate(lines):
        if line.kind == "row" and (line.filled > 1 or start is not None):
            start, end = i if start is None else start, i + 1
        elif line.kind == "text" and start is not None:
            yield start, end
            start = None
    if start is not None:
        yield start, end


def _goes_on(
    lines: Sequence[Line], one: tuple[int, int], other: tuple[int, int], dialect: Dialect
) -> bool:
    """Whether the axis of one run goes on in the next, as if a row between them were spoilt."""
    last, first = lines[one[1] - 1], lines[other[0]]
    if last.filled != first.filled:
        return False
    near = [x for line in lines[other[0] : other[0] + 2] for x in _first(line, dialect)]
    near = [*_first(lines[max(one[0], one[1] - 2)], dialect), *_first(last, dialect), *near]
    steps = np.diff(near)
    gap = _first(first, dialect)[0] - _first(last, dialect)[0]
    step = steps[-1] if steps[-1] else steps[0]
    return bool(0 < gap / step < 1.5 * (1 + other[0] - one[1])) if step else False


def _first(line: Line, dialect: Dialect) -> list[float]:
    return [dialect.value(line.cells[0]) or 0.0] if line.cells else []


def _refuse_a_spoilt_end(after: Sequence[Line], row: Line, dialect: Dialect) -> None:
    """Refuse a line right below a table that looks like a row with a bad number."""
    for line in after:
        if line.kind == "blank":
            return
        values = [dialect.value(cell) for cell in line.cells]
        word = re.fullmatch(r"[\w.,+-]*\d[\w.,+-]*", line.cells[0].strip() if line.cells else "")
        numbers = len(values) - values.count(None)
        numeric = word or values[:1] not in ([], [None])
        if line.kind == "text" and numeric and line.filled == row.filled and numbers:
            raise not_a_row(line, dialect)


def not_a_row(line: Line, dialect: Dialect) -> Unusable:
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


def numbers_of(rows: Sequence[Line], dialect: Dialect, named: int) -> NDArray[np.float64]:
    """Return the numbers of a table, of shape (rows, columns), nan where a cell is empty.

    Every row has to fit the columns that are named or, without names, the usual number of them. In
    fixed columns, separated by white space alone, a short row is filled by where its cells stand.
    """
    counts = [row.filled for row in rows]
    spaced = dialect.separator is None
    columns = named or (Counter(counts).most_common(1)[0][0] if spaced else max(counts))
    spans = _spans(rows, columns) if spaced and min(counts) < columns else []
    values = np.full((len(rows), columns), np.nan)
    for own, row, count in zip(values, rows, counts, strict=True):
        cells, places = row.cells, list(range(columns))
        if spaced and count < columns:
            places = _places(row, spans)
        if count > columns or len(places) < count:
            both = dialect.separator == "," and count == 2 * columns
            remedy = "; if the comma is the decimal sign too, export with semicolons or tabs"
            raise Unusable(
                f"line {row.number} has {count} values for {columns} columns"
                + (remedy if both else "")
            )
        for j, cell in zip(places, cells, strict=False):
            value = dialect.value(cell)
            own[j] = math.nan if value is None else value
    return values


def _spans(rows: Sequence[Line], columns: int) -> list[tuple[int, int]]:
    """Return from where to where the cells of each column stand in the full rows."""
    full = [list(re.finditer(r"\S+", row.text)) for row in rows if row.filled == columns]
    every = zip(*full, strict=True)
    spans = [(min(m.start() for m in own), max(m.end() for m in own)) for own in every]
    return spans if all(a[1] <= b[0] for a, b in pairwise(spans)) else []


def _places(row: Line, spans: Sequence[tuple[int, int]]) -> list[int]:
    """Return the column of each cell of a short row; none if a cell stands in none or in two."""
    on = [
        [i for i, (a, b) in enumerate(spans) if a < match.end() and match.start() < b]
        for match in re.finditer(r"\S+", row.text)
    ]
    places = [i for own in on for i in own]
    return places if all(len(own) == 1 for own in on) and len(set(places)) == len(on) else []
