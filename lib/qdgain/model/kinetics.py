"""Level schemes under continuous pumping: steady state, net gain and thresholds (Figs 6d, 7b).

Times are in units of the lifetime of the emitting state and pump rates in units of its inverse,
so that w = 1 is one excitation per lifetime.
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
    """Levels, the decays between them, the pumped transition and the emitting one.

    Parameters
    ----------
    levels : tuple of str
        The names of the levels.
    steps : tuple of Step
        The decays; partial lifetimes in units of the emitting state's lifetime.
    pump : tuple of str
        The levels that the pump connects, lower first. It drives them both ways at the same rate,
        as light does between two states of equal degeneracy.
    emission : tuple of str
        The emitting level and the level it emits to.

    Raises
    ------
    ParameterError
        If a name is no level, a time is negative or not finite, or a level has two instant decays.

    Notes
    -----
    Source: the rate equations of standard laser kinetics, to which paper section 3.1 refers
    (Siegman, *Lasers*, 1986, chapter 6).
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


def two_level() -> Scheme:
    """Return the 2LS: pump and emission share one transition (paper Fig 6a)."""
    return Scheme(
        ("ground", "exciton"),
        (Step("exciton", "ground", 1.0),),
        pump=("ground", "exciton"),
        emission=("exciton", "ground"),
    )


def three_level(relaxation: float = 0.0, back_transfer: float = 0.0) -> Scheme:
    """Return the 3LS: the pumped X_A relaxes to the emitting X_E (paper Fig 6a).

    Parameters
    ----------
    relaxation : float
        b, time of X_A → X_E over the lifetime of X_E; 0 is the ideal 3LS.
    back_transfer : float
        κ, rate of X_E → X_A over that of X_A → X_E: exp(-splitting/kT) in thermal equilibrium.
        Needs a finite `relaxation`.
    """
    steps = [Step("X_A", "X_E", relaxation), Step("X_E", "ground", 1.0)]
    if back_transfer:
        steps.append(Step("X_E", "X_A", _reverse(relaxation, back_transfer)))
    return Scheme(("ground", "X_A", "X_E"), tuple(steps), ("ground", "X_A"), ("X_E", "ground"))


def four_level(
    emptying: float = 0.0, relaxation: float = 0.0, terminal_occupation: float = 0.0
) -> Scheme:
    """Return the 4LS: emission ends on a phonon level above the ground state (paper Fig 6a).

    Parameters
    ----------
    emptying : float
        b, lifetime of the terminal level over that of X_E; 0 is ideal.
    relaxation : float
        c, time of X_A → X_E over the lifetime of X_E; 0 is ideal.
    terminal_occupation : float
        θ, occupation of the terminal level relative to the ground state without pump:
        exp(-energy/kT) in thermal equilibrium. Needs a finite `emptying`.
    """
    steps = [
        Step("X_A", "X_E", relaxation),
        Step("X_E", "terminal", 1.0),
        Step("terminal", "ground", emptying),
    ]
    if terminal_occupation:
        steps.append(Step("ground", "terminal", _reverse(emptying, terminal_occupation)))
    return Scheme(
        ("ground", "X_A", "X_E", "terminal"), tuple(steps), ("ground", "X_A"), ("X_E", "terminal")
    )


def five_level(
    emptying: float = 0.0,
    relaxation: float = 0.0,
    cooling: float = 0.0,
    back_transfer: float = 0.0,
    terminal_occupation: float = 0.0,
) -> Scheme:
    """Return the 5LS: fine structure and displacement together (paper Fig 6a).

    The pump reaches a vibrationally hot X_A*, which cools to X_A, then to X_E; emission ends on
    the terminal phonon level.

    Parameters
    ----------
    emptying, terminal_occupation : float
        b and θ, as for `four_level`.
    relaxation, back_transfer : float
        c and κ, as for `three_level`.
    cooling : float
        d, time of X_A* → X_A over the lifetime of X_E.
    """
    steps = [
        Step("X_A*", "X_A", cooling),
        Step("X_A", "X_E", relaxation),
        Step("X_E", "terminal", 1.0),
        Step("terminal", "ground", emptying),
    ]
    if back_transfer:
        steps.append(Step("X_E", "X_A", _reverse(relaxation, back_transfer)))
    if terminal_occupation:
        steps.append(Step("ground", "terminal", _reverse(emptying, terminal_occupation)))
    return Scheme(
        ("ground", "X_A*", "X_A", "X_E", "terminal"),
        tuple(steps),
        ("ground", "X_A*"),
        ("X_E", "terminal"),
    )


