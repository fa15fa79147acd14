"""What the paper's numbers pin down, made and read: posteriors, predictions, sensitivities.

A stored result (see `qdgain.stored`), since its random walks take minutes. Eight readings of the
paper are sampled: the default's, and those that differ from it in one respect, the population
statistics, the definition of the threshold, or how the biexciton's shifts are coupled.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

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
    INDEX,
    SCHEMES,
    Variant,
    candidate_dots,
    columns,
    values,
    width_meV,
)
from qdgain.model.dot import FloatArray, presets
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
#: So many at once, which do not fill the memory.
_AT_ONCE = 200
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


def _short(x: Any) -> Any:
    """Return numbers at the four significant digits that are stored."""
    return rounded(x, 4)


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
    looked_at = main.thinned(_LOOKED_AT)
    meeting = looked_at[_conditions(looked_at, DEFAULT)]
    points = {key: x.points for key, x in (("main", main), *others.items())}
    independent = {key: x.independent.sum() for key, x in (("main", main), *others.items())}
    points["conditions"] = meeting
    independent["conditions"] = len(meeting) / _LOOKED_AT * independent["main"]
    return {
        "readings": {name: _reading(readings()[name], x) for name, x in found.items()},
        "posteriors": {key: _posterior(points[key], float(independent[key])) for key in POSTERIORS},
        "converged": {key: _convergence(x) for key, x in others.items()},
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
    how = {"walkers": _WALKERS, "steps": steps, "dropped": int(0.4 * steps)}
    found = sample(variant, _SEED, discrepancy=discrepancy, starts=starts, **how)
    print(
        f"  {variant.name}, δ = {discrepancy:g}: split R̂ {split_rhat(found.chains).max():.3f}, "
        f"{found.independent.sum():.0f} independent",
        flush=True,
    )
    refuse_unconverged(found, variant.name)
    return found


def _in_parts(function: Callable[[FloatArray], FloatArray], free: FloatArray) -> FloatArray:
    parts = np.array_split(free, -(-len(free) // _AT_ONCE))
    return np.concatenate([function(part) for part in parts])


def _resampled(main: Sample, discrepancy: float, points: int = 8000) -> FloatArray:
    """Return points of a posterior, drawn as another discrepancy weights them: where to start."""
    free = main.thinned(points)
    numbers = _in_parts(lambda x: numbers_of(DEFAULT.full(x), DEFAULT), free)
    log_weight = log_likelihood(numbers, discrepancy) - log_likelihood(numbers)
    weight = np.exp(log_weight - log_weight.max())
    random = np.random.default_rng(_SEED)
    chosen = random.choice(points, 2 * _WALKERS, replace=False, p=weight / weight.sum())
    starts: FloatArray = free[chosen]
    return starts


def _convergence(found: Sample) -> dict[str, Any]:
    ensembles, steps, walkers, _ = found.chains.shape
    return {
        "split_rhat": _short(split_rhat(found.chains).max()),
        "independent": rounded(found.independent.sum(), 3),
        "autocorrelation": rounded(found.autocorrelation.max(), 3),
        "steps": steps,
        "walkers": walkers,
        "ensembles": ensembles,
        "acceptance": rounded(found.acceptance.mean(), 3),
    }


def _conditions(free: FloatArray, variant: Variant) -> NDArray[np.bool_]:
    """Return which free parameters (K, P) meet every qualitative statement."""
    met = _in_parts(lambda x: predict(variant.full(x), variant).conditions, free)
    return np.asarray(np.all(met >= 0, axis=1))


def _reading(variant: Variant, found: Sample) -> dict[str, Any]:
    free = found.thinned(_PREDICTED)
    quantiles = np.quantile(values(variant.full(free)), _QUANTILES, axis=0).T
    return _convergence(found) | {
        "parameters": variant.parameters,
        "best": _short(found.log_posterior.max()),
        "conditions": rounded(np.mean(_conditions(free, variant)), 3),
        "quantiles": {
            name: _short(ends)
            for name, ends in zip(INDEX, quantiles, strict=True)
            if name != "floor" or variant.threshold == "onset"
        },
        "predictive": _predictive(predictions(free, variant)),
    }


def predictions(free: FloatArray, variant: Variant) -> FloatArray:
    """Return what every measurement would show of free parameters (K, P), (2 schemes, K, 14)."""
    full = variant.full(free)
    many, v = candidate_dots(full), values(full)
    film = (v[:, INDEX[name]] for name in ("gain_exponent", "pi_pulse_fluence_mJ_cm2"))
    length, pi_pulse = film
    with_esa = (columns(many, DOTS.index(f"{scheme.upper()}+ESA")) for scheme in SCHEMES)
    return np.stack([predicted(dot, length, pi_pulse, variant.statistics) for dot in with_esa])


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
    for name, x, low, high in zip(DEFAULT.names, points.T, *DEFAULT.bounds, strict=True):
        bits[name] = rounded(information_bits(x, low, high, independent), 3)
        quantiles[name] = _short(np.quantile(x, _QUANTILES))
        counts = np.histogram(x, _BINS, (low, high))[0]
        density[name] = rounded(counts * _BINS / len(points), 3)
    return {
        "bits": bits,
        "quantiles": quantiles,
        "density": density,
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
    # The first three inputs are energies that each scheme has of its own.
    own = [f"{name}_{scheme}" for name in ("stokes", "absorptive", "emissive")]
    for i, unknown in enumerate((*own, *INPUTS[len(own) :])):
        if unknown in quantiles:
            ends = np.array(quantiles[unknown], dtype=float)[[0, 2]]
            low[i], high[i] = width_meV() * ends if unknown in own else np.exp(ends)
    return low, high


def _sobol(main: Sample) -> dict[str, Any]:
    ends = np.quantile(main.points, _QUANTILES, axis=0).T
    quantiles = dict(zip(DEFAULT.names, ends, strict=True))
    result: dict[str, Any] = {"samples": _SAMPLES}
    for scheme in SCHEMES:
        ranges = {
            "around": ranges_around(preset_inputs(scheme), VARIED_BY),
            "posterior": posterior_ranges(quantiles, scheme),
        }
        for name, exact in ranges.items():
            low, high = _short(exact)
            found = sobol(outputs, low, high, samples=_SAMPLES)
            indices = {key: _short(x) for key, x in found._asdict().items()}
            result[f"{scheme}, {name}"] = {"low": low, "high": high} | indices
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
    for scheme, row, before in zip(SCHEMES, shown, points["predictions"], strict=True):
        for key, old, now in zip(KEYS, before[k], row, strict=True):
            yield Again(f"{key} of point {k}, {scheme}", old, float(now))
    # The gain's indices alone: a film takes a hundred times as long.
    scheme, ranges = random.choice(SCHEMES), random.choice(["around", "posterior"])
    stored = result["sobol"][f"{scheme}, {ranges}"]
    samples = result["sobol"]["samples"]
    found = sobol(gain_outputs, stored["low"], stored["high"], samples=samples, resamples=0)
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
