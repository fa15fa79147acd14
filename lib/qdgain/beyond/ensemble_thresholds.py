"""Saturation, gain and thresholds of a sample whose dots are not alike."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import replace
from functools import lru_cache
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike
from scipy.interpolate import CubicSpline
from scipy.optimize import brentq, minimize_scalar

from qdgain.beyond.ensemble import Ensemble, pumped, sizes
from qdgain.model import parameters
from qdgain.model.bands import FWHM_PER_SIGMA, band_offsets_meV, band_widths_meV
from qdgain.model.dot import Dot, FloatArray
from qdgain.model.film import amplification

#: Thresholds are looked for up to this √(J/J_π), at so many evenly spaced values.
REACH = 2.0
_AMPLITUDES = 81
#: Photon energies: beyond the outermost band, and apart, in widths of the bands.
_WINDOW_WIDTHS, _STEP_WIDTHS, _MOST_POINTS = 4.5, 0.1, 1201
_LARGEST_EXPONENT, _DARK = 600.0, 1e-300
_FITTED_POINTS = 100
#: Of a bracketed threshold, and the amplitude that stands for zero.
_FINER, _NEXT_TO_ZERO = 9, 5e-3
#: The apparent exponent is taken from the threshold to so many times its fluence.
ABOVE_THRESHOLD = 1.5


#: A saturation curve against √(J/J_π).
Curve = Callable[[FloatArray], FloatArray]


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


def amplitudes() -> FloatArray:
    """Return the values of √(J/J_π) at which a sample is evaluated."""
    return np.linspace(0.0, REACH, _AMPLITUDES)


def saturation(
    dot: Dot, ensemble: Ensemble, statistics: str = "rabi", band_edge: bool = False
) -> CubicSpline:
    """Return the sample's ⟨N⟩ as a smooth function of √(J/J_π) up to `REACH`.

    Parameters
    ----------
    dot : Dot
        A single one; its width of A_X decides what a resonant pump excites.
    ensemble : Ensemble
        The sample.
    statistics : {"rabi", "poisson", "sequential"}
        How the pulse distributes the excitons.
    band_edge : bool
        Whether to count only those that the two band-edge channels hold.
    """
    curves = _curves(ensemble, _absorption_width_meV(dot), statistics)
    return curves.band_edge_excitons if band_edge else curves.mean_excitons


def inhomogeneous(dot: Dot, inhomogeneous_width_meV: ArrayLike) -> Dot:
    r"""Return the dot whose bands are those of a sample pumped without selection.

    Equal shifts of all bands convolve each with the same Gaussian, so that every width becomes
    :math:`\sqrt{\Gamma^2+\Gamma_{inh}^2}` while the distances stay. Gain and absorption fall by one
    factor, which drops out when the gain is counted in units of the sample's own absorption.

    Parameters
    ----------
    dot : Dot
        With one shared width.
    inhomogeneous_width_meV : array_like
        Γ_inh, full width at half maximum.

    Raises
    ------
    ParameterError
        If bands have widths of their own: their heights then fall by different factors.
    """
    own = [name for name, value in dot.values().items() if name.endswith("_linewidth_meV")]
    if own:
        raise parameters.ParameterError(
            f"{own[0]} is set: the closed form for a sample needs one shared linewidth."
        )
    return replace(dot, linewidth_meV=np.hypot(dot.linewidth_meV, inhomogeneous_width_meV))


def ideal_threshold(
    stokes_shift_meV: float, linewidth_meV: float, inhomogeneous_width_meV: FloatArray
) -> FloatArray:
    r"""Return the threshold without ESA at the centre of PL_X of a sample pumped without selection.

    :math:`\langle N\rangle = \dfrac{2}{1+e^{S^2/2(s^2+s_{inh}^2)}}`: it rises from the single
    dot's value to 1, that of a two-level system.

    Parameters
    ----------
    stokes_shift_meV, linewidth_meV : float
        Of one dot.
    inhomogeneous_width_meV : numpy.ndarray
        Γ_inh.
    """
    square = (linewidth_meV**2 + np.asarray(inhomogeneous_width_meV) ** 2) / FWHM_PER_SIGMA**2
    return np.asarray(2 / (1 + np.exp(np.minimum(0.5 * stokes_shift_meV**2 / square, 700.0))))


def ensemble_thresholds(
    dot: Dot,
    ensemble: Ensemble,
    statistics: str = "rabi",
    *,
    floor: float,
    gain_exponent: float,
    pi_pulse_fluence_mJ_cm2: float,
) -> EnsembleThresholds:
    """Return the thresholds of a sample.

    The gain is linear in the populations, so that a sample's is the mean of its dots', each at its
    own shift, in units of the sample's peak absorption. Sizes, orientations and depths are mixed
    along every ray of amplified light; parts of the beam are not, so that their emissions add.

    Parameters
    ----------
    dot : Dot
        A single one, the mean dot of the sample.
    ensemble : Ensemble
        The sample.
    statistics : {"rabi", "poisson", "sequential"}
        How the pulse distributes the excitons.
    floor : float
        ε of the onset, in units of the sample's peak absorption.
    gain_exponent : float
        L_g of the film for the sample's peak absorption.
    pi_pulse_fluence_mJ_cm2 : float
        J_π.

    Notes
    -----
    The energy of the gain maximum is the centre of PL_XX of the mean dot, where the gain would be
    largest if every dot were full. Each threshold is the first upward zero of a cubic spline
    through `amplitudes`. Source: paper sections 3.3 and 3.4 for the thresholds of one dot; the
    averages are assumed.
    """
    curves = _curves(ensemble, _absorption_width_meV(dot), statistics)
    states = _states(dot, ensemble, _detunings_meV(dot, ensemble))
    peak = states.absorption.max()
    centre = np.atleast_1d(band_offsets_meV(dot).xx_emission)
    gain_at_centre = _states(dot, ensemble, centre).gain / peak
    columns, mean = curves.columns, curves.mean_excitons

    def over_beam(values: FloatArray) -> FloatArray:
        return np.tensordot(values, curves.beam_weight, axes=(1, 0))

    def at_maximum(amplitude: FloatArray) -> FloatArray:
        return over_beam(columns(amplitude) @ gain_at_centre)[:, 0]

    def onset(amplitude: FloatArray) -> FloatArray:
        return _highest(over_beam(columns(amplitude) @ (states.gain / peak))) - floor

    def log_emission(amplitude: FloatArray) -> tuple[FloatArray, FloatArray]:
        # Axes: fluence, part of the beam, energy.
        some = columns(amplitude)
        light = some @ states.emission
        exponent = np.minimum(some @ (gain_exponent / peak * states.gain), _LARGEST_EXPONENT)
        spontaneous = over_beam(light.sum(axis=-1))
        light *= amplification(exponent)
        emitted = over_beam(light.sum(axis=-1))
        # Dots back in their ground state emit nothing, to rounding.
        return np.log(np.maximum(emitted, _DARK)), np.log(np.maximum(spontaneous, _DARK))

    def doubled(amplitude: FloatArray) -> FloatArray:
        emitted, spontaneous = log_emission(amplitude)
        return emitted - spontaneous - math.log(2)

    roots = [_first_root(function) for function in (at_maximum, onset, doubled)]
    means = [float(mean(root)) if math.isfinite(root) else math.inf for root in roots]
    fluences = [pi_pulse_fluence_mJ_cm2 * root**2 for root in roots]
    higher = math.sqrt(ABOVE_THRESHOLD) * roots[-1]
    exponent = math.nan
    if higher <= REACH:
        low, high = log_emission(np.array([roots[-1], higher]))[0]
        exponent = float(high - low) / math.log(ABOVE_THRESHOLD)
    return EnsembleThresholds(
        means[0], fluences[0], means[1], fluences[1], means[2], fluences[2], exponent
    )


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
    scan = amplitudes()[1:]  # nothing is emitted at zero fluence
    above = function(scan) >= 0
    if not above.any():
        return math.inf
    first = int(np.argmax(above))
    low = scan[first - 1] if first else _NEXT_TO_ZERO
    fine = np.linspace(low, scan[first], _FINER)
    values = function(fine)
    if values[0] >= 0:
        return float(fine[0])
    found = CubicSpline(fine, values).roots(extrapolate=False)
    return float(found[0]) if found.size else float(fine[-1])


class LawsApart(NamedTuple):
    """How far the saturation of a sample under Rabi's law is from that under Poisson's.

    The largest difference of band-edge excitons up to J_π; J/J_π where they are ten per cent apart,
    infinity if that is beyond `REACH`; the largest difference up to J_π, over the largest signal
    there, that is left when height and fluence scale of Poisson's law are fitted; the largest ⟨N⟩
    under Rabi's law, J/J_π there, and how far ⟨N⟩ then falls within `REACH`.
    """

    largest: float
    ten_per_cent: float
    fitted: float
    highest: float
    highest_fluence: float
    fall: float


def laws_apart(dot: Dot, ensemble: Ensemble, apart: float = 0.1) -> LawsApart:
    """Return whether a saturation curve can tell Rabi's law from Poisson's in a sample.

    Both are averaged over the same sample and start with the same slope.

    Parameters
    ----------
    dot : Dot
        A single one.
    ensemble : Ensemble
        The sample.
    apart : float
        The relative difference that is looked for.
    """
    rabi, poisson = _both(dot, ensemble)
    fine = np.linspace(0.0, REACH, 2001)[1:]
    below = fine[fine <= 1]
    where = np.abs(rabi(fine) / poisson(fine) - 1) >= apart
    top = int(np.argmax(rabi(fine)))
    after = rabi(fine[top:])
    return LawsApart(
        float(np.max(np.abs(rabi(below) - poisson(below)))),
        float(fine[np.argmax(where)]) ** 2 if where.any() else math.inf,
        misfit(rabi, poisson, 1.0),
        float(after[0]),
        float(fine[top]) ** 2,
        float(after[0] - after.min()),
    )


def misfit(signal: Curve, shape: Curve, up_to: float) -> float:
    """Return what a fit of one saturation curve leaves of another.

    Height and fluence scale are fitted by least squares to the curve up to a fluence, as to
    measured points evenly spaced in fluence; the largest residual over the largest signal.

    Parameters
    ----------
    signal, shape : callable
        The curve that is measured and the one that is fitted, against √(J/J_π) up to `REACH`.
    up_to : float
        J/J_π of the last point, up to `REACH` squared.
    """
    fluence = up_to * (np.arange(_FITTED_POINTS) + 1) / _FITTED_POINTS
    measured = signal(np.sqrt(fluence))

    def left(log_scale: float) -> FloatArray:
        fitted = shape(np.sqrt(math.exp(log_scale) * fluence))
        return np.asarray(measured - (fitted @ measured) / (fitted @ fitted) * fitted)

    # The scaled curve must not be asked for beyond where it is known.
    widest = 2 * math.log(REACH)
    best = minimize_scalar(
        lambda scale: float(left(scale) @ left(scale)),
        bounds=(-widest, widest - math.log(max(up_to, 1.0))),
        method="bounded",
    )
    return float(np.max(np.abs(left(best.x))) / measured.max())


def fluence_to_tell(dot: Dot, ensemble: Ensemble, least: float = 0.05) -> float:
    """Return how far a measurement must go to tell Rabi's law from Poisson's.

    Parameters
    ----------
    dot : Dot
        A single one.
    ensemble : Ensemble
        The sample, in which both laws are averaged.
    least : float
        The `misfit` that a measurement can see.

    Returns
    -------
    float
        J/J_π of the last point, infinity if beyond `REACH` squared.
    """
    rabi, poisson = _both(dot, ensemble)

    def seen(up_to: float) -> float:
        return misfit(rabi, poisson, up_to) - least

    reaches = np.linspace(0.0, REACH**2, 9)[1:]
    first = next((k for k, up_to in enumerate(reaches) if seen(up_to) >= 0), None)
    if first is None:
        return math.inf
    low = reaches[first - 1] if first else _NEXT_TO_ZERO
    return float(brentq(seen, low, reaches[first], xtol=1e-6))


def _both(dot: Dot, ensemble: Ensemble) -> tuple[CubicSpline, CubicSpline]:
    """Return the band-edge excitons under Rabi's and under Poisson's law."""
    return (
        saturation(dot, ensemble, "rabi"),
        saturation(dot, ensemble, "poisson", band_edge=True),
    )


class _Curves(NamedTuple):
    """A pumped sample against √(J/J_π): ⟨N⟩, what the band edge holds, and the populations.

    The last for each part of the beam, one column for each population and size.
    """

    mean_excitons: CubicSpline
    band_edge_excitons: CubicSpline
    columns: CubicSpline
    beam_weight: FloatArray


@lru_cache(maxsize=128)
def _curves(ensemble: Ensemble, absorption_width_meV: float, statistics: str) -> _Curves:
    amplitude = amplitudes()
    sample = pumped(amplitude**2, ensemble, absorption_width_meV, statistics)
    columns = sample.populations.reshape(*sample.populations.shape[:2], -1)
    mean, held, every = (
        CubicSpline(amplitude, values)
        for values in (sample.mean_excitons, sample.band_edge_excitons, columns)
    )
    return _Curves(mean, held, every, sample.beam_weight)


def _absorption_width_meV(dot: Dot) -> float:
    return float(band_widths_meV(dot).absorption)


class _States(NamedTuple):
    """Gain and emission of dots that hold 0, X, XX in each size, (3 Z, E); absorption, (E,)."""

    gain: FloatArray
    emission: FloatArray
    absorption: FloatArray


def _states(dot: Dot, ensemble: Ensemble, detuning_meV: FloatArray) -> _States:
    size = sizes(ensemble, _absorption_width_meV(dot))
    shifted = detuning_meV - size.shift_meV[:, None]

    def band(centre: FloatArray, width: FloatArray) -> FloatArray:
        # What a class adds to the width it takes from the height.
        wide = math.hypot(float(width), size.own_width_meV)
        return np.asarray(width / wide * np.exp(-0.5 * ((shifted - centre) / wide) ** 2))

    A, P, _, B, Q = map(band, band_offsets_meV(dot), band_widths_meV(dot))
    B, Q = dot.xx_absorption_strength * B, dot.xx_emission_strength * Q
    count = detuning_meV.size
    return _States(
        np.stack([-A, 0.5 * (P - B), Q]).reshape(-1, count),
        np.stack([np.zeros_like(Q), 0.5 * P, Q]).reshape(-1, count),
        (size.weight * size.strength) @ A,
    )


def _detunings_meV(dot: Dot, ensemble: Ensemble) -> FloatArray:
    """Return photon energies less the centre of A_X that hold every band of the sample."""
    spread = ensemble.inhomogeneous_width_meV / FWHM_PER_SIGMA
    own = sizes(ensemble, _absorption_width_meV(dot)).own_width_meV
    # Relaxed dots do not absorb at A_XX1.
    offsets, widths = (
        [float(value) for value in bands[:2] + bands[3:]]
        for bands in (band_offsets_meV(dot), band_widths_meV(dot))
    )
    reach = [_WINDOW_WIDTHS * math.hypot(width, spread) for width in widths]
    low = min(centre - far for centre, far in zip(offsets, reach, strict=True))
    high = max(centre + far for centre, far in zip(offsets, reach, strict=True))
    step = _STEP_WIDTHS * math.hypot(min(widths), own)
    return np.linspace(low, high, min(math.ceil((high - low) / step), _MOST_POINTS))
