"""The built book is whole: every page of the table of contents, every figure, nothing from outside.

Run by ``make book`` on what it has just built. BOOK_HTML names the built pages.
"""

import functools
import json
import os
import re
from html.parser import HTMLParser
from pathlib import Path

import nbformat
import pytest
import yaml

from checked_table import differences
from conftest import CLAIM_KEYS
from qdgain.version import __version__

ROOT = Path(__file__).resolve().parents[2]
HTML = Path(os.environ.get("BOOK_HTML", ROOT / "_build" / "html"))
SOURCE = HTML.parents[1]
TOC = yaml.safe_load((SOURCE / "_toc.yml").read_text(encoding="utf-8"))
CHAPTERS = [chapter for part in TOC["parts"] for chapter in part["chapters"]]
PAGES = [TOC["root"], *(chapter["file"] for chapter in CHAPTERS)]
LARGEST_PAGE_BYTES = 1_000_000

# A book that was named and is not there fails; without a name there may be none yet.
pytestmark = pytest.mark.skipif(
    "BOOK_HTML" not in os.environ and not HTML.exists(), reason="no built book: run make book"
)


class Page(HTMLParser):
    """What a page loads, shows and links to."""

    def __init__(self, text):
        super().__init__()
        self.images, self.loads, self.links, self.ids = [], [], [], set()
        self.feed(text)

    def handle_starttag(self, tag, attributes):
        attributes = dict(attributes)
        if "id" in attributes:
            self.ids.add(attributes["id"])
        if tag == "img":
            self.images.append(attributes)
        if tag in ("img", "script", "iframe", "source") and attributes.get("src"):
            self.loads.append(attributes["src"])
        if tag == "link" and "stylesheet" in attributes.get("rel", ""):
            self.loads.append(attributes["href"])
        if tag == "a" and attributes.get("href"):
            self.links.append(attributes["href"])


def place(page):
    path = HTML / f"{page}.html"
    assert path.exists(), f"{page}.html was not built"
    return path


def read(page):
    return place(page).read_text(encoding="utf-8")


@functools.cache
def parsed(file):
    """Return a page of the book or of a source, parsed once for all tests: not to be changed."""
    return Page(file.read_text(encoding="utf-8"))


@pytest.mark.parametrize("page", [page for page in PAGES if page.startswith("book/api")])
def test_no_sentence_of_the_api_is_cut_at_its_colon(page):
    """As the type of what it is about, which no docstring of the library gives there."""
    assert "<dt" in read(page)
    assert '>Type<span class="colon">' not in read(page)


@pytest.mark.parametrize("page", [page for page in PAGES if page.startswith("book/api")])
def test_no_entry_of_the_api_says_a_number_and_nothing_else(page):
    """As Python's own docstring of a named tuple's field does."""
    assert "Alias for field number" not in read(page)


@pytest.mark.skipif("book/references" not in PAGES, reason="a book without references")
def test_every_page_says_its_version_and_how_to_cite_it():
    for page in PAGES:
        links = parsed(place(page)).links
        # The page itself has it in its contents, too.
        (cited,) = {link for link in links if link.endswith("#how-to-cite")}
        assert f"qdgain {__version__} · <a " in read(page), page
        target = (place(page).parent / cited.partition("#")[0]).resolve()
        assert target == place("book/references") or (page, cited[0]) == ("book/references", "#")
    assert "how-to-cite" in parsed(place("book/references")).ids


@pytest.mark.parametrize("page", PAGES)
def test_page_is_there_and_not_empty(page):
    text = read(page)
    body = re.search(r"<article.*?</article>", text, re.DOTALL)
    assert body, f"{page}.html has no article"
    words = re.sub(r"<[^>]+>", " ", body[0]).split()
    assert len(words) > 40, f"{page}.html has only {len(words)} words"
    # A glued number that is missing leaves no gap in the prose.
    assert "{glue" not in body[0]
    assert "Traceback" not in body[0]


@pytest.mark.parametrize("page", PAGES)
def test_figures_are_there_with_number_caption_and_alt_text(page):
    source = SOURCE / f"{page}.ipynb"
    text = read(page)
    shown = parsed(place(page))
    for image in shown.images:
        assert image.get("alt", "").strip(), f"{page}: {image.get('src')} has no alt text"
        if not image["src"].startswith("data:"):
            file = (HTML / f"{page}.html").parent / image["src"]
            assert file.stat().st_size > 500, f"{page}: {image['src']} is empty"
    if source.exists():
        cells = nbformat.read(source, as_version=4).cells
        figures = [
            c.metadata["mystnb"]["figure"]["name"]
            for c in cells
            if "figure" in c.metadata.get("mystnb", {})
        ]
        assert "&lt;Figure size" not in text, f"{page} names a figure and does not show it"
        assert len(shown.images) >= len(figures), f"{page} shows too few pictures"
        for name in figures:
            assert name in shown.ids, f"{page} lacks the figure {name}"
        assert text.count('<span class="caption-number">Fig.') >= len(figures)


