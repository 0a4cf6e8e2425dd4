"""What stands in for values that are missing or no numbers (PFA 0.8.1, impute.*)."""

import math
from collections.abc import Callable
from typing import Any

import numpy as np

from modelstream.formats.pfa.columns import Batch, column_of
from modelstream.formats.pfa.faults import Fault
from modelstream.formats.pfa.functions.numbers import are_numbers
from modelstream.formats.pfa.library import Call, ColumnRule, LibraryFunction, plain


def _error_on_null(x: Any) -> Any:
    if x is None:
        raise Fault("encountered null", 21000)
    return x


def _error_on_null_columns(call: Call) -> ColumnRule:
    def rule(batch: Batch, x: Any) -> Any:
        if not isinstance(x, np.ndarray) or x.dtype != object:
            return x
        listed = x.tolist()
        batch.doubt(np.array([each is None for each in listed], np.bool_))
        return column_of(listed, call.result)

    return rule


def _default_on_null_columns(call: Call) -> ColumnRule:
    def rule(batch: Batch, x: Any, default: Any) -> Any:
        if not isinstance(x, np.ndarray) or x.dtype != object:
            return NotImplemented if x is None else x
        others = batch.list_of(default)
        filled = [
            other if each is None else each for each, other in zip(x.tolist(), others, strict=True)
        ]
        return column_of(filled, call.result)

    return rule


def _error_on_non_number(x: float) -> float:
    if math.isnan(x):
        raise Fault("encountered nan", 21050)
    if math.isinf(x):
        raise Fault("encountered +inf" if x > 0 else "encountered -inf", 21051 if x > 0 else 21052)
    return x


def _non_number_columns(batch: Batch, x: Any) -> Any:
    if not are_numbers(x):
        return NotImplemented
    batch.doubt(~np.isfinite(x))
    return x


def _default_columns(_batch: Batch, x: Any, default: Any) -> Any:
    return np.where(np.isfinite(x), x, default) if are_numbers(x, default) else NotImplemented


def _is(name: str, rule: Callable[[float], bool], columns: Callable[[Any], Any]) -> LibraryFunction:
    return plain(
        f"impute.{name}",
        "(x: float) -> boolean",
        "(x: double) -> boolean",
        rule=rule,
        columns=lambda _batch, x: columns(x) if are_numbers(x) else NotImplemented,
    )


FUNCTIONS: tuple[LibraryFunction, ...] = (
    LibraryFunction(
        "impute.errorOnNull",
        ("(x: A|null) -> A",),
        lambda _call: _error_on_null,
        _error_on_null_columns,
    ),
    LibraryFunction(
        "impute.defaultOnNull",
        ("(x: A|null, default: A) -> A",),
        lambda _call: lambda x, default: default if x is None else x,
        _default_on_null_columns,
    ),
    _is("isnan", math.isnan, np.isnan),
    _is("isinf", math.isinf, np.isinf),
    _is("isnum", math.isfinite, np.isfinite),
    plain(
        "impute.errorOnNonNum",
        "(x: float) -> float",
        "(x: double) -> double",
        rule=_error_on_non_number,
        columns=_non_number_columns,
    ),
    plain(
        "impute.defaultOnNonNum",
        "(x: float, default: float) -> float",
        "(x: double, default: double) -> double",
        rule=lambda x, default: x if math.isfinite(x) else default,
        columns=_default_columns,
    ),
)
