"""The subcommands of ``qdgain``, one module each: ``add`` describes it, ``run`` does it."""

from __future__ import annotations

import argparse
import math
import sys
import textwrap
from collections.abc import Mapping
from contextlib import suppress
from typing import NoReturn, TextIO

from qdgain.text import printable

#: Letters of a line on the standard error.
_LONGEST = 1000


class UsageError(Exception):
    """What the user asked for cannot be had, in one sentence."""


class Failure(Exception):
    """A sensible request that could not be carried out, in one sentence."""


def say(text: str) -> None:
    """Print what was asked for; the one way to the standard output.

    What the terminal has no letter for, and control characters out of files and arguments, are
    written as their codes.
    """
    _write(sys.stdout, text)


def tell(sentence: object) -> None:
    """Say how it goes, or what went wrong, in one line; the one way to the standard error."""
    line = " ".join(str(sentence).split())
    # Whoever closed it, or filled its disk, does not want to know.
    with suppress(AttributeError, OSError):
        _write(sys.stderr, line if len(line) <= _LONGEST else f"{line[:_LONGEST]} …")


def _write(stream: TextIO, text: str) -> None:
    encoding = stream.encoding or "utf-8"
    safe = printable(text).encode(encoding, "backslashreplace").decode(encoding)
    stream.write(safe if safe.endswith("\n") else f"{safe}\n")
    stream.flush()


class Parser(argparse.ArgumentParser):
    """A parser that refuses in one sentence."""

    def error(self, message: str) -> NoReturn:
        """Say the sentence and exit with 2."""
        tell(f"{self.prog}: {message}")
        raise SystemExit(2)

    def _print_message(self, message: str, file: object = None) -> None:
        say(message)

    def flag(self, option: str, purpose: str) -> None:
        """Add an option that is given or not."""
        self.add_argument(option, action="store_true", help=purpose)

    def several(self, *options: str, metavar: str, purpose: str) -> None:
        """Add an option that may be given several times, each with a value."""
        self.add_argument(*options, action="append", default=[], metavar=metavar, help=purpose)

    def parameters(self) -> None:
        """Add the options that set parameters."""
        purpose = "set a parameter; wins over files"
        self.several("-p", "--parameter", metavar="NAME=VALUE", purpose=purpose)
        purpose = "set parameters from TOML, YAML or a run card"
        self.several("-f", "--file", metavar="FILE", purpose=purpose)


def explained(entries: Mapping[str, str]) -> list[str]:
    """Return what there is to say of one thing, as lines."""
    texts = [f"{name}: {text}" for name, text in entries.items()]
    return [line for text in texts for line in textwrap.wrap(text, 100, subsequent_indent=" " * 4)]


def number_above_0(text: str, what: str, largest: float = math.inf) -> float:
    """Return the number that a text stands for; NaN, infinity and what is not above 0 are none."""
    try:
        value = float(text)
    except ValueError:
        value = math.nan
    if not (math.isfinite(value) and 0 < value < largest):
        raise argparse.ArgumentTypeError(f"{text!r} {what} above 0")
    return value
