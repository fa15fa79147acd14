"""Thresholds of the presets over pulse length, build-up time and Auger lifetime, as stored."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from functools import cache
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import ArrayLike
from scipy.optimize import brentq

from qdgain.beyond.pulse_threshold import (
    PulseThreshold,
    Pump,
    ase_threshold,
    exciton_gain,
    se_threshold,
)
from qdgain.calibration import record
from qdgain.calibration.rows import ROWS
from qdgain.model.dot import Dot, FloatArray, presets
from qdgain.model.parameters import CONTRACT
from qdgain.stored import Again, rounded, stored

PULSES_PS = np.geomspace(0.1, 1e5, 13)
AUGER_PS = np.geomspace(1.0, 1e4, 17)
BUILD_UPS_PS = np.geomspace(0.1, 1e4, 11)
#: Pulses of a femtosecond laser, and of a Q-switched Nd:YAG laser (assumed: typical ones).
LASERS_PS = {"fs": 0.1, "ns": 5000.0}
#: The pulse with which the build-up time is varied, and one far longer than cooling.
SHORT_PULSE_PS, LONG_PULSE_PS = LASERS_PS["fs"], 1000.0
SLOW_BUILD_UP_PS = 100.0
#: The paper's Auger lifetime, section 1.4.
STATED_AUGER_PS = 30.0
#: Ratios to the threshold without Auger recombination that are looked for.
RATIOS = {"tenth": 1.1, "double": 2.0}
#: From this exponent on, the threshold is taken to be proportional to 1/τ_XX; up to such pulses.
LAW, _LONGEST_PS = 0.9, 1e4
#: The dot of the paper's CdSe, which the quoted numbers are about.
SUBJECT = "3LS+ESA"
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
    """Compute the tables of every preset, what is quoted, and the same of every reading."""
    columns = np.append(AUGER_PS, np.inf)
    tables = {
        name: {
            kind: _finite(_computed(name, kind, *np.meshgrid(first, columns, indexing="ij")))
            for kind, first in _FIRST.items()
        }
        for name in presets()
    }
    several = {name: of_reading(*each) for name, each in readings_of_chapter().items()}
    return (
        tables
        | {"quoted": _short(quoted(presets()[SUBJECT]))}
        | {"readings": {name: _short(numbers) for name, numbers in several.items()}}
    )


def _short(numbers: Mapping[str, float]) -> dict[str, float | None]:
    """Return numbers as stored, None for one that is not defined."""
    return {k: rounded(x, _DIGITS) if np.isfinite(x) else None for k, x in numbers.items()}


def stored_numbers(numbers: Mapping[str, float | None]) -> dict[str, float]:
    """Return stored numbers, nan for those that are not defined."""
    return {key: np.nan if value is None else value for key, value in numbers.items()}


def _finite(table: FloatArray) -> list[list[float | None]]:
    """Return rows as stored, None for a threshold out of reach: JSON has no infinity."""
    rows = rounded(table, _DIGITS)
    return [[value if np.isfinite(value) else None for value in row] for row in rows]


def again(result: Mapping[str, Any], random: np.random.Generator) -> Iterator[Again]:
    """Compute one point of every table of a preset anew, one reading and what is quoted of it."""
    name = str(random.choice(list(presets())))
    for kind, first in _FIRST.items():
        i, j = int(random.integers(first.size)), int(random.integers(AUGER_PS.size))
        now = float(_computed(name, kind, first[i], AUGER_PS[j]))
        value = result[name][kind][i][j]
        what = f"{name}, {kind}, {first[i]:.3g} ps, τ_XX = {AUGER_PS[j]:.3g} ps"
        yield Again(what, np.inf if value is None else value, now)
    reading, each = list(readings_of_chapter().items())[
        int(random.integers(len(result["readings"])))
    ]
    for key, now in of_reading(*each).items():
        yield Again(f"{key}, {reading}", stored_numbers(result["readings"][reading])[key], now)
    subject = presets()[SUBJECT], SHORT_PULSE_PS
    now = lifetime_at_ratio(RATIOS["tenth"], default_conditions(), "se", *subject)
    yield Again("se-tenth", stored_numbers(result["quoted"])["se-tenth"], now)


@cache
def cases(name: str, kind: str) -> Cases:
    """Return one table of a preset, by its name.

    Kinds: ``se``, absorbed excitons at the threshold of stimulated emission; ``present``, excitons
    present there; ``ase``, absorbed excitons at the ASE threshold; ``ase_build_up``, the same over
    the build-up time, with short pulses.
    """
    rows = stored("auger")[name][kind]
    table = np.array([[np.inf if x is None else x for x in row] for row in rows], dtype=float)
    return Cases(_FIRST[kind], AUGER_PS, table[:, :-1], table[:, -1])


# --- what is quoted: computed, not read off a table


def threshold(fixed: Conditions, kind: str, dot: Dot, pulse: ArrayLike, auger: ArrayLike) -> Any:
    """Return absorbed excitons at the SE or ASE threshold, for a pulse and τ_XX in ps."""
    return fixed.ase(dot, pulse, auger) if kind == "ase" else fixed.se(dot, pulse, auger).absorbed


def ratio(fixed: Conditions, kind: str, dot: Dot, pulse: ArrayLike, auger: ArrayLike) -> FloatArray:
    """Return thresholds over those without Auger recombination, of shape pulse + τ_XX."""
    columns = np.append(np.ravel(auger), np.inf)
    found = threshold(fixed, kind, dot, np.asarray(pulse, dtype=float)[..., None], columns)
    return np.asarray(
        (found[..., :-1] / found[..., -1:]).reshape(np.shape(pulse) + np.shape(auger))
    )


def lifetime_at_ratio(
    level: float, fixed: Conditions, kind: str, dot: Dot, pulse_ps: float
) -> float:
    """Return the τ_XX in ps at which a ratio falls to a level; nan if the maps do not hold it."""

    def excess(log_auger: FloatArray) -> FloatArray:
        return np.log(ratio(fixed, kind, dot, pulse_ps, np.exp(log_auger)) / level)

    return _last_zero(excess, np.log(AUGER_PS))


def exponent(fixed: Conditions, kind: str, dot: Dot, pulse_ps: ArrayLike) -> FloatArray:
    r"""Return :math:`-\partial\ln\langle N\rangle/\partial\ln\tau_{XX}` at the paper's τ_XX.

    One where the threshold is proportional to 1/τ_XX, zero where it does not depend on it. A
    difference over ± a tenth; nan where no pump reaches the threshold.
    """
    pulse, around = np.asarray(pulse_ps, dtype=float)[..., None], np.array([0.9, 1.1])
    with np.errstate(invalid="ignore"):
        logs = np.log(threshold(fixed, kind, dot, pulse, STATED_AUGER_PS * around))
        return np.asarray(-np.diff(logs, axis=-1)[..., 0] / np.diff(np.log(around)))


def _last_zero(function: Callable[[FloatArray], FloatArray], scan: FloatArray) -> float:
    """Return e to the last x at which a function changes its sign on a scan; nan if it does not."""
    values = function(scan)
    changes = np.flatnonzero((values[:-1] > 0) != (values[1:] > 0))
    if not changes.size or not np.isfinite(values[changes[-1] :][:2]).all():
        return float("nan")
    left, right = scan[changes[-1] :][:2]
    found = brentq(lambda x: float(function(np.array([x]))[0]), left, right, xtol=1e-4)
    return float(np.exp(found))


def quoted(dot: Dot) -> dict[str, float]:
    """Return where a dot's thresholds depend on τ_XX, by the chapter's keys, in ps.

    The τ_XX at which a ratio is 1.1 or 2, with pulses of a femtosecond laser, with pulses of 1 ns
    and with a build-up of 100 ps; and from which pulse on the threshold goes as 1/τ_XX.
    """
    fixed, found = default_conditions(), {}
    slowly = replace(fixed, build_up_time_ps=SLOW_BUILD_UP_PS)
    short, long = SHORT_PULSE_PS, LONG_PULSE_PS
    for kind in ("se", "ase"):

        def beyond_law(log_pulse: FloatArray, kind: str = kind) -> FloatArray:
            return exponent(fixed, kind, dot, np.exp(log_pulse)) - LAW

        for key, level in RATIOS.items():
            found[f"{kind}-{key}"] = lifetime_at_ratio(level, fixed, kind, dot, short)
        found[f"{kind}-lag"] = lifetime_at_ratio(RATIOS["tenth"], fixed, kind, dot, long)
        found[f"{kind}-law"] = _last_zero(beyond_law, np.log(PULSES_PS[PULSES_PS <= _LONGEST_PS]))
    for key, level in RATIOS.items():
        found[f"build-up-{key}"] = lifetime_at_ratio(level, slowly, "ase", dot, short)
    return found


def readings_of_chapter() -> dict[str, tuple[Dot, float]]:
    """Return the 3LS with ESA and L_g of every row that gives the paper's numbers, by name.

    The stored best points of the calibration's rows that meet every number and condition, with
    the paper's statistics and the threshold at the gain maximum.
    """
    found = {}
    for row in ROWS.values():
        if record.meets(best := record.best(row)):
            at = record.calibrated(row, best["values"])
            found[row.name] = at.dots["3LS+ESA"], float(at.gain_exponent)
    return found


def of_reading(dot: Dot, gain_exponent: float) -> dict[str, float]:
    """Return the ratios of SE and ASE with both lasers at the paper's τ_XX, and the gain of X."""
    fixed = replace(default_conditions(), gain_exponent=gain_exponent)
    gain = exciton_gain(dot)
    found = {"exciton-gain": gain.at_maximum, "exciton-best": gain.largest}
    for kind in ("se", "ase"):
        ratios = ratio(fixed, kind, dot, list(LASERS_PS.values()), STATED_AUGER_PS)
        found |= {f"{kind}-{key}": float(x) for key, x in zip(LASERS_PS, ratios, strict=True)}
    return found
