"""The numbers that calibrate, the unknowns behind them, and the readings of the paper."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache, cached_property
from typing import Any, NamedTuple

import numpy as np

from qdgain.model.bands import FWHM_PER_SIGMA
from qdgain.model.dot import Dot, FloatArray
from qdgain.model.parameters import PRESETS
from qdgain.paper.claims import claims

#: The claims that calibrate, in the order of every residual: five of the gain, four of the film.
TARGETS = (
    "F8-3ls",
    "F8-3ls-esa",
    "F8-4ls",
    "F8-4ls-esa",
    "F8-max-esa",
    "F9-3ls",
    "F9-3ls-esa",
    "F9-4ls",
    "F9-4ls-esa",
)
#: How many of them need no film.
OF_GAIN = 5
#: By how much a computed number may miss a stated one, as a fraction.
TOLERANCE = 0.1
#: The dots along the last axis of every candidate.
DOTS = ("3LS", "3LS+ESA", "4LS", "4LS+ESA")
SCHEMES = ("3ls", "4ls")


class Unknown(NamedTuple):
    """One unknown: its name, unit, and where it is looked for."""

    name: str
    unit: str
    low: float
    high: float

    @property
    def is_log(self) -> bool:
        """Whether its coordinate is its logarithm."""
        return self.unit != "s"


#: Energies in units of s, the standard deviation of the bands; the order of every full vector of
#: coordinates.
UNKNOWNS = (
    Unknown("stokes_3ls", "s", 0.0, 4.0),
    Unknown("stokes_4ls", "s", 0.0, 4.0),
    Unknown("absorptive_3ls", "s", -4.0, 4.0),
    Unknown("emissive_3ls", "s", -4.0, 4.0),
    Unknown("absorptive_4ls", "s", -4.0, 4.0),
    Unknown("emissive_4ls", "s", -4.0, 4.0),
    Unknown("xx_absorption_strength", "1", 0.25, 4.0),
    Unknown("xx_emission_strength", "1", 0.03, 1.0),
    Unknown("gain_exponent", "1", 1.0, 3000.0),
    Unknown("pi_pulse_fluence_mJ_cm2", "mJ cm⁻²", 0.3, 30.0),
    Unknown("floor", "1", 1e-4, 0.3),
)
#: Name → place in that order.
INDEX = {unknown.name: i for i, unknown in enumerate(UNKNOWNS)}
_IS_LOG = np.array([unknown.is_log for unknown in UNKNOWNS])
_ENDS = np.array([[np.log(end) if u.is_log else end for end in u[2:]] for u in UNKNOWNS])

#: How many of them are energies, which a coupling may tie.
_SHIFTS = 6
_STOKES = (("stokes_3ls",), ("stokes_4ls",))
#: Name → (meaning, which shifts move together).
COUPLINGS: Mapping[str, tuple[str, tuple[tuple[str, ...], ...]]] = {
    "one": (
        "one shift for A_XX2 and PL_XX of both schemes",
        (*_STOKES, ("absorptive_3ls", "emissive_3ls", "absorptive_4ls", "emissive_4ls")),
    ),
    "displaced": (
        "one binding; in the 4LS A_XX2 and PL_XX also follow the displaced potentials, by S",
        (
            ("stokes_3ls",),
            ("stokes_4ls", "absorptive_4ls", "emissive_4ls"),
            ("absorptive_3ls", "emissive_3ls", "absorptive_4ls", "emissive_4ls"),
        ),
    ),
    "relaxed": (
        "one binding for both schemes; the 4LS's relaxed exciton absorbs at a place of its own",
        (*_STOKES, ("absorptive_3ls", "emissive_3ls", "emissive_4ls"), ("absorptive_4ls",)),
    ),
    "shared": (
        "Δ_A2 and Δ_E are two numbers, the same in both schemes",
        (*_STOKES, ("absorptive_3ls", "absorptive_4ls"), ("emissive_3ls", "emissive_4ls")),
    ),
    "separate": (
        "Δ_A2 and Δ_E are free in each scheme",
        tuple((unknown.name,) for unknown in UNKNOWNS[:_SHIFTS]),
    ),
}


@dataclass(frozen=True)
class Variant:
    """One reading of the paper.

    Parameters
    ----------
    threshold : {"maximum", "onset"}
        Definition of the gain threshold; the onset has its floor as one more unknown.
    statistics : {"rabi", "sequential", "poisson"}
        Population statistics.
    esa_weight : float or None
        The strength a of A_XX2, or None to solve for it.
    coupling : str
        One of `COUPLINGS`.
    """

    threshold: str = "maximum"
    statistics: str = "rabi"
    esa_weight: float | None = None
    coupling: str = "separate"

    @property
    def name(self) -> str:
        """A name for tables."""
        weight = "free" if self.esa_weight is None else f"{self.esa_weight:g}"
        return f"{self.threshold} · {self.statistics} · a {weight} · {self.coupling}"

    def is_like(self, other: Variant) -> bool:
        """Whether both have the same threshold and statistics."""
        return (self.threshold, self.statistics) == (other.threshold, other.statistics)

    @cached_property
    def _groups(self) -> tuple[tuple[str, ...], ...]:
        """The unknowns that each free parameter moves, all at one rate."""
        alone = [unknown.name for unknown in UNKNOWNS[_SHIFTS:]]
        if self.esa_weight is not None:
            alone.remove("xx_absorption_strength")
        if self.threshold == "maximum":
            alone.remove("floor")
        return (*COUPLINGS[self.coupling][1], *((name,) for name in alone))

    @property
    def parameters(self) -> int:
        """How many free parameters there are."""
        return len(self._groups)

    @cached_property
    def names(self) -> tuple[str, ...]:
        """What each free parameter is called: the first unknown that it moves."""
        return tuple(group[0] for group in self._groups)

    @cached_property
    def bounds(self) -> tuple[FloatArray, FloatArray]:
        """The bounds of the free parameters."""
        low, high = _ENDS[[INDEX[name] for name in self.names]].T
        return low, high

    @cached_property
    def _matrix(self) -> FloatArray:
        return np.array([[float(name in group) for name in INDEX] for group in self._groups])

    def free(self, full: FloatArray) -> FloatArray | None:
        """Return the free parameters (P,) that give coordinates (11,); None if none do."""
        known = np.where(np.isfinite(full), full, 0.0)
        found = np.linalg.lstsq(self._matrix.T, known, rcond=None)[0].astype(np.float64)
        low, high = self.bounds
        within = np.all((found >= low - 1e-9) & (found <= high + 1e-9))
        same = np.allclose(self.full(found)[0], full, rtol=1e-5, atol=1e-9)
        return found if within and same else None

    def full(self, free: FloatArray) -> FloatArray:
        """Return all coordinates, (K, 11), of free parameters (K, P)."""
        result = np.atleast_2d(free) @ self._matrix
        if self.esa_weight is not None:
            result[:, INDEX["xx_absorption_strength"]] = np.log(self.esa_weight)
        if self.threshold == "maximum":
            result[:, INDEX["floor"]] = -np.inf
        return result


def values(full: FloatArray) -> FloatArray:
    """Return coordinates as values: logarithms undone, energies in units of s."""
    with np.errstate(over="ignore"):
        return np.where(_IS_LOG, np.exp(full), full)


@cache
def _of_claims(field: str) -> FloatArray:
    return np.array([getattr(claims()[name], field) for name in TARGETS], dtype=float)


def stated_numbers() -> FloatArray:
    """Return the paper's numbers in the order of `TARGETS`."""
    return _of_claims("stated").copy()


