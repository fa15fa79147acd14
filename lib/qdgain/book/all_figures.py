"""A Sphinx extension: the page of all figures, small and in the order of the book."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from bs4 import BeautifulSoup
from bs4.filter import SoupStrainer
from PIL import Image
from sphinx.application import Sphinx
from sphinx.util.osutil import relative_uri

from qdgain.book.pictures import FILES

#: The page, and what of it the pictures take the place of.
PAGE, PLACE = "book/all_figures", '<div class="all-figures"></div>'
#: The first sentence of a caption that says more than which figure of the paper it is.
_MESSAGE = re.compile(r"((Paper Fig \w.*?|\w+-[A-Z])\. )?.*?(\.(?= )|$)", re.DOTALL)
#: The largest width and height of a small picture, in pixels: twice those that are shown.
_SIZE = (480, 400)


def setup(app: Sphinx) -> dict[str, Any]:
    """Fill the page when every other one has been written."""
    app.connect("build-finished", _fill)
    return {"parallel_read_safe": True, "parallel_write_safe": True}


def _fill(app: Sphinx, exception: Exception | None) -> None:
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
