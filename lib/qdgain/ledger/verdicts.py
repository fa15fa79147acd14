"""Verdicts on the paper's statements, from the numbers they are handed; none is stored."""

from __future__ import annotations

import math
import operator
import re
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any, NamedTuple

from qdgain.calibration.rows import TARGETS, TOLERANCE
from qdgain.chapters import CHAPTERS
from qdgain.ledger.shares import Over
from qdgain.paper.claims import Check, Claim, Headline, claims
from qdgain.text import significant, with_unit

DEPENDS, ON_PULSE = "depends on the reading", "depends on the pulse"
REPRODUCED, DEVIATES, CALIBRATED = "reproduced", "deviates", "calibrated"
BY_CONSTRUCTION, QUOTED, CONTRADICTS = "by construction", "quoted", "contradicts"
NOT_COMPUTABLE = "not computable"
#: What each verdict means, in the order of a summary; a contradiction also names the other
#: statement.
MEANINGS: Mapping[str, str] = MappingProxyType(
    {
        REPRODUCED: "follows from the model, and holds in every reading that gives the numbers",
        DEPENDS: "holds in some readings, or in part of their points, and not in others",
        ON_PULSE: "holds with short or with long pulses, and not with both",
        DEVIATES: "does not hold, in any reading that gives the numbers",
        CONTRADICTS: "at odds with another statement of the paper, in every such reading",
        CALIBRATED: "used to find the parameters, to 10 %, so that agreement proves nothing",
        BY_CONSTRUCTION: "true of the equations, whatever the parameters",
        QUOTED: "a measurement, for comparison",
        NOT_COMPUTABLE: "something is missing, and said",
    }
)
# Comparisons of the tolerance itself allow for rounding.
_ROUNDING = 1e-9
_ORDERS = {"<": operator.lt, "<=": operator.le, ">": operator.gt, ">=": operator.ge}


class Answer(NamedTuple):
    """What numbers say of a statement.

    The headline that the verdict rests on; whether all that is compared agrees, None where nothing
    is; the check that decides, if it is one, its bound as text, and what that is; whether it
    holds for some pulses only.
    """

    headline: Headline | None
    holds: bool | None
    check: Check | None = None
    bound: str = ""
    of_bound: str = ""
    in_part: bool = False


