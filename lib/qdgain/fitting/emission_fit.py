r"""The emission band of the dot in a photoluminescence spectrum.

Its peak and width are averages, see `qdgain.fitting.averaging`, over windows about the peak, over
shapes of the band, and over what lies below it: a straight line, or a constant and the broad
emission of traps to its red.
"""

from __future__ import annotations

from itertools import product
from typing import NamedTuple

import numpy as np

from qdgain.fitting import averaging
from qdgain.fitting.averaging import Fitted, FittedSpectrum, Model
from qdgain.fitting.lineshapes import band
from qdgain.fitting.spectra import FEWEST, Spectrum, refuse, smoothed
from qdgain.model.dot import FloatArray

#: Half windows about the peak, in its full width at half maximum.
WINDOWS = (1.1, 1.6, 2.3)
#: Low, high and start of the centre and the width, in widths of the smoothed spectrum, of the
#: further parameter of a shape, and of the distance and the width of traps in eV.
_RANGES = [(-0.5, 0.5, 0.02), (0.4, 1.6, 0.95)]
_SHAPES = {"Gaussian": [], "skewed": [(-0.6, 0.6, 0.05)], "Voigt": [(0.0, 1.0, 0.2)]}
_TRAPS_EV = np.array([(0.08, 0.6, 0.25), (0.2, 0.9, 0.45)])
#: Parts of the width that no error of peak and width is below: shapes that none of the models has.
_FLOOR = np.array([0.01, 0.02])
#: A band of less than this part of the highest point is none.
_LOWEST = 0.05


class Emission(NamedTuple):
    """Peak in eV and width in meV with their covariance, and the band's share of the height there.

    The curves are those of the model that counts most.
    """

    values: FloatArray
    covariance: FloatArray
    share: float
    window: tuple[float, float]
    spectrum: FittedSpectrum


def rough_peak(spectrum: Spectrum) -> tuple[float, float]:
    """Return where the smoothed spectrum has its maximum, and its full width there, in eV.

    Twice the narrower half width, since traps and tails widen one side alone.
    """
    fine, smooth = smoothed(spectrum)
    top = int(smooth.argmax())
    below = np.flatnonzero(smooth < 0.5 * smooth[top])
    halves = [
        *(fine[top] - fine[below[below < top][-1:]]),
        *(fine[below[below > top][:1]] - fine[top]),
    ]
    width = 2 * min(halves) if halves else fine[-1] - fine[0]
    return float(fine[top]), float(np.clip(width, 0.02, 0.5))


def fit_emission(spectrum: Spectrum) -> Emission:
    """Fit the emission band of a spectrum that is per eV and has no lines of scattered light.

    Refused (`ParameterError`) is one from which no band stands out.
    """
    peak, width = rough_peak(spectrum)
    found: list[Fitted] = []
    for half in WINDOWS:
        used = spectrum.part(peak - half * width, peak + half * width)
        if used.energy_eV.size >= FEWEST and np.ptp(used.values) > 0 < used.values.max():
            found += _window(used.thinned(), peak, width, found)
    if not found:
        ends = "from {:.4g} to {:.4g} eV".format(*spectrum.energy_eV[[0, -1]])
        refuse(f"no band stands out of the PL {ends}, whose highest point is at {peak:.4g} eV")
    values, covariance = averaging.average(found)
    covariance = covariance[:2, :2] + np.diag((_FLOOR * values[1]) ** 2)
    weights = [one.weight for one in found]
    # From widths above the rough peak to eV and meV.
    unit = np.array([width, 1e3 * width])
    return Emission(
        unit * values[:2] + [peak, 0.0],
        covariance * np.outer(unit, unit),
        float(np.average([one.heights[0] for one in found], weights=weights)),
        found[-1].target.spectrum.ends,
        averaging.curves(max(found, key=lambda one: one.weight)),
    )


def _window(used: Spectrum, peak_eV: float, width_eV: float, before: list[Fitted]) -> list[Fitted]:
    x = (used.energy_eV - peak_eV) / width_eV
    target = averaging.target(used, base=0.0, height=float(used.values.max()))
    models = (_model(x, shape, traps, width_eV) for shape, traps in product(_SHAPES, (False, True)))
    fitted, least, independent = averaging.window(models, target, before, _LOWEST)
    without = averaging.criterion(*averaging.convex_misfit(target), independent)
    return fitted if without - least > averaging.LEAST_EVIDENCE else []


def _model(x: FloatArray, shape: str, traps: bool, width_eV: float) -> Model:
    """Return a model: centre and width of the band, its shape, distance and width of traps."""

    def curves(p: FloatArray) -> FloatArray:
        own = (p[2] if shape == "skewed" else 0.0, p[2] if shape == "Voigt" else 0.0)
        below = [x - x[0], x[-1] - x]
        if traps:
            below = [band((x - p[0] + p[-2]) / p[-1])]
        return np.stack([band((x - p[0]) / p[1], *own), np.ones_like(x), *below], axis=-1)

    ranges = [*_RANGES, *_SHAPES[shape], *(_TRAPS_EV / width_eV if traps else [])]
    low, high, start = np.array(ranges).T
    unknown = np.full(start.shape, np.inf)
    parts = ("PL_X", "background", *(["traps"] if traps else ["background"] * 2))
    name = f"{shape}, {parts[-1]}"
    return Model(name, parts, curves, low, high, start, start, unknown)
