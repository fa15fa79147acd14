"""What a page needs of its notebook: its run, figures as SVG, numbers for the prose, tables."""

from __future__ import annotations

import json
import platform
from collections.abc import Iterable, Mapping
from importlib import metadata
from pathlib import Path
from types import ModuleType
from typing import Any

from IPython import get_ipython
from IPython.display import Markdown
from matplotlib.figure import Figure
from myst_nb import glue

from qdgain.book import keep
from qdgain.chapters import CODE, FIGURE, IN_WORDS, notebook_of
from qdgain.figures import kit
from qdgain.figures.description import described
from qdgain.figures.modules import name_of
from qdgain.figures.saved import to_png, to_svg
from qdgain.ledger import table
from qdgain.model import parameters
from qdgain.model.dot import presets
from qdgain.paper.claims import Headline, answered_by
from qdgain.run import Run, resolve
from qdgain.table import Shown, Table
from qdgain.text import significant, with_unit
from qdgain.version import library_hash

_NOT_DRAWN = '<svg xmlns="http://www.w3.org/2000/svg" width="1" height="1"/>'
#: How fast a technical text is read, about.
WORDS_A_MINUTE = 180
_PACKAGES = (
    *("qdgain", "numpy", "scipy", "matplotlib", "lmfit"),
    *("jupyter-book", "Sphinx", "myst-nb", "papermill", "ipywidgets"),
)


def show_figures_as_svg() -> None:
    """Let the kernel show matplotlib figures as SVG from here on; nothing without a kernel."""
    shell = get_ipython()
    if shell is not None:
        shell.display_formatter.formatters["image/svg+xml"].for_type(Figure, to_svg)
        for kind in ("image/png", "image/jpeg", "application/pdf"):
            shell.display_formatter.formatters[kind].pop(Figure, None)


def start(figure: ModuleType, namespace: Mapping[str, Any]) -> Run:
    """Resolve a chapter's parameters cell and show matplotlib figures as SVG from here on.

    From the chapter's module in `qdgain.figures`, whose ``SETTINGS`` name its settings, and the
    notebook's ``globals()``; a ParameterError if a value is refused.
    """
    show_figures_as_svg()
    names = (*parameters.DOT_PARAMETERS, *figure.SETTINGS)
    return resolve(figure.SETTINGS, {name: namespace[name] for name in names if name in namespace})


def draw(figure: ModuleType, name: str, run: Run | None = None) -> Picture:
    """Compute and draw one of a chapter's ``FIGURES``; the book and reruns keep it and its data.

    Nothing is drawn where the environment says that numbers are enough. Behind a run that is not
    the paper's stand the paper's lines.
    """
    whole_name = f"{name_of(figure)}_{name}"
    computes = figure.FIGURES[name].panels
    code = f"{computes.__module__}.{computes.__name__}"
    if not keep.pictures_wanted():
        return Picture(whole_name, code, _NOT_DRAWN, "")
    panels = kit.compute(figure, name, run)
    drawn = figure.FIGURES[name].draw(panels)
    svg = to_svg(drawn)
    keep.picture(whole_name, kit.as_tuple(panels), svg, lambda: to_png(drawn))
    in_words = "" if name in kit.DIAGRAMS else described(kit.as_tuple(panels))
    return Picture(whole_name, code, svg, in_words)


class Picture:
    """A drawn figure as SVG, with the function that computes it and what it shows in words."""

    def __init__(self, name: str, code: str, svg: str, in_words: str) -> None:
        self.name, self.code, self.svg, self.in_words = name, code, svg, in_words

    def _repr_mimebundle_(self, **_: Any) -> tuple[dict[str, str], dict[str, str]]:
        data = {"image/svg+xml": self.svg, "text/plain": f"<the figure {self.name}>"}
        return data, {FIGURE: self.name, CODE: self.code, IN_WORDS: self.in_words}


def checked_table(headlines: Iterable[Headline]) -> Table:
    """Return a chapter's headline numbers at four significant figures, beside the paper's.

    Its text is what the regression test of the notebooks compares.
    """
    rows = []
    for headline in headlines:
        claim = answered_by(headline)
        stated = "" if claim is None else claim.stated_text
        rows.append((headline.meaning, headline.unit, stated, headline.rounded))
    header = ("quantity", "unit", "paper", "model")
    return Table(header, rows, right=(2, 3), style="checked-table", frame="")


def glued(headlines: Iterable[Headline]) -> tuple[Headline, ...]:
    """Give a chapter's prose its numbers by key, at three significant figures; return them."""
    headlines = tuple(headlines)
    keep.numbers(headlines)
    for headline in headlines:
        # As text: glue would round a number again, and show 1.00 as 1.0.
        glue(headline.key, significant(headline.value, 3), display=False)
    return headlines


def results(figure: ModuleType) -> Shown:
    """Return what becomes of the statements that belong to a chapter's figures, at the presets."""
    name = name_of(figure)
    return table.of_chapter(name, _minutes(notebook_of(name)))


def _minutes(notebook: Path | None) -> int:
    """Return how many minutes a notebook's prose takes to read, about; 0 if there is none."""
    if notebook is None:
        return 0
    cells = json.loads(notebook.read_text(encoding="utf-8"))["cells"]
    prose = ("".join(cell["source"]) for cell in cells if cell["cell_type"] == "markdown")
    return round(sum(len(text.split()) for text in prose) / WORDS_A_MINUTE)


def parameter_table() -> Markdown:
    """Return the contract as a table."""
    rows = []
    for entry in parameters.CONTRACT.values():
        symbol = f"${entry.symbol}$" if entry.symbol else ""
        allowed, default = entry.allowed, entry.stand_in or str(entry.default) or "empty"
        if entry.kind == "number":
            allowed = f"{entry.minimum:g} to {entry.maximum:g}"
            if entry.default is not None:
                default = with_unit(f"{entry.default:g}", entry.unit)
        # The calibration's own sentence stands once, on its page.
        source = "" if entry.origin.kind == "calibrated" else f": {entry.origin.source}"
        meaning = f"{entry.meaning}. **{entry.origin.kind}**{source}"
        rows.append((f"`{entry.name}` {symbol}", default, allowed, meaning))
    header = ("parameter", "default", "allowed", "meaning and origin")
    return Markdown(Table(header, rows).markdown())


def symbol_table() -> Markdown:
    """Return the symbols of the contract's parameters, with units, as a table."""
    rows = [
        (f"${entry.symbol}$", entry.meaning, entry.unit, f"`{entry.name}`")
        for entry in parameters.CONTRACT.values()
        if entry.kind == "number"
    ]
    return Markdown(Table(("symbol", "meaning", "unit", "parameter"), rows).markdown())


def preset_table() -> Markdown:
    """Return the named dots as a table."""
    dots, rows = presets(), []
    for name in parameters.DOT_PARAMETERS:
        if not parameters.CONTRACT[name].stand_in:
            values = (getattr(dot, name) for dot in dots.values())
            shown = (v if isinstance(v, str) else f"{v:.4g}" for v in values)
            rows.append((f"`{name}`", *shown))
    return Markdown(Table(("parameter", *dots), rows).markdown())


def version_table() -> Markdown:
    """Return the versions that a page was made with."""
    rows = [("Python", platform.python_version())]
    rows += [(name, metadata.version(name)) for name in _PACKAGES]
    rows.append(("content of the library (SHA-256)", f"`{library_hash()[:16]}`"))
    return Markdown(Table(("what", "version"), rows).markdown())
