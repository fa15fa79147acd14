"""How often a fit's errors hold the truth: many synthetic experiments with faults, and their count.

    python tools/fit_coverage.py COUNT [PROCESSES]   experiments 0 to COUNT-1, and the edges; stored

Outcomes are kept in _build/fit_coverage/ as they come, and an interrupted run goes on from there; a
change of the library begins anew.

Each experiment is another dot, drawn by its number: an asymmetric distribution of sizes, or a
Gaussian or a Voigt band; two to four transitions and a continuum behind them; scattering; a
wandering baseline; correlated noise; PL with traps. None of its band shapes but the Gaussian and
none of its continua is one that is fitted. The edges have no exciton: they bend upwards. The steps
have none either, but bend downwards at their top, where a shoulder would.
"""

import json
import pickle
import sys
from datetime import date
from multiprocessing import Pool
from pathlib import Path

import numpy as np
from scipy.special import voigt_profile

from qdgain.chapters import BOOK
from qdgain.files import write_whole
from qdgain.fitting.band_fit import fit_bands
from qdgain.fitting.spectra import Spectrum, even_spectrum
from qdgain.model.parameters import ParameterError
from qdgain.model.units import eV_from_nm
from qdgain.version import __version__, library_hash

RESULT = BOOK / "fit_coverage.json"
KEEP = Path(__file__).parents[1] / "_build" / "fit_coverage"
_AT_ONCE = 80
EDGES, STEPS = 240, 60
#: So many experiments are stored one by one, to be fitted again by the tests.
KEPT = 60
FIELDS = ("absorption_energy_eV", "linewidth_meV", "stokes_shift_meV", "emission_linewidth_meV")


def gaussian(energy, centre, width):
    return np.exp(-4 * np.log(2) * ((energy - centre) / width) ** 2)


def shape(kind, strength):
    """Return a band as a function of energy, maximum and full width at half maximum."""
    x = np.linspace(-8, 8, 3201)
    if kind == "gauss":
        y = np.exp(-0.5 * x**2)
    elif kind == "voigt":
        y = voigt_profile(x, 1, strength)
    else:
        # Gaussians whose centres follow a gamma distribution, its tail to one side.
        order, scale = 4.0, abs(strength)
        shift = np.linspace(0, 6 * scale * np.sqrt(order) + 1e-9, 60)
        weight = (shift / scale + 1e-12) ** (order - 1) * np.exp(-shift / scale)
        about = x[:, None] - np.sign(strength) * (shift - order * scale)
        y = (weight * np.exp(-0.5 * about**2)).sum(axis=1)
    y /= y.max()
    top = y.argmax()
    near = slice(top - 3, top + 4)
    bend, slope, _ = np.polyfit(x[near] - x[top], y[near], 2)
    mode = x[top] - slope / 2 / bend
    on = np.flatnonzero(y > 0.5)
    left = np.interp(0.5, y[on[0] - 1 : on[0] + 1], x[on[0] - 1 : on[0] + 1])
    right = np.interp(0.5, y[[on[-1] + 1, on[-1]]], x[[on[-1] + 1, on[-1]]])
    return lambda energy, centre, width: np.interp(
        (energy - centre) / width * (right - left) + mode, x, y
    )


def noise(random, size, correlation):
    white, found = random.standard_normal(size), np.empty(size)
    found[0] = white[0]
    for i in range(1, size):
        found[i] = correlation * found[i - 1] + np.sqrt(1 - correlation**2) * white[i]
    return found


def blurred(values, width, step=0.004):
    reach = np.arange(-80, 81) * step
    kernel = np.exp(-0.5 * (reach / width) ** 2)
    return np.convolve(values, kernel / kernel.sum(), "same")


def energies(low, high, step_nm):
    """Return rising energies on an even grid of wavelengths."""
    return eV_from_nm(np.arange(eV_from_nm(high), eV_from_nm(low), step_nm))[::-1]


def as_emission(energy, per_eV, relative_noise):
    """Return a PL per eV whose noise was that of counts per nm."""
    factor = eV_from_nm(1.0) / energy**2
    counts = per_eV / factor
    counts = counts + counts.max() * relative_noise
    return Spectrum(energy, counts * factor, factor / factor.mean())


