"""The element types of NearestNeighborModel (DMG 4.4, Nearest Neighbors)."""

from typing import Literal

import msgspec

from modelstream.formats.pmml.elements.base import Element
from modelstream.formats.pmml.elements.comparisons import CompareFunction, ComparisonMeasure
from modelstream.formats.pmml.elements.expressions import InlineTable
from modelstream.formats.pmml.elements.model import Model


class InstanceField(Element, kw_only=True, frozen=True):
    """Which column of the table holds a field."""

    field: str
    column: str | None = None


class InstanceFields(Element, kw_only=True, frozen=True):
    """The columns of the table."""

    fields: tuple[InstanceField, ...] = msgspec.field(name="InstanceField", default=())


class TrainingInstances(Element, kw_only=True, frozen=True):
    """The rows that neighbors are sought among."""

    is_transformed: bool = False
    record_count: int | None = None
    field_count: int | None = None
    fields: InstanceFields = msgspec.field(name="InstanceFields")
    table: InlineTable = msgspec.field(name="InlineTable")


class KNNInput(Element, kw_only=True, frozen=True):
    """A field that rows are compared by."""

    field: str
    field_weight: float = 1.0
    compare_function: CompareFunction | None = None


class KNNInputs(Element, kw_only=True, frozen=True):
    """The fields that rows are compared by."""

    inputs: tuple[KNNInput, ...] = msgspec.field(name="KNNInput", default=())


class NearestNeighborModel(Model, kw_only=True, frozen=True):
    """Answers made of those of the rows most alike."""

    function_name: Literal["regression", "classification", "clustering", "mixed"]
    number_of_neighbors: int
    continuous_scoring_method: Literal["median", "average", "weightedAverage"] = "average"
    categorical_scoring_method: Literal["majorityVote", "weightedMajorityVote"] = "majorityVote"
    instance_id_variable: str | None = None
    threshold: float = 0.001
    instances: TrainingInstances = msgspec.field(name="TrainingInstances")
    measure: ComparisonMeasure = msgspec.field(name="ComparisonMeasure")
    inputs: KNNInputs = msgspec.field(name="KNNInputs")


PARTS: tuple[type[Element], ...] = (
    InstanceField,
    InstanceFields,
    TrainingInstances,
    KNNInput,
    KNNInputs,
)
