"""Beyond the paper: which Stokes shifts, linewidths and temperatures detailed balance allows."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from functools import cache
from typing import Any

import numpy as np
from matplotlib.figure import Figure as Picture

from qdgain import chapters
from qdgain.beyond.displaced_oscillators import (
    MOST_OPTICAL,
    Oscillators,
    absorption_band,
    log_absorption,
    log_emission,
    oscillators_for,
    threshold_onset,
)
from qdgain.calibration.record import feasible_set
from qdgain.figures import kit, style
from qdgain.figures.panel import Axis, Panel, Series
from qdgain.model import balance as detailed_balance
from qdgain.model import parameters, units
from qdgain.model.bands import FWHM_PER_SIGMA, band_centres_eV
from qdgain.model.dot import Dot, FloatArray
from qdgain.model.parameters import ParameterError
from qdgain.model.populations import highest_mean_excitons
from qdgain.model.threshold import threshold_at_energy, threshold_at_maximum
from qdgain.model.threshold import threshold_onset as gaussian_onset
from qdgain.paper.claims import Headline, claims
from qdgain.paper.prior_work import klimov_threshold
from qdgain.run import YOUR_DOT, Run

SETTINGS = chapters.SETTINGS["balance"]

#: Drawn and compared, in K: liquid nitrogen, room temperature, a hot device.
_TEMPERATURES_K = {"77 K": 77.0, "300 K": 300.0, "400 K": 400.0}
_RANGE_K = (77.0, 400.0)
_DASHES = {"77 K": "--", "300 K": "-", "400 K": "-."}
_MARKERS = {"3LS": "o", "4LS": "s", YOUR_DOT: "D"}
_SCHEME_DASHES = {"3LS": "-", "4LS": "--", YOUR_DOT: "-."}
#: The linewidths at 300 K that section 1.2 of the paper gives.
_PAPERS_WIDTHS_MEV = (50.0, 100.0)
_LARGEST_MEV = 160.0

_WIDTH = Axis("linewidth Γ", "meV")
_SHIFT = Axis("Stokes shift S", "meV")
_TEMPERATURE = Axis("temperature", "K")
_THRESHOLD = Axis("threshold ⟨N⟩")
_AT_MAXIMUM = Axis("threshold ⟨N⟩ at gain maximum")
_DETUNING = Axis("photon energy − E_Z", "meV")
_BAND = Axis("band / peak of A_X")
_REPULSION = Axis("biexciton shift Δ / s, attraction positive")
_STATISTICS = {
    "rabi": ("Rabi", "-"),
    "sequential": ("sequential", "--"),
    "poisson": ("Poisson", "-."),
}


def _slug(name: str) -> str:
    return name.replace(" ", "-").replace("+ESA", "-esa").lower()


def _number(value: object) -> float:
    return float(np.asarray(value, dtype=float))


def _temperatures(points: int) -> FloatArray:
    return np.linspace(*_RANGE_K, points)


# --- the condition


def condition(run: Run) -> tuple[Panel, Panel]:
    """Return the allowed Stokes shift against linewidth, and the threshold that goes with it."""
    width = np.linspace(1.0, _LARGEST_MEV, 160)
    shift = np.linspace(0.0, _LARGEST_MEV, 161)
    allowed, thresholds = [], []
    for name, temperature in _TEMPERATURES_K.items():
        line: Any = {"quantity": name, "dash": _DASHES[name]}
        balanced = detailed_balance.balanced_stokes_shift_meV(width, temperature)
        allowed.append(Series(name, width, balanced, _WIDTH, _SHIFT, **line))
        lowest = detailed_balance.threshold_at_emission_peak(shift, temperature)
        thresholds.append(Series(name, shift, lowest, _SHIFT, _AT_MAXIMUM, **line))
    allowed.append(
        Series(
            "the paper's S ≈ Γ at 300 K",
            _PAPERS_WIDTHS_MEV,
            _PAPERS_WIDTHS_MEV,
            _WIDTH,
            _SHIFT,
            quantity="reference",
            dash=":",
        )
    )
    for name in run.pairs:
        dot = run.dots[name]
        marks: Any = {"kind": "points", "quantity": name, "dash": _MARKERS[name]}
        allowed.append(
            Series(name, dot.linewidth_meV, dot.stokes_shift_meV, _WIDTH, _SHIFT, **marks)
        )
        mean = threshold_at_maximum(dot).mean_excitons
        thresholds.append(Series(name, dot.stokes_shift_meV, mean, _SHIFT, _AT_MAXIMUM, **marks))
    as_wide = _as_wide(run)
    thresholds.append(
        Series(
            "Gaussians with S = Γ",
            as_wide.stokes_shift_meV,
            threshold_at_maximum(as_wide).mean_excitons,
            _SHIFT,
            _AT_MAXIMUM,
            kind="points",
            quantity="reference",
            dash="X",
        )
    )
    return (
        Panel("a", "Gaussian bands in detailed balance", tuple(allowed)),
        Panel("b", "any line shape, without ESA", tuple(thresholds)),
    )


def _as_wide(run: Run) -> Dot:
    dot = run.subject.uncorrelated()
    return replace(dot, stokes_shift_meV=dot.linewidth_meV)


def draw_condition(panels: tuple[Panel, Panel]) -> Picture:
    """Draw the condition and the threshold that goes with it."""
    with style.book_style():
        figure = style.new_figure(8.0, 4.2)
        left, right = figure.subplots(1, 2)
        style.draw_panel(left, panels[0], legend=None)
        left.set(xlim=(0, _LARGEST_MEV), ylim=(0, _LARGEST_MEV))
        style.draw_panel(right, panels[1], legend=None)
        right.set(xlim=(0, _LARGEST_MEV), ylim=(0, 1.05))
        named: dict[Any, Any] = {}
        for ax in (left, right):
            handles, labels = ax.get_legend_handles_labels()
            named |= dict(zip(labels, handles, strict=True))
        figure.legend([*named.values()], [*named], loc="outside lower center", ncols=4, fontsize=8)
    return figure


# --- thresholds with the condition imposed


def _imposed(dot: Dot, temperature_K: FloatArray, keep: str, biexciton: bool) -> FloatArray:
    """Return thresholds of a dot moved into balance; nan where it would leave the contract."""
    follows = next(name for name in detailed_balance.KEEPS if name != keep)
    mean = np.full(temperature_K.shape, np.nan)
    try:
        moved = (
            detailed_balance.balanced_linewidth_meV(dot.stokes_shift_meV, temperature_K)
            if keep == "stokes_shift_meV"
            else detailed_balance.balanced_stokes_shift_meV(dot.linewidth_meV, temperature_K)
        )
    except ParameterError:  # no Stokes shift at all
        return mean
    entry = parameters.parameter(follows)
    inside = (moved >= entry.minimum) & (moved <= entry.maximum)
    if inside.any():
        there = detailed_balance.balanced_dot(dot, temperature_K[inside], keep, biexciton=biexciton)
        mean[inside] = threshold_at_maximum(there).mean_excitons
    return mean


#: Name of a way to impose the condition -> what stays.
_WAYS = {"Stokes shift kept": "stokes_shift_meV", "linewidth kept": "linewidth_meV"}


def thresholds(run: Run) -> tuple[Panel, ...]:
    """Return the thresholds at the gain maximum against temperature, for every level scheme."""
    letters = iter("ab")
    return tuple(_thresholds(run, next(letters, ""), name) for name in run.pairs)


def _thresholds(run: Run, letter: str, name: str) -> Panel:
    temperature = _temperatures(66)
    ideal, real = run.dots[name], run.dots[f"{name}+ESA"]
    series = []
    for way, keep in _WAYS.items():
        for what, dot, biexciton, dash in (
            ("without ESA", ideal, False, "-"),
            ("ESA where it is", real, False, ":"),
            ("ESA in balance too", real, True, "--"),
        ):
            mean = _imposed(dot, temperature, keep, biexciton)
            series.append(
                Series(
                    f"{way}, {what}",
                    temperature,
                    mean,
                    _TEMPERATURE,
                    _AT_MAXIMUM,
                    quantity=way,
                    dash=dash,
                )
            )
    for what, dot, dash in (("without ESA", ideal, "-"), ("with ESA", real, "--")):
        own = _number(threshold_at_maximum(dot).mean_excitons)
        series.append(
            Series(
                f"not imposed, {what}",
                _RANGE_K,
                [own, own],
                _TEMPERATURE,
                _AT_MAXIMUM,
                quantity="reference",
                dash=dash,
            )
        )
    return Panel(letter, name, tuple(series))


def draw_thresholds(panels: tuple[Panel, ...]) -> Picture:
    """Draw the thresholds against temperature."""
    with style.book_style():
        figure = style.new_figure(4.0 * len(panels), 4.3)
        axes = figure.subplots(1, len(panels), sharey=True)
        for ax, panel in zip(axes, panels, strict=True):
            style.draw_panel(ax, panel, legend=None)
            ax.set_ylim(0, 2.0)
        handles, labels = axes[0].get_legend_handles_labels()
        figure.legend(handles, labels, loc="outside lower center", ncols=3, fontsize=7)
    return figure


# --- displaced oscillators


def _modes(run: Run, name: str, temperature_K: object, factor: float | None = None) -> Oscillators:
    chosen = run["huang_rhys_factor"] if factor is None else factor
    return oscillators_for(
        run.dots[name].stokes_shift_meV,
        chosen,
        run["phonon_energy_meV"],
        np.asarray(temperature_K, dtype=float),
    )


def _gaussian(modes: Oscillators) -> Dot:
    """Return the dot with the Stokes shift and the standard deviation of displaced oscillators."""
    shift = np.clip(modes.stokes_shift_meV, 0, parameters.parameter("stokes_shift_meV").maximum)
    width = parameters.clipped("linewidth_meV", FWHM_PER_SIGMA * modes.width_meV)
    return Dot(linewidth_meV=width, stokes_shift_meV=shift).uncorrelated()


def _subject(run: Run) -> str:
    return "4LS" if run.is_papers else YOUR_DOT


def _has_modes(run: Run, name: str) -> bool:
    return _number(run.dots[name].stokes_shift_meV) > 0


def lineshape(run: Run) -> tuple[Panel, ...]:
    """Return bands of displaced oscillators and their Gaussians, and both thresholds of each."""
    name = _subject(run)
    panels = [
        _spectra(run, name, letter, title)
        for letter, title in zip("abc", _TEMPERATURES_K, strict=True)
    ]
    return (*panels, *_against_temperature(run))


def _spectra(run: Run, name: str, letter: str, title: str) -> Panel:
    series: list[Series] = []
    energy = np.full(2, np.nan)
    bands = {"A_X": (energy, energy), "PL_X": (energy, energy)}
    if _has_modes(run, name):
        modes = _modes(run, name, _TEMPERATURES_K[title])
        reach = _number(modes.reorganisation_meV) + 6 * _number(modes.width_meV)
        energy = np.linspace(-reach, reach, 481)
        peak = log_absorption(modes, absorption_band(modes).peak_meV[..., None])
        half, width = _number(modes.reorganisation_meV), _number(modes.width_meV)
        bands = {
            "A_X": (
                np.exp(log_absorption(modes, energy) - peak),
                np.exp(-0.5 * ((energy - half) / width) ** 2),
            ),
            "PL_X": (
                np.exp(log_emission(modes, energy) - peak),
                np.exp(-0.5 * ((energy + half) / width) ** 2),
            ),
        }
    for band, (oscillators, gaussian) in bands.items():
        for what, values, dash in (("", oscillators, "-"), (", Gaussian", gaussian, "--")):
            series.append(
                Series(f"{band}{what}", energy, values, _DETUNING, _BAND, quantity=band, dash=dash)
            )
    return Panel(letter, f"{name}, {title}", tuple(series))


@cache
def _temperature_curves(
    shift: float, factor: float, phonon: float, floor: float, temperatures: tuple[float, ...]
) -> Mapping[str, FloatArray]:
    modes = oscillators_for(shift, factor, phonon, np.array(temperatures))
    dot = _gaussian(modes)
    band = absorption_band(modes)
    return {
        "maximum": detailed_balance.threshold_at_emission_peak(
            2 * band.peak_meV, modes.temperature_K
        ),
        "maximum, Gaussian": threshold_at_maximum(dot).mean_excitons,
        "onset": threshold_onset(modes, floor).mean_excitons,
        "onset, Gaussian": gaussian_onset(dot, floor).mean_excitons,
        "peaks": 2 * band.peak_meV,
        "linewidth": band.linewidth_meV,
        "width": FWHM_PER_SIGMA * modes.width_meV,
        "ratio": modes.stokes_shift_meV * modes.thermal_energy_meV / modes.width_meV**2,
    }


def _curves(
    run: Run, name: str, temperatures: FloatArray, factor: float | None = None
) -> Mapping[str, FloatArray]:
    """Return thresholds and bands of displaced oscillators against temperature."""
    if not _has_modes(run, name):
        nothing = np.full(np.shape(temperatures), np.nan)
        keys = ("maximum", "onset", "peaks", "linewidth", "width", "ratio")
        return dict.fromkeys((*keys, "maximum, Gaussian", "onset, Gaussian"), nothing)
    chosen = run["huang_rhys_factor"] if factor is None else factor
    return _temperature_curves(
        _number(run.dots[name].stokes_shift_meV),
        chosen,
        run["phonon_energy_meV"],
        run["floor"],
        tuple(np.atleast_1d(temperatures).tolist()),
    )


def _against_temperature(run: Run) -> tuple[Panel, Panel]:
    temperature = _temperatures(28)
    panels = []
    for letter, key, title in (
        ("d", "maximum", "at the gain maximum"),
        ("e", "onset", f"onset, ε = {run['floor']:g}"),
    ):
        series = []
        for name in run.pairs:
            curves = _curves(run, name, temperature)
            for what, dash in (("", "-"), (", Gaussian", "--")):
                series.append(
                    Series(
                        f"{name}{what}",
                        temperature,
                        curves[f"{key}{what}"],
                        _TEMPERATURE,
                        _THRESHOLD,
                        quantity=name,
                        dash=dash,
                    )
                )
        panels.append(Panel(letter, title, tuple(series)))
    return panels[0], panels[1]


def draw_lineshape(panels: tuple[Panel, ...]) -> Picture:
    """Draw the bands above, the thresholds below."""
    with style.book_style():
        figure = style.new_figure(8.6, 6.2)
        top, bottom = style.split(figure, 2, 1, height_ratios=(1, 1.1))
        top_axes = []
        for ax, panel in zip(top.subplots(1, 3, sharey=True), panels[:3], strict=True):
            style.draw_panel(ax, panel, legend=None)
            ax.set_yscale("log")
            ax.set_ylim(1e-4, 2)
            top_axes.append(ax)
        handles, labels = top_axes[0].get_legend_handles_labels()
        top.legend(handles, labels, loc="outside lower center", ncols=4)
        for ax, panel in zip(bottom.subplots(1, 2), panels[3:], strict=True):
            style.draw_panel(ax, panel, legend=None)
            ax.set_ylim(0, 1.3)
            ax.legend(loc="upper left", ncols=2, fontsize=7)
    return figure


# --- an older formula


def klimov(run: Run) -> Panel:
    """Return thresholds at the line centre against the biexciton shift, and a formula for them."""
    ratio = np.linspace(-3, 3, 121)
    series = [
        Series(
            f"{name}, S = 0",
            ratio,
            _at_centre(run, ratio, statistics, 0.0),
            _REPULSION,
            _THRESHOLD,
            quantity=statistics,
            dash=dash,
        )
        for statistics, (name, dash) in _STATISTICS.items()
    ]
    points = ratio[::8]
    series.append(
        Series(
            "2/(3 − exp(−Δ²/2s²))",
            points,
            klimov_threshold(points),
            _REPULSION,
            _THRESHOLD,
            kind="points",
            quantity="reference",
        )
    )
    shift = _balanced_shift(run)
    series.append(
        Series(
            "sequential, S in balance",
            ratio,
            _at_centre(run, ratio, "sequential", shift),
            _REPULSION,
            _THRESHOLD,
            quantity="sequential",
            dash=":",
        )
    )
    return Panel("a", "one biexciton shift, Δ_A2 = Δ_E = Δ", tuple(series))


def _balanced_shift(run: Run) -> float:
    """Return the Stokes shift that the subject's linewidth asks for, at most the contract's."""
    width = run.subject.linewidth_meV
    shift = detailed_balance.balanced_stokes_shift_meV(width, run["temperature_K"])
    return _number(parameters.clipped("stokes_shift_meV", shift))


def _at_centre(run: Run, ratio: FloatArray, statistics: str, shift_meV: float) -> FloatArray:
    """Return the threshold at the centre of PL_X of dots whose biexciton is shifted as a whole."""
    base = replace(run.subject.uncorrelated(), stokes_shift_meV=shift_meV)
    own: dict[str, Any] = dict.fromkeys(detailed_balance.OWN_WIDTHS)
    shifts = parameters.clipped(
        "absorptive_binding_meV", ratio * units.sigma_from_fwhm(base.linewidth_meV)
    )
    dots = replace(base, **own, absorptive_binding_meV=shifts, emissive_binding_meV=shifts)
    centre = _number(band_centres_eV(base).emission)
    return threshold_at_energy(dots, centre, statistics=statistics)


def draw_klimov(panel: Panel) -> Picture:
    """Draw the older formula among the statistics."""
    with style.book_style():
        figure = style.new_figure(6.0, 3.8)
        ax = figure.subplots()
        style.draw_panel(ax, panel, legend=None)
        ax.set_ylim(0, 3.2)
        ax.legend(loc="upper center", ncols=2)
    return figure


#: What the chapter draws: name -> (series, drawing).
FIGURES = {
    "condition": kit.Figure(condition, draw_condition),
    "thresholds": kit.Figure(thresholds, draw_thresholds),
    "lineshape": kit.Figure(lineshape, draw_lineshape),
    "klimov": kit.Figure(klimov, draw_klimov),
}


# --- numbers


def headlines(run: Run) -> tuple[Headline, ...]:
    """Return the chapter's numbers: those that answer statements, and the checks."""
    return (
        *_condition_headlines(run),
        *_scheme_headlines(run),
        *_biexciton_headlines(run),
        *_imposed_headlines(run),
        *_lineshape_headlines(run),
        *_prior_headlines(run),
    )


