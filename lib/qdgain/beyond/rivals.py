"""Rival models of gain, each with the set of dots that it allows, and what each predicts.

A model is a rule for the states of a dot together with a set of its parameters: for a reading of
the paper the points that the calibration stored, for the Standard Model what is public of the
width of single dots, with any Stokes shift up to the one that detailed balance gives to that width.
A prediction is an array over that set, its spread the model's uncertainty. Where a model says
nothing of a quantity there is a sentence that says why, and no number.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, fields, replace
from functools import lru_cache
from typing import Any, NamedTuple

import numpy as np

from qdgain.beyond.auger_maps import LASERS_PS, default_conditions
from qdgain.beyond.charged import charged_threshold
from qdgain.beyond.rivals_record import WIDTHS
from qdgain.beyond.sensitivity import spike_and_shift_meV
from qdgain.calibration import record
from qdgain.calibration.rows import ROWS
from qdgain.model.balance import OWN_WIDTHS, balanced_stokes_shift_meV
from qdgain.model.bands import band_offsets_meV, band_widths_meV
from qdgain.model.dot import Dot, FloatArray
from qdgain.model.film import ase_threshold
from qdgain.model.gain import largest_gain
from qdgain.model.parameters import CONTRACT
from qdgain.model.states import states, weights_at, weights_of_bands
from qdgain.model.threshold import threshold_at_maximum
from qdgain.model.units import thermal_energy_meV

#: Points of a set that are used, and of these for what is slow.
POINTS, FEW = 120, 5
COLD_K, ROOM_K = 77.0, 300.0
#: Part of the dots that are charged in the film of Yu 2019.
CHARGED_PART = 0.17
STANDARD, PAPER = "Standard Model", "the paper"
#: The rows of the calibration that stand for the paper.
_READINGS = ("replacing free", "replacing lean", "additive tied", "additive free", "mixed free")
_ONE_BAND = {"binding": "one emission band: a binding is not part of it"}
_NO_SPIN = {"cross": "which holes a circular probe reaches is not part of it"}
_NO_SCHEME = {"threshold-perovskite": "the paper does not say which level scheme CsPbBr₃ is"}

_DEFAULT: Any = {name: entry.default for name, entry in CONTRACT.items()}


@dataclass(frozen=True)
class Assumed:
    """What is held for all models: temperature, phonon, τ_XX, and L_g where a model has none."""

    temperature_K: float = _DEFAULT["temperature_K"]
    phonon_energy_meV: float = _DEFAULT["phonon_energy_meV"]
    auger_lifetime_ps: float = _DEFAULT["auger_lifetime_ps"]
    gain_exponent: float = _DEFAULT["gain_exponent"]

    @classmethod
    def of(cls, settings: Mapping[str, Any]) -> Assumed:
        """Return those of a run's settings."""
        return cls(**{one.name: settings[one.name] for one in fields(cls)})


@dataclass(frozen=True, eq=False)
class Model:
    """A rival: its dots (M,), their films, the number of fitted parameters and its pumping's law.

    `perovskite` is the same model's dot of CsPbBr3, `fitted` what was put into it, `silent` why it
    says nothing of a quantity.
    """

    key: str
    name: str
    camp: str
    dot: Dot
    gain_exponent: FloatArray
    parameters: int = 0
    statistics: str = "rabi"
    perovskite: Dot | None = None
    fitted: tuple[str, ...] = ()
    silent: Mapping[str, str] = field(default_factory=dict)

    def why_not(self, key: str) -> str:
        """Return why the model says nothing of a quantity; empty if it does."""
        return self.silent.get(key, "")

    def some(self, count: int) -> FloatArray:
        """Return the places of so many dots, evenly spread over the set."""
        size = self.dot.shape[0]
        return np.linspace(0, size - 1, min(count, size)).astype(int)


