"""Arrays: parts, searching, changing, sets, restructuring (PFA 0.8.1, a.*)."""

import itertools
import math
from collections.abc import Callable
from typing import Any

import numpy as np

from modelstream.formats.pfa.columns import Batch, is_numbers
from modelstream.formats.pfa.faults import Fault, check_size
from modelstream.formats.pfa.library import Call, LibraryFunction, Rule, plain

_FIND = tuple(f"(haystack: [A], needle: {needle}) -> {{}}" for needle in ("[A]", "A"))
_TEST = "(a: [A], fcn: (A -> boolean)) -> {}"
_TWO = "(a: [A], b: [A]) -> {}"


def _full(name: str, code: int, result: str, rule: Callable[[Any], Any]) -> LibraryFunction:
    """Return a function of an array that must not be empty."""

    def checked(a: list[Any]) -> Any:
        if not a:
            raise Fault("empty array", code)
        return rule(a)

    return plain(name, f"(a: [A]) -> {result}", rule=checked)


def span(length: int, start: int, end: int) -> tuple[int, int]:
    """Return the bounds of a stretch, of which negative ones count from the end."""
    first = min(max(start + length if start < 0 else start, 0), length)
    last = min(max(end + length if end < 0 else end, 0), length)
    return first, max(first, last)


def _place(length: int, index: int, code: int) -> int:
    """Return a place in an array, of which a negative one counts from the end. Raises Fault."""
    found = index + length if index < 0 else index
    if not 0 <= found < length:
        raise Fault("index out of range", code)
    return found


def _subseq_to(a: list[Any], start: int, end: int, replacement: list[Any]) -> list[Any]:
    first, last = span(len(a), start, end)
    check_size(len(a) + len(replacement))
    return [*a[:first], *replacement, *a[last:]]


def _insert(a: list[Any], index: int, item: Any) -> list[Any]:
    at = _place(len(a), index, 15160)
    return [*a[:at], item, *a[at:]]


def _replace(a: list[Any], index: int, item: Any) -> list[Any]:
    at = _place(len(a), index, 15170)
    return [*a[:at], item, *a[at + 1 :]]


def _remove(a: list[Any], start: int, *end: int) -> list[Any]:
    if end:
        first, last = span(len(a), start, end[0])
        return a[:first] + a[last:]
    at = _place(len(a), start, 15180)
    return a[:at] + a[at + 1 :]


def _rotate(a: list[Any], steps: int) -> list[Any]:
    if steps < 0:
        raise Fault("steps out of range", 15190)
    at = steps % len(a) if a else 0
    return a[at:] + a[:at]


def _cycle(a: list[Any], item: Any, longest: int) -> list[Any]:
    if longest < 0:
        raise Fault("maxLength out of range", 15150)
    return [*a, item][-longest:] if longest else []


def _concat(a: list[Any], b: list[Any]) -> list[Any]:
    check_size(len(a) + len(b))
    return a + b


def _starts(haystack: list[Any], needle: Any) -> list[int]:
    """Return each place where the needle is: a stretch, an item, or what a function finds."""
    if callable(needle):
        return [at for at, item in enumerate(haystack) if needle(item)]
    return [at for at, item in enumerate(haystack) if item == needle]


def _stretches(haystack: list[Any], needle: list[Any]) -> list[int]:
    size = len(needle)
    return [at for at in range(len(haystack) - size + 1) if haystack[at : at + size] == needle]


def _search(
    name: str, result: str, found: Callable[[list[int]], Any], *, empty_counts: bool = True
) -> LibraryFunction:
    """Return a search. The types tell whether an array is looked for as a stretch or as an item."""

    def make(call: Call) -> Rule:
        haystack, needle = call.params
        if needle != haystack:
            return lambda a, b: found(_starts(a, b))
        return lambda a, b: found(_stretches(a, b) if b or empty_counts else [])

    signatures = (*(each.format(result) for each in _FIND), _TEST.format(result))
    if name == "a.count":
        signatures = (*signatures[:2], "(a: [A], predicate: (A -> boolean)) -> int")
    else:
        signatures = (*signatures[:2], f"(haystack: [A], needle: (A -> boolean)) -> {result}")
    return LibraryFunction(name, signatures, make)


def _edge(name: str, *, last: bool) -> LibraryFunction:
    def make(call: Call) -> Rule:
        whole = call.params[0] == call.params[1]

        def rule(haystack: list[Any], needle: Any) -> bool:
            part = needle if whole else [needle]
            if last:
                return haystack[max(len(haystack) - len(part), 0) :] == part
            return haystack[: len(part)] == part

        return rule

    return LibraryFunction(name, tuple(each.format("boolean") for each in _FIND), make)


def _distinct(a: list[Any]) -> list[Any]:
    kept: list[Any] = []
    for item in a:
        if item not in kept:
            kept.append(item)
    return kept


def _both_ways(a: list[Any], b: list[Any]) -> list[Any]:
    return [item for item in a if item not in b] + [item for item in b if item not in a]


