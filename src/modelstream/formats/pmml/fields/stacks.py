"""Numeric fields as one matrix, for models that are arithmetic on vectors."""

from collections.abc import Callable, Sequence
from itertools import groupby
from operator import itemgetter
from typing import Any

import numpy as np

from modelstream.errors import InvalidModel, UnsupportedModel
from modelstream.formats import limits
from modelstream.formats.pmml.elements.model import Model
from modelstream.formats.pmml.elements.vocabulary import tag_of
from modelstream.formats.pmml.fields.batch import Batch, Cell
from modelstream.formats.pmml.fields.coded import Lookup
from modelstream.formats.pmml.fields.rows import Plan, Step, Values, applied, of_cell
from modelstream.formats.pmml.fields.scope import Field, Scope
from modelstream.formats.pmml.fields.values import is_text
from modelstream.messages import Column

# Puts some fields of a batch into a matrix, a field a row.
_Fill = Callable[[Batch, Column], None]


def stack_fields(fields: Sequence[Field], scope: Scope, where: str) -> Cell[Column]:
    """Return the cell of some numeric fields: a matrix of a field a row, NaN where missing.

    For one row it holds a sequence of numbers.

    Raises InvalidModel when a field is not numeric.
    """
    for field in fields:
        if is_text(field.data_type):
            raise InvalidModel(f"{where}: field {field.name!r} is not numeric")
    cells, first = [field.cell for field in fields], 0
    parts: list[tuple[slice, _Fill]] = []
    groups = [list(together) for _, together in groupby(fields, _source)]
    for members in groups:
        parts.append((slice(first, first + len(members)), _fill(members)))
        first += len(members)

    def compute(batch: Batch) -> Column:
        stacked = np.empty((len(cells), batch.rows))
        for place, fill in parts:
            fill(batch, stacked[place])
        return stacked

    def row(plan: Plan) -> int:
        return plan.step(_taker([_place(part, plan) for part in groups]))

    return scope.context.cells.make(compute, row)


def _source(field: Field) -> int:
    """Return the number of the cell whose values a field is looked up by, or else of its own."""
    return field.cell.number if field.by_value is None else field.by_value.source.number


def _fill(fields: Sequence[Field]) -> _Fill:
    """Return what computes fields that have the same source, all at once if they are looked up."""
    cells = [field.cell for field in fields]
    looked_up = [field.by_value for field in fields if field.by_value is not None]
    if len(looked_up) == len(fields):
        source, lookup = looked_up[0].source, Lookup([x.function for x in looked_up], np.float64)
        return lambda batch, matrix: lookup.fill(matrix, batch.coded(source))

    def fill(batch: Batch, matrix: Column) -> None:
        for row, cell in zip(matrix, cells, strict=True):
            row[:] = batch.read(cell)

    return fill


def _place(fields: Sequence[Field], plan: Plan) -> tuple[int, bool]:
    """Return the place of a row's values of fields with the same source: of one, or of a tuple."""
    looked_up = [field.by_value for field in fields if field.by_value is not None]
    if len(fields) == 1:
        return plan.place(fields[0].cell), False
    if len(looked_up) < len(fields):
        places = [plan.place(field.cell) for field in fields]
        return plan.step(itemgetter(*places)), True
    functions, known = [each.function for each in looked_up], dict[Any, tuple[float, ...]]()

    def look_up(value: Any) -> tuple[float, ...]:
        found = known.get(value)
        if found is None:
            found = tuple([function(value) for function in functions])
            if len(known) < limits.PMML_LASTING_VALUES_MAX:
                known[value] = found
        return found

    return applied([of_cell(looked_up[0].source)], look_up)(plan), True


def _taker(places: Sequence[tuple[int, bool]]) -> Step:
    """Return what takes numbers, and the numbers of tuples, out of the values of a row."""
    if not any(many for _, many in places):
        alone = [place for place, _ in places]
        return itemgetter(*alone) if len(alone) > 1 else lambda values: (values[alone[0]],)

    def take(values: Values) -> list[float]:
        taken: list[float] = []
        for place, many in places:
            if many:
                taken += values[place]
            else:
                taken.append(values[place])
        return taken

    return take


def refuse_single_precision(model: Model) -> None:
    """Raise UnsupportedModel when a model wants arithmetic that only other models are given."""
    if model.math_context != "double":
        raise UnsupportedModel(
            f"x-mathContext={model.math_context!r} of {tag_of(type(model))} is not evaluated; "
            "supported: double"
        )
