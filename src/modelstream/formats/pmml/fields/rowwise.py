"""Small batches scored row by row, columns or records: a model's plan, ready to run."""

from collections.abc import Callable, Iterable, Mapping, Sequence
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
from modelstream.formats.pmml.fields.values import is_text, public, public_one
from modelstream.messages import Column, Columns, Scores

# Makes a column of what the rows of a batch answered.
Make = Callable[[Sequence[Any]], Column]
# What sends a row, or its batch, to the columns.
_ODD = (Declined, KeyError, TypeError, ValueError, ArithmeticError)


@dataclass(frozen=True, slots=True)
class Answer:
    """One thing a model answers: what makes a column of it, and a value as users see it."""

    name: str
    column: Make
    value: Callable[[Any], Any]


@dataclass(frozen=True, slots=True)
class Intake:
    """What is done to the values of one row before the first step: see `Plan.numbers`."""

    numbers: Sequence[tuple[int, Treatments]]
    others: Sequence[tuple[int, frozenset[str], Treatments]]


@dataclass(frozen=True, slots=True)
class Rowwise:
    """Steps from the values of one record to its answers.

    The values of a record are its inputs, then `constants`, which the steps fill; `take` takes the
    answers out of them. The steps of a `careful` one call NumPy, whose warnings then are errors. It
    takes so many rows of columns, or records, at most.
    """

    inputs: tuple[str, ...]
    read: Callable[[Mapping[str, Any]], tuple[Any, ...]]
    of_columns: Intake
    of_records: Intake
    constants: Values
    steps: Steps
    take: Callable[[Values], tuple[Any, ...]]
    answers: tuple[Answer, ...]
    careful: bool
    rows_max: int
    records_max: int

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
            answered = self._answers(rows, self.of_columns)
        except _ODD:
            return None
        each = zip(*answered, strict=True)
        return Scores({answer.name: answer.column(next(each)) for answer in self.answers})

    def score_rows(self, rows: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]] | None:
        """Answer a few records; None where the columns are the way, as in `score`."""
        if not 0 < len(rows) <= self.records_max:
            return None
        shown = [(answer.name, answer.value) for answer in self.answers]
        try:
            answered = self._answers(map(self.read, rows), self.of_records)
            return [
                {name: show(value) for (name, show), value in zip(shown, row, strict=True)}
                for row in answered
            ]
        except _ODD:
            return None

    def _answers(self, rows: Iterable[Sequence[Any]], intake: Intake) -> list[tuple[Any, ...]]:
        answer = self._answer
        if self.careful:
            return _raising(answer, rows, intake)
        return [answer(row, intake) for row in rows]

    def _answer(self, row: Sequence[Any], intake: Intake) -> tuple[Any, ...]:
        values = [*row, *self.constants]
        for place, treatments in intake.numbers:
            if type(value := values[place]) is not float or value != value:  # noqa: PLR0124  # NaN
                values[place] = treated(value, treatments)
        for place, valid, treatments in intake.others:
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
    names = tuple(name for name, _ in inputs)
    return Rowwise(
        names,
        _reader(names),
        Intake(plan.numbers, plan.others),
        Intake(
            [(at, [plan.checks[at], *treat]) for at, treat in plan.numbers],
            [(at, plain, [plan.checks[at], *treat]) for at, plain, treat in plan.others],
        ),
        plan.constants,
        tuple(plan.steps),
        _taker(places),
        tuple(Answer(f.name, _make(f.data_type), public_one(f.data_type)) for f in answers),
        plan.careful,
        limits.PMML_ROWS_WITH_KERNEL_MAX if plan.kernels else limits.PMML_ROWS_MAX,
        limits.PMML_RECORDS_MAX,
    )


@np.errstate(over="raise", divide="raise", invalid="raise")
def _raising(
    answer: Callable[[Sequence[Any], Intake], tuple[Any, ...]],
    rows: Iterable[Sequence[Any]],
    intake: Intake,
) -> list[tuple[Any, ...]]:
    return [answer(row, intake) for row in rows]


def _reader(names: tuple[str, ...]) -> Callable[[Mapping[str, Any]], tuple[Any, ...]]:
    """Return what reads a dict; a key that it does not have is a missing value.

    Without its key a dotted name may mean a value inside another, which is for the columns.
    """
    take, dotted = _taker(names), any("." in name for name in names)

    def read(record: Mapping[str, Any]) -> tuple[Any, ...]:
        if type(record) is not dict:
            raise Declined
        try:
            return take(record)
        except KeyError:
            if dotted:
                raise
            return tuple([record.get(name) for name in names])

    return read


def _taker(places: Sequence[Any]) -> Callable[[Any], tuple[Any, ...]]:
    return itemgetter(*places) if len(places) > 1 else partial(_only, places[0])


def _only(place: Any, values: Any) -> tuple[Any, ...]:
    return (values[place],)


def _make(data_type: DataType) -> Make:
    """Return what makes a column of answers of a type, as users see it."""
    if is_text(data_type):
        return lambda items: np.array(items, dtype=object)
    if data_type == "double":
        return np.array
    return lambda items: public(np.array(items, np.float64), data_type)
