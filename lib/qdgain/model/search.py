"""Roots, maxima and minima of sampled curves, many at once."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from qdgain.model.dot import FloatArray

# Of values that differ by less than this of themselves, which is larger is rounding's.
_TIE = 1e-12


def first_root(function: Callable[[FloatArray, Any], FloatArray], scan: FloatArray) -> FloatArray:
    """Return the first upward zero of each row's function; infinity where the scan finds none.

    The function takes (K, L) arguments and which K of the D rows they are for, and returns (K, L)
    values. The scan has rising arguments that bracket the zero, of shape (D, L), or of shape (L,)
    for all rows, as which the function then takes it too.

    >>> first_root(lambda x, _: x**2 - 2, np.array([[0.0, 1.0, 2.0]])).round(6).tolist()
    [1.414214]
    """
    above = function(scan, slice(None)) >= 0
    scan = np.broadcast_to(scan, above.shape)
    found, first = above.any(axis=-1), np.argmax(above, axis=-1)
    roots = np.where(found, scan[np.arange(len(scan)), first], np.inf)
    rows = np.flatnonzero(found & (first > 0))
    if rows.size:
        ends = scan[rows, first[rows] - 1], scan[rows, first[rows]]

        def one(x: FloatArray, row: FloatArray) -> FloatArray:
            return function(x[:, None], row.astype(int))[:, 0]

        # Takes longer to import than all of this package.
        from scipy.optimize import elementwise  # noqa: PLC0415

        # Its published types do not know of `args`.
        find_root: Any = elementwise.find_root
        roots[rows] = find_root(one, ends, args=(rows,)).x
    return roots


def parabolic_peak(position: FloatArray, values: FloatArray) -> FloatArray:
    """Return where sampled curves are highest, by a parabola through three points.

    Of points that are equally high to rounding, the first. Abscissae rise along the last axis; the
    curves are of a shape that broadcasts with them.

    >>> x = np.array([0.0, 1.0, 3.0])
    >>> float(parabolic_peak(x, -((x - 1.2) ** 2)).round(6))
    1.2
    """
    position, values = np.broadcast_arrays(position, values)
    highest = values.max(axis=-1, keepdims=True)
    first = np.argmax(values >= highest - _TIE * np.abs(highest), axis=-1)
    top = np.clip(first, 1, values.shape[-1] - 2)[..., None]
    left, centre, right = (np.take_along_axis(values, top + i, axis=-1) for i in (-1, 0, 1))
    x_left, x, x_right = (np.take_along_axis(position, top + i, axis=-1) for i in (-1, 0, 1))
    before, after = x - x_left, x_right - x
    with np.errstate(invalid="ignore"):
        rise, further = (centre - left) / before, (right - centre) / after
        bend = rise - further
        slope = (rise * after + further * before) / 2
    shift = np.zeros_like(bend)
    np.divide(slope, bend, out=shift, where=bend > 0)
    return np.asarray((x + np.clip(shift, -before, after))[..., 0])


def lowest_by_zooms(
    function: Callable[[FloatArray], FloatArray], places: FloatArray, zooms: int, points: int
) -> tuple[FloatArray, FloatArray]:
    """Return where each row's function is least, and its value there, by ever finer scans.

    The first scan is at the given places, of shape D + (K,); each further one has so many points
    from the left to the right neighbour of the best.

    >>> where, least = lowest_by_zooms(lambda x: (x - 0.3) ** 2, np.linspace(0, 1, 5), 3, 9)
    >>> bool(abs(where - 0.3) < 1e-2)
    True
    """
    unit = np.linspace(0.0, 1.0, points)
    values = function(places)
    for _ in range(zooms):
        best, last = np.argmin(values, axis=-1)[..., None], places.shape[-1] - 1
        left, right = (
            np.take_along_axis(places, np.clip(best + step, 0, last), axis=-1) for step in (-1, 1)
        )
        places = left + (right - left) * unit
        values = function(places)
    best = np.argmin(values, axis=-1)[..., None]
    where, least = (np.take_along_axis(x, best, axis=-1)[..., 0] for x in (places, values))
    return where, least
