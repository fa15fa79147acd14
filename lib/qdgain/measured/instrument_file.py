r"""Spectra as instruments and spreadsheets export them.

Text in UTF-8 or UTF-16, with or without byte-order mark, or else in Latin-1; lines of metadata,
then at most a few header lines, then a table separated by tabs, semicolons, commas or white space,
with decimal points or decimal commas. What cannot be understood is refused with its line number;
what had to be guessed is said in the notes.
"""

from __future__ import annotations

import codecs
import csv
import difflib
import math
import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from pathlib import Path
from typing import NamedTuple, NoReturn

import numpy as np
from numpy.typing import ArrayLike, NDArray

from qdgain.model.dot import FloatArray
from qdgain.model.parameters import ParameterError
from qdgain.model.units import eV_from_nm, nm_from_eV

UNITS = ("nm", "eV")
#: The fewest points that are a spectrum.
FEWEST = 8

_MARKS = (  # the longer one first: UTF-32 begins like UTF-16
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
_COMMENT = re.compile(r"\s*(?:#|%|!|//)")
_COMMENT_MARKS = re.compile(r"^\s*(?:#+|%+|!+|//+)\s*")
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
_EVERY = 400

# What the words of an axis' name can be.
_UNIT_WORDS = {
    **dict.fromkeys(("nm", "nanometer", "nanometers", "nanometre", "nanometres"), "nm"),
    **dict.fromkeys(("ev", "electronvolt", "electronvolts"), "eV"),
}
_OTHER_UNITS = {
    **dict.fromkeys(("cm", "wavenumber", "wavenumbers"), "cm⁻¹"),
    **dict.fromkeys(("um", "µm", "μm", "micron", "microns", "micrometer", "micrometers"), "µm"),
    **dict.fromkeys(("å", "angstrom", "angstroms"), "Å"),
    **dict.fromkeys(("pixel", "pixels", "px"), "pixels"),
    "mev": "meV",
    "thz": "THz",
}
_WAVELENGTH = {"wavelength", "wavelengths", "lambda", "λ", "wl"}
_ENERGY = {"energy", "energies"}
_AXIS = {*_WAVELENGTH, *_ENERGY, *_UNIT_WORDS, *_OTHER_UNITS}
_BESIDE_AXIS = {
    *("photon", "emission", "excitation", "probe", "vacuum", "in", "axis", "wave", "length"),
    *("e", "x", "h", "hν", "hv", "1", "¹"),
}

#: Where values of each unit lie beyond doubt, and where they lie if nothing else says so.
_POSSIBLE = {"nm": (100.0, 10_000.0), "eV": (0.1, 12.4)}
_LIKELY = {"nm": (150.0, 2500.0), "eV": (0.4, 6.5)}


class Dialect(NamedTuple):
    """What separates cells (None: white space) and the decimal mark."""

    separator: str | None
    decimal: str


#: From the surest to the least; a comma for both needs quotes.
_DIALECTS = tuple(
    Dialect(*pair)
    for pair in (
        ("\t", "."),
        ("\t", ","),
        (";", "."),
        (";", ","),
        (",", "."),
        (None, "."),
        (None, ","),
        (",", ","),
    )
)


class _Line(NamedTuple):
    """A line of the file: its number, text, cells, and numbers if all cells are."""

    number: int
    text: str
    cells: list[str]
    kind: str


@dataclass(frozen=True, eq=False)
class Trace:
    """One spectrum of a file.

    Parameters
    ----------
    energy_eV : numpy.ndarray
        Rising photon energies, of shape E.
    values : numpy.ndarray
        As in the file, of shape E.
    unit : {"nm", "eV"}
        Of the file's axis.
    column : str
        The name of the trace's column.
    notes : tuple of str
        What was guessed, averaged or left out, a clause each.
    """

    energy_eV: FloatArray
    values: FloatArray
    unit: str
    column: str
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, eq=False)
class Table:
    """The table of a file.

    Parameters
    ----------
    source : str
        How refusals call the file, such as ``the absorption file a.csv``.
    names : tuple of str
        Of the columns; ``column 2`` and so on without a header.
    labels : tuple of tuple of str
        For each column, what each header line says of it.
    values : numpy.ndarray
        Of shape (rows, columns); nan where missing, infinite where over range.
    lines : numpy.ndarray
        The line number of each row.
    metadata : tuple of str
        The other lines of text, without comment marks.
    dialect : Dialect
        How the table is written.
    notes : tuple of str
        What was guessed.
    """

    source: str
    names: tuple[str, ...]
    labels: tuple[tuple[str, ...], ...]
    values: FloatArray
    lines: NDArray[np.int_]
    metadata: tuple[str, ...]
    dialect: Dialect
    notes: tuple[str, ...] = field(default=())

    def refuse(self, reason: str) -> NoReturn:
        """Raise the sentence that says why the file is not usable."""
        _refuse(self.source, reason)

    def axis_of(self, column: int) -> int:
        """Return the index of the axis that belongs to a column.

        The nearest axis to its left, since some instruments write one for each trace; of two axes
        side by side the first, which is the measured one. Without named axes, the first column.
        """
        axes = [i for i in range(column) if _names_axis(self.labels[i])]
        if not axes:
            return 0
        axis = axes[-1]
        while axis - 1 in axes:
            axis -= 1
        return axis

    def traces(self) -> list[int]:
        """Return the indices of the columns that hold a spectrum."""
        axes = [i for i, labels in enumerate(self.labels) if _names_axis(labels)]
        first = axes[0] if axes else 0
        return [
            i
            for i in range(first + 1, len(self.names))
            if i not in axes and np.isfinite(self.values[:, i]).any()
        ]

    def find(self, column: str | int | None, hint: str = "column") -> int:
        """Return the index of a column: by name, else by number from 1, else the only trace.

        Parameters
        ----------
        column : str, int or None
            A name as in the header, in any case, or a number that counts the axis as 1.
        hint : str
            What the user sets to choose, for the sentence of a refusal.

        Raises
        ------
        ParameterError
            If there is no such column, or several traces and none is chosen.
        """
        traces = self.traces()
        offered = ", ".join(f"{i + 1} ({self.names[i]!r})" for i in traces[:12])
        if len(traces) > 12:
            offered += ", …"
        if not traces:
            self.refuse("it has no column of values beside its axis")
        if column is None:
            if len(traces) > 1:
                self.refuse(f"it has {len(traces)} traces: choose one by {hint}, of {offered}")
            return traces[0]
        wanted = str(column).strip()
        named = self._named(wanted)
        # Some instruments write a trace's name above its axis.
        named = [i if i in traces else i + 1 for i in named if i in traces or i + 1 in traces]
        if len(set(named)) > 1:
            self.refuse(
                f"{len(set(named))} of its columns are called {wanted!r}: give the number, "
                f"of {offered}"
            )
        if named:
            return named[0]
        if wanted.isdecimal() and int(wanted) - 1 in traces:
            return int(wanted) - 1
        near = difflib.get_close_matches(wanted, [self.names[i] for i in traces], n=1)
        meant = f"did you mean {near[0]!r}? The" if near else "the"
        self.refuse(f"it has no trace {wanted!r} for {hint}: {meant} traces are {offered}")

    def _named(self, wanted: str) -> list[int]:
        for same in (str, str.casefold):
            found = [
                i
                for i, (name, labels) in enumerate(zip(self.names, self.labels, strict=True))
                if same(wanted) in {same(name), *(same(label) for label in labels if label)}
            ]
            if found:
                return found
        return []

    def axis_unit(self, axis: int, unit: str | None = None, hint: str = "") -> tuple[str, str]:
        """Return the unit of an axis, and a note if it had to be guessed from the values.

        Parameters
        ----------
        axis : int
            The index of the column.
        unit : {"nm", "eV"}, optional
            Given by the user, who knows best.
        hint : str
            How the user can say it, for the sentence of a refusal.

        Raises
        ------
        ParameterError
            If it cannot be told, or header and values disagree.
        """
        x = self.values[:, axis]
        low, high = float(np.nanmin(x)), float(np.nanmax(x))
        name, runs = self.names[axis], f"runs from {low:g} to {high:g}"
        remedy = "name its unit in the header, nm or eV" + (f", or say {hint}" if hint else "")
        words = _words(" ".join(self.labels[axis]))
        said = unit or next((_UNIT_WORDS[w] for w in words if w in _UNIT_WORDS), None)
        other = next((_OTHER_UNITS[w] for w in words if w in _OTHER_UNITS), None)
        if said is None and other is None:
            said, other = self._unit_in_metadata()
        if said is None and other:
            self.refuse(f"its axis {name!r} is in {other}: convert it to nm or eV")
        if said is not None:
            least, most = _POSSIBLE[said]
            if not least <= low <= high <= most:
                self.refuse(
                    f"its first column is {name!r} and {runs}, which cannot be {said}"
                    if axis == 0
                    else f"its axis {name!r} {runs}, which cannot be {said}"
                )
            return said, ""
        likely = [u for u, (least, most) in _LIKELY.items() if least <= low and high <= most]
        if set(words) & _WAVELENGTH:
            likely = [u for u in likely if u == "nm"]
        elif set(words) & _ENERGY:
            likely = [u for u in likely if u == "eV"]
        if len(likely) != 1:
            self.refuse(f"the unit of its axis {name!r}, which {runs}, cannot be told: {remedy}")
        return likely[0], f"axis taken as {likely[0]} because it {runs}"

    def _unit_in_metadata(self) -> tuple[str | None, str | None]:
        for line in self.metadata:
            words = _words(line)
            if words and (
                words[0].startswith("xunit") or words[:2] in (["x", "unit"], ["x", "units"])
            ):
                for word in words[1:]:
                    if word in _UNIT_WORDS or word in _OTHER_UNITS:
                        return _UNIT_WORDS.get(word), _OTHER_UNITS.get(word)
        return None, None

    def trace(
        self,
        column: str | int | None = None,
        unit: str | None = None,
        column_hint: str = "column",
        unit_hint: str = "",
    ) -> Trace:
        """Return one spectrum, energies rising, missing points left out, repeated ones averaged.

        Parameters
        ----------
        column, unit, column_hint, unit_hint
            As for `find` and `axis_unit`.

        Raises
        ------
        ParameterError
            If the column or the unit cannot be told, an energy is not above zero, or too few
            points are left.
        """
        chosen = self.find(column, column_hint)
        axis = self.axis_of(chosen)
        which, note = self.axis_unit(axis, unit, unit_hint)
        x, y = self.values[:, axis], self.values[:, chosen]
        notes = [*self.notes, note]
        wrong = np.flatnonzero(~(x > 0) & ~np.isnan(x) | np.isinf(x) | np.isnan(x) & np.isfinite(y))
        if wrong.size:
            line, value = self.lines[wrong[0]], x[wrong[0]]
            self.refuse(f"line {line}: {self.names[axis]!r} is {value:g} and must be above 0")
        over = np.isinf(y)
        missing = np.isnan(y) & ~np.isnan(x)
        for left_out, what in ((missing, "missing"), (over, "over range")):
            if left_out.any():
                notes.append(f"{_count(int(left_out.sum()), 'value')} {what}, left out")
        good = np.isfinite(x) & np.isfinite(y)
        energy = x[good] if which == "eV" else eV_from_nm(x[good])
        energies, place, repeats = np.unique(energy, return_inverse=True, return_counts=True)
        if energies.size < FEWEST:
            self.refuse(
                f"its column {self.names[chosen]!r} has values at {energies.size} energies and "
                f"needs at least {FEWEST} energies"
            )
        if (repeats > 1).any():
            notes.append(f"{_count(int((repeats > 1).sum()), 'energy')} repeated, averaged")
        averaged = np.bincount(place, weights=y[good]) / repeats
        return Trace(
            energies, averaged, which, self.names[chosen], tuple(note for note in notes if note)
        )


