"""No figure drifts: every series of every panel is as its reference, and a drift would be seen."""

import re
import shutil
from copy import deepcopy
from dataclasses import replace

import numpy as np
import pytest

import regression
import update_references
from qdgain.figures.panel import Axis, Panel, Series
from regression import (
    CHAPTERS,
    HEADLINES,
    TOLERANCES,
    compute,
    computed,
    figures_of,
    page_of,
    stored,
)
from regression_picture import draw, report

pytestmark = pytest.mark.slow


def found_in(chapter, figure, result, reference=None):
    return list(regression.differences(chapter, figure, result, reference or stored(chapter)))


def scaled(series, factor):
    """Return a series with what it shows multiplied, or moved where it is zero."""
    names = ("z",) if series.z is not None else ("y", "y_low", "y_high")
    values = {name: getattr(series, name) for name in names}
    if not np.nan_to_num(series.values).any():
        return replace(series, y=series.y + factor - 1)
    return replace(series, **{n: factor * v for n, v in values.items() if v is not None})


# --- as they are


@pytest.mark.parametrize("chapter", CHAPTERS)
def test_every_series_and_headline_is_as_its_reference(chapter):
    found = [
        difference
        for figure in figures_of(chapter)
        for difference in found_in(chapter, figure, computed(chapter, figure))
    ]
    if found:
        pytest.fail(report(found), pytrace=False)


@pytest.mark.parametrize("chapter", CHAPTERS)
def test_references_cover_every_series_and_say_how_far_and_why(chapter):
    reference = stored(chapter)
    assert list(reference["figures"]) == list(figures_of(chapter))
    for figure in figures_of(chapter):
        known, result = reference["figures"][figure], computed(chapter, figure)
        if figure == HEADLINES:
            assert list(known) == [row.key for row in result]
            records = [known]
        else:
            records = [record["series"] for record in known.values()]
            assert [list(r) for r in records] == [[s.name for s in p.series] for p in result]
        for record in records:
            for name, entry in record.items():
                assert entry["tolerance"] == regression.tolerance_of(chapter, figure, name)
                assert entry["tolerance"] in reference["tolerances"]
    for name, entry in reference["tolerances"].items():
        assert entry == TOLERANCES[name].store(), "run make references"


@pytest.mark.parametrize("chapter", CHAPTERS)
def test_a_reference_is_as_the_command_wrote_it_with_its_reason_in_the_history(chapter):
    recorded = stored(chapter)["recorded"]
    assert {"date", "qdgain", "library", "reason", "content"} == set(recorded)
    assert recorded["content"] == regression.content_sum(stored(chapter))
    start = f"- {recorded['date']}, qdgain {recorded['qdgain']}, library {recorded['library']}, "
    history = (regression.REFERENCES / "HISTORY.md").read_text(encoding="utf-8").splitlines()
    entries = [line.removeprefix(start) for line in history if line.startswith(start)]
    names, reason = next(
        (names.split(", "), reason)
        for names, _, reason in (entry.partition(": ") for entry in entries)
        if reason == recorded["reason"]
    )
    assert chapter in names
    assert len(reason.split()) >= 3


@pytest.mark.parametrize("chapter", CHAPTERS)
def test_no_point_of_any_series_can_move_by_a_thousandth_of_the_largest_unseen(chapter):
    """A point that is not stored moves the mean of n by its n-th part."""
    figures = stored(chapter)["figures"]
    panels = [p for name in figures if name != HEADLINES for p in figures[name].values()]
    for name, record in ((n, r) for panel in panels for n, r in panel["series"].items()):
        tolerance = TOLERANCES[record["tolerance"]]
        for array in (record[a] for a in regression.ARRAYS if a in record):
            points = int(np.prod(array["shape"]))
            if len(array["sample"]) < points:
                slack = points * (tolerance.relative + tolerance.absolute)
                largest = np.abs(regression.floats(array["statistics"][2:4])).max()
                # Of logarithms, that of the largest decides what a thousandth of a value is.
                assert slack * (largest if tolerance.logs else 1) < 1e-3, name


def test_every_rule_of_tolerances_is_used():
    paths = [
        f"{page_of(chapter)}/{figure}/{name}"
        for chapter in CHAPTERS
        for figure, known in stored(chapter)["figures"].items()
        for record in ([known] if figure == HEADLINES else [p["series"] for p in known.values()])
        for name in record
    ]
    for pattern, _ in regression.RULES:
        assert any(regression.fits(path, pattern) for path in paths), pattern


def test_the_references_are_compact():
    size = sum(path.stat().st_size for path in regression.REFERENCES.iterdir())
    assert size < 100_000 * len(CHAPTERS)


