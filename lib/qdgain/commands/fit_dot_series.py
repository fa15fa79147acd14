"""``qdgain fit-dot`` for a series of samples: a dot each, one table, one figure, one folder."""

from __future__ import annotations

import argparse
import csv
import importlib
import io
import re
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from functools import cache, partial
from pathlib import Path
from typing import NamedTuple

import numpy as np

from qdgain.commands import Failure, UsageError, say
from qdgain.commands.fit_dot import ALL, Input, as_input, defaults, fit_inputs, source_of, traces_of
from qdgain.files import refuse_existing, whole
from qdgain.fitting.fitted_dot import (
    FittedDot,
    ThresholdInterval,
    parameter_file,
    threshold_intervals,
)
from qdgain.given_files import read_text
from qdgain.measured.instrument_file import Trace, choose
from qdgain.model.dot import FloatArray
from qdgain.model.parameters import ParameterError
from qdgain.table import Table
from qdgain.text import significant

#: What is written beside the dots; the first says that a folder is one of these.
TABLE, POINTS, FIGURE = "series.csv", "points.csv", "series"
_COLUMNS = ("label", "absorption", "absorption_column", "emission", "emission_column")
_SAMPLES = 200

_NUMBER = re.compile(r"[+-]?\d+(?:\.\d+)?")
_MEASURED = {
    "absorption_energy_eV": "A_X (eV)",
    "linewidth_meV": "width of A_X (meV)",
    "stokes_shift_meV": "Stokes shift (meV)",
    "emission_linewidth_meV": "width of PL_X (meV)",
}
_THRESHOLD = ("one dot", "at the gain maximum", False)


class Sample(NamedTuple):
    """What a sample is called, and where its spectra are: files and traces."""

    label: str
    absorption: Path
    absorption_trace: str | None
    emission: Path
    emission_trace: str | None


class Member(NamedTuple):
    """One sample of a series: its spectra, dot and thresholds, or why there is none."""

    label: str
    inputs: dict[str, Input]
    fitted: FittedDot | None
    thresholds: tuple[ThresholdInterval, ...]
    refusal: str = ""

    @property
    def file(self) -> str:
        """The name of its parameter file."""
        return re.sub(r"[^\w.+-]+", "-", self.label).strip(".-") + ".toml"

    @property
    def threshold(self) -> ThresholdInterval:
        """The threshold at the gain maximum of one dot, without ESA."""
        return next(x for x in self.thresholds if (x.whose, x.name, x.esa) == _THRESHOLD)


def run(given: argparse.Namespace) -> None:
    """Fit every sample of a series, and write a folder."""
    target = given.output or Path("my-dots")
    refuse_existing(target, given.replace, TABLE)
    if given.transient is not None or given.json:
        raise UsageError("a series is of absorption and PL alone: leave out transient and --json")
    # Each file is read once.
    read = cache(partial(traces_of, given))
    members = [_fitted(given, read, sample) for sample in _samples(given, read)]
    repeated = [name for name, count in Counter(x.file for x in members).items() if count > 1]
    if repeated:
        raise UsageError(f"two samples would be written to {repeated[0]}: give labels that differ")
    header, rows = table(members)
    if all(member.fitted is None for member in members):
        reasons = "; ".join(f"{x.label}: {x.refusal}" for x in members[:2])
        raise ParameterError(f"none of the {len(members)} samples can be fitted: {reasons}")
    # Only here: whoever is refused need not wait for matplotlib.
    picture = importlib.import_module("qdgain.figures.fit")
    with whole(target, given.replace, TABLE) as folder:
        folder.mkdir()
        for member in members:
            if member.fitted is not None:
                source = source_of(member.inputs, member.fitted.fit)
                text = parameter_file(member.fitted, source)
                (folder / member.file).write_text(text, encoding="utf-8", newline="\n")
        (folder / TABLE).write_text(as_csv(header, rows), encoding="utf-8", newline="\n")
        (folder / POINTS).write_text(points(members), encoding="utf-8", newline="\n")
        picture.save_series(_curves(members), folder / f"{FIGURE}.svg", folder / f"{FIGURE}.png")
    short = [(*row[:-1], row[-1] if row[-2] != "good" else "") for row in rows]
    say(Table(header, short, right=range(1, len(header) - 2)).text())
    say(f"\nwritten: {target}, with {TABLE}, {POINTS} for qdgain sweep --points, {FIGURE}.svg")
    if any(member.fitted is None for member in members):
        refused = sum(member.fitted is None for member in members)
        raise Failure(f"{refused} of {len(members)} samples were refused: {TABLE} says why.")


def _samples(
    given: argparse.Namespace, read: Callable[[str, Path], tuple[Trace, ...]]
) -> Iterator[Sample]:
    """Yield label, absorption file and trace, PL file and trace."""
    if given.pairs is not None:
        yield from _in_table(given.pairs)
        return
    if given.absorption is None or given.pl is None:
        raise UsageError(f"--column {ALL} needs an absorption and a PL file")
    found = [read(name, getattr(given, name)) for name in ("absorption", "pl")]
    titles = [[trace.title for trace in some] for some in found]
    for i, j in pairs(*titles):
        label = titles[0][i] if len(titles[0]) > 1 else titles[1][j]
        yield Sample(label, given.absorption, titles[0][i], given.pl, titles[1][j])


