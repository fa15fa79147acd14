"""What the paper's numbers pin down, what hangs on what, and which measurement would tell most."""

from __future__ import annotations

import html
from collections.abc import Mapping, Sequence
from functools import cache
from typing import Any, NamedTuple

import numpy as np
from matplotlib.axes import Axes
from matplotlib.axis import Axis as DrawnAxis
from matplotlib.figure import Figure as Picture
from matplotlib.ticker import LogLocator, MaxNLocator, NullFormatter, StrMethodFormatter

from qdgain import chapters
from qdgain.beyond.information import (
    DEFAULT,
    POSTERIORS,
    RIVALS,
    SCHEMES,
    VARIED_BY,
    stored_indices,
)
from qdgain.beyond.measurements import (
    KEYS,
    MEASUREMENTS,
    PROBABILITIES,
    Measurement,
    expected_log_bayes_factor,
    normal_bits,
    parameter_bits,
    reading_bits,
)
from qdgain.beyond.sensitivity import (
    ENERGIES,
    INPUTS,
    OUTPUTS,
    POSITIVE,
    elasticities,
    inputs_of,
    strips,
)
from qdgain.calibration.objective import Variant, values, width_meV
from qdgain.figures import kit, style
from qdgain.figures.calibrated import _SYMBOLS as SYMBOLS
from qdgain.figures.panel import Axis, Panel, Series
from qdgain.model.dot import FloatArray
from qdgain.paper.claims import Headline
from qdgain.run import YOUR_DOT, Run
from qdgain.stored import stored
from qdgain.table import Table
from qdgain.text import significant

SETTINGS = chapters.SETTINGS["information"]

_CHAPTER = "information"
_DENSITY = Axis("density / prior's")
_INPUT, _OUTPUT = Axis("parameter: column"), Axis("number: row")
_TOTAL, _FIRST = Axis("total Sobol index"), Axis("first-order Sobol index")
_ELASTICITY = Axis("elasticity ∂ln y/∂ln x")
_CHANGE = Axis("change", "%")
_MEASURED, _ABOUT = Axis("measurement: row"), Axis("tells of: column")
_BITS = Axis("expected information", "bits")
_FACTOR = Axis("precision / the assumed one")

_SHOWN = {"main": "-", "conditions": "--", "loose": "-."}
_PAIRS = (
    ("gain_exponent", "pi_pulse_fluence_mJ_cm2"),
    ("absorptive_3ls", "xx_absorption_strength"),
)
_INPUT_SYMBOLS = ("S", "Δ_A2", "Δ_E", "a", "γ", "Γ", "L_g", "J_π", "ε")
_INPUT_KEYS = ("s", "a2", "e", "a", "gamma", "width", "length", "pi", "floor")
_COLUMN_KEYS = ("tells", "statistics", "definition", "coupling")
#: The first of the inputs that ⟨N⟩ does not know.
_OF_FILM = 6
#: The measurement that the prose proposes.
PROPOSED = "onset-energy"
_RANGES = {"around": f"± {100 * VARIED_BY:.0f} %", "posterior": "the posterior's range"}
_TITLES = {"3ls": "3LS", "4ls": "4LS"}
_COLUMNS = ("parameters", "statistics", "definition", "coupling")
_FACTORS = np.geomspace(0.1, 10.0, 17)
_TOP = 5
_DASHES = ("-", "--", "-.", ":", "-")
_RANK_COLOURS = ("best", "second", "third", "fourth", "fifth")


@cache
def _result() -> Mapping[str, Any]:
    return stored(_CHAPTER)


def _in_units(name: str, coordinate: Any) -> FloatArray:
    """Return values of a parameter's coordinate: meV, or the logarithm undone."""
    x = np.asarray(coordinate, dtype=float)
    return width_meV() * x if SYMBOLS[name].unit == "meV" else np.exp(x)


# --- posterior


