"""The picture of a fit: spectra, the bands fitted to them, and what is left over."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from functools import cache, partial
from pathlib import Path

import numpy as np
from matplotlib.figure import Figure as Picture

from qdgain.chapters import BOOK
from qdgain.figures import style
from qdgain.figures.kit import Figure, Numbers, line, panel, points
from qdgain.figures.panel import ENERGY, Axis, Panel, Series
from qdgain.figures.saved import to_png, to_svg
from qdgain.fitting.absorption_fit import BLUE, FLOOR, RED
from qdgain.fitting.averaging import FittedSpectrum
from qdgain.fitting.band_fit import FittedBands, fit_bands
from qdgain.fitting.emission_fit import WINDOWS
from qdgain.fitting.fitted_dot import ASSUMED_HOMOGENEOUS, SAMPLES, SAMPLES_OF_SAMPLE
from qdgain.fitting.judgement import GRADES
from qdgain.fitting.spectra import earliest_delay_ps
from qdgain.fitting.synthetic_spectra import EXAMPLE, EXAMPLE_NOISE, EXAMPLE_SEED, simulate
from qdgain.fitting.transient_fit import LARGEST_CORRELATION, LARGEST_ERROR
from qdgain.model.bands import band_centres_eV, band_widths_meV
from qdgain.model.dot import Dot, FloatArray
from qdgain.model.parameters import CONTRACT

_RESIDUAL = Axis("residual / noise")
#: Name of a spectrum -> letter, title, vertical axis.
_SPECTRA = {
    "absorption": ("a", "absorption", Axis("absorbance, as in the file")),
    "PL": ("b", "photoluminescence", Axis("PL per eV / peak of PL_X")),
    "transient": ("c", "transient absorption", Axis("ΔA, as in the file")),
}
#: Name of a part -> colour and line.
_PARTS = {
    "A_X": ("A_X", "--"),
    "PL_X": ("PL_X", "--"),
    "bleach": ("A_X", "--"),
    "stimulated emission": ("PL_X", "-."),
    "excited-state absorption": ("A_XX2", "--"),
    "second transition": ("second transition", "-."),
    "third transition": ("second transition", ":"),
    "continuum": ("continuum", "-."),
    "traps": ("traps", "-."),
    "background": ("reference", ":"),
}


#: What the page says of the dot behind its spectra.
_FIELDS = (
    "stokes_shift_meV",
    "linewidth_meV",
    "emission_linewidth_meV",
    "absorptive_binding_meV",
)


def headlines(dot: Dot = EXAMPLE) -> Numbers:
    """Return the numbers that the page about fits needs, of the dot behind its spectra."""
    n = Numbers("fit")
    relaxation = CONTRACT["relaxation_time_fs"].default
    assert isinstance(relaxation, float)
    bias = 2e-3 * band_widths_meV(dot).emission ** 2 / band_centres_eV(dot).emission
    n.add("relaxation", relaxation)
    n.add("delay", earliest_delay_ps(relaxation))
    n.add("jacobian", bias)
    n.add("pl-narrow", WINDOWS[0])
    n.add("pl-wide", WINDOWS[-1])
    n.add("red", 1e3 * RED)
    n.add("blue-near", 1e3 * BLUE[0])
    n.add("blue-far", 1e3 * BLUE[-1])
    n.add("largest-error", LARGEST_ERROR)
    n.add("largest-correlation", LARGEST_CORRELATION)
    n.add("samples", SAMPLES)
    n.add("samples-of-sample", SAMPLES_OF_SAMPLE)
    for grade in ("good", "usable"):
        error, share, bend = GRADES[grade]
        n.add("{grade}-error", 100 * error, grade=grade)
        n.add("{grade}-share", 100 * share, grade=grade)
        n.add("{grade}-bend", bend, grade=grade)
    n.add("floor-centre", 100 * FLOOR[0])
    n.add("floor-width", 100 * FLOOR[1])
    for name, field in zip(("shift", "width", "pl-width", "binding"), _FIELDS, strict=True):
        n.add("true-{name}", dot.values()[field], name=name, field=field)
    fitted = _example(dot)
    errors = fitted.standard_errors
    for i, name in enumerate(("centre", "width", "shift", "pl-width", "binding")):
        of = {"name": name, "unit": "eV" if name == "centre" else "meV"}
        n.add("example-{name}", fitted.values[i], fitted=fitted.names[i], **of)
        n.add("example-{name}-error", errors[i], **of)
    n.add("example-together", fitted.covariance[0, 1] / errors[0] / errors[1])
    low, high = ASSUMED_HOMOGENEOUS
    n.add("one-dot-low", low)
    n.add("one-dot-high", high)
    _add_coverage(n)
    return n


def _add_coverage(n: Numbers) -> None:
    """Add how often errors held the truth, as ``tools/fit_coverage.py`` stored it."""
    found = json.loads((BOOK / "fit_coverage.json").read_text(encoding="utf-8"))
    n.add("coverage-count", found["experiments"])
    n.add("coverage-accepted", 100 * found["accepted"] / found["experiments"])
    n.add("coverage-edges", found["edges"])
    n.add("coverage-edges-accepted", found["edges_accepted"])
    n.add("coverage-steps", sum(found["steps"].values()))
    n.add("coverage-steps-accepted", sum(found["steps"].values()) - found["steps"]["refused"])
    for errors in (1, 2):
        of_fields = zip(
            ("centre", "width", "shift", "pl-width"), found[f"within_{errors}"], strict=True
        )
        for name, share in of_fields:
            n.add("coverage-{name}-{errors}", 100 * share, name=name, errors=errors)
    pairs = (np.array(found[f"correlation_{of}"]) for of in ("of_deviations", "stated"))
    scatter, stated = (matrix[np.triu_indices(4, 1)] for matrix in pairs)
    n.add("coverage-correlation", abs(scatter - stated).max())


@cache
def _example(dot: Dot) -> FittedBands:
    """Return the fit to the page's synthetic spectra, as they are before any file."""
    simulated = simulate(dot, noise=EXAMPLE_NOISE, seed=EXAMPLE_SEED)
    return fit_bands(*simulated.against_energy)