def _stated(claim_id: str, *, at_least: bool = False) -> float:
    """Return a stated number, or the lowest one that rounds to it."""
    claim = claims()[claim_id]
    assert claim.stated is not None
    assert claim.tolerance is not None
    return claim.stated - claim.tolerance * at_least


def _condition_headlines(run: Run) -> list[Headline]:
    temperature = run["temperature_K"]
    kT = _number(units.thermal_energy_meV(temperature))
    # S = Γ = s²/kT.
    equal = FWHM_PER_SIGMA**2 * kT
    as_wide = _as_wide(run)
    shift_4ls = detailed_balance.stokes_shift_for_threshold_meV(_stated("F8-4ls"), temperature)
    shift_3ls = detailed_balance.stokes_shift_for_threshold_meV(
        _stated("F8-3ls", at_least=True), temperature
    )
    rows = [
        Headline("balance-temperature", "temperature of the numbers below", temperature, "K"),
        Headline("balance-equal-width", "Γ at which S = Γ is in balance", equal, "meV"),
        Headline("B1-stokes-linewidth", "Γ at which S = Γ/2 is in balance", equal / 2, "meV"),
        Headline(
            "balance-equal-threshold",
            "threshold of Gaussians with S = Γ",
            _number(threshold_at_maximum(as_wide).mean_excitons),
        ),
        Headline(
            "balance-equal-temperature",
            "temperature at which the presets' Γ is in balance with S = Γ",
            _number(
                detailed_balance.balanced_temperature_K(
                    as_wide.linewidth_meV, as_wide.linewidth_meV
                )
            ),
            "K",
        ),
        Headline(
            "balance-equal-allowed",
            "threshold that balance allows that Stokes shift",
            _number(
                detailed_balance.threshold_at_emission_peak(as_wide.stokes_shift_meV, temperature)
            ),
        ),
        Headline(
            "B1-4ls-stokes",
            "S for the 4LS's stated threshold, any line shape",
            _number(shift_4ls),
            "meV",
        ),
        Headline(
            "balance-3ls-stokes",
            "largest S for the 3LS's stated threshold, any line shape",
            _number(shift_3ls),
            "meV",
        ),
    ]
    for slug, width in zip(("low", "high"), _PAPERS_WIDTHS_MEV, strict=True):
        shift = detailed_balance.balanced_stokes_shift_meV(width, temperature)
        rows += [
            Headline(
                f"balance-ratio-{slug}",
                f"S/Γ in balance, Γ = {width:g} meV",
                _number(shift) / width,
            ),
            Headline(
                f"balance-paper-{slug}",
                f"threshold without ESA at S = {width:g} meV, any line shape",
                _number(detailed_balance.threshold_at_emission_peak(width, temperature)),
            ),
            Headline(
                f"balance-equal-temperature-{slug}",
                f"temperature at which S = Γ = {width:g} meV is in balance",
                _number(detailed_balance.balanced_temperature_K(width, width)),
                "K",
            ),
        ]
    return rows


