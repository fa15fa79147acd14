"""What a dot would have to be to reach a wanted threshold."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from qdgain.fast.onset import threshold_onset
from qdgain.model import parameters
from qdgain.model.bands import band_offsets_meV
from qdgain.model.dot import Dot, FloatArray
from qdgain.model.threshold import threshold_at_maximum

DEFINITIONS = ("at gain maximum", "onset")
#: Fields are searched this many linewidths to both sides of their present value, far beyond the
#: point where a band still overlaps another.
SEARCH_REACH_WIDTHS = 3.0
_SCAN_POINTS = 301
_ZOOMS = 2
_ZOOM_POINTS = 41
_ROUNDING_MEV = 1e-9


def threshold_of(
    dot: Dot, definition: str, floor: float | None = None, statistics: str = "rabi"
) -> FloatArray:
    """Return ⟨N⟩ at threshold under a named definition, of the dot's shape.

    Parameters
    ----------
    dot : Dot
        Of shape D.
    definition : {"at gain maximum", "onset"}
        `qdgain.threshold_at_maximum` or `qdgain.threshold_onset`.
    floor : float, optional
        The floor of the onset; the contract's default if left out.
    statistics : {"rabi", "poisson", "sequential"}
        How the pulse distributes the excitons.

    Raises
    ------
    ParameterError
        For an unknown definition, or a floor out of range.
    """
    if definition == "at gain maximum":
        return threshold_at_maximum(dot, statistics=statistics).mean_excitons
    if definition == "onset":
        default = parameters.parameter("floor").default
        chosen = float(default) if floor is None else floor  # type: ignore[arg-type]
        return threshold_onset(dot, chosen, statistics).mean_excitons
    raise parameters.ParameterError(
        f"definition = {definition!r} is not one of {', '.join(DEFINITIONS)}."
    )


def search_values(dot: Dot, field: str | Sequence[str]) -> FloatArray:
    """Return the values of one field that a search looks at, within the contract's range.

    Of several fields that move together, the values of the first.

    Raises
    ------
    ParameterError
        If the dot is an array of dots or the field unknown.
    """
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


def lowest_over(
    dot: Dot,
    field: str | Sequence[str],
    definition: str = "at gain maximum",
    red: bool = False,
    **how: Any,
) -> tuple[float, float]:
    """Return the value of one field with the lowest threshold, and that threshold.

    Parameters
    ----------
    dot : Dot
        A single dot, whose other fields stay.
    field : str or sequence of str
        The field to vary, in meV; or several that move together, of which the first is returned.
    definition : {"at gain maximum", "onset"}
        As for `threshold_of`.
    red : bool
        Whether to leave out dots whose biexciton emits blue of A_X, where a real dot absorbs into
        states that the model does not have.
    how
        As for `threshold_of`.

    Raises
    ------
    ParameterError
        As for `search_values` and `threshold_of`.
    """
    values = search_values(dot, field)
    thresholds = _thresholds(_with(dot, field, values), dot, red, definition, **how)
    best = int(np.argmin(thresholds))
    return float(values[best]), float(thresholds[best])


def nearest_value_for(
    dot: Dot,
    field: str | Sequence[str],
    target: float,
    definition: str = "at gain maximum",
    red: bool = False,
    **how: Any,
) -> float:
    """Return the value of one field, nearest to its present one, that brings the threshold to ⟨N⟩.

    A scan, two finer ones of the crossing nearest to the present value, then a straight line.

    Parameters
    ----------
    dot : Dot
        A single dot, whose other fields stay.
    field, definition, red, how
        As for `lowest_over`.
    target : float
        The wanted ⟨N⟩.

    Returns
    -------
    float
        In meV; infinity if no value within `SEARCH_REACH_WIDTHS` linewidths reaches the target.

    Raises
    ------
    ParameterError
        As for `search_values` and `threshold_of`.
    """
    values = search_values(dot, field)
    now = float(np.asarray(getattr(dot, _names(field)[0])))
    # Each zoom is one call for many dots; a scalar root finder would cost as much per step.
    for _ in range(1 + _ZOOMS):
        with np.errstate(invalid="ignore"):  # a threshold and a target both out of reach
            moved = _with(dot, field, values)
            excess = _thresholds(moved, dot, red, definition, **how) - target
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


def sensitivity(dot: Dot, field: str, definition: str = "at gain maximum", **how: Any) -> float:
    r"""Return :math:`\partial\ln\langle N\rangle_{th}/\partial\ln x` of one field of a dot.

    A central difference over ±0.1 %. If the field varies with volume as :math:`V^p`, the
    threshold's slope against volume is p times this.

    Parameters
    ----------
    dot : Dot
        A single dot, whose field is not zero.
    field, definition, how
        As for `nearest_value_for`.
    """
    now = float(np.asarray(getattr(dot, field)))
    factors = np.array([0.999, 1.001])
    thresholds = threshold_of(_with(dot, field, now * factors), definition, **how)
    return float(np.diff(np.log(thresholds))[0] / np.diff(np.log(factors))[0])


def _names(field: str | Sequence[str]) -> tuple[str, ...]:
    return (field,) if isinstance(field, str) else tuple(field)


def _with(dot: Dot, field: str | Sequence[str], value: float | FloatArray) -> Dot:
    first, *others = _names(field)
    changes: dict[str, Any] = {first: value}
    step = np.asarray(value) - np.asarray(getattr(dot, first))
    for name in others:
        changes[name] = parameters.clipped(name, np.asarray(getattr(dot, name)) + step)
    return replace(dot, **changes)


def _thresholds(moved: Dot, start: Dot, red: bool, definition: str, **how: Any) -> FloatArray:
    """Return the thresholds of dots, infinity where they are left out."""
    thresholds = threshold_of(moved, definition, **how)
    if not red:
        return thresholds
    most = max(float(band_offsets_meV(start).xx_emission), 0.0)
    return np.where(band_offsets_meV(moved).xx_emission <= most + _ROUNDING_MEV, thresholds, np.inf)
