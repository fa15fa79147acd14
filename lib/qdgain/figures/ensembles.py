"""Beyond the paper: what a sample of unequal dots does to saturation and thresholds."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from scipy.interpolate import CubicSpline

from qdgain import chapters
from qdgain.beyond import driven_ladder, ensemble_saturation
from qdgain.beyond.ensemble import Ensemble
from qdgain.beyond.ensemble_saturation import AMPLITUDES, REACH, curves, laws_apart, misfit
from qdgain.beyond.ensemble_thresholds import EnsembleThresholds, ensemble_thresholds, inhomogeneous
from qdgain.figures import style
from qdgain.figures.kit import Figure, Numbers, line, look, panel, points, slug, stated
from qdgain.figures.panel import FLUENCE, MEAN_EXCITONS, THRESHOLD, Axis, Panel, Series
from qdgain.model import first_exciton, units
from qdgain.model.balance import balanced_linewidth_meV
from qdgain.model.bands import FWHM_PER_SIGMA
from qdgain.model.dot import Dot, FloatArray
from qdgain.model.first_exciton import JASIENIAK, YU
from qdgain.model.parameters import CONTRACT
from qdgain.model.threshold import threshold_at_maximum
from qdgain.paper.claims import claims
from qdgain.run import Run

SETTINGS = chapters.SETTINGS["ensembles"]
THRESHOLD_FLUENCE = Axis("threshold fluence", "mJ cm⁻²")
DETUNING = Axis("detuning Δ_A1 of the second step", "meV")
FEWER = Axis("biexcitons / independent ones")
WIDTH = Axis("inhomogeneous width Γ_inh", "meV")
AT_MAXIMUM = Axis("threshold ⟨N⟩ at the gain maximum")

EQUAL, SIZE, ORIENTATION, DEPTH, BEAM = "equal dots", "size", "orientation", "depth", "beam"
TOGETHER, SECOND_STEP, BOTH = "together", "second step", "together, second step"
#: The effects of a sample, each alone.
ALONE = (SIZE, ORIENTATION, DEPTH, BEAM)
#: Alike only where curves run far apart.
DASHES = {EQUAL: ":", SIZE: "--", ORIENTATION: "--", DEPTH: "-.", BEAM: "-.", TOGETHER: "-"}
_Samples = Mapping[str, Ensemble]
_Found = Mapping[tuple[str, str], EnsembleThresholds]


def samples(settings: Mapping[str, Any]) -> dict[str, Ensemble]:
    """Return the samples that the chapter compares, by name, from its settings."""
    size = {
        "inhomogeneous_width_meV": settings["inhomogeneous_width_meV"],
        "size_dispersion": settings["size_dispersion"],
        "resonant_pump": settings["pump_band"] == "resonant",
    }
    turned = {name: settings[name] for name in ("dipole_dimensions", "probe_polarisation")}
    deep = {"pump_optical_density": settings["pump_optical_density"]}
    spot = {"probe_spot_ratio": settings["probe_spot_ratio"]}
    step = {"second_step_detuning_meV": settings["second_step_detuning_meV"]}
    effects = dict(zip(ALONE, (size, turned, deep, spot), strict=True))
    every = size | turned | deep | spot
    equal = Ensemble(pump_duration_fs=settings["pump_duration_fs"])
    return {
        EQUAL: equal,
        **{name: replace(equal, **effect) for name, effect in effects.items()},
        TOGETHER: replace(equal, **every),
        SECOND_STEP: replace(equal, **step),
        BOTH: replace(equal, **every, **step),
    }


def _thresholds(run: Run, dot: Dot, sample: Ensemble) -> EnsembleThresholds:
    film = {name: run[name] for name in ("floor", "gain_exponent", "pi_pulse_fluence_mJ_cm2")}
    return ensemble_thresholds(dot, sample, run["statistics"], **film)


def saturations(run: Run) -> tuple[Panel, ...]:
    """Return ⟨N⟩ against fluence under Rabi's law, each effect alone, and beside Poisson's law."""
    every = samples(run.settings)
    amplitude = np.linspace(0.0, REACH, 201)
    fluence = run["pi_pulse_fluence_mJ_cm2"] * amplitude**2

    def of(sample: str, law: str) -> FloatArray:
        return curves(run.subject, every[sample], law).band_edge_excitons(amplitude)

    both = [
        line(name, fluence, of(sample, law), quantity, dash)
        for name, sample, law, quantity, dash in (
            ("Rabi, equal dots", EQUAL, "rabi", "rabi", ":"),
            ("Poisson, equal dots", EQUAL, "poisson", "poisson", "-."),
            ("Rabi, together", TOGETHER, "rabi", "rabi", "-"),
            ("Poisson, together", TOGETHER, "poisson", "poisson", "--"),
            ("Rabi, together, second step", BOTH, "rabi", "together", "-."),
        )
    ]
    effects = [line(name, fluence, of(name, "rabi"), name, dash) for name, dash in DASHES.items()]
    return (
        panel("a", "Rabi's law", FLUENCE, MEAN_EXCITONS, effects),
        panel("b", "Rabi's law and Poisson's", FLUENCE, MEAN_EXCITONS, both),
    )


def thresholds(run: Run) -> tuple[Panel, ...]:
    """Return the thresholds of stimulated and amplified spontaneous emission in every sample."""
    every = samples(run.settings).values()
    position = np.arange(len(every), dtype=float)
    # Side by side, so that none hides another.
    aside = 0.09 * (np.arange(len(run.dots)) - 0.5 * (len(run.dots) - 1))
    at_maximum, ase = [], []
    for k, (name, dot) in enumerate(run.dots.items()):
        found = [_thresholds(run, dot, sample) for sample in every]
        (scheme, _), marker, x = look(name), "os^DvP"[k % 6], position + aside[k]
        at_maximum.append(points(name, x, [each.at_maximum for each in found], scheme, marker))
        ase.append(points(name, x, [each.ase_fluence for each in found], scheme, marker))
        if f"F8-{slug(name)}" in claims():
            first = f"{name}, the paper", x[0] - 1
            at_maximum.append(points(*first, stated(f"F8-{slug(name)}"), scheme, marker))
            ase.append(points(*first, stated(f"F9-{slug(name)}"), scheme, marker))
    return (
        panel("a", "gain maximum", Axis("sample"), THRESHOLD, at_maximum),
        panel("b", "ASE", Axis("sample"), THRESHOLD_FLUENCE, ase),
    )


def second_step(run: Run) -> tuple[Panel, ...]:
    """Return the populations after a pulse whose second step is detuned, and the biexcitons."""
    duration, own = run["pump_duration_fs"], abs(run["second_step_detuning_meV"])
    amplitude = np.linspace(0.0, REACH, 161)
    fluence = run["pi_pulse_fluence_mJ_cm2"] * amplitude**2
    lines: list[Series] = []
    for detuning, dash in zip(dict.fromkeys((0.0, own, 2 * own)), ("-", "--", ":"), strict=False):
        _, one, two = driven_ladder.ladder_populations(np.pi * amplitude, detuning, duration)
        lines += [
            line(f"X, {detuning:g} meV", fluence, one, "one exciton", dash),
            line(f"XX, {detuning:g} meV", fluence, two, "two excitons", dash),
        ]
    shift = np.linspace(0.0, max(80.0, 2 * own), 121)
    some = shift[::8]
    at_pi = driven_ladder.ladder_populations(np.pi, some, duration).biexciton
    low, longer = (driven_ladder.pair_suppression(shift, t) for t in (duration, 3 * duration))
    pairs = [
        line("low fluence", shift, low, "two excitons"),
        points("π pulse", some, at_pi, "two excitons"),
        line("low fluence, three times as long", shift, longer, "reference", ":"),
    ]
    return (
        panel("a", f"pulse of {duration:g} fs", FLUENCE, Axis("fraction of dots"), lines),
        panel("b", "biexcitons", DETUNING, FEWER, pairs),
    )


def widths(run: Run) -> Panel:
    """Return the threshold at the gain maximum against the inhomogeneous width, broad pump."""
    width = np.linspace(0.0, 120.0, 61)
    lines = []
    for name, dot in run.dots.items():
        lines.append(line(name, width, _pumped_alike(run, dot, width), *look(name)))
    return panel("", "all dots pumped alike", WIDTH, AT_MAXIMUM, lines)


def _pumped_alike(run: Run, dot: Dot, width_meV: FloatArray) -> FloatArray:
    """Return the threshold at the gain maximum where the pump excites all dots alike."""
    own = any(name.endswith("_linewidth_meV") for name in dot.values())
    widest = np.hypot(dot.linewidth_meV, np.max(width_meV))
    if own or widest > CONTRACT["linewidth_meV"].maximum:
        # Bands of different widths lose different heights, and a dot is allowed no wider ones.
        each = [Ensemble(inhomogeneous_width_meV=float(width)) for width in width_meV]
        return np.array([_thresholds(run, dot, sample).at_maximum for sample in each])
    wide = inhomogeneous(dot, width_meV)
    return threshold_at_maximum(wide, statistics=run["statistics"]).mean_excitons


def _finish_thresholds(axes: list[Axes], panels: tuple[Panel, ...]) -> None:
    """Name the samples; what is out of reach stands above the frame."""
    names = [EQUAL, *ALONE, TOGETHER, SECOND_STEP, BOTH.replace(", ", ",\n")]
    thin: dict[str, Any] = {"color": style.colour("reference"), "linewidth": 0.6, "linestyle": ":"}
    for ax, one, top in zip(axes, panels, (2.0, None), strict=True):
        ax.set_xticks(range(-1, len(names)), ["the paper", *names], rotation=90)
        ax.set_xlim(-1.5, len(names) - 0.5)
        ax.set_ylim(0, top or 1.05 * ax.get_ylim()[1])
        _mark_out_of_reach(ax, one)
        for x in (-0.5, 0.5, 4.5, 5.5):
            ax.axvline(x, ymax=0.78, **thin)
    style.legend_below(axes[0], without="the paper", ncols=6)


def _mark_out_of_reach(ax: Axes, one: Panel) -> None:
    low, high = ax.get_ylim()
    ax.set_ylim(low, high + 0.08 * (high - low))
    for series in one.series:
        beyond = np.asarray(series.x)[~np.isfinite(series.values)]
        above = np.full(beyond.shape, high + 0.02 * (high - low))
        hollow: dict[str, Any] = {"marker": series.dash, "markerfacecolor": "none"}
        ax.plot(beyond, above, linestyle="none", color=style.colour(series.quantity), **hollow)
    if not all(np.isfinite(series.values).all() for series in one.series):
        ax.text(6.5, high - 0.03 * (high - low), "out of reach", ha="center", va="top", fontsize=8)


FIGURES = {
    "saturations": Figure(
        saturations, size=(7.0, 5.4), columns=1, axes={"ylim": (0, 2.1)}, legend="ends"
    ),
    "thresholds": Figure(thresholds, size=(7.0, 4.2), legend=None, finish=_finish_thresholds),
    "second_step": Figure(
        second_step, size=(7.0, 5.4), columns=1, legend=("ends", {"loc": "upper right"})
    ),
    "widths": Figure(widths, size=(7.0, 3.4), axes={"ylim": (0, 1.6)}, legend="ends"),
}


def headlines(run: Run) -> Numbers:
    """Return the chapter's numbers."""
    n, every = Numbers("ensembles", run), samples(run.settings)
    found = {
        (name, which): _thresholds(run, dot, sample)
        for name, dot in run.dots.items()
        for which, sample in every.items()
    }
    _of_thresholds(n, run, found)
    _of_laws(n, run, every)
    _of_choices(n, run, every, found)
    _of_ladder(n, run, every)
    _of_widths(n, run)
    return n


