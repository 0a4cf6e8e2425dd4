"""What a model is, and what a format must do to give one.

A format works in two steps. `lower` turns untrusted artifact bytes into plain data (never code);
it may be slow and it runs in a confined child. `load` turns that data into a model in
milliseconds; it runs in the serving process and checks its input as any other.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any, Literal, Protocol

from modelstream.limits import REMOTE_TIMEOUT_MS
from modelstream.messages import Column, Columns, Scores

FieldType = Literal["float64", "float32", "int64", "int32", "bool", "string"]
# What graphs are run on; all other models are run on the CPU.
Device = Literal["cpu", "cuda", "tensorrt"]
DEVICES: tuple[Device, ...] = ("cpu", "cuda", "tensorrt")
# A function of a flow's owner: named columns to named columns, a row each.
Function = Callable[[Columns], Mapping[str, Column]]
# What a flow registers of them: names to `module:function`.
Functions = Mapping[str, str]
NO_FUNCTIONS: Functions = MappingProxyType({})


@dataclass(frozen=True, slots=True)
class Field:
    """One named input or output column.

    `shape` is that of one row: () for a scalar, (3,) for a vector of three, None for an open
    dimension. An optional input may be missing from a record; the model then decides.
    """

    name: str
    type: FieldType
    shape: tuple[int | None, ...] = ()
    optional: bool = False


@dataclass(frozen=True, slots=True)
class LoweredModel:
    """A version that was admitted before: its format, and the form that `Format.load` takes."""

    format: str
    lowered: bytes


@dataclass(frozen=True, slots=True)
class Remote:
    """What a flow allows of remote models: the servers, each as `host:port`; none by default.

    A batch may take `timeout_ms` at its server, retry included.
    """

    hosts: tuple[str, ...] = ()
    timeout_ms: int = REMOTE_TIMEOUT_MS


class Elsewhere(bytes):
    """A lowered form whose model runs in a process of its own, or at a server.

    It cannot be tried in the confined child that lowered it.
    """

    __slots__ = ()


@dataclass(frozen=True, slots=True)
class Hints:
    """What a descriptor and its flow know of an artifact that the bytes may not say."""

    feature_names: tuple[str, ...] = ()  # order of the columns of a single [N, k] input
    labels: tuple[str, ...] = ()  # names of the classes, by index
    models: Mapping[str, LoweredModel] = field(default_factory=dict)  # by `name@version`
    signature: str = ""  # which of an artifact's signatures to serve
    runtimes: tuple[str, ...] = ()  # optional ones that are installed where it will be served


@dataclass(frozen=True, slots=True)
class Header:
    """Where an artifact comes from, as it says itself; empty where it does not say.

    `version` is the application's, `model_version` the model's; `created` is as it is written.
    """

    application: str = ""
    version: str = ""
    model_version: str = ""
    description: str = ""
    copyright: str = ""
    created: str = ""


@dataclass(frozen=True, slots=True)
class InputFacts:
    """One input, and what the model does with values of it that are not plain.

    `declared` is its type in the format's own words. Without `values` and `intervals` any value
    is allowed. `missing`, `outliers` and `invalid` say how such values are treated, empty: as any.
    """

    name: str
    type: FieldType
    shape: tuple[int | None, ...] = ()
    optional: bool = False
    declared: str = ""
    values: tuple[str, ...] = ()
    intervals: tuple[str, ...] = ()
    missing: str = ""
    replacement: str | None = None
    outliers: str = ""
    invalid: str = ""


@dataclass(frozen=True, slots=True)
class OutputFacts:
    """One output: what it tells of the answer, and the classes that it tells it of."""

    name: str
    type: FieldType
    shape: tuple[int | None, ...] = ()
    declared: str = ""
    feature: str = ""
    labels: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Part:
    """A model, or one inside it: its kind, facts in the order to read them, and what is in it.

    `more` are the parts beyond those listed.
    """

    kind: str
    facts: dict[str, str | int | float] = field(default_factory=dict)
    parts: "tuple[Part, ...]" = ()
    more: int = 0


@dataclass(frozen=True, slots=True)
class Description:
    """What a model is, for people: nothing is scored by it. `version` is that of the format."""

    format: str
    version: str
    header: Header
    inputs: tuple[InputFacts, ...]
    outputs: tuple[OutputFacts, ...]
    structure: Part


class Model(Protocol):
    """A function of named columns to named columns."""

    @property
    def inputs(self) -> tuple[Field, ...]:
        """The columns it reads."""
        ...

    @property
    def outputs(self) -> tuple[Field, ...]:
        """The columns it answers with."""
        ...

    def score(self, columns: Columns) -> Scores:
        """Score all rows at once; columns that are not inputs are ignored.

        Each column has one entry a row. Rows that cannot be scored are named in `Scores.errors`.
        Raises InvalidRecord when an input column is missing or of the wrong type or shape.
        """
        ...

    def describe(self) -> Description:
        """Tell what the model is; worked out when it is asked for."""
        ...

    def close(self) -> None:
        """Release memory; the model cannot be used afterwards."""
        ...


class RowModel(Model, Protocol):
    """A model that can answer a few records without columns."""

    def score_rows(self, rows: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]] | None:
        """Answer records, values by output name for each; None: score them by columns.

        The answers are those that the columns would give. They are the way for many records, and
        for any that are out of the ordinary: what is wrong with a record, they tell.
        """
        ...


class Format(Protocol):
    """One kind of artifact."""

    @property
    def name(self) -> str:
        """The word users write: `onnx`, `pmml`."""
        ...

    def recognises(self, data: bytes) -> bool:
        """Tell by the first bytes whether an artifact may be of this format."""
        ...

    def lower(self, data: bytes, hints: Hints) -> bytes:
        """Parse and check an artifact, and return the plain data that `load` needs.

        Raises InvalidModel or UnsupportedModel with the reason; never anything else.
        """
        ...

    def load(self, lowered: bytes) -> Model:
        """Build the model from its lowered form. Raises InvalidModel."""
        ...
