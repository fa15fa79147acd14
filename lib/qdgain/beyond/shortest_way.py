r"""The shortest way from a dot to a wanted threshold: the nearest dot that has it.

A dot is a point (S, Δ_A2, Δ_E, Γ) in meV, and the length of a way is the Euclidean distance between
two of them, so that a meV counts alike for each parameter (assumed: what a meV costs a chemist is
not known). At a wanted ⟨N⟩ the populations are known numbers, and the threshold is reached where
the gain exceeds the loss and the floor ε,

.. math:: \ln\frac{\tfrac12 P_1\,PL_X + \gamma P_2\,PL_{XX}}
    {P_0 A_X + \tfrac12 P_1\,a A_{XX2} + \varepsilon} \ge 0,

at the centre of PL_XX or, for the onset, at any photon energy, which then is a fifth variable that
costs nothing. Gaussians make it smooth with a closed gradient. A lattice of dots gives starts on
every side, sequential quadratic programming ends each of them.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from types import MappingProxyType
from typing import Any, NamedTuple

import numpy as np
import scipy

from qdgain.beyond.levers import SEARCH_REACH_WIDTHS, threshold_of
from qdgain.model import parameters, units
from qdgain.model.bands import band_offsets_meV, band_widths_meV
from qdgain.model.dot import Dot, FloatArray
from qdgain.model.populations import populations

#: The four parameters of a way, in the order of its vectors.
FIELDS = (
    "stokes_shift_meV",
    "absorptive_binding_meV",
    "emissive_binding_meV",
    "linewidth_meV",
)
_S, _A2, _E, _WIDTH = range(4)
#: What a way may change: name to the columns that span its changes.
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
#: Searches from so many sides; with one the nearest start alone is followed.
STARTS = 3
#: A limit may be missed by so much; of ln(gain/loss) so much more than nothing is asked, so that a
#: way never ends short of its threshold.
_SLACK, _MARGIN = 1e-7, 2e-7
_FARTHEST_LOG = 700.0


@dataclass(frozen=True, eq=False)
class Way:
    """A way from a dot to a wanted threshold.

    Parameters
    ----------
    change_meV : Mapping
        Change of each of `FIELDS`; nan if there is no way.
    distance_meV : float
        Its length: the root of the summed squares; infinity if there is no way.
    dot : Dot or None
        Where it ends.
    threshold : float
        ⟨N⟩ there; nan if there is no way.
    """

    change_meV: Mapping[str, float]
    distance_meV: float
    dot: Dot | None
    threshold: float

    @property
    def exists(self) -> bool:
        """Whether the threshold can be had this way."""
        return self.dot is not None


class _Weights(NamedTuple):
    """Logarithms of the weights of A_X, A_XX2, floor; PL_X, PL_XX."""

    loss: FloatArray
    gain: FloatArray


class _Problem(NamedTuple):
    """What to reach and from where, in units of the standard deviation of A_X.

    `own` holds the standard deviations of A_X, PL_X, A_XX2 and PL_XX, `onset` whether the photon
    energy is free, `limit` the largest Stokes shift at the present width, infinity without limit.
    """

    start: FloatArray
    own: FloatArray
    weights: _Weights
    onset: bool
    limit: float
    low: FloatArray
    high: FloatArray


def nearest_dot(
    dot: Dot,
    target: float,
    definition: str = "at gain maximum",
    *,
    route: str = "shifts",
    floor: float | None = None,
    statistics: str = "rabi",
    balanced_at_K: float | None = None,
    starts: int = STARTS,
) -> Way:
    r"""Return the shortest way from a dot to a wanted threshold.

    Parameters
    ----------
    dot : Dot
        A single dot. Its strengths stay; a change of the linewidth widens all of its bands by one
        factor.
    target : float
        The wanted ⟨N⟩, above 0 and at most 2.
    definition : {"at gain maximum", "onset"}
        As for `qdgain.beyond.levers.threshold_of`.
    route : str
        One of `ROUTES`: what may change.
    floor : float, optional
        The floor of the onset; the contract's default if left out.
    statistics : {"rabi", "poisson", "sequential"}
        How the pulse distributes the excitons.
    balanced_at_K : float, optional
        The temperature at which the bands must be possible in thermal equilibrium: the Stokes shift
        S of the exciton and that of the biexciton, S + Δ_E - Δ_A2, from 0 to s²/kT.
    starts : int
        From how many sides at most the search starts.

    Returns
    -------
    Way
        Of length 0 if the dot is there already.

    Raises
    ------
    ParameterError
        If the dot is an array of dots, or the target, floor, statistics or definition is refused.

    Notes
    -----
    The biexciton's emission may not move blue of A_X, where a real dot absorbs into states that the
    model does not have, and no parameter by more than `qdgain.beyond.levers.SEARCH_REACH_WIDTHS`
    linewidths. Thresholds: paper section 3.3; limits: DOI 10.1103/PhysRev.136.A954.
    """
    if dot.shape:
        raise parameters.ParameterError("a way starts from one dot: give numbers, not arrays.")
    target = float(parameters.check("low_threshold", target))
    how: dict[str, Any] = {"definition": definition, "floor": floor, "statistics": statistics}
    problem = _problem(dot, target, balanced_at_K=balanced_at_K, **how)
    basis = np.array(ROUTES[route], dtype=float).T
    found = _solve(problem, basis, starts)
    unit = float(band_widths_meV(dot).absorption)
    if found is None:
        return Way(MappingProxyType(dict.fromkeys(FIELDS, np.nan)), np.inf, None, np.nan)
    change = found * unit
    end = moved(dot, change)
    return Way(
        MappingProxyType(dict(zip(FIELDS, change.tolist(), strict=True))),
        float(np.linalg.norm(change)),
        end,
        float(threshold_of(end, **how)),
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


def _problem(
    dot: Dot,
    target: float,
    *,
    definition: str,
    floor: float | None,
    statistics: str,
    balanced_at_K: float | None,
) -> _Problem:
    widths = band_widths_meV(dot)
    unit = float(widths.absorption)
    onset = definition == "onset"
    # Refuses what the threshold itself would.
    threshold_of(dot, definition, floor, statistics)
    default = parameters.parameter("floor").default
    epsilon = float(default if floor is None else floor) if onset else 0.0  # type: ignore[arg-type]
    ground, exciton, biexciton = (float(p) for p in populations(target, statistics))
    half, strength = 0.5 * exciton, float(np.asarray(dot.xx_absorption_strength))
    with np.errstate(divide="ignore"):
        loss = np.log(np.array([ground, half * strength, epsilon]))
        gain = np.log(np.array([half, biexciton * float(np.asarray(dot.xx_emission_strength))]))
    limit = np.inf
    if balanced_at_K is not None:
        kT = float(units.thermal_energy_meV(parameters.check("temperature_K", balanced_at_K)))
        limit = unit / kT
    now = np.array([float(np.asarray(getattr(dot, name))) for name in FIELDS])
    reach = SEARCH_REACH_WIDTHS * now[_WIDTH]
    contract = [parameters.parameter(name) for name in FIELDS]
    low = np.array([entry.minimum for entry in contract])
    high = np.array([entry.maximum for entry in contract])
    low = np.maximum(low, now - reach)
    low[_WIDTH] = max(low[_WIDTH], _NARROWEST * now[_WIDTH])
    own = np.array([widths.absorption, widths.emission, widths.xx_absorption, widths.xx_emission])
    return _Problem(
        now / unit,
        own.astype(float) / unit,
        _Weights(np.maximum(loss, -_FARTHEST_LOG), np.maximum(gain, -_FARTHEST_LOG)),
        onset,
        limit,
        low / unit,
        np.minimum(high, now + reach) / unit,
    )


def _solve(problem: _Problem, basis: FloatArray, starts: int) -> FloatArray | None:
    """Return the shortest change of (S, Δ_A2, Δ_E, Γ), or None."""
    start = problem.start
    free = basis.shape[1]
    photon = -(start[_S] + start[_E])
    if problem.onset:
        energy = _ENERGIES - start[_S]
        photon = float(energy[np.argmax(_excess(problem, start[:, None], energy))])
    here = np.append(np.zeros(free), photon)
    if np.all(_constraints(problem, basis, here)[0] >= -_SLACK):
        return np.zeros(len(FIELDS))
    best: FloatArray | None = None
    for guess in _starts(problem, basis, starts) or [here]:
        ended = _descend(problem, basis, guess)
        if ended is not None and (best is None or np.linalg.norm(ended) < np.linalg.norm(best)):
            best = ended
    return best


def _starts(problem: _Problem, basis: FloatArray, most: int) -> list[FloatArray]:
    """Return the nearest dots of a lattice that meet every limit, one for each side of the dot."""
    width = (_WIDTH_FACTORS - 1) * problem.start[_WIDTH]
    axes = [width if column[_WIDTH] else _LATTICE for column in basis.T]
    steps = np.stack([grid.ravel() for grid in np.meshgrid(*axes, indexing="ij")])
    places = problem.start[:, None] + basis @ steps
    near = np.all((places >= problem.low[:, None]) & (places <= problem.high[:, None]), axis=0)
    near &= np.all(_limits(problem, places) >= 0, axis=0)
    steps, places = steps[:, near], places[:, near]
    if problem.onset:
        # The photon energies are counted from the dot's own PL_X.
        energies = _ENERGIES[:, None] * _factor(problem, places) - places[_S]
        excess = _excess(problem, places[:, None, :], energies)
        row = np.argmax(excess, axis=0)
        photons, margin = np.take_along_axis(energies, row[None], axis=0)[0], excess.max(axis=0)
    else:
        photons = -(places[_S] + places[_E])
        margin = _excess(problem, places, photons)
    if not margin.size:
        return []
    guesses = np.vstack([steps, photons])
    enough = np.flatnonzero(margin >= 0)
    # Where the lattice is too coarse to hold such a dot, the one that lacks least.
    if not enough.size:
        return [guesses[:, int(np.argmax(margin))]]
    order = enough[np.argsort(np.linalg.norm(basis @ steps[:, enough], axis=0), kind="stable")]
    sides = np.sign(steps[:, order])
    _, first = np.unique(sides, axis=1, return_index=True)
    return [guesses[:, order[i]] for i in np.sort(first)[:most]]


def _descend(problem: _Problem, basis: FloatArray, guess: FloatArray) -> FloatArray | None:
    """Return the end of a search from a guess, None if it meets not every limit."""
    free = basis.shape[1]
    square = basis.T @ basis

    known: dict[bytes, tuple[FloatArray, FloatArray]] = {}

    def both(at: FloatArray, which: int) -> FloatArray:
        key = at.tobytes()
        if key not in known:
            known[key] = _constraints(problem, basis, at)
        return known[key][which]

    def part(which: int) -> Callable[[FloatArray], FloatArray]:
        return lambda at: both(at, which)

    def length(at: FloatArray) -> float:
        return 0.5 * float(at[:free] @ square @ at[:free])

    def slope(at: FloatArray) -> FloatArray:
        return np.append(square @ at[:free], 0.0)

    # No step into widths below zero, where nothing is defined.
    low, high = np.full(free + 1, -np.inf), np.full(free + 1, np.inf)
    widening = np.flatnonzero(basis[_WIDTH])
    low[widening] = problem.low[_WIDTH] - problem.start[_WIDTH]
    high[widening] = problem.high[_WIDTH] - problem.start[_WIDTH]
    minimize: Any = scipy.optimize.minimize
    found = minimize(
        length,
        guess,
        jac=slope,
        method="SLSQP",
        bounds=scipy.optimize.Bounds(low, high),
        constraints={"type": "ineq", "fun": part(0), "jac": part(1)},
        options={"maxiter": 60, "ftol": 1e-12},
    )
    end = np.asarray(found.x)
    if not np.all(np.isfinite(end)) or np.any(both(end, 0) < -_SLACK):
        return None
    return np.asarray(basis @ end[:free])


def _factor(problem: _Problem, places: FloatArray) -> FloatArray:
    """Return the factor of all widths."""
    return np.asarray(places[_WIDTH] / problem.start[_WIDTH])


def _exponents(
    problem: _Problem, places: FloatArray, photon: FloatArray
) -> tuple[FloatArray, FloatArray, FloatArray]:
    """Return the logarithms of A, P, B, Q, and (E - centre)/s² and ((E - centre)/s)² of each."""
    stokes = places[_S]
    centres = np.stack(
        np.broadcast_arrays(0.0 * stokes, -stokes, -places[_A2], -(stokes + places[_E]))
    )
    width = problem.own.reshape(4, *(1,) * (centres.ndim - 1)) * _factor(problem, places)
    off = (photon - centres) / width
    return -0.5 * off * off, off / width, off * off


def _logsumexp(terms: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Return ln Σ e^x over the first axis and the share of each term."""
    top = terms.max(axis=0)
    parts = np.exp(terms - top)
    total = parts.sum(axis=0)
    return top + np.log(total), parts / total


