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

from qdgain.commands import Failure, UsageError, fit_dot, say
from qdgain.commands.fit_dot import default, value_and_error
from qdgain.files import read_text, refuse_existing, whole
from qdgain.fitting.fitted_dot import (
    FittedDot,
    ThresholdInterval,
    parameter_file,
    threshold_intervals,
)
from qdgain.measured.instrument_file import Trace
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
_COLUMNS = ("label", "absorption", "absorption_column", "emission", "emission_column")
#: What a word in the name of a file says of it.
_WORDS = {
    "absorption": r"abs|absorption|absorbance|uv|uv-?vis|od",
    "pl": r"pl|photoluminescence|em|emission|fl|fluorescence",
}
_NUMBER = re.compile(r"[+-]?\d+(?:\.\d+)?")
#: Every trace of a file that is called ``absorption`` or ``pl`` in options.
Read = Callable[[str, Path], Sequence[Trace]]


class Sample(NamedTuple):
    """What a sample is called, and its files and traces; or why they do not belong together."""

    label: str
    absorption: Path
    absorption_trace: str | None
    pl: Path
    pl_trace: str | None
    refusal: str = ""

    @property
    def file(self) -> str:
        """The name of its parameter file."""
        return re.sub(r"[^\w.+-]+", "-", self.label).strip(".-")[:100] + ".toml"


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
    read = cache(partial(fit_dot.traces_of, given))

    def asked_for(name: str, path: Path) -> Sequence[Trace]:
        found = read(name, path)
        if fit_dot.column_of(given, name, found) is None:
            return found
        return (fit_dot.chosen(given, name, found),)

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
        inputs = {}
        for name, (path, trace) in files.items():
            one = fit_dot.chosen(given, name, read(name, path), trace)
            inputs[name] = fit_dot.as_input(given, name, path, one)
        fitted = fit_dot.fit_inputs(given, inputs)
        held = default("floor"), default("statistics")
        (first, *_), _ = threshold_intervals(fitted, *held, samples=_SAMPLES, of_sample=False)
    except ParameterError as refusal:
        return str(refusal)
    return Accepted(fitted, fit_dot.source_of(inputs, fitted.fit), first)


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


def samples(given: argparse.Namespace, read: Read) -> list[Sample]:
    """Return the samples that the arguments ask for, refused if two would be one file."""
    if given.pairs is not None:
        if given.absorption is not None:
            raise UsageError("--pairs names the files itself: leave out absorption and PL")
        found = _in_table(given.pairs)
    elif given.absorption is not None and given.absorption.is_dir():
        if given.pl is not None:
            raise UsageError(
                f"the folder {given.absorption} holds the PL too: leave out {given.pl}"
            )
        found = _in_folder(given.absorption, read)
    elif given.absorption is None or given.pl is None:
        all_of = f"--column {fit_dot.ALL} needs"
        raise UsageError(f"{all_of} an absorption and a PL file, or a folder of them")
    else:
        found = _in_files("", given.absorption, given.pl, read)
    every = list(found)
    repeated = [name for name, count in Counter(x.file for x in every).items() if count > 1]
    if repeated:
        raise UsageError(f"two samples would be written to {repeated[0]}: give labels that differ")
    return every


def _in_files(label: str, absorption: Path, pl: Path, read: Read) -> Iterator[Sample]:
    """Yield the samples of two files, called by their traces behind a label."""
    titles = [trace.title for trace in read("absorption", absorption)]
    others = [trace.title for trace in read("pl", pl)]
    for i, j in pairs(titles, others):
        own = titles[i] if len(titles) > 1 else others[j]
        own = "" if label and len(titles) == len(others) == 1 else own
        yield Sample(f"{label} {own}".strip(), absorption, titles[i], pl, others[j])


