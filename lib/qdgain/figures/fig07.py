"""Figure 7: biexcitons as a loss, their induced absorption, and multiexciton emission."""

from __future__ import annotations

from dataclasses import replace
from functools import cache
from typing import NamedTuple

import numpy as np
from matplotlib.figure import Figure as Picture

from qdgain import chapters
from qdgain.figures import diagrams, fig06, kit, style
from qdgain.figures.panel import ENERGY, Axis, Panel, Series
from qdgain.model import kinetics, levels, multiexcitons, transients
from qdgain.model.bands import band_centres_eV, bands, energy_window_eV
from qdgain.model.dot import Dot, FloatArray
from qdgain.model.parameters import CONTRACT
from qdgain.paper.claims import Headline
from qdgain.run import YOUR_DOT, Run

SETTINGS = chapters.SETTINGS["fig07"]

_PUMP = Axis("pump rate × lifetime of the emitting state, w")
_NET = Axis("net gain / emission cross section and density")
_RHO = Axis("strength of ESA / emission, ρ")
_CW_THRESHOLD = Axis("pump rate at threshold, w")
_BINDING = Axis("absorptive biexciton shift Δ_A2", "meV")
_CANCELLED = Axis("part of the X emission that ESA removes")
_DELAY = Axis("time after the pump", "ps")
_DELTA_OD = Axis("ΔOD / OD at the peak of A_X")
_LIGHT = Axis("photoluminescence / one exciton per dot")
_BAND = Axis("band")
_ERROR = Axis("error of the band's centre", "meV")

_PUMP_RATES = np.geomspace(1e-2, 1e2, 161)
_TA_TIMES_PS = np.linspace(-0.5, 6.0, 196)
#: Where on the perovskite's time and fluence axes the simulated spectra lie.
_DELAYS_PS = (5.0, 15.0, 40.0, 100.0, 400.0)
_FLUENCES = (0.05, 0.15, 0.35, 0.7, 1.0)
_SEEDS = 8


def _schemes(run: Run) -> dict[str, Dot]:
    dots = {"2LS": _two_level(run), "3LS": run.dots["3LS+ESA"], "4LS": run.dots["4LS+ESA"]}
    return dots if run.is_papers else dots | {YOUR_DOT: run.dots[f"{YOUR_DOT}+ESA"]}


def _two_level(run: Run) -> Dot:
    """Return the 3LS with ESA without its Stokes shift."""
    return replace(run.dots["3LS+ESA"], stokes_shift_meV=0.0)


# --- panel a


def level_systems(run: Run) -> tuple[Panel, ...]:
    """Return panel a: potentials and transitions of the 2, 3 and 4LS with the biexciton."""
    return diagrams.diagrams(run, _schemes(run), biexciton=True)


def draw_level_systems(panels: tuple[Panel, ...]) -> Picture:
    """Draw panel a."""
    return diagrams.draw_diagrams(panels)


def cancellation(run: Run) -> Panel:
    """Return how much of the X emission ESA removes, against the absorptive biexciton shift."""
    binding = _bindings(run)
    series = []
    for (name, dot), dash in zip(_schemes(run).items(), ("-", "--", "-.", ":"), strict=False):
        many = replace(dot, absorptive_binding_meV=binding)
        removed = levels.cancelled_fraction(many)
        series.append(
            Series(name, binding, removed, _BINDING, _CANCELLED, quantity=name, dash=dash)
        )
    return Panel("", "resonance of ESA with the emission of X", tuple(series))


def _bindings(run: Run) -> FloatArray:
    reach = max(float(dot.linewidth_meV) for dot in _schemes(run).values())
    far = max(float(dot.stokes_shift_meV) for dot in _schemes(run).values())
    allowed = CONTRACT["absorptive_binding_meV"]
    return np.linspace(max(-2 * reach, allowed.minimum), min(far + 2 * reach, allowed.maximum), 401)


