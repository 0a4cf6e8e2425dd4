"""One batch of rows while it is scored: what is computed from it, each thing once.

A `Cell` is something that can be computed from a batch; a `Batch` remembers the cells it has.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

from modelstream.formats.pmml.fields.coded import Coded, code
from modelstream.formats.pmml.fields.rows import Twin
from modelstream.messages import Column, Columns

T = TypeVar("T")


@dataclass(frozen=True, slots=True, eq=False)
class Cell(Generic[T]):
    """Something computed at most once a batch; cells are numbered in the order they are made.

    `row` is the same for one row alone, None where columns are the only way.
    """

    number: int
    compute: "Callable[[Batch], T]"
    row: Twin | None = None


class Cells:
    """Makes cells."""

    def __init__(self) -> None:
        self._made = 0

    @property
    def made(self) -> int:
        """How many there are: the number of the next one."""
        return self._made

    def make(self, compute: "Callable[[Batch], T]", row: Twin | None = None) -> Cell[T]:
        """Return a new cell."""
        self._made += 1
        return Cell(self._made - 1, compute, row)


class Batch:
    """Rows to score: their columns, and the rows found to be unscorable, with the reason."""

    __slots__ = (
        "_coded",
        "_columns",
        "_index",
        "_outer",
        "_shared",
        "_values",
        "_within",
        "errors",
        "rows",
    )

    def __init__(self, columns: Columns, rows: int) -> None:
        self.rows = rows
        self.errors: dict[int, str] = {}
        self._columns = columns
        self._values: dict[int, Any] = {}
        self._coded: dict[int, Coded] = {}
        self._outer: Batch | None = None
        self._index: Column | None = None
        self._shared = 0
        self._within: Column | None = None

    def input(self, name: str) -> Column | None:
        """Return a column as the caller gave it, or None when it was not given."""
        return self._columns.get(name)

    def read(self, cell: Cell[T]) -> T:
        """Return what the cell holds for this batch."""
        if self._within is not None and self._outer is not None:
            return self._outer.read(cell)
        value: T | None = self._values.get(cell.number)
        if value is None:
            if self._outer is not None and cell.number < self._shared:
                value = self._outer.read(cell)[self._index]  # type: ignore[index]
            else:
                value = cell.compute(self)
            self._values[cell.number] = value
        return value

    def coded(self, cell: Cell[Column]) -> Coded:
        """Return a cell's column by its values, which are looked for once."""
        if self._within is not None and self._outer is not None:
            return self._outer.coded(cell)
        column = self.read(cell)
        known = self._coded.get(cell.number)
        if known is None:
            known = self._coded[cell.number] = code(column)
        return known

    def keep(self, cell: Cell[Column], coded: Coded) -> None:
        """Say how a cell's column is coded, so that nobody has to look."""
        self._coded[cell.number] = coded

    def take(self, index: Column, shared: int) -> "Batch":
        """Return a batch of some of the rows.

        Cells numbered below `shared` are columns of the whole batch, computed there; those from
        `shared` on are computed for these rows alone.
        """
        part = Batch({}, len(index))
        part._outer = self
        part._index = index
        part._shared = shared
        return part

    def only(self, within: Column) -> "Batch":
        """Return this batch, deaf to rejections of rows that the mask leaves out."""
        view = Batch(self._columns, self.rows)
        view._outer = self
        view._within = within
        return view

    def reject(self, row: int, reason: str) -> None:
        """Say that a row cannot be scored; the first reason stands."""
        if self._within is not None and self._outer is not None:
            if self._within[row]:
                self._outer.reject(row, reason)
            return
        if self._outer is not None and self._index is not None:
            self._outer.reject(int(self._index[row]), reason)
        else:
            self.errors.setdefault(row, reason)
