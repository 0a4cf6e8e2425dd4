"""A model at a server: columns in, a request a batch, columns out."""

from collections.abc import Mapping, Sequence

import numpy as np

from modelstream.errors import InvalidRecord
from modelstream.formats.base import Description, Field, Remote
from modelstream.formats.onnx_graph.bind import (
    given_columns,
    no_rows,
    row_errors,
    spread,
    to_columns,
    to_tensor,
)
from modelstream.formats.onnx_graph.plan import Binding
from modelstream.formats.remote.asking import Answers, Server, Tensors
from modelstream.formats.remote.binding import bind_inputs, bind_outputs
from modelstream.formats.remote.describing import describe_remote
from modelstream.formats.remote.document import Plan
from modelstream.formats.remote.servers import check_allowed, open_peer
from modelstream.messages import Column, Columns, Scores


class RemoteModel:
    """One model at one server; several threads may score at once."""

    def __init__(self, plan: Plan, remote: Remote) -> None:
        self._document = plan.document
        self._inputs = bind_inputs(plan.document.inputs, plan.hints)
        self._outputs = bind_outputs(plan.document.outputs, plan.hints)
        self._location = check_allowed(plan.document.location, remote)
        self._peer = open_peer(self._location)
        self._server = Server(plan.document, self._peer, remote.timeout_ms)
        self.inputs: tuple[Field, ...] = _fields(self._inputs)
        self.outputs: tuple[Field, ...] = _fields(self._outputs)

    def score(self, columns: Columns) -> Scores:
        """Score all rows; see `formats.base.Model`.

        A row that the server refuses is an error of that row. Raises InvalidRecord, and
        ModelUnavailable where no record is to blame.
        """
        rows = self._count(columns)
        if not rows:
            return self._answered(Answers(), 0, (), {})
        given = [given_columns(each, columns, rows) for each in self._inputs]
        errors = row_errors(self._inputs, given)
        if not self._peer.carries_nan(self._document):
            _find_missing(self._inputs, given, errors)
        kept = [row for row in range(rows) if row not in errors]
        if not kept:
            return self._answered(Answers(), rows, kept, errors)
        if errors:
            given = [[column[kept] for column in each] for each in given]
        answers = self._server.ask(self._feeds(given, len(kept)), len(kept))
        errors |= {kept[row]: why for row, why in answers.refused.items()}
        return self._answered(answers, rows, kept, errors)

    def describe(self) -> Description:
        """Tell what the server told of the model when it was published."""
        return describe_remote(self._document, self._location, self._inputs, self._outputs)

    def close(self) -> None:
        """Close the connections."""
        self._peer.close()

    def _count(self, columns: Mapping[str, Column]) -> int:
        first = self.inputs[0].name
        if first not in columns:
            raise InvalidRecord(
                f"input {first!r} is missing; the records have {', '.join(columns)}"
            )
        return len(columns[first])

    def _feeds(self, given: Sequence[list[Column]], rows: int) -> Tensors:
        return {
            binding.tensor: to_tensor(binding, each, rows)
            for binding, each in zip(self._inputs, given, strict=True)
        }

    def _answered(
        self, answers: Answers, rows: int, kept: Sequence[int], errors: dict[int, str]
    ) -> Scores:
        """Lay the parts of an answer end to end; rows with errors are missing in every column."""
        answered = [kept[row] for part, _ in answers.parts for row in part]
        columns: Columns = {}
        for binding in self._outputs:
            tensors = [tensors[binding.tensor] for _, tensors in answers.parts]
            columns |= _columns(binding, tensors)
        if len(answered) < rows:
            columns = {name: spread(column, rows, answered) for name, column in columns.items()}
        scores = Scores(columns, dict(sorted(errors.items())))
        # Where the server changed its version between two parts, both are told.
        scores.served_version = ",".join(sorted(answers.versions))
        return scores


def _fields(bindings: Sequence[Binding]) -> tuple[Field, ...]:
    return tuple(field for each in bindings for field in each.fields())


def _columns(binding: Binding, tensors: Sequence[Column]) -> Columns:
    """Return the columns of one output, whose parts may differ where a dimension is open."""
    if not tensors:
        return no_rows(binding)
    if len({tensor.shape[1:] for tensor in tensors}) > 1:
        mixed = np.empty(sum(map(len, tensors)), dtype=object)
        mixed[:] = [row for tensor in tensors for row in tensor.tolist()]
        return {binding.columns[0]: mixed}
    whole = tensors[0] if len(tensors) == 1 else np.concatenate(tensors)
    return to_columns(binding, whole, len(whole))


def _find_missing(
    bindings: Sequence[Binding], given: Sequence[list[Column]], errors: dict[int, str]
) -> None:
    """Find the rows with a number that JSON has no word for."""
    for binding, columns in zip(bindings, given, strict=True):
        if not binding.element.startswith("float"):
            continue
        for name, column in zip(binding.columns, columns, strict=True):
            if column.dtype.kind != "f":
                continue
            finite = np.isfinite(column.reshape(len(column), -1)).all(axis=1)
            for row in np.flatnonzero(~finite).tolist():
                errors.setdefault(
                    row, f"input {name!r} is missing or infinite, and JSON has no such number"
                )
