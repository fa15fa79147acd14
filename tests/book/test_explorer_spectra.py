"""The page's estimate of a dot from spectra, held to the library's fit.

The fits of 220 synthetic pairs take a minute and are stored beside this file; some are made anew.
``python tests/book/test_explorer_spectra.py`` stores them.
"""

import json
import re
from pathlib import Path

import numpy as np
import pytest

from conftest import ROOT
from qdgain.book import explorer_page
from qdgain.fitting.band_fit import fit_bands
from qdgain.fitting.lineshapes import edge
from qdgain.fitting.spectra import even_spectrum
from qdgain.fitting.synthetic_spectra import Surroundings, as_text, simulate
from qdgain.model.dot import Dot
from qdgain.model.parameters import ParameterError
from qdgain.model.units import eV_from_nm

SCRIPT = ROOT / "book" / "_static" / "explorer" / "spectra.js"
STORED = Path(__file__).with_name("explorer_spectra.json")
COUNT = 220
#: How the tables are written: the header, the separator and the decimal mark.
STYLES = (
    ("wavelength (nm),sample", ",", "."),
    ("# synthetic\nWavelength [nm];A", ";", ","),
    ("E (eV)\tsignal", "\t", "."),
    ("nm value", " ", "."),
)
ESTIMATE = """([pairs, limits]) => pairs.map(([absorption, emission]) => {
  const { estimate, readTable } = globalThis.qdgainSpectra;
  try {
    return estimate(readTable(absorption, "a.csv"), readTable(emission, "pl.csv"), limits);
  } catch (refusal) {
    return refusal.message;
  }
})"""


def pair(seed):
    """Return the spectra of a random dot among random surroundings."""
    rng = np.random.default_rng(seed)
    width = rng.uniform(55, 125)
    dot = Dot(
        absorption_energy_eV=rng.uniform(1.6, 2.5),
        linewidth_meV=width,
        stokes_shift_meV=rng.uniform(0.1, 0.8) * width,
        emission_linewidth_meV=rng.uniform(0.75, 1.0) * width,
    )
    around = Surroundings(
        second_gap_meV=rng.uniform(1.4, 2.4) * width,
        second_width_meV=rng.uniform(1, 1.5) * width,
        second_strength=rng.uniform(0.4, 1.1),
        third_strength=rng.uniform(0.5, 1.2),
        traps=rng.uniform(0, 0.1),
        scattering=rng.uniform(0, 0.3),
        offset=rng.uniform(0, 0.05),
        slope_per_eV=rng.uniform(0, 0.1),
    )
    noise = 10 ** rng.uniform(-3, -1.8)
    return simulate(dot, noise=noise, seed=seed, surroundings=around), noise


def fitted(made):
    """Return what the page estimates of a dot as the library fits it, in eV and meV."""
    absorption, emission, _ = made.against_energy
    centre, broad, shift, width = fit_bands(absorption, emission).values.tolist()
    return {
        "peak": centre - 1e-3 * shift,
        "width": width,
        "exciton": centre,
        "shift": shift,
        "absorptionWidth": broad,
    }


def tables(made, absorbance, style):
    header, separator, decimal = STYLES[style % len(STYLES)]
    x, intensity = made.wavelength_nm, made.intensity_per_nm
    if "eV" in header:
        # Per eV, and against it.
        x = eV_from_nm(x)
        intensity = intensity * made.wavelength_nm**2
    return [
        as_text(header, x, values, separator=separator, decimal=decimal)
        for values in (absorbance, intensity)
    ]


@pytest.fixture(scope="module")
def estimate(browser):
    page = browser.new_page()
    page.add_script_tag(path=SCRIPT)
    limits = explorer_page.data()["spectra"]
    return lambda pairs: page.evaluate(ESTIMATE, [pairs, limits])


