"""Saturation in every reading of the paper: each dot on its own ladder of excitons."""

from dataclasses import replace

import numpy as np
import pytest
import scipy

import qdgain
from qdgain.model.saturation import _of_dots, emit, of_spectra, saturated_emission
from qdgain.model.states import READINGS, states, weights_at

#: Hand-made: ESA on the biexciton's emission, which it does not cover.
DOT = qdgain.Dot(
    reading="additive",
    linewidth_meV=80.0,
    stokes_shift_meV=15.0,
    absorptive_binding_meV=55.0,
    emissive_binding_meV=40.0,
    xx_absorption_strength=0.7,
    xx_emission_strength=1.0,
)
REPLACING = replace(DOT, reading="replacing", xx_emission_strength=0.3)


def in_all(found):
    return found.guided_photons + found.side_photons + found.excitons_left + found.lost_photons


@pytest.mark.parametrize("fate", ["kept", "lost"])
@pytest.mark.parametrize("reading", READINGS)
def test_every_photon_costs_an_exciton_in_every_reading(reading, fate):
    dot, mean = replace(DOT, reading=reading), np.array([0.0, 0.7, 2.0])
    for statistics in ("rabi", "poisson"):
        found = saturated_emission(dot, mean, 60.0, 0.01, statistics, third_exciton=fate)
        np.testing.assert_allclose(in_all(found), mean, atol=1e-10)
        assert (found.excitons_left >= 0).all()
        absorbs = reading in ("additive", "mixed") and fate == "lost"
        assert (found.lost_photons[1:] > 1e-6).all() == absorbs


@pytest.mark.parametrize("strength", [0.3, 1.0])
def test_without_a_film_a_biexciton_falls_to_an_exciton_and_no_further_at_once(strength):
    # XX emits 2γ times as fast as X, then X: the cascade's photons, not those of a mean ⟨N⟩.
    dot = replace(REPLACING, emissive_binding_meV=400.0, xx_emission_strength=strength)
    time, mean = 0.8, 1.2
    found = saturated_emission(dot, mean, 0.0, 0.5, duration=time)
    _, one, two = weights_at(np.array(mean))
    fast = 2 * strength
    of_biexciton = two * (1 - np.exp(-fast * time))
    fed = two * fast / (fast - 1) * (np.exp(-time) - np.exp(-fast * time)) if fast != 1 else 0
    of_exciton = one + of_biexciton - one * np.exp(-time) - fed
    blue = found.energy_eV > 1.8
    step = 1e3 * np.diff(found.energy_eV)[0]
    photons = [2 * found.spectrum_per_meV[part].sum() * step for part in (~blue, blue)]
    assert photons == pytest.approx([of_biexciton, of_exciton], rel=2e-3)


def test_of_independent_channels_the_mean_says_all():
    # Two channels that know nothing of each other stay binomial, whatever the light does.
    dot, mean = DOT.uncorrelated(), np.array([0.9, 1.6, 2.0])
    found = saturated_emission(dot, mean, 80.0, 0.01)
    detuning = 1e3 * (found.energy_eV - 2.0)
    own, step = states(dot, detuning), np.full(3, detuning[1] - detuning[0])
    closed = of_spectra(
        own.emission[None] / (own.emission[1].sum() * step[0]),
        80.0 * own.gain[None],
        lambda excitons: weights_at(np.clip(excitons, 0, 2)),
    )
    spectrum, _, left = emit(closed, step, 0.01, mean[:, None])
    assert found.guided_photons == pytest.approx(spectrum.sum(axis=-1) * step[0], rel=2e-3)
    assert found.excitons_left == pytest.approx(left[:, 0], rel=2e-2)


@pytest.mark.parametrize("kept", [True, False])
def test_an_adaptive_solver_finds_the_same_in_slices_without_symmetry(kept):
    random = np.random.default_rng(7)
    emission = np.array([0.0, 1.0, 1.7])[:, None] * random.uniform(0.5, 1.0, (3, 4)) / 4
    absorption = random.uniform(0.2, 0.9, (3, 4)) * np.array([1.0, 0.6, 0.3])[:, None]
    length, beta, slices, time = 12.0, 0.1, 16, 0.5
    medium = _of_dots(emission[None], length * emission[None], length * absorption[None], 3, kept)
    start = np.array([0.1, 0.2, 0.7, 0.0])
    spectrum, side, end = emit(medium, np.ones(1), beta, start[None], time)

    def slope(_, y):
        shares = y[: 3 * slices].reshape(slices, 3)
        change, out = np.zeros((slices, 3)), np.zeros(4)
        lost = 0.0
        source = shares @ emission * beta / 2 / slices
        x = shares @ (emission - absorption) * length / slices
        inside = np.zeros((slices, 4))
        for order in (range(slices), reversed(range(slices))):
            flux = np.zeros(4)
            for j in order:
                grown = np.expm1(x[j]) / x[j]
                inside[j] += flux * grown + source[j] * (grown - 1) / x[j]
                flux = flux * np.exp(x[j]) + source[j] * grown
            out += flux
        for j in range(slices):
            down = emission.sum(axis=1) + length * emission @ inside[j]
            up = length * absorption @ inside[j]
            for k in (1, 2):
                change[j, k] -= down[k] * shares[j, k]
                change[j, k - 1] += down[k] * shares[j, k]
            for k in (0, 1):
                change[j, k] -= up[k] * shares[j, k]
                change[j, k + 1] += up[k] * shares[j, k]
            lost += up[2] * shares[j, 2] / slices
        aside = (1 - beta) * (shares @ emission).sum() / slices
        return np.concatenate([change.ravel(), out, [aside, lost]])

    begin = np.concatenate([np.tile(start[:3], slices), np.zeros(6)])
    exact = scipy.integrate.solve_ivp(slope, (0, time), begin, "RK45", rtol=1e-7, atol=1e-10).y
    exact = exact[:, -1]
    assert spectrum[0] == pytest.approx(exact[-6:-2], rel=5e-3)
    assert [side[0], end[0, 3]] == pytest.approx(exact[-2:], rel=5e-3)
    assert end[0, :3] == pytest.approx(exact[: 3 * slices].reshape(slices, 3).mean(0), abs=2e-3)


def test_the_fate_of_a_third_exciton_decides_the_amplitude_where_a_full_dot_absorbs():
    plain = saturated_emission(DOT.uncorrelated(), 2.0, 250.0, 0.01).guided_photons
    kept, lost = (
        saturated_emission(DOT, 2.0, 250.0, 0.01, third_exciton=fate) for fate in ("kept", "lost")
    )
    assert 1.1 < plain / kept.guided_photons < 1.6
    assert plain / lost.guided_photons > 5
    for dot in (REPLACING, replace(DOT, reading="degenerate")):
        kept, lost = (
            saturated_emission(dot, 2.0, 80.0, 0.01, third_exciton=fate).guided_photons
            for fate in ("kept", "lost")
        )
        assert kept == lost


def test_an_unknown_fate_is_refused():
    with pytest.raises(qdgain.ParameterError, match="third_exciton"):
        saturated_emission(DOT, 1.0, 10.0, 0.01, third_exciton="forgotten")
