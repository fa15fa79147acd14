"""What a chapter needs of the notebook: its run, figures as SVG, its checked table and glue."""

from __future__ import annotations

import html
import platform
from collections.abc import Iterable, Mapping
from importlib import metadata
from types import ModuleType
from typing import Any

from IPython import get_ipython
from IPython.display import Markdown
from matplotlib.figure import Figure
from myst_nb import glue

from qdgain.book import keep
from qdgain.chapters import FIGURE, IN_WORDS
from qdgain.figures import kit
from qdgain.figures.description import described
from qdgain.figures.saved import to_png, to_svg
from qdgain.ledger import table
from qdgain.model import parameters
from qdgain.model.dot import presets
from qdgain.paper.claims import Headline, answered_by
from qdgain.run import Run, resolve
from qdgain.text import significant
from qdgain.version import library_hash

_DIGITS_IN_PROSE = 3
_DIGITS_IN_TABLE = 4
_NOT_DRAWN = '<svg xmlns="http://www.w3.org/2000/svg" width="1" height="1"/>'


def show_figures_as_svg() -> None:
    """Let the kernel show matplotlib figures as SVG from here on; nothing without a kernel."""
    shell = get_ipython()
    if shell is not None:
        shell.display_formatter.formatters["image/svg+xml"].for_type(Figure, to_svg)
        for kind in ("image/png", "image/jpeg", "application/pdf"):
            shell.display_formatter.formatters[kind].pop(Figure, None)


def start(figure: ModuleType, namespace: Mapping[str, Any]) -> Run:
    """Resolve a chapter's parameters cell and show matplotlib figures as SVG from here on.

    Parameters
    ----------
    figure : module
        The chapter's module in `qdgain.figures`; its ``SETTINGS`` name the chapter's settings.
    namespace : Mapping
        The notebook's ``globals()``.

    Raises
    ------
    ParameterError
        If a value is refused.
    """
    show_figures_as_svg()
    names = (*parameters.DOT_PARAMETERS, *figure.SETTINGS)
    return resolve(figure.SETTINGS, {name: namespace[name] for name in names if name in namespace})


def draw(figure: ModuleType, name: str, run: Run | None = None) -> Picture:
    """Compute and draw one of a chapter's figures; a rerun and the book keep pictures and data.

    Where the environment says that numbers are enough, nothing is drawn.

    Parameters
    ----------
    figure : module
        The chapter's module in `qdgain.figures`.
    name : str
        One of its ``FIGURES``.
    run : Run, optional
        Where it differs from the paper's, the paper's lines stand behind. The calibration has none.
    """
    whole_name = f"{figure_name(figure)}_{name}"
    if not keep.pictures_wanted():
        return Picture(whole_name, _NOT_DRAWN, "")
    panels = kit.compute(figure, name, run)
    drawn = figure.FIGURES[name].draw(panels)
    svg = to_svg(drawn)
    keep.picture(whole_name, kit.as_tuple(panels), svg, lambda: to_png(drawn))
    in_words = "" if name in kit.DIAGRAMS else described(kit.as_tuple(panels))
    return Picture(whole_name, svg, in_words)


class Picture:
    """A drawn figure as SVG, which a notebook shows, with what it shows in words."""

    def __init__(self, name: str, svg: str, in_words: str) -> None:
        self.name, self.svg, self.in_words = name, svg, in_words

    def _repr_mimebundle_(self, **_: Any) -> tuple[dict[str, str], dict[str, str]]:
        data = {"image/svg+xml": self.svg, "text/plain": f"<the figure {self.name}>"}
        return data, {FIGURE: self.name, IN_WORDS: self.in_words}


class CheckedTable:
    """A chapter's headline numbers at four significant figures, beside the paper's.

    Its plain text is what the regression test of the notebooks compares.
    """

    def __init__(self, headlines: Iterable[Headline]) -> None:
        self.rows = [("quantity", "unit", "paper", "model")]
        for headline in headlines:
            claim = answered_by(headline)
            self.rows.append(
                (
                    headline.meaning,
                    headline.unit,
                    "" if claim is None else claim.stated_text,
                    significant(headline.value, _DIGITS_IN_TABLE),
                )
            )

    def __repr__(self) -> str:
        widths = [max(len(row[i]) for row in self.rows) for i in range(4)]
        return "\n".join(
            f"{a:<{widths[0]}}  {b:<{widths[1]}}  {c:>{widths[2]}}  {d:>{widths[3]}}"
            for a, b, c, d in self.rows
        )

    def _repr_html_(self) -> str:
        head, *body = [[html.escape(cell) for cell in row] for row in self.rows]
        lines = ["<table class='checked-table'>", "<thead><tr>"]
        lines += [f"<th scope='col'>{cell}</th>" for cell in head]
        lines += ["</tr></thead>", "<tbody>"]
        for row in body:
            cells = [f"<th scope='row'>{row[0]}</th>", *(f"<td>{cell}</td>" for cell in row[1:])]
            lines.append("<tr>" + "".join(cells) + "</tr>")
        return "\n".join([*lines, "</tbody>", "</table>"])


