"""What is written: the paper's statements, and public values beside them with their sources."""
