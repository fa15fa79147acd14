"""Amplified spontaneous emission of a pumped film, small signal (Fig 9a to d)."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import ArrayLike

from qdgain.model import parameters
from qdgain.model.bands import band_offsets_meV, band_widths_meV, expand, log_bands
from qdgain.model.dot import Dot, FloatArray
from qdgain.model.gain import gain, gain_parts, weighted
from qdgain.model.populations import mean_excitons_after_pulse, populations

# A trapezoid sum over Gaussians is exact to rounding once the step is well below the width; the
# amplified spike is narrower than the bands by √(L_g G), some five at the threshold.
_WINDOW_WIDTHS = 6.5
_STEP_WIDTHS = 0.08
_FEWEST_POINTS = 181
_MOST_POINTS = 8001
_SCAN = 40
_RIDDERS_STEPS = 30
_LAST_STEP = 1e-10
_LARGEST_EXPONENT = 600.0
_DOTS_AT_ONCE = 256
_VALUES_AT_ONCE = 16384
_NEXT_TO_ZERO = 1e-300


class AseThreshold(NamedTuple):
    """An ASE threshold, of shape D each; infinity and nan where it is not reached.

    The fluence in mJ cm⁻², ⟨N⟩ there, and the photon energy at which the ASE is strongest in eV.
    """

    fluence_mJ_cm2: FloatArray
    mean_excitons: FloatArray
    energy_eV: FloatArray


def spontaneous_spectrum(
    dot: Dot, energy_eV: ArrayLike, mean_excitons: ArrayLike, statistics: str = "rabi"
) -> FloatArray:
    r"""Return the spontaneous emission :math:`P = \tfrac12 P_1\,PL_X + \gamma P_2\,PL_{XX}`.

    Parameters
    ----------
    dot : Dot
        Of shape D.
    energy_eV : array_like
        Photon energies of shape E.
    mean_excitons : array_like
        ⟨N⟩ of shape N.
    statistics : {"rabi", "poisson", "sequential"}
        How the pulse distributes the excitons.

    Returns
    -------
    numpy.ndarray
        Of shape D + N + E, on the scale of the gain.

    Raises
    ------
    ParameterError
        If ⟨N⟩ is out of the statistics' range.

    Notes
    -----
    The stimulated-emission terms of the gain without the losses. Source: paper sections 3.3
    and 3.4; the weights are those of a twofold degenerate 1S state (assumed).
    """
    _, P, _, Q = gain_parts(dot, energy_eV)
    weights = populations(mean_excitons, statistics)
    return weighted((P, Q), (weights.exciton, weights.biexciton), len(dot.shape))


def amplification(exponent: ArrayLike) -> FloatArray:
    r"""Return the single-pass amplification :math:`(e^x-1)/x`, which is 1 at x = 0.

    Parameters
    ----------
    exponent : array_like
        x = L_g G, gain positive. Beyond about 700 the result is infinite; `log_amplification`
        is not.
    """
    x = np.asarray(exponent, dtype=float)
    # A denormal number stands for zero, so that nothing has to be left out.
    x = x if x.all() else np.where(x == 0, _NEXT_TO_ZERO, x)
    with np.errstate(over="ignore"):
        result = np.asarray(np.expm1(x))
        result /= x
    return result


def log_amplification(exponent: ArrayLike) -> FloatArray:
    r"""Return :math:`\ln[(e^x-1)/x]` without overflow at any x.

    Parameters
    ----------
    exponent : array_like
        x = L_g G, gain positive.

    Notes
    -----
    :math:`\max(x, 0) + \ln[(1-e^{-|x|})/|x|]`.
    """
    x = np.asarray(exponent, dtype=float)
    # ln[(1-e^-|x|)/|x|] is ln of the amplification at -|x|.
    return np.asarray(np.maximum(x, 0.0) + np.log(amplification(-np.abs(x))))


def log_ase_spectrum(
    dot: Dot,
    energy_eV: ArrayLike,
    mean_excitons: ArrayLike,
    gain_exponent: ArrayLike,
    statistics: str = "rabi",
) -> FloatArray:
    r"""Return the natural logarithm of the amplified spontaneous emission.

    :math:`\ln I = \ln P + \ln\dfrac{e^{L_g G}-1}{L_g G}`

    Parameters
    ----------
    dot, energy_eV, mean_excitons, statistics
        As for `spontaneous_spectrum`.
    gain_exponent : array_like
        L_g of the film, of a shape that broadcasts to D.

    Returns
    -------
    numpy.ndarray
        Of shape D + N + E; minus infinity where nothing is emitted.

    Raises
    ------
    ParameterError
        If ⟨N⟩ or L_g is out of range.

    Notes
    -----
    A single pass without material loss and without saturation: every slice of the film emits P
    and is amplified by what lies between it and the edge. Source: paper section 3.4, Fig 9.
    """
    spontaneous, exponent = _source_and_exponent(
        dot, energy_eV, mean_excitons, gain_exponent, statistics
    )
    with np.errstate(divide="ignore"):
        for P, x in _in_blocks(spontaneous, exponent):
            np.multiply(P, amplification(-np.abs(x)), out=P)
            np.log(P, out=P)
            np.add(P, np.maximum(x, 0.0), out=P)
    return spontaneous


def _source_and_exponent(
    dot: Dot,
    energy_eV: ArrayLike,
    mean_excitons: ArrayLike,
    gain_exponent: ArrayLike,
    statistics: str,
) -> tuple[FloatArray, FloatArray]:
    """Return P and L_g G."""
    axes = np.ndim(mean_excitons) + np.ndim(energy_eV)
    length = expand(parameters.check("gain_exponent", gain_exponent), dot, axes)
    exponent = gain(dot, energy_eV, mean_excitons, statistics)
    exponent *= length
    return spontaneous_spectrum(dot, energy_eV, mean_excitons, statistics), exponent


def _in_blocks(*arrays: FloatArray) -> Iterator[tuple[FloatArray, ...]]:
    """Yield views of parts of arrays that stay in the cache while something is done with them."""
    flat = [array.reshape(-1) for array in arrays]
    for start in range(0, flat[0].size, _VALUES_AT_ONCE):
        yield tuple(array[start : start + _VALUES_AT_ONCE] for array in flat)


def ase_spectrum(
    dot: Dot,
    energy_eV: ArrayLike,
    mean_excitons: ArrayLike,
    gain_exponent: ArrayLike,
    statistics: str = "rabi",
) -> FloatArray:
    r"""Return the amplified spontaneous emission :math:`I = P\,(e^{L_g G}-1)/(L_g G)`.

    Parameters
    ----------
    dot, energy_eV, mean_excitons, gain_exponent, statistics
        As for `log_ase_spectrum`, which does not overflow where L_g G exceeds about 700.

    Returns
    -------
    numpy.ndarray
        Of shape D + N + E, on the scale of `spontaneous_spectrum`.

    Notes
    -----
    Source: paper section 3.4, Fig 9.
    """
    spontaneous, exponent = _source_and_exponent(
        dot, energy_eV, mean_excitons, gain_exponent, statistics
    )
    for P, x in _in_blocks(spontaneous, exponent):
        np.multiply(P, amplification(x), out=P)
    return spontaneous


def ase_threshold(
    dot: Dot,
    gain_exponent: ArrayLike,
    pi_pulse_fluence_mJ_cm2: ArrayLike,
    statistics: str = "rabi",
) -> AseThreshold:
    r"""Return the fluence at which stimulated amplification doubles the emitted energy.

    The first J, up to J_π, with :math:`\int I\,dE = 2\int P\,dE`: a scan over √J brackets it,
    Ridders' method refines it to 1e-10 or better.

    Parameters
    ----------
    dot : Dot
        Of shape D.
    gain_exponent : array_like
        L_g of the film, of a shape that broadcasts to D.
    pi_pulse_fluence_mJ_cm2 : array_like
        J_π, of a shape that broadcasts to D.
    statistics : {"rabi", "poisson", "sequential"}
        How the pulse distributes the excitons.

    Returns
    -------
    AseThreshold
        Fluence, ⟨N⟩ and the energy of the strongest emission, of shape D.

    Raises
    ------
    ParameterError
        If a parameter is out of the contract's range.

    Notes
    -----
    The criterion is assumed; the paper states thresholds without one (section 3.4, Fig 9). J
    enters through ⟨N⟩(J/J_π) only, so the threshold is proportional to J_π.
    """
    parameters.check("statistics", statistics)
    size = int(np.prod(dot.shape))
    length = np.broadcast_to(parameters.check("gain_exponent", gain_exponent), dot.shape)
    pi_pulse = np.broadcast_to(
        parameters.check("pi_pulse_fluence_mJ_cm2", pi_pulse_fluence_mJ_cm2), dot.shape
    )
    detuning = _emission_detunings_meV(dot, length)
    emission, gains = (x.reshape(size, 3, -1) for x in emission_and_gain(dot, detuning))
    exponents = length.reshape(size, 1, 1) * gains

    # In blocks, so that many dots do not fill the memory.
    blocks = [slice(i, i + _DOTS_AT_ONCE) for i in range(0, size, _DOTS_AT_ONCE)]
    amplitude = np.concatenate(
        [_doubling_amplitude(emission[b], exponents[b], statistics) for b in blocks]
    ).reshape(dot.shape)
    reached = np.isfinite(amplitude)
    mean = mean_excitons_after_pulse(np.where(reached, amplitude, 1.0) ** 2, 1.0, statistics)
    peak = _spike_detuning_meV(dot, mean[..., None], length, statistics)[..., 0]
    return AseThreshold(
        pi_pulse * amplitude**2,
        np.where(reached, mean, np.inf),
        np.asarray(dot.absorption_energy_eV + 1e-3 * np.where(reached, peak, np.nan)),
    )


def spike_position_eV(
    dot: Dot, mean_excitons: ArrayLike, gain_exponent: ArrayLike, statistics: str = "rabi"
) -> FloatArray:
    """Return the photon energy at which the ASE is strongest, against ⟨N⟩.

    Parameters
    ----------
    dot : Dot
        Of shape D.
    mean_excitons : array_like
        ⟨N⟩ > 0, of shape N.
    gain_exponent : array_like
        L_g of the film, of a shape that broadcasts to D.
    statistics : {"rabi", "poisson", "sequential"}
        How the pulse distributes the excitons.

    Returns
    -------
    numpy.ndarray
        In eV, of shape D + N; nan at ⟨N⟩ = 0. The highest point of a fine grid, refined by
        parabolas through ln I to about 1e-9 eV.

    Notes
    -----
    Source: paper section 3.4, Fig 9a to d.
    """
    mean = np.asarray(mean_excitons, dtype=float)
    length = np.broadcast_to(parameters.check("gain_exponent", gain_exponent), dot.shape)
    every = np.broadcast_to(mean.ravel(), (*dot.shape, mean.size))
    peak = _spike_detuning_meV(dot, every, length, statistics)
    energy = expand(dot.absorption_energy_eV, dot, 1) + 1e-3 * peak
    return energy.reshape(dot.shape + mean.shape)


def _emission_detunings_meV(dot: Dot, length: FloatArray) -> FloatArray:
    """Return an even grid of detunings for each dot that holds its emission, of shape D + E."""
    offsets, widths = band_offsets_meV(dot), band_widths_meV(dot)
    ends = [
        np.broadcast_to(centre + sign * _WINDOW_WIDTHS * width, dot.shape)
        for centre, width in (
            (offsets.emission, widths.emission),
            (offsets.xx_emission, widths.xx_emission),
        )
        for sign in (-1, 1)
    ]
    low, high = np.minimum(ends[0], ends[2]), np.maximum(ends[1], ends[3])
    narrowest = np.minimum.reduce(
        [widths.absorption, widths.emission, widths.xx_absorption, widths.xx_emission]
    )
    step = _STEP_WIDTHS * narrowest / (1 + length / 300) ** 0.25
    points = int(np.clip(np.ceil(np.max((high - low) / step)), _FEWEST_POINTS, _MOST_POINTS))
    return low[..., None] + (high - low)[..., None] * np.linspace(0.0, 1.0, points)


def emission_and_gain(dot: Dot, detuning_meV: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Return P and G of dots that hold 0, X, XX for certain, along a new axis before the last.

    Both are linear in the populations, so that a product with these gives them at any ⟨N⟩.
    The detuning is of shape D + (…) + E, the results of shape D + (…, 3) + E.
    """
    axes = detuning_meV.ndim - len(dot.shape)
    logs = log_bands(dot, detuning_meV)
    A, P = np.exp(logs.absorption), np.exp(logs.emission)
    esa = expand(dot.xx_absorption_strength, dot, axes) * np.exp(logs.xx_absorption)
    xx = expand(dot.xx_emission_strength, dot, axes) * np.exp(logs.xx_emission)
    emission = np.stack([np.zeros_like(xx), 0.5 * P, xx], axis=-2)
    return emission, np.stack([-A, 0.5 * (P - esa), xx], axis=-2)


