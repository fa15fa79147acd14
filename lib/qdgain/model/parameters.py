"""The parameter contract: every parameter's name, symbol, unit, range, default and origin.

The entries are ``data/parameters.toml``, the one place where they are written. The checks of `Dot`,
the chapters' parameters cells, the sliders and the book's table are made from them.
"""

from __future__ import annotations

import difflib
import math
import reprlib
import tomllib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray


class ParameterError(ValueError):
    """A parameter that the contract refuses, with the reason in one sentence."""


@dataclass(frozen=True)
class Origin:
    """Where a value comes from: the section or figure, the DOI, or the reason.

    Kinds: ``paper`` (stated there), ``literature`` (public, with its DOI), ``calibrated`` (solved
    for, so that numbers stated in the paper come out), ``provisional`` (to be replaced by a
    calibration) or ``assumed``.
    """

    kind: str
    source: str

    KINDS = ("paper", "literature", "calibrated", "provisional", "assumed")

    def __post_init__(self) -> None:
        if self.kind not in self.KINDS:
            raise ValueError(f"origin {self.kind!r} is none of {', '.join(self.KINDS)}")


@dataclass(frozen=True)
class Parameter:
    """One entry of the contract.

    Parameters
    ----------
    name : str
        The name in the code, with its unit.
    symbol : str
        The symbol in the book's equations, in TeX.
    unit : str
        The unit as printed; ``1`` for a pure number.
    meaning : str
        One line.
    default : float, int, str or None
        None where another parameter stands in for it. The path of a file where it is text without
        choices.
    origin : Origin
        Where the default comes from.
    minimum, maximum : float
        The allowed range of a number, both ends included.
    choices : tuple of str
        The allowed words, for a parameter that is a word.
    stand_in : str
        What is used while an optional parameter is None.
    """

    name: str
    symbol: str
    unit: str
    meaning: str
    default: float | int | str | None
    origin: Origin
    minimum: float = -math.inf
    maximum: float = math.inf
    choices: tuple[str, ...] = ()
    stand_in: str = ""

    @property
    def kind(self) -> str:
        """``word``, ``file``, ``integer`` or ``number``."""
        if self.choices:
            return "word"
        if isinstance(self.default, str):
            return "file"
        return "integer" if isinstance(self.default, int) else "number"

    @property
    def allowed(self) -> str:
        """What is allowed, as the end of a sentence."""
        if self.choices:
            return "one of " + ", ".join(self.choices)
        if self.kind == "file":
            return "the path of a file, or nothing"
        noun = "a whole number" if self.kind == "integer" else "a number"
        unit = "" if self.unit == "1" else f" {self.unit}"
        return f"{noun} from {self.minimum:g} to {self.maximum:g}{unit}"

    def check(self, value: Any) -> Any:
        """Return the value as float, int, str or read-only array, or refuse it.

        None passes where a stand-in is defined. Raises `ParameterError` if the value has the wrong
        type, is not finite or is out of range.
        """
        if value is None and self.stand_in:
            return None
        if self.choices:
            if not isinstance(value, str) or value not in self.choices:
                raise self.refusal(value)
            return value
        if self.kind == "file":
            if not isinstance(value, str):
                raise self.refusal(value)
            return value
        array = np.asarray(value)
        # Only true numbers: no strings that look like one, no booleans, no objects.
        if array.dtype.kind not in "iuf" or array.size == 0:
            raise self.refusal(value)
        inside = np.isfinite(array) & (array >= self.minimum) & (array <= self.maximum)
        if self.kind == "integer":
            inside &= array == np.floor(array)
        if not inside.all():
            raise self.refusal(array[~inside].flat[0].item())
        if self.kind == "integer":
            if array.ndim:
                raise self.refusal(value)
            return int(array)
        if array.ndim == 0:
            return float(array)
        result = array.astype(float)
        result.flags.writeable = False
        return result

    def refusal(self, value: Any) -> ParameterError:
        """Return the refusal of a value: the name, the value and what is allowed."""
        also = f", or None for {self.stand_in}" if self.stand_in else ""
        return ParameterError(
            f"{self.name} = {shortened(value)} is not allowed: give {self.allowed}{also}."
        )


