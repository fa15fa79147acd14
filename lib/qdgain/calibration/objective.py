r"""Solve for the parameters that the paper does not print, from the numbers that it states.

The stated numbers are `TARGETS`: four gain thresholds, the largest gain with excited-state
absorption (ESA) and four ASE thresholds. They are about as many as the unknowns, so agreement with
them is a consistency proof and not a test.

**Objective.** Energies are in units of s, the standard deviation of the bands; positive quantities
are logarithms. With :math:`\rho_i = \ln(x_i/X_i)/\ln 1.1` for the computed x and stated X,

.. math:: F = \sum_i (\rho_i^2 + \rho_i^6) + \sum_j h_j^2

is least for all numbers within ten per cent: squares inside the tolerance, steep walls outside. The
second sum asks for the paper's qualitative statements (`CONDITIONS`) and is left out where the
numbers alone are asked for. Each wants the spike on one side of some energy: with D the logarithm
of the strongest emission there over the strongest elsewhere, :math:`h = \operatorname{arsinh}
(\max(0.2 - D, 0)/0.2)`: steep next to the condition, which is thus met where it can be and stays
so when the result is rounded, and mild far from it. Seeded random candidates are screened, and the
best are refined with bounded least squares.

**Variants.** Every reading of the paper is solved: both definitions of the gain threshold, three
population statistics, the weight a of the ESA (1, 2 or free), and how the biexciton's shifts are
coupled (`COUPLINGS`).

**Default.** Rabi statistics, because the paper states them, and the threshold at the gain maximum,
because it needs no floor. Among these, the solutions that meet every condition and give every
number *as the paper prints it*, within half a unit of its last digit (and `TOLERANCE`), with
emissive bindings, which photoluminescence measures directly, of at most
`LARGEST_EMISSIVE_BINDING`; of them the one with the fewest free parameters, of these the smallest
objective with these tolerances. Such a default has about as many parameters as numbers and tests
nothing. Beside it the leanest reading is kept: every condition met, every number within
`TOLERANCE`, the fewest free parameters. That one has fewer parameters than numbers, but the list of
couplings was drawn up with first results at hand, so it is no prediction either.
"""

from __future__ import annotations

from collections.abc import Mapping
from copy import copy
from dataclasses import dataclass
from functools import cache, cached_property
from typing import Any, NamedTuple

import numpy as np
import scipy
from numpy.typing import NDArray

from qdgain.fast.onset import threshold_onset
from qdgain.model.bands import FWHM_PER_SIGMA, band_centres_eV, log_bands
from qdgain.model.dot import Dot, FloatArray
from qdgain.model.film import (
    amplification,
    ase_threshold,
    log_amplification,
    spike_position_eV,
)
from qdgain.model.gain import largest_gain
from qdgain.model.parameters import PRESETS, ParameterError
from qdgain.model.populations import mean_excitons_after_pulse, populations
from qdgain.model.search import first_root
from qdgain.model.threshold import _threshold_at_detuning, threshold_at_maximum
from qdgain.paper.claims import claims

#: The claims that calibrate, in the order of every residual.
TARGETS = (
    "F8-3ls",
    "F8-3ls-esa",
    "F8-4ls",
    "F8-4ls-esa",
    "F8-max-esa",
    "F9-3ls",
    "F9-3ls-esa",
    "F9-4ls",
    "F9-4ls-esa",
)
#: By how much a computed number may miss a stated one, as a fraction.
TOLERANCE = 0.1
#: In linewidths, assumed: a biexciton that emits within the exciton's band, as is usually seen.
LARGEST_EMISSIVE_BINDING = 0.5
#: The dots along the last axis of every candidate.
DOTS = ("3LS", "3LS+ESA", "4LS", "4LS+ESA")

#: The qualitative statements on Fig 9. The paper states no fluence: the spike is followed from the
#: threshold to `FLUENCE_RANGE` times it (at most J_π), and its place is the one there.
CONDITIONS = (
    "3LS: the spike is at the centre of PL_X",
    "3LS+ESA: the spike is red of the centre of PL_X",
    "3LS+ESA: the spike is red of the one without ESA",
    "3LS: the spike shifts blue with fluence",
    "4LS: the spike shifts blue with fluence",
    "4LS+ESA: the spike shifts red with fluence",
)
FLUENCE_RANGE = 3.0
#: In linewidths: what still is the centre, and what already is a shift.
LARGEST_OFFSET = 0.1
SMALLEST_SHIFT = 0.02