def _scheme_headlines(run: Run) -> list[Headline]:
    temperature = run["temperature_K"]
    kT = units.thermal_energy_meV(temperature)
    rows = []
    for name in run.pairs:
        dot, slug = run.dots[name], _slug(name)
        width, shift = _number(dot.linewidth_meV), _number(dot.stokes_shift_meV)
        needed, warm = np.nan, np.inf
        if shift > 0:
            needed = _number(detailed_balance.balanced_linewidth_meV(shift, temperature))
            warm = _number(detailed_balance.balanced_temperature_K(shift, width))
        ratio = shift / _number(units.sigma_from_fwhm(width))
        rows += [
            Headline(f"balance-stokes-{slug}", f"S, {name}", shift, "meV"),
            Headline(
                "B1-homogeneous" if name == "3LS" else f"balance-linewidth-{slug}",
                f"Γ in balance at its S, {name}",
                needed,
                "meV",
            ),
            Headline(
                f"balance-scaled-{slug}",
                f"Γ in balance at its S/Γ, so at its thresholds, {name}",
                _number(units.fwhm_from_sigma(ratio * kT)),
                "meV",
            ),
            Headline(
                f"balance-warm-{slug}",
                f"temperature at which S and Γ are in balance, {name}",
                warm,
                "K",
            ),
            Headline(
                f"balance-spread-{slug}",
                f"width of a spread of sizes that would make up Γ, {name}",
                float(np.sqrt(width**2 - needed**2)) if needed <= width else np.nan,
                "meV",
            ),
        ]
    subject = _number(run.subject.linewidth_meV)
    rows.append(Headline("balance-linewidth", "Γ of the presets, or yours", subject, "meV"))
    for tail, at in (("", temperature), ("-cold", _RANGE_K[0]), ("-hot", _RANGE_K[1])):
        own = _number(detailed_balance.balanced_stokes_shift_meV(subject, at))
        rows.append(Headline(f"balance-own{tail}", f"S in balance at that Γ, {at:g} K", own, "meV"))
    for name in ("3LS", "4LS"):
        shifts = feasible_set("wide")[f"stokes_{name.lower()}_meV"]
        sigma = units.sigma_from_fwhm(parameters.PRESETS["shared"]["linewidth_meV"])
        widths = units.fwhm_from_sigma(shifts / sigma * kT)
        for end, percent in (("low", 5), ("high", 95)):
            rows.append(
                Headline(
                    f"balance-scaled-{name.lower()}-{end}",
                    f"the same over the calibration's set, {percent} % quantile, {name}",
                    float(np.percentile(widths, percent)),
                    "meV",
                )
            )
    return rows


