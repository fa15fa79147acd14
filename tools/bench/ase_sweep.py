"""Amplified spontaneous emission against fluence and energy: a thousand by a thousand."""

from __future__ import annotations

from functools import partial

import numpy as np

import qdgain
from bench.contour import axes
from bench.measured import Measured, Scale, growth, ratio
from qdgain.model import film as ase

_SIDE, _CHUNK = 1000, 16384
_SIDES = (100, 180, 320, 560, 1000, 1800)
_GAIN_EXPONENT = 200.0


def pass_of_expm1(values: int):
    """Return the floor: one `numpy.expm1` a value, in pieces that stay in the cache."""
    x = np.random.default_rng(0).uniform(-60, 60, _CHUNK)
    result = np.empty_like(x)
    rounds, rest = divmod(values, _CHUNK)

    def action() -> None:
        for _ in range(rounds):
            np.expm1(x, out=result)
        np.expm1(x[:rest], out=result[:rest])

    return action


def sweep(side: int) -> tuple[qdgain.Dot, np.ndarray, np.ndarray]:
    """Return a dot, energies, and ⟨N⟩ at fluences up to a π pulse."""
    dot, energy, _ = axes(side)
    return dot, energy, qdgain.mean_excitons_after_pulse(np.linspace(0, 1, side), 1.0)


def measure(scale: Scale) -> list[Measured]:
    side = scale.of(_SIDE)
    arguments = sweep(side)
    return [
        ratio(
            "ase_sweep/floor",
            f"ASE sweep {side} × {side}: over one pass of expm1",
            lambda: ase.ase_spectrum(*arguments, _GAIN_EXPONENT),
            pass_of_expm1(side * side),
            scale,
            goal=2,
        ),
        ratio(
            "ase_sweep/logarithm",
            "its logarithm, which never overflows: over one pass of expm1",
            lambda: ase.log_ase_spectrum(*arguments, _GAIN_EXPONENT),
            pass_of_expm1(side * side),
            scale,
        ),
        growth(
            "ase_sweep/growth",
            "ASE sweep, points",
            scale.sizes([side**2 for side in _SIDES]),
            lambda size: partial(ase.ase_spectrum, *sweep(round(size**0.5)), _GAIN_EXPONENT),
            scale,
        ),
    ]
