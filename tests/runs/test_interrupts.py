"""Ctrl-C ends a command even where a library swallows it, and nothing is written then."""

import fcntl
import os
import signal
import threading
from contextlib import suppress

import pytest

from qdgain import cli, interrupts
from qdgain.commands import rerun as command
from qdgain.files import whole, write_whole, written_aside


def swallowed():
    """Be interrupted where nobody hears of it, as in a callback of a library."""
    with suppress(KeyboardInterrupt):
        os.kill(os.getpid(), signal.SIGINT)


def test_what_was_swallowed_is_raised_when_asked_for_and_not_remembered_longer():
    before = signal.getsignal(signal.SIGINT)
    with interrupts.remembered():
        interrupts.raise_pending()
        swallowed()
        with pytest.raises(KeyboardInterrupt):
            interrupts.raise_pending()
    assert signal.getsignal(signal.SIGINT) is before
    interrupts.raise_pending()
    with interrupts.remembered():
        interrupts.raise_pending()


def write_and_be_interrupted(target):
    with interrupts.remembered(), whole(target) as aside:
        aside.write_text("whole", encoding="utf-8")
        swallowed()


def test_nothing_appears_after_an_interrupt_that_was_swallowed(tmp_path):
    with pytest.raises(KeyboardInterrupt):
        write_and_be_interrupted(tmp_path / "out")
    assert list(tmp_path.iterdir()) == []


def test_a_command_that_went_on_all_the_same_says_that_it_was_interrupted(monkeypatch):
    monkeypatch.setattr(command, "run", lambda given: swallowed())
    assert cli.main(["rerun", "fig06", "-o", "nowhere"]) == 128 + signal.SIGINT


def test_other_threads_are_left_alone():
    def enter():
        with interrupts.remembered():
            interrupts.raise_pending()
            found.append(signal.getsignal(signal.SIGINT))

    found = []
    thread = threading.Thread(target=enter)
    thread.start()
    thread.join()
    assert found == [signal.getsignal(signal.SIGINT)]


def test_what_dead_processes_left_beside_a_target_is_removed(tmp_path):
    names = ("dead", "alive", "young", "another's")
    places = {name: tmp_path / f".out.unfinished-{name}" for name in names}
    places["another's"] = tmp_path / ".output.unfinished-1"
    for name, place in places.items():
        (place / "out").mkdir(parents=True)
        if name != "young":
            os.utime(place, (0, 0))
    (tmp_path / ".out.unfinished-link").symlink_to(tmp_path)
    held = os.open(places["alive"], os.O_RDONLY)
    fcntl.flock(held, fcntl.LOCK_EX)
    with whole(tmp_path / "out") as aside:
        assert not places["dead"].exists()
        assert places["alive"].exists()
        assert places["young"].exists()
        assert places["another's"].exists()
        os.utime(aside.parent, (0, 0))
        # Of a living process, however old: another command with this target leaves it alone.
        with suppress(ZeroDivisionError), whole(tmp_path / "out"):
            raise ZeroDivisionError
        aside.write_text("whole", encoding="utf-8")
    assert (tmp_path / "out").read_text(encoding="utf-8") == "whole"
    os.close(held)


def test_a_file_is_replaced_in_one_step_and_nothing_is_left_aside(tmp_path):
    target = tmp_path / "new" / "note.txt"
    for content in ("Δ\n", b"bytes"):
        write_whole(target, content)
        assert target.read_bytes() == (content if isinstance(content, bytes) else content.encode())
    with suppress(ZeroDivisionError), written_aside(target) as aside:
        aside.write_text("half")
        raise ZeroDivisionError
    assert target.read_bytes() == b"bytes"
    assert list(target.parent.iterdir()) == [target]
