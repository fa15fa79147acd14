r"""Four overlapping multiexciton bands in time-resolved photoluminescence (paper 3.2, Fig 7d).

Simulated spectra with known truth and noise, fitted one at a time and all together: the fit that
the paper says is ambiguous, and the one it says is not.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
import scipy
from numpy.typing import ArrayLike

from qdgain.model import parameters
from qdgain.model.dot import FloatArray
from qdgain.model.transients import cascade
from qdgain.model.units import sigma_from_fwhm

#: The bands: name and transition, in the order of every array of bands here.
BANDS = {
    "X": "1S¹ → 0",
    "XX": "1S² → 1S¹",
    "MX lower": "1S²1P¹ → 1S¹1P¹",
    "MX upper": "1S²1P¹ → 1S²",
}


@dataclass(frozen=True)
class FourBands:
    """The truth behind simulated spectra: centres and full widths of `BANDS`, and lifetimes.

    The lifetimes are those of X, XX and MX.
    """

    centres_eV: tuple[float, ...]
    widths_meV: tuple[float, ...]
    lifetimes_ps: tuple[float, float, float]

    def __post_init__(self) -> None:
        if len(self.centres_eV) != len(BANDS) or len(self.widths_meV) != len(BANDS):
            raise parameters.ParameterError(f"give {len(BANDS)} band centres and widths.")
        if min((*self.widths_meV, *self.lifetimes_ps)) <= 0:
            raise parameters.ParameterError("widths and lifetimes must be above 0.")


#: Bands that hardly overlap and how they are measured, for the examples.
_APART = FourBands((2.4, 2.2, 2.0, 2.6), (90.0,) * 4, (1e4, 100.0, 20.0))
_MADE: dict[str, Any] = {"response_fwhm_ps": 3.0, "noise": 1e-3, "seed": 1}


def four_bands(
    *,
    exciton_energy_eV: float,
    linewidth_meV: float,
    xx_shift_meV: float,
    mx_lower_shift_meV: float,
    mx_upper_shift_meV: float,
    mx_lifetime_ps: float,
    xx_lifetime_ps: float,
    exciton_lifetime_ns: float,
) -> FourBands:
    """Return the truth from the settings of the contract: one width, shifts from X.

    >>> shifts = {"xx_shift_meV": 50, "mx_lower_shift_meV": 90, "mx_upper_shift_meV": 80}
    >>> times = {"mx_lifetime_ps": 20, "xx_lifetime_ps": 100, "exciton_lifetime_ns": 10}
    >>> truth = four_bands(exciton_energy_eV=2.4, linewidth_meV=90, **shifts, **times)
    >>> [round(centre, 3) for centre in truth.centres_eV]
    [2.4, 2.35, 2.31, 2.48]
    """
    shifts = (0.0, -xx_shift_meV, -mx_lower_shift_meV, mx_upper_shift_meV)
    return FourBands(
        tuple(exciton_energy_eV + 1e-3 * shift for shift in shifts),
        (linewidth_meV,) * len(BANDS),
        (1e3 * exciton_lifetime_ns, xx_lifetime_ps, mx_lifetime_ps),
    )


def band_shapes(energy_eV: ArrayLike, centres_eV: ArrayLike, widths_meV: ArrayLike) -> FloatArray:
    r"""Return Gaussians of unit peak, :math:`e^{-(E-E_i)^2/2s_i^2}`, of shape (bands,) + E.

    >>> band_shapes([2.4, 2.445], [2.4, 2.5], [90.0, 90.0]).round(3).tolist()
    [[1.0, 0.5], [0.033, 0.355]]
    """
    energy = np.asarray(energy_eV, dtype=float)
    axes = (slice(None), *(None,) * energy.ndim)
    centres = np.asarray(centres_eV, dtype=float)[axes]
    sigma = 1e-3 * sigma_from_fwhm(widths_meV)[axes]
    return np.asarray(np.exp(-0.5 * ((energy - centres) / sigma) ** 2))


def amplitudes(
    truth: FourBands, mean_excitons: ArrayLike, delay_ps: ArrayLike, response_fwhm_ps: float
) -> FloatArray:
    r"""Return the amplitudes of the four bands, of shape (bands,) + N + T, in units of one X a dot.

    Dots start with a Poisson number of excitons (⟨N⟩ of shape N), three or more counted as MX, and
    lose them one by one: MX → XX → X → 0. A band's amplitude is the population of the state that it
    starts from, times the number of its excitons that can emit there: 1 for X, 2 for XX, 2 for the
    1S and 1 for the 1P exciton of MX. Poisson statistics because the pump is far above the band
    edge; the weights are assumed. Source: paper section 3.2 and Fig 7d for bands and states.

    >>> amplitudes(_APART, 1.0, 0.1, 1e-3).round(2).tolist()
    [0.37, 0.37, 0.16, 0.08]
    """
    mean, delay = np.asarray(mean_excitons, dtype=float), np.asarray(delay_ps, dtype=float)
    starts = (
        mean * np.exp(-mean),
        0.5 * mean**2 * np.exp(-mean),
        scipy.special.gammainc(3.0, mean),
    )
    N = np.zeros((3, *mean.shape, *delay.shape))
    for first, start in enumerate(starts):
        # From X, XX or MX downwards; the cascade's own order is from the first state on.
        down = cascade(delay, truth.lifetimes_ps[first::-1], response_fwhm_ps)[::-1]
        for state, population in enumerate(down):
            N[state] += np.multiply.outer(start, population)
    x, xx, mx = N
    return np.array([x, 2 * xx, 2 * mx, mx])


class Measurement(NamedTuple):
    """Simulated spectra of shape (M, E) with their noise, and the amplitudes behind them."""

    energy_eV: FloatArray
    spectra: FloatArray
    noise: float
    amplitudes: FloatArray


def simulate(
    truth: FourBands,
    energy_eV: ArrayLike,
    mean_excitons: ArrayLike,
    delay_ps: ArrayLike,
    *,
    response_fwhm_ps: float,
    noise: float,
    seed: int,
) -> Measurement:
    """Return simulated spectra over ⟨N⟩, then over delays (1-D each), with Gaussian noise.

    `noise` is its standard deviation relative to the largest value of all spectra.

    >>> made = simulate(_APART, [2.3, 2.4], [1, 2, 3], [5, 50], **_MADE)
    >>> made.spectra.shape
    (6, 2)
    """
    energy = np.asarray(energy_eV, dtype=float)
    weights = amplitudes(truth, mean_excitons, delay_ps, response_fwhm_ps)
    weights = weights.reshape(len(BANDS), -1)
    clean = weights.T @ band_shapes(energy, truth.centres_eV, truth.widths_meV)
    sigma = noise * float(clean.max())
    random = np.random.default_rng(seed)
    noisy = clean + sigma * random.standard_normal(clean.shape)
    return Measurement(energy, noisy, sigma, weights.T)


class BandFit(NamedTuple):
    """What a fit found: four centres and widths with standard errors, and how well it fits.

    Standard errors are infinite where the data do not determine the bands.
    """

    centres_eV: FloatArray
    centre_errors_meV: FloatArray
    widths_meV: FloatArray
    width_errors_meV: FloatArray
    amplitudes: FloatArray
    reduced_chi_square: float


def fit(
    measurement: Measurement, start_centres_eV: ArrayLike, start_widths_meV: ArrayLike
) -> BandFit:
    """Fit four Gaussian bands, shared by all spectra of a measurement, one spectrum or many.

    Centres and widths are searched by lmfit from where they start; the amplitudes of every
    spectrum, never negative, follow from them by linear least squares (variable projection). The
    standard errors are those of the known noise. Source: paper section 3.2, the global fit over
    fluence and delay; Golub and Pereyra 1973, DOI 10.1137/0710036.

    >>> made = simulate(_APART, np.linspace(1.8, 2.8, 51), [1], [5], **_MADE)
    >>> fit(made, _APART.centres_eV, _APART.widths_meV).centres_eV.round(2).tolist()
    [2.4, 2.2, 2.0, 2.6]
    """
    # Its import takes longer than most fits, and most uses of the library fit nothing.
    from lmfit import Parameters, minimize  # noqa: PLC0415

    energy, data, noise, _ = measurement
    count = len(BANDS)
    low, high = float(energy.min()), float(energy.max())

    def solve(p: Parameters) -> tuple[FloatArray, FloatArray]:
        values = np.array([parameter.value for parameter in p.values()])
        shapes = band_shapes(energy, values[:count], values[count:])
        return shapes, np.array([scipy.optimize.nnls(shapes.T, spectrum)[0] for spectrum in data])

    def residual(p: Parameters) -> FloatArray:
        shapes, weights = solve(p)
        return np.asarray((weights @ shapes - data) / noise).ravel()

    start = Parameters()
    for i, value in enumerate(np.asarray(start_centres_eV, dtype=float)):
        start.add(f"centre_{i}", value=value, min=low, max=high)
    for i, value in enumerate(np.asarray(start_widths_meV, dtype=float)):
        start.add(f"width_{i}", value=value, min=10.0, max=1e3 * (high - low))
    # The noise is known, so the errors need no rescaling by the misfit.
    result = minimize(residual, start, scale_covar=False)
    values = np.array([p.value for p in result.params.values()])
    errors = np.array([np.inf if p.stderr is None else p.stderr for p in result.params.values()])
    freedom = data.size - values.size - count * len(data)
    return BandFit(
        values[:count],
        1e3 * errors[:count],
        values[count:],
        errors[count:],
        solve(result.params)[1],
        float(result.chisqr) / freedom,
    )


def one_spectrum(measurement: Measurement, index: int) -> Measurement:
    """Return the measurement that holds one of the spectra alone.

    >>> one_spectrum(simulate(_APART, [2.3, 2.4], [1, 2], [5], **_MADE), 1).spectra.shape
    (1, 2)
    """
    chosen = slice(index, index + 1)
    return measurement._replace(
        spectra=measurement.spectra[chosen], amplitudes=measurement.amplitudes[chosen]
    )


def expected_errors_meV(
    truth: FourBands, measurement: Measurement, widths_known: bool = False
) -> FloatArray:
    r"""Return the standard errors of the band centres that no unbiased fit can beat, in meV.

    Cramér and Rao's bound for separable least squares, with the amplitudes projected out: the
    information matrix is :math:`F_{ij} = \sigma^{-2}\sum_m a_{mi}a_{mj}\; \partial_i\phi\cdot
    P\,\partial_j\phi`, with P the projector on what no sum of the four bands can mimic. Linearised
    at the truth, without the bound that amplitudes are not negative, and with only the centres
    unknown if `widths_known`. Infinite, or far above the linewidth, where the spectra do not
    determine the band.

    >>> made = simulate(_APART, np.linspace(1.8, 2.8, 51), [1], [5], **_MADE)
    >>> bool((expected_errors_meV(_APART, made) < 1).all())
    True
    """
    shapes = band_shapes(measurement.energy_eV, truth.centres_eV, truth.widths_meV)
    widths = np.asarray(truth.widths_meV)[:, None]
    sigma = sigma_from_fwhm(widths)
    offset = 1e3 * (measurement.energy_eV - np.asarray(truth.centres_eV)[:, None])
    slopes = [shapes * offset / sigma**2]
    if not widths_known:
        slopes.append(shapes * (offset / sigma) ** 2 / widths)
    basis = np.linalg.qr(shapes.T)[0]
    slope = np.concatenate(slopes)
    free = slope - (slope @ basis) @ basis.T
    a = np.concatenate([measurement.amplitudes] * len(slopes), axis=1)
    information = (a.T @ a) * (free @ free.T) / measurement.noise**2
    try:
        variance = np.diag(np.linalg.inv(information))[: len(BANDS)]
    except np.linalg.LinAlgError:
        return np.full(len(BANDS), np.inf)
    # A matrix singular to rounding has no error worth the name either.
    return np.sqrt(np.where(variance > 0, variance, np.inf))


class Comparison(NamedTuple):
    """Errors of the band centres in meV: single spectrum and global fit, actual ones and bounds.

    Actual errors, fitted less true, are of shape (seeds, bands), expected ones of shape (bands,).
    """

    single_errors_meV: FloatArray
    global_errors_meV: FloatArray
    single_expected_meV: FloatArray
    global_expected_meV: FloatArray


def compare(truth: FourBands, measurements: list[Measurement], index: int) -> Comparison:
    """Fit the spectrum `index` of each measurement alone, and all of each, and compare with truth.

    The measurements are alike but for the noise. Both fits begin at the truth, which favours the
    single spectrum: no other minimum misleads it. Source: paper section 3.2 and Fig 7d.

    >>> made = simulate(_APART, np.linspace(1.8, 2.8, 51), [1, 2], [5], **_MADE)
    >>> single, together = compare(_APART, [made], 0)[2:]
    >>> bool((together < single).all())
    True
    """
    true = np.asarray(truth.centres_eV)
    alone = [one_spectrum(measurement, index) for measurement in measurements]
    single, together = (
        1e3 * np.array([fit(m, true, truth.widths_meV).centres_eV - true for m in group])
        for group in (alone, measurements)
    )
    bounds = (expected_errors_meV(truth, group[0]) for group in (alone, measurements))
    return Comparison(single, together, *bounds)
