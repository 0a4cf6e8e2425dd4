"""Functions as the owner of a flow writes them, for pipelines that call them."""

from typing import Any

import numpy as np

from modelstream.messages import Column, Columns

TARGET = "tests.support.owner_functions"
NO_FUNCTION = 1


def registered(*names: str) -> dict[str, str]:
    """Register functions of this module under their own names."""
    return {name: f"{TARGET}:{name}" for name in names}


def ratio(columns: Columns) -> Columns:
    """Divide a by b."""
    return {"ratio": columns["a"] / columns["b"]}


def seen(columns: Columns) -> Columns:
    """Tell of each column its dtype and whether it can be written to."""
    kinds = [f"{c.dtype} {c.flags.writeable}" for c in columns.values()]
    rows = len(next(iter(columns.values())))
    return {"seen": np.array(["; ".join(kinds)] * rows)}


def fails_at_seven(columns: Columns) -> Columns:
    """Fail where a record is 7."""
    if (columns["a"] == 7).any():
        raise ValueError("a seven")
    return {"y": columns["a"]}


def writes(columns: Columns) -> Columns:
    """Try to change what other steps read."""
    columns["a"][:] = 0
    return columns


def keeps(columns: Columns) -> Columns:
    """Return one and the same array each time, with other values."""
    BUFFER[:] = columns["a"][0]
    return {"y": BUFFER[: len(columns["a"])]}


def whatever(columns: Columns) -> Any:
    """Return what a test has put here."""
    return RETURNED[0]


def several(columns: Columns) -> Columns:
    """Return a column of each type."""
    rows = len(columns["a"])
    words: Column = np.array(["x", None] * rows, dtype=object)[:rows]
    return {
        "text": words,
        "truth": columns["a"] > 0,
        "whole": np.arange(rows, dtype=np.int32),
        "vector": np.ones((rows, 2)),
    }


BUFFER = np.zeros(100)
RETURNED: list[Any] = [None]
