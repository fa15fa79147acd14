"""The page of one run: an executed chapter as HTML that needs nothing from outside its folder."""

from __future__ import annotations

import html
import re
from collections.abc import Callable, Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import Any

from jinja2 import Environment, Template
from latex2mathml.converter import convert as mathml
from markdown_it import MarkdownIt
from markdown_it.renderer import RendererHTML
from markdown_it.token import Token
from markupsafe import Markup
from mdit_py_plugins.amsmath import amsmath_plugin
from mdit_py_plugins.container import container_plugin
from mdit_py_plugins.dollarmath import dollarmath_plugin
from mdit_py_plugins.myst_role import myst_role_plugin
from pybtex.database import parse_file

from qdgain.chapters import BOOK, FIGURE, IN_WORDS
from qdgain.model.parameters import CONTRACT
from qdgain.run import Run
from qdgain.table import Table
from qdgain.text import data_text, significant, with_unit

_RECORD = "application/papermill.record/text/plain"
#: How a part of the text that is folded begins, without its title.
_FOLD = re.compile(r"\s*\{dropdown\}\s*")
_DEAD_LINK = re.compile(r"<a href='(?!https?:|#)[^']*'>(.*?)</a>")
#: What the page leaves out: also what works only beside the book's other pages.
_LEFT_OUT = {"remove-cell", "book-only"}
_HIDDEN = {"remove-cell", "remove-input", "parameters", "injected-parameters"}


def page(notebook: Mapping[str, Any], title: str, run: Run, kept: Sequence[str]) -> str:
    """Return an executed chapter, a notebook as JSON holds it, as an HTML page.

    A banner says where the run differs from the paper's. The page links to the run's other files,
    whose paths, relative to the page, are ``kept``.
    """
    glued = _glued(notebook["cells"])
    markdown = _markdown(glued)
    blocks = []
    for cell in notebook["cells"]:
        if "parameters" in cell["metadata"].get("tags", ()):
            blocks.append(_parameters(run))
        blocks += _blocks(cell, markdown, kept)
    differs = [(d.name, _text(d.name, d.paper), _text(d.name, d.here)) for d in run.differences()]
    inputs = [path for path in kept if path.startswith("inputs/")]
    return _template().render(title=title, differences=differs, blocks=blocks, inputs=inputs)


def frame(title: str, body: str) -> str:
    """Return a page of the same style around a body of HTML."""
    return _template().render(title=title, differences=None, blocks=[Markup(body)])


@cache
def _template() -> Template:
    environment = Environment(autoescape=True, trim_blocks=True, lstrip_blocks=True)
    return environment.from_string(data_text("page.html"))


def _parameters(run: Run) -> Markup:
    """Return every parameter of the run as a table."""
    rows = [(name, _text(name, value)) for name, value in run.parameters().items()]
    table = Table(("parameter", "value"), rows, frame="").html()
    return Markup(f'<div class="wide" tabindex="0">{table}</div>')


def _text(name: str, value: Any) -> str:
    entry = CONTRACT[name]
    if value is None:
        return entry.stand_in
    if entry.kind == "file":
        return Path(value).name or "none"
    return with_unit(f"{value:.6g}" if isinstance(value, float) else str(value), entry.unit)


def _glued(cells: Sequence[Mapping[str, Any]]) -> dict[str, str]:
    """Return what the cells glued for the prose, by key."""
    found = {}
    for cell in cells:
        for output in cell.get("outputs", ()):
            if _RECORD in output.get("data", {}):
                text = "".join(output["data"][_RECORD])
                found[output["metadata"]["scrapbook"]["name"]] = text.strip("'")
    return found


def _blocks(cell: Mapping[str, Any], markdown: MarkdownIt, kept: Sequence[str]) -> list[Markup]:
    """Return what a cell shows, as HTML."""
    source = "".join(cell["source"])
    shown = set(cell["metadata"].get("tags", ()))
    if cell["cell_type"] == "markdown" and not shown & _LEFT_OUT:
        return [Markup(markdown.render(source))]
    if cell["cell_type"] != "code" or shown & _LEFT_OUT:
        return []
    blocks = []
    if not shown & _HIDDEN:
        code = html.escape(source)
        blocks.append(f"<details><summary>code</summary><pre><code>{code}</code></pre></details>")
    blocks += [_output(output, cell, markdown, kept) for output in cell["outputs"]]
    return [Markup(block) for block in blocks if block]


