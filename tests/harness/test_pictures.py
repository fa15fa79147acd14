"""Figures look as they should: what arrays do not see, with proof that it would be seen."""

import pickle
import re
from functools import cache

import numpy as np
import pytest
from matplotlib.axes import Axes
from matplotlib.collections import LineCollection, PathCollection, PolyCollection, QuadMesh
from matplotlib.image import AxesImage
from scipy import ndimage

import drawn
import perceptual
from update_pictures import update

pytestmark = pytest.mark.slow

NAMES = drawn.NAMES
#: What tells a series apart where no legend does: its colour, the tick below it.
NAMED_OTHERWISE = {
    "fig07-transient_absorption": r".*, 6\.0 ps",
    "fig07-four_bands": r".*, single fit",
    "fig08-contours": r"threshold, at (maximum|onset)",
    "fig09-spectra": r"strongest|threshold|amplification|the paper's threshold",
    "fig09-measured": r"strongest|threshold|amplification|the paper's threshold",
    "fig09-thresholds": r".*, preset",
    "fig09-saturation": r".*, simple formula",
    "fig10-absorption": r".*, (range of assumptions|spread of published values)",
    "fig10-order": r"per .*|both alike",
    "fig10-universal": r"\d+: .*|CsPbX₃, Yakunin 2015, at its size|the paper's .*",
    "ensembles-thresholds": r".*, the paper",
    "design-bindings": r"\d+: .*",
    "rivals-unmeasured": r".*, spread",
}
#: Axis labels in few words, beside a colour bar or in a diagram.
SHORT = {
    "fig06-level_systems": {"q"},
    "fig07-level_systems": {"q"},
    "fig08-contours": {"G"},
    "fig09-spectra": {"emission"},
    "fig09-measured": {"emission"},
    "fig07-transient_absorption": {"ΔOD / OD"},
    "fig10-universal": {"published threshold ⟨N⟩"},
}


#: What shows its values in another way than as they are: the names of its series.
SHOWN_OTHERWISE = {
    # Diagrams: potentials end at a ceiling, arrows join them.
    "fig06-level_systems": r".*",
    "fig07-level_systems": r".*",
    # Contours, and lifetimes as lines across them.
    "auger-maps": r".*",
    "design-threshold_map": "threshold",
    # Numbers written into the cells of a table.
    "information-sobol_indices": "first order",
    "calibrated-residuals": "conditions that hold",
    # A table whose colours end at one.
    "information-local": "elasticity",
    # Drawn lying.
    "fig10-universal": r"\d+: .*",
    "rivals-ranking": r".*",
    "rivals-linewidths": r"(in balance|2λ|3LS|4LS).*",
    # Contours, lasers and lifetimes as lines across them.
    "rivals-auger_map": r".*",
    # A table: numbers in its cells, no colour where they were put in.
    "rivals-table": r".*",
}


def faults(name, drawing):
    """Return all that is wrong with a drawing by itself, in sentences."""
    return [
        *drawn.overlapping_texts(drawing),
        *drawn.texts_outside(drawing),
        *drawn.faulty_legends(drawing, NAMED_OTHERWISE.get(name, "$^")),
        *drawn.wrong_colours(drawing, drawn.colours(name)),
        *drawn.crossed_legends(drawing),
        *drawn.unlabelled_axes(drawing),
        *drawn.undrawn(
            drawing,
            [
                series
                for series in drawn.series_of(name)
                if not re.fullmatch(SHOWN_OTHERWISE.get(name, "$^"), series.name)
            ],
        ),
        *drawn.labels_of_no_quantity(drawing, drawn.quantities(name) | SHORT.get(name, set())),
    ]


# --- as they are


@pytest.mark.parametrize("name", NAMES)
def test_figure_looks_as_its_picture(name):
    now, reference = drawn.drawing(name).picture, perceptual.stored(name)
    if perceptual.difference(reference, now).max() > perceptual.LIMIT:
        pytest.fail(perceptual.explain(name, reference, now))


@pytest.mark.parametrize("name", NAMES)
def test_figure_is_legible_and_labelled(name):
    assert faults(name, drawn.drawing(name)) == []


