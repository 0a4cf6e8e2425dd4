"""Forms that state, make and name values: literals, new, do, let, set, doc, log."""

import base64
import binascii
from typing import Any

from modelstream.errors import InvalidModel
from modelstream.formats.pfa import types
from modelstream.formats.pfa.check import Checker, string
from modelstream.formats.pfa.code import Code, Frame, coerced, constant
from modelstream.formats.pfa.columns import Batch, Structs, is_column
from modelstream.formats.pfa.scope import Scope
from modelstream.formats.pfa.stacking import stacked
from modelstream.formats.pfa.types import Array, Map, Record, accepts
from modelstream.formats.pfa.values import Struct

_NUMBERS = {"int": types.INT, "long": types.LONG, "float": types.FLOAT, "double": types.DOUBLE}


def number(checker: Checker, node: dict[str, Any], scope: Scope, where: str) -> Code:
    """{"int": 3}, {"double": 3} and so on."""
    del scope
    (name,) = node.keys() & _NUMBERS.keys()
    kind = _NUMBERS[name]
    return constant(kind, checker.data.read(kind, node[name], f"{where}.{name}"))


def text(checker: Checker, node: dict[str, Any], scope: Scope, where: str) -> Code:
    """Read {"string": "..."}."""
    del scope
    return string(checker.data.read(types.STRING, node["string"], f"{where}.string"))


def bytes_(checker: Checker, node: dict[str, Any], scope: Scope, where: str) -> Code:
    """{"base64": "..."}."""
    del checker, scope
    try:
        return constant(types.BYTES, base64.b64decode(node["base64"], validate=True))
    except (binascii.Error, TypeError, ValueError) as error:
        raise InvalidModel(f"{where}.base64: {error}") from error


def literal(checker: Checker, node: dict[str, Any], scope: Scope, where: str) -> Code:
    """{"type": ..., "value": ...}."""
    del scope
    kind = checker.type(node["type"], f"{where}.type")
    value = checker.data.read(kind, node["value"], f"{where}.value")
    return string(value) if kind == types.STRING else constant(kind, value)


def new(checker: Checker, node: dict[str, Any], scope: Scope, where: str) -> Code:
    """Read {"new": {...} or [...], "type": ...}."""
    kind = checker.type(node["type"], f"{where}.type")
    parts, inside = node["new"], scope.argument()
    if isinstance(kind, Array) and isinstance(parts, list):
        codes = [
            _part(checker, each, inside, kind.items, f"{where}.new.{index}")
            for index, each in enumerate(parts)
        ]
        return _new_array(kind, codes)
    if not isinstance(parts, dict) or not isinstance(kind, Map | Record):
        raise InvalidModel(f"{where}: a {kind} cannot be made of what is in 'new'")
    named = {name: each for name, each in parts.items() if name != "@"}
    if isinstance(kind, Record) and set(named) != set(kind.fields):
        raise InvalidModel(f"{where}: a {kind} has the fields {', '.join(kind.fields)}")
    fields = {
        name: _part(
            checker,
            each,
            inside,
            kind.values if isinstance(kind, Map) else kind.fields[name],
            f"{where}.new.{name}",
        )
        for name, each in named.items()
    }
    return _new_map(kind, fields) if isinstance(kind, Map) else _new_record(kind, fields)


def _part(checker: Checker, node: Any, scope: Scope, kind: types.Type, where: str) -> Code:
    code = checker.expression(node, scope, where)
    if not accepts(kind, code.type):
        raise InvalidModel(f"{where}: {code.type} stands where {kind} is due")
    return coerced(code, kind)


def _new_array(kind: Array, codes: list[Code]) -> Code:
    runs = tuple(code.run for code in codes)

    def columns(batch: Batch) -> Any:
        return stacked(batch, [code.columns(batch) for code in codes], kind.items)

    return Code(kind, lambda frame: [run(frame) for run in runs], columns)


def _new_map(kind: Map, fields: dict[str, Code]) -> Code:
    runs = tuple((name, code.run) for name, code in fields.items())

    def columns(batch: Batch) -> Any:
        values = {name: code.columns(batch) for name, code in fields.items()}
        if not any(map(is_column, values.values())):
            return values
        names = tuple(values)
        return batch.call_each(
            lambda *parts: dict(zip(names, parts, strict=True)), list(values.values()), kind
        )

    return Code(kind, lambda frame: {name: run(frame) for name, run in runs}, columns)


