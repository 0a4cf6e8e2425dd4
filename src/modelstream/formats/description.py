"""Descriptions as bytes: they are made where a model is lowered, and read when they are asked for.

What is described is the artifact as it was published; its lowered form has lost part of that.
"""

import msgspec

from modelstream import limits
from modelstream.errors import InvalidModel
from modelstream.formats.base import Description, Header

_DECODE_DESCRIPTION = msgspec.msgpack.Decoder(Description).decode


def encode_description(description: Description) -> bytes:
    """Return a description as MessagePack."""
    return msgspec.msgpack.encode(description)


def decode_description(data: bytes) -> Description:
    """Read a description. Raises InvalidModel."""
    try:
        return _DECODE_DESCRIPTION(data)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise InvalidModel(
            f"the model's description cannot be read: {error}; lower the artifact again"
        ) from None


def make_header(**texts: str) -> Header:
    """Return a header of what is known, by its fields' names; long texts are cut."""
    return Header(**{n: t.strip()[: limits.DESCRIPTION_CHARS_MAX] for n, t in texts.items()})
