"""Figure 9: amplified spontaneous emission, small-signal and saturated, and from measured gain."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from functools import cache

import numpy as np
from matplotlib.axes import Axes
from numpy.typing import ArrayLike
from scipy.interpolate import PchipInterpolator

from qdgain import chapters
from qdgain.figures import emission_maps as maps
from qdgain.figures import fig09_measured, kit, style
from qdgain.figures.kit import Figure, Numbers, level, line, look, number, panel, points, stated
from qdgain.figures.panel import DELTA_A2, FLUENCE, Axis, Panel
from qdgain.model import film, parameters, spike
from qdgain.model.bands import band_centres_eV, bands, energy_window_eV
from qdgain.model.dot import FloatArray
from qdgain.model.film import AseThreshold, ase_threshold
from qdgain.model.populations import mean_excitons_after_pulse
from qdgain.model.saturation import SaturatedEmission, saturated_emission
from qdgain.model.search import parabolic_peak
from qdgain.model.states import weights_of_bands
from qdgain.run import Run

SETTINGS = chapters.SETTINGS["fig09"]

_LETTERS = {"3LS": "a", "3LS+ESA": "b", "4LS": "c", "4LS+ESA": "d"}
_ASE_THRESHOLD = Axis("ASE threshold", "mJ cm⁻²")
_ABOVE = Axis("pump fluence / ASE threshold")
_OFFSET = Axis("spike's offset from the centre of PL_X", "meV")
_WIDTH = Axis("width of the emission (FWHM)", "meV")
_PHOTONS = Axis("photons along the film, per dot")
_TIME_UNITS = ("fs", "ps", "ns")
_TIMES_THRESHOLD = (1.0, 1.5, 2.0, 3.0)
_SWEEP = 11
_TICKS = (1, 2, 5, 10, 20)
_AROUND_THRESHOLD = np.array([0.25, 0.5, 0.8, 1.0, 1.1, 1.25, 1.5, 1.75, 2.0, 2.5, 3.0])
#: ln of the most photons drawn, lest their number overflow.
_LARGEST_LOG = 600.0
#: What is quoted of the ratio of the spikes, from so far above the threshold with ESA.
_FROM = 1.2

_saturated: Callable[..., SaturatedEmission] = cache(saturated_emission)


def _film(run: Run) -> tuple[float, float, str]:
    """Return L_g, J_π and the statistics, as `qdgain.model.film.ase_threshold` takes them."""
    return run["gain_exponent"], run["pi_pulse_fluence_mJ_cm2"], run["statistics"]


def _threshold(run: Run, name: str) -> AseThreshold:
    return ase_threshold(run.dots[name], *_film(run))


def _excitons(run: Run, fluence: FloatArray) -> FloatArray:
    return mean_excitons_after_pulse(fluence, run["pi_pulse_fluence_mJ_cm2"], run["statistics"])


def spectra(run: Run) -> tuple[Panel, ...]:
    """Return panels a to d, and two for a user's dot: relative ASE spectra up to the π pulse."""
    return tuple(_dot_panel(run, name) for name in run.dots)


def _dot_panel(run: Run, name: str) -> Panel:
    dot, (length, pi_pulse, law) = run.dots[name], _film(run)
    # The paper's four panels share the widest window.
    window = run.dots["4LS+ESA"] if name in _LETTERS else dot
    energy, fluence = energy_window_eV(window, points=241), pi_pulse * maps.LOG_STEPS
    mean, threshold = _excitons(run, fluence), _threshold(run, name)
    log_spectrum = film.log_ase_spectrum(dot, energy, mean, length, law)
    above = [
        maps.spectrum("PL_X", energy, bands(dot, energy).emission, "PL_X", ":"),
        maps.spectrum("at J_π", energy, maps.relative(log_spectrum[-1]), "ASE", "-"),
    ]
    if np.isfinite(threshold.fluence_mJ_cm2):
        at = film.log_ase_spectrum(dot, energy, threshold.mean_excitons, length, law)
        above.append(
            maps.spectrum("at threshold", energy, maps.relative(at), "ASE threshold", "--")
        )
    saturated = _saturated_sweep(run, name)[1]
    inside = (saturated.energy_eV >= energy[0]) & (saturated.energy_eV <= energy[-1])
    wide, last = saturated.energy_eV[inside], saturated.spectrum_per_meV[-1][inside]
    above.append(maps.spectrum("saturated", wide, last, "saturated ASE", "-."))
    if name in _LETTERS:
        above.append(maps.stated_threshold(f"F9-{kit.slug(name)}"))
    crest = film.spike_position_eV(dot, mean, length, law)
    ratio = spike.log_energy_ratio(dot, mean, length, law)
    sweep = maps.Sweep(energy, fluence, log_spectrum, ratio, crest)
    return maps.emission_map(_LETTERS.get(name, ""), name, sweep, above, threshold.fluence_mJ_cm2)


