"""What ``make bench`` measured and stored, as the book shows it: Markdown."""

from __future__ import annotations

import json
from collections.abc import Mapping
from functools import cache
from typing import Any

from qdgain.chapters import BOOK
from qdgain.table import Table
from qdgain.text import significant

_STORED = BOOK / "speed.json"


@cache
def stored() -> Mapping[str, Any]:
    """Return the stored result of the benchmark."""
    content: Mapping[str, Any] = json.loads(_STORED.read_text(encoding="utf-8"))
    return content


def growths() -> list[Mapping[str, Any]]:
    """Return those measurements that are of several sizes: times in seconds and their slope."""
    every = (one for subject in stored()["subjects"] for one in subject["measured"])
    return [one for one in every if one["unit"] == "slope"]


def machine() -> str:
    """Return a sentence on where and when the numbers were measured."""
    place, made = stored()["machine"], stored()
    packages = ", ".join(f"{name} {version}" for name, version in place["packages"].items())
    return (
        f"Measured on {made['date']} with version {made['version']} of the library (content "
        f"`{made['library'][:16]}`) on one machine: {place['processor']}, {place['cores']} cores, "
        f"{place['system']}, Python {place['python']}, {packages}. Only ratios carry over to "
        "another machine, and they not exactly."
    )


def table() -> str:
    """Return all measurements: the median, the middle half of the runs, the goal."""
    rows = []
    for subject in stored()["subjects"]:
        rows.append((f"**{subject['title']}**", "", "", "", ""))
        rows += [_row(one) for one in subject["measured"]]
    header = ("what", "measured", "middle half of runs", "goal", "met or missed")
    return Table(header, rows, right=(1, 2, 3)).markdown()


def _row(one: Mapping[str, Any]) -> tuple[str, str, str, str, str]:
    value, low, high = (significant(one[which], 3) for which in ("value", "low", "high"))
    measured = f"slope {value}" if one["unit"] == "slope" else f"{value} {one['unit']}".strip()
    spread, goal = f"{low} to {high}" if one["high"] > one["low"] else "", ""
    if one["goal"] is not None:
        # Kept on one line.
        number = f"{one['goal']:g}".replace("e-0", "e-").replace("-", "\N{NON-BREAKING HYPHEN}")
        goal = f"{'≥' if one['at_least'] else '≤'}\N{NO-BREAK SPACE}{number}"
    met = {True: "met", False: "missed", None: ""}[one["met"]]
    return one["what"], measured, spread, goal, met
