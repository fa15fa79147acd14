"""How a table is written: what separates its cells, and its decimal mark."""

from __future__ import annotations

import csv
import math
import re
from collections.abc import Iterable, Sequence
from typing import NamedTuple

from qdgain.measured.instruments.content import MOST_VALUES, Unusable

_COMMENT = re.compile(r"^\s*(?:#+|%+(?!\s*[TR]\b)|!+|//+)\s*")
_NUMBER = {
    mark: re.compile(
        rf"[+-]?(?:\d+(?:{re.escape(mark)}\d{few})?|{re.escape(mark)}\d+)(?:[eEdD][+-]?\d+)?"
    )
    for mark, few in ((".", "*"), (",", "+"))
}
_MISSING = {"", "-", "--", "nan", "n/a", "na", "#n/a", "null", "none", "#div/0!", "1.#qnan", "-nan"}
_OVER_RANGE = re.compile(
    r"[+-]?inf(?:inity)?|[+-]?1\.#inf|over(?:flow|range|[ -]range)?|ovf|ovrflw|ovrng|o\.?l\.?"
    r"|sat(?:urated)?|\*+|#+|#num!|[<>]\s*[+-]?\d+(?:[.,]\d+)?"
)
#: About how many lines decide on the dialect, and how many characters are a long line.
_SAMPLE, _LONG = 400, 2000


class Dialect(NamedTuple):
    """What separates cells (None: white space) and the decimal mark."""

    separator: str | None
    decimal: str

    def cells(self, text: str) -> list[str]:
        """Return the cells of a line."""
        if self.separator is None:
            return text.split()
        if '"' not in text:
            return text.split(self.separator)
        try:
            return next(csv.reader([text], delimiter=self.separator), [])
        except csv.Error:  # a cell too long to be one
            return [text]

    def value(self, cell: str) -> float | None:
        """Return a number; nan if it is missing, infinity if over range, None if it is none."""
        text = cell.strip().replace("\N{MINUS SIGN}", "-")
        if _NUMBER[self.decimal].fullmatch(text):
            return float(text.replace(",", ".").replace("d", "e").replace("D", "e"))
        text = text.casefold()
        if text in _MISSING:
            return math.nan
        return math.inf if _OVER_RANGE.fullmatch(text) else None

    def is_row(self, cells: Sequence[str]) -> bool:
        """Whether every cell is a number or stands for one, and the first is finite or empty."""
        values = [self.value(cell) for cell in cells]
        if None in values or not values:
            return False
        first, *others = (value or 0.0 for value in values)
        empty = not cells[0].strip() and sum(map(math.isfinite, others)) > 1
        return math.isfinite(first) or empty


#: From the surest to the least; a comma for both needs quotes.
_DIALECTS = (
    *(Dialect(separator, decimal) for separator in "\t;" for decimal in ".,"),
    *(Dialect(",", "."), Dialect(None, "."), Dialect(None, ","), Dialect(",", ",")),
)
#: The dialect of what is no text: a workbook's cells, as `Line` holds them.
PLAIN = Dialect("\t", ".")


class Line(NamedTuple):
    """A line of a file: its number from 1, text, cells, and row, text, comment or blank."""

    number: int
    text: str
    cells: list[str]
    kind: str

    @property
    def filled(self) -> int:
        """How many cells there are up to the last that is not empty."""
        return filled(self.cells)

    @property
    def bare(self) -> str:
        """The text without the mark of a comment."""
        return _COMMENT.sub("", self.text)


def filled(cells: Sequence[str]) -> int:
    """Return how many cells there are up to the last that is not empty."""
    return max((i for i, cell in enumerate(cells, start=1) if cell.strip()), default=0)


def split_lines(text: str) -> tuple[list[Line], Dialect]:
    """Return the lines of a text in the dialect that suits most of them."""
    raw = re.split(r"\r\n|\r|\n", text)
    dialect = _dialect(raw)
    return lines_of(((line, dialect.cells(line)) for line in raw), dialect), dialect


def lines_of(raw: Iterable[tuple[str, list[str]]], dialect: Dialect) -> list[Line]:
    """Return lines from their texts and cells; `Unusable` refuses too many values."""
    lines, count = [], 0
    for number, (text, cells) in enumerate(raw, start=1):
        count += len(cells)
        if count > MOST_VALUES:
            raise Unusable(f"it has more than the {MOST_VALUES} values that are read at most")
        kind = "comment" if _COMMENT.match(text) else "text"
        if not filled(cells):
            kind = "blank"
        elif dialect.is_row(cells):
            kind = "row"
        lines.append(Line(number, text, [] if kind == "blank" else cells, kind))
    return lines


def _dialect(lines: Sequence[str]) -> Dialect:
    """Return the dialect in which most numbers stand beside another number."""
    every = [line for line in lines if line.strip() and not _COMMENT.match(line)]
    # Of long lines the last few, and their beginnings: the first may hold names.
    longest = max(map(len, every), default=0)
    few = every[:: 1 + len(every) // _SAMPLE] if longest < _LONG else every[-_SAMPLE // 20 :]

    def numbers(dialect: Dialect) -> int:
        # A cell that is cut off is left out.
        cells = (dialect.cells(line[:_LONG])[: None if len(line) < _LONG else -1] for line in few)
        rows = filter(dialect.is_row, cells)
        return sum(math.isfinite(dialect.value(cell) or 0.0) for row in rows for cell in row[1:])

    return max(_DIALECTS, key=numbers)