@dataclass(frozen=True)
class Row:
    """One line of the ledger: the statement as stored, and the number that the verdict rests on.

    Of a contradiction ``other_number`` stands against it, and ``other`` says what that is. Beside
    are numbers to read it with; the note has its numbers. ``over`` is what becomes of it over the
    readings, None where it does not depend on their parameters.
    """

    claim: Claim
    answer: Answer
    other_number: str
    other: str
    beside: tuple[Headline, ...]
    note: str
    over: Over | None = None

    @property
    def headline(self) -> Headline | None:
        """The number that the verdict rests on, if there is one."""
        return self.answer.headline

    @property
    def holds(self) -> bool | None:
        """Whether number, tolerance and criterion agree; None where nothing is compared."""
        return self.answer.holds

    @property
    def rests_on(self) -> str:
        """What decides, by key: a check, or the number held against the stated one."""
        if self.answer.check is not None:
            return str(self.answer.check)
        return self.headline.key if self.headline is not None else ""

    @property
    def chapter(self) -> str:
        """The chapter it is shown in, such as ``fig08``."""
        return chapter_of(self.claim)

    @property
    def verdict(self) -> str:
        """One of `MEANINGS`; a contradiction with the other statement's id."""
        if self.answer.in_part:
            return ON_PULSE
        return verdict(self.claim, True if self.is_calibrated else self.holds, self.over)

    @property
    def is_calibrated(self) -> bool:
        """Whether it is a number of the calibration, met as well as that asks for."""
        return self.headline is not None and meets_calibration(self.claim, self.headline.value)

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
    def missed(self) -> float | None:
        """By how much the number misses the stated one, see `missed_by`; None if not compared."""
        if self.claim.stated is None or self.claim.tolerance is None or self.headline is None:
            return None
        if self.holds is None or self.answer.check is not None:
            return None
        return missed_by(self.claim, self.headline.value)

    @property
    def residual(self) -> float | None:
        """The same, over the stated number where that is to be met and is not zero."""
        if self.missed is None or not self._relative:
            return self.missed
        return self.missed / abs(self.claim.stated or 1.0)

    @property
    def _relative(self) -> bool:
        return bool(self.claim.stated) and self.claim.compare == "equal"

    @property
    def stated_text(self) -> str:
        """The paper's number with its unit, or nothing."""
        sign = {"at most": "≤ ", "at least": "≥ "}.get(self.claim.compare, "")
        return sign + self.claim.quoted if self.claim.stated_text else ""

    @property
    def computed_text(self) -> str:
        """The computed number with its unit, or nothing."""
        return "" if self.headline is None or self.computed is None else self.headline.text

    @property
    def bound_text(self) -> str:
        """What the computed number has to be, where a check decides; or nothing."""
        return f"must be {self.answer.bound}" if self.answer.check is not None else ""

    @property
    def what_is_asked(self) -> str:
        """What the number is of which a check decides, and what its bound is; or nothing."""
        if self.answer.check is None or self.headline is None:
            return ""
        return "; ".join(text for text in (self.headline.meaning, self.answer.of_bound) if text)

    @property
    def answer_text(self) -> str:
        """The computed number, with what it has to be where a check decides; or nothing."""
        return ", ".join(text for text in (self.computed_text, self.bound_text) if text)

    @property
    def residual_text(self) -> str:
        """The residual, in per cent where it is relative."""
        if self.residual is None:
            return ""
        if self._relative:
            return f"{100 * self.residual:+.1f} %"
        sign = "+" if self.residual >= 0 else ""
        return with_unit(sign + significant(self.residual, 3), self.unit)

    @property
    def tolerance_text(self) -> str:
        """The tolerance and its reason, or nothing."""
        if self.claim.tolerance is None:
            return ""
        return f"± {with_unit(f'{self.claim.tolerance:g}', self.claim.unit)}: {self.claim.because}"

    @property
    def against(self) -> str:
        """Of a contradiction, what stands against it; or nothing."""
        return f"{self.other_number}: {self.other}" if self.other else ""


def meets_calibration(claim: Claim, value: float) -> bool:
    """Return whether this is a number of the calibration, met as well as that asks for."""
    if claim.id not in TARGETS or not claim.stated:
        return False
    return abs(value / claim.stated - 1) <= TOLERANCE


