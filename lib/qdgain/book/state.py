"""What a built book depends on besides its prose; while it stays, edited prose alone is read again.

Sphinx sees neither the library nor the packages, and does not repeat the warnings of the build
before. So ``make book`` calls ``python -m qdgain.book.state begin FOLDER``, which empties what was
built unless this state is that of the last sound build, and with ``end`` says that a build was
sound.
"""

from __future__ import annotations

import hashlib
import json
import re
import shutil
import sys
from collections.abc import Iterator
from pathlib import Path

from qdgain.version import library_hash

_SOUND, _PENDING = "state", "state.pending"
_BUILT = ("html", "singlehtml", "jupyter_execute", "numbers", ".doctrees", ".jupyter_cache")
_CODE_CELL = re.compile(r"^(`{3,}|:{3,})\{code-cell\}.*?^\1", re.MULTILINE | re.DOTALL)
_FRONT_MATTER = re.compile(r"\A---\n.*?\n---\n", re.DOTALL)


def state(source: Path) -> str:
    """Return a hash of the library, the packages, and the settings, files and code of a book.

    Its ``_config.yml`` is in the folder, and its pages there or in the folder ``book`` within.
    """
    digest = hashlib.sha256(library_hash().encode())
    # What is installed has a folder named after the package and its version.
    packages = sorted(d.name for entry in sys.path for d in Path(entry).glob("*.dist-info"))
    digest.update("\n".join([sys.version, *packages]).encode())
    for path in _files(source):
        digest.update(path.relative_to(source).as_posix().encode() + b"\0")
        digest.update(_without_prose(path) + b"\0")
    return digest.hexdigest()


def _files(source: Path) -> Iterator[Path]:
    beside = (path for path in source.iterdir() if not path.name.startswith(("README", "CHANGE")))
    for path in sorted([*beside, *(source / "book").rglob("*")]):
        if path.is_file() and "__pycache__" not in path.parts:
            yield path


def _without_prose(path: Path) -> bytes:
    """Return a file's content; of a page only its settings and code."""
    if path.suffix == ".ipynb":
        cells = json.loads(path.read_text(encoding="utf-8"))["cells"]
        code = [cell for cell in cells if cell["cell_type"] == "code"]
        return json.dumps(code, sort_keys=True).encode()
    if path.suffix == ".md":
        text = path.read_text(encoding="utf-8")
        front = _FRONT_MATTER.match(text)
        parts = [front[0] if front else "", *(m[0] for m in _CODE_CELL.finditer(text))]
        return "\0".join(parts).encode()
    return path.read_bytes()


def begin(source: Path) -> None:
    """Empty what was built, unless it is sound and only prose has changed since."""
    build, now = source / "_build", state(source)
    sound, pending = build / _SOUND, build / _PENDING
    if not sound.exists() or sound.read_text(encoding="utf-8") != now:
        for name in _BUILT:
            shutil.rmtree(build / name, ignore_errors=True)
    sound.unlink(missing_ok=True)
    build.mkdir(exist_ok=True)
    # What changes while the build runs is not in it.
    pending.write_text(now, encoding="utf-8")


def end(source: Path) -> None:
    """Note that the build begun last was sound."""
    (source / "_build" / _PENDING).replace(source / "_build" / _SOUND)


if __name__ == "__main__":
    {"begin": begin, "end": end}[sys.argv[1]](Path(sys.argv[2]).resolve())
