"""The figure module of every chapter, by the chapter's name; imported when it is asked for."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from importlib import import_module
from types import ModuleType

from qdgain.chapters import CHAPTERS


def name_of(module: ModuleType) -> str:
    """Return the name of a figure module, such as ``fig08``."""
    return module.__name__.rpartition(".")[2]


class _Modules(Mapping[str, ModuleType]):
    def __getitem__(self, chapter: str) -> ModuleType:
        if chapter not in CHAPTERS:
            raise KeyError(chapter)
        return import_module(f"qdgain.figures.{chapter}")

    def __contains__(self, chapter: object) -> bool:
        return chapter in CHAPTERS

    def __iter__(self) -> Iterator[str]:
        return iter(CHAPTERS)

    def __len__(self) -> int:
        return len(CHAPTERS)


#: Chapter to its figure module, in the order of `qdgain.chapters.CHAPTERS`.
MODULES: Mapping[str, ModuleType] = _Modules()
