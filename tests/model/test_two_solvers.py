"""Each law of the model solved a second way.

The method shares nothing with the first. What it is applied to is the gain of the library where
many energies are needed, which is held here to one written out by itself.
"""

# ruff: noqa: PLC0415 -- QuTiP takes seconds to import, so only the worker that needs it does.
import math
from dataclasses import replace

import numpy as np
import pytest
from scipy.integrate import solve_ivp

import qdgain
from bench.dots import usual
from qdgain.model import film as ase
from qdgain.model import kinetics, saturation
from qdgain.model.kinetics import Scheme, Step

LAWS = ("rabi", "poisson", "sequential")
DOT = qdgain.Dot(
    reading="replacing",
    stokes_shift_meV=20.0,
    absorptive_binding_meV=30.0,
    emissive_binding_meV=15.0,
    xx_absorption_strength=1.5,
    xx_emission_strength=0.4,
)


# --- gain and emission, written out here for one dot: nothing of the library is in them


def written_out(dot, energy, mean, statistics):
    """Return gain and spontaneous emission at each ⟨N⟩ and photon energy, by Python's own math."""
    width = dot.linewidth_meV / math.sqrt(8 * math.log(2)) / 1e3
    X = dot.absorption_energy_eV
    PL = X - dot.stokes_shift_meV / 1e3
    centres = X, PL, X - dot.absorptive_binding_meV / 1e3, PL - dot.emissive_binding_meV / 1e3
    a, gamma = dot.xx_absorption_strength, dot.xx_emission_strength
    shape = (len(mean), len(energy))
    gain, emitted = np.empty(shape), np.empty(shape)
    weights = [WEIGHTS[statistics](float(N)) for N in mean]
    for j, E in enumerate(energy):
        A_X, PL_X, A_XX2, PL_XX = (
            math.exp(-((float(E) - centre) ** 2) / 2 / width**2) for centre in centres
        )
        for i, (none, one, two) in enumerate(weights):
            emitted[i, j] = one * PL_X / 2 + gamma * two * PL_XX
            gain[i, j] = emitted[i, j] - none * A_X - one * a * A_XX2 / 2
    return gain, emitted


#: No, one, two or more excitons. Rabi fills two channels by ⟨N⟩/2 each.
WEIGHTS = {
    "rabi": lambda N: ((1 - N / 2) ** 2, N * (1 - N / 2), (N / 2) ** 2),
    "poisson": lambda N: (math.exp(-N), N * math.exp(-N), 1 - (1 + N) * math.exp(-N)),
    "sequential": lambda N: (max(1 - N, 0), min(N, 2 - N), max(N - 1, 0)),
}


@pytest.mark.parametrize("statistics", LAWS)
def test_gain_and_emission_are_those_written_out(statistics):
    energy, mean = np.linspace(1.85, 2.15, 61), np.linspace(0.1, 2.0, 20)
    dots = [DOT, *(usual(16).at(i) for i in range(16))]
    for dot in dots:
        gain, emitted = written_out(dot, energy, mean, statistics)
        # Rounding, of numbers up to two.
        np.testing.assert_allclose(
            qdgain.gain(dot, energy, mean, statistics), gain, rtol=0, atol=1e-13
        )
        np.testing.assert_allclose(
            ase.spontaneous_spectrum(dot, energy, mean, statistics), emitted, rtol=0, atol=1e-13
        )


# --- populations against a density matrix driven in time (QuTiP)

#: Rabi frequencies in time, each of area one between -6 and 6.
PULSES = {
    "gaussian": lambda t: np.exp(-0.5 * t * t) / np.sqrt(2 * np.pi),
    "sech": lambda t: 1 / (np.pi * np.cosh(t)) / (2 / np.pi * np.arctan(np.sinh(6.0))),
    "square": lambda t: 0.25 * (abs(t) < 2),
    "two in a row": lambda t: 0.5 * (abs(t - 3) < 1) * 0.7 + 0.5 * (abs(t + 3) < 1) * 0.3,
}


def driven(hamiltonian, start, counted, pulse, area):
    """Return the expectation values after a pulse, from the master equation."""
    import qutip

    history = qutip.mesolve(
        [[hamiltonian, lambda t: area * PULSES[pulse](t)]],
        qutip.ket2dm(start),
        [-6.0, 6.0],
        e_ops=counted,
        options={"rtol": 1e-9, "atol": 1e-11, "max_step": 0.1},
    ).expect
    return [values[-1] for values in history]


