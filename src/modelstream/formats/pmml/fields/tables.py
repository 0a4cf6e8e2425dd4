"""Expressions that are tables: NormContinuous, NormDiscrete, Discretize and MapValues.

DMG 4.4, Transformations.
"""

from bisect import bisect_right
from collections.abc import Callable
from typing import Any

import numpy as np
import numpy.typing as npt

from modelstream.errors import InvalidModel
from modelstream.formats.pmml.elements.base import DataType
from modelstream.formats.pmml.elements.expressions import (
    Discretize,
    MapValues,
    NormContinuous,
    NormDiscrete,
)
from modelstream.formats.pmml.fields.batch import Batch, Cell
from modelstream.formats.pmml.fields.coded import Lookup
from modelstream.formats.pmml.fields.intervals import Regions
from modelstream.formats.pmml.fields.rows import Plan, applied
from modelstream.formats.pmml.fields.scope import ByValue, Compiled
from modelstream.formats.pmml.fields.values import (
    Scalar,
    full,
    is_missing,
    is_text,
    missing,
    missing_value,
    parse,
    parse_declared,
)
from modelstream.messages import Column


def norm_continuous(expression: NormContinuous, field: Compiled) -> Compiled:
    """Return the piecewise linear function of a numeric field."""
    where = f"NormContinuous of field {expression.field!r}"
    orig = np.array([point.orig for point in expression.points])
    norm = np.array([point.norm for point in expression.points])
    if len(orig) < 2 or not (np.diff(orig) > 0).all():
        raise InvalidModel(f"{where} needs two or more points, ascending by orig")
    if is_text(field.data_type):
        raise InvalidModel(f"{where}: the field is not numeric")
    slope = np.diff(norm) / np.diff(orig)
    one_line = len(slope) == 1
    absent = np.nan if expression.map_missing_to is None else expression.map_missing_to
    evaluate, outliers = field.evaluate, expression.outliers

    def interpolate(batch: Batch) -> Column:
        column = evaluate(batch)
        part = 0 if one_line else np.searchsorted(orig[1:-1], column, side="right")
        result: Column = column - orig[part]
        result *= slope[part]
        result += norm[part]
        if outliers == "asExtremeValues":
            result = np.where(column < orig[0], norm[0], result)
            result = np.where(column > orig[-1], norm[-1], result)
        elif outliers == "asMissingValues":
            result = np.where((column < orig[0]) | (column > orig[-1]), np.nan, result)
        return result if is_missing(absent) else np.where(np.isnan(column), absent, result)

    value = _interpolation(expression, orig.tolist(), norm.tolist(), slope.tolist(), absent)
    return Compiled("double", interpolate, field.depth + 1, row=applied([field.row], value))


def _interpolation(
    expression: NormContinuous,
    orig: list[float],
    norm: list[float],
    slope: list[float],
    absent: float,
) -> Callable[[float], float]:
    """Return the same function of one number."""
    inner, outliers = orig[1:-1], expression.outliers

    def interpolate(x: float) -> float:
        if x != x:  # noqa: PLR0124  # NaN is not itself
            return absent
        if outliers != "asIs" and not orig[0] <= x <= orig[-1]:
            if outliers == "asMissingValues":
                return np.nan
            return norm[0] if x < orig[0] else norm[-1]
        part = bisect_right(inner, x)
        return norm[part] + (x - orig[part]) * slope[part]

    return interpolate


def norm_discrete(expression: NormDiscrete, field: Compiled) -> Compiled:
    """Return one where the field has the value, zero where it has another."""
    where = f"NormDiscrete of field {expression.field!r}"
    value = parse_declared(expression.value, field.data_type, where)
    absent = np.nan if expression.map_missing_to is None else expression.map_missing_to
    one = {value: 1.0, None: absent}.get
    evaluate = field.evaluate
    by_value, looked_up = _by_value(
        field.cell if is_text(field.data_type) else None, lambda text: one(text, 0.0), np.float64
    )

    def indicate(batch: Batch) -> Column:
        column = evaluate(batch)
        return np.where(missing(column), absent, (column == value).astype(np.float64))

    def row(plan: Plan) -> int:
        at = plan.use(field.row)
        if is_text(field.data_type):
            return plan.step(lambda values: one(values[at], 0.0))
        return plan.step(
            lambda values: absent if (x := values[at]) != x else 1.0 if x == value else 0.0
        )

    depth = field.depth + 1
    return Compiled("double", looked_up or indicate, depth, row=row, by_value=by_value)


