"""Evaluate the paper's statements over each reading's set of parameters, see `shares`."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from typing import Any

import numpy as np

from qdgain.calibration.record import points
from qdgain.calibration.rows import ROWS
from qdgain.ledger.matrix import Cell, Reading, cells_of
from qdgain.stored import Again, rounded

#: Points of each row at which every statement is evaluated.
POINTS = 200
_QUANTILES = (0.05, 0.5, 0.95)


def cells_at(row: str, index: int) -> Mapping[str, Cell]:
    """Return what the statements come to at one stored point of a row, by their ids."""
    film = points(row)
    dots = {name: dot.at(index) for name, dot in film.dots.items()}
    settings = {
        "statistics": ROWS[row].statistics,
        "gain_exponent": float(film.gain_exponent[index]),
        "pi_pulse_fluence_mJ_cm2": float(film.pi_pulse_fluence_mJ_cm2[index]),
    }
    return dict(cells_of(Reading("maximum", ROWS[row].statistics, True, dots, settings)))


def make() -> dict[str, Any]:
    """Return the answers of every statement at the points of every row."""
    jobs = [(row, index) for row in ROWS for index in chosen(row)]
    of_rows: dict[str, list[Mapping[str, Cell]]] = {row: [] for row in ROWS}
    with ProcessPoolExecutor(mp_context=get_context("spawn")) as pool:
        found = pool.map(cells_at, *zip(*jobs, strict=True), chunksize=20)
        for (row, _), cells in zip(jobs, found, strict=True):
            of_rows[row].append(cells)
    return {row: _summary(cells) for row, cells in of_rows.items()}


def chosen(row: str) -> list[int]:
    """Return which of a row's stored points are evaluated: evenly spread over them."""
    count = points(row).gain_exponent.size
    return [int(index) for index in np.linspace(0, count - 1, POINTS).round()]


def _mark(cell: Cell) -> str:
    return "-" if np.isnan(cell.headline.value) else str(int(cell.holds))


def _summary(cells: list[Mapping[str, Cell]]) -> dict[str, Any]:
    """Return whether each statement holds at each point, and its number's quantiles.

    As 1 and 0; ``-`` where its number is not defined, such as a spike beyond the π pulse.
    """
    result = {}
    for name in set.intersection(*(set(point) for point in cells)):
        own = [point[name] for point in cells]
        values = np.array([cell.headline.value for cell in own], dtype=float)
        told = values[~np.isnan(values)]
        spread = np.quantile(told, _QUANTILES, method="nearest") if told.size else [np.nan] * 3
        result[name] = {
            "holds": "".join(map(_mark, own)),
            "number": [rounded(x, 3) if np.isfinite(x) else None for x in spread],
        }
    return dict(sorted(result.items()))


def again(result: Mapping[str, Any], random: np.random.Generator) -> Iterator[Again]:
    """Compute one point of two rows anew, chosen at random."""
    for row in random.choice(list(result), 2, replace=False):
        which = chosen(str(row))
        place = int(random.integers(len(which)))
        now = cells_at(str(row), which[place])
        for name, found in result[row].items():
            what = f"{name} at point {which[place]} of {row}"
            marks = found["holds"][place], _mark(now[name])
            yield Again(what, *(float("-01".index(mark)) for mark in marks))
