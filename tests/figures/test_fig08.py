"""Figure 8: its panels say what the model says."""

from dataclasses import replace

import numpy as np
import pytest

import qdgain
from qdgain.figures import fig08
from qdgain.run import resolve

REPLACING = {
    "reading": "replacing",
    "absorptive_binding_meV": 20.0,
    "emissive_binding_meV": 10.0,
    "xx_absorption_strength": 1.7,
    "xx_emission_strength": 0.3,
}


@pytest.fixture(scope="module")
def run():
    return resolve(fig08.SETTINGS, {})


@pytest.fixture(scope="module")
def of_both():
    """Return a run whose own dot is of the reading that is not the default."""
    own = resolve(fig08.SETTINGS, REPLACING)
    assert {dot.reading for dot in own.dots.values()} == {"uncorrelated", "additive", "replacing"}
    return own


def test_maps_start_at_minus_absorption_and_end_at_what_a_full_dot_gains(of_both):
    for panel in fig08.contours(of_both):
        dot = of_both.dots[panel.title]
        energy = panel["gain"].x
        bands = qdgain.bands(dot, energy)
        np.testing.assert_allclose(panel["gain"].z[0], -bands.absorption, atol=1e-14)
        full = dot.xx_emission_strength * bands.xx_emission
        if dot.reading == "additive":
            full = full - dot.xx_absorption_strength * bands.xx_absorption
        np.testing.assert_allclose(panel["gain"].z[-1], full, atol=1e-14)
        np.testing.assert_array_equal(panel["⟨N⟩ = 2"].y, panel["gain"].z[-1])


def test_marked_threshold_is_where_the_projection_crosses_zero(run):
    for panel in fig08.contours(run):
        growth = panel["at maximum"]
        crossing = np.interp(0, growth.x, growth.y)
        assert panel["threshold, at maximum"].y[0] == pytest.approx(crossing, abs=2e-3)


def test_threshold_is_highest_where_esa_meets_the_biexciton_emission(of_both):
    numbers = {row.key: row.value for row in fig08.headlines(of_both)}
    dot = of_both.dots["your dot+ESA"]
    met = dot.stokes_shift_meV + dot.emissive_binding_meV
    assert numbers["fig08-worst-your-dot-esa"] == pytest.approx(met, abs=1e-3)
    # Where a full dot absorbs too, its gain maximum moves with the ESA, and the place a little.
    for name, slug in (("3LS+ESA", "3ls-esa"), ("4LS+ESA", "4ls-esa")):
        dot, worst = of_both.dots[name], numbers[f"fig08-worst-{slug}"]
        met = dot.stokes_shift_meV + dot.emissive_binding_meV
        for binding in (met + np.linspace(-100, 100, 2001), worst + np.linspace(-0.1, 0.1, 201)):
            moved = replace(dot, absorptive_binding_meV=binding)
            highest = binding[np.argmax(qdgain.threshold_at_maximum(moved).mean_excitons)]
            assert worst == pytest.approx(highest, abs=np.diff(binding)[0])
        assert 1e-3 < abs(worst - met) < 0.05 * dot.linewidth_meV


def test_two_level_thresholds_are_the_textbook_ones(run):
    numbers = {row.key: row.value for row in fig08.headlines(run)}
    assert numbers["fig08-2ls"] == pytest.approx(1, abs=1e-12)
    # e^N = 2 + N
    poisson = numbers["fig08-2ls-poisson"]
    assert np.exp(poisson) == pytest.approx(2 + poisson, rel=1e-12)


def test_a_users_dot_is_drawn_beside_the_papers(run):
    own = resolve(fig08.SETTINGS, {"stokes_shift_meV": 40.0})
    assert [panel.title for panel in fig08.contours(own)][4:] == ["your dot", "your dot+ESA"]
    for panel, same in zip(fig08.contours(own), fig08.contours(run), strict=False):
        np.testing.assert_array_equal(panel["gain"].z, same["gain"].z)
    assert len(fig08.headlines(own)) > len(fig08.headlines(run))


@pytest.mark.parametrize(
    "given",
    [
        {"xx_emission_strength": 0.0},
        {"stokes_shift_meV": 1000.0},
        {"linewidth_meV": 1000.0},
        {"emissive_binding_meV": 1000.0},
    ],
)
def test_a_dot_at_the_ends_of_the_contract_has_its_numbers(given):
    run = resolve(fig08.SETTINGS, given)
    assert all(isinstance(row.value, float) for row in fig08.headlines(run))
    assert fig08.thresholds(run)
