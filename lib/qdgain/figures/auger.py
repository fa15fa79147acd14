"""Auger recombination and the pulse: where thresholds depend on the biexciton's lifetime."""

from __future__ import annotations

from functools import lru_cache
from typing import NamedTuple

import numpy as np
import scipy
from matplotlib import patheffects
from matplotlib.axes import Axes
from matplotlib.contour import ContourSet
from matplotlib.figure import Figure as Picture

from qdgain import chapters
from qdgain.beyond.auger_maps import (
    SHORT_PULSE_PS,
    Cases,
    cases,
    exponent_at,
    ratio_at,
    where_ratio_is,
)
from qdgain.beyond.pulse_threshold import (
    Pump,
    ase_threshold,
    auger_limited_rate,
    exciton_gain,
    gaussian_area,
    se_threshold,
    short_pulse_sensitivity,
    steady_threshold_rate,
)
from qdgain.figures import kit, style
from qdgain.figures.panel import Axis, Panel, Series
from qdgain.model.cross_sections import sphere_volume_nm3
from qdgain.model.dot import Dot, FloatArray, presets
from qdgain.paper.claims import Headline
from qdgain.run import BASE_OF_YOUR_DOT, YOUR_DOT, Run

SETTINGS = chapters.SETTINGS["auger"]

#: The dot of the paper's CdSe, which the maps are about.
_SUBJECT = BASE_OF_YOUR_DOT
#: Pulses of a femtosecond laser, and of a Q-switched Nd:YAG laser (assumed: typical ones).
FEMTOSECOND_PS, NANOSECOND_PS = SHORT_PULSE_PS, 5000.0
#: The paper's Auger lifetime, section 1.4.
STATED_AUGER_PS = 30.0
#: Drawn dots: diameters of CdSe spheres and edges of CsPbBr3 cubes (assumed: usual sizes).
CDSE_NM, CSPBBR3_NM = (4.0, 6.0), (5.0, 10.0)
_TENTH, _DOUBLE, _TEN = 1.1, 2.0, 10.0
#: From this exponent on, the threshold goes as 1/τ_XX.
_LAW = 0.9
#: Drawn alike from here on, and where no pump reaches the threshold.
_TOP = 1e3

_AUGER = Axis("biexciton Auger lifetime τ_XX", "ps")
_ABSORBED = Axis("absorbed excitons per dot at threshold")
_PRESENT = Axis("excitons present at threshold")
_RATIO = Axis("threshold / threshold without Auger")
_PULSE = Axis("pulse length", "ps")
_BUILD_UP = Axis("build-up time", "ps")

#: Drawn pulse lengths: row of the tables, name, dash.
_DRAWN = (
    (0, "0.1 ps", "-"),
    (2, "1 ps", "--"),
    (4, "10 ps", "-."),
    (6, "100 ps", ":"),
    (8, "1 ns", "--"),
    (10, "10 ns", "-"),
)
_LONG = 10


def thresholds(_: Run) -> tuple[Panel, ...]:
    """Return thresholds against the Auger lifetime: of the 3LS with ESA, and of all presets."""
    panels = []
    for letter, kind, title in (("a", "se", "SE"), ("b", "ase", "ASE")):
        table = cases(_SUBJECT, kind)
        lines = [
            Series(
                name,
                table.auger_ps,
                table.with_auger[row],
                _AUGER,
                _ABSORBED,
                quantity=f"pulse {name}",
                dash=dash,
            )
            for row, name, dash in _DRAWN
        ]
        law = auger_limited_rate(presets()[_SUBJECT], table.auger_ps)
        lines.append(
            Series(
                "1/τ_XX, 10 ns",
                table.auger_ps,
                law * gaussian_area(table.first[_LONG]),
                _AUGER,
                _ABSORBED,
                quantity="reference",
                dash=":",
            )
        )
        panels.append(Panel(letter, f"{title}, {_SUBJECT}", tuple(lines)))
    for letter, kind, title in (("c", "se", "SE"), ("d", "ase", "ASE")):
        panels.append(
            Panel(
                letter,
                f"{title}, 10 ns pulses",
                tuple(
                    Series(
                        name,
                        cases(name, kind).auger_ps,
                        cases(name, kind).ratio[_LONG],
                        _AUGER,
                        _RATIO,
                        quantity=name.removesuffix("+ESA"),
                        dash="--" if name.endswith("+ESA") else "-",
                    )
                    for name in presets()
                ),
            )
        )
    return tuple(panels)


