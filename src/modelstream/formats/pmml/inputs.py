"""Read the columns that a caller gives into columns of PMML's types."""

from typing import Any

import msgspec
import numpy as np

from modelstream.formats.pmml.elements.base import DataType
from modelstream.formats.pmml.values import is_text, parse, round_float, texts
from modelstream.messages import Column

_PLAIN = frozenset({float, int, bool, type(None)})
_STRINGS = frozenset({str, type(None)})


def read_input(raw: Column, data_type: DataType) -> tuple[Column, dict[int, Any]]:
    """Return a column of the type, and the values by row that are not of it.

    Those stand as missing in the column. Strings are read as numbers where a number is due, and
    numbers written as strings where a string is.
    """
    if is_text(data_type):
        items = raw.tolist()
        if raw.dtype == object and _STRINGS.issuperset(map(type, items)):
            return raw, {}
        return texts([_write(item) for item in items]), {}
    numbers = _numbers(raw)
    if numbers is None:
        return _parse_each(raw, data_type)
    return _conform(numbers, raw, data_type)


def _numbers(raw: Column) -> Column | None:
    """Return a column of plain numbers as float64, or None when it holds anything else."""
    if raw.dtype != object:
        return raw.astype(np.float64, copy=False) if raw.dtype.kind in "fiub" else None
    if not _PLAIN.issuperset(map(type, raw.tolist())):
        return None
    return raw.astype(np.float64)


def _conform(numbers: Column, raw: Column, data_type: DataType) -> tuple[Column, dict[int, Any]]:
    if data_type == "double":
        return numbers, {}
    if data_type == "float":
        return round_float(numbers), {}
    wrong = ~np.isnan(numbers) & ~_conforms(numbers, data_type)
    if not wrong.any():
        return numbers, {}
    rows = np.nonzero(wrong)[0].tolist()
    return np.where(wrong, np.nan, numbers), {row: raw[row] for row in rows}


def _conforms(numbers: Column, data_type: DataType) -> Column:
    """Return which numbers are values of a type; dates and times are counts of any kind."""
    if data_type == "boolean":
        return np.asarray((numbers == 0.0) | (numbers == 1.0))
    if data_type == "integer":
        return np.asarray(np.isfinite(numbers) & (np.trunc(numbers) == numbers))
    return np.asarray(np.isfinite(numbers))


def _parse_each(raw: Column, data_type: DataType) -> tuple[Column, dict[int, Any]]:
    """Read values of several kinds one by one."""
    column = np.full(len(raw), np.nan)
    uncast: dict[int, Any] = {}
    for row, item in enumerate(raw.tolist()):
        try:
            column[row] = _number(item, data_type)
        except (TypeError, ValueError, OverflowError):
            uncast[row] = item
    conformed, wrong = _conform(column, raw, data_type)
    return conformed, {**uncast, **wrong}


def _number(item: Any, data_type: DataType) -> Any:
    if item is None:
        return np.nan
    return parse(item, data_type) if isinstance(item, str) else float(item)


def _write(item: Any) -> str | None:
    """Write what a record holds as the string that a document would compare it with."""
    if item is None or isinstance(item, str):
        return item
    if isinstance(item, bool):
        return "true" if item else "false"
    if isinstance(item, float):
        if item != item:  # noqa: PLR0124  # NaN is not itself
            return None
        return str(int(item)) if item.is_integer() else repr(item)
    if isinstance(item, list):
        return msgspec.json.encode(item).decode()
    return str(item)
