"""The models inside a MiningModel, each run for the rows that its predicate is true for."""

from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from modelstream.formats.pmml.answers.outputs import Answered
from modelstream.formats.pmml.answers.prediction import Body, Prediction, spread, spread_prediction
from modelstream.formats.pmml.elements.models import ModelElement, Segment
from modelstream.formats.pmml.fields.batch import Batch, Cell
from modelstream.formats.pmml.fields.rows import Plan, RowPrediction, Values, run
from modelstream.formats.pmml.fields.scope import Field, Scope
from modelstream.formats.pmml.fields.values import missing_value
from modelstream.messages import Column


@dataclass(frozen=True, slots=True, eq=False)
class Composition:
    """A model's rule with the element as it is lowered.

    `body` is None for a chain of several targets. The rest is of MiningModels: the segments that
    have an id, and of a chain's segments the targets, the final outputs, and all outputs.
    """

    element: ModelElement
    body: Body | None
    segments: dict[str, Answered] = field(default_factory=dict)
    targets: tuple[Field, ...] = ()
    finals: tuple[Field, ...] = ()
    outputs: tuple[Field, ...] = ()


@dataclass(frozen=True, slots=True, eq=False)
class CompiledModel:
    """A model ready to run.

    `answered` is its own answer, None for a chain of several targets. It answers with `targets`
    and `finals`; `outputs` are all its output fields, those for later segments alone included.
    """

    element: ModelElement
    answered: Answered | None
    targets: tuple[Field, ...]
    finals: tuple[Field, ...]
    outputs: tuple[Field, ...]


@dataclass(frozen=True, slots=True, eq=False)
class Run:
    """One segment of a MiningModel ready to run.

    `rows` holds where it runs; None: everywhere. `shared` is the number of the first cell that
    is the segment's own.
    """

    segment: Segment
    model: CompiledModel
    rows: Cell[Column] | None
    part: Cell[Batch]
    shared: int

    @property
    def labels(self) -> tuple[str, ...]:
        """The labels of the segment's model."""
        return () if self.model.answered is None else self.model.answered.labels

    def asked(self, batch: Batch) -> Column:
        """Return the rows that the segment runs for."""
        if self.rows is None:
            return np.ones(batch.rows, dtype=np.bool_)
        return batch.read(self.rows)

    def predict(self, batch: Batch) -> Prediction:
        """Return the segment's answers, missing where it does not run."""
        assert self.model.answered is not None
        part = batch.read(self.part)
        prediction = part.read(self.model.answered.cell)
        if part is batch:
            return prediction
        return spread_prediction(prediction, self.asked(batch), batch.rows)

    def predict_row(self, plan: Plan) -> int:
        """Return the place of the segment's answer for one row."""
        assert self.model.answered is not None
        return self._within(plan, self.model.answered.cell, RowPrediction(np.nan))

    def asked_row(self, plan: Plan) -> int:
        """Return the place of whether the segment runs for a row."""
        return plan.constant(True) if self.rows is None else plan.place(self.rows)

    def _within(self, plan: Plan, cell: Cell[Any], other: Any) -> int:
        """Return the place of a cell of the segment, of another value where it does not run."""
        if self.rows is None:
            return plan.place(cell)
        asked = plan.place(self.rows)
        with plan.part(self.part.number, self.shared) as steps:
            at = plan.place(cell)

        def value(values: Values) -> Any:
            if not values[asked]:
                return other
            run(steps, values)
            return values[at]

        return plan.step(value)

    def outside(self, inner: Field, scope: Scope) -> Field:
        """Return a field of the segment as the model around it sees it."""
        if self.rows is None:
            return inner

        def compute(batch: Batch) -> Column:
            part = batch.read(self.part)
            column = part.read(inner.cell)
            return column if part is batch else spread(column, self.asked(batch), batch.rows)

        other = missing_value(inner.data_type)
        cell = scope.context.cells.make(compute, lambda plan: self._within(plan, inner.cell, other))
        return Field(inner.name, inner.data_type, inner.optype, cell, inner.depth + 1, inner.values)

    def answered_outside(self, scope: Scope) -> Answered | None:
        """Return the segment's own answer as the model around it sees it.

        Where the segment runs for some rows only, features of its kind alone are left out.
        """
        answered, entities = self.model.answered, None
        if answered is None or self.rows is None:
            return answered
        if answered.entities is not None:
            named = replace(answered.field, cell=answered.entities)
            entities = self.outside(named, scope).cell
        cell = scope.context.cells.make(self.predict, self.predict_row)
        field = self.outside(answered.field, scope)
        return replace(answered, cell=cell, field=field, entities=entities, features={})


def make_run(
    segment: Segment, model: CompiledModel, rows: Cell[Column] | None, shared: int, scope: Scope
) -> Run:
    """Return a segment ready to run."""

    def cut(batch: Batch) -> Batch:
        if rows is None:
            return batch
        asked = batch.read(rows)
        return batch if asked.all() else batch.take(np.nonzero(asked)[0], shared)

    return Run(segment, model, rows, scope.context.cells.make(cut), shared)
