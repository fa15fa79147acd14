"""How a pump pulse distributes excitons over dots: Rabi, Poisson and sequential statistics."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import scipy
from numpy.typing import ArrayLike

from qdgain.model import parameters
from qdgain.model.dot import FloatArray


class Populations(NamedTuple):
    """Fractions of dots without exciton, with one, and with two (Poisson: two or more)."""

    ground: FloatArray
    exciton: FloatArray
    biexciton: FloatArray


def highest_mean_excitons(statistics: str = "rabi") -> float:
    """Return the largest ⟨N⟩ a statistics allows: 2, or infinity for Poisson.

    >>> highest_mean_excitons("rabi")
    2.0
    """
    return np.inf if parameters.check("statistics", statistics) == "poisson" else 2.0


def populations(mean_excitons: ArrayLike, statistics: str = "rabi") -> Populations:
    r"""Return the populations of 0, X and XX at a mean number of excitons.

    Rabi: two independent channels of occupation n = ⟨N⟩/2,
    :math:`P_0=(1-n)^2,\ P_1=2n(1-n),\ P_2=n^2`. Poisson:
    :math:`P_k = e^{-\langle N\rangle}\langle N\rangle^k/k!`, all k ≥ 2 counted as XX. Sequential:
    0 → X until ⟨N⟩ = 1, then X → XX. Of the shape of ⟨N⟩ each, and of sum 1. Raises
    `ParameterError` if ⟨N⟩ is negative, or above 2 where only two excitons fit.

    Source: Rabi, paper section 3.3 and Fig 8b; Poisson, the Standard Model as the paper quotes it
    there; sequential, assumed as the opposite limit of pumping.

    >>> [float(fraction) for fraction in populations(1.0)]
    [0.25, 0.5, 0.25]
    """
    highest = highest_mean_excitons(statistics)
    mean = np.asarray(mean_excitons, dtype=float)
    bad = ~((mean >= 0) & (mean <= highest))
    if bad.any():
        raise parameters.ParameterError(
            f"mean_excitons = {mean[bad].flat[0]:g} is not allowed: {statistics} statistics take "
            f"a number from 0 to {highest:g}."
        )
    if statistics == "rabi":
        n = 0.5 * mean
        return Populations((1 - n) ** 2, 2 * n * (1 - n), n * n)
    if statistics == "poisson":
        ground = np.exp(-mean)
        # gammainc(2, N) = 1 - e^-N (1 + N), without cancellation at small N.
        return Populations(ground, mean * ground, np.asarray(scipy.special.gammainc(2.0, mean)))
    above_one = np.maximum(mean - 1, 0)
    return Populations(np.maximum(1 - mean, 0), np.minimum(mean, 1) - above_one, above_one)


def band_edge_excitons(mean_excitons: ArrayLike) -> FloatArray:
    r"""Return how many of Poisson's excitons the two band-edge channels hold.

    :math:`P_1 + 2(1-P_0-P_1) = 2 - (2+\langle N\rangle)e^{-\langle N\rangle}`: what a band-edge
    signal sees, to compare with Rabi's law. Of the shape of ⟨N⟩.

    >>> float(band_edge_excitons(1.0).round(3))
    0.896
    """
    _, exciton, biexciton = populations(mean_excitons, "poisson")
    return exciton + 2 * biexciton


def incoherent_excitons(
    fluence_mJ_cm2: ArrayLike, saturation_fluence_mJ_cm2: float, most_excitons: float = 2.0
) -> FloatArray:
    r"""Return ⟨N⟩ where each channel is filled once and for all by the first photon it absorbs.

    :math:`\langle N\rangle = h\,(1-e^{-J/J_s})` with h = 2 for two channels: a resonant pump whose
    excitons lose phase and relax at once. Of the shape of J; the natural rival of Rabi's law.

    >>> incoherent_excitons([0.0, 0.3], 0.3).round(3).tolist()
    [0.0, 1.264]
    """
    relative = np.asarray(fluence_mJ_cm2, dtype=float) / saturation_fluence_mJ_cm2
    return np.asarray(-most_excitons * np.expm1(-relative))


def mean_excitons_after_pulse(
    fluence_mJ_cm2: ArrayLike, pi_pulse_fluence_mJ_cm2: float, statistics: str = "rabi"
) -> FloatArray:
    r"""Return ⟨N⟩ after a pump pulse.

    Rabi and sequential: :math:`\langle N\rangle = 2\sin^2\!\big(\tfrac{\pi}{2}\sqrt{J/J_\pi}\big)`;
    Poisson: :math:`\langle N\rangle = \sigma J/h\nu` with the same slope at low fluence,
    :math:`\sigma/h\nu = \pi^2/(2J_\pi)`. Of the shape of J; beyond J_π the Rabi occupation falls
    again. Source: paper section 3.3; the coherent pulse area grows as √J.

    >>> mean_excitons_after_pulse([0.0, 0.25, 1.0], 1.0).round(3).tolist()
    [0.0, 1.0, 2.0]
    """
    area = np.asarray(fluence_mJ_cm2, dtype=float) / pi_pulse_fluence_mJ_cm2
    if np.any(area < 0):
        raise parameters.ParameterError("fluence_mJ_cm2 must not be negative.")
    if parameters.check("statistics", statistics) == "poisson":
        return 0.5 * np.pi**2 * area
    return 2 * np.sin(0.5 * np.pi * np.sqrt(area)) ** 2


def fluence_for_mean_excitons(
    mean_excitons: ArrayLike, pi_pulse_fluence_mJ_cm2: float, statistics: str = "rabi"
) -> FloatArray:
    """Return the smallest pump fluence in mJ cm⁻² that gives ⟨N⟩; infinity for infinity.

    The inverse of `mean_excitons_after_pulse` up to the π pulse.

    >>> float(fluence_for_mean_excitons(1.0, 1.5).round(3))
    0.375
    """
    mean = np.asarray(mean_excitons, dtype=float)
    if parameters.check("statistics", statistics) == "poisson":
        return 2 * mean / np.pi**2 * pi_pulse_fluence_mJ_cm2
    reachable = mean <= 2
    angle = np.arcsin(np.sqrt(np.where(reachable, mean, 2.0) / 2))
    fluence = pi_pulse_fluence_mJ_cm2 * (2 / np.pi * angle) ** 2
    return np.where(reachable, fluence, np.inf)


def photons_per_fluence_cm2_mJ(pi_pulse_fluence_mJ_cm2: float) -> float:
    """Return σ/hν at low fluence, π²/(2 J_π), in cm² mJ⁻¹: ⟨N⟩ = (σ/hν) J.

    >>> round(photons_per_fluence_cm2_mJ(1.5), 3)
    3.29
    """
    return float(0.5 * np.pi**2 / pi_pulse_fluence_mJ_cm2)