def posterior(run: Run) -> tuple[Panel, ...]:
    """Return the marginals of every parameter over the prior's, and two pairs of parameters."""
    posteriors = _result()["posteriors"]
    panels = []
    for i, name in enumerate(DEFAULT.names):
        low, high = (float(ends[i]) for ends in DEFAULT.bounds)
        axis = SYMBOLS[name]
        bins = len(posteriors["main"]["density"][name])
        edges = np.linspace(low, high, bins + 1)
        series = [
            Series(
                "prior",
                _in_units(name, [low, high]),
                [1.0, 1.0],
                axis,
                _DENSITY,
                quantity="prior",
                dash=":",
            )
        ]
        series += [
            Series(
                POSTERIORS[key],
                _in_units(name, _coarser(0.5 * (edges[1:] + edges[:-1]), key)),
                _coarser(np.array(posteriors[key]["density"][name]), key),
                axis,
                _DENSITY,
                quantity=f"posterior, {key}",
                dash=dash,
            )
            for key, dash in _SHOWN.items()
        ]
        bits = significant(posteriors["main"]["bits"][name], 2)
        panels.append(Panel("abcdefghij"[i], f"{bits} bits", tuple(series)))
    return (*panels, *_pairs(run))


def _coarser(values_of_bins: FloatArray, key: str) -> FloatArray:
    """Return wider bins where few points would make narrow ones noisy."""
    wide = 2 if key == "conditions" else 1
    return np.asarray(values_of_bins.reshape(-1, wide).mean(axis=1))


def _pairs(run: Run) -> list[Panel]:
    points = values(DEFAULT.full(np.array(_result()["points"]["free"])))
    own = {
        "gain_exponent": run["gain_exponent"],
        "pi_pulse_fluence_mJ_cm2": run["pi_pulse_fluence_mJ_cm2"],
        "absorptive_3ls": run.subject.absorptive_binding_meV,
        "xx_absorption_strength": run.subject.xx_absorption_strength,
    }
    name = "preset" if run.is_papers else YOUR_DOT
    panels = []
    for letter, pair in zip("kl", _PAIRS, strict=True):
        across, up = (SYMBOLS[which] for which in pair)
        x, y = (
            points[:, DEFAULT.names.index(which)]
            * (width_meV() if SYMBOLS[which].unit == "meV" else 1.0)
            for which in pair
        )
        at = [float(np.asarray(own[which])) for which in pair]
        panels.append(
            Panel(
                letter,
                "points of the posterior",
                (
                    Series(
                        "points",
                        x,
                        y,
                        across,
                        up,
                        quantity="posterior, main",
                        kind="points",
                        dash=".",
                    ),
                    Series(
                        name,
                        at[:1],
                        at[1:],
                        across,
                        up,
                        quantity="your dot",
                        kind="points",
                        dash="X",
                    ),
                ),
            )
        )
    return panels


def draw_posterior(panels: Sequence[Panel]) -> Picture:
    """Draw the marginals and the pairs."""
    with style.book_style():
        figure = style.new_figure(7.6, 6.4)
        axes = figure.subplots(3, 4)
        for ax, panel in zip(axes.flat, panels, strict=True):
            _draw_marginal(ax, panel)
        handles, labels = axes[0, 0].get_legend_handles_labels()
        for ax in axes[2, 2:]:
            for handle, label in zip(*ax.get_legend_handles_labels(), strict=True):
                if label not in labels:
                    handles.append(handle)
                    labels.append(label)
        figure.legend(handles, labels, loc="outside lower center", ncols=len(labels), fontsize=7)
    return figure


