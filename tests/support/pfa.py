"""PFA documents run both ways: row by row, and all rows at once with the rest settled by rows."""

import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from modelstream.formats.pfa.columns import Batch, ByRows, Structs, column_of
from modelstream.formats.pfa.data import Data
from modelstream.formats.pfa.document import Engine, compile_document
from modelstream.formats.pfa.faults import Fault
from modelstream.formats.pfa.types import Record, Type

Answer = Any  # a value, or a Fault


def document(action: Any, given: Any, made: Any, **more: Any) -> dict[str, Any]:
    return {"input": given, "output": made, "action": action, **more}


def by_rows(engine: Engine, values: Sequence[Any]) -> list[Answer]:
    with np.errstate(all="ignore"):
        return [_run(engine, value) for value in values]


def _run(engine: Engine, value: Any) -> Answer:
    try:
        return engine.action.run(engine.frame(value))
    except Fault as fault:
        return fault


def by_columns(engine: Engine, values: Sequence[Any]) -> list[Answer] | None:
    """Return the answers of the rows that are sure at once, and of the others by rows."""
    slots: list[Any] = [None] * engine.slots
    slots[1] = column(engine.input, list(values))
    for slot, constant in engine.constants:
        slots[slot] = constant
    batch = Batch(len(values), slots, np.zeros(len(values), np.bool_), None)
    try:
        with np.errstate(all="ignore"):
            found = batch.list_of(engine.action.columns(batch))
    except ByRows:
        return None
    rows = by_rows(engine, values)
    return [
        row if doubt else value
        for value, row, doubt in zip(found, rows, batch.doubtful.tolist(), strict=True)
    ]


def column(kind: Type, values: list[Any]) -> Any:
    if isinstance(kind, Record):
        fields = {
            name: column(field, [value[name] for value in values])
            for name, field in kind.fields.items()
        }
        return Structs(kind.name, fields)
    return column_of(values, kind)


def answers(
    action: Any, given: Any, made: Any, records: Sequence[Any], **more: Any
) -> list[Answer]:
    """Run records, as JSON, through a document; both ways have to answer exactly the same."""
    engine = compile_document(document(action, given, made, **more))
    values = [Data().read(engine.input, record, "record") for record in records]
    rows = by_rows(engine, values)
    columns = by_columns(engine, values)
    if columns is not None:
        assert all(map(same, rows, columns)), f"{rows} by rows, {columns} by columns"
    return rows


def answer(action: Any, made: Any, given: Any = "null", record: Any = None, **more: Any) -> Answer:
    """Return the answer of one record. Raises Fault."""
    (found, _) = answers(action, given, made, [record, record], **more)
    if isinstance(found, Fault):
        raise found
    return found


def same(one: Any, other: Any) -> bool:
    """Tell whether two answers are the same to the last bit; NaN is NaN, and faults have codes."""
    if isinstance(one, Fault) or isinstance(other, Fault):
        return type(one) is type(other) and str(one) == str(other)
    if isinstance(one, float) and isinstance(other, float):
        return one == other or (math.isnan(one) and math.isnan(other))
    if isinstance(one, list) and isinstance(other, list):
        return len(one) == len(other) and all(map(same, one, other))
    if isinstance(one, dict) and isinstance(other, dict):
        return one.keys() == other.keys() and all(same(one[key], other[key]) for key in one)
    return type(one) is type(other) and bool(one == other)
