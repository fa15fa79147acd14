"""Figure 9: amplified spontaneous emission, small-signal and saturated, and from measured gain."""

from __future__ import annotations

from dataclasses import replace
from functools import cache
from typing import NamedTuple

import numpy as np
import scipy
from matplotlib.axes import Axes
from matplotlib.collections import QuadMesh
from matplotlib.figure import Figure as Picture
from matplotlib.figure import SubFigure

from qdgain import chapters
from qdgain.figures import kit, style
from qdgain.figures.panel import ENERGY, FLUENCE, Axis, Panel, Series
from qdgain.measured import surrogate
from qdgain.measured.gain_spectra import MeasuredSpectra, read_spectra
from qdgain.model import parameters
from qdgain.model.bands import band_centres_eV, bands, energy_window_eV
from qdgain.model.dot import Dot, FloatArray
from qdgain.model.film import (
    AseThreshold,
    ase_threshold,
    log_ase_spectrum,
    spike_position_eV,
    spontaneous_spectrum,
)
from qdgain.model.populations import fluence_for_mean_excitons, mean_excitons_after_pulse
from qdgain.model.saturation import SaturatedEmission, saturated_emission
from qdgain.model.search import first_root, parabolic_peak
from qdgain.model.spike import (
    count_spikes,
    full_width,
    spike_shift_meV_per_decade,
    spike_width_meV,
    threshold_by_two_lines,
)
from qdgain.paper.claims import Headline, claims
from qdgain.run import YOUR_DOT, Run

SETTINGS = chapters.SETTINGS["fig09"]

_LETTERS = {"3LS": "a", "3LS+ESA": "b", "4LS": "c", "4LS+ESA": "d"}
_RELATIVE = Axis("emission / its maximum")
_AMPLIFICATION = Axis("log₁₀(∫I / ∫P)")
_BINDING = Axis("absorptive biexciton shift Δ_A2", "meV")
_ASE_THRESHOLD = Axis("ASE threshold", "mJ cm⁻²")
_ABOVE = Axis("pump fluence / ASE threshold")
_OFFSET = Axis("spike less PL_X centre", "meV")
_WIDTH = Axis("width of the emission (FWHM)", "meV")
_PHOTONS = Axis("photons along the film, per dot")
_PHOTONS_PER_MEV = Axis("photons along the film, per dot", "meV⁻¹")
_TIME_UNITS = ("fs", "ps", "ns")
_TIMES_THRESHOLD = (1.0, 1.5, 2.0, 3.0)
#: Fluences of the maps, over the highest.
_LOG_STEPS = np.geomspace(0.01, 1.0, 101)
_SWEEP = 11
_AROUND_THRESHOLD = np.array([0.25, 0.5, 0.8, 1.0, 1.1, 1.25, 1.5, 1.75, 2.0, 2.5, 3.0])


def spectra(run: Run) -> tuple[Panel, ...]:
    """Return panels a to d: ASE spectra against fluence up to the π pulse, each over its maximum.

    A user's dot adds two more, without letters of the paper's.
    """
    return tuple(_dot_panel(run, name) for name in _order(run))


def _order(run: Run) -> list[str]:
    names = list(_LETTERS)
    if not run.is_papers:
        names += [YOUR_DOT, f"{YOUR_DOT}+ESA"]
    return names


def _threshold(run: Run, name: str) -> AseThreshold:
    return ase_threshold(
        run.dots[name], run["gain_exponent"], run["pi_pulse_fluence_mJ_cm2"], run["statistics"]
    )


def _mean_excitons(run: Run, fluence: FloatArray) -> FloatArray:
    return mean_excitons_after_pulse(fluence, run["pi_pulse_fluence_mJ_cm2"], run["statistics"])


@cache
def _saturated(
    dot: Dot, mean_excitons: tuple[float, ...], length: float, beta: float, law: str
) -> SaturatedEmission:
    return saturated_emission(dot, np.array(mean_excitons), length, beta, law)


def _saturated_sweep(run: Run, name: str) -> tuple[FloatArray, SaturatedEmission]:
    """Return fluences up to the π pulse, which comes last, and the saturated emission at each."""
    pi_pulse = run["pi_pulse_fluence_mJ_cm2"]
    # Dense around the threshold, where the curve bends, and even in √J up to the π pulse.
    near = float(_threshold(run, name).fluence_mJ_cm2) * _AROUND_THRESHOLD
    far = pi_pulse * np.linspace(0, 1, _SWEEP + 1) ** 2
    fluence = np.unique(np.concatenate([near[near < pi_pulse], far]))
    emission = _saturated(
        run.dots[name],
        tuple(float(mean) for mean in _mean_excitons(run, fluence)),
        run["gain_exponent"],
        run["guided_fraction"],
        run["statistics"],
    )
    return fluence, emission


