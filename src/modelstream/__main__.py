"""`python -m modelstream`, the same as the command `modelstream`."""

import sys

from modelstream.cli import main

if __name__ == "__main__":
    sys.exit(main())
