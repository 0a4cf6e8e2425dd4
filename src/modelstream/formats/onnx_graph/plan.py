"""The lowered form of an ONNX model: the edited graph and how its tensors are named columns."""

from collections import Counter
from typing import Literal

import msgspec

from modelstream import limits
from modelstream.errors import InvalidModel
from modelstream.formats.base import Field, FieldType

PLAN_VERSION = 3

Element = Literal[
    "float16",
    "float32",
    "float64",
    "int8",
    "int16",
    "int32",
    "int64",
    "uint8",
    "uint16",
    "uint32",
    "bool",
    "string",
]

# What a user sees of each tensor element: the narrowest field type that holds all its values.
FIELD_TYPES: dict[Element, FieldType] = {
    "float16": "float32",
    "float32": "float32",
    "float64": "float64",
    "int8": "int32",
    "int16": "int32",
    "int32": "int32",
    "int64": "int64",
    "uint8": "int32",
    "uint16": "int32",
    "uint32": "int64",
    "bool": "bool",
    "string": "string",
}


class Binding(msgspec.Struct, frozen=True):
    """One tensor of the graph and the columns that it is.

    `shape` is the tensor's without its first dimension, the rows. Several columns are the values
    along a row of shape (k,); one column is the whole row, a scalar where that is () or (1,).
    `optional` are those of the columns that may be missing: NaN, to the graph.
    """

    tensor: str
    element: Element
    shape: tuple[int | None, ...]
    columns: tuple[str, ...]
    optional: tuple[str, ...] = ()

    @property
    def row_shape(self) -> tuple[int | None, ...]:
        """The shape of one entry of a column."""
        return () if len(self.columns) > 1 or self.shape == (1,) else self.shape

    def fields(self) -> tuple[Field, ...]:
        """Return the columns as users see them."""
        kind = FIELD_TYPES[self.element]
        optional = frozenset(self.optional)
        return tuple(
            Field(name, kind, self.row_shape, optional=name in optional) for name in self.columns
        )


class Plan(msgspec.Struct, frozen=True):
    """All that a serving process needs. `by_row`: the graph takes one row at a time.

    `description` is encoded: few models are ever asked for it.
    """

    version: int
    onnx: bytes
    inputs: tuple[Binding, ...]
    outputs: tuple[Binding, ...]
    by_row: bool
    description: bytes


_DECODE_PLAN = msgspec.msgpack.Decoder(Plan).decode


def encode_plan(plan: Plan) -> bytes:
    """Return the plan as MessagePack. Raises InvalidModel when it breaks a rule of plans."""
    _check(plan)
    return msgspec.msgpack.encode(plan)


def decode_plan(lowered: bytes) -> Plan:
    """Read a plan. Raises InvalidModel."""
    try:
        plan = _DECODE_PLAN(lowered)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise InvalidModel(f"not a lowered ONNX model: {error}; lower the artifact again") from None
    if plan.version != PLAN_VERSION:
        raise InvalidModel(
            f"lowered by another version ({plan.version}, this one reads {PLAN_VERSION}); "
            "lower the artifact again"
        )
    _check(plan)
    return plan


def _check(plan: Plan) -> None:
    for kind, bindings in (("input", plan.inputs), ("output", plan.outputs)):
        names = [name for binding in bindings for name in binding.columns]
        if not names:
            raise InvalidModel(f"the model has no {kind}s")
        if len(names) > limits.FIELDS_MAX:
            raise InvalidModel(f"{len(names)} {kind}s; {limits.FIELDS_MAX} are allowed")
        for name in names:
            _check_name(name, kind)
        if len(set(names)) < len(names):
            twice = [name for name, times in Counter(names).items() if times > 1]
            raise InvalidModel(f"two {kind}s have the same name: {', '.join(twice[:3])}")
        for binding in bindings:
            if len(binding.columns) != 1 and binding.shape != (len(binding.columns),):
                raise InvalidModel(f"{kind} {binding.tensor!r} does not fit its columns")


def _check_name(name: str, kind: str) -> None:
    if not name or len(name) > limits.FIELD_NAME_CHARS_MAX or not name.isprintable():
        raise InvalidModel(
            f"{kind} name {name[:80]!r} must be 1 to {limits.FIELD_NAME_CHARS_MAX} printable characters"
        )
