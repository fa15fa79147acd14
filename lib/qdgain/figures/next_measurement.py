"""Which measurement would tell most: what each is expected to tell, drawn and in words."""

from __future__ import annotations

import html
from collections.abc import Mapping
from functools import cache
from typing import Any, NamedTuple

import numpy as np
from matplotlib.figure import Figure as Picture
from numpy.typing import ArrayLike

from qdgain.beyond.information import DEFAULT, POSTERIORS, RIVALS, rival_key
from qdgain.beyond.measurements import (
    KEYS,
    MEASUREMENTS,
    PROBABILITIES,
    Measurement,
    expected_log_bayes_factor,
    parameter_bits,
    reading_bits,
)
from qdgain.calibration.rows import SCHEMES
from qdgain.figures import style
from qdgain.figures.kit import Numbers, line, mapped, panel
from qdgain.figures.panel import Axis, Panel
from qdgain.model.dot import FloatArray
from qdgain.run import Run
from qdgain.stored import stored
from qdgain.table import Table
from qdgain.text import significant

#: The measurement that the prose proposes.
PROPOSED = "onset-energy"
#: What a measurement may tell of.
_COLUMNS = ("parameters", "statistics", "definition", "reading")
_MEASURED, _ABOUT = Axis("measurement: row"), Axis("tells of: column")
_BITS, _FACTOR = Axis("expected information", "bits"), Axis("precision / the assumed one")
_FACTORS = np.geomspace(0.1, 10.0, 17)
#: Colour and dash of the measurements that tell most, in their order.
_RANKS = {"best": "-", "second": "--", "third": "-.", "fourth": ":", "fifth": "-"}


@cache
def result() -> Mapping[str, Any]:
    """Return the chapter's stored result."""
    return stored("information")


def _predictive(key: str, scheme: str) -> tuple[FloatArray, FloatArray]:
    """Return quantiles (14, 121) and variances (14,) that a reading predicts for a scheme."""
    found = result()["readings"][key]["predictive"][scheme]
    return np.array(found["quantiles"], dtype=float), np.array(found["variance"], dtype=float)


def _bits_of(quantiles: ArrayLike, factor: float) -> FloatArray:
    """Return what each measurement tells of the parameters behind its predicted quantiles."""
    rows = np.asarray(quantiles, dtype=float)
    each = zip(rows, MEASUREMENTS, strict=True)
    return np.array([parameter_bits(row, factor * m.precision) for row, m in each])


@cache
def _bits_of_parameters(scheme: str, factor: float) -> FloatArray:
    return _bits_of(_predictive(DEFAULT.label, scheme)[0], factor)


@cache
def expected_bits(scheme: str, factor: float = 1.0) -> FloatArray:
    """Return what each measurement would tell, (14, 4): of the parameters, and of three choices.

    Of the ``3ls`` or ``4ls`` with ESA; `factor` is on every precision.
    """
    columns = [_bits_of_parameters(scheme, factor)]
    for name in _COLUMNS[1:]:
        rivals = [_predictive(rival_key(name, row), scheme)[0] for row in RIVALS[name].values()]
        each = zip(*rivals, MEASUREMENTS, strict=True)
        told = [reading_bits(group, factor * m.precision) for *group, m in each]
        columns.append(np.array(told))
    table = np.stack(columns, axis=-1)
    table.flags.writeable = False
    return table


class Best(NamedTuple):
    """The measurement that tells most of something, and the next."""

    first: Measurement
    bits: float
    second: Measurement
    second_bits: float


def best(scheme: str, about: str, factor: float = 1.0) -> Best:
    """Return the measurement of a scheme's dot that tells most about one of the columns."""
    bits = expected_bits(scheme, factor)[:, _COLUMNS.index(about)]
    first, second = np.argsort(-bits, kind="stable")[:2]
    return Best(MEASUREMENTS[first], float(bits[first]), MEASUREMENTS[second], float(bits[second]))


# --- drawn


