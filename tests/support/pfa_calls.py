"""A document for each signature of each library function, with records to call it with."""

import math
import random
from dataclasses import dataclass, field
from typing import Any

from modelstream.formats.pfa.patterns import (
    Anything,
    ArrayOf,
    Callback,
    Exactly,
    MapOf,
    OneOf,
    Pattern,
    RecordWith,
    Signature,
)

_CHOICES = {
    "": ("double", "int", "string"),
    "number": ("double", "int", "long"),
    "whole": ("int", "long"),
}
_WORDS = ("", "a", "ab", "b", "abc", " x ", "0", "12", "-7", "2.5", "hello", "é", "日本")
_REALS = (0.0, 1.0, -1.0, 0.5, 2.0, 3.7, -2.25, 10.0, 100.5, 0.25, float("nan"), float("inf"))
_INTS = (0, 1, 2, 3, -1, -3, 7, 10, 100)
# Where arithmetic ends: no record is without one of these for long.
_EXTREME_REALS = (-0.0, -math.inf, 1e308, -1e308, 5e-324, 2.0**53, -1e17)
# No larger ints: some functions make as many items as an int tells them, and titus2 does so.
_EXTREME_INTS = (46_341, -46_341)
_EXTREME_LONGS = (2**31, 2**63 - 1, -(2**63), 2**53 + 1)


@dataclass
class Maker:
    """Makes types and values for the patterns of one signature."""

    rng: random.Random
    extreme: float  # how many of the numbers are
    labels: dict[str, Any] = field(default_factory=dict)
    declared: set[str] = field(default_factory=set)

    def type(self, pattern: Pattern) -> Any:
        """Return a type, as JSON; a named one is declared where it is first named."""
        if isinstance(pattern, Exactly):
            return pattern.type.name  # type: ignore[union-attr]
        if isinstance(pattern, ArrayOf):
            return {"type": "array", "items": self.type(pattern.items)}
        if isinstance(pattern, MapOf):
            return {"type": "map", "values": self.type(pattern.values)}
        if isinstance(pattern, OneOf):
            return [self.type(choice) for choice in pattern.choices]
        if isinstance(pattern, Anything):
            return self._any(pattern)
        if isinstance(pattern, RecordWith):
            return self._record(pattern)
        raise LookupError

    def _any(self, pattern: Anything) -> Any:
        known = self.labels.get(pattern.label)
        if known is not None:
            return known
        if pattern.kind == "enum":
            self.labels[pattern.label] = f"Enum{pattern.label}"
            return {"type": "enum", "name": f"Enum{pattern.label}", "symbols": ["a", "b", "c"]}
        if pattern.kind == "fixed":
            self.labels[pattern.label] = f"Fixed{pattern.label}"
            return {"type": "fixed", "name": f"Fixed{pattern.label}", "size": 3}
        self.labels[pattern.label] = self.rng.choice(_CHOICES[pattern.kind])
        return self.labels[pattern.label]

    def _record(self, pattern: RecordWith) -> Any:
        name = f"Record{pattern.label}"
        if name in self.declared:
            return name
        self.declared.add(name)
        self.labels[pattern.label] = name
        fields = [{"name": key, "type": self.type(each)} for key, each in pattern.fields]
        return {"type": "record", "name": name, "fields": fields}

    def value(self, pattern: Pattern) -> Any:
        """Return a record's value for a pattern, as JSON."""
        if isinstance(pattern, ArrayOf):
            return [self.value(pattern.items) for _ in range(self.rng.choice((0, 1, 2, 3, 3, 4)))]
        if isinstance(pattern, MapOf):
            keys = self.rng.sample("abcd", self.rng.choice((0, 1, 2, 3)))
            return {key: self.value(pattern.values) for key in keys}
        if isinstance(pattern, OneOf):
            # A tree that goes on for ever has no JSON: it ends at once.
            ends = [c for c in pattern.choices if not isinstance(c, RecordWith) or c.fields]
            chosen = self.rng.choice(ends)
            inner = self.value(chosen)
            return None if inner is None else {_tag(self.type(chosen)): inner}
        if isinstance(pattern, RecordWith):
            return {key: self.value(each) for key, each in pattern.fields}
        kind = self.type(pattern)
        return self.scalar(kind)

    def scalar(self, kind: Any) -> Any:
        if isinstance(kind, str) and kind.startswith("Enum"):
            return self.rng.choice("abc")
        if isinstance(kind, str) and kind.startswith("Fixed"):
            return "".join(self.rng.choice("xyz") for _ in range(3))
        extreme = self.rng.random() < self.extreme
        if kind in ("int", "long"):
            most = _EXTREME_INTS if kind == "int" else (*_EXTREME_INTS, *_EXTREME_LONGS)
            return self.rng.choice(most if extreme else _INTS)
        if kind in ("double", "float"):
            return self.rng.choice(_EXTREME_REALS if extreme else _REALS)
        if kind == "boolean":
            return self.rng.random() < 0.5
        words = [word for word in _WORDS if kind != "bytes" or word.isascii()]
        return None if kind == "null" else self.rng.choice(words)


