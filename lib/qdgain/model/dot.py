"""A quantum dot as the Simple Model sees it, and the named presets."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, fields, replace
from functools import cached_property
from types import MappingProxyType
from typing import Any

import numpy as np
from numpy.typing import NDArray

from qdgain.model import parameters

FloatArray = NDArray[np.float64]
Number = float | FloatArray


def _default(name: str) -> Any:
    return parameters.CONTRACT[name].default


@dataclass(frozen=True, eq=False)
class Dot:
    r"""The band positions, widths and strengths of one dot, or of an array of dots.

    Every number may be an array, but for the degeneracies; the arrays broadcast to the dot's
    `shape`, which leads the shape of every result. The `reading` says what the states of the dot
    emit and absorb, see `qdgain.model.states`. Meaning, default, unit and range of each field are
    those of `qdgain.model.parameters.CONTRACT`; a width that is None is the shared one.

    Raises `ParameterError` if a value is refused by the contract, or the arrays do not broadcast.

    Source: paper section 3.3 and Fig 8a.

    >>> Dot(stokes_shift_meV=[20.0, 40.0]).shape
    (2,)
    """

    absorption_energy_eV: Number = _default("absorption_energy_eV")
    linewidth_meV: Number = _default("linewidth_meV")
    stokes_shift_meV: Number = _default("stokes_shift_meV")
    unrelaxed_absorptive_binding_meV: Number = _default("unrelaxed_absorptive_binding_meV")
    absorptive_binding_meV: Number = _default("absorptive_binding_meV")
    emissive_binding_meV: Number = _default("emissive_binding_meV")
    xx_absorption_strength: Number = _default("xx_absorption_strength")
    xx_emission_strength: Number = _default("xx_emission_strength")
    reading: str = _default("reading")
    remaining_absorption: Number = _default("remaining_absorption")
    full_dot_absorption: Number = _default("full_dot_absorption")
    electron_states: int = _default("electron_states")
    hole_states: int = _default("hole_states")
    absorption_linewidth_meV: Number | None = None
    emission_linewidth_meV: Number | None = None
    unrelaxed_xx_absorption_linewidth_meV: Number | None = None
    xx_absorption_linewidth_meV: Number | None = None
    xx_emission_linewidth_meV: Number | None = None

    def __post_init__(self) -> None:
        for field in fields(self):
            checked = parameters.check(field.name, getattr(self, field.name))
            object.__setattr__(self, field.name, checked)
        try:
            _ = self.shape
        except ValueError:
            shapes = ", ".join(
                f"{name} {np.shape(value)}"
                for name, value in self.values().items()
                if np.ndim(value)
            )
            raise parameters.ParameterError(
                f"the arrays of a dot must broadcast to one shape, not {shapes}."
            ) from None

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Dot):
            return NotImplemented
        mine, theirs = self.values(), other.values()
        return mine.keys() == theirs.keys() and all(
            np.array_equal(mine[name], theirs[name]) for name in mine
        )

    def __hash__(self) -> int:
        return hash(tuple((k, np.asarray(v).tobytes()) for k, v in self.values().items()))

    def values(self) -> dict[str, Any]:
        """Return the fields that are set, by name."""
        named = ((name, getattr(self, name)) for name in parameters.DOT_PARAMETERS)
        return {name: value for name, value in named if value is not None}

    @cached_property
    def shape(self) -> tuple[int, ...]:
        """The common shape of the fields: ``()`` for a single dot."""
        return np.broadcast_shapes(*(np.shape(value) for value in self.values().values()))

    def at(self, index: Any) -> Dot:
        """Return some dots of the array, by any index of its shape."""
        some: dict[str, Any] = {
            name: np.broadcast_to(value, self.shape)[index]
            for name, value in self.values().items()
            if name in parameters.DOT_ARRAYS
        }
        return replace(self, **some)

    def blocks(self, size: int) -> Iterator[tuple[slice, Dot]]:
        """Yield the dots of the flattened array, `size` at once: their place in it, and a dot.

        The arrays of the dots are views where possible, and are not checked again.
        """
        every = {
            name: np.broadcast_to(value, self.shape).ravel() if np.ndim(value) else value
            for name, value in vars(self).items()
            if name in parameters.DOT_PARAMETERS
        }
        for start in range(0, math.prod(self.shape), size):
            where = slice(start, start + size)
            some = object.__new__(Dot)
            for name, value in every.items():
                part = value[where] if isinstance(value, np.ndarray) else value
                object.__setattr__(some, name, part)
            yield where, some

    def uncorrelated(self) -> Dot:
        r"""Return the same dot without excited-state absorption: two uncorrelated excitons.

        The *uncorrelated* reading. A_XX = A_X and PL_XX = PL_X:
        :math:`\Delta_{A1}=\Delta_{A2}=\Delta_E=0`, :math:`a=\gamma=1`, and the widths follow. A
        degenerate dot has none anyway and stays what it is. Source: paper section 3.3,
        "without ESA".
        """
        return replace(
            self,
            reading=self.reading if self.reading == "degenerate" else "uncorrelated",
            unrelaxed_absorptive_binding_meV=0.0,
            absorptive_binding_meV=0.0,
            emissive_binding_meV=0.0,
            xx_absorption_strength=1.0,
            xx_emission_strength=1.0,
            unrelaxed_xx_absorption_linewidth_meV=self.absorption_linewidth_meV,
            xx_absorption_linewidth_meV=self.absorption_linewidth_meV,
            xx_emission_linewidth_meV=self.emission_linewidth_meV,
        )


def presets() -> Mapping[str, Dot]:
    """Return the named dots: ``3LS``, ``3LS+ESA``, ``4LS``, ``4LS+ESA``.

    The dots without ESA are the uncorrelated limits of those with it. Values and origin are
    stored in ``qdgain/data/presets.toml``.

    >>> list(presets())
    ['3LS', '3LS+ESA', '4LS', '4LS+ESA']
    """
    shared = parameters.PRESETS["shared"]
    named = {}
    for name, values in parameters.PRESETS["dots"].items():
        dot = Dot(**shared, **values)
        named[name.removesuffix("+ESA")] = dot.uncorrelated()
        named[name] = dot
    return MappingProxyType(named)