def _saturated_sweep(run: Run, name: str) -> tuple[FloatArray, SaturatedEmission]:
    """Return fluences up to the π pulse, which comes last, and the saturated emission at each."""
    _, pi_pulse, _ = _film(run)
    # Dense around the threshold, where the curve bends, and even in √J up to the π pulse.
    near = float(_threshold(run, name).fluence_mJ_cm2) * _AROUND_THRESHOLD
    far = pi_pulse * np.linspace(0, 1, _SWEEP + 1) ** 2
    fluence = np.unique(np.concatenate([near[near < pi_pulse], far]))
    mean = tuple(_excitons(run, fluence).tolist())
    return fluence, _saturated_at(run, name, mean, run["third_exciton"])


def _saturated_at(
    run: Run, name: str, mean: tuple[float, ...], third_exciton: str
) -> SaturatedEmission:
    (length, _, law), beta = _film(run), run["guided_fraction"]
    return _saturated(run.dots[name], mean, length, beta, law, third_exciton=third_exciton)


def spikes(run: Run) -> tuple[Panel, Panel]:
    """Return the spike's offset from the centre of PL_X and its width, against J/J_th."""
    offsets, widths = [], []
    length, pi_pulse, law = _film(run)
    for name in run.dots:
        threshold = float(_threshold(run, name).fluence_mJ_cm2)
        if not threshold < pi_pulse:
            continue
        ratio = np.geomspace(1.0, pi_pulse / threshold, 80)
        # The last point is the π pulse itself, not a rounding error beyond it.
        fluence = np.minimum(ratio * threshold, pi_pulse)
        offset = _offset_meV(run, name, fluence)
        width = spike.spike_width_meV(run.dots[name], _excitons(run, fluence), length, law)
        offsets.append(line(name, ratio, offset, *look(name)))
        widths.append(line(name, ratio, width, *look(name)))
    return (
        panel("", "position", _ABOVE, _OFFSET, offsets),
        panel("", "width", _ABOVE, _WIDTH, widths),
    )


def _offset_meV(run: Run, name: str, fluence: FloatArray) -> FloatArray:
    """Return how far the spike is from the centre of PL_X; positive is blue."""
    dot, (length, _, law) = run.dots[name], _film(run)
    position = film.spike_position_eV(dot, _excitons(run, fluence), length, law)
    return np.asarray(1e3 * (position - band_centres_eV(dot).emission))


def _finish_spikes(axes: list[Axes], panels: tuple[Panel, ...]) -> None:
    if panels[0].series:
        axes[0].axhline(0, color="black", linewidth=0.6)
        axes[0].legend()
    for ax in axes:
        ax.set_xticks(_TICKS, [f"{times:d}" for times in _TICKS])
        ax.minorticks_off()


def thresholds(run: Run) -> Panel:
    """Return the ASE threshold against the absorptive biexciton shift, with and without ESA."""
    series = []
    for name in run.dots:
        own, of = _threshold(run, name).fluence_mJ_cm2, look(name)[0]
        if name.endswith("+ESA"):
            binding, found = _against_binding(run, name)
            series.append(line(name, binding, np.where(np.isfinite(found), found, np.nan), of))
        if not np.isfinite(own):
            continue
        if name.endswith("+ESA"):
            label = f"{name}, preset" if name in _LETTERS else f"{name}, as given"
            series.append(points(label, run.dots[name].absorptive_binding_meV, own, of))
        else:
            series.append(level(f"{name}, any Δ_A2", float(own), of, ":"))
    papers = [stated(f"F9-{kit.slug(name)}") for name in _LETTERS]
    left = np.full(len(papers), _against_binding(run, "3LS+ESA")[0][0])
    series.append(points("the paper", left, papers, "reference", ">"))
    return panel("", "", DELTA_A2, _ASE_THRESHOLD, series)


def _against_binding(run: Run, name: str) -> tuple[FloatArray, FloatArray]:
    """Return absorptive biexciton shifts in meV and the threshold at each."""
    dot = run.dots[name]
    stokes, reach = number(dot.stokes_shift_meV), 2.5 * number(dot.linewidth_meV)
    low, high = parameters.clipped("absorptive_binding_meV", [stokes - reach, stokes + reach])
    binding = np.linspace(low, high, 161)
    many = replace(dot, absorptive_binding_meV=binding)
    return binding, ase_threshold(many, *_film(run)).fluence_mJ_cm2


def _finish_thresholds(axes: list[Axes], _: tuple[Panel, ...]) -> None:
    style.legend_without("(preset|as given)$", axes[0], loc="upper right")


