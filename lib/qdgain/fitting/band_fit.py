r"""Bands fitted to a dot's absorption, photoluminescence and transient absorption.

.. math::
    \text{absorption} &= h_X A_X + h_2 A_2 + b_0 + b_1 (E/E_m)^4 \\
    \text{PL} &= h\,PL_X + b_0 + b_1 (E-E_m)

with Gaussians of unit peak. A_2 is a second transition to the blue of A_X; the background of the
absorption is an offset and Rayleigh scattering, that of the PL a straight line. For the transient
see `qdgain.fitting.transient_fit`.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import NamedTuple

import numpy as np
import scipy

from qdgain.fitting.least_squares import Fit, FittedSpectrum, best_start, design, mesh, solve
from qdgain.fitting.spectra import Spectrum, gaussian, refuse
from qdgain.fitting.transient_fit import Bands, FreeStrength, fit_transient
from qdgain.model.dot import FloatArray
from qdgain.model.parameters import ParameterError

#: The automatic window about the PL's peak, in its FWHM: of the PL, and of the other spectra.
PL_WINDOW = (-3.0, 3.0)
WINDOW = (-2.5, 5.0)
#: Narrower blue ends, for an absorption of more transitions than the model has.
NARROWER = (4.0, 3.2, 2.6, 2.0)
#: Residuals count as random up to this correlation factor.
_RANDOM = 2.0
#: How many points begin a fit.
_EMISSION_POINTS, _ABSORPTION_POINTS = 160, 80
_NO_BAND = "no band stands out of the PL"
_NO_FIRST_BAND = (
    "no first band stands out of the absorption near the PL; a narrower window may help"
)


class FittedBands(NamedTuple):
    """What the spectra say of the dot: K of the contract's parameters, and their covariance.

    The spectra are ``absorption``, ``PL`` and, if there was one, ``transient``; the notes are what
    a reader of the numbers should know, a sentence each.
    """

    names: tuple[str, ...]
    values: FloatArray
    covariance: FloatArray
    spectra: Mapping[str, FittedSpectrum]
    free_strength: FreeStrength | None = None
    notes: tuple[str, ...] = ()

    @property
    def standard_errors(self) -> FloatArray:
        """Of shape K."""
        return np.asarray(np.sqrt(np.diag(self.covariance)))


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
    absorption, emission, transient : Spectrum
        Absorbance, photoluminescence per eV, and ΔA of relaxed excitons, bleach negative, each in
        any unit.
    xx_absorption_strength : float
        The strength a where it is held. Only the transient needs it.
    hold_strength : bool, optional
        Whether a is held; by default only where the transient does not determine it, see
        `FreeStrength.determined`.
    from_eV, to_eV : float, optional
        The window of every fit.

    Raises
    ------
    ParameterError
        If a spectrum has too few points in the window, or lacks the band it should show.

    Notes
    -----
    Nonlinear least squares by lmfit, begun from a scan in which heights and backgrounds follow
    linearly. Standard errors come from the scatter of each spectrum about its fit; where
    neighbouring residuals r₁-correlate, variances are raised by (1 + r₁)/(1 - r₁). Source: Gaussian
    bands of paper section 3.3 and Fig 8a; the backgrounds are assumed.
    """
    pl = _fit_emission(emission, from_eV, to_eV)
    peak, width = pl.values[:2]
    low = peak + 1e-3 * WINDOW[0] * width if from_eV is None else from_eV
    blue_ends = [peak + 1e-3 * blue * width for blue in (WINDOW[1], *NARROWER)]
    ends = blue_ends if to_eV is None else [to_eV]
    high, first = _widest(absorption, low, ends, peak, width)
    spectra = {"absorption": first.spectrum, "PL": pl.spectrum}
    bands, free = _of_both(first, pl), None
    known = len(bands.names)
    if transient is not None:
        used = transient.within(low, high, "transient")
        bands, spectra["transient"], free = fit_transient(
            used, bands, xx_absorption_strength, hold_strength
        )
    # What is in the contract's terms, from what was fitted: E_A, Γ_A, S, Γ_P, then the transient's.
    names = ["absorption_energy_eV", "linewidth_meV", "stokes_shift_meV", "emission_linewidth_meV"]
    terms = np.zeros((4, known))
    terms[0, 0] = terms[1, 1] = terms[3, -1] = 1.0
    terms[2, 0], terms[2, -2] = 1e3, -1e3
    terms = scipy.linalg.block_diag(terms, np.eye(len(bands.names) - known))
    return FittedBands(
        (*names, *bands.names[known:]),
        terms @ bands.values,
        terms @ bands.covariance @ terms.T,
        spectra,
        free,
        tuple(_notes(first, spectra, high if high < ends[0] else None)),
    )


