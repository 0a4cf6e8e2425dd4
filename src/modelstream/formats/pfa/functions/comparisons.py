"""Comparisons of any two values of a type (PFA 0.8.1, core library)."""

from collections.abc import Callable
from typing import Any

import numpy as np

from modelstream.formats.pfa.columns import Batch, choose
from modelstream.formats.pfa.functions.numbers import are_numbers
from modelstream.formats.pfa.library import Call, ColumnRule, LibraryFunction, Rule
from modelstream.formats.pfa.types import BOOLEAN, NUMBERS, REAL, STRING, Enum, Map

_BOTH = "(x: A, y: A) -> boolean"


def below(x: Any, y: Any, *, real: bool) -> Any:
    """Tell where one number is less than another, for all rows; NaN is greater than any number."""
    less = np.less(x, y)
    return less | (np.isnan(y) & ~np.isnan(x)) if real else less


def same(x: Any, y: Any, *, real: bool) -> Any:
    """Tell where two numbers are equal, for all rows; NaN is equal to itself."""
    equal = np.equal(x, y)
    return equal | (np.isnan(x) & np.isnan(y)) if real else equal


# Each comparison of all rows, made of the two above.
_COLUMNS: dict[str, Callable[[Any, Any, bool], Any]] = {
    "==": lambda x, y, real: same(x, y, real=real),
    "!=": lambda x, y, real: ~same(x, y, real=real),
    "<": lambda x, y, real: below(x, y, real=real),
    ">": lambda x, y, real: below(y, x, real=real),
    "<=": lambda x, y, real: ~below(y, x, real=real),
    ">=": lambda x, y, real: ~below(x, y, real=real),
}


def _comparison(name: str, holds: Callable[[int], bool]) -> LibraryFunction:
    def make(call: Call) -> Rule:
        kind = call.params[0]
        if name in {"==", "!="} and (isinstance(kind, Map | Enum) or kind in {STRING, BOOLEAN}):
            return (lambda x, y: x == y) if name == "==" else (lambda x, y: x != y)
        compare = call.orders.of(kind)
        return lambda x, y: holds(compare(x, y))

    def columns(call: Call) -> ColumnRule:
        kind = call.params[0]
        by_column = _COLUMNS[name]

        def rule(_batch: Batch, x: Any, y: Any) -> Any:
            if kind in NUMBERS and are_numbers(x, y):
                return by_column(x, y, kind in REAL)
            if name in {"==", "!="} and (kind == STRING or isinstance(kind, Enum)):
                equal = np.equal(x, y).astype(np.bool_)
                return equal if name == "==" else ~equal
            return NotImplemented

        return rule

    return LibraryFunction(name, (_BOTH,), make, columns)


def _cmp(call: Call) -> Rule:
    return call.orders.of(call.params[0])


def _extreme(name: str, *, greatest: bool) -> LibraryFunction:
    def make(call: Call) -> Rule:
        compare = call.orders.of(call.params[0])
        if greatest:
            return lambda x, y: x if compare(x, y) >= 0 else y
        return lambda x, y: x if compare(x, y) < 0 else y

    def columns(call: Call) -> ColumnRule:
        kind = call.params[0]

        def rule(batch: Batch, x: Any, y: Any) -> Any:
            if kind not in NUMBERS or not are_numbers(x, y):
                return NotImplemented
            less = below(x, y, real=kind in REAL)
            taken = ~less if greatest else less
            return choose(taken, x, y, batch.rows)

        return rule

    return LibraryFunction(name, ("(x: A, y: A) -> A",), make, columns)


FUNCTIONS: tuple[LibraryFunction, ...] = (
    _comparison("==", lambda found: found == 0),
    _comparison("!=", lambda found: found != 0),
    _comparison("<", lambda found: found < 0),
    _comparison(">", lambda found: found > 0),
    _comparison("<=", lambda found: found <= 0),
    _comparison(">=", lambda found: found >= 0),
    LibraryFunction("cmp", ("(x: A, y: A) -> int",), _cmp),
    _extreme("max", greatest=True),
    _extreme("min", greatest=False),
)
