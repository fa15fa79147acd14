"""Results that take too long for a chapter: made by ``make data`` and stored with their origin.

``python -m qdgain.stored`` makes every result anew, or those named. Each is written when it is
ready, so that an interrupted run loses only the one at work.
"""

from __future__ import annotations

import importlib
import json
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime
from functools import cache
from types import MappingProxyType
from typing import Any, NamedTuple, Protocol, cast

import numpy as np

from qdgain.files import write_whole
from qdgain.version import STORED, __version__, library_hash

#: Name of a result to the module that makes it, which is a `Maker`.
MAKERS: Mapping[str, str] = MappingProxyType(
    {"auger": "qdgain.beyond.auger_maps", "information": "qdgain.beyond.information"}
)


class Again(NamedTuple):
    """A point of a stored result beside the same, computed now."""

    what: str
    stored: float
    now: float


class Maker(Protocol):
    """A module that makes a stored result."""

    def make(self) -> dict[str, Any]:
        """Return the result as JSON can hold it, numbers rounded to what is known of them."""

    def again(self, result: Mapping[str, Any], random: np.random.Generator) -> Iterator[Again]:
        """Compute a few points of a stored result anew, chosen at random."""


def maker(name: str) -> Maker:
    """Return the module that makes a result."""
    return cast(Maker, importlib.import_module(MAKERS[name]))


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


def main(names: Sequence[str]) -> None:
    """Make the named results, or all; exit with a sentence if a name is unknown."""
    for name in names:
        if name not in MAKERS:
            sys.exit(f"{name!r} is no stored result: give {', '.join(MAKERS)} or nothing for all.")
    for name in names or MAKERS:
        print(f"{name} …", flush=True)
        start = time.monotonic()
        store(name, maker(name).make())
        print(f"{name}: {time.monotonic() - start:.0f} s", flush=True)


if __name__ == "__main__":
    main(sys.argv[1:])
