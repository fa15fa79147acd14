"""Run the calibration: keep each result as it is done, and store the whole at the end."""

from __future__ import annotations

import argparse
import hashlib
import io
import json
import os
import sys
import time
from collections.abc import Iterable, Mapping
from concurrent.futures import ProcessPoolExecutor, as_completed
from dataclasses import asdict, dataclass
from functools import cache
from itertools import product
from multiprocessing import get_context
from pathlib import Path
from types import MappingProxyType
from typing import Any

import numpy as np

from qdgain.calibration import evidence, record, search
from qdgain.calibration.rows import DEFINITIONS, ROWS, STATISTICS, STRENGTHS, TARGETS, Row
from qdgain.files import write_whole
from qdgain.model.balance import balanced_temperature_K
from qdgain.model.dot import FloatArray
from qdgain.model.parameters import PRESETS
from qdgain.model.states import weights_of_bands
from qdgain.stored import rounded
from qdgain.version import __version__

#: The rows that matter most, whose evidence is computed so many times.
COMPARED, RUNS = ("additive tied", "replacing free", "additive free"), 4
#: So many times the live points where ranges are so wide that what meets the conditions is missed.
MORE = MappingProxyType({"replacing free": 4})
SEED = 2510
#: Equally weighted points that are kept of each run, and stored of each row.
DRAWN, POINTS = 400, 320
#: What is written for a threshold out of reach.
_UNREACHED = 9.99
_LIBRARY = Path(__file__).parent.parent
#: What every result follows from.
CODE = (
    *("data/calibration_rows.toml", "calibration/rows.py"),
    *("calibration/conditions.py", "calibration/predictions.py"),
    *(f"model/{n}.py" for n in ("bands", "states", "populations", "gain", "threshold", "film")),
    *("model/search.py", "fast/onset.py"),
)

Result = dict[str, Any]


@dataclass(frozen=True)
class Job:
    """One piece of work: the evidence of a row (``evidence``), or its best point (``search``)."""

    kind: str
    row: str
    conditional: bool
    run: int = 0
    doubled: bool = False
    statistics: str = "rabi"
    threshold: str = "maximum"

    @property
    def asked(self) -> str:
        """One of `record.KINDS`."""
        return ("conditions" if self.conditional else "numbers") + " doubled" * self.doubled

    def of_row(self) -> Row:
        """Return its row."""
        return ROWS[self.row].under(self.statistics, self.threshold)


Done = list[tuple[Job, Result]]


def evidence_jobs() -> list[Job]:
    """Return the runs of the evidence, those first that most hangs on."""
    kinds = [(name, c) for name, row in ROWS.items() for c in (False, True) if row.has_esa or not c]
    first = [Job("evidence", *kind) for kind in kinds]
    again = [Job("evidence", *k, run) for run in range(1, RUNS) for k in kinds if k[0] in COMPARED]
    wider = [Job("evidence", *kind, doubled=True) for kind in kinds if kind[0] in COMPARED]
    return first + again + wider


def search_jobs() -> list[Job]:
    """Return the searches: every row under all statistics and definitions of the threshold."""
    every = product(DEFINITIONS, STATISTICS, ROWS, (False, True))
    return [Job("search", name, c, statistics=law, threshold=of) for of, law, name, c in every]


def do(job: Job, starts: Mapping[str, Any]) -> Result:
    """Return the result of a job, given where a search of its row starts."""
    row, seed = job.of_row(), SEED + 7919 * job.run
    if job.kind == "search":
        at = [np.array(start) for start in starts[job.row]]
        if job.threshold == "onset":
            at = [np.insert(start, -1, np.log(0.01)) for start in at]
        every = np.array(at).reshape(-1, row.parameters)
        return {"free": search.solve(row, every, job.conditional, seed).free.tolist()}
    live = evidence.LIVE * (MORE.get(job.row, 1) if job.doubled and job.conditional else 1)
    how: Any = {"with_conditions": job.conditional, "doubled": job.doubled, "live": live}
    found = evidence.evidence(row, seed, **how)
    return {
        "log_evidence": found.log_evidence,
        "modes": evidence.mode_weights(row, found),
        "points": rounded(found.drawn(DRAWN, np.random.default_rng(seed)), 6),
    }


