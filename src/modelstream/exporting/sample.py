"""Rows that an estimator can answer, as the columns that its records will have."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np

from modelstream.errors import InvalidRecord
from modelstream.limits import EXPORT_NUDGE, EXPORT_SAMPLE_RECORDS_MAX
from modelstream.messages import Column

Kind = Literal["number", "whole", "text"]
_KINDS: dict[str, Kind] = {"f": "number", "i": "whole", "u": "whole", "b": "whole", "U": "text"}


@dataclass(frozen=True, slots=True)
class Sample:
    """A table as the estimator takes it, and its columns by name with what they hold."""

    table: Any
    columns: dict[str, Column]
    kinds: dict[str, Kind]

    def __len__(self) -> int:
        return len(next(iter(self.columns.values())))

    def optional(self) -> tuple[str, ...]:
        """Return the columns of numbers of which some are missing: in records they may be, too."""
        return tuple(
            name
            for name, column in self.columns.items()
            if self.kinds[name] == "number" and np.isnan(column).any()
        )

    def nudged(self) -> Iterator[tuple[str, Any]]:
        """Yield each column of real numbers, and a table where it alone is a little greater, or less.

        The step is some of float32's: what an estimator answers to such a table as well, it
        answers to the column's number; what it does not, hangs on digits that float32 drops.
        """
        for at, (name, column) in enumerate(self.columns.items()):
            if self.kinds[name] == "number":
                for step in (1 + EXPORT_NUDGE, 1 - EXPORT_NUDGE):
                    yield name, _with_column(self.table, at, name, column * step)


def sample_of(table: Any, features: Sequence[str]) -> Sample:
    """Lay a table out: an array (rows, features), or a data frame, whose columns have names.

    Raises InvalidRecord where it has no rows, or a column that is neither numbers nor texts.
    """
    table = table[:EXPORT_SAMPLE_RECORDS_MAX]
    found = _columns(table)
    if len(found) != len(features):
        raise InvalidRecord(
            f"the sample has {len(found)} columns, and {len(features)} features are named"
        )
    if not found or not len(found[0]):
        raise InvalidRecord("the sample has no rows; give some that the estimator can answer")
    columns: dict[str, Column] = {}
    kinds: dict[str, Kind] = {}
    for name, column in zip(features, found, strict=True):
        columns[name], kinds[name] = _told_apart(name, column)
    return Sample(table, columns, kinds)


def _columns(table: Any) -> list[Column]:
    if hasattr(table, "columns"):
        return [np.asarray(table[name]) for name in table.columns]
    rows = np.asarray(table)
    if rows.ndim != 2:
        raise InvalidRecord(f"the sample has the shape {rows.shape}; give (rows, features)")
    return list(rows.T)


def _told_apart(name: str, column: Column) -> tuple[Column, Kind]:
    """Return a column as records have it, and what it holds."""
    if column.dtype.kind in _KINDS:
        kind = _KINDS[column.dtype.kind]
        return column.astype(object if kind == "text" else np.float64), kind
    values = column.tolist()
    if all(isinstance(value, str) for value in values):
        return np.array(values, dtype=object), "text"
    try:
        numbers = np.array([np.nan if value is None else value for value in values], np.float64)
    except (TypeError, ValueError):
        raise InvalidRecord(
            f"column {name!r} of the sample holds neither numbers alone nor texts alone"
        ) from None
    whole = all(isinstance(value, int | np.integer) for value in values)
    return numbers, "whole" if whole else "number"


def _with_column(table: Any, at: int, name: str, column: Column) -> Any:
    if hasattr(table, "columns"):
        return table.assign(**{name: column})
    changed = np.array(table)
    changed[:, at] = column
    return changed
