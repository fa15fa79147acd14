r"""What the paper's printed numbers say of the parameters: a posterior instead of a tolerance.

**Likelihood.** The paper prints X, rounded to ±h, half a unit of its last digit. The model gives m,
and is allowed to be off by a factor whose logarithm is normal with a standard deviation δ, the
discrepancy, assumed. The probability that the paper then prints X is

.. math:: \Phi\!\Big(\frac{\ln(X+h)-\ln m}{\delta}\Big)
    -\Phi\!\Big(\frac{\ln(X-h)-\ln m}{\delta}\Big),

and the numbers count as independent. The calibration's qualitative statements are not asked for;
how many of the points meet them is a result.

**Prior.** Flat between the bounds of `qdgain.calibration.objective.UNKNOWNS`: in shifts over s, the
standard deviation of the bands, and in the logarithms of everything else.

**Sampling.** Affine-invariant ensembles (Goodman and Weare 2010, DOI 10.2140/camcos.2010.5.65) with
differences of walkers (ter Braak 2006, DOI 10.1007/s11222-006-8769-1), by emcee
(Foreman-Mackey 2013, DOI 10.1086/670067). Every ensemble starts from draws of the prior of its own.
Convergence is judged by effective sample sizes and by the split R̂ between ensembles and halves of
them, which stand in for chains.
"""

from __future__ import annotations

import importlib
from functools import cache
from typing import NamedTuple

import numpy as np
import scipy

from qdgain.calibration.objective import (
    TARGETS,
    UNKNOWNS,
    Variant,
    _Film,
    _gain_numbers,
    candidate_dots,
    stated_numbers,
    values,
)
from qdgain.model.dot import Dot, FloatArray
from qdgain.paper.claims import claims

#: Standard deviation of ln(model/truth), assumed, and the alternatives that are tried.
DISCREPANCY = 0.05
OTHER_DISCREPANCIES = (0.02, 0.10)
#: More than this between ensembles, or fewer independent points, and nothing is stored.
LARGEST_SPLIT_RHAT = 1.05
FEWEST_INDEPENDENT = 300.0

_STOKES, _EXPONENT, _PI_PULSE = 0, 8, 9
_GRID = 57
_TABLE_STOKES = np.linspace(0.0, 4.0, 61)
_TABLE_LOG_EXPONENT = np.linspace(0.0, np.log(3000.0), 81)
#: Below this logarithm of the likelihood a point counts as impossible.
_HOPELESS = -60.0
#: This far below the best, a walker is lost after the first steps and starts anew elsewhere.
_LOST = 20.0
_DRAWN, _DRAWS = 40_000, 10
_SCREENED = 1500


def half_digits() -> FloatArray:
    """Return h, half a unit of the last digit that the paper prints, of each of `TARGETS`."""
    return np.array([claims()[name].tolerance for name in TARGETS], dtype=float)


def log_likelihood(numbers: FloatArray, discrepancy: float = DISCREPANCY) -> FloatArray:
    """Return the logarithm of the probability that the paper's numbers are printed.

    Parameters
    ----------
    numbers : numpy.ndarray
        What the model gives, positive, of shape (…, 9) in the order of `TARGETS`.
    discrepancy : float
        δ, positive.

    Returns
    -------
    numpy.ndarray
        Of shape (…).
    """
    stated, half = stated_numbers(), half_digits()
    log_numbers = np.log(numbers)
    low = (np.log(stated - half) - log_numbers) / discrepancy
    high = (np.log(stated + half) - log_numbers) / discrepancy
    # In the lower tail, where the logarithm of Φ keeps its digits.
    low, high = np.where(low > 0, -high, low), np.where(low > 0, -low, high)
    below, above = scipy.special.log_ndtr(low), scipy.special.log_ndtr(high)
    return np.asarray(np.sum(above + np.log1p(-np.exp(below - above)), axis=-1))


def numbers_of(full: FloatArray, variant: Variant) -> FloatArray:
    """Return the nine numbers of candidates of coordinates (K, 11), as `objective.predict` does."""
    return _numbers(full, variant, _gain_numbers(candidate_dots(full), values(full), variant))


def _numbers(full: FloatArray, variant: Variant, gains: FloatArray) -> FloatArray:
    """Return all numbers, given those of the gain.

    Without ESA the ASE threshold depends on S and L_g alone, and is read off a table.
    """
    v, dot = values(full), candidate_dots(full)
    with_esa = Dot(**{name: np.broadcast_to(x, dot.shape)[:, 1::2] for name, x in _fields(dot)})
    film = _Film(with_esa, v[:, _EXPONENT], variant.statistics, _GRID)
    log_fluence = np.empty((len(full), 4))
    log_fluence[:, 1::2] = film.threshold()[1]
    table = _without_esa(variant.statistics)
    for column, stokes in ((0, _STOKES), (2, _STOKES + 1)):
        log_fluence[:, column] = table.ev(full[:, stokes], full[:, _EXPONENT])
    fluence = v[:, [_PI_PULSE]] * np.exp(np.minimum(log_fluence, 50.0))
    return np.concatenate([gains, fluence], axis=1)


