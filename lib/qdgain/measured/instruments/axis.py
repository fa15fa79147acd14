"""The axis of a spectrum: which words name one, its unit, and photon energies from it."""

from __future__ import annotations

import re

import numpy as np

from qdgain.measured.instruments.text import Unusable
from qdgain.model.dot import FloatArray
from qdgain.model.units import eV_from_nm

#: The units that a user may name, and what an intensity against each is per.
PER = {"nm": "nm", "um": "nm", "eV": "eV", "cm-1": "eV"}
UNITS = tuple(PER)
# What the words of an axis' name can be: units, quantities, and what stands beside these.
_UNIT_OF = {
    word: unit
    for unit, words in {
        "nm": "nm nanometer nanometers nanometre nanometres",
        "eV": "ev electronvolt electronvolts",
        "cm-1": "cm kayser",
        "um": "um µm μm micron microns micrometer micrometers micrometre micrometres",
        "Å": "å angstrom angstroms",
        "meV": "mev",
        "THz": "thz",
        "Raman shift": "raman",
        "other": "z hz khz mhz ghz ppm seconds minutes mass kelvin volts arbitrary",
    }.items()
    for word in words.split()
}
_QUANTITIES = {
    "nm": {"wavelength", "wavelengths", "lambda", "λ", "wl", "wave"},
    "eV": {"energy", "energies"},
    "cm-1": {"wavenumber", "wavenumbers"},
}
_COUNTS = {"pixel", "pixels", "px", "row", "index", "channel", "diode"}
_AXIS = {word for word, unit in _UNIT_OF.items() if unit != "other"}.union(*_QUANTITIES.values())
_BESIDE = {
    *re.findall(r"\S+", "photon emission excitation probe vacuum in axis wave length shift mode"),
    *re.findall(r"\S+", "e x h hν hv 1 ¹ number no nr em ex"),
}
#: Where values of each unit lie beyond doubt, and where they lie if the unit is not named.
_POSSIBLE = {
    "nm": (100.0, 1e4),
    "um": (0.1, 100.0),
    "eV": (0.02, 12.4),
    "cm-1": (100.0, 1e5),
    "Å": (1e3, 1e5),
    "meV": (20.0, 12_400.0),
    "THz": (3.0, 3e3),
}
_LIKELY = {"nm": (150.0, 2500.0), "eV": (0.4, 6.5), "cm-1": (3e3, 6e4)}
_NM_OF_UM, _NM_CM, _NM_THZ = 1e3, 1e7, 299792.458


def _words(text: str) -> list[str]:
    return re.findall(r"[^\W_]+", text.casefold())


def _is(label: str, names: set[str]) -> bool:
    words = set(_words(label))
    return words <= names | _BESIDE and not words.isdisjoint(names)


def names_axis(label: str) -> bool:
    """Whether a label of a column says, and says only, that it is an axis."""
    return _is(label, _AXIS)


def names_count(label: str) -> bool:
    """Whether a label of a column says that it counts pixels or rows."""
    return _is(label, _COUNTS)


def likely_axis(x: FloatArray) -> int:
    """Return 2 for numbers that look like wavelengths in nm, 1 for photon energies, else 0."""
    x = x[np.isfinite(x)]
    steps = np.abs(np.diff(x))
    # Times run through powers of ten; an axis is nearly even.
    if not (x.size > 1 and (steps > 0).all() and steps.max() < 20 * steps.min()):
        return 0
    inside = [a <= x.min() and x.max() <= b for a, b in (_LIKELY["nm"], _LIKELY["eV"])]
    return 2 * inside[0] or int(inside[1])


def energies(unit: str, x: FloatArray) -> FloatArray:
    """Return photon energies in eV from an axis above 0 in one of the units read.

    >>> energies("cm-1", np.array([16000.0])).round(4).tolist()
    [1.9837]
    """
    if unit in ("eV", "meV"):
        return x if unit == "eV" else 1e-3 * x
    nm = {"nm": x, "um": _NM_OF_UM * x, "Å": 0.1 * x}.get(unit)
    return eV_from_nm((_NM_CM if unit == "cm-1" else _NM_THZ) / x if nm is None else nm)


def unit_of(
    name: str, stated: str, x: FloatArray, given: str | None = None, hint: str = ""
) -> tuple[str, str]:
    """Return the unit of an axis, and a note if that had to be guessed from its values.

    The user knows best, then the name, then what is stated elsewhere in the file. Refused is a unit
    that cannot be told or disagrees with the values; `hint` says how the user can give it.
    """
    low, high = float(x.min()), float(x.max())
    runs, ways = f"runs from {low:g} to {high:g}", f", or say {hint}" if hint else ""

    def within(ends: tuple[float, float]) -> bool:
        return ends[0] <= low <= high <= ends[1]

    units = [[_UNIT_OF[w] for w in _words(text) if w in _UNIT_OF] for text in (name, stated)]
    named = units[0] or units[1]
    said = given or ("Raman shift" if "Raman shift" in named else next(iter(named), None))
    if said in ("Raman shift", "other"):
        raise Unusable(f"its axis {name!r} is no photon energy: export it against nm or eV")
    if said is not None:
        if not within(_POSSIBLE[said]):
            remedy = "" if given else f": correct the header{ways}"
            raise Unusable(f"its axis {name!r} {runs}, which cannot be {said}{remedy}")
        return said, ""
    words = [*_words(name), *_words(stated)]
    meant = next((u for u in _LIKELY if not _QUANTITIES[u].isdisjoint(words)), None)
    likely = [u for u in (("nm", "eV") if meant is None else (meant,)) if within(_LIKELY[u])]
    if len(likely) != 1 or names_count(name):
        raise Unusable(
            f"the unit of its axis {name!r}, which {runs}, cannot be told: name its unit in the "
            f"header, {', '.join(UNITS[:-1])} or {UNITS[-1]}{ways}"
        )
    return likely[0], f"axis taken as {likely[0]} because it {runs}"
