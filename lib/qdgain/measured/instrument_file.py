"""Spectra as instruments and spreadsheets export them.

`traces` returns every spectrum of a file, whatever its format, `choose` one of them, and `at_delay`
the average over some delays of a transient. What cannot be understood is refused with its line
number; what had to be guessed is said in the notes. See `qdgain.measured.instruments.formats`.
"""

from __future__ import annotations

import difflib
import math
import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import pairwise
from pathlib import Path
from typing import NoReturn

import numpy as np
from numpy.typing import ArrayLike

from qdgain.files import read_bytes
from qdgain.measured.instruments import formats
from qdgain.measured.instruments.axis import PER, energies, unit_of
from qdgain.measured.instruments.table import Raw
from qdgain.measured.instruments.text import MOST_BYTES, Unusable, plain
from qdgain.model.dot import FloatArray
from qdgain.model.parameters import ParameterError
from qdgain.model.units import nm_from_eV

#: The fewest points that are a spectrum.
FEWEST = 8
#: How many traces a refusal offers.
_MOST_OFFERED = 12
#: Units of a time in ps; a time without a unit is in ps.
_PS = {"fs": 1e-3, "ps": 1.0, "": 1.0, "ns": 1e3, "us": 1e6, "ms": 1e9, "s": 1e12, "min": 6e13}
#: What a trace keeps as the file has it.
_FACTS = ("block", "labels", "number", "position", "position_unit")
#: Before this delay no pump has arrived yet, whatever the chirp.
_BEFORE_PS = -0.3
#: What a file may say of its values: the first that is found counts.
_QUANTITIES = {
    "log absorbance": r"log\w*[ (]*(?:eps|ε|abs)",
    "transmittance": r"%\s*T\b|\bT\s*[([]?\s*%|transmi",
    "reflectance": r"%\s*R\b|\bR\s*[([]?\s*%|reflect",
    "absorbance": r"\babs(?!orpt)|absorb|extin|optical density|\bOD\b|^A(\.U\.)?$",
    "counts": r"count|\bcps\b|\bcnt|intens|microamps|^INT$",
}


@dataclass(frozen=True, eq=False)
class Trace:
    """One spectrum of a file: rising photon energies and values as in the file, of shape E.

    `unit` is that of the file's axis and `per`, nm or eV, what an intensity is per; `quantity` is
    what the file calls the values, "" if nothing, and ``absorbance`` also where that was computed
    from a transmittance. `position` is the number that the name is, such as a delay, in its unit.
    `block` names the table it stands in if there are several, `number` its column from 1. `about`
    are the file's other lines, `left_out` the lines of points without a value; the notes say, a
    clause each, what was guessed, averaged or left out. A trace that cannot be used has no points,
    and its `refusal` says why.
    """

    source: str  # how refusals call the file, such as "the absorption file a.csv"
    name: str
    energy_eV: FloatArray
    values: FloatArray
    unit: str = ""
    quantity: str = ""
    block: str = ""
    labels: tuple[str, ...] = ()
    number: int = 0
    position: float | None = None
    position_unit: str = ""
    about: tuple[str, ...] = ()
    left_out: tuple[int, ...] = ()
    notes: tuple[str, ...] = ()
    refusal: str = ""

    @property
    def per(self) -> str:
        """What an intensity is per: nm against wavelengths, else eV."""
        return PER.get(self.unit, "nm" if self.unit == "Å" else "eV")

    @property
    def title(self) -> str:
        """The name, with that of its block."""
        return self.name if self.block in ("", self.name) else f"{self.block}: {self.name}"

    def usable(self) -> Trace:
        """Return the trace itself, or raise its refusal."""
        if self.refusal:
            refuse(self.source, self.refusal)
        return self


def refuse(source: str, reason: object) -> NoReturn:
    """Raise the sentence that says why a file is not usable."""
    raise ParameterError(f"{source} is not usable: {reason}.")


