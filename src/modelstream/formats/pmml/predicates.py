"""Compile predicates to columns of three-valued truth (DMG 4.4, Trees: Predicates).

A predicate on a missing value is unknown: 1 is true, 0 false, NaN unknown.
"""

from collections.abc import Callable
from typing import Any

import numpy as np

from modelstream.errors import InvalidModel, UnsupportedModel
from modelstream.formats.pmml.arrays import array_items
from modelstream.formats.pmml.batch import Batch
from modelstream.formats.pmml.elements.predicates import (
    Always,
    CompoundPredicate,
    Never,
    Predicate,
    SimplePredicate,
    SimpleSetPredicate,
)
from modelstream.formats.pmml.functions.logic import all_true, any_true, truth
from modelstream.formats.pmml.scope import Field, Scope, check_depth
from modelstream.formats.pmml.values import Scalar, is_text, missing, parse_declared
from modelstream.messages import Column

Truth = Callable[[Batch], Column]

_COMPARE: dict[str, Callable[[Any, Any], Any]] = {
    "equal": np.equal,
    "notEqual": np.not_equal,
    "lessThan": np.less,
    "lessOrEqual": np.less_equal,
    "greaterThan": np.greater,
    "greaterOrEqual": np.greater_equal,
}


def compile_predicate(predicate: Predicate, scope: Scope, level: int = 0) -> Truth:
    """Return a predicate as a function of a batch. Raises InvalidModel or UnsupportedModel."""
    check_depth(level)
    if isinstance(predicate, Always):
        return lambda batch: np.ones(batch.rows)
    if isinstance(predicate, Never):
        return lambda batch: np.zeros(batch.rows)
    if isinstance(predicate, SimplePredicate):
        return _simple(predicate, scope)
    if isinstance(predicate, SimpleSetPredicate):
        return _in_set(predicate, scope)
    return _compound(predicate, scope, level)


def declared_value(predicate: SimplePredicate, field: Field) -> Scalar:
    """Return what a predicate compares its field with, checked."""
    where = f"SimplePredicate on field {predicate.field!r}"
    if predicate.value is None:
        raise InvalidModel(f"{where} has no value")
    if is_text(field.data_type) and predicate.operator not in {"equal", "notEqual"}:
        raise UnsupportedModel(
            f"{where}: operator {predicate.operator} on strings is not evaluated; "
            "supported: equal, notEqual, isMissing, isNotMissing"
        )
    return parse_declared(predicate.value, field.data_type, where)


def declared_set(predicate: SimpleSetPredicate, field: Field) -> list[Scalar]:
    """Return the values of a set predicate, checked."""
    where = f"SimpleSetPredicate on field {predicate.field!r}"
    return [parse_declared(i, field.data_type, where) for i in array_items(predicate.array)]


def _simple(predicate: SimplePredicate, scope: Scope) -> Truth:
    field = scope.find(predicate.field)
    cell = field.cell
    if predicate.operator in {"isMissing", "isNotMissing"}:
        absent = 1.0 if predicate.operator == "isMissing" else 0.0
        return lambda batch: np.where(missing(batch.read(cell)), absent, 1.0 - absent)
    value, compare = declared_value(predicate, field), _COMPARE[predicate.operator]

    def test(batch: Batch) -> Column:
        column = batch.read(cell)
        return truth(compare(column, value), missing(column))

    return test


def _in_set(predicate: SimpleSetPredicate, scope: Scope) -> Truth:
    field = scope.find(predicate.field)
    cell, members = field.cell, set(declared_set(predicate, field))
    inside = predicate.boolean_operator == "isIn"

    def test(batch: Batch) -> Column:
        column = batch.read(cell)
        found = np.fromiter(map(members.__contains__, column.tolist()), np.bool_, len(column))
        return truth(found if inside else ~found, missing(column))

    return test


def _compound(predicate: CompoundPredicate, scope: Scope, level: int) -> Truth:
    parts = [compile_predicate(part, scope, level + 1) for part in predicate.predicates]
    if not parts:
        raise InvalidModel("a CompoundPredicate holds no predicate")
    combine = _COMBINE[predicate.boolean_operator]
    return lambda batch: combine([part(batch) for part in parts])


def _one_true(columns: list[Column]) -> Column:
    """Return exclusive or: true where an odd number are true, unknown where one is unknown."""
    total: Column = np.add.reduce(columns)
    return np.mod(total, 2.0)


def _first_known(columns: list[Column]) -> Column:
    """Return the first column, the next one where it is unknown, and so on (surrogate)."""
    known = columns[0]
    for column in columns[1:]:
        known = np.where(np.isnan(known), column, known)
    return known


_COMBINE: dict[str, Callable[[list[Column]], Column]] = {
    "and": all_true,
    "or": any_true,
    "xor": _one_true,
    "surrogate": _first_known,
}
