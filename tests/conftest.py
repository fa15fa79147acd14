"""What all tests share."""

from pathlib import Path

import hypothesis
import pytest
from xdist.scheduler import LoadFileScheduling

from qdgain.book import pdf

#: The fixtures of a page with an explorer.
pytest_plugins = ["explorer_reader"]
ROOT = Path(__file__).resolve().parents[1]
#: What the ledger promises to give of each statement as data.
CLAIM_KEYS = {
    "id",
    "where",
    "kind",
    "statement",
    "stated",
    "computed",
    "unit",
    "tolerance",
    "verdict",
    "function",
}

# A shared machine can be slow at any moment; examples are the same on every run.
hypothesis.settings.register_profile("project", deadline=None, derandomize=True, max_examples=60)
hypothesis.settings.load_profile("project")


@pytest.fixture(scope="session")
def root():
    return ROOT


@pytest.fixture(scope="module")
def browser():
    """Return the system's Chromium, driven; without one the test is skipped."""
    path = pdf.installed()
    if path is None:
        pytest.skip("no Chromium is installed")
    # Of a file's own: its event loop would be in the way of other files' tests.
    with pdf.driven(path) as driven:
        yield driven


class _ByFile(LoadFileScheduling):
    """A file's tests to one process; to the same one the files that use all chapters' numbers."""

    _TOGETHER = tuple(
        f"test_{of}.py"
        for of in ("pictures", "references", "ledger", "matrix", "agree", "fig07", "fig09")
    )

    def _split_scope(self, nodeid):
        file = super()._split_scope(nodeid)
        return "chapters" if file.endswith(self._TOGETHER) else file


def pytest_xdist_make_scheduler(config, log):
    """Share the tests out by `_ByFile`, in the order of `pytest_collection_modifyitems`."""
    # Otherwise files come by their number of tests, and the slow ones have few.
    config.option.loadscopereorder = False
    return _ByFile(config, log)


def pytest_collection_modifyitems(items):
    """Begin with the files that are slow throughout, so that none of them is the last to end."""
    quick = {item.path for item in items if not item.get_closest_marker("slow")}
    items.sort(key=lambda item: item.path in quick)


def pytest_terminal_summary(terminalreporter):
    """Show what tests recorded as their summary, whichever process ran them."""
    for reports in terminalreporter.stats.values():
        for report in reports:
            # A report of what comes after a test repeats what the test recorded.
            called = getattr(report, "when", "") == "call"
            for name, text in report.user_properties if called else ():
                if name == "summary":
                    terminalreporter.write_line(text)
