"""The built book in a real browser, from its folder: what it loads, says and shows, and to whom.

Run by ``make book`` on what it has just built, as BOOK_HTML names it.
"""

import functools
import gzip
import json
import os
import re
import shutil
from pathlib import Path
from urllib.parse import unquote, urlsplit

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import TimeoutError
from test_built_book import HTML, LARGEST_PAGE_BYTES, PAGES

from qdgain.book import notebooks
from qdgain.figures import fig06
from qdgain.reruns import page as rerun_page
from qdgain.run import resolve

pytestmark = pytest.mark.skipif(
    "BOOK_HTML" not in os.environ and not HTML.exists(), reason="no built book: run make book"
)

DESKTOP, PHONE = {"width": 1280, "height": 900}, {"width": 375, "height": 812}
#: So long may a chapter be, without what it folds.
SCREENS = 7
HEIGHT = """document.querySelector("article")?.getBoundingClientRect().height"""
OPEN_EXPLORERS = """document.querySelectorAll("details.qd-fold").forEach((one) => {
  one.open = true;
})"""
TABLET = {"width": 768, "height": 1024}
#: Unfolds a page and leaves the first few of what is written alike.
UNFOLD = """() => {
  for (const details of document.querySelectorAll("details")) details.open = true;
  for (const alike of ["section > dl.py", "dl.py > dd > dl.py", ".indextable li", "mjx-container"])
    for (const one of [...document.querySelectorAll(alike)].slice(5)) one.remove();
}"""
#: A page has thousands of texts. Of those that the same rules colour one is looked at in the whole
#: book; what has none of these is taken from the page.
SAMPLE = """(known) => {
  const paths = new Map([[document.body, ""]]), seen = new Set(known), added = [];
  const path = (element) => {
    if (!paths.has(element)) {
      const own = element.localName + "." + element.className + element.style.cssText;
      paths.set(element, path(element.parentElement) + ">" + own);
    }
    return paths.get(element);
  };
  const words = (node) => node.nodeType === Node.TEXT_NODE && node.data.trim();
  const kept = new Set();
  for (const element of document.body.querySelectorAll("*")) {
    if (element instanceof SVGElement || ![...element.childNodes].some(words)) continue;
    if (seen.has(path(element))) continue;
    seen.add(path(element));
    added.push(path(element));
    for (const one of [element, element.closest("a")]) if (one) one.dataset.looked = "";
    for (let one = element; one; one = one.parentElement) kept.add(one);
  }
  // What is left of an explorer stays whole: a script still writes to it.
  const superfluous = (element) => kept.has(element.parentElement) && !kept.has(element);
  for (const element of document.body.querySelectorAll("*:not([data-explorer] *)"))
    if (superfluous(element)) element.remove();
  axe.configure({ rules: [
    { id: "color-contrast", selector: "[data-looked]" },
    { id: "link-in-text-block", selector: "a[href][data-looked]" },
  ] });
  return added;
}"""
LOOK = """async ([mode, rules]) => {
  const root = document.documentElement;
  root.dataset.theme = root.dataset.mode = mode;
  for (let i = 0; i < 2; i++) await new Promise(requestAnimationFrame);
  // Style sheets are not asked for again: a folder refuses that.
  const found = await axe.run({ ...rules, preload: false, resultTypes: ["violations"] });
  return found.violations
    .filter((violation) => ["serious", "critical"].includes(violation.impact))
    .flatMap(({ id, nodes }) => nodes.map((node) => `${id}: ${node.html.slice(0, 200)}`));
}"""
#: The rules that light or dark can change, all others, and those that the width can.
COLOURS = {"runOnly": ["color-contrast", "link-in-text-block"]}
STRUCTURE = {"rules": {rule: {"enabled": False} for rule in COLOURS["runOnly"]}}
LAYOUT = {"runOnly": ["scrollable-region-focusable"]}
# The theme looks after its own scrolling regions a while after the width has changed.
SETTLED = """async () => {
  const regions = [...document.querySelectorAll("pre, .pst-scrollable-table-container")];
  const left = (one) => one.tabIndex < 0 && one.scrollWidth > one.clientWidth;
  const end = performance.now() + 1000;
  while (regions.some(left) && performance.now() < end)
    await new Promise((done) => setTimeout(done, 20));
}"""
#: The signatures of the API and the lines of a page's contents that leave their column.
TOO_WIDE = """() => [...document.querySelectorAll("dt.sig, .bd-sidebar-secondary a")]
  .filter((line) => {
    const end = (line.closest(".bd-sidebar-secondary") ?? line).getBoundingClientRect().right + 1;
    return [line, ...line.children].some((part) => part.getBoundingClientRect().right > end);
  }).map((line) => line.id || line.hash)"""


