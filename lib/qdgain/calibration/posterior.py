r"""What the paper's printed numbers say of the parameters: a posterior instead of a tolerance.

**Likelihood.** The paper prints X, rounded to ±h, half a unit of its last digit. The model gives m,
and is allowed to be off by a factor whose logarithm is normal with a standard deviation δ, the
discrepancy, assumed. The probability that the paper then prints X is

.. math:: \Phi\!\Big(\frac{\ln(X+h)-\ln m}{\delta}\Big)
    -\Phi\!\Big(\frac{\ln(X-h)-\ln m}{\delta}\Big),

and the numbers count as independent. The calibration's qualitative statements are not asked for;
how many of the points meet them is a result.

**Prior.** Flat between the bounds of `qdgain.calibration.readings.UNKNOWNS`: in shifts over s, the
standard deviation of the bands, and in the logarithms of everything else.

**Sampling.** Affine-invariant ensembles (Goodman and Weare 2010, DOI 10.2140/camcos.2010.5.65) with
differences of walkers (ter Braak 2006, DOI 10.1007/s11222-006-8769-1), by emcee
(Foreman-Mackey 2013, DOI 10.1086/670067). Every ensemble starts from draws of the prior of its own.
Convergence is judged by effective sample sizes and by the split R̂ between ensembles and halves of
them, which stand in for chains.
"""

from __future__ import annotations

import importlib
from collections.abc import Callable
from functools import cache
from typing import Any, NamedTuple

import numpy as np
import scipy

from qdgain.calibration.objective import all_numbers, gain_numbers, log_fluences
from qdgain.calibration.readings import (
    INDEX,
    UNKNOWNS,
    Variant,
    candidate_dots,
    columns,
    half_digits,
    stated_numbers,
    values,
)
from qdgain.model.dot import FloatArray

#: Standard deviation of ln(model/truth), assumed, and the alternatives that are tried.
DISCREPANCY = 0.05
OTHER_DISCREPANCIES = (0.02, 0.10)
#: More than this between ensembles, or fewer independent points, and nothing is stored.
LARGEST_SPLIT_RHAT = 1.05
FEWEST_INDEPENDENT = 300.0

_EXPONENT = INDEX["gain_exponent"]
_GRID = 57
_TABLE_STOKES = np.linspace(0.0, 4.0, 61)
_TABLE_LOG_EXPONENT = np.linspace(0.0, np.log(3000.0), 81)
#: Below this logarithm of the likelihood a point counts as impossible.
_HOPELESS = -60.0
#: This far below the best, a walker is lost after the first steps and starts anew elsewhere.
_LOST = 20.0
_DRAWN, _DRAWS = 40_000, 10
_SCREENED = 1500


def log_likelihood(numbers: FloatArray, discrepancy: float = DISCREPANCY) -> FloatArray:
    """Return the logarithm of the probability that the paper's numbers are printed.

    Parameters
    ----------
    numbers : numpy.ndarray
        What the model gives, positive, of shape (…, 9) in the order of `TARGETS`, or of the first
        of them.
    discrepancy : float
        δ, positive.

    Returns
    -------
    numpy.ndarray
        Of shape (…).
    """
    log_numbers = np.log(numbers)
    stated, half = (x[: numbers.shape[-1]] for x in (stated_numbers(), half_digits()))
    low = (np.log(stated - half) - log_numbers) / discrepancy
    high = (np.log(stated + half) - log_numbers) / discrepancy
    # In the lower tail, where the logarithm of Φ keeps its digits.
    low, high = np.where(low > 0, -high, low), np.where(low > 0, -low, high)
    below, above = scipy.special.log_ndtr(low), scipy.special.log_ndtr(high)
    return np.asarray(np.sum(above + np.log1p(-np.exp(below - above)), axis=-1))


def numbers_of(full: FloatArray, variant: Variant, gains: FloatArray | None = None) -> FloatArray:
    """Return the nine numbers of candidates of coordinates (K, 11), as `objective.predict` does.

    Those of the gain, (K, 5), may be given. Without ESA the ASE threshold depends on S and L_g
    alone, and is read off a table.
    """
    dot, v = candidate_dots(full), values(full)
    gains = gain_numbers(dot, v, variant) if gains is None else gains
    ideal, with_esa = slice(0, 4, 2), slice(1, 4, 2)
    log_fluence = np.empty(dot.shape)
    log_fluence[:, ideal] = _without_esa(variant.statistics).ev(full[:, :2], full[:, [_EXPONENT]])
    log_fluence[:, with_esa] = log_fluences(
        columns(dot, with_esa), v[:, _EXPONENT], variant.statistics, _GRID
    )
    return all_numbers(v, gains, log_fluence)


