"""What is measured, in the order of the table. To add a subject, name its function here."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from bench import accuracy, ase_sweep, calibration, contour, onset, threshold_at_maximum
from bench.measured import Measured, Scale

#: Title → the function that measures it.
SUBJECTS: Mapping[str, Callable[[Scale], list[Measured]]] = {
    "Threshold at the gain maximum": threshold_at_maximum.measure,
    "Threshold onset": onset.measure,
    "Gain map": contour.measure,
    "ASE sweep": ase_sweep.measure,
    "Calibration": calibration.measure,
    "Accuracy, beside 50 digits": accuracy.measure,
}
