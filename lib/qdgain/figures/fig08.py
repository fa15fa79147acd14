"""Figure 8: the five bands, saturation, gain contours and thresholds of the Simple Model."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import scipy
from matplotlib.figure import Figure as Picture
from numpy.typing import ArrayLike

from qdgain import chapters
from qdgain.beyond import levers
from qdgain.calibration.record import record
from qdgain.figures import kit, style
from qdgain.figures.panel import ENERGY, FLUENCE, GAIN, MEAN_EXCITONS, Axis, Panel, Series
from qdgain.model import parameters
from qdgain.model.bands import (
    FWHM_PER_SIGMA,
    band_centres_eV,
    band_offsets_meV,
    band_widths_meV,
    bands,
    energy_window_eV,
)
from qdgain.model.dot import Dot, FloatArray
from qdgain.model.gain import exciton_share, gain, largest_gain
from qdgain.model.populations import (
    band_edge_excitons,
    mean_excitons_after_pulse,
    photons_per_fluence_cm2_mJ,
)
from qdgain.model.threshold import threshold_at_maximum, threshold_onset
from qdgain.model.units import transit_time_fs
from qdgain.paper.claims import Headline, claims
from qdgain.run import YOUR_DOT, Run

SETTINGS = chapters.SETTINGS["fig08"]

_BAND_NAMES = ("A_X", "PL_X", "A_XX1", "A_XX2", "PL_XX")
_BAND_DASHES = ("-", "-", ":", "--", "-.")
_CONTOUR_LETTERS = {"3LS": "c", "4LS": "d", "3LS+ESA": "e", "4LS+ESA": "f"}
_BINDING = Axis("absorptive biexciton shift Δ_A2", "meV")
_THRESHOLD = Axis("threshold ⟨N⟩")


def _esa_name(run: Run) -> str:
    """Name the dot whose bands panel a shows: the user's, otherwise the 3LS."""
    return "3LS+ESA" if run.is_papers else f"{YOUR_DOT}+ESA"


def spectra(run: Run) -> Panel:
    """Return panel a: the five bands of the dot with ESA."""
    name = _esa_name(run)
    dot = run.dots[name]
    energy = energy_window_eV(dot)
    amplitude = Axis("band / peak of A_X")
    strength = (
        1.0,
        1.0,
        dot.xx_absorption_strength,
        dot.xx_absorption_strength,
        dot.xx_emission_strength,
    )
    return Panel(
        "a",
        f"bands, {name}",
        tuple(
            Series(
                band_name, energy, factor * band, ENERGY, amplitude, quantity=band_name, dash=dash
            )
            for band_name, factor, band, dash in zip(
                _BAND_NAMES, strength, bands(dot, energy), _BAND_DASHES, strict=True
            )
        ),
    )


def draw_spectra(panel: Panel) -> Picture:
    """Draw panel a."""
    with style.book_style():
        figure = style.new_figure()
        style.draw_panel(figure.subplots(), panel)
    return figure


def saturation(run: Run) -> Panel:
    """Return panel b: ⟨N⟩ against fluence in three statistics, and the straight line σJ/hν."""
    pi_fluence = run["pi_pulse_fluence_mJ_cm2"]
    fluence = np.linspace(0, 1.5 * pi_fluence, 301)
    rabi = mean_excitons_after_pulse(fluence, pi_fluence, "rabi")
    poisson = mean_excitons_after_pulse(fluence, pi_fluence, "poisson")
    filled = band_edge_excitons(poisson)
    axis = Axis("mean band-edge excitons ⟨N⟩")
    return Panel(
        "b",
        "saturation",
        (
            Series("Rabi, and sequential", fluence, rabi, FLUENCE, axis, quantity="rabi"),
            Series(
                "Poisson, at most two at the band edge",
                fluence,
                filled,
                FLUENCE,
                axis,
                quantity="poisson",
                dash="--",
            ),
            Series(
                "Poisson, all excitons: ⟨N⟩ = σJ/hν",
                fluence,
                poisson,
                FLUENCE,
                axis,
                quantity="linear",
                dash=":",
            ),
        ),
    )


