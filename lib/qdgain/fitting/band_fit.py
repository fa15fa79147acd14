"""A dot's bands from its absorption, photoluminescence and transient absorption.

The PL is fitted first, by `qdgain.fitting.emission_fit`; beside its peak the first band of the
absorption, by `qdgain.fitting.absorption_fit`; and with both of them held the transient, by
`qdgain.fitting.transient_fit`. What cannot be trusted is refused or warned of, by
`qdgain.fitting.judgement`.
"""

from __future__ import annotations

from collections.abc import Mapping
from itertools import chain
from typing import NamedTuple

import numpy as np
import scipy

from qdgain.fitting import judgement
from qdgain.fitting.absorption_fit import Absorption, depth_of_curvature, fit_absorption
from qdgain.fitting.averaging import FittedSpectrum
from qdgain.fitting.emission_fit import Emission, fit_emission
from qdgain.fitting.spectra import Spectrum, exciton_weights
from qdgain.fitting.transient_fit import RANGE, Bands, FreeStrength, fit_transient
from qdgain.model.dot import Dot, FloatArray

_NAMES = ("absorption_energy_eV", "linewidth_meV", "stokes_shift_meV", "emission_linewidth_meV")
#: Residuals count as random up to this correlation factor.
_RANDOM = 2.0
_CORRELATED = (
    "neighbouring residuals of the transient are correlated, by its shape, smoothing or slit; its "
    "errors are raised {:.1f} times"
)


class FittedBands(NamedTuple):
    """What the spectra say of the dot: K of the contract's parameters, and their covariance.

    The widths are those of the sample, the spread of its dots included. The spectra are
    ``absorption``, ``PL`` and, if there was one, ``transient``, with the model that counts most;
    the windows are the widest that were fitted, in eV.
    The grade is good, usable or poor, and its reasons are a clause each, warnings first; the notes
    are what else a reader of the numbers should know.
    """

    names: tuple[str, ...]
    values: FloatArray
    covariance: FloatArray
    spectra: Mapping[str, FittedSpectrum]
    windows: Mapping[str, tuple[float, float]] = {}
    free_strength: FreeStrength | None = None
    notes: tuple[str, ...] = ()
    grade: str = "good"
    reasons: tuple[str, ...] = ()

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
    is_absorbance: bool = False,
) -> FittedBands:
    """Fit the bands of a dot to its spectra.

    Parameters
    ----------
    absorption, emission, transient : Spectrum
        Absorbance, photoluminescence per eV, and ΔA of relaxed excitons, bleach negative, each in
        any unit.
    xx_absorption_strength : float
        The strength a where it is held. Only the transient needs it, read as the contract's
        ``reading`` has it.
    hold_strength : bool, optional
        Whether a is held; by default only where the transient does not determine it, see
        `FreeStrength.determined`.
    from_eV, to_eV : float, optional
        Energies below and above which nothing is fitted.
    is_absorbance : bool
        Whether the absorption is in units of absorbance, so that it can be too dark.

    Raises
    ------
    ParameterError
        If a spectrum has too few points in the window, lacks the band it should show, or shows what
        no dot does.

    Notes
    -----
    Errors are those of the average over models and windows, their spread included, and are not
    below a part of the width. Source: paper section 3.3 and Fig 8a for the bands; the models of
    what lies around them are assumed.
    """
    low, high = from_eV or -np.inf, to_eV or np.inf
    seen, warnings = judgement.without_lines(emission.part(low, high, "PL"))
    pl = fit_emission(seen)
    peak, width = pl.values
    advice = judgement.other_band(seen, peak, width)
    first = fit_absorption(absorption, peak, width, low_eV=from_eV, high_eV=to_eV, advice=advice)
    curvature = depth_of_curvature(absorption, peak)
    judgement.refuse_without_exciton(peak, first.evidence, curvature, advice)
    judged = judgement.judge(
        absorption, pl, first, curvature, warnings=warnings, is_absorbance=is_absorbance
    )
    spectra = {"absorption": first.spectrum, "PL": pl.spectrum}
    windows = {"absorption": first.window, "PL": pl.window}
    bands, free = _of_both(first, pl), None
    notes: tuple[str, ...] = ()
    count = len(bands.names)
    if transient is not None:
        low, high = (peak + 1e-3 * width * x for x in RANGE)
        used = transient.part(from_eV or low, to_eV or high, "transient")
        bands, spectra["transient"], free = fit_transient(
            used, bands, xx_absorption_strength, hold_strength, exciton_weights(Dot())
        )
        windows["transient"] = used.ends
        if (factor := spectra["transient"].correlation_factor) > _RANDOM:
            notes = (_CORRELATED.format(np.sqrt(factor)),)
    # From the bands of absorption and PL to E_A, Γ_A, S and Γ_P; then what the transient gave.
    terms = np.zeros((4, count))
    terms[0, 0] = terms[1, 1] = terms[3, -1] = 1.0
    terms[2, 0], terms[2, -2] = 1e3, -1e3
    terms = scipy.linalg.block_diag(terms, np.eye(len(bands.names) - count))
    return FittedBands(
        (*_NAMES, *bands.names[count:]),
        terms @ bands.values,
        terms @ bands.covariance @ terms.T,
        spectra,
        windows,
        free,
        notes,
        *judged,
    )


def _of_both(first: Absorption, pl: Emission) -> Bands:
    """Return A_X, the second transition if any, and PL_X last."""
    bands = [(("centre_eV", "width_meV"), first.values, first.covariance)]
    if first.second is not None:
        bands.append((("gap_meV", "second_width_meV"), *first.second))
    bands.append((("pl_centre_eV", "pl_width_meV"), pl.values, pl.covariance))
    names, values, covariances = zip(*bands, strict=True)
    covariance = scipy.linalg.block_diag(*covariances)
    return Bands(tuple(chain(*names)), np.concatenate(values), covariance)
