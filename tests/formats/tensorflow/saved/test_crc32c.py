"""The check sums of checkpoints."""

from hypothesis import given
from hypothesis import strategies as st

from modelstream.formats.tensorflow.saved.crc32c import crc32c, masked_crc32c


def bitwise(data: bytes) -> int:
    """Return the sum as its definition has it, a bit at a time."""
    crc = 0xFFFFFFFF
    for byte in data:
        crc ^= byte
        for _ in range(8):
            crc = (crc >> 1) ^ (0x82F63B78 if crc & 1 else 0)
    return crc ^ 0xFFFFFFFF


def test_the_sums_of_the_standard_are_right() -> None:
    assert crc32c(b"") == 0
    assert crc32c(b"123456789") == 0xE3069283
    assert crc32c(bytes(32)) == 0x8A9136AA
    assert crc32c(b"\xff" * 32) == 0x62A8AB43
    assert crc32c(bytes(range(32))) == 0x46DD794E


@given(st.binary(max_size=3000))
def test_lanes_give_the_sum_of_the_whole(data: bytes) -> None:
    assert crc32c(data) == bitwise(data)


def test_a_masked_sum_is_turned_and_moved() -> None:
    crc = crc32c(b"foo")
    assert masked_crc32c(b"foo") == ((crc >> 15 | crc << 17 & 0xFFFFFFFF) + 0xA282EAD8) % 2**32
