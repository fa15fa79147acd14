"""The claims ledger: every statement of the paper with the number that answers it and a verdict.

The numbers are the chapters' own headlines, computed with the paper's presets. The verdicts are
computed here and stored nowhere:

reproduced
    a statement that follows from the calibrated model, or is qualitative, and holds
deviates
    the same, and does not hold
calibrated
    used to solve for the parameters, so that agreement proves nothing; the residual says how near
by construction
    true of the equations whatever the parameters
quoted
    a measurement, for comparison
contradicts ‹id›
    at odds with another statement of the paper
not computable
    and what is missing
"""

from __future__ import annotations

import difflib
import importlib
import json
import math
import os
import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import asdict, dataclass
from functools import cache
from pathlib import Path
from types import MappingProxyType, ModuleType
from typing import Any

from qdgain.chapters import CHAPTERS
from qdgain.model.dot import Dot
from qdgain.paper.claims import Check, Claim, Headline, claims
from qdgain.run import Run, resolve
from qdgain.text import significant, with_unit
from qdgain.version import library_hash

#: The environment variable that names a folder where pages of one build share their numbers.
STORED_NUMBERS = "QDGAIN_STORED_NUMBERS"
REPRODUCED, DEVIATES, CALIBRATED = "reproduced", "deviates", "calibrated"
BY_CONSTRUCTION, QUOTED, CONTRADICTS = "by construction", "quoted", "contradicts"
NOT_COMPUTABLE = "not computable"
#: Every verdict, in the order of a summary; a contradiction also names the other statement.
VERDICTS = (
    REPRODUCED,
    DEVIATES,
    CONTRADICTS,
    CALIBRATED,
    BY_CONSTRUCTION,
    QUOTED,
    NOT_COMPUTABLE,
)
# Comparisons of the tolerance itself allow for rounding.
_ROUNDING = 1e-9
_DIGITS = 4


class UnknownClaim(KeyError):
    """An id that no statement has, with the nearest one."""

    def __init__(self, name: str) -> None:
        super().__init__(name)
        lower = {known.lower(): known for known in claims()}
        near = difflib.get_close_matches(name.lower(), lower, n=1)
        hint = f": did you mean {lower[near[0]]}?" if near else "."
        self.sentence = f"there is no statement {name!r}{hint}"

    def __str__(self) -> str:
        return self.sentence


@dataclass(frozen=True)
class Row:
    """One line of the ledger.

    Parameters
    ----------
    claim : Claim
        The statement as stored.
    headline : Headline or None
        The number that answers it.
    chapter : str
        The module of `qdgain.figures` it belongs to, such as ``fig08``.
    verdict : str
        As above.
    residual : float or None
        Computed over stated less one; the difference where zero is stated; what a bound or range
        is missed by.
    holds : bool or None
        Whether number, tolerance and criterion agree; None where nothing is compared.
    other_number, other : str
        Of a contradiction: the number that stands against it, and what it is.
    beside : tuple of Headline
        Numbers to read it with.
    note : str
        The note with its numbers.
    """

    claim: Claim
    headline: Headline | None
    chapter: str
    verdict: str
    residual: float | None
    holds: bool | None
    other_number: str
    other: str
    beside: tuple[Headline, ...]
    note: str

    @property
    def group(self) -> str:
        """The verdict without the id that a contradiction names."""
        return self.verdict.removesuffix(f" {self.claim.contradicts}")

    @property
    def computed(self) -> float | None:
        """The number that answers it; None where there is none or it is not defined."""
        if self.headline is None or math.isnan(self.headline.value):
            return None
        return self.headline.value

    @property
    def unit(self) -> str:
        """The unit of both numbers."""
        return self.claim.unit if self.headline is None else self.headline.unit

    @property
    def stated_text(self) -> str:
        """The paper's number with its unit, or nothing."""
        signs = {"at most": "≤ ", "at least": "≥ "}
        text = signs.get(self.claim.compare, "") + self.claim.stated_text
        return with_unit(text, self.claim.unit) if self.claim.stated_text else ""

    @property
    def computed_text(self) -> str:
        """The computed number with its unit, or nothing."""
        if self.computed is None:
            return ""
        return with_unit(significant(self.computed, _DIGITS), self.unit)

    @property
    def residual_text(self) -> str:
        """The residual, in per cent where it is relative."""
        if self.residual is None:
            return ""
        if self.claim.stated and self.claim.compare == "equal":
            return f"{100 * self.residual:+.1f} %"
        sign = "+" if self.residual >= 0 else ""
        return with_unit(sign + significant(self.residual, 3), self.unit)

    @property
    def tolerance_text(self) -> str:
        """The tolerance and its reason."""
        if self.claim.tolerance is None:
            return ""
        return f"± {with_unit(f'{self.claim.tolerance:g}', self.claim.unit)}: {self.claim.because}"