def draw_saturation(panel: Panel) -> Picture:
    """Draw panel b."""
    with style.book_style():
        figure = style.new_figure()
        ax = figure.subplots()
        style.draw_panel(ax, panel)
        ax.set_ylim(0, 2.6)
    return figure


def contours(run: Run) -> tuple[Panel, ...]:
    """Return panels c to f: the gain against energy and ⟨N⟩, and its projections.

    A user's dot adds two more, without letters of the paper's.
    """
    order = ["3LS", "4LS", "3LS+ESA", "4LS+ESA"]
    if not run.is_papers:
        order += [YOUR_DOT, f"{YOUR_DOT}+ESA"]
    return tuple(_contour(run, name) for name in order)


def _contour(run: Run, name: str) -> Panel:
    dot, statistics = run.dots[name], run["statistics"]
    energy = energy_window_eV(dot, points=161)
    mean = np.linspace(0, 2, 101)
    at_maximum = threshold_at_maximum(dot, statistics=statistics)
    onset = threshold_onset(dot, run["floor"], statistics)
    series = [
        Series(
            "gain",
            energy,
            mean,
            ENERGY,
            MEAN_EXCITONS,
            kind="map",
            z_axis=GAIN,
            z=gain(dot, energy, mean, statistics),
        ),
    ]
    for excitons, quantity, dash in ((1.0, "one exciton", "--"), (2.0, "two excitons", "-")):
        series.append(
            Series(
                f"⟨N⟩ = {excitons:g}",
                energy,
                gain(dot, energy, excitons, statistics),
                ENERGY,
                GAIN,
                quantity=quantity,
                dash=dash,
            )
        )
    for label, point, quantity, dash in (
        ("at maximum", at_maximum, "at gain maximum", "-"),
        ("at onset", onset, "onset", "--"),
    ):
        if np.isfinite(point.energy_eV):
            along = gain(dot, point.energy_eV, mean, statistics)
            series.append(
                Series(label, along, mean, GAIN, MEAN_EXCITONS, quantity=quantity, dash=dash)
            )
            series.append(
                Series(
                    f"threshold, {label}",
                    point.energy_eV,
                    point.mean_excitons,
                    ENERGY,
                    MEAN_EXCITONS,
                    quantity=quantity,
                    kind="points",
                    dash="o" if dash == "-" else "s",
                )
            )
    return Panel(_CONTOUR_LETTERS.get(name, ""), name, tuple(series))


def draw_contours(panels: tuple[Panel, ...]) -> Picture:
    """Draw panels c to f, each a map with its projections above and to the right."""
    limit = max(float(np.max(np.abs(panel["gain"].values))) for panel in panels)
    rows = len(panels) // 2
    with style.book_style():
        figure = style.new_figure(8.0, 3.4 * rows + 0.6)
        body, foot = style.split(figure, 2, 1, height_ratios=(3.4 * rows, 0.6))
        for block, panel in zip(style.split(body, rows, 2), panels, strict=True):
            parts = block.add_gridspec(2, 2, width_ratios=(3, 1.3), height_ratios=(1.3, 3))
            main = block.add_subplot(parts[1, 0])
            top = block.add_subplot(parts[0, 0], sharex=main)
            right = block.add_subplot(parts[1, 1], sharey=main)
            mesh = style.draw_map(main, panel["gain"], limit)
            for series in panel.of_kind("line", "points"):
                if series.y_axis == GAIN:
                    style.draw_series(top, series)
                elif series.x_axis == GAIN:
                    style.draw_series(right, series)
                else:
                    style.draw_series(main, series)
            top.set(ylabel="G", title=panel.title)
            top.axhline(0, color="black", linewidth=0.6)
            top.tick_params(labelbottom=False)
            right.axvline(0, color="black", linewidth=0.6)
            right.set_xlabel("G")
            right.tick_params(labelleft=False)
            style.legend_of(block.add_subplot(parts[0, 1]), top, right)
            style.letter(top, panel.letter)
        scale = foot.subplots(gridspec_kw={"left": 0.2, "right": 0.8})
        foot.colorbar(mesh, cax=scale, orientation="horizontal", label=GAIN.label)
    return figure


