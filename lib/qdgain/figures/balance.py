"""Beyond the paper: which Stokes shifts, linewidths and temperatures detailed balance allows."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from functools import cache
from typing import Any

import numpy as np
from matplotlib.axes import Axes

from qdgain import chapters
from qdgain.beyond.auger_maps import readings_of_chapter
from qdgain.calibration.record import admitted, columns
from qdgain.calibration.record import points as points_of
from qdgain.figures import line_shapes, style
from qdgain.figures.kit import Figure, Numbers, line, look, number, panel, points, slug, stated
from qdgain.figures.line_shapes import COLD_K, TEMPERATURES_K
from qdgain.figures.panel import STOKES_SHIFT, THRESHOLD, Axis, Panel
from qdgain.model import balance, parameters, units
from qdgain.model.bands import FWHM_PER_SIGMA, band_centres_eV
from qdgain.model.dot import Dot, FloatArray
from qdgain.model.gain import gain_maximum_meV
from qdgain.model.parameters import ParameterError
from qdgain.model.populations import highest_mean_excitons
from qdgain.model.threshold import threshold_at_energy, threshold_at_maximum
from qdgain.paper.published import klimov_threshold
from qdgain.run import YOUR_DOT, Run

SETTINGS = chapters.SETTINGS["balance"]

_WIDTH = Axis("linewidth Γ", "meV")
_AT_MAXIMUM = Axis("threshold ⟨N⟩ at gain maximum")
_REPULSION = Axis("biexciton shift Δ / s, attraction positive")

_STEP = Axis("what is in balance")

_DASHES = {"77 K": "--", "300 K": "-", "400 K": "-."}
_MARKERS = {"3LS": "o", "4LS": "s", YOUR_DOT: "D"}
#: Where the temperatures stand in panels a and b, and the paper's Stokes shifts in panel a.
_NAMED_AT: tuple[dict[str, tuple[float, float]], ...] = (
    {"77 K": (42, 126), "300 K": (104, 118), "400 K": (124, 70), "the paper's S ≈ Γ": (66, 105)},
    {"77 K": (40, 0.13), "300 K": (72, 0.25), "400 K": (100, 0.43)},
)
#: The numbers of the paper with a mark on the axis of thresholds.
_STATED = ("3LS", "4LS")
#: The linewidths at 300 K that section 1.2 of the paper gives.
_PAPERS_WIDTHS_MEV = {"low": 50.0, "high": 100.0}
_LARGEST_MEV = 160.0
_STATISTICS = {
    "rabi": ("Rabi", "-"),
    "sequential": ("sequential", "--"),
    "poisson": ("Poisson", "-."),
}
#: Where the laws stand in the figure of Klimov's formula.
_LAWS_AT = {
    "Poisson, S = 0": (-0.5, 1.25),
    "Rabi, S = 0": (-2.9, 1.03),
    "sequential, S = 0": (-2.9, 0.74),
    "sequential, S in balance": (-2.9, 0.36),
    "2/(3 − exp(−Δ²/2s²))": (-2.9, 0.55),
}
#: Name of a way to impose the condition -> what stays, and its part of a headline's key.
_WAYS = {
    "Stokes shift kept": ("stokes_shift_meV", "shift"),
    "linewidth kept": ("linewidth_meV", "width"),
}
#: The dots it is imposed on: name, which of a pair, whether the biexciton moves, part of key.
_CASES = (
    ("without ESA", "", False, ""),
    ("ESA where it is", "+ESA", False, "-esa"),
    ("ESA in balance", "+ESA", True, "-both"),
)


def _at_maximum(dot: Dot) -> FloatArray:
    return threshold_at_maximum(dot).mean_excitons


def condition(run: Run) -> tuple[Panel, Panel]:
    """Return the allowed Stokes shift against linewidth, and the threshold that goes with it."""
    width, shift = np.linspace(1.0, _LARGEST_MEV, 160), np.linspace(0.0, _LARGEST_MEV, 161)
    allowed, thresholds = [], []
    for name, kelvin in TEMPERATURES_K.items():
        dash, balanced = _DASHES[name], balance.balanced_stokes_shift_meV(width, kelvin)
        lowest = balance.threshold_at_emission_peak(shift, kelvin)
        allowed.append(line(name, width, balanced, "300 K", dash))
        thresholds.append(line(name, shift, lowest, "300 K", dash))
    papers = list(_PAPERS_WIDTHS_MEV.values())
    allowed.append(line("the paper's S ≈ Γ", papers, papers, "reference", ":"))
    for name in _STATED:
        thresholds.append(points(f"the paper's {name}", 0.0, stated(f"F8-{slug(name)}"), name, ">"))
    for name in run.pairs:
        dot, marker = run.dots[name], _MARKERS[name]
        own, mean = dot.stokes_shift_meV, _at_maximum(dot)
        allowed.append(points(name, dot.linewidth_meV, own, name, marker))
        thresholds.append(points(name, own, mean, name, marker))
    dot = _as_wide(run)
    name, mean = "Gaussians with S = Γ", _at_maximum(dot)
    thresholds.append(points(name, dot.stokes_shift_meV, mean, "reference", "X"))
    return (
        panel("a", "Gaussian bands in detailed balance", _WIDTH, STOKES_SHIFT, allowed),
        panel("b", "any line shape, without ESA", STOKES_SHIFT, _AT_MAXIMUM, thresholds),
    )


def _as_wide(run: Run) -> Dot:
    dot = run.subject.uncorrelated()
    return replace(dot, stokes_shift_meV=dot.linewidth_meV)


def _finish_condition(axes: Sequence[Axes], _: object) -> None:
    for ax, highest, places in zip(axes, (_LARGEST_MEV, 1.05), _NAMED_AT, strict=True):
        ax.set_ylim(0, highest)
        style.name_beside(ax, places)
        for mark in ax.containers:
            mark[0].set_clip_on(False)
    style.legend_below(*axes, ncols=6)


def _imposed(dot: Dot, temperature_K: FloatArray, keep: str, biexciton: bool) -> FloatArray:
    """Return thresholds of a dot moved into balance; nan where it would leave the contract."""
    mean = np.full(temperature_K.shape, np.nan)
    try:
        ((name, value),) = balance.what_follows(dot, temperature_K, keep).items()
    except ParameterError:  # no Stokes shift at all
        return mean
    inside = value == parameters.clipped(name, value)
    if inside.any():
        there = balance.balanced_dot(dot, temperature_K[inside], keep, biexciton=biexciton)
        mean[inside] = _at_maximum(there)
    return mean


def thresholds(run: Run) -> tuple[Panel, ...]:
    """Return the paper's thresholds, the presets', and those with X, then XX too, in balance."""
    panels = []
    for letter, (way, (keep, _)) in zip("ab", _WAYS.items(), strict=True):
        series = []
        for name, dot in run.dots.items():
            papers = np.nan if YOUR_DOT in name else stated(f"F8-{slug(name)}")
            kelvin = np.array([run["temperature_K"]])
            moved = [_imposed(dot, kelvin, keep, both)[0] for both in (False, True)]
            quantity, dash = look(name)
            values = [papers, number(_at_maximum(dot)), *moved]
            series.append(line(name, range(4), values, quantity, f"{dash}o"))
        panels.append(panel(letter, way, _STEP, _AT_MAXIMUM, series))
    return tuple(panels)


def _finish_thresholds(axes: Sequence[Axes], _: object) -> None:
    steps = ["the paper", "nothing:\npreset", "exciton", "exciton and\nbiexciton"]
    for ax in axes:
        ax.set_xticks(range(4), steps)
    axes[1].set_ylabel("")
    style.legend_below(axes[0], ncols=6)


def klimov(run: Run) -> Panel:
    """Return thresholds at the line centre against the biexciton shift, and a formula for them."""
    ratio = np.linspace(-3, 3, 121)
    series = []
    for law, (name, dash) in _STATISTICS.items():
        series.append(line(f"{name}, S = 0", ratio, _at_centre(run, ratio, law), law, dash))
    few, balanced = ratio[::8], _at_centre(run, ratio, "sequential", _balanced_shift(run))
    series += [
        points("2/(3 − exp(−Δ²/2s²))", few, klimov_threshold(few), "reference", "-"),
        line("sequential, S in balance", ratio, balanced, "sequential", ":"),
    ]
    return panel("", "one biexciton shift, Δ_A2 = Δ_E = Δ", _REPULSION, THRESHOLD, series)


def _balanced_shift(run: Run) -> float:
    """Return the Stokes shift that the subject's linewidth asks for, at most the contract's."""
    width = run.subject.linewidth_meV
    shift = balance.balanced_stokes_shift_meV(width, run["temperature_K"])
    return number(parameters.clipped("stokes_shift_meV", shift))


def _at_centre(run: Run, ratio: FloatArray, law: str, shift_meV: float = 0.0) -> FloatArray:
    """Return the threshold at the centre of PL_X of dots whose biexciton is shifted as a whole."""
    plain = replace(run.subject.uncorrelated(), reading="replacing")
    base = replace(plain, stokes_shift_meV=shift_meV)
    own: dict[str, Any] = dict.fromkeys(balance.OWN_WIDTHS)
    shifts = parameters.clipped(
        "absorptive_binding_meV", ratio * units.sigma_from_fwhm(base.linewidth_meV)
    )
    own |= {"absorptive_binding_meV": shifts, "emissive_binding_meV": shifts}
    dots = replace(base, reading="replacing", **own)
    centre = number(band_centres_eV(base).emission)
    return threshold_at_energy(dots, centre, statistics=law)


FIGURES = {
    "condition": Figure(
        condition,
        size=(7.6, 4.0),
        axes={"xlim": (0, _LARGEST_MEV)},
        legend=None,
        finish=_finish_condition,
    ),
    "thresholds": Figure(
        thresholds,
        size=(7.6, 4.0),
        sharey=True,
        axes={"ylim": (0, 1.6)},
        legend=None,
        finish=_finish_thresholds,
    ),
    "lineshape": Figure(line_shapes.lineshape, line_shapes.draw_lineshape),
    "klimov": Figure(
        klimov,
        size=(6.4, 3.8),
        axes={"ylim": (0, 2.1)},
        legend=None,
        finish=lambda axes, _: style.name_beside(axes[0], _LAWS_AT),
    ),
}


def headlines(run: Run) -> Numbers:
    """Return the chapter's numbers; `number` in claims.toml says which statement each answers."""
    n = Numbers("balance", run)
    for part in (_of_condition, _of_schemes, _of_biexcitons, _of_imposed):
        part(n, run)
    line_shapes.add_to(n, run)
    _of_prior(n, run)
    return n


