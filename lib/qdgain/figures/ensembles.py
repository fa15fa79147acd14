"""Beyond the paper: what a sample of unequal dots does to saturation and thresholds."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure as Picture
from scipy.interpolate import CubicSpline

from qdgain import chapters
from qdgain.beyond import driven_ladder
from qdgain.beyond.ensemble import Ensemble
from qdgain.beyond.ensemble_thresholds import (
    REACH,
    EnsembleThresholds,
    amplitudes,
    ensemble_thresholds,
    fluence_to_tell,
    inhomogeneous,
    laws_apart,
    misfit,
    saturation,
)
from qdgain.figures import kit, style
from qdgain.figures.panel import FLUENCE, Axis, Panel, Series
from qdgain.model import units
from qdgain.model.balance import balanced_linewidth_meV
from qdgain.model.bands import FWHM_PER_SIGMA
from qdgain.model.cross_sections import YU_RANGE_NM, cdse_diameter_nm
from qdgain.model.dot import Dot, FloatArray
from qdgain.model.parameters import CONTRACT
from qdgain.model.threshold import threshold_at_maximum
from qdgain.paper.claims import Headline
from qdgain.run import Run

SETTINGS = chapters.SETTINGS["ensembles"]

EQUAL, SIZE, ORIENTATION, DEPTH, BEAM = "equal dots", "size", "orientation", "depth", "beam"
TOGETHER, SECOND_STEP, BOTH = "together", "second step", "together, second step"
#: The effects of a sample, each alone.
ALONE = (SIZE, ORIENTATION, DEPTH, BEAM)
#: Alike only where curves run far apart.
_DASHES = {
    EQUAL: ":",
    SIZE: "--",
    ORIENTATION: "--",
    DEPTH: "-.",
    BEAM: "-.",
    TOGETHER: "-",
}
_MARKERS = ("o", "s", "^", "D", "v", "P")
_EXCITONS = Axis("mean excitons ⟨N⟩")
_CASE = Axis("sample")


def samples(settings: Mapping[str, Any]) -> dict[str, Ensemble]:
    """Return the samples that the chapter compares, by name.

    Parameters
    ----------
    settings : Mapping
        The chapter's settings.
    """
    size = {
        "inhomogeneous_width_meV": settings["inhomogeneous_width_meV"],
        "size_dispersion": settings["size_dispersion"],
        "resonant_pump": settings["pump_band"] == "resonant",
    }
    turned = {
        "dipole_dimensions": settings["dipole_dimensions"],
        "probe_polarisation": settings["probe_polarisation"],
    }
    deep = {"pump_optical_density": settings["pump_optical_density"]}
    spot = {"probe_spot_ratio": settings["probe_spot_ratio"]}
    step = {"second_step_detuning_meV": settings["second_step_detuning_meV"]}
    equal = Ensemble(pump_duration_fs=settings["pump_duration_fs"])
    return {
        EQUAL: equal,
        SIZE: replace(equal, **size),
        ORIENTATION: replace(equal, **turned),
        DEPTH: replace(equal, **deep),
        BEAM: replace(equal, **spot),
        TOGETHER: replace(equal, **size, **turned, **deep, **spot),
        SECOND_STEP: replace(equal, **step),
        BOTH: replace(equal, **size, **turned, **deep, **spot, **step),
    }


def _thresholds(run: Run, dot: Dot, sample: Ensemble) -> EnsembleThresholds:
    return ensemble_thresholds(
        dot,
        sample,
        run["statistics"],
        floor=run["floor"],
        gain_exponent=run["gain_exponent"],
        pi_pulse_fluence_mJ_cm2=run["pi_pulse_fluence_mJ_cm2"],
    )


# --- saturation


def saturations(run: Run) -> tuple[Panel, ...]:
    """Return ⟨N⟩ against fluence under Rabi's law, each effect alone, and beside Poisson's law."""
    dot, every = run.subject, samples(run.settings)
    amplitude = np.linspace(0.0, REACH, 201)
    fluence = run["pi_pulse_fluence_mJ_cm2"] * amplitude**2

    def line(name: str, sample: str, law: str, quantity: str, dash: str) -> Series:
        curve = saturation(dot, every[sample], law, band_edge=True)
        return Series(
            name, fluence, curve(amplitude), FLUENCE, _EXCITONS, quantity=quantity, dash=dash
        )

    effects = tuple(
        line(name, name, "rabi", name, _DASHES[name]) for name in (EQUAL, *ALONE, TOGETHER)
    )
    return (
        Panel("a", "Rabi's law", effects),
        Panel(
            "b",
            "Rabi's law and Poisson's",
            (
                line("Rabi, equal dots", EQUAL, "rabi", "rabi", ":"),
                line("Poisson, equal dots", EQUAL, "poisson", "poisson", "-."),
                line("Rabi, together", TOGETHER, "rabi", "rabi", "-"),
                line("Poisson, together", TOGETHER, "poisson", "poisson", "--"),
                line("Rabi, together, second step", BOTH, "rabi", "together", "-."),
            ),
        ),
    )


def draw_saturations(panels: tuple[Panel, ...]) -> Picture:
    """Draw the saturation curves."""
    with style.book_style():
        figure = style.new_figure(8.4, 3.8)
        axes = figure.subplots(1, 2, sharey=True)
        for ax, panel in zip(axes, panels, strict=True):
            style.draw_panel(ax, panel, legend=None)
            ax.set_ylim(0, 3.1)
            ax.legend(loc="upper left", ncols=2, fontsize=7)
    return figure


# --- thresholds of every sample


def thresholds(run: Run) -> tuple[Panel, ...]:
    """Return the thresholds of stimulated and amplified spontaneous emission in every sample."""
    every = samples(run.settings)
    found = {
        name: [_thresholds(run, dot, sample) for sample in every.values()]
        for name, dot in run.dots.items()
    }
    position = np.arange(len(every), dtype=float)
    # Side by side, so that none hides another.
    aside = 0.09 * (np.arange(len(found)) - 0.5 * (len(found) - 1))

    def panel(letter: str, title: str, which: str, axis: Axis) -> Panel:
        return Panel(
            letter,
            title,
            tuple(
                Series(
                    name,
                    position + aside[k],
                    [getattr(each, which) for each in rows],
                    _CASE,
                    axis,
                    kind="points",
                    quantity=_quantity(name),
                    dash=_MARKERS[k % len(_MARKERS)],
                )
                for k, (name, rows) in enumerate(found.items())
            ),
        )

    return (
        panel("a", "gain maximum", "at_maximum", Axis("threshold ⟨N⟩")),
        panel("b", "ASE", "ase_fluence", Axis("threshold fluence", "mJ cm⁻²")),
    )


def _quantity(name: str) -> str:
    return name.removesuffix("+ESA")


def draw_thresholds(panels: tuple[Panel, ...]) -> Picture:
    """Draw the thresholds of every sample; what is out of reach stands above the frame."""
    names = list(_NAMES_DRAWN)
    with style.book_style():
        figure = style.new_figure(8.4, 4.2)
        axes = figure.subplots(1, 2)
        for ax, panel, top in zip(axes, panels, (2.0, None), strict=True):
            style.draw_panel(ax, panel, legend=None)
            ax.set_xticks(range(len(names)), names, rotation=90)
            ax.set_xlim(-0.5, len(names) - 0.5)
            ax.set_ylim(0, top or 1.05 * ax.get_ylim()[1])
            _mark_out_of_reach(ax, panel)
            for x in (0.5, 4.5, 5.5):
                ax.axvline(
                    x, ymax=0.78, color=style.colour("reference"), linewidth=0.6, linestyle=":"
                )
        axes[0].legend(loc="upper left", ncols=2, bbox_to_anchor=(0.02, 0.97))
    return figure


_NAMES_DRAWN = (
    "equal dots",
    "size",
    "orientation",
    "depth",
    "beam",
    "together",
    "second step",
    "together,\nsecond step",
)


def _mark_out_of_reach(ax: Axes, panel: Panel) -> None:
    low, high = ax.get_ylim()
    ax.set_ylim(low, high + 0.08 * (high - low))
    for series in panel.series:
        x, y = np.asarray(series.x), np.asarray(series.y)
        beyond = x[~np.isfinite(y)]
        ax.plot(
            beyond,
            np.full(beyond.shape, high + 0.02 * (high - low)),
            linestyle="none",
            marker=series.dash,
            markerfacecolor="none",
            color=style.colour(series.quantity),
        )
    if not all(np.isfinite(series.y).all() for series in panel.series):
        ax.text(6.5, high - 0.03 * (high - low), "out of reach", ha="center", va="top", fontsize=8)


# --- the detuned second step


def second_step(run: Run) -> tuple[Panel, ...]:
    """Return the populations after a pulse whose second step is detuned, and the biexcitons."""
    duration, own = run["pump_duration_fs"], abs(run["second_step_detuning_meV"])
    amplitude = np.linspace(0.0, REACH, 161)
    fluence = run["pi_pulse_fluence_mJ_cm2"] * amplitude**2
    axis = Axis("fraction of dots")
    lines = []
    for detuning, dash in zip(dict.fromkeys((0.0, own, 2 * own)), ("-", "--", ":"), strict=False):
        found = driven_ladder.ladder_populations(np.pi * amplitude, detuning, duration)
        lines += [
            Series(
                f"{state}, {detuning:g} meV",
                fluence,
                values,
                FLUENCE,
                axis,
                quantity=quantity,
                dash=dash,
            )
            for state, values, quantity in (
                ("X", found.exciton, "one exciton"),
                ("XX", found.biexciton, "two excitons"),
            )
        ]
    reach = max(80.0, 2 * own)
    detunings = np.linspace(0.0, reach, 121)
    at_pi = driven_ladder.ladder_populations(np.pi, detunings[::8], duration)
    shift = Axis("detuning Δ_A1 of the second step", "meV")
    fewer = Axis("biexcitons / those of independent channels")
    return (
        Panel("a", f"pulse of {duration:g} fs", tuple(lines)),
        Panel(
            "b",
            "biexcitons",
            (
                Series(
                    "low fluence",
                    detunings,
                    driven_ladder.pair_suppression(detunings, duration),
                    shift,
                    fewer,
                    quantity="two excitons",
                ),
                Series(
                    "π pulse",
                    detunings[::8],
                    at_pi.biexciton,
                    shift,
                    fewer,
                    quantity="two excitons",
                    kind="points",
                    dash="o",
                ),
                Series(
                    "low fluence, three times as long",
                    detunings,
                    driven_ladder.pair_suppression(detunings, 3 * duration),
                    shift,
                    fewer,
                    quantity="reference",
                    dash=":",
                ),
            ),
        ),
    )


def draw_second_step(panels: tuple[Panel, ...]) -> Picture:
    """Draw the detuned second step."""
    with style.book_style():
        figure = style.new_figure(8.4, 3.6)
        axes = figure.subplots(1, 2)
        style.draw_panel(axes[0], panels[0], legend=None)
        axes[0].set_ylim(0, 1.45)
        axes[0].legend(loc="upper right", ncols=3, fontsize=7)
        style.draw_panel(axes[1], panels[1], legend="upper right")
    return figure


# --- the inhomogeneous width


def widths(run: Run) -> Panel:
    """Return the threshold at the gain maximum against the inhomogeneous width, broad pump."""
    width = np.linspace(0.0, 120.0, 61)
    axis = Axis("inhomogeneous width Γ_inh", "meV")
    mean = Axis("threshold ⟨N⟩ at the gain maximum")
    lines = [
        Series(
            name,
            width,
            _pumped_alike(run, dot, width),
            axis,
            mean,
            quantity=_quantity(name),
            dash="--" if name.endswith("+ESA") else "-",
        )
        for name, dot in run.dots.items()
    ]
    return Panel("", "all dots pumped alike", tuple(lines))


def _pumped_alike(run: Run, dot: Dot, width_meV: FloatArray) -> FloatArray:
    """Return the threshold at the gain maximum where the pump excites all dots alike."""
    own = any(name.endswith("_linewidth_meV") for name in dot.values())
    widest = np.hypot(dot.linewidth_meV, np.max(width_meV))
    if own or widest > CONTRACT["linewidth_meV"].maximum:
        # Bands of different widths lose different heights, and a dot is allowed no wider ones.
        each = [Ensemble(inhomogeneous_width_meV=float(width)) for width in width_meV]
        return np.array([_thresholds(run, dot, sample).at_maximum for sample in each])
    return threshold_at_maximum(
        inhomogeneous(dot, width_meV), statistics=run["statistics"]
    ).mean_excitons


def draw_widths(panel: Panel) -> Picture:
    """Draw the thresholds against the inhomogeneous width."""
    with style.book_style():
        figure = style.new_figure()
        ax = figure.subplots()
        style.draw_panel(ax, panel, legend=None)
        ax.set_ylim(0, 2.05)
        ax.legend(loc="lower right", ncols=2)
    return figure


#: What the chapter draws: name -> (series, drawing).
FIGURES = {
    "saturations": kit.Figure(saturations, draw_saturations),
    "thresholds": kit.Figure(thresholds, draw_thresholds),
    "second_step": kit.Figure(second_step, draw_second_step),
    "widths": kit.Figure(widths, draw_widths),
}


def headlines(run: Run) -> tuple[Headline, ...]:
    """Return the chapter's numbers."""
    every = samples(run.settings)
    found = {
        (dot, name): _thresholds(run, run.dots[dot], sample)
        for dot in run.dots
        for name, sample in every.items()
    }
    return (
        *_threshold_headlines(run, found),
        *_law_headlines(run, every),
        *_choice_headlines(run, every, found),
        *_ladder_headlines(run),
        *_width_headlines(run),
    )


