"""In how much of each reading's set of parameters a statement holds, as stored.

A row of the calibration (`qdgain.calibration.rows.ROWS`) is a reading of the paper with its free
parameters, its set the stored draws of its posterior. `qdgain.ledger.over_readings` evaluates the
statements there: a verdict is a share, not a property of one preset.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from functools import cache
from types import MappingProxyType
from typing import NamedTuple

from qdgain.calibration.record import admitted
from qdgain.stored import stored

#: A statement holds in a row, or fails in it, in at least, or at most, this share of its set.
HOLDS, FAILS = 0.95, 0.05
#: How a verdict is said before the names, or the number, of the rows it is of.
_WORDS = {"holds": "holds in", "fails": "fails in", "undetermined": "in part of the points of"}


class Share(NamedTuple):
    """In what share of a row's set a statement holds; 5, 50 and 95 % of the number it rests on.

    Of the points at which its number is defined; nan where it is at fewer than half of them.
    """

    holds: float
    quantiles: tuple[float | None, ...]

    @property
    def verdict(self) -> str:
        """Holds, fails or undetermined."""
        if self.holds >= HOLDS:
            return "holds"
        return "fails" if self.holds <= FAILS else "undetermined"


class Over(NamedTuple):
    """A statement over the readings that give the paper's numbers: verdict of each, by row."""

    verdicts: Mapping[str, str]

    def where(self, verdict: str) -> tuple[str, ...]:
        """Return the rows with a verdict."""
        return tuple(row for row, own in self.verdicts.items() if own == verdict)

    @property
    def holds(self) -> bool | None:
        """Whether it holds in every row; None if in some, or undetermined."""
        found = set(self.verdicts.values())
        return {"holds": True, "fails": False}.get(found.pop()) if len(found) == 1 else None

    @property
    def counts(self) -> str:
        """It in how many rows."""
        if self.holds is not None:
            return f"{'holds' if self.holds else 'fails'} in all {len(self.verdicts)}"
        found = ((word, len(self.where(verdict))) for verdict, word in _WORDS.items())
        return ", ".join(f"{word} {count}" for word, count in found if count)

    @property
    def text(self) -> str:
        """It in words."""
        count = len(self.verdicts)
        if self.holds is not None:
            return f"{'holds' if self.holds else 'fails'} in every one of {count} readings"
        groups = ((word, self.where(verdict)) for verdict, word in _WORDS.items())
        return "; ".join(f"{word} {', '.join(rows)}" for word, rows in groups if rows)


def _share(marks: str) -> float:
    told = len(marks) - marks.count("-")
    return marks.count("1") / told if 2 * told >= len(marks) else math.nan


@cache
def shares() -> Mapping[str, Mapping[str, Share]]:
    """Return the share of each statement in each row, by row and by id."""
    return MappingProxyType(
        {
            row: {
                name: Share(_share(found["holds"]), (*found["number"],))
                for name, found in statements.items()
            }
            for row, statements in stored("shares").items()
        }
    )


@cache
def over(name: str) -> Over | None:
    """Return what becomes of a statement over the admitted rows; None if it was not evaluated."""
    if name not in shares()[admitted()[0]]:
        return None
    return Over({row: shares()[row][name].verdict for row in admitted()})