def draw_thresholds(panels: tuple[Panel, ...]) -> Picture:
    """Draw both rows on logarithmic axes."""
    with style.book_style():
        figure = style.new_figure(7.6, 6.2)
        axes = figure.subplots(2, 2, sharex=True)
        for ax, panel in zip(axes.flat, panels, strict=True):
            style.draw_panel(ax, panel, legend=None)
            ax.set(xscale="log", yscale="log")
            ax.minorticks_off()
        for row in axes:
            low = min(ax.get_ylim()[0] for ax in row)
            high = max(ax.get_ylim()[1] for ax in row)
            for ax in row:
                ax.set_ylim(low, high)
        for ax in axes[0]:
            ax.set_ylim(1, 2e4)
            ax.set_xlabel("")
        axes[0, 1].legend(fontsize=7, title="pulse", title_fontsize=7, ncols=2)
        axes[1, 1].legend(fontsize=8)
    return figure


class _Dot(NamedTuple):
    name: str
    material: str
    auger_ps: float


def _real_dots(run: Run) -> tuple[_Dot, ...]:
    """Return drawn dots with their Auger lifetimes by volume."""
    cdse, cspbbr3 = run["cdse_auger_ps_nm3"], run["cspbbr3_auger_ps_nm3"]
    return (
        *(_Dot(f"CdSe, {d:g} nm", "CdSe", float(cdse * sphere_volume_nm3(d))) for d in CDSE_NM),
        *(_Dot(f"CsPbBr₃, {a:g} nm", "CsPbBr3", cspbbr3 * a**3) for a in CSPBBR3_NM),
    )


def maps(run: Run) -> tuple[Panel, ...]:
    """Return the ratio to the threshold without Auger over pulse or build-up time and τ_XX."""
    panels = []
    for letter, kind, title in (
        ("a", "se", "SE"),
        ("b", "ase", "ASE"),
        ("c", "ase_build_up", "ASE, 0.1 ps pulses"),
    ):
        table = cases(_SUBJECT, kind)
        x_axis, here = (
            (_BUILD_UP, run["build_up_time_ps"])
            if kind == "ase_build_up"
            else (_PULSE, run["pump_fwhm_ps"])
        )
        marked = (here, run["auger_lifetime_ps"])
        series = [
            Series(
                "ratio",
                table.first,
                table.auger_ps,
                x_axis,
                _AUGER,
                z=np.minimum(table.ratio.T, _TOP),
                z_axis=_RATIO,
                kind="map",
            )
        ]
        for dot in _real_dots(run):
            series.append(
                Series(
                    dot.name,
                    [table.first[0], table.first[-1]],
                    [dot.auger_ps] * 2,
                    x_axis,
                    _AUGER,
                    quantity=dot.material,
                    dash="-" if dot.material == "CdSe" else "--",
                )
            )
        series.append(
            Series(
                "this run",
                [marked[0]],
                [marked[1]],
                x_axis,
                _AUGER,
                kind="points",
                quantity="your dot",
            )
        )
        panels.append(Panel(letter, title, tuple(series)))
    return tuple(panels)


def draw_maps(panels: tuple[Panel, ...]) -> Picture:
    """Draw the maps as filled contours with the lifetimes of real dots across."""
    with style.book_style():
        figure = style.new_figure(9.0, 3.9)
        axes = figure.subplots(1, len(panels), sharey=True)
        for ax, panel in zip(axes, panels, strict=True):
            filled = _draw_ratio(ax, panel["ratio"])
            _draw_dots(ax, panel, named=panel is panels[0])
            ax.set_title(panel.title)
            style.letter(ax, panel.letter)
        axes[0].set_ylabel(style.typeset(_AUGER.label))
        bar = figure.colorbar(filled, ax=list(axes), label=_RATIO.name, pad=0.01)
        bar.set_ticks([_TENTH, _DOUBLE, _TEN, 100], labels=["1.1", "2", "10", "100"])
    return figure


