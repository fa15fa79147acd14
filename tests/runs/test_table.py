"""The one table of text: columns, HTML and Markdown."""

from qdgain.table import Table

TABLE = Table(
    ("what", "value", "source"),
    [("a|b < c", "1.5", "10.1000/x.y"), ("long name", "10", "")],
    right=(1,),
)


def test_columns_are_aligned_and_have_no_blanks_at_their_ends():
    assert TABLE.text().split("\n") == [
        "what       value  source",
        "a|b < c      1.5  10.1000/x.y",
        "long name     10",
    ]
    assert TABLE.text(indent="  ").startswith("  what")
    assert repr(TABLE) == TABLE.text()


def test_html_is_escaped_and_a_doi_is_a_link():
    page = TABLE._repr_html_()
    assert page.startswith("<div class='text-table'><table>")
    assert "<th scope='row'>a|b &lt; c</th><td>1.5</td>" in page
    assert "<td><a href='https://doi.org/10.1000/x.y'>10.<wbr>1000/<wbr>x.<wbr>y</a></td>" in page
    bare = Table(("a",), [], style="checked-table", frame="")
    assert bare.html().startswith("<table class='checked-table'>\n<thead>")


def test_markdown_has_one_line_a_row_and_aligns_numbers():
    assert TABLE.markdown().split("\n") == [
        "| what | value | source |",
        "|---|---:|---|",
        "| a\\|b < c | 1.5 | 10.1000/x.y |",
        "| long name | 10 |  |",
    ]
