"""No number that stands on two pages is another on one of them; no bound is passed elsewhere."""

import itertools
import json
import re

import pytest

from conftest import ROOT
from qdgain.figures import calibrated
from qdgain.figures.modules import MODULES
from qdgain.ledger import joined
from qdgain.paper.claims import claims
from qdgain.text import significant

pytestmark = pytest.mark.slow

DOTS = ("3ls", "3ls-esa", "4ls", "4ls-esa")
#: One quantity a row, under the names that chapters give it; {dot} is each of `DOTS`, {scheme} each
#: without ESA. What does not exist for a dot is left out.
QUANTITIES = (
    "fig08-threshold-{dot} fig10-threshold-{dot} balance-preset-{dot} ensembles-equal-dots-{dot}",
    "fig08-threshold-{scheme}-esa design-now-{scheme}",
    "fig08-onset-{dot} ensembles-equal-dots-onset-{dot}",
    "fig08-onset-{scheme}-esa design-now-{scheme}-onset",
    "fig09-threshold-{dot} ensembles-equal-dots-ase-{dot}",
    "fig08-stokes-{scheme} balance-stokes-{scheme} design-stokes-{scheme}",
    "balance-xx-{scheme} design-biexciton-stokes-{scheme}",
    "fig10-linewidth balance-linewidth design-linewidth ensembles-linewidth-{scheme}",
    "balance-linewidth-{scheme} ensembles-balanced-{scheme}",
    "fig10-balanced-shift balance-own balance-klimov-stokes design-largest-shift",
    "fig10-balanced-threshold balance-width-{scheme} balance-klimov-unshifted",
    "balance-spread-{scheme} ensembles-rest-{scheme}",
    "fig08-rabi ensembles-part-equal-dots",
    "fig08-rabi-poisson ensembles-largest-equal-dots",
    "fig08-2ls-poisson balance-klimov-none-poisson",
    "fig08-2ls balance-klimov-far-rabi",
    "fig08-3ls-as-wide balance-equal-threshold",
    "fig08-floor design-floor",
    "fig08-strength-sensitivity information-elasticity-threshold-esa-a",
    "fig10-sensitivity information-elasticity-threshold-esa-s",
)
#: A highest or lowest number, and what it bounds.
BOUNDS = (
    ("fig09-highest-{scheme}-esa", ">=", "fig09-threshold-{scheme}-esa"),
    ("fig09-lowest-{scheme}-esa", "<=", "fig09-threshold-{scheme}-esa"),
    ("fig08-threshold-{scheme}-esa", ">=", "fig08-plateau-{scheme}-esa"),
    # Equal in the replacing reading. In the additive one ESA blue of the emission moves the gain
    # maximum to the red, which is a little better than none.
    ("fig08-plateau-3ls-esa", ">=", "design-alone-absorptive-lowest"),
    ("fig10-xx-best-maximum", ">=", "balance-esa-factor"),
    ("fig09-xx-both", ">=", "fig09-xx-absorptive"),
    ("balance-bound-{scheme}", ">=", "balance-shift-both-{scheme}"),
    ("design-set-widest", ">=", "design-narrowest"),
    ("ensembles-moves-se", ">=", "ensembles-together-{dot}-change"),
    ("ensembles-moves-onset", ">=", "ensembles-together-onset-{dot}-change"),
    ("ensembles-moves-ase", ">=", "ensembles-together-ase-{dot}-change"),
)
GLUE = re.compile(r"\{glue:text\}`(?:[\w.]+::)?([\w.-]+?)(?::s)?`")


@pytest.fixture(scope="module")
def numbers():
    return {key: h for chapter in MODULES for key, h in joined.headlines_of(chapter).items()}


def each_dot(*patterns):
    """Yield the patterns with every dot in the place of {dot}, and scheme in that of {scheme}."""
    for dot, scheme in itertools.product(DOTS, ("3ls", "4ls")):
        yield tuple(pattern.format(dot=dot, scheme=scheme) for pattern in patterns)


def shown(headline):
    """Return a number as prose shows it."""
    return significant(headline.value, 3)


def contradictions(found):
    """Return the numbers of one quantity that prose would show differently."""
    return {h.key: shown(h) for h in found} if len({(shown(h), h.unit) for h in found}) > 1 else {}


@pytest.mark.parametrize("quantity", QUANTITIES)
def test_a_quantity_has_one_number_on_all_pages(quantity, numbers):
    seen = 0
    for keys in each_dot(*quantity.split()):
        found = [numbers[key] for key in keys if key in numbers]
        seen += len(found) > 1
        assert not contradictions(found)
    assert seen, "chapters have renamed these numbers"


def test_equal_words_name_equal_numbers(numbers):
    by_meaning = {}
    for headline in numbers.values():
        # "the same", "its": those speak of the row before them.
        if not re.search(r"\b(the same|its?|that|there|of them|of it)\b", headline.meaning):
            by_meaning.setdefault((headline.meaning, headline.unit), []).append(headline)
    for found in by_meaning.values():
        assert not contradictions(found)


@pytest.mark.parametrize(("bound", "operator", "bounded"), BOUNDS)
def test_no_number_passes_what_is_called_its_bound(bound, operator, bounded, numbers):
    sign, seen = {">=": 1, "<=": -1}[operator], 0
    for one, other in each_dot(bound, bounded):
        if one in numbers and other in numbers:
            value = abs(numbers[other].value) if "moves" in one else numbers[other].value
            assert sign * (numbers[one].value - value) >= 0, (one, other)
            seen += 1
    assert seen, "chapters have renamed these numbers"


def test_the_calibration_page_shows_the_chapters_numbers(numbers):
    for headline in calibrated.headlines():
        if headline.repeats:
            assert not contradictions([headline, numbers[claims()[headline.repeats].number]])


# --- what pages say with them


def prose():
    """Return the text of every page and chapter by name."""
    pages = {path.name: path.read_text(encoding="utf-8") for path in (ROOT / "book").glob("*.md")}
    for path in (ROOT / "book").glob("*.ipynb"):
        cells = json.loads(path.read_text(encoding="utf-8"))["cells"]
        text = ("".join(cell["source"]) for cell in cells if cell["cell_type"] == "markdown")
        pages[path.name] = "\n".join(text)
    return pages | {"claims.toml": (ROOT / "lib/qdgain/data/claims.toml").read_text("utf-8")}


def test_no_page_quotes_stokes_shifts_that_the_paper_gives_as_linewidths():
    quoted = re.compile(r"Stokes shifts? (?:of|from|is|are|:) 50 to 100|similar, 50 to 100")
    assert not {name: quoted.findall(text) for name, text in prose().items() if quoted.search(text)}


def test_the_landing_page_bounds_every_move_it_speaks_of():
    text = prose()["index.md"]
    (sample,) = re.findall(r"\*\*A sample is not a dot\.\*\*.*", text)
    # Onsets move further than thresholds at the maximum; a second step puts one out of reach.
    for part in ("ensembles-moves-se", "ensembles-moves-onset", "second step"):
        assert part in sample


def test_no_least_linewidth_is_given_that_a_calibrated_dot_passes(numbers):
    least, lowest = numbers["design-narrowest"], numbers["design-set-narrowest"]
    assert lowest.value < least.value, "the preset's is the least: then say so again"
    for name, text in prose().items():
        for sentence in re.split(r"(?<=[.:]) ", text):
            if "design-narrowest" in GLUE.findall(sentence):
                assert not re.search(r"at least|no less than|minimum", sentence), name
