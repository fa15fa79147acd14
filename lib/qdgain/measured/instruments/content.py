"""The text of a file that comes from anywhere: so much of it and no more, and plain."""

from __future__ import annotations

import codecs
import re

#: The most that is read: bytes of a file, characters of a line, lines, and values of a table.
MOST_BYTES, MOST_CHARACTERS, MOST_LINES, MOST_VALUES = 32 * 2**20, 2**20, 200_000, 2_000_000

_MARKS = (  # the longer one first: UTF-32 begins like UTF-16
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
#: What a terminal may take for a command, or would show in another order.
_CONTROL = re.compile(r"[\0-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\u200e\u200f\u2028-\u202e\u2066-\u2069]")


class Unusable(Exception):
    """Why a file cannot be used, as the second half of a sentence."""


def plain(text: str) -> str:
    r"""Return a text without characters that a terminal takes for commands.

    >>> plain("dots\x1b[2J")
    'dots�[2J'
    """
    return _CONTROL.sub("\N{REPLACEMENT CHARACTER}", text)


def text_of(raw: bytes) -> tuple[str, tuple[str, ...]]:
    """Return the text of a file and what had to be guessed for it."""
    text, notes = _decoded(raw)
    # A few strange characters are a strange name; many, or any beside NUL, are no text.
    few = 0 if b"\0" in raw and "\0" not in text else 1 + 0.02 * len(text[:10_000])
    if len(_CONTROL.findall(text[:10_000].rstrip("\x1a"))) > few:
        raise Unusable("it is not text: export it as CSV, in UTF-8")
    text = plain(text.rstrip("\x1a"))
    lines = re.split(r"\r\n|\r|\n", text)
    if max(map(len, lines)) > MOST_CHARACTERS:
        raise Unusable(f"a line is longer than the {MOST_CHARACTERS} characters read at most")
    if len(lines) > MOST_LINES:
        raise Unusable(f"it has more than the {MOST_LINES} lines that are read at most")
    return text, notes


def _decoded(raw: bytes) -> tuple[str, tuple[str, ...]]:
    for mark, encoding in _MARKS:
        if raw.startswith(mark):
            try:
                return raw.decode(encoding), ()
            except UnicodeDecodeError:
                raise Unusable(
                    f"its byte-order mark says {encoding} and it is not: use UTF-8"
                ) from None
    start = raw[:4096].rstrip(b"\0")
    if start.count(0) > 0.3 * len(start):
        # Every other byte of a text in UTF-16 is mostly 0.
        order = "le" if start[1::2].count(0) > start[::2].count(0) else "be"
        try:
            text = raw[: len(raw) // 2 * 2].decode(f"utf-16-{order}")
            return text.rstrip("\0"), ("no byte-order mark, read as UTF-16",)
        except UnicodeDecodeError:
            pass
    # Some programs fill their lines or the file's end with NUL.
    raw = raw.replace(b"\0", b"")
    try:
        return raw.decode("utf-8"), ()
    except UnicodeDecodeError:
        return raw.decode("cp1252", errors="replace"), ("not in UTF-8, read as Latin-1",)
