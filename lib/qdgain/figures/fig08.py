"""Figure 8: the five bands, saturation, gain contours and thresholds of the Simple Model."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure as Picture
from numpy.typing import ArrayLike
from scipy.optimize import brentq, minimize_scalar

from qdgain import chapters
from qdgain.beyond import ensemble_saturation, levers
from qdgain.calibration.record import best
from qdgain.calibration.rows import ROWS
from qdgain.fast.onset import threshold_onset
from qdgain.figures import kit, style
from qdgain.figures.kit import Figure, Numbers, line, look, mapped, number, panel, points, stated
from qdgain.figures.panel import ENERGY, FLUENCE, GAIN, MEAN_EXCITONS, Axis, Panel
from qdgain.figures.projections import draw_maps
from qdgain.model import parameters, populations
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
from qdgain.model.threshold import Threshold, threshold_at_maximum
from qdgain.model.units import transit_time_fs
from qdgain.run import YOUR_DOT, Run

SETTINGS = chapters.SETTINGS["fig08"]

_BAND = Axis("band / peak of A_X")
_EXCITONS = Axis("mean band-edge excitons ⟨N⟩")
_BINDING = Axis("absorptive biexciton shift Δ_A2", "meV")
_THRESHOLD = Axis("threshold ⟨N⟩")
_FLOOR = Axis("gain floor ε / peak absorption cross section")
_FITTED = "incoherent, fitted to Rabi up to J_π"
_LETTERS = {"3LS": "c", "4LS": "d", "3LS+ESA": "e", "4LS+ESA": "f"}
#: The calibration's variants in which A_XX2 and PL_XX share one binding.
_ONE_BINDING = ("replacing tied", "replacing lean", "additive tied")


def spectra(run: Run) -> Panel:
    """Return panel a: the five bands of the dot with ESA."""
    name = "3LS+ESA" if run.is_papers else f"{YOUR_DOT}+ESA"
    dot, energy = run.dots[name], energy_window_eV(run.dots[name])
    a, gamma = dot.xx_absorption_strength, dot.xx_emission_strength
    names, dashes = ("A_X", "PL_X", "A_XX1", "A_XX2", "PL_XX"), ("-", "-", ":", "--", "-.")
    every = zip(names, (1.0, 1.0, a, a, gamma), bands(dot, energy), dashes, strict=True)
    lines = [line(band, energy, s * values, band, dash) for band, s, values, dash in every]
    return panel("a", f"bands, {name}", ENERGY, _BAND, lines)


def saturation(run: Run) -> Panel:
    """Return panel b: ⟨N⟩ against fluence by several laws, and the straight line σJ/hν."""
    fluence = np.linspace(0, 1.5 * run["pi_pulse_fluence_mJ_cm2"], 301)
    rabi, poisson = (_excitons(run, fluence, law) for law in ("rabi", "poisson"))
    two = populations.band_edge_excitons(poisson)
    lines = [
        line("Rabi, and sequential", fluence, rabi, "rabi"),
        line("Poisson, at most two at the band edge", fluence, two, "poisson", "--"),
        line("Poisson, all excitons: ⟨N⟩ = σJ/hν", fluence, poisson, "linear", ":"),
        line(_FITTED, fluence, _incoherent_fitted(run, fluence), "incoherent", "-."),
    ]
    return panel("b", "saturation", FLUENCE, _EXCITONS, lines)


def _incoherent(amplitude: ArrayLike) -> FloatArray:
    """Return 1 - exp(-J/J_s) against √(J/J_s)."""
    return populations.incoherent_excitons(np.square(amplitude), 1.0, 1.0)


def _incoherent_fit() -> ensemble_saturation.Fit:
    """Return incoherent saturation of free height and scale, fitted to Rabi's law up to J_π."""
    return ensemble_saturation.fit(
        lambda amplitude: populations.mean_excitons_after_pulse(amplitude**2, 1.0), _incoherent, 1.0
    )


def _incoherent_fitted(run: Run, fluence: ArrayLike) -> FloatArray:
    fitted = _incoherent_fit()
    area = fitted.scale * np.asarray(fluence) / run["pi_pulse_fluence_mJ_cm2"]
    return np.asarray(fitted.height * _incoherent(np.sqrt(area)))


