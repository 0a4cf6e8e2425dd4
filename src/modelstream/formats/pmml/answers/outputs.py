"""Compile OutputFields: the answers of a model beside its target (DMG 4.4, Output)."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from modelstream.errors import InvalidModel, UnsupportedModel
from modelstream.formats.pmml.answers.prediction import OwnFeature, Prediction
from modelstream.formats.pmml.answers.targets import label_reader
from modelstream.formats.pmml.elements.fields import DataField, OutputField, Target
from modelstream.formats.pmml.expressions.expressions import (
    cast_compiled,
    compile_expression,
    make_field,
)
from modelstream.formats.pmml.fields.batch import Batch, Cell
from modelstream.formats.pmml.fields.rows import RowPrediction, Twin, applied, of_cell
from modelstream.formats.pmml.fields.scope import Compiled, Field, Scope
from modelstream.formats.pmml.fields.values import Scalar, is_missing, parse
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
    lists: bool = False


def compile_output(
    output: OutputField, answered: Answered | None, segments: dict[str, Answered], scope: Scope
) -> Field:
    """Return the field of one output. Raises UnsupportedModel for a feature not evaluated."""
    where = f"OutputField {output.name!r}"
    if output.feature in {"transformedValue", "decision"}:
        if output.segment_id is not None:
            raise UnsupportedModel(f"{where}: segmentId of a {output.feature} is not evaluated")
        if output.expression is None:
            raise InvalidModel(f"{where}: feature {output.feature} needs an expression")
        wanted = output.data_type or "string"
        compiled = compile_expression(output.expression, scope, wanted)
    else:
        compiled = _feature(output, _source(output, answered, segments, where), where)
    # The type of several values is that of each; together they are a text, a JSON list.
    declared = None if output.is_multi_valued else output.data_type
    data_type = declared or compiled.data_type
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
            f"{where}: feature {output.feature} of a model with several targets needs the "
            "targetField of one of them, and is not evaluated for a chain"
        )
    if output.target_field not in {None, answered.field.name}:
        raise UnsupportedModel(
            f"{where}: targetField={output.target_field!r} is not this model's target"
        )
    return answered


def _feature(output: OutputField, source: Answered, where: str) -> Compiled:
    own = source.features.get(output.feature)
    if output.is_multi_valued and (own is None or not source.lists):
        raise UnsupportedModel(f"{where}: isMultiValued of {output.feature} is not evaluated")
    if own is not None:
        return own(output)
    ranked = source.labels and source.probable and output.feature in RANKED
    if _rank(output) != 1 and (not ranked or output.value is not None or _rank(output) < 1):
        raise UnsupportedModel(
            f"{where}: rank={output.rank} of {output.feature} is not evaluated; a rank from 2 on "
            f"is for {', '.join(RANKED)} without a value, of classifications with probabilities"
        )
    if output.feature in _REFUSED:
        raise UnsupportedModel(
            f"{where}: feature {output.feature} is not evaluated, as {_REFUSED[output.feature]}"
        )
    build = FEATURES.get(output.feature)
    if build is None:
        raise UnsupportedModel(
            f"{where}: feature {output.feature!r} is not evaluated for this model; supported: "
            f"{', '.join(sorted({*FEATURES, *source.features}))}, transformedValue, decision"
        )
    return build(output, source, where)


def _rank(output: OutputField) -> int:
    return 1 if output.rank is None else output.rank


def _places(output: OutputField, source: Answered) -> Callable[[Batch], Column]:
    """Return what gives the positions of the labels that an output is about.

    Rank 1 is the prediction. Those after it are by probability, of equals the one declared first;
    NaN: there is no such label, or no prediction.
    """
    rank = _rank(output)
    if rank == 1:
        return lambda batch: batch.read(source.cell).values

    def places(batch: Batch) -> Column:
        prediction = batch.read(source.cell)
        if prediction.probabilities is None or rank > len(source.labels):
            return np.full(batch.rows, np.nan)
        known = ~np.isnan(prediction.values)
        worth = np.array(prediction.probabilities)
        worth[known, prediction.values[known].astype(np.intp)] = np.inf
        found = np.argsort(-worth, axis=1, kind="stable")[:, rank - 1]
        return np.where(known, found, np.nan)

    return places


def _predicted_value(output: OutputField, source: Answered, _: str) -> Compiled:
    field = source.field
    if source.labels and (_rank(output) != 1 or output.data_type not in {None, field.data_type}):
        # The category as it is written: 5 is "5", even where the target's own type makes it 5.0.
        read = label_reader(source.labels, output.data_type or field.data_type)
        places = _places(output, source)
        return Compiled(
            output.data_type or field.data_type,
            lambda batch: read(places(batch)),
            field.depth,
            row=_row(output, source, lambda prediction: read.one(prediction.value)),
        )
    row = of_cell(field.cell)
    return Compiled(field.data_type, lambda batch: batch.read(field.cell), field.depth, row=row)


def _row(
    output: OutputField, source: Answered, of_prediction: Callable[[RowPrediction], Scalar]
) -> Twin | None:
    """Return the twin of an output that is read from a prediction; only rank 1 has one."""
    return None if _rank(output) != 1 else applied([of_cell(source.cell)], of_prediction)


def _predicted_display_value(output: OutputField, source: Answered, where: str) -> Compiled:
    """Return the text that the target or its field declares for the predicted value."""
    shown = {} if source.data is None else {v.value: v.display_value for v in source.data.values}
    shown.update(
        {v.value: v.display_value or v.raw_data_value for v in source.target.values if v.value}
    )
    if not source.labels:
        raise UnsupportedModel(f"{where}: predictedDisplayValue is for classifications")
    labels = tuple(shown.get(label) or label for label in source.labels)
    read, places = label_reader(labels, "string"), _places(output, source)
    row = _row(output, source, lambda prediction: read.one(prediction.value))
    return Compiled("string", lambda batch: read(places(batch)), row=row)


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
    table: Callable[[Any], Any],
) -> Compiled:
    """Return a table's column of the label that is asked for, or else of the predicted one."""
    if not source.labels:
        raise InvalidModel(f"{where}: feature {output.feature} is for classifications")
    position = None if output.value is None else _position(output.value, source, where)
    places = _places(output, source)

    def evaluate(batch: Batch) -> Column:
        prediction = batch.read(source.cell)
        cells = table(prediction)
        if cells is None:
            return np.full(batch.rows, np.nan)
        if position is not None:
            column: Column = cells[:, position]
            return column
        chosen = places(batch)
        known = ~np.isnan(chosen)
        column = np.full(batch.rows, np.nan)
        column[known] = cells[known, chosen[known].astype(np.intp)]
        return column

    def of_prediction(prediction: RowPrediction) -> float:
        cells, chosen = table(prediction), prediction.value if position is None else position
        return np.nan if cells is None or is_missing(chosen) else cells[int(chosen)]

    return Compiled("double", evaluate, row=_row(output, source, of_prediction))


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
    return Compiled("string", lambda batch: batch.read(cell), row=of_cell(cell))


# Features that a rank from 2 on can be asked of, and those that no model can answer.
RANKED = ("predictedValue", "predictedDisplayValue", "probability", "confidence")
_REFUSED = {
    "residual": "it compares a prediction with the true value of its target, which is not an input",
    "standardError": "no model of the standard declares how it is computed",
    "warning": "the standard does not say what is to be warned of",
}

FEATURES: dict[str, Callable[[OutputField, Answered, str], Compiled]] = {
    "predictedValue": _predicted_value,
    "predictedDisplayValue": _predicted_display_value,
    "probability": _probability,
    "confidence": _confidence,
    "entityId": _entity_id,
}
