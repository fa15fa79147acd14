"""What a run of a chapter keeps beside its notebook: pictures, data and numbers, in a folder.

A rerun, and the book's build, name folders in the environment of the kernel; without one nothing
is kept.
"""

from __future__ import annotations

import json
import math
import os
import re
from collections.abc import Callable, Iterable
from dataclasses import asdict
from pathlib import Path

from qdgain.figures.panel import Panel
from qdgain.paper.claims import Headline
from qdgain.version import library_hash

#: The environment variables that name the folder for the numbers, and that for pictures and data.
NUMBERS_FOLDER = "QDGAIN_KEEP_NUMBERS"
PICTURES_FOLDER = "QDGAIN_KEEP_PICTURES"
#: The environment variable that says whether figures are drawn; ``0`` where numbers are enough.
PICTURES = "QDGAIN_PICTURES"
#: The file with the numbers, and with the library they come from.
NUMBERS = "numbers.json"


def pictures_wanted() -> bool:
    """Say whether a chapter's figures are drawn: unless the environment says no."""
    return os.environ.get(PICTURES) != "0"


def into_files() -> bool:
    """Say whether this run of a chapter is made into files, with nobody at its kernel."""
    return not pictures_wanted() or bool(os.environ.get(PICTURES_FOLDER))


def numbers(headlines: Iterable[Headline]) -> None:
    """Keep a chapter's headline numbers, and the hash of the library that computed them."""
    target = _folder(NUMBERS_FOLDER)
    if target is not None:
        rows = [asdict(row) for row in headlines]
        for row in rows:
            if not math.isfinite(row["value"]):
                # JSON has no such number; this is text that ``float`` reads.
                row["value"] = str(row["value"])
        content = {"library_hash": library_hash(), "headlines": rows}
        text = json.dumps(content, ensure_ascii=False, indent=1, allow_nan=False)
        (target / NUMBERS).write_text(text, encoding="utf-8")


def picture(name: str, panels: Iterable[Panel], svg: str, png: Callable[[], bytes]) -> None:
    """Keep a figure such as ``fig08_contours`` as SVG and PNG, and each of its panels as CSV.

    The PNG is made only where it is kept.
    """
    pictures, data = (_folder(PICTURES_FOLDER, inside) for inside in ("figures", "data"))
    if pictures is None or data is None:
        return
    (pictures / f"{name}.svg").write_text(svg, encoding="utf-8")
    (pictures / f"{name}.png").write_bytes(png())
    for panel in panels:
        words = re.findall(r"\w+", f"{panel.letter} {panel.title}")
        panel.to_csv(data / f"{name}_{'_'.join(words)}.csv")


def _folder(variable: str, inside: str = "") -> Path | None:
    """Return the folder that the environment names, or one inside it, made; None without one."""
    if not os.environ.get(variable):
        return None
    folder = Path(os.environ[variable], inside)
    folder.mkdir(parents=True, exist_ok=True)
    return folder
