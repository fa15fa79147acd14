"""The calibration: `readings` has the unknowns, `objective` solves for them, `record` stores.

What else would do is asked by `feasible`, which samples the set of solutions, and `posterior`; what
the solution means for real dots by `plausibility`. ``python -m qdgain.calibration`` runs it and
rewrites ``data/presets.toml``, ``data/calibration.json`` and ``data/calibration_set.csv``.
"""
