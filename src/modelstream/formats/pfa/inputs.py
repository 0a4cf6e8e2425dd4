"""The columns that a document's input is made of, and how they become values of its type.

A record is a column a field, nested records a column a field by dotted names; anything else is one
column named `input`. A field that may be null is an optional column.
"""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from modelstream.errors import InvalidRecord, UnsupportedModel
from modelstream.formats import base
from modelstream.formats.pfa import types
from modelstream.formats.pfa.columns import Structs, column_of
from modelstream.formats.pfa.data import INT_RANGE
from modelstream.formats.pfa.types import REAL, WHOLE, Array, Enum, Record, Type
from modelstream.limits import FIELDS_MAX
from modelstream.messages import Column, Columns

SCALAR_INPUT = "input"
FIELD_TYPES: dict[Type, base.FieldType] = {
    types.BOOLEAN: "bool",
    types.INT: "int32",
    types.LONG: "int64",
    types.FLOAT: "float32",
    types.DOUBLE: "float64",
    types.STRING: "string",
}
# Whole numbers come as float64, which tells them apart up to here.
_EXACT = 2.0**53


@dataclass(frozen=True, slots=True)
class Input:
    """One column: its field, the type of its values, and what it is an array of."""

    field: base.Field
    type: Type
    item: Type


@dataclass(frozen=True, slots=True)
class Node:
    """How a value is made of columns: of one, or of a record's fields."""

    type: Type
    column: int = -1
    parts: "tuple[tuple[str, Node], ...]" = ()


def field_type(kind: Type) -> base.FieldType | None:
    """Return the type of a column of such values; None where there is none."""
    return "string" if isinstance(kind, Enum) else FIELD_TYPES.get(kind)


def plan_input(kind: Type) -> tuple[tuple[Input, ...], Node]:
    """Return the columns of an input, and how its values are made of them.

    Raises UnsupportedModel for a type that no column has, naming the field.
    """
    inputs: list[Input] = []
    node = _plan(kind, "", inputs, ())
    if not inputs:
        raise UnsupportedModel("input: a record without fields has no columns")
    return tuple(inputs), node


def _plan(kind: Type, name: str, inputs: list[Input], within: tuple[Record, ...]) -> Node:
    if isinstance(kind, Record):
        if kind in within or len(inputs) > FIELDS_MAX:
            raise UnsupportedModel(f"input {name!r}: a {kind} inside of itself has no columns")
        parts = tuple(
            (part, _plan(each, f"{name}.{part}" if name else part, inputs, (*within, kind)))
            for part, each in kind.fields.items()
        )
        return Node(kind, parts=parts)
    column = name or SCALAR_INPUT
    known, optional = _without_null(kind)
    depth, item = 0, known
    while isinstance(item, Array):
        item, depth = item.items, depth + 1
    word = field_type(item)
    if word is None:
        raise UnsupportedModel(
            f"input {column!r}: no column has values of {kind}; those of numbers, booleans, strings, "
            "enums and arrays of them do, and of records by field"
        )
    inputs.append(Input(base.Field(column, word, (None,) * depth, optional), kind, item))
    return Node(kind, column=len(inputs) - 1)


def _without_null(kind: Type) -> tuple[Type, bool]:
    known = [each for each in types.members(kind) if each != types.NULL]
    optional = len(known) < len(types.members(kind))
    return (types.union(known) if known else types.NULL), optional


def read_inputs(inputs: Sequence[Input], columns: Columns) -> tuple[list[Any], int, dict[int, str]]:
    """Return the columns as values of their types, the number of rows, and the rows that do not fit.

    Raises InvalidRecord when columns are absent, of another shape, or of different lengths.
    """
    given = {each.field.name: _given(each, columns) for each in inputs}
    lengths = {name: len(column) for name, column in given.items() if column is not None}
    if len(set(lengths.values())) > 1:
        raise InvalidRecord(f"columns are of different lengths: {lengths}")
    rows = next(iter(lengths.values()), len(next(iter(columns.values()), ())))
    errors: dict[int, str] = {}
    values = [_read(each, given[each.field.name], rows, errors) for each in inputs]
    return values, rows, errors


def _given(each: Input, columns: Columns) -> Column | None:
    name = each.field.name
    column = columns.get(name)
    if column is None:
        if each.field.optional:
            return None
        raise InvalidRecord(f"column {name!r} is absent and must not be missing")
    if column.ndim != 1 + len(each.field.shape) and column.dtype != object:
        raise InvalidRecord(
            f"column {name!r} is of shape {column.shape}; {1 + len(each.field.shape)} dimensions "
            "are due"
        )
    return column


