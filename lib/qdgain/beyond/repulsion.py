r"""Whether repulsion between excitons lowers or raises the threshold: its slope against a binding.

On the curve G(⟨N⟩, E, Δ) = ε the threshold changes by

.. math:: \frac{\partial\langle N\rangle_{th}}{\partial\Delta}
    = -\frac{\partial G/\partial\Delta}{\partial G/\partial\langle N\rangle},

where at the onset E may be held, because there ∂G/∂E = 0, and at the gain maximum E follows the
centre of PL_XX. A positive slope means that attraction raises and repulsion lowers the threshold.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any, NamedTuple

import numpy as np

from qdgain.beyond.levers import FLOOR, MAXIMUM, lowest_over, threshold, threshold_of
from qdgain.fast.laws import LAWS
from qdgain.model.bands import FWHM_PER_SIGMA, band_offsets_meV, band_widths_meV
from qdgain.model.dot import Dot, FloatArray
from qdgain.model.parameters import clipped

#: What one binding energy moves alike.
BINDINGS = ("absorptive_binding_meV", "emissive_binding_meV")


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

    At the gain maximum and with bands of one width s the absorptive slope is
    :math:`\tfrac12 P_1 a B\,(S+\Delta_E-\Delta_{A2})/(s^2\,\partial G/\partial\langle N\rangle)`:
    it changes its sign where A_XX2 coincides with PL_XX. From the gain of paper section 3.3.
    """
    found = threshold(dot, definition, floor, statistics)
    mean = np.where(np.isfinite(found.mean_excitons), found.mean_excitons, np.nan)
    offsets, widths = band_offsets_meV(dot), band_widths_meV(dot)
    photon = offsets.xx_emission
    if definition != MAXIMUM:
        photon = 1e3 * (found.energy_eV - dot.absorption_energy_eV)

    def band(centre: FloatArray, width: FloatArray) -> tuple[FloatArray, FloatArray]:
        """Return a band and its derivative by its own centre."""
        off = (photon - centre) / width
        value = np.exp(-0.5 * off * off)
        return value, value * off / width

    (A, A_slope), (P, P_slope), _, (B, B_slope), (Q, Q_slope) = map(band, offsets, widths)
    a, gamma = np.asarray(dot.xx_absorption_strength), np.asarray(dot.xx_emission_strength)
    at = LAWS[statistics].slopes(mean)
    by_mean = (
        -at.ground_slope * A + at.half_exciton_slope * (P - a * B) + at.biexciton_slope * gamma * Q
    )
    # A larger Δ moves a centre down.
    absorptive = at.half_exciton * a * B_slope
    emissive = -at.biexciton * gamma * Q_slope
    if definition == MAXIMUM:
        # The photon moves down with PL_XX: up the other bands, in their own frame.
        emissive = -at.ground * A_slope + at.half_exciton * (P_slope - a * B_slope)
    with np.errstate(divide="ignore", invalid="ignore"):
        parts = (-absorptive / by_mean, -emissive / by_mean, -(absorptive + emissive) / by_mean)
    return Slopes(*(np.broadcast_to(part, dot.shape) for part in parts))


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
