"""Rivals in words: the computed verdict, tables of the public record, and what decides."""

from __future__ import annotations

import html
from collections.abc import Sequence

import numpy as np

from qdgain.beyond import auger_maps
from qdgain.beyond.rivals import PAPER, QUANTITIES, STANDARD, Assumed, Model, models, some_of
from qdgain.beyond.rivals_record import auger_statements, observables
from qdgain.beyond.rivals_scores import (
    Experiment,
    cell,
    compared,
    decision,
    separation,
    total,
)
from qdgain.figures.kit import Numbers
from qdgain.model import cross_sections, first_exciton
from qdgain.table import Table
from qdgain.text import significant

#: The models between which experiments are ranked, one for each kind.
CONTENDERS = ("2 × 4, Poisson", "replacing free", "additive tied")
#: Bayes factors that are shown: key, the first over the second.
_FACTORS = {
    "additive-replacing": ("additive tied", "replacing free"),
    "additive-degenerate": ("additive tied", "2 × 4, Poisson"),
    "additive-two-at-most": ("additive tied", "2 × 4, two at most"),
    "degenerate-replacing": ("2 × 4, Poisson", "replacing free"),
}
_SMALL_NM, _USUAL_NM = 2.5, 4.6


def named(own: Sequence[Model]) -> dict[str, Model]:
    """Return models by name."""
    return {model.name: model for model in own}


def auger_ratios(model: Model, assumed: Assumed) -> tuple[float, float]:
    """Return SE thresholds over those without Auger, fs and ns pulses, of a model's middle dot."""
    dot = some_of(model, 3)[-1 if model.dot.shape[0] < 3 else 1]
    lasers = list(auger_maps.LASERS_PS.values())
    fixed = auger_maps.default_conditions()
    short, long = auger_maps.ratio(fixed, "se", dot, lasers, assumed.auger_lifetime_ps)
    return float(short), float(long)


class Verdict:
    """The verdict as one paragraph whose words and numbers are computed."""

    def __init__(self, assumed: Assumed | None = None) -> None:
        self.assumed = assumed or Assumed()

    def __str__(self) -> str:
        return " ".join([*self._numbers(), *self._between(), *self._auger()])

    def _repr_html_(self) -> str:
        return f"<p><strong>{html.escape(str(self))}</strong></p>"

    def _numbers(self) -> list[str]:
        """Say who agrees with what is public."""
        own, assumed = models(self.assumed), self.assumed
        first, gain, rates = (
            next(o for o in observables() if o.key == key)
            for key in ("threshold", "gain", "rate-ratio")
        )
        standard = [m for m in own if m.camp == STANDARD and m.parameters == 0]
        counted = [c.predicted.median for m in standard[1:3] if (c := cell(m, first, assumed))]
        agree = all(c.misfit < 2 for m in standard[1:3] if (c := cell(m, first, assumed)))
        said = [
            f"The thresholds of CdSe pumped at the band edge, {first.quoted} ± "
            f"{first.value * first.error:.1f}, {'do not need' if agree else 'need'} excited-state "
            f"absorption: two electron and four hole states give {min(counted):.2f} to "
            f"{max(counted):.2f} without a fitted parameter, and the paper's readings are fitted "
            "to 1.5."
        ]
        gains = [c.predicted.median for m in own if (c := cell(m, gain, assumed))]
        above = min(gains) > gain.value
        said.append(
            f"The measured gain of {gain.value:.2f} is "
            f"{'below every model, which give' if above else 'within the models, which give'} "
            f"{min(gains):.2f} to {max(gains):.2f}."
        )
        out = [m.name for m in own if (c := cell(m, rates, assumed)) and c.misfit > 3]
        said.append(
            "A biexciton that radiates more than twice as fast as an exciton excludes "
            + (f"{' and '.join(out)}." if out else "no model.")
        )
        return said

    def _between(self) -> list[str]:
        """Say what is left, and what would decide."""
        by, assumed = named(models(self.assumed)), self.assumed
        one, other = by["additive tied"], by["2 × 4, two at most"]
        found = decision(one, other, assumed)
        undecided = abs(found.total) < np.log(20)
        best = max(
            (key for key in QUANTITIES if np.isfinite(separation(key, one, other, assumed))),
            key=lambda key: separation(key, one, other, assumed),
        )
        apart = separation(best, one, other, assumed)
        return [
            f"Between the additive reading with {one.parameters} parameters and those band-edge "
            f"states with none, what is public {'does not decide' if undecided else 'decides'}: "
            f"ln of the Bayes factor is {_signed(found.total)}.",
            f"Measuring {QUANTITIES[best].measurement.name} to "
            f"{QUANTITIES[best].measurement.stated_precision} would set them {apart:.0f} σ apart.",
        ]

    def _auger(self) -> list[str]:
        """Say what both camps can say of Auger recombination."""
        both = [m for m in models(self.assumed) if m.name in CONTENDERS]
        ratios = np.array([auger_ratios(m, self.assumed) for m in both])
        deciding = sum(s.decides for s in auger_statements())
        count = "none" if not deciding else str(deciding)
        short, most = ratios[:, 0].max(), ratios[:, 1]
        return [
            f"In all of them an Auger lifetime of {self.assumed.auger_lifetime_ps:g} ps raises the "
            f"threshold at most {short:.2f} times for femtosecond pulses and {most.min():.0f} to "
            f"{most.max():.0f} times for pulses of 5 ns; {count} of the "
            f"{len(auger_statements())} public statements on it varies that lifetime alone.",
        ]