def _read(each: Input, column: Column | None, _rows: int, errors: dict[int, str]) -> Any:
    if column is None:
        return None
    if column.dtype.kind in "fiub" and each.item in types.NUMBERS:
        return _read_numbers(each, column, errors)
    if column.dtype == np.bool_ and each.item == types.BOOLEAN:
        return column
    return _read_objects(each, column, errors)


def _read_numbers(each: Input, column: Column, errors: dict[int, str]) -> Any:
    numbers = np.ascontiguousarray(column, np.float64)
    missing = np.isnan(numbers) if each.field.optional or each.item in WHOLE else None
    if each.item in WHOLE:
        limit = float(INT_RANGE.stop) if each.item == types.INT else _EXACT
        fits = (np.abs(numbers) <= limit) & (np.trunc(numbers) == numbers)
        fits &= numbers < limit if each.item == types.INT else True
        if each.field.optional and missing is not None:
            fits |= missing
        _refuse(each, _by_row(~fits), errors)
        numbers = np.where(fits & ~np.isnan(numbers), numbers, 0.0).astype(np.int64)
    if not each.field.optional or missing is None or not missing.any():
        return numbers
    if column.ndim > 1:
        null = _by_row(missing)
        return _nulled(numbers, null)
    return _nulled(numbers, missing)


def _by_row(mask: Column) -> Column:
    if mask.ndim == 1:
        return mask
    rows: Column = np.asarray(mask.reshape(len(mask), -1).any(axis=1))
    return rows


def _nulled(numbers: Column, missing: Column) -> Column:
    found = np.empty(len(numbers), dtype=object)
    for row, (value, gone) in enumerate(zip(numbers.tolist(), missing.tolist(), strict=True)):
        found[row] = None if gone else value
    return found


def _refuse(each: Input, wrong: Column, errors: dict[int, str]) -> None:
    for row in np.nonzero(wrong)[0].tolist():
        errors.setdefault(row, f"field {each.field.name!r}: a value is no {each.item}")


def _read_objects(each: Input, column: Column, errors: dict[int, str]) -> Any:
    """Read values one by one: strings and what stands beside missing values."""
    read = _reader(each)
    values: list[Any] = []
    for row, value in enumerate(column.tolist()):
        try:
            values.append(read(value, len(each.field.shape)))
        except (TypeError, ValueError, OverflowError):
            values.append(None)
            errors.setdefault(row, f"field {each.field.name!r}: {_shown(value)} is no {each.type}")
    if each.field.optional:
        found = np.empty(len(values), dtype=object)
        for row, value in enumerate(values):
            found[row] = value
        return found
    return column_of(values, each.type)


def _shown(value: Any) -> str:
    text = repr(value)
    return text if len(text) <= 40 else f"{text[:37]}..."


def _reader(each: Input) -> Callable[[Any, int], Any]:
    """Return what reads a value in some arrays. It raises TypeError for what does not fit."""
    read_item, optional, depth = _item_reader(each.item), each.field.optional, len(each.field.shape)

    def read(value: Any, left: int) -> Any:
        if optional and left == depth and _is_missing(value):
            return None
        if not left:
            return read_item(value)
        if not isinstance(value, list):
            raise TypeError
        return [read(part, left - 1) for part in value]

    return read


def _is_missing(value: Any) -> bool:
    return value is None or (type(value) is float and math.isnan(value))


def _item_reader(item: Type) -> Callable[[Any], Any]:
    if item in REAL:
        return lambda value: float(_of_type(value, (float, int)))
    if item in WHOLE:
        return lambda value: _whole(value, item)
    if item == types.BOOLEAN:
        return lambda value: _of_type(value, (bool,))
    symbols = frozenset(item.symbols) if isinstance(item, Enum) else None

    def read_text(value: Any) -> str:
        if not isinstance(value, str) or (symbols is not None and value not in symbols):
            raise TypeError
        return value

    return read_text


def _of_type(value: Any, kinds: tuple[type, ...]) -> Any:
    if type(value) not in kinds:
        raise TypeError
    return value


def _whole(value: Any, item: Type) -> int:
    if type(value) is float and value.is_integer():
        value = int(value)
    if type(value) is not int or (item == types.INT and value not in INT_RANGE):
        raise TypeError
    return int(value)


def assemble(node: Node, values: Sequence[Any]) -> Any:
    """Return the input of all rows, of its columns."""
    if not isinstance(node.type, Record):
        return values[node.column]
    return Structs(node.type.name, {name: assemble(part, values) for name, part in node.parts})
