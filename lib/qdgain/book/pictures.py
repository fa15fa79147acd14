"""A Sphinx extension: what the figures of the book's chapters say of themselves, and a page of all.

Each gets alt text made from its numbers, and below its caption links to its data, its pictures, the
executed notebook, the code, the paper's statements about it, and the command that makes it again.
"""

from __future__ import annotations

import html
import re
import shutil
from collections.abc import Iterator, Sequence
from pathlib import Path, PurePosixPath
from typing import Any

from bs4 import BeautifulSoup
from bs4.filter import SoupStrainer
from docutils import nodes
from myst_nb.core.render import MimeData, NbElementRenderer
from PIL import Image
from sphinx.application import Sphinx
from sphinx.util.osutil import relative_uri

from qdgain.chapters import CHAPTERS, CODE, FIGURE, IN_WORDS, api_page_of
from qdgain.paper.claims import claims

#: Where the build keeps pictures, data and notebooks, within the book's pages.
FILES = "files"
_LEDGER_PAGE = "book/ledger.html"
#: The page of all figures, small and in the order of the book, and what they take the place of.
PAGE, PLACE = "book/all_figures", '<div class="all-figures"></div>'
#: The first sentence of a caption that says more than which figure of the paper it is.
_MESSAGE = re.compile(r"((Paper Fig \w.*?|\w+-[A-Z])\. )?.*?(\.(?= )|$)", re.DOTALL)
#: The largest width and height of a small picture, in pixels: twice those that are shown.
_SIZE = (480, 400)


def setup(app: Sphinx) -> dict[str, Any]:
    """Complete each page's figures when it has been read, and at the end what is made of all."""
    app.connect("doctree-read", _complete)
    app.connect("build-finished", _keep_notebooks)
    app.connect("build-finished", _show_all)
    return {"parallel_read_safe": True, "parallel_write_safe": True}


class PictureRenderer:
    """Renders a chapter's picture as any other, and notes on it what its output says."""

    mime_priority_overrides: Sequence[tuple[str, str, int | None]] = ()

    @staticmethod
    def handle_mime(
        renderer: NbElementRenderer, data: MimeData, inline: bool
    ) -> list[nodes.Element] | None:
        """Return the image with its name and what it shows in words; None for other outputs."""
        said = data.output_metadata
        if inline or FIGURE not in said or data.mime_type != "image/svg+xml":
            return None
        images: list[nodes.Element] = renderer.render_image(data)
        for image in images:
            image[FIGURE], image[CODE] = said[FIGURE], said[CODE]
            image["alt"] = f"{image.get('alt', '')} {said[IN_WORDS]}".strip()
        return images


def _complete(app: Sphinx, doctree: nodes.document) -> None:
    for figure in doctree.findall(nodes.figure):
        # The image is one of several outputs at this stage, of which each builder takes one.
        image = next(iter(figure.findall(nodes.image)), None)
        if image is not None and FIGURE in image:
            name, code = image.attributes.pop(FIGURE), image.attributes.pop(CODE)
            notes = _notes(Path(app.outdir), app.env.docname, figure["names"], name, code)
            figure.append(nodes.raw("", notes, format="html"))


