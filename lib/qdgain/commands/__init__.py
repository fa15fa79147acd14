"""The subcommands of ``qdgain``, one module each: ``add`` describes it, ``run`` does it."""

from __future__ import annotations

import argparse
import sys
from typing import NoReturn


class UsageError(Exception):
    """What the user asked for cannot be had, in one sentence."""


class Failure(Exception):
    """A sensible request that could not be carried out, in one sentence."""


class Parser(argparse.ArgumentParser):
    """A parser that refuses in one sentence."""

    def error(self, message: str) -> NoReturn:
        """Print the sentence and exit with 2."""
        print(f"{self.prog}: {message}", file=sys.stderr)
        raise SystemExit(2)


def add_parameter_options(command: argparse.ArgumentParser) -> None:
    """Add the options that set parameters."""
    command.add_argument(
        "-p",
        "--parameter",
        action="append",
        default=[],
        metavar="NAME=VALUE",
        help="set a parameter; wins over files",
    )
    command.add_argument(
        "-f",
        "--file",
        action="append",
        default=[],
        metavar="FILE",
        help="set parameters from TOML, YAML or a run card",
    )
