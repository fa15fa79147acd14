"""Figure 6: level systems, their transients and their gain under continuous pumping."""

from __future__ import annotations

import numpy as np

from qdgain import chapters
from qdgain.figures import diagrams
from qdgain.figures.kit import Figure, Numbers, line, number, panel, points, stated, upright
from qdgain.figures.panel import Axis, Panel
from qdgain.model import balance, kinetics, transients
from qdgain.model.bands import band_centres_eV
from qdgain.model.dot import Dot
from qdgain.model.kinetics import Scheme
from qdgain.model.transients import Photoluminescence
from qdgain.run import YOUR_DOT, Run

SETTINGS = chapters.SETTINGS["fig06"]

TIME_PS = Axis("time after the pump", "ps")
TIME_FS = Axis("time after the pump", "fs")
NORMALISED = Axis("signal / its largest value")
BUILD_UP = Axis("stimulated emission of X / its final value")
PUMP = Axis("pump rate × lifetime of the emitting state, w")
NET_GAIN = Axis("net gain / (σ × density)")
TRUE = Axis("true cooling time", "ps")
FOUND = Axis("recovered cooling time", "ps")

PUMP_RATES = np.geomspace(1e-2, 1e2, 161)
NET_GAIN_AXES = {"xscale": "log", "xlim": (1e-2, 1e2), "ylim": (-1.05, 1.05)}
_TIMES_PS = np.linspace(-6.0, 16.0, 177)
#: A relative standard error up to which a time counts as resolved.
_RESOLVED = 0.1


def level_systems(run: Run) -> tuple[Panel, ...]:
    """Return panel a: the potentials and transitions of the 2, 3, 4 and 5LS."""
    three, four = run.dots["3LS"], run.dots["4LS"]
    dots = {"2LS": three, "3LS": three, "4LS": four, "5LS": four}
    if not run.is_papers:
        dots[YOUR_DOT] = run.dots[YOUR_DOT]
    return diagrams.diagrams(run, dots, biexciton=False)


# --- panel b


def photoluminescence_and_resolution(run: Run) -> tuple[Panel, Panel]:
    """Return panel b and its companion."""
    return photoluminescence(run), resolution(run)


def photoluminescence(run: Run) -> Panel:
    """Return panel b: photoluminescence at hot and band-edge energies, and the response."""
    low, high = transients.STATED_COOLING_PS
    dot, stated = run.dots["3LS"], run["cooling_time_ps"]
    # Normalised curves cross, so the range needs more than the curves at its two ends.
    within = [_normalised(run, dot, cooling) for cooling in np.linspace(low, high, 17)]
    curves = _normalised(run, dot, stated)
    series = []
    for i, (window, quantity) in enumerate((("hot", "onset"), ("band edge", "PL_X"))):
        spread = [signal[i] for signal in within]
        ends = {"y_low": np.min(spread, axis=0), "y_high": np.max(spread, axis=0), "kind": "band"}
        for name, more in ((f"cooling in {stated:g} ps", {}), (f"{low:g} to {high:g} ps", ends)):
            series.append(line(f"{window}, {name}", _TIMES_PS, curves[i], quantity, **more))
    if not run.is_papers:
        yours = _normalised(run, run.dots[YOUR_DOT], stated).band_edge
        series.append(line(f"band edge, {YOUR_DOT}", _TIMES_PS, yours, YOUR_DOT, "--"))
    response = transients.convolved_decay(_TIMES_PS, 1e-6, run["streak_irf_ps"])
    series.append(line("response", _TIMES_PS, response / response.max(), "reference", ":"))
    return panel("b", "photoluminescence after 400 nm pumping", TIME_PS, NORMALISED, series)


def _known_times(run: Run) -> dict[str, float]:
    known = {name: run[name] for name in ("relaxation_time_fs", "exciton_lifetime_ns")}
    return known | {"response_fwhm_ps": run["streak_irf_ps"]}


