"""The onset of gain of many dots at once, by `qdgain.fast.search`."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

from qdgain.fast.laws import LAWS
from qdgain.fast.search import Columns, lowest_threshold
from qdgain.model import parameters
from qdgain.model.bands import band_offsets_meV, band_widths_meV
from qdgain.model.dot import Dot, FloatArray
from qdgain.model.states import weights_of_bands
from qdgain.model.threshold import Threshold
from qdgain.model.threshold import threshold_onset as plain_onset

#: Dots at once, which the search sorts.
_ONSETS_AT_ONCE = 1 << 17


def threshold_onset(dot: Dot, floor: ArrayLike, statistics: str = "rabi") -> Threshold:
    """Return what `qdgain.model.threshold.threshold_onset` does, much faster for many dots.

    Arguments, shapes and errors are its own. What this search has no columns for, degenerate dots
    that still absorb or gain with more than two excitons, is left to it.
    """
    law = LAWS[parameters.check("statistics", statistics)]
    states = dot.electron_states, dot.hole_states
    beyond = min(states) > 2 or (max(states) > 2 and statistics == "poisson")
    if dot.reading == "degenerate" and beyond:
        return plain_onset(dot, floor, statistics)
    epsilon = np.broadcast_to(parameters.check("floor", floor), dot.shape).ravel()
    mean, detuning = np.empty((2, epsilon.size))
    for where, some in dot.blocks(_ONSETS_AT_ONCE):
        mean[where], detuning[where] = lowest_threshold(_columns(some, epsilon[where]), law)
    energy = dot.absorption_energy_eV + 1e-3 * detuning.reshape(dot.shape)
    return Threshold(mean.reshape(dot.shape), np.asarray(energy))


def _columns(dot: Dot, epsilon: FloatArray) -> Columns:
    """Return what the search for the onset needs of dots."""
    offsets, widths = band_offsets_meV(dot), band_widths_meV(dot)
    weights = weights_of_bands(dot)
    (_, exciton, biexciton), (_, left, absorbing) = weights.emission[:3], weights.absorption[:3]
    # Without a PL_XX of its own a biexciton emits where an exciton does.
    own_band = bool(np.any(biexciton[3]))
    last, strength = ("xx_emission", 3) if own_band else ("emission", 1)

    def rows(*columns: ArrayLike) -> FloatArray:
        result = np.empty((len(columns), epsilon.size))
        for row, column in zip(result, columns, strict=True):
            row[:] = column
        return result

    def part(weight: ArrayLike, whole: ArrayLike = 1.0) -> FloatArray | None:
        if not np.any(weight):
            return None
        whole = np.asarray(whole, dtype=float)
        ratio = np.divide(weight, whole, out=np.zeros_like(whole * weight), where=whole > 0)
        return np.array(np.broadcast_to(ratio, dot.shape).ravel())

    names = ("absorption", "emission", "xx_absorption", last)
    width = [getattr(widths, name) for name in names]
    own = (getattr(dot, f"{name}_linewidth_meV") for name in names)
    esa = 2 * np.asarray(left[2])
    return Columns(
        rows(*(getattr(offsets, name) for name in names)),
        rows(width[0]) if all(x is None for x in own) else rows(*width),
        rows(2 * np.asarray(exciton[1]), esa, biexciton[strength]),
        epsilon,
        part(2 * np.asarray(left[0])),
        part(absorbing[2], esa),
    )
