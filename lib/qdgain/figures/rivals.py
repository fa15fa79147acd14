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
from qdgain.beyond import rivals
from qdgain.beyond.auger_maps import LASERS_PS
from qdgain.beyond.charged import charged_threshold
from qdgain.beyond.rivals import (
    CHARGED_PART,
    COLD_K,
    PAPER,
    QUANTITIES,
    ROOM_K,
    Assumed,
    Middle,
    Model,
    models,
    prediction,
)
from qdgain.beyond.rivals_record import (
    Observable,
    auger_statements,
    observables,
    pairs,
    reorganisation,
    widths,
)
from qdgain.beyond.rivals_scores import Cell, Experiment, cell, experiments, total
from qdgain.figures import auger, rivals_words, style
from qdgain.figures.kit import Figure, Numbers, band, level, line, mapped, panel, points, upright
from qdgain.figures.panel import Axis, Panel, Series
from qdgain.model import balance, units
from qdgain.model.dot import FloatArray
from qdgain.run import Run, resolve

SETTINGS = chapters.SETTINGS["rivals"]
verdict = rivals_words.verdict

_MODEL, _OBSERVED = Axis("model: column"), Axis("observable: row")
_MISFIT = Axis("misfit", "σ")
_PREDICTED = Axis("predicted, median")
_CHARGED = Axis("part of the dots with one electron")
_RATIO = Axis("threshold / neutral film's")
_TEMPERATURE, _OF_ROOM = Axis("temperature", "K"), Axis("threshold / that at 300 K")
_PULSE, _OF_SHORT = Axis("pulse length", "ps"), Axis("threshold / that of 0.1 ps")
_THRESHOLD, _GAIN = Axis("threshold ⟨N⟩"), Axis("largest gain")
_RATES, _BINDING = Axis("k_XX / k_X"), Axis("binding Δ_E", "meV")
_CROSS, _PUMP = Axis("absorption of X, cross-polarised"), Axis("3.1 eV / band edge")
_BITS, _PLACE = Axis("expected information", "bits"), Axis("place")
_WIDTH, _SHIFT = Axis("linewidth Γ", "meV"), Axis("Stokes shift", "meV")
#: Misfits from here on are drawn alike.
_TOP = 5.0
_FEW, _FEWEST = 24, 3
_PARTS = np.linspace(0.0, 1.0, 6)
_KELVIN = np.linspace(COLD_K, 400.0, 8)
_PULSES = np.geomspace(0.1, 1e4, 11)
#: Model to the colour and dash of its curves: one for each kind.
DRAWN = {
    "two-fold, S = 0": ("two-fold", ":"),
    "2 × 4, Poisson": ("degenerate", "-"),
    "replacing free": ("replacing", "--"),
    "additive tied": ("additive", "-."),
    "your dot": ("your dot", "-"),
}


def rivals_of(run: Run) -> tuple[Model, ...]:
    """Return the models of a run; the user's dot is the last, if there is one."""
    return models(Assumed.of(run.settings), None if run.is_papers else run.subject)


# --- the table


def table(run: Run) -> Panel:
    """Return what each model predicts for each observable, and its misfit in σ."""
    rows = [
        [cell(m, one, Assumed.of(run.settings)) for m in rivals_of(run)] for one in observables()
    ]
    x, y = np.arange(len(rows[0])), np.arange(len(rows))

    def of(what: Any) -> FloatArray:
        return np.array([[np.nan if c is None else what(c) for c in row] for row in rows])

    maps = [
        mapped("misfit", x, y, of(lambda c: c.misfit), _MISFIT),
        mapped("median", x, y, of(lambda c: c.predicted.median), _PREDICTED),
        mapped("lowest", x, y, of(lambda c: c.predicted.low), Axis("predicted, 16 %")),
        mapped("highest", x, y, of(lambda c: c.predicted.high), Axis("predicted, 84 %")),
        mapped("put in", x, y, of(lambda c: float(c.fitted)), Axis("put into the model")),
    ]
    return panel("", "models × observables", _MODEL, _OBSERVED, maps)


def _range(low: float, high: float, unit: str) -> str:
    """Return a range as text, one number where its ends agree as they are printed."""
    digits = [f"{x:.0f}" if unit == "meV" else f"{x:.2g}" for x in (low, high)]
    ends = [end.replace("-", "−") for end in digits]
    return ends[0].replace("−0", "0") if ends[0] == ends[1] else "\u2009…\u2009".join(ends)


