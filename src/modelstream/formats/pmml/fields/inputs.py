"""Read the columns that a caller gives into columns of PMML's types."""

from collections.abc import Callable, Iterable
from math import isfinite
from typing import Any

import msgspec
import numpy as np

from modelstream.formats.pmml.elements.base import DataType
from modelstream.formats.pmml.fields.rows import Declined
from modelstream.formats.pmml.fields.values import (
    WHOLE_MAX,
    field_type,
    is_text,
    parse,
    round_float,
    round_value,
    texts,
)
from modelstream.messages import Column

_PLAIN = frozenset({float, int, bool, type(None)})
_STRINGS = frozenset({str, type(None)})
_RECORD_NUMBERS = frozenset({float, int, type(None)})
_RECORD_TYPES = {"string": _STRINGS, "bool": frozenset({bool, type(None)})}


def read_input(raw: Column, data_type: DataType) -> tuple[Column, dict[int, Any]]:
    """Return a column of the type, and the values by row that are not of it.

    Those stand as missing in the column. Strings are read as numbers where a number is due, and
    numbers written as strings where a string is.
    """
    if is_text(data_type):
        if raw.dtype == object and are_texts(raw.tolist()):
            return raw, {}
        return texts([_write(item) for item in raw.tolist()]), {}
    numbers = _numbers(raw)
    if numbers is None:
        return _parse_each(raw, data_type)
    return _conform(numbers, raw, data_type)


def are_texts(items: Iterable[Any]) -> bool:
    """Tell whether these are nothing but strings, and None where one is missing."""
    return _STRINGS.issuperset(map(type, items))


def value_reader(data_type: DataType) -> Callable[[Any], Any]:
    """Return what reads one value as a value of the type.

    It raises ValueError or OverflowError where the value is not one of the type.
    """
    if is_text(data_type):
        return lambda item: item if type(item) is str else _write_one(item)
    if data_type == "double":
        return lambda item: item if type(item) is float else _plain_number(item, data_type)
    if data_type == "float":
        return lambda item: round_value(_plain_number(item, data_type))

    def read(item: Any) -> float:
        number = _plain_number(item, data_type)
        if number == number and not _CONFORMS.get(data_type, isfinite)(number):  # noqa: PLR0124
            raise ValueError
        return number

    return read


def record_check(data_type: DataType) -> Callable[[Any], Any]:
    """Return what lets one value of a record pass if it is of a type that its field may have there.

    It raises Declined for any other, as where a number is written as a string.
    """
    kind = field_type(data_type)
    kinds = _RECORD_TYPES.get(kind, _RECORD_NUMBERS)

    def check(value: Any) -> Any:
        if type(value) not in kinds or (kind == "int64" and value and abs(value) > WHOLE_MAX):
            raise Declined
        return value

    return check


def _write_one(item: Any) -> str | None:
    if isinstance(item, list):  # a row of a matrix perhaps, which a field cannot be
        raise TypeError
    return _write(item)


def _plain_number(item: Any, data_type: DataType) -> float:
    if type(item) is float:
        return item
    if type(item) not in _PLAIN and type(item) is not str:
        raise ValueError
    return float(_number(item, data_type))


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


_CONFORMS: dict[DataType, Callable[[float], bool]] = {
    "boolean": frozenset({0.0, 1.0}).__contains__,
    "integer": float.is_integer,
}


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
