"""What the paper's numbers pin down, made and read: posteriors, predictions, sensitivities.

A stored result (see `qdgain.stored`), since its random walks take minutes. Eight readings of the
paper are sampled: the default's, and those that differ from it in one respect, the population
statistics, the definition of the threshold, or how the biexciton's shifts are coupled.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
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
from qdgain.calibration.objective import predict
from qdgain.calibration.posterior import (
    DISCREPANCY,
    OTHER_DISCREPANCIES,
    Sample,
    information_bits,
    log_likelihood,
    numbers_of,
    refuse_unconverged,
    sample,
    split_rhat,
)
from qdgain.calibration.readings import (
    COUPLINGS,
    DOTS,
    UNKNOWNS,
    Variant,
    candidate_dots,
    values,
    width_meV,
)
from qdgain.model.dot import Dot, FloatArray, presets
from qdgain.model.parameters import CONTRACT, PRESETS
from qdgain.stored import Again, rounded

#: The reading that every chapter draws, with every parameter free.
DEFAULT = Variant()
#: Rival readings: what they differ in -> name -> reading.
RIVALS: Mapping[str, Mapping[str, Variant]] = {
    "statistics": {name: Variant(statistics=name) for name in ("rabi", "sequential", "poisson")},
    "definition": {name: Variant(threshold=name) for name in ("maximum", "onset")},
    "coupling": {name: Variant(coupling=name) for name in COUPLINGS},
}
SCHEMES = ("3ls", "4ls")
#: What the marginals are of: key -> in words.
POSTERIORS: Mapping[str, str] = {
    "main": "posterior, δ = 5 %",
    "conditions": "and the qualitative statements",
    "tight": "δ = 2 %",
    "loose": "δ = 10 %",
}
VARIED_BY = 0.1

_SEED = 2510
_POINTS, _CHECKED, _PREDICTED, _NESTED = 300, 30, 600, 2000
_BINS = 80
#: Points of the posterior whose spikes are looked at for the qualitative statements.
_LOOKED_AT = 6000
_DIGITS = 4
_SAMPLES = 512
_QUANTILES = (0.05, 0.5, 0.95)
# Steps of each walker, by reading and discrepancy: more where they mix slowly.
_WALKERS = 128
_STEPS, _MORE_STEPS, _MOST_STEPS = 500, 1000, 1300


def readings() -> dict[str, Variant]:
    """Return the rival readings by name, the default first, each once."""
    every = (variant for rivals in RIVALS.values() for variant in rivals.values())
    return {variant.name: variant for variant in every}


# --- making


def make() -> dict[str, Any]:
    """Return everything that is stored.

    Raises
    ------
    RuntimeError
        If a posterior has not converged; nothing is stored then.
    """
    found = {name: _sampled(variant) for name, variant in readings().items()}
    main = found[DEFAULT.name]
    others = {
        key: _sampled(DEFAULT, discrepancy, _resampled(main, discrepancy))
        for key, discrepancy in zip(("tight", "loose"), OTHER_DISCREPANCIES, strict=True)
    }
    points = {
        "main": main.points,
        "conditions": _meeting_conditions(main),
        "tight": others["tight"].points,
        "loose": others["loose"].points,
    }
    independent = {key: float(other.independent.sum()) for key, other in others.items()}
    independent["main"] = float(main.independent.sum())
    share = len(points["conditions"]) / _LOOKED_AT
    independent["conditions"] = share * independent["main"]
    return {
        "readings": {
            name: _reading(readings()[name], posterior) for name, posterior in found.items()
        },
        "posteriors": {key: _posterior(points[key], independent[key]) for key in POSTERIORS},
        "converged": {key: _convergence(other) for key, other in others.items()},
        "points": _points(main),
        "nested": _nested(main),
        "sobol": _sobol(main),
    }


def _sampled(
    variant: Variant, discrepancy: float = DISCREPANCY, starts: FloatArray | None = None
) -> Sample:
    # A narrower likelihood, another unknown, or Poisson's separate regions mix more slowly.
    slow = variant.threshold == "onset" or discrepancy < DISCREPANCY
    steps = _MORE_STEPS if slow or (variant == DEFAULT and starts is None) else _STEPS
    steps = _MOST_STEPS if variant.statistics == "poisson" else steps
    found = sample(
        variant,
        _SEED,
        discrepancy=discrepancy,
        starts=starts,
        walkers=_WALKERS,
        steps=steps,
        dropped=int(0.4 * steps),
    )
    print(
        f"  {variant.name}, δ = {discrepancy:g}: split R̂ {split_rhat(found.chains).max():.3f}, "
        f"{found.independent.sum():.0f} independent",
        flush=True,
    )
    refuse_unconverged(found, variant.name)
    return found


def _resampled(main: Sample, discrepancy: float, points: int = 8000) -> FloatArray:
    """Return points of a posterior, drawn as another discrepancy weights them: where to start."""
    free = main.thinned(points)
    numbers = np.concatenate(
        [numbers_of(DEFAULT.full(x), DEFAULT) for x in np.array_split(free, 40)]
    )
    log_weight = log_likelihood(numbers, discrepancy) - log_likelihood(numbers)
    weight = np.exp(log_weight - log_weight.max())
    random = np.random.default_rng(_SEED)
    chosen = random.choice(points, 2 * _WALKERS, replace=False, p=weight / weight.sum())
    starts: FloatArray = free[chosen]
    return starts


def _convergence(found: Sample) -> dict[str, Any]:
    return {
        "split_rhat": rounded(split_rhat(found.chains).max(), _DIGITS),
        "independent": rounded(found.independent.sum(), 3),
        "autocorrelation": rounded(found.autocorrelation.max(), 3),
        "steps": found.chains.shape[1],
        "walkers": found.chains.shape[2],
        "ensembles": found.chains.shape[0],
        "acceptance": rounded(found.acceptance.mean(), 3),
    }


def _meeting_conditions(found: Sample, points: int = _LOOKED_AT) -> FloatArray:
    """Return those of evenly taken points that meet every qualitative statement."""
    free = found.thinned(points)
    met = np.concatenate([_conditions(x) for x in np.array_split(free, 30)])
    chosen: FloatArray = free[met]
    return chosen


def _conditions(free: FloatArray, variant: Variant = DEFAULT) -> FloatArray:
    return np.asarray(np.all(predict(variant.full(free), variant).conditions >= 0, axis=1))


def _reading(variant: Variant, found: Sample) -> dict[str, Any]:
    free = found.thinned(_PREDICTED)
    v = values(variant.full(free))
    met = np.mean(np.concatenate([_conditions(x, variant) for x in np.array_split(free, 4)]))
    return _convergence(found) | {
        "parameters": variant.parameters,
        "best": rounded(found.log_posterior.max(), _DIGITS),
        "conditions": rounded(met, 3),
        "quantiles": {
            unknown.name: rounded(np.quantile(v[:, i], _QUANTILES), _DIGITS)
            for i, unknown in enumerate(UNKNOWNS)
            if unknown.name != "floor" or variant.threshold == "onset"
        },
        "predictive": _predictive(predictions(free, variant)),
    }


def predictions(free: FloatArray, variant: Variant) -> FloatArray:
    """Return what every measurement would show of free parameters (K, P), (2 schemes, K, 14)."""
    full = variant.full(free)
    v, many = values(full), candidate_dots(full)
    fields = [(name, np.asarray(x)) for name, x in many.values().items() if x is not None]
    result = []
    for scheme in SCHEMES:
        at = DOTS.index(f"{scheme.upper()}+ESA")
        dot = Dot(**{name: np.broadcast_to(x, many.shape)[:, at] for name, x in fields})
        result.append(predicted(dot, v[:, 8], v[:, 9], variant.statistics))
    return np.stack(result)


def _predictive(shown: FloatArray) -> dict[str, Any]:
    return {
        scheme: {
            "quantiles": rounded(np.quantile(x, PROBABILITIES, axis=0).T, _DIGITS),
            "variance": rounded(x.var(axis=0), _DIGITS),
        }
        for scheme, x in zip(SCHEMES, shown, strict=True)
    }


def _posterior(points: FloatArray, independent: float) -> dict[str, Any]:
    low, high = DEFAULT.bounds
    shown = points[np.linspace(0, len(points) - 1, min(_PREDICTED, len(points))).astype(int)]
    return {
        "bits": {
            name: rounded(information_bits(points[:, i], low[i], high[i], independent), 3)
            for i, name in enumerate(DEFAULT.names)
        },
        "quantiles": {
            name: rounded(np.quantile(points[:, i], _QUANTILES), _DIGITS)
            for i, name in enumerate(DEFAULT.names)
        },
        "density": {
            name: rounded(
                np.histogram(points[:, i], _BINS, (low[i], high[i]))[0] * _BINS / len(points), 3
            )
            for i, name in enumerate(DEFAULT.names)
        },
        "predictive": _predictive(predictions(shown, DEFAULT))["3ls"]["quantiles"],
    }


def _points(main: Sample) -> dict[str, Any]:
    free = np.array(rounded(main.thinned(_POINTS), 5))
    return {
        "free": free.tolist(),
        "log_likelihood": rounded(exact_log_likelihood(free), 6),
        "predictions": rounded(predictions(free[:_CHECKED], DEFAULT), 6),
    }


def exact_log_likelihood(free: FloatArray) -> FloatArray:
    """Return the log-likelihood of free parameters (K, 10) from `predict`, without a table."""
    return log_likelihood(predict(DEFAULT.full(free), DEFAULT).numbers)


def _nested(main: Sample) -> dict[str, Any]:
    shown = predictions(main.thinned(_NESTED), DEFAULT)
    random = np.random.default_rng(_SEED)
    return {
        scheme: [
            rounded(nested_bits(x[:, i], measurement.precision, random), 3)
            for i, measurement in enumerate(MEASUREMENTS)
        ]
        for scheme, x in zip(SCHEMES, shown, strict=True)
    }


# --- Sobol indices


def preset_inputs(scheme: str) -> FloatArray:
    """Return a preset dot with ESA and its film as `qdgain.beyond.sensitivity.INPUTS`."""
    film = PRESETS["film"]
    floor = float(np.asarray(CONTRACT["floor"].default))
    dot = presets()[f"{scheme.upper()}+ESA"]
    return inputs_of(dot, film["gain_exponent"], film["pi_pulse_fluence_mJ_cm2"], floor)


def posterior_ranges(quantiles: Mapping[str, Any], scheme: str) -> tuple[FloatArray, FloatArray]:
    """Return the middle nine tenths of each input's posterior; width and floor by ± a tenth."""
    low, high = ranges_around(preset_inputs(scheme), VARIED_BY)
    own = {
        "stokes_shift_meV": f"stokes_{scheme}",
        "absorptive_binding_meV": f"absorptive_{scheme}",
        "emissive_binding_meV": f"emissive_{scheme}",
    }
    for i, name in enumerate(INPUTS):
        unknown = own.get(name, name)
        if unknown in quantiles:
            ends = np.array(quantiles[unknown], dtype=float)[[0, 2]]
            low[i], high[i] = width_meV() * ends if name in own else np.exp(ends)
    return low, high


