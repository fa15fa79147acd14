"""A Sphinx extension: what every page of the book gets beside its text.

Figures stand in frames that scroll sideways on a phone, the first use of a term links to the
glossary, and screen readers take the bibliography for a list. Left out are half a megabyte of icons
that no page shows, and MathJax where there is no equation. Pages are read, and their code executed,
by as many processes as there are cores.
"""

from __future__ import annotations

import gc
import os
import re
import sys
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

from docutils import nodes
from sphinx import addnodes
from sphinx.application import Sphinx
from sphinx.config import Config

from qdgain.text import typeset
from qdgain.version import __version__

_REFERENCES = "book/references"
_PIXELS_A_POINT = 96 / 72
_FIGURE_IMAGE = re.compile(r'(<figure\b[^>]*>\s*)(<img\b[^>]*?\bsrc="([^"]+)"[^>]*>)')
_SVG_SIZE = re.compile(r'<svg[^>]*?\bwidth="([\d.]+)pt" height="([\d.]+)pt"')
#: Where a word of the text is no place for a link.
_NO_LINKS = (
    *(nodes.reference, nodes.pending, nodes.literal, nodes.math, nodes.table, nodes.citation),
    *(addnodes.glossary, addnodes.desc),
)


#: What is not prose: tags, and elements whose text is code, an equation, or no text at all.
_NO_PROSE = re.compile(
    r'<(code|pre|script|style|svg|kbd)\b.*?</\1>|<(span|div) class="math.*?</\2>|<[^>]+>', re.DOTALL
)
_SYMBOL = re.compile(
    r"(?<![\w/.#-])(PL|[A-Zk\u0370-\u03ff])_(XX\d?|X\d?|[A-Z]\d?|th|π|g|h|NL|inh)(?!\w)"
)


def setup(app: Sphinx) -> dict[str, Any]:
    """Complete each page when it is written."""
    # Trees of nodes are large, and almost nothing of them is garbage before the end.
    gc.set_threshold(50_000, 20, 100)
    app.parallel = processes()
    app.connect("config-inited", _allow_parallel_reading)
    app.connect("config-inited", _know_the_version)
    app.connect("doctree-resolved", _link_terms)
    app.connect("html-page-context", _complete)
    if "sphinx.ext.napoleon" in app.extensions:
        app.connect("autodoc-process-docstring", _leave_sentences_whole, priority=400)
    if "sphinx.ext.autodoc" in app.extensions:
        app.connect("autodoc-skip-member", _skip_numbered_fields)
    app.connect("build-finished", _leave_icons_to_the_font)
    return {"parallel_read_safe": True, "parallel_write_safe": True}


def processes() -> int:
    """Return how many processes read pages: one a core, for which Jupyter Book has no option.

    On Linux only: libraries of macOS do not survive the fork that starts a process.
    """
    return (os.cpu_count() or 1) if sys.platform == "linux" else 1


def _allow_parallel_reading(app: Sphinx, _: Config) -> None:
    """Answer for an extension that sphinx-external-toc loads, and that does nothing meanwhile."""
    silent = app.extensions.get("sphinx_multitoc_numbering")
    if silent is not None and silent.parallel_read_safe is None:
        silent.parallel_read_safe = True


def _know_the_version(_: Sphinx, config: Config) -> None:
    """Let a page's text say ``{{ version }}``."""
    config["myst_substitutions"] = {**config["myst_substitutions"], "version": __version__}


def _leave_sentences_whole(_: Sphinx, what: str, *rest: Any) -> None:
    """Keep napoleon from taking what stands before a colon for the type of an attribute.

    A first line that begins with a colon has no type.
    """
    # The event's last argument is the docstring, to be changed in place.
    lines = rest[-1]
    if what in ("attribute", "data", "property") and lines:
        lines[0] = f": {lines[0]}"


def _skip_numbered_fields(_: Sphinx, what: str, name: str, member: Any, *rest: Any) -> bool | None:
    """Leave out fields of a named tuple of which Python says their number and nothing else."""
    numbered = (getattr(member, "__doc__", None) or "").startswith("Alias for field number")
    return True if numbered else None


def _leave_icons_to_the_font(app: Sphinx, exception: Exception | None) -> None:
    """Empty the script that would draw the theme's icons, each of which its font has too."""
    script = Path(app.outdir, "_static", "scripts", "fontawesome.js")
    if exception is None and script.exists():
        script.write_text("// The icons come from the font that the style sheet names.\n", "utf-8")
        script.with_suffix(".js.map").unlink(missing_ok=True)


def _link_terms(app: Sphinx, doctree: nodes.document, page: str) -> None:
    if app.builder.format != "html":
        return
    objects: Mapping[tuple[str, str], tuple[str, str]] = app.env.get_domain("std").objects  # type: ignore[attr-defined]
    link_first_uses(
        doctree,
        {
            name: f"{app.builder.get_relative_uri(page, where)}#{label}"
            for (kind, name), (where, label) in objects.items()
            if kind == "term" and where != page
        },
    )


