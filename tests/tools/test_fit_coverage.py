"""The coverage of a fit's errors: what is stored meets its goals, and comes out again."""

import json
import random

import numpy as np
import pytest

import fit_coverage

STORED = json.loads(fit_coverage.RESULT.read_text(encoding="utf-8"))


def test_errors_hold_the_truth_as_often_as_they_should():
    assert STORED["experiments"] >= 2000
    assert STORED["accepted"] >= 0.9 * STORED["experiments"]
    both = zip(STORED["within_1"], STORED["within_2"], strict=True)
    shares = dict(zip(STORED["fields"], both, strict=True))
    for name in ("absorption_energy_eV", "stokes_shift_meV"):
        assert 0.68 <= shares[name][0] <= 0.95
        assert shares[name][1] >= 0.95
    for name in ("linewidth_meV", "emission_linewidth_meV"):
        assert shares[name][1] >= 0.90


def test_stated_correlations_are_those_of_the_scatter():
    found, stated = (np.array(STORED[f"correlation_{of}"]) for of in ("of_deviations", "stated"))
    assert np.abs(found - stated).max() < 0.25


def test_no_edge_is_taken_for_an_exciton():
    assert STORED["edges"] >= 200
    assert STORED["edges_accepted"] == 0


@pytest.mark.slow
def test_stored_experiments_come_out_again():
    for number in random.sample(range(fit_coverage.KEPT), 3):
        kept, again = STORED["first"][number], fit_coverage.outcome(number)
        if kept is None:
            assert again is None
        else:
            assert again[0] == kept[0]
            np.testing.assert_allclose([*again[1], *again[2]], kept[1:], rtol=0.05, atol=1e-3)