# --- keeping


@cache
def code_hash(kind: str) -> str:
    """Return the hash of the code that a kind of result follows from."""
    files = (_LIBRARY / name for name in (*CODE, f"calibration/{kind}.py"))
    return hashlib.sha256(b"".join(file.read_bytes() for file in files)).hexdigest()[:16]


def kept_at(folder: Path, job: Job) -> Path:
    """Return the file that keeps a result: its name is the hash of code and settings."""
    settings = json.dumps([code_hash(job.kind), asdict(job), SEED], sort_keys=True)
    return folder / f"{hashlib.sha256(settings.encode()).hexdigest()[:24]}.json"


def do_and_keep(job: Job, starts: Mapping[str, Any], folder: Path) -> Job:
    """Do a job and keep its result."""
    write_whole(kept_at(folder, job), json.dumps(do(job, starts)) + "\n")
    return job


def finished(jobs: list[Job], starts: Mapping[str, Any], folder: Path, workers: int) -> Done:
    """Do in processes what is not done yet, say how far it is, and return all results."""
    missing = [job for job in jobs if not kept_at(folder, job).exists()]
    say(f"{len(jobs) - len(missing)} of {len(jobs)} were done before")
    began = time.monotonic()
    with ProcessPoolExecutor(workers, mp_context=get_context("spawn")) as pool:
        try:
            doing = [pool.submit(do_and_keep, job, starts, folder) for job in missing]
            for i, one in enumerate(as_completed(doing), 1):
                job = one.result()
                said = f"{i:3d}/{len(missing)}  {job.kind}  {job.of_row().label}  {job.asked}"
                say(f"{time.monotonic() - began:5.0f} s  {said}  {job.run or ''}")
        except BaseException:
            pool.shutdown(wait=False, cancel_futures=True)
            raise
    return [(job, json.loads(kept_at(folder, job).read_text(encoding="utf-8"))) for job in jobs]


