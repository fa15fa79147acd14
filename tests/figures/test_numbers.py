"""Every number of data/numbers.toml is computed by its chapter, and none is asked for in vain."""

import re

import pytest

import regression
from qdgain.figures.kit import Numbers, meanings
from qdgain.paper.claims import claims
from qdgain.run import resolve


def pattern(key):
    """Return what the keys of an entry look like; braces stand for a part of a key, or none."""
    parts = re.split(r"\{[^}]*\}", key)
    return re.compile("[A-Za-z0-9.-]*".join(map(re.escape, parts)))


def known(chapter, key):
    return any(pattern(entry).fullmatch(key) for entry in meanings().get(chapter, ()))


@pytest.mark.parametrize("chapter", meanings())
def test_every_entry_is_computed(chapter):
    keys = {
        key.partition("-")[2]
        for reference in regression.CHAPTERS
        for key in regression.stored(reference)["figures"].get(regression.HEADLINES, ())
        if key.startswith(f"{chapter}-")
    }
    # Of files and of dots of one's own, without which the references are.
    own = {"band-edge-{sample}", "{dot}"}
    unused = [e for e in meanings()[chapter] if not any(map(pattern(e).fullmatch, keys))]
    assert set(unused) <= own


def test_every_statement_asks_for_numbers_that_there_are():
    asked = {key for claim in claims().values() for key in (claim.number, *claim.beside) if key}
    assert [key for key in asked if not known(*key.split("-", 1))] == []


def test_a_number_has_its_key_meaning_and_unit_from_its_entry_and_its_run():
    n = Numbers("fig10", resolve(("xx_reduction",), {"xx_reduction": 4.0}))
    n.add("threshold-{dot}", 1.5, dot="4LS+ESA")
    n.add("xx-emissive-maximum", 20)
    assert [(one.key, one.meaning, one.unit) for one in n] == [
        ("fig10-threshold-4ls-esa", "threshold, 4LS+ESA", "1"),
        ("fig10-xx-emissive-maximum", "Δ_E for 1/4", "meV"),
    ]
    with pytest.raises(KeyError, match="no-such"):
        n.add("no-such", 1.0)
