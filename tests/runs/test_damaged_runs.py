"""Whatever became of the files of a rerun: a refusal in one sentence, or what is right; never else.

Every file that a rerun reads or replaces (run cards, parameter files, kept numbers, its folder) is
truncated, emptied, altered, swapped, and replaced by a folder, a link, a pipe or a huge file.
"""

import json
import math
import os
import random
import tomllib
from types import SimpleNamespace

import nbformat
import pytest

from qdgain import cli
from qdgain.commands import rerun as command
from qdgain.ledger import STORED_NUMBERS, joined, kept_numbers
from qdgain.paper.claims import Headline
from qdgain.reruns import rerun
from qdgain.reruns.run_folder import CARD_FILE

HEADLINES = ({"key": "fig06-a", "meaning": "a", "value": 1.5, "unit": "1", "repeats": ""},)
GIVEN = {"stokes_shift_meV": 60.0, "cooling_time_ps": 2.0}


@pytest.fixture
def executed(monkeypatch):
    """Let reruns take no time, and note what each was asked for."""
    tasks = []
    cells = [nbformat.v4.new_markdown_cell("# Fig 6", id="a")]
    notebook = nbformat.writes(nbformat.v4.new_notebook(cells=cells))

    def execute(todo):
        tasks.append(todo)
        return rerun.Executed(notebook, HEADLINES, {"data/fig06.csv": b"a,b\n"}, "now", 1.0)

    monkeypatch.setattr(rerun, "execute", execute)
    return tasks


def replaced(path, kind):
    """Replace a file by what is none."""
    path.unlink()
    if kind == "folder":
        path.mkdir()
    elif kind == "pipe":
        os.mkfifo(path)
    elif kind == "loop":
        path.symlink_to(path)
    elif kind == "link to nothing":
        path.symlink_to(path.with_name("nothing"))
    elif kind == "link to a device":
        path.symlink_to("/dev/zero")
    else:
        with path.open("wb") as stream:
            stream.truncate(10**12)


KINDS = ("folder", "pipe", "loop", "link to nothing", "link to a device", "huge file")


def damages(content, others, count, seed):
    """Yield many ways in which a file's content is no longer what it was."""
    yield b""
    yield b"\0" * len(content)
    yield content + content
    yield from others
    dice = random.Random(seed)
    for _ in range(count):
        place, length = dice.randrange(len(content)), dice.randrange(1, 12)
        yield content[:place]
        yield content[place:]
        yield content[:place] + dice.randbytes(1) + content[place + 1 :]
        yield content[:place] + content[place + length :]
        yield (
            content[:place]
            + bytes([content[place] ^ 1 << dice.randrange(7)])
            + content[place + 1 :]
        )
        digit = str(dice.randrange(10)).encode()
        yield content[:place] + digit + content[place:]


def ended(words, capsys):
    """Run a command; return its code once it is certain that it ended as it should."""
    code = cli.main([str(word) for word in words])
    printed = capsys.readouterr()
    assert code in (0, 2)
    if code == 2:
        assert printed.out == ""
        (line,) = printed.err.splitlines()
        assert line.startswith("qdgain: ")
        assert len(line) < 1100
        assert line.isprintable()
    return code


# --- run cards and parameter files


def files_of_parameters(folder, executed, capsys):
    """Return a run card and parameter files that ask for the same."""
    (folder / "dot.toml").write_text(
        "stokes_shift_meV = 60\ncooling_time_ps = 2\n[origin]\nfloor = 'mine'\n", encoding="utf-8"
    )
    (folder / "dot.json").write_text(json.dumps(GIVEN), encoding="utf-8")
    assert ended(["rerun", "fig06", "-f", folder / "dot.toml", "-o", folder / "run"], capsys) == 0
    return [folder / "run" / CARD_FILE, folder / "dot.toml", folder / "dot.json"]


def read_independently(path, content):
    """Return what is given in a file, by the standard library alone."""
    table = (tomllib if path.suffix == ".toml" else json).loads(content.decode("utf-8-sig"))
    table = table["given"] if "qdgain_run_card" in table else table
    return {name: value for name, value in table.items() if name in GIVEN}


