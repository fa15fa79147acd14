r"""Line shapes of an exciton coupled to phonons, which are in detailed balance by construction.

The exciton displaces harmonic oscillators and leaves their frequencies as they are: one optical
phonon, which gives a progression of lines, and low-energy (acoustic) modes, which are taken as
classical and broaden every line into a Gaussian. Energies count from the zero-phonon energy E_Z.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import NamedTuple

import numpy as np
import scipy
from numpy.typing import ArrayLike

from qdgain.model import parameters, units
from qdgain.model.bands import FWHM_PER_SIGMA
from qdgain.model.dot import Dot, FloatArray
from qdgain.model.parameters import ParameterError
from qdgain.model.search import lowest_by_zooms

#: The optical phonon has at most so much of the Stokes shift, so that its lines keep a width.
MOST_OPTICAL = 0.95
#: A progression is cut so many standard deviations, and lines, from its middle.
_REACH, _MORE_LINES = 12.0, 12
#: Lines count that weigh more than this, the largest as one. Energies are searched so many widths
#: of a line beyond them, so many to a width, and at most so many in all.
_LEAST_WEIGHT, _LINE_REACH, _PER_WIDTH, _MOST_POINTS = 1e-13, 8.0, 4.0, 40_000
_HALVINGS, _ZOOMS, _ZOOM_POINTS = 45, 5, 33


class Band(NamedTuple):
    """A band's peak above E_Z and its full width at half maximum, in meV, of shape D."""

    peak_meV: FloatArray
    linewidth_meV: FloatArray


class Onset(NamedTuple):
    """⟨N⟩ at the onset (infinity if out of reach) and its energy above E_Z in meV, of shape D."""

    mean_excitons: FloatArray
    detuning_meV: FloatArray


@dataclass(frozen=True, eq=False)
class Oscillators:
    r"""One optical phonon and classical low-energy modes, displaced by the exciton.

    The Huang-Rhys factor :math:`S_{HR}` and energy ħω of the phonon, the reorganisation energy λ of
    the low-energy modes, and the temperature of all broadcast to the shape D. A ParameterError
    refuses a factor below zero, or one of the others not above zero.

    The band A_X has its mean at :math:`S_{HR}\hbar\omega+\lambda` and the variance
    :math:`S_{HR}(\hbar\omega)^2\coth(\hbar\omega/2kT)+2\lambda kT`; PL_X is its mirror image at
    E_Z. Source: Huang and Rhys 1950, DOI 10.1098/rspa.1950.0184.
    """

    huang_rhys: FloatArray
    phonon_energy_meV: FloatArray
    low_energy_reorganisation_meV: FloatArray
    temperature_K: FloatArray

    def __post_init__(self) -> None:
        factor = np.asarray(self.huang_rhys, dtype=float)
        if not (np.isfinite(factor) & (factor >= 0)).all():
            raise ParameterError("huang_rhys is not allowed: give a number not below 0.")
        names = tuple(self.__dataclass_fields__)
        columns = [factor, *(units.positive(name, getattr(self, name)) for name in names[1:])]
        for name, column in zip(names, np.broadcast_arrays(*columns), strict=True):
            object.__setattr__(self, name, column)

    @property
    def thermal_energy_meV(self) -> FloatArray:
        """The energy kT, of shape D."""
        return units.thermal_energy_meV(self.temperature_K)

    @property
    def reorganisation_meV(self) -> FloatArray:
        """The reorganisation energy of all modes: the mean of A_X above E_Z."""
        return self.huang_rhys * self.phonon_energy_meV + self.low_energy_reorganisation_meV

    @property
    def stokes_shift_meV(self) -> FloatArray:
        """The mean of A_X minus that of PL_X: twice the reorganisation energy."""
        return 2 * self.reorganisation_meV

    @property
    def line_width_meV(self) -> FloatArray:
        """The standard deviation of each line of the progression, √(2λkT)."""
        return np.sqrt(2 * self.low_energy_reorganisation_meV * self.thermal_energy_meV)

    @property
    def width_meV(self) -> FloatArray:
        """The standard deviation of a whole band."""
        phonon = self.phonon_energy_meV
        optical = self.huang_rhys * phonon**2 / np.tanh(0.5 * phonon / self.thermal_energy_meV)
        return np.sqrt(optical + self.line_width_meV**2)

    @cached_property
    def progression(self) -> tuple[FloatArray, FloatArray]:
        r"""Energies of the lines above E_Z, and their logarithmic weights, each of shape D + (P,).

        The line that takes up p phonons more than it gives back has the weight
        :math:`W_p=e^{-S_{HR}\coth x}\,e^{px}\,I_p(S_{HR}/\sinh x)`, :math:`x=\hbar\omega/2kT`.
        """
        phonon = self.phonon_energy_meV[..., None]
        factor = self.huang_rhys[..., None]
        x = 0.5 * phonon / self.thermal_energy_meV[..., None]
        spread = np.sqrt(np.max(factor / np.tanh(x)))
        most = int(np.ceil(np.max(factor) + _REACH * spread + _MORE_LINES))
        p = np.arange(-most, most + 1.0)
        z = 2 * factor * np.exp(-x) / -np.expm1(-2 * x)
        with np.errstate(divide="ignore", invalid="ignore"):
            scaled = scipy.special.ive(p, z)
            # Where it is too small for the Bessel function, its series has one term.
            size = np.abs(p)
            series = scipy.special.xlogy(size, 0.5 * z) - scipy.special.gammaln(size + 1)
            log_bessel = np.where(scaled > 1e-290, np.log(scaled) + z, series)
        weights = log_bessel + p * x - factor / np.tanh(x)
        lines = p * phonon + self.low_energy_reorganisation_meV[..., None]
        return lines, weights

    def search_energies_meV(self) -> FloatArray:
        """Return energies above E_Z that resolve every line of A_X, of shape D + (E,)."""
        lines, weights = self.progression
        top = np.max(weights, axis=-1, keepdims=True)
        seen = np.where(weights - top > np.log(_LEAST_WEIGHT), lines, np.nan)
        beyond = _LINE_REACH * self.line_width_meV
        low, high = np.nanmin(seen, axis=-1) - beyond, np.nanmax(seen, axis=-1) + beyond
        points = _PER_WIDTH * np.max((high - low) / self.line_width_meV)
        unit = np.linspace(0, 1, int(min(np.ceil(points) + 1, _MOST_POINTS)))
        return np.asarray(low[..., None] + (high - low)[..., None] * unit)