def row(claim: Claim, numbers: Mapping[str, Headline], over: Over | None = None) -> Row:
    """Return the row of a statement, from headlines by key and what the readings give.

    Raises
    ------
    ValueError
        If numbers are compared that are not in one unit.
    """
    found = answer(claim, numbers)
    beside = dict.fromkeys((*sorted(keys_of(claim)), *claim.beside))
    return Row(
        claim,
        found,
        *_other(claim, numbers),
        tuple(numbers[key] for key in beside if numbers[key] != found.headline),
        re.sub(r"\{([^}]+)\}", lambda key: significant(numbers[key[1]].value, 3), claim.note),
        over,
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


def verdict(claim: Claim, agrees: bool | None, over: Over | None = None) -> str:
    """Return the verdict on a statement, given whether all that is compared agrees, if anything.

    Where it was evaluated over the readings, all of them have to agree with the default.
    """
    if claim.kind == "M":
        return QUOTED
    if over is not None and agrees is not None:
        # What calibrates is missed in part of every set; others count if the default misses it.
        asked = claim.kind in "PQX" or (claim.kind == "C" and not agrees)
        if asked and over.holds is not agrees:
            return DEPENDS
    if claim.kind == "X":
        return REPRODUCED if agrees else f"{CONTRADICTS} {claim.contradicts}"
    if agrees is None:
        return NOT_COMPUTABLE
    if not agrees:
        return DEVIATES
    return {"C": CALIBRATED, "B": BY_CONSTRUCTION}.get(claim.kind, REPRODUCED)


def answer(claim: Claim, numbers: Mapping[str, Headline]) -> Answer:
    """Return what numbers say of a statement: the stated one's, and the criterion's checks.

    The verdict rests on the first check that fails; if none does, on the number held against the
    stated one; without a stated one, on the check that is met most narrowly.
    """
    _refuse_mixed_units(claim, numbers)
    number = numbers[claim.number] if claim.number else None
    if claim.missing or claim.kind == "M":
        return Answer(number, None)
    met = {check: _check(check, numbers) for check in claim.checks}
    failing = next((check for check in met if not met[check]), None)
    compared = _compared(claim, numbers)
    if failing is None and compared is not None:
        assert claim.tolerance is not None
        within = abs(missed_by(claim, compared)) <= claim.tolerance * (1 + _ROUNDING)
        return Answer(number, within)
    if not met:
        return Answer(number, None)
    decides = failing or min(met, key=lambda check: round(_margin(check, numbers), 9))
    left, bound = numbers[_name(decides.left)], _bound(decides, numbers)
    in_part = claim.of_pulses and len(set(met.values())) > 1
    of_bound = _meaning(decides.right, numbers)
    return Answer(left, failing is None, decides, bound, of_bound, in_part)


def keys_of(claim: Claim) -> set[str]:
    """Return the keys of the headlines that decide on a statement."""
    names = {_name(term) for check in claim.checks for term in (check.left, check.right)}
    keys = {name for name in names if not name.endswith(".stated") and _literal(name) is None}
    return (keys | {claim.number}) - {""}


def _refuse_mixed_units(claim: Claim, numbers: Mapping[str, Headline]) -> None:
    """Refuse to hold a number against another that is in another unit."""
    pairs = [
        (_side(check.left, numbers)[1], _side(check.right, numbers)[1]) for check in claim.checks
    ]
    if claim.stated is not None:
        keys = {claim.number, claim.against} - {""}
        pairs += [(claim.unit, numbers[key].unit) for key in keys]
    for one, other in pairs:
        if one and other and one != other:
            raise ValueError(f"{claim.id}: holds a number in {one} against one in {other}")


def _margin(check: Check, numbers: Mapping[str, Headline]) -> float:
    """Return how far the two sides of a check are apart, over the larger one."""
    (left, _), (right, _) = _side(check.left, numbers), _side(check.right, numbers)
    if left == right:
        return 0.0
    largest = max(abs(left), abs(right))
    return abs(left - right) / largest if math.isfinite(largest) else 1.0


def _bound(check: Check, numbers: Mapping[str, Headline]) -> str:
    """Return what a check asks of its number, such as ``≤ 8.00 meV``."""
    (_, unit), (right, _) = _side(check.left, numbers), _side(check.right, numbers)
    if math.isinf(right):
        return "out of reach" if check.operator == ">=" else "within reach"
    value = check.right if _literal(check.right) is not None else significant(right, 3)
    size = " in size" if check.left.endswith("|") else ""
    if check.operator == "=":
        return with_unit(f"{value} ± {check.by:g}", unit) + size
    sign = {">=": "≥", "<=": "≤"}.get(check.operator, check.operator)
    return with_unit(f"{sign} {value}", unit) + size


def _meaning(term: str, numbers: Mapping[str, Headline]) -> str:
    """Return what a bound is, such as ``0.5 times the threshold, 3LS``; nothing for a number."""
    factor, name = term.rpartition(" * ")[0], _name(term)
    if name not in numbers:
        return ""
    return f"the bound is {f'{factor} times ' if factor else ''}{numbers[name].meaning}"


def missed_by(claim: Claim, value: float) -> float:
    """Return by how much a number misses the stated number, bound or range; nan if undefined."""
    assert claim.stated is not None
    below, above = value - claim.stated, value - (claim.stated_to or claim.stated)
    if claim.compare == "equal" or math.isnan(value):
        return below
    low = below if below < 0 and claim.compare in ("at least", "between") else 0.0
    high = above if above > 0 and claim.compare in ("at most", "between") else 0.0
    return low + high


def _compared(claim: Claim, numbers: Mapping[str, Headline]) -> float | None:
    """Return the number that the stated one is held against, if it is."""
    if claim.stated is None or claim.tolerance is None:
        return None
    if claim.kind != "X":
        return numbers[claim.number].value if claim.number else None
    return numbers[claim.against].value if claim.against else claims()[claim.contradicts].stated


def _check(check: Check, numbers: Mapping[str, Headline]) -> bool:
    (left, _), (right, _) = _side(check.left, numbers), _side(check.right, numbers)
    if check.operator == "=":
        return abs(left - right) <= check.by * (1 + _ROUNDING)
    return bool(_ORDERS[check.operator](left, right))


def _side(term: str, numbers: Mapping[str, Headline]) -> tuple[float, str]:
    """Return value and unit of one side of a check; a bare number has none, and takes any."""
    name = _name(term)
    value, unit = _literal(name), ""
    if name.endswith(".stated"):
        claim = claims()[name.removesuffix(".stated")]
        value, unit = claim.stated, claim.unit
    elif value is None:
        value, unit = numbers[name].value, numbers[name].unit
    assert value is not None
    factor = float(term.rpartition(" * ")[0] or 1)
    return (abs(value) if term.endswith("|") else value) * factor, unit


def _name(term: str) -> str:
    """Return what a term names, a headline, ``ID.stated`` or a number, without its factor."""
    return term.rpartition(" * ")[2].strip("|")


def _literal(name: str) -> float | None:
    try:
        return float(name)
    except ValueError:
        return None


def _other(claim: Claim, numbers: Mapping[str, Headline]) -> tuple[str, str]:
    """Return the number that stands against a contradiction's, and what it is."""
    if claim.kind != "X":
        return "", ""
    other = claims()[claim.contradicts]
    if not claim.against:
        return other.quoted, f"{other.id}, {other.statement}"
    headline = numbers[claim.against]
    beside = f" ({other.quoted})" if other.quoted else ""
    return headline.text, f"{headline.meaning}, by {other.id}{beside}: {other.statement}"


def counts(rows: Iterable[Row], further: bool = False) -> dict[str, int]:
    """Return how many of the paper's statements have each verdict, contradictions together.

    Of this book's own further tests, if asked for.
    """
    found = Counter(line.group for line in rows if line.claim.further is further)
    return {name: found[name] for name in MEANINGS}


def record(line: Row) -> dict[str, Any]:
    """Return one line as plain data for JSON."""
    claim = line.claim
    return {
        "id": claim.id,
        "where": claim.where,
        "kind": claim.kind,
        "statement": claim.statement,
        "stated": claim.stated if claim.stated_to is None else [claim.stated, claim.stated_to],
        "stated_text": line.stated_text,
        "computed": _finite(line.computed),
        "computed_text": line.computed_text,
        "unit": line.unit,
        "compare": claim.compare,
        "tolerance": claim.tolerance,
        "tolerance_reason": claim.because,
        "residual": _finite(line.residual),
        "criterion": claim.criterion,
        "further_test": claim.further,
        "tests": claim.tests,
        "verdict": line.verdict,
        "holds": line.holds,
        "readings": dict(line.over.verdicts) if line.over is not None else None,
        "rests_on": line.rests_on,
        "bound": line.bound_text,
        "against": line.against,
        "missing": claim.missing,
        "note": line.note,
        "beside": [{"meaning": h.meaning, "value": h.rounded, "unit": h.unit} for h in line.beside],
        "invariant": claim.invariant,
        "function": claim.function,
        "figure": claim.figure,
    }


def _finite(value: float | None) -> float | None:
    return value if value is not None and math.isfinite(value) else None