class Reader:
    """A page in the browser, and what it asked for and complained of."""

    def __init__(self, browser):
        # Nothing moves, so that no colour is half-way.
        self.page = browser.new_page(viewport=DESKTOP, reduced_motion="reduce")
        self.asked, self.complaints, self.looked_at = set(), [], []
        self.page.on("request", lambda request: self.asked.add(request.url))
        self.page.on("requestfailed", lambda request: self.complaints.append(request.url))
        self.page.on("pageerror", lambda error: self.complaints.append(str(error)))
        self.page.on("console", self._hear)

    def _hear(self, message):
        if message.type == "error":
            self.complaints.append(message.text)

    def open(self, file):
        self.asked.clear()
        self.complaints.clear()
        self.page.set_viewport_size(DESKTOP)
        self.page.goto(file.as_uri())
        if self.page.evaluate("!!window.MathJax"):
            self.page.evaluate("MathJax.startup.promise.then(() => null)")
        self.height = self.page.evaluate(HEIGHT)
        self.page.evaluate(OPEN_EXPLORERS)
        # An explorer draws, and says what it has drawn, when a reader comes near it.
        for canvas in self.page.locator("canvas[role=img]:visible").all():
            canvas.scroll_into_view_if_needed()
            canvas.and_(self.page.locator("[aria-label]")).wait_for()

    def outside(self, folder):
        """Return what was asked for outside a folder."""
        inside = (folder.as_uri() + "/", "data:", "blob:")
        return sorted(url for url in self.asked if not url.startswith(inside))

    def size(self, size):
        if self.page.viewport_size != size:
            self.page.set_viewport_size(size)
            self.page.evaluate(SETTLED)

    def look(self, size, mode, rules):
        """Return what axe finds that is serious."""
        self.size(size)
        found = self.page.evaluate(LOOK, (mode, rules))
        return [(size["width"], mode, one) for one in found]

    def violations(self):
        """Return what axe finds at either width, with everything unfolded; colours aside."""
        self.page.evaluate(axe_script())
        self.page.evaluate(UNFOLD)
        return self.look(DESKTOP, "light", STRUCTURE) + self.look(PHONE, "light", LAYOUT)

    def violations_of_colour(self, looks=((PHONE, "dark"), (DESKTOP, "light"))):
        """Return the same of colours; texts whose colours are known by now leave the page."""
        added = self.page.evaluate(SAMPLE, self.looked_at)
        self.looked_at += added
        return [one for look in looks if added for one in self.look(*look, COLOURS)]


@functools.cache
def axe_script():
    return Axe().axe_script


@functools.cache
def weight(url):
    """Return how many bytes a file is, compressed as a server would send it."""
    return len(gzip.compress(Path(unquote(urlsplit(url).path)).read_bytes(), compresslevel=6))


@pytest.fixture(scope="module")
def reader(browser):
    return Reader(browser)


