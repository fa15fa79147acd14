"""Threshold onset: a minimiser for each dot, and the floor."""

from __future__ import annotations

import math
from functools import partial
from typing import Any

import numpy as np
from scipy import optimize

import qdgain
from bench.dots import exponentials, of_the_whole_contract, through_memory, usual
from bench.measured import Measured, Scale, beside_memory, growth, number, ratio
from qdgain.fast import onset
from qdgain.fast.laws import LAWS, Law
from qdgain.model import threshold
from qdgain.model.bands import FWHM_PER_SIGMA, band_offsets_meV, band_widths_meV

_DOTS, _MINIMISER_DOTS, _COMPARED = 100_000, 200, 300
_OTHER_DOTS = 20_000
_SIZES = (100, 1_000, 10_000, 30_000, 100_000, 300_000, 1_000_000)
FLOORS = (1e-2, 1e-3)


def with_a_minimiser(dot: qdgain.Dot, floor: float) -> float:
    """Return the least threshold by scipy's bounded minimiser, on a formula in plain Python."""
    s = dot.linewidth_meV / FWHM_PER_SIGMA
    stokes, binding = dot.stokes_shift_meV, dot.emissive_binding_meV

    def mean(place: float) -> float:
        def band(centre: float) -> float:
            return math.exp(-0.5 * ((place - centre) / s) ** 2)

        a = band(0.0) + floor
        B = dot.xx_absorption_strength * band(-dot.absorptive_binding_meV)
        d = band(-stokes) - B - 2 * floor
        q = dot.xx_emission_strength * band(-stokes - binding) - floor
        square = d * d + 4 * a * q
        if square < 0 or (q <= 0 and d <= 0):
            return 2.0
        return 2 / (1 + (d + math.sqrt(square)) / (2 * a))

    ends = -stokes - max(binding, 0.0) - 3 * s, -stokes - min(binding, 0.0) + 3 * s
    found = optimize.minimize_scalar(mean, bounds=ends, method="bounded", options={"xatol": 1e-5})
    return float(found.fun)


def counting(law: Law, count: list[int]) -> Law:
    """Return a law that counts at how many energies it is evaluated."""

    def counted(function: Any) -> Any:
        def evaluate(a: Any, d: Any, q: Any) -> Any:
            count[0] += np.size(a)
            return function(a, d, q)

        return evaluate

    return law._replace(
        root=counted(law.root), score=counted(law.score), nearest=counted(law.nearest)
    )


def evaluations(dots: qdgain.Dot, floor: float) -> float:
    """Return at how many energies the threshold is evaluated, a dot."""
    count = [0]
    columns = onset._columns(dots, np.full(dots.shape, floor))
    onset.lowest_threshold(columns, counting(LAWS["rabi"], count))
    return count[0] / dots.shape[0]


def brute_force(dots: qdgain.Dot, floor: np.ndarray, statistics: str) -> np.ndarray:
    """Return the onset by looking everywhere: every band's own scale, then finer and finer."""
    best = np.full(dots.shape, np.inf)
    for i in range(dots.shape[0]):
        dot = dots.at(i)
        bands = zip(
            band_offsets_meV(dot),
            band_widths_meV(dot),
            strict=True,
        )
        own = [centre + width * np.arange(-7, 7, 0.03) for centre, width in bands]
        place = np.sort(np.concatenate(own))
        mean = threshold._threshold_at_detuning(dot, place, floor[i], statistics, threshold.ROOTS)
        beside = np.pad(mean, 1, constant_values=np.inf)
        minima = np.flatnonzero((mean <= beside[:-2]) & (mean <= beside[2:]) & np.isfinite(mean))
        lowest = minima[np.argsort(mean[minima])[:5]]
        low = place[np.maximum(lowest - 1, 0)]
        high = place[np.minimum(lowest + 1, place.size - 1)]
        for _ in range(9):
            between = low[:, None] + (high - low)[:, None] * np.linspace(0, 1, 17)
            mean = threshold._threshold_at_detuning(
                dot, between, floor[i], statistics, threshold.ROOTS
            )
            at = np.argmin(mean, axis=1)
            row = np.arange(at.size)
            low = between[row, np.maximum(at - 1, 0)]
            high = between[row, np.minimum(at + 1, 16)]
            if mean.size:
                best[i] = min(best[i], mean.min())
    return best


def measure(scale: Scale) -> list[Measured]:
    count = scale.of(_DOTS)
    many = usual(count)
    singles = [many.at(i) for i in range(scale.of(_MINIMISER_DOTS))]
    results = []
    for floor in FLOORS:
        name = f"{floor:g}"

        def fast(floor: float = floor) -> object:
            return qdgain.threshold_onset(many, floor)

        results += [
            beside_memory(
                ratio(
                    f"onset/floor_{name}",
                    f"ε = {name}: over four exponentials a dot",
                    fast,
                    exponentials(count, 4),
                    scale,
                    goal=15,
                    detail={"dots": count},
                ),
                fast,
                through_memory(many),
                scale,
            ),
            ratio(
                f"onset/minimiser_{name}",
                f"ε = {name}: scipy's minimize_scalar, dot by dot, in plain Python",
                lambda floor=floor: [with_a_minimiser(dot, floor) for dot in singles],
                fast,
                scale,
                factor=count / len(singles),
                goal=100,
                at_least=True,
                detail={"dots": count, "extrapolated from": len(singles)},
            ),
            number(
                f"onset/evaluations_{name}",
                f"ε = {name}: energies looked at, a dot",
                evaluations(many, floor),
                "",
            ),
        ]
    other = scale.of(_OTHER_DOTS)
    some, (wide, floors) = usual(other), of_the_whole_contract(other)
    few, few_floors = of_the_whole_contract(scale.of(_COMPARED), seed=4)
    for statistics in ("sequential", "poisson"):
        results.append(
            ratio(
                f"onset/{statistics}",
                f"{statistics} statistics: over four exponentials a dot",
                lambda statistics=statistics: qdgain.threshold_onset(some, 1e-2, statistics),
                exponentials(other, 4),
                scale,
                detail={"dots": other},
            )
        )
    results += [
        ratio(
            "onset/whole_contract",
            "dots and floors of the whole contract: over four exponentials a dot",
            lambda: qdgain.threshold_onset(wide, floors),
            exponentials(other, 4),
            scale,
            detail={"dots": other},
        ),
        number(
            "onset/error",
            "dots of the whole contract: largest error",
            largest_excess(few, few_floors),
            "⟨N⟩",
            goal=1e-9,
            detail={"dots": few.shape[0], "statistics": list(LAWS)},
        ),
        growth(
            "onset/growth",
            "threshold onset, dots",
            scale.sizes(_SIZES),
            lambda size: partial(qdgain.threshold_onset, usual(size), FLOORS[0]),
            scale,
        ),
    ]
    return results


def largest_excess(dots: qdgain.Dot, floor: np.ndarray) -> float:
    """Return by how much the onset is above the one that brute force finds, at most."""
    excess = 0.0
    for statistics in LAWS:
        fast = qdgain.threshold_onset(dots, floor, statistics).mean_excitons
        slow = brute_force(dots, floor, statistics)
        differ = fast != slow
        excess = max(excess, float(np.max(fast[differ] - slow[differ], initial=0.0)))
    return excess
