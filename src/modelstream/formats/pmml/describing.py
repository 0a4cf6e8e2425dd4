"""Describe a document: its fields as its model treats them, its answers, what it is made of."""

from collections.abc import Iterator
from math import inf

from modelstream.formats import limits
from modelstream.formats.base import Description, InputFacts, OutputFacts, Part
from modelstream.formats.pmml.anatomy import describe_model
from modelstream.formats.pmml.elements.expressions import Interval
from modelstream.formats.pmml.elements.fields import DataField, MiningField, OutputField
from modelstream.formats.pmml.elements.models import (
    AnomalyDetectionModel,
    Document,
    MiningModel,
    ModelElement,
)
from modelstream.formats.pmml.fields.dictionary import valid_values
from modelstream.formats.pmml.model import PmmlModel


def describe_document(document: Document, model: PmmlModel) -> Description:
    """Return the description of a document as it was read, of which `model` was made."""
    return Description(
        format="pmml",
        version=document.version,
        header=document.header,
        inputs=_inputs(document, model),
        outputs=_outputs(document, model),
        structure=_structure(document),
    )


def _structure(document: Document) -> Part:
    """Return the outermost model, with what the document computes for it."""
    dictionary = document.transformation_dictionary
    shared = (
        {} if dictionary is None else _counts(len(dictionary.fields), len(dictionary.functions))
    )
    return describe_model(document.models[0], limits.DESCRIBED_PARTS_MAX, shared)


def _counts(fields: int, functions: int) -> dict[str, int]:
    counts = {"shared derived fields": fields, "functions": functions}
    return {name: count for name, count in counts.items() if count}


def _inputs(document: Document, model: PmmlModel) -> tuple[InputFacts, ...]:
    data = {field.name: field for field in document.data_dictionary.fields}
    return tuple(
        InputFacts(
            name=field.name,
            type=field.type,
            shape=field.shape,
            optional=field.optional,
            declared=known.data_type,
            values=valid_values(data[mining.name]),
            intervals=_intervals(data[mining.name]),
            missing=_missing(mining),
            replacement=mining.missing_value_replacement,
            outliers=_outliers(mining),
            invalid=mining.invalid_value_treatment,
        )
        for field, (mining, known) in zip(model.inputs, model.active, strict=True)
    )


def _missing(mining: MiningField) -> str:
    """Return the treatment of missing values in the standard's words; empty: as any other value."""
    treatment = mining.missing_value_treatment
    return treatment or ("asValue" if mining.missing_value_replacement is not None else "")


def _outliers(mining: MiningField) -> str:
    low, high = mining.low_value, mining.high_value
    if mining.outliers == "asIs" or low is None or high is None:
        return ""
    return f"{mining.outliers} [{low:g}, {high:g}]"


def _intervals(data: DataField) -> tuple[str, ...]:
    return tuple(map(_interval, data.intervals))


def _interval(interval: Interval) -> str:
    """Write an interval as mathematics does: `[0, 1)`."""
    low = -inf if interval.left_margin is None else interval.left_margin
    high = inf if interval.right_margin is None else interval.right_margin
    opening = "[" if interval.closure.startswith("closed") and low > -inf else "("
    closing = "]" if interval.closure.endswith("Closed") and high < inf else ")"
    return f"{opening}{low:g}, {high:g}{closing}"


def _outputs(document: Document, model: PmmlModel) -> tuple[OutputFacts, ...]:
    """Return the answers; one that no OutputField declares is a target."""
    # An outer model's come after those of its segments, and hide them.
    declared = {output.name: output for output in _output_fields(document.models[0])}
    return tuple(
        OutputFacts(
            name=field.name,
            type=field.type,
            shape=field.shape,
            declared=known.data_type,
            feature=output.feature if output is not None else "predictedValue",
            labels=(output.value,) if output is not None and output.value else known.values,
        )
        for field, known in zip(model.outputs, model.answers, strict=True)
        for output in [declared.get(field.name)]
    )


def _output_fields(model: ModelElement) -> Iterator[OutputField]:
    if isinstance(model, MiningModel):
        for segment in model.segmentation.segments:
            if segment.model is not None:
                yield from _output_fields(segment.model)
    elif isinstance(model, AnomalyDetectionModel):
        yield from _output_fields(model.model)
    yield from () if model.output is None else model.output.fields
