"""Every figure of every chapter as it is drawn, and what can be said of a drawing by itself."""

from __future__ import annotations

import re
from functools import cache
from typing import Any, NamedTuple
from unittest import mock

import matplotlib
import numpy as np
from matplotlib.artist import Artist
from matplotlib.axes import Axes
from matplotlib.axis import Axis
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.collections import LineCollection, PathCollection, PolyCollection, QuadMesh
from matplotlib.colors import to_hex
from matplotlib.figure import Figure
from matplotlib.image import AxesImage
from matplotlib.legend import Legend
from matplotlib.lines import Line2D
from matplotlib.text import Text
from matplotlib.transforms import Bbox
from PIL import Image

import regression
from qdgain.figures import calibrated, fit, speed, style
from qdgain.figures.modules import MODULES
from qdgain.figures.panel import KINDS, Panel, Series

PAGES: dict[str, Any] = {**MODULES, "calibrated": calibrated, "fit": fit, "speed": speed}
NAMES = tuple(f"{name}-{which}" for name, page in PAGES.items() for which in page.FIGURES)
#: Small pictures are enough for what arrays do not see. Drawn larger and averaged, so that the
#: rounding of letters to pixels, another in each release of matplotlib, moves next to nothing.
DPI, FINER = 60, 3
#: Texts may touch by so many drawn pixels: their boxes are larger than their letters.
TOUCH = 1.0 * FINER


class Drawing(NamedTuple):
    """A figure, the texts it showed when it was drawn, and its picture (height, width, 3)."""

    figure: Figure
    texts: list[tuple[Text, Bbox]]
    picture: np.ndarray


def panels(name: str) -> Any:
    """Return what a figure such as ``fig08-spectra`` draws, for the paper's run."""
    return regression.result_once(*name.split("-"))


def figure_of(name: str) -> Figure:
    """Return a figure, new and not yet drawn."""
    page, which = name.split("-")
    figure = PAGES[page].FIGURES[which].draw(panels(name))
    assert isinstance(figure, Figure)
    return figure


def draw(figure: Figure, hinting: str = "none") -> Drawing:
    """Draw a figure and note every text it shows."""
    texts = []
    original = Text.draw

    def noting(text: Text, renderer: Any, *rest: Any) -> Any:
        if text.get_visible() and text.get_text().strip():
            texts.append((text, text.get_window_extent(renderer)))
        return original(text, renderer, *rest)

    with style.book_style(), mock.patch.object(Text, "draw", noting):
        matplotlib.rcParams["text.hinting"] = hinting
        figure.set_dpi(DPI * FINER)
        canvas = FigureCanvasAgg(figure)
        canvas.draw()
    picture = Image.fromarray(np.asarray(canvas.buffer_rgba())).convert("RGB").reduce(FINER)
    return Drawing(figure, texts, np.asarray(picture))


@cache
def drawing(name: str) -> Drawing:
    """Return a figure of the paper's run, drawn once for all tests: not to be changed."""
    return draw(figure_of(name))


# --- what is wrong with a drawing, in sentences


def overlapping_texts(drawing: Drawing) -> list[str]:
    """Return a sentence for each pair of texts that cover each other."""
    boxes = np.array([box.extents for _, box in drawing.texts]).reshape(-1, 4)
    low = np.maximum(boxes[:, None, :2], boxes[None, :, :2])
    high = np.minimum(boxes[:, None, 2:], boxes[None, :, 2:])
    covered = np.argwhere(np.triu((high - low > TOUCH).all(axis=-1), k=1))
    texts = [text.get_text() for text, _ in drawing.texts]
    return [f"{texts[i]!r} and {texts[j]!r} cover each other" for i, j in covered]


def texts_outside(drawing: Drawing) -> list[str]:
    """Return a sentence for each text that leaves the canvas."""
    x0, y0, x1, y1 = drawing.figure.bbox.padded(TOUCH).extents
    return [
        f"{text.get_text()!r} leaves the canvas"
        for text, box in drawing.texts
        if box.x0 < x0 or box.y0 < y0 or box.x1 > x1 or box.y1 > y1
    ]


def shown_axes(figure: Figure) -> list[Axes]:
    """Return the axes that show a frame."""
    return [ax for ax in figure.findobj(Axes) if ax.get_visible() and ax.axison]


def legends(figure: Figure) -> list[Legend]:
    """Return the legends of the figure and its panels."""
    return [legend for legend in figure.findobj(Legend) if legend.get_visible()]


def colour_of(artist: Artist) -> str:
    """Return an artist's colour, that of its first part if it has parts."""
    for getter in ("get_color", "get_facecolor"):
        if hasattr(artist, getter):
            colour = getattr(artist, getter)()
            return to_hex(colour if isinstance(colour, str) else np.ravel(colour)[:3])
    return colour_of(artist.get_children()[0])


