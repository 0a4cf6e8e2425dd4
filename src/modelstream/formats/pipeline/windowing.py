"""The step that sums up the last values of a list in the record.

The list is in the record: nothing of one record is kept for the next, so a score can be made again
from its record alone.
"""

from collections.abc import Callable
from typing import Annotated, Literal

import msgspec
import numpy as np

from modelstream import limits
from modelstream.errors import InvalidModel
from modelstream.formats.base import Field
from modelstream.formats.pipeline.columns import numbers
from modelstream.formats.pipeline.document import Name
from modelstream.formats.pipeline.scope import Scope
from modelstream.formats.pipeline.step import Faults, Options, Run
from modelstream.messages import Column, Columns

Summary = Literal["count", "sum", "mean", "std", "min", "max", "last"]
# What is told of no value at all; of the other summaries there is none.
_OF_NOTHING = frozenset({"count", "sum"})


class Windowing(Options, frozen=True, rename={"made": "as"}):
    """A column of lists, how many of their last values count (all by default), and what is made."""

    column: Name
    made: dict[Name, Summary]
    last: Annotated[int, msgspec.Meta(ge=1, le=limits.TENSOR_VALUES_MAX)] | None = None


class Window(Options, frozen=True, tag="window"):
    """Make columns of float64 that sum up the end of a list: new column to summary.

    A list that is shorter than the window is taken whole. `std` divides by the number of values.
    A missing value makes what is computed with it missing; `count` leaves it out.
    """

    window: Windowing

    def bind(self, scope: Scope) -> Run:
        """Read the lists, and make the summaries. An empty list fails its row, unless counted."""
        options = self.window
        if not options.made:
            raise InvalidModel(
                'the window makes no column; name some, with a summary each, in "as"'
            )
        scope.read(Field(options.column, "float64", (None,)))
        for name in options.made:
            scope.make(Field(name, "float64"), reads=[options.column])
        needing = sorted(set(options.made.values()) - _OF_NOTHING)

        def run(columns: Columns, faults: Faults) -> Columns:
            values = columns[options.column]
            if options.last is not None:
                values = values[:, -options.last :]
            if needing and values.shape[1] == 0:
                why = f"column {options.column!r} is empty, so that it has no {needing[0]}"
                faults.update(dict.fromkeys(range(len(values)), why))
            values = numbers(values)
            made = {name: _SUMMARIES[each](values) for name, each in options.made.items()}
            return columns | made

        return run


def _count(values: Column) -> Column:
    present: Column = ~np.isnan(values)
    return np.asarray(present.sum(axis=1), dtype=np.float64)


def _mean(values: Column) -> Column:
    return np.sum(values, axis=1) / values.shape[1] if values.shape[1] else _missing(values)


def _deviation(values: Column) -> Column:
    return np.sqrt(_mean((values - _mean(values)[:, np.newaxis]) ** 2))


def _least(values: Column) -> Column:
    return np.min(values, axis=1) if values.shape[1] else _missing(values)


def _most(values: Column) -> Column:
    return np.max(values, axis=1) if values.shape[1] else _missing(values)


def _last(values: Column) -> Column:
    return values[:, -1] if values.shape[1] else _missing(values)


def _missing(values: Column) -> Column:
    return np.full(len(values), np.nan)


_SUMMARIES: dict[Summary, Callable[[Column], Column]] = {
    "count": _count,
    "sum": lambda values: np.sum(values, axis=1),
    "mean": _mean,
    "std": _deviation,
    "min": _least,
    "max": _most,
    "last": _last,
}
