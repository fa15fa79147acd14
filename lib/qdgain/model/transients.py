r"""Transients of photoluminescence, stimulated emission and absorption (Figs 6b, 6c, 7c).

Every population is a sum of exponentials, so its convolution with a Gaussian response is a closed
form: the exponentially modified Gaussian.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import scipy
from numpy.typing import ArrayLike

from qdgain.model.bands import band_centres_eV, band_widths_meV, bands, detuning_from_absorption_meV
from qdgain.model.dot import Dot, FloatArray
from qdgain.model.parameters import ParameterError
from qdgain.model.units import positive, sigma_from_fwhm

#: The range of cooling times the paper states (section 3.1, Fig 6b).
STATED_COOLING_PS = (1.0, 2.0)
#: Fits end well below the digits that are printed, so that every machine prints the same.
_TIGHT = 1e-12


def convolved_decay(time: ArrayLike, lifetime: ArrayLike, response_fwhm: float) -> FloatArray:
    r"""Return an exponential decay from t = 0 seen through a Gaussian response.

    :math:`\Phi(t)e^{-t/\tau}\otimes g = \exp\!\big(\tfrac{\sigma^2}{2\tau^2}-\tfrac{t}{\tau}\big)
    \,\Phi\big(\tfrac{t}{\sigma}-\tfrac{\sigma}{\tau}\big)`, with Φ the normal distribution
    function on the right and the unit step on the left.

    Parameters
    ----------
    time : array_like
        Of shape T, in the unit of the lifetime.
    lifetime : array_like
        τ, of a shape that broadcasts with T; infinity gives the convolved step.
    response_fwhm : float
        Full width at half maximum of the response, of unit area.

    Returns
    -------
    numpy.ndarray
        Of the common shape; 1 at most.

    Raises
    ------
    ParameterError
        If the width or a lifetime is not above zero.

    Notes
    -----
    Evaluated through logarithms, so that short lifetimes do not overflow. Source: the
    exponentially modified Gaussian; paper section 3.1 for the response.
    """
    t, tau = np.asarray(time, dtype=float), np.asarray(lifetime, dtype=float)
    if not np.all(tau > 0):
        raise ParameterError("a lifetime must be above 0.")
    sigma = sigma_from_fwhm(positive("response_fwhm", response_fwhm))
    ratio = sigma / tau
    return np.asarray(np.exp(0.5 * ratio**2 - t / tau + scipy.special.log_ndtr(t / sigma - ratio)))


def cascade(time: ArrayLike, lifetimes: tuple[float, ...], response_fwhm: float) -> FloatArray:
    r"""Return the populations of a cascade 1 → 2 → … seen through a Gaussian response.

    All of it starts in the first state at t = 0; the last state decays too, unless its lifetime is
    infinite. Bateman's solution, :math:`N_k = \sum_{j\le k} c_{kj}\,e^{-t/\tau_j}` with
    :math:`c_{kj} = \prod_{i<k} k_i \big/ \prod_{i\le k,\,i\ne j}(k_i-k_j)`, k = 1/τ.

    Parameters
    ----------
    time : array_like
        Of shape T.
    lifetimes : tuple of float
        Of the states in order. Equal ones are told apart by two parts in ten thousand, which
        changes the populations by as little.
    response_fwhm : float
        Of the response, in the unit of time.

    Returns
    -------
    numpy.ndarray
        Of shape (states,) + T.

    Notes
    -----
    Source: Bateman's equations; the steps are those of paper sections 3.1 and 3.2.
    """
    t = np.asarray(time, dtype=float)
    with np.errstate(divide="ignore"):
        k = 1.0 / np.asarray(lifetimes, dtype=float)
    for i in range(1, k.size):
        while np.any(np.abs(k[i] - k[:i]) < 1e-4 * k[i]):
            k[i] *= 1 + 2e-4
    with np.errstate(divide="ignore"):
        decays = convolved_decay(t, (1.0 / k).reshape(-1, *(1,) * t.ndim), response_fwhm)
    populations = []
    for state in range(k.size):
        fed = np.prod(k[:state])
        total = np.zeros(t.shape)
        for j in range(state + 1):
            others = np.delete(k[: state + 1], j)
            total = total + fed / np.prod(others - k[j]) * decays[j]
        populations.append(total)
    return np.array(populations)


def fullest_second_state(first: float, second: float) -> float:
    r"""Return when the second state of a cascade holds most, from the lifetimes of the two.

    :math:`t = \ln(\tau_2/\tau_1)\big/(1/\tau_1 - 1/\tau_2)`, and τ itself where they are equal;
    the pulse is taken to be short. Source: Bateman's equations.
    """
    if np.isclose(first, second):
        return float(second)
    return float(np.log(second / first) / (1 / first - 1 / second))


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
    r"""Return photoluminescence transients after pumping at 400 nm.

    The pumped continuum cools to X_A and that relaxes to X_E. The hot window sees the first
    population; at the band edge, at the centre of PL_X, :math:`N_A A_X(E) + N_E PL_X(E)` is seen.

    Parameters
    ----------
    time_ps : array_like
        Of shape T; the pump arrives at zero.
    dot : Dot
        A single dot, for the bands at the band edge.
    cooling_time_ps, relaxation_time_fs, exciton_lifetime_ns : float
        Lifetimes of the continuum, X_A and X_E.
    response_fwhm_ps : float
        Of the instrument.

    Returns
    -------
    Photoluminescence
        In units of one exciton: the hot band has unit strength, the band edge that of its bands.

    Notes
    -----
    One cooling time for the whole hot window, and X_A emitting as strongly as it absorbs, are
    assumed. Source: paper section 3.1 and Fig 6b.
    """
    lifetimes = (cooling_time_ps, 1e-3 * relaxation_time_fs, 1e3 * exciton_lifetime_ns)
    hot, absorbing, emitting = cascade(time_ps, lifetimes, response_fwhm_ps)
    prompt = emission_before_relaxation(dot, band_centres_eV(dot).emission)
    return Photoluminescence(hot, absorbing * prompt + emitting)


def emission_before_relaxation(dot: Dot, energy_eV: ArrayLike) -> FloatArray:
    r"""Return the emission of X before its relaxation over that after it, :math:`A_X/PL_X`.

    Of shape D + E. Source: X emits at A_X until it has relaxed, as in paper section 3.3.
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
    """Return the cooling time that a joint fit to both transients recovers.

    Free are the cooling time, the width of the response, and for each transient its own time zero
    and amplitude; the other lifetimes are taken as known. Without noise in the signal, the standard
    error is what the stated noise would lead to.

    Parameters
    ----------
    time_ps : array_like
        Of shape T.
    signal : Photoluminescence
        The transients, noise included.
    noise : float
        Standard deviation of each transient relative to its largest value, taken as known.
    dot, relaxation_time_fs, exciton_lifetime_ns, response_fwhm_ps
        As for `photoluminescence`; the fit begins at this width of the response.
    start_ps : float, optional
        The cooling time the fit begins at; half the width of the response by default.

    Returns
    -------
    CoolingFit
        The cooling time and its standard error.

    Notes
    -----
    Nonlinear least squares. Source: paper section 3.1, what a 3 ps response can resolve.
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
    start = np.array([first, response_fwhm_ps, 0.0, 0.0, *heights])
    lowest = np.array([1e-3, 1e-3, -np.inf, -np.inf, 0.0, 0.0])
    lowest[:2] *= response_fwhm_ps
    found = scipy.optimize.least_squares(
        residual,
        start,
        jac="3-point",
        bounds=(lowest, np.inf),
        xtol=_TIGHT,
        ftol=_TIGHT,
        gtol=_TIGHT,
    )
    # The noise is known, so the covariance needs no rescaling by the misfit.
    slopes = np.asarray(found.jac, dtype=float)
    covariance = np.linalg.inv(slopes.T @ slopes)
    return CoolingFit(float(found.x[0]), float(np.sqrt(covariance[0, 0])))


def with_noise(signal: Photoluminescence, noise: float, seed: int) -> Photoluminescence:
    """Return transients with Gaussian noise, relative to the largest value of each."""
    random = np.random.default_rng(seed)
    return Photoluminescence(
        *(y + noise * y.max() * random.standard_normal(y.shape) for y in signal)
    )


def relaxed_fraction(
    time_fs: ArrayLike, relaxation_time_fs: float, pulse_fwhm_fs: float
) -> FloatArray:
    r"""Return the population of X_E after X1 pumping, of shape T.

    :math:`1-e^{-t/\tau_{AE}}` from t = 0, convolved with the pulse. Source: paper section 3.1 and
    Fig 6c. It is the `relaxed_fraction` that `qdgain.gain` takes.
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

    :math:`[N_A A_X(E) + N_E PL_X(E)]/PL_X(E)`: before it relaxes, X emits at A_X.

    Parameters
    ----------
    time_fs : array_like
        Of shape T.
    dot : Dot
        A single dot.
    energy_eV : array_like
        Probe energies of shape E.
    relaxation_time_fs, pulse_fwhm_fs : float
        τ_AE and the width of the pulse.

    Returns
    -------
    numpy.ndarray
        Of shape E + T.

    Notes
    -----
    Source: paper section 3.1 and Fig 6c; emission at A_X before relaxation as in section 3.3.
    """
    t = np.asarray(time_fs, dtype=float)
    prompt = emission_before_relaxation(dot, energy_eV)
    ratio = prompt.reshape(np.shape(energy_eV) + (1,) * t.ndim)
    absorbing = convolved_decay(t, relaxation_time_fs, pulse_fwhm_fs)
    return np.asarray(absorbing * ratio + relaxed_fraction(t, relaxation_time_fs, pulse_fwhm_fs))


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
    r"""Return ΔOD(E, t) in the band-edge region after pumping X3, the 1P exciton.

    A cascade 1P → hot → X_A → X_E with populations :math:`N_3, N_h, N_A, N_E` and

    .. math::
        GSB &= -(N_3+N_h+N_A+N_E)\,A_X \\
        SE &= -\tfrac12(N_A A_X + N_E PL_X) \\
        ESA &= N_3 A_X + N_h A_h + \tfrac12 a\,(N_A A_{XX1} + N_E A_{XX2})

    A fresh 1P exciton leaves both band-edge channels as they were. The hot one has been felt by
    them: A_h is A_X shifted by Δ_h to the red and broadened κ_h times at conserved strength. At the
    band edge the model's own bands take over.

    Parameters
    ----------
    energy_eV : array_like
        Of shape E.
    time_ps : array_like
        Of shape T.
    dot : Dot
        A single dot.
    pumped_fraction : float
        Fraction of dots that hold an exciton at t = 0; none holds two.
    rise_fs, decay_ps, relaxation_time_fs, exciton_lifetime_ns : float
        Lifetimes of the 1P exciton, the hot exciton, X_A and X_E.
    hot_binding_meV, hot_width_ratio : float
        Δ_h and κ_h.
    pulse_fwhm_fs : float
        Of the pump-probe cross-correlation.

    Returns
    -------
    TransientAbsorption
        In units of the optical density at the peak of A_X; negative is bleach and gain.

    Notes
    -----
    The cascade's fourth population is exactly the X of `qdgain.gain`: long after the pump,
    ΔOD = -G - A_X at ⟨N⟩ = `pumped_fraction` under sequential statistics. Source: paper section 3.2
    and Fig 7c for the terms and times; A_h is assumed.
    """
    energy, t = np.asarray(energy_eV, dtype=float), np.asarray(time_ps, dtype=float)
    lifetimes = (1e-3 * rise_fs, decay_ps, 1e-3 * relaxation_time_fs, 1e3 * exciton_lifetime_ns)
    N = pumped_fraction * cascade(t, lifetimes, 1e-3 * pulse_fwhm_fs)
    shape = energy.shape + (1,) * t.ndim
    A, P, B1, B2, _ = (band.reshape(shape) for band in bands(dot, energy))
    width = hot_width_ratio * band_widths_meV(dot).absorption
    offset = (detuning_from_absorption_meV(dot, energy) + hot_binding_meV) / width
    hot_band = (np.exp(-0.5 * offset**2) / hot_width_ratio).reshape(shape)
    half_a = 0.5 * dot.xx_absorption_strength
    return TransientAbsorption(
        -N.sum(axis=0) * A,
        -0.5 * (N[2] * A + N[3] * P),
        N[0] * A + N[1] * hot_band + half_a * (N[2] * B1 + N[3] * B2),
    )


class Extremes(NamedTuple):
    """Where on an axis of energies a bleach is deepest, and the signal largest on each side."""

    red: int
    bleach: int
    blue: int


def around_bleach(signal: ArrayLike) -> Extremes:
    """Return the indices of the extremes of a ΔOD whose energies rise.

    Source: paper section 3.2 and Fig 7c, induced absorption on both sides of the bleach.
    """
    y = np.asarray(signal, dtype=float)
    bleach = int(np.argmin(y))
    red = int(np.argmax(y[: bleach + 1]))
    blue = bleach + int(np.argmax(y[bleach:]))
    return Extremes(red, bleach, blue)


class InducedAbsorptionFit(NamedTuple):
    """Apparent rise and decay times of an induced absorption."""

    rise_fs: float
    decay_ps: float


def apparent_times(
    time_ps: ArrayLike, signal: ArrayLike, pulse_fwhm_fs: float
) -> InducedAbsorptionFit:
    r"""Return the rise and decay that a fit to ΔOD at one energy gives.

    The fit is what one would do to measured data: :math:`c_1(e^{-t/\tau_d}-e^{-t/\tau_r})` and a
    step :math:`c_2`, both seen through the pulse. The times it returns differ from the
    cascade's where bleach and other bands change under the induced absorption.

    Parameters
    ----------
    time_ps, signal : array_like
        Of shape T, from before the pump until the induced absorption has gone.
    pulse_fwhm_fs : float
        Of the pump-probe cross-correlation.

    Notes
    -----
    Nonlinear least squares. Source: paper section 3.2 for the form, "rises … and decays".
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

    found = scipy.optimize.least_squares(
        residual,
        [0.1, 0.8],
        jac="3-point",
        bounds=(1e-3, 100.0),
        xtol=_TIGHT,
        ftol=_TIGHT,
        gtol=_TIGHT,
    )
    rise, decay = np.sort(found.x)
    return InducedAbsorptionFit(1e3 * float(rise), float(decay))
