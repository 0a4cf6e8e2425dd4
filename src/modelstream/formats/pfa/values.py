"""The values that expressions have, and how a value of one type becomes one of a wider type.

null, boolean, string, bytes and numbers are Python's; an enum is a str, a fixed is bytes, an array
is a list, a map is a dict, a record is a `Struct`. Nobody changes a list or dict once it is made.
A value in a union is itself: types that could not be told apart are no union here.
"""

from collections.abc import Callable, Mapping
from typing import Any

from modelstream.formats.pfa.types import (
    BOOLEAN,
    BYTES,
    NULL,
    REAL,
    STRING,
    WHOLE,
    Array,
    Enum,
    Fixed,
    Map,
    Record,
    Type,
    Union,
    accepts,
    members,
)

Change = Callable[[Any], Any]


class Struct(dict[str, Any]):
    """The value of a record; `name` is that of its type."""

    __slots__ = ("name",)

    def __init__(self, name: str, fields: Mapping[str, Any]) -> None:
        super().__init__(fields)
        self.name = name

    def replaced(self, **fields: Any) -> "Struct":
        """Return a record of the same type in which some fields are others."""
        return Struct(self.name, {**self, **fields})


def is_of(kind: Type) -> Callable[[Any], bool]:
    """Return what tells whether a value of some union is of this member of it."""
    if kind == NULL:
        return lambda value: value is None
    if isinstance(kind, Record):
        name = kind.name
        return lambda value: type(value) is Struct and value.name == name
    python: type = list
    if kind == BOOLEAN:
        python = bool
    elif kind in WHOLE:
        python = int
    elif kind in REAL:
        python = float
    elif kind == STRING or isinstance(kind, Enum):
        python = str
    elif kind == BYTES or isinstance(kind, Fixed):
        python = bytes
    elif isinstance(kind, Map):
        python = dict
    return lambda value: type(value) is python


def coercion(narrow: Type, wide: Type) -> Change | None:  # noqa: PLR0911 - one a kind of type
    """Return what makes a value of the wide type of one of the narrow type; None for nothing."""
    if narrow is wide or narrow == wide:
        return None
    if isinstance(narrow, Union):
        return _of_union(narrow, wide)
    if isinstance(wide, Union):
        exact: list[Type] = [each for each in wide.members if each == narrow]
        taken = exact or [each for each in wide.members if accepts(each, narrow)]
        return coercion(narrow, taken[0]) if taken else None
    if narrow in WHOLE and wide in REAL:
        return float
    if isinstance(narrow, Array) and isinstance(wide, Array):
        return _of_items(coercion(narrow.items, wide.items))
    if isinstance(narrow, Map) and isinstance(wide, Map):
        return _of_values(coercion(narrow.values, wide.values))
    return None


def _of_items(change: Change | None) -> Change | None:
    if change is None:
        return None
    known = change
    return lambda items: [known(item) for item in items]


def _of_values(change: Change | None) -> Change | None:
    if change is None:
        return None
    known = change
    return lambda items: {key: known(item) for key, item in items.items()}


def _of_union(narrow: Union, wide: Type) -> Change | None:
    changes: list[tuple[Callable[[Any], bool], Change]] = [
        (is_of(kind), change)
        for kind in members(narrow)
        if (change := coercion(kind, wide)) is not None
    ]
    if not changes:
        return None

    def change_value(value: Any) -> Any:
        for belongs, change in changes:
            if belongs(value):
                return change(value)
        return value

    return change_value
