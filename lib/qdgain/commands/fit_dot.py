"""``qdgain fit-dot``: a dot from its own absorption, photoluminescence and transient spectra."""

from __future__ import annotations

import argparse
import importlib
import json
import math
import textwrap
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from functools import partial
from itertools import chain
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from qdgain.commands import Failure, Parser, UsageError, number_above_0, say
from qdgain.files import refuse_existing, sha256_of, whole
from qdgain.fitting.band_fit import FittedBands, fit_bands
from qdgain.fitting.fitted_dot import (
    ASSUMED_HOMOGENEOUS,
    OF_PRESET,
    FittedDot,
    ThresholdInterval,
    fitted_dot,
    parameter_file,
    threshold_intervals,
)
from qdgain.fitting.spectra import Spectrum, earliest_delay_ps, emission_per_eV, even_spectrum
from qdgain.measured.instrument_file import Trace, choose, choose_transient, refuse, traces
from qdgain.measured.instruments.axis import UNITS
from qdgain.model import parameters
from qdgain.model.dot import presets
from qdgain.run import BASE_OF_YOUR_DOT
from qdgain.table import Table
from qdgain.text import significant
from qdgain.version import __version__, library_hash

#: What each file is called in options, and in sentences.
_TITLES = {"absorption": "absorption", "pl": "PL", "transient": "transient"}
_FILES = tuple(_TITLES)
#: Words for a strength that is fitted, and for a series of all traces.
_FREE, ALL = "free", "all"
_WIDTH = 80


class Input(NamedTuple):
    """A file as it was read."""

    path: Path
    trace: Trace
    spectrum: Spectrum
    per: str


def add(command: Parser) -> None:
    """Describe the subcommand."""
    command.description = (
        "Fit the bands of a dot to its absorption and photoluminescence and, for the biexciton "
        "shift, its transient absorption; write a parameter file, and a picture beside it. With "
        f"--column {ALL}, --pairs, or a folder in place of the files, do so for every sample of a "
        "series, into a folder."
    )
    purposes = {
        "absorption": "absorbance against wavelength or energy; or a folder of such files and PL "
        "files, called alike but for a word such as abs and pl",
        "pl": "photoluminescence against wavelength or energy",
        "transient": "transient absorption ΔA of relaxed excitons, bleach negative",
    }
    for name, purpose in purposes.items():
        command.add_argument(name, type=Path, nargs="?", help=purpose)
    default = "default: my-dot.toml, for a series the folder my-dots"
    command.add_argument("-o", "--output", type=Path, help=default)
    command.flag("--replace", "overwrite what is there")
    command.add_argument(
        "--column",
        metavar="NAME",
        help="the trace, by its name in the header or its number from 1, in every file that has "
        f"several and no option of its own; '{ALL}' for a series",
    )
    command.add_argument(
        "--pairs",
        type=Path,
        metavar="TABLE",
        help="a series from a CSV file with the columns label, absorption, absorption_column, "
        "emission, emission_column; files beside it",
    )
    command.add_argument(
        "--unit", choices=UNITS, help="of the axis of every file that has no option of its own"
    )
    for name in _FILES:
        of = f"of the {name} file"
        command.add_argument(f"--{name}-column", metavar="NAME", help=f"the trace {of}")
        command.add_argument(f"--{name}-unit", choices=UNITS, help=f"of the axis {of}")
    _add_choices(command)


def _add_choices(command: Parser) -> None:
    """Describe what of the files is taken, and what the fit is told."""
    command.add_argument(
        "--delay",
        metavar="PS",
        help="the transient at this delay in ps, or averaged from one to another, such as 5:50",
    )
    command.add_argument(
        "--pl-per",
        choices=("nm", "eV"),
        help="what the PL intensity is per; that of its axis if left out",
    )
    energy = partial(number_above_0, what="is no photon energy: give a number")
    for end, side in (("from", "below"), ("to", "above")):
        purpose = f"fit no photon energies {side} this one"
        command.add_argument(f"--{end}-eV", type=energy, metavar="E", help=purpose)
    low, high = ASSUMED_HOMOGENEOUS
    command.add_argument(
        "--homogeneous-width",
        type=partial(number_above_0, what="is no width in meV: give a number"),
        metavar="MEV",
        help="full width at half maximum of the PL of one dot, in meV: the file then holds one "
        f"dot's widths. Left out, it holds the sample's, and {low:g} to {high:g} meV are assumed "
        "for the thresholds of one dot",
    )
    command.add_argument(
        "--strength",
        metavar=f"A|{_FREE}",
        help="strength a of the biexciton absorption, held in the fit of the transient, or "
        f"'{_FREE}' to fit it; if left out it is fitted where the transient determines it, and "
        "otherwise held at the preset's",
    )
    command.flag("--json", "print the report as JSON")