class Unknown(NamedTuple):
    """One unknown: its name, unit, and where it is looked for."""

    name: str
    unit: str
    low: float
    high: float

    @property
    def is_log(self) -> bool:
        """Whether its coordinate is its logarithm."""
        return self.unit != "s"

    def coordinate(self, value: float) -> float:
        """Return the coordinate of a value."""
        return float(np.log(value)) if self.is_log else value


#: Energies in units of s; the order of every full vector of coordinates.
UNKNOWNS = (
    Unknown("stokes_3ls", "s", 0.0, 4.0),
    Unknown("stokes_4ls", "s", 0.0, 4.0),
    Unknown("absorptive_3ls", "s", -4.0, 4.0),
    Unknown("emissive_3ls", "s", -4.0, 4.0),
    Unknown("absorptive_4ls", "s", -4.0, 4.0),
    Unknown("emissive_4ls", "s", -4.0, 4.0),
    Unknown("xx_absorption_strength", "1", 0.25, 4.0),
    Unknown("xx_emission_strength", "1", 0.03, 1.0),
    Unknown("gain_exponent", "1", 1.0, 3000.0),
    Unknown("pi_pulse_fluence_mJ_cm2", "mJ cm⁻²", 0.3, 30.0),
    Unknown("floor", "1", 1e-4, 0.3),
)
_INDEX = {unknown.name: i for i, unknown in enumerate(UNKNOWNS)}
_LOW = np.array([u.coordinate(u.low) for u in UNKNOWNS])
_HIGH = np.array([u.coordinate(u.high) for u in UNKNOWNS])

#: Name → (meaning, free combinations of the biexciton's four shifts and the Stokes shifts).
COUPLINGS: Mapping[str, tuple[str, tuple[Mapping[str, float], ...]]] = {
    "one": (
        "one shift for A_XX2 and PL_XX of both schemes",
        (
            {"stokes_3ls": 1},
            {"stokes_4ls": 1},
            {"absorptive_3ls": 1, "emissive_3ls": 1, "absorptive_4ls": 1, "emissive_4ls": 1},
        ),
    ),
    "displaced": (
        "one binding; in the 4LS A_XX2 and PL_XX also follow the displaced potentials, by S",
        (
            {"stokes_3ls": 1},
            {"stokes_4ls": 1, "absorptive_4ls": 1, "emissive_4ls": 1},
            {"absorptive_3ls": 1, "emissive_3ls": 1, "absorptive_4ls": 1, "emissive_4ls": 1},
        ),
    ),
    "relaxed": (
        "one binding for both schemes; the 4LS's relaxed exciton absorbs at a place of its own",
        (
            {"stokes_3ls": 1},
            {"stokes_4ls": 1},
            {"absorptive_3ls": 1, "emissive_3ls": 1, "emissive_4ls": 1},
            {"absorptive_4ls": 1},
        ),
    ),
    "shared": (
        "Δ_A2 and Δ_E are two numbers, the same in both schemes",
        (
            {"stokes_3ls": 1},
            {"stokes_4ls": 1},
            {"absorptive_3ls": 1, "absorptive_4ls": 1},
            {"emissive_3ls": 1, "emissive_4ls": 1},
        ),
    ),
    "separate": (
        "Δ_A2 and Δ_E are free in each scheme",
        tuple({u.name: 1.0} for u in UNKNOWNS[:6]),
    ),
}


