"""What travels through a flow: record batches in, results and rejects out.

A batch is columnar from the log to the log, because nothing is done record by record that can be
done once a batch. Registry events have a file of their own, `events.py`.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal, NamedTuple

import msgspec
import numpy.typing as npt

# Row numbers of a batch; a range where they are all of it.
Rows = Sequence[int]
Column = npt.NDArray[Any]
# Named columns, all of one length: float64 with NaN for a missing number, object with None for a
# missing string, an N-dimensional array (rows first) for tensors.
Columns = dict[str, Column]
Headers = Sequence[tuple[str, bytes]]


class TopicPartition(NamedTuple):
    """One partition of one topic."""

    topic: str
    partition: int


class Position(NamedTuple):
    """Where one record stands on the log."""

    topic: str
    partition: int
    offset: int

    def __str__(self) -> str:
        return f"{self.topic}/{self.partition}/{self.offset}"


@dataclass(frozen=True, slots=True)
class RecordBatch:
    """Records of one partition, in order.

    An empty value is a tombstone. `next_offset` is the position to commit once all are done; it
    can lie past the last offset + 1 on logs that keep marks of their own between records.
    """

    topic: str
    partition: int
    offsets: Sequence[int]
    values: Sequence[bytes]
    timestamps: Sequence[int]  # milliseconds since the epoch
    keys: Sequence[bytes | None] | None = None  # None: no record of the batch has a key
    headers: Sequence[Headers] | None = None  # None: no record of the batch has headers
    next_offset: int = -1

    def __len__(self) -> int:
        return len(self.values)

    @property
    def source(self) -> TopicPartition:
        """The partition these records come from."""
        return TopicPartition(self.topic, self.partition)


@dataclass(frozen=True, slots=True)
class Outgoing:
    """Records to append to one topic.

    Without a partition each record goes where its key hashes to, and a record without a key to
    partition 0. Without a time stamp the log's clock is used.
    """

    topic: str
    values: Sequence[bytes]
    keys: Sequence[bytes | None] | None = None
    partition: int | None = None
    timestamps: Sequence[int] | None = None
    headers: Sequence[Headers] | None = None


class Table(dict[str, Column]):
    """Columns of which those in `names` are the columns of one float64 matrix, in that order."""

    __slots__ = ("matrix", "names")

    def __init__(self, names: tuple[str, ...], matrix: Column) -> None:
        super().__init__(zip(names, matrix.T, strict=True))
        self.names = names
        self.matrix = matrix


class Scores(dict[str, Column]):
    """The columns a model answered with, and the rows it could not answer.

    A row named in `errors` (row number to reason) has a missing value in every column.
    `served_version` is what a model server said that it answered with.
    """

    __slots__ = ("errors", "served_version")

    def __init__(self, columns: Columns, errors: dict[int, str] | None = None) -> None:
        super().__init__(columns)
        self.errors: dict[int, str] = {} if errors is None else errors
        self.served_version = ""


class VersionId(NamedTuple):
    """One version of one model; what a person writes as `name@version`."""

    name: str
    version: str

    def __str__(self) -> str:
        return f"{self.name}@{self.version}"


class ModelStamp(msgspec.Struct, frozen=True, gc=False, omit_defaults=True):
    """Which model answered. `as_of` is the last registry offset the join had applied.

    `took_us` is the duration in microseconds of the score call that this record was part of.
    `served_version` is that of a remote model as its server told it; empty where it told none.
    """

    name: str
    version: str
    digest: str
    as_of: int
    took_us: float
    served_version: str = ""


_DECODE_MODEL_STAMP = msgspec.json.Decoder(ModelStamp).decode


class Outputs(msgspec.Struct, gc=False):
    """A model's answer for one record; reads as a mapping from output name to value."""

    def __getitem__(self, name: str) -> Any:
        for field in msgspec.structs.fields(self):
            if field.encode_name == name:
                return getattr(self, field.name)
        raise KeyError(name)

    def keys(self) -> list[str]:
        """Return the names of the outputs, in the model's order."""
        return [field.encode_name for field in msgspec.structs.fields(self)]

    def __repr__(self) -> str:
        return f"Outputs({dict(self)!r})"


class Result(msgspec.Struct, gc=False, rename={"stamp": "model"}):
    """One scored record, as it stands on the results topic.

    `outputs` reads as a mapping; `timestamp` is the record's, in milliseconds since the epoch. The
    stamp is kept as the JSON that all results of a batch share; `model` reads it. `decided` tells, as
    JSON, how it was decided where several candidates were asked (`wire.lineage`).
    """

    outputs: Any
    stamp: msgspec.Raw
    data_type: str
    topic: str
    partition: int
    offset: int
    timestamp: int
    record: Any = None
    decided: msgspec.Raw | msgspec.UnsetType = msgspec.UNSET

    @property
    def model(self) -> ModelStamp:
        """Which model answered."""
        return _DECODE_MODEL_STAMP(self.stamp)


def stamp_json(stamp: ModelStamp) -> msgspec.Raw:
    """Write a stamp as the JSON that results carry."""
    return msgspec.Raw(msgspec.json.encode(stamp))


RejectReason = Literal[
    "not_json",
    "malformed",
    "unknown_schema",
    "schema_violation",
    "missing_field",
    "wrong_type",
    "too_large",
    "no_data_type",
    "no_model",
    "invalid_value",
    "model_error",
    "not_finite",
    "result_too_large",
    "deadline",
    "no_consensus",
    "unavailable",
]


class ModelNamed(msgspec.Struct, frozen=True, gc=False):
    """Which version a reject is about."""

    name: str
    version: str


class Failure(NamedTuple):
    """Why one record has no answer."""

    reason: RejectReason
    detail: str


class Reject(msgspec.Struct, gc=False, kw_only=True):
    """One record without an answer: where it stood, why, and its bytes (base64 in JSON).

    `value` is cut at REJECT_VALUE_BYTES_MAX; `value_bytes` is the record's whole length. `model` is
    the version that was asked, where it was one alone.
    """

    reason: RejectReason
    detail: str
    data_type: str | None
    as_of: int
    topic: str
    partition: int
    offset: int
    timestamp: int
    value: bytes
    value_bytes: int
    model: ModelNamed | msgspec.UnsetType = msgspec.UNSET
    decided: msgspec.Raw | msgspec.UnsetType = msgspec.UNSET
