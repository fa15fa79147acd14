"""Tables of text on a page: as plain text, and as HTML in which DOIs are links."""

from __future__ import annotations

import html
import re
from collections.abc import Iterable, Sequence

_DOI = re.compile(r"10\.\d{4,}/\S+")


class Table:
    """A table of text.

    Parameters
    ----------
    header : sequence of str
        A name for each column.
    rows : iterable of sequence of str
        The cells, as many as there are columns.
    """

    def __init__(self, header: Sequence[str], rows: Iterable[Sequence[str]]) -> None:
        self.header = tuple(header)
        self.rows = [tuple(row) for row in rows]

    def __repr__(self) -> str:
        return "\n".join("  ".join(cells) for cells in (self.header, *self.rows))

    def _repr_html_(self) -> str:
        head = "".join(f"<th scope='col'>{html.escape(cell)}</th>" for cell in self.header)
        lines = ["<div class='text-table'><table>", f"<thead><tr>{head}</tr></thead>", "<tbody>"]
        for row in self.rows:
            lines.append("<tr>" + "".join(f"<td>{_marked(cell)}</td>" for cell in row) + "</tr>")
        return "\n".join([*lines, "</tbody>", "</table></div>"])


def _marked(cell: str) -> str:
    text = html.escape(cell)
    if not _DOI.fullmatch(cell):
        return text
    # A long one may break where it has a point or a slash.
    broken = re.sub(r"([./])(?=.)", r"\1<wbr>", text)
    return f"<a href='https://doi.org/{text}'>{broken}</a>"
