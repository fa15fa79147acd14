"""How an ASE spike is described: width, height, moves with fluence, the threshold drawn by hand."""

from __future__ import annotations

import numpy as np
import scipy
from numpy.typing import ArrayLike, NDArray

from qdgain.model import parameters
from qdgain.model.bands import energy_window_eV
from qdgain.model.dot import Dot, FloatArray
from qdgain.model.film import (
    ase_threshold,
    log_ase_spectrum,
    spike_position_eV,
    spontaneous_spectrum,
)
from qdgain.model.gain import flat_detuning_meV
from qdgain.model.populations import mean_excitons_after_pulse
from qdgain.model.search import first_root
from qdgain.model.states import states

_WIDTH_POINTS = 1501
_ENERGY_POINTS = 601
_WINDOW_WIDTHS = 6.0
#: A spike counts if it rises above its surroundings by this part of the highest one.
LEAST_PROMINENCE = 0.1


def full_width(position: FloatArray, values: FloatArray) -> FloatArray:
    """Return the full width at half maximum of the highest spike of sampled curves.

    Between the crossings of half the maximum next to it on both sides; nan where a side has none.
    Abscissae rise and are of shape E, curves of shape (…, E), the result of shape (…).

    >>> float(full_width(np.arange(5.0), np.array([0.0, 0.0, 1.0, 0.0, 0.0])))
    1.0
    """
    values = np.asarray(values, dtype=float)
    index = np.arange(values.shape[-1])
    top = np.argmax(values, axis=-1)[..., None]
    half = 0.5 * np.take_along_axis(values, top, axis=-1)
    below = values < half
    left = np.max(np.where(below & (index < top), index, -1), axis=-1)[..., None]
    right = np.min(np.where(below & (index > top), index, index.size), axis=-1)[..., None]
    found = ((left >= 0) & (right < index.size))[..., 0]
    left, right = np.maximum(left, 0), np.minimum(right, index.size - 1)

    def crossing(outside: NDArray[np.intp], inside: NDArray[np.intp]) -> FloatArray:
        low, high = (np.take_along_axis(values, i, axis=-1) for i in (outside, inside))
        rise = high - low
        part = np.divide(half - low, rise, out=np.zeros_like(rise), where=rise > 0)
        return np.asarray(position[outside] + part * (position[inside] - position[outside]))

    width = crossing(right, np.maximum(right - 1, 0)) - crossing(
        left, np.minimum(left + 1, index.size - 1)
    )
    return np.where(found, width[..., 0], np.nan)


def spike_width_meV(
    dot: Dot, mean_excitons: ArrayLike, gain_exponent: float, statistics: str = "rabi"
) -> FloatArray:
    """Return the full width at half maximum of the ASE of a single dot against ⟨N⟩ > 0.

    Arguments as for `qdgain.model.film.log_ase_spectrum`. Source: paper section 3.4, Fig 9a to d.

    >>> dot = Dot(linewidth_meV=80.0, stokes_shift_meV=40.0).uncorrelated()
    >>> float(spike_width_meV(dot, 2.0, 200.0).round(1))
    5.7
    """
    energy = energy_window_eV(dot, _WINDOW_WIDTHS, _WIDTH_POINTS)
    log_spectrum = log_ase_spectrum(dot, energy, mean_excitons, gain_exponent, statistics)
    spectrum = np.exp(log_spectrum - np.max(log_spectrum, axis=-1, keepdims=True))
    return 1e3 * full_width(energy, spectrum)