def _notes(outdir: Path, page: str, labels: Sequence[str], name: str, code: str) -> str:
    """Return the links below a figure, folded until they are asked for."""

    def link(target: str, text: str) -> str:
        path, mark, place = target.partition("#")
        address = relative_uri(f"{page}.html", path) + mark + place
        return f'<a href="{html.escape(address)}">{text}</a>'

    def files(folder: str) -> list[str]:
        """Return links to what the build kept of the figure there."""
        place = outdir / FILES / folder
        found = sorted(path for end in (".*", "_*") for path in place.glob(name + end))
        return [link(path.relative_to(outdir).as_posix(), _short(path, name)) for path in found]

    chapter = name.partition("_")[0]
    about = [claim.id for claim in claims().values() if claim.figure in labels]
    api = f"book/{api_page_of(code.rpartition('.')[0])}"
    again = f"<code>qdgain rerun {chapter} -p NAME=VALUE -o FOLDER</code>"
    rows = {
        "data": files("data"),
        "picture": files("figures"),
        "notebook": [link(f"{FILES}/notebooks/{PurePosixPath(page).name}.ipynb", "as executed")],
        "code": [link(f"{api}#{code}", code.removeprefix("qdgain.figures."))],
        "statements": [link(f"{_LEDGER_PAGE}#{claim}", claim) for claim in about],
        "rerun": [again] if chapter in CHAPTERS else [],
    }
    body = "".join(
        f"<dt>{term}</dt><dd>{' · '.join(links)}</dd>" for term, links in rows.items() if links
    )
    alone = f"{FILES}/figures/{name}.svg"
    large = link(alone, "Open large") if (outdir / alone).exists() else ""
    return (
        f'<div class="figure-notes">{large}'
        "<details><summary>Data, pictures, code, statements</summary>"
        f"<dl>{body}</dl></details></div>"
    )


def _short(path: Path, name: str) -> str:
    """Return what tells a figure's files apart: the panel of a table, the format of a picture."""
    rest = path.stem.removeprefix(name).strip("_").replace("_", " ")
    return html.escape(rest or path.suffix.lstrip(".").upper())


def _keep_notebooks(app: Sphinx, exception: Exception | None) -> None:
    if exception is None and app.builder.format == "html":
        target = Path(app.outdir) / FILES / "notebooks"
        target.mkdir(parents=True, exist_ok=True)
        for notebook in (Path(app.outdir).parent / "jupyter_execute").rglob("*.ipynb"):
            shutil.copy(notebook, target)


def _show_all(app: Sphinx, exception: Exception | None) -> None:
    """Fill the page of all figures, when every other one has been written."""
    target = Path(app.outdir, f"{PAGE}.html")
    if exception is not None or app.builder.name != "html" or not target.exists():
        return
    cards = [card for page in app.env.collect_relations() for card in _cards(app.outdir, page)]
    grid = f'<div class="all-figures">{"".join(cards)}</div>'
    text = target.read_text(encoding="utf-8")
    target.write_text(text.replace(PLACE, grid), encoding="utf-8")


def _cards(outdir: Path, page: str) -> Iterator[str]:
    """Yield a link to each figure of a page: small picture, number, first sentence of caption."""
    path = Path(outdir, f"{page}.html")
    text = path.read_text(encoding="utf-8") if path.exists() else ""
    if "figure-notes" not in text:
        return
    soup = BeautifulSoup(text, "html.parser", parse_only=SoupStrainer("figure"))
    for figure in soup.find_all("figure", recursive=False):
        parts = (".figure-notes > a", ".caption-number", ".caption-text")
        large, number, caption = (figure.select_one(part) for part in parts)
        if large is not None and number is not None and caption is not None:
            for link in caption.find_all("a"):
                link.unwrap()
            message = _MESSAGE.match(caption.decode_contents().strip())
            said = message[0] if message else ""
            small, width, height = _small(outdir, Path(str(large["href"])).stem)
            name = number.get_text().strip()
            yield (
                f'<a href="{relative_uri(PAGE, page)}.html#{figure["id"]}"><img alt="{name}" '
                f'loading="lazy" src="{relative_uri(PAGE, small)}" width="{width}" '
                f'height="{height}"><span><strong>{name}</strong> {said}</span></a>'
            )


def _small(outdir: Path, name: str) -> tuple[str, int, int]:
    """Make a small picture of a kept one; return its address, and half its size."""
    target = Path(FILES, "small", f"{name}.webp")
    Path(outdir, target).parent.mkdir(parents=True, exist_ok=True)
    with Image.open(Path(outdir, FILES, "figures", f"{name}.png")) as picture:
        picture.thumbnail(_SIZE)
        picture.convert("RGB").save(Path(outdir, target), quality=70)
        return target.as_posix(), picture.width // 2, picture.height // 2
