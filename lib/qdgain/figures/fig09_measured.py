"""Figures 9e and f: amplified spontaneous emission from measured gain spectra."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from typing import NamedTuple

import numpy as np

from qdgain.figures import emission_maps as maps
from qdgain.figures.kit import Numbers, number
from qdgain.figures.panel import Panel
from qdgain.measured import surrogate
from qdgain.measured.gain_spectra import MeasuredSpectra, read_spectra
from qdgain.model import spike
from qdgain.model.dot import FloatArray
from qdgain.model.film import AseThreshold
from qdgain.model.populations import fluence_for_mean_excitons, mean_excitons_after_pulse
from qdgain.model.saturation import SaturatedEmission
from qdgain.model.search import parabolic_peak
from qdgain.run import Run

_surrogate = cache(surrogate.load)
_saturated: Callable[..., SaturatedEmission] = cache(MeasuredSpectra.saturated)


class Measured(NamedTuple):
    """Gain spectra with what is needed to turn fluence into excitons."""

    letter: str
    title: str
    slug: str
    spectra: MeasuredSpectra
    law: str

    def excitons(self, run: Run, fluence: FloatArray) -> FloatArray:
        """Return ⟨N⟩, at most the largest measured one that a pulse gives."""
        mean = mean_excitons_after_pulse(fluence, run["pi_pulse_fluence_mJ_cm2"], self.law)
        return np.minimum(mean, self.spectra.most_excitons(self.law))

    def highest_fluence(self, run: Run) -> float:
        """Return the fluence of the largest measured ⟨N⟩, or the π pulse."""
        most = self.spectra.most_excitons(self.law)
        return float(fluence_for_mean_excitons(most, run["pi_pulse_fluence_mJ_cm2"], self.law))

    def threshold(self, run: Run) -> AseThreshold:
        """Return the ASE threshold."""
        pi_pulse = run["pi_pulse_fluence_mJ_cm2"]
        return self.spectra.ase_threshold(run["gain_exponent"], pi_pulse, self.law)

    def saturated(self, run: Run) -> SaturatedEmission:
        """Return the emission that depletes the film at the largest ⟨N⟩."""
        most = (self.spectra.most_excitons(self.law),)
        return _saturated(self.spectra, most, run["gain_exponent"], run["guided_fraction"])


def sources(run: Run) -> tuple[Measured, ...]:
    """Return the users' files, or the surrogates where none is named."""
    if run["x1_spectra_csv"]:
        own = read_spectra(run["x1_spectra_csv"])
        x1 = Measured("e", "X1, your spectra", "x1", own, "rabi")
    else:
        x1 = Measured("e", "X1, surrogate", "x1", _surrogate("x1"), "rabi")
    if run["x3_spectra_csv"]:
        own = read_spectra(run["x3_spectra_csv"])
        return x1, Measured("f", "X3, your spectra", "x3", own, "poisson")
    titles = {where: f"X3, surrogate ({where})" for where in ("edge", "blue")}
    both = (
        Measured("f", title, f"x3-{where}", _surrogate(f"x3_{where}"), "poisson")
        for where, title in titles.items()
    )
    return x1, *both


def measured(run: Run) -> tuple[Panel, ...]:
    """Return panels e and f: ASE from gain spectra in files, by default the surrogates."""
    return tuple(_measured_panel(run, source) for source in sources(run))


def _measured_panel(run: Run, source: Measured) -> Panel:
    data, energy, length = source.spectra, source.spectra.energy_eV, run["gain_exponent"]
    fluence = source.highest_fluence(run) * maps.LOG_STEPS
    mean, threshold = source.excitons(run, fluence), source.threshold(run)
    log_spectrum = data.log_ase(mean, length)
    saturated = source.saturated(run)
    last = saturated.spectrum_per_meV[-1]
    above = [
        maps.spectrum("PL", energy, data.emission, "PL_X", ":"),
        maps.spectrum("highest J", energy, maps.relative(log_spectrum[-1]), "ASE", "-"),
        maps.spectrum("saturated", saturated.energy_eV, last, "saturated ASE", "-."),
    ]
    if np.isfinite(threshold.fluence_mJ_cm2):
        at = maps.relative(data.log_ase(threshold.mean_excitons, length))
        above.append(maps.spectrum("at threshold", energy, at, "ASE threshold", "--"))
    if source.slug == "x1":
        above.append(maps.stated_threshold("F9-alloy"))
    crest, ratio = parabolic_peak(energy, log_spectrum), data.log_energy_ratio(mean, length)
    sweep = maps.Sweep(energy, fluence, log_spectrum, ratio, crest)
    return maps.emission_map(source.letter, source.title, sweep, above, threshold.fluence_mJ_cm2)


def of_measured(n: Numbers, run: Run, source: Measured) -> None:
    """Add the numbers of one sample."""
    data, energy, length = source.spectra, source.spectra.energy_eV, run["gain_exponent"]
    start, top = number(source.threshold(run).fluence_mJ_cm2), source.highest_fluence(run)
    peak = float(parabolic_peak(energy, data.emission))

    def log_ase(fluence: FloatArray) -> FloatArray:
        return data.log_ase(source.excitons(run, fluence), length)

    def offset_meV(fluence: float) -> float:
        if not (start < top and fluence <= top):
            return np.nan
        return maps.hundredths(1e3 * (parabolic_peak(energy, log_ase(np.array(fluence))) - peak))

    shift, width, end = np.nan, np.nan, min(3 * start, top)
    if start < top:
        shift = (offset_meV(end) - offset_meV(start)) / np.log10(end / start)
    if 2 * start <= top:
        width = float(1e3 * spike.full_width(energy, maps.relative(log_ase(np.array(2 * start)))))
    every = maps.relative(log_ase(top * np.linspace(0, 1, 401)[1:]))
    counts = np.array([spike.count_spikes(spectrum) for spectrum in every])
    saturated = float(spike.count_spikes(source.saturated(run).spectrum_per_meV[-1]))
    of = {"sample": source.slug, "title": source.title}
    n.add("threshold-{sample}", start, **of)
    n.add("offset-{sample}-1", offset_meV(start), **of)
    n.add("offset-{sample}-top", offset_meV(top), **of)
    n.add("shift-{sample}", shift, **of)
    n.add("width-{sample}", width, **of)
    n.add("spikes-{sample}", counts.max(), **of)
    n.add("saturated-spikes-{sample}", saturated, **of)
    if "your" in source.title:
        n.add("band-edge-{sample}", data.band_edge_eV, **of)
