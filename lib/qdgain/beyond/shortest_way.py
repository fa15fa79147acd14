r"""The shortest way from a dot to a wanted threshold: the nearest dot that has it.

A dot is a point (S, Δ_A2, Δ_E, Γ) in meV, and the length of a way is the Euclidean distance between
two of them, so that a meV counts alike for each parameter (assumed: what a meV costs a chemist is
not known). At a wanted ⟨N⟩ the populations are known numbers, and the threshold is reached where
the gain exceeds the loss and the floor ε,

.. math:: \ln\frac{\tfrac12 P_1\,PL_X + \gamma P_2\,PL_{XX}}
    {P_0 A_X + \tfrac12 P_1\,a A_{XX2} + \varepsilon} \ge 0,

at the gain maximum or, for the onset, at any photon energy, which then is a fifth variable that
costs nothing. The terms are those of the reading *replacing*; others share the bands by other
weights. Gaussians make it smooth with a closed gradient, in which the energy E of the maximum of a
full dot's gain g moves by :math:`\partial E/\partial x = -g_{Ex}/g_{EE}`. A lattice of dots gives
starts on every side, and sequential quadratic programming leads from each of them to a shortest
way.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cache
from types import MappingProxyType
from typing import Any, NamedTuple

import numpy as np
import scipy

from qdgain.beyond.levers import FLOOR, MAXIMUM, ONSET, SEARCH_REACH_WIDTHS, threshold_of
from qdgain.model import parameters, units
from qdgain.model.bands import band_widths_meV
from qdgain.model.dot import Dot, FloatArray
from qdgain.model.search import parabolic_peak
from qdgain.model.states import highest_state, net_weights, weights_at, weights_of_bands

#: The four parameters of a way, in the order of its vectors.
FIELDS = ("stokes_shift_meV", "absorptive_binding_meV", "emissive_binding_meV", "linewidth_meV")
_S, _A2, _E, _WIDTH = range(4)
#: What a way may change: name to the directions that span its changes.
ROUTES: Mapping[str, tuple[tuple[float, ...], ...]] = MappingProxyType(
    {
        "shifts": ((1, 0, 0, 0), (0, 1, 0, 0), (0, 0, 1, 0)),
        "shifts and linewidth": ((1, 0, 0, 0), (0, 1, 0, 0), (0, 0, 1, 0), (0, 0, 0, 1)),
        # Absorption into the biexciton and emission from it move alike.
        "one binding energy": ((1, 0, 0, 0), (0, 1, 1, 0)),
        "one binding energy and linewidth": ((1, 0, 0, 0), (0, 1, 1, 0), (0, 0, 0, 1)),
    }
)
#: Steps of the lattice in standard deviations, and its factors of the linewidth.
_STEPS = np.array([0.0, 0.5, 1.0, 1.7, 2.6, 4.0, 6.0])
_LATTICE = np.concatenate([-_STEPS[:0:-1], _STEPS])
_WIDTH_FACTORS = np.array([0.2, 0.4, 0.6, 0.8, 1.0, 1.3, 1.7, 2.3, 3.2])
_NARROWEST = 0.05
_ENERGIES = np.arange(-8.0, 2.01, 0.4)
#: Where a full dot's gain is looked at for its maximum, about the centre of its emission, and
#: Newton's steps to it.
_ABOUT_STEP, _NEWTON = 0.25, 3
_ABOUT = np.arange(-6.0, 6.01, _ABOUT_STEP)
#: Searches from so many sides; with one the nearest start alone is followed.
STARTS = 3
#: A limit may be missed by so much; of ln(gain/loss) so much more than nothing is asked, so that a
#: way never ends short of its threshold.
_SLACK, _MARGIN = 1e-7, 2e-7
_HALVINGS = 30
_FARTHEST_LOG = 700.0

_Pair = tuple[FloatArray, FloatArray]


@dataclass(frozen=True, eq=False)
class Way:
    """The change of each of `FIELDS`, its length, where the way ends, and ⟨N⟩ there.

    If there is no way, these are nan, infinity, None and nan.
    """

    change_meV: Mapping[str, float]
    distance_meV: float
    dot: Dot | None
    threshold: float

    @property
    def exists(self) -> bool:
        """Whether the threshold can be had this way."""
        return self.dot is not None


def nearest_dot(
    dot: Dot,
    target: float,
    definition: str = MAXIMUM,
    *,
    route: str = "shifts",
    floor: float = FLOOR,
    statistics: str = "rabi",
    balanced_at_K: float | None = None,
    starts: int = STARTS,
) -> Way:
    """Return the shortest way from a single dot to a wanted threshold, of length 0 if it has it.

    The target is an ⟨N⟩ up to 2 of a `qdgain.beyond.levers.threshold`; the route, one of `ROUTES`,
    is what may change. The strengths stay, and a change of the linewidth widens all bands by one
    factor. With `balanced_at_K` the bands must be possible in thermal equilibrium at that
    temperature: the Stokes shift S of the exciton and that of the biexciton, S + Δ_E - Δ_A2, from 0
    to s²/kT (DOI 10.1103/PhysRev.136.A954). The search starts from so many sides at most. A
    ParameterError refuses an array of dots, and what the threshold refuses.

    The biexciton's emission may not move blue of A_X, where a real dot absorbs into states that the
    model does not have, and no parameter by more than `qdgain.beyond.levers.SEARCH_REACH_WIDTHS`
    linewidths.
    """
    if dot.shape:
        raise parameters.ParameterError("a way starts from one dot: give numbers, not arrays.")
    target = float(parameters.check("low_threshold", target))
    # Refuses what the threshold itself would.
    there = bool(threshold_of(dot, definition, floor, statistics) <= target)
    onset, unit, limit = definition == ONSET, float(band_widths_meV(dot).absorption), np.inf
    if balanced_at_K is not None:
        kT = float(units.thermal_energy_meV(parameters.check("temperature_K", balanced_at_K)))
        limit = unit / kT
    weights = _weights(dot, target, float(floor) if onset else 0.0, statistics)
    found = _Search(dot, route, weights, onset, limit).shortest(starts, there)
    if found is None:
        return Way(MappingProxyType(dict.fromkeys(FIELDS, np.nan)), np.inf, None, np.nan)
    change = found * unit
    end = moved(dot, change)
    return Way(
        MappingProxyType(dict(zip(FIELDS, change.tolist(), strict=True))),
        float(np.linalg.norm(change)),
        end,
        float(threshold_of(end, definition, floor, statistics)),
    )


def moved(dot: Dot, change_meV: FloatArray) -> Dot:
    """Return a dot with S, Δ_A2, Δ_E and Γ changed; widths of bands of their own by Γ's factor."""
    values: dict[str, Any] = {
        name: float(parameters.clipped(name, float(np.asarray(getattr(dot, name))) + step))
        for name, step in zip(FIELDS, change_meV, strict=True)
    }
    factor = values["linewidth_meV"] / float(np.asarray(dot.linewidth_meV))
    for name, value in dot.values().items():
        if name.endswith("_linewidth_meV"):
            values[name] = float(parameters.clipped(name, np.asarray(value) * factor))
    return replace(dot, **values)


