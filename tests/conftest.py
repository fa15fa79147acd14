"""What all tests share."""

from pathlib import Path

import hypothesis
import pytest

ROOT = Path(__file__).resolve().parents[1]

# A shared machine can be slow at any moment; examples are the same on every run.
hypothesis.settings.register_profile("project", deadline=None, derandomize=True, max_examples=60)
hypothesis.settings.load_profile("project")


@pytest.fixture(scope="session")
def root():
    return ROOT


def pytest_terminal_summary(terminalreporter):
    """Show what tests recorded as their summary, whichever process ran them."""
    for reports in terminalreporter.stats.values():
        for report in reports:
            # A report of what comes after a test repeats what the test recorded.
            called = getattr(report, "when", "") == "call"
            for name, text in report.user_properties if called else ():
                if name == "summary":
                    terminalreporter.write_line(text)
