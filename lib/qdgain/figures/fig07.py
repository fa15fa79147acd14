"""Figure 7: biexcitons as a loss, their induced absorption, and multiexciton emission."""

from __future__ import annotations

from dataclasses import replace
from functools import cache
from typing import Any

import numpy as np
from matplotlib.figure import Figure as Picture

from qdgain import chapters
from qdgain.figures import diagrams, fig06, style
from qdgain.figures.fig06 import NET_GAIN, PUMP, PUMP_RATES, TIME_PS
from qdgain.figures.kit import Figure, Numbers, line, mapped, number, panel, points
from qdgain.figures.panel import DELTA_A2, ENERGY, Axis, Panel
from qdgain.model import kinetics, levels, multiexcitons, transients
from qdgain.model.bands import band_centres_eV, energy_window_eV
from qdgain.model.dot import Dot, FloatArray
from qdgain.model.multiexcitons import BANDS, Comparison, FourBands, Measurement
from qdgain.model.parameters import clipped
from qdgain.model.transients import TransientAbsorption
from qdgain.run import YOUR_DOT, Run

SETTINGS = chapters.SETTINGS["fig07"]

RHO = Axis("strength of ESA / emission, ρ")
CW_THRESHOLD = Axis("pump rate at threshold, w")
CANCELLED = Axis("part of the X emission that ESA removes")
DELTA_OD = Axis("ΔOD / OD at the peak of A_X")
LIGHT = Axis("photoluminescence / one exciton per dot")
BAND = Axis("band")
ERROR = Axis("error of the band's centre", "meV")

_TA_TIMES_PS = np.linspace(-0.5, 6.0, 196)
#: Where on the perovskite's time and fluence axes the simulated spectra lie.
_DELAYS_PS = (5.0, 15.0, 40.0, 100.0, 400.0)
_FLUENCES = (0.05, 0.15, 0.35, 0.7, 1.0)
_SEEDS = 8
#: The spectrum fitted alone: the highest fluence at the first delay.
_ALONE = (len(_FLUENCES) - 1) * len(_DELAYS_PS)


def _schemes(run: Run) -> dict[str, Dot]:
    """Return the dots with ESA by name; the 2LS is the 3LS without its Stokes shift."""
    two_level = replace(run.dots["3LS+ESA"], stokes_shift_meV=0.0)
    return {"2LS": two_level} | {name: run.dots[f"{name}+ESA"] for name in run.pairs}


# --- panel a


def level_systems(run: Run) -> tuple[Panel, ...]:
    """Return panel a: potentials and transitions of the 2, 3 and 4LS with the biexciton."""
    return diagrams.diagrams(run, _schemes(run), biexciton=True)


def cancellation(run: Run) -> Panel:
    """Return how much of the X emission ESA removes, against the absorptive biexciton shift."""
    dots = _schemes(run)
    reach = 2 * max(number(dot.linewidth_meV) for dot in dots.values())
    far = max(number(dot.stokes_shift_meV) for dot in dots.values())
    low, high = clipped("absorptive_binding_meV", [-reach, far + reach])
    binding = np.linspace(low, high, 401)
    lines = []
    for (name, dot), dash in zip(dots.items(), ("-", "--", "-.", ":"), strict=False):
        removed = levels.cancelled_fraction(replace(dot, absorptive_binding_meV=binding))
        lines.append(line(name, binding, removed, name, dash))
    return panel("", "resonance of ESA with the emission of X", DELTA_A2, CANCELLED, lines)


# --- panel b


def continuous_gain(run: Run) -> tuple[Panel, Panel]:
    """Return panel b, net gain with ESA against pump rate, and the threshold against ρ."""
    rho, strengths = run["cw_esa_strength"], np.linspace(0, 1.05, 211)
    gains, thresholds = [], []
    for name, label, scheme, dash in fig06.drawn_schemes(run):
        of = f"{name}, ρ = {rho:g}" + ("" if label == "ideal" else f", {label}")
        gains.append(line(of, PUMP_RATES, kinetics.net_gain(scheme, PUMP_RATES, rho), name, dash))
        if label == "ideal":
            alone = kinetics.net_gain(scheme, PUMP_RATES)
            gains.append(line(f"{name}, no ESA", PUMP_RATES, alone, name, ":"))
        threshold = kinetics.cw_threshold(scheme, strengths)
        reached = np.isfinite(threshold)
        if reached.any():
            shown = np.where(reached, threshold, np.nan)
            thresholds.append(line(f"{name}, {label}", strengths, shown, name, dash))
    return (
        panel("b", "continuous pumping with ESA", PUMP, NET_GAIN, gains),
        panel("", "when gain comes back", RHO, CW_THRESHOLD, thresholds),
    )


# --- panel c


