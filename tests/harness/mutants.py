"""Deliberate faults in the library, each of which must turn the references red: make mutants.

A mutant is the library with one text of one file replaced. It is imported in this process from a
copy, and its figures are compared with the references until the first difference. One that no
figure can show, as of a sweep, names the tests that must fail with it.
"""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
import tomllib
import warnings
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass
from datetime import date
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple

import regression

LIST = regression.ROOT / "tests" / "harness" / "mutants.toml"
LIBRARY = regression.ROOT / "lib" / "qdgain"
#: So many are tried in every test run, others each day.
HANDFUL = 1
#: No mutant may take longer; those that end take a few seconds.
LIMIT_S = 60.0

#: `Mutant.seen_in` of a fault in how statements are judged.
LEDGER = "ledger"
DIFFERENCE, EXCEPTION, TIMEOUT, SURVIVED = "difference", "exception", "timeout", "survived"


@dataclass(frozen=True)
class Mutant:
    """One deliberate fault.

    Parameters
    ----------
    id : str
        Its name.
    file : str
        Within the library.
    old, new : str
        The text that is replaced, which stands there exactly once, and what replaces it.
    why : str
        The mistake it stands for.
    seen_in : str
        Chapter and figure that are compared first, for speed alone; all others follow. `LEDGER`
        has the verdicts compared. With a path such as ``tests/sweep/test_local.py``, the tests
        that are run instead.
    """

    id: str
    file: str
    old: str
    new: str
    why: str
    seen_in: str = ""

    @property
    def fault(self) -> str:
        """Why this is no mutant of the library as it is; empty if it is one."""
        path = LIBRARY / self.file
        if not path.is_file():
            return f"{self.id}: there is no file {self.file}"
        found = path.read_text(encoding="utf-8").count(self.old)
        return "" if found == 1 else f"{self.id}: {self.old!r} stands {found} times in {self.file}"


class Outcome(NamedTuple):
    """How a mutant ended, by what, and after how long."""

    kind: str
    by: str
    seconds: float


@cache
def mutants() -> tuple[Mutant, ...]:
    """Return the list."""
    return tuple(Mutant(**row) for row in tomllib.loads(LIST.read_text("utf-8"))["mutant"])


def handful(day: int, count: int = HANDFUL) -> tuple[Mutant, ...]:
    """Return the mutants of a day: the next few of the list, around and around."""
    every = mutants()
    return tuple(every[(count * day + i) % len(every)] for i in range(count))


def today() -> int:
    return date.today().toordinal()


@contextmanager
def mutated(mutant: Mutant) -> Iterator[None]:
    """Let qdgain be imported with the fault inside the context, and as it is again after it."""
    aside = {name: sys.modules[name] for name in sys.modules if _is_qdgain(name)}
    no_bytecode = sys.dont_write_bytecode
    with tempfile.TemporaryDirectory() as folder, warnings.catch_warnings():
        warnings.simplefilter("ignore")
        shutil.copytree(LIBRARY, Path(folder, "qdgain"))
        path = Path(folder, "qdgain", mutant.file)
        before = path.stat()
        text = path.read_text(encoding="utf-8")
        path.write_text(text.replace(mutant.old, mutant.new), encoding="utf-8")
        # Another time, so that no stored bytecode is taken for the changed source.
        os.utime(path, (before.st_atime, before.st_mtime + 100))
        for name in aside:
            del sys.modules[name]
        sys.path.insert(0, folder)
        sys.dont_write_bytecode = True
        try:
            yield
        finally:
            sys.path.remove(folder)
            sys.dont_write_bytecode = no_bytecode
            for name in [name for name in sys.modules if _is_qdgain(name)]:
                del sys.modules[name]
            sys.modules.update(aside)


def _is_qdgain(name: str) -> bool:
    return name == "qdgain" or name.startswith("qdgain.")