def thresholds(run: Run) -> tuple[Panel, ...]:
    """Return panels g and h: both thresholds with ESA against the absorptive biexciton shift."""
    names = [("g", "3LS+ESA"), ("h", "4LS+ESA")]
    if not run.is_papers:
        names.append(("", f"{YOUR_DOT}+ESA"))
    return tuple(_threshold_panel(run, letter, name) for letter, name in names)


def _threshold_panel(run: Run, letter: str, name: str) -> Panel:
    dot, statistics, floor = run.dots[name], run["statistics"], run["floor"]
    stokes = float(np.asarray(dot.stokes_shift_meV))
    reach = 2.0 * float(np.asarray(dot.linewidth_meV))
    low, high = parameters.clipped("absorptive_binding_meV", [stokes - reach, stokes + reach])
    binding = np.linspace(low, high, 201)
    many = replace(dot, absorptive_binding_meV=binding)
    at_maximum = threshold_at_maximum(many, statistics=statistics).mean_excitons
    onset = threshold_onset(many, floor, statistics).mean_excitons
    own = float(np.asarray(dot.absorptive_binding_meV))
    here = threshold_at_maximum(dot, statistics=statistics).mean_excitons
    return Panel(
        letter,
        name,
        (
            Series(
                "at gain maximum",
                binding,
                at_maximum,
                _BINDING,
                _THRESHOLD,
                quantity="at gain maximum",
            ),
            Series(
                f"onset, ε = {floor:g}",
                binding,
                onset,
                _BINDING,
                _THRESHOLD,
                quantity="onset",
                dash="--",
            ),
            Series(
                "Stokes shift",
                [stokes, stokes],
                [0, 2],
                _BINDING,
                _THRESHOLD,
                quantity="reference",
                dash=":",
            ),
            Series(
                "this dot",
                own,
                here,
                _BINDING,
                _THRESHOLD,
                kind="points",
                quantity="at gain maximum",
            ),
        ),
    )


def draw_thresholds(panels: tuple[Panel, ...]) -> Picture:
    """Draw panels g and h."""
    with style.book_style():
        figure = style.new_figure(4.0 * len(panels), 3.4)
        axes = figure.subplots(1, len(panels), sharey=True)
        for ax, panel in zip(axes, panels, strict=True):
            style.draw_panel(ax, panel, legend=None)
            ax.set_ylim(0, 2.05)
        axes[0].legend(loc="lower left")
    return figure


def onset_against_floor(run: Run) -> Panel:
    """Return how the onset falls with the floor that defines it, for every dot."""
    floor = np.geomspace(1e-6, 0.2, 121)
    axis = Axis("gain floor ε / peak absorption cross section")
    return Panel(
        "",
        "onset against the floor",
        tuple(
            Series(
                name,
                floor,
                _onset_at_floors(dot, floor, run["statistics"]),
                axis,
                _THRESHOLD,
                quantity=name.removesuffix("+ESA"),
                dash="--" if name.endswith("+ESA") else "-",
            )
            for name, dot in run.dots.items()
        ),
    )


def _onset_at_floors(dot: Dot, floor: FloatArray, statistics: str) -> FloatArray:
    # One dot repeated, so that the floors broadcast over it.
    many = replace(dot, linewidth_meV=np.full(floor.shape, dot.linewidth_meV))
    return threshold_onset(many, floor, statistics).mean_excitons


def draw_onset_against_floor(panel: Panel) -> Picture:
    """Draw the onset against the floor."""
    with style.book_style():
        figure = style.new_figure()
        ax = figure.subplots()
        style.draw_panel(ax, panel, legend=None)
        # Above the curves, none of which reaches there at small floors.
        ax.legend(loc="upper left", ncols=2)
        ax.set_xscale("log")
        ax.set_ylim(0, 2.05)
    return figure


#: What the chapter draws: name -> (series, drawing).
FIGURES = {
    "spectra": kit.Figure(spectra, draw_spectra),
    "saturation": kit.Figure(saturation, draw_saturation),
    "contours": kit.Figure(contours, draw_contours),
    "thresholds": kit.Figure(thresholds, draw_thresholds),
    "onset_against_floor": kit.Figure(onset_against_floor, draw_onset_against_floor),
}