def spike_shift_meV_per_decade(
    dot: Dot,
    gain_exponent: float,
    pi_pulse_fluence_mJ_cm2: float,
    statistics: str = "rabi",
    reach: float = 3.0,
) -> float:
    r"""Return how far the spike of one dot moves per decade of fluence; positive is blue.

    :math:`[E(J_2)-E(J_{th})]/\log_{10}(J_2/J_{th})` with :math:`J_2 = \min(reach\,J_{th}, J_\pi)`;
    nan if the threshold is not reached or lies at J_π.

    >>> dot = Dot(linewidth_meV=80.0, stokes_shift_meV=40.0).uncorrelated()
    >>> round(spike_shift_meV_per_decade(dot, 200.0, 1.5), 1)
    50.6
    """
    threshold = float(
        ase_threshold(dot, gain_exponent, pi_pulse_fluence_mJ_cm2, statistics).fluence_mJ_cm2
    )
    if not threshold < pi_pulse_fluence_mJ_cm2:
        return float("nan")
    fluence = np.array([threshold, min(reach * threshold, pi_pulse_fluence_mJ_cm2)])
    mean = mean_excitons_after_pulse(fluence, pi_pulse_fluence_mJ_cm2, statistics)
    low, high = spike_position_eV(dot, mean, gain_exponent, statistics)
    return float(1e3 * (high - low) / np.log10(fluence[1] / fluence[0]))


def count_spikes(spectrum: FloatArray) -> int:
    """Return how many maxima of a spectrum stand out by a tenth of the highest.

    >>> count_spikes(np.array([0.0, 1.0, 0.2, 0.8, 0.0]))
    2
    """
    spectrum = np.asarray(spectrum, dtype=float)
    highest = spectrum.max()
    if not highest > 0:
        return 0
    return len(scipy.signal.find_peaks(spectrum / highest, prominence=LEAST_PROMINENCE)[0])


def threshold_by_two_lines(
    fluence_mJ_cm2: ArrayLike, emission: ArrayLike, low_up_to_mJ_cm2: float
) -> float:
    """Return the fluence at which two straight lines through emission against fluence cross.

    As an experimenter draws a threshold: one line through the weak emission, up to
    `low_up_to_mJ_cm2`, one along the steep part, here through the two neighbouring points between
    which the emission rises fastest. nan if the first line has fewer than two points or the
    emission never rises faster than along it.

    Raises `ParameterError` if the two arrays differ in shape.

    >>> threshold_by_two_lines([0.0, 1.0, 2.0, 3.0], [0.0, 1.0, 2.0, 12.0], 1.0)
    2.0
    """
    fluence, emission = np.asarray(fluence_mJ_cm2, float), np.asarray(emission, float)
    if fluence.shape != emission.shape or fluence.ndim != 1:
        raise parameters.ParameterError(
            f"fluence_mJ_cm2 and emission must be lists of one length, not of shapes "
            f"{fluence.shape} and {emission.shape}."
        )
    weak = fluence <= low_up_to_mJ_cm2
    if weak.sum() < 2 or fluence.size < 3:
        return float("nan")
    slope, start = np.polyfit(fluence[weak], emission[weak], 1)
    rise = np.diff(emission) / np.diff(fluence)
    steepest = int(np.argmax(rise))
    if not rise[steepest] > slope * (1 + 1e-9):
        return float("nan")
    at, level = fluence[steepest], emission[steepest]
    return float(at - (level - start - slope * at) / (rise[steepest] - slope))


def spike_ways_meV(
    dot: Dot, gain_exponent: float, pi_pulse_fluence_mJ_cm2: float, statistics: str = "rabi"
) -> tuple[float, float]:
    """Return how far the spike of one dot moves to the blue and to the red, from J_th up to J_π.

    The longest way up and the longest way down in meV, wherever either begins; both nan if the
    threshold is not reached below J_π. Parameters as for `spike_shift_meV_per_decade`.

    >>> dot = Dot(linewidth_meV=80.0, stokes_shift_meV=40.0).uncorrelated()
    >>> [round(way, 1) for way in spike_ways_meV(dot, 200.0, 1.5)]
    [46.3, 0.0]
    """
    pi_pulse = pi_pulse_fluence_mJ_cm2
    threshold = float(ase_threshold(dot, gain_exponent, pi_pulse, statistics).fluence_mJ_cm2)
    if not threshold < pi_pulse:
        return np.nan, np.nan
    # One per cent apart.
    points = 2 + int(np.ceil(100 * np.log(pi_pulse / threshold)))
    fluence = np.minimum(np.geomspace(threshold, pi_pulse, points), pi_pulse)
    mean = mean_excitons_after_pulse(fluence, pi_pulse, statistics)
    position = 1e3 * spike_position_eV(dot, mean, gain_exponent, statistics)
    blue = position - np.minimum.accumulate(position)
    red = np.maximum.accumulate(position) - position
    return float(blue.max()), float(red.max())


