"""What is called in workers of this machine: quick to import."""

import os
import signal
from pathlib import Path


def double(number):
    """Return twice a number; of a negative one die, of 0 raise what cannot be sent."""
    if number < 0:
        os.kill(os.getpid(), signal.SIGKILL)
    if number == 0:
        raise Peculiar("zero", "is nothing")
    return 2 * number


class Peculiar(Exception):
    """An error that arrives nowhere: it cannot be made of its own arguments."""

    def __init__(self, one, two):
        super().__init__(f"{one} {two}")


def stop(marker):
    """Be stopped, as by SIGSTOP from outside, and go on when somebody sends SIGCONT."""
    Path(marker).write_text(str(os.getpid()))
    os.kill(os.getpid(), signal.SIGSTOP)
    return "went on"
