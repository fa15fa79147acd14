r"""How far rivals are from the public record and from each other.

A misfit is the distance of a prediction's median from the stated number in standard deviations,
the stated error and the prediction's own spread added in squares. The evidence of a model is its
likelihood averaged over its set, which is its prior here:

.. math:: Z = \Big\langle \prod_i L_i(\theta) \Big\rangle_\theta .

What an experiment would tell of which rival holds is the mutual information of
`qdgain.beyond.measurements.reading_bits`; how far it sets two apart is their distance over the
precision and both spreads.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import scipy

from qdgain.beyond.measurements import PROBABILITIES, reading_bits
from qdgain.beyond.rivals import QUANTITIES, Assumed, Middle, Model, prediction
from qdgain.beyond.rivals_record import Observable, observables
from qdgain.model.dot import FloatArray


class Cell(NamedTuple):
    """What a model predicts for an observable, its misfit in σ, and whether it was put in."""

    predicted: Middle
    misfit: float
    fitted: bool


def cell(model: Model, observable: Observable, assumed: Assumed) -> Cell | None:
    """Return a cell of the table; None where the model says nothing."""
    values = prediction(model, observable.key, assumed)
    if values is None:
        return None
    coordinates = Middle.of(observable.coordinate(values))
    predicted = Middle.of(values)
    misfit = abs(float(observable.off(predicted.median, coordinates.spread)))
    return Cell(predicted, misfit, observable.key in model.fitted)


class Total(NamedTuple):
    """The sum of squared misfits, over how many observables, with how many fitted parameters."""

    chi_squared: float
    observables: int
    parameters: int


def total(model: Model, assumed: Assumed) -> Total:
    """Return a model's total over what it was not fitted to."""
    cells = [cell(model, one, assumed) for one in observables()]
    own = [one.misfit for one in cells if one is not None and not one.fitted]
    return Total(float(np.sum(np.square(own))), len(own), model.parameters)


def compared(rivals: Sequence[Model], assumed: Assumed) -> tuple[Observable, ...]:
    """Return the observables that all of some rivals predict and none was fitted to."""
    return tuple(
        one
        for one in observables()
        if all(
            one.key not in model.fitted and prediction(model, one.key, assumed) is not None
            for model in rivals
        )
    )


def log_evidence(model: Model, observed: Sequence[Observable], assumed: Assumed) -> float:
    """Return ln Z of a model for some observables: one for perfect predictions is 0.

    Where a quantity is out of reach at some points of the set, the others stand for it; points of
    different quantities are then not paired, and their likelihoods are averaged one by one.
    """
    logs = []
    for one in observed:
        values = prediction(model, one.key, assumed)
        assert values is not None
        logs.append(one.log_likelihood(values))
    if len({each.size for each in logs}) == 1:
        return _log_mean(np.sum(logs, axis=0))
    return float(sum(_log_mean(each) for each in logs))


def _log_mean(logs: FloatArray) -> float:
    return float(scipy.special.logsumexp(logs) - np.log(logs.size))


class Decision(NamedTuple):
    """ln of the Bayes factor of one model over another, and what each observable gives to it."""

    total: float
    parts: tuple[tuple[Observable, float], ...]

    @property
    def most(self) -> tuple[Observable, float]:
        """The observable that decides most, and by how much."""
        return max(self.parts, key=lambda part: abs(part[1]))


def decision(one: Model, other: Model, assumed: Assumed) -> Decision:
    """Return the logarithm of the Bayes factor of two models over what both predict."""
    observed = compared((one, other), assumed)
    whole = log_evidence(one, observed, assumed) - log_evidence(other, observed, assumed)
    parts = tuple(
        (each, log_evidence(one, [each], assumed) - log_evidence(other, [each], assumed))
        for each in observed
    )
    return Decision(whole, parts)


class Experiment(NamedTuple):
    """What an experiment would tell: bits, σ between the closest and farthest pair, by models."""

    key: str
    bits: float
    closest: float
    farthest: float
    models: int


def _coordinates(model: Model, key: str, assumed: Assumed) -> FloatArray | None:
    values = prediction(model, key, assumed)
    if values is None:
        return None
    return np.log(values) if QUANTITIES[key].measurement.is_relative else values


def separation(key: str, one: Model, other: Model, assumed: Assumed, factor: float = 1.0) -> float:
    """Return by how many σ a measurement sets two models apart; nan where one says nothing."""
    both = [_coordinates(model, key, assumed) for model in (one, other)]
    if both[0] is None or both[1] is None:
        return float("nan")
    a, b = (Middle.of(values) for values in both if values is not None)
    sigma = factor * QUANTITIES[key].measurement.precision
    return abs(a.median - b.median) / float(np.sqrt(sigma**2 + a.spread**2 + b.spread**2))


def experiments(
    rivals: Sequence[Model], assumed: Assumed, factor: float = 1.0
) -> tuple[Experiment, ...]:
    """Return the measurements that at least two rivals speak of, the most telling first.

    `factor` is on every precision.
    """
    found = []
    for key, quantity in QUANTITIES.items():
        own = [(model, _coordinates(model, key, assumed)) for model in rivals]
        spoken = [(model, values) for model, values in own if values is not None]
        if len(spoken) < 2:
            continue
        quantiles = [np.quantile(values, PROBABILITIES) for _, values in spoken]
        bits = reading_bits(quantiles, factor * quantity.measurement.precision)
        pairs = [
            separation(key, a, b, assumed, factor)
            for i, (a, _) in enumerate(spoken)
            for b, _ in spoken[:i]
        ]
        found.append(Experiment(key, max(bits, 0.0), min(pairs), max(pairs), len(spoken)))
    return tuple(sorted(found, key=lambda each: -each.bits))