def _of_condition(n: Numbers, run: Run) -> None:
    kelvin = run["temperature_K"]
    n.add("temperature", kelvin)
    # S = Γ/2 = s²/kT.
    n.add("half-width", 0.5 * FWHM_PER_SIGMA**2 * number(units.thermal_energy_meV(kelvin)))
    n.add("equal-threshold", _at_maximum(_as_wide(run)))
    # The stated number of the 4LS, and the lowest that rounds to that of the 3LS.
    shift_for = balance.stokes_shift_for_threshold_meV
    n.add("4ls-stokes", shift_for(stated("F8-4ls", 0), kelvin))
    n.add("3ls-stokes", shift_for(stated("F8-3ls", 1), kelvin))
    for end, gamma in _PAPERS_WIDTHS_MEV.items():
        ratio = balance.balanced_stokes_shift_meV(gamma, kelvin) / gamma
        lowest = balance.threshold_at_emission_peak(gamma, kelvin)
        n.add("ratio-{end}", ratio, end=end, width=gamma)
        n.add("paper-{end}", lowest, end=end, width=gamma)


def _of_schemes(n: Numbers, run: Run) -> None:
    kelvin = run["temperature_K"]
    kT = units.thermal_energy_meV(kelvin)
    for name in run.pairs:
        dot, needed, warm = run.dots[name], np.nan, np.inf
        width, shift = number(dot.linewidth_meV), number(dot.stokes_shift_meV)
        if shift > 0:
            needed = number(balance.balanced_linewidth_meV(shift, kelvin))
            warm = number(balance.balanced_temperature_K(shift, width))
        scaled = units.fwhm_from_sigma(shift / units.sigma_from_fwhm(width) * kT)
        spread = np.sqrt(width**2 - needed**2) if needed <= width else np.nan
        n.add("stokes-{dot}", shift, dot=name)
        n.add("linewidth-{dot}", needed, dot=name)
        n.add("scaled-{dot}", scaled, dot=name)
        n.add("warm-{dot}", warm, dot=name)
        n.add("spread-{dot}", spread, dot=name)
    subject = run.subject.linewidth_meV
    n.add("linewidth", subject)
    n.add("own", balance.balanced_stokes_shift_meV(subject, kelvin))
    sigma = units.sigma_from_fwhm(parameters.PRESETS["shared"]["linewidth_meV"])
    for name in ("3LS", "4LS"):
        several = [
            np.percentile(columns(row)[f"stokes_{slug(name)}"], (5, 95)) for row in admitted()
        ]
        widths = units.fwhm_from_sigma(np.array(several) / sigma * kT)
        n.add("scaled-{dot}-{end}", widths.min(), dot=name, end="low")
        n.add("scaled-{dot}-{end}", widths.max(), dot=name, end="high")


