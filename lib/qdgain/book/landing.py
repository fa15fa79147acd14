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
    short = (_number(f"auger-se-fs-{end}-reading", 3) for end in ("least", "most"))
    long = (_number(f"auger-se-ns-{end}-reading") for end in ("least", "most"))
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
            f"ESA must absorb to gain by {' to '.join(short)} with 100 fs pulses and by "
            f"{' to '.join(long)} with 5 ns pulses; what it must hold falls by "
            f"{_number('auger-present-fall')} % at most, in the default reading."
        ),
        "Equilibrium limits how low it gets": (
            f"At 300 K Gaussian lines of {_number('fig10-linewidth')} meV allow no threshold below "
            f"{_number('fig10-balanced-threshold')} excitons without ESA, or "
            f"{_number('design-lowest')} with ESA at the best binding; a tenth takes "
            f"{_number('fig10-balanced-linewidth')} or {_number('design-narrowest')} meV. Balance "
            f"asks for a Stokes shift of {_number('fig10-balanced-shift')} meV; the calibrated "
            f"ones are {_number('balance-stokes-3ls')} (3LS) and "
            f"{_number('balance-stokes-4ls')} (4LS)."
        ),
    }
    return fragment("verdict", found)


def _number(key: str, digits: int = 2) -> str:
    return significant(joined.headline(key).value, digits)


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
