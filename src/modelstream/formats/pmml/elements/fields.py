"""The element types that declare fields (DMG 4.4, Data Dictionary, Mining Schema, Targets, Output)."""

from typing import Literal

import msgspec

from modelstream.formats.pmml.elements.base import EXPRESSION, DataType, Element, OpType
from modelstream.formats.pmml.elements.expressions import (
    Expression,
    Interval,
    InvalidTreatment,
    Outliers,
    Value,
)

UsageType = Literal[
    "active",
    "predicted",
    "target",
    "supplementary",
    "group",
    "order",
    "frequencyWeight",
    "analysisWeight",
]
Feature = Literal[
    "predictedValue",
    "predictedDisplayValue",
    "transformedValue",
    "decision",
    "probability",
    "confidence",
    "affinity",
    "residual",
    "standardError",
    "standardDeviation",
    "clusterId",
    "clusterAffinity",
    "entityId",
    "entityAffinity",
    "warning",
    "ruleValue",
    "reasonCode",
    "antecedent",
    "consequent",
    "rule",
    "ruleId",
    "support",
    "lift",
    "leverage",
]


class DataField(Element, kw_only=True, frozen=True):
    """A field of the records."""

    name: str
    display_name: str | None = None
    optype: OpType
    data_type: DataType
    is_cyclic: bool = False
    values: tuple[Value, ...] = msgspec.field(name="Value", default=())
    intervals: tuple[Interval, ...] = msgspec.field(name="Interval", default=())


class DataDictionary(Element, kw_only=True, frozen=True):
    """The fields of the records."""

    number_of_fields: int | None = None
    fields: tuple[DataField, ...] = msgspec.field(name="DataField", default=())


class MiningField(Element, kw_only=True, frozen=True):
    """How one model uses a field, and what it does with values that are not plain."""

    name: str
    usage_type: UsageType = "active"
    optype: OpType | None = None
    importance: float | None = None
    outliers: Outliers = "asIs"
    low_value: float | None = None
    high_value: float | None = None
    missing_value_replacement: str | None = None
    missing_value_treatment: (
        Literal["asIs", "asMean", "asMode", "asMedian", "asValue", "returnInvalid"] | None
    ) = None
    invalid_value_treatment: InvalidTreatment = "returnInvalid"
    invalid_value_replacement: str | None = None


class MiningSchema(Element, kw_only=True, frozen=True):
    """The fields that one model uses."""

    fields: tuple[MiningField, ...] = msgspec.field(name="MiningField", default=())


class TargetValue(Element, kw_only=True, frozen=True):
    """What is known of one value of a target."""

    value: str | None = None
    display_value: str | None = None
    raw_data_value: str | None = None  # until PMML 3.1: what is the display value now
    prior_probability: float | None = None
    default_value: float | None = None


class Target(Element, kw_only=True, frozen=True):
    """What is done to a prediction before it is the answer."""

    field: str | None = None
    optype: OpType | None = None
    cast_integer: Literal["round", "ceiling", "floor"] | None = None
    min: float | None = None
    max: float | None = None
    rescale_constant: float = 0.0
    rescale_factor: float = 1.0
    values: tuple[TargetValue, ...] = msgspec.field(name="TargetValue", default=())


class Targets(Element, kw_only=True, frozen=True):
    """The targets of a model."""

    targets: tuple[Target, ...] = msgspec.field(name="Target", default=())


class Decision(Element, kw_only=True, frozen=True):
    """One decision that an output can answer with."""

    value: str
    display_value: str | None = None
    description: str | None = None


class Decisions(Element, kw_only=True, frozen=True):
    """The decisions that an output can answer with; documentation, no rule."""

    business_problem: str | None = None
    description: str | None = None
    decisions: tuple[Decision, ...] = msgspec.field(name="Decision", default=())


class OutputField(Element, kw_only=True, frozen=True):
    """One answer of a model."""

    name: str
    display_name: str | None = None
    optype: OpType | None = None
    data_type: DataType | None = None
    target_field: str | None = None
    feature: Feature = "predictedValue"
    value: str | None = None
    rule_feature: str | None = None
    algorithm: str | None = None
    rank: int | None = None
    rank_basis: str | None = None
    rank_order: str | None = None
    is_multi_valued: bool = False
    segment_id: str | None = None
    is_final_result: bool = True
    decisions: Decisions | None = msgspec.field(name="Decisions", default=None)
    expression: Expression | None = msgspec.field(name=EXPRESSION, default=None)
    values: tuple[Value, ...] = msgspec.field(name="Value", default=())


class Output(Element, kw_only=True, frozen=True):
    """The answers of a model."""

    fields: tuple[OutputField, ...] = msgspec.field(name="OutputField", default=())
