"""Biexciton shifts and linewidths that are public, each with its source."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache

import numpy as np

from qdgain.paper.table import rows

QUANTITIES = ("emissive binding", "biexciton Stokes shift", "linewidth")


@dataclass(frozen=True)
class PublishedShift:
    """One published shift or width; what is not public is nan, never estimated.

    Parameters
    ----------
    label : str
        Material and what tells it from its neighbours.
    material : str
        Of the emitting core.
    quantity : str
        One of `QUANTITIES`; a binding is positive to the red.
    value_meV, low_meV, high_meV : float
        The number, and the range printed with it; nan where the text seen has none.
    method : str
        How it was found.
    doi : str
        Of the source.
    seen_in : str
        The public text the number was read in.
    note : str
        What else a reader must know.
    """

    label: str
    material: str
    quantity: str
    value_meV: float
    low_meV: float
    high_meV: float
    method: str
    doi: str
    seen_in: str
    note: str

    def __post_init__(self) -> None:
        if self.quantity not in QUANTITIES:
            raise ValueError(f"{self.label}: {self.quantity!r} is none of {', '.join(QUANTITIES)}")

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


@cache
def published_shifts() -> tuple[PublishedShift, ...]:
    """Return every stored shift, from ``qdgain/data/literature_bindings.csv``."""
    numbers = ("value_meV", "low_meV", "high_meV")
    return tuple(PublishedShift(**row) for row in rows("bindings", numbers))
