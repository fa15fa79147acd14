"""Line shapes of unit peak, against the distance from their maximum in full widths at half maximum.

Whatever its shape, a band is so described by the same two numbers: where its maximum lies, and its
full width at half maximum.
"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import ArrayLike
from scipy.special import ndtr

from qdgain.model.bands import FWHM_PER_SIGMA
from qdgain.model.dot import FloatArray

#: Below this asymmetry a band counts as symmetric.
_SYMMETRIC = 1e-4


def band(x: ArrayLike, asymmetry: float = 0.0, lorentzian: float = 0.0) -> FloatArray:
    r"""Return a band: Gaussian, or skewed, or partly Lorentzian.

    .. math:: (1-\eta)\,2^{-[\ln(1+2x\sinh b)/b]^2} + \eta/(1+4x^2)

    Parameters
    ----------
    x : array_like
        Distance from the maximum over the full width at half maximum.
    asymmetry : float
        b, the logarithm of the ratio of the blue half of the width to the red one.
    lorentzian : float
        η, from 0 to 1: the pseudo-Voigt shape.

    Notes
    -----
    Source: R. D. B. Fraser and E. Suzuki, Anal. Chem. 41, 37 (1969), for the skewed Gaussian.

    Examples
    --------
    >>> band([-0.5, 0.0, 0.5]).tolist()
    [0.5, 1.0, 0.5]
    """
    x = np.asarray(x, dtype=float)
    reduced = 2.0 * x
    if abs(asymmetry) > _SYMMETRIC:
        # Where the logarithm has no value the band has ended.
        inside = np.maximum(1.0 + 2.0 * x * math.sinh(asymmetry), 1e-30)
        reduced = np.log(inside) / asymmetry
    shape = 2.0 ** -(reduced**2)
    if lorentzian:
        shape = (1.0 - lorentzian) * shape + lorentzian / (1.0 + 4.0 * x**2)
    return np.asarray(shape)


def edge(x: ArrayLike) -> tuple[FloatArray, FloatArray]:
    r"""Return the onset of a continuum: a step from 0 to 1, and a ramp of unit slope per width.

    Both are blurred by a Gaussian of unit full width at half maximum, so that the step is the
    integral of `band` over all transitions from the onset at x = 0 on.

    Examples
    --------
    >>> step, ramp = edge([-3.0, 0.0, 3.0])
    >>> step.round(3).tolist(), ramp.round(3).tolist()
    ([0.0, 0.5, 1.0], [0.0, 0.169, 3.0])
    """
    z = FWHM_PER_SIGMA * np.asarray(x, dtype=float)
    step = ndtr(z)
    ramp = z * step + np.exp(-0.5 * z * z) / math.sqrt(2 * math.pi)
    return np.asarray(step), np.asarray(ramp / FWHM_PER_SIGMA)