@pytest.mark.parametrize("name", [*PAGES, "search", "genindex"])
def test_page_is_private_quiet_light_and_accessible(reader, name):
    reader.open(HTML / f"{name}.html")
    assert reader.outside(HTML) == []
    files = {url for url in reader.asked if url.startswith("file:")}
    total = sum(weight(url.partition("?")[0]) for url in files)
    assert total < LARGEST_PAGE_BYTES, f"{name}: {total} bytes compressed"
    for size in (TABLET, DESKTOP):
        reader.size(size)
        assert reader.page.evaluate(TOO_WIDE) == []
        assert reader.page.evaluate("document.documentElement.scrollWidth") <= size["width"]
    if any(chapter.stem == Path(name).name for chapter in notebooks.chapters()):
        assert reader.height <= SCREENS * DESKTOP["height"], "fold what is not the argument"
    assert reader.violations() == []
    # At the phone's width, where it was left: nothing but what scrolls by itself is too wide.
    assert reader.page.evaluate("document.documentElement.scrollWidth") <= PHONE["width"]
    can_be_read_on_a_phone(reader)
    if name == PAGES[0]:
        # For what surrounds the text of all pages.
        assert reader.look(PHONE, "dark", STRUCTURE) == []
        every = [(size, mode) for size in (PHONE, DESKTOP) for mode in ("dark", "light")]
        assert reader.violations_of_colour(every) == []
    assert reader.violations_of_colour() == []
    assert reader.complaints == []


PLANTED = """() => {
  const main = document.querySelector("main");
  main.insertAdjacentHTML("beforeend", `<button></button>
    <p style="color: #ccc">Words too pale, <a href="#x" style="color: #bbb">with a link</a></p>
    <div style="overflow: auto; height: 40px; width: 100px">
      <div style="height: 400px; width: 800px">tall and wide text</div></div>`);
}"""


def test_planted_faults_are_found_on_a_page_whose_own_texts_are_known(reader):
    reader.open(HTML / "search.html")
    assert [*reader.violations(), *reader.violations_of_colour()] == []
    reader.open(HTML / "search.html")
    reader.page.evaluate(PLANTED)
    found = {
        one.partition(":")[0]
        for _, _, one in [*reader.violations(), *reader.violations_of_colour()]
    }
    assert found == {"button-name", "color-contrast", "scrollable-region-focusable"}


def can_be_read_on_a_phone(reader):
    """Figures keep a size at which they can be read, and the keyboard moves them."""
    for frame in reader.page.locator(".figure-frame").all():
        assert frame.locator("img").evaluate("image => image.clientWidth") > 400
        frame.focus()
        # One after another, and pressed again where nothing moves: on a loaded machine a press was
        # once without effect, nobody knows why.
        assert any(moves(reader.page, frame) for _ in range(5))


def moves(page, frame):
    """Say whether a press of a key moves a frame within two seconds."""
    page.keyboard.press("ArrowRight")
    try:
        page.wait_for_function(
            "frame => frame.scrollLeft > 0", arg=frame.element_handle(), timeout=2000
        )
    except TimeoutError:
        return False
    return True


def test_page_of_a_rerun_is_private_quiet_and_accessible(reader, tmp_path):
    """A rerun's page of a chapter as the book has executed it."""
    executed = HTML / "files" / "notebooks" / "fig06_level_systems.ipynb"
    if not executed.exists():
        pytest.skip("a book without its chapters")
    shutil.copytree(HTML / "files" / "figures", tmp_path / "figures")
    pictures = [f"figures/{path.name}" for path in (tmp_path / "figures").glob("fig06_*")]
    # The numbers of its prose are in the book's pages, not in its notebooks.
    text = re.sub(r"\{glue:text\}`[^`]*`", "1.00", executed.read_text(encoding="utf-8"))
    run = resolve(fig06.SETTINGS, {"stokes_shift_meV": 60.0})
    page = rerun_page.page(json.loads(text), "Fig 6", run, pictures)
    (tmp_path / "index.html").write_text(page, encoding="utf-8")
    reader.open(tmp_path / "index.html")
    assert "Not the paper's parameters" in reader.page.inner_text("main")
    assert reader.outside(tmp_path) == []
    assert reader.violations() == []
    assert reader.page.evaluate("document.documentElement.scrollWidth") <= PHONE["width"]
    assert reader.violations_of_colour() == []
    assert reader.complaints == []


