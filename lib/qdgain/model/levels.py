r"""Displaced harmonic potentials of the 2, 3, 4 and 5 level systems, with and without XX.

Energies of states, in eV above the minimum of the ground state, over a dimensionless
configuration coordinate q:

.. math:: V(q) = V_0 + \tfrac12\hbar\omega\,(q-d)^2, \qquad \lambda = \tfrac12\hbar\omega\,d^2

The Stokes shift is the fine-structure splitting plus twice the reorganisation energy,
:math:`S = \delta + 2\lambda`; vertical transitions then lie at the centres of the model's bands.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike

from qdgain.model import parameters
from qdgain.model.bands import (
    bands,
    detuning_from_absorption_meV,
    energy_window_eV,
    expand,
    log_bands,
)
from qdgain.model.dot import Dot, FloatArray
from qdgain.model.states import weights_of_bands

#: The part of the Stokes shift that is fine-structure splitting; None: a parameter.
SPLITTING_FRACTIONS = {"2LS": 0.0, "3LS": 1.0, "4LS": 0.0, "5LS": None}


class Potential(NamedTuple):
    """One state: its minimum above that of the ground state, and where on q it lies."""

    name: str
    minimum_eV: float
    displacement: float


class Transition(NamedTuple):
    """A vertical transition or a relaxation, between points (q, energy in eV)."""

    name: str
    kind: str
    start: tuple[float, float]
    end: tuple[float, float]

    @property
    def energy_eV(self) -> float:
        """The energy between the end points: a photon's, for a vertical transition."""
        return abs(self.end[1] - self.start[1])


@dataclass(frozen=True)
class LevelDiagram:
    """The states of one scheme, all of one ħω, and the transitions between them.

    Kinds of transitions: pump, relaxation, emission, excited-state absorption.
    """

    scheme: str
    phonon_energy_meV: float
    potentials: tuple[Potential, ...]
    transitions: tuple[Transition, ...]

    def __getitem__(self, name: str) -> Potential:
        """Return the potential of that name."""
        for potential in self.potentials:
            if potential.name == name:
                return potential
        raise KeyError(f"the {self.scheme} has no potential {name!r}")

    def transition(self, name: str) -> Transition:
        """Return the transition of that name."""
        for transition in self.transitions:
            if transition.name == name:
                return transition
        raise KeyError(f"the {self.scheme} has no transition {name!r}")

    def energy_eV(self, name: str, coordinate: ArrayLike) -> FloatArray:
        """Return V(q) of one state in eV, of the shape of q."""
        _, minimum, displacement = self[name]
        q = np.asarray(coordinate, dtype=float)
        return minimum + 0.5e-3 * self.phonon_energy_meV * (q - displacement) ** 2


def displacement_of(reorganisation_meV: ArrayLike, phonon_energy_meV: float) -> FloatArray:
    r"""Return the displacement :math:`d = \sqrt{2\lambda/\hbar\omega}`.

    :math:`d^2/2 = \lambda/\hbar\omega` is the Huang-Rhys factor. Source: displaced harmonic
    oscillators; paper section 3.1, Fig 6a.

    >>> float(displacement_of(52.0, 26.0))
    2.0
    """
    return np.asarray(np.sqrt(2 * np.asarray(reorganisation_meV, dtype=float) / phonon_energy_meV))


