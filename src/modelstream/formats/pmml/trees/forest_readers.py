"""What the tests of a lowered forest read: numbers, codes of values, choices among predicates."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from modelstream.errors import InvalidModel
from modelstream.formats.pmml.elements.forests import (
    ChoiceInput,
    CodeInput,
    ForestInput,
    NumberInput,
)
from modelstream.formats.pmml.expressions.predicates import compile_predicate
from modelstream.formats.pmml.fields.batch import Batch
from modelstream.formats.pmml.fields.coded import Lookup
from modelstream.formats.pmml.fields.rows import Twin, applied, of_cell
from modelstream.formats.pmml.fields.scope import Scope
from modelstream.formats.pmml.fields.values import Scalar, is_missing, is_text, parse_declared
from modelstream.messages import Column


@dataclass(frozen=True, slots=True)
class Reader:
    """One input of a forest, for a batch and for one row."""

    column: Callable[[Batch], Column]
    row: Twin


def make_reader(known: ForestInput, scope: Scope) -> Reader:
    """Return what reads an input. Raises InvalidModel when it is not of the type it is read as."""
    if isinstance(known, NumberInput):
        field = scope.find(known.field)
        if is_text(field.data_type):
            raise InvalidModel(f"a lowered forest reads field {known.field!r} as a number")
        return Reader(lambda batch: batch.read(field.cell), of_cell(field.cell))
    if isinstance(known, CodeInput):
        return _code_reader(known, scope)
    return _choice_reader(known, scope)


def _code_reader(known: CodeInput, scope: Scope) -> Reader:
    """Return what gives the positions of values; -1 for others, NaN where one is missing."""
    field = scope.find(known.field)
    where = f"lowered forest, field {known.field!r}"
    codes: dict[Scalar, float] = {
        parse_declared(text, field.data_type, where): float(code)
        for code, text in enumerate(known.values)
    }
    codes[None] = np.nan
    cell = field.cell

    def read(batch: Batch) -> Column:
        return codes_of.column(batch.coded(cell))

    def read_one(value: Scalar) -> float:
        return np.nan if is_missing(value) else codes.get(value, -1.0)

    codes_of = Lookup([read_one], np.float64)
    return Reader(read, applied([of_cell(cell)], read_one))


def _choice_reader(known: ChoiceInput, scope: Scope) -> Reader:
    """Return what gives the position of the first true predicate."""
    tests = [compile_predicate(predicate, scope) for predicate in known.predicates]
    none_true, unknown = float(len(tests)), known.unknown

    def read(batch: Batch) -> Column:
        chosen = np.full(batch.rows, none_true)
        open_ = np.ones(batch.rows, dtype=np.bool_)
        for number, test in enumerate(tests):
            outcome = test(batch)
            chosen[open_ & (outcome == 1.0)] = number
            open_ &= outcome != 1.0
            if unknown is not None:
                chosen[open_ & np.isnan(outcome)] = unknown
                open_ &= ~np.isnan(outcome)
        return chosen

    def read_one(*outcomes: float) -> float:
        for number, outcome in enumerate(outcomes):
            if outcome == 1.0:
                return float(number)
            if unknown is not None and is_missing(outcome):
                return float(unknown)
        return none_true

    return Reader(read, applied([test.row for test in tests], read_one))
