"""Tensors as JSON has them, flat or nested, and as bytes that may be short or wrong."""

import struct
from collections.abc import Sequence
from typing import Any

import msgspec
import numpy as np

from modelstream.formats.onnx_graph.plan import Element
from modelstream.messages import Column

# What a value of each element is in JSON; a float that is no number may be null.
_KINDS: dict[str, Any] = {"f": float | None, "i": int, "u": int, "b": bool, "O": str}


def from_json(name: str, data: Any, element: Element, shape: Sequence[int] | None) -> Column:
    """Return the tensor that a list is, of a shape that is told or, without, that of its nesting.

    Raises ValueError with what does not fit.
    """
    dtype = dtype_of(element)
    told = _nesting(data) if shape is None else tuple(shape)
    try:
        flat = _flat(data, _KINDS[dtype.kind])
        tensor = np.empty(len(flat), dtype)
        tensor[:] = flat
    except (msgspec.ValidationError, OverflowError, TypeError, ValueError) as error:
        raise ValueError(f"output {name!r} holds no {element}: {error}") from error
    return shaped(name, tensor, told)


def shaped(name: str, tensor: Column, shape: tuple[int, ...]) -> Column:
    """Return a flat tensor in its shape. Raises ValueError."""
    try:
        return tensor.reshape(shape) if min(shape, default=0) >= 0 else tensor.reshape(-1, -1)
    except ValueError:
        raise ValueError(
            f"output {name!r} has {tensor.size} values, and says that its shape is {shape}"
        ) from None


def dtype_of(element: Element) -> np.dtype[Any]:
    """Return NumPy's type of an element; texts are objects."""
    return np.dtype(object if element == "string" else element)


def to_raw(tensor: Column) -> bytes:
    """Return a tensor's raw bytes, little-endian; texts each with their length before them."""
    if tensor.dtype != object:
        return tensor.astype(tensor.dtype.newbyteorder("<"), copy=False).tobytes()
    texts = [each.encode() for each in tensor.ravel().tolist()]
    return b"".join(struct.pack("<I", len(each)) + each for each in texts)


def from_raw(name: str, raw: bytes, element: Element) -> Column:
    """Return the flat tensor that raw bytes are. Raises ValueError with what does not fit."""
    if element != "string":
        dtype = dtype_of(element)
        try:
            return np.frombuffer(raw, dtype.newbyteorder("<")).astype(dtype, copy=False)
        except ValueError as error:
            raise ValueError(f"output {name!r} holds no {element}: {error}") from error
    texts, at = [], 0
    while at < len(raw):
        (length,) = struct.unpack_from("<I", raw.ljust(at + 4, b"\0"), at)
        if at + 4 + length > len(raw):
            raise ValueError(f"output {name!r} ends in the middle of a text")
        texts.append(raw[at + 4 : at + 4 + length].decode("utf-8"))
        at += 4 + length
    flat = np.empty(len(texts), object)
    flat[:] = texts
    return flat


def _flat(data: Any, kind: Any) -> list[Any]:
    """Return the values of nested lists in order."""
    values = data if isinstance(data, list) else [data]
    while any(isinstance(each, list) for each in values):
        values = [item for each in values for item in msgspec.convert(each, list[Any])]
    checked: list[Any] = msgspec.convert(values, list[kind])
    return checked


def _nesting(data: Any) -> tuple[int, ...]:
    """Return the lengths of nested lists, by the first of each."""
    shape: list[int] = []
    while isinstance(data, list):
        shape.append(len(data))
        data = data[0] if data else None
    return tuple(shape)
