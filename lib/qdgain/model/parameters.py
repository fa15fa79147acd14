"""The parameter contract: every parameter's name, symbol, unit, range, default and origin.

This is the one place where they are written. The validation of `Dot`, the parameters cells of
the chapters, the widgets and the parameter table of the book are made from it or tested
against it.
"""

from __future__ import annotations

import difflib
import math
import tomllib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray


class ParameterError(ValueError):
    """A parameter that the contract refuses, with the reason in one sentence."""


@dataclass(frozen=True)
class Origin:
    """Where a value comes from.

    Parameters
    ----------
    kind : str
        ``paper`` (stated there), ``literature`` (public, with its DOI), ``calibrated`` (solved for,
        so that numbers stated in the paper come out), ``provisional`` (to be replaced by a
        calibration) or ``assumed``.
    source : str
        The section or figure, the DOI, or the reason.
    """

    kind: str
    source: str

    KINDS = ("paper", "literature", "calibrated", "provisional", "assumed")

    def __post_init__(self) -> None:
        if self.kind not in self.KINDS:
            raise ValueError(f"origin {self.kind!r} is none of {', '.join(self.KINDS)}")


@dataclass(frozen=True)
class Parameter:
    """One entry of the contract.

    Parameters
    ----------
    name : str
        The name in the code, with its unit.
    symbol : str
        The symbol in the book's equations, in TeX.
    unit : str
        The unit as printed; ``1`` for a pure number.
    meaning : str
        One line.
    default : float, int, str or None
        None where another parameter stands in for it. The path of a file where it is text without
        choices.
    origin : Origin
        Where the default comes from.
    minimum, maximum : float
        The allowed range of a number, both ends included.
    choices : tuple of str
        The allowed words, for a parameter that is a word.
    stand_in : str
        What is used while an optional parameter is None.
    """

    name: str
    symbol: str
    unit: str
    meaning: str
    default: float | int | str | None
    origin: Origin
    minimum: float = -math.inf
    maximum: float = math.inf
    choices: tuple[str, ...] = ()
    stand_in: str = ""

    @property
    def kind(self) -> str:
        """``word``, ``file``, ``integer`` or ``number``."""
        if self.choices:
            return "word"
        if isinstance(self.default, str):
            return "file"
        return "integer" if isinstance(self.default, int) else "number"

    @property
    def allowed(self) -> str:
        """What is allowed, as the end of a sentence."""
        if self.choices:
            return "one of " + ", ".join(self.choices)
        if self.kind == "file":
            return "the path of a file, or nothing"
        noun = "a whole number" if self.kind == "integer" else "a number"
        unit = "" if self.unit == "1" else f" {self.unit}"
        return f"{noun} from {self.minimum:g} to {self.maximum:g}{unit}"

    def check(self, value: Any) -> Any:
        """Return the value as float, int, str or read-only array, or refuse it.

        Parameters
        ----------
        value : float, int, str or array_like
            The value to check. None passes where a stand-in is defined.

        Returns
        -------
        float, int, str, numpy.ndarray or None

        Raises
        ------
        ParameterError
            If the value has the wrong type, is not finite or is out of range.
        """
        if value is None and self.stand_in:
            return None
        if self.choices:
            if not isinstance(value, str) or value not in self.choices:
                raise self.refusal(value)
            return value
        if self.kind == "file":
            if not isinstance(value, str):
                raise self.refusal(value)
            return value
        array = np.asarray(value)
        # Only true numbers: no strings that look like one, no booleans, no objects.
        if array.dtype.kind not in "iuf" or array.size == 0:
            raise self.refusal(value)
        inside = np.isfinite(array) & (array >= self.minimum) & (array <= self.maximum)
        if self.kind == "integer":
            inside &= array == np.floor(array)
        if not inside.all():
            raise self.refusal(array[~inside].flat[0].item())
        if self.kind == "integer":
            if array.ndim:
                raise self.refusal(value)
            return int(array)
        if array.ndim == 0:
            return float(array)
        result = array.astype(float)
        result.flags.writeable = False
        return result

    def refusal(self, value: Any) -> ParameterError:
        """Return the refusal of a value: the name, the value and what is allowed."""
        text = repr(value)
        if len(text) > 60:
            text = text[:57] + "..."
        also = f", or None for {self.stand_in}" if self.stand_in else ""
        return ParameterError(f"{self.name} = {text} is not allowed: give {self.allowed}{also}.")


