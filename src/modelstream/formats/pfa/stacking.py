"""Arrays of a batch taken apart into their items, and put together again."""

from typing import Any

import numpy as np

from modelstream.formats.pfa.columns import Batch, Structs, column_of, is_column, is_numbers
from modelstream.formats.pfa.types import Array, Type
from modelstream.formats.pfa.values import Struct


def items_of(value: Any) -> list[Any] | None:
    """Return the items of an array whose length does not differ by row; each a value or column."""
    if isinstance(value, list):
        return value
    if is_numbers(value) and value.ndim > 1:
        return [value[:, index] for index in range(value.shape[1])]
    return None


def field_of(value: Any, name: str) -> Any:
    """Return a field of a record of each row; None where the rows have to be looked at."""
    if isinstance(value, Structs):
        return value.fields[name]
    return value[name] if isinstance(value, Struct) else None


def stacked(batch: Batch, items: list[Any], kind: Type) -> Any:
    """Return the array of some items, each a value or a column of them."""
    if not any(map(is_column, items)):
        return items
    if all(_is_number(item) for item in items):
        shapes = {np.shape(item)[1:] for item in items if is_column(item)}
        kinds = {np.asarray(item).dtype.kind for item in items}
        if len(kinds) == 1 and shapes == {()}:
            return _laid(batch.rows, items)
        if len(kinds) == 1 and len(shapes) == 1 and all(map(is_column, items)):
            return np.stack(items, axis=1)
    lists = [batch.list_of(item) for item in items]
    return column_of([list(row) for row in zip(*lists, strict=True)], Array(kind))


def _is_number(item: Any) -> bool:
    if isinstance(item, np.ndarray):
        return bool(item.dtype != object)
    return type(item) in {bool, float} or (type(item) is int and abs(item) < 2**63)


def _laid(rows: int, items: list[Any]) -> Any:
    """Lay scalar items side by side."""
    dtype = np.asarray(items[0]).dtype
    laid = np.empty((rows, len(items)), dtype=dtype)
    for index, item in enumerate(items):
        laid[:, index] = item
    return laid