def ideal_schemes() -> dict[str, Scheme]:
    """Return the ideal 2, 3 and 4LS by name: every step but the emission is instant and one-way."""
    return {"2LS": two_level(), "3LS": three_level(), "4LS": four_level()}


def thermal_scheme(
    scheme: str,
    stokes_shift_meV: float,
    temperature_K: float,
    branching: float,
    splitting_fraction: float = 0.5,
) -> Scheme:
    r"""Return a 3, 4 or 5LS whose steps down all take time and have their thermal steps up.

    X_E → X_A leads over the splitting :math:`\delta`, ground → terminal level over the
    reorganisation energy :math:`\lambda = (S - \delta)/2`, each weaker than the step down by
    :func:`thermal_ratio`.

    Parameters
    ----------
    scheme : {"3LS", "4LS", "5LS"}
        Which one; S is all splitting in the 3LS and all reorganisation in the 4LS.
    stokes_shift_meV, temperature_K : float
        S and T.
    branching : float
        Time of each relaxation over the lifetime of X_E.
    splitting_fraction : float
        For the 5LS: δ/S.

    Notes
    -----
    Source: detailed balance applied to the schemes of paper section 3.1, an extension.
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


def _reverse(forward_time: float, ratio: float) -> float:
    if not (ratio > 0 and forward_time > 0):
        raise ParameterError(
            f"a thermal back rate needs a forward time above 0 and a ratio above 0, not "
            f"{forward_time!r} and {ratio!r}."
        )
    return forward_time / ratio


def rate_matrix(scheme: Scheme, pump_rate: ArrayLike) -> FloatArray:
    """Return K of dN/dt = K N.

    Parameters
    ----------
    scheme : Scheme
        Without instant decays.
    pump_rate : array_like
        w of shape W.

    Returns
    -------
    numpy.ndarray
        Of shape W + (levels, levels); each column sums to zero.

    Raises
    ------
    ParameterError
        If a decay is instant, or a pump rate negative.
    """
    w = _checked(pump_rate)
    count = len(scheme.levels)
    K = np.zeros((*w.shape, count, count))
    for source, target, time in scheme.steps:
        if time == 0:
            raise ParameterError(f"{source} → {target} is instant and has no finite rate.")
        _add_flow(K, scheme, source, target, 1.0 / time)
    low, high = scheme.pump
    _add_flow(K, scheme, low, high, w)
    _add_flow(K, scheme, high, low, w)
    return K


def _add_flow(K: FloatArray, scheme: Scheme, source: str, target: str, rate: Number) -> None:
    i, j = scheme.index(source), scheme.index(target)
    K[..., i, i] -= rate
    K[..., j, i] += rate


def steady_state(scheme: Scheme, pump_rate: ArrayLike) -> FloatArray:
    """Return the populations under continuous pumping.

    Parameters
    ----------
    scheme : Scheme
        Any scheme; instant decays are taken exactly.
    pump_rate : array_like
        w of shape W: pump rate × lifetime of the emitting state.

    Returns
    -------
    numpy.ndarray
        Of shape W + (levels,); sums to one along the last axis.

    Raises
    ------
    ParameterError
        If a pump rate is negative, or the scheme has more than one steady state.

    Notes
    -----
    Solves K N = 0 with ΣN = 1. The unknown of a level that decays is its outflow N/T, with T its
    lifetime, which stays finite when T → 0. Source: paper section 3.1 and Fig 6d.
    """
    w = _checked(pump_rate)
    count = len(scheme.levels)
    lifetime = np.full(count, np.inf)
    for i, level in enumerate(scheme.levels):
        times = [step.time for step in scheme.steps if step.source == level]
        if times:
            lifetime[i] = 0.0 if min(times) == 0 else 1.0 / sum(1.0 / time for time in times)
    holds = np.where(np.isinf(lifetime), 1.0, lifetime)

    # The same K, each column times the level's lifetime.
    K = np.zeros((*w.shape, count, count))
    for source, target, time in scheme.steps:
        fraction = 1.0 if time == 0 else holds[scheme.index(source)] / time
        _add_flow(K, scheme, source, target, fraction)
    low, high = scheme.pump
    _add_flow(K, scheme, low, high, w * holds[scheme.index(low)])
    _add_flow(K, scheme, high, low, w * holds[scheme.index(high)])

    # One balance follows from the others; the sum of all populations takes its place.
    replaced = scheme.index(low)
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

    Parameters
    ----------
    scheme : Scheme
        The levels and decays.
    pump_rate : array_like
        w, of shape W.
    esa_strength : array_like
        ρ, cross section of excited-state absorption X → XX on the line over that of emission; of a
        shape that broadcasts with W. 1 is the perfect cancellation of Fig 7b.

    Returns
    -------
    numpy.ndarray
        In units of the emission cross section times the density of dots; positive is gain.

    Raises
    ------
    ParameterError
        If a pump rate or an ESA strength is negative.

    Notes
    -----
    XX itself is not a level here: its population, and the gain it would bring, are neglected.
    Source: paper sections 3.1 and 3.2, Figs 6d and 7b; ρ < 1 is an extension.
    """
    rho = np.asarray(esa_strength, dtype=float)
    if not np.all(rho >= 0):
        raise ParameterError("esa_strength must not be negative.")
    N = steady_state(scheme, pump_rate)
    upper, lower = (scheme.index(level) for level in scheme.emission)
    return (1.0 - rho) * N[..., upper] - N[..., lower]


