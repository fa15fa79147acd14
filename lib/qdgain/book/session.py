"""A shell session for pages that show a command with its real output."""

from __future__ import annotations

import html
import os
import shlex
import subprocess
import sys
from contextlib import ExitStack

from qdgain.files import scratch
from qdgain.table import Shown

_COMMAND = "qdgain"
_LIMIT_S = 120


class Session:
    """Commands that run one after another in a folder of their own."""

    def __init__(self) -> None:
        self._open = ExitStack()
        self.folder = self._open.enter_context(scratch())

    def run(self, command: str, code: int = 0, lines: int | None = None) -> Shown:
        """Run ``qdgain …`` or a program of the system, without a shell; return what it printed.

        It has to end with this exit code, a RuntimeError otherwise, so that a page cannot show a
        failure as a success. Of the output some lines are shown, or all.
        """
        words = shlex.split(command)
        if words[0] == _COMMAND:
            words[:1] = [sys.executable, "-m", _COMMAND]
        done = subprocess.run(
            words,
            cwd=self.folder,
            env=os.environ | {"COLUMNS": "100", "PYTHONUTF8": "1"},
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=_LIMIT_S,
            check=False,
        )
        if done.returncode != code:
            raise RuntimeError(f"{command} ended with {done.returncode}: {done.stdout}")
        shown = done.stdout.splitlines(keepends=True)
        if lines is not None and len(shown) > lines:
            shown = [*shown[:lines], f"… {len(shown) - lines} more lines\n"]
        ended = f"[exit code {code}]\n" if code else ""
        return _transcript(command, "".join(shown) + ended)

    def write(self, name: str, text: str) -> Shown:
        """Write a file into the folder and return it as a terminal shows it."""
        (self.folder / name).write_text(text, encoding="utf-8")
        return _transcript(f"cat {name}", text)

    def files(self, name: str) -> Shown:
        """Return the files of a folder, with their sizes."""
        text = "".join(
            f"{path.relative_to(self.folder).as_posix()}  {path.stat().st_size / 1024:.0f} kB\n"
            for path in sorted((self.folder / name).rglob("*"))
            if path.is_file()
        )
        return _transcript(f"ls {name}", text)


def _transcript(command: str, printed: str) -> Shown:
    """Return a command and what it printed, as a terminal shows it."""
    text = f"$ {command}\n{printed}".rstrip()
    return Shown(f"<pre class='transcript'>{html.escape(text)}</pre>", text)