def _draw_marginal(ax: Axes, panel: Panel) -> None:
    style.draw_panel(ax, panel, legend=None)
    for series in panel.of_kind("points"):
        if series.dash == ".":
            ax.lines[0].set_markersize(2.5)
    first = panel.series[0]
    if first.x_axis.unit == "meV":
        ax.xaxis.set_major_locator(MaxNLocator(3))
    else:
        ax.set_xscale("log")
        _plain_decades(ax.xaxis)
    if first.kind == "points":
        ax.set_yscale("log")
        _plain_decades(ax.yaxis)
    else:
        ax.set_ylim(0, None)
    ax.tick_params(labelsize=7, which="both")
    ax.title.set_fontsize(8)


def _plain_decades(axis: DrawnAxis) -> None:
    low, high = sorted(axis.get_view_interval())
    axis.set_major_locator(LogLocator(subs=(1.0,) if high > 30 * low else (1.0, 3.0)))
    axis.set_major_formatter(StrMethodFormatter("{x:g}"))
    axis.set_minor_formatter(NullFormatter())


# --- Sobol indices


def sobol_indices(run: Run) -> tuple[Panel, ...]:
    """Return the indices of every number, both schemes, over both ranges; stored, for the presets.

    ``run`` changes nothing here: the ranges are those of the presets and of the posterior.
    """
    del run
    panels = []
    for letter, (scheme, ranges) in zip("abcd", _sobol_maps(), strict=True):
        found = stored_indices(_result(), scheme, ranges)
        series = tuple(
            Series(
                name,
                np.arange(len(INPUTS)),
                np.arange(len(OUTPUTS)),
                _INPUT,
                _OUTPUT,
                z=indices,
                z_axis=axis,
                kind="map",
            )
            for name, indices, axis in (
                ("total", found.total, _TOTAL),
                ("first order", found.first, _FIRST),
            )
        )
        panels.append(Panel(letter, f"{_TITLES[scheme]}, {_RANGES[ranges]}", series))
    return tuple(panels)


def _sobol_maps() -> list[tuple[str, str]]:
    return [(scheme, ranges) for scheme in SCHEMES for ranges in _RANGES]


def draw_sobol_indices(panels: Sequence[Panel]) -> Picture:
    """Draw four tables: total index in colour and bold, first-order index below it."""
    with style.book_style():
        figure = style.new_figure(7.6, 8.2)
        axes = figure.subplots(2, 2, sharex=True, sharey=True)
        for ax, panel in zip(axes.flat, panels, strict=True):
            total, first = (np.asarray(series.z) for series in panel.series)
            _table(ax, np.clip(total, 0, 1), (0.0, 1.0), style.SEQUENTIAL_MAP)
            for i, j in np.ndindex(*total.shape):
                colour = "white" if total[i, j] < 0.5 else "black"
                for shift, size, value in ((-0.2, 5.5, total[i, j]), (0.22, 5.0, first[i, j])):
                    ax.text(
                        j,
                        i + shift,
                        _two_digits(value),
                        ha="center",
                        va="center",
                        fontsize=size,
                        fontweight="bold" if shift < 0 else "normal",
                        color=colour,
                    )
            _name_table(ax, panel, _INPUT_SYMBOLS, [output.name for output in OUTPUTS])
    return figure


def _two_digits(value: Any) -> str:
    return f"{float(value):.2f}".replace("-0.00", "0.00")


def _table(ax: Axes, z: FloatArray, limits: tuple[float, float], colours: str) -> None:
    ax.imshow(z, cmap=colours, vmin=limits[0], vmax=limits[1], aspect="auto")


def _name_table(
    ax: Axes, panel: Panel, columns: Sequence[str], rows: Sequence[str], size: float = 7
) -> None:
    ax.set_xticks(range(len(columns)), [style.typeset(name) for name in columns], fontsize=size)
    ax.set_yticks(range(len(rows)), [style.typeset(name) for name in rows], fontsize=size)
    ax.set_title(style.typeset(panel.title))
    style.letter(ax, panel.letter)


# --- your own dot


def _at(run: Run) -> FloatArray:
    return inputs_of(
        run.subject, run["gain_exponent"], run["pi_pulse_fluence_mJ_cm2"], run["floor"]
    )


