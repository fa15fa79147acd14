"""What the paper's numbers pin down, and which parameter moves which number."""

from __future__ import annotations

from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure as Picture
from matplotlib.ticker import LogLocator, MaxNLocator, NullFormatter, StrMethodFormatter

from qdgain import chapters
from qdgain.beyond import sensitivity
from qdgain.beyond.information import DEFAULT, POSTERIORS, VARIED_BY, stored_indices
from qdgain.beyond.sensitivity import ENERGIES, INPUTS, OUTPUTS, POSITIVE, elasticities
from qdgain.calibration.rows import SCHEMES, width_meV
from qdgain.figures import next_measurement, style
from qdgain.figures.calibrated import SYMBOLS
from qdgain.figures.kit import Figure, Numbers, line, mapped, number, panel, points
from qdgain.figures.next_measurement import result
from qdgain.figures.panel import Axis, Panel
from qdgain.model.dot import FloatArray
from qdgain.run import YOUR_DOT, Run
from qdgain.text import significant

SETTINGS = chapters.SETTINGS["information"]

_DENSITY = Axis("density / prior's")
_INPUT, _OUTPUT = Axis("parameter: column"), Axis("number: row")
_TOTAL, _FIRST = Axis("total Sobol index"), Axis("first-order Sobol index")
_ELASTICITY, _CHANGE = Axis("elasticity ∂ln y/∂ln x"), Axis("change", "%")

_SHOWN = {"main": "-", "conditions": "--", "loose": "-."}
#: Parameters whose marginals are drawn, and the fields of a dot that they are.
_SHOWN_PARAMETERS = {
    "stokes_3ls": "stokes_shift_meV",
    "stokes_4ls": "stokes_shift_meV",
    "absorptive_3ls": "absorptive_binding_meV",
    "emissive_3ls": "emissive_binding_meV",
    "xx_absorption_strength": "xx_absorption_strength",
    "xx_emission_strength": "xx_emission_strength",
}
#: The inputs in keys and in words.
_INPUT_KEYS = ("s", "a2", "e", "a", "gamma", "width", "length", "pi", "floor")
_INPUT_SYMBOLS = ("S", "Δ_A2", "Δ_E", "a", "γ", "Γ", "L_g", "J_π", "ε")
#: The first of the inputs that ⟨N⟩ does not know.
_OF_FILM = 6
_OUTPUT_KEYS = [output.key for output in OUTPUTS]
_RANGES = {"around": f"± {100 * VARIED_BY:.0f} %", "posterior": "the posterior's range"}
SOBOL_MAPS = tuple((scheme, ranges) for scheme in SCHEMES for ranges in _RANGES)


def _in_units(name: str, coordinate: Any) -> FloatArray:
    """Return values of a parameter's coordinate: meV, or the logarithm undone."""
    x = np.asarray(coordinate, dtype=float)
    return np.asarray(width_meV() * x if SYMBOLS[name].unit == "meV" else np.exp(x))


# --- posterior


def posterior(run: Run) -> tuple[Panel, ...]:
    """Return the marginals of six parameters over the prior's, with those of the run's dot."""
    return tuple(_marginal(run, *one) for one in zip("abcdef", _SHOWN_PARAMETERS, strict=True))


def _marginal(run: Run, letter: str, name: str) -> Panel:
    found, i = result()["posteriors"], DEFAULT.names.index(name)
    low, high = (float(ends[i]) for ends in DEFAULT.ranges())
    edges = np.linspace(low, high, len(found["main"]["density"][name]) + 1)
    series = [line("prior", _in_units(name, [low, high]), [1.0, 1.0], "prior", ":")]
    for key, dash in _SHOWN.items():
        # Bins twice as wide as those that are stored, which are noisy.
        bins = (0.5 * (edges[1:] + edges[:-1]), np.array(found[key]["density"][name]))
        x, density = (each.reshape(-1, 2).mean(axis=1) for each in bins)
        series.append(line(POSTERIORS[key], _in_units(name, x), density, f"posterior, {key}", dash))
    here, field = "preset" if run.is_papers else YOUR_DOT, _SHOWN_PARAMETERS[name]
    dot = run.dots["4LS+ESA"] if name == "stokes_4ls" else run.subject
    series.append(points(here, number(getattr(dot, field)), 0.0, "your dot", "X"))
    title = f"{significant(found['main']['bits'][name], 2)} bits"
    return panel(letter, title, SYMBOLS[name], _DENSITY, series)


