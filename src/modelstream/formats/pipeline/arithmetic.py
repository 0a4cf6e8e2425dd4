"""Runs the program of an expression on whole columns.

Truths are 1 and 0, any number but 0 is true. What is missing (NaN) makes the answer missing,
except where `isnan` asks for it, `if` does not choose it, or `and` and `or` are decided without it.
"""

from collections.abc import Callable, Mapping
from functools import reduce

import numpy as np

from modelstream.formats.pipeline.grammar import Call, Constant, Load, Program
from modelstream.messages import Column

_Operator = Callable[..., Column]


def run_program(program: Program, columns: Mapping[str, Column], rows: int) -> Column:
    """Return the column that a program makes of float64 columns, each in one piece."""
    stack: list[Column] = []
    with np.errstate(all="ignore"):  # what arithmetic leaves undefined is missing
        for each in program:
            match each:
                case Constant(value):
                    stack.append(np.full(rows, value))
                case Load(column):
                    stack.append(columns[column])
                case Call(operator, count):
                    values = stack[-count:]
                    del stack[-count:]
                    stack.append(_OPERATORS[operator](*values))
    return stack.pop()


def _of_both(operator: _Operator) -> _Operator:
    """Make the answer missing where one of both is, which NumPy does not do by itself."""

    def strict(a: Column, b: Column) -> Column:
        return np.where(np.isnan(a) | np.isnan(b), np.nan, operator(a, b))

    return strict


def _both(a: Column, b: Column) -> Column:
    unknown = np.isnan(a) | np.isnan(b)
    return np.where((a == 0) | (b == 0), 0.0, np.where(unknown, np.nan, 1.0))


def _either(a: Column, b: Column) -> Column:
    return _negation(_both(_negation(a), _negation(b)))


def _negation(a: Column) -> Column:
    return np.where(np.isnan(a), np.nan, a == 0)


def _chosen(condition: Column, then: Column, otherwise: Column) -> Column:
    chosen = np.where(condition != 0, then, otherwise)
    return np.where(np.isnan(condition), np.nan, chosen)


_OPERATORS: dict[str, _Operator] = {
    "+": np.add,
    "-": np.subtract,
    "*": np.multiply,
    "/": np.divide,
    "%": np.mod,
    "**": _of_both(np.power),
    "negative": np.negative,
    "<": _of_both(np.less),
    "<=": _of_both(np.less_equal),
    ">": _of_both(np.greater),
    ">=": _of_both(np.greater_equal),
    "==": _of_both(np.equal),
    "!=": _of_both(np.not_equal),
    "and": _both,
    "or": _either,
    "not": _negation,
    "abs": np.abs,
    "exp": np.exp,
    "log": np.log,
    "sqrt": np.sqrt,
    "round": np.round,
    "floor": np.floor,
    "ceil": np.ceil,
    "isnan": lambda a: np.isnan(a).astype(np.float64),
    "if": _chosen,
    "min": lambda *values: reduce(np.minimum, values),
    "max": lambda *values: reduce(np.maximum, values),
}