class _Sweep(NamedTuple):
    """One map of ASE spectra against fluence, and what is drawn over and beside it."""

    energy_eV: FloatArray
    fluence_mJ_cm2: FloatArray
    log_spectrum: FloatArray
    log_amplification: FloatArray
    spike_eV: FloatArray
    threshold: AseThreshold
    above: tuple[Series, ...]


def _sweep_panel(letter: str, title: str, sweep: _Sweep) -> Panel:
    energy, fluence = sweep.energy_eV, sweep.fluence_mJ_cm2
    series = [
        Series(
            "emission",
            energy,
            fluence,
            ENERGY,
            FLUENCE,
            kind="map",
            z=_relative(sweep.log_spectrum),
            z_axis=_RELATIVE,
        ),
        Series("strongest", sweep.spike_eV, fluence, ENERGY, FLUENCE, quantity="ASE", dash=":"),
        Series(
            "amplification",
            sweep.log_amplification / np.log(10),
            fluence,
            _AMPLIFICATION,
            FLUENCE,
            quantity="ASE",
        ),
        *sweep.above,
    ]
    if np.isfinite(sweep.threshold.fluence_mJ_cm2):
        series.append(
            Series(
                "threshold",
                energy[:1],
                sweep.threshold.fluence_mJ_cm2,
                ENERGY,
                FLUENCE,
                kind="level",
                quantity="ASE threshold",
                dash="--",
            )
        )
    return Panel(letter, title, tuple(series))


def _relative(log_spectrum: FloatArray) -> FloatArray:
    return np.asarray(np.exp(log_spectrum - np.max(log_spectrum, axis=-1, keepdims=True)))


def _line(name: str, energy: FloatArray, values: FloatArray, quantity: str, dash: str) -> Series:
    return Series(
        name, energy, values / values.max(), ENERGY, _RELATIVE, quantity=quantity, dash=dash
    )


def _dot_panel(run: Run, name: str) -> Panel:
    dot, length, statistics = run.dots[name], run["gain_exponent"], run["statistics"]
    threshold = _threshold(run, name)
    energy = energy_window_eV(dot, points=241)
    pi_pulse = run["pi_pulse_fluence_mJ_cm2"]
    fluence = pi_pulse * _LOG_STEPS
    mean = _mean_excitons(run, fluence)
    wide = energy_window_eV(dot, 6.0, 601)
    amplified = scipy.special.logsumexp(
        log_ase_spectrum(dot, wide, mean, length, statistics), axis=-1
    )
    spontaneous = spontaneous_spectrum(dot, wide, mean, statistics).sum(axis=-1)
    log_spectrum = log_ase_spectrum(dot, energy, mean, length, statistics)
    above = [
        _line("PL_X", energy, bands(dot, energy).emission, "PL_X", ":"),
        _line("at J_π", energy, _relative(log_spectrum[-1]), "ASE", "-"),
    ]
    if np.isfinite(threshold.fluence_mJ_cm2):
        at = log_ase_spectrum(dot, energy, threshold.mean_excitons, length, statistics)
        above.append(_line("at threshold", energy, _relative(at), "ASE threshold", "--"))
    saturated = _saturated_sweep(run, name)[1]
    inside = (saturated.energy_eV >= energy[0]) & (saturated.energy_eV <= energy[-1])
    above.append(
        _line(
            "saturated",
            saturated.energy_eV[inside],
            saturated.spectrum_per_meV[-1][inside],
            "saturated ASE",
            "-.",
        )
    )
    return _sweep_panel(
        _LETTERS.get(name, ""),
        name,
        _Sweep(
            energy,
            fluence,
            log_spectrum,
            amplified - np.log(spontaneous),
            spike_position_eV(dot, mean, length, statistics),
            threshold,
            tuple(above),
        ),
    )


