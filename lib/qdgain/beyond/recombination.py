r"""Populations of dots that recombine while they are pumped: where the Auger lifetime matters.

The rest of the book takes the populations as they are right after the pulse. Here a pulse of finite
length feeds a ladder of 0, 1, 2, … excitons per dot from which they recombine, two and more of them
by Auger recombination.
"""

from __future__ import annotations

import numpy as np
import scipy
from numpy.typing import ArrayLike
from scipy.linalg.lapack import dgtsv

from qdgain.model.bands import band_widths_meV
from qdgain.model.dot import Dot, FloatArray
from qdgain.model.states import weights_of_bands
from qdgain.model.units import positive, sigma_from_fwhm

#: Dots with more excitons than this count as having so many.
MOST_EXCITONS = 10


def arrival_rate(time: ArrayLike, pulse_fwhm: ArrayLike, cooling_time: ArrayLike) -> FloatArray:
    r"""Return the rate at which excitons arrive at the band edge, per absorbed exciton.

    A Gaussian pulse convolved with the exponential of cooling,
    :math:`r(t) = \tfrac{1}{\tau_c}\exp\!\big(\tfrac{\sigma^2}{2\tau_c^2}-\tfrac{t}{\tau_c}\big)
    \,\Phi\big(\tfrac{t}{\sigma}-\tfrac{\sigma}{\tau_c}\big)`, of unit area; t counts from the
    middle of the pulse. All in one unit of time, of shapes that broadcast.

    Raises `ParameterError` if a width or a time is not above zero.

    Pulses far from the band edge are absorbed alike by dots in any state, so that arrivals are
    independent events; delaying each by a random time leaves them independent. Source: the
    displacement theorem of Poisson processes; cooling, paper section 3.1.
    """
    sigma = sigma_from_fwhm(positive("pulse_fwhm", pulse_fwhm))
    tau = positive("cooling_time", cooling_time)
    scaled, ratio = np.broadcast_arrays(np.asarray(time, dtype=float) / sigma, sigma / tau)
    before = scaled < ratio
    # Each form where its exponents are small: the other subtracts numbers as large as σ²/τ².
    z = np.where(before, ratio - scaled, 0.0) / np.sqrt(2)
    early = 0.5 * np.exp(-0.5 * scaled**2) * scipy.special.erfcx(z)
    decay = np.where(before, 0.0, ratio * (0.5 * ratio - scaled))
    late = np.exp(decay) * scipy.special.ndtr(scaled - ratio)
    return np.asarray(np.where(before, early, late) / tau)


def radiative_ratios(dot: Dot) -> FloatArray:
    r"""Return how fast each state of a single dot emits, over X: :math:`\int e_k/\int e_1`, (K,).

    >>> radiative_ratios(Dot(reading="replacing", xx_emission_strength=0.3)).round(6).tolist()
    [0.0, 1.0, 0.6]
    """
    areas = np.array([*band_widths_meV(dot)[:2], *band_widths_meV(dot)[3:]], dtype=float)
    emitted = np.array(weights_of_bands(dot).emission, dtype=float) @ areas
    return np.asarray(emitted / emitted[1])


def recombination_rates(
    exciton_lifetime: ArrayLike,
    biexciton_auger_lifetime: ArrayLike,
    ratios: ArrayLike,
    most: int = MOST_EXCITONS,
) -> FloatArray:
    r"""Return the rates at which dots with 0, 1, …, `most` excitons lose one, of shape D + (K,).

    :math:`D_k = \tfrac{r_k}{\tau_X} + \tfrac{k^2(k-1)}{4}\,\tfrac{1}{\tau_A}`, so that τ_A is the
    Auger lifetime of two excitons, and r_k the `radiative_ratios` of the dot; each exciton beyond
    the last state adds one. The lifetimes, in one unit, broadcast to D; infinity switches either
    off.

    Raises `ParameterError` if a lifetime is not above zero.

    k(k - 1)/2 pairs of electrons or of holes, times k carriers to recombine with: collisions of
    three carriers, counted. That rates follow this count is assumed, and that excitons above
    the band edge radiate like one at it.
    """
    k = np.arange(most + 1.0)
    ratio = np.asarray(ratios, dtype=float)
    last = ratio.size - 1
    light = ratio[np.minimum(k, last).astype(int)] + np.maximum(k - last, 0)
    radiative = _rate("exciton_lifetime", exciton_lifetime)
    auger = _rate("biexciton_auger_lifetime", biexciton_auger_lifetime)
    return np.asarray(
        radiative[..., None] * light + auger[..., None] * (0.25 * k**2 * np.maximum(k - 1, 0))
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
    :math:`R = \langle N\rangle_{abs}\,r(t)`, from dots without excitons: of shape D + (T, K), and
    of sum one over K. Times rise, of shape D + (T,) or (T,); absorbed excitons broadcast to D; r(t)
    is `arrival_rate` at these times, and D_k, of shape D + (K,), are `recombination_rates`.

    Steps of the implicit Euler method, extrapolated from one whole and two half steps: second order
    in the step, and stable where the Auger lifetime is far below it.
    """
    t, down = np.asarray(time, dtype=float), np.asarray(rates, dtype=float)
    up = np.asarray(absorbed_excitons, dtype=float)[..., None] * np.asarray(arrivals, dtype=float)
    shape = np.broadcast_shapes(up.shape[:-1], t.shape[:-1], down.shape[:-1])
    # Times lead, so that each step is one block of memory.
    step, up = (np.broadcast_to(x, (*shape, x.shape[-1])) for x in (np.diff(t), up))
    step, up = (np.moveaxis(x, -1, 0)[..., None] for x in (step, up))
    populations = np.zeros((len(up), *shape, down.shape[-1]))
    populations[0, ..., 0] = 1.0
    for i, (whole_step, before, after) in enumerate(zip(step, up[:-1], up[1:], strict=True)):
        # The whole step and the first half of it, then the second half.
        steps = np.stack([whole_step, 0.5 * whole_step])
        ups = np.stack([after, 0.5 * (before + after)])
        whole, half = _stepped(np.stack([populations[i]] * 2), steps, ups, down)
        half = _stepped(half, 0.5 * whole_step, after, down)
        populations[i + 1] = 2 * half - whole
    return np.moveaxis(populations, 0, -2)


def _stepped(start: FloatArray, step: FloatArray, up: FloatArray, down: FloatArray) -> FloatArray:
    """Return populations (…, K) after an implicit step: (1 - step M)⁻¹ start, M the generator.

    The ladders of all dots stand one after the other in one matrix of three diagonals.
    """
    lost, gained = np.broadcast_to(step * down, start.shape), step * up
    diagonal, lower = 1 + lost, np.zeros_like(start)
    diagonal[..., :-1] += gained
    lower[..., :-1] = -gained
    # D₀ is zero, so that no ladder reaches into the one before.
    upper = -lost.ravel()[1:]
    result: FloatArray = dgtsv(lower.ravel()[:-1], diagonal.ravel(), upper, start.ravel())[3]
    return result.reshape(start.shape)


def at_band_edge(ladder: FloatArray, states: int = 3) -> FloatArray:
    """Return the shares of dots in each state, (…, states), of a ladder (…, K).

    The last state stands for all dots that hold more, as for Poisson statistics: they fill levels
    above the band edge. Assumed.
    """
    above = ladder[..., states - 1 :].sum(axis=-1, keepdims=True)
    return np.concatenate([ladder[..., : states - 1], above], axis=-1)
