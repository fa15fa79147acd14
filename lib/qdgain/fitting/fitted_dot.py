"""A dot with uncertainties: its parameter file, and thresholds that carry the uncertainties."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import replace
from itertools import combinations
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import ArrayLike

from qdgain.beyond.ensemble import Ensemble
from qdgain.beyond.ensemble_thresholds import ensemble_thresholds
from qdgain.fast.onset import threshold_onset
from qdgain.fitting.band_fit import FittedBands
from qdgain.model import parameters
from qdgain.model.dot import Dot, FloatArray, presets
from qdgain.model.threshold import threshold_at_maximum
from qdgain.run import BASE_OF_YOUR_DOT

#: Samples of the fit's covariance.
SAMPLES = 1000
#: Of these, so many for the thresholds of a sample, which take longer.
SAMPLES_OF_SAMPLE = 24
#: FWHM of the PL of one dot at room temperature where none is given, in meV: the linewidths of the
#: paper's introduction. It differs from batch to batch (Cui 2013, DOI 10.1038/nchem.1654, abstract
#: seen).
ASSUMED_HOMOGENEOUS = (50.0, 100.0)
#: Quantiles of a 68 % interval, and the median between them.
_QUANTILES = (0.16, 0.5, 0.84)
_DIGITS = 6
#: A Stokes shift below zero by less than this many standard errors is zero within the errors.
_WITHIN = 2.0

#: Where what the spectra do not say comes from.
OF_PRESET = f"assumed: preset {BASE_OF_YOUR_DOT}"
_BIEXCITON = (
    "unrelaxed_absorptive_binding_meV",
    "absorptive_binding_meV",
    "emissive_binding_meV",
    "xx_absorption_strength",
    "xx_emission_strength",
)


class FittedDot(NamedTuple):
    """A single dot, of which some fields were measured and the others assumed.

    `origin` says where a value comes from, for every field that the parameter file sets. The values
    of the fit are the dot's, unless the contract forbids them or one dot's width was given. The
    homogeneous width, the lowest and highest it may be, is that of one dot's PL.
    """

    dot: Dot
    origin: Mapping[str, str]
    fit: FittedBands
    homogeneous_meV: tuple[float, float] = ASSUMED_HOMOGENEOUS

    @property
    def uncertainty(self) -> dict[str, float]:
        """Measured field to standard error."""
        every = zip(self.fit.names, self.fit.standard_errors.tolist(), strict=True)
        return {name: error for name, error in every if self.origin[name].startswith("measured")}

    def correlations(self) -> dict[str, float]:
        """Return the correlation coefficient of every pair of measured fields."""
        errors, place = self.fit.standard_errors, self.fit.names.index
        matrix = self.fit.covariance / np.outer(errors, errors)
        pairs = combinations(self.uncertainty, 2)
        return {f"{one}, {other}": float(matrix[place(one), place(other)]) for one, other in pairs}

    def samples(self, count: int, seed: int) -> tuple[Dot, float]:
        """Return dots drawn from the fit's Gaussian, and the part of the draws that was set aside.

        Set aside is a draw in which a value makes no sense, such as a negative Stokes shift; a dot
        of which fewer than one draw in ten is allowed is refused (`ParameterError`).
        """
        random, fit = np.random.default_rng(seed), self.fit
        drawn = random.multivariate_normal(fit.values, fit.covariance, count, method="eigh")
        entries = [parameters.CONTRACT[name] for name in fit.names]
        low, high = np.array([(entry.minimum, entry.maximum) for entry in entries]).T
        allowed = ((drawn >= low) & (drawn <= high)).all(axis=1)
        if allowed.mean() < 0.1:
            raise parameters.ParameterError(
                "the fit does not determine the dot: fewer than one in ten of the dots within its "
                "errors are allowed."
            )
        fields = dict(zip(fit.names, drawn[allowed].T, strict=True))
        return Dot(**_complete(self.dot.values() | fields)), float(1 - allowed.mean())


def fitted_dot(
    fit: FittedBands,
    given_strength: float | None = None,
    homogeneous_width_meV: float | None = None,
) -> FittedDot:
    """Return the dot of a fit; what was not measured is that of the preset 3LS+ESA.

    A_XX1 and A_XX2 are taken to be as wide as A_X, and PL_XX as PL_X. The widths are the sample's,
    unless that of one dot's PL is given, see `one_dot`. `given_strength` is the strength a that the
    fit of the transient held, if it is not the preset's. A `ParameterError` refuses what the
    contract does, such as a Stokes shift that is negative beyond its errors.
    """
    preset = presets()[BASE_OF_YOUR_DOT]
    values: dict[str, Any] = {name: float(np.asarray(getattr(preset, name))) for name in _BIEXCITON}
    origin = dict.fromkeys(_BIEXCITON, OF_PRESET)
    values["reading"] = preset.reading
    if given_strength is not None:
        values["xx_absorption_strength"] = given_strength
        origin["xx_absorption_strength"] = "assumed: given by the user"
    values |= dict(zip(fit.names, fit.values.tolist(), strict=True))
    origin |= dict.fromkeys(fit.names, "measured")
    shift = values["stokes_shift_meV"]
    if shift < 0:
        error = fit.standard_errors[fit.names.index("stokes_shift_meV")]
        if shift < -_WITHIN * error:
            raise parameters.ParameterError(
                f"the fit puts PL_X {-shift:.3g} ± {error:.2g} meV to the blue of A_X: "
                "stokes_shift_meV must be 0 or more; are the two spectra of one sample, and their "
                "axes right?"
            )
        values["stokes_shift_meV"] = 0.0
        origin["stokes_shift_meV"] = f"measured: {shift:.2g} meV, zero within its error"
    origin |= {
        "linewidth_meV": "measured: A_X of the sample; A_XX1 and A_XX2 assumed alike",
        "emission_linewidth_meV": "measured: PL_X of the sample",
        "xx_emission_linewidth_meV": "assumed: as PL_X",
    }
    transient = {"absorptive_binding_meV", "xx_absorption_strength"}
    if transient <= set(fit.names):
        origin |= dict.fromkeys(transient, "measured: transient, fitted together")
    elif "absorptive_binding_meV" in fit.names:
        origin["absorptive_binding_meV"] = "measured: transient, with the strength a held"
    in_order = {name: origin[name] for name in parameters.DOT_PARAMETERS if name in origin}
    dot = Dot(**_complete(values))
    if homogeneous_width_meV is None:
        return FittedDot(dot, in_order, fit)
    dot, spread = one_dot(dot, homogeneous_width_meV)
    of = f"less a spread of {float(spread):.3g} meV"
    in_order |= {
        "linewidth_meV": f"given: one dot's A_X, the sample's {values['linewidth_meV']:.3g} {of}",
        "emission_linewidth_meV": "given: one dot's PL_X, the sample's "
        f"{values['emission_linewidth_meV']:.3g} {of}",
    }
    return FittedDot(dot, in_order, fit, (homogeneous_width_meV, homogeneous_width_meV))


def one_dot(sample: Dot, homogeneous_width_meV: ArrayLike) -> tuple[Dot, FloatArray]:
    r"""Return one dot of a sample whose bands were measured, and the spread of its dots in meV.

    The PL of one dot has the given full width at half maximum, unless the sample's is narrower. The
    rest is the spread, :math:`\Gamma_{inh}^2=\Gamma_{PL}^2-\Gamma_h^2`, which shifts all bands of a
    dot alike and so is in the width of A_X as well.
    """
    absorption, emission = sample.linewidth_meV, sample.emission_linewidth_meV
    own = np.minimum(np.asarray(emission), homogeneous_width_meV)
    spread = np.sqrt(np.asarray(emission) ** 2 - own**2)
    narrow = np.sqrt(np.maximum(np.asarray(absorption) ** 2 - spread**2, own**2))
    fields = {"linewidth_meV": narrow, "emission_linewidth_meV": own}
    return replace(sample, **fields, xx_emission_linewidth_meV=own), spread


def _complete(values: Mapping[str, Any]) -> dict[str, Any]:
    """Return the fields of a dot, PL_XX as wide as PL_X."""
    return {**values, "xx_emission_linewidth_meV": values["emission_linewidth_meV"]}


class ThresholdInterval(NamedTuple):
    """A threshold ⟨N⟩ of one dot or of the sample: its value, median and 68 % interval."""

    whose: str
    name: str
    esa: bool
    value: float
    low: float
    median: float
    high: float


def threshold_intervals(
    fitted: FittedDot,
    floor: float,
    statistics: str = "rabi",
    *,
    samples: int = SAMPLES,
    seed: int = 1,
    of_sample: bool = True,
) -> tuple[tuple[ThresholdInterval, ...], float]:
    """Return both thresholds without and with ESA, with what the fit's errors make of them.

    Of one dot, and of the sample, in which ⟨N⟩ is the mean of all dots; the homogeneous width is
    drawn evenly from its range, and what else was assumed stays. Infinity where no gain is reached.
    And the part of the draws that was set aside, see `FittedDot.samples`. For floor and statistics
    see `qdgain.fast.onset.threshold_onset`, for samples `qdgain.beyond.ensemble_thresholds`.
    """
    drawn, set_aside = fitted.samples(samples, seed)
    low, high = fitted.homogeneous_meV
    widths = np.random.default_rng(seed).uniform(low, high, drawn.shape)
    widths[0] = 0.5 * (low + high)
    # The first one stands for the fit itself.
    fields = dict(zip(fitted.fit.names, fitted.fit.values, strict=True))
    fields["stokes_shift_meV"] = fitted.dot.stokes_shift_meV
    itself = _complete(fitted.dot.values() | fields)
    every: dict[str, Any] = {
        name: np.append(itself[name], np.broadcast_to(value, drawn.shape)[1:])
        for name, value in drawn.values().items()
        if name in parameters.DOT_ARRAYS
    }
    dots, spread = one_dot(replace(drawn, **every), widths)
    rows = []
    for esa in (False, True):
        those = dots if esa else dots.uncorrelated()
        found = {
            "one dot": (
                threshold_at_maximum(those, 0.0, statistics).mean_excitons,
                threshold_onset(those, floor, statistics).mean_excitons,
            )
        }
        if of_sample:
            found["the sample"] = _of_sample(those, spread, floor, statistics)
        for whose, both in found.items():
            for name, some in zip(("at the gain maximum", "onset"), both, strict=True):
                # Nearest: there is no mean of a threshold and one that is out of reach.
                limits = np.quantile(some, _QUANTILES, method="nearest").tolist()
                rows.append(ThresholdInterval(whose, name, esa, float(some[0]), *limits))
    return tuple(rows), set_aside


def _of_sample(
    dots: Dot, spread_meV: FloatArray, floor: float, statistics: str
) -> tuple[FloatArray, FloatArray]:
    """Return the thresholds at the gain maximum and of the onset of the first samples."""
    film: dict[str, Any] = {"gain_exponent": None, "pi_pulse_fluence_mJ_cm2": 1.0}
    found = [
        ensemble_thresholds(
            dots.at(i), Ensemble(inhomogeneous_width_meV=spread), statistics, floor=floor, **film
        )
        for i, spread in enumerate(spread_meV[:SAMPLES_OF_SAMPLE].tolist())
    ]
    return np.array([x.at_maximum for x in found]), np.array([x.onset for x in found])


def parameter_file(fitted: FittedDot, source: Mapping[str, object]) -> str:
    """Return a dot as the text of a parameter file in TOML.

    Fields of the dot as plain entries, with unit, standard error and origin behind them, and the
    same again in the tables ``uncertainty``, ``correlation`` and ``origin``; ``source`` last, whose
    values are text, numbers or lists of numbers: which files, which library.
    """
    errors = fitted.uncertainty
    lines = ["# A dot fitted to spectra by qdgain fit-dot."]
    for name, origin in fitted.origin.items():
        unit = parameters.CONTRACT[name].unit
        remarks = ["" if unit == "1" else unit, f"± {errors[name]:.2g}" if name in errors else ""]
        value = _rounded(float(np.asarray(getattr(fitted.dot, name))))
        lines.append(f"{name} = {value!r}  # {', '.join(filter(None, [*remarks, origin]))}")
    lines.append(f"reading = {_toml(fitted.dot.reading)}  # {OF_PRESET}")
    tables: dict[str, Mapping[str, object]] = {
        "uncertainty": {name: _rounded(error) for name, error in errors.items()},
        "correlation": {pair: round(value, 4) for pair, value in fitted.correlations().items()},
        "origin": {**fitted.origin, "reading": OF_PRESET},
        "source": source,
    }
    for table, entries in tables.items():
        lines += ["", f"[{table}]"]
        for name, entry in entries.items():
            bare = name.replace("_", "").isalnum() and name.isascii()
            lines.append(f"{name if bare else _toml(name)} = {_toml(entry)}")
    return "\n".join(lines) + "\n"


def _rounded(value: float) -> float:
    return float(f"{value:.{_DIGITS}g}")


def _toml(value: object) -> str:
    """Return text, a number or a list as TOML, which is JSON but for the delete character."""
    if value is None:
        raise TypeError("None has no place in a parameter file")
    return json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007f")