def saturation(run: Run) -> tuple[Panel, ...]:
    """Return emission along the film against fluence, saturated and by the simple formula."""
    fine = run["pi_pulse_fluence_mJ_cm2"] * np.linspace(0, 1, 201)[1:]
    panels = []
    for scheme in run.pairs:
        series = []
        for name in (scheme, f"{scheme}+ESA"):
            fluence, emission = _saturated_sweep(run, name)
            simple = np.exp(np.minimum(_log_simple_photons(run, name, fine), _LARGEST_LOG))
            (_, dash), label = look(name), f"{name}, simple formula"
            smooth = PchipInterpolator(fluence, emission.guided_photons)(fine)
            series.append(line(name, fine, smooth, scheme, dash))
            series.append(line(label, fine, simple, "reference", dash))
        panels.append(panel("", scheme, FLUENCE, _PHOTONS, series))
    return tuple(panels)


def _log_simple_photons(run: Run, name: str, fluence: FloatArray) -> FloatArray:
    length, _, law = _film(run)
    mean, beta = _excitons(run, fluence), run["guided_fraction"]
    return spike.log_undepleted_photons(run.dots[name], mean, length, beta, law)


def _finish_saturation(axes: list[Axes], panels: tuple[Panel, ...]) -> None:
    for ax, one in zip(axes, panels, strict=True):
        top = max(np.max(s.values) for s in one.series if "simple" not in s.name)
        ax.set_ylim(0, 1.1 * float(top))
        handles, labels = ax.get_legend_handles_labels()
        named = handles[0], handles[2], handles[1]
        ax.legend(named, [labels[0], labels[2], "simple formula"], loc="lower right")


FIGURES = {
    "spectra": Figure(spectra, maps.draw_emission_maps),
    "spikes": Figure(
        spikes, size=(7.6, 3.4), axes={"xscale": "log"}, legend=None, finish=_finish_spikes
    ),
    "thresholds": Figure(
        thresholds, axes={"ylim": (0, None)}, legend=None, finish=_finish_thresholds
    ),
    "saturation": Figure(
        saturation, size=(3.8, 3.4), per_panel=True, legend=None, finish=_finish_saturation
    ),
    "measured": Figure(fig09_measured.measured, maps.draw_emission_maps),
}


def headlines(run: Run) -> Numbers:
    """Return the chapter's numbers: those the paper states, and those it leaves out."""
    n = small_signal_headlines(run)
    for name in run.dots:
        _of_saturated(n, run, name)
    for scheme in run.pairs:
        _of_amplitude(n, run, scheme)
    for source in fig09_measured.sources(run):
        fig09_measured.of_measured(n, run, source)
    return n


def small_signal_headlines(run: Run) -> Numbers:
    """Return those numbers of the chapter that need neither saturation nor measured spectra."""
    n = Numbers("fig09", run)
    for name in run.dots:
        _of_threshold(n, run, name)
    for name in ("3LS", "4LS"):
        found, plain = (_threshold(run, dot).fluence_mJ_cm2 for dot in (f"{name}+ESA", name))
        n.add("ratio-{dot}", number(found) / number(plain), dot=name)
    n.add("stated-ratio", stated("F9-3ls-esa") / stated("F9-3ls"))
    _of_statements(n, run)
    for name in run.dots:
        _of_spike(n, run, name)
    return n


def _of_threshold(n: Numbers, run: Run, name: str) -> None:
    found = _threshold(run, name)
    n.add("threshold-{dot}", found.fluence_mJ_cm2, dot=name)
    n.add("excitons-{dot}", found.mean_excitons, dot=name)
    if not name.endswith("+ESA"):
        return
    binding, against = _against_binding(run, name)
    top = int(np.argmax(against))
    worst = parabolic_peak(binding, against) if np.isfinite(against[top]) else binding[top]
    at_worst = replace(run.dots[name], absorptive_binding_meV=worst)
    n.add("highest-{dot}", ase_threshold(at_worst, *_film(run)).fluence_mJ_cm2, dot=name)
    n.add("worst-{dot}", worst, dot=name)
    n.add("lowest-{dot}", against.min(), dot=name)