def _slug(name: str) -> str:
    return name.replace(", ", "-").replace(" ", "-").replace("+ESA", "-esa").lower()


def _change(value: float, before: float) -> float:
    """Return a change in per cent; infinity if the value is out of reach alone."""
    # Without ESA a spread of the pumping changes no threshold in ⟨N⟩: zero, and not its rounding.
    return round(100 * (value / before - 1), 9) + 0.0 if math.isfinite(before) else math.nan


_Found = Mapping[tuple[str, str], EnsembleThresholds]


def _threshold_headlines(run: Run, found: _Found) -> list[Headline]:
    """Return every threshold with all effects together, and what each effect changes."""
    rows = []
    for dot in run.dots:
        slug, papers = _slug(dot), dot in _PAPERS
        equal = found[dot, EQUAL]
        for name in (EQUAL, TOGETHER, BOTH):
            now = found[dot, name]
            claimed = name == TOGETHER and papers
            for key, what, value, unit in (
                ("", "threshold at gain maximum", now.at_maximum, "1"),
                ("onset-", "threshold onset", now.onset, "1"),
                ("ase-", "ASE threshold", now.ase_fluence, "mJ cm⁻²"),
            ):
                own = f"B5-{key}{slug}" if claimed and key != "onset-" else ""
                rows.append(
                    Headline(
                        own or f"ensembles-{_slug(name)}-{key}{slug}",
                        f"{what}, {name}, {dot}",
                        value,
                        unit,
                    )
                )
        for name in (*ALONE, TOGETHER, SECOND_STEP):
            now = found[dot, name]
            rows += [
                Headline(
                    f"ensembles-{_slug(name)}-{key}{slug}-change",
                    f"change of the {what} by {name}, {dot}",
                    _change(value, before),
                    "%",
                )
                for key, what, value, before in (
                    ("", "threshold at gain maximum", now.at_maximum, equal.at_maximum),
                    ("onset-", "threshold onset", now.onset, equal.onset),
                    ("ase-", "ASE threshold", now.ase_fluence, equal.ase_fluence),
                )
                if key != "onset-" or name == TOGETHER
            ]
    changes = {
        key: [
            abs(_change(getattr(found[dot, TOGETHER], which), getattr(found[dot, EQUAL], which)))
            for dot in run.dots
        ]
        for key, which in (("se", "at_maximum"), ("onset", "onset"), ("ase", "ase_fluence"))
    }
    rows += [
        Headline(f"ensembles-moves-{key}", f"largest change of {what}, together", max(values), "%")
        for (key, values), what in zip(
            changes.items(),
            ("a threshold at gain maximum", "an onset", "an ASE threshold"),
            strict=True,
        )
    ]
    return rows


