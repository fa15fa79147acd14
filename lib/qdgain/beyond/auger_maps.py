"""Thresholds of the presets over pulse length, build-up time and Auger lifetime, as stored."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from functools import cache
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import ArrayLike

from qdgain.beyond.pulse_threshold import PulseThreshold, Pump, ase_threshold, se_threshold
from qdgain.model.dot import Dot, FloatArray, presets
from qdgain.model.parameters import CONTRACT
from qdgain.stored import Again, rounded, stored

PULSES_PS = np.geomspace(0.1, 1e5, 13)
AUGER_PS = np.geomspace(1.0, 1e4, 17)
BUILD_UPS_PS = np.geomspace(0.1, 1e4, 11)
#: The pulse with which the build-up time is varied.
SHORT_PULSE_PS = 0.1
_DIGITS = 5
#: Kind of table to its first axis.
_FIRST = {"se": PULSES_PS, "present": PULSES_PS, "ase": PULSES_PS, "ase_build_up": BUILD_UPS_PS}


class Cases(NamedTuple):
    """A table of thresholds: down the first axis, across τ_XX and, last, without Auger."""

    first: FloatArray
    auger_ps: FloatArray
    #: Excitons absorbed per dot; for ``present`` those that the dots hold.
    with_auger: FloatArray
    without: FloatArray

    @property
    def ratio(self) -> FloatArray:
        """Each threshold over that without Auger recombination, of shape (first, τ_XX)."""
        return np.asarray(self.with_auger / self.without[:, None])


@dataclass(frozen=True)
class Conditions:
    """What is held fixed while pulse and Auger lifetime vary."""

    cooling_time_ps: float
    exciton_lifetime_ps: float
    read_delay_ps: float
    gain_exponent: float
    build_up_time_ps: ArrayLike

    @classmethod
    def of(cls, settings: Mapping[str, Any]) -> Conditions:
        """Return the conditions that a run's settings give, or the contract's defaults."""
        return cls(
            settings["cooling_time_ps"],
            1e3 * settings["exciton_lifetime_ns"],
            settings["read_delay_ps"],
            settings["gain_exponent"],
            settings["build_up_time_ps"],
        )

    def _pump(self, pulse_ps: ArrayLike, auger_ps: ArrayLike) -> Pump:
        return Pump(pulse_ps, auger_ps, self.cooling_time_ps, self.exciton_lifetime_ps)

    def se(self, dot: Dot, pulse_ps: ArrayLike, auger_ps: ArrayLike) -> PulseThreshold:
        """Return the thresholds of stimulated emission, see `se_threshold`."""
        return se_threshold(dot, self._pump(pulse_ps, auger_ps), self.read_delay_ps)

    def ase(self, dot: Dot, pulse_ps: ArrayLike, auger_ps: ArrayLike) -> FloatArray:
        """Return the ASE thresholds, see `ase_threshold`."""
        pump = self._pump(pulse_ps, auger_ps)
        return ase_threshold(dot, pump, self.gain_exponent, self.build_up_time_ps)


def default_conditions() -> Conditions:
    """Return the contract's conditions."""
    return Conditions.of({name: entry.default for name, entry in CONTRACT.items()})


def _computed(name: str, kind: str, first: ArrayLike, auger: ArrayLike) -> FloatArray:
    """Return thresholds of a preset; `first` is the pulse, or the build-up time."""
    dot, fixed = presets()[name], default_conditions()
    if kind == "ase_build_up":
        return replace(fixed, build_up_time_ps=first).ase(dot, SHORT_PULSE_PS, auger)
    if kind == "ase":
        return fixed.ase(dot, first, auger)
    se = fixed.se(dot, first, auger)
    return se.absorbed if kind == "se" else se.present


def make() -> dict[str, Any]:
    """Compute the tables of every preset."""
    columns = np.append(AUGER_PS, np.inf)
    return {
        name: {
            kind: _finite(_computed(name, kind, *np.meshgrid(first, columns, indexing="ij")))
            for kind, first in _FIRST.items()
        }
        for name in presets()
    }


def _finite(table: FloatArray) -> list[list[float | None]]:
    """Return rows as stored, None for a threshold out of reach: JSON has no infinity."""
    rows = rounded(table, _DIGITS)
    return [[value if np.isfinite(value) else None for value in row] for row in rows]


def again(result: Mapping[str, Any], random: np.random.Generator) -> Iterator[Again]:
    """Compute one point of every table of a preset anew."""
    name = str(random.choice(list(presets())))
    for kind, first in _FIRST.items():
        i, j = int(random.integers(first.size)), int(random.integers(AUGER_PS.size))
        now = float(_computed(name, kind, first[i], AUGER_PS[j]))
        value = result[name][kind][i][j]
        what = f"{name}, {kind}, {first[i]:.3g} ps, τ_XX = {AUGER_PS[j]:.3g} ps"
        yield Again(what, np.inf if value is None else value, now)


@cache
def cases(name: str, kind: str) -> Cases:
    """Return one table of a preset.

    Parameters
    ----------
    name : str
        Of the preset.
    kind : {"se", "present", "ase", "ase_build_up"}
        Absorbed excitons at the threshold of stimulated emission; excitons present there;
        absorbed excitons at the ASE threshold; the same over the build-up time, with short pulses.
    """
    rows = stored("auger")[name][kind]
    table = np.array([[np.inf if x is None else x for x in row] for row in rows], dtype=float)
    return Cases(_FIRST[kind], AUGER_PS, table[:, :-1], table[:, -1])


def where_ratio_is(level: float, along: FloatArray, ratio: FloatArray) -> float:
    """Return where on a logarithmic axis a ratio above 1 passes a level, itself above 1.

    The outermost crossing towards the side where the ratio is smaller, read where ratio - 1 is a
    power of the axis between two points; nan if there is none.
    """
    excess = np.asarray(ratio, dtype=float) - 1
    falling = excess[0] > excess[-1]
    x, y = (np.log(along), excess) if falling else (-np.log(along[::-1]), excess[::-1])
    above = np.flatnonzero(y > level - 1)
    if not above.size or above[-1] == y.size - 1:
        return float("nan")
    i = above[-1]
    low, high = (np.log(max(value, 1e-12)) for value in (y[i + 1], y[i]))
    share = (high - np.log(level - 1)) / (high - low) if np.isfinite(high) else 1.0
    at = x[i] + share * (x[i + 1] - x[i])
    return float(np.exp(at if falling else -at))


def ratio_at(table: Cases, first: float, auger_ps: float) -> float:
    """Return the ratio at a point of a table, by straight lines between logarithms."""
    along, x = np.log(table.auger_ps), np.log(auger_ps)
    at_auger = [np.interp(x, along, row) for row in np.log(table.ratio)]
    return float(np.exp(np.interp(np.log(first), np.log(table.first), at_auger)))


def exponent_at(table: Cases, auger_ps: float) -> FloatArray:
    r"""Return :math:`-\partial\ln\langle N\rangle/\partial\ln\tau_{XX}` along the first axis.

    One where the threshold is proportional to 1/τ_XX, zero where it does not depend on it.
    Differences over the table's step around the lifetime.
    """
    along = np.log(table.auger_ps)
    with np.errstate(invalid="ignore"):  # nan where no pump reaches the threshold
        slope = np.gradient(np.log(table.with_auger), along, axis=1)
    return -np.array([np.interp(np.log(auger_ps), along, row) for row in slope])