def _of_statements(n: Numbers, run: Run) -> None:
    """Add the case the paper may mean by weakly bound, what the biexciton's shifts do, and times.

    That is by how much these shifts alone can lower the ASE threshold of today's dot.
    """
    dot, now = run.dots["3LS+ESA"], _threshold(run, "3LS+ESA")
    away = replace(dot, xx_absorption_strength=0.0)
    red = np.linspace(number(dot.emissive_binding_meV), number(dot.linewidth_meV), 101)
    one = ase_threshold(away, *_film(run))
    both = ase_threshold(replace(away, emissive_binding_meV=red), *_film(run))
    excitons, fluence = np.min(both.mean_excitons), np.min(both.fluence_mJ_cm2)
    n.add("xx-absorptive", _over(now.mean_excitons, one.mean_excitons))
    n.add("xx-both", _over(now.mean_excitons, excitons))
    n.add("xx-fluence", _over(now.fluence_mJ_cm2, fluence))
    unbound = replace(dot, absorptive_binding_meV=0.0, emissive_binding_meV=0.0)
    n.add("weakly-bound", ase_threshold(unbound, *_film(run)).fluence_mJ_cm2)
    inputs = (*parameters.DOT_PARAMETERS, *SETTINGS)
    times = sum(parameters.parameter(name).unit in _TIME_UNITS for name in inputs)
    n.add("times", float(times))


def _over(threshold: ArrayLike, lowest: ArrayLike) -> float:
    """Return the ratio of two thresholds; nan where either is out of reach."""
    ends = number(threshold), number(lowest)
    return ends[0] / ends[1] if np.all(np.isfinite(ends)) else np.nan


def _of_spike(n: Numbers, run: Run, name: str) -> None:
    dot, (length, pi_pulse, law) = run.dots[name], _film(run)
    threshold = number(_threshold(run, name).fluence_mJ_cm2)
    for times in _TIMES_THRESHOLD:
        reached, fluence = times * threshold <= pi_pulse, np.array(times * threshold)
        offset = maps.hundredths(_offset_meV(run, name, fluence)) if reached else np.nan
        n.add("offset-{dot}-{times:g}", offset, dot=name, times=times)
    mean = _excitons(run, np.array(2.0 * threshold)) if 2 * threshold <= pi_pulse else np.nan
    width = spike.spike_width_meV(dot, mean, length, law) if np.isfinite(mean) else np.nan
    blue, red = (maps.hundredths(way) for way in spike.spike_ways_meV(dot, length, pi_pulse, law))
    n.add("width-{dot}", width, dot=name)
    n.add("blue-{dot}", blue, dot=name)
    n.add("red-{dot}", red, dot=name)
    shift = spike.spike_shift_meV_per_decade(dot, length, pi_pulse, law)
    n.add("shift-{dot}", shift, dot=name)


def _of_saturated(n: Numbers, run: Run, name: str) -> None:
    fluence, emission = _saturated_sweep(run, name)
    weak = 0.5 * number(_threshold(run, name).fluence_mJ_cm2)
    lines = spike.threshold_by_two_lines(fluence, emission.guided_photons, weak)
    n.add("lines-{dot}", lines, dot=name)


def _of_amplitude(n: Numbers, run: Run, scheme: str) -> None:
    """Add what full pumping gives without ESA over what it gives with it."""
    (length, pi_pulse, law), names = _film(run), (scheme, f"{scheme}+ESA")
    plain, esa = (_saturated_sweep(run, name)[1].guided_photons[-1] for name in names)
    logs = [_log_simple_photons(run, name, np.array([pi_pulse]))[0] for name in names]
    n.add("amplitude-{dot}", plain / esa if esa > 0 else np.inf, dot=scheme)
    n.add("simple-amplitude-{dot}", (logs[0] - logs[1]) / np.log(10), dot=scheme)
    least, most = _ends_of_amplitude(run, names)
    n.add("least-amplitude-{dot}", least, dot=scheme, times=_FROM)
    n.add("most-amplitude-{dot}", most, dot=scheme, times=_FROM)
    for name, photons in zip(names, (plain, esa), strict=True):
        dot, beta = run.dots[name], run["guided_fraction"]
        limit = spike.undepleted_limit_mJ_cm2(dot, length, pi_pulse, beta, law)
        n.add("photons-{dot}", photons, dot=name)
        n.add("bankrupt-{dot}", limit, dot=name)


def _ends_of_amplitude(run: Run, names: tuple[str, str]) -> tuple[float, float]:
    """Return the least and the largest ratio of the spikes, over fluences and fates of XXX."""
    _, pi_pulse, _ = _film(run)
    start = _FROM * number(_threshold(run, names[1]).fluence_mJ_cm2)
    if not start < pi_pulse:
        return np.nan, np.nan
    mean = tuple(_excitons(run, np.linspace(start, pi_pulse, 5)).tolist())
    fates = parameters.parameter("third_exciton").choices
    if not any(map(np.any, weights_of_bands(run.dots[names[1]]).absorption[-1])):
        fates = (str(run["third_exciton"]),)
    plain = _saturated_at(run, names[0], mean, run["third_exciton"]).guided_photons
    with np.errstate(divide="ignore"):
        ratios = [plain / _saturated_at(run, names[1], mean, fate).guided_photons for fate in fates]
    return np.min(ratios), np.max(ratios)