def _tag(kind: Any) -> str:
    return kind if isinstance(kind, str) else str(kind.get("name", kind["type"]))


def calls(
    name: str, signature: Signature, seed: int, rows: int, extreme: float = 0.0
) -> dict[str, Any] | None:
    """Return a document that calls a function, with records; None where there is none to make."""
    maker = Maker(random.Random(f"{name} {seed}"), extreme)
    fields, arguments, patterns = [], [], {}
    try:
        # Functions come last: their parameters are of types that values have declared.
        for param, pattern in zip(signature.names, signature.params, strict=True):
            if not isinstance(pattern, Callback):
                fields.append({"name": param, "type": maker.type(pattern)})
                patterns[param] = pattern
        for param, pattern in zip(signature.names, signature.params, strict=True):
            if isinstance(pattern, Callback):
                arguments.append(_function(maker, pattern))
            else:
                arguments.append(f"input.{param}")
        made = maker.type(signature.result)
    except LookupError:
        return None
    if not fields:
        fields = [{"name": "unused", "type": "null"}]
    return {
        "document": {
            "input": {"type": "record", "name": "Given", "fields": fields},
            "output": made,
            "action": [{name: arguments}],
        },
        "records": [
            {param: maker.value(pattern) for param, pattern in patterns.items()} or {"unused": None}
            for _ in range(rows)
        ],
    }


def _function(maker: Maker, pattern: Callback) -> Any:
    kinds = [maker.type(each) for each in pattern.params]
    result = maker.type(pattern.result)
    names = [f"p{at}" for at in range(len(kinds))]
    return {
        "params": [{name: kind} for name, kind in zip(names, kinds, strict=True)],
        "ret": result,
        "do": _body(result, dict(zip(names, kinds, strict=True))),
    }


def _body(result: Any, params: dict[str, Any]) -> Any:
    """Return an expression of a type that depends on the parameters where it can."""
    same = [name for name, kind in params.items() if kind == result]
    number = result in ("double", "int", "long")
    if result == "boolean":
        return _test(params)
    if same and not number:
        return same[-1]
    if len(same) == 2:
        return {"-": [{"*": [2, same[0]]}, same[1]]}
    if same:
        return {"+": [same[0], 1]}
    return _number(result, params) if number else _other(result, params)


def _number(result: str, params: dict[str, Any]) -> Any:
    """Return a number of parameters that are of other types."""
    numbers = [name for name, kind in params.items() if kind in ("int", "long", "double")]
    strings = [name for name, kind in params.items() if kind == "string"]
    vectors = [n for n, kind in params.items() if kind == {"type": "array", "items": "double"}]
    if result == "double" and len(numbers) == 2:
        return {"m.abs": [{"-": numbers}]}
    if result == "double":
        return {"a.sum": vectors[0]} if vectors else 1.5
    if result == "int" and strings:
        return {"s.len": strings[0]}
    return {result: 3}


def _other(result: Any, params: dict[str, Any]) -> Any:
    """Return a string, an array, a map or a union."""
    if isinstance(result, list):
        known = next(each for each in result if each != "null")
        return {"if": _test(params), "then": _body(known, params), "else": None}
    if isinstance(result, dict) and result["type"] == "array":
        return {"new": [_body(result["items"], params)], "type": result}
    if isinstance(result, dict) and result["type"] == "map":
        return {"new": {"k": _body(result["values"], params)}, "type": result}
    if result != "string":
        raise LookupError
    return {"if": _test(params), "then": {"string": "yes"}, "else": {"string": "no"}}


def _test(params: dict[str, Any]) -> Any:
    names = list(params)
    if len(names) > 1 and params[names[-1]] == params[names[-2]]:
        return {"<": names[-2:]}
    kind = params[names[-1]]
    if kind in ("int", "long", "double"):
        return {">": [names[-1], 1]}
    return {"s.contains": [names[-1], ["a"]]} if kind == "string" else True