def _change(value: float, before: float) -> float:
    """Return a change in per cent; infinity if the value is out of reach alone."""
    # Without ESA a spread of the pumping changes no threshold in ⟨N⟩: zero, and not its rounding.
    return round(100 * (value / before - 1), 9) + 0.0 if math.isfinite(before) else math.nan


def _of_thresholds(n: Numbers, run: Run, found: _Found) -> None:
    """Add every threshold with all effects together, and what each effect changes."""

    def change(dot: str, sample: str, field: str) -> float:
        return _change(getattr(found[dot, sample], field), getattr(found[dot, EQUAL], field))

    for dot in run.dots:
        for name in (EQUAL, TOGETHER, BOTH):
            n.add("{sample}-{dot}", found[dot, name].at_maximum, sample=name, dot=dot)
            if name == EQUAL:
                n.add("{sample}-onset-{dot}", found[dot, name].onset, sample=name, dot=dot)
            n.add("{sample}-ase-{dot}", found[dot, name].ase_fluence, sample=name, dot=dot)
        for name in (SIZE, BEAM, TOGETHER):
            of = {"sample": name, "dot": dot}
            if name != BEAM:
                n.add("{sample}-{dot}-change", change(dot, name, "at_maximum"), **of)
            if name == TOGETHER:
                n.add("{sample}-onset-{dot}-change", change(dot, name, "onset"), **of)
            n.add("{sample}-ase-{dot}-change", change(dot, name, "ase_fluence"), **of)
    for key, field in (("se", "at_maximum"), ("onset", "onset"), ("ase", "ase_fluence")):
        n.add(f"moves-{key}", max(abs(change(dot, TOGETHER, field)) for dot in run.dots))