def _fields(dot: Dot) -> list[tuple[str, FloatArray]]:
    return [(name, np.asarray(x)) for name, x in dot.values().items() if x is not None]


@cache
def _without_esa(statistics: str) -> scipy.interpolate.RectBivariateSpline:
    """Return ln(J_th/J_π) without ESA against S/s and ln L_g."""
    stokes, log_exponent = np.meshgrid(_TABLE_STOKES, _TABLE_LOG_EXPONENT, indexing="ij")
    full = np.zeros((stokes.size, len(UNKNOWNS)))
    full[:, 0] = full[:, 1] = stokes.ravel()
    dot = candidate_dots(full)
    ideal = Dot(**{name: np.broadcast_to(x, dot.shape)[:, :1] for name, x in _fields(dot)})
    film = _Film(ideal, np.exp(log_exponent.ravel()), statistics, _GRID)
    table = film.threshold()[1].reshape(stokes.shape)
    return scipy.interpolate.RectBivariateSpline(_TABLE_STOKES, _TABLE_LOG_EXPONENT, table)


def log_posterior(
    free: FloatArray, variant: Variant, discrepancy: float = DISCREPANCY
) -> FloatArray:
    """Return the logarithm of likelihood times prior of free parameters (K, P), of shape (K,).

    Up to the prior's constant; minus infinity outside the bounds, and where the gain's numbers
    alone are less likely than exp(-60).
    """
    low, high = variant.bounds
    result = np.full(len(free), -np.inf)
    rows = np.flatnonzero(np.all((free >= low) & (free <= high), axis=1))
    full = variant.full(free[rows])
    gains = _gain_numbers(candidate_dots(full), values(full), variant)
    # The film takes twenty times as long, and no film makes up for a hopeless gain.
    likely = log_likelihood(_with_stated_fluences(gains), discrepancy) > _HOPELESS
    if likely.any():
        numbers = _numbers(full[likely], variant, gains[likely])
        result[rows[likely]] = log_likelihood(numbers, discrepancy)
    return result


def _with_stated_fluences(gains: FloatArray) -> FloatArray:
    """Return nine numbers: those of the gain, and the ASE thresholds as stated."""
    return np.column_stack([gains, np.broadcast_to(stated_numbers()[5:], (len(gains), 4))])


def overdispersed(
    variant: Variant, walkers: int, seed: int, discrepancy: float = DISCREPANCY
) -> FloatArray:
    """Return the likeliest of many draws of the prior, (walkers, P): where an ensemble starts."""
    low, high = variant.bounds
    random = np.random.default_rng(seed)
    kept = np.empty((0, low.size))
    for _ in range(_DRAWS):
        drawn = low + (high - low) * random.random((_DRAWN, low.size))
        full = variant.full(drawn)
        gains = _gain_numbers(candidate_dots(full), values(full), variant)
        alone = log_likelihood(_with_stated_fluences(gains), discrepancy)
        best = np.argsort(-alone)[:_SCREENED]
        kept = np.concatenate([kept, drawn[best[alone[best] > _HOPELESS]]])
        if len(kept) >= 2 * walkers:
            break
    order = np.argsort(-log_posterior(kept, variant, discrepancy))
    likeliest: FloatArray = kept[order[:walkers]]
    return likeliest


class Sample(NamedTuple):
    """What ensembles of walkers found.

    ``chains`` is of shape (ensembles, steps, walkers, P), without the steps that were dropped;
    ``log_posterior`` of shape (ensembles, steps, walkers); ``acceptance`` (ensembles,) and
    ``autocorrelation``, in steps, the longest of any parameter of each ensemble.
    """

    chains: FloatArray
    log_posterior: FloatArray
    acceptance: FloatArray
    autocorrelation: FloatArray

    @property
    def points(self) -> FloatArray:
        """All points, (M, P)."""
        return self.chains.reshape(-1, self.chains.shape[-1])

    @property
    def independent(self) -> FloatArray:
        """The effective sample size of each ensemble: walkers times steps over the longest τ."""
        steps, walkers = self.chains.shape[1:3]
        return np.asarray(steps * walkers / self.autocorrelation)

    def thinned(self, points: int) -> FloatArray:
        """Return so many points, evenly from all ensembles, steps and walkers."""
        kept = np.linspace(0, len(self.points) - 1, points).round().astype(int)
        chosen: FloatArray = self.points[kept]
        return chosen