def _excitons(run: Run, fluence: ArrayLike, law: str) -> FloatArray:
    pi_pulse = run["pi_pulse_fluence_mJ_cm2"]
    return populations.mean_excitons_after_pulse(fluence, pi_pulse, law)


def contours(run: Run) -> tuple[Panel, ...]:
    """Return panels c to f, and two for a user's dot: the gain against energy and ⟨N⟩."""
    yours = [] if run.is_papers else [YOUR_DOT, f"{YOUR_DOT}+ESA"]
    return tuple(_contour(run, name) for name in [*_LETTERS, *yours])


def _contour(run: Run, name: str) -> Panel:
    dot, law = run.dots[name], run["statistics"]
    # The paper's four panels share the widest window.
    window = run.dots["4LS+ESA"] if name in _LETTERS else dot
    energy, mean = energy_window_eV(window, points=161), np.linspace(0, 2, 101)
    series = [mapped("gain", energy, mean, gain(dot, energy, mean, law), GAIN)]
    for N, quantity, dash in ((1.0, "one exciton", "--"), (2.0, "two excitons", "-")):
        cut = gain(dot, energy, N, law)
        series.append(line(f"⟨N⟩ = {N:g}", energy, cut, quantity, dash, y_axis=GAIN))
    for label, at, quantity, dash, mark in (
        ("at maximum", _at_maximum(run, dot), "at gain maximum", "-", "o"),
        ("at onset", threshold_onset(dot, run["floor"], law), "onset", "--", "s"),
    ):
        if np.isfinite(at.energy_eV):
            growth, place = gain(dot, at.energy_eV, mean, law), f"threshold, {label}"
            series.append(line(label, growth, mean, quantity, dash, x_axis=GAIN))
            series.append(points(place, at.energy_eV, at.mean_excitons, quantity, mark))
    if name in _LETTERS:
        largest = stated("F8-max-esa" if name.endswith("+ESA") else "F8-max-ideal")
        papers = [0.0, largest], [stated(f"F8-{kit.slug(name)}"), 2.0]
        series.append(points("the paper", *papers, "reference", "D", x_axis=GAIN))
    return panel(_LETTERS.get(name, ""), name, ENERGY, MEAN_EXCITONS, series)


def _at_maximum(run: Run, dot: Dot, **changes: Any) -> Threshold:
    """Return the threshold at the gain maximum of a dot, with some of its fields changed."""
    return threshold_at_maximum(replace(dot, **changes), statistics=run["statistics"])


def _draw_contours(panels: tuple[Panel, ...]) -> Picture:
    limit = max(float(np.max(np.abs(one["gain"].values))) for one in panels)

    def finish(main: Axes, top: Axes, right: Axes) -> tuple[Axes, Axes]:
        top.axhline(0, color="black", linewidth=0.6)
        right.axvline(0, color="black", linewidth=0.6)
        top.set_ylabel("G")
        right.set_xlabel("G")
        right.locator_params(axis="x", nbins=3, steps=[1, 2, 5, 10])
        return top, right

    return draw_maps(panels, GAIN, lambda ax, one: style.draw_map(ax, one, limit), finish)


def thresholds(run: Run) -> tuple[Panel, ...]:
    """Return panels g and h: both thresholds with ESA against the absorptive biexciton shift."""
    names = [("g", "3LS+ESA"), ("h", "4LS+ESA")]
    names += [] if run.is_papers else [("", f"{YOUR_DOT}+ESA")]
    return tuple(_against_binding(run, *one) for one in names)


