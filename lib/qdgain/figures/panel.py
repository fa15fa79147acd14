"""What a panel shows: named series with units, ready to be drawn, exported and compared."""

from __future__ import annotations

import csv
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from numpy.typing import ArrayLike

from qdgain.model.dot import FloatArray

KINDS = ("line", "points", "band", "map", "level")


@dataclass(frozen=True)
class Axis:
    """A quantity with its unit; unit ``1`` for a pure number."""

    name: str
    unit: str = "1"

    @property
    def label(self) -> str:
        """The axis label: name and, unless it is a pure number, unit."""
        return self.name if self.unit == "1" else f"{self.name} ({self.unit})"

    @property
    def column(self) -> str:
        """The column header of an exported table."""
        return f"{self.name} [{self.unit}]"


#: Stands for the panel's own axis, see `qdgain.figures.kit.panel`.
NO_AXIS = Axis("")
ENERGY = Axis("photon energy", "eV")
MEAN_EXCITONS = Axis("mean excitons ⟨N⟩")
FLUENCE = Axis("pump fluence", "mJ cm⁻²")
THRESHOLD = Axis("threshold ⟨N⟩")
STOKES_SHIFT = Axis("Stokes shift S", "meV")
DELTA_A2 = Axis("absorptive biexciton shift Δ_A2", "meV")


@dataclass(frozen=True, eq=False)
class Series:
    """One named curve, set of points, band or map.

    Parameters
    ----------
    x, y : array_like
        1-D. For a map, the values along its two axes; otherwise of one length.
    z : array_like, optional
        For a map: values of shape (len(y), len(x)).
    y_low, y_high : array_like, optional
        The edges of a band, or the ends of the error bars of points.
    x_low, x_high : array_like, optional
        The ends of the horizontal error bars of points.
    quantity : str
        The key of the book's colour table, see `qdgain.figures.style`.
    kind : {"line", "points", "band", "map", "level"}
        How it is drawn; a level is a horizontal line that spans the axis.
    dash : str
        A matplotlib line format, such as ``--`` or ``-o``, or the marker of points; tells curves
        of one colour apart in grey.
    behind : bool
        Whether it is drawn faintly behind the others, as the paper's curve behind a user's.
    """

    name: str
    x: ArrayLike
    y: ArrayLike
    x_axis: Axis = NO_AXIS
    y_axis: Axis = NO_AXIS
    z: ArrayLike | None = None
    z_axis: Axis | None = None
    y_low: ArrayLike | None = None
    y_high: ArrayLike | None = None
    x_low: ArrayLike | None = None
    x_high: ArrayLike | None = None
    quantity: str = ""
    kind: str = "line"
    dash: str = "-"
    behind: bool = False

    def __post_init__(self) -> None:
        for field in ("x", "y", "z", "y_low", "y_high", "x_low", "x_high"):
            value = getattr(self, field)
            if value is not None:
                array = np.array(value, dtype=float, ndmin=1)
                array.flags.writeable = False
                object.__setattr__(self, field, array)
        if self.kind not in KINDS:
            raise ValueError(f"series {self.name!r}: {self.kind!r} is none of {', '.join(KINDS)}")
        x, y, z = (np.asarray(values).shape for values in (self.x, self.y, self.z))
        if self.z is None and x != y:
            raise ValueError(f"series {self.name!r}: x {x} and y {y} differ")
        if self.z is not None and z != (*y, *x):
            raise ValueError(f"series {self.name!r}: z is {z}, not (len(y), len(x))")

    def same_curve(self, other: Series) -> bool:
        """Return whether another series goes through the same points, to rounding."""
        return all(
            np.shape(mine) == np.shape(theirs)
            and np.allclose(mine, theirs, rtol=1e-9, equal_nan=True)
            for mine, theirs in ((self.x, other.x), (self.y, other.y))
        )

    @property
    def values(self) -> FloatArray:
        """What the series shows: z of a map, otherwise y."""
        return np.asarray(self.y if self.z is None else self.z, dtype=float)

    def columns(self) -> dict[str, FloatArray]:
        """Return the series as columns of one length, keyed by header with unit."""
        if self.z is None or self.z_axis is None:
            table = {self.x_axis.column: np.asarray(self.x), self.y_axis.column: np.asarray(self.y)}
            ends = ((self.y_axis, self.y_low, self.y_high), (self.x_axis, self.x_low, self.x_high))
            for axis, *both in ends:
                for field, edge in zip(("low", "high"), both, strict=True):
                    if edge is not None:
                        table[f"{axis.name}, {field} [{axis.unit}]"] = np.asarray(edge)
            return table
        x, y = np.meshgrid(np.asarray(self.x), np.asarray(self.y))
        return {
            self.x_axis.column: x.ravel(),
            self.y_axis.column: y.ravel(),
            self.z_axis.column: np.asarray(self.z).ravel(),
        }


@dataclass(frozen=True)
class Panel:
    """One panel of a figure: the paper's letter, a few words, series with distinct names."""

    letter: str
    title: str
    series: tuple[Series, ...]

    def __post_init__(self) -> None:
        names = [series.name for series in self.series]
        if len(set(names)) != len(names):
            raise ValueError(f"panel {self.letter}: series names repeat: {names}")

    def __getitem__(self, name: str) -> Series:
        """Return the series of that name."""
        for series in self.series:
            if series.name == name:
                return series
        raise KeyError(f"panel {self.letter} has no series {name!r}")

    def of_kind(self, *kinds: str) -> tuple[Series, ...]:
        """Return the series of these kinds, in order."""
        return tuple(series for series in self.series if series.kind in kinds)

    def to_csv(self, path: str | Path) -> None:
        """Write every series below one header with units, one row a point, blanks where n/a."""
        headers: list[str] = []
        for series in self.series:
            headers += [header for header in series.columns() if header not in headers]
        with Path(path).open("w", newline="", encoding="utf-8") as stream:
            writer = csv.writer(stream)
            writer.writerow(["series", *headers])
            for series in self.series:
                texts = {name: _exact(values) for name, values in series.columns().items()}
                length = len(next(iter(texts.values())))
                columns = [texts.get(header, [""] * length) for header in headers]
                writer.writerows(zip([series.name] * length, *columns, strict=True))


#: What a figure's function returns: one panel or several.
Panels = Panel | tuple[Panel, ...]


def _exact(values: FloatArray) -> list[str]:
    """Return numbers as the shortest texts that give them back."""
    return [repr(value) for value in np.asarray(values, dtype=float).tolist()]


def with_papers_behind(panel: Panel, papers: Panel) -> Panel:
    """Return a panel with the paper's lines behind its own where they differ.

    `papers` is the same panel with the paper's parameters.
    """
    own = {series.name: series for series in panel.series}
    behind = tuple(
        replace(series, name=f"{series.name}, the paper's parameters", behind=True)
        for series in papers.of_kind("line")
        if series.name not in own or not series.same_curve(own[series.name])
    )
    return replace(panel, series=panel.series + behind)
