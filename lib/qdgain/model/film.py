"""A pumped film and its amplified spontaneous emission, small signal (Fig 9a to d).

A film is a few states with known emission and gain, and their weights at a mean number of excitons:
those of a dot that holds 0, X and XX, or spectra measured at several ⟨N⟩.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import ArrayLike

from qdgain.model import parameters
from qdgain.model.bands import band_offsets_meV, band_widths_meV, expand
from qdgain.model.dot import Dot, FloatArray
from qdgain.model.gain import flat_detuning_meV, weighted
from qdgain.model.populations import mean_excitons_after_pulse
from qdgain.model.search import first_root, parabolic_peak
from qdgain.model.states import states, weights_at, weights_of_bands

# A trapezoid sum over Gaussians is exact to rounding once the step is well below the width; the
# amplified spike is narrower than the bands by √(L_g s²|G''|): some five at most thresholds, and up
# to √L_g where the gain is the little that strong absorption leaves.
_WINDOW_WIDTHS = 6.5
_STEP_WIDTHS = 0.08
_FEWEST_POINTS, _MOST_POINTS = 181, 8001
# √J gives low fluences their share. The first point stands for J → 0, where all is reabsorbed.
_SCAN = np.concatenate([[1e-4], np.linspace(0.0, 1.0, 41)[1:]])
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


def amplification(exponent: ArrayLike) -> FloatArray:
    r"""Return the single-pass amplification :math:`(e^x-1)/x` at x = L_g G, gain positive.

    It is 1 at x = 0, and infinite beyond about 700, where `log_amplification` is not.

    >>> amplification([0.0, 1.0]).round(3).tolist()
    [1.0, 1.718]
    """
    x = np.asarray(exponent, dtype=float)
    # A denormal number stands for zero, so that nothing has to be left out.
    x = x if x.all() else np.where(x == 0, _NEXT_TO_ZERO, x)
    with np.errstate(over="ignore"):
        result = np.asarray(np.expm1(x))
        result /= x
    return result


def log_amplification(exponent: ArrayLike) -> FloatArray:
    r"""Return :math:`\ln[(e^x-1)/x] = \max(x, 0) + \ln[(1-e^{-|x|})/|x|]` at any x.

    >>> float(log_amplification(1000.0).round(3))
    993.092
    """
    x = np.asarray(exponent, dtype=float)
    return np.asarray(np.maximum(x, 0.0) + np.log(amplification(-np.abs(x))))


@dataclass(frozen=True)
class Film:
    """A film: emission and gain exponent L_g G of M states, and the states' weights at ⟨N⟩.

    The first two are of shape (rows, M, E), or of one row for all; the function gives the weights
    of the states along a new last axis.
    """

    emission: FloatArray
    exponent: FloatArray
    weights: Callable[[FloatArray], FloatArray]

    def take(self, rows: Any) -> Film:
        """Return the film of some rows only."""
        emission, exponent = (x if len(x) == 1 else x[rows] for x in (self.emission, self.exponent))
        return Film(emission, exponent, self.weights)

    def log_ratio(self, mean_excitons: FloatArray) -> FloatArray:
        """Return ln(∫I/∫P) at ⟨N⟩ of shape (rows, L): what amplification makes of the emission."""
        weights = self.weights(mean_excitons)
        spontaneous = weights @ self.emission
        amplified = amplification(np.minimum(weights @ self.exponent, _LARGEST_EXPONENT))
        total = np.einsum("...e,...e", spontaneous, amplified)
        with np.errstate(invalid="ignore", divide="ignore"):  # what emits nothing doubles nothing
            return np.asarray(np.log(total / spontaneous.sum(axis=-1)))

    def log_spectrum(self, mean_excitons: FloatArray) -> FloatArray:
        """Return ln I, of shape (rows, L, E), at ⟨N⟩ of shape (rows, L)."""
        weights = self.weights(mean_excitons)
        with np.errstate(divide="ignore"):
            return np.asarray(
                np.log(weights @ self.emission) + log_amplification(weights @ self.exponent)
            )

    def doubling_amplitude(self, statistics: str) -> FloatArray:
        """Return √(J/J_π), up to 1, at which ∫I = 2∫P, of shape (rows,); infinity if nowhere."""

        def excess(amplitude: FloatArray, rows: Any) -> FloatArray:
            mean = mean_excitons_after_pulse(amplitude**2, 1.0, statistics)
            return np.asarray(self.take(rows).log_ratio(mean) - np.log(2.0))

        return first_root(excess, np.broadcast_to(_SCAN, (len(self.emission), _SCAN.size)))


def film_of(
    dot: Dot, detuning_meV: FloatArray, gain_exponent: FloatArray, statistics: str = "rabi"
) -> Film:
    """Return the film of dots of shape (rows,) at detunings of shape (rows, E), L_g of (rows,).

    >>> dot = Dot(linewidth_meV=80.0, stokes_shift_meV=40.0).uncorrelated()
    >>> film = film_of(dot, np.array([[-40.0]]), np.array([10.0]))
    >>> film.emission.shape
    (1, 3, 1)
    """
    own = states(dot, detuning_meV)
    return Film(
        own.emission,
        gain_exponent[:, None, None] * own.gain,
        lambda mean: weights_at(mean, statistics, own.emission.shape[-2]),
    )


def spontaneous_spectrum(
    dot: Dot, energy_eV: ArrayLike, mean_excitons: ArrayLike, statistics: str = "rabi"
) -> FloatArray:
    r"""Return the spontaneous emission :math:`P = \sum_k P_k\,e_k`.

    The stimulated-emission terms of the gain without the losses, of shape D + N + E and on the
    scale of the gain; arguments and errors as for `qdgain.model.gain.gain`. Source: paper sections
    3.3 and 3.4; the weights are those of the dot's reading.

    >>> dot = Dot(stokes_shift_meV=40.0).uncorrelated()
    >>> spontaneous_spectrum(dot, 1.96, [0.0, 1.0, 2.0]).round(3).tolist()
    [0.0, 0.5, 1.0]
    """
    emission = states(dot, flat_detuning_meV(dot, energy_eV)).emission
    return weighted(emission, mean_excitons, statistics, np.shape(energy_eV))


def log_ase_spectrum(
    dot: Dot,
    energy_eV: ArrayLike,
    mean_excitons: ArrayLike,
    gain_exponent: ArrayLike,
    statistics: str = "rabi",
) -> FloatArray:
    r"""Return the natural logarithm of the amplified spontaneous emission.

    :math:`\ln I = \ln P + \ln\dfrac{e^{L_g G}-1}{L_g G}`, of shape D + N + E; minus infinity where
    nothing is emitted. Arguments as for `spontaneous_spectrum`, and L_g of the film, which
    broadcasts to D. Raises `ParameterError` if ⟨N⟩ or L_g is out of range.

    A single pass without material loss and without saturation: every slice of the film emits P
    and is amplified by what lies between it and the edge. Source: paper section 3.4, Fig 9.

    >>> dot = Dot(stokes_shift_meV=40.0).uncorrelated()
    >>> float(log_ase_spectrum(dot, 1.96, 2.0, 1000.0).round(3))
    993.092
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


