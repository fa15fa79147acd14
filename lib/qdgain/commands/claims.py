"""``qdgain claims``: the ledger of the paper's statements, whole or one row explained."""

from __future__ import annotations

import argparse
import json
import textwrap
from collections.abc import Sequence

from qdgain.commands import Parser, UsageError
from qdgain.ledger import joined, verdicts
from qdgain.paper.claims import KINDS
from qdgain.table import Table

_WIDTH = 100
_STATEMENT_WIDTH = 60


def add(command: Parser) -> None:
    """Describe the subcommand."""
    command.description = "Print the ledger of the paper's statements, or explain one of them."
    command.add_argument("id", nargs="?", help="a statement to explain, such as F8-3ls-esa")
    command.add_argument("--json", action="store_true", help="print as JSON")


def run(given: argparse.Namespace) -> None:
    """Print what was asked for."""
    rows = joined.ledger() if given.id is None else (_known(given.id),)
    if given.json:
        records = [verdicts.record(row) for row in rows]
        print(json.dumps(records, ensure_ascii=False, indent=1, allow_nan=False))
    elif given.id is None:
        print(as_table(rows))
    else:
        print(explanation(rows[0]))


def _known(name: str) -> verdicts.Row:
    try:
        return joined.row(name)
    except joined.UnknownClaim as error:
        raise UsageError(str(error)) from None


def as_table(rows: Sequence[verdicts.Row]) -> str:
    """Return the ledger as lines of text, and the number of each verdict."""
    lines = [
        (
            row.claim.id,
            row.stated_text,
            row.computed_text,
            row.residual_text,
            row.verdict,
            textwrap.shorten(row.claim.statement, _STATEMENT_WIDTH, placeholder=" …"),
        )
        for row in rows
    ]
    table = Table(("id", "stated", "computed", "residual", "verdict", "statement"), lines)
    summary = ", ".join(f"{n} {name}" for name, n in verdicts.counts(rows).items() if n)
    return f"{table.text()}\n\n{len(rows)} statements: {summary}"


def explanation(row: verdicts.Row) -> str:
    """Return everything the ledger has on one statement, as lines of text."""
    claim = row.claim
    meaning = f" ({row.headline.meaning})" if row.headline else ""
    entries = [
        ("where", claim.where),
        ("kind", f"{claim.kind}: {KINDS[claim.kind]}"),
        ("stated", row.stated_text),
        ("computed", row.computed_text and row.computed_text + meaning),
        ("residual", row.residual_text),
        ("tolerance", row.tolerance_text),
        ("criterion", claim.criterion),
        ("against", row.against),
        ("missing", claim.missing),
        ("invariant", claim.invariant),
        ("note", row.note),
        ("function", claim.function),
        ("figure", f"{claim.figure} of chapter {row.chapter}"),
    ]
    lines = [f"{claim.id}: {claim.statement}", f"verdict: {row.verdict}"]
    for name, text in entries:
        if text:
            lines += textwrap.wrap(f"{name}: {text}", _WIDTH, subsequent_indent="    ")
    if row.beside:
        lines.append("beside:")
        lines += [f"    {headline.text}: {headline.meaning}" for headline in row.beside]
    return "\n".join(lines)
