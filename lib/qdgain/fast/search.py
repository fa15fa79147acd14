"""The search for the photon energy of the lowest threshold, for many dots at once.

1. *Where.* G ≤ max(e₁, e₂), so that a gain of ε needs one of the emission bands above it: one or
   two windows of energies a dot.
2. *Scan.* Every local maximum of the law's score at even energies is a candidate; a few of them a
   linewidth are enough, because nothing is narrower than a band.
3. *Refine.* On the curve G(⟨N⟩, E) = ε the threshold is least where ∂G/∂E = 0, which Newton's
   method solves, until another step would lower ⟨N⟩ by less than 1e-14. What does not converge is
   searched by comparison, between its neighbours.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np

from qdgain.fast.laws import Law, Slopes
from qdgain.model.dot import FloatArray

A, P, B, Q = range(4)

#: Distance of the scan's points in standard deviations of the narrowest band: at most so much, and
#: so much over the reach of the bands above the floor, because far tails are steep.
_SPACING, _SPACING_OVER_REACH = 0.42, 1.5
#: Points of an even scan; where more are needed they lie evenly on each band's own scale.
_POINTS = (11, 15, 19, 23, 27, 31, 41, 61, 91, 121)
_OWN_SCALE = np.arange(-7.0, 7.01, 0.2)
#: Energies at once in the scan: what they need stays in the cache.
_VALUES_AT_ONCE = 1 << 16
#: Below these single precision does not tell thresholds apart: the floor, and αβ where δ is one,
#: because the root of a square plus next to nothing has no digits left of the rest.
_SMALLEST_FLOOR_SINGLE, _SMALLEST_PRODUCT_SINGLE = 1e-4, 2e-5
_LARGEST_GAIN = 1e-14
_NEWTON, _ROUNDS = 4, 2
_ZOOM, _ZOOMS = np.linspace(0.0, 1.0, 33), 7


class Columns(NamedTuple):
    """Dots as the search needs them.

    Centre (4, D) of A_X, PL_X, A_XX2 and PL_XX, width (4, D) or one for all (1, D), strength (3, D)
    of the last three, the floor (D,), and how much of A_X a dot with one exciton still absorbs on
    and how much of A_XX2 one with two, (D,) or None for nothing.
    """

    centre: FloatArray
    width: FloatArray
    strength: FloatArray
    floor: FloatArray
    remaining: FloatArray | None = None
    full: FloatArray | None = None

    def each(self, change: Callable[[Any], Any]) -> Columns:
        """Return every column changed."""
        changed: Any = (None if column is None else change(column) for column in self)
        return Columns(*changed)

    def take(self, rows: Any) -> Columns:
        """Return some of the dots."""
        return self.each(lambda column: column.take(rows, axis=-1))


class _Windows(NamedTuple):
    """Energies at which the gain can reach the floor, one or two a dot, and steps they need."""

    dot: Any
    low: FloatArray
    high: FloatArray
    steps: FloatArray


class _Candidates(NamedTuple):
    """Local maxima of a scan: the dot, the place, and its neighbours."""

    dot: Any
    place: FloatArray
    left: FloatArray
    right: FloatArray

    def take(self, rows: Any) -> _Candidates:
        """Return some of the rows."""
        return _Candidates(*(column[rows] for column in self))


def lowest_threshold(columns: Columns, law: Law) -> tuple[FloatArray, FloatArray]:
    """Return the lowest threshold of each of D dots over photon energies, and its energy.

    ⟨N⟩ and the energy in the unit and from the origin of the centres, of shape (D,); infinity and
    nan where no gain reaches the floor.
    """
    mean, place = np.full(columns.floor.size, np.inf), np.full(columns.floor.size, np.nan)
    precise = columns.floor * np.abs(columns.strength[2] - columns.floor) < _SMALLEST_PRODUCT_SINGLE
    precise |= columns.floor < _SMALLEST_FLOOR_SINGLE
    with np.errstate(all="ignore"):
        for rows, kind in ((~precise, law.scan_precision), (precise, np.float64)):
            _search(columns, np.flatnonzero(rows), law, kind, (mean, place))
        if law.below_one:
            below = np.flatnonzero(mean >= 1)
            _search(columns, below, law.below_one, np.float64, (mean, place))
    return mean, place


def _search(
    columns: Columns, rows: Any, law: Law, kind: Any, best: tuple[FloatArray, FloatArray]
) -> None:
    """Put the thresholds of some of the dots, where they are lower, into ⟨N⟩ and place."""
    mean, place = best
    windows = _windows(columns.take(rows))
    windows = windows._replace(dot=rows[windows.dot])
    fewest = np.searchsorted(_POINTS, windows.steps + 1)

    def keep(dot: Any, found: FloatArray, where: FloatArray) -> None:
        np.minimum.at(mean, dot, found)
        lowest = np.flatnonzero((found == mean[dot]) & (found < np.inf))
        place[dot[lowest]] = where[lowest]

    # Rows go together that take as many points, so that no result hangs on the other dots.
    for which in np.unique(fewest):
        alike = np.flatnonzero(fewest == which)
        points = _POINTS[which] if which < len(_POINTS) else 0
        together = _VALUES_AT_ONCE // (points or 6 * _OWN_SCALE.size)
        for start in range(0, alike.size, together):
            some = _Windows(*(column[alike[start : start + together]] for column in windows))
            found = _scan(some, columns.take(some.dot), law, kind, points)
            for _ in range(_ROUNDS):
                refined = _refined(found, columns.take(found.dot), law)
                keep(found.dot, refined.mean, refined.place)
                left = refined.unfinished
                hopeful = np.isfinite(refined.mean[left])
                hopeful |= 0.5 * refined.nearest[left] < mean[found.dot[left]]
                found = found._replace(place=refined.place).take(left[hopeful])
                if not found.dot.size:
                    break
            else:
                keep(found.dot, *_zoomed(found, columns.take(found.dot), law))


def _windows(columns: Columns) -> _Windows:
    """Return the windows of step 1; those of one dot are one where they meet."""
    emitting, strength = [P, Q], columns.strength[[0, 2]]
    width = np.broadcast_to(columns.width, columns.centre.shape)
    # A little more than the Gaussians' own reach, for single precision.
    reach = np.log(strength * np.array([[0.5], [1.0]]) / columns.floor)
    exists = reach > 0
    reach = np.sqrt(2.002 * np.maximum(reach, 0))
    spacing = np.minimum(_SPACING_OVER_REACH / reach.max(axis=0), _SPACING) * width.min(axis=0)
    reach *= width[emitting]
    low, high = columns.centre[emitting] - reach, columns.centre[emitting] + reach
    meet = exists.all(axis=0) & (low.max(axis=0) <= high.min(axis=0))
    low[0], high[0] = (
        np.where(meet, ends, own)
        for ends, own in ((low.min(axis=0), low[0]), (high.max(0), high[0]))
    )
    exists[1] &= ~meet
    which, dot = np.nonzero(exists)
    steps = np.ceil((high - low) / spacing)
    return _Windows(dot, low[which, dot], high[which, dot], steps[which, dot])


def _scan(windows: _Windows, columns: Columns, law: Law, kind: Any, points: int) -> _Candidates:
    """Return the candidates of step 2, of so many even points a window or of each band's scale."""
    kind = kind if points else np.float64
    dots = columns.each(lambda column: column[..., None].astype(kind))
    low, high = windows.low[:, None].astype(kind), windows.high[:, None].astype(kind)
    places = low + (high - low) * np.linspace(0.0, 1.0, points or 61, dtype=kind)
    if not points:
        own = dots.centre + dots.width * _OWN_SCALE
        places = np.sort(np.clip(np.concatenate([*own, places], axis=1), low, high), axis=1)
    argument = places - dots.centre
    argument *= 1 / dots.width
    scores = law.score(*_terms(dots, _bands(dots, argument)))
    # Where points coincide, the first of them stands for all; where they almost do, the maximum is
    # beyond the nearest neighbour.
    top = scores[:, 1:-1] > scores[:, :-2]
    top &= scores[:, 1:-1] >= scores[:, 2:]
    row, index = np.divmod(np.flatnonzero(top), top.shape[1])
    right = np.minimum(index + (2 if points else 4), places.shape[1] - 1)
    left, place, right = (places[row, k].astype(float) for k in (index, index + 1, right))
    found = _Candidates(windows.dot[row], place, left, right)
    if not points:
        return found
    before, here, after = (scores[row, index + k] for k in range(3))
    bend = 2 * here - before - after
    place += 0.25 * (after - before) / bend * (right - left)
    # A parabola rises by an eighth of its bend between the points.
    return found.take(here + bend > law.worst_score)