def _draw_table(one: Panel) -> Picture:
    """Draw the table: cells coloured by misfit, empty where a model is silent, hollow if put in."""
    misfit, _, low, high, put_in = (series.values for series in one.series)
    figure = style.new_figure(9.2, 5.6)
    ax = figure.subplots()
    drawn = np.where(put_in == 1, np.nan, misfit)
    shown = ax.imshow(drawn, cmap=_MISFIT_MAP, vmin=0, vmax=_TOP, aspect="auto")
    for i, j in np.ndindex(*misfit.shape):
        text, unit = "–", observables()[i].unit
        if np.isfinite(misfit[i, j]):
            text = _range(float(low[i, j]), float(high[i, j]), unit)
        style.write_cell(ax, j, i, text, bool(drawn[i, j] > 0.6 * _TOP), fontsize=8)
        if put_in[i, j] == 1:
            frame: Any = {"fill": False, "edgecolor": "black", "linestyle": ":"}
            ax.add_patch(Rectangle((j - 0.46, i - 0.44), 0.92, 0.88, **frame))
    names = [m.name for m in models(Assumed())] + ["your dot"]
    columns = [
        "\n".join([*f"{name} ".split(" ", 1), _total_text(misfit[:, j], put_in[:, j])])
        if "," not in name
        else "\n".join([*name.split(", "), _total_text(misfit[:, j], put_in[:, j])])
        for j, name in enumerate(names[: misfit.shape[1]])
    ]
    rows = [f"{o.name}\n{o.quoted} ({o.seen})" for o in observables()]
    style.name_cells(ax, one, columns, rows, size=8)
    ax.set_title("")
    ax.xaxis.tick_top()
    ax.tick_params(length=0)
    for place, camp in ((1.5, "Standard Model"), (5.5, "readings of the paper, fitted")):
        ax.text(place, -1.75, camp, ha="center", fontsize=9, fontweight="bold")
    ax.axvline(3.5, color="white", linewidth=4)
    ax.spines[:].set_visible(False)
    figure.colorbar(shown, label="distance from the published value in σ", shrink=0.7, extend="max")
    return figure


#: White for agreement to dark red.
_MISFIT_MAP = "OrRd"


def _total_text(misfit: FloatArray, put_in: FloatArray) -> str:
    own = misfit[np.isfinite(misfit) & (put_in == 0)]
    return f"χ² {np.sum(own**2):.0f} / {own.size}"


# --- what no one has computed


def unmeasured(run: Run) -> tuple[Panel, ...]:
    """Return predictions where a measurement would help, with the public points there are."""
    assumed = Assumed.of(run.settings)
    own = [m for m in rivals_of(run) if m.name in DRAWN]
    charged = next(o for o in observables() if o.key == "partly-charged")
    cold = next(o for o in observables() if o.key == "cold")
    a = [s for m in own for s in _curve(m, _PARTS, _charged_curve(m))]
    b = [s for m in own for s in _curve(m, _KELVIN, _thermal_curve(m, assumed))]
    c = [s for m in own for s in _curve(m, _PULSES, _pulse_curve(m, assumed))]
    a.append(_public("Yu 2019", CHARGED_PART, charged))
    a.append(points("Wu 2017, upper bound", 1.0, 0.5, "measured", "v"))
    b.append(_public("dots in rods 2012", COLD_K, cold))
    d = [_cloud(m, "gain", "threshold", assumed) for m in own]
    d += [_pair(pair) for pair in pairs()]
    e = [_cloud(m, "rate-ratio", "binding", assumed) for m in own if not m.why_not("binding")]
    e += [
        level("Bonati 2005", 35.0, "measured", "--"),
        upright("Nair 2007, lower bound", 2.0, 0.0, 80.0, "measured"),
    ]
    f = [_cloud(m, "pump", "cross", assumed) for m in own if not m.why_not("cross")]
    return (
        panel("a", "charged dots", _CHARGED, _RATIO, a),
        panel("b", "temperature", _TEMPERATURE, _OF_ROOM, b),
        panel("c", "pulse length", _PULSE, _OF_SHORT, c),
        panel("d", "threshold and gain", _GAIN, _THRESHOLD, d),
        panel("e", "rates and binding", _RATES, _BINDING, e),
        panel("f", "polarisation and pump", _PUMP, _CROSS, f),
    )


def _some(model: Model, count: int = _FEW) -> Any:
    where = np.linspace(0, model.dot.shape[0] - 1, min(count, model.dot.shape[0])).astype(int)
    return model.dot.at(where), rivals.esa_left(model)[where]