def example() -> tuple[Panel, ...]:
    """Return the panels of that fit."""
    return panels(_example(EXAMPLE))


def panels(fit: FittedBands) -> tuple[Panel, ...]:
    """Return one panel for each fitted spectrum: data, fit, its parts, residual."""
    return tuple(_panel(name, spectrum) for name, spectrum in fit.spectra.items())


def _panel(name: str, spectrum: FittedSpectrum) -> Panel:
    letter, title, axis = _SPECTRA[name]
    unit = float(np.max(spectrum.parts["PL_X"])) if name == "PL" else 1.0
    energy = spectrum.energy_eV
    residual = (spectrum.measured - spectrum.fitted) / spectrum.noise
    series = [
        points("measured", energy, spectrum.measured / unit, "measured", "."),
        *(line(part, energy, y / unit, *_PARTS[part]) for part, y in spectrum.parts.items()),
        line("fit", energy, spectrum.fitted / unit, "fit"),
        points("residual", energy, residual, "measured", ".", y_axis=_RESIDUAL),
    ]
    return panel(letter, title, ENERGY, axis, series)


def _draw(fitted: tuple[Panel, ...]) -> Picture:
    """Draw the panels, each with its residual in a strip below."""
    rows = 1 + (len(fitted) > 2)
    figure = style.new_figure(7.6, 3.7 * rows)
    top = style.split(figure, rows, 1)
    places = [*style.split(top[0], 1, 2), *top[1:]]
    for place, one in zip(places, fitted, strict=True):
        main, strip = place.subplots(2, 1, sharex=True, height_ratios=(4, 1))
        for series in one.series:
            style.draw_series(strip if series.name == "residual" else main, series)
        for curve in (*main.lines, *strip.lines):
            curve.set_markersize(2.5)
        main.set_ylabel(style.typeset(one["fit"].y_axis.label))
        main.set_title(style.typeset(one.title))
        # Room for the legend above the curves.
        low, high = main.get_ylim()
        main.set_ylim(low, high + 0.3 * (high - low))
        strip.axhline(0, color="black", linewidth=0.6)
        strip.set(ylabel="residual\n/ noise", xlabel=ENERGY.label)
        style.letter(main, one.letter)
        columns = 2 if place in places[:2] else 4
        main.legend(fontsize=7, loc="upper left", ncols=columns, handlelength=2.4)
    return figure


def series(places: Sequence[float], curves: Mapping[str, FloatArray]) -> tuple[Panel, ...]:
    """Return the panels of a series of samples; each curve of shape (3, samples): value, ends."""
    x = Axis("sample: number its label begins with, or its place")
    quantities = {
        "stokes_shift_meV": ("Stokes shift", "PL_X", "o"),
        "linewidth_meV": ("width of A_X", "A_X", "s"),
        "emission_linewidth_meV": ("width of PL_X", "A_XX2", "^"),
    }

    def with_errors(name: str, title: str, colour: str, marker: str) -> Series:
        value, low, high = curves[name]
        return points(title, places, value, colour, marker, y_low=low, y_high=high)

    some = [with_errors(name, *how) for name, how in quantities.items()]
    threshold = with_errors("threshold", "threshold without ESA", "reference", "o")
    return (
        panel("a", "shift and widths of the samples", x, Axis("energy", "meV"), some),
        panel("b", "threshold of one dot", x, Axis("⟨N⟩ at the gain maximum"), [threshold]),
    )


FIGURES = {"example": Figure(example, _draw)}


def save_series(
    found: tuple[Sequence[float], Mapping[str, FloatArray]], svg: Path, png: Path
) -> None:
    """Write the picture of a series, the same bytes on every run."""
    figure = Figure(partial(series, *found)).draw(series(*found))
    svg.write_text(to_svg(figure), encoding="utf-8")
    png.write_bytes(to_png(figure))


def save(fit: FittedBands, svg: Path, png: Path) -> None:
    """Write the picture of a fit, the same bytes on every run."""
    figure = FIGURES["example"].draw(panels(fit))
    svg.write_text(to_svg(figure), encoding="utf-8")
    png.write_bytes(to_png(figure))
