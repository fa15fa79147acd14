"""Headline numbers of many dots without notebooks: the vectorised library, block by block.

Each block of points becomes a part of one data set, so that memory does not grow with the number of
points. Workers of this machine write the parts; from elsewhere they come back as Parquet.
"""

from __future__ import annotations

import hashlib
import io
import math
import shutil
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property, partial
from itertools import product
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray
from pyarrow import csv, parquet

from qdgain.fast.onset import threshold_onset
from qdgain.files import beside, move_into_place, written_aside
from qdgain.model.dot import Dot, FloatArray, presets
from qdgain.model.film import ase_threshold
from qdgain.model.gain import largest_gain
from qdgain.model.parameters import CONTRACT, DOT_ARRAYS, DOT_PARAMETERS, ParameterError
from qdgain.model.populations import fluence_for_mean_excitons
from qdgain.model.states import highest_state
from qdgain.model.threshold import threshold_at_maximum
from qdgain.run import BASE_OF_YOUR_DOT
from qdgain.sweep import table
from qdgain.sweep.folder import add_sum, is_sound, sums
from qdgain.sweep.points import Column, Points, definition, hash_of
from qdgain.sweep.progress import Progress
from qdgain.sweep.spread import Job, Spread
from qdgain.sweep.table import Quantity

MOST_POINTS = 100_000_000
#: A spreadsheet opens this many rows.
MOST_CSV_ROWS = 1_000_000
# The work arrays of so many dots stay in the processor's cache.
_DOTS_AT_ONCE = 16384
_PARTS = 32
_WITHOUT = "_without_esa"
# Dots that have relaxed do not absorb at A_XX1.
_WITHOUT_EFFECT = ("unrelaxed_absorptive_binding_meV", "unrelaxed_xx_absorption_linewidth_meV")


class Kind(NamedTuple):
    """What is computed for a dot, the function, and the settings it takes.

    The function takes a dot of shape D and the settings, of which only ``statistics`` is one word,
    and returns arrays of shape D.
    """

    quantities: tuple[Quantity, ...]
    function: Callable[[Dot, Mapping[str, Any]], tuple[FloatArray, ...]]
    settings: tuple[str, ...]
    largest_part: int


def _thresholds(dot: Dot, settings: Mapping[str, Any]) -> tuple[FloatArray, ...]:
    statistics = settings["statistics"]
    at_maximum = threshold_at_maximum(dot, statistics=statistics)
    onset = threshold_onset(dot, settings["floor"], statistics)
    fluence = fluence_for_mean_excitons(
        at_maximum.mean_excitons, settings["pi_pulse_fluence_mJ_cm2"], statistics
    )
    # Poisson statistics may fill a dot further, and move its maximum.
    same = highest_state(dot, statistics) == highest_state(dot, "rabi")
    place = 1e3 * (at_maximum.energy_eV - dot.absorption_energy_eV) if same else None
    return (*at_maximum, fluence, *onset, largest_gain(dot, maximum_meV=place))


def _ase(dot: Dot, settings: Mapping[str, Any]) -> tuple[FloatArray, ...]:
    statistics = settings["statistics"]
    ase = ase_threshold(
        dot, settings["gain_exponent"], settings["pi_pulse_fluence_mJ_cm2"], statistics
    )
    return (*threshold_at_maximum(dot, statistics=statistics), *ase)


