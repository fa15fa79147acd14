"""Averages over the dots of a sample: size, orientation, depth in the film, place in the beam.

Each dot of a sample feels its own *relative fluence* f, the factor by which its pulse area squared
differs from the mean. Every distribution here has the mean 1, so that the straight line ⟨N⟩ = σJ/hν
at low fluence is that of the sample, and J the fluence that an average dot feels while the film is
not yet bleached.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from typing import NamedTuple

import numpy as np
import scipy
from numpy.typing import ArrayLike

from qdgain.beyond.driven_ladder import ladder_populations, transform_limit_meV
from qdgain.model import parameters
from qdgain.model.bands import FWHM_PER_SIGMA
from qdgain.model.dot import FloatArray
from qdgain.model.first_exciton import YU_POWER
from qdgain.model.populations import mean_excitons_after_pulse
from qdgain.model.states import weights_at

#: Nodes: of the size, over so many standard deviations to each side; of orientation, depth, beam.
#: ⟨N⟩ is known to 1e-5 at the defaults, and to some 1e-3 in dense films under wide beams.
_SIZE_NODES, _SIZE_SPAN = 17, 4.5
_ORIENTATION_NODES, _DEPTH_NODES, _BEAM_NODES = 10, 4, 8
#: Runge-Kutta steps between two depths.
_DEPTH_STEPS = 4
#: A probe spot below this part of the pump's sees one fluence.
_SMALLEST_SPOT = 0.05
#: Largest distance between nodes in widths of a band, before each node stands for a Gaussian.
_WIDEST_STEP = 1.0
#: Of ⟨N⟩ against √J for the film's equation, and of a detuned ladder per √(J/J_π).
_CURVE_POINTS, _LADDER_POINTS = 201, 100


@dataclass(frozen=True)
class Ensemble:
    """What distinguishes the dots of a sample; the default is a sample of equal dots.

    Fields, their units and ranges are those of the contract; `resonant_pump` stands for its
    ``pump_band``, and the detuning of the second step counts with Rabi statistics only. All bands
    of a dot shift together, and larger dots are redder and absorb more. Pump and probe are Gaussian
    in time and space; dots whose band lies off a resonant pump are pumped less.
    """

    inhomogeneous_width_meV: float = 0.0
    size_dispersion: float = 0.0
    resonant_pump: bool = False
    pump_duration_fs: float = 70.0
    dipole_dimensions: int = 3
    probe_polarisation: str = "magic-angle"
    second_step_detuning_meV: float = 0.0
    pump_optical_density: float = 0.0
    probe_spot_ratio: float = 0.0

    @property
    def incident_per_mean(self) -> float:
        """Fluence in front of an unbleached film over the mean in it."""
        depth = math.log(10) * self.pump_optical_density
        return depth / -math.expm1(-depth) if depth else 1.0

    @property
    def peak_per_mean(self) -> float:
        """Fluence at the centre of the beam over the mean across the probed spot."""
        return 1 + self.probe_spot_ratio**2


class Sizes(NamedTuple):
    """Classes of dots by size: weights of sum 1, strengths and relative fluences of mean 1.

    Each class stands for its neighbours too: it adds a width, a standard deviation, to its bands.
    """

    weight: FloatArray
    shift_meV: FloatArray
    strength: FloatArray
    fluence: FloatArray
    own_width_meV: float


def sizes(ensemble: Ensemble, absorption_width_meV: float) -> Sizes:
    r"""Return the classes of size, evenly spaced in the standard normal variable z.

    Shift :math:`-s_{inh}z`, strength :math:`\propto e^{2.65\,\delta z}` (Yu 2003, DOI
    10.1021/cm034081k), and relative fluence strength times the overlap of pump and band,
    :math:`\exp[-\tfrac12(s_{inh}z)^2/(s_A^2+s_p^2)]`, with s_A the standard deviation of a dot's
    own A_X. Assumed: that energy and strength vary together, and that a detuned dot's pulse area
    squared falls like that overlap, which is exact to first order in the fluence.
    """
    spread = ensemble.inhomogeneous_width_meV / FWHM_PER_SIGMA
    if not spread and not ensemble.size_dispersion:
        one = np.ones(1)
        return Sizes(one, np.zeros(1), one, one, 0.0)
    z = np.linspace(-_SIZE_SPAN, _SIZE_SPAN, _SIZE_NODES)
    # Where bands are narrower than the step, each node stands for a Gaussian as wide as the step.
    step = float(z[1] - z[0])
    own = step if step * spread > _WIDEST_STEP * absorption_width_meV else 0.0
    weight = np.exp(-0.5 * z * z / (1 - own * own))
    weight /= weight.sum()
    strength = np.exp(YU_POWER * ensemble.size_dispersion * z)
    strength /= weight @ strength
    fluence = strength
    if ensemble.resonant_pump:
        pump = float(transform_limit_meV(ensemble.pump_duration_fs)) / FWHM_PER_SIGMA
        overlap = absorption_width_meV**2 + pump**2 + (own * spread) ** 2
        fluence = strength * np.exp(-0.5 * (spread * z) ** 2 / overlap)
        fluence = fluence / (weight @ fluence)
    return Sizes(weight, -spread * z, strength, fluence, own * spread)


class Orientations(NamedTuple):
    """Classes of orientation: weight (sum 1), relative fluence and strength of the gain."""

    weight: FloatArray
    fluence: FloatArray
    strength: FloatArray


def orientations(dipole_dimensions: int, probe_polarisation: str) -> Orientations:
    r"""Return the classes of orientation of randomly oriented dots under a linearly polarised pump.

    With θ the angle between the pump's field and the linear dipole, or the normal of the plane:
    relative fluence :math:`3\cos^2\theta` (a linear dipole), :math:`\tfrac32\sin^2\theta` (a plane)
    or 1 (three dimensions). The gain for a parallel probe has the same weight; for a perpendicular
    one half of what is left of 3; at the magic angle, 1. Any field in a plane drives its two
    degenerate transitions alike, so that both channels share one pulse area. Rotation and energy
    transfer, which mix orientations, are left out.
    """
    if dipole_dimensions == 3:
        one = np.ones(1)
        return Orientations(one, one, one)
    node, weight = np.polynomial.legendre.leggauss(2 * _ORIENTATION_NODES)
    half = node > 0
    cosine, weight = node[half], weight[half]
    along = 3 * cosine**2 if dipole_dimensions == 1 else 1.5 * (1 - cosine**2)
    strength = {
        "magic-angle": np.ones_like(along),
        "parallel": along,
        "perpendicular": 0.5 * (3 - along),
    }[probe_polarisation]
    return Orientations(weight, along, strength)


def beam(probe_spot_ratio: float) -> tuple[FloatArray, FloatArray]:
    r"""Return weights (sum 1) and relative fluences (mean 1) across the probed spot.

    A Gaussian pump seen by a Gaussian probe: u = fluence/peak has the density
    :math:`m\,u^{m-1}` on (0, 1) with m = 1/ratio², so that f = u (m+1)/m. Gauss-Jacobi, which is
    exact for polynomials in u.
    """
    if probe_spot_ratio < _SMALLEST_SPOT:
        return np.ones(1), np.ones(1)
    m = probe_spot_ratio**-2.0
    node, weight = scipy.special.roots_jacobi(_BEAM_NODES, 0.0, m - 1)
    return weight / weight.sum(), 0.5 * (1 + node) * (m + 1) / m


def fluence_in_depth(
    relative_fluence: ArrayLike,
    optical_depth: float,
    mean_excitons: Callable[[FloatArray], FloatArray],
    nodes: ArrayLike,
) -> FloatArray:
    r"""Return the pump fluence inside a film in which each exciton costs one photon.

    .. math::
        \frac{dj}{dx} = -\tau\,\frac{2}{\pi^2}\,\langle N\rangle(j)

    with j = J/J_π, x the depth over the thickness and τ the natural optical depth of the unpumped
    film. At low fluence ⟨N⟩ = π²j/2 and the law is Beer's; where the dots saturate the film lets
    the pump through. From j in front of the film, of shape N, to rising depths x from 0 to 1, of
    shape X: of shape N + X. Assumed: energy is conserved and a coherent pulse keeps its shape; the
    paper's film is thin (section 3.3) and has no attenuation.
    """
    j = np.asarray(relative_fluence, dtype=float)

    def slope(j: FloatArray) -> FloatArray:
        return -optical_depth * 2 / np.pi**2 * mean_excitons(np.maximum(j, 0.0))

    found, x = [], 0.0
    for node in np.asarray(nodes, dtype=float):
        h = (float(node) - x) / _DEPTH_STEPS
        for _ in range(_DEPTH_STEPS):
            k1 = slope(j)
            k2 = slope(j + 0.5 * h * k1)
            k3 = slope(j + 0.5 * h * k2)
            k4 = slope(j + h * k3)
            j = np.maximum(j + h / 6 * (k1 + 2 * k2 + 2 * k3 + k4), 0.0)
        x = float(node)
        found.append(j)
    return np.stack(found, axis=-1)


class Pumped(NamedTuple):
    """A pumped sample: ⟨N⟩ of shape N, and how many of them the band edge holds.

    Populations of the K states of shape N + (B, K, Z) for B parts of the beam and Z sizes, averaged
    over orientation and depth, times the weight and strength of each size.
    """

    mean_excitons: FloatArray
    band_edge_excitons: FloatArray
    populations: FloatArray
    beam_weight: FloatArray


def pumped(
    relative_fluence: ArrayLike,
    ensemble: Ensemble,
    absorption_width_meV: float,
    statistics: str = "rabi",
    states: int = 3,
) -> Pumped:
    """Return a sample after a pump pulse of the mean fluence J/J_π, of shape (N,).

    The width, a standard deviation of a dot's own A_X, decides what a resonant pump excites; the
    statistics are those of dots of one relative fluence, of so many states.
    """
    parameters.check("statistics", statistics)
    size = sizes(ensemble, absorption_width_meV)
    turn = orientations(ensemble.dipole_dimensions, ensemble.probe_polarisation)
    spot_weight, spot = beam(ensemble.probe_spot_ratio)

    feels = size.fluence[:, None] * turn.fluence
    j = np.asarray(relative_fluence, dtype=float)
    front = j[:, None] * spot * ensemble.incident_per_mean
    highest = float(np.max(front, initial=0.0) * feels.max())
    law = _law(statistics, ensemble, highest, states)

    def absorbed(local: FloatArray) -> FloatArray:
        _, every = law(local[..., None, None] * feels)
        return np.asarray((every @ turn.weight) @ size.weight)

    depth_weight, local = _in_film(front, ensemble, absorbed)

    # Axes: fluence, beam, depth, size, orientation; the states lead.
    excited, every = law(local[..., None, None] * feels)
    through = depth_weight[:, None]
    mean, held = (
        spot_weight @ ((part @ turn.weight * through).sum(axis=-2) @ size.weight)[..., None]
        for part in (every, np.tensordot(np.arange(1.0, states), excited, 1))
    )
    shares = (excited @ (turn.weight * turn.strength) * through).sum(axis=-2)
    by_size = np.moveaxis(np.concatenate([1 - shares.sum(axis=0, keepdims=True), shares]), 0, -2)
    return Pumped(mean[..., 0], held[..., 0], by_size * (size.weight * size.strength), spot_weight)


def _in_film(
    front: FloatArray, ensemble: Ensemble, absorbed: Callable[[FloatArray], FloatArray]
) -> tuple[FloatArray, FloatArray]:
    """Return weights of depths, and J/J_π there behind each value in front of the film."""
    optical_depth = math.log(10) * ensemble.pump_optical_density
    if not optical_depth:
        return np.ones(1), front[..., None]
    node, weight = np.polynomial.legendre.leggauss(_DEPTH_NODES)
    # A curve for the film's equation, which asks for ⟨N⟩ at every step; over j, so that its start
    # is Beer's law.
    grid = np.linspace(0.0, math.sqrt(float(front.max(initial=1e-9))), _CURVE_POINTS)[1:]
    per_fluence = np.append(0.5 * np.pi**2, absorbed(grid**2) / grid**2)
    curve = scipy.interpolate.CubicSpline(np.append(0.0, grid), per_fluence)
    return 0.5 * weight, fluence_in_depth(
        front, optical_depth, lambda j: j * curve(np.sqrt(j)), 0.5 * (1 + node)
    )


def _law(
    statistics: str, ensemble: Ensemble, highest: float, states: int
) -> Callable[[FloatArray], tuple[FloatArray, FloatArray]]:
    """Return P₁, P₂, … and ⟨N⟩ as a function of J/J_π, for values up to the highest."""
    detuning, duration = ensemble.second_step_detuning_meV, ensemble.pump_duration_fs
    # A few ladders serve all samples.
    amplitude = 2.0 ** math.ceil(math.log2(math.sqrt(max(highest, 1.0))))

    def driven(j: FloatArray) -> tuple[FloatArray, FloatArray]:
        curve = _ladder_curve(detuning, duration, amplitude)
        excited = np.moveaxis(curve(np.sqrt(j)), -1, 0)
        return excited, excited[0] + 2 * excited[1]

    def closed(j: FloatArray) -> tuple[FloatArray, FloatArray]:
        mean = mean_excitons_after_pulse(j, 1.0, statistics)
        return np.moveaxis(weights_at(mean, statistics, states), -1, 0)[1:], mean

    return driven if statistics == "rabi" and detuning else closed


@cache
def _ladder_curve(
    detuning_meV: float, duration_fs: float, highest_amplitude: float
) -> scipy.interpolate.CubicSpline:
    """Return P₁ and P₂ of a detuned ladder against √(J/J_π)."""
    amplitude = np.linspace(0.0, highest_amplitude, int(_LADDER_POINTS * highest_amplitude) + 1)
    _, *some = ladder_populations(np.pi * amplitude, detuning_meV, duration_fs)
    return scipy.interpolate.CubicSpline(amplitude, np.stack(some, axis=-1))
