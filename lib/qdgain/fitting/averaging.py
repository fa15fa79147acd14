r"""Several models of one spectrum, each fitted, and the average of what they say.

No model of a real spectrum is right, and the best one alone is too sure of itself. So all that are
plausible are fitted, in several windows, and averaged. Within a window a model counts

.. math:: w \propto e^{-\mathrm{BIC}/2},\quad \mathrm{BIC} = n_e\ln s^2 + k\ln n_e,

with s² the mean square of what it leaves over, k its parameters, and :math:`n_e=n(1-r_1)/(1+r_1)`
the points that count as independent where neighbouring residuals correlate by r₁. Windows count
alike, since criteria of different data cannot be compared. The covariance of the average is
:math:`\sum_i w_i[C_i+(v_i-\bar v)(v_i-\bar v)^T]`: the mean covariance, and the spread.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import NamedTuple

import numpy as np
import scipy
from scipy.special import expit, logit

from qdgain.fitting.spectra import Spectrum
from qdgain.model.dot import FloatArray

#: The largest r₁, and the fewest points that count as independent.
_MOST_CORRELATED, _FEWEST_INDEPENDENT = 0.95, 8.0
#: Of the largest value: what is left over of noiseless data, by rounding.
_LEAST_NOISE = 1e-5
_MOST_CALLS = 40
_KINK_EV = 0.015
#: The least difference of BIC that is evidence: strong above 10, say Kass and Raftery 1995, DOI
#: 10.1080/01621459.1995.10476572.
LEAST_EVIDENCE = 12.0
#: The step of slopes, and where the logistic function is as good as 1.
_STEP, _FAR = 1e-5, 9.0
#: A fit is repeated if it changes the weight of what is expected by more than this factor; the
#: first guess is this part of what the start leaves over.
_ALIKE, _FIRST_GUESS = 2.0, 1 / 3


class FittedSpectrum(NamedTuple):
    """What was fitted, of shape E, and the parts of the model, whose sum is the fit.

    The noise is the standard deviation of the residual, in the unit of the data (of the largest
    value, if it is not even). By the correlation factor the correlation of neighbouring residuals
    raises every variance; it is 1 if they are random.
    """

    energy_eV: FloatArray
    measured: FloatArray
    parts: Mapping[str, FloatArray]
    noise: float
    correlation_factor: float

    @property
    def fitted(self) -> FloatArray:
        """The sum of the parts."""
        return np.asarray(sum(self.parts.values()))


class Model(NamedTuple):
    """Curves whose shapes are to be found; their heights, of which none is negative, follow.

    From the K shape parameters, of which the first two are centre and width of the band in
    question, `curves` makes as many curves as there are parts, of shape (E, parts). Shapes lie
    between two bounds, and are expected somewhere give or take a spread, infinite if nothing is.
    """

    name: str
    parts: tuple[str, ...]
    curves: Callable[[FloatArray], FloatArray]
    low: FloatArray
    high: FloatArray
    start: FloatArray
    expected: FloatArray
    spread: FloatArray


class Target(NamedTuple):
    """What models are fitted to: values between 0 and about 1, weights, noise; what they were."""

    spectrum: Spectrum
    base: float
    height: float
    values: FloatArray
    weights: FloatArray
    noise: float


class Fitted(NamedTuple):
    """A fitted model: shapes and their covariance, heights, what is left over, parameters used.

    And its weight within its window. The mean square of what is left over has the square of the
    noise added, which keeps exact fits of exact data from counting without bound.
    """

    model: Model
    target: Target
    shapes: FloatArray
    covariance: FloatArray
    heights: FloatArray
    residual: FloatArray
    mean_square: float
    used: int
    weight: float = 1.0


def target(spectrum: Spectrum, base: float, height: float) -> Target:
    """Return a spectrum as models are fitted to it."""
    values = (spectrum.values - base) / height
    weights = np.mean(spectrum.relative_noise) / spectrum.relative_noise
    return Target(spectrum, base, height, values, weights, spectrum.scatter / height + _LEAST_NOISE)


def correlation_factor(residual: FloatArray) -> float:
    """Return (1 + r₁)/(1 - r₁), r₁ ≥ 0: how autoregressive noise raises the variance of a mean."""
    power = float(residual @ residual)
    lag = float(residual[1:] @ residual[:-1]) / power if power > 0 else 0.0
    lag = min(max(lag, 0.0), _MOST_CORRELATED)
    return (1 + lag) / (1 - lag)


def _best(curves: FloatArray, to: Target) -> tuple[FloatArray, FloatArray]:
    """Return curves as they are weighted, and their best heights."""
    weighted = curves * to.weights[:, None]
    return weighted, scipy.optimize.nnls(weighted, to.values * to.weights)[0]


def _heights(model: Model, shapes: FloatArray, to: Target) -> tuple[FloatArray, FloatArray]:
    """Return the heights of a model's curves, and the weighted residual."""
    curves, heights = _best(model.curves(shapes), to)
    return heights, curves @ heights - to.values * to.weights


