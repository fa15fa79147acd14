"""Rivals: models of both camps on everything public that could tell them apart."""

from __future__ import annotations

from functools import lru_cache
from typing import Any

import numpy as np
from matplotlib import patheffects
from matplotlib.axes import Axes
from matplotlib.figure import Figure as Picture
from matplotlib.patches import Rectangle

from qdgain import chapters
from qdgain.beyond import rivals, rivals_record
from qdgain.beyond.auger_maps import LASERS_PS
from qdgain.beyond.rivals import ROOM_K, Assumed, Middle, Model, models, prediction
from qdgain.beyond.rivals_record import CALCULATED, MEASUREMENTS, OBSERVABLES, WIDTHS, Observable
from qdgain.beyond.rivals_scores import Experiment, cell, experiments, total
from qdgain.calibration.record import columns
from qdgain.figures import auger, rivals_words, style
from qdgain.figures.kit import Figure, Numbers, band, level, line, mapped, panel, points, upright
from qdgain.figures.panel import Axis, Panel, Series
from qdgain.model import balance, units
from qdgain.model.dot import FloatArray
from qdgain.run import Run, resolve

SETTINGS = chapters.SETTINGS["rivals"]
verdict = rivals_words.verdict

_MODEL, _OBSERVED = Axis("model: column"), Axis("observable: row")
#: The maps of the table: name and axis of each, and what it takes of a cell.
_MAPS: dict[str, tuple[Axis, Any]] = {
    "misfit": (Axis("misfit", "σ"), lambda c: c.misfit),
    "lowest": (Axis("predicted, 16 %"), lambda c: c.predicted.low),
    "highest": (Axis("predicted, 84 %"), lambda c: c.predicted.high),
    "put in": (Axis("put into the model"), lambda c: float(c.fitted)),
}
_CHARGED, _RATIO = Axis("part of the dots with one electron"), Axis("threshold / neutral film's")
_TEMPERATURE, _OF_ROOM = Axis("temperature", "K"), Axis("threshold / that at 300 K")
_OF_SHORT = Axis("threshold / that of 0.1 ps")
_BITS, _PLACE = Axis("expected information", "bits"), Axis("measurement")
_WIDTH, _SHIFT = Axis("linewidth Γ", "meV"), Axis("Stokes shift", "meV")
_SOURCE = Axis("source")
#: Misfits from here on are drawn alike, from white for agreement to dark red.
_TOP, _COLOURS = 5.0, "OrRd"
#: How many dots of a set stand for it in a curve, in a slow one, and in a plane.
_FEW, _FEWEST, _SHOWN = 24, 3, 40
_PARTS, _KELVIN = np.linspace(0.0, 1.0, 6), np.linspace(rivals.COLD_K, 400.0, 8)
_PULSES = np.geomspace(0.1, 1e4, 11)
#: Model to the colour and dash of its curves: one for each kind.
_DRAWN = {
    "two-fold": ("two-fold", ":"),
    "degenerate": ("degenerate", "-"),
    "replacing-free": ("replacing", "--"),
    "additive-tied": ("additive", "-."),
    "yours": ("your dot", "-"),
}


def rivals_of(run: Run) -> tuple[Model, ...]:
    """Return the models of a run; the user's dot is the last, if there is one."""
    return models(Assumed.of(run.settings), None if run.is_papers else run.subject)


# --- the table


def table(run: Run) -> Panel:
    """Return what each model predicts for each observable, and its misfit in σ."""
    assumed, own = Assumed.of(run.settings), rivals_of(run)
    rows = [[cell(model, one, assumed) for model in own] for one in OBSERVABLES]
    maps = []
    for name, (axis, of) in _MAPS.items():
        values = np.array([[np.nan if c is None else of(c) for c in row] for row in rows])
        maps.append(mapped(name, np.arange(len(own)), np.arange(len(rows)), values, axis))
    return panel("", "models × observables", _MODEL, _OBSERVED, maps)


