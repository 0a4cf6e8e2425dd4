"""How values of one type are compared (Avro 1.7.6, Sort Order; PFA 0.8.1, cmp).

NaN is greater than any number and equal to itself. Enums compare by position, records by field.
"""

import math
from collections.abc import Callable
from functools import cmp_to_key
from typing import Any

from modelstream.errors import UnsupportedModel
from modelstream.formats.pfa.types import NULL, REAL, Array, Enum, Map, Record, Type, Union, members
from modelstream.formats.pfa.values import is_of

Compare = Callable[[Any, Any], int]


class Orders:
    """The comparisons of the types of one document; a recursive record has one, made once."""

    def __init__(self) -> None:
        self._records: dict[Record, Compare] = {}

    def of(self, kind: Type) -> Compare:
        """Return what gives -1, 0 or 1. Raises UnsupportedModel for maps, which have no order."""
        if isinstance(kind, Map):
            raise UnsupportedModel("maps have no order, so that they cannot be compared")
        if kind == NULL:
            return lambda _x, _y: 0
        if kind in REAL:
            return _reals
        if isinstance(kind, Enum):
            places = {symbol: place for place, symbol in enumerate(kind.symbols)}
            return lambda x, y: _plain(places[x], places[y])
        if isinstance(kind, Array):
            return _arrays(self.of(kind.items))
        if isinstance(kind, Record):
            return self._of_record(kind)
        return self._of_union(kind) if isinstance(kind, Union) else _plain

    def key(self, kind: Type) -> Callable[[Any], Any]:
        """Return a key to sort values of a type by."""
        return cmp_to_key(self.of(kind))

    def _of_record(self, kind: Record) -> Compare:
        if kind in self._records:
            # That of a record in itself is known once its fields are.
            return lambda x, y: self._records[kind](x, y)  # noqa: PLW0108 - looked up when called
        self._records[kind] = _plain  # until its fields are known
        fields = [
            (name, self.of(field), kind.orders.get(name) == "descending")
            for name, field in kind.fields.items()
            if kind.orders.get(name) != "ignore"
        ]

        def compare(x: Any, y: Any) -> int:
            for name, one, descending in fields:
                found = one(x[name], y[name])
                if found:
                    return -found if descending else found
            return 0

        self._records[kind] = compare
        return compare

    def _of_union(self, kind: Union) -> Compare:
        each = [(is_of(member), self.of(member)) for member in members(kind)]

        def compare(x: Any, y: Any) -> int:
            at_x, at_y = (
                next(place for place, (belongs, _) in enumerate(each) if belongs(value))
                for value in (x, y)
            )
            return each[at_x][1](x, y) if at_x == at_y else _plain(at_x, at_y)

        return compare


def _plain(x: Any, y: Any) -> int:
    return int(x > y) - int(x < y)


def _reals(x: Any, y: Any) -> int:
    if math.isnan(x) or math.isnan(y):
        return math.isnan(x) - math.isnan(y)
    return _plain(x, y)


def _arrays(one: Compare) -> Compare:
    def compare(x: Any, y: Any) -> int:
        for left, right in zip(x, y, strict=False):
            found = one(left, right)
            if found:
                return found
        return _plain(len(x), len(y))

    return compare
