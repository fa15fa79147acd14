"""What `import qdgain` takes, beside numpy alone, in processes of their own."""

from __future__ import annotations

import subprocess
import sys

from bench.measured import Measured, Scale, ratio


def importing(module: str):
    """Return an action that starts Python and imports a module."""
    return lambda: subprocess.run([sys.executable, "-c", f"import {module}"], check=True)


def measure(scale: Scale) -> list[Measured]:
    return [
        ratio(
            "import/numpy",
            "import qdgain, over import numpy, from the start of Python",
            importing("qdgain"),
            importing("numpy"),
            scale,
            goal=1.5,
        )
    ]
