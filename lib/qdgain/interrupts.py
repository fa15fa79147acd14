"""Signals that end a command raise an exception, so that it cleans up on its way out.

Ctrl-C is never lost: where a library swallows the exception, it is raised again at the end.
"""

from __future__ import annotations

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager

_ASKED = threading.Event()
_ENDING = [signal.SIGTERM, *([signal.SIGHUP] if hasattr(signal, "SIGHUP") else [])]


class Ended(BaseException):
    """The process was asked to end by the signal of this number."""

    def __init__(self, number: int) -> None:
        super().__init__(number)
        self.signal = number


@contextmanager
def remembered() -> Iterator[None]:
    """Raise on signals inside the context, and remember an interrupt; in the main thread alone."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    _ASKED.clear()
    before = {number: signal.getsignal(number) for number in (signal.SIGINT, *_ENDING)}
    for number, handler in before.items():
        # What nohup ignores stays ignored.
        if handler is not signal.SIG_IGN or number == signal.SIGINT:
            signal.signal(number, _raise)
    try:
        yield
    finally:
        _ASKED.clear()
        for number, handler in before.items():
            signal.signal(number, handler)


def raise_pending() -> None:
    """Raise KeyboardInterrupt if there was an interrupt since `remembered` began.

    Called before what a command has made appears, and at its end.
    """
    if _ASKED.is_set():
        raise KeyboardInterrupt


def _raise(number: int, _: object) -> None:
    if number != signal.SIGINT:
        raise Ended(number)
    _ASKED.set()
    raise KeyboardInterrupt