def headlines(run: Run) -> tuple[Headline, ...]:
    """Return the chapter's numbers: those the paper states, and those it leaves out."""
    rows = [row for name in run.dots for row in _dot_headlines(run, name)]
    for name in run.dots:
        if name.endswith("+ESA"):
            rows += _esa_headlines(run, name)
    return (*rows, *_saturation_headlines(run), *_statement_headlines(run))


def _slug(name: str) -> str:
    return name.replace(" ", "-").replace("+ESA", "-esa").lower()


def _dot_headlines(run: Run, name: str) -> list[Headline]:
    dot, statistics, floor, slug = run.dots[name], run["statistics"], run["floor"], _slug(name)
    claim = f"F8-{slug}" if name in _CONTOUR_LETTERS else f"fig08-threshold-{slug}"
    at_maximum = threshold_at_maximum(dot, statistics=statistics)
    onset = threshold_onset(dot, floor, statistics)
    apart = 1e3 * (at_maximum.energy_eV - onset.energy_eV)
    energy = energy_window_eV(dot, points=2001)
    at_one = gain(dot, energy, 1.0, statistics)
    red_of_pl = 1e3 * (energy[np.argmax(at_one)] - band_centres_eV(dot).emission)
    return [
        Headline(claim, f"threshold at gain maximum, {name}", float(at_maximum.mean_excitons)),
        Headline(f"fig08-onset-{slug}", f"threshold onset, {name}", float(onset.mean_excitons)),
        Headline(
            "F8-onset-vs-max" if name == "3LS+ESA" else f"fig08-apart-{slug}",
            f"gain maximum less onset energy, {name}",
            float(apart),
            "meV",
        ),
        Headline(
            "F8-red-edge" if name == "3LS" else f"fig08-gain-at-one-{slug}",
            f"largest gain at ⟨N⟩ = 1, {name}",
            float(at_one.max()),
        ),
        Headline(
            f"fig08-red-of-pl-{slug}",
            f"its energy less the centre of PL_X, {name}",
            float(red_of_pl),
            "meV",
        ),
    ]


def _esa_headlines(run: Run, name: str) -> list[Headline]:
    dot, statistics, slug = run.dots[name], run["statistics"], _slug(name)
    point = threshold_at_maximum(dot, statistics=statistics)
    share = np.nan
    if np.isfinite(point.mean_excitons):
        share = float(exciton_share(dot, point.energy_eV, point.mean_excitons, statistics))

    def height(binding_meV: float) -> float:
        shifted = replace(dot, absorptive_binding_meV=binding_meV)
        return float(threshold_at_maximum(shifted, statistics=statistics).mean_excitons)

    centre = -float(band_offsets_meV(dot).xx_emission)
    width = float(band_widths_meV(dot).xx_absorption)
    low, high = parameters.clipped(
        "absorptive_binding_meV", [centre - 3 * width, centre + 3 * width]
    )
    worst = scipy.optimize.minimize_scalar(lambda binding: -height(binding), bounds=(low, high))
    harmless = threshold_at_maximum(replace(dot, xx_absorption_strength=0.0), statistics=statistics)
    return [
        Headline(
            f"fig08-share-{slug}",
            f"share of X in the emission at threshold, {name}",
            float(np.asarray(share)),
        ),
        Headline(f"fig08-worst-{slug}", f"Δ_A2 of the highest threshold, {name}", worst.x, "meV"),
        Headline(
            "F8-binding" if name == "3LS+ESA" else f"fig08-plateau-{slug}",
            f"threshold with ESA far away, {name}",
            float(harmless.mean_excitons),
        ),
    ]


def _crossing(ratio: Callable[[float], FloatArray], level: float, low: float, high: float) -> float:
    return float(scipy.optimize.brentq(lambda fluence: float(ratio(fluence)) - level, low, high))


