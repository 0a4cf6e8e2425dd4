"""Forms that call: functions of the library and of the document, written in place, or referred to."""

from collections.abc import Callable, Sequence
from typing import Any

from modelstream.errors import InvalidModel, UnsupportedModel
from modelstream.formats.pfa import types
from modelstream.formats.pfa.check import Checker
from modelstream.formats.pfa.code import Code, Columns, Frame, Runner, coerced, coerced_value
from modelstream.formats.pfa.columns import Batch, ByRows, is_column
from modelstream.formats.pfa.faults import Fault
from modelstream.formats.pfa.forms.logic import LAZY
from modelstream.formats.pfa.library import Call, ColumnRule, Rule
from modelstream.formats.pfa.scope import Scope, UserFunction
from modelstream.formats.pfa.types import Enum, Function, Type, accepts
from modelstream.formats.pfa.values import coercion

_RANDOM = frozenset({"a.shuffle", "model.cluster.randomSeeds"})


def call(checker: Checker, node: dict[str, Any], scope: Scope, where: str) -> Code:
    """{"name": [...]}: a function of the library or, with u., of the document."""
    name = next(key for key in node if key != "@")
    given = node[name]
    nodes = given if isinstance(given, list) else [given]
    place = f"{where}.{name}"
    inside = scope.argument()
    arguments = [
        checker.argument(each, inside, f"{place}.{index}") for index, each in enumerate(nodes)
    ]
    if name == "emit":
        return _emit(checker, arguments, place)
    if name.startswith("u."):
        return _calluser_function(checker, user_function(checker, name, place), arguments, place)
    return call_library(checker, name, arguments, place)


def call_library(checker: Checker, name: str, arguments: Sequence[Code], where: str) -> Code:
    """Return the code of a call of a function of the library. Raises InvalidModel."""
    function = checker.library.find(name)
    if function is None:
        raise unknown_function(name, where)
    found = checker.library.fit(name, [each.type for each in arguments])
    if found is None:
        given = ", ".join(str(each.type) for each in arguments)
        raise InvalidModel(f"{where}: {name} does not take ({given})")
    checker.called.add(name)
    codes = tuple(map(fitted, arguments, found.params))
    if name in LAZY:
        return LAZY[name](*codes)
    this = Call(found.params, found.result, checker.orders, codes)
    try:
        rule = function.make(this)
    except UnsupportedModel as error:
        raise UnsupportedModel(f"{where}: {error}") from error
    by_columns = None if function.columns is None else function.columns(this)
    run = _runner(rule, codes)
    columns = _by_columns(codes, rule, by_columns, run, found.result)
    return Code(found.result, run, columns, call=(name, codes))


def _by_columns(
    codes: tuple[Code, ...],
    rule: Rule,
    by_columns: ColumnRule | None,
    run: Runner,
    kind: Type,
) -> Columns:
    """Return what calls a function for all rows: at once, or else row by row."""
    takes_functions = any(isinstance(each.type, Function) for each in codes)

    def columns(batch: Batch) -> Any:
        values = [code.columns(batch) for code in codes]
        if not takes_functions and not any(map(is_column, values)):
            try:
                return rule(*values)
            except Fault:
                batch.doubt(which=True)
                return None
        answer = NotImplemented if by_columns is None else by_columns(batch, *values)
        if answer is not NotImplemented:
            return answer
        if takes_functions:
            return batch.run_each(run, kind)
        return batch.call_each(rule, values, kind)

    return columns


def unknown_function(name: str, where: str) -> InvalidModel:
    """Return the error for a function that is not in the library."""
    if name.startswith("rand.") or name in _RANDOM:
        return UnsupportedModel(
            f"{where}: {name} is random, and a score has to be the same when it is replayed"
        )
    return UnsupportedModel(f"{where}: function {name!r} is not evaluated")


def _runner(rule: Callable[..., Any], codes: tuple[Code, ...]) -> Callable[[Frame], Any]:
    runs = tuple(code.run for code in codes)
    if len(runs) == 1:
        (one,) = runs
        return lambda frame: rule(one(frame))
    if len(runs) == 2:
        first, second = runs
        return lambda frame: rule(first(frame), second(frame))
    if len(runs) == 3:
        first, second, third = runs
        return lambda frame: rule(first(frame), second(frame), third(frame))
    return lambda frame: rule(*[run(frame) for run in runs])