def _draw_ratio(ax: Axes, series: Series) -> ContourSet:
    # Straight lines between points half a decade apart would bend on logarithmic axes.
    x, y = np.log(np.asarray(series.x)), np.log(np.asarray(series.y))
    fine_x, fine_y = np.linspace(x[0], x[-1], 97), np.linspace(y[0], y[-1], 97)
    logs = np.log(np.asarray(series.z))
    along_y = scipy.interpolate.PchipInterpolator(y, logs, axis=0)(fine_y)
    ratio = np.exp(scipy.interpolate.PchipInterpolator(x, along_y, axis=1)(fine_x))
    grid = (np.exp(fine_x), np.exp(fine_y), ratio)
    levels = [_TENTH, _DOUBLE, _TEN, 100.0]
    shades = ("#FFFFFF", "#DCE6F2", "#A9C4E2", "#6C94C4", "#3A5F95")
    filled = ax.contourf(*grid, levels=[0.5, *levels, 10 * _TOP], colors=shades)
    ax.contour(
        *grid, levels=levels, colors="black", linewidths=[1.8, 1.0, 0.8, 0.8],
        linestyles=["-", "--", "-.", ":"],
    )  # fmt: skip
    ax.set(xscale="log", yscale="log")
    ax.minorticks_off()
    ax.set_xlabel(style.typeset(series.x_axis.label))
    return filled


def _draw_dots(ax: Axes, panel: Panel, named: bool) -> None:
    halo = [patheffects.withStroke(linewidth=2.5, foreground="white")]
    for series in panel.of_kind("line"):
        if series.behind:
            continue
        y = float(np.asarray(series.y)[0])
        colour = style.colour(series.quantity)
        ax.axhline(y, color=colour, linestyle=series.dash, linewidth=1.0, path_effects=halo)
        left = series.quantity == "CdSe"
        if named:
            ax.annotate(
                series.name,
                (0.03 if left else 0.97, y),
                xycoords=("axes fraction", "data"),
                fontsize=6.5,
                va="bottom" if left else "top",
                ha="left" if left else "right",
                path_effects=halo,
            )
    here = panel["this run"]
    ax.plot(
        here.x, here.y, "*", color=style.colour(here.quantity), markersize=11, markeredgecolor="k",
        clip_on=False, zorder=5,
    )  # fmt: skip


def own(run: Run) -> tuple[Panel, ...]:
    """Return the thresholds of this run's dot and pulse against the Auger lifetime."""
    name = _SUBJECT if run.is_papers else f"{YOUR_DOT}+ESA"
    absorbed, present = [], []
    for each, dot in ((name, run.subject), (name.removesuffix("+ESA"), run.subject.uncorrelated())):
        found = _own_se(dot, _fixed(run), run["read_delay_ps"])
        dash = "-" if each == name else "--"
        absorbed.append(_line(f"SE, {each}", found[0], _ABSORBED, "PL_X", dash))
        present.append(_line(f"SE, {each}", found[1], _PRESENT, "PL_X", dash))
    ase = _own_ase(run.subject, _fixed(run), run["gain_exponent"], run["build_up_time_ps"])
    absorbed.append(_line(f"ASE, {name}", ase, _ABSORBED, "ASE", "-."))
    absorbed.append(
        Series(
            "this run's τ_XX",
            [run["auger_lifetime_ps"]] * 2,
            [0.1, 1e4],
            _AUGER,
            _ABSORBED,
            quantity="reference",
            dash=":",
        )
    )
    title = f"{run['pump_fwhm_ps']:g} ps pulses"
    return (
        Panel("a", f"absorbed, {title}", tuple(absorbed)),
        Panel("b", f"present, {title}", tuple(present)),
    )


def _line(name: str, values: FloatArray, axis: Axis, quantity: str, dash: str) -> Series:
    reached = np.where(np.isfinite(values) & (values > 0), values, np.nan)
    return Series(name, _OWN_AUGER_PS, reached, _AUGER, axis, quantity=quantity, dash=dash)


def draw_own(panels: tuple[Panel, ...]) -> Picture:
    """Draw absorbed excitons on a logarithmic axis, present ones on a linear one."""
    with style.book_style():
        figure = style.new_figure(7.6, 3.4)
        axes = figure.subplots(1, 2)
        for ax, panel in zip(axes, panels, strict=True):
            style.draw_panel(ax, panel)
            ax.set_xscale("log")
        values = np.concatenate(
            [np.asarray(s.y) for s in panels[0].series if "this run" not in s.name]
        )
        values = values[np.isfinite(values)]
        axes[0].set_yscale("log")
        if values.size:
            axes[0].set_ylim(0.8 * values.min(), 1.5 * values.max())
        axes[1].set_ylim(bottom=0)
    return figure


_OWN_AUGER_PS = np.geomspace(1.0, 1e4, 13)


class _Fixed(NamedTuple):
    """What a run gives a pump, besides the Auger lifetime."""

    pulse_fwhm_ps: float
    cooling_time_ps: float
    exciton_lifetime_ps: float

    def pump(self, auger_ps: object) -> Pump:
        lifetimes = np.asarray(auger_ps, dtype=float)
        return Pump(self.pulse_fwhm_ps, lifetimes, self.cooling_time_ps, self.exciton_lifetime_ps)


