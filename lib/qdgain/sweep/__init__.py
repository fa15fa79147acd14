"""Many runs of a chapter: the points, the workers, and the folder that survives an interruption."""
