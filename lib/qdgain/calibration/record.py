"""What the calibration stores: the presets, the record of every variant, the sampled set."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from functools import cache
from importlib import resources
from pathlib import Path
from typing import Any

import numpy as np

from qdgain.calibration.conditions import CONDITIONS, public_conditions
from qdgain.calibration.feasible import Chain, disagreement, principal_combinations
from qdgain.calibration.objective import Solution, public_numbers
from qdgain.calibration.readings import (
    COUPLINGS,
    DOTS,
    INDEX,
    SCHEMES,
    TARGETS,
    UNKNOWNS,
    Variant,
    dot_with_esa,
    stated_numbers,
    values,
    width_meV,
)
from qdgain.files import whole
from qdgain.model.dot import Dot, FloatArray
from qdgain.model.parameters import PRESETS
from qdgain.stored import rounded

DATA = Path(str(resources.files("qdgain").joinpath("data")))


def _short(x: Any) -> Any:
    """Return numbers at the four significant digits that are stored."""
    return rounded(x, 4)


def _values(solution: Solution) -> dict[str, float]:
    """Return the values of the unknowns by name."""
    found = values(solution.variant.full(solution.free))[0]
    return dict(zip(INDEX, map(float, found), strict=True))


def preset_values(solution: Solution) -> dict[str, dict[str, float]]:
    """Return the rounded presets of a solution: ``3LS+ESA``, ``4LS+ESA`` and ``film``."""
    v = _values(solution)
    exact = {f"{scheme.upper()}+ESA": dot_with_esa(v, scheme) for scheme in SCHEMES}
    exact["film"] = {name: v[name] for name in ("pi_pulse_fluence_mJ_cm2", "gain_exponent")}
    return {
        name: {field: _short(x) for field, x in fields.items()} for name, fields in exact.items()
    }


def preset_dots(stored: Mapping[str, Mapping[str, float]]) -> dict[str, Dot]:
    """Return the four dots of rounded presets."""
    dots = {}
    for name in DOTS:
        fields: dict[str, Any] = dict(stored[f"{name.removesuffix('+ESA')}+ESA"])
        dot = Dot(**PRESETS["shared"], **fields)
        dots[name] = dot if name.endswith("+ESA") else dot.uncorrelated()
    return dots


def check_presets(solution: Solution) -> tuple[FloatArray, FloatArray]:
    """Return numbers and conditions of the rounded presets, by the public functions."""
    stored, variant = preset_values(solution), solution.variant
    dots, film = preset_dots(stored), stored["film"]
    floor = _values(solution)["floor"] if variant.threshold == "onset" else None
    return (
        public_numbers(dots, **film, variant=variant, floor=floor),
        public_conditions(dots, **film, variant=variant),
    )


def presets_text(solution: Solution) -> str:
    """Return ``presets.toml`` for a solution."""
    variant, stored = solution.variant, preset_values(solution)
    worst = 100 * np.max(np.abs(check_presets(solution)[0] / stated_numbers() - 1))
    held = "solved for" if variant.esa_weight is None else f"held at {variant.esa_weight:g}"
    source = (
        f"solved from {len(TARGETS)} numbers stated with Figs 8 and 9 with {variant.parameters} "
        f"free parameters, all met within {worst:.1f} %; {COUPLINGS[variant.coupling][0]}; "
        f"the strength a of A_XX2 {held}"
    )
    tables = {"origin": {"kind": "calibrated", "source": source}, "shared": PRESETS["shared"]}
    tables |= {f'dots."{name}"': stored[name] for name in DOTS if name in stored}
    tables["film"] = stored["film"]
    lines = ["# Written by `python -m qdgain.calibration`; not to be edited."]
    lines += [f"default_dot = {json.dumps(PRESETS['default_dot'])}"]
    for name, table in tables.items():
        entries = (f"{key} = {json.dumps(x, ensure_ascii=False)}" for key, x in table.items())
        lines += ["", f"[{name}]", *entries]
    return "\n".join(lines) + "\n"


def _numbers(numbers: FloatArray) -> dict[str, float]:
    return dict(zip(TARGETS, _short(numbers), strict=True))


def _met(conditions: FloatArray) -> dict[str, float]:
    return dict(zip(CONDITIONS, (round(float(c), 3) for c in conditions), strict=True))


def _reading(variant: Variant) -> dict[str, Any]:
    return {"name": variant.name, **asdict(variant), "free_parameters": variant.parameters}


def _solution_record(solution: Solution, starts_within: int) -> dict[str, Any]:
    is_onset = solution.variant.threshold == "onset"
    return {
        "parameters": {
            name: _short(x) for name, x in _values(solution).items() if name != "floor" or is_onset
        },
        "numbers": _numbers(solution.numbers),
        "largest_residual": _short(solution.largest_residual),
        "conditions": _met(solution.conditions),
        "cost": _short(solution.cost),
        "starts_within": starts_within,
    }


def variant_record(
    variant: Variant, numbers_only: Sequence[Solution], with_conditions: Sequence[Solution]
) -> dict[str, Any]:
    """Return what was found for a variant: with the numbers alone, and with the conditions too.

    Of each list the point with the smallest objective is kept; the other counts say how many of
    the starts met what was asked.
    """
    met = sum(s.meets_numbers for s in numbers_only)
    both = sum(s.meets_numbers and s.meets_conditions for s in with_conditions)
    return _reading(variant) | {
        "starts": len(numbers_only),
        "numbers_only": _solution_record(numbers_only[0], met),
        "with_conditions": _solution_record(with_conditions[0], both),
    }


def choose(solutions: Sequence[Solution], *, as_printed: bool = True) -> Solution:
    """Return the default, or the most parsimonious reading.

    Both have Rabi statistics, because the paper states them, and the threshold at the gain maximum,
    because it needs no floor, and meet every condition; of those that do, the one with the fewest
    free parameters, of these the smallest objective. The default gives every number *as the paper
    prints it*, within half a unit of its last digit (and the tolerance), with emissive bindings,
    which photoluminescence measures directly, of at most
    `qdgain.calibration.objective.LARGEST_EMISSIVE_BINDING`. It has about as many parameters as
    numbers and tests nothing. The most parsimonious reading (not ``as_printed``) gives every number
    within the tolerance and has fewer parameters than numbers, but the list of couplings was drawn
    up with first results at hand, so it is no prediction either.

    Raises
    ------
    ValueError
        If no solution meets every number and condition.
    """
    eligible = [
        s
        for s in solutions
        if (s.variant.threshold, s.variant.statistics) == ("maximum", "rabi")
        and (s.prints_as_stated and s.is_plausible if as_printed else s.meets_numbers)
        and s.meets_conditions
    ]
    if not eligible:
        raise ValueError("no variant meets every number and condition")
    return min(eligible, key=lambda s: (s.variant.parameters, s.cost))


def default_record(solution: Solution) -> dict[str, Any]:
    """Return the default with the numbers of its rounded presets."""
    numbers, met = check_presets(solution)
    off = (round(float(r), 4) for r in numbers / stated_numbers() - 1)
    return _reading(solution.variant) | {
        "stated_numbers": len(TARGETS),
        "free": rounded(solution.free, 10),
        "cost": _short(solution.cost),
        "numbers": _numbers(numbers),
        "residuals": dict(zip(TARGETS, off, strict=True)),
        "conditions": _met(met),
    }


def set_record(variant: Variant, chains: Sequence[Chain]) -> dict[str, Any]:
    """Return quantiles and principal combinations of a sampled set, and whether chains agree."""
    free = np.concatenate([chain.free for chain in chains])
    quantiles = np.quantile(values(variant.full(free)), (0.05, 0.5, 0.95), axis=0).T
    return {
        "variant": variant.name,
        "points": len(free),
        "acceptance": [round(chain.acceptance, 3) for chain in chains],
        "chain_disagreement": round(disagreement(chains), 3),
        "quantiles": dict(zip(list(INDEX)[:-1], _short(quantiles[:-1]), strict=True)),
        "combinations": [
            {
                "spread": _short(found.spread),
                "loadings": {name: round(weight, 4) for name, weight in found.loadings.items()},
            }
            for found in principal_combinations(free, variant.names)
        ],
    }


def set_text(sets: Mapping[str, tuple[Variant, Sequence[Chain]]]) -> str:
    """Return the sampled sets as CSV: the set's name and the values, energies in meV."""
    stream = io.StringIO()
    writer = csv.writer(stream, lineterminator="\n")
    scales = {u.name: ("_meV", width_meV()) if u.unit == "s" else ("", 1.0) for u in UNKNOWNS[:-1]}
    writer.writerow(["set", *(name + unit for name, (unit, _) in scales.items())])
    scale = np.array([factor for _, factor in scales.values()])
    for name, (variant, chains) in sets.items():
        for chain in chains:
            for row in values(variant.full(chain.free))[:, :-1] * scale:
                writer.writerow([name, *(f"{x:.5g}" for x in row)])
    return stream.getvalue()


