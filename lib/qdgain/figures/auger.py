"""Auger recombination and the pulse: where thresholds depend on the biexciton's lifetime."""

from __future__ import annotations

from collections.abc import Iterable
from functools import lru_cache
from typing import Any

import numpy as np
import scipy
from matplotlib import patheffects
from matplotlib.axes import Axes
from matplotlib.contour import ContourSet
from matplotlib.figure import Figure as Picture
from matplotlib.ticker import LogLocator

from qdgain import chapters
from qdgain.beyond import auger_maps, pulse_threshold
from qdgain.beyond.auger_maps import LASERS_PS, STATED_AUGER_PS, Conditions, cases, stored_numbers
from qdgain.figures import style
from qdgain.figures.kit import Figure, Numbers, level, line, mapped, panel, points, upright
from qdgain.figures.panel import Axis, Panel, Series
from qdgain.model.cross_sections import sphere_volume_nm3
from qdgain.model.dot import Dot, FloatArray, presets
from qdgain.run import YOUR_DOT, Run
from qdgain.stored import stored
from qdgain.table import Table
from qdgain.text import significant

SETTINGS = chapters.SETTINGS["auger"]

_SUBJECT = auger_maps.SUBJECT
_KINDS = {"se": "SE", "ase": "ASE"}
_LASERS = {"fs": "100 fs", "ns": "5 ns"}
#: Drawn dots: diameters of CdSe spheres and edges of CsPbBr3 cubes (assumed: usual sizes).
_CDSE_NM, _CSPBBR3_NM = (4.0, 6.0), (5.0, 10.0)
#: Where a material's lines have their names.
_NAMED_AT = {"CdSe": (0.03, "left", "bottom"), "CsPbBr3": (0.97, "right", "top")}
#: Drawn alike from here on, and where no pump reaches the threshold.
_TOP = 1e3

LIFETIME = Axis("biexciton Auger lifetime τ_XX", "ps")
_ABSORBED = Axis("absorbed excitons per dot at threshold")
_PRESENT = Axis("excitons present at threshold")
_RATIO = Axis("threshold / threshold without Auger")
PULSE = Axis("pulse length", "ps")
_BUILD_UP = Axis("build-up time", "ps")

#: Drawn pulse lengths: their rows in the tables, dashes, and where their names stand.
_LONG = 10
_DRAWN = {
    "0.1 ps": (0, "-", (1.2, 1.3)),
    "10 ps": (4, "-.", (2.2, 7.5)),
    "100 ps": (6, ":", (4.0, 30.0)),
    "1 ns": (8, "--", (4.0, 300.0)),
    "10 ns": (_LONG, "-", (4.0, 3000.0)),
}
_OWN_AUGER_PS = np.geomspace(1.0, 1e4, 13)


def thresholds(_: Run) -> tuple[Panel, ...]:
    """Return thresholds against the Auger lifetime: of the 3LS with ESA, and of all presets."""
    return (
        *(_of_pulses(letter, *kind) for letter, kind in zip("ab", _KINDS.items(), strict=True)),
        *(_of_presets(letter, *kind) for letter, kind in zip("cd", _KINDS.items(), strict=True)),
    )


def _of_pulses(letter: str, kind: str, title: str) -> Panel:
    table = cases(_SUBJECT, kind)
    law = pulse_threshold.auger_limited_rate(presets()[_SUBJECT], table.auger_ps)
    lines = [
        line(name, table.auger_ps, table.with_auger[row], f"pulse {name}", dash)
        for name, (row, dash, _) in _DRAWN.items()
    ]
    whole_pulse = law * pulse_threshold.gaussian_area(table.first[_LONG])
    lines.append(line("1/τ_XX, 10 ns", table.auger_ps, whole_pulse, "reference", ":"))
    return panel(letter, f"{title}, {_SUBJECT}", LIFETIME, _ABSORBED, lines)


def _of_presets(letter: str, kind: str, title: str) -> Panel:
    lines = []
    for name in presets():
        table, dash = cases(name, kind), "--" if name.endswith("+ESA") else "-"
        quantity = name.removesuffix("+ESA")
        lines.append(line(name, table.auger_ps, table.ratio[_LONG], quantity, dash))
    lines.append(level("the paper: no dependence", 1.0, "reference", ":"))
    return panel(letter, f"{title}, 10 ns pulses", LIFETIME, _RATIO, lines)


def _finish_thresholds(axes: list[Axes], _: tuple[Panel, ...]) -> None:
    """Give each row its range, name the pulses at their lines, and the dots below."""
    highest = max(ax.get_ylim()[1] for ax in axes[2:])
    for upper, lower in zip(axes[:2], axes[2:], strict=True):
        upper.set(ylim=(1, 2e4), xlabel="")
        lower.set_ylim(0.7, highest)
        style.name_beside(upper, {name: place for name, (*_, place) in _DRAWN.items()})
        upper.legend(loc="upper right")
    for ax in axes:
        ax.minorticks_off()
    style.legend_below(axes[2], ncols=5)


