"""What results in Avro and in protobuf share: nested lists as a shape and its values, and the echo."""

from collections.abc import Sequence
from itertools import chain
from math import prod
from typing import Any

import msgspec

from modelstream.messages import Result


def flat(value: list[Any]) -> tuple[list[int], list[Any]]:
    """Return the shape of nested lists and their values, the last dimension first to change."""
    shape = []
    values: list[Any] = [value]
    while values and isinstance(values[0], list):
        shape.append(len(values[0]))
        values = list(chain.from_iterable(values))
    return shape, values


def nested(shape: Sequence[int], values: Sequence[Any]) -> list[Any]:
    """Return the nested lists of a shape. Raises ValueError where it is not that of the values."""
    if min(shape, default=-1) < 0 or prod(shape) != len(values):
        raise ValueError(f"{len(values)} values are not of the shape {list(shape)}")
    lists = list(values)
    for size in reversed(shape):
        lists = [lists[at : at + size] for at in range(0, len(lists), size)] if size else []
    return lists[0] if lists else []


def record_text(result: Result) -> str | None:
    """Return the record that a result echoes, as JSON."""
    record = result.record
    if record is None:
        return None
    raw = bytes(record) if isinstance(record, msgspec.Raw) else msgspec.json.encode(record)
    return raw.decode()
