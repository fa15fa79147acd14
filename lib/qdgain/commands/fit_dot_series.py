"""``qdgain fit-dot`` for a series of samples: a dot each, one table, one figure, one folder."""

from __future__ import annotations

import argparse
import csv
import importlib
import io
from collections.abc import Sequence
from functools import cache, partial
from pathlib import Path
from typing import NamedTuple

import numpy as np

from qdgain.commands import Failure, UsageError, say
from qdgain.commands.fit_dot import (
    as_input,
    column_of,
    default,
    fit_inputs,
    source_of,
    traces_of,
    value_and_error,
)
from qdgain.commands.fit_dot_samples import Read, Sample, places, samples
from qdgain.files import refuse_existing, whole
from qdgain.fitting.fitted_dot import (
    FittedDot,
    ThresholdInterval,
    parameter_file,
    threshold_intervals,
)
from qdgain.measured.instrument_file import Trace, choose
from qdgain.model.dot import FloatArray
from qdgain.model.parameters import ParameterError
from qdgain.table import Table
from qdgain.text import significant

#: What is written beside the dots; the first says that a folder is one of these.
TABLE, POINTS, FIGURE = "series.csv", "points.csv", "series"
_SAMPLES = 200

_MEASURED = {
    "absorption_energy_eV": "A_X (eV)",
    "linewidth_meV": "width of A_X (meV)",
    "stokes_shift_meV": "Stokes shift (meV)",
    "emission_linewidth_meV": "width of PL_X (meV)",
}


class Accepted(NamedTuple):
    """A sample that gave a dot: where the dot comes from, and one dot's threshold without ESA."""

    fitted: FittedDot
    source: dict[str, object]
    threshold: ThresholdInterval

    def measured(self, name: str) -> tuple[float, float]:
        """Return a value and its standard error."""
        fit = self.fitted.fit
        i = fit.names.index(name)
        return float(fit.values[i]), float(fit.standard_errors[i])


def run(given: argparse.Namespace) -> None:
    """Fit every sample of a series, and write a folder."""
    target = given.output or Path("my-dots")
    refuse_existing(target, given.replace, TABLE)
    if given.transient is not None or given.json:
        raise UsageError("a series is of absorption and PL alone: leave out transient and --json")
    # Each file is read once.
    read = cache(partial(traces_of, given))

    def asked_for(name: str, path: Path) -> Sequence[Trace]:
        found = read(name, path)
        column = column_of(given, name, found)
        return found if column is None else (choose(found, column, f"--{name}-column"),)

    outcomes = {s: _outcome(given, read, s) for s in samples(given, asked_for)}
    dots = {s: found for s, found in outcomes.items() if isinstance(found, Accepted)}
    if not dots:
        reasons = "; ".join(f"{s.label}: {outcomes[s]}" for s in list(outcomes)[:2])
        raise ParameterError(f"none of the {len(outcomes)} samples can be fitted: {reasons}")
    # Only here: whoever is refused need not wait for matplotlib.
    picture = importlib.import_module("qdgain.figures.fit")
    with whole(target, given.replace, TABLE) as folder:
        folder.mkdir()
        texts = {s.file: parameter_file(found.fitted, found.source) for s, found in dots.items()}
        texts |= {TABLE: table(outcomes), POINTS: points(list(dots.values()))}
        for name, text in texts.items():
            (folder / name).write_text(text, encoding="utf-8", newline="\n")
        picture.save_series(_curves(outcomes), folder / f"{FIGURE}.svg", folder / f"{FIGURE}.png")
    say(report(outcomes))
    say(f"\nwritten: {target}, with {TABLE}, {POINTS} for qdgain sweep --points, {FIGURE}.svg")
    if refused := len(outcomes) - len(dots):
        raise Failure(f"{refused} of {len(outcomes)} samples were refused: {TABLE} says why.")


