"""Tables of LevelDB: all entries, or a word on what is wrong."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from modelstream.errors import InvalidModel, UnsupportedModel
from modelstream.formats.tensorflow.saved.crc32c import masked_crc32c
from modelstream.formats.tensorflow.saved.table import read_table
from tests.support.tensorflow_saved import MAGIC, block, table, varint

ENTRIES = st.dictionaries(st.binary(min_size=1, max_size=20), st.binary(max_size=300), min_size=1)


@given(ENTRIES, st.integers(1, 5))
def test_what_is_written_is_read(entries: dict[bytes, bytes], size: int) -> None:
    ordered = sorted(entries.items())
    blocks = [ordered[at : at + size] for at in range(0, len(ordered), size)]
    assert read_table(table(blocks)) == entries


@given(ENTRIES, st.data())
def test_a_damaged_table_is_read_or_refused(
    entries: dict[bytes, bytes], data: st.DataObject
) -> None:
    written = bytearray(table([sorted(entries.items())]))
    at = data.draw(st.integers(0, len(written) - 1))
    written[at] ^= data.draw(st.integers(1, 255))
    try:
        found = read_table(bytes(written))
    except InvalidModel:
        return
    assert found == entries  # nothing but what is not looked at can have changed


def footed(data: bytes, offset: int, size: int) -> bytes:
    return data + (varint(0) * 2 + varint(offset) + varint(size)).ljust(40, b"\0") + MAGIC


def summed(data: bytes) -> bytes:
    return data + masked_crc32c(data).to_bytes(4, "little")


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (b"", "not a table"),
        (b"\0" * 48, "not a table"),
        (footed(b"", 0, 2**60), "beyond its end"),
        (footed(b"", 0, 3), "beyond its end"),
        (footed(b"\0" * 20, 0, 15), "checksum is wrong"),
        (footed(summed(b"\x05\x01\x01a\0" + b"\0" * 8 + b"\x01" + b"\0" * 4), 0, 17), "beyond"),
        (b"\xff" * 40 + MAGIC, "number without an end"),
    ],
    ids=["empty", "no magic", "huge", "small", "checksum", "entry", "varint"],
)
def test_what_is_no_table_is_refused(data: bytes, reason: str) -> None:
    with pytest.raises(InvalidModel, match=reason):
        read_table(data)


def test_a_compressed_block_is_refused() -> None:
    written = block([(b"a", b"b")], kind=1)
    with pytest.raises(UnsupportedModel, match="compressed"):
        read_table(footed(written, 0, len(written) - 5))