def _sobol(main: Sample) -> dict[str, Any]:
    quantiles = {
        name: np.quantile(main.points[:, i], _QUANTILES) for i, name in enumerate(DEFAULT.names)
    }
    result: dict[str, Any] = {"samples": _SAMPLES}
    for scheme in SCHEMES:
        ranges = {
            "around": ranges_around(preset_inputs(scheme), VARIED_BY),
            "posterior": posterior_ranges(quantiles, scheme),
        }
        for name, ends in ranges.items():
            low, high = (np.array(rounded(end, _DIGITS)) for end in ends)
            found = sobol(outputs, low, high, samples=_SAMPLES)
            result[f"{scheme}, {name}"] = {
                "low": low.tolist(),
                "high": high.tolist(),
            } | {key: rounded(x, _DIGITS) for key, x in found._asdict().items()}
    return result


# --- made again


def again(result: Mapping[str, Any], random: np.random.Generator) -> Iterator[Again]:
    """Compute log-likelihoods, predictions and Sobol indices of a stored result anew."""
    points = result["points"]
    for k in random.choice(_POINTS, 3, replace=False):
        now = exact_log_likelihood(np.array([points["free"][k]]))[0]
        yield Again(f"log-likelihood of point {k}", points["log_likelihood"][k], float(now))
    k = int(random.integers(_CHECKED))
    shown = predictions(np.array([points["free"][k]]), DEFAULT)[:, 0]
    for scheme, row, stored_rows in zip(SCHEMES, shown, points["predictions"], strict=True):
        for key, now in zip(KEYS, row, strict=True):
            stored = stored_rows[k][KEYS.index(key)]
            yield Again(f"{key} of point {k}, {scheme}", stored, float(now))
    # The gain's indices alone: a film takes a hundred times as long.
    which = f"{random.choice(SCHEMES)}, {random.choice(['around', 'posterior'])}"
    found_before = result["sobol"][which]
    low, high = found_before["low"], found_before["high"]
    found = sobol(gain_outputs, low, high, samples=result["sobol"]["samples"], resamples=0)
    for name in ("first", "total"):
        now_all = getattr(found, name)
        i = int(random.integers(len(now_all)))
        j = int(np.argmax(now_all[i]))
        what = f"{name} index, {which}, {OUTPUTS[i].key} by {INPUTS[j]}"
        yield Again(what, found_before[name][i][j], float(now_all[i, j]))


def stored_indices(result: Mapping[str, Any], scheme: str, ranges: str) -> Indices:
    """Return stored Sobol indices of a scheme over ``around`` or ``posterior`` ranges."""
    found = result["sobol"][f"{scheme}, {ranges}"]
    return Indices(*(np.array(found[key], dtype=float) for key in Indices._fields))