def _finish_posterior(axes: list[Axes], panels: tuple[Panel, ...]) -> None:
    for ax, one in zip(axes, panels, strict=True):
        if one.series[0].x_axis.unit == "meV":
            ax.xaxis.set_major_locator(MaxNLocator(3))
        else:
            ax.set_xscale("log")
            low, high = sorted(ax.xaxis.get_view_interval())
            ax.xaxis.set_major_locator(LogLocator(subs=(1.0,) if high > 30 * low else (1.0, 3.0)))
            ax.xaxis.set_major_formatter(StrMethodFormatter("{x:g}"))
            ax.xaxis.set_minor_formatter(NullFormatter())
        ax.set_ylim(0, None)
        ax.lines[-1].set_clip_on(False)
    style.legend_below(axes[0], ncols=3)


# --- Sobol indices


def sobol_indices(_: Run) -> tuple[Panel, ...]:
    """Return the indices of every number, both schemes, over both ranges: those of the presets."""
    columns, rows, panels = np.arange(len(INPUTS)), np.arange(len(OUTPUTS)), []
    for letter, (scheme, ranges) in zip("abcd", SOBOL_MAPS, strict=True):
        found = stored_indices(result(), scheme, ranges)
        maps = (
            mapped("total", columns, rows, found.total, _TOTAL),
            mapped("first order", columns, rows, found.first, _FIRST),
        )
        title = f"{scheme.upper()}, {_RANGES[ranges]}"
        panels.append(panel(letter, title, _INPUT, _OUTPUT, maps))
    return tuple(panels)


def _draw_sobol_indices(panels: tuple[Panel, ...]) -> Picture:
    """Draw four tables of total indices; the first-order ones are in the data alone."""
    figure = style.new_figure(7.6, 8.2)
    axes = figure.subplots(2, 2, sharex=True, sharey=True)
    for ax, one in zip(axes.flat, panels, strict=True):
        style.draw_numbers(ax, one, (0.0, 1.0), one["total"].values < 0.5)
        style.name_cells(ax, one, _INPUT_SYMBOLS, [output.name for output in OUTPUTS], 8)
    return figure


# --- your own dot


def _at(run: Run) -> FloatArray:
    return sensitivity.inputs_of(
        run.subject, run["gain_exponent"], run["pi_pulse_fluence_mJ_cm2"], run["floor"]
    )


def local(run: Run) -> tuple[Panel, Panel]:
    """Return elasticities at the run's dot, and what raising and lowering a parameter changes."""
    who = "the 3LS with ESA" if run.is_papers else YOUR_DOT
    at, base, law = _at(run), run.subject, run["statistics"]
    columns, slope = np.arange(len(INPUTS)), elasticities(at, law, base)
    table = mapped("elasticity", columns, np.arange(POSITIVE), slope, _ELASTICITY)
    moved, now = (sensitivity.strips(at, by, law, base) for by in (run["varied_by"], 0.0))
    series = []
    for key, quantity, markers in (
        ("threshold-esa", "at gain maximum", "v^"),
        ("ase-esa", "ASE threshold", "<>"),
    ):
        column = _OUTPUT_KEYS.index(key)
        for row, word, marker in zip(moved, ("lowered", "raised"), markers, strict=True):
            with np.errstate(invalid="ignore"):
                change = 100 * (row[:, column] / now[0, 0, column] - 1)
            name = f"{OUTPUTS[column].name}, parameter {word}"
            series.append(points(name, columns, change, quantity, marker))
    title = f"each parameter ± {100 * run['varied_by']:.3g} %"
    return (
        panel("a", f"elasticities at {who}", _INPUT, _OUTPUT, [table]),
        panel("b", title, _INPUT, _CHANGE, series),
    )


