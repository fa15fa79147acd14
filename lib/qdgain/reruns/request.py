"""What a user asks for: chapters, and parameters from the command line and from files, checked.

Everything is checked against the contract before anything runs or is written.
"""

from __future__ import annotations

import difflib
import json
import math
import re
import tomllib
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from types import MappingProxyType
from typing import Any

import yaml

from qdgain.chapters import CHAPTERS, NAMES, SETTINGS
from qdgain.files import path_of, read_bytes, read_text, unusable
from qdgain.model import parameters
from qdgain.model.parameters import Parameter, ParameterError
from qdgain.run import Run, resolve

EVERY_CHAPTER = "all"
#: The key that tells a run card from other files, and its format.
CARD, CARD_FORMAT = "qdgain_run_card", 1
#: Tables of a parameter file that tell where its values come from, and set nothing.
ABOUT = ("uncertainty", "correlation", "origin", "source")
_FILE = "parameter file"
# As Python's float, without infinities, underscores and digits of other scripts.
_NUMBER = re.compile(r"[+-]?(\d+(\.\d*)?|\.\d+)([eE][+-]?\d+)?", re.ASCII)
_NONE = "none"
#: Letters of a name, and of the reason why a file cannot be read.
_LONGEST = 200
# Reading a dotted name takes a time that goes as the square of its parts.
_MANY_PARTS = re.compile(r"(?<![\w-])(?:[\w-]++\s*+\.\s*+){50}")


@dataclass(frozen=True)
class Request:
    """Chapters such as ``fig08``, and the checked parameters set for them; a path is absolute."""

    chapters: tuple[str, ...]
    given: Mapping[str, Any]

    def of(self, chapter: str) -> dict[str, Any]:
        """Return what was set of the parameters that a chapter has."""
        return {name: self.given[name] for name in names_of(chapter) if name in self.given}

    def run(self, chapter: str) -> Run:
        """Return the run that a chapter is asked for."""
        return resolve(SETTINGS[chapter], self.of(chapter))


def names_of(chapter: str) -> tuple[str, ...]:
    """Return the names of the parameters that a chapter has: the dot's and its settings."""
    return (*parameters.DOT_PARAMETERS, *SETTINGS[chapter])


def users_of(chapters: Iterable[str]) -> dict[str, tuple[str, ...]]:
    """Return for each parameter of some chapters which have it, in the contract's order."""
    having = {chapter: names_of(chapter) for chapter in chapters}
    users = {
        name: tuple(chapter for chapter, names in having.items() if name in names)
        for name in parameters.CONTRACT
    }
    return {name: found for name, found in users.items() if found}


def chapters_named(name: str) -> tuple[str, ...]:
    """Return the chapters that a name such as ``fig08`` or ``all`` stands for, or refuse it."""
    if name == EVERY_CHAPTER:
        return CHAPTERS
    if name in CHAPTERS:
        return (name,)
    near = difflib.get_close_matches(name, (*CHAPTERS, EVERY_CHAPTER), n=1)
    hint = f": did you mean {near[0]}?" if near else f": give {NAMES} or all."
    raise ParameterError(f"there is no chapter {name!r}{hint}")


def request(
    chapters: Sequence[str], files: Sequence[str | Path] = (), assignments: Sequence[str] = ()
) -> Request:
    """Return a checked request from files, see `read_file`, and texts ``name=value``, which win.

    Raises
    ------
    ParameterError
        If a name is unknown to the chapters or set twice, or a value refused; one sentence.
    """
    known = tuple(users_of(chapters))
    in_files: dict[str, Any] = {}
    for path in files:
        for name, value in read_file(path).items():
            _refuse_twice(name, in_files, value)
            in_files[name] = checked(name, value, known)
    typed: dict[str, Any] = {}
    for text in assignments:
        name, equals, value = text.partition("=")
        if not equals or not name:
            raise ParameterError(f"{text!r} is not a parameter: write name=value.")
        _refuse_twice(name, typed, value)
        typed[name] = checked(name, value_of(entry_of(name, known), value), known)
    given = {name: value for name, value in (in_files | typed).items() if value is not None}
    asked = Request(tuple(chapters), MappingProxyType(given))
    for chapter in chapters:
        asked.run(chapter)  # refuses what does not go together
    return asked


def value_of(entry: Parameter, text: str) -> Any:
    """Return the value that a typed text stands for, not yet checked; refuse text for a number."""
    if entry.kind in ("word", "file"):
        return text
    if entry.stand_in and text == _NONE:
        return None
    if not _NUMBER.fullmatch(text) or not math.isfinite(float(text)):
        raise entry.refusal(text)
    number = float(text)
    return int(number) if number.is_integer() and entry.kind == "integer" else number


def read_file(path: str | Path) -> dict[str, Any]:
    """Return the parameters of a TOML or YAML file, or those that a run card was given.

    Paths in it are taken from the file's own folder. The tables ``uncertainty``, ``correlation``,
    ``origin`` and ``source`` say where its values come from and are passed over.

    Raises
    ------
    ParameterError
        If the file cannot be used; one sentence says why.
    """
    path = path_of(path)
    table = read_table(path)
    return {
        _name(path, name): _beside(path, name, value)
        for name, value in (table["given"] if CARD in table else table).items()
        if not (isinstance(value, dict) and name in ABOUT)
    }


