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
