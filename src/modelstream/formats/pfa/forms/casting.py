"""Forms that ask what a value is, and what to do when there is none: cast, upcast, try, error."""

from typing import Any

import numpy as np

from modelstream.errors import InvalidModel, UnsupportedModel
from modelstream.formats.pfa import types
from modelstream.formats.pfa.check import Checker
from modelstream.formats.pfa.code import Code, Frame, coerced
from modelstream.formats.pfa.columns import Batch, ByRows, is_column
from modelstream.formats.pfa.data import INT_RANGE
from modelstream.formats.pfa.faults import Fault
from modelstream.formats.pfa.forms.branches import common, nothing
from modelstream.formats.pfa.scope import Scope, check_name
from modelstream.formats.pfa.types import Type, accepts, members
from modelstream.formats.pfa.values import is_of

# The letters that NumPy has for columns of some types; for others that are numbers it is f.
_LETTERS: dict[Type, str] = {types.BOOLEAN: "b", types.INT: "i", types.LONG: "i"}


def upcast(checker: Checker, node: dict[str, Any], scope: Scope, where: str) -> Code:
    """{"upcast": ..., "as": ...}."""
    code = checker.expression(node["upcast"], scope.argument(), f"{where}.upcast")
    kind = checker.type(node["as"], f"{where}.as")
    if not accepts(kind, code.type):
        raise InvalidModel(f"{where}: {code.type} cannot be made a {kind}")
    wider = coerced(code, kind)
    return Code(kind, wider.run, wider.columns)


def cast(checker: Checker, node: dict[str, Any], scope: Scope, where: str) -> Code:
    """{"cast": ..., "cases": [...], "partial": ...}."""
    before = checker.assignments
    code = checker.expression(node["cast"], scope.argument(), f"{where}.cast")
    partial = node.get("partial", False)
    if not isinstance(node["cases"], list) or not isinstance(partial, bool):
        raise InvalidModel(f"{where}.cases: a list of cases is due, and 'partial' is true or false")
    cases = [
        _case(checker, each, code.type, scope, f"{where}.cases.{index}")
        for index, each in enumerate(node["cases"])
    ]
    for kind in () if partial else members(code.type):
        if not any(case.kind == kind for case in cases):
            raise InvalidModel(f"{where}.cases: there is none for {kind}")
    if partial:
        return _cast(code, [case.silent() for case in cases], types.NULL, checker, before)
    return _cast(code, cases, common([case.then for case in cases], where), checker, before)


class _Case:
    """One case: its type, the variable for the value, and what to do with it."""

    __slots__ = ("kind", "slot", "then")

    def __init__(self, kind: Type, slot: int, then: Code) -> None:
        self.kind = kind
        self.slot = slot
        self.then = then

    def silent(self) -> "_Case":
        return _Case(self.kind, self.slot, nothing(self.then))


def _case(checker: Checker, node: Any, kind: Type, scope: Scope, where: str) -> _Case:
    if not isinstance(node, dict) or frozenset(node) - {"@"} != {"as", "named", "do"}:
        raise InvalidModel(f"{where}: a case has 'as', 'named' and 'do'")
    taken = checker.type(node["as"], f"{where}.as")
    if not accepts(kind, taken):
        raise InvalidModel(f"{where}: no value of {kind} can be a {taken}")
    if not any(accepts(taken, each) for each in members(kind)):
        raise UnsupportedModel(f"{where}: no value of {kind} is a {taken}")
    inside = scope.inner()
    check_name(node["named"], where)
    slot = inside.declare(node["named"], taken).slot
    return _Case(taken, slot, checker.block(node["do"], inside, f"{where}.do"))


def _cast(code: Code, cases: list[_Case], kind: Type, checker: Checker, before: int) -> Code:
    # For each type that the value may have: how it is told, and the first case that takes it.
    choices = []
    for member in members(code.type):
        for case in cases:
            if accepts(case.kind, member):
                then = coerced(case.then, kind)
                value = Code(member, lambda frame: frame[0], lambda batch: batch.slots[0])
                change = coerced(value, case.kind)
                choices.append((is_of(member), member, case.slot, then, change))
                break
    silent = checker.assignments == before

    def run(frame: Frame) -> Any:
        value = code.run(frame)
        for belongs, _, slot, then, change in choices:
            if belongs(value):
                frame[slot] = change.run([value])
                return then.run(frame)
        return None

    def columns(batch: Batch) -> Any:
        value = code.columns(batch)
        found = [each for each in choices if _all_are(value, each[1])]
        if len(found) == 1:
            _, _, slot, then, change = found[0]
            batch.slots[slot] = change.columns(batch.calling([value]))
            return then.columns(batch)
        if silent:
            return batch.run_each(run, kind)
        raise ByRows

    return Code(kind, run, columns)


def _all_are(value: Any, kind: Type) -> bool:
    """Tell whether it is seen at once that the values of all rows are of a type."""
    if isinstance(value, np.ndarray):
        letter = _LETTERS.get(kind, "f")
        scalar = kind in types.NUMBERS or kind == types.BOOLEAN
        return scalar and value.ndim == 1 and value.dtype.kind == letter
    return not is_column(value) and is_of(kind)(value)


def try_(checker: Checker, node: dict[str, Any], scope: Scope, where: str) -> Code:
    """{"try": [...], "filter": [...]}."""
    body = checker.block(node["try"], scope.argument(), f"{where}.try")
    caught = node.get("filter")
    if caught is not None and (
        not isinstance(caught, list)
        or not all(isinstance(each, str) or type(each) is int for each in caught)
    ):
        raise InvalidModel(f"{where}.filter: a list of messages and codes is due")
    kind = types.NULL if body.type is types.NOTHING else _or_null(body.type)

    def run(frame: Frame) -> Any:
        try:
            return body.run(frame)
        except Fault as fault:
            if caught is None or fault.message in caught or fault.code in caught:
                return None
            raise

    return Code(kind, run, lambda batch: batch.run_each(run, kind))


def _or_null(kind: Type) -> Type:
    return types.union([*members(kind), types.NULL])


def error(checker: Checker, node: dict[str, Any], scope: Scope, where: str) -> Code:
    """{"error": "...", "code": ...}."""
    del checker, scope
    message, code = node["error"], node.get("code")
    if not isinstance(message, str) or not (
        code is None or (type(code) is int and code in INT_RANGE)
    ):
        raise InvalidModel(f"{where}: an error has a text, and its code is an int")

    def run(_frame: Frame) -> Any:
        raise Fault(message, code)

    def columns(batch: Batch) -> None:
        batch.doubt(which=True)

    return Code(types.NOTHING, run, columns)