@lru_cache(maxsize=32)
def _charged_curve(model: Model) -> FloatArray:
    dot, left = _some(model)
    found = np.array([charged_threshold(dot, float(part), left) for part in _PARTS])
    with np.errstate(invalid="ignore"):
        return np.asarray(found / found[0])


@lru_cache(maxsize=32)
def _thermal_curve(model: Model, assumed: Assumed) -> FloatArray:
    return np.array([rivals.thermal_ratio(model, assumed, float(kelvin)) for kelvin in _KELVIN])


@lru_cache(maxsize=32)
def _pulse_curve(model: Model, assumed: Assumed) -> FloatArray:
    some = rivals.some_of(model, _FEWEST)
    return np.array([rivals.pulse_ratio(d, _PULSES, assumed.auger_lifetime_ps) for d in some]).T


def _curve(model: Model, x: FloatArray, values: FloatArray) -> list[Series]:
    """Return a model's median, (X, M) → (X,), with its spread if it has any."""
    quantity, dash = DRAWN[model.name]
    low, median, high = np.array([Middle.of(row[np.isfinite(row)]) for row in values]).T[[1, 0, 2]]
    spread = band(f"{model.name}, spread", x, low, high, quantity, y=median)
    return [spread, line(model.name, x, median, quantity, dash)]


def _public(name: str, x: float, observable: Observable) -> Series:
    low, high = observable.value * np.exp(np.array([-1, 1]) * observable.error)
    return points(name, x, observable.value, "measured", "s", y_low=low, y_high=high)


def _cloud(model: Model, x: str, y: str, assumed: Assumed) -> Series:
    """Return the points of a model's set in a plane of two quantities."""
    both = [QUANTITIES[key].predict(model, assumed) for key in (x, y)]
    few = np.linspace(0, both[0].size - 1, min(both[0].size, 40)).astype(int)
    return points(model.name, both[0][few], both[1][few], DRAWN[model.name][0], ".")


def _pair(pair: Any) -> Series:
    low, high = pair.threshold
    ends: dict[str, Any] = {"y_low": low, "y_high": high}
    return points(pair.name, pair.gain, 0.5 * (low + high), "measured", "s", **ends)


def _finish_unmeasured(axes: list[Axes], _: object) -> None:
    axes[0].set_ylim(0.2, 1.3)
    axes[2].set(xscale="log", yscale="log")
    axes[2].minorticks_off()
    axes[3].set(
        xscale="log", xlim=(0.05, 1.5), xticks=[0.1, 0.3, 1], xticklabels=["0.1", "0.3", "1"]
    )
    axes[3].minorticks_off()
    known: dict[str, Any] = {}
    for ax in (axes[0], axes[1], axes[3], axes[4]):
        handles, labels = ax.get_legend_handles_labels()
        known = dict(zip(labels, handles, strict=True)) | known
    kept = {name: known[name] for name in known if not name.endswith("spread")}
    axes[0].figure.legend(
        [*kept.values()], [*kept], loc="outside lower center", ncols=4, fontsize=8
    )


# --- which experiment


def ranking(run: Run) -> Panel:
    """Return what each experiment would tell of which model holds, the most telling first."""
    found = ranked(run)
    place = np.arange(len(found))
    of = {True: "degenerate", False: "two-fold"}
    most = max(each.models for each in found)
    series = [
        points(QUANTITIES[e.key].measurement.name, i, e.bits, of[e.models == most], "s")
        for i, e in zip(place, found, strict=True)
    ]
    both = [(e.closest, e.farthest) for e in found]
    series.append(line("closest pair in σ", place, [a for a, _ in both], "reference", ":"))
    series.append(line("farthest pair in σ", place, [b for _, b in both], "reference", "--"))
    return panel("", "which experiment decides", _PLACE, _BITS, series)


def ranked(run: Run) -> tuple[Experiment, ...]:
    """Return the experiments between the three kinds of models, the most telling first."""
    chosen = [m for m in rivals_of(run) if m.name in rivals_words.CONTENDERS]
    return experiments(chosen, Assumed.of(run.settings), run["precision_factor"])


