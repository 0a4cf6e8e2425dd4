"""Small batches scored row by row: a model's plan, ready to run."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from operator import itemgetter
from typing import Any

import numpy as np

from modelstream.formats import limits
from modelstream.formats.pmml.elements.base import DataType
from modelstream.formats.pmml.fields.rows import (
    Declined,
    Plan,
    Steps,
    Treatments,
    Untwinned,
    Values,
    treated,
)
from modelstream.formats.pmml.fields.scope import Field
from modelstream.formats.pmml.fields.values import is_text, public
from modelstream.messages import Column, Columns, Scores

# Makes a column of what the rows of a batch answered.
Make = Callable[[Sequence[Any]], Column]


@dataclass(frozen=True, slots=True)
class Rowwise:
    """Steps from the values of one record to its answers.

    The values of a record are its inputs, `numbers` and `others` in Plan's words, then `constants`,
    which the steps fill; `take` takes the answers out of them. The steps of a `careful` one call NumPy, whose warnings then are errors.
    """

    inputs: tuple[str, ...]
    numbers: Sequence[tuple[int, Treatments]]
    others: Sequence[tuple[int, frozenset[str], Treatments]]
    constants: Values
    steps: Steps
    take: Callable[[Values], tuple[Any, ...]]
    answers: tuple[tuple[str, Make], ...]
    careful: bool
    rows_max: int

    def score(self, columns: Columns) -> Scores | None:
        """Score a small batch; None where the columns are the way.

        They are for a larger batch, and where a row or the batch is out of the ordinary: what is
        wrong with it is said there alone.
        """
        try:
            given = [columns[name] for name in self.inputs]
            if not 0 < given[0].size <= self.rows_max:
                return None
            rows = zip(*[column.tolist() for column in given], strict=True)
            if self.careful:
                with np.errstate(over="raise", divide="raise", invalid="raise"):
                    answered = [self._answer(row) for row in rows]
            else:
                answered = [self._answer(row) for row in rows]
        except (Declined, KeyError, TypeError, ValueError, ArithmeticError):
            return None
        each = zip(*answered, strict=True)
        return Scores({name: make(next(each)) for name, make in self.answers})

    def _answer(self, row: tuple[Any, ...]) -> tuple[Any, ...]:
        values = [*row, *self.constants]
        for place, treatments in self.numbers:
            if type(values[place]) is not float:
                values[place] = treated(values[place], treatments)
        for place, valid, treatments in self.others:
            if values[place] not in valid:
                values[place] = treated(values[place], treatments)
        for place, step in self.steps:
            values[place] = step(values)
        return self.take(values)


def plan_rows(inputs: Sequence[tuple[str, Field]], answers: Sequence[Field]) -> Rowwise | None:
    """Return how rows are scored one by one, or None when something is for columns alone."""
    plan = Plan([name for name, _ in inputs])
    try:
        for _, known in inputs:
            plan.place(known.cell)
        places = [plan.place(known.cell) for known in answers]
    except Untwinned:
        return None
    if not inputs or not answers:
        return None
    take = itemgetter(*places) if len(places) > 1 else partial(_only, places[0])
    return Rowwise(
        tuple(name for name, _ in inputs),
        tuple(plan.numbers),
        tuple(plan.others),
        plan.constants,
        tuple(plan.steps),
        take,
        tuple((known.name, _make(known.data_type)) for known in answers),
        plan.careful,
        limits.PMML_ROWS_WITH_KERNEL_MAX if plan.kernels else limits.PMML_ROWS_MAX,
    )


def _only(place: int, values: Values) -> tuple[Any, ...]:
    return (values[place],)


def _make(data_type: DataType) -> Make:
    """Return what makes a column of answers of a type, as users see it."""
    if is_text(data_type):
        return lambda items: np.array(items, dtype=object)
    if data_type == "double":
        return np.array
    return lambda items: public(np.array(items, np.float64), data_type)