def log_energy_ratio(
    dot: Dot, mean_excitons: ArrayLike, gain_exponent: float, statistics: str = "rabi"
) -> FloatArray:
    r"""Return :math:`\ln(\int I\,dE / \int P\,dE)` of one dot against ⟨N⟩ > 0 of shape N.

    What the film adds to the spontaneous emission; ln 2 is the ASE threshold (section 3.4).

    >>> dot = Dot(linewidth_meV=80.0, stokes_shift_meV=40.0).uncorrelated()
    >>> float(log_energy_ratio(dot, 2.0, 200.0).round(1))
    192.1
    """
    energy = energy_window_eV(dot, _WINDOW_WIDTHS, _ENERGY_POINTS)
    log_spectrum = log_ase_spectrum(dot, energy, mean_excitons, gain_exponent, statistics)
    spontaneous = spontaneous_spectrum(dot, energy, mean_excitons, statistics).sum(axis=-1)
    return np.asarray(scipy.special.logsumexp(log_spectrum, axis=-1) - np.log(spontaneous))


def log_undepleted_photons(
    dot: Dot,
    mean_excitons: ArrayLike,
    gain_exponent: float,
    guided_fraction: float,
    statistics: str = "rabi",
) -> FloatArray:
    r"""Return ln of the photons of one dot along the film in a lifetime if nothing is depleted.

    :math:`\ln(\beta\int I\,dE / \int e_1\,dE)` against ⟨N⟩ > 0 of shape N: the formula for I
    of the paper (section 3.4) with a number of photons on its axis.

    >>> dot = Dot(linewidth_meV=80.0, stokes_shift_meV=40.0).uncorrelated()
    >>> float(log_undepleted_photons(dot, 2.0, 200.0, 0.01).round(1))
    188.1
    """
    energy = energy_window_eV(dot, _WINDOW_WIDTHS, _ENERGY_POINTS)
    log_spectrum = log_ase_spectrum(dot, energy, mean_excitons, gain_exponent, statistics)
    of_exciton = states(dot, flat_detuning_meV(dot, energy)).emission[1]
    start = np.log(guided_fraction / of_exciton.sum())
    return np.asarray(start + scipy.special.logsumexp(log_spectrum, axis=-1))


def undepleted_limit_mJ_cm2(
    dot: Dot,
    gain_exponent: float,
    pi_pulse_fluence_mJ_cm2: float,
    guided_fraction: float,
    statistics: str = "rabi",
) -> float:
    """Return the fluence above which `log_undepleted_photons` are more than the excitons.

    Infinity if they are fewer up to J_π.

    >>> dot = Dot(linewidth_meV=80.0, stokes_shift_meV=40.0).uncorrelated()
    >>> round(undepleted_limit_mJ_cm2(dot, 200.0, 1.5, 0.01), 3)
    0.126
    """
    pi_pulse = pi_pulse_fluence_mJ_cm2

    def excess(amplitude: FloatArray, _: object) -> FloatArray:
        mean = mean_excitons_after_pulse(pi_pulse * amplitude**2, pi_pulse, statistics)
        spent = log_undepleted_photons(dot, mean, gain_exponent, guided_fraction, statistics)
        return np.asarray(spent - np.log(mean))

    amplitude = first_root(excess, np.linspace(0.01, 1, 100)[None, :])[0]
    return float(pi_pulse * amplitude**2)
