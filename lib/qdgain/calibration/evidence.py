r"""The evidence of a row, and the posterior that comes with it, by importance nested sampling.

The evidence is :math:`Z = \int L\,\pi`, with a prior π that is flat between the ends of
`Row.ranges`: in shifts over s, the standard deviation of the bands, in weights, and in the
logarithms of everything else. Ratios of it are Bayes factors. The sampler is nautilus (Lange 2023,
DOI 10.1093/mnras/stad2441), which asks for hundreds of candidates at once. The error that one run
states is too small where there are several modes: a row that matters is run several times.
"""

from __future__ import annotations

import importlib
import warnings
from collections.abc import Callable
from functools import partial
from typing import Any, NamedTuple

import numpy as np

from qdgain.calibration.predictions import DISCREPANCY, fluences, log_likelihood
from qdgain.calibration.rows import INDEX, SCHEMES, Row
from qdgain.model.dot import FloatArray

#: Live points for each parameter, how many times as many each bound takes in, and the effective
#: size of a posterior.
LIVE, PER_BOUND, EFFECTIVE = 30, 4, 1200
_TOGETHER = 2000
#: What lies between the modes in Δ_E of the 4LS, in s.
MODE_EDGES = (-2.0, -0.35, 1.9)


class Run(NamedTuple):
    """One run: ln Z, and points (M, P) with normalised weights (M,)."""

    log_evidence: float
    points: FloatArray
    weights: FloatArray

    @property
    def effective(self) -> float:
        """The effective number of points."""
        return float(1 / np.sum(self.weights**2))

    def drawn(self, count: int, random: np.random.Generator) -> FloatArray:
        """Return points drawn by their weights, in even steps of their sum: (count, P)."""
        place = (np.arange(count) + random.random()) / count
        chosen: FloatArray = self.points[np.searchsorted(np.cumsum(self.weights), place)]
        return chosen


def integrate(
    log_likelihood: Callable[[FloatArray], FloatArray],
    low: FloatArray,
    high: FloatArray,
    seed: int,
    *,
    live: int = 0,
    effective: int = EFFECTIVE,
) -> Run:
    """Return evidence and posterior of a function of (K, P) → (K,) with a flat prior in a box."""
    # An extra of the environment, which reading the stored result does not need.
    nautilus = importlib.import_module("nautilus")
    live = live or LIVE * (low.size + 1)
    sampler = nautilus.Sampler(
        lambda unit: low + (high - low) * unit,
        log_likelihood,
        n_dim=low.size,
        **{"n_live": live, "n_update": PER_BOUND * live, "n_batch": live, "seed": seed},
        n_networks=1,
        neural_network_kwargs={"hidden_layer_sizes": (60, 30), "batch_size": 500},
        vectorized=True,
        pass_dict=False,
    )
    with warnings.catch_warnings():
        # A batch larger than the few points that a small bound has.
        warnings.filterwarnings("ignore", "Got `batch_size` less than 1", UserWarning)
        sampler.run(n_eff=effective, discard_exploration=True)
    points, log_weights, _ = sampler.posterior()
    weights = np.exp(log_weights - log_weights.max())
    return Run(float(sampler.log_z), points, weights / weights.sum())


def evidence(
    row: Row,
    seed: int,
    *,
    with_conditions: bool = False,
    doubled: bool = False,
    discrepancy: float = DISCREPANCY,
    live: int = LIVE,
) -> Run:
    """Return evidence and posterior of a row; arguments as for `predictions.log_likelihood`.

    `live` is how many live points there are for each parameter.
    ln Z is 0 for a row without parameters that agrees with every number.
    """
    how: Any = {"with_conditions": with_conditions, "doubled": doubled, "discrepancy": discrepancy}
    low, high = (end[:-1] for end in row.ranges(doubled))
    function = partial(log_likelihood, row, **how)
    found = integrate(function, low, high, seed, live=live * (low.size + 1))
    kept = found.weights > 1e-3 / len(found.weights)
    shape = found.points[kept]
    random = np.random.default_rng(seed)
    # In blocks, so that the films of many points do not fill the memory.
    blocks = np.array_split(shape, 1 + len(shape) // _TOGETHER)
    scale = np.concatenate([fluences(row, some, random, discrepancy) for some in blocks])
    weights = found.weights[kept] / found.weights[kept].sum()
    return Run(found.log_evidence, np.column_stack([shape, scale]), weights)


def mode_weights(row: Row, run: Run) -> dict[str, float]:
    """Return the weights of the posterior's regions.

    Where the biexciton of both schemes has a Stokes shift S + Δ_E - Δ_A2 above zero, and the modes
    in Δ_E of the 4LS, from the left of the first of `MODE_EDGES`.
    """
    at = dict(zip(INDEX, row.full(run.points).T, strict=True))
    shifts = [at[f"stokes_{of}"] + at[f"emissive_{of}"] - at[f"absorptive_{of}"] for of in SCHEMES]
    red = run.weights[np.minimum(*shifts) > 1e-9].sum()
    mode = np.searchsorted(MODE_EDGES, at["emissive_4ls"])
    each = np.bincount(mode, run.weights, len(MODE_EDGES) + 1)
    weights = {f"mode_{i}": float(weight) for i, weight in enumerate(each)}
    return {"xx_stokes_shifts_red": float(red)} | weights
