"""Prose of the built pages: turns that nobody says aloud, and numbers as a machine prints them."""

import re

import pytest
from bs4 import BeautifulSoup
from test_built_book import PAGES, pytestmark, read  # noqa: F401

TURNS = re.compile(r"hangs? on\b|goes as one over|is not to be had|tells bits|the doing of")
AS_A_MACHINE = re.compile(
    r"\d[eE][-+]\d|\bnan\b|\bNaN\b|\binf\b|(?<![\w/.])[A-Za-z]+_[A-Z]\w*|(?<![\w.\-/–)\]])-\d"
)
#: Where code and equations are, and the pictures' own words.
NO_PROSE = "pre, code, script, style, svg, .math, .headerlink, [data-explorer]"


def prose(page):
    article = BeautifulSoup(read(page), "html.parser").find("article")
    for element in article.select(NO_PROSE):
        element.decompose()
    return " ".join(article.get_text(" ").split())


def around(pattern, text):
    return [text[max(found.start() - 40, 0) : found.end() + 20] for found in pattern.finditer(text)]


@pytest.mark.parametrize("page", [page for page in PAGES if not page.startswith("book/api")])
def test_prose_can_be_read_aloud(page):
    text = prose(page)
    assert around(TURNS, text) == []
    assert around(AS_A_MACHINE, text) == []


def test_what_nobody_would_say_is_seen():
    planted = "It hangs on S: -2 meV, 1e-05 of A_X, or nan."
    assert len(around(TURNS, planted)) == 1
    assert len(around(AS_A_MACHINE, planted)) == 4