def _spike_detuning_meV(
    dot: Dot, mean_excitons: FloatArray, length: FloatArray, statistics: str
) -> FloatArray:
    """Return the detuning of the strongest ASE; ⟨N⟩ and the result are of shape D + (K,)."""
    weights = np.stack(populations(mean_excitons, statistics), axis=-1)[..., None, :]

    def log_spectrum(detuning: FloatArray) -> FloatArray:
        emission, gains = emission_and_gain(dot, detuning)
        with np.errstate(divide="ignore"):
            log_spontaneous = np.log(weights @ emission)
        exponent = length[..., None, None, None] * (weights @ gains)
        return np.asarray((log_spontaneous + log_amplification(exponent))[..., 0, :])

    detuning = _emission_detunings_meV(dot, length)[..., None, :]
    step = detuning[..., 1] - detuning[..., 0]
    peak = parabolic_peak(detuning, log_spectrum(detuning))
    for finer in (0.1, 0.01):
        nearby = peak[..., None] + finer * step[..., None] * np.array([-1.0, 0.0, 1.0])
        peak = parabolic_peak(nearby, log_spectrum(nearby))
    return np.where(mean_excitons > 0, peak, np.nan)


def _weights(amplitude: FloatArray, statistics: str) -> FloatArray:
    """Return the populations at √(J/J_π), stacked along a new last axis."""
    mean = mean_excitons_after_pulse(amplitude**2, 1.0, statistics)
    return np.stack(populations(mean, statistics), axis=-1)


