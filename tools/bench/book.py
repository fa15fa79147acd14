"""The book: what executing its pages adds to a clean build, and what a prose edit costs."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

import yaml

from bench.measured import Measured, Scale, number, seconds
from conftest import ROOT

_EDITED = "book/model.md"


def measure(_: Scale) -> list[Measured]:
    with tempfile.TemporaryDirectory(prefix="qdgain-bench-") as name:
        source = Path(name)
        for path in ("_config.yml", "_toc.yml"):
            shutil.copy(ROOT / path, source)
        shutil.copytree(ROOT / "book", source / "book")
        clean = seconds(lambda: build(source))
        executed = executed_s(source)
        page = source / _EDITED
        page.write_text(page.read_text(encoding="utf-8") + "\nA sentence more.\n", encoding="utf-8")
        edited = seconds(lambda: build(source))
        shutil.rmtree(source / "_build")
        config = yaml.safe_load((source / "_config.yml").read_text(encoding="utf-8"))
        config["execute"]["execute_notebooks"] = "off"
        (source / "_config.yml").write_text(yaml.safe_dump(config), encoding="utf-8")
        bare = seconds(lambda: build(source))
    detail = {"clean_s": clean, "bare_s": bare, "executed_s": executed, "edited_s": edited}
    return [
        number(
            "book/executed",
            "clean build less one without execution, over the sum of the pages' times",
            (clean - bare) / executed,
            "×",
            goal=0.65,
            detail=detail,
        ),
        number(
            "book/prose",
            "build after an edit of prose, over a clean build",
            edited / clean,
            "×",
            goal=0.3,
            detail=detail,
        ),
    ]


def build(source: Path) -> None:
    """Build as `make book` does, without its checks."""
    kept = source / "_build"
    subprocess.run(
        [Path(sys.executable).parent / "jupyter-book", "build", str(source), "--quiet"],
        env={
            **os.environ,
            "QDGAIN_STORED_NUMBERS": str(kept / "numbers"),
            "QDGAIN_KEEP_PICTURES": str(kept / "html" / "files"),
        },
        check=True,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )


def executed_s(source: Path) -> float:
    """Return the sum of the pages' execution times, from the table on the page on status."""
    text = (source / "_build" / "html" / "book" / "status.html").read_text(encoding="utf-8")
    times = re.findall(r"force</p></td>\s*<td><p>([\d.]+)</p>", text)
    if len(times) < 5:
        raise RuntimeError("the page on status has no times")
    return sum(map(float, times))
