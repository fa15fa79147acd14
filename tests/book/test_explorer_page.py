"""The data of the live explorer is the contract's, and its HTML holds what the script needs."""

import json
import re

import numpy as np
import pytest

from conftest import ROOT
from qdgain.book import explorer_page
from qdgain.book.explorer_page import LAYOUTS, SHOWN, entry_of
from qdgain.chapters import SETTINGS
from qdgain.figures import emission_maps, style
from qdgain.model.dot import presets
from qdgain.model.parameters import CONTRACT, DOT_PARAMETERS, PRESETS, ParameterError
from qdgain.reruns.page import page
from qdgain.run import resolve

DATA = explorer_page.data()
CONTROLS = {control["name"]: control for group in DATA["groups"].values() for control in group}
NUMBERS = [name for name, control in CONTROLS.items() if "slider" in control]


def data_in(markup):
    (text,) = re.findall(r'<script type="application/json">(.*?)</script>', markup, re.DOTALL)
    return json.loads(text)


def test_every_parameter_of_a_dot_and_of_pump_and_film_has_a_control():
    assert set(CONTROLS) == {*DOT_PARAMETERS, *explorer_page.SETTINGS, *SHOWN}
    assert set(DATA["names"]) == set(CONTROLS)
    # What is looked at is not taken for a parameter of the model.
    assert not set(SHOWN) & set(CONTRACT)


@pytest.mark.parametrize("name", CONTROLS)
def test_a_control_says_what_the_contract_says(name):
    entry, control = entry_of(name), CONTROLS[name]
    assert (control["unit"], control["meaning"]) == (entry.unit, entry.meaning)
    assert control["allowed"] == entry.allowed
    assert entry.origin.source in control["origin"]
    assert entry.unit.split()[0] not in control["label"].split()
    if entry.choices:
        assert tuple(control["choices"]) == entry.choices
    bad = "-1e9"
    with pytest.raises(ParameterError) as refused:
        entry.check(float(bad))
    sentence = control["refusal"].replace("{value}", "-1000000000.0")
    assert sentence == str(refused.value)


@pytest.mark.parametrize("name", NUMBERS)
def test_a_slider_stays_inside_the_contract_and_reaches_every_preset(name):
    entry, control = entry_of(name), CONTROLS[name]
    slider = control["slider"]
    positions = slider["low"] + slider["step"] * np.array([0, slider["steps"]])
    low, high = 10**positions if slider["log"] else positions
    # A logarithm's ends come back to rounding; the script moves them inside.
    assert low >= entry.minimum * (1 - 1e-9) - 1e-12
    assert high <= entry.maximum * (1 + 1e-9)
    assert 50 <= slider["steps"] <= 400 or entry.kind == "integer"
    assert (control["minimum"], control["maximum"]) == (entry.minimum, entry.maximum)
    for values in DATA["presets"].values():
        if values[name] is not None:
            assert low <= values[name] <= high


def test_presets_are_the_librarys():
    assert list(DATA["presets"]) == list(presets())
    for name, dot in presets().items():
        values = DATA["presets"][name]
        for field in DOT_PARAMETERS:
            assert values[field] == getattr(dot, field)
        for setting in explorer_page.SETTINGS:
            assert values[setting] == CONTRACT[setting].default
    assert DATA["preset"] == PRESETS["default_dot"]


def test_the_commands_give_what_their_chapters_have():
    for chapter, names in DATA["rerun"].items():
        assert set(names) <= {*DOT_PARAMETERS, *SETTINGS[chapter]}
        assert set(DOT_PARAMETERS) <= set(names)
    # Together they have everything that is not only looked at.
    assert set().union(*DATA["rerun"].values()) == set(CONTROLS) - set(SHOWN)


def test_colours_and_maps_are_the_books():
    for quantity, (light, dark) in DATA["colours"].items():
        assert light == style.colour(quantity)
        assert explorer_page._contrast(dark, "#14181e") >= 4.5
        assert explorer_page._contrast(dark, "#14181e") < 16
    for gradient in DATA["gradients"].values():
        assert re.fullmatch(r"([0-9a-f]{6}){256}", gradient)