def run(given: argparse.Namespace) -> None:
    """Read, fit, print and write."""
    _refuse_combinations(given)
    folder = given.absorption is not None and given.absorption.is_dir()
    if given.pairs is not None or given.column == ALL or folder:
        importlib.import_module("qdgain.commands.fit_dot_series").run(given)
        return
    missing = [name for name in ("absorption", "pl") if getattr(given, name) is None]
    if missing:
        what = "or a folder" if given.absorption is None else f"for {given.absorption} is no folder"
        raise UsageError(f"the following arguments are required: {', '.join(missing)}, {what}")
    targets = _targets(given.output or Path("my-dot.toml"), given.replace)
    inputs = {name: _read(given, name) for name in _FILES if getattr(given, name) is not None}
    fitted = fit_inputs(given, inputs)
    thresholds = threshold_intervals(fitted, default("floor"), default("statistics"))
    text = parameter_file(fitted, source_of(inputs, fitted.fit))
    _write(targets, given.replace, text, fitted.fit)
    written = [str(target) for target in targets.values()]
    if given.json:
        found = as_json(inputs, fitted, *thresholds)
        say(json.dumps(found | {"written": written}, ensure_ascii=False, indent=1))
        return
    say(report(inputs, fitted, *thresholds))
    say("\nwritten: " + ", ".join(written))


def _refuse_combinations(given: argparse.Namespace) -> None:
    if given.from_eV is not None and given.to_eV is not None and given.from_eV >= given.to_eV:
        raise UsageError(
            f"--from-eV {given.from_eV:g} is not below --to-eV {given.to_eV:g}: nothing is left"
        )
    if given.transient is None:
        for option in ("transient_column", "transient_unit", "strength", "delay"):
            if getattr(given, option) is not None:
                raise UsageError(f"--{option.replace('_', '-')} needs a transient file")


def fit_inputs(given: argparse.Namespace, inputs: Mapping[str, Input]) -> FittedDot:
    """Return the dot of some spectra."""
    pair = [inputs[name].trace for name in ("absorption", "pl")]
    if all(np.array_equal(*(getattr(x, of) for x in pair)) for of in ("energy_eV", "values")):
        refuse(pair[1].source, "absorption and PL are the same spectrum")
    strength, hold = _strength(given.strength)
    fit = fit_bands(
        inputs["absorption"].spectrum,
        inputs["pl"].spectrum,
        inputs["transient"].spectrum if "transient" in inputs else None,
        xx_absorption_strength=strength,
        hold_strength=hold,
        from_eV=given.from_eV,
        to_eV=given.to_eV,
        is_absorbance=inputs["absorption"].trace.quantity == "absorbance",
    )
    return fitted_dot(fit, strength if hold else None, given.homogeneous_width)


def default(name: str) -> Any:
    """Return the value that the contract has for a parameter."""
    return parameters.CONTRACT[name].default


def _strength(text: str | None) -> tuple[float, bool | None]:
    """Return the strength a, and whether to hold it; None to let the transient decide."""
    preset = float(np.asarray(presets()[BASE_OF_YOUR_DOT].xx_absorption_strength))
    if text is None:
        return preset, None
    if text == _FREE:
        return preset, False
    try:
        value = float(text)
    except ValueError:
        raise UsageError(f"--strength {text} is neither a number nor '{_FREE}'") from None
    return float(parameters.check("xx_absorption_strength", value)), True


def _targets(output: Path, replace: bool) -> dict[str, Path]:
    """Return the files to be written, by suffix."""
    if output.suffix != ".toml":
        raise UsageError(f"--output {output} is not allowed: a parameter file ends in .toml")
    targets = {suffix: output.with_suffix(suffix) for suffix in (".toml", ".svg", ".png")}
    for target in targets.values():
        refuse_existing(target, replace)
    return targets


def _read(given: argparse.Namespace, name: str) -> Input:
    """Return one of the files as a spectrum against photon energy."""
    path: Path = getattr(given, name)
    found = traces_of(given, name, path)
    if name != "transient":
        return as_input(given, name, path, chosen(given, name, found))
    earliest = earliest_delay_ps(default("relaxation_time_fs"))
    column = column_of(given, name, found) if given.delay is None else given.delay
    trace = choose_transient(found, column, f"--{name}-column", earliest)
    return as_input(given, name, path, trace)