def _fixed(run: Run) -> _Fixed:
    lifetime = 1e3 * run["exciton_lifetime_ns"]
    return _Fixed(run["pump_fwhm_ps"], run["cooling_time_ps"], lifetime)


@lru_cache(maxsize=16)
def _own_se(dot: Dot, fixed: _Fixed, delay: float) -> tuple[FloatArray, FloatArray]:
    found = se_threshold(dot, fixed.pump(_OWN_AUGER_PS), delay)
    return found.absorbed, found.present


@lru_cache(maxsize=16)
def _own_ase(dot: Dot, fixed: _Fixed, exponent: float, build_up: float) -> FloatArray:
    return ase_threshold(dot, fixed.pump(_OWN_AUGER_PS), exponent, build_up)


#: The chapter's figures: name -> (series, drawing).
FIGURES = {
    "thresholds": kit.Figure(thresholds, draw_thresholds),
    "maps": kit.Figure(maps, draw_maps),
    "own": kit.Figure(own, draw_own),
}


def headlines(run: Run) -> tuple[Headline, ...]:
    """Return where independence and the Standard Model's law hold, and this run's own ratios."""
    return (*_of_the_maps(run), *_closed_forms(), *_of_this_run(run))


def _of_the_maps(run: Run) -> list[Headline]:
    rows: list[tuple[str, str, float, str]] = []
    for kind, title in (("se", "SE"), ("ase", "ASE")):
        table = cases(_SUBJECT, kind)
        femto = table.ratio[0]
        for key, level, words in (("tenth", _TENTH, "within 10 %"), ("double", _DOUBLE, "doubled")):
            at = where_ratio_is(level, table.auger_ps, femto)
            rows.append((f"{kind}-{key}", f"τ_XX, {title} {words}, 100 fs", at, "ps"))
        rows.append((f"{kind}-lag", f"τ_XX over pulse, {title} within 10 %", _lag(table), "1"))
        rows.append(
            (f"{kind}-law", f"pulse over τ_XX from which {title} ∝ 1/τ_XX", _law(table), "1")
        )
        for pulse, name in ((FEMTOSECOND_PS, "fs"), (NANOSECOND_PS, "ns")):
            ratio = ratio_at(table, pulse, STATED_AUGER_PS)
            words = "100 fs" if name == "fs" else "5 ns"
            rows.append((f"{kind}-{name}", f"{title} ratio at 30 ps, {words}", ratio, "1"))
        for dot in (_real_dots(run)[0], _real_dots(run)[-1]):
            for pulse, name in ((FEMTOSECOND_PS, "fs"), (NANOSECOND_PS, "ns")):
                ratio = ratio_at(table, pulse, dot.auger_ps)
                words = "100 fs" if name == "fs" else "5 ns"
                rows.append(
                    (
                        f"{kind}-{dot.material.lower()}-{name}",
                        f"{title} ratio, {dot.name}, {words}",
                        ratio,
                        "1",
                    )
                )
        exponents = exponent_at(table, STATED_AUGER_PS)
        for pulse, name in ((FEMTOSECOND_PS, "fs"), (NANOSECOND_PS, "ns")):
            exponent = float(np.interp(np.log(pulse), np.log(table.first), exponents))
            words = "100 fs" if name == "fs" else "5 ns"
            rows.append(
                (f"{kind}-exponent-{name}", f"-dln⟨N⟩/dlnτ_XX, {title}, {words}", exponent, "1")
            )
        for name in presets():
            slug = name.lower().replace("+", "-")
            own_table = cases(name, kind)
            ratio = ratio_at(own_table, FEMTOSECOND_PS, STATED_AUGER_PS)
            rows.append((f"{kind}-fs-{slug}", f"{title} ratio, {name}, 30 ps, 100 fs", ratio, "1"))
            most = float(own_table.ratio[: _LONG + 1].max())
            rows.append(
                (
                    f"{kind}-most-{slug}",
                    f"largest {title} ratio, {name}, pulses to 10 ns",
                    most,
                    "1",
                )
            )
    worst = max(value for key, _, value, _ in rows if key.startswith("se-fs-"))
    rows.append(("se-fs-worst", "largest SE ratio of the presets at 30 ps, 100 fs", worst, "1"))
    gained = max(
        float(cases(name, "ase").ratio[: _LONG + 1].max()) for name in ("3LS", "4LS", "4LS+ESA")
    )
    rows.append(("ase-most-exciton", "largest ASE ratio where X gains, to 10 ns", gained, "1"))
    present = cases(_SUBJECT, "present").ratio
    fall = 100 * float(1 - present.min())
    rows.append(("present-fall", "largest fall of the excitons present", fall, "%"))
    perovskite, table = _real_dots(run)[-1], cases(_SUBJECT, "ase")
    short, long = (
        np.interp(perovskite.auger_ps, table.auger_ps, table.with_auger[i]) for i in (0, _LONG)
    )
    words = f"ASE threshold of 10 ns over that of 100 fs pulses, {perovskite.name}"
    rows.append(("quasi-cw", words, float(long / short), "1"))
    build_up = cases(_SUBJECT, "ase_build_up")
    row = int(np.searchsorted(build_up.first, 99.0))
    for slug, level, words in (("tenth", _TENTH, "within 10 %"), ("double", _DOUBLE, "doubled")):
        at = where_ratio_is(level, build_up.auger_ps, build_up.ratio[row])
        rows.append((f"build-up-{slug}", f"τ_XX, ASE {words}, build-up in 100 ps", at, "ps"))
    for dot in _real_dots(run):
        slug = dot.name.lower().replace(",", "").replace(" ", "-").replace("₃", "3")
        rows.append((f"lifetime-{slug}", f"τ_XX by volume, {dot.name}", dot.auger_ps, "ps"))
    return [Headline(f"auger-{key}", meaning, value, unit) for key, meaning, value, unit in rows]