def _of_laws(n: Numbers, run: Run, every: _Samples) -> None:
    """Add whether saturation tells Rabi's law from Poisson's in a sample."""
    dot, pi_pulse = run.subject, run["pi_pulse_fluence_mJ_cm2"]
    for name in (EQUAL, TOGETHER, SECOND_STEP, BOTH):
        apart = laws_apart(dot, every[name])
        n.add("highest-{sample}", apart.highest, sample=name)
        if name not in (EQUAL, TOGETHER):
            continue
        tell = ensemble_saturation.fluence_to_tell(dot, every[name])
        n.add("misfit-{sample}", 100 * apart.fitted, sample=name)
        n.add("largest-{sample}", apart.largest, sample=name)
        n.add("part-{sample}", pi_pulse * apart.ten_per_cent, sample=name)
        n.add("tell-{sample}", pi_pulse * tell, sample=name)
        n.add("top-{sample}", pi_pulse * apart.highest_fluence, sample=name)


def _of_choices(n: Numbers, run: Run, every: _Samples, found: _Found) -> None:
    """Add what other choices of dipole, probe, pump and beam would give."""
    thin = laws_apart(run.subject, replace(every[TOGETHER], pump_optical_density=0.0))
    n.add("misfit-thin", 100 * thin.fitted)
    n.add("incident", every[DEPTH].incident_per_mean)
    n.add("peak", every[BEAM].peak_per_mean)
    parallel = replace(every[ORIENTATION], probe_polarisation="parallel")
    alike = replace(every[SIZE], resonant_pump=False)
    for what, sample, name in (
        ("parallel", parallel, "3LS+ESA"),
        ("parallel", parallel, "4LS+ESA"),
        ("broad", alike, "4LS"),
        ("broad", alike, "4LS+ESA"),
    ):
        now = _thresholds(run, run.dots[name], sample).at_maximum
        n.add(f"{what}-{{dot}}", _change(now, found[name, EQUAL].at_maximum), dot=name)
    wide = _thresholds(run, run.dots["3LS"], replace(every[EQUAL], probe_spot_ratio=1.0))
    n.add("wide-3ls", _change(wide.ase_fluence, found["3LS", EQUAL].ase_fluence))