@pytest.mark.parametrize("pulse", PULSES)
def test_rabi_populations_are_those_of_two_driven_channels(pulse):
    from qutip import basis, ket2dm, qeye, sigmax, tensor

    none, some = ket2dm(basis(2, 0)), ket2dm(basis(2, 1))
    # On resonance, in the rotating frame: ½ Ω σ_x on each channel.
    hamiltonian = 0.5 * (tensor(sigmax(), qeye(2)) + tensor(qeye(2), sigmax()))
    counted = [
        tensor(none, none),
        tensor(some, none) + tensor(none, some),
        tensor(some, some),
    ]
    start = tensor(basis(2, 0), basis(2, 0))
    for area in np.array([0.05, 0.3, 0.5, 0.8, 1.0, 1.4]) * np.pi:
        mean = qdgain.mean_excitons_after_pulse(1.7 * (area / np.pi) ** 2, 1.7)
        found = driven(hamiltonian, start, counted, pulse, area)
        # The solver steps over the edges of the square pulses: it was off by up to 5e-6.
        np.testing.assert_allclose(qdgain.populations(mean), found, atol=2e-5)


def test_the_same_pulse_gives_poissons_law_where_nothing_is_blocked():
    """The two channels' bright state, as the first step of a ladder that never fills."""
    from qutip import basis, destroy, ket2dm, qeye

    levels = 24
    hamiltonian = 0.5 * np.sqrt(2) * (destroy(levels) + destroy(levels).dag())
    ground, exciton = (ket2dm(basis(levels, k)) for k in (0, 1))
    counted = [ground, exciton, qeye(levels) - ground - exciton]
    for area in np.array([0.1, 0.5, 1.0]) * np.pi:
        mean = qdgain.mean_excitons_after_pulse((area / np.pi) ** 2, 1.0, "poisson")
        found = driven(hamiltonian, basis(levels, 0), counted, "gaussian", area)
        np.testing.assert_allclose(qdgain.populations(mean, "poisson"), found, atol=2e-5)


@pytest.mark.parametrize("detuning", [12.0, -35.0])
def test_a_detuned_second_step_against_a_density_matrix(detuning):
    import qutip

    from qdgain.beyond import driven_ladder as ladder

    none, some = qutip.basis(2, 0), qutip.basis(2, 1)
    one = qutip.qeye(2)
    width = float(ladder.field_width_fs(70.0))
    both = qutip.tensor(some, some)
    coupling = 0.5 * (qutip.tensor(qutip.sigmax(), one) + qutip.tensor(one, qutip.sigmax()))
    area = 4.0

    def rabi(t):
        return area * np.exp(-0.5 * (t / width) ** 2) / (np.sqrt(2 * np.pi) * width)

    end = qutip.mesolve(
        [-detuning / ladder.HBAR_MEV_FS * both.proj(), [coupling, rabi]],
        qutip.tensor(none, none),
        [-6 * width, 6 * width],
        e_ops=[qutip.tensor(none, none).proj(), both.proj()],
        options={"rtol": 1e-9, "atol": 1e-11, "max_step": width / 10},
    ).expect
    found = ladder.ladder_populations(area, detuning, 70.0)
    assert float(found.ground) == pytest.approx(end[0][-1], abs=2e-4)
    assert float(found.biexciton) == pytest.approx(end[1][-1], abs=2e-4)


# --- steady states against integration in time


def random_scheme(rng):
    """Return a scheme whose every level decays to each of the others, at random rates."""
    levels = tuple(f"level {i}" for i in range(rng.integers(2, 7)))
    steps = tuple(
        Step(source, target, float(10 ** rng.uniform(-1.5, 1.0)))
        for source in levels
        for target in levels
        if source != target
    )
    return Scheme(levels, steps, (levels[0], levels[-1]), (levels[1], levels[0]))


