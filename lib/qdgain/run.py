"""One run of a chapter: the dots it draws and its settings, resolved and checked."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any, NamedTuple

from qdgain.model import parameters
from qdgain.model.dot import Dot, presets

#: The preset that lends a user's dot the fields that are not set.
BASE_OF_YOUR_DOT = "3LS+ESA"
YOUR_DOT = "your dot"


class Difference(NamedTuple):
    """A parameter whose value is not the paper's; None stands for the parameter's stand-in."""

    name: str
    paper: Any
    here: Any


@dataclass(frozen=True)
class Run:
    """What a chapter was asked to draw: dots and the chapter's own settings, by name.

    The dots are the paper's presets and, if any of its fields was set, the user's dot without and
    with ESA.
    """

    dots: Mapping[str, Dot]
    settings: Mapping[str, Any]

    def __getitem__(self, setting: str) -> Any:
        """Return a setting by name."""
        return self.settings[setting]

    @property
    def pairs(self) -> tuple[str, ...]:
        """The names of the level schemes, each with a ``+ESA`` partner."""
        return tuple(name for name in self.dots if not name.endswith("+ESA"))

    @property
    def is_papers(self) -> bool:
        """Whether only the paper's presets are drawn."""
        return YOUR_DOT not in self.dots

    @property
    def subject(self) -> Dot:
        """The dot that a chapter is about: the user's, or the preset that lends it its fields."""
        return self.dots[BASE_OF_YOUR_DOT if self.is_papers else f"{YOUR_DOT}+ESA"]

    def parameters(self) -> dict[str, Any]:
        """Return every parameter of the run: the subject's fields, then the settings."""
        dot = {name: getattr(self.subject, name) for name in parameters.DOT_PARAMETERS}
        return dot | dict(self.settings)

    def differences(self) -> tuple[Difference, ...]:
        """Return the parameters that are not the paper's, in the order of the contract."""
        papers = resolve(tuple(self.settings), {}).parameters()
        return tuple(
            Difference(name, papers[name], here)
            for name, here in self.parameters().items()
            if here != papers[name]
        )


def resolve(settings: tuple[str, ...], given: Mapping[str, Any]) -> Run:
    """Return the run of a chapter, whose own settings have these names, with some parameters.

    Settings and dot fields are given by name; a dot field that is None is not set. A ParameterError
    if a name is unknown or a value refused.
    """
    known = (*parameters.DOT_PARAMETERS, *settings)
    for name in given:
        if name not in known:
            raise parameters.unknown_name(name, known)
    checked = {
        name: parameters.check(name, given.get(name, parameters.CONTRACT[name].default))
        for name in settings
    }
    dots = dict(presets())
    own = {
        name: parameters.check(name, given[name])
        for name in parameters.DOT_PARAMETERS
        if given.get(name) is not None
    }
    if own:
        yours = Dot(**(dots[BASE_OF_YOUR_DOT].values() | own))
        if yours.shape:
            raise parameters.ParameterError("a chapter draws one dot: give numbers, not arrays.")
        dots |= {YOUR_DOT: yours.uncorrelated(), f"{YOUR_DOT}+ESA": yours}
    return Run(MappingProxyType(dots), MappingProxyType(checked))
