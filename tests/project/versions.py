"""Which installed packages are other versions than the locked ones, a line each."""

from __future__ import annotations

import re
from importlib import metadata
from pathlib import Path

from packaging.utils import canonicalize_name

LOCK = Path(__file__).resolve().parents[2] / "requirements.lock"


def locked(text: str) -> dict[str, set[str]]:
    """Return the versions that a lock file names, by package; several if Python decides."""
    found: dict[str, set[str]] = {}
    for name, version in re.findall(r"^([A-Za-z0-9._-]+)==(\S+)", text, re.MULTILINE):
        found.setdefault(canonicalize_name(name), set()).add(version)
    return found


def differing(installed: dict[str, str], lock: dict[str, set[str]]) -> list[str]:
    """Return a line for each locked package that is installed in another version."""
    return [
        f"not as locked: {name} {version} ({' or '.join(sorted(lock[name]))})"
        for name, version in sorted(installed.items())
        if name in lock and version not in lock[name]
    ]


if __name__ == "__main__":
    now = {canonicalize_name(d.metadata["Name"]): d.version for d in metadata.distributions()}
    print("\n".join(differing(now, locked(LOCK.read_text(encoding="utf-8")))) or "all as locked")
