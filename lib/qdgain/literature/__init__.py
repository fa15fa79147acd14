"""What is public beside the paper: thresholds, shifts and formulas, each with its source."""