def draw_cancellation(panel: Panel) -> Picture:
    """Draw the cancellation against the shift."""
    with style.book_style():
        figure = style.new_figure()
        ax = figure.subplots()
        style.draw_panel(ax, panel)
        ax.set_ylim(0, 1.05)
    return figure


# --- panel b


def continuous_gain(run: Run) -> tuple[Panel, Panel]:
    """Return panel b, net gain with ESA against pump rate, and the threshold against ρ."""
    rho = run["cw_esa_strength"]
    gains, thresholds = [], []
    strengths = np.linspace(0, 1.05, 211)
    ideal = fig06.ideal_schemes()
    thermal = fig06.thermal_schemes(run, run.dots)
    for name, scheme in ideal.items():
        for label, strength, dash in ((f"ρ = {rho:g}", rho, "-"), ("no ESA", 0.0, ":")):
            gains.append(
                Series(
                    f"{name}, {label}",
                    _PUMP_RATES,
                    kinetics.net_gain(scheme, _PUMP_RATES, strength),
                    _PUMP,
                    _NET,
                    quantity=name,
                    dash=dash,
                )
            )
    for name, scheme in thermal.items():
        gains.append(
            Series(
                f"{name}, ρ = {rho:g}, {run['temperature_K']:g} K",
                _PUMP_RATES,
                kinetics.net_gain(scheme, _PUMP_RATES, rho),
                _PUMP,
                _NET,
                quantity=name,
                dash="--",
            )
        )
    labelled = [(f"{name}, ideal", name, scheme, "-") for name, scheme in ideal.items()]
    labelled += [
        (f"{name}, {run['temperature_K']:g} K", name, scheme, "--")
        for name, scheme in thermal.items()
    ]
    for label, name, scheme, dash in labelled:
        threshold = kinetics.cw_threshold(scheme, strengths)
        if np.isfinite(threshold).any():
            thresholds.append(
                Series(
                    label,
                    strengths,
                    np.where(np.isfinite(threshold), threshold, np.nan),
                    _RHO,
                    _CW_THRESHOLD,
                    quantity=name,
                    dash=dash,
                )
            )
    return (
        Panel("b", "continuous pumping with ESA", tuple(gains)),
        Panel("", "when gain comes back", tuple(thresholds)),
    )


def draw_continuous_gain(panels: tuple[Panel, Panel]) -> Picture:
    """Draw panel b and the thresholds."""
    with style.book_style():
        figure = style.new_figure(8.0, 4.4)
        left, right = figure.subplots(1, 2)
        style.draw_panel(left, panels[0], legend=None)
        left.axhline(0, color="black", linewidth=0.6)
        left.set_xscale("log")
        left.set_ylim(-1.05, 1.05)
        left.legend(loc="upper center", bbox_to_anchor=(0.5, -0.16), ncols=2, fontsize=7)
        style.draw_panel(right, panels[1], legend=None)
        right.set_ylim(-0.2, 8)
        right.legend(loc="upper center", bbox_to_anchor=(0.5, -0.16), ncols=2, fontsize=7)
    return figure


# --- panel c


def _ta_names(run: Run) -> list[str]:
    return ["3LS+ESA"] if run.is_papers else ["3LS+ESA", f"{YOUR_DOT}+ESA"]


def _transient_absorption(
    run: Run, name: str, energy_eV: FloatArray, time_ps: FloatArray
) -> transients.TransientAbsorption:
    return transients.transient_absorption(
        energy_eV,
        time_ps,
        run.dots[name],
        pumped_fraction=run["pumped_fraction"],
        rise_fs=run["induced_absorption_rise_fs"],
        decay_ps=run["induced_absorption_decay_ps"],
        relaxation_time_fs=run["relaxation_time_fs"],
        exciton_lifetime_ns=run["exciton_lifetime_ns"],
        hot_binding_meV=run["hot_binding_meV"],
        hot_width_ratio=run["hot_width_ratio"],
        pulse_fwhm_fs=run["pulse_fwhm_fs"],
    )


