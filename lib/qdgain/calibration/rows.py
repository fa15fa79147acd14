"""The rows of the calibration: the readings of the paper, and which of their unknowns are free.

They are written in ``data/calibration_rows.toml``, with the range of every unknown.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cache, cached_property
from types import MappingProxyType
from typing import Any, NamedTuple

import numpy as np

from qdgain.model.bands import FWHM_PER_SIGMA
from qdgain.model.dot import Dot, FloatArray
from qdgain.model.parameters import PRESETS, read_data
from qdgain.paper.claims import claims

#: The claims that calibrate, in the order of every residual: five of the gain, four of the film.
TARGETS = (
    *("F8-3ls", "F8-3ls-esa", "F8-4ls", "F8-4ls-esa", "F8-max-esa"),
    *("F9-3ls", "F9-3ls-esa", "F9-4ls", "F9-4ls-esa"),
)
#: How many of them need no film.
OF_GAIN = 5
#: By how much a computed number may miss a stated one, as a fraction.
TOLERANCE = 0.1
#: The dots along the last axis of every candidate.
DOTS = ("3LS", "3LS+ESA", "4LS", "4LS+ESA")
SCHEMES = ("3ls", "4ls")
STATISTICS = ("rabi", "sequential", "poisson")
DEFINITIONS = ("maximum", "onset")
STRENGTHS = (
    *("xx_absorption_strength", "xx_emission_strength"),
    *("remaining_absorption", "full_dot_absorption"),
)
_FILM = ("gain_exponent", "pi_pulse_fluence_mJ_cm2")


class Unknown(NamedTuple):
    """One unknown: its unit, the range of its flat prior, and its value where it is not free."""

    name: str
    unit: str
    range: tuple[float, float]
    held: float
    log: bool = False

    @property
    def is_energy(self) -> bool:
        """Whether it is in units of s."""
        return self.unit == "s"

    def ends(self, doubled: bool = False) -> tuple[float, float]:
        """Return the ends of the range of the coordinate, as it is or twice as wide.

        Shifts double about zero, logarithms towards small values, because the contract bounds the
        strengths above; a weight between 0 and 1 stays.
        """
        low, high = self.range
        if self.log:
            low, high = float(np.log(low)), float(np.log(high))
            return (2 * low - high, high) if doubled else (low, high)
        factor = 2 if doubled and self.is_energy else 1
        return factor * low, factor * high


_TABLE = read_data("calibration_rows.toml")
#: The order of every full vector of coordinates.
UNKNOWNS = tuple(Unknown(name, **entry) for name, entry in _TABLE["unknowns"].items())
#: Name → place in that order.
INDEX: Mapping[str, int] = MappingProxyType({u.name: i for i, u in enumerate(UNKNOWNS)})
_IS_LOG = np.array([unknown.log for unknown in UNKNOWNS])
_HELD = np.array([np.log(u.held) if u.log else u.held for u in UNKNOWNS])


@dataclass(frozen=True)
class Row:
    """A reading of the paper, which of its unknowns are free, statistics and threshold definition.

    Parameters
    ----------
    name, reading, meaning : str
        What it is called, the `reading` of its dots, and what is tied, in words.
    groups : tuple of tuple of str
        The unknowns that each free parameter moves, all at one rate; J_π is the last.
    hole_states : int
        Of a degenerate band edge, which has two electron states.
    statistics, threshold : str
        One of `STATISTICS`, one of `DEFINITIONS`; an onset has its floor as one more unknown.
    """

    name: str
    reading: str
    meaning: str
    groups: tuple[tuple[str, ...], ...]
    hole_states: int = 2
    statistics: str = "rabi"
    threshold: str = "maximum"

    def under(self, statistics: str = "rabi", threshold: str = "maximum") -> Row:
        """Return the same row under other statistics, or another definition of the threshold."""
        own = tuple(group for group in self.groups if group != ("floor",))
        floor = (("floor",),) if threshold == "onset" else ()
        groups = (*own[:-1], *floor, own[-1])
        return replace(self, statistics=statistics, threshold=threshold, groups=groups)

    @property
    def label(self) -> str:
        """Its name with statistics and definition."""
        return f"{self.name} · {self.statistics} · {self.threshold}"

    @property
    def parameters(self) -> int:
        """How many free parameters there are."""
        return len(self.groups)

    @cached_property
    def names(self) -> tuple[str, ...]:
        """What each free parameter is called: the first unknown that it moves."""
        return tuple(group[0] for group in self.groups)

    @property
    def has_esa(self) -> bool:
        """Whether the reading has excited-state absorption at all."""
        return self.reading not in ("uncorrelated", "degenerate")

    def ranges(self, doubled: bool = False) -> tuple[FloatArray, FloatArray]:
        """Return the ends of the ranges of the free parameters, (P,) each."""
        low, high = np.array([UNKNOWNS[INDEX[name]].ends(doubled) for name in self.names]).T
        return low, high

    def full(self, free: FloatArray) -> FloatArray:
        """Return all coordinates, (K, 13), of free parameters (K, P)."""
        moves = np.array([[float(name in group) for name in INDEX] for group in self.groups])
        return np.asarray(np.atleast_2d(free) @ moves + np.where(moves.any(axis=0), 0.0, _HELD))

    def values(self, free: FloatArray) -> dict[str, FloatArray]:
        """Return the unknowns of free parameters (K, P) by name, (K,) each, energies in meV."""
        full = self.full(free)
        v = np.where(_IS_LOG, np.exp(np.where(_IS_LOG, full, 0.0)), full)
        scale = [width_meV() if unknown.is_energy else 1.0 for unknown in UNKNOWNS]
        return dict(zip(INDEX, (v * scale).T, strict=True))

    def dots(self, values: Mapping[str, Any]) -> Dot:
        """Return the 3LS and 4LS with ESA of unknowns by name, (K,) each: a dot of shape (K, 2).

        What they are without it is `Dot.uncorrelated`.
        """
        used = STRENGTHS if self.reading == "mixed" else STRENGTHS[:2] if self.has_esa else ()
        own: dict[str, Any] = dict.fromkeys(STRENGTHS[:2], 1.0)
        own |= {name: np.asarray(values[name])[..., None] for name in used}
        for shift, field in (
            ("stokes", "stokes_shift_meV"),
            ("absorptive", "absorptive_binding_meV"),
            ("emissive", "emissive_binding_meV"),
        ):
            own[field] = np.stack([values[f"{shift}_{scheme}"] for scheme in SCHEMES], axis=-1)
        if self.reading == "degenerate":
            own |= {"electron_states": 2, "hole_states": self.hole_states}
        return Dot(**(PRESETS["shared"] | {"reading": self.reading}), **own)


def _row(free: list[str], **fields: Any) -> Row:
    groups = [tuple(entry.split(" + ")) for entry in (*free, *_FILM)]
    return Row(groups=tuple(groups), **fields)


#: Every row by name, under Rabi statistics and with thresholds at the gain maximum.
ROWS: Mapping[str, Row] = MappingProxyType({e["name"]: _row(**e) for e in _TABLE["row"]})


@cache
def _stated() -> FloatArray:
    return np.array([claims()[name].stated for name in TARGETS], dtype=float)


def stated_numbers() -> FloatArray:
    """Return the paper's numbers in the order of `TARGETS`."""
    return _stated().copy()


def width_meV() -> float:
    """Return s of the presets, which turns the solution's energies into meV."""
    return float(PRESETS["shared"]["linewidth_meV"]) / FWHM_PER_SIGMA
