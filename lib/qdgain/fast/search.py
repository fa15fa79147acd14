"""The search for the photon energy of the lowest threshold, for many dots at once.

1. *Where.* G ≤ max(e₁, e₂), so that a gain of ε needs one of the emission bands above it: one or
   two windows of energies a dot.
2. *Scan.* On an even grid a Gaussian follows from its neighbour by two multiplications,
   g → g·q, q → q·exp(-κ²). Every local maximum of the law's score is a candidate; a few points a
   linewidth are enough, because nothing is narrower than a band.
3. *Refine.* On the curve G(⟨N⟩, E) = ε the threshold is least where ∂G/∂E = 0, which Newton's
   method solves: in single precision, then in double until another step would lower ⟨N⟩ by less
   than 1e-10. What does not converge is searched by comparison, between its neighbours.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

import numpy as np

from qdgain.fast.laws import Law, Slopes
from qdgain.model.dot import FloatArray

A, P, B, Q = range(4)

#: Distance of the scan's points in standard deviations of the narrowest band: at most so much, and
#: so much over the reach of the bands above the floor, because far tails are steep.
_SPACING, _SPACING_OVER_REACH = 0.42, 1.5
#: Rows at once in the scan: what they need stays in the cache.
_ROWS_AT_ONCE, _UNEVEN_ROWS_AT_ONCE = 16384, 512
#: Half the points of an even scan, and how many at most in single precision: where a Gaussian is
#: zero in the middle, the recurrence keeps it zero.
_HALVES = (5, 7, 9, 11, 13, 15, 18, 22, 27, 33, 40, 49, 60)
_MORE = _HALVES[-1] + 1
#: The least of them that is enough, by the whole number that is needed.
_ENOUGH = np.array([min(h for h in (*_HALVES, _MORE) if h >= n) for n in range(_MORE + 1)])
_LARGEST_HALF_SINGLE = 15
#: Below these single precision does not tell thresholds apart: the floor, and αβ where δ is one,
#: because the root of a square plus next to nothing has no digits left of the rest.
_SMALLEST_FLOOR_SINGLE, _SMALLEST_PRODUCT_SINGLE = 1e-4, 2e-5
_LARGEST_GAIN = 1e-10
_NEWTON, _ROUNDS = 3, 2
_KEPT_BYTES = 1 << 24
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

    def take(self, rows: Any) -> Columns:
        """Return some of the dots."""
        return self._each(lambda column: column.take(rows, axis=-1))

    def column(self) -> Columns:
        """Return them with an axis for energies at the end."""
        return self._each(lambda column: column[..., None])

    def astype(self, kind: Any) -> Columns:
        """Return them in another precision."""
        return self._each(lambda column: column.astype(kind))

    def _each(self, change: Callable[[Any], Any]) -> Columns:
        four = (change(column) for column in self[:4])
        return Columns(*four, *(None if c is None else change(c) for c in self[4:]))


class _Windows(NamedTuple):
    """Energies at which the gain can reach the floor, one or two rows a dot; half their points."""

    dot: Any
    low: Any
    high: Any
    half: Any

    def take(self, rows: Any) -> _Windows:
        """Return some of the rows."""
        return _Windows(*(column.take(rows) for column in self))


class _Candidates(NamedTuple):
    """Local maxima of a scan: the dot, the place, and its neighbours."""

    dot: Any
    place: FloatArray
    left: FloatArray
    right: FloatArray

    def take(self, rows: Any) -> _Candidates:
        """Return some of the rows."""
        return _Candidates(*(column.take(rows) for column in self))


def lowest_threshold(columns: Columns, law: Law) -> tuple[FloatArray, FloatArray]:
    """Return the lowest threshold of each dot over photon energies, and its energy.

    Parameters
    ----------
    columns : Columns
        D dots.
    law : Law
        The statistics.

    Returns
    -------
    tuple of numpy.ndarray
        ⟨N⟩ and the energy in the unit and from the origin of the centres, of shape (D,); infinity
        and nan where no gain reaches the floor.
    """
    mean, place = np.full(columns.floor.size, np.inf), np.full(columns.floor.size, np.nan)
    precise = columns.floor * np.abs(columns.strength[2] - columns.floor) < _SMALLEST_PRODUCT_SINGLE
    precise |= columns.floor < _SMALLEST_FLOOR_SINGLE
    for rows, some_law in ((~precise, law), (precise, law._replace(scan_precision=np.float64))):
        _search(columns, np.flatnonzero(rows), some_law, mean, place)
    if law.below_one:
        first_law = law.below_one._replace(scan_precision=np.float64)
        _search(columns, np.flatnonzero(mean >= 1), first_law, mean, place)
    return mean, place


def _search(columns: Columns, rows: Any, law: Law, mean: FloatArray, place: FloatArray) -> None:
    """Put the thresholds of some of the dots, where they are lower, into ⟨N⟩ and place."""
    if not rows.size:
        return

    def keep(dot: Any, found: FloatArray, where: FloatArray) -> None:
        np.minimum.at(mean, dot, found)
        best = np.flatnonzero((found == mean[dot]) & (found < np.inf))
        place[dot[best]] = where[best]

    def refine(found: _Candidates, dots: Columns) -> _Candidates:
        """Keep what is lower than before; return what has not converged and is worth it."""
        refined = _refined(found, dots, law)
        keep(found.dot, refined.mean, refined.place)
        left = refined.unfinished
        hopeful = np.isfinite(refined.mean[left])
        hopeful |= 0.5 * refined.nearest[left] < mean[found.dot[left]]
        return found._replace(place=refined.place).take(left[hopeful])

    # What was once given back in one piece, malloc keeps: half of the time went into new pages.
    np.empty(_KEPT_BYTES, dtype=np.int8)
    with np.errstate(all="ignore"):
        others = []
        for main, more, dots in _scan(columns, rows, law):
            others += [more, refine(main, dots)]
        if others:
            left = _Candidates(*(np.concatenate(column) for column in zip(*others, strict=True)))
            for _ in range(_ROUNDS):
                left = refine(left, columns.take(left.dot))
            if left.dot.size:
                keep(left.dot, *_zoomed(left, columns.take(left.dot), law))


def _windows(columns: Columns) -> _Windows:
    """Return the windows of step 1; those of one dot are one where they meet."""
    centre, width, strength, floor, *_ = columns
    # A little more than the Gaussians' own reach, for single precision.
    reach = np.log(np.stack([0.5 * strength[0] / floor, strength[2] / floor]).astype(np.float32))
    exists = reach > 0
    reach = np.sqrt(np.maximum(2.002 * reach, 0, out=reach), out=reach)
    spacing = np.minimum(_SPACING_OVER_REACH / np.maximum(reach[0], reach[1]), _SPACING)
    emitting = slice(P, Q + 1, Q - P)
    reach *= width if len(width) == 1 else width[emitting]
    low = (centre[emitting] - reach).astype(np.float32)
    high = (centre[emitting] + reach).astype(np.float32)
    meet = exists[0] & exists[1]
    meet &= np.maximum(low[0], low[1]) <= np.minimum(high[0], high[1])
    np.copyto(low[0], np.minimum(low[0], low[1]), where=meet)
    np.copyto(high[0], np.maximum(high[0], high[1]), where=meet)
    exists[1] &= ~meet
    half = (high - low) / (2 * spacing * np.min(width, axis=0))
    half = _ENOUGH.take(np.minimum(np.ceil(half), _MORE).astype(np.intp)).astype(np.int16)
    if exists[0].all() and not exists[1].any():
        return _Windows(np.arange(floor.size), low[0], high[0], half[0])
    which, dot = np.nonzero(exists)
    return _Windows(dot, low[which, dot], high[which, dot], half[which, dot])


def _scan(
    columns: Columns, rows: Any, law: Law
) -> Iterator[tuple[_Candidates, _Candidates, Columns]]:
    """Yield the candidates of step 2: one for each of some dots, any others, and the dots.

    Rows go together that take as many points, so that no result hangs on the other dots.
    """
    windows = _windows(columns if rows.size == columns.floor.size else columns.take(rows))
    windows = windows._replace(dot=rows[windows.dot])
    order = np.argsort(windows.half, kind="stable")
    ends = np.searchsorted(windows.half[order], _HALVES, side="right")
    for half, begin, end in zip(_HALVES, [0, *ends[:-1]], ends, strict=True):
        for start in range(begin, end, _ROWS_AT_ONCE):
            some = windows.take(order[start : min(start + _ROWS_AT_ONCE, end)])
            dots = columns.take(some.dot)
            yield *_even_scan(some, dots, law, half), dots
    for start in range(ends[-1], order.size, _UNEVEN_ROWS_AT_ONCE):
        some = windows.take(order[start : start + _UNEVEN_ROWS_AT_ONCE])
        found = _uneven_scan(some, columns.take(some.dot), law)
        yield found, found.take([]), columns.take(found.dot)


def _even_scan(
    windows: _Windows, columns: Columns, law: Law, half: int
) -> tuple[_Candidates, _Candidates]:
    """Scan 2·half + 1 even points a row: a candidate for each row, and any others."""
    size = columns.floor.size
    middle = 0.5 * (windows.low + windows.high)
    spacing = (windows.high - windows.low) * (0.5 / half)
    scores = _even_scores(middle, spacing, columns, law, half)
    top = scores[1:-1] >= scores[:-2]
    top &= scores[1:-1] > scores[2:]
    flat = np.flatnonzero(top)
    before, here, after = (scores.ravel().take(flat + k * size) for k in range(3))
    bend = 2 * here - before - after
    shift = 0.5 * (after - before) / bend
    # A parabola rises by an eighth of its bend between the points.
    hopeful = here + bend > law.worst_score
    index = flat // size
    row = flat - index * size
    index += 1 - half
    if not hopeful.all():
        index, row, shift = index[hopeful], row[hopeful], shift[hopeful]

    def candidates(row: Any, index: Any, shift: FloatArray) -> _Candidates:
        apart = spacing[row]
        at_top = middle[row] + index * apart
        return _Candidates(windows.dot[row], at_top + shift * apart, at_top - apart, at_top + apart)

    # One candidate a row, in the rows' order, so that nothing has to be gathered; and the others.
    first, moved = np.zeros(size, dtype=index.dtype), np.zeros(size)
    first[row] = index
    moved[row] = shift
    others = np.flatnonzero(index != first[row])
    more = candidates(row[others], index[others], shift[others])
    return candidates(slice(None), first, moved), more


def _even_scores(
    middle: FloatArray, spacing: FloatArray, columns: Columns, law: Law, half: int
) -> FloatArray:
    """Return the scores at 2·half + 1 even points about the middle, of shape (points, rows)."""
    kind = law.scan_precision if half <= _LARGEST_HALF_SINGLE else np.float64
    rough = columns.astype(kind)
    step = (spacing / columns.width).astype(kind)
    # A band farther than this from the middle is nothing in the window, and would underflow.
    farthest = 13.0 if kind == np.float32 else 37.0
    at = ((middle - columns.centre) / columns.width).astype(kind)
    np.minimum(np.maximum(at, -farthest, out=at), farthest, out=at)

    # The bands, and their ratios from point to point: leftwards and rightwards.
    band, ratio = np.empty((2, 2, *at.shape), dtype=kind)
    np.multiply(at, at, out=band[0])
    band[0] *= -0.5
    np.exp(band[0], out=band[0])
    band[0, P:] *= rough.strength
    band[1] = band[0]
    np.multiply(at, step, out=ratio[0])
    step *= step
    ratio[0] -= 0.5 * step
    np.exp(ratio[0], out=ratio[0])
    change = np.exp(-step)
    np.divide(change, ratio[0], out=ratio[1])

    def score(pair: FloatArray) -> FloatArray:
        return law.score(*_terms(rough, np.moveaxis(pair, 1, 0)))

    scores = np.empty((2 * half + 1, rough.floor.size), dtype=kind)
    scores[half] = score(band[:1])[0]
    for k in range(1, half + 1):
        band *= ratio
        ratio *= change
        scores[half - k : half + k + 1 : 2 * k] = score(band)
    return scores


def _uneven_scan(windows: _Windows, columns: Columns, law: Law) -> _Candidates:
    """Scan points that lie evenly on each band's own scale, where the widths are too unlike."""
    centre, width = columns.centre[:, :, None], columns.width[:, :, None]
    low, high = windows.low[:, None], windows.high[:, None]
    own = centre + width * np.arange(-7.0, 7.01, 0.2)
    even = low + (high - low) * np.linspace(0.0, 1.0, 61)
    places = np.sort(np.clip(np.concatenate([*own, even], axis=1), low, high), axis=1)
    dots = columns.column()
    scores = law.score(*_terms(dots, _bands(dots, (places - centre) / width)))
    # Where points coincide, the first of them stands for all; where they almost do, the maximum is
    # beyond the nearest neighbour.
    top = scores[:, 1:-1] > scores[:, :-2]
    top &= scores[:, 1:-1] >= scores[:, 2:]
    row, index = np.nonzero(top)
    last = places.shape[1] - 1
    left, place, right = (places[row, np.clip(index + k, 0, last)] for k in (-1, 1, 3))
    return _Candidates(windows.dot[row], place, left, right)


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
    start = found.place - columns.centre
    start /= columns.width
    inverse = 1 / columns.width
    low, high = found.left - found.place, found.right - found.place

    kind = law.scan_precision
    rough = columns.astype(kind)
    at, per, lowest, highest = (x.astype(kind) for x in (start, inverse, low, high))
    moved = np.zeros_like(lowest)
    for _ in range(_NEWTON):
        argument = at + moved * per
        band = _bands(rough, argument)
        mean = law.nearest(*_terms(rough, band))
        slope, bend = _gradient(rough, band, argument, per, law.slopes(mean))
        slope /= bend
        moved += slope
        np.fmin(np.fmax(moved, lowest, out=moved), highest, out=moved)
    shift = moved.astype(float)

    argument = start + shift * inverse
    band = _bands(columns, argument)
    a, d, q = _terms(columns, band)
    mean = law.root(a, d, q)
    at = mean.copy()
    missing = np.isinf(mean)
    if missing.any():
        at[missing] = law.nearest(a[missing], d[missing], q[missing])
    slopes = law.slopes(at)
    slope, bend = _gradient(columns, band, argument, inverse, slopes)
    step = slope / bend
    slope *= step
    rise = d * slopes.half_exciton_slope
    rise += q * slopes.biexciton_slope
    rise -= a * slopes.ground_slope
    done = slope < _LARGEST_GAIN * rise
    if missing.any():
        # Not even at the best energy nearby, where the gain is larger by half of `slope`.
        lacks = a * slopes.ground - d * slopes.half_exciton - q * slopes.biexciton
        done |= missing & (5 * slope < lacks)
    return _Refined(mean, at, found.place + shift, np.flatnonzero(~done))


