"""The figure module of every chapter, by the chapter's name."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType, ModuleType

from qdgain.figures import (
    auger,
    balance,
    design,
    ensembles,
    fig06,
    fig07,
    fig08,
    fig09,
    fig10,
    information,
)


def name_of(module: ModuleType) -> str:
    """Return the name of a figure module, such as ``fig08``."""
    return module.__name__.rpartition(".")[2]


#: Chapter to its figure module, in the order of `qdgain.chapters.CHAPTERS`.
MODULES: Mapping[str, ModuleType] = MappingProxyType(
    {
        name_of(module): module
        for module in (
            *(fig06, fig07, fig08, fig09, fig10),
            *(balance, auger, information, design, ensembles),
        )
    }
)
