r"""How far rivals are from the public record and from each other.

A misfit is the distance of a prediction's median from the stated number in standard deviations,
the stated error and the prediction's own spread added in squares. The score of a model is its
likelihood averaged over its set: :math:`Z = \langle\prod_i L_i\rangle`. The set of a fitted reading
is what the fit left, so that its score charges nothing for the fit: a Bayes factor of two such
scores says who predicts better, from here on.
What an experiment would tell of which rival holds is the mutual information of
`qdgain.beyond.measurements.reading_bits`; how far it sets two apart is their distance over the
precision and both spreads.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import combinations
from typing import NamedTuple

import numpy as np
import scipy

from qdgain.beyond.measurements import PROBABILITIES, reading_bits
from qdgain.beyond.rivals import Assumed, Middle, Model, prediction
from qdgain.beyond.rivals_record import MEASUREMENTS, OBSERVABLES, Observable
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
    predicted, spread = Middle.of(values), Middle.of(observable.coordinate(values)).spread
    misfit = abs(float(observable.off(predicted.median, spread)))
    return Cell(predicted, misfit, observable.key in model.fitted)


def total(model: Model, assumed: Assumed) -> tuple[float, int]:
    """Return a model's sum of squared misfits over what it was not fitted to, and their number."""
    cells = (cell(model, one, assumed) for one in OBSERVABLES)
    own = [one.misfit for one in cells if one is not None and not one.fitted]
    return float(np.sum(np.square(own))), len(own)


def compared(rivals: Sequence[Model], assumed: Assumed) -> tuple[Observable, ...]:
    """Return the observables that all of some rivals predict and none was fitted to."""
    cells = ((one, [cell(model, one, assumed) for model in rivals]) for one in OBSERVABLES)
    return tuple(one for one, row in cells if all(c is not None and not c.fitted for c in row))


def log_evidence(model: Model, observed: Sequence[Observable], assumed: Assumed) -> float:
    """Return ln Z of a model for some observables; perfect predictions have 0.

    Where a quantity is out of reach at some points of the set, the others stand for it; points of
    different quantities are then not paired, and their likelihoods are averaged one by one.
    """
    found = [(one, prediction(model, one.key, assumed)) for one in observed]
    logs = [one.log_likelihood(values) for one, values in found if values is not None]
    if len({each.size for each in logs}) == 1:
        logs = [np.sum(logs, axis=0)]
    return float(sum(scipy.special.logsumexp(each) - np.log(each.size) for each in logs))


class Decision(NamedTuple):
    """ln of the Bayes factor of one model over another, and what each observable gives alone."""

    total: float
    parts: tuple[tuple[Observable, float], ...]

    @property
    def most(self) -> tuple[Observable, float]:
        """The observable that decides most, and by how much."""
        return max(self.parts, key=lambda part: abs(part[1]))


def decision(one: Model, other: Model, assumed: Assumed) -> Decision:
    """Return the logarithm of the Bayes factor of two models over what both predict."""

    def factor(observed: Sequence[Observable]) -> float:
        return log_evidence(one, observed, assumed) - log_evidence(other, observed, assumed)

    observed = compared((one, other), assumed)
    return Decision(factor(observed), tuple((each, factor([each])) for each in observed))


def separation(key: str, one: Model, other: Model, assumed: Assumed, factor: float = 1.0) -> float:
    """Return by how many σ a measurement sets two models apart; nan where one says nothing."""
    both = [_coordinates(model, key, assumed) for model in (one, other)]
    a, b = (Middle.of(np.array([np.nan]) if x is None else x) for x in both)
    sigma = factor * MEASUREMENTS[key].precision
    return abs(a.median - b.median) / float(np.sqrt(sigma**2 + a.spread**2 + b.spread**2))


def _coordinates(model: Model, key: str, assumed: Assumed) -> FloatArray | None:
    values = prediction(model, key, assumed)
    return np.log(values) if values is not None and MEASUREMENTS[key].is_relative else values


class Experiment(NamedTuple):
    """What an experiment would tell: bits, σ between the closest and farthest pair of models."""

    key: str
    bits: float
    closest: float
    farthest: float
    models: int


def experiments(
    rivals: Sequence[Model], assumed: Assumed, factor: float = 1.0
) -> tuple[Experiment, ...]:
    """Return the measurements that at least two rivals speak of, the most telling first.

    `factor` is on every precision.
    """
    found = []
    for key, measured in MEASUREMENTS.items():
        own = [(model, _coordinates(model, key, assumed)) for model in rivals]
        spoken = {model: values for model, values in own if values is not None}
        apart = [separation(key, *both, assumed, factor) for both in combinations(spoken, 2)]
        if apart:
            quantiles = [np.quantile(values, PROBABILITIES) for values in spoken.values()]
            bits = max(reading_bits(quantiles, factor * measured.precision), 0.0)
            found.append(Experiment(key, bits, min(apart), max(apart), len(spoken)))
    return tuple(sorted(found, key=lambda each: -each.bits))