def intensity_per_eV(energy_eV: ArrayLike, intensity_per_nm: ArrayLike) -> FloatArray:
    r"""Return an intensity per unit energy from one per unit wavelength.

    :math:`I_E = I_\lambda\,|d\lambda/dE| = I_\lambda\,\lambda^2/hc`, in the intensity's unit per
    eV; absorbance, a ratio, needs no such factor.

    Parameters
    ----------
    energy_eV, intensity_per_nm : array_like
        Of shapes that broadcast.

    Raises
    ------
    ParameterError
        If an energy is not above zero.

    Notes
    -----
    Without the factor a Gaussian of standard deviation s at E is seen :math:`2s^2/E` too far to the
    blue. Source: Mooney and Kambhampati 2013, DOI 10.1021/jz401508t.
    """
    energy = np.asarray(energy_eV, dtype=float)
    return np.asarray(np.asarray(intensity_per_nm, dtype=float) * nm_from_eV(energy) / energy)


def read_table(path: str | Path, kind: str = "file", fewest: int = FEWEST) -> Table:
    """Read the table of a text file.

    Parameters
    ----------
    path : str or pathlib.Path
        The file.
    kind : str
        What a refusal calls it, such as ``absorption file``.
    fewest : int
        How many rows it needs.

    Returns
    -------
    Table

    Raises
    ------
    ParameterError
        If the file cannot be used; one sentence says why, with the line number.
    """
    path = Path(path)
    source = f"the {kind} {path.name}"
    text, notes = _decode(path, source)
    raw = re.split(r"\r\n|\r|\n", text.rstrip("\x1a"))
    dialect = _dialect(raw)
    lines = [_line(number, line, dialect) for number, line in enumerate(raw, start=1)]
    rows, before, after = _find_table(lines, dialect, source, fewest)
    header = _header(before, rows, dialect)
    _refuse_a_spoilt_row(header, before, dialect, source)
    if not header and len(rows) > 1 and _value(rows[0].cells[0], dialect.decimal) == 0.0:
        # A matrix with an empty corner: its first line holds the names of the columns.
        rows, header = rows[1:], [rows[0].cells]
    if len(rows) < fewest:
        _refuse(source, f"it has {len(rows)} rows of numbers and needs at least {fewest} energies")
    values, columns = _numbers(rows, header, dialect, source)
    labels = tuple(
        tuple(cells[i].strip() if i < len(cells) else "" for cells in header)
        for i in range(columns)
    )
    names = tuple(
        " ".join(filter(None, label)) or f"column {i}" for i, label in enumerate(labels, start=1)
    )
    return Table(
        source,
        names,
        labels,
        values,
        np.array([row.number for row in rows]),
        tuple(
            _COMMENT_MARKS.sub("", line.text).strip()
            for line in (*before, *after)
            if line.kind != "blank"
        ),
        dialect,
        notes,
    )


