"""Compile OutputFields: the answers of a model beside its target (DMG 4.4, Output)."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np

from modelstream.errors import InvalidModel, UnsupportedModel
from modelstream.formats.pmml.batch import Batch, Cell
from modelstream.formats.pmml.elements.fields import DataField, OutputField, Target
from modelstream.formats.pmml.expressions import (
    cast_compiled,
    compile_expression,
    make_field,
)
from modelstream.formats.pmml.prediction import OwnFeature, Prediction
from modelstream.formats.pmml.scope import Compiled, Field, Scope
from modelstream.formats.pmml.targets import label_reader
from modelstream.formats.pmml.values import parse
from modelstream.messages import Column


@dataclass(frozen=True, slots=True, eq=False)
class Answered:
    """What outputs are read from: a model's answer, the field it is, what is known of it."""

    labels: tuple[str, ...]
    cell: Cell[Prediction]
    field: Field
    target: Target
    features: Mapping[str, OwnFeature]
    data: DataField | None = None
    entities: Cell[Column] | None = None
    probable: bool = True
    predicts: bool = True


def compile_output(
    output: OutputField, answered: Answered | None, segments: dict[str, Answered], scope: Scope
) -> Field:
    """Return the field of one output. Raises UnsupportedModel for a feature not evaluated."""
    where = f"OutputField {output.name!r}"
    if output.feature in {"transformedValue", "decision"}:
        if output.expression is None:
            raise InvalidModel(f"{where}: feature {output.feature} needs an expression")
        wanted = output.data_type or "string"
        compiled = compile_expression(output.expression, scope, wanted)
    else:
        compiled = _feature(output, _source(output, answered, segments, where), where)
    data_type = output.data_type or compiled.data_type
    if data_type == "integer" and compiled.data_type in {"double", "float"}:
        data_type = compiled.data_type  # a real number is not cut off to look whole
    optype = output.optype or "continuous"
    return make_field(output.name, cast_compiled(compiled, data_type), optype, scope)


def _source(
    output: OutputField, answered: Answered | None, segments: dict[str, Answered], where: str
) -> Answered:
    """Return the model that an output is about: this one, or one of its segments."""
    if output.segment_id is not None:
        if output.segment_id not in segments:
            raise UnsupportedModel(
                f"{where}: segmentId={output.segment_id!r} is evaluated for a Segment of this "
                "MiningModel that has this id and no predicate but True"
            )
        return segments[output.segment_id]
    if answered is None:
        raise UnsupportedModel(
            f"{where}: feature {output.feature} of a model with several targets is not evaluated"
        )
    if output.target_field not in {None, answered.field.name}:
        raise UnsupportedModel(
            f"{where}: targetField={output.target_field!r} is not this model's target"
        )
    return answered


def _feature(output: OutputField, source: Answered, where: str) -> Compiled:
    if output.is_multi_valued:
        raise UnsupportedModel(f"{where}: isMultiValued is not evaluated")
    own = source.features.get(output.feature)
    if own is not None:
        return own(output)
    if (output.rank or 1) != 1:
        raise UnsupportedModel(f"{where}: rank of {output.feature} other than 1 is not evaluated")
    build = FEATURES.get(output.feature)
    if build is None:
        raise UnsupportedModel(
            f"{where}: feature {output.feature!r} is not evaluated for this model; supported: "
            f"{', '.join(sorted({*FEATURES, *source.features}))}, transformedValue, decision"
        )
    return build(output, source, where)


def _predicted_value(output: OutputField, source: Answered, _: str) -> Compiled:
    field = source.field
    if source.labels and output.data_type not in {None, field.data_type}:
        # The category as it is written: 5 is "5", even where the target's own type makes it 5.0.
        read = label_reader(source.labels, output.data_type or field.data_type)
        return Compiled(
            output.data_type or field.data_type,
            lambda batch: read(batch.read(source.cell).values),
            field.depth,
        )
    return Compiled(field.data_type, lambda batch: batch.read(field.cell), field.depth)


def _predicted_display_value(_: OutputField, source: Answered, where: str) -> Compiled:
    """Return the text that the target or its field declares for the predicted value."""
    shown = {} if source.data is None else {v.value: v.display_value for v in source.data.values}
    shown.update(
        {v.value: v.display_value or v.raw_data_value for v in source.target.values if v.value}
    )
    if not source.labels:
        raise UnsupportedModel(f"{where}: predictedDisplayValue is for classifications")
    labels = tuple(shown.get(label) or label for label in source.labels)
    read = label_reader(labels, "string")
    return Compiled("string", lambda batch: read(batch.read(source.cell).values))


def _probability(output: OutputField, source: Answered, where: str) -> Compiled:
    if not source.probable:
        raise UnsupportedModel(f"{where}: this kind of model gives no probabilities")
    return _of_label(output, source, where, lambda prediction: prediction.probabilities)


def _confidence(output: OutputField, source: Answered, where: str) -> Compiled:
    return _of_label(output, source, where, lambda prediction: prediction.confidences)


def _of_label(
    output: OutputField,
    source: Answered,
    where: str,
    table: Callable[[Prediction], Column | None],
) -> Compiled:
    """Return a table's column of the label that is asked for, or else of the predicted one."""
    if not source.labels:
        raise InvalidModel(f"{where}: feature {output.feature} is for classifications")
    position = None if output.value is None else _position(output.value, source, where)

    def evaluate(batch: Batch) -> Column:
        prediction = batch.read(source.cell)
        cells = table(prediction)
        if cells is None:
            return np.full(batch.rows, np.nan)
        if position is not None:
            column: Column = cells[:, position]
            return column
        known = ~np.isnan(prediction.values)
        column = np.full(batch.rows, np.nan)
        column[known] = cells[known, prediction.values[known].astype(np.intp)]
        return column

    return Compiled("double", evaluate)


def _position(value: str, source: Answered, where: str) -> int:
    """Return the position of a label, compared as values of the target's type."""
    if value in source.labels:
        return source.labels.index(value)
    data_type = source.field.data_type
    try:
        typed = [parse(label, data_type) for label in source.labels]
        return typed.index(parse(value, data_type))
    except ValueError:
        raise InvalidModel(
            f"{where}: {value!r} is not a category of the target; they are "
            f"{', '.join(source.labels)}"
        ) from None


def _entity_id(_: OutputField, source: Answered, where: str) -> Compiled:
    cell = source.entities
    if cell is None:
        raise UnsupportedModel(f"{where}: feature entityId is evaluated for trees only")
    return Compiled("string", lambda batch: batch.read(cell))


FEATURES: dict[str, Callable[[OutputField, Answered, str], Compiled]] = {
    "predictedValue": _predicted_value,
    "predictedDisplayValue": _predicted_display_value,
    "probability": _probability,
    "confidence": _confidence,
    "entityId": _entity_id,
}
