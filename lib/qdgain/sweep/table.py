"""The tidy table of a sweep as CSV and Parquet, and what its columns mean."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import pyarrow as pa
from pyarrow import parquet

from qdgain.files import write_whole, written_aside
from qdgain.model.parameters import CONTRACT
from qdgain.version import __version__, library_hash

# The default one asks for a gigabyte of address space before anything is in it.
pa.set_memory_pool(pa.system_memory_pool())
CSV_FILE, PARQUET, COLUMNS_FILE = "table.csv", "table.parquet", "columns.csv"
_TYPES = {"number": pa.float64(), "integer": pa.int64(), "text": pa.string()}


class Quantity(NamedTuple):
    """A column: its name, unit, meaning, and ``number``, ``integer`` or ``text``."""

    name: str
    unit: str
    meaning: str
    kind: str = "number"


def of_parameter(name: str) -> Quantity:
    """Return the column of a parameter, as the contract describes it."""
    entry = CONTRACT[name]
    kind = entry.kind if entry.kind in ("number", "integer") else "text"
    return Quantity(name, entry.unit, entry.meaning, kind)


def schema_of(quantities: Iterable[Quantity], about: Mapping[str, str]) -> pa.Schema:
    """Return the Parquet schema of columns, with unit and meaning of each, and what it is of."""
    fields = [
        pa.field(q.name, _TYPES[q.kind], metadata={"unit": q.unit, "meaning": q.meaning})
        for q in quantities
    ]
    return pa.schema(fields, metadata=dict(about))


def about(chapter: str) -> dict[str, str]:
    """Return what a table is of, for its metadata."""
    return {
        "chapter": chapter,
        "qdgain_version": __version__,
        "qdgain_library_hash": library_hash(),
    }


def write_columns(folder: Path, quantities: Sequence[Quantity]) -> None:
    """Write what the columns mean, a line each."""
    text = _csv([("column", "unit", "meaning"), *((q.name, q.unit, q.meaning) for q in quantities)])
    write_whole(folder / COLUMNS_FILE, text)


def write(
    folder: Path,
    quantities: Sequence[Quantity],
    rows: Sequence[Mapping[str, Any]],
    about: Mapping[str, str],
) -> None:
    """Write a table, whose rows map column to value, and the meaning of its columns.

    What is missing in a row is blank in CSV and null in Parquet.
    """
    names = [q.name for q in quantities]
    text = _csv([names, *([row.get(name) for name in names] for row in rows)])
    schema = schema_of(quantities, about)
    arrays = [pa.array([row.get(field.name) for row in rows], type=field.type) for field in schema]
    write_columns(folder, quantities)
    write_whole(folder / CSV_FILE, text)
    with written_aside(folder / PARQUET) as aside:
        parquet.write_table(pa.Table.from_arrays(arrays, schema=schema), aside)


def _csv(rows: Iterable[Sequence[Any]]) -> str:
    stream = io.StringIO()
    csv.writer(stream, lineterminator="\n").writerows(rows)
    return stream.getvalue()