@lru_cache(maxsize=8)
def models(assumed: Assumed, yours: Dot | None = None) -> tuple[Model, ...]:
    """Return the rivals, the Standard Model's first; and a user's dot, if there is one."""
    single = WIDTHS[0]
    width = np.tile(np.linspace(single.low_meV, single.high_meV, 10), POINTS // 10)
    part, film = np.linspace(0.0, 1.0, POINTS), np.full(POINTS, assumed.gain_exponent)
    shift = part * balanced_stokes_shift_meV(width, assumed.temperature_K)
    dot = Dot(linewidth_meV=width, stokes_shift_meV=shift).uncorrelated()
    two_fold = replace(dot, stokes_shift_meV=np.zeros(POINTS))
    band_edge: dict[str, Any] = {"reading": "degenerate", "electron_states": 2}
    cdse, perovskite = (replace(dot, **band_edge, hole_states=n) for n in (4, 2))
    others: dict[str, Any] = {"perovskite": perovskite, "silent": _ONE_BAND | _NO_SPIN}
    own: dict[str, Any] = {"perovskite": two_fold, "silent": _ONE_BAND, "statistics": "poisson"}
    found = (
        Model("two-fold", "two-fold, S = 0", STANDARD, two_fold, film, **own),
        Model("two-at-most", "2 × 4, two at most", STANDARD, cdse, film, **others),
        Model("degenerate", "2 × 4, Poisson", STANDARD, cdse, film, 0, "poisson", **others),
        *map(_reading, _READINGS),
    )
    if yours is None:
        return found
    one = replace(yours, stokes_shift_meV=np.atleast_1d(yours.stokes_shift_meV))
    return (*found, Model("yours", "your dot", "yours", one, film[:1], silent=_NO_SCHEME))


def _reading(name: str) -> Model:
    """Return a row of the calibration with its stored points, the 3LS with ESA for CdSe."""
    found, row = record.points(name), ROWS[name]
    some = np.linspace(0, found.gain_exponent.size - 1, POINTS).astype(int)
    dot, film = found.dots["3LS+ESA"].at(some), found.gain_exponent[some]
    key, how = name.replace(" ", "-"), (row.parameters, row.statistics)
    # To the thresholds, and to a largest gain of 0.3.
    put_in = ("threshold", "gain")
    return Model(key, name, PAPER, dot, film, *how, fitted=put_in, silent=_NO_SCHEME)


# --- what they predict


def at_temperature(dot: Dot, temperature_K: float, phonon_energy_meV: float) -> Dot:
    r"""Return a dot of room temperature at another one, its bands where they are.

    :math:`s^2\propto\coth(\hbar\omega/2kT)`, the width of a linear coupling to one phonon.
    """
    kT = thermal_energy_meV([ROOM_K, temperature_K])
    room, there = 1 / np.tanh(phonon_energy_meV / (2 * kT))
    names = [n for n in ("linewidth_meV", *OWN_WIDTHS) if getattr(dot, n) is not None]
    own: dict[str, Any] = {n: getattr(dot, n) * np.sqrt(there / room) for n in names}
    return replace(dot, **own)


def thermal_ratio(model: Model, assumed: Assumed, temperature_K: float) -> FloatArray:
    """Return thresholds at a temperature over those at 300 K, (M,)."""
    there = at_temperature(model.dot, temperature_K, assumed.phonon_energy_meV)
    return _mean(there, model.statistics) / _mean(model.dot, model.statistics)


def pulse_ratio(dot: Dot, pulses_ps: FloatArray, auger_lifetime_ps: float) -> FloatArray:
    """Return thresholds of stimulated emission over that of the first pulse, of one dot."""
    absorbed = default_conditions().se(dot, pulses_ps, auger_lifetime_ps).absorbed
    return np.asarray(absorbed / absorbed[0])


def charged_ratio(model: Model, part: float, some: Any = slice(None)) -> FloatArray:
    """Return the threshold of a film in which a part of the dots is charged, over the neutral.

    The electron leaves nothing and all of the ESA in turn, from dot to dot of the set; nan where
    the neutral film does not gain.
    """
    dot, left = model.dot.at(some), (np.arange(model.dot.shape[0]) % 2)[some]
    neutral = charged_threshold(dot, 0.0, left)
    return charged_threshold(dot, part, left) / np.where(np.isfinite(neutral), neutral, np.nan)


def _mean(dot: Dot, statistics: str) -> FloatArray:
    return threshold_at_maximum(dot, statistics=statistics).mean_excitons


def _gain(model: Model, _: Assumed) -> FloatArray:
    """Return the largest gain at ⟨N⟩ = 2, the fullest pumping in the paper, for every law alike."""
    if model.statistics != "poisson":
        return largest_gain(model.dot, model.statistics)
    centre, width = band_offsets_meV(model.dot).emission, band_widths_meV(model.dot).emission
    steps = np.linspace(-4.0, 4.0, 401)
    place = np.broadcast_to(centre, model.dot.shape)[:, None] + np.outer(width, steps)
    own = states(model.dot, place).gain
    return np.asarray((weights_at(np.array(2.0), "poisson", own.shape[-2]) @ own).max(axis=-1))


def _perovskite(model: Model, _: Assumed) -> FloatArray:
    assert model.perovskite is not None
    return _mean(model.perovskite, model.statistics)


def _rate_ratio(model: Model, _: Assumed) -> FloatArray:
    """Return k_XX/k_X, the integrals of e_2 and e_1."""
    own, rows = band_widths_meV(model.dot), weights_of_bands(model.dot).emission
    one, two = (np.asarray(w[1] * own.emission + w[3] * own.xx_emission) for w in rows[1:3])
    return np.broadcast_to(two / one, model.dot.shape)


def _pulse(model: Model, assumed: Assumed) -> FloatArray:
    """Return the threshold of a nanosecond pulse over that of a femtosecond pulse."""
    pulses, dots = np.array(list(LASERS_PS.values())), map(model.dot.at, model.some(FEW))
    return np.array([pulse_ratio(dot, pulses, assumed.auger_lifetime_ps)[1] for dot in dots])


def _cross(model: Model, _: Assumed) -> FloatArray:
    """Return what X absorbs at PL_X in the channel that it leaves open, over an empty dot's.

    With spins that last, a circular pump fills one channel and a probe of the other hand sees
    twice the mean absorption of the states with one exciton.
    """
    at = -np.broadcast_to(model.dot.stokes_shift_meV, model.dot.shape)[:, None]
    absorbed = states(model.dot, at).absorption[..., 0]
    return np.asarray(2 * absorbed[:, 1] / absorbed[:, 0])


def _spike(model: Model, _: Assumed) -> FloatArray:
    """Return where the ASE spike is at 1.5 J_th, less the centre of PL_X, in meV."""
    film, law = model.gain_exponent, model.statistics
    area = np.minimum(ase_threshold(model.dot, film, 1.0, law).fluence_mJ_cm2, 1.0)
    # What is left of a distance that is zero is rounding.
    return np.round(spike_and_shift_meV(model.dot, film, area, law)[0], 6)


#: By the keys of the public record.
PREDICT: Mapping[str, Callable[[Model, Assumed], FloatArray]] = {
    "threshold": lambda m, _: _mean(m.dot, m.statistics),
    "threshold-perovskite": _perovskite,
    "gain": _gain,
    "rate-ratio": _rate_ratio,
    "binding": lambda m, _: np.broadcast_to(m.dot.emissive_binding_meV, m.dot.shape),
    "charged": lambda m, _: charged_ratio(m, 1.0),
    "partly-charged": lambda m, _: charged_ratio(m, CHARGED_PART),
    "cold": lambda m, a: thermal_ratio(m, a, COLD_K),
    "pulse": _pulse,
    "pump": lambda m, _: _mean(m.dot, "poisson") / _mean(m.dot, m.statistics),
    "cross": _cross,
    "spike": _spike,
}


@lru_cache(maxsize=512)
def prediction(model: Model, key: str, assumed: Assumed) -> FloatArray | None:
    """Return what a model predicts for a quantity over its set; None where it says nothing.

    Points at which the quantity is out of reach are left out.
    """
    if model.why_not(key):
        return None
    found = np.asarray(PREDICT[key](model, assumed), dtype=float)
    return found[np.isfinite(found)] if np.isfinite(found).any() else None


class Middle(NamedTuple):
    """A prediction's 16, 50 and 84 % quantiles."""

    low: float
    median: float
    high: float

    @property
    def spread(self) -> float:
        """Half the distance of the outer ones."""
        return 0.5 * (self.high - self.low)

    @classmethod
    def of(cls, values: FloatArray) -> Middle:
        """Return that of an array."""
        return cls(*map(float, np.quantile(values, (0.16, 0.5, 0.84))))
