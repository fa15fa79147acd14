"""Pages are read by several processes only where every extension allows it."""

from types import SimpleNamespace

import pytest

from qdgain.book import pages


class App:
    def __init__(self, **allowed):
        self.parallel = 1
        self.extensions = {
            name: SimpleNamespace(parallel_read_safe=safe) for name, safe in allowed.items()
        }
        self.listeners = {}

    def connect(self, event, listener):
        self.listeners[event] = listener

    def configured(self):
        self.listeners["config-inited"](self, None)
        return {name: extension.parallel_read_safe for name, extension in self.extensions.items()}


@pytest.mark.parametrize(("system", "processes"), [("linux", 3), ("darwin", 1), ("win32", 1)])
def test_as_many_processes_as_cores_where_forks_are_safe(system, processes, monkeypatch):
    monkeypatch.setattr(pages.os, "cpu_count", lambda: 3)
    monkeypatch.setattr(pages.sys, "platform", system)
    app = App()
    pages.read_in_parallel(app)
    assert app.parallel == processes


def test_only_the_two_that_say_nothing_are_answered_for():
    app = App(
        sphinx_multitoc_numbering=None, sphinx_jupyterbook_latex=False, another=None, last=True
    )
    pages.read_in_parallel(app)
    assert app.configured() == {
        "sphinx_multitoc_numbering": True,
        "sphinx_jupyterbook_latex": False,
        "another": None,
        "last": True,
    }