def _gradient(
    columns: Columns, band: FloatArray, argument: FloatArray, inverse: FloatArray, at: Slopes
) -> tuple[FloatArray, FloatArray]:
    """Return ∂G/∂E and |∂²G/∂E²| at some ⟨N⟩; the bands and arguments are overwritten."""
    absorbing, blocked = at.ground, at.half_exciton
    if columns.remaining is not None:
        absorbing = absorbing + columns.remaining * at.half_exciton
    if columns.full is not None:
        blocked = blocked + columns.full * at.biexciton
    band[A] *= absorbing
    np.negative(band[A], out=band[A])
    band[P] *= at.half_exciton
    band[B] *= blocked
    np.negative(band[B], out=band[B])
    band[Q] *= at.biexciton
    band *= inverse
    slope = (band * argument).sum(axis=0)
    argument *= argument
    argument -= 1
    band *= inverse
    band *= argument
    bend = band.sum(axis=0)
    return np.negative(slope, out=slope), np.abs(bend, out=bend)


def _zoomed(found: _Candidates, columns: Columns, law: Law) -> tuple[FloatArray, FloatArray]:
    """Return the least ⟨N⟩ between the neighbours and its energy, by comparison alone."""
    left, right = found.left, found.right
    row = np.arange(left.size)
    dots = columns.column()
    for _ in range(_ZOOMS):
        places = left[:, None] + (right - left)[:, None] * _ZOOM
        band = _bands(dots, (places - dots.centre) / dots.width)
        mean = law.root(*_terms(dots, band))
        # Where there is no threshold the score leads to the nearest energy that has one.
        value = np.where(np.isfinite(mean), mean, 1e9 - law.score(*_terms(dots, band)))
        best = np.argmin(value, axis=1)
        left = places[row, np.maximum(best - 1, 0)]
        right = places[row, np.minimum(best + 1, _ZOOM.size - 1)]
    return mean[row, best], places[row, best]
