"""A shell session for pages that show a command with its real output."""

from __future__ import annotations

import html
import os
import shlex
import subprocess
import sys
from contextlib import ExitStack

from qdgain.files import scratch

_COMMAND = "qdgain"
_LIMIT_S = 120


class Transcript:
    """A command and what it printed, as a terminal shows it."""

    def __init__(self, command: str, printed: str, code: int) -> None:
        self.command, self.printed, self.code = command, printed, code

    def __repr__(self) -> str:
        ended = f"[exit code {self.code}]\n" if self.code else ""
        return f"$ {self.command}\n{self.printed}{ended}".rstrip()

    def _repr_html_(self) -> str:
        return f"<pre class='transcript'>{html.escape(repr(self))}</pre>"


class Session:
    """Commands that run one after another in a folder of their own."""

    def __init__(self) -> None:
        self._open = ExitStack()
        self.folder = self._open.enter_context(scratch())

    def run(self, command: str, code: int = 0, lines: int | None = None) -> Transcript:
        """Run ``qdgain …`` or a program of the system, without a shell; return its transcript.

        Parameters
        ----------
        command : str
            The program and its arguments.
        code : int
            The exit code it has to end with.
        lines : int, optional
            How many lines of the output to show; all by default.

        Raises
        ------
        RuntimeError
            If it ends otherwise, so that a page cannot show a failure as a success.
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
        return Transcript(command, "".join(shown), done.returncode)

    def write(self, name: str, text: str) -> Transcript:
        """Write a file into the folder and return it as a transcript shows it."""
        (self.folder / name).write_text(text, encoding="utf-8")
        return Transcript(f"cat {name}", text, 0)

    def files(self, name: str) -> Transcript:
        """Return the files of a folder, with their sizes."""
        top = self.folder / name
        text = "".join(
            f"{path.relative_to(self.folder).as_posix()}  {path.stat().st_size / 1024:.0f} kB\n"
            for path in sorted(top.rglob("*"))
            if path.is_file()
        )
        return Transcript(f"ls {name}", text, 0)
