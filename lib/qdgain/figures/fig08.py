"""Figure 8: the five bands, saturation, gain contours and thresholds of the Simple Model."""

from __future__ import annotations

from collections.abc import Callable
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
from qdgain.figures.maps import draw_projections
from qdgain.figures.panel import DELTA_A2, ENERGY, FLUENCE, MEAN_EXCITONS, THRESHOLD, Axis, Panel
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
GAIN = Axis("gain cross section G / peak absorption cross section")
_EXCITONS = Axis("mean band-edge excitons ⟨N⟩")
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

    return draw_projections(panels, GAIN, lambda ax, one: style.draw_map(ax, one, limit), finish)


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
    return panel(letter, name, DELTA_A2, THRESHOLD, series)


def onset_against_floor(run: Run) -> Panel:
    """Return how the onset falls with the floor that defines it, for every dot."""
    floor = np.geomspace(1e-6, 0.2, 121)
    lines = []
    for name, dot in run.dots.items():
        # One dot repeated, so that the floors broadcast over it.
        many = replace(dot, linewidth_meV=np.full(floor.shape, dot.linewidth_meV))
        onset = threshold_onset(many, floor, run["statistics"]).mean_excitons
        lines.append(line(name, floor, onset, *look(name)))
    return panel("", "onset against the floor", _FLOOR, THRESHOLD, lines)


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
    n = Numbers("fig08", run)
    for name in run.dots:
        _of_dot(n, run, name)
    for name in run.dots:
        if name.endswith("+ESA"):
            _of_esa(n, run, name)
    apart = {one.key: abs(one.value) for one in n}
    n.add("apart-esa", np.fmax(apart["fig08-apart-3ls-esa"], apart["fig08-apart-4ls-esa"]))
    for part in (_of_saturation, _of_linewidths, _of_losses, _of_statements):
        part(n, run)
    return n


def _of_dot(n: Numbers, run: Run, name: str) -> None:
    dot, law = run.dots[name], run["statistics"]
    at_maximum, onset = _at_maximum(run, dot), threshold_onset(dot, run["floor"], law)
    energy = energy_window_eV(dot, points=2001)
    at_one = gain(dot, energy, 1.0, law)
    red_of_pl = 1e3 * (energy[np.argmax(at_one)] - band_centres_eV(dot).emission)
    n.add("threshold-{dot}", at_maximum.mean_excitons, dot=name)
    n.add("onset-{dot}", onset.mean_excitons, dot=name)
    n.add("apart-{dot}", 1e3 * (at_maximum.energy_eV - onset.energy_eV), dot=name)
    n.add("gain-at-one-{dot}", at_one.max(), dot=name)
    n.add("red-of-pl-{dot}", red_of_pl, dot=name)


def _of_esa(n: Numbers, run: Run, name: str) -> None:
    dot = run.dots[name]
    mean, energy = _at_maximum(run, dot)
    share = exciton_share(dot, energy, mean, run["statistics"]) if np.isfinite(mean) else np.nan
    centre = -number(band_offsets_meV(dot).xx_emission)
    width = number(band_widths_meV(dot).xx_absorption)
    ends = parameters.clipped("absorptive_binding_meV", [centre - 3 * width, centre + 3 * width])

    def minus_threshold(binding: float) -> float:
        return -float(_at_maximum(run, dot, absorptive_binding_meV=binding).mean_excitons)

    harmless = _at_maximum(run, dot, xx_absorption_strength=0.0).mean_excitons
    n.add("share-{dot}", share, dot=name)
    n.add("worst-{dot}", minimize_scalar(minus_threshold, bounds=tuple(ends)).x, dot=name)
    n.add("plateau-{dot}", harmless, dot=name)


