"""Amplified spontaneous emission that depletes the film it comes from (Fig 9, saturation)."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np
import scipy
from numpy.typing import ArrayLike

from qdgain.model import parameters
from qdgain.model.bands import band_widths_meV, expand
from qdgain.model.dot import Dot, FloatArray
from qdgain.model.film import emission_grid_meV
from qdgain.model.states import states, weights_at

_WINDOW_WIDTHS = 4.5
_STEP_WIDTHS = 0.1
_MOST_POINTS = 2001
_SLICES = 16
# In lifetimes: the longest step, and when the film counts as dark (e⁻⁸ of the excitons left).
_LONGEST_STEP = 0.15
_DURATION = 8.0
_LARGEST_CHANGE = 0.05
_LARGEST_EXPONENT, _SMALL_EXPONENT = 600.0, 1e-4
#: Poisson's ladder goes on until fewer dots than this stand beyond its end.
_TAIL = 1e-15


class SaturatedEmission(NamedTuple):
    """What a pumped film emits in the end, per dot; shapes D + E, D + N + E and D + N.

    The photon energies in eV; the time-integrated spectrum that leaves both ends, in photons per
    dot and meV; its integral; the photons emitted to the sides; the excitons not yet emitted; the
    photons lost in dots that cannot keep them. The last four sum to ⟨N⟩.
    """

    energy_eV: FloatArray
    spectrum_per_meV: FloatArray
    guided_photons: FloatArray
    side_photons: FloatArray
    excitons_left: FloatArray
    lost_photons: FloatArray


class Medium(NamedTuple):
    """What fills a film: spectra of M states, and how its content follows the light.

    The spontaneous emission per exciton lifetime and meV, and the exponents of stimulated emission
    and of absorption along the film, of shape (rows, M, E), or of one row for all. `weights` gives
    the weights of the states (…, M) of a content (…, C); `change` its rate, from the content and
    the rates per dot at which each state emits and absorbs, (…, M).
    """

    emission: FloatArray
    stimulated: FloatArray
    absorbed: FloatArray
    weights: Callable[[FloatArray], FloatArray]
    change: Callable[[FloatArray, FloatArray, FloatArray], FloatArray]

    def take(self, rows: Any) -> Medium:
        """Return some rows only."""
        emission, stimulated, absorbed = (x if len(x) == 1 else x[rows] for x in self[:3])
        return Medium(emission, stimulated, absorbed, self.weights, self.change)


def saturated_emission(
    dot: Dot,
    mean_excitons: ArrayLike,
    gain_exponent: ArrayLike,
    guided_fraction: float,
    statistics: str = "rabi",
    *,
    third_exciton: str = "kept",
    duration: float = _DURATION,
) -> SaturatedEmission:
    r"""Return what the film emits when every photon costs an exciton.

    The film is cut into slices across its length, and no exciton goes from one dot to another. With
    t in radiative lifetimes of X, :math:`r_k = e_k/\int e_1\,dE`, and the flux
    :math:`\Phi = \Phi_+ + \Phi_-` in photons per dot of the film,

    .. math::
        \pm\frac{\partial\Phi_\pm}{\partial z} &= \textstyle\sum_k P_k
        \big(L_g\,g_k\,\Phi_\pm + \tfrac{\beta}{2}\,r_k\big) \\
        \dot P_k &= d_{k+1}P_{k+1} - (d_k+u_k)\,P_k + u_{k-1}P_{k-1},\quad
        d_k = \!\int\!(r_k + L_g e_k\Phi)\,dE,\quad u_k = \!\int\! L_g\alpha_k\Phi\,dE

    ⟨N⟩ after the pump pulse is of shape N, L_g of the film broadcasts to the dot's shape D, and β
    is the part of the spontaneous emission that starts along the film. `third_exciton` is what a
    full dot makes of a photon that it absorbs, in the readings in which it does: "kept", a dot of
    one exciton more, or "lost". XXX emits as XX does and absorbs no more; Poisson's dots of three
    and more are those of `qdgain.gain`, like XX in both. The emission is collected for a duration
    in radiative lifetimes. Raises `ParameterError` if a value is out of range.

    The flux follows the gain at once (the transit is short against the depletion), each slice is
    solved exactly with its gain frozen for a step, and a step moves as many dots of a slice as it
    counts photons, so that excitons are conserved to rounding. There is no Auger recombination.
    While the flux is small, its spectrum is that of `qdgain.model.film.ase_spectrum`. The paper has
    no saturation (section 3.4), nor does it say what becomes of a third exciton; both are assumed.

    >>> dot = Dot(linewidth_meV=80.0, stokes_shift_meV=40.0).uncorrelated()
    >>> emitted = saturated_emission(dot, 2.0, 200.0, 0.01)
    >>> float((emitted.guided_photons + emitted.side_photons + emitted.excitons_left).round(6))
    2.0
    """
    mean = np.asarray(mean_excitons, dtype=float)
    beta = float(parameters.check("guided_fraction", guided_fraction))
    kept = parameters.check("third_exciton", third_exciton) == "kept"
    if not 0 < duration < np.inf:
        raise parameters.ParameterError(
            f"duration = {duration!r} is not allowed: give a positive number of lifetimes."
        )
    weights_at(mean, statistics)  # refuses what the statistics does not allow
    length = np.broadcast_to(parameters.check("gain_exponent", gain_exponent), dot.shape)

    detuning = _detunings_meV(dot)
    size, points = int(np.prod(dot.shape)), detuning.shape[-1]
    step_meV = (detuning[..., 1] - detuning[..., 0]).ravel()
    emission, absorption = (x.reshape(size, -1, points) for x in states(dot, detuning))
    if kept and statistics != "poisson" and absorption[:, -1].any():
        # One more state, which emits as the full one and absorbs nothing.
        emission, absorption = (
            np.concatenate([x, part * x[:, -1:]], axis=1)
            for x, part in ((emission, 1), (absorption, 0))
        )
    beyond = scipy.stats.poisson.isf(_TAIL, np.max(mean, initial=0.0))
    levels = emission.shape[-2] + (int(beyond) if statistics == "poisson" else 0)
    per_exciton = (emission[:, 1].sum(axis=-1) * step_meV).reshape(size, 1, 1)
    exponent = length.reshape(size, 1, 1)
    medium = _of_dots(
        emission / per_exciton, exponent * emission, exponent * absorption, levels, kept
    )
    # One row for each dot and ⟨N⟩; the last column counts lost photons.
    every = np.repeat(np.arange(size), mean.size)
    start = np.pad(weights_at(mean.ravel(), statistics, levels), [(0, 0), (0, 1)])
    step_meV = step_meV[every]
    spectrum, side, end = emit(
        medium.take(every), step_meV, beta, np.tile(start, (size, 1)), duration
    )
    shape = dot.shape + mean.shape
    return SaturatedEmission(
        np.asarray(expand(dot.absorption_energy_eV, dot, 1) + 1e-3 * detuning),
        spectrum.reshape(*shape, points),
        (spectrum.sum(axis=-1) * step_meV).reshape(shape),
        side.reshape(shape),
        (end[:, :-1] @ np.arange(float(levels))).reshape(shape),
        end[:, -1].reshape(shape),
    )


def _of_dots(
    emission: FloatArray, stimulated: FloatArray, absorbed: FloatArray, levels: int, kept: bool
) -> Medium:
    """Return the medium of dots of 0, 1, … excitons; those beyond the last state are like it."""
    last = emission.shape[-2] - 1
    like = np.minimum(np.arange(levels), last)
    of_state = np.eye(last + 1)[like]
    climbs = (like < last) | kept
    climbs[-1] = False

    def change(content: FloatArray, down: FloatArray, up: FloatArray) -> FloatArray:
        falling, absorbing = (content[..., :-1] * rate[..., like] for rate in (down, up))
        result = np.zeros_like(content)
        passing = falling[..., 1:] - (climbs * absorbing)[..., :-1]
        result[..., : levels - 1] += passing
        result[..., 1:levels] -= passing
        result[..., -1] = absorbing @ ~climbs
        return result

    return Medium(emission, stimulated, absorbed, lambda P: P[..., :-1] @ of_state, change)


def of_spectra(
    emission: FloatArray, exponent: FloatArray, weights: Callable[[FloatArray], FloatArray]
) -> Medium:
    """Return the medium of which spectra at some ⟨N⟩ are all that is known; its content is ⟨N⟩.

    >>> one = np.ones((1, 1, 1))
    >>> of_spectra(one, -2 * one, lambda mean: np.ones((*mean.shape, 1))).absorbed.tolist()
    [[[2.0]]]
    """

    def at(content: FloatArray) -> FloatArray:
        return weights(content[..., 0])

    def change(content: FloatArray, down: FloatArray, up: FloatArray) -> FloatArray:
        return np.asarray(np.sum(at(content) * (up - down), axis=-1, keepdims=True))

    return Medium(emission, np.maximum(exponent, 0), np.maximum(-exponent, 0), at, change)


class _Rates(NamedTuple):
    """Photons per dot and lifetime, the change of the content, and the longest stable step."""

    spectrum: FloatArray
    side: FloatArray
    change: FloatArray
    step: FloatArray


def _rates(medium: Medium, step_meV: FloatArray, beta: float, content: FloatArray) -> _Rates:
    """Return the flux out of a film with the content (rows, K/2, C) of its left half's slices."""
    half = content.shape[-2]
    slices = 2 * half
    weights = medium.weights(content)
    spontaneous = weights @ medium.emission
    wanted = weights @ ((medium.stimulated - medium.absorbed) / slices)
    exponent = np.minimum(wanted, _LARGEST_EXPONENT / slices)
    growth = np.expm1(exponent)
    # (e^x - 1)/x of what enters a slice; and (e^x - 1 - x)/x² of what starts in it.
    small = np.abs(exponent) < _SMALL_EXPONENT
    amplified = np.divide(growth, exponent, out=np.ones_like(growth), where=exponent != 0)
    within = np.where(small, 0.5 + exponent / 6, (amplified - 1) / np.where(small, 1, exponent))
    source = 0.5 * beta / slices * spontaneous
    within *= 2 * source
    source *= amplified
    growth += 1
    # Slices first: each is then one block of memory, and the loop needs no copies.
    flux = np.zeros((slices + 1, len(content), source.shape[-1]))
    for k, mirrored in enumerate([*range(half), *reversed(range(half))]):
        np.multiply(flux[k], growth[:, mirrored], out=flux[k + 1])
        flux[k + 1] += source[:, mirrored]
    # The film and its dots are symmetric: the flux to the left is the mirror image.
    inside = np.moveaxis(flux[:half] + flux[slices - 1 : half - 1 : -1], 0, 1) * amplified
    inside += within
    if (limited := wanted > exponent).any():
        inside *= np.divide(exponent, wanted, out=np.ones_like(wanted), where=limited)
    inside *= step_meV[:, None, None]
    down, up = (inside @ np.swapaxes(x, -1, -2) for x in (medium.stimulated, medium.absorbed))
    alone = (medium.emission.sum(axis=-1) * step_meV[:, None])[:, None]
    down += alone
    loss = np.abs(np.sum(weights * (down - up), axis=-1)).max(axis=-1)
    # The midpoint rule is stable up to two relaxation times, and a ladder of such rates relaxes
    # within half the inverse of its fastest.
    fastest = np.max(down + up, axis=(-1, -2))
    step = np.minimum(_LARGEST_CHANGE / np.maximum(loss, 1e-300), 1 / np.maximum(fastest, 1e-300))
    side = (1 - beta) * np.sum(weights * alone, axis=-1).mean(axis=-1)
    change = medium.change(content, down, up)
    return _Rates(2 * flux[-1], side, change, np.minimum(step, _LONGEST_STEP))