@dataclass(frozen=True)
class Variant:
    """One reading of the paper.

    Parameters
    ----------
    threshold : {"maximum", "onset"}
        Definition of the gain threshold; the onset has its floor as one more unknown.
    statistics : {"rabi", "sequential", "poisson"}
        Population statistics.
    esa_weight : float or None
        The strength a of A_XX2, or None to solve for it.
    coupling : str
        One of `COUPLINGS`.
    """

    threshold: str = "maximum"
    statistics: str = "rabi"
    esa_weight: float | None = None
    coupling: str = "separate"

    @property
    def name(self) -> str:
        """A name for tables."""
        weight = "free" if self.esa_weight is None else f"{self.esa_weight:g}"
        return f"{self.threshold} · {self.statistics} · a {weight} · {self.coupling}"

    @cached_property
    def combinations(self) -> tuple[Mapping[str, float], ...]:
        """What each free parameter moves: name → how fast."""
        rows = list(COUPLINGS[self.coupling][1])
        rows += [{"xx_absorption_strength": 1.0}] if self.esa_weight is None else []
        rows += [{name: 1.0} for name in ("xx_emission_strength", "gain_exponent")]
        rows += [{"pi_pulse_fluence_mJ_cm2": 1.0}]
        rows += [{"floor": 1.0}] if self.threshold == "onset" else []
        return tuple(rows)

    @property
    def parameters(self) -> int:
        """How many free parameters there are."""
        return len(self.combinations)

    @cached_property
    def names(self) -> tuple[str, ...]:
        """What each free parameter is called: the first unknown that it moves."""
        return tuple(next(iter(row)) for row in self.combinations)

    @cached_property
    def bounds(self) -> tuple[FloatArray, FloatArray]:
        """The bounds of the free parameters."""
        first = [_INDEX[name] for name in self.names]
        return _LOW[first], _HIGH[first]

    @cached_property
    def _matrix(self) -> FloatArray:
        matrix = np.zeros((self.parameters, len(UNKNOWNS)))
        for row, combination in zip(matrix, self.combinations, strict=True):
            for name, rate in combination.items():
                row[_INDEX[name]] = rate
        return matrix

    def free(self, full: FloatArray) -> FloatArray | None:
        """Return the free parameters (P,) that give coordinates (11,); None if none do."""
        known = np.where(np.isfinite(full), full, 0.0)
        found = np.linalg.lstsq(self._matrix.T, known, rcond=None)[0].astype(np.float64)
        low, high = self.bounds
        same = np.array_equal(np.isfinite(self.full(found)[0]), np.isfinite(full))
        if not same or np.any(found < low - 1e-9) or np.any(found > high + 1e-9):
            return None
        near = np.where(np.isfinite(full), self.full(found)[0], 0.0)
        return found if np.allclose(near, known, atol=1e-9) else None

    def full(self, free: FloatArray) -> FloatArray:
        """Return all coordinates, (K, 11), of free parameters (K, P)."""
        result = np.atleast_2d(free) @ self._matrix
        if self.esa_weight is not None:
            result[:, _INDEX["xx_absorption_strength"]] = np.log(self.esa_weight)
        if self.threshold == "maximum":
            result[:, _INDEX["floor"]] = -np.inf
        return result


def values(full: FloatArray) -> FloatArray:
    """Return coordinates as values: logarithms undone, energies in units of s."""
    is_log = np.array([unknown.is_log for unknown in UNKNOWNS])
    with np.errstate(over="ignore"):
        return np.where(is_log, np.exp(full), full)


@cache
def _stated() -> FloatArray:
    return np.array([claims()[name].stated for name in TARGETS], dtype=float)


def stated_numbers() -> FloatArray:
    """Return the paper's numbers in the order of `TARGETS`."""
    return _stated().copy()


def width_meV() -> float:
    """Return s of the presets, which turns the solution's energies into meV."""
    return float(PRESETS["shared"]["linewidth_meV"]) / FWHM_PER_SIGMA


def candidate_dots(full: FloatArray) -> Dot:
    """Return the four `DOTS` of candidates (K, 11), as one `Dot` of shape (K, 4)."""
    v, s = values(np.atleast_2d(full)), width_meV()
    zero, one = np.zeros(len(v)), np.ones(len(v))
    a, gamma = v[:, 6], v[:, 7]

    def four(*columns: FloatArray) -> FloatArray:
        return np.stack(columns, axis=1)

    return Dot(
        **PRESETS["shared"],
        stokes_shift_meV=s * four(v[:, 0], v[:, 0], v[:, 1], v[:, 1]),
        absorptive_binding_meV=s * four(zero, v[:, 2], zero, v[:, 4]),
        emissive_binding_meV=s * four(zero, v[:, 3], zero, v[:, 5]),
        xx_absorption_strength=four(one, a, one, a),
        xx_emission_strength=four(one, gamma, one, gamma),
    )