def _real_dots(run: Run) -> dict[str, float]:
    """Return the Auger lifetimes of the drawn dots, in ps, by volume."""
    cdse, cspbbr3 = run["cdse_auger_ps_nm3"], run["cspbbr3_auger_ps_nm3"]
    spheres = {f"CdSe, {d:g} nm": float(cdse * sphere_volume_nm3(d)) for d in _CDSE_NM}
    return spheres | {f"CsPbBr₃, {a:g} nm": cspbbr3 * a**3 for a in _CSPBBR3_NM}


def _material(name: str) -> str:
    return name.partition(",")[0].replace("₃", "3")


def maps(run: Run) -> tuple[Panel, ...]:
    """Return the ratio to the threshold without Auger over pulse or build-up time and τ_XX."""
    return (
        _map(run, "a", "se", "SE"),
        _map(run, "b", "ase", "ASE"),
        _map(run, "c", "ase_build_up", "ASE, 0.1 ps pulses", _BUILD_UP),
    )


def _map(run: Run, letter: str, kind: str, title: str, across: Axis = PULSE) -> Panel:
    table, here = cases(_SUBJECT, kind), run["pump_fwhm_ps"]
    if across == _BUILD_UP:
        here = run["build_up_time_ps"]
    ratio, ends = np.minimum(table.ratio.T, _TOP), [table.first[0], table.first[-1]]
    series = [mapped("ratio", table.first, table.auger_ps, ratio, _RATIO)]
    for name, lifetime in _real_dots(run).items():
        dash = "-" if name.startswith("CdSe") else "--"
        series.append(line(name, ends, [lifetime] * 2, _material(name), dash))
    series.append(points("this run", here, run["auger_lifetime_ps"], "your dot", "-"))
    return panel(letter, title, across, LIFETIME, series)


def _draw_maps(panels: tuple[Panel, ...]) -> Picture:
    """Draw the maps as filled contours with the lifetimes of real dots across."""
    figure = style.new_figure(7.6, 7.0)
    axes = [*figure.subplot_mosaic("aa;bc", height_ratios=(1.2, 1)).values()]
    for ax, one in zip(axes, panels, strict=True):
        filled = draw_ratio(ax, one["ratio"])
        draw_dots(ax, one, named=one is panels[0])
        ax.set_title(one.title)
        style.letter(ax, one.letter)
        ax.set_ylabel(style.typeset(LIFETIME.label))
    for name, at in zip(_LASERS.values(), LASERS_PS.values(), strict=True):
        for ax in axes[:2]:
            ax.axvline(at, color="black", linestyle=":")
        axes[0].text(1.1 * at, 1.2, f"{name} laser", rotation=90, **_SMALL)
    bar = figure.colorbar(filled, ax=axes, label=_RATIO.name, pad=0.01)
    bar.set_ticks([*auger_maps.RATIOS.values(), 10, 100], labels=["1.1", "2", "10", "100"])
    return figure


_HALO = [patheffects.withStroke(linewidth=2.5, foreground="white")]
_SMALL: Any = {"fontsize": 8, "path_effects": _HALO}


def draw_ratio(ax: Axes, series: Series) -> ContourSet:
    """Draw a map of ratios as filled contours, and return them."""
    # Straight lines between points half a decade apart would bend on logarithmic axes.
    x, y = np.log(np.asarray(series.x)), np.log(np.asarray(series.y))
    fine_x, fine_y = np.linspace(x[0], x[-1], 97), np.linspace(y[0], y[-1], 97)
    logs = np.log(np.asarray(series.z))
    along_y = scipy.interpolate.PchipInterpolator(y, logs, axis=0)(fine_y)
    ratio = np.exp(scipy.interpolate.PchipInterpolator(x, along_y, axis=1)(fine_x))
    grid = (np.exp(fine_x), np.exp(fine_y), ratio)
    levels = [*auger_maps.RATIOS.values(), 10.0, 100.0]
    shades = ("#FFFFFF", "#DCE6F2", "#A9C4E2", "#6C94C4", "#3A5F95")
    filled = ax.contourf(*grid, levels=[0.5, *levels, 10 * _TOP], colors=shades)
    widths, dashes = [1.8, 1.0, 0.8, 0.8], ["-", "--", "-.", ":"]
    ax.contour(*grid, levels=levels, colors="black", linewidths=widths, linestyles=dashes)
    ax.set(xscale="log", yscale="log")
    ax.minorticks_off()
    ax.set_xlabel(style.typeset(series.x_axis.label))
    return filled