def faulty_legends(drawing: Drawing, named_otherwise: str = "$^") -> list[str]:
    """Return a sentence for each empty legend, and each of several curves missing or unlike in it.

    A curve may be named by a text of its colour beside it as well. Labels that match
    `named_otherwise` are told in another way than by a legend.
    """
    found, entries, own = [], {}, {}
    shown = {id(text) for text, _ in drawing.texts}
    for legend in legends(drawing.figure):
        texts = [text.get_text() for text in legend.get_texts() if id(text) in shown]
        handles = [handle for handle in legend.legend_handles if handle.get_visible()]
        if not texts or len(handles) != len(texts):
            found.append(f"a legend shows {len(texts)} texts and {len(handles)} handles")
        for text, handle in zip(texts, handles, strict=False):
            entries.setdefault(text, set()).add(colour_of(handle))
            own.setdefault((legend.axes, text), set()).add(colour_of(handle))
    listed = {id(text) for legend in legends(drawing.figure) for text in legend.get_texts()}
    for text, _ in drawing.texts:
        if isinstance(text.axes, Axes) and id(text) not in listed:
            entries.setdefault(text.get_text(), set()).add(colour_of(text))
    for ax in shown_axes(drawing.figure):
        handles, labels = ax.get_legend_handles_labels()
        for handle, label in zip(handles, labels, strict=True):
            # A panel's own legend, or another that it shares.
            named = own.get((ax, label), entries.get(label))
            if named and colour_of(handle) not in named:
                found.append(f"{label!r} has another colour in its legend")
            unnamed = label not in entries and not re.fullmatch(named_otherwise, label)
            if unnamed and len(set(labels)) > 1:
                found.append(f"{label!r} is in no legend")
    return found


def wrong_colours(drawing: Drawing, colours: dict[str, set[str]]) -> list[str]:
    """Return a sentence for each named curve that has not the colour of its quantity."""
    found = []
    for ax in shown_axes(drawing.figure):
        for handle, label in zip(*ax.get_legend_handles_labels(), strict=True):
            if label in colours and colour_of(handle) not in colours[label]:
                found.append(f"{label!r} is drawn in {colour_of(handle)}")
    return found


def crossed_legends(drawing: Drawing) -> list[str]:
    """Return a sentence for each curve that runs through, or behind, an entry of a legend."""
    found = []
    renderer = drawing.figure.canvas.get_renderer()
    for legend in legends(drawing.figure):
        whole = legend.get_window_extent(renderer)
        curves = [
            (line, path)
            for ax in shown_axes(drawing.figure)
            if ax.bbox.overlaps(whole)
            for line in ax.lines
            if line.get_visible() and len(path := _visible_path(line))
        ]
        for text, handle in zip(legend.get_texts(), legend.legend_handles, strict=True):
            boxes = [artist.get_window_extent(renderer) for artist in (text, handle)]
            entry = Bbox.union([box for box in boxes if np.isfinite(box.extents).all()])
            for line, path in curves:
                if path.intersects_bbox(entry.padded(-TOUCH), filled=False):
                    found.append(f"{line.get_label()!r} runs through {text.get_text()!r}")
    return found


def _visible_path(line: Line2D) -> Any:
    """Return the path of a curve or of its points, in drawn pixels and within its axes."""
    path = line.get_transform().transform_path(line.get_path())
    return path.clip_to_bbox(line.axes.bbox) if len(path.vertices) > 1 else path


def unlabelled_axes(drawing: Drawing) -> list[str]:
    """Return a sentence for each axis with numbers and no quantity.

    One label may serve a row, at its left end, or a column, at its lower end.
    """
    found = []
    shown = {id(text) for text, _ in drawing.texts}
    axes = shown_axes(drawing.figure)
    for ax in axes:
        for which in ("xaxis", "yaxis"):
            numbers = [text for text in _tick_texts(getattr(ax, which), shown) if _is_number(text)]
            serving = (other for other in axes if other is ax or _serves(other, ax, which))
            if numbers and not any(id(getattr(other, which).label) in shown for other in serving):
                found.append(f"the {which} with {', '.join(numbers[:3])} … has no label")
    return found


def _tick_texts(axis: Axis, shown: set[int]) -> list[str]:
    ticks = (*axis.majorTicks, *axis.minorTicks)
    labels = (label for tick in ticks for label in (tick.label1, tick.label2))
    return [label.get_text() for label in labels if id(label) in shown]


def _is_number(text: str) -> bool:
    words = re.search(r"[A-Za-z]{2}", text.replace("mathdefault", ""))
    return bool(re.search(r"\d", text)) and not words


def _serves(other: Axes, ax: Axes, which: str) -> bool:
    """Return whether axes stand before others in one column (x) or row (y)."""
    side = 0 if which == "xaxis" else 1
    ours, theirs = ax.bbox.get_points(), other.bbox.get_points()
    aligned = np.allclose(ours[:, side], theirs[:, side], atol=TOUCH)
    return bool(aligned and theirs[0, 1 - side] < ours[0, 1 - side])