def _of_biexcitons(n: Numbers, run: Run) -> None:
    kelvin, real = run["temperature_K"], run.subject
    for name in run.pairs:
        shift = balance.biexciton_stokes_shift_meV(run.dots[f"{name}+ESA"])
        n.add("xx-{dot}", shift, dot=name)
    with np.errstate(divide="ignore", invalid="ignore"):
        strengths = np.divide(real.xx_emission_strength, real.xx_absorption_strength)
        entropy = units.thermal_energy_meV(kelvin) * np.log(strengths)
    n.add("strengths", strengths)
    n.add("strengths-meV", entropy)
    for which, row in (("wide", "replacing free"), ("lean", "replacing lean")):
        n.add("xx-positive-{which}", 100 * _share_above_zero(row), which=which, row=row)
    several = [
        _imposed(dot, np.array([kelvin]), "stokes_shift_meV", True)[0]
        for dot, _ in readings_of_chapter().values()
    ]
    n.add("both-{end}-reading", min(several), end="least")
    n.add("both-{end}-reading", max(several), end="most")


@cache
def _share_above_zero(row: str) -> float:
    """Return the share of a set in which both biexcitons could be in balance."""
    dots = points_of(row).dots
    own = [balance.biexciton_stokes_shift_meV(dots[f"{name}+ESA"]) > 0 for name in ("3LS", "4LS")]
    return float(np.mean(np.all(own, axis=0)))


