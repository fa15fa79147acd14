r"""Gain thresholds under pulses of any length, with recombination: where the Auger lifetime enters.

The dots climb and descend a ladder of excitons (`qdgain.beyond.recombination`). A threshold is the
mean number of *absorbed* excitons, which is proportional to the fluence, for a pump that does not
saturate.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy import special, stats
from scipy.integrate import cumulative_trapezoid
from scipy.optimize import brentq

from qdgain.beyond.recombination import (
    arrival_rate,
    at_band_edge,
    populations_in_time,
    radiative_ratios,
    recombination_rates,
)
from qdgain.model import parameters
from qdgain.model.bands import band_offsets_meV, band_widths_meV
from qdgain.model.dot import Dot, FloatArray
from qdgain.model.gain import gain_maximum_meV
from qdgain.model.states import states
from qdgain.model.threshold import threshold_at_maximum
from qdgain.model.units import positive, sigma_from_fwhm

Places = NDArray[np.intp]

#: The pulse is taken between these multiples of its standard deviation.
_PULSE_REACH = 4.0
_PULSE_STEPS, _STEPS_AFTER = 80, 100
#: Cooling and exciton are followed for so many of their lifetimes after the pulse.
_COOLINGS, _LIFETIMES = 8.0, 8.0
#: The search begins at so many absorbed excitons; below it, a dot is without threshold.
FEWEST_ABSORBED = 1e-3
_MOST_ABSORBED = 1e3
_SCAN, _REFINE = 24, 12
#: Photons start at so many places along the film.
_PLACES = 12
_BAND_REACH, _BAND_STEP = 4.0, 0.22
_FEWEST_ENERGIES, _MOST_ENERGIES = 40, 300
_LARGEST_EXPONENT, _LARGEST_LOG_RATE = 600.0, 60.0


class Pump:
    """A pump pulse and how fast dots cool and recombine, of one or many cases.

    The full width at half maximum of the Gaussian pulse, the Auger lifetime τ_XX of two excitons,
    the time from absorption to the band edge and the lifetime τ_X of one exciton broadcast to the
    pump's shape D; lifetimes may be infinite. Raises `ParameterError` if a time is not above zero.
    """

    def __init__(
        self,
        pulse_fwhm_ps: ArrayLike,
        auger_lifetime_ps: ArrayLike,
        cooling_time_ps: ArrayLike,
        exciton_lifetime_ps: ArrayLike,
    ) -> None:
        given = {
            "pulse_fwhm_ps": pulse_fwhm_ps,
            "auger_lifetime_ps": auger_lifetime_ps,
            "cooling_time_ps": cooling_time_ps,
            "exciton_lifetime_ps": exciton_lifetime_ps,
        }
        values = {name: np.asarray(value, dtype=float) for name, value in given.items()}
        for name, value in values.items():
            positive(name, np.where(np.isposinf(value), 1.0, value))
        times = np.broadcast_arrays(*values.values())
        self.shape = times[0].shape
        # The cases in a row.
        self.pulse, self.auger, self.cooling, self.exciton = map(np.ravel, times)

    @property
    def half_pulse(self) -> FloatArray:
        """From the middle of the pulse to its end."""
        return np.asarray(_PULSE_REACH * sigma_from_fwhm(self.pulse))

    def window(self) -> tuple[FloatArray, FloatArray]:
        """Return the logarithms of ⟨N⟩ between which a threshold is looked for."""
        lifetime = np.minimum(self.auger, self.exciton)
        high = np.log(_MOST_ABSORBED * (1 + (self.pulse + self.cooling) / lifetime))
        return np.full_like(high, np.log(FEWEST_ABSORBED)), high


class PulseThreshold(NamedTuple):
    """Excitons absorbed per dot at threshold, and present when the gain is best, of shape D."""

    absorbed: FloatArray
    present: FloatArray


def se_threshold(dot: Dot, pump: Pump, read_delay_ps: float) -> PulseThreshold:
    r"""Return the threshold of stimulated emission, read at its best time from a delay on.

    The smallest ⟨N⟩_abs with :math:`\max_{t\ge t_0} G(t) = 0` at the energy of the largest gain,
    t₀ being the delay after the middle of the pulse. Infinity and nan where no pump reaches it,
    zero and nan where the fewest excitons do.

    For pulses shorter than the delay the best time is at or just after it, for longer ones near
    the pulse's middle. Without recombination this is the threshold under Poisson statistics.
    Source: the gain of paper section 3.3 with recombination added.
    """
    time = _times(pump, read_delay_ps + _COOLINGS * pump.cooling)
    weights = _gain_weights(dot)
    ladder_of = _ladder(dot, pump, time)
    late = time >= read_delay_ps

    def best(log_absorbed: FloatArray, rows: Places) -> tuple[FloatArray, FloatArray]:
        ladder = ladder_of(log_absorbed, rows)
        gain = at_band_edge(ladder, weights.size) @ weights
        present = ladder @ np.arange(float(ladder.shape[-1]))
        # The delay lies between two times.
        at_delay = _interpolated(time[rows], read_delay_ps, gain, present)
        gain = np.where(late[rows][:, None, :], gain, -np.inf)
        top = np.argmax(gain, axis=-1)[..., None]
        highest, there = (np.take_along_axis(x, top, axis=-1)[..., 0] for x in (gain, present))
        first = at_delay[0] > highest
        return np.where(first, at_delay[0], highest), np.where(first, at_delay[1], there)

    log_absorbed, present = _first_crossing(best, *pump.window())
    return PulseThreshold(np.exp(log_absorbed).reshape(pump.shape), present.reshape(pump.shape))


def ase_threshold(
    dot: Dot, pump: Pump, gain_exponent: float, build_up_time_ps: ArrayLike
) -> FloatArray:
    r"""Return ⟨N⟩_abs at which amplification doubles the emission integrated over energy and time.

    A photon emitted at t at a distance s of travel from the edge leaves amplified by
    :math:`\exp\frac{L_g}{T}\int_t^{t+s}G\,dt'`; with T the time that light takes along the film,
    or in a resonator the time in which it passes L_g,

    .. math:: \int\!dE\!\int\!dt\,P(E,t)\,\frac1T\!\int_0^T\!ds\;
        e^{\frac{L_g}{T}\int_t^{t+s}G(E,t')dt'} = 2\int\!dE\!\int\!dt\,P(E,t)

    T broadcasts to D. Infinity where no pump reaches it, zero where the fewest excitons do.

    For T far below every lifetime the inner integral is the film's :math:`(e^{L_gG}-1)/L_gG` of
    `qdgain.model.film`. Spontaneous emission of the whole exciton lifetime is counted, as a
    spectrometer without a gate does. Small signal: what the light takes from the dots is neglected.
    Source: the emission of paper section 3.4 with time added; the doubling criterion is assumed.
    """
    length = float(parameters.check("gain_exponent", gain_exponent))
    travel = positive("build_up_time_ps", build_up_time_ps)
    travel = np.broadcast_to(travel, pump.shape).ravel()
    followed = _LIFETIMES * np.where(np.isinf(pump.exciton), 0.0, pump.exciton)
    time = _times(pump, travel + _COOLINGS * pump.cooling + followed)
    ladder_of = _ladder(dot, pump, time)
    emission, gains = _spectra(dot)
    place, weight = np.polynomial.legendre.leggauss(_PLACES)
    place, weight = 0.5 * (1 + place), 0.5 * weight
    end = time[..., None] + travel[:, None, None] * place
    end = np.minimum(end, time[:, -1, None, None])
    where = [np.searchsorted(t, to, "right") - 1 for t, to in zip(time, end, strict=True)]

    def log_ratio(log_absorbed: FloatArray, rows: Places) -> tuple[FloatArray, FloatArray]:
        shares = at_band_edge(ladder_of(log_absorbed, rows), len(gains))
        result = np.empty(log_absorbed.shape)
        for i, row in enumerate(rows):
            t = time[row]
            passed = _integral_to(t, shares[i], end[row], where[row])
            passed -= _integral_to(t, shares[i], t[:, None], np.arange(t.size)[:, None])
            exponent = passed @ (length / travel[row] * gains)
            np.minimum(exponent, _LARGEST_EXPONENT, out=exponent)
            amplified = np.einsum("ltse,s->lte", np.exp(exponent, out=exponent), weight)
            spontaneous = shares[i] @ emission
            in_time = (np.einsum("lte,lte->lt", spontaneous, amplified), spontaneous.sum(axis=-1))
            total, alone = (np.trapezoid(x, t, axis=-1) for x in in_time)
            result[i] = np.log(0.5 * total / alone)
        return result, result

    with np.errstate(invalid="ignore", divide="ignore"):  # a dot that emits nothing doubles nothing
        return np.exp(_first_crossing(log_ratio, *pump.window())[0]).reshape(pump.shape)


# --- closed forms


def auger_limited_rate(dot: Dot, auger_lifetime: ArrayLike) -> FloatArray:
    r"""Return the Standard Model's law: the rate of arrivals that sustains gain against Auger.

    :math:`g = c/\tau_{XX}`, where :math:`w_1+\sum_{k\ge2} w_k\,c^{k-1}\prod_{j=2}^{k}
    \tfrac{4}{j^2(j-1)} = 0` with the net gains w_k of dots with k excitons; zero where X gains by
    itself, infinity where a full dot does not.

    No dot is empty, as arrivals are far more frequent than the radiative decay of X. With few
    triexcitons :math:`c = -w_1/w_2`. Holds for pulses between τ_XX and τ_X.
    """
    lifetime = np.asarray(auger_lifetime, dtype=float)
    _, *weights = _gain_weights(dot)
    if weights[0] >= 0:
        return np.zeros_like(lifetime)
    rates = recombination_rates(np.inf, 1.0, radiative_ratios(dot))[2:]
    power = np.arange(rates.size + 1.0)
    factors = np.array(weights)[np.minimum(power, len(weights) - 1).astype(int)]
    logs = np.append(0.0, -np.cumsum(np.log(rates)))

    def balance(log_rate: float) -> float:
        terms = logs + power * log_rate
        # Scaled by the largest term, which changes no sign.
        return float(factors @ np.exp(terms - terms.max()))

    # No maximum of the gain is nan.
    if not balance(_LARGEST_LOG_RATE) >= 0:
        return np.full_like(lifetime, np.inf)
    root = np.exp(brentq(balance, -_LARGEST_LOG_RATE, _LARGEST_LOG_RATE, xtol=1e-14))
    return np.asarray(root / lifetime)


def short_pulse_sensitivity(dot: Dot) -> float:
    r"""Return how fast the threshold rises with the time between arrival and reading, at first.

    :math:`\kappa = \frac{1}{N}\,\frac{\sum_k P_k\,\tfrac{k^2(k-1)}{4}\,(w_k-w_{k-1})}
    {\sum_k P_k\,(w_{k+1}-w_k)}` with the net gains w_k of dots with k excitons and Poisson's
    populations at the threshold N: the threshold is N(1 + κ t/τ_XX) for t ≪ τ_XX. nan without one.

    The numerator is what the gain loses by Auger recombination, the denominator its derivative by
    N. In the readings of three states dots of two excitons alone change their gain by losing one.
    """
    weights = _gain_weights(dot)
    mean = float(threshold_at_maximum(dot, statistics="poisson").mean_excitons)
    if not np.isfinite(mean) or mean == 0:
        return float("nan")
    share = np.asarray(stats.poisson.pmf(np.arange(weights.size), mean))
    steps = np.diff(weights)
    lost = recombination_rates(np.inf, 1.0, radiative_ratios(dot), weights.size - 1)
    return float((share * lost)[1:] @ steps / (share[:-1] @ steps) / mean)


class ExcitonGain(NamedTuple):
    """Whether X gains against its absorption: at the gain maximum, and largest at any energy."""

    at_maximum: float
    largest: float


def exciton_gain(dot: Dot) -> ExcitonGain:
    """Return the gain of dots that hold one exciton each, at the gain maximum and at its largest.

    Where it is positive, single excitons alone give gain, whatever the Auger lifetime.
    """
    return ExcitonGain(float(_gain_weights(dot)[1]), float(_spectra(dot)[1][1].max()))


def gaussian_area(fwhm: ArrayLike) -> FloatArray:
    """Return a Gaussian's area over its height, in the unit of its full width at half maximum."""
    return np.asarray(np.sqrt(2 * np.pi) * sigma_from_fwhm(fwhm))


# --- details


def _gain_weights(dot: Dot) -> FloatArray:
    """Return the net gain of dots with 0, 1, … excitons, at the energy of the gain maximum."""
    if dot.shape:
        raise parameters.ParameterError("a pulse threshold is for one dot: give numbers.")
    return states(dot, gain_maximum_meV(dot, "poisson")[None]).gain[:, 0]


def _spectra(dot: Dot) -> tuple[FloatArray, FloatArray]:
    """Return emission and gain of each state where it emits, of shape (K, E)."""
    offsets, widths = band_offsets_meV(dot), band_widths_meV(dot)
    centres = np.array([offsets.emission, offsets.xx_emission], dtype=float)
    reach = _BAND_REACH * np.array([widths.emission, widths.xx_emission], dtype=float)
    low, high = (centres - reach).min(), (centres + reach).max()
    narrowest = min(float(np.asarray(width)) for width in widths)
    wanted = np.ceil((high - low) / (_BAND_STEP * narrowest))
    points = int(np.clip(wanted, _FEWEST_ENERGIES, _MOST_ENERGIES))
    own = states(dot, np.linspace(low, high, points))
    return own.emission, own.gain


def _times(pump: Pump, after: FloatArray) -> FloatArray:
    """Return times until a while after the pulse, even in it and then ever further apart."""
    half = pump.half_pulse
    step = 2 * half / _PULSE_STEPS
    # Never shorter than with equal steps, nor much.
    ratio = _STEPS_AFTER / np.maximum(after / step, 1.5 * _STEPS_AFTER)
    # Where expm1(growth * n) / growth is the reach in steps, for n of them.
    growth = -(ratio + special.lambertw(-ratio * np.exp(-ratio), -1).real) / _STEPS_AFTER
    inside = np.linspace(-1, 1, _PULSE_STEPS + 1) * half[:, None]
    beyond = np.expm1(growth[:, None] * np.arange(1, _STEPS_AFTER + 1)) / growth[:, None]
    return np.concatenate([inside, half[:, None] + step[:, None] * beyond], axis=-1)


def _integral_to(time: FloatArray, values: FloatArray, at: FloatArray, where: Places) -> FloatArray:
    """Return integrals of values of shape (…, T, K) from the first time to others of shape (T, S).

    Exact for straight lines between the times; `where` are the last times at or before the others.
    """
    whole = cumulative_trapezoid(values, time, axis=-2, initial=0)
    where = np.minimum(where, time.size - 2)
    part = (at - time[where])[..., None]
    slope = np.diff(values, axis=-2) / np.diff(time)[:, None]
    within = part * (values[..., where, :] + 0.5 * part * slope[..., where, :])
    return np.asarray(whole[..., where, :] + within)


def _ladder(dot: Dot, pump: Pump, time: FloatArray) -> Callable[[FloatArray, Places], FloatArray]:
    """Return a function that gives the populations of cases, for logarithms of ⟨N⟩ of each."""
    arrivals = arrival_rate(time, pump.pulse[:, None], pump.cooling[:, None])
    rates = recombination_rates(pump.exciton, pump.auger, radiative_ratios(dot))

    def ladder(log_absorbed: FloatArray, rows: Places) -> FloatArray:
        of_rows = (x[rows][:, None] for x in (arrivals, rates))
        return populations_in_time(time[rows][:, None], np.exp(log_absorbed), *of_rows)

    return ladder


def _interpolated(time: FloatArray, at: float, *curves: FloatArray) -> tuple[FloatArray, ...]:
    """Return curves of shape (R, L, T) at one time, by straight lines between the times (R, T)."""
    after = np.clip((time < at).sum(axis=-1), 1, time.shape[-1] - 1)
    rows = np.arange(len(time))
    share = ((at - time[rows, after - 1]) / (time[rows, after] - time[rows, after - 1]))[:, None]
    return tuple(
        (1 - share) * curve[rows, :, after - 1] + share * curve[rows, :, after] for curve in curves
    )


def _first_crossing(
    function: Callable[[FloatArray, Places], tuple[FloatArray, FloatArray]],
    low: FloatArray,
    high: FloatArray,
) -> tuple[FloatArray, FloatArray]:
    """Return where each row's function first rises through zero, and its companion there.

    Infinity where it never does, minus infinity where it is above zero from the start, both with
    nan. Two scans: many arguments at once are cheap here, one after another is not.
    """
    result, beside = np.full(low.shape, np.inf), np.full(low.shape, np.nan)
    rows = np.arange(low.size)
    for points in (_SCAN, _REFINE):
        scan = low[:, None] + (high - low)[:, None] * np.linspace(0.0, 1.0, points + 1)
        values, companion = function(scan, rows)
        above = values >= 0
        first = np.argmax(above, axis=-1)
        any_above = above.any(axis=-1)
        result[rows[any_above & (first == 0)]] = -np.inf
        keep = any_above & (first > 0)
        if not keep.any():
            return result, beside
        rows, right = rows[keep], first[keep, None]
        (low, high), (f_low, f_high), (c_low, c_high) = (
            [np.take_along_axis(x[keep], right - k, axis=-1)[:, 0] for k in (1, 0)]
            for x in (scan, values, companion)
        )
        share = np.where(np.isfinite(f_low), f_low / (f_low - f_high), 1.0)
        result[rows] = low + share * (high - low)
        beside[rows] = c_low + share * (c_high - c_low)
    return result, beside
