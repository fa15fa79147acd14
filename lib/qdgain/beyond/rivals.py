"""Rival models of gain, each with the set of dots that it allows, and what each predicts.

A model is a rule for the states of a dot together with a set of its parameters: for a reading of
the paper the points that the calibration stored, for the Standard Model what is public of the
width of single dots, with any Stokes shift up to the one that detailed balance gives to that width.
A prediction is an array over that set; its spread is the model's uncertainty. Where a model says
nothing of a quantity there is a sentence that says why, and no number.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from functools import lru_cache
from types import MappingProxyType
from typing import Any, NamedTuple

import numpy as np

from qdgain.beyond.auger_maps import LASERS_PS, default_conditions
from qdgain.beyond.charged import charged_threshold
from qdgain.beyond.measurements import Measurement
from qdgain.beyond.rivals_record import observables, widths
from qdgain.beyond.sensitivity import spike_and_shift_meV
from qdgain.calibration import record
from qdgain.calibration.rows import ROWS
from qdgain.model.balance import OWN_WIDTHS, balanced_stokes_shift_meV
from qdgain.model.bands import band_widths_meV
from qdgain.model.dot import Dot, FloatArray
from qdgain.model.film import ase_threshold
from qdgain.model.gain import largest_gain
from qdgain.model.states import states, weights_of_bands
from qdgain.model.threshold import threshold_at_maximum
from qdgain.model.units import sigma_from_fwhm, thermal_energy_meV
from qdgain.paper.prior_work import klimov_threshold

#: Points of a set that are used, and of these for what is slow.
POINTS, FEW = 120, 8
COLD_K, ROOM_K = 77.0, 300.0
#: Part of the dots that are charged in the film of Yu 2019.
CHARGED_PART = 0.17
STANDARD, PAPER = "Standard Model", "the paper"


@dataclass(frozen=True)
class Assumed:
    """What is held for all models: temperature, phonon, τ_XX, and L_g where a model has none."""

    temperature_K: float = ROOM_K
    phonon_energy_meV: float = 26.0
    auger_lifetime_ps: float = 30.0
    gain_exponent: float = 200.0

    @classmethod
    def of(cls, settings: Mapping[str, Any]) -> Assumed:
        """Return those of a run's settings."""
        return cls(**{name: settings[name] for name in cls.__dataclass_fields__})


@dataclass(frozen=True, eq=False)
class Model:
    """A rival: its dots (M,), film, law of band-edge pumping and number of fitted parameters.

    `perovskite` is the same model's dot of CsPbBr3, `fitted` what was put into it, `silent` why it
    says nothing of a quantity; ``*`` stands for all that are not predicted.
    """

    key: str
    name: str
    camp: str
    dot: Dot
    gain_exponent: FloatArray
    parameters: int
    statistics: str = "rabi"
    perovskite: Dot | None = None
    fitted: tuple[str, ...] = ()
    silent: Mapping[str, str] = field(default_factory=dict)

    def why_not(self, key: str) -> str:
        """Return why the model says nothing of a quantity; empty if it does."""
        return self.silent.get(key, self.silent.get("*", "") if key != "threshold" else "")


_NO_SCHEME = "the paper does not say which level scheme CsPbBr₃ is"
_ONE_BAND = "one emission band: a binding is not part of it"
_NO_SPIN = "which holes a circular probe reaches is not part of it"
_FORMULA = "a formula for the threshold alone"
_NOT_SAID = {"threshold-perovskite": _NO_SCHEME}