def ase_spectrum(
    dot: Dot,
    energy_eV: ArrayLike,
    mean_excitons: ArrayLike,
    gain_exponent: ArrayLike,
    statistics: str = "rabi",
) -> FloatArray:
    r"""Return the amplified spontaneous emission :math:`I = P\,(e^{L_g G}-1)/(L_g G)`.

    Arguments and shape as for `log_ase_spectrum`, which does not overflow where L_g G exceeds
    about 700. Source: paper section 3.4, Fig 9.

    >>> dot = Dot(stokes_shift_meV=40.0).uncorrelated()
    >>> float(ase_spectrum(dot, 1.96, 2.0, 1.0).round(3))
    1.718
    """
    spontaneous, exponent = _source_and_exponent(
        dot, energy_eV, mean_excitons, gain_exponent, statistics
    )
    for P, x in _in_blocks(spontaneous, exponent):
        np.multiply(P, amplification(x), out=P)
    return spontaneous


def _source_and_exponent(
    dot: Dot,
    energy_eV: ArrayLike,
    mean_excitons: ArrayLike,
    gain_exponent: ArrayLike,
    statistics: str,
) -> tuple[FloatArray, FloatArray]:
    """Return P and L_g G."""
    own, energies = states(dot, flat_detuning_meV(dot, energy_eV)), np.shape(energy_eV)
    axes = np.ndim(mean_excitons) + len(energies)
    length = expand(parameters.check("gain_exponent", gain_exponent), dot, axes)
    exponent = weighted(own.gain, mean_excitons, statistics, energies)
    exponent *= length
    return weighted(own.emission, mean_excitons, statistics, energies), exponent


def _in_blocks(*arrays: FloatArray) -> Iterator[tuple[FloatArray, ...]]:
    """Yield views of parts of arrays that stay in the cache while something is done with them."""
    flat = [array.reshape(-1) for array in arrays]
    for start in range(0, flat[0].size, _VALUES_AT_ONCE):
        yield tuple(array[start : start + _VALUES_AT_ONCE] for array in flat)