def _of_both(first: Fit, pl: Fit) -> Bands:
    """Return A_X, the second transition if any, and PL_X last."""
    kept = 4 if "gap_eV" in first.names else 2
    return Bands(
        (*first.names[:kept], "pl_centre_eV", "pl_width_meV"),
        np.concatenate([first.values[:kept], pl.values[:2]]),
        scipy.linalg.block_diag(first.covariance[:kept, :kept], pl.covariance[:2, :2]),
    )


def _notes(
    first: Fit, spectra: Mapping[str, FittedSpectrum], narrowed_to: float | None
) -> Iterator[str]:
    if "gap_eV" not in first.names:
        yield "the absorption needs no second transition within the fitted window"
    elif 1e3 * first.value("gap_eV") < 0.5 * first.value("width_meV"):
        yield (
            "the second transition lies within half a linewidth of A_X, whose centre then depends "
            "on the Gaussian shape"
        )
    if narrowed_to is not None:
        yield (
            f"the absorption is fitted up to {narrowed_to:.4g} eV only: beyond, it has more than "
            "one band and a second transition"
        )
    for name, fitted in spectra.items():
        if fitted.correlation_factor > _RANDOM:
            yield (
                f"neighbouring residuals of the {name} are correlated, by its shape, smoothing or "
                f"slit; its errors are raised {np.sqrt(fitted.correlation_factor):.1f} times"
            )


def _fit_emission(spectrum: Spectrum, from_eV: float | None, to_eV: float | None) -> Fit:
    wide = spectrum.within(from_eV, to_eV, "PL")
    centre, width = _start_of_emission(wide)[:2]
    low, high = (
        centre + 1e-3 * end * width if given is None else given
        for end, given in zip(PL_WINDOW, (from_eV, to_eV), strict=True)
    )
    used = spectrum.within(low, high, "PL")
    line = used.energy_eV - float(np.mean(used.energy_eV))

    def parts(v: Mapping[str, float]) -> dict[str, FloatArray]:
        return {
            "PL_X": v["height"] * gaussian(used.energy_eV, v["centre_eV"], v["width_meV"]),
            "background": v["offset"] + v["slope_per_eV"] * line,
        }

    names = ("centre_eV", "width_meV", "height", "offset", "slope_per_eV")
    fit = solve(parts, names, _start_of_emission(used), used)
    if fit is None or not fit.sees("height"):
        refuse(_NO_BAND)
    _check_inside(fit, "PL_X")
    return fit


def _start_of_emission(spectrum: Spectrum) -> FloatArray:
    thin = spectrum.thinned(_EMISSION_POINTS)
    energy = thin.energy_eV
    grids = mesh(
        np.linspace(energy[0], energy[-1], 82)[1:-1],
        1e3 * (energy[-1] - energy[0]) * np.geomspace(0.015, 0.6, 12),
    )
    designs = design(gaussian(energy, *grids), np.ones_like(energy), energy - energy.mean())
    start = best_start(grids, designs, thin.values, positive=1)
    if start is None:
        refuse(_NO_BAND)
    return start


