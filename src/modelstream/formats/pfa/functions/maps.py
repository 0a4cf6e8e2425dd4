"""Maps: parts, searching, changing, sets and functions applied (PFA 0.8.1, map.*)."""

import base64
from collections.abc import Callable
from typing import Any

from modelstream.formats.pfa.avro import encode
from modelstream.formats.pfa.columns import Batch, is_column
from modelstream.formats.pfa.faults import Fault, check_size
from modelstream.formats.pfa.functions.array_numbers import Less, ranked
from modelstream.formats.pfa.library import Call, LibraryFunction, Rule, plain
from modelstream.formats.pfa.types import Map, Type

Entries = dict[str, Any]
_TWO = "(a: {{A}}, b: {{A}}) -> {}"


def _key_of(kind: Type) -> Callable[[Any], str]:
    """Return what makes the key of an item of a set: its binary form, as text."""
    return lambda item: base64.b64encode(encode(kind, item)).decode()


def _values_of(call: Call) -> Type:
    kind = call.params[0]
    assert isinstance(kind, Map)
    return kind.values


def _add(call: Call) -> Rule:
    if len(call.params) == 3:
        return lambda m, key, value: {**m, key: value}
    key_of = _key_of(call.params[1])
    return lambda m, item: {**m, key_of(item): item}


def _to_set(call: Call) -> Rule:
    assert isinstance(call.result, Map)
    key_of = _key_of(call.result.values)
    return lambda a: {key_of(item): item for item in a}


def _in(call: Call) -> Rule:
    key_of = _key_of(_values_of(call))
    return lambda s, x: key_of(x) in s


def _contains_key(m: Entries, key: Any) -> bool:
    return any(map(key, m)) if callable(key) else key in m


def _contains_value(m: Entries, value: Any) -> bool:
    if callable(value):
        return any(map(value, m.values()))
    return any(each == value for each in m.values())


def _join(a: list[Entries]) -> Entries:
    joined: Entries = {}
    for each in a:
        joined.update(each)
    return joined


def _symdiff(a: Entries, b: Entries) -> Entries:
    keys = a.keys() ^ b.keys()
    return {key: value for key, value in (*a.items(), *b.items()) if key in keys}


def _filter_map(pairs: Any) -> Entries:
    return {key: value for key, value in pairs if value is not None}


def _flat(maps: Any) -> Entries:
    flat: Entries = {}
    for each in maps:
        flat.update(each)
        check_size(len(flat))
    return flat


def _zipped(code: int, *, keyed: bool) -> Rule:
    def rule(*arguments: Any) -> Entries:
        *maps, fcn = arguments
        if any(each.keys() != maps[0].keys() for each in maps):
            raise Fault("misaligned maps", code)
        return {key: fcn(*[key] * keyed, *[each[key] for each in maps]) for key in maps[0]}

    return rule


def _zips(name: str, code: int, *, keyed: bool) -> LibraryFunction:
    signatures = []
    for letters in ("AB", "ABC", "ABCD"):
        params = ", ".join(f"{letter.lower()}: {{{letter}}}" for letter in letters)
        given = ", ".join(["string"] * keyed + list(letters))
        signatures.append(f"({params}, fcn: ({given} -> Z)) -> {{Z}}")
    return plain(name, *signatures, rule=_zipped(code, keyed=keyed))


def _corresponds(a: Entries, b: Entries, fcn: Callable[..., bool]) -> bool:
    return a.keys() == b.keys() and all(fcn(a[key], b[key]) for key in a)


def _corresponds_keyed(a: Entries, b: Entries, fcn: Callable[..., bool]) -> bool:
    return a.keys() == b.keys() and all(fcn(key, a[key], b[key]) for key in a)


def _extreme(name: str, code: int, *, highest: bool) -> tuple[LibraryFunction, ...]:
    """Return four functions that find keys by their values; of equal ones the first by name."""
    less = "lessThan: (A, A -> boolean)"

    def pick(m: Entries, less_than: Less, count: int) -> list[str]:
        keys = sorted(m)
        before: Less = (lambda x, y: less_than(y, x)) if highest else less_than
        return [keys[at] for at in ranked([m[key] for key in keys], before, count)]

    def checked(number: int, m: Entries, less_than: Less, count: int) -> list[str]:
        if not m:
            raise Fault("empty map", number)
        if count < 0:
            raise Fault("n < 0", number + 1)
        return pick(m, less_than, count)

    def by_order(call: Call) -> Less:
        compare = call.orders.of(_values_of(call))
        return lambda x, y: compare(x, y) < 0

    def one(call: Call) -> Rule:
        less_than = by_order(call)
        return lambda m: checked(code, m, less_than, 1)[0]

    def several(call: Call) -> Rule:
        less_than = by_order(call)
        return lambda m, n: checked(code + 40, m, less_than, n)

    return (
        LibraryFunction(name, ("(m: {A}) -> string",), one),
        plain(
            f"{name}LT",
            f"(m: {{A}}, {less}) -> string",
            rule=lambda m, less_than: checked(code + 20, m, less_than, 1)[0],
        ),
        LibraryFunction(f"{name}N", ("(m: {A}, n: int) -> [string]",), several),
        plain(
            f"{name}NLT",
            f"(m: {{A}}, n: int, {less}) -> [string]",
            rule=lambda m, n, less_than: checked(code + 60, m, less_than, n),
        ),
    )