def _doubling_amplitude(emission: FloatArray, exponents: FloatArray, statistics: str) -> FloatArray:
    """Return √(J/J_π) at which ∫I = 2∫P, for blocks of dots of shape (D, 3, E)."""
    emitted = emission.sum(axis=-1)[:, None, :]

    def log_ratio(amplitude: FloatArray, rows: Any) -> FloatArray:
        weights = _weights(amplitude, statistics)
        amplified = amplification(np.minimum(weights @ exponents[rows], _LARGEST_EXPONENT))
        total = np.einsum("...e,...e", weights @ emission[rows], amplified)
        with np.errstate(invalid="ignore"):  # dots that emit nothing double nothing
            return np.asarray(np.log(0.5 * total / np.sum(weights * emitted[rows], axis=-1)))

    # √J gives low fluences their share of the scan. The first point stands for J → 0, where the
    # emission is reabsorbed and never doubled.
    scan = np.linspace(0.0, 1.0, _SCAN + 1)
    scan[0] = 1e-4
    return first_root(log_ratio, np.broadcast_to(scan, (len(emission), scan.size)))


def first_root(function: Callable[[FloatArray, Any], FloatArray], scan: FloatArray) -> FloatArray:
    """Return the first upward zero of each row's function; infinity where the scan finds none.

    Parameters
    ----------
    function : callable
        Takes (K, L) arguments and which K of the D rows they are for, and returns (K, L) values.
    scan : numpy.ndarray
        Rising arguments of shape (D, K) that bracket the zero.

    Returns
    -------
    numpy.ndarray
        Of shape D, to rounding: Ridders' method, on all rows at once that have not converged.
    """
    values = function(scan, slice(None))
    above = values >= 0
    found = above.any(axis=-1)
    first = np.argmax(above, axis=-1)
    roots = np.where(found, scan[np.arange(len(scan)), first], np.inf)
    rows = np.flatnonzero(found & (first > 0))
    right = first[rows, None]
    low, high = (np.take_along_axis(scan[rows], right - k, axis=-1) for k in (1, 0))
    f_low, f_high = (np.take_along_axis(values[rows], right - k, axis=-1) for k in (1, 0))
    root = high
    for _ in range(_RIDDERS_STEPS):
        if not rows.size:
            break
        middle = 0.5 * (low + high)
        f_middle = function(middle, rows)
        square = np.sqrt(np.maximum(f_middle**2 - f_low * f_high, 0.0))
        step = np.divide(f_middle, square, out=np.zeros_like(square), where=square > 0)
        # The function rises through the bracket, so a positive value lies right of the root.
        better = middle - (middle - low) * step
        f_better = function(better, rows)
        change = np.abs(better - root)
        root = better
        roots[rows] = root[:, 0]
        for x, f in ((middle, f_middle), (better, f_better)):
            inside = (x >= low) & (x <= high)
            above_zero = inside & (f >= 0)
            below_zero = inside & (f < 0)
            low, f_low = np.where(below_zero, x, low), np.where(below_zero, f, f_low)
            high, f_high = np.where(above_zero, x, high), np.where(above_zero, f, f_high)
        # The number of digits doubles with each step: one more would change nothing.
        going_on = ((change > _LAST_STEP * root) & (f_better != 0))[:, 0]
        if not going_on.all():
            rows, root, low, high, f_low, f_high = (
                x[going_on] for x in (rows, root, low, high, f_low, f_high)
            )
    return roots


def parabolic_peak(position: FloatArray, values: FloatArray) -> FloatArray:
    """Return where sampled curves are highest, by a parabola through three points.

    Parameters
    ----------
    position : numpy.ndarray
        Rising abscissae along the last axis.
    values : numpy.ndarray
        The curves, of a shape that broadcasts with it.
    """
    position, values = np.broadcast_arrays(position, values)
    top = np.clip(np.argmax(values, axis=-1), 1, values.shape[-1] - 2)[..., None]
    left, centre, right = (np.take_along_axis(values, top + i, axis=-1) for i in (-1, 0, 1))
    x_left, x, x_right = (np.take_along_axis(position, top + i, axis=-1) for i in (-1, 0, 1))
    before, after = x - x_left, x_right - x
    with np.errstate(invalid="ignore"):
        rise, further = (centre - left) / before, (right - centre) / after
        bend = rise - further
        slope = (rise * after + further * before) / 2
    shift = np.zeros_like(bend)
    np.divide(slope, bend, out=shift, where=bend > 0)
    return np.asarray((x + np.clip(shift, -before, after))[..., 0])
