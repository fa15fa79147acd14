"""The ledger's rows for the paper's presets: each statement joined with the chapters' headlines."""

from __future__ import annotations

import difflib
from collections.abc import Mapping
from functools import cache
from types import MappingProxyType

from qdgain.figures.modules import MODULES
from qdgain.ledger import kept_numbers, verdicts
from qdgain.ledger.shares import over
from qdgain.ledger.verdicts import Row, chapter_of
from qdgain.model.parameters import ParameterError
from qdgain.paper.claims import Headline, claims
from qdgain.run import resolve


@cache
def ledger() -> tuple[Row, ...]:
    """Return every row, in the order of the statements."""
    return tuple(row(name) for name in claims())


@cache
def row(name: str) -> Row:
    """Return the row of one statement.

    Raises
    ------
    ParameterError
        If no statement has that id, with the nearest one.
    """
    if name not in claims():
        lower = {known.lower(): known for known in claims()}
        near = difflib.get_close_matches(name.lower(), lower, n=1)
        hint = f": did you mean {lower[near[0]]}?" if near else "."
        raise ParameterError(f"there is no statement {name!r}{hint}")
    return verdicts.row(claims()[name], _EveryNumber(), over(name))


def of_chapter(chapter: str) -> tuple[Row, ...]:
    """Return the rows of the statements shown with one chapter's figures, such as ``fig08``."""
    return tuple(row(claim.id) for claim in claims().values() if chapter_of(claim) == chapter)


def over_bands() -> tuple[int, int, int]:
    """Return how many statements depend on the bands, and hold in every reading, and in none."""
    over = [line.over for line in ledger() if line.over and line.claim.kind in "PQX"]
    every, none = (sum(one.holds is holds for one in over) for holds in (True, False))
    return len(over), every, none


@cache
def headlines_of(chapter: str) -> Mapping[str, Headline]:
    """Return a chapter's headlines for the paper's presets, by key."""
    found = kept_numbers.load(chapter)
    if found is None:
        module = MODULES[chapter]
        found = list(module.headlines(resolve(module.SETTINGS, {})))
        kept_numbers.keep(chapter, found)
    return MappingProxyType({headline.key: headline for headline in found})


def headline(key: str) -> Headline:
    """Return a headline for the paper's presets, of whichever chapter its key begins with."""
    chapter = key.partition("-")[0]
    if chapter not in MODULES:
        raise KeyError(key)
    return headlines_of(chapter)[key]


class _EveryNumber(dict[str, Headline]):
    """The headlines of all chapters by key; a chapter is run when a key of its own is needed."""

    def __missing__(self, key: str) -> Headline:
        return headline(key)
