"""The step that is a model: its lowered form, and which columns are its inputs and outputs."""

from dataclasses import replace

import msgspec
import numpy as np

from modelstream.errors import InvalidModel
from modelstream.formats.base import Field, Model
from modelstream.formats.pipeline.columns import numbers
from modelstream.formats.pipeline.document import Name
from modelstream.formats.pipeline.scope import Scope, kind_of
from modelstream.formats.pipeline.step import Faults, Run
from modelstream.messages import Column, Columns, Table


class ModelStep(msgspec.Struct, frozen=True, tag="model"):
    """A model in its lowered form. `origin` is the version that it is, empty for one inside.

    `inputs` and `outputs` map its own names to the pipeline's. Without an entry an input keeps its
    name; an output keeps it where none has an entry, and is left out otherwise.
    """

    format: str
    lowered: bytes
    origin: str = ""
    inputs: dict[Name, Name] = {}
    outputs: dict[Name, Name] = {}


def bind_model(step: ModelStep, model: Model, scope: Scope) -> Run:
    """Read the model's inputs and make its outputs; return what scores with it.

    Raises InvalidModel.
    """
    _check_known("input", step.inputs, model.inputs)
    _check_known("output", step.outputs, model.outputs)
    reads = {field.name: step.inputs.get(field.name, field.name) for field in model.inputs}
    known = {
        field.name: scope.read(replace(field, name=reads[field.name])) for field in model.inputs
    }
    # A column that is read as a number is one to the model as records have them: float64.
    number = {name for name, field in known.items() if kind_of(field.type) == "number"}
    makes = step.outputs or {field.name: field.name for field in model.outputs}
    fields = {field.name: field for field in model.outputs}
    for its, ours in makes.items():
        scope.make(replace(fields[its], name=ours, optional=False), reads=reads.values())
    same_names = all(its == ours for its, ours in reads.items())

    def run(columns: Columns, faults: Faults) -> Columns:
        given = columns
        # As they come from the records, the columns of numbers may be one matrix, which is quick.
        if not (same_names and isinstance(columns, Table)):
            given = {
                its: _as_number(columns[ours]) if its in number else columns[ours]
                for its, ours in reads.items()
            }
        scores = model.score(given)
        faults.update(scores.errors)
        faults.served_version = scores.served_version
        return {**columns, **{ours: scores[its] for its, ours in makes.items()}}

    return run


def _as_number(column: Column) -> Column:
    return column if column.dtype == np.float64 else numbers(column)


def _check_known(kind: str, renamed: dict[Name, Name], fields: tuple[Field, ...]) -> None:
    names = [field.name for field in fields]
    for its in renamed:
        if its not in names:
            raise InvalidModel(f"the model has no {kind} {its!r}; it has {', '.join(names)}")