def half_digits() -> FloatArray:
    """Return half a unit of the last digit that the paper prints, of each of `TARGETS`."""
    return _of_claims("tolerance").copy()


def width_meV() -> float:
    """Return s of the presets, which turns the solution's energies into meV."""
    return float(PRESETS["shared"]["linewidth_meV"]) / FWHM_PER_SIGMA


def dot_with_esa(v: Mapping[str, Any], scheme: str) -> dict[str, Any]:
    """Return a scheme's fields of a `Dot`, of unknowns by name; energies become meV."""
    s = width_meV()
    return {
        "stokes_shift_meV": s * v[f"stokes_{scheme}"],
        "absorptive_binding_meV": s * v[f"absorptive_{scheme}"],
        "emissive_binding_meV": s * v[f"emissive_{scheme}"],
        "xx_absorption_strength": v["xx_absorption_strength"],
        "xx_emission_strength": v["xx_emission_strength"],
    }


_WITHOUT_ESA = {
    "absorptive_binding_meV": 0.0,
    "emissive_binding_meV": 0.0,
    "xx_absorption_strength": 1.0,
    "xx_emission_strength": 1.0,
}


def candidate_dots(full: FloatArray) -> Dot:
    """Return the four `DOTS` of candidates (K, 11), as one `Dot` of shape (K, 4)."""
    v = dict(zip(INDEX, values(np.atleast_2d(full)).T, strict=True))
    schemes = [dot_with_esa(v, scheme) for scheme in SCHEMES]

    def four(name: str) -> FloatArray:
        with_esa = [np.asarray(fields[name]) for fields in schemes]
        ideal = [np.full_like(x, _WITHOUT_ESA.get(name, x)) for x in with_esa]
        return np.stack([ideal[0], with_esa[0], ideal[1], with_esa[1]], axis=1)

    fields: dict[str, Any] = {name: four(name) for name in schemes[0]}
    return Dot(**PRESETS["shared"], **fields)


def columns(dots: Dot, which: Any) -> Dot:
    """Return some of dots of shape (K, 4), by their place along the last axis."""
    return dots.at((slice(None), which))
