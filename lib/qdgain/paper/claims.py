"""The paper's statements, as stored, and the numbers that answer them.

The verdicts are not stored: `qdgain.ledger.verdicts` computes them.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from functools import cache
from types import MappingProxyType
from typing import Any, NamedTuple

from qdgain.text import data_text, significant, with_unit

#: What each kind of statement means.
KINDS: Mapping[str, str] = MappingProxyType(
    {
        "C": "calibrates a parameter",
        "P": "follows from the calibrated model",
        "Q": "qualitative, but computable",
        "B": "true by construction in this model",
        "M": "a measurement, quoted for comparison",
        "X": "contradicts another statement of the paper",
    }
)
COMPARISONS = ("equal", "at most", "at least", "between")
#: What a tolerance of half a unit of the last digit is justified with.
LAST_DIGIT = "half a unit of the last digit the paper prints"
TENTH = 0.1
_CHECK = re.compile(r"^(?P<left>.+?) (?P<operator><=|>=|<|>|=) (?P<right>[^±]+?)( ± (?P<by>.+))?$")


class Check(NamedTuple):
    """One comparison of two terms; a term is a number, a headline's key or ``ID.stated``.

    A term may be taken absolutely, ``|key|``, or times a number, ``0.1 * key``. ``by`` is the
    allowance of an equality.
    """

    left: str
    operator: str
    right: str
    by: float = 0.0

    @classmethod
    def read(cls, text: str) -> Check:
        """Return the check that a text such as ``key >= 0.5`` asks for."""
        found = _CHECK.match(text)
        if found is None or (found["operator"] == "=") != (found["by"] is not None):
            raise ValueError(f"data/claims.toml: {text!r} is not a comparison")
        return cls(found["left"], found["operator"], found["right"], float(found["by"] or 0))

    def __str__(self) -> str:
        allowance = f" ± {self.by:g}" if self.operator == "=" else ""
        return f"{self.left} {self.operator} {self.right}{allowance}"


@dataclass(frozen=True)
class Claim:
    """One statement of the paper.

    Parameters
    ----------
    id, where, kind, statement : str
        Such as ``F8-3ls``; section and panel; one of `KINDS`; a short paraphrase.
    stated, stated_to : float or None
        The number, if there is one, and the end of a range.
    stated_text, unit : str
        The number with the digits the paper prints, and its unit; ``1`` for a pure number.
    compare : str
        One of `COMPARISONS`: how the computed number has to stand to the stated one.
    tolerance : float or None
        Absolute; `because` says why.
    number, beside : str, tuple of str
        Keys of the headline to hold against the stated number, and of those to read it with.
    criterion, checks : str, tuple of Check
        What has to hold, in words and in terms of headlines; each check's left is a headline.
    contradicts, against : str
        For an X: the other statement, and the headline to hold this one's number against.
    figure, function : str
        Name of the figure in the book; dotted name of the call that computes the number.
    missing, invariant, note : str
        What it would take to compute it; why another dot leaves the number as it is; what a fair
        reader should know, where ``{key}`` stands for a headline's number.
    of_pulses : bool
        Whether each check is for one length of pulse, so that it may hold for some and not others.
    further, tests : bool, str
        Whether it is a test of this book's own, beyond the paper's model or of another work; and
        the id of the paper's statement that it puts to that test, if it stands in a row.
    """

    id: str
    where: str
    kind: str
    statement: str
    stated: float | None = None
    stated_to: float | None = None
    stated_text: str = ""
    unit: str = "1"
    compare: str = "equal"
    tolerance: float | None = None
    because: str = ""
    number: str = ""
    beside: tuple[str, ...] = ()
    criterion: str = ""
    checks: tuple[Check, ...] = ()
    contradicts: str = ""
    against: str = ""
    figure: str = ""
    function: str = ""
    missing: str = ""
    invariant: str = ""
    note: str = ""
    of_pulses: bool = False
    further: bool = False
    tests: str = ""

    def __post_init__(self) -> None:
        if self.kind not in KINDS:
            raise ValueError(f"{self.id}: kind {self.kind!r} is none of {', '.join(KINDS)}")
        if self.compare not in COMPARISONS:
            raise ValueError(f"{self.id}: {self.compare!r} is none of {', '.join(COMPARISONS)}")
        if bool(self.contradicts) != (self.kind == "X"):
            raise ValueError(f"{self.id}: an X names the statement it contradicts, no other does")
        if self.tests and not self.further:
            raise ValueError(f"{self.id}: tests {self.tests!r} and is not marked as a further test")

    @property
    def quoted(self) -> str:
        """The paper's number with its unit, or nothing."""
        return with_unit(self.stated_text, self.unit) if self.stated_text else ""


@dataclass(frozen=True)
class Headline:
    """One computed number of a chapter.

    Parameters
    ----------
    key : str
        A name that starts with the chapter's.
    meaning : str
        What it is, in a few words.
    value : float
        Infinity where out of reach, nan where not defined.
    unit : str
        ``1`` for a pure number.
    repeats : str
        The id of a statement that another chapter's number answers and this one too.
    """

    key: str
    meaning: str
    value: float
    unit: str = "1"
    repeats: str = ""

    @property
    def rounded(self) -> str:
        """The number at four significant digits."""
        return significant(self.value, 4)

    @property
    def text(self) -> str:
        """The same with its unit."""
        return with_unit(self.rounded, self.unit)


@cache
def claims() -> Mapping[str, Claim]:
    """Return every stored statement by id."""
    text = data_text("claims.toml")
    # Decimals keep the digits as the paper prints them: 1.0 is not 1.
    rows = [_claim(row) for row in tomllib.loads(text, parse_float=Decimal)["claim"]]
    by_id = {row.id: row for row in rows}
    if len(by_id) != len(rows):
        raise ValueError("data/claims.toml: an id stands twice")
    for row in rows:
        for name in {row.contradicts, row.tests} - {""}:
            if name not in by_id or by_id[name].further:
                raise ValueError(f"{row.id}: {name!r} is no statement of the paper")
    return MappingProxyType(by_id)


def answered_by(headline: Headline) -> Claim | None:
    """Return the first statement that a headline answers in the statement's own unit."""
    found = (c for c in claims().values() if c.number == headline.key or c.id == headline.repeats)
    return next((claim for claim in found if claim.unit == headline.unit), None)


def _claim(row: dict[str, Any]) -> Claim:
    """Return a row of the file as a claim."""
    stated, stated_to = row.pop("stated", None), row.pop("stated_to", None)
    tolerance, because = row.pop("tolerance", None), row.pop("because", "")
    if tolerance == "digit":
        tolerance, because = _half_a_digit(stated), LAST_DIGIT
    elif tolerance == "tenth":
        tolerance = TENTH * abs(float(stated))
    text = "" if stated is None else f"{stated}" + ("" if stated_to is None else f" to {stated_to}")
    fields: dict[str, Any] = {k: tuple(v) if isinstance(v, list) else v for k, v in row.items()}
    fields["checks"] = tuple(Check.read(check) for check in row.get("checks", ()))
    return Claim(
        **fields,
        stated=None if stated is None else float(stated),
        stated_to=None if stated_to is None else float(stated_to),
        stated_text=text,
        tolerance=None if tolerance is None else float(tolerance),
        because=because,
    )


def _half_a_digit(stated: Any) -> float:
    exponent = Decimal(stated).as_tuple().exponent
    assert isinstance(exponent, int)
    return 0.5 * 10.0**exponent