def test_a_gradient_is_even_in_lightness():
    """Equal steps of the number look like equal steps, on both sides of zero and over the range."""
    for name, gradient in DATA["gradients"].items():
        rgb = np.array([int(c, 16) for c in re.findall("..", gradient)]).reshape(-1, 3) / 255
        linear = np.where(rgb <= 0.04045, rgb / 12.92, ((rgb + 0.055) / 1.055) ** 2.4)
        lightness = 116 * np.cbrt(linear @ [0.2126, 0.7152, 0.0722]) - 16
        sides = (lightness[:127], lightness[:128:-1]) if name == "gain" else (lightness,)
        for side in sides:
            steps = np.diff(side[::8])
            assert (steps > 0).all(), f"{name} is not monotonic in lightness"


def test_axes_are_those_of_the_chapters():
    axes = {key: (axis["name"], axis["unit"]) for key, axis in DATA["context"]["axes"].items()}
    assert axes["emission"] == (emission_maps.RELATIVE.name, emission_maps.RELATIVE.unit)
    assert axes["amplification"] == (
        emission_maps.AMPLIFICATION.name,
        emission_maps.AMPLIFICATION.unit,
    )
    assert axes["energy"][1] == "eV"
    assert axes["binding"][1] == "meV"


@pytest.mark.parametrize("kind", LAYOUTS)
def test_an_explorer_holds_its_data_and_loads_its_files(kind):
    explorer = explorer_page.explorer(kind)
    markup = explorer._repr_html_()
    assert f'data-explorer="{kind}"' in markup
    inside = data_in(markup)
    assert inside["presets"] == DATA["presets"]
    shown = [c["name"] for group in inside["groups"].values() for c in group]
    if kind != "full":
        assert sorted(shown) == sorted(LAYOUTS[kind]["controls"])
        assert len(markup) < 15_000
    files = re.findall(r'(?:src|href)="\.\./_static/([^"]+)"', markup)
    assert len(files) == 1 + len(explorer_page._SCRIPTS)
    for name in files:
        assert (ROOT / "book" / "_static" / name).stat().st_size > 1000
    # What may not stand inside a script, and what a page from a folder cannot load.
    assert "<" not in markup.split('application/json">')[1].split("</script>")[0]
    assert "module" not in markup
    assert "://" not in re.sub(r"http://www\.w3\.org/1998/Math/MathML", "", markup)
    # Where there is no HTML, such as in print, a sentence stands in its place.
    assert repr(explorer) == f"{LAYOUTS[kind]['name']}: on the page of the book."


def test_the_tolerance_of_equilibrium_is_data_and_is_what_the_page_says():
    text = (ROOT / "book" / "explorer.md").read_text(encoding="utf-8")
    assert f"within {100 * DATA['inBalance']:.0f} %" in text


def test_a_reading_is_said_in_words_and_shifts_bear_the_books_names():
    asked = data_in(explorer_page.explorer().markup)
    assert set(asked["readings"]) == set(CONTRACT["reading"].choices)
    name = DATA["context"]["axes"]["binding"]["name"].removesuffix(" Δ_A2")
    assert CONTROLS["absorptive_binding_meV"]["label"] == name


def test_the_script_holds_no_parameter_range_preset_or_colour():
    for path in (ROOT / "book" / "_static" / "explorer").glob("*.js"):
        text = path.read_text(encoding="utf-8")
        for dot in PRESETS["dots"].values():
            for value in dot.values():
                assert not re.search(rf"(?<![\d.]){re.escape(str(value))}(?![\d.])", text)
        for colour in style.COLOURS.values():
            assert colour == "#000000" or colour.lower() not in text.lower()
        assert not re.search(r"\b(fetch|import|XMLHttpRequest)\b", text)


def test_the_page_of_a_rerun_leaves_out_what_needs_the_books_folder():
    markup = explorer_page.explorer("binding").markup
    output = {"output_type": "display_data", "metadata": {}, "data": {"text/html": [markup]}}
    tagged = {"tags": ["book-only"]}
    cells = [
        {"cell_type": "markdown", "metadata": {}, "source": ["Kept."]},
        {"cell_type": "markdown", "metadata": tagged, "source": ["Move it."]},
        {"cell_type": "code", "metadata": tagged, "source": ["f()"], "outputs": [output]},
    ]
    text = page({"cells": cells}, "A rerun", resolve(SETTINGS["fig08"], {}), [])
    assert "Kept." in text
    assert "Move it." not in text
    assert "explorer" not in text
