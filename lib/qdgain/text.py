"""Numbers as text, with units; JSON; text that is safe to print; the texts of the data."""

from __future__ import annotations

import json
import math
import re
import unicodedata
from pathlib import Path
from typing import Any

_DATA = Path(__file__).parent / "data"


def data_text(name: str) -> str:
    """Return the text of a file in ``qdgain/data/``."""
    return (_DATA / name).read_text(encoding="utf-8")


def significant(value: float, digits: int) -> str:
    """Return a number rounded to significant digits, without exponent where it reads well.

    A count, which is an int, is returned whole.
    """
    if isinstance(value, int):
        return str(value)
    if math.isnan(value):
        return "not defined"
    if math.isinf(value):
        return "out of reach"
    if value == 0:
        return "0"
    magnitude = math.floor(math.log10(abs(float(f"{value:.{digits - 1}e}"))))
    if -4 <= magnitude < 6:
        return f"{value:.{max(digits - 1 - magnitude, 0)}f}"
    return f"{value:.{digits - 1}e}"


_EXPONENT = re.compile(r"(?<![\w.])(\d[\d.]*)e([+-])0*(\d+)\b")
_MINUS = re.compile(r"(?<![\w.\-–)\]])-(?=\d)")
_SUPERSCRIPT = str.maketrans("-0123456789", "⁻⁰¹²³⁴⁵⁶⁷⁸⁹")


def typeset(text: str) -> str:
    """Return text with its numbers as print has them: a true minus, and powers of ten.

    Examples
    --------
    >>> typeset("-2.50e-05 to 1e+06, F8-3ls, 2-4")
    '−2.50 × 10⁻⁵ to 1 × 10⁶, F8-3ls, 2-4'
    """

    def power(found: re.Match[str]) -> str:
        digits, sign, exponent = found.groups()
        return f"{digits} × 10" + (sign.strip("+") + exponent).translate(_SUPERSCRIPT)

    return _MINUS.sub("−", _EXPONENT.sub(power, text))


def with_unit(text: str, unit: str) -> str:
    """Return a number's text with its unit, if it has one."""
    return text if unit == "1" else f"{text} {unit}"


def as_json(content: Any) -> str:
    """Return content as JSON text that people can read."""
    return json.dumps(content, ensure_ascii=False, indent=1, allow_nan=False) + "\n"


def printable(text: str) -> str:
    """Return text with the codes of what a terminal obeys or cannot show; line ends stay."""
    return "".join(
        f"\\u{ord(c):04x}" if c != "\n" and unicodedata.category(c) in _UNPRINTABLE else c
        for c in text
    )


# Control characters, marks of format and direction, halves of characters, ends of lines.
_UNPRINTABLE = ("Cc", "Cf", "Cs", "Zl", "Zp")
