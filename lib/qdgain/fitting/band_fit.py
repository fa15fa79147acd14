r"""Bands fitted to a dot's absorption, photoluminescence and transient absorption.

.. math::
    \text{absorption} &= h_X A_X + h_2 A_2 + b_0 + b_1 (E/E_m)^4 \\
    \text{PL} &= h\,PL_X + b_0 + b_1 (E-E_m) \\
    \Delta A &= k\,\big[-A_X + \tfrac12(a A_{XX2} - PL_X)\big] - k_2 A_2 + c

with Gaussians of unit peak. A_2 is a second transition to the blue of A_X; the background of the
absorption is an offset and Rayleigh scattering, that of the PL a straight line.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import NamedTuple, NoReturn

import numpy as np
import scipy
from numpy.typing import ArrayLike

from qdgain.measured.instrument_file import intensity_per_eV
from qdgain.model import parameters
from qdgain.model.bands import bands
from qdgain.model.dot import Dot, FloatArray
from qdgain.model.gain import gain
from qdgain.model.units import nm_from_eV, sigma_from_fwhm

#: The automatic window about the PL's peak, in its FWHM: of the PL, and of the other spectra.
PL_WINDOW = (-3.0, 3.0)
WINDOW = (-2.5, 5.0)
#: Narrower blue ends, for an absorption of more transitions than the model has.
NARROWER = (4.0, 3.2, 2.6, 2.0)
#: Residuals count as random up to this correlation factor.
_RANDOM = 2.0
#: The fewest points of a fit.
_FEWEST = 12
#: The strength a of a transient counts as determined up to this standard error and correlation
#: with Δ_A2.
LARGEST_ERROR, LARGEST_CORRELATION = 0.1, 0.95
#: A band counts as seen above this many standard errors.
_SEEN = 5.0
#: How many points begin a fit.
_SCAN_POINTS = 80
#: Shifts of A_XX2 that a fit begins from, in its FWHM.
_SHIFTS = ((-2.5, -0.4), (-0.4, 0.4), (0.4, 2.5))
#: Of central differences, relative.
_STEP = 1e-5


class Spectrum(NamedTuple):
    """A spectrum to be fitted: rising energies, values, and the relative noise of each."""

    energy_eV: FloatArray
    values: FloatArray
    relative_noise: FloatArray


@dataclass(frozen=True, eq=False)
class FittedSpectrum:
    """A spectrum within the fitted window, and the parts of the model, all of shape E.

    Parameters
    ----------
    energy_eV, measured : numpy.ndarray
        What was fitted.
    parts : Mapping
        Name to curve; their sum is the fit.
    noise : float
        Standard deviation of the residual, in the unit of the data (of the largest value, if it is
        not even).
    correlation_factor : float
        By how much the correlation of neighbouring residuals raises every variance, 1 if they are
        random.
    """

    energy_eV: FloatArray
    measured: FloatArray
    parts: Mapping[str, FloatArray]
    noise: float
    correlation_factor: float

    @property
    def fitted(self) -> FloatArray:
        """The sum of the parts."""
        return np.asarray(sum(self.parts.values()))


@dataclass(frozen=True, eq=False)
class FreeStrength:
    """A fit of the transient in which the strength a is free as well.

    Parameters
    ----------
    absorptive_binding_meV, xx_absorption_strength : tuple of float
        Value and standard error.
    correlation : float
        Between the two.
    """

    absorptive_binding_meV: tuple[float, float]
    xx_absorption_strength: tuple[float, float]
    correlation: float

    @property
    def determined(self) -> bool:
        """Whether the transient tells the two apart: by small errors and correlation.

        The error of a at most `LARGEST_ERROR`, the correlation at most `LARGEST_CORRELATION`, and
        a within the contract's range.
        """
        value, error = self.xx_absorption_strength
        entry = parameters.CONTRACT["xx_absorption_strength"]
        inside = entry.minimum <= value <= entry.maximum
        return inside and error <= LARGEST_ERROR and abs(self.correlation) <= LARGEST_CORRELATION


@dataclass(frozen=True, eq=False)
class FittedBands:
    """What the spectra say of the dot, in the contract's terms.

    Parameters
    ----------
    names : tuple of str
        Of the contract's parameters that were measured, K of them.
    values : numpy.ndarray
        Of shape K.
    covariance : numpy.ndarray
        Of shape (K, K).
    spectra : Mapping
        ``absorption``, ``PL`` and, if there was one, ``transient``.
    free_strength : FreeStrength or None
        Of the transient.
    notes : tuple of str
        What a reader of the numbers should know, a sentence each.
    """

    names: tuple[str, ...]
    values: FloatArray
    covariance: FloatArray
    spectra: Mapping[str, FittedSpectrum]
    free_strength: FreeStrength | None = None
    notes: tuple[str, ...] = field(default=())

    @property
    def standard_errors(self) -> FloatArray:
        """Of shape K."""
        return np.asarray(np.sqrt(np.diag(self.covariance)))


def even_spectrum(energy_eV: ArrayLike, values: ArrayLike) -> Spectrum:
    """Return a spectrum with the same noise everywhere."""
    energy = np.asarray(energy_eV, dtype=float)
    return Spectrum(energy, np.asarray(values, dtype=float), np.ones(energy.shape))


def emission_per_eV(energy_eV: ArrayLike, intensity_per_nm: ArrayLike) -> Spectrum:
    """Return an emission spectrum per eV from one per nm whose noise was the same everywhere.

    The noise is scaled as the intensity is, so that the conversion changes no weights.
    See `qdgain.measured.instrument_file.intensity_per_eV`.
    """
    energy = np.asarray(energy_eV, dtype=float)
    factor = nm_from_eV(energy) / energy
    return Spectrum(energy, intensity_per_eV(energy, intensity_per_nm), factor / np.mean(factor))


def gaussian(energy_eV: ArrayLike, centre_eV: ArrayLike, width_meV: ArrayLike) -> FloatArray:
    """Return a Gaussian of unit peak; the width is its full width at half maximum."""
    offset = np.asarray(energy_eV, dtype=float) - np.asarray(centre_eV, dtype=float)
    return np.asarray(np.exp(-0.5 * (offset / (1e-3 * sigma_from_fwhm(width_meV))) ** 2))


def relaxed_exciton_signal(dot: Dot, energy_eV: ArrayLike) -> FloatArray:
    r"""Return the transient absorption of one relaxed exciton per dot, of shape D + E.

    :math:`\Delta A/A = -A_X + \tfrac12(a A_{XX2} - PL_X)`: the ground state is bleached, the
    exciton emits, and it absorbs into the biexciton.

    Parameters
    ----------
    dot : Dot
        Of shape D.
    energy_eV : array_like
        Photon energies of shape E.

    Returns
    -------
    numpy.ndarray
        In units of the peak absorption, negative for bleach.

    Notes
    -----
    This is σ_NL/σ_A less its value without excitons, for P₁ = 1 and P₂ = 0. Source: paper section
    3.3.
    """
    # Under sequential statistics every dot holds exactly one exciton at ⟨N⟩ = 1.
    return -gain(dot, energy_eV, 1.0, "sequential") - bands(dot, energy_eV).absorption


def earliest_delay_ps(relaxation_time_fs: float, left: float = 0.01) -> float:
    r"""Return the delay after which excitons have relaxed: :math:`-\tau_{AE}\ln(\text{left})`.

    Parameters
    ----------
    relaxation_time_fs : float
        Of X_A to X_E.
    left : float
        The part that may still be in X_A.

    Notes
    -----
    Source: exponential relaxation; paper section 3.1 for the time.
    """
    relaxation = parameters.check("relaxation_time_fs", relaxation_time_fs)
    return float(-1e-3 * relaxation * np.log(left))


def fit_bands(
    absorption: Spectrum,
    emission: Spectrum,
    transient: Spectrum | None = None,
    *,
    xx_absorption_strength: float = 1.0,
    hold_strength: bool | None = None,
    from_eV: float | None = None,
    to_eV: float | None = None,
) -> FittedBands:
    """Fit the bands of a dot to its spectra.

    The PL is fitted first; the window of the other fits, unless given, follows from its peak and
    width, and ends earlier where only that leaves random residuals in the absorption. The second
    transition is left out where the Bayesian information criterion prefers that. The transient is
    fitted with the bands of the other two held, whose uncertainty is carried over.

    Parameters
    ----------
    absorption, emission : Spectrum
        Absorbance, and photoluminescence per eV, each in any unit.
    transient : Spectrum, optional
        ΔA of relaxed excitons, bleach negative, in any unit.
    xx_absorption_strength : float
        The strength a where it is held. Only the transient needs it.
    hold_strength : bool, optional
        Whether a is held; by default only where the transient does not determine it, see
        `FreeStrength.determined`.
    from_eV, to_eV : float, optional
        The window of every fit.

    Returns
    -------
    FittedBands
        Standard errors come from the scatter of each spectrum about its fit; where neighbouring
        residuals r₁-correlate, variances are raised by (1 + r₁)/(1 - r₁).

    Raises
    ------
    ParameterError
        If a spectrum has too few points in the window, or lacks the band it should show.

    Notes
    -----
    Nonlinear least squares by lmfit, begun from a scan in which heights and backgrounds follow
    linearly. Source: Gaussian bands of paper section 3.3 and Fig 8a; the backgrounds are assumed.
    """
    pl, pl_spectrum = _fit_emission(emission, from_eV, to_eV)
    peak, width = pl.values[0], pl.values[1]
    low = peak + 1e-3 * WINDOW[0] * width if from_eV is None else from_eV
    ends = [peak + 1e-3 * blue * width for blue in (WINDOW[1], *NARROWER)]
    high, (first, absorption_spectrum, notes) = _widest(
        absorption, low, ends if to_eV is None else [to_eV], float(peak), float(width)
    )
    spectra = {"absorption": absorption_spectrum, "PL": pl_spectrum}
    # What is known so far: E_A, Γ_A, then the second transition if any, and last E_P, Γ_P.
    kept = 4 if "gap_eV" in first.names else 2
    values = np.concatenate([first.values[:kept], pl.values[:2]])
    covariance = np.zeros((kept + 2, kept + 2))
    covariance[:kept, :kept] = first.covariance[:kept, :kept]
    covariance[kept:, kept:] = pl.covariance[:2, :2]
    names = ["absorption_energy_eV", "linewidth_meV", "stokes_shift_meV", "emission_linewidth_meV"]
    terms = np.zeros((4, kept + 2))
    terms[0, 0] = terms[1, 1] = terms[3, -1] = 1.0
    terms[2, 0], terms[2, -2] = 1e3, -1e3
    free = None
    if transient is not None:
        used = _within(transient, low, high, "transient")
        loose = _fit_transient(used, values, covariance, None)
        free = None if loose is None else _free_strength(loose.total(covariance), loose.values)
        hold = not (free and free.determined) if hold_strength is None else hold_strength
        own = _fit_transient(used, values, covariance, xx_absorption_strength) if hold else loose
        if own is None:
            both = "" if hold else "does not tell the strength a and the shift Δ_A2 apart, or it "
            _refuse(
                f"the transient {both}shows no bleach of A_X and PL_X: give ΔA at one delay, "
                "negative where the sample is bleached"
            )
        spectra["transient"] = own.spectrum
        names += own.names
        values, covariance = own.joint(values, covariance)
        terms = scipy.linalg.block_diag(terms, np.eye(len(own.names)))
    for name, fitted in spectra.items():
        if fitted.correlation_factor > _RANDOM:
            notes.append(
                f"neighbouring residuals of the {name} are correlated, by its shape, smoothing or "
                f"slit; its errors are raised {np.sqrt(fitted.correlation_factor):.1f} times"
            )
    return FittedBands(
        tuple(names), terms @ values, terms @ covariance @ terms.T, spectra, free, tuple(notes)
    )


class _Fit(NamedTuple):
    """Names, values, covariance and χ² measures of one least-squares fit."""

    names: tuple[str, ...]
    values: FloatArray
    covariance: FloatArray
    residual: FloatArray
    criterion: float
    correlation_factor: float

    def error(self, name: str) -> float:
        i = self.names.index(name)
        return float(np.sqrt(self.covariance[i, i]))

    def value(self, name: str) -> float:
        return float(self.values[self.names.index(name)])


def _refuse(reason: str) -> NoReturn:
    raise parameters.ParameterError(f"the spectra cannot be fitted: {reason}.")


def _within(spectrum: Spectrum, low: float, high: float, name: str) -> Spectrum:
    inside = (spectrum.energy_eV >= low) & (spectrum.energy_eV <= high)
    if inside.sum() < _FEWEST:
        _refuse(
            f"the {name} has {inside.sum()} points from {low:.4g} to {high:.4g} eV and needs "
            f"{_FEWEST}"
        )
    return Spectrum(*(column[inside] for column in spectrum))


def _solve(
    model: Callable[[FloatArray], FloatArray],
    names: tuple[str, ...],
    start: FloatArray,
    spectrum: Spectrum,
) -> _Fit | None:
    """Fit a model by least squares; None if the data do not determine its parameters."""
    # Its import takes longer than most fits, and most uses of the library fit nothing.
    from lmfit import Parameters, minimize  # noqa: PLC0415

    scale = float(np.max(np.abs(spectrum.values)))
    free = Parameters()
    for name, value in zip(names, start, strict=True):
        free.add(name, value=float(value))

    def residual(p: Parameters) -> FloatArray:
        values = np.array([p[name].value for name in names])
        return np.asarray((model(values) - spectrum.values) / spectrum.relative_noise / scale)

    # lmfit scales the covariance by the residual's own scatter: the noise is not known.
    found = minimize(residual, free, max_nfev=200 * len(names))
    values = np.array([found.params[name].value for name in names])
    covariance = getattr(found, "covar", None)
    if covariance is None or not found.success or not np.all(np.isfinite(covariance)):
        return None
    left = np.asarray(found.residual) * scale
    factor = _correlation_factor(left)
    return _Fit(names, values, factor * np.asarray(covariance), left, float(found.bic), factor)


def _correlation_factor(residual: FloatArray) -> float:
    """Return (1 + r)/(1 - r) for the correlation r ≥ 0 of neighbouring residuals.

    The factor by which a first-order autoregressive noise raises the variance of a mean.
    """
    power = float(residual @ residual)
    lag = float(residual[1:] @ residual[:-1]) / power if power > 0 else 0.0
    lag = min(max(lag, 0.0), 0.98)
    return (1 + lag) / (1 - lag)


def _scan(columns: FloatArray, values: FloatArray, positive: int) -> tuple[int, FloatArray]:
    """Return the best of many designs of shape (K, E, M) and its linear coefficients.

    The first `positive` coefficients have to be above zero.
    """
    transposed = np.swapaxes(columns, 1, 2)
    gram = transposed @ columns
    gram += 1e-9 * np.einsum("kii->k", gram)[:, None, None] * np.eye(columns.shape[2])
    coefficients = np.linalg.solve(gram, transposed @ values[:, None])
    misfit = np.sum((columns @ coefficients - values[:, None]) ** 2, axis=(1, 2))
    allowed = (coefficients[:, :positive, 0] > 0).all(axis=1)
    best = int(np.argmin(np.where(allowed, misfit, np.inf)))
    linear = np.asarray(coefficients[best, :, 0], dtype=float)
    return (best if allowed.any() else -1), linear


def _thinned(spectrum: Spectrum, points: int = _SCAN_POINTS) -> Spectrum:
    """Return fewer points, enough to begin a fit."""
    step = max(1, spectrum.energy_eV.size // points)
    size = spectrum.energy_eV.size // step * step
    return Spectrum(*(column[:size].reshape(-1, step).mean(axis=1) for column in spectrum))


def _fitted(spectrum: Spectrum, fit: _Fit, parts: Mapping[str, FloatArray]) -> FittedSpectrum:
    freedom = spectrum.energy_eV.size - fit.values.size
    noise = float(np.sqrt(fit.residual @ fit.residual / freedom))
    return FittedSpectrum(
        spectrum.energy_eV, spectrum.values, dict(parts), noise, fit.correlation_factor
    )


def _mesh(*axes: ArrayLike) -> list[FloatArray]:
    grids = np.meshgrid(*axes, indexing="ij")
    return [np.asarray(grid).reshape(-1, 1) for grid in grids]


def _fit_emission(
    spectrum: Spectrum, from_eV: float | None, to_eV: float | None
) -> tuple[_Fit, FittedSpectrum]:
    def at_most(low: float | None, high: float | None) -> Spectrum:
        return _within(
            spectrum,
            -np.inf if low is None else low,
            np.inf if high is None else high,
            "PL",
        )

    wide = at_most(from_eV, to_eV)
    start = _start_of_emission(wide)
    low = start[0] + 1e-3 * PL_WINDOW[0] * start[1] if from_eV is None else from_eV
    high = start[0] + 1e-3 * PL_WINDOW[1] * start[1] if to_eV is None else to_eV
    used = at_most(low, high)
    start = _start_of_emission(used)
    middle = float(np.mean(used.energy_eV))

    def parts(p: FloatArray) -> dict[str, FloatArray]:
        return {
            "PL_X": p[2] * gaussian(used.energy_eV, p[0], p[1]),
            "background": p[3] + p[4] * (used.energy_eV - middle),
        }

    names = ("centre_eV", "width_meV", "height", "offset", "slope_per_eV")
    fit = _solve(lambda p: sum_of(parts(p)), names, start, used)
    if fit is None or fit.value("height") < _SEEN * fit.error("height"):
        _refuse("no band stands out of the PL")
    _check_inside(fit.value("centre_eV"), used, "PL_X")
    return fit, _fitted(used, fit, parts(fit.values))


def sum_of(parts: Mapping[str, FloatArray]) -> FloatArray:
    """Return the sum of the parts of a model."""
    return np.asarray(sum(parts.values()))


def _check_inside(centre_eV: float, spectrum: Spectrum, band: str) -> None:
    low, high = spectrum.energy_eV[0], spectrum.energy_eV[-1]
    if not low < centre_eV < high:
        _refuse(
            f"the centre of {band} comes out at {centre_eV:.4g} eV, outside the {low:.4g} to "
            f"{high:.4g} eV that were fitted"
        )


def _start_of_emission(spectrum: Spectrum) -> FloatArray:
    thin = _thinned(spectrum, 2 * _SCAN_POINTS)
    energy = thin.energy_eV
    span = energy[-1] - energy[0]
    centre, width = _mesh(
        np.linspace(energy[0], energy[-1], 82)[1:-1],
        1e3 * span * np.geomspace(0.015, 0.6, 12),
    )
    line = np.broadcast_to(energy - energy.mean(), (centre.size, energy.size))
    columns = np.stack([gaussian(energy, centre, width), np.ones_like(line), line], axis=-1)
    best, (height, offset, slope) = _scan(columns, thin.values, positive=1)
    if best < 0:
        _refuse("no band stands out of the PL")
    return np.array([centre[best, 0], width[best, 0], height, offset, slope])


_AbsorptionFit = tuple[_Fit, FittedSpectrum, list[str]]


def _widest(
    spectrum: Spectrum, low: float, ends: list[float], peak_eV: float, width_meV: float
) -> tuple[float, _AbsorptionFit]:
    """Return the fit up to the first of some ends that leaves residuals about as random as any.

    A dot has more transitions, and the bulk's continuum, to the blue of what the model holds. Where
    a narrower window does not halve the correlation, smoothing or a slit is behind it instead.
    """
    fits: list[tuple[float, _AbsorptionFit]] = []
    refusal = None
    for end in ends:
        try:
            used = _within(spectrum, low, end, "absorption")
            found = _fit_absorption(used, peak_eV, width_meV)
        except parameters.ParameterError as error:
            refusal = refusal or error
            continue
        fits.append((end, found))
        if found[1].correlation_factor <= _RANDOM:
            break
    if not fits:
        assert refusal is not None
        raise refusal
    factors = [fit.correlation_factor for _, (_, fit, _) in fits]
    enough = max(_RANDOM, 1.5 * min(factors))
    if min(factors) > 0.5 * factors[0]:
        enough = factors[0]
    end, best = next(fit for fit, factor in zip(fits, factors, strict=True) if factor <= enough)
    if end < ends[0]:
        best[2].append(
            f"the absorption is fitted up to {end:.4g} eV only: beyond, it has more than one band "
            "and a second transition"
        )
    return end, best


def _fit_absorption(spectrum: Spectrum, peak_eV: float, width_meV: float) -> _AbsorptionFit:
    energy = spectrum.energy_eV
    middle = float(np.mean(energy))
    scattering = (energy / middle) ** 4
    names = ("centre_eV", "width_meV", "gap_eV", "second_width_meV")
    heights = ("height", "second_height", "offset", "scattering")

    def two(p: FloatArray) -> dict[str, FloatArray]:
        return {
            "A_X": p[4] * gaussian(energy, p[0], p[1]),
            "second transition": p[5] * gaussian(energy, p[0] + p[2], p[3]),
            "background": p[6] + p[7] * scattering,
        }

    def one(p: FloatArray) -> dict[str, FloatArray]:
        parts = two(np.array([p[0], p[1], 1.0, 1.0, p[2], 0.0, p[3], p[4]]))
        return {name: part for name, part in parts.items() if name != "second transition"}

    thin = _thinned(spectrum)
    centre, width, gap, second = _mesh(
        np.arange(peak_eV - 0.3e-3 * width_meV, energy[-1], 0.25e-3 * width_meV),
        width_meV * np.array([0.6, 0.85, 1.2, 1.7]),
        1e-3 * width_meV * np.array([0.8, 1.3, 2.0, 3.0]),
        width_meV * np.array([1.0, 1.7, 2.8]),
    )
    e = thin.energy_eV
    level = np.broadcast_to(np.ones_like(e), (centre.size, e.size))
    rayleigh = np.broadcast_to((e / middle) ** 4, level.shape)
    first_band = gaussian(e, centre, width)
    columns = np.stack([first_band, gaussian(e, centre + gap, second), level, rayleigh], axis=-1)
    candidates = []
    best, linear = _scan(columns, thin.values, positive=2)
    if best >= 0:
        start = np.array([*(grid[best, 0] for grid in (centre, width, gap, second)), *linear])
        fit = _solve(lambda p: sum_of(two(p)), (*names, *heights), start, spectrum)
        if fit is not None and fit.value("gap_eV") > 0 and fit.value("second_height") > 0:
            candidates.append((fit, two))
    best, linear = _scan(columns[..., [0, 2, 3]], thin.values, positive=1)
    if best >= 0:
        start = np.array([centre[best, 0], width[best, 0], *linear])
        fit = _solve(
            lambda p: sum_of(one(p)), (*names[:2], heights[0], *heights[2:]), start, spectrum
        )
        if fit is not None:
            candidates.append((fit, one))
    if not candidates:
        _refuse(
            "no first band stands out of the absorption near the PL; a narrower window may help"
        )
    fit, parts = min(candidates, key=lambda candidate: candidate[0].criterion)
    if fit.value("height") < _SEEN * fit.error("height"):
        _refuse(
            "no first band stands out of the absorption near the PL; a narrower window may help"
        )
    _check_inside(fit.value("centre_eV"), spectrum, "A_X")
    fit.values[1] = abs(fit.values[1])
    notes = []
    if parts is one:
        notes.append("the absorption needs no second transition within the fitted window")
    elif 1e3 * fit.value("gap_eV") < 0.5 * fit.value("width_meV"):
        notes.append(
            "the second transition lies within half a linewidth of A_X, whose centre then depends "
            "on the Gaussian shape"
        )
    return fit, _fitted(spectrum, fit, parts(fit.values)), notes


class _TransientFit(NamedTuple):
    """A fit of the transient, and how it moves with the bands that were held."""

    names: list[str]
    values: FloatArray
    covariance: FloatArray
    slopes: FloatArray
    spectrum: FittedSpectrum

    def total(self, known_covariance: FloatArray) -> FloatArray:
        """Return the covariance with what the errors of the bands add to it."""
        return self.covariance + self.slopes @ known_covariance @ self.slopes.T

    def joint(self, known: FloatArray, covariance: FloatArray) -> tuple[FloatArray, FloatArray]:
        """Return values and covariance of the bands and of this fit together."""
        moved = self.slopes @ covariance
        return np.concatenate([known, self.values]), np.block(
            [[covariance, moved.T], [moved, self.total(covariance)]]
        )


def _fit_transient(
    spectrum: Spectrum,
    known: FloatArray,
    covariance: FloatArray,
    strength: float | None,
) -> _TransientFit | None:
    """Fit Δ_A2, and a unless it is given, with the bands held; None if it cannot be done."""
    energy = spectrum.energy_eV
    has_second = known.size == 6
    free = ["absorptive_binding_meV"] + ([] if strength is not None else ["xx_absorption_strength"])
    nuisance = ["bleach", "offset"] + (["second_bleach"] if has_second else [])
    names = (*free, *nuisance)

    def parts(p: FloatArray, held: FloatArray) -> dict[str, FloatArray]:
        values = dict(zip(names, p, strict=True))
        a = strength if strength is not None else values["xx_absorption_strength"]
        centre, width, pl_centre, pl_width = *held[:2], *held[-2:]
        shift = 1e-3 * values["absorptive_binding_meV"]
        result = {
            "bleach": -values["bleach"] * gaussian(energy, centre, width),
            "stimulated emission": -0.5 * values["bleach"] * gaussian(energy, pl_centre, pl_width),
            "excited-state absorption": 0.5
            * values["bleach"]
            * a
            * gaussian(energy, centre - shift, width),
        }
        if has_second:
            second = gaussian(energy, centre + held[2], held[3])
            result["second transition"] = -values["second_bleach"] * second
        return result | {"background": np.full(energy.shape, values["offset"])}

    # Where bands nearly coincide the misfit has several minima in the shift.
    found = [
        fit
        for start in _starts_of_transient(spectrum, known, strength)
        if (fit := _solve(lambda p: sum_of(parts(p, known)), names, start, spectrum)) is not None
        and fit.value("bleach") >= _SEEN * fit.error("bleach")
    ]
    if not found:
        return None
    fit = min(found, key=lambda one: one.criterion)

    def model(p: FloatArray) -> FloatArray:
        held, own = p[: known.size], p[known.size :]
        return sum_of(parts(own, held)) / spectrum.relative_noise

    slopes = _jacobian(model, np.concatenate([known, fit.values]))
    by_bands, by_own = slopes[:, : known.size], slopes[:, known.size :]
    # The best fit moves with the bands such that its residual stays orthogonal to its slopes.
    moves = -np.asarray(np.linalg.lstsq(by_own, by_bands)[0], dtype=float)
    count = len(free)
    return _TransientFit(
        free,
        fit.values[:count],
        fit.covariance[:count, :count],
        moves[:count],
        _fitted(spectrum, fit, parts(fit.values, known)),
    )


def _starts_of_transient(
    spectrum: Spectrum, known: FloatArray, strength: float | None
) -> list[FloatArray]:
    """Return the best start for shifts to the blue, small shifts, and shifts to the red."""
    thin = _thinned(spectrum)
    e = thin.energy_eV
    centre, width, pl_centre, pl_width = *known[:2], *known[-2:]
    bleach = -gaussian(e, centre, width) - 0.5 * gaussian(e, pl_centre, pl_width)
    starts = []
    for ends in _SHIFTS:
        (shift,) = _mesh(width * np.linspace(*ends, 60))
        esa = 0.5 * gaussian(e, centre - 1e-3 * shift, width)
        bands_of = [np.broadcast_to(bleach, esa.shape), esa]
        if strength is not None:
            bands_of = [bleach + strength * esa]
        others = [np.ones_like(esa)]
        if known.size == 6:
            second = -gaussian(e, centre + known[2], known[3])
            others.append(np.broadcast_to(second, esa.shape))
        columns = np.stack([*bands_of, *others], axis=-1)
        best, linear = _scan(columns, thin.values, positive=len(bands_of))
        if best >= 0:
            # Of two coefficients the second is a times the first.
            ratio = [linear[1] / linear[0]] if strength is None else []
            rest = linear[2:] if strength is None else linear[1:]
            starts.append(np.array([shift[best, 0], *ratio, linear[0], *rest]))
    return starts


def _jacobian(model: Callable[[FloatArray], FloatArray], at: FloatArray) -> FloatArray:
    """Return the slopes of a model against its parameters, by central differences."""
    columns = []
    for i, value in enumerate(at):
        step = np.zeros(at.size)
        step[i] = _STEP * max(abs(value), 1e-3)
        columns.append((model(at + step) - model(at - step)) / (2 * step[i]))
    return np.stack(columns, axis=-1)


def _free_strength(covariance: FloatArray, values: FloatArray) -> FreeStrength:
    errors = np.sqrt(np.diag(covariance))
    return FreeStrength(
        (float(values[0]), float(errors[0])),
        (float(values[1]), float(errors[1])),
        float(covariance[0, 1] / errors[0] / errors[1]),
    )
