"""The ledger: every statement is there, computed or said to lack something, and judged by code."""

import importlib
import itertools
import json
import math
import re
import sys
from dataclasses import replace
from functools import cache
from pathlib import Path

import pytest

from conftest import CLAIM_KEYS, ROOT
from qdgain import chapters
from qdgain.calibration.conditions import CONDITIONS
from qdgain.calibration.record import admitted, best, calibrated
from qdgain.calibration.rows import ROWS, TARGETS
from qdgain.commands.claims import as_table
from qdgain.figures import fig08
from qdgain.figures.modules import MODULES
from qdgain.ledger import joined, over_readings, table, verdicts
from qdgain.ledger.shares import Over, shares
from qdgain.model.dot import presets
from qdgain.paper.claims import (
    KINDS,
    LAST_DIGIT,
    Check,
    Claim,
    Headline,
    answered_by,
    claims,
)
from qdgain.run import Run, resolve

pytestmark = pytest.mark.slow

#: The verdicts as they were last looked at; ``make verdicts`` writes them anew.
PINNED = Path(__file__).with_name("verdicts.json")

WANTED = [
    "F6-2ls-no-gain",
    "F6-3ls-threshold",
    "F6-4ls-thresholdless",
    "F6-hot-cooling",
    "F6-se-buildup",
    "F6-stokes-linewidth",
    "F7-cancellation",
    "F7-esa-2ls",
    "F7-definitions",
    "F7-pia",
    "F7-four-bands",
    "F8-3ls",
    "F8-3ls-esa",
    "F8-4ls",
    "F8-4ls-esa",
    "F8-4ls-zero",
    "F8-max-ideal",
    "F8-max-esa",
    "F8-red-edge",
    "F8-onset-vs-max",
    "F8-binding",
    "F8-xx-share",
    "F8-3ls-is-2ls",
    "F8-rabi",
    "F8-transit",
    "F8-exp-ratio",
    "F9-3ls",
    "F9-3ls-esa",
    "F9-factor-two",
    "F9-4ls",
    "F9-4ls-esa",
    "F9-centre",
    "F9-amplitude",
    "F9-shift-3ls",
    "F9-binding",
    "F9-shift-4ls",
    "F9-shift-4ls-esa",
    "F9-alloy",
    "F9-alloy-x3",
    "F9-alloy-threshold",
    "F9-no-auger",
    "F10-order",
    "F10-cdse-se",
    "F10-cdse-ase",
    "F10-alloy",
    "F10-cspbbr3",
    "F10-universal",
    "F10-31ev",
    "F10-size-x1",
    "F10-xx-3x",
    "F10-harvest-10x",
    "F10-thresholdless",
    "F10-cdse-13",
    "SM-2ls",
]


@cache
def rows():
    """Return every row by id: evaluated by the process that runs these tests alone."""
    return {row.claim.id: row for row in joined.ledger()}


def each(*claims_of):
    return pytest.mark.parametrize("name", [claim.id for claim in claims_of])


def test_every_statement_of_the_list_is_there():
    assert set(WANTED) <= set(claims())
    assert list(rows()) == list(claims())


def test_the_file_holds_no_verdict():
    fields = {field for field in Claim.__dataclass_fields__ if "verdict" in field}
    text = (ROOT / "lib" / "qdgain" / "data" / "claims.toml").read_text(encoding="utf-8")
    assert not fields
    assert not re.search(r"^verdict", text, re.MULTILINE)
    for verdict in verdicts.MEANINGS:
        assert f'"{verdict}"' not in text


@each(*claims().values())
def test_row_is_computed_or_says_what_is_missing(name):
    row = rows()[name]
    claim = row.claim
    if row.verdict == verdicts.NOT_COMPUTABLE:
        assert claim.missing
    elif row.verdict == verdicts.QUOTED:
        assert claim.stated is not None or row.headline is not None or claim.missing
    elif claim.kind == "X":
        assert row.other
    else:
        assert row.headline is not None
        assert not math.isnan(row.headline.value)
        assert row.holds is not None, "nothing compares the number"