def _saturation_headlines(run: Run) -> list[Headline]:
    pi_fluence = run["pi_pulse_fluence_mJ_cm2"]

    def rabi(fluence: ArrayLike) -> FloatArray:
        return mean_excitons_after_pulse(fluence, pi_fluence, "rabi")

    def poisson(fluence: ArrayLike) -> FloatArray:
        return band_edge_excitons(mean_excitons_after_pulse(fluence, pi_fluence, "poisson"))

    def linear(fluence: ArrayLike) -> FloatArray:
        return photons_per_fluence_cm2_mJ(pi_fluence) * np.asarray(fluence, dtype=float)

    below_pi = np.linspace(0, pi_fluence, 2001)
    two_level = replace(run.dots["3LS"], stokes_shift_meV=0.0)
    return [
        Headline(
            "F8-rabi",
            "fluence at which Rabi falls 10 % below Poisson",
            scipy.optimize.brentq(
                lambda j: float(rabi(j) / poisson(j)) - 0.9, 0.5 * pi_fluence, 2 * pi_fluence
            ),
            "mJ cm⁻²",
        ),
        Headline(
            "fig08-rabi-poisson",
            "largest difference of Rabi and Poisson below a π pulse",
            float(np.max(np.abs(rabi(below_pi) - poisson(below_pi)))),
        ),
        Headline(
            "fig08-part-linear",
            "fluence at which Rabi falls 10 % below σJ/hν",
            scipy.optimize.brentq(
                lambda j: float(rabi(j) / linear(j)) - 0.9, 1e-6 * pi_fluence, pi_fluence
            ),
            "mJ cm⁻²",
        ),
        Headline(
            "SM-2ls",
            "threshold of a 2LS, Rabi",
            float(threshold_at_maximum(two_level).mean_excitons),
        ),
        Headline(
            "fig08-2ls-poisson",
            "threshold of a 2LS, Poisson",
            float(threshold_at_maximum(two_level, statistics="poisson").mean_excitons),
        ),
        Headline("F8-max-ideal", "largest gain, without ESA", float(largest_gain(run.dots["3LS"]))),
        Headline("F8-max-esa", "largest gain, with ESA", float(largest_gain(run.dots["3LS+ESA"]))),
        Headline("fig08-floor", "floor of the onset", run["floor"]),
    ]


def _statement_headlines(run: Run) -> list[Headline]:
    """Return what the section's other statements come to."""
    return [
        *_linewidth_headlines(run),
        *_loss_headlines(run),
        *_binding_headlines(run),
        *_film_headlines(run),
    ]


def _linewidth_headlines(run: Run) -> list[Headline]:
    """Return what the Stokes shift has to be for the stated threshold, and the other way round."""
    ideal = run.dots["3LS"]
    as_wide = replace(ideal, stokes_shift_meV=ideal.linewidth_meV)
    claim = claims()["F8-3ls"]
    assert claim.stated is not None
    assert claim.tolerance is not None
    # ⟨N⟩ = 2r/(1+r) with r = exp(-S²/2s²), at the lowest ⟨N⟩ that rounds to the stated one.
    mean = claim.stated - claim.tolerance
    largest = np.sqrt(2 * np.log((2 - mean) / mean)) / FWHM_PER_SIGMA
    rows = [
        Headline(
            "F8-3ls-is-2ls",
            "threshold of a 3LS whose Stokes shift is its linewidth",
            float(threshold_at_maximum(as_wide, statistics=run["statistics"]).mean_excitons),
        ),
        Headline(
            "fig08-largest-stokes",
            "largest Stokes shift / linewidth for the stated threshold",
            float(largest),
        ),
    ]
    rows += [
        Headline(
            f"fig08-stokes-{_slug(name)}",
            f"Stokes shift, {name}",
            float(run.dots[name].stokes_shift_meV),
            "meV",
        )
        for name in run.pairs
    ]
    return rows