def test_link_shows_what_it_leads_to_to_mouse_and_keyboard(reader):
    reader.open(HTML / "book" / "index.html")
    reader.page.set_viewport_size(DESKTOP)
    term = reader.page.locator('article a.term[href*="term-biexciton"]').first
    shown = reader.page.get_by_role("tooltip")
    assert not shown.is_visible()
    term.hover()
    shown.wait_for()
    assert shown.inner_text().startswith("Two excitons in one dot, XX.")
    reader.page.keyboard.press("Escape")
    assert not shown.is_visible()
    reader.page.mouse.move(0, 0)
    reader.page.locator("article a.reference.internal").first.focus()
    reader.page.keyboard.press("Tab")
    shown.wait_for()
    assert shown.inner_text()
    box = shown.bounding_box()
    assert box["x"] >= 0
    assert box["x"] + box["width"] <= DESKTOP["width"]
    assert reader.complaints == []


def test_search_finds_a_word_and_leads_to_it(reader):
    reader.open(HTML / "book" / "index.html")
    reader.page.keyboard.press("Control+k")
    dialog = reader.page.locator("#pst-search-dialog")
    dialog.locator("input").fill("biexciton")
    reader.page.keyboard.press("Enter")
    found = reader.page.locator("ul.search li a")
    found.first.wait_for()
    reader.page.locator(".search-summary", has_text="matching the search query").wait_for()
    pages = {urlsplit(link.get_attribute("href")).path for link in found.all()}
    assert len(pages) > 3
    found.first.click()
    reader.page.wait_for_load_state()
    assert "biexciton" in reader.page.inner_text("article").lower()
    assert reader.outside(HTML) == []
    assert reader.complaints == []


def test_landing_page_has_a_picture_at_once_and_a_door_for_each_reader(reader):
    reader.open(HTML / "book" / "index.html")
    ways = reader.page.locator(".ways-in .sd-card")
    names = [text.split("\n")[0] for text in ways.all_inner_texts()]
    assert names == ["Read", "Move", "My spectra", "Referee"]
    reader.page.set_viewport_size(DESKTOP)
    box = reader.page.locator(".figure-frame img").first.bounding_box()
    assert box["y"] + box["height"] <= DESKTOP["height"]
    addresses = []
    for number in range(len(names)):
        reader.open(HTML / "book" / "index.html")
        ways.nth(number).click()
        reader.page.wait_for_load_state()
        addresses.append(Path(urlsplit(reader.page.url).path).stem)
    assert addresses == ["fig08_stimulated_emission", "explorer", "fit_your_dot", "ledger"]


def test_first_use_of_a_term_leads_to_the_glossary(reader):
    reader.open(HTML / "book" / "fig06_level_systems.html")
    term = reader.page.locator("article a.term", has_text=re.compile("^Stokes shift$"))
    assert term.count() == 1
    term.click()
    reader.page.wait_for_load_state()
    assert reader.page.url.endswith("/glossary.html#term-Stokes-shift")
    defined = reader.page.locator("#term-Stokes-shift + dd").inner_text()
    assert "absorption band" in defined


def test_a_figure_opens_as_wide_as_the_window_and_closes(reader):
    reader.open(HTML / "book" / "fig08_stimulated_emission.html")
    reader.page.set_viewport_size(DESKTOP)
    box = reader.page.locator("dialog.lightbox")
    reader.page.locator(".figure-frame img").first.click()
    picture = box.locator("img")
    assert picture.bounding_box()["width"] > 0.9 * DESKTOP["width"]
    assert picture.get_attribute("alt")
    reader.page.keyboard.press("Escape")
    assert not box.is_visible()
    reader.page.get_by_role("link", name="Open large").first.press("Enter")
    box.get_by_role("button", name="Close").click()
    assert not box.is_visible()
    assert reader.page.url.endswith("fig08_stimulated_emission.html")
