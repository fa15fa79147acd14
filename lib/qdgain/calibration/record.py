"""What the calibration stores: the presets, the record of every variant, the sampled set."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Mapping, Sequence
from functools import cache
from importlib import resources
from pathlib import Path
from typing import Any

import numpy as np

from qdgain.calibration.feasible import Chain, principal_combinations
from qdgain.calibration.objective import (
    CONDITIONS,
    COUPLINGS,
    DOTS,
    TARGETS,
    TOLERANCE,
    UNKNOWNS,
    Solution,
    Variant,
    candidate_dots,
    public_conditions,
    public_numbers,
    stated_numbers,
    values,
    width_meV,
)
from qdgain.model.dot import Dot, FloatArray
from qdgain.model.parameters import PRESETS

DATA = Path(str(resources.files("qdgain").joinpath("data")))
_DIGITS = 4
_DOT_FIELDS = (
    "stokes_shift_meV",
    "absorptive_binding_meV",
    "emissive_binding_meV",
    "xx_absorption_strength",
    "xx_emission_strength",
)


def rounded(value: float) -> float:
    """Return a number at the four significant digits that are stored."""
    return float(f"{value:.{_DIGITS}g}")


def preset_values(solution: Solution) -> dict[str, dict[str, float]]:
    """Return the rounded presets of a solution: ``3LS+ESA``, ``4LS+ESA`` and ``film``."""
    full = solution.variant.full(solution.free)
    dot, v = (
        candidate_dots(full),
        dict(zip((u.name for u in UNKNOWNS), values(full)[0], strict=True)),
    )
    result = {
        name: {
            field: rounded(float(np.broadcast_to(getattr(dot, field), dot.shape)[0, i]))
            for field in _DOT_FIELDS
        }
        for i, name in enumerate(DOTS)
        if name.endswith("+ESA")
    }
    result["film"] = {
        name: rounded(float(v[name])) for name in ("pi_pulse_fluence_mJ_cm2", "gain_exponent")
    }
    return result


def preset_dots(stored: Mapping[str, Mapping[str, float]]) -> dict[str, Dot]:
    """Return the four dots of rounded presets."""
    dots = {}
    for name in DOTS:
        dot = Dot(**PRESETS["shared"], **stored[f"{name.removesuffix('+ESA')}+ESA"])
        dots[name] = dot if name.endswith("+ESA") else dot.uncorrelated()
    return dots


def check_presets(solution: Solution) -> tuple[FloatArray, FloatArray]:
    """Return numbers and conditions of the rounded presets, by the public functions."""
    stored = preset_values(solution)
    film = stored["film"]
    dots, variant = preset_dots(stored), solution.variant
    length, pi_pulse = film["gain_exponent"], film["pi_pulse_fluence_mJ_cm2"]
    floor = None
    if variant.threshold == "onset":
        floor = float(values(variant.full(solution.free))[0, -1])
    return (
        public_numbers(dots, length, pi_pulse, variant, floor),
        public_conditions(dots, length, pi_pulse, variant),
    )


def presets_text(solution: Solution) -> str:
    """Return ``presets.toml`` for a solution."""
    variant, stored = solution.variant, preset_values(solution)
    numbers, _ = check_presets(solution)
    worst = 100 * np.max(np.abs(numbers / stated_numbers() - 1))
    weight = (
        "the strength a of A_XX2 solved for"
        if variant.esa_weight is None
        else f"the strength a of A_XX2 held at {variant.esa_weight:g}"
    )
    source = (
        f"solved from {len(TARGETS)} numbers stated with Figs 8 and 9 with {variant.parameters} "
        f"free parameters, all met within {worst:.1f} %; {COUPLINGS[variant.coupling][0]}; {weight}"
    )
    lines = [
        "# Written by `python -m qdgain.calibration`; not to be edited.",
        f"default_dot = {json.dumps(PRESETS['default_dot'])}",
        "",
        "[origin]",
        'kind = "calibrated"',
        f"source = {json.dumps(source, ensure_ascii=False)}",
        "",
        "[shared]",
        *(f"{name} = {value!r}" for name, value in PRESETS["shared"].items()),
    ]
    for name in DOTS:
        if name in stored:
            lines += ["", f"[dots.{json.dumps(name)}]"]
            lines += [f"{field} = {value!r}" for field, value in stored[name].items()]
    lines += ["", "[film]", *(f"{name} = {value!r}" for name, value in stored["film"].items())]
    return "\n".join(lines) + "\n"


def solution_record(solution: Solution) -> dict[str, Any]:
    """Return a solution as plain data."""
    v = values(solution.variant.full(solution.free))[0]
    return {
        "parameters": {
            unknown.name: rounded(float(x))
            for unknown, x in zip(UNKNOWNS, v, strict=True)
            if unknown.name != "floor" or solution.variant.threshold == "onset"
        },
        "numbers": dict(zip(TARGETS, map(rounded, map(float, solution.numbers)), strict=True)),
        "largest_residual": rounded(solution.largest_residual),
        "conditions": dict(
            zip(CONDITIONS, (round(float(c), 3) for c in solution.conditions), strict=True)
        ),
        "cost": rounded(solution.cost),
    }


def variant_record(
    variant: Variant, numbers_only: Sequence[Solution], with_conditions: Sequence[Solution]
) -> dict[str, Any]:
    """Return what was found for a variant: with the numbers alone, and with the conditions too.

    Of each list the point with the smallest objective is kept; the other counts say how many of
    the starts met what was asked.
    """
    return {
        "name": variant.name,
        "threshold": variant.threshold,
        "statistics": variant.statistics,
        "esa_weight": variant.esa_weight,
        "coupling": variant.coupling,
        "free_parameters": variant.parameters,
        "starts": len(numbers_only),
        "numbers_only": solution_record(numbers_only[0])
        | {"starts_within": sum(s.meets_numbers for s in numbers_only)},
        "with_conditions": solution_record(with_conditions[0])
        | {"starts_within": sum(s.meets_numbers and s.meets_conditions for s in with_conditions)},
    }


def choose(solutions: Sequence[Solution], *, as_printed: bool = True) -> Solution:
    """Return the default by the criterion in `qdgain.calibration.objective`.

    Parameters
    ----------
    solutions : sequence of Solution
        Of any variants.
    as_printed : bool
        Whether every number has to come out as the paper prints it; otherwise within `TOLERANCE`,
        which gives the most parsimonious reading.

    Raises
    ------
    ValueError
        If no solution meets every number and condition.
    """
    eligible = [
        s
        for s in solutions
        if s.variant.statistics == "rabi"
        and s.variant.threshold == "maximum"
        and (s.prints_as_stated and s.is_plausible if as_printed else s.meets_numbers)
        and s.meets_conditions
    ]
    if not eligible:
        raise ValueError("no variant meets every number and condition")
    return min(eligible, key=lambda s: (s.variant.parameters, s.cost))


def default_record(solution: Solution) -> dict[str, Any]:
    """Return the default with the numbers of its rounded presets."""
    numbers, met = check_presets(solution)
    variant = solution.variant
    return {
        "name": variant.name,
        "threshold": variant.threshold,
        "statistics": variant.statistics,
        "esa_weight": variant.esa_weight,
        "coupling": variant.coupling,
        "stated_numbers": len(TARGETS),
        "free_parameters": variant.parameters,
        "free": [float(f"{x:.10g}") for x in solution.free],
        "cost": rounded(solution.cost),
        "numbers": dict(zip(TARGETS, map(rounded, map(float, numbers)), strict=True)),
        "residuals": dict(
            zip(
                TARGETS,
                (round(float(r), 4) for r in numbers / stated_numbers() - 1),
                strict=True,
            )
        ),
        "conditions": dict(zip(CONDITIONS, (round(float(c), 3) for c in met), strict=True)),
    }


def set_record(variant: Variant, chains: Sequence[Chain]) -> dict[str, Any]:
    """Return quantiles and principal combinations of a sampled set, and whether chains agree.

    Parameters
    ----------
    variant : Variant
        That was sampled.
    chains : sequence of Chain
        Independent ensembles. Their disagreement is the spread of their means over the spread of
        the points, for the parameter in which it is largest.
    """
    free = np.concatenate([chain.free for chain in chains])
    means = np.array([chain.free.mean(axis=0) for chain in chains])
    v = values(variant.full(free))
    return {
        "variant": variant.name,
        "points": len(free),
        "acceptance": [round(chain.acceptance, 3) for chain in chains],
        "chain_disagreement": round(float(np.max(means.std(axis=0) / free.std(axis=0))), 3),
        "quantiles": {
            unknown.name: [rounded(float(q)) for q in np.quantile(v[:, i], (0.05, 0.5, 0.95))]
            for i, unknown in enumerate(UNKNOWNS[:-1])
        },
        "combinations": [
            {
                "spread": rounded(found.spread),
                "loadings": {name: round(weight, 4) for name, weight in found.loadings.items()},
            }
            for found in principal_combinations(free, variant.names)
        ],
    }


def set_text(samples: Sequence[tuple[str, FloatArray]]) -> str:
    """Return the sampled sets as CSV: the coupling's name and the values, energies in meV."""
    stream = io.StringIO()
    writer = csv.writer(stream, lineterminator="\n")
    names = [f"{u.name}_meV" if u.unit == "s" else u.name for u in UNKNOWNS[:-1]]
    writer.writerow(["set", *names])
    scale = np.array([width_meV() if u.unit == "s" else 1.0 for u in UNKNOWNS[:-1]])
    for name, full in samples:
        for row in values(full)[:, :-1] * scale:
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
    s = width_meV()
    dots = {
        f"{scheme.upper()}+ESA": {
            "stokes_shift_meV": s * found[f"stokes_{scheme}"],
            "absorptive_binding_meV": s * found[f"absorptive_{scheme}"],
            "emissive_binding_meV": s * found[f"emissive_{scheme}"],
            "xx_absorption_strength": found["xx_absorption_strength"],
            "xx_emission_strength": found["xx_emission_strength"],
        }
        for scheme in ("3ls", "4ls")
    }
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
    text = (DATA / "calibration_set.csv").read_text(encoding="utf-8")
    rows = [row for row in csv.DictReader(io.StringIO(text)) if row["set"] == name]
    return {
        column: np.array([float(row[column]) for row in rows])
        for column in rows[0]
        if column != "set"
    }


def write(name: str, text: str) -> None:
    """Replace a stored file in one step."""
    temporary = DATA / f"{name}.new"
    temporary.write_text(text, encoding="utf-8")
    temporary.replace(DATA / name)


def record_text(content: Mapping[str, Any]) -> str:
    """Return ``calibration.json``."""
    return json.dumps(content, indent=1, ensure_ascii=False) + "\n"


def head(seed: int, starts: int) -> dict[str, Any]:
    """Return what was asked of the calibration."""
    return {
        "seed": seed,
        "starts": starts,
        "tolerance": TOLERANCE,
        "stated": dict(zip(TARGETS, map(float, stated_numbers()), strict=True)),
        "couplings": {name: meaning for name, (meaning, _) in COUPLINGS.items()},
        "conditions": list(CONDITIONS),
    }
