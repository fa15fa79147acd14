"""What a terminal, a disk or an environment can do to a command: one sentence and a code."""

import os
import re
import signal
import subprocess
import sys
import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from conftest import ROOT
from qdgain import cli
from qdgain.chapters import CHAPTERS
from qdgain.commands import claims as command
from qdgain.commands import say, tell
from qdgain.paper.claims import claims as statements
from qdgain.reruns import rerun
from qdgain.text import printable

#: A statement with letters that ASCII has not.
NOT_ASCII = next(name for name, claim in statements().items() if not claim.statement.isascii())
CONTROLS = "\x1b]0;title\x07\x9b31m\x08\r\x00\u202e\u2028\udc80"


@pytest.fixture(autouse=True)
def no_runs(monkeypatch):
    monkeypatch.setattr(rerun, "execute", lambda _: pytest.fail("a kernel was about to start"))


def is_plain(text):
    return printable(text) == text


def test_what_a_terminal_obeys_is_written_as_its_code(capsys):
    say(f"a{CONTROLS}b\nc")
    tell(f"a{CONTROLS}b\nc")
    printed = capsys.readouterr()
    assert printed.out.endswith("\\udc80b\nc\n")
    assert printed.out.startswith("a\\u001b]0;title\\u0007\\u009b31m\\u0008\\u000d\\u0000\\u202e")
    assert len(printed.err.splitlines()) == 1
    assert is_plain(printed.out)
    assert is_plain(printed.err)
    assert printable("⟨N⟩ = 1,5 µJ·cm⁻²\tΔ") != printable("⟨N⟩ = 1,5 µJ·cm⁻² Δ")
    assert printable("⟨N⟩ = 1,5 µJ·cm⁻² Δ\n") == "⟨N⟩ = 1,5 µJ·cm⁻² Δ\n"


def test_only_one_place_prints():
    for path in sorted((ROOT / "lib" / "qdgain" / "commands").glob("*.py")):
        text = path.read_text(encoding="utf-8")
        assert "print(" not in text, path.name
        assert ("sys.stdout" in text or "sys.stderr" in text) == (path.stem == "__init__")


def test_what_comes_out_of_files_is_written_as_its_code(tmp_path, capsys):
    bad = CONTROLS.encode("utf-8", "surrogatepass").decode("utf-8", "replace")
    for name, text in {
        "a.yaml": f'"{bad}": 1\n',
        "b.json": '{"qdgain_run_card": 1, "chapter": "\\u001b[31m", "given": {}}',
        "c.json": '{"\\u001b[31mred": 1}',
        "d.toml": 'floor = "\\u001b[31mred"',
        "e.toml": "floor = \x1b",
    }.items():
        (tmp_path / name).write_text(text, encoding="utf-8")
        words = ["rerun", "fig06", "-f", str(tmp_path / name), "-o", str(tmp_path / "out")]
        assert cli.main(words) == 2
        printed = capsys.readouterr()
        assert printed.out == ""
        assert len(printed.err.splitlines()) == 1
        assert is_plain(printed.err), name


@pytest.mark.parametrize("path", ["~nosuchuser/a.json", "a\0b.json", "a" * 5000 + ".json"])
def test_a_path_that_is_none_is_refused(path, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    for words in (
        ["-o", path],
        ["-f", path, "-o", "out"],
        ["-p", f"x1_spectra_csv={path}", "-o", "out"],
    ):
        assert cli.main(["rerun", "fig09", *words]) == 2
        printed = capsys.readouterr().err
        assert len(printed.splitlines()) == 1
        assert len(printed) < 1100
    assert list(tmp_path.iterdir()) == []


# Text of every kind, also what no encoding has, and what shells, paths and numbers are made of.
TEXTS = st.text(st.characters(codec=None), max_size=12) | st.sampled_from(
    [
        *("~nosuchuser/a.toml", "\0", "a\0.toml", "/dev/zero", "/dev/null/a.toml", "a" * 5000),
        *("1:2:3", "0:1:1e9", "nan", "9" * 5000, "stokes_shift_meV=60", "=", "-", "--", "fig06"),
        *("stokes_shift_meV=0x10", "--json", "-h", "..", "/", "{}", "${HOME}", "\u202e"),
    ]
)
WORDS = {
    "claims": ("--json",),
    "parameters": ("--json", *CHAPTERS[:2]),
    "rerun": ("-f", "-p", "-o", "--replace", *CHAPTERS[:2]),
    "advise": ("-f", "-p", "--to", "--at"),
    "fit-dot": ("-o", "--replace"),
}


def test_any_words_end_in_a_sentence_and_write_nothing(tmp_path, monkeypatch):
    """Never a traceback, whatever stands for a name, a number or a file."""

    @settings(max_examples=100)
    @given(st.sampled_from(sorted(WORDS)), st.data())
    def end(name, data):
        known = st.lists(st.sampled_from(WORDS[name]) | TEXTS, max_size=4)
        try:
            code = cli.main([name, *data.draw(known), data.draw(TEXTS)])
        except SystemExit as stop:
            code = stop.code
        assert code in (0, 2)

    monkeypatch.chdir(tmp_path)
    end()
    assert list(tmp_path.iterdir()) == []


# --- as processes


def qdgain(*words, **settings):
    streams = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "text": True, "timeout": 60}
    command_line = [sys.executable, "-m", "qdgain", *words]
    return subprocess.run(command_line, check=False, **streams | settings)