@each(*claims().values())
def test_row_says_where_what_and_how(name):
    claim = claims()[name]
    # Of the paper, or of another work that it is held against.
    assert re.match(r"section \d", claim.where) or "DOI 10." in claim.where
    assert len(claim.statement) > 15
    # A statement that cannot be computed may still say what would have to hold.
    assert not claim.checks or claim.criterion, "checks and their wording go together"
    if claim.tolerance is not None:
        assert claim.because
        assert claim.stated is not None
    module, _, name = claim.function.rpartition(".")
    assert hasattr(importlib.import_module(module), name), claim.function
    assert {*claim.beside, *verdicts.keys_of(claim)} <= set(_all_numbers())


def _headlines():
    return {name: tuple(joined.headlines_of(name).values()) for name in MODULES}


def _all_numbers():
    return {h.key: h for rows in _headlines().values() for h in rows}


def test_every_headline_is_named_after_its_chapter_and_none_after_a_statement():
    for chapter, headlines in _headlines().items():
        for headline in headlines:
            assert headline.key.startswith(f"{chapter}-")
            assert headline.key not in claims()


def test_figures_are_those_of_the_chapters():
    for row in rows().values():
        chapter = chapters.notebook_of(row.chapter)
        cells = json.loads(chapter.read_text(encoding="utf-8"))["cells"]
        names = {c["metadata"].get("mystnb", {}).get("figure", {}).get("name") for c in cells}
        assert row.claim.figure in names, f"{row.claim.id}: {row.claim.figure}"


@each(*(c for c in claims().values() if c.because == LAST_DIGIT))
def test_half_a_digit_is_half_a_digit(name):
    claim = claims()[name]
    decimals = len(claim.stated_text.partition(".")[2])
    assert claim.tolerance == pytest.approx(0.5 * 10**-decimals)
    assert float(claim.stated_text) == claim.stated


@each(*(c for c in claims().values() if c.tolerance and c.because != LAST_DIGIT))
def test_a_wider_tolerance_has_its_reason_on_the_page(name):
    because = claims()[name].because
    assert len(because.split()) > 1
    assert because in rows()[name].tolerance_text


def test_what_calibrates_is_never_reproduced():
    for row in rows().values():
        if row.claim.kind == "C":
            assert row.verdict in (verdicts.CALIBRATED, verdicts.DEPENDS, verdicts.DEVIATES)
            assert row.residual is not None or row.claim.checks
    for name in TARGETS:
        assert claims()[name].kind == "C"
        assert rows()[name].residual is not None


#: The statements behind the conditions that the default calibration had to meet.
CONDITIONS_OF = {
    "3LS: the spike is at the centre of PL_X": "F9-centre",
    "3LS+ESA: the spike is red of the centre of PL_X": "F9-centre-esa",
    "3LS+ESA: the spike is red of the one without ESA": "F9-centre-esa",
    "3LS: the spike shifts blue with fluence": "F9-shift-3ls",
    "4LS: the spike shifts blue with fluence": "F9-shift-4ls",
    "4LS+ESA: the spike shifts red with fluence": "F9-shift-4ls-esa",
}


def test_conditions_of_the_calibration_confirm_nothing():
    assert set(CONDITIONS) == set(CONDITIONS_OF)
    for name in CONDITIONS_OF.values():
        assert claims()[name].kind == "C"


def test_contradictions_show_both_sides():
    for row in rows().values():
        if row.claim.kind == "X":
            assert row.other
            assert row.other_number
            assert row.stated_text or row.computed_text
            assert row.claim.contradicts in claims()
            assert row.verdict in (f"contradicts {row.claim.contradicts}", verdicts.REPRODUCED)


def test_quotations_are_short():
    for row in rows().values():
        for text in (row.claim.statement, row.claim.note, row.claim.criterion):
            for quotation in re.findall(r"[\"“]([^\"”]+)[\"”]", text):
                assert len(quotation.split()) <= 25


# --- another dot gives another number


