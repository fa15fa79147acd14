"""The points of a sweep: a grid over ranges and lists, and rows of a table, checked wholly."""

from __future__ import annotations

import csv
import hashlib
import io
import json
import math
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from qdgain.files import read_text, sha256_of, unusable
from qdgain.model.parameters import CONTRACT, Parameter, ParameterError
from qdgain.reruns.request import checked, entry_of, value_of

#: A column of values: floats (nan where the parameter's stand-in is meant), integers or text.
Column: TypeAlias = NDArray[Any]
#: Of a table of points, and of the values of one parameter; a grid of several may be larger.
MOST_ROWS = 1_000_000
_TABLE = "table of points"
_WHOLE = re.compile(r"\d{1,12}", re.ASCII)
_DECIMAL_COMMA = re.compile(r"[+-]?\d*,\d+([eE][+-]?\d+)?")
_SEPARATORS = (",", ";", "\t")
_sha256 = cache(sha256_of)


#: An axis of a sweep: a column for each of its parameters, all of one length.
Axis: TypeAlias = Mapping[str, Column]


@dataclass(frozen=True, eq=False)
class Points:
    """Every combination of the values of some axes, the last axis running fastest."""

    axes: tuple[Axis, ...]

    @property
    def names(self) -> tuple[str, ...]:
        """The parameters that vary."""
        return tuple(name for axis in self.axes for name in axis)

    @property
    def sizes(self) -> tuple[int, ...]:
        """How many values, or rows, each axis has."""
        return tuple(len(next(iter(axis.values()))) for axis in self.axes)

    @property
    def size(self) -> int:
        """How many points there are."""
        return math.prod(self.sizes)

    def block(self, start: int, stop: int) -> dict[str, Column]:
        """Return some of the points, a column for each parameter."""
        indices = np.unravel_index(np.arange(start, stop), self.sizes)
        return {
            name: column[index]
            for axis, index in zip(self.axes, indices, strict=True)
            for name, column in axis.items()
        }

    def between(self, start: int, stop: int) -> tuple[Points, int]:
        """Return fewer points that include some of these, and where those begin among them.

        Of the first axis only what is needed is kept, so that little has to travel.
        """
        first, *others = self.axes
        each = math.prod(self.sizes[1:])
        low, high = start // each, -(-stop // each)
        few = {name: column[low:high] for name, column in first.items()}
        return Points((few, *others)), start - low * each

    def each(self) -> Iterator[dict[str, Any]]:
        """Yield the points one by one, as parameters; None for a stand-in."""
        columns = self.block(0, self.size)
        for row in zip(*columns.values(), strict=True):
            yield dict(zip(columns, map(scalar, row), strict=True))

    def record(self) -> list[dict[str, Any]]:
        """Return what tells these points from others, for JSON; of tables and long axes a hash."""
        found: list[dict[str, Any]] = []
        for axis, size in zip(self.axes, self.sizes, strict=True):
            values: dict[str, Any] = {
                n: [identity(n, scalar(value)) for value in axis[n]] for n in axis
            }
            if len(values) > 1 or size > 1000:
                values = {", ".join(values): {"rows": size, "sha256": hash_of(values)}}
            found.append(values)
        return found


def points(
    known: tuple[str, ...], over: Sequence[str], tables: Sequence[str | Path], fixed: Sequence[str]
) -> Points:
    """Return the points that a user asks for, every value checked.

    Of the ``known`` parameters ``fixed`` are those set to one value for all points. Each text in
    ``over`` is ``name=start:stop:count`` or ``name=a,b,c``; for tables see `read_points`.

    Raises
    ------
    ParameterError
        If a name or value is refused, stands twice, or is both fixed and swept; one sentence.
    """
    axes = [axis_of(text, known) for text in over]
    axes += [read_points(path, known) for path in tables]
    if not axes:
        raise ParameterError("a sweep needs something to go over: give --over or --points.")
    found = Points(tuple(axes))
    for position, name in enumerate(found.names):
        if name in found.names[:position]:
            raise ParameterError(f"{name} is swept twice.")
        if name in fixed:
            raise ParameterError(f"{name} is both fixed and swept: leave out one of the two.")
    return found


def axis_of(text: str, known: tuple[str, ...]) -> Axis:
    """Return the axis that a text such as ``stokes_shift_meV=20:120:11`` stands for."""
    name, equals, values = text.partition("=")
    if not equals or not name:
        raise ParameterError(
            f"{text!r} is nothing to go over: write name=start:stop:count or name=a,b,c."
        )
    entry = entry_of(name, known)
    if ":" in values and entry.kind in ("number", "integer"):
        return {name: _steps(entry, values)}
    texts = values.split(",")
    column = _column(entry, texts, known, lambda _: "")
    _refuse_repeats({name: column}, lambda i, _: f"{name}: {texts[i]}")
    return {name: column}


def _steps(entry: Parameter, text: str) -> Column:
    def refused(reason: str) -> ParameterError:
        return ParameterError(f"{entry.name} = {text!r} is not allowed: {reason}.")

    parts = text.split(":")
    if len(parts) != 3 or not _WHOLE.fullmatch(parts[2]) or int(parts[2]) < 2:
        how = "start:stop:count with a whole number from 2 as count, or values with commas"
        raise refused(f"write {how}")
    start, stop = (entry.check(value_of(entry, part)) for part in parts[:2])
    if start is None or stop is None:
        raise entry.refusal("none")
    if start == stop:
        raise refused("start and stop are alike")
    count = int(parts[2])
    if count > MOST_ROWS:
        raise refused(f"one parameter takes at most {MOST_ROWS} values")
    if entry.kind == "integer" and (stop - start) % (count - 1):
        raise refused("these steps are no whole numbers")
    return np.linspace(start, stop, count).astype(int if entry.kind == "integer" else float)


