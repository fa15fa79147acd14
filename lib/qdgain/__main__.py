"""``python -m qdgain`` is the command ``qdgain``."""

import sys

from qdgain.cli import process

if __name__ == "__main__":
    sys.exit(process())
