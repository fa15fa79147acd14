r"""Four overlapping multiexciton bands in time-resolved photoluminescence (Fig 7d).

Simulated spectra with known truth and noise, fitted one at a time and all together: the fit that
the paper says is ambiguous, and the one it says is not.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

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
    """The truth behind the simulated spectra.

    Parameters
    ----------
    centres_eV : tuple of float
        Band centres in the order of `BANDS`.
    widths_meV : tuple of float
        Full widths at half maximum.
    lifetimes_ps : tuple of float
        Of X, XX and MX.
    """

    centres_eV: tuple[float, ...]
    widths_meV: tuple[float, ...]
    lifetimes_ps: tuple[float, float, float]

    def __post_init__(self) -> None:
        if len(self.centres_eV) != len(BANDS) or len(self.widths_meV) != len(BANDS):
            raise parameters.ParameterError(f"give {len(BANDS)} band centres and widths.")
        if min((*self.widths_meV, *self.lifetimes_ps)) <= 0:
            raise parameters.ParameterError("widths and lifetimes must be above 0.")


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
    """Return the truth from the settings of the contract: one width, shifts from X."""
    shifts = (0.0, -xx_shift_meV, -mx_lower_shift_meV, mx_upper_shift_meV)
    return FourBands(
        tuple(exciton_energy_eV + 1e-3 * shift for shift in shifts),
        (linewidth_meV,) * len(BANDS),
        (1e3 * exciton_lifetime_ns, xx_lifetime_ps, mx_lifetime_ps),
    )


def band_shapes(energy_eV: ArrayLike, centres_eV: ArrayLike, widths_meV: ArrayLike) -> FloatArray:
    """Return Gaussians of unit peak, of shape (bands,) + E."""
    energy = np.asarray(energy_eV, dtype=float)
    axes = (slice(None), *(None,) * energy.ndim)
    centres = np.asarray(centres_eV, dtype=float)[axes]
    sigma = 1e-3 * sigma_from_fwhm(widths_meV)[axes]
    return np.asarray(np.exp(-0.5 * ((energy - centres) / sigma) ** 2))


def amplitudes(
    truth: FourBands, mean_excitons: ArrayLike, delay_ps: ArrayLike, response_fwhm_ps: float
) -> FloatArray:
    r"""Return the amplitudes of the four bands.

    Dots start with a Poisson number of excitons, three or more counted as MX, and lose them one by
    one: MX → XX → X → 0. A band's amplitude is the population of the state that it starts from,
    times the number of its excitons that can emit there: 1 for X, 2 for XX, 2 for the 1S and 1 for
    the 1P exciton of MX.

    Parameters
    ----------
    truth : FourBands
        Its lifetimes count.
    mean_excitons : array_like
        ⟨N⟩ after the pulse, of shape N.
    delay_ps : array_like
        Delays of shape T.
    response_fwhm_ps : float
        Of the instrument.

    Returns
    -------
    numpy.ndarray
        Of shape (bands,) + N + T, in units of one X per dot.

    Notes
    -----
    Poisson statistics because the pump is far above the band edge; the weights are assumed. Source:
    paper section 3.2 and Fig 7d for bands and states.
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
        N[: first + 1] += start.reshape(mean.shape + (1,) * delay.ndim) * down.reshape(
            first + 1, *(1,) * mean.ndim, *delay.shape
        )
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
    """Return simulated spectra, one for each fluence and delay, with Gaussian noise.

    Parameters
    ----------
    truth : FourBands
        Bands and lifetimes.
    energy_eV, mean_excitons, delay_ps : array_like
        1-D; spectra run over ⟨N⟩, then over delays.
    response_fwhm_ps : float
        Of the instrument.
    noise : float
        Standard deviation, relative to the largest value of all spectra.
    seed : int
        Of the noise.
    """
    energy = np.asarray(energy_eV, dtype=float)
    weights = amplitudes(truth, mean_excitons, delay_ps, response_fwhm_ps)
    weights = weights.reshape(len(BANDS), -1)
    clean = weights.T @ band_shapes(energy, truth.centres_eV, truth.widths_meV)
    sigma = noise * float(clean.max())
    random = np.random.default_rng(seed)
    return Measurement(
        energy, clean + sigma * random.standard_normal(clean.shape), sigma, weights.T
    )


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

    Centres and widths are searched by lmfit; the amplitudes of every spectrum, never negative,
    follow from them by linear least squares (variable projection).

    Parameters
    ----------
    measurement : Measurement
        Its energies, spectra and noise are used, the amplitudes are not.
    start_centres_eV, start_widths_meV : array_like
        Where the search begins, one value a band.

    Returns
    -------
    BandFit
        With standard errors from the known noise.

    Notes
    -----
    Source: paper section 3.2, the global fit over fluence and delay; variable projection, Golub and
    Pereyra 1973, DOI 10.1137/0710036.
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
    """Return the measurement that holds one of the spectra alone."""
    chosen = slice(index, index + 1)
    return measurement._replace(
        spectra=measurement.spectra[chosen], amplitudes=measurement.amplitudes[chosen]
    )