def _excess(problem: _Problem, places: FloatArray, photon: FloatArray) -> FloatArray:
    """Return ln(gain/loss) at the wanted ⟨N⟩."""
    log, _, _ = _exponents(problem, places, photon)
    (gain, _), (loss, _) = _sides(problem, log)
    return gain - loss


def _sides(
    problem: _Problem, log: FloatArray
) -> tuple[tuple[FloatArray, FloatArray], tuple[FloatArray, FloatArray]]:
    def weighted(weights: FloatArray, bands: FloatArray) -> FloatArray:
        return weights.reshape(-1, *(1,) * (bands.ndim - 1)) + bands

    nothing = np.zeros_like(log[:1])
    gain = _logsumexp(weighted(problem.weights.gain, log[1::2]))
    loss = _logsumexp(weighted(problem.weights.loss, np.concatenate([log[::2], nothing])))
    return gain, loss


def _limits(problem: _Problem, places: FloatArray) -> FloatArray:
    """Return what must not be negative besides the gain: one row a limit."""
    stokes, second = places[_S], places[_S] + places[_E]
    rows = [second - min(problem.start[_S] + problem.start[_E], 0.0)]
    if np.isfinite(problem.limit):
        most = problem.limit * _factor(problem, places) ** 2
        rows += [most - stokes, most - (second - places[_A2]), second - places[_A2]]
    return np.stack(rows)


