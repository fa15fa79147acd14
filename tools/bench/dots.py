"""Dots to measure with, and the floor: exponentials in pieces that stay in the cache."""

from __future__ import annotations

import numpy as np

import qdgain
from bench.measured import Action

_CHUNK = 8192


def usual(count: int, seed: int = 20, reading: str = "replacing") -> qdgain.Dot:
    """Return dots with shifts of up to a linewidth and a half, all bands of a dot equally wide."""
    rng = np.random.default_rng(seed)
    width = rng.uniform(40, 120, count)
    return qdgain.Dot(
        reading=reading,
        linewidth_meV=width,
        stokes_shift_meV=width * rng.uniform(0, 1.5, count),
        absorptive_binding_meV=width * rng.uniform(-1.5, 1.5, count),
        emissive_binding_meV=width * rng.uniform(-0.8, 0.8, count),
        xx_absorption_strength=rng.uniform(0, 2, count),
        xx_emission_strength=rng.uniform(0.2, 1.0, count),
    )


def of_the_whole_contract(
    count: int, seed: int = 21, reading: str = "replacing"
) -> tuple[qdgain.Dot, np.ndarray]:
    """Return dots and floors from all that the contract allows, the extremes included."""
    rng = np.random.default_rng(seed)

    def spread(low: float, high: float) -> np.ndarray:
        return np.exp(rng.uniform(np.log(low), np.log(high), count))

    width = spread(1, 1000)
    own = {
        name: np.where(rng.random(count) < 0.5, width, np.clip(width * spread(0.1, 10), 1, 1000))
        for name in (
            "absorption_linewidth_meV",
            "emission_linewidth_meV",
            "xx_absorption_linewidth_meV",
            "xx_emission_linewidth_meV",
        )
    }
    shift = np.minimum(width * spread(0.05, 20), 1000)
    dots = qdgain.Dot(
        reading=reading,
        linewidth_meV=width,
        stokes_shift_meV=shift * rng.uniform(0, 1, count),
        absorptive_binding_meV=shift * rng.uniform(-1, 1, count),
        emissive_binding_meV=shift * rng.uniform(-1, 1, count),
        xx_absorption_strength=rng.choice([0.0, 1.0, 4.0], count) * rng.uniform(0, 1, count),
        xx_emission_strength=np.minimum(spread(1e-4, 8), 4.0) * (rng.random(count) < 0.95),
        **own,
    )
    return dots, spread(1e-9, 1)


def exponentials(dots: int, each: int) -> Action:
    """Return the floor: so many `numpy.exp` a dot, of typical arguments, in place."""
    arguments = -np.random.default_rng(0).uniform(0, 5, _CHUNK)
    result = np.empty_like(arguments)
    rounds, rest = divmod(dots * each, _CHUNK)

    def action() -> None:
        for _ in range(rounds):
            np.exp(arguments, out=result)
        np.exp(arguments[:rest], out=result[:rest])

    return action


def through_memory(dots: qdgain.Dot, results: int = 2) -> Action:
    """Return the other floor: each field of the dots read once, and each result written."""
    fields = [np.asarray(value) for value in dots.values().values() if np.ndim(value)]
    written = np.empty((results, *dots.shape))

    def action() -> None:
        for field in fields:
            np.add.reduce(field)
        written.fill(0.0)

    return action