def chapter_module(name: str) -> ModuleType:
    """Return the module of `qdgain.figures` of that name."""
    return importlib.import_module(f"qdgain.figures.{name}")


def chapter_headlines(
    dots: Mapping[str, Dot] | None = None, given: Mapping[str, Any] | None = None
) -> dict[str, tuple[Headline, ...]]:
    """Return every chapter's headlines.

    Parameters
    ----------
    dots : Mapping, optional
        Named dots in place of the presets.
    given : Mapping, optional
        Settings other than the contract's defaults; each chapter takes those it has.
    """
    found = {}
    for name in CHAPTERS:
        module = chapter_module(name)
        own = {key: value for key, value in (given or {}).items() if key in module.SETTINGS}
        run = resolve(module.SETTINGS, own)
        if dots is not None:
            run = Run(MappingProxyType(dict(dots)), run.settings)
        found[name] = tuple(module.headlines(run))
    return found


class _OnDemand(Mapping[str, Headline]):
    """The headlines for the paper's presets, by key; a chapter is run when it is first needed."""

    def __getitem__(self, key: str) -> Headline:
        known = claims().get(key)
        chapter = key.split("-", maxsplit=1)[0] if known is None else chapter_of(known)
        if chapter not in CHAPTERS:
            raise KeyError(key)
        return _preset_headlines(chapter)[key]

    def __iter__(self) -> Iterator[str]:
        return (key for chapter in CHAPTERS for key in _preset_headlines(chapter))

    def __len__(self) -> int:
        return sum(len(_preset_headlines(chapter)) for chapter in CHAPTERS)


@cache
def _preset_headlines(chapter: str) -> Mapping[str, Headline]:
    stored = os.environ.get(STORED_NUMBERS)
    # The name holds a hash of the library, so a change of code or data is never overlooked.
    file = Path(stored) / f"{chapter}-{library_hash()}.json" if stored else None
    if file is not None and file.exists():
        rows = [Headline(**row) for row in json.loads(file.read_text(encoding="utf-8"))]
    else:
        module = chapter_module(chapter)
        rows = list(module.headlines(resolve(module.SETTINGS, {})))
        if file is not None:
            file.parent.mkdir(parents=True, exist_ok=True)
            text = json.dumps([asdict(row) for row in rows])
            # Written aside and moved, since another process may be reading.
            aside = file.with_suffix(f".{os.getpid()}")
            aside.write_text(text, encoding="utf-8")
            aside.replace(file)
    return MappingProxyType({row.key: row for row in rows})


@cache
def ledger() -> tuple[Row, ...]:
    """Return the ledger for the paper's presets, in the order of the statements."""
    return tuple(_row(claim, _OnDemand()) for claim in claims().values())


@cache
def row(name: str) -> Row:
    """Return the line of one statement.

    Raises
    ------
    UnknownClaim
        If no statement has that id.
    """
    if name not in claims():
        raise UnknownClaim(name)
    return _row(claims()[name], _OnDemand())