def oscillators_for(
    stokes_shift_meV: ArrayLike,
    huang_rhys: ArrayLike,
    phonon_energy_meV: ArrayLike,
    temperature_K: ArrayLike,
) -> Oscillators:
    """Return the oscillators whose bands have a Stokes shift between their means.

    What the optical phonon leaves of the Stokes shift, which is above zero, is the low-energy
    modes'. Where it leaves less than a twentieth, the Huang-Rhys factor is lowered to that.
    """
    half = 0.5 * units.positive("stokes_shift_meV", stokes_shift_meV)
    phonon = units.positive("phonon_energy_meV", phonon_energy_meV)
    factor = np.minimum(np.asarray(huang_rhys, dtype=float), MOST_OPTICAL * half / phonon)
    kelvin = np.asarray(temperature_K, dtype=float)
    return Oscillators(factor, phonon, half - factor * phonon, kelvin)


def gaussian_dot(modes: Oscillators) -> Dot:
    """Return the dot with the Stokes shift and the standard deviation of displaced oscillators."""
    shift = parameters.clipped("stokes_shift_meV", modes.stokes_shift_meV)
    width = parameters.clipped("linewidth_meV", FWHM_PER_SIGMA * modes.width_meV)
    return Dot(linewidth_meV=width, stokes_shift_meV=shift).uncorrelated()


def log_absorption(modes: Oscillators, detuning_meV: ArrayLike) -> FloatArray:
    """Return ln A_X, with A_X in 1/meV and of area one, of the shape of the detuning.

    A sum of Gaussians, one a line, weighted with `Oscillators.progression`. The detuning, photon
    energy minus E_Z, is of a shape that broadcasts with D + (E,).
    """
    lines, weights = modes.progression
    width = modes.line_width_meV[..., None, None]
    z = (np.asarray(detuning_meV, dtype=float)[..., None] - lines[..., None, :]) / width
    logs = weights[..., None, :] - 0.5 * z * z
    top = np.max(logs, axis=-1, keepdims=True)
    total = np.sum(np.exp(logs - top), axis=-1)
    return np.asarray(np.log(total / (width[..., 0] * np.sqrt(2 * np.pi))) + top[..., 0])


def log_emission(modes: Oscillators, detuning_meV: ArrayLike) -> FloatArray:
    """Return ln PL_X as a cross section, the mirror image of A_X at E_Z; as `log_absorption`."""
    return log_absorption(modes, -np.asarray(detuning_meV, dtype=float))


def absorption_band(modes: Oscillators) -> Band:
    """Return the peak of A_X and its width between the outermost places at half of it.

    Of a resolved progression the width spans every line that is half as high; PL_X mirrors both.
    """
    energy = modes.search_energies_meV()
    peak, lowest = lowest_by_zooms(
        lambda x: -log_absorption(modes, x), energy, _ZOOMS, _ZOOM_POINTS
    )
    half = -lowest[..., None] - np.log(2)
    above = log_absorption(modes, energy) >= half
    last = above.shape[-1] - 1
    edges, last_above = [], last - np.argmax(above[..., ::-1], axis=-1)
    for inside, step in ((np.argmax(above, axis=-1), -1), (last_above, 1)):
        ends = (inside, np.clip(inside + step, 0, last))
        low, high = (np.take_along_axis(energy, end[..., None], axis=-1) for end in ends)
        for _ in range(_HALVINGS):
            middle = 0.5 * (low + high)
            within = log_absorption(modes, middle) >= half
            low, high = np.where(within, middle, low), np.where(within, high, middle)
        edges.append(0.5 * (low + high)[..., 0])
    return Band(peak, edges[1] - edges[0])


def threshold_onset(modes: Oscillators, floor: float) -> Onset:
    """Return the lowest ⟨N⟩ without excited-state absorption at which the gain reaches a floor.

    As `qdgain.threshold_onset` for Gaussians: the least of 2(A_X + ε)/(A_X + PL_X) over photon
    energy, with the floor ε > 0 in units of the peak of A_X. Rabi or sequential statistics.
    """
    energy = -modes.search_energies_meV()[..., ::-1]
    peak = absorption_band(modes).peak_meV
    log_floor = np.log(floor) + log_absorption(modes, peak[..., None])

    def log_threshold(x: FloatArray) -> FloatArray:
        loss, emission = log_absorption(modes, x), log_emission(modes, x)
        return np.asarray(np.logaddexp(loss, log_floor) - np.logaddexp(loss, emission))

    where, log = lowest_by_zooms(log_threshold, energy, _ZOOMS, _ZOOM_POINTS)
    # Half of ⟨N⟩ is an occupation, which cannot be above one.
    return Onset(np.where(log <= 0, 2 * np.exp(log), np.inf), where)
