"""A dot with uncertainties: its parameter file, and thresholds that carry the uncertainties."""

from __future__ import annotations

import json
from collections.abc import Mapping
from itertools import combinations
from typing import Any, NamedTuple

import numpy as np

from qdgain.fast.onset import threshold_onset
from qdgain.fitting.band_fit import FittedBands
from qdgain.model import parameters
from qdgain.model.dot import Dot, presets
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


class FittedDot(NamedTuple):
    """A single dot, of which some fields were measured and the others assumed.

    `origin` says where a value comes from, for every field that the parameter file sets. The values
    of the fit are the dot's, unless the contract forbids them.
    """

    dot: Dot
    origin: Mapping[str, str]
    fit: FittedBands

    @property
    def uncertainty(self) -> dict[str, float]:
        """Measured field to standard error."""
        return dict(zip(self.fit.names, self.fit.standard_errors.tolist(), strict=True))

    def correlations(self) -> dict[str, float]:
        """Return the correlation coefficient of every pair of measured fields."""
        errors = self.fit.standard_errors
        matrix = self.fit.covariance / np.outer(errors, errors)
        pairs = combinations(enumerate(self.fit.names), 2)
        return {f"{one}, {other}": float(matrix[i, j]) for (i, one), (j, other) in pairs}

    def samples(self, count: int, seed: int) -> tuple[Dot, float]:
        """Return dots drawn from the fit's Gaussian, and the part of the draws that was set aside.

        Set aside is a draw in which a value makes no sense, such as a negative Stokes shift.

        Raises
        ------
        ParameterError
            If fewer than one draw in ten is allowed: the spectra do not determine the dot.
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


def fitted_dot(fit: FittedBands, given_strength: float | None = None) -> FittedDot:
    """Return the dot of a fit; what was not measured is that of the preset 3LS+ESA.

    The linewidth is that of A_X, and A_XX1 and A_XX2 are taken to share it; PL_X has its own, and
    PL_XX is taken to share that. `given_strength` is the strength a that the fit of the transient
    held, if it is not the preset's.

    Raises
    ------
    ParameterError
        If the contract refuses a value, such as a Stokes shift that is negative beyond its errors.
    """
    preset = presets()[BASE_OF_YOUR_DOT]
    values = {name: float(np.asarray(getattr(preset, name))) for name in _BIEXCITON}
    origin = dict.fromkeys(_BIEXCITON, f"assumed: preset {BASE_OF_YOUR_DOT}")
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
        "linewidth_meV": "measured: A_X; A_XX1 and A_XX2 assumed alike",
        "emission_linewidth_meV": "measured: PL_X",
        "xx_emission_linewidth_meV": "assumed: as PL_X",
    }
    transient = {"absorptive_binding_meV", "xx_absorption_strength"}
    if transient <= set(fit.names):
        origin |= dict.fromkeys(transient, "measured: transient, fitted together")
    elif "absorptive_binding_meV" in fit.names:
        origin["absorptive_binding_meV"] = "measured: transient, with the strength a held"
    in_order = {name: origin[name] for name in parameters.DOT_PARAMETERS if name in origin}
    return FittedDot(Dot(**_complete(values)), in_order, fit)


def _complete(values: Mapping[str, Any]) -> dict[str, Any]:
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

    Without ESA, which needs absorption and PL alone, then with ESA; infinity where no gain is
    reached. And the part of the samples that was set aside, see `FittedDot.samples`. What was
    assumed stays as it is. For floor and statistics see `qdgain.model.threshold.threshold_onset`.
    """
    dots, set_aside = fitted.samples(samples, seed)
    rows = []
    for esa in (False, True):
        pair = [dot if esa else dot.uncorrelated() for dot in (fitted.dot, dots)]
        for name, threshold, gain in (
            ("at the gain maximum", threshold_at_maximum, 0.0),
            ("onset", threshold_onset, floor),
        ):
            own, drawn = (threshold(dot, gain, statistics).mean_excitons for dot in pair)
            # Nearest: there is no mean of a threshold and one that is out of reach.
            spread = np.quantile(drawn, _QUANTILES, method="nearest").tolist()
            rows.append(ThresholdInterval(name, esa, float(own), *spread))
    return tuple(rows), set_aside


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
    tables: dict[str, Mapping[str, object]] = {
        "uncertainty": {name: _rounded(error) for name, error in errors.items()},
        "correlation": {pair: round(value, 4) for pair, value in fitted.correlations().items()},
        "origin": fitted.origin,
        "source": source,
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
