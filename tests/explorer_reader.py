"""An explorer's page as its reader has it: what the tests of the explorer share."""

import os
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
PAGE = """<!doctype html><html lang="en" data-theme="light"><head><meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1"><title>Explorer</title></head>
<body><main><h1>Explorer</h1>{}</main></body></html>"""
SETTLED = """async () => {
  for (let i = 0; i < 3; i++) await new Promise(requestAnimationFrame);
}"""


def write_page(folder, *explorers):
    """Write a page with explorers into a folder like the book's, and return its address."""
    (folder / "_static").symlink_to(ROOT / "book" / "_static")
    (folder / "book").mkdir()
    page = folder / "book" / "explorer.html"
    page.write_text(PAGE.format("\n".join(e.markup for e in explorers)), encoding="utf-8")
    return page.as_uri()


class Reader:
    """A page as its reader has it, and what went wrong on it."""

    def __init__(self, browser, address, **context):
        self.context = browser.new_context(**{"viewport": {"width": 1280, "height": 900}} | context)
        # A shared machine can be slow at any moment.
        self.context.set_default_timeout(100_000)
        self.page = self.context.new_page()
        self.faults, self.outside = [], []
        self.page.on("pageerror", lambda error: self.faults.append(str(error)))
        self.page.on("requestfailed", lambda asked: self.faults.append(asked.url))
        self.page.on("request", self._note)
        self.address = address
        self.page.goto(address)
        # Small ones stand folded behind their question.
        for question in self.page.locator("details.qd-fold > summary").all():
            question.click()
        self.page.wait_for_selector("[data-explorer] canvas[aria-label]")

    def _note(self, asked):
        if not asked.url.startswith(("file:", "blob:", "data:")):
            self.outside.append(asked.url)

    def close(self):
        self.context.close()
        # The theme declares a constant of its own twice.
        assert [fault for fault in self.faults if "THEBE_JS_URL" not in fault] == []
        assert self.outside == []

    def control(self, name, kind="range"):
        tag = "select" if kind == "select" else f"input[type={kind}]"
        return self.page.locator(f".qd-control:has([id$='-{name}']) {tag}").first

    def type(self, name, text):
        field = self.control(name, "text")
        field.fill(text)
        field.press("Enter")
        field.blur()
        # Pictures come before words, on the next frame.
        self.page.evaluate(SETTLED)

    def number(self, row, column=1):
        return self.page.locator(".qd-numbers tbody tr").nth(row).locator("td").nth(column - 1)

    def command(self, chapter):
        return self.page.locator(f"[data-chapter={chapter}]").inner_text()

    def saved(self, view, kind):
        """Return what a view's button saves."""
        with self.page.expect_download() as download:
            self.page.locator(f"[data-view={view}] button", has_text=kind).click()
        return Path(download.value.path()).read_bytes()


@pytest.fixture(scope="module")
def address(tmp_path_factory):
    if "BOOK_HTML" in os.environ:
        return (Path(os.environ["BOOK_HTML"]).resolve() / "book" / "explorer.html").as_uri()
    # It takes long to import, and most tests need no explorer.
    from qdgain.book import explorer_page  # noqa: PLC0415

    return write_page(tmp_path_factory.mktemp("book"), explorer_page.explorer())


@pytest.fixture(scope="module")
def reader(browser, address):
    """Return one page for all tests of this file; what went wrong on it fails the last one."""
    opened = Reader(browser, address)
    yield opened
    opened.close()


@pytest.fixture
def read(reader):
    """Return a function that follows a link to a state."""

    def follow(fragment="#preset=3LS%2BESA"):
        reader.page.goto(reader.address + fragment)
        reader.page.evaluate(SETTLED)
        return reader

    return follow
