"""Run the calibration and store it."""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ProcessPoolExecutor
from itertools import product
from multiprocessing import get_context

import numpy as np

from qdgain.calibration import feasible, record
from qdgain.calibration.objective import COUPLINGS, Solution, Variant, refine, solve
from qdgain.model.dot import FloatArray

_SEED = 2510
_STARTS = 6
_DEFAULT_STARTS = 24
_NESTED = 4
_ACCURACY = 1e-12
_CHAINS = 2
WIDE = Variant()

Found = tuple[Variant, list[Solution], list[Solution]]


def _cost(solution: Solution) -> float:
    return solution.cost


def variants() -> list[Variant]:
    """Return every variant, the default's threshold and statistics first."""
    return [
        Variant(*choice)
        for choice in product(
            ("maximum", "onset"), ("rabi", "sequential", "poisson"), (1.0, 2.0, None), COUPLINGS
        )
    ]


def _solve_both(task: tuple[Variant, int, int]) -> Found:
    variant, seed, starts = task
    return variant, solve(variant, False, seed, starts), solve(variant, True, seed + 1, starts)


def _refine_both(task: tuple[Variant, list[FloatArray]]) -> Found:
    variant, starts = task
    return (
        variant,
        [refine(start, variant, with_conditions=False) for start in starts],
        [refine(start, variant, with_conditions=True) for start in starts],
    )


def _nested_starts(variant: Variant, found: list[Found]) -> list[FloatArray]:
    """Return the best points found for this reading and for those that are special cases of it."""
    reading = (variant.threshold, variant.statistics)
    bests = [
        solutions[0]
        for other, *lists in found
        for solutions in lists
        if (other.threshold, other.statistics) == reading
    ]
    bests.sort(key=lambda solution: (not solution.meets_conditions, solution.cost))
    inside = (variant.free(best.variant.full(best.free)[0]) for best in bests)
    return [start for start in inside if start is not None][:_NESTED]


def _sample(task: tuple[Variant, FloatArray, int, int, int]) -> feasible.Chain:
    variant, start, seed, sweeps, keep = task
    return feasible.sample(variant, start, seed, sweeps=sweeps, keep=keep)


def _say(text: str) -> None:
    print(text, file=sys.stderr, flush=True)


def _refine_as_printed(solution: Solution) -> Solution:
    return refine(solution.free, solution.variant, True, as_printed=True)


def _default(every: Sequence[Solution], seed: int, pool: ProcessPoolExecutor) -> Solution:
    """Return the default: every reading refined as printed, the chosen one with more starts."""
    paper = [s for s in every if (s.variant.threshold, s.variant.statistics) == ("maximum", "rabi")]
    chosen = record.choose(list(pool.map(_refine_as_printed, paper)))
    again = solve(chosen.variant, True, seed, _DEFAULT_STARTS, 3000)
    more = list(pool.map(_refine_as_printed, again))
    best = record.choose([chosen, *more])
    precise = refine(best.free, best.variant, True, _ACCURACY, as_printed=True)
    return record.choose([best, precise])


def _leanest(every: Sequence[Solution], seed: int) -> Solution:
    """Return the most parsimonious reading within the tolerance, searched for with more starts."""
    chosen = record.choose(every, as_printed=False)
    again = solve(chosen.variant, True, seed, _DEFAULT_STARTS, 3000)
    precise = [refine(s.free, s.variant, True, _ACCURACY) for s in [chosen, *again[:_NESTED]]]
    return record.choose([chosen, *precise], as_printed=False)


def run(seed: int, starts: int, pool: ProcessPoolExecutor, say: Callable[[str], None]) -> None:
    """Solve every variant, choose the default, sample its set, and store all of it."""
    began = time.monotonic()

    def elapsed() -> str:
        return f"{time.monotonic() - began:4.0f} s"

    tasks = [(v, seed + 100 * i, starts) for i, v in enumerate(variants())]
    found: list[Found] = []
    for result in pool.map(_solve_both, tasks):
        variant, numbers_only, both = result
        found.append(result)
        say(
            f"{elapsed()}  {len(found):2d}/{len(tasks)}  {variant.name:42s} "
            f"{variant.parameters:2d} parameters  largest residual "
            f"{100 * numbers_only[0].largest_residual:5.1f} %, with the statements "
            f"{100 * both[0].largest_residual:5.1f} % "
            f"({int(np.sum(both[0].conditions >= 0))}/{both[0].conditions.size} hold)"
        )

    # A reading can do no worse than its special cases: it starts from their best points too.
    nested = [(variant, _nested_starts(variant, found)) for variant, *_ in found]
    for i, (variant, *more) in enumerate(pool.map(_refine_both, nested)):
        _, *before = found[i]
        alone, both = (sorted([*a, *b], key=_cost) for a, b in zip(before, more, strict=True))
        found[i] = (variant, alone, both)
    say(f"{elapsed()}  every reading refined from its special cases")

    every = [solution for _, _, both in found for solution in both]
    best, lean = _default(every, seed, pool), _leanest(every, seed)
    say(f"{elapsed()}  the default is {best.variant.name}, the leanest {lean.variant.name}")
    say(record.presets_text(best))

    inside: list[Solution] = [
        solution
        for variant, *lists in found
        for solutions in lists
        for solution in solutions
        if (variant.statistics, variant.threshold) == (WIDE.statistics, WIDE.threshold)
    ]
    wide = np.concatenate([s.variant.full(s.free)[:, : WIDE.parameters] for s in inside])
    own = np.array([s.free for s in [*inside, lean] if s.variant == lean.variant])
    samples, sets = [], {}
    for name, variant, start, sweeps, keep in (
        ("lean", lean.variant, own, 500, 400),
        ("wide", WIDE, wide, 2500, 1000),
    ):
        kept = start[feasible.inside(start, variant)]
        jobs = [(variant, kept, seed + 7 * i + 1, sweeps, keep) for i in range(_CHAINS)]
        chains = list(pool.map(_sample, jobs))
        sets[name] = record.set_record(variant, chains)
        samples.append((name, variant.full(np.concatenate([chain.free for chain in chains]))))
        say(
            f"{elapsed()}  sampled the set of {variant.name}: acceptance "
            f"{sets[name]['acceptance']}, chains differ by {sets[name]['chain_disagreement']} σ"
        )

    content = record.head(seed, starts) | {
        "default": record.default_record(best),
        "lean": record.default_record(lean),
        "sets": sets,
        "variants": [record.variant_record(*one) for one in found],
    }
    record.write("calibration_set.csv", record.set_text(samples))
    record.write("calibration.json", record.record_text(content))
    record.write("presets.toml", record.presets_text(best))
    say(f"{elapsed()}  stored in {record.DATA}")


def main(arguments: Iterable[str] | None = None) -> int:
    """Run from the command line; interrupted, it stores nothing."""
    parser = argparse.ArgumentParser(
        prog="python -m qdgain.calibration",
        description="Solve for the parameters from the paper's numbers and rewrite the presets.",
    )
    parser.add_argument("--seed", type=int, default=_SEED)
    parser.add_argument("--starts", type=int, default=_STARTS, help="refined starts per variant")
    parser.add_argument("--workers", type=int, default=2, help="processes; the result is the same")
    given = parser.parse_args(None if arguments is None else list(arguments))
    pool = ProcessPoolExecutor(given.workers, mp_context=get_context("spawn"))
    try:
        run(given.seed, given.starts, pool, _say)
    except KeyboardInterrupt:
        _say("interrupted: nothing was stored")
        return 130
    finally:
        pool.shutdown(wait=False, cancel_futures=True)
    return 0