def rows_of(chapter: str) -> tuple[Row, ...]:
    """Return the lines of the statements shown with one chapter's figures, such as ``fig08``."""
    return tuple(row(claim.id) for claim in claims().values() if chapter_of(claim) == chapter)


def evaluate(headlines: Mapping[str, Iterable[Headline]]) -> tuple[Row, ...]:
    """Join the statements with chapters' headlines.

    Parameters
    ----------
    headlines : Mapping
        Chapter to headlines, as from `chapter_headlines`.
    """
    numbers = {h.key: h for rows in headlines.values() for h in rows}
    return tuple(_row(claim, numbers) for claim in claims().values())


def _row(claim: Claim, numbers: Mapping[str, Headline]) -> Row:
    headline = numbers.get(claim.key)
    agrees = holds(claim, numbers)
    return Row(
        claim,
        headline,
        chapter_of(claim),
        verdict(claim, agrees, headline),
        _residual(claim, headline),
        agrees,
        *_other(claim, numbers),
        tuple(numbers[key] for key in claim.beside),
        filled(claim.note, numbers),
    )


def chapter_of(claim: Claim) -> str:
    """Return the chapter whose figure a statement is shown with."""
    number = re.match(r"fig-(\d+)", claim.figure)
    if number is not None:
        return f"fig{int(number[1]):02d}"
    for chapter in CHAPTERS:
        if claim.figure.startswith(f"fig-{chapter}-"):
            return chapter
    raise ValueError(f"{claim.id}: figure {claim.figure!r} names no figure of the book")


def filled(text: str, numbers: Mapping[str, Headline]) -> str:
    """Return a text with each ``{key}`` replaced by that headline's number."""
    return re.sub(r"\{([^}]+)\}", lambda found: significant(numbers[found[1]].value, 3), text)


def verdict(claim: Claim, agrees: bool | None, headline: Headline | None) -> str:
    """Return the verdict on a statement.

    Parameters
    ----------
    claim : Claim
        The statement.
    agrees : bool or None
        Whether everything that can be compared agrees, from `holds`.
    headline : Headline or None
        The number that answers it.
    """
    computed = headline is not None or bool(claim.checks)
    if claim.kind == "M":
        return QUOTED
    if claim.kind == "X":
        return REPRODUCED if agrees else f"{CONTRADICTS} {claim.contradicts}"
    if claim.missing or not computed or agrees is None:
        return NOT_COMPUTABLE
    if claim.kind == "C":
        return CALIBRATED
    if not agrees:
        return DEVIATES
    return BY_CONSTRUCTION if claim.kind == "B" else REPRODUCED


def holds(claim: Claim, numbers: Mapping[str, Headline]) -> bool | None:
    """Return whether all that is compared agrees: the number, and the criterion's checks.

    Parameters
    ----------
    claim : Claim
        The statement.
    numbers : Mapping
        Headlines by key.

    Returns
    -------
    bool or None
        None where nothing is compared.
    """
    answers: list[bool] = [_check(check, numbers) for check in claim.checks]
    compared = _compared(claim, numbers)
    if claim.stated is not None and claim.tolerance is not None and compared is not None:
        missed = missed_by(claim, compared)
        answers.append(abs(missed) <= claim.tolerance * (1 + _ROUNDING))
    return all(answers) if answers else None


def keys_of(claim: Claim) -> set[str]:
    """Return the keys of the headlines that decide on a statement."""
    terms = {term for check in claim.checks for term in (check.left, check.right)}
    keys = {_key(term) for term in terms} | {claim.key}
    return {key for key in keys if key}


def _key(term: str) -> str:
    """Return the headline that a term of a check names, nothing for a number."""
    name = term.rpartition(" * ")[2].strip("|")
    try:
        float(name)
    except ValueError:
        return "" if name.endswith(".stated") else name
    return ""


