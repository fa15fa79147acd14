"""The landing page: the verdict in a paragraph and in a picture, computed from the ledger."""

from __future__ import annotations

from qdgain.beyond.auger_maps import STATED_AUGER_PS
from qdgain.calibration.conditions import CONDITIONS
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
    """Return what this book found, in four sentences with their headings."""
    over, every, none = joined.over_bands()
    with_esa = sum(row.has_esa for row in ROWS.values())
    fewest = best(ROWS[record()["default"]])["parameters"]
    auger, of_fig10, design, balance = map(
        joined.headlines_of, ("auger", "fig10", "design", "balance")
    )
    width, plain, lowest, alone, free, least, most, balanced, three, four = (
        significant(one.value, 2)
        for one in (
            of_fig10["fig10-linewidth"],
            of_fig10["fig10-balanced-threshold"],
            design["design-lowest"],
            of_fig10["fig10-balanced-linewidth"],
            design["design-narrowest"],
            auger["auger-se-ns-least-reading"],
            auger["auger-se-ns-most-reading"],
            of_fig10["fig10-balanced-shift"],
            balance["balance-stokes-3ls"],
            balance["balance-stokes-4ls"],
        )
    )
    short = " to ".join(
        significant(auger[f"auger-se-fs-{end}-reading"].value, 3) for end in ("least", "most")
    )
    present = significant(auger["auger-present-fall"].value, 2)
    found = {
        "Its numbers hang together": (
            f"{len(admitted())} of {with_esa} readings give all {len(TARGETS)} stated numbers to "
            f"10\u00a0% and the {len(CONDITIONS)} statements on the spike, with {fewest} "
            "parameters or more. Consistency is no proof."
        ),
        "Where the bands lie matters": (
            f"Of {over} further statements on them, {every} hold in all these readings, among "
            "them that moving excited-state absorption (ESA) off the emission lowers the "
            f"threshold; {over - every - none} hold in some, {none} in none."
        ),
        "So does Auger recombination": (
            "The paper says that light leaves its film within 300 fs, and its model has no "
            f"biexciton lifetime. One of {STATED_AUGER_PS:g} ps multiplies what a 3-level dot with "
            f"ESA must absorb to gain by {short} with 100 fs pulses and by {least} to {most} with "
            f"5 ns pulses; what it must hold falls by {present} % at most, in the default reading."
        ),
        "Equilibrium limits how low it gets": (
            f"At 300 K Gaussian lines of {width} meV allow no threshold below {plain} excitons "
            f"without ESA, or {lowest} with ESA at the best binding; a tenth takes {alone} or "
            f"{free} meV. Balance asks for a Stokes shift of {balanced} meV; the calibrated ones "
            f"are {three} (3LS) and {four} (4LS)."
        ),
    }
    return fragment("verdict", found)


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
