"""Distances and similarities (PFA 0.8.1, metric.*)."""

import math
from collections.abc import Callable
from typing import Any

import numpy as np

from modelstream.formats.pfa.columns import Batch, is_column, is_numbers
from modelstream.formats.pfa.faults import Fault
from modelstream.formats.pfa.functions.numbers import add_up, elementwise
from modelstream.formats.pfa.functions.operators import divide, power
from modelstream.formats.pfa.library import ColumnRule, LibraryFunction, Rule, plain
from modelstream.formats.pfa.stacking import items_of

Join = Callable[[Any, Any], Any]
Finish = Callable[[Any], Any]
_SIMILAR = "similarity: (A, B -> double), x: [null|A], y: [null|B]"
_WEIGHTS = "missingWeight: [double]"
_TRUTHS = "x: [boolean], y: [boolean]"


def check_aligned(x: list[Any], y: list[Any], code: int) -> None:
    """Raise Fault unless two vectors are of one length."""
    if len(x) != len(y):
        raise Fault("dimensions of vectors do not match", code)


def _joined(code: int, join: Join, finish: Finish) -> Rule:
    """Return the rule of a distance that skips what is missing, and makes up for its weight."""

    def rule(
        similarity: Callable[[Any, Any], float],
        x: list[Any],
        y: list[Any],
        weights: list[float] | None = None,
    ) -> float:
        check_aligned(x, y, code)
        check_aligned(x, x if weights is None else weights, code)
        total, all_, known = 0.0, 0.0, 0.0
        for at, (one, other) in enumerate(zip(x, y, strict=True)):
            weight = 1.0 if weights is None else weights[at]
            all_ += weight
            if one is not None and other is not None:
                total = join(total, similarity(one, other))
                known += weight
        return float(finish(math.nan if known == 0.0 else total * all_ / known))

    return rule


def _joined_columns(join: Join, finish: Finish) -> ColumnRule:
    def rule(_batch: Batch, similarity: Any, x: Any, y: Any, *weights: Any) -> Any:
        one, other = items_of(x), items_of(y)
        if weights or not one or not other or len(one) != len(other):
            return NotImplemented
        if any(not _is_known(each) for each in (*one, *other)):
            return NotImplemented
        total: Any = 0.0
        for left, right in zip(one, other, strict=True):
            total = join(total, similarity(left, right))
        return finish(total * float(len(one)) / float(len(one)))

    return rule


def _is_known(value: Any) -> bool:
    """Tell whether no row's value is missing."""
    return is_numbers(value) or not (value is None or is_column(value))


def _metric(name: str, code: int, join: Join, finish: Finish) -> LibraryFunction:
    return plain(
        f"metric.{name}",
        f"({_SIMILAR}) -> double",
        f"({_SIMILAR}, {_WEIGHTS}) -> double",
        rule=_joined(code, join, finish),
        columns=_joined_columns(join, finish),
    )


def _larger(x: Any, y: Any) -> Any:
    return np.where(np.greater(y, x), y, x)


def _minkowski(
    similarity: Callable[[Any, Any], float],
    x: list[Any],
    y: list[Any],
    p: float,
    *weights: list[float],
) -> float:
    check_aligned(x, y, 28070)
    for each in weights:
        check_aligned(x, each, 28070)
    if math.isnan(p) or p <= 0:
        raise Fault("Minkowski parameter p must be positive", 28071)
    if math.isinf(p):
        return float(_joined(28070, _larger, float)(similarity, x, y, *weights))
    joined = _joined(28070, lambda total, each: total + float(power(each, p)), float)
    return float(power(joined(similarity, x, y, *weights), 1.0 / p))


def _gaussian(x: Any, y: Any, sigma: Any) -> Any:
    return np.exp(np.divide(-math.log(2) * (x - y) * (x - y), sigma * sigma))


def _simple_euclidean(x: list[float], y: list[float]) -> float:
    check_aligned(x, y, 28000)
    apart = add_up((one - other) * (one - other) for one, other in zip(x, y, strict=True))
    return math.sqrt(apart)


def apart(x: Any, y: Any) -> Any:
    """Return squared distances of two vectors of each row; NotImplemented where they differ."""
    one, other = items_of(x), items_of(y)
    if not one or not other or len(one) != len(other):
        return NotImplemented
    total: Any = 0.0
    for left, right in zip(one, other, strict=True):
        total = total + (left - right) * (left - right)
    return total


def _simple_euclidean_columns(_batch: Batch, x: Any, y: Any) -> Any:
    squared = apart(x, y)
    return squared if squared is NotImplemented else np.sqrt(squared)


def _pairs(name: str, code: int, extra: str, rate: Callable[..., float]) -> LibraryFunction:
    """Return a similarity of truths, of how often both, one or neither are true."""

    def rule(x: list[bool], y: list[bool], *rest: float) -> float:
        check_aligned(x, y, code)
        both = sum(a and b for a, b in zip(x, y, strict=True))
        first = sum(x) - both
        second = sum(y) - both
        return rate(len(x) - both - first - second, second, first, both, *rest)

    return plain(f"metric.{name}", f"({_TRUTHS}{extra}) -> double", rule=rule)


def _binary(  # noqa: PLR0917 - PFA's own parameters, in PFA's order
    none: int, second: int, first: int, both: int,
    c00: float, c01: float, c10: float, c11: float,
    d00: float, d01: float, d10: float, d11: float,
) -> float:  # fmt: skip
    over = c11 * both + c10 * first + c01 * second + c00 * none
    return divide(over, d11 * both + d10 * first + d01 * second + d00 * none)


_RATES = ", ".join(
    f"{letter}{pair}: double" for letter in "cd" for pair in ("00", "01", "10", "11")
)
FUNCTIONS: tuple[LibraryFunction, ...] = (
    plain(
        "metric.simpleEuclidean",
        "(x: [double], y: [double]) -> double",
        rule=_simple_euclidean,
        columns=_simple_euclidean_columns,
    ),
    plain(
        "metric.absDiff",
        "(x: double, y: double) -> double",
        rule=lambda x, y: abs(x - y),
        columns=elementwise(lambda x, y: np.abs(x - y)),
    ),
    plain(
        "metric.gaussianSimilarity",
        "(x: double, y: double, sigma: double) -> double",
        rule=lambda x, y, sigma: float(_gaussian(x, y, sigma)),
        columns=elementwise(_gaussian),
    ),
    _metric("euclidean", 28030, lambda total, each: total + each * each, np.sqrt),
    _metric("squaredEuclidean", 28040, lambda total, each: total + each * each, lambda x: x),
    _metric("chebyshev", 28050, _larger, lambda x: x),
    _metric("taxicab", 28060, lambda total, each: total + each, lambda x: x),
    plain(
        "metric.minkowski",
        f"({_SIMILAR}, p: double) -> double",
        f"({_SIMILAR}, p: double, {_WEIGHTS}) -> double",
        rule=_minkowski,
    ),
    _pairs("simpleMatching", 28080, "", lambda n, s, f, b: divide(b + n, b + n + s + f)),
    _pairs("jaccard", 28090, "", lambda _n, s, f, b: divide(b, b + s + f)),
    _pairs("tanimoto", 28100, "", lambda n, s, f, b: divide(b + n, b + n + 2 * (s + f))),
    _pairs("binarySimilarity", 28110, f", {_RATES}", _binary),
)
