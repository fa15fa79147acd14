"""Rivals in words: the computed verdict, tables of the public record, and what decides."""

from __future__ import annotations

import html
from collections.abc import Mapping, Sequence
from operator import attrgetter

import numpy as np

from qdgain.beyond import auger_maps
from qdgain.beyond.rivals import Assumed, Model, models, prediction
from qdgain.beyond.rivals_record import AUGER, MEASUREMENTS, OBSERVABLES
from qdgain.beyond.rivals_scores import Experiment, cell, decision, separation
from qdgain.figures.kit import Numbers
from qdgain.paper.claims import claims
from qdgain.run import Run
from qdgain.table import Table
from qdgain.text import significant

#: The models between which experiments are ranked, one for each kind.
CONTENDERS = ("degenerate", "replacing-free", "additive-tied")
#: Bayes factors that are shown, the first model over the second.
_FACTORS = (
    ("additive-tied", "replacing-free"),
    ("additive-tied", "degenerate"),
    ("additive-tied", "two-at-most"),
)
#: What is called undecided, excluded and agreement: odds, and σ.
_ODDS, _EXCLUDED, _AGREES = 20.0, 3.0, 2.0


def by_key(assumed: Assumed) -> Mapping[str, Model]:
    """Return the models by key."""
    return {model.key: model for model in models(assumed)}


