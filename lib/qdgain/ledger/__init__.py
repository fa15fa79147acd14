"""The ledger: which statements of the paper hold, under which assumptions, and how it is shown."""

#: The environment variable that names a folder where processes share the chapters' numbers.
STORED_NUMBERS = "QDGAIN_STORED_NUMBERS"
