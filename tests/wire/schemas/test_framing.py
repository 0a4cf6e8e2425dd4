import pytest
from hypothesis import given
from hypothesis import strategies as st

from modelstream.wire.schemas.framing import Unreadable, frame, message_indexes, schema_id
from tests.support.schemas import framed, zigzag


@given(st.integers(0, 2**32 - 1), st.binary(max_size=8))
def test_the_id_of_a_schema_stands_in_front(number: int, data: bytes) -> None:
    assert schema_id(frame(number) + data) == number
    assert frame(number) + data == framed(number, data)


@given(st.lists(st.integers(0, 2**40), min_size=1, max_size=16))
def test_indexes_of_messages_are_read(indexes: list[int]) -> None:
    written = zigzag(len(indexes)) + b"".join(map(zigzag, indexes))
    value = framed(1, b"data", indexes=written)
    assert message_indexes(value) == (tuple(indexes), len(value) - 4)


def test_no_indexes_mean_the_first_message() -> None:
    assert message_indexes(frame(7, first_message=True) + b"data") == ((0,), 6)


@pytest.mark.parametrize("value", [b"", b"\0\0\0\0", b"\1\0\0\0\1", b"{}   "])
def test_a_value_without_an_id_is_unreadable(value: bytes) -> None:
    with pytest.raises(Unreadable) as told:
        schema_id(value)
    assert told.value.failure.reason == "malformed"


@pytest.mark.parametrize(
    "indexes", [b"", b"\x80", b"\x80" * 11, zigzag(-1), zigzag(10**9), zigzag(2) + zigzag(0)]
)
def test_indexes_that_lie_are_unreadable(indexes: bytes) -> None:
    with pytest.raises(Unreadable):
        message_indexes(framed(1, b"", indexes=indexes))
