"""Line shapes of displaced oscillators beside Gaussians: figure of the chapter on balance."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache

import numpy as np
from matplotlib.figure import Figure as Picture

from qdgain.beyond import displaced_oscillators as osc
from qdgain.fast.onset import threshold_onset
from qdgain.figures import style
from qdgain.figures.kit import Numbers, line, number, panel
from qdgain.figures.panel import THRESHOLD, Axis, Panel
from qdgain.model import balance, parameters
from qdgain.model.dot import FloatArray
from qdgain.model.threshold import threshold_at_maximum
from qdgain.run import YOUR_DOT, Run

TEMPERATURE = Axis("temperature", "K")
_DETUNING = Axis("photon energy − E_Z", "meV")
_BAND = Axis("band / peak of A_X")

#: Drawn and compared, in K: liquid nitrogen, room temperature, a hot device.
TEMPERATURES_K = {"77 K": 77.0, "300 K": 300.0, "400 K": 400.0}
COLD_K, _, HOT_K = TEMPERATURES_K.values()


def lineshape(run: Run) -> tuple[Panel, ...]:
    """Return bands of displaced oscillators and their Gaussians, and both thresholds of each."""
    name = "4LS" if run.is_papers else YOUR_DOT
    spectra = (
        _spectra(run, name, letter, title)
        for letter, title in zip("ab", TEMPERATURES_K, strict=False)
    )
    return (
        *spectra,
        _against_temperature(run, "c", "max", "at the gain maximum"),
        _against_temperature(run, "d", "onset", f"onset, ε = {run['floor']:g}"),
    )


def _spectra(run: Run, name: str, letter: str, title: str) -> Panel:
    energy, shift = np.full(2, np.nan), number(run.dots[name].stokes_shift_meV)
    bands = dict.fromkeys(("A_X", "PL_X"), (energy, energy))
    if shift > 0:
        coupling = run["huang_rhys_factor"], run["phonon_energy_meV"]
        modes = osc.oscillators_for(shift, *coupling, TEMPERATURES_K[title])
        half, width = number(modes.reorganisation_meV), number(modes.width_meV)
        energy = np.linspace(-half - 6 * width, half + 6 * width, 481)
        peak = osc.log_absorption(modes, osc.absorption_band(modes).peak_meV[..., None])
        bands = {
            band: (np.exp(log(modes, energy) - peak), np.exp(-0.5 * ((energy - at) / width) ** 2))
            for band, log, at in (
                ("A_X", osc.log_absorption, half),
                ("PL_X", osc.log_emission, -half),
            )
        }
    lines = []
    for band, (own, gaussian) in bands.items():
        lines.append(line(band, energy, own, band))
        lines.append(line(f"{band}, Gaussian", energy, gaussian, band, "--"))
    return panel(letter, f"{name}, {title}", _DETUNING, _BAND, lines)


#: Curves of displaced oscillators and of Gaussians, by the first part of a number's key.
_CURVES = ("max", "max-gauss", "onset", "onset-gauss", "peaks", "ratio")


def _curves(
    run: Run, name: str, temperatures: FloatArray, factor: float | None = None
) -> Mapping[str, FloatArray]:
    """Return thresholds and bands of displaced oscillators against temperature."""
    shift = number(run.dots[name].stokes_shift_meV)
    if shift == 0:
        return dict.fromkeys(_CURVES, np.full(temperatures.shape, np.nan))
    chosen = run["huang_rhys_factor"] if factor is None else factor
    coupling = shift, chosen, run["phonon_energy_meV"]
    return _curves_of(*coupling, run["floor"], tuple(temperatures.tolist()))


@cache
def _curves_of(
    shift: float, factor: float, phonon: float, floor: float, temperatures: tuple[float, ...]
) -> Mapping[str, FloatArray]:
    modes = osc.oscillators_for(shift, factor, phonon, temperatures)
    dot, band = osc.gaussian_dot(modes), osc.absorption_band(modes)
    peaks = 2 * band.peak_meV
    return {
        "max": balance.threshold_at_emission_peak(peaks, modes.temperature_K),
        "max-gauss": threshold_at_maximum(dot).mean_excitons,
        "onset": osc.threshold_onset(modes, floor).mean_excitons,
        "onset-gauss": threshold_onset(dot, floor).mean_excitons,
        "peaks": peaks,
        "ratio": modes.stokes_shift_meV * modes.thermal_energy_meV / modes.width_meV**2,
    }


def _against_temperature(run: Run, letter: str, key: str, title: str) -> Panel:
    temperature = np.linspace(COLD_K, HOT_K, 28)
    series = []
    for name in run.pairs:
        curves = _curves(run, name, temperature)
        for what, tail, dash in (("", "", "-"), (", Gaussian", "-gauss", "--")):
            curve = curves[f"{key}{tail}"]
            series.append(line(f"{name}{what}", temperature, curve, name, dash))
    return panel(letter, title, TEMPERATURE, THRESHOLD, series)


def draw_lineshape(panels: tuple[Panel, ...]) -> Picture:
    """Draw the bands above, the thresholds below."""
    figure = style.new_figure(7.6, 6.0)
    top, bottom = style.split(figure, 2, 1)
    for part in (top, bottom):
        axes = part.subplots(1, 2, sharey=True)
        for ax, one in zip(axes, panels[:2] if part is top else panels[2:], strict=True):
            style.draw_panel(ax, one, legend=None)
            ax.set(**({"yscale": "log", "ylim": (1e-4, 2)} if part is top else {"ylim": (0, 1.05)}))
            ax.label_outer()
        part.legend(*axes[0].get_legend_handles_labels(), loc="outside lower center", ncols=6)
    return figure


def add_to(n: Numbers, run: Run) -> None:
    """Add thresholds and bands of displaced oscillators, and the thresholds of their Gaussians."""
    temperatures = np.array([*TEMPERATURES_K.values()])
    strongest = parameters.parameter("huang_rhys_factor").maximum
    cases = [(name, name, _curves(run, name, temperatures)) for name in run.pairs]
    share = f"4LS, {100 * osc.MOST_OPTICAL:g} % of S from the optical phonon"
    cases.append((share, "strong", _curves(run, "4LS", temperatures, strongest)))
    for of, case, curves in cases:
        for i, label in enumerate(("77 K", "300 K")):
            for key in _CURVES if case != "strong" else _CURVES[:2]:
                at = label.removesuffix(" K")
                n.add(f"{key}-{{at}}-{{case}}", curves[key][i], at=at, case=case, of=of)
