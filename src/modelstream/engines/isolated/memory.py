"""The memory that a parent and its child both see: records on the way there, columns on the way back.

The child may have been taken over by what it read: whatever it says of the memory is checked against
its size, and copied out before it is used.
"""

import fcntl
import math
import mmap
import os
from collections.abc import Sequence
from itertools import pairwise
from typing import Any

import msgspec
import numpy as np

from modelstream.engines.isolated.messages import Column as Told
from modelstream.errors import ModelFailed
from modelstream.limits import ISOLATED_MEMORY_BYTES
from modelstream.messages import Column, Columns

_DTYPES = frozenset(
    {
        *("float16", "float32", "float64", "bool"),
        *("int8", "int16", "int32", "int64", "uint8", "uint16", "uint32", "uint64"),
    }
)
_VALUES = "object"


def new_memory() -> int:
    """Return a descriptor of memory that is given to whoever gets the descriptor. Raises OSError."""
    descriptor = os.memfd_create("modelstream", os.MFD_CLOEXEC | os.MFD_ALLOW_SEALING)
    os.ftruncate(descriptor, ISOLATED_MEMORY_BYTES)
    # Who cuts it short would end the other one, which maps it.
    fcntl.fcntl(descriptor, fcntl.F_ADD_SEALS, fcntl.F_SEAL_SHRINK | fcntl.F_SEAL_GROW)
    return descriptor


class Memory:
    """A mapping of such memory."""

    def __init__(self, descriptor: int) -> None:
        self._map = mmap.mmap(descriptor, ISOLATED_MEMORY_BYTES)
        self._view = memoryview(self._map)

    def fits(self, values: Sequence[bytes]) -> bool:
        """Tell whether records can be put there together."""
        return sum(map(len, values)) + 8 * len(values) <= ISOLATED_MEMORY_BYTES

    def put_records(self, values: Sequence[bytes]) -> None:
        """Write records: their lengths, and then all of them."""
        head = 8 * len(values)
        lengths = np.fromiter(map(len, values), np.int64, len(values))
        data = b"".join(values)
        self._view[:head] = lengths.tobytes()
        self._view[head : head + len(data)] = data

    def take_records(self, count: int) -> list[bytes]:
        """Read records."""
        ends = np.frombuffer(self._view[: 8 * count], np.int64).cumsum() + 8 * count
        bounds = [8 * count, *ends.tolist()]
        return [bytes(self._view[start:end]) for start, end in pairwise(bounds)]

    def put_columns(self, columns: Columns) -> tuple[Told, ...]:
        """Write columns of numbers; return what is to be said of all. Raises ModelFailed."""
        told: list[Told] = []
        start = 0
        for name, column in columns.items():
            if column.dtype.name not in _DTYPES:
                told.append(Told(name, _VALUES, column.shape, values=column.tolist()))
                continue
            data = np.ascontiguousarray(column).tobytes()
            if start + len(data) > ISOLATED_MEMORY_BYTES:
                raise ModelFailed("the answer is larger than the memory it is given back in")
            self._view[start : start + len(data)] = data
            told.append(Told(name, column.dtype.name, column.shape, start))
            start += -(-len(data) // 8) * 8
        return tuple(told)

    def take_columns(self, told: Sequence[Told], rows: int) -> Columns:
        """Copy columns out. Raises ValueError where they cannot be what is said of them."""
        return {each.name: self._column(each, rows) for each in told}

    def close(self) -> None:
        """Give the mapping up."""
        self._view.release()
        self._map.close()

    def _column(self, told: Told, rows: int) -> Column:
        if not told.shape or told.shape[0] != rows or min(told.shape) < 0:
            raise ValueError(f"column {told.name!r} has shape {told.shape} for {rows} rows")
        if told.dtype == _VALUES:
            column: Any = np.empty(rows, dtype=object)
            if len(told.values) != rows:
                raise ValueError(f"column {told.name!r} has {len(told.values)} values")
            column[:] = told.values
            return np.asarray(column)
        if told.dtype not in _DTYPES:
            raise ValueError(f"column {told.name!r} is of {told.dtype!r}")
        dtype = np.dtype(told.dtype)
        end = told.start + math.prod(told.shape) * dtype.itemsize
        if not 0 <= told.start <= end <= ISOLATED_MEMORY_BYTES:
            raise ValueError(f"column {told.name!r} lies outside of the memory")
        data = bytes(self._view[told.start : end])
        return np.frombuffer(data, dtype).reshape(told.shape)


def encode(message: Any) -> bytes:
    """Write a message; numbers of NumPy are plain ones."""
    return msgspec.msgpack.encode(message, enc_hook=_plain)


def _plain(value: Any) -> Any:
    if isinstance(value, np.generic | np.ndarray):
        return value.tolist()
    raise NotImplementedError(f"a value of type {type(value).__name__} cannot be sent")
