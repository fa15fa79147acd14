"""``qdgain advise``: what a dot would need for a low threshold."""

from __future__ import annotations

import argparse
import math
import textwrap
from collections.abc import Mapping
from typing import Any

from qdgain.beyond.advice import SINGLES, Advice, advice
from qdgain.beyond.levers import SEARCH_REACH_WIDTHS
from qdgain.beyond.shortest_way import FIELDS, Way
from qdgain.commands import Parser, UsageError, say
from qdgain.model import parameters
from qdgain.model.dot import Dot
from qdgain.reruns.request import request
from qdgain.run import BASE_OF_YOUR_DOT
from qdgain.table import Table
from qdgain.text import as_json, significant

_CHAPTER = "design"
_TARGET = "low_threshold"
_AT = {"maximum": "at gain maximum", "onset": "onset"}
_SYMBOLS = dict(zip(FIELDS, ("S", "Δ_A2", "Δ_E", "Γ"), strict=True))
_WIDTH = 90
_DIGITS = 3
#: Thresholds below this are not told apart.
_TRACE = 1e-3


def add(command: Parser) -> None:
    """Describe the subcommand."""
    command.description = (
        "Say how far a dot is from a wanted gain threshold: the threshold now and what limits it, "
        "the shortest way there, what each parameter can do alone, and what thermal equilibrium "
        "allows. Fields of the dot that are not set are those of the 3LS with ESA."
    )
    command.parameters()
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
    command.flag("--json", "print as JSON")


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
        say(as_json(record(found)))
    else:
        say(as_text(found, chapter.is_papers))


def _target(text: str) -> float:
    entry = parameters.parameter(_TARGET)
    try:
        return float(entry.check(float(text)))
    except ValueError:
        raise UsageError(f"--to {text} is not allowed: give {entry.allowed}.") from None


def record(found: Advice) -> dict[str, Any]:
    """Return the advice as JSON has it: null where there is no such number."""
    balance = found.equilibrium
    same = ("target", "definition", "statistics", "floor", "temperature_K", "thresholds")
    in_balance = ("stokes_shift_meV", "biexciton_stokes_shift_meV", "lowest_threshold")
    content: dict[str, Any] = {
        "dot": found.dot,
        **{name: getattr(found, name) for name in same},
        "threshold_without_esa": found.without_esa,
        "shares_at_threshold": found.shares._asdict(),
        "ways": found.ways,
        "way_in_equilibrium": found.balanced_way,
        "one_parameter_alone": {name: one._asdict() for name, one in found.singles.items()},
        "equilibrium": {
            "allows_the_dot": balance.allows,
            "largest_stokes_shift_meV": balance.largest_shift_meV,
            **{name: getattr(balance, name) for name in in_balance},
            "at_binding_meV": balance.at_binding_meV,
            "narrowest_linewidth_meV": balance.narrowest_linewidth_meV,
        },
    }
    return {name: _plain(value) for name, value in content.items()}


def _plain(content: Any) -> Any:
    if isinstance(content, Dot):
        values = content.values()
        arrays = values.keys() & set(parameters.DOT_ARRAYS)
        return values | {name: float(getattr(content, name)) for name in arrays}
    if isinstance(content, Way):
        shown = ("distance_meV", "change_meV", "dot", "threshold")
        content = {n: getattr(content, n) for n in shown} if content.dot is not None else None
    if isinstance(content, Mapping):
        return {name: _plain(value) for name, value in content.items()}
    return None if isinstance(content, float) and not math.isfinite(content) else content


def as_text(found: Advice, papers: bool) -> str:
    """Return the advice as lines of text; ``papers`` says that the dot is the preset."""
    dot = found.dot
    which = f"The preset {BASE_OF_YOUR_DOT}" if papers else "Your dot"
    head = ", ".join(
        f"{symbol} = {_number(float(getattr(dot, name)))}" for name, symbol in _SYMBOLS.items()
    )
    lines = _wrapped(
        f"{which}: {head} meV, a = "
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
    lines += [_ways(found).text(indent="  "), "", "One parameter alone:"]
    lines += [_singles(found).text(indent="  "), ""]
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


def _ways(found: Advice) -> Table:
    rows = [(route, *_cells(way)) for route, way in found.ways.items()]
    rows.append((f"in equilibrium at {found.temperature_K:g} K", *_cells(found.balanced_way)))
    header = ("may change", "length", *_SYMBOLS.values())
    return Table(header, rows, right=range(1, len(header)))


def _cells(way: Way) -> tuple[str, ...]:
    if not way.exists:
        return ("no way", *("",) * len(FIELDS))
    return (f"{way.distance_meV:.1f}", *(f"{way.change_meV[name]:+.1f}" for name in FIELDS))


def _singles(found: Advice) -> Table:
    rows = []
    for name in SINGLES:
        alone = found.singles[name]
        needed = f"{alone.needed:.1f}" if math.isfinite(alone.needed) else "no value"
        at = f"{alone.best:.1f}" if math.isfinite(alone.lowest) else ""
        shown = name if name == SINGLES[name][0] else f"{name} (as {_SYMBOLS[SINGLES[name][0]]})"
        rows.append((shown, f"{alone.now:.1f}", needed, _number(alone.lowest), at))
    return Table(("parameter", "now", "needed", "lowest ⟨N⟩", "at"), rows, right=range(1, 5))


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
