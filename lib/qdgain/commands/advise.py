"""``qdgain advise``: what a dot would need for a low threshold."""

from __future__ import annotations

import argparse
import json
import math
import textwrap
from collections.abc import Sequence
from typing import Any

from qdgain.beyond.advice import SINGLES, Advice, advice
from qdgain.beyond.levers import SEARCH_REACH_WIDTHS
from qdgain.beyond.shortest_way import FIELDS, Way
from qdgain.commands import Parser, UsageError, add_parameter_options
from qdgain.model import parameters
from qdgain.reruns.request import request
from qdgain.run import BASE_OF_YOUR_DOT
from qdgain.text import significant

_CHAPTER = "design"
_TARGET = "low_threshold"
_AT = {"maximum": "at gain maximum", "onset": "onset"}
_SYMBOLS = dict(zip(FIELDS, ("S", "Δ_A2", "Δ_E", "Γ"), strict=True))
_WIDTH = 90
_DIGITS = 3
#: Thresholds below this are not told apart, nor are they believed.
_TRACE = 1e-3


def add(command: Parser) -> None:
    """Describe the subcommand."""
    command.description = (
        "Say how far a dot is from a wanted gain threshold: the threshold now and what limits it, "
        "the shortest way there, what each parameter can do alone, and what thermal equilibrium "
        "allows. Fields of the dot that are not set are those of the 3LS with ESA."
    )
    add_parameter_options(command)
    command.add_argument(
        "--to",
        metavar="N",
        help="the wanted threshold, mean excitons per dot; default: 0.1, the parameter "
        "low_threshold",
    )
    command.add_argument(
        "--at",
        choices=tuple(_AT),
        default="maximum",
        help="which threshold is to be lowered: at the gain maximum (default), or the onset at any "
        "photon energy, which needs a floor",
    )
    command.add_argument("--json", action="store_true", help="print as JSON")


def run(given: argparse.Namespace) -> None:
    """Print the advice that was asked for."""
    asked = request((_CHAPTER,), given.file, given.parameter)
    chapter = asked.run(_CHAPTER)
    target = chapter[_TARGET]
    if given.to is not None:
        if _TARGET in asked.given:
            raise UsageError(f"--to and the parameter {_TARGET} are one thing: give one of them.")
        target = _target(given.to)
    found = advice(
        chapter.subject,
        target,
        definition=_AT[given.at],
        floor=chapter["floor"],
        statistics=chapter["statistics"],
        temperature_K=chapter["temperature_K"],
    )
    if given.json:
        text = json.dumps(record(found), ensure_ascii=False, indent=1, allow_nan=False)
    else:
        text = as_text(found, chapter.is_papers)
    print(text)


def _target(text: str) -> float:
    entry = parameters.parameter(_TARGET)
    try:
        return float(entry.check(float(text)))
    except ValueError:
        raise UsageError(f"--to {text} is not allowed: give {entry.allowed}.") from None


def record(found: Advice) -> dict[str, Any]:
    """Return the advice as JSON has it: null where there is no such number."""
    balance = found.equilibrium
    return {
        "dot": {name: float(value) for name, value in found.dot.values().items()},
        "target": found.target,
        "definition": found.definition,
        "statistics": found.statistics,
        "floor": found.floor,
        "temperature_K": found.temperature_K,
        "thresholds": {name: _plain(value) for name, value in found.thresholds.items()},
        "threshold_without_esa": _plain(found.without_esa),
        "shares_at_threshold": {k: _plain(v) for k, v in found.shares._asdict().items()},
        "ways": {route: _way(way) for route, way in found.ways.items()},
        "way_in_equilibrium": _way(found.balanced_way),
        "one_parameter_alone": {
            name: {k: _plain(v) for k, v in alone._asdict().items()}
            for name, alone in found.singles.items()
        },
        "equilibrium": {
            "allows_the_dot": balance.allows,
            "largest_stokes_shift_meV": _plain(balance.largest_shift_meV),
            "stokes_shift_meV": _plain(balance.stokes_shift_meV),
            "biexciton_stokes_shift_meV": _plain(balance.biexciton_stokes_shift_meV),
            "lowest_threshold": _plain(balance.lowest_threshold),
            "at_binding_meV": _plain(balance.at_binding_meV),
            "narrowest_linewidth_meV": _plain(balance.narrowest_linewidth_meV),
        },
    }


def _plain(value: float) -> float | None:
    return value if math.isfinite(value) else None


def _way(way: Way) -> dict[str, Any] | None:
    if way.dot is None:
        return None
    return {
        "distance_meV": way.distance_meV,
        "change_meV": dict(way.change_meV),
        "dot": {name: float(value) for name, value in way.dot.values().items()},
        "threshold": way.threshold,
    }


