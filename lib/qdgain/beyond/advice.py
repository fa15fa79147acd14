"""What a dot would need for a wanted threshold, and what stands in its way."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from types import MappingProxyType
from typing import Any, NamedTuple

import numpy as np

from qdgain.beyond import levers, reachable
from qdgain.beyond.shortest_way import ROUTES, Way, nearest_dot
from qdgain.model.balance import balanced_stokes_shift_meV, biexciton_stokes_shift_meV
from qdgain.model.bands import FWHM_PER_SIGMA, band_widths_meV
from qdgain.model.dot import Dot
from qdgain.model.populations import highest_mean_excitons
from qdgain.model.states import states, weights_at

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
    """What one parameter alone can do: the value it needs, infinity if none does, and its best."""

    now: float
    needed: float
    best: float
    lowest: float


@dataclass(frozen=True, eq=False)
class Equilibrium:
    """What detailed balance says of a dot at its linewidth, whose largest Stokes shift is s²/kT.

    The lowest ⟨N⟩ is that of a dot of this width and these strengths; from the narrowest linewidth
    on the wanted threshold is possible, infinity if it is at none.
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
    """What was asked of one dot, and all that is said of it.

    The thresholds are ⟨N⟩ now by definition, and without absorption into the biexciton (a = 0); the
    ways by name of `ROUTES`, and the shortest that equilibrium allows; the singles of `SINGLES`.
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
    definition: str = levers.MAXIMUM,
    floor: float = levers.FLOOR,
    statistics: str = "rabi",
    temperature_K: float = 300.0,
) -> Advice:
    """Return what a single dot would need for a wanted ⟨N⟩, and what equilibrium allows."""
    how: dict[str, Any] = {"floor": floor, "statistics": statistics}
    now = {each: float(levers.threshold_of(dot, each, **how)) for each in levers.DEFINITIONS}
    how["definition"] = definition
    free = replace(dot, xx_absorption_strength=0.0)
    return Advice(
        dot=dot,
        target=target,
        definition=definition,
        statistics=statistics,
        floor=floor,
        temperature_K=temperature_K,
        thresholds=MappingProxyType(now),
        without_esa=float(levers.threshold_of(free, **how)),
        shares=shares_at_threshold(dot, **how),
        ways=MappingProxyType(
            {name: nearest_dot(dot, target, route=name, **how) for name in ROUTES}
        ),
        balanced_way=nearest_dot(
            dot, target, route="shifts and linewidth", balanced_at_K=temperature_K, **how
        ),
        singles=MappingProxyType({name: single(dot, name, target, **how) for name in SINGLES}),
        equilibrium=equilibrium(dot, target, temperature_K, **how),
    )


def single(dot: Dot, name: str, target: float, **how: Any) -> Single:
    """Return what one of `SINGLES` alone can do for a threshold."""
    fields = SINGLES[name]
    best, lowest = levers.lowest_over(dot, fields, red=True, **how)
    needed = now = float(np.asarray(getattr(dot, fields[0])))
    if not levers.threshold_of(dot, **how) <= target:
        needed = levers.nearest_value_for(dot, fields, target, red=True, **how)
    return Single(now, needed, best, lowest)


def equilibrium(dot: Dot, target: float, temperature_K: float, **how: Any) -> Equilibrium:
    """Return what detailed balance says of a dot and a wanted threshold."""
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
    found = levers.threshold(dot, definition, floor, statistics)
    mean = float(found.mean_excitons)
    if not mean <= highest_mean_excitons(statistics) or not np.isfinite(mean):
        return Shares(np.nan, np.nan, np.nan, np.nan)
    own = states(dot, 1e3 * np.atleast_1d(found.energy_eV - dot.absorption_energy_eV))
    shares = weights_at(np.asarray(mean), statistics, own.emission.shape[-2])
    emitted, absorbed = (shares * x[:, 0] for x in own)
    with np.errstate(divide="ignore", invalid="ignore"):
        loss, gain = absorbed / absorbed.sum(), emitted / emitted.sum()
    return Shares(float(loss[0]), float(loss[1:].sum()), float(gain[1]), float(gain[2:].sum()))