def _read_presets() -> dict[str, Any]:
    # importlib.resources takes longer to import than all of this package.
    text = (Path(__file__).parents[1] / "data" / "presets.toml").read_text(encoding="utf-8")
    return tomllib.loads(text)


#: The stored presets: what the calibration found, or until then provisional values.
PRESETS: Mapping[str, Any] = _read_presets()

CALIBRATED = Origin(**PRESETS["origin"])
_SUBJECT = PRESETS["dots"][PRESETS["default_dot"]]
_FILM = PRESETS["film"]

_OWN_WIDTH = Origin("paper", "section 3.3 and Fig 8a: one Gaussian line shape for every band")


def _own_width(name: str, band: str) -> Parameter:
    return Parameter(
        name,
        rf"\Gamma_{{{band}}}",
        "meV",
        "full width at half maximum of " + band.translate({123: "", 125: ""}) + " alone",
        None,
        _OWN_WIDTH,
        1.0,
        1000.0,
        stand_in="the shared linewidth",
    )


_DOT = (
    Parameter(
        "absorption_energy_eV",
        "E_A",
        "eV",
        "centre of the linear absorption band A_X",
        PRESETS["shared"]["absorption_energy_eV"],
        Origin(
            "assumed",
            "a band edge near the 1.8 to 2.0 eV emission of Fig 6b; shifts every "
            "energy alike and changes no threshold",
        ),
        0.2,
        6.0,
    ),
    Parameter(
        "linewidth_meV",
        r"\Gamma",
        "meV",
        "full width at half maximum shared by the bands",
        PRESETS["shared"]["linewidth_meV"],
        Origin(
            "paper",
            "section 1.2: 50 to 100 meV at 300 K; the value within it is assumed, and "
            "scales every energy difference",
        ),
        1.0,
        1000.0,
    ),
    Parameter(
        "stokes_shift_meV",
        "S",
        "meV",
        "Stokes shift: centre of A_X less centre of PL_X",
        _SUBJECT["stokes_shift_meV"],
        CALIBRATED,
        0.0,
        1000.0,
    ),
    Parameter(
        "unrelaxed_absorptive_binding_meV",
        r"\Delta_{A1}",
        "meV",
        "absorptive biexciton shift before relaxation: centre of A_X less centre of A_XX1; "
        "positive is red",
        0.0,
        Origin(
            "assumed",
            "zero, so that the second excitation step is resonant with the pump as "
            "independent Rabi channels need it",
        ),
        -1000.0,
        1000.0,
    ),
    Parameter(
        "absorptive_binding_meV",
        r"\Delta_{A2}",
        "meV",
        "absorptive biexciton shift after relaxation: centre of A_X less centre of A_XX2; "
        "positive is red",
        _SUBJECT["absorptive_binding_meV"],
        CALIBRATED,
        -1000.0,
        1000.0,
    ),
    Parameter(
        "emissive_binding_meV",
        r"\Delta_E",
        "meV",
        "emissive biexciton binding: centre of PL_X less centre of PL_XX",
        _SUBJECT["emissive_binding_meV"],
        CALIBRATED,
        -1000.0,
        1000.0,
    ),
    Parameter(
        "xx_absorption_strength",
        "a",
        "1",
        "strength of A_XX1 and A_XX2 relative to two uncorrelated excitons",
        _SUBJECT["xx_absorption_strength"],
        CALIBRATED,
        0.0,
        4.0,
    ),
    Parameter(
        "xx_emission_strength",
        r"\gamma",
        "1",
        "strength of PL_XX relative to two uncorrelated excitons",
        _SUBJECT["xx_emission_strength"],
        CALIBRATED,
        0.0,
        4.0,
    ),
    _own_width("absorption_linewidth_meV", "A_X"),
    _own_width("emission_linewidth_meV", "PL_X"),
    _own_width("unrelaxed_xx_absorption_linewidth_meV", "A_{XX1}"),
    _own_width("xx_absorption_linewidth_meV", "A_{XX2}"),
    _own_width("xx_emission_linewidth_meV", "PL_{XX}"),
)

