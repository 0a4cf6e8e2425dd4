"""Avro's types as PFA uses them: what they are, and which of them accepts which (Avro 1.7.6, PFA 0.8.1).

Named types are one object a name and document, so that identity is equality. How types are read
from a document is the business of `schema`.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Primitive:
    """A type without parts. `NOTHING` is that of an expression that never returns."""

    name: str

    def __str__(self) -> str:
        return self.name


@dataclass(frozen=True, slots=True)
class Array:
    """A list of items of one type."""

    items: "Type"

    def __str__(self) -> str:
        return f"array of {self.items}"


@dataclass(frozen=True, slots=True)
class Map:
    """Values of one type by string."""

    values: "Type"

    def __str__(self) -> str:
        return f"map of {self.values}"


@dataclass(slots=True, eq=False)
class Record:
    """Named fields. They are filled in after the record is made, because types may be recursive."""

    name: str
    fields: "dict[str, Type]" = field(default_factory=dict)
    defaults: dict[str, object] = field(default_factory=dict)
    orders: dict[str, str] = field(default_factory=dict)

    def __str__(self) -> str:
        return self.name


@dataclass(slots=True, eq=False)
class Enum:
    """One of some symbols."""

    name: str
    symbols: tuple[str, ...]

    def __str__(self) -> str:
        return self.name


@dataclass(slots=True, eq=False)
class Fixed:
    """Bytes of a given number."""

    name: str
    size: int

    def __str__(self) -> str:
        return self.name


@dataclass(frozen=True, slots=True)
class Union:
    """A value of one of several types, none of which is a union."""

    members: "tuple[Type, ...]"

    def __str__(self) -> str:
        return f"union of {', '.join(map(str, self.members))}"


@dataclass(frozen=True, slots=True)
class Function:
    """What an argument that is a function has for a type; no value has it."""

    params: "tuple[Type, ...]"
    result: "Type"

    def __str__(self) -> str:
        return f"function of ({', '.join(map(str, self.params))}) to {self.result}"


Type = Primitive | Array | Map | Record | Enum | Fixed | Union | Function

NULL = Primitive("null")
BOOLEAN = Primitive("boolean")
INT = Primitive("int")
LONG = Primitive("long")
FLOAT = Primitive("float")
DOUBLE = Primitive("double")
BYTES = Primitive("bytes")
STRING = Primitive("string")
NOTHING = Primitive("nothing")
PRIMITIVES = {each.name: each for each in (NULL, BOOLEAN, INT, LONG, FLOAT, DOUBLE, BYTES, STRING)}
# From the narrowest to the widest: each accepts those before it.
NUMBERS = (INT, LONG, FLOAT, DOUBLE)
WHOLE = frozenset({INT, LONG})
REAL = frozenset({FLOAT, DOUBLE})


class Incompatible(Exception):
    """No type accepts all of some types."""


def members(kind: Type) -> tuple[Type, ...]:
    """Return the types that a value of this type may have."""
    return kind.members if isinstance(kind, Union) else (kind,)


def tag(kind: Type) -> str:
    """Return the word that JSON tags a value in a union with."""
    if isinstance(kind, Array):
        return "array"
    return "map" if isinstance(kind, Map) else str(getattr(kind, "name", kind))


def accepts(wide: Type, narrow: Type) -> bool:
    """Tell whether a value of the narrow type can stand where one of the wide type is due."""
    if wide is narrow:
        return wide is not NOTHING
    if narrow is NOTHING:
        return False
    if isinstance(wide, Union) or isinstance(narrow, Union):
        return all(any(_accepts_one(w, n) for w in members(wide)) for n in members(narrow))
    return _accepts_one(wide, narrow)


def _accepts_one(wide: Type, narrow: Type) -> bool:
    if wide in NUMBERS and narrow in NUMBERS:
        return NUMBERS.index(narrow) <= NUMBERS.index(wide)
    if isinstance(wide, Array) and isinstance(narrow, Array):
        return accepts(wide.items, narrow.items)
    if isinstance(wide, Map) and isinstance(narrow, Map):
        return accepts(wide.values, narrow.values)
    if isinstance(wide, Function) and isinstance(narrow, Function):
        return (
            len(wide.params) == len(narrow.params)
            and all(accepts(n, w) for w, n in zip(wide.params, narrow.params, strict=True))
            and accepts(wide.result, narrow.result)
        )
    return wide == narrow


def broadest(kinds: Iterable[Type]) -> Type:
    """Return the narrowest type that accepts all of these, without those that never return.

    Raises Incompatible.
    """
    known = [kind for kind in dict.fromkeys(kinds) if kind is not NOTHING]
    if not known:
        return NULL
    if len(known) == 1:
        return known[0]
    if all(kind in NUMBERS for kind in known):
        return max(known, key=NUMBERS.index)
    arrays = [kind.items for kind in known if isinstance(kind, Array)]
    if len(arrays) == len(known):
        return Array(broadest(arrays))
    maps = [kind.values for kind in known if isinstance(kind, Map)]
    if len(maps) == len(known):
        return Map(broadest(maps))
    if any(isinstance(kind, Function) for kind in known):
        raise Incompatible(f"functions of different types: {_listed(known)}")
    for named in (Record, Enum, Fixed):
        if all(isinstance(kind, named) for kind in known):
            raise Incompatible(f"no type accepts each of {_listed(known)}")
    return union(each for kind in known for each in members(kind))


def union(kinds: Iterable[Type]) -> Type:
    """Return the union of some types, each of which is named once; a single one is itself.

    Raises Incompatible when values of two of them could not be told apart.
    """
    kept: list[Type] = []
    for kind in kinds:
        if any(accepts(other, kind) for other in kept):
            continue
        kept = [other for other in kept if not accepts(kind, other)] + [kind]
    check_distinct(kept)
    return kept[0] if len(kept) == 1 else Union(tuple(kept))


# Values of two members of one of these groups look alike: a union may hold one of each group.
_ALIKE: tuple[tuple[str, Callable[[Type], bool]], ...] = (
    ("whole numbers", lambda kind: kind in WHOLE),
    ("real numbers", lambda kind: kind in REAL),
    ("strings and enums", lambda kind: kind == STRING or isinstance(kind, Enum)),
    ("bytes and fixed", lambda kind: kind == BYTES or isinstance(kind, Fixed)),
    ("arrays", lambda kind: isinstance(kind, Array)),
    ("maps", lambda kind: isinstance(kind, Map)),
)


def check_distinct(kinds: Iterable[Type]) -> None:
    """Raise Incompatible unless a value tells which of these types it has."""
    several = list(kinds)
    for group, belongs in _ALIKE:
        if sum(map(belongs, several)) > 1:
            raise Incompatible(
                f"values of a union of {_listed(several)} cannot be told apart: a union may have "
                f"one type of the {group}"
            )


def _listed(kinds: Iterable[Type]) -> str:
    return ", ".join(map(str, kinds))
