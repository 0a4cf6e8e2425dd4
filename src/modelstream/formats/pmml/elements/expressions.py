"""The element types of transformations (DMG 4.4, Transformations, Functions, Text indexing)."""

from typing import Literal

import msgspec

from modelstream.formats.pmml.elements.base import (
    CELLS,
    EXPRESSION,
    TEXT,
    DataType,
    Element,
    OpType,
)

Outliers = Literal["asIs", "asMissingValues", "asExtremeValues"]
InvalidTreatment = Literal["returnInvalid", "asIs", "asMissing", "asValue"]
InvalidResultTreatment = Literal["returnInvalid", "asIs", "asMissing"]
Closure = Literal["openOpen", "openClosed", "closedOpen", "closedClosed"]


class Interval(Element, kw_only=True, frozen=True):
    """A range of numbers; a margin that is not given is infinite."""

    closure: Closure
    left_margin: float | None = None
    right_margin: float | None = None


class Value(Element, kw_only=True, frozen=True):
    """One declared value of a field."""

    value: str
    display_value: str | None = None
    property: Literal["valid", "invalid", "missing"] = "valid"


class Row(Element, tag="row", kw_only=True, frozen=True):
    """One row of a table: column names and their texts."""

    cells: tuple[tuple[str, str], ...] = msgspec.field(name=CELLS, default=())


class InlineTable(Element, kw_only=True, frozen=True):
    """A table written into the document."""

    rows: tuple[Row, ...] = msgspec.field(name="row", default=())


class Constant(Element, kw_only=True, frozen=True):
    """A value."""

    data_type: DataType | None = None
    missing: bool = False
    text: str = msgspec.field(name=TEXT, default="")


class FieldRef(Element, kw_only=True, frozen=True):
    """The value of a field."""

    field: str
    map_missing_to: str | None = None


class LinearNorm(Element, kw_only=True, frozen=True):
    """One point of a piecewise linear function."""

    orig: float
    norm: float


class NormContinuous(Element, kw_only=True, frozen=True):
    """A piecewise linear function of a field."""

    field: str
    map_missing_to: float | None = None
    outliers: Outliers = "asIs"
    points: tuple[LinearNorm, ...] = msgspec.field(name="LinearNorm")


class NormDiscrete(Element, kw_only=True, frozen=True):
    """One where a field has a value, zero elsewhere."""

    field: str
    value: str
    map_missing_to: float | None = None
    method: Literal["indicator"] = "indicator"  # until PMML 4.0; the only method there was


class DiscretizeBin(Element, kw_only=True, frozen=True):
    """The value that stands for an interval."""

    bin_value: str
    interval: Interval = msgspec.field(name="Interval")


class Discretize(Element, kw_only=True, frozen=True):
    """The value of the interval that a field falls into."""

    field: str
    data_type: DataType | None = None
    map_missing_to: str | None = None
    default_value: str | None = None
    bins: tuple[DiscretizeBin, ...] = msgspec.field(name="DiscretizeBin", default=())


class FieldColumnPair(Element, kw_only=True, frozen=True):
    """Which column of a table a field is looked up in."""

    field: str
    column: str


class MapValues(Element, kw_only=True, frozen=True):
    """A look-up in a table by the values of fields."""

    data_type: DataType | None = None
    output_column: str
    map_missing_to: str | None = None
    default_value: str | None = None
    pairs: tuple[FieldColumnPair, ...] = msgspec.field(name="FieldColumnPair", default=())
    table: InlineTable = msgspec.field(name="InlineTable")


class TextIndexNormalization(Element, kw_only=True, frozen=True):
    """A table of replacements to make in a text before terms are counted."""

    in_field: str = "string"
    out_field: str = "stem"
    regex_field: str = "regex"
    recursive: bool = False
    is_case_sensitive: bool | None = None
    max_levenshtein_distance: int | None = None
    word_separator_character_re: str | None = msgspec.field(
        name="wordSeparatorCharacterRE", default=None
    )
    word_re: str | None = msgspec.field(name="x-wordRE", default=None)
    tokenize: bool | None = None
    table: InlineTable = msgspec.field(name="InlineTable")


class TextIndex(Element, kw_only=True, frozen=True):
    """How often a term occurs in a text."""

    text_field: str
    local_term_weights: Literal[
        "termFrequency", "binary", "logarithmic", "augmentedNormalizedTermFrequency"
    ] = "termFrequency"
    is_case_sensitive: bool = False
    max_levenshtein_distance: int = 0
    count_hits: Literal["allHits", "bestHits"] = "allHits"
    word_separator_character_re: str = msgspec.field(
        name="wordSeparatorCharacterRE", default=r"\s+"
    )
    # A converter's extension: the words are what this matches, not what separators leave.
    word_re: str | None = msgspec.field(name="x-wordRE", default=None)
    tokenize: bool = True
    normalizations: tuple[TextIndexNormalization, ...] = msgspec.field(
        name="TextIndexNormalization", default=()
    )
    term: "Expression" = msgspec.field(name=EXPRESSION)


class Apply(Element, kw_only=True, frozen=True):
    """A call of a function."""

    function: str
    map_missing_to: str | None = None
    default_value: str | None = None
    invalid_value_treatment: InvalidResultTreatment = "returnInvalid"
    arguments: "tuple[Expression, ...]" = msgspec.field(name=EXPRESSION, default=())


Expression = (
    Constant | FieldRef | NormContinuous | NormDiscrete | Discretize | MapValues | TextIndex | Apply
)


class DerivedField(Element, kw_only=True, frozen=True):
    """A field computed from others."""

    name: str | None = None
    display_name: str | None = None
    optype: OpType
    data_type: DataType
    expression: Expression = msgspec.field(name=EXPRESSION)
    values: tuple[Value, ...] = msgspec.field(name="Value", default=())
    intervals: tuple[Interval, ...] = msgspec.field(name="Interval", default=())


class ParameterField(Element, kw_only=True, frozen=True):
    """A parameter of a function."""

    name: str
    display_name: str | None = None
    optype: OpType | None = None
    data_type: DataType | None = None


class DefineFunction(Element, kw_only=True, frozen=True):
    """A function that the document defines."""

    name: str
    optype: OpType
    data_type: DataType | None = None
    parameters: tuple[ParameterField, ...] = msgspec.field(name="ParameterField", default=())
    expression: Expression = msgspec.field(name=EXPRESSION)


class TransformationDictionary(Element, kw_only=True, frozen=True):
    """The functions and derived fields of the whole document."""

    functions: tuple[DefineFunction, ...] = msgspec.field(name="DefineFunction", default=())
    fields: tuple[DerivedField, ...] = msgspec.field(name="DerivedField", default=())


class LocalTransformations(Element, kw_only=True, frozen=True):
    """The derived fields of one model."""

    fields: tuple[DerivedField, ...] = msgspec.field(name="DerivedField", default=())
