"""Values of a field as positions in a list of known values, so that NumPy can look things up."""

from collections.abc import Mapping

import numpy as np

from modelstream.formats.pmml.fields.batch import Batch, Cell
from modelstream.formats.pmml.fields.coded import Lookup
from modelstream.formats.pmml.fields.rows import applied, of_cell
from modelstream.formats.pmml.fields.scope import Field, Scope
from modelstream.formats.pmml.fields.values import Scalar, is_missing
from modelstream.messages import Column

# Both count from the end, so that the last two rows of a table can be theirs.
MISSING = -1
UNKNOWN = -2


def code_cell(field: Field, positions: Mapping[Scalar, int], scope: Scope) -> Cell[Column]:
    """Return the cell of each row's position, or MISSING or UNKNOWN."""

    def locate(batch: Batch) -> Column:
        return positions_of.column(batch.coded(field.cell))

    def locate_one(value: Scalar) -> int:
        return MISSING if is_missing(value) else positions.get(value, UNKNOWN)

    positions_of = Lookup([locate_one], np.intp)
    return scope.context.cells.make(locate, applied([of_cell(field.cell)], locate_one))