class _Weights(NamedTuple):
    """What the bands weigh at the wanted ⟨N⟩, and in the gain of a full dot.

    The logarithms of PL_X and PL_XX in the gain, and of A_X, A_XX2 and the floor in the loss; A_X,
    PL_X, A_XX2 and PL_XX of the full dot.
    """

    gain: FloatArray
    loss: FloatArray
    full: FloatArray


def _weights(dot: Dot, target: float, floor: float, statistics: str) -> _Weights:
    shares = weights_at(np.asarray(target), statistics, len(weights_of_bands(dot).gain))
    A, P, B, Q = (float(weight) for weight in net_weights(dot, shares))
    with np.errstate(divide="ignore"):
        gain = np.log(np.array([P, Q]))
        loss = np.log(np.array([-A, -B, floor]))
    full = np.array(weights_of_bands(dot).gain[highest_state(dot, statistics)], dtype=float)
    return _Weights(np.maximum(gain, -_FARTHEST_LOG), np.maximum(loss, -_FARTHEST_LOG), full)


class _Search:
    """What to reach and from where, in units of the standard deviation of A_X.

    A place is (S, Δ_A2, Δ_E, Γ), an array of four rows; a guess is the steps along the directions
    of the route, then the photon energy from A_X, which is free at the onset. The limit is the
    largest Stokes shift at the present width.
    """

    def __init__(self, dot: Dot, route: str, weights: _Weights, onset: bool, limit: float) -> None:
        own = band_widths_meV(dot)
        unit = float(own.absorption)
        now = np.array([getattr(dot, name) for name in FIELDS], dtype=float)
        reach = SEARCH_REACH_WIDTHS * now[_WIDTH]
        contract = [parameters.parameter(name) for name in FIELDS]
        low = np.maximum([entry.minimum for entry in contract], now - reach)
        low[_WIDTH] = max(low[_WIDTH], _NARROWEST * now[_WIDTH])
        high = np.minimum([entry.maximum for entry in contract], now + reach)
        self.start, self.low, self.high = now / unit, low / unit, high / unit
        # Of A_X, PL_X, A_XX2 and PL_XX.
        self.widths = np.array([*own[:2], *own[3:]], dtype=float) / unit
        self.gain, self.loss, self.full = weights
        # A full dot that only absorbs has no gain maximum, wherever its bands are.
        self.is_dark = not onset and bool(np.all(self.full <= 0) and np.any(self.full < 0))
        # A full dot emits on PL_XX, or on PL_X in readings without one; even if next to nothing.
        self.main = 3 if self.full[3] > 0 else 1
        self.full[self.main] = self.full[self.main] or 1.0
        self.onset, self.limit = onset, limit
        self.basis = np.array(ROUTES[route], dtype=float).T

    def shortest(self, starts: int, there: bool) -> FloatArray | None:
        """Return the shortest change of (S, Δ_A2, Δ_E, Γ), or None."""
        if self.is_dark:
            return None
        start = self.start
        photon = float(self.brightest(start))
        if self.onset:
            energy = _ENERGIES - start[_S]
            photon = float(energy[np.argmax(self.excess(start[:, None], energy))])
        here = np.append(np.zeros(self.basis.shape[1]), photon)
        # A dot that has the threshold only needs to meet the limits.
        if np.all(self.conditions(here)[0][there:] >= -_SLACK):
            return np.zeros(len(FIELDS))
        ends = (self.descend(guess) for guess in self.guesses(starts) or [here])
        return min((end for end in ends if end is not None), key=np.linalg.norm, default=None)

    def guesses(self, most: int) -> list[FloatArray]:
        """Return the nearest dots of a lattice that meet every limit, one for each side."""
        width = (_WIDTH_FACTORS - 1) * self.start[_WIDTH]
        axes = [width if column[_WIDTH] else _LATTICE for column in self.basis.T]
        steps = np.stack([grid.ravel() for grid in np.meshgrid(*axes, indexing="ij")])
        places = self.start[:, None] + self.basis @ steps
        near = np.all((places >= self.low[:, None]) & (places <= self.high[:, None]), axis=0)
        near &= np.all(self.limits(places) >= 0, axis=0)
        steps, places = steps[:, near], places[:, near]
        if self.onset:
            # The photon energies are counted from the dot's own PL_X.
            energies = _ENERGIES[:, None] * self.factor(places) - places[_S]
            excess = self.excess(places[:, None, :], energies)
            row = np.argmax(excess, axis=0)
            photons, margin = np.take_along_axis(energies, row[None], axis=0)[0], excess.max(axis=0)
        else:
            photons = self.brightest(places)
            margin = self.excess(places, photons)
        if not margin.size:
            return []
        guesses = np.vstack([steps, photons])
        enough = np.flatnonzero(margin >= 0)
        # Where the lattice is too coarse to hold such a dot, the one that lacks least.
        if not enough.size:
            return [guesses[:, int(np.argmax(margin))]]
        length = np.linalg.norm(self.basis @ steps[:, enough], axis=0)
        order = enough[np.argsort(length, kind="stable")]
        _, first = np.unique(np.sign(steps[:, order]), axis=1, return_index=True)
        return [guesses[:, order[i]] for i in np.sort(first)[:most]]

    def descend(self, guess: FloatArray) -> FloatArray | None:
        """Return the end of a search from a guess, None if it does not meet every limit."""
        end = self.minimised(guess)
        if not self.meets(end):
            if not self.meets(guess):
                return None
            # Where the gain maximum jumps a search gets stuck: another one, from the end of as much
            # of the straight way to the guess as is needed.
            near = self.shortened(guess)
            end = self.minimised(near)
            end = end if self.meets(end) else near
        return np.asarray(self.basis @ end[:-1])

    def shortened(self, guess: FloatArray) -> FloatArray:
        """Return the guess brought nearer to the start as far as every limit is met."""
        enough, short = 1.0, 0.0
        along = np.append(np.ones(guess.size - 1), 0.0)
        for _ in range(_HALVINGS):
            middle = 0.5 * (enough + short)
            met = self.meets(guess * (1 - along + along * middle))
            enough, short = (middle, short) if met else (enough, middle)
        return guess * (1 - along + along * enough)

    def minimised(self, guess: FloatArray) -> FloatArray:
        """Return where a search for the shortest change from a guess ends."""
        free = self.basis.shape[1]
        square = self.basis.T @ self.basis

        @cache
        def conditions(guess: bytes) -> _Pair:
            return self.conditions(np.frombuffer(guess))

        # No step into widths below zero, where nothing is defined.
        low, high = np.full(free + 1, -np.inf), np.full(free + 1, np.inf)
        widening = np.flatnonzero(self.basis[_WIDTH])
        low[widening] = self.low[_WIDTH] - self.start[_WIDTH]
        high[widening] = self.high[_WIDTH] - self.start[_WIDTH]
        minimize: Any = scipy.optimize.minimize
        found = minimize(
            lambda at: 0.5 * float(at[:free] @ square @ at[:free]),
            guess,
            jac=lambda at: np.append(square @ at[:free], 0.0),
            method="SLSQP",
            bounds=scipy.optimize.Bounds(low, high),
            constraints={
                "type": "ineq",
                "fun": lambda at: conditions(at.tobytes())[0],
                "jac": lambda at: conditions(at.tobytes())[1],
            },
            options={"maxiter": 40, "ftol": 1e-12},
        )
        return np.asarray(found.x)

    def meets(self, guess: FloatArray) -> bool:
        """Return whether a guess meets every limit."""
        return bool(np.isfinite(guess).all() and np.all(self.conditions(guess)[0] >= -_SLACK))

    def factor(self, places: FloatArray) -> FloatArray:
        """Return the factor of all widths."""
        return np.asarray(places[_WIDTH] / self.start[_WIDTH])

    def bands(self, places: FloatArray) -> _Pair:
        """Return the centres of A_X, PL_X, A_XX2 and PL_XX, and their widths."""
        stokes = places[_S]
        centres = np.stack([0.0 * stokes, -stokes, -places[_A2], -(stokes + places[_E])])
        return centres, np.multiply.outer(self.widths, self.factor(places))

    def off(self, places: FloatArray, photon: FloatArray) -> _Pair:
        """Return (E - centre)/s of these bands, and s."""
        centres, width = self.bands(places)
        return (photon - centres) / width, width

    def brightest(self, places: FloatArray) -> FloatArray:
        """Return the photon energy of the largest gain of a full dot."""
        main = self.main
        centre = -(places[_S] + places[_E]) if main == 3 else -places[_S]
        if not np.any(np.delete(self.full, main)):
            return np.asarray(centre)
        centres, width = self.bands(places)
        scan = centre[..., None] + width[main][..., None] * _ABOUT
        off = (scan - centres[..., None]) / width[..., None]
        near = photon = parabolic_peak(scan, np.tensordot(self.full, np.exp(-0.5 * off * off), 1))
        reach, full = _ABOUT_STEP * width[main], self.full.reshape(4, *(1,) * centre.ndim)
        for _ in range(_NEWTON):
            off = (photon - centres) / width
            part = full * np.exp(-0.5 * off * off) / width
            slope, bend = -(part * off).sum(0), (part * (off * off - 1) / width).sum(0)
            # Where there is no maximum, the best point of the scan.
            step = np.where(bend < 0, slope / np.where(bend < 0, bend, 1.0), 0.0)
            photon = np.clip(photon - step, near - reach, near + reach)
        return np.asarray(photon)

    def brightest_slopes(self, place: FloatArray, off: FloatArray, width: FloatArray) -> FloatArray:
        """Return the gradient of `brightest` at one place, from what `off` returns there."""
        part = self.full * np.exp(-0.5 * off * off)
        pull = part * (off * off - 1) / (width * width)
        widening = (part * off * (off * off - 2) / width).sum() / place[_WIDTH]
        moves = np.array([-pull[1] - pull[3], -pull[2], -pull[3], widening])
        bend = pull.sum()
        return np.asarray(moves / bend) if bend < 0 else np.zeros(4)

    def sides(self, off: FloatArray) -> tuple[_Pair, _Pair]:
        """Return ln(gain) and ln(loss) at the wanted ⟨N⟩, each with the share of its terms."""
        log = -0.5 * off * off
        floor = np.zeros_like(log[:1])
        return (
            _log_sum(self.gain, log[1::2]),
            _log_sum(self.loss, np.concatenate([log[::2], floor])),
        )

    def excess(self, places: FloatArray, photon: FloatArray) -> FloatArray:
        """Return ln(gain/loss) at the wanted ⟨N⟩."""
        (gain, _), (loss, _) = self.sides(self.off(places, photon)[0])
        return gain - loss

    def limits(self, places: FloatArray) -> FloatArray:
        """Return what must not be negative besides the gain: one row a limit."""
        stokes, second = places[_S], places[_S] + places[_E]
        rows = [second - min(self.start[_S] + self.start[_E], 0.0)]
        if np.isfinite(self.limit):
            most = self.limit * self.factor(places) ** 2
            rows += [most - stokes, most - (second - places[_A2]), second - places[_A2]]
        return np.stack(rows)

    def limit_slopes(self, place: FloatArray) -> FloatArray:
        """Return the gradients of `limits` at one place."""
        rows = [[1.0, 0.0, 1.0, 0.0]]
        if np.isfinite(self.limit):
            by_width = 2 * self.limit * float(self.factor(place)) / self.start[_WIDTH]
            rows += [[-1.0, 0, 0, by_width], [-1.0, 1, -1, by_width], [1.0, -1, 1, 0]]
        return np.array(rows)

    def conditions(self, guess: FloatArray) -> _Pair:
        """Return all that must not be negative at a guess, and its Jacobian."""
        free = self.basis.shape[1]
        place = self.start + self.basis @ guess[:free]
        photon = guess[free] if self.onset else self.brightest(place)
        off, width = self.off(place, photon)
        (gain, gain_share), (loss, loss_share) = self.sides(off)
        # Shares of A_X, PL_X, A_XX2, PL_XX in ln(gain/loss), and its slopes by their centres.
        share = np.array([-loss_share[0], gain_share[0], -loss_share[1], gain_share[1]])
        by_centre = share * (off / width)
        by_photon = float(-by_centre.sum())
        slopes = np.zeros(5)
        slopes[_S] = -by_centre[1] - by_centre[3]
        slopes[_A2] = -by_centre[2]
        slopes[_E] = -by_centre[3]
        slopes[_WIDTH] = float((share * (off * off)).sum()) / place[_WIDTH]
        if self.onset:
            slopes[4] = by_photon
        else:
            slopes[:4] += by_photon * self.brightest_slopes(place, off, width)
        own = np.vstack([self.limit_slopes(place), np.eye(4), -np.eye(4)])
        jacobian = np.vstack([slopes, np.pad(own, ((0, 0), (0, 1)))])
        values = (self.limits(place), place - self.low, self.high - place)
        return (
            np.concatenate([np.atleast_1d(gain - loss - _MARGIN), *values]),
            np.hstack([jacobian[:, :4] @ self.basis, jacobian[:, 4:]]),
        )


def _log_sum(weights: FloatArray, bands: FloatArray) -> _Pair:
    """Return the logarithm of a sum of weighted bands, both logarithms, and each band's share."""
    terms = weights.reshape(-1, *(1,) * (bands.ndim - 1)) + bands
    top = terms.max(axis=0)
    parts = np.exp(terms - top)
    total = parts.sum(axis=0)
    return top + np.log(total), parts / total
