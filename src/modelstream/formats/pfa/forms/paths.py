"""Forms that reach into values by a path: attr, and what `storage` shares of it."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from modelstream.errors import InvalidModel
from modelstream.formats.pfa import types
from modelstream.formats.pfa.check import Checker
from modelstream.formats.pfa.code import Code, Frame, Runner, coerced
from modelstream.formats.pfa.columns import Batch, ByRows, Structs, is_column, is_numbers
from modelstream.formats.pfa.faults import Fault
from modelstream.formats.pfa.scope import Scope
from modelstream.formats.pfa.types import WHOLE, Array, Function, Map, Record, Type, accepts

# Codes of PFA for an index and a key that are not there: those of the form, and the next.
_ATTR, _ATTR_TO = 2000, 2002


@dataclass(frozen=True, slots=True)
class Step:
    """One index of a path, and the type of what it leads to. `name` is that of a record's field."""

    index: Code
    type: Type
    name: str | None


def attr(checker: Checker, node: dict[str, Any], scope: Scope, where: str) -> Code:
    """{"attr": ..., "path": [...]}."""
    base = _base(checker, node, scope, where)
    return getter(base, read_path(checker, node, base.type, scope, where), _ATTR)


def attr_to(checker: Checker, node: dict[str, Any], scope: Scope, where: str) -> Code:
    """{"attr": ..., "path": [...], "to": ...}: the value with one part replaced."""
    base = _base(checker, node, scope, where)
    steps = read_path(checker, node, base.type, scope, where)
    new = replacement(checker, node["to"], last(steps, base.type), scope, f"{where}.to")
    indexes = tuple(step.index.run for step in steps)

    def run(frame: Frame) -> Any:
        path = [index(frame) for index in indexes]
        return replaced(base.run(frame), path, new(frame), _ATTR_TO)

    return Code(base.type, run, lambda batch: batch.run_each(run, base.type))


def _base(checker: Checker, node: dict[str, Any], scope: Scope, where: str) -> Code:
    known = node["attr"]
    if isinstance(known, Code):
        return known
    code = checker.expression(known, scope.argument(), f"{where}.attr")
    if not isinstance(code.type, Array | Map | Record):
        raise InvalidModel(f"{where}.attr: {code.type} has no parts")
    if node["path"] == []:
        raise InvalidModel(f"{where}.path: a path has at least one index")
    return code


def refuse_columns(_batch: Batch) -> Any:
    """Say that this is done row by row."""
    raise ByRows


def read_path(
    checker: Checker, node: dict[str, Any], kind: Type, scope: Scope, where: str
) -> tuple[Step, ...]:
    """Return the steps of a form's path into a value of a type. Raises InvalidModel."""
    steps = []
    path = node.get("path", [])
    if not isinstance(path, list):
        raise InvalidModel(f"{where}.path: a list of indexes is due")
    for number, each in enumerate(path):
        place = f"{where}.path.{number}"
        index = checker.expression(each, scope.argument(), place)
        name = None
        if isinstance(kind, Array):
            _check_index(index.type in WHOLE, index, "a whole number", place)
            kind = kind.items
        elif isinstance(kind, Map):
            _check_index(index.type == types.STRING, index, "a string", place)
            kind = kind.values
        elif isinstance(kind, Record):
            name = index.literal
            if name is None or name not in kind.fields:
                raise InvalidModel(f"{place}: {kind} has no field {name!r} to be named here")
            kind = kind.fields[name]
        else:
            raise InvalidModel(f"{place}: {kind} has no parts")
        steps.append(Step(index, kind, name))
    return tuple(steps)


def _check_index(holds: bool, index: Code, due: str, where: str) -> None:
    if not holds:
        raise InvalidModel(f"{where}: an index is {due} here, not {index.type}")


def getter(base: Code, steps: Sequence[Step], code: int) -> Code:
    """Return the code of what a path leads to; `code` is that of an index that is not there."""
    for step in steps:
        base = _reached(base, step, code)
    return base


