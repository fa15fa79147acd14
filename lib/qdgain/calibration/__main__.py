"""``python -m qdgain.calibration``."""

import sys

from qdgain.calibration.run import main

# Worker processes import this module too.
if __name__ == "__main__":
    sys.exit(main())
