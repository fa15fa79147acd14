"""Threshold at the gain maximum: a root finder for each dot, a scan, the floor."""

from __future__ import annotations

import math
from functools import partial

import numpy as np
from scipy import optimize

import qdgain
from bench.dots import exponentials, through_memory, usual
from bench.measured import Measured, Scale, beside_memory, growth, number, ratio
from qdgain.model.bands import FWHM_PER_SIGMA

_DOTS, _ROOT_FINDER_DOTS, _SCAN_DOTS = 1_000_000, 1_000, 20
_SCAN_ENERGIES, _SCAN_EXCITONS = 6001, 41
_SIZES = (1_000, 3_000, 10_000, 30_000, 100_000, 300_000, 1_000_000)


def with_the_library(dot: qdgain.Dot) -> float:
    """Return the threshold as one would write it with the gain at hand."""
    energy = dot.absorption_energy_eV - 1e-3 * (dot.stokes_shift_meV + dot.emissive_binding_meV)
    return optimize.brentq(lambda mean: float(qdgain.gain(dot, energy, mean)), 0.0, 2.0)


def with_plain_python(dot: qdgain.Dot) -> float:
    """Return the same from numbers alone, the bands computed once: as lean as Python gets."""
    s = dot.linewidth_meV / FWHM_PER_SIGMA

    def band(distance: float) -> float:
        return math.exp(-0.5 * (distance / s) ** 2)

    stokes, binding = dot.stokes_shift_meV, dot.emissive_binding_meV
    A, P = band(stokes + binding), band(binding)
    B = dot.xx_absorption_strength * band(stokes + binding - dot.absorptive_binding_meV)

    def gain(mean: float) -> float:
        n = 0.5 * mean
        return -((1 - n) ** 2) * A + n * (1 - n) * (P - B) + n * n * dot.xx_emission_strength

    return optimize.brentq(gain, 0.0, 2.0)


def by_scan(dots: qdgain.Dot) -> np.ndarray:
    """Return the threshold from the gain on a grid: its maximum, then its first zero in ⟨N⟩."""
    energy = qdgain.model.bands.energy_window_eV(dots, points=_SCAN_ENERGIES)
    mean = np.linspace(0.0, 2.0, _SCAN_EXCITONS)
    gain = qdgain.gain(dots, energy, mean)
    top = np.argmax(gain[:, -1], axis=-1)
    at_top = np.take_along_axis(gain, top[:, None, None], axis=2)[..., 0]
    after = np.maximum(np.argmax(at_top > 0, axis=1), 1)[:, None]
    low, high = (np.take_along_axis(at_top, after + k, axis=1)[:, 0] for k in (-1, 0))
    return mean[after[:, 0] - 1] + (mean[1] - mean[0]) * low / (low - high)


def measure(scale: Scale) -> list[Measured]:
    count, few = scale.of(_DOTS), scale.of(_ROOT_FINDER_DOTS)
    many = usual(count)
    singles = [many.at(i) for i in range(few)]
    some = usual(scale.of(_SCAN_DOTS))

    def fast() -> object:
        return qdgain.threshold_at_maximum(many)

    scanned = by_scan(some)
    exact = qdgain.threshold_at_maximum(some).mean_excitons
    return [
        ratio(
            "threshold_at_maximum/brentq",
            "scipy's brentq on the library's gain, dot by dot",
            lambda: [with_the_library(dot) for dot in singles],
            fast,
            Scale(scale.fraction, max(scale.runs // 3, 1)),
            goal=2000,
            at_least=True,
            detail={"dots": count, "extrapolated from": few},
            factor=count / few,
        ),
        ratio(
            "threshold_at_maximum/brentq_plain",
            "the same on a formula in plain Python",
            lambda: [with_plain_python(dot) for dot in singles],
            fast,
            scale,
            detail={"dots": count, "extrapolated from": few},
            factor=count / few,
        ),
        ratio(
            "threshold_at_maximum/scan",
            f"a scan of {_SCAN_ENERGIES} energies × {_SCAN_EXCITONS} ⟨N⟩",
            lambda: by_scan(some),
            fast,
            scale,
            factor=count / some.shape[0],
            goal=50,
            at_least=True,
            detail={"dots": count, "extrapolated from": some.shape[0]},
        ),
        number(
            "threshold_at_maximum/scan_error",
            "by how much that scan is off, for 19 dots of 20",
            np.quantile(np.abs(scanned - exact), 0.95),
            "⟨N⟩",
        ),
        beside_memory(
            ratio(
                "threshold_at_maximum/floor",
                "over three exponentials a dot",
                fast,
                exponentials(count, 3),
                scale,
                goal=3,
                detail={"dots": count},
            ),
            fast,
            through_memory(many),
            scale,
        ),
        growth(
            "threshold_at_maximum/growth",
            "threshold at the gain maximum, dots",
            scale.sizes(_SIZES),
            lambda size: partial(qdgain.threshold_at_maximum, usual(size)),
            scale,
        ),
    ]
