"""The explorer's closed forms in the page's script are the library's, in a real browser."""

import dataclasses
import json

import numpy as np
import pytest
import scipy
from hypothesis import given, settings
from hypothesis import strategies as st

import qdgain
from conftest import ROOT
from qdgain.fast.onset import threshold_onset
from qdgain.model import balance
from qdgain.model.bands import (
    band_widths_meV,
    bands,
    detuning_from_absorption_meV,
    energy_window_eV,
)
from qdgain.model.film import (
    ase_threshold,
    log_ase_spectrum,
    spike_position_eV,
    spontaneous_spectrum,
)
from qdgain.model.gain import gain
from qdgain.model.parameters import CONTRACT
from qdgain.model.populations import mean_excitons_after_pulse, populations
from qdgain.model.states import states
from qdgain.model.threshold import threshold_at_energy, threshold_at_maximum
from strategies import STATISTICS, dots

# It starts a browser.
pytestmark = pytest.mark.slow

SCRIPT = ROOT / "book" / "_static" / "explorer" / "model.js"
RELATIVE = 1e-6
ENERGIES = 25
#: How far random dots stay from where terms cancel.
MARGIN = 1e-4

# What the page's script gives for a list of cases; infinities and nan travel as words.
EVALUATE = """([cases, points]) => {
  const m = globalThis.qdgainModel;
  return JSON.stringify(cases.map(({dot, statistics, floor, length, pi, mean, kelvin}) => {
    const energy = m.energyWindow(dot, 3, points);
    const maximum = m.thresholdAtMaximum(dot, statistics);
    const onset = m.thresholdOnset(dot, floor, statistics);
    const ase = m.aseThreshold(dot, length, pi, statistics);
    const sweep = m.aseSweep(dot, [mean], length, statistics);
    const ideal = m.thresholdAtMaximum(m.uncorrelated(dot), statistics);
    return {
      energy: [...energy],
      bands: m.bandSpectra(dot, energy).map(band => [...band]),
      populations: m.populations(mean, statistics),
      after_pulse: [m.meanExcitons(0.37, statistics)],
      gain: [...m.gainSpectrum(dot, energy, mean, statistics)],
      at_energy: [...energy].map(e => m.thresholdAtEnergy(dot, e, 0, statistics)),
      at_floor: [...energy].map(e => m.thresholdAtEnergy(dot, e, floor, statistics)),
      maximum: [maximum.mean, maximum.energy],
      onset: [onset.mean],
      onset_energy: [onset.energy],
      ideal: [ideal.mean, ideal.energy],
      log_ase: [...m.logAseRows(dot, energy, [mean], length, statistics)[0]],
      ase: [ase.fluence, ase.mean],
      spike: [...sweep.strongest],
      log_amplification: [...sweep.logAmplification],
      deviation: [...m.balanceDeviation(dot, energy, kelvin)],
      balanced: [m.balancedShift(dot.linewidth_meV, kelvin),
        m.balancedWidth(Math.max(dot.stokes_shift_meV, 1), kelvin)],
      thermal: [...m.transparency(m.uncorrelated({...dot, reading: "uncorrelated"}), energy, "rabi",
        kelvin)],
    };
  }), (_, v) => typeof v === "number" && !Number.isFinite(v) ? String(v) : v);
}"""


@pytest.fixture(scope="module")
def model(browser):
    page = browser.new_page()
    page.add_script_tag(path=SCRIPT)

    def evaluate(cases):
        text = page.evaluate(EVALUATE, [cases, ENERGIES])
        return [{k: np.array(v, dtype=float) for k, v in one.items()} for one in json.loads(text)]

    return evaluate


def case(dot, statistics="rabi", *, floor=0.01, length=100.0, pi=1.5, mean=1.0, kelvin=300.0):
    fields = {
        name: value if isinstance(value := getattr(dot, name), str | int | None) else float(value)
        for name in qdgain.model.parameters.DOT_PARAMETERS
    }
    return {
        "dot": fields,
        "statistics": statistics,
        "floor": floor,
        "length": length,
        "pi": pi,
        "mean": mean,
        "kelvin": kelvin,
    }