def _slopes(model: Model, shapes: FloatArray, steps: FloatArray, to: Target) -> FloatArray:
    """Return how the residual changes with K steps of the shapes, of shape (K, E), by Kaufman."""
    curves, heights = _best(model.curves(shapes), to)
    basis, _ = np.linalg.qr(curves[:, heights > 0])
    here = curves @ heights
    rows = [model.curves(shapes + step) @ heights * to.weights - here for step in steps]
    # What the curves can make up for is taken away.
    return np.stack([row - basis @ (basis.T @ row) for row in rows])


def _scale(residual: FloatArray, noise: float) -> float:
    """Return what a deviation of one spread from what is expected weighs."""
    mean_square = float(residual @ residual) / residual.size
    return float(np.sqrt(max(mean_square, noise**2) * correlation_factor(residual)))


def solve(model: Model, to: Target) -> Fitted | None:
    """Fit a model by variable projection, its heights not negative; None if it cannot be done.

    What is expected of the shapes counts as one more datum each, weighed by what the fit leaves
    over; the logistic function keeps shapes between their bounds.
    """
    width = model.high - model.low

    def shapes_of(t: FloatArray) -> FloatArray:
        return np.asarray(model.low + width * expit(t))

    def missed(t: FloatArray, scale: float) -> FloatArray:
        shapes = shapes_of(t)
        expected = scale * (shapes - model.expected) / model.spread
        return np.append(_heights(model, shapes, to)[1], expected)

    def slopes(t: FloatArray, scale: float) -> FloatArray:
        inner = width * expit(t) * expit(-t)
        own = _slopes(model, shapes_of(t), _STEP * np.diag(inner), to) / _STEP
        return np.hstack([own, np.diag(scale * inner / model.spread)])

    t = logit(np.clip((model.start - model.low) / width, 1e-2, 1 - 1e-2))
    try:
        residual = _heights(model, shapes_of(t), to)[1]
        scale = _FIRST_GUESS * _scale(residual, to.noise)
        for _ in range(2):
            with np.errstate(over="ignore", invalid="ignore"):
                t, *_ = scipy.optimize.leastsq(
                    missed, t, (scale,), slopes, True, True, 1e-4, 1e-3, maxfev=_MOST_CALLS
                )
            t = np.clip(t, -_FAR, _FAR)
            heights, residual = _heights(model, shapes_of(t), to)
            after = _scale(residual, to.noise)
            if 1 / _ALIKE < after / scale < _ALIKE:
                break
            scale = after
    except RuntimeError:  # the heights were not found
        return None
    return _fitted(model, to, shapes_of(t), heights, residual)


