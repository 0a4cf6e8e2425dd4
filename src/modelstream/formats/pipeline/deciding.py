"""Steps from values to classes and from classes to values: one_hot, argmax, threshold."""

import math
from collections.abc import Sequence
from typing import Annotated, Literal

import msgspec
import numpy as np

from modelstream import limits
from modelstream.errors import InvalidModel
from modelstream.formats import limits as format_limits
from modelstream.formats.base import Field, FieldType
from modelstream.formats.pipeline.columns import missing_rows, number_text, numbers, texts
from modelstream.formats.pipeline.document import Name
from modelstream.formats.pipeline.scope import Scope
from modelstream.formats.pipeline.step import Faults, Names, Options, Run, check_different
from modelstream.messages import Column, Columns

_Category = Annotated[str, msgspec.Meta(max_length=limits.FIELD_NAME_CHARS_MAX)] | float
_Label = Annotated[str, msgspec.Meta(max_length=limits.FIELD_NAME_CHARS_MAX)]


class Encoding(Options, frozen=True):
    """A column, and its categories: texts or numbers."""

    column: Name
    categories: Annotated[
        tuple[_Category, ...],
        msgspec.Meta(min_length=1, max_length=format_limits.PIPELINE_CATEGORIES_MAX),
    ]
    unknown: Literal["error", "zeros"] = "error"


class OneHot(Options, frozen=True, tag="one_hot"):
    """Make a column `name(category)` for each category: 1 where it is the value, else 0.

    A value that is none of them, or missing, is an error of its row, or 0 in all columns.
    """

    one_hot: Encoding

    def bind(self, scope: Scope) -> Run:
        """Read the column, and make one a category."""
        options = self.one_hot
        names = _category_names(options)
        texts_only = isinstance(options.categories[0], str)
        may_miss = options.unknown == "zeros"
        wanted: FieldType = "string" if texts_only else "float64"
        scope.read(Field(options.column, wanted, optional=may_miss))
        for name in names:
            scope.make(Field(name, "float64"))

        def run(columns: Columns, faults: Faults) -> Columns:
            column = columns[options.column]
            values = column if texts_only else numbers(column)
            made = [np.equal(values, each).astype(np.float64) for each in options.categories]
            if options.unknown == "error":
                for row in np.flatnonzero(np.sum(made, axis=0) == 0).tolist():
                    shown = repr(column[row])[: limits.SHOWN_CHARS_MAX]
                    faults[row] = f"column {options.column!r}: {shown} is none of its categories"
            return columns | dict(zip(names, made, strict=True))

        return run


class Choice(Options, frozen=True, rename={"made": "as"}):
    """Columns of numbers, and the labels of what is chosen by them; without, its index."""

    columns: Names
    made: Name
    labels: tuple[_Label, ...] = ()


class Argmax(Options, frozen=True, tag="argmax"):
    """Choose the column with the largest value, the first of several."""

    argmax: Choice

    def bind(self, scope: Scope) -> Run:
        """Read the columns, and make the choice."""
        options = self.argmax
        check_different(options.columns, "columns")
        if options.labels and len(options.labels) != len(options.columns):
            raise InvalidModel(
                f"{len(options.labels)} labels are given for {len(options.columns)} columns"
            )
        for name in options.columns:
            scope.read(Field(name, "float64"))
        scope.make(Field(options.made, "string" if options.labels else "int64"))

        def run(columns: Columns, faults: Faults) -> Columns:
            values = np.stack([numbers(columns[name]) for name in options.columns])
            _tell_missing(options.columns, columns, faults)
            chosen = np.argmax(np.where(np.isnan(values), -math.inf, values), axis=0)
            return columns | {options.made: _labelled(chosen, options.labels)}

        return run


class Limit(Options, frozen=True, rename={"made": "as"}):
    """A column, the value from which on it counts, and the two labels; without, 0 and 1."""

    column: Name
    at: float
    made: Name
    labels: tuple[_Label, ...] = ()


class Threshold(Options, frozen=True, tag="threshold"):
    """Answer the second label where a number is at least so large, else the first."""

    threshold: Limit

    def bind(self, scope: Scope) -> Run:
        """Read the column, and make the decision."""
        options = self.threshold
        if not math.isfinite(options.at):
            raise InvalidModel(f"a threshold is a finite number, not {options.at}")
        if len(options.labels) not in {0, 2}:
            raise InvalidModel(f"a threshold has 2 labels or none, not {len(options.labels)}")
        scope.read(Field(options.column, "float64"))
        scope.make(Field(options.made, "string" if options.labels else "int64"))

        def run(columns: Columns, faults: Faults) -> Columns:
            _tell_missing([options.column], columns, faults)
            above = (numbers(columns[options.column]) >= options.at).astype(np.int64)
            return columns | {options.made: _labelled(above, options.labels)}

        return run


def _category_names(options: Encoding) -> tuple[str, ...]:
    kinds = {isinstance(each, str) for each in options.categories}
    if len(kinds) > 1:
        raise InvalidModel("the categories are texts and numbers; they are all of one kind")
    written = tuple(
        each if isinstance(each, str) else number_text(each) for each in options.categories
    )
    check_different(written, "categories")
    return tuple(f"{options.column}({each})" for each in written)


def _labelled(index: Column, labels: Sequence[str]) -> Column:
    if not labels:
        return index.astype(np.int64)
    labelled: Column = texts(list(labels))[index]
    return labelled


def _tell_missing(names: Sequence[str], columns: Columns, faults: Faults) -> None:
    for name in names:
        for row in missing_rows(columns[name]):
            faults.setdefault(row, f"column {name!r} is missing, so there is nothing to decide by")