_AT_MAXIMUM = (
    Quantity("threshold_mean_excitons", "1", "threshold ⟨N⟩ at the gain maximum; inf if none"),
    Quantity("threshold_energy_eV", "eV", "photon energy of the gain maximum"),
)
_THRESHOLDS = Kind(
    (
        *_AT_MAXIMUM,
        Quantity("threshold_fluence_mJ_cm2", "mJ cm⁻²", "pump fluence that gives this ⟨N⟩"),
        Quantity(
            "onset_mean_excitons", "1", "smallest ⟨N⟩ at which the gain reaches the floor anywhere"
        ),
        Quantity("onset_energy_eV", "eV", "photon energy of the onset; nan if none"),
        Quantity("largest_gain", "1", "gain at full excitation, over the peak of A_X"),
    ),
    _thresholds,
    ("statistics", "floor", "pi_pulse_fluence_mJ_cm2"),
    100_000,
)
_ASE = Kind(
    (
        *_AT_MAXIMUM,
        Quantity("ase_threshold_fluence_mJ_cm2", "mJ cm⁻²", "ASE threshold; inf if none"),
        Quantity("ase_threshold_mean_excitons", "1", "⟨N⟩ there; inf if none"),
        Quantity("ase_energy_eV", "eV", "photon energy of the strongest ASE there; nan if none"),
    ),
    _ase,
    ("statistics", "gain_exponent", "pi_pulse_fluence_mJ_cm2"),
    10_000,
)
#: The chapters that have numbers without a notebook.
KINDS: Mapping[str, Kind] = {"fig08": _THRESHOLDS, "fig09": _ASE, "fig10": _THRESHOLDS}


def refuse(chapter: str, points: Points, with_csv: bool) -> None:
    """Refuse, in a sentence, what has no numbers without a notebook, and what is too large."""
    if chapter not in KINDS:
        raise ParameterError(
            f"{chapter} has no numbers without a notebook ({', '.join(KINDS)} have): leave out "
            "--numbers-only."
        )
    for name in points.names:
        if name not in (*DOT_PARAMETERS, *KINDS[chapter].settings) or name in _WITHOUT_EFFECT:
            raise ParameterError(
                f"{name} changes none of the numbers of {chapter} without a notebook: sweep "
                "something else, or leave out --numbers-only."
            )
    if points.size > MOST_POINTS:
        raise ParameterError(f"{points.size} points are more than {MOST_POINTS}: ask for fewer.")
    if with_csv and points.size > MOST_CSV_ROWS:
        raise ParameterError(
            f"a CSV file of {points.size} rows is refused: spreadsheets stop near {MOST_CSV_ROWS}, "
            "and it is several times larger and slower to read than the Parquet files that are "
            "written anyway. Leave out --csv."
        )


def quantities_of(chapter: str) -> tuple[Quantity, ...]:
    """Return the columns of a chapter's numbers, those without ESA last."""
    own = KINDS[chapter].quantities
    without = (Quantity(f"{q.name}{_WITHOUT}", q.unit, f"{q.meaning}; without ESA") for q in own)
    return (*own, *without)


def numbers(chapter: str, given: Mapping[str, Any]) -> dict[str, FloatArray]:
    """Return a chapter's numbers: the name of each of `quantities_of` to an array of shape D.

    Parameters are given as values or arrays of shape D, in which nan stands for the stand-in; the
    rest is as in a chapter that draws the user's dot.
    """
    kind = KINDS[chapter]
    size = np.broadcast_shapes(*(np.shape(value) for value in given.values()))
    columns = {name: np.broadcast_to(np.asarray(value), size) for name, value in given.items()}
    defaults = {n: np.broadcast_to(np.asarray(CONTRACT[n].default), size) for n in kind.settings}
    settings = {name: columns.get(name, value) for name, value in defaults.items()}
    dot = _dot_fields({n: column for n, column in columns.items() if n in DOT_PARAMETERS})
    names = [q.name for q in quantities_of(chapter)]
    found = {name: np.empty(size) for name in names}
    for alike, chosen in _alike(dot | {"statistics": settings.pop("statistics")}, size):
        law, own_fields = alike.pop("statistics"), dot | alike
        for start in range(0, chosen.size, _DOTS_AT_ONCE):
            rows = chosen[start : start + _DOTS_AT_ONCE]
            some = Dot(**{n: v[rows] if np.ndim(v) else v for n, v in own_fields.items()})
            if not some.shape:
                # Settings alone vary: the dot is repeated, so that they broadcast over it.
                some = replace(some, linewidth_meV=np.full(rows.size, some.linewidth_meV))
            own = {n: value[rows] for n, value in settings.items()} | {"statistics": law}
            results = (*kind.function(some, own), *kind.function(some.uncorrelated(), own))
            for name, values in zip(names, results, strict=True):
                found[name][rows] = values
    return found