def _in_table(path: Path) -> Iterator[Sample]:
    """Yield the samples of a table, whose files stand beside it."""
    text = read_text("table of pairs", path).replace("\0", "")
    separator = max(",;\t", key=text.partition("\n")[0].count)
    try:
        rows = list(csv.DictReader(io.StringIO(text), delimiter=separator))
    except csv.Error:
        rows = []
    if not rows or not {"label", "absorption", "emission"} <= set(rows[0]):
        columns = ", ".join(_COLUMNS)
        raise UsageError(f"{path} is no table of pairs: it needs a row, and the columns {columns}")
    for number, row in enumerate(rows, start=2):
        label, absorption, trace, pl, other = ((row.get(x) or "").strip() for x in _COLUMNS)
        if not (label and absorption and pl):
            raise UsageError(f"line {number} of {path} lacks its label, absorption or emission")
        files = path.parent / absorption, path.parent / pl
        yield Sample(label, files[0], trace or None, files[1], other or None)


def _in_folder(folder: Path, read: Read) -> Iterator[Sample]:
    """Yield the samples of a folder, whose files are called alike but for ``abs`` and ``pl``."""
    kinds: dict[str, dict[str, list[Path]]] = {}
    for path in sorted(folder.iterdir(), key=_in_order):
        for kind, words in _WORDS.items():
            label, count = re.subn(rf"(?<![^\W_])({words})(?![^\W_])", "", path.stem, flags=re.I)
            if count == 1 and not path.name.startswith("."):
                label = re.sub(r"([\W_])[\W_]+", r"\1", label).strip(" _-.") or folder.name
                kinds.setdefault(label, {}).setdefault(kind, []).append(path)
    if not any(len(files) == len(_WORDS) for files in kinds.values()):
        raise UsageError(
            f"the folder {folder} holds no two files called alike but for a word such as abs in one"
            " and pl in the other: name them so, or give a table by --pairs"
        )
    for label, files in kinds.items():
        absorption, pl = (files.get(kind, [folder]) for kind in _WORDS)
        try:
            for kind in _WORDS:
                if len(names := [path.name for path in files.get(kind, [])]) != 1:
                    beside = " and ".join(path.name for some in files.values() for path in some)
                    what = (
                        f"{len(names)} {kind} files, and needs one" if names else f"no {kind} file"
                    )
                    raise ParameterError(f"{label} has {what}: {beside}.")
            yield from _in_files(label, absorption[0], pl[0], read)
        except ParameterError as refusal:
            yield Sample(label, absorption[0], None, pl[0], None, str(refusal))


def _in_order(path: Path) -> list[tuple[float, str]]:
    """Return what sorts names by the numbers in them."""
    parts = re.split(r"(\d+)", path.name.casefold())
    return [(float(x), "") if x.isdecimal() else (0.0, x) for x in parts]


def pairs(absorption: Sequence[str], pl: Sequence[str]) -> list[tuple[int, int]]:
    """Return which traces of two files belong together, by their places.

    Those of one name, or of the same numbers in it, such as "60 s" and "60 s reaction"; or all in
    order if there are as many of each; or every PL with a single absorption. Anything else is
    refused (`ParameterError`).

    Examples
    --------
    >>> pairs(["60 s", "90 s"], ["90 s reaction", "60 s reaction"])
    [(0, 1), (1, 0)]
    """
    if len(absorption) == 1:
        return [(0, i) for i in range(len(pl))]
    for same in (str.casefold, lambda name: tuple(map(float, _NUMBER.findall(name)))):
        mine, theirs = [same(x) for x in absorption], [same(x) for x in pl]
        unlike = len(set(mine)) == len(mine) and len(set(theirs)) == len(theirs)
        both = [(i, theirs.index(key)) for i, key in enumerate(mine) if key in theirs]
        if unlike and len(both) > 1:
            return both
    if len(absorption) == len(pl):
        return [(i, i) for i in range(len(absorption))]
    raise ParameterError(
        f"the absorption has {len(absorption)} traces and the PL {len(pl)}, and their names do not "
        f"say which belong together: {', '.join(absorption[:4])}; {', '.join(pl[:4])}."
    )


def places(labels: Sequence[str]) -> list[float]:
    """Return the numbers that labels begin with, if all do, else their places from 1.

    >>> places(["60 s", "90 s"])
    [60.0, 90.0]
    """
    found = [_NUMBER.match(label) for label in labels]
    numbers = [float(match[0]) for match in found if match]
    return numbers if len(numbers) == len(found) else [1.0 + i for i in range(len(found))]