def chosen(
    given: argparse.Namespace, name: str, found: Sequence[Trace], trace: str | None = None
) -> Trace:
    """Return the trace of a file that a sample names, or else the arguments."""
    return choose(found, trace or column_of(given, name, found), f"--{name}-column")


def column_of(given: argparse.Namespace, name: str, found: Sequence[Trace]) -> str | None:
    """Return which trace of a file was asked for, if any."""
    column: str | None = getattr(given, f"{name}_column")
    if column is None and len(found) > 1 and given.column != ALL:
        column = given.column
    return column


def traces_of(given: argparse.Namespace, name: str, path: Path) -> tuple[Trace, ...]:
    """Return every trace of a file."""
    unit = getattr(given, f"{name}_unit") or given.unit
    return traces(path, f"{_TITLES[name]} file", unit, f"--{name}-unit nm or --{name}-unit eV")


def as_input(given: argparse.Namespace, name: str, path: Path, trace: Trace) -> Input:
    """Return a trace as a spectrum to be fitted; a PL per eV, with the Jacobian."""
    if name == "absorption" and trace.quantity == "reflectance":
        refuse(trace.source, f"its trace {trace.name!r} is a reflectance: give the absorbance")
    per = (given.pl_per or trace.per) if name == "pl" else "eV"
    prepare = even_spectrum if per == "eV" else emission_per_eV
    return Input(path, trace, prepare(trace.energy_eV, trace.values), per)


def source_of(inputs: Mapping[str, Input], fit: FittedBands) -> dict[str, object]:
    """Return what the parameter file says of its origin."""
    source: dict[str, object] = {}
    for name, read in inputs.items():
        used = fit.spectra[_TITLES[name]]
        source |= {
            name: read.path.name,
            f"{name}_sha256": sha256_of(read.path),
            f"{name}_column": read.trace.name,
            f"{name}_unit": read.trace.unit,
            f"{name}_window_eV": [float(f"{x:.6g}") for x in fit.windows[_TITLES[name]]],
            f"{name}_noise": float(f"{used.noise:.3g}"),
        }
    return source | {
        "pl_per": inputs["pl"].per,
        "grade": fit.grade,
        "reasons": list(fit.reasons),
        "qdgain": __version__,
        "library": library_hash(),
    }


def as_json(
    inputs: Mapping[str, Input],
    fitted: FittedDot,
    intervals: Sequence[ThresholdInterval],
    set_aside: float,
) -> dict[str, object]:
    """Return the report as JSON can hold it; null is a threshold out of reach."""
    numbers = {name: float(np.asarray(getattr(fitted.dot, name))) for name in fitted.origin}
    rows = [
        {k: None if v == math.inf else v for k, v in row._asdict().items()} for row in intervals
    ]
    return {
        "grade": fitted.fit.grade,
        "reasons": list(fitted.fit.reasons),
        "notes": [*chain(*(read.trace.notes for read in inputs.values())), *fitted.fit.notes],
        "dot": {**numbers, "reading": fitted.dot.reading},
        "uncertainty": fitted.uncertainty,
        "correlation": fitted.correlations(),
        "origin": {**fitted.origin, "reading": OF_PRESET},
        "homogeneous_meV": list(fitted.homogeneous_meV),
        "thresholds": rows,
        "set_aside": set_aside,
    }


def report(
    inputs: Mapping[str, Input],
    fitted: FittedDot,
    intervals: Sequence[ThresholdInterval],
    set_aside: float,
) -> str:
    """Return what the command prints: grade and reasons, files, dot, thresholds."""
    fit = fitted.fit
    lines = [f"grade: {fit.grade}"]
    for reason in fit.reasons:
        lines += textwrap.wrap(f"- {reason}", _WIDTH, initial_indent="  ", subsequent_indent="    ")
    lines.append("")
    for name, (path, trace, _, per) in inputs.items():
        used, (low, high) = fit.spectra[_TITLES[name]], fit.windows[_TITLES[name]]
        converted = ", taken per eV by λ²/hc" if name == "pl" and per == "nm" else ""
        noise = 100 * used.noise / float(np.max(np.abs(used.measured)))
        lines.append(
            f"{_TITLES[name]:<11} {path.name}, {trace.name!r}, {trace.unit}{converted}: from "
            f"{low:.4g} to {high:.4g} eV, left over {noise:.2g} %"
        )
        lines += [f"            {note}" for note in trace.notes]
    lines += [f"note: {note}" for note in fit.notes]
    rows = []
    for name, origin in fitted.origin.items():
        value = float(np.asarray(getattr(fitted.dot, name)))
        unit = parameters.CONTRACT[name].unit
        numbers = value_and_error(value, fitted.uncertainty.get(name))
        rows.append((name, *numbers, "" if unit == "1" else unit, origin))
    rows.append(("reading", fitted.dot.reading, "", "", OF_PRESET))
    header = ("parameter", "value", "±", "unit", "origin")
    lines += ["", Table(header, rows, right=(1, 2)).text(), ""]
    if fit.free_strength is not None:
        lines += [*_strengths(fit), ""]
    return "\n".join([*lines, *_thresholds(fitted, intervals, set_aside)])


