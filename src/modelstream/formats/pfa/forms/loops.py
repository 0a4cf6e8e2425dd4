"""Forms that repeat: while, until, for, foreach, forkey. Each turn is a step of the record's run."""

from typing import Any

from modelstream.errors import InvalidModel
from modelstream.formats.pfa import types
from modelstream.formats.pfa.check import Checker
from modelstream.formats.pfa.code import Code, Frame
from modelstream.formats.pfa.columns import Batch, ByRows, is_column
from modelstream.formats.pfa.faults import Run, Stopped
from modelstream.formats.pfa.forms.branches import predicate
from modelstream.formats.pfa.forms.literals import assignments, let
from modelstream.formats.pfa.scope import Scope
from modelstream.formats.pfa.stacking import items_of
from modelstream.formats.pfa.types import Array, Map


def while_(checker: Checker, node: dict[str, Any], scope: Scope, where: str) -> Code:
    """{"while": ..., "do": ...}."""
    inside = scope.inner()
    test = predicate(checker, node["while"], inside, f"{where}.while")
    body = checker.block(node["do"], inside, f"{where}.do")
    return _looped(test, body)


def until(checker: Checker, node: dict[str, Any], scope: Scope, where: str) -> Code:
    """{"do": ..., "until": ...}."""
    inside = scope.inner()
    body = checker.block(node["do"], inside, f"{where}.do")
    test = predicate(checker, node["until"], inside, f"{where}.until")

    def run(frame: Frame) -> None:
        while True:
            frame[0].step()
            body.run(frame)
            if test.run(frame):
                return

    def columns(batch: Batch) -> None:
        going = Run()
        while _counted(batch, going):
            body.columns(batch)
            done = test.columns(batch)
            if is_column(done):
                batch = batch.narrowed(~done)
            elif done:
                return

    return Code(types.NULL, run, columns)


def for_(checker: Checker, node: dict[str, Any], scope: Scope, where: str) -> Code:
    """{"for": {...}, "while": ..., "step": {...}, "do": ...}."""
    inside = scope.inner()
    begin = let(checker, {"let": node["for"]}, inside, f"{where}.for")
    test = predicate(checker, node["while"], inside, f"{where}.while")
    steps = assignments(checker, node["step"], inside, f"{where}.step")
    body = checker.block(node["do"], inside.inner(), f"{where}.do")

    def turn(frame: Frame) -> None:
        body.run(frame)
        for slot, value in [(slot, code.run(frame)) for slot, code in steps]:
            frame[slot] = value

    def turn_all(batch: Batch) -> None:
        body.columns(batch)
        for slot, value in [(slot, code.columns(batch)) for slot, code in steps]:
            batch.assign(slot, value)

    loop = _looped(test, Code(types.NULL, turn, turn_all))

    def run(frame: Frame) -> None:
        begin.run(frame)
        loop.run(frame)

    def columns(batch: Batch) -> None:
        begin.columns(batch)
        loop.columns(batch)

    return Code(types.NULL, run, columns)


def _looped(test: Code, body: Code) -> Code:
    test_run, body_run = test.run, body.run

    def run(frame: Frame) -> None:
        step = frame[0].step
        while test_run(frame):
            step()
            body_run(frame)

    def columns(batch: Batch) -> None:
        going = Run()
        while _counted(batch, going):
            goes_on = test.columns(batch)
            if is_column(goes_on):
                batch = batch.narrowed(goes_on)
                if batch.is_dead():
                    return
            elif not goes_on:
                return
            body.columns(batch)

    return Code(types.NULL, run, columns)


def _counted(batch: Batch, going: Run) -> bool:
    """Count a turn; tell whether any row is left to take it."""
    try:
        going.step()
    except Stopped:
        batch.doubt(which=True)
        return False
    return not batch.is_dead()


def foreach(checker: Checker, node: dict[str, Any], scope: Scope, where: str) -> Code:
    """{"foreach": ..., "in": ..., "do": ..., "seq": ...}."""
    in_order = node.get("seq", True)
    if not isinstance(in_order, bool):
        raise InvalidModel(f"{where}.seq: true or false is due")
    array = checker.expression(node["in"], scope.argument(), f"{where}.in")
    if not isinstance(array.type, Array):
        raise InvalidModel(f"{where}.in: an array is due, not {array.type}")
    inside = scope.inner() if in_order else scope.sealed()
    slot = inside.declare_new(node["foreach"], array.type.items, where).slot
    body = checker.block(node["do"], inside.inner(), f"{where}.do")

    def run(frame: Frame) -> None:
        step = frame[0].step
        for item in array.run(frame):
            step()
            frame[slot] = item
            body.run(frame)

    def columns(batch: Batch) -> None:
        items = items_of(array.columns(batch))
        if items is None:
            raise ByRows
        going = Run()
        for item in items:
            if not _counted(batch, going):
                return
            batch.slots[slot] = item
            body.columns(batch)

    return Code(types.NULL, run, columns)


def forkey(checker: Checker, node: dict[str, Any], scope: Scope, where: str) -> Code:
    """{"forkey": ..., "forval": ..., "in": ..., "do": ...}."""
    mapping = checker.expression(node["in"], scope.argument(), f"{where}.in")
    if not isinstance(mapping.type, Map):
        raise InvalidModel(f"{where}.in: a map is due, not {mapping.type}")
    inside = scope.inner()
    key = inside.declare_new(node["forkey"], types.STRING, where).slot
    value = inside.declare_new(node["forval"], mapping.type.values, where).slot
    body = checker.block(node["do"], inside.inner(), f"{where}.do")

    def run(frame: Frame) -> None:
        step = frame[0].step
        for name, item in mapping.run(frame).items():
            step()
            frame[key], frame[value] = name, item
            body.run(frame)

    def columns(batch: Batch) -> None:
        items = mapping.columns(batch)
        if is_column(items):
            raise ByRows
        going = Run()
        for name, item in items.items():
            if not _counted(batch, going):
                return
            batch.slots[key], batch.slots[value] = name, item
            body.columns(batch)

    return Code(types.NULL, run, columns)