def _another_dot(dot):
    """Every shift and strength ten per cent off, not all to one side, so that none cancel."""
    return replace(
        dot,
        stokes_shift_meV=dot.stokes_shift_meV * 1.1,
        absorptive_binding_meV=dot.absorptive_binding_meV * 0.9,
        emissive_binding_meV=dot.emissive_binding_meV * 1.1,
        xx_absorption_strength=dot.xx_absorption_strength * 1.1,
        xx_emission_strength=dot.xx_emission_strength * 0.9,
    )


@pytest.fixture(scope="module")
def with_another_dot():
    dots = {}
    for name in presets():
        esa = name.removesuffix("+ESA") + "+ESA"
        dot = _another_dot(presets()[esa])
        dots[name] = dot if name == esa else dot.uncorrelated()
    numbers = {}
    for module in MODULES.values():
        run = Run(dots, resolve(module.SETTINGS, {}).settings)
        numbers |= {headline.key: headline for headline in module.headlines(run)}
    return numbers


@each(*(c for c in claims().values() if c.kind == "P" or c.invariant))
def test_another_dot_gives_another_number(name, with_another_dot):
    own, claim = _all_numbers(), claims()[name]
    same = [
        with_another_dot[key].value == pytest.approx(own[key].value, rel=1e-4)
        for key in verdicts.keys_of(claim)
        if math.isfinite(own[key].value)
    ]
    assert all(same) if claim.invariant else not all(same)


def test_calibrated_numbers_are_computed_too(with_another_dot):
    for name in TARGETS:
        key = claims()[name].number
        assert with_another_dot[key].value != _all_numbers()[key].value


# --- how verdicts are made


def _claim(**fields):
    return Claim("T-1", "section 3", fields.pop("kind", "P"), "a statement to try", **fields)


@pytest.mark.parametrize(
    ("compare", "value", "missed"),
    [
        ("equal", 1.2, 0.2),
        ("equal", 0.7, -0.3),
        ("at most", 0.7, 0.0),
        ("at most", 1.2, 0.2),
        ("at least", 0.7, -0.3),
        ("at least", 1.2, 0.0),
        ("between", 0.7, -0.3),
        ("between", 1.5, 0.0),
        ("between", 2.5, 0.5),
    ],
)
def test_comparisons(compare, value, missed):
    upper = 2.0 if compare == "between" else None
    claim = _claim(stated=1.0, stated_to=upper, compare=compare)
    assert verdicts.missed_by(claim, value) == pytest.approx(missed)


def test_verdicts_follow_from_kind_and_comparison():
    assert verdicts.verdict(_claim(), True) == "reproduced"
    assert verdicts.verdict(_claim(), False) == "deviates"
    assert verdicts.verdict(_claim(kind="Q"), None) == "not computable"
    assert verdicts.verdict(_claim(kind="Q", missing="data"), None) == "not computable"
    assert verdicts.verdict(_claim(kind="C"), True) == "calibrated"
    # Agreement of what calibrates proves nothing, but that it is missed does.
    assert verdicts.verdict(_claim(kind="C"), False) == "deviates"
    # One that the default misses and others meet, or meet in part, does depend on the reading.
    in_part, nowhere = Over({"a": "undetermined"}), Over({"a": "fails"})
    assert verdicts.verdict(_claim(kind="C"), False, in_part) == "depends on the reading"
    assert verdicts.verdict(_claim(kind="C"), False, nowhere) == "deviates"
    assert verdicts.verdict(_claim(kind="C"), True, in_part) == "calibrated"
    assert verdicts.verdict(_claim(kind="B"), True) == "by construction"
    assert verdicts.verdict(_claim(kind="B"), False) == "deviates"
    assert verdicts.verdict(_claim(kind="M"), None) == "quoted"
    against = _claim(kind="X", contradicts="F8-4ls")
    assert verdicts.verdict(against, False) == "contradicts F8-4ls"
    assert verdicts.verdict(against, True) == "reproduced"


def test_no_row_says_of_the_readings_what_its_verdict_denies():
    for row in joined.ledger():
        if row.over is not None:
            some = row.over.where("holds") or row.over.where("undetermined")
            assert not (row.group in ("deviates", "contradicts") and some), row.claim.id


