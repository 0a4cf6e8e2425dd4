"""A PFA model as the engine sees it: columns in, columns out."""

from dataclasses import dataclass
from typing import Any

import numpy as np

from modelstream.formats import base
from modelstream.formats.pfa.columns import Batch, ByRows
from modelstream.formats.pfa.describing import describe_engine
from modelstream.formats.pfa.document import Engine
from modelstream.formats.pfa.faults import Fault, Stopped
from modelstream.formats.pfa.inputs import Input, Node, assemble, plan_input, read_inputs
from modelstream.formats.pfa.outputs import Output, plan_output, write_outputs
from modelstream.messages import Column, Columns, Scores


@dataclass(frozen=True, slots=True)
class PfaModel:
    """A compiled document."""

    engine: Engine
    given: tuple[Input, ...]
    node: Node
    answers: tuple[Output, ...]

    @property
    def inputs(self) -> tuple[base.Field, ...]:
        """The fields of the input record, or the one column `input`."""
        return tuple(each.field for each in self.given)

    @property
    def outputs(self) -> tuple[base.Field, ...]:
        """The fields of the output record, or the one column `output`."""
        return tuple(each.field for each in self.answers)

    def score(self, columns: Columns) -> Scores:
        """Score all rows at once, and those by themselves that may have no answer.

        Raises InvalidRecord when columns are absent, of another shape or of different lengths, and
        ModelFailed when the rows' answers differ in shape.
        """
        values, rows, errors = read_inputs(self.given, columns)
        record = assemble(self.node, values)
        doubt = np.zeros(rows, dtype=np.bool_)
        doubt[list(errors)] = True
        with np.errstate(all="ignore"):  # what arithmetic leaves undefined is NaN
            batch, answer = self._all_rows(record, rows, doubt)
            settled = self._settle(batch, record, batch.doubtful, errors)
            answers = write_outputs(self.answers, batch, answer, settled, set(errors))
        return Scores(answers, dict(sorted(errors.items())))

    def describe(self) -> base.Description:
        """Tell what the document is made of."""
        return describe_engine(self.engine, self.given, self.answers)

    def close(self) -> None:
        """Release nothing: the memory goes with the last reference."""

    def _all_rows(self, record: Any, rows: int, doubt: Column) -> tuple[Batch, Any]:
        """Return the batch as it was computed at once, and the answers of the rows without doubt."""
        slots: list[Any] = [None] * self.engine.slots
        slots[1] = record
        for slot, value in self.engine.constants:
            slots[slot] = value
        batch = Batch(rows, slots, doubt, None)
        if not self.engine.emits and rows and not doubt.all():
            try:
                return batch, self.engine.action.columns(batch)
            except (ByRows, Stopped, RecursionError):
                pass
        return Batch(rows, slots, np.ones(rows, dtype=np.bool_), None), None

    def _settle(
        self, batch: Batch, record: Any, doubt: Column, errors: dict[int, str]
    ) -> dict[int, Any]:
        """Run each row in doubt by itself; return the answers, and add the faults to the errors."""
        settled: dict[int, Any] = {}
        doubtful = np.nonzero(doubt)[0].tolist()
        records = batch.list_of(record) if doubtful else []
        for row in doubtful:
            if row in errors:
                continue
            try:
                settled[row] = self._answer(records[row])
            except (Fault, Stopped) as error:
                errors[row] = str(error)
            except RecursionError:
                errors[row] = "the functions of the model call each other too deeply"
        return settled

    def _answer(self, record: Any) -> Any:
        frame = self.engine.frame(record)
        value = self.engine.action.run(frame)
        if not self.engine.emits:
            return value
        emitted = frame[0].emitted
        if len(emitted) != 1:
            raise Fault(f"the model emitted {len(emitted)} answers; a record has exactly one", None)
        return emitted[0]


def make_model(engine: Engine) -> PfaModel:
    """Return the model of a document. Raises UnsupportedModel when its types have no columns."""
    given, node = plan_input(engine.input)
    return PfaModel(engine, given, node, plan_output(engine.output))
