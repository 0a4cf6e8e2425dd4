"""Arrays: functions applied to items, and folds (PFA 0.8.1, a.*)."""

from collections.abc import Callable
from functools import reduce
from itertools import count, dropwhile, takewhile
from typing import Any

from modelstream.formats.pfa.columns import Batch
from modelstream.formats.pfa.faults import Fault, check_size
from modelstream.formats.pfa.functions.forests import forest_of
from modelstream.formats.pfa.library import Call, ColumnRule, LibraryFunction, Rule, plain
from modelstream.formats.pfa.stacking import items_of, stacked
from modelstream.formats.pfa.types import Array

Test = Callable[..., bool]


def _map_columns(call: Call) -> ColumnRule:
    forest = forest_of(call)
    assert isinstance(call.result, Array)
    kind = call.result.items

    def rule(batch: Batch, a: Any, fcn: Callable[..., Any]) -> Any:
        if forest is not None and isinstance(a, list):
            found = forest(batch, a)
            if found is not NotImplemented:
                return found
        items = items_of(a)
        if items is None:
            return NotImplemented
        return stacked(batch, [fcn(item) for item in items], kind)

    return rule


def _map_index_columns(call: Call) -> ColumnRule:
    assert isinstance(call.result, Array)
    kind = call.result.items

    def rule(batch: Batch, a: Any, fcn: Callable[..., Any]) -> Any:
        items = items_of(a)
        if items is None:
            return NotImplemented
        return stacked(batch, [fcn(at, item) for at, item in enumerate(items)], kind)

    return rule


def _zip_columns(call: Call, *, indexed: bool) -> ColumnRule:
    assert isinstance(call.result, Array)
    kind = call.result.items

    def rule(batch: Batch, *arguments: Any) -> Any:
        *arrays, fcn = arguments
        lists = [items_of(each) for each in arrays]
        known = [each for each in lists if each is not None]
        if len(known) < len(lists) or len({len(each) for each in known}) > 1:
            return NotImplemented
        rows = enumerate(zip(*known, strict=True))
        return stacked(
            batch, [fcn(at, *each) if indexed else fcn(*each) for at, each in rows], kind
        )

    return rule


def _zip(code: int, *, indexed: bool) -> Rule:
    def rule(*arguments: Any) -> list[Any]:
        *arrays, fcn = arguments
        if len({len(each) for each in arrays}) > 1:
            raise Fault("misaligned arrays", code)
        return list(map(fcn, count(), *arrays) if indexed else map(fcn, *arrays))

    return rule


def _zips(name: str, code: int, *, indexed: bool) -> LibraryFunction:
    signatures = []
    for letters in ("AB", "ABC", "ABCD"):
        params = ", ".join(f"{letter.lower()}: [{letter}]" for letter in letters)
        given = ", ".join(["int"] * indexed + list(letters))
        signatures.append(f"({params}, fcn: ({given} -> Z)) -> [Z]")
    return LibraryFunction(
        name,
        tuple(signatures),
        lambda _call: _zip(code, indexed=indexed),
        lambda call: _zip_columns(call, indexed=indexed),
    )


def _filter_map(a: list[Any], fcn: Callable[..., Any]) -> list[Any]:
    return [value for value in map(fcn, a) if value is not None]


def _flat_map(rows: Any) -> list[Any]:
    flat: list[Any] = []
    for row in rows:
        flat += row
        check_size(len(flat))
    return flat


def _reduce(a: list[Any], fcn: Callable[..., Any]) -> Any:
    if not a:
        raise Fault("empty array", 15670)
    return reduce(fcn, a)


def _reduce_right(a: list[Any], fcn: Callable[..., Any]) -> Any:
    if not a:
        raise Fault("empty array", 15680)
    return reduce(lambda x, y: fcn(y, x), reversed(a))


def _fold_columns(_batch: Batch, a: Any, zero: Any, fcn: Callable[..., Any]) -> Any:
    items = items_of(a)
    return NotImplemented if items is None else reduce(fcn, items, zero)


def _reduce_columns(_batch: Batch, a: Any, fcn: Callable[..., Any]) -> Any:
    items = items_of(a)
    return reduce(fcn, items) if items else NotImplemented