def _biexciton_headlines(run: Run) -> list[Headline]:
    temperature = run["temperature_K"]
    kT = _number(units.thermal_energy_meV(temperature))
    rows = []
    for name in run.pairs:
        dot, slug = run.dots[f"{name}+ESA"], _slug(name)
        shift = _number(detailed_balance.biexciton_stokes_shift_meV(dot))
        width = np.nan
        if shift > 0:
            width = _number(detailed_balance.balanced_linewidth_meV(shift, temperature))
        rows += [
            Headline(
                "B1-bindings" if name == "4LS" else f"balance-xx-{slug}",
                f"Stokes shift of the biexciton, {name}+ESA",
                shift,
                "meV",
            ),
            Headline(f"balance-xx-width-{slug}", f"Γ in balance with it, {name}+ESA", width, "meV"),
        ]
    real = run.subject
    with np.errstate(divide="ignore", invalid="ignore"):
        strengths = np.divide(real.xx_emission_strength, real.xx_absorption_strength)
        entropy = kT * np.log(strengths)
    rows += [
        Headline("balance-strengths", "strength of PL_XX over that of A_XX2", _number(strengths)),
        Headline(
            "balance-strengths-meV",
            "energy by which it shifts the biexciton's E_Z",
            _number(entropy),
            "meV",
        ),
    ]
    for which in ("wide", "lean"):
        both, positive = _biexciton_shares(which)
        rows += [
            Headline(
                f"balance-xx-positive-{which}",
                f"share of the {which} set with both biexciton Stokes shifts above zero",
                100 * positive,
                "%",
            ),
            Headline(
                f"balance-xx-equal-{which}",
                f"share of the {which} set with both within 10 % of the exciton's",
                100 * both,
                "%",
            ),
        ]
    return rows


