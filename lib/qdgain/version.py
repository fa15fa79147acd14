"""The version of the library, in one place, and hashes of what its numbers depend on."""

import hashlib
import platform
from collections.abc import Iterable
from functools import cache
from pathlib import Path
from typing import Any

__version__ = "0.1.0"

_LIBRARY = Path(__file__).parent
#: Where results are that take too long for a chapter, see `qdgain.stored`.
STORED = _LIBRARY / "stored_results"


@cache
def library_hash(with_stored: bool = True) -> str:
    """Return a hash of the library's source and data, with or without the stored results."""
    digest = hashlib.sha256()
    for path in sorted(_LIBRARY.rglob("*")):
        if path.is_file() and path.suffix != ".pyc" and (with_stored or STORED not in path.parents):
            digest.update(path.relative_to(_LIBRARY).as_posix().encode() + b"\0")
            digest.update(path.read_bytes() + b"\0")
    return digest.hexdigest()


def provenance(packages: Iterable[str]) -> dict[str, Any]:
    """Return what computed a result: library, Python, system, and packages with their versions."""
    from importlib import metadata  # noqa: PLC0415 (takes long to import, and is seldom needed)

    return {
        "library": {"version": __version__, "hash": library_hash()},
        "python": platform.python_version(),
        "system": f"{platform.system()} {platform.machine()}",
        "packages": {name: metadata.version(name) for name in packages},
    }