def link_first_uses(doctree: nodes.Element, addresses: Mapping[str, str]) -> None:
    """Put a link where each term of the glossary is first used in a page's running text.

    Of terms that begin together the longest is meant. Capitals count in abbreviations only.
    """
    left = dict(addresses)
    for text in list(_running_text(doctree)):
        pieces: list[nodes.Node] = []
        rest = text.astext()
        while found := _first(rest, left):
            name, start, end = found
            link = nodes.reference(
                "", rest[start:end], internal=True, refuri=left.pop(name), classes=["term"]
            )
            pieces += [nodes.Text(rest[:start]), link]
            rest = rest[end:]
        if pieces:
            text.parent.replace(text, [*pieces, nodes.Text(rest)])


def _running_text(doctree: nodes.Element) -> Iterator[nodes.Text]:
    for paragraph in doctree.findall(nodes.paragraph):
        for text in paragraph.findall(nodes.Text):
            node = text.parent
            # A card is a link as a whole.
            while not (node is None or isinstance(node, _NO_LINKS) or "sd-card" in node["classes"]):
                node = node.parent
            if node is None:
                yield text


def _first(text: str, terms: Iterable[str]) -> tuple[str, int, int] | None:
    """Return the first of the terms in a text, and where it starts and ends."""
    found = []
    for name in terms:
        case = re.NOFLAG if name.upper() == name else re.IGNORECASE
        if match := re.search(rf"(?<![\w-]){re.escape(name)}s?(?![\w-])", text, case):
            found.append((name, *match.span()))
    return min(found, key=lambda one: (one[1], -one[2]), default=None)


def _complete(
    app: Sphinx, page: str, template: str, context: dict[str, Any], doctree: nodes.document | None
) -> None:
    if _REFERENCES in app.env.found_docs:
        place = context["pathto"](_REFERENCES)
        context["theme_extra_footer"] = footer("" if place == "#" else place)
    if "body" in context:
        if not page.startswith("book/api"):
            context["body"] = typeset_prose(context["body"])
        pictures = {name: Path(app.srcdir, source) for source, name in app.builder.images.items()}
        context["body"] = framed(context["body"], pictures)
        if 'class="math' not in context["body"]:
            # Sphinx loads a megabyte of MathJax for the equations of the pages below one, too.
            context["script_files"] = [
                script
                for script in context["script_files"]
                if "mathjax" not in f"{script.filename} {script.attributes.get('body')}".lower()
            ]


def typeset_prose(body: str) -> str:
    """Return a page's HTML with symbols and numbers of its prose as print has them.

    Examples
    --------
    >>> typeset_prose("<p>A_X at -2 meV, <code>A_X = -2</code></p>")
    '<p>A<sub>X</sub> at −2 meV, <code>A_X = -2</code></p>'
    """
    parts, end = [], 0
    for found in [*_NO_PROSE.finditer(body), None]:
        text = body[end : found.start() if found else None]
        parts.append(_SYMBOL.sub(r"\1<sub>\2</sub>", typeset(text)))
        if found:
            parts.append(found[0])
            end = found.end()
    return "".join(parts)


def footer(references: str) -> str:
    """Return what stands below every page, given where the page of references is from there."""
    return (
        f'qdgain {__version__} · <a href="{references}#how-to-cite">How to cite</a> · Text CC BY '
        "4.0, code BSD 3-Clause · An independent reconstruction, not by the authors of the paper"
    )


def framed(body: str, pictures: Mapping[str, Path]) -> str:
    """Return a page's HTML with the image of each figure in a frame, and with its size.

    The entries of the bibliography become items of its list. `pictures` has the file of an image by
    its name within the built pages; others get no size.
    """

    def frame(found: re.Match[str]) -> str:
        figure, image, source = found.groups()
        file = pictures.get(source.rpartition("/")[2])
        size = _size(file) if file is not None else None
        if size is not None:
            width, height = size
            image = image.replace(
                "<img ",
                f'<img width="{width}" height="{height}" style="--natural-width: {width}px" ',
                1,
            )
        return f'{figure}<div class="figure-frame">{image}</div>'

    body = body.replace(' role="doc-biblioentry"', ' role="listitem"')
    return _FIGURE_IMAGE.sub(frame, body)


def _size(picture: Path) -> tuple[int, int] | None:
    """Return the width and height of an SVG in pixels; None of anything else."""
    if picture.suffix != ".svg":
        return None
    with picture.open(encoding="utf-8") as stream:
        found = _SVG_SIZE.search(stream.read(2000))
    if found is None:
        return None
    width, height = (round(float(number) * _PIXELS_A_POINT) for number in found.groups())
    return width, height
