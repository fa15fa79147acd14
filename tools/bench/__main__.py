"""Measure, print a table, write _build/bench.json: make bench, make bench KEEP=1.

Words after the command name the subjects that are measured; all by default.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import sys
from collections.abc import Iterator, Sequence
from datetime import date
from importlib import metadata
from pathlib import Path
from typing import Any

from bench.measured import Measured, Scale
from bench.subjects import SUBJECTS
from qdgain.version import __version__, library_hash

ROOT = Path(__file__).parents[2]
RESULT = ROOT / "_build" / "bench.json"
#: What the book shows.
KEPT = ROOT / "book" / "speed.json"
TINY = Scale(fraction=0.001, runs=1)
_PACKAGES = ("numpy", "scipy")


def machine() -> dict[str, Any]:
    """Return what the ratios were measured on."""
    return {
        "processor": _processor(),
        "cores": os.cpu_count(),
        "system": f"{platform.system()} {platform.machine()}",
        "python": platform.python_version(),
        "packages": {name: metadata.version(name) for name in _PACKAGES},
    }


def _processor() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    except OSError:
        return platform.processor() or "unknown"
    names = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return names[0] if names else "unknown"


def measure(titles: Sequence[str], scale: Scale) -> Iterator[tuple[str, list[Measured]]]:
    """Yield each subject with what was measured."""
    for title in titles:
        yield title, SUBJECTS[title](scale)


def lines(title: str, found: Sequence[Measured]) -> Iterator[str]:
    """Yield a subject's part of the table."""
    yield title
    for one in found:
        spread = f"{_short(one.low)} to {_short(one.high)}" if one.high > one.low else ""
        goal = ""
        if one.goal is not None:
            goal = f"{'≥' if one.at_least else '≤'} {one.goal:g}  {'met' if one.met else 'MISSED'}"
        value = f"{_short(one.value)} {one.unit}".strip()
        yield f"  {one.what:<72} {value:>14}  {spread:>18}  {goal}".rstrip()


def _short(value: float) -> str:
    return f"{value:.0f}" if abs(value) >= 100 else f"{value:.3g}"


def record(subjects: Sequence[tuple[str, Sequence[Measured]]]) -> dict[str, Any]:
    """Return everything for JSON."""
    return {
        "version": __version__,
        "library": library_hash(),
        "date": date.today().isoformat(),
        "machine": machine(),
        "subjects": [
            {"title": title, "measured": [one.as_json() for one in found]}
            for title, found in subjects
        ],
    }


def main(arguments: Sequence[str]) -> int:
    parser = argparse.ArgumentParser(prog="make bench", description=__doc__)
    parser.add_argument("titles", nargs="*", metavar="SUBJECT", help=", ".join(SUBJECTS))
    parser.add_argument("--keep", action="store_true", help="store the result for the book")
    parser.add_argument("--tiny", action="store_true", help="tiny sizes: does it run at all")
    given = parser.parse_args(arguments)
    unknown = [title for title in given.titles if title not in SUBJECTS]
    if unknown:
        parser.error(f"there is no subject {unknown[0]!r}; there are {', '.join(SUBJECTS)}")
    if given.keep and (given.titles or given.tiny):
        parser.error("only a whole result at full size is kept")
    subjects = []
    for title, found in measure(given.titles or list(SUBJECTS), TINY if given.tiny else Scale()):
        subjects.append((title, found))
        print("\n".join(lines(title, found)), flush=True)
    text = json.dumps(record(subjects), indent=1, ensure_ascii=False) + "\n"
    RESULT.parent.mkdir(exist_ok=True)
    RESULT.write_text(text, encoding="utf-8")
    if given.keep:
        KEPT.write_text(text, encoding="utf-8")
    missed = [one for _, found in subjects for one in found if one.met is False]
    print(f"{len(missed)} goals missed" if missed else "every goal met")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
