"""What a dot would need for a wanted threshold, and what stands in its way."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from types import MappingProxyType
from typing import Any, NamedTuple

import numpy as np

from qdgain.beyond import levers, reachable
from qdgain.beyond.shortest_way import ROUTES, Way, nearest_dot
from qdgain.fast.onset import threshold_onset
from qdgain.model.balance import balanced_stokes_shift_meV, biexciton_stokes_shift_meV
from qdgain.model.bands import FWHM_PER_SIGMA, band_widths_meV
from qdgain.model.dot import Dot
from qdgain.model.gain import GainTerms, gain_terms
from qdgain.model.populations import highest_mean_excitons
from qdgain.model.threshold import threshold_at_maximum

#: What can be changed alone: its name to the fields that it moves.
SINGLES: Mapping[str, tuple[str, ...]] = MappingProxyType(
    {
        "stokes_shift_meV": ("stokes_shift_meV",),
        "absorptive_binding_meV": ("absorptive_binding_meV",),
        "emissive_binding_meV": ("emissive_binding_meV",),
        "both bindings": ("absorptive_binding_meV", "emissive_binding_meV"),
        "linewidth_meV": ("linewidth_meV",),
    }
)


class Shares(NamedTuple):
    """What makes up loss and gain at the threshold, each as a part of its sum."""

    ground_absorption: float
    excited_state_absorption: float
    exciton_emission: float
    biexciton_emission: float


class Single(NamedTuple):
    """What one parameter alone can do, in meV and ⟨N⟩.

    `needed` is the value that gives the wanted threshold, infinity if none does; `lowest` the
    lowest threshold within reach, at the value `best`.
    """

    now: float
    needed: float
    best: float
    lowest: float


@dataclass(frozen=True, eq=False)
class Equilibrium:
    """What detailed balance says of a dot at its linewidth.

    Parameters
    ----------
    largest_shift_meV : float
        s²/kT, the largest Stokes shift of bands of this width.
    stokes_shift_meV, biexciton_stokes_shift_meV : float
        The dot's own two.
    lowest_threshold, at_binding_meV : float
        The lowest ⟨N⟩ of a dot in equilibrium, of this width and these strengths, and its binding.
    narrowest_linewidth_meV : float
        Γ from which on the wanted threshold is possible in equilibrium; infinity if none is.
    """

    largest_shift_meV: float
    stokes_shift_meV: float
    biexciton_stokes_shift_meV: float
    lowest_threshold: float
    at_binding_meV: float
    narrowest_linewidth_meV: float

    @property
    def allows(self) -> bool:
        """Whether both Stokes shifts of the dot lie between zero and the largest."""
        most = self.largest_shift_meV * (1 + 1e-9)
        both = (self.stokes_shift_meV, self.biexciton_stokes_shift_meV)
        return all(-1e-9 * most <= shift <= most for shift in both)


@dataclass(frozen=True, eq=False)
class Advice:
    """All that is said of one dot.

    Parameters
    ----------
    dot : Dot
        The dot.
    target : float
        The wanted ⟨N⟩.
    definition, statistics : str
        Of the threshold that is to be lowered.
    floor, temperature_K : float
        Of the onset, and of the equilibrium.
    thresholds : Mapping
        Definition to ⟨N⟩ now; infinity if no gain is reached.
    without_esa : float
        ⟨N⟩ of the same dot without absorption into the biexciton, a = 0.
    shares : Shares
        At the threshold now; nan if there is none.
    ways : Mapping
        Route to `qdgain.beyond.shortest_way.Way`.
    balanced_way : Way
        The shortest way that equilibrium allows, every linewidth allowed.
    singles : Mapping
        Name of `SINGLES` to what it does alone.
    equilibrium : Equilibrium
        What detailed balance says.
    """

    dot: Dot
    target: float
    definition: str
    statistics: str
    floor: float
    temperature_K: float
    thresholds: Mapping[str, float]
    without_esa: float
    shares: Shares
    ways: Mapping[str, Way]
    balanced_way: Way
    singles: Mapping[str, Single]
    equilibrium: Equilibrium

    @property
    def threshold(self) -> float:
        """⟨N⟩ now, under the definition that counts."""
        return self.thresholds[self.definition]


def advice(
    dot: Dot,
    target: float,
    *,
    definition: str = "at gain maximum",
    floor: float = 0.01,
    statistics: str = "rabi",
    temperature_K: float = 300.0,
) -> Advice:
    """Return what a dot would need for a wanted threshold.

    Parameters
    ----------
    dot : Dot
        A single dot.
    target : float
        The wanted ⟨N⟩.
    definition : {"at gain maximum", "onset"}
        Which threshold is to be lowered.
    floor : float
        The floor of the onset.
    statistics : {"rabi", "poisson", "sequential"}
        How the pulse distributes the excitons.
    temperature_K : float
        Temperature of the equilibrium.

    Raises
    ------
    ParameterError
        If a value is refused.
    """
    how: dict[str, Any] = {"definition": definition, "floor": floor, "statistics": statistics}
    free = replace(dot, xx_absorption_strength=0.0)
    return Advice(
        dot,
        target,
        definition,
        statistics,
        floor,
        temperature_K,
        MappingProxyType(
            {
                each: float(levers.threshold_of(dot, **(how | {"definition": each})))
                for each in levers.DEFINITIONS
            }
        ),
        float(levers.threshold_of(free, **how)),
        shares_at_threshold(dot, **how),
        MappingProxyType({route: nearest_dot(dot, target, route=route, **how) for route in ROUTES}),
        nearest_dot(dot, target, route="shifts and linewidth", balanced_at_K=temperature_K, **how),
        MappingProxyType({name: single(dot, name, target, **how) for name in SINGLES}),
        equilibrium(dot, target, temperature_K, **how),
    )


def single(dot: Dot, name: str, target: float, **how: Any) -> Single:
    """Return what one of `SINGLES` alone can do; `how` as for `threshold_of`."""
    fields = SINGLES[name]
    best, lowest = levers.lowest_over(dot, fields, red=True, **how)
    now = float(np.asarray(getattr(dot, fields[0])))
    needed = now
    if not levers.threshold_of(dot, **how) <= target:
        needed = levers.nearest_value_for(dot, fields, target, red=True, **how)
    return Single(now, needed, best, lowest)


def equilibrium(dot: Dot, target: float, temperature_K: float, **how: Any) -> Equilibrium:
    """Return what detailed balance says of a dot; `how` as for `threshold_of`."""
    width = float(band_widths_meV(dot).absorption) * FWHM_PER_SIGMA
    lowest = reachable.lowest_balanced(dot, width, temperature_K, **how)
    return Equilibrium(
        float(balanced_stokes_shift_meV(width, temperature_K)),
        float(np.asarray(dot.stokes_shift_meV)),
        float(biexciton_stokes_shift_meV(dot)),
        float(lowest.threshold),
        float(lowest.binding_meV),
        reachable.narrowest_balanced_linewidth_meV(dot, target, temperature_K, **how),
    )


def shares_at_threshold(dot: Dot, definition: str, floor: float, statistics: str) -> Shares:
    """Return what makes up loss and gain at a dot's threshold; nan if it has none."""
    found = (
        threshold_onset(dot, floor, statistics)
        if definition == "onset"
        else threshold_at_maximum(dot, statistics=statistics)
    )
    mean = float(found.mean_excitons)
    if not mean <= highest_mean_excitons(statistics) or not np.isfinite(mean):
        return Shares(np.nan, np.nan, np.nan, np.nan)
    terms = gain_terms(dot, found.energy_eV, mean, statistics)
    return _shares(GainTerms(*(np.abs(term) for term in terms)))


def _shares(terms: GainTerms) -> Shares:
    loss = float(terms.ground_absorption + terms.excited_state_absorption)
    gain = float(terms.exciton_emission + terms.biexciton_emission)
    with np.errstate(divide="ignore", invalid="ignore"):
        return Shares(
            float(np.divide(terms.ground_absorption, loss)),
            float(np.divide(terms.excited_state_absorption, loss)),
            float(np.divide(terms.exciton_emission, gain)),
            float(np.divide(terms.biexciton_emission, gain)),
        )
