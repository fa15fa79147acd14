"""The public record that rivals are held against, from ``data/public_record.toml``."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import scipy
from numpy.typing import ArrayLike

from qdgain.beyond.measurements import Measurement
from qdgain.model.dot import FloatArray
from qdgain.model.parameters import read_data
from qdgain.text import with_unit

#: How a text was seen; what a text states; on whose side a statement is quoted.
SEEN = ("full text", "abstract", "paper", "second hand")
COMPARISONS = ("equal", "above", "below")
SIDES = ("independence", "dependence")


@dataclass(frozen=True)
class Observable:
    """One published quantity, by its key in `qdgain.beyond.rivals.PREDICT`.

    The error is one standard deviation, of the logarithm where `relative`, and has its origin;
    the DOI is empty where it could not be confirmed; `printed` is what is not one number.
    """

    key: str
    name: str
    value: float
    error: float
    origin: str
    seen: str
    where: str
    doi: str
    compare: str = "equal"
    unit: str = "1"
    relative: bool = False
    printed: str = ""

    def __post_init__(self) -> None:
        _one_of(f"{self.key}: seen", self.seen, SEEN)
        _one_of(f"{self.key}: compare", self.compare, COMPARISONS)
        if not self.error > 0:
            raise ValueError(f"{self.key}: error = {self.error:g} is not above zero")
        if self.relative and not self.value > 0:
            raise ValueError(f"{self.key}: value = {self.value:g} has no logarithm")

    def coordinate(self, predicted: ArrayLike) -> FloatArray:
        """Return predictions less the stated number, or the difference of their logarithms."""
        x = np.asarray(predicted, dtype=float)
        return np.log(x) - np.log(self.value) if self.relative else x - self.value

    def off(self, predicted: ArrayLike, spread: ArrayLike = 0.0) -> FloatArray:
        """Return by how many standard deviations predictions are off; a bound that is kept is 0.

        The prediction's own spread is added to the error in squares.
        """
        z = np.asarray(self.coordinate(predicted) / np.hypot(self.error, spread))
        kept = {"equal": z == 0, "above": z > 0, "below": z < 0}[self.compare]
        return np.where(kept, 0.0, z)

    def log_likelihood(self, predicted: ArrayLike) -> FloatArray:
        """Return ln L: -z²/2, or the logarithm of the probability that a bound is kept."""
        z = self.coordinate(predicted) / self.error
        if self.compare == "equal":
            return np.asarray(-0.5 * z**2)
        return np.asarray(scipy.special.log_ndtr(z if self.compare == "above" else -z))

    @property
    def quoted(self) -> str:
        """The stated number or bound with its unit."""
        sign = {"equal": "", "above": "> ", "below": "< "}[self.compare]
        return sign + with_unit(self.printed or f"{self.value:g}", self.unit)

    @property
    def stated_error(self) -> str:
        """The error in words."""
        return (
            f"{100 * self.error:.0f} %"
            if self.relative
            else with_unit(f"{self.error:g}", self.unit)
        )


@dataclass(frozen=True)
class AugerStatement:
    """One published statement on the Auger lifetime, in our words, and the side it is quoted for.

    What was varied, what was held, and whether that can decide. A pulse or an Auger lifetime as
    the text seen states it, if it does.
    """

    source: str
    side: str
    statement: str
    varied: str
    held: str
    decided_by: str
    decides: bool
    seen: str
    doi: str
    pulse_ps: float = np.nan
    lifetime_ps: float = np.nan
    pulse_text: str = ""
    lifetime_text: str = ""

    def __post_init__(self) -> None:
        _one_of(f"{self.source}: seen", self.seen, SEEN)
        _one_of(f"{self.source}: side", self.side, SIDES)


class Pair(NamedTuple):
    """Threshold, as a range, and largest gain of the same dots."""

    name: str
    threshold: tuple[float, float]
    gain: float
    doi: str


@dataclass(frozen=True)
class Range:
    """A published range of widths or shifts at 300 K, and how it was seen."""

    name: str
    low_meV: float
    high_meV: float
    seen: str
    note: str
    doi: str

    def __post_init__(self) -> None:
        _one_of(f"{self.name}: seen", self.seen, SEEN)
        if not 0 < self.low_meV <= self.high_meV:
            raise ValueError(f"{self.name}: {self.low_meV:g} to {self.high_meV:g} meV is no range")


def _one_of(what: str, value: str, allowed: tuple[str, ...]) -> None:
    if value not in allowed:
        raise ValueError(f"{what} = {value!r} is none of {', '.join(allowed)}")


_ROWS = read_data("public_record.toml")
#: The published quantities, in the order of the table.
OBSERVABLES = tuple(Observable(**row) for row in _ROWS["observable"])
#: What could be measured, by key.
MEASUREMENTS: Mapping[str, Measurement] = {
    row["key"]: Measurement.of(row) for row in _ROWS["measurement"]
}
#: The published statements on Auger recombination and thresholds.
AUGER = tuple(AugerStatement(**row) for row in _ROWS["auger"])
#: The published pairs of threshold and largest gain.
PAIRS = tuple(Pair(**row) for row in _ROWS["pair"])
#: The published linewidths, single dots first, then samples; and the calculated Stokes shifts.
WIDTHS = tuple(Range(**row) for row in _ROWS["width"])
CALCULATED = Range(**_ROWS["reorganisation"][0])