def _constraints(
    problem: _Problem, basis: FloatArray, at: FloatArray
) -> tuple[FloatArray, FloatArray]:
    """Return all that must not be negative, and its Jacobian, at the changes and photon energy."""
    free = basis.shape[1]
    place = problem.start + basis @ at[:free]
    stokes, _, emissive, width = place
    tied = -(stokes + emissive)
    photon = at[free] if problem.onset else tied
    log, pull, square = _exponents(problem, place, np.asarray(photon))
    (gain, gain_share), (loss, loss_share) = _sides(problem, log)
    # d ln b of A, P, B, Q: by the photon energy, by its own centre, and by the width.
    share = np.array([-loss_share[0], gain_share[0], -loss_share[1], gain_share[1]])
    by_photon = float(-(share * pull).sum())
    by_centre = share * pull
    by_place = np.zeros(4)
    by_place[_S] = -by_centre[1] - by_centre[3]
    by_place[_A2] = -by_centre[2]
    by_place[_E] = -by_centre[3]
    by_place[_WIDTH] = float((share * square).sum()) / width
    if not problem.onset:
        by_place[_S] -= by_photon
        by_place[_E] -= by_photon
    rows = [np.append(by_place, by_photon if problem.onset else 0.0)]
    rows += [np.append(row, 0.0) for row in _limit_slopes(problem, place)]
    values = [np.atleast_1d(gain - loss - _MARGIN), _limits(problem, place), place - problem.low]
    rows += [*np.eye(4, 5), *-np.eye(4, 5)]
    values.append(problem.high - place)
    jacobian = np.array(rows)
    whole = np.hstack([jacobian[:, :4] @ basis, jacobian[:, 4:]])
    return np.concatenate(values), whole


def _limit_slopes(problem: _Problem, place: FloatArray) -> list[FloatArray]:
    """Return the gradients of `_limits` at one place."""
    rows = [np.array([1.0, 0.0, 1.0, 0.0])]
    if np.isfinite(problem.limit):
        by_width = 2 * problem.limit * float(_factor(problem, place)) / problem.start[_WIDTH]
        rows += [
            np.array([-1.0, 0.0, 0.0, by_width]),
            np.array([-1.0, 1.0, -1.0, by_width]),
            np.array([1.0, -1.0, 1.0, 0.0]),
        ]
    return rows


def biexciton_stokes_shift_meV(dot: Dot) -> FloatArray:
    """Return S + Δ_E - Δ_A2, by how much PL_XX lies red of A_XX2, of shape D.

    Notes
    -----
    The biexciton's counterpart of S. Source: the bands of paper section 3.3; that it exists and is
    larger than the exciton's, DOI 10.1103/PhysRevB.80.081310.
    """
    offsets = band_offsets_meV(dot)
    return np.broadcast_to(offsets.xx_absorption - offsets.xx_emission, dot.shape)