def test_every_statement_of_the_bands_was_evaluated_over_the_readings():
    """One that is new reads as if it held in all of them until ``make data ONLY=shares``."""
    row = admitted()[0]
    now = over_readings.cells_at(row, over_readings.chosen(row)[0])
    assert set(now) == set(shares()[row])


def test_checks_are_read():
    assert Check.read("|a-b| >= 0.1 * c") == Check("|a-b|", ">=", "0.1 * c")
    assert Check.read("a = b ± 0.5") == Check("a", "=", "b", 0.5)
    for nonsense in ("a", "a == b", "a = b", "a < b ± 1"):
        with pytest.raises(ValueError, match="comparison"):
            Check.read(nonsense)


def test_checks_are_judged():
    numbers = {"a": Headline("a", "", -2.0), "b": Headline("b", "", 10.0)}
    for text, answer in [
        ("a < b", True),
        ("|a| >= 0.2 * b", True),
        ("|a| > 0.2 * b", False),
        ("b <= inf", True),
        ("b = a ± 12", True),
        ("b = a ± 11", False),
        ("a < F8-3ls.stated", True),
    ]:
        assert verdicts._check(Check.read(text), numbers) is answer, text


def test_a_nan_holds_against_nothing():
    numbers = {"a": Headline("a", "", math.nan)}
    found = verdicts.answer(_claim(number="a", stated=1.0, tolerance=0.5), numbers)
    assert found.holds is False


# --- the number shown is the one the verdict rests on

NUMBERS = {
    key: Headline(key, f"number {key}", value, unit)
    for key, value, unit in [("a", 0.5, "1"), ("b", 0.75, "1"), ("c", 8.0, "meV"), ("d", 2, "meV")]
}


def _answer(*checks, **fields):
    return verdicts.answer(_claim(checks=tuple(map(Check.read, checks)), **fields), NUMBERS)


@pytest.mark.parametrize(
    ("checks", "key", "bound", "holds"),
    [
        (("a < 0.6", "b < 0.6"), "b", "< 0.6", False),
        (("b > 0.8", "a > 0.6"), "b", "> 0.8", False),
        (("b <= 5", "a <= 0.6"), "a", "≤ 0.6", True),
        (("|c| >= 3 * d",), "c", "≥ 6.00 meV in size", True),
        (("c = d ± 0.5",), "c", "2.00 ± 0.5 meV", False),
        (("a < inf", "b > 0.7"), "b", "> 0.7", True),
        (("a >= inf",), "a", "out of reach", False),
    ],
)
def test_the_first_failing_check_decides_or_the_narrowest(checks, key, bound, holds):
    found = _answer(*checks)
    assert (found.headline.key, found.bound, found.holds) == (key, bound, holds)
    assert str(found.check) in checks


def test_a_stated_number_decides_unless_a_check_fails():
    stated = {"number": "b", "stated": 1.0, "tolerance": 0.1}
    assert _answer("a < 0.6", **stated).headline.key == "b"
    assert _answer("a < 0.6", **stated).holds is False
    found = _answer("a < 0.4", **stated)
    assert (found.headline.key, found.bound) == ("a", "< 0.4")


def test_what_lacks_something_has_a_number_and_no_verdict():
    claim = _claim(number="b", stated=1.0, tolerance=0.5, missing="the spectra")
    row = verdicts.row(claim, NUMBERS)
    assert row.computed == 0.75
    assert row.holds is None
    assert row.residual is None
    assert row.verdict == verdicts.NOT_COMPUTABLE


def test_every_number_shown_with_a_bound_obeys_it_as_the_verdict_says():
    for row in rows().values():
        if row.answer.check is not None:
            assert row.headline.key == row.answer.check.left.strip("|")
            assert row.headline.text in row.answer_text
            assert verdicts._check(row.answer.check, _all_numbers()) is row.holds
            assert f"must be {row.answer.bound}" in row.answer_text