def _alike(
    columns: Mapping[str, Any], size: tuple[int, ...]
) -> Iterator[tuple[dict[str, Any], NDArray[np.intp]]]:
    """Yield the points that share every word and whole number, which no dot has arrays of."""
    names = [name for name in columns if name not in DOT_ARRAYS]
    own = [np.broadcast_to(np.asarray(columns[name]), size) for name in names]
    for values in product(*(np.unique(column) for column in own)):
        same = [column == value for column, value in zip(own, values, strict=True)]
        (chosen,) = np.nonzero(np.all(same, axis=0))
        if chosen.size:
            yield {n: v.item() for n, v in zip(names, values, strict=True)}, chosen


def _dot_fields(columns: Mapping[str, Column]) -> dict[str, Any]:
    """Return the fields of the dots: the preset's where nothing is given, no stand-ins left."""
    fields: dict[str, Any] = presets()[BASE_OF_YOUR_DOT].values() | dict(columns)
    for name, value in columns.items():
        if CONTRACT[name].stand_in:
            fields[name] = np.where(np.isnan(value), fields["linewidth_meV"], value)
    return fields


class Block(NamedTuple):
    """Some of the points of a sweep, what is fixed, and what says which they are."""

    chapter: str
    fixed: Mapping[str, Any]
    points: Points
    start: int
    size: int
    about: Mapping[str, str]

    @property
    def given(self) -> dict[str, Any]:
        """A column or value of each parameter."""
        return {**self.fixed, **self.points.block(self.start, self.start + self.size)}

    def schema(self) -> pa.Schema:
        """Return the schema of the block's file, which names the sweep and the block's place."""
        return table.schema_of(
            columns_of(self.chapter, (*self.fixed, *self.points.names)), self.about
        )


def part(block: Block) -> bytes:
    """Compute a block and return it as a Parquet file of one row group."""
    arrays = {name: np.broadcast_to(v, (block.size,)) for name, v in block.given.items()}
    found = numbers(block.chapter, arrays)
    schema = block.schema()
    columns = {**arrays, **found}
    arrow = [
        # nan stands for a stand-in among the parameters, and for itself among the results.
        pa.array(columns[field.name], type=field.type, from_pandas=field.name in arrays)
        for field in schema
    ]
    content = pa.Table.from_arrays(arrow, schema=schema)
    stream = io.BytesIO()
    # Parameters repeat; a dictionary of numbers that do not takes time, and space.
    parquet.write_table(
        content, stream, row_group_size=max(block.size, 1), use_dictionary=list(arrays)
    )
    return stream.getvalue()


def _aside(content: bytes, target: Path) -> tuple[Path, str]:
    """Write a part where it can be moved into its place from; return the path and the SHA-256."""
    path = beside(target)
    try:
        path.write_bytes(content)
    except OSError:
        shutil.rmtree(path.parent, ignore_errors=True)
        raise
    return path, hashlib.sha256(content).hexdigest()


def _part_aside(function: Callable[[Block], bytes], target: Path, block: Block) -> tuple[Path, str]:
    return _aside(function(block), target)


def columns_of(chapter: str, given: Sequence[str]) -> tuple[Quantity, ...]:
    """Return all columns: the parameters that are given, and the numbers."""
    return (*(table.of_parameter(name) for name in given), *quantities_of(chapter))


