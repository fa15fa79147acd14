"""``python -m qdgain`` is the command ``qdgain``."""

import sys

from qdgain.cli import main

if __name__ == "__main__":
    sys.exit(main())
