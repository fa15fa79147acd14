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
    label, material : str
        Material and what tells it from its neighbours; that of the emitting core.
    quantity : str
        One of `QUANTITIES`; a binding is positive to the red.
    value_meV, low_meV, high_meV : float
        The number, and the range printed with it; nan where the text seen has none.
    method, doi, seen_in, note : str
        How it was found, its source, the public text it was read in, what else to know.
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
