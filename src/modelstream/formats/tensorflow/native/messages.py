"""What a serving process and the one that runs a graph say to each other, as MessagePack in frames.

Tensors are a type, a shape and plain bytes, texts are lists of bytes; nothing is an object.
"""

import math
from typing import Any

import msgspec
import numpy as np

from modelstream.errors import ModelFailed
from modelstream.messages import Column

# What a tensor may be; anything else is refused where a model is loaded.
DTYPES = frozenset(
    {
        *("float16", "float32", "float64", "bool"),
        *("int8", "int16", "int32", "int64", "uint8", "uint16", "uint32"),
    }
)
TEXTS = "object"


class Tensor(msgspec.Struct, frozen=True, array_like=True):
    """An array: numbers in C order with the little end first, or texts."""

    dtype: str
    shape: tuple[int, ...]
    data: bytes = b""
    texts: list[bytes] = []


class TensorFacts(msgspec.Struct, frozen=True, array_like=True):
    """What a graph says of a tensor; its shape is None where not even the rank is known."""

    dtype: str
    shape: tuple[int | None, ...] | None


class Open(msgspec.Struct, frozen=True, tag="open"):
    """Make a session of a GraphDef and run some nodes once; asked first, and once."""

    graph: bytes
    initial: tuple[str, ...]
    feeds: tuple[str, ...]
    fetches: tuple[str, ...]


class Run(msgspec.Struct, frozen=True, tag="run"):
    """Score: one tensor a feed."""

    tensors: tuple[Tensor, ...]


class Opened(msgspec.Struct, frozen=True, tag="opened"):
    """The session is there."""

    feeds: tuple[TensorFacts, ...]
    fetches: tuple[TensorFacts, ...]
    version: str


class Answered(msgspec.Struct, frozen=True, tag="answered"):
    """One tensor a fetch."""

    tensors: tuple[Tensor, ...]


class Failed(msgspec.Struct, frozen=True, tag="failed"):
    """TensorFlow's own reason; the process goes on."""

    reason: str


Request = Open | Run
Reply = Opened | Answered | Failed


def pack_array(array: Any) -> Tensor:
    """Return an array as it is sent; objects are bytes. Raises ModelFailed."""
    if array.dtype.kind in "OS":
        return Tensor(TEXTS, array.shape, texts=list(map(bytes, array.reshape(-1).tolist())))
    if array.dtype.name not in DTYPES:
        raise ModelFailed(f"a tensor of {array.dtype} cannot be sent")
    return Tensor(array.dtype.name, array.shape, np.ascontiguousarray(array).tobytes())


def unpack_array(tensor: Tensor) -> Column:
    """Return the array that was sent. Raises ModelFailed where it is none."""
    count = math.prod(tensor.shape)
    if min(tensor.shape, default=0) < 0:
        raise ModelFailed("a tensor of a negative size was sent")
    if tensor.dtype == TEXTS:
        if len(tensor.texts) != count:
            raise ModelFailed(f"a tensor of {count} texts has {len(tensor.texts)}")
        texts = np.empty(count, dtype=object)
        texts[:] = tensor.texts
        return texts.reshape(tensor.shape)
    if tensor.dtype not in DTYPES:
        raise ModelFailed(f"a tensor of {tensor.dtype!r} was sent")
    dtype = np.dtype(tensor.dtype)
    if len(tensor.data) != count * dtype.itemsize:
        raise ModelFailed(f"a tensor of {count} numbers has {len(tensor.data)} bytes")
    return np.frombuffer(tensor.data, dtype).reshape(tensor.shape)