def fitted(code: Code, kind: Type) -> Code:
    """Return the code of an argument as one of the type that the function takes."""
    if not isinstance(kind, Function) or not isinstance(code.type, Function):
        return coerced(code, kind)
    takes = [coercion(wide, own) for wide, own in zip(kind.params, code.type.params, strict=True)]
    gives = coercion(code.type.result, kind.result)
    if gives is None and not any(takes):
        return code
    own = code.type

    def adapted(function: Callable[..., Any]) -> Callable[..., Any]:
        def called(*values: Any) -> Any:
            made = function(
                *[
                    value if take is None else take(value)
                    for take, value in zip(takes, values, strict=True)
                ]
            )
            return made if gives is None else gives(made)

        return called

    def adapted_columns(function: Callable[..., Any]) -> Callable[..., Any]:
        def called(*values: Any) -> Any:
            made = function(
                *[
                    value if take is None else coerced_value(take, value, wide)
                    for take, value, wide in zip(takes, values, own.params, strict=True)
                ]
            )
            return made if gives is None else coerced_value(gives, made, kind.result)

        return called

    return Code(
        kind,
        lambda frame: adapted(code.run(frame)),
        lambda batch: adapted_columns(code.columns(batch)),
    )


def user_function(checker: Checker, name: str, where: str) -> UserFunction:
    """Return a function of the document, and note that it is called. Raises InvalidModel."""
    found = checker.functions.get(name)
    if found is None:
        raise InvalidModel(f"{where}: the document has no function {name!r}")
    checker.use.calls.add(name)
    return found


def _calluser_function(
    _checker: Checker, function: UserFunction, arguments: Sequence[Code], where: str
) -> Code:
    codes = _user_arguments(function, arguments, where)
    invoke, invoke_columns = user_callers(function)
    runs = tuple(code.run for code in codes)

    def run(frame: Frame) -> Any:
        return invoke(frame[0], *[one(frame) for one in runs])

    def columns(batch: Batch) -> Any:
        return invoke_columns(batch, *[code.columns(batch) for code in codes])

    return Code(function.result, run, columns)


def _user_arguments(
    function: UserFunction, arguments: Sequence[Code], where: str
) -> tuple[Code, ...]:
    params = [kind for _, kind in function.params]
    given = [each.type for each in arguments]
    if len(params) != len(given) or not all(map(accepts, params, given)):
        raise InvalidModel(
            f"{where}: {function.name} takes ({', '.join(map(str, params))}), "
            f"not ({', '.join(map(str, given))})"
        )
    return tuple(map(coerced, arguments, params))


def user_callers(function: UserFunction) -> tuple[Callable[..., Any], Callable[..., Any]]:
    """Return what calls a function of the document: with a run, and with a batch."""

    def invoke(run: Any, *values: Any) -> Any:
        assert function.code is not None
        run.step()
        frame: Frame = [None] * function.layout.size
        frame[0] = run
        frame[1 : 1 + len(values)] = values
        return function.code.run(frame)

    def invoke_columns(batch: Batch, *values: Any) -> Any:
        assert function.code is not None
        if batch.is_dead():
            return None
        slots: list[Any] = [None] * function.layout.size
        slots[1 : 1 + len(values)] = values
        return function.code.columns(batch.calling(slots))

    return invoke, invoke_columns


def call_any(checker: Checker, node: dict[str, Any], scope: Scope, where: str) -> Code:
    """{"call": ..., "args": [...]}: the function of the document that an enum names."""
    name = checker.expression(node["call"], scope.argument(), f"{where}.call")
    if not isinstance(name.type, Enum) or not isinstance(node["args"], list):
        raise InvalidModel(f"{where}: the function called is named by an enum, with a list 'args'")
    codes = [
        checker.expression(each, scope.argument(), f"{where}.args.{index}")
        for index, each in enumerate(node["args"])
    ]
    functions = {
        symbol: user_function(checker, f"u.{symbol}", f"{where}.call")
        for symbol in name.type.symbols
    }
    try:
        kind = types.broadest(each.result for each in functions.values())
    except types.Incompatible as error:
        raise UnsupportedModel(f"{where}: {error}") from error
    calls = {
        symbol: coerced(_calluser_function(checker, each, codes, where), kind)
        for symbol, each in functions.items()
    }

    def run(frame: Frame) -> Any:
        return calls[name.run(frame)].run(frame)

    def columns(batch: Batch) -> Any:
        chosen = name.columns(batch)
        if is_column(chosen):
            return batch.run_each(run, kind)
        return calls[chosen].columns(batch)

    return Code(kind, run, columns)


def _emit(checker: Checker, arguments: Sequence[Code], where: str) -> Code:
    kind = emitted(checker, where)
    if len(arguments) != 1 or not accepts(kind, arguments[0].type):
        raise InvalidModel(f"{where}: emit takes one {kind}")
    checker.use.emitted += 1
    value = coerced(arguments[0], kind)

    def run(frame: Frame) -> None:
        frame[0].emitted.append(value.run(frame))

    return Code(types.NULL, run, refuse, call=("emit", (value,)))


def emitted(checker: Checker, where: str) -> Type:
    """Return the type of what may be emitted. Raises InvalidModel where nothing may."""
    if checker.emits is None:
        raise InvalidModel(f"{where}: only an engine with method 'emit' can emit")
    return checker.emits


def refuse(_batch: Batch) -> Any:
    """Say that this is done row by row."""
    raise ByRows
