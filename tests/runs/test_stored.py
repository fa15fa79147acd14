"""Stored results are still what the library gives: random points of each, computed anew."""

import json
import math
from datetime import date

import numpy as np
import pytest

from qdgain import makers, stored
from qdgain.version import STORED

#: Twice what rounding can do to a result, which is stored with five digits or with four.
ROUNDING = {"auger": 1e-4, "information": 1e-3, "shares": 0.0}
#: Fewer would prove little.
POINTS = 3


@pytest.mark.parametrize("name", makers.MAKERS)
def test_random_points_are_as_stored(name):
    # Other points every day, the same ones in every worker and repetition of a day.
    random = np.random.default_rng(date.today().toordinal())
    points = list(makers.MAKERS[name].again(stored.stored(name), random))
    assert len(points) >= POINTS
    for point in points:
        assert math.isclose(point.stored, point.now, rel_tol=ROUNDING[name], abs_tol=1e-9), (
            f"{name}, {point.what}: {point.stored:g} is stored, {point.now:g} computed now: "
            "run make data"
        )


@pytest.mark.parametrize("name", makers.MAKERS)
def test_a_stored_result_says_what_made_it(name):
    made = stored.origin(name)
    assert set(made) == {"date", "version", "library"}
    assert len(made["library"]) == 64


def test_every_stored_file_has_its_maker():
    assert {path.stem for path in STORED.glob("*.json")} == set(makers.MAKERS)


def test_a_result_is_stored_whole_and_read_back(tmp_path, monkeypatch):
    monkeypatch.setattr(stored, "STORED", tmp_path)
    stored.store("sample", {"values": stored.rounded([[1 / 3, 2e-9]], 4)})
    content = json.loads((tmp_path / "sample.json").read_text(encoding="utf-8"))
    assert content["result"] == {"values": [[0.3333, 2e-9]]}
    assert [path.name for path in tmp_path.iterdir()] == ["sample.json"]
    with pytest.raises(ValueError, match="JSON"):
        stored.store("sample", {"values": math.nan})
    assert json.loads((tmp_path / "sample.json").read_text(encoding="utf-8")) == content


def test_an_unknown_name_is_refused_before_anything_is_made():
    with pytest.raises(SystemExit, match="'nothing' is no stored result"):
        makers.main(["nothing"])
