"""Trees that a document holds as tables: all rows walk all trees at once, a step a level.

What the nodes ask becomes numbers: a node sends a row on by whether a number is at most another,
and a missing one apart. Rows that could go another way in other arithmetic are put in doubt.
"""

from collections.abc import Callable
from typing import Any

from modelstream.formats.limits import PFA_FORESTS_MAX
from modelstream.formats.pfa.code import Code
from modelstream.formats.pfa.columns import Batch, Structs
from modelstream.formats.pfa.functions.foresttables import Forest, Unsuited, build_forest
from modelstream.formats.pfa.functions.treetests import Comparison
from modelstream.formats.pfa.library import Call
from modelstream.formats.pfa.types import Record, Type

# Answers of trees (columns) for the rows of a batch, or NotImplemented.
Walk = Callable[[Batch, Any, list[Any]], Any]
_WALKS = frozenset({"model.tree.simpleWalk", "model.tree.missingWalk", "model.tree.simpleTree"})
_TESTS = frozenset({"model.tree.simpleTest", "model.tree.missingTest"})


class _Tables:
    """The tables of the lists of trees seen, by identity: trees of a document never change."""

    def __init__(self, call: Call, *, skips_null: bool) -> None:
        datum, node = call.params[0], call.params[1]
        assert isinstance(datum, Record)
        assert isinstance(node, Record)
        self._node = node.name
        # Tests that fault put their rows in doubt, so that the code does not matter here.
        self._comparison = Comparison(datum, node, call.orders, 0, skips_null=skips_null)
        self._known: dict[int, tuple[list[Any], Forest | None]] = {}

    def walk(self, batch: Batch, datum: Any, trees: list[Any]) -> Any:
        """Return the leaf of each tree for each row."""
        if not isinstance(datum, Structs):
            return NotImplemented
        key = id(trees[0]) if len(trees) == 1 else id(trees)
        known = self._known.get(key)
        if known is None or not _same(known[0], trees):
            if len(self._known) >= PFA_FORESTS_MAX:
                return NotImplemented
            known = self._known[key] = (trees, self._build(trees))
        return NotImplemented if known[1] is None else known[1].walk(batch, datum)

    def _build(self, trees: list[Any]) -> Forest | None:
        try:
            return build_forest(self._comparison, self._node, trees)
        except Unsuited:
            return None


def _same(known: list[Any], trees: list[Any]) -> bool:
    return known is trees or (len(known) == len(trees) == 1 and known[0] is trees[0])


def walk_of(call: Call) -> Walk | None:
    """Return what walks the trees of a call of a walk, if its test is one that tables can hold."""
    if len(call.params) == 2:  # model.tree.simpleTree tests by itself
        return _Tables(call, skips_null=False).walk
    name = _test_of(call.codes[2])
    if name not in _TESTS or not _has_test(call.params[1]):
        return None
    return _Tables(call, skips_null=name == "model.tree.missingTest").walk


def _has_test(node: Type) -> bool:
    return isinstance(node, Record) and {"field", "operator", "value"} <= set(node.fields)


def _test_of(code: Code) -> str | None:
    """Return the function that a test is nothing but a call of."""
    if code.body is None or code.body.code.call is None:
        return None
    name, arguments = code.body.code.call
    return name if tuple(each.slot for each in arguments) == code.body.slots else None


def forest_of(call: Call) -> Callable[[Batch, list[Any]], Any] | None:
    """Return what walks all trees of an array at once, if a function does nothing but walk one."""
    body = call.codes[1].body
    if body is None or body.code.call is None:
        return None
    name, arguments = body.code.call
    if name not in _WALKS:
        return None
    datum, tree = arguments[0], arguments[1]
    if tree.slot != body.slots[0] or datum.slot is None or datum.slot in body.slots:
        return None
    kinds = tuple(each.type for each in arguments)
    walk = walk_of(Call(kinds, body.code.type, call.orders, arguments))
    return None if walk is None else lambda batch, trees: walk(batch, datum.columns(batch), trees)