def _new_record(kind: Record, fields: dict[str, Code]) -> Code:
    runs = tuple((name, fields[name].run) for name in kind.fields)
    type_name = kind.name

    def run_each(frame: Frame) -> Any:
        return Struct(type_name, {name: run(frame) for name, run in runs})

    def columns(batch: Batch) -> Any:
        values = {name: fields[name].columns(batch) for name in kind.fields}
        if any(map(is_column, values.values())):
            return Structs(type_name, values)
        return Struct(type_name, values)

    return Code(kind, run_each, columns)


def do(checker: Checker, node: dict[str, Any], scope: Scope, where: str) -> Code:
    """{"do": [...]}."""
    code = checker.block(node["do"], scope.inner(), f"{where}.do")
    return code if code.type is not types.NOTHING else Code(types.NULL, code.run, code.columns)


def let(checker: Checker, node: dict[str, Any], scope: Scope, where: str) -> Code:
    """{"let": {...}}."""
    if scope.closed:
        raise InvalidModel(f"{where}: no symbol can be declared here; wrap it in a 'do'")
    codes = {}
    for name, each in entries(node["let"], f"{where}.let"):
        code = checker.expression(each, scope.argument(), f"{where}.let.{name}")
        if code.type is types.NOTHING:
            raise InvalidModel(f"{where}.let.{name}: an error has no value")
        codes[name] = code
    assigned = tuple(
        (scope.declare_new(name, code.type, where).slot, code) for name, code in codes.items()
    )
    runs = tuple((slot, code.run) for slot, code in assigned)

    def run(frame: Frame) -> None:
        for slot, one in runs:
            frame[slot] = one(frame)

    def columns(batch: Batch) -> None:
        for slot, code in assigned:
            batch.slots[slot] = code.columns(batch)

    return Code(types.NULL, run, columns)


def set_(checker: Checker, node: dict[str, Any], scope: Scope, where: str) -> Code:
    """{"set": {...}}."""
    assigned = assignments(checker, node["set"], scope, f"{where}.set")
    runs = tuple((slot, code.run) for slot, code in assigned)

    def run(frame: Frame) -> None:
        for slot, value in [(slot, one(frame)) for slot, one in runs]:
            frame[slot] = value

    def columns(batch: Batch) -> None:
        for slot, value in [(slot, code.columns(batch)) for slot, code in assigned]:
            batch.assign(slot, value)

    return Code(types.NULL, run, columns)


def assignments(
    checker: Checker, node: Any, scope: Scope, where: str
) -> tuple[tuple[int, Code], ...]:
    """Return the slots that values are assigned to, with the values. Raises InvalidModel."""
    checker.assignments += 1
    assigned = []
    for name, each in entries(node, where):
        known = scope.find(name)
        if known is None:
            raise InvalidModel(f"{where}: unknown symbol {name!r}; declare it with 'let'")
        if not scope.is_writable(name):
            raise InvalidModel(f"{where}: symbol {name!r} cannot be assigned to in this block")
        code = checker.expression(each, scope.argument(), f"{where}.{name}")
        if not accepts(known.type, code.type):
            raise InvalidModel(f"{where}.{name}: {code.type} stands where {known.type} is due")
        assigned.append((known.slot, coerced(code, known.type)))
    return tuple(assigned)


def entries(node: Any, where: str) -> list[tuple[str, Any]]:
    """Return the symbols of an object and what stands at each. Raises InvalidModel."""
    known = [(k, v) for k, v in node.items() if k != "@"] if isinstance(node, dict) else []
    if not known:
        raise InvalidModel(f"{where}: an object of symbols and expressions is due")
    return known


def doc(checker: Checker, node: dict[str, Any], scope: Scope, where: str) -> Code:
    """{"doc": "..."}."""
    del checker, scope
    if not isinstance(node["doc"], str):
        raise InvalidModel(f"{where}.doc: a string is due")
    return constant(types.NULL, None)


def log(checker: Checker, node: dict[str, Any], scope: Scope, where: str) -> Code:
    """{"log": [...]}: what it tells goes nowhere, but it may fail."""
    run = checker.block(node["log"], scope.argument(), f"{where}.log")

    def columns(batch: Batch) -> None:
        run.columns(batch)

    def tell(frame: Frame) -> None:
        run.run(frame)

    return Code(types.NULL, tell, columns)
