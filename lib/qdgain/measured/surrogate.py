"""Surrogates of the gain spectra of Fig 3e and f, which are not public.

``python -m qdgain.measured.surrogate`` rewrites the files in ``qdgain/data``. They hold no
measurement. What the paper states goes in: with X1 pumping a threshold of one exciton and a largest
gain of 0.18; with X3 pumping a largest gain of 0.36, gain to the blue of the photoluminescence, and
a statistical distribution of excitons past the biexciton. Everything else is the simplest choice,
listed in `surrogate`, and none is chosen for the ASE that follows from it.
"""

from __future__ import annotations

from dataclasses import replace
from importlib import resources
from pathlib import Path
from types import MappingProxyType

import numpy as np
import scipy

from qdgain.measured.gain_spectra import MeasuredSpectra, read_spectra
from qdgain.model import parameters
from qdgain.model.bands import FWHM_PER_SIGMA, bands
from qdgain.model.dot import Dot
from qdgain.model.gain import gain
from qdgain.paper.claims import claims

#: Where the blue gain lies above the band-edge absorption, in units of the line width. Not public.
BLUE_SHIFT_WIDTHS = 1.5

_DATA = Path(str(resources.files("qdgain"))) / "data"
# Energies in meV from the centre of A_X.
_ENERGIES = np.linspace(-200.0, 320.0, 261)
_MEAN_BAND_EDGE = np.linspace(0.0, 2.0, 11)
_MEAN_STATISTICAL = np.concatenate([np.linspace(0.0, 4.0, 17), np.linspace(4.5, 8.0, 8)])

#: name -> what the surrogate stands for.
READINGS = MappingProxyType(
    {
        "x1": "pumping into X1",
        "x3_edge": "pumping into X3, the larger gain read as the band edge's",
        "x3_blue": "pumping into X3, the larger gain read as the blue band's",
    }
)


def band_edge_dot() -> Dot:
    r"""Return the dot behind the surrogates: weakly bound biexcitons taken as not shifted.

    In the reading *replacing*: :math:`\Delta_{A2}=\Delta_E=0`, a = 1, γ the stated largest gain
    with X1 pumping; the Stokes shift follows from the stated threshold of one exciton at the gain
    maximum, :math:`2e^{-S^2/2s^2} = 1 + \gamma`.
    """
    strength = _stated("F3-x1-gain")
    width = parameters.CONTRACT["linewidth_meV"].default
    assert isinstance(width, float)
    stokes = width / FWHM_PER_SIGMA * np.sqrt(2 * np.log(2 / (1 + strength)))
    return Dot(
        linewidth_meV=width,
        stokes_shift_meV=float(stokes),
        absorptive_binding_meV=0.0,
        emissive_binding_meV=0.0,
        xx_absorption_strength=1.0,
        xx_emission_strength=strength,
        reading="replacing",
    )


def surrogate(reading: str) -> MeasuredSpectra:
    r"""Return surrogate spectra.

    X1: the gain of `band_edge_dot` under Rabi statistics. X3: Poisson statistics,

    .. math:: G = G_{\text{edge}} - P_{k\le 2}\,A_P + g\,P_{k\ge 3}\,PL_P

    with a blue band of the same width, Stokes shift and unit absorption, which amplifies once a dot
    holds three excitons, and whose A_P lies `BLUE_SHIFT_WIDTHS` line widths above A_X. Which of the
    two bands carries the larger gain that the paper states for X3 pumping is ambiguous; the other
    one keeps the gain stated for X1.

    Notes
    -----
    Sources: paper sections 2.1, 3.3 and 3.4. Assumed: Gaussian bands, equal widths and Stokes
    shifts, the unit strength of A_P, where it lies, and that the third exciton inverts it.
    """
    if reading not in READINGS:
        raise parameters.ParameterError(
            f"reading = {reading!r} is not allowed: give one of {', '.join(READINGS)}."
        )
    dot = band_edge_dot()
    energy = dot.absorption_energy_eV + 1e-3 * _ENERGIES
    emission = bands(dot, energy).emission
    emission = emission / emission.max()
    if reading == "x1":
        return MeasuredSpectra(
            energy, _MEAN_BAND_EDGE, gain(dot, energy, _MEAN_BAND_EDGE, "rabi"), emission
        )
    smaller, larger = _stated("F3-x1-gain"), _stated("F3-x3-gain")
    at_edge, at_blue = (larger, smaller) if reading == "x3_edge" else (smaller, larger)
    edge = replace(dot, xx_emission_strength=at_edge)
    shift_eV = 1e-3 * BLUE_SHIFT_WIDTHS * np.asarray(dot.linewidth_meV)
    blue = replace(dot, absorption_energy_eV=dot.absorption_energy_eV + shift_eV)
    upper = bands(blue, energy)
    mean = _MEAN_STATISTICAL
    three_or_more = np.asarray(scipy.special.gammainc(3.0, mean))[:, None]
    measured = (
        gain(edge, energy, mean, "poisson")
        - (1 - three_or_more) * upper.absorption
        + at_blue * three_or_more * upper.emission
    )
    # As in a measurement, the unit is the linear absorption there, tail of the blue band included.
    unit = 1 + float(bands(blue, dot.absorption_energy_eV).absorption)
    return MeasuredSpectra(energy, mean, measured / unit, emission)


def load(reading: str) -> MeasuredSpectra:
    """Return a surrogate from its file, read as a user's file is."""
    return read_spectra(_DATA / file_name(reading))


def file_name(reading: str) -> str:
    """Return the name of a surrogate's file."""
    return f"surrogate_{reading}.csv"


def to_csv(spectra: MeasuredSpectra, reading: str) -> str:
    """Return a surrogate as the text of its file."""
    peak = parameters.CONTRACT["absorption_energy_eV"].default
    lines = [
        f"# SURROGATE, not a measurement: {READINGS[reading]}.",
        "# Built from the few numbers the paper states; its Fig 3e,f are not public.",
        "# Written by `python -m qdgain.measured.surrogate`.",
        f"# absorption_peak_eV: {peak:g}",
        ",".join(["energy_eV", "PL", *(f"N={mean:g}" for mean in spectra.mean_excitons)]),
    ]
    columns = [spectra.energy_eV, spectra.emission, *(0.0 - spectra.gain)]
    lines += [",".join(f"{value:.6g}" for value in row) for row in np.array(columns).T]
    return "\n".join(lines) + "\n"


def write(folder: str | Path) -> None:
    """Write every surrogate into a folder."""
    for reading in READINGS:
        text = to_csv(surrogate(reading), reading)
        (Path(folder) / file_name(reading)).write_text(text, encoding="utf-8", newline="\n")


def _stated(claim: str) -> float:
    number = claims()[claim].stated
    assert number is not None
    return number


if __name__ == "__main__":
    write(_DATA)
