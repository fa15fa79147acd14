"""Whether spectra can be trusted: what is left out of them, warned of, or refused; and a grade."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from qdgain.fitting.absorption_fit import BLUE, RED, Absorption
from qdgain.fitting.averaging import LEAST_EVIDENCE
from qdgain.fitting.emission_fit import Emission
from qdgain.fitting.spectra import Spectrum, refuse, smoothed
from qdgain.measured.features import peaks

#: No band at room temperature is narrower: what is, is scattered light.
_LINE_MEV = 30.0
#: A feature counts that rises above this part of the highest point, and the noise so many times.
_PROMINENT, _NOISE = 0.04, 8.0
#: So many equal values at the top of a spectrum are a limit of the instrument, where a parabola
#: through their neighbours would rise above them by this part of the height.
_EQUAL, _EXCESS = 4, 0.01
#: How often a band has to bend the absorption as much as noise does.
LEAST_CURVATURE = 4.0
#: BIC by which a band has to describe an absorption better than an edge, in one window at least,
#: and below which that is doubtful: strong and very strong evidence.
_LEAST_OVER_EDGE, _SURE_OVER_EDGE = 6.0, 25.0
LARGEST_ERROR_MEV = 60.0
#: Grades, from the best: largest error of A_X over its width, least share of the band in the PL's
#: height, least curvature over its noise.
GRADES = {"good": (0.10, 0.75, 10.0), "usable": (0.15, 0.5, 5.0), "poor": (np.inf, 0.0, 0.0)}
#: Widths over which a Stokes shift and a width of A_X are doubtful, and none of a dot.
_DOUBTFUL, _NO_DOT = 1.0, 2.0
_DOUBTFUL_WIDTH, _NO_WIDTH = 2.0, 4.0
#: An absorbance that few instruments measure; a part of the width that a PL may be shifted by.
_DARK, _THIN = 2.5, 0.05


def without_lines(emission: Spectrum) -> tuple[Spectrum, list[str]]:
    """Return a PL without lines of scattered light, such as the excitation or its second order.

    Refused (`ParameterError`) is one that is clipped, or whose highest feature is a line if no band
    is left.
    """
    if plateau := clipped(emission, "PL"):
        refuse(f"{plateau}: measure it again with less light")
    energy, values = emission.energy_eV, emission.values
    base = float(np.median(values[values <= np.quantile(values, 0.2)]))
    least = max(_PROMINENT * float(values.max() - base), _NOISE * emission.scatter)
    keep, warnings = np.ones(energy.shape, dtype=bool), []
    for top, left, right in peaks(values, least):
        ends = np.interp([left, right], np.arange(energy.size), energy)
        span = float(ends[1] - ends[0])
        reach, beside = 2.0 * span, np.abs(energy - energy[top])
        ring = (beside > reach) & (beside < 2 * reach)
        # A line stands on next to nothing; a spike of noise is one or two points wide.
        line = 1e3 * span < _LINE_MEV and right - left > 2.0
        if line and ring.any() and np.median(values[ring]) - base < 0.3 * (values[top] - base):
            keep &= beside > reach
            warnings.append(
                f"a line at {energy[top]:.4g} eV, {1e3 * span:.0f} meV wide, is scattered light "
                "and was left out of the PL"
            )
    kept = Spectrum(*(column[keep] for column in emission))
    if warnings and (kept.values.size < 12 or kept.values.max() - base < _NOISE * kept.scatter):
        top = energy[values.argmax()]
        refuse(
            f"the PL's highest point, at {top:.4g} eV, is a line of scattered light, and no band "
            "stands out beside it"
        )
    return kept, warnings


def clipped(spectrum: Spectrum, name: str) -> str:
    """Return where the top of a spectrum is a plateau, the instrument's limit; "" if nowhere."""
    # As they were counted, per nm where the axis was.
    values = spectrum.values / spectrum.relative_noise
    height, end = np.ptp(values), values.size - 1
    steps = np.abs(np.diff(values))
    least = max(_EXCESS * height, 3 * steps.min(where=steps > 0, initial=np.inf))
    top = np.flatnonzero(values >= values.max() - 1e-9 * height)
    for run in np.split(top, np.flatnonzero(np.diff(top) > 1) + 1):
        first, last = int(run[0]), int(run[-1])
        sides = [room for room in (first, end - last) if room > 0]
        if run.size < _EQUAL or not sides:
            continue
        # The height of a parabola over a chord is its slope there times a quarter of the chord.
        # Where values are rounded a maximum is flat, too, but not by that much.
        beside = min(max(2, (last - first) // 2), *sides)
        higher = max(values[[first - beside] * (first > 0) + [last + beside] * (last < end)])
        if (values[first] - higher) / beside * (last - first) / 4 >= least:
            low, high = spectrum.energy_eV[[first, last]]
            where = f"from {low:.4g} to {high:.4g} eV, where all its values are the same"
            return f"the {name} is clipped {where}"
    return ""


def other_band(emission: Spectrum, peak_eV: float, width_meV: float) -> str:
    """Return the option that leads to a PL band to the blue of the one that was fitted, if any."""
    fine, smooth = smoothed(emission)
    tops = (peak.place for peak in peaks(smooth, _PROMINENT * float(np.ptp(smooth))))
    bluer = [i for i in tops if fine[i] > peak_eV + 0.5e-3 * width_meV]
    if not bluer:
        return ""
    here = int(np.argmin(np.abs(fine - peak_eV)))
    lowest = here + int(np.argmin(smooth[here : bluer[0] + 1]))
    return (
        f"; the PL has another band at {fine[bluer[0]]:.4g} eV, which --from-eV "
        f"{fine[lowest]:.3f} fits instead"
    )


def refuse_without_exciton(
    peak_eV: float, evidence: tuple[float, float], curvature: float, advice: str = ""
) -> None:
    """Refuse an absorption in which no first band stands out beside the PL.

    For the evidence see `qdgain.fitting.absorption_fit.Absorption`.
    """
    convex, edge = evidence
    if edge < _LEAST_OVER_EDGE:
        why = "is described as well by an edge without a band"
    elif convex < LEAST_EVIDENCE or curvature < LEAST_CURVATURE:
        why = "bends upwards, or too little downwards for its noise"
    else:
        return
    refuse(
        f"no exciton stands out of the absorption beside the PL's peak at {peak_eV:.4g} eV: from "
        f"{peak_eV - RED:.4g} to {peak_eV + BLUE[-1]:.4g} eV it {why}{advice}"
    )


def judge(
    absorption: Spectrum,
    emission: Emission,
    first: Absorption,
    curvature: float,
    *,
    warnings: Sequence[str],
    is_absorbance: bool,
) -> tuple[str, tuple[str, ...]]:
    """Return grade (good, usable, poor) and reasons, warnings first.

    Refused (`ParameterError`) is an A_X that is known too badly, or a shift or width of no dot.
    """
    (peak, pl_width), (centre, width) = emission.values, first.values
    error = 1e3 * float(np.sqrt(first.covariance[0, 0]))
    shift = 1e3 * (centre - peak)
    if error > LARGEST_ERROR_MEV:
        refuse(
            f"A_X at {centre:.4g} eV is known only to ± {error:.0f} meV, with the PL's peak at "
            f"{peak:.4g} eV: the models that fit disagree"
        )
    if shift > _NO_DOT * width or width > _NO_WIDTH * pl_width:
        refuse(
            f"A_X at {centre:.4g} eV, {width:.0f} meV wide, and PL_X at {peak:.4g} eV, "
            f"{pl_width:.0f} meV wide, are not of one dot: are both spectra of one sample?"
        )
    serious, mild = _warned(absorption, emission, first, is_absorbance)
    found = [*serious, *warnings, *mild]
    if first.windows == 1:
        found.append("the absorption reaches far enough for one window only")
    measures = (error / width, emission.share, curvature)
    says = (
        f"A_X is known to ± {error:.0f} meV, {100 * measures[0]:.0f} % of its width",
        f"of the PL at its peak {100 * min(emission.share, 1):.0f} % are the band, the rest lies "
        "below it",
        f"the absorption bends {min(curvature, 999):.0f} times as much as its noise does",
    )
    met = {
        name: (measures[0] <= most, measures[1] >= least, measures[2] >= bend)
        for name, (most, least, bend) in GRADES.items()
    }
    grade = next(name for name, every in met.items() if all(every))
    # What keeps the grade from being good comes first.
    ordered = sorted(zip(met["good"], says, strict=True), key=lambda both: both[0])
    if found and grade == "good":
        grade = "usable"
    return "poor" if serious else grade, (*found, *(text for _, text in ordered))


def _warned(
    absorption: Spectrum, emission: Emission, first: Absorption, is_absorbance: bool
) -> tuple[list[str], list[str]]:
    """Return warnings that make a dot poor, and others."""
    (peak, pl_width), (centre, width) = emission.values, first.values
    shift = 1e3 * (centre - peak)
    serious: list[str] = []
    mild: list[str] = []
    if plateau := clipped(absorption.part(*first.window), "absorption"):
        serious.append(f"{plateau}: measure a thinner sample")
    if first.evidence[1] < _SURE_OVER_EDGE:
        serious.append("an edge without a band describes the absorption nearly as well")
    if shift > _DOUBTFUL * width:
        serious.append(f"the Stokes shift of {shift:.0f} meV is beyond the width of A_X")
    if width > _DOUBTFUL_WIDTH * pl_width:
        serious.append(f"A_X, {width:.0f} meV wide, is far wider than the PL's {pl_width:.0f} meV")
    if not is_absorbance:
        return serious, mild
    # About the PL's peak, from the lowest point there on.
    near = absorption.part(peak - RED, peak + BLUE[0])
    near = near._replace(values=near.values - near.values.min())
    if (highest := float(near.values.max())) > _DARK:
        serious.append(
            f"the absorbance reaches {highest:.2g}, where stray light bends it: dilute the sample"
        )
    if (red := inner_filter_meV(near, peak, pl_width)) > _THIN * pl_width:
        mild.append(
            f"if the PL is of as thick a sample as the absorption, it lies about {red:.0f} meV too "
            "far to the red, absorbed by the sample itself: dilute it"
        )
    return serious, mild


def inner_filter_meV(absorption: Spectrum, peak_eV: float, width_meV: float) -> float:
    r"""Return by how much a sample's own absorption would move its emission to the red, in meV.

    A Gaussian band times the mean transmission :math:`(1-10^{-A})/(A\ln10)` of light from
    everywhere in the cuvette; how far its centre of gravity moves.
    """
    energy = absorption.energy_eV
    x = (energy - peak_eV) / (1e-3 * width_meV)
    band = 2.0 ** (-4 * x**2)
    depth = np.log(10) * np.maximum(absorption.values, 1e-9)
    seen = band * -np.expm1(-depth) / depth
    return float(1e3 * (np.average(energy, weights=band) - np.average(energy, weights=seen)))