def _in_table(path: Path) -> Iterator[Sample]:
    rows = list(csv.DictReader(io.StringIO(read_text("table of pairs", path))))
    for name in ("label", "absorption", "emission"):
        if not rows or name not in rows[0]:
            raise UsageError(
                f"{path} is no table of pairs: it needs the columns {', '.join(_COLUMNS)}"
            )
    for row in rows:
        label, absorption, one, emission, other = (row.get(name) or "" for name in _COLUMNS)
        files = path.parent / absorption, path.parent / emission
        yield Sample(label, files[0], one or None, files[1], other or None)


def _fitted(
    given: argparse.Namespace, read: Callable[[str, Path], tuple[Trace, ...]], sample: Sample
) -> Member:
    """Return one sample; a refusal of it does not stop the others."""
    inputs = {}
    try:
        for name, path, wanted in (
            ("absorption", sample.absorption, sample.absorption_trace),
            ("pl", sample.emission, sample.emission_trace),
        ):
            found = read(name, path)
            inputs[name] = as_input(given, name, path, choose(found, wanted, f"--{name}-column"))
        fitted = fit_inputs(given, inputs)
        thresholds, _ = threshold_intervals(fitted, *defaults(), samples=_SAMPLES, of_sample=False)
    except ParameterError as refusal:
        return Member(sample.label, inputs, None, (), str(refusal))
    return Member(sample.label, inputs, fitted, thresholds)


def pairs(absorption: Sequence[str], emission: Sequence[str]) -> list[tuple[int, int]]:
    """Return which traces of two files belong together, by their places.

    Those of one name, or of the same numbers in it, such as "60 s" and "60 s reaction"; or all in
    order if there are as many of each; or every PL with a single absorption.

    Raises
    ------
    ParameterError
        If none of it holds.

    Examples
    --------
    >>> pairs(["60 s", "90 s"], ["90 s reaction", "60 s reaction"])
    [(0, 1), (1, 0)]
    """
    if len(absorption) == 1:
        return [(0, i) for i in range(len(emission))]
    for same in (str.casefold, lambda name: tuple(map(float, _NUMBER.findall(name)))):
        mine, theirs = [same(x) for x in absorption], [same(x) for x in emission]
        unlike = len(set(mine)) == len(mine) and len(set(theirs)) == len(theirs)
        both = [(i, theirs.index(key)) for i, key in enumerate(mine) if key in theirs]
        if unlike and len(both) > 1:
            return both
    if len(absorption) == len(emission):
        return [(i, i) for i in range(len(absorption))]
    raise ParameterError(
        f"the absorption has {len(absorption)} traces and the PL {len(emission)}, and their names "
        f"do not say which belong together: {', '.join(absorption[:4])}; {', '.join(emission[:4])}."
    )


def place_in_series(labels: Sequence[str]) -> list[float]:
    """Return the numbers that labels begin with, if all do, else their places from 1."""
    found = [_NUMBER.match(label) for label in labels]
    if all(found):
        return [float(match[0]) for match in found if match]
    return [float(i) for i in range(1, len(labels) + 1)]


def table(members: Sequence[Member]) -> tuple[tuple[str, ...], list[tuple[str, ...]]]:
    """Return header and rows: values with errors, thresholds, grade and its first reason."""
    header = ["label"]
    for title in _MEASURED.values():
        header += [title, "±"]
    header += ["threshold ⟨N⟩ of one dot", "low", "high", "grade", "reason"]
    rows = []
    for member in members:
        if member.fitted is None:
            rows.append((member.label, *[""] * (len(header) - 3), "refused", member.refusal))
            continue
        fit = member.fitted.fit
        cells = [member.label]
        for name in _MEASURED:
            i = fit.names.index(name)
            cells += [f"{x:.6g}" for x in (fit.values[i], fit.standard_errors[i])]
        found = member.threshold
        cells += [significant(x, 4) for x in (found.value, found.low, found.high)]
        rows.append((*cells, fit.grade, fit.reasons[0] if fit.reasons else ""))
    return tuple(header), rows


def _curves(members: Sequence[Member]) -> tuple[list[float], dict[str, FloatArray]]:
    """Return places, and of each quantity the values, lowest and highest, of shape (3, members)."""
    places = place_in_series([member.label for member in members])
    accepted = [(x, m) for x, m in zip(places, members, strict=True) if m.fitted is not None]
    curves = {}
    for name in list(_MEASURED)[1:]:
        fits = [member.fitted.fit for _, member in accepted if member.fitted is not None]
        value = np.array([fit.values[fit.names.index(name)] for fit in fits])
        error = np.array([fit.standard_errors[fit.names.index(name)] for fit in fits])
        curves[name] = np.stack([value, value - error, value + error])
    found = [member.threshold for _, member in accepted]
    curves["threshold"] = np.array([(x.value, x.low, x.high) for x in found]).T
    return [x for x, _ in accepted], curves


def points(members: Sequence[Member]) -> str:
    """Return the dots as a table of points for ``qdgain sweep --points``, refused ones left out."""
    dots = [member.fitted for member in members if member.fitted is not None]
    names = list(dots[0].origin) if dots else []
    rows = [[f"{float(np.asarray(getattr(x.dot, name))):.6g}" for name in names] for x in dots]
    return as_csv(names, rows)


def as_csv(header: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """Return a table as the text of a CSV file."""
    text = io.StringIO()
    csv.writer(text, lineterminator="\n").writerows([header, *rows])
    return text.getvalue()
