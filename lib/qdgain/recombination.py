r"""Populations of dots that recombine while they are pumped: where the Auger lifetime matters.

The rest of the book takes the populations as they are right after the pulse. Here a pulse of finite
length feeds a ladder of 0, 1, 2, … excitons per dot from which they recombine, two and more of them
by Auger recombination.
"""

from __future__ import annotations

import numpy as np
import scipy
from numpy.typing import ArrayLike

from qdgain.dot import FloatArray
from qdgain.populations import Populations
from qdgain.units import positive, sigma_from_fwhm

#: Dots with more excitons than this count as having so many.
MOST_EXCITONS = 10


def arrival_rate(time: ArrayLike, pulse_fwhm: ArrayLike, cooling_time: ArrayLike) -> FloatArray:
    r"""Return the rate at which excitons arrive at the band edge, per absorbed exciton.

    A Gaussian pulse convolved with the exponential of cooling,
    :math:`r(t) = \tfrac{1}{\tau_c}\exp\!\big(\tfrac{\sigma^2}{2\tau_c^2}-\tfrac{t}{\tau_c}\big)
    \,\Phi\big(\tfrac{t}{\sigma}-\tfrac{\sigma}{\tau_c}\big)`, of unit area.

    Parameters
    ----------
    time : array_like
        From the middle of the pulse.
    pulse_fwhm, cooling_time : array_like
        In the same unit, of shapes that broadcast with it.

    Returns
    -------
    numpy.ndarray
        Of the common shape, in the inverse of the unit.

    Raises
    ------
    ParameterError
        If a width or a time is not above zero.

    Notes
    -----
    Pulses far from the band edge are absorbed alike by dots in any state, so that arrivals are
    independent events; delaying each by a random time leaves them independent. Source: the
    displacement theorem of Poisson processes; cooling, paper section 3.1.
    """
    t = np.asarray(time, dtype=float)
    sigma = sigma_from_fwhm(positive("pulse_fwhm", pulse_fwhm))
    tau = positive("cooling_time", cooling_time)
    ratio = sigma / tau
    exponent = 0.5 * ratio**2 - t / tau + scipy.special.log_ndtr(t / sigma - ratio)
    return np.asarray(np.exp(exponent) / tau)


def recombination_rates(
    exciton_lifetime: ArrayLike, biexciton_auger_lifetime: ArrayLike, most: int = MOST_EXCITONS
) -> FloatArray:
    r"""Return the rates at which dots with 0, 1, 2, … excitons lose one.

    :math:`D_k = k/\tau_X + \tfrac{k^2(k-1)}{4}\,\tfrac{1}{\tau_A}`, so that τ_A is the Auger
    lifetime of two excitons.

    Parameters
    ----------
    exciton_lifetime, biexciton_auger_lifetime : array_like
        τ_X and τ_A in one unit, of shapes that broadcast to D; infinity switches either off.
    most : int
        The largest number of excitons.

    Returns
    -------
    numpy.ndarray
        Of shape D + (most + 1,), in the inverse of the unit.

    Raises
    ------
    ParameterError
        If a lifetime is not above zero.

    Notes
    -----
    k(k - 1)/2 pairs of electrons or of holes, times k carriers to recombine with: collisions of
    three carriers, counted. That a dot's rates go like this is assumed.
    """
    k = np.arange(most + 1.0)
    radiative = _rate("exciton_lifetime", exciton_lifetime)
    auger = _rate("biexciton_auger_lifetime", biexciton_auger_lifetime)
    return np.asarray(
        radiative[..., None] * k + auger[..., None] * (0.25 * k**2 * np.maximum(k - 1, 0))
    )


def _rate(name: str, lifetime: ArrayLike) -> FloatArray:
    """Return the inverse of a lifetime that may be infinite."""
    array = np.asarray(lifetime, dtype=float)
    positive(name, np.where(np.isposinf(array), 1.0, array))
    return np.asarray(1.0 / array)


