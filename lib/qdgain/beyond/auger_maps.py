"""Thresholds of the presets over pulse length, build-up time and Auger lifetime, as stored."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any, NamedTuple

import numpy as np

from qdgain.beyond.pulse_threshold import Pump, ase_threshold, se_threshold
from qdgain.model.dot import FloatArray, presets
from qdgain.model.parameters import CONTRACT
from qdgain.stored import Again, rounded, stored

PULSES_PS = np.geomspace(0.1, 1e5, 13)
AUGER_PS = np.geomspace(1.0, 1e4, 17)
BUILD_UPS_PS = np.geomspace(0.1, 1e4, 11)
#: The pulse with which the build-up time is varied.
SHORT_PULSE_PS = 0.1
_DIGITS = 5
_KINDS = ("se", "present", "ase", "ase_build_up")


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
    """What the maps hold fixed, by default as the contract has it."""

    cooling_time_ps: float
    exciton_lifetime_ps: float
    read_delay_ps: float
    gain_exponent: float
    build_up_time_ps: float


def default_conditions() -> Conditions:
    """Return the contract's conditions."""
    names = (
        "cooling_time_ps",
        "exciton_lifetime_ns",
        "read_delay_ps",
        "gain_exponent",
        "build_up_time_ps",
    )
    cooling, lifetime, delay, exponent, build_up = (
        float(np.asarray(CONTRACT[name].default, dtype=float)) for name in names
    )
    return Conditions(cooling, 1e3 * lifetime, delay, exponent, build_up)


def make() -> dict[str, Any]:
    """Compute the tables of every preset."""
    result: dict[str, Any] = {}
    columns = np.append(AUGER_PS, np.inf)
    for name in presets():
        pulse, auger = np.meshgrid(PULSES_PS, columns, indexing="ij")
        build_up, short_auger = np.meshgrid(BUILD_UPS_PS, columns, indexing="ij")
        se = _se(name, pulse, auger)
        tables = (
            se.absorbed,
            se.present,
            _ase(name, pulse, auger, default_conditions().build_up_time_ps),
            _ase(name, np.full_like(build_up, SHORT_PULSE_PS), short_auger, build_up),
        )
        result[name] = {
            kind: _finite(rounded(table, _DIGITS))
            for kind, table in zip(_KINDS, tables, strict=True)
        }
    return result


def again(result: Mapping[str, Any], random: np.random.Generator) -> Iterator[Again]:
    """Compute one point of every table of a preset anew."""
    name = str(random.choice(list(presets())))
    for kind in _KINDS:
        rows = BUILD_UPS_PS if kind == "ase_build_up" else PULSES_PS
        i, j = int(random.integers(rows.size)), int(random.integers(AUGER_PS.size))
        pulse = SHORT_PULSE_PS if kind == "ase_build_up" else rows[i]
        if kind in ("se", "present"):
            found = _se(name, pulse, AUGER_PS[j])
            now = float(found.absorbed if kind == "se" else found.present)
        else:
            build_up = rows[i] if kind == "ase_build_up" else default_conditions().build_up_time_ps
            now = float(_ase(name, pulse, AUGER_PS[j], build_up))
        value = result[name][kind][i][j]
        what = f"{name}, {kind}, {rows[i]:.3g} ps, τ_XX = {AUGER_PS[j]:.3g} ps"
        yield Again(what, np.inf if value is None else value, now)


def _pump(pulse: Any, auger: Any) -> Pump:
    fixed = default_conditions()
    return Pump(pulse, auger, fixed.cooling_time_ps, fixed.exciton_lifetime_ps)


def _se(name: str, pulse: Any, auger: Any) -> Any:
    return se_threshold(presets()[name], _pump(pulse, auger), default_conditions().read_delay_ps)


def _ase(name: str, pulse: Any, auger: Any, build_up: Any) -> FloatArray:
    exponent = default_conditions().gain_exponent
    return ase_threshold(presets()[name], _pump(pulse, auger), exponent, build_up)


def _finite(table: list[list[float]]) -> list[list[float | None]]:
    """Put nothing for a threshold out of reach: JSON has no infinity."""
    return [[value if np.isfinite(value) else None for value in row] for row in table]


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
    first = BUILD_UPS_PS if kind == "ase_build_up" else PULSES_PS
    return Cases(first, AUGER_PS, table[:, :-1], table[:, -1])


def where_ratio_is(level: float, along: FloatArray, ratio: FloatArray) -> float:
    """Return the point on a logarithmic axis at which a ratio above 1 passes a level.

    Parameters
    ----------
    level : float
        Above 1.
    along : numpy.ndarray
        Rising, positive.
    ratio : numpy.ndarray
        Falling or rising along it; read where ratio - 1 is a power of it between two points.

    Returns
    -------
    float
        The outermost crossing towards the side where the ratio is smaller; nan if there is none.
    """
    excess = np.asarray(ratio, dtype=float) - 1
    falling = excess[0] > excess[-1]
    x, y = (np.log(along), excess) if falling else (-np.log(along[::-1]), excess[::-1])
    above = np.flatnonzero(y > level - 1)
    if not above.size or above[-1] == y.size - 1:
        return float("nan")
    i = above[-1]
    low, high = (np.log(max(value, 1e-12)) for value in (y[i + 1], y[i]))
    if not np.isfinite(high):
        return float(np.exp(x[i + 1] if falling else -x[i + 1]))
    share = (high - np.log(level - 1)) / (high - low)
    at = x[i] + share * (x[i + 1] - x[i])
    return float(np.exp(at if falling else -at))


def ratio_at(table: Cases, first: float, auger_ps: float) -> float:
    """Return the ratio at a point of a table, by straight lines between logarithms."""
    logs = np.log(table.ratio)
    x, y = np.log(first), np.log(auger_ps)
    at_auger = [np.interp(y, np.log(table.auger_ps), row) for row in logs]
    return float(np.exp(np.interp(x, np.log(table.first), at_auger)))


def exponent_at(table: Cases, auger_ps: float) -> FloatArray:
    r"""Return :math:`-\partial\ln\langle N\rangle/\partial\ln\tau_{XX}` along the first axis.

    One where the threshold goes as 1/τ_XX, zero where it does not depend on it. Differences over
    the table's step around the lifetime.
    """
    with np.errstate(invalid="ignore"):  # nan where no pump reaches the threshold
        slope = np.gradient(np.log(table.with_auger), np.log(table.auger_ps), axis=1)
    y = np.log(table.auger_ps)
    return -np.array([np.interp(np.log(auger_ps), y, row) for row in slope])