def test_pictures_are_those_of_the_figures_and_small():
    files = list(perceptual.STORED.iterdir())
    assert {file.name for file in files} == {f"{name}.png" for name in NAMES}
    assert sum(file.stat().st_size for file in files) < 1_500_000


# --- what must be seen, and what must not


@cache
def laid_out(name):
    """Return a figure whose parts keep their places, so that only a fault itself is seen."""
    figure = drawn.figure_of(name)
    drawn.draw(figure)
    figure.set_layout_engine("none")
    return pickle.dumps(figure)


def empty_the_legend(figure):
    legend = drawn.legends(figure)[0]
    for part in (*legend.get_texts(), *legend.legend_handles):
        part.set_visible(False)


def lose_a_handle(figure):
    drawn.legends(figure)[0].legend_handles[1].set_visible(False)


def lose_a_panel(figure):
    drawn.shown_axes(figure)[-1].set_visible(False)


def put_a_text_on_another(figure):
    box = drawn.shown_axes(figure)[0].xaxis.label.get_window_extent()
    x, y = figure.transFigure.inverted().transform(box.get_points()).mean(axis=0)
    figure.text(x, y, "on top", ha="center", va="center")


def push_a_text_out(figure):
    figure.text(0.97, 0.5, "half of this is outside")


def lose_an_axis_label(figure):
    drawn.shown_axes(figure)[0].set_ylabel("")


def lose_a_unit(figure):
    ax = drawn.shown_axes(figure)[0]
    label, parenthesis, _ = ax.get_xlabel().partition(" (")
    assert parenthesis
    ax.set_xlabel(label)


def swap_two_colours(figure):
    one, other = drawn.shown_axes(figure)[0].lines[:2]
    colours = one.get_color(), other.get_color()
    one.set_color(colours[1])
    other.set_color(colours[0])


def colour_a_legend_otherwise(figure):
    drawn.legends(figure)[0].legend_handles[0].set_color("#CC79A7")


def put_the_legend_on_a_curve(figure):
    drawn.shown_axes(figure)[0].legend(loc="center")


#: Each fault with a figure of two panels, and what is said of it; a lost panel only the picture
#: shows.
FAULTS = {
    empty_the_legend: "a legend shows 0 texts and 0 handles",
    lose_a_handle: "handles",
    lose_a_panel: None,
    put_a_text_on_another: "cover each other",
    push_a_text_out: "leaves the canvas",
    lose_an_axis_label: "has no label",
    lose_a_unit: "is no quantity of the panels",
    swap_two_colours: "is drawn in #",
    colour_a_legend_otherwise: "has another colour in its legend",
    put_the_legend_on_a_curve: "runs through",
}
SAMPLE = "fig08-thresholds"


@pytest.mark.parametrize("fault", FAULTS, ids=lambda fault: fault.__name__)
def test_a_fault_is_seen(fault):
    figure = pickle.loads(laid_out(SAMPLE))
    fault(figure)
    faulty = drawn.draw(figure)
    off = perceptual.difference(perceptual.stored(SAMPLE), faulty.picture)
    assert off.max() > 2 * perceptual.LIMIT
    sentence = FAULTS[fault]
    if sentence is not None:
        assert faults(SAMPLE, drawn.drawing(SAMPLE)) == []
        assert any(sentence in found for found in faults(SAMPLE, faulty))


def draw_lines_off(figure):
    for ax in figure.findobj(Axes):
        for line in ax.lines:
            line.set_ydata(1.001 * np.asarray(line.get_ydata(orig=True)))


def draw_bars_off(figure):
    for part in figure.findobj(LineCollection):
        part.set_segments([[1, 1.001] * segment for segment in part.get_segments()])


def draw_bands_off(figure):
    for part in figure.findobj(PolyCollection):
        part.set_verts([[1, 1.001] * path.vertices for path in part.get_paths()])


def draw_points_off(figure):
    for part in figure.findobj(PathCollection):
        part.set_offsets([1, 1.001] * np.asarray(part.get_offsets()))


def draw_images_off(figure):
    for image in figure.findobj(AxesImage):
        image.set_data(1.001 * image.get_array())


