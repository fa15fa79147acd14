"""The landing page: the verdict in a paragraph and in a picture, computed from the ledger."""

from __future__ import annotations

from qdgain.beyond.auger_maps import STATED_AUGER_PS
from qdgain.calibration.record import admitted, best, record
from qdgain.calibration.rows import ROWS, TARGETS
from qdgain.figures import landing
from qdgain.figures.kit import Figure
from qdgain.figures.landing import LOOKS, Stated
from qdgain.figures.panel import Panel
from qdgain.ledger import joined
from qdgain.ledger.table import Fragment
from qdgain.ledger.verdicts import Row
from qdgain.text import significant


def verdict() -> Fragment:
    """Return what this book found, in four sentences with their headings."""
    over = [row.over for row in joined.ledger() if row.over and row.claim.kind in "PQX"]
    every, none = (sum(one.holds is holds for one in over) for holds in (True, False))
    fewest = best(ROWS[record()["default"]])["parameters"]
    auger, of_fig10, design = map(joined.headlines_of, ("auger", "fig10", "design"))
    width, plain, lowest, short, least, most = (
        significant(one.value, 2)
        for one in (
            of_fig10["fig10-linewidth"],
            of_fig10["fig10-balanced-threshold"],
            design["design-lowest"],
            auger["auger-se-fs-most-reading"],
            auger["auger-se-ns-least-reading"],
            auger["auger-se-ns-most-reading"],
        )
    )
    found = {
        "Its numbers hang together": (
            f"{len(admitted())} of {len(ROWS)} ways to read the paper give all {len(TARGETS)} "
            f"stated numbers to 10\u00a0%, with {fewest} fitted parameters or more: consistency, "
            "not proof."
        ),
        "Where the bands lie matters": (
            f"Of {len(over)} further statements on them, {every} hold in all these ways, among "
            "them that moving excited-state absorption (ESA) off the emission lowers the "
            f"threshold; {len(over) - every - none} hold in some, {none} in none."
        ),
        "So does Auger recombination": (
            "The paper's model has no biexciton lifetime and cannot test it. With one of "
            f"{STATED_AUGER_PS:g} ps the gain threshold of a 3-level dot with ESA is at most "
            f"{short} times as high with 100 fs pulses, and {least} to {most} times with 5 ns "
            "pulses."
        ),
        "Equilibrium forbids thresholdless": (
            f"At 300 K a Gaussian line of {width} meV allows {plain} excitons without ESA, and "
            f"{lowest} with the biexciton's bands at will. The calibrated dots are not in "
            "equilibrium."
        ),
    }
    text = "\n".join(f"{head}: {said}" for head, said in found.items())
    return Fragment(text, "verdict", found)


def statements() -> list[Stated]:
    """Return the paper's statements whose number and the model's can be divided."""
    rows = [row for row in joined.ledger() if not row.claim.further and row.group in LOOKS]
    return [_stated(row) for row in rows if _has_ratio(row)]


def _has_ratio(row: Row) -> bool:
    claim = row.claim
    if row.missed is None or row.computed is None or not claim.stated:
        return False
    return claim.compare == "equal" and row.computed / claim.stated > 0


def _stated(row: Row) -> Stated:
    claim = row.claim
    assert claim.stated is not None
    assert claim.tolerance is not None
    assert row.computed is not None
    return Stated(
        claim.statement,
        row.stated_text,
        significant(row.computed, 3),
        row.computed / claim.stated,
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