class Prediction(NamedTuple):
    """What K candidates predict.

    The numbers (K, 9); by how many linewidths the `CONDITIONS` (K, 6) are met; the logarithm of
    how much stronger the emission is where a condition wants the spike than anywhere else, (K, 6),
    which has the same sign and no jumps; and √(J/J_π) at the ASE thresholds, (K, 4), 1 where they
    are out of reach.
    """

    numbers: FloatArray
    conditions: FloatArray
    dominance: FloatArray
    amplitude: FloatArray


_GRID = 113
_REACH = 5.5
_SCAN = np.linspace(0.0, 1.0, 21)
_SCAN[0] = 1e-4
_LARGEST_EXPONENT = 500.0
_NO_THRESHOLD = 9.0
_STEP = 1e-5
_COARSE = 1e-7
_CLEARANCE = 0.2
_CONDITION_SCALE = 0.2
_STRONGEST = 50.0
_FINER = 4
_FINE_GRID = _FINER * (_GRID - 1) + 1


def predict(full: FloatArray, variant: Variant, near: FloatArray | None = None) -> Prediction:
    """Return what candidates of coordinates (K, 11) predict.

    The same equations as the public functions on a coarser grid, for thousands of candidates:
    numbers agree to 1e-3, spikes to 0.01 linewidths. Where a threshold is out of reach its number
    goes on growing, so that a search finds the way back. With `near`, (4,), the amplitude of a
    candidate that differs by infinitesimals, one Newton step replaces the search for thresholds.
    """
    dot = candidate_dots(full)
    v = values(np.atleast_2d(full))
    exponent = v[:, _INDEX["gain_exponent"]]
    fine = _Film(dot, exponent, variant.statistics, _FINE_GRID)
    amplitude, log_fluence = fine.coarse().threshold(near)
    fluence = v[:, [_INDEX["pi_pulse_fluence_mJ_cm2"]]] * np.exp(np.minimum(log_fluence, 50.0))
    numbers = np.concatenate([_gain_numbers(dot, v, variant), fluence], axis=1)
    offset, spectrum, spike = fine.spikes(amplitude)
    met = conditions(spike), _dominance(offset, spectrum[..., 1, :], spike)
    return Prediction(numbers, *met, amplitude)


def meets_numbers(full: FloatArray, variant: Variant, tolerance: float) -> NDArray[np.bool_]:
    """Return which candidates (K, 11) meet every stated number, checking the cheap ones first."""
    stated = stated_numbers()
    dot = candidate_dots(full)
    met = np.all(
        np.abs(_gain_numbers(dot, values(full), variant) / stated[:5] - 1) <= tolerance, axis=1
    )
    full = full[met]
    if len(full):
        v = values(full)
        film = _Film(candidate_dots(full), v[:, _INDEX["gain_exponent"]], variant.statistics)
        fluence = v[:, [_INDEX["pi_pulse_fluence_mJ_cm2"]]] * np.exp(film.threshold()[1])
        met[met] = np.all(np.abs(fluence / stated[5:] - 1) <= tolerance, axis=1)
    return np.asarray(met)