def _windows(a: list[Any], size: int, step: int) -> list[list[Any]]:
    if size < 1:
        raise Fault("size < 1", 15770)
    if step < 1:
        raise Fault("step < 1", 15771)
    check_size(max(len(a) - size + 1, 0) // step * size)
    return [a[at : at + size] for at in range(0, len(a) - size + 1, step)]


def _combinations(a: list[Any], size: int) -> list[list[Any]]:
    if size < 1:
        raise Fault("size < 1", 15780)
    check_size(math.comb(len(a), size) * size if size <= len(a) <= 10_000 else len(a))
    return [list(each) for each in itertools.combinations(a, size)]


def _permutations(a: list[Any]) -> list[list[Any]]:
    check_size(math.factorial(min(len(a), 20)) * len(a))
    return [list(each) for each in itertools.permutations(a)]


def _flatten(a: list[list[Any]]) -> list[Any]:
    check_size(sum(map(len, a)))
    return list(itertools.chain.from_iterable(a))


def _group(a: list[Any], fcn: Callable[[Any], str]) -> dict[str, list[Any]]:
    groups: dict[str, list[Any]] = {}
    for item in a:
        groups.setdefault(fcn(item), []).append(item)
    return groups


def _len_columns(_batch: Batch, a: Any) -> Any:
    return a.shape[1] if is_numbers(a) else NotImplemented


def _laid(batch: Batch, value: Any) -> Any:
    """Return an array of numbers of each row; None where there is none."""
    if is_numbers(value) and value.ndim == 2:
        return value
    if isinstance(value, list) and value and type(value[0]) in {int, float, bool}:
        return np.broadcast_to(np.array(value), (batch.rows, len(value)))
    return None


def _concat_columns(batch: Batch, a: Any, b: Any) -> Any:
    parts = [_laid(batch, each) for each in (a, b)]
    if parts[0] is None or parts[1] is None:
        return NotImplemented
    if parts[0].dtype != parts[1].dtype:
        return NotImplemented
    return np.concatenate(parts, axis=1)


FUNCTIONS: tuple[LibraryFunction, ...] = (
    plain("a.len", "(a: [A]) -> int", rule=len, columns=_len_columns),
    plain(
        "a.subseq",
        "(a: [A], start: int, end: int) -> [A]",
        rule=lambda a, start, end: a[slice(*span(len(a), start, end))],
    ),
    _full("a.head", 15020, "A", lambda a: a[0]),
    _full("a.tail", 15030, "[A]", lambda a: a[1:]),
    _full("a.last", 15040, "A", lambda a: a[-1]),
    _full("a.init", 15050, "[A]", lambda a: a[:-1]),
    plain(
        "a.subseqto",
        "(a: [A], start: int, end: int, replacement: [A]) -> [A]",
        rule=_subseq_to,
    ),
    _search("a.contains", "boolean", bool),
    _search("a.count", "int", len, empty_counts=False),
    _search("a.index", "int", lambda found: found[0] if found else -1),
    _search("a.rindex", "int", lambda found: found[-1] if found else -1),
    _edge("a.startswith", last=False),
    _edge("a.endswith", last=True),
    plain("a.concat", _TWO.format("[A]"), rule=_concat, columns=_concat_columns),
    plain("a.append", "(a: [A], item: A) -> [A]", rule=lambda a, item: [*a, item]),
    plain("a.cycle", "(a: [A], item: A, maxLength: int) -> [A]", rule=_cycle),
    plain("a.insert", "(a: [A], index: int, item: A) -> [A]", rule=_insert),
    plain("a.replace", "(a: [A], index: int, item: A) -> [A]", rule=_replace),
    plain(
        "a.remove",
        "(a: [A], start: int, end: int) -> [A]",
        "(a: [A], index: int) -> [A]",
        rule=_remove,
    ),
    plain("a.rotate", "(a: [A], steps: int) -> [A]", rule=_rotate),
    plain("a.reverse", "(a: [A]) -> [A]", rule=lambda a: a[::-1]),
    plain("a.distinct", "(a: [A]) -> [A]", rule=_distinct),
    plain(
        "a.seteq",
        _TWO.format("boolean"),
        rule=lambda a, b: all(x in b for x in a) and all(x in a for x in b),
    ),
    plain("a.union", _TWO.format("[A]"), rule=lambda a, b: _distinct(_concat(a, b))),
    plain(
        "a.intersection",
        _TWO.format("[A]"),
        rule=lambda a, b: _distinct([x for x in a if x in b]),
    ),
    plain("a.diff", _TWO.format("[A]"), rule=lambda a, b: [x for x in a if x not in b]),
    plain("a.symdiff", _TWO.format("[A]"), rule=_both_ways),
    plain(
        "a.subset",
        "(little: [A], big: [A]) -> boolean",
        rule=lambda little, big: all(x in big for x in little),
    ),
    plain(
        "a.disjoint",
        _TWO.format("boolean"),
        rule=lambda a, b: all(x not in b for x in a),
    ),
    plain("a.slidingWindow", "(a: [A], size: int, step: int) -> [[A]]", rule=_windows),
    plain("a.combinations", "(a: [A], size: int) -> [[A]]", rule=_combinations),
    plain("a.permutations", "(a: [A]) -> [[A]]", rule=_permutations),
    plain("a.flatten", "(a: [[A]]) -> [A]", rule=_flatten),
    plain("a.groupby", "(a: [A], fcn: (A -> string)) -> {[A]}", rule=_group),
)
