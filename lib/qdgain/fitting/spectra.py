"""Spectra to be fitted, and what the model says that one shows."""

from __future__ import annotations

from dataclasses import replace
from typing import NamedTuple, NoReturn

import numpy as np
from numpy.typing import ArrayLike

from qdgain.measured import features
from qdgain.measured.instrument_file import intensity_per_eV
from qdgain.model import parameters
from qdgain.model.bands import bands
from qdgain.model.dot import Dot, FloatArray
from qdgain.model.gain import gain
from qdgain.model.states import weights_of_bands
from qdgain.model.units import nm_from_eV, sigma_from_fwhm

#: The fewest points of a fit.
FEWEST = 12
_FINE_EV = 0.002


def refuse(reason: str) -> NoReturn:
    """Raise the sentence that says why spectra cannot be fitted."""
    raise parameters.ParameterError(f"the spectra cannot be fitted: {reason}.")


class Spectrum(NamedTuple):
    """A spectrum to be fitted: rising energies, values, and the relative noise of each."""

    energy_eV: FloatArray
    values: FloatArray
    relative_noise: FloatArray

    @property
    def ends(self) -> tuple[float, float]:
        """The lowest and the highest energy, in eV."""
        return float(self.energy_eV[0]), float(self.energy_eV[-1])

    def part(self, low: float, high: float, name: str = "") -> Spectrum:
        """Return the part between two energies; refused, by the name, if that is too short."""
        inside = (self.energy_eV >= low) & (self.energy_eV <= high)
        if name and inside.sum() < FEWEST:
            refuse(
                f"the {name} has {inside.sum()} points from {low:.4g} to {high:.4g} eV and needs "
                f"{FEWEST}"
            )
        return Spectrum(*(column[inside] for column in self))

    @property
    def scatter(self) -> float:
        """The standard deviation of the noise: third differences, which smooth curves lack."""
        differences = np.abs(np.diff(self.values, 3))
        return float(1.4826 * np.median(differences) / np.sqrt(20.0))

    def thinned(self, points: int = 160) -> Spectrum:
        """Return averages of neighbours, at least as many as `points` if there are."""
        step = max(1, self.energy_eV.size // points)
        size = self.energy_eV.size // step * step
        return Spectrum(*(column[:size].reshape(-1, step).mean(axis=1) for column in self))


def smoothed(spectrum: Spectrum, reach_eV: float = 0.06) -> tuple[FloatArray, FloatArray]:
    """Return fine energies and the spectrum there, smoothed by parabolas over a reach."""
    low, high = spectrum.ends
    fine = np.arange(low, high, _FINE_EV)
    values = np.interp(fine, spectrum.energy_eV, spectrum.values)
    points = 2 * round(0.5 * reach_eV / _FINE_EV) + 1
    return fine, features.smoothed(values, points) if fine.size >= points else values


def even_spectrum(energy_eV: ArrayLike, values: ArrayLike) -> Spectrum:
    """Return a spectrum with the same noise everywhere."""
    energy = np.asarray(energy_eV, dtype=float)
    return Spectrum(energy, np.asarray(values, dtype=float), np.ones(energy.shape))


def emission_per_eV(energy_eV: ArrayLike, intensity_per_nm: ArrayLike) -> Spectrum:
    """Return an emission spectrum per eV from one per nm whose noise was the same everywhere.

    The noise is scaled as the intensity is, so that the conversion changes no weights.
    See `qdgain.measured.instrument_file.intensity_per_eV`.
    """
    energy = np.asarray(energy_eV, dtype=float)
    factor = nm_from_eV(energy) / energy
    return Spectrum(energy, intensity_per_eV(energy, intensity_per_nm), factor / np.mean(factor))


def gaussian(energy_eV: ArrayLike, centre_eV: ArrayLike, width_meV: ArrayLike) -> FloatArray:
    """Return a Gaussian of unit peak; the width is its full width at half maximum.

    Examples
    --------
    >>> gaussian([2.0, 2.04], 2.0, 80.0).round(3).tolist()
    [1.0, 0.5]
    """
    offset = np.asarray(energy_eV, dtype=float) - np.asarray(centre_eV, dtype=float)
    return np.asarray(np.exp(-0.5 * (offset / (1e-3 * sigma_from_fwhm(width_meV))) ** 2))


class ExcitonWeights(NamedTuple):
    """What one relaxed exciton does to the absorption: bleach, emission, ESA for a = 1."""

    bleach: float
    emission: float
    absorption: float


def exciton_weights(dot: Dot) -> ExcitonWeights:
    """Return the weights of a dot's bands in ΔA of one relaxed exciton, by its reading.

    Examples
    --------
    >>> tuple(map(float, exciton_weights(Dot(reading="replacing"))))
    (1.0, 0.5, 0.5)
    >>> tuple(map(float, exciton_weights(Dot(reading="additive"))))
    (0.5, 0.5, 0.5)
    """
    kept, emission, absorption, _ = weights_of_bands(replace(dot, xx_absorption_strength=1.0)).gain[
        1
    ]
    return ExcitonWeights(*map(float, (1.0 + kept, emission, -absorption)))


def relaxed_exciton_signal(dot: Dot, energy_eV: ArrayLike) -> FloatArray:
    r"""Return the transient absorption of one relaxed exciton per dot, of shape D + E.

    :math:`\Delta A/A = -w_A A_X - w_P PL_X + w_C\,a A_{XX2}`, in units of the peak absorption and
    negative for bleach, with `exciton_weights`: the ground state is bleached, the exciton emits,
    and it absorbs into the biexciton. This is σ_NL/σ_A minus its value without excitons, for
    P₁ = 1 and P₂ = 0. Source: paper section 3.3.
    """
    # Under sequential statistics every dot holds exactly one exciton at ⟨N⟩ = 1.
    return -gain(dot, energy_eV, 1.0, "sequential") - bands(dot, energy_eV).absorption


def earliest_delay_ps(relaxation_time_fs: float, left: float = 0.01) -> float:
    r"""Return the delay after which only a part `left` of the excitons is still in X_A.

    :math:`-\tau_{AE}\ln(\text{left})`: exponential relaxation from X_A to X_E, whose time is that
    of paper section 3.1.
    """
    relaxation = parameters.check("relaxation_time_fs", relaxation_time_fs)
    return float(-1e-3 * relaxation * np.log(left))
