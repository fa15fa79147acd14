r"""Whether repulsion between excitons lowers or raises the threshold: its slope against a binding.

On the curve G(⟨N⟩, E, Δ) = ε the threshold changes by

.. math:: \frac{\partial\langle N\rangle_{th}}{\partial\Delta}
    = -\frac{\partial G/\partial\Delta}{\partial G/\partial\langle N\rangle},

where at the onset E may be held, because there ∂G/∂E = 0, and at the gain maximum E follows the
centre of PL_XX. A positive slope means that attraction raises and repulsion lowers the threshold.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from qdgain.beyond.levers import DEFINITIONS, threshold_of
from qdgain.fast.laws import LAWS
from qdgain.fast.onset import threshold_onset
from qdgain.model import parameters
from qdgain.model.bands import band_offsets_meV, band_widths_meV
from qdgain.model.dot import Dot, FloatArray
from qdgain.model.threshold import threshold_at_maximum


class Slopes(NamedTuple):
    """∂⟨N⟩_th/∂Δ in meV⁻¹, of shape D each; nan where there is no threshold.

    `absorptive` by Δ_A2 alone, `emissive` by Δ_E alone, `both` by one binding energy that moves the
    two alike.
    """

    absorptive: FloatArray
    emissive: FloatArray
    both: FloatArray


def threshold_slopes(
    dot: Dot,
    definition: str = "at gain maximum",
    floor: float | None = None,
    statistics: str = "rabi",
) -> Slopes:
    r"""Return how the threshold changes with the biexciton shifts.

    Parameters
    ----------
    dot : Dot
        Of shape D.
    definition, floor, statistics
        As for `qdgain.beyond.levers.threshold_of`.

    Returns
    -------
    Slopes
        Of shape D each.

    Raises
    ------
    ParameterError
        As for `qdgain.beyond.levers.threshold_of`.

    Notes
    -----
    At the gain maximum and with bands of one width s the absorptive slope is
    :math:`\tfrac12 P_1 a B\,(S+\Delta_E-\Delta_{A2})/(s^2\,\partial G/\partial\langle N\rangle)`:
    it changes its sign where A_XX2 coincides with PL_XX. Derived from the gain of paper section
    3.3.
    """
    if definition not in DEFINITIONS:
        threshold_of(dot, definition)  # refuses it in its own words
    onset = definition == "onset"
    default = parameters.parameter("floor").default
    epsilon = default if floor is None else floor
    found = (
        threshold_onset(dot, epsilon, statistics)  # type: ignore[arg-type]
        if onset
        else threshold_at_maximum(dot, statistics=statistics)
    )
    mean = np.where(np.isfinite(found.mean_excitons), found.mean_excitons, np.nan)
    offsets, widths = band_offsets_meV(dot), band_widths_meV(dot)
    photon = 1e3 * (found.energy_eV - dot.absorption_energy_eV) if onset else offsets.xx_emission

    def band(centre: FloatArray, width: FloatArray) -> tuple[FloatArray, FloatArray]:
        """Return a band and its derivative by its own centre."""
        off = (photon - centre) / width
        value = np.exp(-0.5 * off * off)
        return value, value * off / width

    A, A_slope = band(offsets.absorption, widths.absorption)
    P, P_slope = band(offsets.emission, widths.emission)
    B, B_slope = band(offsets.xx_absorption, widths.xx_absorption)
    Q, Q_slope = band(offsets.xx_emission, widths.xx_emission)
    a, gamma = np.asarray(dot.xx_absorption_strength), np.asarray(dot.xx_emission_strength)
    at = LAWS[parameters.check("statistics", statistics)].slopes(mean)
    by_mean = (
        -at.ground_slope * A + at.half_exciton_slope * (P - a * B) + at.biexciton_slope * gamma * Q
    )
    # A larger Δ moves a centre down.
    absorptive = at.half_exciton * a * B_slope
    emissive = -at.biexciton * gamma * Q_slope
    if not onset:
        # The photon moves down with PL_XX: up the other bands, in their own frame.
        emissive = -at.ground * A_slope + at.half_exciton * (P_slope - a * B_slope)
    with np.errstate(divide="ignore", invalid="ignore"):
        parts = (-absorptive / by_mean, -emissive / by_mean, -(absorptive + emissive) / by_mean)
    return Slopes(*(np.broadcast_to(part, dot.shape) for part in parts))