def _of_ladder(n: Numbers, run: Run, every: _Samples) -> None:
    """Add when the second step leaves resonance, and what dephasing would do."""
    duration, own = run["pump_duration_fs"], run["second_step_detuning_meV"]
    time = float(driven_ladder.dephasing_time_fs(run.subject.linewidth_meV))
    # Of the same slope at low fluence.
    area = np.pi * AMPLITUDES / math.sqrt(driven_ladder.slope_with_dephasing(duration, time))
    dephased = 2 * driven_ladder.dephased_occupation(area, duration, time)
    poisson = curves(run.subject, every[EQUAL], "poisson").band_edge_excitons
    n.add("detuning", own)
    n.add("duration", duration)
    n.add("half-suppressed", driven_ladder.half_suppressed_meV(duration))
    n.add("pairs", driven_ladder.pair_suppression(own, duration))
    n.add("dephasing-time", time)
    n.add("highest-dephased", dephased.max())
    n.add("misfit-dephased", 100 * misfit(CubicSpline(AMPLITUDES, dephased), poisson, 1.0))


def _of_widths(n: Numbers, run: Run) -> None:
    """Add what the inhomogeneous width means for detailed balance, and for the diameter."""
    for name in run.pairs:
        dot = run.dots[name]
        width, shift, balanced = float(dot.linewidth_meV), dot.stokes_shift_meV, math.nan
        if float(shift) > 0:
            balanced = float(balanced_linewidth_meV(shift, run["temperature_K"]))
        rest = math.sqrt(width**2 - balanced**2) if balanced <= width else math.nan
        n.add("balanced-{dot}", balanced, dot=name)
        n.add("rest-{dot}", rest, dot=name)
        n.add("linewidth-{dot}", width, dot=name)
    spread, dispersion = run["inhomogeneous_width_meV"], run["size_dispersion"]
    for name in ("4LS", "4LS+ESA"):
        alone, sample = _pumped_alike(run, run.dots[name], np.array([0.0, spread]))
        n.add("closed-{dot}", _change(float(sample), float(alone)), dot=name)
    n.add("width", spread)
    n.add("dispersion", 100 * dispersion)
    n.add("density", run["pump_optical_density"])
    n.add("spot", run["probe_spot_ratio"])
    energy = float(run.subject.absorption_energy_eV)
    for source, tail in ((YU, ""), (JASIENIAK, "-jasieniak")):
        from_size, power = _with_size(energy, source)
        from_size *= 1e3 * FWHM_PER_SIGMA * dispersion
        n.add("width-from-size{tail}", from_size, tail=tail, source=source)
    n.add("power-jasieniak", power, source=source)


def _with_size(energy_eV: float, source: str) -> tuple[float, float]:
    """Return |dE/d ln D| in eV and d ln σ/d ln D of CdSe dots around a first exciton."""
    around = units.nm_from_eV(energy_eV) * np.array([0.99, 1.01])
    low, high = first_exciton.SOURCES[source].range_nm
    if not low < around[0] < around[1] < high:
        return math.nan, math.nan
    diameter = first_exciton.cdse_diameter_nm(around, source)
    step = np.diff(np.log(diameter))[0]
    power = np.diff(np.log(first_exciton.cdse_extinction_per_M_cm(diameter, source)))[0] / step
    return float(abs(np.diff(units.eV_from_nm(around))[0]) / step), float(power)
