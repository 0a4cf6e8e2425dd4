"""The step that calls a function of the flow's owner: which columns it gets, and which it gives.

The document names the function as the flow registers it; its code never comes with a document.
"""

from collections.abc import Mapping
from typing import Annotated

import msgspec
import numpy as np

from modelstream import limits
from modelstream.errors import InvalidModel, ModelFailed
from modelstream.formats.base import Field, FieldType, Function
from modelstream.formats.pipeline.columns import misfit, numbers
from modelstream.formats.pipeline.document import Declaration, Name, declared
from modelstream.formats.pipeline.scope import Scope, kind_of
from modelstream.formats.pipeline.step import Faults, Names, Options, Run, check_different
from modelstream.messages import Column, Columns

_OBJECTS: dict[str, set[type]] = {"text": {str, type(None)}, "truth": {bool, type(None)}}


class Call(Options, frozen=True, rename={"made": "as"}):
    """A registered function, the columns that it reads, and those that it makes."""

    function: Annotated[str, msgspec.Meta(min_length=1, max_length=limits.NAME_CHARS_MAX)]
    columns: Names
    made: dict[Name, FieldType | Declaration]


class Python(Options, frozen=True, tag="python"):
    """Call a function with the arrays of some columns; it returns those of others, row by row."""

    python: Call


def bind_function(step: Python, function: Function, scope: Scope) -> Run:
    """Read the function's columns and make its own; return what calls it.

    Raises InvalidModel.
    """
    call = step.python
    check_different(call.columns, "columns")
    if not call.made:
        raise InvalidModel('the function makes no column; name some, with their types, in "as"')
    read = {name: _read(name, scope) for name in call.columns}
    made = {name: declared(name, told) for name, told in call.made.items()}
    for field in made.values():
        scope.make(field, reads=call.columns)

    def run(columns: Columns, faults: Faults) -> Columns:  # noqa: ARG001 - it fails as a whole
        rows = len(next(iter(columns.values())))
        if not rows:
            return columns | {name: _none(field) for name, field in made.items()}
        given = {name: _lent(columns[name], field) for name, field in read.items()}
        answers = _called(function, given, call.function)
        return columns | {
            name: _taken(answers, field, rows, call.function) for name, field in made.items()
        }

    return run


def _read(name: str, scope: Scope) -> Field:
    """Return the column as it is known; as a number where nothing tells what it is."""
    return scope.known(name) if scope.holds(name) else scope.read(Field(name, "float64"))


def _lent(column: Column, field: Field) -> Column:
    """Return a column that a function cannot write to: later steps read it too."""
    view = (numbers(column) if kind_of(field.type) == "number" else column).view()
    view.flags.writeable = False
    return view


def _called(function: Function, given: Columns, name: str) -> Mapping[str, Column]:
    try:
        answers = function(given)
    except Exception as error:
        raise ModelFailed(f"function {name!r}: {type(error).__name__}: {error}") from error
    if not isinstance(answers, Mapping):
        raise ModelFailed(f"function {name!r} returned {type(answers).__name__}, not columns")
    return answers


def _taken(answers: Mapping[str, Column], field: Field, rows: int, function: str) -> Column:
    """Return a column of the declared type, in memory that is the function's no longer."""
    column = answers.get(field.name)
    what = f"function {function!r}: its column {field.name!r}"
    if not isinstance(column, np.ndarray):
        raise ModelFailed(f"{what} is no array; it returned {', '.join(map(str, answers))}")
    if column.ndim == 0 or len(column) != rows:
        raise ModelFailed(f"{what} is of shape {column.shape} for {rows} rows")
    wrong = misfit(column, field) or _content(column, field)
    if wrong:
        raise ModelFailed(f"{what} {wrong}")
    return column.astype(_dtype(column, field))


def _content(column: Column, field: Field) -> str:
    """Say what of a column's values its type cannot hold; empty where all is well."""
    if column.dtype == object:
        strange = set(map(type, column.ravel().tolist())) - _OBJECTS[kind_of(field.type)]
        names = ", ".join(sorted(each.__name__ for each in strange))
        return f"holds objects of {names}, not {field.type} or None" if strange else ""
    if field.type in {"int32", "int64"} and not np.can_cast(column.dtype, field.type):
        return f"is a column of {column.dtype}, not {field.type}"
    return ""


def _dtype(column: Column, field: Field) -> np.dtype[np.generic]:
    if kind_of(field.type) == "number":
        return np.dtype(field.type)
    return column.dtype if column.dtype.kind == "b" else np.dtype(object)


def _none(field: Field) -> Column:
    shape = (0, *(size or 0 for size in field.shape))
    return np.empty(shape, np.float64 if kind_of(field.type) == "number" else object)