@pytest.mark.slow
def test_an_estimate_is_the_fit_within_its_own_error(estimate):
    stored = json.loads(STORED.read_text(encoding="utf-8"))
    made = [pair(seed)[0] for seed in range(COUNT)]
    found = estimate([tables(one, one.absorbance, i) for i, one in enumerate(made)])
    assert len(stored) == len(found) >= 200
    for seed, (fit, own) in enumerate(zip(stored, found, strict=True)):
        assert isinstance(own, dict), (seed, own)
        for name, value in fit.items():
            off = abs(own[name] - value) * (1e3 if name in ("peak", "exciton") else 1)
            assert off <= own["errors"][name], (seed, name, own, fit)
    # An error so large that it holds everything would say nothing.
    shifts = np.array([[one["errors"]["shift"], one["width"]] for one in found])
    assert np.median(shifts[:, 0] / shifts[:, 1]) < 0.25
    # A_X is not taken to be as wide as the PL.
    ratios = np.array([(one["absorptionWidth"], one["width"]) for one in found])
    expected = np.array([(fit["absorptionWidth"], fit["width"]) for fit in stored])
    better = np.abs(ratios[:, 0] - expected[:, 0]) < np.abs(ratios[:, 1] - expected[:, 0])
    assert better.mean() > 0.7


@pytest.mark.slow
def test_the_stored_fits_are_the_librarys():
    stored = json.loads(STORED.read_text(encoding="utf-8"))
    for seed in np.random.default_rng(0).integers(COUNT, size=4).tolist():
        for name, value in fitted(pair(seed)[0]).items():
            assert value == pytest.approx(stored[seed][name], rel=1e-3, abs=0.3), (seed, name)


def without_exciton(seed):
    """Return an absorption that has no band: an edge, a ramp, or an exponential."""
    made, noise = pair(seed)
    rng = np.random.default_rng(1000 + seed)
    energy = eV_from_nm(made.wavelength_nm)
    middle = float(np.median(energy))
    step, ramp = edge((energy - middle) / rng.uniform(0.08, 0.2))
    clean = (step + 0.2 * ramp, ramp, np.exp((energy - middle) / rng.uniform(0.1, 0.4)))[seed % 3]
    clean = 0.3 * clean / clean.max()
    return made, clean + 0.3 * noise * rng.standard_normal(clean.size)


@pytest.mark.slow
def test_without_an_exciton_page_and_command_refuse_alike(estimate):
    cases = [without_exciton(seed) for seed in range(24)]
    said = estimate([tables(made, values, i) for i, (made, values) in enumerate(cases)])
    begins = re.compile(
        r"the spectra cannot be fitted: no exciton stands out of the absorption beside the PL's "
        r"peak at [\d.]+ eV: from [\d.]+ to [\d.]+ eV it "
        r"(is described as well by an edge without a band"
        r"|bends upwards, or too little downwards for its noise)\."
    )
    assert all(isinstance(one, str) and begins.fullmatch(one) for one in said), said
    for made, values in cases[:6]:
        absorption = even_spectrum(eV_from_nm(made.wavelength_nm)[::-1], values[::-1])
        with pytest.raises(ParameterError) as refused:
            fit_bands(absorption, made.against_energy[1])
        assert begins.match(str(refused.value).split("; the PL has another band")[0] + ".")


def test_what_is_no_plain_table_is_sent_to_the_command(estimate):
    good = tables(pair(0)[0], pair(0)[0].absorbance, 0)[0]
    for text, why in (
        ("##TITLE=x\n##JCAMP-DX=4.24", "no plain table. The command reads it: qdgain fit-dot"),
        ("PK\0\3", "no plain table. The command reads it: qdgain fit-dot"),
        ("nm,a\n500,1\n", "needs 12"),
        ("nm,a,b\n" + "\n".join(f"{x},1,2" for x in range(500, 520)), "--column"),
        ("pixel,a\n" + "\n".join(f"{x},1" for x in range(9, 40)), "name nm or eV"),
    ):
        (said,) = estimate([[text, good]])
        assert said.startswith("a.csv: ")
        assert why in said


if __name__ == "__main__":
    every = [fitted(pair(seed)[0]) for seed in range(COUNT)]
    rows = [json.dumps({k: float(f"{v:.6g}") for k, v in one.items()}) for one in every]
    STORED.write_text("[\n" + ",\n".join(rows) + "\n]\n", encoding="utf-8")