@cache
def _biexciton_shares(which: str) -> tuple[float, float]:
    """Return the shares of a set in which both biexcitons are, and could be, in balance."""
    found = feasible_set(which)
    equal, positive = [], []
    for scheme in ("3ls", "4ls"):
        shift = found[f"stokes_{scheme}_meV"]
        own = shift + found[f"emissive_{scheme}_meV"] - found[f"absorptive_{scheme}_meV"]
        equal.append(np.abs(own - shift) <= 0.1 * shift)
        positive.append(own > 0)
    return float(np.mean(np.all(equal, axis=0))), float(np.mean(np.all(positive, axis=0)))


def _imposed_headlines(run: Run) -> list[Headline]:
    temperature = np.array([run["temperature_K"], *_RANGE_K])
    rows = []
    for name in run.pairs:
        slug = _slug(name)
        ideal, real = run.dots[name], run.dots[f"{name}+ESA"]
        for way, keep in _WAYS.items():
            short = "shift" if keep == "stokes_shift_meV" else "width"
            for what, dot, biexciton, tail in (
                ("without ESA", ideal, False, ""),
                ("ESA where it is", real, False, "-esa"),
                ("ESA in balance", real, True, "-both"),
            ):
                mean = _imposed(dot, temperature, keep, biexciton)
                for place, at, value in zip(("", "-cold", "-hot"), temperature, mean, strict=True):
                    if place and tail == "-esa":
                        continue
                    rows.append(
                        Headline(
                            f"balance-{short}{tail}{place}-{slug}",
                            f"threshold, {way}, {what}, {at:g} K, {name}",
                            float(value),
                        )
                    )
    rows += [
        Headline(
            f"balance-preset-{_slug(name)}",
            f"threshold, not imposed, {name}",
            _number(threshold_at_maximum(dot).mean_excitons),
        )
        for name, dot in run.dots.items()
    ]
    rows += _bound_headlines(run)
    rows.append(
        Headline(
            "balance-fine-structure",
            "threshold of a 3LS by fine structure alone, split by its S",
            _number(
                detailed_balance.fine_structure_threshold(
                    run.dots["3LS"].stokes_shift_meV, run["temperature_K"]
                )
            ),
        )
    )
    return rows