def librarys(asked):
    """Return what the library gives for a case, under the names of the script's results."""
    dot, law = qdgain.Dot(**asked["dot"]), asked["statistics"]
    energy, mean, length = energy_window_eV(dot, points=ENERGIES), asked["mean"], asked["length"]
    kelvin, shift = asked["kelvin"], max(float(dot.stokes_shift_meV), 1.0)
    onset = threshold_onset(dot, asked["floor"], law)
    ase = ase_threshold(dot, length, asked["pi"], law)
    return {
        "energy": energy,
        "bands": np.array(bands(dot, energy)),
        "populations": np.array(populations(mean, law)),
        "after_pulse": mean_excitons_after_pulse([0.37], 1.0, law),
        "gain": gain(dot, energy, mean, law),
        "at_energy": threshold_at_energy(dot, energy, statistics=law),
        "at_floor": threshold_at_energy(dot, energy, asked["floor"], law),
        "maximum": np.array(threshold_at_maximum(dot, statistics=law)),
        "onset": np.array([onset.mean_excitons]),
        "onset_energy": np.array([onset.energy_eV]),
        "ideal": np.array(threshold_at_maximum(dot.uncorrelated(), statistics=law)),
        "log_ase": log_ase_spectrum(dot, energy, mean, length, law),
        "ase": np.array([ase.fluence_mJ_cm2, ase.mean_excitons]),
        "spike": spike_position_eV(dot, [mean], length, law),
        "log_amplification": log_energy_amplification(dot, mean, length, law),
        "deviation": balance.balance_deviation(dot, energy, kelvin),
        "balanced": np.array(
            [
                balance.balanced_stokes_shift_meV(dot.linewidth_meV, kelvin),
                balance.balanced_linewidth_meV(shift, kelvin),
            ]
        ),
        "thermal": balance.balanced_threshold(dot, energy, kelvin),
    }


def log_energy_amplification(dot, mean, length, law):
    """Return ln(∫I / ∫P), integrated finely enough for the narrowest spike."""
    narrowest = min(float(width) for width in band_widths_meV(dot))
    low, high = energy_window_eV(dot, 8.0, 2)
    energy = np.linspace(low, high, int(1e3 * (high - low) / (0.02 * narrowest)))
    amplified = log_ase_spectrum(dot, energy, [mean], length, law)
    spontaneous = spontaneous_spectrum(dot, energy, [mean], law)
    return scipy.special.logsumexp(amplified, axis=-1) - np.log(spontaneous.sum(axis=-1))


def assert_same(asked, found):
    for name, expected in librarys(asked).items():
        if name in ("onset_energy", "spike") and tied(name, asked, found[name], expected):
            continue
        # Differences of terms of order one, such as the gain, keep their digits of that order.
        np.testing.assert_allclose(
            found[name], expected, rtol=RELATIVE, atol=1e-14, err_msg=f"{name} of {asked}"
        )


def tied(name, asked, found, expected):
    """Whether two energies are equally good: a symmetric dot has its onset at two of them."""
    dot, law = qdgain.Dot(**asked["dot"]), asked["statistics"]
    both = np.concatenate([found, expected])
    if not np.isfinite(both).all():
        return False
    if name == "onset_energy":
        reached = threshold_at_energy(dot, both, asked["floor"], law)
    else:
        reached = log_ase_spectrum(dot, both, asked["mean"], asked["length"], law)
    return np.isclose(*reached, rtol=1e-10, atol=1e-10)


def test_presets_are_the_librarys(model):
    film = {name: CONTRACT[name].default for name in ("gain_exponent", "floor")}
    presets = qdgain.presets()
    # With A_XX2 on A_X, additive gain would begin where two bands cross, to rounding.
    read = [
        dataclasses.replace(presets[name], reading=reading)
        for name in ("3LS+ESA", "4LS+ESA")
        for reading in CONTRACT["reading"].choices
    ]
    cases = [
        case(dot, law, floor=film["floor"], length=film["gain_exponent"], mean=0.6)
        for dot in (*presets.values(), *read)
        for law in ("rabi", "poisson", "sequential")
    ]
    for asked, found in zip(cases, model(cases), strict=True):
        assert_same(asked, found)


