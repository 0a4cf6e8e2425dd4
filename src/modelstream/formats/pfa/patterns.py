"""The signatures of library functions, as the tables write them; `fitting` compares them.

`(a: [A], fcn: (A -> boolean)) -> [A]` takes an array of any type and a predicate of its items.
`[T]` is an array, `{T}` a map, `T|U` a union, `(T, U -> V)` a function, `R{x: T}` a record with at
least these fields; `number A`, `whole A`, `enum A`, `fixed A` and `A` are any type of the kind,
`fields F of D` is an enum of the names of the fields of record D.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass

from modelstream.formats.pfa import types
from modelstream.formats.pfa.types import Type

_TOKEN = re.compile(r"\s*([A-Za-z_]\w*|->|[\[\]{}(),:|])")


@dataclass(frozen=True, slots=True)
class Exactly:
    """A type without parts; a narrower number will do."""

    type: Type


@dataclass(frozen=True, slots=True)
class ArrayOf:
    """An array."""

    items: "Pattern"


@dataclass(frozen=True, slots=True)
class MapOf:
    """A map."""

    values: "Pattern"


@dataclass(frozen=True, slots=True)
class OneOf:
    """A union of these, or one of them."""

    choices: "tuple[Pattern, ...]"


@dataclass(frozen=True, slots=True)
class Callback:
    """A function."""

    params: "tuple[Pattern, ...]"
    result: "Pattern"


@dataclass(frozen=True, slots=True)
class Anything:
    """Any type of a kind; the same label is the same type."""

    label: str
    kind: str = ""


@dataclass(frozen=True, slots=True)
class RecordWith:
    """A record that has at least these fields."""

    label: str
    fields: "tuple[tuple[str, Pattern], ...]"


@dataclass(frozen=True, slots=True)
class FieldsOf:
    """An enum of the names of a record's fields, in their order."""

    label: str
    record: str


Pattern = Exactly | ArrayOf | MapOf | OneOf | Callback | Anything | RecordWith | FieldsOf


@dataclass(frozen=True, slots=True)
class Signature:
    """Named parameters and a result."""

    names: tuple[str, ...]
    params: tuple[Pattern, ...]
    result: Pattern


def parse_signature(text: str) -> Signature:
    """Read a signature as the tables write it."""
    reader = _Reader(_TOKEN.findall(text))
    reader.take("(")
    names, params = [], []
    while not reader.accept(")"):
        names.append(reader.next())
        reader.take(":")
        params.append(reader.pattern())
        reader.accept(",")
    reader.take("->")
    return Signature(tuple(names), tuple(params), reader.pattern())


class _Reader:
    """Reads patterns from tokens; the texts are our own, so that nothing is ever wrong in them."""

    def __init__(self, tokens: Sequence[str]) -> None:
        self._tokens = tokens
        self._at = 0

    def next(self) -> str:
        self._at += 1
        return self._tokens[self._at - 1]

    def accept(self, token: str) -> bool:
        found = self._at < len(self._tokens) and self._tokens[self._at] == token
        self._at += found
        return found

    def take(self, token: str) -> None:
        found = self.next()
        assert found == token, f"{found} where {token} is due"

    def pattern(self) -> Pattern:
        choices = [self._one()]
        while self.accept("|"):
            choices.append(self._one())
        return choices[0] if len(choices) == 1 else OneOf(tuple(choices))

    def _one(self) -> Pattern:  # noqa: PLR0911 - one a kind of pattern
        if self.accept("["):
            items = self.pattern()
            self.take("]")
            return ArrayOf(items)
        if self.accept("{"):
            values = self.pattern()
            self.take("}")
            return MapOf(values)
        if self.accept("("):
            return self._callback()
        word = self.next()
        if word in types.PRIMITIVES:
            return Exactly(types.PRIMITIVES[word])
        if word == "fields":
            label = self.next()
            self.take("of")
            return FieldsOf(label, self.next())
        if word in {"number", "whole", "enum", "fixed"}:
            return Anything(self.next(), word)
        return self._record(word) if self.accept("{") else Anything(word)

    def _callback(self) -> Pattern:
        params: list[Pattern] = []
        while not self.accept("->"):
            params.append(self.pattern())
            self.accept(",")
        result = self.pattern()
        self.take(")")
        return Callback(tuple(params), result)

    def _record(self, label: str) -> Pattern:
        fields = []
        while not self.accept("}"):
            name = self.next()
            self.take(":")
            fields.append((name, self.pattern()))
            self.accept(",")
        return RecordWith(label, tuple(fields))