def _reached(base: Code, step: Step, code: int) -> Code:
    """Return the code of one step into a value."""
    value, index = base.run, step.index.run
    get = getter_of(base.type, code)
    if step.name is not None:
        name = step.name
        return Code(
            step.type,
            lambda frame: value(frame)[name],
            lambda batch: _field(batch, base.columns(batch), name, step.type),
        )

    def columns(batch: Batch) -> Any:
        return _taken(batch, base.columns(batch), step.index.columns(batch), get, step.type)

    return Code(step.type, lambda frame: get(value(frame), index(frame)), columns)


def getter_of(kind: Type, code: int) -> Callable[[Any, Any], Any]:
    """Return what takes an item of an array or a map, with the faults of PFA."""

    def item(value: Any, index: Any) -> Any:
        if not 0 <= index < len(value):
            raise Fault("array index not found", code)
        return value[index]

    def entry(value: Any, key: Any) -> Any:
        if key not in value:
            raise Fault("map key not found", code + 1)
        return value[key]

    return item if isinstance(kind, Array) else entry


def _field(batch: Batch, value: Any, name: str, kind: Type) -> Any:
    if isinstance(value, Structs):
        return value.fields[name]
    if not is_column(value):
        return value[name]
    return batch.call_each(lambda record: record[name], [value], kind)


def _taken(batch: Batch, value: Any, index: Any, get: Callable[[Any, Any], Any], kind: Type) -> Any:
    """Take an item of each row's array or map."""
    if not is_column(value) and not is_column(index):
        try:
            return get(value, index)
        except Fault:
            batch.doubt(which=True)
            return None
    if is_numbers(value) and type(index) is int:
        if 0 <= index < value.shape[1]:
            return value[:, index]
        batch.doubt(which=True)
        return None
    if is_numbers(value) and is_numbers(index):
        inside = (index >= 0) & (index < value.shape[1])
        batch.doubt(~inside)
        return value[np.arange(batch.rows), np.where(inside, index, 0)]
    return batch.call_each(get, [value, index], kind)


def replacement(
    checker: Checker, node: Any, part: Type, scope: Scope, where: str
) -> Callable[[Frame], Callable[[Any], Any]]:
    """Return, for a frame, what makes the new part of the old one. Raises InvalidModel."""
    code = checker.argument(node, scope.argument(), where)
    if isinstance(code.type, Function):
        if not accepts(Function((part,), part), code.type):
            raise InvalidModel(f"{where}: {code.type} does not make a {part} of a {part}")
        return _called(code, part)
    if not accepts(part, code.type):
        raise InvalidModel(f"{where}: {code.type} stands where {part} is due")
    fixed = coerced(code, part).run

    def constant(frame: Frame) -> Callable[[Any], Any]:
        value = fixed(frame)
        return lambda _old: value

    return constant


def last(steps: Sequence[Step], kind: Type) -> Type:
    """Return the type of what a path leads to."""
    return steps[-1].type if steps else kind


def _called(code: Code, part: Type) -> Runner:
    assert isinstance(code.type, Function)
    (param,), result = code.type.params, code.type.result
    given = coerced(Code(part, lambda frame: frame[0], refuse_columns), param).run
    made = coerced(Code(result, lambda frame: frame[0], refuse_columns), part).run

    def bind(frame: Frame) -> Callable[[Any], Any]:
        function = code.run(frame)
        return lambda old: made([function(given([old]))])

    return bind


def replaced(value: Any, path: list[Any], new: Callable[[Any], Any], code: int) -> Any:
    """Return a value with one part made anew. Raises Fault with the code, or the next for maps."""
    if not path:
        return new(value)
    head, rest = path[0], path[1:]
    if isinstance(value, list):
        if head < 0 or (rest and head >= len(value)):
            raise Fault("array index not found", code)
        if head >= len(value):
            raise Fault("array index not found", code)
        return [*value[:head], replaced(value[head], rest, new, code), *value[head + 1 :]]
    if head not in value:
        raise Fault("map key not found", code + 1)
    changed = {**value, head: replaced(value[head], rest, new, code)}
    return value.replaced(**changed) if hasattr(value, "replaced") else changed