def _of_imposed(n: Numbers, run: Run) -> None:
    kelvin = run["temperature_K"]
    for name in run.pairs:
        for way, (keep, short) in _WAYS.items():
            for what, esa, biexciton, tail in _CASES:
                mean = _imposed(run.dots[f"{name}{esa}"], np.array([kelvin]), keep, biexciton)
                of = {"way": short, "tail": tail, "dot": name, "imposed": way, "what": what}
                n.add("{way}{tail}-{dot}", mean[0], **of)
        cold = _imposed(run.dots[name], np.array([COLD_K]), "stokes_shift_meV", False)[0]
        n.add("shift-cold-{dot}", cold, dot=name, kelvin=COLD_K)
    for name, dot in run.dots.items():
        n.add("preset-{dot}", _at_maximum(dot), dot=name)
    # Between which the threshold at the gain maximum lies in every reading, bands in balance.
    dot = balance.balanced_dot(run.dots["3LS+ESA"], kelvin, "stokes_shift_meV", biexciton=True)
    at = number(dot.absorption_energy_eV) + 1e-3 * number(gain_maximum_meV(dot))
    equal = replace(dot, xx_absorption_strength=1.0, xx_emission_strength=1.0)
    split = balance.fine_structure_threshold(run.dots["3LS"].stokes_shift_meV, kelvin)
    n.add("bound-3ls", max(map(number, balance.threshold_bounds(dot, at))))
    n.add("mirrored-3ls", _at_maximum(equal))
    n.add("fine-structure", split)


def _of_prior(n: Numbers, run: Run) -> None:
    """Add what earlier formulas and statements come to in the model."""
    ratio, far, none = np.linspace(-3, 3, 121), np.array([8.0]), np.zeros(1)
    off = np.abs([_at_centre(run, ratio, law) for law in _STATISTICS] - klimov_threshold(ratio))
    # Rounded: what is left of it under sequential statistics is rounding.
    rabi, sequential, _ = np.round(off.max(axis=1), 9)
    shift = _balanced_shift(run)
    balanced = _at_centre(run, ratio, "sequential", shift)
    n.add("klimov-sequential", sequential)
    n.add("klimov-rabi", rabi)
    n.add("klimov-far-rabi", _at_centre(run, far, "rabi")[0])
    n.add("klimov-far-sequential", _at_centre(run, far, "sequential")[0])
    n.add("klimov-far-poisson", _at_centre(run, far, "poisson")[0])
    n.add("klimov-none-poisson", _at_centre(run, none, "poisson")[0])
    n.add("klimov-stokes", shift)
    n.add("klimov-repulsion", np.interp(-1, ratio, balanced))
    n.add("klimov-attraction", np.interp(1, ratio, balanced))
    n.add("klimov-unshifted", np.interp(0, ratio, balanced))
    three, real = run.dots["3LS"], run.dots["3LS+ESA"]
    n.add("repulsion", _at_maximum(_shifted(three, -1.0)))
    n.add("attraction", _at_maximum(_shifted(three, 1.0)))
    centre = number(band_centres_eV(three).emission)
    n.add("repulsion-centre", threshold_at_energy(_shifted(three, -1.0), centre))
    n.add("attraction-centre", threshold_at_energy(_shifted(three, 1.0), centre))
    alone = _at_maximum(replace(real, xx_absorption_strength=0.0))
    n.add("esa-factor", _at_maximum(real) / alone)
    n.add("highest-rabi", highest_mean_excitons("rabi"))


def _shifted(dot: Dot, ratio: float) -> Dot:
    """Return a dot in the replacing reading with one biexciton shift, in standard deviations."""
    shift = ratio * number(units.sigma_from_fwhm(dot.linewidth_meV))
    bound: dict[str, Any] = {"absorptive_binding_meV": shift, "emissive_binding_meV": shift}
    return replace(dot, reading="replacing", **bound)
