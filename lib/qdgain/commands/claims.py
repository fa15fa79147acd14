"""``qdgain claims``: the ledger of the paper's statements, whole or one row explained."""

from __future__ import annotations

import argparse
import textwrap
from collections.abc import Sequence

from qdgain.commands import Parser, explained, say
from qdgain.ledger import joined, verdicts
from qdgain.paper.claims import KINDS
from qdgain.table import Table
from qdgain.text import as_json

_STATEMENT_WIDTH = 60


def add(command: Parser) -> None:
    """Describe the subcommand."""
    command.description = "Print the ledger of the paper's statements, or explain one of them."
    command.add_argument("id", nargs="?", help="a statement to explain, such as F8-3ls-esa")
    command.flag("--json", "print as JSON")


def run(given: argparse.Namespace) -> None:
    """Print what was asked for."""
    rows = joined.ledger() if given.id is None else (joined.row(given.id),)
    if given.json:
        say(as_json([verdicts.record(row) for row in rows]))
    else:
        say(as_table(rows) if given.id is None else explanation(rows[0]))


def as_table(rows: Sequence[verdicts.Row]) -> str:
    """Return the ledger as lines of text, and the number of each verdict."""
    header = ("id", "stated", "computed", "residual", "verdict", "statement")
    cells = []
    for row in rows:
        statement = textwrap.shorten(row.claim.statement, _STATEMENT_WIDTH, placeholder=" …")
        numbers = (row.stated_text, row.answer_text, row.residual_text)
        cells.append((row.claim.id, *numbers, row.verdict, statement))
    return f"{Table(header, cells).text()}\n\n{_summary(rows)}\n{_summary(rows, further=True)}"


def _summary(rows: Sequence[verdicts.Row], further: bool = False) -> str:
    """Return the number of each verdict, of the paper's statements or of the further tests."""
    counts = verdicts.counts(rows, further)
    of = "further tests of this book" if further else "statements of the paper"
    verdict = ", ".join(f"{n} {name}" for name, n in counts.items() if n)
    return f"{sum(counts.values())} {of}: {verdict}"


def explanation(row: verdicts.Row) -> str:
    """Return everything the ledger has on one statement, as lines of text."""
    claim = row.claim
    meaning = f" ({row.headline.meaning})" if row.headline else ""
    entries = {
        "where": claim.where,
        "kind": f"{claim.kind}: {KINDS[claim.kind]}",
        "stated": row.stated_text,
        "tests further": claim.tests,
        "computed": row.answer_text and row.answer_text + meaning,
        "residual": row.residual_text,
        "tolerance": row.tolerance_text,
        "criterion": claim.criterion,
        "over the readings": row.over.text if row.over is not None else "",
        "against": row.against,
        "missing": claim.missing,
        "invariant": claim.invariant,
        "note": row.note,
        "function": claim.function,
        "figure": f"{claim.figure} of chapter {row.chapter}",
    }
    there = explained({name: text for name, text in entries.items() if text})
    lines = [f"{claim.id}: {claim.statement}", f"verdict: {row.verdict}", *there]
    beside = [f"    {h.text}: {h.meaning}" for h in row.beside]
    return "\n".join([*lines, "beside:", *beside] if beside else lines)
