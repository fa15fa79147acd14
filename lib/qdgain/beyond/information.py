"""What the paper's numbers pin down, made and read: posteriors, predictions, sensitivities.

A stored result (see `qdgain.stored`), since its sampling takes minutes. The row of the calibration
in which every parameter of the replacing reading is free is sampled under every law and definition
of the threshold; the rival readings have the points that the calibration stored.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import partial
from typing import Any

import numpy as np

from qdgain.beyond.measurements import KEYS, MEASUREMENTS, PROBABILITIES, nested_bits, predicted
from qdgain.beyond.sensitivity import (
    INPUTS,
    OUTPUTS,
    Indices,
    gain_outputs,
    inputs_of,
    outputs,
    ranges_around,
    sobol,
)
from qdgain.calibration.evidence import Run, evidence
from qdgain.calibration.predictions import log_likelihood
from qdgain.calibration.record import Calibrated, best, calibrated, columns
from qdgain.calibration.rows import ROWS, SCHEMES, Row
from qdgain.model.dot import Dot, FloatArray
from qdgain.model.parameters import CONTRACT
from qdgain.stored import Again, rounded

#: The reading that is asked, with every parameter free.
DEFAULT = ROWS["replacing free"]
#: Rivals: what they differ in -> name -> row.
RIVALS: Mapping[str, Mapping[str, Row]] = {
    "statistics": {law: DEFAULT.under(law) for law in ("rabi", "sequential", "poisson")},
    "definition": {name: DEFAULT.under(threshold=name) for name in ("maximum", "onset")},
    "reading": {
        name: ROWS[name] for name in (DEFAULT.name, "additive tied", "additive free", "mixed free")
    },
}
#: What the marginals are of: key -> in words.
POSTERIORS: Mapping[str, str] = {
    "main": "posterior, δ = 5 %",
    "conditions": "and the qualitative statements",
    "tight": "δ = 2 %",
    "loose": "δ = 10 %",
}
#: How the sampling of each differs from that of the default.
_HOW: Mapping[str, Mapping[str, Any]] = {
    "main": {},
    "conditions": {"with_conditions": True},
    "tight": {"discrepancy": 0.02},
    "loose": {"discrepancy": 0.1},
}
VARIED_BY = 0.1

_SEED = 2510
_POINTS, _CHECKED, _PREDICTED, _NESTED, _DRAWN = 300, 30, 600, 2000, 8000
_BINS = 80
_SAMPLES = 512
_QUANTILES = (0.05, 0.5, 0.95)


def readings() -> dict[str, Row]:
    """Return the rivals by `rival_key`, the default first, each once."""
    return {
        rival_key(respect, row): row
        for respect, rivals in RIVALS.items()
        for row in rivals.values()
    }


def rival_key(respect: str, row: Row) -> str:
    """Return what a rival's prediction is stored as.

    Rival readings have the points that the calibration stored, which meet the conditions, and
    their rows' names; the others are sampled with the numbers alone.
    """
    return row.name if respect == "reading" else row.label


# --- making


def _short(x: Any) -> Any:
    """Return numbers at the four significant digits that are stored."""
    return rounded(x, 4)


def make() -> dict[str, Any]:
    """Return everything that is stored."""
    runs = {key: _sampled(DEFAULT, **how) for key, how in _HOW.items()}
    points = {key: _drawn(run, _DRAWN) for key, run in runs.items()}
    main = points["main"]
    known: dict[str, Mapping[str, FloatArray]] = {
        DEFAULT.label: DEFAULT.values(_thinned(main, _PREDICTED))
    }
    known |= {row.name: columns(row.name) for row in RIVALS["reading"].values()}
    return {
        "readings": {
            key: _reading(
                row, known[key] if key in known else row.values(_drawn(_sampled(row), _PREDICTED))
            )
            for key, row in readings().items()
        },
        "posteriors": {key: _posterior(points[key], runs[key].effective) for key in POSTERIORS},
        "effective": {key: rounded(run.effective, 3) for key, run in runs.items()},
        "points": _points(main),
        "nested": _nested(main),
        "sobol": _sobol(main),
    }


def _sampled(row: Row, **how: Any) -> Run:
    found = evidence(row, _SEED, **how)
    print(f"  {row.label}, {how}: {found.effective:.0f} effective points", flush=True)
    return found


def _drawn(run: Run, count: int) -> FloatArray:
    return run.drawn(count, np.random.default_rng(_SEED))


def _reading(row: Row, values: Mapping[str, FloatArray]) -> dict[str, Any]:
    return {
        "parameters": row.parameters,
        "predictive": _predictive(predictions(row, calibrated(row, values))),
    }


def predictions(row: Row, found: Calibrated) -> FloatArray:
    """Return what every measurement would show of dots and films (K,), (2 schemes, K, 14)."""
    film = found.gain_exponent, found.pi_pulse_fluence_mJ_cm2
    with_esa = (found.dots[f"{scheme.upper()}+ESA"] for scheme in SCHEMES)
    return np.stack([predicted(dot, *film, row.statistics) for dot in with_esa])


def _of_free(free: FloatArray) -> FloatArray:
    return predictions(DEFAULT, calibrated(DEFAULT, DEFAULT.values(free)))


def _predictive(shown: FloatArray) -> dict[str, Any]:
    return {
        scheme: {
            "quantiles": _short(np.quantile(x, PROBABILITIES, axis=0).T),
            "variance": _short(x.var(axis=0)),
        }
        for scheme, x in zip(SCHEMES, shown, strict=True)
    }


def _posterior(points: FloatArray, independent: float) -> dict[str, Any]:
    shown = points[np.linspace(0, len(points) - 1, min(_PREDICTED, len(points))).astype(int)]
    bits, quantiles, density = {}, {}, {}
    for name, x, low, high in zip(DEFAULT.names, points.T, *DEFAULT.ranges(), strict=True):
        bits[name] = rounded(information_bits(x, low, high, independent), 3)
        quantiles[name] = _short(np.quantile(x, _QUANTILES))
        counts = np.histogram(x, _BINS, (low, high))[0]
        density[name] = rounded(counts * _BINS / len(points), 3)
    return {
        "bits": bits,
        "quantiles": quantiles,
        "density": density,
        "predictive": _predictive(_of_free(shown))["3ls"]["quantiles"],
    }


def information_bits(points: FloatArray, low: float, high: float, independent: float) -> float:
    r"""Return what a sample tells of one parameter beyond a flat prior from low to high, in bits.

    The Kullback–Leibler divergence :math:`\int p\log_2(p\,(b-a))\,dx` of the marginal from the
    flat density between a and b, by histogram, minus the bias :math:`(k-1)/(2M\ln 2)` that M
    independent points in k occupied bins have.
    """
    spread = np.quantile(points, (0.01, 0.99))
    narrow = max(float(spread[1] - spread[0]), 1e-12 * (high - low))
    # So many bins for the bulk: few enough that each is well filled.
    bins = np.clip(2 * np.cbrt(independent), 8, 40)
    edges = np.linspace(low, high, 1 + int(np.ceil(bins * (high - low) / narrow)))
    counts = np.histogram(points, edges)[0]
    share = counts[counts > 0] / counts.sum()
    bias = (len(share) - 1) / (2 * independent * np.log(2))
    return float(np.sum(share * np.log2(share * (len(edges) - 1))) - bias)


def _thinned(points: FloatArray, count: int) -> FloatArray:
    chosen: FloatArray = points[np.linspace(0, len(points) - 1, count).round().astype(int)]
    return chosen


def _points(main: FloatArray) -> dict[str, Any]:
    free = np.array(rounded(_thinned(main, _POINTS), 5))
    return {
        "free": free.tolist(),
        "log_likelihood": rounded(log_likelihood(DEFAULT, free[:, :-1]), 6),
        "predictions": rounded(_of_free(free[:_CHECKED]), 6),
    }


def _nested(main: FloatArray) -> dict[str, Any]:
    shown = _of_free(_thinned(main, _NESTED))
    random = np.random.default_rng(_SEED)
    return {
        scheme: [
            rounded(nested_bits(x[:, i], measurement.precision, random), 3)
            for i, measurement in enumerate(MEASUREMENTS)
        ]
        for scheme, x in zip(SCHEMES, shown, strict=True)
    }


# --- Sobol indices


def best_dot(scheme: str) -> Dot:
    """Return the best point of the reading that is asked, of one scheme with ESA."""
    found = calibrated(DEFAULT, best(DEFAULT)["values"])
    return found.dots[f"{scheme.upper()}+ESA"]


def best_inputs(scheme: str) -> FloatArray:
    """Return the best point and its film as `qdgain.beyond.sensitivity.INPUTS`."""
    film = best(DEFAULT)["values"]
    floor = float(np.asarray(CONTRACT["floor"].default))
    return inputs_of(
        best_dot(scheme), film["gain_exponent"], film["pi_pulse_fluence_mJ_cm2"], floor
    )


def posterior_ranges(quantiles: Mapping[str, Any], scheme: str) -> tuple[FloatArray, FloatArray]:
    """Return the middle nine tenths of each input's posterior; width and floor by ± a tenth."""
    low, high = ranges_around(best_inputs(scheme), VARIED_BY)
    # The first three inputs are energies that each scheme has of its own.
    own = [f"{name}_{scheme}" for name in ("stokes", "absorptive", "emissive")]
    free = np.array([quantiles[name] for name in DEFAULT.names], dtype=float).T
    ends = DEFAULT.values(free[[0, 2]])
    for i, unknown in enumerate((*own, *INPUTS[len(own) :])):
        if unknown in quantiles:
            low[i], high[i] = ends[unknown]
    return low, high