def draw_spectra(panels: tuple[Panel, ...]) -> Picture:
    """Draw maps of ASE against fluence with spectra above and the amplification to the right."""
    rows = (len(panels) + 1) // 2
    with style.book_style():
        figure = style.new_figure(8.0, 3.4 * rows + 0.6)
        body, foot = style.split(figure, 2, 1, height_ratios=(3.4 * rows, 0.6))
        for block, panel in zip(style.split(body, rows, 2), panels, strict=False):
            mesh = _draw_sweep(block, panel)
        scale = foot.subplots(gridspec_kw={"left": 0.2, "right": 0.8})
        foot.colorbar(mesh, cax=scale, orientation="horizontal", label=_RELATIVE.label)
    return figure


def _draw_sweep(block: SubFigure, panel: Panel) -> QuadMesh:
    parts = block.add_gridspec(2, 2, width_ratios=(3, 1.3), height_ratios=(1.3, 3))
    main = block.add_subplot(parts[1, 0])
    top = block.add_subplot(parts[0, 0], sharex=main)
    right = block.add_subplot(parts[1, 1], sharey=main)
    mesh = _draw_intensity(main, panel["emission"])
    for series in panel.of_kind("line", "level"):
        if series.y_axis == _RELATIVE:
            style.draw_series(top, series)
        elif series.x_axis == _AMPLIFICATION:
            right.plot(series.x, series.y, color=style.colour(series.quantity))
        else:
            style.draw_series(main, series)
            if series.kind == "level":
                style.draw_series(right, replace(series, name=f"_{series.name}"))
    main.set_yscale("log")
    top.set(title=style.typeset(panel.title), ylim=(0, 1.08))
    top.set_ylabel("emission", fontsize=7)
    top.tick_params(labelbottom=False)
    right.tick_params(labelleft=False)
    right.set_xlabel(_AMPLIFICATION.label, fontsize=7)
    style.legend_of(block.add_subplot(parts[0, 1]), top, main)
    style.letter(top, panel.letter)
    return mesh


def _draw_intensity(ax: Axes, series: Series) -> QuadMesh:
    mesh = ax.pcolormesh(
        np.asarray(series.x),
        np.asarray(series.y),
        np.asarray(series.z),
        cmap=style.SEQUENTIAL_MAP,
        vmin=0,
        vmax=1,
        rasterized=True,
        shading="nearest",
    )
    ax.set_xlabel(style.typeset(series.x_axis.label))
    ax.set_ylabel(style.typeset(series.y_axis.label))
    return mesh


def spikes(run: Run) -> tuple[Panel, Panel]:
    """Return the spike's offset from the centre of PL_X and its width, against J/J_th."""
    offsets: list[Series] = []
    widths: list[Series] = []
    pi_pulse, length = run["pi_pulse_fluence_mJ_cm2"], run["gain_exponent"]
    for name in _order(run):
        dot, threshold = run.dots[name], float(_threshold(run, name).fluence_mJ_cm2)
        if not threshold < pi_pulse:
            continue
        ratio = np.geomspace(1.0, pi_pulse / threshold, 80)
        # The last point is the π pulse itself, not a rounding error beyond it.
        mean = _mean_excitons(run, np.minimum(ratio * threshold, pi_pulse))
        position = spike_position_eV(dot, mean, length, run["statistics"])
        offset = 1e3 * (position - band_centres_eV(dot).emission)
        width = spike_width_meV(dot, mean, length, run["statistics"])
        for rows, values, axis in ((offsets, offset, _OFFSET), (widths, width, _WIDTH)):
            rows.append(
                Series(name, ratio, values, _ABOVE, axis, quantity=_scheme(name), dash=_dash(name))
            )
    return (
        Panel("", "position", tuple(offsets)),
        Panel("", "width", tuple(widths)),
    )


def _scheme(name: str) -> str:
    return name.removesuffix("+ESA")


def _dash(name: str) -> str:
    return "--" if name.endswith("+ESA") else "-"


def draw_spikes(panels: tuple[Panel, Panel]) -> Picture:
    """Draw position and width of the spike."""
    with style.book_style():
        figure = style.new_figure(8.0, 3.4)
        for ax, panel in zip(figure.subplots(1, 2), panels, strict=True):
            if not panel.series:
                continue
            style.draw_panel(ax, panel, legend=None)
            ax.set_xscale("log")
            if panel.title == "position":
                ax.axhline(0, color="black", linewidth=0.6)
                ax.legend()
    return figure