def expected_errors_meV(
    truth: FourBands, measurement: Measurement, widths_known: bool = False
) -> FloatArray:
    r"""Return the standard errors of the band centres that no unbiased fit can beat.

    Cramér and Rao's bound with the amplitudes projected out: the information matrix is
    :math:`F_{ij} = \sigma^{-2}\sum_m a_{mi}a_{mj}\; \partial_i\phi\cdot P\,\partial_j\phi`, with
    P the projector on what no sum of the four bands can mimic.

    Parameters
    ----------
    truth : FourBands
        Where the bound is evaluated.
    measurement : Measurement
        Its energies, noise and true amplitudes count.
    widths_known : bool
        Whether only the centres are unknown.

    Returns
    -------
    numpy.ndarray
        One error for each band, in meV; infinite, or far above the linewidth, where the spectra do
        not determine the band.

    Notes
    -----
    Linearised at the truth, and blind to amplitudes not being negative. Source: Cramér-Rao bound
    for separable least squares.
    """
    shapes = band_shapes(measurement.energy_eV, truth.centres_eV, truth.widths_meV)
    widths = np.asarray(truth.widths_meV)[:, None]
    sigma = sigma_from_fwhm(widths)
    offset = 1e3 * (measurement.energy_eV - np.asarray(truth.centres_eV)[:, None])
    slopes = [shapes * offset / sigma**2]
    weights = [measurement.amplitudes]
    if not widths_known:
        slopes.append(shapes * (offset / sigma) ** 2 / widths)
        weights.append(measurement.amplitudes)
    basis = np.linalg.qr(shapes.T)[0]
    slope = np.concatenate(slopes)
    free = slope - (slope @ basis) @ basis.T
    a = np.concatenate(weights, axis=1)
    information = (a.T @ a) * (free @ free.T) / measurement.noise**2
    try:
        variance = np.diag(np.linalg.inv(information))[: len(BANDS)]
    except np.linalg.LinAlgError:
        return np.full(len(BANDS), np.inf)
    # A matrix singular to rounding has no error worth the name either.
    return np.sqrt(np.where(variance > 0, variance, np.inf))


class Comparison(NamedTuple):
    """Errors of the band centres in meV: single spectrum and global fit, bounds and actual ones.

    Actual errors, fitted less true, are of shape (seeds, bands), expected ones of shape (bands,).
    """

    single_errors_meV: FloatArray
    global_errors_meV: FloatArray
    single_expected_meV: FloatArray
    global_expected_meV: FloatArray


def compare(truth: FourBands, measurements: list[Measurement], index: int) -> Comparison:
    """Fit one spectrum of each measurement, and all of each, and compare with the truth.

    Both fits begin at the truth, which favours the single spectrum: no other minimum misleads it.

    Parameters
    ----------
    truth : FourBands
        Behind every measurement.
    measurements : list of Measurement
        Alike but for the noise.
    index : int
        Which spectrum is fitted alone.

    Notes
    -----
    Source: paper section 3.2 and Fig 7d.
    """
    true = np.asarray(truth.centres_eV)
    single, together = (
        np.array([fit(m, true, truth.widths_meV).centres_eV - true for m in group])
        for group in ([one_spectrum(m, index) for m in measurements], measurements)
    )
    return Comparison(
        1e3 * single,
        1e3 * together,
        expected_errors_meV(truth, one_spectrum(measurements[0], index)),
        expected_errors_meV(truth, measurements[0]),
    )