def _range(low: float, high: float, unit: str) -> str:
    """Return a range as text, one number where its ends agree as they are printed."""
    ends = [(f"{x:.0f}" if unit == "meV" else f"{x:.2g}") for x in (low, high)]
    ends = [end.removeprefix("-") if float(end) == 0 else end.replace("-", "−") for end in ends]
    return ends[0] if ends[0] == ends[1] else "\u2009…\u2009".join(ends)


def _draw_table(one: Panel) -> Picture:
    """Draw the table: cells coloured by misfit, empty where a model is silent, hollow if put in."""
    misfit, low, high, put_in = (series.values for series in one.series)
    figure = style.new_figure(9.0, 5.6)
    ax, drawn = figure.subplots(), np.where(put_in == 1, np.nan, misfit)
    shown = ax.imshow(drawn, cmap=_COLOURS, vmin=0, vmax=_TOP, aspect="auto")
    for i, j in np.ndindex(*misfit.shape):
        known = np.isfinite(misfit[i, j])
        text = _range(low[i, j], high[i, j], OBSERVABLES[i].unit) if known else "–"  # type: ignore[arg-type]
        style.write_cell(ax, j, i, text, bool(drawn[i, j] > 0.6 * _TOP), fontsize=7.5)
        if put_in[i, j] == 1:
            frame: Any = {"fill": False, "edgecolor": "black", "linestyle": ":"}
            ax.add_patch(Rectangle((j - 0.46, i - 0.44), 0.92, 0.88, **frame))
    names = [*(model.name for model in models(Assumed())), "your dot"]
    columns = []
    for j, name in enumerate(names[: misfit.shape[1]]):
        own = drawn[np.isfinite(drawn[:, j]), j]
        two = name.split(", ") if ", " in name else name.rsplit(" ", 1)
        columns.append("\n".join([*two, f"χ² {np.sum(own**2):.0f} / {own.size}"]))
    style.name_cells(ax, one, columns, [f"{o.name}\n{o.quoted} ({o.seen})" for o in OBSERVABLES], 8)
    ax.set_title("")
    ax.xaxis.tick_top()
    ax.tick_params(length=0)
    standard = sum(model.camp == rivals.STANDARD for model in models(Assumed()))
    fitted = len(models(Assumed())) - standard
    camps = {"Standard Model": (standard - 1) / 2, "readings, fitted": standard + (fitted - 1) / 2}
    for camp, place in camps.items():
        ax.text(place, -1.75, camp, ha="center", fontsize=9, fontweight="bold")
    ax.axvline(standard - 0.5, color="white", linewidth=4)
    ax.spines[:].set_visible(False)
    figure.colorbar(shown, label=_MAPS["misfit"][0].label, shrink=0.7, extend="max")
    return figure


# --- what no one has computed


def unmeasured(run: Run) -> tuple[Panel, ...]:
    """Return predictions where a measurement would help, with the public points there are."""
    assumed, by = Assumed.of(run.settings), {o.key: o for o in OBSERVABLES}
    own = [model for model in rivals_of(run) if model.key in _DRAWN]
    bonati, nair, wu = (by[key].value for key in ("binding", "rate-ratio", "charged"))
    public = {
        "a": [
            _public("Yu 2019", rivals.CHARGED_PART, by["partly-charged"]),
            points("Wu 2017, upper bound", 1.0, wu, "measured", "v"),
        ],
        "b": [_public("dots in rods, 2012", rivals.COLD_K, by["cold"])],
        "d": [_interval(p.name, p.gain, *p.threshold, "measured") for p in rivals_record.PAIRS],
        "e": [
            level("Bonati 2005", bonati, "measured", "--"),
            upright("Nair 2007, lower bound", nair, 0.0, 80.0, "measured"),
        ],
    }
    curves = {
        "a": ("charged dots", _CHARGED, _RATIO, _PARTS),
        "b": ("temperature", _TEMPERATURE, _OF_ROOM, _KELVIN),
        "c": ("pulse length", auger.PULSE, _OF_SHORT, _PULSES),
    }
    planes = {
        "d": ("threshold and gain", "gain", "threshold"),
        "e": ("rates and binding", "rate-ratio", "binding"),
        "f": ("polarisation and pump", "pump", "cross"),
    }
    found = []
    for letter, (title, x, y, at) in curves.items():
        series = [s for m in own for s in _curve(m, at, _values(letter, m, assumed))]
        found.append(panel(letter, title, x, y, series + public.get(letter, [])))
    for letter, (title, x_key, y_key) in planes.items():
        said = [m for m in own if not m.why_not(x_key) and not m.why_not(y_key)]
        clouds = [_cloud(m, x_key, y_key, assumed) for m in said] + public.get(letter, [])
        x, y = (Axis(MEASUREMENTS[key].name, MEASUREMENTS[key].unit) for key in (x_key, y_key))
        found.append(panel(letter, title, x, y, clouds))
    return tuple(found)


