"""What a model is, and what a format must do to give one.

A format works in two steps. `lower` turns untrusted artifact bytes into plain data (never code);
it may be slow and it runs in a confined child. `load` turns that data into a model in
milliseconds; it runs in the serving process and checks its input as any other.
"""

from dataclasses import dataclass
from typing import Literal, Protocol

from modelstream.messages import Columns, Scores

FieldType = Literal["float64", "float32", "int64", "int32", "bool", "string"]


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
class Hints:
    """What a descriptor knows of its artifact that the bytes may not say."""

    feature_names: tuple[str, ...] = ()  # order of the columns of a single [N, k] input
    labels: tuple[str, ...] = ()  # names of the classes, by index


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

    def close(self) -> None:
        """Release memory; the model cannot be used afterwards."""
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