def _against_binding(run: Run, letter: str, name: str) -> Panel:
    dot, floor = run.dots[name], run["floor"]
    stokes, reach = number(dot.stokes_shift_meV), 2.0 * number(dot.linewidth_meV)
    low, high = parameters.clipped("absorptive_binding_meV", [stokes - reach, stokes + reach])
    binding = np.linspace(low, high, 201)
    many = replace(dot, absorptive_binding_meV=binding)
    at_maximum, here = (_at_maximum(run, one).mean_excitons for one in (many, dot))
    onset = threshold_onset(many, floor, run["statistics"]).mean_excitons
    series = [
        line("at gain maximum", binding, at_maximum, "at gain maximum"),
        line(f"onset, ε = {floor:g}", binding, onset, "onset", "--"),
        line("Stokes shift", [stokes, stokes], [0, 2], "reference", ":"),
        points("this dot", dot.absorptive_binding_meV, here, "at gain maximum", "-"),
    ]
    if letter:
        series.append(points("the paper", low, stated(f"F8-{kit.slug(name)}"), "reference", ">"))
    return panel(letter, name, _BINDING, _THRESHOLD, series)


def onset_against_floor(run: Run) -> Panel:
    """Return how the onset falls with the floor that defines it, for every dot."""
    floor = np.geomspace(1e-6, 0.2, 121)
    lines = []
    for name, dot in run.dots.items():
        # One dot repeated, so that the floors broadcast over it.
        many = replace(dot, linewidth_meV=np.full(floor.shape, dot.linewidth_meV))
        onset = threshold_onset(many, floor, run["statistics"]).mean_excitons
        lines.append(line(name, floor, onset, *look(name)))
    return panel("", "onset against the floor", _FLOOR, _THRESHOLD, lines)


FIGURES = {
    "spectra": Figure(spectra),
    "saturation": Figure(saturation, axes={"ylim": (0, 2.6)}),
    "contours": Figure(contours, _draw_contours),
    "thresholds": Figure(
        thresholds,
        size=(3.8, 3.4),
        per_panel=True,
        sharey=True,
        axes={"ylim": (0, 2.05)},
        legend=({}, {"loc": "upper left"}, {}),
    ),
    "onset_against_floor": Figure(
        onset_against_floor,
        axes={"xscale": "log", "ylim": (0, 2.05)},
        # Above the curves, none of which reaches there at small floors.
        legend={"loc": "upper left", "ncols": 2},
    ),
}


def headlines(run: Run) -> Numbers:
    """Return the chapter's numbers: those the paper states, and those it leaves out."""
    n = Numbers("fig08")
    for name in run.dots:
        _of_dot(n, run, name)
    for name in run.dots:
        if name.endswith("+ESA"):
            _of_esa(n, run, name)
    apart = {one.key: abs(one.value) for one in n}
    apart_esa = np.fmax(apart["fig08-apart-3ls-esa"], apart["fig08-apart-4ls-esa"])
    n.add("apart-esa", "the larger distance of gain maximum and onset with ESA", apart_esa, "meV")
    for part in (
        _of_saturation,
        _of_incoherent,
        _of_linewidths,
        _of_losses,
        _of_bindings,
        _of_film,
    ):
        part(n, run)
    return n


def _of_dot(n: Numbers, run: Run, name: str) -> None:
    dot, law = run.dots[name], run["statistics"]
    at_maximum, onset = _at_maximum(run, dot), threshold_onset(dot, run["floor"], law)
    apart = 1e3 * (at_maximum.energy_eV - onset.energy_eV)
    energy = energy_window_eV(dot, points=2001)
    at_one = gain(dot, energy, 1.0, law)
    red_of_pl = 1e3 * (energy[np.argmax(at_one)] - band_centres_eV(dot).emission)
    n.of(name, "threshold", "threshold at gain maximum", at_maximum.mean_excitons)
    n.of(name, "onset", "threshold onset", onset.mean_excitons)
    n.of(name, "apart", "energy of the gain maximum from the onset's", apart, "meV")
    n.of(name, "gain-at-one", "largest gain at ⟨N⟩ = 1", at_one.max())
    n.of(name, "red-of-pl", "its energy from the centre of PL_X", red_of_pl, "meV")


