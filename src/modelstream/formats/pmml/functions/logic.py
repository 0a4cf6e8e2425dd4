"""Built-in functions of truth: comparisons, and, or, not, isIn, isMissing, if.

DMG 4.4, Built-in functions. Truth is three-valued: `and` and `or` are Kleene's, every other
function is missing where an argument is.
"""

from collections.abc import Callable
from operator import ge, gt, le, lt
from typing import Any

import numpy as np

from modelstream.formats.pmml.batch import Batch
from modelstream.formats.pmml.elements.base import DataType
from modelstream.formats.pmml.functions.base import (
    Builtin,
    Call,
    Getter,
    finish,
    getter,
    number_getter,
    widest,
)
from modelstream.formats.pmml.scope import Compiled
from modelstream.formats.pmml.values import NUMBERS, full, is_text, missing
from modelstream.messages import Column

Compare = Callable[[Any, Any], Any]


def logic_functions() -> dict[str, Builtin]:
    """Return the functions by name."""
    return {
        "equal": Builtin(2, 2, _membership(inside=True)),
        "notEqual": Builtin(2, 2, _membership(inside=False)),
        "isIn": Builtin(2, None, _membership(inside=True)),
        "isNotIn": Builtin(2, None, _membership(inside=False)),
        "lessThan": Builtin(2, 2, _ordering(lt)),
        "lessOrEqual": Builtin(2, 2, _ordering(le)),
        "greaterThan": Builtin(2, 2, _ordering(gt)),
        "greaterOrEqual": Builtin(2, 2, _ordering(ge)),
        "and": Builtin(2, None, _connective(all_true)),
        "or": Builtin(2, None, _connective(any_true)),
        "not": Builtin(1, 1, _negation),
        "isMissing": Builtin(1, 1, _presence(absent=1.0)),
        "isNotMissing": Builtin(1, 1, _presence(absent=0.0)),
        "if": Builtin(2, 3, _if),
    }


def truth(mask: Any, unknown: Any) -> Column:
    """Return a mask as a column of truth, missing where it is unknown."""
    column: Column = np.where(unknown, np.nan, np.asarray(mask, dtype=np.float64))
    return column


def all_true(columns: list[Column]) -> Column:
    """Return Kleene's `and`: false where one is false, else unknown where one is."""
    stacked = np.stack(columns)
    known: Column = np.where((stacked == 0.0).any(axis=0), 0.0, 1.0)
    return np.where(np.isnan(stacked).any(axis=0) & (known == 1.0), np.nan, known)


def any_true(columns: list[Column]) -> Column:
    """Return Kleene's `or`: true where one is true, else unknown where one is."""
    stacked = np.stack(columns)
    known: Column = np.where((stacked == 1.0).any(axis=0), 1.0, 0.0)
    return np.where(np.isnan(stacked).any(axis=0) & (known == 0.0), np.nan, known)


def common_type(first: Compiled, second: Compiled) -> DataType:
    """Return the type in which two values are compared.

    A declared string is read as the other's type; a number is written as a string to be compared
    with a field that holds strings.
    """
    one, other = first.data_type, second.data_type
    if one == other:
        return one
    if is_text(one):
        return other if first.constant is not None else "string"
    if is_text(other):
        return one if second.constant is not None else "string"
    return "double" if {one, other} <= NUMBERS else one


def _membership(*, inside: bool) -> Callable[[Call], Compiled]:
    def compile_call(call: Call) -> Compiled:
        subject, *others = call.arguments
        if len(others) > 1 and all(other.constant is not None for other in others):
            return _set_membership(call, inside=inside)
        pairs = []
        for other in others:
            shared = common_type(subject, other)
            pairs.append((getter(subject, shared), getter(other, shared)))

        def evaluate(batch: Batch) -> Column:
            found: Any = False
            unknown: Any = False
            for get, get_other in pairs:
                value, other = _compared(get, batch), _compared(get_other, batch)
                found = found | np.asarray(value == other, dtype=np.bool_)
                unknown = unknown | missing(value) | missing(other)
            return truth(found if inside else ~found, unknown)

        return finish(call, "boolean", evaluate)

    return compile_call


