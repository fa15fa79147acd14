"""Public values beside the paper: thresholds, shifts, widths and formulas, with their sources."""