def _of_esa(n: Numbers, run: Run, name: str) -> None:
    dot = run.dots[name]
    mean, energy = _at_maximum(run, dot)
    share = exciton_share(dot, energy, mean, run["statistics"]) if np.isfinite(mean) else np.nan
    centre = -number(band_offsets_meV(dot).xx_emission)
    width = number(band_widths_meV(dot).xx_absorption)
    ends = parameters.clipped("absorptive_binding_meV", [centre - 3 * width, centre + 3 * width])

    def minus_threshold(binding: float) -> float:
        return -float(_at_maximum(run, dot, absorptive_binding_meV=binding).mean_excitons)

    worst = minimize_scalar(minus_threshold, bounds=tuple(ends)).x
    harmless = _at_maximum(run, dot, xx_absorption_strength=0.0).mean_excitons
    n.of(name, "share", "share of X in the emission at threshold", share)
    n.of(name, "worst", "Δ_A2 of the highest threshold", worst, "meV")
    n.of(name, "plateau", "threshold with ESA far away", harmless)


def _of_saturation(n: Numbers, run: Run) -> None:
    pi_pulse = run["pi_pulse_fluence_mJ_cm2"]

    def rabi(fluence: ArrayLike) -> FloatArray:
        return _excitons(run, fluence, "rabi")

    def poisson(fluence: ArrayLike) -> FloatArray:
        return populations.band_edge_excitons(_excitons(run, fluence, "poisson"))

    of_poisson = brentq(lambda J: float(rabi(J) / poisson(J)) - 0.9, 0.5 * pi_pulse, 2 * pi_pulse)
    linear = populations.photons_per_fluence_cm2_mJ(pi_pulse)
    of_line = brentq(lambda J: float(rabi(J) / (linear * J)) - 0.9, 1e-6 * pi_pulse, pi_pulse)
    below_pi = np.linspace(0, pi_pulse, 2001)
    apart = np.max(np.abs(rabi(below_pi) - poisson(below_pi)))
    two = replace(run.dots["3LS"], stokes_shift_meV=0.0)
    of_two = {law: threshold_at_maximum(two, statistics=law) for law in ("rabi", "poisson")}
    n.add("rabi", "fluence at which Rabi falls 10 % below Poisson", of_poisson, "mJ cm⁻²")
    n.add("rabi-poisson", "largest difference of Rabi and Poisson below a π pulse", apart)
    n.add("part-linear", "fluence at which Rabi falls 10 % below σJ/hν", of_line, "mJ cm⁻²")
    n.add("2ls", "threshold of a 2LS, Rabi", of_two["rabi"].mean_excitons)
    n.add("2ls-poisson", "threshold of a 2LS, Poisson", of_two["poisson"].mean_excitons)
    n.add("max-ideal", "largest gain, without ESA", largest_gain(run.dots["3LS"]))
    n.add("max-esa", "largest gain, with ESA", largest_gain(run.dots["3LS+ESA"]))
    n.add("floor", "floor of the onset", run["floor"])


def _of_incoherent(n: Numbers, run: Run) -> None:
    """Add how near incoherent saturation comes to Rabi's law, and where it does not."""
    fitted, pi_pulse = _incoherent_fit(), run["pi_pulse_fluence_mJ_cm2"]

    def short(fluence: float) -> float:
        return float(_excitons(run, fluence, "rabi") / _incoherent_fitted(run, fluence)) - 0.9

    part, height = brentq(short, pi_pulse, 2 * pi_pulse), "⟨N⟩ at which the fitted one ends"
    left = "what incoherent saturation, fitted, leaves of Rabi's law up to a π pulse"
    n.add("incoherent", left, 100 * fitted.misfit, "%")
    n.add("incoherent-height", height, fitted.height)
    n.add("incoherent-part", "fluence at which Rabi falls 10 % below it", part, "mJ cm⁻²")


def _of_linewidths(n: Numbers, run: Run) -> None:
    """Add what the Stokes shift has to be for the stated threshold, and the other way round."""
    ideal = run.dots["3LS"]
    as_wide = _at_maximum(run, ideal, stokes_shift_meV=ideal.linewidth_meV).mean_excitons
    # ⟨N⟩ = 2r/(1+r) with r = exp(-S²/2s²), at the lowest ⟨N⟩ that rounds to the stated one.
    mean = stated("F8-3ls", 1)
    largest = np.sqrt(2 * np.log((2 - mean) / mean)) / FWHM_PER_SIGMA
    n.add("3ls-as-wide", "threshold of a 3LS whose Stokes shift is its linewidth", as_wide)
    n.add("largest-stokes", "largest Stokes shift / linewidth for the stated threshold", largest)
    for name in run.pairs:
        n.of(name, "stokes", "Stokes shift", run.dots[name].stokes_shift_meV, "meV")