def level_diagram(
    scheme: str,
    dot: Dot,
    phonon_energy_meV: float,
    splitting_fraction: float = 0.5,
    biexciton: bool = False,
) -> LevelDiagram:
    r"""Return the potentials and transitions of a level scheme with a single dot's energies.

    - 2LS: no splitting, no displacement; the dot's Stokes shift is left out.
    - 3LS: the Stokes shift is the splitting of X_A and X_E, nothing is displaced.
    - 4LS: the Stokes shift is twice the reorganisation energy, one displaced exciton.
    - 5LS: both; `splitting_fraction` of the Stokes shift is splitting.

    With XX, the same rule is applied to the shift between the absorption X_E → XX_A2 at
    :math:`E_A-\Delta_{A2}` and the emission XX_E → X_E at :math:`E_A-S-\Delta_E`. A negative
    shift cannot be a displacement and is drawn as a splitting. Vertical transitions lie exactly at
    the dot's band centres; ħω sets curvature and displacement, but no transition energy.

    Raises `ParameterError` if the scheme is unknown, the dot is an array, or a value is refused.

    Source: paper sections 3.1 and 3.2, Figs 6a and 7a. That XX lies further along the same
    coordinate than X, and shares its phonon energy, is assumed.

    >>> diagram = level_diagram("4LS", Dot(stokes_shift_meV=50.0), 26.0)
    >>> round(diagram.transition("pump").energy_eV - diagram.transition("emission").energy_eV, 6)
    0.05
    """
    if scheme not in SPLITTING_FRACTIONS:
        known = ", ".join(SPLITTING_FRACTIONS)
        raise parameters.ParameterError(f"scheme = {scheme!r} is not allowed: give one of {known}.")
    if dot.shape:
        raise parameters.ParameterError("a level diagram shows one dot: give numbers, not arrays.")
    phonon = parameters.check("phonon_energy_meV", phonon_energy_meV)
    fraction = SPLITTING_FRACTIONS[scheme]
    if fraction is None:
        fraction = parameters.check("splitting_fraction", splitting_fraction)
    if scheme == "2LS":
        dot = replace(dot, stokes_shift_meV=0.0)

    absorbed = float(dot.absorption_energy_eV)
    stokes = 1e-3 * float(dot.stokes_shift_meV)
    splitting, reorganisation = fraction * stokes, 0.5 * (1 - fraction) * stokes
    d = float(displacement_of(1e3 * reorganisation, phonon))
    x_a = absorbed - reorganisation
    x_e = x_a - splitting
    potentials = [Potential("ground", 0.0, 0.0)]
    if splitting > 0:
        potentials += [Potential("X_E", x_e, d), Potential("X_A", x_a, d)]
    else:
        potentials.append(Potential("X", x_e, d))
    lifted = (d, reorganisation)
    transitions = [
        Transition("pump", "pump", (0.0, 0.0), (0.0, absorbed)),
        Transition("emission", "emission", (d, x_e), lifted),
    ]
    if stokes > 0:
        transitions.append(Transition("X_A → X_E", "relaxation", (0.0, absorbed), (d, x_e)))
    if reorganisation > 0:
        transitions.append(Transition("ground relaxes", "relaxation", lifted, (0.0, 0.0)))
    if biexciton:
        esa = absorbed - 1e-3 * float(dot.absorptive_binding_meV)
        part = 0.0 if scheme == "2LS" else 1 - fraction
        potentials += _biexciton(dot, esa, part, phonon, potentials[1])
        transitions.append(Transition("ESA", "excited-state absorption", (d, x_e), (d, x_e + esa)))
    return LevelDiagram(scheme, phonon, tuple(potentials), tuple(transitions))


def _biexciton(
    dot: Dot, esa_eV: float, displaced_part: float, phonon_meV: float, relaxed: Potential
) -> list[Potential]:
    """Return the potentials of XX above that of the relaxed X."""
    emitted = float(dot.absorption_energy_eV) - 1e-3 * float(dot.stokes_shift_meV)
    stokes = esa_eV - (emitted - 1e-3 * float(dot.emissive_binding_meV))
    reorganisation = 0.5 * displaced_part * max(stokes, 0.0)
    splitting = stokes - 2 * reorganisation
    d_xx = relaxed.displacement + float(displacement_of(1e3 * reorganisation, phonon_meV))
    xx_a = relaxed.minimum_eV + esa_eV - reorganisation
    if abs(splitting) > 1e-12:
        return [Potential("XX_E", xx_a - splitting, d_xx), Potential("XX_A2", xx_a, d_xx)]
    return [Potential("XX", xx_a, d_xx)]


