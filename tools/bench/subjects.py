"""What is measured, in the order of the table. To add a subject, name its function here.

The first ones run in one process, from tiny sizes on; the others start processes as a user does.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

from bench import (
    accuracy,
    ase_sweep,
    book,
    calibration,
    contour,
    imports,
    onset,
    rerun,
    sweeps,
    threshold_at_maximum,
)
from bench.measured import Measured, Scale

#: Title → the function that measures it.
Subjects = Mapping[str, Callable[[Scale], list[Measured]]]
IN_ONE_PROCESS: Subjects = {
    "Threshold at the gain maximum": threshold_at_maximum.measure,
    "Threshold onset": onset.measure,
    "Gain map": contour.measure,
    "ASE sweep": ase_sweep.measure,
    "Calibration": calibration.measure,
    "Accuracy, beside 50 digits": accuracy.measure,
}
WHOLE_PROCESSES: Subjects = {
    "Import": imports.measure,
    "Sweeps without notebooks": sweeps.measure,
    "One rerun": rerun.measure,
    "The book": book.measure,
}
SUBJECTS: Subjects = {**IN_ONE_PROCESS, **WHOLE_PROCESSES}