def _bands(columns: Columns, argument: FloatArray) -> FloatArray:
    """Return the four bands times their strengths at (E - centre)/width."""
    band = argument * argument
    band *= -0.5
    np.exp(band, out=band)
    band[P:] *= columns.strength
    return band


def _terms(columns: Columns, band: FloatArray) -> tuple[FloatArray, FloatArray, FloatArray]:
    """Return α, δ and β of the laws."""
    net, full = band[P] - band[B], band[Q] - columns.floor
    if columns.remaining is not None:
        net -= columns.remaining * band[A]
    if columns.full is not None:
        full -= columns.full * band[B]
    net -= 2 * columns.floor
    return band[A] + columns.floor, net, full


class _Refined(NamedTuple):
    """Candidates: ⟨N⟩, energy, ⟨N⟩ of the largest gain if none, and which have not converged."""

    mean: FloatArray
    nearest: FloatArray
    place: FloatArray
    unfinished: Any


def _refined(found: _Candidates, columns: Columns, law: Law) -> _Refined:
    """Return the local minima of the threshold next to the candidates: step 3."""
    place, inverse = found.place, 1 / columns.width
    for left in reversed(range(_NEWTON)):
        argument = (place - columns.centre) * inverse
        band = _bands(columns, argument)
        a, d, q = _terms(columns, band)
        at = law.nearest(a, d, q)
        if not left:
            mean = law.root(a, d, q)
            at = np.where(np.isinf(mean), at, mean)
        slopes = law.slopes(at)
        slope, bend = _gradient(columns, band, (argument, inverse), slopes)
        if left:
            place = np.fmin(np.fmax(place + slope / bend, found.left), found.right)
    rise = d * slopes.half_exciton_slope + q * slopes.biexciton_slope - a * slopes.ground_slope
    gained = slope * slope / bend
    done = gained < _LARGEST_GAIN * rise
    # Not even at the best energy nearby, where the gain is larger by half of `gained`.
    lacks = a * slopes.ground - d * slopes.half_exciton - q * slopes.biexciton
    done |= np.isinf(mean) & (5 * gained < lacks)
    return _Refined(mean, at, place, np.flatnonzero(~done))


