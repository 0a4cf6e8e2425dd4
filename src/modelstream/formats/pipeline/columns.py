"""Columns between steps: numbers as float64, and what is missing.

A model may answer whole numbers or truths as objects, with None where one is missing.
"""

import math

import numpy as np

from modelstream.formats.base import Field
from modelstream.formats.pipeline.scope import kind_of
from modelstream.messages import Column

_DTYPES = {
    "bool": np.bool_, "int32": np.int32, "int64": np.int64, "float32": np.float32,
    "float64": np.float64, "string": object,
}  # fmt: skip
_KINDS = {"number": "fiub", "truth": "bO", "text": "OU"}  # NumPy's kinds of columns

# A float64 holds every whole number up to here.
WHOLE_MAX = 2.0**53


def numbers(column: Column) -> Column:
    """Return numbers or truths as float64 in one piece, with NaN for a missing one.

    In one piece, because NumPy rounds some functions in another way where values lie apart.
    """
    return np.ascontiguousarray(column, dtype=np.float64)


def missing(column: Column) -> Column:
    """Return where a column is missing."""
    if column.dtype == object:
        absent: Column = np.equal(column, None)  # type: ignore[call-overload]  # of objects it can
        return absent.astype(np.bool_)
    return np.isnan(column) if column.dtype.kind == "f" else np.zeros(column.shape, np.bool_)


def missing_rows(column: Column) -> list[int]:
    """Return the rows with a missing value."""
    absent = missing(column)
    rows: list[int] = np.flatnonzero(absent.any(axis=tuple(range(1, absent.ndim)))).tolist()
    return rows


def misfit(column: Column, field: Field) -> str:
    """Say how a column is not of the kind and shape of its field; empty where it is."""
    if column.dtype.kind not in _KINDS[kind_of(field.type)]:
        return f"is a column of {column.dtype}, not {field.type}"
    shape = column.shape[1:]
    fits = len(shape) == len(field.shape) and all(
        size in {None, given} for given, size in zip(shape, field.shape, strict=True)
    )
    return "" if fits else f"is of shape {shape}, not {field.shape}"


def texts(values: list[str | None]) -> Column:
    """Return texts as a column."""
    column = np.empty(len(values), dtype=object)
    column[:] = values
    return column


def number_text(value: float) -> str:
    """Return a number as JSON writes it, a whole one without a fraction."""
    whole = math.isfinite(value) and value == int(value) and abs(value) <= WHOLE_MAX
    return str(int(value)) if whole else repr(float(value))


def answer(column: Column, field: Field) -> Column:
    """Return a column in the type of its field, unless a missing value keeps it from that."""
    dtype = np.dtype(_DTYPES[field.type])
    if column.dtype == dtype or (dtype.kind in "biu" and missing(column).any()):
        return column
    return column.astype(dtype)


def spread(column: Column, rows: int, kept: Column) -> Column:
    """Return a column of `rows` entries with the given ones at `kept` and the others missing."""
    floats = column.dtype.kind == "f"
    wide = np.full(
        (rows, *column.shape[1:]),
        np.nan if floats else None,
        dtype=column.dtype if floats else np.dtype(object),
    )
    wide[kept] = column
    return wide
