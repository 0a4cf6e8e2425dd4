"""JSON data of a document as values: what cells begin with, what literals say (Avro 1.7.6, JSON).

In JSON a value in a union is tagged with its type: {"double": 3}. Other data is never guessed at.
"""

import math
from collections.abc import Callable
from typing import Any

from modelstream.errors import InvalidModel
from modelstream.formats.pfa import types
from modelstream.formats.pfa.types import Array, Enum, Fixed, Map, Record, Type, Union
from modelstream.formats.pfa.values import Struct, is_of

Read = Callable[[Any, str], Any]

INT_RANGE = range(-(2**31), 2**31)
LONG_RANGE = range(-(2**63), 2**63)


class Data:
    """Reads JSON data; remembers how each type is read, because models are large and types few."""

    def __init__(self) -> None:
        self._known: dict[Type, Read] = {}

    def read(self, kind: Type, node: Any, where: str) -> Any:
        """Return the value of a type that some JSON stands for. Raises InvalidModel."""
        return self._reader(kind)(node, where)

    def _reader(self, kind: Type) -> Read:
        known = self._known.get(kind)
        if known is None:
            known = self._known[kind] = self._make(kind)
        return known

    def _make(self, kind: Type) -> Read:  # noqa: PLR0911 - one a kind of type
        if isinstance(kind, Array):
            return self._array(kind)
        if isinstance(kind, Map):
            return self._map(kind)
        if isinstance(kind, Record):
            return self._record(kind)
        if isinstance(kind, Union):
            return self._union(kind)
        if isinstance(kind, Enum):
            return _enum(kind)
        if isinstance(kind, Fixed):
            return _fixed(kind)
        return _SCALARS[kind]

    def _array(self, kind: Array) -> Read:
        def read(node: Any, where: str) -> Any:
            if not isinstance(node, list):
                raise _unfit(kind, node, where)
            one = self._reader(kind.items)
            return [one(each, where) for each in node]

        return read

    def _map(self, kind: Map) -> Read:
        def read(node: Any, where: str) -> Any:
            if not isinstance(node, dict):
                raise _unfit(kind, node, where)
            one = self._reader(kind.values)
            return {key: one(each, f"{where}.{key}") for key, each in node.items() if key != "@"}

        return read

    def _record(self, kind: Record) -> Read:
        def read(node: Any, where: str) -> Any:
            if not isinstance(node, dict):
                raise _unfit(kind, node, where)
            fields = {}
            for name, field in kind.fields.items():
                value = node.get(name, kind.defaults.get(name))
                if name not in node and name not in kind.defaults and field != types.NULL:
                    raise InvalidModel(f"{where}: a {kind} lacks its field {name!r}")
                fields[name] = self._reader(field)(value, f"{where}.{name}")
            return Struct(kind.name, fields)

        return read

    def _union(self, kind: Union) -> Read:
        tags = {types.tag(member): member for member in kind.members}

        def read(node: Any, where: str) -> Any:
            if node is None and "null" in tags:
                return None
            if isinstance(node, dict):
                tagged = [key for key in node if key != "@"]
                if len(tagged) == 1 and tagged[0] in tags:
                    return self._reader(tags[tagged[0]])(node[tagged[0]], where)
            raise _unfit(kind, node, where, "; a value in a union is tagged with its type")

        return read


def _unfit(kind: Type, node: Any, where: str, hint: str = "") -> InvalidModel:
    shown = repr(node)
    shown = shown if len(shown) <= 40 else shown[:37] + "..."
    return InvalidModel(f"{where}: {shown} is no {kind}{hint}")


def _null(node: Any, where: str) -> Any:
    if node is not None:
        raise _unfit(types.NULL, node, where)


def _boolean(node: Any, where: str) -> Any:
    if not isinstance(node, bool):
        raise _unfit(types.BOOLEAN, node, where)
    return node


def _whole(kind: Type, allowed: range) -> Read:
    def read(node: Any, where: str) -> Any:
        if isinstance(node, float) and node.is_integer():
            node = int(node)
        if type(node) is not int or node not in allowed:
            raise _unfit(kind, node, where)
        return node

    return read


def _real(kind: Type) -> Read:
    # JSON has no word for them; these are what Avro's own encoders write.
    words = {"NaN": math.nan, "Infinity": math.inf, "-Infinity": -math.inf}

    def read(node: Any, where: str) -> Any:
        if type(node) is float:
            return node
        if type(node) is int:
            return float(node)
        if isinstance(node, str) and node in words:
            return words[node]
        raise _unfit(kind, node, where)

    return read


def _string(node: Any, where: str) -> Any:
    if not isinstance(node, str):
        raise _unfit(types.STRING, node, where)
    return node


def _bytes(node: Any, where: str) -> Any:
    try:
        return _string(node, where).encode("latin-1")
    except UnicodeEncodeError:
        raise _unfit(types.BYTES, node, where, ": each of its characters is a byte") from None


def _enum(kind: Enum) -> Read:
    symbols = frozenset(kind.symbols)

    def read(node: Any, where: str) -> Any:
        if not isinstance(node, str) or node not in symbols:
            raise _unfit(kind, node, where)
        return node

    return read


def _fixed(kind: Fixed) -> Read:
    def read(node: Any, where: str) -> Any:
        value = _bytes(node, where)
        if len(value) != kind.size:
            raise _unfit(kind, node, where)
        return value

    return read


_SCALARS: dict[Type, Read] = {
    types.NULL: _null,
    types.BOOLEAN: _boolean,
    types.INT: _whole(types.INT, INT_RANGE),
    types.LONG: _whole(types.LONG, LONG_RANGE),
    types.FLOAT: _real(types.FLOAT),
    types.DOUBLE: _real(types.DOUBLE),
    types.BYTES: _bytes,
    types.STRING: _string,
}


def write(kind: Type, value: Any) -> Any:  # noqa: PLR0911 - one a kind of type
    """Return the JSON of a value, tagged where it is of a union. Numbers that JSON lacks are words."""
    if isinstance(kind, Union):
        if value is None:
            return None
        from_member = _member(kind, value)
        return {types.tag(from_member): write(from_member, value)}
    if isinstance(kind, Array):
        return [write(kind.items, each) for each in value]
    if isinstance(kind, Map):
        return {key: write(kind.values, each) for key, each in value.items()}
    if isinstance(kind, Record):
        return {name: write(field, value[name]) for name, field in kind.fields.items()}
    if isinstance(value, bytes):
        return value.decode("latin-1")
    if isinstance(value, float) and not math.isfinite(value):
        return "NaN" if math.isnan(value) else "Infinity" if value > 0 else "-Infinity"
    return value


def _member(kind: Union, value: Any) -> Type:
    return next(each for each in kind.members if is_of(each)(value))
