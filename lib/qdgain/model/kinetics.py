"""Level schemes under continuous pumping: steady state, net gain and thresholds (Figs 6d, 7b).

Times are in units of the lifetime of the emitting state and pump rates in units of its inverse,
so that w = 1 is one excitation per lifetime. The rate equations are those of standard laser
kinetics, to which paper section 3.1 refers (Siegman, *Lasers*, 1986, chapter 6).
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike

from qdgain.model import units
from qdgain.model.dot import FloatArray, Number
from qdgain.model.levels import SPLITTING_FRACTIONS
from qdgain.model.parameters import ParameterError


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


# --- the schemes of paper Fig 6a; a time of 0 is ideal, a thermal ratio needs a time above 0


def two_level() -> Scheme:
    """Return the 2LS: pump and emission share one transition.

    >>> two_level().levels
    ('ground', 'exciton')
    """
    decay = Step("exciton", "ground", 1.0)
    return Scheme(("ground", "exciton"), (decay,), ("ground", "exciton"), ("exciton", "ground"))


def three_level(relaxation: float = 0.0, back_transfer: float = 0.0) -> Scheme:
    """Return the 3LS: the pumped X_A relaxes to the emitting X_E.

    `relaxation` b is the time of X_A → X_E over the lifetime of X_E, and `back_transfer` κ the rate
    of X_E → X_A over that of X_A → X_E: exp(-splitting/kT) in thermal equilibrium.

    >>> len(three_level().steps), len(three_level(0.01, 0.5).steps)
    (2, 3)
    """
    steps = (Step("X_A", "X_E", relaxation), Step("X_E", "ground", 1.0))
    back = _thermal_step("X_E", "X_A", relaxation, back_transfer)
    return Scheme(("ground", "X_A", "X_E"), steps + back, ("ground", "X_A"), ("X_E", "ground"))


def four_level(
    emptying: float = 0.0, relaxation: float = 0.0, terminal_occupation: float = 0.0
) -> Scheme:
    """Return the 4LS: emission ends on a phonon level above the ground state.

    `emptying` b and `relaxation` c are the lifetime of that terminal level and the time of
    X_A → X_E over the lifetime of X_E; `terminal_occupation` θ is the terminal level's occupation
    over that of the ground state without pump: exp(-energy/kT) in thermal equilibrium.

    >>> four_level().emission
    ('X_E', 'terminal')
    """
    steps = (
        Step("X_A", "X_E", relaxation),
        Step("X_E", "terminal", 1.0),
        Step("terminal", "ground", emptying),
        *_thermal_step("ground", "terminal", emptying, terminal_occupation),
    )
    levels = ("ground", "X_A", "X_E", "terminal")
    return Scheme(levels, steps, pump=("ground", "X_A"), emission=("X_E", "terminal"))


def five_level(
    emptying: float = 0.0,
    relaxation: float = 0.0,
    cooling: float = 0.0,
    back_transfer: float = 0.0,
    terminal_occupation: float = 0.0,
) -> Scheme:
    """Return the 5LS: fine structure and displacement together.

    The pump reaches a vibrationally hot X_A*, which cools to X_A (time d), then to X_E; emission
    ends on the terminal phonon level. The others are as for `three_level` and `four_level`.

    >>> [f"{step.source} → {step.target}" for step in five_level().steps]
    ['X_A* → X_A', 'X_A → X_E', 'X_E → terminal', 'terminal → ground']
    """
    steps = (
        Step("X_A*", "X_A", cooling),
        Step("X_A", "X_E", relaxation),
        Step("X_E", "terminal", 1.0),
        Step("terminal", "ground", emptying),
        *_thermal_step("X_E", "X_A", relaxation, back_transfer),
        *_thermal_step("ground", "terminal", emptying, terminal_occupation),
    )
    levels = ("ground", "X_A*", "X_A", "X_E", "terminal")
    return Scheme(levels, steps, pump=("ground", "X_A*"), emission=("X_E", "terminal"))


def ideal_schemes() -> dict[str, Scheme]:
    """Return the ideal 2, 3 and 4LS by name: every step but the emission is instant and one-way.

    >>> [float(cw_threshold(scheme)) for scheme in ideal_schemes().values()]
    [inf, 1.0, 0.0]
    """
    return {"2LS": two_level(), "3LS": three_level(), "4LS": four_level()}


def thermal_scheme(
    scheme: str,
    stokes_shift_meV: float,
    temperature_K: float,
    branching: float,
    splitting_fraction: float = 0.5,
) -> Scheme:
    r"""Return a 3, 4 or 5LS whose steps down all take time and have their thermal steps up.

    X_E → X_A leads over the splitting δ, ground → terminal level over the reorganisation energy
    :math:`\lambda = (S - \delta)/2`, both weaker than the steps down by `thermal_ratio`. S is all
    splitting in the 3LS, all reorganisation in the 4LS and shared by `splitting_fraction` in the
    5LS. `branching` is the time of each relaxation over the lifetime of X_E. Source: detailed
    balance in the schemes of paper section 3.1, an extension.

    >>> round(float(cw_threshold(thermal_scheme("4LS", 50.0, 300.0, 1e-5))), 3)
    0.38
    """
    given = SPLITTING_FRACTIONS[scheme]
    splitting = (splitting_fraction if given is None else given) * stokes_shift_meV
    reorganisation = (stokes_shift_meV - splitting) / 2
    lifted, filled = (float(thermal_ratio(e, temperature_K)) for e in (splitting, reorganisation))
    if scheme == "3LS":
        return three_level(branching, lifted)
    if scheme == "4LS":
        return four_level(branching, branching, filled)
    return five_level(branching, branching, branching, lifted, filled)


def thermal_ratio(energy_meV: ArrayLike, temperature_K: ArrayLike) -> FloatArray:
    r"""Return :math:`e^{-E/kT}`, the occupation of a level E above another of equal degeneracy.

    >>> round(float(thermal_ratio(25.85, 300.0)), 3)
    0.368
    """
    energy = np.asarray(energy_meV, dtype=float)
    return np.asarray(np.exp(-energy / units.thermal_energy_meV(temperature_K)))


def _thermal_step(source: str, target: str, forward_time: float, ratio: float) -> tuple[Step, ...]:
    """Return the step up against one that takes `forward_time`; none for a ratio of zero."""
    if not ratio:
        return ()
    if not (ratio > 0 and forward_time > 0):
        raise ParameterError(
            f"a thermal back rate needs a forward time above 0 and a ratio above 0, not "
            f"{forward_time!r} and {ratio!r}."
        )
    return (Step(source, target, forward_time / ratio),)


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


def _checked(pump_rate: ArrayLike) -> FloatArray:
    w = np.asarray(pump_rate, dtype=float)
    if not np.all((w >= 0) & np.isfinite(w)):
        raise ParameterError("pump_rate must be finite and not negative.")
    return w
