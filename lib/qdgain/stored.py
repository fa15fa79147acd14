"""Results that take too long for a chapter, stored with their origin by `qdgain.makers`."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import UTC, datetime
from functools import cache
from types import MappingProxyType
from typing import Any, NamedTuple

import numpy as np

from qdgain.files import write_whole
from qdgain.version import STORED, __version__, library_hash


class Again(NamedTuple):
    """A point of a stored result beside the same, computed now."""

    what: str
    stored: float
    now: float


def stored(name: str) -> Mapping[str, Any]:
    """Return a stored result."""
    return MappingProxyType(_content(name)["result"])


def origin(name: str) -> Mapping[str, str]:
    """Return what made a stored result: ``date``, ``version`` and ``library``, its source's hash.

    Any change of the library changes the hash; whether the library still gives the result, the
    tests find out at random points.
    """
    return MappingProxyType(_content(name)["made"])


@cache
def _content(name: str) -> dict[str, Any]:
    content: dict[str, Any] = json.loads((STORED / f"{name}.json").read_text(encoding="utf-8"))
    return content


def rounded(values: Any, digits: int) -> Any:
    """Return a number, or nested lists of an array's numbers, at so many significant digits."""
    array = np.asarray(values, dtype=float)
    if array.ndim:
        return [rounded(value, digits) for value in array]
    return float(f"{float(array):.{digits}g}")


def store(name: str, result: Mapping[str, Any]) -> None:
    """Replace a stored result in one step."""
    made = {
        "date": f"{datetime.now(UTC):%Y-%m-%d}",
        "version": __version__,
        "library": library_hash(with_stored=False),
    }
    text = json.dumps({"made": made, "result": result}, ensure_ascii=False, allow_nan=False)
    write_whole(STORED / f"{name}.json", text + "\n")
