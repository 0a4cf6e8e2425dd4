"""Tensors as they are sent, and what is refused of a process that was taken over."""

import msgspec
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from modelstream.errors import ModelFailed
from modelstream.formats.tensorflow.native.messages import (
    DTYPES,
    Answered,
    Reply,
    Tensor,
    pack_array,
    unpack_array,
)


@given(st.sampled_from(sorted(DTYPES)).flatmap(lambda t: arrays.arrays(t, arrays.array_shapes())))
def test_numbers_come_out_as_they_went_in(array: np.ndarray) -> None:
    sent = msgspec.msgpack.encode(Answered((pack_array(array),)))
    reply: Reply = msgspec.msgpack.decode(sent, type=Reply)
    assert isinstance(reply, Answered)
    got = unpack_array(reply.tensors[0])
    assert got.dtype == array.dtype
    np.testing.assert_array_equal(got, array)


def test_texts_are_bytes() -> None:
    array = np.array([[b"a", b"\xff"]], dtype=object)
    assert unpack_array(pack_array(array)).tolist() == [[b"a", b"\xff"]]


@pytest.mark.parametrize(
    ("tensor", "reason"),
    [
        (Tensor("float32", (2,), b"\0\0\0\0"), "2 numbers has 4 bytes"),
        (Tensor("float32", (-1,), b""), "negative size"),
        (Tensor("object", (2,), texts=[b""]), "2 texts has 1"),
        (Tensor("O8", (1,), b"\0" * 8), "a tensor of 'O8' was sent"),
        (Tensor("complex64", (1,), b"\0" * 8), "complex64"),
    ],
)
def test_what_is_no_tensor_is_refused(tensor: Tensor, reason: str) -> None:
    with pytest.raises(ModelFailed, match=reason):
        unpack_array(tensor)


def test_a_tensor_of_another_type_is_not_sent() -> None:
    with pytest.raises(ModelFailed, match="complex128 cannot be sent"):
        pack_array(np.array([1j]))