def test_the_share_of_x_is_that_of_the_dot_that_decides():
    def worst(numbers):
        return max(numbers[f"fig08-share-{dot}-esa"].value for dot in ("3ls", "4ls"))

    row = rows()["F8-xx-share"]
    assert row.computed == worst(_all_numbers()) < 0.5
    # In the replacing reading one of the dots fails.
    free = ROWS["replacing free"]
    run = Run(calibrated(free, best(free)["values"]).dots, resolve(fig08.SETTINGS, {}).settings)
    numbers = {headline.key: headline for headline in fig08.headlines(run)}
    failing = verdicts.row(row.claim, numbers)
    assert failing.computed == worst(numbers) > 0.5
    assert failing.holds is False
    for each_row in (row, failing):
        assert each_row.bound_text == "must be < 0.5"


# --- units


@pytest.mark.parametrize(
    "fields",
    [
        {"number": "c", "stated": 1.0, "tolerance": 0.5},
        {"number": "a", "stated": 1.0, "unit": "mJ cm⁻²", "tolerance": 0.5},
        {"checks": (Check.read("c > a"),)},
        {"checks": (Check.read("c > 0.1 * a"),)},
        {"checks": (Check.read("a < F9-3ls.stated"),)},
        {"kind": "X", "contradicts": "F8-3ls", "stated": 1.0, "tolerance": 0.5, "against": "c"},
    ],
)
def test_numbers_in_two_units_are_not_held_against_each_other(fields):
    with pytest.raises(ValueError, match=r"T-1: holds a number in .* against one in"):
        verdicts.row(_claim(**fields), NUMBERS)


def test_a_bare_number_takes_the_unit_of_what_it_is_held_against():
    assert _answer("c > 5").bound == "> 5 meV"


def test_a_checked_table_sets_no_number_beside_one_in_another_unit():
    for claim in claims().values():
        if claim.number and claim.stated is not None:
            assert answered_by(Headline(claim.number, "", 1.0, "furlong")) is None


# --- one statement once, by construction is by construction, and whose statement it is

#: Identities of the schemes, and inputs that come back.
IDENTITIES = (
    *("F6-2ls-no-gain", "F6-3ls-threshold", "F6-4ls-thresholdless", "F6-hot-cooling"),
    *("F7-cancellation", "F7-esa-2ls", "F7-pia", "F7-pia-rise", "F8-max-ideal", "F8-fractional"),
    *("F8-alloy-weaker", "F9-alloy-centre", "F9-alloy-x1-one", "F10-thresholdless"),
)


@pytest.mark.parametrize("name", IDENTITIES)
def test_an_identity_reproduces_nothing_and_says_why(name):
    assert rows()[name].verdict == verdicts.BY_CONSTRUCTION
    assert re.match(
        r"(Nearly an|An|The) (identity|input|assumption|definition|rates)", rows()[name].note
    )


def test_invented_spectra_reproduce_nothing():
    surrogates = re.compile(r"fig09-[a-z-]+-x[13]\b")
    for claim in claims().values():
        if any(surrogates.match(key) for key in verdicts.keys_of(claim)):
            verdict = rows()[claim.id].verdict
            assert verdict in (verdicts.NOT_COMPUTABLE, verdicts.BY_CONSTRUCTION), claim.id


def test_no_two_rows_have_one_answer():
    """Of what has a verdict: a statement put in other words is the same statement."""
    seen = {}
    for row in rows().values():
        if row.holds is not None and row.claim.kind != "X":
            keys = frozenset(verdicts.keys_of(row.claim))
            assert keys not in seen, (row.claim.id, seen.get(keys))
            seen[keys] = row.claim.id


def _words(statement):
    trifles = {"the", "a", "an", "of", "is", "are", "in", "it", "and", "by", "with", "to", "as"}
    return set(re.findall(r"[\w⟨⟩]+", statement.lower())) - trifles


@pytest.mark.parametrize("further", [False, True])
def test_no_two_rows_make_one_statement(further):
    every = [c for c in claims().values() if c.further is further]
    for one, other in itertools.combinations(every, 2):
        a, b = _words(one.statement), _words(other.statement)
        another_dot = (a ^ b) & {"3ls", "4ls", "without", "esa", "x1", "x3"}
        if not another_dot and other.id != one.contradicts and one.id != other.contradicts:
            assert len(a & b) < 0.7 * len(a | b), (one.id, other.id)


