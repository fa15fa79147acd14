"""JCAMP-DX: labelled records, linked blocks, and data in any of its encodings.

Source: McDonald and Wilks, Appl. Spectrosc. 42, 151 (1988), DOI 10.1366/0003702884428734. x runs
evenly from FIRSTX to LASTX; the x that begins a line only checks that none is missing. Not by the
library jcamp: it fails on a repeated squeezed value, and prints where its checks fail.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import NamedTuple

import numpy as np

from qdgain.measured.instruments.table import Raw
from qdgain.measured.instruments.text import MOST_VALUES, Unusable, lines_in, refuse_many
from qdgain.model.dot import FloatArray

#: Digits that stand for a separator, a sign and a first digit: squeezed, difference, duplicate.
_SQUEEZED = {c: str(i) for i, c in enumerate("@ABCDEFGHI")}
_SQUEEZED |= {c: f"-{i}" for i, c in enumerate("abcdefghi", start=1)}
_DIFFERENCE = {c: str(i) for i, c in enumerate("%JKLMNOPQR")}
_DIFFERENCE |= {c: f"-{i}" for i, c in enumerate("jklmnopqr", start=1)}
_REPEATED = {c: str(i) for i, c in enumerate("STUVWXYZs", start=1)}
_VALUE = re.compile(
    r"[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]\d+)?|[@A-Ia-i%J-Rj-rS-Zs]\d*\.?\d*|\?|(\S)", re.ASCII
)
_PLAIN = re.compile(r"[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?")
_DATA = ("XYDATA", "XYPOINTS", "PEAKTABLE")


class _Record(NamedTuple):
    line: int
    label: str
    value: str
    below: list[tuple[int, str]]


def is_jcamp(text: str) -> bool:
    """Whether a text begins as JCAMP-DX does."""
    return re.match(r"(?:\s|\$\$[^\n]*\n)*##\s*(?:TITLE|JCAMP)[^\n=]*=", text, re.I) is not None


def traces(text: str) -> list[Raw]:
    """JCAMP-DX: AFFN, PAC, SQZ, DIF and DUP; XYDATA, XYPOINTS, peak tables; linked blocks."""
    found: list[Raw] = []
    block: dict[str, _Record] = {}
    outer: dict[str, _Record] = {}
    for record in _records(text):
        if record.label in ("TITLE", "END"):
            # What a link block says is true of those in it where they say nothing.
            outer = outer if set(_DATA) & set(block) else block
            block = dict(outer)
        block[record.label] = record
        if record.label in _DATA:
            found.append(_spectrum(block, record, len(found) + 1))
    if not found:
        raise Unusable("its JCAMP-DX blocks hold no XYDATA, XYPOINTS or PEAK TABLE")
    return found


def _records(text: str) -> Iterator[_Record]:
    """Yield ``##LABEL= value`` and the lines below; ``$$`` begins a comment."""
    record = None
    for number, line in enumerate(lines_in(text), start=1):
        bare = line.partition("$$")[0].strip()
        label = re.match(r"##([^=]*)=\s*(.*)", bare)
        if label:
            if record is not None:
                yield record
            plain = re.sub(r"[\s/_-]", "", label[1]).upper()
            record = _Record(number, plain, label[2].strip(), [])
        elif bare and record is not None:
            record.below.append((number, bare))
    if record is not None:
        yield record


def _spectrum(block: dict[str, _Record], data: _Record, number: int) -> Raw:
    form = re.sub(r"\s", "", data.value).upper()
    if form == "(X++(Y..Y))":
        x, y, lines = _counted(block, data)
    elif form in ("(XY..XY)", "(XY)"):
        x, y, lines = _pairs(block, data)
    else:
        raise Unusable(f"line {data.line}: its data are {data.value!r}, which are not read")
    said = {key: block[key].value for key in ("TITLE", "XUNITS", "YUNITS") if key in block}
    expected = _number(block, "NPOINTS", x.size)
    if x.size != expected:
        raise Unusable(f"line {data.line}: {expected:g} points are said to follow, and {x.size} do")
    title, quantity = said.get("TITLE") or str(number), said.get("YUNITS", "")
    return Raw(title, x, y, said.get("XUNITS", ""), quantity, (title,), number, lines)