def _ta_energies(run: Run, name: str) -> FloatArray:
    return energy_window_eV(run.dots[name], widths=5.0, points=201)


def _hot_peak_ps(run: Run) -> float:
    """Return when the cascade's hot exciton is most populated."""
    rise, decay = 1e-3 * run["induced_absorption_rise_fs"], run["induced_absorption_decay_ps"]
    if np.isclose(rise, decay):
        return float(decay)
    return float(np.log(decay / rise) / (1 / rise - 1 / decay))


class _Spot(NamedTuple):
    """Where the induced absorption is largest on each side of the bleach, and how large."""

    time_ps: float
    bleach_eV: float
    red_eV: float
    blue_eV: float
    bleach: float
    red: float
    blue: float


def _spot(run: Run, name: str) -> _Spot:
    energy, time = _ta_energies(run, name), _hot_peak_ps(run)
    early = _transient_absorption(run, name, energy, np.array([time])).total[:, 0]
    lowest = int(np.argmin(early))
    red = int(np.argmax(early[: lowest + 1]))
    blue = lowest + int(np.argmax(early[lowest:]))
    places = (lowest, red, blue)
    return _Spot(time, *(float(energy[i]) for i in places), *(float(early[i]) for i in places))


def transient_absorption(run: Run) -> tuple[Panel, ...]:
    """Return panel c, three panels a dot: the map of ΔOD, its parts, and its course in time."""
    return tuple(panel for name in _ta_names(run) for panel in _ta_panels(run, name))


def _ta_panels(run: Run, name: str) -> tuple[Panel, Panel, Panel]:
    energy, spot = _ta_energies(run, name), _spot(run, name)
    mapped = Series(
        "ΔOD",
        energy,
        _TA_TIMES_PS,
        ENERGY,
        _DELAY,
        kind="map",
        z_axis=_DELTA_OD,
        z=_transient_absorption(run, name, energy, _TA_TIMES_PS).total.T,
    )
    cuts = []
    for time, dash in ((spot.time_ps, "-"), (_TA_TIMES_PS[-1], "--")):
        parts = _transient_absorption(run, name, energy, np.array([time]))
        for label, part, quantity in (
            ("GSB", parts.ground_state_bleach, "A_X"),
            ("SE", parts.stimulated_emission, "PL_X"),
            ("ESA", parts.excited_state_absorption, "A_XX2"),
            ("sum", parts.total, ""),
        ):
            cuts.append(
                Series(
                    f"{label}, {time:.1f} ps",
                    energy,
                    part[:, 0],
                    ENERGY,
                    _DELTA_OD,
                    quantity=quantity,
                    dash=dash,
                )
            )
    course = [
        Series(
            f"{label}, {at:.2f} eV",
            _TA_TIMES_PS,
            _transient_absorption(run, name, np.array([at]), _TA_TIMES_PS).total[0],
            _DELAY,
            _DELTA_OD,
            quantity=quantity,
            dash=dash,
        )
        for label, at, quantity, dash in (
            ("red side", spot.red_eV, "PL_XX", "-"),
            ("bleach", spot.bleach_eV, "", "--"),
            ("blue side", spot.blue_eV, "A_XX1", "-."),
        )
    ]
    letter = "" if name.startswith(YOUR_DOT) else "c"
    return (
        Panel(letter, f"after X3 pumping, {name}", (mapped,)),
        Panel("", "its three parts", tuple(cuts)),
        Panel("", "its course in time", tuple(course)),
    )


