"""Whether arguments fit a signature, and which types its labels then stand for (PFA 0.8.1)."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from modelstream.formats.pfa import types
from modelstream.formats.pfa.patterns import (
    Anything,
    ArrayOf,
    Callback,
    Exactly,
    FieldsOf,
    MapOf,
    OneOf,
    Pattern,
    RecordWith,
    Signature,
)
from modelstream.formats.pfa.types import (
    NUMBERS,
    WHOLE,
    Array,
    Enum,
    Fixed,
    Function,
    Incompatible,
    Map,
    Record,
    Type,
    Union,
    accepts,
    broadest,
)


@dataclass(frozen=True, slots=True)
class Fit:
    """A signature with its labels resolved for some arguments."""

    params: tuple[Type, ...]
    result: Type


def fit(signature: Signature, arguments: Sequence[Type]) -> Fit | None:
    """Return the types that a signature has for arguments of these types; None where none fit."""
    if len(signature.params) != len(arguments):
        return None
    found = _Bindings()
    for pattern, kind in zip(signature.params, arguments, strict=True):
        if not found.match(pattern, kind):
            return None
    try:
        labels = found.resolve()
        params = tuple(
            _assigned(pattern, kind, labels)
            for pattern, kind in zip(signature.params, arguments, strict=True)
        )
        result = _result(signature.result, labels)
    except Incompatible:
        return None
    if not all(map(accepts, params, arguments)):
        return None
    return Fit(params, result)


@dataclass(slots=True)
class _Bindings:
    """What the labels of a signature stand for so far."""

    types: dict[str, list[Type]] = field(default_factory=dict)
    symbols: dict[str, tuple[str, ...]] = field(default_factory=dict)
    words: dict[str, str] = field(default_factory=dict)  # the kinds that labels are of

    def resolve(self) -> dict[str, Type]:
        """Return the type of each label. Raises Incompatible."""
        labels = {label: broadest(kinds) for label, kinds in self.types.items()}
        for label, word in self.words.items():
            if not _is_kind(word, labels[label]):
                raise Incompatible(f"{labels[label]} is no {word}")
        for label, symbols in self.symbols.items():
            record = labels.get(label)
            if not isinstance(record, Record) or tuple(record.fields) != symbols:
                raise Incompatible("the symbols of an enum are not the fields of the record")
        return labels

    def match(  # noqa: C901, PLR0911 - one a kind of pattern
        self, pattern: Pattern, kind: Type, *, strict: bool = False, contra: bool = False
    ) -> bool:
        """Tell whether a type fits; strictly, without promotion; `contra` for what is passed in."""
        if kind is types.NOTHING:
            return False
        if isinstance(pattern, Exactly):
            if strict or pattern.type == kind:
                return pattern.type == kind
            return accepts(kind, pattern.type) if contra else _widens(pattern.type, kind)
        if isinstance(pattern, ArrayOf):
            return isinstance(kind, Array) and self.match(
                pattern.items, kind.items, strict=strict, contra=contra
            )
        if isinstance(pattern, MapOf):
            return isinstance(kind, Map) and self.match(
                pattern.values, kind.values, strict=strict, contra=contra
            )
        if isinstance(pattern, OneOf):
            return self._match_union(pattern, kind, strict=strict, contra=contra)
        if isinstance(pattern, Callback):
            return self._match_function(pattern, kind, strict=strict)
        if isinstance(pattern, RecordWith):
            return self._match_record(pattern, kind, contra=contra)
        if isinstance(pattern, FieldsOf):
            if not isinstance(kind, Enum):
                return False
            self.symbols[pattern.record] = kind.symbols
            return self._bind(pattern.label, kind)
        if pattern.kind:
            self.words[pattern.label] = pattern.kind
        return _is_kind(pattern.kind, kind) and self._bind(pattern.label, kind)

    def _bind(self, label: str, kind: Type) -> bool:
        self.types.setdefault(label, []).append(kind)
        return True

    def _match_function(self, pattern: Callback, kind: Type, *, strict: bool) -> bool:
        return (
            isinstance(kind, Function)
            and len(kind.params) == len(pattern.params)
            and all(
                self.match(each, param, strict=strict, contra=True)
                for each, param in zip(pattern.params, kind.params, strict=True)
            )
            and self.match(pattern.result, kind.result, strict=strict)
        )

    def _match_record(self, pattern: RecordWith, kind: Type, *, contra: bool) -> bool:
        if not isinstance(kind, Record):
            return False
        self._bind(pattern.label, kind)
        return all(
            name in kind.fields and self.match(each, kind.fields[name], strict=True, contra=contra)
            for name, each in pattern.fields
        )

    def _match_union(self, pattern: OneOf, kind: Type, *, strict: bool, contra: bool) -> bool:
        if isinstance(kind, Union):
            return self._match_members(pattern.choices, kind.members, contra=contra)
        return any(
            self._try(choice, kind, strict=strict, contra=contra) for choice in pattern.choices
        )

    def _match_members(
        self, choices: tuple[Pattern, ...], kinds: tuple[Type, ...], *, contra: bool
    ) -> bool:
        """Find a choice of its own for each member of a union."""
        if not kinds:
            return True
        for at, choice in enumerate(choices):
            before = self._copy()
            rest = choices[:at] + choices[at + 1 :]
            if self.match(choice, kinds[0], strict=True, contra=contra) and self._match_members(
                rest, kinds[1:], contra=contra
            ):
                return True
            self.types, self.symbols = before
        return False

    def _try(self, pattern: Pattern, kind: Type, *, strict: bool, contra: bool) -> bool:
        before = self._copy()
        if self.match(pattern, kind, strict=strict, contra=contra):
            return True
        self.types, self.symbols = before
        return False

    def _copy(self) -> tuple[dict[str, list[Type]], dict[str, tuple[str, ...]]]:
        return {label: list(kinds) for label, kinds in self.types.items()}, dict(self.symbols)


def _widens(wide: Type, narrow: Type) -> bool:
    return wide in NUMBERS and narrow in NUMBERS and accepts(wide, narrow)


def _is_kind(word: str, kind: Type) -> bool:
    if isinstance(kind, Function):
        return False
    if word == "number":
        return kind in NUMBERS
    if word == "whole":
        return kind in WHOLE
    if word == "enum":
        return isinstance(kind, Enum)
    return isinstance(kind, Fixed) if word == "fixed" else True


def _assigned(pattern: Pattern, kind: Type, labels: Mapping[str, Type]) -> Type:
    """Return the type that an argument is changed to before it is handed over."""
    if isinstance(pattern, Exactly):
        return pattern.type
    if isinstance(pattern, ArrayOf) and isinstance(kind, Array):
        return Array(_assigned(pattern.items, kind.items, labels))
    if isinstance(pattern, MapOf) and isinstance(kind, Map):
        return Map(_assigned(pattern.values, kind.values, labels))
    if isinstance(pattern, Callback) and isinstance(kind, Function):
        return Function(
            tuple(map(_assigned, pattern.params, kind.params, [labels] * len(kind.params))),
            _assigned(pattern.result, kind.result, labels),
        )
    if isinstance(pattern, Anything | RecordWith | FieldsOf):
        return labels[pattern.label]
    return kind


def _result(pattern: Pattern, labels: Mapping[str, Type]) -> Type:
    """Return the type of what a function answers."""
    if isinstance(pattern, Exactly):
        return pattern.type
    if isinstance(pattern, ArrayOf):
        return Array(_result(pattern.items, labels))
    if isinstance(pattern, MapOf):
        return Map(_result(pattern.values, labels))
    if isinstance(pattern, OneOf):
        return types.union(
            each for choice in pattern.choices for each in types.members(_result(choice, labels))
        )
    if isinstance(pattern, Callback):
        return Function(
            tuple(_result(each, labels) for each in pattern.params),
            _result(pattern.result, labels),
        )
    return labels[pattern.label]


def fixed_types(signature: Signature) -> tuple[tuple[Type, ...], Type] | None:
    """Return the types of a signature without labels; None for one with labels."""
    try:
        params = tuple(_result(pattern, {}) for pattern in signature.params)
        return params, _result(signature.result, {})
    except KeyError:
        return None
