"""Gain thresholds that are public, each with its source, and what they say about size."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache
from typing import NamedTuple

import numpy as np
import scipy

from qdgain.model import units
from qdgain.paper.table import rows

QUANTITIES = ("mean excitons", "fluence")
#: A straight line through fewer points has no uncertainty.
FEWEST_POINTS = 3


@dataclass(frozen=True)
class MeasuredThreshold:
    """One published gain threshold; what is not public is nan or empty, never estimated.

    Parameters
    ----------
    label, material : str
        Material, source and what tells it from its neighbours; material of the emitting core.
    measurement, pump : str
        ``SE`` or ``ASE``; ``band edge``, a photon energy, or ``not stated``.
    quantity : str
        One of `QUANTITIES`.
    value, low, high : float
        ⟨N⟩, or mJ cm⁻², and the stated uncertainty.
    bound : str
        ``below`` if the value is an upper bound, otherwise empty.
    volume_nm3 : float
        Of the dot.
    doi, seen_in, note : str
        Of the measurement; the public text the number was read in; what else to know.
    """

    label: str
    material: str
    measurement: str
    pump: str
    quantity: str
    value: float
    low: float
    high: float
    bound: str
    volume_nm3: float
    doi: str
    seen_in: str
    note: str

    def __post_init__(self) -> None:
        if self.quantity not in QUANTITIES:
            raise ValueError(f"{self.label}: {self.quantity!r} is none of {', '.join(QUANTITIES)}")
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
def measured_thresholds() -> tuple[MeasuredThreshold, ...]:
    """Return every stored threshold, from ``qdgain/data/literature_thresholds.csv``."""
    numbers = ("value", "low", "high", "volume_nm3")
    return tuple(MeasuredThreshold(**row) for row in rows("thresholds", numbers))


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
