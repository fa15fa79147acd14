"""An installed Chromium, driven: it prints the book, and the tests look at pages with it."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from playwright.sync_api import Browser

_NAMES = (
    *("chromium-headless-shell", "chromium", "chromium-browser"),
    *("google-chrome", "google-chrome-stable"),
)
# It asks nobody for anything, and needs neither a graphics card nor user namespaces.
_FLAGS = (
    *("--no-sandbox", "--no-first-run", "--disable-gpu", "--disable-sync"),
    *("--disable-background-networking", "--disable-component-update"),
)


def installed() -> str | None:
    """Return the path of the system's Chromium or Chrome; None if there is none."""
    return next(filter(None, map(shutil.which, _NAMES)), None)


@contextmanager
def driven(path: str) -> Iterator[Browser]:
    """Start the browser whose program is at a path, and end it."""
    # Of the tests' own dependencies; the library needs none of it.
    from playwright.sync_api import sync_playwright  # noqa: PLC0415

    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=list(_FLAGS))
        try:
            yield browser
        finally:
            browser.close()