def _bound_headlines(run: Run) -> list[Headline]:
    """Return how far ESA could raise the threshold at the gain maximum, the bands in balance."""
    rows = []
    for name in ("3LS", "4LS"):
        dot = detailed_balance.balanced_dot(
            run.dots[f"{name}+ESA"], run["temperature_K"], "stokes_shift_meV", biexciton=True
        )
        bound = detailed_balance.threshold_bounds(dot, _number(band_centres_eV(dot).xx_emission))
        equal = replace(dot, xx_absorption_strength=1.0, xx_emission_strength=1.0)
        rows += [
            Headline(
                f"balance-bound-{name.lower()}",
                f"highest threshold any ESA could cause, S kept, {name}",
                _number(bound[1]),
            ),
            Headline(
                f"balance-mirrored-{name.lower()}",
                f"threshold in balance, S kept, a = γ = 1, {name}",
                _number(threshold_at_maximum(equal).mean_excitons),
            ),
        ]
    return rows


#: Of displaced oscillators and of Gaussians: key of a curve -> part of the headline's key, meaning.
_LINESHAPE_ROWS = {
    "maximum": ("max", "threshold at the gain maximum, displaced oscillators"),
    "maximum, Gaussian": ("max-gauss", "threshold at the gain maximum, their Gaussian"),
    "onset": ("onset", "onset, displaced oscillators"),
    "onset, Gaussian": ("onset-gauss", "onset, their Gaussian"),
}
_BAND_ROWS = {
    "peaks": ("peaks", "S between peaks", "meV"),
    "linewidth": ("fwhm", "Γ of the band", "meV"),
    "ratio": ("ratio", "S kT/s² between and of whole bands", "1"),
}