def local(run: Run) -> tuple[Panel, Panel]:
    """Return elasticities at the run's dot, and what raising and lowering a parameter changes."""
    who = "the 3LS with ESA" if run.is_papers else YOUR_DOT
    at, base = _at(run), run.subject
    slope = elasticities(at, run["statistics"], base)
    table = Series(
        "elasticity",
        np.arange(len(INPUTS)),
        np.arange(POSITIVE),
        _INPUT,
        _OUTPUT,
        z=slope,
        z_axis=_ELASTICITY,
        kind="map",
    )
    moved = strips(at, run["varied_by"], run["statistics"], base)
    now = strips(at, 0.0, run["statistics"], base)[0, 0]
    series = []
    for key, quantity, markers in (
        ("threshold-esa", "at gain maximum", "v^"),
        ("ase-esa", "ASE threshold", "<>"),
    ):
        column = [output.key for output in OUTPUTS].index(key)
        for row, word, marker in zip(moved, ("lowered", "raised"), markers, strict=True):
            with np.errstate(invalid="ignore"):
                change = 100 * (row[:, column] / now[column] - 1)
            series.append(
                Series(
                    f"{OUTPUTS[column].name}, parameter {word}",
                    np.arange(len(INPUTS)),
                    change,
                    _INPUT,
                    _CHANGE,
                    quantity=quantity,
                    kind="points",
                    dash=marker,
                )
            )
    return (
        Panel("a", f"elasticities at {who}", (table,)),
        Panel("b", f"each parameter ± {100 * run['varied_by']:.3g} %", tuple(series)),
    )


def draw_local(panels: Sequence[Panel]) -> Picture:
    """Draw the table of elasticities, and the changes below it."""
    with style.book_style():
        figure = style.new_figure(7.2, 6.2)
        upper, lower = figure.subplots(2, 1, height_ratios=(3, 2))
        slope = np.asarray(panels[0]["elasticity"].z)
        _table(upper, np.clip(slope, -1, 1), (-1.0, 1.0), style.GAIN_MAP)
        for i, j in np.ndindex(*slope.shape):
            text = _two_digits(slope[i, j]) if np.isfinite(slope[i, j]) else "–"
            dark = abs(slope[i, j]) > 0.6
            upper.text(
                j, i, text, ha="center", va="center", fontsize=7, color="white" if dark else "black"
            )
        _name_table(upper, panels[0], _INPUT_SYMBOLS, [o.name for o in OUTPUTS[:POSITIVE]])
        style.draw_panel(lower, panels[1], legend=None)
        lower.axhline(0, color=style.colour("reference"), linewidth=0.8)
        names = [style.typeset(name) for name in _INPUT_SYMBOLS]
        lower.set_xticks(range(len(INPUTS)), names)
        lower.set_xlabel("")
        lower.set_xlim(-0.5, len(INPUTS) - 0.5)
        figure.legend(*lower.get_legend_handles_labels(), loc="outside lower center", ncols=2)
    return figure


# --- which measurement next


def _predictive(variant: Variant, scheme: str) -> tuple[FloatArray, FloatArray]:
    """Return quantiles (14, 31) and variances (14,) that a reading predicts for a scheme."""
    found = _result()["readings"][variant.name]["predictive"][scheme]
    return np.array(found["quantiles"], dtype=float), np.array(found["variance"], dtype=float)


@cache
def expected_bits(scheme: str, factor: float = 1.0) -> FloatArray:
    """Return what each measurement would tell, (14, 4): of the parameters, and of three choices.

    Parameters
    ----------
    scheme : {"3ls", "4ls"}
        The dot, with ESA.
    factor : float
        On every precision.
    """
    own = _predictive(DEFAULT, scheme)[0]
    rivals = [
        [_predictive(variant, scheme)[0] for variant in RIVALS[name].values()]
        for name in _COLUMNS[1:]
    ]
    table = [
        [
            parameter_bits(own[i], factor * m.precision),
            *(reading_bits([q[i] for q in group], factor * m.precision) for group in rivals),
        ]
        for i, m in enumerate(MEASUREMENTS)
    ]
    result = np.array(table)
    result.flags.writeable = False
    return result