def sample(
    variant: Variant,
    seed: int,
    *,
    discrepancy: float = DISCREPANCY,
    starts: FloatArray | None = None,
    ensembles: int = 2,
    walkers: int = 128,
    steps: int = 500,
    dropped: int = 200,
) -> Sample:
    """Sample a posterior; only `make data` does.

    Parameters
    ----------
    variant : Variant
        The reading of the paper whose free parameters vary.
    seed : int
        For draws and moves.
    discrepancy : float
        δ.
    starts : numpy.ndarray, optional
        Where the walkers start, (ensembles × walkers, P), in place of `overdispersed` points.
    ensembles, walkers, steps, dropped : int
        How many, and how many of the steps are dropped at the start.
    """
    # An extra of the environment, which reading the stored result does not need.
    emcee = importlib.import_module("emcee")

    moves = [(emcee.moves.DEMove(), 0.55), (emcee.moves.DEMove(gamma0=1.0), 0.1)]
    moves.append((emcee.moves.StretchMove(), 0.35))
    chains, log_posteriors, acceptance, times = [], [], [], []
    for ensemble in range(ensembles):
        if starts is None:
            start = overdispersed(variant, walkers, seed + ensemble, discrepancy)
        else:
            start = starts[ensemble * walkers : (ensemble + 1) * walkers]
        sampler = emcee.EnsembleSampler(
            walkers,
            variant.parameters,
            log_posterior,
            args=(variant, discrepancy),
            moves=moves,
            vectorize=True,
        )
        sampler.random_state = np.random.RandomState(seed + ensemble).get_state()
        state = sampler.run_mcmc(start, dropped // 2, skip_initial_state_check=True)
        sampler.run_mcmc(_gathered(state.coords, state.log_prob, seed), steps - dropped // 2)
        chains.append(sampler.get_chain(discard=dropped))
        log_posteriors.append(sampler.get_log_prob(discard=dropped))
        acceptance.append(np.mean(sampler.acceptance_fraction))
        times.append(np.max(emcee.autocorr.integrated_time(chains[-1], tol=0)))
    return Sample(*(np.array(x, dtype=float) for x in (chains, log_posteriors, acceptance, times)))


def _gathered(position: FloatArray, log_posterior: FloatArray, seed: int) -> FloatArray:
    """Return walkers of which those that are lost start anew at others."""
    random = np.random.default_rng(seed)
    good = np.flatnonzero(log_posterior > log_posterior.max() - _LOST)
    instead = position[random.choice(good, len(position))]
    lost = (log_posterior <= log_posterior.max() - _LOST)[:, None]
    spread = 1e-3 * position[good].std(axis=0) * random.standard_normal(position.shape)
    return np.asarray(np.where(lost, instead + spread, position))


def split_rhat(chains: FloatArray) -> FloatArray:
    r"""Return the split R̂ of every parameter, between ensembles and their halves.

    :math:`\sqrt{1 + V_B/\bar V_W}`, V_B the variance of the means of the halves, V_W that within.

    Parameters
    ----------
    chains : numpy.ndarray
        Of shape (ensembles, steps, walkers, P).

    Returns
    -------
    numpy.ndarray
        Of shape (P,); 1 where the halves agree.
    """
    half = chains.shape[1] // 2
    parts = np.concatenate([chains[:, :half], chains[:, -half:]])
    parts = parts.reshape(len(parts), -1, chains.shape[-1])
    between = parts.mean(axis=1).var(axis=0, ddof=1)
    return np.asarray(np.sqrt(1 + between / parts.var(axis=1).mean(axis=0)))


def refuse_unconverged(found: Sample, name: str) -> None:
    """Stop if ensembles disagree or too few points are independent.

    Raises
    ------
    RuntimeError
        With the numbers.
    """
    worst, independent = float(split_rhat(found.chains).max()), float(found.independent.sum())
    if worst > LARGEST_SPLIT_RHAT or independent < FEWEST_INDEPENDENT:
        raise RuntimeError(
            f"{name}: split R̂ is {worst:.3f}, {independent:.0f} points are independent; "
            f"at most {LARGEST_SPLIT_RHAT} and at least {FEWEST_INDEPENDENT:.0f} are asked for."
        )


def information_bits(points: FloatArray, low: float, high: float, independent: float) -> float:
    r"""Return what a sample tells of one parameter beyond a flat prior, in bits.

    The Kullback–Leibler divergence :math:`\int p\log_2(p\,(b-a))\,dx` of the marginal from the
    flat density between a and b, by histogram, less the bias :math:`(k-1)/(2M\ln 2)` that M
    independent points in k occupied bins have.

    Parameters
    ----------
    points : numpy.ndarray
        Of one parameter.
    low, high : float
        The prior's bounds a and b.
    independent : float
        How many of the points are.
    """
    spread = np.quantile(points, (0.01, 0.99))
    narrow = max(float(spread[1] - spread[0]), 1e-12 * (high - low))
    # So many bins for the bulk: few enough that each is well filled.
    bins = np.clip(2 * np.cbrt(independent), 8, 40)
    edges = np.linspace(low, high, 1 + int(np.ceil(bins * (high - low) / narrow)))
    counts = np.histogram(points, edges)[0]
    share = counts[counts > 0] / counts.sum()
    bias = (len(share) - 1) / (2 * independent * np.log(2))
    return float(np.sum(share * np.log2(share * (len(edges) - 1))) - bias)
