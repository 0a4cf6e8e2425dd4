"""PMML's data types, and how values of them stand in columns.

A column of strings is an object array with None where a value is missing; a column of any other
type is a float64 array with NaN there: booleans are 1 and 0, dates and times are counts.
"""

from collections.abc import Callable
from struct import Struct
from typing import Any

import numpy as np

from modelstream.errors import InvalidModel
from modelstream.formats.base import FieldType
from modelstream.formats.pmml.elements.base import DataType
from modelstream.formats.pmml.fields import moments
from modelstream.formats.pmml.fields.rows import Twin, applied
from modelstream.messages import Column

Scalar = float | str | None

NUMBERS: frozenset[DataType] = frozenset({"integer", "float", "double"})
_TRUTH = {"true": 1.0, "false": 0.0, "1": 1.0, "0": 0.0, "1.0": 1.0, "0.0": 0.0}
_SINGLE = Struct("f")
WHOLE_MAX = 2.0**53  # up to here a float64 holds every whole number
_FIELD_TYPES: dict[DataType, FieldType] = {
    "integer": "int64",
    "float": "float32",
    "double": "float64",
    "boolean": "bool",
}


def is_text(data_type: DataType) -> bool:
    """Tell whether columns of this type hold strings."""
    return data_type == "string"


def field_type(data_type: DataType) -> FieldType:
    """Return what users see of a PMML type; dates and times are ISO 8601 strings."""
    return _FIELD_TYPES.get(data_type, "string")


def missing_value(data_type: DataType) -> Scalar:
    """Return what stands for a missing value."""
    return None if is_text(data_type) else np.nan


def missing(column: Column) -> Column:
    """Return where a column is missing."""
    if column.dtype != object:
        return np.isnan(column)
    absent: Column = np.equal(column, None)  # type: ignore[call-overload]  # of objects it can
    return absent.astype(np.bool_)


def full(value: Scalar, rows: int, data_type: DataType) -> Column:
    """Return a column with one value in all rows."""
    column = np.empty(rows, dtype=object if is_text(data_type) else np.float64)
    column[:] = value
    return column


def texts(items: list[str | None]) -> Column:
    """Return a list of strings as a column."""
    column = np.empty(len(items), dtype=object)
    column[:] = items
    return column


def replace(column: Column, where: Column, value: Scalar) -> Column:
    """Return the column with one value put where the mask says."""
    if not where.any():
        return column
    changed = column.copy()
    changed[where] = value
    return changed


def without(column: Column, rejected: Column) -> Column:
    """Return the column with missing values in rejected rows."""
    return replace(column, rejected, None if column.dtype == object else np.nan)


def public(column: Column, data_type: DataType) -> Column:
    """Return a column as users see it.

    Whole numbers and truths are int64 and bool where none is missing; with one that is, or that
    is beyond what a float64 can count, whole numbers are float64 and truths objects.
    """
    kind = field_type(data_type)
    if kind == "string" and column.dtype != object:
        column = texts([write(value, data_type) for value in column.tolist()])
    if kind == "float32":
        return column.astype(np.float32)
    if kind in {"int64", "bool"} and (np.abs(column) <= WHOLE_MAX).all():
        return column.astype(kind)
    if kind == "bool":
        truths = np.full(len(column), None, dtype=object)
        known = ~missing(column)
        truths[known] = column[known].astype(np.bool_)
        return truths
    return column


def public_one(data_type: DataType) -> Callable[[Any], Any]:
    """Return what makes of one value what users see of it.

    Whole numbers and truths are int and bool, unless they are missing or too large to be counted.
    """
    match field_type(data_type):
        case "string":
            return _same if is_text(data_type) else lambda value: write(value, data_type)
        case "float32":
            return round_value
        case "int64":
            return lambda value: int(value) if abs(value) <= WHOLE_MAX else value
        case "bool":
            return lambda value: bool(value) if value == value else None  # noqa: PLR0124
        case _:
            return float


def parse(text: str, data_type: DataType) -> Scalar:
    """Read a value as a document or a record writes it. Raises ValueError."""
    if data_type == "string":
        return text
    word = text.strip()
    if data_type == "boolean":
        if word.lower() not in _TRUTH:
            raise ValueError(f"{text!r} is not a boolean")
        return _TRUTH[word.lower()]
    if data_type not in NUMBERS:
        return moments.parse(text, data_type)
    if "_" in word:  # Python's own way to write numbers
        raise ValueError(f"{text!r} is not a number")
    # R writes its logicals as TRUE and FALSE into numeric fields.
    number = _TRUTH[word.lower()] if word.lower() in {"true", "false"} else float(word)
    return float(np.float32(number)) if data_type == "float" else number


