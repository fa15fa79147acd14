"""One rerun of a chapter as typed, beside its parts: a kernel, the imports, the chapter's cells."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

from jupyter_client.manager import start_new_kernel

from bench.measured import Measured, Scale, ratio
from qdgain.book import keep
from qdgain.chapters import notebook_of

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

        def rerun() -> None:
            shutil.rmtree(folder / "out", ignore_errors=True)
            words = ["rerun", _CHAPTER, "-p", "stokes_shift_meV=60", "-o", str(folder / "out")]
            command = [sys.executable, "-m", "qdgain", *words]
            subprocess.run(command, check=True, env=environment, **quiet)

        def parts() -> None:
            shutil.rmtree(folder / "kept", ignore_errors=True)
            manager, client = start_new_kernel(kernel_name="python3", stderr=subprocess.DEVNULL)
            client.stop_channels()
            manager.shutdown_kernel(now=True)
            kept = dict.fromkeys((keep.NUMBERS_FOLDER, keep.PICTURES_FOLDER), str(folder / "kept"))
            words = [sys.executable, "-c", _ALONE, str(notebook)]
            subprocess.run(words, check=True, env=environment | kept, cwd=folder, **quiet)

        return [
            ratio(
                "rerun/parts",
                f"qdgain rerun {_CHAPTER}, over a kernel's start and the chapter's cells alone",
                rerun,
                parts,
                Scale(scale.fraction, min(scale.runs, 3)),
                goal=1.3,
            )
        ]
