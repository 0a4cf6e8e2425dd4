"""Constants and shapes."""

import numpy as np
import pytest

from modelstream.errors import InvalidModel, UnsupportedModel
from modelstream.formats.tensorflow.tensors import (
    fixed_shape,
    from_bytes,
    numpy_type,
    read_shape,
    read_tensor,
)
from modelstream.wire.proto import tensorflow_subset_pb2 as pb
from tests.support.tensorflow import shape


def told(kind: int, sizes: list[int], **values: object) -> pb.TensorProto:
    return pb.TensorProto(dtype=kind, tensor_shape=shape(sizes), **values)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("tensor", "expected"),
    [
        (told(1, [2], tensor_content=np.array([1, 2], "<f4").tobytes()), [1.0, 2.0]),
        (told(1, [2, 1], float_val=[1, 2]), [[1.0], [2.0]]),
        (told(2, [], double_val=[0.1]), 0.1),
        (told(3, [3], int_val=[7]), [7, 7, 7]),
        (told(3, [4], int_val=[7, -1]), [7, -1, -1, -1]),
        (told(4, [1], int_val=[255]), [255]),
        (told(6, [1], int_val=[-1]), [-1]),
        (told(7, [2], string_val=[b"a", b"b"]), [b"a", b"b"]),
        (told(9, [1], int64_val=[2**62]), [2**62]),
        (told(10, [2], bool_val=[True, False]), [True, False]),
        (told(10, [2], tensor_content=b"\x01\x00"), [True, False]),
        (told(19, [1], half_val=[0x3C00]), [1.0]),
        (told(23, [1], uint64_val=[2**64 - 1]), [2**64 - 1]),
        (told(1, [0]), []),
        (told(1, [2]), [0.0, 0.0]),
    ],
)
def test_a_constant_is_read_however_it_is_written(tensor: pb.TensorProto, expected: object) -> None:
    array = read_tensor(tensor)
    assert array.dtype == numpy_type(tensor.dtype)
    assert array.tolist() == expected


@pytest.mark.parametrize(
    ("tensor", "reason"),
    [
        (told(1, [3], tensor_content=b"1234"), "has 4 bytes"),
        (told(1, [1], float_val=[1, 2]), "of 1 values has 2"),
        (told(1, [-1], float_val=[1]), "shape is not one"),
        (told(1, [1] * 40, float_val=[1]), "shape is not one"),
        (told(1, [2**40, 2**40], float_val=[1]), "shape is not one"),
        (told(1, [2**40, 0], float_val=[1]), "shape is not one"),
        (told(1, [2**27], float_val=[1, 2]), "given by 2 of them"),
    ],
)
def test_a_constant_that_cannot_be_is_refused(tensor: pb.TensorProto, reason: str) -> None:
    with pytest.raises(InvalidModel, match=reason):
        read_tensor(tensor)


def test_one_value_for_many_takes_the_memory_of_one() -> None:
    array = read_tensor(told(1, [2**20, 2**7], float_val=[0.5]))
    assert array.shape == (2**20, 2**7)
    assert array.strides == (0, 0)


@pytest.mark.parametrize("kind", [0, 8, 14, 20, 21, 99, -1, 108])
def test_other_types_are_refused(kind: int) -> None:
    with pytest.raises(UnsupportedModel, match="data type"):
        numpy_type(kind)


def test_a_reference_has_the_type_of_what_it_refers_to() -> None:
    assert numpy_type(101) == np.float32


def test_strings_are_not_read_from_bytes() -> None:
    with pytest.raises(UnsupportedModel, match="strings"):
        from_bytes(b"", np.dtype(object), (0,))


def test_a_shape_is_open_where_it_is_not_told() -> None:
    assert read_shape(shape([-1, 3, 0])) == (None, 3, None)
    assert read_shape(pb.TensorShapeProto(unknown_rank=True)) is None
    with pytest.raises(InvalidModel):
        fixed_shape(pb.TensorShapeProto(unknown_rank=True))
