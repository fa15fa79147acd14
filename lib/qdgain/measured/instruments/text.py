"""The text of a file that comes from anywhere: plain, in lines of cells, with tables of numbers."""

from __future__ import annotations

import codecs
import csv
import math
import re
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from itertools import pairwise
from typing import NamedTuple

import numpy as np

from qdgain.model.dot import FloatArray

#: The most that is read: bytes of a file, characters of a line, lines, and values of a table.
MOST_BYTES, MOST_CHARACTERS, MOST_LINES, MOST_VALUES = 32 * 2**20, 2**20, 200_000, 2_000_000

_MARKS = {  # the longer one first: UTF-32 begins like UTF-16
    "utf-8-sig": (codecs.BOM_UTF8,),
    "utf-32": (codecs.BOM_UTF32_LE, codecs.BOM_UTF32_BE),
    "utf-16": (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE),
}
#: What a terminal may take for a command, or would show in another order.
_CONTROL = re.compile(r"[\0-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\u200e\u200f\u2028-\u202e\u2066-\u2069]")
_LINE_END = re.compile(r"\r\n|\r|\n")
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
#: About how many lines decide on the dialect, how many characters are a long line, or a long quote.
_SAMPLE, _LONG, _LONGEST_QUOTE = 400, 2000, 40


class Unusable(Exception):
    """Why a file cannot be used, as the second half of a sentence."""


def plain(text: str) -> str:
    r"""Return a text without characters that a terminal takes for commands.

    >>> plain("dots\x1b[2J")
    'dots�[2J'
    """
    return _CONTROL.sub("\N{REPLACEMENT CHARACTER}", text)


def refuse_many(values: int, what: str = "values") -> None:
    """Refuse more values than are read at most."""
    if values > MOST_VALUES:
        raise Unusable(f"it has more than the {MOST_VALUES} {what} that are read at most")


def text_of(raw: bytes) -> tuple[str, tuple[str, ...]]:
    """Return the text of a file and what had to be guessed for it."""
    text, notes = _decoded(raw)
    # A few strange characters are a strange name; many, or any beside NUL, are no text.
    few = 0 if b"\0" in raw and "\0" not in text else 1 + 0.02 * len(text[:10_000])
    if len(_CONTROL.findall(text[:10_000].rstrip("\x1a"))) > few:
        raise Unusable("it is not text: export it as CSV, in UTF-8")
    text = plain(text.rstrip("\x1a"))
    lines = lines_in(text)
    if max(map(len, lines)) > MOST_CHARACTERS:
        raise Unusable(f"a line is longer than the {MOST_CHARACTERS} characters read at most")
    if len(lines) > MOST_LINES:
        raise Unusable(f"it has more than the {MOST_LINES} lines that are read at most")
    return text, notes


