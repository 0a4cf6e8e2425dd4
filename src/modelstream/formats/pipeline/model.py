"""A pipeline ready to score: its steps one after the other, on the rows that none has failed."""

from contextlib import ExitStack
from dataclasses import dataclass

import numpy as np

from modelstream.errors import InvalidRecord, ModelFailed
from modelstream.formats.base import Description, Field, Model
from modelstream.formats.pipeline.columns import answer, misfit, spread
from modelstream.formats.pipeline.describing import describe_pipeline, describe_step
from modelstream.formats.pipeline.scope import kind_of
from modelstream.formats.pipeline.step import Faults, Run
from modelstream.formats.pipeline.steps import Placed
from modelstream.messages import Column, Columns, Scores, Table


@dataclass(frozen=True, slots=True)
class BoundStep:
    """A step that can run; `made` are the columns that it makes, `model` the one inside it."""

    label: str
    placed: Placed
    run: Run
    made: tuple[str, ...]
    model: Model | None = None


@dataclass(frozen=True, slots=True)
class PipelineModel:
    """Several threads may score at once, as far as the models inside let them."""

    inputs: tuple[Field, ...]
    outputs: tuple[Field, ...]
    steps: tuple[BoundStep, ...]
    opened: ExitStack  # closes the models inside

    def score(self, columns: Columns) -> Scores:
        """Run the steps; a row that one fails is an error, and the steps after it do not see it.

        Raises InvalidRecord when a column is missing or does not fit, and what a model raises.
        """
        rows = self._rows(columns)
        current = self._given(columns, rows)
        kept = np.arange(rows)
        errors: dict[int, str] = {}
        served_version = ""
        for step in self.steps:
            faults = Faults()
            with np.errstate(all="ignore"):  # what arithmetic leaves undefined is missing
                current = _run(step, current, faults)
            served_version = faults.served_version or served_version
            if faults:
                told = {int(kept[row]): f"{step.label}: {why}" for row, why in faults.items()}
                errors.update(told)
                sound = np.ones(len(kept), np.bool_)
                sound[list(faults)] = False
                kept = kept[sound]
                current = {name: column[sound] for name, column in current.items()}
        found = {each.name: answer(current[each.name], each) for each in self.outputs}
        if errors:
            found = {name: spread(column, rows, kept) for name, column in found.items()}
        scores = Scores(found, dict(sorted(errors.items())))
        scores.served_version = served_version
        return scores

    def describe(self) -> Description:
        """Tell what the pipeline is made of."""
        parts = [describe_step(each.placed, each.made, each.model) for each in self.steps]
        return describe_pipeline(self.inputs, self.outputs, parts)

    def close(self) -> None:
        """Close every model inside."""
        self.opened.close()

    def _rows(self, columns: Columns) -> int:
        """Return the number of rows, once the columns are known to fit. Raises InvalidRecord."""
        lengths = {}
        for field in self.inputs:
            column = columns.get(field.name)
            if column is not None:
                wrong = misfit(column, field)
                if wrong:
                    raise InvalidRecord(f"input {field.name!r} {wrong}")
                lengths[field.name] = len(column)
            elif not field.optional:
                raise InvalidRecord(
                    f"input {field.name!r} is missing; the records have {', '.join(columns)}"
                )
        if not lengths:
            raise InvalidRecord("none of the inputs is given; every record would be the same")
        if len(set(lengths.values())) > 1:
            raise InvalidRecord(f"columns are of different lengths: {lengths}")
        return next(iter(lengths.values()))

    def _given(self, columns: Columns, rows: int) -> Columns:
        """Return the inputs, an absent one as missing in all rows."""
        names = [field.name for field in self.inputs]
        if isinstance(columns, Table) and columns.keys() == set(names):
            return columns
        return {
            field.name: columns[field.name] if field.name in columns else _absent(field, rows)
            for field in self.inputs
        }


def _run(step: BoundStep, columns: Columns, faults: Faults) -> Columns:
    """Run one step; what it raises begins with its label."""
    try:
        return step.run(columns, faults)
    except InvalidRecord as error:
        raise InvalidRecord(f"{step.label}: {error}") from error
    except ModelFailed as error:
        raise ModelFailed(f"{step.label}: {error}") from error


def _absent(field: Field, rows: int) -> Column:
    shape = (rows, *(size or 1 for size in field.shape))
    if kind_of(field.type) == "number":
        return np.full(shape, np.nan)
    return np.full(shape, None, dtype=object)
