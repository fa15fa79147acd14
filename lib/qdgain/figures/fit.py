"""The picture of a fit: spectra, the bands fitted to them, and what is left over."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType

import numpy as np
from matplotlib.figure import Figure as Picture

from qdgain.figures import kit, style
from qdgain.figures.panel import ENERGY, Axis, Panel, Series
from qdgain.figures.saved import to_png, to_svg
from qdgain.fitting.band_fit import NARROWER, PL_WINDOW, WINDOW, FittedBands, fit_bands
from qdgain.fitting.fitted_dot import SAMPLES
from qdgain.fitting.least_squares import FittedSpectrum
from qdgain.fitting.spectra import earliest_delay_ps
from qdgain.fitting.synthetic_spectra import EXAMPLE, EXAMPLE_NOISE, EXAMPLE_SEED, simulate
from qdgain.fitting.transient_fit import LARGEST_CORRELATION, LARGEST_ERROR
from qdgain.model.bands import band_centres_eV, band_widths_meV
from qdgain.model.dot import Dot
from qdgain.model.parameters import CONTRACT
from qdgain.paper.claims import Headline

_RESIDUAL = Axis("residual / noise")
#: name of the spectrum -> letter, title, vertical axis.
_SPECTRA = MappingProxyType(
    {
        "absorption": ("a", "absorption", Axis("absorbance, as in the file")),
        "PL": ("b", "photoluminescence", Axis("PL per eV / peak of PL_X")),
        "transient": ("c", "transient absorption", Axis("ΔA, as in the file")),
    }
)
#: name of a part -> colour and line.
_PARTS: Mapping[str, tuple[str, str]] = MappingProxyType(
    {
        "A_X": ("A_X", "--"),
        "PL_X": ("PL_X", "--"),
        "bleach": ("A_X", "--"),
        "stimulated emission": ("PL_X", "-."),
        "excited-state absorption": ("A_XX2", "--"),
        "second transition": ("second transition", "-."),
        "background": ("reference", ":"),
    }
)


def headlines(dot: Dot = EXAMPLE) -> tuple[Headline, ...]:
    """Return the numbers that the page about fits needs in its prose.

    Parameters
    ----------
    dot : Dot
        The one behind the page's synthetic spectra.
    """
    relaxation = CONTRACT["relaxation_time_fs"].default
    assert isinstance(relaxation, float)
    width = band_widths_meV(dot).emission
    bias = 2e-3 * width**2 / band_centres_eV(dot).emission
    rows = (
        ("relaxation", "relaxation time of X_A to X_E", relaxation, "fs"),
        ("delay", "delay by which 99 % have relaxed", earliest_delay_ps(relaxation), "ps"),
        ("jacobian", "shift of the PL if the Jacobian is left out", float(bias), "meV"),
        ("pl-window", "half the window of the PL, in its FWHM", PL_WINDOW[1], "1"),
        ("window-red", "window red of the PL, in its FWHM", -WINDOW[0], "1"),
        ("window-blue", "window blue of the PL, in its FWHM", WINDOW[1], "1"),
        ("window-narrow", "the narrowest blue window, in its FWHM", NARROWER[-1], "1"),
        ("largest-error", "largest error of a determined a", LARGEST_ERROR, "1"),
        ("largest-correlation", "its largest correlation", LARGEST_CORRELATION, "1"),
        ("samples", "sampled dots", SAMPLES, "1"),
    )
    return tuple(Headline(f"fit-{key}", meaning, value, unit) for key, meaning, value, unit in rows)


def example() -> tuple[Panel, ...]:
    """Return the panels of a fit to the page's synthetic spectra, as they are before any file."""
    simulated = simulate(EXAMPLE, noise=EXAMPLE_NOISE, seed=EXAMPLE_SEED)
    return panels(fit_bands(*simulated.against_energy))


def panels(fit: FittedBands) -> tuple[Panel, ...]:
    """Return one panel for each fitted spectrum: data, fit, its parts, residual."""
    return tuple(_panel(name, spectrum) for name, spectrum in fit.spectra.items())


def _panel(name: str, spectrum: FittedSpectrum) -> Panel:
    letter, title, axis = _SPECTRA[name]
    unit = float(np.max(spectrum.parts["PL_X"])) if name == "PL" else 1.0
    energy = spectrum.energy_eV
    residual = (spectrum.measured - spectrum.fitted) / spectrum.noise
    return Panel(
        letter,
        title,
        (
            Series(
                "measured",
                energy,
                spectrum.measured / unit,
                ENERGY,
                axis,
                quantity="measured",
                kind="points",
                dash=".",
            ),
            *(
                Series(
                    part,
                    energy,
                    curve / unit,
                    ENERGY,
                    axis,
                    quantity=_PARTS[part][0],
                    dash=_PARTS[part][1],
                )
                for part, curve in spectrum.parts.items()
            ),
            Series("fit", energy, spectrum.fitted / unit, ENERGY, axis, quantity="fit"),
            Series(
                "residual",
                energy,
                residual,
                ENERGY,
                _RESIDUAL,
                quantity="measured",
                kind="points",
                dash=".",
            ),
        ),
    )


def draw(fitted: tuple[Panel, ...]) -> Picture:
    """Draw the panels, each with its residual in a strip below."""
    rows = 1 + (len(fitted) > 2)
    with style.book_style():
        figure = style.new_figure(7.6, 3.7 * rows)
        top = figure.subfigures(rows, 1, squeeze=False)[:, 0]
        places = list(top[0].subfigures(1, 2)) + list(top[1:])
        for place, panel in zip(places, fitted, strict=True):
            main, strip = place.subplots(2, 1, sharex=True, height_ratios=(4, 1))
            for series in panel.series:
                style.draw_series(strip if series.name == "residual" else main, series)
            for line in (*main.lines, *strip.lines):
                line.set_markersize(2.5)
            main.set_ylabel(style.typeset(panel["fit"].y_axis.label))
            main.set_title(style.typeset(panel.title))
            # Room for the legend above the curves.
            low, high = main.get_ylim()
            main.set_ylim(low, high + 0.3 * (high - low))
            strip.axhline(0, color="black", linewidth=0.6)
            strip.set_ylabel("residual\n/ noise")
            strip.set_xlabel(ENERGY.label)
            style.letter(main, panel.letter)
            columns = 2 if place in places[:2] else 4
            main.legend(fontsize=7, loc="upper left", ncols=columns, handlelength=2.4)
    return figure


def save(fit: FittedBands, svg: Path, png: Path) -> None:
    """Write the picture of a fit, the same bytes on every run."""
    figure = draw(panels(fit))
    svg.write_text(to_svg(figure), encoding="utf-8")
    png.write_bytes(to_png(figure))


#: What the page shows: name -> (panels, drawing).
FIGURES = {"example": kit.Figure(example, draw)}
