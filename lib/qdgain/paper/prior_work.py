"""Formulas of earlier work on gain in quantum dots, to hold the model against."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

from qdgain.model.dot import FloatArray


def klimov_threshold(shift_over_width: ArrayLike) -> FloatArray:
    r"""Return the threshold of Klimov et al. for a biexciton that is shifted as a whole.

    :math:`\langle N\rangle_{th} = 2/(3 - e^{-\Delta^2/2s^2})`

    Parameters
    ----------
    shift_over_width : array_like
        Shift Δ of the biexciton, of either sign, over the standard deviation s of the line.
        Without a shift ⟨N⟩ is 1, far from the line 2/3.

    Notes
    -----
    Source: Klimov et al. 2007, DOI 10.1038/nature05839. It is the threshold of this model under
    sequential statistics at the centre of a line without a Stokes shift.
    """
    ratio = np.asarray(shift_over_width, dtype=float)
    return np.asarray(2 / (3 - np.exp(-0.5 * ratio**2)))