class _Film:
    """The ASE of dots of shape (K, 4), or any other of two dimensions, on a grid."""

    def __init__(
        self, dot: Dot, gain_exponent: FloatArray, statistics: str, points: int = _GRID
    ) -> None:
        self.shape = dot.shape
        self.statistics = statistics
        self.stokes = np.asarray(dot.stokes_shift_meV)
        self.detuning = _detunings_meV(dot, points)
        logs = log_bands(dot, self.detuning)
        A, P = np.exp(logs.absorption), np.exp(logs.emission)
        B, Q = np.exp(logs.xx_absorption), np.exp(logs.xx_emission)
        P *= 0.5
        B *= 0.5 * np.asarray(dot.xx_absorption_strength)[..., None]
        Q *= np.asarray(dot.xx_emission_strength)[..., None]
        # Of X and XX, and of empty dots, X and XX: to be weighted with the populations.
        emission, gains = np.stack([P, Q], axis=-2), np.stack([-A, P - B, Q], axis=-2)
        gains *= gain_exponent[:, None, None, None]
        self.emission = emission.reshape(-1, *emission.shape[2:])
        self.exponent = gains.reshape(-1, *gains.shape[2:])
        self.emitted = self.emission.sum(axis=-1)[:, None, :]

    def coarse(self) -> _Film:
        """Return the same film on every fourth point: `_FINE_GRID` becomes `_GRID`."""
        film = copy(self)
        film.emission = np.ascontiguousarray(self.emission[..., ::_FINER])
        film.exponent = np.ascontiguousarray(self.exponent[..., ::_FINER])
        film.emitted = film.emission.sum(axis=-1)[:, None, :]
        return film

    def _weights(self, amplitude: FloatArray) -> FloatArray:
        mean = mean_excitons_after_pulse(amplitude**2, 1.0, self.statistics)
        return np.stack(populations(mean, self.statistics), axis=-1)

    def _log_ratio(self, amplitude: FloatArray, rows: Any = slice(None)) -> FloatArray:
        """Return ln(∫I/2∫P) of some dots at √(J/J_π), rows being dots: zero at the threshold."""
        weights = self._weights(amplitude)
        exponent = weights @ self.exponent[rows]
        amplified = amplification(np.minimum(exponent, _LARGEST_EXPONENT, out=exponent))
        total = np.einsum("dke,dke->dk", weights[..., 1:] @ self.emission[rows], amplified)
        return np.asarray(
            np.log(0.5 * total / np.sum(weights[..., 1:] * self.emitted[rows], axis=-1))
        )

    def threshold(self, near: FloatArray | None = None) -> tuple[FloatArray, FloatArray]:
        """Return √(J/J_π) and ln(J/J_π) at the threshold, of shape (K, 4); see `predict`."""
        size = len(self.emission)
        if near is None:
            amplitude = first_root(self._log_ratio, np.broadcast_to(_SCAN, (size, _SCAN.size)))
        else:
            start = np.broadcast_to(near, self.shape).reshape(size, 1)
            below = start * (1 - _STEP)
            values = self._log_ratio(np.concatenate([below, start], axis=1))
            slope = (values[:, 1] - values[:, 0]) / _STEP
            step = np.exp(np.clip(-values[:, 1] / slope, -0.1, 0.1))
            amplitude = np.where(start[:, 0] < 1, start[:, 0] * step, np.inf)
        reached = np.isfinite(amplitude)
        amplitude = np.where(reached, amplitude, 1.0)
        log_fluence = 2 * np.log(amplitude)
        if not reached.all():
            missing = -self._log_ratio(np.ones((size, 1)))[:, 0]
            log_fluence = np.where(reached, log_fluence, np.maximum(missing, 0.0))
        return amplitude.reshape(self.shape), log_fluence.reshape(self.shape)

    def spikes(self, amplitude: FloatArray) -> tuple[FloatArray, FloatArray, FloatArray]:
        """Return the spectra at the thresholds' amplitude and above it, and where they peak.

        Offsets from the centre of PL_X in linewidths, (K, 4, E), the logarithm of the emission
        there, (K, 4, 2, E), and the offsets of its maxima, (K, 4, 2).
        """
        at = amplitude.reshape(-1, 1)
        above = np.minimum(at * np.sqrt(FLUENCE_RANGE), 1.0)
        weights = self._weights(np.concatenate([at, above], axis=1))
        with np.errstate(divide="ignore"):
            log_emission = np.log(weights[..., 1:] @ self.emission)
        spectrum = log_emission + log_amplification(weights @ self.exponent)
        spectrum = spectrum.reshape(*self.shape, 2, -1)
        width = float(PRESETS["shared"]["linewidth_meV"])
        offset = (self.detuning + self.stokes[..., None]) / width
        spacing = np.diff(offset[..., :2])
        return offset, spectrum, offset[..., :1] + _parabola(spectrum)[0] * spacing


def _dominance(offset: FloatArray, spectrum: FloatArray, spike: FloatArray) -> FloatArray:
    """Return how much stronger emission is where a condition wants it, (K, 6), as a logarithm.

    Offset and logarithmic spectrum at the higher fluence are of shape (K, 4, E), the spike's
    offset at both of shape (K, 4, 2).
    """

    def stronger(dot: int, low: Any, high: Any) -> FloatArray:
        """Compare the inside of a window of offsets with its outside."""
        x, y = offset[:, dot], spectrum[:, dot]
        low, high = (np.broadcast_to(edge, len(x))[:, None] for edge in (low, high))
        window = (x >= low) & (x <= high)
        edges = [_interpolated(x, y, edge) for edge in (low, high)]
        inside = np.max(np.where(window, y, -np.inf), axis=1, initial=-np.inf)
        outside = np.max(np.where(window, -np.inf, y), axis=1, initial=-np.inf)
        for edge in edges:
            inside, outside = np.maximum(inside, edge), np.maximum(outside, edge)
        return np.asarray(np.clip(inside - outside, -_STRONGEST, _STRONGEST))

    end, start, ideal = np.inf, spike[..., 0], spike[:, 0, 1]
    return np.stack(
        [
            stronger(0, -LARGEST_OFFSET, LARGEST_OFFSET),
            stronger(1, -end, -SMALLEST_SHIFT),
            stronger(1, -end, ideal - SMALLEST_SHIFT),
            stronger(0, start[:, 0] + SMALLEST_SHIFT, end),
            stronger(2, start[:, 2] + SMALLEST_SHIFT, end),
            stronger(3, -end, start[:, 3] - SMALLEST_SHIFT),
        ],
        axis=1,
    )


