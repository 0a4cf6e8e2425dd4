"""titus2 made to start: 1.2.0 asks for names that Python 3.11 and NumPy 2 no longer have."""

import inspect
import sys
from importlib import import_module
from typing import Any

import numpy as np


def engine_class() -> Any:
    """Return titus2's engine."""
    inspect.getargspec = inspect.getfullargspec  # type: ignore[attr-defined]
    for old, new in (("float_", np.float64), ("in1d", np.isin), ("int", int)):
        if not hasattr(np, old):
            setattr(np, old, new)
    sys.setrecursionlimit(10_000)
    return import_module("titus.genpy").PFAEngine