def _signal(run: Run, dot: Dot, cooling_ps: float) -> Photoluminescence:
    known = _known_times(run)
    return transients.photoluminescence(_TIMES_PS, dot, cooling_time_ps=cooling_ps, **known)


def _normalised(run: Run, dot: Dot, cooling_ps: float) -> Photoluminescence:
    return Photoluminescence(*(y / y.max() for y in _signal(run, dot, cooling_ps)))


def resolution(run: Run) -> Panel:
    """Return what cooling times a fit recovers from simulated transients, against the true ones."""
    true = np.geomspace(0.25, 6.0, 7)
    fits = [_cooling_fit(run, cooling, run["seed"] + i) for i, cooling in enumerate(true)]
    found, error = np.array(fits).T
    bars = {"y_low": found - error, "y_high": found + error}
    series = [
        points("fit, one standard error", true, found, marker="-", **bars),
        line("true", true, true, "reference", ":"),
    ]
    title = f"what a {run['streak_irf_ps']:g} ps response resolves"
    return panel("", title, TRUE, FOUND, series)


def _cooling_fit(run: Run, cooling_ps: float, seed: int | None) -> transients.CoolingFit:
    """Fit a simulated pair of transients; without a seed they carry no noise."""
    dot, noise = run.dots["3LS"], run["transient_noise"]
    start: float | None
    signal, start = _signal(run, dot, cooling_ps), cooling_ps
    if seed is not None:
        signal, start = transients.with_noise(signal, noise, seed), None
    return transients.recovered_cooling_time(
        _TIMES_PS, signal, dot, noise=noise, start_ps=start, **_known_times(run)
    )


# --- panel c


def build_up(run: Run) -> Panel:
    """Return panel c: the stimulated emission of X after X1 pumping, at the centre of PL_X."""
    tau, pulse = run["relaxation_time_fs"], run["pulse_fwhm_fs"]
    time = np.linspace(-2 * pulse, 6 * tau, 241)
    lines = [line("population of X_E", time, transients.relaxed_fraction(time, tau, pulse))]
    for name, dash in zip(run.pairs, ("--", "-.", ":"), strict=False):
        dot = run.dots[name]
        emitted = transients.emission_build_up(
            time, dot, number(band_centres_eV(dot).emission), tau, pulse
        )
        lines.append(line(f"at PL_X, {name}", time, emitted, name, dash))
    lines.append(upright("the paper's 500 fs", 1e3 * stated("F6-se-buildup"), 0.0, 1.0))
    return panel("c", "build-up of stimulated emission", TIME_FS, BUILD_UP, lines)


# --- panel d


def thermal_schemes(run: Run) -> dict[str, Scheme]:
    """Return the 3LS, the 4LS and a user's 5LS with finite rates and at a temperature."""
    kinds = {"3LS": "3LS", "4LS": "4LS"} | ({} if run.is_papers else {YOUR_DOT: "5LS"})
    return {
        name: kinetics.thermal_scheme(
            kind,
            number(run.dots[name].stokes_shift_meV),
            run["temperature_K"],
            _branching(run),
            run["splitting_fraction"],
        )
        for name, kind in kinds.items()
    }


def _branching(run: Run) -> float:
    return float(1e-6 * run["relaxation_time_fs"] / run["exciton_lifetime_ns"])


def drawn_schemes(run: Run) -> list[tuple[str, str, Scheme, str]]:
    """Return name, what tells it apart, scheme and dash of the ideal and the thermal schemes."""
    ideal, thermal = kinetics.ideal_schemes(), thermal_schemes(run)
    drawn = [(name, "ideal", scheme, "-") for name, scheme in ideal.items()]
    at = f"{run['temperature_K']:g} K"
    return drawn + [(name, at, scheme, "--") for name, scheme in thermal.items()]