def _gradient(
    columns: Columns, band: FloatArray, scaled: tuple[FloatArray, FloatArray], at: Slopes
) -> tuple[FloatArray, FloatArray]:
    """Return ∂G/∂E and |∂²G/∂E²| at some ⟨N⟩; the bands are overwritten."""
    absorbing, blocked = at.ground, at.half_exciton
    if columns.remaining is not None:
        absorbing = absorbing + columns.remaining * at.half_exciton
    if columns.full is not None:
        blocked = blocked + columns.full * at.biexciton
    argument, inverse = scaled
    band *= np.stack([-absorbing, at.half_exciton, -blocked, at.biexciton])
    band *= inverse
    slope = -(band * argument).sum(axis=0)
    band *= inverse
    return np.asarray(slope), np.abs((band * (argument * argument - 1)).sum(axis=0))


def _zoomed(found: _Candidates, columns: Columns, law: Law) -> tuple[FloatArray, FloatArray]:
    """Return the least ⟨N⟩ between the neighbours and its energy, by comparison alone."""
    left, right = found.left, found.right
    row = np.arange(left.size)
    dots = columns.each(lambda column: column[..., None])
    for _ in range(_ZOOMS):
        places = left[:, None] + (right - left)[:, None] * _ZOOM
        terms = _terms(dots, _bands(dots, (places - dots.centre) / dots.width))
        mean = law.root(*terms)
        # Where there is no threshold the score leads to the nearest energy that has one.
        value = np.where(np.isfinite(mean), mean, 1e9 - law.score(*terms))
        best = np.argmin(value, axis=1)
        left = places[row, np.maximum(best - 1, 0)]
        right = places[row, np.minimum(best + 1, _ZOOM.size - 1)]
    return mean[row, best], places[row, best]