@dataclass(frozen=True)
class Sweep:
    """Numbers of a chapter wanted at some points, with some parameters fixed.

    ``function`` computes a block.
    """

    chapter: str
    points: Points
    fixed: Mapping[str, Any]
    function: Callable[[Block], bytes] = part

    @property
    def rows_per_part(self) -> int:
        """How many points one part holds."""
        largest = KINDS[self.chapter].largest_part
        return min(max(math.ceil(self.points.size / _PARTS), largest // 100), largest)

    def definition(self) -> dict[str, Any]:
        """Return what the results depend on besides the library, for JSON."""
        return definition(self.chapter, self.points, self.fixed, "numbers only")

    def parts(self) -> Iterator[tuple[str, int, int]]:
        """Yield the file of each part with its first point, and the first after it."""
        size, step = self.points.size, self.rows_per_part
        for start in range(0, size, step):
            yield f"part-{start:09d}.parquet", start, min(start + step, size)

    def block(self, start: int, stop: int) -> Block:
        """Return some of the points, with the fixed parameters."""
        few, first = self.points.between(start, stop)
        about = table.about(self.chapter) | {"qdgain_sweep": self._hash, "first_point": str(start)}
        return Block(self.chapter, dict(self.fixed), few, first, stop - start, about)

    @cached_property
    def _hash(self) -> str:
        return hash_of(self.definition())


def _is_part(path: Path, block: Block) -> bool:
    """Return whether a sound file is the part at this place of this sweep."""
    try:
        stored = parquet.read_metadata(path)
    except (pa.ArrowException, OSError):
        return False
    schema = stored.schema.to_arrow_schema()
    return bool(stored.num_rows == block.size and schema.equals(block.schema(), True))


def run(sweep: Sweep, folder: Path, spread: Spread, same_disk: bool = False) -> Iterator[Progress]:
    """Compute the parts that are not in the folder yet, and yield the progress after each.

    On the same disk parts are written where they are computed and need not travel.

    Raises
    ------
    OSError
        If a part cannot be written.
    ParameterError
        If among the parts is what a reader would take for one.
    """
    place = folder / table.PARQUET
    sizes = {name: stop - start for name, start, stop in sweep.parts()}
    for path in place.iterdir() if place.is_dir() else ():
        if path.name not in sizes and not path.name.startswith("."):
            raise ParameterError(f"{path} is no part of this sweep: move it away.")
    place.mkdir(exist_ok=True)
    table.write_columns(folder, columns_of(sweep.chapter, (*sweep.fixed, *sweep.points.names)))
    known = sums(folder)
    there = {
        name
        for name, start, stop in sweep.parts()
        if is_sound(folder, f"{table.PARQUET}/{name}", known)
        and _is_part(place / name, sweep.block(start, stop))
    }
    done, failed, reason = sum(sizes[name] for name in there), 0, ""
    yield Progress(sweep.points.size, done, failed)

    def job(name: str, start: int, stop: int) -> Job:
        written = partial(_part_aside, sweep.function, place.resolve() / name)
        function = written if same_disk else sweep.function
        return Job(name, function, sweep.block(start, stop), short=True)

    if done == sweep.points.size:
        return
    for made, result in spread(job(*part) for part in sweep.parts() if part[0] not in there):
        if same_disk and isinstance(result, OSError):
            raise result
        if isinstance(result, Exception):
            failed += sizes[made.key]
            reason = " ".join(f"{type(result).__name__}: {result}".split())
        else:
            aside, sha256 = result if same_disk else _aside(result, place / made.key)
            move_into_place(aside, place / made.key)
            shutil.rmtree(aside.parent)
            add_sum(folder, f"{table.PARQUET}/{made.key}", sha256)
            done += sizes[made.key]
        yield Progress(sweep.points.size, done, failed, reason)


def write_csv(folder: Path) -> None:
    """Write all parts as one CSV file, part by part."""
    parts = sorted((folder / table.PARQUET).glob("part-*.parquet"))
    with written_aside(folder / table.CSV_FILE) as aside:
        schema = parquet.read_schema(parts[0])
        options = csv.WriteOptions(quoting_style="needed", quoting_header="needed")
        with csv.CSVWriter(aside, schema, write_options=options) as writer:
            for path in parts:
                writer.write_table(parquet.read_table(path, partitioning=None))