def traces(
    path: str | Path, kind: str = "file", unit: str | None = None, unit_hint: str = ""
) -> tuple[Trace, ...]:
    """Return every spectrum of a file.

    A refusal calls the file by its kind, such as ``absorption file``, and its name; `unit` is that
    of the axis if the user gives it, and the hint says how. Spectra that stand one below the other
    come out one by one, never averaged. A `ParameterError` says in one sentence why a file cannot
    be used, with the line number.
    """
    path = Path(path)
    source = f"the {kind} {plain(path.name)}".replace("\n", " ")
    content = read_bytes(kind, path, MOST_BYTES)
    try:
        raws, about, notes = formats.read(content, FEWEST)
    except Unusable as reason:
        refuse(source, reason)
    if not raws:
        refuse(source, "it has no column of values beside its axis")
    found = []
    for raw in (part for whole in raws for part in _unstacked(whole)):
        try:
            trace = _trace(raw, source, unit, unit_hint)
        except Unusable as reason:
            trace = Trace(source, raw.name, np.array([]), np.array([]), refusal=str(reason))
        facts = {name: getattr(raw, name) for name in _FACTS}
        found.append(replace(trace, **facts, about=about, notes=(*notes, *trace.notes)))
    if all(trace.refusal for trace in found):
        found[0].usable()
    return tuple(found)


def _unstacked(raw: Raw) -> list[Raw]:
    """Return the spectra that stand one below the other in one pair of columns, else the one."""
    good = np.flatnonzero(np.isfinite(raw.x))
    steps = np.sign(np.diff(raw.x[good]))
    ends, direction = [0], 0.0
    for i, step in enumerate(steps, start=1):
        if step * direction >= 0:
            direction = direction or step
            continue
        # Of a point measured twice where the scan turns, each belongs to one way.
        twice = i > 1 and steps[i - 2] == 0
        ends.append(i - twice)
        direction = step if twice else 0.0
    runs = [good[a:b] for a, b in zip(ends, [*ends[1:], good.size], strict=True)]
    runs = [run for run in runs if run.size >= FEWEST]
    spans = [(raw.x[run].min(), raw.x[run].max()) for run in runs]
    overlap = [
        min(a[1], b[1]) - max(a[0], b[0]) > 0.5 * min(a[1] - a[0], b[1] - b[0])
        for a, b in pairwise(spans)
    ]
    if not any(overlap):
        return [raw]
    return [
        raw._replace(
            block=f"{raw.block} {number}".strip(),
            x=raw.x[run],
            y=raw.y[run],
            lines=tuple(raw.lines[i] for i in run) if raw.lines else (),
        )
        for number, run in enumerate(runs, start=1)
    ]


def _trace(raw: Raw, source: str, given: str | None, hint: str) -> Trace:
    """Return a spectrum: energies rising, missing points left out, repeated ones averaged."""
    x, y = raw.x, raw.y
    known = x[np.isfinite(x)]
    if not known.size:
        raise Unusable(f"its axis {raw.axis!r} holds no number")
    # An axis value missing at a value, or none that can be a wavelength or an energy.
    wrong = np.flatnonzero(np.where(np.isnan(x), np.isfinite(y), ~((x > 0) & np.isfinite(x))))
    if wrong.size:
        line = f"line {raw.lines[wrong[0]]}: " if raw.lines else ""
        raise Unusable(f"{line}{raw.axis!r} is {x[wrong[0]]:g} and must be above 0")
    unit, guess = unit_of(raw.axis, raw.stated, known, given, hint)
    y, quantity, converted = _as_absorbance(raw, y)
    bad = ~np.isfinite(y) & np.isfinite(x)
    missing, over = np.sum(np.isnan(y) & bad), np.sum(np.isinf(y))
    notes = [guess, converted]
    for left_out, what in ((missing, "missing"), (over, "over range")):
        notes.append(f"{_count(int(left_out), 'value')} {what}, left out" if left_out else "")
    good = np.isfinite(x) & np.isfinite(y)
    energy, place, repeats = np.unique(
        energies(unit, x[good]), return_inverse=True, return_counts=True
    )
    if energy.size < FEWEST:
        raise Unusable(
            f"its column {raw.name!r} has values at {energy.size} energies and needs at least "
            f"{FEWEST} energies"
        )
    if repeated := int(np.sum(repeats > 1)):
        count = "1 energy" if repeated == 1 else f"{repeated} energies"
        notes.append(f"{count} repeated, averaged")
    averaged = np.bincount(place, weights=y[good]) / repeats
    lines = tuple(raw.lines[i] for i in np.flatnonzero(bad)) if raw.lines else ()
    said = tuple(filter(None, notes))
    return Trace(source, raw.name, energy, averaged, unit, quantity, left_out=lines, notes=said)