_PAPERS = ("3LS", "3LS+ESA", "4LS", "4LS+ESA")


def _law_headlines(run: Run, every: Mapping[str, Ensemble]) -> list[Headline]:
    """Return whether saturation tells Rabi's law from Poisson's in a sample."""
    dot, pi_pulse = run.subject, run["pi_pulse_fluence_mJ_cm2"]
    rows = []
    for name in (EQUAL, *ALONE, TOGETHER, SECOND_STEP, BOTH):
        apart, slug = laws_apart(dot, every[name]), _slug(name)
        rows += [
            Headline(f"ensembles-highest-{slug}", f"largest ⟨N⟩, Rabi, {name}", apart.highest),
            Headline(
                f"ensembles-misfit-{slug}",
                f"what a fit of Poisson leaves of Rabi up to a π pulse, {name}",
                100 * apart.fitted,
                "%",
            ),
        ]
        if name in (EQUAL, TOGETHER):
            tell = fluence_to_tell(dot, every[name])
            rows += [
                Headline(
                    f"ensembles-largest-{slug}",
                    f"largest difference of Rabi and Poisson below a π pulse, {name}",
                    apart.largest,
                ),
                Headline(
                    "B5-rabi" if name == TOGETHER else f"ensembles-part-{slug}",
                    f"fluence at which Rabi and Poisson part by 10 %, {name}",
                    pi_pulse * apart.ten_per_cent,
                    "mJ cm⁻²",
                ),
                Headline(
                    f"ensembles-tell-{slug}",
                    f"last fluence at which a fit of Poisson leaves 5 %, {name}",
                    pi_pulse * tell,
                    "mJ cm⁻²",
                ),
                Headline(
                    f"ensembles-top-{slug}",
                    f"fluence of the largest ⟨N⟩, {name}",
                    pi_pulse * apart.highest_fluence,
                    "mJ cm⁻²",
                ),
                Headline(
                    f"ensembles-fall-{slug}", f"fall of ⟨N⟩ beyond it, Rabi, {name}", apart.fall
                ),
            ]
    return rows


