"""A Sphinx extension: what a link leads to, in a sentence or two, for the reader who rests on it.

Definitions of terms, entries of the bibliography, and the first sentences of pages and sections
become the titles of the links to them; ``book.js`` shows them as a small box.
"""

from __future__ import annotations

import re
from functools import cache
from typing import Any

from docutils import nodes
from sphinx.application import Sphinx
from sphinx.environment import BuildEnvironment

_LONGEST = 320
_SENTENCE = re.compile(r".*?[.?!](?=\s|$)", re.DOTALL)
#: The API is left out: its links name what they lead to.
_SKIPPED = "book/api"


def setup(app: Sphinx) -> dict[str, Any]:
    """Describe the links of each page when all of them are known."""
    app.connect("doctree-resolved", _describe, priority=900)
    return {"parallel_read_safe": True, "parallel_write_safe": True}


def _describe(app: Sphinx, doctree: nodes.document, page: str) -> None:
    if app.builder.format != "html":
        return
    pages = {
        app.builder.get_relative_uri(page, name): name
        for name in app.env.found_docs
        if name != page and not name.startswith(_SKIPPED)
    }
    for link in doctree.findall(nodes.reference):
        address, _, place = link.get("refuri", "").partition("#")
        if address in pages and (text := _preview(app.env, pages[address], place)):
            link["reftitle"] = text


@cache
def _preview(env: BuildEnvironment, page: str, place: str) -> str:
    return preview(_tree(env, page), place)


@cache
def _tree(env: BuildEnvironment, page: str) -> nodes.document:
    return env.get_doctree(page)


def preview(doctree: nodes.document, place: str) -> str:
    """Return what stands at a place of a page, or first on it, in whole sentences; "" for nothing.

    Sentences with an equation in them, or with a number that the page has not computed yet, are
    left out with all that follows.
    """
    found: nodes.Node | None = doctree
    if place:
        found = next((n for n in doctree.findall(nodes.Element) if place in n.get("ids", ())), None)
        if isinstance(found, nodes.term):
            found = found.parent
    paragraph = next(found.findall(nodes.paragraph), None) if found else None
    if paragraph is None:
        return ""
    text = ""
    for part in paragraph.children:
        if isinstance(part, nodes.pending) or "\\" in part.astext() or not part.astext():
            break
        text += part.astext()
    sentences = ""
    for sentence in _SENTENCE.findall(" ".join(text.split())):
        if len(sentences) + len(sentence) > _LONGEST:
            break
        sentences += sentence
    return sentences.strip()
