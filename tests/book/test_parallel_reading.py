"""Pages are read by several processes where that is safe."""

import pytest

from qdgain.book import pages


@pytest.mark.parametrize(("system", "processes"), [("linux", 3), ("darwin", 1), ("win32", 1)])
def test_as_many_processes_as_cores_where_forks_are_safe(system, processes, monkeypatch):
    monkeypatch.setattr(pages.os, "cpu_count", lambda: 3)
    monkeypatch.setattr(pages.sys, "platform", system)
    assert pages.processes() == processes
