"""SPC, the binary format of GRAMS: new (0x4B, 0x4C for big-endian machines) and old (0x4D).

Source: Galactic Industries, "Universal Data Format Specification" (1997). The library for it,
spc-spectra, has not changed since 2018 and knows neither 0x4C nor several x axes in one file well.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from typing import NamedTuple

import numpy as np

from qdgain.measured.instruments.table import Raw
from qdgain.measured.instruments.text import Unusable, plain, refuse_many
from qdgain.model.dot import FloatArray

_OLD, _BIG = 0x4D, 0x4C
_WORDS_16, _OWN_X, _X_GIVEN = 0x01, 0x40, 0x80
_AXES = {1: "cm-1", 2: "um", 3: "nm", 13: "Raman shift", 14: "eV"}
_QUANTITIES = {
    2: "Absorbance",
    4: "Counts",
    11: "Reflectance",
    128: "Transmittance",
    129: "Reflectance",
}
_FLOATS = 0x80
_SUBHEADER = 32
#: Flags, version, exponent, points, first and last x, spectra, types; and where the comment stands.
_NEW_HEADER, _NEW_SIZE, _NEW_COMMENT = "BBBbIddIBB", 512, 88
_OLD_HEADER, _OLD_SIZE, _OLD_COMMENT = "BBhfffBB", 224, 64


def is_spc(raw: bytes) -> bool:
    """Whether bytes begin as SPC does, which text does not: flags, then the version."""
    texts = raw[:2].isascii() and raw[2:64].replace(b"\r", b"").isascii() and 0 not in raw[:64]
    return len(raw) >= _OLD_SIZE and raw[1] in (0x4B, _BIG, _OLD) and not texts


def traces(raw: bytes) -> list[Raw]:
    """GRAMS SPC: new and old, of either byte order, one spectrum or many."""
    try:
        with np.errstate(all="ignore"):
            return list(_spectra(raw))
    except (struct.error, ValueError, OverflowError):
        raise Unusable("its SPC data end before they should") from None


class _Head(NamedTuple):
    """What stands before the spectra; `spectra` is None in the old format, which does not say."""

    flags: int
    exponent: int
    points: int
    ends: tuple[float, float]
    spectra: int | None
    axis: str
    quantity: str
    title: str
    size: int


def _head(raw: bytes, old: bool, order: str) -> _Head:
    if old:
        size, comment, count = _OLD_SIZE, _OLD_COMMENT, None
        flags, _, exponent, points, *ends, x, y = struct.unpack_from(order + _OLD_HEADER, raw)
    else:
        size, comment = _NEW_SIZE, _NEW_COMMENT
        read = struct.unpack_from(order + _NEW_HEADER, raw)
        flags, _, _, exponent, points, *ends, count, x, y = read
    if not flags & _OWN_X:
        refuse_many(points * (count or 1))
    title = plain(raw[comment : comment + 130].split(b"\0")[0].decode("latin-1")).strip()
    words = _AXES.get(x, "arbitrary" if x else ""), _QUANTITIES.get(y, "")
    both = float(ends[0]), float(ends[1])
    return _Head(flags, exponent & 0xFF, int(points), both, count, *words, title, size)


def _spectra(raw: bytes) -> Iterator[Raw]:
    old, order = raw[1] == _OLD, ">" if raw[1] == _BIG else "<"
    head = _head(raw, old, order)
    own_x = head.flags & _OWN_X
    at, number, shared = head.size, 0, np.linspace(*head.ends, 0 if own_x else head.points)
    if head.flags & _X_GIVEN and not own_x:
        shared, at = _floats(raw, at, head.points, order), at + 4 * head.points
    while at + _SUBHEADER < len(raw) if head.spectra is None else number < head.spectra:
        number += 1
        own_exponent, z, points = struct.unpack_from(order + "xB2xf8xI", raw, at)
        at, x = at + _SUBHEADER, shared
        if own_x:
            x, at = _floats(raw, at, points, order), at + 4 * points
        # The first spectrum of a file of one often leaves its exponent to the file.
        power = own_exponent if own_exponent and head.spectra != 1 else head.exponent
        size = 2 if head.flags & _WORDS_16 and power != _FLOATS else 4
        y = _values(raw, at, x.size, order, exponent=power, size=size, old=old)
        at += size * x.size
        name = f"{z:g}" if head.spectra != 1 and z else str(number)
        title, labels = head.title or "1" if head.spectra == 1 else name, (name, head.title)
        yield Raw(title, x, y, head.axis, head.quantity, labels, number)


def _floats(raw: bytes, at: int, points: int, order: str) -> FloatArray:
    return np.frombuffer(raw, order + "f4", points, at).astype(float)


def _values(
    raw: bytes, at: int, points: int, order: str, *, exponent: int, size: int, old: bool
) -> FloatArray:
    """Return values: floats, or integers as parts of two to the power of an exponent."""
    if exponent == _FLOATS:
        return _floats(raw, at, points, order)
    whole = np.frombuffer(raw, f"{order}i{size}", points, at)
    if old and size == 4:
        # The old format stores the high word of each number first.
        whole = ((whole >> 16) & 0xFFFF) | (whole << 16)
    signed = exponent - 256 if exponent > 127 else exponent
    return whole.astype(float) * 2.0 ** (signed - 8 * size)
