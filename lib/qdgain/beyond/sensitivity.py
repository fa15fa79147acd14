r"""How much each headline number depends on each parameter: elasticities, and Sobol indices.

An **elasticity** is local, :math:`\partial\ln y/\partial\ln x` at one dot. The **Sobol indices**
(Sobol 2001, DOI 10.1016/S0378-4754(00)00270-6) split the variance of y over stated, independent
ranges of all parameters: the first-order index is the part that one parameter explains alone, the
total index adds its share in interactions.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable
from dataclasses import replace
from typing import Any, NamedTuple

import numpy as np
import scipy
from numpy.typing import ArrayLike

from qdgain.calibration.conditions import FLUENCE_RANGE
from qdgain.fast.onset import threshold_onset
from qdgain.model import parameters
from qdgain.model.dot import Dot, FloatArray
from qdgain.model.film import _spike_detuning_meV, ase_threshold
from qdgain.model.gain import largest_gain
from qdgain.model.parameters import clipped
from qdgain.model.populations import mean_excitons_after_pulse
from qdgain.model.threshold import threshold_at_maximum

#: What varies, in the order of every last axis: five numbers of the dot, its width, the film, ε.
INPUTS = (
    "stokes_shift_meV",
    "absorptive_binding_meV",
    "emissive_binding_meV",
    "xx_absorption_strength",
    "xx_emission_strength",
    "linewidth_meV",
    "gain_exponent",
    "pi_pulse_fluence_mJ_cm2",
    "floor",
)
#: Those that are energies: ⟨N⟩ depends on their ratios alone.
ENERGIES = (0, 1, 2, 5)
_OF_DOT = 6
#: The spike is looked at this many times above the ASE threshold.
SPIKE_FLUENCE = 1.5
_STEP = 1e-3


class Output(NamedTuple):
    """A headline number: its key, what it is, and its unit."""

    key: str
    name: str
    unit: str


#: In the order of the last axis of `outputs`; those of positive numbers first.
OUTPUTS = (
    Output("threshold", "⟨N⟩ at gain maximum, no ESA", "1"),
    Output("threshold-esa", "⟨N⟩ at gain maximum, ESA", "1"),
    Output("onset", "⟨N⟩ at onset, no ESA", "1"),
    Output("onset-esa", "⟨N⟩ at onset, ESA", "1"),
    Output("gain-esa", "largest gain, ESA", "1"),
    Output("ase", "ASE threshold, no ESA", "mJ cm⁻²"),
    Output("ase-esa", "ASE threshold, ESA", "mJ cm⁻²"),
    Output("spike-esa", "spike from PL_X at 1.5 J_th, ESA", "meV"),
    Output("shift-esa", "spike's shift, J_th to 3 J_th, ESA", "meV"),
)
#: How many of them are positive and have elasticities.
POSITIVE = 7
#: How many need no film.
OF_GAIN = 5


def inputs_of(
    dot: Dot, gain_exponent: float, pi_pulse_fluence_mJ_cm2: float, floor: float
) -> FloatArray:
    """Return a dot and its film as `INPUTS`, of shape (9,)."""
    own = [float(np.asarray(getattr(dot, name))) for name in INPUTS[:_OF_DOT]]
    return np.array([*own, gain_exponent, pi_pulse_fluence_mJ_cm2, floor])


def dots_of(inputs: FloatArray, base: Dot | None = None) -> Dot:
    """Return the dots with ESA of inputs (K, 9), of shape (K,), other fields as those of a base."""
    base = Dot() if base is None else base
    # Every field has the shape (K,), so that no own width keeps that of one dot.
    fields: dict[str, Any] = {
        name: np.full(len(inputs), float(np.asarray(x)))
        for name, x in base.values().items()
        if name in parameters.DOT_ARRAYS
    }
    fields |= {name: inputs[:, i] for i, name in enumerate(INPUTS[:_OF_DOT])}
    return replace(base, **fields)


def gain_outputs(
    inputs: FloatArray, statistics: str = "rabi", base: Dot | None = None
) -> FloatArray:
    """Return the first `OF_GAIN` outputs of inputs (K, 9), of shape (K, 5); base as in `dots_of`.

    Infinite where no pulse reaches a threshold.
    """
    dot, floor = dots_of(inputs, base), inputs[:, 8]
    both = (dot.uncorrelated(), dot)
    found = [threshold_at_maximum(x, statistics=statistics).mean_excitons for x in both]
    found += [threshold_onset(x, floor, statistics).mean_excitons for x in both]
    return np.stack([*found, largest_gain(dot, statistics)], axis=-1)


def film_outputs(
    inputs: FloatArray, statistics: str = "rabi", base: Dot | None = None
) -> FloatArray:
    """Return the outputs of the film of inputs (K, 9), of shape (K, 4); base as in `dots_of`.

    A threshold that no pulse up to J_π reaches is counted as J_π.
    """
    dot, length, pi_pulse = dots_of(inputs, base), inputs[:, 6], inputs[:, 7]
    ideal, fluence = (
        np.minimum(ase_threshold(x, length, pi_pulse, statistics).fluence_mJ_cm2, pi_pulse)
        for x in (dot.uncorrelated(), dot)
    )
    place, shift = spike_and_shift_meV(dot, length, fluence / pi_pulse, statistics)
    return np.stack([ideal, fluence, place, shift], axis=-1)


def spike_and_shift_meV(
    dot: Dot, gain_exponent: FloatArray, area: FloatArray, statistics: str
) -> tuple[FloatArray, FloatArray]:
    """Return where the ASE of each dot (K,) is strongest, and how far that moves, in meV.

    The place at `SPIKE_FLUENCE` times the threshold minus the centre of PL_X, and the shift between
    the threshold and `FLUENCE_RANGE` times it. ``area`` is J_th/J_π, (K,).
    """
    times = np.array([1.0, SPIKE_FLUENCE, FLUENCE_RANGE])
    mean = mean_excitons_after_pulse(np.minimum(area[:, None] * times, 1.0), 1.0, statistics)
    place = _spike_detuning_meV(dot, mean, gain_exponent, statistics)
    at, near, far = place.T + np.asarray(dot.stokes_shift_meV)
    return near, far - at


def outputs(inputs: FloatArray, statistics: str = "rabi", base: Dot | None = None) -> FloatArray:
    """Return all `OUTPUTS` of inputs (K, 9), of shape (K, 9); base as in `dots_of`."""
    return np.concatenate(
        [gain_outputs(inputs, statistics, base), film_outputs(inputs, statistics, base)], axis=1
    )


def lowered_and_raised(at: FloatArray, fraction: float) -> FloatArray:
    """Return points (2, 9, 9) with each input lowered and raised, as far as is allowed."""
    moved = at * (1 + fraction * np.stack([-np.eye(9), np.eye(9)]))
    columns = [clipped(name, moved[..., i]) for i, name in enumerate(INPUTS)]
    return np.stack(columns, axis=-1)


def strips(
    at: FloatArray, fraction: float, statistics: str = "rabi", base: Dot | None = None
) -> FloatArray:
    """Return the outputs with each input lowered and raised by a fraction, (2, 9 inputs, 9).

    By less where the contract allows no more. At one point, (9,); base as in `dots_of`.
    """
    around = lowered_and_raised(at, fraction)
    return outputs(around.reshape(18, 9), statistics, base).reshape(2, 9, -1)


def elasticities(at: FloatArray, statistics: str = "rabi", base: Dot | None = None) -> FloatArray:
    r"""Return :math:`\partial\ln y/\partial\ln x` of the positive outputs, of shape (7, 9).

    A difference over ±0.1 %; zero for an input that is zero; nan where an output is out of reach.
    Arguments as for `strips`.
    """
    around = lowered_and_raised(at, _STEP)
    with np.errstate(divide="ignore", invalid="ignore"):
        y = np.log(strips(at, _STEP, statistics, base)[..., :POSITIVE])
        step = np.log(np.diagonal(around[1]) / np.diagonal(around[0]))
        slope = np.where(at == 0, 0.0, (y[1] - y[0]).T / step)
    return np.where(np.isfinite(slope), slope, np.nan)


class Indices(NamedTuple):
    """First-order and total Sobol indices, (outputs, inputs), and their standard errors."""

    first: FloatArray
    total: FloatArray
    first_error: FloatArray
    total_error: FloatArray


def sobol(
    function: Callable[[FloatArray], FloatArray],
    low: ArrayLike,
    high: ArrayLike,
    *,
    samples: int = 512,
    seed: int = 1,
    resamples: int = 100,
) -> Indices:
    """Return the Sobol indices of a function of points, (K, P) to (K, Q), over flat ranges (P,).

    The function is called at (P + 2) times as many points as there are samples, a power of two,
    which scipy draws from a scrambled Sobol sequence (Saltelli's scheme). `seed` is that of the
    sequence and of the bootstrap of the errors; with no resamples these are zero.
    """
    low, high = np.asarray(low, dtype=float), np.asarray(high, dtype=float)

    # Of points (P, K), where scipy may ask for several sets at once.
    def of_unit_cube(x: FloatArray) -> FloatArray:
        points = np.moveaxis(x, 0, -1)
        y = function(low + (high - low) * points.reshape(-1, len(low)))
        return np.moveaxis(y.reshape(*points.shape[:-1], -1), -1, 0)

    random = np.random.default_rng(seed)
    flat: list[Any] = [scipy.stats.uniform()] * len(low)
    found = scipy.stats.sobol_indices(func=of_unit_cube, n=samples, dists=flat, rng=random)
    indices = [np.atleast_2d(x) for x in (found.first_order, found.total_order)]
    errors = [np.zeros_like(x) for x in indices]
    if resamples:
        with warnings.catch_warnings():
            # Of an index that is zero in every sample there is nothing to say: no error.
            warnings.simplefilter("ignore")
            # It takes no generator, and draws from numpy's one for all.
            np.random.seed(seed)  # noqa: NPY002
            spread = found.bootstrap(confidence_level=0.6827, n_resamples=resamples)
        ends = [x.confidence_interval for x in (spread.first_order, spread.total_order)]
        errors = [np.nan_to_num(np.atleast_2d(0.5 * (end.high - end.low))) for end in ends]
    return Indices(*indices, *errors)


def ranges_around(at: FloatArray, fraction: float) -> tuple[FloatArray, FloatArray]:
    """Return the ends of ± a fraction around a point (P,)."""
    ends = np.stack([at * (1 - fraction), at * (1 + fraction)])
    return ends.min(axis=0), ends.max(axis=0)
