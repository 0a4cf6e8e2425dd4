"""Values of all rows of a batch at once.

A value that differs by row is a column: an array with one entry a row, of numbers or truths (one
dimension; more for arrays whose lengths do not differ), of objects for all else; or `Structs`, a
column for each field of a record. Any other Python value is the same for every row.
"""

from collections.abc import Callable, Sequence
from itertools import repeat
from typing import Any

import numpy as np

from modelstream.formats.pfa.faults import Fault, Run, Stopped
from modelstream.formats.pfa.types import (
    BOOLEAN,
    NUMBERS,
    REAL,
    WHOLE,
    Array,
    Type,
)
from modelstream.formats.pfa.values import Struct
from modelstream.messages import Column


class ByRows(Exception):
    """What is asked for cannot be done for all rows at once; each row is to be run by itself."""


class Structs:
    """Records, as a value or column for each of their fields."""

    __slots__ = ("fields", "name")

    def __init__(self, name: str, fields: dict[str, Any]) -> None:
        self.name = name
        self.fields = fields


class Batch:
    """Rows that are scored at once: their variables, and the rows that may not have an answer.

    A row in doubt is run by itself afterwards, which tells its answer or its fault; whatever a
    column holds for it does not count. `live` are the rows that the branch at hand is taken by.
    """

    __slots__ = ("_doubt", "_lists", "live", "rows", "slots")

    def __init__(self, rows: int, slots: list[Any], doubt: Column, live: Column | None) -> None:
        self.rows = rows
        self.slots = slots
        self.live = live
        self._doubt = doubt
        self._lists: dict[int, tuple[Any, list[Any]]] = {}

    @property
    def doubtful(self) -> Column:
        """Which rows are in doubt."""
        return self._doubt

    def doubt(self, which: Column | bool) -> None:
        """Put rows in doubt, of those that take the branch at hand."""
        self._doubt |= which if self.live is None else which & self.live

    def narrowed(self, taken: Column) -> "Batch":
        """Return the same batch in a branch that only some rows take; variables are shared."""
        live = taken if self.live is None else taken & self.live
        return Batch(self.rows, self.slots, self._doubt, live)

    def calling(self, slots: list[Any]) -> "Batch":
        """Return the same batch with variables of its own: inside of a function."""
        return Batch(self.rows, slots, self._doubt, self.live)

    def is_dead(self) -> bool:
        """Tell whether no row takes the branch at hand, or each that does is in doubt."""
        return self.live is not None and not (self.live & ~self._doubt).any()

    def assign(self, slot: int, value: Any) -> None:
        """Set a variable that has a value, for the rows that take the branch at hand."""
        if self.live is not None:
            value = choose(self.live, value, self.slots[slot], self.rows)
        self.slots[slot] = value

    def runnable(self) -> list[int]:
        """Return the rows whose values can be computed with."""
        alive = ~self._doubt if self.live is None else self.live & ~self._doubt
        found: list[int] = np.nonzero(alive)[0].tolist()
        return found

    def list_of(self, value: Any) -> Sequence[Any]:
        """Return a value of each row."""
        if not is_column(value):
            return [value] * self.rows
        known = self._lists.get(id(value))
        if known is None or known[0] is not value:
            known = self._lists[id(value)] = (value, _listed(value, self.rows))
        return known[1]

    def run_each(self, run: Callable[[list[Any]], Any], kind: Type) -> Any:
        """Compute an expression row by row, with the variables as they are."""
        columns = [self.list_of(value) for value in self.slots]
        values: list[Any] = [None] * self.rows
        for row in self.runnable():
            frame: list[Any] = [column[row] for column in columns]
            frame[0] = Run()
            self._settle(row, values, run, frame)
        return column_of(values, kind)

    def call_each(self, function: Callable[..., Any], arguments: Sequence[Any], kind: Type) -> Any:
        """Call a function row by row."""
        lists = [self.list_of(value) for value in arguments]
        values: list[Any] = [None] * self.rows
        for row in self.runnable():
            self._settle(row, values, lambda given: function(*given), [each[row] for each in lists])
        return column_of(values, kind)

    def _settle(
        self, row: int, values: list[Any], run: Callable[[list[Any]], Any], given: list[Any]
    ) -> None:
        try:
            values[row] = run(given)
        except (Fault, Stopped):
            self._doubt[row] = True