def draw_transient_absorption(panels: tuple[Panel, ...]) -> Picture:
    """Draw panel c: maps, each with cuts along energy and along time."""
    rows = len(panels) // 3
    with style.book_style():
        figure = style.new_figure(8.6, 5.2 * rows)
        for row, block in enumerate(style.split(figure, rows, 1)):
            mapped, *cuts = panels[3 * row : 3 * row + 3]
            parts = block.add_gridspec(2, 2, width_ratios=(1, 1.1))
            left = block.add_subplot(parts[:, 0])
            mesh = style.draw_map(left, mapped["ΔOD"])
            left.set_title(style.typeset(mapped.title))
            style.letter(left, mapped.letter)
            label = style.typeset(_DELTA_OD.label)
            block.colorbar(mesh, ax=left, orientation="horizontal", label=label)
            for i, panel in enumerate(cuts):
                ax = block.add_subplot(parts[i, 1])
                style.draw_panel(ax, panel, legend=None)
                ax.axhline(0, color="black", linewidth=0.6)
                ax.legend(loc="center left", bbox_to_anchor=(1.0, 0.5), fontsize=7)
    return figure


# --- panel d


def _truth(run: Run) -> multiexcitons.FourBands:
    return multiexcitons.four_bands(
        exciton_energy_eV=run["perovskite_exciton_energy_eV"],
        linewidth_meV=run["perovskite_linewidth_meV"],
        xx_shift_meV=run["perovskite_xx_shift_meV"],
        mx_lower_shift_meV=run["perovskite_mx_lower_shift_meV"],
        mx_upper_shift_meV=run["perovskite_mx_upper_shift_meV"],
        mx_lifetime_ps=run["perovskite_mx_lifetime_ps"],
        xx_lifetime_ps=run["perovskite_xx_lifetime_ps"],
        exciton_lifetime_ns=run["exciton_lifetime_ns"],
    )


#: The spectrum fitted alone: the highest fluence at the first delay.
_ALONE = (len(_FLUENCES) - 1) * len(_DELAYS_PS)


@cache
def _measurements(
    truth: multiexcitons.FourBands, mean_excitons: float, irf_ps: float, noise: float, seed: int
) -> list[multiexcitons.Measurement]:
    centres, width = np.array(truth.centres_eV), 1e-3 * max(truth.widths_meV)
    energy = np.linspace(centres.min() - 2 * width, centres.max() + 2 * width, 101)
    return [
        multiexcitons.simulate(
            truth,
            energy,
            mean_excitons * np.array(_FLUENCES),
            np.array(_DELAYS_PS),
            response_fwhm_ps=irf_ps,
            noise=noise,
            seed=seed + i,
        )
        for i in range(_SEEDS)
    ]


def _simulated(run: Run) -> list[multiexcitons.Measurement]:
    return _measurements(
        _truth(run),
        run["perovskite_mean_excitons"],
        run["streak_irf_ps"],
        run["spectrum_noise"],
        run["seed"],
    )


@cache
def _comparison(truth: multiexcitons.FourBands, *settings: float) -> multiexcitons.Comparison:
    mean_excitons, irf_ps, noise, seed = settings
    many = _measurements(truth, mean_excitons, irf_ps, noise, int(seed))
    return multiexcitons.compare(truth, many, _ALONE)


def _compared(run: Run) -> multiexcitons.Comparison:
    return _comparison(
        _truth(run),
        run["perovskite_mean_excitons"],
        run["streak_irf_ps"],
        run["spectrum_noise"],
        run["seed"],
    )


_BAND_QUANTITIES = ("PL_X", "PL_XX", "A_XX2", "A_XX1")


