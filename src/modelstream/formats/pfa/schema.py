"""Read Avro's types from a document: JSON that may name types declared anywhere else in it."""

from collections.abc import Iterator
from typing import Any

from modelstream.errors import InvalidModel, UnsupportedModel
from modelstream.formats.pfa import types
from modelstream.formats.pfa.types import Array, Enum, Fixed, Map, Record, Type, Union
from modelstream.limits import FIELD_NAME_CHARS_MAX

_NAMED = frozenset({"record", "enum", "fixed"})
# Where a document holds data, in which what looks like a declaration is none.
_DATA = frozenset({"init", "value", "zero", "metadata", "options", "doc", "default", "@"})


class Schemas:
    """The named types of one document. A type is read when it is first asked for."""

    def __init__(self, document: Any) -> None:
        self._declared: dict[str, tuple[dict[str, Any], str]] = {}
        self._known: dict[str, Type] = {}
        for declaration, namespace in _declarations(document, ""):
            self._declare(declaration, namespace)

    def read(self, node: Any, where: str, namespace: str = "") -> Type:
        """Return the type that a JSON value describes. Raises InvalidModel, naming the place."""
        if isinstance(node, str):
            return self._named(node, where, namespace)
        if isinstance(node, list):
            return self._union(node, where, namespace)
        if not isinstance(node, dict):
            raise InvalidModel(f"{where}: a type is a name, a list or an object, not {node!r}")
        kind = node.get("type")
        if kind == "array":
            return Array(self.read(_part(node, "items", where), f"{where}.items", namespace))
        if kind == "map":
            return Map(self.read(_part(node, "values", where), f"{where}.values", namespace))
        if isinstance(kind, str) and kind in _NAMED:
            return self._named(_full_name(node, namespace), where, namespace)
        return self.read(_part(node, "type", where), f"{where}.type", namespace)

    def record(self, name: str) -> Record | None:
        """Return a record by its name, if the document declares it."""
        found = self._known.get(name)
        return found if isinstance(found, Record) else None

    def _declare(self, declaration: dict[str, Any], namespace: str) -> None:
        name = _full_name(declaration, namespace)
        known = self._declared.get(name)
        if known is None:
            self._declared[name] = (declaration, namespace)
        elif _plain(known[0]) != _plain(declaration):
            raise InvalidModel(f"type {name!r} is declared twice, and differently")

    def _named(self, name: str, where: str, namespace: str) -> Type:
        if name in types.PRIMITIVES:
            return types.PRIMITIVES[name]
        for full in (f"{namespace}.{name}" if namespace else name, name):
            if full in self._known:
                return self._known[full]
            if full in self._declared:
                return self._build(full, where)
        raise InvalidModel(f"{where}: type {name!r} is not declared in the document")

    def _build(self, name: str, where: str) -> Type:
        node, namespace = self._declared[name]
        inner = name.rpartition(".")[0] or namespace
        made: Type
        if node["type"] == "record":
            made = self._known[name] = Record(name)
            self._fill(made, node, where, inner)
        elif node["type"] == "enum":
            made = self._known[name] = Enum(name, _symbols(node, where))
        else:
            made = self._known[name] = Fixed(name, _size(node, where))
        return made

    def _fill(self, record: Record, node: dict[str, Any], where: str, namespace: str) -> None:
        fields = _part(node, "fields", where)
        if not isinstance(fields, list):
            raise InvalidModel(f"{where}: the fields of record {record.name!r} are no list")
        for index, each in enumerate(fields):
            place = f"{where}.fields.{index}"
            if not isinstance(each, dict) or not isinstance(each.get("name"), str):
                raise InvalidModel(f"{place}: a field is an object with a name and a type")
            name = each["name"]
            if name in record.fields:
                raise InvalidModel(f"{place}: field {name!r} is declared twice")
            record.fields[name] = self.read(_part(each, "type", place), place, namespace)
            if each.get("default") is not None:
                record.defaults[name] = each["default"]
            record.orders[name] = str(each.get("order", "ascending"))

    def _union(self, node: list[Any], where: str, namespace: str) -> Type:
        kinds = tuple(
            self.read(each, f"{where}.{index}", namespace) for index, each in enumerate(node)
        )
        if not kinds or any(isinstance(kind, Union) for kind in kinds):
            raise InvalidModel(f"{where}: a union is of one type or more, none of which is a union")
        if len(set(kinds)) < len(kinds):
            raise InvalidModel(f"{where}: a type stands twice in a union")
        try:
            types.check_distinct(kinds)
        except types.Incompatible as error:
            raise UnsupportedModel(f"{where}: {error}") from error
        return Union(kinds)


def _declarations(node: Any, namespace: str) -> Iterator[tuple[dict[str, Any], str]]:
    """Find each declaration of a named type, with the namespace that it stands in."""
    if isinstance(node, list):
        for each in node:
            yield from _declarations(each, namespace)
    if not isinstance(node, dict):
        return
    kind, name = node.get("type"), node.get("name")
    if isinstance(kind, str) and kind in _NAMED and isinstance(name, str):
        yield node, namespace
        namespace = _full_name(node, namespace).rpartition(".")[0]
    for key, each in node.items():
        if key not in _DATA:
            yield from _declarations(each, namespace)


def _full_name(node: dict[str, Any], namespace: str) -> str:
    name = node.get("name")
    if not isinstance(name, str) or not name or len(name) > FIELD_NAME_CHARS_MAX:
        raise InvalidModel(f"a {node.get('type')} has no name, or one that is too long")
    own = node.get("namespace")
    if "." in name:
        return name
    outer = own if isinstance(own, str) and own else namespace
    return f"{outer}.{name}" if outer else name


def _part(node: dict[str, Any], key: str, where: str) -> Any:
    if key not in node:
        raise InvalidModel(f"{where}: a type lacks {key!r}")
    return node[key]


def _symbols(node: dict[str, Any], where: str) -> tuple[str, ...]:
    symbols = node.get("symbols")
    if (
        not isinstance(symbols, list)
        or not all(isinstance(each, str) for each in symbols)
        or len(set(symbols)) < len(symbols)
    ):
        raise InvalidModel(f"{where}: the symbols of enum {node['name']!r} are different strings")
    return tuple(symbols)


def _size(node: dict[str, Any], where: str) -> int:
    size = node.get("size")
    if type(size) is not int or size < 0:
        raise InvalidModel(f"{where}: the size of fixed {node['name']!r} is a whole number")
    return size


def _plain(node: Any) -> Any:
    """Return a declaration without what does not matter: locators and documentation."""
    if isinstance(node, dict):
        return {key: _plain(each) for key, each in node.items() if key not in {"@", "doc"}}
    return [_plain(each) for each in node] if isinstance(node, list) else node