def continuous_gain(run: Run) -> Panel:
    """Return panel d: net gain against pump rate, ideal and with finite rates at a temperature."""
    lines = [
        line(f"{name}, {label}", PUMP_RATES, kinetics.net_gain(scheme, PUMP_RATES), name, dash)
        for name, label, scheme, dash in drawn_schemes(run)
    ]
    return panel("d", "continuous pumping", PUMP, NET_GAIN, lines)


#: What the chapter draws.
FIGURES = {
    "level_systems": Figure(level_systems, drawn_by=diagrams.draw_diagrams),
    "photoluminescence": Figure(
        photoluminescence_and_resolution,
        size=(7.0, 3.4),
        widths=(1.5, 1),
        axes=(
            {"ylim": (0, 1.1)},
            {"xscale": "log", "yscale": "log", "xlim": (0.1, 10), "ylim": (0.1, 10)},
        ),
        legend=(
            {"loc": "lower right", "bbox_to_anchor": (1.07, 0.12), "handlelength": 1.2},
            {"loc": "upper left"},
        ),
    ),
    "build_up": Figure(
        build_up, size=(7.0, 3.6), axes={"ylim": (0, 1.1)}, legend={"loc": "lower right"}
    ),
    "continuous_gain": Figure(
        continuous_gain, size=(7.0, 3.4), axes=NET_GAIN_AXES, legend="ends", zeros=(0,)
    ),
}


def headlines(run: Run) -> Numbers:
    """Return the chapter's numbers."""
    n = Numbers("fig06", run)
    two_level = diagrams.level_diagrams(run, {"2LS": run.dots["3LS"]}, biexciton=False)["2LS"]
    absorbed, emitted = (two_level.transition(name).energy_eV for name in ("pump", "emission"))
    n.add("energies-2ls", 1e3 * (absorbed - emitted))
    for name, scheme in kinetics.ideal_schemes().items():
        n.add("ideal-{scheme}", kinetics.cw_threshold(scheme), scheme=name)
    for name, scheme in thermal_schemes(run).items():
        n.add("thermal-{scheme}", kinetics.cw_threshold(scheme), scheme=name)
    n.add("branching", _branching(run))
    _of_cooling(n, run)
    _of_dots(n, run)
    return n


def _of_cooling(n: Numbers, run: Run) -> None:
    found, error = _cooling_fit(run, run["cooling_time_ps"], run["seed"])
    true = np.geomspace(0.08, 0.3, 4) * run["streak_irf_ps"]
    relative = [_cooling_fit(run, time, None).standard_error_ps / time for time in true]
    # The relative error falls as the cooling time grows towards the response's width.
    shortest = np.exp(np.interp(-np.log(_RESOLVED), -np.log(relative), np.log(true)))
    n.add("hot-cooling", found)
    n.add("hot-cooling-error", error)
    n.add("resolved", shortest, error=100 * _RESOLVED)


def _of_dots(n: Numbers, run: Run) -> None:
    """Add how fast the emission builds up, and how the Stokes shifts are to the linewidths."""
    tau = run["relaxation_time_fs"]
    time = np.linspace(0, 6 * tau, 6001)
    risen = transients.relaxed_fraction(time, tau, run["pulse_fwhm_fs"])
    n.add("build-up", 1e-3 * np.interp(1 - np.exp(-1), risen, time))
    for name in run.pairs:
        dot = run.dots[name]
        prompt = transients.emission_before_relaxation(dot, band_centres_eV(dot).emission)
        n.add("prompt-{dot}", prompt, dot=name)
    for name in ("3LS", "4LS"):
        dot = run.dots[name]
        ratio = number(dot.stokes_shift_meV) / number(dot.linewidth_meV)
        n.add("stokes-linewidth-{dot}", ratio, dot=name)
    width = run.dots["3LS"].linewidth_meV
    balanced = balance.balanced_stokes_shift_meV(width, run["temperature_K"])
    n.add("balanced", number(balanced) / number(width))