def discretize(expression: Discretize, field: Compiled, wanted: DataType) -> Compiled:
    """Return the value of the first interval that a numeric field's value lies in."""
    where = f"Discretize of field {expression.field!r}"
    if is_text(field.data_type):
        raise InvalidModel(f"{where}: the field is not numeric")
    data_type = expression.data_type or wanted
    regions = Regions(b.interval for b in expression.bins)
    other = _optional(expression.default_value, data_type, where)
    values = full(other, regions.missing + 1, data_type)
    for b in reversed(expression.bins):  # the first interval that holds a value counts
        values[regions.span(b.interval)] = parse_declared(b.bin_value, data_type, where)
    values[regions.missing] = _optional(expression.map_missing_to, data_type, where)
    evaluate, listed = field.evaluate, values.tolist()

    def place(batch: Batch) -> Column:
        placed: Column = values[regions.locate(evaluate(batch))]
        return placed

    row = applied([field.row], lambda value: listed[regions.locate_one(value)])
    return Compiled(data_type, place, field.depth + 1, row=row)


def map_values(expression: MapValues, keys: list[Compiled], wanted: DataType) -> Compiled:
    """Return what a table holds for the values of some fields."""
    data_type = expression.data_type or wanted
    where = f"MapValues to column {expression.output_column!r}"
    if not keys:
        raise InvalidModel(f"{where} has no FieldColumnPair")
    table = _table(expression, [key.data_type for key in keys], data_type, where)
    other = _optional(expression.default_value, data_type, where)
    absent = _optional(expression.map_missing_to, data_type, where)
    kind = np.object_ if is_text(data_type) else np.float64

    def look_up(batch: Batch) -> Column:
        columns = [key.evaluate(batch) for key in keys]
        rows = zip(*(column.tolist() for column in columns), strict=True)
        result = full(other, batch.rows, data_type)
        result[:] = [table.get(row, other) for row in rows]
        result[np.logical_or.reduce([missing(column) for column in columns])] = absent
        return result

    def look_up_one(*found: Scalar) -> Scalar:
        return absent if any(map(is_missing, found)) else table.get(found, other)

    only = keys[0].cell if len(keys) == 1 else None
    by_value, looked_up = _by_value(only, look_up_one, kind)
    row = applied([key.row for key in keys], look_up_one)
    if len(keys) == 1 and is_text(keys[0].data_type):
        known = {None: absent, **{key: value for (key,), value in table.items()}}.get
        row = applied([keys[0].row], lambda text: known(text, other))
    depth = max(key.depth for key in keys) + 1
    return Compiled(data_type, looked_up or look_up, depth, row=row, by_value=by_value)


def _by_value(
    cell: Cell[Column] | None, function: Callable[[Any], Any], dtype: npt.DTypeLike
) -> tuple[ByValue | None, Callable[[Batch], Column] | None]:
    """Return how a function of a cell's values is computed, and what does so."""
    if cell is None:
        return None, None
    lookup = Lookup([function], dtype)
    return ByValue(cell, function), lambda batch: lookup.column(batch.coded(cell))


def _table(
    expression: MapValues, key_types: list[DataType], data_type: DataType, where: str
) -> dict[tuple[Scalar, ...], Scalar]:
    """Return the table as a dictionary; the first of two equal rows counts."""
    columns = [_local(pair.column) for pair in expression.pairs]
    output = _local(expression.output_column)
    table: dict[tuple[Scalar, ...], Scalar] = {}
    for row in expression.table.rows:
        cells = dict(row.cells)
        if output not in cells or not all(column in cells for column in columns):
            continue  # a row without a cell is a row that maps nothing
        try:
            key = tuple(parse(cells[c], t) for c, t in zip(columns, key_types, strict=True))
        except ValueError:
            continue  # no value of the field's type can ever equal it
        table.setdefault(key, parse_declared(cells[output], data_type, where))
    return table


def _local(name: str) -> str:
    """Return a column's name without the namespace prefix that some producers write."""
    return name.rpartition(":")[2]


def _optional(text: str | None, data_type: DataType, where: str) -> Scalar:
    if text is None:
        return missing_value(data_type)
    return parse_declared(text, data_type, where)
