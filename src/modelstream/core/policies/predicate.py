"""Conditions on a record's fields, as `When` has them: `amount > 1000 and country in ["DE", "FR"]`.

Names are fields of the record, dotted where they are nested; what they are compared with tells their
type. A condition on a field that a record has not, or has of another type, does not hold.
"""

import ast
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from modelstream.core.policies.base import present_in
from modelstream.errors import InvalidFlow
from modelstream.limits import POLICY_TEXT_CHARS_MAX, PREDICATE_TERMS_MAX
from modelstream.messages import Column

_COMPARED: Mapping[type[ast.cmpop], Callable[[Column, Any], Column]] = {
    ast.Gt: np.greater,
    ast.GtE: np.greater_equal,
    ast.Lt: np.less,
    ast.LtE: np.less_equal,
    ast.Eq: np.equal,
    ast.NotEq: np.not_equal,
}


@dataclass(frozen=True, slots=True)
class Term:
    """One comparison of a field with a literal, or with a list of them."""

    field: str
    compare: type[ast.cmpop]
    literals: tuple[Any, ...]

    def holds(self, fields: Mapping[str, Column]) -> Column:
        """Return where it holds."""
        column = fields[self.field]
        there = ~np.isnan(column) if column.dtype.kind == "f" else present_in(column)
        if self.compare in {ast.In, ast.NotIn}:
            among = np.logical_or.reduce([np.equal(column, each) for each in self.literals])
            told: Column = among.astype(np.bool_)
            return (told if self.compare is ast.In else ~told) & there
        found = np.zeros(len(column), np.bool_)
        found[there] = _COMPARED[self.compare](column[there], self.literals[0])
        return found


@dataclass(frozen=True, slots=True)
class Junction:
    """Several conditions of which all, or any, must hold; or one that must not (`no`)."""

    kind: str  # "and", "or", "not"
    parts: "tuple[Term | Junction, ...]"

    def holds(self, fields: Mapping[str, Column]) -> Column:
        """Return where it holds."""
        held = [part.holds(fields) for part in self.parts]
        if self.kind == "not":
            return ~held[0]
        together = np.logical_and if self.kind == "and" else np.logical_or
        joined: Column = together.reduce(held)
        return joined


Predicate = Term | Junction


def parse_predicate(text: str) -> Predicate:
    """Read a condition. Raises InvalidFlow."""
    if len(text) > POLICY_TEXT_CHARS_MAX:
        raise InvalidFlow(f"a condition has at most {POLICY_TEXT_CHARS_MAX} characters")
    try:
        tree = ast.parse(text.strip(), mode="eval").body
        predicate = _read(tree, text)
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        raise _unreadable(text) from None
    if sum(1 for _ in _terms(predicate)) > PREDICATE_TERMS_MAX:
        raise InvalidFlow(f"the condition {text!r} has more than {PREDICATE_TERMS_MAX} comparisons")
    kinds: dict[str, str] = {}
    for term in _terms(predicate):
        kind = type_of(term)
        if kinds.setdefault(term.field, kind) != kind:
            raise InvalidFlow(
                f"{text!r} takes {term.field!r} for a {kinds[term.field]} and a {kind}"
            )
    return predicate


def fields_of(predicate: Predicate) -> dict[str, str]:
    """Return the fields that a condition looks at, with their types."""
    return {term.field: type_of(term) for term in _terms(predicate)}


def type_of(term: Term) -> str:
    """Return the type of a term's field, as its literals tell."""
    first = term.literals[0]
    return "bool" if isinstance(first, bool) else "string" if isinstance(first, str) else "float64"


def _terms(predicate: Predicate) -> list[Term]:
    if isinstance(predicate, Term):
        return [predicate]
    return [term for part in predicate.parts for term in _terms(part)]


def _read(node: ast.expr, text: str) -> Predicate:
    if isinstance(node, ast.BoolOp):
        kind = "and" if isinstance(node.op, ast.And) else "or"
        return Junction(kind, tuple(_read(each, text) for each in node.values))
    if isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.Not):
        return Junction("not", (_read(node.operand, text),))
    if not isinstance(node, ast.Compare) or len(node.ops) != 1:
        raise _unreadable(text)
    compare = type(node.ops[0])
    value: Any = ast.literal_eval(node.comparators[0])
    among = compare in {ast.In, ast.NotIn}
    literals = tuple(value) if among and isinstance(value, list | tuple) else (value,)
    if (
        not (among or compare in _COMPARED)
        or not literals
        or among is not isinstance(value, list | tuple)
    ):
        raise _unreadable(text)
    kinds = {"text" if isinstance(each, str) else type(each) is bool for each in literals}
    if len(kinds) > 1 or not all(isinstance(each, str | int | float) for each in literals):
        raise _unreadable(text)
    return Term(_field(node.left, text), compare, literals)


def _field(node: ast.expr, text: str) -> str:
    if isinstance(node, ast.Name):
        return node.id
    if isinstance(node, ast.Attribute):
        return f"{_field(node.value, text)}.{node.attr}"
    raise _unreadable(text)


def _unreadable(text: str) -> InvalidFlow:
    return InvalidFlow(
        f"the condition {text!r} cannot be read; write a field and a literal, such as "
        f"'amount > 1000' or 'country in [\"DE\", \"FR\"]', joined by and, or, not"
    )
