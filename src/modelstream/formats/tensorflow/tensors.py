"""TensorFlow's element types, shapes and constant tensors (types.proto, tensor.proto) as NumPy's."""

import math
from typing import Any

import numpy as np
import numpy.typing as npt

from modelstream import limits
from modelstream.errors import InvalidModel, UnsupportedModel
from modelstream.wire.proto import tensorflow_subset_pb2 as pb

Array = npt.NDArray[Any]
Shape = tuple[int | None, ...]

FLOAT, INT32, STRING, INT64 = 1, 3, 7, 9
# DataType, by number: NumPy's type, and the field of a TensorProto that has single values of it.
_TYPES: dict[int, tuple[str, str]] = {
    FLOAT: ("float32", "float_val"),
    2: ("float64", "double_val"),
    INT32: ("int32", "int_val"),
    4: ("uint8", "int_val"),
    5: ("int16", "int_val"),
    6: ("int8", "int_val"),
    STRING: ("object", "string_val"),
    INT64: ("int64", "int64_val"),
    10: ("bool", "bool_val"),
    17: ("uint16", "int_val"),
    19: ("float16", "half_val"),  # the bits, as integers
    22: ("uint32", "uint32_val"),
    23: ("uint64", "uint64_val"),
}
_REF = 100  # added to a type: a reference to a variable of it
_RANK_MAX = 32  # NumPy's own, before 2.0


def numpy_type(number: int) -> np.dtype[Any]:
    """Return NumPy's type for a DataType; object for strings. Raises UnsupportedModel."""
    number = number - _REF if number > _REF else number
    if number not in _TYPES:
        raise UnsupportedModel(f"tensors of TensorFlow's data type {number} are not evaluated")
    return np.dtype(_TYPES[number][0])


def type_number(dtype: np.dtype[Any]) -> int:
    """Return the DataType of NumPy's type of numbers or truth values."""
    return next(number for number, (name, _) in _TYPES.items() if name == dtype.name)


def read_shape(shape: pb.TensorShapeProto) -> Shape | None:
    """Return a shape with None for any size, or None where not even the rank is known."""
    if shape.unknown_rank:
        return None
    return tuple(each.size if each.size > 0 else None for each in shape.dim)


def fixed_shape(shape: pb.TensorShapeProto) -> tuple[int, ...]:
    """Return the shape of a tensor that is there. Raises InvalidModel."""
    sizes = tuple(each.size for each in shape.dim)
    if (
        shape.unknown_rank
        or len(sizes) > _RANK_MAX
        or min(sizes, default=0) < 0
        or math.prod(size or 1 for size in sizes) > limits.ARTIFACT_BYTES_MAX
    ):
        raise InvalidModel("a tensor's shape is not one that it can have")
    return sizes


def read_tensor(tensor: pb.TensorProto) -> Array:
    """Return a constant; strings are bytes. Raises InvalidModel, UnsupportedModel.

    A tensor that repeats its last value takes memory for its own values alone.
    """
    dtype = numpy_type(tensor.dtype)
    shape = fixed_shape(tensor.tensor_shape)
    count = math.prod(shape)
    if tensor.tensor_content:
        return from_bytes(tensor.tensor_content, dtype, shape)
    values = _values(tensor, dtype)
    if len(values) > count:
        raise InvalidModel(f"a tensor of {count} values has {len(values)}")
    if len(values) == count:
        return values.reshape(shape)
    if len(values) == 0:
        return np.broadcast_to(np.zeros((), dtype), shape)
    if len(values) == 1:
        return np.broadcast_to(values[0], shape)
    if count > limits.TENSOR_VALUES_MAX:
        raise InvalidModel(f"a tensor of {count} values is given by {len(values)} of them")
    repeated = np.repeat(values[-1:], count - len(values))
    return np.concatenate((values, repeated)).reshape(shape)


def from_bytes(data: bytes, dtype: np.dtype[Any], shape: tuple[int, ...]) -> Array:
    """Return a tensor of its bytes, little end first. Raises InvalidModel, UnsupportedModel."""
    if dtype.kind == "O":
        raise UnsupportedModel("tensors of strings are evaluated only where each is told")
    if len(data) != math.prod(shape) * dtype.itemsize:
        raise InvalidModel(f"a tensor of shape {shape} of {dtype} has {len(data)} bytes")
    if dtype.kind == "b":
        truths: Array = np.frombuffer(data, np.uint8) != 0
        return truths.reshape(shape)
    numbers: Array = np.frombuffer(data, dtype.newbyteorder("<")).astype(dtype, copy=False)
    return numbers.reshape(shape)


def _values(tensor: pb.TensorProto, dtype: np.dtype[Any]) -> Array:
    field = _TYPES[tensor.dtype][1]
    given = getattr(tensor, field)
    if dtype.kind == "O":
        values = np.empty(len(given), dtype)
        values[:] = given
        return values
    if field == "half_val":
        return np.array(given, np.int64).astype(np.uint16).view(np.float16)
    return np.array(given, np.int64 if field == "int_val" else dtype).astype(dtype)