def binding_by_energies_meV(diagram: LevelDiagram) -> float:
    r"""Return the paper's first definition, :math:`2A_X - E_{XX}`, of the state that ESA reaches.

    :math:`E_{XX}` is the energy of XX reached vertically from the relaxed X_E. Source: paper
    section 3.2.

    >>> dot = Dot(stokes_shift_meV=40.0, absorptive_binding_meV=30.0)
    >>> round(binding_by_energies_meV(level_diagram("3LS", dot, 26.0, biexciton=True)), 6)
    70.0
    """
    xx = diagram.transition("ESA").end[1]
    return 1e3 * (2 * diagram.transition("pump").energy_eV - xx)


def binding_by_transitions_meV(diagram: LevelDiagram) -> float:
    r"""Return the paper's second definition, :math:`E_{0,X} - E_{X,XX}`: the Δ_A2 of this book.

    Source: paper section 3.2, and section 3.3 where it is used.

    >>> dot = Dot(stokes_shift_meV=40.0, absorptive_binding_meV=30.0)
    >>> round(binding_by_transitions_meV(level_diagram("3LS", dot, 26.0, biexciton=True)), 6)
    30.0
    """
    return 1e3 * (diagram.transition("pump").energy_eV - diagram.transition("ESA").energy_eV)


def cancelled_fraction(dot: Dot) -> FloatArray:
    r"""Return how much of the X emission excited-state absorption X → XX removes, of shape D.

    :math:`\int \min(PL_X, aA_{XX2})\,dE \big/ \int PL_X\,dE` after relaxation; 1 is perfect
    cancellation, 0 that of readings without A_XX2. It is largest where the two bands coincide, at
    :math:`\Delta_{A2} = S`. Source:
    paper section 3.2, "blocks SE"; this measure of it is the book's own.

    >>> dot = Dot(stokes_shift_meV=40.0, absorptive_binding_meV=40.0, xx_absorption_strength=0.5)
    >>> round(float(cancelled_fraction(dot)), 6)
    0.5
    """
    energy = energy_window_eV(dot, widths=5.0, points=1201)
    spectra, of_dot = bands(dot, energy), weights_of_bands(dot)
    emitted = expand(of_dot.emission[1][1], dot, 1) * spectra.emission
    absorbed = expand(of_dot.absorption[1][2], dot, 1) * spectra.xx_absorption
    return np.asarray(np.minimum(emitted, absorbed).sum(axis=-1) / emitted.sum(axis=-1))


def binding_of_most_cancellation_meV(dot: Dot, binding_meV: ArrayLike) -> float:
    """Return the Δ_A2, among those given, at which the cancellation is most complete.

    Where more than one gives all of it (an ESA stronger than the emission), the middle one. Source:
    paper section 3.2: resonance at zero binding in a 2LS, at the Stokes shift in a 3LS.

    >>> dot = Dot(stokes_shift_meV=40.0, xx_absorption_strength=1.0)
    >>> binding_of_most_cancellation_meV(dot, [0.0, 20.0, 40.0, 60.0])
    40.0
    """
    binding = np.asarray(binding_meV, dtype=float)
    cancelled = cancelled_fraction(replace(dot, absorptive_binding_meV=binding))
    best = np.flatnonzero(cancelled >= cancelled.max() - 1e-6)
    return float(binding[best].mean())


def esa_over_emission(dot: Dot, energy_eV: ArrayLike) -> FloatArray:
    r"""Return ρ, the strength of ESA from X over that of the emission of X, of shape D + E.

    :math:`\rho(E) = a\,A_{XX2}(E)/PL_X(E)`, zero in a reading without ESA. What is left of
    :math:`A_X` in a dot with one exciton is bleach that has not happened, and no part of it.
    Source: paper sections 3.2 and 3.3.

    >>> dot = Dot(stokes_shift_meV=40.0, absorptive_binding_meV=40.0, xx_absorption_strength=0.5,
    ...           reading="replacing")
    >>> esa_over_emission(dot, [1.9, 2.0]).round(6).tolist()
    [0.5, 0.5]
    """
    weights = weights_of_bands(dot)
    ratio = np.asarray(weights.absorption[1][2]) / np.asarray(weights.emission[1][1])
    logs = log_bands(dot, detuning_from_absorption_meV(dot, energy_eV))
    axes = np.ndim(energy_eV)
    found = np.exp(logs.xx_absorption - logs.emission)
    return np.asarray(found * expand(ratio, dot, axes))
