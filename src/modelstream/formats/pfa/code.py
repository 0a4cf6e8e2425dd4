"""Checked expressions, ready to run: for one record, and for all rows of a batch."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from modelstream.formats.pfa.columns import Batch, ByRows, is_column, is_numbers
from modelstream.formats.pfa.types import REAL, WHOLE, Array, Function, Type
from modelstream.formats.pfa.values import Change, coercion

# A frame holds a record's `Run` and then its variables, by slot.
Frame = list[Any]
Runner = Callable[[Frame], Any]
Columns = Callable[[Batch], Any]


@dataclass(frozen=True, slots=True)
class Code:
    """An expression of a type: `run` for one record, `columns` for a batch.

    A function runs to what can be called with values. `slot` is that of a variable, if it is one;
    `call` what it calls with which arguments, if it is that; `literal` a string, if it is one.
    """

    type: Type
    run: Runner
    columns: Columns
    slot: int | None = None
    call: "tuple[str, tuple[Code, ...]] | None" = None
    literal: str | None = None
    body: "Lambda | None" = None


@dataclass(frozen=True, slots=True)
class Lambda:
    """What a function written in place does: the slots of its parameters, and its expression."""

    slots: tuple[int, ...]
    code: Code


def constant(kind: Type, value: Any) -> Code:
    """Return the code of a value that is always the same."""
    return Code(kind, lambda _frame: value, lambda _batch: value)


def by_row(kind: Type, run: Runner) -> Code:
    """Return the code of an expression that is run row by row, in a batch too."""
    return Code(kind, run, lambda batch: batch.run_each(run, kind))


def sequence(codes: Sequence[Code]) -> Code:
    """Return the code of expressions one after the other; the value is that of the last."""
    if len(codes) == 1:
        return codes[0]
    *before, last = codes
    firsts = tuple(code.run for code in before)
    final = last.run

    def run(frame: Frame) -> Any:
        for first in firsts:
            first(frame)
        return final(frame)

    def columns(batch: Batch) -> Any:
        for code in before:
            code.columns(batch)
        return last.columns(batch)

    return Code(last.type, run, columns)


def coerced(code: Code, wide: Type) -> Code:
    """Return the code of the same value as one of a wider type."""
    if isinstance(code.type, Function) or isinstance(wide, Function):
        return code
    change = coercion(code.type, wide)
    if change is None:
        return code
    known, run, columns = change, code.run, code.columns
    return Code(
        wide,
        lambda frame: known(run(frame)),
        lambda batch: coerced_value(known, columns(batch), wide),
    )


def coerced_value(change: Change, value: Any, wide: Type) -> Any:
    """Change a value of each row of a batch to a wider type."""
    if not is_column(value):
        return change(value)
    if is_numbers(value):
        innermost = wide
        while isinstance(innermost, Array):
            innermost = innermost.items
        if innermost in REAL:
            return value.astype(np.float64)
        if innermost in WHOLE:
            return value
    if not isinstance(value, np.ndarray):
        raise ByRows
    column = np.empty(len(value), dtype=object)
    for row, each in enumerate(value.tolist()):
        column[row] = None if each is None else change(each)
    return column