def _sobol(main: FloatArray) -> dict[str, Any]:
    ends = np.quantile(main, _QUANTILES, axis=0).T
    quantiles = dict(zip(DEFAULT.names, ends, strict=True))
    result: dict[str, Any] = {"samples": _SAMPLES}
    for scheme in SCHEMES:
        ranges = {
            "around": ranges_around(best_inputs(scheme), VARIED_BY),
            "posterior": posterior_ranges(quantiles, scheme),
        }
        of_reading = partial(outputs, base=best_dot(scheme))
        for name, exact in ranges.items():
            low, high = _short(exact)
            found = sobol(of_reading, low, high, samples=_SAMPLES)
            indices = {key: _short(x) for key, x in found._asdict().items()}
            result[f"{scheme}, {name}"] = {"low": low, "high": high} | indices
    return result


# --- made again


def again(result: Mapping[str, Any], random: np.random.Generator) -> Iterator[Again]:
    """Compute log-likelihoods, predictions and Sobol indices of a stored result anew."""
    points = result["points"]
    for k in random.choice(_POINTS, 3, replace=False):
        now = log_likelihood(DEFAULT, np.array([points["free"][k]])[:, :-1])[0]
        yield Again(f"log-likelihood of point {k}", points["log_likelihood"][k], float(now))
    k = int(random.integers(_CHECKED))
    shown = _of_free(np.array([points["free"][k]]))[:, 0]
    for scheme, row, before in zip(SCHEMES, shown, points["predictions"], strict=True):
        for key, old, now in zip(KEYS, before[k], row, strict=True):
            yield Again(f"{key} of point {k}, {scheme}", old, float(now))
    # The gain's indices alone: a film takes a hundred times as long.
    scheme, ranges = random.choice(SCHEMES), random.choice(["around", "posterior"])
    stored = result["sobol"][f"{scheme}, {ranges}"]
    samples = result["sobol"]["samples"]
    of_gain = partial(gain_outputs, base=best_dot(str(scheme)))
    found = sobol(of_gain, stored["low"], stored["high"], samples=samples, resamples=0)
    for name in ("first", "total"):
        indices = getattr(found, name)
        i = int(random.integers(len(indices)))
        j = int(np.argmax(indices[i]))
        what = f"{name} index, {scheme}, {ranges}, {OUTPUTS[i].key} by {INPUTS[j]}"
        yield Again(what, stored[name][i][j], float(indices[i, j]))


def stored_indices(result: Mapping[str, Any], scheme: str, ranges: str) -> Indices:
    """Return stored Sobol indices of a scheme over ``around`` or ``posterior`` ranges."""
    found = result["sobol"][f"{scheme}, {ranges}"]
    return Indices(*(np.array(found[key], dtype=float) for key in Indices._fields))
