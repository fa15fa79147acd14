"""The set of parameters that meets every stated number, sampled, and what it pins."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from qdgain.calibration.objective import meets_numbers
from qdgain.calibration.posterior import ensemble
from qdgain.calibration.readings import TOLERANCE, Variant
from qdgain.model.dot import FloatArray

# The calibration's numbers differ from those of finer grids by less than this.
_MARGIN = 1e-3
_JITTER = 0.002


class Chain(NamedTuple):
    """One sampled ensemble: points (M, P) and the fraction of accepted moves."""

    free: FloatArray
    acceptance: float


def inside(free: FloatArray, variant: Variant) -> NDArray[np.bool_]:
    """Return whether free parameters (K, P) are within bounds and meet every number."""
    low, high = variant.bounds
    result = np.all((free >= low) & (free <= high), axis=1)
    result[result] = meets_numbers(variant.full(free[result]), variant, TOLERANCE - _MARGIN)
    return np.asarray(result)


def sample(
    variant: Variant,
    start: FloatArray,
    seed: int,
    *,
    walkers: int = 200,
    sweeps: int = 400,
    keep: int = 1000,
) -> Chain:
    """Sample the feasible set evenly, in the coordinates of `UNKNOWNS`.

    Parameters
    ----------
    variant : Variant
        Whose free parameters vary.
    start : numpy.ndarray
        Points of the set, (K, P); every walker starts next to one of them. Parts of the set that
        none of them touches may be missed.
    seed : int
        For the moves.
    walkers, sweeps, keep : int
        Ensemble size, steps of each walker, and how many points to return, evenly from the
        second half of the run.
    """
    low, high = variant.bounds
    position = start[np.arange(walkers) % len(start)]
    jitter = np.random.default_rng(seed).standard_normal(position.shape)
    moved = position + _JITTER * (high - low) * jitter
    position = np.where(inside(moved, variant)[:, None], moved, position)
    sampler = ensemble(
        lambda free: np.where(inside(free, variant), 0.0, -np.inf), position.shape, seed
    )
    sampler.run_mcmc(position, sweeps, skip_initial_state_check=True)
    points = sampler.get_chain(discard=sweeps // 2, flat=True)
    chosen = np.linspace(0, len(points) - 1, keep).round().astype(int)
    return Chain(points[chosen], float(np.mean(sampler.acceptance_fraction)))


def disagreement(chains: Sequence[Chain]) -> float:
    """Return the spread of the chains' means over that of the points, of the worst parameter."""
    means = np.array([chain.free.mean(axis=0) for chain in chains])
    points = np.concatenate([chain.free for chain in chains])
    return float(np.max(means.std(axis=0) / points.std(axis=0)))


class Combination(NamedTuple):
    """A principal combination of free parameters and its spread over the set.

    `loadings` by name, of unit length; `spread` is one standard deviation, in units of s for
    energies and as a fraction for everything else.
    """

    spread: float
    loadings: dict[str, float]


def principal_combinations(free: FloatArray, names: Sequence[str]) -> list[Combination]:
    """Return the principal combinations of sampled free parameters (M, P), best pinned first."""
    _, singular, axes = np.linalg.svd(free - free.mean(axis=0), full_matrices=False)
    spreads = singular / np.sqrt(len(free) - 1)
    axes *= np.sign(np.take_along_axis(axes, np.argmax(np.abs(axes), axis=1)[:, None], axis=1))
    return [
        Combination(float(spread), dict(zip(names, map(float, axis), strict=True)))
        for spread, axis in zip(spreads[::-1], axes[::-1], strict=True)
    ]
