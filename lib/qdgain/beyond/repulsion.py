"""Whether repulsion between excitons lowers or raises the threshold: its slope against a binding.

A positive slope ∂⟨N⟩_th/∂Δ means that attraction raises and repulsion lowers the threshold. At the
gain maximum the photon energy follows the maximum, at the onset that of the lowest threshold.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any, NamedTuple

import numpy as np

from qdgain.beyond.levers import FLOOR, MAXIMUM, lowest_over, threshold_of
from qdgain.model.bands import FWHM_PER_SIGMA, band_widths_meV
from qdgain.model.dot import Dot, FloatArray
from qdgain.model.parameters import clipped

#: What one binding energy moves alike.
BINDINGS = ("absorptive_binding_meV", "emissive_binding_meV")
#: Half the step of a difference, in standard deviations of A_X.
_STEP = 3e-4


class Slopes(NamedTuple):
    """∂⟨N⟩_th/∂Δ in meV⁻¹, of shape D each; nan where there is no threshold.

    By Δ_A2 alone, by Δ_E alone, and by one binding energy that moves both alike.
    """

    absorptive: FloatArray
    emissive: FloatArray
    both: FloatArray


def threshold_slopes(
    dot: Dot, definition: str = MAXIMUM, floor: float = FLOOR, statistics: str = "rabi"
) -> Slopes:
    r"""Return how a `qdgain.beyond.levers.threshold` changes with the biexciton shifts.

    Differences over a small part of a standard deviation to both sides. In the reading *replacing*,
    at the gain maximum and with bands of one width s, the absorptive slope is
    :math:`\tfrac12 P_1 a B\,(S+\Delta_E-\Delta_{A2})/(s^2\,\partial G/\partial\langle N\rangle)`:
    it changes its sign where A_XX2 coincides with PL_XX. From the gain of paper section 3.3.
    """
    step = _STEP * np.asarray(band_widths_meV(dot).absorption)

    def slope(name: str) -> FloatArray:
        now = np.asarray(getattr(dot, name))
        low, high = (clipped(name, now + sign * step) for sign in (-1, 1))
        ends: Any = ({name: low}, {name: high})
        below, above = (
            threshold_of(replace(dot, **end), definition, floor, statistics) for end in ends
        )
        with np.errstate(invalid="ignore"):
            found = (above - below) / (high - low)
        return np.broadcast_to(np.where(np.isfinite(found), found, np.nan), dot.shape)

    absorptive, emissive = map(slope, BINDINGS)
    return Slopes(absorptive, emissive, absorptive + emissive)


def best_binding(dot: Dot, definition: str = MAXIMUM, **how: Any) -> tuple[float, float]:
    """Return the one binding energy in meV with the lowest threshold, and that threshold.

    Of a single dot with Δ_A2 = Δ_E and the biexciton's emission red of A_X: the best of a scan, and
    of a finer one around it; `how` as for `qdgain.beyond.levers.threshold`.
    """
    start = replace(dot, absorptive_binding_meV=0.0, emissive_binding_meV=0.0)
    best, _ = lowest_over(start, BINDINGS, definition, red=True, **how)
    width = float(band_widths_meV(dot).absorption) * FWHM_PER_SIGMA
    near = best + 0.02 * width * np.linspace(-1, 1, 401)
    near = clipped(BINDINGS[0], np.maximum(near, -float(np.asarray(dot.stokes_shift_meV))))
    moved: dict[str, Any] = dict.fromkeys(BINDINGS, near)
    thresholds = threshold_of(replace(dot, **moved), definition, **how)
    lowest = int(np.argmin(thresholds))
    return float(near[lowest]), float(thresholds[lowest])