def _as_absorbance(raw: Raw, y: FloatArray) -> tuple[FloatArray, str, str]:
    """Return values, what they are, and a note where they became absorbance, -lg T or 10^lg ε."""
    said = (*raw.labels, raw.quantity)
    kinds = (k for k, words in _QUANTITIES.items() if any(re.search(words, x, re.I) for x in said))
    kind = next(kinds, "")
    if kind == "log absorbance":
        with np.errstate(over="ignore"):
            return 10.0**y, "absorbance", "a logarithm, taken as its power of ten"
    if kind != "transmittance":
        return y, kind, ""
    percent = "%" in " ".join(said) or y.max(where=np.isfinite(y), initial=0.0) > 2.0
    part = y / 100 if percent else y
    with np.errstate(divide="ignore", invalid="ignore"):
        # Where nothing comes through the absorbance is beyond the instrument's range.
        absorbance = np.where(part <= 0, np.inf, -np.log10(part))
    scale = "percent" if percent else "parts of one"
    return absorbance, "absorbance", f"transmittance in {scale}, taken as absorbance"


def choose(found: Sequence[Trace], wanted: str | int | None = None, hint: str = "column") -> Trace:
    """Return a trace: by name, else by number from 1, else the only one.

    A name is as in the file, in any case, that of a block with one trace, or both. Where the names
    are numbers, such as delays, a number is one of them whatever its digits (10 is 10.0), and never
    a column; else it counts the axis as 1. Refused is what is not there, and to choose none of
    several; `hint` says what the user sets to choose.
    """
    source = found[0].source
    offered = ", ".join(f"{t.number} ({t.title!r})" for t in found[:_MOST_OFFERED])
    offered += ", …" if len(found) > _MOST_OFFERED else ""
    if wanted is None:
        if len(found) > 1:
            refuse(source, f"it has {len(found)} traces: choose one by {hint}, of {offered}")
        return found[0].usable()
    asked = plain(str(wanted).strip())
    named = _named(found, asked)
    if len(named) > 1:
        more = f"{len(named)} of its columns are called {asked!r}: give the number, of {offered}"
        if len({trace.block for trace in named}) > 1:
            titles = ", ".join(repr(trace.title) for trace in named[:_MOST_OFFERED])
            more = f"{len(named)} of its spectra are called {asked!r}: give one of {titles}"
        refuse(source, more)
    if named:
        return named[0].usable()
    near = difflib.get_close_matches(asked, [trace.name for trace in found], n=1)
    meant = f"did you mean {near[0]!r}? The" if near else "the"
    refuse(source, f"it has no trace {asked!r} for {hint}: {meant} traces are {offered}")


def _named(found: Sequence[Trace], wanted: str) -> list[Trace]:
    """Return the traces that answer to a name, exactly or else in any case, or to a number."""
    for same in (str, str.casefold):
        called = [t for t in found if same(wanted) in {same(x) for x in _names(t, found)}]
        if called:
            return called
    try:
        number = float(wanted)
    except ValueError:
        return []
    if all(trace.position is not None for trace in found):
        return [
            t
            for t in found
            if any(math.isclose(x, number, rel_tol=1e-9) for x in (t.position or 0.0, _delay(t)))
        ]
    return [trace for trace in found if trace.number == number and wanted.isdecimal()]


def _names(trace: Trace, found: Sequence[Trace]) -> set[str]:
    alone = sum(other.block == trace.block for other in found) == 1
    return {trace.name, trace.title, *trace.labels, trace.block if alone else ""} - {""}


def choose_transient(
    found: Sequence[Trace],
    wanted: str | None = None,
    hint: str = "column",
    earliest_ps: float = 0.0,
) -> Trace:
    """Return a transient: where the traces are delays, at one (``10``) or over some (``5:20``).

    See `at_delay`; otherwise, and by name, as `choose` does.
    """
    delays = re.fullmatch(r"\s*([-+.\deE]+)(?:\s*:\s*([-+.\deE]+))?\s*", wanted or "")
    if len(found) == 1 or not delays or any(math.isnan(_delay(trace)) for trace in found):
        return choose(found, wanted, hint)
    try:
        low, high = (None if text is None else float(text) for text in delays.groups())
    except ValueError:
        return choose(found, wanted, hint)
    return at_delay(found, low or 0.0, high, earliest_ps)


