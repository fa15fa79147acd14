"""Pages are read by several processes where that is safe."""

from types import SimpleNamespace

import pytest

from qdgain.book import pages


@pytest.mark.parametrize(("system", "processes"), [("linux", 3), ("darwin", 1), ("win32", 1)])
def test_as_many_processes_as_cores_where_forks_are_safe(system, processes, monkeypatch):
    monkeypatch.setattr(pages.os, "cpu_count", lambda: 3)
    monkeypatch.setattr(pages.sys, "platform", system)
    assert pages.processes() == processes


@pytest.mark.parametrize(("said", "then"), [(None, True), (False, False), (True, True)])
def test_only_an_extension_that_says_nothing_is_answered_for(said, then):
    extensions = {
        name: SimpleNamespace(parallel_read_safe=said)
        for name in ("sphinx_multitoc_numbering", "another")
    }
    pages._allow_parallel_reading(SimpleNamespace(extensions=extensions), None)
    assert extensions["sphinx_multitoc_numbering"].parallel_read_safe is then
    assert extensions["another"].parallel_read_safe is said


def test_a_book_without_that_extension_is_left_alone():
    pages._allow_parallel_reading(SimpleNamespace(extensions={}), None)