def _interpolated(x: FloatArray, y: FloatArray, at: FloatArray) -> FloatArray:
    """Return y at one place per row of an even grid; minus infinity outside it."""
    place = (at - x[:, :1]) / np.diff(x[:, :2])
    inside = (place >= 0) & (place <= x.shape[1] - 1)
    place = np.where(inside, place, 0.0)
    left = np.minimum(place.astype(int), x.shape[1] - 2)
    y_left, y_right = (np.take_along_axis(y, left + k, axis=1) for k in (0, 1))
    value = y_left + (place - left) * (y_right - y_left)
    return np.asarray(np.where(inside, value, -np.inf)[:, 0])


def conditions(spike_offset: FloatArray) -> FloatArray:
    """Return by how many linewidths the `CONDITIONS` are met, of shape (K, 6).

    Parameters
    ----------
    spike_offset : numpy.ndarray
        Spike less the centre of PL_X in linewidths, of shape (K, 4, 2): `DOTS`, and at the
        threshold and above it.
    """
    above = spike_offset[..., 1]
    shift = above - spike_offset[..., 0]
    return np.stack(
        [
            LARGEST_OFFSET - np.abs(above[:, 0]),
            -above[:, 1] - SMALLEST_SHIFT,
            above[:, 0] - above[:, 1] - SMALLEST_SHIFT,
            shift[:, 0] - SMALLEST_SHIFT,
            shift[:, 2] - SMALLEST_SHIFT,
            -shift[:, 3] - SMALLEST_SHIFT,
        ],
        axis=1,
    )


def _detunings_meV(dot: Dot, points: int = _GRID) -> FloatArray:
    """Return an even grid that holds the emission of each dot, of shape D + E."""
    reach = _REACH * width_meV()
    emission = -np.asarray(dot.stokes_shift_meV)
    biexciton = emission - np.asarray(dot.emissive_binding_meV)
    low = np.minimum(emission, biexciton) - reach
    high = np.maximum(emission, biexciton) + reach
    return np.asarray(low[..., None] + (high - low)[..., None] * np.linspace(0.0, 1.0, points))


