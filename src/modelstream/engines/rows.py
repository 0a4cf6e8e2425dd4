"""Records in, answers out, without a log: a model as a function of dicts.

A model that can answer a few records by themselves does so; for any other they are laid into
columns, by the rules by which a stream's records are.
"""

from collections.abc import Callable, Mapping, Sequence
from functools import lru_cache
from typing import Any

from modelstream.engines.loaded import Loaded, score
from modelstream.errors import InvalidRecord
from modelstream.formats.base import Field, Model
from modelstream.limits import ROW_READERS_MAX
from modelstream.messages import Column
from modelstream.wire.columns import EXACT_INTEGER_MAX, INTEGERS
from modelstream.wire.json import Decoder
from modelstream.wire.results import ResultWriter

Record = Mapping[str, Any]
Answer = dict[str, Any]
AnswerFew = Callable[[Sequence[Record]], list[Answer | InvalidRecord] | None]


def score_rows(model: Model, rows: Sequence[Record]) -> list[Answer | InvalidRecord]:
    """Answer records, in their order: a dict from output name to value for each.

    A record is a dict, or JSON bytes; a key that it does not have is a missing value, and keys that
    are no inputs are ignored. In place of the answer to one that cannot be scored stands an
    InvalidRecord that says why; it harms no other. A missing number is NaN, anything else None.
    """
    answer: AnswerFew | None = getattr(model, "score_rows", None)  # as a RowModel has
    answered = None if answer is None else answer(rows)
    return _score_columns(model, rows) if answered is None else answered


def _score_columns(model: Model, rows: Sequence[Record]) -> list[Answer | InvalidRecord]:
    """Answer records by way of columns."""
    outputs = model.outputs
    loaded = Loaded(model, *_reader_and_writer(model.inputs, outputs))
    outcome = score(loaded, rows, range(len(rows)), null_is_answer=True)
    told: dict[int, Answer | InvalidRecord] = {
        row: InvalidRecord(f"{failure.reason}: {failure.detail}")
        for row, failure in outcome.failures.items()
    }
    names = [each.name for each in outputs]
    columns = (_values(each, outcome.columns[each.name]) for each in outputs)
    for row, values in zip(outcome.rows, zip(*columns, strict=True), strict=True):
        told[row] = dict(zip(names, values, strict=True))
    return [told[row] for row in range(len(rows))]


def _values(output: Field, column: Column) -> list[Any]:
    """Return a column as values: whole numbers are such, though another row may have none."""
    values: list[Any] = column.tolist()
    if output.type not in INTEGERS or column.dtype.kind != "f" or column.ndim > 1:
        return values
    return [int(value) if abs(value) <= EXACT_INTEGER_MAX else value for value in values]


@lru_cache(maxsize=ROW_READERS_MAX)
def _reader_and_writer(
    inputs: tuple[Field, ...], outputs: tuple[Field, ...]
) -> tuple[Decoder, ResultWriter]:
    """Return what reads and writes a model's fields; to make it takes longer than to score."""
    return Decoder(inputs), ResultWriter([each.name for each in outputs])
