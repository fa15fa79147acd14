"""Reruns and the ledger as typed, beside their parts and the least that each can take."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

import nbformat
from jupyter_client.manager import start_new_kernel

from bench.measured import Measured, Scale, ratio
from qdgain.book import keep
from qdgain.chapters import CHAPTERS, notebook_of

_CHAPTER = "fig08"
# The cells in one process without a kernel; what they show is rendered as a kernel renders it.
_ALONE = """
import json, sys
from IPython.core.interactiveshell import InteractiveShell
shell = InteractiveShell.instance()
for cell in json.load(open(sys.argv[1]))["cells"]:
    if cell["cell_type"] == "code":
        result = shell.run_cell("".join(cell["source"]))
        result.raise_error()
        if "parameters" in cell["metadata"].get("tags", []):
            shell.run_cell("stokes_shift_meV = 60.0").raise_error()
        if result.result is not None:
            shell.display_formatter.format(result.result)
"""


def measure(scale: Scale) -> list[Measured]:
    notebook = notebook_of(_CHAPTER)
    with tempfile.TemporaryDirectory(prefix="qdgain-bench-") as name:
        folder = Path(name)
        environment = {
            **os.environ,
            "XDG_CACHE_HOME": str(folder / "cache"),
            "QDGAIN_STORED_NUMBERS": str(folder / "cache" / "numbers"),
        }
        quiet = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}

        def python(*words: str) -> None:
            command = [sys.executable, *words]
            subprocess.run(command, check=True, env=environment, cwd=folder, **quiet)

        def rerun(chapter: str = _CHAPTER) -> None:
            shutil.rmtree(folder / "out", ignore_errors=True)
            python("-m", "qdgain", "rerun", chapter, "-p", "stokes_shift_meV=60", "-o", "out")

        def one_after_another() -> None:
            for chapter in CHAPTERS:
                rerun(chapter)

        empty = nbformat.v4.new_notebook()
        empty.metadata["kernelspec"] = {"name": "python3", "display_name": "Python 3"}
        nbformat.write(empty, folder / "empty.ipynb")

        def parts() -> None:
            shutil.rmtree(folder / "kept", ignore_errors=True)
            manager, client = start_new_kernel(kernel_name="python3", stderr=subprocess.DEVNULL)
            client.stop_channels()
            manager.shutdown_kernel(now=True)
            kept = dict.fromkeys((keep.NUMBERS_FOLDER, keep.PICTURES_FOLDER), str(folder / "kept"))
            words = [sys.executable, "-c", _ALONE, str(notebook)]
            subprocess.run(words, check=True, env=environment | kept, cwd=folder, **quiet)

        few = Scale(scale.fraction, min(scale.runs, 3))
        return [
            ratio(
                "rerun/bare",
                f"qdgain rerun {_CHAPTER}, over papermill with an empty notebook",
                rerun,
                lambda: python("-m", "papermill", "empty.ipynb", "ended.ipynb"),
                few,
                goal=3,
            ),
            ratio(
                "rerun/all",
                "qdgain rerun all, over its chapters one after another",
                lambda: rerun("all"),
                one_after_another,
                Scale(scale.fraction, 1),
                goal=0.6,
            ),
            ratio(
                "rerun/claims",
                "qdgain claims, over import qdgain, from the start of Python",
                lambda: python("-m", "qdgain", "claims"),
                lambda: python("-c", "import qdgain"),
                few,
            ),
            ratio(
                "rerun/parts",
                f"qdgain rerun {_CHAPTER}, over a kernel's start and the chapter's cells alone",
                rerun,
                parts,
                few,
                goal=1.3,
            ),
        ]
