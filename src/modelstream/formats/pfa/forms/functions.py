"""Forms that are functions: written in place, or referred to by name, with arguments filled in."""

from collections.abc import Callable
from functools import partial
from typing import Any

from modelstream.errors import InvalidModel
from modelstream.formats.pfa import types
from modelstream.formats.pfa.check import Checker
from modelstream.formats.pfa.code import Code, Frame, Lambda, coerced
from modelstream.formats.pfa.columns import Batch
from modelstream.formats.pfa.fitting import fixed_types
from modelstream.formats.pfa.forms.calls import (
    call_library,
    emitted,
    fitted,
    refuse,
    unknown_function,
    user_callers,
    user_function,
)
from modelstream.formats.pfa.forms.literals import entries
from modelstream.formats.pfa.scope import Scope, check_name
from modelstream.formats.pfa.types import Function, Type, accepts


def define(checker: Checker, node: dict[str, Any], scope: Scope, where: str) -> Code:
    """{"params": [...], "ret": ..., "do": ...}: a function written in place."""
    params = read_params(checker, node["params"], where)
    result = checker.type(node["ret"], f"{where}.ret")
    inside = scope.sealed()
    slots = tuple(inside.declare(name, kind).slot for name, kind in params)
    code = read_body(checker, node["do"], inside, result, where)
    body = code.run

    def bind(frame: Frame) -> Callable[..., Any]:
        if len(slots) == 1:
            (slot,) = slots

            def call_one(value: Any) -> Any:
                frame[slot] = value
                return body(frame)

            return call_one

        def call_all(*values: Any) -> Any:
            for slot, value in zip(slots, values, strict=True):
                frame[slot] = value
            return body(frame)

        return call_all

    def bind_columns(batch: Batch) -> Callable[..., Any]:
        def call_all(*values: Any) -> Any:
            for slot, value in zip(slots, values, strict=True):
                batch.slots[slot] = value
            return code.columns(batch)

        return call_all

    kind = Function(tuple(kind for _, kind in params), result)
    return Code(kind, bind, bind_columns, body=Lambda(slots, code))


def read_params(checker: Checker, node: Any, where: str) -> tuple[tuple[str, Type], ...]:
    """Return the names and types of a function's parameters. Raises InvalidModel."""
    params = []
    for index, each in enumerate(node if isinstance(node, list) else [None]):
        names = [key for key in each if key != "@"] if isinstance(each, dict) else []
        if len(names) != 1:
            raise InvalidModel(f"{where}.params: a list of objects with one name and type is due")
        check_name(names[0], where)
        place = f"{where}.params.{index}.{names[0]}"
        params.append((names[0], checker.type(each[names[0]], place)))
    if len({name for name, _ in params}) < len(params):
        raise InvalidModel(f"{where}.params: a name stands twice")
    return tuple(params)


def read_body(checker: Checker, node: Any, scope: Scope, result: Type, where: str) -> Code:
    """Return the code of what a function does. Raises InvalidModel."""
    code = checker.block(node, scope, f"{where}.do")
    if code.type is not types.NOTHING and not accepts(result, code.type):
        raise InvalidModel(f"{where}: the function gives {code.type} where {result} is declared")
    return coerced(code, result)


def reference(checker: Checker, node: dict[str, Any], scope: Scope, where: str) -> Code:
    """{"fcn": "name"}."""
    del scope
    name, _, params, result, run, columns = _referred(checker, node["fcn"], where)
    kind = Function(params, result)
    return Code(kind, run, columns, call=(name, ()))


def filled(checker: Checker, node: dict[str, Any], scope: Scope, where: str) -> Code:
    """{"fcn": "name", "fill": {...}}: a function with some of its arguments given."""
    _, names, params, result, run, columns = _referred(checker, node["fcn"], where)
    given: dict[int, Code] = {}
    for name, each in entries(node["fill"], f"{where}.fill"):
        place = f"{where}.fill.{name}"
        code = checker.argument(each, scope.argument(), place)
        at = names.index(name) if name in names else -1
        if at < 0 or not accepts(params[at], code.type):
            raise InvalidModel(f"{place}: {node['fcn']} takes no such argument")
        given[at] = fitted(code, params[at])
    open_ = [at for at in range(len(params)) if at not in given]

    def completed(function: Callable[..., Any], known: dict[int, Any]) -> Callable[..., Any]:
        def called(*values: Any) -> Any:
            all_ = {**known, **dict(zip(open_, values, strict=True))}
            return function(*[all_[at] for at in range(len(params))])

        return called

    return Code(
        Function(tuple(params[at] for at in open_), result),
        lambda frame: completed(run(frame), {at: c.run(frame) for at, c in given.items()}),
        lambda batch: completed(columns(batch), {at: c.columns(batch) for at, c in given.items()}),
    )


def _referred(
    checker: Checker, name: Any, where: str
) -> tuple[str, tuple[str, ...], tuple[Type, ...], Type, Callable[..., Any], Callable[..., Any]]:
    """Return a function's name, its parameters' names and types, its result, and what binds it."""
    if name == "emit":
        kind = emitted(checker, where)
        checker.use.emits_freely = True
        return name, ("x",), (kind,), types.NULL, _bind_emit, refuse
    if isinstance(name, str) and name.startswith("u."):
        function = user_function(checker, name, where)
        invoke, invoke_columns = user_callers(function)
        return (
            name,
            tuple(each for each, _ in function.params),
            tuple(kind for _, kind in function.params),
            function.result,
            lambda frame: lambda *values: invoke(frame[0], *values),
            lambda batch: partial(invoke_columns, batch),
        )
    if not isinstance(name, str) or name not in checker.library:
        raise unknown_function(str(name), where)
    signatures = checker.library.signatures(name)
    fixed = fixed_types(signatures[0]) if len(signatures) == 1 else None
    if fixed is None:
        raise InvalidModel(
            f"{where}: {name} takes more than one type; wrap it in a function of the one wanted"
        )
    params, result = fixed
    slots = [Code(kind, _parameter(at), _column_parameter(at)) for at, kind in enumerate(params)]
    code = call_library(checker, name, slots, where)
    return (
        name,
        signatures[0].names,
        params,
        result,
        lambda _frame: lambda *values: code.run(list(values)),
        lambda batch: lambda *values: code.columns(batch.calling(list(values))),
    )


def _bind_emit(frame: Frame) -> Callable[[Any], None]:
    emit: Callable[[Any], None] = frame[0].emitted.append
    return emit


def _parameter(at: int) -> Callable[[Frame], Any]:
    return lambda frame: frame[at]


def _column_parameter(at: int) -> Callable[[Batch], Any]:
    return lambda batch: batch.slots[at]
