r"""What a row of the calibration predicts, and how likely that makes the paper's numbers.

The likelihood of computed x for stated X is normal in the logarithm,

.. math:: \ln L = -\tfrac12\sum_i \big[\ln(x_i/X_i)/\delta\big]^2,

with a standard deviation δ of 5 %, assumed: 0 where all agree.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

import numpy as np
import scipy

from qdgain.calibration.conditions import FLUENCE_RANGE, conditions
from qdgain.calibration.rows import OF_GAIN, Row, stated_numbers
from qdgain.fast.onset import threshold_onset
from qdgain.model.dot import Dot, FloatArray
from qdgain.model.film import Film, emission_window_meV, film_of
from qdgain.model.gain import largest_gain
from qdgain.model.populations import mean_excitons_after_pulse
from qdgain.model.search import parabolic_peak
from qdgain.model.threshold import threshold_at_maximum

#: Standard deviation of ln(computed/stated), assumed.
DISCREPANCY = 0.05
#: Standard deviation with which a spike is read off a map, in linewidths, assumed: a fifth of what
#: still is the centre.
READING_OF_A_SPIKE = 0.02
#: Below this logarithm of the likelihood of the gain's numbers no film is computed.
_HOPELESS = -100.0
# A spike at its threshold is some five times narrower than a band, and a trapezoid sum over it is
# exact to 1e-5 with steps of a quarter of a band's standard deviation.
_REACH, _POINTS = 4.5, 65
_NO_THRESHOLD = 9.0


class Prediction(NamedTuple):
    """The nine numbers (K, 9), and by how many linewidths the conditions (K, 6) are met."""

    numbers: FloatArray
    conditions: FloatArray


def predict(row: Row, free: FloatArray) -> Prediction:
    """Return what free parameters (K, P) of a row predict.

    The functions are the model's own; the film's grid is coarser than its default, so that fluences
    agree to 1e-4 and spikes to 0.005 linewidths. Where a threshold is out of reach its number goes
    on growing beyond J_π, so that a search finds the way back.
    """
    values = row.values(free)
    films = _Films.of(row, values)
    amplitude, log_fluence = films.thresholds()
    gains, pi_pulse = gain_numbers(row, values), values["pi_pulse_fluence_mJ_cm2"]
    return Prediction(_joined(gains, pi_pulse, log_fluence), conditions(films.spikes(amplitude)))


def log_likelihood(
    row: Row,
    shape: FloatArray,
    *,
    with_conditions: bool = False,
    doubled: bool = False,
    discrepancy: float = DISCREPANCY,
) -> FloatArray:
    """Return ln L of candidates, J_π integrated out over its range, of shape (K,).

    J_π is a mere scale of four of the numbers, so that the integral is a closed form; `fluences`
    draws it. A film takes ten times as long as a gain: where the gain alone is hopeless, and where
    a threshold is out of reach, ln L is the gain's alone less 100. Where conditions are asked for,
    what each is short of its margin counts as a normal departure of `READING_OF_A_SPIKE`. `shape`
    has the row's free parameters but for J_π, which is their last, (K, P - 1); with `doubled` the
    range of J_π is twice as wide.
    """
    values = _at_one(row, shape)
    gains = gain_numbers(row, values)
    result = _log_normal(gains, discrepancy)
    likely = np.flatnonzero(result > _HOPELESS)
    result += _HOPELESS
    if not likely.size:
        return result
    films = _Films.of(row, {name: value[likely] for name, value in values.items()})
    amplitude, log_fluence = films.thresholds()
    at, width = _log_pi_pulse(log_fluence, discrepancy)
    low, high = (end[-1] for end in row.ranges(doubled))
    inside = scipy.special.ndtr((high - at) / width) - scipy.special.ndtr((low - at) / width)
    found = _log_normal(_joined(gains[likely], np.exp(at), log_fluence), discrepancy)
    with np.errstate(divide="ignore"):
        found += np.log(np.sqrt(2 * np.pi) * width * inside / (high - low))
    if with_conditions:
        short = np.minimum(conditions(films.spikes(amplitude)), 0.0) / READING_OF_A_SPIKE
        found -= 0.5 * np.sum(short**2, axis=1)
    reached = np.isfinite(amplitude).all(axis=-1)
    result[likely[reached]] = np.maximum(found[reached], -1e6)
    return result


def fluences(
    row: Row, shape: FloatArray, random: np.random.Generator, discrepancy: float = DISCREPANCY
) -> FloatArray:
    """Return ln J_π of candidates (K, P - 1) drawn from what the numbers say of it, (K,)."""
    log_fluence = _Films.of(row, _at_one(row, shape)).thresholds()[1]
    at, width = _log_pi_pulse(log_fluence, discrepancy)
    return np.asarray(at + width * random.standard_normal(at.shape))


def _at_one(row: Row, shape: FloatArray) -> dict[str, FloatArray]:
    """Return the unknowns of free parameters without J_π, where J_π = 1."""
    return row.values(np.pad(shape, ((0, 0), (0, 1))))


def _log_pi_pulse(log_fluence: FloatArray, discrepancy: float) -> tuple[FloatArray, float]:
    """Return the mean (K,) and the standard deviation of ln J_π given ln(J_th/J_π), (K, 4)."""
    stated = np.log(stated_numbers()[OF_GAIN:])
    return np.mean(stated - log_fluence, axis=1), discrepancy / np.sqrt(len(stated))


def _log_normal(numbers: FloatArray, discrepancy: float) -> FloatArray:
    off = np.log(numbers / stated_numbers()[: numbers.shape[1]]) / discrepancy
    return np.asarray(-0.5 * np.sum(off**2, axis=1))


def gain_numbers(row: Row, values: Mapping[str, FloatArray]) -> FloatArray:
    """Return the four gain thresholds and the largest gain with ESA, of shape (K, 5)."""
    dot = row.dots(values)
    if row.threshold == "maximum":
        found = [threshold_at_maximum(one, statistics=row.statistics) for one in _pair(row, dot)]
    else:
        floor = np.broadcast_to(values["floor"][:, None], dot.shape)
        found = [threshold_onset(one, floor, row.statistics) for one in _pair(row, dot)]
    mean = np.stack([found[0].mean_excitons, found[-1].mean_excitons], axis=-1)
    mean = np.clip(mean, 1e-6, _NO_THRESHOLD).reshape(-1, 4)
    largest = largest_gain(dot.at((slice(None), slice(1))), row.statistics)
    return np.concatenate([mean, np.maximum(largest, 1e-6)], axis=1)


def _pair(row: Row, dot: Dot) -> tuple[Dot, ...]:
    """Return dots without and with ESA, or once if they are the same."""
    return (dot.uncorrelated(), dot) if row.has_esa else (dot,)


def _joined(gains: FloatArray, pi_pulse: FloatArray, log_fluence: FloatArray) -> FloatArray:
    fluence = pi_pulse[:, None] * np.exp(np.minimum(log_fluence, 50.0))
    return np.concatenate([gains, fluence], axis=1)


class _Films(NamedTuple):
    """The films of K candidates' dots without and with ESA, and their energies from PL_X in Γ."""

    statistics: str
    films: tuple[Film, ...]
    offsets: tuple[FloatArray, ...]

    @classmethod
    def of(cls, row: Row, values: Mapping[str, FloatArray]) -> _Films:
        films, offsets = [], []
        for dot in _pair(row, row.dots(values)):
            low, high = (end.ravel()[:, None] for end in emission_window_meV(dot, _REACH))
            detuning = low + (high - low) * np.linspace(0.0, 1.0, _POINTS)
            [(_, flat)] = dot.blocks(len(low))
            length = np.repeat(values["gain_exponent"], 2)
            films.append(film_of(flat, detuning, length, row.statistics))
            stokes = np.ravel(dot.stokes_shift_meV)[:, None]
            offsets.append((detuning + stokes) / float(np.max(dot.linewidth_meV)))
        return cls(row.statistics, tuple(films), tuple(offsets))

    def thresholds(self) -> tuple[FloatArray, FloatArray]:
        """Return √(J/J_π) at the ASE thresholds, infinity if out of reach, and ln(J/J_π)."""
        found, logs = [], []
        for film in self.films:
            amplitude = film.doubling_amplitude(self.statistics)
            log_fluence = 2 * np.log(amplitude)
            lost = np.flatnonzero(np.isinf(amplitude))
            if lost.size:
                full = mean_excitons_after_pulse(np.ones((lost.size, 1)), 1.0, self.statistics)
                missing = np.log(2.0) - film.take(lost).log_ratio(full)[:, 0]
                log_fluence[lost] = np.where(np.isfinite(missing), np.maximum(missing, 0.0), 50.0)
            found.append(amplitude)
            logs.append(log_fluence)
        return _interleaved(found), _interleaved(logs)

    def spikes(self, amplitude: FloatArray) -> FloatArray:
        """Return spike minus PL_X in linewidths, see `conditions`, of shape (K, 4, 3)."""
        at = np.where(np.isfinite(amplitude), amplitude, 1.0)
        further = np.minimum(np.sqrt(FLUENCE_RANGE), 1 / at.max(axis=1, keepdims=True))
        area = np.stack([at, at * further, np.ones_like(at)], axis=-1) ** 2
        means = mean_excitons_after_pulse(area, 1.0, self.statistics).reshape(-1, 2, 2, 3)
        return _interleaved(
            [
                parabolic_peak(offset[:, None, :], film.log_spectrum(means[:, :, i].reshape(-1, 3)))
                for i, (film, offset) in enumerate(zip(self.films, self.offsets, strict=True))
            ]
        )


def _interleaved(of_films: list[FloatArray]) -> FloatArray:
    """Return what was found for the films, (2K, …) each, in the order of `DOTS`, (K, 4, …)."""
    both = np.stack([of_films[0], of_films[-1]], axis=1)
    return both.reshape(-1, 4, *both.shape[2:])
