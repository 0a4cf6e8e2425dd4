"""Forms that take one branch or another: if, cond, ifnotnull, cast, upcast, try, error."""

from typing import Any

import numpy as np

from modelstream.errors import InvalidModel, UnsupportedModel
from modelstream.formats.pfa import types
from modelstream.formats.pfa.check import Checker
from modelstream.formats.pfa.code import Code, Frame, coerced, constant
from modelstream.formats.pfa.columns import Batch, choose, column_of, is_column, is_numbers
from modelstream.formats.pfa.forms.literals import entries
from modelstream.formats.pfa.scope import Scope, check_name
from modelstream.formats.pfa.types import Type, members


def if_(checker: Checker, node: dict[str, Any], scope: Scope, where: str) -> Code:
    """{"if": ..., "then": ..., "else": ...}."""
    test = predicate(checker, node["if"], scope, f"{where}.if")
    then = checker.block(node["then"], scope.inner(), f"{where}.then")
    if "else" not in node:
        return _branch(test, nothing(then), constant(types.NULL, None), types.NULL)
    other = checker.block(node["else"], scope.inner(), f"{where}.else")
    return _branch(test, then, other, common([then, other], where))


def cond(checker: Checker, node: dict[str, Any], scope: Scope, where: str) -> Code:
    """{"cond": [...], "else": ...}."""
    tests, thens = [], []
    if not isinstance(node["cond"], list) or not node["cond"]:
        raise InvalidModel(f"{where}.cond: a list of 'if' and 'then' is due")
    for index, each in enumerate(node["cond"]):
        place = f"{where}.cond.{index}"
        if not isinstance(each, dict) or frozenset(each) - {"@"} != {"if", "then"}:
            raise InvalidModel(f"{place}: an 'if' with a 'then' and no 'else' is due")
        tests.append(predicate(checker, each["if"], scope, f"{place}.if"))
        thens.append(checker.block(each["then"], scope.inner(), f"{place}.then"))
    if "else" in node:
        last = checker.block(node["else"], scope.inner(), f"{where}.else")
        kind = common([*thens, last], where)
    else:
        last, kind = constant(types.NULL, None), types.NULL
        thens = [nothing(then) for then in thens]
    for test, then in zip(reversed(tests), reversed(thens), strict=True):
        last = _branch(test, then, last, kind)
    return last


def predicate(checker: Checker, node: Any, scope: Scope, where: str) -> Code:
    """Return the code of a condition. Raises InvalidModel."""
    code = checker.expression(node, scope.argument(), where)
    if code.type != types.BOOLEAN:
        raise InvalidModel(f"{where}: a condition is boolean, not {code.type}")
    return code


def nothing(code: Code) -> Code:
    """Return the same code without its value."""

    def run(frame: Frame) -> None:
        code.run(frame)

    def columns(batch: Batch) -> None:
        code.columns(batch)

    return Code(types.NULL, run, columns)


def common(codes: list[Code], where: str) -> Type:
    """Return the type of what one of several branches gives. Raises UnsupportedModel."""
    try:
        return types.broadest(code.type for code in codes)
    except types.Incompatible as error:
        raise UnsupportedModel(f"{where}: {error}") from error


def _branch(test: Code, then: Code, other: Code, kind: Type) -> Code:
    then, other = coerced(then, kind), coerced(other, kind)
    test_run, then_run, other_run = test.run, then.run, other.run

    def columns(batch: Batch) -> Any:
        taken = test.columns(batch)
        if not is_column(taken):
            return then.columns(batch) if taken else other.columns(batch)
        return _both(batch, taken, then, other)

    return Code(
        kind, lambda frame: then_run(frame) if test_run(frame) else other_run(frame), columns
    )


def _both(batch: Batch, taken: Any, then: Code, other: Code) -> Any:
    """Take both branches, each for its rows."""
    yes, no = batch.narrowed(taken), batch.narrowed(~taken)
    if yes.is_dead():
        return other.columns(no)
    if no.is_dead():
        return then.columns(yes)
    one, two = then.columns(yes), other.columns(no)
    if then.type is types.NOTHING or other.type is types.NOTHING:
        return two if then.type is types.NOTHING else one
    return choose(taken, one, two, batch.rows)


def ifnotnull(checker: Checker, node: dict[str, Any], scope: Scope, where: str) -> Code:
    """{"ifnotnull": {...}, "then": ..., "else": ...}."""
    inside = scope.inner()
    named: list[tuple[int, Code, Type]] = []
    for name, each in entries(node["ifnotnull"], f"{where}.ifnotnull"):
        check_name(name, where)
        code = checker.expression(each, scope.argument(), f"{where}.ifnotnull.{name}")
        known = [kind for kind in members(code.type) if kind != types.NULL]
        if not known or len(known) == len(members(code.type)):
            raise InvalidModel(f"{where}.ifnotnull.{name}: {code.type} is never null")
        kind = types.union(known)
        named.append((inside.declare(name, kind).slot, code, kind))
    then = checker.block(node["then"], inside.inner(), f"{where}.then")
    if "else" in node:
        other = checker.block(node["else"], scope.inner(), f"{where}.else")
        result = common([then, other], where)
    else:
        then, other, result = nothing(then), constant(types.NULL, None), types.NULL
    return _known_or_not(tuple(named), coerced(then, result), coerced(other, result), result)


def _known_or_not(
    named: tuple[tuple[int, Code, Type], ...], then: Code, other: Code, kind: Type
) -> Code:
    runs = tuple((slot, code.run) for slot, code, _ in named)

    def run(frame: Frame) -> Any:
        values = [one(frame) for _, one in runs]
        if any(value is None for value in values):
            return other.run(frame)
        for (slot, _), value in zip(runs, values, strict=True):
            frame[slot] = value
        return then.run(frame)

    def columns(batch: Batch) -> Any:
        taken: Any = True
        values = []
        for slot, code, one in named:
            known, value = _split(batch, code.columns(batch), one)
            taken = taken & known
            values.append((slot, value))
        for slot, value in values:
            batch.slots[slot] = value
        if not is_column(taken):
            return then.columns(batch) if taken else other.columns(batch)
        return _both(batch, taken, then, other)

    return Code(kind, run, columns)


def _split(_batch: Batch, value: Any, kind: Type) -> tuple[Any, Any]:
    """Return which rows have a value, and the column of the values."""
    if not is_column(value):
        return value is not None, value
    if is_numbers(value) or not isinstance(value, np.ndarray):
        return True, value
    listed = value.tolist()
    known = np.array([each is not None for each in listed], dtype=np.bool_)
    return known, column_of(listed, kind)
