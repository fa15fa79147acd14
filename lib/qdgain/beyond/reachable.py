r"""What thermal equilibrium leaves of a design: the lowest threshold of bands of one linewidth.

In equilibrium S = s²/kT ties the exciton's emission to its absorption (`qdgain.model.balance`),
and the same law ties PL_XX to A_XX2: the biexciton's Stokes shift S + Δ_E - Δ_A2 is s²/kT too. With
one homogeneous width for all bands both together leave a single free position, Δ_A2 = Δ_E = Δ. A
spread of sizes adds to s² and not to the shifts, so that for a measured width s²/kT is the largest
Stokes shift of each.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import ArrayLike

from qdgain.beyond.levers import FLOOR, threshold_of
from qdgain.model import parameters, units
from qdgain.model.balance import balanced_stokes_shift_meV
from qdgain.model.bands import FWHM_PER_SIGMA, band_offsets_meV
from qdgain.model.dot import Dot, FloatArray

#: The binding is searched from where PL_XX would leave A_X to the blue to so many standard
#: deviations to the red.
_REACH = 6.0
_POINTS, _ZOOMS = 49, 2
_WIDTHS, _WIDTH_ZOOMS = 5, 5
_LARGEST_RATIO, _ZERO = 900.0, 1e-300


class Lowest(NamedTuple):
    """The lowest threshold at given linewidths, and the binding Δ that gives it."""

    threshold: FloatArray
    binding_meV: FloatArray


def biexciton_stokes_shift_meV(dot: Dot) -> FloatArray:
    """Return S + Δ_E - Δ_A2, by how much PL_XX lies red of A_XX2, of shape D.

    Notes
    -----
    The biexciton's counterpart of S. Source: the bands of paper section 3.3; that real dots have
    it, DOI 10.1103/PhysRevB.80.081310.
    """
    offsets = band_offsets_meV(dot)
    return np.broadcast_to(offsets.xx_absorption - offsets.xx_emission, dot.shape)


def lowest_balanced(
    dot: Dot,
    linewidth_meV: ArrayLike,
    temperature_K: float,
    *,
    definition: str = "at gain maximum",
    floor: float = FLOOR,
    statistics: str = "rabi",
) -> Lowest:
    r"""Return the lowest threshold that equilibrium leaves at given linewidths.

    Parameters
    ----------
    dot : Dot
        A single dot, whose strengths a and γ count.
    linewidth_meV : array_like
        Γ of shape W.
    temperature_K : float
        Temperature.
    definition, floor, statistics
        As for `qdgain.beyond.levers.threshold`.

    Returns
    -------
    Lowest
        ⟨N⟩ and Δ of shape W. The binding is searched with the biexciton's emission red of A_X.

    Raises
    ------
    ParameterError
        If a value is refused.

    Notes
    -----
    At the gain maximum and Rabi statistics no dot with smaller Stokes shifts lies lower: at a given
    photon energy red of S, PL_X grows with S and A_XX2 falls with its distance from PL_XX. Source:
    DOI 10.1103/PhysRev.136.A954 for the shifts, paper section 3.3 for the threshold.
    """
    width = units.positive("linewidth_meV", linewidth_meV)
    # Only ratios to the width count: at a width of 1 meV no shift leaves the contract's range
    # before the threshold is zero.
    shift = np.minimum(balanced_stokes_shift_meV(width, temperature_K) / width, _LARGEST_RATIO)
    low, high = -shift, np.full_like(shift, _REACH / FWHM_PER_SIGMA)
    for _ in range(1 + _ZOOMS):
        binding = low[..., None] + (high - low)[..., None] * np.linspace(0, 1, _POINTS)
        dots = Dot(
            absorption_energy_eV=dot.absorption_energy_eV,
            linewidth_meV=1.0,
            stokes_shift_meV=shift[..., None],
            absorptive_binding_meV=binding,
            emissive_binding_meV=binding,
            xx_absorption_strength=dot.xx_absorption_strength,
            xx_emission_strength=dot.xx_emission_strength,
        )
        thresholds = threshold_of(dots, definition, floor, statistics)
        best = np.argmin(thresholds, axis=-1)[..., None]
        low, high = (
            np.take_along_axis(binding, np.clip(best + step, 0, _POINTS - 1), axis=-1)[..., 0]
            for step in (-1, 1)
        )
    return Lowest(
        np.take_along_axis(thresholds, best, axis=-1)[..., 0],
        np.take_along_axis(binding, best, axis=-1)[..., 0] * width,
    )


def narrowest_balanced_linewidth_meV(
    dot: Dot,
    target: float,
    temperature_K: float,
    *,
    definition: str = "at gain maximum",
    floor: float = FLOOR,
    statistics: str = "rabi",
) -> float:
    """Return the smallest linewidth at which equilibrium leaves a wanted threshold.

    Parameters
    ----------
    dot, temperature_K, definition, floor, statistics
        As for `lowest_balanced`.
    target : float
        The wanted ⟨N⟩.

    Returns
    -------
    float
        Γ in meV; infinity if the contract's widest line is not enough.
    """
    entry = parameters.parameter("linewidth_meV")
    how: dict[str, Any] = {"definition": definition, "floor": floor, "statistics": statistics}
    widths = np.geomspace(entry.minimum, entry.maximum, _WIDTHS)
    for _ in range(1 + _WIDTH_ZOOMS):
        found = lowest_balanced(dot, widths, temperature_K, **how)
        excess = np.log(np.maximum(found.threshold, _ZERO) / target)
        enough = np.flatnonzero(excess <= 0)
        if not enough.size:
            return np.inf
        first = int(enough[0])
        if first == 0:
            return float(widths[0])
        left, right = widths[first - 1], widths[first]
        above, below = excess[first - 1], excess[first]
        widths = np.linspace(left, right, _WIDTHS)
    if not np.isfinite(above):
        return float(right)
    return float(left + above * (right - left) / (above - below))
