"""Tensors as JSON has them, flat or nested, and as bytes that may be short or wrong."""

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