def value_and_error(value: float, error: float | None) -> tuple[str, str]:
    """Return a value to the second digit of its error."""
    if error is None or not error > 0:
        return significant(value, 4), ""
    decimals = max(1 - math.floor(math.log10(error)), 0)
    return f"{value:.{decimals}f}", f"{error:.{decimals}f}"


def _strengths(fit: FittedBands) -> list[str]:
    free = fit.free_strength
    assert free is not None
    strength, shift = (
        " ± ".join(value_and_error(*pair))
        for pair in (free.xx_absorption_strength, free.absorptive_binding_meV)
    )
    outcome = "Both are those above."
    if "xx_absorption_strength" not in fit.names:
        outcome = "Above, a is held, and what it may be off by is not in the error of Δ_A2."
    return textwrap.wrap(
        f"With the strength a free, the transient gives a = {strength} and Δ_A2 = {shift} meV, "
        f"correlation {free.correlation:.2f}. {outcome}",
        _WIDTH,
    )


def _thresholds(
    fitted: FittedDot, intervals: Sequence[ThresholdInterval], set_aside: float
) -> list[str]:
    rows = []
    for row in intervals:
        numbers = (row.value, row.median, row.low, row.high)
        value, median, low, high = (significant(number, 3) for number in numbers)
        name = f"{row.whose}, {'with' if row.esa else 'without'} ESA, {row.name}"
        rows.append((name, value, median, low if low == high else f"{low} to {high}"))
    header = ("gain threshold ⟨N⟩ of", "fitted", "median", "68 % interval")
    may_be = ("absorptive_binding_meV", "xx_absorption_strength")
    measured = [name for name in fitted.fit.names if name in may_be]
    assumed = [name for name, text in fitted.origin.items() if text.startswith("assumed")]
    low_h, high_h = fitted.homogeneous_meV
    given = f"given, {low_h:g} meV" if low_h == high_h else f"assumed, {low_h:g} to {high_h:g} meV"
    texts = [
        "The widths that were measured are the sample's: its dots differ in size. One dot's PL is "
        f"narrower ({given}), and the rest of the width is the spread of the dots; ⟨N⟩ of the "
        "sample is the mean of all of them.",
        f"{default('statistics').capitalize()} statistics; the onset is at a gain of "
        f"{default('floor'):g} of the peak "
        "absorption. Without ESA: from the absorption and PL alone. With ESA: "
        + (f"measured are also {', '.join(measured)}; " if measured else "")
        + f"assumed are {', '.join(assumed)}, whose errors are not in the interval.",
    ]
    if set_aside:
        texts.append(
            f"{100 * set_aside:.2g} % of the sampled dots were set aside: their values make no "
            "sense, such as a negative Stokes shift."
        )
    wrapped = [line for text in texts for line in textwrap.wrap(text, _WIDTH)]
    return [Table(header, rows, right=(1, 2)).text(), *wrapped]


def _write(targets: Mapping[str, Path], replace: bool, text: str, fit: FittedBands) -> None:
    """Write all files aside, then move them to their places, the parameter file last."""
    # Only here: whoever is refused need not wait for matplotlib.
    picture = importlib.import_module("qdgain.figures.fit")
    try:
        with ExitStack() as stack:
            # The last one entered is the first one moved.
            aside = {k: stack.enter_context(whole(p, replace)) for k, p in targets.items()}
            picture.save(fit, aside[".svg"], aside[".png"])
            aside[".toml"].write_text(text, encoding="utf-8", newline="\n")
    except OSError as error:
        reason = error.strerror or str(error)
        raise Failure(f"{targets['.toml']} cannot be written: {reason}") from None