def ase_threshold(
    dot: Dot,
    gain_exponent: ArrayLike,
    pi_pulse_fluence_mJ_cm2: ArrayLike,
    statistics: str = "rabi",
) -> AseThreshold:
    r"""Return the fluence at which stimulated amplification doubles the emitted energy.

    The first J, up to J_π, with :math:`\int I\,dE = 2\int P\,dE`: a scan over √J brackets it, a
    root finder refines it to rounding. L_g of the film and J_π broadcast to D. Raises
    `ParameterError` if one is out of the contract's range.

    The criterion is assumed; the paper states thresholds without one (section 3.4, Fig 9). J
    enters through ⟨N⟩(J/J_π) only, so the threshold is proportional to J_π.

    >>> dot = Dot(stokes_shift_meV=40.0).uncorrelated()
    >>> float(ase_threshold(dot, 200.0, 1.5).mean_excitons.round(2))
    0.29
    """
    parameters.check("statistics", statistics)
    length = np.broadcast_to(parameters.check("gain_exponent", gain_exponent), dot.shape)
    pi_pulse = np.broadcast_to(
        parameters.check("pi_pulse_fluence_mJ_cm2", pi_pulse_fluence_mJ_cm2), dot.shape
    )
    detuning = _emission_detunings_meV(dot, length)
    amplitude = np.empty(length.size)
    # In blocks, so that many dots do not fill the memory.
    for where, some in dot.blocks(_DOTS_AT_ONCE):
        own = detuning.reshape(-1, detuning.shape[-1])[where]
        film = film_of(some, own, length.ravel()[where], statistics)
        amplitude[where] = film.doubling_amplitude(statistics)
    amplitude = amplitude.reshape(dot.shape)
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

    In eV, of shape D + N; nan at ⟨N⟩ = 0. The highest point of a fine grid, refined by parabolas
    through ln I to about 1e-9 eV. Arguments as for `log_ase_spectrum`. Source: paper section 3.4,
    Fig 9a to d.

    >>> dot = Dot(stokes_shift_meV=40.0).uncorrelated()
    >>> float(spike_position_eV(dot, 2.0, 200.0).round(4))
    1.96
    """
    mean = np.asarray(mean_excitons, dtype=float)
    length = np.broadcast_to(parameters.check("gain_exponent", gain_exponent), dot.shape)
    every = np.broadcast_to(mean.ravel(), (*dot.shape, mean.size))
    peak = _spike_detuning_meV(dot, every, length, statistics)
    energy = expand(dot.absorption_energy_eV, dot, 1) + 1e-3 * peak
    return energy.reshape(dot.shape + mean.shape)


def _emission_detunings_meV(dot: Dot, length: FloatArray) -> FloatArray:
    """Return an even grid of detunings for each dot that holds its emission, of shape D + E."""
    widths = band_widths_meV(dot)
    narrowest = np.minimum.reduce(
        [widths.absorption, widths.emission, widths.xx_absorption, widths.xx_emission]
    )
    longer = length / 300
    step = _STEP_WIDTHS * narrowest / np.maximum((1 + longer) ** 0.25, np.sqrt(longer))
    return emission_grid_meV(dot, _WINDOW_WIDTHS, step, (_FEWEST_POINTS, _MOST_POINTS))


def emission_grid_meV(
    dot: Dot, reach: float, step_meV: FloatArray, points: tuple[int, int]
) -> FloatArray:
    """Return even detunings in the `emission_window_meV`, as many as the smallest step asks for.

    Of shape D + E; no fewer and no more points than are given.

    >>> dot = Dot(linewidth_meV=80.0, stokes_shift_meV=40.0).uncorrelated()
    >>> emission_grid_meV(dot, 3.0, np.array(100.0), (2, 9)).round(2).tolist()
    [-141.92, -40.0, 61.92]
    """
    low, high = emission_window_meV(dot, reach)
    count = int(np.clip(np.ceil(np.max((high - low) / step_meV)), *points))
    return np.asarray(low[..., None] + (high - low)[..., None] * np.linspace(0.0, 1.0, count))


def emission_window_meV(dot: Dot, reach: float) -> tuple[FloatArray, FloatArray]:
    """Return the ends of the emission of X and XX, `reach` standard deviations from the centres.

    >>> dot = Dot(linewidth_meV=80.0, stokes_shift_meV=40.0).uncorrelated()
    >>> low, high = emission_window_meV(dot, 3.0)
    >>> float((high - low).round(2))
    203.84
    """
    offsets, widths = band_offsets_meV(dot), band_widths_meV(dot)
    ends = [
        np.broadcast_to(centre + sign * reach * width, dot.shape)
        for centre, width in (
            (offsets.emission, widths.emission),
            (offsets.xx_emission, widths.xx_emission),
        )
        for sign in (-1, 1)
    ]
    return np.minimum(ends[0], ends[2]), np.maximum(ends[1], ends[3])


def _spike_detuning_meV(
    dot: Dot, mean_excitons: FloatArray, length: FloatArray, statistics: str
) -> FloatArray:
    """Return the detuning of the strongest ASE; ⟨N⟩ and the result are of shape D + (K,)."""
    count = len(weights_of_bands(dot).emission)
    weights = weights_at(mean_excitons, statistics, count)[..., None, :]

    def log_spectrum(detuning: FloatArray) -> FloatArray:
        own = states(dot, detuning)
        with np.errstate(divide="ignore"):
            log_spontaneous = np.log(weights @ own.emission)
        exponent = length[..., None, None, None] * (weights @ own.gain)
        return np.asarray((log_spontaneous + log_amplification(exponent))[..., 0, :])

    detuning = _emission_detunings_meV(dot, length)[..., None, :]
    step = detuning[..., 1] - detuning[..., 0]
    peak = parabolic_peak(detuning, log_spectrum(detuning))
    for finer in (0.1, 0.01):
        nearby = peak[..., None] + finer * step[..., None] * np.array([-1.0, 0.0, 1.0])
        peak = parabolic_peak(nearby, log_spectrum(nearby))
    return np.where(mean_excitons > 0, peak, np.nan)
