"""``qdgain parameters``: what can be set, with unit, range, default and origin."""

from __future__ import annotations

import argparse

from qdgain.chapters import CHAPTERS, NAMES
from qdgain.commands import Parser, explained, say
from qdgain.model import parameters
from qdgain.model.parameters import CONTRACT, Parameter
from qdgain.reruns.request import chapters_named, users_of
from qdgain.table import Table
from qdgain.text import as_json


def add(command: Parser) -> None:
    """Describe the subcommand."""
    command.description = "List the parameters of a chapter, or explain one of them."
    command.add_argument("chapter", nargs="?", default="all", help=f"{NAMES}; all by default")
    command.add_argument("name", nargs="?", help="a parameter to explain")
    command.flag("--json", "print as JSON")


def run(given: argparse.Namespace) -> None:
    """Print what was asked for."""
    every = users_of(CHAPTERS)
    of_chapter = users_of(chapters_named(given.chapter))
    users = {name: every[name] for name in of_chapter}
    if given.name is not None and given.name not in users:
        raise parameters.unknown_name(given.name, users)
    names = tuple(users) if given.name is None else (given.name,)
    if given.json:
        say(as_json([record(CONTRACT[name], users[name]) for name in names]))
    elif given.name is None:
        say(as_table(users))
    else:
        say(explanation(CONTRACT[given.name], users[given.name]))


def record(entry: Parameter, chapters: tuple[str, ...]) -> dict[str, object]:
    """Return one parameter as JSON has it."""
    fields = ("name", "symbol", "unit", "allowed", "default", "stand_in")
    return {name: getattr(entry, name) for name in fields} | {
        "origin": entry.origin.kind,
        "source": entry.origin.source,
        "meaning": entry.meaning,
        "chapters": list(chapters),
    }


def as_table(users: dict[str, tuple[str, ...]]) -> str:
    """Return the parameters as lines of text."""
    header = ("name", "symbol", "unit", "range", "default", "origin", "chapters")
    rows = []
    for name, chapters in users.items():
        entry = CONTRACT[name]
        cells = (entry.symbol, entry.unit, _range(entry), _default(entry), entry.origin.kind)
        rows.append((name, *cells, " ".join(chapters)))
    return Table(header, rows).text()


def explanation(entry: Parameter, chapters: tuple[str, ...]) -> str:
    """Return everything the contract has on one parameter, as lines of text."""
    entries = {
        "meaning": entry.meaning,
        "symbol": entry.symbol,
        "unit": entry.unit,
        "allowed": entry.allowed,
        "default": _default(entry),
        "origin": f"{entry.origin.kind}: {entry.origin.source}",
        "chapters": ", ".join(chapters),
    }
    return "\n".join([entry.name, *explained(entries)])


def _range(entry: Parameter) -> str:
    if entry.kind in ("number", "integer"):
        return f"{entry.minimum:g} to {entry.maximum:g}"
    return "a file" if entry.kind == "file" else ", ".join(entry.choices)


def _default(entry: Parameter) -> str:
    if entry.default is None:
        return entry.stand_in
    if entry.kind == "number":
        return f"{entry.default:g}"
    return str(entry.default) or "none"