def experiment(number):
    """Return truth (E_A in eV, widths and shift in meV), absorption and PL of an experiment."""
    random = np.random.default_rng(number)
    u = random.uniform
    centre, width = u(1.7, 2.7), u(0.08, 0.22)
    pl_width, shift = width * u(0.65, 1.05), u(0.012, min(0.11, 0.8 * width))
    kind = random.choice(["gauss", "sizes", "voigt"], p=[0.3, 0.45, 0.25])
    strengths = {"gauss": 0, "sizes": random.choice([-1, 1]) * u(0.1, 0.6), "voigt": u(0.05, 0.4)}
    first = shape(kind, strengths[kind])
    kind = random.choice(["gauss", "sizes", "voigt"], p=[0.2, 0.4, 0.4])
    emitted = shape(kind, {"gauss": 0, "sizes": -u(0.1, 0.6), "voigt": u(0.05, 0.5)}[kind])
    step = random.choice([0.5, 1, 2], p=[0.2, 0.6, 0.2])
    energy = energies(centre - 0.6, centre + 1.0, step)
    absorbed = first(energy, centre, width)
    at, wide = centre, width
    for _ in range(random.integers(1, 4)):
        at += max(u(0.09, 0.22), 0.7 * wide)
        wide *= u(1.0, 1.5)
        absorbed = absorbed + u(0.4, 1.5) * gaussian(energy, at, wide)
    onset, power = centre + u(0.2, 0.5), u(0.5, 2)
    fine = np.arange(centre - 0.7, centre + 1.2, 0.004)
    continuum = blurred((np.maximum(fine - onset, 0) / 0.3) ** power, wide / 2.35)
    absorbed = absorbed + u(0, 2) * np.interp(energy, fine, continuum)
    absorbed = absorbed + u(0, 0.3) * (energy / centre) ** u(2, 4) + u(-0.05, 0.1)
    size, correlation = 10 ** u(-3.2, -2), random.choice([0, u(0, 0.9)])
    height = absorbed[np.argmin(abs(energy - centre))]
    absorbed = absorbed + size * height * noise(random, energy.size, correlation)
    drift = np.sin(2 * np.pi * (energy - centre) / u(0.3, 1.5) + u(0, 6))
    absorbed = absorbed + height * u(0, 0.012) * drift
    peak = centre - shift
    beside = energies(peak - u(0.3, 0.7), peak + u(0.25, 0.5), step)
    traps = random.choice([0, 1]) * u(0, 0.5)
    light = emitted(beside, peak, pl_width)
    light = light + traps * gaussian(beside, peak - u(0.2, 0.6), u(0.25, 0.6))
    light = light + u(0, 0.05) + u(-0.05, 0.05) * (beside - peak)
    scatter = 10 ** u(-3.2, -2) * noise(random, beside.size, random.choice([0, u(0, 0.9)]))
    truth = np.array([centre, 1e3 * width, 1e3 * shift, 1e3 * pl_width])
    return truth, even_spectrum(energy, absorbed), as_emission(beside, light, scatter)


def featureless(number, kinds=("exponential", "power", "two powers", "scattering")):
    """Return absorption and PL of a sample without an exciton: its absorption is an edge."""
    random = np.random.default_rng(10_000 + number)
    u = random.uniform
    peak, step = u(1.7, 2.6), random.choice([0.5, 1, 2, 5], p=[0.2, 0.4, 0.2, 0.2])
    energy = energies(peak - 0.7, peak + 1.1, step)
    kind = kinds[number % len(kinds)]
    onset, fine = peak + u(-0.05, 0.3), np.arange(peak - 0.9, peak + 1.4, 0.004)
    if kind == "exponential":
        absorbed = np.exp((energy - peak) / u(0.08, 0.5))
    elif kind == "scattering":
        absorbed = (energy / peak) ** u(2, 6)
    else:
        power = {"power": u(1.2, 3), "root": u(0.5, 1), "two powers": u(1, 2)}[kind]
        edge = (np.maximum(fine - onset, 0) / 0.3) ** power
        if kind == "two powers":
            edge += u(0.5, 2) * np.maximum(fine - onset - u(0.1, 0.3), 0) ** u(1, 2) / 0.3
        absorbed = np.interp(energy, fine, blurred(edge, u(0.03, 0.1)))
    absorbed = absorbed / np.interp(peak + 0.3, energy, absorbed)
    absorbed = absorbed + u(0, 0.3) * (energy / peak) ** 4
    size, correlation = 10 ** u(-3.5, -2), random.choice([0, u(0, 0.9)])
    absorbed = absorbed + size * noise(random, energy.size, correlation)
    absorbed = absorbed + u(0, 0.01) * np.sin(2 * np.pi * energy / u(0.3, 1.5))
    beside = energies(peak - 0.6, peak + 0.5, step)
    traps = random.choice([0, 1]) * u(0, 0.5)
    light = gaussian(beside, peak, u(0.08, 0.35)) + traps * gaussian(beside, peak - 0.3, 0.4)
    scatter = 10 ** u(-3, -2) * random.standard_normal(beside.size)
    return even_spectrum(energy, absorbed), as_emission(beside, light + u(0, 0.03), scatter)


