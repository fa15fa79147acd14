"""The paper's statements, as stored, and the numbers that answer them."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib import resources
from types import MappingProxyType


@dataclass(frozen=True)
class Claim:
    """One statement of the paper.

    Parameters
    ----------
    id : str
        Such as ``F8-3ls``.
    where : str
        Section and panel.
    kind : str
        C calibrates a parameter, P follows from the calibrated model, Q is qualitative but
        computable, B holds by construction, M is a measurement quoted for comparison, X
        contradicts another statement.
    statement : str
        A short paraphrase.
    stated : float or None
        The number, if there is one.
    unit : str
        Its unit; ``1`` for a pure number.
    """

    id: str
    where: str
    kind: str
    statement: str
    stated: float | None = None
    unit: str = "1"


@dataclass(frozen=True)
class Headline:
    """One computed number of a chapter.

    Parameters
    ----------
    key : str
        The id of the claim it answers, or a name of its own that starts with the figure's.
    meaning : str
        What it is, in a few words.
    value : float
        Computed; infinity where out of reach, nan where not defined.
    unit : str
        ``1`` for a pure number.
    """

    key: str
    meaning: str
    value: float
    unit: str = "1"

    @property
    def stated(self) -> float | None:
        """The paper's number, if the headline answers a claim that has one."""
        claim = claims().get(self.key)
        return None if claim is None else claim.stated


@cache
def claims() -> Mapping[str, Claim]:
    """Return every stored statement by id."""
    text = resources.files("qdgain").joinpath("data/claims.toml").read_text(encoding="utf-8")
    rows = [Claim(**row) for row in tomllib.loads(text)["claim"]]
    by_id = {row.id: row for row in rows}
    if len(by_id) != len(rows):
        raise ValueError("data/claims.toml: an id stands twice")
    return MappingProxyType(by_id)