def draw_dots(ax: Axes, one: Panel, named: bool) -> None:
    """Draw the lifetimes of real dots across a map, and this run as a star."""
    for series in one.of_kind("line"):
        if series.behind:
            continue
        y, colour = float(np.asarray(series.y)[0]), style.colour(series.quantity)
        ax.axhline(y, color=colour, linestyle=series.dash, linewidth=1.0, path_effects=_HALO)
        if named:
            x, ha, va = _NAMED_AT[series.quantity]
            ax.text(x, y, series.name, transform=ax.get_yaxis_transform(), ha=ha, va=va, **_SMALL)
    here = one["this run"]
    star: Any = {"color": style.colour(here.quantity), "markersize": 11, "markeredgecolor": "k"}
    ax.plot(here.x, here.y, "*", **star, clip_on=False, zorder=5)


def own(run: Run) -> tuple[Panel, ...]:
    """Return the thresholds of this run's dot and pulse against the Auger lifetime."""
    name = _SUBJECT if run.is_papers else f"{YOUR_DOT}+ESA"
    pulse, fixed = run["pump_fwhm_ps"], Conditions.of(run.settings)
    absorbed, present = [], []
    for each, dot in ((name, run.subject), (name.removesuffix("+ESA"), run.subject.uncorrelated())):
        found, dash = _own("se", dot, pulse, fixed), "-" if each == name else "--"
        absorbed.append(_own_line(f"SE, {each}", found.absorbed, "PL_X", dash))
        present.append(_own_line(f"SE, {each}", found.present, "PL_X", dash))
    ase = _own("ase", run.subject, pulse, fixed)
    absorbed.append(_own_line(f"ASE, {name}", ase, "ASE", "-."))
    top = np.nanmax([1.0, *(value for series in absorbed for value in series.values)])
    absorbed.append(upright("this run's τ_XX", run["auger_lifetime_ps"], 1.0, top))
    return (
        panel("a", f"absorbed, {pulse:g} ps pulses", LIFETIME, _ABSORBED, absorbed),
        panel("b", f"present, {pulse:g} ps pulses", LIFETIME, _PRESENT, present),
    )


def _own_line(name: str, values: FloatArray, quantity: str, dash: str) -> Series:
    reached = np.where(np.isfinite(values) & (values > 0), values, np.nan)
    return line(name, _OWN_AUGER_PS, reached, quantity, dash)


# Kept, since the paper's are drawn behind every other run's.
@lru_cache(maxsize=16)
def _own(kind: str, dot: Dot, pulse: float, fixed: Conditions) -> Any:
    return getattr(fixed, kind)(dot, pulse, _OWN_AUGER_PS)


def _finish_own(axes: list[Axes], _: tuple[Panel, ...]) -> None:
    """Show absorbed excitons on a logarithmic axis, present ones on a linear one."""
    axes[0].set_yscale("log")
    axes[0].yaxis.set_major_locator(LogLocator(subs=(1, 2, 5)))
    axes[0].yaxis.set_major_formatter("{x:g}")
    axes[1].set_ylim(bottom=0)
    for ax in axes:
        ax.minorticks_off()


FIGURES = {
    "thresholds": Figure(
        thresholds,
        size=(7.6, 6.2),
        columns=2,
        sharex=True,
        axes={"xscale": "log", "yscale": "log"},
        legend=None,
        finish=_finish_thresholds,
    ),
    "maps": Figure(maps, _draw_maps),
    "own": Figure(own, size=(7.6, 3.4), axes={"xscale": "log"}, finish=_finish_own),
}

# --- numbers


def headlines(run: Run) -> Numbers:
    """Return where independence and the Standard Model's law hold, and this run's own ratios."""
    n = Numbers("auger", run)
    for kind, title in _KINDS.items():
        _of_kind(n, run, kind, title)
    _of_all_tables(n, run)
    dot = presets()[_SUBJECT]
    n.add("sensitivity", pulse_threshold.short_pulse_sensitivity(dot))
    n.add("rate", pulse_threshold.auger_limited_rate(dot, 1.0))
    for name, each in presets().items():
        gain = pulse_threshold.exciton_gain(each)
        n.add("exciton-gain-{dot}", gain.at_maximum, dot=name)
        n.add("exciton-best-{dot}", gain.largest, dot=name)
    pulse, auger = run["pump_fwhm_ps"], [run["auger_lifetime_ps"], np.inf]
    fixed = Conditions.of(run.settings)
    se, ase = fixed.se(run.subject, pulse, auger), fixed.ase(run.subject, pulse, auger)
    n.add("own-se-absorbed", se.absorbed[0])
    n.add("own-se-present", se.present[0])
    n.add("own-se", _ratio(se.absorbed))
    n.add("own-ase-absorbed", ase[0])
    n.add("own-ase", _ratio(ase))
    return n