def _of_saturation(n: Numbers, run: Run) -> None:
    """Add how far the laws are apart, and how near incoherent saturation comes to Rabi's law."""
    pi_pulse, fitted = run["pi_pulse_fluence_mJ_cm2"], _incoherent_fit()

    def rabi(fluence: ArrayLike) -> FloatArray:
        return _excitons(run, fluence, "rabi")

    def poisson(fluence: ArrayLike) -> FloatArray:
        return populations.band_edge_excitons(_excitons(run, fluence, "poisson"))

    def ten_per_cent_below(other: Callable[[float], Any], low: float, high: float) -> float:
        """Return the fluence at which Rabi's law falls 10 % below another, between π pulses."""
        ends = low * pi_pulse, high * pi_pulse
        return float(brentq(lambda J: float(rabi(J) / other(J)) - 0.9, *ends))

    linear = populations.photons_per_fluence_cm2_mJ(pi_pulse)
    below_pi = np.linspace(0, pi_pulse, 2001)
    two = replace(run.dots["3LS"], stokes_shift_meV=0.0)
    n.add("rabi", ten_per_cent_below(poisson, 0.5, 2))
    n.add("rabi-poisson", np.max(np.abs(rabi(below_pi) - poisson(below_pi))))
    n.add("part-linear", ten_per_cent_below(lambda J: linear * J, 1e-6, 1))
    n.add("2ls", threshold_at_maximum(two, statistics="rabi").mean_excitons)
    n.add("2ls-poisson", threshold_at_maximum(two, statistics="poisson").mean_excitons)
    n.add("max-ideal", largest_gain(run.dots["3LS"]))
    n.add("max-esa", largest_gain(run.dots["3LS+ESA"]))
    n.add("floor", run["floor"])
    n.add("incoherent", 100 * fitted.misfit)
    n.add("incoherent-height", fitted.height)
    n.add("incoherent-part", ten_per_cent_below(lambda J: _incoherent_fitted(run, J), 1, 2))


def _of_linewidths(n: Numbers, run: Run) -> None:
    """Add what the Stokes shift has to be for the stated threshold, and the other way round."""
    ideal = run.dots["3LS"]
    as_wide = _at_maximum(run, ideal, stokes_shift_meV=ideal.linewidth_meV).mean_excitons
    # ⟨N⟩ = 2r/(1+r) with r = exp(-S²/2s²), at the lowest ⟨N⟩ that rounds to the stated one.
    mean = stated("F8-3ls", 1)
    n.add("3ls-as-wide", as_wide)
    n.add("largest-stokes", np.sqrt(2 * np.log((2 - mean) / mean)) / FWHM_PER_SIGMA)
    for name in run.pairs:
        n.add("stokes-{dot}", run.dots[name].stokes_shift_meV, dot=name)


def _of_losses(n: Numbers, run: Run) -> None:
    """Add what ESA does and what it does not."""
    dot, law = run.dots["3LS+ESA"], run["statistics"]
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

    position = sensitivity("stokes_shift_meV", "absorptive_binding_meV", "emissive_binding_meV")
    n.add("attenuated", peak(replace(dot, xx_emission_strength=1.0)) / peak(run.dots["3LS"]))
    n.add("weaker", own * weak / (weak - strong) if weak != strong else np.inf, target=target)
    n.add("own-esa-strength", own)
    for_tenth = threshold_at_maximum(dot, tenth, law).mean_excitons
    n.add("excitons-for-tenth", for_tenth, tenth=tenth)
    n.add("position-sensitivity", position)
    n.add("strength-sensitivity", sensitivity("xx_absorption_strength", "xx_emission_strength"))
    for name in ("3LS+ESA", "4LS+ESA"):
        one = run.dots[name]
        ratio = 1 / bands(one, _at_maximum(run, one).energy_eV).absorption
        n.add("fractional-{dot}", ratio, dot=name)


def _of_statements(n: Numbers, run: Run) -> None:
    """Add whether the stated numbers need two bindings, and what the stated film would be."""
    departures = [best(ROWS[name], conditional=False)["largest_residual"] for name in _ONE_BINDING]
    dot = run.dots["3LS+ESA"]
    n.add("one-binding", 100 * min(departures))
    n.add("bindings-apart", number(dot.absorptive_binding_meV) - number(dot.emissive_binding_meV))
    film, transit = stated("F8-film"), stated("F8-transit")
    through = float(transit_time_fs(film, run["film_refractive_index"]))
    n.add("transit", through, film=film)
    n.add("transit-vacuum", float(transit_time_fs(film, 1.0)), film=film)
    n.add("thickness-for-transit", film * transit / through, transit=transit)
    n.add("degenerate", _excitons(run, run["pi_pulse_fluence_mJ_cm2"], "rabi"))
