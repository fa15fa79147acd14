"""Figure 6: level systems, their transients and their gain under continuous pumping."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from matplotlib.figure import Figure as Picture

from qdgain import chapters
from qdgain.figures import diagrams, kit, style
from qdgain.figures.panel import Axis, Panel, Series
from qdgain.model import balance as detailed_balance
from qdgain.model import kinetics, transients
from qdgain.model.bands import band_centres_eV
from qdgain.model.dot import Dot, FloatArray
from qdgain.model.kinetics import Scheme
from qdgain.model.levels import level_diagram
from qdgain.paper.claims import Headline
from qdgain.run import YOUR_DOT, Run

SETTINGS = chapters.SETTINGS["fig06"]

_TIME_PS = Axis("time after the pump", "ps")
_TIME_FS = Axis("time after the pump", "fs")
_NORMALISED = Axis("signal / its largest value")
_BUILD_UP = Axis("stimulated emission of X / its final value")
_PUMP = Axis("pump rate × lifetime of the emitting state, w")
_NET = Axis("net gain / emission cross section and density")
_TRUE = Axis("true cooling time", "ps")
_FOUND = Axis("recovered cooling time", "ps")

_TIMES_PS = np.linspace(-6.0, 16.0, 177)
_PUMP_RATES = np.geomspace(1e-2, 1e2, 161)
#: A relative standard error up to which a time counts as resolved.
_RESOLVED = 0.1


def _schemes(run: Run) -> dict[str, Dot]:
    """Return which dot lends its energies to which scheme."""
    dots = {
        "2LS": run.dots["3LS"],
        "3LS": run.dots["3LS"],
        "4LS": run.dots["4LS"],
        "5LS": run.dots["4LS"],
    }
    return dots if run.is_papers else dots | {YOUR_DOT: run.dots[YOUR_DOT]}


def level_systems(run: Run) -> tuple[Panel, ...]:
    """Return panel a: the potentials and transitions of the 2, 3, 4 and 5LS."""
    return diagrams.diagrams(run, _schemes(run), biexciton=False)


def draw_level_systems(panels: tuple[Panel, ...]) -> Picture:
    """Draw panel a."""
    return diagrams.draw_diagrams(panels)


# --- panel b


def _known_times(run: Run) -> dict[str, float]:
    return {
        "relaxation_time_fs": run["relaxation_time_fs"],
        "exciton_lifetime_ns": run["exciton_lifetime_ns"],
        "response_fwhm_ps": run["streak_irf_ps"],
    }


def photoluminescence(run: Run) -> Panel:
    """Return panel b: photoluminescence at hot and band-edge energies, and the response."""
    low, high = transients.STATED_COOLING_PS
    common: dict[str, Any] = {"x_axis": _TIME_PS, "y_axis": _NORMALISED}
    series = []

    def normalised(signal: FloatArray) -> FloatArray:
        return np.asarray(signal / signal.max())

    def windows(dot: Dot, cooling_time_ps: float) -> dict[str, FloatArray]:
        """Return the normalised transients at hot and band-edge energies."""
        light = transients.photoluminescence(
            _TIMES_PS, dot, cooling_time_ps=cooling_time_ps, **_known_times(run)
        )
        return {"hot": normalised(light.hot), "band edge": normalised(light.band_edge)}

    papers = run.dots["3LS"]
    # Normalised curves cross, so the range needs more than the curves at its two ends.
    within = [windows(papers, cooling) for cooling in np.linspace(low, high, 17)]
    for window, line in windows(papers, run["cooling_time_ps"]).items():
        quantity = "onset" if window == "hot" else "PL_X"
        spread = np.array([curves[window] for curves in within])
        series += [
            Series(
                f"{window}, cooling in {run['cooling_time_ps']:g} ps",
                _TIMES_PS,
                line,
                quantity=quantity,
                **common,
            ),
            Series(
                f"{window}, {low:g} to {high:g} ps",
                _TIMES_PS,
                line,
                quantity=quantity,
                kind="band",
                y_low=spread.min(axis=0),
                y_high=spread.max(axis=0),
                **common,
            ),
        ]
    if not run.is_papers:
        series.append(
            Series(
                f"band edge, {YOUR_DOT}",
                _TIMES_PS,
                windows(run.dots[YOUR_DOT], run["cooling_time_ps"])["band edge"],
                quantity=YOUR_DOT,
                dash="--",
                **common,
            )
        )
    response = transients.convolved_decay(_TIMES_PS, 1e-6, run["streak_irf_ps"])
    series.append(
        Series(
            "response",
            _TIMES_PS,
            normalised(response),
            _TIME_PS,
            _NORMALISED,
            quantity="reference",
            dash=":",
        )
    )
    return Panel("b", "photoluminescence after 400 nm pumping", tuple(series))


def resolution(run: Run) -> Panel:
    """Return what cooling times a fit recovers from simulated transients, against the true ones."""
    true = np.geomspace(0.25, 6.0, 7)
    fits = [_cooling_fit(run, cooling, run["seed"] + i) for i, cooling in enumerate(true)]
    found, error = np.array(fits).T
    return Panel(
        "",
        f"what a {run['streak_irf_ps']:g} ps response resolves",
        (
            Series(
                "fit, one standard error",
                true,
                found,
                _TRUE,
                _FOUND,
                kind="points",
                y_low=found - error,
                y_high=found + error,
            ),
            Series("true", true, true, _TRUE, _FOUND, quantity="reference", dash=":"),
        ),
    )


def _cooling_fit(run: Run, cooling_ps: float, seed: int | None) -> transients.CoolingFit:
    """Fit a simulated pair of transients; without a seed they carry no noise."""
    dot, noise = run.dots["3LS"], run["transient_noise"]
    known = _known_times(run)
    signal = transients.photoluminescence(_TIMES_PS, dot, cooling_time_ps=cooling_ps, **known)
    if seed is None:
        return transients.recovered_cooling_time(
            _TIMES_PS, signal, dot, noise=noise, start_ps=cooling_ps, **known
        )
    signal = transients.with_noise(signal, noise, seed)
    return transients.recovered_cooling_time(_TIMES_PS, signal, dot, noise=noise, **known)


def draw_photoluminescence(panels: tuple[Panel, Panel]) -> Picture:
    """Draw panel b, and what can be got out of it."""
    with style.book_style():
        figure = style.new_figure(8.0, 3.6)
        left, right = figure.subplots(1, 2, width_ratios=(1.6, 1))
        style.draw_panel(left, panels[0], legend=None)
        left.set_ylim(0, 1.45)
        left.legend(loc="upper right", ncols=2, fontsize=7)
        style.draw_panel(right, panels[1], legend="upper left")
        right.set(xscale="log", yscale="log", xlim=(0.1, 10), ylim=(0.1, 10))
    return figure


def photoluminescence_and_resolution(run: Run) -> tuple[Panel, Panel]:
    """Return panel b and its companion."""
    return photoluminescence(run), resolution(run)


# --- panel c


def build_up(run: Run) -> Panel:
    """Return panel c: the stimulated emission of X after X1 pumping, at the centre of PL_X."""
    tau, pulse = run["relaxation_time_fs"], run["pulse_fwhm_fs"]
    time = np.linspace(-2 * pulse, 6 * tau, 241)
    series = [
        Series(
            "population of X_E",
            time,
            transients.relaxed_fraction(time, tau, pulse),
            _TIME_FS,
            _BUILD_UP,
        )
    ]
    for name, dash in zip(run.pairs, ("--", "-.", ":"), strict=False):
        dot = run.dots[name]
        centre = float(band_centres_eV(dot).emission)
        series.append(
            Series(
                f"at PL_X, {name}",
                time,
                transients.emission_build_up(time, dot, centre, tau, pulse),
                _TIME_FS,
                _BUILD_UP,
                quantity=name,
                dash=dash,
            )
        )
    return Panel("c", "build-up of stimulated emission", tuple(series))


def draw_build_up(panel: Panel) -> Picture:
    """Draw panel c."""
    with style.book_style():
        figure = style.new_figure()
        ax = figure.subplots()
        style.draw_panel(ax, panel, legend="lower right")
        ax.set_ylim(0, 1.1)
    return figure


# --- panel d


def ideal_schemes() -> dict[str, Scheme]:
    """Return the ideal 2, 3 and 4LS: every step but the emission is instant and one-way."""
    return {
        "2LS": kinetics.two_level(),
        "3LS": kinetics.three_level(),
        "4LS": kinetics.four_level(),
    }


def thermal_schemes(run: Run, dots: Mapping[str, Dot]) -> dict[str, Scheme]:
    """Return the 3LS, the 4LS and a user's 5LS with finite rates and at a temperature.

    Relaxation takes its time out of the exciton's lifetime, and every step down has its thermal
    step up: X_E → X_A over the splitting, ground → terminal level over the reorganisation energy.
    """
    b = _branching(run)

    def occupation(energy_meV: float) -> float:
        return float(kinetics.thermal_ratio(energy_meV, run["temperature_K"]))

    stokes = {name: float(dot.stokes_shift_meV) for name, dot in dots.items()}
    schemes = {
        "3LS": kinetics.three_level(b, occupation(stokes["3LS"])),
        "4LS": kinetics.four_level(b, b, occupation(stokes["4LS"] / 2)),
    }
    if YOUR_DOT in stokes:
        splitting = run["splitting_fraction"] * stokes[YOUR_DOT]
        reorganisation = (stokes[YOUR_DOT] - splitting) / 2
        schemes[YOUR_DOT] = kinetics.five_level(
            b, b, b, occupation(splitting), occupation(reorganisation)
        )
    return schemes


def _branching(run: Run) -> float:
    return float(1e-6 * run["relaxation_time_fs"] / run["exciton_lifetime_ns"])


def continuous_gain(run: Run) -> Panel:
    """Return panel d: net gain against pump rate, ideal and with finite rates at a temperature."""
    series = [
        Series(
            f"{name}, ideal",
            _PUMP_RATES,
            kinetics.net_gain(scheme, _PUMP_RATES),
            _PUMP,
            _NET,
            quantity=name,
        )
        for name, scheme in ideal_schemes().items()
    ]
    series += [
        Series(
            f"{name}, {run['temperature_K']:g} K",
            _PUMP_RATES,
            kinetics.net_gain(scheme, _PUMP_RATES),
            _PUMP,
            _NET,
            quantity=name,
            dash="--",
        )
        for name, scheme in thermal_schemes(run, run.dots).items()
    ]
    return Panel("d", "continuous pumping", tuple(series))


def draw_continuous_gain(panel: Panel) -> Picture:
    """Draw panel d."""
    with style.book_style():
        figure = style.new_figure()
        ax = figure.subplots()
        style.draw_panel(ax, panel, legend="upper left")
        ax.axhline(0, color="black", linewidth=0.6)
        ax.set_xscale("log")
        ax.set_ylim(-1.05, 1.05)
    return figure


#: What the chapter draws: name -> (series, drawing).
FIGURES = {
    "level_systems": kit.Figure(level_systems, draw_level_systems),
    "photoluminescence": kit.Figure(photoluminescence_and_resolution, draw_photoluminescence),
    "build_up": kit.Figure(build_up, draw_build_up),
    "continuous_gain": kit.Figure(continuous_gain, draw_continuous_gain),
}


def headlines(run: Run) -> tuple[Headline, ...]:
    """Return the chapter's numbers."""
    two_level = level_diagram("2LS", run.dots["3LS"], run["phonon_energy_meV"])
    absorbed, emitted = (two_level.transition(name).energy_eV for name in ("pump", "emission"))
    return (
        Headline(
            "F6-2ls-energies",
            "absorption less emission energy of the 2LS",
            1e3 * (absorbed - emitted),
            "meV",
        ),
        *_kinetic_headlines(run),
        *_transient_headlines(run),
        *_width_headlines(run),
    )


