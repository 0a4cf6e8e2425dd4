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
    """`rows` holds the position of each row's value in `items`.

    Items that are `lasting` are the very same sequence for one batch after the other.
    """

    items: Sequence[Any]
    rows: Column
    lasting: bool = False


class Lookup:
    """What some functions give for each row's value.

    Of lasting items the results are kept, the last ones.
    """

    def __init__(self, functions: Sequence[Callable[[Any], Any]], dtype: npt.DTypeLike) -> None:
        self._functions = functions
        self._dtype = dtype
        self._kept: tuple[Sequence[Any], Column] | None = None

    def column(self, coded: Coded) -> Column:
        """Return a column of what the first function gives."""
        found: Column = self._table(coded)[0][coded.rows]
        return found

    def fill(self, matrix: Column, coded: Coded) -> None:
        """Put what the functions give into a matrix, a function a row."""
        # Positions are right as they are; to check them, NumPy would copy the whole matrix.
        np.take(self._table(coded), coded.rows, axis=1, out=matrix, mode="clip")

    def _table(self, coded: Coded) -> Column:
        """Return what the functions (rows) give for each item (column)."""
        kept = self._kept
        if kept is not None and kept[0] is coded.items:
            return kept[1]
        table = np.empty((len(self._functions), len(coded.items)), self._dtype)
        for row, function in zip(table, self._functions, strict=True):
            row[:] = np.fromiter(map(function, coded.items), self._dtype, len(coded.items))
        if coded.lasting:
            self._kept = coded.items, table
        return table


def code(column: Column) -> Coded:
    """Return a column of strings or numbers by its values; each NaN is one of its own."""
    positions: defaultdict[Any, int] = defaultdict(count().__next__)
    rows = np.fromiter(map(positions.__getitem__, column.tolist()), np.intp, len(column))
    return Coded(list(positions), rows)
