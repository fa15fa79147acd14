"""What every page of the book gets, links to the glossary and frames; and the book as a PDF."""

import re

import pytest
from docutils import nodes

from conftest import ROOT
from qdgain.book import explorer_page, pages, pdf


def linked(*texts, terms=("ESA", "Stokes shift", "biexciton", "biexciton shift")):
    document = nodes.section("", *(nodes.paragraph("", "", *parts) for parts in texts))
    pages.link_first_uses(document, {name: f"#{name}" for name in terms})
    return [(link.astext(), link["refuri"]) for link in document.findall(nodes.reference)], document


def test_first_use_alone_is_linked_and_no_word_is_lost():
    first, second = "ESA and the Stokes shifts of a dot.", "stokes shift, Esa, ESAs"
    links, document = linked([nodes.Text(first)], [nodes.Text(second)])
    assert links == [("ESA", "#ESA"), ("Stokes shifts", "#Stokes shift")]
    assert [p.astext() for p in document.findall(nodes.paragraph)] == [first, second]


def test_longest_of_the_terms_that_begin_together_is_meant():
    links, _ = linked([nodes.Text("The biexciton shift of a biexciton; multibiexciton-like")])
    assert [text for text, _ in links] == ["biexciton shift", "biexciton"]


@pytest.mark.parametrize("kind", [nodes.reference, nodes.literal, nodes.math])
def test_no_link_within_a_link_code_or_an_equation(kind):
    links, _ = linked([kind("", "ESA", refuri="#there"), nodes.Text(" and ESA")])
    assert [address for _, address in links if address == "#ESA"] == ["#ESA"]


def test_figures_get_a_frame_and_their_size(tmp_path):
    picture = tmp_path / "one.svg"
    picture.write_text('<svg xmlns="x" width="450pt" height="300pt" viewBox="0 0 1 1"/>', "utf-8")
    body = '<figure class="a" id="b">\n<img alt="c" src="../_images/d.svg" /><p>e</p></figure>'
    framed = pages.framed(body, {"d.svg": picture})
    assert re.search(
        r'<div class="figure-frame"><img width="600" height="400" [^>]*></div>', framed
    )
    assert re.sub(r"</?div[^>]*>| (width|height|style)=\"[^\"]*\"", "", framed) == body
    assert "width=" not in pages.framed(body, {})


def test_references_are_items_of_their_list():
    page = '<div role="list"><div class="citation" role="doc-biblioentry">a</div></div>'
    assert 'class="citation" role="listitem"' in pages.framed(page, {})


def test_without_a_browser_the_pdf_is_refused_in_a_sentence(monkeypatch, capsys, tmp_path):
    monkeypatch.setattr(pdf, "installed", lambda: None)
    assert pdf.main(tmp_path) == 2
    assert "found neither" in capsys.readouterr().err
    assert not list(tmp_path.iterdir())


@pytest.mark.slow
@pytest.mark.skipif(pdf.installed() is None, reason="no Chromium is installed")
def test_the_single_page_becomes_a_pdf_that_the_landing_page_leads_to(tmp_path, capsys):
    single, landing = tmp_path / "singlehtml", tmp_path / "html" / "book" / "index.html"
    for folder in (single / "book", landing.parent):
        folder.mkdir(parents=True)
    (single / "_static").symlink_to(ROOT / "book" / "_static")
    (single / "book" / "index.html").write_text(
        '<!doctype html><title>Book</title><link rel="stylesheet" href="_static/print.css">'
        '<script src="_static/mathjax/tex-chtml.js"></script>'
        '<article class="bd-article"><h1>Book</h1>'
        '<p>\\(x^2\\) <a href="https://example.org">out</a> <a href="../data.csv">data</a></p>'
        '<div class="toctree-wrapper"><span id="document-a"></span><section id="a"><h2>One</h2>'
        '</section><span id="document-b"></span><section id="b"><h2>Two</h2></section></div>'
        + explorer_page.explorer("binding").markup,
        encoding="utf-8",
    )
    landing.write_text("before <!-- the whole book as a PDF --> after", encoding="utf-8")
    assert pdf.main(tmp_path) == 0
    assert capsys.readouterr().out == f"{tmp_path / 'book.pdf'}\n"
    content = (tmp_path / "html" / "book.pdf").read_bytes()
    assert content == (tmp_path / "book.pdf").read_bytes()
    assert content.startswith(b"%PDF")
    # Each chapter begins a page; the link outwards stays, the one to a file is text.
    assert len(re.findall(rb"/Type /Page\b", content)) == 3
    assert b"https://example.org" in content
    assert b"data.csv" not in content
    # An explorer stands still on paper.
    assert re.search(rb"/Subtype\s*/Image", content)
    assert '<a href="../book.pdf">' in landing.read_text(encoding="utf-8")


def test_numbers_and_symbols_of_prose_are_typeset_and_nothing_else_is():
    body = (
        '<p id="F8-3" title="A_X -2">PL_XX at -2.5e-05 <a href="#x-1">(-1 to 3)</a>, 2-4, F8-3ls, '
        "stokes_shift_meV</p><pre>A_X = -2</pre>"
        '<span class="math notranslate">\\(-2A_X\\)</span><code class="x">-1e-9</code>'
    )
    expected = (
        '<p id="F8-3" title="A_X -2">PL<sub>XX</sub> at −2.5 × 10⁻⁵ <a href="#x-1">(−1 to 3)</a>, '
        "2-4, F8-3ls, stokes_shift_meV</p><pre>A_X = -2</pre>"
        '<span class="math notranslate">\\(-2A_X\\)</span><code class="x">-1e-9</code>'
    )
    assert pages.typeset_prose(body) == expected