def thresholds(run: Run) -> Panel:
    """Return the ASE threshold against the absorptive biexciton shift, with and without ESA."""
    series = []
    pi_pulse, length = run["pi_pulse_fluence_mJ_cm2"], run["gain_exponent"]
    for name in _order(run):
        own = _threshold(run, name)
        if not name.endswith("+ESA"):
            if np.isfinite(own.fluence_mJ_cm2):
                series.append(
                    Series(
                        f"{name}, any Δ_A2",
                        [0.0],
                        own.fluence_mJ_cm2,
                        _BINDING,
                        _ASE_THRESHOLD,
                        kind="level",
                        quantity=_scheme(name),
                        dash=":",
                    )
                )
            continue
        dot = run.dots[name]
        binding = _bindings_meV(dot)
        many = replace(dot, absorptive_binding_meV=binding)
        found = ase_threshold(many, length, pi_pulse, run["statistics"]).fluence_mJ_cm2
        found = np.where(np.isfinite(found), found, np.nan)
        series.append(
            Series(name, binding, found, _BINDING, _ASE_THRESHOLD, quantity=_scheme(name))
        )
        if np.isfinite(own.fluence_mJ_cm2):
            series.append(
                Series(
                    f"{name}, preset" if name in _LETTERS else f"{name}, as given",
                    dot.absorptive_binding_meV,
                    own.fluence_mJ_cm2,
                    _BINDING,
                    _ASE_THRESHOLD,
                    kind="points",
                    quantity=_scheme(name),
                    dash="o",
                )
            )
    return Panel("", "ASE threshold against the biexciton shift", tuple(series))


def _bindings_meV(dot: Dot) -> FloatArray:
    reach = 2.5 * float(np.asarray(dot.linewidth_meV))
    stokes = float(np.asarray(dot.stokes_shift_meV))
    low, high = parameters.clipped("absorptive_binding_meV", [stokes - reach, stokes + reach])
    return np.linspace(low, high, 161)


def draw_thresholds(panel: Panel) -> Picture:
    """Draw the ASE threshold against the biexciton shift."""
    with style.book_style():
        figure = style.new_figure(6.4, 3.6)
        ax = figure.subplots()
        style.draw_panel(ax, panel, legend=None)
        ax.set_ylim(bottom=0)
        figure.legend(loc="outside right upper")
    return figure


def saturation(run: Run) -> tuple[Panel, ...]:
    """Return emission along the film against fluence, saturated and by the simple formula."""
    panels = []
    fine = run["pi_pulse_fluence_mJ_cm2"] * np.linspace(0, 1, 201)[1:]
    for scheme in run.pairs:
        series = []
        for name in (scheme, f"{scheme}+ESA"):
            fluence, emission = _saturated_sweep(run, name)
            simple = np.exp(np.minimum(_log_simple_photons(run, name, fine), 600.0))
            series += [
                Series(
                    name,
                    fluence,
                    emission.guided_photons,
                    FLUENCE,
                    _PHOTONS,
                    quantity=scheme,
                    dash=_dash(name),
                ),
                Series(
                    f"{name}, simple formula",
                    fine,
                    simple,
                    FLUENCE,
                    _PHOTONS,
                    quantity="reference",
                    dash=_dash(name),
                ),
            ]
        panels.append(Panel("", f"{scheme}, saturation", tuple(series)))
    return tuple(panels)


def _log_simple_photons(run: Run, name: str, fluence: FloatArray) -> FloatArray:
    """Return ln of the photons along the film in one lifetime if nothing were depleted."""
    dot, statistics = run.dots[name], run["statistics"]
    energy = energy_window_eV(dot, 6.0, 601)
    log_spectrum = log_ase_spectrum(
        dot, energy, _mean_excitons(run, fluence), run["gain_exponent"], statistics
    )
    area = bands(dot, energy).emission.sum()
    start = np.log(2 * run["guided_fraction"] / area)
    return np.asarray(start + scipy.special.logsumexp(log_spectrum, axis=-1))


def draw_saturation(panels: tuple[Panel, ...]) -> Picture:
    """Draw the emission against fluence."""
    with style.book_style():
        figure = style.new_figure(4.0 * len(panels), 3.4)
        axes = figure.subplots(1, len(panels))
        for ax, panel in zip(np.atleast_1d(axes), panels, strict=True):
            style.draw_panel(ax, panel, legend=None)
            # Below the panel: the steep lines leave no free place inside.
            ax.legend(loc="upper center", bbox_to_anchor=(0.5, -0.16), ncols=2)
            top = max(np.max(s.values) for s in panel.series if "simple" not in s.name)
            ax.set_ylim(0, 1.1 * float(top))
    return figure


