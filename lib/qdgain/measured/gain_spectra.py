"""ASE from measured gain spectra: reading them, interpolating in ⟨N⟩, amplifying (Fig 9e, f)."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import ArrayLike
from scipy.interpolate import PchipInterpolator, make_interp_spline
from scipy.special import logsumexp

from qdgain.measured.features import peaks, smoothed
from qdgain.measured.instrument_file import Trace, intensity_per_eV, refuse, traces
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

_SCAN = 200
_LARGEST_EXPONENT = 600.0
_DARK = 1e-6
_PEAK_KEY = "absorption_peak_eV"
#: How far below zero a PL may be, in parts of its peak.
_MOST_NOISE = 0.1
#: Where the band edge is looked for about the PL's peak, and over how much it is smoothed.
_RED_EV, _BLUE_EV, _SMOOTHED_EV = 0.03, 0.5, 0.03
_EXCITONS = re.compile(r"N=\d*\.?\d+")


@dataclass(frozen=True, eq=False)
class MeasuredSpectra:
    """Gain spectra of a pumped sample at a few ⟨N⟩, and its photoluminescence.

    Rising photon energies of shape E, rising ⟨N⟩ from 0 of shape N, the gain (-OD_NL over the
    linear OD at the band-edge peak) of shape (N, E), the photoluminescence of unit peak, and where
    that peak is taken to lie.
    """

    energy_eV: FloatArray
    mean_excitons: FloatArray
    gain: FloatArray
    emission: FloatArray
    band_edge_eV: float = np.nan

    def gain_at(self, mean_excitons: ArrayLike) -> FloatArray:
        """Return the gain at ⟨N⟩ within the measured range, of shape N + E.

        Interpolated energy by energy with monotone cubics, which put no extremum between two
        measurements; refused (`ParameterError`) is ⟨N⟩ outside the measured range.
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
        # The trapezoid's: an end counts for half a step, as in `ase_threshold`.
        steps = 0.5 * (
            np.diff(self.energy_eV, append=self.energy_eV[-1])
            + np.diff(self.energy_eV, prepend=self.energy_eV[0])
        )
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
    """Return measured spectra from a file, as an instrument or a spreadsheet exports it.

    Its traces are ``N=…`` for each ⟨N⟩ from ``N=0`` (the linear absorption) upwards, and if known
    ``PL``, against any axis that `instrument_file.traces` reads. The values are nonlinear optical
    densities OD_NL = OD_0 + ΔOD in any common unit; a ``PL`` against wavelength counts as per nm
    and is taken per eV. The unit of the gain is the linear OD at the band edge: at the energy that
    a line ``absorption_peak_eV: …`` names, otherwise at the first peak or shoulder of the linear OD
    to the blue of the PL. Without ``PL`` the positive part of the gain at the largest ⟨N⟩ stands in
    for it, of unit peak. Every value has to be there; a PL may be below zero by its noise. A
    `ParameterError` says in one sentence why a file cannot be used.
    """
    found = traces(path, "spectra file")
    _refuse_gaps(found)
    mean, density, pl = _columns(found)
    energy, source = found[0].energy_eV, found[0].source
    bright = -density[-1] if pl is None else pl
    if bright.max() <= 0 or (pl is not None and pl.min() < -_MOST_NOISE * pl.max()):
        refuse(source, "it has neither a PL that is positive nor any gain to stand in for it")
    at = _named_peak(found[0])
    if at is None:
        at = band_edge_eV(energy, density[0], float(energy[bright.argmax()]))
    if at is None:
        refuse(
            source,
            "no band edge stands out of its linear absorption to the blue of its PL: say where it "
            f"is in a line '{_PEAK_KEY}: …' above the table",
        )
    peak = float(np.interp(at, energy, density[0]))
    if peak <= 0:
        refuse(source, "its linear absorption is not positive at the peak")
    gain = -density / peak
    emission = np.maximum(gain[-1] if pl is None else pl, 0)
    return MeasuredSpectra(energy, mean, gain, emission / emission.max(), at)


def band_edge_eV(energy_eV: ArrayLike, absorption: ArrayLike, emission_eV: float) -> float | None:
    """Return where the first peak of an absorption, or else its first shoulder, lies.

    Looked for from just red of the emission's peak, in the spectrum smoothed by a cubic over 30
    meV; None where nothing stands out of the noise. Further to the blue lie other transitions and
    the continuum, which are higher.
    """
    energy, values = np.asarray(energy_eV, dtype=float), np.asarray(absorption, dtype=float)
    even = np.linspace(energy[0], energy[-1], energy.size)
    rough = np.interp(even, energy, values)
    window = 2 * max(2, round(0.5 * _SMOOTHED_EV / (even[1] - even[0]))) + 1
    if window > even.size:
        return None
    smooth, bend = smoothed(rough, window), smoothed(rough, window, 2)
    near = (even > emission_eV - _RED_EV) & (even < emission_eV + _BLUE_EV)
    noise = float(np.std(rough - smooth))
    bands = peaks(smooth, max(3 * noise, 1e-3 * float(np.ptp(smooth))))
    bent = 4 * float(np.median(np.abs(bend)))
    shoulders = [one for one in peaks(-bend, 0.0) if -bend[one.place] >= bent]
    there = (float(even[one.place]) for one in [*bands, *shoulders] if near[one.place])
    return next(there, None)


def _refuse_gaps(found: Sequence[Trace]) -> None:
    """Refuse traces that do not all have one value at each of the same energies."""
    for trace in found:
        trace.usable()
        for line in trace.left_out[:1]:
            refuse(trace.source, f"line {line}: {trace.name!r} has no value, or one over range")
        if any("repeated" in note for note in trace.notes) or trace.block:
            refuse(trace.source, "its energies must be positive and differ")
        if not np.array_equal(trace.energy_eV, found[0].energy_eV):
            refuse(trace.source, f"{trace.name!r} has other energies than {found[0].name!r}")


def _columns(found: Sequence[Trace]) -> tuple[FloatArray, FloatArray, FloatArray | None]:
    """Return ⟨N⟩, OD_NL of shape (N, E), and the PL per eV or None."""
    source, named = found[0].source, {trace.name: trace for trace in found}
    if len(named) != len(found):
        refuse(source, "two of its columns have the same name")
    pl = named.pop("PL", None)
    mean = []
    for name in named:
        plain = name.replace(",", ".")
        if not _EXCITONS.fullmatch(plain):
            refuse(source, f"its column {name!r} is neither N=… nor PL")
        mean.append(float(plain.removeprefix("N=")))
    if len(mean) < 2 or mean[0] != 0 or not (np.diff(mean) > 0).all():
        refuse(source, "its columns must be N=0 and rising ⟨N⟩ after it")
    density = np.array([trace.values for trace in named.values()])
    if pl is None:
        return np.array(mean), density, None
    per_eV = pl.values if pl.per == "eV" else intensity_per_eV(pl.energy_eV, pl.values)
    return np.array(mean), density, per_eV


def _named_peak(trace: Trace) -> float | None:
    """Return the energy of the band edge that a line of the file names, if one does."""
    for line in trace.about:
        key, _, value = line.partition(":")
        if key.strip() == _PEAK_KEY:
            try:
                at = float(value.strip(" ;,\t").replace(",", "."))
            except ValueError:
                refuse(trace.source, f"{_PEAK_KEY} is {value.strip()!r}, not a number")
            if not trace.energy_eV[0] <= at <= trace.energy_eV[-1]:
                refuse(trace.source, f"{_PEAK_KEY} is {at:g} eV, outside its energies")
            return at
    return None