def outcome(number):
    """Return grade, deviations from the truth, errors, correlations of an experiment, or None."""
    truth, *spectra = experiment(number)
    try:
        fit = fit_bands(*spectra)
    except ParameterError:
        return None
    errors = fit.standard_errors
    correlation = fit.covariance / np.outer(errors, errors)
    return fit.grade, fit.values - truth, errors, correlation


def grade_of_edge(number):
    """Return the grade of an edge, or of a step for negative numbers; None if it is refused."""
    spectra = featureless(number) if number >= 0 else featureless(-number, ("root",))
    try:
        return fit_bands(*spectra).grade
    except ParameterError:
        return None


def summary(outcomes):
    """Return the shares of truths within one and two errors, and both kinds of correlation."""
    found = [one for one in outcomes if one is not None]
    deviations, errors = (np.array([one[i] for one in found]) for i in (1, 2))
    scores = deviations / errors
    return {
        "experiments": len(outcomes),
        "accepted": len(found),
        "grades": {g: sum(one[0] == g for one in found) for g in ("good", "usable", "poor")},
        "fields": FIELDS,
        "within_1": (abs(scores) < 1).mean(axis=0).round(4).tolist(),
        "within_2": (abs(scores) < 2).mean(axis=0).round(4).tolist(),
        "median_error": [float(f"{x:.4g}") for x in np.median(errors, axis=0)],
        "mean_deviation": [float(f"{x:.3g}") for x in deviations.mean(axis=0)],
        "correlation_of_deviations": np.corrcoef(scores.T).round(3).tolist(),
        "correlation_stated": np.mean([one[3] for one in found], axis=0).round(3).tolist(),
    }


def kept(pool, function, numbers):
    """Return what a function gives for some numbers, kept from one run to the next."""
    path = KEEP / f"{library_hash()[:16]}-{function.__name__}.pickle"
    path.parent.mkdir(parents=True, exist_ok=True)
    known = pickle.loads(path.read_bytes()) if path.exists() else {}
    missing = [number for number in numbers if number not in known]
    for start in range(0, len(missing), _AT_ONCE):
        some = missing[start : start + _AT_ONCE]
        known |= dict(zip(some, pool.map(function, some, chunksize=4), strict=True))
        write_whole(path, pickle.dumps(known))
        print(f"{function.__name__}: {len(known)}", flush=True)
    return [known[number] for number in numbers]


def main(count, processes=1):
    with Pool(processes) as pool:
        edges = kept(pool, grade_of_edge, [*range(EDGES), *range(-STEPS, 0)])
        outcomes = kept(pool, outcome, range(count))
    first = [
        None if one is None else [one[0], *(float(f"{x:.5g}") for x in (*one[1], *one[2]))]
        for one in outcomes[:KEPT]
    ]
    steps = edges[EDGES:]
    made = {"date": f"{date.today()}", "version": __version__, "library": library_hash(False)}
    result = (
        {"made": made}
        | summary(outcomes)
        | {
            "edges": EDGES,
            "edges_accepted": sum(grade is not None for grade in edges[:EDGES]),
            "steps": {
                str(grade or "refused"): steps.count(grade) for grade in dict.fromkeys(steps)
            },
            "first": first,
        }
    )
    write_whole(RESULT, json.dumps(result, indent=1) + "\n")
    print(json.dumps({k: v for k, v in result.items() if k != "first"}, indent=1))


if __name__ == "__main__":
    main(*map(int, sys.argv[1:]))