def emit(
    medium: Medium,
    step_meV: FloatArray,
    guided_fraction: float,
    start: FloatArray,
    duration: float = _DURATION,
) -> tuple[FloatArray, FloatArray, FloatArray]:
    """Return the guided spectrum and the photons to the sides, per dot, and the mean content left.

    Integrated over time by the midpoint rule, each row with its own steps. The medium is of as many
    rows as the start, or one; the step of the photon energies is of shape (rows,), the content of
    every slice at the start of shape (rows, C); the duration is in radiative lifetimes.

    >>> one = np.ones((1, 1, 1))
    >>> medium = of_spectra(one, 0 * one, lambda mean: np.ones((*mean.shape, 1)))
    >>> spectrum, side, left = emit(medium, np.ones(1), 0.5, np.ones((1, 1)), duration=0.1)
    >>> float((spectrum.sum() + side.sum() + left.sum()).round(6))
    1.0
    """
    rows, points = len(start), medium.emission.shape[-1]
    content = np.repeat(start[:, None], _SLICES // 2, axis=1)
    spectrum, side = np.zeros((rows, points)), np.zeros(rows)
    remaining = np.full(rows, float(duration))
    busy = np.arange(rows)
    while busy.size:
        part, now, width = medium.take(busy), content[busy], step_meV[busy]
        first = _rates(part, width, guided_fraction, now)
        step = np.minimum(first.step, remaining[busy])
        whole = step[:, None, None]
        middle = _rates(part, width, guided_fraction, now + 0.5 * whole * first.change)
        content[busy] = now + whole * middle.change
        spectrum[busy] += step[:, None] * middle.spectrum
        side[busy] += step * middle.side
        remaining[busy] -= step
        busy = busy[remaining[busy] > 0]
    return spectrum, side, content.mean(axis=1)


def _detunings_meV(dot: Dot) -> FloatArray:
    """Return an even grid of detunings for each dot that holds its emission, of shape D + E."""
    widths = band_widths_meV(dot)
    step = _STEP_WIDTHS * np.minimum(widths.emission, widths.xx_emission)
    return emission_grid_meV(dot, _WINDOW_WIDTHS, step, (2, _MOST_POINTS))
