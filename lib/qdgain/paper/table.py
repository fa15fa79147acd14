"""The stored tables of public values, row by row."""

from __future__ import annotations

import csv
from collections.abc import Collection, Iterator
from typing import Any

import numpy as np

from qdgain.text import data_text


def rows(name: str, numbers: Collection[str]) -> Iterator[dict[str, Any]]:
    """Yield the rows of a table, from ``qdgain/data/literature_<name>.csv``.

    Parameters
    ----------
    name : str
        Of the table.
    numbers : collection of str
        The columns of numbers; nan where a cell is empty.
    """
    text = data_text(f"literature_{name}.csv")
    for row in csv.DictReader(text.splitlines()):
        yield row | {column: float(row[column] or np.nan) for column in numbers}