def _any_columns(_batch: Batch, a: Any, fcn: Test) -> Any:
    items = items_of(a)
    return reduce(lambda x, y: x | y, map(fcn, items), False) if items else NotImplemented


def _all_columns(_batch: Batch, a: Any, fcn: Test) -> Any:
    items = items_of(a)
    return reduce(lambda x, y: x & y, map(fcn, items), True) if items else NotImplemented


def _corresponds(a: list[Any], b: list[Any], fcn: Test) -> bool:
    return len(a) == len(b) and all(map(fcn, a, b))


_TEST = "fcn: (A -> boolean)"
_INDEXED = "fcn: (int, A -> {})"
FUNCTIONS: tuple[LibraryFunction, ...] = (
    LibraryFunction(
        "a.map",
        ("(a: [A], fcn: (A -> B)) -> [B]",),
        lambda _call: lambda a, fcn: [fcn(item) for item in a],
        _map_columns,
    ),
    LibraryFunction(
        "a.mapWithIndex",
        (f"(a: [A], {_INDEXED.format('B')}) -> [B]",),
        lambda _call: lambda a, fcn: list(map(fcn, count(), a)),
        _map_index_columns,
    ),
    plain(
        "a.filter",
        f"(a: [A], {_TEST}) -> [A]",
        rule=lambda a, fcn: [item for item in a if fcn(item)],
    ),
    plain(
        "a.filterWithIndex",
        f"(a: [A], {_INDEXED.format('boolean')}) -> [A]",
        rule=lambda a, fcn: [item for at, item in enumerate(a) if fcn(at, item)],
    ),
    plain("a.filterMap", "(a: [A], fcn: (A -> B|null)) -> [B]", rule=_filter_map),
    plain(
        "a.filterMapWithIndex",
        f"(a: [A], {_INDEXED.format('B|null')}) -> [B]",
        rule=lambda a, fcn: [value for value in map(fcn, count(), a) if value is not None],
    ),
    plain(
        "a.flatMap",
        "(a: [A], fcn: (A -> [B])) -> [B]",
        rule=lambda a, fcn: _flat_map(map(fcn, a)),
    ),
    plain(
        "a.flatMapWithIndex",
        f"(a: [A], {_INDEXED.format('[B]')}) -> [B]",
        rule=lambda a, fcn: _flat_map(map(fcn, count(), a)),
    ),
    _zips("a.zipmap", 15650, indexed=False),
    _zips("a.zipmapWithIndex", 15660, indexed=True),
    plain("a.reduce", "(a: [A], fcn: (A, A -> A)) -> A", rule=_reduce, columns=_reduce_columns),
    plain("a.reduceRight", "(a: [A], fcn: (A, A -> A)) -> A", rule=_reduce_right),
    plain(
        "a.fold",
        "(a: [A], zero: B, fcn: (B, A -> B)) -> B",
        rule=lambda a, zero, fcn: reduce(fcn, a, zero),
        columns=_fold_columns,
    ),
    plain(
        "a.foldRight",
        "(a: [A], zero: B, fcn: (A, B -> B)) -> B",
        rule=lambda a, zero, fcn: reduce(lambda y, x: fcn(x, y), reversed(a), zero),
    ),
    plain("a.takeWhile", f"(a: [A], {_TEST}) -> [A]", rule=lambda a, fcn: list(takewhile(fcn, a))),
    plain("a.dropWhile", f"(a: [A], {_TEST}) -> [A]", rule=lambda a, fcn: list(dropwhile(fcn, a))),
    plain(
        "a.any",
        f"(a: [A], {_TEST}) -> boolean",
        rule=lambda a, fcn: any(map(fcn, a)),
        columns=_any_columns,
    ),
    plain(
        "a.all",
        f"(a: [A], {_TEST}) -> boolean",
        rule=lambda a, fcn: all(map(fcn, a)),
        columns=_all_columns,
    ),
    plain(
        "a.corresponds",
        "(a: [A], b: [B], fcn: (A, B -> boolean)) -> boolean",
        rule=_corresponds,
    ),
    plain(
        "a.correspondsWithIndex",
        "(a: [A], b: [B], fcn: (int, A, B -> boolean)) -> boolean",
        rule=lambda a, b, fcn: len(a) == len(b) and all(map(fcn, count(), a, b)),
    ),
)