SCHEMES = {
    "2LS": kinetics.two_level(),
    "3LS": kinetics.thermal_scheme("3LS", 60.0, 400.0, 0.3),
    "4LS": kinetics.thermal_scheme("4LS", 60.0, 300.0, 0.2),
    "5LS": kinetics.thermal_scheme("5LS", 60.0, 300.0, 0.15, 0.4),
} | {f"random {seed}": random_scheme(np.random.default_rng(seed)) for seed in range(5)}


@pytest.mark.parametrize("name", SCHEMES)
@pytest.mark.parametrize("w", [0.0, 0.4, 3.0])
def test_steady_state_is_where_integration_in_time_ends(name, w):
    """Flows written out one by one, from the last level on, until nothing moves."""
    scheme = SCHEMES[name]
    flows = [(s, t, 1 / time) for s, t, time in scheme.steps]
    low, high = scheme.pump
    flows += [(low, high, w), (high, low, w)]
    flows = [(scheme.index(s), scheme.index(t), rate) for s, t, rate in flows]

    def change(_, N):
        rates = np.zeros_like(N)
        for source, target, rate in flows:
            rates[source] -= rate * N[source]
            rates[target] += rate * N[source]
        return rates

    start = np.zeros(len(scheme.levels))
    start[-1] = 1.0
    end = solve_ivp(change, (0, 60), start, method="LSODA", rtol=1e-9, atol=1e-11).y[:, -1]
    # The solver allows itself 1e-9 at each of many steps.
    np.testing.assert_allclose(kinetics.steady_state(scheme, w), end, atol=1e-7)
    upper, lower = (end[scheme.index(level)] for level in scheme.emission)
    assert kinetics.net_gain(scheme, w, 0.4) == pytest.approx(0.6 * upper - lower, abs=1e-7)


# --- thresholds against a scan over photon energies and excitons


def scanned(dot, statistics, floor, energy):
    """Return the first ⟨N⟩ at which the gain at any of the energies is above a floor.

    A scan, then a scan of the interval found, and so on.
    """
    low, high = 0.0, TOP[statistics]
    for _ in range(4):
        mean = np.linspace(low, high, 65)
        above = (qdgain.gain(dot, energy, mean, statistics) > floor).any(axis=-1)
        if not above.any():
            return np.inf
        first = int(np.argmax(above))
        low, high = mean[max(first - 1, 0)], mean[first]
    return float(mean[first])


#: Where a scan ends.
TOP = {"rabi": 2.0, "sequential": 2.0, "poisson": 12.0}


@pytest.mark.parametrize("statistics", LAWS)
def test_thresholds_are_those_of_a_brute_force_scan(statistics):
    dots, floor = usual(16), 0.01
    onset = qdgain.threshold_onset(dots, floor, statistics).mean_excitons
    maximum = qdgain.threshold_at_maximum(dots, statistics=statistics).mean_excitons
    for i in range(16):
        dot = dots.at(i)
        energy = qdgain.model.bands.energy_window_eV(dot, widths=4.0, points=4001)
        # The scan ends in steps of 7e-7 at most, at energies s/300 apart: they were off by 9e-7.
        assert scanned(dot, statistics, floor, energy) == pytest.approx(onset[i], abs=1e-5)
        # Where the gain is largest at the end of the scale, beyond every threshold.
        full = 60.0 if statistics == "poisson" else 2.0
        for _ in range(2):
            peak = int(np.argmax(qdgain.gain(dot, energy, full, statistics)))
            energy = np.linspace(energy[peak - 1], energy[peak + 1], 4001)
        centre = energy[2000:2001]
        assert scanned(dot, statistics, 0.0, centre) == pytest.approx(maximum[i], abs=1e-5)
    assert np.isfinite(onset).all()
    assert np.ptp(onset) > 0.3


# --- emission along the film against propagation in small steps


