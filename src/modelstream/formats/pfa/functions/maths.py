"""Mathematics of doubles (PFA 0.8.1, m.*, m.special.*, m.link.*, m.kernel.*)."""

import math
from collections.abc import Callable
from typing import Any

import numpy as np

from modelstream.formats.pfa.columns import Batch
from modelstream.formats.pfa.faults import Fault
from modelstream.formats.pfa.functions.numbers import (
    INT_MAX,
    are_numbers,
    elementwise,
    in_range,
    real,
)
from modelstream.formats.pfa.library import Call, ColumnRule, LibraryFunction, Rule, plain
from modelstream.formats.pfa.types import INT, WHOLE


def _log(x: float, base: int) -> float:
    if base <= 0:
        raise Fault("base must be positive", 27170)
    return float(np.divide(np.log(x), np.log(float(base))))


def _round(call: Call) -> Rule:
    check = in_range(call.result, 27190)
    return lambda x: check(np.floor(x + 0.5))


def _round_columns(call: Call) -> ColumnRule:
    largest = INT_MAX - 1.0 if call.result == INT else 2.0**63 - 2.0**12

    def rule(batch: Batch, x: Any) -> Any:
        if not are_numbers(x):
            return NotImplemented
        rounded = np.floor(x + 0.5)
        sure = np.abs(rounded) < largest
        batch.doubt(~sure)
        return np.where(sure, rounded, 0.0).astype(np.int64)

    return rule


def _abs(call: Call) -> Rule:
    check = in_range(call.result, 27020)
    return lambda x: check(abs(x))


def _abs_columns(call: Call) -> ColumnRule:
    def rule(_batch: Batch, x: Any) -> Any:
        if call.result in WHOLE or not are_numbers(x):
            return NotImplemented
        return np.abs(x)

    return rule


def _copysign(call: Call) -> Rule:
    check = in_range(call.result, 27080)
    return lambda mag, sign: check(-abs(mag) if sign < 0 else abs(mag))


def _signum(x: float) -> int:
    return (x > 0) - (x < 0)


def _choose(n: int, k: int) -> int:
    if n <= 0 or k < 0 or n <= k:
        raise Fault("domain error", 36000)
    # A row of Pascal's triangle this far down has no number that fits an int but the first few.
    if min(k, n - k) > 40:
        raise Fault("int overflow", None)
    found = math.comb(n, k)
    if found > INT_MAX:
        raise Fault("int overflow", None)
    return found


def _ln_beta(a: float, b: float) -> float:
    if a <= 0 or b <= 0:
        raise Fault("domain error", 36010)
    return _log_gamma(a, 36010) + _log_gamma(b, 36010) - _log_gamma(a + b, 36010)


def _ln_gamma(x: float) -> float:
    if x <= 0:
        raise Fault("domain error", 36050)
    return _log_gamma(x, 36050) if math.isfinite(x) else math.nan


def _log_gamma(x: float, code: int) -> float:
    try:
        return math.lgamma(x)
    except OverflowError as error:
        raise Fault("domain error", code) from error


def _erf(name: str, function: Callable[[float], float]) -> LibraryFunction:
    return plain(name, "(x: double) -> double", rule=function)


def _signs(x: Any) -> Any:
    return np.sign(np.where(np.isnan(x), 0.0, x)).astype(np.int64)


FUNCTIONS: tuple[LibraryFunction, ...] = (
    plain("m.pi", "() -> double", rule=lambda: math.pi),
    plain("m.e", "() -> double", rule=lambda: math.e),
    LibraryFunction("m.abs", ("(x: number A) -> A",), _abs, _abs_columns),
    real("m.acos", np.arccos),
    real("m.asin", np.arcsin),
    real("m.atan", np.arctan),
    real("m.atan2", np.arctan2, "y x"),
    real("m.ceil", np.ceil),
    LibraryFunction("m.copysign", ("(mag: number A, sign: A) -> A",), _copysign),
    real("m.cos", np.cos),
    real("m.cosh", np.cosh),
    real("m.exp", np.exp),
    real("m.expm1", np.expm1),
    real("m.floor", np.floor),
    real("m.hypot", np.hypot, "x y"),
    real("m.ln", np.log),
    real("m.log10", np.log10),
    plain("m.log", "(x: double, base: int) -> double", rule=_log),
    real("m.ln1p", np.log1p),
    LibraryFunction(
        "m.round", ("(x: float) -> int", "(x: double) -> long"), _round, _round_columns
    ),
    real("m.rint", np.rint),
    plain("m.signum", "(x: double) -> int", rule=_signum, columns=elementwise(_signs)),
    real("m.sin", np.sin),
    real("m.sinh", np.sinh),
    real("m.sqrt", np.sqrt),
    real("m.tan", np.tan),
    real("m.tanh", np.tanh),
    plain("m.special.nChooseK", "(n: int, k: int) -> int", rule=_choose),
    plain("m.special.lnBeta", "(a: double, b: double) -> double", rule=_ln_beta),
    plain("m.special.lnGamma", "(x: double) -> double", rule=_ln_gamma),
    _erf("m.special.erf", math.erf),
    _erf("m.special.erfc", math.erfc),
)
