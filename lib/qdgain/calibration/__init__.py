"""The calibration: `objective` poses and solves it, `feasible` samples the set, `record` stores it.

``python -m qdgain.calibration`` runs it and rewrites ``data/presets.toml``,
``data/calibration.json`` and ``data/calibration_set.csv``.
"""