def _column(
    entry: Parameter, texts: Sequence[str], known: tuple[str, ...], where: Callable[[int], str]
) -> Column:
    """Return the checked values of some texts; ``where`` says where one stands, for a refusal."""
    if entry.kind == "number":
        # All at once; only a refusal is looked for one by one.
        try:
            values = [value_of(entry, text) for text in texts]
            column = np.array([math.nan if value is None else value for value in values])
            given = column[~np.isnan(column)]
            if given.size:
                entry.check(given)
            return column + 0.0  # -0 is 0
        except ParameterError:
            pass
    found = []
    for position, text in enumerate(texts):
        try:
            found.append(checked(entry.name, value_of(entry, text), known))
        except ParameterError as refusal:
            raise ParameterError(f"{where(position)}{refusal}") from None
    return np.array(found)


def read_points(path: str | Path, known: tuple[str, ...]) -> Axis:
    """Return the points of a CSV file: names in its first line, then a point a line.

    Separated by commas, or by semicolons or tabs, and then with decimal points or commas. Paths in
    it are taken from the file's own folder.

    Raises
    ------
    ParameterError
        If the file cannot be used; one sentence says why, with the line number.
    """
    path = Path(path)
    (_, header), *rows = _rows(path)
    for position, name in enumerate(header):
        if not name:
            raise unusable(_TABLE, path, f"column {position + 1} has no name")
        if name in header[:position]:
            raise unusable(_TABLE, path, f"{name} stands twice in its first line")
        entry_of(name, known)
    for number, cells in rows:
        if len(cells) != len(header):
            fault = f"line {number} has {len(cells)} values for {len(header)} columns"
            raise unusable(_TABLE, path, fault)
    if not rows:
        raise unusable(_TABLE, path, "it has no rows below the names")

    def where(position: int) -> str:
        return f"line {rows[position][0]} of {path.name}"

    columns = {}
    for position, name in enumerate(header):
        texts = [cells[position] for _, cells in rows]
        if CONTRACT[name].kind == "file":
            texts = [text and str(path.parent / text) for text in texts]
        columns[name] = _column(CONTRACT[name], texts, known, lambda i: f"{where(i)}: ")
    _refuse_repeats(columns, lambda i, j: f"{where(i)} is line {rows[j][0]}")
    return columns


def _rows(path: Path) -> list[tuple[int, list[str]]]:
    """Return the lines of a CSV file that are not blank, with their numbers, split into cells."""
    text = read_text(_TABLE, path)
    first = next((line for line in text.splitlines() if line.strip()), "")
    # No parameter's name holds a separator, so the first line tells which it is.
    separator = max(_SEPARATORS, key=first.count)
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=separator, strict=True)
    found: list[tuple[int, list[str]]] = []
    try:
        for cells in reader:
            stripped = [cell.strip() for cell in cells]
            if separator != "," and found:
                stripped = [_with_point(cell) for cell in stripped]
            if any(stripped):
                found.append((reader.line_num, stripped))
            if len(found) > MOST_ROWS + 1:
                fault = f"it has more than {MOST_ROWS} rows; give a grid instead"
                raise unusable(_TABLE, path, fault)
    except csv.Error as error:
        raise unusable(_TABLE, path, f"line {reader.line_num} is not CSV: {error}") from None
    if not found:
        raise unusable(_TABLE, path, "it is empty")
    return found


def _with_point(cell: str) -> str:
    return cell.replace(",", ".") if _DECIMAL_COMMA.fullmatch(cell) else cell


def _refuse_repeats(axis: Axis, name: Callable[[int, int], str]) -> None:
    seen: dict[tuple[Any, ...], int] = {}
    for position, row in enumerate(zip(*axis.values(), strict=True)):
        before = seen.setdefault(tuple(map(scalar, row)), position)
        if before != position:
            raise ParameterError(f"{name(position, before)} again: give each point once.")


def scalar(value: Any) -> Any:
    """Return a value of a column as a parameter; None where its stand-in is meant."""
    plain = value.item() if isinstance(value, np.generic) else value
    return None if isinstance(plain, float) and math.isnan(plain) else plain


def identity(name: str, value: Any) -> Any:
    """Return what tells a value from others, for JSON: of a file its content."""
    if CONTRACT[name].kind == "file" and value:
        return f"sha256:{_sha256(value)}"
    return value


def hash_of(content: Any) -> str:
    """Return the SHA-256 of content as JSON."""
    text = json.dumps(content, sort_keys=True, ensure_ascii=False, allow_nan=False)
    return hashlib.sha256(text.encode()).hexdigest()


def definition(
    chapter: str, points: Points, fixed: Mapping[str, Any], results: str
) -> dict[str, Any]:
    """Return what the results of a sweep depend on besides the library, for JSON."""
    return {
        "chapter": chapter,
        "points": points.record(),
        "fixed parameters": {name: identity(name, value) for name, value in fixed.items()},
        "results": results,
    }
