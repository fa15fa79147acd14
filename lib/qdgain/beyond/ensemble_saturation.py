"""How a sample of unequal dots saturates, and whether that tells Rabi's law from Poisson's."""

from __future__ import annotations

import math
from collections.abc import Callable
from functools import lru_cache
from typing import NamedTuple

import numpy as np
from scipy.interpolate import CubicSpline
from scipy.optimize import brentq, minimize_scalar

from qdgain.beyond.ensemble import Ensemble, pumped
from qdgain.model.bands import band_widths_meV
from qdgain.model.dot import Dot, FloatArray
from qdgain.model.states import highest_state

#: A sample is evaluated at these values of √(J/J_π); its curves are splines through them.
REACH = 2.0
AMPLITUDES = np.linspace(0.0, REACH, 81)
#: The amplitude that stands for zero.
NEXT_TO_ZERO = 5e-3
_FITTED_POINTS = 100

#: A saturation curve against √(J/J_π), up to `REACH`.
Curve = Callable[[FloatArray], FloatArray]


class Curves(NamedTuple):
    """`qdgain.beyond.ensemble.Pumped` against √(J/J_π), a column for each population and size."""

    mean_excitons: CubicSpline
    band_edge_excitons: CubicSpline
    columns: CubicSpline
    beam_weight: FloatArray
    states: int


def curves(dot: Dot, ensemble: Ensemble, statistics: str = "rabi") -> Curves:
    """Return a sample of a single dot's kind as smooth functions of √(J/J_π) up to `REACH`."""
    states = 1 + highest_state(dot, statistics)
    return _curves(ensemble, float(band_widths_meV(dot).absorption), statistics, states)


@lru_cache(maxsize=128)
def _curves(
    ensemble: Ensemble, absorption_width_meV: float, statistics: str, states: int
) -> Curves:
    sample = pumped(AMPLITUDES**2, ensemble, absorption_width_meV, statistics, states)
    columns = sample.populations.reshape(*sample.populations.shape[:2], -1)
    mean, held, every = (
        CubicSpline(AMPLITUDES, values)
        for values in (sample.mean_excitons, sample.band_edge_excitons, columns)
    )
    return Curves(mean, held, every, sample.beam_weight, states)


class LawsApart(NamedTuple):
    """How far the saturation of a sample under Rabi's law is from that under Poisson's.

    The largest difference of band-edge excitons up to J_π; J/J_π where they are ten per cent apart,
    infinity if that is beyond `REACH`; the `misfit` up to J_π; the largest ⟨N⟩ under Rabi's law,
    J/J_π there, and how far ⟨N⟩ then falls within `REACH`.
    """

    largest: float
    ten_per_cent: float
    fitted: float
    highest: float
    highest_fluence: float
    fall: float


def laws_apart(dot: Dot, ensemble: Ensemble) -> LawsApart:
    """Return whether a saturation curve can tell Rabi's law from Poisson's in one sample."""
    rabi, poisson = _both(dot, ensemble)
    fine = np.linspace(0.0, REACH, 2001)[1:]
    below = fine[fine <= 1]
    apart = np.abs(rabi(fine) / poisson(fine) - 1) - 0.1
    first = int(np.argmax(apart >= 0))
    top = int(np.argmax(rabi(fine)))
    after = rabi(fine[top:])
    return LawsApart(
        largest=float(np.max(np.abs(rabi(below) - poisson(below)))),
        ten_per_cent=_crossing(fine, apart, first) ** 2 if apart[first] >= 0 else math.inf,
        fitted=misfit(rabi, poisson, 1.0),
        highest=float(after[0]),
        highest_fluence=float(fine[top]) ** 2,
        fall=float(after[0] - after.min()),
    )


def _crossing(x: FloatArray, excess: FloatArray, first: int) -> float:
    """Return where an excess passes zero, by a straight line to the first value that is not below.

    The first abscissa itself if there is nothing before it.
    """
    before = max(first - 1, 0)
    return float(np.interp(0.0, excess[[before, first]], x[[before, first]]))


class Fit(NamedTuple):
    """One saturation curve fitted to another.

    Height and fluence scale of the shape, and the largest residual over the largest signal.
    """

    height: float
    scale: float
    misfit: float


def fit(signal: Curve, shape: Curve, up_to: float) -> Fit:
    """Fit a saturation curve to another, as to measured points evenly spaced in fluence.

    Least squares with free height and fluence scale, up to a fluence J/J_π.
    """
    fluence = up_to * (np.arange(_FITTED_POINTS) + 1) / _FITTED_POINTS
    measured = signal(np.sqrt(fluence))

    def tried(log_scale: float) -> tuple[float, FloatArray]:
        fitted = shape(np.sqrt(math.exp(log_scale) * fluence))
        height = float((fitted @ measured) / (fitted @ fitted))
        return height, np.asarray(measured - height * fitted)

    # The scaled curve must not be asked for beyond where it is known.
    widest = 2 * math.log(REACH)
    best = minimize_scalar(
        lambda scale: float(np.sum(tried(scale)[1] ** 2)),
        bounds=(-widest, widest - math.log(max(up_to, 1.0))),
        method="bounded",
    )
    height, left = tried(best.x)
    return Fit(height, math.exp(best.x), float(np.max(np.abs(left)) / measured.max()))


def misfit(signal: Curve, shape: Curve, up_to: float) -> float:
    """Return what a `fit` leaves, as a part of the largest signal."""
    return fit(signal, shape, up_to).misfit


def fluence_to_tell(dot: Dot, ensemble: Ensemble, least: float = 0.05) -> float:
    """Return how far a measurement must go to tell Rabi's law from Poisson's in a sample.

    J/J_π of the last point with which the `misfit` is the least that can be seen, infinity if
    beyond `REACH` squared.
    """
    rabi, poisson = _both(dot, ensemble)

    def seen(up_to: float) -> float:
        return misfit(rabi, poisson, up_to) - least

    reaches = np.linspace(0.0, REACH**2, 9)[1:]
    first = next((k for k, up_to in enumerate(reaches) if seen(up_to) >= 0), None)
    if first is None:
        return math.inf
    low = reaches[first - 1] if first else NEXT_TO_ZERO
    return float(brentq(seen, low, reaches[first], xtol=1e-6))


def _both(dot: Dot, ensemble: Ensemble) -> tuple[CubicSpline, CubicSpline]:
    """Return the band-edge excitons under Rabi's and under Poisson's law."""
    return (
        curves(dot, ensemble, "rabi").mean_excitons,
        curves(dot, ensemble, "poisson").band_edge_excitons,
    )
