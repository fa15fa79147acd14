"""Every file that a sweep writes, damaged in every way: seen, and computed anew or refused.

The same command is given again in a folder in which one thing was changed. Either it ends with one
sentence and has changed nothing, or it ends with 0 and with the numbers of an untouched sweep;
and what lies outside of the folder is as it was.
"""

import os
import random
import shutil
import tempfile
from contextlib import nullcontext
from copy import copy
from functools import cache
from importlib import metadata
from pathlib import Path
from types import MappingProxyType

import pytest
from sweep_fakes import one_by_one, quick

from qdgain import cli, run
from qdgain.commands import Failure, UsageError
from qdgain.commands import sweep as command
from qdgain.model import dot
from qdgain.model.parameters import ParameterError
from qdgain.reruns.request import Request, names_of
from qdgain.sweep import notebooks, numbers
from qdgain.sweep.points import points

#: With a swept 0, and with a last part of one point.
NUMBERS = "sweep fig08 --over stokes_shift_meV=0,10,20,30,40 --numbers-only"
#: One of them fails.
NOTEBOOKS = "sweep fig08 --over stokes_shift_meV=0,13,20"


def cheap(chapter, given):
    """Numbers that differ from point to point and from column to column."""
    names = [q.name for q in numbers.quantities_of(chapter)]
    return {name: given["stokes_shift_meV"] + 1000 * i for i, name in enumerate(names)}


@pytest.fixture(autouse=True)
def in_no_time(monkeypatch):
    """Make the calls here, with numbers that cost nothing, two points a part, nothing synced."""
    monkeypatch.setattr(command.local, "local", lambda *_: nullcontext(one_by_one))
    monkeypatch.setattr(numbers, "numbers", cheap)
    monkeypatch.setattr(numbers.Sweep, "rows_per_part", 2)
    made = notebooks.Sweep.__init__

    def fast(self, *given, **named):
        made(self, *given, **named | {"function": quick})

    monkeypatch.setattr(notebooks.Sweep, "__init__", fast)
    monkeypatch.setattr(os, "fsync", lambda _: None)
    monkeypatch.setattr(metadata, "version", lambda _: "1.0")
    monkeypatch.setattr(run, "presets", cache(dot.presets))


@pytest.fixture
def place():
    """Return a folder in memory, where there is one."""
    memory = Path("/dev/shm")
    with tempfile.TemporaryDirectory(dir=memory if memory.is_dir() else None) as name:
        yield Path(name)


def tree(folder):
    """Return what lies in a folder: links by their target, files by their content."""
    return {
        path.relative_to(folder).as_posix(): os.readlink(path)
        if path.is_symlink()
        else path.read_bytes()
        if path.is_file()
        else path.stat().st_mode
        for path in sorted(folder.rglob("*"))
    }


# The ways of damage: each is given the path and the outside, and says if it could be done.


def remove(path):
    shutil.rmtree(path) if path.is_dir() else path.unlink()


def truncated(at):
    def damage(path, outside, pristine):
        content = path.read_bytes()
        path.write_bytes(content[: int(at * len(content))])

    return damage


def altered(seed):
    def damage(path, outside, pristine):
        content = bytearray(path.read_bytes())
        rng = random.Random(seed)
        place = rng.randrange(len(content))
        content[place] ^= 1 << rng.randrange(8)
        path.write_bytes(content)

    return damage


def longer(path, outside, pristine):
    with path.open("ab") as stream:
        stream.write(b"\n1")


def gone(path, outside, pristine):
    remove(path)


def empty_folder(path, outside, pristine):
    remove(path)
    path.mkdir()


def full_folder(path, outside, pristine):
    remove(path)
    path.mkdir()
    shutil.copy(outside / "mine.txt", path / "mine.txt")


def pipe(path, outside, pristine):
    remove(path)
    os.mkfifo(path)


def plain_file(path, outside, pristine):
    remove(path)
    path.write_text("nothing of a sweep")


def link_to_file(path, outside, pristine):
    remove(path)
    path.symlink_to(outside / "mine.txt")


def link_to_folder(path, outside, pristine):
    remove(path)
    path.symlink_to(outside)