def transient_absorption(run: Run) -> tuple[Panel, ...]:
    """Return panel c, three panels a dot: the map of ΔOD, its parts, and its course in time."""
    return tuple(one for name in _pumped(run) for one in _ta_panels(run, name))


def _pumped(run: Run) -> list[str]:
    return ["3LS+ESA"] if run.is_papers else ["3LS+ESA", f"{YOUR_DOT}+ESA"]


def _delta_od(run: Run, name: str, energy: FloatArray, time_ps: FloatArray) -> TransientAbsorption:
    known = ("relaxation_time_fs", "exciton_lifetime_ns", "pulse_fwhm_fs", "pumped_fraction")
    given = {setting: run[setting] for setting in (*known, "hot_binding_meV", "hot_width_ratio")}
    given["rise_fs"] = run["induced_absorption_rise_fs"]
    given["decay_ps"] = run["induced_absorption_decay_ps"]
    return transients.transient_absorption(energy, time_ps, run.dots[name], **given)


def _energies(run: Run, name: str) -> FloatArray:
    return energy_window_eV(run.dots[name], widths=5.0, points=201)


def _spot(run: Run, name: str) -> tuple[float, FloatArray, FloatArray]:
    """Return when the hot exciton peaks, with energies and ΔOD red of the bleach, in it, blue."""
    rise, decay = 1e-3 * run["induced_absorption_rise_fs"], run["induced_absorption_decay_ps"]
    time = transients.fullest_second_state(rise, decay)
    energy = _energies(run, name)
    early = _delta_od(run, name, energy, np.array([time])).total[:, 0]
    places = list(transients.around_bleach(early))
    return time, energy[places], early[places]


def _ta_panels(run: Run, name: str) -> tuple[Panel, Panel, Panel]:
    energy = _energies(run, name)
    hot, places_eV, _ = _spot(run, name)
    whole = _delta_od(run, name, energy, _TA_TIMES_PS).total.T
    od = mapped("ΔOD", energy, _TA_TIMES_PS, whole, DELTA_OD)
    labels, quantities = ("GSB", "SE", "ESA", "sum"), ("A_X", "PL_X", "A_XX2", "")
    cuts = []
    for time, dash in ((hot, "-"), (_TA_TIMES_PS[-1], "--")):
        parts = _delta_od(run, name, energy, np.array([time]))
        for label, part, quantity in zip(labels, (*parts, parts.total), quantities, strict=True):
            cuts.append(line(f"{label}, {time:.1f} ps", energy, part[:, 0], quantity, dash))
    signals = _delta_od(run, name, places_eV, _TA_TIMES_PS).total
    sides = (("red side", "PL_XX", "-"), ("bleach", "", "--"), ("blue side", "A_XX1", "-."))
    course = [
        line(f"{side}, {at:.2f} eV", _TA_TIMES_PS, signal, quantity, dash)
        for (side, quantity, dash), at, signal in zip(sides, places_eV, signals, strict=True)
    ]
    letter = "" if name.startswith(YOUR_DOT) else "c"
    return (
        panel(letter, f"after X3 pumping, {name}", ENERGY, TIME_PS, [od]),
        panel("", "its three parts", ENERGY, DELTA_OD, cuts),
        panel("", "its course in time", TIME_PS, DELTA_OD, course),
    )


def draw_transient_absorption(panels: tuple[Panel, ...]) -> Picture:
    """Draw panel c: maps, each with cuts along energy and along time."""
    rows = len(panels) // 3
    picture = style.new_figure(7.0, 4.6 * rows)
    for row, block in enumerate(style.split(picture, rows, 1)):
        whole, *cuts = panels[3 * row : 3 * row + 3]
        parts = block.add_gridspec(2, 2, width_ratios=(1, 1.2))
        left = block.add_subplot(parts[:, 0])
        mesh = style.draw_map(left, whole["ΔOD"])
        left.set_title(style.typeset(whole.title))
        style.letter(left, whole.letter)
        block.colorbar(mesh, ax=left, orientation="horizontal", label=style.typeset(DELTA_OD.label))
        for i, cut in enumerate(cuts):
            ax = block.add_subplot(parts[i, 1])
            style.draw_panel(ax, cut, legend=None)
            style.zero_line(ax)
            ax.set_ylabel("ΔOD / OD")
            end = f"{_TA_TIMES_PS[-1]:.1f} ps"
            place: dict[str, Any] = {"loc": "center left", "bbox_to_anchor": (1.0, 0.5)}
            style.legend_without(end, ax, handlelength=1.5, **place)
    return picture


# --- panel d


#: The truth behind the simulated spectra, the spectra with each noise, and what both fits find.
Study = tuple[FourBands, list[Measurement], Comparison]