class _Measured(NamedTuple):
    """Gain spectra with what is needed to turn fluence into excitons."""

    letter: str
    title: str
    slug: str
    spectra: MeasuredSpectra
    law: str


@cache
def _surrogate(reading: str) -> MeasuredSpectra:
    return surrogate.load(reading)


def _measured_sources(run: Run) -> tuple[_Measured, ...]:
    """Return the users' files, or the surrogates where none is named."""
    sources = []
    if run["x1_spectra_csv"]:
        own = read_spectra(run["x1_spectra_csv"])
        sources.append(_Measured("e", "X1, your spectra", "x1", own, "rabi"))
    else:
        sources.append(_Measured("e", "X1, surrogate", "x1", _surrogate("x1"), "rabi"))
    if run["x3_spectra_csv"]:
        own = read_spectra(run["x3_spectra_csv"])
        return (*sources, _Measured("f", "X3, your spectra", "x3", own, "poisson"))
    for reading, where in (("x3_edge", "edge"), ("x3_blue", "blue")):
        title, slug = f"X3, surrogate ({where})", reading.replace("_", "-")
        sources.append(_Measured("f", title, slug, _surrogate(reading), "poisson"))
    return tuple(sources)


def _measured_sweep(run: Run, source: _Measured) -> tuple[FloatArray, FloatArray]:
    """Return fluences up to the largest measured ⟨N⟩ or the π pulse, and ⟨N⟩ at each."""
    pi_pulse = run["pi_pulse_fluence_mJ_cm2"]
    highest = float(source.spectra.mean_excitons[-1])
    if source.law == "rabi":
        highest = min(highest, 2.0)
    top = float(fluence_for_mean_excitons(highest, pi_pulse, source.law))
    fluence = top * _LOG_STEPS
    mean = mean_excitons_after_pulse(fluence, pi_pulse, source.law)
    return fluence, np.minimum(mean, highest)


def measured(run: Run) -> tuple[Panel, ...]:
    """Return panels e and f: ASE from gain spectra in files, by default the surrogates."""
    return tuple(_measured_panel(run, source) for source in _measured_sources(run))


def draw_measured(panels: tuple[Panel, ...]) -> Picture:
    """Draw panels e and f as a to d."""
    return draw_spectra(panels)


def _measured_panel(run: Run, source: _Measured) -> Panel:
    data, length = source.spectra, run["gain_exponent"]
    threshold = _measured_threshold(run, source)
    fluence, mean = _measured_sweep(run, source)
    log_spectrum = data.log_ase(mean, length)
    energy = data.energy_eV
    weights = np.gradient(energy)
    amplified = scipy.special.logsumexp(log_spectrum, b=weights, axis=-1)
    spontaneous = (data.spontaneous_at(mean) * weights).sum(axis=-1)
    saturated = _measured_saturated(run, source)
    above = [
        _line("PL", energy, data.emission, "PL_X", ":"),
        _line("highest J", energy, _relative(log_spectrum[-1]), "ASE", "-"),
        _line(
            "saturated",
            saturated.energy_eV,
            saturated.spectrum_per_meV[-1],
            "saturated ASE",
            "-.",
        ),
    ]
    if np.isfinite(threshold.fluence_mJ_cm2):
        at = _relative(data.log_ase(threshold.mean_excitons, length))
        above.append(_line("at threshold", energy, at, "ASE threshold", "--"))
    return _sweep_panel(
        source.letter,
        source.title,
        _Sweep(
            energy,
            fluence,
            log_spectrum,
            amplified - np.log(spontaneous),
            parabolic_peak(energy, log_spectrum),
            threshold,
            tuple(above),
        ),
    )


def _measured_threshold(run: Run, source: _Measured) -> AseThreshold:
    return source.spectra.ase_threshold(
        run["gain_exponent"], run["pi_pulse_fluence_mJ_cm2"], source.law
    )


def _measured_saturated(run: Run, source: _Measured) -> SaturatedEmission:
    """Return the saturated emission at the largest ⟨N⟩, which the π pulse gives with X1."""
    highest = float(source.spectra.mean_excitons[-1])
    if source.law == "rabi":
        highest = min(highest, 2.0)
    return _saturated_from(source.spectra, highest, run["gain_exponent"], run["guided_fraction"])


@cache
def _saturated_from(
    spectra: MeasuredSpectra, highest: float, length: float, beta: float
) -> SaturatedEmission:
    return spectra.saturated([highest], length, beta)


