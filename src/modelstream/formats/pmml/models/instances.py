"""The training instances of a NearestNeighborModel, as the columns that rows are compared by.

DMG 4.4, Nearest Neighbors: TrainingInstances. Instances that are not transformed yet are, once,
when the model is loaded: as a batch of records that the same fields are computed from.
"""

import numpy as np

from modelstream.errors import InvalidModel
from modelstream.formats.pmml.elements.comparisons import CompareFunction
from modelstream.formats.pmml.elements.nearestneighbor import TrainingInstances
from modelstream.formats.pmml.fields.batch import Batch, Cell
from modelstream.formats.pmml.fields.codes import MISSING, code_cell
from modelstream.formats.pmml.fields.scope import Field, Scope
from modelstream.formats.pmml.fields.values import Scalar, cast, is_text, missing, texts
from modelstream.messages import Column


class Instances:
    """A table of training instances."""

    def __init__(self, training: TrainingInstances, scope: Scope) -> None:
        self.rows = len(training.table.rows)
        self._scope = scope
        self._transformed = training.is_transformed
        if training.record_count not in {None, self.rows}:
            raise InvalidModel(
                f"TrainingInstances declare {training.record_count} records and hold {self.rows}"
            )
        cells = [dict(row.cells) for row in training.table.rows]
        self._columns: dict[str, Column] = {}
        for field in training.fields.fields:
            column = _local(field.column or field.field)
            self._columns[field.field] = texts([row.get(column) for row in cells])

    def written(self, name: str) -> list[str]:
        """Return a column as the document writes it. Raises InvalidModel when there is none."""
        items = self._columns[name].tolist() if name in self._columns else [None]
        found = [item for item in items if item is not None]
        if len(found) != self.rows or not found:
            raise InvalidModel(f"TrainingInstances need a value of field {name!r} in every row")
        return found

    def numbers(self, name: str) -> Column:
        """Return a column as numbers. Raises InvalidModel when it does not hold them."""
        try:
            return np.array([float(text) for text in self.written(name)])
        except ValueError as error:
            raise InvalidModel(f"TrainingInstances: {name!r} is not numeric: {error}") from None

    def compared(self, name: str, function: CompareFunction) -> tuple[Cell[Column], Column]:
        """Return a field as rows are compared by it, and the column of all instances.

        Strings stand as numbers of their own, NaN where missing; they are equal or are not.
        """
        field = self._scope.find(name)
        column = self._values(field)
        if missing(column).any():
            raise InvalidModel(f"TrainingInstances need a value of field {name!r} in every row")
        if not is_text(field.data_type):
            return field.cell, column
        if function not in {"delta", "equal"}:
            raise InvalidModel(f"compareFunction={function!r} needs a numeric field, not {name!r}")
        positions: dict[Scalar, int] = {}
        numbers = [positions.setdefault(value, len(positions)) for value in column.tolist()]
        codes = code_cell(field, positions, self._scope)

        def compute(batch: Batch) -> Column:
            found = batch.read(codes)
            return np.where(found == MISSING, np.nan, found.astype(np.float64))

        return self._scope.context.cells.make(compute), np.array(numbers, dtype=np.float64)

    def _values(self, field: Field) -> Column:
        """Return the column of a field, computed where the table does not hold it."""
        if field.name in self._columns:
            return cast(self._columns[field.name], "string", field.data_type)
        if self._transformed:
            raise InvalidModel(f"field {field.name!r} is not among the InstanceFields")
        batch = Batch(self._columns, self.rows)
        with np.errstate(all="ignore"):
            column = batch.read(field.cell)
        if batch.errors:
            row, reason = next(iter(batch.errors.items()))
            raise InvalidModel(f"TrainingInstances, row {row}: {reason}")
        return column


def _local(name: str) -> str:
    """Return a column's name without the namespace prefix that some producers write."""
    return name.rpartition(":")[2]