_SETTINGS = (
    Parameter(
        "statistics",
        r"P_k",
        "1",
        "how a pulse distributes excitons over the dots",
        "rabi",
        Origin("paper", "section 3.3 and Fig 8b"),
        choices=("rabi", "poisson", "sequential"),
    ),
    Parameter(
        "floor",
        r"\varepsilon",
        "1",
        "smallest gain, in units of the peak absorption cross section, that counts as onset",
        0.01,
        Origin(
            "assumed",
            "one hundredth of the absorption cross section, a tenth of the smallest "
            "gain the paper quotes; the onset falls to zero with it",
        ),
        1e-9,
        1.0,
    ),
    Parameter(
        "pi_pulse_fluence_mJ_cm2",
        r"J_\pi",
        "mJ cm⁻²",
        "pump fluence of a π pulse",
        _FILM["pi_pulse_fluence_mJ_cm2"],
        CALIBRATED,
        1e-6,
        1e4,
    ),
    Parameter(
        "gain_exponent",
        "L_g",
        "1",
        "small-signal gain exponent of the film: dot density × peak absorption cross section × "
        "length",
        _FILM["gain_exponent"],
        CALIBRATED,
        0.0,
        1e4,
    ),
    Parameter(
        "guided_fraction",
        r"\beta",
        "1",
        "part of the spontaneous emission that starts along the film and can be amplified",
        0.01,
        Origin(
            "assumed",
            "not public; of the order of the solid angle of a stripe's two ends. Enters the "
            "saturated emission only, through its logarithm",
        ),
        1e-9,
        1.0,
    ),
    Parameter(
        "film_refractive_index",
        r"n_f",
        "1",
        "refractive index of the film that the pump crosses",
        1.8,
        Origin("assumed", "close-packed dots and ligands; the paper gives none"),
        1.0,
        4.0,
    ),
    Parameter(
        "relaxation_time_fs",
        r"\tau_{AE}",
        "fs",
        "relaxation from the absorbing to the emitting exciton, X_A to X_E",
        500.0,
        Origin("paper", "section 3.1 and Fig 6c: build-up of stimulated emission after X1 pumping"),
        1.0,
        1e5,
    ),
)

_DETAILED_BALANCE = (
    Parameter(
        "temperature_K",
        "T",
        "K",
        "temperature at which absorption and emission are in detailed balance",
        300.0,
        Origin("paper", "section 1.2: linewidths at 300 K"),
        1.0,
        2000.0,
    ),
    Parameter(
        "huang_rhys_factor",
        r"S_\mathrm{HR}",
        "1",
        "Huang-Rhys factor of the exciton and the optical phonon",
        0.2,
        Origin(
            "assumed",
            "CdSe dots have about half of the 0.3 to 0.5 of ZnSe dots of their size, says the "
            "abstract of Gong, Kelley and Kelley, J. Phys. Chem. C 120 (2016)",
        ),
        0.0,
        20.0,
    ),
)

