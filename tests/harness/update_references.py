"""Store the references anew, with version, date and a reason: make references REASON="..."."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Iterator
from datetime import date
from pathlib import Path
from typing import Any

import numpy as np

from qdgain.version import __version__, library_hash
from regression import (
    CHAPTERS,
    HEADLINES,
    REFERENCES,
    TOLERANCES,
    computed,
    content_sum,
    differences,
    figure_record,
    figures_of,
    stored,
)

HISTORY = """# When and why references changed

Written by `make references REASON="..."`: date, version, hash of the library, files, reason.

"""
_FEWEST_WORDS = 3


class Refused(Exception):
    """References are not written, and why."""


def update(reason: str, folder: Path = REFERENCES) -> list[str]:
    """Store what differs from the references, with version, date and reason.

    A series within its tolerance keeps its text, so that small steps cannot add up.

    Returns
    -------
    list of str
        What has changed.

    Raises
    ------
    Refused
        Without a reason of a few words; nothing is written.
    """
    words = reason.split()
    if len(words) < _FEWEST_WORDS:
        raise Refused(
            "references change for a reason only, so say it in a few words: "
            'make references REASON="the splitting was read wrongly".'
        )
    recorded = {
        "date": date.today().isoformat(),
        "qdgain": __version__,
        "library": library_hash()[:16],
        "reason": " ".join(words),
    }
    changed, files = [], {}
    for chapter in CHAPTERS:
        told, content = _renewed(chapter, stored(chapter, folder))
        if told:
            files[folder / f"{chapter}.json"] = {
                "chapter": chapter,
                "recorded": recorded | {"content": content_sum(content)},
                **content,
            }
            changed += told
    for sentence in changed:
        print(sentence)
    if files:
        _write(files, recorded, folder)
    return changed


def _renewed(chapter: str, before: dict[str, Any]) -> tuple[list[str], dict[str, Any]]:
    """Return what differs in a chapter, and its reference with just that replaced."""
    told, figures = [], {}
    for figure in figures_of(chapter):
        result = computed(chapter, figure)
        found = list(differences(chapter, figure, result, before))
        told += [difference.sentence for difference in found]
        moved = {(difference.panel, difference.series) for difference in found}
        figures[figure] = plain(figure_record(chapter, figure, result))
        known = before["figures"].get(figure, {})
        if figure == HEADLINES:
            told += _keep(figures[figure], known, {name for _, name in moved}, chapter)
            continue
        for panel, record in figures[figure].items():
            old = known.get(panel, {"series": {}})["series"]
            names = {name for place, name in moved if place == panel}
            told += _keep(record["series"], old, names, f"{chapter}, {panel}")
    lost = [name for name in before["figures"] if name not in figures]
    told += [
        f"{chapter}: the figure {name!r} of the reference is no longer there." for name in lost
    ]
    used = {record["tolerance"] for record in leaves(figures)}
    tolerances = {name: rule.store() for name, rule in TOLERANCES.items() if name in used}
    if not told and before["tolerances"] != tolerances:
        told.append(f"{chapter}: the tolerances are others.")
    if before["figures"] and before["recorded"].get("content") != content_sum(before):
        told.append(f"{chapter}: the file is not as this command has written it.")
    return told, {"tolerances": tolerances, "figures": figures}


def _keep(now: dict[str, Any], known: dict[str, Any], moved: set[str], place: str) -> Iterator[str]:
    """Put back what has not moved, and yield where the tolerance is another."""
    for name, record in now.items():
        if name in known and known[name]["tolerance"] != record["tolerance"]:
            yield f"{place}, {name}: the tolerance is now {record['tolerance']!r}."
        elif name in known and name not in moved:
            now[name] = known[name]


def leaves(record: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """Yield every series and headline below a record."""
    if "tolerance" in record:
        yield record
    else:
        for value in record.values():
            if isinstance(value, dict):
                yield from leaves(value)


def plain(record: Any, digits: int = 17) -> Any:
    """Return a record without arrays, its numbers rounded to what their tolerance can see."""
    if isinstance(record, dict):
        if "tolerance" in record:
            digits = 3 - round(np.log10(TOLERANCES[record["tolerance"]].relative))
        return {name: plain(value, digits) for name, value in record.items()}
    if isinstance(record, np.ndarray):
        return [plain(float(value), digits) for value in record]
    if isinstance(record, float):
        return float(f"{record:.{digits}g}") if np.isfinite(record) else str(record)
    return record


def text(value: Any, depth: int = 0) -> str:
    """Return JSON with one array, headline or tolerance a line, so that a change reads well."""
    whole = not isinstance(value, dict) or {"sample", "value", "because"} & value.keys()
    if whole or not value:
        return json.dumps(value, ensure_ascii=False, separators=(", ", ": "))
    pad = " " * (depth + 1)
    lines = [
        f"{pad}{json.dumps(name, ensure_ascii=False)}: {text(item, depth + 1)}"
        for name, item in value.items()
    ]
    return "{\n" + ",\n".join(lines) + "\n" + " " * depth + "}"


def _write(files: dict[Path, Any], recorded: dict[str, str], folder: Path) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    for path, content in files.items():
        aside = path.with_suffix(".new")
        aside.write_text(text(content) + "\n", encoding="utf-8")
        aside.replace(path)
    history = folder / "HISTORY.md"
    lines = history.read_text(encoding="utf-8") if history.exists() else HISTORY
    lines += (
        f"- {recorded['date']}, qdgain {recorded['qdgain']}, library {recorded['library']}, "
        f"{', '.join(path.stem for path in files)}: {recorded['reason']}\n"
    )
    history.write_text(lines, encoding="utf-8")
    stored.cache_clear()


def main() -> int:
    """Store references anew, with the reason given in the environment."""
    try:
        changed = update(os.environ.get("REASON", ""))
    except Refused as refusal:
        print(refusal, file=sys.stderr)
        return 2
    print(f"{len(changed)} differences stored." if changed else "Nothing differs, nothing written.")
    return 0


if __name__ == "__main__":
    sys.exit(main())
