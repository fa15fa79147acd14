"""What the book shows of the place that a link leads to."""

import pytest
from docutils import nodes

from qdgain.book.previews import preview


def a_page(*paragraphs):
    page = nodes.section("", nodes.title("", "Title"), ids=["title"])
    page += [nodes.paragraph("", "", *parts) for parts in paragraphs]
    return page


def test_term_shows_its_definition_and_not_that_of_its_neighbour():
    entries = [
        nodes.definition_list_item(
            "",
            nodes.term("", name, ids=[f"term-{name}"]),
            nodes.definition("", nodes.paragraph("", said)),
        )
        for name, said in (("ESA", "Absorbs twice. Takes gain."), ("SE", "Emits."))
    ]
    page = nodes.section("", nodes.definition_list("", *entries))
    assert preview(page, "term-ESA") == "Absorbs twice. Takes gain."
    assert preview(page, "term-SE") == "Emits."


def test_page_shows_its_first_paragraph_in_whole_sentences():
    page = a_page([nodes.Text("One. Two at 0.5 eV.  \n Three")], [nodes.Text("Not this.")])
    assert preview(page, "") == preview(page, "title") == "One. Two at 0.5 eV."


@pytest.mark.parametrize("unknown", [nodes.pending(None), nodes.math("", r"\frac{1}{2}")])
def test_nothing_is_shown_of_what_is_no_text_yet(unknown):
    page = a_page([nodes.Text("Known. The number is "), unknown, nodes.Text(". More.")])
    assert preview(page, "") == "Known."


def test_long_text_ends_with_a_sentence():
    shown = preview(a_page([nodes.Text("Twenty letters here. " * 40)]), "")
    assert 200 < len(shown) <= 320
    assert shown.endswith("here.")


@pytest.mark.parametrize("place", ["nowhere", "picture"])
def test_place_without_text_has_no_preview(place):
    page = nodes.section("", nodes.image("", ids=["picture"]))
    assert preview(page, place) == ""