def _lineshape_headlines(run: Run) -> list[Headline]:
    temperatures = np.array([*_TEMPERATURES_K.values()])
    strongest = parameters.parameter("huang_rhys_factor").maximum
    cases = [(name, _slug(name), _curves(run, name, temperatures)) for name in run.pairs]
    share = f"4LS, {100 * MOST_OPTICAL:g} % of S from the optical phonon"
    cases.append((share, "strong", _curves(run, "4LS", temperatures, strongest)))
    rows = []
    for name, slug, curves in cases:
        for i, label in enumerate(_TEMPERATURES_K):
            at = f"{label.removesuffix(' K')}-{slug}"
            rows += [
                Headline(
                    f"balance-{tail}-{at}", f"{meaning}, {name}, {label}", float(curves[key][i])
                )
                for key, (tail, meaning) in _LINESHAPE_ROWS.items()
            ]
            rows += [
                Headline(
                    f"balance-{tail}-{at}",
                    f"{meaning}, {name}, {label}",
                    float(curves[key][i]),
                    unit,
                )
                for key, (tail, meaning, unit) in _BAND_ROWS.items()
                if label != "400 K"
            ]
    return rows


def _prior_headlines(run: Run) -> list[Headline]:
    """Return what earlier formulas and statements come to in the model."""
    ratio = np.linspace(-3, 3, 121)
    formula = klimov_threshold(ratio)
    # Rounded: what is left of it under sequential statistics is rounding.
    off = {
        name: round(float(np.max(np.abs(_at_centre(run, ratio, name, 0.0) - formula))), 9)
        for name in ("sequential", "rabi")
    }
    far = np.array([8.0])
    rows = [
        Headline(
            "B1-klimov", "largest departure from Klimov's formula, sequential", off["sequential"]
        ),
        Headline("balance-klimov-rabi", "the same, Rabi", off["rabi"]),
        Headline(
            "B1-klimov-far",
            "threshold far from the line, Rabi, S = 0",
            float(_at_centre(run, far, "rabi", 0.0)[0]),
        ),
        Headline(
            "balance-klimov-far-sequential",
            "the same, sequential",
            float(_at_centre(run, far, "sequential", 0.0)[0]),
        ),
        Headline(
            "balance-klimov-far-poisson",
            "the same, Poisson",
            float(_at_centre(run, far, "poisson", 0.0)[0]),
        ),
        Headline(
            "balance-klimov-none-poisson",
            "threshold without a shift, Poisson, S = 0",
            float(_at_centre(run, np.zeros(1), "poisson", 0.0)[0]),
        ),
    ]
    shift = _balanced_shift(run)
    with_shift = _at_centre(run, ratio, "sequential", shift)
    rows += [
        Headline("balance-klimov-stokes", "S in balance at the subject's Γ", shift, "meV"),
        Headline(
            "balance-klimov-repulsion",
            "threshold, sequential, S in balance, Δ = −s",
            float(np.interp(-1, ratio, with_shift)),
        ),
        Headline(
            "balance-klimov-attraction",
            "threshold, sequential, S in balance, Δ = +s",
            float(np.interp(1, ratio, with_shift)),
        ),
        Headline(
            "balance-klimov-unshifted",
            "threshold, sequential, S in balance, Δ = 0",
            float(np.interp(0, ratio, with_shift)),
        ),
    ]
    for key, sign, definition in (
        ("B1-repulsion", -1.0, "gain maximum"),
        ("balance-attraction", 1.0, "gain maximum"),
        ("balance-repulsion-centre", -1.0, "centre of PL_X"),
        ("balance-attraction-centre", 1.0, "centre of PL_X"),
    ):
        rows.append(
            Headline(
                key,
                f"threshold of the 3LS, Rabi, Δ = {sign:+g}s, {definition}",
                _shifted_threshold(run, sign, definition),
            )
        )
    real = run.dots["3LS+ESA"]
    without = replace(real, xx_absorption_strength=0.0)
    now, free = (_number(threshold_at_maximum(d).mean_excitons) for d in (real, without))
    rows += [
        Headline("B1-zhao", "threshold with ESA over that without A_XX2, 3LS+ESA", now / free),
        Headline(
            "balance-highest-rabi",
            "highest ⟨N⟩ that Rabi statistics can have",
            highest_mean_excitons("rabi"),
        ),
    ]
    return rows


def _shifted_threshold(run: Run, ratio: float, definition: str) -> float:
    """Return the threshold of the 3LS with full strengths and one biexciton shift, in widths s."""
    dot = run.dots["3LS"]
    shift = ratio * _number(units.sigma_from_fwhm(dot.linewidth_meV))
    shifted = replace(dot, absorptive_binding_meV=shift, emissive_binding_meV=shift)
    if definition == "gain maximum":
        return _number(threshold_at_maximum(shifted).mean_excitons)
    return _number(threshold_at_energy(shifted, _number(band_centres_eV(dot).emission)))
