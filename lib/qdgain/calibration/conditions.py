"""The paper's qualitative statements on Fig 9: where the ASE spike has to be, and by how much.

The margins were written down before anything was solved. The paper states no fluence and no size.
Where the spike *is* is looked at at `FLUENCE_RANGE` times the threshold, or as far as J_π lets all
four dots go, so that they are compared at one J/J_th. Which way it *shifts* is asked of the whole
way from the threshold to the π pulse, as the ledger asks. *At the centre* is within a tenth of the
linewidth, about what a reader can tell from a map as wide as the paper's. *Red* and *shifts* ask
for a twentieth: an amplified spike is some five times narrower than the band, so that is a quarter
of its own width, the least shift that could be called one.
"""

from __future__ import annotations

import numpy as np

from qdgain.model.dot import FloatArray

CONDITIONS = (
    "3LS: the spike is at the centre of PL_X",
    "3LS+ESA: the spike is red of the centre of PL_X",
    "3LS+ESA: the spike is red of the one without ESA",
    "3LS: the spike shifts blue with fluence",
    "4LS: the spike shifts blue with fluence",
    "4LS+ESA: the spike shifts red with fluence",
)
FLUENCE_RANGE = 3.0
#: In linewidths: what still is the centre, and what already is red, or a shift.
LARGEST_OFFSET = 0.1
SMALLEST_SHIFT = 0.05


def conditions(spike: FloatArray) -> FloatArray:
    """Return by how many linewidths the `CONDITIONS` are met, of shape (K, 6).

    Parameters
    ----------
    spike : numpy.ndarray
        Spike minus the centre of PL_X in linewidths, of shape (K, 4, 3): the four dots, and at
        the threshold, above it and at the π pulse.
    """
    above, rise = spike[..., 1], spike[..., 2] - spike[..., 0]
    return np.stack(
        [
            LARGEST_OFFSET - np.abs(above[:, 0]),
            -above[:, 1] - SMALLEST_SHIFT,
            above[:, 0] - above[:, 1] - SMALLEST_SHIFT,
            rise[:, 0] - SMALLEST_SHIFT,
            rise[:, 2] - SMALLEST_SHIFT,
            -rise[:, 3] - SMALLEST_SHIFT,
        ],
        axis=1,
    )