def auger_ratios(model: Model, assumed: Assumed) -> tuple[float, float]:
    """Return SE thresholds over those without Auger, fs and ns pulses, of a model's middle dot."""
    dot, lasers = model.dot.at(model.dot.shape[0] // 2), list(auger_maps.LASERS_PS.values())
    fixed = auger_maps.default_conditions()
    short, long = auger_maps.ratio(fixed, "se", dot, lasers, assumed.auger_lifetime_ps)
    return float(short), float(long)


class Verdict:
    """The verdict as a few statements whose words and numbers are computed."""

    def __init__(self, assumed: Assumed) -> None:
        self.assumed, self.models = assumed, by_key(assumed)

    def _statements(self) -> list[str]:
        return [self._thresholds(), self._rest(), self._between(), self._auger()]

    def __str__(self) -> str:
        return " ".join(self._statements())

    def _repr_html_(self) -> str:
        items = "".join(f"<li>{html.escape(one)}</li>" for one in self._statements())
        return f"<ul>{items}</ul>"

    def _column(self, key: str) -> dict[str, tuple[float, float]]:
        """Return median and misfit of every model that predicts an observable."""
        one = next(o for o in OBSERVABLES if o.key == key)
        cells = {name: cell(model, one, self.assumed) for name, model in self.models.items()}
        return {name: (c.predicted.median, c.misfit) for name, c in cells.items() if c is not None}

    def _thresholds(self) -> str:
        found, counts = self._column("threshold"), ("two-at-most", "degenerate")
        needed = "do not need" if all(found[key][1] < _AGREES for key in counts) else "need"
        ranges = (prediction(self.models[key], "threshold", self.assumed) for key in counts)
        few, many = (f"{values.min():.2f} to {values.max():.2f}" for values in ranges)  # type: ignore[union-attr]
        return (
            f"Within their error the gain thresholds of CdSe, {OBSERVABLES[0].quoted}, {needed} "
            "more absorption from X to XX than the filling of states leaves. Two electron and four "
            f"hole states give {few} if two excitons are the most, {many} under Poisson's law, "
            "which the paper rejects for band-edge pumping. Nothing is fitted in them; our "
            f"readings of the paper are fitted to {claims()['F8-3ls-esa'].quoted}."
        )

    def _rest(self) -> str:
        gains = [median for median, _ in self._column("gain").values()]
        stated = next(o for o in OBSERVABLES if o.key == "gain").value
        where = "below" if min(gains) > stated else "among"
        rates = self._column("rate-ratio")
        out = [self.models[key].name for key, (_, off) in rates.items() if off > _EXCLUDED]
        return (
            f"The measured gain, {stated:.2f}, is {where} what the models give at ⟨N⟩ = 2, "
            f"{min(gains):.2f} to {max(gains):.2f}; the readings were fitted to "
            f"{claims()['F8-max-esa'].quoted}. That a "
            "biexciton of CdSe is said to radiate more than twice as fast as an exciton speaks "
            f"against {'no model' if not out else ' and '.join(out)}, if its error is a tenth."
        )

    def _between(self) -> str:
        one, other = self.models["additive-tied"], self.models["two-at-most"]
        counts = (other, self.models["degenerate"])
        found = [decision(one, each, self.assumed).total for each in counts]
        undecided = "do not decide" if max(map(abs, found)) < np.log(_ODDS) else "decide"
        apart = {key: separation(key, one, other, self.assumed) for key in MEASUREMENTS}
        best = max(apart, key=lambda key: np.nan_to_num(apart[key]))
        few, many = (f"{factor:+.1f}".replace("-", "−") for factor in found)
        return (
            f"Between the additive reading, fitted with {one.parameters} parameters, and the "
            f"band-edge states the public numbers that neither was fitted to {undecided}: the "
            f"natural logarithm of the Bayes factor is {few} (two excitons at most) or {many} "
            f"(Poisson), odds of about {np.exp(np.mean(found)):.0f} to 1 for the additive reading. "
            f"Measured to {MEASUREMENTS[best].stated_precision}, {MEASUREMENTS[best].name} would "
            f"set them {apart[best]:.0f} σ apart."
        )

    def _auger(self) -> str:
        short, long = np.array([auger_ratios(self.models[k], self.assumed) for k in CONTENDERS]).T
        decide = [said for said in AUGER if said.decides]
        lifetime = f"an Auger lifetime of {self.assumed.auger_lifetime_ps:g} ps"
        count = {0: "none", 1: "one"}.get(len(decide), str(len(decide)))
        alone = "; ".join(f"{said.source}: {said.statement}" for said in decide)
        return (
            f"In one dot each of the counted, the replacing and the additive kind {lifetime} "
            f"multiplies the threshold of stimulated emission by at most {short.max():.2f} with "
            f"femtosecond pulses and by {long.min():.0f} to {long.max():.0f} with 5 ns. Of the "
            f"{len(AUGER)} public statements that could be read, {count} varied that lifetime "
            f"alone, by its authors' account{f' ({alone})' if decide else ''}."
        )


def verdict(run: Run | None = None) -> Verdict:
    """Return the verdict on the rivals, computed; for the defaults if there is no run."""
    return Verdict(Assumed() if run is None else Assumed.of(run.settings))


# --- tables


def observed() -> Table:
    """Return the published quantities with their errors and how they were seen."""
    header = ("quantity", "published", "error", "origin of the error", "seen", "where", "DOI")
    of = attrgetter("name", "quoted", "stated_error", "origin", "seen", "where", "doi")
    return Table(header, [of(one) for one in OBSERVABLES])


def auger_record() -> Table:
    """Return the published statements on Auger recombination, and whether each can decide."""
    header = ("source", "for", "statement", "varied", "held", "decides?", "seen", "DOI")
    of = ("source", "side", "statement", "varied", "held", "decided_by", "seen", "doi")
    return Table(header, [attrgetter(*of)(said) for said in AUGER])


def silences() -> Table:
    """Return where models say nothing, and why."""
    own = models(Assumed())
    said = dict.fromkeys(pair for model in own for pair in model.silent.items())
    name = {key: one.name for key, one in MEASUREMENTS.items()}
    rows = []
    for key, why in said:
        of = "; ".join(model.name for model in own if model.silent.get(key) == why)
        rows.append((name.get(key, key), of, why))
    return Table(("quantity", "models", "why"), rows)


def experiments_table(found: Sequence[Experiment], factor: float = 1.0) -> Table:
    """Return the experiments: assumed precision with its origin, bits, and σ between models."""
    header = ("measurement", "precision", "origin", "bits", "σ, closest", "σ, farthest")
    rows = []
    for each in found:
        one = MEASUREMENTS[each.key]
        shown = one._replace(precision=factor * one.precision).stated_precision
        numbers = (significant(x, 2) for x in (each.bits, each.closest, each.farthest))
        rows.append((one.name, shown, one.origin, *numbers))
    return Table(header, rows)


# --- numbers


def add_decisions(n: Numbers, assumed: Assumed) -> None:
    """Add Bayes factors, what decides most in each, and what is said of Auger recombination."""
    by = by_key(assumed)
    for one, other in _FACTORS:
        found, over = decision(by[one], by[other], assumed), f"{by[one].name} over {by[other].name}"
        most, part = found.most
        n.add("bayes-{key}", found.total, key=f"{one}-{other}", over=over)
        n.add("bayes-{key}-most", part, key=f"{one}-{other}", over=over, part=most.name)
    n.add("auger-statements", len(AUGER))
    n.add("auger-decide", sum(s.decides for s in AUGER))