def _studied(run: Run) -> Study:
    prefix = "perovskite_"
    own = {name.removeprefix(prefix): run[name] for name in SETTINGS if name.startswith(prefix)}
    mean_excitons = own.pop("mean_excitons")
    truth = multiexcitons.four_bands(exciton_lifetime_ns=run["exciton_lifetime_ns"], **own)
    return _study(truth, mean_excitons, run["streak_irf_ps"], run["spectrum_noise"], run["seed"])


@cache
def _study(truth: FourBands, mean_excitons: float, irf_ps: float, noise: float, seed: int) -> Study:
    centres, width = np.array(truth.centres_eV), 1e-3 * max(truth.widths_meV)
    many = [
        multiexcitons.simulate(
            truth,
            np.linspace(centres.min() - 2 * width, centres.max() + 2 * width, 101),
            mean_excitons * np.array(_FLUENCES),
            np.array(_DELAYS_PS),
            response_fwhm_ps=irf_ps,
            noise=noise,
            seed=seed + i,
        )
        for i in range(_SEEDS)
    ]
    return truth, many, multiexcitons.compare(truth, many, _ALONE)


def four_bands(run: Run) -> tuple[Panel, Panel]:
    """Return panel d: one spectrum and its bands from both fits, and the errors of the centres."""
    truth, many, compared = _studied(run)
    return _fitted_bands(truth, many[0]), _errors(compared)


def _fitted_bands(truth: FourBands, measured: Measurement) -> Panel:
    energy, alone = measured.energy_eV, multiexcitons.one_spectrum(measured, _ALONE)
    series = [points("simulated", energy, alone.spectra[0], marker=".")]
    for label, measurement, row, dash in (
        ("global fit", measured, _ALONE, "-"),
        ("single fit", alone, 0, ":"),
    ):
        fit = multiexcitons.fit(measurement, truth.centres_eV, truth.widths_meV)
        shapes = multiexcitons.band_shapes(energy, fit.centres_eV, fit.widths_meV)
        for band, height, shape, quantity in zip(
            BANDS, fit.amplitudes[row], shapes, ("PL_X", "PL_XX", "A_XX2", "A_XX1"), strict=True
        ):
            series.append(line(f"{band}, {label}", energy, height * shape, quantity, dash))
    return panel("d", f"CsPbBr3 at {_DELAYS_PS[0]:g} ps (simulated)", ENERGY, LIGHT, series)


def _errors(compared: Comparison) -> Panel:
    place = np.arange(1.0, 1 + len(BANDS))
    series = []
    for label, errors, expected, quantity, marker, aside in (
        ("single fit", compared.single_errors_meV, compared.single_expected_meV, "A_X", "o", -0.12),
        ("global fit", compared.global_errors_meV, compared.global_expected_meV, "PL_X", "s", 0.12),
    ):
        x = np.broadcast_to(place + aside, errors.shape).ravel()
        every, least = f"{label}, {_SEEDS} noise seeds", f"{label}, least standard error"
        series.append(points(every, x, np.abs(errors).ravel(), quantity, marker))
        series.append(points(least, place + aside, expected, quantity, "_"))
    return panel("", "fitted centre less the true one", BAND, ERROR, series)


def draw_four_bands(panels: tuple[Panel, Panel]) -> Picture:
    """Draw panel d and the errors."""
    picture = style.new_figure(7.0, 4.2)
    left, right = picture.subplots(1, 2, width_ratios=(1.25, 1))
    style.draw_panel(left, panels[0], legend=None)
    below: dict[str, Any] = {"loc": "upper center", "bbox_to_anchor": (0.5, -0.15)}
    style.legend_without("single fit", left, ncols=2, **below)
    for series in panels[1].series:
        style.draw_series(right, series)
    for mark in right.get_lines():
        mark.set_markersize(16 if mark.get_marker() == "_" else 4)
    right.set_yscale("log")
    right.set_xticks(np.arange(1, 1 + len(BANDS)), [name.replace(" ", "\n") for name in BANDS])
    right.set(xlim=(0.5, 4.5), ylabel=ERROR.label, title=panels[1].title)
    right.legend(markerscale=0.6, **below)
    return picture


#: What the chapter draws.
FIGURES = {
    "level_systems": Figure(level_systems, drawn_by=diagrams.draw_diagrams),
    "cancellation": Figure(cancellation, size=(7.0, 3.3), axes={"ylim": (0, 1)}),
    "continuous_gain": Figure(
        continuous_gain,
        size=(7.0, 5.6),
        columns=1,
        axes=(fig06.NET_GAIN_AXES, {"ylim": (-0.2, 8)}),
        legend=("ends", {"loc": "upper left", "bbox_to_anchor": (1.0, 1.0)}),
        zeros=(0,),
    ),
    "transient_absorption": Figure(transient_absorption, drawn_by=draw_transient_absorption),
    "four_bands": Figure(four_bands, drawn_by=draw_four_bands),
}


