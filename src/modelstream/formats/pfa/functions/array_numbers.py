"""Arrays: sums, means, order statistics and extreme items (PFA 0.8.1, a.*)."""

import math
from collections import Counter
from collections.abc import Callable
from functools import cmp_to_key
from typing import Any

import numpy as np

from modelstream.formats.pfa.columns import Batch, is_numbers
from modelstream.formats.pfa.faults import Fault
from modelstream.formats.pfa.functions.numbers import (
    add_columns,
    add_up,
    dense,
    doubt_out_of_range,
    in_range,
)
from modelstream.formats.pfa.library import Call, ColumnRule, LibraryFunction, Rule, plain
from modelstream.formats.pfa.types import REAL, WHOLE, Array, Type

Less = Callable[[Any, Any], bool]


def _sum(call: Call) -> Rule:
    check = in_range(call.result, 15400)
    return (lambda a: check(sum(a))) if call.result in WHOLE else add_up


def _sum_columns(call: Call) -> ColumnRule:
    def rule(batch: Batch, a: Any) -> Any:
        if not is_numbers(a) or a.ndim != 2:
            return NotImplemented
        if call.result not in WHOLE:
            return add_columns(a)
        doubt_out_of_range(batch, call.result, a.sum(axis=1), np.abs(a.astype(float)).sum(axis=1))
        return a.sum(axis=1)

    return rule


def _product(call: Call) -> Rule:
    check = in_range(call.result, 15410)
    begin: float = 1 if call.result in WHOLE else 1.0

    def rule(a: list[Any]) -> Any:
        total = begin
        for each in a:
            total = check(total * each)
        return total

    return rule


def _mean(a: list[float]) -> float:
    return float(np.divide(add_up(a), float(len(a))))


def _mean_columns(_batch: Batch, a: Any) -> Any:
    if not is_numbers(a) or a.ndim != 2:
        return NotImplemented
    return add_columns(a) / a.shape[1]


def _geomean(a: list[float]) -> float:
    if not a:
        return math.nan
    total = 1.0
    for each in a:
        total *= each
    return float(np.power(total, 1.0 / len(a)))


def _logsumexp(a: list[float]) -> float:
    if not a:
        return math.nan
    highest = max(a)
    return float(np.log(add_up(float(np.exp(each - highest)) for each in a)) + highest)


def _logsumexp_columns(_batch: Batch, a: Any) -> Any:
    if not is_numbers(a) or a.ndim != 2:
        return NotImplemented
    highest = a.max(axis=1)
    return np.log(add_columns(np.exp(dense(a - highest[:, None])))) + highest


def _middle(ordered: list[Any], kind: Type) -> Any:
    half = len(ordered) // 2
    if len(ordered) % 2:
        return ordered[half]
    return (ordered[half - 1] + ordered[half]) / 2.0 if kind in REAL else ordered[half - 1]


def _items(call: Call) -> Type:
    kind = call.params[0]
    assert isinstance(kind, Array)
    return kind.items


def _median(call: Call) -> Rule:
    kind = _items(call)
    key = call.orders.key(kind)
    return _unless_empty(15450, lambda a: _middle(sorted(a, key=key), kind))


def _mode(call: Call) -> Rule:
    kind = _items(call)
    key = call.orders.key(kind)

    def rule(a: list[Any]) -> Any:
        words = list(map(repr, a))
        counts = Counter(words)
        most = max(counts.values())
        kept = {word: item for word, item in zip(words, a, strict=True) if counts[word] == most}
        return _middle(sorted(kept.values(), key=key), kind)

    return _unless_empty(15470, rule)


def _ntile(call: Call) -> Rule:
    kind = _items(call)
    key = call.orders.key(kind)

    def rule(a: list[Any], p: float) -> Any:
        if math.isnan(p):
            raise Fault("p not a number", 15461)
        ordered = sorted(a, key=key)
        at = (len(a) - 1.0) * min(max(p, 0.0), 1.0)
        low, high = math.floor(at), math.ceil(at)
        if kind not in REAL or low == high:
            return ordered[low]
        return ordered[low] * (high - at) + ordered[high] * (at - low)

    return _unless_empty(15460, rule)


def _sort(call: Call) -> Rule:
    key = call.orders.key(_items(call))
    return lambda a: sorted(a, key=key)


def _unless_empty(code: int, rule: Callable[..., Any]) -> Rule:
    def checked(a: list[Any], *rest: Any) -> Any:
        if not a:
            raise Fault("empty array", code)
        return rule(a, *rest)

    return checked