def _lag(table: Cases) -> float:
    """Return how many pulse lengths τ_XX must be, where the pulse is far longer than cooling."""
    row = int(np.searchsorted(table.first, 990.0))
    return where_ratio_is(_TENTH, table.auger_ps, table.ratio[row]) / float(table.first[row])


def _law(table: Cases) -> float:
    """Return the pulse over τ_XX from which the threshold's exponent is that of 1/τ_XX."""
    exponents = exponent_at(table, STATED_AUGER_PS)
    first = int(np.argmax(exponents >= _LAW))
    before, after = exponents[first - 1], exponents[first]
    share = (_LAW - before) / (after - before)
    logs = np.log(table.first)
    at = np.exp(logs[first - 1] + share * (logs[first] - logs[first - 1]))
    return float(at) / STATED_AUGER_PS


def _closed_forms() -> list[Headline]:
    dot = presets()[_SUBJECT]
    rows = [
        ("sensitivity", "rise of the threshold per t/τ_XX at first", short_pulse_sensitivity(dot)),
        ("rate", "arrivals per τ_XX that sustain gain", float(auger_limited_rate(dot, 1.0))),
        (
            "rate-3ls",
            "arrivals per τ_X that sustain gain in the 3LS, τ_XX = 30 ps",
            float(steady_threshold_rate(presets()["3LS"], STATED_AUGER_PS, _LONG_LIFETIME_PS))
            * _LONG_LIFETIME_PS,
        ),
    ]
    for name, each in presets().items():
        slug = name.lower().replace("+", "-")
        gain = exciton_gain(each)
        rows.append((f"exciton-gain-{slug}", f"gain of X, {name}, at maximum", gain.at_maximum))
        rows.append((f"exciton-best-{slug}", f"largest gain of X, {name}", gain.largest))
    return [Headline(f"auger-{key}", meaning, value) for key, meaning, value in rows]


_LONG_LIFETIME_PS = 2e4


def _of_this_run(run: Run) -> list[Headline]:
    pump = _fixed(run).pump([run["auger_lifetime_ps"], np.inf])
    se = se_threshold(run.subject, pump, run["read_delay_ps"])
    ase = ase_threshold(run.subject, pump, run["gain_exponent"], run["build_up_time_ps"])
    rows = [
        ("own-se-absorbed", "absorbed excitons, SE, this run", float(se.absorbed[0])),
        ("own-se-present", "excitons present, SE, this run", float(se.present[0])),
        ("own-se", "SE ratio, this run", _ratio(se.absorbed)),
        ("own-ase-absorbed", "absorbed excitons, ASE, this run", float(ase[0])),
        ("own-ase", "ASE ratio, this run", _ratio(ase)),
    ]
    return [Headline(f"auger-{key}", meaning, value) for key, meaning, value in rows]


def _ratio(pair: FloatArray) -> float:
    """Return the threshold with Auger over that without; nan where there is none without."""
    with_auger, without = (float(value) for value in pair)
    if not 0 < without < np.inf:
        return float("nan")
    return with_auger / without
