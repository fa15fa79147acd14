"""Run the calibration and store it."""

from __future__ import annotations

import argparse
import json
import sys
import time
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ProcessPoolExecutor
from functools import partial
from itertools import product, repeat
from multiprocessing import get_context
from operator import attrgetter

import numpy as np

from qdgain.calibration import feasible, record
from qdgain.calibration.conditions import CONDITIONS
from qdgain.calibration.objective import Solution, refine, solve
from qdgain.calibration.readings import COUPLINGS, TARGETS, TOLERANCE, Variant, stated_numbers
from qdgain.model.dot import FloatArray

_SEED = 2510
_STARTS = 6
_DEFAULT_STARTS = 24
_NESTED = 4
_ACCURACY = 1e-12
_CHAINS = 2
WIDE = Variant()

Say = Callable[[str], None]
#: Reading, and whether the conditions were asked for → minima, best first.
Found = dict[tuple[Variant, bool], list[Solution]]


def variants() -> list[Variant]:
    """Return every variant, the default's threshold and statistics first."""
    choices = (("maximum", "onset"), ("rabi", "sequential", "poisson"), (1.0, 2.0, None), COUPLINGS)
    return [Variant(*choice) for choice in product(*choices)]


def _nested_starts(variant: Variant, found: Found) -> list[FloatArray]:
    """Return the best points found for this reading and for those that are special cases of it."""
    bests = [minima[0] for (other, _), minima in found.items() if other.is_like(variant)]
    bests.sort(key=lambda solution: (not solution.meets_conditions, solution.cost))
    inside = (variant.free(best.variant.full(best.free)[0]) for best in bests)
    return [start for start in inside if start is not None][:_NESTED]


def _solved(seed: int, starts: int, pool: ProcessPoolExecutor, say: Say) -> Found:
    """Return the minima of every reading."""
    tasks = [(variant, kind) for variant in variants() for kind in (False, True)]
    seeds = [seed + 100 * (i // 2) + i % 2 for i in range(len(tasks))]
    solving = pool.map(solve, *zip(*tasks, strict=True), seeds, repeat(starts))
    found: Found = {}
    for (variant, kind), minima in zip(tasks, solving, strict=True):
        found[variant, kind] = minima
        asked = "with the statements" if kind else "the numbers alone"
        say(
            f"{len(found):3d}/{len(tasks)}  {variant.name:42s} {variant.parameters:2d} parameters  "
            f"{asked}: largest residual {100 * minima[0].largest_residual:5.1f} %, "
            f"{np.sum(minima[0].conditions >= 0)}/{len(CONDITIONS)} statements hold"
        )
    # A reading can do no worse than its special cases: it starts from their best points too.
    jobs = [(x, *task) for task in tasks for x in _nested_starts(task[0], found)]
    refining = pool.map(refine, *zip(*jobs, strict=True))
    for (_, variant, kind), solution in zip(jobs, refining, strict=True):
        found[variant, kind].append(solution)
    say("every reading refined from its special cases")
    return {task: sorted(minima, key=attrgetter("cost")) for task, minima in found.items()}


def _default(every: Sequence[Solution], seed: int, pool: ProcessPoolExecutor) -> Solution:
    """Return the default: every reading refined as printed, the chosen one with more starts."""
    as_printed = partial(refine, with_conditions=True, as_printed=True)

    def refined(solutions: Sequence[Solution]) -> list[Solution]:
        frees, readings = ([s.free for s in solutions], [s.variant for s in solutions])
        return list(pool.map(as_printed, frees, readings))

    chosen = record.choose(refined([s for s in every if s.variant.is_like(WIDE)]))
    again = solve(chosen.variant, True, seed, _DEFAULT_STARTS, 3000)
    best = record.choose([chosen, *refined(again)])
    return record.choose([best, as_printed(best.free, best.variant, accuracy=_ACCURACY)])


def _leanest(every: Sequence[Solution], seed: int) -> Solution:
    """Return the most parsimonious reading within the tolerance, searched for with more starts."""
    chosen = record.choose(every, as_printed=False)
    again = solve(chosen.variant, True, seed, _DEFAULT_STARTS, 3000)
    precise = [refine(s.free, s.variant, True, _ACCURACY) for s in [chosen, *again[:_NESTED]]]
    return record.choose([chosen, *precise], as_printed=False)


def _sampled(
    found: Found, lean: Solution, seed: int, pool: ProcessPoolExecutor, say: Say
) -> dict[str, tuple[Variant, list[feasible.Chain]]]:
    """Return the sets of the leanest reading and of the one in which every parameter is free."""
    inside = [s for (variant, _), all_ in found.items() if variant.is_like(WIDE) for s in all_]
    wide = np.concatenate([s.variant.full(s.free)[:, : WIDE.parameters] for s in inside])
    own = np.array([s.free for s in [*inside, lean] if s.variant == lean.variant])
    sets = {}
    for name, variant, start, sweeps, keep in (
        ("lean", lean.variant, own, 500, 400),
        ("wide", WIDE, wide, 2500, 1000),
    ):
        kept = start[feasible.inside(start, variant)]
        sampling = partial(feasible.sample, variant, kept, sweeps=sweeps, keep=keep)
        chains = list(pool.map(sampling, [seed + 7 * i + 1 for i in range(_CHAINS)]))
        sets[name] = (variant, chains)
        accepted = [round(chain.acceptance, 3) for chain in chains]
        say(
            f"sampled the set of {variant.name}: acceptance {accepted}, "
            f"chains differ by {feasible.disagreement(chains):.3f} σ"
        )
    return sets


def run(seed: int, starts: int, pool: ProcessPoolExecutor, say: Say) -> None:
    """Solve every variant, choose the default, sample its set, and store all of it."""
    began = time.monotonic()

    def timed(text: str) -> None:
        say(f"{time.monotonic() - began:4.0f} s  {text}")

    found = _solved(seed, starts, pool, timed)
    every = [s for (_, with_conditions), all_ in found.items() if with_conditions for s in all_]
    best, lean = _default(every, seed, pool), _leanest(every, seed)
    timed(f"the default is {best.variant.name}, the leanest {lean.variant.name}")
    presets = record.presets_text(best)
    say(presets)
    sets = _sampled(found, lean, seed, pool, timed)
    content = {
        "seed": seed,
        "starts": starts,
        "tolerance": TOLERANCE,
        "stated": dict(zip(TARGETS, map(float, stated_numbers()), strict=True)),
        "couplings": {name: meaning for name, (meaning, _) in COUPLINGS.items()},
        "conditions": list(CONDITIONS),
        "default": record.default_record(best),
        "lean": record.default_record(lean),
        "sets": {name: record.set_record(*one) for name, one in sets.items()},
        "variants": [record.variant_record(v, found[v, False], found[v, True]) for v in variants()],
    }
    record.write("calibration_set.csv", record.set_text(sets))
    record.write("calibration.json", json.dumps(content, indent=1, ensure_ascii=False) + "\n")
    record.write("presets.toml", presets)
    timed(f"stored in {record.DATA}")


def _say(text: str) -> None:
    print(text, file=sys.stderr, flush=True)


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
