"""Optical gain of colloidal quantum dots in the Simple Model of arXiv 2510.01199."""

from qdgain.fast.onset import threshold_onset
from qdgain.model.bands import bands
from qdgain.model.dot import Dot, presets
from qdgain.model.film import ase_spectrum, ase_threshold
from qdgain.model.gain import exciton_share, gain, gain_terms, largest_gain
from qdgain.model.parameters import CONTRACT, Parameter, ParameterError
from qdgain.model.populations import (
    fluence_for_mean_excitons,
    mean_excitons_after_pulse,
    populations,
)
from qdgain.model.threshold import (
    Threshold,
    threshold_at_energy,
    threshold_at_maximum,
)
from qdgain.version import __version__

__all__ = [
    "CONTRACT",
    "Dot",
    "Parameter",
    "ParameterError",
    "Threshold",
    "__version__",
    "ase_spectrum",
    "ase_threshold",
    "bands",
    "exciton_share",
    "fluence_for_mean_excitons",
    "gain",
    "gain_terms",
    "largest_gain",
    "mean_excitons_after_pulse",
    "populations",
    "presets",
    "threshold_at_energy",
    "threshold_at_maximum",
    "threshold_onset",
]