@pytest.mark.parametrize("chapter", [c for c in CHAPTERS if c != "calibrated"])
def test_figures_return_panels_with_named_series_and_units(chapter, tmp_path):
    for figure in figures_of(chapter)[:-1]:
        for panel in computed(chapter, figure):
            assert isinstance(panel, Panel), figure
            assert panel.series
            for series in panel.series:
                assert series.x_axis.unit
                assert series.y_axis.unit
                assert all("[" in header for header in series.columns())
            if sum(series.values.size for series in panel.series) < 5000:  # maps take long
                target = tmp_path / "panel.csv"
                panel.to_csv(target)
                header, first = target.read_text(encoding="utf-8").splitlines()[:2]
                assert header.startswith("series,")
                assert "[" in header
                assert first.split(",")[0].strip('"')


@pytest.mark.parametrize("chapter", [c for c in CHAPTERS if c != "calibrated"])
def test_headlines_have_keys_of_their_own(chapter):
    rows = computed(chapter, HEADLINES)
    keys = [row.key for row in rows]
    assert len(set(keys)) == len(keys)
    for row in rows:
        assert row.key.startswith(page_of(chapter)), row.key
        # A count is whole.
        assert isinstance(row.value, float | int), row.key


# --- a drift is seen


@pytest.mark.parametrize("chapter", CHAPTERS)
def test_one_per_cent_of_any_series_or_headline_is_seen(chapter):
    for figure in figures_of(chapter):
        result = computed(chapter, figure)
        if figure == HEADLINES:
            wrong = [replace(row, value=1.01 * row.value) for row in result]
            seen = {difference.series for difference in found_in(chapter, figure, tuple(wrong))}
            assert seen == {r.key for r in result if r.value and np.isfinite(r.value)}
            continue
        wrong = tuple(
            replace(panel, series=tuple(scaled(series, 1.01) for series in panel.series))
            for panel in result
        )
        seen = {(d.panel, d.series) for d in found_in(chapter, figure, wrong)}
        for number, panel in enumerate(result, start=1):
            for series in panel.series:
                assert (f"{figure}, {number}", series.name) in seen


def test_one_point_that_is_not_stored_cannot_move_unseen():
    panels = computed("fig08", "contours")
    z = np.array(panels[0]["gain"].z)
    stored_points = regression.sample_indices(z.shape, "closed form", of_map=True)
    (hidden,) = [i for i in (7777,) if i not in stored_points]
    z.ravel()[hidden] += 0.01
    first = replace(panels[0], series=(replace(panels[0]["gain"], z=z), *panels[0].series[1:]))
    (found,) = found_in("fig08", "contours", (first, *panels[1:]))
    assert "agrees at the stored points, but" in found.sentence
    assert f"over all {z.size}" in found.sentence
    assert "between the stored points" in draw(found).get_suptitle()


# --- said in a sentence, and shown

ENERGY, TIME = Axis("photon energy", "eV"), Axis("delay", "ps")


def gaussian(**changes):
    x = np.linspace(1.9, 2.1, 201)
    return replace(Series("band", x, np.exp(-(((x - 2) / 0.05) ** 2)), ENERGY, TIME), **changes)


def reference_of(*series):
    panels = (Panel("e", "some dot", series),)
    record = update_references.plain(regression.figure_record("fig08", "gain", panels))
    return {"figures": {"gain": record}}


def told(reference, *series, letter="e"):
    panels = (Panel(letter, "some dot", series),)
    return found_in("fig08", "gain", panels, reference)


def test_a_failure_names_panel_series_energy_and_size_and_writes_a_picture(tmp_path):
    y = np.array(gaussian().y)
    y[84:93] += 0.25
    found = told(reference_of(gaussian()), gaussian(y=y))
    message = report(found, tmp_path)
    assert message.startswith(
        "fig08, panel e (gain, 1: some dot), series 'band': y differs at 1 of"
    )
    assert "most at photon energy = 1.9" in message
    assert re.search(
        r"off by 0\.25 where \S+e-(09|10) is allowed \(closed form\)\. Picture: ", message
    )
    (path,) = tmp_path.iterdir()
    assert str(path) in message
    assert path.read_bytes().startswith(b"\x89PNG")
    assert told(reference_of(gaussian()), gaussian()) == []


def test_the_picture_has_reference_and_now_above_and_the_difference_below():
    (found,) = told(reference_of(gaussian()), scaled(gaussian(), 1.1))
    above, below = draw(found).axes
    now, reference = above.get_lines()
    np.testing.assert_allclose(now.get_ydata(), 1.1 * gaussian().y)
    np.testing.assert_allclose(reference.get_ydata().max(), 1.0, rtol=1e-3)
    np.testing.assert_allclose(np.max(below.get_lines()[0].get_ydata()), 0.1, rtol=1e-3)


def mapped(factor=1.0):
    x, y = np.linspace(1.9, 2.1, 41), np.linspace(0, 6, 31)
    z = np.array(factor * np.outer(y, x))
    return Series("map", x, y, ENERGY, TIME, z=z, z_axis=Axis("signal"), kind="map")


def test_a_map_names_both_coordinates_and_is_pictured(tmp_path):
    (found,) = told(reference_of(mapped()), mapped(1.01))
    assert "photon energy = " in found.sentence
    assert "delay = " in found.sentence
    assert ".png" in report([found], tmp_path)
    assert len(draw(found).axes) == 6  # three maps and their scales


