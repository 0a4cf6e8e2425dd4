"""Avro schemas that a record could do harm with: refused before a byte is read by them.

A reader goes as deep as the data says where a schema contains itself, and as far as a count says
where items take no bytes. What is left takes work in proportion to a record's bytes.
"""

from collections.abc import Mapping
from typing import Any, NamedTuple

from modelstream.wire.schemas.framing import UnusableSchema
from modelstream.wire.schemas.limits import AVRO_NODES_MAX, AVRO_NODES_PER_BYTE_MAX

_FIXED_BYTES = {"null": 0, "float": 4, "double": 8}


class _Size(NamedTuple):
    """The most values that one datum has beside what its lists and maps hold; its least bytes."""

    nodes: int
    least_bytes: int


def check_avro(schema: Any, named: Mapping[str, Any]) -> None:
    """Raise UnusableSchema for a schema, as fastavro has parsed it, that bounds no record's cost."""
    _Walk(named).size(schema)


class _Walk:
    """Sizes of the types of one schema; a named one is looked at once."""

    def __init__(self, named: Mapping[str, Any]) -> None:
        self._named = named
        self._sizes: dict[str, _Size] = {}
        self._open: set[str] = set()

    def size(self, schema: Any) -> _Size:
        """Return the size of a type."""
        if isinstance(schema, str):
            if schema in self._named:
                return self._named_size(schema, self._named[schema])
            return _Size(1, _FIXED_BYTES.get(schema, 1))
        if isinstance(schema, list):
            sizes = [self.size(each) for each in schema]
            most = max((each.nodes for each in sizes), default=0)
            return _checked(1 + most, 1 + min((each.least_bytes for each in sizes), default=0))
        kind = schema["type"]
        if kind in {"array", "map"}:
            return self._many(kind, self.size(schema["items" if kind == "array" else "values"]))
        if kind in {"record", "error"}:
            return self._named_size(schema["name"], schema)
        return _Size(1, schema["size"]) if kind == "fixed" else self.size(kind)

    def _many(self, kind: str, item: _Size) -> _Size:
        least = item.least_bytes + (kind == "map")
        if item.nodes > AVRO_NODES_PER_BYTE_MAX * least:
            raise UnusableSchema(f"its {kind} has items of hardly any bytes, and so no end")
        return _Size(1, 1)

    def _named_size(self, name: str, schema: Mapping[str, Any]) -> _Size:
        if name in self._sizes:
            return self._sizes[name]
        if name in self._open:
            raise UnusableSchema(f"the type {name} contains itself, and so is of any depth")
        self._open.add(name)
        sizes = [self.size(each["type"]) for each in schema.get("fields", ())]
        self._open.discard(name)
        least = schema["size"] if schema["type"] == "fixed" else 0
        if schema["type"] == "enum":
            least = 1
        self._sizes[name] = _checked(
            1 + sum(each.nodes for each in sizes), least + sum(each.least_bytes for each in sizes)
        )
        return self._sizes[name]


def _checked(nodes: int, least_bytes: int) -> _Size:
    if nodes > AVRO_NODES_MAX:
        raise UnusableSchema(f"a record of it has more than {AVRO_NODES_MAX} values")
    return _Size(nodes, least_bytes)