def guess_type(text: str) -> DataType:
    """Return the type of a constant that declares none: a number if it reads as one."""
    for data_type in ("integer", "double"):
        try:
            number = parse(text, data_type)
        except ValueError:
            continue
        if text.strip().lower() in {"true", "false"}:
            return "string"
        if data_type == "double" or (float(number or 0.0).is_integer() and "." not in text):
            return data_type
    return "string"


def parse_declared(text: str, data_type: DataType, where: str) -> Scalar:
    """Read a value that a document declares. Raises InvalidModel, naming where it stands."""
    try:
        return parse(text, data_type)
    except (ValueError, OverflowError):
        raise InvalidModel(f"{where}: {text!r} is not a value of type {data_type}") from None


def cast(column: Column, source: DataType, target: DataType) -> Column:
    """Return a column of one type as another; what cannot be cast becomes missing."""
    if source == target:
        return column
    if is_text(target):
        items = column.tolist()  # once: NaN is found again by being the same object
        written = {item: write(item, source) for item in set(items)}
        return texts([written[item] for item in items])
    if is_text(source):
        read = {text: _parse_or_missing(text, target) for text in set(column.tolist())}
        return np.array([read[text] for text in column.tolist()], dtype=np.float64)
    if target in _ROUNDINGS:
        return _ROUNDINGS[target](column)
    return moments.convert(column, source, target)


def cast_row(twin: Twin | None, source: DataType, target: DataType) -> Twin | None:
    """Return the twin of a cast."""
    if source == target or twin is None:
        return twin
    change = _value_cast(source, target)
    return None if change is None else applied([twin], change)


def _value_cast(source: DataType, target: DataType) -> Callable[[Any], Scalar] | None:
    """Return the cast of one value; None for dates and times."""
    if is_text(target):
        return lambda value: write(value, source)
    if is_text(source):
        return lambda value: _parse_or_missing(value, target)
    return _VALUE_ROUNDINGS.get(target)


def cast_scalar(value: Scalar, source: DataType, target: DataType) -> Scalar:
    """Return one value of one type as another."""
    result: Scalar = cast(full(value, 1, source), source, target).tolist()[0]
    return result


def round_float(column: Column) -> Column:
    """Return the column as single precision holds it."""
    return column.astype(np.float32).astype(np.float64)


def round_value(value: float) -> float:
    """Return a number as single precision holds it. Raises OverflowError beyond its range."""
    rounded: float = _SINGLE.unpack(_SINGLE.pack(value))[0]
    return rounded


def is_missing(value: Scalar) -> bool:
    """Tell whether a value is missing."""
    return value is None or value != value  # noqa: PLR0124  # NaN is not itself


def _same(value: Any) -> Any:
    return value


def _truth(column: Column) -> Column:
    return np.where((column == 0.0) | (column == 1.0), column, np.nan)


_ROUNDINGS: dict[DataType, Callable[[Column], Column]] = {
    "double": lambda column: column,
    "float": round_float,
    "integer": np.trunc,
    "boolean": _truth,
}
_VALUE_ROUNDINGS: dict[DataType, Callable[[float], float]] = {
    "double": lambda value: value,
    "float": round_value,
    "integer": lambda value: float(np.trunc(value)),
    "boolean": lambda value: value if value in {0.0, 1.0} else np.nan,
}


def write(value: Any, data_type: DataType) -> str | None:
    """Write a value as text, or None when it is missing."""
    if value is None or value != value:  # noqa: PLR0124  # NaN is not itself
        return None
    if isinstance(value, str):
        return value
    if data_type == "boolean":
        return "true" if value else "false"
    if data_type in NUMBERS:
        whole = data_type == "integer" and np.isfinite(value)
        return str(int(value)) if whole else repr(float(value))
    return moments.write(float(value), data_type)


def _parse_or_missing(text: str | None, data_type: DataType) -> float:
    if text is None:
        return np.nan
    try:
        return float(parse(text, data_type) or 0.0)
    except (ValueError, OverflowError):
        return np.nan
