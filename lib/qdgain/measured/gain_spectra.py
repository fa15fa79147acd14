"""ASE from measured gain spectra: reading them, interpolating in ⟨N⟩, amplifying (Fig 9e, f)."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import ArrayLike
from scipy.interpolate import PchipInterpolator, make_interp_spline
from scipy.special import logsumexp

from qdgain.measured.instrument_file import Table, intensity_per_eV, read_table
from qdgain.model import parameters
from qdgain.model.dot import FloatArray
from qdgain.model.film import AseThreshold, amplification, log_amplification
from qdgain.model.populations import (
    fluence_for_mean_excitons,
    highest_mean_excitons,
    mean_excitons_after_pulse,
)
from qdgain.model.saturation import SaturatedEmission, emit, of_spectra
from qdgain.model.search import first_root, parabolic_peak
from qdgain.model.units import eV_from_nm

_FEWEST_ENERGIES = 8
_SCAN = 200
_LARGEST_EXPONENT = 600.0
_DARK = 1e-6
_PEAK_KEY = "absorption_peak_eV"
_EXCITONS = re.compile(r"N=\d*\.?\d+")


@dataclass(frozen=True, eq=False)
class MeasuredSpectra:
    """Gain spectra of a pumped sample at a few ⟨N⟩, and its photoluminescence.

    Rising photon energies of shape E, rising ⟨N⟩ from 0 of shape N, the gain (-OD_NL over the
    linear OD at the band-edge peak) of shape (N, E), and the photoluminescence of unit peak.
    """

    energy_eV: FloatArray
    mean_excitons: FloatArray
    gain: FloatArray
    emission: FloatArray

    def gain_at(self, mean_excitons: ArrayLike) -> FloatArray:
        """Return the gain at ⟨N⟩ within the measured range, of shape N + E.

        Interpolated energy by energy with monotone cubics, which put no extremum between two
        measurements.

        Raises
        ------
        ParameterError
            If ⟨N⟩ is outside the measured range.
        """
        mean = np.asarray(mean_excitons, dtype=float)
        outside = ~((mean >= 0) & (mean <= self.mean_excitons[-1]))
        if outside.any():
            raise parameters.ParameterError(
                f"mean_excitons = {mean[outside].flat[0]:g} is not allowed: the spectra were "
                f"measured from 0 to {self.mean_excitons[-1]:g}."
            )
        return np.asarray(PchipInterpolator(self.mean_excitons, self.gain, axis=0)(mean))

    def spontaneous_at(self, mean_excitons: ArrayLike) -> FloatArray:
        r"""Return the spontaneous spectrum, of shape N + E.

        :math:`P = \max\big(\min(\tfrac{\langle N\rangle}{2}, 1)\,PL,\; G\big)`: the
        photoluminescence grows with the filling of a twofold band edge, and the stimulated emission
        can nowhere be less than the net gain. Assumed: a gain measurement does not hold the
        spontaneous spectrum.
        """
        mean = np.asarray(mean_excitons, dtype=float)
        filling = np.minimum(0.5 * mean, 1.0)[..., None]
        return np.maximum(filling * self.emission, self.gain_at(mean))

    def log_ase(self, mean_excitons: ArrayLike, gain_exponent: float) -> FloatArray:
        """Return ln I as `qdgain.model.film.log_ase_spectrum` does, for the measured gain."""
        length = parameters.check("gain_exponent", gain_exponent)
        with np.errstate(divide="ignore"):
            log_spontaneous = np.log(self.spontaneous_at(mean_excitons))
        return log_spontaneous + log_amplification(length * self.gain_at(mean_excitons))

    def log_energy_ratio(self, mean_excitons: ArrayLike, gain_exponent: float) -> FloatArray:
        r"""Return :math:`\ln(\int I\,dE / \int P\,dE)` against ⟨N⟩ > 0 of shape N."""
        steps = np.gradient(self.energy_eV)
        log_spectrum = self.log_ase(mean_excitons, gain_exponent)
        amplified = logsumexp(log_spectrum, b=steps, axis=-1)
        spontaneous = (self.spontaneous_at(mean_excitons) * steps).sum(axis=-1)
        return np.asarray(amplified - np.log(spontaneous))

    def most_excitons(self, statistics: str = "rabi") -> float:
        """Return the largest measured ⟨N⟩ that a pulse gives."""
        return min(float(self.mean_excitons[-1]), highest_mean_excitons(statistics))

    def saturated(
        self, mean_excitons: ArrayLike, gain_exponent: float, guided_fraction: float
    ) -> SaturatedEmission:
        """Return what the film emits when every photon costs an exciton, against ⟨N⟩ of shape N.

        As `qdgain.model.saturation.saturated_emission`, with the measured spectra on an even grid
        of as many energies, joined by straight lines in ⟨N⟩.
        """
        mean = np.asarray(mean_excitons, dtype=float)
        length = parameters.check("gain_exponent", gain_exponent)
        beta = parameters.check("guided_fraction", guided_fraction)
        self.gain_at(mean)  # refuses what was not measured
        spontaneous = self.spontaneous_at(self.mean_excitons)
        # Only where something is emitted.
        bright = np.flatnonzero(spontaneous.max(axis=0) > _DARK * spontaneous.max())
        first, last = bright[[0, -1]]
        energy = np.linspace(self.energy_eV[first], self.energy_eV[last], 1 + last - first)
        step_meV = 1e3 * (energy[1] - energy[0])

        def even(spectrum: FloatArray) -> FloatArray:
            return np.asarray(PchipInterpolator(self.energy_eV, spectrum, axis=-1)(energy))

        area = np.sum(even(self.emission)) * step_meV
        medium = of_spectra(
            2 * np.maximum(even(spontaneous), 0)[None] / area,
            length * even(self.gain)[None],
            # The identity interpolated linearly: the weights of the measured spectra.
            make_interp_spline(self.mean_excitons, np.eye(self.mean_excitons.size), k=1),
        )
        steps = np.full(mean.size, step_meV)
        spectrum, side, left = emit(medium, steps, beta, mean.reshape(-1, 1))
        return SaturatedEmission(
            energy,
            spectrum.reshape(*mean.shape, energy.size),
            (spectrum.sum(axis=-1) * step_meV).reshape(mean.shape),
            side.reshape(mean.shape),
            left.reshape(mean.shape),
            np.zeros(mean.shape),
        )

    def ase_threshold(
        self, gain_exponent: float, pi_pulse_fluence_mJ_cm2: float, statistics: str = "rabi"
    ) -> AseThreshold:
        """Return where stimulated amplification doubles the emitted energy.

        As `qdgain.model.film.ase_threshold`, with integrals by the trapezoid rule over the measured
        energies, up to the largest measured ⟨N⟩ or the π pulse. The statistics is only the law of
        ⟨N⟩ against fluence: Rabi's for a pump resonant with the band edge, Poisson's straight line
        for a pump into higher states.
        """
        pi_pulse = parameters.check("pi_pulse_fluence_mJ_cm2", pi_pulse_fluence_mJ_cm2)
        length = parameters.check("gain_exponent", gain_exponent)
        most = self.most_excitons(statistics)

        def excitons(amplitude: FloatArray) -> FloatArray:
            # Rounding can bring the last fluence beyond the last measurement.
            return np.minimum(mean_excitons_after_pulse(amplitude**2, 1.0, statistics), most)

        def log_ratio(amplitude: FloatArray, _: Any) -> FloatArray:
            mean = excitons(amplitude)
            spontaneous = self.spontaneous_at(mean)
            amplified = amplification(np.minimum(length * self.gain_at(mean), _LARGEST_EXPONENT))
            total = np.trapezoid(spontaneous * amplified, self.energy_eV)
            return np.asarray(np.log(0.5 * total / np.trapezoid(spontaneous, self.energy_eV)))

        top = np.sqrt(fluence_for_mean_excitons(most, 1.0, statistics))
        amplitude = first_root(log_ratio, top * np.linspace(1e-3, 1.0, _SCAN)[None])[0]
        if not np.isfinite(amplitude):
            return AseThreshold(np.array(np.inf), np.array(np.inf), np.array(np.nan))
        mean = excitons(amplitude)
        peak = parabolic_peak(self.energy_eV, self.log_ase(mean, length))
        return AseThreshold(np.array(pi_pulse * amplitude**2), mean, peak)


def read_spectra(path: str | Path) -> MeasuredSpectra:
    """Return measured spectra from a text file, as an instrument or a spreadsheet exports it.

    The table has a header: the axis, such as ``energy_eV`` or ``Wavelength (nm)``, one column
    ``N=…`` for each ⟨N⟩ from ``N=0`` (the linear absorption) upwards, and if known ``PL``. The
    values are nonlinear optical densities OD_NL = OD_0 + ΔOD in any common unit; a ``PL`` against
    wavelength counts as per nm and is taken per eV. A line above the table may say
    ``absorption_peak_eV: …``, the energy at which the linear OD is 1 in the units of the gain,
    otherwise its largest value counts. Without ``PL`` the positive part of the gain at the largest
    ⟨N⟩ stands in for it, of unit peak. Every value has to be there.

    Raises
    ------
    ParameterError
        If the file cannot be used; one sentence says why.
    """
    table = read_table(path, "spectra file", fewest=_FEWEST_ENERGIES)
    _refuse_gaps(table)
    mean, density, emission = _columns(table)
    axis = table.values[:, 0]
    unit, _ = table.axis_unit(0)
    if not (axis > 0).all() or np.unique(axis).size < axis.size:
        table.refuse("its energies must be positive and differ")
    energy = axis if unit == "eV" else eV_from_nm(axis)
    if emission is not None and unit == "nm":
        emission = intensity_per_eV(energy, emission)
    order = np.argsort(energy)
    energy, density = energy[order], density[:, order]
    peak = _absorption_peak(table, energy, density[0])
    gain = -density / peak
    emission = np.maximum(gain[-1], 0) if emission is None else emission[order]
    if emission.max() <= 0 or emission.min() < 0:
        table.refuse("it has neither a PL that is positive nor any gain to stand in for it")
    return MeasuredSpectra(energy, mean, gain, emission / emission.max())


def _refuse_gaps(table: Table) -> None:
    """Refuse a table with a value that is missing or over range."""
    rows, columns = np.nonzero(~np.isfinite(table.values))
    if rows.size:
        row, values = rows[0], table.values[rows[0]]
        where = f"line {table.lines[row]}: row {row + 1}"
        if np.isinf(values).any():
            table.refuse(f"{where} is over range in column {table.names[columns[0]]!r}")
        table.refuse(f"{where} has {np.isfinite(values).sum()} values for {values.size} columns")


def _columns(table: Table) -> tuple[FloatArray, FloatArray, FloatArray | None]:
    """Return ⟨N⟩, OD_NL of shape (N, E), and the PL or None."""
    named = dict(zip(table.names[1:], table.values.T[1:], strict=True))
    if len(named) != len(table.names) - 1:
        table.refuse("two of its columns have the same name")
    emission = named.pop("PL", None)
    mean = []
    for name in named:
        plain = name.replace(table.dialect.decimal, ".")
        if not _EXCITONS.fullmatch(plain):
            table.refuse(f"its column {name!r} is neither N=… nor PL")
        mean.append(float(plain.removeprefix("N=")))
    if len(mean) < 2 or mean[0] != 0 or not (np.diff(mean) > 0).all():
        table.refuse("its columns must be N=0 and rising ⟨N⟩ after it")
    return np.array(mean), np.array(list(named.values())), emission


def _absorption_peak(table: Table, energy: FloatArray, linear: FloatArray) -> float:
    """Return the linear OD at the band-edge peak, which is the unit of the gain."""
    peak = float(linear.max())
    for line in table.metadata:
        key, _, value = line.partition(":")
        if key.strip() == _PEAK_KEY:
            try:
                at = float(value.strip(" ;,\t").replace(table.dialect.decimal, "."))
            except ValueError:
                table.refuse(f"{_PEAK_KEY} is {value.strip()!r}, not a number")
            if not energy[0] <= at <= energy[-1]:
                table.refuse(f"{_PEAK_KEY} is {at:g} eV, outside its energies")
            peak = float(np.interp(at, energy, linear))
    if peak <= 0:
        table.refuse("its linear absorption is not positive at the peak")
    return peak