def four_bands(run: Run) -> tuple[Panel, Panel]:
    """Return panel d: one spectrum and its bands from both fits, and the errors of the centres."""
    truth, many = _truth(run), _simulated(run)
    measured = many[0]
    energy = measured.energy_eV
    alone = multiexcitons.one_spectrum(measured, _ALONE)
    start = (truth.centres_eV, truth.widths_meV)
    fits = {
        "global fit": (multiexcitons.fit(measured, *start), _ALONE, "-"),
        "single fit": (multiexcitons.fit(alone, *start), 0, ":"),
    }
    series = [
        Series("simulated", energy, alone.spectra[0], ENERGY, _LIGHT, kind="points", dash=".")
    ]
    for label, (fit, row, dash) in fits.items():
        shapes = multiexcitons.band_shapes(energy, fit.centres_eV, fit.widths_meV)
        for i, band in enumerate(multiexcitons.BANDS):
            series.append(
                Series(
                    f"{band}, {label}",
                    energy,
                    fit.amplitudes[row, i] * shapes[i],
                    ENERGY,
                    _LIGHT,
                    quantity=_BAND_QUANTITIES[i],
                    dash=dash,
                )
            )
    title = f"CsPbBr3 at {_DELAYS_PS[0]:g} ps (simulated)"
    return Panel("d", title, tuple(series)), _errors(run)


def _errors(run: Run) -> Panel:
    compared = _compared(run)
    place = np.arange(1.0, 1 + len(multiexcitons.BANDS))
    series = []
    for label, errors, expected, quantity, marker, aside in (
        ("single fit", compared.single_errors_meV, compared.single_expected_meV, "A_X", "o", -0.12),
        ("global fit", compared.global_errors_meV, compared.global_expected_meV, "PL_X", "s", 0.12),
    ):
        shown = np.abs(errors)
        series.append(
            Series(
                f"{label}, {_SEEDS} noise seeds",
                np.broadcast_to(place + aside, shown.shape).ravel(),
                shown.ravel(),
                _BAND,
                _ERROR,
                kind="points",
                quantity=quantity,
                dash=marker,
            )
        )
        series.append(
            Series(
                f"{label}, least standard error",
                place + aside,
                expected,
                _BAND,
                _ERROR,
                kind="points",
                quantity=quantity,
                dash="_",
            )
        )
    return Panel("", "fitted centre less the true one", tuple(series))


def draw_four_bands(panels: tuple[Panel, Panel]) -> Picture:
    """Draw panel d and the errors."""
    with style.book_style():
        figure = style.new_figure(8.0, 4.6)
        left, right = figure.subplots(1, 2, width_ratios=(1.25, 1))
        style.draw_panel(left, panels[0], legend=None)
        left.legend(loc="upper center", bbox_to_anchor=(0.5, -0.15), ncols=2, fontsize=7)
        for series in panels[1].series:
            style.draw_series(right, series)
        for mark in right.get_lines():
            mark.set_markersize(16 if mark.get_marker() == "_" else 4)
        right.set_yscale("log")
        right.set_xticks(
            np.arange(1, 1 + len(multiexcitons.BANDS)),
            [b.replace(" ", "\n") for b in multiexcitons.BANDS],
        )
        right.set(xlim=(0.5, 4.5), ylabel=_ERROR.label, title=panels[1].title)
        right.legend(loc="upper center", bbox_to_anchor=(0.5, -0.15), fontsize=7, markerscale=0.6)
    return figure


#: What the chapter draws: name -> (series, drawing).
FIGURES = {
    "level_systems": kit.Figure(level_systems, draw_level_systems),
    "cancellation": kit.Figure(cancellation, draw_cancellation),
    "continuous_gain": kit.Figure(continuous_gain, draw_continuous_gain),
    "transient_absorption": kit.Figure(transient_absorption, draw_transient_absorption),
    "four_bands": kit.Figure(four_bands, draw_four_bands),
}


def headlines(run: Run) -> tuple[Headline, ...]:
    """Return the chapter's numbers."""
    return (
        *_cancellation_headlines(run),
        *_kinetic_headlines(run),
        *_induced_headlines(run),
        *_four_band_headlines(run),
    )


def _slug(name: str) -> str:
    return name.replace(" ", "-").replace("+ESA", "").lower()