def _draw_ranking(one: Panel) -> Picture:
    """Draw sorted bars, each with its bits and its σ between the closest and farthest pair."""
    bars, (near, far) = one.series[:-2], (s.values for s in one.series[-2:])
    figure = style.new_figure(7.6, 4.2)
    ax = figure.subplots()
    for i, bar in enumerate(bars):
        ax.barh(i, bar.values[0], color=style.colour(bar.quantity))
        text = f" {bar.values[0]:.2f} bits; {near[i]:.1f} to {far[i]:.1f} σ"
        ax.text(bar.values[0], i, text, va="center", fontsize=8)
    ax.set_yticks(range(len(bars)), [style.typeset(bar.name) for bar in bars], fontsize=8)
    ax.invert_yaxis()
    ax.axvline(np.log2(len(rivals_words.CONTENDERS)), color="black", linewidth=0.8, linestyle=":")
    ax.set(xlim=(0, 2.3), xlabel=_BITS.label)
    return figure


# --- Auger recombination


def auger_map(run: Run) -> Panel:
    """Return the map of the ASE threshold with the lasers and dots of the public record."""
    of_auger = resolve(auger.SETTINGS, {"auger_lifetime_ps": run["auger_lifetime_ps"]})
    one = auger.maps(of_auger)[1]
    ends = np.asarray(one["ratio"].y)[[0, -1]]
    lasers = {"100 fs laser": LASERS_PS["fs"], "5 ns laser": LASERS_PS["ns"]}
    lasers |= {
        f"{s.source}: {s.pulse_text}": s.pulse_ps for s in auger_statements() if s.pulse_text
    }
    own = [upright(name, x, *ends, behind=True) for name, x in lasers.items()]
    across = np.asarray(one["ratio"].x)[[0, -1]]
    for s in auger_statements():
        if s.lifetime_text:
            name = f"{s.source}: {s.lifetime_text}"
            own.append(line(name, across, [s.lifetime_ps] * 2, "reference", ":", behind=True))
    return panel("", "ASE threshold / without Auger", *(_AUGER_AXES), [*one.series, *own])


_HALO = [patheffects.withStroke(linewidth=2.5, foreground="white")]
_AUGER_AXES = (Axis("pulse length", "ps"), Axis("biexciton Auger lifetime τ_XX", "ps"))


def _draw_auger(one: Panel) -> Picture:
    """Draw the map large, lasers upright and dots across."""
    figure = style.new_figure(7.6, 5.4)
    ax = figure.subplots()
    filled = auger.draw_ratio(ax, one["ratio"])
    auger.draw_dots(ax, one, named=True)
    for series in one.of_kind("line"):
        if not series.behind:
            continue
        x, y = np.asarray(series.x), np.asarray(series.y)
        ax.plot(x, y, color="black", linestyle="--", linewidth=1.0)
        is_laser, first = x[0] == x[1], float(x[0])
        place = (first * 1.05, 1.15) if is_laser else (0.2, float(y[0]) / 1.3)
        how: dict[str, Any] = {"rotation": 90 if is_laser else 0, "path_effects": _HALO}
        ax.text(*place, series.name, fontsize=8, ha="left", va="bottom", **how)
    ax.set_ylabel(style.typeset(_AUGER_AXES[1].label))
    bar = figure.colorbar(filled, ax=ax, label=one.title, pad=0.01)
    bar.set_ticks([1.1, 2, 10, 100], labels=["1.1", "2", "10", "100"])
    return figure


# --- widths


def linewidths(run: Run) -> tuple[Panel, Panel]:
    """Return linewidths against temperature, and which Stokes shifts go with those of 300 K."""
    kelvin, phonon = np.linspace(20.0, 400.0, 77), run["phonon_energy_meV"]
    shift = reorganisation()
    ends = [shift.low_meV, shift.high_meV]
    curves = np.array([_width_of(s, kelvin, phonon) for s in ends])
    a = [band("one phonon, 2λ of 10 to 23 meV", kelvin, curves[0], curves[1], "degenerate")]
    for i, (one, quantity) in enumerate(zip(widths(), ("measured", "3LS", "CsPbBr3"), strict=True)):
        mean = 0.5 * (one.low_meV + one.high_meV)
        span: dict[str, Any] = {"y_low": one.low_meV, "y_high": one.high_meV}
        a.append(points(one.name, one.temperature_K + 8.0 * (i - 1), mean, quantity, "s", **span))
    return panel("a", "width", _TEMPERATURE, _WIDTH, a), panel(
        "b", "Stokes shift", _PLACE, _SHIFT, _shifts(run)
    )


def _width_of(shift_meV: float, kelvin: FloatArray, phonon_meV: float) -> FloatArray:
    r"""Return Γ of a linear coupling to one phonon: :math:`s^2 = \tfrac12 S\hbar\omega\coth`."""
    coth = 1 / np.tanh(phonon_meV / (2 * units.thermal_energy_meV(kelvin)))
    return units.fwhm_from_sigma(np.sqrt(0.5 * shift_meV * phonon_meV * coth))