def _choice_headlines(run: Run, every: Mapping[str, Ensemble], found: _Found) -> list[Headline]:
    """Return what other choices of dipole, probe, pump and beam would give."""
    dot = run.subject
    line = replace(every[EQUAL], dipole_dimensions=1)
    parallel = replace(every[ORIENTATION], probe_polarisation="parallel")
    alike = replace(every[SIZE], resonant_pump=False)
    wide = replace(every[EQUAL], probe_spot_ratio=1.0)
    thin = replace(every[TOGETHER], pump_optical_density=0.0)
    rows = [
        Headline(
            "ensembles-misfit-thin",
            "what a fit of Poisson leaves of Rabi up to a π pulse, together but thin",
            100 * laws_apart(dot, thin).fitted,
            "%",
        ),
        Headline(
            "ensembles-highest-line",
            "largest ⟨N⟩, Rabi, linear dipoles",
            laws_apart(dot, line).highest,
        ),
        Headline(
            "ensembles-incident",
            "fluence in front of the film / mean in it, unbleached",
            every[DEPTH].incident_per_mean,
        ),
        Headline(
            "ensembles-peak",
            "fluence at the beam's centre / mean over the probed spot",
            every[BEAM].peak_per_mean,
        ),
    ]
    for name in run.pairs:
        for dot_name in (name, f"{name}+ESA"):
            equal, own, slug = found[dot_name, EQUAL], run.dots[dot_name], _slug(dot_name)
            rows += [
                Headline(
                    f"ensembles-parallel-{slug}",
                    f"change of the threshold at gain maximum, parallel probe, {dot_name}",
                    _change(_thresholds(run, own, parallel).at_maximum, equal.at_maximum),
                    "%",
                ),
                Headline(
                    f"ensembles-broad-{slug}",
                    f"change by size, all dots pumped alike, {dot_name}",
                    _change(_thresholds(run, own, alike).at_maximum, equal.at_maximum),
                    "%",
                ),
                Headline(
                    f"ensembles-wide-{slug}",
                    f"change of the ASE threshold, probed spot as wide as the pump, {dot_name}",
                    _change(_thresholds(run, own, wide).ase_fluence, equal.ase_fluence),
                    "%",
                ),
            ]
        rows += [
            Headline(
                f"ensembles-exponent-{_slug(sample)}-{_slug(name)}",
                f"apparent exponent of ASE above threshold, {sample}, {name}",
                found[name, sample].ase_exponent,
            )
            for sample in (EQUAL, BEAM, TOGETHER)
        ]
    return rows


