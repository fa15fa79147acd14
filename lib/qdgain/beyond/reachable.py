r"""What is within reach of a design: by its biexciton's shifts, and in thermal equilibrium.

In equilibrium S = s²/kT ties the exciton's emission to its absorption (`qdgain.model.balance`),
and the same law ties PL_XX to A_XX2: the biexciton's Stokes shift S + Δ_E - Δ_A2 is s²/kT too. With
one homogeneous width for all bands both together leave a single free position, Δ_A2 = Δ_E = Δ. A
spread of sizes adds to s² and not to the shifts, so that for a measured width s²/kT is the largest
Stokes shift of each.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import ArrayLike

from qdgain.beyond.levers import lowest_over, nearest_value_for, threshold_of
from qdgain.model import parameters, units
from qdgain.model.balance import OWN_WIDTHS, balanced_stokes_shift_meV
from qdgain.model.bands import FWHM_PER_SIGMA
from qdgain.model.dot import Dot, FloatArray
from qdgain.model.search import lowest_by_zooms

#: The binding is searched from where PL_XX would leave A_X to the blue to so many standard
#: deviations to the red.
_REACH = 6.0
_POINTS, _ZOOMS = 49, 2
_WIDTHS, _WIDTH_ZOOMS = 5, 5
_LARGEST_RATIO, _ZERO = 900.0, 1e-300


class Engineered(NamedTuple):
    """What changing the biexciton's shifts of a dot can do; infinite where none is enough."""

    wanted: float
    lowest_by_absorptive: float
    absorptive_meV: float
    emissive_meV: float
    emissive_without_esa_meV: float
    away: Dot
    best: Dot


def engineered(dot: Dot, factor: float, **how: Any) -> Engineered:
    """Search the biexciton's shifts that lower a dot's threshold by a factor, as paper Fig 10b.

    First Δ_A2 alone, then Δ_E alone, then Δ_E of the dot `away`, whose ESA is out of resonance with
    Δ_A2 at its best. `how` is that of `qdgain.beyond.levers.threshold_of`.
    """
    wanted = float(threshold_of(dot, **how)) / factor
    harmless, lowest = lowest_over(dot, "absorptive_binding_meV", **how)
    away = replace(dot, absorptive_binding_meV=harmless)
    absorptive = np.inf
    if lowest <= wanted:
        absorptive = nearest_value_for(dot, "absorptive_binding_meV", wanted, **how)
    alone, emissive = (
        nearest_value_for(start, "emissive_binding_meV", wanted, **how) for start in (dot, away)
    )
    best = replace(away, emissive_binding_meV=emissive) if np.isfinite(emissive) else away
    return Engineered(wanted, lowest, absorptive, alone, emissive, away, best)


class Lowest(NamedTuple):
    """The lowest threshold at given linewidths, and the binding Δ that gives it."""

    threshold: FloatArray
    binding_meV: FloatArray


def lowest_balanced(
    dot: Dot,
    linewidth_meV: ArrayLike,
    temperature_K: float,
    definition: str = "at gain maximum",
    **how: Any,
) -> Lowest:
    r"""Return the lowest threshold that equilibrium leaves at given linewidths, of their shape W.

    Of the single dot its strengths a and γ count. The binding is searched with the biexciton's
    emission red of A_X.

    At the gain maximum and Rabi statistics no dot with smaller Stokes shifts lies lower: at a given
    photon energy red of S, PL_X grows with S and A_XX2 falls with its distance from PL_XX. Source:
    DOI 10.1103/PhysRev.136.A954 for the shifts, paper section 3.3 for the threshold.
    """
    width = units.positive("linewidth_meV", linewidth_meV)
    # Only ratios to the width count: at a width of 1 meV no shift leaves the contract's range
    # before the threshold is zero.
    shift = np.minimum(balanced_stokes_shift_meV(width, temperature_K) / width, _LARGEST_RATIO)
    own: dict[str, Any] = dict.fromkeys(OWN_WIDTHS)
    one = replace(dot, linewidth_meV=1.0, stokes_shift_meV=shift[..., None], **own)

    def lowest(binding: FloatArray) -> FloatArray:
        bound: dict[str, Any] = {"absorptive_binding_meV": binding, "emissive_binding_meV": binding}
        return threshold_of(replace(one, **bound), definition, **how)

    low, high = -shift[..., None], _REACH / FWHM_PER_SIGMA
    scan = low + (high - low) * np.linspace(0, 1, _POINTS)
    where, least = lowest_by_zooms(lowest, scan, _ZOOMS, _POINTS)
    return Lowest(least, where * width)


def narrowest_balanced_linewidth_meV(
    dot: Dot, target: float, temperature_K: float, **how: Any
) -> float:
    """Return the smallest linewidth at which equilibrium leaves a wanted ⟨N⟩, or infinity."""
    entry = parameters.parameter("linewidth_meV")
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
