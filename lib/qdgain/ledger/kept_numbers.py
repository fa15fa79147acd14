"""The chapters' numbers for the paper's presets, kept in a folder for the next process.

A file is used only if it is whole and if the same library and packages would compute it again;
otherwise the numbers are computed anew.
"""

from __future__ import annotations

import hashlib
import json
import platform
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import asdict

import numpy
import scipy

from qdgain.files import read_plain, write_whole
from qdgain.ledger import kept_in
from qdgain.paper.claims import Headline
from qdgain.version import library_hash

_MOST_BYTES = 1_000_000


def load(chapter: str) -> list[Headline] | None:
    """Return the kept numbers of a chapter, None if there are none to be trusted."""
    place = kept_in()
    if place is None:
        return None
    try:
        content = read_plain(place / f"{chapter}.json", _MOST_BYTES)
    except OSError:
        return None
    digest, _, body = content.partition(b"\n")
    if digest != _digest(chapter, body):
        return None
    return [Headline(**fields) for fields in json.loads(body)]


def keep(chapter: str, numbers: Sequence[Headline]) -> None:
    """Keep the numbers of a chapter, if there is a folder that can be written to."""
    place = kept_in()
    if place is None:
        return
    body = json.dumps([asdict(number) for number in numbers]).encode()
    digest = _digest(chapter, body)
    with suppress(OSError):
        write_whole(place / f"{chapter}.json", digest + b"\n" + body)


def _digest(chapter: str, body: bytes) -> bytes:
    """Return a hash of the numbers and of what they come from: the library and its packages."""
    versions = (platform.python_version(), numpy.__version__, scipy.__version__)
    known = "\n".join((chapter, library_hash(), platform.machine(), *versions, ""))
    return hashlib.sha256(known.encode() + body).hexdigest().encode()
