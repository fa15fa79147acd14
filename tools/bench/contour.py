"""Gain against energy and ⟨N⟩: a map of a thousand by a thousand."""

from __future__ import annotations

from functools import partial

import numpy as np

import qdgain
from bench.measured import Measured, Scale, growth, ratio
from qdgain.model.gain import gain_terms

_SIDE = 1000
_SIDES = (100, 180, 320, 560, 1000, 1800)


def axes(side: int) -> tuple[qdgain.Dot, np.ndarray, np.ndarray]:
    dot = qdgain.presets()["3LS+ESA"]
    return dot, qdgain.model.bands.energy_window_eV(dot, points=side), np.linspace(0, 2, side)


def product(side: int):
    """Return the floor: one product of matrices of rank four, into memory that is there."""
    rng = np.random.default_rng(0)
    weights, bands, out = rng.random((side, 4)), rng.random((4, side)), np.empty((side, side))
    return lambda: np.matmul(weights, bands, out=out)


def measure(scale: Scale) -> list[Measured]:
    side = scale.of(_SIDE)
    arguments = axes(side)
    often = Scale(scale.fraction, 3 * scale.runs)

    def fast() -> object:
        return qdgain.gain(*arguments)

    return [
        ratio(
            "contour/floor",
            f"gain map {side} × {side}: over one matrix product of rank four",
            fast,
            product(side),
            often,
            goal=1.5,
        ),
        ratio(
            "contour/terms",
            "the sum of its four terms, each a map",
            lambda: sum(gain_terms(*arguments)),
            fast,
            often,
        ),
        growth(
            "contour/growth",
            "gain map, points",
            scale.sizes([side**2 for side in _SIDES]),
            lambda size: partial(qdgain.gain, *axes(round(size**0.5))),
            scale,
        ),
    ]