#: What the chapter draws: name -> (series, drawing).
FIGURES = {
    "spectra": kit.Figure(spectra, draw_spectra),
    "spikes": kit.Figure(spikes, draw_spikes),
    "thresholds": kit.Figure(thresholds, draw_thresholds),
    "saturation": kit.Figure(saturation, draw_saturation),
    "measured": kit.Figure(measured, draw_measured),
}


def headlines(run: Run) -> tuple[Headline, ...]:
    """Return the chapter's numbers: those the paper states, and those it leaves out."""
    rows = list(small_signal_headlines(run))
    rows += [row for name in _order(run) for row in _saturated_headlines(run, name)]
    rows += [row for scheme in run.pairs for row in _amplitude_headlines(run, scheme)]
    rows += [row for source in _measured_sources(run) for row in _measured_headlines(run, source)]
    return tuple(rows)


def small_signal_headlines(run: Run) -> tuple[Headline, ...]:
    """Return those numbers of the chapter that need neither saturation nor measured spectra."""
    rows = [row for name in _order(run) for row in _threshold_headlines(run, name)]
    rows += _ratio_headlines(run)
    rows += _statement_headlines(run)
    rows += [row for name in _order(run) for row in _spike_headlines(run, name)]
    return tuple(rows)


def _saturated_headlines(run: Run, name: str) -> list[Headline]:
    fluence, emission = _saturated_sweep(run, name)
    weak = 0.5 * float(_threshold(run, name).fluence_mJ_cm2)
    return [
        Headline(
            f"fig09-lines-{_slug(name)}",
            f"threshold by two straight lines, {name}",
            threshold_by_two_lines(fluence, emission.guided_photons, weak),
            "mJ cm⁻²",
        ),
        Headline(
            f"fig09-saturated-spikes-{_slug(name)}",
            f"spikes at J_π, saturated, {name}",
            float(count_spikes(emission.spectrum_per_meV[-1])),
        ),
    ]


def _slug(name: str) -> str:
    return name.replace(" ", "-").replace("+ESA", "-esa").lower()


def _threshold_headlines(run: Run, name: str) -> list[Headline]:
    slug, found = _slug(name), _threshold(run, name)
    claim = f"F9-{slug}" if name in _LETTERS else f"fig09-threshold-{slug}"
    rows = [
        Headline(claim, f"ASE threshold, {name}", float(found.fluence_mJ_cm2), "mJ cm⁻²"),
        Headline(
            f"fig09-excitons-{slug}",
            f"⟨N⟩ at the ASE threshold, {name}",
            float(found.mean_excitons),
        ),
    ]
    if name.endswith("+ESA"):
        dot = run.dots[name]
        many = replace(dot, absorptive_binding_meV=_bindings_meV(dot))
        pi_pulse, length = run["pi_pulse_fluence_mJ_cm2"], run["gain_exponent"]
        against = ase_threshold(many, length, pi_pulse, run["statistics"]).fluence_mJ_cm2
        highest = int(np.argmax(against))
        worst = _bindings_meV(dot)[highest]
        if np.isfinite(against[highest]):
            worst = parabolic_peak(_bindings_meV(dot), against)
        rows += [
            Headline(
                "F9-binding" if name == "3LS+ESA" else f"fig09-highest-{slug}",
                f"highest ASE threshold at any Δ_A2, {name}",
                float(against[highest]),
                "mJ cm⁻²",
            ),
            Headline(
                f"fig09-worst-{slug}",
                f"Δ_A2 of the highest ASE threshold, {name}",
                float(worst),
                "meV",
            ),
            Headline(
                f"fig09-lowest-{slug}",
                f"lowest ASE threshold at any Δ_A2, {name}",
                float(against.min()),
                "mJ cm⁻²",
            ),
        ]
    return rows


def _ratio_headlines(run: Run) -> list[Headline]:
    model = {name: float(_threshold(run, name).fluence_mJ_cm2) for name in _LETTERS}
    stated = {name: claims()[f"F9-{_slug(name)}"].stated or np.nan for name in _LETTERS}
    meaning = "ASE threshold with over without ESA"
    return [
        Headline("F9-factor-two", f"{meaning}, 3LS", model["3LS+ESA"] / model["3LS"]),
        Headline("fig09-ratio-4ls", f"{meaning}, 4LS", model["4LS+ESA"] / model["4LS"]),
        Headline(
            "fig09-stated-ratio",
            f"{meaning}, 3LS, from the two numbers the paper states",
            stated["3LS+ESA"] / stated["3LS"],
        ),
        Headline(
            "F9-alloy-threshold",
            "threshold stated for the alloy over that stated for the 3LS with ESA",
            (claims()["F9-alloy"].stated or np.nan) / stated["3LS+ESA"],
        ),
    ]


