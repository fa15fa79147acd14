r"""The biexciton's shift and strength from a transient absorption, with the other bands held.

.. math::
    \Delta A = k\,\big[-A_X + \tfrac12(a A_{XX2} - PL_X)\big] - k_2 A_2 + c
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

import numpy as np

from qdgain.fitting import least_squares as fits
from qdgain.fitting.averaging import FittedSpectrum, correlation_factor, criterion
from qdgain.fitting.spectra import Spectrum, gaussian, refuse
from qdgain.model import parameters
from qdgain.model.dot import FloatArray

#: The strength a of a transient counts as determined up to this standard error and correlation
#: with Δ_A2.
LARGEST_ERROR, LARGEST_CORRELATION = 0.1, 0.95
#: The window about the PL's peak, in its full width at half maximum.
RANGE = (-2.5, 5.0)
#: Shifts of A_XX2 that a fit begins from, in its FWHM.
_SHIFTS = ((-2.5, -0.4), (-0.4, 0.4), (0.4, 2.5))
_SCAN_POINTS = 80
#: No biexciton shifts by more of the width of A_X.
_LARGEST_SHIFT = 1.5
#: BIC by which the model has to pass a drift, a polynomial of this degree.
_EVIDENCE, _DEGREE = 10.0, 4


class Bands(NamedTuple):
    """What is known of the bands: names of their parameters, values, covariance."""

    names: tuple[str, ...]
    values: FloatArray
    covariance: FloatArray


class FreeStrength(NamedTuple):
    """A fit with the strength a free as well: values with standard errors, their correlation."""

    absorptive_binding_meV: tuple[float, float]
    xx_absorption_strength: tuple[float, float]
    correlation: float

    @property
    def determined(self) -> bool:
        """Whether the transient tells the two apart.

        The error of a is at most `LARGEST_ERROR`, the correlation at most `LARGEST_CORRELATION`,
        and a within the contract's range.
        """
        value, error = self.xx_absorption_strength
        entry = parameters.CONTRACT["xx_absorption_strength"]
        inside = entry.minimum <= value <= entry.maximum
        return inside and error <= LARGEST_ERROR and abs(self.correlation) <= LARGEST_CORRELATION


def fit_transient(
    spectrum: Spectrum, bands: Bands, strength: float, hold: bool | None
) -> tuple[Bands, FittedSpectrum, FreeStrength | None]:
    """Return the bands with Δ_A2, and a if it is free, after them; curves; the fit with a free.

    Whether a is held at `strength` depends on the transient where `hold` is None.

    Raises
    ------
    ParameterError
        If the transient lacks the bleach that it should show.
    """
    loose = _fit(spectrum, bands, None)
    free = None
    if loose is not None:
        values, covariance = loose[0].values[-2:], loose[0].covariance[-2:, -2:]
        errors = np.sqrt(np.diag(covariance))
        free = FreeStrength(
            (float(values[0]), float(errors[0])),
            (float(values[1]), float(errors[1])),
            float(covariance[0, 1] / errors[0] / errors[1]),
        )
    if hold is None:
        hold = not (free and free.determined)
    found = _fit(spectrum, bands, strength) if hold else loose
    if found is None:
        both = "" if hold else "does not tell the strength a and the shift Δ_A2 apart, or it "
        refuse(
            f"the transient {both}shows no bleach of A_X and PL_X: give ΔA at one delay, "
            "negative where the sample is bleached"
        )
    _refuse_a_drift(spectrum, *found)
    return *found, free


def _refuse_a_drift(spectrum: Spectrum, bands: Bands, fitted: FittedSpectrum) -> None:
    """Refuse a transient that a smooth drift describes as well, or of which no dot is behind."""
    held = dict(zip(bands.names, bands.values, strict=True))
    shift, width = held["absorptive_binding_meV"], held["width_meV"]
    ends = "from {:.4g} to {:.4g} eV".format(*spectrum.ends)
    drift = "the transient is no spectrum of relaxed excitons but rather a drift of the baseline"
    advice = "give ΔA at one delay, less the signal before time zero"
    if abs(shift) > _LARGEST_SHIFT * width:
        refuse(
            f"{drift}: {ends} it would take a shift Δ_A2 of {shift:.0f} meV, "
            f"{abs(shift) / width:.1f} widths of A_X; {advice}"
        )
    if (
        fitted.parts.get("second transition", np.zeros(1)).max()
        > 0.3 * np.abs(fitted.parts["bleach"]).max()
    ):
        refuse(f"{drift}: {ends} a second transition would have to be bleached upwards; {advice}")
    x = spectrum.energy_eV - spectrum.energy_eV.mean()
    curves = np.vander(x / np.abs(x).max(), _DEGREE + 1) / spectrum.relative_noise[:, None]
    target = spectrum.values / spectrum.relative_noise
    smooth = curves @ np.linalg.lstsq(curves, target)[0] - target
    model = (fitted.fitted - fitted.measured) / spectrum.relative_noise
    independent = max(model.size / correlation_factor(model), 8.0)
    bic = [
        criterion(float(left @ left) / left.size, used, independent)
        for left, used in ((smooth, _DEGREE + 1), (model, 5))
    ]
    if bic[0] - bic[1] < _EVIDENCE:
        refuse(f"{drift}: {ends} a polynomial of degree {_DEGREE} describes it as well; {advice}")


def _fit(
    spectrum: Spectrum, bands: Bands, strength: float | None
) -> tuple[Bands, FittedSpectrum] | None:
    """Fit Δ_A2, and a unless it is given, with the bands held; None if it cannot be done."""
    energy = spectrum.energy_eV
    held = dict(zip(bands.names, bands.values, strict=True))
    free: tuple[str, ...] = ("absorptive_binding_meV",)
    if strength is None:
        free += ("xx_absorption_strength",)
    else:
        held["xx_absorption_strength"] = strength
    names = (*free, "bleach", "offset", *(["second_bleach"] if "gap_meV" in held else []))

    def parts(p: Mapping[str, float]) -> dict[str, FloatArray]:
        v = {**held, **p}
        bleach, a, width = v["bleach"], v["xx_absorption_strength"], v["width_meV"]
        emission = gaussian(energy, v["pl_centre_eV"], v["pl_width_meV"])
        shifted = v["centre_eV"] - 1e-3 * v["absorptive_binding_meV"]
        result = {
            "bleach": -bleach * gaussian(energy, v["centre_eV"], width),
            "stimulated emission": -0.5 * bleach * emission,
            "excited-state absorption": 0.5 * bleach * a * gaussian(energy, shifted, width),
        }
        if "gap_meV" in v:
            second = gaussian(energy, v["centre_eV"] + 1e-3 * v["gap_meV"], v["second_width_meV"])
            result["second transition"] = -v["second_bleach"] * second
        return result | {"background": np.full(energy.shape, v["offset"])}

    # Where bands nearly coincide the misfit has several minima in the shift.
    found = [
        fit
        for start in _starts(spectrum, held)
        if (fit := fits.solve(parts, names, start, spectrum)) is not None and fit.sees("bleach")
    ]
    if not found:
        return None
    fit = min(found, key=lambda one: one.criterion)
    every = (*bands.names, *names)

    def model(p: FloatArray) -> FloatArray:
        return fits.total(parts(dict(zip(every, p, strict=True)))) / spectrum.relative_noise

    slopes = fits.jacobian(model, np.concatenate([bands.values, fit.values]))
    by_bands, by_own = np.split(slopes, [len(bands.names)], axis=1)
    # The best fit moves with the bands such that its residual stays orthogonal to its slopes.
    moves = -np.asarray(np.linalg.lstsq(by_own, by_bands)[0], dtype=float)[: len(free)]
    moved = moves @ bands.covariance
    own = fit.covariance[: len(free), : len(free)] + moved @ moves.T
    joint = Bands(
        (*bands.names, *free),
        np.concatenate([bands.values, fit.values[: len(free)]]),
        np.block([[bands.covariance, moved.T], [moved, own]]),
    )
    return joint, fit.spectrum


def _starts(spectrum: Spectrum, held: Mapping[str, float]) -> list[FloatArray]:
    """Return the best start for shifts to the blue, small shifts, and shifts to the red."""
    thin = spectrum.thinned(_SCAN_POINTS)
    e, centre, width = thin.energy_eV, held["centre_eV"], held["width_meV"]
    emission = gaussian(e, held["pl_centre_eV"], held["pl_width_meV"])
    bleach = -gaussian(e, centre, width) - 0.5 * emission
    others = [np.ones_like(e)]
    if "gap_meV" in held:
        others.append(-gaussian(e, centre + 1e-3 * held["gap_meV"], held["second_width_meV"]))
    strength = held.get("xx_absorption_strength")
    starts = []
    for ends in _SHIFTS:
        (shift,) = fits.mesh(width * np.linspace(*ends, 60))
        esa = 0.5 * gaussian(e, centre - 1e-3 * shift, width)
        own = [bleach, esa] if strength is None else [bleach + strength * esa]
        start = fits.best_start([shift], fits.design(*own, *others), thin.values, positive=len(own))
        if start is not None:
            if strength is None:
                # Of two coefficients the second is a times the first.
                start[1], start[2] = start[2] / start[1], start[1]
            starts.append(start)
    return starts
