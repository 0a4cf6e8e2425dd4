"""A loaded ONNX model: columns in, columns out."""

from collections.abc import Iterable
from typing import Any

import numpy as np

from modelstream.errors import InvalidRecord, ModelFailed
from modelstream.formats.base import Description, Field
from modelstream.formats.description import decode_description
from modelstream.formats.onnx_graph.bind import (
    find_missing,
    given_columns,
    laid_out,
    no_rows,
    row_errors,
    spread,
    to_columns,
    to_tensor,
)
from modelstream.formats.onnx_graph.plan import Binding, Plan
from modelstream.formats.runtime import run_session
from modelstream.messages import Column, Columns, Scores

_Tensors = dict[str, Column]


class OnnxModel:
    """A session and the names of its columns; several threads may score with it at once."""

    def __init__(self, session: Any, plan: Plan, device: str = "") -> None:
        self._session = session
        self._inputs = plan.inputs
        self._outputs = plan.outputs
        self._tensors = [each.tensor for each in plan.outputs]
        self._by_row = plan.by_row
        self._description = plan.description
        self._device = device
        self.inputs: tuple[Field, ...] = _fields(plan.inputs)
        self.outputs: tuple[Field, ...] = _fields(plan.outputs)

    def score(self, columns: Columns) -> Scores:
        """Score all rows at once; see `formats.base.Model`.

        A row with a value that a tensor cannot hold is an error of that row, and so is a NaN where
        the input is not optional. Raises InvalidRecord, ModelFailed, and InvalidModel where the
        graph does not give one answer a row.
        """
        columns = self._completed(columns)
        rows = len(columns[self.inputs[0].name])
        if rows == 0:
            return _joined(no_rows(each) for each in self._outputs)
        feeds = laid_out(self._inputs, columns)
        if feeds is not None:
            return self._run(feeds, rows)
        given = [given_columns(each, columns, rows) for each in self._inputs]
        errors = row_errors(self._inputs, given)
        find_missing(self._inputs, given, errors)
        if errors:
            return self._score_others(columns, rows, errors)
        feeds = {
            binding.tensor: to_tensor(binding, each, rows)
            for binding, each in zip(self._inputs, given, strict=True)
        }
        return self._run(feeds, rows)

    def _run(self, feeds: _Tensors, rows: int) -> Scores:
        answers = self._run_rows(feeds, rows) if self._by_row else self._run_batch(feeds, rows)
        return _joined(
            to_columns(each, answer, rows)
            for each, answer in zip(self._outputs, answers, strict=True)
        )

    def describe(self) -> Description:
        """Tell what the graph is, and its device where it was loaded for another than the CPU.

        Raises InvalidModel where its lowered form does not say.
        """
        description = decode_description(self._description)
        if self._device:
            description.structure.facts["device"] = self._device
        return description

    def close(self) -> None:
        """Free the session's memory."""
        self._session = None

    def _completed(self, columns: Columns) -> Columns:
        """Return the columns with those that may be missing, and are, as NaN. Raises InvalidRecord."""
        if self._session is None:
            raise ModelFailed("the model is closed; load it again")
        absent = [field for field in self.inputs if field.name not in columns]
        if not absent:
            return columns
        needed = next((field.name for field in absent if not field.optional), None)
        present = [columns[field.name] for field in self.inputs if field.name in columns]
        if needed is not None or not present:
            raise InvalidRecord(
                f"input {needed or absent[0].name!r} is missing; the records have "
                f"{', '.join(columns)}"
            )
        rows = len(present[0])
        gaps = {
            field.name: np.full((rows, *(size or 1 for size in field.shape)), np.nan)
            for field in absent
        }
        return columns | gaps

    def _run_batch(self, feeds: _Tensors, rows: int) -> list[Column]:
        """Run once. An odd batch is run with its last row twice.

        Matrix kernels take rows in pairs and round a lone one differently; this way a record gets
        the same answer, to the last bit, whatever batch it is in.
        """
        if rows % 2 == 0:
            return run_session(self._session, self._tensors, feeds)
        even = {name: np.concatenate((each, each[-1:])) for name, each in feeds.items()}
        answers = run_session(self._session, self._tensors, even)
        return [each[:rows] if each.shape[:1] == (rows + 1,) else each for each in answers]

    def _run_rows(self, feeds: _Tensors, rows: int) -> list[Column]:
        """Run row by row, for a graph that cannot take more."""
        answers = [
            run_session(
                self._session,
                self._tensors,
                {name: each[row : row + 1] for name, each in feeds.items()},
            )
            for row in range(rows)
        ]
        try:
            return [np.concatenate(parts) for parts in zip(*answers, strict=True)]
        except ValueError as error:
            raise ModelFailed(f"the rows' answers differ in shape: {error}") from error

    def _score_others(self, columns: Columns, rows: int, errors: dict[int, str]) -> Scores:
        """Score the rows that have no error."""
        kept = [row for row in range(rows) if row not in errors]
        needed = {field.name: columns[field.name][kept] for field in self.inputs}
        scores = self.score(needed)
        return Scores({name: spread(each, rows, kept) for name, each in scores.items()}, errors)


def _fields(bindings: tuple[Binding, ...]) -> tuple[Field, ...]:
    return tuple(field for each in bindings for field in each.fields())


def _joined(parts: Iterable[Columns]) -> Scores:
    return Scores({name: column for part in parts for name, column in part.items()})
