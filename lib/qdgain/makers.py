"""Make the stored results: ``make data`` makes every one anew, or those named.

Each is written when it is ready, so that an interrupted run loses only the one at work.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from types import MappingProxyType
from typing import Any, Protocol

import numpy as np

from qdgain.beyond import auger_maps, information
from qdgain.ledger import over_readings
from qdgain.stored import Again, store


class Maker(Protocol):
    """A module that makes a stored result."""

    def make(self) -> dict[str, Any]:
        """Return the result as JSON can hold it, numbers rounded to what is known of them."""

    def again(self, result: Mapping[str, Any], random: np.random.Generator) -> Iterator[Again]:
        """Compute a few points of a stored result anew, chosen at random."""


#: Name of a result to the module that makes it.
MAKERS: Mapping[str, Maker] = MappingProxyType(
    {"auger": auger_maps, "information": information, "shares": over_readings}
)


def main(names: Sequence[str]) -> None:
    """Make the named results, or all; exit with a sentence if a name is unknown."""
    for name in names:
        if name not in MAKERS:
            sys.exit(f"{name!r} is no stored result: give {', '.join(MAKERS)} or nothing for all.")
    for name in names or MAKERS:
        print(f"{name} …", flush=True)
        start = time.monotonic()
        store(name, MAKERS[name].make())
        print(f"{name}: {time.monotonic() - start:.0f} s", flush=True)


if __name__ == "__main__":
    main(sys.argv[1:])
