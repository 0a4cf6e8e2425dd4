"""Numeric fields as one matrix, for models that are arithmetic on vectors."""

from collections.abc import Sequence
from operator import itemgetter

import numpy as np

from modelstream.errors import InvalidModel, UnsupportedModel
from modelstream.formats.pmml.elements.model import Model
from modelstream.formats.pmml.elements.vocabulary import tag_of
from modelstream.formats.pmml.fields.batch import Batch, Cell
from modelstream.formats.pmml.fields.rows import Plan, Step
from modelstream.formats.pmml.fields.scope import Field, Scope
from modelstream.formats.pmml.fields.values import is_text
from modelstream.messages import Column


def stack_fields(fields: Sequence[Field], scope: Scope, where: str) -> Cell[Column]:
    """Return the cell of some numeric fields: a matrix of a field a row, NaN where missing.

    For one row it holds a tuple of numbers.

    Raises InvalidModel when a field is not numeric.
    """
    for field in fields:
        if is_text(field.data_type):
            raise InvalidModel(f"{where}: field {field.name!r} is not numeric")
    cells = [field.cell for field in fields]

    def compute(batch: Batch) -> Column:
        stacked = np.empty((len(cells), batch.rows))
        for row, cell in zip(stacked, cells, strict=True):
            row[:] = batch.read(cell)
        return stacked

    def row(plan: Plan) -> int:
        places = [plan.place(cell) for cell in cells]
        take: Step = itemgetter(*places) if len(places) > 1 else lambda v: (v[places[0]],)
        return plan.step(take)

    return scope.context.cells.make(compute, row)


def refuse_single_precision(model: Model) -> None:
    """Raise UnsupportedModel when a model wants arithmetic that only other models are given."""
    if model.math_context != "double":
        raise UnsupportedModel(
            f"x-mathContext={model.math_context!r} of {tag_of(type(model))} is not evaluated; "
            "supported: double"
        )
