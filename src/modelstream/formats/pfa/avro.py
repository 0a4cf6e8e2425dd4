"""Values as Avro's binary encoding (Avro 1.7.6, Binary Encoding): what sets are keyed by."""

import struct
from typing import Any

from modelstream.formats.pfa import types
from modelstream.formats.pfa.types import Array, Enum, Fixed, Map, Record, Type, Union
from modelstream.formats.pfa.values import is_of


def encode(kind: Type, value: Any) -> bytes:
    """Return the bytes of a value of a type."""
    if isinstance(kind, Union):
        at = next(place for place, each in enumerate(kind.members) if is_of(each)(value))
        return _whole(at) + encode(kind.members[at], value)
    if isinstance(kind, Record):
        return b"".join(encode(field, value[name]) for name, field in kind.fields.items())
    if isinstance(kind, Array):
        return _blocks([encode(kind.items, each) for each in value])
    if isinstance(kind, Map):
        return _blocks(
            [_sized(key.encode()) + encode(kind.values, each) for key, each in value.items()]
        )
    if isinstance(kind, Enum):
        return _whole(kind.symbols.index(value))
    return bytes(value) if isinstance(kind, Fixed) else _scalar(kind, value)


def _scalar(kind: Type, value: Any) -> bytes:
    if kind == types.NULL:
        return b""
    if kind == types.BOOLEAN:
        return bytes([value])
    if kind in types.WHOLE:
        return _whole(value)
    if kind in types.REAL:
        return struct.pack("<f" if kind == types.FLOAT else "<d", value)
    return _sized(value.encode("utf-8", "surrogatepass") if isinstance(value, str) else value)


def _whole(value: int) -> bytes:
    """Write a number in groups of seven bits, the sign in the lowest."""
    rest = (value << 1) ^ (value >> 63)
    written = bytearray()
    while rest > 0x7F:
        written.append(rest & 0x7F | 0x80)
        rest >>= 7
    written.append(rest)
    return bytes(written)


def _sized(data: bytes) -> bytes:
    return _whole(len(data)) + data


def _blocks(parts: list[bytes]) -> bytes:
    return (_whole(len(parts)) if parts else b"") + b"".join(parts) + b"\0"
