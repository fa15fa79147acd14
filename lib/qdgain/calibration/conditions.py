"""The paper's qualitative statements on Fig 9: where the ASE spike has to be, and by how much."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from qdgain.calibration.readings import DOTS, Variant
from qdgain.model.bands import band_centres_eV
from qdgain.model.dot import Dot, FloatArray
from qdgain.model.film import ase_threshold, spike_position_eV
from qdgain.model.populations import mean_excitons_after_pulse

#: The paper states no fluence: the spike is followed from the threshold to `FLUENCE_RANGE` times it
#: (at most J_π), and its place is the one there.
CONDITIONS = (
    "3LS: the spike is at the centre of PL_X",
    "3LS+ESA: the spike is red of the centre of PL_X",
    "3LS+ESA: the spike is red of the one without ESA",
    "3LS: the spike shifts blue with fluence",
    "4LS: the spike shifts blue with fluence",
    "4LS+ESA: the spike shifts red with fluence",
)
FLUENCE_RANGE = 3.0
#: In linewidths: what still is the centre, and what already is a shift.
LARGEST_OFFSET = 0.1
SMALLEST_SHIFT = 0.02
_STRONGEST = 50.0
#: Of `DOTS`, the one that each condition is about.
_OF_CONDITION = (0, 1, 1, 0, 2, 3)


def _windows(spike: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Return between which offsets each condition wants the spike, of shape (K, 6) both."""
    start, ideal = spike[..., 0], spike[:, 0, 1]
    low = np.full((len(spike), len(CONDITIONS)), -np.inf)
    high = -low
    low[:, 0], high[:, 0] = -LARGEST_OFFSET, LARGEST_OFFSET
    high[:, 1] = -SMALLEST_SHIFT
    high[:, 2] = ideal - SMALLEST_SHIFT
    low[:, 3] = start[:, 0] + SMALLEST_SHIFT
    low[:, 4] = start[:, 2] + SMALLEST_SHIFT
    high[:, 5] = start[:, 3] - SMALLEST_SHIFT
    return low, high


def conditions(spike_offset: FloatArray) -> FloatArray:
    """Return by how many linewidths the `CONDITIONS` are met, of shape (K, 6).

    Parameters
    ----------
    spike_offset : numpy.ndarray
        Spike minus the centre of PL_X in linewidths, of shape (K, 4, 2): `DOTS`, and at the
        threshold and above it.
    """
    low, high = _windows(spike_offset)
    above = spike_offset[:, _OF_CONDITION, 1]
    return np.minimum(above - low, high - above)


def dominance(offset: FloatArray, spectrum: FloatArray, spike: FloatArray) -> FloatArray:
    """Return how much stronger emission is where a condition wants it, (K, 6), as a logarithm.

    Offset and logarithmic spectrum at the higher fluence are of shape (K, 4, E), the spike's
    offset at both of shape (K, 4, 2).
    """
    edges = _windows(spike)
    low, high = (edge[..., None] for edge in edges)
    x, y = offset[:, _OF_CONDITION], spectrum[:, _OF_CONDITION]
    window = (x >= low) & (x <= high)
    inside = np.max(np.where(window, y, -np.inf), axis=-1)
    outside = np.max(np.where(window, -np.inf, y), axis=-1)
    # The edges belong to both sides, so that nothing jumps where one passes a point of the grid.
    for edge in edges:
        there = _interpolated(x, y, edge)
        inside, outside = np.maximum(inside, there), np.maximum(outside, there)
    return np.asarray(np.clip(inside - outside, -_STRONGEST, _STRONGEST))


def _interpolated(x: FloatArray, y: FloatArray, at: FloatArray) -> FloatArray:
    """Return y at one place of each row of an even grid; minus infinity outside it."""
    place = (at - x[..., 0]) / (x[..., 1] - x[..., 0])
    inside = (place >= 0) & (place <= x.shape[-1] - 1)
    place = np.where(inside, place, 0.0)
    left = np.minimum(place.astype(int), x.shape[-1] - 2)
    y_left, y_right = (np.take_along_axis(y, left[..., None] + k, -1)[..., 0] for k in (0, 1))
    return np.where(inside, y_left + (place - left) * (y_right - y_left), -np.inf)


def public_conditions(
    dots: Mapping[str, Dot], gain_exponent: float, pi_pulse_fluence_mJ_cm2: float, variant: Variant
) -> FloatArray:
    """Return the `CONDITIONS` of four dots in a film, in linewidths, by the public functions."""
    offsets, law = [], variant.statistics
    for dot in (dots[name] for name in DOTS):
        at = ase_threshold(dot, gain_exponent, pi_pulse_fluence_mJ_cm2, law).fluence_mJ_cm2
        above = np.minimum(FLUENCE_RANGE * at, pi_pulse_fluence_mJ_cm2)
        mean = mean_excitons_after_pulse([at, above], pi_pulse_fluence_mJ_cm2, law)
        shift = spike_position_eV(dot, mean, gain_exponent, law) - band_centres_eV(dot).emission
        offsets.append(1e3 * shift / np.asarray(dot.linewidth_meV))
    return np.asarray(conditions(np.array([offsets]))[0])