def shortened(value: Any) -> str:
    """Return a value as Python writes it, at most some sixty characters of it.

    >>> shortened([1.5, "x" * 1000])
    "[1.5, 'xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx..."
    """
    try:
        text = _SHORT.repr(value)
    except ValueError:
        # Python writes no whole number of more than some thousand digits.
        return "a number of thousands of digits"
    return text if len(text) <= 60 else text[:57] + "..."


#: What is nested deeply, or holds itself many times, is not written out.
_SHORT = reprlib.Repr()
_SHORT.maxstring = _SHORT.maxlong = _SHORT.maxother = 200


def read_data(name: str) -> dict[str, Any]:
    """Return one of the TOML files in ``qdgain/data/``.

    >>> read_data("presets.toml")["default_dot"]
    '3LS+ESA'
    """
    # importlib.resources takes longer to import than all of this package.
    return tomllib.loads((Path(__file__).parents[1] / "data" / name).read_text(encoding="utf-8"))


#: The stored presets, as the calibration wrote them.
PRESETS: Mapping[str, Any] = read_data("presets.toml")
#: Where their values come from.
CALIBRATED = Origin(**PRESETS["origin"])
_PRESET_TABLES = {
    "shared": PRESETS["shared"],
    "subject": PRESETS["dots"][PRESETS["default_dot"]],
    "film": PRESETS["film"],
}


def _entry(name: str, given: dict[str, Any]) -> Parameter:
    """Return an entry of the file; its default may be a preset's, and its origin with it."""
    low, high = given.get("range", (-math.inf, math.inf))
    preset = given.get("preset")
    origin = Origin(given["origin"], given["source"]) if "origin" in given else CALIBRATED
    return Parameter(
        name,
        given["symbol"],
        given.get("unit", "1"),
        given["meaning"],
        _PRESET_TABLES[preset][name] if preset else given.get("default"),
        origin,
        low,
        high,
        tuple(given.get("choices", ())),
        given.get("stand_in", ""),
    )


_ENTRIES = read_data("parameters.toml")
#: name -> Parameter, for everything that a user can set.
CONTRACT: Mapping[str, Parameter] = {
    name: _entry(name, given)
    for kind in ("dot", "setting")
    for name, given in _ENTRIES[kind].items()
}

#: The names that describe a dot, in the order of its fields.
DOT_PARAMETERS: tuple[str, ...] = tuple(_ENTRIES["dot"])
#: Those of them that may be arrays.
DOT_ARRAYS: tuple[str, ...] = tuple(n for n in DOT_PARAMETERS if CONTRACT[n].kind == "number")


def parameter(name: str) -> Parameter:
    """Return the contract's entry of that name.

    Raises `ParameterError` if there is none; the sentence suggests the nearest name.

    >>> parameter("floor").allowed
    'a number from 1e-09 to 1'
    """
    try:
        return CONTRACT[name]
    except KeyError:
        raise unknown_name(name, CONTRACT) from None


def unknown_name(name: str, known: Iterable[str]) -> ParameterError:
    """Return the refusal of an unknown parameter, with the nearest known name.

    >>> str(unknown_name("flor", ["floor"]))
    'flor is not a parameter here: did you mean floor?'
    """
    known = list(known)
    near = difflib.get_close_matches(name, known, n=1)
    hint = f"did you mean {near[0]}?" if near else "the names are " + ", ".join(known) + "."
    return ParameterError(f"{name} is not a parameter here: {hint}")


def clipped(name: str, values: ArrayLike) -> NDArray[np.float64]:
    """Return numbers moved to the nearest that the contract allows a parameter.

    >>> clipped("floor", [0.0, 0.5]).tolist()
    [1e-09, 0.5]
    """
    entry = parameter(name)
    inside = np.clip(np.asarray(values, dtype=float), entry.minimum, entry.maximum)
    return np.asarray(inside, dtype=float)


def check(name: str, value: Any) -> Any:
    """Check one value against the contract; see `Parameter.check`.

    >>> check("floor", 0.01)
    0.01
    """
    return parameter(name).check(value)
