r"""The biexciton's shift and strength from a transient absorption, with the other bands held.

.. math::
    \Delta A = k\,\big[-w_A A_X - w_P PL_X + w_C\,a A_{XX2}\big] - k_2 A_2 + c

The weights w are those of one exciton in the dot's reading, see
`qdgain.fitting.spectra.exciton_weights`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import NamedTuple

import numpy as np

from qdgain.fitting.averaging import FittedSpectrum, correlation_factor, criterion
from qdgain.fitting.spectra import ExcitonWeights, Spectrum, gaussian, refuse
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
#: What is fitted: the shift, and the strength where it is free.
_FREE = ("absorptive_binding_meV", "xx_absorption_strength")
#: A bleach counts as seen above this many standard errors.
_SEEN = 5.0
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
    spectrum: Spectrum,
    bands: Bands,
    strength: float,
    hold: bool | None,
    weights: ExcitonWeights,
) -> tuple[Bands, FittedSpectrum, FreeStrength | None]:
    """Return the bands with Δ_A2, and a if it is free, after them; curves; the fit with a free.

    Whether a is held at `strength` depends on the transient where `hold` is None. Refused
    (`ParameterError`) is one without the bleach that it should show.
    """
    loose = _fit(spectrum, bands, None, weights)
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
    found = _fit(spectrum, bands, strength, weights) if hold else loose
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


def _parts(
    energy: FloatArray, v: Mapping[str, float], weights: ExcitonWeights
) -> dict[str, FloatArray]:
    """Return the curves that the model is the sum of."""
    bleach, width = v["bleach"], v["width_meV"]
    emission = gaussian(energy, v["pl_centre_eV"], v["pl_width_meV"])
    shifted = gaussian(energy, v["centre_eV"] - 1e-3 * v["absorptive_binding_meV"], width)
    result = {
        "bleach": -weights.bleach * bleach * gaussian(energy, v["centre_eV"], width),
        "stimulated emission": -weights.emission * bleach * emission,
        "excited-state absorption": (
            weights.absorption * bleach * v["xx_absorption_strength"] * shifted
        ),
    }
    if "gap_meV" in v:
        second = gaussian(energy, v["centre_eV"] + 1e-3 * v["gap_meV"], v["second_width_meV"])
        result["second transition"] = -v["second_bleach"] * second
    return result | {"background": np.full(energy.shape, v["offset"])}


def _fit(
    spectrum: Spectrum, bands: Bands, strength: float | None, weights: ExcitonWeights
) -> tuple[Bands, FittedSpectrum] | None:
    """Fit Δ_A2, and a unless it is given, with the bands held; None if it cannot be done."""
    # Its import takes longer than most fits, and most uses of the library fit nothing.
    from lmfit import Parameters, minimize  # noqa: PLC0415

    free = _FREE[: 1 + (strength is None)]
    known = dict(zip(bands.names, bands.values.tolist(), strict=True))
    held = known if strength is None else {**known, _FREE[1]: strength}
    scale = spectrum.relative_noise * float(np.max(np.abs(spectrum.values)))

    def misfit(values: Mapping[str, float]) -> FloatArray:
        parts = _parts(spectrum.energy_eV, held | dict(values), weights)
        return np.asarray((sum(parts.values()) - spectrum.values) / scale)

    found = []
    for start in _starts(spectrum, held, len(free), weights):
        begun = Parameters()
        begun.add_many(*start.items())
        with np.errstate(over="ignore", invalid="ignore"):
            fit = minimize(lambda p: misfit(p.valuesdict()), begun, max_nfev=200 * len(begun))
        if not fit.success or getattr(fit, "covar", None) is None:
            continue
        covariance = fit.covar * correlation_factor(fit.residual)
        error = np.sqrt(covariance[len(free), len(free)])
        if np.isfinite(covariance).all() and fit.params["bleach"].value >= _SEEN * error:
            found.append((fit.chisqr, fit.params.valuesdict(), covariance, fit.residual))
    if not found:
        return None
    _, values, covariance, residual = min(found, key=lambda one: one[0])
    by_bands, by_own = (_slopes(misfit, known | values, names) for names in (known, values))
    # The best fit moves with the bands such that its residual stays orthogonal to its slopes.
    moves = -np.asarray(np.linalg.lstsq(by_own, by_bands)[0], dtype=float)[: len(free)]
    moved = moves @ bands.covariance
    own = covariance[: len(free), : len(free)] + moved @ moves.T
    joint = Bands(
        (*bands.names, *free),
        np.append(bands.values, [values[name] for name in free]),
        np.block([[bands.covariance, moved.T], [moved, own]]),
    )
    left = residual * scale / spectrum.relative_noise
    noise = float(np.sqrt(left @ left / (left.size - len(values))))
    parts = _parts(spectrum.energy_eV, held | values, weights)
    factor = correlation_factor(left)
    return joint, FittedSpectrum(spectrum.energy_eV, spectrum.values, parts, noise, factor)


def _slopes(
    function: Callable[[Mapping[str, float]], FloatArray],
    at: Mapping[str, float],
    names: Iterable[str],
) -> FloatArray:
    """Return the slopes of a function against some of its arguments, by central differences."""
    columns = []
    for name in names:
        step = 1e-5 * max(abs(at[name]), 1e-3)
        ends = (function({**at, name: at[name] + side * step}) for side in (-1, 1))
        columns.append(np.subtract(*reversed([*ends])) / (2 * step))
    return np.stack(columns, axis=-1)


def _starts(
    spectrum: Spectrum, held: Mapping[str, float], count: int, weights: ExcitonWeights
) -> Iterator[dict[str, float]]:
    """Yield the best start for shifts to the blue, small shifts, and shifts to the red.

    Where bands nearly coincide the misfit has several minima in the shift. For a given one the
    model is linear in all else, of which bleach and absorption have to be above zero.
    """
    thin = spectrum.thinned(_SCAN_POINTS)
    names = ["offset", *(["second_bleach"] if "gap_meV" in held else [])]
    for ends in _SHIFTS:
        best, least = None, np.inf
        for shift in held["width_meV"] * np.linspace(*ends, 60):
            one = {_FREE[1]: 1.0, **held, _FREE[0]: shift, **dict.fromkeys(["bleach", *names], 1.0)}
            parts = _parts(thin.energy_eV, one, weights)
            bleach, emission, absorbed, *others = parts.values()
            first = [bleach + emission, absorbed] if count == 2 else [bleach + emission + absorbed]
            curves = np.stack([*first, *others[::-1]], axis=-1)
            linear = np.linalg.lstsq(curves, thin.values)[0]
            misfit = float(np.sum((curves @ linear - thin.values) ** 2))
            if misfit < least and (linear[:count] > 0).all():
                least = misfit
                ratio = linear[1:2] / linear[0] if count == 2 else ()
                every = (*_FREE[:count], "bleach", *names)
                best = dict(zip(every, (shift, *ratio, linear[0], *linear[count:]), strict=True))
        if best is not None:
            yield best
