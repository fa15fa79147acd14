"""The version of the library, in one place, and hashes of what its numbers depend on."""

import hashlib
from functools import cache
from pathlib import Path

__version__ = "0.1.0"

_LIBRARY = Path(__file__).parent
#: Where results are that take too long for a chapter, see `qdgain.stored`.
STORED = _LIBRARY / "stored_results"


@cache
def library_hash() -> str:
    """Return a hash of the library's source and data: what its numbers depend on."""
    return _hash_without(None)


@cache
def source_hash() -> str:
    """Return the same without the stored results: what these in turn depend on."""
    return _hash_without(STORED)


def _hash_without(left_out: Path | None) -> str:
    digest = hashlib.sha256()
    for path in sorted(_LIBRARY.rglob("*")):
        if path.is_file() and path.suffix != ".pyc" and left_out not in path.parents:
            digest.update(path.relative_to(_LIBRARY).as_posix().encode() + b"\0")
            digest.update(path.read_bytes() + b"\0")
    return digest.hexdigest()
