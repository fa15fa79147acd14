"""Synthetic spectra of a known dot, with noise, as an instrument would export them.

They stand in for measurements where a fit is tested or shown; none of them was measured.
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import NamedTuple

import numpy as np

from qdgain.fitting import spectra
from qdgain.fitting.spectra import Spectrum, emission_per_eV, even_spectrum
from qdgain.model.bands import bands
from qdgain.model.dot import Dot, FloatArray
from qdgain.model.parameters import ParameterError
from qdgain.model.units import eV_from_nm, nm_from_eV

#: The dot of the book's page on spectra, and how much noise its spectra have. All assumed.
EXAMPLE = Dot(
    absorption_energy_eV=2.0,
    linewidth_meV=85.0,
    stokes_shift_meV=45.0,
    emission_linewidth_meV=75.0,
    absorptive_binding_meV=20.0,
    emissive_binding_meV=10.0,
    xx_absorption_strength=1.2,
)
EXAMPLE_NOISE, EXAMPLE_SEED = 0.01, 1


class Surroundings(NamedTuple):
    """What a real spectrum holds beside the bands of the dot, relative to these. All assumed.

    The second transition; a third, twice as far and half as wide again; traps, 300 meV to the red
    of PL_X and as wide; Rayleigh scattering at A_X; a straight background of the PL; ΔA of the
    ground state over the absorbance; and the bleach of the second transition.
    """

    second_gap_meV: float = 160.0
    second_width_meV: float = 110.0
    second_strength: float = 0.7
    third_strength: float = 0.9
    traps: float = 0.06
    scattering: float = 0.15
    offset: float = 0.03
    slope_per_eV: float = 0.08
    bleach: float = 0.05
    second_bleach: float = 0.25


class SyntheticSpectra(NamedTuple):
    """Absorbance, PL per nm and ΔA against wavelength, each of shape E."""

    wavelength_nm: FloatArray
    absorbance: FloatArray
    intensity_per_nm: FloatArray
    transient: FloatArray

    @property
    def against_energy(self) -> tuple[Spectrum, Spectrum, Spectrum]:
        """Absorbance, PL per eV and ΔA against rising energy, as `fit_bands` takes them."""
        energy = eV_from_nm(self.wavelength_nm)[::-1]
        return (
            even_spectrum(energy, self.absorbance[::-1]),
            emission_per_eV(energy, self.intensity_per_nm[::-1]),
            even_spectrum(energy, self.transient[::-1]),
        )


def simulate(
    dot: Dot,
    *,
    noise: float,
    seed: int,
    surroundings: Surroundings | None = None,
    step_nm: float = 1.0,
) -> SyntheticSpectra:
    r"""Return synthetic spectra of a single dot on an even grid of wavelengths.

    Absorbance :math:`\propto A_X + h_2 A_2 + h_3 A_3 + b\,(E/E_A)^4`; PL per eV
    :math:`\propto PL_X + h_T T + b_0 + b_1(E - E_A)`, given per nm; ΔA of one relaxed exciton,
    `qdgain.fitting.spectra.relaxed_exciton_signal`, with a bleach of the second transition. The
    noise is the standard deviation relative to the largest value of each spectrum. An array of dots
    is refused (`ParameterError`).
    """
    if dot.shape:
        raise ParameterError("spectra are simulated for one dot: give numbers, not arrays.")
    around = surroundings or Surroundings()
    centre = float(np.asarray(dot.absorption_energy_eV))
    reach = 1e-3 * float(np.asarray(dot.linewidth_meV))
    ends = nm_from_eV([centre + 7 * reach, centre - 5 * reach])
    wavelength = np.arange(np.ceil(ends[0]), ends[1], step_nm)
    energy = eV_from_nm(wavelength)
    first, emission = bands(dot, energy)[:2]
    wide = around.second_width_meV
    second = spectra.gaussian(energy, centre + 1e-3 * around.second_gap_meV, wide)
    third = spectra.gaussian(energy, centre + 2e-3 * around.second_gap_meV, 1.5 * wide)
    absorbance = (
        first
        + around.second_strength * second
        + around.third_strength * third
        + around.scattering * (energy / centre) ** 4
    )
    peak = centre - 1e-3 * float(np.asarray(dot.stokes_shift_meV))
    traps = around.traps * spectra.gaussian(energy, peak - 0.3, 300.0)
    per_eV = emission + traps + around.offset + around.slope_per_eV * (energy - centre)
    transient = around.bleach * (
        spectra.relaxed_exciton_signal(dot, energy) - around.second_bleach * second
    )
    random = np.random.default_rng(seed)

    def noisy(spectrum: FloatArray, height: float) -> FloatArray:
        clean = height * spectrum / np.max(np.abs(spectrum))
        return np.asarray(clean + noise * height * random.standard_normal(clean.shape))

    # dE/dλ turns the PL per eV into what a spectrometer counts per nm.
    return SyntheticSpectra(
        wavelength,
        noisy(absorbance, 0.3),
        noisy(per_eV * energy / wavelength, 2e4),
        noisy(transient, 1e-3 * around.bleach / 0.05),
    )


def as_text(
    header: str, x: FloatArray, *columns: FloatArray, separator: str = ",", decimal: str = "."
) -> str:
    """Return columns as the text of a file below a header of any number of lines."""
    rows = (
        separator.join(f"{value:.6g}" for value in row).replace(".", decimal)
        for row in zip(x, *columns, strict=True)
    )
    return "\n".join([header, *rows]) + "\n"


def write(folder: str | Path, dot: Dot, *, noise: float, seed: int) -> tuple[Path, Path, Path]:
    """Write synthetic spectra of a dot into a folder, in three different styles.

    ``absorption.csv`` with lines of metadata and semicolons and decimal commas, ``pl.csv`` with
    falling wavelengths and two traces, ``transient.csv`` in eV; see `simulate`.
    """
    x, absorbance, intensity, transient = simulate(dot, noise=noise, seed=seed)
    title = "SYNTHETIC, not a measurement"
    heads = (
        f"{title}\nBaseline;hexane\n\nWavelength (nm);Absorbance;",
        f"# {title}\nwavelength [nm]\tblank\tsample",
        f"# {title}\nE (eV),dA at 5 ps",
    )
    texts = {
        "absorption.csv": as_text(heads[0], x, absorbance, separator=";", decimal=","),
        "pl.csv": as_text(heads[1], x[::-1], 20.0 + 0 * x, intensity[::-1], separator="\t"),
        "transient.csv": as_text(heads[2], eV_from_nm(x), transient),
    }
    absorption, pl, transient_csv = paths = tuple(Path(folder) / name for name in texts)
    for path, text in zip(paths, texts.values(), strict=True):
        # As spreadsheets do, the first one with a byte-order mark.
        mark = "\ufeff" if path is absorption else ""
        path.write_text(mark + text, encoding="utf-8", newline="\r\n")
    return absorption, pl, transient_csv


def write_series(folder: str | Path, count: int = 4) -> tuple[Path, Path]:
    """Write synthetic spectra of a growing sample into a folder, a trace each.

    ``growth_absorption.csv`` and ``growth_pl.csv``: redder and more alike with time, the last one
    without any exciton.
    """
    columns: tuple[list[FloatArray], list[FloatArray]] = [], []
    wavelength = np.arange(480.0, 800.0)
    for i in range(count):
        dot = replace(
            EXAMPLE,
            absorption_energy_eV=2.15 - 0.04 * i,
            linewidth_meV=130.0 - 12 * i,
            stokes_shift_meV=60.0 - 4 * i,
            emission_linewidth_meV=110.0 - 8 * i,
        )
        made = simulate(dot, noise=0.004, seed=i)
        for column, values in zip(columns, made[1:3], strict=True):
            column.append(np.interp(wavelength, made.wavelength_nm, values))
    columns[0][-1] = np.exp((600.0 - wavelength) / 150)
    head = ",".join(["wavelength (nm)", *(f"{60 * (i + 1)} s" for i in range(count))])
    paths = Path(folder) / "growth_absorption.csv", Path(folder) / "growth_pl.csv"
    for path, column in zip(paths, columns, strict=True):
        path.write_text(as_text(head, wavelength, *column), encoding="utf-8")
    return paths