@pytest.mark.parametrize(
    "page", [page for page in PAGES if (ROOT / f"{page}.ipynb").exists() and SOURCE == ROOT]
)
def test_a_chapters_checked_table_is_as_stored(page):
    """The book has run every chapter from empty, so that it need not be run again for this."""
    executed = HTML / "files" / "notebooks" / Path(page).with_suffix(".ipynb").name
    stored, fresh = (nbformat.read(path, 4) for path in (ROOT / f"{page}.ipynb", executed))
    assert list(differences(stored, fresh)) == []


@pytest.mark.parametrize("page", [page for page in PAGES if "book/fig" in page])
def test_figures_say_what_they_show_and_lead_to_their_data(page):
    text = read(page)
    figures = re.findall(r"<figure.*?</figure>", text, re.DOTALL)
    assert figures
    for figure in figures:
        links = Page(figure).links
        for kind in ("data/.*csv", "figures/.*svg", "figures/.*png", "notebooks/.*ipynb"):
            assert any(re.match(rf"\.\./files/{kind}$", link) for link in links), kind
        assert any(re.match(r"api_figures\.html#qdgain\.figures\.\w", link) for link in links)
        assert "qdgain rerun fig" in figure
        (image,) = Page(figure).images
        if "level_systems" not in figure:
            assert re.search(r"\bto\b|peaks|stays|highest", image["alt"])
            assert len(re.findall(r"\d\.\d", image["alt"])) > 3, image["alt"]


@pytest.mark.parametrize("page", PAGES)
def test_nothing_is_loaded_from_outside(page):
    outside = [src for src in parsed(place(page)).loads if re.match(r"(https?:)?//", src)]
    assert outside == []


@pytest.mark.parametrize("page", PAGES)
def test_mathjax_is_loaded_where_there_are_equations_and_only_there(page):
    loaded = any("mathjax" in src.lower() for src in parsed(place(page)).loads)
    assert loaded == ('class="math' in read(page))


@pytest.mark.parametrize("page", PAGES)
def test_links_inside_the_book_lead_somewhere(page):
    here = HTML / f"{page}.html"
    for link in parsed(place(page)).links:
        target, _, anchor = link.partition("#")
        if re.match(r"[a-z]+:", link):
            continue
        file = (here.parent / target).resolve() if target else here
        assert file.exists(), f"{page} links to {link}, which is not there"
        if anchor and file.suffix == ".html":
            assert anchor in parsed(file).ids, f"{page} links to {link}, which has no such place"


@pytest.mark.parametrize("page", PAGES)
def test_links_outwards_are_whole(page):
    for link in parsed(place(page)).links:
        if re.match(r"[a-z]+:", link) and not link.startswith(("mailto:", "data:")):
            assert re.fullmatch(r"https?://[\w.-]+\.[a-z]{2,}(:\d+)?(/[^\s<>\"]*)?", link), link


def test_a_binder_button_is_there_if_the_project_has_a_public_address():
    config = yaml.safe_load((SOURCE / "_config.yml").read_text(encoding="utf-8"))
    public = bool(config.get("repository", {}).get("url"))
    assert bool(config["launch_buttons"]["binderhub_url"]) == public
    assert any("/v2/gh/" in read(page) for page in PAGES) == public


def test_sources_shown_are_the_librarys_own():
    shown = {
        path.relative_to(HTML / "_modules").parts[0] for path in HTML.glob("_modules/**/*.html")
    }
    assert shown <= {"index.html", "qdgain", "qdgain.html"}


@pytest.mark.parametrize("page", PAGES)
def test_page_is_light(page):
    assert len(read(page).encode()) < LARGEST_PAGE_BYTES


@pytest.mark.skipif("book/ledger" not in PAGES, reason="a book without a ledger")
def test_the_statements_are_there_as_data_and_on_their_page():
    records = json.loads((HTML / "claims.json").read_text(encoding="utf-8"))
    ids = parsed(place("book/ledger")).ids
    assert len(records) > 50
    for record in records:
        assert CLAIM_KEYS <= set(record)
        assert record["id"] in ids


@pytest.mark.skipif("book/all_figures" not in PAGES, reason="a book without that page")
def test_the_page_of_all_figures_leads_to_each():
    page = "book/all_figures"
    body = read(page).partition('<div class="all-figures">')[2].partition("</article>")[0]
    leads = re.findall(r'<a href="([^"]+)"><img [^>]*src="([^"]+)"', body)
    assert all((place(page).parent / small).stat().st_size < 40_000 for _, small in leads)
    every = [
        f"{other}.html#{name}"
        for other in PAGES
        for name in re.findall(
            r'<figure[^>]* id="([^"]+)"(?:(?!</figure>).)*"figure-notes"><a ',
            read(other),
            re.DOTALL,
        )
    ]
    assert len(every) > 30
    assert sorted(f"book/{target}" for target, _ in leads) == sorted(every)
