"""The set of parameters that meets every stated number, sampled, and what it pins."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from qdgain.calibration.objective import (
    TOLERANCE,
    Variant,
    meets_numbers,
)
from qdgain.model.dot import FloatArray

# The fast numbers differ from the public ones by less than this.
_MARGIN = 1e-3
_STRETCH = 2.0
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
        Points of the set, (K, P); every walker starts next to one of them.
    seed : int
        For the moves.
    walkers, sweeps, keep : int
        Ensemble size, steps of each walker, and how many points to return, evenly from the
        second half of the run.

    Returns
    -------
    Chain
        Points of the set.

    Notes
    -----
    Half of the moves are affine-invariant stretches (Goodman and Weare 2010, DOI
    10.2140/camcos.2010.5.65), half differences of two other walkers (ter Braak 2006, DOI
    10.1007/s11222-006-8769-1), which also carry walkers between separate parts of the set. Parts
    that no start touches may be missed.
    """
    rng = np.random.default_rng(seed)
    dimension = start.shape[1]
    low, high = variant.bounds
    position = start[np.arange(walkers) % len(start)]
    moved = position + _JITTER * (high - low) * rng.standard_normal(position.shape)
    position = np.where(inside(moved, variant)[:, None], moved, position)
    halves = np.arange(walkers) % 2
    rng.shuffle(halves)
    kept, accepted = [], 0
    for sweep in range(sweeps):
        for half in (0, 1):
            mine, others = np.flatnonzero(halves == half), position[halves != half]
            x = position[mine]
            if rng.random() < 0.5:
                z = ((_STRETCH - 1) * rng.random(mine.size) + 1) ** 2 / _STRETCH
                partner = others[rng.integers(len(others), size=mine.size)]
                proposal = partner + z[:, None] * (x - partner)
                passed = rng.random(mine.size) < z ** (dimension - 1)
            else:
                i, j = rng.integers(len(others), size=(2, mine.size))
                # Now and then the whole difference, a jump between parts of the set.
                scale = 1.0 if rng.random() < 0.2 else 1.2 / np.sqrt(2 * dimension)
                noise = 1e-4 * (high - low) * rng.standard_normal(x.shape)
                proposal = x + scale * (others[i] - others[j]) + noise
                passed = np.ones(mine.size, dtype=bool)
            passed[passed] = inside(proposal[passed], variant)
            position[mine[passed]] = proposal[passed]
            accepted += int(passed.sum())
        if sweep >= sweeps // 2:
            kept.append(position.copy())
    points = np.concatenate(kept)
    chosen = np.linspace(0, len(points) - 1, keep).round().astype(int)
    return Chain(points[chosen], accepted / (sweeps * walkers))


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
    result = []
    for spread, axis in zip(singular[::-1] / np.sqrt(len(free) - 1), axes[::-1], strict=True):
        sign = np.sign(axis[np.argmax(np.abs(axis))])
        weights = (float(sign * weight) for weight in axis)
        result.append(Combination(float(spread), dict(zip(names, weights, strict=True))))
    return result