def cw_threshold(scheme: Scheme, esa_strength: ArrayLike = 0.0) -> FloatArray:
    r"""Return the pump rate w at which gain begins: 0 for none needed, infinity for never.

    The pump joins one pair of levels, so its part of the rate matrix has rank one, and every
    population is exactly :math:`(\alpha+\beta w)/(1+\delta w)`. The net gain at w = 0, 1 and 2
    therefore fixes it at every w, and with it its zero.

    Parameters
    ----------
    scheme : Scheme
        The levels and decays.
    esa_strength : array_like
        ρ, of any shape.

    Returns
    -------
    numpy.ndarray
        w_th, of the shape of ρ.

    Notes
    -----
    Source: derived; paper section 3.1 for "finite threshold" and "thresholdless".
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


# The closed forms: independent derivations, against which the solver is tested.


def net_gain_two_level(pump_rate: ArrayLike, esa_strength: ArrayLike = 0.0) -> FloatArray:
    r"""Return :math:`[(1-\rho)w - (1+w)]/(1+2w)`: :math:`-1/(1+2w)` without ESA.

    Assumes a pump that drives the emission line itself, both ways, and one decay. With ρ = 1 it is
    :math:`-(1+w)/(1+2w)`. Source: standard laser kinetics; paper Figs 6d and 7b.
    """
    w, rho = np.asarray(pump_rate, dtype=float), np.asarray(esa_strength, dtype=float)
    return np.asarray(((1 - rho) * w - (1 + w)) / (1 + 2 * w))


def net_gain_three_level(
    pump_rate: ArrayLike, branching: ArrayLike = 0.0, esa_strength: ArrayLike = 0.0
) -> FloatArray:
    r"""Return :math:`[(1-\rho-b)w - 1]/[(1+2b)w + 1]`.

    Assumes a pump both ways, X_A decaying to X_E alone and X_E to the ground state. b is N(X_A) /
    N(X_E): the ratio of their lifetimes, plus κ if X_E is thermally lifted back. Without ESA the
    ideal threshold (b → 0) is w = 1; with ρ = 1 the ideal 3LS gives :math:`-1/(1+w)`. Source:
    standard laser kinetics; paper Figs 6d and 7b.
    """
    w, b, rho = (np.asarray(x, dtype=float) for x in (pump_rate, branching, esa_strength))
    return np.asarray(((1 - rho - b) * w - 1) / ((1 + 2 * b) * w + 1))


def net_gain_four_level(
    pump_rate: ArrayLike,
    branching: ArrayLike = 0.0,
    esa_strength: ArrayLike = 0.0,
    terminal_occupation: ArrayLike = 0.0,
) -> FloatArray:
    r"""Return :math:`[(1-\rho-b)w - \theta]/[1+\theta+(1+b)w]`.

    Assumes an instant X_A → X_E (so that the pump cannot drive X_A down), emission to the terminal
    level alone, and b = lifetime of the terminal level over that of X_E. θ is the terminal level's
    thermal occupation over that of the ground state. Ideal (b = θ = 0): w/(1+w), no threshold;
    with ρ = 1 exactly zero, but :math:`-bw/[1+(1+b)w]` when b > 0. Source: standard laser
    kinetics; paper Figs 6d and 7b; θ is an extension.
    """
    w, b, rho = (np.asarray(x, dtype=float) for x in (pump_rate, branching, esa_strength))
    theta = np.asarray(terminal_occupation, dtype=float)
    return np.asarray(((1 - rho - b) * w - theta) / (1 + theta + (1 + b) * w))


def thermal_ratio(energy_meV: ArrayLike, temperature_K: ArrayLike) -> FloatArray:
    r"""Return :math:`e^{-E/kT}`, the occupation of a level E above another of equal degeneracy."""
    energy = np.asarray(energy_meV, dtype=float)
    return np.asarray(np.exp(-energy / units.thermal_energy_meV(temperature_K)))
