"""What a figure shows, in words made from its numbers: for readers who do not see it."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from qdgain.figures.panel import Axis, Panel, Series
from qdgain.model.dot import FloatArray
from qdgain.text import significant, with_unit

_DIGITS = 3
#: More series than this in a panel are counted, and the first ones described.
_MOST_SERIES = 5
#: Less than this fraction of a curve's largest value is no rise, peak or dip.
_FLAT = 1e-3
#: Less than this fraction reads as zero.
_ZERO = 1e-6


def described(panels: Sequence[Panel]) -> str:
    """Return sentences that say for each of a figure's panels what is drawn, and how it runs.

    Axes that a panel shares with the one before are not named again; of maps drawn with their
    projections the map is described.
    """
    sentences: list[str] = []
    before = ""
    for panel in panels:
        own = [series for series in panel.series if not series.behind]
        first = own[0]
        alike = [s for s in own if (s.x_axis, s.y_axis) == (first.x_axis, first.y_axis)]
        axes = _axes(alike)
        heading = ", ".join(x for x in (panel.letter and f"panel {panel.letter}", panel.title) if x)
        sentences += [f"{heading[:1].upper()}{heading[1:]}:", *([] if axes == before else [axes])]
        before = axes
        sentence = _sentence if first.z is None else _sentence_on_map
        sentences += [sentence(series) for series in alike[:_MOST_SERIES]]
        if len(alike) > _MOST_SERIES:
            sentences.append(f"{len(alike) - _MOST_SERIES} more.")
        if len(own) < len(panel.series):
            sentences.append("Faint: the paper's parameters.")
    return " ".join(sentences)


def _axes(series: Sequence[Series]) -> str:
    first = series[0]
    across = _range(np.concatenate([np.ravel(s.x) for s in series]), first.x_axis)
    if first.z is None or first.z_axis is None:
        return f"{first.y_axis.name} against {first.x_axis.name}, {across}."
    up = _range(np.asarray(first.y), first.y_axis)
    return f"{first.z_axis.name} over {first.x_axis.name}, {across}, and {first.y_axis.name}, {up}."


def _sentence_on_map(series: Series) -> str:
    if series.z is not None and series.z_axis is not None:
        values = np.asarray(series.z)
        return f"{series.name}: {_range(values, series.z_axis)}{_summit(series)}."
    x, y = np.asarray(series.x), np.asarray(series.y)
    along = np.flatnonzero(np.isfinite(x) & np.isfinite(y))
    if series.kind != "line" or not along.size:
        return _sentence(series)
    # A path over the map: where it begins and ends.
    start, end = (
        f"{_number(x[i], series.x_axis)} at {_number(y[i], series.y_axis)}"
        for i in (along[0], along[-1])
    )
    return f"{series.name}: from {start} to {end}."


def _sentence(series: Series) -> str:
    values = np.asarray(series.values, dtype=float)
    finite = np.isfinite(values)
    if not finite.any():
        return f"{series.name}: out of reach."
    if series.kind in ("points", "band", "level"):
        edges = [edge for edge in (series.y_low, series.y_high) if edge is not None]
        every = np.concatenate([values, *(np.ravel(edge) for edge in edges)])
        count = f"{values.size} points, " if series.kind == "points" and values.size > 1 else ""
        return f"{series.name}: {count}{_range(every[np.isfinite(every)], series.y_axis)}."
    x, y = np.asarray(series.x)[finite], values[finite]
    if x.size > 1 and np.ptp(x) == 0:
        return f"{series.name}: upright line at {_number(x[0], series.x_axis)}."
    order = np.argsort(x, kind="stable")
    return f"{series.name} {_course(x[order], y[order], series)}."


def _summit(series: Series) -> str:
    """Return where a map is highest, if that is one place."""
    z = np.where(np.isfinite(series.values), series.values, -np.inf)
    if np.count_nonzero(z == z.max()) > 1:
        return ""
    row, column = np.unravel_index(np.argmax(z), z.shape)
    across = _number(np.asarray(series.x)[column], series.x_axis)
    up = _number(np.asarray(series.y)[row], series.y_axis)
    return f", highest at {across} and {up}"


def _course(x: FloatArray, y: FloatArray, series: Series) -> str:
    """Return whether a curve rises, falls, peaks or dips, with its numbers."""
    slack = _FLAT * float(np.max(np.abs(y)))
    y = _without_traces(y)
    low, high = int(np.argmin(y)), int(np.argmax(y))
    start, end, least, most = (_number(v, series.y_axis) for v in (y[0], y[-1], y[low], y[high]))
    if y[high] - y[low] <= slack:
        return f"stays at {start}"
    peaks, dips = y[high] > max(y[0], y[-1]) + slack, y[low] < min(y[0], y[-1]) - slack
    if peaks and dips:
        return f"lies between {least} and {most}, highest at {_number(x[high], series.x_axis)}"
    if peaks or dips:
        extreme, at = (most, x[high]) if peaks else (least, x[low])
        what = "peaks at" if peaks else "has its least,"
        ends = f"{start} at both ends" if start == end else f"{start} and {end} at the ends"
        return f"{what} {extreme} at {_number(at, series.x_axis)}; {ends}"
    return f"{'rises' if y[-1] > y[0] else 'falls'} from {start} to {end}"


def _range(values: FloatArray, axis: Axis) -> str:
    finite = _without_traces(values[np.isfinite(values)])
    low, high = (significant(float(v), _DIGITS) for v in (finite.min(), finite.max()))
    return with_unit(low if low == high else f"{low} to {high}", axis.unit)


def _without_traces(values: FloatArray) -> FloatArray:
    return np.where(np.abs(values) < _ZERO * np.max(np.abs(values)), 0.0, values)


def _number(value: float, axis: Axis) -> str:
    return with_unit(significant(float(value), _DIGITS), axis.unit)
