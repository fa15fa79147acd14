"""The whole book as one PDF: ``make pdf`` prints the pages, which Sphinx writes as a single one."""

from __future__ import annotations

import argparse
import html
import shutil
import sys
from collections.abc import Sequence
from importlib import resources
from pathlib import Path
from typing import TYPE_CHECKING

from qdgain.book import chromium
from qdgain.files import whole

if TYPE_CHECKING:
    from playwright.sync_api import Page

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


def main(arguments: Sequence[str] | None = None) -> int:
    """Print what was built in a folder to ``book.pdf`` beside it, and link to it from the book.

    Returns
    -------
    int
        0, or 2 if there is nothing to print or nothing to print with; the reason goes to stderr.
    """
    parser = argparse.ArgumentParser(prog="python -m qdgain.book.pdf", description=__doc__)
    parser.add_argument("build", type=Path, help="the folder with html/ and singlehtml/")
    build = parser.parse_args(arguments).build
    written = build / "singlehtml" / "book" / "index.html"
    browser = chromium.installed()
    if browser is None:
        print(NO_BROWSER, file=sys.stderr)
        return 2
    if not written.exists():
        print(f"{written} is not there: make pdf builds it first.", file=sys.stderr)
        return 2
    # Sphinx takes a single page to be at the top, whatever its folder.
    one_page = shutil.copy(written, build / "singlehtml" / "book.html")
    with whole(build / NAME, replace=True) as aside:
        printed(browser, one_page, aside)
    if (build / "html").exists():
        shutil.copy(build / NAME, build / "html" / NAME)
        link(build / "html" / "book" / "index.html", (build / NAME).stat().st_size)
    print(build / NAME)
    return 0


def printed(browser: str, one_page: Path, target: Path) -> None:
    """Print the single page of the book.

    Parameters
    ----------
    browser : str
        The path of Chromium.
    one_page : pathlib.Path
        As Sphinx's singlehtml builder writes it.
    target : pathlib.Path
        The PDF, with bookmarks, page numbers and links within the book and outwards.
    """
    prepare = resources.files("qdgain").joinpath("data/print.js").read_text(encoding="utf-8")
    with chromium.driven(browser) as driven:
        page = driven.new_page(color_scheme="light")
        # What moves is not for paper: without its script an explorer is the line that stands in.
        page.route("**/_static/explorer/*.js", lambda route: route.abort())
        page.goto(one_page.absolute().as_uri())
        _wait_for_equations(page)
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


def _wait_for_equations(page: Page) -> None:
    page.wait_for_function("window.MathJax && MathJax.startup && MathJax.startup.promise")
    page.evaluate("MathJax.startup.promise.then(() => null)")


def link(landing: Path, size: int) -> None:
    """Lead from the landing page to the PDF, once.

    Parameters
    ----------
    landing : pathlib.Path
        The built landing page, changed in place.
    size : int
        Of the PDF, in bytes.
    """
    text = landing.read_text(encoding="utf-8")
    sentence = (
        f'<p class="book-pdf">To print or take along: <a href="../{html.escape(NAME)}">the whole '
        f"book as one PDF</a> ({size / 1e6:.1f} MB).</p>"
    )
    landing.write_text(text.replace(_PLACE, sentence), encoding="utf-8")


if __name__ == "__main__":
    sys.exit(main())