_UNIVERSAL_THRESHOLD = (
    Parameter(
        "host_index",
        "n_h",
        "1",
        "refractive index of the liquid or film around the dots",
        1.45,
        Origin("assumed", "midway between hexane and toluene, the common solvents"),
        1.0,
        2.0,
    ),
    Parameter(
        "cdse_rescaling",
        r"f_\mathrm{CdSe}",
        "1",
        "factor that moves the CdSe curve of cross sections onto a measured point",
        1.0,
        Origin(
            "assumed",
            "no rescaling: the paper (section 3.4) moves both curves onto one point each of "
            "its ref. 55; neither points nor factors are public",
        ),
        0.01,
        100.0,
    ),
    Parameter(
        "cspbbr3_rescaling",
        r"f_\mathrm{CsPbBr_3}",
        "1",
        "factor that moves the CsPbBr3 curve of cross sections onto a measured point",
        1.0,
        Origin("assumed", "no rescaling, as for CdSe"),
        0.01,
        100.0,
    ),
    Parameter(
        "xx_reduction",
        r"\rho_\mathrm{XX}",
        "1",
        "factor by which engineered biexciton interactions shall lower the threshold",
        3.0,
        Origin("paper", "section 3.4 and Fig 10b"),
        1.0,
        100.0,
    ),
    Parameter(
        "harvest_ratio",
        r"\rho_\mathrm{LH}",
        "1",
        "pump cross section of a dot with a light-harvesting shell over that of the bare dot",
        10.0,
        Origin("paper", "section 3.4 and Fig 10b"),
        1.0,
        1000.0,
    ),
    Parameter(
        "low_threshold",
        r"N_0",
        "1",
        "threshold ⟨N⟩ below which a dot is counted as thresholdless",
        0.1,
        Origin("assumed", "an order of magnitude below one exciton per dot; the paper sets none"),
        1e-4,
        2.0,
    ),
)

_LEVELS_AND_TRANSIENTS = (
    Parameter(
        "phonon_energy_meV",
        r"\hbar\omega",
        "meV",
        "energy of the optical phonon, in drawn potentials and displaced oscillators",
        26.0,
        Origin(
            "assumed",
            "near the longitudinal optical phonon of CdSe, about 210 cm⁻¹; it shapes the drawn "
            "potentials and the line shapes of displaced oscillators",
        ),
        1.0,
        200.0,
    ),
    Parameter(
        "splitting_fraction",
        r"f_\delta",
        "1",
        "part of the 5LS's Stokes shift that is fine-structure splitting, the rest being phonons",
        0.5,
        Origin("assumed", "section 1.2 of the paper names both causes and gives no shares"),
        0.0,
        1.0,
    ),
    Parameter(
        "exciton_lifetime_ns",
        r"\tau_X",
        "ns",
        "lifetime of the emitting exciton",
        20.0,
        Origin(
            "assumed",
            "tens of nanoseconds, as usual for CdSe dots; only its being long against picoseconds "
            "matters",
        ),
        0.01,
        1e6,
    ),
    Parameter(
        "cooling_time_ps",
        r"\tau_c",
        "ps",
        "cooling of the 400 nm pumped exciton to the absorbing exciton X_A",
        1.5,
        Origin("paper", "section 3.1 and Fig 6b: 1 to 2 ps, of which this is the middle"),
        0.01,
        100.0,
    ),
    Parameter(
        "streak_irf_ps",
        r"\Gamma_{IRF}",
        "ps",
        "full width at half maximum of the response of time-resolved photoluminescence",
        3.0,
        Origin("paper", "section 3.1; that it is a Gaussian's full width is assumed"),
        0.01,
        1000.0,
    ),
    Parameter(
        "transient_noise",
        r"\epsilon_t",
        "1",
        "noise of a simulated transient, relative to its largest value",
        0.01,
        Origin("assumed", "the noise of the measured transients is not public"),
        1e-6,
        1.0,
    ),
    Parameter(
        "pulse_fwhm_fs",
        r"\Gamma_p",
        "fs",
        "full width at half maximum of the pump-probe cross-correlation",
        100.0,
        Origin("assumed", "the paper gives none; well below the 200 fs that it resolves"),
        1.0,
        1e5,
    ),
    Parameter(
        "cw_esa_strength",
        r"\rho",
        "1",
        "cross section of excited-state absorption over that of emission on the lasing line",
        1.0,
        Origin("paper", "section 3.2 and Fig 7b: perfect cancellation"),
        0.0,
        4.0,
    ),
    Parameter(
        "induced_absorption_rise_fs",
        r"\tau_r",
        "fs",
        "rise of the induced absorption after X3 pumping",
        200.0,
        Origin("paper", "section 3.2 and Fig 7c"),
        1.0,
        1e5,
    ),
    Parameter(
        "induced_absorption_decay_ps",
        r"\tau_d",
        "ps",
        "decay of the induced absorption after X3 pumping",
        1.0,
        Origin("paper", "section 3.2 and Fig 7c"),
        0.01,
        100.0,
    ),
    Parameter(
        "hot_binding_meV",
        r"\Delta_h",
        "meV",
        "red shift of the absorption X → XX while the first exciton is hot",
        20.0,
        Origin("assumed", "tens of meV, the size of the band-edge shifts; not public"),
        -500.0,
        500.0,
    ),
    Parameter(
        "hot_width_ratio",
        r"\kappa_h",
        "1",
        "width of the absorption X → XX over that of A_X while the first exciton is hot",
        2.0,
        Origin(
            "assumed",
            "above 1, without which induced absorption cannot appear on both sides of the bleach "
            "at conserved strength; its value is not public",
        ),
        0.2,
        10.0,
    ),
    Parameter(
        "pumped_fraction",
        "n_3",
        "1",
        "fraction of dots that the pump excites to X3",
        0.3,
        Origin("assumed", "few enough that no dot holds two pumped excitons; scales the map"),
        1e-4,
        1.0,
    ),
)