def at_delay(
    found: Sequence[Trace], low_ps: float, high_ps: float | None = None, earliest_ps: float = 0.0
) -> Trace:
    """Return a transient at a delay, or averaged over a range, less the signal before time zero.

    The delays are the numbers that the traces are called by, in ps unless the file says otherwise.
    A single delay is the nearest one measured, at most half a step away. Before time zero are the
    delays below -0.3 ps, or else below 0. Refused (`ParameterError`) are traces that are not called
    by delays, and a delay that was not measured, or before `earliest_ps`, when excitons have not
    relaxed yet.
    """
    source = found[0].source
    delays = np.array([_delay(trace) for trace in found])
    if np.isnan(delays).any():
        refuse(source, "its traces are not called by delays, so no delay can be chosen")
    high = low_ps if high_ps is None else high_ps
    if low_ps < earliest_ps:
        refuse(
            source,
            f"at a delay of {low_ps:g} ps excitons have not relaxed yet: choose "
            f"{math.ceil(100 * earliest_ps) / 100:g} ps or later",
        )
    inside = (delays >= low_ps - 1e-9) & (delays <= high + 1e-9)
    if high == low_ps and not inside.any():
        nearest = int(np.argmin(abs(delays - low_ps)))
        steps = np.sort(abs(np.delete(delays, nearest) - delays[nearest]))
        inside[nearest] = steps.size > 0 and abs(delays[nearest] - low_ps) <= 0.5 * steps[0]
    if not inside.any():
        at = f"{low_ps:g}" if high == low_ps else f"{low_ps:g} to {high:g}"
        ends = f"{delays.min():g} to {delays.max():g} ps"
        refuse(source, f"nothing was measured at a delay of {at} ps: its delays are {ends}")
    before = delays < (_BEFORE_PS if (delays < _BEFORE_PS).any() else 0.0)
    chosen = _average([t for t, is_in in zip(found, inside, strict=True) if is_in])
    notes = [f"delays averaged: {', '.join(f'{x:g}' for x in delays[inside])} ps"]
    values = chosen.values
    if before.any():
        dark = _average([t for t, is_in in zip(found, before, strict=True) if is_in])
        values = values - np.interp(chosen.energy_eV, dark.energy_eV, dark.values)
        notes.append(f"less the average of {_count(int(before.sum()), 'delay')} before time zero")
    return replace(chosen, values=values, notes=(*chosen.notes, *notes))


def _delay(trace: Trace) -> float:
    """Return the delay in ps that a trace is called by; nan if it is called otherwise."""
    scale = _PS.get(trace.position_unit, math.nan)
    return math.nan if trace.position is None else trace.position * scale


def _average(some: Sequence[Trace]) -> Trace:
    """Return the average at the energies that the first one has."""
    first = some[0].usable()
    both = [np.interp(first.energy_eV, t.usable().energy_eV, t.values) for t in some]
    name = first.name if len(some) == 1 else f"{first.name} to {some[-1].name}"
    return replace(first, name=name, values=np.mean(both, axis=0))


def _count(number: int, what: str) -> str:
    return f"{number} {what}{'' if number == 1 else 's'}"


def intensity_per_eV(energy_eV: ArrayLike, intensity_per_nm: ArrayLike) -> FloatArray:
    r"""Return an intensity per unit energy from one per unit wavelength.

    :math:`I_E = I_\lambda\,|d\lambda/dE| = I_\lambda\,\lambda^2/hc`, in the intensity's unit per
    eV; absorbance, a ratio, needs no such factor. The shapes broadcast, and energies are above zero
    (`ParameterError`).

    Notes
    -----
    Without the factor a Gaussian of standard deviation s at E is seen :math:`2s^2/E` too far to the
    blue. Source: Mooney and Kambhampati 2013, DOI 10.1021/jz401508t.
    """
    energy = np.asarray(energy_eV, dtype=float)
    return np.asarray(np.asarray(intensity_per_nm, dtype=float) * nm_from_eV(energy) / energy)
