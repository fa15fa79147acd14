"""The fast paths beside the plain formulas with 50 digits, at the edges of their range."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np
from mpmath import mp, mpf

import exact
import qdgain
from bench.measured import Measured, Scale, number
from qdgain.fast.laws import LAWS
from qdgain.model import film as ase

DOTS = {
    "3LS+ESA": qdgain.presets()["3LS+ESA"],
    "4LS+ESA": qdgain.presets()["4LS+ESA"],
    "S = 0": qdgain.Dot(stokes_shift_meV=0.0).uncorrelated(),
    "γ = 1e-6": qdgain.Dot(xx_emission_strength=1e-6, xx_absorption_strength=0.5),
    "γ = 0": qdgain.Dot(xx_emission_strength=0.0, xx_absorption_strength=0.0),
    "narrow bands far apart": qdgain.Dot(
        linewidth_meV=10.0,
        stokes_shift_meV=60.0,
        absorptive_binding_meV=-100.0,
        emissive_binding_meV=90.0,
    ),
    "bands of unlike widths": qdgain.Dot(
        linewidth_meV=60.0,
        stokes_shift_meV=30.0,
        absorptive_binding_meV=20.0,
        emissive_binding_meV=-10.0,
        absorption_linewidth_meV=25.0,
        xx_absorption_linewidth_meV=140.0,
    ),
}
#: In standard deviations of the shared linewidth from the centre of A_X.
PLACES = (-38.0, -9.0, -3.0, -1.0, -0.3, 0.0, 0.5, 2.0, 6.0)
EXCITONS = (0.0, 1e-12, 1e-3, 0.5, 1.0, 1.5, 2.0 - 1e-9, 2.0)
EXPONENTS = (-700.0, -30.0, -1.0, -1e-9, 0.0, 1e-300, 1e-9, 1e-3, 1.0, 30.0, 700.0)


class Accuracy(NamedTuple):
    """A fast path, how its error is meant, what is stated, and the largest error found."""

    key: str
    what: str
    stated: float
    error: float


def _energies(dot: qdgain.Dot) -> list[float]:
    width = float(qdgain.model.bands.band_widths_meV(dot).emission)
    return [dot.absorption_energy_eV + 1e-3 * width * place for place in PLACES]


def _relative(found: float, true: mpf) -> float:
    """Return a relative error; nothing where both are beyond what a double holds."""
    if not np.isfinite(found) or not mp.isfinite(true):
        return 0.0 if bool(np.isfinite(found)) == bool(mp.isfinite(true)) else np.inf
    if abs(true) < mpf("1e-290"):
        return 0.0 if abs(found) < 1e-290 else np.inf
    return float(abs(mpf(float(found)) - true) / abs(true))


def _bands() -> Iterator[float]:
    for dot in DOTS.values():
        for energy in _energies(dot):
            fast = qdgain.bands(dot, energy)
            four = (fast.absorption, fast.emission, fast.xx_absorption, fast.xx_emission)
            for found, true in zip(four, exact.band(dot, energy), strict=True):
                yield _relative(float(found), true)


def _gain() -> Iterator[float]:
    for dot in DOTS.values():
        for statistics in LAWS:
            fast = qdgain.gain(dot, _energies(dot), EXCITONS, statistics)
            for j, energy in enumerate(_energies(dot)):
                for i, mean in enumerate(EXCITONS):
                    true, largest = exact.gain(dot, energy, mean, statistics)
                    if largest > mpf("1e-290"):
                        yield float(abs(mpf(float(fast[i, j])) - true) / largest)


def _threshold_at_energy(statistics: str) -> Iterator[float]:
    for dot in DOTS.values():
        for floor in (0.0, 1e-3, 0.05):
            fast = qdgain.threshold_at_energy(dot, _energies(dot), floor, statistics)
            for found, energy in zip(fast, _energies(dot), strict=True):
                present = [band for band in exact.band(dot, energy) if band > 0]
                if min(present) < max(present[:3]) * mpf("1e-300"):
                    continue  # A double cannot hold that ratio: the library takes it for nothing.
                true = exact.threshold_at_energy(dot, energy, floor, statistics)
                yield _relative(float(found), true)


def _threshold_at_maximum(statistics: str) -> Iterator[float]:
    for dot in DOTS.values():
        fast = qdgain.threshold_at_maximum(dot, statistics=statistics).mean_excitons
        yield _relative(float(fast), exact.threshold_at_maximum(dot, statistics))


def _onset(statistics: str) -> Iterator[float]:
    for dot in DOTS.values():
        for floor in (1e-9, 1e-3, 1e-2):
            fast = qdgain.threshold_onset(dot, floor, statistics)
            if np.isfinite(fast.mean_excitons):
                true = exact.onset_near(dot, float(fast.energy_eV), floor, statistics)
                yield float(abs(mpf(float(fast.mean_excitons)) - true))


def _amplification() -> Iterator[float]:
    for x in EXPONENTS:
        yield _relative(float(ase.amplification(x)), exact.amplification(x))


def _log_amplification() -> Iterator[float]:
    for x in (*EXPONENTS, -5000.0, 5000.0):
        true = mp.log(exact.amplification(x))
        yield float(abs(mpf(float(ase.log_amplification(x))) - true) / max(1, abs(true)))


def _ase(logarithm: bool) -> Iterator[float]:
    for dot in DOTS.values():
        energies = [e for e in _energies(dot) if abs(e - dot.absorption_energy_eV) < 0.2]
        for length in (0.0, 1e-9, 200.0, 700.0, 1e4):
            if length == 1e4 and not logarithm:
                continue
            function = ase.log_ase_spectrum if logarithm else ase.ase_spectrum
            fast = function(dot, energies, EXCITONS[1:], length)
            for i, mean in enumerate(EXCITONS[1:]):
                for j, energy in enumerate(energies):
                    true, x = exact.log_ase(dot, energy, mean, length, "rabi")
                    if true < -600 or (not logarithm and x > 700):
                        continue
                    if logarithm:
                        error = abs(mpf(float(fast[i, j])) - true) / max(1, abs(true))
                    else:
                        error = abs(mpf(float(fast[i, j])) / mp.exp(true) - 1)
                    yield float(error)


def accuracies() -> list[Accuracy]:
    """Return the largest error of every fast path, with what is stated for it."""
    found = [
        Accuracy("bands", "band: relative, out to 38 s", 1e-12, max(_bands())),
        Accuracy("gain", "gain: relative to its largest term", 1e-12, max(_gain())),
        Accuracy("amplification", "(e^x - 1)/x: relative, |x| ≤ 700", 1e-15, max(_amplification())),
        Accuracy(
            "log_amplification",
            "its logarithm: absolute, or relative above 1",
            1e-15,
            max(_log_amplification()),
        ),
        Accuracy("ase", "ASE: relative, |L_g G| ≤ 700", 1e-12, max(_ase(logarithm=False))),
        Accuracy(
            "log_ase",
            "its logarithm: absolute, or relative above 1",
            1e-13,
            max(_ase(logarithm=True)),
        ),
    ]
    for statistics in LAWS:
        found += [
            Accuracy(
                f"threshold_at_energy_{statistics}",
                f"threshold at an energy, {statistics}: relative",
                1e-12,
                max(_threshold_at_energy(statistics)),
            ),
            Accuracy(
                f"threshold_at_maximum_{statistics}",
                f"threshold at the gain maximum, {statistics}: relative",
                1e-12,
                max(_threshold_at_maximum(statistics)),
            ),
            Accuracy(
                f"onset_{statistics}",
                f"onset, {statistics}: absolute",
                1e-9,
                max(_onset(statistics)),
            ),
        ]
    return found


def measure(scale: Scale) -> list[Measured]:
    return [number(f"accuracy/{a.key}", a.what, a.error, "", goal=a.stated) for a in accuracies()]