def starts_of(weighed: Done) -> dict[str, list[list[float]]]:
    """Return where the searches of each row start: a few points of its posteriors."""
    starts: dict[str, list[list[float]]] = {name: [] for name in ROWS}
    for job, result in weighed:
        if job.run == 0 and not job.doubled:
            starts[job.row] += result["points"][:: DRAWN // 2]
    return starts


def say(text: str) -> None:
    """Print to the error stream at once."""
    print(text, file=sys.stderr, flush=True)


# --- storing


def store(weighed: Done, solved: Done) -> None:
    """Store the record, the points and the presets of the evidence and the searches."""
    rows: dict[str, Result] = {}
    drawn: dict[tuple[str, str], Any] = {}
    for job, result in weighed:
        row = rows.setdefault(job.row, {"log_evidence": {}, "modes": {}})
        row["log_evidence"].setdefault(job.asked, []).append(round(result["log_evidence"], 3))
        modes = {name: round(x, 4) for name, x in result["modes"].items()}
        row["modes"].setdefault(job.asked, []).append(modes)
        # Other runs say how sure the evidence is; the points are those of the first.
        drawn.setdefault((job.row, job.asked), result["points"])
    best = [best_record(job, np.array(result["free"])) for job, result in solved]
    meeting = {one["row"] for one in best if record.is_asked(one) and record.meets(one)}
    for name, row in rows.items():
        row["points"] = "conditions" if name in meeting else "numbers"
    chosen = record.choose(best)
    made = {"version": __version__, "code": code_hash("evidence"), "seed": SEED}
    content = {"made": made, "rows": rows, "best": best, "default": chosen["row"]}
    text, points = json.dumps(content, ensure_ascii=False, indent=1), io.BytesIO()
    sets: Any = {name: _thinned(drawn[name, row["points"]]) for name, row in rows.items()}
    np.savez_compressed(points, **sets)
    write_whole(record.DATA / "calibration.json", text + "\n")
    write_whole(record.DATA / "calibration_points.npz", points.getvalue())
    write_whole(record.DATA / "presets.toml", presets_text(chosen))


def _thinned(points: list[Any]) -> FloatArray:
    """Return so many points of a run, evenly from all."""
    thinned = np.linspace(0, len(points) - 1, POINTS).astype(int)
    return np.asarray(np.array(points, dtype=np.float32)[thinned])


def best_record(job: Job, free: FloatArray) -> Result:
    """Return what is stored of a best point: its rounded values, and what they give."""
    row = job.of_row()
    moved = {name for group in row.groups for name in group}
    values = {name: rounded(x[0], 4) for name, x in row.values(free).items() if name in moved}
    point = record.calibrated(row, values)
    found = record.checked(row, point)
    esa = [point.dots["3LS+ESA"], point.dots["4LS+ESA"]]
    emission = [sum(map(float, state)) for state in weights_of_bands(esa[0]).emission]
    stokes = [max(float(np.asarray(dot.stokes_shift_meV)), 0.1) for dot in esa]
    residual = min(float(search.largest_residual(found.numbers)), _UNREACHED)
    return {
        "row": row.name,
        "statistics": row.statistics,
        "threshold": row.threshold,
        "conditional": job.conditional,
        "parameters": row.parameters,
        "values": values,
        "numbers": [rounded(x, 4) if np.isfinite(x) else None for x in found.numbers],
        "largest_residual": rounded(residual, 3),
        "conditions": [round(float(x), 4) for x in found.conditions],
        "xx_over_x_rate": rounded(emission[2] / emission[1], 3),
        "emissive_binding_meV": [rounded(dot.emissive_binding_meV, 3) for dot in esa],
        "balanced_temperature_K": rounded(balanced_temperature_K(stokes, esa[0].linewidth_meV), 3),
    }


def presets_text(default: Mapping[str, Any]) -> str:
    """Return ``presets.toml`` for a best point."""
    row, values = ROWS[default["row"]], default["values"]
    found = record.calibrated(row, values)
    source = (
        f"solved from {len(TARGETS)} numbers stated with Figs 8 and 9 with {row.parameters} free "
        f"parameters, all met within {100 * default['largest_residual']:.1f} %: {row.name}, "
        f"{row.meaning}"
    )
    weights = {name: values[name] for name in STRENGTHS[2:] if name in values}
    tables: dict[str, dict[str, Any]] = {
        "origin": {"kind": "calibrated", "source": source},
        "shared": dict(PRESETS["shared"]) | {"reading": row.reading} | weights,
    }
    fields = ("stokes_shift_meV", "absorptive_binding_meV", "emissive_binding_meV", *STRENGTHS[:2])
    for name in ("3LS+ESA", "4LS+ESA"):
        dot = found.dots[name]
        tables[f'dots."{name}"'] = {field: rounded(getattr(dot, field), 4) for field in fields}
    tables["film"] = {name: rounded(getattr(found, name), 4) for name in reversed(record.FILM)}
    lines = ["# Written by `python -m qdgain.calibration`; not to be edited."]
    lines += [f"default_dot = {json.dumps(PRESETS['default_dot'])}"]
    for name, table in tables.items():
        entries = (f"{key} = {json.dumps(x, ensure_ascii=False)}" for key, x in table.items())
        lines += ["", f"[{name}]", *entries]
    return "\n".join(lines) + "\n"


def main(arguments: Iterable[str] | None = None) -> int:
    """Run from the command line; interrupted, what is done is kept and the next run goes on."""
    parser = argparse.ArgumentParser(
        prog="python -m qdgain.calibration",
        description="Calibrate every reading with the paper's numbers and rewrite the presets.",
    )
    folder = Path("_build") / "calibration"
    parser.add_argument("--workers", type=int, default=2, help="processes; the result is the same")
    parser.add_argument("--keep", type=Path, default=folder, help="folder of what is done")
    given = parser.parse_args(None if arguments is None else list(arguments))
    # A thread for each process: the matrices are small.
    os.environ |= {"OPENBLAS_NUM_THREADS": "1", "OMP_NUM_THREADS": "1"}
    try:
        weighed = finished(evidence_jobs(), {}, given.keep, given.workers)
        solved = finished(search_jobs(), starts_of(weighed), given.keep, given.workers)
    except KeyboardInterrupt:
        say(f"interrupted: what is done is kept in {given.keep}, and nothing else was stored")
        return 130
    store(weighed, solved)
    say(f"stored in {record.DATA}")
    return 0