def populations_in_time(
    time: ArrayLike, absorbed_excitons: ArrayLike, arrivals: ArrayLike, rates: ArrayLike
) -> FloatArray:
    r"""Return how many dots hold 0, 1, 2, … excitons while they arrive and recombine.

    :math:`\dot P_k = R(t)\,(P_{k-1}-P_k) + D_{k+1}P_{k+1} - D_k P_k`,
    :math:`R = \langle N\rangle_{abs}\,r(t)`, from dots without excitons.

    Parameters
    ----------
    time : array_like
        Rising, of shape D + (T,) or (T,).
    absorbed_excitons : array_like
        Mean number of absorbed excitons ⟨N⟩_abs, of a shape that broadcasts to D.
    arrivals : array_like
        r(t) of `arrival_rate` at these times.
    rates : array_like
        D_k of `recombination_rates`, of shape D + (K,).

    Returns
    -------
    numpy.ndarray
        Of shape D + (T, K); the sum over K is one.

    Notes
    -----
    Steps of the implicit Euler method, extrapolated from one whole and two half steps: second order
    in the step, and stable where the Auger lifetime is far below it.
    """
    t = np.asarray(time, dtype=float)
    r, down = np.asarray(arrivals, dtype=float), np.asarray(rates, dtype=float)
    absorbed = np.asarray(absorbed_excitons, dtype=float)
    shape = np.broadcast_shapes(absorbed.shape, t.shape[:-1], r.shape[:-1], down.shape[:-1])
    t, r = (np.broadcast_to(x, shape + x.shape[-1:]) for x in (t, r))
    down = np.broadcast_to(down, shape + down.shape[-1:])
    populations = np.zeros((t.shape[-1], *down.shape))
    populations[0, ..., 0] = 1.0
    for i in range(1, t.shape[-1]):
        step = (t[..., i] - t[..., i - 1])[..., None]
        up_before, up_after = (absorbed * r[..., j] for j in (i - 1, i))
        up_half = 0.5 * (up_before + up_after)
        before = populations[i - 1]
        whole = _implicit_step(before, step, up_after, down)
        half = _implicit_step(before, 0.5 * step, up_half, down)
        half = _implicit_step(half, 0.5 * step, up_after, down)
        populations[i] = 2 * half - whole
    return np.moveaxis(populations, 0, -2)


def _implicit_step(
    before: FloatArray, step: FloatArray, up: FloatArray, down: FloatArray
) -> FloatArray:
    """Solve (1 - step M) P = before, M the generator, by elimination from the top of the ladder."""
    up = np.broadcast_to(up[..., None], down.shape) * step
    down = down * step
    most = down.shape[-1] - 1
    # From k = K down: P_k (d_k) = b_k + up P_{k-1}, as the rows above have been eliminated.
    diagonal, right = np.empty_like(down), np.empty_like(before)
    diagonal[..., most] = 1 + down[..., most]
    right[..., most] = before[..., most]
    for k in range(most - 1, -1, -1):
        share = down[..., k + 1] / diagonal[..., k + 1]
        diagonal[..., k] = 1 + down[..., k] + up[..., k] * (1 - share)
        right[..., k] = before[..., k] + share * right[..., k + 1]
    after = np.empty_like(before)
    after[..., 0] = right[..., 0] / diagonal[..., 0]
    for k in range(1, most + 1):
        after[..., k] = (right[..., k] + up[..., k - 1] * after[..., k - 1]) / diagonal[..., k]
    return after


def band_edge_populations(ladder: FloatArray) -> Populations:
    """Return the populations of 0, X and XX, dots with more than two excitons counted as XX.

    Parameters
    ----------
    ladder : numpy.ndarray
        Of shape (…, K), as from `populations_in_time`.

    Notes
    -----
    The band edge holds two excitons; more fill higher states. Assumed, as for Poisson statistics.
    """
    return Populations(ladder[..., 0], ladder[..., 1], ladder[..., 2:].sum(axis=-1))