def labels_of_no_quantity(drawing: Drawing, known: set[str]) -> list[str]:
    """Return a sentence for each axis label that is none of the known ones."""
    labels = {
        axis.label.get_text().replace("\n", " ")
        for ax in shown_axes(drawing.figure)
        for axis in (ax.xaxis, ax.yaxis)
    }
    return [f"{label!r} is no quantity of the panels" for label in labels - known - {""}]


def series_of(name: str) -> list[Series]:
    """Return every series of a figure's panels."""
    shown = panels(name)
    return [s for panel in ((shown,) if isinstance(shown, Panel) else shown) for s in panel.series]


def quantities(name: str) -> set[str]:
    """Return the labels, with units, of the quantities that a figure's panels hold."""
    axes = {axis for s in series_of(name) for axis in (s.x_axis, s.y_axis, s.z_axis)}
    return {style.typeset(axis.label) for axis in axes if axis is not None}


def undrawn(drawing: Drawing, series: list[Series]) -> list[str]:
    """Return a sentence for each series of which the figure does not show just these values."""
    shown: dict[str, list[Any]] = {kind: [] for kind in KINDS}
    for line in (line for ax in shown_axes(drawing.figure) for line in ax.lines):
        x, y = (np.ravel(np.asarray(v)) for v in line.get_data(orig=True))
        if x.dtype.kind in "fiu" and y.dtype.kind in "fiu":
            shown["line"].append(np.array(np.broadcast_arrays(x, y), dtype=float))
    shown["points"] = shown["line"] + [
        np.asarray(part.get_offsets(), dtype=float).T
        for part in drawing.figure.findobj(PathCollection)
    ]
    shown["level"] = [line for line in shown["line"] if line.size and np.ptp(line[1]) == 0]
    for part in drawing.figure.findobj(PolyCollection):
        shown["band"] += [path.vertices.T for path in part.get_paths()]
    for image in drawing.figure.findobj(AxesImage):
        left, right, *ends = image.get_extent()
        first, last = ends if image.origin == "lower" else reversed(ends)
        rows, columns = image.get_array().shape[:2]
        edges = np.linspace(left, right, columns + 1), np.linspace(first, last, rows + 1)
        shown["map"].append(_Cells(*edges, np.asarray(image.get_array(), dtype=float)))
    for mesh in drawing.figure.findobj(QuadMesh):
        corners = mesh.get_coordinates()
        edges = corners[0, :, 0], corners[:, 0, 1]
        shown["map"].append(_Cells(*edges, np.asarray(mesh.get_array(), dtype=float)))
    bars = [part.get_segments() for part in drawing.figure.findobj(LineCollection)]
    shown["bars"] = [np.array(each, dtype=float) for each in bars if each]
    return [
        f"{one.name!r} is not drawn as it is"
        for one in series
        if not any(_shows(one, values) for values in shown[one.kind])
        or (one.kind == "points" and one.y_low is not None and not _bars(one, shown["bars"]))
    ]


class _Cells(NamedTuple):
    """The values of a drawn map, and the edges of its cells along both axes."""

    x: np.ndarray
    y: np.ndarray
    values: np.ndarray

    def hold(self, series: Series) -> bool:
        """Return whether each value stands in the cell of its place, and in no other."""
        places = zip((self.x, self.y), (series.x, series.y), strict=True)
        return all(
            len(edges) == len(at) + 1
            and (np.minimum(edges[:-1], edges[1:]) < at).all()
            and (at < np.maximum(edges[:-1], edges[1:])).all()
            for edges, at in places
        )


def _bars(series: Series, drawn: list[np.ndarray]) -> bool:
    """Return whether the errors of points are drawn, from end to end."""
    ends = np.array([np.asarray(series.y_low), np.asarray(series.y_high)], dtype=float)
    x = np.broadcast_to(np.asarray(series.x, dtype=float), ends.shape)
    whole = np.stack([x, ends], axis=-1).swapaxes(0, 1)
    return any(
        bars.shape == whole.shape and np.allclose(bars, whole, rtol=1e-12, equal_nan=True)
        for bars in drawn
    )


def _shows(series: Series, values: Any) -> bool:
    x, y = np.asarray(series.x, dtype=float), np.asarray(series.y, dtype=float)
    if series.kind == "map":
        z = np.asarray(series.z, dtype=float)
        same = values.values.size == z.size and np.array_equal(
            values.values.ravel(), z.ravel(), equal_nan=True
        )
        return same and values.hold(series)
    if series.kind == "level":
        return bool(values[1, 0] == y[0])
    if series.kind == "band":
        corners = set(zip(*values, strict=True))
        edges = (np.asarray(edge, dtype=float) for edge in (series.y_low, series.y_high))
        return all(corners >= set(zip(x, edge, strict=True)) for edge in edges)
    return np.array_equal(values, np.array(np.broadcast_arrays(x, y)), equal_nan=True)


def colours(name: str) -> dict[str, set[str]]:
    """Return the colours that the book gives to each named series of a figure."""
    found: dict[str, set[str]] = {}
    for series in series_of(name):
        shade = to_hex(style.colour(series.quantity))
        found.setdefault(style.typeset(series.name), set()).add(shade)
    return found