@cache
def record() -> Mapping[str, Any]:
    """Return the stored record of the calibration."""
    result: dict[str, Any] = json.loads((DATA / "calibration.json").read_text(encoding="utf-8"))
    return result


def refitted(
    variant: Variant, kind: str = "with_conditions"
) -> tuple[dict[str, Dot], dict[str, float]]:
    """Return the stored best point of a variant: its four dots, and film and floor by name.

    Parameters
    ----------
    variant : Variant
        Any that the calibration solved.
    kind : {"with_conditions", "numbers_only"}
        Which of the two objectives.

    Raises
    ------
    KeyError
        If the variant was not solved.
    """
    rows = {row["name"]: row for row in record()["variants"]}
    found = rows[variant.name][kind]["parameters"]
    dots = {f"{scheme.upper()}+ESA": dot_with_esa(found, scheme) for scheme in SCHEMES}
    film = ("gain_exponent", "pi_pulse_fluence_mJ_cm2", "floor")
    return preset_dots(dots), {name: found[name] for name in film if name in found}


@cache
def feasible_set(name: str) -> Mapping[str, FloatArray]:
    """Return a stored sample of the feasible set by column, energies in meV.

    Parameters
    ----------
    name : {"lean", "wide"}
        The set of the leanest reading, or that of the one in which every parameter is free.
    """
    with (DATA / "calibration_set.csv").open(encoding="utf-8") as file:
        head, *rows = csv.reader(file)
    table = np.array([row[1:] for row in rows if row[0] == name], dtype=float)
    return dict(zip(head[1:], np.ascontiguousarray(table.T), strict=True))


def write(name: str, text: str) -> None:
    """Replace a stored file in one step."""
    with whole(DATA / name, replace=True) as aside:
        aside.write_text(text, encoding="utf-8")
