r"""Solve for the parameters that the paper does not print, from the numbers that it states.

The stated numbers are `qdgain.calibration.readings.TARGETS`: four gain thresholds, the largest gain
with excited-state absorption (ESA) and four ASE thresholds. They are about as many as the unknowns,
so agreement with them is a consistency proof and not a test.

Energies are in units of s, the standard deviation of the bands; positive quantities are logarithms.
With :math:`\rho_i = \ln(x_i/X_i)/\ln 1.1` for the computed x and stated X, the objective

.. math:: F = \sum_i (\rho_i^2 + \rho_i^6) + \sum_j h_j^2

is least for all numbers within ten per cent: squares inside the tolerance, steep walls outside. The
second sum asks for the paper's qualitative statements, `qdgain.calibration.conditions.CONDITIONS`,
and is left out where the numbers alone are asked for. Each wants the spike on one side of some
energy: with D the logarithm of the strongest emission there over the strongest elsewhere,
:math:`h = \operatorname{arsinh}(\max(0.2 - D, 0)/0.2)`: steep next to the condition, which is thus
met where it can be and stays so when the result is rounded, and mild far from it. Seeded random
candidates are screened, and the best are refined with bounded least squares, for every reading of
the paper (`qdgain.calibration.readings.Variant`).
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from typing import Any, NamedTuple

import numpy as np
import scipy
from numpy.typing import NDArray

from qdgain.calibration.conditions import FLUENCE_RANGE, conditions, dominance
from qdgain.calibration.readings import (
    DOTS,
    INDEX,
    TARGETS,
    TOLERANCE,
    Variant,
    candidate_dots,
    half_digits,
    stated_numbers,
    values,
    width_meV,
)
from qdgain.fast.onset import threshold_onset
from qdgain.model.bands import FWHM_PER_SIGMA
from qdgain.model.dot import Dot, FloatArray
from qdgain.model.film import (
    amplification,
    ase_threshold,
    log_amplification,
)
from qdgain.model.gain import largest_gain
from qdgain.model.parameters import ParameterError
from qdgain.model.populations import mean_excitons_after_pulse, populations
from qdgain.model.search import first_root, parabolic_peak
from qdgain.model.states import states
from qdgain.model.threshold import threshold_at_maximum

#: In linewidths, assumed: a biexciton that emits within the exciton's band, as is usually seen.
LARGEST_EMISSIVE_BINDING = 0.5
#: Points of a film's spectrum, of which the threshold takes every fourth, and how many standard
#: deviations the grid reaches beyond the centres of the emission.
_POINTS, _FINER, _REACH = 449, 4, 5.5
_COARSE_POINTS = 113
_SCAN = np.linspace(0.0, 1.0, 21)
_SCAN[0] = 1e-4
_LARGEST_EXPONENT = 500.0
_NO_THRESHOLD = 9.0
_STEP = 1e-5
_COARSE = 1e-7
_CLEARANCE = 0.2
_CONDITION_SCALE = 0.2


class _Film(NamedTuple):
    """The ASE of D dots on a grid each: emission and gain exponent of 0, X and XX, (D, 3, E)."""

    emission: FloatArray
    exponent: FloatArray
    statistics: str

    def _weights(self, amplitude: FloatArray) -> FloatArray:
        mean = mean_excitons_after_pulse(amplitude**2, 1.0, self.statistics)
        return np.stack(populations(mean, self.statistics), axis=-1)

    def log_ratio(self, amplitude: FloatArray, rows: Any = slice(None)) -> FloatArray:
        """Return ln(∫I/2∫P) of some dots at √(J/J_π), (D, L): zero at the threshold."""
        weights = self._weights(amplitude)
        emission, exponent = weights @ self.emission[rows], weights @ self.exponent[rows]
        amplified = amplification(np.minimum(exponent, _LARGEST_EXPONENT, out=exponent))
        total = np.einsum("dle,dle->dl", emission, amplified)
        return np.asarray(np.log(0.5 * total / emission.sum(axis=-1)))

    def log_spectrum(self, amplitude: FloatArray) -> FloatArray:
        """Return ln I at √(J/J_π) of shape (D, L), of shape (D, L, E)."""
        weights = self._weights(amplitude)
        with np.errstate(divide="ignore"):
            log_emission = np.log(weights @ self.emission)
        return np.asarray(log_emission + log_amplification(weights @ self.exponent))


def _film(dot: Dot, detuning: FloatArray, exponent: FloatArray, statistics: str) -> _Film:
    """Return the film of dots (K, 4), or another number of them, with exponents L_g of (K,)."""
    emission, gains = (own := states(dot, detuning)).emission, own.gain
    gains *= exponent[:, None, None, None]
    shape = (-1, *gains.shape[2:])
    return _Film(emission.reshape(shape), gains.reshape(shape), statistics)


def _detunings_meV(dot: Dot, points: int) -> FloatArray:
    """Return an even grid that holds the emission of each dot, of shape D + E."""
    emission = -np.asarray(dot.stokes_shift_meV)
    biexciton = emission - np.asarray(dot.emissive_binding_meV)
    low = np.minimum(emission, biexciton) - _REACH * width_meV()
    high = np.maximum(emission, biexciton) + _REACH * width_meV()
    return np.asarray(low[..., None] + (high - low)[..., None] * np.linspace(0.0, 1.0, points))


def _threshold(film: _Film, near: FloatArray | None = None) -> tuple[FloatArray, FloatArray]:
    """Return √(J/J_π) and ln(J/J_π) at which ∫I = 2∫P first, of shape D; see `predict`."""
    size = len(film.emission)
    if near is None:
        amplitude = first_root(film.log_ratio, np.broadcast_to(_SCAN, (size, _SCAN.size)))
    else:
        values = film.log_ratio(near[:, None] * np.array([1 - _STEP, 1.0]))
        step = np.clip(-values[:, 1] * _STEP / np.diff(values)[:, 0], -0.1, 0.1)
        amplitude = np.where(near < 1, near * np.exp(step), np.inf)
    reached = np.isfinite(amplitude)
    amplitude = np.where(reached, amplitude, 1.0)
    log_fluence = 2 * np.log(amplitude)
    if not reached.all():
        missing = -film.log_ratio(np.ones((size, 1)))[:, 0]
        log_fluence = np.where(reached, log_fluence, np.maximum(missing, 0.0))
    return amplitude, log_fluence


def log_fluences(
    dot: Dot, gain_exponent: FloatArray, statistics: str, points: int = _COARSE_POINTS
) -> FloatArray:
    """Return ln(J_th/J_π) of dots (K, 4) or another number of them, with L_g of shape (K,)."""
    film = _film(dot, _detunings_meV(dot, points), gain_exponent, statistics)
    return _threshold(film)[1].reshape(dot.shape)


class Prediction(NamedTuple):
    """What K candidates predict.

    The numbers (K, 9); by how many linewidths the conditions (K, 6) are met; the logarithm of
    how much stronger the emission is where a condition wants the spike than anywhere else, (K, 6),
    which has the same sign and no jumps; and √(J/J_π) at the ASE thresholds, (K, 4), 1 where they
    are out of reach.
    """

    numbers: FloatArray
    conditions: FloatArray
    dominance: FloatArray
    amplitude: FloatArray


def predict(full: FloatArray, variant: Variant, near: FloatArray | None = None) -> Prediction:
    """Return what candidates of coordinates (K, 11) predict.

    The gain is that of the public functions; the film is on a coarser grid than theirs, for
    thousands of candidates: fluences agree to 1e-3, spikes to 0.01 linewidths. Where a threshold is
    out of reach its number goes on growing, so that a search finds the way back. With `near`, (4,),
    the amplitude of a candidate that differs by infinitesimals, one Newton step replaces the search
    for thresholds.
    """
    full = np.atleast_2d(full)
    dot, v = candidate_dots(full), values(full)
    detuning = _detunings_meV(dot, _POINTS)
    film = _film(dot, detuning, v[:, INDEX["gain_exponent"]], variant.statistics)
    coarse = film._replace(
        emission=np.ascontiguousarray(film.emission[..., ::_FINER]),
        exponent=np.ascontiguousarray(film.exponent[..., ::_FINER]),
    )
    amplitude, log_fluence = _threshold(coarse, None if near is None else np.tile(near, len(full)))
    numbers = all_numbers(v, gain_numbers(dot, v, variant), log_fluence.reshape(dot.shape))
    both = np.stack([amplitude, np.minimum(amplitude * np.sqrt(FLUENCE_RANGE), 1.0)], axis=-1)
    spectrum = film.log_spectrum(both).reshape(*dot.shape, 2, -1)
    offset = (detuning + np.asarray(dot.stokes_shift_meV)[..., None]) / np.asarray(
        dot.linewidth_meV
    )
    spike = parabolic_peak(offset[..., None, :], spectrum)
    stronger = dominance(offset, spectrum[..., 1, :], spike)
    return Prediction(numbers, conditions(spike), stronger, amplitude.reshape(dot.shape))


def gain_numbers(dot: Dot, v: FloatArray, variant: Variant) -> FloatArray:
    """Return the four gain thresholds and the largest gain with ESA, of shape (K, 5)."""
    if variant.threshold == "maximum":
        threshold = threshold_at_maximum(dot, statistics=variant.statistics)
    else:
        threshold = threshold_onset(dot, v[:, [INDEX["floor"]]], variant.statistics)
    mean = np.clip(threshold.mean_excitons, 1e-6, _NO_THRESHOLD)
    return np.concatenate([mean, v[:, [INDEX["xx_emission_strength"]]]], axis=1)


def all_numbers(v: FloatArray, gains: FloatArray, log_fluence: FloatArray) -> FloatArray:
    """Return all numbers (K, 9) of those of the gain (K, 5) and ln(J_th/J_π) (K, 4)."""
    area = np.exp(np.minimum(log_fluence, 50.0))
    return np.concatenate([gains, v[:, [INDEX["pi_pulse_fluence_mJ_cm2"]]] * area], axis=1)


def meets_numbers(full: FloatArray, variant: Variant, tolerance: float) -> NDArray[np.bool_]:
    """Return which candidates (K, 11) meet every stated number, checking the cheap ones first."""

    def within(numbers: FloatArray) -> NDArray[np.bool_]:
        off = numbers / stated_numbers()[: numbers.shape[1]] - 1
        return np.asarray(np.all(np.abs(off) <= tolerance, axis=1))

    dot, v = candidate_dots(full), values(full)
    gains = gain_numbers(dot, v, variant)
    met = within(gains)
    if met.any():
        exponent = v[met, INDEX["gain_exponent"]]
        log_fluence = log_fluences(candidate_dots(full[met]), exponent, variant.statistics)
        met[met] = within(all_numbers(v[met], gains[met], log_fluence))
    return met


@cache
def _allowed(as_printed: bool) -> FloatArray:
    """Return the logarithm of one plus the allowed departure of each number."""
    if not as_printed:
        return np.full(len(TARGETS), np.log1p(TOLERANCE))
    return np.asarray(np.log1p(np.minimum(half_digits() / stated_numbers(), TOLERANCE)))


def residuals(numbers: FloatArray, as_printed: bool = False) -> FloatArray:
    r"""Return :math:`\rho` of numbers (…, 9): within tolerance between -1 and 1.

    :math:`\ln(x/X)/\ln 1.1`; with ``as_printed`` the tolerance is half the last digit,
    if that is less.
    """
    return np.asarray(np.log(numbers / stated_numbers()) / _allowed(as_printed))


def objective(
    free: FloatArray, variant: Variant, with_conditions: bool, as_printed: bool = False
) -> FloatArray:
    """Return the terms of the objective of candidates (K, P), of shape (K, 18 or 24)."""
    return _terms(predict(variant.full(free), variant), with_conditions, as_printed)


def _terms(prediction: Prediction, with_conditions: bool, as_printed: bool = False) -> FloatArray:
    rho = residuals(prediction.numbers, as_printed)
    terms = [rho, np.clip(rho, -30, 30) ** 3]
    if with_conditions:
        # A little beyond the condition, so that rounding does not undo it.
        short = np.maximum(_CLEARANCE - prediction.dominance, 0.0)
        terms.append(np.arcsinh(short / _CONDITION_SCALE))
    return np.concatenate(terms, axis=1)


class Solution(NamedTuple):
    """A minimum of the objective."""

    variant: Variant
    free: FloatArray
    cost: float
    numbers: FloatArray
    conditions: FloatArray

    @property
    def largest_residual(self) -> float:
        """The largest departure from a stated number, as a fraction."""
        return float(np.max(np.abs(self.numbers / stated_numbers() - 1)))

    @property
    def meets_numbers(self) -> bool:
        """Whether every number is within the tolerance."""
        return self.largest_residual <= TOLERANCE

    @property
    def prints_as_stated(self) -> bool:
        """Whether every number is within half its last digit, and within `TOLERANCE`."""
        allowed = np.expm1(_allowed(True)) * stated_numbers()
        return bool(np.all(np.abs(self.numbers - stated_numbers()) <= allowed))

    @property
    def is_plausible(self) -> bool:
        """Whether the emissive bindings are of a size that is measured."""
        full = self.variant.full(self.free)[0]
        emissive = full[[INDEX["emissive_3ls"], INDEX["emissive_4ls"]]]
        return bool(np.all(np.abs(emissive) <= LARGEST_EMISSIVE_BINDING * FWHM_PER_SIGMA))

    @property
    def meets_conditions(self) -> bool:
        """Whether every qualitative statement holds."""
        return bool(np.all(self.conditions >= 0))


def refine(
    start: FloatArray,
    variant: Variant,
    with_conditions: bool,
    accuracy: float = _COARSE,
    as_printed: bool = False,
) -> Solution:
    """Return the minimum of the objective next to a start, by bounded least squares."""
    low, high = variant.bounds
    at: dict[bytes, Prediction] = {}

    def predicted(free: FloatArray) -> Prediction:
        if free.tobytes() not in at:
            at.clear()
            at[free.tobytes()] = predict(variant.full(free), variant)
        return at[free.tobytes()]

    def terms(free: FloatArray) -> FloatArray:
        return np.asarray(_terms(predicted(free), with_conditions, as_printed)[0])

    def jacobian(free: FloatArray) -> FloatArray:
        step = 1e-6 * (high - low)
        step = np.where(free + step > high, -step, step)
        near = predicted(free).amplitude[0]
        around = predict(variant.full(np.vstack([free, free + np.diag(step)])), variant, near)
        all_terms = _terms(around, with_conditions, as_printed)
        return np.asarray(((all_terms[1:] - all_terms[0]) / step[:, None]).T)

    found = scipy.optimize.least_squares(
        terms,
        np.clip(start, low + 1e-6 * (high - low), high - 1e-6 * (high - low)),
        jacobian,
        bounds=(low, high),
        x_scale=0.1 * (high - low),
        max_nfev=80 if accuracy >= _COARSE else 2000,
        xtol=accuracy,
        ftol=accuracy,
        gtol=accuracy,
    )
    best = predicted(found.x)
    return Solution(variant, found.x, float(found.cost), best.numbers[0], best.conditions[0])


def solve(
    variant: Variant, with_conditions: bool, seed: int, starts: int = 8, candidates: int = 800
) -> list[Solution]:
    """Return the minima found from seeded starts, best first.

    Random candidates are screened by their largest residual; the best are refined.
    """
    low, high = variant.bounds
    pool = low + (high - low) * np.random.default_rng(seed).random((candidates, low.size))
    parts = np.array_split(pool, max(candidates // 200, 1))
    terms = np.concatenate([objective(part, variant, with_conditions) for part in parts])
    cost = np.sum(np.abs(terms[:, : len(TARGETS)]), axis=1)
    best = pool[np.argsort(cost, kind="stable")[:starts]]
    found = [refine(start, variant, with_conditions) for start in best]
    return sorted(found, key=lambda solution: solution.cost)


def public_numbers(
    dots: Mapping[str, Dot],
    gain_exponent: float,
    pi_pulse_fluence_mJ_cm2: float,
    variant: Variant,
    floor: float | None = None,
) -> FloatArray:
    """Return the calibrating numbers of four dots, `TARGETS`, by the library's public functions.

    Parameters
    ----------
    dots : Mapping
        A dot for each of `DOTS`.
    gain_exponent, pi_pulse_fluence_mJ_cm2 : float
        The film.
    variant : Variant
        Its threshold definition and statistics count.
    floor : float, optional
        Of an onset.
    """
    four, law = [dots[name] for name in DOTS], variant.statistics
    if variant.threshold == "maximum":
        gains = [threshold_at_maximum(dot, statistics=law) for dot in four]
    elif floor is None:
        raise ParameterError("floor = None is not allowed: an onset needs its floor.")
    else:
        gains = [threshold_onset(dot, floor, law) for dot in four]
    films = [ase_threshold(dot, gain_exponent, pi_pulse_fluence_mJ_cm2, law) for dot in four]
    return np.array(
        [float(gain.mean_excitons) for gain in gains]
        + [float(largest_gain(dots["3LS+ESA"]))]
        + [float(film.fluence_mJ_cm2) for film in films]
    )