def _public_set(assumed: Assumed) -> tuple[FloatArray, FloatArray]:
    """Return linewidths and Stokes shifts of single dots, (M,) each: a grid over what is public."""
    single = widths()[0]
    width, part = np.meshgrid(
        np.linspace(single.low_meV, single.high_meV, 10), np.linspace(0.0, 1.0, POINTS // 10)
    )
    return width.ravel(), (part * balanced_stokes_shift_meV(width, assumed.temperature_K)).ravel()


@lru_cache(maxsize=8)
def models(assumed: Assumed, yours: Dot | None = None) -> tuple[Model, ...]:
    """Return the rivals, the Standard Model's first; and a user's dot, if there is one."""
    width, shift = _public_set(assumed)
    film = np.full(width.size, assumed.gain_exponent)
    dot = Dot(linewidth_meV=width, stokes_shift_meV=shift).uncorrelated()
    two_fold = replace(dot, stokes_shift_meV=np.zeros(width.size))
    band_edge: dict[str, Any] = {"reading": "degenerate", "electron_states": 2}
    cdse, perovskite = (replace(dot, **band_edge, hole_states=n) for n in (4, 2))
    none, spin = {"binding": _ONE_BAND}, {"cross": _NO_SPIN}
    rivals = [
        Model(
            "two-fold",
            "two-fold, S = 0",
            STANDARD,
            two_fold,
            film,
            0,
            "poisson",
            two_fold,
            silent=none,
        ),
        *(
            Model(key, name, STANDARD, cdse, film, 0, law, perovskite, silent=none | spin)
            for key, name, law in _DEGENERATE
        ),
        _klimov(width),
        *(_reading(name) for name in _READINGS),
    ]
    if yours is not None:
        one = yours.at(None)
        rivals.append(Model("yours", "your dot", "yours", one, film[:1], 0, silent=_NOT_SAID))
    return tuple(rivals)


_DEGENERATE = (
    ("two-at-most", "2 × 4, two at most", "rabi"),
    ("degenerate", "2 × 4, Poisson", "poisson"),
)
#: The rows of the calibration that stand for the paper.
_READINGS = ("replacing free", "replacing lean", "additive tied", "additive free")


def _klimov(width: FloatArray) -> Model:
    """Return the formula of 2007 for the published binding, of either sign."""
    binding = next(one for one in observables() if one.key == "binding")
    low, high = binding.value - binding.error, binding.value + binding.error
    shift = np.linspace(low, high, width.size)
    dot = Dot(linewidth_meV=width, absorptive_binding_meV=shift, emissive_binding_meV=shift)
    film = np.ones(width.size)
    return Model(
        "klimov", "Klimov 2007", STANDARD, dot, film, 0, "sequential", silent={"*": _FORMULA}
    )


def _reading(name: str) -> Model:
    """Return a row of the calibration with its stored points, the 3LS with ESA for CdSe."""
    found = record.points(name)
    some = np.linspace(0, found.gain_exponent.size - 1, POINTS).astype(int)
    dot, film = found.dots["3LS+ESA"].at(some), found.gain_exponent[some]
    key, fitted = name.replace(" ", "-"), ("threshold",)
    fitting: dict[str, Any] = {"fitted": fitted, "silent": _NOT_SAID}
    return Model(key, name, PAPER, dot, film, ROWS[name].parameters, **fitting)


def four_level_shift_meV(name: str) -> FloatArray:
    """Return the Stokes shifts of the 4LS in the set of a reading."""
    return record.columns(name)["stokes_4ls"]


# --- what they predict


def at_temperature(dot: Dot, temperature_K: float, phonon_energy_meV: float) -> Dot:
    r"""Return a dot of room temperature at another one, its bands where they are.

    :math:`s^2\propto\coth(\hbar\omega/2kT)`, the width of a linear coupling to one phonon.
    """
    room, there = (
        1 / np.tanh(phonon_energy_meV / (2 * thermal_energy_meV(T)))
        for T in (ROOM_K, temperature_K)
    )
    names = [n for n in ("linewidth_meV", *OWN_WIDTHS) if getattr(dot, n) is not None]
    own: dict[str, Any] = {n: getattr(dot, n) * np.sqrt(there / room) for n in names}
    return replace(dot, **own)


def pulse_ratio(dot: Dot, pulses_ps: FloatArray, auger_lifetime_ps: float) -> FloatArray:
    """Return thresholds of stimulated emission over that of the first pulse, of one dot."""
    absorbed = default_conditions().se(dot, pulses_ps, auger_lifetime_ps).absorbed
    return np.asarray(absorbed / absorbed[0])


def some_of(model: Model, count: int = FEW) -> tuple[Dot, ...]:
    """Return a few dots of a model's set, evenly spread over it."""
    where = np.linspace(0, model.dot.shape[0] - 1, min(count, model.dot.shape[0])).astype(int)
    return tuple(model.dot.at(int(i)) for i in where)


def _threshold(model: Model, _: Assumed) -> FloatArray:
    if model.silent.get("*") == _FORMULA:
        scale = sigma_from_fwhm(model.dot.linewidth_meV)
        return klimov_threshold(np.asarray(model.dot.emissive_binding_meV) / scale)
    return threshold_at_maximum(model.dot, statistics=model.statistics).mean_excitons


def _perovskite(model: Model, _: Assumed) -> FloatArray:
    assert model.perovskite is not None
    return threshold_at_maximum(model.perovskite, statistics=model.statistics).mean_excitons


def _rate_ratio(model: Model, _: Assumed) -> FloatArray:
    """Return k_XX/k_X, the integrals of e_2 and e_1."""
    own = band_widths_meV(model.dot)
    one, two = (
        np.asarray(w[1] * own.emission + w[3] * own.xx_emission)
        for w in weights_of_bands(model.dot).emission[1:3]
    )
    return np.broadcast_to(two / one, model.dot.shape)


def esa_left(model: Model) -> FloatArray:
    """Return what a charged dot keeps of its ESA: nothing and all of it in turn, (M,)."""
    return np.asarray(np.arange(model.dot.shape[0]) % 2, dtype=float)


def _film_ratio(model: Model, part: float) -> FloatArray:
    """Return the threshold of a film in which a part of the dots is charged, over the neutral."""
    left = esa_left(model)
    with np.errstate(invalid="ignore"):
        return charged_threshold(model.dot, part, left) / charged_threshold(model.dot, 0.0, left)


def _charged(model: Model, _: Assumed) -> FloatArray:
    return _film_ratio(model, 1.0)


def _partly_charged(model: Model, _: Assumed) -> FloatArray:
    return _film_ratio(model, CHARGED_PART)


def _cold(model: Model, assumed: Assumed) -> FloatArray:
    return thermal_ratio(model, assumed, COLD_K)


def thermal_ratio(model: Model, assumed: Assumed, temperature_K: float) -> FloatArray:
    """Return thresholds at a temperature over those at 300 K, (M,)."""
    law = model.statistics
    there = at_temperature(model.dot, temperature_K, assumed.phonon_energy_meV)
    room = threshold_at_maximum(model.dot, statistics=law).mean_excitons
    return np.asarray(threshold_at_maximum(there, statistics=law).mean_excitons / room)


def _pulse(model: Model, assumed: Assumed) -> FloatArray:
    """Return the threshold of a nanosecond pulse over that of a femtosecond pulse."""
    pulses = np.array(list(LASERS_PS.values()))
    ratios = [pulse_ratio(dot, pulses, assumed.auger_lifetime_ps)[1] for dot in some_of(model)]
    return np.array(ratios)


def _pump(model: Model, _: Assumed) -> FloatArray:
    """Return the threshold pumped above the gap over that at the band edge."""
    above, edge = (
        threshold_at_maximum(model.dot, statistics=law).mean_excitons
        for law in ("poisson", model.statistics)
    )
    return np.asarray(above / edge)


def _cross(model: Model, _: Assumed) -> FloatArray:
    """Return what a dot with one exciton absorbs at PL_X in the other channel, over an empty one's.

    With spins that last, a circular pump fills one channel and a probe of the other hand sees
    twice the mean absorption of the states with one exciton.
    """
    at = -np.broadcast_to(model.dot.stokes_shift_meV, model.dot.shape)[:, None]
    absorbed = states(model.dot, at).absorption[..., 0]
    return np.asarray(2 * absorbed[:, 1] / absorbed[:, 0])


def _spike(model: Model, _: Assumed) -> FloatArray:
    """Return where the ASE spike is, less the centre of PL_X, in meV."""
    film, law = model.gain_exponent, model.statistics
    area = np.minimum(ase_threshold(model.dot, film, 1.0, law).fluence_mJ_cm2, 1.0)
    return spike_and_shift_meV(model.dot, film, area, law)[0]


class Quantity(NamedTuple):
    """What could be measured, how well, and what a model predicts for it."""

    measurement: Measurement
    predict: Callable[[Model, Assumed], FloatArray]


_COUNTED = "assumed: what the absolute count of excitons per dot is known to"
_ONE_BEAM = "assumed: a ratio of fluences of one beam"
_RATES = "assumed: a ratio of amplitudes and of lifetimes"
_BONATI = "literature: half the range of DOI 10.1103/PhysRevB.71.205317"
_TWO_SPECTRA = "assumed: transient absorption over the linear one"
_CENTRES = "assumed: centres of fitted bands"


def _gain(model: Model, _: Assumed) -> FloatArray:
    return largest_gain(model.dot, model.statistics)


def _binding(model: Model, _: Assumed) -> FloatArray:
    return np.broadcast_to(model.dot.emissive_binding_meV, model.dot.shape)


#: Key, name, unit, precision with its origin (relative where there is no unit), and the function.
_MEASURED: tuple[tuple[str, str, str, float, str, Callable[[Model, Assumed], FloatArray]], ...] = (
    ("threshold", "⟨N⟩ at threshold", "1", 0.1, _COUNTED, _threshold),
    ("threshold-perovskite", "⟨N⟩ of CsPbBr₃", "1", 0.1, _COUNTED, _perovskite),
    ("gain", "largest gain", "1", 0.1, _COUNTED, _gain),
    ("rate-ratio", "k_XX / k_X", "1", 0.1, _RATES, _rate_ratio),
    ("binding", "binding Δ_E", "meV", 5.0, _BONATI, _binding),
    ("charged", "one electron / neutral", "1", 0.1, _ONE_BEAM, _charged),
    ("partly-charged", "17 % charged / neutral", "1", 0.03, _ONE_BEAM, _partly_charged),
    ("cold", "77 K / 300 K", "1", 0.05, _ONE_BEAM, _cold),
    ("pulse", "5 ns / 0.1 ps pulses", "1", 0.1, _ONE_BEAM, _pulse),
    ("pump", "3.1 eV / band edge", "1", 0.1, _COUNTED, _pump),
    ("cross", "absorption of X, other polarisation", "1", 0.1, _TWO_SPECTRA, _cross),
    ("spike", "ASE spike less PL_X", "meV", 3.0, _CENTRES, _spike),
)
#: By key; those of `qdgain.beyond.rivals_record.observables` among them.
QUANTITIES: Mapping[str, Quantity] = MappingProxyType(
    {
        key: Quantity(Measurement(key, name, unit, precision, unit == "1", origin), predict)
        for key, name, unit, precision, origin, predict in _MEASURED
    }
)


@lru_cache(maxsize=512)
def prediction(model: Model, key: str, assumed: Assumed) -> FloatArray | None:
    """Return what a model predicts for a quantity over its set; None where it says nothing.

    Points at which the quantity is out of reach are left out.
    """
    if model.why_not(key):
        return None
    found = np.asarray(QUANTITIES[key].predict(model, assumed), dtype=float)
    kept = found[np.isfinite(found)]
    return kept if kept.size else None


class Middle(NamedTuple):
    """A prediction's median and its 16 and 84 % quantiles."""

    median: float
    low: float
    high: float

    @property
    def spread(self) -> float:
        """Half the distance of the quantiles."""
        return 0.5 * (self.high - self.low)

    @classmethod
    def of(cls, values: FloatArray) -> Middle:
        """Return that of an array."""
        low, median, high = np.quantile(values, (0.16, 0.5, 0.84))
        return cls(float(median), float(low), float(high))