@lru_cache(maxsize=64)
def _values(letter: str, model: Model, assumed: Assumed) -> FloatArray:
    """Return what a model predicts along the axis of a panel, (X, M)."""
    if letter == "a":
        some = model.some(_FEW)
        return np.array([rivals.charged_ratio(model, float(part), some) for part in _PARTS])
    if letter == "b":
        return np.array([rivals.thermal_ratio(model, assumed, float(T)) for T in _KELVIN])
    some, lifetime = model.some(_FEWEST), assumed.auger_lifetime_ps
    return np.array([rivals.pulse_ratio(model.dot.at(i), _PULSES, lifetime) for i in some]).T


def _curve(model: Model, x: FloatArray, values: FloatArray) -> list[Series]:
    """Return the median of a model's predictions, (X, M) → (X,), and their spread."""
    quantity, dash = _DRAWN[model.key]
    low, median, high = np.array([Middle.of(row[np.isfinite(row)]) for row in values]).T
    spread = band(f"{model.name}, spread", x, low, high, quantity, y=median)
    return [spread, line(model.name, x, median, quantity, dash)]


def _public(name: str, x: float, one: Observable) -> Series:
    low, high = one.value * np.exp(np.array([-1, 1]) * one.error)
    return points(name, x, one.value, "measured", "s", y_low=low, y_high=high)


def _cloud(model: Model, x: str, y: str, assumed: Assumed) -> Series:
    """Return points of a model's set in a plane of two quantities."""
    across, up = (rivals.PREDICT[key](model, assumed)[model.some(_SHOWN)] for key in (x, y))
    return points(model.name, across, up, _DRAWN[model.key][0], ".")


def _finish_unmeasured(axes: list[Axes], _: object) -> None:
    axes[0].set_ylim(0.2, 1.3)
    axes[2].set(xscale="log", yscale="log")
    ticks: Any = {"xticks": [0.1, 0.3, 1], "xticklabels": ["0.1", "0.3", "1"]}
    axes[3].set(xscale="log", xlim=(0.05, 1.5), **ticks)
    for ax in axes[2:4]:
        ax.minorticks_off()
    style.legend_below(*axes[::-1], without="spread$", ncols=4, fontsize=8)


# --- which experiment


def ranked(run: Run) -> tuple[Experiment, ...]:
    """Return the experiments between the three kinds of models, the most telling first."""
    chosen = [model for model in rivals_of(run) if model.key in rivals_words.CONTENDERS]
    return experiments(chosen, Assumed.of(run.settings), run["precision_factor"])


def ranking(run: Run) -> Panel:
    """Return what each experiment would tell of which model holds, the most telling first."""
    found = ranked(run)
    place, most = np.arange(len(found)), len(rivals_words.CONTENDERS)
    series = []
    for i, each in enumerate(found):
        quantity = "degenerate" if each.models == most else "two-fold"
        series.append(points(MEASUREMENTS[each.key].name, i, each.bits, quantity, "s"))
    for name, own in (
        ("closest pair in σ", [e.closest for e in found]),
        ("farthest pair in σ", [e.farthest for e in found]),
    ):
        series.append(line(name, place, own, "reference", ":"))
    return panel("", "which experiment decides", _PLACE, _BITS, series)


