"""The sliders for readers with a kernel: from the contract, and they redraw."""

import ipywidgets as widgets
import pytest

from qdgain.book import explorer as module
from qdgain.figures.modules import MODULES
from qdgain.model.parameters import CONTRACT, DOT_PARAMETERS


@pytest.fixture
def drawn(monkeypatch):
    shown = []
    monkeypatch.setattr(module, "display", shown.append)
    return shown


def controls_of(figure):
    which, *controls, _ = module.explorer(figure).children
    return which, {control.description: control for control in controls}


@pytest.mark.parametrize("figure", MODULES.values(), ids=lambda f: f.__name__)
def test_every_slider_is_the_contracts(figure):
    which, controls = controls_of(figure)
    assert list(which.options) == list(figure.FIGURES)
    expected = [n for n in (*DOT_PARAMETERS, *figure.SETTINGS) if not CONTRACT[n].stand_in]
    assert list(controls) == expected
    for name, control in controls.items():
        entry = CONTRACT[name]
        if isinstance(control, widgets.FloatSlider):
            assert entry.minimum <= control.min <= control.value <= control.max <= entry.maximum
            assert control.min < control.max
        if entry.choices:
            assert control.options == entry.choices
        assert entry.meaning in control.tooltip


@pytest.mark.slow
def test_nothing_is_drawn_before_a_change_and_a_change_redraws(drawn):
    figure = MODULES["fig08"]
    which, controls = controls_of(figure)
    assert drawn == []
    which.value = "spectra"  # already chosen: no change
    controls["stokes_shift_meV"].value += 5
    assert len(drawn) == 1
    assert "<svg" in drawn[0].data
    before = drawn[0].data
    controls["stokes_shift_meV"].value += 5
    assert drawn[1].data != before