def statements(figure: ModuleType) -> table.Fragment:
    """Return the ledger's rows that belong to a chapter's figures, for the paper's presets.

    Parameters
    ----------
    figure : module
        The chapter's module in `qdgain.figures`.
    """
    return table.of_chapter(figure_name(figure))


def figure_name(figure: ModuleType) -> str:
    """Return the name of a chapter's module, such as ``fig08``."""
    return figure.__name__.rpartition(".")[2]


def verdict_summary() -> table.Fragment:
    """Return how many statements have each verdict, linked to the ledger."""
    return table.summary()


def parameter_table() -> Markdown:
    """Return the contract as a table."""
    rows = ["| parameter | default | allowed | meaning and origin |", "|---" * 4 + "|"]
    for entry in parameters.CONTRACT.values():
        symbol = f"${entry.symbol}$" if entry.symbol else ""
        unit = "" if entry.unit == "1" else f" {entry.unit}"
        if entry.kind == "number":
            allowed = f"{entry.minimum:g} to {entry.maximum:g}"
        else:
            allowed = entry.allowed
        if entry.default is None:
            default = entry.stand_in
        elif entry.kind == "number":
            default = f"{entry.default:g}{unit}"
        else:
            default = str(entry.default) or "empty"
        # The calibration's own sentence stands once, on its page.
        source = "" if entry.origin.kind == "calibrated" else f": {entry.origin.source}"
        cells = (
            f"`{entry.name}` {symbol}",
            default,
            allowed,
            f"{entry.meaning}. **{entry.origin.kind}**{source}",
        )
        rows.append("| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |")
    return Markdown("\n".join(rows))


def symbol_table() -> Markdown:
    """Return the symbols of the contract's parameters, with units, as a table."""
    rows = ["| symbol | meaning | unit | parameter |", "|---" * 4 + "|"]
    for entry in parameters.CONTRACT.values():
        if entry.kind == "number":
            cells = (f"${entry.symbol}$", entry.meaning, entry.unit, f"`{entry.name}`")
            rows.append("| " + " | ".join(cells) + " |")
    return Markdown("\n".join(rows))


def preset_table() -> Markdown:
    """Return the named dots as a table."""
    dots = presets()
    names = [name for name in parameters.DOT_PARAMETERS if not parameters.CONTRACT[name].stand_in]
    rows = ["| parameter | " + " | ".join(dots) + " |", "|---" * (len(dots) + 1) + "|"]
    for name in names:
        values = " | ".join(f"{getattr(dot, name):.4g}" for dot in dots.values())
        rows.append(f"| `{name}` | {values} |")
    return Markdown("\n".join(rows))


def version_table() -> Markdown:
    """Return the versions that a page was made with."""
    packages = (
        "qdgain",
        "numpy",
        "scipy",
        "matplotlib",
        "lmfit",
        "jupyter-book",
        "Sphinx",
        "myst-nb",
        "papermill",
        "ipywidgets",
    )
    rows = ["| what | version |", "|---|---|", f"| Python | {platform.python_version()} |"]
    rows += [f"| {name} | {metadata.version(name)} |" for name in packages]
    rows.append(f"| content of the library (SHA-256) | `{library_hash()[:16]}` |")
    return Markdown("\n".join(rows))


def glued(headlines: Iterable[Headline]) -> tuple[Headline, ...]:
    """Give a chapter's prose its numbers, at three significant figures, and return them.

    Each is glued under the headline's key.
    """
    headlines = tuple(headlines)
    keep.numbers(headlines)
    for headline in headlines:
        # As text: glue would round a number again, and show 1.00 as 1.0.
        glue(headline.key, significant(headline.value, _DIGITS_IN_PROSE), display=False)
    return headlines


def parameters_cell(settings: tuple[str, ...]) -> str:
    """Return the source of a chapter's parameters cell, as the contract has it.

    One annotated parameter a line, with unit and meaning; a dot field that stays None leaves the
    paper's presets alone.

    Parameters
    ----------
    settings : tuple of str
        The names of the chapter's own settings.
    """
    types = {"number": "float", "integer": "int", "word": "str", "file": "str"}
    lines = ["# Your dot: set any of these and it is drawn beside the paper's."]
    for name in parameters.DOT_PARAMETERS:
        entry = parameters.CONTRACT[name]
        lines.append(f"{name}: float | None = None  # {_unit_and_meaning(entry)}")
    if settings:
        lines.append("# The chapter's own settings.")
    for name in settings:
        entry = parameters.CONTRACT[name]
        hint = f" ({', '.join(entry.choices)})" if entry.choices else ""
        kind = types[entry.kind]
        lines.append(f"{name}: {kind} = {entry.default!r}  # {_unit_and_meaning(entry)}{hint}")
    return "\n".join(lines)


def _unit_and_meaning(entry: parameters.Parameter) -> str:
    return entry.meaning if entry.unit == "1" else f"{entry.unit}: {entry.meaning}"
