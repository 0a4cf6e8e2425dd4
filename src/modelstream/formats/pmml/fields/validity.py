"""Which values of a field its DataField declares missing, valid and invalid.

DMG 4.4, Data Dictionary: Value, Interval. What is done about them is the MiningSchema's business.
"""

from collections.abc import Callable
from typing import NamedTuple

import numpy as np

from modelstream.errors import InvalidModel
from modelstream.formats.pmml.elements.base import OpType
from modelstream.formats.pmml.elements.fields import DataField
from modelstream.formats.pmml.fields.intervals import interval_test
from modelstream.formats.pmml.fields.values import (
    Scalar,
    is_missing,
    is_text,
    missing,
    parse_declared,
)
from modelstream.messages import Column

# Up to so many declared numbers are compared one by one, which is faster than a search.
_COMPARED_MAX = 16


class Mask(NamedTuple):
    """A test of values: which of a column pass it, and whether one value does."""

    column: Callable[[Column], Column]
    value: Callable[[Scalar], bool]


def invalid_mask(data: DataField, optype: OpType) -> Mask | None:
    """Return the test for values that are declared invalid, if any are declared at all."""
    excluded = member_mask(data, "invalid")
    allowed = member_mask(data, "valid")
    within = _interval_mask(data)
    if is_text(data.data_type) or optype != "continuous":
        within = None
    elif within is None:
        allowed = None  # values of a continuous field without intervals explain, not restrict
    if excluded is None and allowed is None and within is None:
        return None
    good = [mask for mask in (allowed, within) if mask is not None]

    def column(column: Column) -> Column:
        bad = np.zeros(len(column), dtype=np.bool_)
        if good:
            bad = ~np.logical_or.reduce([m.column(column) for m in good]) & ~missing(column)
        return bad if excluded is None else bad | excluded.column(column)

    def value(value: Scalar) -> bool:
        if excluded is not None and excluded.value(value):
            return True
        for mask in good:
            if mask.value(value):
                return False
        return bool(good) and not is_missing(value)

    return Mask(column, value)


def member_mask(data: DataField, kind: str) -> Mask | None:
    """Return the test whether values are among those declared with a property."""
    where = f"Value of field {data.name!r}"
    members: set[Scalar] = set()
    for value in data.values:
        if value.property == kind:
            members.add(_declared(value.value, data, kind, where))
    members = {member for member in members if not is_missing(member)}
    if not members:
        return None
    is_member = members.__contains__
    if is_text(data.data_type):
        return Mask(
            lambda column: np.fromiter(map(is_member, column.tolist()), np.bool_, len(column)),
            is_member,
        )
    if len(members) > _COMPARED_MAX:
        sought = np.array(list(members), dtype=np.float64)
        return Mask(lambda column: np.isin(column, sought), is_member)
    return Mask(
        lambda column: np.logical_or.reduce([column == number for number in members]), is_member
    )


def _interval_mask(data: DataField) -> Mask | None:
    if not data.intervals:
        return None
    tests = [interval_test(i, single=data.data_type == "float") for i in data.intervals]
    return Mask(
        lambda column: np.logical_or.reduce([test(column) for test in tests]),
        lambda value: any(test(value) for test in tests),
    )


def _declared(text: str, data: DataField, kind: str, where: str) -> Scalar:
    """Return a declared value; a missing or invalid one need not be of the field's type."""
    try:
        return parse_declared(text, data.data_type, where)
    except InvalidModel:
        if kind == "valid":
            raise
        return np.nan
