"""The page "The model" against the code: its table of readings is that of the states."""

import re
from dataclasses import replace

import numpy as np
import pytest

from conftest import ROOT
from qdgain import Dot
from qdgain.model import states
from qdgain.model.bands import bands

PAGE = (ROOT / "book" / "model.md").read_text(encoding="utf-8")
DOT = Dot(
    stokes_shift_meV=25.0,
    absorptive_binding_meV=45.0,
    emissive_binding_meV=15.0,
    xx_absorption_strength=0.8,
    xx_emission_strength=0.6,
    remaining_absorption=0.3,
    full_dot_absorption=0.7,
)
ROWS = {
    cells[0].strip("` "): [cell.strip(" $") for cell in cells[1:]]
    for cells in (line.strip("|").split("|") for line in PAGE.splitlines())
    if cells[0].strip("` ") in states.READINGS
}


TOKEN = re.compile(r"PL_\{XX\}|A_\{XX2\}|PL_X|A_X|\\tfrac12|\\gamma|[fh]_\d|[abc]|\d|[-()]")


def value(tex, symbols):
    """Return the value of a formula of the table, in which factors stand side by side."""
    text = ""
    for token in TOKEN.findall(tex):
        factor = token not in ("-", ")")
        text += "*" if text and factor and text[-1] not in "-(" else ""
        text += f"symbols[{token!r}]" if factor and token not in ("(", "1") else token
    return eval(text, {"symbols": symbols})


@pytest.mark.parametrize("reading", states.READINGS)
def test_the_table_of_readings_is_that_of_the_states(reading):
    dot, detuning = replace(DOT, reading=reading), np.array([-30.0])
    own = states.states(dot, detuning)
    at = bands(dot, float(dot.absorption_energy_eV) - 0.03)
    fillings = {f"f_{k}": min(k / dot.electron_states, 1) for k in (1, 2)}
    fillings |= {f"h_{k}": min(k / dot.hole_states, 1) for k in (1, 2)}
    symbols = fillings | {
        r"\tfrac12": 0.5,
        "A_X": float(at.absorption),
        "PL_X": float(at.emission),
        "A_{XX2}": float(at.xx_absorption),
        "PL_{XX}": float(at.xx_emission),
        "a": dot.xx_absorption_strength,
        r"\gamma": dot.xx_emission_strength,
        "b": dot.full_dot_absorption,
        "c": dot.remaining_absorption,
    }
    found = [value(cell, symbols) for cell in ROWS[reading]]
    expected = [*own.gain[:3, 0], *own.emission[1:3, 0]]
    assert found == pytest.approx(expected, abs=1e-12)
