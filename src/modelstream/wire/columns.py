"""Lists of values to columns, checked: the slow half of decoding, for what is not plain numbers.

A fault is a row whose value does not fit its field; the column has a filler there.
"""

from collections.abc import Sequence
from types import GenericAlias
from typing import Any

import msgspec
import numpy as np

from modelstream.formats.base import Field
from modelstream.messages import Column, Failure

NUMBERS = frozenset({"float64", "float32", "int64", "int32"})
INTEGERS = frozenset({"int64", "int32"})
# Beyond it two integers share one float64, and a column of numbers is float64.
EXACT_INTEGER_MAX = 2.0**53


class MixedShapes(Exception):
    """Records of one batch differ in an open dimension: they cannot be one column."""


def value_type(field: Field) -> Any:
    """Return the type that a record's value of this field must have."""
    scalar: Any = float if field.type in NUMBERS else bool if field.type == "bool" else str
    for _ in field.shape:
        scalar = list[scalar]
    return scalar


def number_column(values: Sequence[float | None]) -> Column:
    """Lay numbers into float64, a missing one as NaN."""
    try:
        return np.fromiter(values, np.float64, len(values))
    except TypeError:
        filled = (np.nan if value is None else value for value in values)
        return np.fromiter(filled, np.float64, len(values))


def integer_faults(field: Field, column: Column) -> dict[int, Failure]:
    """Find the rows whose integer is too large to be told from its neighbours."""
    if field.type not in INTEGERS:
        return {}
    (rows,) = np.nonzero(np.abs(column) > EXACT_INTEGER_MAX)
    failure = Failure("wrong_type", f"field {field.name!r}: integers are exact up to 2**53 only")
    return dict.fromkeys(rows.tolist(), failure)


def column_of(field: Field, values: list[Any]) -> tuple[Column, dict[int, Failure]]:
    """Lay any values into the column of a field; UNSET stands for a missing key."""
    faults: dict[int, Failure] = {}
    checked = [
        _checked(field, row, value, faults) for row, value in enumerate(_converted(field, values))
    ]
    if field.shape:
        return _tensors(field, checked, faults), faults
    if field.type in NUMBERS:
        column = number_column(checked)
        return column, faults | integer_faults(field, column)
    if field.type == "bool" and None not in checked:
        return np.array(checked, dtype=np.bool_), faults
    column = np.empty(len(checked), dtype=object)
    column[:] = checked
    return column, faults


def _converted(field: Field, values: list[Any]) -> list[Any]:
    """Check the types of all values at once; a list with a wrong one is left as it is."""
    kind: Any = value_type(field) | None | msgspec.UnsetType
    try:
        return list(msgspec.convert(values, GenericAlias(list, (kind,))))
    except msgspec.ValidationError:
        return values


def _checked(field: Field, row: int, value: Any, faults: dict[int, Failure]) -> Any:
    """Return a value that fits, or None and a fault."""
    if value is None or value is msgspec.UNSET:
        if not field.optional:
            faults[row] = Failure("missing_field", f"field {field.name!r} is missing")
        return None
    try:
        return msgspec.convert(value, value_type(field))
    except msgspec.ValidationError as error:
        faults[row] = Failure("wrong_type", f"field {field.name!r}: {error}")
        return None


def _tensors(field: Field, values: list[Any], faults: dict[int, Failure]) -> Column:
    """Stack nested lists of one shape; a row of another shape is a fault."""
    kind = {"bool": np.bool_, "string": object}.get(field.type, np.float64)
    arrays: list[Column | None] = []
    for row, value in enumerate(values):
        array = _array(value, kind)
        if array is None or not _fits(array.shape, field.shape):
            shape = "ragged" if array is None else list(array.shape)
            detail = f"field {field.name!r}: shape {shape} where {list(field.shape)} is needed"
            faults.setdefault(row, Failure("wrong_type", detail))
            array = None
        arrays.append(array)
    return _stack(arrays, field, kind)


def _array(value: Any, kind: Any) -> Column | None:
    try:
        return None if value is None else np.array(value, dtype=kind)
    except (ValueError, TypeError):
        return None


def _fits(shape: tuple[int, ...], wanted: tuple[int | None, ...]) -> bool:
    return len(shape) == len(wanted) and all(
        size is None or size == given for given, size in zip(shape, wanted, strict=True)
    )


def _stack(arrays: list[Column | None], field: Field, kind: Any) -> Column:
    """Stack the rows of one shape. Raises MixedShapes where an open dimension has several."""
    shapes = {array.shape for array in arrays if array is not None}
    if len(shapes) > 1:
        raise MixedShapes
    shape = shapes.pop() if shapes else tuple(size or 0 for size in field.shape)
    column = np.zeros((len(arrays), *shape), dtype=kind)
    for row, array in enumerate(arrays):
        if array is not None:
            column[row] = array
    return column
