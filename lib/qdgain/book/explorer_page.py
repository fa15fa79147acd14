"""The live explorer of the book's pages: the data that its script works with, and its HTML.

The script in ``book/_static/explorer`` repeats the library's closed forms. Parameters, ranges,
units, presets, colours and axes are not typed there: they reach it as data made here.
"""

from __future__ import annotations

import html
import json
import math
import tomllib
from collections.abc import Mapping, Sequence
from typing import Any

import matplotlib as mpl
import numpy as np
from latex2mathml.converter import convert as mathml
from matplotlib.colors import to_hex, to_rgb

from qdgain import chapters
from qdgain.figures import fig08, kit, style
from qdgain.figures.panel import ENERGY, FLUENCE, MEAN_EXCITONS, Axis
from qdgain.fitting.absorption_fit import BLUE, RED
from qdgain.fitting.judgement import LEAST_CURVATURE
from qdgain.model import parameters
from qdgain.model.dot import Dot, presets
from qdgain.model.parameters import CONTRACT, DOT_PARAMETERS, Origin, Parameter
from qdgain.run import BASE_OF_YOUR_DOT, resolve
from qdgain.table import Shown
from qdgain.text import data_text

_CONTENT = tomllib.loads(data_text("explorer.toml"))
#: The chapters' settings that an explorer has, beside every parameter of a dot.
SETTINGS: tuple[str, ...] = tuple(_CONTENT["settings"])
#: The chapters that can be rerun with what the explorer shows.
RERUN: tuple[str, ...] = tuple(_CONTENT["rerun"])
_READER = Origin("assumed", "a choice of what to look at, not a property of the dot")
#: What is looked at; no chapter has these, so they are not in the contract.
SHOWN = {
    name: Parameter(
        name,
        unit="1",
        origin=_READER,
        **entry | {"choices": tuple(entry.get("choices", ()))},
    )
    for name, entry in _CONTENT["shown"].items()
}
_GROUPS: Mapping[str, Sequence[str]] = _CONTENT["groups"] | {
    "Bands with widths of their own": [n for n in DOT_PARAMETERS if CONTRACT[n].stand_in]
}
_EVERY_CONTROL = [name for group in _GROUPS.values() for name in group]
#: Name, views and controls of each explorer.
LAYOUTS: Mapping[str, Mapping[str, Any]] = _CONTENT["layouts"]
#: What the full explorer has beside its views and controls.
_GUIDE = {name: _CONTENT[name] for name in ("questions", "readings", "play", "briefs")}
#: What spectra of absorption and emission tell of a dot; the rest is a preset's.
_MEASURED = (
    "absorption_energy_eV",
    "stokes_shift_meV",
    "linewidth_meV",
    "emission_linewidth_meV",
    "xx_emission_linewidth_meV",
)
_POSITIONS_A_DECADE = 50
#: How far other sliders reach from the default, in units of it or of what matters to the bands.
_REACH = 3.0
_STEPS = 300

_AXES = {
    "energy": (ENERGY, ""),
    "mean": (MEAN_EXCITONS, "⟨N⟩"),
    "gain": (fig08.GAIN, "gain G"),
    "fluence": (FLUENCE, "fluence"),
    "emission": (Axis("emission / its maximum"), "emission"),
    "amplification": (Axis("log₁₀(∫I / ∫P)"), ""),
}
_DARK_GROUND = "#14181e"
_LEAST_CONTRAST = 4.5
_FOLDER = "../_static/explorer"
_SCRIPTS = tuple(
    f"{name}.js"
    for name in ("model", "parts", "views", "plot", "controls", "guide", "drag", "spectra", "page")
)