def _draw_ranking(one: Panel) -> Picture:
    """Draw sorted bars, each with its bits and its σ between the closest and farthest pair."""
    bars, (near, far) = one.series[:-2], (s.values for s in one.series[-2:])
    figure = style.new_figure(7.6, 4.2)
    ax = figure.subplots()
    for i, bar in enumerate(bars):
        bits = float(bar.values[0])
        ax.barh(i, bits, color=style.colour(bar.quantity))
        text = f" {bits:.2f} bits; {_range(near[i], far[i], '1')} σ"
        ax.text(bits, i, text, va="center", fontsize=8)
    ax.set_yticks(range(len(bars)), [style.typeset(bar.name) for bar in bars])
    ax.invert_yaxis()
    ax.axvline(np.log2(len(rivals_words.CONTENDERS)), color="black", linewidth=0.8, linestyle=":")
    ax.set(xlim=(0, 2.3), xlabel=_BITS.label, ylabel=_PLACE.label)
    return figure


# --- Auger recombination


def auger_map(run: Run) -> Panel:
    """Return the map of the ASE threshold with the lasers and dots of the public record."""
    own = {"auger_lifetime_ps": run["auger_lifetime_ps"]}
    one = auger.maps(resolve(auger.SETTINGS, own))[1]
    across, up = (np.asarray(end)[[0, -1]] for end in (one["ratio"].x, one["ratio"].y))
    lasers = zip(("100 fs laser", "5 ns laser"), LASERS_PS.values(), strict=True)
    marks = [upright(name, ps, *up, behind=True) for name, ps in lasers]
    for said in rivals_record.AUGER:
        if said.pulse_text:
            name = f"{said.source}: {said.pulse_text}"
            marks.append(upright(name, said.pulse_ps, *up, behind=True))
        if said.lifetime_text:
            name = f"{said.source}: {said.lifetime_text}"
            marks.append(line(name, across, [said.lifetime_ps] * 2, "reference", ":", behind=True))
    axes = auger.PULSE, auger.LIFETIME
    return panel("", "ASE threshold / without Auger", *axes, [*one.series, *marks])


def _draw_auger(one: Panel) -> Picture:
    """Draw the map large, lasers upright and dots across."""
    figure = style.new_figure(7.6, 5.4)
    ax = figure.subplots()
    filled = auger.draw_ratio(ax, one["ratio"])
    auger.draw_dots(ax, one, named=True)
    halo = [patheffects.withStroke(linewidth=2.5, foreground="white")]
    for mark in (series for series in one.of_kind("line") if series.behind):
        (x, other), (y, _) = np.asarray(mark.x), np.asarray(mark.y)
        ax.plot([x, other], mark.y, color="black", linestyle="--", linewidth=1.0)
        how: Any = {"rotation": 90 if x == other else 0, "path_effects": halo, "fontsize": 8}
        left, bottom = (1.05 * x, 1.15) if x == other else (0.2, y / 1.35)
        ax.text(left, bottom, mark.name, ha="left", va="bottom", **how)
    ax.set_ylabel(style.typeset(auger.LIFETIME.label))
    bar = figure.colorbar(filled, ax=ax, label="threshold / threshold without Auger", pad=0.01)
    bar.set_ticks([1.1, 2, 10, 100], labels=["1.1", "2", "10", "100"])
    return figure


# --- widths


def linewidths(run: Run) -> tuple[Panel, Panel]:
    """Return linewidths against temperature, and which Stokes shifts go with those of 300 K."""
    kelvin, phonon, shift = np.linspace(20.0, 400.0, 77), run["phonon_energy_meV"], CALCULATED
    low, high = (_width_of(end, kelvin, phonon) for end in (shift.low_meV, shift.high_meV))
    a = [band("one phonon, 2λ of 10 to 23 meV", kelvin, low, high, "degenerate")]
    for i, (one, quantity) in enumerate(zip(WIDTHS, ("measured", "3LS", "CsPbBr3"), strict=True)):
        a.append(_interval(one.name, ROOM_K + 8.0 * (i - 1), one.low_meV, one.high_meV, quantity))
    b = []
    for i, (name, (low_meV, high_meV)) in enumerate(stokes_ranges(run).items()):
        quantity = "measured" if name.startswith("in balance") else name[:3]
        quantity = "degenerate" if name.startswith("2λ") else quantity
        b.append(_interval(name, i, low_meV, high_meV, quantity))
    return panel("a", "width", _TEMPERATURE, _WIDTH, a), panel("b", "shift", _SOURCE, _SHIFT, b)


