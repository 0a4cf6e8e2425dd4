"""Steps that replace columns by the same of another kind or size: cast, scale, impute."""

import math
import re
from dataclasses import replace

import numpy as np

from modelstream import limits
from modelstream.errors import InvalidModel
from modelstream.formats.base import Field, FieldType
from modelstream.formats.pipeline.columns import (
    WHOLE_MAX,
    missing,
    missing_rows,
    number_text,
    numbers,
    texts,
)
from modelstream.formats.pipeline.document import Name
from modelstream.formats.pipeline.scope import Scope, kind_of
from modelstream.formats.pipeline.step import Faults, Options, Run
from modelstream.messages import Column, Columns

# What JSON would read as a number, with a sign; Python reads more ("1_0", "nan").
_NUMBER = re.compile(r"\s*[-+]?(\d+\.?\d*|\.\d+)([eE][-+]?\d+)?\s*")
_WHOLE = {"int32": (-(2.0**31), 2.0**31 - 1), "int64": (-WHOLE_MAX, WHOLE_MAX)}
_TRUTHS = {"true": 1.0, "false": 0.0}


class Cast(Options, frozen=True, tag="cast"):
    """Make columns be of other types: a fraction is cut off, any number but 0 is true."""

    cast: dict[Name, FieldType]

    def bind(self, scope: Scope) -> Run:
        """Replace the columns. What a type cannot hold is an error of its row."""
        if not self.cast:
            raise InvalidModel("no column is cast")
        fields = {name: scope.known(name) for name in self.cast}
        for name, to in self.cast.items():
            field = fields[name]
            if field.shape:
                raise InvalidModel(f"column {name!r} is no single value; split it before")
            if field.optional and to not in {"string", "float64", "float32"}:
                raise InvalidModel(f"column {name!r} may be missing; impute it before")
            scope.make(replace(field, type=to), reads=[name])

        def run(columns: Columns, faults: Faults) -> Columns:
            made = {
                name: _cast(columns[name], fields[name], to, faults)
                for name, to in self.cast.items()
            }
            return columns | made

        return run


class Scaling(Options, frozen=True):
    """(x - mean) / deviation, or (x - min) / (max - min)."""

    mean: float | None = None
    deviation: float | None = None
    min: float | None = None
    max: float | None = None

    def bounds(self) -> tuple[float, float]:
        """Return what is taken away, and what is divided by. Raises InvalidModel."""
        given = (self.mean, self.deviation, self.min, self.max)
        match given:
            case (float(mean), float(deviation), None, None):
                offset, divisor = mean, deviation
            case (None, None, float(least), float(most)):
                offset, divisor = least, most - least
            case _:
                raise InvalidModel("give mean and deviation, or min and max")
        if not (math.isfinite(offset) and 0 < divisor < math.inf):
            raise InvalidModel("a deviation is above 0, and a max above its min; both are finite")
        return offset, divisor


class Scale(Options, frozen=True, tag="scale"):
    """Scale columns of numbers of any shape."""

    scale: dict[Name, Scaling]

    def bind(self, scope: Scope) -> Run:
        """Replace the columns by float64; what is missing stays so."""
        if not self.scale:
            raise InvalidModel("no column is scaled")
        bounds = {name: each.bounds() for name, each in self.scale.items()}
        for name in self.scale:
            shape = scope.known(name).shape if scope.holds(name) else ()
            field = scope.read(Field(name, "float64", shape), passes=True)
            scope.make(replace(field, type="float64"), reads=[name])

        def run(columns: Columns, faults: Faults) -> Columns:  # noqa: ARG001 - none can fail
            made = {
                name: (numbers(columns[name]) - offset) / divisor
                for name, (offset, divisor) in bounds.items()
            }
            return columns | made

        return run


class Impute(Options, frozen=True, tag="impute"):
    """Put a value where one is missing."""

    impute: dict[Name, bool | float | str]

    def bind(self, scope: Scope) -> Run:
        """Replace the columns, which may be missing in records."""
        if not self.impute:
            raise InvalidModel("no column is imputed")
        values = self.impute
        for name, value in values.items():
            if isinstance(value, float) and not math.isfinite(value):
                raise InvalidModel(f"column {name!r} is imputed by {value}")
            shape = scope.known(name).shape if scope.holds(name) else ()
            field = scope.read(Field(name, _type_of(value), shape, optional=True))
            scope.make(replace(field, optional=False), reads=[name])

        def run(columns: Columns, faults: Faults) -> Columns:  # noqa: ARG001 - none can fail
            return columns | {
                name: _imputed(columns[name], value) for name, value in values.items()
            }

        return run


def _type_of(value: bool | float | str) -> FieldType:
    if isinstance(value, str):
        return "string"
    return "bool" if isinstance(value, bool) else "float64"


def _imputed(column: Column, value: bool | float | str) -> Column:
    if isinstance(value, float) and column.dtype == object:
        column = numbers(column)
    absent = missing(column)
    filled = column if not absent.any() else np.where(absent, value, column)
    return filled.astype(np.bool_) if isinstance(value, bool) else filled


def _cast(column: Column, field: Field, to: FieldType, faults: Faults) -> Column:
    """Return a column of single values in another type; what does not fit is a fault."""
    kind, name = kind_of(field.type), field.name
    if to == "string":
        return column if kind == "text" else _texts(column, kind)
    values = _read(name, column, to, faults) if kind == "text" else numbers(column)
    if to in {"float64", "float32"}:
        return values.astype(to)
    _tell(faults, missing_rows(values), f"column {name!r} is missing and cannot be of type {to}")
    if to == "bool":
        return values.astype(np.bool_)
    least, most = _WHOLE[to]
    whole = np.trunc(values)
    beyond = (whole < least) | (whole > most)
    _tell(faults, np.flatnonzero(beyond).tolist(), f"column {name!r} is too large for {to}")
    return np.where(beyond | np.isnan(whole), 0, whole).astype(to)


def _texts(column: Column, kind: str) -> Column:
    """Write numbers and truths as JSON does, whole ones without a fraction."""
    write = number_text if kind == "number" else _truth_text
    absent = missing(column).tolist()
    pairs = zip(column.tolist(), absent, strict=True)
    return texts([None if gone else write(value) for value, gone in pairs])


def _truth_text(value: float) -> str:
    return "true" if value else "false"


def _read(name: str, column: Column, to: FieldType, faults: Faults) -> Column:
    """Read texts as numbers, or as truths."""
    values = np.full(len(column), np.nan)
    for row, text in enumerate(column.tolist()):
        if text is None:
            continue
        if to == "bool" and text in _TRUTHS:
            values[row] = _TRUTHS[text]
        elif to != "bool" and _NUMBER.fullmatch(text):
            values[row] = float(text)
        else:
            shown = repr(text[: limits.SHOWN_CHARS_MAX])
            faults[row] = f"column {name!r}: {shown} is no {kind_of(to)}"
    return values


def _tell(faults: Faults, rows: list[int], reason: str) -> None:
    faults.update({row: reason for row in rows if row not in faults})