def stokes_ranges(run: Run) -> dict[str, tuple[float, float]]:
    """Return the Stokes shifts that widths at 300 K allow, and those of the readings, in meV."""
    found = {}
    for one in widths():
        ends = balance.balanced_stokes_shift_meV([one.low_meV, one.high_meV], ROOM_K)
        found[f"in balance, {one.name}"] = float(ends[0]), float(ends[1])
    found[reorganisation().name] = reorganisation().low_meV, reorganisation().high_meV
    for model in rivals_of(run):
        if model.camp == PAPER:
            middle = Middle.of(np.broadcast_to(model.dot.stokes_shift_meV, model.dot.shape))
            found[f"3LS, {model.name}"] = middle.low, middle.high
            middle = Middle.of(np.asarray(rivals.four_level_shift_meV(model.name)))
            found[f"4LS, {model.name}"] = middle.low, middle.high
    return found


def _shifts(run: Run) -> list[Series]:
    series = []
    for i, (name, (low, high)) in enumerate(stokes_ranges(run).items()):
        quantity = "measured" if name.startswith("in balance") else name[:3]
        quantity = quantity if quantity in ("measured", "3LS", "4LS") else "degenerate"
        ends: dict[str, Any] = {"y_low": low, "y_high": high}
        series.append(points(name, i, 0.5 * (low + high), quantity, "s", **ends))
    return series


def _draw_widths(panels: tuple[Panel, Panel]) -> Picture:
    """Draw widths against temperature, and ranges of Stokes shifts as bars."""
    figure = style.new_figure(9.0, 4.2)
    left, right = figure.subplots(1, 2, width_ratios=(1.1, 1))
    style.draw_panel(left, panels[0], legend="upper left")
    left.set_ylim(0, 140)
    for i, one in enumerate(panels[1].series):
        low, high = (float(np.ravel(end)[0]) for end in (one.y_low, one.y_high) if end is not None)
        right.barh(i, max(high - low, 0.5), left=low, color=style.colour(one.quantity))
        right.text(high + 1.5, i, f"{low:.0f} … {high:.0f}", va="center", fontsize=8)
    right.set_yticks(range(len(panels[1].series)), [s.name for s in panels[1].series], fontsize=8)
    right.invert_yaxis()
    right.set(xlabel=_SHIFT.label, xlim=(0, 105), title=panels[1].title)
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
    n, assumed = Numbers("rivals"), Assumed.of(run.settings)
    own = rivals_of(run)
    for model in own:
        _of_model(n, model, assumed)
    rivals_words.add_decisions(n, own, assumed)
    for each in ranked(run):
        name = QUANTITIES[each.key].measurement.name
        n.add(f"bits-{each.key}", f"would tell of which model holds: {name}", each.bits, "bits")
        n.add(f"apart-{each.key}", f"closest pair of models, {name}", each.closest, "σ")
    for name, (low, high) in stokes_ranges(run).items():
        if name.startswith(("in balance, single", "2λ")):
            key = "single" if "single" in name else "calculated"
            n.add(f"shift-{key}-low", f"Stokes shift, {name}, low", low, "meV")
            n.add(f"shift-{key}-high", f"Stokes shift, {name}, high", high, "meV")
    rivals_words.add_cross_sections(n)
    return n


def _of_model(n: Numbers, model: Model, assumed: Assumed) -> None:
    key = model.key
    found = total(model, assumed)
    n.add(f"chi-{key}", f"sum of squared misfits, {model.name}", found.chi_squared)
    n.add(f"count-{key}", f"observables it was not fitted to, {model.name}", found.observables)
    n.add(f"parameters-{key}", f"fitted parameters, {model.name}", found.parameters)
    for one in observables():
        values: Cell | None = cell(model, one, assumed)
        if values is not None:
            n.add(
                f"{one.key}-{key}", f"{one.name}, {model.name}", values.predicted.median, one.unit
            )
            n.add(f"off-{one.key}-{key}", f"misfit, {one.name}, {model.name}", values.misfit, "σ")
    pulse = prediction(model, "pulse", assumed)
    if pulse is not None:
        ratio = f"threshold of 5 ns over 0.1 ps pulses, {model.name}"
        n.add(f"pulse-{key}", ratio, float(np.median(pulse)))
