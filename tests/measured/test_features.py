"""Smoothing and peaks are those of scipy.signal, which takes too long to import."""

import subprocess
import sys

import numpy as np
import pytest
import scipy.signal

from qdgain.measured.features import peaks, smoothed


def walk(seed):
    """A random walk, every third one in whole steps with flat tops."""
    random = np.random.default_rng(seed)
    values = np.cumsum(random.standard_normal(random.integers(90, 400)))
    return np.round(values) if seed % 3 == 0 else values


@pytest.mark.parametrize("seed", range(12))
def test_smoothing_and_peaks_are_scipys(seed):
    values = walk(seed)
    for derivative in (0, 2):
        wanted = scipy.signal.savgol_filter(values, 31, 3, deriv=derivative)
        np.testing.assert_allclose(smoothed(values, 31, derivative), wanted, atol=1e-11)
    for least in (1e-9, 0.1 * np.ptp(values)):
        places, _ = scipy.signal.find_peaks(values, prominence=least)
        _, _, left, right = scipy.signal.peak_widths(values, places, rel_height=0.5)
        assert peaks(values, least) == list(zip(places, left, right, strict=True))


def test_a_flat_or_a_steady_curve_has_no_peak():
    assert peaks(np.ones(9), 0.0) == peaks(np.arange(9.0), 0.0) == []


def test_the_command_does_not_import_what_takes_long():
    slow = "{'scipy.signal', 'scipy.stats', 'lmfit', 'openpyxl', 'matplotlib'}"
    code = f"import sys, qdgain.cli, qdgain.commands.fit_dot; print({slow} & set(sys.modules))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "set()"
