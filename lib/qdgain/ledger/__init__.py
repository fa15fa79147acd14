"""The ledger: which statements of the paper hold, under which assumptions, and how it is shown."""