def _number(block: dict[str, _Record], label: str, otherwise: float) -> float:
    record = block.get(label)
    if record is None or not record.value:
        return otherwise
    # Some countries' programs write a decimal comma here.
    text = record.value.replace(",", ".")
    if not _PLAIN.fullmatch(text):
        raise Unusable(f"line {record.line}: {label} is {record.value!r}, not a number")
    return float(text)


_Points = tuple[FloatArray, FloatArray, tuple[int, ...]]


def _pairs(block: dict[str, _Record], data: _Record) -> _Points:
    rows = [(line, _PLAIN.findall(text), text) for line, text in data.below]
    for line, values, text in rows:
        if len(values) % 2 or re.sub(r"[\s,;]", "", text) != "".join(values):
            raise Unusable(f"line {line} reads {text[:40]!r} and should hold pairs of x and y")
    flat = np.array([float(value) for _, values, _ in rows for value in values])
    lines = tuple(line for line, values, _ in rows for _ in values[::2])
    factors = _number(block, "XFACTOR", 1.0), _number(block, "YFACTOR", 1.0)
    return factors[0] * flat[::2], factors[1] * flat[1::2], lines


def _counted(block: dict[str, _Record], data: _Record) -> _Points:
    """Return the points of evenly spaced data, checked by the x of each line."""
    y: list[float] = []
    lines: list[int] = []
    starts, check = [], False
    for line, text in data.below:
        start, values, difference = _decoded(line, text)
        if check and (not values or abs(values[0] - y[-1]) > 1e-6 * (1 + abs(y[-1]))):
            raise Unusable(
                f"line {line} should begin with the last value, {y[-1]:g}: it is damaged"
            )
        # After differences the next line repeats the last value.
        values = values[check:]
        starts.append((line, start, len(y) - check))
        y += values
        lines += [line] * len(values)
        check = difference
        refuse_many(len(y))
    if not y:
        raise Unusable(f"line {data.line}: no values follow")
    first, factor = _number(block, "FIRSTX", np.nan), _number(block, "XFACTOR", 1.0)
    if np.isnan(first):
        first = factor * starts[0][1] if starts else np.nan
    step = _number(block, "DELTAX", np.nan)
    last = _number(block, "LASTX", first + step * (len(y) - 1))
    x = np.linspace(first, last, len(y)) if len(y) > 1 else np.array([first] * len(y))
    _check_lines(starts, x, factor)
    return x, _number(block, "YFACTOR", 1.0) * np.array(y), tuple(lines)


def _check_lines(starts: list[tuple[int, float, int]], x: FloatArray, factor: float) -> None:
    """Refuse a line whose own x is more than two points off, since lines are missing then."""
    step = abs(x[-1] - x[0]) / max(x.size - 1, 1)
    for line, start, i in starts:
        # An x without decimals may be off by one.
        near = 2 * step + abs(factor) * (1.0 if start == round(start) else 0.02)
        if i < x.size and abs(factor * start - x[i]) > near:
            raise Unusable(
                f"line {line} begins at {factor * start:g} where {x[i]:.6g} is due: lines are "
                "missing or FIRSTX, LASTX and XFACTOR are wrong"
            )


def _decoded(line: int, text: str) -> tuple[float, list[float], bool]:
    """Return the x of a line, its values, and whether the last one came from a difference."""
    values: list[float] = []
    kind, last = "", 0.0
    for match in _VALUE.finditer(text.replace(",", " ")):
        token = match[0]
        relative = token[0] in _REPEATED or token[0] in _DIFFERENCE
        if match[1] or (relative and len(values) < 2) or (not values and token == "?"):
            raise Unusable(f"line {line} reads {text[:40]!r}, which is no JCAMP-DX data")
        head, tail = token[0], token[1:]
        if head in _REPEATED:
            repeats = float(_REPEATED[head] + tail) - 1
            if repeats > MOST_VALUES:
                raise Unusable(f"line {line} repeats a value {repeats:g} times")
            for _ in range(int(repeats)):
                values.append(values[-1] + last if kind == "difference" else values[-1])
        elif head in _DIFFERENCE:
            kind, last = "difference", float(_DIFFERENCE[head] + tail)
            values.append(values[-1] + last)
        else:
            number = np.nan if token == "?" else float(_SQUEEZED.get(head, head) + tail)
            values.append(number)
            kind = "value"
    if not values:
        raise Unusable(f"line {line} reads {text[:40]!r}, which is no JCAMP-DX data")
    return values[0], values[1:], kind == "difference"