def ranked(a: list[Any], before: Less, count: int) -> list[int]:
    """Return the places of the first items in an order; of equal ones the first comes first."""

    def compare(x: int, y: int) -> int:
        if before(a[x], a[y]):
            return -1
        return 1 if before(a[y], a[x]) else 0

    if count == 1:
        best = 0
        for at in range(1, len(a)):
            if before(a[at], a[best]):
                best = at
        return [best]
    return sorted(range(len(a)), key=cmp_to_key(compare))[:count]


def _extreme(name: str, code: int, *, places: bool, highest: bool) -> tuple[LibraryFunction, ...]:
    """Return the four functions of one kind: of one or n items, by their order or a function."""
    out = "int" if places else "A"
    less = "lessThan: (A, A -> boolean)"

    def pick(a: list[Any], less_than: Less, count: int) -> list[Any]:
        found = ranked(a, (lambda x, y: less_than(y, x)) if highest else less_than, count)
        return found if places else [a[at] for at in found]

    def by_order(call: Call) -> Less:
        compare = call.orders.of(_items(call))
        return lambda x, y: compare(x, y) < 0

    def one(call: Call) -> Rule:
        less_than = by_order(call)
        return _unless_empty(code, lambda a: pick(a, less_than, 1)[0])

    def several(a: list[Any], n: int, less_than: Less, number: int) -> list[Any]:
        if n < 0:
            raise Fault("n < 0", number + 1)
        return pick(a, less_than, n)

    def first(call: Call) -> Rule:
        less_than = by_order(call)
        return _unless_empty(code + 40, lambda a, n: several(a, n, less_than, code + 40))

    def columns(call: Call) -> ColumnRule:
        kind = _items(call)

        def rule(batch: Batch, a: Any) -> Any:
            return _extreme_of_rows(batch, a, kind, places=places, highest=highest)

        return rule

    return (
        LibraryFunction(name, (f"(a: [A]) -> {out}",), one, columns),
        plain(
            f"{name}LT",
            f"(a: [A], {less}) -> {out}",
            rule=_unless_empty(code + 20, lambda a, lt: pick(a, lt, 1)[0]),
        ),
        LibraryFunction(f"{name}N", (f"(a: [A], n: int) -> [{out}]",), first),
        plain(
            f"{name}NLT",
            f"(a: [A], n: int, {less}) -> [{out}]",
            rule=_unless_empty(code + 60, lambda a, n, lt: several(a, n, lt, code + 60)),
        ),
    )


def _extreme_of_rows(batch: Batch, a: Any, kind: Type, *, places: bool, highest: bool) -> Any:
    if not is_numbers(a) or a.ndim != 2 or a.dtype == np.bool_:
        return NotImplemented
    nan = np.isnan(a) if kind in REAL else np.zeros(a.shape, np.bool_)
    batch.doubt(
        np.asarray(nan.any(axis=1))
    )  # NaN is greater than any number, which NumPy sees otherwise
    at = a.argmax(axis=1) if highest else a.argmin(axis=1)
    return at if places else np.take_along_axis(a, at[:, None], axis=1)[:, 0]


_SUM = "(a: [number A]) -> A"
FUNCTIONS: tuple[LibraryFunction, ...] = (
    LibraryFunction("a.sum", (_SUM,), _sum, _sum_columns),
    LibraryFunction("a.product", (_SUM,), _product),
    plain(
        "a.lnsum",
        "(a: [double]) -> double",
        rule=lambda a: add_up(float(np.log(each)) for each in a),
    ),
    plain("a.mean", "(a: [double]) -> double", rule=_mean, columns=_mean_columns),
    plain("a.geomean", "(a: [double]) -> double", rule=_geomean),
    plain("a.logsumexp", "(a: [double]) -> double", rule=_logsumexp, columns=_logsumexp_columns),
    LibraryFunction("a.median", ("(a: [A]) -> A",), _median),
    LibraryFunction("a.mode", ("(a: [A]) -> A",), _mode),
    LibraryFunction("a.ntile", ("(a: [A], p: double) -> A",), _ntile),
    LibraryFunction("a.sort", ("(a: [A]) -> [A]",), _sort),
    plain(
        "a.sortLT",
        "(a: [A], lessThan: (A, A -> boolean)) -> [A]",
        rule=lambda a, less_than: (
            [a[at] for at in ranked(a, less_than, max(len(a), 2))] if a else []
        ),
    ),
    *_extreme("a.max", 15240, places=False, highest=True),
    *_extreme("a.min", 15250, places=False, highest=False),
    *_extreme("a.argmax", 15320, places=True, highest=True),
    *_extreme("a.argmin", 15330, places=True, highest=False),
)
