"""From tables of text to spectra: which columns are axes, which traces, and their names."""

from __future__ import annotations

import math
import re
from collections.abc import Iterator, Sequence
from typing import NamedTuple

import numpy as np

from qdgain.measured.instruments import text
from qdgain.measured.instruments.axis import likely_axis, names_axis, names_count
from qdgain.measured.instruments.naming import Header, header_of
from qdgain.measured.instruments.text import Dialect, Line, Unusable, filled
from qdgain.model.dot import FloatArray

#: A name that is a number, with or without a unit.
_NUMBER = re.compile(r"([+-]?\d*[.,]?\d+(?:[eE][+-]?\d+)?)\s*(fs|ps|ns|us|µs|μs|ms|s|min|nm|)")
_UNIT_OF = {"sec": "s", "secs": "s", "μs": "us", "µs": "us"}
_NONE = np.array([])
_TIME_UNIT = re.compile(r"(?<![a-z])(fs|ps|ns|us|µs|μs|ms|s|secs?|min)(?![a-z])", re.IGNORECASE)


class Raw(NamedTuple):
    """One trace as the file holds it, of P points, nan where missing and infinite over range.

    Its name, what axis and values are called, all labels it answers to, its column from 1, and the
    line of each point; the block it stands in; the number that its name is, such as a delay, with
    its unit or ""; and what the file says of the axis elsewhere.
    """

    name: str
    x: FloatArray
    y: FloatArray
    axis: str = ""
    quantity: str = ""
    labels: tuple[str, ...] = ()
    number: int = 0
    lines: tuple[int, ...] = ()
    block: str = ""
    position: float | None = None
    position_unit: str = ""
    stated: str = ""


def traces_of_lines(
    lines: Sequence[Line], dialect: Dialect, fewest: int, sheet: str = ""
) -> tuple[list[Raw], tuple[str, ...]]:
    """Return the traces of every table of a file, and the lines of text beside the tables."""
    found = text.find_tables(lines, dialect, fewest)
    inside = {row.number for _, rows in found for row in rows}
    others = [x for x in lines if x.number not in inside and x.kind != "blank"]
    about = tuple(line.bare.strip() for line in others)
    headers = [header_of(before, rows, dialect) for before, rows in found]
    titles = [header.title for header in headers]
    time = next((x for x in about if re.match(r"\W*(time|delay)s? units?\W", x, re.I)), "")
    traces: list[Raw] = []
    for number, ((_, rows), header) in enumerate(zip(found, headers, strict=True), start=1):
        own = header.title if titles.count(header.title) == 1 else ""
        own = (own or str(number)) if len(found) > 1 else ""
        block = " ".join(filter(None, (sheet, own)))
        facts = Raw("", _NONE, _NONE, "", header.quantity, block=block, stated=header.axis)
        facts = facts._replace(position_unit=time)
        traces += _of_table(rows[header.first :], header, facts, dialect, fewest)
    return traces, about


def _of_table(
    rows: list[Line], header: Header, facts: Raw, dialect: Dialect, fewest: int
) -> Iterator[Raw]:
    """Return the traces of a table, of which some facts are known, and a line on its times."""
    width = max(map(filled, header.rows), default=0)
    values = text.numbers_of(rows, dialect, width if width > 1 else 0)
    columns = range(values.shape[1])
    names = [[*map(str.strip, cells), *[""] * len(columns)] for cells in header.rows]
    labels = [tuple(cells[i] for cells in names) for i in columns]
    corner = " ".join(labels[0])
    time = _TIME_UNIT.search(corner) or _TIME_UNIT.search(facts.position_unit)
    unit = time[1].casefold() if time else ""
    facts = facts._replace(position_unit=_UNIT_OF.get(unit, unit))
    across, lead = _across(header, dialect)
    if across.size and _spectra_in_rows(across, values[:, 0], corner):
        return _from_rows(facts._replace(x=across, axis=corner), rows, values, lead)
    if len(rows) < fewest:
        raise Unusable(f"it has {len(rows)} rows of numbers and needs at least {fewest} energies")
    lines = tuple(row.number for row in rows)
    return _from_columns(facts._replace(lines=lines), labels, values, dialect)


