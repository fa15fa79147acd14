"""The calibration: every reading of the paper from the numbers that the paper states.

`rows` has the readings and their unknowns, `predictions` what they give and how likely that is,
`conditions` where the ASE spike has to be. `search` finds best points, `evidence` weighs the rows,
`record` stores and reads; `plausibility` asks what the result means for real dots.
``python -m qdgain.calibration`` runs it all and rewrites ``data/presets.toml``,
``data/calibration.json`` and ``data/calibration_points.npz``.
"""
