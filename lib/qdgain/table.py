"""What a page shows as HTML and a terminal as text; tables, which are Markdown besides."""

from __future__ import annotations

import html
import re
from collections.abc import Collection, Sequence
from dataclasses import dataclass

_DOI = re.compile(r"10\.\d{4,}/\S+")


class Shown:
    """A piece of a page: HTML, and plain text where there is none, by default what it says."""

    def __init__(self, markup: str, text: str = "") -> None:
        self.markup = markup
        self.text = text or html.unescape(re.sub(r"(<[^>]*>| )+", " ", markup)).strip()

    def _repr_html_(self) -> str:
        return self.markup

    def __repr__(self) -> str:
        return self.text


@dataclass(frozen=True, repr=False)
class Table:
    """A table of text, which a notebook shows as HTML; there a DOI becomes a link.

    The columns in ``right``, counted from 0, are aligned right in text and Markdown. ``style`` is
    the class of the HTML table, see ``book/_static``, and ``frame`` that of a ``div`` around it, in
    which a wide table scrolls.
    """

    header: Sequence[str]
    rows: Sequence[Sequence[str]]
    right: Collection[int] = ()
    style: str = ""
    frame: str = "text-table"

    def text(self, indent: str = "") -> str:
        """Return the table as lines of text, the columns two spaces apart."""
        lines = (self.header, *self.rows)
        widths = [max(map(len, column)) for column in zip(*lines, strict=True)]
        aligns = [">" if i in self.right else "<" for i in range(len(widths))]
        return "\n".join(
            indent
            + "  ".join(
                f"{cell:{align}{width}}"
                for cell, align, width in zip(line, aligns, widths, strict=True)
            ).rstrip()
            for line in lines
        )

    def html(self) -> str:
        """Return the table as HTML; the first cell of each row is its header."""
        name = f" class='{self.style}'" if self.style else ""
        lines = [f"<table{name}>", "<thead><tr>"]
        lines += [f"<th scope='col'>{html.escape(cell)}</th>" for cell in self.header]
        lines += ["</tr></thead>", "<tbody>"]
        for first, *rest in self.rows:
            cells = "".join(f"<td>{_marked(cell)}</td>" for cell in rest)
            lines.append(f"<tr><th scope='row'>{_marked(first)}</th>{cells}</tr>")
        table = "\n".join([*lines, "</tbody>", "</table>"])
        return f"<div class='{self.frame}'>{table}</div>" if self.frame else table

    def markdown(self) -> str:
        """Return the table as Markdown; the cells may hold Markdown themselves."""
        rule = "".join("|---:" if i in self.right else "|---" for i in range(len(self.header)))
        lines = [
            "| " + " | ".join(cell.replace("|", "\\|") for cell in line) + " |"
            for line in (self.header, *self.rows)
        ]
        return "\n".join([lines[0], f"{rule}|", *lines[1:]])

    def __repr__(self) -> str:
        return self.text()

    def _repr_html_(self) -> str:
        return self.html()


def _marked(cell: str) -> str:
    text = html.escape(cell)
    if not _DOI.fullmatch(cell):
        return text
    # A long one may break where it has a point or a slash.
    broken = re.sub(r"([./])(?=.)", r"\1<wbr>", text)
    return f"<a href='https://doi.org/{text}'>{broken}</a>"
