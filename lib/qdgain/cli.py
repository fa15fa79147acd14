"""The command ``qdgain``: its subcommands, and how it ends."""

from __future__ import annotations

import argparse
import importlib
import os
import signal
import sys
from collections.abc import Callable, Sequence

from qdgain import interrupts
from qdgain.commands import Failure, Parser, UsageError
from qdgain.model.parameters import ParameterError
from qdgain.version import __version__

# What a shell reports of a program that was ended by a signal.
_INTERRUPTED = 128 + signal.SIGINT
_TERMINATED = 128 + signal.SIGTERM


#: Each subcommand with what it is for; a module of `qdgain.commands` describes and does it.
COMMANDS = {
    "advise": "how far a dot is from a low threshold, and the shortest way there",
    "claims": "the paper's statements with numbers and verdicts",
    "fit-dot": "a parameter file of your own dot from its spectra",
    "parameters": "what can be set, with unit, range, default and origin",
    "rerun": "a chapter with your own dot: page, figures, data, run card",
    "sweep": "a chapter, or its numbers alone, at many points on all cores",
}


def parser(command: str | None = None) -> Parser:
    """Return the parser of every subcommand, with the options of one.

    Only that one's module is imported: some need much.
    """
    top = Parser(
        prog="qdgain", description="Numbers of the executable companion to arXiv 2510.01199."
    )
    top.add_argument("--version", action="version", version=f"qdgain {__version__}")
    commands = top.add_subparsers(dest="command", required=True, metavar="command")
    for name, purpose in COMMANDS.items():
        described = commands.add_parser(name, help=purpose)
        if name == command:
            module = importlib.import_module(f"qdgain.commands.{name.replace('-', '_')}")
            module.add(described)
            described.set_defaults(run=module.run)
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
        0; 1 if what was asked for failed, 2 if it makes no sense, 130 or 143 if it was interrupted
        or terminated.
    """
    before = signal.signal(signal.SIGTERM, _terminated)
    try:
        words = list(sys.argv[1:] if arguments is None else arguments)
        given = parser(words[0] if words else None).parse_args(words)
        command: Callable[[argparse.Namespace], None] = given.run
        with interrupts.remembered():
            command(given)
            sys.stdout.flush()
            interrupts.raise_pending()
    except (UsageError, ParameterError) as refusal:
        return _said(refusal, 2)
    except Failure as failure:
        return _said(failure, 1)
    except ModuleNotFoundError as missing:
        if (missing.name or "").startswith("qdgain"):
            raise
        extras = "install the project with its extras book and sweep."
        return _said(f"this command needs the package {missing.name}: {extras}", 1)
    except BrokenPipeError:
        # The reader, such as head, has gone; nothing more can be written, not even at exit.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    except (KeyboardInterrupt, _Terminated) as ended:
        return _INTERRUPTED if isinstance(ended, KeyboardInterrupt) else _TERMINATED
    finally:
        signal.signal(signal.SIGTERM, before)
    return 0


def _said(sentence: object, code: int) -> int:
    print(f"qdgain: {sentence}", file=sys.stderr)
    return code


class _Terminated(BaseException):
    """The process was asked to end, and cleans up on its way out."""


def _terminated(*_: object) -> None:
    raise _Terminated
