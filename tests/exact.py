"""The plain formulas of the model with 50 digits, beside which the library's numbers are laid.

One dot, one photon energy, one ⟨N⟩ at a time, as the book's page on the model has them. Arguments
are the library's own numbers in double precision, taken as exact.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import mpmath
from mpmath import mp, mpf

import qdgain
from qdgain.model.gain import gain_maximum_meV

DIGITS = 50


def with_digits(function: Callable[..., Any]) -> Callable[..., Any]:
    def wrapped(*given: Any) -> Any:
        with mp.workdps(DIGITS):
            return function(*given)

    return wrapped


def width(dot: qdgain.Dot, own: str) -> mpf:
    """Return s in meV of the band with that linewidth of its own, or the shared one."""
    value = getattr(dot, own)
    full = dot.linewidth_meV if value is None else value
    return mpf(full) / (2 * mpmath.sqrt(2 * mpmath.log(2)))


def bands(dot: qdgain.Dot, detuning: mpf) -> tuple[mpf, mpf, mpf, mpf]:
    """Return A_X, PL_X, A_XX2, PL_XX at a photon energy less the centre of A_X, in meV."""
    stokes = mpf(dot.stokes_shift_meV)
    places = (
        (mpf(0), "absorption_linewidth_meV"),
        (-stokes, "emission_linewidth_meV"),
        (-mpf(dot.absorptive_binding_meV), "xx_absorption_linewidth_meV"),
        (-stokes - mpf(dot.emissive_binding_meV), "xx_emission_linewidth_meV"),
    )
    return tuple(mpmath.exp(-(((detuning - c) / width(dot, own)) ** 2) / 2) for c, own in places)


def populations(mean: mpf, statistics: str) -> tuple[mpf, mpf, mpf]:
    if statistics == "rabi":
        n = mean / 2
        return (1 - n) ** 2, 2 * n * (1 - n), n**2
    if statistics == "poisson":
        ground = mpmath.exp(-mean)
        return ground, mean * ground, 1 - ground - mean * ground
    return (1 - mean, mean, mpf(0)) if mean <= 1 else (mpf(0), 2 - mean, mean - 1)


def detuning_of(dot: qdgain.Dot, energy_eV: float) -> mpf:
    return 1000 * (mpf(energy_eV) - mpf(dot.absorption_energy_eV))


def kept(dot: qdgain.Dot) -> tuple[mpf, mpf]:
    """Return which part of A_X is left beside X, and of the ESA of a full dot, by the reading."""
    if dot.reading == "mixed":
        return mpf(dot.remaining_absorption), mpf(dot.full_dot_absorption)
    both = {"additive": 1, "replacing": 0, "uncorrelated": 0}[dot.reading]
    return mpf(both), mpf(both)


def terms(dot: qdgain.Dot, energy_eV: float, mean: float, statistics: str) -> tuple[mpf, ...]:
    """Return the four terms of the gain, loss negative."""
    A, P, B, Q = bands(dot, detuning_of(dot, energy_eV))
    ground, exciton, biexciton = populations(mpf(mean), statistics)
    a, gamma = mpf(dot.xx_absorption_strength), mpf(dot.xx_emission_strength)
    left, full = kept(dot)
    absorbed = exciton * (left * A + a * B) / 2 + biexciton * full * a * B
    return -ground * A, exciton * P / 2, -absorbed, gamma * biexciton * Q


def threshold(dot: qdgain.Dot, detuning: mpf, floor: float, statistics: str) -> mpf:
    """Return the smallest ⟨N⟩ with G = ε; infinity if there is none."""
    A, P, B, Q = bands(dot, detuning)
    left, full = kept(dot)
    absorbed = mpf(dot.xx_absorption_strength) * B
    a, d, q = (
        A + mpf(floor),
        P - left * A - absorbed - 2 * mpf(floor),
        mpf(dot.xx_emission_strength) * Q - full * absorbed - mpf(floor),
    )
    if statistics == "rabi":
        square = d**2 + 4 * a * q
        if square < 0 or (q <= 0 and d <= 0):
            return mpf("inf")
        root = mpmath.sqrt(square)
        r = 2 * a / (d + root) if d >= 0 else (root - d) / (2 * q)
        return 2 * r / (1 + r)
    if statistics == "sequential":
        if d > 0:
            return 2 * a / (2 * a + d)
        return 1 - d / (2 * q - d) if q > 0 else mpf("inf")
    return _poisson(a, d, q)


def _beyond_linear(N: mpf) -> mpf:
    """Return e^N - 1 - N, by its series where the difference would lose digits."""
    if N > mpf("1e-3"):
        return mpmath.expm1(N) - N
    return mpmath.fsum(N**k / mpmath.factorial(k) for k in range(2, 18))


def _poisson(a: mpf, d: mpf, q: mpf) -> mpf:
    """Return the first root of α - Nδ/2 - β(e^N - 1 - N), by Newton's method.

    Where β > 0 the function is concave and falls at its root: from above, where the parabola of its
    first terms ends, no step goes too far. Where β < 0 it is convex: from zero, likewise.
    """
    half = d / 2
    if q > 0:
        root = mpmath.sqrt(half**2 + 2 * a * q)
        N = 2 * a / (half + root) if half >= 0 else (root - half) / q
        for _ in range(20):  # β(e^N - 1) = α + N(β - δ/2)
            N = min(N, mpmath.log1p((a + N * max(q - half, 0)) / q))
    elif d <= 0:
        return mpf("inf")
    elif q == 0:
        return a / half
    else:
        N, largest = mpf(0), mpmath.log1p(half / -q)
        if a - largest * half - q * _beyond_linear(largest) > 0:
            return mpf("inf")
    for _ in range(5000):
        step = (a - N * half - q * _beyond_linear(N)) / (half + q * mpmath.expm1(N))
        N += step
        if abs(step) <= N * mpf(10) ** (5 - DIGITS):
            break
    return N


@with_digits
def threshold_at_energy(dot: qdgain.Dot, energy_eV: float, floor: float, statistics: str) -> mpf:
    return threshold(dot, detuning_of(dot, energy_eV), floor, statistics)


@with_digits
def threshold_at_maximum(dot: qdgain.Dot, statistics: str) -> mpf:
    centre = -mpf(dot.stokes_shift_meV) - mpf(dot.emissive_binding_meV)
    beside = -mpf(dot.absorptive_binding_meV)
    of_esa = mpf(dot.xx_absorption_strength) * kept(dot)[1]

    def slope(x: mpf) -> mpf:
        _, _, B, Q = bands(dot, x)
        on_esa = of_esa * B * (x - beside) / width(dot, "xx_absorption_linewidth_meV") ** 2
        on_emission = mpf(dot.xx_emission_strength) * Q * (x - centre)
        return on_esa - on_emission / width(dot, "xx_emission_linewidth_meV") ** 2

    near = gain_maximum_meV(dot, statistics)
    return threshold(dot, mpmath.findroot(slope, mpf(float(near))), 0.0, statistics)


@with_digits
def onset_near(dot: qdgain.Dot, energy_eV: float, floor: float, statistics: str) -> mpf:
    """Return the least threshold near an energy, by golden sections between its neighbours."""
    middle = detuning_of(dot, energy_eV)
    reach = width(dot, "linewidth_meV") / 50
    low, high = middle - reach, middle + reach
    golden = (mpmath.sqrt(5) - 1) / 2
    for _ in range(26):
        inner, outer = high - golden * (high - low), low + golden * (high - low)
        if threshold(dot, inner, floor, statistics) <= threshold(dot, outer, floor, statistics):
            high = outer
        else:
            low = inner
    return threshold(dot, (low + high) / 2, floor, statistics)


@with_digits
def band(dot: qdgain.Dot, energy_eV: float) -> tuple[mpf, mpf, mpf, mpf]:
    return bands(dot, detuning_of(dot, energy_eV))


@with_digits
def gain(dot: qdgain.Dot, energy_eV: float, mean: float, statistics: str) -> tuple[mpf, mpf]:
    """Return the gain and its largest term."""
    every = terms(dot, energy_eV, mean, statistics)
    return mpmath.fsum(every), max(abs(term) for term in every)


@with_digits
def amplification(x: float) -> mpf:
    return mpmath.expm1(mpf(x)) / mpf(x) if x else mpf(1)


@with_digits
def log_ase(
    dot: qdgain.Dot, energy_eV: float, mean: float, length: float, statistics: str
) -> tuple[mpf, mpf]:
    """Return ln I and L_g G."""
    every = terms(dot, energy_eV, mean, statistics)
    x = mpf(length) * mpmath.fsum(every)
    amplified = mpmath.expm1(x) / x if x else mpf(1)
    return mpmath.log((every[1] + every[3]) * amplified), x
