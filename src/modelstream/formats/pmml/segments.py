"""The models inside a MiningModel, each run for the rows that its predicate is true for."""

from dataclasses import dataclass, field

import numpy as np

from modelstream.formats.pmml.batch import Batch, Cell
from modelstream.formats.pmml.elements.models import ModelElement, Segment
from modelstream.formats.pmml.outputs import Answered
from modelstream.formats.pmml.prediction import Body, Prediction, spread, spread_prediction
from modelstream.formats.pmml.scope import Field, Scope
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

    def outside(self, inner: Field, scope: Scope) -> Field:
        """Return a field of the segment as the model around it sees it."""
        if self.rows is None:
            return inner

        def compute(batch: Batch) -> Column:
            part = batch.read(self.part)
            column = part.read(inner.cell)
            return column if part is batch else spread(column, self.asked(batch), batch.rows)

        cell = scope.context.cells.make(compute)
        return Field(inner.name, inner.data_type, inner.optype, cell, inner.depth + 1, inner.values)


def make_run(
    segment: Segment, model: CompiledModel, rows: Cell[Column] | None, shared: int, scope: Scope
) -> Run:
    """Return a segment ready to run."""

    def cut(batch: Batch) -> Batch:
        if rows is None:
            return batch
        asked = batch.read(rows)
        return batch if asked.all() else batch.take(np.nonzero(asked)[0], shared)

    return Run(segment, model, rows, scope.context.cells.make(cut))