def _parabola(curve: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Return the place (in points) and height of the maximum along the last axis."""
    top = np.clip(np.argmax(curve, axis=-1), 1, curve.shape[-1] - 2)[..., None]
    left, centre, right = (np.take_along_axis(curve, top + k, axis=-1)[..., 0] for k in (-1, 0, 1))
    with np.errstate(invalid="ignore"):
        curvature = left - 2 * centre + right
        shift = np.zeros_like(centre)
        np.divide(0.5 * (left - right), curvature, out=shift, where=curvature < 0)
        height = centre - 0.25 * (left - right) * shift
    return top[..., 0] + np.clip(shift, -1, 1), np.where(np.isfinite(height), height, centre)


def _gain_numbers(dot: Dot, v: FloatArray, variant: Variant) -> FloatArray:
    """Return the four gain thresholds and the largest gain with ESA, of shape (K, 5)."""
    if variant.threshold == "maximum":
        mean = threshold_at_maximum(dot, statistics=variant.statistics).mean_excitons
    else:
        mean = _onset(dot, v[:, _INDEX["floor"]][:, None, None], variant.statistics)
    mean = np.clip(mean, 1e-6, _NO_THRESHOLD)
    return np.concatenate([mean, v[:, [_INDEX["xx_emission_strength"]]]], axis=1)


def _onset(dot: Dot, floor: FloatArray, statistics: str) -> FloatArray:
    """Return the least threshold over energies: a coarse scan, then a fine one about its least."""
    detuning = _detunings_meV(dot)[..., ::4]
    coarse = _threshold_at_detuning(dot, detuning, floor, statistics)
    at = np.take_along_axis(detuning, np.argmin(coarse, axis=-1)[..., None], axis=-1)
    spacing = detuning[..., 1:2] - detuning[..., :1]
    near = at + spacing * np.linspace(-1.0, 1.0, 17)
    fine = _threshold_at_detuning(dot, near, floor, statistics)
    return -_parabola(-np.minimum(fine, _NO_THRESHOLD))[1]


@cache
def _allowed(as_printed: bool) -> FloatArray:
    """Return the logarithm of one plus the allowed departure of each number."""
    if not as_printed:
        return np.full(len(TARGETS), np.log1p(TOLERANCE))
    half_digits = np.array([claims()[name].tolerance for name in TARGETS], dtype=float)
    return np.asarray(np.log1p(np.minimum(half_digits / stated_numbers(), TOLERANCE)))


def residuals(numbers: FloatArray, as_printed: bool = False) -> FloatArray:
    r"""Return :math:`\rho` of numbers (…, 9): within tolerance between -1 and 1.

    :math:`\ln(x/X)/\ln 1.1`; with ``as_printed`` the tolerance is half the last digit,
    if that is less.
    """
    return np.asarray(np.log(numbers / stated_numbers()) / _allowed(as_printed))


def objective(
    free: FloatArray, variant: Variant, with_conditions: bool, as_printed: bool = False
) -> FloatArray:
    """Return the terms of the objective of candidates (K, P), of shape (K, 18 or 24)."""
    return _terms(predict(variant.full(free), variant), with_conditions, as_printed)


def _terms(prediction: Prediction, with_conditions: bool, as_printed: bool = False) -> FloatArray:
    rho = residuals(prediction.numbers, as_printed)
    terms = [rho, np.clip(rho, -30, 30) ** 3]
    if with_conditions:
        # A little beyond the condition, so that rounding does not undo it.
        short = np.maximum(_CLEARANCE - prediction.dominance, 0.0)
        terms.append(np.arcsinh(short / _CONDITION_SCALE))
    return np.concatenate(terms, axis=1)


class Solution(NamedTuple):
    """A minimum of the objective."""

    variant: Variant
    free: FloatArray
    cost: float
    numbers: FloatArray
    conditions: FloatArray

    @property
    def largest_residual(self) -> float:
        """The largest departure from a stated number, as a fraction."""
        return float(np.max(np.abs(self.numbers / stated_numbers() - 1)))

    @property
    def meets_numbers(self) -> bool:
        """Whether every number is within the tolerance."""
        return self.largest_residual <= TOLERANCE

    @property
    def prints_as_stated(self) -> bool:
        """Whether every number is within half its last digit, and within `TOLERANCE`."""
        allowed = np.expm1(_allowed(True)) * stated_numbers()
        return bool(np.all(np.abs(self.numbers - stated_numbers()) <= allowed))

    @property
    def is_plausible(self) -> bool:
        """Whether the emissive bindings are of a size that is measured."""
        full = self.variant.full(self.free)[0]
        emissive = full[[_INDEX["emissive_3ls"], _INDEX["emissive_4ls"]]]
        return bool(np.all(np.abs(emissive) <= LARGEST_EMISSIVE_BINDING * FWHM_PER_SIGMA))

    @property
    def meets_conditions(self) -> bool:
        """Whether every qualitative statement holds."""
        return bool(np.all(self.conditions >= 0))


def refine(
    start: FloatArray,
    variant: Variant,
    with_conditions: bool,
    accuracy: float = _COARSE,
    as_printed: bool = False,
) -> Solution:
    """Return the minimum of the objective next to a start, by bounded least squares."""
    low, high = variant.bounds

    at: dict[bytes, Prediction] = {}

    def predicted(free: FloatArray) -> Prediction:
        if free.tobytes() not in at:
            at.clear()
            at[free.tobytes()] = predict(variant.full(free), variant)
        return at[free.tobytes()]

    def terms(free: FloatArray) -> FloatArray:
        return np.asarray(_terms(predicted(free), with_conditions, as_printed)[0])

    def jacobian(free: FloatArray) -> FloatArray:
        step = 1e-6 * (high - low)
        step = np.where(free + step > high, -step, step)
        near = predicted(free).amplitude[0]
        around = predict(variant.full(np.vstack([free, free + np.diag(step)])), variant, near)
        all_terms = _terms(around, with_conditions, as_printed)
        return np.asarray(((all_terms[1:] - all_terms[0]) / step[:, None]).T)

    found = scipy.optimize.least_squares(
        terms,
        np.clip(start, low + 1e-6 * (high - low), high - 1e-6 * (high - low)),
        jacobian,
        bounds=(low, high),
        x_scale=0.1 * (high - low),
        max_nfev=80 if accuracy >= _COARSE else 2000,
        xtol=accuracy,
        ftol=accuracy,
        gtol=accuracy,
    )
    numbers, met, *_ = predict(variant.full(found.x), variant)
    return Solution(variant, found.x, float(found.cost), numbers[0], met[0])


def solve(
    variant: Variant, with_conditions: bool, seed: int, starts: int = 8, candidates: int = 800
) -> list[Solution]:
    """Return the minima found from seeded starts, best first.

    Random candidates are screened by their largest residual; the best are refined.
    """
    low, high = variant.bounds
    pool = low + (high - low) * np.random.default_rng(seed).random((candidates, low.size))
    cost = np.concatenate(
        [
            np.sum(np.abs(objective(part, variant, with_conditions)[:, : len(TARGETS)]), axis=1)
            for part in np.array_split(pool, max(candidates // 200, 1))
        ]
    )
    best = pool[np.argsort(cost, kind="stable")[:starts]]
    found = [refine(start, variant, with_conditions) for start in best]
    return sorted(found, key=lambda solution: solution.cost)


def public_numbers(
    dots: Mapping[str, Dot],
    gain_exponent: float,
    pi_pulse_fluence_mJ_cm2: float,
    variant: Variant,
    floor: float | None = None,
) -> FloatArray:
    """Return the calibrating numbers of four dots by the library's public functions.

    Parameters
    ----------
    dots : Mapping
        A dot for each of `DOTS`.
    gain_exponent, pi_pulse_fluence_mJ_cm2 : float
        The film.
    variant : Variant
        Its threshold definition and statistics count.
    floor : float, optional
        Of an onset.

    Returns
    -------
    numpy.ndarray
        Nine numbers in the order of `TARGETS`.
    """
    four = [dots[name] for name in DOTS]
    if variant.threshold == "maximum":
        gains = [threshold_at_maximum(dot, statistics=variant.statistics) for dot in four]
    else:
        if floor is None:
            raise ParameterError("floor = None is not allowed: an onset needs its floor.")
        gains = [threshold_onset(dot, floor, variant.statistics) for dot in four]
    films = [
        ase_threshold(dot, gain_exponent, pi_pulse_fluence_mJ_cm2, variant.statistics)
        for dot in four
    ]
    return np.array(
        [float(gain.mean_excitons) for gain in gains]
        + [float(largest_gain(dots["3LS+ESA"]))]
        + [float(film.fluence_mJ_cm2) for film in films]
    )


def public_conditions(
    dots: Mapping[str, Dot], gain_exponent: float, pi_pulse_fluence_mJ_cm2: float, variant: Variant
) -> FloatArray:
    """Return the `CONDITIONS` of four dots, in linewidths, by the library's public functions.

    Parameters
    ----------
    dots, gain_exponent, pi_pulse_fluence_mJ_cm2, variant
        As for `public_numbers`.
    """
    offsets = []
    for name in DOTS:
        dot = dots[name]
        at = ase_threshold(dot, gain_exponent, pi_pulse_fluence_mJ_cm2, variant.statistics)
        fluence = float(at.fluence_mJ_cm2)
        above = min(FLUENCE_RANGE * fluence, pi_pulse_fluence_mJ_cm2)
        mean = mean_excitons_after_pulse(
            np.array([fluence, above]), pi_pulse_fluence_mJ_cm2, variant.statistics
        )
        spike = spike_position_eV(dot, mean, gain_exponent, variant.statistics)
        centre = band_centres_eV(dot).emission
        offsets.append(1e3 * (spike - centre) / np.asarray(dot.linewidth_meV))
    return np.asarray(conditions(np.array(offsets)[None])[0])