def _across(header: Header, dialect: Dialect) -> tuple[FloatArray, int]:
    """Return the numbers in the lowest line of names, and how many cells come before them."""
    cells = header.rows[-1][: filled(header.rows[-1])] if header.rows else []
    lead = max(1, next((i for i, cell in enumerate(cells) if cell.strip()), 0))
    numbers = [dialect.value(cell) for cell in cells[lead:]]
    finite = [x for x in numbers if x is not None and math.isfinite(x)]
    return np.array(finite if len(finite) == len(numbers) > 1 else []), lead


def _spectra_in_rows(across: FloatArray, first: FloatArray, corner: str) -> bool:
    """Whether the axis runs across: a corner decides that names one of the two, else the values."""
    time = bool(_TIME_UNIT.search(corner) or re.search(r"time|delay", corner, re.IGNORECASE))
    if time != names_axis(corner):
        return time and likely_axis(across) > 0
    return likely_axis(across) > likely_axis(first)


def _from_rows(facts: Raw, rows: list[Line], values: FloatArray, lead: int) -> Iterator[Raw]:
    for number, (row, own) in enumerate(zip(rows, values, strict=True), start=1):
        name = ", ".join(cell.strip() for cell in row.cells[:lead])
        yield facts._replace(
            name=name,
            y=own[lead:],
            labels=(name,),
            number=number,
            position=float(own[0]) if lead == 1 else None,
            lines=(row.number,) * facts.x.size,
        )


def _from_columns(
    facts: Raw, labels: Sequence[tuple[str, ...]], values: FloatArray, dialect: Dialect
) -> Iterator[Raw]:
    axes = [i for i, own in enumerate(labels) if any(map(names_axis, own))]
    axes = axes or [int(_counts_rows(values, labels))]
    others = {*axes, *(i for i, own in enumerate(labels) if any(map(names_count, own)))}
    beside = (i for i in range(axes[0] + 1, values.shape[1]) if i not in others)
    traces = [i for i in beside if np.isfinite(values[:, i]).any()]
    own_axis = [_axis_of(i, axes) for i in traces]
    own_labels = [_labels_of(*both, labels) for both in zip(traces, own_axis, strict=True)]
    alone = facts.quantity if len(traces) == 1 else ""
    every = zip(traces, _names(own_labels), strict=True)
    names = [name or alone or f"column {i + 1}" for i, name in every]
    numbers = [_NUMBER.fullmatch(name) for name in names]
    for i, axis, name, own, number in zip(
        traces, own_axis, names, own_labels, numbers, strict=True
    ):
        unit = (number[2] or facts.position_unit) if number else ""
        label = " ".join(filter(names_axis, labels[axis])) or " ".join(filter(None, labels[axis]))
        yield facts._replace(
            name=name,
            x=values[:, axis],
            y=values[:, i],
            axis=label or f"column {axis + 1}",
            labels=(name, " ".join(filter(None, own)), *filter(None, own)),
            number=i + 1,
            position=dialect.value(number[1]) if number and all(numbers) else None,
            position_unit=_UNIT_OF.get(unit, unit),
        )


def _counts_rows(values: FloatArray, labels: Sequence[Sequence[str]]) -> bool:
    """Whether the first column is the row's number, and the second one the axis."""
    first, unnamed = values[:, 0], not any(labels[0]) or any(map(names_count, labels[0]))
    counts = first[0] in (0, 1) and np.array_equal(first - first[0], np.arange(first.size))
    return bool(counts and unnamed and values.shape[1] > 2 and likely_axis(values[:, 1]))


def _axis_of(column: int, axes: Sequence[int]) -> int:
    """Return the nearest axis to the left; of axes side by side the first, which was measured."""
    axis = max((i for i in axes if i < column), default=axes[0])
    while axis - 1 in axes:
        axis -= 1
    return axis


def _labels_of(column: int, axis: int, labels: Sequence[tuple[str, ...]]) -> tuple[str, ...]:
    """Return the labels of a trace, with the name that some programs write above its axis."""
    if axis != column - 1:
        return labels[column]
    both = zip(labels[column], labels[axis], strict=True)
    return tuple(own or ("" if names_axis(beside) else beside) for own, beside in both)


def _names(labels: Sequence[tuple[str, ...]]) -> list[str]:
    """Return the first of several lines of labels that tells the traces apart, or all together."""
    joined = [" ".join(filter(None, own)) for own in labels]
    for row in zip(*labels, strict=True) if len(labels) > 1 else ():
        if all(row) and len(set(row)) == len(row):
            return list(row)
    return joined
