"""The ledger: which statements of the paper hold, under which assumptions, and how it is shown."""

from __future__ import annotations

import os
from pathlib import Path

#: The environment variable that names a folder where processes share the chapters' numbers.
STORED_NUMBERS = "QDGAIN_STORED_NUMBERS"


def kept_in() -> Path | None:
    """Return the folder for the chapters' numbers that the environment names, if it names one."""
    return Path(os.environ[STORED_NUMBERS]) if os.environ.get(STORED_NUMBERS) else None


def kept_in_or_users() -> str:
    """Return the same, else the one in the user's cache, else nothing."""
    cache = os.environ.get("XDG_CACHE_HOME", "")
    if not os.path.isabs(cache):
        cache = os.path.join(os.path.expanduser("~"), ".cache")
    users = os.path.join(cache, "qdgain", "numbers") if os.path.isabs(cache) else ""
    return os.environ.get(STORED_NUMBERS) or users
