"""Link functions and kernels (PFA 0.8.1, m.link.*, m.kernel.*): of a number, an array or a map."""

import math
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from modelstream.formats.pfa.columns import Batch, is_numbers
from modelstream.formats.pfa.faults import Fault
from modelstream.formats.pfa.functions.numbers import add_columns, add_up, dense
from modelstream.formats.pfa.functions.operators import power
from modelstream.formats.pfa.library import LibraryFunction, plain

_EACH = tuple(f"(x: {kind}) -> {kind}" for kind in ("[double]", "{double}", "double"))
_PAIR = "x: [double], y: [double]"


def _link(name: str, function: Callable[[Any], Any], *, columnwise: bool = True) -> LibraryFunction:
    """Return a function of each number of what it is given."""

    def rule(x: Any) -> Any:
        if isinstance(x, list):
            return [float(function(each)) for each in x]
        if isinstance(x, dict):
            return {key: float(function(each)) for key, each in x.items()}
        return float(function(x))

    def columns(_batch: Batch, x: Any) -> Any:
        return function(dense(x)) if columnwise and is_numbers(x) else NotImplemented

    return plain(f"m.link.{name}", *_EACH, rule=rule, columns=columns)


def _softmax(x: Any) -> Any:
    if not x:
        raise Fault("empty input", 25000)
    values = list(x.values()) if isinstance(x, dict) else x
    highest = max(values, key=lambda value: math.inf if math.isnan(value) else value)
    raised = [float(np.exp(value - highest)) for value in values]
    total = add_up(raised)
    shares = [float(np.divide(each, total)) for each in raised]
    return dict(zip(x, shares, strict=True)) if isinstance(x, dict) else shares


def _softmax_columns(_batch: Batch, x: Any) -> Any:
    if not is_numbers(x) or x.ndim != 2:
        return NotImplemented
    raised = np.exp(dense(x - x.max(axis=1, keepdims=True)))
    return raised / add_columns(raised)[:, None]


def _probit(x: float) -> float:
    return (math.erf(x / math.sqrt(2.0)) + 1.0) / 2.0


def _pairs(x: Sequence[float], y: Sequence[float], code: int) -> list[tuple[float, float]]:
    if len(x) != len(y):
        raise Fault("arrays must have same length", code)
    return list(zip(x, y, strict=True))


def _dot(x: Sequence[float], y: Sequence[float], code: int) -> float:
    total: float = add_up(one * other for one, other in _pairs(x, y, code))
    return total


def _rbf(x: Sequence[float], y: Sequence[float], gamma: float) -> float:
    apart = add_up((one - other) * (one - other) for one, other in _pairs(x, y, 23010))
    return float(np.exp(-gamma * apart))


def _dots(x: Any, y: Any) -> Any:
    """Return the dot product of two vectors of each row; NotImplemented where they do not align."""
    one, other = _row(x), _row(y)
    if one is None or other is None or one.shape[1] != other.shape[1]:
        return NotImplemented
    return add_columns(one * other)


def _row(value: Any) -> Any:
    if isinstance(value, list):
        return np.array([value], dtype=np.float64)
    return value if is_numbers(value) and value.ndim == 2 else None


def _rbf_columns(_batch: Batch, x: Any, y: Any, gamma: Any) -> Any:
    one, other = _row(x), _row(y)
    if one is None or other is None or one.shape[1] != other.shape[1]:
        return NotImplemented
    return np.exp(-gamma * add_columns((one - other) * (one - other)))


def _kernel_columns(finish: Callable[..., Any]) -> Callable[..., Any]:
    def columns(_batch: Batch, x: Any, y: Any, *rest: Any) -> Any:
        dots = _dots(x, y)
        return dots if dots is NotImplemented else finish(dots, *rest)

    return columns


FUNCTIONS: tuple[LibraryFunction, ...] = (
    plain(
        "m.link.softmax",
        "(x: [double]) -> [double]",
        "(x: {double}) -> {double}",
        rule=_softmax,
        columns=_softmax_columns,
    ),
    _link("logit", lambda x: 1.0 / (1.0 + np.exp(-x))),
    _link("probit", _probit, columnwise=False),
    _link("cloglog", lambda x: 1.0 - np.exp(-np.exp(x))),
    _link("loglog", lambda x: np.exp(-np.exp(x))),
    _link("cauchit", lambda x: 0.5 + np.arctan(x) / math.pi),
    _link("softplus", lambda x: np.logaddexp(0.0, x)),
    _link("relu", lambda x: np.where(np.isnan(x), np.nan, np.maximum(x, 0.0))),
    _link("tanh", np.tanh),
    plain(
        "m.kernel.linear",
        f"({_PAIR}) -> double",
        rule=lambda x, y: _dot(x, y, 23000),
        columns=_kernel_columns(lambda dots: dots),
    ),
    plain(
        "m.kernel.rbf",
        f"({_PAIR}, gamma: double) -> double",
        rule=_rbf,
        columns=_rbf_columns,
    ),
    plain(
        "m.kernel.poly",
        f"({_PAIR}, gamma: double, intercept: double, degree: double) -> double",
        rule=lambda x, y, gamma, intercept, degree: float(
            power(gamma * _dot(x, y, 23020) + intercept, degree)
        ),
        columns=_kernel_columns(
            lambda dots, gamma, intercept, degree: power(gamma * dots + intercept, degree)
        ),
    ),
    plain(
        "m.kernel.sigmoid",
        f"({_PAIR}, gamma: double, intercept: double) -> double",
        rule=lambda x, y, gamma, intercept: float(np.tanh(gamma * _dot(x, y, 23030) + intercept)),
        columns=_kernel_columns(lambda dots, gamma, intercept: np.tanh(gamma * dots + intercept)),
    ),
)
