"""What is public beside the paper, each with its source: gain thresholds, shifts, a formula."""

from __future__ import annotations

import csv
from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass
from functools import cache
from typing import Any, ClassVar, NamedTuple

import numpy as np
import scipy
from numpy.typing import ArrayLike

from qdgain.model import units
from qdgain.model.dot import FloatArray
from qdgain.text import data_text

#: A straight line through fewer points has no uncertainty.
FEWEST_POINTS = 3


@dataclass(frozen=True)
class Published:
    """One published number; what is not public is nan or empty, never estimated.

    Parameters
    ----------
    label, material : str
        Material, source and what tells it from its neighbours; material of the emitting core.
    quantity : str
        One of ``QUANTITIES``.
    doi, seen_in, note : str
        Of the measurement; the public text the number was read in; what else to know.
    """

    QUANTITIES: ClassVar[tuple[str, ...]]

    label: str
    material: str
    quantity: str
    doi: str
    seen_in: str
    note: str

    def __post_init__(self) -> None:
        if self.quantity not in self.QUANTITIES:
            known = ", ".join(self.QUANTITIES)
            raise ValueError(f"{self.label}: {self.quantity!r} is none of {known}")


@dataclass(frozen=True)
class PublishedShift(Published):
    """One published shift, a binding positive to the red, or width.

    Parameters
    ----------
    value_meV, low_meV, high_meV : float
        The number, and the range printed with it; nan where the text seen has none.
    method : str
        How it was found.
    """

    QUANTITIES = ("emissive binding", "biexciton Stokes shift", "linewidth")

    value_meV: float
    low_meV: float
    high_meV: float
    method: str

    @property
    def is_public(self) -> bool:
        """Whether the text seen has a number."""
        return bool(np.isfinite(self.value_meV))

    @property
    def quoted(self) -> str:
        """The number as it was printed."""
        if not self.is_public:
            return "not in the text seen"
        if np.isfinite(self.low_meV):
            return f"{self.low_meV:g} to {self.high_meV:g} meV"
        return f"{self.value_meV:g} meV".replace("-", "−")


@dataclass(frozen=True)
class MeasuredThreshold(Published):
    """One published gain threshold.

    Parameters
    ----------
    measurement, pump : str
        ``SE`` or ``ASE``; ``band edge``, a photon energy, or ``not stated``.
    value, low, high : float
        ⟨N⟩, or mJ cm⁻², and the stated uncertainty.
    bound : str
        ``below`` if the value is an upper bound, otherwise empty.
    volume_nm3 : float
        Of the dot.
    """

    QUANTITIES = ("mean excitons", "fluence")

    measurement: str
    pump: str
    value: float
    low: float
    high: float
    bound: str
    volume_nm3: float

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.bound not in ("", "below"):
            raise ValueError(f"{self.label}: bound {self.bound!r} is neither empty nor below")

    @property
    def has_volume(self) -> bool:
        """Whether the dot's size is public."""
        return bool(np.isfinite(self.volume_nm3))

    @property
    def is_number(self) -> bool:
        """Whether it is a public ⟨N⟩, be it an upper bound."""
        return self.quantity == "mean excitons" and bool(np.isfinite(self.value))

    @property
    def quoted(self) -> str:
        """The threshold as it was printed."""
        if not np.isfinite(self.value):
            return "not public"
        sign = "< " if self.bound else ""
        if self.is_number:
            return f"⟨N⟩ {sign or '= '}{self.value:g}"
        fluence, error = (units.uJ_from_mJ(x) for x in (self.value, self.high - self.low))
        spread = f" ± {0.5 * error:.3g}" if np.isfinite(error) else ""
        return f"{sign}{fluence:g}{spread} µJ cm⁻²"


@cache
def published_shifts() -> tuple[PublishedShift, ...]:
    """Return every stored shift, from ``qdgain/data/literature_bindings.csv``."""
    numbers = ("value_meV", "low_meV", "high_meV")
    return tuple(PublishedShift(**row) for row in _rows("bindings", numbers))


@cache
def measured_thresholds() -> tuple[MeasuredThreshold, ...]:
    """Return every stored threshold, from ``qdgain/data/literature_thresholds.csv``."""
    numbers = ("value", "low", "high", "volume_nm3")
    return tuple(MeasuredThreshold(**row) for row in _rows("thresholds", numbers))


def _rows(name: str, numbers: Collection[str]) -> Iterator[dict[str, Any]]:
    """Yield the rows of a stored table; its numbers are nan where a cell is empty."""
    for row in csv.DictReader(data_text(f"literature_{name}.csv").splitlines()):
        yield row | {column: float(row[column] or np.nan) for column in numbers}


class SizeDependence(NamedTuple):
    """The slope d log⟨N⟩/d log V, its standard error, and the number of points behind it."""

    slope: float
    standard_error: float
    points: int


def size_dependence(points: Iterable[MeasuredThreshold]) -> SizeDependence:
    r"""Return the slope of log ⟨N⟩ against log V of the points with a public volume.

    Fluences, upper bounds and points without volume or number are left out. With fewer than
    `FEWEST_POINTS` points or a single volume, slope and error are nan.

    Notes
    -----
    Ordinary least squares. Source of the question: paper section 3.4, a universal threshold.
    """
    usable = [
        (p.volume_nm3, p.value) for p in points if p.is_number and not p.bound and p.has_volume
    ]
    volumes = {volume for volume, _ in usable}
    if len(usable) < FEWEST_POINTS or len(volumes) < 2:
        return SizeDependence(np.nan, np.nan, len(usable))
    volume, value = np.log(np.array(usable)).T
    fit = scipy.stats.linregress(volume, value)
    return SizeDependence(float(fit.slope), float(fit.stderr), len(usable))


def klimov_threshold(shift_over_width: ArrayLike) -> FloatArray:
    r"""Return the threshold of Klimov et al. for a biexciton that is shifted as a whole.

    :math:`\langle N\rangle_{th} = 2/(3 - e^{-\Delta^2/2s^2})`

    Parameters
    ----------
    shift_over_width : array_like
        Shift Δ of the biexciton, of either sign, over the standard deviation s of the line.
        Without a shift ⟨N⟩ is 1, far from the line 2/3.

    Notes
    -----
    Source: Klimov et al. 2007, DOI 10.1038/nature05839. It is the threshold of this model under
    sequential statistics at the centre of a line without a Stokes shift.
    """
    ratio = np.asarray(shift_over_width, dtype=float)
    return np.asarray(2 / (3 - np.exp(-0.5 * ratio**2)))
