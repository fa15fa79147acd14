r"""Transients of photoluminescence, stimulated emission and absorption (Figs 6b, 6c, 7c).

Every population is a sum of exponentials, so its convolution with a Gaussian response is a closed
form: the exponentially modified Gaussian.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import numpy as np
import scipy
from numpy.typing import ArrayLike

from qdgain.model.bands import band_centres_eV, band_widths_meV, bands, detuning_from_absorption_meV
from qdgain.model.dot import Dot, FloatArray
from qdgain.model.parameters import ParameterError
from qdgain.model.states import weights_of_bands
from qdgain.model.units import positive, sigma_from_fwhm

#: The range of cooling times the paper states (section 3.1, Fig 6b).
STATED_COOLING_PS = (1.0, 2.0)


def convolved_decay(time: ArrayLike, lifetime: ArrayLike, response_fwhm: float) -> FloatArray:
    r"""Return an exponential decay from t = 0 seen through a Gaussian response of unit area.

    :math:`\Phi(t)e^{-t/\tau}\otimes g = \exp\!\big(\tfrac{\sigma^2}{2\tau^2}-\tfrac{t}{\tau}\big)
    \,\Phi\big(\tfrac{t}{\sigma}-\tfrac{\sigma}{\tau}\big)`, with Φ the normal distribution
    function on the right and the unit step on the left. An infinite τ gives the convolved step;
    time and τ broadcast and share a unit. Evaluated through logarithms, so that short lifetimes do
    not overflow. Raises `ParameterError` if the width or a lifetime is not above zero. Source: the
    exponentially modified Gaussian; paper section 3.1 for the response.

    >>> convolved_decay([-10.0, 0.0, 10.0], np.inf, 3.0).round(6).tolist()
    [0.0, 0.5, 1.0]
    """
    t, tau = np.asarray(time, dtype=float), np.asarray(lifetime, dtype=float)
    if not np.all(tau > 0):
        raise ParameterError("a lifetime must be above 0.")
    sigma = sigma_from_fwhm(positive("response_fwhm", response_fwhm))
    ratio = sigma / tau
    return np.asarray(np.exp(0.5 * ratio**2 - t / tau + scipy.special.log_ndtr(t / sigma - ratio)))


def cascade(time: ArrayLike, lifetimes: tuple[float, ...], response_fwhm: float) -> FloatArray:
    r"""Return the populations of a cascade 1 → 2 → … seen through a Gaussian response.

    Of shape (states,) + T. All of it starts in the first state at t = 0; the last state decays too,
    unless its lifetime is infinite. :math:`N_k = \sum_{j\le k} c_{kj}\,e^{-t/\tau_j}` with
    :math:`c_{kj} = \prod_{i<k} k_i \big/ \prod_{i\le k,\,i\ne j}(k_i-k_j)`, k = 1/τ. Equal
    lifetimes are told apart by two parts in ten thousand, which changes the populations by as
    little. Source: Bateman's equations; the steps are those of paper sections 3.1 and 3.2.

    >>> cascade(1.0, (1.0, np.inf), 1e-3).round(3).tolist()
    [0.368, 0.632]
    """
    t = np.asarray(time, dtype=float)
    with np.errstate(divide="ignore"):
        k = 1.0 / np.asarray(lifetimes, dtype=float)
    for i in range(1, k.size):
        while np.any(np.abs(k[i] - k[:i]) < 1e-4 * k[i]):
            k[i] *= 1 + 2e-4
    with np.errstate(divide="ignore"):
        decays = convolved_decay(t, (1.0 / k).reshape(-1, *(1,) * t.ndim), response_fwhm)
    populations = np.zeros((k.size, *t.shape))
    for state in range(k.size):
        fed = np.prod(k[:state])
        for j in range(state + 1):
            others = np.delete(k[: state + 1], j)
            populations[state] += fed / np.prod(others - k[j]) * decays[j]
    return populations


def fullest_second_state(first: float, second: float) -> float:
    r"""Return when the second state of a cascade holds most, from the lifetimes of the two.

    :math:`t = \ln(\tau_2/\tau_1)\big/(1/\tau_1 - 1/\tau_2)`, and τ itself where they are equal;
    the pulse is taken to be short. Source: Bateman's equations.

    >>> round(fullest_second_state(0.2, 1.0), 3)
    0.402
    """
    if np.isclose(first, second):
        return float(second)
    return float(np.log(second / first) / (1 / first - 1 / second))


# --- photoluminescence


class Photoluminescence(NamedTuple):
    """Photoluminescence at a hot and at a band-edge probe energy, of shape T each."""

    hot: FloatArray
    band_edge: FloatArray


def photoluminescence(
    time_ps: ArrayLike,
    dot: Dot,
    *,
    cooling_time_ps: float,
    relaxation_time_fs: float,
    exciton_lifetime_ns: float,
    response_fwhm_ps: float,
) -> Photoluminescence:
    r"""Return photoluminescence transients of a single dot after pumping at 400 nm.

    The pumped continuum cools to X_A and that relaxes to X_E; the times are their lifetimes. The
    hot window sees the first population, with unit strength; at the band edge, at the centre of
    PL_X, :math:`N_A A_X(E) + N_E PL_X(E)` is seen. One cooling time for the whole hot window, and
    X_A emitting as strongly as it absorbs, are assumed. Source: paper section 3.1 and Fig 6b.

    >>> times = {"relaxation_time_fs": 500.0, "exciton_lifetime_ns": 20.0, "response_fwhm_ps": 0.1}
    >>> photoluminescence([0.5, 10.0], Dot(), cooling_time_ps=1.5, **times).hot.round(3).tolist()
    [0.717, 0.001]
    """
    lifetimes = (cooling_time_ps, 1e-3 * relaxation_time_fs, 1e3 * exciton_lifetime_ns)
    hot, absorbing, emitting = cascade(time_ps, lifetimes, response_fwhm_ps)
    prompt = emission_before_relaxation(dot, band_centres_eV(dot).emission)
    return Photoluminescence(hot, absorbing * prompt + emitting)


def emission_before_relaxation(dot: Dot, energy_eV: ArrayLike) -> FloatArray:
    r"""Return the emission of X before its relaxation over that after it, :math:`A_X/PL_X`.

    Of shape D + E. Source: X emits at A_X until it has relaxed, as in paper section 3.3.

    >>> float(emission_before_relaxation(Dot(stokes_shift_meV=0.0), 2.0))
    1.0
    """
    spectra = bands(dot, energy_eV)
    return np.asarray(spectra.absorption / spectra.emission)


class CoolingFit(NamedTuple):
    """A cooling time recovered from a pair of transients, with its standard error, in ps."""

    cooling_time_ps: float
    standard_error_ps: float


def recovered_cooling_time(
    time_ps: ArrayLike,
    signal: Photoluminescence,
    dot: Dot,
    *,
    noise: float,
    relaxation_time_fs: float,
    exciton_lifetime_ns: float,
    response_fwhm_ps: float,
    start_ps: float | None = None,
) -> CoolingFit:
    """Return the cooling time that a joint least-squares fit to both transients recovers.

    Free are the cooling time, the width of the response, and for each transient its own time zero
    and amplitude; the other lifetimes are taken as known, and `noise`, the standard deviation of
    each transient over its largest value, too. Without noise in the signal, the standard error is
    what the stated noise would lead to. The fit begins at the width of the response that is given,
    and at `start_ps` or half that width. Source: paper section 3.1, what a 3 ps response resolves.

    >>> t, times = np.linspace(-6, 16, 45), {"relaxation_time_fs": 500.0, "response_fwhm_ps": 3.0}
    >>> clean = photoluminescence(t, Dot(), cooling_time_ps=1.5, exciton_lifetime_ns=20.0, **times)
    >>> fit = recovered_cooling_time(t, clean, Dot(), noise=0.01, exciton_lifetime_ns=20.0, **times)
    >>> round(fit.cooling_time_ps, 4)
    1.5
    """
    t = np.asarray(time_ps, dtype=float)
    prompt = emission_before_relaxation(dot, band_centres_eV(dot).emission)
    rest = (1e-3 * relaxation_time_fs, 1e3 * exciton_lifetime_ns)
    scales = tuple(noise * y.max() for y in signal)

    def residual(free: FloatArray) -> FloatArray:
        cooling, width, hot_zero, edge_zero, hot_height, edge_height = free
        hot = cascade(t - hot_zero, (cooling,), width)[0]
        _, absorbing, emitting = cascade(t - edge_zero, (cooling, *rest), width)
        models = (hot_height * hot, edge_height * (absorbing * prompt + emitting))
        return np.concatenate([(m - y) / s for m, y, s in zip(models, signal, scales, strict=True)])

    heights = (2 * float(signal.hot.max()), float(signal.band_edge.max()))
    first = response_fwhm_ps / 2 if start_ps is None else start_ps
    lowest = np.array([1e-3, 1e-3, -np.inf, -np.inf, 0.0, 0.0])
    lowest[:2] *= response_fwhm_ps
    start = (first, response_fwhm_ps, 0.0, 0.0, *heights)
    found, slopes = _fitted(residual, start, (lowest, np.inf))
    # The noise is known, so the covariance needs no rescaling by the misfit.
    covariance = np.linalg.inv(slopes.T @ slopes)
    return CoolingFit(float(found[0]), float(np.sqrt(covariance[0, 0])))


def _fitted(
    residual: Callable[[FloatArray], FloatArray],
    start: tuple[float, ...],
    bounds: tuple[FloatArray | float, float],
) -> tuple[FloatArray, FloatArray]:
    """Return the least-squares solution and its slopes.

    It ends well below the digits that are printed, so that every machine prints the same.
    """
    found = scipy.optimize.least_squares(
        residual, start, "3-point", bounds, xtol=1e-12, ftol=1e-12, gtol=1e-12
    )
    return found.x, np.asarray(found.jac, dtype=float)


def with_noise(signal: Photoluminescence, noise: float, seed: int) -> Photoluminescence:
    """Return transients with Gaussian noise, relative to the largest value of each.

    >>> with_noise(Photoluminescence(np.ones(2), np.ones(2)), 0.0, seed=1).hot.tolist()
    [1.0, 1.0]
    """
    random = np.random.default_rng(seed)
    return Photoluminescence(
        *(y + noise * y.max() * random.standard_normal(y.shape) for y in signal)
    )


# --- stimulated emission


def relaxed_fraction(
    time_fs: ArrayLike, relaxation_time_fs: float, pulse_fwhm_fs: float
) -> FloatArray:
    r"""Return the population of X_E after X1 pumping, of shape T.

    :math:`1-e^{-t/\tau_{AE}}` from t = 0, convolved with the pulse. Source: paper section 3.1 and
    Fig 6c. It is the `relaxed_fraction` that `qdgain.gain` takes.

    >>> round(float(relaxed_fraction(500.0, 500.0, 1.0)), 3)
    0.632
    """
    step = convolved_decay(time_fs, np.inf, pulse_fwhm_fs)
    return step - convolved_decay(time_fs, relaxation_time_fs, pulse_fwhm_fs)


def emission_build_up(
    time_fs: ArrayLike,
    dot: Dot,
    energy_eV: ArrayLike,
    relaxation_time_fs: float,
    pulse_fwhm_fs: float,
) -> FloatArray:
    r"""Return the stimulated emission of X after X1 pumping, relative to that of the relaxed X.

    :math:`[N_A A_X(E) + N_E PL_X(E)]/PL_X(E)`, of shape E + T, for a single dot: before it relaxes,
    X emits at A_X. Source: paper sections 3.1 and 3.3, and Fig 6c.

    >>> round(float(emission_build_up(5000.0, Dot(), 2.0, 500.0, 1.0)), 3)
    1.0
    """
    t = np.asarray(time_fs, dtype=float)
    prompt = emission_before_relaxation(dot, energy_eV)
    ratio = prompt.reshape(np.shape(energy_eV) + (1,) * t.ndim)
    absorbing = convolved_decay(t, relaxation_time_fs, pulse_fwhm_fs)
    return np.asarray(absorbing * ratio + relaxed_fraction(t, relaxation_time_fs, pulse_fwhm_fs))


# --- transient absorption


class TransientAbsorption(NamedTuple):
    """The three parts of ΔOD/OD at the peak of A_X, of shape E + T each; their sum is ΔOD."""

    ground_state_bleach: FloatArray
    stimulated_emission: FloatArray
    excited_state_absorption: FloatArray

    @property
    def total(self) -> FloatArray:
        """The signal: GSB + SE + ESA."""
        return self.ground_state_bleach + self.stimulated_emission + self.excited_state_absorption


def transient_absorption(
    energy_eV: ArrayLike,
    time_ps: ArrayLike,
    dot: Dot,
    *,
    pumped_fraction: float,
    rise_fs: float,
    decay_ps: float,
    relaxation_time_fs: float,
    exciton_lifetime_ns: float,
    hot_binding_meV: float,
    hot_width_ratio: float,
    pulse_fwhm_fs: float,
) -> TransientAbsorption:
    r"""Return ΔOD(E, t) of a single dot in the band-edge region after pumping X3, the 1P exciton.

    A cascade 1P → hot → X_A → X_E with populations :math:`N_3, N_h, N_A, N_E`, of which the times
    are the lifetimes in order, and

    .. math::
        GSB &= -[N_3+N_h+(1-w_A)(N_A+N_E)]\,A_X \\
        SE &= -w_P\,(N_A A_X + N_E PL_X) \\
        ESA &= N_3 A_X + N_h A_h + w_C\,(N_A A_{XX1} + N_E A_{XX2})

    with the weights w of the bands in X, by the dot's reading: what it leaves of A_X, its emission,
    and its ESA; in the reading *replacing* 0, ½ and a/2.

    A fresh 1P exciton leaves both band-edge channels as they were. The hot one has been felt by
    them: A_h is A_X shifted by Δ_h to the red and broadened κ_h times at conserved strength. At the
    band edge the model's own bands take over. `pumped_fraction` of the dots hold an exciton at
    t = 0, none two; the pulse is the pump-probe cross-correlation. The last population is the X of
    `qdgain.gain`: long after the pump, ΔOD = -G - A_X at ⟨N⟩ = `pumped_fraction` under sequential
    statistics. Source: paper section 3.2 and Fig 7c for the terms and times; A_h is assumed.

    >>> times = {"rise_fs": 200, "decay_ps": 1, "relaxation_time_fs": 500, "pulse_fwhm_fs": 100}
    >>> hot = {"hot_binding_meV": 20, "hot_width_ratio": 1.2, "exciton_lifetime_ns": 20}
    >>> parts = transient_absorption(2.0, -1.0, Dot(), pumped_fraction=0.1, **times, **hot)
    >>> abs(round(float(parts.total), 6))
    0.0
    """
    energy, t = np.asarray(energy_eV, dtype=float), np.asarray(time_ps, dtype=float)
    lifetimes = (1e-3 * rise_fs, decay_ps, 1e-3 * relaxation_time_fs, 1e3 * exciton_lifetime_ns)
    N = pumped_fraction * cascade(t, lifetimes, 1e-3 * pulse_fwhm_fs)
    shape = energy.shape + (1,) * t.ndim
    A, P, B1, B2, _ = (band.reshape(shape) for band in bands(dot, energy))
    width = hot_width_ratio * band_widths_meV(dot).absorption
    offset = (detuning_from_absorption_meV(dot, energy) + hot_binding_meV) / width
    hot_band = (np.exp(-0.5 * offset**2) / hot_width_ratio).reshape(shape)
    of_dot = weights_of_bands(dot)
    left, _, induced, _ = of_dot.absorption[1]
    return TransientAbsorption(
        -(N[0] + N[1] + (1 - left) * (N[2] + N[3])) * A,
        -of_dot.emission[1][1] * (N[2] * A + N[3] * P),
        N[0] * A + N[1] * hot_band + induced * (N[2] * B1 + N[3] * B2),
    )


def around_bleach(signal: ArrayLike) -> tuple[int, int, int]:
    """Return where ΔOD is largest red of its bleach, lowest in it, and largest blue of it.

    Indices, for energies that rise. Source: paper section 3.2 and Fig 7c.

    >>> around_bleach([0.0, 0.2, -1.0, 0.0, 0.1])
    (1, 2, 4)
    """
    y = np.asarray(signal, dtype=float)
    bleach = int(np.argmin(y))
    red = int(np.argmax(y[: bleach + 1]))
    blue = bleach + int(np.argmax(y[bleach:]))
    return red, bleach, blue


class InducedAbsorptionFit(NamedTuple):
    """Apparent rise and decay times of an induced absorption."""

    rise_fs: float
    decay_ps: float


def apparent_times(
    time_ps: ArrayLike, signal: ArrayLike, pulse_fwhm_fs: float
) -> InducedAbsorptionFit:
    r"""Return the rise and decay that a least-squares fit to ΔOD at one energy gives.

    The fit is what one would do to measured data, from before the pump until the induced absorption
    has gone: :math:`c_1(e^{-t/\tau_d}-e^{-t/\tau_r})` and a step :math:`c_2`, both seen through
    the pulse. Its times differ from the cascade's where bleach and other bands change under the
    induced absorption. Source: paper section 3.2 for the form, "rises … and decays".

    >>> time = np.linspace(-0.5, 6.0, 66)
    >>> fit = apparent_times(time, cascade(time, (0.2, 1.0), 0.1)[1], 100.0)
    >>> round(fit.rise_fs, 3), round(fit.decay_ps, 3)
    (200.0, 1.0)
    """
    t, y = np.asarray(time_ps, dtype=float), np.asarray(signal, dtype=float)
    pulse = 1e-3 * pulse_fwhm_fs
    step = convolved_decay(t, np.inf, pulse)

    def residual(times: FloatArray) -> FloatArray:
        rise, decay = times
        change = convolved_decay(t, decay, pulse) - convolved_decay(t, rise, pulse)
        # The two amplitudes follow from the times by linear least squares.
        basis = np.stack([change, step], axis=-1)
        return np.asarray(basis @ np.linalg.lstsq(basis, y)[0] - y)

    rise, decay = np.sort(_fitted(residual, (0.1, 0.8), (1e-3, 100.0))[0])
    return InducedAbsorptionFit(1e3 * float(rise), float(decay))
