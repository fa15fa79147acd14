"""Spectra as instruments and spreadsheets export them.

Text in UTF-8 or UTF-16, with or without byte-order mark, or else in Latin-1; lines of metadata,
then at most a few header lines, then a table separated by tabs, semicolons, commas or white space,
with decimal points or decimal commas. What cannot be understood is refused with its line number;
what had to be guessed is said in the notes.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple, NoReturn

import numpy as np
from numpy.typing import ArrayLike

from qdgain.measured.axis import Axis, names_axis
from qdgain.measured.dialect import Dialect, Unusable, read_text, split_lines
from qdgain.measured.layout import find_layout, numbers_of
from qdgain.model.dot import FloatArray
from qdgain.model.parameters import ParameterError
from qdgain.model.units import eV_from_nm, nm_from_eV

#: The fewest points that are a spectrum.
FEWEST = 8
#: How many traces a refusal offers.
_MOST_OFFERED = 12


class Trace(NamedTuple):
    """One spectrum of a file: rising photon energies and values as in the file, of shape E.

    Also the unit of the file's axis, the name of the column, and in the notes, a clause each, what
    was guessed, averaged or left out.
    """

    energy_eV: FloatArray
    values: FloatArray
    unit: str
    column: str
    notes: tuple[str, ...] = ()


class Table(NamedTuple):
    """The table of a file.

    The labels are what each header line says of a column, the names all of them together, or
    ``column 2`` and so on without a header. The values, of shape (rows, columns), are nan where
    missing and infinite where over range. Also the line number of each row, the other lines of text
    without comment marks, and what had to be guessed.
    """

    source: str  # how refusals call the file, such as "the absorption file a.csv"
    names: tuple[str, ...]
    labels: tuple[tuple[str, ...], ...]
    values: FloatArray
    lines: tuple[int, ...]
    metadata: tuple[str, ...]
    dialect: Dialect
    notes: tuple[str, ...] = ()

    def refuse(self, reason: str) -> NoReturn:
        """Raise the sentence that says why the file is not usable."""
        raise _refusal(self.source, reason)

    @property
    def _axes(self) -> list[int]:
        return [i for i, labels in enumerate(self.labels) if any(map(names_axis, labels))]

    def axis_of(self, column: int) -> int:
        """Return the index of the axis that belongs to a column.

        The nearest axis to its left, since some instruments write one for each trace; of two axes
        side by side the first, which is the measured one. Without named axes, the first column.
        """
        axes = [i for i in self._axes if i < column]
        axis = axes[-1] if axes else 0
        while axis - 1 in axes:
            axis -= 1
        return axis

    def axis_unit(self, axis: int, unit: str | None = None, hint: str = "") -> tuple[str, str]:
        """Return the unit of an axis and a note if it was guessed, see `Axis.unit`."""
        x = self.values[:, axis]
        found = Axis(self.names[axis], axis == 0, float(np.nanmin(x)), float(np.nanmax(x)))
        with _refusals(self.source):
            return found.unit(unit, self.metadata, hint)

    def traces(self) -> list[int]:
        """Return the indices of the columns that hold a spectrum."""
        axes = self._axes
        first = axes[0] if axes else 0
        return [
            i
            for i in range(first + 1, len(self.names))
            if i not in axes and np.isfinite(self.values[:, i]).any()
        ]

    def find(self, column: str | int | None, hint: str = "column") -> int:
        """Return the index of a column: by name, else by number from 1, else the only trace.

        A name is as in the header, in any case; a number counts the axis as 1. Refused is a column
        that is not there, and to choose none of several; `hint` says what the user sets to choose.
        """
        traces = self.traces()
        if not traces:
            self.refuse("it has no column of values beside its axis")
        offered = ", ".join(f"{i + 1} ({self.names[i]!r})" for i in traces[:_MOST_OFFERED])
        if len(traces) > _MOST_OFFERED:
            offered += ", …"
        if column is None:
            if len(traces) > 1:
                self.refuse(f"it has {len(traces)} traces: choose one by {hint}, of {offered}")
            return traces[0]
        wanted = str(column).strip()
        # Some instruments write a trace's name above its axis.
        named = {i if i in traces else i + 1 for i in self._named(wanted)}.intersection(traces)
        if len(named) > 1:
            self.refuse(
                f"{len(named)} of its columns are called {wanted!r}: give the number, of {offered}"
            )
        if named:
            return named.pop()
        if wanted.isdecimal() and int(wanted) - 1 in traces:
            return int(wanted) - 1
        near = difflib.get_close_matches(wanted, [self.names[i] for i in traces], n=1)
        meant = f"did you mean {near[0]!r}? The" if near else "the"
        self.refuse(f"it has no trace {wanted!r} for {hint}: {meant} traces are {offered}")

    def _named(self, wanted: str) -> list[int]:
        """Return the columns of a name or label, in any case if none has it exactly."""
        both = zip(self.names, self.labels, strict=True)
        called = [{name, *filter(None, own)} for name, own in both]
        exact = [i for i, names in enumerate(called) if wanted in names]
        wanted = wanted.casefold()
        return exact or [i for i, names in enumerate(called) if wanted in map(str.casefold, names)]

    def trace(
        self,
        column: str | int | None = None,
        unit: str | None = None,
        column_hint: str = "column",
        unit_hint: str = "",
    ) -> Trace:
        """Return one spectrum, energies rising, missing points left out, repeated ones averaged.

        Column and unit are found as `find` and `axis_unit` do.

        Raises
        ------
        ParameterError
            If the column or the unit cannot be told, an energy is not above zero, or too few
            points are left.
        """
        chosen = self.find(column, column_hint)
        axis = self.axis_of(chosen)
        which, guess = self.axis_unit(axis, unit, unit_hint)
        notes = [*self.notes, guess]
        x, y = self.values[:, axis], self.values[:, chosen]
        wrong = np.flatnonzero(np.where(np.isnan(x), np.isfinite(y), ~((x > 0) & np.isfinite(x))))
        if wrong.size:
            line, value = self.lines[wrong[0]], x[wrong[0]]
            self.refuse(f"line {line}: {self.names[axis]!r} is {value:g} and must be above 0")
        missing, over = np.sum(np.isnan(y) & ~np.isnan(x)), np.sum(np.isinf(y))
        for left_out, what in ((missing, "missing"), (over, "over range")):
            if left_out:
                notes.append(
                    f"{left_out} {'value' if left_out == 1 else 'values'} {what}, left out"
                )
        good = np.isfinite(x) & np.isfinite(y)
        energy = x[good] if which == "eV" else eV_from_nm(x[good])
        energies, place, repeats = np.unique(energy, return_inverse=True, return_counts=True)
        if energies.size < FEWEST:
            self.refuse(
                f"its column {self.names[chosen]!r} has values at {energies.size} energies and "
                f"needs at least {FEWEST} energies"
            )
        if repeated := int(np.sum(repeats > 1)):
            notes.append(f"{_count(repeated, 'energy', 'energies')} repeated, averaged")
        averaged = np.bincount(place, weights=y[good]) / repeats
        return Trace(energies, averaged, which, self.names[chosen], tuple(filter(None, notes)))


def intensity_per_eV(energy_eV: ArrayLike, intensity_per_nm: ArrayLike) -> FloatArray:
    r"""Return an intensity per unit energy from one per unit wavelength.

    :math:`I_E = I_\lambda\,|d\lambda/dE| = I_\lambda\,\lambda^2/hc`, in the intensity's unit per
    eV; absorbance, a ratio, needs no such factor. The shapes broadcast.

    Raises
    ------
    ParameterError
        If an energy is not above zero.

    Notes
    -----
    Without the factor a Gaussian of standard deviation s at E is seen :math:`2s^2/E` too far to the
    blue. Source: Mooney and Kambhampati 2013, DOI 10.1021/jz401508t.
    """
    energy = np.asarray(energy_eV, dtype=float)
    return np.asarray(np.asarray(intensity_per_nm, dtype=float) * nm_from_eV(energy) / energy)


def read_table(path: str | Path, kind: str = "file", fewest: int = FEWEST) -> Table:
    """Return the table of a text file, of at least `fewest` rows.

    A refusal calls the file by its kind, such as ``absorption file``, and its name.

    Raises
    ------
    ParameterError
        If the file cannot be used; one sentence says why, with the line number.
    """
    path = Path(path)
    source = f"the {kind} {path.name}"
    with _refusals(source):
        text, notes = read_text(path)
        lines, dialect = split_lines(text)
        layout = find_layout(lines, dialect, fewest)
        values = numbers_of(layout, dialect)
    labels = tuple(
        tuple(cells[i].strip() if i < len(cells) else "" for cells in layout.header)
        for i in range(values.shape[1])
    )
    return Table(
        source,
        tuple(" ".join(filter(None, label)) or f"column {i}" for i, label in enumerate(labels, 1)),
        labels,
        values,
        tuple(row.number for row in layout.rows),
        tuple(line.bare.strip() for line in layout.others),
        dialect,
        notes,
    )


def _count(number: int, one: str, more: str) -> str:
    return f"{number} {one if number == 1 else more}"


def _refusal(source: str, reason: object) -> ParameterError:
    return ParameterError(f"{source} is not usable: {reason}.")


@contextmanager
def _refusals(source: str) -> Iterator[None]:
    """Turn the reason why a file is unusable into a sentence with its name."""
    try:
        yield
    except Unusable as reason:
        raise _refusal(source, reason) from None