def explorer(kind: str = "full") -> Shown:
    """Return the explorer with every parameter and view, or a small one of `LAYOUTS`.

    A small one, such as ``binding``, stands folded behind its question.
    """
    layout = LAYOUTS[kind]
    inside = data(layout["views"], layout.get("controls", _EVERY_CONTROL))
    inside["start"] = layout.get("preset", BASE_OF_YOUR_DOT)
    small = "question" in layout
    if not small:
        inside |= _GUIDE
    content = json.dumps(inside, ensure_ascii=False, allow_nan=False)
    # A tag inside the data must not end the script that holds it.
    content = content.replace("<", "\\u003c")
    scripts = "".join(f'<script src="{_FOLDER}/{name}" defer></script>' for name in _SCRIPTS)
    name = html.escape(layout["name"])
    markup = (
        f'<link rel="stylesheet" href="{_FOLDER}/explorer.css">\n'
        f'<div class="qd-explorer" data-explorer="{kind}" role="region" aria-label="{name}">'
        f'<p class="qd-waiting">{name}: on the page of the book, with JavaScript.</p>'
        f'<script type="application/json">{content}</script></div>\n{scripts}'
    )
    if small:
        asked = f"<summary><strong>Try it.</strong> {html.escape(layout['question'])}</summary>"
        markup = f'<details class="qd-fold">{asked}{markup}</details>'
    return Shown(markup, f"{layout['name']}: on the page of the book.")


def data(
    views: Sequence[str] = LAYOUTS["full"]["views"], controls: Sequence[str] = _EVERY_CONTROL
) -> dict[str, Any]:
    """Return what the script needs for some views and controls, ready for JSON."""
    dot = presets()[BASE_OF_YOUR_DOT]
    run = resolve(fig08.SETTINGS, {})
    band_panel, threshold_panel = fig08.spectra(run), fig08.thresholds(run)[0]
    axes = _AXES | {
        "band": (band_panel.series[0].y_axis, "band"),
        "binding": (threshold_panel.series[0].x_axis, "Δ_A2"),
        "threshold": (threshold_panel.series[0].y_axis, "threshold"),
    }
    binding = CONTRACT["absorptive_binding_meV"]
    return {
        "views": list(views),
        "groups": {
            title: [_control(name, dot) for name in names if name in controls]
            for title, names in _GROUPS.items()
            if set(names) & set(controls)
        },
        "names": [*DOT_PARAMETERS, *SETTINGS, *SHOWN],
        "presets": {name: _values(preset) for name, preset in presets().items()},
        "preset": BASE_OF_YOUR_DOT,
        "spectra": {"red": RED, "blue": BLUE[-1], "curvature": LEAST_CURVATURE},
        "measured": list(_MEASURED),
        "inBalance": _CONTENT["in_balance"],
        "paper": {name: kit.stated(claim) for name, claim in _CONTENT["stated"].items()},
        "rerun": {
            chapter: [*DOT_PARAMETERS, *(n for n in SETTINGS if n in chapters.SETTINGS[chapter])]
            for chapter in RERUN
        },
        "shown": list(SHOWN),
        "context": {
            "axes": {
                key: {"name": axis.name, "unit": axis.unit, "brief": brief}
                for key, (axis, brief) in axes.items()
            },
            "bands": [{"name": s.name, "dash": s.dash} for s in band_panel.series],
            "bindingRange": [binding.minimum, binding.maximum],
        },
        "colours": {quantity: _shades(quantity) for quantity in _CONTENT["colours"]},
        "gradients": {
            "gain": _gradient(style.GAIN_MAP) if "gain" in views else "",
            "emission": _gradient(style.SEQUENTIAL_MAP) if "ase" in views else "",
        },
    }


def entry_of(name: str) -> Parameter:
    """Return the entry of a control, of the contract or of what is looked at."""
    return SHOWN.get(name) or parameters.parameter(name)


def _values(dot: Dot) -> dict[str, Any]:
    """Return the state of the explorer with a preset."""
    fields = {name: getattr(dot, name) for name in DOT_PARAMETERS}
    return fields | {name: entry_of(name).default for name in (*SETTINGS, *SHOWN)}


class _Hole(str):
    """Text that stands for itself in a refusal."""

    __slots__ = ()

    def __repr__(self) -> str:
        return str(self)