def _ladder_headlines(run: Run) -> list[Headline]:
    """Return when the second step leaves resonance, and what dephasing would do."""
    duration, own = run["pump_duration_fs"], run["second_step_detuning_meV"]
    time = float(driven_ladder.dephasing_time_fs(run.subject.linewidth_meV))
    # Of the same slope at low fluence.
    area = np.pi * amplitudes() / math.sqrt(driven_ladder.slope_with_dephasing(duration, time))
    dephased = 2 * driven_ladder.dephased_occupation(area, duration, time)
    poisson = saturation(run.subject, samples(run.settings)[EQUAL], "poisson", band_edge=True)
    at_pi = driven_ladder.ladder_populations(np.pi, own, duration)
    return [
        Headline("ensembles-detuning", "detuning of the second step", own, "meV"),
        Headline("ensembles-duration", "duration of the pump pulse", duration, "fs"),
        Headline(
            "ensembles-half-suppressed",
            "detuning that halves the biexcitons at low fluence",
            float(driven_ladder.half_suppressed_meV(duration)),
            "meV",
        ),
        Headline(
            "ensembles-pairs",
            "biexcitons / those of independent channels, low fluence",
            float(driven_ladder.pair_suppression(own, duration)),
        ),
        Headline(
            "ensembles-pairs-pi",
            "the same after a π pulse",
            float(at_pi.biexciton),
        ),
        Headline(
            "ensembles-dephasing-time",
            "dephasing time if the linewidth were all dephasing",
            time,
            "fs",
        ),
        Headline(
            "ensembles-highest-dephased",
            "largest ⟨N⟩ with that dephasing, equal dots",
            float(dephased.max()),
        ),
        Headline(
            "ensembles-misfit-dephased",
            "what a fit of Poisson leaves of it up to a π pulse",
            100 * misfit(CubicSpline(amplitudes(), dephased), poisson, 1.0),
            "%",
        ),
    ]


