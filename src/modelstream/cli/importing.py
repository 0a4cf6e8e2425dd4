"""Where modules of the user's own are found: in the working directory too, as `python` does it."""

import sys
from pathlib import Path


def find_modules_here() -> None:
    """Let modules of the working directory be imported by this process."""
    here = str(Path.cwd())
    if here not in sys.path:
        sys.path.insert(0, here)
