"""Level schemes under continuous pumping: steady state, net gain and thresholds (Figs 6d, 7b).

Times are in units of the lifetime of the emitting state and pump rates in units of its inverse,
so that w = 1 is one excitation per lifetime. The rate equations are those of standard laser
kinetics, to which paper section 3.1 refers (Siegman, *Lasers*, 1986, chapter 6).
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike

from qdgain.model import units
from qdgain.model.dot import FloatArray, Number
from qdgain.model.levels import SPLITTING_FRACTIONS
from qdgain.model.parameters import ParameterError

#: As good as infinite beside rates of relaxation of some 1e5.
_STRONG_PUMP = 1e12


class Step(NamedTuple):
    """A decay from one level to another and its time; 0 is instantly."""

    source: str
    target: str
    time: float


@dataclass(frozen=True)
class Scheme:
    """Levels by name, the decays between them, the pumped transition and the emitting one.

    The pump drives its transition, lower level first, both ways at the same rate, as light does
    between two states of equal degeneracy. Emission goes from its first level to its second.
    Raises `ParameterError` if a name is no level, a time is negative or not finite, or a level
    has two instant decays.
    """

    levels: tuple[str, ...]
    steps: tuple[Step, ...]
    pump: tuple[str, str]
    emission: tuple[str, str]

    def __post_init__(self) -> None:
        used = [name for step in self.steps for name in step[:2]] + [*self.pump, *self.emission]
        for name in used:
            if name not in self.levels:
                raise ParameterError(
                    f"level = {name!r} is not allowed: the levels are {', '.join(self.levels)}."
                )
        for step in self.steps:
            if not (math.isfinite(step.time) and step.time >= 0):
                raise ParameterError(
                    f"time of {step.source} → {step.target} = {step.time!r} is not allowed: give "
                    "a finite number from 0."
                )
        instant = [step.source for step in self.steps if step.time == 0]
        if len(instant) > len(set(instant)):
            raise ParameterError("a level with two instant decays has no branching ratio.")

    def index(self, level: str) -> int:
        """Return the place of a level in the arrays of populations."""
        return self.levels.index(level)


# --- the schemes of paper Fig 6a; a time of 0 is ideal


def two_level() -> Scheme:
    """Return the 2LS: pump and emission share one transition.

    >>> two_level().levels
    ('ground', 'exciton')
    """
    decay = Step("exciton", "ground", 1.0)
    return Scheme(("ground", "exciton"), (decay,), ("ground", "exciton"), ("exciton", "ground"))


def three_level(relaxation: float = 0.0) -> Scheme:
    """Return the 3LS: the pumped X_A relaxes to the emitting X_E.

    `relaxation` b is the time of X_A → X_E over the lifetime of X_E.

    >>> [f"{step.source} → {step.target}" for step in three_level().steps]
    ['X_A → X_E', 'X_E → ground']
    """
    steps = (Step("X_A", "X_E", relaxation), Step("X_E", "ground", 1.0))
    return Scheme(("ground", "X_A", "X_E"), steps, ("ground", "X_A"), ("X_E", "ground"))


def four_level(emptying: float = 0.0, relaxation: float = 0.0) -> Scheme:
    """Return the 4LS: emission ends on a phonon level above the ground state.

    `emptying` b and `relaxation` c are the lifetime of that terminal level and the time of
    X_A → X_E over the lifetime of X_E.

    >>> four_level().emission
    ('X_E', 'terminal')
    """
    steps = (
        Step("X_A", "X_E", relaxation),
        Step("X_E", "terminal", 1.0),
        Step("terminal", "ground", emptying),
    )
    levels = ("ground", "X_A", "X_E", "terminal")
    return Scheme(levels, steps, pump=("ground", "X_A"), emission=("X_E", "terminal"))


def five_level(emptying: float = 0.0, relaxation: float = 0.0, cooling: float = 0.0) -> Scheme:
    """Return the 5LS: fine structure and displacement together.

    The pump reaches a vibrationally hot X_A*, which cools to X_A (time d), then to X_E; emission
    ends on the terminal phonon level. The others are as for `four_level`.

    >>> [f"{step.source} → {step.target}" for step in five_level().steps]
    ['X_A* → X_A', 'X_A → X_E', 'X_E → terminal', 'terminal → ground']
    """
    steps = (Step("X_A*", "X_A", cooling), *four_level(emptying, relaxation).steps)
    levels = ("ground", "X_A*", "X_A", "X_E", "terminal")
    return Scheme(levels, steps, pump=("ground", "X_A*"), emission=("X_E", "terminal"))


def ideal_schemes() -> dict[str, Scheme]:
    """Return the ideal 2, 3 and 4LS by name: every step but the emission is instant and one-way.

    >>> [float(cw_threshold(scheme)) for scheme in ideal_schemes().values()]
    [inf, 1.0, 0.0]
    """
    return {"2LS": two_level(), "3LS": three_level(), "4LS": four_level()}


def in_detailed_balance(
    scheme: Scheme, energy_meV: Mapping[str, float], temperature_K: float
) -> Scheme:
    r"""Return the scheme with a thermal step up against each of its steps down but the emission.

    A step down that takes τ and frees the energy E has a step up that takes
    :math:`\tau\,e^{E/kT}`. `energy_meV` has the levels' energies, all of equal degeneracy; only
    differences within a step count. Emission frees many kT and stays one-way. Raises
    `ParameterError` for an instant step. Source: detailed balance, an extension of paper
    section 3.1.

    >>> in_detailed_balance(three_level(0.5), {"X_A": 0.0, "X_E": 0.0}, 300.0).steps[-1]
    Step(source='X_E', target='X_A', time=0.5)
    """
    steps_up = []
    for source, target, time in scheme.steps:
        if (source, target) == scheme.emission:
            continue
        if time == 0:
            raise ParameterError(
                f"time of {source} → {target} = 0 is not allowed: an instant step has no step up."
            )
        ratio = float(thermal_ratio(energy_meV[source] - energy_meV[target], temperature_K))
        if ratio > 0:
            steps_up.append(Step(target, source, time / ratio))
    return replace(scheme, steps=(*scheme.steps, *steps_up))


def thermal_scheme(
    scheme: str,
    stokes_shift_meV: float,
    temperature_K: float,
    branching: float,
    splitting_fraction: float = 0.5,
) -> Scheme:
    r"""Return a 3, 4 or 5LS whose steps down all take time and have their thermal steps up.

    X_A lies above X_E by the splitting δ; the level that the pump reaches above the relaxed
    exciton, and the terminal level above the ground state, by the reorganisation energy
    :math:`\lambda = (S - \delta)/2`. S is all splitting in the 3LS, all reorganisation in the 4LS
    and shared by `splitting_fraction` in the 5LS. `branching` is the time of each relaxation over
    the lifetime of X_E. Source: `in_detailed_balance` with the energies of paper Fig 6a.

    >>> round(float(cw_threshold(thermal_scheme("4LS", 50.0, 300.0, 1e-5))), 3)
    0.444
    """
    given = SPLITTING_FRACTIONS[scheme]
    fraction = splitting_fraction if given is None else given
    splitting = fraction * stokes_shift_meV
    reorganisation = (stokes_shift_meV - splitting) / 2
    b = branching
    slow = {"3LS": three_level(b), "4LS": four_level(b, b), "5LS": five_level(b, b, b)}[scheme]
    energies = {"ground": 0.0, "terminal": reorganisation, "X_E": 0.0, "X_A": splitting}
    energies[slow.pump[1]] = splitting + reorganisation
    return in_detailed_balance(slow, energies, temperature_K)


def thermal_ratio(energy_meV: ArrayLike, temperature_K: ArrayLike) -> FloatArray:
    r"""Return :math:`e^{-E/kT}`, the occupation of a level E above another of equal degeneracy.

    >>> round(float(thermal_ratio(25.85, 300.0)), 3)
    0.368
    """
    energy = np.asarray(energy_meV, dtype=float)
    return np.asarray(np.exp(-energy / units.thermal_energy_meV(temperature_K)))


# --- populations, gain and threshold


def _flows(scheme: Scheme, w: FloatArray, holds: FloatArray) -> FloatArray:
    """Return the rate matrix with each column times what the level holds of its unknown."""
    K = np.zeros((*w.shape, len(scheme.levels), len(scheme.levels)))

    def add(source: str, target: str, rate: Number) -> None:
        i, j = scheme.index(source), scheme.index(target)
        K[..., i, i] -= rate
        K[..., j, i] += rate

    for source, target, time in scheme.steps:
        add(source, target, 1.0 if time == 0 else holds[scheme.index(source)] / time)
    low, high = scheme.pump
    add(low, high, w * holds[scheme.index(low)])
    add(high, low, w * holds[scheme.index(high)])
    return K


def steady_state(scheme: Scheme, pump_rate: ArrayLike) -> FloatArray:
    """Return the populations under continuous pumping, of shape W + (levels,); they sum to one.

    Solves K N = 0 with ΣN = 1. The unknown of a level that decays is its outflow N/T, with T its
    lifetime, which stays finite when T → 0: instant decays are taken exactly. Raises
    `ParameterError` if a pump rate w (of shape W) is negative, or the scheme has more than one
    steady state. Source: paper section 3.1 and Fig 6d.

    >>> steady_state(three_level(), 1.0).tolist()
    [0.5, 0.0, 0.5]
    """
    w = _checked(pump_rate)
    count = len(scheme.levels)
    holds = np.ones(count)
    for i, level in enumerate(scheme.levels):
        times = [step.time for step in scheme.steps if step.source == level]
        if times:
            holds[i] = 0.0 if min(times) == 0 else 1.0 / sum(1.0 / time for time in times)
    K = _flows(scheme, w, holds)
    # One balance follows from the others; the sum of all populations takes its place.
    replaced = scheme.index(scheme.pump[0])
    K[..., replaced, :] = holds
    total = np.zeros((*w.shape, count, 1))
    total[..., replaced, 0] = 1.0
    try:
        outflow = np.linalg.solve(K, total)[..., 0]
    except np.linalg.LinAlgError:
        raise ParameterError("this scheme has more than one steady state.") from None
    return outflow * holds


def net_gain(scheme: Scheme, pump_rate: ArrayLike, esa_strength: ArrayLike = 0.0) -> FloatArray:
    r"""Return the net gain on the emission line, :math:`N_{up}(1-\rho) - N_{low}`.

    In units of the emission cross section times the density of dots. `esa_strength` ρ is the
    cross section of X → XX on the line over that of emission, 1 the perfect cancellation of Fig
    7b; it broadcasts with w. Neither may be negative (`ParameterError`). XX itself is not a level
    here: its population, and the gain it would bring, are neglected. Source: paper sections 3.1
    and 3.2, Figs 6d and 7b; ρ < 1 is an extension.

    >>> net_gain(three_level(), [0.0, 1.0, 3.0]).tolist()
    [-1.0, 0.0, 0.5]
    """
    rho = np.asarray(esa_strength, dtype=float)
    if not np.all(rho >= 0):
        raise ParameterError("esa_strength must not be negative.")
    N = steady_state(scheme, pump_rate)
    upper, lower = (scheme.index(level) for level in scheme.emission)
    return (1.0 - rho) * N[..., upper] - N[..., lower]


def cw_threshold(scheme: Scheme, esa_strength: ArrayLike = 0.0) -> FloatArray:
    r"""Return the pump rate w at which gain begins, of the shape of ρ: 0 at once, inf never.

    The pump joins one pair of levels, so its part of the rate matrix has rank one, and every
    population is exactly :math:`(\alpha+\beta w)/(1+\delta w)`. The net gain at w = 0, 1 and 2
    therefore fixes it at every w, and with it its zero. Source: derived; paper section 3.1 for
    "finite threshold" and "thresholdless".

    >>> cw_threshold(three_level(), [0.0, 0.5, 1.0]).round(6).tolist()
    [1.0, 2.0, inf]
    """
    rho = np.asarray(esa_strength, dtype=float)
    g0, g1, g2 = np.moveaxis(net_gain(scheme, [0.0, 1.0, 2.0], rho[..., None]), -1, 0)
    rounding = 1e-13
    with np.errstate(divide="ignore", invalid="ignore"):
        delta = (2 * g1 - g0 - g2) / (2 * (g2 - g1))
        slope = g1 * (1 + delta) - g0  # g(w)(1 + δw) = g0 + slope w
        threshold = np.where(slope > rounding, np.maximum(-g0, 0.0) / slope, np.inf)
    # A gain that does not change with w gives 0/0 above.
    flat = np.abs(g2 - g1) < rounding
    return np.where(flat, np.where(g1 > rounding, 0.0, np.inf), threshold)


def strongest_esa(scheme: Scheme) -> float:
    r"""Return the ρ below which the scheme gains at some pump rate; 0 if it never does.

    The net gain has one zero at most, so it is the sign at :math:`w\to\infty` that counts:
    :math:`\rho = 1 - N_{low}/N_{up}` there. Source: derived; an extension of paper section 3.2.

    >>> round(strongest_esa(thermal_scheme("4LS", 50.0, 300.0, 1e-5)), 3)
    0.855
    """
    N = steady_state(scheme, _STRONG_PUMP)
    upper, lower = (scheme.index(level) for level in scheme.emission)
    return max(0.0, float(1.0 - N[lower] / N[upper]))


def _checked(pump_rate: ArrayLike) -> FloatArray:
    w = np.asarray(pump_rate, dtype=float)
    if not np.all((w >= 0) & np.isfinite(w)):
        raise ParameterError("pump_rate must be finite and not negative.")
    return w
