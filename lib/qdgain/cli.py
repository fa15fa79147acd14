"""The command ``qdgain``: its subcommands, and how it ends."""

from __future__ import annotations

import argparse
import os
import signal
import sys
from collections.abc import Callable, Sequence

from qdgain.commands import Failure, Parser, UsageError, claims
from qdgain.parameters import ParameterError
from qdgain.version import __version__

#: What a shell reports of a program that was interrupted.
_INTERRUPTED = 128 + signal.SIGINT


def parser() -> Parser:
    """Return the parser with every subcommand."""
    top = Parser(
        prog="qdgain", description="Numbers of the executable companion to arXiv 2510.01199."
    )
    top.add_argument("--version", action="version", version=f"qdgain {__version__}")
    commands = top.add_subparsers(dest="command", required=True, metavar="command")
    for command in (claims,):
        command.add(commands)
    return top


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command and return its exit code.

    Parameters
    ----------
    arguments : sequence of str, optional
        Those of the process if left out.

    Returns
    -------
    int
        0; 1 if what was asked for failed, 2 if it makes no sense, 130 if it was interrupted.
    """
    try:
        given = parser().parse_args(arguments)
        command: Callable[[argparse.Namespace], None] = given.run
        command(given)
        sys.stdout.flush()
    except (UsageError, ParameterError) as refusal:
        print(f"qdgain: {refusal}", file=sys.stderr)
        return 2
    except Failure as failure:
        print(f"qdgain: {failure}", file=sys.stderr)
        return 1
    except BrokenPipeError:
        # The reader, such as head, has gone; nothing more can be written, not even at exit.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
    except KeyboardInterrupt:
        return _INTERRUPTED
    return 0