def _compared(claim: Claim, numbers: Mapping[str, Headline]) -> float | None:
    """Return the number that the stated one is held against."""
    if claim.kind != "X":
        return numbers[claim.key].value if claim.key in numbers else None
    return numbers[claim.against].value if claim.against else claims()[claim.contradicts].stated


def missed_by(claim: Claim, value: float) -> float:
    """Return by how much a number misses the stated number, bound or range; nan if undefined."""
    assert claim.stated is not None
    below, above = value - claim.stated, value - (claim.stated_to or claim.stated)
    if claim.compare == "equal" or math.isnan(value):
        return below
    low = below if below < 0 and claim.compare in ("at least", "between") else 0.0
    high = above if above > 0 and claim.compare in ("at most", "between") else 0.0
    return low + high


def _residual(claim: Claim, headline: Headline | None) -> float | None:
    if claim.stated is None or claim.tolerance is None or headline is None:
        return None
    missed = missed_by(claim, headline.value)
    return missed / abs(claim.stated) if claim.compare == "equal" and claim.stated else missed


def _check(check: Check, numbers: Mapping[str, Headline]) -> bool:
    left, right = _term(check.left, numbers), _term(check.right, numbers)
    return {
        "<": left < right,
        "<=": left <= right,
        ">": left > right,
        ">=": left >= right,
        "=": abs(left - right) <= check.by * (1 + _ROUNDING),
    }[check.operator]


def _term(text: str, numbers: Mapping[str, Headline]) -> float:
    """Return the value of one side of a check."""
    factor, _, term = text.rpartition(" * ")
    if term.startswith("|"):
        value = abs(_term(term.strip("|"), numbers))
    elif term.endswith(".stated"):
        stated = claims()[term.removesuffix(".stated")].stated
        assert stated is not None
        value = stated
    elif term in numbers:
        value = numbers[term].value
    else:
        value = float(term)
    return value * float(factor or 1)


def _other(claim: Claim, numbers: Mapping[str, Headline]) -> tuple[str, str]:
    """Return the number that stands against a contradiction's, and what it is."""
    if claim.kind != "X":
        return "", ""
    other = claims()[claim.contradicts]
    stated = with_unit(other.stated_text, other.unit) if other.stated_text else ""
    if not claim.against:
        return stated, f"{other.id}, {other.statement}"
    headline = numbers[claim.against]
    number = with_unit(significant(headline.value, _DIGITS), headline.unit)
    beside = f" ({stated})" if stated else ""
    return number, f"{headline.meaning}, by {other.id}{beside}: {other.statement}"


def counts(rows: Iterable[Row]) -> dict[str, int]:
    """Return how many statements have each verdict, contradictions together."""
    found = Counter(line.group for line in rows)
    return {name: found[name] for name in VERDICTS}


def record(line: Row) -> dict[str, Any]:
    """Return one line as plain data for JSON."""
    claim = line.claim
    stated: float | list[float | None] | None = claim.stated
    if claim.stated_to is not None:
        stated = [claim.stated, claim.stated_to]
    computed = line.computed
    return {
        "id": claim.id,
        "where": claim.where,
        "kind": claim.kind,
        "statement": claim.statement,
        "stated": stated,
        "stated_text": line.stated_text,
        "computed": computed if computed is not None and math.isfinite(computed) else None,
        "computed_text": line.computed_text,
        "unit": line.unit,
        "compare": claim.compare,
        "tolerance": claim.tolerance,
        "tolerance_reason": claim.because,
        "residual": line.residual
        if line.residual is None or math.isfinite(line.residual)
        else None,
        "criterion": claim.criterion,
        "verdict": line.verdict,
        "holds": line.holds,
        "against": f"{line.other_number}: {line.other}" if line.other else "",
        "missing": claim.missing,
        "note": line.note,
        "beside": [
            {"meaning": h.meaning, "value": significant(h.value, _DIGITS), "unit": h.unit}
            for h in line.beside
        ],
        "invariant": claim.invariant,
        "function": claim.function,
        "figure": claim.figure,
    }