def _statement_headlines(run: Run) -> list[Headline]:
    """Return the case the paper may mean by weakly bound, and what a threshold depends on."""
    unbound = replace(run.dots["3LS+ESA"], absorptive_binding_meV=0.0, emissive_binding_meV=0.0)
    length, pi_pulse = run["gain_exponent"], run["pi_pulse_fluence_mJ_cm2"]
    threshold = ase_threshold(unbound, length, pi_pulse, run["statistics"]).fluence_mJ_cm2
    inputs = (*parameters.DOT_PARAMETERS, *SETTINGS)
    times = [name for name in inputs if parameters.parameter(name).unit in _TIME_UNITS]
    return [
        Headline(
            "fig09-weakly-bound",
            "ASE threshold with ESA and no biexciton shift, 3LS",
            float(threshold),
            "mJ cm⁻²",
        ),
        Headline("F9-no-auger", "inputs of the threshold that are times", float(len(times))),
    ]


def _rounded_meV(value: FloatArray) -> float:
    # To a hundredth: a spike exactly on a band centre is else off by rounding errors.
    return float(np.round(value, 2)) + 0.0


def _spike_headlines(run: Run, name: str) -> list[Headline]:
    dot, slug, threshold = run.dots[name], _slug(name), float(_threshold(run, name).fluence_mJ_cm2)
    pi_pulse, length, statistics = (
        run["pi_pulse_fluence_mJ_cm2"],
        run["gain_exponent"],
        run["statistics"],
    )
    rows = []
    for times in _TIMES_THRESHOLD:
        value = np.nan
        if times * threshold <= pi_pulse:
            mean = _mean_excitons(run, np.array(times * threshold))
            position = spike_position_eV(dot, mean, length, statistics)
            value = _rounded_meV(1e3 * (position - band_centres_eV(dot).emission))
        rows.append(
            Headline(
                "F9-centre" if (name, times) == ("3LS", 1.0) else f"fig09-offset-{slug}-{times:g}",
                f"spike less PL_X centre at {times:g} J_th, {name}",
                value,
                "meV",
            )
        )
    rows.append(
        Headline(
            f"F9-shift-{slug}" if f"F9-shift-{slug}" in claims() else f"fig09-shift-{slug}",
            f"shift of the spike per decade of J up to 3 J_th, {name}",
            spike_shift_meV_per_decade(dot, length, pi_pulse, statistics),
            "meV",
        )
    )
    jump, at = np.nan, np.nan
    if threshold < pi_pulse:
        # From the threshold to the π pulse in steps of about one per cent.
        steps = 1 + int(np.ceil(100 * np.log(pi_pulse / threshold)))
        fluence = np.minimum(np.geomspace(threshold, pi_pulse, 1 + steps), pi_pulse)
        position = spike_position_eV(dot, _mean_excitons(run, fluence), length, statistics)
        moves = np.diff(position)
        largest = int(np.argmax(np.abs(moves)))
        jump, at = _rounded_meV(1e3 * moves[largest]), float(fluence[largest] / threshold)
    rows += [
        Headline(
            f"fig09-jump-{slug}", f"largest move of the spike within 1 % of J, {name}", jump, "meV"
        ),
        Headline(f"fig09-jump-at-{slug}", f"where that is, in J_th, {name}", at),
    ]
    return rows


def _amplitude_headlines(run: Run, scheme: str) -> list[Headline]:
    """Return what full pumping gives without ESA over what it gives with it."""
    esa, slug = f"{scheme}+ESA", _slug(scheme)
    at_pi = np.array([run["pi_pulse_fluence_mJ_cm2"]])
    photons = {
        name: float(_saturated_sweep(run, name)[1].guided_photons[-1]) for name in (scheme, esa)
    }
    decades = _log_simple_photons(run, scheme, at_pi) - _log_simple_photons(run, esa, at_pi)
    rows = [
        Headline(
            "F9-amplitude" if scheme == "3LS" else f"fig09-amplitude-{slug}",
            f"saturated spike at J_π, without over with ESA, {scheme}",
            photons[scheme] / photons[esa] if photons[esa] > 0 else np.inf,
        ),
        Headline(
            f"fig09-simple-amplitude-{slug}",
            f"the same by the simple formula, in powers of ten, {scheme}",
            float(decades[0] / np.log(10)),
        ),
    ]
    for name in (scheme, esa):
        rows += [
            Headline(
                f"fig09-photons-{_slug(name)}",
                f"saturated spike at J_π in photons per dot, {name}",
                photons[name],
            ),
            Headline(
                f"fig09-bankrupt-{_slug(name)}",
                f"J above which the simple formula emits more than ⟨N⟩, {name}",
                _bankrupt_fluence(run, name),
                "mJ cm⁻²",
            ),
        ]
    return rows


