"""Gain and thresholds of a sample whose dots are not alike."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import replace
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike
from scipy.interpolate import CubicSpline

from qdgain.beyond.ensemble import Ensemble, sizes
from qdgain.beyond.ensemble_saturation import AMPLITUDES, NEXT_TO_ZERO, REACH, curves
from qdgain.model import parameters
from qdgain.model.bands import FWHM_PER_SIGMA, band_offsets_meV, band_widths_meV
from qdgain.model.dot import Dot, FloatArray
from qdgain.model.film import amplification
from qdgain.model.gain import gain_maximum_meV
from qdgain.model.states import combined, weights_of_bands

#: Photon energies: beyond the outermost band, and apart, in widths of the bands.
_WINDOW_WIDTHS, _STEP_WIDTHS, _MOST_POINTS = 4.5, 0.1, 1201
_LARGEST_EXPONENT, _DARK = 600.0, 1e-300
#: Points of a bracketed threshold.
_FINER = 9
#: The apparent exponent is taken from the threshold to so many times its fluence.
_ABOVE_THRESHOLD = 1.5


class EnsembleThresholds(NamedTuple):
    """Thresholds of a sample: mean ⟨N⟩ of all its dots, and fluence in mJ cm⁻²; infinity if none.

    At the energy of the gain maximum of the mean dot, at the onset, and of amplified spontaneous
    emission; and the apparent exponent d ln(emission)/d ln(fluence) above the last.
    """

    at_maximum: float
    at_maximum_fluence: float
    onset: float
    onset_fluence: float
    ase: float
    ase_fluence: float
    ase_exponent: float


def inhomogeneous(dot: Dot, inhomogeneous_width_meV: ArrayLike) -> Dot:
    r"""Return the dot whose bands are those of a sample pumped without selection.

    Equal shifts of all bands convolve each with the same Gaussian, so that every width becomes
    :math:`\sqrt{\Gamma^2+\Gamma_{inh}^2}` while the distances stay. Gain and absorption fall by one
    factor, which drops out when the gain is counted in units of the sample's own absorption. A
    ParameterError refuses bands with widths of their own, whose heights fall by different factors.
    """
    own = [name for name in dot.values() if name.endswith("_linewidth_meV")]
    if own:
        raise parameters.ParameterError(
            f"{own[0]} is set: the closed form for a sample needs one shared linewidth."
        )
    return replace(dot, linewidth_meV=np.hypot(dot.linewidth_meV, inhomogeneous_width_meV))


def ensemble_thresholds(
    dot: Dot,
    ensemble: Ensemble,
    statistics: str = "rabi",
    *,
    floor: float,
    gain_exponent: float | None,
    pi_pulse_fluence_mJ_cm2: float,
) -> EnsembleThresholds:
    """Return the thresholds of a sample, of which the dot is the mean one.

    What is amplified is nan where no gain exponent is given.

    The gain is linear in the populations, so that a sample's is the mean of its dots', each at its
    own shift, in units of the sample's peak absorption, as are floor and gain exponent. Sizes,
    orientations and depths are mixed along every ray of amplified light; parts of the beam are not,
    so that their emissions add. The energy of the gain maximum is that of the mean dot. Source:
    paper sections 3.3 and 3.4 for the thresholds of one dot; the averages are assumed.
    """
    sample = curves(dot, ensemble, statistics)
    gain, emission, absorption = _states(
        dot, ensemble, _detunings_meV(dot, ensemble), sample.states
    )
    peak = float(_highest(absorption))
    centre = np.atleast_1d(gain_maximum_meV(dot, statistics))
    gain_at_centre = _states(dot, ensemble, centre, sample.states)[0] / peak

    length = gain_exponent or 0.0

    def over_beam(values: FloatArray) -> FloatArray:
        return np.tensordot(values, sample.beam_weight, axes=(1, 0))

    def at_maximum(amplitude: FloatArray) -> FloatArray:
        return over_beam(sample.columns(amplitude) @ gain_at_centre)[:, 0]

    def onset(amplitude: FloatArray) -> FloatArray:
        return _highest(over_beam(sample.columns(amplitude) @ (gain / peak))) - floor

    def log_emission(amplitude: FloatArray) -> tuple[FloatArray, FloatArray]:
        # Axes: fluence, part of the beam, energy.
        some = sample.columns(amplitude)
        light = some @ emission
        exponent = np.minimum(some @ (length / peak * gain), _LARGEST_EXPONENT)
        spontaneous = over_beam(light.sum(axis=-1))
        light *= amplification(exponent)
        emitted = over_beam(light.sum(axis=-1))
        # Dots back in their ground state emit nothing, to rounding.
        return np.log(np.maximum(emitted, _DARK)), np.log(np.maximum(spontaneous, _DARK))

    def doubled(amplitude: FloatArray) -> FloatArray:
        emitted, spontaneous = log_emission(amplitude)
        return emitted - spontaneous - math.log(2)

    found = []
    for excess in (at_maximum, onset, doubled)[: 2 if gain_exponent is None else 3]:
        root = _first_root(excess)
        found.append(float(sample.mean_excitons(root)) if math.isfinite(root) else math.inf)
        found.append(pi_pulse_fluence_mJ_cm2 * root**2)
    if gain_exponent is None:
        return EnsembleThresholds(*(found + 3 * [math.nan]))
    higher = math.sqrt(_ABOVE_THRESHOLD) * root
    low, high = log_emission(np.array([root, higher]))[0] if higher <= REACH else (math.nan,) * 2
    found.append(float(high - low) / math.log(_ABOVE_THRESHOLD))
    return EnsembleThresholds(*found)


def _highest(values: FloatArray) -> FloatArray:
    """Return the largest value along the last axis, by a parabola through the highest points."""
    top = np.clip(np.argmax(values, axis=-1), 1, values.shape[-1] - 2)[..., None]
    left, centre, right = (np.take_along_axis(values, top + i, axis=-1)[..., 0] for i in (-1, 0, 1))
    bend = 2 * centre - left - right
    rise = np.zeros_like(bend)
    np.divide((right - left) ** 2, 8 * bend, out=rise, where=bend > 0)
    # Beside a summit at the edge of the grid the parabola means nothing.
    return np.asarray(
        np.where(np.abs(right - left) <= 2 * bend, centre + rise, values.max(axis=-1))
    )


def _first_root(function: Callable[[FloatArray], FloatArray]) -> float:
    """Return the amplitude at which a function first rises through zero; infinity if it does not.

    A scan, then a cubic through finer points of the bracket.
    """
    scan = AMPLITUDES[1:]  # nothing is emitted at zero fluence
    above = function(scan) >= 0
    if not above.any():
        return math.inf
    first = int(np.argmax(above))
    fine = np.linspace(scan[first - 1] if first else NEXT_TO_ZERO, scan[first], _FINER)
    values = function(fine)
    if values[0] >= 0:
        return float(fine[0])
    found = CubicSpline(fine, values).roots(extrapolate=False)
    return float(found[0]) if found.size else float(fine[-1])


def _states(
    dot: Dot, ensemble: Ensemble, detuning_meV: FloatArray, count: int
) -> tuple[FloatArray, FloatArray, FloatArray]:
    """Return gain and emission of so many states in each size, (K Z, E), and the absorption."""
    widths = band_widths_meV(dot)
    size = sizes(ensemble, float(widths.absorption))
    shifted = detuning_meV - size.shift_meV[:, None]

    def band(centre: FloatArray, width: FloatArray) -> FloatArray:
        # What a class adds to the width it takes from the height.
        wide = math.hypot(float(width), size.own_width_meV)
        return np.asarray(width / wide * np.exp(-0.5 * ((shifted - centre) / wide) ** 2))

    A, P, _, B, Q = map(band, band_offsets_meV(dot), widths)
    weights, points = weights_of_bands(dot), detuning_meV.size
    gain, emission = (
        np.stack([combined(row, (A, P, B, Q), dot, 0) for row in rows[:count]]).reshape(-1, points)
        for rows in (weights.gain, weights.emission)
    )
    return (
        gain,
        emission,
        (size.weight * size.strength) @ A,
    )


def _detunings_meV(dot: Dot, ensemble: Ensemble) -> FloatArray:
    """Return photon energies minus the centre of A_X that hold every band of the sample."""
    # Relaxed dots do not absorb at A_XX1.
    centres, widths = (
        np.array([*bands[:2], *bands[3:]], dtype=float)
        for bands in (band_offsets_meV(dot), band_widths_meV(dot))
    )
    spread = ensemble.inhomogeneous_width_meV / FWHM_PER_SIGMA
    far = [_WINDOW_WIDTHS * math.hypot(width, spread) for width in widths]
    low, high = float((centres - far).min()), float((centres + far).max())
    step = _STEP_WIDTHS * math.hypot(widths.min(), sizes(ensemble, widths[0]).own_width_meV)
    return np.linspace(low, high, min(math.ceil((high - low) / step), _MOST_POINTS))
