"""Read a sorted table of LevelDB (its doc/table_format.md), as the index of a checkpoint is one.

A table ends with a footer that tells where its index block is; that one tells where the data
blocks are. In a block, a key is written as what it shares with the key before it, and the rest.
"""

from collections.abc import Iterator

from modelstream.errors import InvalidModel, UnsupportedModel
from modelstream.formats.tensorflow.saved.crc32c import masked_crc32c

_FOOTER_BYTES = 48
_MAGIC = bytes.fromhex("57fb808b247547db")
_TRAILER_BYTES = 5  # of a block: how it is compressed, and the checksum
_RESTART_BYTES = 4
_VARINT_BYTES_MAX = 10


def read_table(data: bytes) -> dict[bytes, bytes]:
    """Return all entries of a table. Raises InvalidModel, UnsupportedModel."""
    footer = data[-_FOOTER_BYTES:]
    if len(footer) < _FOOTER_BYTES or not footer.endswith(_MAGIC):
        raise InvalidModel("the index of the variables is not a table, or is cut short")
    _, _, at = _handle(footer, 0)
    offset, size, _ = _handle(footer, at)
    entries: dict[bytes, bytes] = {}
    for _, handle in _entries(_block(data, offset, size)):
        start, length, _ = _handle(handle, 0)
        entries.update(_entries(_block(data, start, length)))
    return entries


def _block(data: bytes, offset: int, size: int) -> bytes:
    """Return the contents of a block whose checksum is right."""
    block = data[offset : offset + size + _TRAILER_BYTES]
    if len(block) < size + _TRAILER_BYTES or size < _RESTART_BYTES:
        raise InvalidModel("the index of the variables has a block beyond its end")
    if masked_crc32c(block[: size + 1]) != int.from_bytes(block[size + 1 :], "little"):
        raise InvalidModel("the index of the variables is damaged: a block's checksum is wrong")
    if block[size]:
        raise UnsupportedModel("the index of the variables is compressed; write it without")
    return block[:size]


def _entries(block: bytes) -> Iterator[tuple[bytes, bytes]]:
    """Yield the keys and values of a block, which has places to start from at its end."""
    restarts = int.from_bytes(block[-_RESTART_BYTES:], "little")
    end = len(block) - _RESTART_BYTES * (restarts + 1)
    key, at = b"", 0
    while at < end:
        shared, at = _varint(block, at)
        rest, at = _varint(block, at)
        length, at = _varint(block, at)
        if shared > len(key) or at + rest + length > end:
            raise InvalidModel("the index of the variables has an entry beyond its block")
        key = key[:shared] + block[at : at + rest]
        yield key, block[at + rest : at + rest + length]
        at += rest + length


def _handle(data: bytes, at: int) -> tuple[int, int, int]:
    """Read where a block starts and its size; return where they end, too."""
    offset, at = _varint(data, at)
    size, at = _varint(data, at)
    return offset, size, at


def _varint(data: bytes, at: int) -> tuple[int, int]:
    value = 0
    for place in range(_VARINT_BYTES_MAX):
        if at + place >= len(data):
            break
        byte = data[at + place]
        value |= (byte & 0x7F) << 7 * place
        if byte < 0x80:
            return value, at + place + 1
    raise InvalidModel("the index of the variables has a number without an end")