def test_a_further_test_is_beyond_the_model_or_of_another_work():
    for claim in claims().values():
        assert claim.further == claim.id.startswith("B"), claim.id
        assert not (claim.further and verdicts.chapter_of(claim).startswith("fig"))
        if "DOI" in claim.where or "ref. " in claim.where:
            assert claim.further
        if claim.tests:
            assert not claims()[claim.tests].further


def test_a_further_test_must_name_a_statement_of_the_paper():
    with pytest.raises(ValueError, match="not marked as a further test"):
        _claim(tests="F8-3ls")


def test_the_two_kinds_are_counted_apart_wherever_they_are_counted():
    papers = verdicts.counts(rows().values())
    further = verdicts.counts(rows().values(), further=True)
    own = [claim for claim in claims().values() if claim.further]
    assert sum(further.values()) == len(own) > 20
    assert sum(papers.values()) == len(claims()) - len(own)
    for name, count in papers.items():
        assert (
            f"<strong>{count}</strong> <span class='verdict verdict-{name.replace(' ', '-')}'"
            in (table.summary().markup)
        )
    records = [verdicts.record(row) for row in rows().values()]
    assert sum(record["further_test"] for record in records) == len(own)
    printed = as_table(list(rows().values()))
    assert f"{sum(papers.values())} statements of the paper: " in printed
    assert f"{len(own)} further tests of this book: " in printed


# --- what is written


def test_json_has_the_promised_keys_and_no_nan():
    records = [verdicts.record(row) for row in rows().values()]
    text = json.dumps(records, allow_nan=False)
    for record in json.loads(text):
        assert CLAIM_KEYS <= set(record)
        assert record["kind"] in KINDS


def test_notes_have_their_numbers():
    for row in rows().values():
        assert "{" not in row.note


def test_the_page_has_every_row_with_its_links():
    page = table.full().markup + table.full(further=True).markup
    for row in rows().values():
        assert f"<tr id='{row.claim.id}'" in page
        where = chapters.api_page_of(row.claim.function.rpartition(".")[0])
        assert f"{where}#{row.claim.function}" in page
        assert f"#{row.claim.figure}'" in page
    assert page.count("<tr id=") == len(rows())


def test_the_landing_page_gives_the_numbers_that_answer_the_papers_thresholds(root):
    text = (root / "book" / "index.md").read_text(encoding="utf-8")
    names = ("F8-3ls", "F8-3ls-esa", "F8-4ls", "F8-4ls-esa")
    shown = re.findall(r"::(fig08-threshold-\dls(?:-esa)?):s`", text)
    assert list(dict.fromkeys(shown)) == [claims()[name].number for name in names]
    # What it says of the picture with ESA.
    assert "must hold more than one exciton on average before it gains" in text
    assert joined.row("F8-3ls-esa").computed > 1
    # And what its verdict names as holding in every reading.
    assert joined.row("F8-binding").over.holds


def test_every_row_is_with_exactly_one_chapter():
    shown = [row.claim.id for name in MODULES for row in joined.of_chapter(name)]
    assert sorted(shown) == sorted(claims())


def test_counts_are_of_every_verdict():
    assert list(verdicts.counts(rows().values())) == list(verdicts.MEANINGS)


def looked_at():
    """Return each verdict with what it rests on."""
    return {row.claim.id: [row.verdict, row.rests_on] for row in rows().values()}


def test_verdicts_are_those_last_looked_at():
    now = looked_at()
    pinned = json.loads(PINNED.read_text(encoding="utf-8"))
    changed = {
        name: (pinned.get(name), now.get(name))
        for name in {*pinned, *now}
        if pinned.get(name) != now.get(name)
    }
    assert not changed, f"was, is: {changed}; after a look at each, run make verdicts"


def pin():
    """Write the verdicts of now as those that the test expects."""
    lines = (
        f" {json.dumps(k)}: {json.dumps(v, ensure_ascii=False)}" for k, v in looked_at().items()
    )
    PINNED.write_text("{\n" + ",\n".join(lines) + "\n}\n", encoding="utf-8")


if __name__ == "__main__":
    sys.exit(pin())
