"""Built-in functions that compare: equal, lessThan, isIn and their like.

DMG 4.4, Built-in functions. A comparison with a missing value is unknown; whether a value is one
of several is known once it is found.
"""

from collections.abc import Callable
from operator import ge, gt, le, lt
from typing import Any

import numpy as np

from modelstream.errors import InvalidModel
from modelstream.formats.pmml.elements.base import DataType
from modelstream.formats.pmml.fields.batch import Batch
from modelstream.formats.pmml.fields.rows import applied
from modelstream.formats.pmml.fields.scope import Compiled
from modelstream.formats.pmml.fields.values import (
    NUMBERS,
    Scalar,
    full,
    is_missing,
    is_text,
    missing,
    parse_declared,
)
from modelstream.formats.pmml.functions.base import Builtin, Call, Getter, finish, getter
from modelstream.formats.pmml.functions.kleene import truth
from modelstream.messages import Column

Compare = Callable[[Any, Any], Any]


def comparison_functions() -> dict[str, Builtin]:
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
    }


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
        fixed = all(other.constant is not None for other in others)
        if len(others) > 1 and fixed and subject.constant is None:
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
                known = ~missing(value) & ~missing(other)
                found = found | (np.asarray(value == other, dtype=np.bool_) & known)
                unknown = unknown | ~known
            return truth(found if inside else ~found, unknown & ~found)

        def compute(*given: Scalar) -> float:
            pairs = [pair for pair in zip(given[::2], given[1::2], strict=True) if _known(pair)]
            found = any(one == other for one, other in pairs)
            if not found and 2 * len(pairs) < len(given):
                return np.nan
            return 1.0 if found == inside else 0.0

        row = applied([get.row for pair in pairs for get in pair], compute)
        return finish(call, "boolean", evaluate, row)

    return compile_call


def _known(pair: tuple[Scalar, Scalar]) -> bool:
    return not any(map(is_missing, pair))


def _set_membership(call: Call, *, inside: bool) -> Compiled:
    """Return whether a value is among constants, looked up at once."""
    subject, *others = call.arguments
    get = getter(subject, subject.data_type)
    members = {getter(other, common_type(subject, other))(Batch({}, 1)) for other in others}
    never = any(value is None or value != value for value in members)  # noqa: PLR0124  # NaN

    def evaluate(batch: Batch) -> Column:
        values = _compared(get, batch)
        found = np.fromiter(map(members.__contains__, values.tolist()), np.bool_, len(values))
        unknown = missing(values) | (~found if never else False)
        return truth(found if inside else ~found, unknown)

    def compute(value: Scalar) -> float:
        found = value in members
        if is_missing(value) or (never and not found):
            return np.nan
        return 1.0 if found == inside else 0.0

    return finish(call, "boolean", evaluate, applied([get.row], compute))


def _ordering(compare: Compare) -> Callable[[Call], Compiled]:
    """Return how a comparison is compiled: ordinals by their declared order, strings by letters."""

    def compile_call(call: Call) -> Compiled:
        shared = common_type(*call.arguments)
        left, right = (getter(argument, shared) for argument in call.arguments)
        places = _declared_places(call)
        if places is not None:
            left, right = _placed(left, places), _placed(right, places)

        def evaluate(batch: Batch) -> Column:
            one, other = np.broadcast_arrays(_compared(left, batch), _compared(right, batch))
            unknown = missing(one) | missing(other)
            result = np.zeros(len(one), dtype=np.bool_)
            known = ~unknown
            result[known] = compare(one[known], other[known])
            return truth(result, unknown)

        def compute(one: Scalar, other: Scalar) -> float:
            if is_missing(one) or is_missing(other):
                return np.nan
            return 1.0 if compare(one, other) else 0.0

        return finish(call, "boolean", evaluate, applied([left.row, right.row], compute))

    return compile_call


def _declared_places(call: Call) -> dict[Scalar, float] | None:
    """Return the places of the values of an ordinal argument in their order, if there is one.

    Raises InvalidModel for two ordinals that are ordered otherwise.
    """
    orders = {argument.order for argument in call.arguments if argument.order}
    if len(orders) > 1:
        raise InvalidModel(f"function {call.name!r} compares two ordinals of different orders")
    if not orders:
        return None
    data_type = common_type(*call.arguments)
    values = (parse_declared(v, data_type, "value of an ordinal") for v in orders.pop())
    return {value: float(place) for place, value in enumerate(values)}


def _placed(get: Getter, places: dict[Scalar, float]) -> Getter:
    """Return an argument's places in an order, missing for values that are not in it."""

    def placed(batch: Batch) -> Column:
        items = _compared(get, batch).tolist()
        return np.array([places.get(item, np.nan) for item in items], dtype=np.float64)

    return Getter(placed, applied([get.row], lambda item: places.get(item, np.nan)))


def _compared(get: Getter, batch: Batch) -> Column:
    """Return an argument as an array that spreads over the rows."""
    value = get(batch)
    if isinstance(value, np.ndarray):
        return value
    return full(value, 1, "string" if value is None or isinstance(value, str) else "double")
