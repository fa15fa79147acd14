"""The five bands of Fig 8a: Gaussians of unit peak."""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike

from qdgain.model.dot import Dot, FloatArray, Number

#: FWHM of a Gaussian over its standard deviation, 2√(2 ln 2).
FWHM_PER_SIGMA = 2.0 * math.sqrt(2.0 * math.log(2.0))


class Bands(NamedTuple):
    """The five bands, or one quantity of each: paper Fig 8a."""

    absorption: FloatArray
    emission: FloatArray
    unrelaxed_xx_absorption: FloatArray
    xx_absorption: FloatArray
    xx_emission: FloatArray


def band_offsets_meV(dot: Dot) -> Bands:
    """Return the centre of each band minus the centre of A_X, each of shape D, in meV.

    PL_X lies at -S, A_XX1 at -Δ_A1, A_XX2 at -Δ_A2 and PL_XX at -(S + Δ_E). Source: paper section
    3.3.

    >>> float(band_offsets_meV(Dot(stokes_shift_meV=40.0)).emission)
    -40.0
    """
    stokes = np.asarray(dot.stokes_shift_meV)
    return Bands(
        np.zeros(()),
        -stokes,
        -np.asarray(dot.unrelaxed_absorptive_binding_meV),
        -np.asarray(dot.absorptive_binding_meV),
        -(stokes + np.asarray(dot.emissive_binding_meV)),
    )


def band_widths_meV(dot: Dot) -> Bands:
    """Return the standard deviation s of each band, each of shape D, in meV.

    >>> float(band_widths_meV(Dot(linewidth_meV=80.0)).absorption.round(2))
    33.97
    """
    shared = np.asarray(np.asarray(dot.linewidth_meV, dtype=float) / FWHM_PER_SIGMA)

    def width(own: Number | None) -> FloatArray:
        return shared if own is None else np.asarray(own, dtype=float) / FWHM_PER_SIGMA

    return Bands(
        width(dot.absorption_linewidth_meV),
        width(dot.emission_linewidth_meV),
        width(dot.unrelaxed_xx_absorption_linewidth_meV),
        width(dot.xx_absorption_linewidth_meV),
        width(dot.xx_emission_linewidth_meV),
    )


def expand(value: ArrayLike, dot: Dot, axes: int) -> FloatArray:
    """Return a quantity of shape D (or broadcasting to it) with `axes` new axes at its end.

    >>> expand(1.0, Dot(stokes_shift_meV=[1.0, 2.0]), 1).shape
    (2, 1)
    """
    array = np.asarray(value, dtype=float)
    if array.shape != dot.shape:
        array = np.broadcast_to(array, dot.shape)
    return array.reshape(dot.shape + (1,) * axes)


def log_band(detuning: FloatArray, centre: FloatArray, width: FloatArray) -> FloatArray:
    """Return the natural logarithm of a Gaussian of unit peak and standard deviation `width`.

    >>> float(log_band(np.array(2.0), np.array(0.0), np.array(1.0)))
    -2.0
    """
    return np.asarray(-0.5 * ((detuning - centre) / width) ** 2)


def log_bands(dot: Dot, detuning_meV: ArrayLike) -> Bands:
    """Return the natural logarithm of each band, -((E - centre)/s)²/2, at a detuning from A_X.

    The detuning, photon energy minus the centre of A_X, is of a shape that broadcasts with
    D + (1, …).

    >>> float(log_bands(Dot(linewidth_meV=80.0), 40.0).absorption.round(3))
    -0.693
    """
    detuning = np.asarray(detuning_meV, dtype=float)
    axes = max(detuning.ndim - len(dot.shape), 0)
    return Bands(
        *(
            log_band(detuning, expand(centre, dot, axes), expand(width, dot, axes))
            for centre, width in zip(band_offsets_meV(dot), band_widths_meV(dot), strict=True)
        )
    )


def detuning_from_absorption_meV(dot: Dot, energy_eV: ArrayLike) -> FloatArray:
    """Return photon energies minus the centre of A_X in meV, of shape D + E.

    >>> float(detuning_from_absorption_meV(Dot(absorption_energy_eV=2.0), 2.04).round(6))
    40.0
    """
    energy = np.asarray(energy_eV, dtype=float)
    return 1e3 * (energy - expand(dot.absorption_energy_eV, dot, energy.ndim))


def bands(dot: Dot, energy_eV: ArrayLike) -> Bands:
    """Return the five bands of unit peak at photon energies.

    For a dot of shape D and energies of shape E, five arrays of shape D + E, in units of the peak
    of A_X. Source: paper section 3.3 and Fig 8a.

    >>> bands(Dot(linewidth_meV=80.0), [2.0, 2.04]).absorption.round(3).tolist()
    [1.0, 0.5]
    """
    logs = log_bands(dot, detuning_from_absorption_meV(dot, energy_eV))
    shape = dot.shape + np.shape(energy_eV)
    every = (np.exp(log) for log in logs)
    return Bands(*(b if b.shape == shape else np.broadcast_to(b, shape) for b in every))


def band_centres_eV(dot: Dot) -> Bands:
    """Return the centre of each band in eV, each of shape D.

    >>> float(band_centres_eV(Dot(stokes_shift_meV=40.0)).emission.round(3))
    1.96
    """
    absorption = np.asarray(dot.absorption_energy_eV)
    return Bands(
        *(
            np.broadcast_to(absorption + 1e-3 * offset, dot.shape)
            for offset in band_offsets_meV(dot)
        )
    )


def energy_window_eV(dot: Dot, widths: float = 3.0, points: int = 301) -> FloatArray:
    """Return evenly spaced photon energies that hold every band of every dot.

    The window ends `widths` standard deviations beyond the outermost band centres.

    >>> energy_window_eV(Dot(linewidth_meV=80.0), points=5).shape
    (5,)
    """
    centres, sigmas = band_centres_eV(dot), band_widths_meV(dot)
    low = min(np.min(c - 1e-3 * widths * s) for c, s in zip(centres, sigmas, strict=True))
    high = max(np.max(c + 1e-3 * widths * s) for c, s in zip(centres, sigmas, strict=True))
    return np.linspace(low, high, points)