@pytest.mark.parametrize(
    ("changed", "sentence"),
    [
        ({"y_axis": Axis("delay", "fs")}, "y_axis is 'delay [fs]', in the reference 'delay [ps]'."),
        ({"kind": "points"}, "kind is 'points', in the reference 'line'."),
        ({"quantity": "PL_X"}, "quantity is 'PL_X', in the reference ''."),
        ({"x": [1, 2], "y": [1, 2]}, "x has the shape (2,), in the reference (201,)."),
        ({"y_low": np.zeros(201)}, "y_low is new, without reference."),
        ({"name": "other"}, "series 'band' of the reference is no longer there."),
        (
            {"y": np.where(np.arange(201) == 3, np.nan, gaussian().y)},
            "y is nan at 3 to 3, in the reference finite everywhere (positions in the array).",
        ),
    ],
)
def test_other_changes_are_said_plainly(changed, sentence, tmp_path):
    found = told(reference_of(gaussian()), gaussian(**changed))
    assert sentence in found[0].sentence
    assert report(found, tmp_path)


def test_a_new_series_and_another_letter_and_order_are_said_plainly():
    one, two = gaussian(), gaussian(name="two")
    (new,) = told(reference_of(one), one, two)
    assert new.sentence.endswith("series 'two' is new and has no reference.")
    (letter,) = told(reference_of(one), one, letter="f")
    assert letter.sentence.endswith("its letter is 'f', in the reference 'e'.")
    (order,) = told(reference_of(one, two), two, one)
    assert order.sentence.endswith("the series are in another order: two, band.")


def test_infinities_are_compared_by_place_and_sign():
    y = np.array(gaussian().y)
    y[5], y[9] = np.inf, -np.inf
    known = reference_of(gaussian(y=y))
    assert told(known, gaussian(y=y)) == []
    (found,) = told(known, gaussian(y=-y))[:1]
    assert "y is -inf at 5 to 5, inf at 9 to 9" in found.sentence


# --- stored anew


def test_without_a_reason_nothing_is_written(tmp_path, capsys, monkeypatch):
    for reason in ("", "  \n ", "new numbers"):
        with pytest.raises(update_references.Refused, match="reason"):
            update_references.update(reason, tmp_path)
    assert list(tmp_path.iterdir()) == []
    before = {path: path.read_bytes() for path in regression.REFERENCES.iterdir()}
    monkeypatch.delenv("REASON", raising=False)
    assert update_references.main() == 2
    output = capsys.readouterr()
    assert output.out == ""
    assert output.err.count("\n") == 1
    assert "make references REASON=" in output.err
    assert before == {path: path.read_bytes() for path in regression.REFERENCES.iterdir()}


def test_only_what_differs_is_stored_with_version_date_and_reason(tmp_path, capsys):
    folder = tmp_path / "reference"
    shutil.copytree(regression.REFERENCES, folder)
    sound = (folder / "fig08.json").read_text(encoding="utf-8")
    wrong = deepcopy(stored("fig08"))
    wrong["figures"]["saturation"]["saturation, 1"]["series"]["Rabi, and sequential"]["y"][
        "sample"
    ][3] *= 1.01
    # Within its tolerance: it keeps its text.
    kept = wrong["figures"]["spectra"]["spectra, 1"]["series"]["A_X"]["y"]["sample"]
    kept[3] *= 1 + 1e-11
    (folder / "fig08.json").write_text(update_references.text(wrong) + "\n", encoding="utf-8")
    told_of, by_hand = update_references.update("a test of\nthe command", folder)
    assert by_hand == "fig08: the file is not as this command has written it."
    assert told_of in capsys.readouterr().out
    assert "series 'Rabi, and sequential'" in told_of
    now = (folder / "fig08.json").read_text(encoding="utf-8")
    lines = [(a, b) for a, b in zip(sound.splitlines(), now.splitlines(), strict=True) if a != b]
    # The record of the change, and the one array whose text was kept.
    assert [a.split(":")[0].strip() for a, _ in lines][-1] == '"y"'
    assert all("sample" not in a for a, _ in lines[:-1])
    assert str(kept[3]) in now
    recorded = stored("fig08", folder)["recorded"]
    assert recorded["reason"] == "a test of the command"
    history = (folder / "HISTORY.md").read_text(encoding="utf-8").splitlines()
    assert history[-1].endswith("fig08: a test of the command")
    assert recorded["date"] in history[-1]
    for path in regression.REFERENCES.glob("*.json"):
        if path.stem != "fig08":
            assert path.read_bytes() == (folder / path.name).read_bytes()
    assert update_references.update("again with nothing new", folder) == []


def test_a_reference_is_of_this_library_and_not_of_a_cache():
    """What mutants rely on: computing again gives the same, without the cache."""
    assert found_in("fig10", "order", compute("fig10", "order")) == []