def _width_headlines(run: Run) -> list[Headline]:
    """Return what the inhomogeneous width means for detailed balance, and for the diameter."""
    rows = []
    for name in run.pairs:
        dot, slug = run.dots[name], _slug(name)
        width = float(dot.linewidth_meV)
        balanced = math.nan
        if float(dot.stokes_shift_meV) > 0:
            balanced = float(balanced_linewidth_meV(dot.stokes_shift_meV, run["temperature_K"]))
        rest = math.sqrt(width**2 - balanced**2) if balanced <= width else math.nan
        rows += [
            Headline(
                "B5-einstein" if name == "3LS" else f"ensembles-balanced-{slug}",
                f"width of one dot that detailed balance asks of the Stokes shift, {name}",
                balanced,
                "meV",
            ),
            Headline(
                f"ensembles-rest-{slug}",
                f"inhomogeneous width that would make up the rest of the linewidth, {name}",
                rest,
                "meV",
            ),
            Headline(f"ensembles-linewidth-{slug}", f"linewidth, {name}", width, "meV"),
        ]
    for dot_name, dot in run.dots.items():
        none_and_all = np.array([0.0, run["inhomogeneous_width_meV"]])
        alone, sample = _pumped_alike(run, dot, none_and_all)
        rows.append(
            Headline(
                f"ensembles-closed-{_slug(dot_name)}",
                f"change by the inhomogeneous width alone, all dots pumped alike, {dot_name}",
                _change(float(sample), float(alone)),
                "%",
            )
        )
    rows += [
        Headline("ensembles-width", "inhomogeneous width", run["inhomogeneous_width_meV"], "meV"),
        Headline("ensembles-dispersion", "size dispersion", 100 * run["size_dispersion"], "%"),
        Headline("ensembles-density", "optical density for the pump", run["pump_optical_density"]),
        Headline("ensembles-spot", "probed over pumped spot", run["probe_spot_ratio"]),
        Headline(
            "ensembles-width-from-size",
            "inhomogeneous width that the sizing curve of CdSe gives this dispersion",
            _width_from_size(float(run.subject.absorption_energy_eV), run["size_dispersion"]),
            "meV",
        ),
    ]
    return rows


def _width_from_size(energy_eV: float, dispersion: float) -> float:
    """Return Γ_inh of CdSe dots with a first exciton, by the slope of the sizing curve."""
    small = 0.01
    wavelength = float(units.nm_from_eV(energy_eV))
    low, high = YU_RANGE_NM
    if not low * (1 + small) < wavelength < high * (1 - small):
        return math.nan
    around = wavelength * np.array([1 - small, 1 + small])
    slope = np.diff(units.eV_from_nm(around)) / np.diff(np.log(cdse_diameter_nm(around)))
    return float(1e3 * FWHM_PER_SIGMA * dispersion * abs(slope[0]))