def _cancellation_headlines(run: Run) -> list[Headline]:
    rows = []
    keys = {"2LS": "F7-esa-2ls", "3LS": "fig07-resonance-3ls"}
    for name, dot in _schemes(run).items():
        slug = _slug(name)
        rows.append(
            Headline(
                keys.get(name, f"fig07-resonance-{slug}"),
                f"Δ_A2 at which ESA removes most of the X emission, to 0.25 meV, {name}",
                levels.binding_of_most_cancellation_meV(dot, _symmetric(dot)),
                "meV",
            )
        )
        rows.append(
            Headline(
                f"fig07-cancelled-{slug}",
                f"part of the X emission that ESA removes at the dot's own Δ_A2, {name}",
                float(levels.cancelled_fraction(dot)),
            )
        )
    for name, dot in _schemes(run).items():
        scheme = name if name in levels.SPLITTING_FRACTIONS else "5LS"
        if scheme == "2LS":
            continue
        diagram = levels.level_diagram(
            scheme, dot, run["phonon_energy_meV"], run["splitting_fraction"], biexciton=True
        )
        by_energies = levels.binding_by_energies_meV(diagram)
        rows.append(
            Headline(
                "F7-definitions" if name == "3LS" else f"fig07-definitions-{_slug(name)}",
                f"2A_X - E_XX less E_0,X - E_X,XX for A_XX2, {name}",
                by_energies - levels.binding_by_transitions_meV(diagram),
                "meV",
            )
        )
    return rows


def _symmetric(dot: Dot) -> FloatArray:
    """Return shifts around the dot's Stokes shift, without leaning on it being the answer."""
    width = float(dot.linewidth_meV)
    binding = np.arange(-2 * width, float(dot.stokes_shift_meV) + 2 * width, 0.25)
    allowed = CONTRACT["absorptive_binding_meV"]
    return binding[(binding >= allowed.minimum) & (binding <= allowed.maximum)]


def _kinetic_headlines(run: Run) -> list[Headline]:
    rho = run["cw_esa_strength"]
    ideal, thermal = fig06.ideal_schemes(), fig06.thermal_schemes(run, run.dots)
    best = {
        name: float(np.max(kinetics.net_gain(scheme, _PUMP_RATES, rho)))
        for name, scheme in ideal.items()
    }
    rows = [
        Headline("F7-cancellation", f"largest net gain of the ideal 4LS, ρ = {rho:g}", best["4LS"]),
        Headline(
            "fig07-largest-3ls", f"the same, ideal 3LS up to w = {_PUMP_RATES[-1]:g}", best["3LS"]
        ),
    ]
    for name, scheme in thermal.items():
        strengths = np.linspace(0, 1, 4001)
        alive = np.isfinite(kinetics.cw_threshold(scheme, strengths))
        rows.append(
            Headline(
                f"fig07-rho-{_slug(name)}",
                f"ρ below which gain comes back at {run['temperature_K']:g} K, {name}",
                float(strengths[alive].max()) if alive.any() else np.nan,
            )
        )
    rows.append(
        Headline(
            "fig07-half-3ls",
            "threshold w of the ideal 3LS at ρ = 0.5",
            float(kinetics.cw_threshold(ideal["3LS"], 0.5)),
        )
    )
    for name in ("3LS", "4LS"):
        dot = run.dots[f"{name}+ESA"]
        at = bands(dot, band_centres_eV(dot).emission)
        own = float(dot.xx_absorption_strength * at.xx_absorption / at.emission)
        rows += [
            Headline(
                f"fig07-own-rho-{_slug(name)}",
                f"ρ that the dot's own bands give at the centre of PL_X, {name}+ESA",
                own,
            ),
            Headline(
                f"fig07-own-ideal-{_slug(name)}",
                f"threshold w of the ideal {name} at that ρ",
                float(kinetics.cw_threshold(ideal[name], own)),
            ),
            Headline(
                f"fig07-own-thermal-{_slug(name)}",
                f"the same at {run['temperature_K']:g} K",
                float(kinetics.cw_threshold(thermal[name], own)),
            ),
        ]
    return rows