def test_a_full_disk_behind_the_output_is_said():
    # Else nothing is left to be written at exit.
    buffered = {k: v for k, v in os.environ.items() if k != "PYTHONUNBUFFERED"}
    with open("/dev/full", "w") as full:
        ended = qdgain("parameters", "fig06", stdout=full, env=buffered)
    assert ended.returncode == 2
    assert ended.stderr == (
        "qdgain: the standard output cannot be used: No space left on device.\n"
    )


def test_a_closed_output_is_said_before_anything_is_done():
    shell = f'"{sys.executable}" -m qdgain parameters fig06 >&-'
    ended = subprocess.run(["sh", "-c", shell], capture_output=True, text=True, check=False)
    assert ended.returncode == 2
    assert ended.stderr == "qdgain: the standard output is closed.\n"
    closed = subprocess.run(["sh", "-c", f"{shell} 2>&-"], capture_output=True, check=False)
    assert (closed.returncode, closed.stderr) == (2, b"")


def test_a_terminal_without_the_letters_and_a_home_that_is_none(tmp_path):
    poor = {
        **{name: value for name, value in os.environ.items() if not name.startswith("LC_")},
        "PYTHONIOENCODING": "ascii",
        "HOME": "/proc",
        "XDG_CACHE_HOME": "/proc/cache",
        "MPLBACKEND": "nonsense",
    }
    ended = qdgain("claims", NOT_ASCII, env=poor, cwd=tmp_path)
    assert (ended.returncode, ended.stderr) == (0, "")
    assert re.search(r"\\u[0-9a-f]{4}", ended.stdout)
    assert ended.stdout.isascii()
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP, signal.SIGINT])
def test_a_signal_ends_a_command_on_its_way_out(number, monkeypatch, capsys):
    left = []

    def interrupted():
        try:
            os.kill(os.getpid(), number)
            time.sleep(5)
        finally:
            left.append(True)

    monkeypatch.setattr(command.joined, "ledger", interrupted)
    before = signal.getsignal(number)
    assert cli.main(["claims"]) == 128 + number
    assert left == [True]
    assert signal.getsignal(number) is before
    assert capsys.readouterr().err == ""


def test_a_command_under_nohup_outlives_its_terminal(monkeypatch, capsys):
    monkeypatch.setattr(command.joined, "ledger", lambda: os.kill(os.getpid(), signal.SIGHUP) or ())
    before = signal.signal(signal.SIGHUP, signal.SIG_IGN)
    try:
        assert cli.main(["claims"]) == 0
    finally:
        signal.signal(signal.SIGHUP, before)
    assert "0 statements" in capsys.readouterr().out


@pytest.mark.parametrize(
    "error", [OSError(28, "No space left on device", "/tmp/x"), OSError(5, "Input/output error")]
)
def test_a_fault_of_a_disk_is_a_sentence(error, monkeypatch, capsys):
    def full():
        raise error

    monkeypatch.setattr(command.joined, "ledger", full)
    assert cli.main(["claims"]) == 2
    where = error.filename or "the standard output"
    assert capsys.readouterr().err == f"qdgain: {where} cannot be used: {error.strerror}.\n"
