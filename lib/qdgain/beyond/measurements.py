r"""Which measurement would tell most: candidates, what they would show, and what that tells.

A measurement of a quantity f with the precision σ shows y = f(θ) + σz, z normal, θ the unknown
parameters. What it is expected to tell of them is the mutual information

.. math:: I(\theta; y) = h(y) - \tfrac12\ln(2\pi e\sigma^2),

h(y) the entropy of the predicted y: by quadrature here, with no need to sample twice. It is at
most :math:`\tfrac12\ln(1+\mathrm{var} f/\sigma^2)`, which a normal f attains (Lindley 1956, DOI
10.1214/aoms/1177728069). What it is
expected to tell of which of several rival readings holds, all equally likely before, is

.. math:: I(R; y) = h\Big(\tfrac1n\sum_r p_r\Big) - \tfrac1n\sum_r h(p_r)\ \le\ \ln n .

A relative precision is one of the logarithm.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np
import scipy

from qdgain.beyond.sensitivity import spike_and_shift_meV
from qdgain.fast.onset import threshold_onset
from qdgain.model.bands import FWHM_PER_SIGMA, band_centres_eV
from qdgain.model.dot import Dot, FloatArray
from qdgain.model.film import ase_threshold
from qdgain.model.gain import gain
from qdgain.model.parameters import read_data
from qdgain.model.populations import mean_excitons_after_pulse, populations
from qdgain.model.threshold import threshold_at_maximum

#: The floor of a measured onset, in units of the peak absorption, and the fluence at which the
#: excited fraction is measured, in mJ cm⁻²; both assumed.
MEASURED_FLOOR = 0.01
SATURATION_FLUENCE = 0.5
#: Where a predicted quantity is stored, its distribution a straight line between: close enough that
#: the gap between two modes is not filled.
PROBABILITIES = np.linspace(0.0, 1.0, 121)

_CELLS_PER_SIGMA = 12.0
_MOST_CELLS = 60_000
_TAIL = 6.0
_GRID_SIGMAS = np.linspace(-9.0, 5.0, 421)


class Measurement(NamedTuple):
    """A candidate experiment.

    ``precision`` is one standard deviation, in ``unit``, or relative where ``is_relative``;
    ``origin`` says where that comes from.
    """

    key: str
    name: str
    unit: str
    precision: float
    is_relative: bool
    origin: str

    @classmethod
    def of(cls, row: Mapping[str, Any]) -> Measurement:
        """Return that of a row of ``data/public_record.toml``."""
        return cls(**{"unit": "1", **row}, is_relative="unit" not in row)

    @property
    def stated_precision(self) -> str:
        """The precision in words."""
        if self.is_relative:
            return f"{100 * self.precision:g} %"
        return f"{self.precision:g}" + ("" if self.unit == "1" else f" {self.unit}")


#: In the order of the last axis of `predicted`.
MEASUREMENTS = tuple(map(Measurement.of, read_data("public_record.toml")["candidate"]))
KEYS = tuple(measurement.key for measurement in MEASUREMENTS)


def predicted(
    dot: Dot,
    gain_exponent: FloatArray,
    pi_pulse_fluence_mJ_cm2: FloatArray,
    statistics: str = "rabi",
) -> FloatArray:
    """Return what each of `MEASUREMENTS` would show, logarithms where the precision is relative.

    Of dots with ESA and their films, of shape (K,): of shape (K, 14). An ASE threshold out of reach
    is counted as J_π. The statistics are those of band-edge pumping; at 3.1 eV it is Poisson's.
    """
    peak = _largest_gain(dot, statistics)
    maximum = threshold_at_maximum(dot, statistics=statistics).mean_excitons
    onset = threshold_onset(dot, MEASURED_FLOOR, statistics)
    hot = threshold_at_maximum(dot, statistics="poisson").mean_excitons
    area = np.minimum(SATURATION_FLUENCE / pi_pulse_fluence_mJ_cm2, 1.0)
    pumped = populations(mean_excitons_after_pulse(area, 1.0, statistics), statistics)
    short, long = (
        np.minimum(ase_threshold(dot, n * gain_exponent, 1.0, statistics).fluence_mJ_cm2, 1.0)
        for n in (1.0, 2.0)
    )
    spike, shift = spike_and_shift_meV(dot, gain_exponent, short, statistics)
    found = {
        "stokes": dot.stokes_shift_meV,
        "emissive": dot.emissive_binding_meV,
        "absorptive": dot.absorptive_binding_meV,
        "strength": dot.xx_absorption_strength,
        "full-gain": peak[1],
        "single-gain": peak[0],
        "maximum": maximum,
        "onset": onset.mean_excitons,
        "onset-energy": 1e3 * (onset.energy_eV - band_centres_eV(dot).emission),
        "above-gap": hot / maximum,
        "saturation": 1 - pumped.ground,
        "length": long / short,
        "spike": spike,
        "spike-shift": shift,
    }
    columns = []
    for measurement in MEASUREMENTS:
        column = np.broadcast_to(np.asarray(found[measurement.key], dtype=float), dot.shape)
        columns.append(np.log(column) if measurement.is_relative else column)
    return np.stack(columns, axis=-1)


def _largest_gain(dot: Dot, statistics: str) -> FloatArray:
    """Return the largest gain over energies at ⟨N⟩ = 1 and 2, of shape (2, K)."""
    sigma = float(np.max(np.asarray(dot.linewidth_meV))) / FWHM_PER_SIGMA
    energy = float(np.mean(np.asarray(dot.absorption_energy_eV))) + 1e-3 * sigma * _GRID_SIGMAS
    return np.moveaxis(gain(dot, energy, [1.0, 2.0], statistics).max(axis=-1), -1, 0)


# --- what a measurement tells


def _densities(distributions: Sequence[FloatArray], sigma: float) -> tuple[list[FloatArray], float]:
    """Return the density of y, for each quantiles of f at `PROBABILITIES`, in cells of one width.

    And that width. The cells hold every distribution, and its noise up to six σ.
    """
    low = min(float(quantiles[0]) for quantiles in distributions) - _TAIL * sigma
    high = max(float(quantiles[-1]) for quantiles in distributions) + _TAIL * sigma
    count = int(min(np.ceil((high - low) / sigma * _CELLS_PER_SIGMA), _MOST_CELLS))
    edges = np.linspace(low, high, count + 1)
    width = float(edges[1] - edges[0])
    densities = []
    for quantiles in distributions:
        # Several equal quantiles are a step; a hair apart, it has one value at each place.
        rising = quantiles + 1e-9 * sigma * np.arange(len(quantiles))
        mass = np.diff(np.interp(edges, rising, PROBABILITIES, left=0.0, right=1.0))
        blurred = scipy.ndimage.gaussian_filter1d(
            mass, sigma / width, mode="constant", truncate=_TAIL
        )
        densities.append(np.asarray(blurred / width))
    return densities, width


def _entropy(density: FloatArray, width: float) -> float:
    return float(np.sum(scipy.special.entr(density)) * width)


def parameter_bits(quantiles: FloatArray, sigma: float) -> float:
    """Return what a measurement is expected to tell of the parameters, in bits.

    Of the predicted quantity's quantiles at `PROBABILITIES` and the precision, in its unit.
    """
    (density,), width = _densities([quantiles], sigma)
    noise = 0.5 * (1 + np.log(2 * np.pi * sigma**2))
    return float((_entropy(density, width) - noise) / np.log(2))


def normal_bits(variance: float, sigma: float) -> float:
    """Return the same for a normal quantity of that variance: the most there can be, in bits."""
    return float(0.5 * np.log2(1 + variance / sigma**2))


def nested_bits(values: FloatArray, sigma: float, random: np.random.Generator) -> float:
    """Return the same from points of the posterior by sampling: one y for each, in bits.

    The mean of ln p(y|θ) minus that of ln p(y), p(y) averaged over all points.
    """
    noise = random.standard_normal(len(values))
    y = values + sigma * noise
    each = -0.5 * ((y[:, None] - values) / sigma) ** 2
    averaged = scipy.special.logsumexp(each, axis=1) - np.log(len(values))
    return float(np.mean(-0.5 * noise**2 - averaged) / np.log(2))


def reading_bits(distributions: Sequence[FloatArray], sigma: float) -> float:
    """Return what a measurement is expected to tell of which rival reading holds, in bits.

    Of the quantiles that each predicts, at `PROBABILITIES`, and the precision.
    """
    each, width = _densities(distributions, sigma)
    mixed = _entropy(np.mean(each, axis=0), width)
    return float((mixed - np.mean([_entropy(p, width) for p in each])) / np.log(2))


def expected_log_bayes_factor(true: FloatArray, rival: FloatArray, sigma: float) -> float:
    r"""Return :math:`\int p\ln(p/q)\,dy`: the expected ln Bayes factor where p is true.

    Of the quantiles that both readings predict, at `PROBABILITIES`, and the precision.
    """
    (p, q), width = _densities((true, rival), sigma)
    # Beyond six standard deviations of either there is nothing to integrate.
    floor = 1e-12 / width
    return float(np.sum(scipy.special.rel_entr(p, np.maximum(q, floor))) * width)