#: The simulated multiexciton spectra of CsPbBr3 (Fig 7d); no measured value of ref 54 is public.
_FOUR_BANDS = (
    Parameter(
        "perovskite_exciton_energy_eV",
        "E_1",
        "eV",
        "centre of the CsPbBr3 emission band X",
        2.40,
        Origin("assumed", "green emission of large CsPbBr3 dots; shifts all four bands alike"),
        1.0,
        4.0,
    ),
    Parameter(
        "perovskite_linewidth_meV",
        r"\Gamma_1",
        "meV",
        "full width at half maximum of each of the four bands",
        90.0,
        Origin("paper", "section 1.2: 50 to 100 meV at 300 K; the value within it is assumed"),
        10.0,
        500.0,
    ),
    Parameter(
        "perovskite_xx_shift_meV",
        r"\Delta_2",
        "meV",
        "centre of X less centre of XX, 1S² → 1S¹",
        40.0,
        Origin(
            "assumed",
            "between the blue shifts of a few meV and the red shifts of order 100 meV that "
            "DOI 10.48550/arXiv.2002.07636 finds published for CsPbBr3",
        ),
        -200.0,
        300.0,
    ),
    Parameter(
        "perovskite_mx_lower_shift_meV",
        r"\Delta_{3l}",
        "meV",
        "centre of X less centre of MX lower, 1S²1P¹ → 1S¹1P¹",
        90.0,
        Origin("assumed", "red of XX, so that all four bands overlap; not public"),
        -300.0,
        500.0,
    ),
    Parameter(
        "perovskite_mx_upper_shift_meV",
        r"\Delta_{3u}",
        "meV",
        "centre of MX upper, 1S²1P¹ → 1S², less centre of X",
        80.0,
        Origin("assumed", "blue of X, so that all four bands overlap; not public"),
        -300.0,
        500.0,
    ),
    Parameter(
        "perovskite_mx_lifetime_ps",
        r"\tau_3",
        "ps",
        "lifetime of the triexciton MX",
        12.0,
        Origin("assumed", "between the 3 ps response and the biexciton lifetime; not public"),
        0.1,
        1e4,
    ),
    Parameter(
        "perovskite_xx_lifetime_ps",
        r"\tau_2",
        "ps",
        "lifetime of the biexciton XX",
        50.0,
        Origin("assumed", "tens of picoseconds, the order of Auger recombination; not public"),
        0.1,
        1e5,
    ),
    Parameter(
        "perovskite_mean_excitons",
        r"\langle N\rangle_{max}",
        "1",
        "mean excitons per CsPbBr3 dot at the highest fluence, Poisson distributed",
        4.0,
        Origin("assumed", "high enough that every band is seen at 5 ps; not public"),
        0.1,
        20.0,
    ),
    Parameter(
        "spectrum_noise",
        r"\epsilon_s",
        "1",
        "noise of the simulated CsPbBr3 spectra, relative to the largest value of all of them",
        0.005,
        Origin("assumed", "the noise of the measured spectra is not public"),
        1e-6,
        1.0,
    ),
    Parameter(
        "seed",
        r"\mathrm{seed}",
        "1",
        "seed of the simulated noise",
        1,
        Origin("assumed", "any whole number; another one shows how far a result is luck"),
        0,
        10**6,
    ),
)