def _loss_headlines(run: Run) -> list[Headline]:
    """Return what ESA does and what it does not."""
    dot, statistics = run.dots["3LS+ESA"], run["statistics"]
    point = threshold_at_maximum(dot, statistics=statistics)
    target = claims()["F3-x1-threshold"].stated
    assert target is not None
    # The gain is linear in the strength of ESA.
    own = float(dot.xx_absorption_strength)
    weak, strong = (
        float(gain(replace(dot, xx_absorption_strength=a), point.energy_eV, target, statistics))
        for a in (0.0, own)
    )
    tenth = claims()["F8-exp-cdse"].stated
    assert tenth is not None

    def peak(of: Dot) -> float:
        return float(gain(of, energy_window_eV(of, points=2001), 2.0, statistics).max())

    def sensitivity(*fields: str) -> float:
        how = {"statistics": statistics}
        values = [levers.sensitivity(dot, f, **how) for f in fields if getattr(dot, f) != 0]
        return max(abs(value) for value in values)

    rows = [
        Headline(
            "F8-esa-attenuates",
            "gain at ⟨N⟩ = 2 with ESA over without, XX emitting at full strength, 3LS",
            peak(replace(dot, xx_emission_strength=1.0)) / peak(run.dots["3LS"]),
        ),
        Headline(
            "F8-alloy-weaker",
            f"strength of ESA for a threshold of {target:g}, 3LS+ESA",
            own * weak / (weak - strong),
        ),
        Headline("fig08-own-esa-strength", "strength of ESA, 3LS+ESA", own),
        Headline(
            "fig08-excitons-for-tenth",
            f"⟨N⟩ at which the gain at its maximum is {tenth:g}, 3LS+ESA",
            float(threshold_at_maximum(dot, tenth, statistics).mean_excitons),
        ),
        Headline(
            "fig08-position-sensitivity",
            "largest |∂ln⟨N⟩/∂ln x| for a band position x, 3LS+ESA",
            sensitivity("stokes_shift_meV", "absorptive_binding_meV", "emissive_binding_meV"),
        ),
        Headline(
            "fig08-strength-sensitivity",
            "the same for a strength",
            sensitivity("xx_absorption_strength", "xx_emission_strength"),
        ),
    ]
    for name, key in (("3LS+ESA", "F8-fractional"), ("4LS+ESA", "fig08-fractional-4ls-esa")):
        dot = run.dots[name]
        at = threshold_at_maximum(dot, statistics=statistics).energy_eV
        rows.append(
            Headline(
                key,
                f"fractional over absolute gain at the maximum, {name}",
                float(1 / bands(dot, at).absorption),
            )
        )
    return rows


#: The calibration's variants in which A_XX2 and PL_XX share one binding.
_ONE_BINDING = ("one", "displaced")


def _binding_headlines(run: Run) -> list[Headline]:
    """Return whether the stated numbers need two bindings, and how far the presets' are apart."""
    departures = [
        variant["numbers_only"]["largest_residual"]
        for variant in record()["variants"]
        if (variant["threshold"], variant["statistics"]) == ("maximum", "rabi")
        and variant["coupling"] in _ONE_BINDING
    ]
    dot = run.dots["3LS+ESA"]
    return [
        Headline(
            "F8-distinct-bindings",
            "largest departure from a stated number with one binding",
            100 * min(departures),
            "%",
        ),
        Headline(
            "fig08-bindings-apart",
            "absorptive less emissive binding, 3LS+ESA",
            float(dot.absorptive_binding_meV) - float(dot.emissive_binding_meV),
            "meV",
        ),
    ]


def _film_headlines(run: Run) -> list[Headline]:
    film, transit = claims()["F8-film"].stated, claims()["F8-transit"].stated
    assert film is not None
    assert transit is not None
    index = run["film_refractive_index"]
    through, in_vacuum = (float(transit_time_fs(film, n)) for n in (index, 1.0))
    return [
        Headline(
            "F8-transit",
            f"time through {film:g} mm at a refractive index of {index:g}",
            through,
            "fs",
        ),
        Headline("fig08-transit-vacuum", f"time through {film:g} mm of vacuum", in_vacuum, "fs"),
        Headline(
            "fig08-thickness-for-transit",
            f"film that light crosses in {transit:g} fs",
            film * transit / through,
            "mm",
        ),
        Headline(
            "F8-degenerate",
            "mean excitons at the π pulse",
            float(
                mean_excitons_after_pulse(
                    run["pi_pulse_fluence_mJ_cm2"], run["pi_pulse_fluence_mJ_cm2"], "rabi"
                )
            ),
        ),
    ]