def _of_losses(n: Numbers, run: Run) -> None:
    """Add what ESA does and what it does not."""
    dot, law, of = run.dots["3LS+ESA"], run["statistics"], "3LS+ESA"
    at, own = _at_maximum(run, dot), number(dot.xx_absorption_strength)
    target, tenth = stated("F3-x1-threshold"), stated("F8-exp-cdse")
    # The gain is linear in the strength of ESA.
    weak, strong = (
        gain(replace(dot, xx_absorption_strength=a), at.energy_eV, target, law) for a in (0.0, own)
    )

    def peak(one: Dot) -> float:
        return float(gain(one, energy_window_eV(one, points=2001), 2.0, law).max())

    def sensitivity(*fields: str) -> float:
        moving = [field for field in fields if getattr(dot, field) != 0]
        return max(abs(levers.sensitivity(dot, field, statistics=law)) for field in moving)

    kept = peak(replace(dot, xx_emission_strength=1.0)) / peak(run.dots["3LS"])
    weaker = own * weak / (weak - strong) if weak != strong else np.inf
    for_tenth = threshold_at_maximum(dot, tenth, law).mean_excitons
    position = sensitivity("stokes_shift_meV", "absorptive_binding_meV", "emissive_binding_meV")
    strength = sensitivity("xx_absorption_strength", "xx_emission_strength")
    with_over = "gain at ⟨N⟩ = 2 with ESA over without, XX emitting at full strength, 3LS"
    n.add("attenuated", with_over, kept)
    n.add("weaker", f"strength of ESA for a threshold of {target:g}, {of}", weaker)
    n.add("own-esa-strength", f"strength of ESA, {of}", own)
    at_tenth = f"⟨N⟩ at which the gain at its maximum is {tenth:g}, {of}"
    n.add("excitons-for-tenth", at_tenth, for_tenth)
    largest = f"largest |∂ln⟨N⟩/∂ln x| for a band position x, {of}"
    n.add("position-sensitivity", largest, position)
    n.add("strength-sensitivity", "the same for a strength", strength)
    for name in ("3LS+ESA", "4LS+ESA"):
        one = run.dots[name]
        ratio = 1 / bands(one, _at_maximum(run, one).energy_eV).absorption
        n.of(name, "fractional", "fractional over absolute gain at the maximum", ratio)


def _of_bindings(n: Numbers, run: Run) -> None:
    """Add whether the stated numbers need two bindings, and how far the presets' are apart."""
    departures = [best(ROWS[name], conditional=False)["largest_residual"] for name in _ONE_BINDING]
    dot, least = run.dots["3LS+ESA"], 100 * min(departures)
    apart = number(dot.absorptive_binding_meV) - number(dot.emissive_binding_meV)
    n.add("one-binding", "largest departure from a stated number with one binding", least, "%")
    n.add("bindings-apart", "distance of absorptive and emissive binding, 3LS+ESA", apart, "meV")


def _of_film(n: Numbers, run: Run) -> None:
    film, transit = stated("F8-film"), stated("F8-transit")
    index, pi_pulse = run["film_refractive_index"], run["pi_pulse_fluence_mJ_cm2"]
    through, vacuum = (float(transit_time_fs(film, value)) for value in (index, 1.0))
    thick = film * transit / through
    n.add("transit", f"time through {film:g} mm at a refractive index of {index:g}", through, "fs")
    n.add("transit-vacuum", f"time through {film:g} mm of vacuum", vacuum, "fs")
    n.add("thickness-for-transit", f"film that light crosses in {transit:g} fs", thick, "mm")
    n.add("degenerate", "mean excitons at the π pulse", _excitons(run, pi_pulse, "rabi"))
