"""The command ``qdgain``: its subcommands, and how it ends."""

from __future__ import annotations

import argparse
import importlib
import logging
import os
import signal
import sys
from collections.abc import Callable, Sequence
from contextlib import suppress

from qdgain import interrupts
from qdgain.commands import Failure, Parser, UsageError, tell
from qdgain.ledger import STORED_NUMBERS, kept_in_or_users
from qdgain.model.parameters import ParameterError
from qdgain.version import __version__

#: To the number of the signal that ended a program.
_SHELL_ADDS = 128
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
    """Return the parser of every subcommand; one has its options, and alone is imported."""
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


def process() -> int:
    """Run the command as a program of its own, whose environment is the command's."""
    # Figures go to files, never to a window.
    os.environ["MPLBACKEND"] = "agg"
    os.environ[STORED_NUMBERS] = kept_in_or_users()
    # Without a folder of its own it makes a temporary one, and says so.
    logging.getLogger("matplotlib").setLevel(logging.ERROR)
    return main()


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command, whose words are those of the process if left out.

    Returns
    -------
    int
        0; 1 if what was asked for failed; 2 if it makes no sense, or a file or stream cannot be
        used; 128 and the signal's number if a signal ended it.
    """
    code, sentence = 0, ""
    try:
        with interrupts.remembered():
            if sys.stdout is None:
                raise UsageError("the standard output is closed.")
            words = list(sys.argv[1:] if arguments is None else arguments)
            given = parser(words[0] if words else None).parse_args(words)
            command: Callable[[argparse.Namespace], None] = given.run
            command(given)
            interrupts.raise_pending()
    except (UsageError, ParameterError) as refusal:
        code, sentence = 2, str(refusal)
    except Failure as failure:
        code, sentence = 1, str(failure)
    except ModuleNotFoundError as missing:
        if (missing.name or "").startswith("qdgain"):
            raise
        extras = "install the project with its extras book and sweep."
        code, sentence = 1, f"this command needs the package {missing.name}: {extras}"
    except BrokenPipeError:
        # The reader, such as head, has gone.
        _write_no_more()
    except OSError as error:
        if error.filename is None:
            _write_no_more()
        where = error.filename or "the standard output"
        code, sentence = 2, f"{where} cannot be used: {error.strerror or error}."
    except KeyboardInterrupt:
        code = _SHELL_ADDS + signal.SIGINT
    except interrupts.Ended as end:
        code = _SHELL_ADDS + end.signal
    if sentence:
        tell(f"qdgain: {sentence}")
    return code


def _write_no_more() -> None:
    """Let nothing more be written to a standard output that takes no more, not even at exit."""
    with suppress(OSError, AttributeError):
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
