"""Built-in functions of numbers (DMG 4.4, Built-in functions: arithmetic, mathematics)."""

import math
import operator
from collections.abc import Callable
from statistics import NormalDist, median
from typing import Any

import numpy as np

from modelstream.formats.pmml.elements.base import DataType
from modelstream.formats.pmml.fields.batch import Batch
from modelstream.formats.pmml.fields.rows import Declined, applied, in_order
from modelstream.formats.pmml.fields.scope import Compiled
from modelstream.formats.pmml.fields.values import is_missing, round_float, round_value
from modelstream.formats.pmml.functions.base import Builtin, Call, finish, number_getter, widest
from modelstream.formats.pmml.functions.links import erf
from modelstream.messages import Column

Numeric = Callable[..., Any]
TypeRule = Callable[[tuple[Compiled, ...]], DataType]


def arithmetic_functions() -> dict[str, Builtin]:
    """Return the functions by name."""
    return {
        **_elementwise(2, widest, {"+": np.add, "-": np.subtract, "*": np.multiply}),
        **_elementwise(2, widest, {"modulo": np.mod}),
        "/": Builtin(2, 2, _division),
        **_elementwise(2, _real, {"pow": _POWER}),
        **_elementwise(2, _real, {"hypot": _where_known(np.hypot), "atan2": np.arctan2}),
        **_elementwise(2, _integer, {"threshold": _threshold}),
        **_elementwise(1, widest, {"abs": np.abs}),
        **_elementwise(1, _integer, {"floor": np.floor, "ceil": np.ceil, "round": round_half_up}),
        **_elementwise(1, widest, {"rint": np.rint}),
        **_elementwise(1, _real, _REAL_FUNCTIONS),
        **_elementwise(1, _real, {"erf": erf, "stdNormalCDF": _normal_cdf}),
        **_elementwise(1, _real, {"stdNormalPDF": _normal_pdf, "stdNormalIDF": _normal_idf}),
        **_elementwise(3, _real, {"normalCDF": _normal_cdf, "normalPDF": _normal_pdf}),
        **_elementwise(3, _real, {"normalIDF": _normal_idf}),
        "min": _aggregate(np.fmin.reduce, min, _shared),
        "max": _aggregate(np.fmax.reduce, max, _shared),
        "sum": _aggregate(_sum, in_order, widest),
        "product": _aggregate(_product, math.prod, widest),
        "avg": _aggregate(_average, lambda known: in_order(known) / len(known), _real),
        "median": _aggregate(_median, median, _real),
    }


_REAL_FUNCTIONS: dict[str, Numeric] = {
    "log10": np.log10,
    "ln": np.log,
    "ln1p": np.log1p,
    "sqrt": np.sqrt,
    "exp": np.exp,
    "expm1": np.expm1,
    "sin": np.sin,
    "asin": np.arcsin,
    "sinh": np.sinh,
    "cos": np.cos,
    "acos": np.arccos,
    "cosh": np.cosh,
    "tan": np.tan,
    "atan": np.arctan,
    "tanh": np.tanh,
}


def _elementwise(arity: int, rule: TypeRule, functions: dict[str, Numeric]) -> dict[str, Builtin]:
    return {
        name: Builtin(arity, arity, _compile_elementwise(function, rule))
        for name, function in functions.items()
    }


def _where_known(function: Numeric) -> Numeric:
    """Return a function that is missing where an argument is; 1 to a missing power is no 1."""

    def strict(one: Any, other: Any) -> Any:
        return np.where(np.isnan(one) | np.isnan(other), np.nan, function(one, other))

    return strict


def _compile_elementwise(function: Numeric, rule: TypeRule) -> Callable[[Call], Compiled]:
    def compile_call(call: Call) -> Compiled:
        data_type = rule(call.arguments)
        getters = [number_getter(argument) for argument in call.arguments]
        settle = round_float if data_type == "float" else np.asarray

        def evaluate(batch: Batch) -> Column:
            given = [get(batch) for get in getters]
            result = settle(function(*given))
            undefined = np.isnan(result)
            if undefined.any():
                _treat_undefined(call, batch, undefined, given)
            return result

        compute = _of_values(function, call, single=data_type == "float")
        row = applied([get.row for get in getters], compute, careful=function not in _OF_VALUES)
        return finish(call, data_type, evaluate, row)

    return compile_call


def _division(call: Call) -> Compiled:
    """Compile a quotient: as in XQuery, a whole number over zero is none, a real one infinite."""
    function = _divide_whole if widest(call.arguments) == "integer" else np.divide
    return _compile_elementwise(function, _real)(call)


def _divide_whole(one: Any, other: Any) -> Any:
    return np.where(np.equal(other, 0.0), np.nan, np.divide(one, other))


def _of_values(function: Numeric, call: Call, *, single: bool) -> Callable[..., float]:
    """Return the same function of one row's values; where it rejects a row the row is declined."""
    known = _OF_VALUES.get(function)
    plain: Numeric = known or (lambda *given: float(function(*given)))
    if single:
        exact = plain
        plain = lambda *given: round_value(exact(*given))  # noqa: E731  # one of two rules

    def undefined(*given: float) -> float:
        if call.strict and not any(map(is_missing, given)):
            raise Declined
        return math.nan

    def one(x: float) -> float:
        result: float = plain(x)
        return result if result == result else undefined(x)  # noqa: PLR0124  # NaN is not itself

    def two(x: float, y: float) -> float:
        result: float = plain(x, y)
        return result if result == result else undefined(x, y)  # noqa: PLR0124  # as above

    def three(x: float, y: float, z: float) -> float:
        result: float = plain(x, y, z)
        return result if result == result else undefined(x, y, z)  # noqa: PLR0124  # as above

    return (one, two, three)[len(call.arguments) - 1]


