r"""What a dot does in each of its states: the table from which gain and emission follow.

A dot that holds k = 0, 1, 2 excitons at the band edge has a net gain spectrum :math:`g_k(E)` and an
emission spectrum :math:`e_k(E)`, both in units of the peak absorption cross section. A pulse gives
the probabilities :math:`P_k(\langle N\rangle)`, and everything follows from

.. math:: G(E) = \sum_k P_k\,g_k(E), \qquad P(E) = \sum_k P_k\,e_k(E).

A *reading* of the paper is the rule that makes :math:`(g_k, e_k)` of a dot's bands. The paper
(section 3.3) names the bands and the terms; how they share the states is this book's reading.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import NamedTuple

import numpy as np

from qdgain.model.bands import Bands, expand, log_bands
from qdgain.model.dot import Dot, FloatArray
from qdgain.model.populations import populations


class States(NamedTuple):
    """Emission and net gain of 0, X and XX, each of shape D + (…, 3) + E."""

    emission: FloatArray
    gain: FloatArray


#: From the bands, those of XX times their strengths, to the rows of `States`.
Rule = Callable[[Bands], States]


def _replacing(band: Bands) -> States:
    """Excited-state absorption is what X leaves of the absorption, moved; XX only emits.

    X blocks one of the two degenerate band-edge channels, hence the ½ (assumed: a twofold
    degenerate 1S state).
    """
    A, P, _, B, Q = band
    emission = (np.zeros_like(Q), 0.5 * P, Q)
    gain = (-A, 0.5 * (P - B), Q)
    return States(np.stack(emission, axis=-2), np.stack(gain, axis=-2))


#: Every reading of the paper, by name.
READINGS: Mapping[str, Rule] = MappingProxyType({"replacing": _replacing})


def strong_bands(dot: Dot, detuning_meV: FloatArray, relaxed_fraction: float = 1.0) -> Bands:
    """Return the bands at detunings of shape D + …, those into and out of XX at their strength.

    Excitons that are not relaxed are still at X_A: they emit at A_X and absorb at A_XX1.

    Examples
    --------
    >>> dot = Dot(xx_emission_strength=0.5, emissive_binding_meV=0.0, stokes_shift_meV=40.0)
    >>> float(strong_bands(dot, np.array(-40.0)).xx_emission)
    0.5
    """
    A, P, unrelaxed, B, Q = (np.exp(log) for log in log_bands(dot, detuning_meV))
    if relaxed_fraction != 1.0:
        P = relaxed_fraction * P + (1 - relaxed_fraction) * A
        B = relaxed_fraction * B + (1 - relaxed_fraction) * unrelaxed
    axes = detuning_meV.ndim - len(dot.shape)
    a = expand(dot.xx_absorption_strength, dot, axes)
    return Bands(A, P, a * unrelaxed, a * B, expand(dot.xx_emission_strength, dot, axes) * Q)


def states(
    dot: Dot, detuning_meV: FloatArray, relaxed_fraction: float = 1.0, reading: str = "replacing"
) -> States:
    r"""Return what a dot emits and amplifies in each of its states.

    In the reading *replacing*: :math:`g_0 = -A_X`, :math:`g_1 = \tfrac12(PL_X - a A_{XX2})`,
    :math:`g_2 = \gamma PL_{XX}`, and :math:`e_1 = \tfrac12 PL_X`, :math:`e_2 = \gamma PL_{XX}`.

    Parameters
    ----------
    dot : Dot
        Of shape D.
    detuning_meV : numpy.ndarray
        Photon energy minus the centre of A_X, of shape D + (…) + E.
    relaxed_fraction : float
        Part of the excitons that have gone from X_A to X_E; biexcitons are taken as relaxed.
    reading : str
        One of `READINGS`.

    Notes
    -----
    Source: paper section 3.3 for the bands and terms; the weights are assumed.

    Examples
    --------
    >>> dot = Dot(linewidth_meV=80.0, stokes_shift_meV=40.0).uncorrelated()
    >>> states(dot, np.array([-40.0])).gain[:, 0].round(3).tolist()
    [-0.5, 0.25, 1.0]
    """
    return READINGS[reading](strong_bands(dot, detuning_meV, relaxed_fraction))


def weights_at(mean_excitons: FloatArray, statistics: str = "rabi") -> FloatArray:
    """Return the probabilities of the states at ⟨N⟩, along a new last axis.

    Examples
    --------
    >>> weights_at(np.array(1.0)).tolist()
    [0.25, 0.5, 0.25]
    """
    return np.stack(populations(mean_excitons, statistics), axis=-1)
