"""The element types that all models have in common (DMG 4.4, Model Verification, Mining Schema)."""

from typing import Literal

import msgspec

from modelstream.formats.pmml.elements.base import Element, MathContext
from modelstream.formats.pmml.elements.expressions import InlineTable, LocalTransformations
from modelstream.formats.pmml.elements.fields import MiningSchema, Output, Targets

Function = Literal["regression", "classification"]
MiningFunction = Literal[
    "associationRules",
    "sequences",
    "classification",
    "regression",
    "clustering",
    "timeSeries",
    "mixed",
]


class VerificationField(Element, kw_only=True, frozen=True):
    """Which column of the verification table holds a field, and how exact it is."""

    field: str
    column: str | None = None
    precision: float = 1e-6
    zero_threshold: float = 1e-16


class VerificationFields(Element, kw_only=True, frozen=True):
    """The columns of the verification table."""

    fields: tuple[VerificationField, ...] = msgspec.field(name="VerificationField", default=())


class ModelVerification(Element, kw_only=True, frozen=True):
    """Records with the answers that the producer had for them."""

    record_count: int | None = None
    field_count: int | None = None
    fields: VerificationFields = msgspec.field(name="VerificationFields")
    table: InlineTable = msgspec.field(name="InlineTable")


class Model(Element, kw_only=True, frozen=True):
    """What all models have; each says which functions it can have."""

    model_name: str | None = None
    function_name: MiningFunction
    algorithm_name: str | None = None
    is_scorable: bool = True
    math_context: MathContext = msgspec.field(name="x-mathContext", default="double")
    mining_schema: MiningSchema = msgspec.field(name="MiningSchema")
    local_transformations: LocalTransformations | None = msgspec.field(
        name="LocalTransformations", default=None
    )
    targets: Targets | None = msgspec.field(name="Targets", default=None)
    output: Output | None = msgspec.field(name="Output", default=None)
    verification: ModelVerification | None = msgspec.field(name="ModelVerification", default=None)