def _log_of_one(x: float) -> float:
    if x <= 0.0:
        raise Declined  # NumPy would warn of it
    return float(np.log(x))


def _power_of_one(base: float, exponent: float) -> float:
    if base != base or exponent != exponent:  # noqa: PLR0124  # NaN is not itself
        return math.nan
    if exponent == 2.0:
        return base * base  # as NumPy computes it
    if type(base**exponent) is not float:
        raise Declined  # a complex number: NumPy would warn of it, and Python raises what overflows
    with np.errstate(over="ignore", under="ignore"):
        return float(np.power(base, exponent))


def _threshold_of_one(x: float, limit: float) -> float:
    return np.nan if is_missing(x) or is_missing(limit) else float(x > limit)


def _treat_undefined(call: Call, batch: Batch, undefined: Column, given: list[Any]) -> None:
    """Reject the rows where arguments that are there give no number; it stands as missing."""
    if not call.strict:
        return
    for value in given:
        undefined = undefined & ~np.isnan(value)
    for row in np.nonzero(np.broadcast_to(undefined, batch.rows))[0]:
        batch.reject(int(row), f"function {call.name!r} has no value for its arguments")


def _aggregate(
    function: Numeric, of_known: Callable[[list[float]], float], rule: TypeRule
) -> Builtin:
    """Return a function of all its arguments that are not missing, and the same of one row."""

    def compile_call(call: Call) -> Compiled:
        data_type = rule(call.arguments)
        getters = [number_getter(argument) for argument in call.arguments]
        settle = round_float if data_type == "float" else np.asarray

        def evaluate(batch: Batch) -> Column:
            stacked = np.empty((len(getters), batch.rows))
            for line, get in zip(stacked, getters, strict=True):
                line[:] = get(batch)
            return settle(function(stacked))

        def compute(*given: float) -> float:
            known = [value for value in given if value == value]  # noqa: PLR0124  # not NaN
            result = of_known(known) if known else np.nan
            return round_value(result) if data_type == "float" else result

        row = applied([get.row for get in getters], compute)
        return finish(call, data_type, evaluate, row)

    return Builtin(1, None, compile_call)


def _integer(_: tuple[Compiled, ...]) -> DataType:
    return "integer"


def _real(arguments: tuple[Compiled, ...]) -> DataType:
    return "float" if all(a.data_type == "float" for a in arguments) else "double"


def _shared(arguments: tuple[Compiled, ...]) -> DataType:
    """Return the type of the least or greatest of these: of dates it is a date."""
    first, *others = (argument.data_type for argument in arguments)
    dates = first.startswith(("date", "time")) and all(other == first for other in others)
    return first if dates else widest(arguments)


def _threshold(x: Any, limit: Any) -> Any:
    return np.where(np.isnan(x) | np.isnan(limit), np.nan, np.greater(x, limit) * 1.0)


def round_half_up(x: Any) -> Any:
    """Return the nearest whole number, the greater of two as near; x + 0.5 would itself round."""
    below = np.floor(x)
    return below + (np.subtract(x, below) >= 0.5)


def _sum(stacked: Column) -> Column:
    total = np.nansum(stacked, axis=0)
    return np.where(np.isnan(stacked).all(axis=0), np.nan, total)


def _product(stacked: Column) -> Column:
    total = np.nanprod(stacked, axis=0)
    return np.where(np.isnan(stacked).all(axis=0), np.nan, total)


def _average(stacked: Column) -> Column:
    average: Column = _sum(stacked) / (~np.isnan(stacked)).sum(axis=0)
    return average


def _median(stacked: Column) -> Column:
    ordered = np.sort(stacked, axis=0)  # missing values come last
    count = (~np.isnan(stacked)).sum(axis=0)
    row = np.arange(stacked.shape[1])
    low, high = np.maximum(count - 1, 0) // 2, count // 2
    median: Column = (ordered[low, row] + ordered[np.minimum(high, len(stacked) - 1), row]) / 2.0
    return np.where(count == 0, np.nan, median)


def _normal_cdf(x: Any, mean: Any = 0.0, deviation: Any = 1.0) -> Any:
    deviation = _positive(deviation)
    return 0.5 * (1.0 + erf(np.subtract(x, mean) / np.multiply(deviation, np.sqrt(2.0))))


def _normal_pdf(x: Any, mean: Any = 0.0, deviation: Any = 1.0) -> Any:
    deviation = _positive(deviation)
    standard = np.subtract(x, mean) / deviation
    return np.exp(-0.5 * standard * standard) / np.multiply(deviation, np.sqrt(2.0 * np.pi))


def _quantile(p: float) -> float:
    return NormalDist().inv_cdf(p) if 0.0 < p < 1.0 else np.nan


_quantiles = np.vectorize(_quantile, otypes=[np.float64])


def _normal_idf(p: Any, mean: Any = 0.0, deviation: Any = 1.0) -> Any:
    return np.add(mean, np.multiply(_positive(deviation), _quantiles(p)))


def _positive(deviation: Any) -> Any:
    """Return a standard deviation; one that is not positive is none."""
    return np.where(np.greater(deviation, 0.0), deviation, np.nan)


_POWER = _where_known(np.power)
# Of single numbers these are as NumPy's, and several times as fast. What they raise, as Python's
# operators do for a division by zero, leaves a row to the column path.
_OF_VALUES: dict[Numeric, Numeric] = {
    np.add: operator.add,
    np.subtract: operator.sub,
    np.multiply: operator.mul,
    np.divide: operator.truediv,
    np.abs: operator.abs,
    np.log: _log_of_one,
    erf: math.erf,
    _POWER: _power_of_one,
    _threshold: _threshold_of_one,
}
