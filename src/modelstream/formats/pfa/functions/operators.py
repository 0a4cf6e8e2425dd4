"""Arithmetic, logic and bits (PFA 0.8.1, core library)."""

import math
from collections.abc import Callable
from typing import Any

import numpy as np

from modelstream.formats.pfa.columns import Batch, is_numbers
from modelstream.formats.pfa.faults import Fault
from modelstream.formats.pfa.functions.numbers import (
    are_numbers,
    dense,
    doubt_out_of_range,
    elementwise,
    in_range,
)
from modelstream.formats.pfa.library import Call, ColumnRule, LibraryFunction, Rule, plain
from modelstream.formats.pfa.types import WHOLE

_SAME = "(x: number A, y: A) -> A"


def _arithmetic(name: str, code: int, function: Callable[[Any, Any], Any]) -> LibraryFunction:
    """Return a function of two numbers of one type, checked for overflow."""

    def make(call: Call) -> Rule:
        check = in_range(call.result, code)
        if call.result in WHOLE:
            return lambda x, y: check(function(x, y))
        return function

    def columns(call: Call) -> ColumnRule:
        kind = call.result

        def rule(batch: Batch, x: Any, y: Any) -> Any:
            if not are_numbers(x, y):
                return NotImplemented
            value = function(x, y)
            if kind in WHOLE:
                rough = function(np.asarray(x, np.float64), np.asarray(y, np.float64))
                doubt_out_of_range(batch, kind, value, rough)
            return value

        return rule

    return LibraryFunction(name, (_SAME,), make, columns)


def divide(x: Any, y: Any) -> float:
    """Divide as IEEE 754 does: by zero, too."""
    return float(np.divide(x, y))


def _floor_divide(call: Call) -> Rule:
    del call

    def rule(x: int, y: int) -> int:
        if y == 0:
            raise Fault("integer division by zero", 18040)
        whole = abs(x) // abs(y)
        return whole if (x < 0) == (y < 0) else -whole

    return rule


def _negative(call: Call) -> Rule:
    check = in_range(call.result, 18050)
    return lambda x: check(-x)


def _remainder(code: int, *, like_dividend: bool) -> Callable[[Call], Rule]:
    real: Callable[..., Any] = np.fmod if like_dividend else np.mod

    def make(call: Call) -> Rule:
        if call.result not in WHOLE:
            return lambda x, y: float(real(x, y))

        def whole(x: int, y: int) -> int:
            if y == 0:
                raise Fault("integer division by zero", code)
            return int(math.copysign(1, x)) * (abs(x) % abs(y)) if like_dividend else x % y

        return whole

    return make


def _remainder_columns(*, like_dividend: bool) -> Callable[[Call], ColumnRule]:
    real: Callable[..., Any] = np.fmod if like_dividend else np.mod

    def columns(call: Call) -> ColumnRule:
        if call.result not in WHOLE:
            return elementwise(real)

        def rule(batch: Batch, x: Any, y: Any) -> Any:
            if not are_numbers(x, y):
                return NotImplemented
            zero = np.equal(y, 0)
            batch.doubt(zero)
            return real(x, np.where(zero, 1, y))

        return rule

    return columns


def power(x: Any, y: Any) -> Any:
    """Raise doubles to a power as Java does: 1 to the power of what is no number is none."""
    x, y = np.asarray(x, np.float64), np.asarray(y, np.float64)
    raised = np.power(x, y)
    undefined = (np.isnan(y) | (np.isinf(y) & (np.abs(x) == 1.0))) & (y != 0.0)
    return np.where(undefined, np.nan, np.where((x == 0.0) & (y < 0.0), np.inf, raised))


def _power(call: Call) -> Rule:
    check = in_range(call.result, 18080)
    return lambda x, y: check(float(power(x, y)))


def _power_columns(call: Call) -> ColumnRule:
    def rule(_batch: Batch, x: Any, y: Any) -> Any:
        if call.result in WHOLE or not are_numbers(x, y):
            return NotImplemented
        return power(dense(x), dense(y))

    return rule


def _not_columns(_batch: Batch, x: Any) -> Any:
    return ~x if is_numbers(x) else NotImplemented


def _not_known(x: bool | None) -> bool | None:
    return None if x is None else not x


def _bits(name: str, function: Callable[..., Any], params: str = "x y") -> LibraryFunction:
    names = params.split()
    signatures = tuple(
        f"({', '.join(f'{each}: {kind}' for each in names)}) -> {kind}" for kind in ("int", "long")
    )
    return plain(name, *signatures, rule=function, columns=elementwise(function))


def _unused(call: Call) -> Rule:
    """Logic that may skip its second argument is compiled by `forms.calls`."""
    del call
    return lambda *values: values


_TRUTH = "boolean|null"
FUNCTIONS: tuple[LibraryFunction, ...] = (
    _arithmetic("+", 18000, lambda x, y: x + y),
    _arithmetic("-", 18010, lambda x, y: x - y),
    _arithmetic("*", 18020, lambda x, y: x * y),
    plain("/", "(x: double, y: double) -> double", rule=divide, columns=elementwise(np.divide)),
    LibraryFunction("//", ("(x: whole A, y: A) -> A",), _floor_divide),
    LibraryFunction("u-", ("(x: number A) -> A",), _negative),
    LibraryFunction(
        "%",
        ("(k: number A, n: A) -> A",),
        _remainder(18060, like_dividend=False),
        _remainder_columns(like_dividend=False),
    ),
    LibraryFunction(
        "%%",
        ("(k: number A, n: A) -> A",),
        _remainder(18070, like_dividend=True),
        _remainder_columns(like_dividend=True),
    ),
    LibraryFunction("**", (_SAME,), _power, _power_columns),
    LibraryFunction("&&", ("(x: boolean, y: boolean) -> boolean",), _unused),
    LibraryFunction("||", ("(x: boolean, y: boolean) -> boolean",), _unused),
    plain(
        "^^",
        "(x: boolean, y: boolean) -> boolean",
        rule=lambda x, y: x != y,
        columns=elementwise(np.not_equal),
    ),
    plain("!", "(x: boolean) -> boolean", rule=lambda x: not x, columns=_not_columns),
    LibraryFunction("&&&", (f"(x: {_TRUTH}, y: {_TRUTH}) -> {_TRUTH}",), _unused),
    LibraryFunction("|||", (f"(x: {_TRUTH}, y: {_TRUTH}) -> {_TRUTH}",), _unused),
    plain("!!!", f"(x: {_TRUTH}) -> {_TRUTH}", rule=_not_known),
    _bits("&", lambda x, y: x & y),
    _bits("|", lambda x, y: x | y),
    _bits("^", lambda x, y: x ^ y),
    _bits("~", lambda x: ~x, "x"),
)
