"""What ``make bench`` measured and stored, as the book shows it."""

from __future__ import annotations

import json
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any

from IPython.display import Markdown

from qdgain.rounding import significant

_STORED = Path(__file__).parent / "data" / "bench.json"
_DIGITS = 3


@cache
def stored() -> Mapping[str, Any]:
    """Return the stored result of the benchmark."""
    content: Mapping[str, Any] = json.loads(_STORED.read_text(encoding="utf-8"))
    return content


def growths() -> list[Mapping[str, Any]]:
    """Return those measurements that are of several sizes: times in seconds and their slope."""
    every = (one for subject in stored()["subjects"] for one in subject["measured"])
    return [one for one in every if one["unit"] == "slope"]


def machine() -> Markdown:
    """Return a sentence on where and when the numbers were measured."""
    place, made = stored()["machine"], stored()
    packages = ", ".join(f"{name} {version}" for name, version in place["packages"].items())
    return Markdown(
        f"Measured on {made['date']} with version {made['version']} of the library (content "
        f"`{made['library'][:16]}`) on one machine: {place['processor']}, {place['cores']} cores, "
        f"{place['system']}, Python {place['python']}, {packages}. Only ratios carry over to "
        "another machine, and they not exactly."
    )


def table() -> Markdown:
    """Return all measurements: the median, the middle half of the runs, the goal."""
    rows = ["| what | measured | middle half of runs | goal | |", "|---|---:|---:|---:|---|"]
    for subject in stored()["subjects"]:
        rows.append(f"| **{subject['title']}** | | | | |")
        rows += [_row(one) for one in subject["measured"]]
    return Markdown("\n".join(rows))


def summary() -> Markdown:
    """Return how many goals are met, and which are not."""
    every = [one for subject in stored()["subjects"] for one in subject["measured"]]
    with_goal = [one for one in every if one["goal"] is not None]
    missed = [one for one in with_goal if not one["met"]]
    text = f"Of {len(with_goal)} goals {len(with_goal) - len(missed)} are met."
    if missed:
        text += " Missed: " + "; ".join(
            f"{one['what']}, {_value(one['value'], one['unit'])} where {_goal(one)} was asked"
            for one in missed
        )
        text += "."
    return Markdown(text)


def _row(one: Mapping[str, Any]) -> str:
    spread = ""
    if one["high"] > one["low"]:
        spread = f"{significant(one['low'], _DIGITS)} to {significant(one['high'], _DIGITS)}"
    goal = "" if one["goal"] is None else _goal(one)
    met = {True: "met", False: "missed", None: ""}[one["met"]]
    what = one["what"].replace("|", "\\|")
    return f"| {what} | {_value(one['value'], one['unit'])} | {spread} | {goal} | {met} |"


def _goal(one: Mapping[str, Any]) -> str:
    return f"{'≥' if one['at_least'] else '≤'} {one['goal']:g}"


def _value(value: float, unit: str) -> str:
    text = significant(value, _DIGITS)
    return f"slope {text}" if unit == "slope" else f"{text} {unit}".strip()
