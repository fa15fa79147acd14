"""Figures as files: laid out once, the same bytes every time, SVG and PNG alike."""

import io
import re

import numpy as np
import pytest
from matplotlib.figure import SubFigure
from matplotlib.layout_engine import ConstrainedLayoutEngine
from PIL import Image

from qdgain.figures import fig08
from qdgain.figures.saved import to_png, to_svg
from qdgain.figures.style import DOTS_PER_INCH
from qdgain.run import resolve


@pytest.fixture
def figure():
    return fig08.FIGURES["spectra"].draw(fig08.spectra(resolve(fig08.SETTINGS, {})))


@pytest.mark.slow
def test_both_formats_have_the_figures_size_and_bytes_that_stay(figure):
    width, height = figure.get_size_inches()
    svg, png = to_svg(figure), to_png(figure)
    stated = re.search(r'width="([\d.]+)pt" height="([\d.]+)pt"', svg).groups()
    np.testing.assert_allclose([float(one) / 72 for one in stated], (width, height))
    with Image.open(io.BytesIO(png)) as image:
        np.testing.assert_allclose(np.divide(image.size, DOTS_PER_INCH), (width, height), atol=0.01)
    assert to_svg(figure) == svg
    assert to_png(figure) == png


@pytest.mark.slow
def test_a_figure_is_laid_out_once_whatever_is_made_of_it(figure, monkeypatch):
    laid_out = []
    execute = ConstrainedLayoutEngine.execute
    monkeypatch.setattr(
        ConstrainedLayoutEngine,
        "execute",
        lambda engine, of: (laid_out.append(of), execute(engine, of)),
    )
    before = [ax.get_position().bounds for ax in figure.axes]
    to_png(figure)
    after = [ax.get_position().bounds for ax in figure.axes]
    to_svg(figure)
    assert laid_out == [figure]
    assert after != before
    assert [ax.get_position().bounds for ax in figure.axes] == after


@pytest.mark.slow
def test_no_digit_that_hangs_on_the_run_is_left_in_a_place():
    figure = fig08.FIGURES["contours"].draw(fig08.contours(resolve(fig08.SETTINGS, {})))
    to_svg(figure)
    parts = figure.findobj(SubFigure)
    assert len(parts) > len(figure.subfigs), "some lie in others"
    places = [part.bbox_relative.get_points() for part in parts]
    places += [ax.get_position().bounds for ax in figure.axes]
    for place in places:
        np.testing.assert_allclose(place, np.round(place, 9), rtol=0, atol=1e-15)
