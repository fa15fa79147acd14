"""The whole book as one PDF: ``make pdf`` prints the pages, which Sphinx writes as a single one.

An installed Chromium does it, with which the tests look at the pages, too.
"""

from __future__ import annotations

import shutil
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from qdgain.files import whole
from qdgain.text import data_text

if TYPE_CHECKING:
    from playwright.sync_api import Browser

NAME = "book.pdf"
NO_BROWSER = (
    "make pdf prints with Chromium or Chrome and found neither: install one (on Debian "
    "apt-get install chromium), then try again."
)
# Where the landing page has room for the link.
_PLACE = "<!-- the whole book as a PDF -->"
_PAGE_NUMBER = (
    '<div style="width: 100%; text-align: center; font: 8px sans-serif">'
    '<span class="pageNumber"></span></div>'
)

_BROWSERS = (
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
    return next(filter(None, map(shutil.which, _BROWSERS)), None)


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


def main(build: Path) -> int:
    """Print ``singlehtml/`` of a built book to ``book.pdf``, and link to it from ``html/``.

    Return 0, or 2 if there is nothing to print or nothing to print with; the reason goes to stderr.
    """
    written = build / "singlehtml" / "book" / "index.html"
    browser = installed()
    if browser is None:
        print(NO_BROWSER, file=sys.stderr)
        return 2
    if not written.exists():
        print(f"{written} is not there: make pdf builds it first.", file=sys.stderr)
        return 2
    # Sphinx takes a single page to be at the top, whatever its folder.
    one_page = Path(shutil.copy(written, build / "singlehtml" / "book.html"))
    with whole(build / NAME, replace=True) as aside:
        printed(browser, one_page, aside)
    if (build / "html").exists():
        shutil.copy(build / NAME, build / "html" / NAME)
        link(build / "html" / "book" / "index.html", (build / NAME).stat().st_size)
    print(build / NAME)
    return 0


def printed(browser: str, one_page: Path, target: Path) -> None:
    """Print the single page of the book, as Sphinx writes it, with the browser at a path.

    The PDF has bookmarks, page numbers and links within the book and outwards.
    """
    prepare = data_text("print.js")
    statics = one_page.parent / "_static" / "explorer"
    with driven(browser) as opened:
        page = opened.new_page(color_scheme="light")
        # The single page is one folder up: an explorer finds its files beside it, and stands still.
        page.route(
            "**/_static/explorer/*",
            lambda route: route.fulfill(path=statics / route.request.url.rsplit("/", 1)[1]),
        )
        page.goto(one_page.absolute().as_uri())
        page.wait_for_function("window.MathJax && MathJax.startup && MathJax.startup.promise")
        page.evaluate("MathJax.startup.promise.then(() => null)")
        page.evaluate(prepare)
        page.pdf(
            path=target,
            prefer_css_page_size=True,
            print_background=True,
            outline=True,
            tagged=True,
            display_header_footer=True,
            header_template="<span></span>",
            footer_template=_PAGE_NUMBER,
        )


def link(landing: Path, size: int) -> None:
    """Lead from the built landing page to the PDF of so many bytes, once."""
    text = landing.read_text(encoding="utf-8")
    sentence = (
        f'<p class="book-pdf">To print or take along: <a href="../{NAME}">the whole '
        f"book as one PDF</a> ({size / 1e6:.1f} MB).</p>"
    )
    landing.write_text(text.replace(_PLACE, sentence), encoding="utf-8")


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1])))