def _refuse(source: str, reason: str) -> NoReturn:
    raise ParameterError(f"{source} is not usable: {reason}.")


def _decode(path: Path, source: str) -> tuple[str, tuple[str, ...]]:
    """Return the text of a file and what had to be guessed for it."""
    try:
        raw = path.read_bytes()
    except OSError:
        _refuse(source, "it cannot be opened")
    if raw.startswith((b"PK\x03\x04", b"\xd0\xcf\x11\xe0")):
        _refuse(source, "it is a spreadsheet's workbook: export the sheet as CSV, in UTF-8")
    for mark, encoding in _MARKS:
        if raw.startswith(mark):
            try:
                return raw.decode(encoding), ()
            except UnicodeDecodeError:
                _refuse(source, f"its byte-order mark says {encoding} and it is not: use UTF-8")
    if b"\0" in raw:
        _refuse(source, "it is not text: export it as CSV, in UTF-8")
    try:
        return raw.decode("utf-8"), ()
    except UnicodeDecodeError:
        return raw.decode("latin-1"), ("not in UTF-8, read as Latin-1",)


def _split(text: str, separator: str | None) -> list[str]:
    if separator is None:
        return text.split()
    if '"' not in text:
        return text.split(separator)
    return next(csv.reader([text], delimiter=separator), [])