def _fitted(
    model: Model, to: Target, shapes: FloatArray, heights: FloatArray, residual: FloatArray
) -> Fitted:
    n, width = residual.size, model.high - model.low
    used = shapes.size + int((heights > 0).sum())
    square = float(residual @ residual)
    variance = max(square / max(n - used, 1), to.noise**2) * correlation_factor(residual)
    slopes = _slopes(model, shapes, _STEP * np.diag(width), to) / (_STEP * width[:, None])
    # Nothing is known worse than that it lies between its bounds.
    known = 1 / model.spread**2 + 1 / (0.6 * width) ** 2
    covariance = np.asarray(np.linalg.inv(slopes @ slopes.T / variance + np.diag(known)))
    mean_square = square / n + to.noise**2
    return Fitted(model, to, shapes, covariance, heights, residual, mean_square, used)


def criterion(mean_square: float, used: int, independent: float) -> float:
    """Return the Bayesian information criterion, see the module."""
    return float(independent * np.log(mean_square) + used * np.log(independent))


def window(
    models: Iterable[Model], to: Target, before: Sequence[Fitted], lowest: float
) -> tuple[list[Fitted], float, float]:
    """Fit models to the same data; return them with weights of sum 1, the least BIC, and n_e.

    A model begins where one of its name ended in the window before, and is left out where the
    height of its band is below the lowest. The best fit tells how many points are independent.
    """
    starts = {one.model.name: one.shapes for one in before}
    begun = [model._replace(start=starts.get(model.name, model.start)) for model in models]
    solved = (one for model in begun if (one := solve(model, to)) is not None)
    found = [one for one in solved if one.heights[0] > lowest]
    if not found:
        return [], 0.0, _FEWEST_INDEPENDENT
    best = min(found, key=lambda one: one.mean_square)
    count = best.residual.size / correlation_factor(best.residual)
    independent = max(count, _FEWEST_INDEPENDENT)
    criteria = np.array([criterion(one.mean_square, one.used, independent) for one in found])
    weights = np.exp(-0.5 * (criteria - criteria.min()))
    weights /= weights.sum()
    fitted = [one._replace(weight=w) for one, w in zip(found, weights.tolist(), strict=True)]
    return fitted, float(criteria.min()), independent


def convex_misfit(to: Target) -> tuple[float, int]:
    """Return the mean square that the best curve leaves that bends upwards, and its parameters.

    It counts as one of four, however many kinks it has.
    """
    e = to.spectrum.energy_eV
    rises = np.maximum(e - np.arange(e[0] + 0.01, e[-1], _KINK_EV)[:, None], 0)
    curves = np.stack([np.ones_like(e), e - e[0], e[-1] - e, *rises], axis=-1)
    heights, _ = scipy.optimize.nnls(
        curves * to.weights[:, None], to.values * to.weights, maxiter=4000
    )
    left = (curves @ heights - to.values) * to.weights
    return float(left @ left) / left.size + to.noise**2, 4


def average(found: Sequence[Fitted], count: int = 2) -> tuple[FloatArray, FloatArray]:
    """Return the weighted mean of the first shapes, and its covariance with their spread."""
    weights = np.array([one.weight for one in found])
    weights /= weights.sum()
    values = np.stack([one.shapes[:count] for one in found])
    covariances = np.stack([one.covariance[:count, :count] for one in found])
    mean = weights @ values
    off = values - mean
    return mean, np.tensordot(weights, covariances, 1) + (weights * off.T) @ off


def curves(one: Fitted) -> FittedSpectrum:
    """Return a fit in the units of the spectrum, curves of one name added up."""
    to, names = one.target, one.model.parts
    every = to.height * one.model.curves(one.shapes) * one.heights
    parts = {name: np.zeros(every.shape[0]) for name in dict.fromkeys(names)}
    for name, curve in zip(names, every.T, strict=True):
        parts[name] += curve
    parts["background"] += to.base
    left = sum(parts.values()) - to.spectrum.values
    noise = float(np.sqrt(left @ left / (left.size - one.used)))
    factor = correlation_factor(one.residual)
    return FittedSpectrum(to.spectrum.energy_eV, to.spectrum.values, parts, noise, factor)
