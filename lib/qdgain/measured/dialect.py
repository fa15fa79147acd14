"""The text of a file, and how it is written: what separates its cells, and its decimal mark."""

from __future__ import annotations

import codecs
import csv
import math
import re
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

_MARKS = (  # the longer one first: UTF-32 begins like UTF-16
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
_COMMENT = re.compile(r"^\s*(?:#+|%+|!+|//+)\s*")
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
#: About how many lines decide on the dialect.
_SAMPLE = 400


class Unusable(Exception):
    """Why a file cannot be used, as the second half of a sentence."""


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
        return next(csv.reader([text], delimiter=self.separator), [])

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
        """Whether every cell is a number or stands for one, and the first is finite."""
        if not cells:
            return False
        first, *others = map(self.value, cells)
        return first is not None and math.isfinite(first) and None not in others


#: From the surest to the least; a comma for both needs quotes.
_DIALECTS = (
    *(Dialect(separator, decimal) for separator in "\t;" for decimal in ".,"),
    *(Dialect(",", "."), Dialect(None, "."), Dialect(None, ","), Dialect(",", ",")),
)


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


def read_text(path: Path) -> tuple[str, tuple[str, ...]]:
    """Return the text of a file and what had to be guessed for it."""
    try:
        raw = path.read_bytes()
    except OSError:
        raise Unusable("it cannot be opened") from None
    if raw.startswith((b"PK\x03\x04", b"\xd0\xcf\x11\xe0")):
        raise Unusable("it is a spreadsheet's workbook: export the sheet as CSV, in UTF-8")
    for mark, encoding in _MARKS:
        if raw.startswith(mark):
            try:
                return raw.decode(encoding), ()
            except UnicodeDecodeError:
                raise Unusable(
                    f"its byte-order mark says {encoding} and it is not: use UTF-8"
                ) from None
    if b"\0" in raw:
        raise Unusable("it is not text: export it as CSV, in UTF-8")
    try:
        return raw.decode("utf-8"), ()
    except UnicodeDecodeError:
        return raw.decode("latin-1"), ("not in UTF-8, read as Latin-1",)


def split_lines(text: str) -> tuple[list[Line], Dialect]:
    """Return the lines of a text in the dialect that suits most of them."""
    raw = re.split(r"\r\n|\r|\n", text.rstrip("\x1a"))
    dialect = _dialect(raw)
    lines = []
    for number, line in enumerate(raw, start=1):
        cells = dialect.cells(line)
        kind = "comment" if _COMMENT.match(line) else "text"
        if not filled(cells):
            cells, kind = [], "blank"
        elif dialect.is_row(cells):
            kind = "row"
        lines.append(Line(number, line, cells, kind))
    return lines, dialect


def _dialect(lines: Sequence[str]) -> Dialect:
    """Return the dialect in which most numbers stand beside another number."""
    sample = [line for line in lines if line.strip() and not _COMMENT.match(line)]
    sample = sample[:: 1 + len(sample) // _SAMPLE]

    def numbers(dialect: Dialect) -> int:
        rows = filter(dialect.is_row, map(dialect.cells, sample))
        return sum(math.isfinite(dialect.value(cell) or 0.0) for row in rows for cell in row[1:])

    return max(_DIALECTS, key=numbers)
