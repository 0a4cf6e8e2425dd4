"""The columns that a document's output becomes: the reverse of `inputs`."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from modelstream.errors import ModelFailed, UnsupportedModel
from modelstream.formats import base
from modelstream.formats.pfa import types
from modelstream.formats.pfa.columns import Batch, Structs, is_numbers
from modelstream.formats.pfa.inputs import field_type
from modelstream.formats.pfa.types import NUMBERS, Array, Record, Type
from modelstream.limits import FIELDS_MAX
from modelstream.messages import Column

SCALAR_OUTPUT = "output"
_DTYPES: dict[str, Any] = {
    "bool": np.bool_,
    "int32": np.int32,
    "int64": np.int64,
    "float32": np.float32,
    "float64": np.float64,
}


@dataclass(frozen=True, slots=True)
class Output:
    """One column: its field, and the fields of records that lead to it."""

    field: base.Field
    path: tuple[str, ...]


def plan_output(kind: Type) -> tuple[Output, ...]:
    """Return the columns of an output. Raises UnsupportedModel for a type that no column has."""
    outputs: list[Output] = []
    _plan(kind, (), outputs, ())
    if not outputs:
        raise UnsupportedModel("output: a record without fields has no columns")
    return tuple(outputs)


def _plan(
    kind: Type, path: tuple[str, ...], outputs: list[Output], within: tuple[Record, ...]
) -> None:
    name = ".".join(path) or SCALAR_OUTPUT
    if isinstance(kind, Record):
        if kind in within or len(outputs) > FIELDS_MAX:
            raise UnsupportedModel(f"output {name!r}: a {kind} inside of itself has no columns")
        for part, each in kind.fields.items():
            _plan(each, (*path, part), outputs, (*within, kind))
        return
    known = [each for each in types.members(kind) if each != types.NULL]
    item = _widest(known)
    depth = 0
    while isinstance(item, Array):
        item, depth = item.items, depth + 1
    word = None if item is None else field_type(item)
    if word is None:
        raise UnsupportedModel(
            f"output {name!r}: no column has values of {kind}; those of numbers, booleans, strings, "
            "enums and arrays of them do, and of records by field"
        )
    outputs.append(Output(base.Field(name, word, (None,) * depth), path))


def _widest(known: list[Type]) -> Type | None:
    """Return the one type of a column of a union's values; None where there is none."""
    if len(known) == 1:
        return known[0]
    return types.DOUBLE if known and all(kind in NUMBERS for kind in known) else None


def write_outputs(
    outputs: Sequence[Output], batch: Batch, answer: Any, settled: dict[int, Any], failed: set[int]
) -> dict[str, Column]:
    """Return the columns of the answers: of a batch, and of rows that were `settled` by themselves.

    Rows that failed have a missing value. Raises ModelFailed when arrays differ in shape.
    """
    columns = {}
    for each in outputs:
        value = _reached(batch, answer, each.path)
        alone = {row: _part(found, each.path) for row, found in settled.items()}
        columns[each.field.name] = _column(each.field, batch, value, alone, failed)
    return columns


def _reached(_batch: Batch, value: Any, path: tuple[str, ...]) -> Any:
    for name in path:
        if isinstance(value, Structs):
            value = value.fields[name]
        elif isinstance(value, np.ndarray):
            found = np.empty(len(value), dtype=object)
            for row, each in enumerate(value.tolist()):
                found[row] = None if each is None else each[name]
            value = found
        else:
            value = None if value is None else value[name]
    return value


def _part(value: Any, path: tuple[str, ...]) -> Any:
    for name in path:
        value = value[name]
    return value


def _column(
    field: base.Field, batch: Batch, value: Any, alone: dict[int, Any], failed: set[int]
) -> Column:
    if is_numbers(value) and not alone and not failed and field.type != "string":
        return _typed(field, value)
    values = list(batch.list_of(value))
    for row, found in alone.items():
        values[row] = found
    for row in failed:
        values[row] = None
    if field.shape:
        return _tensor(field, values)
    if field.type == "string" or (field.type == "bool" and None in values):
        return _objects(values)
    if None in values:
        return np.array([np.nan if each is None else each for each in values], np.float64)
    return np.array(values, dtype=_DTYPES[field.type])


def _typed(field: base.Field, value: Column) -> Column:
    if value.ndim != 1 + len(field.shape):
        raise ModelFailed(f"output {field.name!r} has an answer of {value.ndim} dimensions")
    return value.astype(_DTYPES[field.type], copy=False)


def _objects(values: list[Any]) -> Column:
    column = np.empty(len(values), dtype=object)
    for row, value in enumerate(values):
        column[row] = value
    return column


def _tensor(field: base.Field, values: list[Any]) -> Column:
    """Stack arrays of one shape; a missing one has missing values."""
    dtype: Any = _DTYPES.get(field.type, object)
    known = [np.array(value, dtype=dtype) for value in values if value is not None]
    shapes = {each.shape for each in known}
    if len(shapes) > 1:
        raise ModelFailed(f"output {field.name!r}: the rows' answers differ in shape: {shapes}")
    shape = shapes.pop() if shapes else (0,) * len(field.shape)
    if len(shape) != len(field.shape):
        shape = (*shape, *(0,) * (len(field.shape) - len(shape)))
    missing = None if dtype is object else np.nan
    if len(known) < len(values) and dtype is not object:
        dtype = np.float64
    column = np.full((len(values), *shape), missing if len(known) < len(values) else 0, dtype=dtype)
    for row, value in enumerate(values):
        if value is not None:
            column[row] = np.array(value, dtype=dtype).reshape(shape)
    return column