def _decoded(raw: bytes) -> tuple[str, tuple[str, ...]]:
    for encoding, marks in _MARKS.items():
        if raw.startswith(marks):
            try:
                return raw.decode(encoding), ()
            except UnicodeDecodeError:
                says = f"its byte-order mark says {encoding} and it is not: use UTF-8"
                raise Unusable(says) from None
    start = raw[:4096].rstrip(b"\0")
    if start.count(0) > 0.3 * len(start):
        # Every other byte of a text in UTF-16 is mostly 0.
        order = "le" if start[1::2].count(0) > start[::2].count(0) else "be"
        try:
            text = raw[: len(raw) // 2 * 2].decode(f"utf-16-{order}")
            return text.rstrip("\0"), ("no byte-order mark, read as UTF-16",)
        except UnicodeDecodeError:
            pass
    # Some programs fill their lines or the file's end with NUL.
    raw = raw.replace(b"\0", b"")
    try:
        return raw.decode("utf-8"), ()
    except UnicodeDecodeError:
        return raw.decode("cp1252", errors="replace"), ("not in UTF-8, read as Latin-1",)


def lines_in(text: str) -> list[str]:
    """Return the lines of a text, whatever ends them."""
    return _LINE_END.split(text)


class Dialect(NamedTuple):
    """What separates cells (None: white space) and the decimal mark."""

    separator: str | None
    decimal: str

    def cells(self, text: str) -> list[str]:
        """Return the cells of a line."""
        if self.separator is None or '"' not in text:
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

    def values(self, cells: Iterable[str]) -> list[float | None]:
        """Return what each cell holds."""
        return [self.value(cell) for cell in cells]

    def is_row(self, cells: Sequence[str]) -> bool:
        """Whether every cell is a number or stands for one, and the first is finite or empty."""
        values = self.values(cells)
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
    raw = lines_in(text)
    dialect = _dialect(raw)
    return lines_of(((line, dialect.cells(line)) for line in raw), dialect), dialect


def lines_of(raw: Iterable[tuple[str, list[str]]], dialect: Dialect) -> list[Line]:
    """Return lines from their texts and cells; `Unusable` refuses too many values."""
    lines, count = [], 0
    for number, (text, cells) in enumerate(raw, start=1):
        count += len(cells)
        refuse_many(count)
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


#: The lines down to a table from the one before, and its rows.
Layout = tuple[list[Line], list[Line]]


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
    every = [[line for line in lines[a:b] if line.kind == "row"] for a, b in found]
    longest = max(map(len, every), default=0)
    if longest < 2:
        raise Unusable(
            f"it holds no table of numbers, of which it needs at least {fewest} energies, one a "
            "line; save it as text, in UTF-8"
        )
    tables, end = [], 0
    for (start, stop), rows in zip(found, every, strict=True):
        if len(rows) >= min(fewest, longest):
            _refuse_a_spoilt_end(lines[stop:], rows[-1], dialect)
            tables.append((list(lines[end:start]), rows))
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
    (begin, end), start = one, other[0]
    last, first = lines[end - 1], lines[start]
    if last.filled != first.filled:
        return False
    # The last two rows of one, or its only row twice, and the first two lines of the other.
    about = [lines[max(begin, end - 2)], last, *lines[start : start + 2], first]
    *near, after, before = (dialect.value(x.cells[0]) or 0.0 for x in [*about, last] if x.cells)
    steps, gap = np.diff(near), after - before
    step = steps[-1] if steps[-1] else steps[0]
    return bool(0 < gap / step < 1.5 * (1 + start - end)) if step else False


def _refuse_a_spoilt_end(after: Sequence[Line], row: Line, dialect: Dialect) -> None:
    """Refuse a line right below a table that looks like a row with a bad number."""
    for line in after:
        if line.kind == "blank":
            return
        values = dialect.values(line.cells)
        word = re.fullmatch(r"[\w.,+-]*\d[\w.,+-]*", line.cells[0].strip() if line.cells else "")
        numbers = values.count(None) < len(values)
        numeric = word or values[:1] not in ([], [None])
        if line.kind == "text" and numeric and line.filled == row.filled and numbers:
            raise not_a_row(line, dialect)


def not_a_row(line: Line, dialect: Dialect) -> Unusable:
    """Return what is wrong with a line that should be a row."""
    text, most = line.text.strip(), _LONGEST_QUOTE
    quoted = text if len(text) <= most else text[: most - 3] + "..."
    values, why = dialect.values(line.cells), ""
    if values and values[0] is not None and not math.isfinite(values[0]):
        why = ": its first column is no number"
    elif None in values:
        i = values.index(None)
        why = f": {line.cells[i].strip()[:most]!r} in column {i + 1} is no number"
    return Unusable(f"line {line.number} reads {quoted!r} in the table{why}")


def numbers_of(rows: Sequence[Line], dialect: Dialect, named: int) -> FloatArray:
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
        places = _places(row, spans) if spaced and count < columns else list(range(columns))
        if count > columns or len(places) < count:
            both = dialect.separator == "," and count == 2 * columns
            remedy = "; if the comma is the decimal sign too, export with semicolons or tabs"
            what = f"line {row.number} has {count} values for {columns} columns"
            raise Unusable(what + remedy * both)
        for j, value in zip(places, dialect.values(row.cells), strict=False):
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