def put_images_elsewhere(figure):
    for image in figure.findobj(AxesImage):
        left, right, low, high = image.get_extent()
        image.set_extent((left, 1.02 * right, low, high))


def put_images_upside_down(figure):
    for image in figure.findobj(AxesImage):
        left, right, low, high = image.get_extent()
        image.set_extent((left, right, high, low))


def draw_meshes_off(figure):
    for mesh in figure.findobj(QuadMesh):
        mesh.set_array(1.001 * mesh.get_array())


@pytest.mark.parametrize(
    ("name", "fault", "kind"),
    [
        ("fig08-thresholds", draw_lines_off, "line"),
        ("fig09-thresholds", draw_lines_off, "level"),
        ("fig10-order", draw_bars_off, "points"),
        ("fig06-photoluminescence", draw_bands_off, "band"),
        ("calibrated-solution_set", draw_points_off, "points"),
        ("fig08-contours", draw_images_off, "map"),
        ("fig08-contours", put_images_elsewhere, "map"),
        ("fig08-contours", put_images_upside_down, "map"),
        ("fig09-spectra", draw_meshes_off, "map"),
    ],
)
def test_values_drawn_a_thousandth_off_are_seen(name, fault, kind):
    """Of which a picture shows nothing."""
    figure, series = drawn.figure_of(name), drawn.series_of(name)
    nothing_else = drawn.Drawing(figure, [], np.empty(0))
    assert drawn.undrawn(nothing_else, series) == []
    fault(figure)
    found = drawn.undrawn(nothing_else, series)
    concerned = [one.name for one in series if one.kind == kind and np.any(one.values)]
    if kind == "points" and fault is draw_bars_off:
        concerned = [one.name for one in series if one.kind == kind and one.y_low is not None]
    assert concerned
    assert {f"{name!r} is not drawn as it is" for name in concerned} <= set(found)


def test_another_rendering_of_the_same_is_not_seen():
    """What one release of matplotlib does differently from the next."""
    sound = perceptual.stored(SAMPLE)
    noise = np.random.default_rng(1).integers(-1, 2, sound.shape)
    pixels = {
        "a shade": np.clip(sound + noise, 0, 255),
        "half a pixel": ndimage.shift(sound.astype(float), (0.5, 0.5, 0), mode="nearest"),
        "a pixel": ndimage.shift(sound.astype(float), (1, -1, 0), mode="nearest"),
        "a row less": sound[:-1],
        "letters fitted to pixels": drawn.draw(drawn.figure_of(SAMPLE), "force_autohint").picture,
    }
    for what, picture in pixels.items():
        assert perceptual.difference(sound, picture).max() < perceptual.LIMIT, what


def test_another_size_is_seen():
    sound = perceptual.stored(SAMPLE)
    assert perceptual.difference(sound, sound[:-4]).max() > perceptual.LIMIT


def test_a_failure_says_where_and_shows_it(tmp_path, monkeypatch):
    monkeypatch.setattr(perceptual, "DIFFERENCES", tmp_path)
    sound = perceptual.stored(SAMPLE)
    changed = sound.copy()
    changed[150:170, 40:60] = 0
    text = perceptual.explain(SAMPLE, sound, changed)
    assert "make pictures" in text
    x, y = (int(percent) for percent in re.findall(r"(\d+)% from the", text))
    assert 40 <= x / 100 * sound.shape[1] <= 60
    assert 150 <= y / 100 * sound.shape[0] <= 170
    assert (tmp_path / f"{SAMPLE}.png").stat().st_size > 1000


def test_only_what_looks_different_is_stored_anew(tmp_path):
    sound = perceptual.stored(SAMPLE)
    assert update({"one": sound, "other": sound}, tmp_path) == ["new: one", "new: other"]
    before = (tmp_path / "one.png").stat().st_mtime_ns
    shaded = np.where(sound > 250, sound - 3, sound)
    assert update({"one": shaded, "other": 255 - sound}, tmp_path) == ["changed: other"]
    assert (tmp_path / "one.png").stat().st_mtime_ns == before
    assert update({"one": shaded}, tmp_path) == ["removed: other"]