def read_table(path: Path) -> dict[Any, Any]:
    """Return the names and values in a file as they are; of a run card all its parts."""
    if path.suffix.lower() not in _READERS:
        raise unusable(_FILE, path, "its name must end in .toml, .yaml, .yml or .json")
    form, read, most_bytes = _READERS[path.suffix.lower()]
    text = read_text(_FILE, path, most_bytes)
    try:
        table = read(text)
    except (ValueError, TypeError, RecursionError, yaml.YAMLError) as error:
        reason = " ".join(str(error).split())
        raise unusable(_FILE, path, f"it is not {form}: {reason[:_LONGEST]}") from None
    if not isinstance(table, dict):
        raise unusable(_FILE, path, "it is not a table of names and values")
    card = (table[CARD], isinstance(table.get("given"), dict)) if CARD in table else None
    if card not in (None, (CARD_FORMAT, True)):
        raise unusable(_FILE, path, f"it is not a run card of format {CARD_FORMAT}")
    return table


def _name(path: Path, name: Any) -> str:
    text = name if isinstance(name, str) else parameters.shortened(name)
    if len(text) > _LONGEST:
        raise unusable(_FILE, path, f"a name in it has {len(text)} letters")
    return text


def _beside(path: Path, name: Any, value: Any) -> Any:
    """Return the value, a path taken from the folder of the file that it stands in."""
    entry = parameters.CONTRACT.get(name) if isinstance(name, str) else None
    is_path = entry is not None and entry.kind == "file" and isinstance(value, str) and value
    return str(path.parent / value) if is_path else value


def _without_repeats(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    table = dict(pairs)
    if len(table) != len(pairs):
        raise ValueError("a name stands twice")
    return table


def _toml(text: str) -> dict[str, Any]:
    if _MANY_PARTS.search(text):
        raise ValueError("a name has more than fifty parts")
    return tomllib.loads(text)


class _Yaml(yaml.SafeLoader):
    """Plain YAML as people expect it: a number is decimal, and a name may stand only once."""

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Any, Any]:
        seen = set()
        for key, _ in node.value:
            name = self.construct_object(key, deep=True)
            if name in seen:
                raise yaml.YAMLError(f"{name} stands twice (line {key.start_mark.line + 1})")
            seen.add(name)
        return super().construct_mapping(node, deep)

    def construct_number(self, node: yaml.ScalarNode) -> float:
        """Return a decimal number; in YAML 1.1 060 is 48, and 1:30 is 90."""
        if not _DECIMAL.fullmatch(node.value):
            raise yaml.YAMLError(
                f"{node.value} (line {node.start_mark.line + 1}) is another number to some readers "
                "of YAML: write it in decimal digits, such as 60 or 1.5e-3, or in quotes if it is "
                "text"
            )
        return float(node.value) if set(node.value) & set(".eE") else int(node.value)


_DECIMAL = re.compile(r"[+-]?(0|[1-9]\d*|(\d+\.\d*|\.\d+|\d+(?=[eE]))([eE][+-]?\d+)?)", re.ASCII)
_INT, _FLOAT = "tag:yaml.org,2002:int", "tag:yaml.org,2002:float"
# YAML 1.1 takes some of what looks like a number, such as 1e3, 089 or 0o17, for text.
_LIKE_A_NUMBER = re.compile(r"[+-]?(0o\w+|\d+\.?\d*|\.\d+)([eE][+-]?\d+)?$", re.ASCII)
_Yaml.add_implicit_resolver(_FLOAT, _LIKE_A_NUMBER, list("+-.0123456789"))
for _tag in (_INT, _FLOAT):
    _Yaml.add_constructor(_tag, _Yaml.construct_number)


def _yaml(text: str) -> Any:
    # Each takes a time that goes with the number of those still open.
    if sum(map(text.count, "[{")) > 1000:
        raise ValueError("it has more than a thousand brackets")
    return yaml.load(text, Loader=_Yaml)


#: Of text that takes long to read, less is read.
_SOME_BYTES, _MANY_BYTES = 100_000, 1_000_000
#: What a file of this kind is called, what reads its text, and how many bytes it may have.
_READERS: Mapping[str, tuple[str, Callable[[str], Any], int]] = {
    ".toml": ("TOML", _toml, _SOME_BYTES),
    ".json": ("JSON", partial(json.loads, object_pairs_hook=_without_repeats), _MANY_BYTES),
    ".yaml": ("YAML", _yaml, _SOME_BYTES),
    ".yml": ("YAML", _yaml, _SOME_BYTES),
}


def entry_of(name: str, known: tuple[str, ...]) -> Parameter:
    """Return the contract's entry of a name that is known here, or refuse the name."""
    if name in parameters.CONTRACT and name not in known:
        others = users_of(CHAPTERS).get(name, ())
        *first, last = others or ("none",)
        has = f"{', '.join(first)} and {last} have it" if first else f"{last} has it"
        raise ParameterError(f"{name} is not a parameter here: {has}.")
    if name not in known:
        raise parameters.unknown_name(name, known)
    return parameters.CONTRACT[name]


def _refuse_twice(name: str, before: Mapping[str, Any], value: Any) -> None:
    if name in before:
        one, other = (
            f"{v:g}" if isinstance(v, float) else parameters.shortened(v).strip("'")
            for v in (before[name], value)
        )
        raise ParameterError(f"{name} is given twice: {one} and {other}.")


def checked(name: str, value: Any, known: tuple[str, ...]) -> Any:
    """Return a scalar the contract allows; a file's path absolute, after a look into the file."""
    entry = entry_of(name, known)
    if isinstance(value, list | tuple | dict):
        raise entry.refusal(value)
    value = entry.check(value)
    if entry.kind == "file" and value:
        path = path_of(value).absolute()
        read_bytes("file", path, _MANY_BYTES)
        # Interpolates, with half of scipy, and is seldom asked for.
        from qdgain.measured.gain_spectra import read_spectra  # noqa: PLC0415

        read_spectra(path)
        return str(path)
    return value
