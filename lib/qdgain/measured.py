"""ASE from measured gain spectra: reading them, interpolating in ⟨N⟩, amplifying (Fig 9e, f)."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import NoReturn

import numpy as np
from numpy.typing import ArrayLike
from scipy.integrate import trapezoid
from scipy.interpolate import PchipInterpolator

from qdgain import parameters
from qdgain.ase import AseThreshold, first_root, log_amplification, parabolic_peak
from qdgain.dot import FloatArray
from qdgain.populations import mean_excitons_after_pulse
from qdgain.saturation import Film, SaturatedEmission, emit

_FEWEST_ENERGIES = 8
_SCAN = 200
_LARGEST_EXPONENT = 600.0
_DARK = 1e-6
_PEAK_KEY = "absorption_peak_eV"
_EXCITONS = re.compile(r"N=\d*\.?\d+")

Refusal = Callable[[str], NoReturn]


@dataclass(frozen=True, eq=False)
class MeasuredSpectra:
    """Gain spectra of a pumped sample at a few ⟨N⟩, and its photoluminescence.

    Parameters
    ----------
    energy_eV : numpy.ndarray
        Rising photon energies, of shape E.
    mean_excitons : numpy.ndarray
        Rising ⟨N⟩ from 0, of shape N.
    gain : numpy.ndarray
        -OD_NL over the linear OD at the band-edge peak, of shape (N, E).
    emission : numpy.ndarray
        Photoluminescence of unit peak, of shape E.
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
        can nowhere be less than the net gain.

        Notes
        -----
        Assumed: a gain measurement does not hold the spontaneous spectrum.
        """
        mean = np.asarray(mean_excitons, dtype=float)
        filling = np.minimum(0.5 * mean, 1.0)[..., None]
        return np.maximum(filling * self.emission, self.gain_at(mean))

    def log_ase(self, mean_excitons: ArrayLike, gain_exponent: float) -> FloatArray:
        """Return ln I of `qdgain.ase.log_ase_spectrum` for the measured gain, of shape N + E."""
        length = parameters.check("gain_exponent", gain_exponent)
        with np.errstate(divide="ignore"):
            log_spontaneous = np.log(self.spontaneous_at(mean_excitons))
        return log_spontaneous + log_amplification(length * self.gain_at(mean_excitons))

    def saturated(
        self, mean_excitons: ArrayLike, gain_exponent: float, guided_fraction: float
    ) -> SaturatedEmission:
        """Return what the film emits when every photon costs an exciton, against ⟨N⟩ of shape N.

        As `qdgain.saturation.saturated_emission`, with the measured spectra on an even grid of as
        many energies, joined by straight lines in ⟨N⟩.
        """
        mean = np.asarray(mean_excitons, dtype=float)
        length = parameters.check("gain_exponent", gain_exponent)
        beta = parameters.check("guided_fraction", guided_fraction)
        self.gain_at(mean)  # refuses what was not measured
        spontaneous = self.spontaneous_at(self.mean_excitons)
        # Only where something is emitted.
        bright = np.flatnonzero(spontaneous.max(axis=0) > _DARK * spontaneous.max())
        energy = np.linspace(
            self.energy_eV[bright[0]], self.energy_eV[bright[-1]], 1 + bright[-1] - bright[0]
        )
        step_meV = 1e3 * (energy[1] - energy[0])

        def even(spectrum: FloatArray) -> FloatArray:
            return np.asarray(PchipInterpolator(self.energy_eV, spectrum, axis=-1)(energy))

        area = np.sum(even(self.emission)) * step_meV
        film = Film(
            2 * np.maximum(even(spontaneous), 0)[None] / area,
            length * even(self.gain)[None],
            np.full(mean.size, step_meV),
            beta,
            self._weights,
        )
        spectrum, side, left = emit(film, mean.ravel())
        return SaturatedEmission(
            energy,
            spectrum.reshape(*mean.shape, energy.size),
            (spectrum.sum(axis=-1) * step_meV).reshape(mean.shape),
            side.reshape(mean.shape),
            left.reshape(mean.shape),
        )

    def _weights(self, mean_excitons: FloatArray) -> FloatArray:
        """Return the weights of the measured spectra that interpolate linearly in ⟨N⟩."""
        nodes = self.mean_excitons
        right = np.clip(np.searchsorted(nodes, mean_excitons, side="right"), 1, nodes.size - 1)
        part = (mean_excitons - nodes[right - 1]) / (nodes[right] - nodes[right - 1])
        index = np.arange(nodes.size)
        return np.asarray(
            (index == (right - 1)[..., None]) * (1 - part)[..., None]
            + (index == right[..., None]) * part[..., None]
        )

    def ase_threshold(
        self, gain_exponent: float, pi_pulse_fluence_mJ_cm2: float, statistics: str = "rabi"
    ) -> AseThreshold:
        """Return where stimulated amplification doubles the emitted energy.

        As `qdgain.ase.ase_threshold`, with integrals by the trapezoid rule over the measured
        energies, up to the largest measured ⟨N⟩ or the π pulse.

        Parameters
        ----------
        gain_exponent, pi_pulse_fluence_mJ_cm2 : float
            L_g and J_π of the film.
        statistics : {"rabi", "poisson", "sequential"}
            Only the law of ⟨N⟩ against fluence: Rabi's for a pump resonant with the band edge,
            Poisson's straight line for a pump into higher states.
        """
        pi_pulse = parameters.check("pi_pulse_fluence_mJ_cm2", pi_pulse_fluence_mJ_cm2)
        length = parameters.check("gain_exponent", gain_exponent)
        highest = self.mean_excitons[-1]

        def excitons(amplitude: FloatArray) -> FloatArray:
            mean = mean_excitons_after_pulse(amplitude**2, 1.0, statistics)
            return np.asarray(np.minimum(mean, highest))

        def log_ratio(amplitude: FloatArray) -> FloatArray:
            mean = excitons(amplitude)
            spontaneous = self.spontaneous_at(mean)
            exponent = np.minimum(length * self.gain_at(mean), _LARGEST_EXPONENT)
            total = trapezoid(spontaneous * np.exp(log_amplification(exponent)), self.energy_eV)
            return np.asarray(np.log(0.5 * total / trapezoid(spontaneous, self.energy_eV)))

        top = 1.0
        if statistics == "poisson" or highest < 2:
            slope = 0.5 * np.pi**2
            top = np.sqrt(highest / slope)
            if statistics != "poisson":
                top = 2 / np.pi * np.arcsin(np.sqrt(highest / 2))
        scan = top * np.linspace(1e-3, 1.0, _SCAN)
        amplitude = first_root(log_ratio, scan[None, :])[0]
        if not np.isfinite(amplitude):
            missing = np.array(np.inf)
            return AseThreshold(missing, missing, np.array(np.nan))
        mean = excitons(np.array(amplitude))
        peak = parabolic_peak(self.energy_eV, self.log_ase(mean, length))
        return AseThreshold(np.array(pi_pulse * amplitude**2), mean, peak)


def read_spectra(path: str | Path) -> MeasuredSpectra:
    """Read measured spectra from a CSV file.

    The header is ``energy_eV``, one column ``N=…`` for each ⟨N⟩ from ``N=0`` (the linear
    absorption) upwards, and if known ``PL``. The values are nonlinear optical densities
    OD_NL = OD_0 + ΔOD in any common unit. Lines that start with ``#`` are comments; one of them
    may say ``absorption_peak_eV: …``, the energy at which the linear OD is 1 in the units of the
    gain, otherwise its largest value counts. Without ``PL`` the positive part of the gain at the
    largest ⟨N⟩ stands in for it, of unit peak.

    Parameters
    ----------
    path : str or pathlib.Path
        The file, in UTF-8.

    Returns
    -------
    MeasuredSpectra

    Raises
    ------
    ParameterError
        If the file cannot be used; one sentence says why.
    """
    path = Path(path)

    def refuse(reason: str) -> NoReturn:
        raise parameters.ParameterError(f"the spectra file {path.name} is not usable: {reason}.")

    comments, header, table = _read_table(path, refuse)
    mean, density, emission = _columns(header, table, refuse)
    order = np.argsort(table[:, 0])
    energy, density = table[order, 0], density[:, order]
    if not (np.diff(energy) > 0).all() or energy[0] <= 0:
        refuse("its energies must be positive and differ")
    peak = _absorption_peak(comments, energy, density[0], refuse)
    gain = -density / peak
    emission = np.maximum(gain[-1], 0) if emission is None else emission[order]
    if emission.max() <= 0 or emission.min() < 0:
        refuse("it has neither a PL that is positive nor any gain to stand in for it")
    return MeasuredSpectra(energy, mean, gain, emission / emission.max())


def _read_table(path: Path, refuse: Refusal) -> tuple[list[str], list[str], FloatArray]:
    """Return the comments, the header and the numbers of a file."""
    try:
        lines = path.read_text(encoding="utf-8-sig").splitlines()
    except OSError:
        refuse("it cannot be opened")
    except UnicodeDecodeError:
        refuse("it is not text in UTF-8")
    comments = [line.lstrip("# ") for line in lines if line.startswith("#")]
    rows = [line.split(",") for line in lines if line.strip() and not line.startswith("#")]
    if len(rows) < _FEWEST_ENERGIES + 1:
        refuse(f"it needs a header and at least {_FEWEST_ENERGIES} energies")
    header = [name.strip() for name in rows[0]]
    for number, row in enumerate(rows[1:], start=1):
        if len(row) != len(header):
            refuse(f"row {number} has {len(row)} values for {len(header)} columns")
    try:
        table = np.array(rows[1:], dtype=float)
    except ValueError as error:
        refuse(f"a value is no number ({error})")
    if not np.isfinite(table).all():
        refuse("a value is not finite")
    return comments, header, table


def _columns(
    header: list[str], table: FloatArray, refuse: Refusal
) -> tuple[FloatArray, FloatArray, FloatArray | None]:
    """Return ⟨N⟩, OD_NL of shape (N, E), and the PL or None."""
    if header[0] != "energy_eV":
        refuse(f"its first column is {header[0]!r} where energy_eV is expected")
    named = dict(zip(header[1:], table.T[1:], strict=True))
    if len(named) != len(header) - 1:
        refuse("two of its columns have the same name")
    emission = named.pop("PL", None)
    for name in named:
        if not _EXCITONS.fullmatch(name):
            refuse(f"its column {name!r} is neither N=… nor PL")
    mean = np.array([float(name.removeprefix("N=")) for name in named])
    if len(mean) < 2 or mean[0] != 0 or not (np.diff(mean) > 0).all():
        refuse("its columns must be N=0 and rising ⟨N⟩ after it")
    return mean, np.array(list(named.values())), emission


def _absorption_peak(
    comments: list[str], energy: FloatArray, linear: FloatArray, refuse: Refusal
) -> float:
    """Return the linear OD at the band-edge peak, which is the unit of the gain."""
    peak = float(linear.max())
    for comment in comments:
        key, _, value = comment.partition(":")
        if key.strip() == _PEAK_KEY:
            try:
                at = float(value)
            except ValueError:
                refuse(f"{_PEAK_KEY} is {value.strip()!r}, not a number")
            if not energy[0] <= at <= energy[-1]:
                refuse(f"{_PEAK_KEY} is {at:g} eV, outside its energies")
            peak = float(np.interp(at, energy, linear))
    if peak <= 0:
        refuse("its linear absorption is not positive at the peak")
    return peak