def _control(name: str, dot: Dot) -> dict[str, Any]:
    """Return what the script needs to know of one parameter."""
    entry = entry_of(name)
    control: dict[str, Any] = {
        "name": name,
        "label": label(entry),
        "symbol": mathml(entry.symbol) if entry.symbol else "",
        "unit": entry.unit,
        "meaning": entry.meaning,
        "allowed": entry.allowed,
        "origin": f"{entry.origin.kind}: {entry.origin.source}",
        "refusal": str(entry.refusal(_Hole("{value}"))),
        "standIn": entry.stand_in,
    }
    if entry.choices:
        return control | {"choices": list(entry.choices)}
    value = getattr(dot, name, entry.default)
    if value is None:  # an own width: begins at the shared one
        value = dot.linewidth_meV
    if entry.kind == "integer":
        control["whole"] = True
    return control | {
        "minimum": entry.minimum,
        "maximum": entry.maximum,
        "start": float(value),
        "slider": slider(entry, float(value), float(np.asarray(dot.linewidth_meV))),
    }


def label(entry: Parameter) -> str:
    """Return a parameter's name in words, without its unit, such as "π pulse fluence"."""
    if entry.name in _CONTENT["labels"]:
        return str(_CONTENT["labels"][entry.name])
    name = entry.name.removesuffix("_" + entry.unit.replace(" ", "_").replace("⁻²", "2"))
    words = name.replace("pi_pulse", "π pulse").replace("over_pi", "/ π pulse").split("_")
    capital = {"xx": "XX", "stokes": "Stokes"}
    return " ".join(capital.get(word, word) for word in words)


def slider(entry: Parameter, value: float, linewidth_meV: float) -> dict[str, Any]:
    """Return the window of a slider around a value, narrower than the allowed range.

    It has ``low``, ``step`` and the number of ``steps``, of the decimal logarithm if ``log``. The
    scale of shifts of bands is the linewidth.
    """
    if entry.name in _CONTENT["logarithmic"]:
        low = math.log10(max(entry.minimum, value / 100))
        high = math.log10(min(entry.maximum, value * 100))
        steps = max(round(_POSITIONS_A_DECADE * (high - low)), 1)
        return {"low": low, "step": (high - low) / steps, "steps": steps, "log": True}
    if entry.kind == "integer":
        steps = int(entry.maximum - entry.minimum)
        return {"low": entry.minimum, "step": 1.0, "steps": steps, "log": False}
    low, high = window(entry, value, linewidth_meV)
    rough = (high - low) / _STEPS
    power = 10.0 ** math.floor(math.log10(rough))
    step = power * next(m for m in (1, 2, 5, 10) if m * power >= 0.999 * rough)
    # Whole steps from a whole number of steps, inside what is allowed.
    first, last = math.ceil(low / step - 1e-9), math.floor(high / step + 1e-9)
    return {"low": first * step, "step": step, "steps": last - first, "log": False}


def window(entry: Parameter, value: float, linewidth_meV: float) -> tuple[float, float]:
    """Return the ends of a range around a value, within what is allowed; as for `slider`."""
    scale = max(abs(value), 0.5 * linewidth_meV if entry.unit == "meV" else 1.0)
    return (
        max(entry.minimum, value - _REACH * scale),
        min(entry.maximum, value + _REACH * scale),
    )


def _shades(quantity: str) -> list[str]:
    """Return a quantity's colour on a light ground and, the same hue, on a dark one."""
    colour = style.colour(quantity)
    rgb = np.array(to_rgb(colour))
    white = 0.0
    while _contrast(shade := rgb + white * (1 - rgb), _DARK_GROUND) < _LEAST_CONTRAST:
        white += 0.02
    # Black has no hue to keep: it becomes the white of text.
    return [colour, "#e8e8e8" if not rgb.any() else to_hex(tuple(shade))]


def _contrast(one: Any, other: Any) -> float:
    """Return the contrast of two colours as the Web Content Accessibility Guidelines define it."""

    def luminance(colour: Any) -> float:
        rgb = np.array(to_rgb(colour))
        linear = np.where(rgb <= 0.04045, rgb / 12.92, ((rgb + 0.055) / 1.055) ** 2.4)
        return float(linear @ [0.2126, 0.7152, 0.0722])

    dark, light = sorted((luminance(one), luminance(other)))
    return (light + 0.05) / (dark + 0.05)


def _gradient(name: str) -> str:
    """Return a colour map as 256 colours of six hexadecimal digits."""
    return "".join(to_hex(colour)[1:] for colour in mpl.colormaps[name](np.arange(256)))