def link_to_same(path, outside, pristine):
    remove(path)
    path.symlink_to(pristine)


def link_to_nothing(path, outside, pristine):
    remove(path)
    path.symlink_to(outside / "none")


def link_to_itself(path, outside, pristine):
    remove(path)
    path.symlink_to(path.name)


OF_ANYTHING = (
    *(gone, empty_folder, full_folder, pipe, plain_file),
    *(link_to_file, link_to_folder, link_to_same, link_to_nothing, link_to_itself),
)
OF_FILES = (
    *(truncated(part) for part in (0, 0.3, 0.7, 0.99)),
    longer,
    *(altered(seed) for seed in range(50)),
)


def swapped(one, other):
    def damage(path, outside, pristine):
        root = path.parents[one.count("/")]
        (root / one).rename(root / "aside")
        (root / other).rename(root / one)
        (root / "aside").rename(root / other)

    damage.other = other
    return damage


def copied(source):
    def damage(path, outside, pristine):
        remove(path)
        shutil.copy(source, path)

    return damage


def cases(pristine, other):
    """Yield every path in the folder of a sweep with every way to damage it."""
    paths = [path for path in sorted(pristine.rglob("*")) if path.name != "mine.txt"]
    files = [path for path in paths if path.is_file()]
    names = [path.relative_to(pristine).as_posix() for path in files]
    for path in paths:
        name = path.relative_to(pristine).as_posix()
        for damage in OF_ANYTHING:
            yield name, damage
    for path, name in zip(files, names, strict=True):
        if path.stat().st_size:
            for damage in OF_FILES:
                yield name, damage
        for another in names:
            if name < another:
                yield name, swapped(name, another)
        if (other / name).is_file():
            yield name, copied(other / name)


@pytest.fixture(scope="module", params=["numbers", "notebooks"])
def words(request):
    return {"numbers": NUMBERS, "notebooks": NOTEBOOKS}[request.param]


@cache
def parsed(words):
    return cli.parser("sweep").parse_args([*words.split(), "-o", ""])


def made(words, folder, csv=True, **fixed):
    """Give the command, and return whether it came to its end, and the sentence of a refusal."""
    given = copy(parsed(words))
    given.output, given.csv = str(folder), csv and given.numbers_only
    asked = Request(("fig08",), MappingProxyType({"floor": 0.02, **fixed}))
    found = points(names_of("fig08"), given.over, (), tuple(asked.given))
    make = command._numbers_only if given.numbers_only else command._notebooks
    try:
        make(given, "fig08", asked, found)
    except Failure as failure:
        return "runs failed" in str(failure), str(failure)
    except (ParameterError, UsageError) as refusal:
        return False, str(refusal)
    return True, ""


@pytest.mark.timeout(300)
def test_no_damage_gives_a_wrong_number_or_more_than_a_sentence(words, place):
    pristine, other, outside = (place / name for name in ("pristine", "other", "outside"))
    assert made(words, pristine)[0]
    # Every file, to the last bit; only the order of the sums may differ.
    names = [name for name in tree(pristine) if (pristine / name).is_file()]
    expected = {name: (pristine / name).read_bytes() for name in names if name[0] not in ".S"}
    # Another sweep's files of the same names.
    assert made(words, other, linewidth_meV=70.0)[0]
    outside.mkdir()
    (outside / "mine.txt").write_text("years of work")
    untouched, ends = tree(outside), {"refused": 0, "the same": 0}
    for number, (name, damage) in enumerate(cases(pristine, other)):
        folder = place / "case"
        shutil.copytree(pristine, folder)
        damage(folder / name, outside, pristine / name)
        what = f"case {number}: {name}, {damage.__qualname__} {getattr(damage, 'other', '')}"
        ended, said = made(words, folder, csv="csv" in what)
        if ended:
            assert {name: (folder / name).read_bytes() for name in expected} == expected, what
        else:
            assert said.endswith("."), what
            assert "\n" not in said, what
        ends["the same" if ended else "refused"] += 1
        assert tree(outside) == untouched, what
        shutil.rmtree(folder)
    assert sum(ends.values()) > 500, ends
    assert ends["the same"] > ends["refused"] > 0, ends
