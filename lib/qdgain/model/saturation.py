"""Amplified spontaneous emission that depletes the film it comes from (Fig 9, saturation)."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike

from qdgain.model import parameters
from qdgain.model.bands import band_widths_meV, expand
from qdgain.model.dot import Dot, FloatArray
from qdgain.model.film import Film, emission_window_meV
from qdgain.model.populations import populations
from qdgain.model.states import states, weights_at

_WINDOW_WIDTHS = 4.5
_STEP_WIDTHS = 0.1
_MOST_POINTS = 2001
_SLICES = 16
# In lifetimes: the longest step, and when the film counts as dark (e⁻⁸ of the excitons left).
_LONGEST_STEP = 0.15
_DURATION = 8.0
_LARGEST_CHANGE = 0.05
_LARGEST_EXPONENT = 600.0


class SaturatedEmission(NamedTuple):
    """What a pumped film emits in the end, per dot; shapes D + E, D + N + E and D + N.

    The photon energies in eV; the time-integrated spectrum that leaves both ends, in photons per
    dot and meV; its integral; the photons emitted to the sides; the excitons not yet emitted.
    The last three sum to ⟨N⟩.
    """

    energy_eV: FloatArray
    spectrum_per_meV: FloatArray
    guided_photons: FloatArray
    side_photons: FloatArray
    excitons_left: FloatArray


def saturated_emission(
    dot: Dot,
    mean_excitons: ArrayLike,
    gain_exponent: ArrayLike,
    guided_fraction: float,
    statistics: str = "rabi",
    *,
    duration: float = _DURATION,
) -> SaturatedEmission:
    r"""Return what the film emits when every photon costs an exciton.

    The film is cut into slices across its length. With t in radiative lifetimes of X and the flux
    :math:`\Phi_\pm` in photons per dot of the film,

    .. math::
        \pm\frac{\partial\Phi_\pm}{\partial z} = L_g\,G(E, N)\,\Phi_\pm + \tfrac{\beta}{2} R,\quad
        \frac{\partial N}{\partial t} = -\int\!\Big(\frac{\partial\Phi_+}{\partial z}
        - \frac{\partial\Phi_-}{\partial z} + (1-\beta)\,R\Big)dE,\quad
        R = \frac{2P(E, N)}{\int PL_X\,dE}

    Parameters
    ----------
    dot : Dot
        Of shape D.
    mean_excitons : array_like
        ⟨N⟩ after the pump pulse, of shape N.
    gain_exponent : array_like
        L_g of the film, of a shape that broadcasts to D.
    guided_fraction : float
        β, the part of the spontaneous emission that starts along the film.
    statistics : {"rabi", "poisson", "sequential"}
        How the excitons of a slice are distributed over its dots, at every time.
    duration : float
        How long the emission is collected, in radiative lifetimes.

    Returns
    -------
    SaturatedEmission

    Raises
    ------
    ParameterError
        If a value is out of range.

    Notes
    -----
    The flux follows the gain at once (the transit is short against the depletion), each slice is
    solved exactly with its gain frozen for a step, and a step takes from the slices what leaves
    them as photons, so that excitons are conserved to rounding. There is no Auger recombination.
    While the flux is small, its spectrum is that of `qdgain.model.film.ase_spectrum`. The paper has
    no saturation (section 3.4); the model is assumed.

    Examples
    --------
    >>> dot = Dot(linewidth_meV=80.0, stokes_shift_meV=40.0).uncorrelated()
    >>> emitted = saturated_emission(dot, 2.0, 200.0, 0.01)
    >>> float((emitted.guided_photons + emitted.side_photons + emitted.excitons_left).round(6))
    2.0
    """
    mean = np.asarray(mean_excitons, dtype=float)
    beta = float(parameters.check("guided_fraction", guided_fraction))
    if not 0 < duration < np.inf:
        raise parameters.ParameterError(
            f"duration = {duration!r} is not allowed: give a positive number of lifetimes."
        )
    populations(mean, statistics)  # refuses what the statistics does not allow
    length = np.broadcast_to(parameters.check("gain_exponent", gain_exponent), dot.shape)

    detuning = _detunings_meV(dot)
    size, points = int(np.prod(dot.shape)), detuning.shape[-1]
    exciton_area = np.sqrt(2 * np.pi) * np.broadcast_to(band_widths_meV(dot).emission, dot.shape)
    # ½ PL_X stands in the emission of X, hence R = 2P/∫PL_X is in photons per lifetime.
    own = states(dot, detuning)
    emission, gain = (x.reshape(size, -1, points) for x in (own.emission, own.gain))
    film = Film(
        2 * emission / exciton_area.reshape(size, 1, 1),
        length.reshape(size, 1, 1) * gain,
        lambda excitons: weights_at(np.maximum(excitons, 0.0), statistics, emission.shape[-2]),
    )
    # One row for each dot and ⟨N⟩.
    every = np.repeat(np.arange(size), mean.size)
    step_meV = (detuning[..., 1] - detuning[..., 0]).ravel()[every]
    start = np.tile(mean.ravel(), size)
    spectrum, side, left = emit(film.take(every), step_meV, beta, start, duration)
    shape = dot.shape + mean.shape
    energy = expand(dot.absorption_energy_eV, dot, 1) + 1e-3 * detuning
    return SaturatedEmission(
        np.asarray(energy),
        spectrum.reshape(*shape, points),
        (spectrum.sum(axis=-1) * step_meV).reshape(shape),
        side.reshape(shape),
        left.reshape(shape),
    )


class _Rates(NamedTuple):
    """Photons per dot and lifetime, and the longest stable step."""

    spectrum: FloatArray
    side: FloatArray
    loss: FloatArray
    step: FloatArray


def _rates(film: Film, step_meV: FloatArray, beta: float, excitons: FloatArray) -> _Rates:
    """Return the flux out of a film, the slices of whose left half hold `excitons` (rows, K/2)."""
    half = excitons.shape[-1]
    slices = 2 * half
    weights = film.weights(excitons)
    spontaneous = weights @ film.emission
    exponent = np.minimum(weights @ film.exponent / slices, _LARGEST_EXPONENT / slices)
    growth = np.expm1(exponent)
    amplified = np.divide(growth, exponent, out=np.ones_like(growth), where=exponent != 0)
    source = 0.5 * beta / slices * spontaneous * amplified
    growth += 1
    # Slices first: each is then one block of memory, and the loop needs no copies.
    flux = np.zeros((slices + 1, len(excitons), source.shape[-1]))
    for k, mirrored in enumerate([*range(half), *reversed(range(half))]):
        np.multiply(flux[k], growth[:, mirrored], out=flux[k + 1])
        flux[k + 1] += source[:, mirrored]
    # The film and its excitons are symmetric: the flux to the left is the mirror image.
    to_right = flux.sum(axis=-1).T * step_meV[:, None]
    to_left = to_right[:, ::-1]
    gained = np.diff(to_right, axis=-1) - np.diff(to_left, axis=-1)
    side = (1 - beta) * spontaneous.sum(axis=-1) * step_meV[:, None]
    loss = slices * gained[:, :half] + side
    # A slice at transparency relaxes at about L_g/2 times the flux through it; the midpoint rule is
    # stable up to two such times.
    longest = np.max(-film.exponent[:, 0], axis=-1)
    busiest = np.max((to_right + to_left)[:, : half + 1], axis=-1)
    step = np.minimum(
        _LARGEST_CHANGE / np.maximum(np.abs(loss).max(axis=-1), 1e-300),
        2 / np.maximum(longest * busiest, 1e-300),
    )
    return _Rates(2 * flux[-1], side.mean(axis=-1), loss, np.minimum(step, _LONGEST_STEP))


def emit(
    film: Film,
    step_meV: FloatArray,
    guided_fraction: float,
    mean_excitons: FloatArray,
    duration: float = _DURATION,
) -> tuple[FloatArray, FloatArray, FloatArray]:
    """Return the guided spectrum, the photons to the sides and the excitons left, per dot.

    Integrated over time by the midpoint rule, each row with its own steps.

    Parameters
    ----------
    film : Film
        Of as many rows as there are ⟨N⟩, or one; the emission per exciton lifetime and meV, and the
        first state unpumped.
    step_meV : numpy.ndarray
        Step of the photon energies, of shape (rows,).
    guided_fraction : float
        β.
    mean_excitons : numpy.ndarray
        ⟨N⟩ at the start, of shape (rows,).
    duration : float
        In radiative lifetimes.

    Examples
    --------
    >>> film = Film(np.ones((1, 1, 1)), np.zeros((1, 1, 1)), lambda mean: np.ones((*mean.shape, 1)))
    >>> spectrum, side, left = emit(film, np.ones(1), 0.5, np.ones(1), duration=0.1)
    >>> float((spectrum.sum() + side.sum() + left.sum()).round(6))
    1.0
    """
    rows, points = len(mean_excitons), film.emission.shape[-1]
    excitons = np.repeat(mean_excitons[:, None], _SLICES // 2, axis=-1)
    spectrum, side = np.zeros((rows, points)), np.zeros(rows)
    remaining = np.full(rows, float(duration))
    busy = np.flatnonzero(mean_excitons > 0)
    while busy.size:
        part = film.take(busy)
        now, width = excitons[busy], step_meV[busy]
        first = _rates(part, width, guided_fraction, now)
        step = np.minimum(first.step, remaining[busy])
        half_way = now - 0.5 * step[:, None] * first.loss
        middle = _rates(part, width, guided_fraction, half_way)
        excitons[busy] = now - step[:, None] * middle.loss
        spectrum[busy] += step[:, None] * middle.spectrum
        side[busy] += step * middle.side
        remaining[busy] -= step
        busy = busy[remaining[busy] > 0]
    return spectrum, side, excitons.mean(axis=-1)


def _detunings_meV(dot: Dot) -> FloatArray:
    """Return an even grid of detunings for each dot that holds its emission, of shape D + E."""
    low, high = emission_window_meV(dot, _WINDOW_WIDTHS)
    widths = band_widths_meV(dot)
    narrowest = np.minimum(widths.emission, widths.xx_emission)
    wanted = np.ceil(np.max((high - low) / (_STEP_WIDTHS * narrowest)))
    points = int(min(wanted, _MOST_POINTS))
    return np.asarray(low[..., None] + (high - low)[..., None] * np.linspace(0.0, 1.0, points))
