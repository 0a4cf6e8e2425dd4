"""Confluent's wire format: a magic byte, the id of a schema, and for protobuf which message it is.

https://docs.confluent.io/platform/current/schema-registry/fundamentals/serdes-develop/index.html#wire-format
"""

from struct import Struct

from modelstream.messages import Failure
from modelstream.wire.schemas.limits import MESSAGE_INDEXES_MAX

_HEAD = Struct(">bI")
HEAD_BYTES = _HEAD.size
_MAGIC = 0
# A varint of 64 bits has no more bytes.
_VARINT_BYTES_MAX = 10


class Unreadable(Exception):
    """One record cannot be read; says why it is rejected."""

    def __init__(self, failure: Failure) -> None:
        super().__init__(failure.detail)
        self.failure = failure


class UnusableSchema(Exception):
    """A schema, or a set of descriptors, that no record can be read by; says why."""


def malformed(detail: str) -> Unreadable:
    """Return the error for bytes that are not what they should be."""
    return Unreadable(Failure("malformed", detail))


def schema_id(value: bytes) -> int:
    """Return the id of the schema that a value says it is written by. Raises Unreadable."""
    if len(value) < HEAD_BYTES:
        raise malformed(f"{len(value)} bytes have no room for the id of a schema")
    magic, number = _HEAD.unpack_from(value)
    if magic != _MAGIC:
        raise malformed(f"it begins with the byte {magic}, not with 0 and the id of a schema")
    return int(number)


def message_indexes(value: bytes) -> tuple[tuple[int, ...], int]:
    """Return which message of its file a protobuf value is, and where that begins.

    (0,) is the first one; (1, 0) is the first inside of the second. Raises Unreadable.
    """
    count, at = _varint(value, HEAD_BYTES)
    if not count:
        return (0,), at
    if not 0 < count <= MESSAGE_INDEXES_MAX:
        raise malformed(f"a message nested {count} deep; at most {MESSAGE_INDEXES_MAX}")
    indexes = []
    for _ in range(count):
        index, at = _varint(value, at)
        indexes.append(index)
    return tuple(indexes), at


def frame(number: int, *, first_message: bool = False) -> bytes:
    """Return what stands in front of a value; for protobuf's the first message of its file."""
    return _HEAD.pack(_MAGIC, number) + (b"\0" if first_message else b"")


def _varint(value: bytes, at: int) -> tuple[int, int]:
    """Read a zigzag varint; return it and the place after it."""
    number = 0
    for shift, byte in enumerate(value[at : at + _VARINT_BYTES_MAX]):
        number |= (byte & 0x7F) << 7 * shift
        if byte < 0x80:
            return (number >> 1) ^ -(number & 1), at + shift + 1
    raise malformed("it breaks off in the indexes of its message")