def _interval(name: str, x: float, low: float, high: float, quantity: str) -> Series:
    return points(name, x, 0.5 * (low + high), quantity, "s", y_low=low, y_high=high)


def _width_of(shift_meV: float, kelvin: FloatArray, phonon_meV: float) -> FloatArray:
    r"""Return Γ of a linear coupling to one phonon: :math:`s^2 = \tfrac12 S\hbar\omega\coth`."""
    coth = 1 / np.tanh(phonon_meV / (2 * units.thermal_energy_meV(kelvin)))
    return units.fwhm_from_sigma(np.sqrt(0.5 * shift_meV * phonon_meV * coth))


def stokes_ranges(run: Run) -> dict[str, tuple[float, float]]:
    """Return the Stokes shifts that widths at 300 K allow, and those of the readings, in meV."""
    found, kelvin = {}, run["temperature_K"]
    for one in WIDTHS:
        ends = balance.balanced_stokes_shift_meV([one.low_meV, one.high_meV], kelvin)
        found[f"in balance, {one.name}"] = float(ends[0]), float(ends[1])
    found[CALCULATED.name] = CALCULATED.low_meV, CALCULATED.high_meV
    for model in rivals_of(run):
        for scheme in ("3LS", "4LS") if model.camp == rivals.PAPER else ():
            middle = Middle.of(columns(model.name)[f"stokes_{scheme.lower()}"])
            found[f"{scheme}, {model.name}"] = middle.low, middle.high
    return found


def _draw_widths(panels: tuple[Panel, Panel]) -> Picture:
    """Draw widths against temperature, and ranges of Stokes shifts as bars."""
    figure, bars = style.new_figure(9.0, 4.2), panels[1].series
    left, right = figure.subplots(1, 2, width_ratios=(1.1, 1))
    style.draw_panel(left, panels[0], legend="upper left")
    left.set_ylim(0, 140)
    for i, one in enumerate(bars):
        low, high = (float(np.ravel(np.asarray(end))[0]) for end in (one.y_low, one.y_high))
        right.barh(i, max(high - low, 0.5), left=low, color=style.colour(one.quantity))
        right.text(high + 1.5, i, _range(low, high, "meV"), va="center", fontsize=8)
    right.set_yticks(range(len(bars)), [one.name for one in bars])
    right.invert_yaxis()
    right.set(xlabel=_SHIFT.label, xlim=(0, 105))
    style.letter(right, "b")
    return figure


FIGURES = {
    "table": Figure(table, _draw_table),
    "unmeasured": Figure(
        unmeasured, size=(9.0, 6.2), columns=3, legend=None, finish=_finish_unmeasured
    ),
    "ranking": Figure(ranking, _draw_ranking),
    "auger_map": Figure(auger_map, _draw_auger),
    "linewidths": Figure(linewidths, _draw_widths),
}


# --- numbers


def headlines(run: Run) -> Numbers:
    """Return the chapter's numbers."""
    n, assumed = Numbers("rivals", run), Assumed.of(run.settings)
    for model in rivals_of(run):
        misfit, _ = total(model, assumed)
        n.add("chi-{key}", misfit, key=model.key, model=model.name)
        for one in OBSERVABLES:
            found = cell(model, one, assumed)
            if found is not None:
                of = {"key": f"{one.key}-{model.key}", "model": model.name, "observable": one.name}
                n.add("{key}", found.predicted.median, unit=one.unit, **of)
                n.add("off-{key}", found.misfit, **of)
        pulse = prediction(model, "pulse", assumed)
        if pulse is not None:
            n.add("pulse-{key}", np.median(pulse), key=model.key, model=model.name)
    rivals_words.add_decisions(n, assumed)
    low, high = stokes_ranges(run)["in balance, single dots"]
    n.add("shift-single-dots-low", low)
    n.add("shift-single-dots-high", high)
    return n