def _kinetic_headlines(run: Run) -> list[Headline]:
    claim_of = {"2LS": "F6-2ls-no-gain", "3LS": "F6-3ls-threshold", "4LS": "F6-4ls-thresholdless"}
    rows = [
        Headline(
            claim_of[name],
            f"pump rate w at which the ideal {name} begins to gain",
            float(kinetics.cw_threshold(scheme)),
        )
        for name, scheme in ideal_schemes().items()
    ]
    rows += [
        Headline(
            f"fig06-thermal-{name.replace(' ', '-').lower()}",
            f"the same at {run['temperature_K']:g} K with finite rates, {name}",
            float(kinetics.cw_threshold(scheme)),
        )
        for name, scheme in thermal_schemes(run, run.dots).items()
    ]
    rows.append(
        Headline("fig06-branching", "relaxation time over exciton lifetime", _branching(run))
    )
    return rows


def _transient_headlines(run: Run) -> list[Headline]:
    fit = _cooling_fit(run, run["cooling_time_ps"], run["seed"])
    rows = [
        Headline("F6-hot-cooling", "cooling time recovered from noisy transients", fit[0], "ps"),
        Headline("fig06-hot-cooling-error", "its standard error", fit[1], "ps"),
        Headline(
            "fig06-resolved",
            f"shortest cooling time known to {100 * _RESOLVED:g} % at this noise",
            _shortest_resolved_ps(run),
            "ps",
        ),
    ]
    tau, pulse = run["relaxation_time_fs"], run["pulse_fwhm_fs"]
    time = np.linspace(0, 6 * tau, 6001)
    risen = transients.relaxed_fraction(time, tau, pulse)
    rows.append(
        Headline(
            "F6-se-buildup",
            "time at which X_E holds 1 - 1/e of the excitons",
            float(1e-3 * np.interp(1 - np.exp(-1), risen, time)),
            "ps",
        )
    )
    for name in run.pairs:
        dot = run.dots[name]
        centre = band_centres_eV(dot).emission
        prompt = transients.emission_before_relaxation(dot, centre)
        rows.append(
            Headline(
                f"fig06-prompt-{name.replace(' ', '-').lower()}",
                f"emission at the centre of PL_X before relaxation / after it, {name}",
                float(prompt),
            )
        )
    return rows


def _shortest_resolved_ps(run: Run) -> float:
    true = np.geomspace(0.08, 0.3, 4) * run["streak_irf_ps"]
    relative = [_cooling_fit(run, t, None).standard_error_ps / t for t in true]
    # The relative error falls as the cooling time grows towards the response's width.
    return float(np.exp(np.interp(-np.log(_RESOLVED), -np.log(relative), np.log(true))))


def _width_headlines(run: Run) -> list[Headline]:
    rows = []
    for name, key in (("3LS", "F6-stokes-linewidth"), ("4LS", "fig06-stokes-linewidth-4ls")):
        dot = run.dots[name]
        rows.append(
            Headline(
                key,
                f"Stokes shift / linewidth, {name}",
                float(dot.stokes_shift_meV) / float(dot.linewidth_meV),
            )
        )
    balanced = detailed_balance.balanced_stokes_shift_meV(
        run.dots["3LS"].linewidth_meV, run["temperature_K"]
    )
    rows.append(
        Headline(
            "fig06-balanced",
            f"Stokes shift / linewidth in detailed balance at {run['temperature_K']:g} K",
            float(balanced) / float(run.dots["3LS"].linewidth_meV),
        )
    )
    return rows
