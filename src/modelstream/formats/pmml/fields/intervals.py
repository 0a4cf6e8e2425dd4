"""Intervals of numbers: whether a value lies in one, and which of many it lies in.

DMG 4.4, Data Dictionary: Interval.
"""

from bisect import bisect_left, bisect_right
from collections.abc import Callable, Iterable
from operator import ge, gt, le, lt
from typing import Any

import numpy as np

from modelstream.formats.pmml.elements.expressions import Interval
from modelstream.messages import Column


def interval_test(interval: Interval, *, single: bool) -> Callable[[Any], Any]:
    """Return the test whether numbers, or one number, lie in an interval; missing ones do not.

    The margins of a field in single precision are rounded as its values are.
    """
    low = -np.inf if interval.left_margin is None else interval.left_margin
    high = np.inf if interval.right_margin is None else interval.right_margin
    if single:
        low, high = float(np.float32(low)), float(np.float32(high))
    above = ge if interval.closure.startswith("closed") else gt
    below = le if interval.closure.endswith("Closed") else lt
    return lambda values: above(values, low) & below(values, high)


class Regions:
    """The line of numbers cut at the margins of intervals, so that one search places a value.

    With m margins there are 2m + 1 regions: below the first, the first itself, between the first
    and the second, and so on; the region after them is that of missing values.
    """

    def __init__(self, intervals: Iterable[Interval]) -> None:
        margins = {
            margin
            for interval in intervals
            for margin in (interval.left_margin, interval.right_margin)
            if margin is not None
        }
        self._ordered = sorted(margins)
        self._margins = np.array(self._ordered, dtype=np.float64)

    @property
    def missing(self) -> int:
        """The region of missing values; it is also the number of the others."""
        return 2 * len(self._margins) + 1

    def locate(self, column: Column) -> Column:
        """Return the region of each value."""
        before = np.searchsorted(self._margins, column, side="left")
        after = np.searchsorted(self._margins, column, side="right")
        return np.where(np.isnan(column), self.missing, before + after)

    def locate_one(self, value: float) -> int:
        """Return the region of one value."""
        if value != value:  # noqa: PLR0124  # NaN is not itself
            return self.missing
        return bisect_left(self._ordered, value) + bisect_right(self._ordered, value)

    def span(self, interval: Interval) -> slice:
        """Return the regions that an interval covers."""
        first, last = 0, self.missing
        if interval.left_margin is not None:
            first = 2 * int(np.searchsorted(self._margins, interval.left_margin)) + 1
            first += 0 if interval.closure.startswith("closed") else 1
        if interval.right_margin is not None:
            last = 2 * int(np.searchsorted(self._margins, interval.right_margin)) + 1
            last += 1 if interval.closure.endswith("Closed") else 0
        return slice(first, last)