def _signed(x: float) -> str:
    return f"{x:+.1f}".replace("-", "−")


def verdict(assumed: Assumed | None = None) -> Verdict:
    """Return the verdict on the rivals, computed."""
    return Verdict(assumed)


# --- tables


class Observed(Table):
    """The published quantities with their errors and how they were seen."""

    def __init__(self) -> None:
        header = (
            "quantity",
            "published",
            "standard deviation",
            "origin of it",
            "seen",
            "where",
            "DOI",
        )
        rows = [
            (
                o.name,
                o.quoted,
                f"{100 * o.error:.0f} %"
                if o.relative
                else f"{o.error:g} {o.unit}".removesuffix(" 1"),
                o.origin,
                o.seen,
                o.where,
                o.doi,
            )
            for o in observables()
        ]
        super().__init__(header, rows)


class AugerRecord(Table):
    """The published statements on Auger recombination, and whether each can decide."""

    def __init__(self) -> None:
        header = (
            "source",
            "quoted for",
            "statement",
            "varied",
            "held",
            "can it decide?",
            "seen",
            "DOI",
        )
        side = {"independent": "independence", "dependent": "dependence"}
        rows = [
            (s.source, side[s.side], s.statement, s.varied, s.held, s.decided_by, s.seen, s.doi)
            for s in auger_statements()
        ]
        super().__init__(header, rows)


class Silences(Table):
    """Where a model says nothing, and why."""

    def __init__(self) -> None:
        said: dict[str, list[str]] = {}
        for model in models(Assumed()):
            for reason in dict.fromkeys(model.silent.values()):
                said.setdefault(reason, []).append(model.name)
        super().__init__(("reason", "models"), [(why, "; ".join(of)) for why, of in said.items()])


class Experiments(Table):
    """The experiments: assumed precision with its origin, bits, and σ between models."""

    def __init__(self, found: Sequence[Experiment], factor: float = 1.0) -> None:
        header = (
            "measurement",
            "standard deviation",
            "origin",
            "bits",
            "σ, closest",
            "σ, farthest",
        )
        rows = []
        for each in found:
            one = QUANTITIES[each.key].measurement
            shown = one._replace(precision=factor * one.precision).stated_precision
            numbers = (significant(x, 2) for x in (each.bits, each.closest, each.farthest))
            rows.append((one.name, shown, one.origin, *numbers))
        super().__init__(header, rows)


# --- numbers


def add_decisions(n: Numbers, own: Sequence[Model], assumed: Assumed) -> None:
    """Add Bayes factors, what decides most in each, and what Auger recombination does."""
    by = named(own)
    for key, (one, other) in _FACTORS.items():
        found = decision(by[one], by[other], assumed)
        over = f"{one} over {other}"
        observable, part = found.most
        n.add(f"bayes-{key}", f"ln of the Bayes factor, {over}", found.total)
        n.add(f"bayes-{key}-most", f"of it the largest part, {observable.name}, {over}", part)
        n.add(f"bayes-{key}-count", f"observables in it, {over}", len(found.parts))
    for name in CONTENDERS:
        short, long = auger_ratios(by[name], assumed)
        n.add(f"auger-fs-{by[name].key}", f"SE threshold / without Auger, 100 fs, {name}", short)
        n.add(f"auger-ns-{by[name].key}", f"the same, 5 ns, {name}", long)
    readings = [m for m in own if m.camp == PAPER]
    best = min((total(m, assumed).chi_squared, m.name) for m in readings)
    n.add("chi-best-reading", f"smallest sum of a reading, {best[1]}", best[0])
    n.add(
        "common",
        "observables that the three kinds of models share",
        len(compared([by[x] for x in CONTENDERS], assumed)),
    )
    n.add("auger-statements", "public statements on Auger recombination", len(auger_statements()))
    n.add("auger-decide", "of them such as decide", sum(s.decides for s in auger_statements()))


def add_cross_sections(n: Numbers) -> None:
    """Add how far published cross sections are apart, and what films absorb."""
    sizes = [_SMALL_NM, _USUAL_NM]
    old, new = (
        first_exciton.cdse_first_exciton_cross_section_cm2(sizes, source)
        for source in (first_exciton.YU, first_exciton.JASIENIAK)
    )
    for size, ratio in zip(sizes, new / old, strict=True):
        n.add(
            f"sigma-{size:g}nm".replace(".", "-"),
            f"σ_1S, Jasieniak / Yu, CdSe of {size:g} nm",
            ratio,
        )
    spread = cross_sections.PUBLISHED_SPREAD_CSPBBR3
    n.add("sigma-spread", "highest over lowest published σ_400 of CsPbBr3", spread)
    for key, medium in (("cdse", "CdSe/ZnCdS film"), ("cspbi3", "CsPbI3 film")):
        index = cross_sections.refractive_index(medium, "any", cross_sections.PUMP_WAVELENGTH_NM)
        n.add(f"index-{key}", f"n at 400 nm, {medium}", index.real)
        n.add(f"extinction-{key}", f"k at 400 nm, {medium}", index.imag)
