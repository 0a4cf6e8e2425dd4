"""Three-valued truth, for columns and for one row: 1 is true, 0 false, NaN unknown.

Kleene's logic: what is certain whatever the unknown turn out to be is known.
"""

from typing import Any

import numpy as np

from modelstream.formats.pmml.fields.values import is_missing
from modelstream.messages import Column


def truth(mask: Any, unknown: Any) -> Column:
    """Return a mask as a column of truth, missing where it is unknown."""
    column: Column = np.where(unknown, np.nan, np.asarray(mask, dtype=np.float64))
    return column


def all_true(columns: list[Column]) -> Column:
    """Return Kleene's `and`: false where one is false, else unknown where one is."""
    stacked = np.stack(columns)
    known: Column = np.where((stacked == 0.0).any(axis=0), 0.0, 1.0)
    return np.where(np.isnan(stacked).any(axis=0) & (known == 1.0), np.nan, known)


def any_true(columns: list[Column]) -> Column:
    """Return Kleene's `or`: true where one is true, else unknown where one is."""
    stacked = np.stack(columns)
    known: Column = np.where((stacked == 1.0).any(axis=0), 1.0, 0.0)
    return np.where(np.isnan(stacked).any(axis=0) & (known == 0.0), np.nan, known)


def every_true(*truths: float) -> float:
    """Return Kleene's `and` of one row."""
    if 0.0 in truths:
        return 0.0
    return np.nan if any(map(is_missing, truths)) else 1.0


def some_true(*truths: float) -> float:
    """Return Kleene's `or` of one row."""
    if 1.0 in truths:
        return 1.0
    return np.nan if any(map(is_missing, truths)) else 0.0
