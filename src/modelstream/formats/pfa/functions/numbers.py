"""What rules on numbers share: ranges with their faults, and numbers of all rows at once.

Rules for one record take NumPy's functions too, so that an answer does not depend on the batch.
"""

from collections.abc import Callable
from typing import Any

import numpy as np

from modelstream.formats.arithmetic import sum_in_order
from modelstream.formats.pfa.columns import Batch, is_numbers
from modelstream.formats.pfa.faults import Fault
from modelstream.formats.pfa.library import ColumnRule, LibraryFunction, plain
from modelstream.formats.pfa.types import INT, LONG, Type
from modelstream.messages import Column

INT_MAX, LONG_MAX = 2**31 - 1, 2**63 - 1
# Sums of longs in float64 that are sure to be within range; others are looked at one by one.
_LONG_SURE = 2.0**63 - 2.0**12


def in_range(kind: Type, code: int) -> Callable[[Any], Any]:
    """Return what checks a number that is of this type; the code is that of ints, then of longs."""
    if kind == INT:

        def check_int(value: Any) -> int:
            if not -INT_MAX - 1 <= value <= INT_MAX:
                raise Fault("int overflow", code)
            return int(value)

        return check_int
    if kind == LONG:

        def check_long(value: Any) -> int:
            if not -LONG_MAX - 1 <= value <= LONG_MAX:
                raise Fault("long overflow", code + 1)
            return int(value)

        return check_long
    return lambda value: value


def doubt_out_of_range(batch: Batch, kind: Type, value: Any, rough: Any) -> None:
    """Put rows in doubt where a whole number may be out of range; `rough` is it as a float64."""
    if kind == INT:
        batch.doubt((value > INT_MAX) | (value < -INT_MAX - 1))
    elif kind == LONG:
        batch.doubt(~(np.abs(rough) < _LONG_SURE))


def are_numbers(*values: Any) -> bool:
    """Tell whether values are plain numbers or columns of one number a row."""
    return all(
        (is_numbers(value) and value.ndim == 1)
        or type(value) in {bool, float}
        or (type(value) is int and abs(value) <= LONG_MAX)
        for value in values
    )


def dense(value: Any) -> Any:
    """Return a column whose entries lie side by side, which is how all are computed alike."""
    return np.ascontiguousarray(value) if isinstance(value, np.ndarray) else value


def elementwise(function: Callable[..., Any]) -> ColumnRule:
    """Return the rule for all rows of a function of numbers that NumPy computes."""

    def columns(_batch: Batch, *values: Any) -> Any:
        if not are_numbers(*values):
            return NotImplemented
        return function(*map(dense, values))

    return columns


def real(name: str, function: Callable[..., Any], params: str = "x") -> LibraryFunction:
    """Return a function of doubles to a double that NumPy computes."""
    names = ", ".join(f"{param}: double" for param in params.split())
    return plain(
        name,
        f"({names}) -> double",
        rule=lambda *values: float(function(*values)),
        columns=elementwise(function),
    )


def add_up(terms: Any) -> Any:
    """Add from the first to the last: builtin sums of floats differ between Python's versions."""
    total = 0.0
    for term in terms:
        total += term
    return total


def add_columns(matrix: Column) -> Column:
    """Add the columns of a matrix from the first to the last, as `add_up` does."""
    return sum_in_order(np.ascontiguousarray(matrix.T, np.float64))