@cache
def _bits_of_parameters(scheme: str, factor: float) -> FloatArray:
    own = _predictive(DEFAULT, scheme)[0]
    return np.array(
        [
            parameter_bits(quantiles, factor * m.precision)
            for quantiles, m in zip(own, MEASUREMENTS, strict=True)
        ]
    )


def measurements(run: Run) -> tuple[Panel, ...]:
    """Return what each candidate would tell of both dots, and how that hangs on the precision."""
    factor = run["precision_factor"]
    panels = [
        Panel(
            letter,
            f"{_TITLES[scheme]} with ESA",
            (
                Series(
                    "expected information",
                    np.arange(len(_COLUMNS)),
                    np.arange(len(MEASUREMENTS)),
                    _ABOUT,
                    _MEASURED,
                    z=expected_bits(scheme, factor),
                    z_axis=_BITS,
                    kind="map",
                ),
            ),
        )
        for letter, scheme in zip("ab", SCHEMES, strict=True)
    ]
    curves = np.array([_bits_of_parameters("3ls", f) for f in _FACTORS])
    order = np.argsort(-curves[len(_FACTORS) // 2], kind="stable")[:_TOP]
    lines = tuple(
        Series(
            MEASUREMENTS[i].name,
            _FACTORS,
            curves[:, i],
            _FACTOR,
            _BITS,
            quantity=quantity,
            dash=dash,
        )
        for i, quantity, dash in zip(order, _RANK_COLOURS, _DASHES, strict=True)
    )
    return (
        *panels,
        Panel("c", "parameters, 3LS with ESA: the five that tell most", lines),
    )


def draw_measurements(panels: Sequence[Panel]) -> Picture:
    """Draw two tables of bits, and the bits against the precision below them."""
    with style.book_style():
        figure = style.new_figure(7.6, 7.6)
        grid = figure.add_gridspec(2, 2, height_ratios=(3, 2))
        left = figure.add_subplot(grid[0, 0])
        right = figure.add_subplot(grid[0, 1], sharey=left)
        names = [m.name for m in MEASUREMENTS]
        for ax, panel in zip((left, right), panels, strict=False):
            bits = np.asarray(panel.series[0].z)
            _table(ax, bits, (0.0, 3.0), style.SEQUENTIAL_MAP)
            for i, j in np.ndindex(*bits.shape):
                colour = "white" if bits[i, j] < 1.5 else "black"
                text = _two_digits(bits[i, j])
                ax.text(j, i, text, ha="center", va="center", fontsize=7, color=colour)
            _name_table(ax, panel, _COLUMNS, names)
        right.tick_params(labelleft=False)
        lower = figure.add_subplot(grid[1, :])
        style.draw_panel(lower, panels[2], legend="upper right")
        lower.set_xscale("log")
        lower.axvline(1, color=style.colour("reference"), linewidth=0.8)
        lower.set_ylim(0, None)
    return figure


#: What the chapter draws: name -> (series, drawing).
FIGURES = {
    "posterior": kit.Figure(posterior, draw_posterior),
    "sobol_indices": kit.Figure(sobol_indices, draw_sobol_indices),
    "local": kit.Figure(local, draw_local),
    "measurements": kit.Figure(measurements, draw_measurements),
}


# --- in words


class Best(NamedTuple):
    """The measurement that tells most of something, and the next."""

    first: Measurement
    bits: float
    second: Measurement
    second_bits: float


def best(scheme: str, about: str, factor: float = 1.0) -> Best:
    """Return the measurement of a scheme's dot that tells most about one of the columns."""
    bits = expected_bits(scheme, factor)[:, _COLUMNS.index(about)]
    first, second = np.argsort(-bits, kind="stable")[:2]
    return Best(MEASUREMENTS[first], float(bits[first]), MEASUREMENTS[second], float(bits[second]))


class Conclusion:
    """The chapter's conclusion as a sentence whose words and numbers are computed."""

    def __init__(self, run: Run) -> None:
        self.factor = run["precision_factor"]

    def __str__(self) -> str:
        of_parameters = best("3ls", "parameters", self.factor)
        of_statistics = best("3ls", "statistics", self.factor)
        of_definition = best("3ls", "definition", self.factor)
        of_coupling = best("3ls", "coupling", self.factor)
        said = [
            f"Measured on the 3LS with ESA, {of_parameters.first.name} "
            f"(± {_scaled(of_parameters.first, self.factor)}) would tell most of the parameters, "
            f"{significant(of_parameters.bits, 2)} bits, before {of_parameters.second.name} with "
            f"{significant(of_parameters.second_bits, 2)}."
        ]
        for found, what, rivals in (
            (of_statistics, "statistics", "statistics"),
            (of_definition, "definitions of the threshold", "definition"),
            (of_coupling, "couplings", "coupling"),
        ):
            most = np.log2(len(RIVALS[rivals]))
            said.append(
                f"Between the {len(RIVALS[rivals])} {what}, {found.first.name} would decide best: "
                f"{significant(found.bits, 2)} of {significant(most, 3)} bits."
            )
        ends = [best("3ls", "parameters", self.factor * x) for x in (0.5, 2.0)]
        names = [found.first.name for found in ends]
        if all(name == of_parameters.first.name for name in names):
            said.append("With all precisions halved or doubled the first stays the first.")
        else:
            said.append(
                f"With all deviations halved the first is {names[0]}, with all doubled {names[1]}."
            )
        return " ".join(said)

    def _repr_html_(self) -> str:
        return f"<p><strong>{html.escape(str(self))}</strong></p>"


def _scaled(measurement: Measurement, factor: float) -> str:
    return measurement._replace(precision=factor * measurement.precision).stated_precision


class Candidates(Table):
    """The candidate measurements with their precisions and where these come from."""

    def __init__(self, run: Run) -> None:
        factor = run["precision_factor"]
        bits = [_bits_of_parameters(scheme, factor) for scheme in SCHEMES]
        header = ("measurement", "standard deviation", "origin", "bits, 3LS", "bits, 4LS")
        rows = [
            (
                measurement.name,
                _scaled(measurement, factor),
                measurement.origin,
                *(significant(max(float(column[i]), 0.0), 2) for column in bits),
            )
            for i, measurement in enumerate(MEASUREMENTS)
        ]
        super().__init__(header, rows)


# --- headlines


def headlines(run: Run) -> tuple[Headline, ...]:
    """Return the chapter's numbers."""
    return (
        *_posterior_headlines(),
        *_sobol_headlines(),
        *_local_headlines(run),
        *_measurement_headlines(run),
    )


def _slug(name: str) -> str:
    return name.replace("_mJ_cm2", "").replace("_", "-")


def _posterior_headlines() -> list[Headline]:
    posteriors, readings = _result()["posteriors"], _result()["readings"]
    rows = []
    for name in DEFAULT.names:
        axis = SYMBOLS[name]
        key = f"information-{_slug(name)}"
        bits = {which: float(posteriors[which]["bits"][name]) for which in POSTERIORS}
        rows.append(Headline(f"{key}-bits", f"learnt of {axis.name}", bits["main"], "bits"))
        rows += [
            Headline(f"{key}-bits-{which}", f"learnt of {axis.name}, {said}", bits[which], "bits")
            for which, said in (
                ("conditions", "statements too"),
                ("tight", "δ = 2 %"),
                ("loose", "δ = 10 %"),
            )
        ]
        ends = _in_units(name, posteriors["main"]["quantiles"][name])
        rows += [
            Headline(f"{key}-{word}", f"{axis.name}, {said}", float(end), axis.unit)
            for end, word, said in zip(
                ends, ("low", "middle", "high"), ("5 %", "median", "95 %"), strict=True
            )
        ]
    main = readings[DEFAULT.name]
    every = [*readings.values(), *_result()["converged"].values()]
    rows += [
        Headline(
            "information-statements-hold",
            "points of the posterior that meet every statement",
            100 * float(main["conditions"]),
            "%",
        ),
        Headline("information-readings", "readings sampled", len(readings)),
        Headline(
            "information-rhat",
            "largest split R̂ of any posterior",
            max(float(row["split_rhat"]) for row in every),
        ),
        Headline(
            "information-fewest",
            "fewest independent points of any posterior",
            min(float(row["independent"]) for row in every),
        ),
        Headline(
            "information-independent", "independent points, default", float(main["independent"])
        ),
        Headline(
            "information-autocorrelation",
            "longest autocorrelation time of any posterior, in steps",
            max(float(row["autocorrelation"]) for row in every),
        ),
        Headline(
            "information-lengths",
            "fewest kept steps in autocorrelation times",
            min(float(row["steps"]) / float(row["autocorrelation"]) for row in every),
        ),
    ]
    return rows


def _sobol_headlines() -> list[Headline]:
    keys = [output.key for output in OUTPUTS]
    rows, errors = [], []
    for scheme, ranges in _sobol_maps():
        found = stored_indices(_result(), scheme, ranges)
        errors.append(max(float(found.first_error.max()), float(found.total_error.max())))
        where = f"{_TITLES[scheme]} with ESA, {_RANGES[ranges]}"
        for output, what in (("threshold-esa", "⟨N⟩"), ("ase-esa", "J_th")):
            total = found.total[keys.index(output)]
            rows += [
                Headline(
                    f"information-sobol-{output}-{_INPUT_KEYS[i]}-{scheme}-{ranges}",
                    f"total index of {_INPUT_SYMBOLS[i]} for {what}, {where}",
                    float(total[i]),
                )
                for i in range(len(INPUTS))
                if not (output == "threshold-esa" and i >= _OF_FILM)
            ]
            rows.append(
                Headline(
                    f"information-sobol-{output}-energies-{scheme}-{ranges}",
                    f"share of S, Δ_A2, Δ_E, Γ in all total indices for {what}, {where}",
                    float(total[list(ENERGIES)].sum() / total.sum()),
                )
            )
    rows.append(
        Headline("information-sobol-error", "largest standard error of an index", max(errors))
    )
    return rows


def _local_headlines(run: Run) -> list[Headline]:
    slope = elasticities(_at(run), run["statistics"], run.subject)
    keys = [output.key for output in OUTPUTS]
    return [
        Headline(
            f"information-elasticity-{output}-{_INPUT_KEYS[i]}",
            f"elasticity of {OUTPUTS[keys.index(output)].name} in {_INPUT_SYMBOLS[i]}",
            float(slope[keys.index(output), i]),
        )
        for output in ("threshold-esa", "ase-esa")
        for i in range(_OF_FILM)
    ]


def _even_with_next(i: int, factor: float) -> float:
    """Return the deviation at which a measurement tells as much as the best of the others."""
    bits = _bits_of_parameters("3ls", factor)
    own = [_bits_of_parameters("3ls", f)[i] for f in _FACTORS]
    even = np.interp(-np.delete(bits, i).max(), -np.array(own), np.log(_FACTORS))
    return float(np.exp(even)) * MEASUREMENTS[i].precision


def _measurement_headlines(run: Run) -> list[Headline]:
    factor = run["precision_factor"]
    rows = []
    for scheme in SCHEMES:
        bits = expected_bits(scheme, factor)
        rows += [
            Headline(
                f"information-{_COLUMN_KEYS[j]}-{key}-{scheme}",
                f"{measurement.name}, {_TITLES[scheme]}: of the {_COLUMNS[j]}",
                # Rounding may leave a hair below nothing.
                max(float(bits[i, j]), 0.0),
                "bits",
            )
            for i, (key, measurement) in enumerate(zip(KEYS, MEASUREMENTS, strict=True))
            for j in range(len(_COLUMNS))
        ]
    for word, times in (("", 1.0), ("-halved", 0.5), ("-doubled", 2.0)):
        found = best("3ls", "parameters", factor * times)
        said = {"": "", "-halved": ", deviations halved", "-doubled": ", deviations doubled"}[word]
        rows += [
            Headline(f"information-best{word}", f"most bits, 3LS{said}", found.bits, "bits"),
            Headline(f"information-next{word}", f"next{said}", found.second_bits, "bits"),
        ]
        order = np.argsort(-_bits_of_parameters("3ls", factor * times), kind="stable")
        rows.append(
            Headline(
                f"information-rank-{PROPOSED}{word}",
                f"rank of: {MEASUREMENTS[KEYS.index(PROPOSED)].name}{said}",
                1 + int(np.flatnonzero(order == KEYS.index(PROPOSED))[0]),
            )
        )
    i = KEYS.index(PROPOSED)
    quantiles, variance = _predictive(DEFAULT, "3ls")
    proposed = MEASUREMENTS[i]
    sigma = factor * proposed.precision
    nested = [
        abs(float(now) - stored_bits)
        for scheme in SCHEMES
        for now, stored_bits in zip(
            _bits_of_parameters(scheme, 1.0), _result()["nested"][scheme], strict=True
        )
    ]
    rows += [
        Headline(
            "information-even",
            f"standard deviation at which the next tells as much, {proposed.name}",
            _even_with_next(i, factor),
            "1" if proposed.is_relative else proposed.unit,
        ),
        Headline(
            "information-normal",
            "the same, if it were normal",
            normal_bits(variance[i], sigma),
            "bits",
        ),
        Headline(
            "information-spread",
            f"middle nine tenths of what is predicted, {proposed.name}",
            float(
                np.interp(0.95, PROBABILITIES, quantiles[i])
                - np.interp(0.05, PROBABILITIES, quantiles[i])
            ),
            "1" if proposed.is_relative else proposed.unit,
        ),
        Headline(
            "information-nested", "largest difference from nested sampling", max(nested), "bits"
        ),
    ]
    for which in ("conditions", "tight", "loose"):
        under = np.array(_result()["posteriors"][which]["predictive"], dtype=float)
        told = [
            parameter_bits(quantiles, factor * m.precision)
            for quantiles, m in zip(under, MEASUREMENTS, strict=True)
        ]
        place = KEYS.index(PROPOSED)
        said = f"{MEASUREMENTS[place].name}, {POSTERIORS[which]}"
        order = np.argsort(-np.array(told), kind="stable")
        rank = 1 + int(np.flatnonzero(order == place)[0])
        rows += [
            Headline(f"information-best-{which}", said, told[place], "bits"),
            Headline(f"information-rank-{which}", f"rank of: {said}", rank),
        ]
    for key in ("above-gap", "saturation"):
        i = KEYS.index(key)
        rabi, poisson = (
            _predictive(RIVALS["statistics"][name], "3ls")[0][i] for name in ("rabi", "poisson")
        )
        sigma = factor * MEASUREMENTS[i].precision
        rows.append(
            Headline(
                f"information-bayes-{key}",
                f"expected ln Bayes factor, Rabi over Poisson: {MEASUREMENTS[i].name}",
                expected_log_bayes_factor(rabi, poisson, sigma),
            )
        )
    return rows
