r"""What a dot does in each of its states: the table from which gain and emission follow.

A dot that holds k excitons at the band edge emits on :math:`e_k(E)` and absorbs on
:math:`\alpha_k(E)`, both in units of the peak absorption cross section; its net gain is
:math:`g_k = e_k - \alpha_k`. A pulse gives the probabilities :math:`P_k(\langle N\rangle)`, and
everything follows from

.. math:: G(E) = \sum_k P_k\,g_k(E), \qquad P(E) = \sum_k P_k\,e_k(E).

A *reading* of the paper is the rule that makes :math:`(e_k, \alpha_k)` of a dot's four bands. The
paper (section 3.3) names the bands and the terms; how the states share them is a reading.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import NamedTuple

import numpy as np
import scipy

from qdgain.model.bands import Bands, expand, log_bands
from qdgain.model.dot import Dot, FloatArray, Number
from qdgain.model.populations import populations

#: One state: the weights of A_X, PL_X, A_XX2 and PL_XX.
Row = tuple[Number, Number, Number, Number]
#: What `qdgain.model.bands.Bands` calls them.
OF_ROW = ("absorption", "emission", "xx_absorption", "xx_emission")
_DARK: Row = (0.0, 0.0, 0.0, 0.0)


class Weights(NamedTuple):
    """The weights of the four bands in emission and absorption, one row for each state."""

    emission: tuple[Row, ...]
    absorption: tuple[Row, ...]

    @property
    def gain(self) -> tuple[Row, ...]:
        """Those of the net gain."""
        return tuple(
            (e[0] - a[0], e[1] - a[1], e[2] - a[2], e[3] - a[3])
            for e, a in zip(self.emission, self.absorption, strict=True)
        )


class States(NamedTuple):
    """Emission and absorption of a dot with 0, 1, 2, … excitons, each of shape D + (…, K) + E."""

    emission: FloatArray
    absorption: FloatArray

    @property
    def gain(self) -> FloatArray:
        """The net gain."""
        return self.emission - self.absorption


def _uncorrelated(dot: Dot) -> Weights:
    """Two channels that know nothing of each other; X blocks one of them, hence the ½."""
    return Weights((_DARK, (0, 0.5, 0, 0), (0, 1, 0, 0)), ((1, 0, 0, 0), (0.5, 0, 0, 0), _DARK))


def _with_esa(dot: Dot, remaining: Number, full: Number) -> Weights:
    """X absorbs on what it leaves of A_X, and on A_XX2; XX absorbs on A_XX2 too."""
    a, gamma = dot.xx_absorption_strength, dot.xx_emission_strength
    return Weights(
        (_DARK, (0, 0.5, 0, 0), (0, 0, 0, gamma)),
        ((1, 0, 0, 0), (0.5 * remaining, 0, 0.5 * a, 0), (0, 0, full * a, 0)),
    )


def _degenerate(dot: Dot) -> Weights:
    """Emission needs an electron and a hole, absorption the absence of both."""
    g_e, g_h = dot.electron_states, dot.hole_states
    electrons = [min(k / g_e, 1.0) for k in range(max(g_e, g_h) + 1)]
    holes = [min(k / g_h, 1.0) for k in range(max(g_e, g_h) + 1)]
    pairs = list(zip(electrons, holes, strict=True))
    return Weights(
        tuple((0, e * h, 0, 0) for e, h in pairs),
        tuple(((1 - e) * (1 - h), 0, 0, 0) for e, h in pairs),
    )


#: Every reading of the paper, by name; its physics is the page "The model".
READINGS: Mapping[str, Callable[[Dot], Weights]] = MappingProxyType(
    {
        "uncorrelated": _uncorrelated,
        # Excited-state absorption is what X leaves of the absorption, moved; XX only emits.
        "replacing": lambda dot: _with_esa(dot, 0.0, 0.0),
        # It stands beside what X leaves, and grows with ⟨N⟩ up to the full dot: XX → XXX.
        "additive": lambda dot: _with_esa(dot, 1.0, 1.0),
        "mixed": lambda dot: _with_esa(dot, dot.remaining_absorption, dot.full_dot_absorption),
        # No excited-state absorption at all; g_e and g_h states at the band edge.
        "degenerate": _degenerate,
    }
)


def weights_of_bands(dot: Dot) -> Weights:
    """Return the weights of the bands in the states of a dot, by its reading.

    >>> weights_of_bands(Dot(reading="degenerate", electron_states=2, hole_states=2)).gain[1]
    (-0.25, 0.25, 0, 0)
    """
    return READINGS[dot.reading](dot)


def highest_state(dot: Dot, statistics: str) -> int:
    """Return how many excitons a dot holds at full excitation: two, unless Poisson fills more.

    >>> highest_state(Dot(reading="degenerate", hole_states=4), "poisson")
    4
    """
    return len(weights_of_bands(dot).emission) - 1 if statistics == "poisson" else 2


def relaxed_bands(dot: Dot, detuning_meV: FloatArray, relaxed_fraction: float = 1.0) -> Bands:
    """Return the bands of unit peak at detunings of shape D + ….

    Excitons that are not relaxed are still at X_A: they emit at A_X and absorb at A_XX1.

    >>> dot = Dot(emissive_binding_meV=0.0, stokes_shift_meV=40.0)
    >>> float(relaxed_bands(dot, np.array(-40.0)).emission)
    1.0
    """
    A, P, unrelaxed, B, Q = (np.exp(log) for log in log_bands(dot, detuning_meV))
    if relaxed_fraction != 1.0:
        P = relaxed_fraction * P + (1 - relaxed_fraction) * A
        B = relaxed_fraction * B + (1 - relaxed_fraction) * unrelaxed
    return Bands(A, P, unrelaxed, B, Q)


def combined(row: Row, bands: tuple[FloatArray, ...], dot: Dot, axes: int) -> FloatArray:
    """Return the sum of four bands of shape D + (…), with the weights of one state.

    >>> four = tuple(np.array([1.0, x]) for x in (1.0, 2.0, 3.0, 4.0))
    >>> combined((0.0, 1.0, 0.0, -0.5), four, Dot(), 1).tolist()
    [0.5, 0.0]
    """
    total: FloatArray | None = None
    for weight, band in zip(row, bands, strict=True):
        if np.ndim(weight) == 0 and weight == 0:
            continue
        part = (expand(weight, dot, axes) if np.ndim(weight) else weight) * band
        total = part if total is None else total + part
    return np.zeros_like(bands[0]) if total is None else np.asarray(total)


def net_weights(
    dot: Dot, shares: FloatArray, axes: int = 0
) -> tuple[FloatArray, FloatArray, FloatArray, FloatArray]:
    r"""Return what each band weighs in the gain: :math:`\sum_k P_k w_{kb}`, for A, P, C and Q.

    The probabilities of the states, along the last axis, are of shape D + N + (K,), where N has so
    many axes.

    >>> dot = Dot(reading="replacing", xx_absorption_strength=1.0, xx_emission_strength=0.5)
    >>> [float(weight) for weight in net_weights(dot, weights_at(np.array(1.0)))]
    [-0.25, 0.25, -0.25, 0.125]
    """
    rows = weights_of_bands(dot).gain
    totals = [
        sum(
            (expand(row[band], dot, axes) * shares[..., k] for k, row in enumerate(rows)),
            start=np.zeros(()),
        )
        for band in range(4)
    ]
    return totals[0], totals[1], totals[2], totals[3]


def states(dot: Dot, detuning_meV: FloatArray, relaxed_fraction: float = 1.0) -> States:
    r"""Return what a dot emits and absorbs in each of its states.

    In the reading *replacing*, for example: :math:`g_0 = -A_X`,
    :math:`g_1 = \tfrac12(PL_X - a A_{XX2})`, :math:`g_2 = \gamma PL_{XX}`, and
    :math:`e_1 = \tfrac12 PL_X`, :math:`e_2 = \gamma PL_{XX}`. Detunings from A_X are of shape
    D + (…) + E; `relaxed_fraction` as for `relaxed_bands`, biexcitons are taken as relaxed. Source:
    paper section 3.3 for the bands and terms; the weights are assumed.

    >>> dot = Dot(linewidth_meV=80.0, stokes_shift_meV=40.0).uncorrelated()
    >>> states(dot, np.array([-40.0])).gain[:, 0].round(3).tolist()
    [-0.5, 0.25, 1.0]
    """
    A, P, _, B, Q = relaxed_bands(dot, detuning_meV, relaxed_fraction)
    axes = detuning_meV.ndim - len(dot.shape)
    own = np.broadcast_arrays(A, P, B, Q)
    spectra = [
        np.stack([combined(row, own, dot, axes) for row in rows], axis=-2)
        for rows in weights_of_bands(dot)
    ]
    return States(*spectra)


def weights_at(mean_excitons: FloatArray, statistics: str = "rabi", count: int = 3) -> FloatArray:
    """Return the probabilities of `count` states at ⟨N⟩, along a new last axis.

    The last state stands for all that hold more under Poisson statistics. Under the others no dot
    holds more than two excitons.

    >>> weights_at(np.array(1.0)).tolist()
    [0.25, 0.5, 0.25]
    """
    three = populations(mean_excitons, statistics)
    if count == 3:
        return np.stack(three, axis=-1)
    mean = np.asarray(mean_excitons, dtype=float)[..., None]
    if statistics != "poisson":
        return np.concatenate(
            [np.stack(three, axis=-1), np.zeros((*mean.shape[:-1], count - 3))], -1
        )
    k = np.arange(count - 1)
    below = np.exp(scipy.special.xlogy(k, mean) - mean - scipy.special.gammaln(k + 1))
    return np.concatenate([below, scipy.special.gammainc(count - 1.0, mean)], axis=-1)