def headlines(run: Run) -> Numbers:
    """Return the chapter's numbers."""
    n = Numbers("fig07", run)
    _of_esa(n, run)
    _of_kinetics(n, run)
    for name in _pumped(run):
        _of_induced_absorption(n, run, name)
    _of_four_bands(n, run)
    return n


def _of_esa(n: Numbers, run: Run) -> None:
    dots = _schemes(run)
    for name, dot in dots.items():
        # Around the dot's Stokes shift, without leaning on it being the answer.
        width, stokes = number(dot.linewidth_meV), number(dot.stokes_shift_meV)
        binding = np.arange(-2 * width, stokes + 2 * width, 0.25)
        allowed = binding[binding == clipped("absorptive_binding_meV", binding)]
        resonance = levels.binding_of_most_cancellation_meV(dot, allowed)
        n.add("resonance-{dot}", resonance, dot=name)
        if name not in ("2LS", "4LS"):
            n.add("cancelled-{dot}", levels.cancelled_fraction(dot), dot=name)
    dots.pop("2LS")
    for name, diagram in diagrams.level_diagrams(run, dots, biexciton=True).items():
        first = levels.binding_by_energies_meV(diagram)
        n.add("definitions-{dot}", first - levels.binding_by_transitions_meV(diagram), dot=name)


def _of_kinetics(n: Numbers, run: Run) -> None:
    ideal, thermal = kinetics.ideal_schemes(), fig06.thermal_schemes(run)
    rho = run["cw_esa_strength"]
    n.add("largest-4ls", kinetics.net_gain(ideal["4LS"], PUMP_RATES, rho).max())
    n.add("largest-3ls", kinetics.net_gain(ideal["3LS"], PUMP_RATES, rho).max(), w=PUMP_RATES[-1])
    for name, scheme in thermal.items():
        n.add("rho-{scheme}", kinetics.strongest_esa(scheme), scheme=name)
    n.add("half-3ls", kinetics.cw_threshold(ideal["3LS"], 0.5))
    for name in ("3LS", "4LS"):
        dot = run.dots[f"{name}+ESA"]
        own = levels.esa_over_emission(dot, band_centres_eV(dot).emission)
        n.add("own-rho-{dot}", own, dot=name)
        if name == "3LS":
            n.add("own-ideal-3ls", kinetics.cw_threshold(ideal[name], own))
        n.add("own-thermal-{dot}", kinetics.cw_threshold(thermal[name], own), dot=name)


def _of_induced_absorption(n: Numbers, run: Run, name: str) -> None:
    own, of = ("-your-dot", ", your dot") if name.startswith(YOUR_DOT) else ("", "")
    _, places_eV, early = _spot(run, name)
    red_part, _, blue_part = early / abs(early.min())
    red, _, blue = _delta_od(run, name, places_eV, _TA_TIMES_PS).total
    fit = transients.apparent_times(_TA_TIMES_PS, blue, run["pulse_fwhm_fs"])
    named = {"own": own, "of": of, "last": _TA_TIMES_PS[-1]}
    n.add("pia-red{own}", red_part, **named)
    n.add("pia-blue{own}", blue_part, **named)
    n.add("pia-rise{own}", 1e-3 * fit.rise_fs, **named)
    n.add("pia-decay{own}", fit.decay_ps, **named)
    n.add("pia-peak{own}", _TA_TIMES_PS[blue.argmax()], **named)
    n.add("pia-late{own}", red[-1] / np.max(np.abs(red)), **named)


def _of_four_bands(n: Numbers, run: Run) -> None:
    truth, many, compared = _studied(run)
    single, together = compared.single_expected_meV, compared.global_expected_meV
    with np.errstate(invalid="ignore"):
        ratio = single / together
    n.add("four-bands-smallest", ratio.min())
    n.add("four-bands-counts", ratio.min() / np.sqrt(len(many[0].spectra)))
    alone = multiexcitons.one_spectrum(many[0], _ALONE)
    known = multiexcitons.expected_errors_meV(truth, alone, widths_known=True)
    rms = np.sqrt(np.mean(compared.global_errors_meV**2, axis=0))
    # To whole meV: where a fit has no clear minimum, its end depends on the last digits.
    median = np.round(np.median(np.abs(compared.single_errors_meV), axis=0))
    for i, band in enumerate(BANDS):
        n.add("single-{band}", single[i], band=band)
        n.add("global-{band}", together[i], band=band)
        n.add("known-{band}", known[i], band=band)
        n.add("global-actual-{band}", rms[i], band=band)
        n.add("single-actual-{band}", median[i], band=band)
