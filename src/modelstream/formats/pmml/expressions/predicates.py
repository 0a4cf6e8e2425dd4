"""Compile predicates to columns of three-valued truth (DMG 4.4, Trees: Predicates).

A predicate on a missing value is unknown: 1 is true, 0 false, NaN unknown.
"""

import operator
import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from modelstream.errors import InvalidModel, UnsupportedModel
from modelstream.formats.pmml.elements.predicates import (
    Always,
    Array,
    CompoundPredicate,
    Never,
    Predicate,
    SimplePredicate,
    SimpleSetPredicate,
)
from modelstream.formats.pmml.fields.arrays import array_items
from modelstream.formats.pmml.fields.batch import Batch
from modelstream.formats.pmml.fields.rows import Twin, applied, in_order, of_cell
from modelstream.formats.pmml.fields.scope import Field, Scope, check_depth
from modelstream.formats.pmml.fields.values import (
    Scalar,
    is_missing,
    is_text,
    missing,
    parse_declared,
)
from modelstream.formats.pmml.functions.kleene import (
    all_true,
    any_true,
    every_true,
    some_true,
    truth,
)
from modelstream.messages import Column


@dataclass(frozen=True, slots=True)
class Truth:
    """A predicate ready to run, for a batch and for one row."""

    column: Callable[[Batch], Column]
    row: Twin

    def __call__(self, batch: Batch) -> Column:
        """Return where the predicate is true."""
        return self.column(batch)


_COMPARE: dict[str, Callable[[Any, Any], Any]] = {
    "equal": operator.eq,
    "notEqual": operator.ne,
    "lessThan": operator.lt,
    "lessOrEqual": operator.le,
    "greaterThan": operator.gt,
    "greaterOrEqual": operator.ge,
}
_ORDERING = frozenset(_COMPARE) - {"equal", "notEqual"}


def compile_predicate(predicate: Predicate, scope: Scope, level: int = 0) -> Truth:
    """Return a predicate as a function of a batch. Raises InvalidModel or UnsupportedModel."""
    check_depth(level)
    scope.context.count_predicate()
    if isinstance(predicate, Always):
        return Truth(lambda batch: np.ones(batch.rows), lambda plan: plan.constant(1.0))
    if isinstance(predicate, Never):
        return Truth(lambda batch: np.zeros(batch.rows), lambda plan: plan.constant(0.0))
    if isinstance(predicate, SimplePredicate):
        return _simple(predicate, scope)
    if isinstance(predicate, SimpleSetPredicate):
        return _in_set(predicate, scope)
    return _compound(predicate, scope, level)


def ordinal_set(predicate: SimplePredicate, field: Field) -> SimplePredicate | SimpleSetPredicate:
    """Return a comparison with an ordinal's value as the set of the values that it is true for.

    Their order is that in which the field declares them. Raises InvalidModel for another value.
    """
    if predicate.operator not in _ORDERING or not field.order:
        return predicate
    if predicate.value not in field.order:
        raise InvalidModel(
            f"SimplePredicate on field {predicate.field!r}: {predicate.value!r} is not one of its "
            f"values, which are {', '.join(field.order)}"
        )
    limit, holds = field.order.index(predicate.value), _COMPARE[predicate.operator]
    inside = [value for place, value in enumerate(field.order) if holds(place, limit)]
    quoted = (re.sub(r'(["\\])', r"\\\1", value) for value in inside)
    array = Array(type="string", text=" ".join(f'"{value}"' for value in quoted))
    return SimpleSetPredicate(field=predicate.field, boolean_operator="isIn", array=array)


def declared_value(predicate: SimplePredicate, field: Field) -> Scalar:
    """Return what a predicate compares its field with, checked."""
    where = f"SimplePredicate on field {predicate.field!r}"
    if predicate.value is None:
        raise InvalidModel(f"{where} has no value")
    if is_text(field.data_type) and predicate.operator not in {"equal", "notEqual"}:
        raise UnsupportedModel(
            f"{where}: operator {predicate.operator} on strings is evaluated for an ordinal field "
            "that declares its values in order; supported for others: equal, notEqual, isMissing, "
            "isNotMissing"
        )
    return parse_declared(predicate.value, field.data_type, where)


def declared_set(predicate: SimpleSetPredicate, field: Field) -> list[Scalar]:
    """Return the values of a set predicate, checked."""
    where = f"SimpleSetPredicate on field {predicate.field!r}"
    return [parse_declared(i, field.data_type, where) for i in array_items(predicate.array)]


def _simple(comparison: SimplePredicate, scope: Scope) -> Truth:
    field = scope.find(comparison.field)
    predicate = ordinal_set(comparison, field)
    if isinstance(predicate, SimpleSetPredicate):
        return _in_set(predicate, scope)
    cell = field.cell
    if predicate.operator in {"isMissing", "isNotMissing"}:
        absent = 1.0 if predicate.operator == "isMissing" else 0.0
        return Truth(
            lambda batch: np.where(missing(batch.read(cell)), absent, 1.0 - absent),
            applied([of_cell(cell)], lambda given: absent if is_missing(given) else 1.0 - absent),
        )
    value, compare = declared_value(predicate, field), _COMPARE[predicate.operator]

    def test(batch: Batch) -> Column:
        column = batch.read(cell)
        return truth(compare(column, value), missing(column))

    def test_one(given: Scalar) -> float:
        if is_missing(given):
            return np.nan
        return 1.0 if compare(given, value) else 0.0

    return Truth(test, applied([of_cell(cell)], test_one))


def _in_set(predicate: SimpleSetPredicate, scope: Scope) -> Truth:
    field = scope.find(predicate.field)
    cell, members = field.cell, set(declared_set(predicate, field))
    inside = predicate.boolean_operator == "isIn"

    def test(batch: Batch) -> Column:
        column = batch.read(cell)
        found = np.fromiter(map(members.__contains__, column.tolist()), np.bool_, len(column))
        return truth(found if inside else ~found, missing(column))

    def test_one(given: Scalar) -> float:
        if is_missing(given):
            return np.nan
        return 1.0 if (given in members) == inside else 0.0

    return Truth(test, applied([of_cell(cell)], test_one))


def _compound(predicate: CompoundPredicate, scope: Scope, level: int) -> Truth:
    parts = [compile_predicate(part, scope, level + 1) for part in predicate.predicates]
    if not parts:
        raise InvalidModel("a CompoundPredicate holds no predicate")
    combine, of_values = _COMBINE[predicate.boolean_operator]
    return Truth(
        lambda batch: combine([part(batch) for part in parts]),
        applied([part.row for part in parts], of_values),
    )


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


_COMBINE: dict[str, tuple[Callable[[list[Column]], Column], Callable[..., float]]] = {
    "and": (all_true, every_true),
    "or": (any_true, some_true),
    "xor": (_one_true, lambda *truths: in_order(truths) % 2.0),
    "surrogate": (
        _first_known,
        lambda *truths: next((each for each in truths if not is_missing(each)), np.nan),
    ),
}