def _bankrupt_fluence(run: Run, name: str) -> float:
    """Return where the simple formula first emits more photons in a lifetime than excitons."""

    def excess(amplitude: FloatArray) -> FloatArray:
        fluence = run["pi_pulse_fluence_mJ_cm2"] * amplitude.ravel() ** 2
        spent = _log_simple_photons(run, name, fluence)
        return np.asarray(spent - np.log(_mean_excitons(run, fluence))).reshape(amplitude.shape)

    root = first_root(lambda x, _: excess(x), np.linspace(0.01, 1, 100)[None, :])[0]
    return float(run["pi_pulse_fluence_mJ_cm2"] * root**2)


def _measured_headlines(run: Run, source: _Measured) -> list[Headline]:
    slug, title, data = source.slug, source.title, source.spectra
    length, pi_pulse = run["gain_exponent"], run["pi_pulse_fluence_mJ_cm2"]
    threshold = _measured_threshold(run, source)
    start = float(threshold.fluence_mJ_cm2)
    top = float(_measured_sweep(run, source)[0][-1])
    peak = float(parabolic_peak(data.energy_eV, data.emission))

    def log_ase(fluence: FloatArray) -> FloatArray:
        mean = mean_excitons_after_pulse(fluence, pi_pulse, source.law)
        return data.log_ase(np.minimum(mean, data.mean_excitons[-1]), length)

    def offset_meV(fluence: float) -> float:
        spike = parabolic_peak(data.energy_eV, log_ase(np.array(fluence)))
        return _rounded_meV(1e3 * (spike - peak))

    offset: dict[float | str, float] = dict.fromkeys((*_TIMES_THRESHOLD, "top"), np.nan)
    shift, width = np.nan, np.nan
    if start < top:
        offset = {
            times: offset_meV(times * start) if times * start <= top else np.nan
            for times in _TIMES_THRESHOLD
        } | {"top": offset_meV(top)}
        end = min(_TIMES_THRESHOLD[-1] * start, top)
        shift = (offset_meV(end) - offset_meV(start)) / np.log10(end / start)
        if 2 * start <= top:
            spectrum = _relative(log_ase(np.array(2 * start)))
            width = float(1e3 * full_width(data.energy_eV, spectrum))
    fluence = top * np.linspace(0, 1, 401)[1:]
    counts = np.array([count_spikes(spectrum) for spectrum in _relative(log_ase(fluence))])
    saturated = _measured_saturated(run, source)
    return [
        Headline(
            "F9-alloy" if slug == "x1" else f"fig09-threshold-{slug}",
            f"ASE threshold, {title}",
            start,
            "mJ cm⁻²",
        ),
        *(
            Headline(f"fig09-offset-{slug}-{key}", f"spike less PL peak at {at}, {title}", v, "meV")
            for key, at, v in (
                ("1", "J_th", offset[1.0]),
                ("3", "3 J_th", offset[3.0]),
                ("top", "the highest J", offset["top"]),
            )
        ),
        Headline(f"fig09-shift-{slug}", f"shift per decade up to 3 J_th, {title}", shift, "meV"),
        Headline(f"fig09-width-{slug}", f"width of the emission at 2 J_th, {title}", width, "meV"),
        Headline(f"fig09-spikes-{slug}", f"most spikes at any J, {title}", float(counts.max())),
        Headline(
            f"fig09-together-{slug}",
            f"part of the fluences with more than one spike, {title}",
            float(np.mean(counts > 1)),
        ),
        Headline(
            "F9-alloy-x3" if slug == "x3-blue" else f"fig09-saturated-spikes-{slug}",
            f"spikes at the highest J, saturated, {title}",
            float(count_spikes(saturated.spectrum_per_meV[-1])),
        ),
    ]
