"""The axis of a table: which words name one, and in which unit it is."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import NamedTuple

from qdgain.measured.dialect import Unusable

UNITS = ("nm", "eV")
# What the words of an axis' name can be: units, quantities, and what stands beside these.
_UNIT_OF = {
    word: unit
    for unit, words in {
        "nm": "nm nanometer nanometers nanometre nanometres",
        "eV": "ev electronvolt electronvolts",
        "cm⁻¹": "cm wavenumber wavenumbers",
        "µm": "um µm μm micron microns micrometer micrometers",
        "Å": "å angstrom angstroms",
        "pixels": "pixel pixels px",
        "meV": "mev",
        "THz": "thz",
    }.items()
    for word in words.split()
}
_QUANTITIES = {
    "nm": {"wavelength", "wavelengths", "lambda", "λ", "wl"},
    "eV": {"energy", "energies"},
}
_AXIS = set(_UNIT_OF).union(*_QUANTITIES.values())
_BESIDE = {
    *("photon", "emission", "excitation", "probe", "vacuum", "in", "axis", "wave", "length"),
    *("e", "x", "h", "hν", "hv", "1", "¹"),
}
#: How a line of metadata begins that states the unit, such as ``XUNITS NANOMETERS``.
_STATES_UNIT = re.compile(r"[\W_]*x[\W_]*unit", re.IGNORECASE)

#: Where values of each unit lie beyond doubt, and where they lie if nothing else says so.
_POSSIBLE = {"nm": (100.0, 10_000.0), "eV": (0.1, 12.4)}
_LIKELY = {"nm": (150.0, 2500.0), "eV": (0.4, 6.5)}


def _words(text: str) -> list[str]:
    return re.findall(r"[^\W_]+", text.casefold())


def _units(text: str) -> list[str]:
    return [_UNIT_OF[word] for word in _words(text) if word in _UNIT_OF]


def names_axis(label: str) -> bool:
    """Whether a label of a column says, and says only, that it is an axis."""
    words = set(_words(label))
    return words <= _AXIS | _BESIDE and not words.isdisjoint(_AXIS)


class Axis(NamedTuple):
    """The name of an axis, whether it is the first column, and its lowest and highest value."""

    name: str
    first: bool
    low: float
    high: float

    def unit(self, given: str | None, metadata: Iterable[str], hint: str) -> tuple[str, str]:
        """Return nm or eV, and a note if that had to be guessed from the values.

        The user knows best, then the name, then lines of metadata. Refused is a unit that cannot be
        told or disagrees with the values; `hint` says how the user can give it.
        """
        runs = f"runs from {self.low:g} to {self.high:g}"
        named = _units(self.name)
        if not named:
            named = [u for line in metadata if _STATES_UNIT.match(line) for u in _units(line)][:1]
        said = given or next((unit for unit in named if unit in UNITS), None)
        if said is not None:
            if not self._within(_POSSIBLE[said]):
                which = (
                    f"first column is {self.name!r} and" if self.first else f"axis {self.name!r}"
                )
                raise Unusable(f"its {which} {runs}, which cannot be {said}")
            return said, ""
        if named:
            raise Unusable(f"its axis {self.name!r} is in {named[0]}: convert it to nm or eV")
        words = _words(self.name)
        meant = next((u for u in UNITS if not _QUANTITIES[u].isdisjoint(words)), None)
        likely = [u for u in UNITS if meant in (u, None) and self._within(_LIKELY[u])]
        if len(likely) != 1:
            raise Unusable(
                f"the unit of its axis {self.name!r}, which {runs}, cannot be told: name its unit "
                "in the header, nm or eV" + (f", or say {hint}" if hint else "")
            )
        return likely[0], f"axis taken as {likely[0]} because it {runs}"

    def _within(self, ends: tuple[float, float]) -> bool:
        return ends[0] <= self.low <= self.high <= ends[1]