def _output(
    output: Mapping[str, Any], cell: Mapping[str, Any], markdown: MarkdownIt, kept: Sequence[str]
) -> str:
    data = {kind: "".join(text) for kind, text in output.get("data", {}).items()}
    if _RECORD in data:
        return ""
    if "image/svg+xml" in data:
        return _figure(output["metadata"], cell, markdown, kept)
    if "text/html" in data:
        # Links to the book's other pages, which are not here, become plain text.
        return _DEAD_LINK.sub(r"\1", data["text/html"])
    if "text/markdown" in data:
        return str(markdown.render(data["text/markdown"]))
    return f"<pre>{html.escape(data.get('text/plain', ''.join(output.get('text', ''))))}</pre>"


def _figure(
    picture: Mapping[str, str], cell: Mapping[str, Any], markdown: MarkdownIt, kept: Sequence[str]
) -> str:
    """Return a figure with caption and alt text, and links to its pictures and data."""
    shown, name = cell["metadata"]["mystnb"], picture[FIGURE]
    in_words = f"{shown['image']['alt']} {picture[IN_WORDS]}".strip()
    files = [p for p in kept if re.match(rf"(figures|data)/{re.escape(name)}[._]", p)]
    caption = Markup(markdown.renderInline(shown["figure"]["caption"]))
    write = getattr(_template().module, "figure")  # noqa: B009 (a macro, unknown to the types)
    return str(write(name, shown["figure"]["name"], in_words, caption, files))


def _markdown(glued: Mapping[str, str]) -> MarkdownIt:
    """Return a renderer of MyST Markdown as the chapters use it."""
    roles: dict[str, Callable[[str], str]] = {
        "glue:text": lambda text: html.escape(_number(text, glued)),
        "cite": lambda text: ", ".join(_citation(key.strip()) for key in text.split(",")),
        "doc": lambda text: html.escape(re.sub(r"\s*<[^>]*>$", "", text)),
        "eq": lambda text: f"(equation {html.escape(text.removeprefix('eq-'))} of the book)",
    }

    def role(self: RendererHTML, tokens: Sequence[Token], position: int, *_: Any) -> str:
        name, text = tokens[position].meta["name"], tokens[position].content
        if name in roles:
            return roles[name](text)
        return f"<code>{html.escape(text.lstrip('~'))}</code>"

    def equation(text: str, options: Mapping[str, Any]) -> str:
        return str(mathml(text, display="block" if options.get("display_mode") else "inline"))

    markdown = MarkdownIt("commonmark").enable("table")
    markdown.use(dollarmath_plugin, renderer=equation).use(amsmath_plugin)
    markdown.use(myst_role_plugin)
    markdown.add_render_rule("myst_role", role)
    fold = {"marker": ":", "validate": lambda text, *_: _FOLD.match(text) is not None}
    markdown.use(container_plugin, "dropdown", **fold, render=_folded)
    return markdown


def _number(text: str, glued: Mapping[str, str]) -> str:
    """Return the number that a text asks for as ``key:s``, of another page as ``page::key:s``."""
    page, _, key = text.removesuffix(":s").rpartition("::")
    if not page:
        return glued[key]
    # It takes long to import, and few chapters ask for it.
    from qdgain.ledger.joined import headline  # noqa: PLC0415

    return significant(headline(key).value, 3)


def _folded(self: RendererHTML, tokens: Sequence[Token], position: int, *_: Any) -> str:
    """Return what begins or ends a part of the text that is folded."""
    token = tokens[position]
    if token.nesting < 0:
        return "</details>\n"
    title = _FOLD.sub("", token.info.strip())
    return f"<details><summary>{html.escape(title)}</summary>\n"


@cache
def _bibliography() -> Any:
    return parse_file(str(BOOK / "references.bib")).entries


def _citation(key: str) -> str:
    """Return authors and year with a link to the work, in parentheses."""
    entry = _bibliography()[key]
    names = [str(person.last_names[-1]) for person in entry.persons["author"]]
    who = " & ".join(names) if len(names) < 3 else f"{names[0]} et al."
    text = html.escape(f"{who} {entry.fields['year']}")
    doi = entry.fields.get("doi")
    return f'(<a href="https://doi.org/{html.escape(doi)}">{text}</a>)' if doi else f"({text})"