def attempt(mutant: Mutant) -> Outcome:
    """Compare a mutant's figures with the references until something differs."""
    start = time.perf_counter()

    def outcome(kind: str, by: str = "") -> Outcome:
        return Outcome(kind, by, time.perf_counter() - start)

    in_tests = mutant.seen_in.startswith("tests/")
    with nullcontext() if in_tests else mutated(mutant):
        try:
            if in_tests:
                failed = failed_test(mutant)
                return outcome(DIFFERENCE if failed else SURVIVED, failed)
            if mutant.seen_in == LEDGER and (moved := regression.moved_verdict()):
                return outcome(DIFFERENCE, f"{LEDGER}/{moved}")
            for chapter, figure in _order(mutant):
                result = regression.compute(chapter, figure)
                stored = regression.stored(chapter)
                for difference in regression.differences(chapter, figure, result, stored):
                    return outcome(DIFFERENCE, difference.place)
        except TimeoutError:
            return outcome(TIMEOUT)
        except Exception as error:
            return outcome(EXCEPTION, f"{type(error).__name__}: {error}")
    return outcome(SURVIVED)


def failed_test(mutant: Mutant) -> str:
    """Return the first of a mutant's tests that fails with it; nothing if none does."""
    with tempfile.TemporaryDirectory() as folder:
        library = Path(folder, "lib", "qdgain")
        shutil.copytree(LIBRARY, library, ignore=shutil.ignore_patterns("__pycache__"))
        Path(folder, "book").symlink_to(regression.ROOT / "book")
        text = (library / mutant.file).read_text(encoding="utf-8")
        (library / mutant.file).write_text(text.replace(mutant.old, mutant.new), encoding="utf-8")
        options = ("-q", "-x", "-m", "not slow", "--tb=no", "-p", "no:cacheprovider")
        done = subprocess.run(
            [sys.executable, "-m", "pytest", *options, mutant.seen_in],
            cwd=regression.ROOT,
            env=os.environ | {"PYTHONPATH": str(library.parent)},
            capture_output=True,
            text=True,
            check=False,
        )
    # With 1 a test has failed; everything else but 0 is a fault of the list.
    if done.returncode not in (0, 1):
        raise RuntimeError(f"{mutant.seen_in} cannot be run: {done.stdout}{done.stderr}")
    failed = [line for line in done.stdout.splitlines() if line.startswith("FAILED ")]
    return failed[0].split()[1] if failed else ""


def _order(mutant: Mutant) -> Iterator[tuple[str, str]]:
    """Yield every chapter and figure, the one named with the mutant first."""
    first = tuple(mutant.seen_in.split("/")) if "/" in mutant.seen_in else ()
    if first:
        yield first[0], first[1]
    for chapter in regression.CHAPTERS:
        for figure in regression.figures_of(chapter):
            if (chapter, figure) != first:
                yield chapter, figure


def _expired(*_: Any) -> None:
    raise TimeoutError


def main(wanted: Sequence[str]) -> int:
    """Try all mutants, or those named; return 0 if none survives."""
    chosen = [mutant for mutant in mutants() if not wanted or mutant.id in wanted]
    faults = [mutant.fault for mutant in chosen if mutant.fault]
    faults += [f"there is no mutant {name!r}" for name in wanted if name not in _ids()]
    if faults:
        print("\n".join(faults), file=sys.stderr)
        return 2
    signal.signal(signal.SIGALRM, _expired)
    width = max(len(mutant.id) for mutant in chosen)
    ended: dict[str, int] = {}
    total = 0.0
    for mutant in chosen:
        signal.setitimer(signal.ITIMER_REAL, LIMIT_S)
        found = attempt(mutant)
        signal.setitimer(signal.ITIMER_REAL, 0)
        ended[found.kind] = ended.get(found.kind, 0) + 1
        total += found.seconds
        what = found.by if found.kind == DIFFERENCE else f"{found.kind} {found.by}".upper()
        print(f"{mutant.id:<{width}}  {found.seconds:5.1f} s  {what}", flush=True)
    killed = ended.get(DIFFERENCE, 0) + ended.get(EXCEPTION, 0)
    crashed, late = ended.get(EXCEPTION, 0), ended.get(TIMEOUT, 0)
    print(
        f"killed {killed} of {len(chosen)} in {total:.0f} s "
        f"({crashed} by an exception, {late} ran out of time)"
    )
    return 0 if killed == len(chosen) else 1


def _ids() -> set[str]:
    return {mutant.id for mutant in mutants()}


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