@cache
def _without_esa(statistics: str) -> scipy.interpolate.RectBivariateSpline:
    """Return ln(J_th/J_π) without ESA against S/s and ln L_g."""
    full = np.zeros((_TABLE_STOKES.size * _TABLE_LOG_EXPONENT.size, len(UNKNOWNS)))
    full[:, 0] = np.repeat(_TABLE_STOKES, _TABLE_LOG_EXPONENT.size)
    full[:, _EXPONENT] = np.tile(_TABLE_LOG_EXPONENT, _TABLE_STOKES.size)
    ideal = columns(candidate_dots(full), slice(1))
    table = log_fluences(ideal, np.exp(full[:, _EXPONENT]), statistics, _GRID)
    table = table.reshape(_TABLE_STOKES.size, -1)
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
    gains = gain_numbers(candidate_dots(full), values(full), variant)
    # The film takes twenty times as long, and no film makes up for a hopeless gain.
    likely = log_likelihood(gains, discrepancy) > _HOPELESS
    if likely.any():
        numbers = numbers_of(full[likely], variant, gains[likely])
        result[rows[likely]] = log_likelihood(numbers, discrepancy)
    return result


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
        gains = gain_numbers(candidate_dots(full), values(full), variant)
        alone = log_likelihood(gains, discrepancy)
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


def ensemble(
    log_probability: Callable[..., FloatArray], shape: tuple[int, ...], seed: int, *args: Any
) -> Any:
    """Return emcee's ensemble of walkers and parameters (W, P) for a function of (K, P)."""
    # An extra of the environment, which reading the stored result does not need.
    emcee = importlib.import_module("emcee")
    moves = [
        (emcee.moves.DEMove(), 0.55),
        # The whole difference of two walkers: a jump between separate regions.
        (emcee.moves.DEMove(gamma0=1.0), 0.1),
        (emcee.moves.StretchMove(), 0.35),
    ]
    sampler = emcee.EnsembleSampler(*shape, log_probability, args=args, moves=moves, vectorize=True)
    sampler.random_state = np.random.RandomState(seed).get_state()
    return sampler


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
    found = []
    for i in range(ensembles):
        if starts is None:
            start = overdispersed(variant, walkers, seed + i, discrepancy)
        else:
            start = starts[i * walkers : (i + 1) * walkers]
        sampler = ensemble(log_posterior, start.shape, seed + i, variant, discrepancy)
        state = sampler.run_mcmc(start, dropped // 2, skip_initial_state_check=True)
        sampler.run_mcmc(_gathered(state.coords, state.log_prob, seed), steps - dropped // 2)
        found.append(
            (
                sampler.get_chain(discard=dropped),
                sampler.get_log_prob(discard=dropped),
                np.mean(sampler.acceptance_fraction),
                np.max(sampler.get_autocorr_time(discard=dropped, tol=0)),
            )
        )
    return Sample(*(np.array(x, dtype=float) for x in zip(*found, strict=True)))


def _gathered(position: FloatArray, log_posterior: FloatArray, seed: int) -> FloatArray:
    """Return walkers of which those that are lost start anew at others."""
    random = np.random.default_rng(seed)
    good = np.flatnonzero(log_posterior > log_posterior.max() - _LOST)
    instead = position[random.choice(good, len(position))]
    lost = (log_posterior <= log_posterior.max() - _LOST)[:, None]
    spread = 1e-3 * position[good].std(axis=0) * random.standard_normal(position.shape)
    return np.asarray(np.where(lost, instead + spread, position))


def split_rhat(chains: FloatArray) -> FloatArray:
    r"""Return the split R̂ of every parameter, of shape (P,): 1 where ensembles and halves agree.

    :math:`\sqrt{1 + V_B/\bar V_W}`, V_B the variance of the means of the halves, V_W that within,
    for chains of shape (ensembles, steps, walkers, P).
    """
    half = chains.shape[1] // 2
    parts = np.concatenate([chains[:, :half], chains[:, -half:]])
    parts = parts.reshape(len(parts), -1, chains.shape[-1])
    between = parts.mean(axis=1).var(axis=0, ddof=1)
    return np.asarray(np.sqrt(1 + between / parts.var(axis=1).mean(axis=0)))


def refuse_unconverged(found: Sample, name: str) -> None:
    """Stop with a RuntimeError if ensembles disagree or too few points are independent."""
    worst, independent = float(split_rhat(found.chains).max()), float(found.independent.sum())
    if worst > LARGEST_SPLIT_RHAT or independent < FEWEST_INDEPENDENT:
        raise RuntimeError(
            f"{name}: split R̂ is {worst:.3f}, {independent:.0f} points are independent; "
            f"at most {LARGEST_SPLIT_RHAT} and at least {FEWEST_INDEPENDENT:.0f} are asked for."
        )


def information_bits(points: FloatArray, low: float, high: float, independent: float) -> float:
    r"""Return what a sample tells of one parameter beyond a flat prior from low to high, in bits.

    The Kullback–Leibler divergence :math:`\int p\log_2(p\,(b-a))\,dx` of the marginal from the
    flat density between a and b, by histogram, minus the bias :math:`(k-1)/(2M\ln 2)` that M
    independent points in k occupied bins have.
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