def as_text(found: Advice, papers: bool) -> str:
    """Return the advice as lines of text.

    Parameters
    ----------
    found : Advice
        The advice.
    papers : bool
        Whether the dot is the preset that lends its fields to others.
    """
    dot = found.dot
    which = f"the preset {BASE_OF_YOUR_DOT}" if papers else "your dot"
    head = ", ".join(
        f"{symbol} = {_number(float(getattr(dot, name)))}" for name, symbol in _SYMBOLS.items()
    )
    lines = _wrapped(
        f"{which[:1].upper()}{which[1:]}: {head} meV, a = "
        f"{_number(float(dot.xx_absorption_strength))}, γ = "
        f"{_number(float(dot.xx_emission_strength))}."
    )
    lines += ["", *_now(found), ""]
    if found.threshold <= found.target:
        lines += _wrapped(
            f"The wanted threshold, {found.target:g}, is reached: nothing has to change."
        )
        return "\n".join([*lines, "", *_in_equilibrium(found)])
    lines += [f"The shortest way to {found.target:g}, in meV, every meV counted alike:"]
    lines += _aligned([("may change", "length", *_SYMBOLS.values()), *_ways(found)])
    lines += ["", "One parameter alone:", *_aligned(_singles(found)), ""]
    lines += _wrapped(
        f"Looked at within {SEARCH_REACH_WIDTHS:g} linewidths, with the biexciton's emission not "
        "blue of the absorption."
    )
    return "\n".join([*lines, "", *_in_equilibrium(found)])


def _now(found: Advice) -> list[str]:
    maximum, onset = (_number(found.thresholds[name]) for name in _AT.values())
    lines = _wrapped(
        f"Threshold now, {found.statistics.capitalize()} statistics: ⟨N⟩ = {maximum} at the gain "
        f"maximum, {onset} at the onset of a gain of {found.floor:g} of the peak absorption."
    )
    where = "At the onset" if found.definition == "onset" else "At the gain maximum"
    shares = found.shares
    if math.isnan(shares.ground_absorption):
        return lines + _wrapped(f"{where} there is no gain at any pump: absorption wins.")
    lines += _wrapped(
        f"{where} the loss is {_percent(shares.ground_absorption)} absorption by empty dots and "
        f"{_percent(shares.excited_state_absorption)} absorption into the biexciton, the gain "
        f"{_percent(shares.exciton_emission)} emission of X and "
        f"{_percent(shares.biexciton_emission)} of XX. Without absorption into the biexciton the "
        f"threshold would be {_number(found.without_esa)}."
    )
    return lines


def _ways(found: Advice) -> list[tuple[str, ...]]:
    rows = [(route, *_cells(way)) for route, way in found.ways.items()]
    name = f"in equilibrium at {found.temperature_K:g} K"
    return [*rows, (name, *_cells(found.balanced_way))]


def _cells(way: Way) -> tuple[str, ...]:
    if not way.exists:
        return ("no way", *("",) * len(FIELDS))
    return (f"{way.distance_meV:.1f}", *(f"{way.change_meV[name]:+.1f}" for name in FIELDS))


def _singles(found: Advice) -> list[tuple[str, ...]]:
    rows: list[tuple[str, ...]] = [("parameter", "now", "needed", "lowest ⟨N⟩", "at")]
    for name in SINGLES:
        alone = found.singles[name]
        needed = f"{alone.needed:.1f}" if math.isfinite(alone.needed) else "no value"
        at = f"{alone.best:.1f}" if math.isfinite(alone.lowest) else ""
        shown = name if name == SINGLES[name][0] else f"{name} (as {_SYMBOLS[SINGLES[name][0]]})"
        rows.append((shown, f"{alone.now:.1f}", needed, _number(alone.lowest), at))
    return rows


def _in_equilibrium(found: Advice) -> list[str]:
    balance = found.equilibrium
    kelvin = f"{found.temperature_K:g} K"
    verdict = (
        "Both lie between zero and that."
        if balance.allows
        else "Not both lie between zero and that: bands of one thermal width cannot be like this."
    )
    text = (
        f"Thermal equilibrium at {kelvin}: bands of this width have Stokes shifts of at most "
        f"s²/kT = {balance.largest_shift_meV:.1f} meV. The exciton's is "
        f"{balance.stokes_shift_meV:.1f}, the biexciton's S + Δ_E - Δ_A2 = "
        f"{balance.biexciton_stokes_shift_meV:.1f} meV. {verdict} In equilibrium the lowest "
        f"threshold at this width is {_number(balance.lowest_threshold)}"
    )
    if math.isfinite(balance.lowest_threshold):
        text += f", with both bindings at {balance.at_binding_meV:.1f} meV"
    width = balance.narrowest_linewidth_meV
    text += (
        f"; {found.target:g} takes a linewidth of at least {width:.1f} meV."
        if math.isfinite(width)
        else f"; {found.target:g} is out of reach at any linewidth."
    )
    return _wrapped(text)


def _number(value: float) -> str:
    """Return a number as it is read: no zeros at its end, and traces as such."""
    if not math.isfinite(value):
        return significant(value, _DIGITS)
    return f"< {_TRACE:g}" if 0 < value < _TRACE else f"{value:.{_DIGITS}g}"


def _percent(share: float) -> str:
    return f"{100 * share:.0f} %"


def _wrapped(text: str) -> list[str]:
    return textwrap.wrap(text, _WIDTH, break_on_hyphens=False)


def _aligned(rows: Sequence[Sequence[str]]) -> list[str]:
    widths = [max(len(row[i]) for row in rows) for i in range(len(rows[0]))]
    return [
        "  "
        + "  ".join(
            cell.rjust(width) if i else cell.ljust(width)
            for i, (cell, width) in enumerate(zip(row, widths, strict=True))
        ).rstrip()
        for row in rows
    ]