def _draw_local(panels: tuple[Panel, ...]) -> Picture:
    """Draw the table of elasticities, and the changes below it."""
    figure = style.new_figure(7.2, 6.2)
    upper, lower = figure.subplots(2, 1, height_ratios=(3, 2))
    steep = np.abs(panels[0]["elasticity"].values) > 0.6
    style.draw_numbers(upper, panels[0], (-1.0, 1.0), steep, style.GAIN_MAP)
    style.name_cells(upper, panels[0], _INPUT_SYMBOLS, [o.name for o in OUTPUTS[:POSITIVE]], 8)
    style.draw_panel(lower, panels[1], legend=None)
    lower.axhline(0, color=style.colour("reference"), linewidth=0.8)
    lower.set_xticks(range(len(INPUTS)), [style.typeset(name) for name in _INPUT_SYMBOLS])
    lower.set(xlabel="", xlim=(-0.5, len(INPUTS) - 0.5))
    figure.legend(*lower.get_legend_handles_labels(), loc="outside lower center", ncols=2)
    return figure


FIGURES = {
    "posterior": Figure(
        posterior, size=(7.6, 5.2), columns=3, legend=None, finish=_finish_posterior
    ),
    "sobol_indices": Figure(sobol_indices, _draw_sobol_indices),
    "local": Figure(local, _draw_local),
    "measurements": Figure(next_measurement.measurements, next_measurement.draw_measurements),
}

# --- numbers


def headlines(run: Run) -> Numbers:
    """Return the chapter's numbers."""
    n = Numbers("information", run)
    for name in _SHOWN_PARAMETERS:
        _of_parameter(n, name)
    n.add("fewest", min(result()["effective"].values()))
    _of_sobol_indices(n)
    row = _OUTPUT_KEYS.index("threshold-esa")
    slope = elasticities(_at(run), run["statistics"], run.subject)[row, :_OF_FILM]
    for key, symbol, value in zip(_INPUT_KEYS, _INPUT_SYMBOLS, slope, strict=False):
        n.add("elasticity-threshold-esa-{key}", value, key=key, symbol=symbol)
    next_measurement.add_headlines(n, run)
    return n


def _of_parameter(n: Numbers, name: str) -> None:
    found, axis = result()["posteriors"], SYMBOLS[name]
    of = {"parameter": name.replace("_", "-"), "symbol": axis.name, "unit": axis.unit}
    for which, end in (("main", ""), *((x, f"-{x}") for x in ("conditions", "tight", "loose"))):
        n.add(f"{{parameter}}-bits{end}", found[which]["bits"][name], **of)
    low, middle, high = _in_units(name, found["main"]["quantiles"][name])
    n.add("{parameter}-low", low, **of)
    n.add("{parameter}-middle", middle, **of)
    n.add("{parameter}-high", high, **of)


def _of_sobol_indices(n: Numbers) -> None:
    errors = []
    for scheme, ranges in SOBOL_MAPS:
        found = stored_indices(result(), scheme, ranges)
        errors.append(max(found.first_error.max(), found.total_error.max()))
        of = {"where": f"{scheme.upper()} with ESA, {_RANGES[ranges]}", "end": f"{scheme}-{ranges}"}
        for output, what, inputs in (
            ("threshold-esa", "⟨N⟩", _OF_FILM),
            ("ase-esa", "J_th", len(INPUTS)),
        ):
            total = found.total[_OUTPUT_KEYS.index(output)]
            for i in range(inputs if scheme == "3ls" else 0):
                of |= {"input": _INPUT_KEYS[i], "symbol": _INPUT_SYMBOLS[i], "what": what}
                key = f"sobol-{output}-{{input}}-{{end}}"
                n.add(key, round(float(total[i]), 9), **of)
        total = found.total[_OUTPUT_KEYS.index("threshold-esa")]
        n.add("sobol-threshold-esa-energies-{end}", total[list(ENERGIES)].sum() / total.sum(), **of)
    n.add("sobol-error", max(errors))