def _outcome(given: argparse.Namespace, read: Read, sample: Sample) -> Accepted | str:
    """Return what a sample gave, or the reason why nothing, which does not stop the others."""
    if sample.refusal:
        return sample.refusal
    files = {
        "absorption": (sample.absorption, sample.absorption_trace),
        "pl": (sample.pl, sample.pl_trace),
    }
    try:
        inputs = {
            name: as_input(given, name, path, _chosen(given, name, read(name, path), trace))
            for name, (path, trace) in files.items()
        }
        fitted = fit_inputs(given, inputs)
        held = default("floor"), default("statistics")
        (first, *_), _ = threshold_intervals(fitted, *held, samples=_SAMPLES, of_sample=False)
    except ParameterError as refusal:
        return str(refusal)
    return Accepted(fitted, source_of(inputs, fitted.fit), first)


def _chosen(
    given: argparse.Namespace, name: str, found: Sequence[Trace], trace: str | None
) -> Trace:
    """Return the trace that the sample names, or else the arguments."""
    return choose(found, trace or column_of(given, name, found), f"--{name}-column")


def report(outcomes: dict[Sample, Accepted | str]) -> str:
    """Return what is printed: a row a sample, and below why some are poor or refused."""
    header = ("label", *_MEASURED.values(), "threshold ⟨N⟩", "grade")
    rows, reasons = [], []
    for sample, found in outcomes.items():
        grade, why = "refused", found
        cells = [""] * (len(header) - 2)
        if isinstance(found, Accepted):
            both = (value_and_error(*found.measured(name)) for name in _MEASURED)
            cells = [*map(" ± ".join, both), significant(found.threshold.value, 2)]
            grade, why = found.fitted.fit.grade, "; ".join(found.fitted.fit.reasons[:1])
        rows.append((sample.label, *cells, grade))
        reasons += [f"{sample.label}: {why}"] if grade in ("poor", "refused") else []
    return "\n".join([Table(header, rows, right=range(1, len(header) - 1)).text(), "", *reasons])


def table(outcomes: dict[Sample, Accepted | str]) -> str:
    """Return values with errors, threshold, grade and its first reason as CSV, a row a sample."""
    header = ["label", *(x for title in _MEASURED.values() for x in (title, "±"))]
    header += ["threshold ⟨N⟩ of one dot", "low", "high", "grade", "reason"]
    rows: list[Sequence[str]] = []
    for sample, found in outcomes.items():
        if isinstance(found, str):
            rows.append((sample.label, *[""] * (len(header) - 3), "refused", found))
            continue
        cells = [f"{x:.6g}" for name in _MEASURED for x in found.measured(name)]
        limits = found.threshold.value, found.threshold.low, found.threshold.high
        cells += [significant(x, 4) for x in limits]
        fit = found.fitted.fit
        rows.append((sample.label, *cells, fit.grade, fit.reasons[0] if fit.reasons else ""))
    return as_csv(header, rows)


def _curves(outcomes: dict[Sample, Accepted | str]) -> tuple[list[float], dict[str, FloatArray]]:
    """Return places, and of each quantity the values, lowest and highest, of shape (3, samples)."""
    every = zip(places([sample.label for sample in outcomes]), outcomes.values(), strict=True)
    accepted = [(x, found) for x, found in every if isinstance(found, Accepted)]
    curves = {}
    for name in list(_MEASURED)[1:]:
        value, error = np.transpose([found.measured(name) for _, found in accepted])
        curves[name] = np.stack([value, value - error, value + error])
    limits = [(x.threshold.value, x.threshold.low, x.threshold.high) for _, x in accepted]
    return [x for x, _ in accepted], curves | {"threshold": np.transpose(limits)}


def points(dots: Sequence[Accepted]) -> str:
    """Return dots as a table of points for ``qdgain sweep --points``."""
    names = list(dots[0].fitted.origin)
    values = ([np.asarray(getattr(x.fitted.dot, name)) for name in names] for x in dots)
    return as_csv(names, [[f"{float(x):.6g}" for x in row] for row in values])


def as_csv(header: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """Return a table as the text of a CSV file."""
    text = io.StringIO()
    csv.writer(text, lineterminator="\n").writerows([header, *rows])
    return text.getvalue()
