r"""The first exciton in an absorption spectrum, beside further transitions and the continuum.

Its centre and width are averages, see `qdgain.fitting.averaging`, over windows that end at several
energies, over shapes of the band, and over what follows it to the blue: one or two more
transitions, an edge, or both. Below lie an offset and Rayleigh scattering.
"""

from __future__ import annotations

from itertools import product
from typing import NamedTuple

import numpy as np
import scipy

from qdgain.fitting import averaging
from qdgain.fitting.averaging import Fitted, FittedSpectrum, Model
from qdgain.fitting.lineshapes import band, edge
from qdgain.fitting.spectra import FEWEST, Spectrum, refuse
from qdgain.measured import features
from qdgain.model.dot import FloatArray

#: The window begins so far to the red of the PL's peak, and ends so far to its blue, in eV: before
#: the second transition of most dots, and behind the third.
RED, BLUE = 0.25, (0.24, 0.33, 0.42, 0.51)
#: What follows the first band -> how many transitions, and whether an edge.
_BEYOND = {
    "second transition": (1, False),
    "two transitions": (2, False),
    "edge": (0, True),
    "second transition and edge": (1, True),
}
_MODELS = (
    *product(["Gaussian"], _BEYOND),
    *product(["skewed"], ["second transition", "edge"]),
)
#: The third transition, and an edge behind the second, are so much wider than the second.
_WIDER = 1.3
#: Low, high, expected and spread of centre, width, gap and width of what is next, gap of what is
#: behind, and asymmetry; widths of the first band in those of the PL, all else in eV. Expected is
#: assumed of II-VI and III-V dots: a Stokes shift of 0 to 120 meV, a band somewhat wider than the
#: PL, and transitions 100 to 300 meV apart.
_CENTRE = (-0.03, 0.25, 0.06, 0.06)
_WIDTH = (0.5, 3.0, 1.3, 0.4)
_GAP, _SECOND_GAP = (0.06, 0.5, 0.2, 0.1), (0.08, 0.6, 0.25, 0.1)
_NEXT_WIDTH = (0.7, 0.6, 0.19, 0.09)  # the first one in widths of the PL
_ASYMMETRY = (-0.36, 0.7, 0.1, 0.23)
#: Where a fit begins if the scan does not say.
_BEGIN = (0.18, 0.165, 0.2, 0.1)
#: Parts of the width that no error of centre and width is below, and their correlation: what all
#: models get wrong alike. A band that takes in some of what follows it is too blue and too wide.
FLOOR, _FLOOR_CORRELATION = np.array([0.03, 0.06]), 0.8
#: A band of less than this part of the window's height is none.
_LOWEST = 0.02
_BELOW, _SHORT_EV = 0.1, 0.03


class Absorption(NamedTuple):
    """Centre in eV and width in meV of A_X with their covariance, what follows, how sure it is.

    `second` is the gap and width of the second transition, in meV, if models with one count at all.
    The evidence is by how much BIC is larger without a band: of the best curve that bends upwards
    everywhere, in the median window, and of an edge, in the window where that is least like it.
    The curves are those of the model that counts most.
    """

    values: FloatArray
    covariance: FloatArray
    second: tuple[FloatArray, FloatArray] | None
    evidence: tuple[float, float]
    windows: int
    window: tuple[float, float]
    spectrum: FittedSpectrum


def fit_absorption(
    spectrum: Spectrum,
    peak_eV: float,
    width_meV: float,
    *,
    low_eV: float | None = None,
    high_eV: float | None = None,
    advice: str = "",
) -> Absorption:
    """Fit the first band beside a PL of some peak and width; the last window's ends may be given.

    Too few points, or no band, are refused by a `ParameterError` that ends with the advice.
    """
    low = peak_eV - RED if low_eV is None else low_eV
    last = peak_eV + BLUE[-1] if high_eV is None else min(high_eV, spectrum.ends[1] + _SHORT_EV)
    found: list[Fitted] = []
    evidence, ends = [], []
    reaches = min(last, spectrum.energy_eV[-1] + _SHORT_EV)
    for end in last - BLUE[-1] + np.array(BLUE):
        used = spectrum.part(low, end)
        enough = used.energy_eV.size >= FEWEST and np.ptp(used.values) > 0
        if enough and peak_eV < end <= reaches:
            fitted, sure = _window(used.thinned(), peak_eV, 1e-3 * width_meV, found)
            found += fitted
            evidence += [sure] if fitted else []
            ends.append(used.ends)
    if not found:
        refuse(
            f"no first band stands out of the absorption beside the PL's peak at {peak_eV:.4g} eV, "
            f"from {low:.4g} to {last:.4g} eV{advice}"
        )
    values, covariance = averaging.average(found)
    floor = np.outer(FLOOR, FLOOR) * values[1] ** 2
    covariance += floor * np.where(np.eye(2) == 1, 1.0, _FLOOR_CORRELATION)
    unit = np.array([1.0, 1e3])
    with_second = [one for one in found if one.model.parts[1] == "second transition"]
    second = None
    if sum(one.weight for one in with_second) > 0.05 * len(evidence):
        mean, spread = averaging.average(with_second, 4)
        second = 1e3 * mean[2:], 1e6 * spread[2:, 2:]
    return Absorption(
        unit * values + [peak_eV, 0.0],
        covariance * np.outer(unit, unit),
        second,
        (float(np.median(evidence, axis=0)[0]), float(np.max(evidence, axis=0)[1])),
        len(evidence),
        max(ends),
        averaging.curves(max(found, key=lambda one: one.weight)),
    )