@pytest.mark.parametrize("which", range(3), ids=["card", "toml", "json"])
def test_a_damaged_file_of_parameters_is_refused_or_means_what_it_says(
    which, tmp_path, executed, capsys
):
    paths = files_of_parameters(tmp_path, executed, capsys)
    path = paths[which]
    content = path.read_bytes()
    others = [other.read_bytes() for other in paths if other != path]
    chapter = [] if path.name == CARD_FILE else ["fig06"]
    before = sorted(tmp_path.rglob("*"))
    refused = 0
    for number, damaged in enumerate(damages(content, others, 40, which)):
        path.write_bytes(damaged)
        executed.clear()
        target = tmp_path / f"out-{number}"
        code = ended(["rerun", *chapter, "-f", path, "-o", target], capsys)
        assert target.exists() == (code == 0)
        refused += code == 2
        if code == 0:
            (todo,) = executed
            found = read_independently(path, damaged)
            assert {name: todo.given[name] for name in found} == found
            # A damaged name is no parameter: it cannot be passed over.
            assert set(todo.given) == set(found)
    assert refused > 40
    path.write_bytes(content)
    assert sorted(p for p in tmp_path.rglob("*") if "out-" not in str(p)) == before


@pytest.mark.parametrize("kind", KINDS)
def test_what_is_no_file_is_refused_without_waiting(kind, tmp_path, executed, capsys):
    for path in files_of_parameters(tmp_path, executed, capsys):
        replaced(path, kind)
        executed.clear()
        words = ["rerun", "fig06", "-f", path, "-o", tmp_path / "out"]
        assert ended(words, capsys) == 2
        assert executed == []


PARTS = ("chapter", "given", "headlines", "library", "qdgain_run_card")


@pytest.mark.parametrize("part", PARTS)
def test_a_card_without_a_part_is_refused_before_the_run(part, tmp_path, executed, capsys):
    card_file, *_ = files_of_parameters(tmp_path, executed, capsys)
    card = json.loads(card_file.read_text(encoding="utf-8"))
    executed.clear()
    for content in (None, 7, [7], {"hash": 7}, [{"key": "a"}], "text"):
        spoilt = {name: value for name, value in card.items() if name != part}
        if content is not None:
            spoilt[part] = content
        card_file.write_text(json.dumps(spoilt), encoding="utf-8")
        assert ended(["rerun", "-f", card_file, "-o", tmp_path / "out"], capsys) == 2
    assert executed == []


def test_an_altered_number_of_a_card_is_said(tmp_path, executed, capsys):
    card_file, *_ = files_of_parameters(tmp_path, executed, capsys)
    assert cli.main(["rerun", "-f", str(card_file), "-o", str(tmp_path / "same")]) == 0
    assert "all 1 numbers are those of the card" in capsys.readouterr().err
    card = json.loads(card_file.read_text(encoding="utf-8"))
    card["headlines"][0]["value"] = 1.6
    card_file.write_text(json.dumps(card), encoding="utf-8")
    assert cli.main(["rerun", "-f", str(card_file), "-o", str(tmp_path / "other")]) == 0
    said = capsys.readouterr().err
    assert "1 of 1 numbers are not those of the card: fig06-a" in said


# --- the folder that is replaced


@pytest.mark.parametrize("kind", ["file", "folder", *KINDS])
@pytest.mark.parametrize("inside", [True, False])
def test_only_a_folder_of_a_run_is_replaced_and_nothing_else_is_touched(
    kind, inside, tmp_path, executed, capsys
):
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "elsewhere" / "mine").write_text("mine", encoding="utf-8")
    target = tmp_path / "run"
    assert ended(["rerun", "fig06", "-o", target], capsys) == 0
    if inside:
        spoilt = target / CARD_FILE
    else:
        target.rename(tmp_path / "aside")
        target.write_text("mine", encoding="utf-8")
        spoilt = target
    if kind != "file":
        replaced(spoilt, kind)
    code = ended(["rerun", "fig06", "-o", target, "--replace"], capsys)
    # What was replaced had a card of a run in it, if one that is hardly readable.
    assert (code == 0) == (inside and kind in ("file", "huge file"))
    if code == 0:
        assert json.loads((target / CARD_FILE).read_text(encoding="utf-8"))["chapter"] == "fig06"
    assert (tmp_path / "elsewhere" / "mine").read_text(encoding="utf-8") == "mine"
    assert not list(tmp_path.glob(".*"))


