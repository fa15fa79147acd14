"""The paper's statements, the numbers that answer them, and the verdicts: the ledger."""
