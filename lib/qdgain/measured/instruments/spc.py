"""SPC, the binary format of GRAMS: new (0x4B, 0x4C for big-endian machines) and old (0x4D).

Source: Galactic Industries, "Universal Data Format Specification" (1997). The library for it,
spc-spectra, has not changed since 2018 and knows neither 0x4C nor several x axes in one file well.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator

import numpy as np

from qdgain.measured.instruments.content import MOST_VALUES, Unusable, plain
from qdgain.measured.instruments.table import Raw
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


def _spectra(raw: bytes) -> Iterator[Raw]:
    old, order = raw[1] == _OLD, ">" if raw[1] == _BIG else "<"
    head = struct.unpack_from(order + (_OLD_HEADER if old else _NEW_HEADER), raw)
    if old:
        flags, _, exponent, points, first, last, x_type, y_type = head
        exponent, at, count = exponent & 0xFF, _OLD_SIZE, None
        comment = raw[_OLD_COMMENT : _OLD_COMMENT + 130]
    else:
        flags, _, _, exponent, points, first, last, count, x_type, y_type = head
        exponent, at = exponent & 0xFF, _NEW_SIZE
        comment = raw[_NEW_COMMENT : _NEW_COMMENT + 130]
    points = int(points)
    title = plain(comment.split(b"\0")[0].decode("latin-1")).strip()
    shared: FloatArray | None = None
    if not flags & _OWN_X:
        if points * (count or 1) > MOST_VALUES:
            raise Unusable(f"it has more than the {MOST_VALUES} values that are read at most")
        shared = np.linspace(first, last, points)
        if flags & _X_GIVEN:
            shared, at = _floats(raw, at, points, order), at + 4 * points
    number = 0
    while at + _SUBHEADER < len(raw) if count is None else number < count:
        number += 1
        own_exponent, z, own_points = struct.unpack_from(order + "xB2xf8xI", raw, at)
        at, x = at + _SUBHEADER, shared
        points = own_points if x is None else x.size
        if x is None:
            x, at = _floats(raw, at, points, order), at + 4 * points
        # The first spectrum of a file of one often leaves its exponent to the file.
        power = own_exponent if own_exponent and count != 1 else exponent
        size = 2 if flags & _WORDS_16 and power != _FLOATS else 4
        y = _values(raw, at, points, order, exponent=power, size=size, old=old)
        at += size * points
        name = f"{z:g}" if count != 1 and z else str(number)
        yield Raw(
            title or "1" if count == 1 else name,
            x,
            y,
            axis=_AXES.get(x_type, "" if x_type == 0 else "arbitrary"),
            quantity=_QUANTITIES.get(y_type, ""),
            labels=(name, title),
            number=number,
        )


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