def _set_membership(call: Call, *, inside: bool) -> Compiled:
    """Return whether a value is among constants, looked up at once."""
    subject, *others = call.arguments
    if is_text(subject.data_type):
        shared: DataType = "string"
    else:
        shared = common_type(subject, others[0])
    get = getter(subject, shared)
    members = {other_get(Batch({}, 1)) for other_get in (getter(o, shared) for o in others)}
    never = any(value is None or value != value for value in members)  # noqa: PLR0124  # NaN

    def evaluate(batch: Batch) -> Column:
        values = _compared(get, batch)
        found = np.fromiter(map(members.__contains__, values.tolist()), np.bool_, len(values))
        unknown = missing(values) | (~found if never and inside else False)
        return truth(found if inside else ~found, unknown)

    return finish(call, "boolean", evaluate)


def _ordering(compare: Compare) -> Callable[[Call], Compiled]:
    def compile_call(call: Call) -> Compiled:
        shared = common_type(*call.arguments)
        left, right = (getter(argument, shared) for argument in call.arguments)

        def evaluate(batch: Batch) -> Column:
            one, other = np.broadcast_arrays(_compared(left, batch), _compared(right, batch))
            unknown = missing(one) | missing(other)
            result = np.zeros(len(one), dtype=np.bool_)
            known = ~unknown
            result[known] = compare(one[known], other[known])
            return truth(result, unknown)

        return finish(call, "boolean", evaluate)

    return compile_call


def _compared(get: Getter, batch: Batch) -> Column:
    """Return an argument as an array that spreads over the rows."""
    value = get(batch)
    if isinstance(value, np.ndarray):
        return value
    return full(value, 1, "string" if value is None or isinstance(value, str) else "double")


def _connective(combine: Callable[[list[Column]], Column]) -> Callable[[Call], Compiled]:
    def compile_call(call: Call) -> Compiled:
        evaluators = [argument.evaluate for argument in call.arguments]
        return finish(call, "boolean", lambda batch: combine([get(batch) for get in evaluators]))

    return compile_call


def _negation(call: Call) -> Compiled:
    evaluate = call.arguments[0].evaluate
    return finish(call, "boolean", lambda batch: 1.0 - evaluate(batch))


def _presence(*, absent: float) -> Callable[[Call], Compiled]:
    def compile_call(call: Call) -> Compiled:
        evaluate = call.arguments[0].evaluate
        return finish(
            call,
            "boolean",
            lambda batch: np.where(missing(evaluate(batch)), absent, 1.0 - absent),
        )

    return compile_call


def _if(call: Call) -> Compiled:
    """Compile a choice; where the condition is missing the result is, too."""
    condition = number_getter(call.arguments[0])
    branches = call.arguments[1:]
    data_type = _branch_type(branches)
    yes = getter(branches[0], data_type)
    no = getter(branches[1], data_type) if len(branches) > 1 else None
    nothing = None if is_text(data_type) else np.nan

    def evaluate(batch: Batch) -> Column:
        chosen = np.broadcast_to(np.asarray(condition(batch), dtype=np.float64), batch.rows)
        result = full(nothing, batch.rows, data_type)
        for wanted, get in ((1.0, yes), (0.0, no)):
            if get is not None:
                rows = chosen == wanted
                value = get(batch.only(rows))  # what the other rows would have been is no matter
                result[rows] = value[rows] if isinstance(value, np.ndarray) else value
        return result

    return finish(call, data_type, evaluate)


def _branch_type(branches: tuple[Compiled, ...]) -> DataType:
    types = {branch.data_type for branch in branches}
    if len(types) == 1:
        return branches[0].data_type
    return "string" if "string" in types else widest(branches)
