"""The ledger on the book's pages, as HTML made by ``data/ledger.html``.

Links are relative to the book's pages. Nothing needs a script; ``_static/ledger.js`` adds filters
and sorting where there is one.
"""

from __future__ import annotations

import html
import re
from collections.abc import Callable
from functools import cache
from typing import Any

from jinja2 import Environment, Template

from qdgain.calibration import record
from qdgain.calibration.conditions import CONDITIONS
from qdgain.calibration.rows import TARGETS
from qdgain.chapters import api_page_of, page_of
from qdgain.ledger import joined, shares, verdicts
from qdgain.ledger import matrix as statements_matrix
from qdgain.ledger.verdicts import MEANINGS, Row
from qdgain.paper.claims import KINDS, Claim, claims
from qdgain.table import Shown
from qdgain.text import data_text, significant

_THRESHOLDS = {"maximum": "threshold at the gain maximum", "onset": "onset of gain"}
_STATISTICS = {"rabi": "Rabi", "sequential": "sequential", "poisson": "Poisson"}


def fragment(macro: str, *shown: Any) -> Shown:
    """Return a piece of a page: one of the template's macros with what it shows."""
    return Shown(str(getattr(_template().module, macro)(*shown)))


def full(further: bool = False) -> Shown:
    """Return the ledger of the paper's statements, or that of this book's own further tests."""
    return fragment("full", _rows(further), further)


#: What a chapter shows first; the others test nothing there, and are folded.
_FIRST = tuple(MEANINGS)[: list(MEANINGS).index(verdicts.CALIBRATED)]


def of_chapter(chapter: str, minutes: int) -> Shown:
    """Return the statements shown with one chapter's figures, such as ``fig08``, by verdict.

    Beside them stands how many minutes the page takes to read.
    """
    rows = joined.of_chapter(chapter)
    ordered = sorted(rows, key=lambda row: list(MEANINGS).index(row.group))
    first = [row for row in ordered if row.group in _FIRST]
    rest = [row for row in ordered if row.group not in _FIRST]
    return fragment("of_chapter", first, rest, minutes)


def summary() -> Shown:
    """Return how many of the paper's statements have each verdict, each linked to those."""
    counts, further = (verdicts.counts(joined.ledger(), of) for of in (False, True))
    apart = ", ".join(f"{n} {name}" for name, n in further.items() if n)
    return fragment("summary", counts, apart)


def legend() -> Shown:
    """Return the verdicts with their counts, as the places that the summary links to."""
    counts, further = (verdicts.counts(joined.ledger(), of) for of in (False, True))
    return fragment("legend", counts, further)


def deviations(further: bool = False) -> Shown:
    """Return every deviation and contradiction in words."""
    rows = [r for r in _rows(further) if r.group in (verdicts.DEVIATES, verdicts.CONTRADICTS)]
    return fragment("deviations", rows)


def _rows(further: bool) -> list[Row]:
    return [row for row in joined.ledger() if row.claim.further is further]


def missing() -> Shown:
    """Return what it would take to compute each statement that cannot be computed."""
    return fragment("missing", [row for row in joined.ledger() if row.claim.missing])


def matrix() -> Shown:
    """Return the statements under every reading, refitted and with the presets."""
    columns = statements_matrix.matrix()
    lines = [
        (claim, [cells[claim.id] for _, cells in columns]) for claim in statements_matrix.rows()
    ]
    best = [
        statements_matrix.best_row(reading.threshold, reading.statistics)
        for reading, _ in columns
        if reading.refitted
    ]
    fits = [(variant, statements_matrix.conditions_met(variant)) for variant in best]
    thresholds = [_THRESHOLDS[name] for name in statements_matrix.THRESHOLDS]
    statistics = [_STATISTICS[name] for name in statements_matrix.STATISTICS]
    return fragment("matrix", thresholds, statistics, fits, lines)


def over_readings() -> Shown:
    """Return in what share of each reading's set every statement holds, as tiles."""
    of_rows, admitted = shares.shares(), record.admitted()
    answered = sorted(set().union(*of_rows.values()), key=list(claims()).index)
    lines = [
        (claims()[name], [of.get(name) for of in of_rows.values()], shares.over(name))
        for name in answered
    ]
    heads = [(row, row in admitted) for row in of_rows]
    return fragment("over_readings", heads, lines)


def over_count() -> Shown:
    """Return how many of the paper's statements hold in every reading, in some and in none."""
    found, every, none = joined.over_bands()
    rows, admitted = shares.shares(), record.admitted()
    return fragment(
        "paragraph",
        f"{len(admitted)} of {len(rows)} readings give the paper's {len(TARGETS)} numbers and "
        f"meet the {len(CONDITIONS)} conditions. Of the {found} further statements that "
        f"depend on the bands, {every} hold in every one of these readings, {none} hold in none, "
        f"and {found - every - none} depend on the reading.",
    )


def hanging_on_rabi(refitted: bool = True) -> Shown:
    """Return the statements that hold under Rabi statistics alone, see `qdgain.ledger.matrix`."""
    return fragment("claims", statements_matrix.hanging_on_rabi(refitted))


def failing_on_rabi() -> Shown:
    """Return the statements that fail under Rabi statistics and hold under another."""
    return fragment("claims", statements_matrix.failing_on_rabi())


def _sides(row: Row) -> str:
    """Return what is stated, what is computed, and what stands against it, in a sentence."""
    meaning = f" ({row.headline.meaning})" if row.headline else ""
    same = row.headline is not None and row.claim.against == row.headline.key
    phrases = (
        row.stated_text and f"Stated: {row.stated_text}",
        row.computed_text and not same and f"computed: {row.computed_text}{meaning}",
        row.bound_text,
        row.against and f"against: {row.against}",
    )
    return _capital("; ".join(phrase for phrase in phrases if phrase))


def _capital(sentence: str) -> str:
    return sentence[:1].upper() + sentence[1:]


def _in_tolerances(row: Row) -> str:
    """Return the residual over the tolerance, which numbers of all units can be sorted by."""
    if row.missed is None or not row.claim.tolerance:
        return ""
    return f"{abs(row.missed) / row.claim.tolerance:.6g}"


def _code(claim: Claim) -> str:
    """Return the address of the function that computes a statement."""
    return f"{api_page_of(claim.function.rpartition('.')[0])}#{claim.function}"


def _rich(text: str) -> str:
    """Return escaped text with ``*emphasis*``."""
    return re.sub(r"\*([^*]+)\*", r"<em>\1</em>", html.escape(text))


@cache
def _template() -> Template:
    environment = Environment(autoescape=False)
    filters: dict[str, Callable[..., str]] = {
        "capital": _capital,
        "code": _code,
        "e": html.escape,
        "in_tolerances": _in_tolerances,
        "page": page_of,
        "rich": _rich,
        "sides": _sides,
        "significant": significant,
    }
    environment.filters.update(filters)
    environment.globals.update(kinds=KINDS, meanings=MEANINGS)
    return environment.from_string(
        "".join(line.strip() for line in data_text("ledger.html").splitlines())
    )
