"""The landing page: the verdict in a paragraph and in a picture, computed from the ledger."""

from __future__ import annotations

from qdgain.calibration.record import admitted, best, record
from qdgain.calibration.rows import ROWS, TARGETS
from qdgain.figures import landing
from qdgain.figures.kit import Figure
from qdgain.figures.landing import LOOKS, Stated
from qdgain.figures.panel import Panel
from qdgain.ledger import joined
from qdgain.ledger.table import fragment
from qdgain.ledger.verdicts import Row
from qdgain.table import Shown
from qdgain.text import significant


def verdict() -> Shown:
    """Return what this book found, in about eighty words."""
    over, every, none = joined.over_bands()
    fewest = best(ROWS[record()["default"]])["parameters"]
    lifetime = joined.headlines_of("auger")["auger-se-tenth"]
    of_fig10 = joined.headlines_of("fig10")
    width, lowest = (of_fig10[f"fig10-{key}"] for key in ("linewidth", "balanced-threshold"))
    return fragment(
        "paragraph",
        f"The stated numbers hang together: {len(admitted())} of {len(ROWS)} readings of "
        f"the paper give all {len(TARGETS)} of them, with {fewest} parameters at the least. Of the "
        f"{over} other statements that depend on the bands, {every} hold in every one of "
        f"these readings, {none} hold in none, and {over - every - none} depend on the "
        "reading. A model without a biexciton lifetime cannot test whether Auger recombination "
        "matters; with one, a 100 fs pulse finds the 3-level threshold unmoved, to 10\u00a0%, down "
        f"to a lifetime of {significant(lifetime.value, 2)} ps. In equilibrium at 300 K a line of "
        f"{significant(width.value, 2)} meV allows a threshold of "
        f"{significant(lowest.value, 2)} without ESA, not zero.",
    )


def statements() -> list[Stated]:
    """Return the paper's statements whose number and the model's can be divided."""
    rows = [row for row in joined.ledger() if not row.claim.further and row.group in LOOKS]
    return [found for row in rows if (found := _stated(row)) is not None]


def _stated(row: Row) -> Stated | None:
    claim, computed = row.claim, row.computed
    if row.missed is None or computed is None or not claim.stated or claim.tolerance is None:
        return None
    if claim.compare != "equal" or computed / claim.stated <= 0:
        return None
    return Stated(
        claim.statement,
        row.stated_text,
        significant(computed, 3),
        computed / claim.stated,
        abs(claim.tolerance / claim.stated),
        row.group,
    )


def stated_and_computed() -> Panel:
    """Return the panel of `qdgain.figures.landing.stated_and_computed` for the ledger's rows."""
    return landing.stated_and_computed(statements())


FIGURES = {
    "stated_and_computed": Figure(
        stated_and_computed,
        lambda one: landing.draw_stated_and_computed(one, statements()),
    ),
    "strip": Figure(landing.strip, landing.draw_strip),
}
