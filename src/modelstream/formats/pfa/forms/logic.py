"""Logic that may leave its second argument alone (PFA 0.8.1, &&, ||, &&& and |||)."""

from collections.abc import Callable
from typing import Any

from modelstream.formats.pfa import types
from modelstream.formats.pfa.code import Code, Frame
from modelstream.formats.pfa.columns import Batch, is_column


def _and(left: Code, right: Code) -> Code:
    one, two = left.run, right.run

    def columns(batch: Batch) -> Any:
        first = left.columns(batch)
        if not is_column(first):
            return right.columns(batch) if first else False
        inner = batch.narrowed(first)
        return first if inner.is_dead() else first & right.columns(inner)

    return Code(types.BOOLEAN, lambda frame: one(frame) and two(frame), columns)


def _or(left: Code, right: Code) -> Code:
    one, two = left.run, right.run

    def columns(batch: Batch) -> Any:
        first = left.columns(batch)
        if not is_column(first):
            return True if first else right.columns(batch)
        inner = batch.narrowed(~first)
        return first if inner.is_dead() else first | right.columns(inner)

    return Code(types.BOOLEAN, lambda frame: one(frame) or two(frame), columns)


def _kleene(decisive: bool) -> Callable[[Code, Code], Code]:
    """Return the three-valued function that one value decides (PFA 0.8.1, &&& and |||)."""
    kind = types.Union((types.BOOLEAN, types.NULL))

    def make(left: Code, right: Code) -> Code:
        def run(frame: Frame) -> Any:
            one = left.run(frame)
            if one is decisive:
                return decisive
            two = right.run(frame)
            if two is decisive:
                return decisive
            return None if one is None or two is None else not decisive

        return Code(kind, run, lambda batch: batch.run_each(run, kind))

    return make


LAZY: dict[str, Callable[[Code, Code], Code]] = {
    "&&": _and,
    "||": _or,
    "&&&": _kleene(decisive=False),
    "|||": _kleene(decisive=True),
}
