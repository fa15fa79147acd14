"""A dot with uncertainties: its parameter file, and thresholds that carry the uncertainties."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import NamedTuple

import numpy as np

from qdgain.fast.onset import threshold_onset
from qdgain.fitting.band_fit import FittedBands
from qdgain.model import parameters
from qdgain.model.dot import Dot, FloatArray, presets
from qdgain.model.threshold import threshold_at_maximum
from qdgain.run import BASE_OF_YOUR_DOT

#: Samples of the fit's covariance.
SAMPLES = 1000
#: Quantiles of a 68 % interval, and the median between them.
_QUANTILES = (0.16, 0.5, 0.84)
_DIGITS = 6
#: A Stokes shift below zero by less than this many standard errors is zero within the errors.
_WITHIN = 2.0

_BIEXCITON = (
    "unrelaxed_absorptive_binding_meV",
    "absorptive_binding_meV",
    "emissive_binding_meV",
    "xx_absorption_strength",
    "xx_emission_strength",
)


@dataclass(frozen=True, eq=False)
class FittedDot:
    """A dot of which some fields were measured and the others assumed.

    Parameters
    ----------
    dot : Dot
        A single dot.
    origin : Mapping
        Field to where its value comes from, for every field that the parameter file sets.
    names : tuple of str
        The measured fields, K of them.
    values : numpy.ndarray
        What was fitted, of shape K; the dot's, unless the contract forbids them.
    covariance : numpy.ndarray
        Of shape (K, K).
    """

    dot: Dot
    origin: Mapping[str, str]
    names: tuple[str, ...]
    values: FloatArray
    covariance: FloatArray

    @property
    def uncertainty(self) -> dict[str, float]:
        """Measured field to standard error."""
        errors = np.sqrt(np.diag(self.covariance))
        return {name: float(error) for name, error in zip(self.names, errors, strict=True)}

    def correlations(self) -> dict[str, float]:
        """Return the correlation coefficient of every pair of measured fields."""
        errors = np.sqrt(np.diag(self.covariance))
        matrix = self.covariance / np.outer(errors, errors)
        return {
            f"{first}, {second}": float(matrix[i, j])
            for i, first in enumerate(self.names)
            for j, second in enumerate(self.names)
            if i < j
        }

    def samples(self, count: int, seed: int) -> tuple[Dot, float]:
        """Return dots drawn from the fit, and the part of the draws that was set aside.

        Parameters
        ----------
        count : int
            How many to draw.
        seed : int
            Of the draws.

        Returns
        -------
        Dot
            Of shape (draws that the contract allows,): the fit's Gaussian, cut where a value makes
            no sense, such as a negative Stokes shift.
        float
            From 0 to 1.

        Raises
        ------
        ParameterError
            If fewer than one draw in ten is allowed: the spectra do not determine the dot.
        """
        random = np.random.default_rng(seed)
        drawn = random.multivariate_normal(self.values, self.covariance, count, method="eigh")
        low, high = np.array(
            [(parameters.CONTRACT[n].minimum, parameters.CONTRACT[n].maximum) for n in self.names]
        ).T
        allowed = ((drawn >= low) & (drawn <= high)).all(axis=1)
        if allowed.mean() < 0.1:
            raise parameters.ParameterError(
                "the fit does not determine the dot: fewer than one in ten of the dots within its "
                "errors are allowed."
            )
        fields = dict(zip(self.names, drawn[allowed].T, strict=True))
        return Dot(**_complete(self.dot.values() | fields)), float(1 - allowed.mean())


def fitted_dot(fit: FittedBands, given_strength: float | None = None) -> FittedDot:
    """Return the dot of a fit; what was not measured is that of the preset 3LS+ESA.

    The linewidth is that of A_X, and A_XX1 and A_XX2 are taken to share it; PL_X has its own, and
    PL_XX is taken to share that.

    Parameters
    ----------
    fit : FittedBands
        Of absorption and PL, with or without a transient.
    given_strength : float, optional
        The strength a that the fit of the transient held, if it is not the preset's.

    Raises
    ------
    ParameterError
        If the contract refuses a value, such as a Stokes shift that is negative beyond its errors.
    """
    preset = presets()[BASE_OF_YOUR_DOT]
    assumed = f"assumed: preset {BASE_OF_YOUR_DOT}"
    values = {name: float(np.asarray(getattr(preset, name))) for name in _BIEXCITON}
    origin = dict.fromkeys(_BIEXCITON, assumed)
    if given_strength is not None:
        values["xx_absorption_strength"] = given_strength
        origin["xx_absorption_strength"] = "assumed: given by the user"
    errors = dict(zip(fit.names, fit.standard_errors, strict=True))
    for name, value in zip(fit.names, fit.values, strict=True):
        values[name], origin[name] = float(value), "measured"
    shift, error = values["stokes_shift_meV"], errors["stokes_shift_meV"]
    if shift < 0:
        if shift < -_WITHIN * error:
            raise parameters.ParameterError(
                f"the fit puts PL_X {-shift:.3g} ± {error:.2g} meV to the blue of A_X: "
                "stokes_shift_meV must be 0 or more; are the two spectra of one sample, and their "
                "axes right?"
            )
        values["stokes_shift_meV"] = 0.0
        origin["stokes_shift_meV"] = f"measured: {shift:.2g} meV, zero within its error"
    origin["linewidth_meV"] = "measured: A_X; A_XX1 and A_XX2 assumed alike"
    origin["emission_linewidth_meV"] = "measured: PL_X"
    origin["xx_emission_linewidth_meV"] = "assumed: as PL_X"
    if "absorptive_binding_meV" in fit.names:
        origin["absorptive_binding_meV"] = "measured: transient, with the strength a held"
        if "xx_absorption_strength" in fit.names:
            for name in ("absorptive_binding_meV", "xx_absorption_strength"):
                origin[name] = "measured: transient, fitted together"
    return FittedDot(
        Dot(**_complete(values)),
        MappingProxyType({n: origin[n] for n in parameters.DOT_PARAMETERS if n in origin}),
        fit.names,
        fit.values,
        fit.covariance,
    )


def _complete(values: Mapping[str, float | FloatArray]) -> dict[str, float | FloatArray]:
    """Return the fields of a dot, PL_XX as wide as PL_X."""
    return {**values, "xx_emission_linewidth_meV": values["emission_linewidth_meV"]}


class ThresholdInterval(NamedTuple):
    """A threshold ⟨N⟩ of a fitted dot: of the dot itself, and its median and 68 % interval."""

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
    samples: int = SAMPLES,
    seed: int = 1,
) -> tuple[tuple[ThresholdInterval, ...], float]:
    """Return both thresholds without and with ESA, with what the fit's errors make of them.

    Parameters
    ----------
    fitted : FittedDot
        Its covariance is sampled; what was assumed stays as it is.
    floor, statistics
        As for `qdgain.model.threshold.threshold_onset`.
    samples, seed : int
        As for `FittedDot.samples`.

    Returns
    -------
    tuple of ThresholdInterval
        Without ESA, which needs absorption and PL alone, then with ESA; infinity where no gain is
        reached.
    float
        The part of the samples that was set aside.
    """
    dots, set_aside = fitted.samples(samples, seed)
    rows = []
    for esa in (False, True):
        own = fitted.dot if esa else fitted.dot.uncorrelated()
        drawn = dots if esa else dots.uncorrelated()
        for name, of_own, of_drawn in (
            (
                "at the gain maximum",
                threshold_at_maximum(own, 0.0, statistics),
                threshold_at_maximum(drawn, 0.0, statistics),
            ),
            (
                "onset",
                threshold_onset(own, floor, statistics),
                threshold_onset(drawn, floor, statistics),
            ),
        ):
            # Nearest: there is no mean of a threshold and one that is out of reach.
            spread = np.quantile(of_drawn.mean_excitons, _QUANTILES, method="nearest")
            low, median, high = (float(value) for value in spread)
            value = float(of_own.mean_excitons)
            rows.append(ThresholdInterval(name, esa, value, low, median, high))
    return tuple(rows), set_aside


def parameter_file(fitted: FittedDot, source: Mapping[str, object]) -> str:
    """Return a dot as the text of a parameter file in TOML.

    Fields of the dot as plain entries, with unit, standard error and origin behind them, and the
    same again in the tables ``uncertainty``, ``correlation`` and ``origin``; ``source`` last.

    Parameters
    ----------
    fitted : FittedDot
        What was fitted.
    source : Mapping
        Name to text, number or list of numbers: which files, which library.
    """
    errors = fitted.uncertainty
    lines = ["# A dot fitted to spectra by qdgain fit-dot."]
    for name, origin in fitted.origin.items():
        entry = parameters.CONTRACT[name]
        unit = "" if entry.unit == "1" else f"{entry.unit}, "
        error = f"± {errors[name]:.2g}, " if name in errors else ""
        value = _rounded(float(np.asarray(getattr(fitted.dot, name))))
        lines.append(f"{name} = {value!r}  # {unit}{error}{origin}")
    tables: dict[str, dict[str, object]] = {
        "uncertainty": {name: _rounded(error) for name, error in errors.items()},
        "correlation": {pair: round(value, 4) for pair, value in fitted.correlations().items()},
        "origin": dict(fitted.origin),
        "source": dict(source),
    }
    for table, entries in tables.items():
        lines += ["", f"[{table}]"]
        lines += [f"{_key(name)} = {_toml(value)}" for name, value in entries.items()]
    return "\n".join(lines) + "\n"


def _rounded(value: float) -> float:
    return float(f"{value:.{_DIGITS}g}")


def _key(name: str) -> str:
    return name if name.replace("_", "").isalnum() and name.isascii() else _toml(name)


def _toml(value: object) -> str:
    """Return a value as TOML; its strings are JSON's but for the delete character."""
    if isinstance(value, (list, tuple)):
        return "[" + ", ".join(map(_toml, value)) + "]"
    if isinstance(value, str):
        return json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007f")
    if isinstance(value, (int, float)):
        return repr(value)
    raise TypeError(f"{value!r} has no place in a parameter file")
