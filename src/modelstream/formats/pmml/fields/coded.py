"""A column by its distinct values: what depends on a row's value alone is done once for each.

Columns of categories have a few values in many rows, and a dictionary of them costs less than one
look at every row.
"""

from collections import defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import count
from typing import Any

import numpy as np
import numpy.typing as npt

from modelstream.messages import Column


@dataclass(frozen=True, slots=True, eq=False)
class Coded:
    """`rows` holds the position of each row's value in `items`."""

    items: Sequence[Any]
    rows: Column

    def look_up(self, function: Callable[[Any], Any], dtype: npt.DTypeLike) -> Column:
        """Return a column of what a function gives for each row's value."""
        found: Column = np.fromiter(map(function, self.items), dtype, len(self.items))
        return found[self.rows]


def code(column: Column) -> Coded:
    """Return a column of strings or numbers by its values; each NaN is one of its own."""
    positions: defaultdict[Any, int] = defaultdict(count().__next__)
    rows = np.fromiter(map(positions.__getitem__, column.tolist()), np.intp, len(column))
    return Coded(list(positions), rows)
