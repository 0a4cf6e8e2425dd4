"""The element types of predicates (DMG 4.4, Trees: Predicates) and of arrays."""

from typing import Literal

import msgspec

from modelstream.formats.pmml.elements.base import PREDICATE, TEXT, Element

Operator = Literal[
    "equal",
    "notEqual",
    "lessThan",
    "lessOrEqual",
    "greaterThan",
    "greaterOrEqual",
    "isMissing",
    "isNotMissing",
]


class Array(Element, kw_only=True, frozen=True):
    """Values separated by blanks; strings may be quoted."""

    n: int | None = None
    type: Literal["int", "real", "string"]
    text: str = msgspec.field(name=TEXT, default="")


class Always(Element, tag="True", kw_only=True, frozen=True):
    """The predicate that is true."""


class Never(Element, tag="False", kw_only=True, frozen=True):
    """The predicate that is false."""


class SimplePredicate(Element, kw_only=True, frozen=True):
    """Compare a field with a value."""

    field: str
    operator: Operator
    value: str | None = None


class SimpleSetPredicate(Element, kw_only=True, frozen=True):
    """Look a field's value up in a set."""

    field: str
    boolean_operator: Literal["isIn", "isNotIn"]
    array: Array = msgspec.field(name="Array")


class CompoundPredicate(Element, kw_only=True, frozen=True):
    """Combine predicates."""

    boolean_operator: Literal["and", "or", "xor", "surrogate"]
    predicates: "tuple[Predicate, ...]" = msgspec.field(name=PREDICATE)


Predicate = Always | Never | SimplePredicate | SimpleSetPredicate | CompoundPredicate
