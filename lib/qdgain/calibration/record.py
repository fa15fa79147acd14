"""What the calibration has stored, as it is read: best points, evidence, points, and the rule."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from functools import cache
from importlib import resources
from pathlib import Path
from types import MappingProxyType
from typing import Any, NamedTuple

import numpy as np

from qdgain.calibration.conditions import FLUENCE_RANGE, conditions
from qdgain.calibration.predictions import Prediction
from qdgain.calibration.rows import DOTS, ROWS, TOLERANCE, UNKNOWNS, Row
from qdgain.fast.onset import threshold_onset
from qdgain.model.bands import band_centres_eV
from qdgain.model.dot import Dot, FloatArray
from qdgain.model.film import ase_threshold, spike_position_eV
from qdgain.model.gain import largest_gain
from qdgain.model.populations import mean_excitons_after_pulse
from qdgain.model.threshold import threshold_at_maximum

DATA = Path(str(resources.files("qdgain").joinpath("data")))
#: What the evidence is asked for: key -> in words.
KINDS: Mapping[str, str] = {
    "numbers": "numbers alone",
    "conditions": "with the conditions",
    "numbers doubled": "numbers alone, ranges doubled",
    "conditions doubled": "with the conditions, ranges doubled",
}
FILM = ("gain_exponent", "pi_pulse_fluence_mJ_cm2")


class Calibrated(NamedTuple):
    """Four dots by name, `DOTS`, each of shape (M,) or (), and their film and floor."""

    dots: Mapping[str, Dot]
    gain_exponent: FloatArray
    pi_pulse_fluence_mJ_cm2: FloatArray
    floor: FloatArray


def calibrated(row: Row, values: Mapping[str, Any]) -> Calibrated:
    """Return the dots and the film of unknowns by name, energies in meV: (M,) each, or numbers."""
    full = {u.name: np.asarray(values.get(u.name, u.held), dtype=float) for u in UNKNOWNS}
    both = row.dots(full)
    dots: dict[str, Dot] = {}
    for i, scheme in enumerate(("3LS", "4LS")):
        dot = both.at((..., i))
        dots |= {scheme: dot.uncorrelated(), f"{scheme}+ESA": dot}
    return Calibrated(dots, *(full[name] for name in (*FILM, "floor")))


def checked(row: Row, found: Calibrated) -> Prediction:
    """Return the numbers (9,) and conditions (6,) of four dots in a film, on the model's own grids.

    Where an ASE threshold is out of reach its number is infinite, and the spike that at J_π.
    """
    four, law = [found.dots[name] for name in DOTS], row.statistics
    length, pi_pulse = found.gain_exponent, float(found.pi_pulse_fluence_mJ_cm2)
    if row.threshold == "maximum":
        gains = [threshold_at_maximum(dot, statistics=law) for dot in four]
    else:
        gains = [threshold_onset(dot, found.floor, law) for dot in four]
    films = [float(ase_threshold(dot, length, pi_pulse, law).fluence_mJ_cm2) for dot in four]
    at, spikes = np.minimum(films, pi_pulse), []
    for dot, fluence in zip(four, at, strict=True):
        fluences = [fluence, min(FLUENCE_RANGE, pi_pulse / at.max()) * fluence, pi_pulse]
        mean = mean_excitons_after_pulse(fluences, pi_pulse, law)
        shift = spike_position_eV(dot, mean, length, law) - band_centres_eV(dot).emission
        spikes.append(1e3 * shift / np.asarray(dot.linewidth_meV))
    thresholds = [float(gain.mean_excitons) for gain in gains]
    numbers = [*thresholds, float(largest_gain(found.dots["3LS+ESA"], law)), *films]
    return Prediction(np.array(numbers), conditions(np.array([spikes]))[0])


# --- stored


@cache
def record() -> Mapping[str, Any]:
    """Return the stored record of the calibration."""
    result: dict[str, Any] = json.loads((DATA / "calibration.json").read_text(encoding="utf-8"))
    return result


@cache
def columns(row: str) -> Mapping[str, FloatArray]:
    """Return the stored points of a row by unknown, (M,) each, energies in meV.

    Equally weighted draws of its posterior under Rabi statistics, with thresholds at the gain
    maximum: of the one with the conditions if ``record()["rows"][row]["points"]`` says so, which
    it does for a row that can meet them, otherwise of that with the numbers alone.
    """
    with np.load(DATA / "calibration_points.npz") as stored:
        return MappingProxyType(ROWS[row].values(stored[row].astype(float)))


def points(row: str) -> Calibrated:
    """Return the stored points of a row, see `columns`, as dots and films of shape (M,)."""
    return calibrated(ROWS[row], columns(row))


def best(row: Row, conditional: bool = True) -> Mapping[str, Any]:
    """Return the record of the best point of a row; KeyError if it was not solved."""
    asked = [row.name, row.statistics, row.threshold, conditional]
    for found in record()["best"]:
        if [found[k] for k in ("row", "statistics", "threshold", "conditional")] == asked:
            return MappingProxyType(found)
    raise KeyError(row.label)


class Factor(NamedTuple):
    """A logarithm of an evidence or a Bayes factor, and its spread: nan if there is one run."""

    value: float
    spread: float

    @property
    def text(self) -> str:
        """It in words, with no digit that the spread does not carry."""
        if not np.isfinite(self.value):
            return "–"
        error = f" ± {max(self.spread, 0.1):.1f}" if np.isfinite(self.spread) else ""
        return f"{self.value:+.1f}{error}"


def log_evidence(row: str, kind: str) -> Factor:
    """Return ln Z of a row and the standard deviation from run to run; kind is one of `KINDS`.

    Minus infinity if the row has no ESA and conditions were asked for, which speak of it.
    """
    runs = record()["rows"][row]["log_evidence"].get(kind, [])
    if not runs:
        return Factor(-np.inf, np.nan)
    return Factor(float(np.mean(runs)), float(np.std(runs, ddof=1)) if len(runs) > 1 else np.nan)


def bayes_factor(row: str, other: str, kind: str) -> Factor:
    """Return the logarithm of a Bayes factor of two rows, their spreads added in squares."""
    one, two = log_evidence(row, kind), log_evidence(other, kind)
    return Factor(one.value - two.value, float(np.hypot(one.spread, two.spread)))


# --- the rule


def meets(found: Mapping[str, Any]) -> bool:
    """Return whether a best point meets every number within `TOLERANCE`, and every condition."""
    return bool(found["largest_residual"] <= TOLERANCE and min(found["conditions"]) >= 0)


@cache
def admitted() -> tuple[str, ...]:
    """Return the rows that give the paper's numbers and meet the calibration's conditions."""
    return tuple(name for name, row in ROWS.items() if meets(best(row)))


def is_asked(found: Mapping[str, Any]) -> bool:
    """Return whether a best point is one that the rule is about."""
    how = (found["statistics"], found["threshold"], found["conditional"])
    return how == ("rabi", "maximum", True)


def choose(found: Iterable[Mapping[str, Any]]) -> Mapping[str, Any]:
    """Return the default: the rule that was written before the calibration was run.

    Of the rows under Rabi statistics, which the paper states, and with the threshold at the gain
    maximum, which needs no floor: those whose best point meets every number within ten per cent
    and every condition; of them the one with the fewest free parameters; of these the one with the
    smallest largest residual. ValueError if there is none.
    """
    eligible = [one for one in found if is_asked(one) and meets(one)]
    if not eligible:
        raise ValueError("no row meets every number and condition")
    return min(eligible, key=lambda x: (x["parameters"], x["largest_residual"]))