_SAMPLE = (
    Parameter(
        "inhomogeneous_width_meV",
        r"\Gamma_{inh}",
        "meV",
        "full width at half maximum of the distribution of transition energies in a sample",
        40.0,
        Origin(
            "assumed",
            "what the sizing curve of CdSe (DOI 10.1021/cm034081k) makes of a dispersion of five "
            "per cent near 2 eV, rounded; the paper gives none",
        ),
        0.0,
        300.0,
    ),
    Parameter(
        "size_dispersion",
        r"\delta",
        "1",
        "standard deviation of the diameter over its mean",
        0.05,
        Origin("assumed", "five per cent, the usual mark of a narrow sample; not in the paper"),
        0.0,
        0.2,
    ),
    Parameter(
        "pump_band",
        r"E_p",
        "1",
        "whether the pump is resonant with the mean dot's A_X or excites all dots alike",
        "resonant",
        Origin("paper", "section 3.3: band edge pumping"),
        choices=("resonant", "broad"),
    ),
    Parameter(
        "pump_duration_fs",
        r"\tau_p",
        "fs",
        "full width at half maximum of the pump pulse's intensity, Gaussian and without chirp",
        70.0,
        Origin("assumed", "two equal pulses whose cross-correlation is 100 fs wide"),
        1.0,
        500.0,
    ),
    Parameter(
        "dipole_dimensions",
        r"d",
        "1",
        "dimensions of the band-edge transition dipole: 1 a line, 2 a plane, 3 isotropic",
        2,
        Origin(
            "literature",
            "DOI 10.1021/nl1040385: the emission dipole of CdSe/ZnS dots lies in a plane, while "
            "excitation well above the band edge is isotropic; that the plane also holds for "
            "resonant pumping is assumed",
        ),
        1,
        3,
    ),
    Parameter(
        "probe_polarisation",
        r"\hat e",
        "1",
        "polarisation of the probe or of the amplified light against the pump's",
        "magic-angle",
        Origin("assumed", "no preferred direction; the paper gives none"),
        choices=("magic-angle", "parallel", "perpendicular"),
    ),
    Parameter(
        "pump_optical_density",
        r"OD_p",
        "1",
        "decadic optical density of the unpumped film at the pump's energy",
        0.3,
        Origin("assumed", "half of the pump absorbed, as usual for pump and probe"),
        0.0,
        2.0,
    ),
    Parameter(
        "probe_spot_ratio",
        r"\rho_p",
        "1",
        "diameter of the probed spot over that of the pumped spot, Gaussian; 0 for a uniform pump",
        0.5,
        Origin("assumed", "a probe half as wide as the pump; the paper gives none"),
        0.0,
        2.0,
    ),
    Parameter(
        "second_step_detuning_meV",
        r"\Delta_{A1}",
        "meV",
        "detuning of X → XX from the pump, where it is asked what that would do",
        20.0,
        Origin("assumed", "about the calibrated Δ_A2 of the 3LS; the paper takes resonance"),
        -200.0,
        200.0,
    ),
)

_MEASURED_SPECTRA = tuple(
    Parameter(
        f"{exciton.lower()}_spectra_csv",
        rf"OD_{{NL}}^{{{exciton}}}",
        "1",
        f"path of measured gain spectra with {exciton} pumping; empty for the surrogate",
        "",
        Origin("assumed", f"the spectra of Fig 3{letter} are not public; a surrogate stands in"),
    )
    for exciton, letter in (("X1", "e"), ("X3", "f"))
)