def _check_inside(fit: Fit, band: str) -> None:
    centre, energy = fit.value("centre_eV"), fit.spectrum.energy_eV
    if not energy[0] < centre < energy[-1]:
        refuse(
            f"the centre of {band} comes out at {centre:.4g} eV, outside the {energy[0]:.4g} to "
            f"{energy[-1]:.4g} eV that were fitted"
        )


def _widest(
    spectrum: Spectrum, low: float, ends: Sequence[float], peak_eV: float, width_meV: float
) -> tuple[float, Fit]:
    """Return the fit up to the first of some ends that leaves residuals about as random as any.

    A dot has more transitions, and the bulk's continuum, to the blue of what the model holds. Where
    a narrower window does not halve the correlation, smoothing or a slit is behind it instead.
    """
    fits: dict[float, Fit] = {}
    refusals = []
    for end in ends:
        try:
            used = spectrum.within(low, end, "absorption")
            fits[end] = _fit_absorption(used, peak_eV, width_meV)
        except ParameterError as refusal:
            refusals.append(refusal)
            continue
        if fits[end].spectrum.correlation_factor <= _RANDOM:
            break
    if not fits:
        raise refusals[0]
    factors = [fit.spectrum.correlation_factor for fit in fits.values()]
    enough = max(_RANDOM, 1.5 * min(factors))
    if min(factors) > 0.5 * factors[0]:
        enough = factors[0]
    return next(both for both in fits.items() if both[1].spectrum.correlation_factor <= enough)


def _fit_absorption(spectrum: Spectrum, peak_eV: float, width_meV: float) -> Fit:
    """Fit the absorption with and without a second transition; the better of the two."""
    energy = spectrum.energy_eV
    middle = float(np.mean(energy))

    def parts(v: Mapping[str, float]) -> dict[str, FloatArray]:
        result = {"A_X": v["height"] * gaussian(energy, v["centre_eV"], v["width_meV"])}
        if "gap_eV" in v:
            second = gaussian(energy, v["centre_eV"] + v["gap_eV"], v["second_width_meV"])
            result["second transition"] = v["second_height"] * second
        return result | {"background": v["offset"] + v["scattering"] * (energy / middle) ** 4}

    thin = spectrum.thinned(_ABSORPTION_POINTS)
    e = thin.energy_eV
    grids = mesh(
        np.arange(peak_eV - 0.3e-3 * width_meV, energy[-1], 0.25e-3 * width_meV),
        width_meV * np.array([0.6, 0.85, 1.2, 1.7]),
        1e-3 * width_meV * np.array([0.8, 1.3, 2.0, 3.0]),
        width_meV * np.array([1.0, 1.7, 2.8]),
    )
    centre, width, gap, second_width = grids
    two = gaussian(e, centre, width), gaussian(e, centre + gap, second_width)
    designs = design(*two, np.ones_like(e), (e / middle) ** 4)
    shapes = ("centre_eV", "width_meV", "gap_eV", "second_width_meV")
    heights = ("height", "second_height", "offset", "scattering")
    candidates = []
    for transitions, columns in ((2, [0, 1, 2, 3]), (1, [0, 2, 3])):
        some = designs if transitions == 2 else designs[..., columns]
        start = best_start(grids[: 2 * transitions], some, thin.values, positive=transitions)
        names = (*shapes[: 2 * transitions], *(heights[i] for i in columns))
        fit = None if start is None else solve(parts, names, start, spectrum)
        if fit is None:
            continue
        if transitions == 1 or (fit.value("gap_eV") > 0 and fit.value("second_height") > 0):
            candidates.append(fit)
    best = min(candidates, key=lambda fit: fit.criterion, default=None)
    if best is None or not best.sees("height"):
        refuse(_NO_FIRST_BAND)
    _check_inside(best, "A_X")
    best.values[1] = abs(best.values[1])
    return best