def _window(
    used: Spectrum, peak_eV: float, width_eV: float, before: list[Fitted]
) -> tuple[list[Fitted], list[float]]:
    """Return the models fitted to one window, and the evidence for a band against two curves."""
    e = used.energy_eV - peak_eV
    height = float(np.ptp(used.values))
    # Heights are not negative; the offset is counted from so far below that none need be.
    to = averaging.target(used, float(used.values.min()) - _BELOW * height, height)
    scattering = (used.energy_eV / peak_eV) ** 4
    scattering = scattering - scattering[0]
    start = _start(e, to.values, scattering, width_eV)
    if start is None:
        return [], []
    models = (_model((e, scattering), kind, start, width_eV) for kind in _MODELS)
    fitted, least, independent = averaging.window(models, to, before, _LOWEST)
    starts = (_edge_alone(e, scattering, onset) for onset in (0.0, 0.1, 0.2))
    edges = [one for model in starts if (one := averaging.solve(model, to)) is not None]
    without = [averaging.convex_misfit(to)]
    without.append(min(((one.mean_square, one.used) for one in edges), default=without[0]))
    return fitted, [averaging.criterion(*one, independent) - least for one in without]


def _start(
    e: FloatArray, values: FloatArray, scattering: FloatArray, width_eV: float
) -> tuple[float, float] | None:
    """Return centre and width of the band from a scan, on a rise behind it."""
    best, least = None, np.inf
    for centre in np.arange(-0.01, 0.2, 0.015):
        rise = edge((e - centre - _BEGIN[0]) / _BEGIN[1])
        for width in width_eV * np.array([0.8, 1.2, 1.7]):
            curves = np.stack([band((e - centre) / width), *rise, np.ones_like(e), scattering], -1)
            try:
                heights, misfit = scipy.optimize.nnls(curves, values)
            except RuntimeError:
                continue
            misfit += 0.02 * abs(np.log(width / (1.2 * width_eV)))
            if heights[0] > _LOWEST and misfit < least:
                best, least = (centre, width), misfit
    return best


def _model(
    over: tuple[FloatArray, FloatArray],
    kind: tuple[str, str],
    start: tuple[float, float],
    width_eV: float,
) -> Model:
    """Return a model whose energies are in eV, from the PL's peak on."""
    (e, scattering), (shape, beyond) = over, kind
    transitions, with_edge = _BEYOND[beyond]

    def curves(p: FloatArray) -> FloatArray:
        about, beside = e - p[0], e - p[0] - p[2]
        columns = [band(about / p[1], p[-1] if shape == "skewed" else 0.0)]
        if transitions:
            columns.append(band(beside / p[3]))
        if transitions == 2:
            columns.append(band((beside - p[4]) / (_WIDER * p[3])))
        if with_edge and transitions:
            columns += edge((beside - p[4]) / (_WIDER * p[3]))
        elif with_edge:
            columns += edge(beside / p[3])
        else:
            columns.append(scattering)
        return np.stack([*columns, np.ones_like(e)], axis=-1)

    width = tuple(width_eV * x for x in _WIDTH)
    next_width = (_NEXT_WIDTH[0] * width_eV, *_NEXT_WIDTH[1:])
    ranges, begin = [_CENTRE, width, _GAP, next_width], [*start, *_BEGIN[:2]]
    if transitions + with_edge == 2:
        ranges, begin = [*ranges, _SECOND_GAP], [*begin, _BEGIN[2]]
    if shape == "skewed":
        ranges, begin = [*ranges, _ASYMMETRY], [*begin, _BEGIN[3]]
    low, high, expected, spread = np.array(ranges).T
    behind = ["continuum"] * 2 if with_edge else ["background"]
    parts = ("A_X", *["second transition", "third transition"][:transitions], *behind, "background")
    name = f"{shape}, {beyond}"
    return Model(name, parts, curves, low, high, np.array(begin), expected, spread)


def _edge_alone(e: FloatArray, scattering: FloatArray, onset: float) -> Model:
    """Return an edge without a band; it begins at several onsets, for it has several minima."""

    def curves(p: FloatArray) -> FloatArray:
        return np.stack([*edge((e - p[0]) / p[1]), scattering, np.ones_like(e)], axis=-1)

    low, high, start = np.array([(-0.2, 0.45, onset), (0.04, 0.5, 0.1)]).T
    parts = ("continuum", "continuum", "background", "background")
    return Model("edge", parts, curves, low, high, start, start, np.full(2, np.inf))


def depth_of_curvature(spectrum: Spectrum, peak_eV: float) -> float:
    """Return the most negative curvature near the band over the curvature's noise to the red.

    The second derivative by parabolas over 81 meV, and its scatter where dots do not absorb.
    """
    low, high = spectrum.energy_eV[[0, -1]]
    fine = np.arange(max(low, peak_eV - 0.3), min(high, peak_eV + 0.5), 1e-3)
    if fine.size < 81:
        return 0.0
    bend = features.smoothed(np.interp(fine, spectrum.energy_eV, spectrum.values), 81, 2)
    quiet = bend[fine < peak_eV - 0.12]
    noise = np.std(quiet) if quiet.size > 30 else np.median(np.abs(bend)) / 5
    near = bend[(fine > peak_eV - 0.02) & (fine < peak_eV + 0.3)]
    return float(-near.min() / max(noise, 1e-12)) if near.size else 0.0
