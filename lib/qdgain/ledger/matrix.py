"""The statements under every population statistics and both definitions of the gain threshold.

Each combination is a column; it is no reading in the sense of `qdgain.model.states`. It is
evaluated twice: with parameters that the calibration solved for anew, and with the paper's presets.
A statement that holds under Rabi statistics alone depends on that assumption.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cache
from types import MappingProxyType
from typing import Any

from qdgain.calibration.record import FILM, best, calibrated, meets
from qdgain.calibration.rows import ROWS, TARGETS
from qdgain.figures import fig08, fig09, fig10
from qdgain.ledger import verdicts
from qdgain.model.dot import Dot, presets
from qdgain.paper.claims import Claim, Headline, claims
from qdgain.run import Run, resolve

THRESHOLDS = ("maximum", "onset")
STATISTICS = ("rabi", "sequential", "poisson")
#: What the definition of the gain threshold changes: headline to that of the onset.
_ONSETS = MappingProxyType(
    {f"fig08-threshold-{dot}": f"fig08-onset-{dot}" for dot in ("3ls", "3ls-esa", "4ls", "4ls-esa")}
)
#: The functions of chapters that depend on the reading and need no saturation.
_SOURCES = (
    (fig08, fig08.headlines),
    (fig09, fig09.small_signal_headlines),
    (fig10, fig10.headlines_at_maximum),
)


@dataclass(frozen=True)
class Reading:
    """One column of the matrix: one of `THRESHOLDS`, one of `STATISTICS`, and parameters.

    If ``refitted`` they were solved for under this reading, otherwise they are the presets. The
    dots have names; the chapters' settings are statistics, floor and film.
    """

    threshold: str
    statistics: str
    refitted: bool
    dots: Mapping[str, Dot]
    settings: Mapping[str, Any]


@dataclass(frozen=True)
class Cell:
    """What one reading gives for one statement: the number, and whether the statement holds."""

    headline: Headline
    holds: bool


def _cell(claim: Claim, found: Mapping[str, Headline]) -> Cell | None:
    """Return what a reading's numbers say of a statement, None if nothing is compared.

    A number that calibrates has to be met within the calibration's tolerance.
    """
    headline, agrees, *_ = verdicts.answer(claim, found)
    if claim.id in TARGETS and claim.stated is not None and headline is not None:
        agrees = verdicts.meets_calibration(claim, headline.value)
    return None if agrees is None or headline is None else Cell(headline, agrees)


def best_row(threshold: str, statistics: str) -> Mapping[str, Any]:
    """Return the calibration's best point for a definition and a law.

    Of the rows that meet every number within the tolerance and every condition the one with the
    fewest free parameters, of those the smallest residual. If none does, the smallest residual with
    the conditions asked for.
    """

    def rank(found: Mapping[str, Any]) -> tuple[float, float]:
        return found["parameters"] if meets(found) else math.inf, found["largest_residual"]

    found = [best(row.under(statistics, threshold)) for row in ROWS.values()]
    return min(found, key=rank)


def conditions_met(found: Mapping[str, Any]) -> int:
    """Return how many conditions of the calibration a stored point meets, rounded as it is."""
    return sum(margin >= 0 for margin in found["conditions"])


def readings() -> tuple[Reading, ...]:
    """Return every reading, each refitted and then with the presets."""
    result = []
    for threshold in THRESHOLDS:
        for statistics in STATISTICS:
            found = best_row(threshold, statistics)
            row = ROWS[found["row"]].under(statistics, threshold)
            point = calibrated(row, found["values"])
            film = {name: float(getattr(point, name)) for name in (*FILM, "floor")}
            given = {"statistics": statistics}
            own = {n: x for n, x in film.items() if n != "floor" or threshold == "onset"}
            result += [
                Reading(threshold, statistics, True, point.dots, given | own),
                Reading(threshold, statistics, False, presets(), given),
            ]
    return tuple(result)


def numbers(reading: Reading) -> Mapping[str, Headline]:
    """Return the headlines that a reading changes, by key."""
    found: dict[str, Headline] = {}
    for module, headlines in _SOURCES:
        own = {k: v for k, v in reading.settings.items() if k in module.SETTINGS}
        run = Run(reading.dots, resolve(module.SETTINGS, own).settings)
        found |= {headline.key: headline for headline in headlines(run)}
    if reading.threshold == "onset":
        found |= {key: replace(found[onset], key=key) for key, onset in _ONSETS.items()}
    return found


@cache
def matrix() -> tuple[tuple[Reading, Mapping[str, Cell]], ...]:
    """Return every reading with its cells, by statement, for `rows`."""
    return tuple((reading, cells_of(reading)) for reading in readings())


def cells_of(reading: Reading) -> Mapping[str, Cell]:
    """Return what a reading gives for every statement whose numbers it has, by id."""
    found = numbers(reading)
    known = frozenset(found)
    cells = {claim.id: _cell(claim, found) for claim in _candidates(known)}
    return MappingProxyType({name: cell for name, cell in cells.items() if cell is not None})


@cache
def _candidates(known: frozenset[str]) -> Sequence[Claim]:
    """Return the statements about the model with all their numbers among those that are known."""
    return [
        claim
        for claim in claims().values()
        if claim.kind in "CPQX" and not claim.missing and verdicts.keys_of(claim) <= known
    ]


def rows() -> tuple[Claim, ...]:
    """Return the statements of the matrix: those whose number differs from column to column."""
    columns = [cells for _, cells in matrix()]
    return tuple(
        claim
        for claim in claims().values()
        if claim.id in columns[0]
        and len({column[claim.id].headline.value for column in columns}) > 1
    )


def hanging_on_rabi(refitted: bool = True) -> tuple[Claim, ...]:
    """Return the statements that hold under Rabi statistics alone, at the gain maximum.

    Each statistics has parameters of its own, or, if not ``refitted``, all have the presets.
    """
    return _told_apart(True, refitted)


def failing_on_rabi() -> tuple[Claim, ...]:
    """Return the statements that fail under Rabi statistics and hold refitted under another."""
    return _told_apart(False, True)


def _told_apart(holds: bool, refitted: bool) -> tuple[Claim, ...]:
    """Return what holds or fails under Rabi statistics, and the other way round under another."""
    rabi, *others = (
        cells
        for reading, cells in matrix()
        if reading.refitted is refitted and reading.threshold == "maximum"
    )
    return tuple(
        claim
        for claim in rows()
        if rabi[claim.id].holds is holds
        and any(cells[claim.id].holds for cells in others) is not holds
    )