def is_column(value: Any) -> bool:
    """Tell whether a value differs by row."""
    return isinstance(value, (np.ndarray, Structs))


def is_numbers(value: Any) -> bool:
    """Tell whether a value is a column of numbers or truths, of any number of dimensions."""
    return isinstance(value, np.ndarray) and value.dtype != object


def _listed(value: Any, rows: int) -> list[Any]:
    if isinstance(value, np.ndarray):
        listed: list[Any] = value.tolist()
        return listed
    names = list(value.fields)
    columns = [
        _listed(each, rows) if is_column(each) else repeat(each, rows)
        for each in value.fields.values()
    ]
    if not names:
        return [Struct(value.name, {})] * rows
    return [
        Struct(value.name, dict(zip(names, each, strict=True)))
        for each in zip(*columns, strict=True)
    ]


def column_of(values: list[Any], kind: Type) -> Any:
    """Return values of one type, None for rows in doubt, as a column."""
    depth = _depth(kind)
    if depth == 0 and len(values):
        return _numbers([0 if value is None else value for value in values], _dtype(kind))
    if depth is not None and depth > 0:
        shapes = {_shape(value, depth) for value in values if value is not None}
        shape = shapes.pop() if len(shapes) == 1 else None
        if shape is not None:
            filler = np.zeros(shape).tolist()
            filled = [filler if value is None else value for value in values]
            return _numbers(filled, _dtype(kind)).reshape(len(values), *shape)
    column = np.empty(len(values), dtype=object)
    for row, value in enumerate(values):
        column[row] = value
    return column


def _numbers(values: list[Any], dtype: Any) -> Column:
    return np.array(values, dtype=dtype)


def _depth(kind: Type) -> int | None:
    """Return how many arrays numbers or truths are in; None for any other type."""
    depth = 0
    while isinstance(kind, Array):
        kind, depth = kind.items, depth + 1
    return depth if kind in NUMBERS or kind == BOOLEAN else None


def _dtype(kind: Type) -> Any:
    while isinstance(kind, Array):
        kind = kind.items
    return np.float64 if kind in REAL else np.int64 if kind in WHOLE else np.bool_


def _shape(value: Any, depth: int) -> tuple[int, ...] | None:
    """Return the shape of nested lists; None where they are ragged or empty."""
    if depth == 0:
        return ()
    if not value:
        return None
    inner = {_shape(each, depth - 1) for each in value}
    shape = inner.pop() if len(inner) == 1 else None
    return None if shape is None else (len(value), *shape)


def choose(taken: Column, one: Any, other: Any, rows: int) -> Any:
    """Return the one value where a row takes it, and the other where it does not."""
    if one is other:
        return one
    if isinstance(one, Structs) and isinstance(other, Structs) and one.name == other.name:
        fields = {
            name: choose(taken, one.fields[name], other.fields[name], rows) for name in one.fields
        }
        return Structs(one.name, fields)
    kinds = {_kind(one), _kind(other)}
    if len(kinds) == 1 and None not in kinds:
        shaped = taken.reshape(rows, *[1] * (max(np.ndim(one), np.ndim(other), 1) - 1))
        return np.where(shaped, one, other)
    lists = [_listed(each, rows) if is_column(each) else [each] * rows for each in (one, other)]
    column = np.empty(rows, dtype=object)
    for row, use in enumerate(taken.tolist()):
        column[row] = lists[0][row] if use else lists[1][row]
    return column


def _kind(value: Any) -> tuple[str, tuple[int, ...]] | None:
    """Return the kind and shape of a number or column of numbers; None for anything else."""
    if isinstance(value, np.ndarray):
        return None if value.dtype == object else (value.dtype.kind, value.shape[1:])
    if type(value) is int and not -(2**63) <= value < 2**63:
        return None
    kinds: dict[type, str] = {bool: "b", int: "i", float: "f"}
    kind = kinds.get(type(value))
    return None if kind is None else (kind, ())