# --- the kept numbers


NUMBERS = {
    chapter: [
        Headline(f"{chapter}-{i}", f"number {i}", value, "meV")
        for i, value in enumerate((1.5, math.inf, -2e-9, len(chapter) / 7))
    ]
    for chapter in ("fig06", "balance")
}


@pytest.fixture
def kept(tmp_path, monkeypatch):
    """Return the folder of the kept numbers of two quick chapters, and how often each was run."""
    runs = []

    def module(chapter):
        return SimpleNamespace(
            SETTINGS=(), headlines=lambda _: runs.append(chapter) or NUMBERS[chapter]
        )

    monkeypatch.setattr(joined, "MODULES", {chapter: module(chapter) for chapter in NUMBERS})
    monkeypatch.setenv(STORED_NUMBERS, str(tmp_path / "numbers"))
    joined.headlines_of.cache_clear()
    yield tmp_path / "numbers", runs
    joined.headlines_of.cache_clear()


def headlines_of(chapter):
    joined.headlines_of.cache_clear()
    return list(joined.headlines_of(chapter).values())


def test_numbers_are_kept_and_not_computed_again(kept):
    folder, runs = kept
    for _ in range(2):
        for chapter, numbers in NUMBERS.items():
            assert headlines_of(chapter) == numbers
    assert sorted(runs) == sorted(NUMBERS)
    assert sorted(path.name for path in folder.iterdir()) == ["balance.json", "fig06.json"]


def test_damaged_kept_numbers_are_computed_anew(kept):
    folder, runs = kept
    for chapter in NUMBERS:
        headlines_of(chapter)
    path = folder / "fig06.json"
    content, other = path.read_bytes(), (folder / "balance.json").read_bytes()
    cases = [d for d in damages(content, [other], 60, 1) if d != content]
    for damaged in cases:
        path.write_bytes(damaged)
        runs.clear()
        assert headlines_of("fig06") == NUMBERS["fig06"]
        assert runs == ["fig06"]
        # And kept as they are to be.
        assert path.read_bytes() == content
    assert len(cases) > 300


@pytest.mark.parametrize("kind", KINDS)
def test_what_is_no_file_of_numbers_is_replaced(kind, kept):
    folder, _ = kept
    for chapter in NUMBERS:
        headlines_of(chapter)
    replaced(folder / "fig06.json", kind)
    assert headlines_of("fig06") == NUMBERS["fig06"]
    assert (folder / "fig06.json").is_file()
    assert not (folder / "fig06.json").is_symlink()


@pytest.mark.parametrize("what", ["library_hash", "numpy", "scipy"])
def test_numbers_of_another_library_or_other_packages_are_not_taken(what, kept, monkeypatch):
    _, runs = kept
    headlines_of("fig06")
    another = (lambda: "0") if what == "library_hash" else SimpleNamespace(__version__="0")
    monkeypatch.setattr(kept_numbers, what, another)
    assert headlines_of("fig06") == NUMBERS["fig06"]
    assert runs == ["fig06", "fig06"]


@pytest.mark.parametrize("place", ["/proc/numbers", "/dev/null", "/dev/full", "\udcff", "a\udc80b"])
def test_where_nothing_can_be_kept_the_numbers_are_there_all_the_same(
    place, kept, monkeypatch, tmp_path
):
    # Two of the places are names in the working directory.
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv(STORED_NUMBERS, place)
    assert headlines_of("fig06") == NUMBERS["fig06"]


def test_several_chapters_stand_side_by_side_in_their_order(tmp_path, executed, capsys):
    assert cli.main(["rerun", "all", "-p", "stokes_shift_meV=60", "-o", str(tmp_path / "all")]) == 0
    said = capsys.readouterr().err.splitlines()
    assert said[0].startswith("stokes_shift_meV: fig06, ")
    assert sorted(todo.chapter for todo in executed) == sorted(
        path.name for path in (tmp_path / "all").iterdir() if path.is_dir()
    )
    assert command.CARD_FILE in [path.name for path in (tmp_path / "all").iterdir()]
