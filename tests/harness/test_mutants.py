"""The references have teeth: a few deliberate faults of the list are tried in every run."""

import sys
import tomllib
from dataclasses import replace

import pytest

import mutants
import qdgain
from mutants import DIFFERENCE, EXCEPTION, HANDFUL, SURVIVED, Mutant, attempt, handful, today
from qdgain.figures import fig10


def test_every_mutant_is_one_of_the_library_as_it_is():
    every = mutants.mutants()
    assert [mutant.fault for mutant in every if mutant.fault] == []
    assert len(every) >= 40
    assert len({mutant.id for mutant in every}) == len(every)
    for mutant in every:
        assert mutant.old != mutant.new
        assert mutant.why
        if mutant.file.endswith(".toml"):
            text = (mutants.LIBRARY / mutant.file).read_text(encoding="utf-8")
            assert tomllib.loads(text) != tomllib.loads(text.replace(mutant.old, mutant.new))


def test_the_mutants_are_spread_over_the_library():
    files = {mutant.file for mutant in mutants.mutants()}
    physics = {
        path.relative_to(mutants.LIBRARY).as_posix()
        for path in mutants.LIBRARY.rglob("*.py")
        if any(word in path.read_text(encoding="utf-8") for word in ("FloatArray", "UnitCell"))
    }
    assert len(physics) > 40
    without_figure = {
        # Searches whose result is stored, and drawn from there.
        "calibration/run.py",
        # Errors of a fit, and a sweep, which is held to reruns.
        "fitting/fitted_dot.py",
        "sweep/numbers.py",
        # A series of fits, in a table.
        "commands/fit_dot_series.py",
        # What holds series and puts them into words, whatever is in them.
        "figures/description.py",
        "figures/panel.py",
        "figures/style.py",
    }
    assert without_figure < physics
    assert physics - without_figure <= files
    figures = {
        f"figures/{mutants.regression.page_of(name)}.py"
        for name in ("diagrams", *mutants.regression.CHAPTERS)
    }
    assert figures <= files
    assert any(file.startswith("data/") for file in files)


def test_every_mutant_has_its_day():
    days = -(-len(mutants.mutants()) // HANDFUL)
    seen = {mutant.id for day in range(today(), today() + days) for mutant in handful(day)}
    assert seen == {mutant.id for mutant in mutants.mutants()}
    assert handful(today()) == handful(today())


@pytest.mark.slow
# Numbered, not named: the names of a day would differ between workers started around midnight.
@pytest.mark.slow
@pytest.mark.parametrize("number", range(HANDFUL))
def test_a_mutant_of_the_day_is_killed(number, record_property):
    mutant = handful(today())[number]
    found = attempt(mutant)
    count = len(mutants.mutants())
    place = mutants.mutants().index(mutant) + 1
    ended = f"{found.kind}: {found.by}"
    record_property(
        "summary", f"mutant {place} of {count}, {mutant.id}: {ended} ({found.seconds:.1f} s)"
    )
    assert found.kind in (DIFFERENCE, EXCEPTION), f"{mutant.id} survives: {mutant.why}"


# --- the tool itself


def test_the_verdicts_on_the_stored_numbers_are_those_looked_at():
    assert mutants.regression.moved_verdict() == ""


HARMLESS = Mutant(
    "harmless",
    "figures/fig10.py",
    '"""Figure 10: absorption at 400 nm',
    '"""Figure 10: Absorption at 400 nm',
    "a comment changes nothing",
    "fig10/order",
)


def in_one_figure(monkeypatch):
    """Compare one small figure only."""
    monkeypatch.setattr(mutants.regression, "CHAPTERS", ("fig10",))
    monkeypatch.setattr(mutants.regression, "figures_of", lambda chapter: ("order",))


def test_what_changes_nothing_survives_and_is_reported(monkeypatch, capsys):
    in_one_figure(monkeypatch)
    assert attempt(HARMLESS).kind == SURVIVED
    monkeypatch.setattr(mutants, "mutants", lambda: (HARMLESS,))
    monkeypatch.setattr(mutants.signal, "setitimer", lambda *_: None)
    monkeypatch.setattr(mutants.signal, "signal", lambda *_: None)
    assert mutants.main([]) == 1
    lines = capsys.readouterr().out.splitlines()
    assert "SURVIVED" in lines[0]
    assert lines[-1].startswith("killed 0 of 1 in ")


def test_a_crash_is_told_from_a_difference(monkeypatch):
    in_one_figure(monkeypatch)
    stop = '\nraise RuntimeError("on purpose")\n\nSETTINGS = '
    fault = replace(HARMLESS, old="\nSETTINGS = ", new=stop)
    found = attempt(fault)
    assert found.kind == EXCEPTION
    assert "on purpose" in found.by


def test_the_library_is_as_before_after_a_mutant():
    before = list(sys.path)
    attempt(replace(HARMLESS, old="\nSETTINGS = ", new="\n1 / 0\nSETTINGS = ("))
    assert sys.modules["qdgain"] is qdgain
    assert sys.modules["qdgain.figures.fig10"] is fig10
    assert qdgain.__file__ == str(mutants.LIBRARY / "__init__.py")
    assert sys.path == before


def test_a_text_that_is_not_there_or_twice_is_refused(monkeypatch, capsys):
    gone = replace(HARMLESS, old="no such text")
    twice = replace(HARMLESS, old="import")
    nowhere = replace(HARMLESS, file="nothing.py")
    assert "stands 0 times" in gone.fault
    assert "times in figures/fig10.py" in twice.fault
    assert "there is no file" in nowhere.fault
    monkeypatch.setattr(mutants, "mutants", lambda: (gone,))
    assert mutants.main([]) == 2
    assert mutants.main(["unknown"]) == 2
    assert "there is no mutant 'unknown'" in capsys.readouterr().err
