"""What one parameter of a dot does to its threshold: its lowest, a wanted value, its slope."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from qdgain.fast.onset import threshold_onset
from qdgain.model import parameters
from qdgain.model.bands import band_offsets_meV
from qdgain.model.dot import Dot, FloatArray
from qdgain.model.threshold import Threshold, threshold_at_maximum

MAXIMUM, ONSET = "at gain maximum", "onset"
#: The two definitions of a threshold, by name.
DEFINITIONS = (MAXIMUM, ONSET)
#: The contract's floor of the onset.
FLOOR = float(parameters.parameter("floor").default)  # type: ignore[arg-type]
#: Fields are searched this many linewidths to both sides of their present value, far beyond the
#: point where a band still overlaps another.
SEARCH_REACH_WIDTHS = 3.0
_SCAN_POINTS = 301
_ZOOMS = 2
_ZOOM_POINTS = 41
_ROUNDING_MEV = 1e-9

#: A field, or several that move together.
Fields = str | Sequence[str]


def threshold(
    dot: Dot, definition: str, floor: float = FLOOR, statistics: str = "rabi"
) -> Threshold:
    """Return ⟨N⟩ and photon energy at threshold, of the dot's shape; the floor is of the onset.

    `qdgain.threshold_at_maximum` or `qdgain.threshold_onset`. A ParameterError refuses an unknown
    definition or statistics, or a floor out of range.
    """
    if definition == MAXIMUM:
        return threshold_at_maximum(dot, statistics=statistics)
    if definition == ONSET:
        return threshold_onset(dot, floor, statistics)
    raise parameters.ParameterError(
        f"definition = {definition!r} is not one of {', '.join(DEFINITIONS)}."
    )


def threshold_of(
    dot: Dot, definition: str, floor: float = FLOOR, statistics: str = "rabi"
) -> FloatArray:
    """Return the ⟨N⟩ of `threshold`."""
    return threshold(dot, definition, floor, statistics).mean_excitons


def lowest_over(
    dot: Dot, field: Fields, definition: str = MAXIMUM, red: bool = False, **how: Any
) -> tuple[float, float]:
    """Return the value in meV of one field with the lowest threshold, and that threshold.

    Of a single dot, whose other fields stay; of several fields that move together, the first's
    value. `red` leaves out dots whose biexciton emits blue of A_X, where a real dot absorbs into
    states that the model does not have; `how` is that of `threshold`.
    """
    values = _searched(dot, field)
    thresholds = _thresholds(dot, field, values, definition, red, **how)
    best = int(np.argmin(thresholds))
    return float(values[best]), float(thresholds[best])


def nearest_value_for(
    dot: Dot, field: Fields, target: float, definition: str = MAXIMUM, red: bool = False, **how: Any
) -> float:
    """Return the value of one field, nearest to its present one, that brings the threshold to ⟨N⟩.

    In meV; infinity if no value within `SEARCH_REACH_WIDTHS` linewidths does. A scan, two finer
    ones of the crossing nearest to the present value, then a straight line.
    """
    values = _searched(dot, field)
    now = float(np.asarray(getattr(dot, _names(field)[0])))
    # Each zoom is one call for many dots; a scalar root finder would cost as much per step.
    for _ in range(1 + _ZOOMS):
        with np.errstate(invalid="ignore"):  # a threshold and a target both out of reach
            excess = _thresholds(dot, field, values, definition, red, **how) - target
        crossings = np.nonzero((excess[:-1] > 0) != (excess[1:] > 0))[0]
        if crossings.size == 0:
            return np.inf
        middles = 0.5 * (values[crossings] + values[crossings + 1])
        i = crossings[np.argmin(np.abs(middles - now))]
        left, right = values[i], values[i + 1]
        low, high = excess[i], excess[i + 1]
        values = np.linspace(left, right, _ZOOM_POINTS)
    if not (np.isfinite(low) and np.isfinite(high)):
        return float(left if np.isfinite(low) else right)
    return float(left - low * (right - left) / (high - low))


def sensitivity(dot: Dot, field: str, definition: str = MAXIMUM, **how: Any) -> float:
    r"""Return :math:`\partial\ln\langle N\rangle_{th}/\partial\ln x` of one field of a dot.

    A central difference over ±0.1 % of a single dot's field that is not zero. If it varies with
    volume as :math:`V^p`, the threshold's slope against volume is p times this.
    """
    now = float(np.asarray(getattr(dot, field)))
    factors = np.array([0.999, 1.001])
    thresholds = _thresholds(dot, field, now * factors, definition, **how)
    return float(np.diff(np.log(thresholds))[0] / np.diff(np.log(factors))[0])


def _searched(dot: Dot, field: Fields) -> FloatArray:
    """Return the values of the first of some fields that a search looks at, within the contract."""
    if dot.shape:
        raise parameters.ParameterError("a search starts from one dot: give numbers, not arrays.")
    names = _names(field)
    now = float(np.asarray(getattr(dot, names[0])))
    reach = SEARCH_REACH_WIDTHS * float(np.asarray(dot.linewidth_meV))
    low, high = now - reach, now + reach
    for name in names:
        entry, apart = parameters.parameter(name), now - float(np.asarray(getattr(dot, name)))
        low, high = max(low, entry.minimum + apart), min(high, entry.maximum + apart)
    return np.linspace(low, high, _SCAN_POINTS)


def _thresholds(
    dot: Dot, field: Fields, values: FloatArray, definition: str, red: bool = False, **how: Any
) -> FloatArray:
    """Return the thresholds of a dot with other values of a field, infinity where left out."""
    moved = _moved(dot, field, values)
    thresholds = threshold_of(moved, definition, **how)
    if not red:
        return thresholds
    most = max(float(band_offsets_meV(dot).xx_emission), 0.0)
    return np.where(band_offsets_meV(moved).xx_emission <= most + _ROUNDING_MEV, thresholds, np.inf)


def _moved(dot: Dot, field: Fields, values: FloatArray) -> Dot:
    first, *others = _names(field)
    changes: dict[str, Any] = {first: values}
    step = values - np.asarray(getattr(dot, first))
    for name in others:
        changes[name] = parameters.clipped(name, np.asarray(getattr(dot, name)) + step)
    return replace(dot, **changes)


def _names(field: Fields) -> tuple[str, ...]:
    return (field,) if isinstance(field, str) else tuple(field)
