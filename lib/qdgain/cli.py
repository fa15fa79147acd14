"""The command ``qdgain``, one subcommand for each thing it does."""

from __future__ import annotations

import argparse
import json
import os
import signal
import sys
import textwrap
from collections.abc import Callable, Sequence
from typing import NoReturn

from qdgain import ledger
from qdgain.claims import KINDS
from qdgain.rounding import significant, with_unit
from qdgain.version import __version__

_WIDTH = 100
_STATEMENT_WIDTH = 60
#: What a shell reports of a program that was interrupted.
_INTERRUPTED = 128 + signal.SIGINT


class UsageError(Exception):
    """What the user asked for cannot be had, in one sentence."""


class _Parser(argparse.ArgumentParser):
    """A parser that refuses in one sentence."""

    def error(self, message: str) -> NoReturn:
        print(f"{self.prog}: {message}", file=sys.stderr)
        raise SystemExit(2)


def parser() -> argparse.ArgumentParser:
    """Return the parser with every subcommand."""
    top = _Parser(
        prog="qdgain", description="Numbers of the executable companion to arXiv 2510.01199."
    )
    top.add_argument("--version", action="version", version=f"qdgain {__version__}")
    commands = top.add_subparsers(dest="command", required=True, metavar="command")
    _add_claims(commands)
    return top


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command and return its exit code: 0, 2 for a request that makes no sense.

    Parameters
    ----------
    arguments : sequence of str, optional
        Those of the process if left out.
    """
    try:
        given = parser().parse_args(arguments)
        command: Callable[[argparse.Namespace], None] = given.run
        command(given)
        sys.stdout.flush()
    except UsageError as refusal:
        print(f"qdgain: {refusal}", file=sys.stderr)
        return 2
    except BrokenPipeError:
        # The reader, such as head, has gone; nothing more can be written, not even at exit.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
    except KeyboardInterrupt:
        return _INTERRUPTED
    return 0


def _add_claims(commands: argparse._SubParsersAction[_Parser]) -> None:
    claims = commands.add_parser(
        "claims",
        help="the paper's statements with numbers and verdicts",
        description="Print the ledger of the paper's statements, or explain one of them.",
    )
    claims.add_argument("id", nargs="?", help="a statement to explain, such as F8-3ls-esa")
    claims.add_argument("--json", action="store_true", help="print as JSON")
    claims.set_defaults(run=_claims)


def _claims(given: argparse.Namespace) -> None:
    rows = ledger.ledger() if given.id is None else (_known(given.id),)
    if given.json:
        records = [ledger.record(row) for row in rows]
        print(json.dumps(records, ensure_ascii=False, indent=1, allow_nan=False))
    elif given.id is None:
        print(as_table(rows))
    else:
        print(explanation(rows[0]))


def _known(name: str) -> ledger.Row:
    try:
        return ledger.row(name)
    except ledger.UnknownClaim as error:
        raise UsageError(str(error)) from None


def as_table(rows: Sequence[ledger.Row]) -> str:
    """Return the ledger as lines of text, and the number of each verdict."""
    table = [("id", "stated", "computed", "residual", "verdict", "statement")]
    for row in rows:
        statement = textwrap.shorten(row.claim.statement, _STATEMENT_WIDTH, placeholder=" …")
        numbers = (row.stated_text, row.computed_text, row.residual_text)
        table.append((row.claim.id, *numbers, row.verdict, statement))
    widths = [max(len(line[i]) for line in table) for i in range(len(table[0]))]
    lines = [
        "  ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)).rstrip()
        for line in table
    ]
    summary = ", ".join(f"{n} {name}" for name, n in ledger.counts(rows).items() if n)
    return "\n".join([*lines, "", f"{len(rows)} statements: {summary}"])


def explanation(row: ledger.Row) -> str:
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
        ("against", row.other and f"{row.other_number}: {row.other}"),
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
        lines += [
            f"    {with_unit(significant(h.value, 4), h.unit)}: {h.meaning}" for h in row.beside
        ]
    return "\n".join(lines)
