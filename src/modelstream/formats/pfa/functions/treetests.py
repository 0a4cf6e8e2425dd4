"""What the nodes of a decision tree ask of a record (PFA 0.8.1, model.tree.simpleTest and others)."""

from collections.abc import Callable
from typing import Any

from modelstream.formats.pfa.faults import Fault
from modelstream.formats.pfa.order import Compare, Orders
from modelstream.formats.pfa.types import (
    NULL,
    NUMBERS,
    Array,
    Enum,
    Incompatible,
    Primitive,
    Record,
    Type,
    accepts,
    members,
    union,
)

Test = Callable[[Any, Any], bool | None]

NUMBER_TESTS: dict[str, Callable[[Any, Any], bool]] = {
    "<=": lambda x, y: x <= y,
    "<": lambda x, y: x < y,
    ">=": lambda x, y: x >= y,
    ">": lambda x, y: x > y,
    "==": lambda x, y: x == y,
    "!=": lambda x, y: x != y,
}
_ORDER_TESTS: dict[str, Callable[[int], bool]] = {
    "<=": lambda found: found <= 0,
    "<": lambda found: found < 0,
    ">=": lambda found: found >= 0,
    ">": lambda found: found > 0,
    "==": lambda found: found == 0,
    "!=": lambda found: found != 0,
}


class Comparison:
    """Compares a field of a record with a value, as a node says.

    With `skips_null` a comparison of a missing value has no outcome, else null is a value.
    `code` is that of an operator that is none; the next is that of a value of the wrong type.
    """

    def __init__(
        self, datum: Record, node: Record, orders: Orders, code: int, *, skips_null: bool
    ) -> None:
        self._code = code
        self._skips_null = skips_null
        value = node.fields["value"]
        self._scalars = {
            name
            for name, field in datum.fields.items()
            if all(isinstance(each, Primitive | Enum) for each in members(field))
        }
        self._kinds = {
            name: _kind(_known(field) if skips_null else field, value, orders)
            for name, field in datum.fields.items()
        }
        self._in = {
            name: any(
                isinstance(each, Array)
                and accepts(each.items, _known(field) if skips_null else field)
                for each in members(value)
            )
            for name, field in datum.fields.items()
        }

    def __call__(self, datum: Any, node: Any) -> bool | None:
        """Tell whether the comparison holds; None where it cannot be told. Raises Fault."""
        operator, name = node["operator"], node["field"]
        found = datum[name]
        if operator in {"alwaysTrue", "alwaysFalse"}:
            return bool(operator == "alwaysTrue")
        if not self._skips_null and operator in {"isMissing", "notMissing"}:
            return bool((found is None) == (operator == "isMissing"))
        if operator in {"in", "notIn"}:
            return self._is_in(name, found, node["value"], operator)
        return self._compare(name, found, node["value"], operator)

    def is_scalar(self, name: str) -> bool:
        """Tell whether a field's values have no parts."""
        return name in self._scalars

    def is_number(self, name: str) -> bool:
        """Tell whether a field is compared by its number."""
        return self._kinds[name] == "number"

    def _compare(self, name: str, found: Any, value: Any, operator: str) -> bool | None:
        kind = self._kinds[name]
        if kind is None:
            raise Fault("bad value type", self._code + 1)
        if self._skips_null and found is None:
            return None
        if kind == "number":
            if type(value) is not float and type(value) is not int:
                raise Fault("bad value type", self._code + 1)
            test = NUMBER_TESTS.get(operator)
            if test is None:
                raise Fault("invalid comparison operator", self._code)
            return test(found, value)
        holds = _ORDER_TESTS.get(operator)
        if holds is None:
            raise Fault("invalid comparison operator", self._code)
        assert callable(kind)
        return holds(kind(found, value))

    def _is_in(self, name: str, found: Any, value: Any, operator: str) -> bool | None:
        if not self._in[name] or not isinstance(value, list):
            raise Fault("bad value type", self._code + 1)
        if self._skips_null and found is None:
            return None
        return (found in value) == (operator == "in")


def _known(kind: Type) -> Type:
    """Return a type without null."""
    known = [each for each in members(kind) if each != NULL]
    try:
        return union(known) if known else kind
    except Incompatible:
        return kind


def _kind(field: Type, value: Type, orders: Orders) -> Compare | str | None:
    """Return how a field compares with values: by its number, by an order, or not at all."""
    if field in NUMBERS:
        comparable = accepts(value, field) or value in NUMBERS
        return "number" if comparable else None
    return orders.of(value) if accepts(value, field) else None