def measurements(run: Run) -> tuple[Panel, ...]:
    """Return what each candidate would tell of both dots, and how that depends on the precision."""
    columns, rows, panels = np.arange(len(_COLUMNS)), np.arange(len(MEASUREMENTS)), []
    for letter, scheme in zip("ab", SCHEMES, strict=True):
        bits = expected_bits(scheme, run["precision_factor"])
        table = mapped("expected information", columns, rows, bits, _BITS)
        panels.append(panel(letter, f"{scheme.upper()} with ESA", _ABOUT, _MEASURED, [table]))
    curves = np.array([_bits_of_parameters("3ls", f) for f in _FACTORS])
    order = np.argsort(-curves[len(_FACTORS) // 2], kind="stable")
    lines = [
        line(MEASUREMENTS[i].name, _FACTORS, curves[:, i], quantity, dash)
        for i, (quantity, dash) in zip(order, _RANKS.items(), strict=False)
    ]
    title = "parameters, 3LS with ESA: the five that tell most"
    return (*panels, panel("c", title, _FACTOR, _BITS, lines))


def draw_measurements(panels: tuple[Panel, ...]) -> Picture:
    """Draw two tables of bits, and the bits against the precision below them."""
    figure = style.new_figure(7.6, 7.6)
    grid = figure.add_gridspec(2, 2, height_ratios=(3, 2))
    left = figure.add_subplot(grid[0, 0])
    right = figure.add_subplot(grid[0, 1], sharey=left)
    for ax, one in zip((left, right), panels, strict=False):
        style.draw_numbers(ax, one, (0.0, 3.0), one.series[0].values < 1.5)
        style.name_cells(ax, one, _COLUMNS, [m.name for m in MEASUREMENTS], 8)
        ax.tick_params(axis="x", labelrotation=20)
    right.tick_params(labelleft=False)
    lower = figure.add_subplot(grid[1, :])
    style.draw_panel(lower, panels[2], legend="upper right")
    lower.set_xscale("log")
    lower.axvline(1, ymax=0.6, color=style.colour("reference"), linewidth=0.8)
    lower.set_ylim(0, None)
    return figure


# --- in words


def _scaled(measurement: Measurement, factor: float) -> str:
    return measurement._replace(precision=factor * measurement.precision).stated_precision


class Conclusion:
    """The chapter's conclusion as a sentence whose words and numbers are computed."""

    def __init__(self, run: Run) -> None:
        self.factor = run["precision_factor"]

    def __str__(self) -> str:
        found = best("3ls", "parameters", self.factor)
        said = [
            f"Measured on the 3LS with ESA, {found.first.name} "
            f"(± {_scaled(found.first, self.factor)}) would tell most of the parameters, "
            f"{significant(found.bits, 2)} bits, before {found.second.name} with "
            f"{significant(found.second_bits, 2)}."
        ]
        for rivals, what in (
            ("statistics", "statistics"),
            ("definition", "definitions of the threshold"),
            ("reading", "readings"),
        ):
            decides, count = best("3ls", rivals, self.factor), len(RIVALS[rivals])
            said.append(
                f"Between the {count} {what}, {decides.first.name} would decide best: "
                f"{significant(decides.bits, 2)} of {significant(np.log2(count), 3)} bits."
            )
        halved, doubled = (
            best("3ls", "parameters", self.factor * x).first.name for x in (0.5, 2.0)
        )
        if halved == doubled == found.first.name:
            said.append("With all precisions halved or doubled the first stays the first.")
        else:
            said.append(
                f"With all deviations halved the first is {halved}, with all doubled {doubled}."
            )
        return " ".join(said)

    def _repr_html_(self) -> str:
        return f"<p><strong>{html.escape(str(self))}</strong></p>"


class Candidates(Table):
    """The candidate measurements with their precisions and where these come from."""

    def __init__(self, run: Run) -> None:
        factor = run["precision_factor"]
        header = ("measurement", "standard deviation", "origin", "bits, 3LS", "bits, 4LS")
        # Rounding may leave a little below nothing.
        told = np.maximum([_bits_of_parameters(scheme, factor) for scheme in SCHEMES], 0.0).T
        rows = [
            (m.name, _scaled(m, factor), m.origin, *(significant(float(x), 2) for x in bits))
            for m, bits in zip(MEASUREMENTS, told, strict=True)
        ]
        super().__init__(header, rows)


# --- numbers


def add_headlines(n: Numbers, run: Run) -> None:
    """Add what the measurements tell to the chapter's numbers."""
    factor, proposed = run["precision_factor"], KEYS.index(PROPOSED)
    of = {"proposed": MEASUREMENTS[proposed].name}
    told = _bits_of_parameters("3ls", factor)
    for key, measurement, bits in zip(KEYS, MEASUREMENTS, told, strict=True):
        # Rounding may leave a little below nothing.
        n.add("tells-{key}-3ls", max(bits, 0.0), key=key, measurement=measurement.name)
    for about in _COLUMNS[1:]:
        n.add("{about}-best", best("3ls", about, factor).bits, about=about)
    for end, times in (("", 1.0), ("-halved", 0.5), ("-doubled", 2.0)):
        rank = _rank(_bits_of_parameters("3ls", factor * times), proposed)
        n.add(f"best{end}", best("3ls", "parameters", factor * times).bits)
        n.add(f"rank-{PROPOSED}{end}", rank, **of)
    _of_proposed(n, proposed, factor)
    for which in ("conditions", "tight", "loose"):
        told = _bits_of(result()["posteriors"][which]["predictive"], factor)
        n.add("best-{which}", told[proposed], which=which, posterior=POSTERIORS[which], **of)
        rank = _rank(told, proposed)
        n.add("rank-{which}", rank, which=which, posterior=POSTERIORS[which], **of)
    i, laws = KEYS.index("saturation"), RIVALS["statistics"]
    rabi, poisson = (_predictive(laws[law].label, "3ls")[0][i] for law in ("rabi", "poisson"))
    bayes = expected_log_bayes_factor(rabi, poisson, factor * MEASUREMENTS[i].precision)
    n.add("bayes-saturation", bayes, measurement=MEASUREMENTS[i].name)


def _rank(bits: FloatArray, i: int) -> int:
    order = np.argsort(-bits, kind="stable")
    return 1 + int(np.flatnonzero(order == i)[0])


def _of_proposed(n: Numbers, i: int, factor: float) -> None:
    proposed = MEASUREMENTS[i]
    quantiles, _ = _predictive(DEFAULT.label, "3ls")
    of = {"proposed": proposed.name, "unit": "1" if proposed.is_relative else proposed.unit}
    # The deviation at which it tells as much as the best of the others.
    others = np.delete(_bits_of_parameters("3ls", factor), i)
    own = np.array([_bits_of_parameters("3ls", f)[i] for f in _FACTORS])
    even = np.exp(np.interp(-others.max(), -own, np.log(_FACTORS))) * proposed.precision
    low, high = (np.interp(p, PROBABILITIES, quantiles[i]) for p in (0.05, 0.95))
    nested = [np.abs(_bits_of_parameters(s, 1.0) - result()["nested"][s]).max() for s in SCHEMES]
    n.add("even", even, **of)
    n.add("spread", high - low, **of)
    n.add("nested", max(nested))
