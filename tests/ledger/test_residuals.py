"""What the ledger's column of residuals says, worked out by hand."""

import pytest

from qdgain.commands.claims import as_table
from qdgain.ledger import verdicts
from qdgain.paper.claims import Claim, Headline


def row(value, **claim):
    defaults = {"stated": 1.5, "stated_text": "1.5", "tolerance": 0.05, "because": "a digit"}
    asked = Claim("X1", "here", "P", "a number", number="n", **defaults | claim)
    return verdicts.row(asked, {"n": Headline("n", "the number", value, asked.unit)})


@pytest.mark.parametrize(
    ("value", "claim", "shown", "verdict"),
    [
        (1.53, {}, "+2.0 %", "reproduced"),
        (1.47, {}, "-2.0 %", "reproduced"),
        (1.56, {}, "+4.0 %", "deviates"),
        (1.5, {}, "+0.0 %", "reproduced"),
        (-1.4, {"stated": -1.5, "unit": "meV", "tolerance": 0.2}, "+6.7 %", "reproduced"),
        (0.2, {"stated": 0.0, "stated_text": "0", "unit": "meV"}, "+0.200 meV", "deviates"),
        (1.8, {"compare": "at most"}, "+0.300", "deviates"),
        (1.2, {"compare": "at most"}, "+0", "reproduced"),
        (1.2, {"compare": "at least"}, "-0.300", "deviates"),
        (1.8, {"compare": "at least"}, "+0", "reproduced"),
        (2.5, {"compare": "between", "stated_to": 2.0}, "+0.500", "deviates"),
        (1.0, {"compare": "between", "stated_to": 2.0}, "-0.500", "deviates"),
        (1.7, {"compare": "between", "stated_to": 2.0}, "+0", "reproduced"),
    ],
)
def test_a_residual_has_the_sign_and_the_scale_it_is_read_with(value, claim, shown, verdict):
    found = row(value, **claim)
    assert (found.residual_text, found.verdict) == (shown, verdict)
    header, line, *_ = as_table([found]).splitlines()
    place = header.index("residual")
    assert line[place : place + len(shown) + 1].strip() == shown
    assert line[header.index("verdict") :].startswith(verdict)
