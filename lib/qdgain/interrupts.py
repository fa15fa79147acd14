"""Ctrl-C is never lost: where a library swallows the exception, it is raised again at the end."""

from __future__ import annotations

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager

_ASKED = threading.Event()


@contextmanager
def remembered() -> Iterator[None]:
    """Remember an interrupt inside the context, besides raising it; in the main thread alone."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    _ASKED.clear()
    before = signal.signal(signal.SIGINT, _interrupted)
    try:
        yield
    finally:
        _ASKED.clear()
        signal.signal(signal.SIGINT, before)


def raise_pending() -> None:
    """Raise KeyboardInterrupt if there was an interrupt since `remembered` began.

    Called before what a command has made appears, and at its end.
    """
    if _ASKED.is_set():
        raise KeyboardInterrupt


def _interrupted(*_: object) -> None:
    _ASKED.set()
    raise KeyboardInterrupt