def is_apart(dot):
    """Whether no threshold hangs on the last digits: where a full dot's terms cancel, or two roots
    meet, the least rounding moves it from a number to out of reach."""
    own = states(dot, detuning_from_absorption_meV(dot, energy_window_eV(dot, points=ENERGIES)))
    empty, one, full = (own.gain[:, k] for k in range(3))
    terms = own.emission[:, 2] + own.absorption[:, 2]
    whole = (2 * one) ** 2 + 4 * np.abs(empty * full)
    discriminant = (2 * one) ** 2 - 4 * empty * full
    return np.all((np.abs(full) > MARGIN * terms) | (terms == 0)) and np.all(
        np.abs(discriminant) > MARGIN * whole
    )


CASES = st.builds(
    case,
    dots(with_own_widths=True, reading=None).filter(is_apart),
    STATISTICS,
    floor=st.floats(-6, -0.5).map(lambda power: 10.0**power),
    length=st.floats(0, 400),
    pi=st.floats(0.01, 100),
    mean=st.floats(0.01, 2),
    kelvin=st.floats(77, 500),
)


@settings(max_examples=30)
@given(asked=CASES)
def test_random_parameters_are_the_librarys(model, asked):
    assert_same(asked, model([asked])[0])


THERMAL = """([dot, statistics, kelvin]) => {
  const m = globalThis.qdgainModel;
  const energy = m.energyWindow(dot, 2, 25);
  const pairs = [undefined, m.BIEXCITON].map(pair => m.outOfBalance(dot, kelvin, pair));
  return [...m.transparency(dot, energy, statistics, kelvin),
    ...m.transparency(dot, energy, statistics), ...pairs];
}"""


@pytest.mark.parametrize("reading", CONTRACT["reading"].choices)
def test_a_dot_in_balance_is_its_own_thermal_dot(browser, reading):
    """With the library's balanced dot the forbidden zone ends at the line of transparency."""
    page = browser.new_page()
    page.add_script_tag(path=SCRIPT)
    dot = dataclasses.replace(
        qdgain.presets()["3LS+ESA"], reading=reading, unrelaxed_absorptive_binding_meV=0.0
    )
    balanced = balance.balanced_dot(dot, 300.0, "linewidth_meV", biexciton=True)
    for law in ("rabi", "poisson", "sequential"):
        *lines, exciton, biexciton = page.evaluate(THERMAL, [case(balanced)["dot"], law, 300.0])
        thermal, own = np.array(lines, dtype=float).reshape(2, -1)
        np.testing.assert_allclose(thermal, own, rtol=RELATIVE)
        assert max(exciton, biexciton) < RELATIVE
    assert page.evaluate(THERMAL, [case(dot)["dot"], "rabi", 300.0])[-2] > 0.1


@pytest.mark.parametrize("statistics", ["rabi", "poisson", "sequential"])
def test_the_contracts_ends_give_numbers_or_out_of_reach(model, statistics):
    """No nan where the library has a number, however far apart the bands are."""
    corners = []
    for name in qdgain.model.parameters.DOT_PARAMETERS:
        entry = qdgain.model.parameters.CONTRACT[name]
        for end in entry.choices or (entry.minimum, entry.maximum):
            dot = dataclasses.replace(qdgain.Dot(), **{name: end})
            corners.append(case(dot, statistics))
    corners += [case(qdgain.Dot(), statistics, floor=end) for end in (1e-9, 1.0)]
    corners += [case(qdgain.Dot(), statistics, length=end) for end in (0.0, 1e4)]
    for asked, found in zip(corners, model(corners), strict=True):
        assert_same(asked, found)
        assert not np.isnan(found["maximum"][0])
        assert not np.isnan(found["onset"]).any()
        assert not np.isnan(found["ase"]).any()
