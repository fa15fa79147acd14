"""Which spectra ``qdgain fit-dot`` fits together: traces of two files, a table, or a folder."""

from __future__ import annotations

import argparse
import csv
import io
import re
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

from qdgain.commands import UsageError
from qdgain.files import read_text
from qdgain.measured.instrument_file import Trace
from qdgain.model.parameters import ParameterError

#: The word that stands for a series of all traces.
ALL = "all"
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


def is_series(given: argparse.Namespace) -> bool:
    """Whether the arguments ask for more than one sample."""
    folder = given.absorption is not None and given.absorption.is_dir()
    return given.pairs is not None or given.column == ALL or folder


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
        raise UsageError(f"--column {ALL} needs an absorption and a PL file, or a folder of them")
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