@pytest.mark.parametrize("statistics", LAWS)
@pytest.mark.parametrize("length", [3.0, 30.0, 150.0])
def test_ase_is_the_light_propagated_through_the_film(statistics, length):
    """dI/dz = L_g G I + P from z = 0 to 1, by the classical Runge-Kutta method."""
    energy = qdgain.model.bands.energy_window_eV(DOT, points=41)
    mean, steps = np.array([0.3, 1.1, 1.9]), 2000
    source = ase.spontaneous_spectrum(DOT, energy, mean, statistics)
    rate = length * qdgain.gain(DOT, energy, mean, statistics)
    I, h = np.zeros_like(source), 1 / steps
    for _ in range(steps):
        k1 = rate * I + source
        k2 = rate * (I + h / 2 * k1) + source
        k3 = rate * (I + h / 2 * k2) + source
        I = I + h / 6 * (k1 + 2 * k2 + 2 * k3 + rate * (I + h * k3) + source)
    found = ase.ase_spectrum(DOT, energy, mean, length, statistics)
    # The method's error is that of (L_g G h)⁴, with at most 150 gain lengths in 2000 steps.
    np.testing.assert_allclose(found, I, rtol=1e-5)


@pytest.mark.slow
@pytest.mark.parametrize("statistics", LAWS)
def test_saturated_emission_is_that_of_a_film_integrated_in_space_and_time(monkeypatch, statistics):
    """The film's equations on a grid of places, trapezoidal in space, LSODA's steps in time."""
    dot, mean, length, beta = replace(DOT, xx_absorption_strength=0.3), 1.7, 25.0, 0.02
    found = saturation.saturated_emission(dot, mean, length, beta, statistics)
    energy = np.linspace(found.energy_eV[0], found.energy_eV[-1], 61)
    step_meV, cells = 1e3 * (energy[1] - energy[0]), 150
    A, P, _, B, Q = qdgain.bands(dot, energy)
    rate = 2 / (P.sum() * step_meV)
    # No, one, two or more excitons; under Poisson's law a dot may hold many, and is like XX then.
    levels = 14 if statistics == "poisson" else 3
    kind = np.minimum(np.arange(levels), 2)
    a, gamma = dot.xx_absorption_strength, dot.xx_emission_strength
    emission = np.stack([0 * P, P / 2, gamma * Q])[kind]
    absorption = np.stack([A, a * B / 2, 0 * P])[kind]

    def photons(share):
        """Return how many leave both ends and the sides in unit time, and the shares' change."""
        gain, emitted = length * (share @ (emission - absorption)), rate * (share @ emission)
        flux, half = np.zeros((cells + 1, energy.size)), 0.5 / cells
        for k in range(cells):
            grown = (1 + half * gain[k]) * flux[k] + 0.5 * beta / cells * emitted[k]
            flux[k + 1] = grown / (1 - half * gain[k])
        within = 0.5 * (flux[1:] + flux[:-1])
        within = step_meV * length * (within + within[::-1])
        down = share * (within @ emission.T + rate * step_meV * emission.sum(axis=-1))
        up = share * (within @ absorption.T)
        up[:, -1] = 0.0
        moved = np.zeros_like(share)
        moved -= down + up
        moved[:, :-1] += down[:, 1:]
        moved[:, 1:] += up[:, :-1]
        side = (1 - beta) * emitted.sum(axis=1) * step_meV
        return 2 * flux[-1].sum() * step_meV, side.mean(), moved

    def change(_, state):
        guided, side, moved = photons(np.clip(state[2:], 0.0, 1.0).reshape(cells, levels))
        return [guided, side, *moved.ravel()]

    first = WEIGHTS[statistics](mean)
    if statistics == "poisson":
        first = [math.exp(-mean) * mean**k / math.factorial(k) for k in range(levels)]
    start = [0.0, 0.0, *np.tile(first, cells)]
    end = solve_ivp(change, (0, 8.0), start, method="RK45", rtol=1e-5, atol=1e-8).y[:, -1]
    left = end[2:].reshape(cells, levels).mean(axis=0) @ np.arange(levels)
    # The library's steps and slices cost half a per cent; with finer ones the two meet.
    assert float(found.guided_photons) == pytest.approx(end[0], rel=0.01)
    monkeypatch.setattr(saturation, "_LARGEST_CHANGE", 0.005)
    monkeypatch.setattr(saturation, "_LONGEST_STEP", 0.03)
    monkeypatch.setattr(saturation, "_SLICES", 32)
    finer = saturation.saturated_emission(dot, mean, length, beta, statistics)
    assert float(finer.guided_photons) == pytest.approx(end[0], rel=1e-3)
    assert float(finer.side_photons) == pytest.approx(end[1], rel=1e-3)
    assert float(finer.excitons_left) == pytest.approx(left, rel=1e-2)