def _map_columns(_batch: Batch, m: Any, fcn: Any) -> Any:
    if is_column(m):
        return NotImplemented
    values = {key: fcn(value) for key, value in m.items()}
    return NotImplemented if any(map(is_column, values.values())) else values


_KEYED = "fcn: (string, A -> {})"
FUNCTIONS: tuple[LibraryFunction, ...] = (
    plain("map.len", "(m: {A}) -> int", rule=len),
    plain("map.keys", "(m: {A}) -> [string]", rule=list),
    plain("map.values", "(m: {A}) -> [A]", rule=lambda m: list(m.values())),
    plain(
        "map.containsKey",
        "(m: {A}, key: string) -> boolean",
        "(m: {A}, fcn: (string -> boolean)) -> boolean",
        rule=_contains_key,
    ),
    plain(
        "map.containsValue",
        "(m: {A}, value: A) -> boolean",
        "(m: {A}, fcn: (A -> boolean)) -> boolean",
        rule=_contains_value,
    ),
    LibraryFunction(
        "map.add", ("(m: {A}, key: string, value: A) -> {A}", "(m: {A}, item: A) -> {A}"), _add
    ),
    plain(
        "map.remove",
        "(m: {A}, key: string) -> {A}",
        rule=lambda m, key: {name: value for name, value in m.items() if name != key},
    ),
    plain(
        "map.only",
        "(m: {A}, keys: [string]) -> {A}",
        rule=lambda m, keys: {key: value for key, value in m.items() if key in keys},
    ),
    plain(
        "map.except",
        "(m: {A}, keys: [string]) -> {A}",
        rule=lambda m, keys: {key: value for key, value in m.items() if key not in keys},
    ),
    plain("map.update", "(base: {A}, overlay: {A}) -> {A}", rule=lambda a, b: {**a, **b}),
    plain("map.split", "(m: {A}) -> [{A}]", rule=lambda m: [{k: v} for k, v in m.items()]),
    plain("map.join", "(a: [{A}]) -> {A}", rule=_join),
    *_extreme("map.argmax", 26120, highest=True),
    *_extreme("map.argmin", 26130, highest=False),
    LibraryFunction("map.toset", ("(a: [A]) -> {A}",), _to_set),
    plain("map.fromset", "(s: {A}) -> [A]", rule=lambda s: list(s.values())),
    LibraryFunction("map.in", ("(s: {A}, x: A) -> boolean",), _in),
    plain("map.union", _TWO.format("{A}"), rule=lambda a, b: {**a, **b}),
    plain(
        "map.intersection",
        _TWO.format("{A}"),
        rule=lambda a, b: {key: value for key, value in a.items() if key in b},
    ),
    plain(
        "map.diff",
        _TWO.format("{A}"),
        rule=lambda a, b: {key: value for key, value in a.items() if key not in b},
    ),
    plain("map.symdiff", _TWO.format("{A}"), rule=_symdiff),
    plain(
        "map.subset",
        "(little: {A}, big: {A}) -> boolean",
        rule=lambda little, big: little.keys() <= big.keys(),
    ),
    plain("map.disjoint", _TWO.format("boolean"), rule=lambda a, b: a.keys().isdisjoint(b.keys())),
    plain(
        "map.map",
        "(m: {A}, fcn: (A -> B)) -> {B}",
        rule=lambda m, fcn: {key: fcn(value) for key, value in m.items()},
        columns=_map_columns,
    ),
    plain(
        "map.mapWithKey",
        f"(m: {{A}}, {_KEYED.format('B')}) -> {{B}}",
        rule=lambda m, fcn: {key: fcn(key, value) for key, value in m.items()},
    ),
    plain(
        "map.filter",
        "(m: {A}, fcn: (A -> boolean)) -> {A}",
        rule=lambda m, fcn: {key: value for key, value in m.items() if fcn(value)},
    ),
    plain(
        "map.filterWithKey",
        f"(m: {{A}}, {_KEYED.format('boolean')}) -> {{A}}",
        rule=lambda m, fcn: {key: value for key, value in m.items() if fcn(key, value)},
    ),
    plain(
        "map.filterMap",
        "(m: {A}, fcn: (A -> B|null)) -> {B}",
        rule=lambda m, fcn: _filter_map((key, fcn(value)) for key, value in m.items()),
    ),
    plain(
        "map.filterMapWithKey",
        f"(m: {{A}}, {_KEYED.format('B|null')}) -> {{B}}",
        rule=lambda m, fcn: _filter_map((key, fcn(key, value)) for key, value in m.items()),
    ),
    plain(
        "map.flatMap",
        "(m: {A}, fcn: (A -> {B})) -> {B}",
        rule=lambda m, fcn: _flat(fcn(value) for value in m.values()),
    ),
    plain(
        "map.flatMapWithKey",
        f"(m: {{A}}, {_KEYED.format('{B}')}) -> {{B}}",
        rule=lambda m, fcn: _flat(fcn(key, value) for key, value in m.items()),
    ),
    _zips("map.zipmap", 26370, keyed=False),
    _zips("map.zipmapWithKey", 26380, keyed=True),
    plain(
        "map.corresponds",
        "(a: {A}, b: {B}, fcn: (A, B -> boolean)) -> boolean",
        rule=_corresponds,
    ),
    plain(
        "map.correspondsWithKey",
        "(a: {A}, b: {B}, fcn: (string, A, B -> boolean)) -> boolean",
        rule=_corresponds_keyed,
    ),
)
