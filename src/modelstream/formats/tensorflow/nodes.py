"""One node of a TensorFlow graph: its operation, where its inputs come from, its attributes."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple

from modelstream.errors import InvalidModel, UnsupportedModel
from modelstream.wire.proto import tensorflow_subset_pb2 as pb


class Ref(NamedTuple):
    """One output of a node, by its number."""

    node: str
    output: int


@dataclass(frozen=True, slots=True)
class Node:
    """A node. `controls` are the nodes that run before it and give it nothing.

    An attribute that is not written has its operation's default, which the caller knows.
    """

    name: str
    op: str
    inputs: tuple[Ref, ...]
    controls: tuple[str, ...]
    attributes: Mapping[str, pb.AttrValue]

    def __str__(self) -> str:
        return f"{self.op} {self.name!r}"

    def flag(self, name: str, *, default: bool = False) -> bool:
        """Return a truth value."""
        return bool(self._value(name, "b", default))

    def integer(self, name: str, default: int = 0) -> int:
        """Return a whole number."""
        return int(self._value(name, "i", default))

    def number(self, name: str, default: float) -> float:
        """Return a number."""
        return float(self._value(name, "f", default))

    def text(self, name: str, default: str = "") -> str:
        """Return a text; bytes that are none are replaced."""
        value: bytes = self._value(name, "s", default.encode())
        return value.decode("utf-8", errors="replace")

    def kind(self, name: str, default: int) -> int:
        """Return a DataType."""
        return int(self._value(name, "type", default))

    def integers(self, name: str, default: tuple[int, ...] = ()) -> tuple[int, ...]:
        """Return a list of whole numbers."""
        value = self._value(name, "list", None)
        return default if value is None else tuple(value.i)

    def tensor(self, name: str) -> pb.TensorProto:
        """Return a constant tensor. Raises InvalidModel where there is none."""
        value = self._value(name, "tensor", None)
        if value is None:
            raise InvalidModel(f"{self} has no {name}")
        tensor: pb.TensorProto = value
        return tensor

    def shape(self, name: str) -> pb.TensorShapeProto | None:
        """Return a shape, or None where none is written."""
        value: pb.TensorShapeProto | None = self._value(name, "shape", None)
        return value

    def function(self, name: str) -> str:
        """Return the name of a function. Raises InvalidModel where there is none."""
        value = self._value(name, "func", None)
        if value is None:
            raise InvalidModel(f"{self} calls no function")
        return str(value.name)

    def _value(self, name: str, kind: str, default: Any) -> Any:
        if name not in self.attributes:
            return default
        value = self.attributes[name]
        given = value.WhichOneof("value")
        if given == "placeholder":
            raise UnsupportedModel(f"{self} stands in a function for any type")
        if given != kind:
            raise InvalidModel(f"{self} has an attribute {name!r} of the wrong kind")
        return getattr(value, kind)