def _induced_headlines(run: Run) -> list[Headline]:
    rows = []
    for name in _ta_names(run):
        own = "" if name == "3LS+ESA" else "-your-dot"
        of = "" if name == "3LS+ESA" else ", your dot"
        spot = _spot(run, name)
        red, blue = (
            _transient_absorption(run, name, np.array([at]), _TA_TIMES_PS).total[0]
            for at in (spot.red_eV, spot.blue_eV)
        )
        fit = transients.apparent_times(_TA_TIMES_PS, blue, run["pulse_fwhm_fs"])
        keys = ("F7-pia-rise", "F7-pia") if not own else (f"fig07-rise{own}", f"fig07-decay{own}")
        rows += [
            Headline(
                f"fig07-pia-red{own}",
                f"largest ΔOD red of the bleach, over the bleach{of}",
                spot.red / abs(spot.bleach),
            ),
            Headline(
                f"fig07-pia-blue{own}",
                f"largest ΔOD blue of the bleach, over the bleach{of}",
                spot.blue / abs(spot.bleach),
            ),
            Headline(
                keys[0],
                f"rise of the blue induced absorption, fitted{of}",
                1e-3 * fit.rise_fs,
                "ps",
            ),
            Headline(
                keys[1], f"decay of the blue induced absorption, fitted{of}", fit.decay_ps, "ps"
            ),
            Headline(
                f"fig07-pia-peak{own}",
                f"time of the largest blue induced absorption{of}",
                float(_TA_TIMES_PS[np.argmax(blue)]),
                "ps",
            ),
            Headline(
                f"fig07-pia-late{own}",
                f"red ΔOD at {_TA_TIMES_PS[-1]:g} ps over its largest value{of}",
                float(red[-1] / np.max(np.abs(red))),
            ),
        ]
    return rows


def _four_band_headlines(run: Run) -> list[Headline]:
    truth, many, compared = _truth(run), _simulated(run), _compared(run)
    with np.errstate(invalid="ignore"):
        ratio = compared.single_expected_meV / compared.global_expected_meV
    together = np.sqrt(np.mean(compared.global_errors_meV**2, axis=0))
    alone = np.median(np.abs(compared.single_errors_meV), axis=0)
    one = multiexcitons.one_spectrum(many[0], _ALONE)
    known = multiexcitons.expected_errors_meV(truth, one, widths_known=True)
    rows = [
        Headline(
            "F7-four-bands",
            "least standard error, single fit over global fit: smallest of the four bands",
            float(ratio.min()),
        ),
        Headline(
            "fig07-four-bands-counts",
            "the same when the single spectrum has as many counts as all together",
            float(ratio.min() / np.sqrt(len(many[0].spectra))),
        ),
        Headline("fig07-four-bands-largest", "largest of the four ratios", float(ratio.max())),
    ]
    for i, band in enumerate(multiexcitons.BANDS):
        slug = band.replace(" ", "-").lower()
        rows += [
            Headline(
                f"fig07-single-{slug}",
                f"least standard error of {band}, single fit",
                float(compared.single_expected_meV[i]),
                "meV",
            ),
            Headline(
                f"fig07-global-{slug}",
                f"least standard error of {band}, global fit",
                float(compared.global_expected_meV[i]),
                "meV",
            ),
            Headline(
                f"fig07-known-{slug}",
                f"the same, single fit with the widths known, {band}",
                float(known[i]),
                "meV",
            ),
            Headline(
                f"fig07-global-actual-{slug}",
                f"actual rms error of {band}, global fit",
                float(together[i]),
                "meV",
            ),
            # To whole meV: where a fit has no clear minimum, its end depends on the last digits.
            Headline(
                f"fig07-single-actual-{slug}",
                f"actual median error of {band}, single fit",
                float(np.round(alone[i])),
                "meV",
            ),
        ]
    return rows
