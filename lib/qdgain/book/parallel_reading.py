"""A Sphinx extension: pages are read, and their code executed, by as many processes as cores.

Jupyter Book builds with one process and has no option for more. Of the extensions that it loads,
two say nothing of parallel reading: one numbers sections when all pages are read, the other writes
LaTeX; neither keeps anything while a page is read.
"""

from __future__ import annotations

import os
import sys
from typing import Any

from sphinx.application import Sphinx
from sphinx.config import Config

_SILENT = ("sphinx_multitoc_numbering", "sphinx_jupyterbook_latex")


def setup(app: Sphinx) -> dict[str, Any]:
    """Set the number of processes; libraries of macOS do not survive the fork that starts them."""
    app.parallel = (os.cpu_count() or 1) if sys.platform == "linux" else 1
    app.connect("config-inited", _allow)
    return {"parallel_read_safe": True, "parallel_write_safe": True}


def _allow(app: Sphinx, _: Config) -> None:
    for name in _SILENT:
        if name in app.extensions and app.extensions[name].parallel_read_safe is None:
            app.extensions[name].parallel_read_safe = True
