"""Forms of cells and pools: anything reads them, only `begin` writes them, see `document`."""

from typing import Any

from modelstream.errors import InvalidModel
from modelstream.formats.pfa import types
from modelstream.formats.pfa.check import Checker
from modelstream.formats.pfa.code import Code, Frame, coerced
from modelstream.formats.pfa.forms.paths import (
    getter,
    last,
    read_path,
    refuse_columns,
    replaced,
    replacement,
)
from modelstream.formats.pfa.scope import Cell, Scope
from modelstream.formats.pfa.types import Map, accepts

# Codes of PFA for an index that is not there; that of a key is the next.
_CELL, _CELL_TO, _POOL, _POOL_TO = 2004, 2006, 2008, 2010


def cell(checker: Checker, node: dict[str, Any], scope: Scope, where: str) -> Code:
    """{"cell": ..., "path": [...]}."""
    known = _storage(checker.cells, node["cell"], where, "cell")
    return getter(_stored(known), read_path(checker, node, known.type, scope, where), _CELL)


def pool(checker: Checker, node: dict[str, Any], scope: Scope, where: str) -> Code:
    """{"pool": ..., "path": [...]}."""
    known = _storage(checker.pools, node["pool"], where, "pool")
    steps = read_path(checker, node, known.type, scope, where)
    if not steps:
        raise InvalidModel(f"{where}.path: the path into a pool begins with the item's name")
    return getter(_stored(known), steps, _POOL)


def _storage(known: dict[str, Cell], name: Any, where: str, what: str) -> Cell:
    if not isinstance(name, str) or name not in known:
        raise InvalidModel(f"{where}: there is no {what} {name!r}")
    return known[name]


def _stored(known: Cell) -> Code:
    return Code(known.type, lambda _frame: known.value, lambda _batch: known.value)


def cell_to(checker: Checker, node: dict[str, Any], scope: Scope, where: str) -> Code:
    """{"cell": ..., "path": [...], "to": ...}; only `begin` may do so, see `document`."""
    name = node["cell"]
    known = _storage(checker.cells, name, where, "cell")
    checker.use.writes.setdefault(f"cell {name!r}", where)
    steps = read_path(checker, node, known.type, scope, where)
    new = replacement(checker, node["to"], last(steps, known.type), scope, f"{where}.to")
    indexes = tuple(step.index.run for step in steps)

    def run(frame: Frame) -> Any:
        at = [index(frame) for index in indexes]
        known.value = replaced(known.value, at, new(frame), _CELL_TO)
        return known.value

    return Code(known.type, run, refuse_columns)


def pool_to(checker: Checker, node: dict[str, Any], scope: Scope, where: str) -> Code:
    """{"pool": ..., "path": [...], "to": ..., "init": ...}; only `begin` may do so."""
    name = node["pool"]
    known = _storage(checker.pools, name, where, "pool")
    checker.use.writes.setdefault(f"pool {name!r}", where)
    assert isinstance(known.type, Map)
    item = known.type.values
    steps = read_path(checker, node, known.type, scope, where)
    if not steps:
        raise InvalidModel(f"{where}.path: the path into a pool begins with the item's name")
    new = replacement(checker, node["to"], last(steps, known.type), scope, f"{where}.to")
    first = checker.expression(node["init"], scope.argument(), f"{where}.init")
    if not accepts(item, first.type):
        raise InvalidModel(f"{where}.init: {first.type} stands where {item} is due")
    begin = coerced(first, item)
    indexes = tuple(step.index.run for step in steps)

    def run(frame: Frame) -> Any:
        head, *rest = [index(frame) for index in indexes]
        value = known.value[head] if head in known.value else begin.run(frame)
        value = replaced(value, rest, new(frame), _POOL_TO)
        known.value = {**known.value, head: value}
        return value

    return Code(item, run, refuse_columns)


def pool_del(checker: Checker, node: dict[str, Any], scope: Scope, where: str) -> Code:
    """{"pool": ..., "del": ...}; only `begin` may do so."""
    name = node["pool"]
    known = _storage(checker.pools, name, where, "pool")
    checker.use.writes.setdefault(f"pool {name!r}", where)
    key = checker.expression(node["del"], scope.argument(), f"{where}.del")
    if key.type != types.STRING:
        raise InvalidModel(f"{where}.del: an item's name is a string, not {key.type}")

    def run(frame: Frame) -> None:
        gone = key.run(frame)
        known.value = {name: value for name, value in known.value.items() if name != gone}

    return Code(types.NULL, run, refuse_columns)
