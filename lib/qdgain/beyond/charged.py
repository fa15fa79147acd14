r"""Gain thresholds of dots that hold an electron before the pump comes, paper Fig 5c.

A degenerate band edge says it at once: the electron fills one of the g_e electron states. In the
readings of two channels it blocks one of them, so that

.. math:: g_0^- = -\tfrac12 A_X, \qquad g_1^- = \tfrac12 PL_X - \tfrac12 a\,A_{XX2},

and no second exciton fits. Whether the excited-state absorption is still there depends on which
biexciton the paper's A_XX2 leads to: not if both its electrons are at the band edge, where the
level is full. The pump is above the gap, hence Poisson's law.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from qdgain.model.bands import band_offsets_meV, band_widths_meV
from qdgain.model.dot import Dot, FloatArray, Number
from qdgain.model.parameters import ParameterError
from qdgain.model.search import first_root, parabolic_peak
from qdgain.model.states import Row, combined, relaxed_bands, weights_at, weights_of_bands

_PLACES = np.linspace(-3.0, 3.0, 241)
_MEANS = np.concatenate([[0.0], np.geomspace(1e-3, 40.0, 80)])


def charged_weights(dot: Dot, esa_left: Number = 1.0) -> tuple[Row, ...]:
    """Return the weights of the four bands in the gain of a dot with one electron and k excitons.

    `esa_left` is the part of A_XX2 that the electron leaves: 0 blocks it.

    >>> charged_weights(Dot(reading="degenerate", hole_states=4))[1][1]
    0.25
    """
    if dot.reading == "degenerate":
        g_e, g_h = dot.electron_states, dot.hole_states
        filled = [
            (min((k + 1) / g_e, 1.0), min(k / g_h, 1.0)) for k in range(max(g_e - 1, g_h) + 1)
        ]
        return tuple((-(1 - e) * (1 - h), e * h, 0.0, 0.0) for e, h in filled)
    own = weights_of_bands(dot)
    esa = np.asarray(own.absorption[1][2]) * esa_left
    return (-0.5, 0.0, 0.0, 0.0), (0.0, own.emission[1][1], -esa, 0.0)


def charged_threshold(dot: Dot, charged_fraction: float, esa_left: ArrayLike = 1.0) -> FloatArray:
    """Return absorbed excitons per dot at threshold of a film with a part of its dots charged.

    Of dots of shape (M,): at the energy where the film gains most at full excitation, infinity
    where it gains nowhere. `esa_left` as for `charged_weights`, of shape (M,) or (); a
    ParameterError refuses a part that is not in [0, 1].

    >>> dot = Dot(reading="degenerate", hole_states=4, stokes_shift_meV=[0.0], linewidth_meV=60.0)
    >>> [round(float(charged_threshold(dot, part)[0]), 2) for part in (0.0, 1.0)]
    [1.54, 0.85]
    """
    if not 0 <= charged_fraction <= 1:
        raise ParameterError(
            f"charged_fraction = {charged_fraction:g} is not allowed: give a number from 0 to 1."
        )
    left = np.broadcast_to(np.asarray(esa_left, dtype=float), dot.shape)
    rows = (weights_of_bands(dot).gain, charged_weights(dot, left))
    centre, width = (
        np.broadcast_to(of(dot).emission, dot.shape)[:, None]
        for of in (band_offsets_meV, band_widths_meV)
    )

    def gains(at: FloatArray) -> tuple[FloatArray, FloatArray]:
        A, P, _, C, Q = relaxed_bands(dot, at)
        four = tuple(np.broadcast_arrays(A, P, C, Q))
        neutral, charged = ([combined(row, four, dot, 1) for row in each] for each in rows)
        return np.stack(neutral, axis=-1), np.stack(charged, axis=-1)

    def film(neutral: FloatArray, charged: FloatArray) -> FloatArray:
        return np.asarray((1 - charged_fraction) * neutral + charged_fraction * charged)

    places = centre + width * _PLACES
    full = film(*(g[..., -1] for g in gains(places)))
    best = gains(parabolic_peak(places, full)[:, None])

    def net(mean: FloatArray, some: Any) -> FloatArray:
        shares = (weights_at(mean, "poisson", g.shape[-1]) * g[some] for g in best)
        return film(*(share.sum(axis=-1) for share in shares))

    return first_root(net, _MEANS)
