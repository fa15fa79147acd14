"""What stands out of a measured curve: the curve smoothed, its curvature, and its peaks.

Not by scipy.signal, whose import takes longer than to read and fit two spectra.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from qdgain.model.dot import FloatArray


class Peak(NamedTuple):
    """The place of a maximum, and where the curve is halfway down its prominence beside it."""

    place: int
    left: float
    right: float


def smoothed(values: FloatArray, points: int, derivative: int = 0) -> FloatArray:
    """Return cubics through so many neighbours, an odd number, at their centres; or a derivative.

    The derivative, 0 or 2, is per square step. At an end it is the cubic through the first or last
    points. Source: Savitzky and Golay, Anal. Chem. 36, 1627 (1964), DOI 10.1021/ac60214a047.
    """
    half = points // 2
    x = np.arange(-half, half + 1.0)
    powers = np.vander(x, 4)
    curves = powers if derivative == 0 else np.stack([6 * x, 2 + 0 * x, 0 * x, 0 * x], axis=-1)
    weights = curves @ np.linalg.pinv(powers)
    middle = np.convolve(values, weights[half, ::-1], "valid")
    ends = weights[:half] @ values[:points], weights[half + 1 :] @ values[-points:]
    return np.concatenate([ends[0], middle, ends[1]])


def peaks(values: FloatArray, least: float) -> list[Peak]:
    """Return the maxima that rise by at least so much above the way to a higher one.

    >>> [peak.place for peak in peaks(np.array([0.0, 2.0, 1.0, 1.5, 0.0, 3.0, 0.0]), 1.0)]
    [1, 5]
    """
    steps = np.diff(values)
    turns = np.flatnonzero(steps)
    rises = steps[turns] > 0
    # The middle of a flat top.
    tops = ((turns[:-1] + 1 + turns[1:]) // 2)[rises[:-1] & ~rises[1:]]
    found = []
    for top in tops.tolist():
        higher = np.flatnonzero(values > values[top])
        at = int(np.searchsorted(higher, top))
        before = values[higher[at - 1] + 1 if at else 0 : top]
        behind = values[top : higher[at] if at < higher.size else None]
        prominence = values[top] - max(before.min(), behind.min())
        if prominence < least:
            continue
        half = values[top] - 0.5 * prominence
        low = np.flatnonzero(values <= half)
        i, j = low[low < top][-1], low[low > top][0]
        left = i + (half - values[i]) / (values[i + 1] - values[i])
        right = j - (half - values[j]) / (values[j - 1] - values[j])
        found.append(Peak(top, float(left), float(right)))
    return found