def _value(cell: str, decimal: str) -> float | None:
    """Return a cell's number; nan if missing, infinity if over range, None if it is no number."""
    text = cell.strip().replace("\N{MINUS SIGN}", "-")
    if _NUMBER[decimal].fullmatch(text):
        return float(text.replace(",", ".").replace("d", "e").replace("D", "e"))
    text = text.casefold()
    if text in _MISSING:
        return math.nan
    return math.inf if _OVER_RANGE.fullmatch(text) else None


def _filled(cells: Sequence[str]) -> int:
    """Return how many cells there are up to the last that is not empty."""
    return max((i for i, cell in enumerate(cells, start=1) if cell.strip()), default=0)


def _is_row(cells: Sequence[str], decimal: str) -> bool:
    if not cells:
        return False
    first = _value(cells[0], decimal)
    if first is None or not math.isfinite(first):
        return False
    return all(_value(cell, decimal) is not None for cell in cells[1:])


def _dialect(lines: Sequence[str]) -> Dialect:
    """Return the dialect in which most numbers stand beside another number."""
    sample = [line for line in lines if line.strip() and not _COMMENT.match(line)]
    sample = sample[:: 1 + len(sample) // _EVERY]

    def numbers(dialect: Dialect) -> int:
        rows = (_split(line, dialect.separator) for line in sample)
        return sum(
            math.isfinite(_value(cell, dialect.decimal) or 0.0)
            for row in rows
            if _is_row(row, dialect.decimal)
            for cell in row[1:]
        )

    return max(_DIALECTS, key=numbers)


def _line(number: int, text: str, dialect: Dialect) -> _Line:
    cells = _split(text, dialect.separator)
    if not any(cell.strip() for cell in cells):
        return _Line(number, text, [], "blank")
    if _COMMENT.match(text) and not _is_row(cells, dialect.decimal):
        return _Line(number, text, cells, "comment")
    return _Line(number, text, cells, "row" if _is_row(cells, dialect.decimal) else "text")


def _find_table(
    lines: Sequence[_Line], dialect: Dialect, source: str, fewest: int
) -> tuple[list[_Line], list[_Line], list[_Line]]:
    """Return the rows of the table, and the lines before and after it."""
    telling = [i for i, line in enumerate(lines) if line.kind in ("row", "text")]
    starts = [
        i
        for i, j in pairwise(telling)
        if lines[i].kind == lines[j].kind == "row" and _filled(lines[i].cells) > 1
    ]
    if not starts:
        _refuse(
            source,
            f"it holds no table of numbers, of which it needs at least {fewest} energies, one a "
            "line; save it as text, in UTF-8",
        )
    start = starts[0]
    last = max(i for i in telling if lines[i].kind == "row")
    for i in telling:
        line = lines[i]
        if i < start and line.kind == "row" and _filled(line.cells) == _filled(lines[start].cells):
            stopper = lines[next(j for j in telling if j > i)]
            _refuse(source, _not_a_row(stopper, dialect))
        if start < i < last and line.kind == "text":
            _refuse(source, _not_a_row(line, dialect))
    # Below the table only what a blank line or a lone cell without digits sets apart.
    for i in range(last + 1, len(lines)):
        if lines[i].kind == "blank":
            break
        alone = _filled(lines[i].cells) == 1 and not re.search(r"\d", lines[i].text)
        if lines[i].kind == "text" and not alone:
            _refuse(source, _not_a_row(lines[i], dialect))
    rows = [line for line in lines[start : last + 1] if line.kind == "row"]
    comments = [line for line in lines[start : last + 1] if line.kind == "comment"]
    return rows, list(lines[:start]), [*comments, *lines[last + 1 :]]


def _not_a_row(line: _Line, dialect: Dialect) -> str:
    """Return what is wrong with a line that should be a row."""
    text = line.text.strip()
    shown = repr(text if len(text) <= 40 else text[:37] + "...")
    for i, cell in enumerate(line.cells, start=1):
        value = _value(cell, dialect.decimal)
        if value is None:
            inside = repr(cell.strip()[:40])
            return (
                f"line {line.number} reads {shown} in the table: {inside} in column {i} is no "
                "number"
            )
        if i == 1 and not math.isfinite(value):
            return f"line {line.number} reads {shown} in the table: its first column is no number"
    return f"line {line.number} reads {shown} in the table"


def _header(before: Sequence[_Line], rows: Sequence[_Line], dialect: Dialect) -> list[list[str]]:
    """Return the cells of the header lines, from top to bottom; none if there are none."""
    columns = max(_filled(row.cells) for row in rows)
    above: list[list[str]] = []
    for line in reversed(before):
        if line.kind == "blank":
            if above:
                break
            continue
        above.append(_header_cells(line, columns, dialect))
        if len(above) == 4:
            break
    if not above or _filled(above[0]) < 2:
        return []
    # Names may stand above units and remarks, and a trace's name above its pair of columns.
    taken = 1
    for count in range(1, len(above)):
        if _filled(above[count]) > 1 and _names_axis((above[count][0],)):
            taken = count + 1
    pairs = sum(_names_axis((cell,)) for cell in above[0]) > 1
    if pairs and taken == 1 and len(above) > 1 and 1 < len(above[1]) <= columns + 1:
        taken = 2
    header = above[taken - 1 :: -1]
    # A line of text that happens to hold a separator is no header.
    if not _names_axis((header[0][0],)) and _filled(above[0]) < columns:
        return []
    return header


def _refuse_a_spoilt_row(
    header: Sequence[Sequence[str]], before: Sequence[_Line], dialect: Dialect, source: str
) -> None:
    """Refuse a lowest header line that looks like a first row with a bad number."""
    if not header:
        return
    first, *others = header[-1]
    numbers = all(_value(cell, dialect.decimal) is not None for cell in others)
    spoilt = len(header) > 1 or re.match(r"\s*[+-]?[\d.]", first)
    if numbers and spoilt and first.strip() and not _names_axis((first,)):
        line = next(line for line in reversed(before) if line.kind == "text")
        _refuse(source, _not_a_row(line, dialect))


def _header_cells(line: _Line, columns: int, dialect: Dialect) -> list[str]:
    text = _COMMENT_MARKS.sub("", line.text) if line.kind == "comment" else line.text
    if dialect.separator is not None:
        return _split(text, dialect.separator)
    for pattern in (r"\t+|\s{2,}", r"\s+", r"\s*[,;]\s*"):
        cells = re.split(pattern, text.strip())
        if len(cells) == columns:
            return cells
    return [text.strip()]


def _numbers(
    rows: Sequence[_Line], header: Sequence[Sequence[str]], dialect: Dialect, source: str
) -> tuple[FloatArray, int]:
    """Return the numbers of the rows, and how many columns there are."""
    filled = [_filled(row.cells) for row in rows]
    named = max((_filled(cells) for cells in header), default=0)
    columns = max(filled)
    usual = Counter(filled).most_common(1)[0][0]
    allowed = named or (usual if dialect.separator is None else columns)
    for row, count in zip(rows, filled, strict=True):
        if count > allowed or (dialect.separator is None and count < allowed):
            both = (
                "; if the comma is the decimal sign too, export with semicolons or tabs"
                if dialect.separator == "," and count == 2 * allowed
                else ""
            )
            _refuse(source, f"line {row.number} has {count} values for {allowed} columns{both}")
    columns = allowed
    values = np.full((len(rows), columns), np.nan)
    for i, row in enumerate(rows):
        for j, cell in enumerate(row.cells[:columns]):
            value = _value(cell, dialect.decimal)
            values[i, j] = math.nan if value is None else value
    return values, columns


def _words(text: str) -> list[str]:
    return re.findall(r"[^\W_]+", text.casefold())


def _names_axis(labels: Sequence[str]) -> bool:
    """Whether one of a column's labels says, and says only, that it is an axis."""
    return any(
        set(words) <= _AXIS | _BESIDE_AXIS and not set(words).isdisjoint(_AXIS)
        for words in map(_words, labels)
    )


def _count(number: int, noun: str) -> str:
    plural = noun[:-1] + "ies" if noun.endswith("y") else noun + "s"
    return f"{number} {noun if number == 1 else plural}"