@lru_cache(maxsize=32)
def _absorbed(kind: str, name: str, pulses: tuple[float, ...], auger: tuple[float, ...]) -> Any:
    """Return thresholds of a preset at the default conditions, of shape pulses + τ_XX."""
    fixed, pulse = auger_maps.default_conditions(), np.array(pulses)[:, None]
    return auger_maps.threshold(fixed, kind, presets()[name], pulse, auger)


def _ratios(kind: str, name: str, lifetimes: Iterable[float]) -> FloatArray:
    """Return a preset's thresholds over those without Auger, of shape lasers + τ_XX."""
    found = _absorbed(kind, name, tuple(LASERS_PS.values()), (*lifetimes, np.inf))
    return np.asarray(found[:, :-1] / found[:, -1:])


def _of_kind(n: Numbers, run: Run, kind: str, title: str) -> None:
    dots, at, of = _real_dots(run), stored_numbers(stored("auger")["quoted"]), {"kind": title}
    n.add("{kind}-tenth", at[f"{kind}-tenth"], **of)
    n.add("{kind}-lag", at[f"{kind}-lag"] / auger_maps.LONG_PULSE_PS, **of)
    n.add("{kind}-law", at[f"{kind}-law"] / STATED_AUGER_PS, **of)
    read = {"": (" at 30 ps", STATED_AUGER_PS)}
    read |= {f"{_material(d).lower()}-": (f", {d}", dots[d]) for d in (*dots,)[:: len(dots) - 1]}
    ratios = _ratios(kind, _SUBJECT, [lifetime for _, lifetime in read.values()])
    for (key, (where, _)), both in zip(read.items(), ratios.T, strict=True):
        for (laser, words), value in zip(_LASERS.items(), both, strict=True):
            named = {"of": key, "where": where, "laser": laser, "pulse": words}
            n.add("{kind}-{of}{laser}", value, **named, **of)
    fixed, pulses = auger_maps.default_conditions(), np.array(list(LASERS_PS.values()))
    exponents = auger_maps.exponent(fixed, kind, presets()[_SUBJECT], pulses)
    for (laser, words), value in zip(_LASERS.items(), exponents, strict=True):
        n.add("{kind}-exponent-{laser}", value, laser=laser, pulse=words, **of)
    for laser, words in _LASERS.items():
        several = [row[f"{kind}-{laser}"] for row in _readings().values()]
        for end, value in (("least", min(several)), ("most", max(several))):
            n.add("{kind}-{laser}-{end}-reading", value, laser=laser, pulse=words, end=end, **of)


def _readings() -> dict[str, dict[str, float]]:
    """Return the stored ratios of every reading of the paper, by its name."""
    return {name: stored_numbers(row) for name, row in stored("auger")["readings"].items()}


class ReadingsTable(Table):
    """What Auger recombination does to the 3LS with ESA in each reading, at the paper's τ_XX."""

    def __init__(self) -> None:
        columns = ["exciton-best", *(f"{kind}-{key}" for kind in _KINDS for key in _LASERS)]
        header = [f"{title}, {words}" for title in _KINDS.values() for words in _LASERS.values()]
        rows = [
            # In the tails gain is next to nothing, of either sign.
            (name, *("none" if row[c] < 1e-3 else significant(row[c], 3) for c in columns))
            for name, row in _readings().items()
        ]
        super().__init__(("reading", "largest gain of X", *header), rows)


def _of_all_tables(n: Numbers, run: Run) -> None:
    dots, at = _real_dots(run), stored_numbers(stored("auger")["quoted"])
    worst = max(float(_ratios("se", name, [STATED_AUGER_PS])[0, 0]) for name in presets())
    n.add("se-fs-worst", worst)
    most = {name: float(cases(name, "ase").ratio[: _LONG + 1].max()) for name in presets()}
    for name, value in most.items():
        n.add("ase-most-{dot}", value, dot=name)
    n.add("ase-most-exciton", max(value for name, value in most.items() if name != _SUBJECT))
    n.add("present-fall", 100 * float(1 - cases(_SUBJECT, "present").ratio.min()))
    name = (*dots,)[-1]
    short, long = _absorbed("ase", _SUBJECT, (LASERS_PS["fs"], 1e4), (dots[name],))[:, 0]
    n.add("quasi-cw", long / short, dot=name)
    n.add("build-up-tenth", at["build-up-tenth"])
    n.add("build-up-double", at["build-up-double"])
    for name, lifetime in dots.items():
        of = name.lower().replace(",", "").replace("₃", "3")
        n.add("lifetime-{of}", lifetime, of=of, dot=name)


def _ratio(pair: FloatArray) -> float:
    """Return the threshold with Auger over that without; nan where there is none without."""
    with_auger, without = (float(value) for value in pair)
    return with_auger / without if 0 < without < np.inf else float("nan")