#: Pulses of finite length and Auger recombination.
_AUGER = (
    Parameter(
        "pump_fwhm_ps",
        r"\Gamma_{pump}",
        "ps",
        "full width at half maximum of the pump pulse",
        0.1,
        Origin("assumed", "a femtosecond laser, as for ultrafast pump and probe; not in the paper"),
        0.01,
        1e7,
    ),
    Parameter(
        "auger_lifetime_ps",
        r"\tau_{XX}",
        "ps",
        "Auger lifetime of the biexciton",
        30.0,
        Origin("paper", "section 1.4: about 30 ps, which the Standard Model sets out to lengthen"),
        0.1,
        1e6,
    ),
    Parameter(
        "read_delay_ps",
        r"t_0",
        "ps",
        "earliest time after the middle of the pulse at which stimulated emission is read",
        3.0,
        Origin(
            "assumed",
            "after cooling and before recombination; the paper gives no delay of its gain spectra",
        ),
        0.01,
        1e4,
    ),
    Parameter(
        "build_up_time_ps",
        "T",
        "ps",
        "time in which light crosses the pumped film, or collects the same gain in a resonator",
        2.4,
        Origin(
            "assumed",
            "0.4 mm, the dense film that has the calibrated gain exponent, at the assumed "
            "refractive index of 1.8",
        ),
        0.01,
        1e6,
    ),
    Parameter(
        "cdse_auger_ps_nm3",
        r"\tau_{XX}/V",
        "ps nm⁻³",
        "Auger lifetime of the biexciton per volume, CdSe",
        1.0,
        Origin(
            "literature",
            "universal volume scaling, DOI 10.1103/PhysRevLett.102.177404; rounded, as usually "
            "quoted: the article could not be read beyond its abstract",
        ),
        1e-3,
        1e3,
    ),
    Parameter(
        "cspbbr3_auger_ps_nm3",
        r"\tau_{XX}/V",
        "ps nm⁻³",
        "Auger lifetime of the biexciton per volume, CsPbBr3",
        0.1,
        Origin(
            "literature",
            "about ten times faster than CdSe of equal volume, DOI 10.1007/s12274-018-2266-7; "
            "rounded, as usually quoted: the article could not be read",
        ),
        1e-3,
        1e3,
    ),
)

_INFORMATION = (
    Parameter(
        "varied_by",
        r"\eta",
        "1",
        "fraction by which each parameter is lowered and raised to see what moves",
        0.1,
        Origin("assumed", "the tolerance that the calibration allows every number"),
        1e-3,
        0.5,
    ),
    Parameter(
        "precision_factor",
        r"f_\sigma",
        "1",
        "factor on the assumed standard deviation of every candidate measurement",
        1.0,
        Origin("assumed", "the precisions as listed with each candidate"),
        0.1,
        10.0,
    ),
)

#: name -> Parameter, for everything that a user can set.
CONTRACT: Mapping[str, Parameter] = {
    p.name: p
    for p in (
        *_DOT,
        *_SETTINGS,
        *_DETAILED_BALANCE,
        *_UNIVERSAL_THRESHOLD,
        *_LEVELS_AND_TRANSIENTS,
        *_FOUR_BANDS,
        *_SAMPLE,
        *_INFORMATION,
        *_MEASURED_SPECTRA,
        *_AUGER,
    )
}

#: The names that describe a dot, in the order of its fields.
DOT_PARAMETERS: tuple[str, ...] = tuple(p.name for p in _DOT)


def parameter(name: str) -> Parameter:
    """Return the contract's entry of that name.

    Raises
    ------
    ParameterError
        If there is none; the sentence suggests the nearest name.
    """
    try:
        return CONTRACT[name]
    except KeyError:
        raise unknown_name(name, CONTRACT) from None


def unknown_name(name: str, known: Iterable[str]) -> ParameterError:
    """Return the refusal of an unknown parameter, with the nearest known name."""
    known = list(known)
    near = difflib.get_close_matches(name, known, n=1)
    hint = f"did you mean {near[0]}?" if near else "the names are " + ", ".join(known) + "."
    return ParameterError(f"{name} is not a parameter here: {hint}")


def clipped(name: str, values: ArrayLike) -> NDArray[np.float64]:
    """Return numbers moved to the nearest that the contract allows a parameter."""
    entry = parameter(name)
    inside = np.clip(np.asarray(values, dtype=float), entry.minimum, entry.maximum)
    return np.asarray(inside, dtype=float)


def check(name: str, value: Any) -> Any:
    """Check one value against the contract; see `Parameter.check`."""
    return parameter(name).check(value)
